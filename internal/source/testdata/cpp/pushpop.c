// push_macro and pop_macro, as a pragma, as an operator, out of a macro, nested, and of names that are not defined.
#define A 1
#pragma push_macro("A")
#undef A
A
#define A 2
#pragma push_macro("A")
#define PUSH __pragma(push_macro("A"))
#define POP __pragma(pop_macro("A"))
PUSH
#undef A
#define A 3
A
POP
A
#pragma pop_macro("A")
A
_Pragma("pop_macro(\"A\")")
A
#pragma pop_macro("A")
A
#pragma push_macro("B")
#define B b
B
#pragma pop_macro("B")
B
#pragma push_macro("NonPagedPool")
#define NonPagedPool NonPagedPoolNx
NonPagedPool
#pragma pop_macro("NonPagedPool")
NonPagedPool __pragma(warning(disable:4200)) end
