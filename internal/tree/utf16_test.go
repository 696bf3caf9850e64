package tree

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"
)

func inUTF16(s string) []byte {
	data := []byte("\xff\xfe")
	for _, unit := range utf16.Encode([]rune(s)) {
		data = binary.LittleEndian.AppendUint16(data, unit)
	}
	return data
}

// Halves of characters and of units are text, too.
func TestBrokenUTF16(t *testing.T) {
	for _, data := range []string{"\xff\xfe", "\xff\xfea", "\xff\xfea\x00\x00\xd8", "\xff\xfe\x00\xd8a\x00b", "\xfe\xff\xd8\x00\xd8\x00"} {
		text, m := DecodeUTF16([]byte(data))
		for i := range len(text) + 1 {
			if at := m.Original(text, i); at < 2 || at > len(data)+1 {
				t.Errorf("%q: offset %d of the text is %d of the file", data, i, at)
			}
		}
	}
}

// Offsets never go back, not even those inside a character that stands across two blocks.
func TestUTF16Blocks(t *testing.T) {
	text, m := DecodeUTF16(inUTF16("a" + strings.Repeat("\u4e2d", 2000)))
	for i := range text {
		if want := 2 + 2*((i+2)/3); m.Original(text, i) != want && i > 0 {
			if got := m.Original(text, i); (i-1)%3 == 0 || got < want-2 || got > want+2 {
				t.Fatalf("offset %d is %d of the file, want %d", i, got, want)
			}
		}
	}
}
