package source

import (
	"bytes"
	"slices"
	"sort"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
)

// insertPoint is a place where a first statement can go, and what the declaration behind it calls.
type insertPoint struct {
	span     driver.Span
	next     []string
	requests bool // a DDI of the table is among them, or it reads what the opt-in call sets
}

// insertion finds the places for a first statement in a function's body, the first of them behind the brace. In C++
// that is the only one; in C the last one is behind the declarations at the top of the body, because older compilers
// accept none after a statement. None where the body comes out of a macro, nor in UTF-16, which is not edited.
func insertion(lang project.Language, body []token, known names) []insertPoint {
	brace := body[0]
	if brace.exp != nil || brace.file.wide != nil || len(brace.file.tokens) == 0 {
		return nil
	}
	list := brace.file.tokens
	at := sort.Search(len(list), func(i int) bool { return list[i].off >= brace.off })
	w := &statements{file: brace.file, data: brace.file.bytes(), i: at + 1, body: body, known: known}
	w.point(int(brace.off) + 1)
	if lang == project.C {
		w.declarations()
	}
	return w.points
}

// statements walks the statements of a body as they are written, and judges each by what it expands to.
type statements struct {
	file   *file
	data   []byte // of the file
	i      int
	body   []token // of the function, expanded
	next   int     // the first token of body that was not passed yet
	known  names
	depth  int // open #ifs
	points []insertPoint
}

func (w *statements) point(end int) {
	brace := w.body[0]
	w.points = append(w.points, insertPoint{span: layout(brace.file, w.data, int(brace.off), end)})
}

// declarations passes the declarations before the first statement; behind each is a point, but not inside an #if.
func (w *statements) declarations() {
	for {
		t := w.file.token(w.i)
		switch {
		case t.kind == newline:
			w.i++
		case t.is("#"):
			if w.directive() == "endif" && w.depth == 0 {
				w.point(int(w.file.tokens[w.i].off))
			}
		case t.kind == eof || t.is("{") || t.is("}"):
			return
		default:
			semicolon := w.statementEnd()
			if semicolon < 0 || !w.declares(w.file.list(nil, w.i, semicolon+1)) {
				return
			}
			w.i = semicolon + 1
			if w.depth == 0 {
				w.point(int(w.file.tokens[semicolon].off) + 1)
			}
		}
	}
}

// directive passes a line that begins with '#', leaves i at its end and returns its name.
func (w *statements) directive() string {
	name := w.file.token(w.i + 1).text
	switch {
	case strings.HasPrefix(name, "if"):
		w.depth++
	case name == "endif":
		w.depth--
	}
	w.i = w.file.lineEnd(w.i)
	return name
}

// statementEnd gives the index of the semicolon that ends the statement at i, -1 if there is none.
func (w *statements) statementEnd() int {
	depth := 0
	for i := w.i; w.file.tokens[i].kind != eof; i++ {
		switch t := w.file.token(i); {
		case t.is("#") && w.file.tokens[i-1].kind == newline:
			i = w.file.lineEnd(i)
		case t.kind != punct:
		case t.text == "(" || t.text == "[" || t.text == "{":
			depth++
		case t.text == ")" || t.text == "]" || t.text == "}":
			if depth--; depth < 0 {
				return -1
			}
		case t.text == ";" && depth == 0:
			return i
		}
	}
	return -1
}

// declares says whether a statement is a declaration, and tells the point in front of it what it calls. One that this
// unit does not compile is judged as it is written.
func (w *statements) declares(written []token) bool {
	start, end := int(written[0].off), int(written[len(written)-1].off)+1
	var toks []token
	for ; w.next < len(w.body); w.next++ {
		root := w.body[w.next].root()
		if root.file == w.body[0].file && int(root.off) >= end {
			break
		}
		if int(root.off) >= start {
			toks = append(toks, w.body[w.next])
		}
	}
	if len(toks) == 0 {
		toks = written
	}
	last := &w.points[len(w.points)-1]
	last.requests = last.requests || slices.ContainsFunc(toks, redefinable) && !slices.ContainsFunc(toks, isStatic)
	for i, t := range toks {
		if t.kind == ident && i+1 < len(toks) && toks[i+1].is("(") {
			last.next = append(last.next, t.text)
			last.requests = last.requests || w.known.ddis[t.text] != nil
		}
	}
	return isDeclaration(toks)
}

// isStatic says whether a declaration has an initialiser that does not run where it stands.
func isStatic(t token) bool { return t.is("static") }

// typeWords begin a declaration.
var typeWords = map[string]bool{
	"static": true, "const": true, "volatile": true, "struct": true, "union": true, "enum": true, "unsigned": true,
	"signed": true, "int": true, "char": true, "long": true, "short": true, "void": true, "float": true, "double": true,
	"register": true, "extern": true, "typedef": true, "auto": true, "__int64": true, "__declspec": true, "bool": true,
}

// isDeclaration judges without knowing any type: "A b", "A *b", "A (*b)(" and "M(x) A b" declare b, as no expression
// begins like that.
func isDeclaration(toks []token) bool {
	first := toks[0]
	if first.kind != ident {
		return false
	}
	if typeWords[first.text] || kitDeclarations[first.text] {
		return true
	}
	if keywords[first.text] || len(toks) < 2 {
		return false
	}
	if toks[1].is("(") {
		end := closing(toks, 1)
		pointer := toks[min(2, len(toks)-1)].is("*") && end+1 < len(toks) && toks[end+1].is("(")
		return pointer || end+2 < len(toks) && isDeclaration(toks[end+1:])
	}
	i := 1
	for i < len(toks) && (toks[i].is("*") || typeWords[toks[i].text]) {
		i++
	}
	return i < len(toks) && toks[i].kind == ident
}

// layout says how a statement put behind offset end has to look, for a body whose brace is at offset brace.
func layout(f *file, data []byte, brace, end int) driver.Span {
	s := driver.Span{Path: f.path, Start: end, End: end, Newline: "\n", Apart: end > brace+1}
	if bytes.Contains(data, []byte("\r\n")) {
		s.Newline = "\r\n"
	}
	line := endOfLine(data, end)
	rest := strings.TrimSpace(string(data[end:line]))
	if rest != "" && !onlyComment(rest) {
		s.Inline = true
		return s
	}
	s.Start, s.End = line, line
	if line < len(data) {
		s.Newline = "\n"
		if data[line] == '\r' {
			s.Newline = "\r\n"
		}
	}
	s.Indent = indentBelow(data, brace, end)
	return s
}

// endOfLine gives the offset of the line's end, in front of its "\r\n" or "\n".
func endOfLine(data []byte, off int) int {
	i := off
	for i < len(data) && data[i] != '\n' {
		i++
	}
	if i > off && i < len(data) && data[i-1] == '\r' {
		i--
	}
	return i
}

// onlyComment says whether the rest of a line is one comment that ends with the line.
func onlyComment(rest string) bool {
	return strings.HasPrefix(rest, "//") && !strings.HasSuffix(rest, `\`) ||
		strings.HasPrefix(rest, "/*") && strings.Index(rest, "*/") == len(rest)-2
}

// indentBelow gives the white space in front of the last declaration, or of the first line that has text below the
// brace: a label or a directive, which stand at the margin, does not count.
func indentBelow(data []byte, brace, end int) string {
	from := endOfLine(data, brace)
	for from < len(data) {
		start := from
		for start < len(data) && (data[start] == '\r' || data[start] == '\n') {
			start++
		}
		stop := endOfLine(data, start)
		line := string(data[start:stop])
		body := strings.TrimLeft(line, " \t")
		if body != "" && body[0] != '#' && len(body) < len(line) {
			return line[:len(line)-len(body)]
		}
		if stop >= len(data) || strings.HasPrefix(body, "}") {
			break
		}
		from = stop
	}
	return "    "
}

// statementSpan is the range of a statement with its whole line, where nothing else stands on it and it hangs on no
// directive since the body began; else the statement alone, marked inline.
func statementSpan(f *file, body, start, end int) driver.Span {
	if f.wide != nil { // UTF-16 is read, not edited
		return driver.Span{Path: f.path, Inline: true}
	}
	alone := driver.Span{Path: f.path, Start: start, End: end, Inline: true}
	data := f.bytes()
	first := start
	for first > 0 && (data[first-1] == ' ' || data[first-1] == '\t') {
		first--
	}
	stop := endOfLine(data, end)
	if end > stop || strings.TrimSpace(string(data[end:stop])) != "" || first > 0 && data[first-1] != '\n' ||
		guarded(f, body, start) {
		return alone
	}
	for stop < len(data) && data[stop] != '\n' {
		stop++
	}
	return driver.Span{Path: f.path, Start: first, End: min(stop+1, len(data))}
}

// guarded says whether an #if is open at an offset that was opened behind another.
func guarded(f *file, from, to int) bool {
	depth := 0
	for _, d := range f.directives {
		if at := int(f.tokens[d.at].off); at < from || at >= to {
			continue
		}
		switch name := f.textOf(f.tokens[d.at+1]); {
		case strings.HasPrefix(name, "if"):
			depth++
		case name == "endif":
			depth--
		}
	}
	return depth != 0
}
