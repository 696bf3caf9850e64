// Rescanning: macros that name themselves, each other, and functions whose arguments stand outside.
#define foo foo + bar
#define bar foo - bar
foo bar
#define x 3
#define f(a) f(x * (a))
#undef x
#define x 2
#define g f
#define z z[0]
#define h g(~
#define m(a) a(w)
#define w 0,1
#define t(a) a
f(y+1) + f(f(z)) % t(t(g)(0) + t)(1);
g(x+(3,4)-w) | h 5) & m(f);
#define A B C
#define B C D
#define C A B
A
#define NIL(xxx) xxx
#define G_0(arg) NIL(G_1)(arg)
#define G_1(arg) NIL(arg)
G_0(42)
#define q(a) a*r
#define r(a) q(a)
q(2)(9)
q(2) (9) (10)
