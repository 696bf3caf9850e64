package report

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/tree"
)

// The line of a place is shown as a person reads it, whatever its encoding; the caret stands below the place's first letter.
func TestFrame(t *testing.T) {
	const text = "int a;\r\n\tint \u00e9 = b;\r\n"
	const want = "   2 | \tint \u00e9 = b;\n     | \t        ^\n"
	wide := []byte("\xfe\xff")
	for _, unit := range utf16.Encode([]rune(text)) {
		wide = binary.BigEndian.AppendUint16(wide, unit)
	}
	disk, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(text, "b;")
	r := &Scan{Tree: disk.With(map[string][]byte{"utf8.c": []byte(text), "utf16.c": wide})}
	for path, offset := range map[string]int{"utf8.c": at, "utf16.c": 2 + 2*(at-1)} { // one letter has two bytes in UTF-8
		var b strings.Builder
		frame(&b, r, driver.Place{Path: path, Line: 2, Column: 1, Offset: offset})
		if b.String() != want {
			t.Errorf("%s: got\n%q, want\n%q", path, b.String(), want)
		}
	}
	var b strings.Builder
	frame(&b, r, driver.Place{Path: "utf8.c", Line: 2, Column: 1, Offset: len(text) + 1})
	if b.Len() > 0 {
		t.Errorf("a place behind the end of a file is shown: %q", b.String())
	}
}
