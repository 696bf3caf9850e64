// Package port opts drivers in: it scans, applies what the findings propose, and scans again until nothing is left to
// mend. What it returns is the whole change, or an error and no change.
package port

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

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
)

// Goals lists them for usage and errors.
func Goals() []string { return []string{string(AutoSelect), string(OptIn), string(OptInAuto)} }

// Result is a port that is ready to be written, and the scans before and after it.
type Result struct {
	report.Ported
	First *scan.Result
	last  *scan.Result
	named []string
	alone map[string]string // what was asked of files so far: why one is left alone, "" where it is not
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
	if o.Goal = nx.OptIn; goal == OptInAuto {
		o.Goal = nx.OptInAuto
	}
	before, err := scan.On(t, paths, o)
	if err != nil {
		return nil, err
	}
	r := &Result{First: before, last: before, named: paths, alone: map[string]string{}}
	r.Mechanism, r.Why = choose(goal, before.Images)
	if err := refuse(r.Mechanism, before.Images); err != nil {
		return nil, err
	}
	if o.Goal != r.Mechanism { // the findings' fixes are those of another
		o.Goal = r.Mechanism
		if r.last, err = scan.On(t, paths, o); err != nil {
			return nil, err
		}
	}
	if err := r.rounds(t, paths, o); err != nil {
		return nil, err
	}
	r.Before, r.After = before.Images, r.last.Images
	for p, why := range r.alone {
		if why != "" {
			r.Alone = append(r.Alone, p+": "+why)
		}
	}
	slices.Sort(r.Alone)
	for _, f := range before.Findings {
		if f.Rule.ID == executed {
			r.Executed = append(r.Executed, f)
		}
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
	return r, nil
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
	var done []string
	for _, dir := range slices.Compact(dirs) {
		says, err := edit.Recover(dir)
		if err != nil {
			return done, err
		}
		if says != "" {
			done = append(done, dir+": "+says)
		}
	}
	return done, nil
}

// choose settles on a mechanism. POOL_NX_OPTIN is right for every minimum Windows, so it is what auto-select takes
// unless the drivers use POOL_NX_OPTIN_AUTO already.
func choose(goal Goal, images []driver.Image) (nx.Mechanism, string) {
	switch goal {
	case OptIn:
		return nx.OptIn, "asked for"
	case OptInAuto:
		return nx.OptInAuto, "asked for"
	}
	auto := 0
	for _, m := range images {
		if m.Build.Mechanism == nx.OptInAuto && m.Build.Processor != nx.ARM && m.Build.Processor != nx.ARM64 {
			auto++
		}
	}
	if auto > 0 && refuse(nx.OptInAuto, images) == nil {
		return nx.OptInAuto, "builds of this tree use it already"
	}
	return nx.OptIn, "one binary then is right on Windows 7 and on every later one"
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
		"know it, but the minimum goes down to %s in %s: use --to optin, or raise the minimum", minimum.Name(), report.Builds(low))}
}

// rounds applies fixes and scans again until none is left.
func (r *Result) rounds(t *tree.Tree, paths []string, o scan.Options) error {
	overlay := map[string][]byte{}
	for range maxRounds {
		edits, err := r.edits()
		if err != nil {
			return err
		}
		if len(edits) == 0 {
			return r.collect(t, overlay)
		}
		changes, err := edit.Apply(r.last.Tree.Read, edits)
		if err != nil {
			return err
		}
		for _, c := range changes {
			if !t.Within(c.Path) {
				return &RefusedError{c.Path + " lies outside of what was named, and is not written: name a directory that holds it"}
			}
			overlay[c.Path] = c.New
		}
		if r.last, err = scan.On(t.With(overlay), paths, o); err != nil {
			return err
		}
	}
	return errors.New("the findings do not come to an end after 4 rounds: nothing was changed; please report this")
}

// edits gathers the fixes of all findings. Where the defines go is asked once, for all builds together.
func (r *Result) edits() ([]edit.Edit, error) {
	var edits []edit.Edit
	var want []project.Want
	for _, f := range r.last.Findings {
		if f.Fix == nil || r.leavesFix(f) {
			continue
		}
		for _, e := range f.Fix.Edits {
			if !slices.Contains(edits, e) {
				edits = append(edits, e)
			}
		}
		for _, d := range f.Fix.Defines {
			want = append(want, r.wants(f.Builds, d, want)...)
		}
	}
	if len(want) == 0 {
		return edits, nil
	}
	placed, err := project.Place(r.last.Tree, want, r.heads())
	if err != nil {
		return nil, &RefusedError{err.Error()}
	}
	for _, e := range placed {
		if why := r.leaves(e.Path); why != "" {
			return nil, &RefusedError{fmt.Sprintf("%s is where the define belongs, and it is not changed: %s", e.Path, why)}
		}
	}
	return append(edits, placed...), nil
}

// leavesFix says whether a fix asks for a change of what is left alone. It is made whole or not at all; where some builds can
// have its defines and others can't, those have them.
func (r *Result) leavesFix(f rule.Finding) bool {
	if slices.ContainsFunc(f.Fix.Edits, func(e edit.Edit) bool { return r.leaves(e.Path) != "" }) {
		return true
	}
	return len(f.Fix.Defines) > 0 && !slices.ContainsFunc(r.last.Set.Builds, func(b *project.Build) bool {
		return slices.Contains(f.Builds, b.ID) && r.leaves(b.Project) == ""
	})
}

// leaves says why a file is left alone, "" where it is not.
func (r *Result) leaves(p string) string {
	why, known := r.alone[p]
	if !known {
		why = alone(r.First.Tree, r.named, p)
		r.alone[p] = why
	}
	return why
}

// wants lists the builds that need a define and were not named yet.
func (r *Result) wants(ids []string, d rule.Define, have []project.Want) []project.Want {
	var out []project.Want
	for _, b := range r.last.Set.Builds {
		w := project.Want{Build: b, Name: d.Name, Value: d.Value}
		if slices.Contains(ids, b.ID) && r.leaves(b.Project) == "" && !slices.Contains(have, w) {
			out = append(out, w)
		}
	}
	return out
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

// collect turns the overlay into changes of the files on disk.
func (r *Result) collect(t *tree.Tree, overlay map[string][]byte) error {
	for p, text := range overlay {
		old, err := t.Read(p)
		if err != nil {
			return err
		}
		r.Changes = append(r.Changes, edit.Change{Path: p, Old: old, New: text})
	}
	slices.SortFunc(r.Changes, func(a, b edit.Change) int { return strings.Compare(a.Path, b.Path) })
	return nil
}
