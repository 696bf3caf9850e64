package source

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/nxport/nxport/internal/tree"
)

// Source text is in UTF-8, with a byte order mark or without, or in an encoding of 8 bits, whose bytes above ASCII count as
// letters: both are read as they are. UTF-16 with a byte order mark, in which Visual Studio writes some files, is decoded to
// UTF-8; offsets in tokens are those of the decoded text, and places those of the file.

// readText makes a source file of what a file holds, without tokens yet.
func readText(p, dir string, data []byte) (*file, error) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		text, wide := decodeUTF16(data)
		return &file{path: p, dir: dir, data: text, size: len(text), wide: wide}, nil
	}
	if tree.IsBinary(data) {
		return nil, fmt.Errorf("%s: offset %d: a NUL byte: this is no source text", p, bytes.IndexByte(data, 0))
	}
	return &file{path: p, dir: dir, data: data, size: len(data)}, nil
}

// utf16Map finds where decoded text stands in a file of UTF-16. A unit is two bytes; marks says, for every 1,024 bytes of
// the text, how many units stand before the first character that begins there.
type utf16Map struct{ marks []mark }

type mark struct{ at, units int32 }

const markEvery = 1 << 10

func decodeUTF16(data []byte) ([]byte, *utf16Map) {
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 0xfe {
		order = binary.BigEndian
	}
	data = data[2:]
	text := make([]byte, 0, len(data)/2)
	m := &utf16Map{}
	unit := func(i int) rune {
		if i+1 < len(data) {
			return rune(order.Uint16(data[i:]))
		}
		return 0
	}
	for i := 0; i+1 < len(data); {
		if len(text)/markEvery >= len(m.marks) {
			m.marks = append(m.marks, mark{int32(len(text)), int32(i / 2)})
		}
		r := unit(i)
		i += 2
		if utf16.IsSurrogate(r) {
			if r = utf16.DecodeRune(r, unit(i)); r != utf8.RuneError {
				i += 2
			}
		}
		text = utf8.AppendRune(text, r)
	}
	return text, m
}

// original gives the offset in the file of an offset in the decoded text.
func (m *utf16Map) original(text []byte, off int) int {
	var from mark
	if i := min(off/markEvery, len(m.marks)-1); i >= 0 {
		if from = m.marks[i]; int(from.at) > off { // a character stands across the boundary
			from = m.marks[i-1]
		}
	}
	at, units := int(from.at), int(from.units)
	for at < off {
		r, size := utf8.DecodeRune(text[at:])
		at, units = at+size, units+utf16.RuneLen(r)
	}
	return len("\xff\xfe") + 2*units
}
