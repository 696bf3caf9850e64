package source

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/nx"
)

// rounds reads the units of all builds, in rounds: what linking asks for is read in the next one.
type rounds struct {
	files     *files
	known     names
	options   Options
	groups    []*group
	summaries map[*project.Unit]*summary
	settings  map[*project.Options]*settings
	builds    int          // how many there are
	read, of  atomic.Int64 // groups, those of the current round included
}

// group is a source file with the options that it is compiled with.
type group struct {
	units   []*project.Unit
	watched map[string]bool // macros that those options define in different ways
	read    []*summary
	alike   alike
}

// settings are options as far as a unit can tell them apart.
type settings struct {
	macros map[string]string
	others string // all but the macros
}

// armLike is the name under which settings keep what the kit's header makes of the processor; no macro has it.
const armLike = " processor"

func newRounds(fs *files, known names, builds []*project.Build, o Options) *rounds {
	r := &rounds{
		files: fs, known: known, options: o,
		summaries: map[*project.Unit]*summary{}, settings: map[*project.Options]*settings{}, builds: len(builds),
	}
	byPath := map[string]*group{}
	seen := map[*project.Unit]bool{}
	for _, b := range builds {
		for _, u := range b.Units {
			if seen[u] {
				continue
			}
			seen[u] = true
			if byPath[u.Path] == nil {
				byPath[u.Path] = &group{}
				r.groups = append(r.groups, byPath[u.Path])
			}
			byPath[u.Path].units = append(byPath[u.Path].units, u)
			if r.settings[u.Options] == nil {
				r.settings[u.Options] = newSettings(fs, u.Options)
			}
		}
	}
	for _, g := range r.groups {
		g.watched = r.differing(g.units)
	}
	return r
}

func newSettings(fs *files, o *project.Options) *settings {
	s := &settings{macros: map[string]string{armLike: fmt.Sprint(nx.File{Processor: o.Processor}.Mechanism())}}
	for _, d := range slices.Concat(compilerMacros(o), o.Defines) {
		s.macros[d.Name] = "=" + d.Value
	}
	for _, name := range o.Undefines {
		delete(s.macros, name)
	}
	includes := slices.DeleteFunc(slices.Clone(o.Includes), func(dir string) bool { return !fs.tree.Holds(dir) })
	s.others = strings.Join(slices.Concat([]string{string(o.Language), o.Precompiled}, o.Forced, []string{""}, includes), "\n")
	return s
}

// differing gives the macros that not all units of a file define alike.
func (r *rounds) differing(units []*project.Unit) map[string]bool {
	out := map[string]bool{}
	first := r.settings[units[0].Options].macros
	for _, u := range units[1:] {
		macros := r.settings[u.Options].macros
		for name, value := range first {
			if macros[name] != value {
				out[name] = true
			}
		}
		for name, value := range macros {
			if first[name] != value {
				out[name] = true
			}
		}
	}
	return out
}

// round summarises the units that read one of the changed files, or that were not read before, and gives them.
func (r *rounds) round(changed map[*file]bool) map[*project.Unit]bool {
	var stale []*group
	for _, g := range r.groups {
		if g.read == nil || slices.ContainsFunc(g.read, func(s *summary) bool { return s.reads(changed) }) {
			stale = append(stale, g)
		}
	}
	r.of.Add(int64(len(stale)))
	each(r.options.Jobs, stale, func(g *group) {
		r.readGroup(g)
		if n := r.read.Add(1); r.options.Progress != nil {
			r.options.Progress(int(n), int(r.of.Load()), r.builds)
		}
	})
	r.files.forget()
	fresh := map[*project.Unit]bool{}
	for _, g := range stale {
		for i, u := range g.units {
			r.summaries[u] = g.read[i]
			fresh[u] = true
		}
	}
	return fresh
}

// readGroup reads a file once for every way in which its options can make a difference: two units are the same where
// all macros that were looked at in reading the first are defined alike for the second.
func (r *rounds) readGroup(g *group) {
	if main, err := r.files.load(g.units[0].Path); err == nil {
		main.hold(true)
		defer main.hold(false)
	}
	if len(g.units) > 1 && !r.options.Whole {
		g.alike = alike{}
	}
	g.read = make([]*summary, len(g.units))
	for i, u := range g.units {
		mine := r.settings[u.Options]
		for j := 0; j < i && g.read[i] == nil && !r.options.Whole; j++ {
			if r.alike(g.read[j], r.settings[g.units[j].Options], mine) {
				g.read[i] = g.read[j]
			}
		}
		if g.read[i] == nil {
			g.read[i] = summarise(r.files, r.known, u, g)
		}
	}
	g.alike = nil
}

func (r *rounds) alike(s *summary, its, mine *settings) bool {
	if its.others != mine.others {
		return false
	}
	for name := range s.looked {
		if its.macros[name] != mine.macros[name] {
			return false
		}
	}
	return true
}

func (s *summary) reads(changed map[*file]bool) bool {
	return slices.ContainsFunc(s.files, func(f *file) bool { return changed[f] })
}

// all are the summaries, each once.
func (r *rounds) all() []*summary {
	set := map[*summary]bool{}
	for _, g := range r.groups {
		for _, s := range g.read {
			set[s] = true
		}
	}
	return slices.Collect(maps.Keys(set))
}
