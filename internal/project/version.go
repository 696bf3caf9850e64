package project

import (
	"strings"
)

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
