package compiles

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"
)

// Print writes the table, and under it the new errors.
func Print(w io.Writer, list []Outcome) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "tree\tgoal\ttook\tbuilds\tunits\tclean\tstopped\tblind\terrors before\tafter\tnew")
	for _, o := range list {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", o.Tree, o.Goal, cmp.Or(o.Took, "refused"), o.Builds, o.Units, o.Clean, o.Stopped, o.Blind,
			o.Before, o.After, len(o.New))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, o := range list {
		if o.Refused != "" {
			fmt.Fprintf(w, "\n%s, %s\n  refused: %s\n", o.Tree, o.Goal, o.Refused)
		}
		if len(o.New) > 0 {
			fmt.Fprintf(w, "\n%s, %s\n", o.Tree, o.Goal)
		}
		for _, e := range o.New {
			fmt.Fprintf(w, "  new: %s\n", e)
		}
	}
	return nil
}
