// defined: with and without parentheses, out of a macro, and of what is built in.
#define A
#define B 0
#define HAS defined(A) && defined B
#define ASK(x) defined(x)
#if HAS
yes 1
#endif
#if defined A && !defined(C) && defined ( B ) && !defined C
yes 2
#endif
#define NOT !HAS
#if NOT
no
#else
yes 3
#endif
#if defined __LINE__ && defined(__FILE__) && defined(__COUNTER__)
yes 4
#endif
#ifdef A
yes 5
#endif
#ifndef A
no
#endif
#undef A
#if HAS
no
#elif !HAS
yes 6
#endif
#ifdef __FILE__
yes 7
#endif
#if ASK(B)
yes 8
#endif
