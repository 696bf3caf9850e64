int f(int a), filter(void); void done(int n);
int t(int n)
{
    __try {
        f(n);
        __try { f(1); if (n) __leave; done(2); } __finally { done(f(3)); }
    } __except (filter() ? 1 : 0) {
        f(4);
        return f(5);
    }
    return 0;
}
