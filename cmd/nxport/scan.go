package main

import (
	"errors"
	"fmt"
	"io"
	"iter"
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
		Short: "Find the requests for executable memory in trees, projects, source files and built drivers",
		Long: `scan reads the builds of drivers, finds every call that asks for memory, and says what each gets on each Windows
version. A path is a directory, which is walked, a build file (.vcxproj, .sln, .slnx, SOURCES, dirs, a make file,
CMakeLists.txt, compile_commands.json), a C or C++ file, or a built driver (.sys). Build files are evaluated; nothing is run.

Of a built driver it says what its calls ask for, by address and, where the driver has DWARF, by line; and whether its sections,
imports and relocations are such as memory integrity wants them. Of several it prints a row each. One that is named together with
its source is held against that, call by call. docs/images.md says what is judged and what is not.

With --at, the path is a built driver (.sys): scan says what is at an address of it, such as parameter 2 of bug check 0xC4 less
the driver's base: the function, the line if the driver has DWARF, the call of a routine that gives memory, and what decides it.

Exit status: 0 nothing at or above --fail-on, or every --at named; 1 findings; 2 wrong usage, or input that could not be read
or not be held against its source.`,
		Example: `  nxport scan drivers/
  nxport scan --config 'Release|x64' --format json -o findings.json drv.vcxproj
  nxport scan build/drv.sys
  nxport scan drv.vcxproj build/drv.sys
  nxport scan --format json System32/drivers
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

// formats are those of a scan: how source is shown, alone and above built drivers, and how those are.
var formats = map[string]struct {
	source, above func(io.Writer, *report.Scan, report.View) error
	drivers       func(io.Writer, report.Drivers, report.View) error
}{
	"text":    {report.Text, report.TextAbove, report.DriversText},
	"msbuild": {report.MSBuild, report.MSBuild, report.DriversMSBuild},
	"json":    {report.JSON, report.JSON, report.DriversJSON},
	"sarif":   {report.SARIF, report.SARIFAbove, report.DriversSARIF},
}

func (c *common) scan(cmd *cobra.Command, args []string) error {
	stdout, stderr := cmd.OutOrStdout(), cmd.ErrOrStderr()
	level, fail, err := threshold(c.failOn)
	if err != nil {
		return err
	}
	show, ok := formats[c.format]
	if !ok {
		return fmt.Errorf("--format %q: want text, msbuild, json or sarif", c.format)
	}
	o, err := c.options()
	if err != nil {
		return err
	}
	named, err := scan.Sort(args)
	if err != nil {
		return err
	}
	view := c.view(stdout)
	view.Port, view.Version = portCommandLine(cmd, named.Source), version()
	r, problem, err := scanSource(stderr, named, o)
	if err != nil {
		return err
	}
	var t report.Tally
	err = c.write(stdout, func(w io.Writer) error {
		if len(named.Images) == 0 {
			return show.source(w, &r.Scan, view)
		}
		d := report.Drivers{Paths: named.Images, Alone: len(named.Images) == 1 && len(named.Files) == 1}
		if r != nil {
			o.Source, d.Source = r, &r.Scan
			if err := show.above(w, d.Source, view); err != nil {
				return err
			}
		}
		return c.drivers(cmd, named, o, &t, func(list iter.Seq[report.Built]) error {
			d.List = list
			return show.drivers(w, d, view)
		})
	})
	worst := t.Worst
	if r != nil {
		of, _ := r.Worst()
		worst = max(worst, of)
	}
	switch {
	case err != nil:
		return err
	case problem != nil:
		return problem
	case t.Verdicts[report.Unread] > 0 || t.NotHeld > 0:
		return &exitError{status: unusable}
	case fail && worst >= level:
		return &exitError{status: findings}
	}
	return nil
}

// scanSource scans the source that is named; nil where there are only built drivers. Problem says that not all could be read; it is
// said first, so that the report's last lines are the last.
func scanSource(stderr io.Writer, named scan.Named, o scan.Options) (r *scan.Result, problem, err error) {
	if len(named.Source) == 0 {
		return nil, nil, nil
	}
	p := startProgress(stderr)
	o.Progress = p.update
	r, err = scan.Run(named.Source, o)
	p.stop()
	if err != nil || len(r.Images) == 0 && len(r.Unreadable) == 0 && len(named.Images) > 0 {
		return nil, nil, err
	}
	return r, unreadable(stderr, r), nil
}

// drivers judges the built drivers, for somebody to show as they come. What can't be read is named on standard error, too.
func (c *common) drivers(cmd *cobra.Command, named scan.Named, o scan.Options, t *report.Tally, show func(iter.Seq[report.Built]) error) error {
	stderr := cmd.ErrOrStderr()
	if _, seen := terminal(cmd.OutOrStdout()); !seen || c.output != "" { // else the rows show how far it is
		p := startProgress(stderr)
		defer p.stop()
		o.Judged = p.judge
	}
	list, err := scan.Images(named, o)
	if err != nil {
		return err
	}
	return show(t.Count(func(yield func(report.Built) bool) {
		for b := range list {
			if b.Unreadable != "" {
				fmt.Fprintf(stderr, "nxport: %s: %s\n", b.Build.Project, b.Unreadable)
			}
			if b.NotHeld != "" {
				fmt.Fprintf(stderr, "nxport: %s: not held against the source: %s\n", b.Build.Project, b.NotHeld)
			}
			if !yield(b) {
				return
			}
		}
	}))
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
		return errors.New("no driver found: name a directory with a build file of a driver, with C sources or with built drivers (.sys)")
	}
	return nil
}
