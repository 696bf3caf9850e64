int f(int a);
template <typename T> T id(T t) { return t; }
template <int N, typename T> int many(T t) { return f(N) + id<int>(f(1)) + id(t); }
template <class T> struct Box { T t; int get(int n) { return f(n) + id<T>(t); } template <class U> int conv(U u) { return f(1); } };
template <typename... A> int pack(A... a) { return f(sizeof...(a)); }
int use(int a, int b) { Box<int> x{f(1)}; Box<Box<int>> y; return many<3>(4) + x.get(many<1, long>(2)) + pack(1, f(2)) + (a < b) + (a > (b)); }
