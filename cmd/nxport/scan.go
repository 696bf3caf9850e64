package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/report"
	"github.com/nxport/nxport/internal/scan"
)

func scanCommand() *cobra.Command {
	var c common
	var at []string
	cmd := &cobra.Command{
		Use:   "scan [flags] PATH...",
		Short: "Find the requests for executable memory in trees, projects and source files",
		Long: `scan reads the builds of drivers, finds every call that asks for memory, and says what each gets on each Windows
version. A path is a directory, which is walked, a build file (.vcxproj, .sln, .slnx, SOURCES, dirs, a make file,
CMakeLists.txt, compile_commands.json), or a C or C++ file. Build files are evaluated; nothing is run.

With --at, the path is a built driver (.sys): scan says what is at an address of it, such as parameter 2 of bug check 0xC4 less
the driver's base: the function, the line if the driver has DWARF, the call of a routine that gives memory, and what decides it.

Exit status: 0 nothing at or above --fail-on, or every --at named; 1 findings; 2 wrong usage or input that could not be read.`,
		Example: `  nxport scan drivers/
  nxport scan --config 'Release|x64' --format json -o findings.json drv.vcxproj
  nxport scan drv.sys --at 0x1c5d`,
		Args: paths,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("at") {
				return c.at(cmd.OutOrStdout(), args, at)
			}
			return c.scan(cmd, args)
		},
	}
	c.register(cmd)
	c.registerOutput(cmd, "text, msbuild, json or sarif")
	cmd.Flags().BoolVar(&c.noColor, "no-color", false, "no colours, as with NO_COLOR set; without a terminal there are none anyway")
	cmd.Flags().BoolVar(&c.suppressed, "show-suppressed", false, "list the findings that the source suppresses, with the reasons")
	cmd.Flags().StringVar(&c.failOn, "fail-on", "warning", "least `level` that gives exit status 1: error, warning, note or never")
	cmd.Flags().StringArrayVar(&at, "at", nil, "say what is at this `RVA` of a built driver, hexadecimal (repeatable)")
	return cmd
}

// at says what is at addresses of one built driver.
func (c *common) at(stdout io.Writer, args, at []string) error {
	if len(args) != 1 {
		return fmt.Errorf("scan --at: name one built driver (.sys), not %d paths", len(args))
	}
	show := map[string]func(io.Writer, []report.Address) error{"text": report.AddressText, "json": report.AddressJSON}[c.format]
	if show == nil {
		return fmt.Errorf("--format %q: want text or json with --at", c.format)
	}
	var addresses []uint64
	for _, s := range at {
		// a debugger writes fffff801`e7121c5d
		n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToLower(strings.ReplaceAll(s, "`", "")), "0x"), 16, 64)
		if err != nil {
			return fmt.Errorf("--at %q: want an RVA, hexadecimal, as 0x1c5d", s)
		}
		addresses = append(addresses, n)
	}
	o, err := c.options()
	if err != nil {
		return err
	}
	list, problem := scan.At(args[0], addresses, o.DDIs)
	if len(list) == 0 {
		return problem
	}
	return errors.Join(c.write(stdout, func(w io.Writer) error { return show(w, list) }), problem)
}

// formats are those of a scan.
var formats = map[string]func(io.Writer, *report.Scan, report.View) error{
	"text": report.Text, "msbuild": report.MSBuild, "json": report.JSON, "sarif": report.SARIF,
}

func (c *common) scan(cmd *cobra.Command, args []string) error {
	stdout, stderr := cmd.OutOrStdout(), cmd.ErrOrStderr()
	level, fail, err := threshold(c.failOn)
	if err != nil {
		return err
	}
	show := formats[c.format]
	if show == nil {
		return fmt.Errorf("--format %q: want text, msbuild, json or sarif", c.format)
	}
	o, err := c.options()
	if err != nil {
		return err
	}
	p := startProgress(stderr)
	o.Progress = p.update
	r, err := scan.Run(args, o)
	p.stop()
	if err != nil {
		return err
	}
	problem := unreadable(stderr, r) // said first, so that the report's last lines are the last
	view := c.view(stdout)
	view.Port, view.Version = portCommandLine(cmd, args), version()
	if err := c.write(stdout, func(w io.Writer) error { return show(w, &r.Scan, view) }); err != nil {
		return err
	}
	if problem != nil {
		return problem
	}
	if worst, any := r.Worst(); any && fail && worst >= level {
		return &exitError{status: findings}
	}
	return nil
}

// maxNotes is how many remarks about build files are printed; a tree can have hundreds of the same kind.
const maxNotes = 20

// alike says whether two notes on one build file differ in no more than what they begin with: the file that is not there.
func alike(a, b driver.Step) bool {
	_, says, _ := strings.Cut(a.Says, " ")
	_, other, _ := strings.Cut(b.Says, " ")
	return a.Line > 0 && a.Path == b.Path && says != "" && says == other
}

// unreadable names on standard error what could not be read, or not as it stands; nil if all could be read.
func unreadable(stderr io.Writer, r *scan.Result) error {
	for i, said := 0, 0; i < len(r.Notes); said++ {
		if said == maxNotes {
			fmt.Fprintf(stderr, "nxport: note: %d more notes on build files\n", len(r.Notes)-i)
			break
		}
		n, at, more := r.Notes[i], "", ""
		if n.Path != "" {
			at = n.Place.String() + ": "
		}
		first := i
		for i++; i < len(r.Notes) && alike(n, r.Notes[i]); i++ {
			more = fmt.Sprintf("; likewise %d more, to line %d", i-first, r.Notes[i].Line)
		}
		fmt.Fprintf(stderr, "nxport: note: %s%s%s\n", at, n.Says, more)
	}
	for _, s := range r.Unreadable {
		fmt.Fprintf(stderr, "nxport: %s: %s\n", s.Path, s.Why)
	}
	switch {
	case len(r.Unreadable) > 0:
		return &exitError{status: unusable}
	case len(r.Images) == 0:
		return errors.New("no driver found: name a directory with a build file of a driver or with C sources")
	}
	return nil
}
