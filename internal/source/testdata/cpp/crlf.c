// Lines that end with CR LF, spliced ones too.
#define A(x) x \
  + 1
A(2) a\
b
#if 1
yes // c
#endif
"s" /* x
 y */ end
