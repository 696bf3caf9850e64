package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

// Ported is a port that is ready to be written.
type Ported struct {
	Mechanism nx.Mechanism
	Why       string // why that mechanism
	Changes   []edit.Change
	Alone     []string // files that are not to be changed, and why
	Before    []driver.Image
	After     []driver.Image
	Executed  []rule.Finding // requests whose memory seems to be executed, as they were before
	Kept      []rule.Finding // requests that the source itself keeps executable
	Left      []rule.Finding // what could not be mended
	// NoAlternative are requests for which the lowest Windows of their build has no other routine.
	NoAlternative []rule.Finding
}

// Port says what a port did and why: the mechanism, the files, what became of the requests, what is left.
func Port(w io.Writer, r *Ported, written bool) {
	if len(r.Changes) == 0 {
		fmt.Fprintln(w, "nothing to change")
	} else {
		fmt.Fprintf(w, "mechanism %s: %s\n", r.Mechanism.Macro(), r.Why)
	}
	for _, f := range r.Executed {
		fmt.Fprintf(w, "executed: %s: %s\n", f.Place, f.Message)
	}
	for _, c := range r.Changes {
		verb := "would change"
		if written {
			verb = "changed"
		}
		fmt.Fprintf(w, "%s %s\n", verb, c.Path)
	}
	for _, file := range r.Alone {
		fmt.Fprintf(w, "left alone: %s\n", file)
	}
	became(w, r)
	if len(r.Changes) > 0 {
		cautions(w, r)
	}
	for _, f := range r.Kept {
		fmt.Fprintf(w, "kept executable, as the source says: %s: %s(%s)\n", f.Place, f.Site.DDI.Name, f.Site.Argument)
	}
	for _, f := range r.NoAlternative {
		fmt.Fprintf(w, "no alternative: %s: %s\n", f.Place, f.Message)
	}
	for _, f := range r.Left {
		fmt.Fprintf(w, "left: %s: %s: %s\n", f.Place, f.Rule.ID, f.Message)
	}
}

// cautions says what a port cannot know.
func cautions(w io.Writer, r *Ported) {
	if len(r.Executed) == 0 {
		fmt.Fprintln(w, "no sign was found that the driver executes memory of these requests, as a JIT or a trampoline does; "+
			"that proves nothing: such a request must ask for NonPagedPoolExecute")
	}
	for _, m := range r.After {
		if m.Build.Kit.NoOptIn {
			fmt.Fprintf(w, "%s knows no opt-in, nor any kit before Windows 8: a binary that it builds stays executable on every "+
				"Windows (nxport header prints an opt-in for it)\n", m.Build.Kit.Name)
			return
		}
	}
}

// became counts, for each build, how its requests were judged before and are judged now on Windows 10.
func became(w io.Writer, r *Ported) {
	var blocks []string
	ids := map[string][]string{}
	for i, before := range r.Before {
		block := changes(before, r.After[i])
		if ids[block] == nil {
			blocks = append(blocks, block)
		}
		ids[block] = append(ids[block], before.Build.ID)
	}
	for _, block := range blocks {
		fmt.Fprintf(w, "%s:\n%s", Builds(ids[block]), block)
	}
}

func changes(before, after driver.Image) string {
	counts := map[string]int{}
	for _, p := range driver.Compare(before, after) {
		if p.A == nil || p.B == nil {
			counts["is seen only before or only after: please report this"]++
			continue
		}
		a, b := p.A.On(nx.Windows10).Executable, p.B.On(nx.Windows10).Executable
		counts[fmt.Sprintf("%s -> %s on Windows 10", judgement[a], judgement[b])]++
	}
	var lines []string
	for change, n := range counts {
		lines = append(lines, fmt.Sprintf("  %s: %s\n", plural(n, "request"), change))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
