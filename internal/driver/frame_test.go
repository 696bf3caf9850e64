package driver

import "testing"

func TestOwn(t *testing.T) {
	at := func(path string) Frame { return Frame{Place: Place{Path: path, Line: 1}} }
	for _, c := range []struct {
		frames []Frame
		want   string
	}{
		{nil, ""},
		{[]Frame{at("a.c"), at("b.c")}, "a.c"},
		{[]Frame{at("own.h"), at("b.c")}, "own.h"},
		{[]Frame{at("out/nxpool.h"), at("/ddk/WDM.h"), at("b.c"), at("c.c")}, "b.c"},
		{[]Frame{at("nxpool.h"), at("ndis.h")}, "nxpool.h"},
	} {
		got, ok := Own(c.frames)
		if got.Path != c.want || ok != (c.want != "") {
			t.Errorf("%v: got %q, %v, want %q", c.frames, got.Path, ok, c.want)
		}
	}
}
