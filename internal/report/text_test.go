package report

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// scanOf gives a scan of a tree that holds these files.
func scanOf(t *testing.T, files map[string]string) *Scan {
	t.Helper()
	disk, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string][]byte{}
	for name, text := range files {
		overlay[name] = []byte(text)
	}
	return &Scan{Tree: disk.With(overlay)}
}

// wideText encodes text as UTF-16 with a byte order mark.
func wideText(order binary.AppendByteOrder, text string) string {
	var data []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		data = order.AppendUint16(data, unit)
	}
	return string(data)
}

// framed is what is shown of a place, at a width.
func framed(r *Scan, p driver.Place, width int) string {
	var b strings.Builder
	c := newConsole(&b, View{Width: width})
	c.frame(r, p, red)
	c.Flush()
	return b.String()
}

// The line of a place is shown as a person reads it, whatever its encoding; the mark stands below the place's word.
func TestFrame(t *testing.T) {
	const utf8 = "int a;\r\n\tint \u00e9 = bc;\r\n"
	r := scanOf(t, map[string]string{
		"utf8.c": utf8, "big.c": wideText(binary.BigEndian, utf8), "little.c": wideText(binary.LittleEndian, utf8),
		"bom.c": "\ufeffint a;\n", "latin.c": "\xe9 b;\n", "wide.c": "\u65e5\u672c\u8a9e b;\n", "joined.c": "e\u0301 b;\n",
		"evil.c": "\x1b[2J\u202e b;\r", "tabs.c": "ab\tcd\te;\n", "end.c": "x", "long.c": strings.Repeat("a ", 4000) + "b" + strings.Repeat(" c", 4000),
	})
	at := strings.Index(utf8, "bc;")
	const want = "   2 |     int \u00e9 = bc;\n     |             ^~\n"
	for _, tt := range []struct {
		path         string
		line, offset int
		want         string
	}{
		{"utf8.c", 2, at, want},
		{"big.c", 2, 2 + 2*(at-1), want}, // the mark has two bytes, and one letter has two in UTF-8
		{"little.c", 2, 2 + 2*(at-1), want},
		{"bom.c", 1, 7, "   1 | int a;\n     |     ^\n"},
		{"bom.c", 1, 3, "   1 | int a;\n     | ^~~\n"},
		{"latin.c", 1, 2, "   1 | \ufffd b;\n     |   ^\n"},
		{"wide.c", 1, 10, "   1 | \u65e5\u672c\u8a9e b;\n     |        ^\n"}, // each takes two columns
		{"joined.c", 1, 4, "   1 | e\u0301 b;\n     |   ^\n"},
		{"evil.c", 1, 8, "   1 | \u241b[2J\ufffd b;\n     |       ^\n"},
		{"tabs.c", 1, 3, "   1 | ab  cd  e;\n     |     ^~\n"},
		{"tabs.c", 1, 6, "   1 | ab  cd  e;\n     |         ^\n"},
		{"end.c", 1, 1, "   1 | x\n     |  ^\n"},
		{"end.c", 1, 2, ""},   // behind the end
		{"none.c", 1, 1, ""},  // no such file
		{"utf8.c", 0, 0, ""},  // no line is known
		{"big.c", 1, 1, ""},   // in the mark
		{"utf8.c", 23, 0, ""}, // no offset is known
	} {
		if got := framed(r, driver.Place{Path: tt.path, Line: tt.line, Column: 1, Offset: tt.offset}, 0); got != tt.want {
			t.Errorf("%s at %d: got\n%s, want\n%s", tt.path, tt.offset, got, tt.want)
		}
	}
	// Of a line without an end, some is shown, on either side.
	got, _, _ := strings.Cut(framed(r, driver.Place{Path: "long.c", Line: 1, Column: 8001, Offset: 8000}, 0), "\n")
	if n := len(got) - len("   1 | "); n != len("...")+2*maxLine+len("...") || !strings.HasPrefix(got, "   1 | ...a a") || !strings.HasSuffix(got, "c c ...") {
		t.Errorf("of a line of 16001 bytes, %d are shown: %.20s", n, got)
	}
}

// On a terminal a frame is as wide as that at most, and the marked word is in it.
func TestFrameWindow(t *testing.T) {
	line := strings.Repeat("left ", 30) + "Request(" + strings.Repeat("right, ", 30) + "0);"
	r := scanOf(t, map[string]string{"a.c": line + "\n" + "\tRequest(" + strings.Repeat("right, ", 30) + "0);\n" + "Request(" + strings.Repeat("\u65e5", 60) + ");\n"})
	for _, width := range []int{40, 80, 132, 1000} {
		for _, p := range []driver.Place{
			{Path: "a.c", Line: 1, Column: 1, Offset: 0}, {Path: "a.c", Line: 1, Column: 151, Offset: 150}, {Path: "a.c", Line: 1, Column: 1, Offset: len(line) - 2},
			{Path: "a.c", Line: 2, Column: 2, Offset: len(line) + 2},
		} {
			text, mark, _ := strings.Cut(framed(r, p, width), "\n")
			mark = strings.TrimSuffix(mark, "\n")
			if wide(text) > width || wide(mark) > width {
				t.Errorf("at %d columns: %d and %d wide:\n%s\n%s", width, wide(text), wide(mark), text, mark)
			}
			s, _ := r.spot(p)
			from := strings.Index(mark, "^")
			if got := text[from:len(mark)]; got != s.word() {
				t.Errorf("at %d columns %q is marked, want %q:\n%s\n%s", width, got, s.word(), text, mark)
			}
		}
	}
	for _, tt := range []struct{ offset, want string }{
		{"end", "   1 | ...ight, right, right, right, 0);\n     |                                ^\n"},
		{"fits", "   2 |     Request(right, right, righ...\n     |     ^~~~~~~\n"},
	} {
		at := map[string]driver.Place{"end": {Path: "a.c", Line: 1, Column: 2, Offset: len(line) - 2}, "fits": {Path: "a.c", Line: 2, Column: 2, Offset: len(line) + 2}}[tt.offset]
		if got := framed(r, at, 40); got != tt.want {
			t.Errorf("at 40 columns: got\n%s, want\n%s", got, tt.want)
		}
	}
	// A word near the right end is not hidden by what is cut there.
	near := scanOf(t, map[string]string{"a.c": strings.Repeat(" ", 25) + "word, and more of the line\n"})
	if got, _, _ := strings.Cut(framed(near, driver.Place{Path: "a.c", Line: 1, Column: 26, Offset: 25}, 40), "\n"); !strings.Contains(got, "word, ") {
		t.Errorf("the word is cut: %s", got)
	}
	// Of a wide character that is cut in half, a space stays.
	wideLine := strings.Repeat("\u65e5", 60)
	for odd := range 2 {
		r := scanOf(t, map[string]string{"w.c": wideLine + strings.Repeat(" ", odd) + "x" + wideLine})
		got, _, _ := strings.Cut(framed(r, driver.Place{Path: "w.c", Line: 1, Column: 2, Offset: odd + len(wideLine)}, 40), "\n")
		if at := strings.Index(got, "x"); wide(got[:at]) != len("     | ")+11 {
			t.Errorf("the word is %d columns in, want 11: %s", wide(got[:at])-len("     | "), got)
		}
	}
	const want = "   1 | ...ft left Request(right, righ...\n     |            ^~~~~~~\n" // a third of the room stands before
	if got := framed(r, driver.Place{Path: "a.c", Line: 1, Column: 151, Offset: 150}, 40); got != want {
		t.Errorf("at 40 columns: got\n%s, want\n%s", got, want)
	}
}

func text(t *testing.T, r *Scan, v View) string {
	t.Helper()
	var b strings.Builder
	if err := Text(&b, r, v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestText(t *testing.T) {
	want := `d.vcxproj: warning NX0001: it is never called
     = in d.vcxproj (Debug|x64)
     = next: Make the call in DriverEntry (in an export driver also in DllInitialize), before the first request, in a file that is itself compiled with POOL_NX_OPTIN (nxport explain NX0001)

dir one/a.c:2:18: warning C30030: ExAllocatePool asks for executable nonpaged pool
   2 | /* é😀 */   p = ALLOC(1);
     |                 ^~~~~
     = from a.h:1: ALLOC expands to ExAllocatePool(NonPagedPool, n)
     = gets 0 (executable) on Windows 7, 10
     = in all 2 builds
     = fix: opt in

dir one/a.c:3:5: suppressed warning C30030: Never asks
   3 | q = Never();
     |     ^~~~~
     = in all 2 builds
     = suppressed by dir one/a.c:2:14: a JIT

dir one/a.c:3:5: note NX0003: too late
   3 | q = Never();
     |     ^~~~~
     = see dir one/a.c:3: the call
     = see from nowhere
     = in all 2 builds
     = next: nothing, at this minimum Windows (nxport explain NX0003)

d.vcxproj (Debug|x64, Release|x64): 1 request, 1 executable on Windows 10; not opted in; minimum Windows 7 (default)

Where: 1 of 1 request in 2 builds executable on Windows 10: d.vcxproj
Why:   1 macro without call (NX0001); 1 not opted in (C30030); 1 no alternative at the minimum Windows (NX0003)
Next:  nxport port d  (1 of 3 findings; --write makes the change), then nxport explain NX0001
`
	r := small(t)
	if diff := cmp.Diff(want, text(t, r, View{Suppressed: true, Port: "nxport port d"})); diff != "" {
		t.Error(diff)
	}
	got := text(t, r, View{Port: "nxport port d"})
	if !strings.Contains(got, "\n1 finding suppressed in the source: --show-suppressed lists what and why.\n") || strings.Contains(got, "Never asks") {
		t.Errorf("what is suppressed is not counted, or shown:\n%s", got)
	}
}

// repeated is a scan with findings that say the same, at these lines of these files; those of odd lines are of another rule.
func repeated(t *testing.T, lines map[string][]int) *Scan {
	r := scanOf(t, nil)
	r.Images = []driver.Image{{Build: driver.Build{ID: "d", Project: "d"}}}
	for path, list := range lines {
		for _, n := range list {
			f := rule.Finding{Rule: ruleByID(t, "C30030"), Level: rule.Warning, Message: "again", Place: driver.Place{Path: path, Line: n, Column: 5, Offset: n}, Builds: []string{"d"}}
			r.Findings = append(r.Findings, f)
		}
	}
	slices.SortStableFunc(r.Findings, func(a, b rule.Finding) int { return a.Place.Compare(b.Place) })
	return r
}

// What repeats is shown a few times; each further place is named once, by line within its file.
func TestFold(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines map[string][]int
		whole int
		want  string // of the folded ones
	}{
		{"few", map[string][]int{"a.c": {1, 2, 3, 4, 5}}, 5, ""},
		{"more", map[string][]int{"a.c": {1, 2, 3, 4, 5, 6}}, 3, "3 more places: warning C30030: again\n     = a.c:4, 5, 6\n     = in d\n"},
		{"files", map[string][]int{"a.c": {1, 2}, "b.c": {7, 9, 20}, "c.h": {3}}, 3, "3 more places: warning C30030: again\n     = b.c:9, 20\n     = c.h:3\n     = in d\n"},
		{"a line with two", map[string][]int{"a.c": {1, 2, 3, 4, 4, 6}}, 3, "3 more places: warning C30030: again\n     = a.c:4, 4:5, 6\n     = in d\n"},
		{"no lines", map[string][]int{"a": {0}, "b": {0}, "c": {0}, "d": {0, 0}, "e": {0}}, 3, "3 more places: warning C30030: again\n     = d\n     = d\n     = e\n"},
	} {
		got := text(t, repeated(t, tt.lines), View{})
		if n := strings.Count(got, ": warning C30030: again") - strings.Count(got, "more place"); n != tt.whole {
			t.Errorf("%s: %d are shown in full, want %d:\n%s", tt.name, n, tt.whole, got)
		}
		if tt.want == "" != !strings.Contains(got, "more place") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got\n%s, want in it\n%s", tt.name, got, tt.want)
		}
	}
	// What says something else is counted apart.
	site := func(bits uint32) *driver.Site {
		return &driver.Site{DDI: nx.DDI{Kind: nx.PoolType, Argument: 1}, Moment: driver.After, Value: driver.Value{Terms: []driver.Term{{Bits: bits}}}}
	}
	for i, change := range []func(*rule.Finding){
		func(f *rule.Finding) { f.Message = "other" }, func(f *rule.Finding) { f.Fix = &rule.Fix{Title: "fix", Safe: true} },
		func(f *rule.Finding) { f.Level = rule.Error }, func(f *rule.Finding) { f.Kept = true }, func(f *rule.Finding) { f.Site = site(16) },
	} {
		r := repeated(t, map[string][]int{"a.c": {1, 2, 3, 4, 5, 6}})
		r.Images[0].Build.Windows = []nx.Version{nx.Windows10}
		for j := range r.Findings {
			r.Findings[j].Site = site(0)
		}
		for j := range 3 {
			change(&r.Findings[j])
		}
		if got := text(t, r, View{}); strings.Contains(got, "more place") {
			t.Errorf("change %d: what differs is folded:\n%s", i, got)
		}
	}
	// The folds stand in the order of what they belong to.
	r := repeated(t, map[string][]int{"a.c": {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}})
	for i := range r.Findings {
		r.Findings[i].Message = []string{"b", "a"}[i%2]
	}
	if _, got, _ := strings.Cut(text(t, r, View{}), "3 more places: warning C30030: b\n"); !strings.Contains(got, "3 more places: warning C30030: a\n") {
		t.Errorf("the folds are out of order:\n%s", got)
	}
}

// Below a finding stands what to do next.
func TestNext(t *testing.T) {
	for want, f := range map[string]rule.Finding{
		"fix: do": {Fix: &rule.Fix{Title: "do", Safe: true}},
		"fix: do; not safe by itself: look at it first (nxport explain NX0003)":                                                   {Fix: &rule.Fix{Title: "do"}},
		"next: nothing, at this minimum Windows (nxport explain NX0003)":                                                          {NoAlternative: true, Kept: true},
		"next: the source itself asks for executable memory; change that, if nothing executes it (nxport explain C30032)":         {Rule: ruleByID(t, "C30032"), Kept: true},
		"next: Move the call in front of the first request, as the first statement of the entry routine (nxport explain NX0003) ": {Level: rule.Warning, Kept: true},
		"next: nxport explain NX0003": {Level: rule.Note},
		"next: Move the call in front of the first request, as the first statement of the entry routine (nxport explain NX0003)": {Level: rule.Warning},
	} {
		if f.Rule == nil {
			f.Rule = ruleByID(t, "NX0003")
		}
		if got := next(f); got != strings.TrimSpace(want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// What has no alternative is a note, and fails nothing even where notes do.
func TestWorst(t *testing.T) {
	none := rule.Finding{Level: rule.Error, NoAlternative: true}
	if _, any := (&Scan{Findings: []rule.Finding{none}}).Worst(); any || level(none) != rule.Note {
		t.Errorf("what has no alternative fails: %v, level %s", any, level(none))
	}
	if worst, any := (&Scan{Findings: []rule.Finding{{Level: rule.Warning}, none, {Level: rule.Note}}}).Worst(); !any || worst != rule.Warning {
		t.Errorf("the worst is %s", worst)
	}
}

// A long derivation is shown in part, with the places of the rest.
func TestSteps(t *testing.T) {
	r := repeated(t, map[string][]int{"a.c": {1}})
	steps := func(n int) (list []driver.Step) {
		for i := range n {
			list = append(list, driver.Step{Place: driver.Place{Path: "s.c", Line: i + 1}, Says: "step"})
		}
		return list
	}
	for n, want := range map[int]string{
		maxSteps + 1: "     = see s.c:7: step\n     = in d\n", maxSteps + 2: "     = see s.c:6: step\n     = see 2 more steps: s.c:7, 8\n     = in d\n",
	} {
		r.Findings[0].Steps = steps(n)
		if got := text(t, r, View{}); !strings.Contains(got, want) {
			t.Errorf("of %d steps: got\n%s, want in it\n%s", n, got, want)
		}
	}
	r.Findings[0].Steps = steps(maxSteps + 2)
	for i := range r.Findings[0].Steps { // of a built driver
		r.Findings[0].Steps[i].Place = driver.Place{Path: "d.sys"}
	}
	if got, want := text(t, r, View{}), "     = see 2 more steps\n"; !strings.Contains(got, want) {
		t.Errorf("of a built driver: got\n%s, want in it\n%s", got, want)
	}
}

// The deciding argument is named where it is not in sight, and what is not known of it is said.
func TestArgument(t *testing.T) {
	line := "p = Call(" + strings.Repeat("x, ", 40) + "Pool);\n"
	r := scanOf(t, map[string]string{"a.c": line + "p = Call(\n  Pool);\n"})
	for _, tt := range []struct {
		place  driver.Place
		steps  []driver.Step
		width  int
		passes bool
	}{
		{place(t, r, "a.c", "Call"), nil, 0, false},
		{place(t, r, "a.c", "Call"), nil, 80, true},
		{place(t, r, "a.c", "Call(\n"), nil, 0, true},
		{place(t, r, "a.c", "Call(\n"), []driver.Step{{Says: "M expands to Call(Pool)"}}, 0, false},
	} {
		r.Findings = []rule.Finding{{Rule: ruleByID(t, "C30030"), Message: "m", Place: tt.place, Site: &driver.Site{Argument: "Pool", Value: driver.Value{Steps: tt.steps, Unknown: "a pointer"}}}}
		got := text(t, r, View{Width: tt.width})
		if strings.Contains(got, "     = passes Pool\n") != tt.passes || !strings.Contains(got, "     = not known: a pointer\n") {
			t.Errorf("at %d columns, %s: passes %v, want %v:\n%s", tt.width, tt.place, !tt.passes, tt.passes, got)
		}
	}
}

// many is a scan of n projects of two builds each; every tenth asks for executable memory.
func many(t *testing.T, n int) *Scan {
	r := scanOf(t, nil)
	for i := range n {
		file := fmt.Sprintf("drivers/number%03d/drv.vcxproj", i)
		for _, configuration := range []string{"Debug|x64", "Release|x64"} {
			m := driver.Image{Build: driver.Build{ID: file + "|" + configuration, Project: file, Minimum: nx.Windows10, MinimumSource: "TargetVersion", Mechanism: nx.None}}
			if i%10 == 0 {
				m.Sites = []driver.Site{{Place: driver.Place{Path: fmt.Sprintf("drivers/number%03d/a.c", i), Line: 1}, DDI: nx.DDI{Kind: nx.Always}}}
			}
			r.Images = append(r.Images, m)
		}
	}
	return r
}

// Builds of which there is nothing to say are counted where there are many, and the others named.
func TestBuilds(t *testing.T) {
	for n, want := range map[int]int{12: 12, 13: 3, 120: 13, 288: 14} { // projects, lines
		got := text(t, many(t, n), View{})
		above, _, _ := strings.Cut(got, "\n\nWhere:")
		if lines := strings.Count(above, "\n") + 1; lines != want {
			t.Errorf("%d lines on %d projects, want %d:\n%s", lines, n, want, above)
		}
		for i := 0; i < n; i += 10 {
			if file := fmt.Sprintf("number%03d/", i); !strings.Contains(above, file) {
				t.Errorf("of %d projects, %s is not named", n, file)
			}
		}
	}
	for _, want := range []string{
		"\nof these, too, something is executable or to say: drivers/number120/drv.vcxproj (Debug|x64, Release|x64), drivers/number130/",
		"\n518 more builds: nothing executable on Windows 10 (518 not opted in)\n",
		"\nWhere: 29 of 29 requests in 576 builds executable on Windows 10: drivers/number000/drv.vcxproj (1), drivers/number010/drv.vcxproj (1), drivers/number020/drv.vcxproj (1), 26 more\n",
	} {
		if got := text(t, many(t, 288), View{}); !strings.Contains(got, want) {
			t.Errorf("of 288 projects: got\n%s, want in it\n%s", got, want)
		}
	}
}

// A build of which something is to say is named, though it asks for nothing executable.
func TestBuildsToName(t *testing.T) {
	for name, change := range map[string]func(*driver.Build){
		"a file differs": func(b *driver.Build) { b.Exceptions = []driver.Exception{{Path: "jit.c", Mechanism: nx.OptedOut}} },
		"no call":        func(b *driver.Build) { b.Initialised = driver.InitNo },
		"late":           func(b *driver.Build) { b.Initialised = driver.InitLate },
		"call not found": func(b *driver.Build) { b.Initialised = driver.InitUnknown },
	} {
		r := many(t, 20)
		change(&r.Images[3].Build)
		for i := range 5 {
			r.Images[4+i].Build.Mechanism = nx.OptInAuto
		}
		got := text(t, r, View{})
		if !strings.Contains(got, "drivers/number001/drv.vcxproj (Release|x64): 0 requests") || !strings.Contains(got, "\n35 more builds: nothing executable on Windows 10 (30 not opted in, 5 POOL_NX_OPTIN_AUTO)\n") {
			t.Errorf("%s: got\n%s", name, got)
		}
		if name == "a file differs" && !strings.Contains(got, "(default)\n  jit.c: opted out by POOL_NX_OPTOUT\n") && !strings.Contains(got, "\n  jit.c: opted out by POOL_NX_OPTOUT\n") {
			t.Errorf("%s: got\n%s", name, got)
		}
	}
	r := many(t, 1)
	r.Dormant = []driver.Site{{State: driver.Unbuilt}, {State: driver.Inactive}, {State: driver.Unbuilt}}
	if got := text(t, r, View{}); !strings.Contains(got, "\n3 more requests not reached: 1 in code that no build compiles, 2 in files of no build.\n") {
		t.Errorf("what no build gets to: got\n%s", got)
	}
}

func TestNames(t *testing.T) {
	r := &Scan{}
	for _, id := range []string{"a|D|x64", "a|R|x64", "a|D|x86", "a|R|x86", "a|T|x86", "b|D|x64", "b|R|x64", "c", "d", "e", "f"} {
		r.Images = append(r.Images, driver.Image{Build: driver.Build{ID: id}})
	}
	in := newBuilds(r)
	for want, ids := range map[string][]string{
		"a (D|x64, R|x64)":                    {"a|D|x64", "a|R|x64"},
		"a (D|x64, R|x64, D|x86, R|x86)":      {"a|D|x64", "a|R|x64", "a|D|x86", "a|R|x86"},
		"a (all 5 builds)":                    {"a|D|x64", "a|R|x64", "a|D|x86", "a|R|x86", "a|T|x86"},
		"b (D|x64, R|x64)":                    {"b|D|x64", "b|R|x64", "b|D|x64"},
		"c, d, e":                             {"c", "d", "e"},
		"c, d, e, 1 more build file":          {"c", "d", "e", "f"},
		"a (D|x64), c, d, 2 more build files": {"a|D|x64", "c", "d", "e", "f"},
	} {
		if got := in.names(ids); got != want {
			t.Errorf("%v are %q, want %q", ids, got, want)
		}
	}
	var all []string
	for _, m := range r.Images {
		all = append(all, m.Build.ID)
	}
	if got := in.names(all); got != "all 11 builds" {
		t.Errorf("all are %q", got)
	}
	if got := Builds([]string{"a|D|x64", "a|R|x64", "a|D|x86", "a|R|x86", "a|T|x86"}); got != "a (D|x64, R|x64, D|x86, 2 more)" {
		t.Errorf("builds are %q", got)
	}
}

// On a terminal, lines are broken between words and nothing else is changed; colours are nothing but that.
func TestConsole(t *testing.T) {
	r := small(t)
	r.Skipped = []project.Skipped{{Path: "app.vcxproj", Why: "user mode: ConfigurationType Application, and some more words for a long line that has to be broken"}}
	plain := text(t, r, View{Port: "p"})
	words := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for _, width := range []int{30, 80, 200} {
		got := text(t, r, View{Width: width, Port: "p"})
		for line := range strings.Lines(got) {
			line = strings.TrimSuffix(line, "\n")
			if wide(line) > width && strings.Contains(strings.TrimSpace(line), " ") && !strings.HasPrefix(line, "Why:") && !strings.HasPrefix(line, "Next:") && !strings.HasPrefix(line, "Where:") {
				t.Errorf("at %d columns %q has %d", width, line, wide(line))
			}
		}
		if width >= 80 && words(got) != words(plain) {
			t.Errorf("at %d columns: got\n%s, want\n%s", width, got, plain)
		}
	}
	// Nothing is gained by breaking where a word would begin as far to the right.
	var b strings.Builder
	c := newConsole(&b, View{Width: 10})
	c.say("", 2, part{"a " + strings.Repeat("b", 20) + " c", bold})
	c.Flush()
	if want := "a " + strings.Repeat("b", 20) + "\n  c\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	coloured := text(t, r, View{Colour: true, Port: "p"})
	if !strings.Contains(coloured, "\x1b[") || regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(coloured, "") != plain {
		t.Errorf("in colour: %q", coloured)
	}
}

// What a tree holds can't command the terminal, wherever it comes to stand in a report.
func TestHostile(t *testing.T) {
	const evil = "x\x1b[2J\x9b\u202e\r\n\x07"
	r := scanOf(t, map[string]string{evil: evil + evil})
	r.Images = []driver.Image{{Build: driver.Build{ID: evil + "|" + evil, Project: evil, MinimumSource: evil, Exceptions: []driver.Exception{{Path: evil}}}}}
	r.Images[0].Sites = []driver.Site{{Place: driver.Place{Path: evil, Line: 1}, DDI: nx.DDI{Kind: nx.Always}}}
	r.Skipped = []project.Skipped{{Path: evil, Why: evil, Shares: []string{evil}}}
	r.Unreadable = r.Skipped
	at := driver.Place{Path: evil, Line: 1, Column: 2, Offset: 1}
	r.Findings = []rule.Finding{{Rule: ruleByID(t, "C30030"), Message: evil, Place: at, Builds: []string{evil + "|" + evil},
		Fix: &rule.Fix{Title: evil}, Steps: []driver.Step{{Place: at, Says: evil}}}}
	r.Suppressed = []rule.Finding{{Rule: ruleByID(t, "C30030"), Message: "m", Place: at, Suppressed: &driver.Suppression{Place: at, Reason: evil}}}
	var lines strings.Builder
	if err := MSBuild(&lines, r, View{Suppressed: true}); err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{text(t, r, View{Suppressed: true}), text(t, r, View{Width: 20, Suppressed: true}), lines.String()} {
		if i := strings.IndexFunc(got, func(c rune) bool { return c != '\n' && visible(c) != c }); i >= 0 {
			t.Errorf("%q is in\n%s", got[i:i+1], got)
		}
	}
	if n := strings.Count(lines.String(), "\n"); n != 2 {
		t.Errorf("%d lines for 2 findings:\n%s", n, lines.String())
	}
}

func TestEnding(t *testing.T) {
	asks := driver.Site{Place: driver.Place{Path: "a.c", Line: 1}, DDI: nx.DDI{Kind: nx.Always}}
	paged := driver.Site{Place: driver.Place{Path: "a.c", Line: 2}, DDI: nx.DDI{Kind: nx.PoolType, Argument: 1}, Moment: driver.After, Value: driver.Value{Terms: []driver.Term{{Bits: 1}}}}
	what := driver.Site{Place: driver.Place{Path: "a.c", Line: 3}, DDI: nx.DDI{Kind: nx.PoolType, Argument: 1}, Moment: driver.After, Value: driver.Value{Unknown: "a pointer"}}
	warn := rule.Finding{Rule: ruleByID(t, "C30030"), Level: rule.Warning}
	fixed, kept, note, none := warn, warn, warn, warn
	fixed.Fix = &rule.Fix{}
	kept.Kept, note.Level, none.NoAlternative = true, rule.Note, true
	// Of a request that is known in one build only, not all is known; the build file with the most stands first.
	unknownThere := what
	unknownThere.Value = paged.Value
	r := &Scan{Images: []driver.Image{
		{Build: driver.Build{ID: "a"}, Sites: []driver.Site{what, asks}}, {Build: driver.Build{ID: "b"}, Sites: []driver.Site{unknownThere, asks, {Place: driver.Place{Path: "b.c"}, DDI: nx.DDI{Kind: nx.Always}}}},
	}}
	if c := count(r); c.unknown != 1 || c.requests != 3 || c.executable != 2 {
		t.Errorf("counted %+v", c)
	} else if got, want := c.where(newBuilds(r), View{}), "2 of 3 requests in 2 builds executable on Windows 10: b (2), a (1)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, tt := range []struct {
		name             string
		sites            []driver.Site
		findings, silent []rule.Finding
		windows          nx.Version
		want             string
	}{
		{"clean", []driver.Site{paged}, nil, nil, nx.Windows10,
			"none of 1 request in 1 build is executable on Windows 10|nothing asks for executable memory|nothing has to be done"},
		{"not known", []driver.Site{paged, what}, nil, nil, nx.Windows10,
			"none of 2 requests in 1 build is executable on Windows 10|nothing that is known asks for executable memory|nothing has to be done"},
		{"fixes", []driver.Site{asks}, []rule.Finding{fixed, fixed}, nil, nx.Windows10,
			"1 of 1 request in 1 build executable on Windows 10: d|2 executable memory requested (C30030)|PORT  (2 of 2 findings; --write makes the change)"},
		{"some fixes", []driver.Site{asks}, []rule.Finding{kept, fixed, fixed}, nil, nx.Windows10,
			"1 of 1 request in 1 build executable on Windows 10: d|2 executable memory requested (C30030); 1 the source itself asks for it (C30030)|PORT  (2 of 3 findings; --write makes the change), then nxport explain C30030"},
		{"no fix", []driver.Site{asks}, []rule.Finding{kept}, nil, nx.Windows10,
			"1 of 1 request in 1 build executable on Windows 10: d|1 the source itself asks for it (C30030)|nxport explain C30030"},
		{"notes", []driver.Site{paged}, []rule.Finding{note}, nil, nx.Windows10,
			"none of 1 request in 1 build is executable on Windows 10|nothing asks for executable memory; 1 executable memory requested (C30030)|nothing has to be done"},
		{"no alternative", []driver.Site{asks}, []rule.Finding{none}, nil, nx.Windows10,
			"1 of 1 request in 1 build executable on Windows 10: d|1 no alternative at the minimum Windows (C30030)|nothing has to be done"},
		{"suppressed", []driver.Site{asks}, nil, []rule.Finding{warn}, nx.Windows10,
			"1 of 1 request in 1 build executable on Windows 10: d|suppressed in the source (1)|nothing has to be done"},
		{"old Windows", []driver.Site{asks}, nil, nil, nx.Windows8,
			"1 of 1 request in 1 build executable on Windows 10: d|no finding: judged up to Windows 8 only|nothing has to be done"},
	} {
		r := &Scan{Images: []driver.Image{{Build: driver.Build{ID: "d", Windows: []nx.Version{tt.windows}}, Sites: tt.sites}}, Findings: tt.findings, Suppressed: tt.silent}
		c := count(r)
		got := strings.Join([]string{c.where(newBuilds(r), View{}), c.why(r), todo(r, View{Port: "PORT"})}, "|")
		if got != tt.want {
			t.Errorf("%s: got\n%s, want\n%s", tt.name, got, tt.want)
		}
	}
	if got := text(t, many(t, 288), View{Width: 80}); !strings.Contains(got, "\nWhere: 29 of 29 requests in 576 builds executable on Windows 10: 29 build files\n") {
		t.Errorf("at 80 columns: %s", got[strings.Index(got, "Where:"):])
	}
}
