int f(int a), g(int a, int b); struct P { int a, b; P(int, int); };
static int one = f(1), two = g(f(2), 3); int arr[] = { f(4), f(5) };
namespace { int three(f(6)); const P p(f(7), 8); }
static inline int late = g(f(9), 1) ? f(10) : 0;
extern "C" { int cfun(int n) { static int once = f(n); return once; } }
extern "C" int single(int n) { return f(n); }
