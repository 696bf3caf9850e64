// Arguments: none, empty, over lines, with parentheses, and what is no use of the macro.
#define one(x) [x]
#define two(a, b) <a|b>
#define none() nothing
one() one( ) one(1) one((1, 2)) one
(3) one one (4)
two(, ) two(1,) two(,2) two((a, b), one(c))
two(1,
    2 // a comment
    /* another */ + 3
   )
none() none ( ) none
none
#define name one
name(5) name (6)
one(one)(7) one(one(one(8)))
two(
#if 1
  inside
#else
  outside
#endif
  , b)
end
