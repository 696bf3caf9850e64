package source

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// Where executed memory comes from is looked up backwards: from each sign over what the address is assigned, passed and
// returned from, to the requests.

// tracing is the search from one sign.
type tracing struct {
	*image
	sign    *execution
	seen    map[*node]bool
	field   map[quantity]bool
	found   []traced
	perhaps bool   // fields may be any of their name
	lost    string // why some of the ways could not be followed
}

// traced is a request that was found: a call of a DDI in a function, and the way from the sign to it.
type traced struct {
	d   *definition
	at  token
	way *way
}

// way is a list of steps, the last first.
type way struct {
	driver.Step
	before *way
	length int
}

const (
	maxWay    = 40   // steps from a sign to a request
	maxTraced = 1000 // quantities that are looked at from one sign
	maxSigns  = 2000 // of one image
	maxFound  = 100  // requests of one sign
	maxVia    = 8    // names that lead to a struct
)

// executed notes of the sites that their memory seems to be executed. It gives the signs for which no request was found
// although the memory may come from one.
func (m *image) executed(sites []seen) []unplaced {
	var list []unplaced
	signs := 0
	byPlace := map[driver.Place][]*seen{}
	for _, d := range m.definitions {
		for i := range d.executed {
			if signs++; signs > maxSigns || m.work > maxWork || m.idleCopy(d) {
				continue
			}
			t := &tracing{image: m, sign: &d.executed[i], seen: map[*node]bool{}, field: map[quantity]bool{}}
			if !m.isCode(d, t.sign.source) {
				continue
			}
			t.value(&input{value: t.sign.value, scene: scene{d: d, unit: d.unit}}, nil)
			if len(byPlace) == 0 {
				for i := range sites {
					byPlace[sites[i].Place] = append(byPlace[sites[i].Place], &sites[i])
				}
			}
			if !t.mark(byPlace, d) && t.lost != "" && !t.sign.called {
				list = append(list, unplaced{unit: d.unit, Fact: driver.Fact{
					Kind: driver.CodeWritten, Place: t.sign.at.root().place(), Function: d.name, Unit: d.unit.unit.Path,
					Mechanism: d.unit.mechanism, Says: fmt.Sprintf("%s gets machine code; where it comes from is not known: %s", t.sign.text, t.lost),
				}})
			}
		}
	}
	return list
}

// isCode says whether what a copy takes is code: a function, of the image or in assembler, an array that holds instructions, or
// what a function returns.
func (m *image) isCode(d *definition, source string) bool {
	if source == "" {
		return true
	}
	name, made := strings.CutSuffix(source, "()")
	m.bodies[name] = true
	if made {
		return slices.ContainsFunc(m.defined[name], func(f *definition) bool { return f.makes })
	}
	for _, u := range m.units {
		if (u == d.unit || !u.hides(name)) && slices.Contains(u.codes, name) {
			return true
		}
	}
	return slices.Contains(d.unit.routines, name) || slices.ContainsFunc(m.defined[name], func(f *definition) bool { return f.class == "" && (f.unit == d.unit || !f.static) })
}

// hides says whether a variable at file scope is not seen outside of the unit.
func (u *summary) hides(name string) bool {
	return slices.ContainsFunc(u.variables, func(v variable) bool { return v.name == name && v.static })
}

// mark tells the sites that were found of the sign, and says whether there are such.
func (t *tracing) mark(sites map[driver.Place][]*seen, d *definition) bool {
	marked := false
	for _, f := range t.found {
		for _, s := range sites[f.at.root().place()] {
			if s.unit != f.d.unit || s.Spelled != (driver.Place{}) && s.Spelled != f.at.place() || !t.gives(s.DDI) {
				continue
			}
			marked = true
			says := fmt.Sprintf("%s: the memory %s", d.name, t.sign.says)
			if text := t.sign.text; text != "" {
				says = fmt.Sprintf("%s: the memory at %s %s", d.name, text, t.sign.says)
			}
			for w := f.way; w != nil; w = w.before {
				s.Executed = appendNew(s.Executed, w.Step)
			}
			s.Executed = appendNew(s.Executed, driver.Step{Place: t.sign.at.root().place(), Says: says})
		}
	}
	return marked
}

func appendNew(list []driver.Step, s driver.Step) []driver.Step {
	if slices.Contains(list, s) || len(list) >= maxSteps {
		return list
	}
	return append(list, s)
}

// gives says whether a DDI gives memory by its result. Of a mapping, what is written there says nothing of the memory: a
// driver may patch code by way of it.
func (t *tracing) gives(d nx.DDI) bool {
	switch d.Kind {
	case nx.PoolType, nx.PoolFlags:
		return true
	case nx.LookasideFlags, nx.PortDriver:
		return false
	}
	return t.sign.called || strings.HasPrefix(d.Name, "MmAllocateContiguous")
}

// value follows an expression.
func (t *tracing) value(in *input, way *way) { t.expression(in.expr, in, way) }

func (t *tracing) expression(e *expr, in *input, way *way) {
	switch e.kind {
	case either:
		t.expression(e.args[0], in, way)
		t.expression(e.args[1], in, way)
	case operator:
		switch e.name {
		case "+":
			t.expression(e.args[0], in, way)
			t.expression(e.args[1], in, way)
		case "-", "&":
			t.expression(e.args[0], in, way)
		}
	case callExpr:
		t.call(e, in, way)
	case fieldExpr:
		t.fieldOf(e, way)
	case nameExpr:
		if t.ownMemory(e.name, in) {
			return
		}
		nodes, why := in.nodes[e], ""
		if nodes == nil {
			nodes, why = t.stands(e, in)
		}
		t.lose(why)
		for _, n := range nodes {
			t.node(n, way)
		}
	case notFollowed:
		for _, a := range e.args { // &x[i]
			t.expression(a, in, way)
			return
		}
		t.lose(e.name)
	}
}

// ownMemory says whether a name is that of an array or a function: no pointer to memory that was requested.
func (t *tracing) ownMemory(name string, in *input) bool {
	if in.d != nil && in.d.owns(name) {
		return in.d.locals[name].array
	}
	return len(t.defined[name]) > 0 || slices.ContainsFunc(t.units, func(u *summary) bool {
		return slices.ContainsFunc(u.variables, func(v variable) bool { return v.name == name && v.array && (u == in.unit || !v.static) })
	})
}

func (t *tracing) lose(why string) {
	if t.lost == "" {
		t.lost = why
	}
}

// call follows what a call returns: it is a request, or a function of the image.
func (t *tracing) call(e *expr, in *input, way *way) {
	if in.d == nil {
		return
	}
	if e.call.ddi != nil && !e.call.method {
		if len(t.found) == maxFound {
			return
		}
		t.found = append(t.found, traced{d: in.d, at: e.call.at, way: way})
		return
	}
	t.bodies[e.name] = true
	list := t.resolve(in.scene, e.call)
	if len(list) == 0 && e.call.method {
		list = t.table(e, in)
	}
	for _, d := range list {
		t.node(t.nodes(quantity{kind: resultOf, d: d, name: d.name, in: t.frame(e.call, in.scene, in.at)})[0], way)
	}
	if len(list) == 0 && e.call.method {
		t.lose("what " + e.name + "() returns: it is called through a pointer")
	}
}

// table gives the functions that are written to the field by which a call is made. The struct need not be known: who calls a
// function by such a name, and gets memory that looks like code, means one of them.
func (t *tracing) table(e *expr, in *input) []*definition {
	t.need(e.name)
	t.index()
	var list []*definition
	for _, w := range t.written[e.name] {
		if w.field && compatible(w.of, e.call.of) && w.value.kind == nameExpr {
			t.bodies[w.value.name] = true
			list = append(list, t.resolve(scene{d: w.d, unit: w.unit}, &call{callee: w.value.name, args: e.call.args})...)
		}
	}
	return list
}

// node follows all that gives a quantity its values.
func (t *tracing) node(n *node, last *way) {
	if t.seen[n] || len(t.seen) > maxTraced || t.work > maxWork {
		return
	}
	t.seen[n] = true
	if !n.filled {
		t.fill(n)
	}
	t.inputs(n, last)
}

func (t *tracing) inputs(n *node, last *way) {
	t.work += 1 + len(n.inputs)
	t.lose(n.why)
	for i := range n.inputs {
		in := &n.inputs[i]
		w := &way{Step: in.step, before: last, length: 1}
		if last != nil {
			w.length += last.length
		}
		if w.length < maxWay {
			t.value(in, w)
		}
	}
}

// fieldOf follows a field. A name alone is too little: where the struct is not known, its definition is asked for. Of what is
// called, which is mostly a callback, only if a field of that name may hold what was requested: there is much to be read
// for a struct of a common name.
func (t *tracing) fieldOf(e *expr, way *way) {
	t.need(e.name)
	q := quantity{kind: fieldOf, name: e.name, of: e.of}
	if e.of != "" {
		t.structs[structField{e.of, e.name}] = true
		t.fields(q, way)
		return
	}
	t.lose("what field " + e.name + " holds: its struct is not known")
	if t.perhaps {
		t.fields(q, way)
		return
	}
	if t.sign.called {
		p := &tracing{image: t.image, sign: t.sign, seen: map[*node]bool{}, field: map[quantity]bool{}, perhaps: true}
		if p.fields(q, way); len(p.found) == 0 {
			return
		}
	}
	via := strings.Fields(e.via)
	via = via[:min(len(via), maxVia)]
	for _, name := range via {
		for _, field := range append([]string{e.name}, via...) {
			t.structs[structField{name, field}] = true
		}
	}
}

// structField stands for the definition of a type that mentions a field.
type structField struct{ of, name string }

// fields follows what is written to a field.
func (t *tracing) fields(q quantity, last *way) {
	if t.field[q] {
		return
	}
	t.field[q] = true
	n := &node{quantity: q}
	t.index()
	for _, w := range t.written[q.name] {
		if w.field && t.fits(w.of, q.of) && !w.clear && len(n.inputs) < maxInputs {
			t.add(n, w.value, scene{d: w.d, unit: w.unit}, w.at.root().place(), fmt.Sprintf("%s is set to %s", n.title(), w.value.text))
		}
	}
	for _, l := range t.lent[q.name] {
		if l.field && t.fits(l.of, q.of) {
			t.addLent(n, scene{d: l.d, unit: l.d.unit}, l.lent)
		}
	}
	if len(n.inputs) == 0 {
		t.lose("what " + n.title() + " holds: nothing in this build writes it by name")
	}
	t.inputs(n, last)
}

func (t *tracing) fits(a, b string) bool { return a == b || t.perhaps && compatible(a, b) }
