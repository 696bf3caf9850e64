from_c __LINE__
