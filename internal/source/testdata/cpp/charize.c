// #@ makes a character.
#define c(x) #@x
#define both(x) #x #@x
c(a) c(1) both(z) both(_) end end2
