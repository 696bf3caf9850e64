typedef unsigned long size_t_; typedef decltype(sizeof(0)) size_t; enum POOL_TYPE { NonPagedPool, PagedPool = 1 };
void *alloc(POOL_TYPE t, size_t n, unsigned tag);
void *operator new(size_t n, POOL_TYPE t) { return alloc(t, n, 0); }
void *operator new[](size_t n, POOL_TYPE t, unsigned tag = 'a') { return alloc(t, n, tag); }
void operator delete(void *p) noexcept; void operator delete(void *, unsigned long) noexcept;
struct S { S(int n = 0); void *operator new(size_t n, POOL_TYPE t, unsigned tag) { return alloc(t, n, tag); } int x; };
int f(int n);
void use(int n)
{
    S *s = new (PagedPool, 'gat') S(f(1));
    int *p = new (NonPagedPool) int, *q = new (PagedPool) int[f(n)], *r = new (NonPagedPool, 'b') int[3];
    S *t = ::new (PagedPool) S; S *u = new ((POOL_TYPE)f(2), f(3)) S{f(4)};
    delete s;
}
