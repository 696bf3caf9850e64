package source

import (
	"slices"
	"sort"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
)

// insertion finds the place for a first statement in a function's body: in C++ behind the brace; in C behind the
// declarations at the top of the body, because older compilers accept none after a statement, but before the first
// whose initialiser requests memory. nil where the body comes out of a macro.
func insertion(lang project.Language, body []token, known names) *driver.Span {
	brace := body[0]
	if brace.exp != nil || len(brace.file.tokens) == 0 {
		return nil
	}
	raw := brace.file.tokens
	at := sort.Search(len(raw), func(i int) bool { return raw[i].off >= brace.off })
	w := &statements{raw: raw, i: at + 1, body: body, known: known}
	end := int(brace.off) + 1
	if lang == project.C {
		end = w.declarationsEnd(end)
	}
	return layout(brace.file, int(brace.off), end)
}

// statements walks the statements of a body as they are written, and judges each by what it expands to.
type statements struct {
	raw   []token // of the file
	i     int
	body  []token // of the function, expanded
	next  int     // the first token of body that was not passed yet
	known names
	depth int // open #ifs
}

// declarationsEnd returns the offset behind the last declaration before the first statement, or end if there is none.
// It never lies inside an #if.
func (w *statements) declarationsEnd(end int) int {
	for {
		t := w.raw[w.i]
		switch {
		case t.kind == newline:
			w.i++
		case t.is("#"):
			if w.directive() == "endif" && w.depth == 0 {
				end = int(w.raw[w.i].off)
			}
		case t.kind == eof || t.is("{") || t.is("}"):
			return end
		default:
			semicolon := w.statementEnd()
			if semicolon < 0 || !w.declares(w.raw[w.i:semicolon+1]) {
				return end
			}
			w.i = semicolon + 1
			if w.depth == 0 {
				end = int(w.raw[semicolon].off) + 1
			}
		}
	}
}

// directive passes a line that begins with '#', leaves i at its end and returns its name.
func (w *statements) directive() string {
	name := w.raw[w.i+1].text
	switch {
	case strings.HasPrefix(name, "if"):
		w.depth++
	case name == "endif":
		w.depth--
	}
	w.i = lineEnd(w.raw, w.i)
	return name
}

// statementEnd gives the index of the semicolon that ends the statement at i, -1 if there is none.
func (w *statements) statementEnd() int {
	depth := 0
	for i := w.i; w.raw[i].kind != eof; i++ {
		switch t := w.raw[i]; {
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

// declares says whether a statement is a declaration that requests no memory. One that this unit does not compile is
// judged as it is written.
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
	return isDeclaration(toks) && !slices.ContainsFunc(toks, func(t token) bool { return w.known.ddis[t.text] != nil })
}

// typeWords begin a declaration.
var typeWords = map[string]bool{
	"static": true, "const": true, "volatile": true, "struct": true, "union": true, "enum": true, "unsigned": true,
	"signed": true, "int": true, "char": true, "long": true, "short": true, "void": true, "float": true, "double": true,
	"register": true, "extern": true, "typedef": true, "auto": true, "__int64": true, "__declspec": true, "bool": true,
}

// isDeclaration judges without knowing any type: "A b" and "A *b" declare b, as no expression begins like that.
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
	i := 1
	for i < len(toks) && (toks[i].is("*") || typeWords[toks[i].text]) {
		i++
	}
	return i < len(toks) && toks[i].kind == ident
}

// layout says how a statement put behind offset end has to look, for a body whose brace is at offset brace.
func layout(f *file, brace, end int) *driver.Span {
	s := &driver.Span{Path: f.path, Start: end, End: end, Newline: "\n", Apart: end > brace+1}
	line := endOfLine(f.data, end)
	rest := strings.TrimSpace(string(f.data[end:line]))
	if rest != "" && !onlyComment(rest) {
		s.Inline = true
		return s
	}
	s.Start, s.End = line, line
	if line < len(f.data) && line > 0 && f.data[line] == '\r' {
		s.Newline = "\r\n"
	}
	s.Indent = indentBelow(f.data, brace, end)
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

// statementSpan is the range of a statement with its whole line, where nothing else stands on it and no directive
// next to it; else the statement alone, marked inline.
func statementSpan(f *file, start, end int) driver.Span {
	alone := driver.Span{Path: f.path, Start: start, End: end, Inline: true}
	first := start
	for first > 0 && (f.data[first-1] == ' ' || f.data[first-1] == '\t') {
		first--
	}
	stop := endOfLine(f.data, end)
	lineBefore := strings.TrimSpace(lastLine(f.data[:first]))
	lineAfter := strings.TrimSpace(firstLine(f.data[stop:]))
	if end > stop || strings.TrimSpace(string(f.data[end:stop])) != "" || first > 0 && f.data[first-1] != '\n' ||
		strings.HasPrefix(lineBefore, "#") || strings.HasPrefix(lineAfter, "#") {
		return alone
	}
	for stop < len(f.data) && f.data[stop] != '\n' {
		stop++
	}
	return driver.Span{Path: f.path, Start: first, End: min(stop+1, len(f.data))}
}

// lastLine gives the line in front of the one that data ends in.
func lastLine(data []byte) string {
	lines := strings.Split(strings.TrimSuffix(string(data[max(0, len(data)-500):]), "\n"), "\n")
	return lines[len(lines)-1]
}

// firstLine gives the line behind the line end that data begins with.
func firstLine(data []byte) string {
	_, rest, _ := strings.Cut(string(data[:min(500, len(data))]), "\n")
	line, _, _ := strings.Cut(rest, "\n")
	return line
}
