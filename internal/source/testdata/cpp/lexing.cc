// Tokens of C++: its punctuators, raw strings, numbers with separators, true and false.
a.*b c->*d e<=>f g::h <:::x>
R"(a"b)" LR"x(\
)")x" u8R"()" 1'000'000 0x1'F
#if true && !false
yes
#endif
#define s(x) #x
s(R"(a"b\)") end
