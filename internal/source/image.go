package source

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// seen is a site and the unit in which it was found.
type seen struct {
	driver.Site
	unit *summary
}

// unplaced is a fact and the unit that it stands in.
type unplaced struct {
	driver.Fact
	unit *summary
}

// sites gives the requests of all units that were linked.
func (m *image) sites() []seen {
	var list []seen
	for _, d := range m.definitions {
		for i := range d.calls {
			if c := &d.calls[i]; m.isRequest(d, c) && !m.idleCopy(d) {
				for _, s := range m.requests(d, c) {
					list = append(list, seen{s, d.unit})
				}
			}
		}
	}
	m.unplaced = m.executed(list)
	return list
}

// image turns what was linked into what every witness returns, for some of the units. All requests decide whether the
// variables are set in time.
func (m *image) image(units []*summary, sites []seen) driver.Image {
	in := map[*summary]bool{}
	for _, u := range units {
		in[u] = true
	}
	out := driver.Image{Build: m.build.Build, Facts: m.facts(units, in), Suppressions: suppressions(units)}
	m.judgeBuild(&out.Build, units, sites)
	for _, s := range sites {
		if in[s.unit] {
			out.Sites = append(out.Sites, s.Site)
		}
	}
	out.Sites = mergeSites(out.Sites)
	return out
}

// facts gives those of the units and of their functions. What several units tell of one header is told once.
func (m *image) facts(units []*summary, in map[*summary]bool) []driver.Fact {
	type told struct {
		kind  driver.FactKind
		place driver.Place
		says  string
	}
	seen := map[told]bool{}
	var list []driver.Fact
	for _, u := range units {
		for i := range u.facts {
			f := &u.facts[i]
			if f.Kind == driver.MissingHeader || f.Kind == driver.Assumption {
				key := told{f.Kind, f.Place, f.Says}
				if seen[key] {
					continue
				}
				seen[key] = true
			}
			list = append(list, *f)
		}
	}
	for _, d := range m.definitions {
		if !in[d.unit] {
			continue
		}
		list = append(list, m.entryFacts(d)...)
		for i := range d.calls {
			list = append(list, m.optInFact(d, &d.calls[i])...)
		}
	}
	for _, f := range m.unplaced {
		if in[f.unit] {
			list = append(list, f.Fact)
		}
	}
	slices.SortStableFunc(list, func(a, b driver.Fact) int {
		return cmp.Or(a.Place.Compare(b.Place), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Unit, b.Unit))
	})
	return slices.Clip(list)
}

// idleCopy says whether a function of a header is not used in its unit, while it is in another. One that only idle copies
// call is not used.
func (m *image) idleCopy(d *definition) bool {
	if d.at.root().file.path == d.unit.unit.Path {
		return false
	}
	m.needs[d.name] = true
	idle, known := m.idle[d]
	if known || m.named[d.name] {
		return idle
	}
	m.idle[d] = false // to those that it calls, in a recursion
	used := func(d *definition) bool {
		return slices.ContainsFunc(m.callers[d], func(s site) bool { return !m.idleCopy(s.in) })
	}
	m.idle[d] = !used(d) && slices.ContainsFunc(m.defined[d.name], func(o *definition) bool {
		return o != d && o.at.file == d.at.file && o.at.off == d.at.off && used(o)
	})
	return m.idle[d]
}

func (m *image) entryFacts(d *definition) []driver.Fact {
	if !m.isEntry(d) {
		return nil
	}
	f := driver.Fact{Kind: driver.Entry, Place: d.at.root().place(), Function: d.name, Unit: d.unit.unit.Path, Mechanism: d.unit.mechanism}
	f.Span, f.Initialisers = m.choosePoint(d.insert)
	f.Calls = d.idle
	return []driver.Fact{f}
}

// optInFact gives a call that opts in, or would if its file were compiled for it; or one that can't, since its argument does not.
func (m *image) optInFact(d *definition, c *call) []driver.Fact {
	if c.callee != optInCall || len(c.args) != 1 {
		return nil
	}
	kind := driver.OptInCall
	if flags, known := m.optInFlags(d, c); known && flags&nx.DrvRtPoolNxOptIn == 0 {
		kind = driver.OtherCall
	}
	f := driver.Fact{
		Kind: kind, Place: c.at.root().place(), Function: d.name, Unit: d.unit.unit.Path,
		Mechanism: d.unit.mechanism, Effective: m.usesVariables && m.effect(d, c) == optsIn, Zeroing: d.unit.zeroing,
	}
	if c.written != nil {
		f.Span, f.Calls = c.written.Span, []driver.Statement{*c.written}
	}
	return []driver.Fact{f}
}

// choosePoint takes the last of the places for a first statement. Where a declaration in front of it may request memory, what that
// and those behind it begin with is assigned behind the statement; if that can't be, the place is in front of the declaration.
func (m *image) choosePoint(points []insertPoint) (driver.Span, []driver.Initialiser) {
	early := func(p insertPoint) bool {
		return p.requests || slices.ContainsFunc(p.next, func(name string) bool { return m.mayRequest(name, map[string]bool{}) })
	}
	for i, p := range points {
		last := len(points) - 1
		if i == last {
			return p.span, nil
		}
		if !early(p) {
			continue
		}
		var moved []driver.Initialiser
		for _, later := range points[i:last] {
			if later.stuck {
				return p.span, nil
			}
			moved = append(moved, later.moved...)
		}
		if len(p.moved) == 0 {
			return p.span, nil
		}
		return points[last].span, moved
	}
	return driver.Span{}, nil
}

// mayRequest says whether a function of that name, or one it calls, requests memory.
func (m *image) mayRequest(name string, seen map[string]bool) bool {
	if seen[name] {
		return false
	}
	seen[name] = true
	if len(m.defined[name]) == 0 {
		m.bodies[name] = true
	}
	for _, d := range m.defined[name] {
		for i := range d.calls {
			if c := &d.calls[i]; c.ddi != nil || m.mayRequest(c.callee, seen) {
				return true
			}
		}
	}
	return false
}

// requests gives the sites that a call of a DDI is: one, or one for each new expression where it stands in an operator new
// that is told what to request.
func (m *image) requests(d *definition, c *call) []driver.Site {
	s := driver.Site{
		Witness: driver.Source, Place: c.at.root().place(), Function: d.name, DDI: *c.ddi, Call: d.texts[c.pos],
		Mechanism: d.unit.mechanism, Moment: m.moment(d, c), Escapes: c.escapes,
	}
	if c.at.exp != nil {
		s.Spelled = c.at.place()
	}
	s.Surely = m.surely[c]
	s.Early = !m.usesVariables && m.moments[c]&driver.Before != 0
	if g, ok := d.guards[c.pos]; ok {
		s.Guard = &g
	}
	n := c.ddi.Argument
	if own := c.ddi.Allocate; own > 0 && own <= len(c.args) && !isNull(c.args[own-1].text) {
		s.Own = c.args[own-1].text
	}
	s.UserMode = c.ddi.UserMemory
	if mode := c.ddi.AccessMode; mode > 0 && mode <= len(c.args) {
		s.UserMode = strings.HasSuffix(c.args[mode-1].text, "UserMode")
	}
	switch {
	case n == 0:
		s.Value.Steps = slices.Clone(c.steps)
		return []driver.Site{s}
	case n > len(c.args):
		s.Value = driver.Value{Unknown: fmt.Sprintf("the call has %d arguments, argument %d decides", len(c.args), n), Steps: c.steps}
		return []driver.Site{s}
	case d.name == "new" || d.name == "new[]":
		if list := m.placements(d, c, s); len(list) > 0 {
			return list
		}
	}
	s.Argument = c.args[n-1].text
	s.Value = m.resolveValue(scene{d: d, unit: d.unit}, c.args[n-1])
	if !byConstant[c.ddi.Kind] {
		s.Value.Written = nil
		if w, ok := d.flagged[c.pos]; ok {
			s.Value.Written = []driver.Written{w}
		}
	}
	s.Value.Steps = append(slices.Clone(c.steps), s.Value.Steps...)
	return []driver.Site{s}
}

// isNull says whether an argument is a null pointer as people write it.
func isNull(argument string) bool {
	argument = strings.Trim(argument, "()")
	argument = argument[strings.LastIndex(argument, ")")+1:]
	return argument == "NULL" || argument == "0" || argument == "nullptr"
}

// placements gives the new expressions that reach a request in operator new, where what it requests hangs on them.
func (m *image) placements(d *definition, c *call, inner driver.Site) []driver.Site {
	decides := m.deciding(d, c.args[c.ddi.Argument-1])
	if decides < 0 {
		return nil
	}
	var list []driver.Site
	for _, caller := range m.callers[d] {
		s := inner
		from := scene{d: caller.in, unit: caller.in.unit}
		s.Place, s.Spelled, s.Function, s.Moment = caller.call.at.root().place(), c.at.place(), caller.in.name, m.moment(caller.in, caller.call)
		s.Surely = m.surely[caller.call]
		s.Early = !m.usesVariables && m.moments[caller.call]&driver.Before != 0
		if decides < len(caller.call.args) {
			s.Argument = caller.call.args[decides].text
		}
		s.Value = m.resolveValue(scene{d, d.unit, m.frame(caller.call, from, s.Moment)}, c.args[c.ddi.Argument-1])
		s.Value.Steps = slices.Concat(caller.call.steps, s.Value.Steps)
		list = append(list, s)
	}
	return list
}

// deciding gives the parameter of a function that a value in it hangs on, -1 for none.
func (m *image) deciding(d *definition, v value) int {
	in := input{value: v, scene: scene{d: d, unit: d.unit}}
	m.solve(&in)
	seen := map[*node]bool{}
	var visit func(in *input) int
	visit = func(in *input) int {
		best := -1
		in.expr.leaves(func(e *expr) {
			for _, n := range in.nodes[e] {
				if n.d != d || seen[n] {
					continue
				}
				if seen[n] = true; n.kind == parameterOf {
					best = d.param(n.name)
				}
				for i := range n.inputs {
					best = max(best, visit(&n.inputs[i]))
				}
			}
		})
		return best
	}
	return visit(&in)
}

// mergeSites joins what several units say of one request in a header, and sorts.
func mergeSites(sites []driver.Site) []driver.Site {
	same := func(a, b driver.Site) int {
		return cmp.Or(a.Place.Compare(b.Place), a.Spelled.Compare(b.Spelled), cmp.Compare(a.DDI.Name, b.DDI.Name),
			cmp.Compare(a.Mechanism, b.Mechanism), cmp.Compare(a.Argument, b.Argument))
	}
	slices.SortStableFunc(sites, same)
	var out []driver.Site
	for _, s := range sites {
		if n := len(out); n > 0 && same(out[n-1], s) == 0 {
			mergeSite(&out[n-1], s)
			continue
		}
		out = append(out, s)
	}
	return out
}

func has(terms []driver.Term, t driver.Term) bool {
	return slices.ContainsFunc(terms, func(u driver.Term) bool { return u.Compare(t) == 0 })
}

func mergeSite(into *driver.Site, s driver.Site) {
	into.Moment |= s.Moment
	into.Surely, into.Early = into.Surely || s.Surely, into.Early || s.Early
	into.Escapes = into.Escapes || s.Escapes
	into.Call.Constant, into.Call.Nothing = into.Call.Constant && s.Call.Constant, into.Call.Nothing || s.Call.Nothing
	for _, step := range s.Executed {
		into.Executed = appendNew(into.Executed, step)
	}
	a, b := &into.Value, s.Value
	selected := slices.DeleteFunc(slices.Concat(a.Selected, b.Selected), func(t driver.Term) bool {
		return has(a.Terms, t) && !has(a.Selected, t) || has(b.Terms, t) && !has(b.Selected, t)
	})
	a.Selected = slices.CompactFunc(slices.SortedFunc(slices.Values(selected), driver.Term.Compare), same)
	for _, t := range b.Terms {
		if !has(a.Terms, t) {
			a.Terms = append(a.Terms, t)
		}
	}
	for _, step := range s.Value.Steps {
		if !slices.Contains(into.Value.Steps, step) {
			into.Value.Steps = append(into.Value.Steps, step)
		}
	}
	into.Value.Written = mergeWritten(into.Value.Written, s.Value.Written)
	if into.Value.Unknown == "" {
		into.Value.Unknown = s.Value.Unknown
	}
}

// judgeBuild fills in what only the units know of the build: its mechanism, the files that differ from it, and whether
// the variables are set in time.
func (m *image) judgeBuild(b *driver.Build, units []*summary, sites []seen) {
	b.Mechanism = mechanism(units)
	for _, u := range units {
		if u.sawKit() && u.mechanism != b.Mechanism {
			b.Exceptions = append(b.Exceptions, driver.Exception{Path: u.unit.Path, Mechanism: u.mechanism})
		}
	}
	switch {
	case !m.usesVariables:
		b.Initialised = driver.InitNotNeeded
	case m.sets && !b.Library && slices.ContainsFunc(sites, func(s seen) bool {
		return s.Moment == driver.Before && s.TooEarly()
	}):
		b.Initialised = driver.InitLate
	case b.Library || m.sets && (m.opted&driver.After == 0 || m.opted == driver.Before|driver.After):
		b.Initialised = driver.InitUnknown
	case !m.sets:
		b.Initialised = driver.InitNo
	case slices.ContainsFunc(sites, func(s seen) bool { return s.TooEarly() && !s.Perhaps() }):
		b.Initialised = driver.InitLate
	default:
		b.Initialised = driver.InitYes
	}
}

// mechanism is the one that most of the units have that reach the kit; POOL_NX_OPTOUT concerns single files.
func mechanism(units []*summary) nx.Mechanism {
	count := map[nx.Mechanism]int{}
	for _, u := range units {
		if u.sawKit() {
			count[u.mechanism]++
		}
	}
	best := nx.None
	for _, c := range []nx.Mechanism{nx.OptIn, nx.OptInAuto} {
		if count[c] > count[best] {
			best = c
		}
	}
	return best
}

func (s *summary) sawKit() bool {
	return slices.ContainsFunc(s.facts, func(f driver.Fact) bool { return f.Kind == driver.KitInclude })
}
