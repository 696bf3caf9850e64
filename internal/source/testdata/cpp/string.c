// # with white space, literals, escapes, and arguments that are not expanded.
#define s(x) #x
#define xs(x) s(x)
#define N 7
s() s( a  b ) s(a/* c */b) s("a\n\"b\"") s('\'' '"' '\\') s(N) xs(N) s(a
b) s((a , b)) s(L"x" u8"y") s(a\b) s(1.5e+3)
xs(s(a)) xs("\t") s(#) s(@)
#define two(a, b) #a #b a b
two(N, "q") two( , x ) end
