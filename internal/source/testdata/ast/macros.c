void *alloc(int t, int n, int tag); void put(int n); int size(void);
#define NEW(n) alloc(0, n, 'gaT ')
#define NEWT(t, n) NEW2(t, (n) + size())
#define NEW2(t, n) alloc((t), n, 'a')
#define CALL(f, x) f(x)
#define TWICE(x) do { x; x; } while (0)
#define GUARD if (size()) return
void m(void)
{
    void *p = NEW(size());
    p = NEWT(1, 2);
    CALL(put, 3);
    CALL(put, size());
    GUARD;
    put(
        4
    );
}
