package main

import "testing"

func TestPosition(t *testing.T) {
	for _, tt := range []struct {
		text string
		file string // "" for no position
		at   lineColumn
	}{
		{"a.c:42", "a.c", lineColumn{42, 0}},
		{"a.c:42:9", "a.c", lineColumn{42, 9}},
		{"drv/a.c:42:9:", "drv/a.c", lineColumn{42, 9}},
		{"a.c:42:", "a.c", lineColumn{42, 0}},
		{`C:\x\a.c:42`, `C:\x\a.c`, lineColumn{42, 0}},
		{`C:\x\a.c:42:9`, `C:\x\a.c`, lineColumn{42, 9}},
		{`C:\x\a.c(42,9): `, "", lineColumn{}},
		{`C:\x\a.c(42,9):`, `C:\x\a.c`, lineColumn{42, 9}},
		{"a.c(42)", "a.c", lineColumn{42, 0}},
		{"build 12:34/a.c:5", "build 12:34/a.c", lineColumn{5, 0}},
		{"a(1).c:5", "a(1).c", lineColumn{5, 0}},
		{"a.c:0", "a.c", lineColumn{0, 0}},
		{"a.c", "", lineColumn{}},
		{"a.c:", "", lineColumn{}},
		{":42", "", lineColumn{}},
		{"a.c:-1", "", lineColumn{}},
		{"a.c:99999999999999999999", "", lineColumn{}},
		{"IMiniportMidi::NewStream", "", lineColumn{}},
		{"0xC4:0x2000", "", lineColumn{}},
		{"", "", lineColumn{}},
	} {
		file, at, ok := position(tt.text)
		if ok != (tt.file != "") || file != tt.file || at != tt.at {
			t.Errorf("%q: %q at %v, %v; want %q at %v", tt.text, file, at, ok, tt.file, tt.at)
		}
	}
}
