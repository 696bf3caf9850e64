package source

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// written is a write, and the function that makes it; nil for an initialiser at file scope.
type written struct {
	write
	d    *definition
	unit *summary
}

// index gathers the writes to variables at file scope and to fields, by name, and what has its address taken.
func (m *image) index() {
	if m.written != nil {
		return
	}
	m.written, m.taken, m.lent = map[string][]written{}, map[string][]owned{}, map[string][]passing{}
	for _, u := range m.units {
		for _, w := range u.writes {
			m.written[w.name] = append(m.written[w.name], written{w, nil, u})
		}
		for _, t := range u.taken {
			m.taken[t.name] = append(m.taken[t.name], owned{t, u})
		}
	}
	for _, d := range m.definitions {
		for _, w := range d.writes {
			if w.field || !d.owns(w.name) {
				m.written[w.name] = append(m.written[w.name], written{w, d, d.unit})
			}
		}
		for _, t := range d.taken {
			if t.field || !d.owns(t.name) {
				m.taken[t.name] = append(m.taken[t.name], owned{t, d.unit})
			}
		}
		for _, l := range d.lent {
			if l.field || !d.owns(l.name) {
				m.lent[l.name] = append(m.lent[l.name], passing{l, d})
			}
		}
	}
}

type owned struct {
	target
	unit *summary
}

// passing is what a function lends to one that it calls, and is not its own.
type passing struct {
	lent
	d *definition
}

// owns says whether a name is that of a parameter or local, or of what one points to.
func (f *function) owns(name string) bool {
	name = strings.TrimPrefix(name, "*")
	_, local := f.locals[strings.TrimSuffix(name, "[]")]
	return local || f.param(name) >= 0
}

// global finds a variable at file scope: of the unit, else one that is not static.
func (m *image) global(name string, in *input) ([]*node, string) {
	m.need(name)
	plain := strings.TrimSuffix(name, "[]")
	of := func(u *summary, static bool) bool {
		return slices.ContainsFunc(u.variables, func(v variable) bool { return v.name == plain && v.static == static })
	}
	if in.unit != nil && of(in.unit, true) {
		return m.nodes(quantity{kind: globalVariable, name: name, unit: in.unit}), ""
	}
	for _, u := range m.units {
		if of(u, false) {
			return m.nodes(quantity{kind: globalVariable, name: name}), ""
		}
	}
	if len(m.defined[plain]) > 0 {
		return nil, "what " + name + " is: a function"
	}
	return nil, "what " + name + " holds: it is not defined in this build"
}

// fillGlobal takes the initialiser, 0 where there is none, and all writes. In a unit that has a static variable of that
// name, the writes are to that.
func (m *image) fillGlobal(n *node) {
	m.index()
	initial := false
	for _, w := range m.written[n.name] {
		if w.field || !m.visible(n, w.unit) {
			continue
		}
		says := fmt.Sprintf("%s begins as %s", n.name, w.value.text)
		if w.d != nil {
			says = fmt.Sprintf("%s sets %s to %s", w.d.name, n.name, w.value.text)
		} else {
			if initial = true; m.overwritten(n.name, false) {
				continue
			}
		}
		if m.work++; len(n.inputs) > maxInputs {
			n.why = n.name + " is written more often than is followed"
			break
		}
		m.addWrite(n, &w.write, scene{d: w.d, unit: w.unit}, says)
		if w.d == nil && w.value.hangsOnCall() { // C has no such initialisers
			m.add(n, zero, scene{}, w.at.root().place(), "without a C++ runtime, nothing runs the initialiser of "+n.name+": it stays 0")
		}
	}
	if !initial && !m.overwritten(n.name, false) {
		m.add(n, zero, scene{}, m.declared(n), n.name+" has no initialiser: it begins as 0")
	}
	for _, l := range m.lent[n.name] {
		if !l.field && m.visible(n, l.d.unit) {
			m.addLent(n, scene{d: l.d, unit: l.d.unit}, l.lent)
		}
	}
	for _, t := range m.taken[n.name] {
		if !t.field && m.visible(n, t.unit) && n.why == "" {
			n.why = "what " + n.name + " holds: its address is taken"
		}
	}
}

// declared is where a variable at file scope stands.
func (m *image) declared(n *node) driver.Place {
	for _, u := range m.units {
		for _, v := range u.variables {
			if v.name == strings.TrimSuffix(n.name, "[]") && m.visible(n, u) {
				return v.at.root().place()
			}
		}
	}
	return driver.Place{}
}

func (m *image) visible(n *node, u *summary) bool {
	if n.unit != nil {
		return u == n.unit
	}
	plain := strings.TrimSuffix(n.name, "[]")
	return !slices.ContainsFunc(u.variables, func(v variable) bool { return v.name == plain && v.static })
}

// overwritten says whether the entry routine surely writes a variable before it calls anything that is part of the image:
// nobody sees the value that it begins with.
func (m *image) overwritten(name string, field bool) bool {
	entries := 0
	first := false
	for _, d := range m.definitions {
		if !m.isEntry(d) {
			continue
		}
		entries++
		for _, w := range d.writes {
			if w.name != name || w.field != field || !w.sure || d.jumps > 0 || !field && d.owns(name) {
				continue
			}
			first = first || !slices.ContainsFunc(d.calls, func(c call) bool {
				return c.pos < w.pos && (c.ddi != nil || len(m.defined[c.callee]) > 0)
			})
		}
	}
	return entries == 1 && first
}

// fillField takes all writes to the field, by name and, where both are known, by struct. Memory that is cleared counts as
// a write of 0 unless the same function then surely gives the field another value. Memory that comes cleared from an
// allocator or the system does not: nobody relies on that for the type of pool, and every field would be 0 too.
func (m *image) fillField(n *node) {
	m.index()
	of := n.of
	for _, w := range m.written[n.name] {
		if !w.field || !compatible(w.of, of) || (w.clear || w.initial) && m.refilled(w) {
			continue
		}
		says := fmt.Sprintf("%s is set to %s", n.title(), w.value.text)
		if w.clear {
			says = fmt.Sprintf("%s is cleared", n.title())
		}
		if m.work++; len(n.inputs) > maxInputs {
			n.why = n.title() + " is written more often than is followed"
			break
		}
		m.addWrite(n, &w.write, scene{d: w.d, unit: w.unit}, says)
	}
	for _, u := range m.units {
		for _, v := range u.variables {
			if of != "" && v.of == of && !initialises(u.writes, v.name, n.name) && !m.overwritten(n.name, true) {
				m.add(n, zero, scene{}, v.at.root().place(), v.name+" has no initialiser: its fields begin as 0")
			}
		}
	}
	for _, l := range m.lent[n.name] {
		if l.field && compatible(l.of, of) {
			m.addLent(n, scene{d: l.d, unit: l.d.unit}, l.lent)
		}
	}
	for _, t := range m.taken[n.name] {
		if t.field && compatible(t.of, of) && n.why == "" {
			n.why = "what " + n.title() + " holds: its address is taken"
		}
	}
	if len(n.inputs) == 0 && n.why == "" {
		n.why = "what " + n.title() + " holds: nothing in this build writes it by name"
	}
}

func (n *node) title() string {
	if n.of == "" || strings.ContainsAny(n.of, ":/.") {
		return "field " + n.name
	}
	return fmt.Sprintf("field %s of %s", n.name, n.of)
}

func compatible(a, b string) bool { return a == "" || b == "" || a == b }

// initialises says whether a variable's initialiser gives the field a value.
func initialises(list []write, variable, field string) bool {
	return slices.ContainsFunc(list, func(w write) bool { return w.field && w.name == field && w.base == variable })
}

// refilled says whether the function that clears memory also surely writes the field afterwards.
func (m *image) refilled(c written) bool {
	if c.d == nil {
		return m.overwritten(c.name, true)
	}
	return slices.ContainsFunc(c.d.writes, func(w write) bool {
		return w.field && w.name == c.name && compatible(w.of, c.of) && !w.clear && !w.pending && w.pos >= c.pos && w.base == c.base &&
			(w.sure || w.block == c.block)
	})
}
