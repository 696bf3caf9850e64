package source

import (
	"cmp"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// Where the text stands that decides a request. A constant is kept with its place, and not with what it came through: in a
// macro's body, in a macro's argument, at the call of a wrapper or in an initialiser, it is changed where it is written, once.

func (e *expr) written(use driver.Use) driver.Written {
	at := e.file.place(int(e.off))
	return driver.Written{At: at, End: at.Offset + len(e.name), Text: e.name, Use: use}
}

// source gives the token that stands in a file for t, without a file where it can't be replaced there. What the kit's own macro
// gives is written where that macro is used.
func (t token) source() token {
	for t.flags&kitName != 0 && t.exp != nil {
		t = t.exp.name
	}
	if t.flags&joined != 0 || t.file != nil && (t.file.virtual || t.file.wide != nil) {
		t.file = nil
	}
	return t
}

// byConstant are the kinds of arguments whose constants are replaced where they stand. Of the others, the argument is.
var byConstant = map[nx.Kind]bool{nx.PoolType: true, nx.PoolFlags: true, nx.PageProtection: true}

// at gives a constant that decides pools with the place of its token, which others do not share.
func (e *expr) at(t token) *expr {
	if e.kind != constantExpr {
		return e
	}
	if typ := nx.TypeOf(t.text); typ != nx.PoolTypes && typ != nx.PoolFlagBits && typ != nx.PageProtections && (t.kind != number || e.term.Bits != 0) {
		return e
	}
	if t = t.source(); t.file == nil {
		return e
	}
	return &expr{kind: constantExpr, term: e.term, file: t.file, off: t.off, name: t.text}
}

// constants gives those that an expression is made of.
func (e *expr) constants() []driver.Written {
	o := &origins{}
	o.expr(e, &input{}, driver.Alone)
	return o.list
}

// origins is the search for the constants that a value comes from.
type origins struct {
	*image
	seen  map[*node]uint8 // in which uses
	list  []driver.Written
	first bool // what is looked at is the value of a static local
}

// maxWritten bounds the constants of one request.
const maxWritten = 500

func (m *image) writtenIn(in *input) []driver.Written {
	o := &origins{image: m}
	o.expr(in.expr, in, driver.Alone)
	if len(o.list) < 2 {
		return o.list
	}
	return mergeWritten(nil, o.list)
}

func (o *origins) expr(e *expr, in *input, use driver.Use) {
	switch e.kind {
	case constantExpr:
		if e.file != nil && len(o.list) < maxWritten {
			w := e.written(use)
			w.First = o.first || in.at == driver.Initial
			o.list = append(o.list, w)
		}
	case either:
		o.expr(e.args[0], in, use)
		o.expr(e.args[1], in, use)
	case operator:
		if truths[e.name] {
			return
		}
		inner := driver.Computed
		if e.name == "|" || e.name == "+" && len(e.args) == 2 {
			inner = driver.Together
		}
		for _, a := range e.args {
			o.expr(a, in, max(use, inner))
		}
	default:
		for _, n := range in.nodes[e] {
			o.node(n, use)
		}
	}
}

func (o *origins) node(n *node, use driver.Use) {
	if o.isCompared(n) {
		use = driver.Compared
	}
	if o.seen[n]&(1<<use) != 0 {
		return
	}
	if o.seen == nil {
		o.seen = map[*node]uint8{}
	}
	o.seen[n] |= 1 << use
	o.work++
	outer := o.first
	for i := range n.inputs {
		o.first = n.kind == localOf && n.d.locals[n.name].static
		o.expr(n.inputs[i].expr, &n.inputs[i], use)
	}
	o.first = outer
}

// isCompared says whether what holds a value is compared with a pool type: where it is told apart from others by that, another
// value goes another way.
func (m *image) isCompared(n *node) bool {
	switch n.kind {
	case parameterOf, localOf:
		return slices.Contains(n.d.compared, target{name: n.name})
	case globalVariable, fieldOf:
		if m.compared == nil {
			m.compared = map[target]bool{}
			for _, d := range m.definitions {
				for _, to := range d.compared {
					if to.field || !d.owns(to.name) {
						m.compared[to] = true
					}
				}
			}
		}
		return m.compared[target{name: n.name, of: n.of, field: n.kind == fieldOf}]
	}
	return false
}

// mergeWritten adds text to a list. Of the uses of one text, the one that binds most counts.
func mergeWritten(list, more []driver.Written) []driver.Written {
	order := func(a, b driver.Written) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(b.Use, a.Use)) }
	all := slices.SortedFunc(slices.Values(slices.Concat(list, more)), order)
	return slices.Clip(slices.CompactFunc(all, func(a, b driver.Written) bool { return a.At == b.At }))
}

// flags notes the argument that holds the flags of a lookaside list or the priority of a mapping, for the request at pos.
func (f *function) flags(d *nx.DDI, name token, arg []token, pos int) {
	w := argumentOf(d, name, arg)
	if w == nil {
		return
	}
	if f.flagged == nil {
		f.flagged = map[int]driver.Written{}
	}
	f.flagged[pos] = *w
}

// argumentOf gives the argument of a call whose name is given, where a flag can be added to it.
func argumentOf(d *nx.DDI, name token, arg []token) *driver.Written {
	if d.Kind != nx.LookasideFlags && d.Kind != nx.MdlPriority {
		return nil
	}
	first, last, ok := extent(name, arg)
	if !ok || first.source().file == nil || last.source().file == nil {
		return nil
	}
	w := &driver.Written{At: first.place(), End: int(last.off) + len(last.text)}
	depth := 0 // of parentheses
	for _, t := range arg {
		switch {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		case depth == 0 && t.kind == punct && (precedence[t.text] > 0 && precedence[t.text] < precedence["|"] || t.text == "?" || t.text == "="):
			w.Use = driver.Together
		}
	}
	if len(arg) == 1 && first.exp == arg[0].exp {
		w.Text = first.text
	}
	return w
}

// extent gives the first and the last token of an argument of the call whose name is given, where it is written at one place: in
// the call, in the body of a macro or among the arguments of one.
func extent(name token, arg []token) (first, last token, ok bool) {
	if len(arg) == 0 {
		return first, last, false
	}
	around := map[*expansion]bool{}
	for e := name.exp; e != nil; e = e.name.exp {
		around[e] = true
	}
	first, last = outermost(arg[0], around), outermost(arg[len(arg)-1], around)
	for _, t := range arg {
		if throughArguments(t, around) {
			return first, last, false
		}
		if outer := outermost(t, around); outer.exp != first.exp || outer.file != first.file || outer.off < first.off || outer.off > last.off {
			return first, last, false
		}
	}
	return first, last, true
}

// outermost is the token that stands for t in what the expansions around a call were made of.
func outermost(t token, around map[*expansion]bool) token {
	for t.exp != nil && !around[t.exp] {
		t = t.exp.name
	}
	return t
}

// throughArguments says whether a token came out of a macro with arguments: where those end is not kept.
func throughArguments(t token, around map[*expansion]bool) bool {
	for ; t.exp != nil && !around[t.exp]; t = t.exp.name {
		if t.exp.macro.function {
			return true
		}
	}
	return false
}
