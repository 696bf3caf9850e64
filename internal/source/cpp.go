package source

import (
	"fmt"
	"slices"

	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/nx"
)

// Bounds on one unit, against include cycles and macro bombs.
const (
	maxIncludes = 200        // files open at once
	maxTokens   = 4_000_000  // tokens of a file, those that a unit has after preprocessing, and those held on the way
	maxRead     = 64_000_000 // tokens that are looked at on the way, those of directives and of text that is not compiled too
	maxText     = 64 << 10   // bytes of a token that # or ## makes
	maxMade     = 64 << 20   // bytes of all such tokens of a unit
)

// context is a list of tokens being read: an expansion, or an argument.
type context struct {
	toks  []token
	i     int
	macro *macro // set free at the end; nil for an argument
}

// cpp preprocesses one unit as Microsoft's compiler does in its traditional mode, which is its default ("MSVC new
// preprocessor overview" says how that differs from the standard); as the standard wants it for other compilers and for
// /Zc:preprocessor, which a define of _MSVC_TRADITIONAL as 0 stands for. A header that is not there is a fact, and work
// goes on.
type cpp struct {
	files       *files
	includes    []string
	processor   nx.Processor
	cxx         bool
	traditional bool
	known       names
	macros      map[string]*macro
	active      map[*macro]bool // those whose expansion is being read
	pushed      map[string][]*macro
	once        map[*file]bool
	stack       []*open
	floor       int // files below this depth are not read on: a macro's arguments end with the file they began in
	contexts    []context
	base        int     // contexts below this index are not read now: an argument is expanded on its own
	alone       int     // how deep such expansions are nested; 0 while the files are read
	unclosed    int     // how often a macro's arguments did not end
	last        token   // the name of the function-like macro that was found last
	words       []token // the directive at hand
	pasted      []raw   // what ## makes
	ahead       bool    // a macro is being expanded to see whether it brings a parenthesis
	asking      bool    // the condition of an #if is being expanded: "defined" is a question
	count       int     // tokens looked at
	given       int     // tokens given
	held        int     // tokens of expansions and arguments that are not read yet
	made        int     // bytes of text that # and ## made
	counter     int     // __COUNTER__
	kit         kit
	late        []*macro // definitions of a mechanism's macro that wdm.h did not see
	redefined   []*macro // definitions of one that has another value already
	placement   bool     // a header of the kit declares its operator new
	noOptIn     bool     // the kit knows no opt-in
	assumeKit   bool     // the first missing header stands for the kit's
	missing     []token  // the names of headers that were not found
	assumed     assumptions
	shadows     []token         // names of DDIs that are macros of the driver here: what they expand to counts
	stopped     string          // why the unit was given up, "" if it was not
	muting      muting          // warnings that pragmas disable
	heard       heard           // comments that suppress something
	watched     map[string]bool // macros to be noted where they are looked at
	looked      map[string]bool // those that were
	entered     []*file         // the files that were read
	trouble     string          // the first file that is there and could not be read, or not to its end
}

func newCPP(files *files, known names, o *project.Options, watched map[string]bool) *cpp {
	p := &cpp{
		files: files, known: known, watched: watched, looked: map[string]bool{}, includes: o.Includes, noOptIn: o.NoOptIn, processor: o.Processor, cxx: o.Language == project.CXX,
		macros: files.macros.Get().(map[string]*macro), active: map[*macro]bool{}, pushed: map[string][]*macro{}, once: map[*file]bool{},
	}
	for name, b := range builtins {
		p.macros[name] = b
	}
	for _, m := range files.given(o) {
		p.define(m)
	}
	for _, name := range o.Undefines {
		delete(p.macros, name)
	}
	p.traditional = p.lookup("__GNUC__") == nil && p.lookup("__clang__") == nil &&
		(p.lookup("_MSVC_TRADITIONAL") == nil || p.isOn("_MSVC_TRADITIONAL"))
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
	list := []project.Define{
		{Name: "_WIN32", Value: "1"}, {Name: "_MSC_VER", Value: "1900"}, {Name: "_MSC_EXTENSIONS", Value: "1"},
		{Name: "_INTEGRAL_MAX_BITS", Value: "64"}, {Name: "_KERNEL_MODE", Value: "1"},
	}
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

// giveBackMacros leaves the room of the macros to another unit, if that is not out of all proportion.
func (p *cpp) giveBackMacros() {
	if len(p.macros) < 1<<14 {
		clear(p.macros)
		p.files.macros.Put(p.macros)
	}
}

// given are the macros that options define, read once for all units.
func (fs *files) given(o *project.Options) []*macro {
	if list, ok := fs.defines.Load(o); ok {
		return list.([]*macro)
	}
	var list []*macro
	for _, d := range slices.Concat(compilerMacros(o), o.Defines) {
		f := newText(d.Place.Path, "", d.Name+" "+d.Value)
		list = append(list, newMacro(f.list(nil, 0, len(f.tokens)-2)))
	}
	fs.defines.Store(o, list)
	return list
}

// next gives the next token after all expansion; eof at the end of the unit.
func (p *cpp) next() token {
	t := p.expanded()
	if p.alone == 0 && t.kind != eof {
		if p.given++; p.given > maxTokens {
			p.giveUp("more than 4 million tokens come out of it: a macro or an include that repeats itself?")
			return token{kind: eof}
		}
	}
	return t
}

func (p *cpp) expanded() token {
	for {
		t := p.raw()
		switch {
		case t.kind == newline:
			continue
		case t.kind == punct && t.text == "//":
			p.comment()
			continue
		case t.kind != ident || t.flags&painted != 0:
			return t
		}
		m := p.lookup(t.text)
		switch {
		case m == nil && p.asking && t.text == "defined":
			return p.asked(t)
		case m == nil:
			return t
		case m.builtin != 0:
			return p.value(m, t)
		case p.active[m]:
			t.flags |= painted
			return t
		case !p.expand(m, t):
			return t
		}
	}
}

// expand replaces the macro's name t. It reports false where a function-like macro is not followed by arguments.
func (p *cpp) expand(m *macro, t token) bool {
	var args [][]token
	if m.camel && p.known.ddis[t.text] != nil {
		p.shadows = append(p.shadows, t)
	}
	if m.function {
		if !p.openArguments() {
			return false
		}
		p.last = t
		if args = p.arguments(m); args == nil {
			return false
		}
	}
	body := p.substitute(m, args, &expansion{macro: m, name: t})
	p.release(args)
	if len(body) > 0 {
		body[0].flags = body[0].flags&^spaced | t.flags&spaced
	}
	p.active[m] = true
	p.contexts = append(p.contexts, context{toks: body, macro: m})
	return true
}

// raw gives the next token before expansion, from the innermost context or else from the files.
func (p *cpp) raw() token {
	if p.count++; p.count > maxRead {
		p.giveUp("more than 64 million tokens are read for it: a macro or an include that repeats itself?")
		return token{kind: eof}
	}
	for len(p.contexts) > p.base {
		c := &p.contexts[len(p.contexts)-1]
		if c.i < len(c.toks) {
			c.i++
			return c.toks[c.i-1]
		}
		p.leave()
	}
	if p.alone > 0 {
		return token{kind: eof}
	}
	return p.fromFile()
}

func (p *cpp) leave() {
	c := &p.contexts[len(p.contexts)-1]
	if c.macro != nil {
		delete(p.active, c.macro)
		p.held -= len(c.toks)
	}
	*c = context{}
	p.contexts = p.contexts[:len(p.contexts)-1]
}

// hold counts tokens that are kept for later.
func (p *cpp) hold(n int) {
	if p.held += n; p.held > maxTokens {
		p.giveUp("more than 4 million tokens in the expansions of macros: one that repeats itself?")
	}
}

// make counts text that # and ## make.
func (p *cpp) make(n int) {
	if p.made += n; p.made > maxMade {
		p.giveUp("more than 64 MB of tokens come out of # and ##")
	}
}

// giveUp ends the unit: no token follows.
func (p *cpp) giveUp(why string) {
	if p.stopped == "" {
		p.stopped = p.at() + why
	}
	p.count = maxRead
	p.stack = p.stack[:0]
	for i := range p.contexts {
		p.contexts[i].i = len(p.contexts[i].toks)
	}
}

// at says where the unit is being read.
func (p *cpp) at() string {
	if len(p.stack) == 0 {
		return ""
	}
	o := p.stack[len(p.stack)-1]
	place := o.file.place(int(o.file.tokens[max(0, o.i-1)].off))
	return fmt.Sprintf("%s:%d: ", place.Path, place.Line)
}

// comment leaves out what follows on the line, behind two slashes that ## has joined.
func (p *cpp) comment() {
	p.leaveAbove(p.base - 1)
	if p.alone == 0 && len(p.stack) > 0 {
		o := p.stack[len(p.stack)-1]
		o.seek(o.file.lineEnd(min(o.i, len(o.file.tokens)-2)))
	}
}

// openArguments looks for the parenthesis of a macro's arguments, over line ends, and consumes it if it is there. In the
// traditional mode another macro may bring it, as in the documentation's IMPL1 ECHO((1, 2)).
func (p *cpp) openArguments() bool {
	for {
		i := len(p.contexts) - 1
		for i >= p.base && p.contexts[i].i == len(p.contexts[i].toks) {
			i--
		}
		if i < p.base {
			return p.alone == 0 && len(p.stack) > 0 && p.stack[len(p.stack)-1].parenthesis(p)
		}
		t := p.contexts[i].toks[p.contexts[i].i]
		if t.is("(") {
			p.leaveAbove(i)
			p.contexts[i].i++
			return true
		}
		m := p.lookup(t.text)
		if !p.traditional || p.ahead || t.kind != ident || t.flags&painted != 0 || m == nil || p.active[m] || m.builtin != 0 {
			return false
		}
		p.leaveAbove(i)
		p.contexts[i].i++
		p.ahead = true
		expanded := p.expand(m, t)
		p.ahead = false
		if !expanded { // the name is read again, in front of what looking for its arguments gave back
			p.contexts = append(p.contexts, context{toks: []token{t}})
			return false
		}
	}
}

func (p *cpp) leaveAbove(i int) {
	for len(p.contexts)-1 > i {
		p.leave()
	}
}

// parenthesis consumes an opening parenthesis that follows in the file.
func (o *open) parenthesis(p *cpp) bool {
	for i := o.i; i < len(o.file.tokens); i++ {
		switch t := o.file.tokens[i]; {
		case t.kind == newline:
			continue
		case t.kind == punct && o.file.textOf(t) == "(":
			p.leaveAbove(p.base - 1)
			o.i = i + 1
			return true
		}
		break
	}
	return false
}

// expandList expands tokens on their own, as an argument or the line of a directive is. Arguments inside arguments
// beyond all measure stay as they are.
func (p *cpp) expandList(toks []token) []token {
	if len(toks) == 0 {
		return []token{}
	}
	if p.alone >= maxNesting {
		return slices.Clone(toks)
	}
	outer := p.base
	p.base = len(p.contexts)
	p.alone++
	p.contexts = append(p.contexts, context{toks: toks})
	out := make([]token, 0, len(toks))
	for t := p.expanded(); t.kind != eof; t = p.expanded() {
		out = append(out, t)
	}
	p.base = outer
	p.alone--
	return out
}
