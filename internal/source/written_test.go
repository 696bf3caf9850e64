package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/nx"
)

// What decides a request is found where it is written. In the texts, «» stand around what is to be found for the only request,
// with a + behind it where it is put together with something, & where it goes through another operator, = where it is compared.
func TestWritten(t *testing.T) {
	marks := map[driver.Use]string{driver.Alone: "", driver.Together: "+", driver.Computed: "&", driver.Compared: "="}
	for _, tt := range []struct{ name, text string }{
		{"an argument", "void F(void) { ExAllocatePool(«NonPagedPool», 1); }"},
		{"a literal", "void F(void) { ExAllocatePool((POOL_TYPE)«0», 1); }"},
		{"no other literal", "void F(void) { ExAllocatePool(4, 1); }"},
		{"a macro around the call", "#define NEW(n) ExAllocatePool(«NonPagedPool», n)\nvoid F(void) { NEW(1); NEW(2); }"},
		{"the argument of such a macro", "#define NEW(t, n) ExAllocatePool(t, n)\nvoid F(void) { NEW(«NonPagedPool», 1); }"},
		{"the argument of a macro in a macro", "#define IN(t) ExAllocatePool(t, 1)\n#define OUT(t) IN(t)\nvoid F(void) { OUT(«NonPagedPool»); }"},
		{"an alias", "#define POOL «NonPagedPool»\nvoid F(void) { ExAllocatePool(POOL, 1); }"},
		{"an alias of an alias", "#define A «NonPagedPool»\n#define B (A)\nvoid F(void) { ExAllocatePool(B, 1); }"},
		{"a wrapper's callers", "void W(POOL_TYPE t) { ExAllocatePool(t, 1); }\nvoid F(void) { W(«NonPagedPool»); W(«PagedPool»); }"},
		{"a choice", "void F(int x) { ExAllocatePool(x ? «NonPagedPool» : «PagedPool», 1); }"},
		{"flags", "void F(int x) { ExAllocatePool(«NonPagedPool»+ | «POOL_COLD_ALLOCATION»+, 1); }"},
		{"a flag added to a variable", "void F(int x) { POOL_TYPE t = «NonPagedPool»+; t |= «POOL_COLD_ALLOCATION»+; ExAllocatePool(t, 1); }"},
		{"bits taken away", "void F(int x) { ExAllocatePool((«NonPagedPool»& | «POOL_COLD_ALLOCATION»&) & ~«POOL_COLD_ALLOCATION»&, 1); }"},
		{"a field", "struct S { POOL_TYPE t; };\nvoid G(struct S *s) { s->t = «NonPagedPool»; }\nvoid F(struct S *s) { ExAllocatePool(s->t, 1); }"},
		{"a global", "static POOL_TYPE t = «NonPagedPool»;\nvoid F(void) { ExAllocatePool(t, 1); }"},
		{"a global without initialiser", "static POOL_TYPE t;\nvoid F(void) { ExAllocatePool(t, 1); }"},
		{"an enumerator", "enum { POOL = «NonPagedPool», NEXT };\nvoid F(void) { ExAllocatePool(POOL, 1); }"},
		{"a result", "static POOL_TYPE G(void) { return «NonPagedPool»; }\nvoid F(void) { ExAllocatePool(G(), 1); }"},
		{"out of ##", "#define CAT(a, b) a##b\nvoid F(void) { ExAllocatePool(CAT(NonPaged, Pool), 1); }"},
		{"## with nothing", "#define CAT(a, b) a##b\nvoid F(void) { ExAllocatePool(CAT(, «NonPagedPool»), 1); }"},
		{"cut in two", "void F(void) { ExAllocatePool(NonPaged\\\nPool, 1); }"},
		{"behind a cut", "void F(void) { ExAllocatePool(\\\n«NonPagedPool», 1); }"},
		{"on the command line", "void F(void) { ExAllocatePool(MODE, 1); }"},
		{"compared on the way", "void W(POOL_TYPE t) { if (t == NonPagedPool) G(); ExAllocatePool(t, 1); }\nvoid F(void) { W(«NonPagedPool»=); }"},
		{"compared by a switch", "void W(POOL_TYPE t) { switch (t) { case NonPagedPool: G(); } ExAllocatePool(t, 1); }\nvoid F(void) { W(«NonPagedPool»=); }"},
		{"compared with a paged type", "void W(POOL_TYPE t) { if (t == PagedPool) G(); ExAllocatePool(t, 1); }\nvoid F(void) { W(«NonPagedPool»); }"},
		{"a field that another function compares", "struct S { POOL_TYPE t; };\nvoid G(struct S *s) { s->t = «NonPagedPool»=; }\nint H(struct S *s) { return s->t == NonPagedPool; }\nvoid F(struct S *s) { ExAllocatePool(s->t, 1); }"},
		{"another of that name is compared", "void H(POOL_TYPE t) { if (t == NonPagedPool) G(); }\nvoid W(POOL_TYPE t) { ExAllocatePool(t, 1); }\nvoid F(void) { W(«NonPagedPool»); }"},

		{"lookaside flags", "void F(void) { ExInitializeNPagedLookasideList(&l, 0, 0, «0», 8, 1, 0); }"},
		{"a priority", "void F(void) { MmGetSystemAddressForMdlSafe(m, «NormalPagePriority»); }"},
		{"a priority with more", "void F(void) { MmGetSystemAddressForMdlSafe(m, «NormalPagePriority | MdlMappingNoWrite»); }"},
		{"a chosen priority", "void F(int x) { MmGetSystemAddressForMdlSafe(m, «x ? NormalPagePriority : HighPagePriority»+); }"},
		{"a priority in parentheses", "void F(int x) { MmGetSystemAddressForMdlSafe(m, «(x ? NormalPagePriority : HighPagePriority)»); }"},
		{"a priority that a macro names", "#define PRIORITY NormalPagePriority\nvoid F(void) { MmGetSystemAddressForMdlSafe(m, «PRIORITY»); }"},
		{"a priority that a macro makes", "#define PRIORITY(x) NormalPagePriority\nvoid F(void) { MmGetSystemAddressForMdlSafe(m, PRIORITY(1)); }"},
		{"in the body of a macro", "#define MAP(m) MmGetSystemAddressForMdlSafe(m, «NormalPagePriority»)\nvoid F(void) { MAP(m); MAP(n); }"},
		{"in the argument of one", "#define MAP(m, p) MmGetSystemAddressForMdlSafe(m, p)\nvoid F(void) { MAP(m, «NormalPagePriority | 1»); }"},
		{"in both", "#define MAP(m, p) MmGetSystemAddressForMdlSafe(m, p | 1)\nvoid F(void) { MAP(m, NormalPagePriority); }"},
		{"what a wrapper is passed", "void W(ULONG p) { MmGetSystemAddressForMdlSafe(m, «p»); }\nvoid F(void) { W(NormalPagePriority); }"},
	} {
		plain := strings.NewReplacer("«", "", "»+", "", "»&", "", "»=", "", "»", "").Replace(tt.text)
		options := project.Options{Processor: nx.X64, Language: project.C, Defines: []project.Define{{Name: "MODE", Value: "NonPagedPool"}}}
		for _, optedIn := range []bool{false, true} {
			if optedIn {
				options.Defines = append(options.Defines, project.Define{Name: "POOL_NX_OPTIN", Value: "1"})
			}
			tr, builds := buildOf(t, "-- a.c --\n"+kitHead+plain+"\n", &options)
			got := kitHead + plain
			var list []driver.Written
			for _, s := range Read(tr, builds, Options{DDIs: nx.DDIs()}).Images[0].Sites {
				list = mergeWritten(list, s.Value.Written)
			}
			for i := len(list) - 1; i >= 0; i-- {
				w := list[i]
				got = got[:w.At.Offset] + "«" + got[w.At.Offset:w.End] + "»" + marks[w.Use] + got[w.End:]
			}
			if got != kitHead+tt.text {
				t.Errorf("%s, opted in %v:\n%s\nwant\n%s", tt.name, optedIn, got, kitHead+tt.text)
			}
		}
	}
}

// The text of a constant and its end agree with the file.
func TestWrittenPlace(t *testing.T) {
	tr, builds := buildOf(t, "-- a.c --\n"+kitHead+"void F(void) {\n    ExAllocatePool(NonPagedPool, 1);\n}\n", &project.Options{Processor: nx.X64, Language: project.C})
	w := Read(tr, builds, Options{DDIs: nx.DDIs()}).Images[0].Sites[0].Value.Written
	if got := fmt.Sprint(w); got != "[{a.c:3:20 65 NonPagedPool 0 false}]" {
		t.Error(got)
	}
}

// What gives a variable its first value, before any routine runs, is told from what is assigned.
func TestWrittenFirst(t *testing.T) {
	for text, want := range map[string]bool{
		"static POOL_TYPE t = NonPagedPoolNx;\nvoid F(void) { ExAllocatePool(t, 1); }":                                        true,
		"struct S { int n; POOL_TYPE t; } s = { 1, NonPagedPoolNx };\nvoid F(void) { ExAllocatePool(s.t, 1); }":               true,
		"void F(void) { static POOL_TYPE t = NonPagedPoolNx; ExAllocatePool(t, 1); }":                                         true,
		"void F(void) { POOL_TYPE t = NonPagedPoolNx; ExAllocatePool(t, 1); }":                                                false,
		"static POOL_TYPE t;\nvoid G(void) { t = NonPagedPoolNx; }\nvoid F(void) { ExAllocatePool(t, 1); }":                   false,
		"static PVOID W(POOL_TYPE t) { return ExAllocatePool(t, 1); }\nvoid F(void) { static int n = 1; W(NonPagedPoolNx); }": false,
	} {
		tr, builds := buildOf(t, "-- a.c --\n"+kitHead+text+"\n", &project.Options{Processor: nx.X64, Language: project.C})
		w := Read(tr, builds, Options{DDIs: nx.DDIs()}).Images[0].Sites[0].Value.Written
		if i := slices.IndexFunc(w, func(w driver.Written) bool { return w.Text == "NonPagedPoolNx" }); i < 0 || w[i].First != want {
			t.Errorf("%s: %v, want %v", text, w, want)
		}
	}
}
