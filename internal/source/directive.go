package source

import "strings"

// open is a file being read.
type open struct {
	file     *file
	i        int
	branches []branch
	under    int    // the number of the assumption that its include hangs on, 0 for none
	shift    int    // what #line adds to the numbers of lines
	name     string // what #line says the file is called, "" where it does not
}

// branch is one #if ... #endif that is open.
type branch struct {
	active, taken, parent bool
	under                 int // the number of the assumption that it and what follows it hangs on, 0 for none
}

// fromFile gives the next token of the files, and carries out the directives on the way.
func (p *cpp) fromFile() token {
	for len(p.stack) > 0 && p.count <= maxRead {
		o := p.stack[len(p.stack)-1]
		toks := o.file.tokens
		t := toks[o.i]
		switch {
		case t.kind == eof && len(p.stack) <= p.floor:
			return t
		case t.kind == eof:
			p.close(o)
		case t.kind == punct && t.text == "#" && (o.i == 0 || toks[o.i-1].kind == newline):
			p.directive(o, t)
		case !o.active():
			end := lineEnd(toks, o.i) + 1
			p.count += end - o.i
			o.i = end
		default:
			o.i++
			return t
		}
	}
	return token{kind: eof}
}

// close ends a file. An #if that is open in it does not reach the file that includes it.
func (p *cpp) close(o *open) {
	p.assumed.end(o.branches, len(o.file.data))
	p.stack = p.stack[:len(p.stack)-1]
}

// lineEnd gives the index of the newline that ends the line of token i.
func lineEnd(toks []token, i int) int {
	for toks[i].kind != newline {
		i++
	}
	return i
}

func (o *open) active() bool {
	return len(o.branches) == 0 || o.branches[len(o.branches)-1].active
}

// directive carries out one line that begins with '#'.
func (p *cpp) directive(o *open, hash token) {
	start := o.i + 1
	o.i = lineEnd(o.file.tokens, start)
	line := o.file.tokens[start:o.i]
	p.count += len(line)
	o.i++
	if len(line) == 0 {
		return
	}
	name, rest := line[0].text, line[1:]
	if p.conditional(o, hash, name, rest) || !o.active() {
		return
	}
	switch name {
	case "include", "include_next", "import":
		p.include(hash, name, rest)
	case "define":
		p.define(o.file.macros[start-1])
	case "undef":
		if len(rest) > 0 {
			delete(p.macros, rest[0].text)
		}
	case "pragma":
		p.pragma(rest)
	case "line":
		o.renumber(p.expandList(rest), hash)
	default:
		if line[0].kind == number { // as a preprocessed file has it
			o.renumber(line, hash)
		}
	}
}

// conditional handles the directives that open, switch or close a branch.
func (p *cpp) conditional(o *open, hash token, name string, rest []token) bool {
	switch name {
	case "if", "ifdef", "ifndef":
		b := branch{parent: o.active()}
		if b.parent {
			p.decide(o, &b, hash, name, rest)
		}
		o.branches = append(o.branches, b)
	case "elif", "elifdef", "elifndef", "else":
		if len(o.branches) == 0 {
			break
		}
		b := &o.branches[len(o.branches)-1]
		switch {
		case !b.parent || b.taken:
			b.active = false
		case name == "else":
			b.active, b.taken = true, true
		default:
			p.decide(o, b, hash, strings.TrimPrefix(name, "el"), rest)
		}
	case "endif":
		if n := len(o.branches); n > 0 {
			p.assumed.end(o.branches[n-1:], int(hash.off))
			o.branches = o.branches[:n-1]
		}
	default:
		return false
	}
	return true
}

// decide evaluates the condition of a branch that is reached.
func (p *cpp) decide(o *open, b *branch, hash token, name string, line []token) {
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
		p.macros[m.name.text] = m
	}
}
