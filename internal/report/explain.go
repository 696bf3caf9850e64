package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

// Topics lists what explain knows. The DDIs, which are many, come first: a terminal shows the end.
func Topics(w io.Writer, rules []*rule.Rule, ddis []nx.DDI, width int) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "DDIs (nxport explain NAME), by what decides whether the memory is executable:")
	for _, k := range ddiGroups {
		names := namesOf(k.kind, ddis)
		if len(names) > 0 {
			fmt.Fprintf(b, "  %s\n%s\n", k.title, wrap(strings.Join(names, " "), cmp.Or(width, 100), "    "))
		}
	}
	fmt.Fprintln(b, "\nRules (nxport explain ID):")
	for _, r := range rules {
		fmt.Fprintf(b, "  %-8s %-8s %s\n", r.ID, r.Level, r.Name)
	}
	fmt.Fprintf(b, "\nDriver Verifier's bug check 0x%X, by parameter 1:\n", nx.VerifierBugCheck)
	for _, c := range nx.Checks() {
		if c.Code != 0 {
			fmt.Fprintf(b, "  %-8s %s\n", c.ID(), c.Name)
		}
	}
	fmt.Fprintln(b, "\nA line of a driver's source: nxport explain FILE:LINE")
	return b.Flush()
}

var ddiGroups = []struct {
	kind  nx.Kind
	title string
}{
	{nx.PoolType, "a POOL_TYPE:"}, {nx.PoolFlags, "POOL_FLAGS:"}, {nx.LookasideFlags, "the Flags of a lookaside list:"},
	{nx.MdlPriority, "the Priority of a mapping:"}, {nx.PageProtection, "a page protection:"},
	{nx.CacheType, "a caching type:"}, {nx.Always, "nothing, it always is:"},
	{nx.PortDriver, "the port driver, the framework or the kernel:"},
}

func namesOf(k nx.Kind, ddis []nx.DDI) []string {
	var names []string
	for _, d := range ddis {
		if d.Kind == k && !slices.Contains(names, d.Name) {
			names = append(names, d.Name)
		}
	}
	return names
}

// wrap breaks text between words, so that no line is longer than width; each begins with indent.
func wrap(text string, width int, indent string) string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(indent)+len(line)+1+len(word) > width {
			lines, line = append(lines, indent+line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, indent+line), "\n")
}

// Rule prints the documentation of a rule. On a terminal of that width its paragraphs are wrapped anew; 0 is none.
func Rule(w io.Writer, r *rule.Rule, width int) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s %s (%s)\n", r.ID, r.Name, r.Level)
	if r.Official != "" {
		fmt.Fprintf(b, "Microsoft's code analysis: %s\n", r.Official)
	}
	if r.JudgesBuilt() {
		fmt.Fprintf(b, "It judges built drivers, too.\n")
	}
	section(b, "What it finds", r.Doc.What, width)
	section(b, "Why it matters", r.Doc.Why, width)
	section(b, "How to mend it", r.Doc.Fix, width)
	if !r.OnlyBuilt() {
		fmt.Fprintf(b, "\nExample, and what mends it\n")
	}
	for _, f := range example(r.Doc) {
		fmt.Fprintf(b, "\n  %s\n%s", f.title(), indented(f.diff()))
	}
	return b.Flush()
}

func section(w io.Writer, title, text string, width int) {
	if width > 0 {
		paragraphs := strings.Split(strings.TrimSpace(text), "\n\n")
		for i, p := range paragraphs {
			paragraphs[i] = wrap(p, width-2, "")
		}
		text = strings.Join(paragraphs, "\n\n")
	}
	fmt.Fprintf(w, "\n%s\n%s", title, indented(text))
}

// indented moves text two columns to the right, empty lines excepted, and ends it with one line end.
func indented(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight("  "+line, " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// Checks prints what is known of checks of code integrity, and which of the rules finds the same in the source.
func Checks(w io.Writer, checks []nx.Check, rules []*rule.Rule, width int) error {
	b := bufio.NewWriter(w)
	if len(checks) > 1 {
		fmt.Fprintf(b, "Bug check 0x%X, DRIVER_VERIFIER_DETECTED_VIOLATION: what Driver Verifier's code integrity checks stop the system for\n"+
			"(verifier /flags %#08x /driver DRIVER.sys; nxport verify --script). One of them: nxport explain 0x2000\n\n", nx.VerifierBugCheck, nx.VerifierFlag)
		for _, c := range checks {
			fmt.Fprintf(b, "  %-7s %-34s %s\n", parameter(c), c.Name, c.Count)
		}
		return b.Flush()
	}
	for _, c := range checks {
		check(b, c, rules, width)
	}
	return b.Flush()
}

// parameter is number 1 of the bug check.
func parameter(c nx.Check) string {
	if c.Code == 0 {
		return "-"
	}
	return c.ID()
}

func check(w io.Writer, c nx.Check, rules []*rule.Rule, width int) {
	if c.Code == 0 {
		fmt.Fprintf(w, "%s\n", c.Name)
	} else {
		fmt.Fprintf(w, "Bug check 0x%X, parameter 1 %#x: %s\n", nx.VerifierBugCheck, c.Code, c.Name)
	}
	fmt.Fprintf(w, "The lab kit's readiness test and !verifier count it as: %s\n", c.Count)
	section(w, "What it means", c.Means, width)
	if c.Code != 0 {
		fmt.Fprintf(w, "\nThe other parameters\n")
		for i, p := range c.Parameters {
			fmt.Fprintf(w, "  %d  %s\n", i+2, cmp.Or(p, "not documented"))
		}
	}
	section(w, "How to find it", c.Find, width)
	section(w, "How to mend it", c.Fix, width)
	fmt.Fprintf(w, "\nnxport scan DRIVER.sys finds it in a built driver, as %s (%s)\n", c.ID(), levelOf(c))
	if names := rulesOf(c, rules); len(names) > 0 {
		fmt.Fprintf(w, "\nRules that find it in the source\n")
		for _, r := range names {
			fmt.Fprintf(w, "  %-8s %s\n", r.ID, r.Name)
		}
	}
}

// levelOf is how serious it is where a built driver is scanned.
func levelOf(c nx.Check) rule.Level {
	for _, r := range rule.OfChecks() {
		if r.ID == c.ID() {
			return r.Level
		}
	}
	return 0
}

// rulesOf are the rules that find in the source what a check finds.
func rulesOf(c nx.Check, rules []*rule.Rule) []*rule.Rule {
	var list []*rule.Rule
	for _, id := range c.Rules {
		for _, r := range rules {
			if r.ID == id {
				list = append(list, r)
			}
		}
	}
	return list
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
	if d.UserMemory {
		fmt.Fprintln(b, "  it is memory of a process, in user mode's half of the address space, and none of the kernel")
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
