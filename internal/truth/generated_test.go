package truth

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/project"
)

var (
	seed     = flag.Uint64("seed", 1, "of the generated drivers")
	programs = flag.Int("programs", 2000, "how many drivers to generate")
	only     = flag.Int("only", -1, "the number of one driver, to be printed with all that is known of it")
	features = flag.String("features", "", "the only features to use, separated by commas, or all")
)

// batch is how many drivers are compiled into one executable.
const batch = 100

// off are features that scan can't follow to the end yet, or not exactly, with the reason. The drivers that scan must get
// exactly right have none of them, unless they are asked for by -features; of those that it does not get exactly right, it
// must give all that is seen at run, and perhaps more.
var off = map[string]string{
	"array-written":      images,
	"by-name":            images,
	"field-passed":       images,
	"version":            images,
	"version-variable":   images,
	"callback":           "not exact: a function whose address is taken is taken to run after the opt-in call, too",
	"field":              "not exact: writes to a field that run in other order than they stand are all taken to reach a request",
	"global":             "not exact: writes to a variable that run in other order than they stand are all taken to reach a request",
	"global-dynamic":     "not exact: that a C++ initialiser runs before the opt-in call, or never, is not known",
	"lambda":             "the parameter of a lambda or block is not followed",
	"local-twice":        "not exact: of two writes to a local in a loop or block both are taken to reach a request",
	"optin-entry-return": "not exact: what is registered behind the opt-in call is taken to run also where a return in front of it succeeded",
}

// images is said of features that are there for the sake of built images, where they are read otherwise than in the source.
const images = "for built images"

// plain are the features that are no rows of a table.
var plain = []string{"optin", "auto", "mixed", "optout", "files", "early", "defined-in-file", "every-ddi", "deep-wrapper",
	"passed-or", "passed-ternary", "passed-local", "passed-changed", "across", "kept-across", "zero", "if-unsigned", "if-long", "if-line", "if-character", "if-kit"}

// TestGenerated holds that scan gives for each request of generated drivers exactly what it is at run. To see one of them:
//
//	go test ./internal/truth -run Generated -seed 1 -only 1234
func TestGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("what a driver gets is known by running it, which needs clang")
	}
	on := chosen(t, false)
	t.Logf("seed %d", *seed)
	if *only >= 0 {
		p := generate(*seed, *only, on)
		t.Log("\n" + listing(p))
		seen := run(t, []program{p})[p.name]
		for _, r := range slices.SortedFunc(maps.Keys(seen), func(a, b request) int { return strings.Compare(a.String(), b.String()) }) {
			t.Logf("run: %s %s", r, show(seen[r]))
		}
		report(t, p, seen, true)
		return
	}
	batches(t, *programs, on, true)
}

// TestGeneratedHolds holds that scan gives at least what is seen at run, where it can't be exact.
func TestGeneratedHolds(t *testing.T) {
	if testing.Short() {
		t.Skip("what a driver gets is known by running it, which needs clang")
	}
	t.Logf("seed %d", *seed)
	if *only < 0 {
		batches(t, *programs/2, chosen(t, true), false)
	}
}

const inexact = "not exact: "

func batches(t *testing.T, programs int, on map[string]bool, exact bool) {
	for from := 0; from < programs; from += batch {
		t.Run(fmt.Sprint(from), func(t *testing.T) {
			t.Parallel()
			var list []program
			for i := from; i < min(from+batch, programs); i++ {
				list = append(list, generate(*seed, i, on))
			}
			seen := run(t, list)
			for _, p := range list {
				report(t, p, seen[p.name], exact)
			}
		})
	}
}

func report(t *testing.T, p program, seen answers, exact bool) {
	t.Helper()
	if list := differences(p, seen, scan(t, p), exact); len(list) > 0 {
		t.Errorf("%s:\n%s", p.name, strings.Join(list, "\n"))
	}
}

// chosen are the features to use: all that scan follows exactly, and perhaps those that it does not.
func chosen(t *testing.T, too bool) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, name := range plain {
		all[name] = true
	}
	for _, s := range statements(project.CXX) {
		all[s.feature] = true
	}
	for _, v := range values() {
		all[v.feature] = true
	}
	for _, o := range optIns() {
		all[o.feature] = true
	}
	on := map[string]bool{}
	for name := range all {
		on[name] = *features == "all" || *features == "" && (off[name] == "" || too && strings.HasPrefix(off[name], inexact))
	}
	if *features != "" && *features != "all" {
		for name := range strings.SplitSeq(*features, ",") {
			if !all[name] {
				t.Fatalf("no feature %q: want of %v", name, slices.Sorted(maps.Keys(all)))
			}
			on[name] = true
		}
	}
	for name := range off {
		if !all[name] {
			t.Fatalf("%s is off, but no feature", name)
		}
	}
	return on
}
