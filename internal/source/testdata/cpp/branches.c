// Branches: nested, not taken, elif after a taken one, and directives that are no directives.
#if 0
no
# if 1
no
# else
no
# endif
#elif 1
yes 1
# if 0
# elif 0
# else
yes 2
# endif
#elif 1 / 0
no
#else
no
#endif
#if 0
don't "count
#elif 0
#else
yes 3
#endif
#ifdef NOTHING
#define X 1
#include "none.h"
#error no
#else
#define X 2
#endif
X
#
# /* nothing */
#if 0
#bogus
#endif
/* a comment */ # /* in */ define /* a */ Y /* directive */ 5 // end
Y
#if 1 // a comment
yes 4
#endif /* a
comment */ 
yes 5
