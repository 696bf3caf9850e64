package truth

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/image"
	"github.com/nxport/nxport/nx"
)

var (
	howMany = flag.Int("images", byDefault, "how many drivers to compile for Windows, half of them with features that are read exactly")
	kept    = flag.String("keep", "", "a directory to build drivers in, which are left there; all that is known of them is printed")
	losses  = flag.Bool("losses", false, "name lines that have no call in an image, or whose values are not known")
	made    = flag.String("made", "", "the only way to make images, as \"clang x64 -O2\"")
)

// notBuilt are features that images do not have.
var notBuilt = map[string]string{
	"global-dynamic": "what is run natively runs C++ initialisers; a driver never does",
}

// wide are features of which an image is read to give all that is seen at run, and perhaps more.
var wide = map[string]string{
	"array-written":      "which element is written, or read, is not known",
	"field-passed":       "what is written through a pointer to a structure counts as well as what its field starts with",
	"optin-entry-return": "what is registered behind the opt-in call is taken to run also where a return in front of it succeeded",
	"optin-loop":         "a loop that does not turn leaves the call out",
	"optin-parameter":    "the flags of the call come from the caller",
	"version-variable":   "a compiler makes a flag of such a variable, and what hangs on a flag is not followed",
}

// byDefault is how many drivers CI compiles. Of fewer, a share of the lines says nothing: they are not held to the bounds.
const byDefault = 1000

// bounds are how many of the lines may be what, in hundredths of a percent.
var bounds = []struct {
	what string
	of   func(*tally) int
	most int
}{
	{"not known", func(a *tally) int { return a.unknowns() }, 400},
	{"wider than what is seen", func(a *tally) int { return a.wide }, 60},
	{"only compared together with others", func(a *tally) int { return a.merged }, 230},
	{"without a call, where one must be", func(a *tally) int { return a.gone }, 15},
}

// TestImages holds that what is read of a built image is exactly what the driver asks for at run. Each driver is built in one of the
// ways. To see one of them:
//
//	go test ./internal/truth -v -run 'TestImages$' -seed 1 -only 1234 -made "clang x64 -O2"
func TestImages(t *testing.T) { generatedImages(t, true) }

// TestImagesHold holds that what is read has at least what is seen at run, where it can't be exact.
func TestImagesHold(t *testing.T) { generatedImages(t, false) }

func generatedImages(t *testing.T, exact bool) {
	if testing.Short() {
		t.Skip("needs compilers")
	}
	t.Logf("seed %d", *seed)
	on := chosen(t, true)
	for name := range on {
		on[name] = notBuilt[name] == "" && (!exact || wide[name] == "") && (*features == "" || on[name])
	}
	libraries := importLibraries(t)
	start := time.Now()
	list := ways()
	table := make([]tally, len(list))
	t.Run("by", func(t *testing.T) {
		for i, w := range list {
			if *made != "" && w.String() != *made || *only >= 0 && *made == "" && *only%len(list) != i {
				continue
			}
			t.Run(w.String(), func(t *testing.T) {
				t.Parallel()
				var programs []program
				for n := i; n < *howMany/2 && *only < 0; n += len(list) {
					programs = append(programs, generate(*seed, n, on))
				}
				if *only >= 0 {
					programs = []program{generate(*seed, *only, on)}
					t.Log("\n" + listing(programs[0]))
				}
				table[i] = judgeImages(t, w, libraries, programs, exact)
			})
		}
	})
	t.Logf("\n%s\nin %.0f s", tallies(list, table), time.Since(start).Seconds())
	if *only < 0 && *features == "" && *howMany >= byDefault {
		holdBounds(t, table, exact)
	}
}

func holdBounds(t *testing.T, table []tally, exact bool) {
	all := tally{unknown: map[string]int{}}
	for _, a := range table {
		all.add(a)
	}
	for _, b := range bounds {
		if n := b.of(&all); n*10000 > all.lines*b.most && (exact || b.what != "wider than what is seen") {
			t.Errorf("%d of %d lines are %s: want %.1f %% at most", n, all.lines, b.what, float64(b.most)/100)
		}
	}
}

// TestDriverImages holds the same of the self-written drivers. Each is built by each compiler, at levels that take turns.
func TestDriverImages(t *testing.T) {
	if testing.Short() {
		t.Skip("needs compilers")
	}
	names, err := filepath.Glob("testdata/drivers/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no drivers", err)
	}
	libraries := importLibraries(t)
	list := ways()
	table := make([]tally, len(list))
	t.Run("by", func(t *testing.T) {
		for i, w := range list {
			t.Run(w.String(), func(t *testing.T) {
				t.Parallel()
				var programs []program
				for n, name := range names {
					if (n+i/len(levels))%len(levels) == i%len(levels) {
						programs = append(programs, readDriver(t, name).program)
					}
				}
				table[i] = judgeImages(t, w, libraries, programs, true)
			})
		}
	})
	t.Logf("\n%s", tallies(list, table))
	all := tally{unknown: map[string]int{}}
	for _, a := range table {
		all.add(a)
	}
	if n := all.unknowns(); n*100 > all.lines*unknownOfDrivers {
		t.Errorf("%d of %d lines are not known: want %d %% at most", n, all.lines, unknownOfDrivers)
	}
}

// unknownOfDrivers is how many percent of the lines of the drivers may not be known.
const unknownOfDrivers = 4

// judgeImages builds programs, reads their images, runs the programs natively and compares.
func judgeImages(t *testing.T, w way, libraries string, programs []program, exact bool) tally {
	all := tally{unknown: map[string]int{}, inexact: !exact, apart: w.level == "-O0"}
	if len(programs) == 0 {
		return all
	}
	var flags []string
	if w.processor == nx.ARM64 {
		flags = []string{"-DKIT_ARM64"}
	}
	seen := run(t, programs, flags...)
	dir := t.TempDir()
	if *kept != "" {
		dir = filepath.Join(*kept, strings.ReplaceAll(w.String(), " ", "-"))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range programs {
		sys := w.build(t, dir, libraries, p)
		clock := time.Now()
		sites := imageSites(t, sys, dir)
		wrongs := all.wrongs
		all.reading += time.Since(clock)
		if *only >= 0 || *kept != "" {
			logImage(t, seen[p.name], sites, sys)
		}
		if list := all.compare(exported(seen[p.name]), sites); len(list) > 0 {
			t.Logf("%s:\n%s", p.name, strings.Join(list, "\n"))
		}
		if all.wrongs > wrongs {
			t.Fail()
		}
		if *kept == "" {
			if err := os.RemoveAll(filepath.Join(dir, p.name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

func logImage(t *testing.T, seen answers, sites []imageSite, sys string) {
	for _, r := range slices.SortedFunc(maps.Keys(seen), func(a, b request) int { return strings.Compare(a.String(), b.String()) }) {
		t.Logf("run: %s %s", r, show(seen[r]))
	}
	for _, s := range sites {
		t.Logf("image: %#x %s %s %s", s.spot.RVA, s.request, show(s.values), s.unknown)
		for _, step := range s.steps {
			t.Logf("    %s", step.Says)
		}
	}
	t.Logf("\n%s", command(t, filepath.Dir(sys), "llvm-objdump-19", "-d", "--no-show-raw-insn", "-l", sys))
}

// imageSite is a request of an image: where its own code stands in the source, and what it asks for.
type imageSite struct {
	request // without a line where the image tells none
	values  map[string][]uint32
	unknown string
	spot    *driver.Spot
	steps   []driver.Step
}

func imageSites(t *testing.T, path, dir string) []imageSite {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := image.Parse(path, data)
	if err != nil {
		t.Fatal(err)
	}
	d := m.Driver(nx.DDIs(), func(name string) string { return strings.TrimPrefix(name, filepath.ToSlash(dir)+"/") })
	var list []imageSite
	for _, site := range d.Sites {
		s := imageSite{request: request{ddi: site.DDI.Name}, unknown: site.Value.Unknown, spot: site.Spot, steps: site.Value.Steps}
		if f, ok := driver.Own(site.Spot.Frames); ok && f.Line > 0 {
			s.path, s.line = f.Path, f.Line
		}
		read := answersOf([]driver.Image{{Sites: []driver.Site{site}}})
		for _, on := range read.answers {
			s.values = on
		}
		list = append(list, s)
	}
	return list
}

// adds are what inline functions of the kit add to the value on its way to the export that they call.
var adds = map[string]uint32{"ExAllocatePoolZero": 1024, "ExAllocatePoolQuotaZero": 1024, "ExAllocatePoolPriorityZero": 1024}

// exported gives what was seen as the exports see it, that macros and inline functions come down to.
func exported(seen answers) answers {
	all := answers{}
	for r, on := range seen {
		to := r
		for _, d := range nx.DDIs() {
			if d.Name == r.ddi && d.Over != "" {
				to.ddi = d.Over
			}
		}
		for windows, values := range on {
			for _, v := range values {
				all.add(to, windows, v|adds[r.ddi])
			}
		}
	}
	return all
}

// tally counts what came of the requests of images that were made in one way.
type tally struct {
	inexact                     bool // what is wide is not named
	apart                       bool // the compiler makes one call of several nowhere: a line without a call is gone
	programs, sites, lines      int
	exact, merged, wide, wrongs int
	lost                        int // of the merged lines those that have no call
	gone                        int // lines that have no call, which no other can stand for
	unknown                     map[string]int
	reading                     time.Duration
}

// unknowns is how many lines are not known.
func (a *tally) unknowns() int {
	n := 0
	for _, of := range a.unknown {
		n += of
	}
	return n
}

func (a *tally) add(b tally) {
	a.lines += b.lines
	a.merged += b.merged
	a.gone += b.gone
	a.wide += b.wide
	for why, n := range b.unknown {
		a.unknown[why] += n
	}
}

// compare holds the requests of an image against a run and gives a line for each that is wrong. What is compared is the set of
// values of all calls of a routine that the image has for a line. Where a compiler has made one call of several, it stands at one of
// their lines or at none, and its values are those of all of them: so for the lines of a routine whose values differ, and for
// those without a call, it is the set of all values of the routine. These are counted apart.
func (a *tally) compare(want answers, sites []imageSite) []string {
	a.programs++
	a.sites += len(sites)
	a.lines += len(want)
	var list []string
	for _, ddi := range routines(want, sites) {
		g := newGroup(ddi, want, sites)
		list = append(list, g.judge(a)...)
	}
	return list
}

func routines(want answers, sites []imageSite) []string {
	names := map[string]bool{}
	for r := range want {
		names[r.ddi] = true
	}
	for _, s := range sites {
		names[s.ddi] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// group is what is known of one routine in one image.
type group struct {
	want, got answers
	unknown   map[request]string // of the lines whose values are not all known
	strays    answers            // of calls at lines that never ask, or at none
}

func newGroup(ddi string, want answers, sites []imageSite) group {
	g := group{answers{}, answers{}, map[request]string{}, answers{}}
	for r, on := range want {
		if r.ddi == ddi {
			g.want[r] = on
		}
	}
	for _, s := range sites {
		if s.ddi != ddi {
			continue
		}
		to := g.got
		if g.want[s.request] == nil {
			to = g.strays
		}
		if to[s.request] == nil {
			to[s.request] = map[string][]uint32{}
		}
		for windows, values := range s.values {
			if on := g.want[s.request]; on != nil && on[windows] == nil {
				continue // what is only asked for on another Windows
			}
			for _, v := range values {
				to.add(s.request, windows, v)
			}
		}
		if s.unknown != "" {
			g.unknown[s.request] = s.unknown
		}
	}
	return g
}

func union(all ...answers) map[string][]uint32 {
	u := answers{}
	for _, a := range all {
		for _, on := range a {
			for windows, values := range on {
				for _, v := range values {
					u.add(request{}, windows, v)
				}
			}
		}
	}
	return u[request{}]
}

// judge counts the lines of a group and says what is wrong.
func (g group) judge(a *tally) []string {
	var list []string
	say := func(kind string, r request, format string, args ...any) {
		list = append(list, kind+" "+r.String()+": "+fmt.Sprintf(format, args...))
	}
	lost := answers{}
	for r, on := range g.want {
		if g.got[r] == nil {
			lost[r] = on
		}
	}
	all := union(g.got, g.strays)
	for r, on := range g.want {
		got, why := g.got[r], g.unknown[r]
		switch {
		case why != "":
			a.unknown[why]++
			if *losses {
				say("unknown", r, "run asks for %s, %s", show(on), why)
			}
		case got == nil && !a.apart && (holds(all, on) || len(g.unknown) > 0):
			a.merged++
			a.lost++
			if *only >= 0 || *losses {
				say("no call", r, "run asks for %s", show(on))
			}
		case got == nil:
			a.gone++
			say("lost", r, "run asks for %s, the image has no such request", show(on))
		case show(got) == show(on):
			a.exact++
		case holds(got, on) && len(lost)+len(g.strays) > 0 && holds(union(lost, answers{r: on}), got):
			a.merged++
		case holds(got, on):
			if a.wide++; a.inexact {
				continue
			}
			say("wide", r, "run asks for %s, image gives %s", show(on), show(got))
		case len(lost)+len(g.strays) > 0 && (holds(all, on) || len(g.unknown) > 0):
			a.merged++
		default:
			a.wrongs++
			say("wrong", r, "run asks for %s, image gives %s", show(on), show(got))
		}
	}
	for r, on := range g.strays {
		switch {
		case g.unknown[r] != "" && (len(lost) > 0 || r.line > 0): // code that a compiler kept and nobody calls
			a.unknown[g.unknown[r]]++
		case g.unknown[r] == "" && r.line == 0 && !holds(union(g.want), on):
			if a.wide++; !a.inexact {
				say("wide", r, "image gives %s, run never asks for all of it", show(on))
			}
		case g.unknown[r] == "" && r.line == 0, len(lost) > 0 && holds(union(lost), on):
			a.merged++
		default:
			a.wrongs++
			say("stray", r, "image gives %s, run never asks %s", show(on), g.unknown[r])
		}
	}
	slices.Sort(list)
	return list
}

var addresses = regexp.MustCompile(`0x[0-9a-f]+`)

// tallies is what the test prints.
func tallies(list []way, table []tally) string {
	var b strings.Builder
	const row = "%-16s %8v %6v %6v %6v %6v %6v %6v %6v %6v %6v %8v\n"
	fmt.Fprintf(&b, row, "", "programs", "sites", "lines", "exact", "merged", "lost", "gone", "unkn.", "wide", "wrong", "reading")
	reasons := map[string]int{}
	for i, w := range list {
		a := table[i]
		if a.programs == 0 {
			continue
		}
		for why, n := range a.unknown {
			reasons[addresses.ReplaceAllString(why, "0x...")] += n
		}
		fmt.Fprintf(&b, row, w, a.programs, a.sites, a.lines, a.exact, a.merged, a.lost, a.gone, a.unknowns(), a.wide, a.wrongs, a.reading.Round(time.Millisecond))
	}
	for _, why := range slices.SortedFunc(maps.Keys(reasons), func(a, b string) int { return reasons[b] - reasons[a] }) {
		fmt.Fprintf(&b, "%6d unknown: %s\n", reasons[why], why)
	}
	return b.String()
}
