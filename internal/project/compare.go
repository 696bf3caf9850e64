package project

import (
	"strconv"
	"strings"
)

// Orders of numbers, versions and strings. MSBuild and CMake agree on what a relation makes of an order, and differ
// in what is a number or a version at all; so each has readers of its own.

// orderOf is negative, zero or positive. What is no number (CMake reads NaN) is equal to all.
func orderOf(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// holdsFor says what a relation makes of an order.
func holdsFor(order int, relation string) bool {
	switch relation {
	case "==":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case ">":
		return order > 0
	case "<=":
		return order <= 0
	}
	return order >= 0
}

// compareNumbers compares as MSBuild does: decimal and hexadecimal numbers; ok is false for anything else.
func compareNumbers(a, b string) (order int, ok bool) {
	x, okX := number(a)
	y, okY := number(b)
	return orderOf(x, y), okX && okY
}

// number reads a decimal or a 0x number.
//
// The bounds are those of MSBuild: a hexadecimal number has 32 bits, a decimal one is a double.
func number(s string) (float64, bool) {
	if len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') {
		n, err := strconv.ParseUint(s[2:], 16, 32)
		return float64(n), err == nil
	}
	if s == "" || strings.Trim(s, "+-.0123456789") != "" { // nor "inf", "1e9", "1_0", which ParseFloat takes
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

// compareTexts compares byte by byte; it has the form of the other orders.
func compareTexts(a, b string) (int, bool) { return strings.Compare(a, b), true }

// compareVersions compares as MSBuild does, 1.2 equal to 1.2.0. ok is false where a part is no number: MSBuild stops
// with an error there, so the answer is unknown. CMake ends the version instead, see compareDotted.
func compareVersions(a, b string) (order int, ok bool) {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(x), len(y)) {
		p, q := "0", "0"
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		if order, ok = compareNumbers(p, q); !ok || order != 0 {
			return order, ok
		}
	}
	return 0, true
}

// compareCMakeNumbers compares as LESS, EQUAL and GREATER do; ok is false where one is no number, and the test fails.
func compareCMakeNumbers(a, b string) (int, bool) {
	x, err := cmakeNumber(a)
	y, err2 := cmakeNumber(b)
	return orderOf(x, y), err == nil && err2 == nil
}

// cmakeNumber reads a number as C does, which is what CMake uses.
func cmakeNumber(s string) (float64, error) {
	s = strings.Trim(s, white)
	if n, err := strconv.ParseInt(s, 0, 64); err == nil && strings.HasPrefix(strings.ToLower(s), "0x") {
		return float64(n), nil
	}
	return strconv.ParseFloat(s, 64)
}

// compareDotted compares 1.2.3 part by part; what is no number ends it.
func compareDotted(a, b string) (int, bool) {
	x, y := versionParts(a), versionParts(b)
	for i := range max(len(x), len(y)) {
		var m, n uint64
		if i < len(x) {
			m = x[i]
		}
		if i < len(y) {
			n = y[i]
		}
		if m != n {
			return map[bool]int{true: -1, false: 1}[m < n], true
		}
	}
	return 0, true
}

// versionParts gives up to nine numbers; any text is a version to CMake.
func versionParts(s string) []uint64 {
	var list []uint64
	for _, p := range strings.SplitN(s, ".", 9) {
		digits := p[:len(p)-len(strings.TrimLeft(p, "0123456789"))]
		n, _ := strconv.ParseUint(digits, 10, 64)
		list = append(list, n)
		if digits != p || digits == "" {
			break
		}
	}
	return list
}
