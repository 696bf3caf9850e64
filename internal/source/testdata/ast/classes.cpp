int f(int a), g(int a, int b = 2);
namespace outer { namespace inner { int f(int a) { return ::f(a); } }
  struct Base { virtual int get(int n) { return f(n); } virtual ~Base() { f(0); } static int st(int n); int m; };
  int Base::st(int n) { return inner::f(n) + g(n); } }
class D : public outer::Base {
public:
    D(int n) : outer::Base(), a(f(n)), b{g(n, 3)} { f(a); }
    explicit D() { }
    ~D() { f(1); }
    int get(int n) override { return Base::get(n) + this->get2(n); }
    int get2(int n) const noexcept { return g(n); }
    D &operator=(const D &o) { f(o.a); return *this; }
    int operator()(int n) { return f(n); }
    operator int() const { return f(a); }
private:
    int a, b;
    int c = 3;
};
int use(D *d, D &r) { D local(f(1)); return d->get(1) + r.get2(f(2)) + outer::Base::st(3) + local.get(g(4)); }
