typedef int INT; int f(int a); enum class K { A, B = 5 };
int c(void *p, int a, int b)
{
    int x = static_cast<int>(f(1)), y = (int)(f)(2), z = reinterpret_cast<long>(p) + f(3) & f(4);
    K k = K::A; if (auto v = f(5); v > f(6)) x = f(7); else x = -f(8);
    int l[] = {f(9), f(10)}; for (int e : l) f(e);
    try { f(11); throw f(12); } catch (int e) { f(e); } catch (...) { f(13); }
    return x + y + z + (k == K::B ? f(14) : f(15)) + (a & f(16)) + (a)*f(17);
}
