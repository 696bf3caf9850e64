// Package compiles holds what a compiler says of a tree against what it says of the tree's port: a port must not bring up
// errors. It needs a clang, which reads the ported text by an overlay of files, so that nothing is written into the tree; and
// it takes names without regard to case, as Windows does.
package compiles

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/internal/port"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/scan"
	"github.com/nxport/nxport/internal/tree"
)

// Outcome is what came of one tree.
type Outcome struct {
	Tree    string
	Goal    port.Goal
	Took    string // the mechanism that the port came to, "by minimum" where each driver's lowest Windows decides
	Refused string // why nothing was ported
	Builds  int    // that the port reaches
	Units   int    // compiled before and after, each with its options once
	Clean   int    // those without an error before
	Stopped int    // those that the compiler gives up half way, so that little is known of them
	Blind   int    // those in which the kit's own headers have errors before, so that more of these there say nothing
	Before  int    // errors
	After   int
	New     []Error
}

// Failed says whether the port brings up an error, or could not be made.
func (o Outcome) Failed() bool { return len(o.New) > 0 || o.Refused != "" }

// pair is a unit with the options that it has before the port and after it.
type pair struct {
	build         string // the first that has it
	before, after *project.Unit
}

// Run compiles what a port of dir changes, as it was and as it is then.
func Run(name, dir string, r *port.Result, c Compiler, o scan.Options) (Outcome, error) {
	out := Outcome{Tree: name, Took: cmp.Or(string(r.Goal.Mechanism), "by minimum")}
	list, builds, err := pairs(dir, r, o)
	if err != nil || len(list) == 0 {
		return out, err
	}
	out.Builds, out.Units = builds, len(list)
	temp, err := os.MkdirTemp("", "compiles")
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(temp)
	if err := os.MkdirAll(filepath.Join(temp, stubs), 0o755); err != nil { // clang takes no notice of a directory that is not there
		return out, err
	}
	two, err := overlays(temp, dir, c.Kit, r.Changes)
	if err != nil {
		return out, err
	}
	said := make([][2][]Error, len(list))
	for i := range 2 { // headers that are missing are found before the port
		if err := each(c.Jobs, len(list), func(n int) (err error) {
			u := list[n].before
			if i == 1 {
				u = list[n].after
			}
			said[n][i], err = c.compile(u, list[n].build, two[i], filepath.Join(temp, stubs))
			return err
		}); err != nil {
			return out, err
		}
	}
	for _, s := range said {
		out.add(s[0], s[1])
	}
	slices.SortFunc(out.New, Error.compare)
	out.New = slices.CompactFunc(out.New, func(a, b Error) bool { return a.At == b.At && a.Says == b.Says })
	return out, nil
}

// each runs f for 0 to n-1, so many at once, and gives an error of one of them.
func each(jobs, n int, f func(int) error) error {
	var wg sync.WaitGroup
	errs := make([]error, n)
	next := make(chan int)
	for range max(jobs, 1) {
		wg.Go(func() {
			for i := range next {
				errs[i] = f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// add counts the errors of one unit.
func (o *Outcome) add(before, after []Error) {
	o.Before += len(before)
	o.After += len(after)
	if len(before) == 0 {
		o.Clean++
	}
	if slices.ContainsFunc(before, func(e Error) bool { return e.Fatal }) {
		o.Stopped++
	}
	blind := slices.ContainsFunc(before, func(e Error) bool { return e.InKit })
	if blind {
		o.Blind++
	}
	known := map[string]int{}
	for _, e := range before {
		known[e.key()]++
	}
	for _, e := range after {
		if known[e.key()]--; known[e.key()] < 0 && !(blind && e.InKit) {
			o.New = append(o.New, e)
		}
	}
}

// pairs gives the units that the port reaches: their options are others, or their text, or that of some header.
func pairs(dir string, r *port.Result, o scan.Options) (list []pair, builds int, err error) {
	t, err := tree.New([]string{dir})
	if err != nil {
		return nil, 0, err
	}
	changed := map[string][]byte{}
	headers := false
	for _, c := range r.Changes {
		changed[c.Path] = c.New
		headers = headers || isHeader(c)
	}
	ported, err := project.Load(t.With(changed), []string{dir}, o.Load)
	if err != nil {
		return nil, 0, err
	}
	old := map[string]*project.Unit{}
	for _, b := range r.First.Set.Builds {
		for _, u := range b.Units {
			old[b.ID+"\x00"+u.Path] = u
		}
	}
	seen := map[string]bool{}
	for _, b := range ported.Builds {
		reached := false
		for _, u := range b.Units {
			p := pair{b.ID, old[b.ID+"\x00"+u.Path], u}
			if p.before == nil {
				return nil, 0, fmt.Errorf("%s: %s is no file of it before the port", b.ID, u.Path)
			}
			was, is := options(p.before), options(u)
			if was == is && changed[u.Path] == nil && !headers {
				continue
			}
			reached = true
			if key := u.Path + "\x00" + was + "\x00" + is; !seen[key] {
				seen[key] = true
				list = append(list, p)
			}
		}
		if reached {
			builds++
		}
	}
	return list, builds, nil
}

func options(u *project.Unit) string { return strings.Join(arguments(u), "\x00") }

// headers are the endings of what units include, as far as it is no unit itself.
var headers = strings.Fields(".h .hh .hpp .hxx .inc .inl")

func isHeader(c edit.Change) bool {
	return slices.Contains(headers, strings.ToLower(filepath.Ext(c.Path)))
}
