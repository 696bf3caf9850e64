// Package report shows what a scan, a port or a trace found: as text for people, as the lines that MSBuild takes from
// tools, as JSON lines or as SARIF for programs.
package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/internal/tree"
)

// Scan is everything that is known of the paths that were named.
type Scan struct {
	Tree         *tree.Tree
	Images       []driver.Image    // in the order of the builds
	Dormant      []driver.Site     // requests that no build gets to
	Declarations []driver.Place    // of DDIs, and of macros by their names, which are no requests
	Findings     []rule.Finding    // merged over the builds
	Suppressed   []rule.Finding    // those that the source suppresses
	Skipped      []project.Skipped // no drivers
	Unreadable   []project.Skipped
	Notes        []driver.Step // how a build file was read where it could not be evaluated
	Elapsed      time.Duration
}

// View says how a report is shown.
type View struct {
	Width      int    // columns of the terminal; 0 where the report goes elsewhere, and no line is broken or cut
	Colour     bool   // ANSI colours
	Suppressed bool   // suppressed findings, too
	Port       string // the command line that ports what was scanned
	Version    string // of nxport
}

// Worst is the level of the most serious finding that can fail a run, and whether there is any.
func (r *Scan) Worst() (worst rule.Level, any bool) {
	for _, f := range r.Findings {
		if !f.NoAlternative {
			worst, any = max(worst, f.Level), true
		}
	}
	return worst, any
}

// shown are the findings that a report lists, in order of place.
func (r *Scan) shown(v View) []rule.Finding {
	if !v.Suppressed {
		return r.Findings
	}
	list := slices.Concat(r.Findings, r.Suppressed)
	slices.SortStableFunc(list, func(a, b rule.Finding) int {
		return cmp.Or(a.Place.Compare(b.Place), cmp.Compare(a.Rule.ID, b.Rule.ID))
	})
	return list
}

// level is that of a finding as it is shown: what has no alternative is a remark.
func level(f rule.Finding) rule.Level {
	if f.NoAlternative {
		return rule.Note
	}
	return f.Level
}

// request is one site as the builds see it that get the same answer.
type request struct {
	driver.Site
	builds []string
	on     []driver.Outcome
}

// requests merges the sites of all images: one per position and per set of builds with the same answer.
func requests(r *Scan) []request {
	var list []request
	for _, m := range r.Images {
		for _, s := range m.Sites {
			q := request{Site: s, builds: []string{m.Build.ID}}
			for _, w := range m.Build.Windows {
				q.on = append(q.on, s.On(w))
			}
			list = append(list, q)
		}
	}
	for _, s := range r.Dormant {
		list = append(list, request{Site: s, builds: []string{}})
	}
	slices.SortStableFunc(list, func(a, b request) int {
		return cmp.Or(a.Place.Compare(b.Place), a.Spelled.Compare(b.Spelled), cmp.Compare(a.DDI.Name, b.DDI.Name))
	})
	var out []request
	at := map[string]int{}
	for _, q := range list {
		key := fmt.Sprint(q.Place, q.Spelled, q.DDI.Name, q.Argument, q.CurrentState(), q.Value.Unknown, q.on)
		i, ok := at[key]
		if !ok {
			at[key] = len(out)
			out = append(out, q)
			continue
		}
		for _, id := range q.builds {
			if !slices.Contains(out[i].builds, id) {
				out[i].builds = append(out[i].builds, id)
			}
		}
	}
	return out
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
