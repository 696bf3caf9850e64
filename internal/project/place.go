package project

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/internal/tree"
)

// Place: where a define goes so that all builds that want it get it and no other does. Each group of builds is served
// by the fewest lines; the result is proved by loading the edited files again.

// Want is a define that a build is to have in all of its units. Value "1" is the usual one.
type Want struct {
	Build       *Build
	Name, Value string
	// May says that the build can do without: it may get the define where that makes for fewer lines.
	May bool
}

// Head is how a unit reaches the kit: the place of the include directive by which it first comes to the kit's
// headers. It stands in the unit's own file or in a header.
type Head struct {
	Include driver.Place
}

// Unplaced is a build file whose builds go without what they want, and why.
type Unplaced struct{ Project, Why string }

// Place finds where the wanted defines go, with as few changed lines as possible, and gives the edits. All wanted
// builds must be of one Set. Builds that have the define already need none. A file that spared gives a reason for is
// not changed, nor is one outside of what was named; the next best place is taken then.
//
// A define goes into the build file: into elements PreprocessorDefinitions or assignments to C_DEFINES that serve
// wanted builds only, or into one group or line that is inserted for all that lack one. It goes into a header only if
// that takes fewer lines and the project does it so already: every unit of its builds comes to the kit by one include
// directive there, with a #define above it.
//
// The edits of build files are proven: these are loaded again with them, every wanted build must have the define in
// every unit, and nothing else may have changed. A build file for which that can't be had goes without, all of its builds:
// some that are opted in beside others that are not would be worse than none. That an edit of a header does what it should is
// for the caller to see, who can scan the source.
func Place(t *tree.Tree, want []Want, heads map[*Unit]Head, spared func(path string) string) (edits []edit.Edit, left []Unplaced, err error) {
	for _, w := range want {
		if w.Build.set == nil || w.Build.set != want[0].Build.set {
			return nil, nil, fmt.Errorf("%s: wanted builds must come from one Load", w.Build.ID)
		}
	}
	needs := func(w Want) bool { return !w.May }
	for slices.ContainsFunc(want, needs) {
		p := newPlacer(t, want, heads, spared)
		failed := p.all(p.groups(want))
		if len(failed) == 0 {
			failed = p.verify()
		}
		if len(failed) == 0 {
			return p.edits, left, nil
		}
		left = append(left, failed...)
		want = slices.DeleteFunc(slices.Clone(want), func(w Want) bool {
			return slices.ContainsFunc(failed, func(u Unplaced) bool { return u.Project == w.Build.Project })
		})
	}
	return nil, left, nil
}

// placer is one attempt of Place.
type placer struct {
	tree     *tree.Tree
	set      *Set
	heads    map[*Unit]Head
	spared   func(path string) string
	wanted   map[string][]Define // by build ID
	may      map[string][]Define // what a build can do without
	edits    []edit.Edit
	byHeader map[string]bool // build IDs served by a header
	headers  []edit.Edit     // of headers, that some group takes
}

func newPlacer(t *tree.Tree, want []Want, heads map[*Unit]Head, spared func(path string) string) *placer {
	p := &placer{tree: t, set: want[0].Build.set, heads: heads, spared: spared, wanted: map[string][]Define{}, may: map[string][]Define{}}
	for _, w := range want {
		d, list := Define{Name: w.Name, Value: w.Value}, p.wanted
		if w.May {
			list = p.may
		}
		if !slices.Contains(list[w.Build.ID], d) {
			list[w.Build.ID] = append(list[w.Build.ID], d)
		}
	}
	return p
}

// keeps says why a file is not to be changed, "" where it may be.
func (p *placer) keeps(path string) string {
	switch {
	case !p.tree.Within(path):
		return "it lies outside of what was named"
	case p.spared != nil:
		return p.spared(path)
	}
	return ""
}

// all finds the edits for all groups. A header that one of them takes costs the others nothing: so they choose again,
// until no more headers come in.
func (p *placer) all(groups []group) (failed []Unplaced) {
	for known := -1; known < len(p.headers) && len(failed) == 0; {
		known = len(p.headers)
		p.edits, p.byHeader = nil, map[string]bool{}
		for _, g := range groups {
			if err := p.group(g); err != nil {
				failed = append(failed, Unplaced{g.project, err.Error()})
			}
		}
	}
	return failed
}

// header lets a group be served by a header.
func (p *placer) header(g group, h candidate) {
	for _, b := range g.builds {
		p.byHeader[b.ID] = true
	}
	for _, e := range h.edits {
		if !slices.Contains(p.headers, e) {
			p.headers = append(p.headers, e)
		}
		if !slices.Contains(p.edits, e) {
			p.edits = append(p.edits, e)
		}
	}
}

// group are the builds of one build file that want the same defines.
type group struct {
	project string
	builds  []*Build // of the Set
	defines []Define
}

// groups puts the wants of one build file and one set of defines together, so that one edit can serve them all.
func (p *placer) groups(want []Want) []group {
	var list []group
	seen := map[string]bool{}
	for _, w := range want {
		if seen[w.Build.ID] || w.May {
			continue
		}
		seen[w.Build.ID] = true
		defines := p.wanted[w.Build.ID]
		i := slices.IndexFunc(list, func(g group) bool {
			return g.project == w.Build.Project && slices.Equal(g.defines, defines)
		})
		if i < 0 {
			i = len(list)
			list = append(list, group{project: w.Build.Project, defines: defines})
		}
		list[i].builds = append(list[i].builds, w.Build)
	}
	slices.SortStableFunc(list, func(a, b group) int { return strings.Compare(a.project, b.project) })
	return list
}

// load reads a build file in all its configurations, chosen or not.
func (p *placer) load(t *tree.Tree, project string) loaded {
	l, err := newLoader(t, LoadOptions{Defines: p.set.options.Defines, Includes: p.set.options.Includes})
	if err != nil {
		return loaded{unreadable: []Skipped{{Path: project, Why: err.Error()}}} // Load has accepted the same options
	}
	return l.load(project)
}

// with gives the tree as it is after edits.
func (p *placer) with(edits []edit.Edit) (*tree.Tree, error) {
	changes, err := edit.Apply(p.tree.Read, edits)
	if err != nil {
		return nil, err
	}
	overlay := map[string][]byte{}
	for _, c := range changes {
		overlay[c.Path] = c.New
	}
	return p.tree.With(overlay), nil
}

// candidate is one way to serve a group.
type candidate struct {
	edits []edit.Edit
	lines int
}

// group finds the edits for one group.
func (p *placer) group(g group) error {
	switch k := kindOf(g.project); {
	case k == nil:
		return p.withoutBuildFile(g)
	case k.insert == nil:
		return p.generated(g)
	}
	now, err := p.with(p.edits)
	if err != nil {
		return err
	}
	var pending []string // an edit for a group before may serve this one too
	for _, b := range p.load(now, g.project).builds {
		if g.wants(b.ID) && !b.has(g.defines) {
			pending = append(pending, b.ID)
		}
	}
	if len(pending) == 0 {
		return g.existing(p.load(now, g.project))
	}
	all := p.load(p.tree, g.project)
	best, failed := p.inBuildFile(g, all, pending)
	h, ok := p.inHeader(g, all)
	if ok && !slices.ContainsFunc(h.edits, func(e edit.Edit) bool { return !slices.Contains(p.headers, e) }) {
		h.lines = 0
	}
	if ok && (failed != nil || h.lines < best.lines) {
		p.header(g, h)
		return nil
	}
	p.edits = append(p.edits, best.edits...)
	return failed
}

// existing is an error where the build file has lost a wanted build.
func (g group) existing(now loaded) error {
	for _, b := range g.builds {
		if !slices.ContainsFunc(now.builds, func(have *Build) bool { return have.ID == b.ID }) {
			return fmt.Errorf("%s: the build file has no such build", b.ID)
		}
	}
	return nil
}

// withoutBuildFile serves the default build of a directory: a shared header is the one place that all its files read.
func (p *placer) withoutBuildFile(g group) error {
	if g.builds[0].has(g.defines) {
		return nil
	}
	if h, ok := p.inHeader(g, loaded{builds: g.builds}); ok {
		p.header(g, h)
		return nil
	}
	d := g.defines[0]
	return fmt.Errorf("%s: there is no build file to define %s in: define it before the kit's first header in every "+
		"source file, or in your own build and pass -D %s=%s here", g.project, d.Name, d.Name, d.Value)
}

// wants says whether a build is in the group.
func (g group) wants(id string) bool {
	return slices.ContainsFunc(g.builds, func(b *Build) bool { return b.ID == id })
}

// has says whether every unit of a build has the defines.
func (b *Build) has(defines []Define) bool {
	return !slices.ContainsFunc(b.Units, func(u *Unit) bool { return !u.has(defines) })
}

// has asks for the value too: NAME=0 is not NAME=1.
func (u *Unit) has(defines []Define) bool {
	return !slices.ContainsFunc(defines, func(d Define) bool {
		value, ok := u.Options.value(d.Name)
		return !ok || value != d.Value
	})
}

// inBuildFile weighs the two ways in a build file: splicing into what is there, and inserting once, then splicing
// only where what was inserted is lost again. Fewer lines win, a tie goes to what is there.
//
// What is there is preferred because a reader looks for defines where the others stand.
func (p *placer) inBuildFile(g group, all loaded, pending []string) (candidate, error) {
	c := p.newCover(g, all, pending)
	var needed []pair
	for _, b := range all.builds {
		if slices.Contains(pending, b.ID) {
			needed = append(needed, pairsOf(b, g.defines)...)
		}
	}
	layers, left := c.choose(needed)
	spliced := candidate{splices(layers, g.defines), len(layers)}
	inserted, err := p.insertion(g, all, c)
	switch {
	case err != nil && left != nil:
		why := c.reason(*left)
		if insertion := err.Error(); insertion != why {
			why += "; " + insertion
		}
		return candidate{}, fmt.Errorf("%s: no place for %s: %s", left.build.ID, g.text(), why)
	case left != nil, err == nil && inserted.lines < spliced.lines:
		return inserted, nil
	}
	return spliced, nil
}

// text gives the defines for messages.
func (g group) text() string {
	var parts []string
	for _, d := range g.defines {
		parts = append(parts, d.text())
	}
	return strings.Join(parts, " and ")
}

// text gives a define as it stands on a command line, without -D.
func (d Define) text() string { return d.Name + "=" + d.Value }
