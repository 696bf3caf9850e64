// Package source reads what a driver's source says: every request for memory with the values it can have, and the
// facts that rules need. It goes from tokens through a preprocessor that tolerates missing headers to a summary of
// each translation unit, and joins the summaries of an image. It knows no rule.
package source

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// Options are the reader's. Jobs is the number of units read at once; below 1 it is 1. Named are the paths whose files
// are to be accounted for.
type Options struct {
	DDIs  []nx.DDI
	Jobs  int
	Named []string
}

// Result is one image per build, in the order of the builds.
type Result struct {
	Images       []driver.Image
	Dormant      []driver.Site  // requests that no build gets to
	Declarations []driver.Place // of DDIs, and of macros by their names, which are no requests
	Unreadable   []project.Skipped
}

// Read reads all units of the builds, each unit once, and links them.
func Read(t *tree.Tree, builds []*project.Build, o Options) Result {
	fs := &files{tree: t, open: map[string]*lexed{}}
	known := lookOutFor(builds, o.DDIs)
	summaries := summariseAll(fs, known, builds, o.Jobs)
	var r Result
	said := map[string]bool{}
	for _, b := range builds {
		for _, u := range b.Units {
			if s := summaries[u]; s.problem != nil && !said[u.Path] {
				said[u.Path] = true
				r.Unreadable = append(r.Unreadable, project.Skipped{Path: u.Path, Why: strings.TrimPrefix(s.problem.Error(), u.Path+": ")})
			}
		}
	}
	r.Images, _ = linkAll(builds, summaries)
	markOldKits(builds, r.Images)
	r.Dormant, r.Declarations = account(t, fs, known, o.Named, slices.Collect(maps.Values(summaries)))
	return r
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

func summariseAll(fs *files, known names, builds []*project.Build, jobs int) map[*project.Unit]*summary {
	var units []*project.Unit
	summaries := map[*project.Unit]*summary{}
	for _, b := range builds {
		for _, u := range b.Units {
			if _, ok := summaries[u]; !ok {
				summaries[u] = nil
				units = append(units, u)
			}
		}
	}
	done := make([]*summary, len(units))
	var wait sync.WaitGroup
	next := make(chan int)
	for range max(1, jobs) {
		wait.Go(func() {
			for i := range next {
				done[i] = summarise(fs, known, units[i])
			}
		})
	}
	for i := range units {
		next <- i
	}
	close(next)
	wait.Wait()
	for i, u := range units {
		summaries[u] = done[i]
	}
	return summaries
}
