// Spliced lines, in names, directives, strings and comments.
#def\
ine A one\
 two \
three
A
na\
me "str\
ing" 12\
34 +\
+ // a comment \
goes on
/\
* here *\
/ end
#define B(x) x \

B(1) \
B(2)
