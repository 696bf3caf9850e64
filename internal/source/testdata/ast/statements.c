int f(int a), g(int a, int b);
#define MAX(a, b) ({ int x_ = (a), y_ = (b); g(x_, y_); x_ > y_ ? x_ : y_; })
int s(int n)
{
    int m = MAX(f(n), f(2)), k = ({ f(3); g(4, 5); });
    goto out;
again:
    f(6);
out:
    if (n--) goto again;
    { int f2(int); f2(7); }
    return m + k + (int){ f(8) } + ((struct { int a, b; }){ .a = f(9), .b = g(10, 11) }).a;
}
