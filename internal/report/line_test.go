package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

func inFile(line, column int) driver.Place {
	return driver.Place{Path: "a.c", Line: line, Column: column, Offset: 100*line + column}
}

func named(t *testing.T, name string) nx.DDI {
	t.Helper()
	list := nx.DDIs()
	i := slices.IndexFunc(list, func(d nx.DDI) bool { return d.Name == name })
	if i < 0 {
		t.Fatalf("no DDI %s", name)
	}
	return list[i]
}

// request is one with the terms that its argument can be.
func requestOf(d nx.DDI, m nx.Mechanism, at driver.Moment, terms ...driver.Term) driver.Site {
	return driver.Site{Place: inFile(3, 5), DDI: d, Mechanism: m, Moment: at, Value: driver.Value{Terms: terms}}
}

func termOf(name string, in nx.Mechanism, at driver.Moment) driver.Term {
	return driver.Term{Tokens: []driver.Token{{Name: name, In: in, At: at}}}
}

// lines explains line 3 of a.c, without the last two lines.
func lines(t *testing.T, a Asked, r *Scan) string {
	t.Helper()
	disk, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Tree, a.Path, a.Line = disk, "a.c", 3
	var b strings.Builder
	if err := Line(&b, r, a); err != nil {
		t.Fatal(err)
	}
	text, ok := strings.CutSuffix(b.String(), fmt.Sprintf("\nRead:  (%s).\n", plural(len(r.Images), "build")))
	if !ok {
		t.Errorf("it does not end in what was read:\n%s", b.String())
	}
	return text
}

// What is said of the opt-in: by which mechanism, in whose file, and when the request runs.
func TestOptInOf(t *testing.T) {
	pool, lookaside, query := named(t, "ExAllocatePoolWithTag"), named(t, "ExInitializeNPagedLookasideList"), named(t, "NdisQueryMdl")
	call := driver.Fact{Kind: driver.OptInCall, Place: inFile(9, 1), Effective: true}
	idle := driver.Fact{Kind: driver.OptInCall, Place: inFile(8, 1)}
	const (
		variable = ": NonPagedPool is a variable, which the opt-in call sets to NonPagedPoolNx (512) on Windows 8 and later"
		ours     = "compiled with POOL_NX_OPTIN" + variable
		both     = driver.Before | driver.After
	)
	for _, tt := range []struct {
		site  driver.Site
		build driver.Build
		want  []string
	}{
		{requestOf(pool, nx.None, driver.Before, termOf("NonPagedPool", nx.None, 0)), driver.Build{},
			[]string{"compiled without an opt-in: NonPagedPool is NonPagedPoolExecute (0)"}},
		{requestOf(pool, nx.None, driver.Before, termOf("PagedPool", nx.None, 0)), driver.Build{}, nil},
		{requestOf(pool, nx.OptedOut, driver.Before, termOf("NonPagedPool", nx.OptedOut, 0)), driver.Build{},
			[]string{"compiled with POOL_NX_OPTOUT: NonPagedPool stays NonPagedPoolExecute (0)"}},
		{requestOf(pool, nx.OptInAuto, driver.Before, termOf("NonPagedPool", nx.OptInAuto, 0)), driver.Build{Processor: nx.X64},
			[]string{"compiled with POOL_NX_OPTIN_AUTO: NonPagedPool is NonPagedPoolNx (512)"}},
		{requestOf(pool, nx.OptInAuto, driver.Before, termOf("NonPagedPool", nx.OptInAuto, 0)), driver.Build{Processor: nx.ARM64},
			[]string{"compiled with POOL_NX_OPTIN_AUTO, as the kit has it for arm64: NonPagedPool is NonPagedPoolNx (512)"}},
		{requestOf(pool, nx.OptInAuto, driver.Before, termOf("NonPagedPoolNx", nx.OptInAuto, 0)), driver.Build{Processor: nx.X64},
			[]string{"compiled with POOL_NX_OPTIN_AUTO, which changes nothing here"}},
		// A wrapper in a file without an opt-in, called from one with it.
		{requestOf(pool, nx.None, driver.After, termOf("NonPagedPool", nx.OptIn, 0)), driver.Build{Initialised: driver.InitYes},
			[]string{"where NonPagedPool is written, compiled with POOL_NX_OPTIN" + variable, "runs after the opt-in call (a.c:9)"}},
		{requestOf(pool, nx.OptIn, driver.Before, termOf("NonPagedPool", nx.OptIn, driver.Before)), driver.Build{Initialised: driver.InitLate},
			[]string{ours, "runs before the opt-in call (a.c:9)"}},
		{requestOf(pool, nx.OptIn, driver.After, termOf("NonPagedPool", nx.OptIn, driver.After)), driver.Build{Initialised: driver.InitYes},
			[]string{ours, "runs after the opt-in call (a.c:9)"}},
		{requestOf(pool, nx.OptIn, driver.After, termOf("NonPagedPool", nx.OptIn, driver.Initial)), driver.Build{Initialised: driver.InitLate},
			[]string{ours, "the variable is read before the opt-in call (a.c:9), or may be"}},
		{requestOf(pool, nx.OptIn, both, termOf("NonPagedPool", nx.OptIn, 0)), driver.Build{Initialised: driver.InitLate},
			[]string{ours, "runs before the opt-in call (a.c:9) and after it, or it is not known when: both values count"}},
		{requestOf(pool, nx.OptIn, driver.Before, termOf("NonPagedPool", nx.OptIn, 0)), driver.Build{Initialised: driver.InitNo},
			[]string{ours, "nothing makes the opt-in call: the variable keeps its initial value, 0"}},
		{requestOf(pool, nx.OptIn, both, termOf("NonPagedPool", nx.OptIn, 0)), driver.Build{Initialised: driver.InitUnknown, Library: true},
			[]string{ours, "this is a static library: whether the opt-in call is made is up to the image that links it; both values count"}},
		{requestOf(pool, nx.OptIn, both, termOf("NonPagedPool", nx.OptIn, 0)), driver.Build{Initialised: driver.InitUnknown},
			[]string{ours, "the opt-in call (a.c:9) was not found on every way from the entry routine: both values count"}},
		{requestOf(lookaside, nx.OptInAuto, driver.Before, driver.Term{}), driver.Build{},
			[]string{"compiled with POOL_NX_OPTIN_AUTO: the kit adds the NX bit to what is passed"}},
		{requestOf(query, nx.None, driver.Before, driver.Term{}), driver.Build{},
			[]string{"compiled without an opt-in: the kit adds no NX bit to what is passed", "without an opt-in, kits from 10.0.14393 on add the bit themselves"}},
		{requestOf(query, nx.OptInAuto, driver.Before, driver.Term{}), driver.Build{},
			[]string{"compiled with POOL_NX_OPTIN_AUTO: the kit adds the NX bit to what is passed"}},
	} {
		m := driver.Image{Build: tt.build, Facts: []driver.Fact{idle, call}}
		if got := optInOf(tt.site, m); !slices.Equal(got, tt.want) {
			t.Errorf("%s of %s, %v, %+v:\n%s\nwant\n%s", tt.site.DDI.Name, tt.site.Mechanism, tt.site.Value.Terms, tt.build, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
}

func TestOutcomes(t *testing.T) {
	pool, io := named(t, "ExAllocatePoolWithTag"), named(t, "MmMapIoSpace")
	unknown := requestOf(pool, nx.None, driver.Before, termOf("NonPagedPool", nx.None, 0))
	unknown.Value.Unknown = "x"
	b := driver.Build{Windows: []nx.Version{nx.Windows7, nx.Windows8, nx.Windows10}}
	for _, tt := range []struct {
		site driver.Site
		want string
	}{
		{requestOf(pool, nx.None, driver.Before, termOf("PagedPool", nx.None, 0)), "Windows 7, 8, 10: 1 (PagedPool), not executable"},
		{requestOf(pool, nx.None, driver.Before, termOf("NonPagedPoolNx", nx.None, 0)),
			"Windows 7: 512 (NonPagedPoolNx), not known to this Windows|Windows 8, 10: 512 (NonPagedPoolNx), not executable"},
		{requestOf(pool, nx.None, driver.Before, driver.Term{Bits: 1 << 20}), "Windows 7, 8, 10: 0x100000, executable"},
		{requestOf(pool, nx.None, driver.Before, driver.Term{}, driver.Term{Bits: 1}),
			"Windows 7, 8, 10: one of\n      0 (NonPagedPoolExecute), executable\n      1 (PagedPool), not executable"},
		{unknown, "Windows 7, 8, 10: one of\n      0 (NonPagedPoolExecute), executable\n      something unknown"},
		{requestOf(pool, nx.None, driver.Before), "Windows 7, 8, 10: unknown"},
		{requestOf(io, nx.None, driver.Before), "Windows 7, 8, 10: executable"},
	} {
		if got := strings.Join(outcomes(tt.site, b), "|"); got != tt.want {
			t.Errorf("%s %v: %s, want %s", tt.site.DDI.Name, tt.site.Value.Terms, got, tt.want)
		}
	}
}

// Requests and builds: what comes about alike stands together, and every build is named.
func TestLineOfRequests(t *testing.T) {
	pool := named(t, "ExAllocatePoolWithTag")
	site := func(m nx.Mechanism, column int, says string) driver.Site {
		s := requestOf(pool, m, driver.Before, termOf("NonPagedPool", m, 0))
		s.Place, s.Function = inFile(3, column), "F"
		s.Value.Steps = []driver.Step{{Place: inFile(1, 1), Says: says}}
		return s
	}
	image := func(id string, w nx.Version, sites ...driver.Site) driver.Image {
		return driver.Image{Build: driver.Build{ID: id, Windows: []nx.Version{w}}, Sites: sites}
	}
	r := &Scan{Images: []driver.Image{
		image("p|A B|x64", nx.Windows7, site(nx.None, 5, "one way"), site(nx.OptInAuto, 9, "here")),
		image("p|B|x64", nx.Windows7, site(nx.None, 5, "another way")),
		image("p|C|x64", nx.Windows7, site(nx.OptInAuto, 5, "one way")),
		image("q|D|x64", nx.Windows7, site(nx.OptInAuto, 5, "one way")),
		image("p|E|x64", nx.Windows10),
	}}
	const want = `a.c:3:5: ExAllocatePoolWithTag in F
  argument 1 decides (pool_type)

  in p (A B|x64)
    a.c:1: one way
    it is NonPagedPool
    compiled without an opt-in: NonPagedPool is NonPagedPoolExecute (0)
    Windows 7: 0 (NonPagedPoolExecute), executable

  in p (C|x64)
  in q (D|x64)
    as above: it is NonPagedPool
    compiled with POOL_NX_OPTIN_AUTO: NonPagedPool is NonPagedPoolNx (512)
    Windows 7: 512 (NonPagedPoolNx), not known to this Windows

  in p (B|x64)
    a.c:1: another way
    it is NonPagedPool
    compiled without an opt-in: NonPagedPool is NonPagedPoolExecute (0)
    Windows 7: 0 (NonPagedPoolExecute), executable

  in p (E|x64)
    it is not there: a directive or a macro leaves it out
`
	a := Asked{Column: 5, Compiling: []string{"p|A B|x64", "p|B|x64", "p|C|x64", "q|D|x64", "p|E|x64"}}
	if got := lines(t, a, r); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// The argument as it is written, once where it is the same in all builds.
	argument := func(i int, text string) { r.Images[i].Sites[0].Argument = text }
	for i := range 4 {
		argument(i, "Type")
	}
	if got := lines(t, a, r); strings.Count(got, "Type") != 1 || !strings.Contains(got, "\n  argument 1 decides (pool_type): Type\n") {
		t.Errorf("the argument is not there once:\n%s", got)
	}
	argument(1, "Other")
	if got := lines(t, a, r); strings.Count(got, "\n    argument 1: Type\n") != 2 || strings.Count(got, "in p (B|x64)\n    argument 1: Other\n") != 1 ||
		!strings.Contains(got, "\n  argument 1 decides (pool_type)\n") {
		t.Errorf("the arguments are not there:\n%s", got)
	}
	// Executable on Windows 7 alone, where there is no other memory: no bug check. On Windows 10 there is one.
	const check = "bug check for it: 0xC4/0x2000 (nxport explain 0x2000)"
	r.Images[4].Sites = []driver.Site{site(nx.None, 5, "one way")}
	if got := lines(t, a, r); strings.Contains(want, check) || !strings.Contains(got, check) {
		t.Errorf("no bug check for it:\n%s", got)
	}
	// Two on the line, with a column that is that of none.
	a.Column = 7
	if got := lines(t, a, r); strings.Count(got, "ExAllocatePoolWithTag in F\n") != 2 || strings.Count(got, "a.c:3:9: ") != 1 {
		t.Errorf("not both:\n%s", got)
	}
	// What no build gets to: there is nothing that leaves it out in some.
	dormant := requestOf(pool, nx.None, 0)
	dormant.State, dormant.Value.Steps = driver.Inactive, []driver.Step{{Place: inFile(2, 1), Says: "#if 0"}}
	r = &Scan{Images: []driver.Image{image("p|A|x64", nx.Windows7)}, Dormant: []driver.Site{dormant}}
	const none = `a.c:3:5: ExAllocatePoolWithTag
  argument 1 decides (pool_type)

  in no build: the directives leave it out everywhere
    a.c:2: #if 0
`
	if got := lines(t, Asked{Compiling: []string{"p|A|x64"}}, r); got != none {
		t.Errorf("got\n%s\nwant\n%s", got, none)
	}
}

// Facts, once for each thing said, with the builds that it is said of.
func TestLineOfFacts(t *testing.T) {
	fact := func(m nx.Mechanism, effective bool) driver.Fact {
		return driver.Fact{Kind: driver.OptInCall, Place: inFile(3, 5), Mechanism: m, Effective: effective}
	}
	image := func(id string, i driver.Initialised, facts ...driver.Fact) driver.Image {
		return driver.Image{Build: driver.Build{ID: id, Initialised: i}, Facts: facts}
	}
	twice := driver.Fact{Kind: driver.Comparison, Place: inFile(3, 7), Function: "F", Says: "Type == NonPagedPool", Unit: "a.c"}
	again := twice
	again.Unit = "b.c"
	r := &Scan{
		Images: []driver.Image{
			image("A", driver.InitYes, fact(nx.OptIn, true), twice, again),
			image("B", driver.InitYes, fact(nx.OptIn, true)),
			image("C", driver.InitLate, fact(nx.OptIn, true)),
			image("D", driver.InitUnknown, fact(nx.OptIn, true)),
			image("E", driver.InitNo, fact(nx.OptedOut, false)),
			image("F", driver.InitNotNeeded, fact(nx.OptInAuto, false), driver.Fact{Kind: driver.NotUnderstood, Place: inFile(4, 1)}),
			image("G", driver.InitUnknown, fact(nx.OptIn, false)),
		},
		Declarations: []driver.Place{inFile(2, 1), inFile(3, 9)},
	}
	r.Images[0].Suppressions = []driver.Suppression{
		{Place: inFile(3, 1), Rules: []string{"30030", "NX0001"}, Reason: "runs it", Covers: []driver.Lines{{Path: "a.c", From: 4, To: 6}}},
		{Place: inFile(5, 1), Rules: []string{"30031"}},
	}
	r.Images[1].Suppressions = r.Images[0].Suppressions[:1]
	const want = `a.c:3:5: opt-in call
  in A
  in B
    sets the variables to NX on Windows 8 and later
  in C
    sets the variables on Windows 8 and later, but requests run before it
  in D
    sets the variables on Windows 8 and later; not found on every way from the entry routine
  in E
    does nothing: the file is compiled with POOL_NX_OPTOUT
  in F
    does nothing and is not needed: the file is compiled with POOL_NX_OPTIN_AUTO
  in G
    may do nothing: its argument is not known

a.c:3:7: comparison
  in A
    Type == NonPagedPool, in F

a.c:3:9: a declaration or definition, no request

a.c:3:1: suppresses 30030, NX0001: runs it
  covers a.c:4 to 6
`
	if got := lines(t, Asked{}, r); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := r.Images[0].Facts; len(got) != 3 || got[1].Unit != "a.c" {
		t.Errorf("the facts of an image were changed: %v", got)
	}
}

// Of a line without end, a part is shown.
func TestLineWithoutEnd(t *testing.T) {
	pool := named(t, "ExAllocatePoolWithTag")
	m := driver.Image{Build: driver.Build{ID: "A"}}
	r := &Scan{}
	for i := range maxBlocks + 1 {
		p := inFile(3, i+1)
		s := requestOf(pool, nx.None, driver.Before)
		s.Place = p
		m.Sites = append(m.Sites, s)
		m.Facts = append(m.Facts, driver.Fact{Kind: driver.Comparison, Place: p, Says: "x"})
		other := requestOf(pool, nx.None, driver.Before)
		other.Place, other.Spelled = inFile(7, i+1), p
		m.Sites = append(m.Sites, other)
		r.Declarations = append(r.Declarations, p)
		r.Findings = append(r.Findings, rule.Finding{Rule: &rule.Rule{ID: "R"}, Place: p, Builds: []string{"A"}})
	}
	r.Images = []driver.Image{m}
	got := lines(t, Asked{}, r)
	for what, count := range map[string]string{
		"requests": "  argument 1 decides", "facts": ": comparison\n", "ways to requests": " is spelled here\n", "findings": "more: nxport",
		"declarations": "no request\n",
	} {
		if strings.Count(got, count) != maxBlocks || strings.Count(got, "More "+what+" on this line are not shown.\n") != 1 {
			t.Errorf("%s: %d are shown", what, strings.Count(got, count))
		}
	}
}

// Requests elsewhere that come about by the line, and the findings on it.
func TestLineOfOthers(t *testing.T) {
	pool := named(t, "ExAllocatePoolWithTag")
	m := driver.Image{Build: driver.Build{ID: "A"}}
	for i := range maxElsewhere + 2 {
		s := requestOf(pool, nx.None, driver.Before)
		s.Place = inFile(10+i, 1)
		s.Value.Steps = []driver.Step{{Place: inFile(3, 9), Says: "M expands"}}
		m.Sites = append(m.Sites, s)
	}
	spelled, own := requestOf(pool, nx.None, driver.Before), requestOf(pool, nx.None, driver.Before)
	spelled.Place, spelled.Spelled = inFile(30, 1), inFile(3, 2)
	own.Place, own.Value.Steps = inFile(40, 1), []driver.Step{{Place: inFile(40, 1), Says: "of its own line"}}
	m.Sites = append(m.Sites, spelled, own)
	r := &Scan{Images: []driver.Image{m, m}, Findings: []rule.Finding{
		{Rule: &rule.Rule{ID: "R"}, Level: rule.Note, Message: "m", Place: inFile(3, 1), Builds: []string{"A"}, Fix: &rule.Fix{Title: "f"},
			Steps: []driver.Step{{Place: inFile(7, 1), Says: "seen here"}, {Says: "and there"}}},
		{Rule: &rule.Rule{ID: "S"}, Level: rule.Note, Message: "elsewhere", Place: inFile(4, 1)},
	}, Suppressed: []rule.Finding{
		{Rule: &rule.Rule{ID: "T"}, Level: rule.Error, Message: "n", Place: inFile(3, 2), Builds: []string{"B"}, Suppressed: &driver.Suppression{Place: inFile(2, 1), Reason: "on purpose"}},
	}}
	const want = `a.c:3:2: ExAllocatePoolWithTag is spelled here
  1 request comes about by it:
    a.c:30:1: ExAllocatePoolWithTag

a.c:3:9: M expands
  12 requests come about by it:
    a.c:10:1: ExAllocatePoolWithTag
    a.c:11:1: ExAllocatePoolWithTag
    a.c:12:1: ExAllocatePoolWithTag
    a.c:13:1: ExAllocatePoolWithTag
    a.c:14:1: ExAllocatePoolWithTag
    a.c:15:1: ExAllocatePoolWithTag
    a.c:16:1: ExAllocatePoolWithTag
    a.c:17:1: ExAllocatePoolWithTag
    a.c:18:1: ExAllocatePoolWithTag
    a.c:19:1: ExAllocatePoolWithTag
    2 more

note R: m
  a.c:7: seen here
  and there
  in A
  fix: f
  more: nxport explain R

error T: n
  in B
  suppressed at a.c:2:1: on purpose
  more: nxport explain T
`
	if got := lines(t, Asked{}, r); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// A request on the line itself does not stand there a second time.
	r.Images[0].Sites[len(m.Sites)-1].Place = inFile(3, 1)
	r.Images[0].Sites[len(m.Sites)-1].Value.Steps[0].Place = inFile(3, 1)
	if got := lines(t, Asked{}, r); strings.Contains(got, "a.c:3:1: of its own line") {
		t.Errorf("it does:\n%s", got)
	}
}

func TestWrap(t *testing.T) {
	const text = "one two three\nfour"
	for width, want := range map[int]string{
		1: "> one\n> two\n> three\n> four", 9: "> one two\n> three\n> four", 8: "> one\n> two\n> three\n> four", 80: "> one two three four",
	} {
		if got := wrap(text, width, "> "); got != want {
			t.Errorf("%d: %q, want %q", width, got, want)
		}
	}
	var b strings.Builder
	section(&b, "Title", "one two\nthree four\n\nfive\n", 16)
	if want := "\nTitle\n  one two three\n  four\n\n  five\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

func TestExample(t *testing.T) {
	long := "1\n2\n3\n4\n5\n6\n7\n8\n9\n"
	d := rule.Doc{
		Before: "-- p.props --\n" + long + "-- a.c --\n" + long + "-- same.vcxproj --\n<Project>\n  <ItemGroup Label=\"x\">\n    <A>b</A>\n  </ItemGroup>\n</Project>\n-- same.c --\n  x;\n-- gone.c --\ng\n-- q.props --\n" + long,
		After: "-- p.props --\n1\n2\n3\n4\nfive\n6\n7\n8\n9\n-- a.c --\n1\n2\n3\n4\nfive\n6\n7\n8\n9\n-- same.vcxproj --\n<Project>\n  <ItemGroup Label=\"x\">\n    <A>b</A>\n  </ItemGroup>\n</Project>\n-- same.c --\n  x;\n-- q.props --\n" +
			"0\n" + long + "-- new.c --\nn\n",
	}
	var got []string
	for _, f := range example(d) {
		got = append(got, f.title()+"\n"+f.text)
	}
	want := []string{
		"p.props:\n ...\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n ...\n", "a.c:\n 1\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n 9\n",
		"same.vcxproj, in part:\n<A>b</A>\n", "same.c:\n  x;\n", "gone.c:\n-g\n", "q.props:\n+0\n 1\n 2\n 3\n ...\n", "new.c:\n+n\n",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	if f := (exampleFile{text: "x;\ny;\n"}); f.diff() != " x;\n y;\n" {
		t.Errorf("%q", f.diff())
	}
}
