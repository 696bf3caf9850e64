package source

import (
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/nx"
)

// Bounds on one unit, against include cycles and macro bombs.
const (
	maxIncludes = 200       // files open at once
	maxTokens   = 4_000_000 // tokens that pass through a unit
	maxText     = 64 << 10  // bytes of a token that # or ## makes
)

// macro is a definition that is in force.
type macro struct {
	name     token
	function bool
	params   []string
	variadic bool
	body     []token
	active   bool // while its expansion is being read
}

// context is a list of tokens being read: an expansion, or an argument.
type context struct {
	toks  []token
	i     int
	macro *macro // set free at the end; nil for an argument
}

// branch is one #if ... #endif that is open.
type branch struct{ active, taken, parent bool }

// open is a file being read.
type open struct {
	file     *file
	i        int
	branches []branch
}

// cpp preprocesses one unit. A header that is not there is a fact, and work goes on.
type cpp struct {
	files     *files
	includes  []string
	processor nx.Processor
	macros    map[string]*macro
	pushed    map[string][]*macro
	once      map[*file]bool
	stack     []*open
	contexts  []context
	base      int // contexts below this index are not read now: an argument is expanded on its own
	alone     int // how deep such expansions are nested; 0 while the files are read
	count     int
	kit       kit
	assumeKit bool            // the first missing header stands for the kit's
	missing   []token         // the names of headers that were not found
	stopped   string          // why the unit was given up, "" if it was not
	watched   map[string]bool // macros to be noted where they are looked at
	looked    map[string]bool // those that were
	entered   []*file         // the files that were read
}

func newCPP(files *files, o *project.Options, watched map[string]bool) *cpp {
	p := &cpp{
		files: files, includes: o.Includes, processor: o.Processor,
		watched: watched, looked: map[string]bool{}, macros: map[string]*macro{}, pushed: map[string][]*macro{}, once: map[*file]bool{},
	}
	for _, d := range compilerMacros(o) {
		p.defineText(d)
	}
	for _, d := range o.Defines {
		p.defineText(d)
	}
	for _, name := range o.Undefines {
		delete(p.macros, name)
	}
	return p
}

// lookup gives the macro of a name, nil where there is none.
func (p *cpp) lookup(name string) *macro {
	if p.watched[name] {
		p.looked[name] = true
	}
	return p.macros[name]
}

// compilerMacros are what Microsoft's compiler defines by itself.
func compilerMacros(o *project.Options) []project.Define {
	list := []project.Define{{Name: "_WIN32", Value: "1"}, {Name: "_MSC_VER", Value: "1900"}, {Name: "_KERNEL_MODE", Value: "1"}}
	switch o.Processor {
	case nx.X86:
		list = append(list, project.Define{Name: "_M_IX86", Value: "600"})
	case nx.X64:
		list = append(list, project.Define{Name: "_M_X64", Value: "100"}, project.Define{Name: "_M_AMD64", Value: "100"},
			project.Define{Name: "_WIN64", Value: "1"})
	case nx.ARM:
		list = append(list, project.Define{Name: "_M_ARM", Value: "7"})
	case nx.ARM64:
		list = append(list, project.Define{Name: "_M_ARM64", Value: "1"}, project.Define{Name: "_WIN64", Value: "1"})
	}
	if o.Language == project.CXX {
		list = append(list, project.Define{Name: "__cplusplus", Value: "199711L"})
	}
	return list
}

// defineText defines a macro of the command line.
func (p *cpp) defineText(d project.Define) {
	f := newText(d.Place.Path, "", d.Name+" "+d.Value)
	p.define(f.tokens[:len(f.tokens)-2])
}

// next gives the next token after all expansion; eof at the end of the unit.
func (p *cpp) next() token {
	for {
		t := p.raw()
		if t.kind == newline {
			continue
		}
		if t.kind != ident || t.flags&painted != 0 {
			return t
		}
		m := p.lookup(t.text)
		if m == nil {
			return t
		}
		if m.active {
			t.flags |= painted
			return t
		}
		if !p.expand(m, t) {
			return t
		}
	}
}

// expand replaces the macro's name t. It reports false where a function-like macro is not followed by arguments.
func (p *cpp) expand(m *macro, t token) bool {
	var args [][]token
	if m.function {
		if !p.openArguments() {
			return false
		}
		args = p.arguments(m)
	}
	body := p.substitute(m, args, &expansion{macro: m, name: t})
	if len(body) > 0 {
		body[0].flags = body[0].flags&^spaced | t.flags&spaced
	}
	m.active = true
	p.contexts = append(p.contexts, context{toks: body, macro: m})
	return true
}

// raw gives the next token before expansion, from the innermost context or else from the files.
func (p *cpp) raw() token {
	for len(p.contexts) > p.base {
		c := &p.contexts[len(p.contexts)-1]
		if c.i < len(c.toks) {
			c.i++
			return p.counted(c.toks[c.i-1])
		}
		p.leave()
	}
	if p.alone > 0 {
		return token{kind: eof}
	}
	return p.counted(p.fromFile())
}

func (p *cpp) leave() {
	if m := p.contexts[len(p.contexts)-1].macro; m != nil {
		m.active = false
	}
	p.contexts = p.contexts[:len(p.contexts)-1]
}

// counted ends a unit that has grown beyond all measure.
func (p *cpp) counted(t token) token {
	if p.count++; p.count <= maxTokens || t.kind == eof {
		return t
	}
	p.giveUp("more than 4 million tokens: a macro or an include that repeats itself?")
	return token{kind: eof}
}

// giveUp ends the unit: no token follows.
func (p *cpp) giveUp(why string) {
	p.stopped = why
	p.stack = p.stack[:0]
	for i := range p.contexts {
		p.contexts[i].i = len(p.contexts[i].toks)
	}
}

// openArguments looks for the parenthesis of a macro's arguments, over line ends, and consumes it if it is there.
func (p *cpp) openArguments() bool {
	for i := len(p.contexts) - 1; i >= p.base; i-- {
		c := &p.contexts[i]
		if c.i < len(c.toks) {
			if !c.toks[c.i].is("(") {
				return false
			}
			for len(p.contexts)-1 > i {
				p.leave()
			}
			c.i++
			return true
		}
	}
	if p.alone > 0 || len(p.stack) == 0 {
		return false
	}
	o := p.stack[len(p.stack)-1]
	for i := o.i; i < len(o.file.tokens); i++ {
		switch t := o.file.tokens[i]; {
		case t.kind == newline:
			continue
		case t.is("("):
			for len(p.contexts) > p.base {
				p.leave()
			}
			o.i = i + 1
			return true
		}
		break
	}
	return false
}

// arguments reads up to the closing parenthesis. Missing arguments are empty; too many go into the last one.
func (p *cpp) arguments(m *macro) [][]token {
	args := [][]token{nil}
	last := func() int { return len(args) - 1 }
	depth, lineEnd := 0, false
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
		case t.kind == eof || t.is(")") && depth == 0:
			return append(args, make([][]token, max(0, len(m.params)-len(args)))...)
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		case t.is(",") && depth == 0 && len(args) < len(m.params):
			args = append(args, nil)
			continue
		}
		args[last()] = append(args[last()], t)
	}
}

// substitute builds the replacement of a macro.
func (p *cpp) substitute(m *macro, args [][]token, exp *expansion) []token {
	out := make([]token, 0, len(m.body))
	expanded := make([][]token, len(args))
	for i := 0; i < len(m.body); i++ {
		t := m.body[i]
		arg := m.param(t)
		switch {
		case m.function && (t.is("#") || t.is("#@")) && i+1 < len(m.body) && m.param(m.body[i+1]) >= 0:
			out = append(out, p.stringize(args[m.param(m.body[i+1])], t, exp))
			i++
		case t.is("##") && i > 0 && i+1 < len(m.body):
			i++
			out = p.paste(out, m, args, m.body[i], exp)
		case arg >= 0 && i+1 < len(m.body) && m.body[i+1].is("##"):
			if len(args[arg]) == 0 {
				out = append(out, token{kind: punct}) // keeps the place of ##'s left side
			}
			out = append(out, withSpace(args[arg], t)...)
		case arg >= 0:
			if expanded[arg] == nil {
				expanded[arg] = p.expandList(args[arg])
			}
			out = append(out, withSpace(expanded[arg], t)...)
		default:
			t.exp = exp
			out = append(out, t)
		}
	}
	return slices.DeleteFunc(out, func(t token) bool { return t.kind == punct && t.text == "" })
}

// param gives the index of the argument that t stands for, or -1.
func (m *macro) param(t token) int {
	if t.kind != ident {
		return -1
	}
	return slices.Index(m.params, t.text)
}

// withSpace gives a list the white space that stood before the parameter.
func withSpace(toks []token, at token) []token {
	if len(toks) == 0 {
		return nil
	}
	toks = append([]token(nil), toks...)
	toks[0].flags = toks[0].flags&^spaced | at.flags&spaced
	return toks
}

// paste joins the last token with the next of the body. An empty side leaves the other; what gives no token stays two,
// as Microsoft's compiler leaves it; a comma before empty variable arguments goes.
func (p *cpp) paste(out []token, m *macro, args [][]token, next token, exp *expansion) []token {
	right := []token{next}
	right[0].exp = exp
	if arg := m.param(next); arg >= 0 {
		right = args[arg]
		if len(right) == 0 && m.variadic && arg == len(m.params)-1 && len(out) > 0 && out[len(out)-1].is(",") {
			return out[:len(out)-1]
		}
	}
	if len(right) == 0 || len(out) == 0 {
		return append(out, right...)
	}
	left := out[len(out)-1]
	if len(left.text)+len(right[0].text) > maxText {
		p.giveUp("a token of more than 64 kB comes out of ##")
		return out
	}
	joined := lex(&file{data: []byte(left.text + right[0].text)})
	switch {
	case left.text == "": // an empty argument
		return append(out[:len(out)-1], right...)
	case len(joined) != 3: // the token, newline, eof
		return append(out, right...)
	}
	left.kind, left.text = joined[0].kind, joined[0].text
	left.flags &^= painted | kitName
	left.exp = exp
	return append(append(out[:len(out)-1], left), right[1:]...)
}

func (p *cpp) stringize(arg []token, at token, exp *expansion) token {
	var b strings.Builder
	b.WriteByte('"')
	for i, t := range arg {
		if i > 0 && t.flags&spaced != 0 {
			b.WriteByte(' ')
		}
		if t.kind == str || t.kind == char {
			b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(t.text))
			continue
		}
		b.WriteString(t.text)
	}
	b.WriteByte('"')
	if b.Len() > maxText {
		p.giveUp("a token of more than 64 kB comes out of #")
		b.Reset()
	}
	at.kind, at.text, at.exp = str, b.String(), exp
	return at
}

// expandList expands tokens on their own, as an argument or the line of a directive is. Arguments inside arguments
// beyond all measure stay as they are.
func (p *cpp) expandList(toks []token) []token {
	if p.alone >= maxNesting {
		return slices.Clone(toks)
	}
	outer := p.base
	p.base = len(p.contexts)
	p.alone++
	p.contexts = append(p.contexts, context{toks: toks})
	var out []token
	for t := p.next(); t.kind != eof; t = p.next() {
		out = append(out, t)
	}
	p.base = outer
	p.alone--
	if out == nil {
		return []token{}
	}
	return out
}
