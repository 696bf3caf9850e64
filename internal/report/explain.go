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
		fmt.Fprintf(b, "  %-48s %s\n", d.Name, decides(d))
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
	header := d.Header
	if header == "" {
		header = "in no header of the kit"
	}
	fmt.Fprintf(b, "%s (%s, since %s)\n  %s\n", d.Name, header, d.Since.Name(), decides(d))
	if says := executable[d.Kind]; says != "" {
		fmt.Fprintf(b, "  %s\n", says)
	}
	fmt.Fprintf(b, "  %s\n", optedInDDI(d))
	if says := addedBy(d); says != "" {
		fmt.Fprintf(b, "  %s\n", says)
	}
	if d.AccessMode > 0 {
		fmt.Fprintf(b, "  argument %d is the access mode: what is mapped for UserMode is not memory of the kernel\n", d.AccessMode)
	}
	if d.Replacement != "" {
		fmt.Fprintf(b, "  replaced by %s from %s on\n", d.Replacement, d.ReplacementSince.Name())
	}
	return b.Flush()
}

var executable = map[nx.Kind]string{
	nx.PoolType:       "executable: a nonpaged type without POOL_NX_ALLOCATION (0x200), such as NonPagedPool or 0",
	nx.PoolFlags:      "executable: with POOL_FLAG_NON_PAGED_EXECUTE (0x80)",
	nx.LookasideFlags: "executable: without POOL_NX_ALLOCATION (0x200)",
	nx.MdlPriority:    "executable: without MdlMappingNoExecute (0x40000000)",
	nx.PageProtection: "executable: with one of PAGE_EXECUTE... (0xF0)",
	nx.CacheType:      "executable: MmCached",
}

func optedInDDI(d nx.DDI) string {
	switch {
	case d.Remapped:
		return "an opt-in adds the no-execute bit to whatever the call passes"
	case d.Kind == nx.PoolType:
		return "an opt-in redefines the token NonPagedPool, not the routine"
	}
	return "an opt-in changes nothing here"
}

// addedBy says who adds the NX bit besides an opt-in.
func addedBy(d nx.DDI) string {
	switch d.Adder {
	case nx.Kit:
		return fmt.Sprintf("without an opt-in, kits from %s on add the bit themselves", d.AdderKit)
	case nx.KitWindows8:
		return fmt.Sprintf("without an opt-in, kits from %s on add the bit where it is built for Windows 8 or later and runs on it", d.AdderKit)
	case nx.Framework:
		return "the framework adds the bit to nonpaged types, on Windows 8 or later"
	}
	return ""
}

func decides(d nx.DDI) string {
	_, name, method := d.Method()
	switch {
	case d.Kind == nx.Always:
		return "executable whatever the arguments are"
	case d.Kind == nx.PortDriver && d.Argument > 0 && method:
		return fmt.Sprintf("a driver writes it, the port driver chooses argument %d of %d", d.Argument, d.Arity)
	case d.Kind == nx.PortDriver && d.Argument > 0:
		return fmt.Sprintf("argument %d tells paged from nonpaged; the port driver decides the rest", d.Argument)
	case d.Kind == nx.PortDriver:
		return "no argument decides; the port driver, the framework or the kernel does"
	case name == "new":
		return fmt.Sprintf("argument %d of %d decides (%s), after the size", d.Argument, d.Arity, d.Kind)
	case method:
		return fmt.Sprintf("argument %d of %d decides (%s)", d.Argument, d.Arity, d.Kind)
	}
	return fmt.Sprintf("argument %d decides (%s)", d.Argument, d.Kind)
}
