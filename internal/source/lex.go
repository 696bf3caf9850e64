package source

import (
	"bytes"
	"strings"

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
	packed                    // a comma of a macro's argument that was put into a body: separates nothing the first time
	asked                     // the name that "defined" asks for
	joined                    // by ##, or across the end of a line: as it is spelled, it stands nowhere
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

// lexer reads text from which line splices are removed; cuts says where, so that offsets stay those of the file.
type lexer struct {
	f     *file
	data  []byte
	base  int // offset of the text in the file
	at    int // offset of the text in that of the file's that is kept
	ended bool
	text  string
	pos   int
	cuts  []cut
	shift int // bytes removed before pos
	space bool
	out   []raw
}

// cut is a splice removed at an offset of the joined text.
type cut struct{ at, size int }

// join adds text without its backslash-newlines, as the second phase of translation removes them.
func join(text *strings.Builder, data []byte) []cut {
	start := text.Len()
	var cuts []cut
	for {
		i := bytes.IndexByte(data, '\\')
		if i < 0 {
			text.Write(data)
			return cuts
		}
		n := spliceAt(data[i:])
		if n == 0 {
			i, n = i+1, 0
			text.Write(data[:i])
		} else {
			text.Write(data[:i])
			cuts = append(cuts, cut{text.Len() - start, n})
		}
		data = data[i+n:]
	}
}

func spliceAt(b []byte) int {
	switch {
	case b[0] != '\\':
		return 0
	case bytes.HasPrefix(b[1:], []byte("\n")):
		return 2
	case bytes.HasPrefix(b[1:], []byte("\r\n")):
		return 3
	case bytes.HasPrefix(b[1:], []byte("\r")):
		return 2
	}
	return 0
}

// stretch is a range of a file's bytes that is lexed, and where its text begins in what is kept.
type stretch struct {
	start, end int
	directive  bool // it begins with one
	at         int
	cuts       []cut
}

// lex splits stretches of a file, and puts the tokens together in a buffer. It never fails: what is no token of C is a
// punctuator of its own.
func lex(f *file, data []byte, list []stretch, buffer []raw) []raw {
	var text strings.Builder
	size := 0
	for _, s := range list {
		size += s.end - s.start
	}
	text.Grow(size)
	for i := range list {
		s := &list[i]
		s.at = text.Len()
		s.cuts = join(&text, data[s.start:s.end])
	}
	f.text, f.odd = text.String(), nil
	l := &lexer{f: f, data: data, out: buffer[:0]}
	for i, s := range list {
		end := len(f.text)
		if i+1 < len(list) {
			end = list[i+1].at
		}
		if n := len(l.out); n > 0 && l.out[n-1].kind != newline && s.directive {
			l.out = append(l.out, raw{kind: newline, off: int32(s.start)})
		}
		if !l.ended {
			l.read(s, end)
		}
	}
	return l.finish(len(data))
}

// stretches gives what is to be lexed of a file; neighbours are one.
func (o *outline) stretches() []stretch {
	var list []stretch
	for _, p := range o.pieces {
		if !o.wanted(p) {
			continue
		}
		if n := len(list); n > 0 && list[n-1].end == int(p.start) {
			list[n-1].end = int(p.end)
			continue
		}
		list = append(list, stretch{start: int(p.start), end: int(p.end), directive: p.kind != declarationPiece})
	}
	return list
}

// read splits one stretch, whose text ends at an offset of what is kept.
func (l *lexer) read(s stretch, end int) {
	l.base, l.at, l.pos, l.shift = s.start, s.at, 0, 0
	l.text, l.cuts = l.f.text[s.at:end], s.cuts
	if s.start == 0 && strings.HasPrefix(l.text, "\xef\xbb\xbf") {
		l.pos = 3
	}
	for l.pos < len(l.text) && len(l.out) < maxTokens {
		l.next()
	}
	if l.pos < len(l.text) {
		l.stop()
	}
}

func (l *lexer) finish(size int) []raw {
	return append(l.out, raw{kind: newline, off: int32(size)}, raw{kind: eof, off: int32(size)})
}

// emit adds the token [start, end) and moves on behind it.
func (l *lexer) emit(k kind, start, end int) {
	for len(l.cuts) > 0 && l.cuts[0].at <= start {
		l.shift += l.cuts[0].size
		l.cuts = l.cuts[1:]
	}
	t := raw{kind: k, off: int32(l.base + start + l.shift), at: int32(l.at + start), size: uint16(min(end-start, oddSize))}
	if l.space {
		t.flags = spaced
	}
	if t.size == oddSize {
		l.f.spell(&t, l.text[start:end])
	}
	if len(l.cuts) > 0 && l.cuts[0].at < end {
		t.flags |= joined
	}
	l.out = append(l.out, t)
	l.space = false
	l.pos = end
}

// endOfFile is what DOS ends a text with; Microsoft's compiler reads no further.
const endOfFile = 0x1a

// stop leaves out the rest of a file.
func (l *lexer) stop() {
	if l.text[l.pos] != endOfFile {
		l.f.cut = int(l.out[len(l.out)-1].off)
	}
	l.text, l.ended = l.text[:l.pos], true
}

func (l *lexer) next() {
	c := l.text[l.pos]
	rest := l.text[l.pos:]
	switch {
	case c == '\n':
		l.emit(newline, l.pos, l.pos+1)
	case c == '\r' && (len(rest) == 1 || rest[1] != '\n'): // a line of the Macintosh of old
		l.emit(newline, l.pos, l.pos+1)
	case c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' || c == 0:
		l.pos++
		l.space = true
	case isIdent(c):
		l.word()
	case isDigit(c) || c == '.' && len(rest) > 1 && isDigit(rest[1]):
		l.emit(number, l.pos, l.pos+numberLen(rest))
	case strings.HasPrefix(rest, "//"):
		l.lineComment(rest)
	case strings.HasPrefix(rest, "/*"):
		l.comment(rest)
	case (c == '"' || c == '<') && l.namesHeader():
		l.header(rest)
	case c == '"' || c == '\'':
		l.quoted(l.pos)
	case c == endOfFile:
		l.stop()
	default:
		l.punctuator(rest)
	}
}

// namesHeader says whether the name of a header can stand here: behind #include and in __has_include(.
func (l *lexer) namesHeader() bool {
	n := len(l.out)
	if n < 2 {
		return false
	}
	switch l.f.textOf(l.out[n-1]) {
	case "include", "include_next", "import":
		return l.f.textOf(l.out[n-2]) == "#" && (n == 2 || l.out[n-3].kind == newline)
	case "(":
		return l.f.textOf(l.out[n-2]) == "__has_include"
	}
	return false
}

// maxHeaderName is far beyond what Windows takes for a path.
const maxHeaderName = 4 << 10

// header reads "name" or <name> as one token, in which neither a backslash nor // means anything.
func (l *lexer) header(rest string) {
	closing := "\""
	if rest[0] == '<' {
		closing = ">"
	}
	switch n := strings.IndexAny(rest[1:min(len(rest), maxHeaderName)], closing+"\n"+string(rune(endOfFile))); {
	case n >= 0 && rest[1+n] == closing[0]:
		l.emit(str, l.pos, l.pos+n+2)
	case rest[0] == '<':
		l.emit(punct, l.pos, l.pos+1)
	default:
		l.quoted(l.pos)
	}
}

// lineComment passes // up to the end of the line.
func (l *lexer) lineComment(rest string) {
	l.space = true
	n := 0
	for n < len(rest) && rest[n] != '\n' && rest[n] != '\r' {
		n++
	}
	l.pos += n
}

// comment passes /* up to its end, or to that of the file.
func (l *lexer) comment(rest string) {
	l.space = true
	n := strings.Index(rest[2:], "*/")
	if n < 0 {
		l.pos = len(l.text)
		return
	}
	l.pos += n + 4
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
		case '\n', '\r':
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
	size := open + end + len(delimiter) + 2 - l.pos
	l.emit(str, l.pos, l.pos+size)
	cut := false
	for _, c := range l.cuts { // a splice is text here
		if c.at >= l.pos {
			break
		}
		size, cut = size+c.size, true
	}
	if t := &l.out[len(l.out)-1]; cut {
		l.f.spell(t, string(l.data[t.off:int(t.off)+size]))
	}
}

// numberLen measures a preprocessing number: wider than C's numbers, as the standard wants it, but 0xE+1 is a sum, as it is
// to Microsoft's compiler.
func numberLen(s string) int {
	exponent := "eE"
	if len(s) > 1 && (s[1] == 'x' || s[1] == 'X') {
		exponent = "pP"
	}
	i := 1
	for i < len(s) {
		switch c := s[i]; {
		case (c == '+' || c == '-') && strings.IndexByte(exponent, s[i-1]) >= 0:
		case c == '\'' && i+1 < len(s) && (isDigit(s[i+1]) || isIdent(s[i+1])):
		case isDigit(c) || isIdent(c) || c == '.':
		default:
			return i
		}
		i++
	}
	return i
}

// punctuator reads one; digraphs get the text of what they stand for.
func (l *lexer) punctuator(rest string) {
	n := punctLen(rest)
	l.emit(punct, l.pos, l.pos+n)
	if n > 1 {
		if text, ok := digraphs[rest[:n]]; ok {
			l.f.spell(&l.out[len(l.out)-1], text)
		}
	}
}

var digraphs = map[string]string{"<:": "[", ":>": "]", "<%": "{", "%>": "}", "%:": "#", "%:%:": "##"}

// long punctuators have more than two bytes.
var long = []string{"%:%:", "...", "<<=", ">>=", "->*", "<=>"}

// seconds are the bytes that can follow the first one of a punctuator of two bytes.
var seconds = [128]string{
	'#': "#@", '.': "*", '-': ">-=", '+': "+=", '<': "<=:%", '>': ">=", '=': "=", '!': "=", '&': "&=", '|': "|=", '*': "=",
	'/': "=", '%': "=:>", '^': "=", ':': ":>",
}

func punctLen(s string) int {
	if len(s) == 1 || s[0] >= 128 || seconds[s[0]] == "" {
		return 1
	}
	for _, p := range long {
		if p[0] == s[0] && strings.HasPrefix(s, p) {
			return len(p)
		}
	}
	switch {
	case strings.IndexByte(seconds[s[0]], s[1]) < 0:
		return 1
	case strings.HasPrefix(s, "<::") && !strings.HasPrefix(s, "<:::") && !strings.HasPrefix(s, "<::>"):
		return 1 // a template's argument that begins with ::
	}
	return 2
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isIdent takes every byte above ASCII for a letter, so that 8-bit encodings need no decoding.
func isIdent(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '$' || c >= 0x80
}
