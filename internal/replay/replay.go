package replay

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/internal/port"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/internal/scan"
	"github.com/nxport/nxport/nx"
)

// Outcome is what the port of a row's parent came to.
type Outcome struct {
	Repo        string       `json:"repo"`
	Commit      string       `json:"commit"`
	Path        string       `json:"path"` // what was ported
	Goal        port.Goal    `json:"goal"`
	Took        string       `json:"took,omitempty"` // the mechanism that it came to
	Builds      int          `json:"builds"`
	Sites       int          `json:"sites"`
	Worse       []Difference `json:"worse"`        // executable, as far as is known, where theirs is not
	Below       []Difference `json:"below"`        // NX before Windows 8, where it was not before the port
	TheirsBelow int          `json:"theirs_below"` // requests that their commit makes NX before Windows 8
	Better      []Difference `json:"better"`       // theirs is executable where ours is not
	Alone       []Difference `json:"alone"`        // their commit has no such request
	Only        int          `json:"only"`         // builds that their commit does not have
	Ours        Lines        `json:"ours"`         // all that the port changes
	Theirs      Lines        `json:"theirs"`       // what the commit changes for the sake of NX
	Left        []string     `json:"left"`         // what the port could not mend
	Refused     string       `json:"refused"`      // why nothing was ported
	Unstable    bool         `json:"unstable"`
	Missing     []string     `json:"missing"` // files that the repository does not hold
}

// Failed says whether the port falls behind what people did.
func (o Outcome) Failed() bool {
	unnamed := slices.ContainsFunc(o.Worse, func(d Difference) bool { return !d.Named })
	return unnamed || len(o.Below) > 0 || o.Refused != "" || o.Unstable
}

// Run replays one row from the repositories in dir: with auto-select, and with the goal that people had where it is another.
// The working directory is a temporary one meanwhile, so that all trees have the same paths.
func Run(dir string, r Row, o scan.Options) ([]Outcome, error) {
	repo, err := gitDir(dir, r.Repo)
	if err != nil {
		return nil, err
	}
	back, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "replay")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	defer os.Chdir(back)
	two := pair{parent: filepath.Join(temp, "parent"), commit: filepath.Join(temp, "commit"), options: o}
	base := Outcome{Repo: r.Repo, Commit: r.Commit}
	if base.Theirs, err = theirs(repo, r); err != nil {
		return nil, err
	}
	for name, into := range map[string]string{r.Parent: two.parent, r.Commit: two.commit} {
		missing, err := checkout(repo, name, into)
		if err != nil {
			return nil, err
		}
		base.Missing = append(base.Missing, missing...)
	}
	slices.Sort(base.Missing)
	base.Missing = slices.Compact(base.Missing)
	if err := os.Chdir(two.parent); err != nil {
		return nil, err
	}
	if base.Path, err = look(r, o); err != nil {
		return nil, err
	}
	base.Goal = port.AutoSelect
	out := []Outcome{two.replay(base)}
	if g := r.goal(); g != port.AutoSelect && string(g) != out[0].Took {
		base.Goal = g
		out = append(out, two.replay(base))
	}
	return out, nil
}

// look finds the lowest directory that holds the row's files and the build file of a driver: what people would name.
func look(r Row, o scan.Options) (string, error) {
	for dir := r.directory(); ; dir = path.Dir(dir) {
		s, err := scan.Run([]string{dir}, o)
		if err == nil && slices.ContainsFunc(s.Images, buildFile) || dir == "." {
			return dir, err
		}
	}
}

// buildFile says whether a build is that of a build file, not of a directory's sources.
func buildFile(m driver.Image) bool {
	info, err := os.Stat(filepath.FromSlash(m.Build.Project))
	return err == nil && !info.IsDir()
}

// pair is the parent and the commit, checked out.
type pair struct {
	parent, commit string // directories
	options        scan.Options
}

// replay does one port. Of what stops it, the reason becomes that of a refusal.
func (p pair) replay(o Outcome) Outcome {
	if !slices.Contains(port.Goals(), string(o.Goal)) {
		o.Refused = fmt.Sprintf("there is no goal %s", o.Goal)
		return o
	}
	if err := p.port(&o); err != nil {
		o.Refused = strings.TrimPrefix(err.Error(), "refused: ")
	}
	return o
}

// port ports the parent, scans the result from the disk, holds it against the commit, and takes the port back.
func (p pair) port(o *Outcome) (err error) {
	first, dir, err := Port(o.Path, o.Goal, p.options)
	if err != nil {
		return err
	}
	o.Path, o.Took, o.Ours = dir, string(first.Goal.Mechanism), ours(first.Changes)
	o.Left = slices.Clone(first.Refused)
	for _, f := range first.Left {
		o.Left = append(o.Left, fmt.Sprintf("%s: %s: %s", f.Place, f.Rule.ID, f.Message))
	}
	if err := edit.Write([]string{dir}, first.Changes); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, edit.Write([]string{dir}, reversed(first.Changes))) }()
	again, err := port.Run([]string{dir}, o.Goal, p.options)
	if err != nil {
		return fmt.Errorf("a second port: %w", err)
	}
	o.Unstable = len(again.Changes) > 0
	human, err := p.human(dir)
	if err != nil {
		return fmt.Errorf("their commit: %w", err)
	}
	judge(o, first.Before, again.Before, human.Images)
	for i, d := range o.Worse {
		o.Worse[i].Named = forTheCallers(first, d) || slices.ContainsFunc(slices.Concat(again.NoAlternative, again.Kept, again.Left), func(f rule.Finding) bool {
			return f.Place == d.Place
		})
	}
	return nil
}

// forTheCallers says whether a request is that of a library without a driver that links it: the port says that each must make the
// call. Until one is known, what the library gets is not.
func forTheCallers(r *port.Result, d Difference) bool {
	m := find(r.After, d.Build)
	return m != nil && m.Build.Library && m.Build.Mechanism == nx.OptIn && m.Build.Initialised == driver.InitUnknown
}

// human scans the commit.
func (p pair) human(dir string) (r *scan.Result, err error) {
	if err := os.Chdir(p.commit); err != nil {
		return nil, err
	}
	r, err = scan.Run([]string{dir}, p.options)
	return r, errors.Join(err, os.Chdir(p.parent))
}

// Parent checks the parent of a row out into a temporary directory, which is the working directory meanwhile, and calls f with
// what people would have ported.
func Parent(dir string, r Row, o scan.Options, f func(dir string) error) error {
	repo, err := gitDir(dir, r.Repo)
	if err != nil {
		return err
	}
	back, err := os.Getwd()
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "replay")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	defer os.Chdir(back)
	into := filepath.Join(temp, "parent")
	if _, err := checkout(repo, r.Parent, into); err != nil {
		return err
	}
	if err := os.Chdir(into); err != nil {
		return err
	}
	named, err := look(r, o)
	if err != nil {
		return err
	}
	return f(named)
}

// Port ports a directory; where that would have to write outside of it, the next higher one, as the port advises.
func Port(dir string, g port.Goal, so scan.Options) (*port.Result, string, error) {
	for {
		r, err := port.Run([]string{dir}, g, so)
		if err != nil || dir == "." || !slices.ContainsFunc(slices.Concat(r.Alone, r.Refused), func(why string) bool {
			return strings.Contains(why, "outside of what was named")
		}) {
			return r, dir, err
		}
		dir = path.Dir(dir)
	}
}

func ours(changes []edit.Change) (all Lines) {
	for _, c := range changes {
		l := count(edit.Diff([]edit.Change{c}), nil)
		all.Added += l.Added
		all.Removed += l.Removed
	}
	return all
}

func reversed(changes []edit.Change) []edit.Change {
	out := slices.Clone(changes)
	for i, c := range out {
		out[i].Old, out[i].New = c.New, c.Old
	}
	return out
}
