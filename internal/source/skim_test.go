package source

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// The pieces of an outline are told by their kind: d for a directive, m for a macro, else the index of the declaration.
func TestSkim(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"declarations end with a semicolon or a body", "int a; int f(int b) { g(); }\nint c;", "0 int a;|1  int f(int b) { g(); }|2 \nint c;"},
		{"a class is one declaration", "class A { void f() { } int b; }; int c;", "0 class A { void f() { } int b; };|1  int c;"},
		{"an initialiser does not end one", "int a[] = { 1, 2 }, b = f(); int c;", "0 int a[] = { 1, 2 }, b = f();|1  int c;"},
		{"namespaces and linkage blocks are passed", "extern \"C\" { namespace x { int a; } }", "0 extern \"C\" {|1  namespace x {|2  int a;|3  }|4  }"},
		{"no other literal makes a linkage block", "'a' { int a; int b; } extern 'c';", "0 'a' { int a; int b; }|1  extern 'c';"},
		{"parameters in the style of K&R", "int x; int f(a, b) int a; char b; { g(); } int c;", "0 int x;|1  int f(a, b) int a;|1  char b;|1  { g(); }|2  int c;"},
		{"directives stand for themselves", "int a\n#if X\n= 1;\n#else\n= 2;\n#endif\nint b;", "0 int a\n|d #if X\n|0 = 1;\n|d #else\n|0 = 2;\n|d #endif\n|1 int b;"},
		{"an #else may hold another end", "void f() {\n#if X\n}\n#else\n g(); }\n#endif\nint b;", "0 void f() {\n|d #if X\n|0 }\n|d #else\n|0  g(); }\n|d #endif\n|1 int b;"},
		{"a macro and its splices", "int a;\n#define M(x) x; \\\n  y\nint b;", "0 int a;|1 \n|m #define M(x) x; \\\n  y\n|1 int b;"},
		{"quotes and comments hide brackets", "int a = '{' + \"{\"[0]; /* { */ int b; // }\nint c = R\"x(})\")x\"[0];", "0 int a = '{' + \"{\"[0];|1  /* { */ int b;|2  // }\nint c = R\"x(})\")x\"[0];"},
		{"a comment may stand before a directive", "int a\n/* */ # /**/ define M\n;", "0 int a\n/* */ |m # /**/ define M\n|0 ;"},
	} {
		o := skim([]byte(tt.text))
		var parts []string
		for _, p := range o.pieces {
			kind := map[pieceKind]string{macroPiece: "m", directivePiece: "d"}[p.kind]
			if kind == "" {
				kind = fmt.Sprint(p.index)
			}
			parts = append(parts, kind+" "+tt.text[p.start:p.end])
		}
		if d := cmp.Diff(tt.want, strings.Join(parts, "|")); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
		if o.ragged {
			t.Errorf("%s: ragged", tt.name)
		}
	}
	for _, text := range []string{"int f() { (", "}", "int f() { ( }", "na\\\nme", "extern \"C\" {", "int a;\n##b", "#\\\n#", " %:%:", "#@x"} {
		if !skim([]byte(text)).ragged {
			t.Errorf("%q: not ragged", text)
		}
	}
}

// A # in front of a line begins a directive, also at the end of the text and across a line that is continued.
func TestSkimDirectives(t *testing.T) {
	for _, text := range []string{"#", "int a;\n #", "#\\\ndefine A", "%:", "#\\\n"} {
		if o := skim([]byte(text)); o.ragged || len(o.pieces) == 0 || o.pieces[len(o.pieces)-1].kind == declarationPiece {
			t.Errorf("%q: %+v", text, o)
		}
	}
}

// ways holds trees in which the way from a request to what decides it is hard to see from the text.
const ways = `
-- a.c --
#include <ntddk.h>
#define OWN PagedPool
#include "a.h"
void sixth(void) { OWNED(5); }
int unrelated(int a) { return a; }
NTSTATUS DriverEntry(PDRIVER_OBJECT o, PUNICODE_STRING p) { first(); CALL(second)(); third(); return 0; }
static void deep(void) { outer(NonPagedPool, 3); }
DEFINE(fourth) { pasted(NonPagedPool); }
void fifth(void) { PUT(ExAllocate, Pool)(PagedPool, 1); BEGIN deep(); END }
int table[] = {
#include "rows.inc"
};
-- a.h --
PVOID outer(POOL_TYPE t, int n);
#define CALL(n) n##_step
#define DEFINE(n) void n##_step(void)
#define PUT(a, b) a##b
#define BEGIN if (x) {
#define END }
#define pasted(t) NEW(t)
#define NEW(t) ExAllocatePool(t, 2)
#define DEAD NEW
#define OWNED(n) ExAllocatePool(OWN, n)
#define UNUSED 12
-- rows.inc --
ROW(inner(PagedPool)),
-- b.c --
#include <ntddk.h>
#include "a.h"
PVOID inner(POOL_TYPE t) { return ExAllocatePool(t | POOL_COLD_ALLOCATION, 4); }
PVOID outer(POOL_TYPE t, int n) { return inner(t); }
void first(void) { }
void second_step(void) { late(); }
void late(void) { ExInitializeDriverRuntime(DrvRtPoolNxOptIn); }
void third(void) { inner(MODE); }
`

func buildOf(t *testing.T, text string, options ...*project.Options) (*tree.Tree, []*project.Build) {
	t.Helper()
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string][]byte{}
	builds := make([]*project.Build, len(options))
	for i := range options {
		builds[i] = &project.Build{Build: driver.Build{Entries: []string{"DriverEntry"}}}
	}
	for _, f := range txtar.Parse([]byte(text)).Files {
		overlay[f.Name] = f.Data
		if strings.HasSuffix(f.Name, ".c") {
			for i, o := range options {
				builds[i].Units = append(builds[i].Units, &project.Unit{Path: f.Name, Options: o})
			}
		}
	}
	return tr.With(overlay), builds
}

// What is left out of the reading changes nothing, nor does it that units share a reading.
func TestPartEqualsWhole(t *testing.T) {
	define := func(list ...string) []project.Define {
		var defines []project.Define
		for _, d := range list {
			name, value, _ := strings.Cut(d, "=")
			defines = append(defines, project.Define{Name: name, Value: value})
		}
		return defines
	}
	var options []*project.Options
	for _, p := range []nx.Processor{nx.X64, nx.ARM64} {
		for _, d := range [][]project.Define{define("POOL_NX_OPTIN=1", "MODE=NonPagedPool"), define("POOL_NX_OPTIN=1", "MODE=1"), define("MODE=1", "OTHER=2"), nil} {
			options = append(options, &project.Options{Processor: p, Language: project.C, Defines: d})
		}
	}
	tr, builds := buildOf(t, ways, options...)
	whole := Read(tr, builds, Options{DDIs: nx.DDIs(), Whole: true})
	for _, jobs := range []int{1, 2, 7} {
		if d := readingsDiffer(whole, Read(tr, builds, Options{DDIs: nx.DDIs(), Jobs: jobs})); d != "" {
			t.Errorf("%d jobs (-whole +part):\n%s", jobs, d)
		}
	}
	sites := 0
	for _, m := range whole.Images {
		sites += len(m.Sites)
	}
	if sites != 8*4 {
		t.Errorf("%d sites in eight builds, want 32", sites)
	}
}

// A routine's name that is cut in two by a backslash at a line's end leads to a request all the same.
func TestCutName(t *testing.T) {
	const text = "-- a.c --\n#include \"a.h\"\nvoid f(void) { CUT(0); }\n-- a.h --\n#include <ntddk.h>\n#define CUT(t) ExAllocate\\\nPool(t, 1)\n"
	tr, builds := buildOf(t, text, &project.Options{Processor: nx.X64, Language: project.C})
	if n := len(Read(tr, builds, Options{DDIs: nx.DDIs()}).Images[0].Sites); n != 1 {
		t.Errorf("%d sites", n)
	}
}

// A file is read once for all options that make no difference to it, and of a header only what leads to a request.
func TestReadsLittle(t *testing.T) {
	text := "-- a.c --\n#include <ntddk.h>\n#include \"big.h\"\n#if ASKED\n#endif\nvoid f(void) { ExAllocatePool(0, 1); }\n-- big.h --\n" +
		strings.Repeat("#define REGISTER(n) (BASE + n)\nint g(int a) { return REGISTER(a); }\n", 100)
	options := func(define string) *project.Options {
		return &project.Options{Processor: nx.X64, Language: project.C, Defines: []project.Define{{Name: define, Value: "1"}}}
	}
	tr, builds := buildOf(t, text, options("A"), options("B"), options("ASKED"), options("C"))
	known := lookOutFor(builds, nx.DDIs())
	known.interest = newInterest(known, builds)
	fs := newFiles(tr, known.interest)
	r := newRounds(fs, known, builds, Options{})
	fs.load("a.c")
	fs.load("big.h")
	r.round(fs.settle())
	if g := r.groups[0].read; g[0] != g[1] || g[0] != g[3] || g[0] == g[2] {
		t.Errorf("of four units, only the third is another: %p", g)
	}
	if n := len(fs.open["big.h"].file.tokens); n > 2 {
		t.Errorf("%d tokens of a header without anything of interest", n)
	}
}
