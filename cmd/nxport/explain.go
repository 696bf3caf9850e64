package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/nxport/nxport/internal/report"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/internal/scan"
	"github.com/nxport/nxport/nx"
)

func explainCommand() *cobra.Command {
	var c common
	var log string
	cmd := &cobra.Command{
		Use:   "explain [RULE | DDI | BUGCHECK | FILE:LINE [PATH...]]",
		Short: "Explain a rule, a DDI, a bug check, or a line of a driver's source",
		Long: `explain prints what is known of one thing:

  a rule       by its ID, its name or the identifier of Microsoft's checker: C30030, 30030, macro-without-call
  a DDI        by its name: ExAllocatePoolWithTag
  a bug check  0xC4, by parameter 1 (0x2000 to 0x2005), or by the name under which the lab kit counts it
  FILE:LINE    what is requested there, how the value comes about and what each Windows gets, for each build

Without an argument it lists them. For FILE:LINE (also FILE:LINE:COLUMN and FILE(LINE,COLUMN)) it reads the checkout that
holds the file; without one the working directory if the file is below it, else the directory it is in; or the PATHs that
follow.

With --hlk LOG, the argument is a built driver (.sys): explain says which checks the lab kit's HyperVisor Code Integrity Readiness
Test counted for it, and what in the driver that can be. What "verifier /query" and the debugger's !verifier print is read, too,
and a bug check 0xC4 in a log.

Exit status: 0 explained, also where nothing stands on the line; 2 wrong usage or input that could not be read.`,
		Example: `  nxport explain C30030
  nxport explain 0x2000
  nxport explain src/drv.c:42
  nxport explain --config 'Release|x64' src/drv.c:42 drv.vcxproj
  nxport explain --hlk readiness.log drv.sys`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := c.options()
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("hlk") {
				return explainLog(cmd.OutOrStdout(), log, args, o.DDIs)
			}
			if len(args) == 0 {
				return report.Topics(cmd.OutOrStdout(), rule.All(), o.DDIs, width(cmd.OutOrStdout()))
			}
			if file, at, ok := position(args[0]); ok {
				return explainLine(cmd.OutOrStdout(), cmd.ErrOrStderr(), file, at, args[1:], o)
			}
			if len(args) > 1 {
				return fmt.Errorf("explain: paths can follow FILE:LINE only, not %q", args[0])
			}
			return explain(cmd.OutOrStdout(), args[0], o.DDIs)
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&log, "hlk", "", "say what this `log` of the lab kit means for a built driver")
	return cmd
}

func explainLog(w io.Writer, log string, args []string, ddis []nx.DDI) error {
	if len(args) != 1 {
		return fmt.Errorf("explain --hlk LOG: name one built driver (.sys), not %d", len(args))
	}
	r, err := scan.Readiness(log, args[0], ddis)
	if err != nil {
		return err
	}
	return report.ReadinessText(w, r, width(w))
}

func explain(w io.Writer, topic string, ddis []nx.DDI) error {
	if topic == "" { // many things have no identifier of Microsoft's, or no interface
		return errors.New("explain: name something: see nxport explain")
	}
	for _, r := range rule.All() {
		if means(topic, r) {
			return report.Rule(w, r, width(w))
		}
	}
	if checks := checksOf(topic); len(checks) > 0 {
		return report.Checks(w, checks, rule.All(), width(w))
	}
	found := false
	for _, d := range ddis {
		_, method, _ := d.Method()
		if !strings.EqualFold(topic, d.Name) && !strings.EqualFold(topic, method) {
			continue
		}
		found = true
		if err := report.DDI(w, d); err != nil {
			return err
		}
	}
	if found {
		return nil
	}
	if _, err := os.Stat(topic); err == nil {
		return fmt.Errorf("%s: name a line of it, as %[1]s:42", topic)
	}
	return fmt.Errorf("%q is no rule, no bug check, no DDI that nxport knows, and no FILE:LINE: see nxport explain", topic)
}

// width is that of the terminal that w is, 0 where it is none.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			return max(columns, 40)
		}
	}
	return 0
}

// means says whether a rule is meant: by its ID, with or without Microsoft's letter, by its name, or by the identifier of
// Microsoft's checker.
func means(topic string, r *rule.Rule) bool {
	names := []string{r.ID, strings.TrimPrefix(r.ID, "C"), r.Name, r.Official, strings.TrimPrefix(r.Official, "__WARNING_")}
	return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(topic, name) })
}

// checksOf finds the checks of code integrity that are meant: all of them by the bug check's number or name, one by its
// parameter 1 as a debugger prints it (0000000000002000), or by its name. All these numbers are hexadecimal.
func checksOf(topic string) []nx.Check {
	topic = strings.TrimSpace(topic)
	number := func(s string) uint64 {
		n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToLower(s), "0x"), 16, 64)
		if err != nil {
			return 0
		}
		return n
	}
	if code, parameter, ok := strings.Cut(topic, "/"); ok && number(code) == nx.VerifierBugCheck {
		topic = parameter
	}
	if number(topic) == nx.VerifierBugCheck || strings.EqualFold(topic, "DRIVER_VERIFIER_DETECTED_VIOLATION") {
		return nx.Checks()
	}
	for _, c := range nx.Checks() {
		count := strings.TrimSuffix(c.Count, " Count")
		if c.Code != 0 && number(topic) == uint64(c.Code) || strings.EqualFold(topic, c.Name) || strings.EqualFold(strings.TrimSuffix(topic, " Count"), count) {
			return []nx.Check{c}
		}
	}
	return nil
}

// positions are FILE:LINE and FILE:LINE:COLUMN, with the colon that a compiler adds, and FILE(LINE,COLUMN) as MSBuild writes it.
var positions = []*regexp.Regexp{
	regexp.MustCompile(`^(.+?):(\d+)(?::(\d+))?:?$`),
	regexp.MustCompile(`^(.+)\((\d+)(?:,(\d+))?\):?$`),
}

type lineColumn struct{ line, column int }

// position reads a place in a file.
func position(s string) (file string, at lineColumn, ok bool) {
	for _, re := range positions {
		m := re.FindStringSubmatch(s)
		if m == nil {
			continue
		}
		line, err := strconv.Atoi(m[2])
		column, cerr := strconv.Atoi("0" + m[3])
		if err = errors.Join(err, cerr); err == nil {
			return m[1], lineColumn{line, column}, true
		}
	}
	return "", lineColumn{}, false
}

func explainLine(stdout, stderr io.Writer, file string, at lineColumn, paths []string, o scan.Options) error {
	file, lines, dir, err := scan.Around(file)
	if err != nil {
		return err
	}
	if at.line < 1 || at.line > lines {
		return fmt.Errorf("%s has no line %d: it has %d", file, at.line, lines)
	}
	if len(paths) == 0 {
		paths = []string{dir}
	}
	r, err := scan.Run(paths, o)
	if err != nil {
		return err
	}
	asked := report.Asked{Path: file, Line: at.line, Column: at.column, Compiling: r.Compiling(file), Read: strings.Join(paths, ", ")}
	if err := report.Line(stdout, &r.Scan, asked); err != nil {
		return err
	}
	for _, s := range r.Unreadable {
		fmt.Fprintf(stderr, "nxport: %s: %s\n", s.Path, s.Why)
	}
	if len(r.Unreadable) > 0 {
		return &exitError{status: unusable}
	}
	return nil
}
