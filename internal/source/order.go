package source

import (
	"slices"

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

// effect judges a call of ExInitializeDriverRuntime; every other call has none.
func (m *image) effect(d *definition, c *call) effect {
	if c.callee != "ExInitializeDriverRuntime" || len(c.args) != 1 || !d.unit.mechanism.OptsIn(nx.DrvRtPoolNxOptIn) {
		return noEffect
	}
	flags, known := m.optInFlags(d, c)
	switch {
	case !known:
		return mayOptIn
	case d.unit.mechanism.OptsIn(flags):
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

// order finds out which requests run before the opt-in call and which after it: walking from each entry routine in the
// order of the calls, everything up to the opt-in runs before. What is not called from there, a dispatch routine or a
// thread, runs after; so does a function whose address is taken, whoever else calls it.
func (m *image) order() {
	w := &walk{image: m, left: map[visit]driver.Moment{}, early: map[*definition]driver.Moment{}}
	w.asks = slices.ContainsFunc(m.definitions, func(d *definition) bool {
		return slices.ContainsFunc(d.calls, func(c call) bool { return m.effect(d, &c) != noEffect })
	})
	for _, d := range m.definitions {
		if m.isEntry(d) {
			w.now = driver.Before
			w.function(d)
			m.opted = better(m.opted, w.now)
		}
	}
	w.now = max(m.opted, driver.After)
	for _, d := range m.definitions {
		if !w.visited(d) || m.named[d.name] && !m.isEntry(d) {
			w.function(d)
		}
	}
}

// better is the state of an image that two entry routines leave: one that surely makes the call is enough for what
// runs later.
func better(a, b driver.Moment) driver.Moment {
	if a == driver.After || b == driver.After {
		return driver.After
	}
	return a | b
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
type walk struct {
	*image
	left  map[visit]driver.Moment       // the state in which a function leaves at its end
	early map[*definition]driver.Moment // and by the returns before that
	now   driver.Moment
	asks  bool // some call opts in: then it matters what runs before it
}

func (w *walk) visited(d *definition) bool {
	for _, now := range []driver.Moment{driver.Before, driver.After, driver.Before | driver.After} {
		if _, ok := w.left[visit{d, now}]; ok {
			return true
		}
	}
	return false
}

func (w *walk) function(d *definition) {
	v := visit{d, w.now}
	if left, ok := w.left[v]; ok {
		w.now = left
		return
	}
	if w.asks && w.now&driver.Before != 0 && !w.isEntry(d) {
		w.needs[d.name] = true // who takes its address may call it later, too
	}
	w.left[v] = w.now // for a call of itself
	exits := d.exits
	for i := range d.calls {
		for ; len(exits) > 0 && exits[0].before <= i; exits = exits[1:] {
			w.early[d] |= w.now
		}
		w.call(d, &d.calls[i])
	}
	w.left[v] = w.now
}

// answers says whether a function tells its caller how it went. The caller of one that returns early is taken to look:
// DriverEntry then fails, and nothing runs afterwards. Where the answer is dropped, the way with the early return counts.
func (f *function) answers() bool { return len(f.returns) > 0 }

func (w *walk) call(d *definition, c *call) {
	before := w.now
	w.moments[c] |= w.now
	after := driver.Moment(0)
	callees := w.resolve(scene{d: d, unit: d.unit}, c)
	if w.asks && before&driver.Before != 0 {
		w.bodies[c.callee] = true
	}
	for _, callee := range callees {
		w.now = before
		w.function(callee)
		if c.dropped || !callee.answers() {
			w.now |= w.early[callee]
		}
		after |= w.now
	}
	if after != 0 {
		w.now = after
	}
	switch w.effect(d, c) {
	case optsIn:
		w.now, w.sets = driver.After, true
	case mayOptIn:
		w.now, w.sets = w.now|driver.After, true
	}
	if c.conditional { // it may as well not run
		w.now |= before
	}
}

// moment says when a call runs. Where no call sets the variables, everything is before; where it is not known when
// that call is made, everything is both.
func (m *image) moment(c *call) driver.Moment {
	switch {
	case m.build.Library, m.sets && m.opted&driver.After == 0:
		return driver.Before | driver.After
	case !m.sets:
		return driver.Before
	}
	return m.moments[c]
}
