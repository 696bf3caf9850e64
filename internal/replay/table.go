package replay

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/nxport/nxport/internal/port"
)

// Print writes the table, and under it what is to be read of each port.
func Print(w io.Writer, list []Outcome) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "repository\tcommit\tported\tgoal\tbuilds\tsites\tworse\tbetter\tNX below 6.2\tleft\tours\ttheirs\tresult")
	for _, o := range list {
		fmt.Fprintf(tw, "%s\t%.9s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\n", o.Repo, o.Commit, o.Path, o.name(), o.Builds, o.Sites,
			len(o.Worse), len(o.Better), len(o.Below), len(o.Left), o.Ours, o.Theirs, o.result())
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, o := range list {
		details(w, o)
	}
	return nil
}

func (l Lines) String() string { return fmt.Sprintf("+%d -%d", l.Added, l.Removed) }

func (o Outcome) name() string {
	if o.Goal == port.AutoSelect && o.Took != "" {
		return "auto: " + o.Took
	}
	return string(o.Goal)
}

func (o Outcome) result() string {
	switch {
	case o.Refused != "":
		return "refused"
	case o.Failed():
		return "behind"
	case len(o.Left) > 0:
		return "left"
	}
	return "done"
}

func details(w io.Writer, o Outcome) {
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if o.Refused != "" {
		say("refused: %s", o.Refused)
	}
	if o.Unstable {
		say("a second port changes something")
	}
	if o.Only > 0 {
		say("their commit has other builds: %d of ours are not there", o.Only)
	}
	if o.TheirsBelow > 0 {
		say("their commit makes %d requests NX before Windows 8, which does not know it", o.TheirsBelow)
	}
	for _, l := range []struct {
		name string
		list []Difference
	}{{"worse", o.Worse}, {"NX below 6.2", o.Below}, {"better", o.Better}, {"no match", o.Alone}} {
		for _, d := range l.list {
			say("%s: %s", l.name, d)
		}
	}
	for _, l := range o.Left {
		say("left: %s", l)
	}
	if len(o.Missing) > 0 {
		say("not in the repository, or too large: %d files, such as %s", len(o.Missing), o.Missing[0])
	}
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s %.9s, %s\n", o.Repo, o.Commit, o.name())
	for _, l := range lines {
		fmt.Fprintln(w, "  "+l)
	}
}

// JSON writes one object a line.
func JSON(w io.Writer, list []Outcome) error {
	enc := json.NewEncoder(w)
	for _, o := range list {
		if err := enc.Encode(o); err != nil {
			return err
		}
	}
	return nil
}
