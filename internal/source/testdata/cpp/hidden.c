// Directives in text that is not compiled are counted, whatever they say.
#if 0
#define f(
#if (
#include <
#else
#elif )
'
"
#endif
#ifdef
#endif
#else
yes 1
#endif
#define f(x) x
f(2) f( yes )
f(3) f(
#ifdef f
 4
#endif
) end
