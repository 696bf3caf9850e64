// Package replay does again what people did: it takes the parent of a commit that ported or repaired a driver, ports it,
// and holds the result against the commit.
package replay

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/port"
)

// Row is one commit by which people ported or repaired a driver.
type Row struct {
	Repo, Commit, Parent string
	Mechanism            string   // in their words
	Files                []string // those that the commit changed for the sake of NX
}

// Read reads the table in a file.
func Read(name string) ([]Row, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Rows(f)
}

// Rows reads a table with the columns repo, commit, parent, mechanism and nx_files, the last separated by semicolons.
// Other columns are left alone.
func Rows(r io.Reader) ([]Row, error) {
	records, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("it is empty: want a line of column names")
	}
	var at [5]int
	for i, name := range []string{"repo", "commit", "parent", "mechanism", "nx_files"} {
		if at[i] = slices.Index(records[0], name); at[i] < 0 {
			return nil, fmt.Errorf("no column %s in %s", name, strings.Join(records[0], ","))
		}
	}
	var rows []Row
	for _, rec := range records[1:] {
		row := Row{Repo: rec[at[0]], Commit: rec[at[1]], Parent: rec[at[2]], Mechanism: rec[at[3]]}
		for f := range strings.SplitSeq(rec[at[4]], ";") {
			if f != "" {
				row.Files = append(row.Files, path.Clean(f))
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// goals tells what people took from their words for it. The first that stands there counts.
var goals = []struct {
	word string
	goal port.Goal
}{
	{"POOL_NX_OPTIN_AUTO", port.OptInAuto},
	{"POOL_NX_OPTIN", port.OptIn},
	{"ExAllocatePool2", "pool2"},
	{"explicit", "explicit"},
	{"MdlMappingNoExecute", "explicit"},
}

// goal gives the goal that comes nearest to what people did; of a change from one to another, the other.
func (r Row) goal() port.Goal {
	words := r.Mechanism[strings.LastIndex(r.Mechanism, " -> ")+1:]
	for _, g := range goals {
		if strings.Contains(words, g.word) {
			return g.goal
		}
	}
	return port.AutoSelect
}

// directory is the lowest one that holds all of the row's files.
func (r Row) directory() string {
	if len(r.Files) == 0 {
		return "."
	}
	dir := path.Dir(r.Files[0])
	for _, f := range r.Files[1:] {
		for dir != "." && !strings.HasPrefix(f, dir+"/") {
			dir = path.Dir(dir)
		}
	}
	return dir
}
