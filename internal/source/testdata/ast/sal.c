#define _In_
#define _IRQL_requires_max_(x)
#define PAGED_CODE() check(__LINE__)
#define DECLSPEC_ALIGN(x) __declspec(align(x))
#define NTAPI
#define FORCEINLINE static __inline
void check(int line); int f(int a); typedef long NTSTATUS;
_IRQL_requires_max_(2) NTSTATUS NTAPI Entry(_In_ int a, _In_ void *p)
{
    DECLSPEC_ALIGN(16) int x = f(a);
    PAGED_CODE();
#pragma warning(suppress: 4995)
    x = f(x);
#if 0
    f(99);
#else
    f(
#ifdef NEVER
        1
#else
        2
#endif
    );
#endif
    return x;
}
FORCEINLINE NTSTATUS Inline(void) { __pragma(warning(push)) f(1); __pragma(warning(pop)) return f(2); }
#pragma alloc_text(PAGE, Entry)
