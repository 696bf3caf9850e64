package project

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const bom = "\xef\xbb\xbf"

// Limits on one project file. The largest real ones have a few hundred kilobytes and a depth of 8.
const (
	maxXML      = 8 << 20 // bytes
	maxElements = 200_000
	maxDepth    = 64
)

// element is one XML element. Its offsets are bytes of the file, a byte order mark included.
type element struct {
	file       *file
	name       string
	attributes []xml.Attr
	children   []*element
	start      int // of "<"
	body       int // after the start tag
	bodyEnd    int // of the end tag; body where there is none
	layer      *layer
}

// attribute gives the value of an attribute, whose name is compared as MSBuild does: with regard to case.
func (e *element) attribute(name string) string {
	for _, a := range e.attributes {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// is compares the name without regard to case, as is right for properties, items and metadata.
func (e *element) is(name string) bool { return strings.EqualFold(e.name, name) }

// text gives the decoded content of an element without children, each byte with its place. What stands in comments
// and processing instructions does not count.
func (e *element) text() text {
	if len(e.children) > 0 {
		return nil
	}
	var t text
	raw := string(e.file.data[e.body:e.bodyEnd])
	add := func(from, to int) {
		if from < to {
			t = append(t, span{text: raw[from:to], file: e.file, at: e.body + from})
		}
	}
	for at := 0; at < len(raw); {
		next := strings.IndexAny(raw[at:], "<&")
		if next < 0 {
			next = len(raw) - at
		}
		next += at
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
			t = append(t, span{text: entity(rest[1:end]), file: e.file, at: e.body + at, fixed: true})
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

// entity decodes the name between & and ;, which the XML reader has accepted.
func entity(name string) string {
	switch name {
	case "lt":
		return "<"
	case "gt":
		return ">"
	case "amp":
		return "&"
	case "quot":
		return `"`
	case "apos":
		return "'"
	}
	base, digits := 10, strings.TrimPrefix(name, "#")
	if strings.HasPrefix(digits, "x") {
		base, digits = 16, digits[1:]
	}
	n, err := strconv.ParseInt(digits, base, 32)
	if err != nil {
		return ""
	}
	return string(rune(n))
}

// parseXML reads a project file. Its errors begin with the line.
func parseXML(path string, data []byte) (*element, error) {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")):
		return nil, errors.New("line 1: UTF-16 is not read: save the file as UTF-8")
	case len(data) > maxXML:
		return nil, fmt.Errorf("line 1: %d bytes, more than the %d that are read of a project file", len(data), maxXML)
	}
	f := newFile(path, data)
	skip := 0
	if bytes.HasPrefix(data, []byte(bom)) {
		skip = len(bom)
	}
	root, at, err := readElements(f, skip)
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", f.line(min(at, max(0, len(data)-1))), reason(err))
	}
	return root, nil
}

// reason takes the line, which the caller gives itself, from an XML error.
func reason(err error) error {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		return errors.New("no valid XML: " + syntax.Msg)
	}
	return err
}

// readElements builds the tree of elements, and gives the offset up to which it has read.
func readElements(f *file, skip int) (root *element, at int, err error) {
	d := xml.NewDecoder(bytes.NewReader(f.data[skip:]))
	d.CharsetReader = asIs
	var open []*element
	for count := 0; ; {
		start := skip + int(d.InputOffset())
		token, err := d.RawToken()
		at := skip + int(d.InputOffset())
		if err == io.EOF {
			err = atEnd(root, open)
			return root, at, err
		}
		if err != nil {
			return nil, at, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{file: f, name: token.Name.Local, attributes: token.Copy().Attr, start: start, body: at, bodyEnd: at}
			count++
			switch {
			case len(open) > 0:
				parent := open[len(open)-1]
				parent.children = append(parent.children, e)
			case root != nil:
				return nil, start, errors.New("a second root element")
			default:
				root = e
			}
			open = append(open, e)
			if len(open) > maxDepth || count > maxElements {
				return nil, start, errors.New("elements nested too deep, or too many of them")
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1].name != token.Name.Local {
				return nil, start, fmt.Errorf("</%s> closes no element", token.Name.Local)
			}
			open[len(open)-1].bodyEnd = start
			open = open[:len(open)-1]
		case xml.Directive:
			return nil, start, errors.New("a document type is not read")
		}
	}
}

func atEnd(root *element, open []*element) error {
	switch {
	case len(open) > 0:
		e := open[len(open)-1]
		return fmt.Errorf("the file ends inside <%s>, which line %d opens", e.name, e.file.line(e.start))
	case root == nil:
		return errors.New("the file has no element")
	}
	return nil
}

// asIs accepts any declared encoding: names and conditions are ASCII in all that occur, and bytes are kept.
func asIs(_ string, r io.Reader) (io.Reader, error) { return r, nil }
