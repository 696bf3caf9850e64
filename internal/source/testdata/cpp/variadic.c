// Variable arguments that both modes treat alike.
#define L(f, ...) p(f, __VA_ARGS__)
#define only(...) {__VA_ARGS__}
#define named(args...) <args>
#define str(...) #__VA_ARGS__
#define elide(f, ...) p(f, ## __VA_ARGS__)
L(1, 2, 3) L(1, (2, 3)) only() only(a) only(a, b, (c, d)) named(x, y) str(a, b  c) str(x)
elide(1) elide(1, 2) elide("a", b, c) L(L(1, 2), L(3, 4))
L(only(1), named(2))
