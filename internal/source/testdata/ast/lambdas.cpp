int f(int a), g(int a, int b);
template <class F> int run(F fn) { return fn(1); }
int l(int n)
{
    auto a = [](int x) { return f(x); };
    auto b = [&n](int x) -> int { n = g(x, n); return [=] { return f(x); }(); };
    return run([n](int x) { return g(f(x), n); }) + run(a) + run(b);
}
