package source

import (
	"bytes"
	"slices"

	"github.com/nxport/nxport/internal/driver"
)

// outline is what the text of a file is skimmed for, once: where its directives stand, and where its declarations begin
// and end, each with the names it mentions. Where nothing is of interest only the directives are lexed.
type outline struct {
	pieces  []piece  // in the order of the text; together they are the file
	chunks  []chunk  // declarations
	macros  []chunk  // definitions of macros
	asked   []name   // identifiers in the other directives
	inner   []string // lower-case base names of the headers that are included in the middle of a declaration
	ignores []ignore // comments that suppress something, in the order of the text
	ragged  bool     // brackets do not match: the chunks can't be trusted
	copied  []sourceOf
	arrays  []name // at file scope, that begin with machine code
	makers  []name // functions with machine code in braces
}

// piece is a range of bytes: a directive with its line end, or text between directives.
type piece struct {
	start, end int32
	kind       pieceKind
	index      int32 // of the chunk that the text belongs to, or of the macro that is defined
}

type pieceKind uint8

const (
	declarationPiece pieceKind = iota
	macroPiece
	directivePiece
)

// wanted says whether a piece is to be lexed.
func (o *outline) wanted(p piece) bool {
	switch p.kind {
	case declarationPiece:
		return o.chunks[p.index].on
	case macroPiece:
		return o.macros[p.index].on
	}
	return true
}

// chunk is a declaration at the top level of a file, or the definition of a macro.
type chunk struct {
	mentions []name
	defines  []name // the functions and types that it may define, or the macro
	text     string // the macro's name
	always   bool   // a brace of a namespace or a linkage block
	pastes   bool   // a macro with ## in its body
	makes    *pasted
	uneven   bool // a macro whose body leaves brackets open, or closes others
	alias    bool // it gives a type another name
	code     bool // it may hold a sign that memory is executed
	on       bool // it is of interest
}

// name stands for an identifier: its FNV-1a hash. Of two identifiers with one hash both are of interest if one is.
type name uint32

const (
	hashBasis name = 2166136261
	hashPrime name = 16777619
)

func nameOf(s string) name {
	h := hashBasis
	for i := range len(s) {
		h = (h ^ name(s[i])) * hashPrime
	}
	return h
}

var (
	nameExtern    = nameOf("extern")
	nameNamespace = nameOf("namespace")
	nameOperator  = nameOf("operator")
	nameTypedef   = nameOf("typedef")
	classWords    = map[name]bool{nameOf("class"): true, nameOf("struct"): true, nameOf("union"): true, nameOf("enum"): true}
)

// class says what a byte begins.
type class uint8

const (
	atPlain class = iota // a punctuator of no interest
	atBlank
	atLineEnd
	atLetter
	atDigit
	atQuote
	atSlash
	atBackslash
	atHash
	atOpening
	atClosing
	atSemicolon
	atEquals
	atReturn
	atEnd // of the text, as DOS marks it
	atDigraph
)

var classes = func() (t [256]class) {
	for i := range t {
		switch c := byte(i); {
		case isIdent(c):
			t[i] = atLetter
		case isDigit(c):
			t[i] = atDigit
		}
	}
	for text, k := range map[string]class{
		" \t\f\v\x00": atBlank, "\n": atLineEnd, `"'`: atQuote, "/": atSlash, `\`: atBackslash, "#": atHash,
		"([{": atOpening, ")]}": atClosing, ";": atSemicolon, "=": atEquals,
		"\r": atReturn, string(rune(endOfFile)): atEnd, "<%:": atDigraph,
	} {
		for i := range len(text) {
			t[text[i]] = k
		}
	}
	return t
}()

// skimmer goes through a file once.
type skimmer struct {
	data      []byte
	pos       int
	out       *outline
	start     int32    // of the piece at hand
	lineStart bool     // nothing but white space and comments stands before on the line
	blocks    int      // open namespaces and linkage blocks
	branches  [][]byte // the brackets that were open at each open #if

	// The chunk at hand.
	cur      chunk
	begun    bool
	outside  int    // #ifs that were open when it began
	open     []byte // brackets
	classes  int    // how many of them, from the outside, are braces of classes
	over     bool   // it has ended, but for an #else that may hold another end
	classy   bool   // a class is declared since the last semicolon or brace of that depth
	called   bool   // a parenthesis stood in that declaration
	assigned bool   // an '=' stood in it
	spaces   bool   // the word namespace stood in it
	types    bool   // the names outside of brackets are those of types, or may be
	members  bool   // the initialisers of a constructor stand there
	tag      name   // the last word behind struct or the like
	linkage  bool   // the tokens before are extern and a literal
	last     name   // the token before, if it is an identifier
	word     []byte // its text
	number   int    // of those that have ended
	scanned  int    // bytes that were looked through for the end of a statement
	recent   [recentNames]mentioned
	signs    signs
}

// mentioned is a name that the chunk behind so many others mentions. Most are mentioned again soon; that is said once.
type mentioned struct {
	of name
	in int
}

const recentNames = 256

func skim(data []byte) *outline {
	s := &skimmer{data: data, out: &outline{}, lineStart: true}
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		s.pos = 3
	}
	for s.pos < len(data) {
		s.step()
	}
	s.out.ragged = s.out.ragged || len(s.open) != 0 || s.blocks != 0
	s.endChunk()
	return s.out
}

// step passes one token, comment or directive.
func (s *skimmer) step() {
	c := s.data[s.pos]
	switch classes[c] {
	case atBlank:
		s.pos++
		return
	case atLineEnd:
		s.pos++
		s.lineStart = true
		return
	case atSlash:
		if n := commentLen(s.data[s.pos:]); n > 0 {
			if driver.IsIgnore(s.data[s.pos : s.pos+n]) {
				s.ignore(n)
			}
			s.pos += n
			return
		}
	case atBackslash:
		if n := spliceAt(s.data[s.pos:]); n > 0 {
			s.splice(n)
			return
		}
	case atReturn:
		s.pos++
		s.lineStart = s.lineStart || s.pos == len(s.data) || s.data[s.pos] != '\n'
		return
	case atEnd:
		s.pos = len(s.data)
		return
	case atDigraph:
		if s.lineStart && bytes.HasPrefix(s.data[s.pos:], []byte("%:")) && !s.pasting(2) {
			s.directive()
			return
		}
		s.out.ragged = s.out.ragged || digraphs[string(s.data[s.pos:min(len(s.data), s.pos+2)])] != ""
	case atHash:
		if s.lineStart && !s.pasting(1) {
			s.directive()
			return
		}
	}
	s.begin()
	s.token(c)
}

// pasting says whether the # of so many bytes is the beginning of ## or #@: no directive begins with that, and text that has it
// in front of a line is read as a whole.
func (s *skimmer) pasting(n int) bool {
	i := s.pos + n
	for i < len(s.data) && spliceAt(s.data[i:]) > 0 {
		i += spliceAt(s.data[i:])
	}
	pasting := i < len(s.data) && (s.data[i] == '#' || s.data[i] == '@' || s.data[i] == '%')
	s.out.ragged = s.out.ragged || pasting
	return pasting
}

// begin notes that the chunk has a token.
func (s *skimmer) begin() {
	s.lineStart = false
	if s.begun {
		return
	}
	s.begun, s.outside = true, len(s.branches)
	if s.data[s.pos] == '{' {
		s.oldStyle()
	}
}

// maxOldStyle bounds the parameters that a function in the style of K&R declares behind its parenthesis.
const maxOldStyle = 30

// oldStyle takes back the ends of the declarations in front of a brace, up to that of a function: they declare its
// parameters.
func (s *skimmer) oldStyle() {
	n := len(s.out.chunks)
	k := n - 1
	for k >= max(0, n-maxOldStyle) && len(s.out.chunks[k].defines) == 0 {
		k--
	}
	if k < max(0, n-maxOldStyle) {
		return
	}
	for _, c := range s.out.chunks[k:] {
		s.cur.mentions = append(s.cur.mentions, c.mentions...)
		s.cur.defines = append(s.cur.defines, c.defines...)
	}
	s.out.chunks = s.out.chunks[:k]
	for i := len(s.out.pieces) - 1; i >= 0 && (s.out.pieces[i].kind != declarationPiece || int(s.out.pieces[i].index) >= k); i-- {
		if s.out.pieces[i].kind == declarationPiece {
			s.out.pieces[i].index = int32(k)
		}
	}
}

// splice passes a backslash at a line's end. An identifier that it cuts in two is not known by its name.
func (s *skimmer) splice(n int) {
	after := s.pos + n
	if s.pos > 0 && wordByte(s.data[s.pos-1]) && after < len(s.data) && wordByte(s.data[after]) {
		s.out.ragged = true
	}
	s.pos = after
}

func wordByte(c byte) bool { return classes[c] == atLetter || classes[c] == atDigit }

// commentLen measures the comment at the beginning of b; 0 if there is none. The line end behind // is not part of it.
func commentLen(b []byte) int {
	switch {
	case len(b) < 2:
		return 0
	case b[1] == '*':
		if n := bytes.Index(b[2:], []byte("*/")); n >= 0 {
			return n + 4
		}
		return len(b)
	case b[1] == '/':
		for i := 2; ; i++ {
			n := bytes.IndexAny(b[i:], "\n\r")
			if n < 0 {
				return len(b)
			}
			i += n
			if b[i-1] != '\\' {
				return i
			}
			i += spliceAt(b[i-1:]) - 2
		}
	}
	return 0
}

// token passes one.
func (s *skimmer) token(c byte) {
	linkage := s.linkage
	s.linkage = false
	switch k := classes[c]; k {
	case atLetter:
		s.identifier()
		return
	case atDigit:
		n := numberLen(string(s.data[s.pos:min(len(s.data), s.pos+64)]))
		s.signs.number(s, s.data[s.pos:s.pos+n])
		s.pos += n
	case atQuote:
		s.pos += quotedLen(s.data[s.pos:])
		s.linkage = s.last == nameExtern
		s.signs.punctuator(s, '"')
	default:
		s.pos++
		s.signs.punctuator(s, c)
		s.punctuator(c, k, linkage)
	}
	s.last = 0
}

func (s *skimmer) punctuator(c byte, k class, linkage bool) {
	switch k {
	case atOpening:
		s.opens(c, linkage)
	case atClosing:
		s.closes(c)
	case atSemicolon:
		s.declared()
		if len(s.open) == 0 {
			s.end()
		}
	case atDigraph: // and a colon
		if c == ':' && s.called && len(s.open) == s.classes && s.signs.before != ':' && !bytes.HasPrefix(s.data[s.pos:], []byte(":")) {
			s.members = true
		}
	case atEquals:
		s.assigned = s.assigned || len(s.open) == s.classes
	}
}

// quotedLen measures a literal; one that is not closed ends before its line end.
func quotedLen(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			if n := spliceAt(b[i:]); n > 0 {
				i += n - 1
			} else {
				i++
			}
		case '\n', '\r':
			return i
		case b[0]:
			return i + 1
		}
	}
	return len(b)
}

func (s *skimmer) identifier() {
	h, i := hashBasis, s.pos
	for i < len(s.data) && wordByte(s.data[i]) {
		h = (h ^ name(s.data[i])) * hashPrime
		i++
	}
	s.word = s.data[s.pos:i]
	s.pos = i
	if i < len(s.data) && s.data[i] == '"' && rawPrefixes[string(s.word)] {
		s.pos += rawLen(s.data[i:])
		return
	}
	if r := &s.recent[h%recentNames]; (r.of != h || r.in != s.number) && !(isOperator(h) && s.neutralOperator()) {
		*r = mentioned{h, s.number}
		s.cur.mentions = append(s.cur.mentions, h)
	}
	if len(s.open) == s.classes {
		if h == nameTypedef {
			s.types, s.cur.alias = true, true
		}
		if s.types && len(s.open) == 0 {
			s.cur.defines = append(s.cur.defines, h)
		}
		if s.classy && s.tag == 0 {
			s.tag = h
		}
		if classWords[h] {
			s.classy, s.tag = true, 0
		}
		s.spaces = s.spaces || h == nameNamespace
		if s.last == nameOperator {
			s.cur.defines = append(s.cur.defines, h)
		}
	}
	s.signs.word(s, h)
	s.last = h
}

// neutralOperator says whether the pragma operator at hand changes nothing.
func (s *skimmer) neutralOperator() bool {
	words, ok := operatorWords(s.data[s.pos:], string(s.word) == "_Pragma")
	pushed := map[string]int{}
	return ok && neutralWords(words, pushed) && len(pushed) == 0
}

var rawPrefixes = map[string]bool{"R": true, "LR": true, "uR": true, "UR": true, "u8R": true}

// rawLen measures "delimiter( ... )delimiter" behind an R.
func rawLen(b []byte) int {
	delimiter, _, ok := bytes.Cut(b[1:min(len(b), 20)], []byte("("))
	if !ok {
		return quotedLen(b)
	}
	end := bytes.Index(b, []byte(")"+string(delimiter)+`"`))
	if end < 0 {
		return len(b)
	}
	return end + len(delimiter) + 2
}

// opens passes an opening bracket.
func (s *skimmer) opens(c byte, linkage bool) {
	top := len(s.open) == s.classes
	switch {
	case c == '{' && len(s.open) == 0 && (linkage || s.spaces) && !s.called && !s.assigned: // extern "C" {, namespace x {
		s.cur.always = true
		s.blocks++
		s.endChunk()
		return
	case c == '{' && top && s.classy && !s.called && !s.assigned:
		s.classes++
		if s.tag != 0 {
			s.cur.defines = append(s.cur.defines, s.tag)
		}
		s.types, s.cur.alias = true, false
		s.open = append(s.open, c)
		s.declared()
		return
	case c == '(' && top && !s.assigned:
		if s.last != 0 && !s.members && !isAnnotation(string(s.word)) {
			s.cur.defines = append(s.cur.defines, s.last)
			s.called = true
		}
	}
	s.open = append(s.open, c)
}

var pairs = [256]byte{')': '(', ']': '[', '}': '{'}

// closes passes a closing bracket.
func (s *skimmer) closes(c byte) {
	switch {
	case len(s.open) > 0:
		last := len(s.open) - 1
		s.out.ragged = s.out.ragged || s.open[last] != pairs[c]
		s.open = s.open[:last]
		inClass := last < s.classes
		s.classes = min(s.classes, last)
		if c == '}' && last == 0 && !inClass && !s.assigned {
			s.end()
		} else if c == '}' && last == s.classes && !s.assigned {
			s.declared()
			s.classy = inClass
		}
	case c == '}' && s.blocks > 0:
		s.blocks--
		s.cur.always = true
		s.endChunk()
	default:
		s.out.ragged = true
	}
}

// declared forgets what stood in the declaration that has just ended, or has been entered.
func (s *skimmer) declared() {
	if len(s.open) == s.classes {
		s.classy, s.called, s.assigned, s.spaces, s.members = false, false, false, false, false
	}
}

// end finishes the chunk, but not inside an #if that began in it: another branch may hold another end.
func (s *skimmer) end() {
	if len(s.branches) > s.outside {
		s.over = true
		return
	}
	s.endChunk()
}

func (s *skimmer) endChunk() {
	s.endPiece(s.pos, declarationPiece, len(s.out.chunks))
	mentions, defines := s.cur.mentions, s.cur.defines
	s.cur.mentions, s.cur.defines = slices.Clone(mentions), slices.Clone(defines)
	s.out.chunks = append(s.out.chunks, s.cur)
	s.cur = chunk{mentions: mentions[:0], defines: defines[:0]}
	s.number++
	s.begun, s.over, s.open, s.classes, s.types = false, false, s.open[:0], 0, false
	s.signs = signs{cast: s.signs.cast[:0], list: list{values: s.signs.list.values[:0]}}
	s.declared()
}

func (s *skimmer) endPiece(at int, kind pieceKind, index int) {
	if int(s.start) < at {
		s.out.pieces = append(s.out.pieces, piece{s.start, int32(at), kind, int32(index)})
		s.start = int32(at)
	}
}

// directive passes a directive up to the end of its line.
func (s *skimmer) directive() {
	s.endPiece(s.pos, declarationPiece, len(s.out.chunks))
	d := skimDirective(s.data[s.pos:])
	for _, x := range d.ignores {
		x.at, x.end = x.at+int32(s.pos), x.end+int32(s.pos)
		s.out.ignores = append(s.out.ignores, x)
	}
	s.pos += d.size
	s.lineStart = true
	if d.macro != nil {
		s.endPiece(s.pos, macroPiece, len(s.out.macros))
		s.out.macros = append(s.out.macros, *d.macro)
		return
	}
	s.endPiece(s.pos, directivePiece, 0)
	s.out.asked = append(s.out.asked, d.words...)
	switch {
	case d.header != "" && len(s.open) > 0:
		s.cur.on = true
		s.out.inner = append(s.out.inner, d.header)
	case bytes.HasPrefix(d.name, []byte("if")):
		s.branches = append(s.branches, slices.Clone(s.open))
	case bytes.HasPrefix(d.name, []byte("el")) && len(s.branches) > 0:
		s.open = append(s.open[:0], s.branches[len(s.branches)-1]...)
		s.classes = min(s.classes, len(s.open))
		s.over = s.over && len(s.open) == 0
	case string(d.name) == "endif" && len(s.branches) > 0:
		s.branches = s.branches[:len(s.branches)-1]
		s.outside = min(s.outside, len(s.branches))
		if s.over && len(s.open) == 0 && len(s.branches) <= s.outside {
			s.endChunk()
		}
	}
}

// skimmed is a directive.
type skimmed struct {
	size  int // bytes, with the line end
	name  []byte
	words []name // the identifiers behind its name
	macro *chunk // that it defines
	// header is the lower-case base name of what it includes; "*" where only a macro says it.
	header  string
	ignores []ignore // comments in it, with offsets from its beginning
}

func skimDirective(b []byte) skimmed {
	var d skimmed
	var first []byte // the first of the words
	depth, pastes, uneven, pragmas := 0, false, false, false
	i := 1
loop:
	for i < len(b) {
		switch classes[b[i]] {
		case atEnd:
			break loop
		case atLineEnd:
			i++
			break loop
		case atReturn:
			if i++; i == len(b) || b[i] != '\n' {
				break loop
			}
		case atDigraph:
			two := digraphs[string(b[i:min(len(b), i+2)])]
			pastes, uneven = pastes || two == "#", uneven || two != ""
			i += max(1, len(two))
		case atSlash:
			n := commentLen(b[i:])
			if driver.IsIgnore(b[i : i+n]) {
				d.ignores = append(d.ignores, newIgnore(b, i, i+n, i))
			}
			i += max(1, n)
		case atBackslash:
			n := spliceAt(b[i:])
			// A name that is cut in two comes out of the macro as one that is not in its text, as by ##.
			pastes = pastes || n > 0 && wordByte(b[i-1]) && i+n < len(b) && wordByte(b[i+n])
			i += max(1, n)
		case atQuote:
			i += quotedLen(b[i:])
		case atLetter:
			start, h := i, hashBasis
			for ; i < len(b) && wordByte(b[i]); i++ {
				h = (h ^ name(b[i])) * hashPrime
			}
			if d.name == nil {
				d.name = b[start:i]
			} else {
				if first == nil {
					first = b[start:i]
				}
				d.words = append(d.words, h)
				pragmas = pragmas || isOperator(h)
			}
			if i < len(b) && b[i] == '"' && rawPrefixes[string(b[start:i])] { // it may have lines of its own
				i += rawLen(b[i:])
			}
		case atDigit:
			for i < len(b) && wordByte(b[i]) {
				i++
			}
		case atOpening:
			depth++
			i++
		case atClosing:
			depth--
			i++
		case atHash:
			pastes = pastes || i+1 < len(b) && b[i+1] == '#'
			i++
		default:
			i++
		}
	}
	d.size = i
	if pragmas && string(d.name) == "define" && neutral(b[:i]) {
		d.words = append(d.words[:1], slices.DeleteFunc(d.words[1:], isOperator)...)
	}
	switch {
	case string(d.name) == "define" && len(d.words) > 0:
		d.macro = &chunk{defines: d.words[:1], mentions: d.words[1:], text: string(first), pastes: pastes, uneven: uneven || depth != 0}
		if pastes {
			d.macro.makes = pastedBy(string(b[:i]))
		}
	case bytes.HasPrefix(d.name, []byte("include")):
		d.header = includedName(b[:i])
	}
	return d
}

// includedName gives the base name of what stands between quotes or angle brackets; "*" where neither is there.
func includedName(line []byte) string {
	start := bytes.IndexAny(line, `"<`)
	if start < 0 {
		return "*"
	}
	end := bytes.IndexAny(line[start+1:], `">`)
	if end < 0 {
		return "*"
	}
	return baseName(string(line[start+1 : start+1+end]))
}
