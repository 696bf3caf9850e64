from_b
#include "once.h"
