package driver

import (
	"cmp"
	"fmt"
)

// Pair is one request as two witnesses, or one witness at two times, saw it. A or B is nil where only the other did.
type Pair struct {
	A, B *Site
}

// Compare matches the sites of two images of the same build: by file, function and DDI, and among equals by order.
// Pairs stand in the order of a's sites, followed by those that only b has.
func Compare(a, b Image) []Pair {
	left := map[string]*Site{}
	for key, s := range keyed(b.Sites) {
		left[key] = s
	}
	var pairs []Pair
	for key, s := range keyed(a.Sites) {
		pairs = append(pairs, Pair{s, left[key]})
		delete(left, key)
	}
	for key, s := range keyed(b.Sites) {
		if left[key] != nil {
			pairs = append(pairs, Pair{nil, s})
		}
	}
	return pairs
}

// keyed yields each site with a name that survives moved lines and another routine in the place of a deprecated one.
func keyed(sites []Site) func(yield func(string, *Site) bool) {
	return func(yield func(string, *Site) bool) {
		seen := map[string]int{}
		for i := range sites {
			s := &sites[i]
			key := s.Place.Path + "\x00" + s.Function + "\x00" + cmp.Or(s.DDI.Replacement, s.DDI.Name)
			seen[key]++
			if !yield(fmt.Sprint(key, "\x00", seen[key]), s) {
				return
			}
		}
	}
}
