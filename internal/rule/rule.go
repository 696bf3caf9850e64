// Package rule judges images. A rule is one file that reads from top to bottom: what it is, why it matters, an example
// before and after, the check, the fix. What is printed about a rule, by explain or by a report, comes from there.
package rule

import (
	"cmp"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/nx"
)

// Level is how serious a finding is.
type Level int

// The levels, from the least.
const (
	Note Level = iota + 1
	Warning
	Error
)

// String gives the level as compilers write it.
func (l Level) String() string { return [...]string{"", "note", "warning", "error"}[l] }

// Rule is one thing that can be wrong with a driver.
type Rule struct {
	ID   string // C30030 for an official rule, NX0001 for one of ours
	Name string // a short name in kebab case
	// Official is the identifier of Microsoft's checker in a suppression, "" where there is none.
	Official string
	Level    Level
	Doc      Doc
	// check judges one image. A rule that compares builds has checkAll instead, and names the builds of its findings; one that
	// judges what the others found has checkFound.
	check      func(*driver.Image, nx.Mechanism) []Finding
	checkAll   func([]driver.Image) []Finding
	checkFound func([]*Rule, []driver.Image, []Finding) []Finding
	// mend gives the findings of check their fixes, or the reasons why they have none, where that takes a look at all images.
	mend func(*texts, *driver.Image, nx.Mechanism, []Finding) []Finding
	// built judges one built driver; nil of a rule of sources only.
	built  func(*driver.Image) []Finding
	layout bool // it is about the layout of the image
	// sets is set where a fix opts more of a driver in than was, though it defines nothing for all: by a call that works, or a line.
	sets bool
}

// OnlyBuilt says whether the rule judges built drivers only.
func (r *Rule) OnlyBuilt() bool { return r.check == nil && r.checkAll == nil && r.checkFound == nil }

// JudgesBuilt says whether the rule judges built drivers, too.
func (r *Rule) JudgesBuilt() bool { return r.built != nil && !r.OnlyBuilt() }

// IsLayout says whether the rule is about how an image is laid out, and not about what its code asks for.
func (r *Rule) IsLayout() bool { return r.layout }

// Doc is the documentation of a rule. Before and After are trees in txtar form: Before breaks the rule, its fix makes
// After of it; a test proves that. They are "" of a rule that only built drivers break.
type Doc struct {
	What, Why, Fix string
	Before, After  string
}

// Goal is what fixes make of drivers.
type Goal struct {
	// Mechanism is that by which they opt drivers in; with nx.None, each request is told by itself what to ask for. Where it is "",
	// they do the latter in drivers that start at Windows 8, and opt others in by POOL_NX_OPTIN.
	Mechanism nx.Mechanism
	// Allocators is set where deprecated allocators are replaced, too.
	Allocators bool
}

// Define is a macro that a fix wants in every unit of the build.
type Define struct{ Name, Value string }

// Fix is what to change. Where Defines go is for package project to say.
type Fix struct {
	Title   string
	Safe    bool
	Edits   []edit.Edit
	Defines []Define
}

// Finding is one place where a rule is broken. Fix is nil where there is none.
type Finding struct {
	Rule    *Rule
	Level   Level
	Message string
	Place   driver.Place
	Site    *driver.Site // the request it is about, nil where it is about none
	Spot    *driver.Spot // where it is in a built driver; nil where it is about the whole of it, and in source
	Builds  []string     // ids, sorted
	Fix     *Fix
	// Steps are the evidence, besides the derivation of the site's value.
	Steps []driver.Step
	// Kept is set where the source names executable memory itself, so that an opt-in leaves it alone.
	Kept bool
	// NoAlternative is set where the minimum Windows has nothing else to call: such a finding fails nothing.
	NoAlternative bool
	// NeedsHeader is set where the fix waits for nxpool.h, since no kit of its builds knows an opt-in.
	NeedsHeader bool
	Suppressed  *driver.Suppression // nil where nothing suppresses it
}

// All lists the rules in the order of their IDs.
func All() []*Rule {
	return []*Rule{
		&deprecatedAllocator, &unsafeRoutine, &unsafeArgument, &callNotShown, &optedOutRequest, &exportDriverWithoutCall, &ownAllocator,
		&callOutsideEntry, &macroWithoutCall, &callWithoutMacro, &callTooLate, &macroNotEverywhere, &macroAfterHeader, &bothMechanisms,
		&optOutWithoutEffect, &optOutDisablesCall, &notAConstant, &nxBelowWindows8, &typeAndFlagsMixed, &comparisonChanges,
		&libraryWithoutMacro, &ddiAboveMinimum, &handRolled, &memoryExecuted, &pointerEscapes, &suppressionWithoutEffect, &callWithoutFlag,
		&writableInit, &differsFromSource,
	}
}

// Check judges the images of one tree. Fixes go by the goal, where nothing there has a mechanism yet. What the source
// suppresses is among the findings, and says so.
func Check(images []driver.Image, goal Goal) []Finding {
	var all []Finding
	silent := silences(images)
	goals := goalsOf(images, goal.Mechanism)
	keep := keepingOf(images, goals)
	harmed := harmedBy(images, keep)
	bySite := textsOf(images, goals)
	bySite.keep = keep
	if goal.Allocators {
		bySite.calls = callsOf(images)
	}
	waiting := waitingFor(images)
	add := func(r *Rule, list []Finding, build ...string) {
		for _, f := range list {
			f.Rule, f.Level, f.Builds = r, cmp.Or(f.Level, r.Level), slices.Concat(f.Builds, build)
			waiting.holdBack(&f)
			f.Suppressed = silent.of(f)
			if f.Fix != nil && (r.sets || len(f.Fix.Defines) > 0) && slices.ContainsFunc(f.Builds, func(id string) bool { return harmed[id] }) {
				fix := *f.Fix
				fix.Safe, f.Fix = false, &fix
			}
			all = append(all, f)
		}
	}
	for _, r := range All() {
		switch {
		case r.checkAll != nil:
			add(r, r.checkAll(images))
		case r.check != nil:
			for i := range images {
				found := r.check(&images[i], goals[i])
				if r.mend != nil {
					found = r.mend(&bySite, &images[i], goals[i], found)
				}
				add(r, found, images[i].Build.ID)
			}
		}
	}
	for _, r := range All() {
		if r.checkFound != nil {
			add(r, r.checkFound(All(), images, all))
		}
	}
	return all
}

// goalsOf gives the mechanism by which each image is to be opted in: its own, that of other builds of its build file, of a
// library that of an image that links it, else the one that is asked for. Two in one file do not compile.
func goalsOf(images []driver.Image, goal nx.Mechanism) []nx.Mechanism {
	has := map[string]nx.Mechanism{} // by build and build file
	for _, m := range images {
		if isOptedIn(m.Build) && !byProcessor(m.Build) {
			has[m.Build.ID], has[m.Build.Project] = m.Build.Mechanism, m.Build.Mechanism
		}
	}
	users := usersOf(images)
	goals := make([]nx.Mechanism, len(images))
	for i, m := range images {
		goals[i] = cmp.Or(has[m.Build.ID], has[m.Build.Project])
		for _, u := range users[m.Build.ID] {
			goals[i] = cmp.Or(goals[i], has[u.ID], has[u.Project])
		}
		goals[i] = cmp.Or(goals[i], goal)
	}
	if slices.Contains(goals, "") {
		byMinimum(images, users, goals)
	}
	return goals
}

// byMinimum settles what is to become of drivers that are open: POOL_NX_OPTIN serves those that start below Windows 8, and those
// that share a build file or the file of a request with one.
func byMinimum(images []driver.Image, users map[string][]driver.Build, goals []nx.Mechanism) {
	low := map[string]bool{}
	names := func(m *driver.Image) []string {
		list := []string{m.Build.Project}
		for _, s := range m.Sites {
			list = append(list, s.Place.Path)
		}
		return list
	}
	for i := range images {
		if startsAs(&images[i], users).Minimum.Before(nx.Windows8) {
			for _, name := range names(&images[i]) {
				low[name] = true
			}
		}
	}
	for i := range images {
		switch {
		case goals[i] != "":
		case slices.ContainsFunc(names(&images[i]), func(name string) bool { return low[name] }):
			goals[i] = nx.OptIn
		default:
			goals[i] = nx.None
		}
	}
}

// harmedBy gives the builds that an opt-in would make execute no-execute memory, as far as that is seen and no fix keeps it
// executable.
func harmedBy(images []driver.Image, keep *keeping) map[string]bool {
	harmed := map[string]bool{}
	for _, m := range images {
		harmed[m.Build.ID] = slices.ContainsFunc(m.Sites, func(s driver.Site) bool {
			return keep.changes(m.Build, &s) && keep.of(m.Build, &s) == nil
		})
	}
	return harmed
}

// Merge joins findings that say the same of several builds, and sorts by place. The fixes of all are kept. What is suppressed
// in some builds only stays two.
func Merge(all []Finding) []Finding {
	order := func(a, b Finding) int {
		return cmp.Or(a.Place.Compare(b.Place), a.spelled().Compare(b.spelled()), cmp.Compare(a.Rule.ID, b.Rule.ID),
			strings.Compare(a.Message, b.Message), cmp.Compare(a.silent(), b.silent()))
	}
	slices.SortStableFunc(all, order)
	var out []Finding
	for _, f := range all {
		if n := len(out); n > 0 && order(out[n-1], f) == 0 {
			last := &out[n-1]
			for _, id := range f.Builds {
				if !slices.Contains(last.Builds, id) {
					last.Builds = append(last.Builds, id)
				}
			}
			last.Level = max(last.Level, f.Level)
			last.Fix = last.Fix.with(f.Fix)
			continue
		}
		out = append(out, f)
	}
	return out
}

// with is a fix for all that the two mend: builds that share a file can have entry routines of their own.
func (f *Fix) with(g *Fix) *Fix {
	switch {
	case f == nil:
		return g
	case g == nil:
		return f
	}
	both := *f
	both.Safe = f.Safe && g.Safe
	both.Edits, both.Defines = slices.Clone(f.Edits), slices.Clone(f.Defines)
	for _, e := range g.Edits {
		if !slices.Contains(both.Edits, e) {
			both.Edits = append(both.Edits, e)
		}
	}
	for _, d := range g.Defines {
		if !slices.Contains(both.Defines, d) {
			both.Defines = append(both.Defines, d)
		}
	}
	return &both
}

func (f Finding) spelled() driver.Place {
	if f.Site == nil {
		return driver.Place{}
	}
	return f.Site.Spelled
}

// executable says whether a request gets executable memory on one of the versions to judge for that has NX pool:
// executable memory on Windows 7, where there is no other, is no finding.
func executable(b driver.Build, s driver.Site) bool {
	for _, w := range b.Windows {
		if !w.HasNX() {
			continue
		}
		if e := s.On(w).Executable; e == nx.Yes || e == nx.Maybe {
			return true
		}
	}
	return false
}

// fixable says whether the request is executable, and no longer once its build is opted in by m.
func fixable(b driver.Build, s driver.Site, m nx.Mechanism) bool {
	return executable(b, s) && !executable(b, s.As(m))
}
