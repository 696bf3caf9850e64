package source

import (
	"fmt"
	"slices"
	"sort"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// A call that passes &x, or in C++ x itself, may change x: what the function writes through that parameter are values of x.

// lent is a variable or field that a call passes a way to write to.
type lent struct {
	target
	call, arg int  // the indexes of the call and of the argument
	address   bool // &x, or a pointer that is passed on; else x itself, which a reference of C++ takes
	pos       int  // of the end of the call
}

// harmless are macros of the kit that look like calls and do nothing with what they are given.
var harmless = map[string]bool{
	"ASSERT": true, "NT_ASSERT": true, "ASSERTMSG": true, "NT_ASSERTMSG": true, "UNREFERENCED_PARAMETER": true,
	"DBG_UNREFERENCED_PARAMETER": true, "ARGUMENT_PRESENT": true, "sizeof": true,
}

// lend notes which arguments of the call whose name is at i let it write to a variable or field. They begin behind the
// parenthesis at open.
func (r *reading) lend(c call, args [][]token, open, end int) []lent {
	if clears[c.callee] {
		return nil
	}
	var list []lent
	at := open + 1
	for k, arg := range args {
		if to, address, ok := r.lends(arg); ok {
			r.passedOn[at] = true
			if byValue := c.ddi != nil && !address; !byValue && !harmless[c.callee] {
				list = append(list, lent{target: to, arg: k, address: address, pos: end})
			}
		}
		at += len(arg) + 1
	}
	return list
}

// lends says what an argument lets a function write to: &x, x where it is a parameter that may itself be a pointer, and
// in C++ every x.
func (r *reading) lends(arg []token) (to target, address, ok bool) {
	if len(arg) > 1 && arg[0].is("&") {
		arg, address = arg[1:], true
	}
	if len(arg) == 0 || !plainPath(arg) || keywords[arg[0].text] {
		return to, false, false
	}
	if !address && !r.cxx && (len(arg) > 1 || r.f.param(arg[0].text) < 0) {
		return to, false, false
	}
	if !address && (nx.IsToken(arg[0].text) || r.enums[arg[0].text] != nil) {
		return to, false, false
	}
	name := arg[len(arg)-1].text
	if len(arg) == 1 {
		if v := (&evaluator{parser: r.parser, f: r.f}).memberOf(name); v != nil {
			return target{name: name, of: v.of, field: true}, address, true
		}
		return target{name: name}, address, true
	}
	typ, _ := r.typeBefore(r.f, arg, len(arg)-3, 0)
	of, _ := r.field(typ, name)
	return target{name: name, of: of, field: true}, address, true
}

// alias records what a reference of C++ that is declared stands for, like what has its address taken.
func (r *reading) alias(taken []target, d declarator, toks []token) []target {
	init := d.init
	if len(init) > 0 && init[0].is("{") {
		init = inside(init)
	}
	if !d.ref || !plainPath(init) || isConstant(toks[:d.at]) {
		return taken
	}
	if to, _, ok := r.lends(init); ok {
		return append(taken, to)
	}
	return taken
}

// plainPath says whether tokens are x, x.y or x->y.z.
func plainPath(toks []token) bool {
	if len(toks)%2 == 0 {
		return false
	}
	for i, t := range toks {
		if i%2 == 0 && t.kind != ident || i%2 == 1 && !t.is(".") && !t.is("->") {
			return false
		}
	}
	return true
}

// escapes says whether the parameter of that name, at i, is used in a way that may keep what it points to, or write to it
// unseen. To write to *x and to read it, to compare x and to pass it on is none.
func (r *reading) escapes(i int) bool {
	var before, next token
	if i > 0 {
		before = r.toks[i-1]
	}
	if i+1 < len(r.toks) {
		next = r.toks[i+1]
	}
	if r.passedOn[i] || i > 0 && before.is("&") && r.passedOn[i-1] {
		return false
	}
	if before.is("*") {
		step := i > 1 && (r.toks[i-2].is("++") || r.toks[i-2].is("--") || r.toks[i-2].is("*") || r.toks[i-2].is("&"))
		return step || next.is("[") || next.is("++") || next.is("--") || next.is("->") || next.is(".")
	}
	if compares[before.text] || compares[next.text] {
		return before.is("&") // of what a & b == c compares, b may be an operand of &
	}
	return !(before.is("(") && next.is(")") && i > 1 && controls[r.toks[i-2].text])
}

var compares = map[string]bool{"==": true, "!=": true, "!": true, "&&": true, "||": true}

// keep notes that a parameter escapes.
func (f *function) keep(param int) {
	if f.kept == nil {
		f.kept = map[int]bool{}
	}
	f.kept[param] = true
}

// lending gives the variable that lent entries of a function by a name are about, in the order of the calls.
func (m *image) lending(d *definition, name string) []lent {
	if d.lentBy == nil {
		d.lentBy = map[string][]lent{}
		for _, l := range d.lent {
			if !l.field {
				d.lentBy[l.name] = append(d.lentBy[l.name], l)
			}
		}
	}
	return d.lentBy[name]
}

// lentBetween narrows the calls that may write to a variable to those between the write that ends what was before and the
// use; all are taken where they may run in another order.
func (m *image) lentBetween(s *span, d *definition, name string, use value) {
	list := m.lending(d, name)
	if s.from >= 0 {
		s.lentFrom = sort.Search(len(list), func(i int) bool { return list[i].pos > d.writes[s.from].pos })
	}
	if d.jumps == 0 && !use.loops {
		s.lentTo = max(s.lentFrom, sort.Search(len(list), func(i int) bool { return list[i].pos > use.pos }))
	}
}

// addLent takes in what a call may write to a node's variable or field.
func (m *image) addLent(n *node, from scene, l lent) {
	c := &from.d.calls[l.call]
	m.bodies[c.callee] = true
	callees := m.resolve(from, c)
	if len(callees) == 0 && l.address {
		n.unsure("its address is taken in " + from.name())
	}
	for _, callee := range callees {
		if l.arg >= len(callee.params) {
			if l.address {
				n.unsure("its address is taken in " + from.name())
			}
			continue
		}
		a := callee.params[l.arg]
		switch {
		case a.constant || !l.address && !a.reference:
			continue
		case l.address && a.reference:
			n.unsure(callee.name + " gets its address by a reference")
			continue
		}
		q := quantity{kind: writtenThrough, d: callee, name: a.name, in: m.frame(c, from, m.moment(from.d, c))}
		e := &expr{kind: nameExpr, name: a.name}
		n.inputs = append(n.inputs, input{
			value: value{expr: e}, scene: from, nodes: map[*expr][]*node{e: m.nodes(q)}, whys: map[*expr]string{},
			step: driver.Step{Place: c.at.root().place(), Says: fmt.Sprintf("%s lets %s write to %s", from.name(), callee.name, n.name)},
		})
	}
}

// idle says whether an input is a call that could write to a variable and does not.
func (in *input) idle() bool {
	if in.expr.kind != nameExpr {
		return false
	}
	list := in.nodes[in.expr]
	return len(list) > 0 && !slices.ContainsFunc(list, func(n *node) bool {
		return n.kind != writtenThrough || len(n.values.terms) > 0 || n.values.unknown != ""
	})
}

// unsure gives a reason why a node may hold something else.
func (n *node) unsure(why string) {
	if n.why == "" {
		title := n.name
		if n.kind == fieldOf {
			title = n.title()
		}
		n.why = fmt.Sprintf("what %s holds: %s", title, why)
	}
}

// fillThrough takes what a function writes through one of its parameters. The order of the writes is not looked at.
func (m *image) fillThrough(n *node) {
	i := n.d.param(n.name)
	if i < 0 {
		return // it has no name, and so is not used
	}
	c := scene{n.d, n.d.unit, n.in}
	written := "*" + n.name
	if n.d.params[i].reference {
		written = n.name
	}
	if n.d.kept[i] && !n.d.params[i].reference || slices.Contains(n.d.taken, target{name: n.name}) {
		n.why = fmt.Sprintf("what is written through %s: %s may keep it", n.name, n.d.name)
	}
	for _, k := range m.writesTo(n.d, written) {
		w := &n.d.writes[k]
		m.work++
		m.add(n, w.value, c, w.at.root().place(), fmt.Sprintf("%s sets %s to %s", n.d.name, written, w.value.text))
	}
	for _, l := range m.lending(n.d, n.name) {
		l.address = l.address || !n.d.params[i].reference
		m.addLent(n, c, l)
	}
}

// passesArray says whether the name at i is that of an array at file scope, without an index: a pointer to its elements.
func (r *reading) passesArray(i int) bool {
	name := r.toks[i].text
	if !r.arrays[name] || r.f.owns(name) || i+1 < len(r.toks) && r.toks[i+1].is("[") {
		return false
	}
	return !(i > 0 && r.toks[i-1].is("sizeof") || i > 1 && counts[r.toks[i-2].text])
}

// counts are what tells the size of an array.
var counts = map[string]bool{"sizeof": true, "ARRAYSIZE": true, "ARRAY_SIZE": true, "RTL_NUMBER_OF": true, "_countof": true}

// lambdaEnd gives the index of the brace that ends the body of the lambda whose bracket is at i, 0 where none begins there.
func (r *reading) lambdaEnd(i int) int {
	if i > 0 && isOperand(r.parser, r.toks, i-1) {
		return 0
	}
	j := closing(r.toks, i) + 1
	if j < len(r.toks) && r.toks[j].is("(") {
		j = closing(r.toks, j) + 1
	}
	for most := j + 20; j < min(len(r.toks), most); j++ { // mutable, noexcept, -> T
		switch t := r.toks[j]; {
		case t.is("{"):
			return closing(r.toks, j)
		case t.kind == punct && !lambdaTail[t.text]:
			return 0
		}
	}
	return 0
}

var lambdaTail = map[string]bool{"->": true, "::": true, "*": true, "&": true, "<": true, ">": true, "(": true, ")": true}
