package source

import (
	"strconv"
	"strings"
)

// pragma carries out those that change what the preprocessor does, or what is told of the unit. It stands at a token: the '#' of
// its directive, or the operator.
func (p *cpp) pragma(at token, line []token) {
	if len(line) == 0 || len(p.stack) == 0 {
		return
	}
	switch line[0].text {
	case "once":
		p.once[p.stack[len(p.stack)-1].file] = true
		return
	case "warning", "prefast":
		p.mute(at, line)
		return
	}
	if len(line) < 3 || line[2].kind != str {
		return
	}
	name := strings.Trim(line[2].text, `"`)
	switch line[0].text {
	case "push_macro":
		p.pushed[name] = append(p.pushed[name], p.lookup(name))
	case "pop_macro":
		p.pop(name)
	}
}

func (p *cpp) pop(name string) {
	saved := p.pushed[name]
	if len(saved) == 0 {
		return
	}
	p.pushed[name] = saved[:len(saved)-1]
	if m := saved[len(saved)-1]; m != nil {
		p.macros[name] = m
	} else {
		delete(p.macros, name)
	}
}

// operator carries out __pragma(...) or _Pragma("...") behind the word t, and leaves it out.
func (p *cpp) operator(t token) {
	line := p.group()
	if t.text == "_Pragma" && len(line) == 1 && line[0].kind == str {
		text := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(line[0].text, "L"), `"`), `"`)
		f := newText("", "", strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(text))
		line = f.list(nil, 0, len(f.tokens)-2)
	}
	p.pragma(t, line)
}

// maxPragma is how many tokens of a pragma are looked at.
const maxPragma = 64

// group passes (...) and gives the first of the tokens inside.
func (p *cpp) group() []token {
	var list []token
	depth := 0
	for t := p.next(); t.kind != eof; t = p.next() {
		switch {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		}
		if depth <= 0 {
			break
		}
		if len(list) < maxPragma {
			list = append(list, t)
		}
	}
	return list[min(1, len(list)):]
}

// builtin is a macro that the compiler defines and whose value depends on where it is used.
type builtin uint8

const (
	_ builtin = iota
	lineNumber
	fileName
	counter
	date
	hasInclude // is defined, but means something in a condition only
)

// builtins are shared by all units: nothing in them changes.
var builtins = map[string]*macro{
	"__LINE__": {builtin: lineNumber}, "__FILE__": {builtin: fileName}, "__COUNTER__": {builtin: counter},
	"__DATE__": {builtin: date}, "__TIME__": {builtin: date}, "__TIMESTAMP__": {builtin: date},
	"__has_include": {builtin: hasInclude},
}

// value gives what a builtin macro stands for at t. Dates are those of no build.
func (p *cpp) value(m *macro, t token) token {
	t.flags |= painted
	switch m.builtin {
	case lineNumber:
		t.kind, t.text = number, strconv.Itoa(p.line(t))
	case fileName:
		root := t.root().file
		name := root.path
		if n := len(p.stack); n > 0 && p.stack[n-1].file == root && p.stack[n-1].name != "" {
			name = p.stack[n-1].name
		}
		t.kind, t.text = str, `"`+escapes.Replace(name)+`"`
	case counter:
		t.kind, t.text = number, strconv.Itoa(p.counter)
		p.counter++
	case date:
		t.kind, t.text = str, `"?"`
	}
	return t
}

// line is that of a name that is written out, and in the body of a macro the one where its use ends.
func (p *cpp) line(t token) int {
	if len(p.stack) == 0 {
		return t.root().place().Line
	}
	o := p.stack[len(p.stack)-1]
	if t.exp != nil {
		t = o.file.token(max(0, o.i-1))
	}
	return t.place().Line + o.shift
}

// renumber carries out #line NUMBER "file" and its short form.
func (o *open) renumber(line []token, hash token) {
	if len(line) == 0 || line[0].kind != number {
		return
	}
	n, ok := parseInteger(line[0].text)
	if !ok || n > 1<<31 {
		return
	}
	o.shift = int(n) - hash.place().Line - 1
	if len(line) > 1 && line[1].kind == str {
		o.name = strings.ReplaceAll(strings.Trim(line[1].text, `"`), `\\`, `\`)
	}
}
