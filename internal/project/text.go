package project

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/tree"
)

// Text that knows where it came from: an expansion puts pieces of many files together, and both notes and edits need
// the place of each.

// file is a build file as it was read.
type file struct {
	path  string
	data  []byte
	lines []int          // offset of each line but the first
	latin bool           // its bytes from 0x80 on are characters of windows-1252
	wide  *tree.UTF16Map // of data that was decoded from UTF-16, where it stands in the file
	// mentions are the lists and metadata that its items refer to; see needed.
	mentions []mention
}

// newFile finds the lines of a file, and whether it is in UTF-8.
func newFile(path string, data []byte) *file {
	f := &file{path: path, data: data, lines: make([]int, 0, bytes.Count(data, []byte("\n")))}
	for at := 0; ; {
		next := bytes.IndexByte(data[at:], '\n')
		if next < 0 {
			return f
		}
		at += next + 1
		f.lines = append(f.lines, at)
	}
}

// line gives the line an offset is in, from 1.
func (f *file) line(at int) int { return 1 + sort.SearchInts(f.lines, at+1) }

// lineStart gives the offset at which the line of an offset begins.
func (f *file) lineStart(at int) int {
	if n := f.line(at); n > 1 {
		return f.lines[n-2]
	}
	return 0
}

// place gives the line and column of an offset, for messages.
func (f *file) place(at int) driver.Place {
	line, start := f.line(at), f.lineStart(at)
	if f.wide != nil {
		at, start = f.wide.Original(f.data, at), f.wide.Original(f.data, start)
	}
	return driver.Place{Path: f.path, Line: line, Column: at - start + 1, Offset: at}
}

// indent gives the white space before an offset, and whether nothing else stands before it on its line. A byte order
// mark counts as nothing.
func (f *file) indent(at int) (string, bool) {
	before := bytes.TrimPrefix(f.data[f.lineStart(at):at], []byte(bom))
	return string(before), len(bytes.TrimLeft(before, " \t")) == 0
}

// newline gives the newline of the line before an offset, else that of the file's first line, else "\n".
func (f *file) newline(at int) string {
	n := f.line(at)
	if len(f.lines) == 0 {
		return "\n"
	}
	end := f.lines[max(0, n-2)]
	if end >= 2 && f.data[end-2] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// span is a stretch of text that stands, byte for byte, in a file; file is nil where it stands nowhere.
type span struct {
	text    string
	file    *file
	at      int
	fixed   bool // all of it comes from the place at, where a reference to it stands
	kit     bool // the kit says it: a reference to it does not, and gives it no place
	unknown bool // it could not be expanded; text is the reference as written
	why     string
}

// text is a string that remembers where each of its bytes was written, through properties and macros.
type text []span

// plain gives a text that stands in no file.
func plain(s string) text { return text{{text: s}} }

func (t text) String() string {
	if len(t) == 1 {
		return t[0].text
	}
	var b strings.Builder
	for _, s := range t {
		b.WriteString(s.text)
	}
	return b.String()
}

func (t text) len() int {
	n := 0
	for _, s := range t {
		n += len(s.text)
	}
	return n
}

// unknown says whether any part could not be expanded.
func (t text) unknown() bool {
	return slices.ContainsFunc(t, func(s span) bool { return s.unknown })
}

// why gives the first reason for which a part could not be expanded.
func (t text) why() string {
	for _, s := range t {
		if s.unknown {
			return cmp.Or(s.why, "it can't be evaluated")
		}
	}
	return ""
}

// from gives the text with the place of a reference for what stands in no file itself.
func (t text) from(reference text) text {
	nowhere := func(s span) bool { return s.file == nil && !s.kit }
	if !slices.ContainsFunc(t, nowhere) {
		return t
	}
	out := slices.Clone(t)
	for i := range out {
		if nowhere(out[i]) && len(reference) > 0 {
			out[i].file, out[i].at, out[i].fixed = reference[0].file, reference[0].at, true
		}
	}
	return out
}

// place gives where the first byte was written, zero where that is nowhere.
func (t text) place() driver.Place {
	for _, s := range t {
		if s.text != "" && s.file != nil {
			return s.file.place(s.at)
		}
	}
	return driver.Place{}
}

// slice gives the bytes [from, to).
func (t text) slice(from, to int) text {
	var out text
	for _, s := range t {
		lo, hi := max(from, 0), min(to, len(s.text))
		if lo < hi {
			part := s
			part.text = s.text[lo:hi]
			if !s.fixed {
				part.at += lo
			}
			out = append(out, part)
		}
		from -= len(s.text)
		to -= len(s.text)
	}
	return out
}

// white is what all the build tools here take for white space.
const white = " \t\r\n"

func (t text) trim() text {
	s := t.String()
	from := len(s) - len(strings.TrimLeft(s, white))
	return t.slice(from, max(from, len(strings.TrimRight(s, white))))
}

// split cuts the text at each separator; the parts are trimmed, empty ones left out. It takes time in proportion to
// the text, of however many spans it is made.
func (t text) split(separator byte) []text {
	var parts []text
	var part text
	keep := func() {
		if part = part.trim(); len(part) > 0 {
			parts = append(parts, part)
		}
		part = nil
	}
	for _, s := range t {
		from := 0
		for from <= len(s.text) {
			to := strings.IndexByte(s.text[from:], separator)
			if to < 0 {
				break
			}
			part = append(part, text{s}.slice(from, from+to)...)
			keep()
			from += to + 1
		}
		part = append(part, text{s}.slice(from, len(s.text))...)
	}
	keep()
	return parts
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

// shortened gives a text for a message.
func shortened(t text) string {
	const most = 120
	s := strings.Join(strings.Fields(t.String()), " ")
	if len(s) > most {
		s = s[:most] + " ..."
	}
	return s
}

// joinTexts puts a separator between texts, which keep their places.
func joinTexts(items []text, separator text) text {
	var out text
	for i, item := range items {
		if i > 0 {
			out = append(out, separator...)
		}
		out = append(out, item...)
	}
	return out
}
