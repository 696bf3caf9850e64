package source

import (
	"fmt"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/nx"
)

// image joins the summaries of one build.
type image struct {
	build       *project.Build
	units       []*summary
	definitions []*definition            // in order of unit and position
	defined     map[string][]*definition // by name
	callers     map[*definition][]site
	named       map[string]bool
	moments     map[*call]driver.Moment
	sets        bool // an effective opt-in call is made
	reached     bool // by an entry routine
}

// definition is a function in its unit.
type definition struct {
	*function
	unit *summary
}

// site is one call in a definition.
type site struct {
	in   *definition
	call *call
}

func link(b *project.Build, units []*summary) *image {
	m := &image{
		build: b, units: units, defined: map[string][]*definition{}, callers: map[*definition][]site{},
		named: map[string]bool{}, moments: map[*call]driver.Moment{},
	}
	for _, u := range units {
		for _, f := range u.functions {
			d := &definition{f, u}
			m.definitions = append(m.definitions, d)
			m.defined[f.name] = append(m.defined[f.name], d)
		}
		for name := range u.named {
			m.named[name] = true
		}
	}
	for _, d := range m.definitions {
		for i := range d.calls {
			if callee := m.resolve(d, &d.calls[i]); callee != nil {
				m.callers[callee] = append(m.callers[callee], site{d, &d.calls[i]})
			}
		}
	}
	m.order()
	return m
}

// resolve finds the function that a call reaches: one of its own unit, else one that is not static, and among several
// the one that takes as many arguments.
func (m *image) resolve(from *definition, c *call) *definition {
	var found *definition
	for _, d := range m.defined[c.callee] {
		switch {
		case d.unit != from.unit && d.static:
		case found == nil, d.unit == from.unit && found.unit != from.unit,
			len(d.params) == len(c.args) && len(found.params) != len(c.args):
			found = d
		}
	}
	return found
}

// optsIn says whether a call sets the variables of the image.
func (d *definition) optsIn(c *call) bool {
	flags, ok := optInFlags(c)
	return ok && d.unit.mechanism.OptsIn(flags)
}

// optInFlags gives the argument of a call of ExInitializeDriverRuntime, where it is a constant.
func optInFlags(c *call) (uint32, bool) {
	if c.callee != "ExInitializeDriverRuntime" || len(c.args) != 1 || len(c.args[0].terms) != 1 {
		return 0, false
	}
	t := c.args[0].terms[0]
	flags := t.Bits
	for _, tok := range t.Tokens {
		v, _ := nx.Run{}.Token(tok.Name)
		flags |= v
	}
	return flags, t.param < 0
}

// order finds out which requests run before the opt-in call and which after it: walking from the entry routines in the
// order of the calls, everything up to the opt-in runs before. What is not called from there, a dispatch routine or a
// thread, runs after; so does a function whose address is taken, whoever else calls it.
func (m *image) order() {
	w := &walk{image: m, seen: map[visit]bool{}}
	for _, name := range m.build.Entries {
		for _, d := range m.defined[name] {
			w.function(d)
		}
	}
	m.reached = w.called
	w.called = true
	for _, d := range m.definitions {
		called := w.seen[visit{d, false}] || w.seen[visit{d, true}]
		if !called || m.named[d.name] && !slices.Contains(m.build.Entries, d.name) {
			w.function(d)
		}
	}
}

// visit is a function entered before or after the opt-in call.
type visit struct {
	d     *definition
	after bool
}

// walk follows the calls in the order in which they run.
type walk struct {
	*image
	seen   map[visit]bool
	called bool // the opt-in call was passed
}

func (w *walk) function(d *definition) {
	v := visit{d, w.called}
	if w.seen[v] {
		return
	}
	w.seen[v] = true
	for i := range d.calls {
		c := &d.calls[i]
		if d.optsIn(c) {
			w.called, w.sets = true, true
		}
		if w.called {
			w.moments[c] |= driver.After
		} else {
			w.moments[c] |= driver.Before
		}
		if callee := w.resolve(d, c); callee != nil {
			w.function(callee)
		}
	}
}

// moment says when a call runs. Where no call sets the variables, everything is before; where it is not known when
// that call is made, everything is both.
func (m *image) moment(c *call) driver.Moment {
	switch {
	case m.build.Library, m.sets && !m.reached:
		return driver.Before | driver.After
	case !m.sets:
		return driver.Before
	}
	return m.moments[c]
}

// resolveValue replaces the parameters in a value by what the callers pass. path holds the functions it came through.
func (m *image) resolveValue(d *definition, v value, path []*definition) driver.Value {
	out := driver.Value{Unknown: v.unknown}
	for _, t := range v.terms {
		if t.param < 0 {
			out.Terms = append(out.Terms, t.Term)
			continue
		}
		passed := m.passed(d, t.param, append(path, d))
		for i, p := range passed.Terms {
			passed.Terms[i] = driver.Term{Tokens: slices.Concat(t.Tokens, p.Tokens), Bits: t.Bits | p.Bits}
		}
		out = add(out, passed)
	}
	slices.SortFunc(out.Terms, driver.Term.Compare)
	out.Terms = slices.CompactFunc(out.Terms, func(a, b driver.Term) bool { return a.Compare(b) == 0 })
	if len(out.Terms) > maxTerms {
		return driver.Value{Unknown: "more values than are followed", Steps: out.Steps}
	}
	return out
}

// add is the union of what is known; the first reason for not knowing stays.
func add(a, b driver.Value) driver.Value {
	a.Terms = append(a.Terms, b.Terms...)
	a.Steps = append(a.Steps, b.Steps...)
	if a.Unknown == "" {
		a.Unknown = b.Unknown
	}
	return a
}

// maxCallers bounds how far a parameter is followed upwards.
const maxCallers = 12

// passed gives what the callers of a function pass for one parameter.
func (m *image) passed(d *definition, param int, path []*definition) driver.Value {
	name := fmt.Sprintf("parameter %s of %s", d.params[param], d.name)
	var out driver.Value
	switch {
	case slices.Contains(path[:len(path)-1], d):
		return out // recursion adds no value of its own
	case len(path) > maxCallers:
		return driver.Value{Unknown: name + ": followed through 12 callers, no further"}
	case m.named[d.name]:
		out.Unknown = name + ": the function may also be called through a pointer"
	case len(m.callers[d]) == 0:
		out.Unknown = name + ": nothing in this build calls it"
	}
	for _, s := range m.callers[d] {
		if param >= len(s.call.args) {
			out = add(out, driver.Value{Unknown: name + ": a call passes no such argument"})
			continue
		}
		out = add(out, driver.Value{Steps: []driver.Step{{
			Place: s.call.at.root().place(),
			Says:  fmt.Sprintf("%s passes %s as %s of %s", s.in.name, s.call.texts[param], d.params[param], d.name),
		}}})
		out = add(out, m.resolveValue(s.in, s.call.args[param], path))
	}
	return out
}
