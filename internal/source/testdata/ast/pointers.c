typedef int (*fn)(int); struct ops { fn call; struct { fn deep[2]; } in; };
int f(int a); fn pick(int);
static const struct ops table = { f, { { f, f } } };
static struct ops named = { .call = f };
int use(struct ops *o, fn p, fn q[2])
{
    fn l = f, m = &f;
    o->call(1); o->in.deep[1](2); named.call(3); p(4); (*p)(5); l(6); m(7); q[f(1)](8); pick(9)(10);
    return table.call(f(11));
}
