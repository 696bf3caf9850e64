package project

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/nxport/nxport/internal/driver"
)

const bom = "\xef\xbb\xbf"

// Limits on one project file. The largest real ones have a few hundred kilobytes and a depth of 8.
const (
	maxXML      = 8 << 20 // bytes
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

// indexOrEnd gives the first index of any of the strings, the length of s where there is none.
func indexOrEnd(s string, any ...string) int {
	first := len(s)
	for _, a := range any {
		if i := strings.Index(s[:first], a); i >= 0 {
			first = i
		}
	}
	return first
}

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

// parseXML reads a project file, in UTF-8, UTF-16 or an encoding of 8 bits. Its errors begin with the line.
func parseXML(path string, data []byte) (*element, error) {
	if len(data) > maxXML {
		return nil, fmt.Errorf("line 1: %d bytes, more than the %d that are read of a project file", len(data), maxXML)
	}
	f := newFile(path, data)
	if isUTF16(data) {
		f = fromUTF16(path, data)
	}
	x := &xmlReader{file: f, data: string(f.data), names: map[string]string{}}
	if strings.HasPrefix(x.data, bom) {
		x.at = len(bom)
	}
	root, err := x.document()
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", f.line(min(x.at, max(0, len(f.data)-1))), err)
	}
	return root, nil
}

// xmlReader reads the XML that project files are: no document types, so that entities are the five of XML and numbers.
// The standard library's reader takes five times as long, refuses encodings of 8 bits, and does not say where the value
// of an attribute stands.
type xmlReader struct {
	file  *file
	data  string // all names and values are parts of it
	at    int
	open  []*element
	root  *element
	count int
	names map[string]string // in lower case

	spare      []element   // allocated, not used yet
	attributes []attribute // of the tag that is read
	closed     []*element  // that have no parent yet
	first      []int       // of each open element, the first of its children there
}

var errTag = errors.New("no valid XML: unexpected EOF inside a tag")

func (x *xmlReader) document() (*element, error) {
	for x.at < len(x.data) {
		next := strings.IndexByte(x.data[x.at:], '<')
		if next < 0 {
			next = len(x.data) - x.at
		}
		if err := x.checkText(x.data[x.at : x.at+next]); err != nil {
			return nil, err
		}
		if x.at += next; x.at == len(x.data) {
			break
		}
		if err := x.markup(); err != nil {
			return nil, err
		}
	}
	switch {
	case len(x.open) > 0:
		e := x.open[len(x.open)-1]
		return nil, fmt.Errorf("the file ends inside <%s>, which line %d opens", e.name, e.file.line(e.start))
	case x.root == nil:
		return nil, errors.New("the file has no element")
	}
	return x.root, nil
}

// markup reads what a "<" begins.
func (x *xmlReader) markup() error {
	rest := x.data[x.at:]
	for _, skipped := range []struct{ open, close string }{{"<!--", "-->"}, {"<?", "?>"}, {"<![CDATA[", "]]>"}} {
		if strings.HasPrefix(rest, skipped.open) {
			end := strings.Index(rest[len(skipped.open):], skipped.close)
			if end < 0 {
				return fmt.Errorf("no valid XML: %s is not closed", skipped.open)
			}
			if skipped.open == "<?" {
				x.declaration(rest[:end+len("<?")])
			}
			x.at += len(skipped.open) + end + len(skipped.close)
			return nil
		}
	}
	switch {
	case strings.HasPrefix(rest, "<!"):
		return errors.New("a document type is not read")
	case strings.HasPrefix(rest, "</"):
		return x.endTag()
	}
	return x.startTag()
}

// declaration takes the encoding from an XML declaration.
func (x *xmlReader) declaration(s string) {
	lower := strings.ToLower(s[:min(len(s), 200)])
	for _, name := range []string{"windows-1252", "iso-8859-1"} {
		if strings.HasPrefix(lower, "<?xml") && strings.Contains(lower, name) {
			x.file.latin = true
		}
	}
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

const maxEntity = 16 // bytes of &#x0010FFFF;

func (x *xmlReader) endTag() error {
	start := x.at
	x.at += len("</")
	name := x.name()
	x.space()
	if x.at == len(x.data) {
		return errTag
	}
	if x.data[x.at] != '>' {
		return errors.New("no valid XML: an end tag holds more than a name")
	}
	if len(x.open) == 0 || x.open[len(x.open)-1].name != name {
		x.at = start
		return fmt.Errorf("</%s> closes no element", name)
	}
	x.at++
	last := len(x.open) - 1
	e := x.open[last]
	e.bodyEnd, e.children = start, slices.Clone(x.closed[x.first[last]:])
	x.closed = append(x.closed[:x.first[last]], e)
	x.open, x.first = x.open[:last], x.first[:last]
	return nil
}

func (x *xmlReader) startTag() error {
	if len(x.spare) == 0 {
		x.spare = make([]element, 64)
	}
	e := &x.spare[0]
	x.spare = x.spare[1:]
	e.file, e.start = x.file, x.at
	x.at++
	if e.name = x.name(); e.name == "" {
		return errors.New("no valid XML: \"<\" without a name")
	}
	e.key = x.lower(e.name)
	x.attributes = x.attributes[:0]
	for {
		x.space()
		switch {
		case x.at == len(x.data):
			return errTag
		case x.data[x.at] == '>':
			x.at++
			return x.add(e, false)
		case strings.HasPrefix(x.data[x.at:], "/>"):
			x.at += len("/>")
			return x.add(e, true)
		}
		if err := x.attribute(); err != nil {
			return err
		}
	}
}

func (x *xmlReader) add(e *element, closed bool) error {
	e.body, e.bodyEnd = x.at, x.at
	if len(x.attributes) > 0 {
		e.attributes = slices.Clone(x.attributes)
	}
	switch {
	case len(x.open) > 0:
	case x.root != nil:
		x.at = e.start
		return errors.New("a second root element")
	default:
		x.root = e
	}
	if x.count++; x.count > maxElements || len(x.open) >= maxDepth {
		return errors.New("elements nested too deep, or too many of them")
	}
	if closed {
		x.closed = append(x.closed, e)
	} else {
		x.open, x.first = append(x.open, e), append(x.first, len(x.closed))
	}
	return nil
}

// attribute reads name="value".
func (x *xmlReader) attribute() error {
	name := x.name()
	x.space()
	if name == "" || x.at == len(x.data) || x.data[x.at] != '=' {
		return errors.New("no valid XML: an attribute without a value")
	}
	x.at++
	x.space()
	if x.at == len(x.data) || x.data[x.at] != '"' && x.data[x.at] != '\'' {
		return errors.New("no valid XML: the value of an attribute is not quoted")
	}
	end := strings.IndexByte(x.data[x.at+1:], x.data[x.at])
	if end < 0 {
		return errTag
	}
	raw := x.data[x.at+1 : x.at+1+end]
	a := attribute{name: name, value: raw, at: x.at + 1, exact: true}
	if strings.IndexByte(raw, '<') >= 0 {
		return errors.New("no valid XML: \"<\" in an attribute")
	}
	if x.file.latin || strings.IndexByte(raw, '&') >= 0 {
		if err := x.checkEntities(a.value); err != nil {
			return err
		}
		a.exact = false
		a.value = (&element{file: x.file}).decode(a.value).String()
	}
	x.attributes = append(x.attributes, a)
	x.at += end + 2
	return nil
}

func (x *xmlReader) checkEntities(s string) error {
	for at := 0; ; {
		next := strings.IndexByte(s[at:], '&')
		if next < 0 {
			return nil
		}
		at += next
		end := strings.IndexByte(s[at:min(len(s), at+maxEntity)], ';')
		if _, ok := entity(s[at+1 : at+max(end, 1)]); !ok {
			return errors.New("no valid XML: an unknown entity")
		}
		at += end
	}
}

// name reads a name and leaves out its namespace.
func (x *xmlReader) name() string {
	from := x.at
	for x.at < len(x.data) && (isWord(x.data[x.at]) || strings.IndexByte("-.:", x.data[x.at]) >= 0) {
		x.at++
	}
	s := x.data[from:x.at]
	return s[strings.LastIndexByte(s, ':')+1:]
}

func (x *xmlReader) space() {
	for x.at < len(x.data) && strings.IndexByte(white, x.data[x.at]) >= 0 {
		x.at++
	}
}

// lower gives a name in lower case; there are few different ones.
func (x *xmlReader) lower(name string) string {
	lower, ok := x.names[name]
	if !ok {
		lower = strings.ToLower(name)
		x.names[name] = lower
	}
	return lower
}
