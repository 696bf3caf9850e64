// __VA_OPT__: text that is there where variable arguments are.
#define EMPTY
#define F(a, ...) f(0 __VA_OPT__(,) a __VA_OPT__(, __VA_ARGS__))
F(1) F(1,) F(1, 2) F(1, 2, 3) F(1, EMPTY) F(, (2))
#define G(...) g(__VA_OPT__((x)(y) __VA_ARGS__,) z)
G() G(1) G(EMPTY) G(G(1))
#define H(a, ...) a ## __VA_OPT__(b c) ## d
H(x) H(x, 1) H() H(, 1)
#define I(args...) i(__VA_OPT__(args))
I(1)
#define J(a, ...) __VA_OPT__(a ## __VA_ARGS__) #__VA_ARGS__
J(p) J(p, q r)
#define K() __VA_OPT__(1)
#define ALLOC(type, ...) ExAllocatePoolWithTag(type, 8 __VA_OPT__(* __VA_ARGS__), 'x')
ALLOC(NonPagedPool); ALLOC(PagedPool, 4);
#define L(...) __VA_OPT__(first) __VA_OPT__(second (in) brackets)
L() L(1)
#define M(x, ...) __VA_OPT__(x x) end
M(F(1), F(2, 3))
#define N(...) ( __VA_OPT__(x) ) ) [__VA_OPT__()] y
N() N(1)
