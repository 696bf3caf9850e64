int f(int a), g(int a, int b), h(void);
int v;
int one(int x) { return f(g(f(1), g(h(), 2))) + g((f)(3), x ? f(4) : h()); }
int two(int x)
{
    if (f(x) && g(x, h()) || !h())
        while (g(x--, 1)) f(x), f(-x);
    for (int i = f(0); i < g(i, 2); i += h()) { v = f(v = g(1, 2)); }
    switch (f(x)) { case 1: f(1); break; default: { h(); } }
    do f(2); while (h());
    return sizeof(f(3)) + (int)f(4) + (x, f(5));
}
