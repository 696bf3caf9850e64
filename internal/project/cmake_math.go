package project

import (
	"strconv"
	"strings"
)

// math(EXPR). Bits and parentheses are left unknown.

// math evaluates sums; what is more is unknown.
func (k *cmakeCall) math() {
	v, ok := cmakeMath(k.arg(2))
	if k.arg(0) != "EXPR" || !ok {
		k.setUnknown(k.fr, k.arg(1))
		return
	}
	k.set(k.arg(1), plain(strconv.FormatInt(v, 10)))
}

// cmakeMath evaluates + - * / % from the left, products first, without parentheses.
func cmakeMath(s string) (int64, bool) {
	s = strings.ReplaceAll(s, " ", "")
	var sum, product int64
	sign, operator := int64(1), byte('*')
	product = 1
	for i := 0; i < len(s); {
		n := i
		if s[n] == '-' {
			n++
		}
		for n < len(s) && (isWord(s[n])) {
			n++
		}
		v, err := strconv.ParseInt(s[i:n], 0, 64)
		if err != nil || v == 0 && (operator == '/' || operator == '%') {
			return 0, false
		}
		switch operator {
		case '*':
			product *= v
		case '/':
			product /= v
		case '%':
			product %= v
		}
		if n == len(s) {
			return sum + sign*product, true
		}
		switch operator = s[n]; operator {
		case '+', '-':
			sum += sign * product
			sign, product = map[byte]int64{'+': 1, '-': -1}[operator], 1
			operator = '*'
		case '*', '/', '%':
		default:
			return 0, false
		}
		i = n + 1
	}
	return 0, false
}
