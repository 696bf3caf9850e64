package image

import (
	"fmt"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// The bits of two, each on the versions of Windows on which both are possible.
func TestOr(t *testing.T) {
	from := func(bits uint32, from, below nx.Version) driver.Term {
		return driver.Term{Bits: bits, From: from, Below: below}
	}
	always := nx.Version{}
	for _, c := range []struct {
		a, b answer
		want string
	}{
		{answer{terms: []driver.Term{{Bits: 1}, {Bits: 2}}}, answer{terms: []driver.Term{{Bits: 3}, {Bits: 4}}}, "3 5 6 "},
		{answer{terms: []driver.Term{{Bits: 1}}}, answer{terms: []driver.Term{{Bits: 2}}, unknown: "why"}, "3 why"},
		{answer{terms: []driver.Term{{Bits: 1}}, unknown: "here"}, answer{terms: []driver.Term{{Bits: 2}}, unknown: "there"}, "3 here"},
		{answer{unknown: "why"}, answer{terms: []driver.Term{{Bits: 2}}}, "why"},
		{
			answer{terms: []driver.Term{from(0, always, nx.Windows8), from(512, nx.Windows8, always)}},
			answer{terms: []driver.Term{from(0, always, nx.Windows10), from(1, nx.Windows10, always), from(2, nx.Windows7, nx.Windows81)}},
			"0 below 6.2, 2 from 6.1 below 6.2, 512 from 6.2 below 10.0, 513 from 10.0, 514 from 6.2 below 6.3, ",
		},
	} {
		got, text := c.a.or(c.b), ""
		for _, term := range got.terms {
			text += fmt.Sprint(term.Bits)
			if (term.From != nx.Version{}) {
				text += " from " + term.From.String()
			}
			if (term.Below != nx.Version{}) {
				text += " below " + term.Below.String()
			}
			text += map[bool]string{true: ", ", false: " "}[term.From != nx.Version{} || term.Below != nx.Version{}]
		}
		if text += got.unknown; text != c.want {
			t.Errorf("%+v or %+v: got %q, want %q", c.a, c.b, text, c.want)
		}
	}
}
