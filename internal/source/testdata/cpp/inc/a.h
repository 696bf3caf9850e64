#ifndef A_H
#define A_H
from_a
#include "b.h"
#endif
