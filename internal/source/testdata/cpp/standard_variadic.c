// Variable arguments that are passed on are separated again, in the mode of the standard.
#define p(a, ...) [a|__VA_ARGS__]
#define L(...) p(__VA_ARGS__)
L(1, 2, 3)
#define pair(a, b) a.b
#define M(...) pair(__VA_ARGS__)
M(x, y)
#define P(x, y) x, y
#define M2(x, y) pair(x, y)
#define id(x) x
id(pair)(1, 2)
