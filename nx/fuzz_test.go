package nx

import (
	"strings"
	"testing"
)

// Whatever a table holds, its rows can be asked anything.
func FuzzParseDDIs(f *testing.F) {
	f.Add("Foo 1 pool_type wdm.h 5.0 no - - args=2 mode=2 nx=kit:6.3\nIFoo::Bar 0 always - 5.0 no - - args=1", "Foo", uint32(0x200))
	f.Fuzz(func(t *testing.T, text, name string, value uint32) {
		table, err := ParseDDIs("f", strings.NewReader(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Errorf("the error names no line: %v", err)
			}
			return
		}
		MethodsIn(table).Find(name, name, int(value))
		for _, d := range table {
			if d.Arity > 0 && max(d.Argument, d.AccessMode) > d.Arity {
				t.Errorf("%+v: a position beyond the last", d)
			}
			d.Takes(name)
			for _, v := range d.Values(Run{OptIn, true, Windows10}, Built{}, value) {
				if d.Executable(Windows10, v) == "" {
					t.Errorf("%+v: no judgement of %#x", d, v)
				}
			}
		}
	})
}
