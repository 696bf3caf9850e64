package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// Where C and C++ want a constant, by their standards, and where a pool type is compared.
func TestConstantsAndComparisons(t *testing.T) {
	const body = "void f(POOL_TYPE t, int n) { "
	for _, tt := range []struct{ file, text, want string }{
		{"a.c", body + "switch (t) { case NonPagedPool: g(); case PagedPool: h(); } }", "constant needed: NonPagedPool is a case label"},
		{"a.c", body + "switch (t) { case (NonPagedPoolCacheAligned | 8): g(); } }", "constant needed: NonPagedPoolCacheAligned is a case label"},
		{"a.c", body + "switch (t) { case NonPagedPoolNx: g(NonPagedPool); } }", ""},
		{"a.c", "enum e { A = NonPagedPool, B = PagedPool };", "constant needed: NonPagedPool is the value of an enumerator"},
		{"a.c", "static POOL_TYPE g = NonPagedPool;", "constant needed: NonPagedPool is in the initialiser of g"},
		{"a.c", "struct { int n; POOL_TYPE t; } table[] = { { 1, NonPagedPool }, { 2, PagedPool } };", "constant needed: NonPagedPool is in the initialiser of table"},
		{"a.c", body + "static POOL_TYPE s = NonPagedPool; POOL_TYPE l = NonPagedPool; }", "constant needed: NonPagedPool is in the initialiser of s"},
		{"a.c", "#define KIND NonPagedPool\nPOOL_TYPE g = KIND;", "constant needed: NonPagedPool is in the initialiser of g"},
		{"a.c", "_Static_assert(NonPagedPool == 0, \"x\");", "constant needed: NonPagedPool is in a _Static_assert"},
		{"a.c", "C_ASSERT(NonPagedPool == 0);", "constant needed: NonPagedPool is in a C_ASSERT"},
		{"a.c", body + "C_ASSERT(sizeof(t) == 4 && NonPagedPool == 0); g(); }", "constant needed: NonPagedPool is in a C_ASSERT; comparison: NonPagedPool == 0 with 0"},
		{"a.cpp", "POOL_TYPE g = NonPagedPool;", "dynamic initialiser: NonPagedPool is in the initialiser of g"},
		{"a.cpp", "constexpr POOL_TYPE g = NonPagedPool;", "constant needed: NonPagedPool is in the initialiser of g"},
		{"a.cpp", body + "constexpr POOL_TYPE l = NonPagedPool; static POOL_TYPE s = NonPagedPool; }", "constant needed: NonPagedPool is in the initialiser of l"},
		{"a.cpp", "Memory<WCHAR, NonPagedPool> m;", "constant needed: NonPagedPool is an argument of the template Memory"},
		{"a.cpp", body + "Memory<int, NonPagedPool> m; Get<NonPagedPool>(n); }", "constant needed: NonPagedPool is an argument of the template Memory; constant needed: NonPagedPool is an argument of the template Get"},
		{"a.cpp", body + "static_assert(NonPagedPool == 0); }", "constant needed: NonPagedPool is in a static_assert; comparison: NonPagedPool == 0 with 0"},
		{"a.c", body + "if (t == NonPagedPool) g(); }", "comparison: t == NonPagedPool with NonPagedPool"},
		{"a.c", body + "return n && NonPagedPoolExecute != t || n; }", "comparison: NonPagedPoolExecute != t with NonPagedPoolExecute"},
		{"a.c", body + "if ((t) == 0) g(); if (n == 0) h(); if (t == n) i(); }", "comparison: (t) == 0 with 0"},
		{"a.c", body + "if ((t & NonPagedPoolMustSucceed) != 0 || (t & 1) == 0) g(); }", ""},
		{"a.c", body + "if (t) g(); while (n) h(); if (!n) i(); }", "comparison: if (t), which compares with 0 with 0"},
		{"a.c", body + "if (!t || n) g(); }", "comparison: !t, which compares with 0 with 0"},
		{"a.c", body + "if (t(n) || !t[n]) g(); if (x->t) h(); POOL_TYPE *p; if (p) g(); }\nvoid k(POOL_TYPE *q) { if (!q) g(); }", ""},
		{"a.c", body + "x = n == 1 ? t == (POOL_TYPE)1 : t != n; }", "comparison: t == (POOL_TYPE)1 with 1"},
		{"a.c", body + "POOL_TYPE k = t; if (k->x == 0 || g(k == 512)) h(); }", "comparison: k == 512 with 512"},
		{"a.cpp", body + "if ((p = new (NonPagedPoolNx, 'tag1') T) == nullptr || g(NonPagedPool) == n) h(); }", ""},
		{"a.c", "PAGED { ExAllocatePool(PagedPool, 1); }", "not understood: the braces here belong to nothing that is known: the requests in them count all the same"},
	} {
		m := read(t, "-- "+tt.file+" --\n#include <ntddk.h>\n"+tt.text, "POOL_NX_OPTIN")
		var got []string
		for _, f := range m.Facts {
			switch f.Kind {
			case driver.ConstantNeeded, driver.DynamicInitialiser, driver.NotUnderstood:
				got = append(got, fmt.Sprintf("%s: %s", f.Kind, f.Says))
			case driver.Comparison:
				got = append(got, fmt.Sprintf("%s: %s with %s", f.Kind, f.Says, f.With))
			}
		}
		if s := strings.Join(got, "; "); s != tt.want {
			t.Errorf("%s %s:\n%s\nwant\n%s", tt.file, tt.text, s, tt.want)
		}
	}
}

// A function that two builds read alike is read once; its facts are told of both.
func TestFactsOfAlikeFunctions(t *testing.T) {
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	text := "#include <ntddk.h>\nvoid f(POOL_TYPE t) { if (t == 0) g(); }\n#if FOO\nint later;\n#endif\n"
	var builds []*project.Build
	for _, foo := range []string{"0", "1"} {
		o := &project.Options{Processor: nx.X64, Language: project.C, Defines: []project.Define{{Name: "FOO", Value: foo}}}
		builds = append(builds, &project.Build{Build: driver.Build{ID: foo}, Units: []*project.Unit{{Path: "f.c", Options: o}}})
	}
	for _, m := range Read(tr.With(map[string][]byte{"f.c": []byte(text)}), builds, Options{DDIs: nx.DDIs()}).Images {
		if n := len(slices.DeleteFunc(m.Facts, func(f driver.Fact) bool { return f.Kind != driver.Comparison })); n != 1 {
			t.Errorf("build %s: %d comparisons, want 1", m.Build.ID, n)
		}
	}
}
