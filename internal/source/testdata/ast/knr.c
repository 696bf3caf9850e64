int f(int a); void *alloc();
old(a, b) int a; char *b; { f(a); return f(*b); }
static int older(n, t)
    int n;
    unsigned t;
{
    alloc(t, n);
    return older(f(n), t);
}
void last(void) { old(1, "x"); older(1, 2); }
