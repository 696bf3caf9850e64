package tree

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// IsUTF16 says whether data is text in UTF-16: it begins with a byte order mark, without which neither Visual Studio nor
// MSBuild writes it.
func IsUTF16(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff"))
}

// UTF16Map finds where decoded text stands in its file. A unit is two bytes; marks says, for every 1,024 bytes of the text,
// how many units stand before the first character that begins there.
type UTF16Map struct{ marks []mark }

type mark struct{ at, units int32 }

const markEvery = 1 << 10

// DecodeUTF16 gives the text of a file that IsUTF16, in UTF-8 and without its byte order mark. Halves of characters and of
// units are text, too.
func DecodeUTF16(data []byte) ([]byte, *UTF16Map) {
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 0xfe {
		order = binary.BigEndian
	}
	data = data[2:]
	text := make([]byte, 0, len(data)/2)
	m := &UTF16Map{}
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

// Original gives the offset in the file of an offset in the decoded text.
func (m *UTF16Map) Original(text []byte, off int) int {
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
