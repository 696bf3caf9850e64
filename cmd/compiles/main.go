// Command compiles ports trees and holds what a compiler says of the result against what it says of the trees as they are.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/nxport/nxport/internal/compiles"
	"github.com/nxport/nxport/internal/port"
	"github.com/nxport/nxport/internal/replay"
	"github.com/nxport/nxport/internal/scan"
	"github.com/nxport/nxport/nx"
)

const usage = `usage: compiles [-cc COMMAND] [-I DIR]... [-to GOAL] [-config 'Release|x64']... PATH...
       compiles [-cc COMMAND] [-I DIR]... [-to GOAL] -git DIR -csv FILE

compiles ports each tree in memory and lets clang parse each unit that the port reaches as it was and as it is then, with the
options of its build and the headers of a kit (-I). An error is new where the same text in the same file was not said before so
often, whatever the line. Headers that are nowhere, as those that other tools generate, are taken to be empty. With -git and
-csv, the trees are the parents of replay's table. Nothing is written.

Clean are the units that had no error before; at stopped ones clang gave up half way, so that little is known of them; in blind
ones the kit's own headers had errors before, for want of something that they need, so that more of these say nothing.

Exit status: 0 no new error; 1 there are some, or a tree could not be ported; 2 wrong usage, or a compiler that could not be run.

`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// settings are those of the command line.
type settings struct {
	compiles.Compiler
	options        scan.Options
	goal           port.Goal
	git, table     string
	stdout, stderr io.Writer
}

// run is the program without its process.
func run(args []string, stdout, stderr io.Writer) int {
	f := flag.NewFlagSet("compiles", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprint(stderr, usage)
		f.PrintDefaults()
	}
	s := settings{options: scan.Options{DDIs: nx.DDIs()}, stdout: stdout, stderr: stderr}
	cc := f.String("cc", "clang", "the clang to run, a `command` with arguments")
	goal := f.String("to", string(port.AutoSelect), "the `goal`: "+strings.Join(port.Goals(), ", "))
	f.StringVar(&s.git, "git", "", "a git `directory`, or one that holds several as OWNER/NAME, OWNER+NAME or NAME")
	f.StringVar(&s.table, "csv", "", "the table of commits, a `file`")
	f.IntVar(&s.Jobs, "j", runtime.GOMAXPROCS(0), "`units` at once")
	f.Func("I", "a `directory` of the kit's headers", func(v string) error {
		dir, err := filepath.Abs(v)
		s.Kit = append(s.Kit, dir)
		return err
	})
	f.Func("config", "a `configuration` to compile, all if none is given", func(v string) error {
		s.options.Load.Configs = append(s.options.Load.Configs, v)
		return nil
	})
	if f.Parse(args) != nil {
		return 2
	}
	s.Command, s.goal, s.options.Jobs = strings.Fields(*cc), port.Goal(*goal), s.Jobs
	if (s.git == "") != (s.table == "") || (s.git == "") == (f.NArg() == 0) || len(s.Command) == 0 || !slices.Contains(port.Goals(), *goal) {
		f.Usage()
		return 2
	}
	list, status := s.all(f.Args())
	if err := compiles.Print(stdout, list); err != nil {
		fmt.Fprintln(stderr, "compiles:", err)
		return 2
	}
	if slices.ContainsFunc(list, compiles.Outcome.Failed) {
		status = max(status, 1)
	}
	return status
}

// all does every tree. What each came to, and how long that took, goes to standard error: the table comes last.
func (s settings) all(paths []string) (list []compiles.Outcome, status int) {
	one := func(name, dir string) error {
		start := time.Now()
		out, err := s.tree(name, dir)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.stderr, "%s: %d units, %d errors, %d after the port, %d new; %.1f s\n", name, out.Units, out.Before, out.After, len(out.New),
			time.Since(start).Seconds())
		list = append(list, out)
		return nil
	}
	failed := func(name string, err error) {
		if err != nil {
			fmt.Fprintf(s.stderr, "compiles: %s: %v\n", name, err)
			status = 2
		}
	}
	for _, p := range paths {
		failed(p, one(p, p))
	}
	if s.table == "" {
		return list, status
	}
	rows, err := replay.Read(s.table)
	failed(s.table, err)
	for _, r := range rows {
		name := fmt.Sprintf("%s %.9s", r.Repo, r.Parent)
		failed(name, replay.Parent(s.git, r, s.options, func(dir string) error { return one(name, dir) }))
	}
	return list, status
}

// tree ports a tree and compiles it.
func (s settings) tree(name, dir string) (out compiles.Outcome, err error) {
	r, dir, err := replay.Port(dir, s.goal, s.options)
	if err != nil {
		return compiles.Outcome{Tree: name, Goal: s.goal, Refused: strings.TrimPrefix(err.Error(), "refused: ")}, nil
	}
	out, err = compiles.Run(name, dir, r, s.Compiler, s.options)
	out.Goal = s.goal
	return out, err
}
