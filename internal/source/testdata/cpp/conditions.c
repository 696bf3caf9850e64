// Conditions: arithmetic of 64 bits, signed and unsigned, precedence, and what is undefined.
#define yes(n) yes##n
#if 1 + 2 * 3 == 7 && (1 ? 2 : 0) == 2 && -1 < 0 && 6 / 4 == 1 && 1 << 3 == 8
yes(1)
#endif
#if -1 > 0u
yes(2)
#endif
#if -1 > 0
no
#else
yes(3)
#endif
#if 0xFFFFFFFFFFFFFFFF == -1 && 0xFFFFFFFFFFFFFFFF > 0 && 18446744073709551615u > 1
yes(4)
#endif
#if (0 ? 0u : -1) > 0
yes(5)
#endif
#if -8 >> 1 == -4 && 8u >> 1 == 4 && (-8 / 3) == -2 && (-8 % 3) == -2
yes(6)
#endif
#if -8 / 3u == 6148914691236517202
yes(7)
#endif
#if 9223372036854775807 + 1 < 0
yes(8)
#endif
#if ~0 == -1 && ~0u > 0 && !0 == 1 && !5 == 0 && - - 3 == 3
yes(9)
#endif
#if 'A' == 65 && '\n' == 10 && '\x41' == 65 && '\101' == 65 && '\\' == 92 && '\'' == 39 && '\0' == 0 && 'ab' == 24930 && L'a' == 97 && '\377' < 0 && L'\xff' > 0
yes(10)
#endif
#if 010 == 8 && 0x10 == 16 && 1L == 1 && 1ULL == 1 && 1i64 == 1 && 0xFFui64 == 255 && 0b101 == 5
yes(11)
#endif
#if UNKNOWN == 0 && !UNKNOWN && UNKNOWN + 1
yes(12)
#endif
#if 1 || 1 / 0
yes(13)
#endif
#if 0 && 1 / 0
no
#elif (2, 3) == 3
yes(14)
#endif
#if 1 ? 2 ? 3 : 4 : 5
yes(15)
#endif
#if (1 | 2 ^ 2 & 6) == 1 && (5 & 3 == 1) == 0 && 1 < 2 == 1
yes(16)
#endif
#if 4 - 2 - 1 == 1 && 16 / 4 / 2 == 2 && 2 << 1 << 1 == 8
yes(17)
#endif
#if 1 >= 1 && 1 <= 1 && 2 > 1 && 1 != 2
yes(18)
#endif
