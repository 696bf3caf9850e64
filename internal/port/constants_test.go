package port

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/edit"
)

// constantIn gives a driver for that Windows before and after: its file holds a text in front of the entry routine, in which
// assigned follows the opt-in call.
func constantIn(windows, file, text, assigned string) (before, after string) {
	of := func(define, text, call string) string {
		text = "#include <ntddk.h>\n" + text + "\nNTSTATUS DriverEntry(PDRIVER_OBJECT o, PUNICODE_STRING r)\n{\n" + call +
			"    return Use(NonPagedPool) && ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD') ? 0 : 1;\n}\n"
		return strings.NewReplacer("drv.c", file, "Windows7", windows).Replace(projectOf(define, text))
	}
	was, is := changed(text)
	return of("", was, ""), of("POOL_NX_OPTIN=1;", is, "    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n"+assigned)
}

// What needs a constant is rewritten where the result is right in every build; the port is clean then.
func TestConstants(t *testing.T) {
	const table = "static struct { int n; POOL_TYPE t; } Table[] = { { 1, %s }, { 2, %s } };\nint Use(POOL_TYPE t) { return ExAllocatePool(Table[1].t, 1) != 0; }"
	for _, tt := range []struct{ name, windows, file, text, assigned string }{
		{"a variable, from Windows 8 on", "Windows8", "drv.c", "static POOL_TYPE Type = «NonPagedPool->NonPagedPoolNx»;\nint Use(POOL_TYPE t) { return ExAllocatePool(Type, 1) != 0; }", ""},
		{"a variable", "Windows7", "drv.c", "static POOL_TYPE Type« = NonPagedPool->»; // for all\nint Use(POOL_TYPE t) { return ExAllocatePool(Type, 1) != 0; }", "    Type = NonPagedPool;\n"},
		{"two with flags", "Windows7", "drv.c", "static POOL_TYPE A« = NonPagedPool->», B« = (POOL_TYPE)(NonPagedPoolCacheAligned | 8)->»;\nint Use(POOL_TYPE t) { return ExAllocatePool(A, 1) == ExAllocatePool(B, 1); }",
			"    A = NonPagedPool;\n    B = (POOL_TYPE)(NonPagedPoolCacheAligned | 8);\n"},
		{"a table", "Windows10", "drv.c", strings.ReplaceAll(table, "%s", "«NonPagedPool->NonPagedPoolNx»"), ""},
		{"an enumerator", "Windows10", "drv.c", "enum { Mine = «NonPagedPoolCacheAligned->NonPagedPoolNxCacheAligned» };\nint Use(POOL_TYPE t) { return ExAllocatePool(Mine, 1) != 0; }", ""},
		{"an alias", "Windows10", "drv.c", "#define POOL «NonPagedPool->NonPagedPoolNx»\nstatic const POOL_TYPE Type = POOL;\nint Use(POOL_TYPE t) { return ExAllocatePool(Type, 1) != 0; }", ""},
		{"a template argument", "Windows10", "drv.cpp", "template<POOL_TYPE T> struct Memory { static void *Get() { return ExAllocatePool(T, 1); } };\nint Use(POOL_TYPE) { return Memory<«NonPagedPool->NonPagedPoolNx»>::Get() != 0; }", ""},
		{"a variable of C++", "Windows7", "drv.cpp", "POOL_TYPE Type« = NonPagedPool->»;\nint Use(POOL_TYPE) { return ExAllocatePool(Type, 1) != 0; }", "    Type = NonPagedPool;\n"},
		{"a case label", "Windows7", "drv.c", "int Use(POOL_TYPE t)\n{\n\tswitch (t) {\n\tcase «NonPagedPool->NonPagedPoolExecute:\n\tcase NonPagedPoolNx»: // nonpaged\n\t\treturn 1;\n\tcase PagedPool: return 2;\n\t}\n\treturn 0;\n}", ""},
		{"case labels on one line", "Windows7", "drv.c", "int Use(POOL_TYPE t)\n{\n    switch (t) { case PagedPool: case «NonPagedPoolCacheAligned->NonPagedPoolBaseCacheAligned: case NonPagedPoolNxCacheAligned»: return 1; }\n    return 0;\n}", ""},
		{"a case label beside that for NX pool", "Windows7", "drv.c", "int Use(POOL_TYPE t)\n{\n    switch (t) {\n    case «NonPagedPool->NonPagedPoolExecute»:\n        switch (*(int *)0) { case 1: return 3; }\n        return 1;\n    case 512:\n        return 2;\n    }\n    return 0;\n}", ""},
		{"a case label around another switch with it", "Windows7", "drv.c", "int Use(POOL_TYPE t)\n{\n    switch (t) {\n    case «NonPagedPool->NonPagedPoolExecute:\n    case NonPagedPoolNx»:\n        switch (t) { case NonPagedPoolNx: return 3; }\n    }\n    return 0;\n}", ""},
	} {
		before, after := constantIn(tt.windows, tt.file, tt.text, tt.assigned)
		a := unpack(t, before)
		r := run(t, OptIn)
		if got := pack(t, a); got != after || len(r.Left) > 0 {
			t.Errorf("%s: left %v, got\n%s\nwant\n%s", tt.name, r.Left, got, after)
		}
		if again := run(t, AutoSelect); len(again.Changes)+len(again.Left) > 0 {
			t.Errorf("%s: a second port changes %s, left %v", tt.name, edit.Diff(again.Changes), again.Left)
		}
	}
}

// Where no rewrite is right, nothing is changed, and it is said why.
func TestConstantsThatStay(t *testing.T) {
	const use = "int Use(POOL_TYPE t) { return ExAllocatePool(Type, 1) != 0; }"
	for _, tt := range []struct{ name, windows, file, text, want string }{
		{"const", "Windows7", "drv.c", "static const POOL_TYPE Type = NonPagedPool;\n" + use, "not known to Windows 7"},
		{"in a function", "Windows7", "drv.c", "int Use(POOL_TYPE t) { static POOL_TYPE Type = NonPagedPool; return ExAllocatePool(Type, 1) != 0; }", "not known to Windows 7"},
		{"an array", "Windows7", "drv.c", "static POOL_TYPE Type[1] = { NonPagedPool };\nint Use(POOL_TYPE t) { return ExAllocatePool(Type[0], 1) != 0; }", "not known to Windows 7"},
		{"in braces", "Windows7", "drv.c", "static POOL_TYPE Type = { NonPagedPool };\n" + use, "not known to Windows 7"},
		{"in a header", "Windows7", "drv.c", "#include \"type.h\"\n" + use, "not known to Windows 7"},
		{"an enumerator", "Windows7", "drv.c", "enum { Type = NonPagedPool };\n" + use, "not known to Windows 7"},
		{"a label that is no name", "Windows10", "drv.c", "int Use(POOL_TYPE t) { switch (t) { case NonPagedPool | 8: return 1; } return 0; }", "is no single name that is known"},
		{"a label by a macro", "Windows10", "drv.c", "#define POOL NonPagedPool\nint Use(POOL_TYPE t) { switch (t) { case POOL: return 1; } return 0; }", "is no single name that is known"},
		{"a label beside an unknown one", "Windows10", "drv.c", "int Use(POOL_TYPE t) { switch (t) { case NonPagedPool: return 1; case OTHER: return 2; } return 0; }", "is no single name that is known"},
		{"a label beside a directive", "Windows10", "drv.c", "int Use(POOL_TYPE t) {\nswitch (t) {\ncase NonPagedPool: return 1;\n#ifdef NEW\ncase NonPagedPoolNx: return 2;\n#endif\n} return 0; }", "is no single name that is known"},
		{"an assertion", "Windows10", "drv.cpp", "static_assert(NonPagedPool == 0, \"x\");\nint Use(POOL_TYPE) { return 1; }", "hangs on the value"},
		{"a comparison beside it", "Windows10", "drv.c", "#define POOL NonPagedPool\nstatic const POOL_TYPE Type = POOL;\nint Use(POOL_TYPE t) { return t == POOL && ExAllocatePool(Type, 1) != 0; }", "it stands in a comparison, too"},
	} {
		before, _ := constantIn(tt.windows, tt.file, tt.text, "")
		unpack(t, before+"-- type.h --\nstatic POOL_TYPE Type = NonPagedPool;\n")
		if _, err := Run([]string{"."}, OptIn, options()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// What one build can't have, none gets: they share the text.
func TestConstantsOfTwoBuilds(t *testing.T) {
	const label = "int Use(POOL_TYPE t) { switch (t) { case NonPagedPool: return 1; } return 0; }"
	const array = "static POOL_TYPE Type[1] = { NonPagedPool };\nint Use(POOL_TYPE t) { return ExAllocatePool(Type[0], 1) != 0; }"
	const unknown = "#ifdef TEN\nstatic POOL_TYPE Type = NonPagedPool;\nint Use(POOL_TYPE t) { return ExAllocatePool(Type, 1) != 0; }\n#else\nint Use(POOL_TYPE t);\n#endif"
	const alias = "#include \"pool.h\"\nstatic const POOL_TYPE Type = POOL;\nint Use(POOL_TYPE t) { return ExAllocatePool(Type, 1) != 0; }"
	const optedOut = "#include \"pool.h\"\nint Use(POOL_TYPE t) { return ExAllocatePool(Shared, 1) != 0; }"
	const pool = "-- pool.h --\n#define POOL NonPagedPool\nstatic const POOL_TYPE Shared = NonPagedPool;\n"
	for _, tt := range []struct{ text, more, want string }{
		{label, "-- SOURCES --\nTARGETNAME=drv\nTARGETTYPE=DRIVER\nSOURCES=drv.c\n", "a kit that compiles it knows no other name"},
		{unknown, seven("SEVEN;POOL_NX_OPTIN=1;"), "not known to Windows 7, where drv.vcxproj|Release|x64 runs"},
		{alias, strings.ReplaceAll(seven(""), "drv.c", "other.c") + "-- pool.h --\n#define POOL NonPagedPool\n-- other.c --\n#include <ntddk.h>\n#include \"pool.h\"\nvoid F(void) { Other(POOL); }\n", "not known to Windows 7, where seven.vcxproj|Release|x64 runs"},
		{optedOut, pool + "-- out.c --\n#define POOL_NX_OPTOUT 1\n#include <ntddk.h>\n#include \"pool.h\"\n", "drv.vcxproj|Release|x64 opts out there"},
		{array, seven(""), "not known to Windows 7, where seven.vcxproj|Release|x64 runs"},
	} {
		windows := "Windows10"
		if tt.text == unknown {
			windows = "Windows7"
		}
		before, _ := constantIn(windows, "drv.c", tt.text, "")
		unpack(t, strings.Replace(before, "<PreprocessorDefinitions>", "<PreprocessorDefinitions>TEN;", 1)+tt.more)
		if tt.text == optedOut {
			addFile(t, "out.c")
		}
		if _, err := Run([]string{"."}, OptIn, options()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.text, err, tt.want)
		}
	}
}

// addFile has the driver's project compile another file.
func addFile(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile("drv.vcxproj")
	if err != nil {
		t.Fatal(err)
	}
	const first = `<ClCompile Include="drv.c" />`
	if err := os.WriteFile("drv.vcxproj", []byte(strings.Replace(string(text), first, first+`<ClCompile Include="`+name+`" />`, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// What an initialiser gives stays there, where an assignment would give it in other builds, too, or in the place of another value, or
// where the variable has to have one.
func TestConstantsThatCannotWait(t *testing.T) {
	const use = "\nint Use(POOL_TYPE t) { return ExAllocatePool(Type, 1) != 0; }"
	for _, text := range []string{
		"#ifdef PAGED\nPOOL_TYPE Type = PagedPool;\n#else\nPOOL_TYPE Type = NonPagedPool;\n#endif" + use,
		"extern POOL_TYPE Type = NonPagedPool;" + use,
		"__declspec(selectany) POOL_TYPE Type = NonPagedPool;" + use,
		"SELECTANY POOL_TYPE Type = NonPagedPool;" + use,
		"static POOL_TYPE Type = NonPagedPool;\nvoid Read(int n) {\n#ifdef PAGED\n#endif\n  if (n) n = 1; else Type = PagedPool; }" + use,
		"static POOL_TYPE Type = NonPagedPool;\nvoid Read(void *p) {\n#ifdef PAGED\n#endif\n  Type = PagedPool; }" + use,
		"static POOL_TYPE Type = NonPagedPool;\nvoid Read(void) { Query(L\"PoolType\", &Type); }" + use,
	} {
		before, _ := constantIn("Windows7", "drv.c", text, "")
		unpack(t, before)
		if _, err := Run([]string{"."}, OptIn, options()); err == nil || !strings.Contains(err.Error(), "not known to Windows 7") {
			t.Errorf("%s: %v", text, err)
		}
	}
	between := "#ifdef A\nint a;\n#endif\nstatic volatile POOL_TYPE Type« = NonPagedPool->»;\n#ifdef B\n#else\n#endif\nint Read(POOL_TYPE Type_) { Type_ = Type; return Type == 1; }" + use
	before, after := constantIn("Windows7", "drv.c", between, "    Type = NonPagedPool;\n")
	a := unpack(t, before)
	if run(t, OptIn); pack(t, a) != after {
		t.Errorf("got\n%s\nwant\n%s", pack(t, a), after)
	}
}

// POOL_NX_OPTIN_AUTO makes NonPagedPool the same label as NonPagedPoolNx, which a switch may have, too.
func TestLabelsUnderOptInAuto(t *testing.T) {
	const labels = "int Use(POOL_TYPE t)\n{\n    switch (t) {\n    case %s: return 1;\n    case PagedPool: return 2;\n    case %s: return 3;\n    }\n    return 0;\n}"
	for _, tt := range []struct{ label, other string }{
		{"«NonPagedPool->NonPagedPoolExecute»", "NonPagedPoolNx"},
		{"«NonPagedPool->NonPagedPoolExecute»", "512"},
		{"«NonPagedPoolCacheAligned->NonPagedPoolBaseCacheAligned»", "NonPagedPoolNxCacheAligned"},
		{"NonPagedPool", "NonPagedPoolNxCacheAligned"},
	} {
		was, is := changed(fmt.Sprintf(labels, tt.label, tt.other))
		const entry = "\nint DriverEntry(void) { return Use(NonPagedPool) && ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD') ? 0 : 1; }\n"
		of := func(define, text string) string {
			return strings.Replace(projectOf(define, "#include <ntddk.h>\n"+text+entry), "Windows7", "Windows8", 1)
		}
		a := unpack(t, of("", was))
		r := run(t, AutoSelect)
		if got, want := pack(t, a), of("POOL_NX_OPTIN_AUTO=1;", is); got != want || len(r.Left) > 0 {
			t.Errorf("%s beside %s: left %v, got\n%s\nwant\n%s", tt.label, tt.other, r.Left, got, want)
		}
		if again := run(t, AutoSelect); len(again.Changes)+len(again.Left) > 0 {
			t.Errorf("%s beside %s: a second port changes %s, left %v", tt.label, tt.other, edit.Diff(again.Changes), again.Left)
		}
	}
}
