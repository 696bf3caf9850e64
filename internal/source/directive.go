package source

import (
	"slices"
	"strings"
)

// directive is one line that begins with '#', found once for all units.
type directive struct {
	at, end int32 // the indexes of the '#' and of the newline
	next    int32 // of a conditional, the index of the directive that switches or ends its branch; of the last ones, none
	kind    directiveKind
	macro   *macro // that it defines
}

type directiveKind uint8

const (
	otherDirective directiveKind = iota
	defineDirective
	ifDirective   // #if, #ifdef, #ifndef
	elseDirective // #else, and #elif in all its forms
	endifDirective
)

var directiveKinds = map[string]directiveKind{
	"define": defineDirective, "if": ifDirective, "ifdef": ifDirective, "ifndef": ifDirective, "elif": elseDirective,
	"elifdef": elseDirective, "elifndef": elseDirective, "else": elseDirective, "endif": endifDirective,
}

// findDirectives finds the directives of a file, the macros that they define, and the guard around all of it.
func (f *file) findDirectives() {
	var list []directive
	size := 0 // of all definitions
	for i := 0; i < len(f.tokens); i++ {
		if f.tokens[i].kind != punct || f.textOf(f.tokens[i]) != "#" || i > 0 && f.tokens[i-1].kind != newline {
			continue
		}
		d := directive{at: int32(i), end: int32(f.lineEnd(i)), kind: directiveKinds[f.textOf(f.tokens[i+1])]}
		if d.kind == defineDirective {
			size += int(d.end-d.at) - 2
		}
		list = append(list, d)
		i = int(d.end)
	}
	f.directives = slices.Clone(list)
	f.define(size)
	f.pair()
	f.guard = f.findGuard()
}

// define reads the definitions, whose tokens share one list.
func (f *file) define(size int) {
	list := make([]token, 0, size)
	for i := range f.directives {
		if d := &f.directives[i]; d.kind == defineDirective {
			start := len(list)
			list = f.list(list, int(d.at)+2, int(d.end))
			d.macro = newMacro(list[start:len(list):len(list)])
		}
	}
}

// pair finds for each conditional directive the one behind its branch.
func (f *file) pair() {
	var open []int
	for i := range f.directives {
		d := &f.directives[i]
		d.next = int32(len(f.directives))
		if (d.kind == elseDirective || d.kind == endifDirective) && len(open) > 0 {
			f.directives[open[len(open)-1]].next = int32(i)
			open = open[:len(open)-1]
		}
		if d.kind == ifDirective || d.kind == elseDirective {
			open = append(open, i)
		}
	}
}

// findGuard gives the name of an #ifndef or #if !defined that the whole file stands in, "" where there is none.
func (f *file) findGuard() string {
	last := len(f.directives) - 1
	if last < 1 || int(f.directives[0].next) != last || f.directives[last].kind != endifDirective {
		return ""
	}
	outside := func(t raw) bool { return t.kind != newline && t.kind != eof }
	if slices.ContainsFunc(f.tokens[:f.directives[0].at], outside) || slices.ContainsFunc(f.tokens[f.directives[last].end:], outside) {
		return ""
	}
	line := f.list(nil, int(f.directives[0].at)+1, int(f.directives[0].end))
	switch {
	case len(line) == 2 && line[0].is("ifndef"):
		return line[1].text
	case len(line) > 3 && line[0].is("if") && line[1].is("!") && line[2].is("defined"):
		if operand, rest := cutOperand(line[3:]); len(operand) == 1 && len(rest) == 0 {
			return operand[0].text
		}
	}
	return ""
}

// open is a file being read.
type open struct {
	file     *file
	i        int // the token that follows
	until    int // the index of the directive that follows, or of the file's end
	d        int // the number of that directive
	branches []branch
	under    int    // the number of the assumption that its include hangs on, 0 for none
	shift    int    // what #line adds to the numbers of lines
	name     string // what #line says the file is called, "" where it does not
	skipped  []int  // the comments that suppress something and stand in text that is not compiled
}

// branch is one #if ... #endif that is open.
type branch struct {
	active, taken, parent bool
	under                 int // the number of the assumption that it and what follows it hangs on, 0 for none
	next                  int // the number of the directive that ends it, or switches to another
}

// seek goes on at a token.
func (o *open) seek(i int) {
	for o.i = i; o.d < len(o.file.directives) && int(o.file.directives[o.d].at) < i; o.d++ {
	}
	o.findNext()
}

func (o *open) findNext() {
	o.until = len(o.file.tokens) - 1
	if o.d < len(o.file.directives) {
		o.until = int(o.file.directives[o.d].at)
	}
}

// fromFile gives the next token of the files, and carries out the directives on the way.
func (p *cpp) fromFile() token {
	for len(p.stack) > 0 && p.count <= maxRead {
		o := p.stack[len(p.stack)-1]
		switch {
		case !o.active():
			p.pass(o)
		case o.i < o.until:
			o.i++
			return o.file.token(o.i - 1)
		case o.d < len(o.file.directives):
			p.directive(o)
		case len(p.stack) <= p.floor:
			return o.file.token(o.i)
		default:
			p.close(o)
		}
	}
	return token{kind: eof}
}

// pass goes on behind a branch that is not active.
func (p *cpp) pass(o *open) {
	i := o.i
	o.d = o.branches[len(o.branches)-1].next
	o.findNext()
	o.i = o.until
	p.count += o.i - i
	if o.file.outline != nil && len(o.file.outline.ignores) > 0 {
		o.skip(o.file.tokens[max(0, i-1)].off, o.file.tokens[o.i].off)
	}
	if o.d < len(o.file.directives) {
		p.directive(o)
		return
	}
	o.branches = o.branches[:0] // unclosed
}

// close ends a file. An #if that is open in it does not reach the file that includes it.
func (p *cpp) close(o *open) {
	p.assumed.end(o.branches, o.file.size)
	p.stack = p.stack[:len(p.stack)-1]
	p.closed(o.file)
	p.hear(o)
}

func (o *open) active() bool {
	return len(o.branches) == 0 || o.branches[len(o.branches)-1].active
}

// directive carries out the next one of a file.
func (p *cpp) directive(o *open) {
	d := o.file.directives[o.d]
	o.i = int(d.end) + 1
	o.d++
	o.findNext()
	p.count += int(d.end - d.at - 1)
	switch {
	case d.kind == defineDirective:
		p.define(d.macro)
	case d.kind != otherDirective:
		p.conditional(o, d)
	case d.at+1 < d.end:
		p.words = o.file.list(p.words[:0], int(d.at), int(d.end))
		p.carryOut(o, p.words[0], p.words[1:])
	}
}

// carryOut is for the directives that are neither definitions nor conditions.
func (p *cpp) carryOut(o *open, hash token, line []token) {
	name, rest := line[0].text, line[1:]
	switch name {
	case "include", "include_next", "import":
		p.include(hash, name, rest)
	case "undef":
		if len(rest) > 0 {
			delete(p.macros, rest[0].text)
		}
	case "pragma":
		p.pragma(hash, rest)
	case "line":
		o.renumber(p.expandList(rest), hash)
	default:
		if line[0].kind == number { // as a preprocessed file has it
			o.renumber(line, hash)
		}
	}
}

// conditional handles the directives that open, switch or close a branch.
func (p *cpp) conditional(o *open, d directive) {
	if d.kind == ifDirective {
		b := branch{parent: o.active(), next: int(d.next)}
		if b.parent {
			p.decide(o, &b, d)
		}
		o.branches = append(o.branches, b)
		return
	}
	n := len(o.branches)
	switch {
	case n == 0:
	case d.kind == elseDirective:
		p.otherwise(o, &o.branches[n-1], d)
	default:
		p.assumed.end(o.branches[n-1:], int(o.file.tokens[d.at].off))
		o.branches = o.branches[:n-1]
	}
}

// otherwise switches to another branch.
func (p *cpp) otherwise(o *open, b *branch, d directive) {
	b.next = int(d.next)
	switch {
	case !b.parent || b.taken:
		b.active = false
	case o.file.textOf(o.file.tokens[d.at+1]) == "else":
		b.active, b.taken = true, true
	default:
		p.decide(o, b, d)
	}
}

// decide evaluates the condition of a branch that is reached.
func (p *cpp) decide(o *open, b *branch, d directive) {
	p.words = o.file.list(p.words[:0], int(d.at), int(d.end))
	hash, name, line := p.words[0], strings.TrimPrefix(p.words[1].text, "el"), p.words[2:]
	v := p.holds(name, line)
	b.active = v.bits != 0
	b.taken = b.active
	if v.on != "" && b.under == 0 {
		b.under = p.assume(o, hash, v.on)
	}
}

// holds evaluates the condition of #if, #ifdef or #ifndef.
func (p *cpp) holds(name string, line []token) number64 {
	if name == "if" {
		return p.condition(line)
	}
	if len(line) == 0 {
		return number64{}
	}
	v := p.defined(line[0].text)
	if name == "ifndef" {
		v.bits = truth(v.bits == 0)
	}
	return v
}

// defined answers whether a name is a macro; where it is not, the answer hangs on it.
func (p *cpp) defined(name string) number64 {
	if p.lookup(name) != nil {
		return number64{bits: 1}
	}
	return number64{on: name}
}

// answer replaces defined X, defined(X) and __has_include(...) by what they ask for.
func (p *cpp) answer(line []token) []token {
	out := make([]token, 0, len(line))
	for len(line) > 0 {
		t := line[0]
		line = line[1:]
		if t.kind == ident && (t.text == "defined" || t.text == "__has_include") {
			var operand []token
			operand, line = cutOperand(line)
			t = p.question(t, operand)
		}
		out = append(out, t)
	}
	return out
}

// cutOperand takes X or (X) from the front of a line.
func cutOperand(line []token) (operand, rest []token) {
	if len(line) == 0 || !line[0].is("(") {
		return line[:min(1, len(line))], line[min(1, len(line)):]
	}
	for i, t := range line {
		if t.is(")") {
			return line[1:i], line[i+1:]
		}
	}
	return line[1:], nil
}

// question gives the name that is asked for, marked as such, or a number.
func (p *cpp) question(t token, operand []token) token {
	if t.text == "defined" && len(operand) > 0 && operand[0].kind == ident {
		t.text = operand[0].text
		t.flags |= asked | painted
		return t
	}
	yes := t.text == "__has_include" && p.hasInclude(operand)
	t.kind, t.text = number, "0"
	if yes {
		t.text = "1"
	}
	return t
}

// asked answers a "defined" that came out of a macro: what it asks for is not expanded.
func (p *cpp) asked(t token) token {
	var operand []token
	x := p.raw()
	if !x.is("(") {
		return p.question(t, append(operand, x))
	}
	for x = p.raw(); x.kind != eof && !x.is(")"); x = p.raw() {
		operand = append(operand, x)
	}
	return p.question(t, operand)
}

// define puts a macro in force.
func (p *cpp) define(m *macro) {
	if m != nil {
		p.redefines(m)
		p.macros[m.name.text] = m
		p.tooLate(m)
	}
}
