// Package source reads what a driver's source says: every request for memory with the values it can have, and the
// facts that rules need. It goes from tokens through a preprocessor that tolerates missing headers to a summary of
// each translation unit, and joins the summaries of an image. It knows no rule.
package source

import (
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// Options are the reader's. Jobs is the number of units read at once; below 1 it is 1. Named are the paths whose files
// are to be accounted for. Whole reads all of the text, and every unit by itself: the result is the same, which tests
// prove. Progress, where there is one, is told how many files of how many are read for how many builds; it is called by
// all jobs, and a file that is read again counts again.
type Options struct {
	DDIs  []nx.DDI
	Jobs  int
	Named []string
	Whole bool

	Progress func(files, of, builds int)
}

// Result is one image per build, in the order of the builds.
type Result struct {
	Images       []driver.Image
	Dormant      []driver.Site  // requests that no build gets to
	Declarations []driver.Place // of DDIs, and of macros by their names, which are no requests
	Unreadable   []project.Skipped
}

// maxRounds bounds how often linking may ask for more; then all of the text is read, once.
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
	r := newRounds(fs, known, builds, o)
	l := newLinking(builds, r.summaries)
	for n, changed := 0, fs.settle(); n == 0 || len(changed) > 0; n++ {
		news := l.round(r.round(changed), in) || len(fs.found) > 0
		changed = nil
		if news && n == maxRounds {
			in.takeAll()
		}
		if news && n <= maxRounds {
			changed = fs.settle()
		}
	}
	result := Result{Images: l.images, Unreadable: unreadable(r)}
	markOldKits(builds, result.Images)
	result.Dormant, result.Declarations = account(fs, known, paths, r.all())
	return result
}

// unreadable names the units that could not be read, or not to their end.
func unreadable(r *rounds) []project.Skipped {
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
	known := names{ddis: map[string]*nx.DDI{}, hashes: map[name]bool{}, methods: nx.MethodsIn(ddis), entries: map[string]bool{}}
	for i := range ddis {
		known.ddis[ddis[i].Name] = &ddis[i]
		known.hashes[nameOf(ddis[i].Name)] = true
	}
	for _, b := range builds {
		for _, name := range b.Entries {
			known.entries[name] = true
		}
	}
	return known
}

// markOldKits tells an entry routine, and the kit include of a unit, that builds share whether one of them uses an old kit there,
// without nxpool.h.
func markOldKits(builds []*project.Build, images []driver.Image) {
	old := map[string]bool{}
	for i, b := range builds {
		if !b.Kit.NoOptIn {
			continue
		}
		made := map[string]bool{}
		for _, f := range images[i].Facts {
			made[f.Unit] = made[f.Unit] || f.NXPool
		}
		for _, u := range b.Units {
			old[u.Path] = old[u.Path] || !made[u.Path]
		}
	}
	for _, m := range images {
		for i, f := range m.Facts {
			m.Facts[i].OldKit = (f.Kind == driver.Entry || f.Kind == driver.KitInclude) && old[f.Unit]
		}
	}
}
