package source

import (
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
)

// image joins the summaries of one build, and of the static libraries that are linked into it.
type image struct {
	build       *project.Build
	units       []*summary               // those of the build itself first
	definitions []*definition            // in order of unit and position
	defined     map[string][]*definition // by name
	callers     map[*definition][]site
	idle        map[*definition]bool // what idleCopy has found
	named       map[string]bool
	reached     map[reaching][]*definition
	flows       map[quantity]*node
	frames      map[frameKey]*frame
	written     map[string][]written
	compared    map[target]bool
	taken       map[string][]owned
	lent        map[string][]passing
	unplaced    []unplaced // signs of executed memory for which no request was found
	// needs are the names on which the values of requests hang: functions whose callers and returns were asked for,
	// variables, fields and structs.
	needs map[string]bool
	// structs are those whose definition decides where memory comes from.
	structs map[structField]bool
	// bodies are functions that run before the opt-in call, and may request memory.
	bodies  map[string]bool
	moments map[*call]driver.Moment
	surely  map[*call]bool          // those that run before the opt-in call whatever the conditions
	when    map[*definition][]state // behind so many marks and calls of a body
	left    map[visit]state         // in which a function is left that is entered at a moment
	sets    bool                    // a call that may set the variables stands somewhere
	opted   driver.Moment           // when what runs after the entry routines does: After where all of them surely make the call
	work    int                     // expressions that were looked at
	round   int                     // of looking up
	// usesVariables is set where some unit is compiled with POOL_NX_OPTIN.
	usesVariables bool
	versioned     bool // the version of Windows selects a value somewhere
}

// definition is a function in its unit.
type definition struct {
	*function
	unit   *summary
	byName map[string][]int // its writes to parameters and locals, once asked for
	lentBy map[string][]lent
}

// site is one call in a definition.
type site struct {
	in   *definition
	call *call
}

// link joins the units of a build with those of the libraries that it links.
func link(b *project.Build, own, libraries []*summary) *image {
	m := &image{
		build: b, units: slices.Concat(own, libraries), defined: map[string][]*definition{}, callers: map[*definition][]site{}, idle: map[*definition]bool{},
		named: map[string]bool{}, reached: map[reaching][]*definition{}, flows: map[quantity]*node{}, frames: map[frameKey]*frame{},
		needs: map[string]bool{}, structs: map[structField]bool{}, bodies: map[string]bool{}, moments: map[*call]driver.Moment{}, when: map[*definition][]state{}, left: map[visit]state{},
	}
	m.usesVariables = slices.ContainsFunc(m.units, (*summary).usesVariables)
	paths := map[string]bool{}
	for _, u := range m.units {
		twice := paths[u.unit.Path]
		paths[u.unit.Path] = true
		for _, f := range u.functions {
			if twice {
				f = f.copy()
			}
			d := &definition{function: f, unit: u}
			m.definitions = append(m.definitions, d)
			m.versioned = m.versioned || d.versioned
			m.defined[f.name] = append(m.defined[f.name], d)
			for _, name := range f.named {
				m.named[name] = true
			}
		}
		for name := range u.named {
			m.named[name] = true
		}
		m.need(u.asks...)
	}
	for _, d := range m.definitions {
		for i := range d.calls {
			for _, callee := range m.resolve(scene{d: d, unit: d.unit}, &d.calls[i]) {
				m.callers[callee] = append(m.callers[callee], site{d, &d.calls[i]})
			}
		}
	}
	m.order()
	return m
}

func (m *image) need(names ...string) {
	for _, name := range names {
		if name != "" {
			m.needs[strings.TrimSuffix(name, "[]")] = true
		}
	}
}

// addressed says whether a function may be called through a pointer: its name stands somewhere other than in front of a
// parenthesis. An operator has no name that could, and a constructor no address.
func (m *image) addressed(d *definition) bool {
	return m.named[d.name] && d.name != "new" && !d.isConstructor()
}

// reaching is a call as far as it decides which function it reaches.
type reaching struct {
	unit       *summary
	class      string // of the method that calls
	callee, of string
	arguments  int
	method     bool
}

// resolve finds the functions that a call may reach: by the class where one is written or known, by the number of
// arguments, in the unit itself before others. Where several remain, it may be any of them.
func (m *image) resolve(from scene, c *call) []*definition {
	all := m.defined[c.callee]
	if len(all) == 0 {
		return nil
	}
	key := reaching{unit: from.unit, callee: c.callee, of: c.of, arguments: len(c.args), method: c.method}
	if from.d != nil {
		key.class = from.d.class
	}
	found, ok := m.reached[key]
	if !ok {
		found = m.choose(key, all)
		m.reached[key] = found
	}
	return found
}

func (m *image) choose(key reaching, all []*definition) []*definition {
	list := filter(all, func(d *definition) bool { return d.unit == key.unit || !d.static })
	list = m.ofClass(key, list)
	exact := filter(list, func(d *definition) bool { return len(d.params) == key.arguments })
	if len(exact) == 0 {
		exact = filter(list, func(d *definition) bool {
			return key.arguments < len(d.params) && given(key.unit, d, key.arguments) != nil || d.dots && key.arguments > len(d.params)
		})
	}
	if len(exact) > 0 {
		list = exact
	}
	if own := filter(list, func(d *definition) bool { return d.unit == key.unit }); len(own) > 0 {
		return own
	}
	var out []*definition
	for _, d := range list { // a function of a header is in many units
		if !slices.ContainsFunc(out, func(o *definition) bool { return o.at.file == d.at.file && o.at.off == d.at.off }) {
			out = append(out, d)
		}
	}
	if key.unit.unit.Options.Language == project.C && len(out) > 1 {
		return out[:1]
	}
	return out
}

// ofClass leaves the functions that fit what stands in front of the name.
func (m *image) ofClass(key reaching, list []*definition) []*definition {
	methods := func(class string) []*definition {
		return filter(list, func(d *definition) bool { return d.class != "" && m.related(key.unit, d.class, class) })
	}
	if found := filter(list, func(d *definition) bool { return d.isConstructor() }); len(found) > 0 && !key.method && (key.of == "" || key.of == key.callee) {
		return found
	}
	free := filter(list, func(d *definition) bool { return d.class == "" })
	switch {
	case key.method && key.unit.unit.Options.Language == project.C:
		return nil // a pointer
	case key.of != "":
		if found := methods(key.of); len(found) > 0 || key.method {
			return found
		}
		if found := filter(free, func(d *definition) bool { return slices.Contains(d.spaces, key.of) }); len(found) > 0 {
			return found
		}
		return free
	case key.method:
		return filter(list, func(d *definition) bool { return d.class != "" || d.member })
	case key.class != "":
		if found := methods(key.class); len(found) > 0 {
			return found
		}
	}
	return free
}

// related says whether two classes are one, or one derives from the other: a virtual method may be either's.
func (m *image) related(u *summary, a, b string) bool {
	return a == b || derives(u, a, b, 0) || derives(u, b, a, 0)
}

func derives(u *summary, class, base string, depth int) bool {
	return depth < 10 && slices.ContainsFunc(u.bases[class], func(b string) bool { return b == base || derives(u, b, base, depth+1) })
}

func filter(list []*definition, keep func(*definition) bool) []*definition {
	var out []*definition
	for _, d := range list {
		if keep(d) {
			out = append(out, d)
		}
	}
	return out
}

func (m *image) nothingCalls() string {
	if m.build.Library {
		return ": nothing in this library calls it, and no image of this tree links it"
	}
	return nothingCalls
}

const nothingCalls = ": nothing in this build calls it"
