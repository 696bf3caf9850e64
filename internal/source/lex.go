package source

import (
	"bytes"
	"sort"
	"strings"
	"sync"

	"github.com/nxport/nxport/internal/driver"
)

// kind is that of a preprocessing token.
type kind uint8

const (
	ident kind = iota
	number
	char
	str
	punct
	newline
	eof
)

// flags of a token.
const (
	spaced  uint8 = 1 << iota // white space or a comment stands before it
	painted                   // a macro's own name inside its expansion: never expanded again
	kitName                   // came out of a macro that the kit's header defines
)

// token is a preprocessing token and where it is spelled. Tokens of a file are shared between units: never change one
// in place.
type token struct {
	kind  kind
	flags uint8
	off   int32
	file  *file
	text  string
	exp   *expansion // the macro expansion whose body it stands in; nil where it was written out
}

// expansion is one use of a macro. Tokens that were passed as arguments keep their own place.
type expansion struct {
	macro *macro
	name  token // the name that was expanded; its own exp is the expansion around this one
}

// root is the token that stands where a reader sees the request: the name of the outermost macro, or t itself.
func (t token) root() token {
	for t.exp != nil {
		t = t.exp.name
	}
	return t
}

func (t token) place() driver.Place { return t.file.place(int(t.off)) }

func (t token) is(text string) bool { return t.kind != str && t.kind != char && t.text == text }

// file is a source file and those of its raw tokens that are of interest: all directives, and declarations.
type file struct {
	path    string
	dir     string
	data    []byte
	outline *outline
	tokens  []token // ends with newline, eof
	virtual bool    // text of the command line, say: it has no lines
	once    sync.Once
	lines   []int32 // offsets of the lines' beginnings, once they are asked for
}

// newText gives text that stands in no file of its own, such as a macro of the command line, all of it lexed.
func newText(path, dir, text string) *file {
	f := &file{path: path, dir: dir, data: []byte(text), virtual: true}
	f.tokens = lex(f)
	return f
}

func (f *file) place(off int) driver.Place {
	if f.virtual {
		return driver.Place{Path: f.path}
	}
	f.once.Do(f.countLines)
	line := sort.Search(len(f.lines), func(i int) bool { return int(f.lines[i]) > off })
	return driver.Place{Path: f.path, Line: line, Column: off - int(f.lines[line-1]) + 1, Offset: off}
}

func (f *file) countLines() {
	f.lines = append(f.lines, 0)
	for i, c := range f.data {
		if c == '\n' {
			f.lines = append(f.lines, int32(i+1))
		}
	}
}

// lexer reads text from which line splices are removed; cuts says where, so that offsets stay those of the file.
type lexer struct {
	f     *file
	base  int // offset of the text in the file
	text  string
	pos   int
	cuts  []cut
	shift int // bytes removed before pos
	space bool
	out   []token
}

// cut is a splice removed at an offset of the joined text.
type cut struct{ at, size int }

// join removes every backslash-newline, as the second phase of translation does.
func join(data []byte) (string, []cut) {
	if !bytes.Contains(data, []byte("\\\n")) && !bytes.Contains(data, []byte("\\\r\n")) {
		return string(data), nil
	}
	text := make([]byte, 0, len(data))
	var cuts []cut
	for i := 0; i < len(data); i++ {
		if n := spliceAt(data[i:]); n > 0 {
			cuts = append(cuts, cut{len(text), n})
			i += n - 1
			continue
		}
		text = append(text, data[i])
	}
	return string(text), cuts
}

func spliceAt(b []byte) int {
	switch {
	case b[0] != '\\':
		return 0
	case bytes.HasPrefix(b[1:], []byte("\n")):
		return 2
	case bytes.HasPrefix(b[1:], []byte("\r\n")):
		return 3
	}
	return 0
}

// lex splits a file into tokens. It never fails: what is no token of C is a punctuator of its own.
func lex(f *file) []token {
	l := &lexer{f: f, out: make([]token, 0, len(f.data)/5+2)}
	l.read(0, len(f.data))
	return l.finish()
}

// lexOutline splits what is wanted of a file.
func lexOutline(f *file) []token {
	var list []piece // neighbours joined
	size := 0
	for _, p := range f.outline.pieces {
		if !f.outline.wanted(p) {
			continue
		}
		size += int(p.end - p.start)
		if n := len(list); n > 0 && list[n-1].end == p.start {
			list[n-1].end = p.end
			continue
		}
		list = append(list, p)
	}
	l := &lexer{f: f, out: make([]token, 0, size/6+2)}
	for _, p := range list {
		if n := len(l.out); n > 0 && l.out[n-1].kind != newline && p.kind != declarationPiece {
			l.out = append(l.out, token{kind: newline, off: p.start, file: f})
		}
		l.read(int(p.start), int(p.end))
	}
	return l.finish()
}

// read splits the bytes from start to end.
func (l *lexer) read(start, end int) {
	l.base, l.pos, l.shift = start, 0, 0
	l.text, l.cuts = join(l.f.data[start:end])
	if start == 0 && strings.HasPrefix(l.text, "\xef\xbb\xbf") {
		l.pos = 3
	}
	for l.pos < len(l.text) {
		l.next()
	}
}

func (l *lexer) finish() []token {
	end := token{off: int32(len(l.f.data)), file: l.f}
	end.kind = newline
	l.out = append(l.out, end)
	end.kind = eof
	return append(l.out, end)
}

// emit adds the token [start, end) and moves on behind it.
func (l *lexer) emit(k kind, start, end int) {
	for len(l.cuts) > 0 && l.cuts[0].at <= start {
		l.shift += l.cuts[0].size
		l.cuts = l.cuts[1:]
	}
	t := token{kind: k, off: int32(l.base + start + l.shift), file: l.f, text: l.text[start:end]}
	if l.space {
		t.flags = spaced
	}
	l.out = append(l.out, t)
	l.space = false
	l.pos = end
}

func (l *lexer) next() {
	c := l.text[l.pos]
	rest := l.text[l.pos:]
	switch {
	case c == '\n':
		l.emit(newline, l.pos, l.pos+1)
	case c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v':
		l.pos++
		l.space = true
	case strings.HasPrefix(rest, "//"):
		l.skip(rest, "\n", 0)
	case strings.HasPrefix(rest, "/*"):
		l.skip(rest[2:], "*/", 4)
	case isDigit(c) || c == '.' && len(rest) > 1 && isDigit(rest[1]):
		l.emit(number, l.pos, l.pos+numberLen(rest))
	case c == '"' || c == '\'':
		l.quoted(l.pos)
	case isIdent(c):
		l.word()
	default:
		l.emit(punct, l.pos, l.pos+punctLen(rest))
	}
}

// skip passes a comment that ends with end; extra bytes belong to its delimiters.
func (l *lexer) skip(rest, end string, extra int) {
	l.space = true
	if n := strings.Index(rest, end); n >= 0 {
		l.pos += n + extra
		return
	}
	l.pos = len(l.text)
}

// word reads an identifier, or a string or character with an encoding prefix.
func (l *lexer) word() {
	end := l.pos
	for end < len(l.text) && (isIdent(l.text[end]) || isDigit(l.text[end])) {
		end++
	}
	if end < len(l.text) && (l.text[end] == '"' || l.text[end] == '\'') {
		switch l.text[l.pos:end] {
		case "L", "u", "U", "u8":
			l.quoted(end)
			return
		case "R", "LR", "uR", "UR", "u8R":
			if l.text[end] == '"' {
				l.raw(end)
				return
			}
		}
	}
	l.emit(ident, l.pos, end)
}

// quoted reads a literal whose opening quote is at open. One that is not closed ends with its line.
func (l *lexer) quoted(open int) {
	k := str
	if l.text[open] == '\'' {
		k = char
	}
	for i := open + 1; i < len(l.text); i++ {
		switch l.text[i] {
		case '\\':
			i++
		case '\n':
			l.emit(k, l.pos, i)
			return
		case l.text[open]:
			l.emit(k, l.pos, i+1)
			return
		}
	}
	l.emit(k, l.pos, len(l.text))
}

// raw reads R"delimiter( ... )delimiter".
func (l *lexer) raw(open int) {
	delimiter, _, ok := strings.Cut(l.text[open+1:min(len(l.text), open+20)], "(")
	if !ok {
		l.quoted(open)
		return
	}
	end := strings.Index(l.text[open:], ")"+delimiter+`"`)
	if end < 0 {
		l.emit(str, l.pos, len(l.text))
		return
	}
	l.emit(str, l.pos, open+end+len(delimiter)+2)
}

// numberLen measures a preprocessing number: wider than C's numbers, as the standard wants it.
func numberLen(s string) int {
	i := 1
	for i < len(s) {
		switch c := s[i]; {
		case (c == '+' || c == '-') && strings.IndexByte("eEpP", s[i-1]) >= 0 && !strings.HasPrefix(s, "0x"):
		case c == '\'' && i+1 < len(s) && (isDigit(s[i+1]) || isIdent(s[i+1])):
		case isDigit(c) || isIdent(c) || c == '.':
		default:
			return i
		}
		i++
	}
	return i
}

// punctuators of more than one byte, longest first.
var punctuators = []string{
	"%:%:", "...", "<<=", ">>=", "->*", "<=>", "##", "#@", "->", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&",
	"||", "*=", "/=", "%=", "+=", "-=", "&=", "^=", "|=", "::", ".*",
}

func punctLen(s string) int {
	if len(s) == 1 || strings.IndexByte("%.<>#-+=!&|*/^:", s[0]) < 0 {
		return 1
	}
	for _, p := range punctuators {
		if strings.HasPrefix(s, p) {
			return len(p)
		}
	}
	return 1
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isIdent takes every byte above ASCII for a letter, so that 8-bit encodings need no decoding.
func isIdent(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '$' || c >= 0x80
}
