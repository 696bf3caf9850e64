// Package source reads what a driver's source says: every request for memory with the values it can have, and the
// facts that rules need. It goes from tokens through a preprocessor that tolerates missing headers to a summary of
// each translation unit, and joins the summaries of an image. It knows no rule.
package source

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// Options are the reader's. Jobs is the number of units read at once; below 1 it is 1. Named are the paths whose files
// are to be accounted for. Whole reads all of the text, and every unit by itself: the result is the same, which tests
// prove.
type Options struct {
	DDIs  []nx.DDI
	Jobs  int
	Named []string
	Whole bool
}

// Result is one image per build, in the order of the builds.
type Result struct {
	Images       []driver.Image
	Dormant      []driver.Site  // requests that no build gets to
	Declarations []driver.Place // of DDIs, and of macros by their names, which are no requests
	Unreadable   []project.Skipped
}

// maxRounds bounds how often linking may ask for more; then all of the text is read.
const maxRounds = 40

// Read reads all units of the builds and links them. Of the text it reads what is of interest, and what linking asks for
// in the next round.
func Read(t *tree.Tree, builds []*project.Build, o Options) Result {
	known := lookOutFor(builds, o.DDIs)
	in := newInterest(known, builds)
	known.interest, in.everything = in, o.Whole
	fs := newFiles(t, in)
	paths := sourceFiles(t, o.Named, builds)
	each(o.Jobs, paths, func(p string) { fs.load(p) }) // an error is kept, and told where a unit needs the file
	r := newReading(fs, known, builds, o)
	images := make([]*image, len(builds))
	result := Result{Images: make([]driver.Image, len(builds))}
	for n, changed := 0, fs.settle(o.Jobs); n == 0 || len(changed) > 0; n++ {
		fresh := r.round(changed)
		news := len(fs.found) > 0
		for i, b := range builds {
			if images[i] == nil || slices.ContainsFunc(b.Units, func(u *project.Unit) bool { return fresh[u] }) {
				images[i] = link(b, r.of(b))
				result.Images[i] = images[i].image()
				news = in.ask(images[i].needs, images[i].bodies) || news
			}
		}
		in.everything = o.Whole || n >= maxRounds
		changed = nil
		if news || n == maxRounds {
			changed = fs.settle(o.Jobs)
		}
	}
	result.Unreadable = unreadable(r)
	markOldKits(builds, result.Images)
	result.Dormant, result.Declarations = account(fs, known, paths, r.all())
	return result
}

// unreadable names the units that could not be read, or not to their end.
func unreadable(r *reading) []project.Skipped {
	var list []project.Skipped
	for _, g := range r.groups {
		for _, s := range g.read {
			if s.problem != nil {
				list = append(list, project.Skipped{Path: s.unit.Path, Why: strings.TrimPrefix(s.problem.Error(), s.unit.Path+": ")})
				break
			}
		}
	}
	return list
}

func lookOutFor(builds []*project.Build, ddis []nx.DDI) names {
	known := names{ddis: map[string]*nx.DDI{}, entries: map[string]bool{}}
	for i := range ddis {
		known.ddis[ddis[i].Name] = &ddis[i]
	}
	for _, b := range builds {
		for _, name := range b.Entries {
			known.entries[name] = true
		}
	}
	return known
}

// markOldKits tells an entry routine that is shared between builds whether one of them uses an old kit.
func markOldKits(builds []*project.Build, images []driver.Image) {
	old := map[string]bool{}
	for _, b := range builds {
		for _, u := range b.Units {
			old[u.Path] = old[u.Path] || b.Kit.NoOptIn
		}
	}
	for _, m := range images {
		for i, f := range m.Facts {
			m.Facts[i].OldKit = f.Kind == driver.Entry && old[f.Unit]
		}
	}
}

// image turns what was linked into what every witness returns.
func (m *image) image() driver.Image {
	out := driver.Image{Build: m.build.Build}
	for _, u := range m.units {
		out.Facts = append(out.Facts, u.facts...)
	}
	for _, d := range m.definitions {
		out.Facts = append(out.Facts, m.entryFacts(d)...)
		for i := range d.calls {
			c := &d.calls[i]
			if c.ddi != nil && !m.idleCopy(d) {
				out.Sites = append(out.Sites, m.site(d, c))
			}
			out.Facts = append(out.Facts, m.optInFact(d, c)...)
		}
	}
	out.Sites = mergeSites(out.Sites)
	slices.SortStableFunc(out.Facts, func(a, b driver.Fact) int {
		return cmp.Or(a.Place.Compare(b.Place), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Unit, b.Unit))
	})
	m.judgeBuild(&out)
	return out
}

// idleCopy says whether a static function of a header is not used in its unit, while it is in another.
func (m *image) idleCopy(d *definition) bool {
	if !d.static || d.at.root().file.path == d.unit.unit.Path {
		return false
	}
	m.needs[d.name] = true
	if len(m.callers[d]) > 0 || m.named[d.name] {
		return false
	}
	return slices.ContainsFunc(m.defined[d.name], func(o *definition) bool {
		return o != d && len(m.callers[o]) > 0 && o.at.file == d.at.file && o.at.off == d.at.off
	})
}

func (m *image) entryFacts(d *definition) []driver.Fact {
	if !m.isEntry(d) {
		return nil
	}
	f := driver.Fact{Kind: driver.Entry, Place: d.at.root().place(), Function: d.name, Unit: d.unit.unit.Path, Mechanism: d.unit.mechanism}
	if p := m.choosePoint(d.insert); p != nil {
		f.Span = *p
	}
	return []driver.Fact{f}
}

// optInFact gives a call that opts in, or would if its file were compiled for it.
func (m *image) optInFact(d *definition, c *call) []driver.Fact {
	if c.callee != "ExInitializeDriverRuntime" || len(c.args) != 1 {
		return nil
	}
	if flags, known := m.optInFlags(d, c); known && flags&nx.DrvRtPoolNxOptIn == 0 {
		return nil
	}
	return []driver.Fact{{
		Kind: driver.OptInCall, Place: c.at.root().place(), Function: d.name, Unit: d.unit.unit.Path,
		Mechanism: d.unit.mechanism, Effective: m.effect(d, c) == optsIn, Span: c.span,
	}}
}

// choosePoint takes the last of the places for a first statement that no declaration follows which may request memory
// before it.
func (m *image) choosePoint(points []insertPoint) *driver.Span {
	for i, p := range points {
		if i == len(points)-1 || p.requests || slices.ContainsFunc(p.next, func(name string) bool { return m.mayRequest(name, map[string]bool{}) }) {
			return &points[i].span
		}
	}
	return nil
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

func (m *image) site(d *definition, c *call) driver.Site {
	s := driver.Site{
		Witness: driver.Source, Place: c.at.root().place(), Function: d.name, DDI: *c.ddi,
		Mechanism: d.unit.mechanism, Moment: m.moment(c),
	}
	if c.at.exp != nil {
		s.Spelled = c.at.place()
	}
	switch n := c.ddi.Argument; {
	case n == 0:
	case n > len(c.args):
		s.Value.Unknown = fmt.Sprintf("the call has %d arguments, argument %d decides", len(c.args), n)
	default:
		s.Argument = c.texts[n-1]
		s.Value = m.resolveValue(d, c.args[n-1], nil)
	}
	s.Value.Steps = append(slices.Clone(c.steps), s.Value.Steps...)
	return s
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

func mergeSite(into *driver.Site, s driver.Site) {
	into.Moment |= s.Moment
	for _, t := range s.Value.Terms {
		if !slices.ContainsFunc(into.Value.Terms, func(u driver.Term) bool { return u.Compare(t) == 0 }) {
			into.Value.Terms = append(into.Value.Terms, t)
		}
	}
	for _, step := range s.Value.Steps {
		if !slices.Contains(into.Value.Steps, step) {
			into.Value.Steps = append(into.Value.Steps, step)
		}
	}
	if into.Value.Unknown == "" {
		into.Value.Unknown = s.Value.Unknown
	}
}

// judgeBuild fills in what only the units know of the build: its mechanism, the files that differ from it, and whether
// the variables are set in time.
func (m *image) judgeBuild(out *driver.Image) {
	b := &out.Build
	b.Mechanism = m.mechanism()
	for _, u := range m.units {
		if u.sawKit() && u.mechanism != b.Mechanism {
			b.Exceptions = append(b.Exceptions, driver.Exception{Path: u.unit.Path, Mechanism: u.mechanism})
		}
	}
	usesVariables := slices.ContainsFunc(m.units, func(u *summary) bool { return u.mechanism == nx.OptIn })
	switch {
	case !usesVariables:
		b.Initialised = driver.InitNotNeeded
	case m.sets && !b.Library && slices.ContainsFunc(out.Sites, func(s driver.Site) bool {
		return s.Moment == driver.Before && s.TooEarly()
	}):
		b.Initialised = driver.InitLate
	case b.Library || m.sets && (m.opted&driver.After == 0 || m.opted == driver.Before|driver.After):
		b.Initialised = driver.InitUnknown
	case !m.sets:
		b.Initialised = driver.InitNo
	case slices.ContainsFunc(out.Sites, driver.Site.TooEarly):
		b.Initialised = driver.InitLate
	default:
		b.Initialised = driver.InitYes
	}
}

// mechanism is the one that most of the units have that reach the kit; POOL_NX_OPTOUT concerns single files.
func (m *image) mechanism() nx.Mechanism {
	count := map[nx.Mechanism]int{}
	for _, u := range m.units {
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
