#define call(x) called x
call
