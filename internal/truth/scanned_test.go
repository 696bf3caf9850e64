package truth

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/source"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// scanned are the requests of a program as the source front end gives them.
type scanned struct {
	answers
	unknown map[request]string // why a value is not known
	// spelled says where the routine's name stands of a request that stands elsewhere for the reader, as at a new.
	spelled map[request]request
}

// scan reads a program. Its library is a build of its own, which the driver's build is linked with.
func scan(t *testing.T, p program) scanned {
	t.Helper()
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string][]byte{}
	for name, text := range p.files {
		overlay[name] = []byte(text)
	}
	r := source.Read(tr.With(overlay), builds(p), source.Options{DDIs: nx.DDIs()})
	for _, u := range r.Unreadable {
		t.Errorf("%s: %s", u.Path, u.Why)
	}
	return answersOf(r.Images)
}

func builds(p program) []*project.Build {
	main := &project.Build{Build: driver.Build{ID: p.name, Processor: nx.X64, Entries: []string{"DriverEntry"}}}
	library := &project.Build{Build: driver.Build{ID: p.name + "_library", Processor: nx.X64, Library: true}}
	for _, u := range p.units {
		o := &project.Options{Processor: nx.X64, Language: u.language}
		for _, d := range u.defines {
			name, value, _ := strings.Cut(d, "=")
			o.Defines = append(o.Defines, project.Define{Name: name, Value: value})
		}
		b := main
		if u.library {
			b = library
		}
		b.Units = append(b.Units, &project.Unit{Path: u.path, Options: o})
	}
	if len(library.Units) == 0 {
		return []*project.Build{main}
	}
	main.Links = []string{library.ID}
	return []*project.Build{main, library}
}

func answersOf(images []driver.Image) scanned {
	s := scanned{answers{}, map[request]string{}, map[request]request{}}
	for _, m := range images {
		for _, site := range m.Sites {
			r := request{site.Place.Path, site.Place.Line, site.DDI.Name}
			s.unknown[r] = cmp.Or(s.unknown[r], site.Value.Unknown)
			if site.Spelled.Line > 0 {
				s.spelled[r] = request{site.Spelled.Path, site.Spelled.Line, site.DDI.Name}
			}
			for _, v := range versions {
				w, err := nx.ParseVersion(v)
				if err != nil {
					panic(err)
				}
				values := site.On(w).Values
				if site.DDI.Argument == 0 {
					values = []uint32{0} // the kit's stub says so
				}
				for _, value := range values {
					s.add(r, v, value)
				}
			}
		}
	}
	return s
}

// move gives a request that was not seen where it stands for the reader the place where its routine's name stands, if it was
// seen there: a run knows macros, but not the new that led to an operator new.
func (s scanned) move(seen answers) {
	for r, to := range s.spelled {
		if seen[r] != nil || seen[to] == nil {
			continue
		}
		for windows, values := range s.answers[r] {
			for _, value := range values {
				s.add(to, windows, value)
			}
		}
		s.unknown[to] = cmp.Or(s.unknown[to], s.unknown[r])
		delete(s.answers, r)
		delete(s.unknown, r)
	}
}

// differences compares what was seen with what was read, a line for each request they differ on: where that is to be exact,
// and else where scan lacks what was seen.
func differences(p program, seen answers, read scanned, exact bool) []string {
	var list []string
	say := func(r request, format string, args ...any) {
		list = append(list, r.String()+": "+fmt.Sprintf(format, args...))
	}
	read.move(seen)
	for r, on := range seen {
		if _, found := read.unknown[r]; !found {
			say(r, "run asks for %s, scan has no such request", show(on))
		}
	}
	for r, why := range read.unknown {
		switch {
		case !exact && (why != "" || holds(read.answers[r], seen[r])):
		case why != "" && slices.ContainsFunc(p.unknowable, func(name string) bool { return strings.Contains(why, name) }):
		case seen[r] == nil:
			say(r, "scan gives %s, run never asks", show(read.answers[r]))
		case why != "":
			say(r, "run asks for %s, scan does not know %s", show(seen[r]), why)
		case show(seen[r]) != show(read.answers[r]):
			say(r, "run asks for %s, scan gives %s", show(seen[r]), show(read.answers[r]))
		}
	}
	slices.Sort(list)
	return list
}

// holds says whether the first has all values of the second.
func holds(all, some map[string][]uint32) bool {
	for windows, values := range some {
		if slices.ContainsFunc(values, func(v uint32) bool { return !slices.Contains(all[windows], v) }) {
			return false
		}
	}
	return true
}

// show gives the values on each Windows.
func show(on map[string][]uint32) string {
	var parts []string
	for _, v := range versions {
		parts = append(parts, fmt.Sprintf("%s:%x", v, on[v]))
	}
	return strings.Join(parts, " ")
}

// listing is the text of a program with numbered lines.
func listing(p program) string {
	var b strings.Builder
	names := make([]string, 0, len(p.files))
	for name := range p.files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, u := range p.units {
		fmt.Fprintf(&b, "unit %s %s %s\n", u.path, u.language, strings.Join(u.defines, " "))
	}
	for _, name := range names {
		fmt.Fprintf(&b, "-- %s --\n", name)
		n := 0
		for line := range strings.Lines(p.files[name]) {
			n++
			fmt.Fprintf(&b, "%3d %s", n, line)
		}
	}
	return b.String()
}
