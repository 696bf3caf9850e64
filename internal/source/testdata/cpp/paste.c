// ## with names, numbers, punctuators, empty sides, and chains of it.
#define cat(a, b) a##b
#define xcat(a, b) cat(a, b)
#define cat3(a, b, c) a##b##c
#define N 7
cat(x, y) cat(x, 1) cat(1, e) cat(,) cat(a,) cat(,b) cat(N, N) xcat(N, N)
cat(<, <=) cat(-, >) cat(+, +) cat(L, "wide") cat(L, 'c') cat(.., .) cat(1., 5)
cat3(a, b, c) cat3(a,, c) cat3(,, c) cat3(,b,) cat3(,,) end
cat(a b, c d) cat(cat(1, 2), 3)
#define hash_hash # ## #
#define mkstr(a) # a
#define in_between(a) mkstr(a)
#define join(c, d) in_between(c hash_hash d)
join(x, y);
#define object a ## b c ## 1
object
#define both(x) x ## _ ## x x
both(N) both()
#define late(x) pre_ ## x
late(N) late(late(N))
#define pre_N found
late(N)
