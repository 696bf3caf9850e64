package rule

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// Built judges one built driver, by the rules that are made for it: those of source files know what an image does not tell. Findings
// stand in the order of their addresses; what is about the whole image comes first.
func Built(m *driver.Image) []Finding {
	var all []Finding
	for _, r := range slices.Concat(OfChecks(), All()) {
		if r.built == nil {
			continue
		}
		for _, f := range r.built(m) {
			all = append(all, of(m, r, f))
		}
	}
	SortBuilt(all)
	return all
}

// of is a finding of a rule about a built driver.
func of(m *driver.Image, r *Rule, f Finding) Finding {
	f.Rule, f.Level, f.Builds = r, cmp.Or(f.Level, r.Level), []string{m.Build.ID}
	if f.Site != nil {
		f.Spot = f.Site.Spot
	}
	return f
}

// SortBuilt sorts the findings of a built driver.
func SortBuilt(list []Finding) {
	slices.SortStableFunc(list, func(a, b Finding) int { return cmp.Compare(a.rva(), b.rva()) })
}

func (f Finding) rva() uint32 {
	if f.Spot == nil {
		return 0
	}
	return f.Spot.RVA
}

// whole is a finding about an image as a whole.
func whole(m *driver.Image, says string, args ...any) Finding {
	return Finding{Place: driver.Place{Path: m.Build.Project}, Message: fmt.Sprintf(says, args...)}
}

// OfChecks lists the rules of built drivers that are the checks of Driver Verifier and of the lab kit, in their order. They are
// documented in package nx.
func OfChecks() []*Rule { return slices.Clone(ofChecks) }

var ofChecks = rulesOfChecks()

func rulesOfChecks() []*Rule {
	var list []*Rule
	for _, c := range nx.Checks() {
		r := &Rule{ID: c.ID(), Name: c.Name, Level: Error, Doc: Doc{What: c.Means, Why: whyChecked, Fix: c.Fix}}
		if c.Code == 0 {
			r.Level = Note // few versions of Windows are left on which it counts
		}
		if r.built, r.layout = layoutOf(LayoutFacts(c)), true; len(c.Kinds) > 0 {
			r.Level, r.built, r.layout = Warning, requestsOf(c.Kinds), false
		}
		list = append(list, r)
	}
	return list
}

const whyChecked = `Memory integrity (HVCI) allows no memory that is writable and executable. Driver Verifier's code integrity checks stop
the system for it, and the lab kit's HyperVisor Code Integrity Readiness Test counts it.`

// LayoutFacts are the facts of a built image that a check of the layout is about.
func LayoutFacts(c nx.Check) driver.FactKind {
	return map[string]driver.FactKind{
		"0x2003": driver.WritableCode, "0x2004": driver.UnalignedSection, "0x2005": driver.ImportsInCode,
		"unsupported-relocations": driver.StraddlingRelocation,
	}[c.ID()]
}

// layoutOf finds the facts of a kind.
func layoutOf(kind driver.FactKind) func(*driver.Image) []Finding {
	return func(m *driver.Image) []Finding {
		var found []Finding
		for _, f := range factsOf(m, kind) {
			found = append(found, Finding{Message: f.Says, Place: f.Place, Spot: f.Spot})
		}
		return found
	}
}

// requestsOf finds the requests of some kinds that are executable however early the driver opts in.
func requestsOf(kinds []nx.Kind) func(*driver.Image) []Finding {
	return func(m *driver.Image) []Finding {
		var found []Finding
		for i := range m.Sites {
			s := &m.Sites[i]
			if !slices.Contains(kinds, s.DDI.Kind) || !executable(m.Build, s.InTime()) {
				continue
			}
			f := Finding{Message: unsafeMessage(s.InTime()), Place: s.Place, Site: s}
			if s.UserMode || s.DDI.UserMemory {
				f.Level = Note
				f.Message += ", for user mode"
			}
			found = append(found, f)
		}
		return found
	}
}

// routineGivesExecutable is C30029 for a built driver.
func routineGivesExecutable(m *driver.Image) []Finding { return checkUnsafeRoutine(m, nx.None) }

// optInNotShown is C30031 for a built driver.
func optInNotShown(m *driver.Image) []Finding { return checkCallNotShown(m, nx.None) }

// optInNotCalled is NX0001 for a built driver: the variable of the opt-in is there, and nothing sets it.
func optInNotCalled(m *driver.Image) []Finding {
	if m.Build.Initialised != driver.InitNo || m.Build.Mechanism != nx.OptIn {
		return nil
	}
	f := whole(m, "it is compiled with POOL_NX_OPTIN, but nothing in it sets %s: %s", nx.PoolTypeVariable, stay(tooEarly(m), unknownPool(m)))
	if tooEarly(m) == 0 {
		f.Level = Note
	}
	for i := range m.Sites {
		if s := &m.Sites[i]; s.TooEarly() {
			f.Steps = append(f.Steps, driver.Step{Says: fmt.Sprintf("0x%x: %s", s.Spot.RVA, s.DDI.Name)})
		}
	}
	return []Finding{f}
}

// optInLate is NX0003 for a built driver.
func optInLate(m *driver.Image) []Finding {
	if m.Build.Initialised != driver.InitLate && m.Build.Initialised != driver.InitYes {
		return nil
	}
	var found []Finding
	for i := range m.Sites {
		s := &m.Sites[i]
		if !s.TooEarly() {
			continue
		}
		f := Finding{Message: s.DDI.Name + " runs before the driver opts in, and gets executable memory", Place: s.Place, Site: s}
		if s.Perhaps() {
			f.Level = Note
			f.Message = s.DDI.Name + " may run before the driver opts in, on a way that hangs on a condition, and then gets executable memory"
		}
		found = append(found, f)
	}
	return found
}

// nxTooOld is NX0010 for a built driver: one note, as a subsystem version is often lower than what the driver is meant for.
func nxTooOld(m *driver.Image) []Finding {
	i := slices.IndexFunc(m.Build.Windows, func(w nx.Version) bool { return !w.HasNX() })
	if i < 0 {
		return nil
	}
	var steps []driver.Step
	for _, s := range m.Sites {
		if s.Guard == nil && asksUnknown(s, m.Build.Windows[i]) {
			steps = append(steps, driver.Step{Says: fmt.Sprintf("0x%x: %s", s.Spot.RVA, s.DDI.Name)})
		}
	}
	if steps == nil {
		return nil
	}
	f := whole(m, "%s for NX memory whatever the Windows is, and %s, which loads it (%s), has none",
		asks(len(steps)), m.Build.Windows[i].Name(), m.Build.MinimumSource)
	f.Level, f.Steps = Note, steps
	return []Finding{f}
}

func asks(n int) string {
	if n == 1 {
		return "1 request asks"
	}
	return fmt.Sprintf("%d requests ask", n)
}

// importTooNew is NX0014 for a built driver: by what it imports, called or not. No subsystem version tells one release of Windows 10
// from another.
func importTooNew(m *driver.Image) []Finding {
	var found []Finding
	for _, d := range m.Imports {
		if m.Build.Minimum.Before(nx.Windows10) && m.Build.Minimum.Before(d.Since) {
			f := whole(m, "it imports %s, which came with %s, and loads from %s on (%s)", d.Name, d.Since.Name(), m.Build.Minimum.Name(), m.Build.MinimumSource)
			f.Level = Note
			found = append(found, f)
		}
	}
	return found
}

// importDeprecated is C28751 for a built driver, which does not say at which release of Windows 10 it starts: where all that it is
// judged for have the successor.
func importDeprecated(m *driver.Image) []Finding {
	if len(m.Build.Windows) == 0 {
		return nil
	}
	var found []Finding
	for _, d := range m.Imports {
		if _, old := successors[d.Name]; old && !m.Build.Windows[0].Before(d.ReplacementSince) {
			found = append(found, whole(m, "it imports %s, which is deprecated: every Windows from %s on has %s", d.Name, m.Build.Windows[0].Name(), d.Replacement))
		}
	}
	return found
}
