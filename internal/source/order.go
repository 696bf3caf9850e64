package source

import (
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// effect is what a call does to the variables of the image.
type effect int

const (
	noEffect effect = iota
	mayOptIn        // its argument is not known
	optsIn
)

// effect judges a call of ExInitializeDriverRuntime; every other call has none. In an image without POOL_NX_OPTIN, where no
// value hangs on it, it is the effect that the call would have with the macro.
func (m *image) effect(d *definition, c *call) effect {
	mechanism := d.unit.mechanism
	if mechanism == nx.None && !m.usesVariables {
		mechanism = nx.OptIn
	}
	if c.callee != "ExInitializeDriverRuntime" || len(c.args) != 1 || !mechanism.OptsIn(nx.DrvRtPoolNxOptIn) {
		return noEffect
	}
	flags, known := m.optInFlags(d, c)
	switch {
	case !known:
		return mayOptIn
	case mechanism.OptsIn(flags):
		return optsIn
	}
	return noEffect
}

// optInFlags gives the argument of a call of ExInitializeDriverRuntime; the second result is false where it can be
// more than one value.
func (m *image) optInFlags(d *definition, c *call) (uint32, bool) {
	v := m.resolveValue(scene{d: d, unit: d.unit}, c.args[0])
	if v.Unknown != "" || len(v.Terms) != 1 {
		return 0, false
	}
	flags := v.Terms[0].Bits
	for _, tok := range v.Terms[0].Tokens {
		bits, _ := nx.Run{}.Token(tok.Name)
		flags |= bits
	}
	return flags, true
}

// state says where control may stand, seen from the opt-in call: bits of a driver.Moment, none where control does not get
// to. Those of a way that was taken because something failed, perhaps, stand failed bits higher.
type state uint8

const failed = 2

func (s state) moment() driver.Moment { return driver.Moment(s|s>>failed) & both }

// fails is the state of a way that is taken because something failed, perhaps.
func (s state) fails() state { return state(s.moment()) << failed }

// order finds out which requests run before the opt-in call and which after it: walking from each entry routine in the
// order in which the statements run, everything up to the opt-in runs before. What is not called from there, a dispatch
// routine or a thread, runs after; so does a function whose address is taken, whoever else calls it.
func (m *image) order() {
	asks := slices.ContainsFunc(m.definitions, func(d *definition) bool {
		return slices.ContainsFunc(d.calls, func(c call) bool { return m.effect(d, &c) != noEffect })
	})
	if !asks { // nothing sets the variables: everything runs before that
		return
	}
	w := &walk{m}
	for _, d := range m.definitions {
		if d.initial {
			w.function(d, driver.Before)
		}
		if d.class != "" && strings.TrimPrefix(d.name, "~") == d.class {
			m.needs[d.class] = true // whose variables call it unseen
		}
	}
	for _, d := range m.roots() {
		m.opted |= kept(w.function(d, driver.Before))
	}
	later := m.opted
	if later == 0 {
		later = driver.After
	}
	for _, d := range m.definitions {
		if !w.visited(d) || m.addressed(d) && !m.isEntry(d) {
			w.function(d, later)
		}
	}
	w.certain()
	m.flows, m.frames = map[quantity]*node{}, map[frameKey]*frame{} // they were found without knowing what runs when
}

// certain finds the calls that run before the opt-in call whatever the conditions: on the way to them from an entry routine
// no branch, loop or handler has to be taken.
func (w *walk) certain() {
	w.surely = map[*call]bool{}
	seen := map[*definition]bool{}
	for list := w.roots(); len(list) > 0; list = list[1:] {
		d := list[0]
		if seen[d] {
			continue
		}
		seen[d] = true
		for _, c := range d.unconditional() {
			if w.moments[c]&driver.Before == 0 {
				continue
			}
			w.surely[c] = true
			if targets := w.targets(d, c); len(targets) == 1 {
				list = append(list, targets[0])
			}
		}
	}
}

// unconditional gives the calls of a body that stand in nothing that may not run.
func (f *function) unconditional() []*call {
	var list []*call
	var open []bool // whether what is open may not run
	marks := f.marks
	for i := range f.calls {
		for ; len(marks) > 0 && int(marks[0].before) <= i; marks = marks[1:] {
			open = conditions(open, marks[0].kind)
		}
		if !slices.Contains(open, true) {
			list = append(list, &f.calls[i])
		}
	}
	return list
}

// conditions keeps the constructs that are open.
func conditions(open []bool, k markKind) []bool {
	last := len(open) - 1
	switch k {
	case ifMark, switchMark:
		return append(open, true)
	case loopMark, onceMark, tryMark:
		return append(open, false)
	case testMark, handlerMark, finallyMark:
		if last >= 0 {
			open[last] = k != finallyMark
		}
	case endIfMark, endSwitchMark, endLoopMark, endDoMark, endOnceMark, endTryMark:
		return open[:max(0, last)]
	}
	return open
}

// startUp is the routine by which Windows enters a driver that is linked with the kit's library of security checks: it calls
// DriverEntry. Some drivers have their own.
const startUp = "GsDriverEntry"

// roots are the routines by which Windows enters the image.
func (m *image) roots() []*definition {
	var list []*definition
	for _, d := range m.definitions {
		if !m.isEntry(d) {
			continue
		}
		if i := slices.IndexFunc(m.callers[d], func(s site) bool { return s.in.name == startUp }); i >= 0 {
			d = m.callers[d][i].in
		}
		list = append(list, d)
	}
	return list
}

func (m *image) isEntry(d *definition) bool {
	return !d.member && slices.Contains(m.build.Entries, d.name)
}

// visit is a function entered before the opt-in call, after it, or perhaps after it.
type visit struct {
	d   *definition
	now driver.Moment
}

// walk follows the calls in the order in which they run.
type walk struct{ *image }

func (w *walk) visited(d *definition) bool {
	for _, now := range []driver.Moment{driver.Before, driver.After, both} {
		if _, ok := w.left[visit{d, now}]; ok {
			return true
		}
	}
	return false
}

// function follows a function that is entered at a moment, and gives the state in which it leaves.
func (w *walk) function(d *definition, now driver.Moment) state {
	v := visit{d, now}
	if left, ok := w.left[v]; ok {
		return left
	}
	if now&driver.Before != 0 && !w.isEntry(d) {
		w.needs[d.name] = true // who takes its address may call it later, too
	}
	w.left[v] = state(now) // for a call of itself
	if w.when[d] == nil {
		w.when[d] = make([]state, 1+len(d.marks)+len(d.calls))
	}
	w.left[v] = newPass(w, d).whole(state(now))
	return w.left[v]
}

// kept is the moment at which the caller goes on that looks at what a function returned: where it says that it failed, the
// caller fails, too; DriverEntry then fails, and nothing runs afterwards.
func kept(s state) driver.Moment {
	if normal := driver.Moment(s & 3); normal != 0 {
		return normal
	}
	return s.moment()
}

// answers says whether a function tells its caller how it went.
func (f *function) answers() bool { return len(f.returns) > 0 }

// call follows a call that is made at a moment, and gives the one at which it is over.
func (w *walk) call(d *definition, c *call, now driver.Moment) driver.Moment {
	w.moments[c] |= now
	after := driver.Moment(0)
	if now&driver.Before != 0 {
		w.bodies[c.callee] = true
	}
	for _, callee := range w.targets(d, c) {
		left := w.function(callee, now)
		if c.dropped || !callee.answers() {
			after |= left.moment()
		} else {
			after |= kept(left)
		}
	}
	if after == 0 {
		after = now
	}
	switch w.effect(d, c) {
	case optsIn:
		after, w.sets = driver.After, true
	case mayOptIn:
		after, w.sets = after|driver.After, true
	}
	return after
}

// targets are the functions that a call may reach: also those that a local pointer is set to.
func (w *walk) targets(d *definition, c *call) []*definition {
	list := w.resolve(scene{d: d, unit: d.unit}, c)
	if len(list) > 0 || c.method || !d.owns(c.callee) {
		return list
	}
	for _, i := range w.writesTo(d, c.callee) {
		if v := d.writes[i].value; v.expr != nil && v.kind == nameExpr && !d.owns(v.name) {
			list = append(list, w.resolve(scene{d: d, unit: d.unit}, &call{callee: v.name, args: c.args})...)
		}
	}
	return list
}

// moment says when a call runs.
func (m *image) moment(d *definition, c *call) driver.Moment {
	if found := m.moments[c]; found != 0 {
		return m.known(found)
	}
	return m.runs(d, 0)
}

// known is a moment as far as it can be told. Where no call sets the variables, everything is before; where it is not known
// when that call is made, everything is both.
func (m *image) known(found driver.Moment) driver.Moment {
	switch {
	case !m.usesVariables && !m.build.Library: // the call would set them with the macro
		return driver.Before
	case m.build.Library, m.sets && m.opted&driver.After == 0:
		return both
	case !m.sets:
		return driver.Before
	}
	return found
}

// runs says when what stands at a place of a function's body runs; where that is not known, pos is 0, and where control
// does not seem to get there, it may be whenever the function does.
func (m *image) runs(d *definition, pos int) driver.Moment {
	switch {
	case d == nil: // an initialiser at file scope
		return driver.Initial
	case m.when[d] == nil:
		return m.known(both)
	}
	if pos > 0 {
		if s := m.when[d][d.events(pos)]; s != 0 {
			return m.known(s.moment())
		}
	}
	all := state(0)
	for _, s := range m.when[d] {
		all |= s
	}
	return m.known(all.moment())
}

// events counts the marks and calls of a body that are passed when control stands at a place.
func (f *function) events(pos int) int {
	marks, _ := slices.BinarySearchFunc(f.marks, pos+1, func(k waymark, pos int) int { return int(k.at) - pos })
	calls, _ := slices.BinarySearchFunc(f.calls, pos+1, func(c call, pos int) int { return int(c.end) - pos })
	return marks + calls
}
