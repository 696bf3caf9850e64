open_begins
#if 0
hidden
