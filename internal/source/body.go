package source

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// parameter of a function.
type parameter struct {
	name    string
	typ     string // the struct that it is or points to, "" where not known
	written string // its type
	given   *expr  // its default argument
	// reference is set for a reference of C++, constant where nothing can be written by way of it.
	reference, constant bool
	star                bool // it is a pointer
}

// variable is one that is declared at file scope. The elements of an array are one variable.
type variable struct {
	name   string
	of     string // the struct that it is or points to
	static bool
	array  bool
	at     token
}

// local is a variable of a function, by its name.
type local struct {
	of     string // the struct that it is or points to
	typ    string // its type
	static bool
	array  bool
	star   bool   // it is a pointer
	opaque string // why its values are not known: it is the parameter of a lambda
}

// target is what is written to: a variable, or the field of a struct.
type target struct {
	name  string
	of    string // the struct that declares the field; "" where it was not seen
	field bool
}

// write gives a variable or a field a value.
type write struct {
	target
	value value
	at    token
	pos   int // of its end in the body
	// initial is set for the initialiser of a variable. block is the brace that an assignment stands in, pending whether
	// something else than that decides that it runs.
	initial, pending bool
	sure             bool // it runs whenever the function does, and ends what earlier ones gave
	clear            bool // the memory is zeroed
	versioned        bool // it stands under a condition on the version of Windows
	block            int
	base             string // the first name of x->y.z
}

// value is an expression, where it stands in the body, and how it is written.
type value struct {
	*expr
	pos   int  // 0 where it is not known
	loops bool // it stands in a loop
	text  string
}

// call is one call by name.
type call struct {
	at         token // the name
	callee     string
	of         string  // of a method: the class of its object, where it is known
	ddi        *nx.DDI // nil where the callee is no DDI
	method     bool    // called by way of an object or a pointer
	dropped    bool    // its result is not used
	escapes    bool    // of a request: where its result goes is not followed
	constructs bool    // the call of a constructor that a variable, member or base makes
	pos, end   int     // in the body: of its name, and of the parenthesis that ends it
	args       []value
	written    *driver.Statement // its statement, if it may be the opt-in call
	steps      []driver.Step     // the macros it came through
}

// parameters reads a parameter list.
func (p *parser) parameters(f *function, list []token) {
	if len(list) == 1 && list[0].is("void") {
		return
	}
	for _, arg := range split(list) {
		if len(arg) == 1 && arg[0].is("...") {
			f.dots = true
			continue
		}
		var a parameter
		if d := declarators(arg); len(d) > 0 {
			a = parameter{name: d[0].name, typ: p.tag(d[0].typ), written: d[0].typ, reference: d[0].ref, constant: isConstant(arg[:d[0].at]), star: d[0].star}
			if d[0].assign {
				a.given = p.expression(nil, d[0].init)
			}
		} else if i := slices.IndexFunc(arg, func(t token) bool { return t.is("=") }); i > 0 && i+1 < len(arg) {
			a.given = p.expression(nil, arg[i+1:])
		} else if len(arg) == 1 && arg[0].kind == ident { // K&R
			a.name = arg[0].text
		}
		f.params = append(f.params, a)
	}
}

// isConstant says whether the type of a declaration, in front of its name, is a pointer or reference to const.
func isConstant(typ []token) bool {
	for _, t := range typ {
		switch {
		case t.is("const") || t.is("CONST"):
			return true
		case t.is("*"):
			return false
		}
	}
	return false
}

// oldParameters reads the declarations of K&R parameters behind the parenthesis.
func (p *parser) oldParameters(f *function, tail []token) bool {
	if !slices.ContainsFunc(tail, func(t token) bool { return t.is(";") }) {
		return false
	}
	for start, i := 0, 0; i < len(tail); i++ {
		if !tail[i].is(";") {
			continue
		}
		for _, d := range declarators(tail[start:i]) {
			for j := range f.params {
				if f.params[j].name == d.name {
					f.params[j].typ, f.params[j].written = p.tag(d.typ), d.typ
				}
			}
		}
		start = i + 1
	}
	return true
}

// constructor reads the initialisers of a constructor, behind its colon: each writes a field.
func (p *parser) constructor(f *function, tail []token) {
	colon := slices.IndexFunc(tail, func(t token) bool { return t.is(":") })
	if colon < 0 {
		return
	}
	for _, part := range split(tail[colon+1:]) {
		if len(part) > 2 && part[0].kind == ident && (part[1].is("(") || part[1].is("{")) {
			of, _ := p.field(f.class, part[0].text)
			if to := (target{name: part[0].text, of: of, field: true}); !p.unasked(f, to) {
				f.writes = append(f.writes, write{target: to, value: p.value(f, part[2:max(2, len(part)-1)]), at: part[0]})
			}
		}
	}
}

// reading is the state while a body is read.
type reading struct {
	*parser
	f      *function
	toks   []token
	flow   bodyReader
	list   []made
	passed map[int]bool // names in front of a parenthesis that are declared, not called
	// passedOn are the arguments x and &x of calls: what those do is looked up.
	passedOn map[int]bool
	skip     int  // up to which token nothing is code: the arguments of annotations
	lambda   int  // where the body of the lambda at hand ends
	head     bool // these are the initialisers of a constructor
	objects  []object
	code     coding
	switches [][]token             // what each switch so far is over
	cases    map[int][]driver.Term // the labels of some, by the brace of their block
}

type made struct {
	call
	lent []lent
}

// body records what a function does: the calls in the order in which they are made, arguments first, the writes, what it
// returns, and the names that are used in another way than being called. head holds a constructor's initialisers.
func (p *parser) body(f *function, head, toks []token) {
	clear(p.names)
	r := &reading{parser: p, f: f, toks: toks, list: p.made[:0], passed: map[int]bool{}, passedOn: map[int]bool{}}
	if len(head) > 0 {
		h := &reading{parser: p, f: f, toks: head, passed: initialised(head), passedOn: map[int]bool{}, head: true}
		h.initialisers()
		h.scan()
		for _, c := range h.list { // before the body
			c.end = 0
			r.list = append(r.list, c)
		}
	}
	r.scan()
	r.sequences()
	r.escaping()
	slices.SortStableFunc(r.list, func(a, b made) int { return cmp.Compare(a.end, b.end) })
	f.calls = slices.Grow(f.calls, len(r.list))
	for i := range r.list {
		for _, l := range r.list[i].lent {
			l.call = len(f.calls)
			f.lent = append(f.lent, l)
		}
		f.calls = append(f.calls, r.list[i].call)
	}
	clear(r.list)
	p.made = r.list
	f.named = slices.Collect(maps.Keys(p.names))
	f.marks, f.writes = slices.Clone(marksOf(toks)), slices.Clone(f.writes)
	countMarks(f.marks, f.calls)
	f.versionGuards(toks)
}

// initialised are the names of fields and bases that a constructor initialises.
func initialised(tail []token) map[int]bool {
	names := map[int]bool{}
	for i := 0; i+1 < len(tail); i++ {
		if tail[i].is("(") || tail[i].is("{") {
			i = closing(tail, i)
		} else if tail[i+1].is("(") {
			names[i] = true
		}
	}
	return names
}

// scan passes once over the tokens.
func (r *reading) scan() {
	statement := true
	for i, t := range r.toks {
		if statement && t.kind == ident {
			r.declaration(i)
		}
		if t.is("}") && len(r.objects) > 0 {
			r.destroy(i, r.flow.block())
		}
		r.flow.pass(r.toks, i)
		statement = r.startsStatement(i)
		switch {
		case t.is("[") && r.cxx:
			if i >= r.lambda { // one inside another ends before it
				r.lambda = r.lambdaEnd(i)
			}
		case t.kind == punct && assignments[t.text]:
			r.assignment(i)
			if t.is("=") {
				r.assignsCode(i)
			}
		case t.is("(") && i > 0 && r.toks[i-1].is(")"):
			r.calledThrough(i)
		case t.is("==") || t.is("!="):
			r.comparison(i)
		case t.is("!"):
			r.truth(i, i+2)
		case t.is("(") && i > 0 && (r.toks[i-1].is("if") || r.toks[i-1].is("while")) && i+2 < len(r.toks) && r.toks[i+2].is(")"):
			r.truth(i-1, i+3)
		case t.is("&") && !r.passedOn[i]:
			r.f.taken = r.address(r.f.taken, r.f, r.toks, i)
		case t.kind == ident && i >= r.skip:
			if isAnnotation(t.text) && i+1 < len(r.toks) && r.toks[i+1].is("(") {
				r.skip = closing(r.toks, i+1)
				continue
			}
			r.word(i)
		}
	}
}

// startsStatement says whether a statement may begin behind the token at i.
func (r *reading) startsStatement(i int) bool {
	t := r.toks[i]
	switch {
	case t.kind == ident:
		return t.is("else") || t.is("do")
	case t.is("("):
		return i > 0 && r.toks[i-1].kind == ident && controls[r.toks[i-1].text]
	}
	return t.is(";") || t.is("{") || t.is("}") || t.is(":")
}

// declaration records the variables of a declaration that begins at i.
func (r *reading) declaration(i int) {
	t := r.toks[i]
	if controlWords[t.text] || i+1 < len(r.toks) && r.toks[i+1].kind == punct && !continuesType[r.toks[i+1].text] {
		return
	}
	end := statementEnd(r.toks, i, 4*maxArguments)
	toks := r.toks[i:end]
	static := t.is("static") || t.is("STATIC")
	for _, d := range declarators(toks) {
		if d.called && (looksLikeParameters(d.init) || r.known.ddis[d.name] != nil && !r.cxx) {
			if looksLikeParameters(d.init) {
				r.passed[i+d.at] = true
				if r.known.ddis[d.name] != nil {
					r.declared = append(r.declared, toks[d.at].place())
				}
			}
			continue
		}
		r.passed[i+d.at] = d.called
		if static || isConstexpr(t) {
			r.initialisesStatic(r.f, toks, d)
		}
		r.holdsCode(d)
		if d.typ == "auto" {
			d.typ = castTo(d.init)
		}
		r.f.declare(d.name, local{of: r.tag(d.typ), typ: d.typ, static: static, array: d.array, star: d.star || d.pointer})
		if d.ref {
			r.f.taken = r.alias(r.f.taken, d, toks)
			r.passedOn[i+d.at-1] = true // its & takes no address
		}
		r.constructed(d, i+d.at, i+d.end)
		before := len(r.f.writes)
		r.f.writes = r.initial(r.f.writes, d, r.f, toks[d.at])
		for k := before; k < len(r.f.writes); k++ {
			r.place(&r.f.writes[k], i+d.at, i+d.end)
			r.f.writes[k].initial = true
			if d.ref { // it is what it stands for, whenever that is written
				r.f.writes[k].value.pos = 0
			}
		}
	}
}

// castTo gives the type of auto x = reinterpret_cast<T *>(...), "" where it is another expression.
func castTo(init []token) string {
	if len(init) < 2 || !strings.HasSuffix(init[0].text, "_cast") || !init[1].is("<") {
		return ""
	}
	return lastWord(init[2:max(2, templateEnd(init, 1))])
}

// place says of a write where it stands: from the token at, up to the one at end.
func (r *reading) place(w *write, at, end int) {
	w.pos, w.value.pos, w.value.loops = end, at, r.flow.loops()
	w.sure, w.pending = r.outermost(), r.flow.pending
	w.block = r.flow.block()
}

// continuesType are the punctuators that may follow the first word of a declaration.
var continuesType = map[string]bool{"*": true, "&": true, "::": true, "<": true, "(": true, "&&": true}

// outermost says whether the statement at hand runs whenever the function does: it stands in no block.
func (r *reading) outermost() bool {
	return len(r.flow.braces) <= 1 && !r.flow.pending && r.flow.heads <= 0
}

// statementEnd gives the index of the semicolon, or of the bracket, that ends the statement at i, or of its last token
// where it is longer than most.
func statementEnd(toks []token, i, most int) int {
	toks = toks[:min(len(toks), i+most)]
	for ; i < len(toks); i++ {
		switch t := toks[i]; {
		case t.kind != punct:
		case t.text == "(" || t.text == "[" || t.text == "{":
			i = closing(toks, i)
		case t.text == ";" || t.text == ")" || t.text == "]" || t.text == "}":
			return i
		}
	}
	return len(toks)
}

// word reads an identifier of a body.
func (r *reading) word(i int) {
	t := r.toks[i]
	r.templateArguments(r.f, r.toks, i)
	r.asserted(r.f, r.toks, i)
	var next token
	if i+1 < len(r.toks) {
		next = r.toks[i+1]
	}
	switch {
	case t.is("return") || t.is("co_return"):
		r.returns(i)
	case t.is("case"):
		r.label(i)
	case t.is("switch") && next.is("("):
		r.switches = append(r.switches, r.toks[i+2:max(i+2, min(closing(r.toks, i+1), i+maxArguments, len(r.toks)))])
	case t.is("break") || t.is("continue"):
		r.destroy(i, -1)
	case t.is("goto"):
		r.destroy(i, -1)
		if r.f.jumps == 0 {
			r.f.jumps = max(1, i)
		}
	case t.is("new") && r.cxx:
		if i == 0 || !r.toks[i-1].is("operator") {
			r.add(i, i)
		}
	case keywords[t.text]:
	case next.is("<") && r.cxx && next.flags&spaced == 0:
		if end := templateEnd(r.toks, i+1); end > 0 && end+1 < len(r.toks) && r.toks[end+1].is("(") {
			r.add(i, end)
		}
	case !next.is("("):
		r.mentioned(i)
		if next.is("{") && r.cxx && !r.passed[i] && r.tag(t.text) != "" && (i == 0 || !isRecordWord(r.toks[i-1])) {
			r.constructedAt(i)
		}
	case isAnnotation(t.text) || r.passed[i]:
	default:
		r.add(i, i)
	}
}

// mentioned records a name that is used other than by being called. Of a field, and of what is declared, it says nothing.
func (r *reading) mentioned(i int) {
	t := r.toks[i]
	if i > 0 && (r.toks[i-1].is(".") || r.toks[i-1].is("->")) || !r.isValue(i) {
		return
	}
	r.names[t.text] = true
	if k := r.f.param(t.text); k >= 0 && r.escapes(i) {
		r.f.keep(k)
		if r.f.params[k].reference && (r.head || r.toks[max(0, i-1)].is("return")) {
			r.f.taken = append(r.f.taken, target{name: t.text})
		}
	}
	if r.passesArray(i) {
		r.f.taken = append(r.f.taken, target{name: t.text + "[]"})
	}
	if v, ok := r.f.locals[t.text]; ok && v.array || !ok {
		if i+1 < len(r.toks) && !r.toks[i+1].is("[") && !r.toks[max(0, i-1)].is("sizeof") && !(i > 1 && r.toks[i-2].is("sizeof")) && ok {
			r.f.taken = append(r.f.taken, target{name: t.text + "[]"})
		}
	}
	if i > 0 && i+1 < len(r.toks) && (r.toks[i+1].is(")") || r.toks[i+1].is(",")) && !r.isDeclared(t.text) && r.toks[i-1].kind == ident &&
		!keywords[r.toks[i-1].text] && !nx.IsToken(t.text) {
		r.f.declare(t.text, local{opaque: "the parameter of a lambda or a handler"})
	}
}

func (f *function) declare(name string, v local) {
	if f.locals == nil {
		f.locals = map[string]local{}
	}
	f.locals[name] = v
}

// isValue says whether a word can be a value: it is not followed by another that it would be the type of.
func (r *reading) isValue(i int) bool {
	return i+1 == len(r.toks) || r.toks[i+1].kind != ident || keywords[r.toks[i+1].text]
}

func (r *reading) isDeclared(name string) bool {
	_, ok := r.f.locals[name]
	return ok || r.f.param(name) >= 0 || r.enums[name] != nil
}

func (f *function) param(name string) int {
	return slices.IndexFunc(f.params, func(a parameter) bool { return a.name == name && name != "" })
}

func (r *reading) returns(i int) {
	end := statementEnd(r.toks, i, maxArguments)
	r.destroy(min(end, len(r.toks)-1), -1)
	r.f.makes = r.f.makes || codeIn(r.toks[i+1:min(end, len(r.toks))]) != ""
	if end > i+1 {
		v := r.value(r.f, r.toks[i+1:end])
		v.pos, v.loops = i, r.flow.loops()
		r.f.returns = append(r.f.returns, v)
	}
}

// add records the call whose name is at i and whose parenthesis follows the token at last.
func (r *reading) add(i, last int) {
	c, args, end := r.call(r.f, r.toks, i, last)
	c.pos, c.end = i, end
	if i > 0 {
		before := r.toks[i-1]
		c.dropped = before.is(";") || before.is("{") || before.is("}") || before.is(")") && i > 2 && r.toks[i-2].is("void")
		if before.is(".") || before.is("->") {
			c.method = true // or a pointer, whatever its name is
			c.of, _ = r.typeBefore(r.f, r.toks, i-2, 0)
			if c.ddi = r.method(&c, args, i-2); c.ddi != nil && c.ddi.Argument > 0 {
				c.steps = appendSteps(c.steps, args[c.ddi.Argument-1])
			}
		}
		if before.is("::") {
			c.of = qualifier(r.toks, i-1)
		}
	}
	r.codeCall(&c, args, i)
	r.list = append(r.list, made{c, r.lend(c, args, last+1, end)})
}
