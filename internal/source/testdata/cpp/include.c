// Includes: quoted and not, out of macros, once, guarded, nested, with odd names, and whose #if reaches nobody.
#include "inc/a.h"
#include <a.h>
#include "a.h"
#define H "inc/b.h"
#include H
#define ANGLED <b.h>
#include ANGLED
#define NAME(x) <x.h>
#include NAME(b)
#include <sub//c.h>
#include "inc/open.h"
after
#include "inc/call.h"
(1)
#if __has_include("inc/a.h") && __has_include(<b.h>) && !__has_include("none.h")
yes
#endif
last
