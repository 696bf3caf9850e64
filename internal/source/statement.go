package source

import (
	"bytes"
	"slices"
	"sort"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// The opt-in call as it is written, so that it can be taken elsewhere: with the comments that belong to it, and with an #if that is
// only about it.

const optInCall = "ExInitializeDriverRuntime"

// callAt gives the statement whose first token is at offset start, and whose semicolon ends at end, in a body that begins at body.
func callAt(f *file, body, start, end int) driver.Statement {
	if f.wide != nil { // UTF-16 is read, not edited
		return driver.Statement{Span: driver.Span{Path: f.path, Inline: true}}
	}
	c := driver.Statement{Span: driver.Span{Path: f.path, Start: start, End: end, Inline: true}}
	i, j := f.indexAt(start), f.indexAt(end-1)
	if i == 0 || j+1 >= len(f.tokens) || f.tokens[i-1].kind != newline || !endsLine(f.tokens[j+1]) || !f.standsAlone(i, j) {
		return c
	}
	data := f.bytes()
	indent := lineStart(data, start)
	if len(bytes.TrimSpace(data[indent:start])) > 0 { // a comment, which may begin on another line
		return c
	}
	first, last := i, j
	if guard, from, to := f.guardOf(body, i, j); guard != nil {
		c.Guard, first, last = guard, from, to
	}
	c.Span = driver.Span{Path: f.path, Start: f.commentsAbove(first), End: behindLine(data, int(f.tokens[last+1].off)), Indent: string(data[indent:start]), Newline: "\n"}
	c.Text = string(data[c.Span.Start:c.Span.End])
	if strings.HasSuffix(c.Text, "\r\n") {
		c.Span.Newline = "\r\n"
	}
	above := data[lineStart(data, max(0, c.Span.Start-1)):c.Span.Start]
	if next := behindLine(data, c.Span.End); blank(data[c.Span.End:next]) && (blank(above) || bytes.HasSuffix(bytes.TrimSpace(above), []byte("{"))) {
		c.Blank = next - c.Span.End
	}
	return c
}

// standsAlone says whether the call from token i to j names nothing that may be known from where it stands on only.
func (f *file) standsAlone(i, j int) bool {
	return !slices.ContainsFunc(f.tokens[i:j+1], func(t raw) bool {
		name := f.textOf(t)
		return t.kind == ident && name != optInCall && name != "DrvRtPoolNxOptIn" && !strings.EqualFold(name, "void")
	})
}

func endsLine(t raw) bool { return t.kind == newline || t.kind == eof }

func blank(line []byte) bool { return len(line) > 0 && len(bytes.TrimSpace(line)) == 0 }

// indexAt gives the index of the first token from an offset on.
func (f *file) indexAt(off int) int {
	return sort.Search(len(f.tokens)-1, func(i int) bool { return int(f.tokens[i].off) >= off })
}

// lineStart gives the offset at which the line of off begins, and behindLine the one behind it.
func lineStart(data []byte, off int) int { return bytes.LastIndexByte(data[:off], '\n') + 1 }

func behindLine(data []byte, off int) int {
	if n := bytes.IndexByte(data[off:], '\n'); n >= 0 {
		return off + n + 1
	}
	return len(data)
}

// guardOf gives the #if that holds the tokens from i to j and nothing else, and its first and last token; nil where there is none,
// or it stands in another.
func (f *file) guardOf(body, i, j int) (guard *driver.Guard, first, last int) {
	i, j = i-1, j+1
	for i > 0 && f.tokens[i].kind == newline {
		i--
	}
	for f.tokens[j].kind == newline {
		j++
	}
	n := sort.Search(len(f.directives), func(n int) bool { return int(f.directives[n].end) > i })
	if n+1 >= len(f.directives) {
		return nil, 0, 0
	}
	opens, ends := f.directives[n], f.directives[n+1]
	if !f.beginsLine(opens) || !f.beginsLine(ends) || opens.kind != ifDirective || ends.kind != endifDirective || int(opens.at) > i || int(ends.at) != j ||
		guarded(f, body, int(f.tokens[opens.at].off)) {
		return nil, 0, 0
	}
	return &driver.Guard{If: f.directiveLine(opens), Endif: f.directiveLine(ends), OptIn: f.asksOptIn(opens)}, int(opens.at), int(ends.end) - 1
}

// beginsLine says whether nothing stands in front of a directive, not even a comment.
func (f *file) beginsLine(d directive) bool {
	off := int(f.tokens[d.at].off)
	return len(bytes.TrimSpace(f.bytes()[lineStart(f.bytes(), off):off])) == 0
}

// directiveLine gives the lines of a directive.
func (f *file) directiveLine(d directive) driver.Written {
	data := f.bytes()
	start := lineStart(data, int(f.tokens[d.at].off))
	end := behindLine(data, int(f.tokens[d.end].off))
	return driver.Written{At: f.place(start), End: end, Text: string(data[start:end])}
}

// asksOptIn says whether an #if asks for nothing but what POOL_NX_OPTIN defines.
func (f *file) asksOptIn(d directive) bool {
	var b strings.Builder
	for i := d.at + 1; i < d.end; i++ {
		b.WriteString(f.textOf(f.tokens[i]) + " ")
	}
	condition := strings.NewReplacer("( ", "", ") ", "", "ifdef ", "if defined ").Replace(b.String())
	return slices.Contains([]string{"if defined POOL_NX_OPTIN ", "if POOL_NX_OPTIN ", "if defined NonPagedPool "}, condition)
}

// commentsAbove gives the offset of the line at which the comments begin that stand directly above the line of token i; that line
// itself, where none do.
func (f *file) commentsAbove(i int) int {
	data := f.bytes()
	first := lineStart(data, int(f.tokens[i].off))
	n := i - 1
	for n > 0 && f.tokens[n].kind == newline {
		n--
	}
	if n < 0 {
		return first
	}
	from := int(f.tokens[n].off) + len(f.textOf(f.tokens[n]))
	if from > first {
		return first
	}
	comments := commentsIn(string(data[from:first]))
	for k := len(comments) - 1; k >= 0; k-- {
		start, end := from+comments[k][0], from+comments[k][1]
		line := lineStart(data, start)
		if line < from || len(bytes.TrimSpace(data[line:start])) > 0 || strings.Count(string(data[end:first]), "\n") > 1 {
			break
		}
		first = line
	}
	return first
}

// commentsIn gives where the comments of a text begin and end that holds nothing else but white space.
func commentsIn(text string) (list [][2]int) {
	for at := 0; ; {
		n := strings.IndexByte(text[at:], '/')
		if n < 0 || at+n+1 >= len(text) {
			return list
		}
		start, size := at+n, 0
		if text[start+1] == '*' {
			size = strings.Index(text[start+2:], "*/") + 4
		} else {
			size = strings.IndexByte(text[start:], '\n')
		}
		if size < 4 && text[start+1] == '*' || size < 0 || strings.HasSuffix(strings.TrimRight(text[start:start+size], "\r"), `\`) {
			return nil
		}
		list = append(list, [2]int{start, start + size})
		at = start + size
	}
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

// notCompiled gives the opt-in calls that are written in a body and that this unit does not compile.
func notCompiled(body []token) []driver.Statement {
	brace, end := body[0], body[len(body)-1]
	f := brace.file
	if brace.exp != nil || end.exp != nil || end.file != f || f.wide != nil || len(f.tokens) == 0 {
		return nil
	}
	compiled := map[int]bool{}
	for _, t := range body {
		if t.is(optInCall) {
			compiled[int(t.root().off)] = true
		}
	}
	var list []driver.Statement
	previous := "{"
	for i := f.indexAt(int(brace.off)) + 1; i < len(f.tokens) && int(f.tokens[i].off) < int(end.off); i++ {
		t := f.token(i)
		switch {
		case t.kind == newline:
			continue
		case t.is("#") && f.tokens[i-1].kind == newline:
			i = f.lineEnd(i)
			continue
		case t.is(optInCall) && !compiled[int(t.off)] && (previous == ";" || previous == "{" || previous == "}"):
			if semicolon := f.optsIn(i); semicolon > 0 {
				list = append(list, callAt(f, int(brace.off), int(t.off), int(f.tokens[semicolon].off)+1))
			}
		}
		previous = t.text
	}
	return list
}

// optsIn gives the index of the semicolon behind the call at i, 0 where that is no statement that opts in.
func (f *file) optsIn(i int) int {
	want := []string{"(", "DrvRtPoolNxOptIn", ")", ";"}
	for n, text := range want {
		if i+1+n >= len(f.tokens) || f.textOf(f.tokens[i+1+n]) != text {
			return 0
		}
	}
	return i + len(want)
}
