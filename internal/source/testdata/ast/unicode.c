// f(1) ä
int f(const char *s, int c); /* f(2)
f(3) */ int é(int n) { return f("f(4) \" é", '(') + f("a" "b", '\'') + f(u8"ü", '"'); }
int con\
t(int n) { ret\
urn f("x\
y", n) + é(n); }
