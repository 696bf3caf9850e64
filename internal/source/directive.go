package source

import "strings"

// fromFile gives the next token of the files, and carries out the directives on the way.
func (p *cpp) fromFile() token {
	for len(p.stack) > 0 {
		o := p.stack[len(p.stack)-1]
		toks := o.file.tokens
		t := toks[o.i]
		switch {
		case t.kind == eof:
			p.stack = p.stack[:len(p.stack)-1]
		case t.is("#") && (o.i == 0 || toks[o.i-1].kind == newline):
			p.directive(o, t)
		case !o.active():
			o.i = lineEnd(toks, o.i) + 1
		default:
			o.i++
			return t
		}
	}
	return token{kind: eof}
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
	o.i++
	if len(line) == 0 {
		return
	}
	name, rest := line[0].text, line[1:]
	if o.conditional(p, name, rest) || !o.active() {
		return
	}
	switch name {
	case "include", "include_next", "import":
		p.include(hash, rest, name == "include_next")
	case "define":
		p.define(rest)
	case "undef":
		if len(rest) > 0 {
			delete(p.macros, rest[0].text)
		}
	case "pragma":
		p.pragma(o, rest)
	}
}

// conditional handles the directives that open, switch or close a branch.
func (o *open) conditional(p *cpp, name string, rest []token) bool {
	switch name {
	case "if", "ifdef", "ifndef":
		parent := o.active()
		active := parent && p.holds(name, rest)
		o.branches = append(o.branches, branch{active: active, taken: active, parent: parent})
		return true
	case "elif", "elifdef", "elifndef", "else":
		if len(o.branches) > 0 {
			b := &o.branches[len(o.branches)-1]
			b.active = b.parent && !b.taken && (name == "else" || p.holds(strings.TrimPrefix(name, "el"), rest))
			b.taken = b.taken || b.active
		}
		return true
	case "endif":
		if n := len(o.branches); n > 0 {
			o.branches = o.branches[:n-1]
		}
		return true
	}
	return false
}

// holds evaluates the condition of #if, #ifdef or #ifndef.
func (p *cpp) holds(name string, line []token) bool {
	if name == "if" {
		return condition(p.expandList(p.answer(line)))
	}
	defined := len(line) > 0 && p.lookup(line[0].text) != nil
	return defined == (name == "ifdef")
}

// answer replaces defined X, defined(X) and __has_include(...) by 1 or 0.
func (p *cpp) answer(line []token) []token {
	var out []token
	for len(line) > 0 {
		t := line[0]
		line = line[1:]
		if t.is("defined") || t.is("__has_include") {
			var operand []token
			operand, line = cutOperand(line)
			t.kind, t.text = number, p.ask(t.text, operand)
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

func (p *cpp) ask(question string, operand []token) string {
	var yes bool
	switch {
	case len(operand) == 0:
	case question == "defined":
		yes = p.lookup(operand[0].text) != nil
	default:
		name, quoted := includeName(operand)
		_, yes = p.find(name, quoted)
		yes = yes || isKitHeader(name)
	}
	if yes {
		return "1"
	}
	return "0"
}

// define reads a macro definition: NAME body, or NAME(parameters) body.
func (p *cpp) define(line []token) {
	if len(line) == 0 || line[0].kind != ident {
		return
	}
	m := &macro{name: line[0]}
	body := line[1:]
	if len(body) > 0 && body[0].is("(") && body[0].flags&spaced == 0 {
		m.function = true
		body = m.parameters(body[1:])
	}
	m.body = body
	p.macros[m.name.text] = m
}

func (m *macro) parameters(toks []token) []token {
	for i, t := range toks {
		switch {
		case t.is(")"):
			return toks[i+1:]
		case t.is("..."):
			m.variadic = true
			if i == 0 || toks[i-1].is(",") {
				m.params = append(m.params, "__VA_ARGS__")
			}
		case t.kind == ident:
			m.params = append(m.params, t.text)
		}
	}
	return nil
}

func (p *cpp) pragma(o *open, line []token) {
	if len(line) == 0 {
		return
	}
	if line[0].is("once") {
		p.once[o.file] = true
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
}

// include opens a header, or lets the model of the kit do its work.
func (p *cpp) include(hash token, line []token, next bool) {
	if len(line) > 0 && line[0].kind == ident {
		line = p.expandList(line)
	}
	name, quoted := includeName(line)
	if name == "" {
		return
	}
	if isKitHeader(name) {
		p.includeKit(hash)
		return
	}
	f, ok := p.find(name, quoted)
	if next {
		f, ok = p.findNext(name)
	}
	if !ok {
		p.missing = append(p.missing, token{kind: str, off: hash.off, file: hash.file, text: name})
		if p.assumeKit {
			p.includeKit(hash)
		}
		return
	}
	p.push(f)
}

func (p *cpp) push(f *file) {
	if p.once[f] {
		return
	}
	if len(p.stack) >= maxIncludes {
		p.stopped = "more than 200 headers inside each other: do they include themselves?"
		return
	}
	p.entered = append(p.entered, f)
	p.stack = append(p.stack, &open{file: f})
}

// includeName reads "name" or <name>.
func includeName(line []token) (name string, quoted bool) {
	if len(line) == 0 {
		return "", false
	}
	if line[0].kind == str {
		return strings.Trim(line[0].text, `"`), true
	}
	var b strings.Builder
	for i, t := range line {
		switch {
		case i == 0 && !t.is("<"):
			return "", false
		case i == 0:
		case t.is(">"):
			return b.String(), false
		default:
			if t.flags&spaced != 0 && i > 1 {
				b.WriteByte(' ')
			}
			b.WriteString(t.text)
		}
	}
	return b.String(), false
}

// findNext searches a header in the include directories behind that of the file that is being read: a header of the same
// name wraps it.
func (p *cpp) findNext(name string) (*file, bool) {
	current := p.stack[len(p.stack)-1].file
	var first *file
	passed := false
	for _, dir := range p.includes {
		f, ok := p.files.get(dir, name)
		switch {
		case !ok:
		case f == current:
			passed, first = true, nil
		case passed:
			return f, true
		case first == nil:
			first = f
		}
	}
	return first, first != nil
}

// find searches a header where Microsoft's compiler does: a quoted one in the directories of the files that are open,
// innermost first; then in the include directories.
func (p *cpp) find(name string, quoted bool) (*file, bool) {
	if quoted {
		for i := len(p.stack) - 1; i >= 0; i-- {
			if f, ok := p.files.get(p.stack[i].file.dir, name); ok {
				return f, true
			}
		}
	}
	for _, dir := range p.includes {
		if f, ok := p.files.get(dir, name); ok {
			return f, true
		}
	}
	return nil, false
}
