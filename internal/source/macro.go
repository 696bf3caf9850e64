package source

import (
	"slices"
	"strings"
)

// macro is a definition. Units that are read at once share it.
type macro struct {
	name     token
	function bool
	variadic bool // the last parameter takes all arguments that are left
	pastes   bool // ## stands in the body
	optional bool // __VA_OPT__ stands in the body
	camel    bool // it is named like a function of the kit
	params   []string
	refs     []int // of each token of the body, the index of the parameter that it stands for or -1; nil without parameters
	body     []token
	builtin  builtin
}

// newMacro reads a definition: NAME body, or NAME(parameters) body. It gives nil for what is none.
func newMacro(line []token) *macro {
	if len(line) == 0 || line[0].kind != ident || line[0].text == "defined" {
		return nil
	}
	m := &macro{name: line[0], body: line[1:]}
	name := m.name.text
	m.camel = len(name) > 2 && 'A' <= name[0] && name[0] <= 'Z' && 'a' <= name[1] && name[1] <= 'z'
	if len(line) > 1 && line[1].is("(") && line[1].flags&spaced == 0 {
		m.function = true
		m.body = m.parameters(line[2:])
		m.refer()
	}
	m.pastes = slices.ContainsFunc(m.body, func(t token) bool { return t.is("##") })
	m.optional = m.variadic && slices.ContainsFunc(m.body, func(t token) bool { return t.is("__VA_OPT__") })
	return m
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

// refer finds the parameters in the body once, so that an expansion compares no names.
func (m *macro) refer() {
	if len(m.params) == 0 {
		return
	}
	index := make(map[string]int, len(m.params))
	for i, name := range m.params {
		if _, twice := index[name]; !twice {
			index[name] = i
		}
	}
	m.refs = make([]int, len(m.body))
	for i, t := range m.body {
		m.refs[i] = -1
		if n, ok := index[t.text]; ok && t.kind == ident {
			m.refs[i] = n
		}
	}
}

// param gives the index of the parameter that a token of the body stands for, or -1.
func (m *macro) param(i int) int {
	if i < len(m.refs) {
		return m.refs[i]
	}
	return -1
}

// rest says whether a parameter is the one that takes all arguments that are left.
func (m *macro) rest(param int) bool { return m.variadic && param == len(m.params)-1 }

// arguments reads up to the closing parenthesis, but not beyond the end of the file. Missing arguments are empty. Of too
// many, Microsoft's compiler leaves out the last ones (warning C4002). It gives nil where there is no closing parenthesis.
//
// A comma that came with an argument of the macro around this one separates nothing, as the documentation of MSVC's new
// preprocessor says of the traditional one (Macro arguments are "unpacked"); it does when it is read for the second time,
// on which code relies that has to work with both: #define EXPAND(x) x.
func (p *cpp) arguments(m *macro) [][]token {
	args := make([][]token, 1, max(1, len(m.params)))
	floor := p.floor
	p.floor = len(p.stack)
	defer func() { p.floor = floor }()
	depth, lineEnd, extra := 0, false, false
	for {
		t := p.raw()
		if t.kind == newline {
			lineEnd = true
			continue
		}
		if lineEnd {
			t.flags |= spaced
			lineEnd = false
		}
		switch {
		case t.kind == eof:
			p.giveBack(args)
			return nil
		case t.is(")") && depth == 0 && extra && !p.traditional: // an error to other compilers, which use the name alone
			p.release(args)
			return nil
		case t.is(")") && depth == 0:
			return append(args, make([][]token, max(0, len(m.params)-len(args)))...)
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		case depth == 0 && t.flags&packed == 0 && t.is(","):
			if len(args) < len(m.params) {
				args = append(args, nil)
				continue
			}
			extra = extra || !m.variadic
		}
		t.flags &^= packed
		if !extra {
			last := len(args) - 1
			args[last] = append(args[last], t)
			p.hold(1)
		}
	}
}

// maxUnclosed is how often a unit may have a macro's arguments that don't end, after which what was read for them is not
// expanded any more: else a row of them would be read for each of them again.
const maxUnclosed = 10

// giveBack makes of arguments that don't end what they were before: a parenthesis and tokens.
func (p *cpp) giveBack(args [][]token) {
	p.unclosed++
	list := []token{{kind: punct, text: "("}}
	for i, arg := range args {
		if i > 0 {
			list = append(list, token{kind: punct, text: ","})
		}
		list = append(list, arg...)
	}
	for i := range list {
		if list[i].file == nil {
			list[i].file, list[i].off = p.last.file, p.last.off
		}
		if p.unclosed > maxUnclosed {
			list[i].flags |= painted
		}
	}
	p.release(args)
	p.contexts = append(p.contexts, context{toks: list})
}

// release counts arguments as no longer held.
func (p *cpp) release(args [][]token) {
	for _, arg := range args {
		p.held -= len(arg)
	}
}

// substitution builds the replacement of one use of a macro.
type substitution struct {
	*cpp
	m        *macro
	args     [][]token
	expanded [][]token // the arguments after expansion, as far as they were needed
	exp      *expansion
	out      []token
}

func (p *cpp) substitute(m *macro, args [][]token, exp *expansion) []token {
	if m.optional && !p.traditional {
		m = p.opted(m, args)
	}
	if len(m.refs) == 0 && !m.pastes {
		out := slices.Clone(m.body)
		for i := range out {
			out[i].exp = exp
		}
		p.hold(len(out))
		return out
	}
	s := &substitution{cpp: p, m: m, args: args, exp: exp, out: make([]token, 0, len(m.body))}
	if m.refs != nil {
		s.expanded = make([][]token, len(args))
	}
	held := 0
	for i := 0; i < len(m.body) && p.stopped == ""; i++ {
		i = s.token(i)
		p.hold(max(0, len(s.out)-held))
		held = max(held, len(s.out))
	}
	for _, e := range s.expanded {
		p.held -= len(e)
	}
	out := slices.DeleteFunc(s.out, func(t token) bool { return t.kind == punct && t.text == "" })
	p.held -= held - len(out)
	return out
}

// opted gives a macro with each __VA_OPT__(text) of its body replaced: by the text where the variable arguments are something
// when they are expanded, else by what keeps its place beside ##.
func (p *cpp) opted(m *macro, args [][]token) *macro {
	some := len(p.expandList(args[len(args)-1])) > 0
	chosen := *m
	chosen.body = nil
	depth := 0 // of parentheses in the text; 0 outside
	for i, t := range m.body {
		switch {
		case depth == 0 && t.is("__VA_OPT__") && i+1 < len(m.body) && m.body[i+1].is("("):
			t.kind, t.text = punct, "" // keeps its place
			chosen.body = append(chosen.body, t)
			continue
		case t.is("(") && (depth > 0 || i > 0 && m.body[i-1].is("__VA_OPT__")):
			if depth++; depth == 1 {
				continue
			}
		case t.is(")") && depth > 0:
			if depth--; depth == 0 {
				continue
			}
		}
		if depth > 0 && !some {
			continue
		}
		if n := len(chosen.body); depth > 0 && chosen.body[n-1].text == "" { // the text keeps the place itself
			t.flags = t.flags&^spaced | chosen.body[n-1].flags&spaced
			chosen.body = chosen.body[:n-1]
		}
		chosen.body = append(chosen.body, t)
	}
	chosen.refs = nil
	chosen.refer()
	return &chosen
}

// token replaces the token i of the body, and gives the index of the last one it took.
func (s *substitution) token(i int) int {
	t := s.m.body[i]
	arg := s.m.param(i)
	switch {
	case t.kind == punct && t.text == "##" && i > 0 && i+1 < len(s.m.body):
		return s.paste(i + 1)
	case s.quotes(i):
		s.stringize(i)
		return i + 1
	case arg < 0:
		t.exp = s.exp
		s.out = append(s.out, t)
	case i+1 < len(s.m.body) && s.m.body[i+1].is("##"):
		if len(s.args[arg]) == 0 {
			s.out = append(s.out, token{kind: punct}) // keeps the place of ##'s left side
		}
		s.add(s.args[arg], t)
	default:
		if s.expanded[arg] == nil {
			s.expanded[arg] = s.expandList(s.args[arg])
			s.hold(len(s.expanded[arg]))
		}
		if len(s.args[arg]) == 0 && s.traditional && s.elided(arg) {
			break
		}
		s.add(s.expanded[arg], t)
	}
	return i
}

// elided removes the comma before variable arguments that are empty, and says whether there was one.
func (s *substitution) elided(arg int) bool {
	n := len(s.out)
	if !s.m.rest(arg) || n == 0 || !s.out[n-1].is(",") {
		return false
	}
	s.out = s.out[:n-1]
	return true
}

// add appends an argument, which gets the white space that stands before the parameter.
func (s *substitution) add(toks []token, at token) {
	first := len(s.out)
	s.out = append(s.out, toks...)
	if len(toks) > 0 {
		s.out[first].flags = s.out[first].flags&^spaced | at.flags&spaced
	}
	if !s.traditional {
		return
	}
	depth := 0
	for i := range toks {
		switch t := &s.out[first+i]; {
		case t.kind != punct:
		case t.text == "(":
			depth++
		case t.text == ")":
			depth--
		case t.text == "," && depth == 0:
			t.flags |= packed
		}
	}
}

// quotes says whether the token i of the body is # or #@ in front of a parameter.
func (s *substitution) quotes(i int) bool {
	t := s.m.body[i]
	return t.kind == punct && (t.text == "#" || t.text == "#@") && s.m.param(i+1) >= 0
}

// paste joins the last token with the one at i of the body, and gives the index of the last one it took. An empty side
// leaves the other; what gives no token stays two, as Microsoft's compiler leaves it; a comma before empty variable
// arguments goes.
func (s *substitution) paste(i int) int {
	arg := s.m.param(i)
	before := len(s.out)
	switch {
	case s.quotes(i):
		s.stringize(i)
		i++
	case arg < 0:
		t := s.m.body[i]
		t.exp = s.exp
		s.out = append(s.out, t)
	case len(s.args[arg]) == 0:
		s.elided(arg)
		return i
	default:
		s.add(s.args[arg], s.m.body[i])
	}
	if before == 0 || before == len(s.out) {
		return i
	}
	left, right := s.out[before-1], s.out[before]
	kind, text, ok := s.joined(left, right)
	if !ok {
		return i
	}
	left.kind, left.text = kind, text
	left.flags = left.flags&^(painted|kitName|packed) | joined
	left.exp = s.exp
	s.out[before-1] = left
	if text == right.text { // nothing stood on the left
		s.out[before-1] = right
		s.out[before-1].flags = left.flags&spaced | right.flags&^spaced
	}
	s.out = slices.Delete(s.out, before, before+1)
	return i
}

// joined gives what ## makes of two tokens, if that is one token. Two slashes begin a comment in Microsoft's traditional mode.
func (s *substitution) joined(left, right token) (kind, string, bool) {
	text := left.text + right.text
	if s.make(len(text)); len(text) > maxText {
		s.giveUp("a token of more than 64 kB comes out of ##")
		return 0, "", false
	}
	if s.traditional && text == "//" {
		return punct, text, true
	}
	f := &file{}
	s.pasted = lex(f, []byte(text), []stretch{{start: 0, end: len(text)}}, s.pasted)
	if len(s.pasted) != 3 || len(f.textOf(s.pasted[0])) != len(text) { // the token, newline, eof
		return 0, "", false
	}
	return s.pasted[0].kind, text, true
}

// escapes are needed inside a literal that becomes part of a string.
var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// stringize appends "argument", or 'argument' for #@. In the traditional mode, empty variable arguments give nothing, and an
// L in front of # becomes the string's prefix.
func (s *substitution) stringize(i int) {
	t, param := s.m.body[i], s.m.param(i+1)
	arg := s.args[param]
	if s.traditional && len(arg) == 0 && s.m.rest(param) {
		return
	}
	quote, kind := byte('"'), str
	if t.text == "#@" {
		quote, kind = '\'', char
	}
	var b strings.Builder
	if n := len(s.out); s.traditional && i > 0 && n > 0 && t.flags&spaced == 0 && s.m.body[i-1].is("L") && s.out[n-1].is("L") {
		b.WriteByte('L')
		s.out = s.out[:n-1]
	}
	b.WriteByte(quote)
	for j, a := range arg {
		if b.Len()+len(a.text) > maxText {
			s.giveUp("a token of more than 64 kB comes out of #")
			return
		}
		if j > 0 && a.flags&spaced != 0 {
			b.WriteByte(' ')
		}
		if a.kind == str || a.kind == char {
			escapes.WriteString(&b, a.text)
			continue
		}
		b.WriteString(a.text)
	}
	b.WriteByte(quote)
	s.make(b.Len())
	t.kind, t.text, t.exp = kind, b.String(), s.exp
	s.out = append(s.out, t)
}
