package rule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
)

// suppressing is an image with suppressions; each covers some lines of a.c.
func suppressing(build string, list ...driver.Suppression) driver.Image {
	for i := range list {
		list[i].Place = cmp.Or(list[i].Place, driver.Place{Path: "a.c", Line: list[i].Covers[0].From})
	}
	return driver.Image{Build: driver.Build{ID: build}, Suppressions: list}
}

func lines(from, to int, rules ...string) driver.Suppression {
	return driver.Suppression{Rules: rules, Covers: []driver.Lines{{Path: "a.c", From: from, To: to}}}
}

func TestSuppressed(t *testing.T) {
	images := []driver.Image{
		suppressing("x", lines(10, 20, "30030"), lines(12, 13, "__WARNING_BANNED_MEM_ALLOCATION_UNSAFE", "c30029"), lines(15, 40, "C30030"),
			lines(30, 30, "nx0001"), driver.Suppression{Rules: []string{"NX0002"}, Covers: []driver.Lines{driver.AllOf("p.vcxproj")}}),
		suppressing("y", lines(100, 100, "30030")),
	}
	at := func(path string, line int) driver.Place { return driver.Place{Path: path, Line: line} }
	for _, tt := range []struct {
		rule, build string
		place       driver.Place
		spelled     driver.Place
		by          int // line of the suppression; 0 for none, -1 for that of the build file
	}{
		{"C30030", "x", at("a.c", 9), driver.Place{}, 0},
		{"C30030", "x", at("a.c", 10), driver.Place{}, 10},
		{"C30030", "x", at("a.c", 13), driver.Place{}, 10},
		{"C30030", "x", at("a.c", 20), driver.Place{}, 10},
		{"C30030", "x", at("a.c", 21), driver.Place{}, 15},
		{"C30030", "x", at("a.c", 40), driver.Place{}, 15},
		{"C30030", "x", at("a.c", 41), driver.Place{}, 0},
		{"C30030", "x", at("b.c", 12), driver.Place{}, 0},
		{"C30030", "y", at("a.c", 12), driver.Place{}, 0}, // another build
		{"C30030", "x", at("a.c", 50), at("a.c", 11), 10}, // in a macro that is defined there
		{"C30030", "x", at("a.c", 11), at("a.c", 50), 10},
		{"C30029", "x", at("a.c", 12), driver.Place{}, 12},
		{"C30029", "x", at("a.c", 11), driver.Place{}, 0},
		{"C30032", "x", at("a.c", 12), driver.Place{}, 0}, // another rule of the same request
		{"NX0001", "x", at("a.c", 30), driver.Place{}, 30},
		{"NX0002", "x", driver.Place{Path: "p.vcxproj"}, driver.Place{}, -1},
		{"NX0002", "x", at("p.vcxproj", 7), driver.Place{}, -1},
		{"NX0001", "x", driver.Place{Path: "p.vcxproj"}, driver.Place{}, 0},
		{"NX0001", "x", driver.Place{Path: "a.c"}, driver.Place{}, 0},
	} {
		f := Finding{Rule: &Rule{ID: tt.rule}, Place: tt.place, Builds: []string{tt.build}, Site: &driver.Site{Spelled: tt.spelled}}
		s := silences(images).of(f)
		got := 0
		switch {
		case s != nil && s.Covers[0].Path == "p.vcxproj":
			got = -1
		case s != nil:
			got = s.Covers[0].From
		}
		if got != tt.by {
			t.Errorf("%s in %s at %v (spelled %v): suppressed by %d, want %d", tt.rule, tt.build, tt.place, tt.spelled, got, tt.by)
		}
	}
	// One that compares builds is silent where one of them says so.
	if silences(images).of(Finding{Rule: &Rule{ID: "C30030"}, Place: at("a.c", 100), Builds: []string{"x", "y"}}) == nil {
		t.Error("a finding of two builds that one of them suppresses is not")
	}
}

func TestMergeAndSplit(t *testing.T) {
	r := &Rule{ID: "R"}
	at := driver.Place{Path: "a.c", Line: 1}
	s, other := &driver.Suppression{}, &driver.Suppression{Reason: "other"}
	found, suppressed := Split(Merge([]Finding{
		{Rule: r, Place: at, Builds: []string{"a"}, Suppressed: s},
		{Rule: r, Place: at, Builds: []string{"b"}},
		{Rule: r, Place: at, Builds: []string{"c"}, Suppressed: other},
		{Rule: r, Place: at, Builds: []string{"d"}},
	}))
	if len(found) != 1 || !slices.Equal(found[0].Builds, []string{"b", "d"}) {
		t.Errorf("found: %v", found)
	}
	if len(suppressed) != 1 || !slices.Equal(suppressed[0].Builds, []string{"a", "c"}) {
		t.Errorf("suppressed: %v", suppressed)
	}
}

func TestSuppressionWithoutEffect(t *testing.T) {
	official, ours := &Rule{ID: "C30030", Official: "x"}, &Rule{ID: "NX0003"}
	rules := []*Rule{official, {ID: "C30031", Official: "y"}, ours, {ID: "NX0018"}}
	at := func(line int) driver.Place { return driver.Place{Path: "a.c", Line: line} }
	all := []Finding{
		{Rule: official, Place: at(10), Builds: []string{"x"}},
		{Rule: ours, Place: at(20), Builds: []string{"x"}},
		{Rule: official, Place: at(30), Builds: []string{"x"}, Site: &driver.Site{Spelled: driver.Place{Path: "m.h", Line: 3}}},
	}
	comment := lines(26, 26, "NX0003")
	comment.Comment = true
	unnamed := lines(27, 27)
	unnamed.Comment = true
	images := []driver.Image{
		suppressing("x",
			lines(9, 11, "30030"),           // silences it
			lines(10, 10, "30031"),          // another rule of Microsoft's for the same
			lines(12, 19, "30030"),          // nothing there
			lines(20, 20, "NX0003"),         // silences it
			lines(21, 21, "NX0003"),         // nothing there
			lines(19, 21, "30030"),          // what is there is not Microsoft's
			lines(22, 22, "28751"),          // no rule yet: not judged
			lines(23, 23, "28751", "30030"), // in part
			lines(24, 24, "NX9999"), lines(25, 25, "NX0018"), comment, unnamed,
			driver.Suppression{Place: at(40), Rules: []string{"30030"}, Covers: []driver.Lines{{Path: "m.h", From: 2, To: 4}}}, // where the macro is defined
			driver.Suppression{Place: at(41), Rules: []string{"30030"}, Covers: []driver.Lines{{Path: "m.h", From: 4, To: 9}, {Path: "z.c", From: 1, To: 90}}},
			driver.Suppression{Place: at(50), Rules: []string{"30030"}, Covers: []driver.Lines{{Path: "a.c", From: 50, To: 60}}}),
		suppressing("y", lines(12, 19, "30030"),
			// the same pragma, which covers more in this build
			driver.Suppression{Place: at(50), Rules: []string{"30030"}, Covers: []driver.Lines{{Path: "a.c", From: 1, To: 60}}}),
	}
	var got []string
	for _, f := range checkSuppressions(rules, images, all) {
		got = append(got, fmt.Sprintf("%d %v %s", f.Place.Line, f.Builds, f.Message))
	}
	slices.Sort(got)
	const otherwise = ", which this suppresses; Microsoft's code analysis may judge it otherwise"
	want := []string{
		"12 [x y] nothing here breaks 30030" + otherwise,
		"19 [x] nothing here breaks 30030" + otherwise,
		"21 [x] nothing here breaks NX0003" + otherwise,
		"24 [x] there is no rule NX9999 to suppress",
		"26 [x] nothing here breaks NX0003, which this suppresses",
		"27 [x] the comment names no rule, and suppresses nothing: write nxport:ignore RULE reason",
		"41 [x] nothing here breaks 30030" + otherwise,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What a rule is called by Microsoft's checker names it.
func TestOfficialNames(t *testing.T) {
	for _, r := range All() {
		for _, word := range []string{r.ID, strings.TrimPrefix(r.ID, "C"), r.Official, strings.TrimPrefix(r.Official, "__WARNING_")} {
			if word != "" && driver.RuleID(word) != r.ID {
				t.Errorf("%s names %q, want %s", word, driver.RuleID(word), r.ID)
			}
		}
	}
}
