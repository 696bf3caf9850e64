// #else twice, #elif behind #else, #endif too much, and an #if that stays open.
#endif
a
#else
b
#if 0
c
#else
d
#else
e
#elif 1
f
#endif
g
#if 1
h
