package project

import (
	"strings"

	"github.com/nxport/nxport/internal/tree"
)

// Encodings of project files. Of the real ones 66 % begin with the byte order mark of UTF-8 and none is in UTF-16,
// which Visual Studio can write all the same. Files in UTF-16 or in an encoding of 8 bits are decoded to UTF-8, in which
// all else works.

// recoded is why nothing is edited: the offsets of an edit count bytes of the file, and those of text count decoded
// ones.
const recoded = "it is in UTF-16, which is read but not edited: save it as UTF-8"

// fromUTF16 decodes a file with a byte order mark. The places in it are those of the file itself.
func fromUTF16(path string, data []byte) *file {
	text, wide := tree.DecodeUTF16(data)
	f := newFile(path, text)
	f.wide = wide
	return f
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
