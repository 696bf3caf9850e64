package report

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/tree"
)

// with gives a scan of a tree that holds these files.
func with(t *testing.T, files map[string]string) *Scan {
	t.Helper()
	disk, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string][]byte{}
	for name, text := range files {
		overlay[name] = []byte(text)
	}
	return &Scan{Tree: disk.With(overlay)}
}

// wideText encodes text as UTF-16 with a byte order mark.
func wideText(order binary.AppendByteOrder, text string) string {
	var data []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		data = order.AppendUint16(data, unit)
	}
	return string(data)
}

// framed is what is shown of a place, at a width.
func framed(r *Scan, p driver.Place, width int) string {
	var b strings.Builder
	c := newConsole(&b, View{Width: width})
	c.frame(r, p, red)
	c.Flush()
	return b.String()
}

// The line of a place is shown as a person reads it, whatever its encoding; the mark stands below the place's word.
func TestFrame(t *testing.T) {
	const utf8 = "int a;\r\n\tint \u00e9 = bc;\r\n"
	r := with(t, map[string]string{
		"utf8.c": utf8, "big.c": wideText(binary.BigEndian, utf8), "little.c": wideText(binary.LittleEndian, utf8),
		"bom.c": "\ufeffint a;\n", "latin.c": "\xe9 b;\n", "wide.c": "\u65e5\u672c\u8a9e b;\n", "joined.c": "e\u0301 b;\n",
		"evil.c": "\x1b[2J\u202e b;\r", "tabs.c": "ab\tcd\te;\n", "end.c": "x", "long.c": strings.Repeat("a ", 4000) + "b" + strings.Repeat(" c", 4000),
	})
	at := strings.Index(utf8, "bc;")
	const want = "   2 |     int \u00e9 = bc;\n     |             ^~\n"
	for _, tt := range []struct {
		path         string
		line, offset int
		want         string
	}{
		{"utf8.c", 2, at, want},
		{"big.c", 2, 2 + 2*(at-1), want}, // the mark has two bytes, and one letter has two in UTF-8
		{"little.c", 2, 2 + 2*(at-1), want},
		{"bom.c", 1, 7, "   1 | int a;\n     |     ^\n"},
		{"bom.c", 1, 3, "   1 | int a;\n     | ^~~\n"},
		{"latin.c", 1, 2, "   1 | \ufffd b;\n     |   ^\n"},
		{"wide.c", 1, 10, "   1 | \u65e5\u672c\u8a9e b;\n     |        ^\n"}, // each takes two columns
		{"joined.c", 1, 4, "   1 | e\u0301 b;\n     |   ^\n"},
		{"evil.c", 1, 8, "   1 | \u241b[2J\ufffd b;\n     |       ^\n"},
		{"tabs.c", 1, 3, "   1 | ab  cd  e;\n     |     ^~\n"},
		{"tabs.c", 1, 6, "   1 | ab  cd  e;\n     |         ^\n"},
		{"end.c", 1, 1, "   1 | x\n     |  ^\n"},
		{"end.c", 1, 2, ""},   // behind the end
		{"none.c", 1, 1, ""},  // no such file
		{"utf8.c", 0, 0, ""},  // no line is known
		{"big.c", 1, 1, ""},   // in the mark
		{"utf8.c", 23, 0, ""}, // no offset is known
	} {
		if got := framed(r, driver.Place{Path: tt.path, Line: tt.line, Column: 1, Offset: tt.offset}, 0); got != tt.want {
			t.Errorf("%s at %d: got\n%s, want\n%s", tt.path, tt.offset, got, tt.want)
		}
	}
	// Of a line without an end, some is shown, on either side.
	got, _, _ := strings.Cut(framed(r, driver.Place{Path: "long.c", Line: 1, Column: 8001, Offset: 8000}, 0), "\n")
	if n := len(got) - len("   1 | "); n != len("...")+2*maxLine+len("...") || !strings.HasPrefix(got, "   1 | ...a a") || !strings.HasSuffix(got, "c c ...") {
		t.Errorf("of a line of 16001 bytes, %d are shown: %.20s", n, got)
	}
}

// On a terminal a frame is as wide as that at most, and the marked word is in it.
func TestFrameWindow(t *testing.T) {
	line := strings.Repeat("left ", 30) + "Request(" + strings.Repeat("right, ", 30) + "0);"
	r := with(t, map[string]string{"a.c": line + "\n" + "\tRequest(" + strings.Repeat("right, ", 30) + "0);\n" + "Request(" + strings.Repeat("\u65e5", 60) + ");\n"})
	for _, width := range []int{40, 80, 132, 1000} {
		for _, p := range []driver.Place{
			{Path: "a.c", Line: 1, Column: 1, Offset: 0}, {Path: "a.c", Line: 1, Column: 151, Offset: 150}, {Path: "a.c", Line: 1, Column: 1, Offset: len(line) - 2},
			{Path: "a.c", Line: 2, Column: 2, Offset: len(line) + 2},
		} {
			text, mark, _ := strings.Cut(framed(r, p, width), "\n")
			mark = strings.TrimSuffix(mark, "\n")
			if wide(text) > width || wide(mark) > width {
				t.Errorf("at %d columns: %d and %d wide:\n%s\n%s", width, wide(text), wide(mark), text, mark)
			}
			s, _ := r.spot(p)
			from := strings.Index(mark, "^")
			if got := text[from:len(mark)]; got != s.word() {
				t.Errorf("at %d columns %q is marked, want %q:\n%s\n%s", width, got, s.word(), text, mark)
			}
		}
	}
	const want = "   1 | ...ft left Request(right, righ...\n     |            ^~~~~~~\n" // a third of the room stands before
	if got := framed(r, driver.Place{Path: "a.c", Line: 1, Column: 151, Offset: 150}, 40); got != want {
		t.Errorf("at 40 columns: got\n%s, want\n%s", got, want)
	}
}
