// Command replay ports the parents of commits by which people ported drivers, and compares the results with theirs.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/nxport/nxport/internal/replay"
	"github.com/nxport/nxport/internal/scan"
	"github.com/nxport/nxport/nx"
)

const usage = `usage: replay -git DIR -csv FILE [-only REPO] [-format text|json]

For each row of a table with the columns repo, commit, parent, mechanism and nx_files (separated by semicolons), replay checks
the parent and the commit out into temporary directories, ports the parent and compares the requests of the result with those
of the commit, on each Windows that is judged. It needs git.

A request is worse where it is executable, or may be, from Windows 8 on, and theirs is not; it is NX below 6.2 where it gets an
NX type on an older Windows and did not before the port. Lines are all that the port changes, and those of the commit's hunks in
nx_files that name an opt-in, a pool type or an allocation routine; white space at their ends does not count.

Exit status: 0 no port falls behind; 1 one does, or is refused; 2 wrong usage, or a row that could not be replayed.

`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program without its process.
func run(args []string, stdout, stderr io.Writer) int {
	f := flag.NewFlagSet("replay", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprint(stderr, usage)
		f.PrintDefaults()
	}
	git := f.String("git", "", "a git `directory`, or one that holds several as OWNER/NAME, OWNER+NAME or NAME")
	table := f.String("csv", "", "the table of commits, a `file`")
	only := f.String("only", "", "rows of this `repository` alone, as OWNER/NAME")
	format := f.String("format", "text", "text or json")
	if f.Parse(args) != nil {
		return 2
	}
	if *git == "" || *table == "" || f.NArg() > 0 || *format != "text" && *format != "json" {
		f.Usage()
		return 2
	}
	rows, err := replay.Read(*table)
	if err != nil {
		fmt.Fprintf(stderr, "replay: %s: %v\n", *table, err)
		return 2
	}
	if *only != "" {
		rows = slices.DeleteFunc(rows, func(r replay.Row) bool { return !strings.EqualFold(r.Repo, *only) })
		if len(rows) == 0 {
			fmt.Fprintf(stderr, "replay: %s has no row of %s\n", *table, *only)
			return 2
		}
	}
	list, status := replayed(*git, rows, stderr)
	write := replay.Print
	if *format == "json" {
		write = replay.JSON
	}
	if err := write(stdout, list); err != nil {
		fmt.Fprintln(stderr, "replay:", err)
		return 2
	}
	return status
}

// replayed replays all rows. How long each took goes to standard error: the table is the same every time.
func replayed(git string, rows []replay.Row, stderr io.Writer) (list []replay.Outcome, status int) {
	for _, row := range rows {
		start := time.Now()
		out, err := replay.Run(git, row, scan.Options{DDIs: nx.DDIs(), Jobs: runtime.GOMAXPROCS(0)})
		if err != nil {
			fmt.Fprintf(stderr, "replay: %s %s: %v\n", row.Repo, row.Commit, err)
			status = 2
			continue
		}
		fmt.Fprintf(stderr, "%s %.9s: %.1f s\n", row.Repo, row.Commit, time.Since(start).Seconds())
		list = append(list, out...)
	}
	if slices.ContainsFunc(list, replay.Outcome.Failed) {
		status = max(status, 1)
	}
	return list, status
}
