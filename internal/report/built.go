package report

import (
	"fmt"
	"iter"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

// Built is a built driver as it was judged.
type Built struct {
	driver.Image
	Findings   []rule.Finding
	Unreadable string // why it could not be read; then its path is all that is known
	// Held says that it is to be held against its source; Source is the build there, and Matches what became of the requests.
	// NotHeld says why that was not possible.
	Held    bool
	Source  string
	Matches []driver.Match
	NotHeld string
}

// Drivers are the built drivers of a scan. They are shown as they come: none is kept.
type Drivers struct {
	List iter.Seq[Built]
	// Paths are those of all. Of one that was named alone, all is told.
	Paths []string
	Alone bool
	// Source, where some was scanned too, is shown above them.
	Source *Scan
}

// Verdict sums up what is known of a built driver. It never says that a driver is compatible with anything.
type Verdict string

// The verdicts, the one that counts most first.
const (
	Unread     Verdict = "unreadable"
	Differs    Verdict = "differs from source"
	Executable Verdict = "executable requests" // it asks for executable memory
	BadLayout  Verdict = "layout"              // of its sections, or its imports
	NotJudged  Verdict = "not judged"          // its code, or not on any of the versions of Windows
	NotKnown   Verdict = "unknown requests"    // what some ask for, or get, is not known
	NoFinding  Verdict = "no finding"
)

// Verdicts gives them in their order.
func Verdicts() []Verdict {
	return []Verdict{Differs, Executable, BadLayout, NotJudged, NotKnown, NoFinding, Unread}
}

// Verdict gives the one that counts most.
func (d Built) Verdict() Verdict {
	fails := func(layout bool) func(rule.Finding) bool {
		return func(f rule.Finding) bool { return level(f) > rule.Note && f.Rule.IsLayout() == layout }
	}
	switch {
	case d.Unreadable != "":
		return Unread
	case slices.ContainsFunc(d.Matches, func(m driver.Match) bool { return m.Verdict == driver.Disagree }):
		return Differs
	case slices.ContainsFunc(d.Findings, fails(false)):
		return Executable
	case slices.ContainsFunc(d.Findings, fails(true)):
		return BadLayout
	case len(d.unjudged()) > 0:
		return NotJudged
	case len(d.unknown()) > 0, len(d.uncalled()) > 0, len(d.said(driver.AddressTaken)) > 0, slices.ContainsFunc(d.Findings, func(f rule.Finding) bool { return notShown[f.Rule.ID] }):
		return NotKnown
	}
	return NoFinding
}

// Reasons say why, the first that of the verdict. Findings that are alike are one reason.
func (d Built) Reasons() []string {
	if d.Unreadable != "" {
		return []string{d.Unreadable}
	}
	var differs, whole, requests, layout, open, notes reasons
	for _, f := range d.Findings {
		switch {
		case f.Rule.ID == differsID:
			differs.add("differs", f)
		case notShown[f.Rule.ID] && level(f) == rule.Note:
			open.add(f.Rule.ID, f)
		case level(f) == rule.Note:
			notes.add(f.Message, f)
		case f.Rule.IsLayout():
			layout.add(f.Message, f)
		case f.Site == nil:
			whole.add(f.Message, f)
		default:
			requests.add("executable", f)
		}
	}
	unknown := slices.Clone(open.told(func(f rule.Finding, n int) string {
		return fmt.Sprintf("%d of %d, %s", n, len(d.Sites), f.Message)
	}))
	if list := d.unknown(); len(list) > 0 {
		unknown = append(unknown, fmt.Sprintf("%d of %s not known: %s", len(list), plural(len(d.Sites), "request"), list[0].Value.Unknown))
	}
	if names := d.uncalled(); len(names) > 0 && d.Build.Processor != nx.ARM {
		unknown = append(unknown, "it imports "+names[0]+", and no call of it is found")
	}
	unknown = append(unknown, d.said(driver.AddressTaken)...)
	one := func(f rule.Finding, n int) string { return andMore(f.Message, n) }
	at := func(f rule.Finding, n int) string {
		return fmt.Sprintf("%d of %d, %s at 0x%x", n, len(d.Sites), f.Site.DDI.Name, f.Spot.RVA)
	}
	return slices.Concat(differs.told(one), whole.told(one), requests.told(at), layout.told(one), d.unjudged(), unknown, notes.told(one))
}

// notShown are the rules whose notes say that a request may be made too early: it is not known what it gets.
var notShown = map[string]bool{"C30031": true, "NX0003": true}

// reasons are findings by what they have in common, in order.
type reasons struct {
	keys  []string
	first map[string]rule.Finding
	n     map[string]int
}

func (r *reasons) add(key string, f rule.Finding) {
	if r.n[key] == 0 {
		if r.n == nil {
			r.first, r.n = map[string]rule.Finding{}, map[string]int{}
		}
		r.keys = append(r.keys, key)
		r.first[key] = f
	}
	r.n[key]++
}

func (r *reasons) told(says func(f rule.Finding, n int) string) []string {
	var list []string
	for _, key := range r.keys {
		list = append(list, says(r.first[key], r.n[key]))
	}
	return list
}

func andMore(text string, n int) string {
	if n > 1 {
		text += fmt.Sprintf(", and %d more", n-1)
	}
	return text
}

// unjudged says why the code of the driver was not judged, or not all of it.
func (d Built) unjudged() []string {
	list := d.said(driver.NotJudged)
	if len(d.Build.Windows) == 0 {
		list = append(list, fmt.Sprintf("it loads from %s on (%s), which is above all that it was to be judged for", d.Build.Minimum.Name(), d.Build.MinimumSource))
	}
	return list
}

// said gives what facts of a kind say.
func (d Built) said(kind driver.FactKind) (list []string) {
	for _, f := range d.Facts {
		if f.Kind == kind {
			list = append(list, f.Says)
		}
	}
	return list
}

// uncalled names the routines that give memory, are imported, and of which no call was found: what the driver asks of them is not known.
func (d Built) uncalled() []string {
	called := map[string]bool{}
	for _, s := range d.Sites {
		called[s.DDI.Name] = true
	}
	var names []string
	for _, i := range d.Imports {
		if !called[i.Name] && i.Kind != nx.PortDriver {
			names = append(names, i.Name)
		}
	}
	return names
}

// unknown gives the requests of which is not known what they ask for.
func (d Built) unknown() (list []*driver.Site) {
	for i := range d.Sites {
		if s := &d.Sites[i]; s.CurrentState() == driver.Unknown {
			list = append(list, s)
		}
	}
	return list
}

// Tally counts what was seen of built drivers.
type Tally struct {
	Drivers, Sites int
	Verdicts       map[Verdict]int
	States         map[driver.State]int
	Levels         map[rule.Level]int
	NotHeld        int        // how many could not be held against their source
	Worst          rule.Level // of the findings that can fail a run; 0 where there is none
}

// Count passes built drivers on, and counts them.
func (t *Tally) Count(list iter.Seq[Built]) iter.Seq[Built] {
	*t = Tally{Verdicts: map[Verdict]int{}, States: map[driver.State]int{}, Levels: map[rule.Level]int{}}
	return func(yield func(Built) bool) {
		for d := range list {
			t.Drivers++
			t.Verdicts[d.Verdict()]++
			if d.NotHeld != "" {
				t.NotHeld++
			}
			for _, s := range d.Sites {
				t.Sites++
				t.States[s.CurrentState()]++
			}
			for _, f := range d.Findings {
				t.Levels[level(f)]++
				if !f.NoAlternative {
					t.Worst = max(t.Worst, f.Level)
				}
			}
			if !yield(d) {
				return
			}
		}
	}
}
