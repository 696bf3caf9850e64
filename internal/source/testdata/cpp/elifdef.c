// #elifdef and #elifndef.
#define A
#ifdef B
no
#elifdef A
yes 1
#else
no
#endif
#ifdef B
no
#elifndef B
yes 2
#elifdef A
no
#endif
end of it
