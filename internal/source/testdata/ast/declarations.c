typedef unsigned long ULONG; typedef struct _S { int a, b; ULONG c : 3; } S, *PS;
enum E { A = 1, B = A << 3, C };
extern int f(int); static inline int g(S s, PS p);
__declspec(noinline) int h(int a[3], int (*p)(int, char), ...);
__attribute__((unused)) static ULONG w __attribute__((aligned(8))) = 3, *pw = &w, arr[] = { 1, 2, [5] = C };
static S s = { .b = 2 }, two[2] = { { 1, 2 }, { .a = B } };
static inline int g(S s, PS p) { int local(int), x = f(s.a), (*q)(int) = f, y = q(p->b); return x + y + local(B); }
ULONG __attribute__((noinline)) attr(void) { ULONG x = (ULONG)f(1), *y = &x; return *y * f(2) + (x) * f(3); }
_Static_assert(sizeof(S) > 4, "f(1)");
int (*ret(int n))(int) { h(0, 0, f(n), "f(2)", 'f'); return f; }
