package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

// Topics lists what explain knows.
func Topics(w io.Writer, rules []*rule.Rule, ddis []nx.DDI) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "Rules:")
	for _, r := range rules {
		fmt.Fprintf(b, "  %-8s %s\n", r.ID, r.Name)
	}
	fmt.Fprintln(b, "\nDDIs:")
	for _, d := range ddis {
		fmt.Fprintf(b, "  %-38s %s\n", d.Name, decides(d))
	}
	return b.Flush()
}

// Rule prints the documentation of a rule.
func Rule(w io.Writer, r *rule.Rule) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s %s (%s)\n", r.ID, r.Name, r.Level)
	if r.Official != "" {
		fmt.Fprintf(b, "Microsoft's code analysis: %s\n", r.Official)
	}
	for _, s := range []struct{ title, text string }{
		{"What it finds", r.Doc.What}, {"Why it matters", r.Doc.Why}, {"How to mend it", r.Doc.Fix},
		{"Before", r.Doc.Before}, {"After", r.Doc.After},
	} {
		fmt.Fprintf(b, "\n%s\n  %s\n", s.title, strings.ReplaceAll(strings.TrimSpace(s.text), "\n", "\n  "))
	}
	return b.Flush()
}

// DDI prints what the table knows of a routine.
func DDI(w io.Writer, d nx.DDI) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s (%s, since %s)\n  %s\n", d.Name, d.Header, d.Since.Name(), decides(d))
	if d.Remapped {
		fmt.Fprintln(b, "  an opt-in adds the no-execute bit to whatever the call passes")
	} else if d.Kind == nx.PoolType {
		fmt.Fprintln(b, "  an opt-in redefines the token NonPagedPool, not the routine")
	}
	if d.Replacement != "" {
		fmt.Fprintf(b, "  replaced by %s from %s on\n", d.Replacement, d.ReplacementSince.Name())
	}
	return b.Flush()
}

func decides(d nx.DDI) string {
	if d.Argument == 0 {
		return "executable whatever the arguments are"
	}
	return fmt.Sprintf("argument %d decides (%s)", d.Argument, d.Kind)
}
