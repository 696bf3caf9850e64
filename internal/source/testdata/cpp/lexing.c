// Tokens: punctuators, numbers, literals that are not closed, digraphs, comments.
a+++++b a<<=b>>=c<<d>>e->f...g..h a%:b <: :> <% %> %:%:
0x1p+3 1e+5 1.5.6e-2f .5 1..2 0xabcULL
"a\"b" L"w" u8"x" u"y" U"z" 'a' L'b' '\'' "\\" "??/" ??/
a/**/b a//c
$dollar @ ` \ x
!= == <= >= && || ^= |= &= *= /= %= -= += ## #
0xE+1 ? : ; , ~
