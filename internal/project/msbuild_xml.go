package project

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/nxport/nxport/internal/driver"
)

// Project files as elements with the offsets of their bytes: an edit changes bytes and never writes a file anew. Of
// real projects 72 % have no final newline and about half use CRLF, and both stay as they are.

// bom is the byte order mark of UTF-8: 66 % of real projects begin with one. No edit may go before it.
const bom = "\xef\xbb\xbf"

// Limits on one project file. The largest real ones have a few hundred kilobytes and a depth of 8.
const (
	// maxBuildFile is in bytes. Solutions, SOURCES and make files have the same limit.
	maxBuildFile = 8 << 20
	// maxElements and maxDepth keep a file of eight million bytes "<a>" from becoming as many objects, or a recursion.
	maxElements = 200_000
	maxDepth    = 64
)

// attribute is one of an element, its value decoded.
type attribute struct {
	name  string
	value string
	at    int  // of the value's first byte
	exact bool // nothing in it was decoded
}

// element is one XML element. Its offsets are bytes of the file, a byte order mark included.
type element struct {
	file       *file
	name       string // as written, without a namespace
	key        string // name in lower case
	attributes []attribute
	children   []*element
	start      int // of "<"
	body       int // after the start tag
	bodyEnd    int // of the end tag; body where there is none
	layer      *layer

	// compiled on first use, for all configurations and all projects that read the file
	condition *condition
	content   *template
	values    map[string]*template // of attributes
}

// attribute gives the value of an attribute, whose name is compared as MSBuild does: with regard to case. It is "" where
// there is none.
func (e *element) attribute(name string) string {
	if a := e.find(name); a != nil {
		return a.value
	}
	return ""
}

// find gives an attribute by its name, which has a fixed case in MSBuild; nil where there is none.
func (e *element) find(name string) *attribute {
	for i, a := range e.attributes {
		if a.name == name {
			return &e.attributes[i]
		}
	}
	return nil
}

// is compares the name without regard to case, as is right for properties, items and metadata.
func (e *element) is(name string) bool { return strings.EqualFold(e.key, name) }

// place is where the start tag begins.
func (e *element) place() driver.Place { return e.file.place(e.start) }

// attributeText gives the value of an attribute with its place, byte for byte where nothing in it was decoded.
func (e *element) attributeText(a *attribute) text {
	if a.exact {
		return text{{text: a.value, file: e.file, at: a.at}}
	}
	return text{{text: a.value, file: e.file, at: a.at, fixed: true}}
}

// text gives the decoded content of an element without children, each byte with its place. What stands in comments
// and processing instructions does not count.
func (e *element) text() text {
	if len(e.children) > 0 {
		return nil
	}
	raw := e.file.data[e.body:e.bodyEnd]
	if len(raw) == 0 {
		return nil
	}
	if !e.file.latin && bytes.IndexByte(raw, '<') < 0 && bytes.IndexByte(raw, '&') < 0 {
		return text{{text: string(raw), file: e.file, at: e.body}}
	}
	return e.decode(string(raw))
}

// decode replaces entities and drops comments; each piece keeps the offset of its bytes.
func (e *element) decode(raw string) text {
	var t text
	add := func(from, to int) {
		for _, s := range e.file.decoded(raw[from:to]) {
			s.file, s.at = e.file, s.at+e.body+from
			t = append(t, s)
		}
	}
	for at := 0; at < len(raw); {
		next := at + indexOrEnd(raw[at:], "<", "&")
		add(at, next)
		at = next
		switch rest := raw[at:]; {
		case rest == "":
		case strings.HasPrefix(rest, "<![CDATA["):
			end := at + indexOrEnd(rest, "]]>")
			add(at+len("<![CDATA["), end)
			at = end + len("]]>")
		case strings.HasPrefix(rest, "<!--"):
			at += indexOrEnd(rest, "-->") + len("-->")
		case rest[0] == '<':
			at += indexOrEnd(rest, ">") + 1
		default:
			end := indexOrEnd(rest, ";")
			decoded, _ := entity(rest[1:end]) // the reader has accepted it
			t = append(t, span{text: decoded, file: e.file, at: e.body + at, fixed: true})
			at += end + 1
		}
	}
	return t
}

// entities are the five that XML itself defines. Others would need a DTD, which is not read: nothing expands to more
// than itself.
var entities = map[string]string{"lt": "<", "gt": ">", "amp": "&", "quot": `"`, "apos": "'"}

// entity decodes the name between & and ;.
func entity(name string) (string, bool) {
	if s, ok := entities[name]; ok {
		return s, true
	}
	digits, ok := strings.CutPrefix(name, "#")
	base := 10
	if strings.HasPrefix(digits, "x") {
		base, digits = 16, digits[1:]
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if !ok || err != nil || n == 0 || n > utf8.MaxRune {
		return "", false
	}
	return string(rune(n)), true
}

// checkText refuses what can't stand between tags: control characters, as in a binary file, and unknown entities.
func (x *xmlReader) checkText(s string) error {
	outside := len(x.open) == 0
	for i := range len(s) {
		b := s[i]
		switch {
		case b > ' ' && b != '&' && !outside || strings.IndexByte(white, b) >= 0:
		case b < ' ':
			x.at += i
			return fmt.Errorf("no valid XML: the byte 0x%02X", b)
		case outside && b != ' ':
			x.at += i
			return errors.New("no valid XML: text outside of the root element")
		case b == '&':
			end := strings.IndexByte(s[i:min(len(s), i+maxEntity)], ';')
			if _, ok := entity(s[i+1 : i+max(end, 1)]); !ok {
				x.at += i
				return errors.New("no valid XML: an unknown entity")
			}
		}
	}
	return nil
}
