// Package port opts drivers in: it scans, applies what the findings propose, and scans again until nothing is left to
// mend. What it returns is the whole change, or an error and no change.
package port

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/report"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/internal/scan"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// maxRounds bounds the scans of one port: a fix that brings up new findings forever is a bug of ours.
const maxRounds = 4

// executed is the rule that names requests whose memory seems to be executed.
const executed = "NX0016"

// Goal is the way to opt in that the user asked for.
type Goal string

// The goals. AutoSelect decides by what is there already.
const (
	AutoSelect Goal = "auto-select"
	OptIn      Goal = "optin"
	OptInAuto  Goal = "optin-auto"
	Explicit   Goal = "explicit"
	Pool2      Goal = "pool2"
)

// goals are those that say what to do.
var goals = map[Goal]rule.Goal{
	OptIn: {Mechanism: nx.OptIn}, OptInAuto: {Mechanism: nx.OptInAuto}, Explicit: {Mechanism: nx.None}, Pool2: {Allocators: true},
}

// Goals lists them for usage and errors.
func Goals() []string {
	return []string{string(AutoSelect), string(OptIn), string(OptInAuto), string(Explicit), string(Pool2)}
}

// Result is a port that is ready to be written, and the scans before and after it.
type Result struct {
	report.Ported
	First  *scan.Result
	last   *scan.Result
	base   map[string][]byte // the texts with which the port begins: those that nxpool.h is added to, and itself
	named  []string
	alone  map[string]string // what was asked of files so far: why one is left alone, "" where it is not
	stay   map[string]string // build file -> why its builds get no define
	unread []unread
}

// RefusedError says that the port would do harm. Nothing is changed.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return "refused: " + e.Reason }

// Run prepares the port of the named paths.
func Run(paths []string, goal Goal, o scan.Options) (*Result, error) {
	t, err := tree.New(paths)
	if err != nil {
		return nil, err
	}
	o.Goal = cmp.Or(goals[goal], goals[OptIn])
	before, err := scan.On(t, paths, o)
	if err != nil {
		return nil, err
	}
	r := &Result{First: before, last: before, named: paths, alone: map[string]string{}, stay: incomplete(before), unread: unreadIn(before)}
	if o.Header {
		if r.base, err = r.addHeader(t); err != nil {
			return nil, err
		}
		if r.last, err = scan.On(t.With(r.base), paths, o); err != nil {
			return nil, err
		}
	}
	if err := r.settle(t.With(r.base), goal, &o); err != nil {
		return nil, err
	}
	if err := r.rounds(t, paths, o); err != nil {
		return nil, err
	}
	if broken := r.broken(); len(broken) > 0 {
		return r.otherwise(goal, o, broken)
	}
	r.dropIdleHeader()
	r.Before, r.After, r.Suppressed = before.Images, r.last.Images, r.last.Suppressed
	for _, held := range []func() error{r.redefines, r.worse} {
		if err := held(); err != nil {
			return nil, err
		}
	}
	r.sort()
	return r, nil
}

// settle chooses what is made of the drivers, unless they hold that back, and has the scan propose it.
func (r *Result) settle(t *tree.Tree, goal Goal, o *scan.Options) (err error) {
	r.Goal, r.Why, r.Not = choose(goal, r.last.Images)
	if err := refuse(r.Goal.Mechanism, r.First.Images); err != nil {
		return err
	}
	if err := r.refuseExplicit(); err != nil {
		return err
	}
	if o.Goal != r.Goal { // the findings' fixes are those of another
		o.Goal = r.Goal
		if r.last, err = scan.On(t, r.named, *o); err != nil {
			return err
		}
	}
	for _, f := range r.last.Findings {
		if f.Rule.ID == executed {
			r.Executed = append(r.Executed, f)
		}
	}
	return nil
}

// otherwise takes the mechanism that leaves NonPagedPool a constant, where nobody asked for another and all builds carry it.
func (r *Result) otherwise(goal Goal, o scan.Options, broken []rule.Finding) (*Result, error) {
	if goal != AutoSelect || refuse(nx.OptInAuto, r.First.Images) != nil {
		return nil, &RefusedError{brokenReason(broken)}
	}
	auto, err := Run(r.named, OptInAuto, o)
	if err == nil {
		auto.Why, auto.Not = "it leaves NonPagedPool a constant, and no build starts before Windows 8",
			fmt.Sprintf("POOL_NX_OPTIN would make a variable of it, where a constant is needed (%s)", broken[0].Place)
	}
	return auto, err
}

// sort parts what is not mended by why that is so.
func (r *Result) sort() {
	for p, why := range r.alone {
		if why != "" {
			r.Alone = append(r.Alone, p+": "+why)
		}
	}
	slices.Sort(r.Alone)
	for _, project := range slices.Sorted(maps.Keys(r.stay)) {
		r.Refused = append(r.Refused, r.stay[project])
	}
	for _, f := range r.last.Findings {
		switch {
		case f.NoAlternative:
			r.NoAlternative = append(r.NoAlternative, f)
		case f.Kept && f.Rule.ID == executed: // it is named, and stays as it is
		case f.Kept:
			r.Kept = append(r.Kept, f)
		case f.Level > rule.Note:
			r.Left = append(r.Left, f)
		}
	}
}

// Recover mends what an interrupted port of the named paths left half written, and says what it did.
func Recover(paths []string) ([]string, error) {
	t, err := tree.New(paths)
	if err != nil {
		return nil, err
	}
	dirs := slices.Clone(t.Roots())
	for _, named := range paths {
		files, err := t.Walk(named)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if path.Base(f) == edit.Journal {
				dirs = append(dirs, path.Dir(f))
			}
		}
	}
	slices.Sort(dirs)
	dirs = slices.Compact(dirs)
	says, err := edit.Recover(dirs)
	var done []string
	for i, text := range says {
		if text != "" {
			done = append(done, dirs[i]+": "+text)
		}
	}
	return done, err
}

// refuse holds back a mechanism that a build's minimum Windows does not carry.
func refuse(m nx.Mechanism, images []driver.Image) error {
	if m != nx.OptInAuto {
		return nil
	}
	var low []string
	minimum := nx.Windows8
	for _, img := range images {
		if b := img.Build; b.Minimum.Before(nx.Windows8) {
			low = append(low, b.ID)
			if b.Minimum.Before(minimum) {
				minimum = b.Minimum
			}
		}
	}
	if len(low) == 0 {
		return nil
	}
	return &RefusedError{fmt.Sprintf("POOL_NX_OPTIN_AUTO asks for NX pool on every Windows, and those before Windows 8 do not "+
		"know it, but the minimum goes down to %s in %s: use --to optin, or raise the minimum", minimum.Name(), report.FewBuilds(low))}
}

// refuseExplicit holds back NX pool types at the requests of builds that also run on a Windows which does not know them.
func (r *Result) refuseExplicit() error {
	if r.Goal.Mechanism != nx.None {
		return nil
	}
	var low []string
	for _, f := range r.First.Findings {
		if f.Rule.ID == "C30030" && f.Level > rule.Note && !f.Kept {
			low = append(low, f.Builds...)
		}
	}
	minimum := nx.Windows8
	low = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(low))), func(id string) bool {
		i := slices.IndexFunc(r.First.Images, func(m driver.Image) bool { return m.Build.ID == id })
		b := r.First.Images[i].Build
		if b.Minimum.Before(minimum) {
			minimum = b.Minimum
		}
		return !b.Minimum.Before(nx.Windows8)
	})
	if len(low) == 0 {
		return nil
	}
	return &RefusedError{fmt.Sprintf("NonPagedPoolNx and what else asks for NX memory is not known before Windows 8, but the minimum goes down to "+
		"%s in %s: use --to optin, or raise the minimum", minimum.Name(), report.FewBuilds(low))}
}

// redefines holds back a define that a file gives another value: the compiler warns of that, and drivers are built with warnings
// as errors.
func (r *Result) redefines() error {
	for i, m := range r.last.Images {
		for _, f := range m.Facts {
			if f.Kind == driver.Redefinition && !slices.ContainsFunc(r.First.Images[i].Facts, func(g driver.Fact) bool { return g.Kind == f.Kind && g.Says == f.Says }) {
				return &RefusedError{fmt.Sprintf("%s: %s is defined as something else than 1 there, which does not go with the same macro for %s: "+
					"take that line out, or define it as 1", f.Place, f.Says, m.Build.ID)}
			}
		}
	}
	return nil
}

// define is one that a build needs, named by its ID: each scan loads the builds anew.
type define struct {
	build string
	rule.Define
}

// rounds applies fixes and scans again until none is left. Where a fix brings up builds that need a define, too, all is begun
// again with theirs among the first, a few times at most: one line may serve both.
func (r *Result) rounds(t *tree.Tree, paths []string, o scan.Options) error {
	first := r.last
	overlay := map[string][]byte{}
	maps.Copy(overlay, r.base)
	var early []define
	begun := 1
	for n := 0; n < maxRounds; n++ {
		edits, defines := r.fixes(o.Unsafe)
		if late := without(defines, early); n > 0 && len(late) > 0 && begun < maxRounds {
			early = append(early, late...)
			begun, n, r.last = begun+1, -1, first
			clear(overlay)
			maps.Copy(overlay, r.base)
			continue
		}
		if n == 0 {
			defines = append(defines, without(early, defines)...)
		}
		placed, less, err := r.place(defines)
		if err != nil {
			return err
		}
		if less { // what goes with their defines must not be made, either; there are less each time
			n, r.last = -1, first
			clear(overlay)
			maps.Copy(overlay, r.base)
			continue
		}
		if edits = append(edits, placed...); len(edits) == 0 {
			return r.collect(t, overlay)
		}
		changes, err := edit.Apply(r.last.Tree.Read, edits)
		if err != nil {
			return err
		}
		for _, c := range changes {
			overlay[c.Path] = c.New
		}
		if r.last, err = scan.On(t.With(overlay), paths, o); err != nil {
			return err
		}
	}
	return errors.New("the findings do not come to an end after 4 rounds: nothing was changed; please report this")
}

// constants is the rule that tells of what does not compile under POOL_NX_OPTIN.
const constants = "NX0009"

// broken are the places that compile now and would not after the port. A line may have moved: what tells those apart that do
// not compile as it is, is the file and what is said.
func (r *Result) broken() []rule.Finding {
	key := func(f rule.Finding) string { return f.Place.Path + "\x00" + f.Message }
	before := map[string]int{}
	for _, f := range r.First.Findings {
		if f.Rule.ID == constants {
			before[key(f)]++
		}
	}
	return slices.DeleteFunc(slices.Clone(r.last.Findings), func(f rule.Finding) bool {
		if f.Rule.ID != constants || f.Level < rule.Error {
			return true
		}
		before[key(f)]--
		return before[key(f)] >= 0
	})
}

func brokenReason(broken []rule.Finding) string {
	reason := "POOL_NX_OPTIN makes a variable of NonPagedPool, and this needs a constant: "
	for i, f := range broken {
		if i == 3 {
			reason += fmt.Sprintf(", and %d more", len(broken)-i)
			break
		}
		if i > 0 {
			reason += ", "
		}
		reason += f.Place.String()
		for _, step := range f.Steps {
			reason += " (" + step.Says + ")"
		}
	}
	return reason + ". Assign it at run time, behind the opt-in call; or use --to optin-auto, which leaves it a constant, if the driver starts at Windows 8"
}

// fixes gathers those of all findings, each once. One that changes the same text as another waits for the next round, in which it
// is found anew.
func (r *Result) fixes(unsafe bool) (edits []edit.Edit, defines []define) {
	moved := r.moved()
	for _, f := range r.last.Findings {
		if f.Fix == nil || r.leavesFix(f) || !f.Fix.Safe && !unsafe && len(f.Fix.Defines) == 0 { // an opt-in is unsafe by what NX0016 tells of
			continue
		}
		if slices.ContainsFunc(f.Fix.Edits, func(e edit.Edit) bool { return overlaps(e, edits) }) {
			continue
		}
		for _, e := range f.Fix.Edits {
			if !slices.Contains(edits, e) {
				edits = append(edits, e)
			}
		}
		for _, d := range f.Fix.Defines {
			for _, id := range f.Builds {
				if d := (define{id, d}); !moved[id] && !slices.Contains(defines, d) {
					defines = append(defines, d)
				}
			}
		}
	}
	return edits, defines
}

// overlaps says whether an edit changes text that another of a list does, too, and differently.
func overlaps(e edit.Edit, list []edit.Edit) bool {
	return slices.ContainsFunc(list, func(o edit.Edit) bool { return e != o && e.Path == o.Path && e.Start < o.End && o.Start < e.End })
}

func without(list, those []define) []define {
	return slices.DeleteFunc(slices.Clone(list), func(d define) bool { return slices.Contains(those, d) })
}

// place asks where the defines go, once for all builds together. Builds for which there is no place go without from now on: less
// says that there are such.
func (r *Result) place(defines []define) (edits []edit.Edit, less bool, err error) {
	var want []project.Want
	for _, b := range r.last.Set.Builds {
		for _, d := range defines {
			if d.build == b.ID && r.stay[b.Project] == "" {
				want = append(want, project.Want{Build: b, Name: d.Name, Value: d.Value})
			}
		}
	}
	want = append(want, r.byTheWay(defines)...)
	placed, left, err := project.Place(r.last.Tree, want, r.heads(), r.leaves)
	for _, u := range left {
		r.stay[u.Project] = u.Why
	}
	return placed, len(left) > 0, err
}

// byTheWay are the opt-ins that builds for ARM and ARM64 can have, where the kit's header opts in by itself: a line that serves
// others may serve them, too.
func (r *Result) byTheWay(defines []define) (may []project.Want) {
	for _, b := range r.last.Set.Builds {
		if b.Processor != nx.ARM && b.Processor != nx.ARM64 {
			continue
		}
		for _, d := range defines {
			if d.Name == nx.OptIn.Macro() || d.Name == nx.OptInAuto.Macro() {
				may = append(may, project.Want{Build: b, Name: d.Name, Value: d.Value, May: true})
			}
		}
	}
	return may
}

// leavesFix says whether a fix asks for a change of what is left alone. It is made whole or not at all; where some builds can
// have its defines and others can't, those have them.
func (r *Result) leavesFix(f rule.Finding) bool {
	if slices.ContainsFunc(f.Fix.Edits, func(e edit.Edit) bool { return r.leaves(e.Path) != "" }) {
		return true
	}
	return len(f.Fix.Defines) > 0 && !slices.ContainsFunc(r.last.Set.Builds, func(b *project.Build) bool {
		return slices.Contains(f.Builds, b.ID) && r.stay[b.Project] == ""
	})
}

// leaves says why a file is left alone, "" where it is not.
func (r *Result) leaves(p string) string {
	why, known := r.alone[p]
	if !known {
		why = cmp.Or(alone(r.First.Tree, r.named, p), r.shared(p))
		r.alone[p] = why
	}
	return why
}

// moved gives the builds in which a macro is about to be moved to where it has an effect: what is missing then is asked anew.
func (r *Result) moved() map[string]bool {
	builds := map[string]bool{}
	for _, f := range r.last.Findings {
		if f.Rule.ID == "NX0005" && f.Fix != nil {
			for _, id := range f.Builds {
				builds[id] = true
			}
		}
	}
	return builds
}

// heads says of each unit where it first includes the kit.
func (r *Result) heads() map[*project.Unit]project.Head {
	heads := map[*project.Unit]project.Head{}
	for i, b := range r.last.Set.Builds {
		first := map[string]driver.Place{}
		for _, f := range r.last.Images[i].Facts {
			if f.Kind == driver.KitInclude {
				first[f.Unit] = f.Place
			}
		}
		for _, u := range b.Units {
			if p, ok := first[u.Path]; ok {
				heads[u] = project.Head{Include: p}
			}
		}
	}
	return heads
}

// collect turns the overlay into changes of the files on disk. One that is not there is to be made.
func (r *Result) collect(t *tree.Tree, overlay map[string][]byte) error {
	for _, p := range slices.Sorted(maps.Keys(overlay)) {
		c := edit.Change{Path: p, New: overlay[p]}
		switch old, err := t.Read(p); {
		case err == nil:
			c.Old = append([]byte{}, old...) // not nil, also of an empty file
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		r.Changes = append(r.Changes, c)
	}
	return nil
}
