package project

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/tree"
)

// The reader of XML. encoding/xml does not tell where an attribute stands, which every edit and message needs; what
// it accepts and refuses is followed here. There is no DTD, so nothing can expand.

// parseXML reads a project file, in UTF-8, UTF-16 or an encoding of 8 bits. Its errors begin with the line.
func parseXML(path string, data []byte) (*element, error) {
	if len(data) > maxBuildFile {
		return nil, fmt.Errorf("line 1: %d bytes, more than the %d that are read of a project file", len(data), maxBuildFile)
	}
	f := newFile(path, data)
	if tree.IsUTF16(data) {
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

// errTag is what encoding/xml says of the same input.
var errTag = errors.New("no valid XML: unexpected EOF inside a tag")

// document reads the whole file and gives its root element.
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

// checkText says why a build file is no text that can be read, nil where it is.
func checkText(data []byte) error {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")):
		return errors.New("line 1: UTF-16 is not read: save the file as UTF-8")
	case tree.IsBinary(data):
		return errors.New("line 1: binary, no text")
	case len(data) > maxBuildFile:
		return fmt.Errorf("line 1: %d bytes, more than the %d that are read of a build file", len(data), maxBuildFile)
	}
	return nil
}

// maxEntity is how far an ampersand is looked for its semicolon.
const maxEntity = 16 // bytes of &#x0010FFFF;

// endTag closes the innermost element, whose name it must have.
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

// startTag opens an element, or makes one that is empty.
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

// add puts an element into the one that is open; there must be one root.
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

// checkEntities is an error for an entity that XML does not define, as for MSBuild.
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

// space passes over white space.
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
