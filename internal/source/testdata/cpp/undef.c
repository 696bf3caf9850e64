// #undef, a definition that replaces another, parameters that have the names of macros.
#define A 1
A
#undef A
A
#define A 2
#undef B
A B
#define x 5
#define f(x) x + y
#define y x
f(1) f(x) f(y) x
#undef f
f(1)
#define f (x)
f(1)
#define empty
empty a empty b empty
#define g() empty
g() g()g() c
