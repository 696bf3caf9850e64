package project

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Encodings of project files. Of the real ones 66 % begin with the byte order mark of UTF-8 and none is in UTF-16,
// which Visual Studio can write all the same. Files in UTF-16 or in an encoding of 8 bits are decoded to UTF-8, in which
// all else works.

// recoded is why nothing is edited: the offsets of an edit count bytes of the file, and those of text count decoded
// ones.
const recoded = "it is in UTF-16, which is read but not edited: save it as UTF-8"

// isUTF16 asks for a byte order mark, without which neither Visual Studio nor MSBuild writes UTF-16.
func isUTF16(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff"))
}

// utf16Marks are that many bytes of the decoded text apart.
const utf16Marks = 1 << 10

// fromUTF16 decodes a file with a byte order mark. The places in it are those of the file itself.
func fromUTF16(path string, data []byte) *file {
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 0xfe {
		order = binary.BigEndian
	}
	units := make([]uint16, 0, len(data)/2)
	for at := 2; at+1 < len(data); at += 2 {
		units = append(units, order.Uint16(data[at:]))
	}
	f := newFile(path, []byte(string(utf16.Decode(units))))
	f.recoded = true
	at, count := 0, 0
	for at < len(f.data) {
		if at/utf16Marks >= len(f.marks) {
			f.marks = append(f.marks, mark{at, count})
		}
		r, size := utf8.DecodeRune(f.data[at:])
		at, count = at+size, count+utf16.RuneLen(r)
	}
	return f
}

// mark says how many units of UTF-16 stand before an offset of the decoded text.
type mark struct{ at, units int }

// original gives the offset in a UTF-16 file of an offset in its decoded text.
func (f *file) original(at int) int {
	m := mark{}
	if i := min(at/utf16Marks, len(f.marks)-1); i >= 0 {
		if m = f.marks[i]; m.at > at {
			m = f.marks[i-1]
		}
	}
	for m.at < at {
		r, size := utf8.DecodeRune(f.data[m.at:])
		m.at, m.units = m.at+size, m.units+utf16.RuneLen(r)
	}
	return len("\xff\xfe") + 2*m.units
}

// decoded gives text of a file in UTF-8; offsets are within s.
func (f *file) decoded(s string) []span {
	if s == "" {
		return nil
	}
	if !f.latin {
		return []span{{text: s}}
	}
	var spans []span
	for at := 0; at < len(s); {
		next := at + strings.IndexFunc(s[at:], func(r rune) bool { return r >= 0x80 })
		if next < at {
			next = len(s)
		}
		if at < next {
			spans = append(spans, span{text: s[at:next], at: at})
		}
		if next < len(s) {
			spans = append(spans, span{text: string(latin(s[next])), at: next, fixed: true})
		}
		at = next + 1
	}
	return spans
}

// latin decodes a byte of windows-1252, which is ISO 8859-1 but for the 32 control characters there.
func latin(b byte) rune {
	if b >= 0x80 && b < 0xa0 {
		return []rune("€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ")[b-0x80]
	}
	return rune(b)
}
