package source

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// What a unit says about warnings that are rules here, by pragmas:
//
//	#pragma warning(disable: 28751 30030)   from there to the end of the unit, or until default, enable, error, once, a level,
//	                                        or the pop that goes with an earlier push
//	#pragma prefast(suppress: 30030, "why") the statement that begins on the next line of code
//
// and the same by __pragma(...) and _Pragma("..."), which count from the line on which they, or the macro they come out of,
// stand. A state goes from a header on to the file that includes it. The documentation of the two pragmas has each their own
// stack, and says of both that all warnings are kept on it.

// muting is the state of those warnings in a unit.
type muting struct {
	off      []muted      // what is disabled now; never changed in place, since the stacks share it
	kept     [2][][]muted // by push, of warning and of prefast
	pragmas  map[mutingKey]*pragma
	passages []passage // as they were read, from the first pragma on that disables something
	changes  int       // of what is disabled
	scanned  int       // bytes that were looked through for the ends of statements
	texts    map[*file][]byte
}

// Bounds on what a unit can make of its pragmas.
const (
	maxChanges   = 200
	maxPassages  = 20_000
	maxStatement = 8 << 10  // bytes that are looked through for the end of one statement
	maxScanned   = 16 << 20 // and of all
)

// pragma is one word of a pragma, wherever a unit comes to it.
type pragma struct {
	at     token
	word   string
	reason string
	lines  []driver.Lines // of a suppress
	spans  []during       // of a disable
}

type mutingKey struct {
	file *file
	off  int32
	word string
}

// muted is a warning that is disabled, since the first of some passages.
type muted struct {
	by    *pragma
	id    string // of the rule
	since int
}

// during is a range of passages, both included.
type during struct{ from, to int }

// passage is some lines of a file that are read in one go.
type passage struct {
	file     *file
	from, to int
}

// mute carries out #pragma warning(...) or #pragma prefast(...), which stands at a token.
func (p *cpp) mute(at token, line []token) {
	if len(line) < 3 || !line[1].is("(") {
		return
	}
	name, rest := line[0].text, line[2:]
	for len(rest) > 0 {
		end := slices.IndexFunc(rest, func(t token) bool { return t.is(";") })
		if end < 0 {
			end = len(rest)
		}
		p.specifier(at, name, rest[:end])
		rest = rest[min(end+1, len(rest)):]
	}
}

// specifier carries out one of those that a pragma holds.
func (p *cpp) specifier(at token, name string, spec []token) {
	if len(spec) == 0 {
		return
	}
	kept := &p.muting.kept[0]
	if name == "prefast" {
		kept = &p.muting.kept[1]
	}
	switch spec[0].text {
	case "push":
		*kept = append(*kept, p.muting.off)
		return
	case "pop":
		if n := len(*kept); n > 0 {
			p.restore(at, (*kept)[n-1])
			*kept = (*kept)[:n-1]
		}
		return
	}
	if len(spec) < 3 || !spec[1].is(":") {
		return
	}
	words := p.mutedWords(spec[2:])
	if len(words) == 0 {
		return
	}
	switch spec[0].text {
	case "suppress":
		p.suppress(at, words, spec)
	case "disable":
		p.disable(at, words, spec)
	case "default", "enable", "error", "once", "1", "2", "3", "4":
		p.enable(at, words)
	}
}

// mutedWords gives the words of a list that name warnings of interest, as they are written, or as a macro of the driver has
// them. Microsoft's own names are macros of a header, too.
func (p *cpp) mutedWords(list []token) (words []string) {
	for i, t := range list {
		switch {
		case isWarning(t):
			words = addWord(words, t.text)
		case t.kind == ident && p.lookup(t.text) != nil:
			for _, x := range p.expandList(list[i : i+1]) {
				if isWarning(x) {
					words = addWord(words, x.text)
				}
			}
		}
	}
	return words
}

// addWord adds a word that names another warning than those before.
func addWord(words []string, word string) []string {
	if slices.ContainsFunc(words, func(w string) bool { return driver.RuleID(w) == driver.RuleID(word) }) {
		return words
	}
	return append(words, word)
}

// isWarning says whether a word of a pragma names a warning of interest: no compiler knows the rules of our own.
func isWarning(t token) bool {
	return (t.kind == ident || t.kind == number && len(t.text) == 5) && strings.HasPrefix(driver.RuleID(t.text), "C")
}

// pragmaAt gives the record of a word of a pragma.
func (p *cpp) pragmaAt(at token, word string, spec []token) *pragma {
	m := &p.muting
	key := mutingKey{at.file, at.off, word}
	if m.pragmas[key] == nil {
		if m.pragmas == nil {
			m.pragmas = map[mutingKey]*pragma{}
		}
		m.pragmas[key] = &pragma{at: at, word: word, reason: p.reason(at, spec)}
	}
	return m.pragmas[key]
}

// reason gives the text of a pragma that says why, or of a comment behind the pragma.
func (p *cpp) reason(at token, spec []token) string {
	var b strings.Builder
	for _, t := range spec {
		if t.kind == str {
			b.WriteString(strings.Trim(strings.TrimLeft(t.text, "Lu8U"), `"`))
		}
	}
	last := spec[len(spec)-1]
	if b.Len() > 0 || last.file != at.file || last.exp != nil {
		return strings.TrimSpace(b.String())
	}
	text := p.text(at.file)
	text = text[min(len(text), int(last.off)):]
	if end := bytes.IndexAny(text, "\r\n"); end >= 0 {
		text = text[:end]
	}
	_, remark, _ := strings.Cut(string(text), ")")
	remark = strings.TrimSpace(remark)
	if !strings.HasPrefix(remark, "//") && !strings.HasPrefix(remark, "/*") {
		return ""
	}
	return strings.TrimSpace(strings.TrimSuffix(remark[2:], "*/"))
}

// text gives what a file holds, which is read again for it, once for the unit.
func (p *cpp) text(f *file) []byte {
	m := &p.muting
	text, ok := m.texts[f]
	if !ok {
		if m.texts == nil {
			m.texts = map[*file][]byte{}
		}
		text = f.bytes()
		m.texts[f] = text
	}
	return text
}

// suppress covers the statement that begins on the next line, or where an operator stands.
func (p *cpp) suppress(at token, words []string, spec []token) {
	from := at.root()
	if from.file.virtual {
		return
	}
	start, first := int(from.off), from.place().Line
	if at.kind == punct { // the '#' of a directive, which has been read up to its end
		o := p.stack[len(p.stack)-1]
		newline := o.file.tokens[max(0, o.i-1)]
		start, first = int(newline.off), o.file.place(int(newline.off)).Line+1
	}
	end := start
	if text := p.text(from.file); start < len(text) && p.muting.scanned < maxScanned {
		text = text[start:min(len(text), start+maxStatement)]
		n := statementLen(text, false)
		p.muting.scanned += n
		end += n
	}
	last := max(first, from.file.place(end).Line)
	for _, word := range words {
		x := p.pragmaAt(at, word, spec)
		x.lines = append(x.lines, driver.Lines{Path: from.file.path, From: first, To: last})
	}
}

// disable covers all that follows.
func (p *cpp) disable(at token, words []string, spec []token) {
	m := &p.muting
	if m.changes++; m.changes > maxChanges {
		return
	}
	off := slices.Clone(m.off)
	now := p.cut(at)
	for _, word := range words {
		by := p.pragmaAt(at, word, spec)
		if !slices.ContainsFunc(off, func(x muted) bool { return x.by == by }) {
			off = append(off, muted{by, driver.RuleID(word), now})
		}
	}
	m.off = off
}

// enable ends what disabled the warnings.
func (p *cpp) enable(at token, words []string) {
	m := &p.muting
	if m.changes++; m.changes > maxChanges || len(m.off) == 0 {
		return
	}
	var off []muted
	now := p.cut(at)
	for _, x := range m.off {
		if slices.ContainsFunc(words, func(word string) bool { return driver.RuleID(word) == x.id }) {
			x.end(now - 1)
		} else {
			off = append(off, x)
		}
	}
	m.off = off
}

// restore makes the state what it was at a push.
func (p *cpp) restore(at token, kept []muted) {
	m := &p.muting
	if slices.Equal(m.off, kept) {
		return
	}
	if m.changes++; m.changes > maxChanges {
		return
	}
	var off []muted
	now := p.cut(at)
	for _, x := range m.off {
		if !slices.ContainsFunc(kept, x.same) {
			x.end(now - 1)
		}
	}
	for _, x := range kept {
		if i := slices.IndexFunc(m.off, x.same); i >= 0 {
			x.since = m.off[i].since
		} else {
			x.since = now
		}
		off = append(off, x)
	}
	m.off = off
}

func (x muted) same(y muted) bool { return x.by == y.by }

func (x muted) end(last int) { x.by.spans = append(x.by.spans, during{x.since, last}) }

// cut ends the passage at hand where a pragma stands, and gives the index of the one that begins there.
func (p *cpp) cut(at token) int {
	root := at.root()
	p.goOn(root.place().Line, p.stack[len(p.stack)-1].file, root.place().Line)
	return len(p.muting.passages) - 1
}

// goOn ends the passage at hand with a line, and begins another.
func (p *cpp) goOn(line int, f *file, from int) {
	m := &p.muting
	if n := len(m.passages); n > 0 {
		m.passages[n-1].to = line
	}
	if m.passages = append(m.passages, passage{f, from, 0}); len(m.passages) >= maxPassages {
		m.changes = maxChanges
	}
}

// opened notes that a file is going to be read.
func (p *cpp) opened(f *file) {
	if n := len(p.muting.passages); n > 0 && n < maxPassages && len(p.stack) > 0 {
		p.goOn(p.row(), f, 1)
	}
}

// closed notes that a file was read, and that the one around it is read on.
func (p *cpp) closed(f *file) {
	n := len(p.muting.passages)
	switch {
	case n == 0 || n >= maxPassages:
	case len(p.stack) > 0:
		p.goOn(len(f.lines), p.stack[len(p.stack)-1].file, p.row())
	default:
		p.muting.passages[n-1].to = len(f.lines)
	}
}

// row is the line up to which the innermost file is read.
func (p *cpp) row() int {
	o := p.stack[len(p.stack)-1]
	return o.file.place(int(o.file.tokens[max(0, o.i-1)].off)).Line
}

// suppressions gives what the pragmas of the unit came to, word by word.
func (p *cpp) suppressions() []driver.Suppression {
	m := &p.muting
	for _, x := range m.off {
		x.end(len(m.passages) - 1)
	}
	var list []driver.Suppression
	for _, x := range m.pragmas {
		s := driver.Suppression{Place: x.at.place(), Rules: []string{x.word}, Reason: x.reason, Covers: x.lines}
		for _, d := range x.spans {
			for _, part := range m.passages[d.from : d.to+1] {
				if !part.file.virtual {
					s.Covers = append(s.Covers, driver.Lines{Path: part.file.path, From: part.from, To: max(part.from, part.to)})
				}
			}
		}
		s.Covers = driver.JoinLines(s.Covers)
		list = append(list, s)
	}
	return list
}

// suppressions gives those of the units, in the order of their places. What several units tell is told once, and the words
// of a pragma that cover the same stand together.
func suppressions(units []*summary) []driver.Suppression {
	var list, out []driver.Suppression
	for _, u := range units {
		list = append(list, u.suppressions...)
	}
	slices.SortStableFunc(list, func(a, b driver.Suppression) int {
		return cmp.Or(a.Place.Compare(b.Place), slices.Compare(a.Rules, b.Rules))
	})
	for _, s := range list {
		n := len(out) - 1
		if n >= 0 && out[n].Place == s.Place && slices.Equal(out[n].Rules, s.Rules) {
			out[n].Covers = append(out[n].Covers, s.Covers...)
			continue
		}
		s.Covers = slices.Clone(s.Covers)
		out = append(out, s)
	}
	list, out = out, nil
	for _, s := range list {
		s.Covers = driver.JoinLines(s.Covers)
		n := len(out) - 1
		if n >= 0 && out[n].Place == s.Place && slices.Equal(out[n].Covers, s.Covers) {
			out[n].Rules = slices.Concat(out[n].Rules, s.Rules)
			continue
		}
		out = append(out, s)
	}
	return out
}

// statementLen measures the text up to the end of the statement that begins in it: its semicolon, the brace that it opens or
// the one that closes those around it. Comments and directives in front of it are passed; with defines, a definition of a
// macro counts as a statement.
func statementLen(b []byte, defines bool) int {
	depth, lineStart := 0, true
	for i := 0; i < len(b); {
		n := 1
		switch c := b[i]; classes[c] {
		case atLineEnd, atReturn:
			lineStart = true
		case atBlank:
		case atSlash:
			n = max(1, commentLen(b[i:]))
		case atHash:
			if lineStart {
				d := skimDirective(b[i:])
				if n = d.size; defines && d.macro != nil {
					return i + len(bytes.TrimRight(b[i:i+n], "\r\n"))
				}
			}
		case atQuote:
			n = quotedLen(b[i:])
		case atOpening:
			if c == '{' && depth == 0 {
				return i
			}
			depth++
		case atClosing:
			if depth--; depth < 0 {
				return i
			}
		case atSemicolon:
			if depth == 0 {
				return i
			}
		}
		switch classes[b[i]] {
		case atLineEnd, atReturn, atBlank, atSlash, atHash:
		default:
			lineStart = false
		}
		i += n
	}
	return len(b)
}
