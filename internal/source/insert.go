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
	requests bool                 // a DDI of the table is among them, or it reads what the opt-in call sets
	moved    []driver.Initialiser // its initialisers, where they can wait for the statement
	stuck    bool                 // it has others that hang on the order
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
	w := &statements{file: brace.file, data: brace.file.bytes(), i: at + 1, body: body, known: known, names: map[string]bool{}}
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
	names  map[string]bool // of the variables declared so far
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
			switch w.directive() {
			case "endif":
				if w.depth == 0 {
					w.point(int(w.file.tokens[w.i].off))
				}
			case "define", "undef", "include": // what follows means something else before it
				w.points[len(w.points)-1].stuck = true
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
	w.postpone(last, written, toks)
	return isDeclaration(toks)
}

// postpone says which initialisers of a declaration can become assignments behind all declarations, so that what they do is done
// in the same order; those that do nothing and hang on nothing stay. It is given as it is written and as it is compiled.
func (w *statements) postpone(p *insertPoint, written, compiled []token) {
	written = slices.DeleteFunc(slices.Clone(written[:len(written)-1]), func(t token) bool { return t.kind == newline })
	list := declarators(written)
	inert := w.isInert(compiled, list)
	for _, d := range list {
		w.names[d.name] = true
	}
	if inert {
		return
	}
	conditional := slices.ContainsFunc(written, func(t token) bool { return t.is("#") })
	p.stuck = p.stuck || conditional || w.depth > 0 || len(list) == 0
	for _, d := range list {
		i := w.assignment(written, d)
		if mayBeBraces(d, compiled) {
			i = nil
		}
		switch {
		case d.init == nil:
		case i == nil:
			p.stuck = true
		default:
			p.moved = append(p.moved, *i)
		}
	}
	p.stuck = p.stuck || len(p.moved) == 0
}

// assignment makes a statement of an initialiser; nil where the variable can't be assigned.
func (w *statements) assignment(written []token, d declarator) *driver.Initialiser {
	name := written[d.at]
	if !d.assign || d.array || d.pointer || len(d.init) == 0 || d.init[0].is("{") || !written[d.at+1].is("=") || written[0].is("auto") {
		return nil
	}
	for i := d.at - 1; i >= 0 && !written[i].is("*"); i-- { // what a pointer points to may be const
		if isConstant(written[i : i+1]) {
			return nil
		}
	}
	equals, last := written[d.at+1], d.init[len(d.init)-1]
	from, to := int(name.off)+len(name.text), int(last.off)+len(last.text)
	if len(bytes.TrimSpace(w.data[from:equals.off])) > 0 {
		return nil
	}
	value := string(bytes.TrimSpace(w.data[int(equals.off)+1 : to]))
	return &driver.Initialiser{Path: w.file.path, Start: from, End: to, Statement: name.text + " = " + value + ";"}
}

// mayBeBraces says whether a macro gives a variable what only an initialiser can be: braces, as RTL_INIT_OBJECT_ATTRIBUTES, or
// what is not known.
func mayBeBraces(d declarator, compiled []token) bool {
	if len(d.init) == 0 || d.init[0].kind != ident {
		return false
	}
	i := slices.IndexFunc(compiled, func(t token) bool { return t.is(d.name) })
	for i >= 0 && i+2 < len(compiled) && !compiled[i+1].is("=") {
		i++
	}
	if i < 0 || i+2 >= len(compiled) {
		return true
	}
	first := compiled[i+2]
	unknown := first.is(d.init[0].text) && len(d.init) > 1 && d.init[1].is("(") && first.text == strings.ToUpper(first.text)
	return first.is("{") || unknown && !d.star
}

// constantMacros are macros of the kit with arguments that give constants.
var constantMacros = map[string]bool{
	"RTL_CONSTANT_STRING": true, "RTL_CONSTANT_OBJECT_ATTRIBUTES": true, "CTL_CODE": true, "FIELD_OFFSET": true, "TEXT": true, "_T": true,
}

// isInert says whether a declaration does nothing but give constants to its variables, as far as names tell: those of constants
// are written in capitals, and are not declared here.
func (w *statements) isInert(toks []token, list []declarator) bool {
	if toks[0].is("static") || kitDeclarations[toks[0].text] {
		return true // the compiler's or the kit's
	}
	i := slices.IndexFunc(toks, func(t token) bool { return t.is("=") })
	if i < 0 {
		return !slices.ContainsFunc(toks[:len(toks)-1], func(t token) bool { return t.is(";") }) // a macro may hold more
	}
	if i > 3 && toks[1].is("(") && toks[2].is("*") && i+2 < len(toks) && toks[i+1].kind == ident && toks[i+2].is(";") && !w.names[toks[i+1].text] {
		return true // a pointer to a function
	}
	for i++; i < len(toks); i++ {
		switch t := toks[i]; {
		case t.is("sizeof") && i+1 < len(toks) && toks[i+1].is("("):
			i = closing(toks, i+1)
		case t.kind == ident && i+1 < len(toks) && toks[i+1].is("(") && !constantMacros[t.text]:
			return false
		case t.kind == ident && !typeWords[t.text] && (w.names[t.text] || t.text != strings.ToUpper(t.text)) && !declaresName(list, t.text):
			return false
		case t.kind == punct && (assignments[t.text] && t.text != "=" || t.is("->") || t.is(".") || t.is("[")):
			return false
		}
	}
	return true
}

func declaresName(list []declarator, name string) bool {
	return slices.ContainsFunc(list, func(d declarator) bool { return d.name == name })
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

// lineOf says how a line like that on which offset is the first text is laid out; inline where it is not the first.
func lineOf(f *file, offset int) driver.Span {
	data := f.bytes()
	s := driver.Span{Path: f.path, Start: offset, End: offset, Newline: "\n"}
	first := offset
	for first > 0 && (data[first-1] == ' ' || data[first-1] == '\t') {
		first--
	}
	s.Inline = first > 0 && data[first-1] != '\n'
	if line := endOfLine(data, offset); line < len(data) && data[line] == '\r' {
		s.Newline = "\r\n"
	}
	s.Indent = string(data[first:offset])
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
