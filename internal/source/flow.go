package source

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// A value is found in two steps: from the argument, everything is looked up that its value hangs on, and then the sets of
// values grow until none changes. So recursion ends, and no way is followed twice.

// quantity is what can hold a value: a parameter, a local, a variable at file scope, a field, or what a function returns.
type quantity struct {
	kind quantityKind
	d    *definition // of a parameter, a local or a result
	unit *summary    // of a static variable at file scope
	name string
	of   string // the struct of a field
	span        // of a parameter or local: the writes that count
	in   *frame
}

type quantityKind uint8

const (
	parameterOf quantityKind = iota
	localOf
	globalVariable
	fieldOf
	resultOf
	writtenThrough // what a function writes by way of a parameter
)

// span are the writes of a function, by index, that reach a use: those before the last that surely runs do not. The value
// that a parameter is passed counts where from is -1.
type span struct{ from, to, lentFrom, lentTo int }

// frame is one call of a function whose result is asked for: its parameters are what that call passes.
type frame struct {
	call  *call
	from  scene
	at    driver.Moment // when it is made
	depth int
}

// scene is where an expression stands.
type scene struct {
	d    *definition // nil at file scope
	unit *summary
	in   *frame
}

// node is a quantity with the expressions that it gets its values from.
type node struct {
	quantity
	inputs []input
	why    string // a reason for not knowing all of them
	values set
	filled bool // its inputs are known
	steady bool // and its values
	round  int  // the last in which it was looked at
}

// input is one expression that gives a node a value.
type input struct {
	value
	scene
	at    driver.Moment     // when it is evaluated
	nodes map[*expr][]*node // what its names stand for
	whys  map[*expr]string
	step  driver.Step
}

// maxFrames bounds how many calls deep a result is followed with what each call passes; deeper, all callers count.
const maxFrames = 4

// maxInputs bounds what is looked at of the writes to one variable or field.
const maxInputs = 1000

// maxWork bounds how often an expression is looked at in one image.
const maxWork = 2_000_000

// resolveValue gives what an expression can be, with the steps of its derivation.
func (m *image) resolveValue(c scene, v value) driver.Value {
	in := input{value: v, scene: c, at: m.evaluates(c, v)}
	if v.kind == constantExpr {
		return driver.Value{Terms: []driver.Term{evaluated(v.term, in.at)}, Written: m.writtenIn(&in)}
	}
	if m.work > maxWork {
		return driver.Value{Unknown: "too many ways lead to it"}
	}
	s := m.solve(&in)
	out := driver.Value{Terms: slices.Clone(s.terms), Unknown: s.unknown}
	if len(out.Terms) == 0 && out.Unknown == "" {
		out.Unknown = "nothing outside of a recursion gives it a value"
	}
	slices.SortFunc(out.Terms, driver.Term.Compare)
	out.Selected = m.selected(&in, out.Terms)
	w := &telling{seen: map[*node]bool{}, said: map[driver.Step]bool{}}
	w.input(&in)
	out.Steps, out.Written = w.steps, m.writtenIn(&in)
	return out
}

// solve looks up what an expression hangs on and lets the sets grow.
func (m *image) solve(in *input) set {
	var found []*node
	m.round++
	m.look(in, &found)
	for changed := true; changed; {
		changed = false
		for i := len(found) - 1; i >= 0; i-- {
			n := found[i]
			s := set{unknown: n.why}
			for k := range n.inputs {
				s = s.join(n.inputs[k].calculate())
				m.work++
			}
			if len(s.terms) != len(n.values.terms) || s.unknown != n.values.unknown {
				n.values, changed = s, true
			}
		}
		if m.work > maxWork {
			return unknown("too many ways lead to it")
		}
	}
	for _, n := range found {
		n.steady = true
	}
	return in.calculate()
}

func (in *input) calculate() set {
	return calculation{at: in.at, look: func(e *expr) set {
		s := set{unknown: in.whys[e]}
		for _, n := range in.nodes[e] {
			s = s.join(n.values)
		}
		return s
	}}.value(in.expr)
}

// look finds the nodes that an input hangs on, and theirs, as far as they are not settled.
func (m *image) look(in *input, found *[]*node) {
	if in.nodes == nil {
		m.bind(in)
	}
	in.expr.leaves(func(e *expr) {
		for _, n := range in.nodes[e] {
			if n.steady || n.round == m.round {
				continue
			}
			n.round = m.round
			*found = append(*found, n)
			if !n.filled {
				m.work++
				m.fill(n)
			}
			for i := range n.inputs {
				m.look(&n.inputs[i], found)
			}
		}
	})
}

// bind finds what the names of an input stand for.
func (m *image) bind(in *input) {
	in.nodes, in.whys = map[*expr][]*node{}, map[*expr]string{}
	in.expr.leaves(func(e *expr) {
		nodes, why := m.stands(e, in)
		in.nodes[e] = nodes
		if len(nodes) == 0 {
			in.whys[e] = why
		}
	})
}

// stands gives the nodes that a name, a field or a call stands for; none and a reason where that is not known.
func (m *image) stands(e *expr, in *input) ([]*node, string) {
	switch e.kind {
	case fieldExpr:
		m.need(e.name, e.of)
		m.need(strings.Fields(e.via)...)
		return m.nodes(quantity{kind: fieldOf, name: e.name, of: e.of}), ""
	case callExpr:
		return m.results(e, in)
	}
	if in.d != nil {
		q := quantity{d: in.d, name: e.name, in: in.in}
		if i := in.d.param(e.name); i >= 0 {
			q.kind, q.span = parameterOf, m.reaching(in.d, e.name, in.value)
			return m.nodes(q), ""
		}
		if _, ok := in.d.locals[strings.TrimSuffix(e.name, "[]")]; ok {
			q.kind, q.span = localOf, m.reaching(in.d, e.name, in.value)
			return m.nodes(q), ""
		}
	}
	if strings.HasPrefix(e.name, "*") {
		return nil, "what a pointer, " + e.name + ", points to"
	}
	return m.global(e.name, in)
}

func (m *image) nodes(q quantity) []*node {
	n := m.flows[q]
	if n == nil {
		n = &node{quantity: q}
		m.flows[q] = n
	}
	return []*node{n}
}

// reaching gives the writes that reach a use: from the last before it that surely runs, up to the use, or in a loop to the
// end. Where jumps may lead past a write, all count.
func (m *image) reaching(d *definition, name string, use value) span {
	s := span{from: -1, to: len(d.writes), lentTo: len(m.lending(d, name))}
	if use.pos <= 0 || d.locals[strings.TrimSuffix(name, "[]")].static || m.work > maxWork {
		return s
	}
	list := m.writesTo(d, name)
	m.work += len(list) / 16
	for _, i := range list {
		switch w := &d.writes[i]; {
		case w.sure && w.pos <= use.pos && (d.jumps == 0 || w.pos < d.jumps):
			s.from = i
		case d.jumps == 0 && !use.loops && w.pos > use.pos && i < s.to:
			s.to = i
		}
	}
	m.lentBetween(&s, d, name, use)
	return s
}

// writesTo gives the indexes of the writes of a function to one of its parameters or locals.
func (m *image) writesTo(d *definition, name string) []int {
	if d.byName == nil {
		d.byName = map[string][]int{}
		for i, w := range d.writes {
			if !w.field {
				d.byName[w.name] = append(d.byName[w.name], i)
			}
		}
	}
	return d.byName[name]
}

// results gives what the functions return that a call may reach.
func (m *image) results(e *expr, in *input) ([]*node, string) {
	m.need(e.name)
	if in.d == nil && in.unit == nil {
		return nil, "what " + e.name + "() returns"
	}
	list := m.resolve(in.scene, e.call)
	var nodes []*node
	for _, d := range list {
		q := quantity{kind: resultOf, d: d, name: d.name, in: m.frame(e.call, in.scene, in.at)}
		nodes = append(nodes, m.nodes(q)...)
	}
	switch {
	case len(nodes) > 0:
		return nodes, ""
	case e.call.method:
		return nil, "what " + e.name + "() returns: it is called through a pointer"
	}
	return nil, "what " + e.name + "() returns: it is not defined in this build"
}

// frame gives the one frame of a call, nil where there are too many around it.
func (m *image) frame(c *call, from scene, at driver.Moment) *frame {
	depth := 0
	if from.in != nil {
		depth = from.in.depth + 1
	}
	if depth >= maxFrames {
		return nil
	}
	key := frameKey{c, from}
	if m.frames[key] == nil {
		m.frames[key] = &frame{call: c, from: from, at: at, depth: depth}
	}
	return m.frames[key]
}

type frameKey struct {
	call *call
	from scene
}

// fill finds the expressions that a node gets its values from.
func (m *image) fill(n *node) {
	n.filled = true
	switch n.kind {
	case parameterOf:
		m.fillParameter(n)
	case localOf:
		m.fillLocal(n)
	case globalVariable:
		m.fillGlobal(n)
	case fieldOf:
		m.fillField(n)
	case resultOf:
		for _, v := range n.d.returns {
			m.add(n, v, scene{n.d, n.d.unit, n.in}, m.at(n.d), fmt.Sprintf("%s returns %s", n.d.name, v.text))
		}
		if len(n.d.returns) == 0 {
			n.why = "what " + n.d.name + "() returns: it has no return with a value"
		}
	case writtenThrough:
		m.fillThrough(n)
	}
}

func (m *image) at(d *definition) driver.Place { return d.at.root().place() }

func (m *image) add(n *node, v value, c scene, at driver.Place, says string) {
	n.inputs = append(n.inputs, input{value: v, scene: c, at: m.evaluates(c, v), step: driver.Step{Place: at, Says: says}})
}

func (m *image) addWrite(n *node, w *write, c scene, says string) {
	m.add(n, w.value, c, w.at.root().place(), says)
	n.inputs[len(n.inputs)-1].step.Versioned = w.versioned
}

// evaluates says when an expression is evaluated. In the frame of one call that is when the call is made, unless the function
// opts in by itself.
func (m *image) evaluates(c scene, v value) driver.Moment {
	if c.in != nil && m.left[visit{c.d, c.in.at}].moment() == c.in.at {
		return c.in.at
	}
	return m.runs(c.d, v.pos)
}

// ownWrites adds what the function itself writes to a parameter or local.
func (m *image) ownWrites(n *node) {
	for _, i := range m.writesTo(n.d, n.name) {
		if i >= max(0, n.from) && i < n.to {
			w := &n.d.writes[i]
			if m.work++; len(n.inputs) > maxInputs {
				n.why = n.name + " is written more often than is followed"
				break
			}
			m.addWrite(n, w, scene{n.d, n.d.unit, n.in}, fmt.Sprintf("%s sets %s to %s", n.d.name, n.name, w.value.text))
		}
	}
	m.work += (n.lentTo - n.lentFrom) / 16
	for _, l := range m.lending(n.d, n.name)[n.lentFrom:n.lentTo] {
		m.addLent(n, scene{n.d, n.d.unit, n.in}, l)
	}
	if slices.Contains(n.d.taken, target{name: n.name}) && n.why == "" {
		n.why = fmt.Sprintf("what %s holds: its address is taken in %s", n.name, n.d.name)
	}
}

func (m *image) fillLocal(n *node) {
	v := n.d.locals[strings.TrimSuffix(n.name, "[]")]
	if v.opaque != "" {
		n.why = fmt.Sprintf("what %s holds: it is %s in %s", n.name, v.opaque, n.d.name)
	}
	if strings.HasSuffix(n.name, "[]") && !v.array {
		n.why = "what " + n.name + " holds: it is written through a pointer"
	}
	m.ownWrites(n)
	switch {
	case len(n.inputs) > 0 && !v.static:
	case v.static:
		if !slices.ContainsFunc(n.d.writes, func(w write) bool { return w.name == n.name && !w.field && w.initial }) {
			m.add(n, zero, scene{}, m.at(n.d), n.name+" is static and begins as 0")
		}
	case n.why == "":
		n.why = fmt.Sprintf("what %s holds: nothing in %s gives it a value", n.name, n.d.name)
	}
}

var zero = value{expr: number32(0), text: "0"}

// fillParameter takes what the callers pass.
func (m *image) fillParameter(n *node) {
	i := n.d.param(n.name)
	name := fmt.Sprintf("parameter %s of %s", n.name, n.d.name)
	m.need(n.d.name)
	switch {
	case n.from >= 0: // a write ends what was passed
	case n.in != nil:
		m.pass(n, i, name, n.in.from, n.in.call, n.in.at)
	default:
		if n.d.port != nil && i == n.d.port.Argument-1 {
			n.why = name + ": the port driver chooses it, which calls " + n.d.port.Name
		} else if m.addressed(n.d) {
			n.why = name + ": the function may also be called through a pointer"
		} else if len(m.callers[n.d]) == 0 {
			n.why = name + m.nothingCalls()
		}
		if n.d.isConstructor() {
			m.fillConstructed(n, i, name)
		}
		for _, s := range m.callers[n.d] {
			if !m.idleCopy(s.in) {
				m.pass(n, i, name, scene{d: s.in, unit: s.in.unit}, s.call, m.moment(s.in, s.call))
			}
		}
	}
	m.ownWrites(n)
}

// pass adds the argument of one call, made at a moment, or the default argument that it leaves out.
func (m *image) pass(n *node, i int, name string, from scene, c *call, at driver.Moment) {
	in := input{scene: from, at: at, step: driver.Step{Place: c.at.root().place()}}
	switch given := given(from.unit, n.d, i); {
	case i < len(c.args):
		in.value = c.args[i]
		in.step.Says = fmt.Sprintf("%s passes %s as %s of %s", from.name(), c.args[i].text, n.name, n.d.name)
	case given != nil:
		in.value, in.scene = value{expr: given}, scene{unit: from.unit}
		in.step.Says = fmt.Sprintf("%s leaves %s of %s at its default argument", from.name(), n.name, n.d.name)
	default:
		n.why = cmp.Or(n.why, name+": a call passes no such argument")
		return
	}
	n.inputs = append(n.inputs, in)
}

func (c scene) name() string {
	if c.d == nil || c.d.name == "" {
		return "an initialiser"
	}
	return c.d.name
}

// given is the default argument of a function, as a unit that calls it sees it.
func given(unit *summary, d *definition, i int) *expr {
	for _, f := range unit.prototypes[d.name] {
		if i < len(f.params) && len(f.params) == len(d.params) && f.params[i].given != nil && (f.class == d.class || f.class == "" || d.class == "") {
			return f.params[i].given
		}
	}
	return d.params[i].given
}

// telling gathers the steps of a derivation, in the order in which a reader follows them.
type telling struct {
	seen  map[*node]bool
	said  map[driver.Step]bool
	steps []driver.Step
}

// maxSteps bounds a derivation.
const maxSteps = 100

func (w *telling) input(in *input) {
	in.expr.leaves(func(e *expr) {
		for _, n := range in.nodes[e] {
			w.node(n)
		}
	})
}

func (w *telling) node(n *node) {
	if w.seen[n] {
		return
	}
	w.seen[n] = true
	for i := range n.inputs {
		if len(w.steps) >= maxSteps {
			return
		}
		if n.inputs[i].idle() {
			continue
		}
		if s := n.inputs[i].step; !w.said[s] {
			w.said[s] = true
			w.steps = append(w.steps, s)
		}
		w.input(&n.inputs[i])
	}
}
