package source

import (
	"fmt"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
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
	sets        bool          // a call that may set the variables stands somewhere
	opted       driver.Moment // the state that the entry routines leave: After where they surely make the call
	passes      map[passing]driver.Value
	work        int             // parameters that were followed
	cut         bool            // something was left out on the way
	needs       map[string]bool // names whose mentions linking wants to see
	bodies      map[string]bool // functions whose bodies it wants to see
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
		named: map[string]bool{}, moments: map[*call]driver.Moment{}, passes: map[passing]driver.Value{},
		needs: map[string]bool{}, bodies: map[string]bool{},
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

// resolveValue replaces the parameters in a value by what the callers pass. path holds the functions it came through.
func (m *image) resolveValue(d *definition, v value, path []*definition) driver.Value {
	out := driver.Value{Unknown: v.unknown}
	for _, t := range v.terms {
		if t.param < 0 {
			out.Terms = append(out.Terms, t.Term)
			continue
		}
		passed := m.passed(d, t.param, append(path, d))
		terms := make([]driver.Term, len(passed.Terms))
		for i, p := range passed.Terms {
			terms[i] = driver.Term{Tokens: slices.Concat(t.Tokens, p.Tokens), Bits: t.Bits | p.Bits}
		}
		passed.Terms = terms
		out = add(out, passed)
	}
	slices.SortFunc(out.Terms, driver.Term.Compare)
	if len(out.Terms) > maxTerms {
		return driver.Value{Unknown: "more values than are followed", Steps: out.Steps}
	}
	return out
}

// add is the union of what is known; the first reason for not knowing stays.
func add(a, b driver.Value) driver.Value {
	for _, t := range b.Terms {
		if !slices.ContainsFunc(a.Terms, func(u driver.Term) bool { return u.Compare(t) == 0 }) {
			a.Terms = append(a.Terms, t)
		}
	}
	for _, step := range b.Steps {
		if len(a.Steps) < maxSteps && !slices.Contains(a.Steps, step) {
			a.Steps = append(a.Steps, step)
		}
	}
	if a.Unknown == "" {
		a.Unknown = b.Unknown
	}
	return a
}

// Bounds on following parameters upwards: through how many callers, how often in one image, and how many steps of a
// derivation are kept.
const (
	maxCallers = 12
	maxWork    = 200_000
	maxSteps   = 100
)

// passing is one parameter of a function.
type passing struct {
	d     *definition
	param int
}

// passed gives what the callers of a function pass for one parameter.
func (m *image) passed(d *definition, param int, path []*definition) driver.Value {
	name := fmt.Sprintf("parameter %s of %s", d.params[param], d.name)
	m.needs[d.name] = true
	key := passing{d, param}
	known, ok := m.passes[key]
	m.work++
	switch {
	case ok:
		return known
	case slices.Contains(path[:len(path)-1], d):
		m.cut = true
		return driver.Value{} // recursion adds no value of its own
	case len(path) > maxCallers:
		m.cut = true
		return driver.Value{Unknown: name + ": followed through 12 callers, no further"}
	case m.work > maxWork:
		return driver.Value{Unknown: name + ": too many ways lead to it"}
	}
	outer := m.cut
	m.cut = false
	out := m.fromCallers(d, param, name, path)
	if !m.cut { // else it is whole only as seen from here
		m.passes[key] = out
	}
	m.cut = m.cut || outer
	return out
}

func (m *image) fromCallers(d *definition, param int, name string, path []*definition) (out driver.Value) {
	switch {
	case m.named[d.name]:
		out.Unknown = name + ": the function may also be called through a pointer"
	case len(m.callers[d]) == 0:
		out.Unknown = name + nothingCalls
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

const nothingCalls = ": nothing in this build calls it"
