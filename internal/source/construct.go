package source

import "slices"

// A constructor is called where no parenthesis follows its name: by a variable, a member or a base. What can construct an
// object unseen, because a template or a conversion does, is noted, so that nobody takes the calls that are seen for all.

// construct gives the call of a constructor that a variable, member or base of a class makes with its arguments.
func (p *parser) construct(f *function, class string, at token, args []token, pos int) call {
	c := call{at: at, callee: class, of: class, constructs: true, pos: pos, end: pos}
	for _, arg := range split(args) {
		v := unasked
		if p.known.wanted(class) {
			v = p.value(f, arg)
			v.pos = pos
		}
		c.args = append(c.args, v)
	}
	return c
}

// constructed records the call that a declaration in a body makes.
func (r *reading) constructed(d declarator, at, end int) {
	args := d.init
	if len(args) > 0 && args[0].is("{") {
		args = inside(args)
	} else if d.assign {
		return
	}
	class := r.className(d.typ)
	if !r.cxx || d.pointer || d.star || d.ref || class == "" || len(args) >= maxArguments {
		return
	}
	r.lives(class, end)
	if len(args) == 0 && !r.declaresOwn(class) {
		return
	}
	c := r.construct(r.f, class, r.toks[at], args, end)
	for i := range c.args {
		c.args[i].loops = r.flow.loops()
	}
	r.list = append(r.list, made{c, r.lend(c, split(args), at+1, end)})
}

// declaresOwn says whether a class is known to have a constructor or destructor.
func (p *parser) declaresOwn(class string) bool {
	return p.records[class] != nil && p.records[class].own
}

// object is a variable of a class while its block is read, which ends with a destructor.
type object struct {
	class string
	block int // the brace that it stands in
}

func (r *reading) lives(class string, at int) {
	if r.declaresOwn(class) && len(r.flow.braces) > 0 {
		r.objects = append(r.objects, object{class, r.flow.block()})
	}
}

// destroy records the destructors that run in front of the token at i: of all variables where control leaves their blocks
// there, of those of one block at its end.
func (r *reading) destroy(i, block int) {
	for k := len(r.objects) - 1; k >= 0; k-- {
		o := r.objects[k]
		if block >= 0 && o.block != block {
			continue
		}
		at := r.toks[i]
		r.list = append(r.list, made{call: call{at: at, callee: "~" + o.class, of: o.class, constructs: true, pos: i, end: max(i-1, 0)}})
		if block >= 0 {
			r.objects = slices.Delete(r.objects, k, k+1)
		}
	}
}

// constructedAt records the call that K(x) or K{x} makes whose name is at i.
func (r *reading) constructedAt(i int) {
	end := closing(r.toks, i+1)
	args := r.toks[min(i+2, len(r.toks)):min(end, len(r.toks))]
	if class := r.className(r.toks[i].text); class != "" && len(args) > 0 && len(args) < maxArguments {
		c := r.construct(r.f, class, r.toks[i], args, end)
		for k := range c.args {
			c.args[k].loops = r.flow.loops()
		}
		r.list = append(r.list, made{c, r.lend(c, split(args), i+1, end)})
	}
}

// className gives the class that a type's name stands for, or that name where no such class was seen.
func (p *parser) className(typ string) string {
	if typeWords[typ] {
		return ""
	}
	if class := p.tag(typ); class != "" {
		return class
	}
	return typ
}

// initialisers records the calls that the initialisers of a constructor make, for its members and bases.
func (r *reading) initialisers() {
	for i := 0; i+1 < len(r.toks); i++ {
		if r.toks[i+1].is("(") || r.toks[i+1].is("{") {
			end := closing(r.toks, i+1)
			if t := r.toks[i]; t.kind == ident && !isAnnotation(t.text) {
				r.initialiserOf(t, i+1, end)
			}
			i = end
		}
	}
}

func (r *reading) initialiserOf(t token, open, end int) {
	class := r.className(t.text)
	if of, typ := r.field(r.f.class, t.text); of != "" {
		class = typ
	}
	args := r.toks[min(open+1, len(r.toks)):min(end, len(r.toks))]
	if class == "" || len(args) == 0 {
		return
	}
	c := r.construct(r.f, class, t, args, end)
	r.list = append(r.list, made{c, r.lend(c, split(args), open, end)})
}

// constructs records the call that a variable at file scope, or a member with an initialiser, makes.
func (p *parser) constructs(d declarator, at token) {
	args := d.init
	if len(args) > 0 && args[0].is("{") {
		args = inside(args)
	} else if d.assign {
		return
	}
	if class := p.className(d.typ); p.cxx && !d.pointer && !d.star && class != "" && len(args) > 0 {
		p.functions = append(p.functions, &function{at: at, initial: true, calls: []call{p.construct(nil, class, at, args, 0)}})
	}
}

// declares notes that a class has a constructor or destructor.
func (r *record) declares(toks []token) {
	if name, _ := functionName(toks); name >= 0 && toks[name].text == r.name {
		r.own = true
	}
}

// converting notes a constructor that is declared without the word explicit.
func (r *record) converting(toks []token) {
	name, open := functionName(toks)
	if name < 0 || toks[name].text != r.name || name > 0 && toks[name-1].is("~") {
		return
	}
	rest := toks[open:min(closing(toks, open), len(toks))]
	copies := slices.ContainsFunc(rest, func(t token) bool { return t.is(r.name) })
	r.converts = r.converts || !copies && !slices.ContainsFunc(toks[:name], func(t token) bool { return t.is("explicit") })
}

// explicitOutside marks the constructors that are defined outside of their class and declared explicit in it.
func (p *parser) explicitOutside() {
	for _, f := range p.functions {
		if r := p.records[f.class]; r != nil && f.isConstructor() && f.outside && !r.converts {
			f.explicit = true
		}
	}
}

// isConstructor says whether a function constructs objects of its class.
func (f *function) isConstructor() bool { return f.class != "" && f.name == f.class }

// hidden are the ways in which objects of a class may be constructed unseen.
type hidden uint8

const (
	byTemplate   hidden = 1 << iota // a template, a cast or an array constructs it
	byConversion                    // a value may be turned into one where a function wants or gives one
)

// findHidden looks at each place where a class is named in a unit of C++.
func (p *parser) findHidden() {
	p.hidden = map[string]hidden{}
	for i, t := range p.toks {
		if t.kind != ident {
			continue
		}
		if class := p.tag(t.text); class != "" {
			if how := p.hiddenAt(i); how != 0 {
				p.hidden[class] |= how
			}
		}
	}
}

// hiddenAt judges the name of a class at i by what stands around it.
func (p *parser) hiddenAt(i int) hidden {
	before, next, third := p.around(i)
	switch {
	case next.is("::") && before.is("using"):
		return byTemplate
	case next.is(">") || next.is("["), (next.is(",") || next.is("<")) && before.is("<"), next.is("<") && before.is(","):
		return byTemplate
	case next.is(")") && before.is("("):
		if i > 1 && p.toks[i-2].is("sizeof") {
			return 0
		}
		return byTemplate // a cast
	case next.is(")") || next.is(",") || next.is("&&"):
		return byConversion
	case next.is("&"):
		if before.is("const") || before.is("CONST") {
			return byConversion
		}
	case next.kind == ident:
		switch {
		case third.is(")") || third.is(",") || third.is("="):
			return byConversion
		case third.is("["):
			return byTemplate
		case third.is("("):
			end := closing(p.toks, i+2)
			if looksLikeParameters(p.toks[i+3 : min(max(i+3, end), len(p.toks))]) {
				return byConversion // what a function returns
			}
		case third.is("::"): // what a method returns
			return byConversion
		}
	}
	return 0
}

func (p *parser) around(i int) (before, next, third token) {
	if i > 0 {
		before = p.toks[i-1]
	}
	if i+1 < len(p.toks) {
		next = p.toks[i+1]
	}
	if i+2 < len(p.toks) {
		third = p.toks[i+2]
	}
	return before, next, third
}

// fillConstructed takes in what the parameter of a constructor gets where no argument is passed.
func (m *image) fillConstructed(n *node, i int, name string) {
	if why := m.unseenConstruction(n.d); why != "" && n.why == "" {
		n.why = name + why
	}
	if e := given(n.d.unit, n.d, i); e != nil {
		m.add(n, value{expr: e}, scene{unit: n.d.unit}, m.at(n.d), "the default argument "+n.name+" of "+n.d.name)
		n.inputs[len(n.inputs)-1].at = m.runs(n.d, 0)
	}
}

// unseenConstruction says why a constructor may be called where no call is seen, "" where it may not. It asks for what
// constructs by another name: a member, or another name of the class.
func (m *image) unseenConstruction(d *definition) string {
	needed := 0
	for i := range d.params {
		if d.params[i].given == nil {
			needed++
		}
	}
	converts := !d.explicit && needed <= 1
	why := ""
	for _, u := range m.units {
		m.need(u.others[d.class]...)
		switch how := u.hidden[d.class]; {
		case how&byTemplate != 0:
			why = ": a template or a cast may construct a " + d.class
		case how&byConversion != 0 && converts && why == "":
			why = ": a value may be converted to a " + d.class
		}
	}
	return why
}

// otherNames are the names, other than its own, by which a class is constructed in a unit: those of members and typedefs.
func (p *parser) otherNames() map[string][]string {
	others := map[string][]string{}
	add := func(class, name string) {
		if class != "" && class != name && !slices.Contains(others[class], name) {
			others[class] = append(others[class], name)
		}
	}
	for _, r := range p.records {
		for _, f := range r.fields {
			add(f.typ, f.name)
		}
	}
	for name := range p.aliases {
		add(p.tag(name), name)
	}
	return others
}
