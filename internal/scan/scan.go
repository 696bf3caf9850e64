// Package scan takes paths and gives findings: it reads the build files, lets the front ends read what they name, and
// judges what they saw.
package scan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/report"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/internal/source"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// Options are those of the command line.
type Options struct {
	Load    project.LoadOptions
	Windows []nx.Version // to judge for; empty: the build's minimum, 6.1, 6.2 and 10.0
	DDIs    []nx.DDI
	Jobs    int       // units read at once
	Goal    rule.Goal // of fixes; to opt in by POOL_NX_OPTIN if empty
	Unsafe  bool      // a port makes changes, too, that may alter what a driver does
	Header  bool      // a port adds nxpool.h where a kit without opt-ins may compile
	// Progress, where there is one, is told how many files of how many are read for how many builds. It is called from
	// several goroutines.
	Progress func(files, of, builds int)
	// Judged, where there is one, is told how many of the built drivers are judged.
	Judged func(drivers, of int)
	// Source, where there is one, is what the built drivers that are named are held against.
	Source *Result
}

// Result is what a scan knows, and the builds it came from.
type Result struct {
	report.Scan
	Set *project.Set
}

// Run scans the named paths. An error means that nothing could be looked at; what could not be read of a tree stands
// in Unreadable.
func Run(paths []string, o Options) (*Result, error) {
	t, err := tree.New(paths)
	if err != nil {
		return nil, err
	}
	return On(t, paths, o)
}

// On scans the named paths as they are in the tree, overlay included.
func On(t *tree.Tree, paths []string, o Options) (*Result, error) {
	start := time.Now()
	set, err := project.Load(t, paths, o.Load)
	if err != nil {
		return nil, err
	}
	read := source.Read(t, set.Builds, source.Options{DDIs: o.DDIs, Jobs: o.Jobs, Named: paths, Progress: o.Progress})
	r := &Result{Set: set}
	r.Tree, r.Images, r.Skipped = t, read.Images, append(idle(t, paths, set), set.Skipped...)
	r.Unreadable = append(slices.Clone(set.Unreadable), read.Unreadable...)
	slices.SortFunc(r.Unreadable, func(a, b project.Skipped) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Why, b.Why)) })
	r.Unreadable = slices.CompactFunc(r.Unreadable, func(a, b project.Skipped) bool { return a.Path == b.Path && a.Why == b.Why })
	for i := range r.Images {
		b := &r.Images[i].Build
		b.Windows = versions(o.Windows, b.Minimum)
		for j := range r.Images[i].Sites {
			r.Images[i].Sites[j].Built = nx.Built{Kit: b.Kit.Made, Target: b.Minimum}
		}
	}
	markShared(r.Images, set.Skipped)
	buildComments(t, r.Images)
	r.Dormant, r.Declarations = read.Dormant, read.Declarations
	r.Findings, r.Suppressed = rule.Split(rule.Merge(rule.Check(r.Images, cmp.Or(o.Goal, rule.Goal{Mechanism: nx.OptIn}))))
	r.Notes = append(notes(set), outside(t)...)
	r.Elapsed = time.Since(start)
	return r, nil
}

// markShared tells the entry routines, the kit includes and the requests in files that a project of user mode compiles, too, which
// has neither the opt-in call nor the kit's allocators.
func markShared(images []driver.Image, skipped []project.Skipped) {
	shared := map[string]bool{}
	for _, s := range skipped {
		for _, p := range s.Shares {
			shared[p] = true
		}
	}
	for _, m := range images {
		for i, f := range m.Facts {
			m.Facts[i].Shared = (f.Kind == driver.Entry || f.Kind == driver.KitInclude) && shared[f.Unit]
		}
		for i := range m.Sites {
			call := &m.Sites[i].Call
			call.Shared = shared[call.Name.Path]
		}
	}
}

// idle names the paths that nothing came of, beside others: a misspelled one would pass without a word.
func idle(t *tree.Tree, paths []string, set *project.Set) []project.Skipped {
	found := slices.Clone(set.Containers)
	for _, b := range set.Builds {
		found = append(found, b.Project)
	}
	for _, s := range slices.Concat(set.Skipped, set.Unreadable) {
		found = append(found, s.Path)
	}
	var list []project.Skipped
	for _, named := range paths {
		root := t.Clean(named)
		below := func(p string) bool {
			return root == "." || p == root || strings.HasPrefix(p, root+"/") || strings.HasPrefix(root, p+"/")
		}
		if !slices.ContainsFunc(found, below) {
			list = append(list, project.Skipped{Path: root, Why: "holds no driver"})
		}
	}
	return list
}

// notes are what could not be evaluated in the build files, or was read outside the tree; each said once.
func notes(set *project.Set) []driver.Step {
	var list []driver.Step
	for _, b := range set.Builds {
		list = append(list, b.Notes...)
	}
	slices.SortFunc(list, func(a, b driver.Step) int {
		return cmp.Or(a.Place.Compare(b.Place), cmp.Compare(a.Says, b.Says))
	})
	return slices.Compact(list)
}

// outside says what was read beyond the named paths, because something there refers to it.
func outside(t *tree.Tree) []driver.Step {
	list := t.Outside()
	if len(list) == 0 {
		return nil
	}
	says := "read too, outside of what was named"
	if len(list) > 1 {
		says += fmt.Sprintf(", with %d more files", len(list)-1)
	}
	return []driver.Step{{Place: driver.Place{Path: list[0]}, Says: says}}
}

// versions gives those to judge a build for: as asked, or its minimum, 6.1, 6.2 and 10.0; none below the minimum.
func versions(asked []nx.Version, minimum nx.Version) []nx.Version {
	if len(asked) == 0 {
		asked = []nx.Version{minimum, nx.Windows7, nx.Windows8, nx.Windows10}
	}
	list := slices.DeleteFunc(slices.Clone(asked), func(w nx.Version) bool { return w.Before(minimum) })
	slices.SortFunc(list, nx.Version.Compare)
	return slices.Compact(list)
}
