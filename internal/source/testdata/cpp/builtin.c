// __LINE__, __COUNTER__, #line.
#define cat(a, b) a##b
#define xcat(a, b) cat(a, b)
#define unique(x) xcat(x, __LINE__)
#define here __LINE__
#define f(x) x here
__LINE__ here unique(a) f(__LINE__)
f(
 1
)
__COUNTER__ __COUNTER__ xcat(n, __COUNTER__)
#if __LINE__ == 12
yes
#endif
#line 100
__LINE__
#line 200 "other.c"
__LINE__ here
# 7 "x.c"
__LINE__
