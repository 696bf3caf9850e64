package port

import (
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/nx"
)

// changed splits a text in which «was->is» stands for each change into the text before and the one after.
func changed(text string) (before, after string) {
	for i, part := range strings.Split(text, "«") {
		change, rest, _ := strings.Cut(part, "»")
		if i == 0 {
			change, rest = "", part
		}
		was, is, _ := strings.Cut(change, "->")
		before, after = before+was+rest, after+is+rest
	}
	return before, after
}

// Flags are passed where flags belong, and types where types do; where one text is passed to both, it stays.
func TestMixUps(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"a type for flags", "PVOID F(void) { return ExAllocatePool2(«NonPagedPoolNx->POOL_FLAG_NON_PAGED», 1, 'xErD'); }"},
		{"an executable one", "PVOID F(void) { return ExAllocatePool2(NonPagedPoolExecute, 1, 'xErD'); }"},
		{"flags for a type", "PVOID F(void) { return ExAllocatePoolZero(«POOL_FLAG_NON_PAGED->NonPagedPoolNx», 1, 'xErD'); }"},
		{"by a wrapper", "static PVOID W(POOL_FLAGS f) { return ExAllocatePool2(f, 1, 'xErD'); }\nvoid F(void) { W(«PagedPool->POOL_FLAG_PAGED»); W(POOL_FLAG_PAGED); }"},
		{"one text for both", "#define POOL PagedPool\nPVOID F(void) { return ExAllocatePool2(POOL, 1, 'xErD'); }\nPVOID G(void) { return ExAllocatePoolZero(POOL, 1, 'xErD'); }"},
		{"with a flag", "PVOID F(void) { return ExAllocatePool2(PagedPool | POOL_FLAG_UNINITIALIZED, 1, 'xErD'); }"},
	} {
		before, after := changed(tt.text)
		ten := func(text string) string {
			return strings.Replace(explicitly("drv.c", text+"\n"), "%(PreprocessorDefinitions)", "NTDDI_VERSION=0x0A000008;%(PreprocessorDefinitions)", 1)
		}
		a := unpack(t, ten(before))
		run(t, AutoSelect)
		if got := pack(t, a); got != ten(after) {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, ten(after))
		}
		if again := run(t, AutoSelect); len(again.Changes) > 0 {
			t.Errorf("%s: a second port changes %s", tt.name, edit.Diff(again.Changes))
		}
	}
}

// A macro that is defined too late is moved in front of the include, with its line as it is; where that could change something
// else, it stays.
func TestLateMacro(t *testing.T) {
	const include, define = "#include <ntddk.h>\n", "#define POOL_NX_OPTIN 1\n"
	const entry = "int DriverEntry(void)\n{\n    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n    return ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD') ? 0 : 1;\n}\n"
	for _, tt := range []struct{ name, before, after string }{
		{"behind the include", "// A driver.\n" + include + define + entry, "// A driver.\n" + define + include + entry},
		{"with a comment, and CRLF", strings.ReplaceAll(include+" # define POOL_NX_OPTIN 1 // NX\n"+entry, "\n", "\r\n"), strings.ReplaceAll(" # define POOL_NX_OPTIN 1 // NX\n"+include+entry, "\n", "\r\n")},
		{"both under a condition", "#ifndef DRV\n" + include + define + "#endif\n" + entry, "#ifndef DRV\n" + define + include + "#endif\n" + entry},
		{"under a condition", include + "#ifndef DRV\n" + define + "#endif\n" + entry, ""},
		{"under another condition", "#ifndef DRV\n" + include + "#endif\n#ifndef DRV\n" + define + "#endif\n" + entry, ""},
		{"over two lines", include + "#define POOL_NX_OPTIN \\\n 1\n" + entry, ""},
		{"in a comment that goes on", include + "#define POOL_NX_OPTIN 1 /* NX\n */\n" + entry, ""},
	} {
		a := unpack(t, projectOf("", tt.before))
		run(t, AutoSelect)
		got := pack(t, a)
		switch {
		case tt.after != "" && got != projectOf("", tt.after):
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, projectOf("", tt.after))
		case tt.after == "" && !strings.Contains(got, tt.before):
			t.Errorf("%s: got\n%s", tt.name, got)
		}
		if again := run(t, AutoSelect); len(again.Changes) > 0 {
			t.Errorf("%s: a second port changes %s", tt.name, edit.Diff(again.Changes))
		}
	}
}

// NX pool on a Windows that has none becomes the pool that POOL_NX_OPTIN redefines, where all that hangs on the constant is
// compiled with it.
func TestRawNX(t *testing.T) {
	const entry = "int DriverEntry(void)\n{\n    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n    return F() ? 0 : 1;\n}\n"
	for _, tt := range []struct{ name, text, more string }{
		{"a request", "PVOID F(void) { return ExAllocatePoolWithTag(«NonPagedPoolNx->NonPagedPool», 1, 'xErD'); }\n", ""},
		{"an alias, aligned", "#define POOL «NonPagedPoolNxCacheAligned->NonPagedPoolCacheAligned»\nPVOID F(void) { return ExAllocatePoolWithTag(POOL, 1, 'xErD'); }\n", ""},
		{"a lookaside list", "void F(PNPAGED_LOOKASIDE_LIST l) { ExInitializeNPagedLookasideList(l, NULL, NULL, «POOL_NX_ALLOCATION->0», 8, 'xErD', 0); }\n", ""},
		{"compared", "static PVOID W(POOL_TYPE t) { return t == NonPagedPoolNx ? ExAllocatePoolWithTag(t, 1, 'xErD') : 0; }\nPVOID F(void) { return W(NonPagedPoolNx); }\n", ""},
		{"of a static variable", "static POOL_TYPE t = NonPagedPoolNx;\nPVOID F(void) { return ExAllocatePoolWithTag(t, 1, 'xErD'); }\n", ""},
		{"of a static local", "PVOID F(void) { static const POOL_TYPE t = NonPagedPoolNx; return ExAllocatePoolWithTag(t, 1, 'xErD'); }\n", ""},
		{"of a local", "PVOID F(void) { POOL_TYPE t = «NonPagedPoolNx->NonPagedPool»; return ExAllocatePoolWithTag(t, 1, 'xErD'); }\n", ""},
		{"in a table", "static const struct { int n; POOL_TYPE t; } table[] = { { 1, NonPagedPoolNx } };\nPVOID F(void) { return ExAllocatePoolWithTag(table[0].t, 1, 'xErD'); }\n", ""},
		{"by its number", "PVOID F(void) { return ExAllocatePoolWithTag(512, 1, 'xErD'); }\n", ""},
		{"shared with a driver for Windows 10", "PVOID F(void) { return ExAllocatePoolWithTag(NonPagedPoolNx, 1, 'xErD'); }\n",
			strings.NewReplacer("drv.vcxproj", "ten.vcxproj", "Windows7", "Windows10").Replace(projectOf("", ""))},
		{"with a call that nothing makes", "PVOID F(void) { return ExAllocatePoolWithTag(NonPagedPoolNx, 1, 'xErD'); }\n", "late"},
	} {
		before, after := changed(tt.text)
		of := func(text string) string {
			project, more := projectOf("POOL_NX_OPTIN=1;", "#include <ntddk.h>\n"+text+entry), ""
			if tt.more == "late" {
				return strings.Replace(project, "DriverEntry", "Unused", 1)
			}
			if tt.more != "" {
				more, _, _ = strings.Cut(tt.more, "-- drv.c --")
			}
			return more + project
		}
		a := unpack(t, of(before))
		run(t, AutoSelect)
		if got := pack(t, a); got != of(after) {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, of(after))
		}
		if before != after && len(findings(t, "NX0010")) > 0 {
			t.Errorf("%s: NX0010 is left", tt.name)
		}
		if again := run(t, AutoSelect); len(again.Changes) > 0 {
			t.Errorf("%s: a second port changes %s", tt.name, edit.Diff(again.Changes))
		}
	}
}

// An opt-out that disables the call is taken out of its file, unless a request of some build hangs on it.
func TestOptOutDisablesCall(t *testing.T) {
	before, after := example("NX0008").Before, example("NX0008").After
	const define, request = "#define POOL_NX_OPTOUT 1\n", "    ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD');\n    return STATUS_SUCCESS;"
	project, _, _ := strings.Cut(before, "-- drv.c --")
	second := strings.NewReplacer("drv.vcxproj", "second.vcxproj", "POOL_NX_OPTIN=1", "POOL_NX_OPTIN=1;SECOND").Replace(project)
	for _, tt := range []struct{ name, before, after string }{
		{"alone", before, after},
		{"with a request", strings.Replace(before, "    return STATUS_SUCCESS;", request, 1), ""},
		{"with one in another build", second + strings.Replace(before, "    return STATUS_SUCCESS;", "#ifdef SECOND\n"+request+"\n#endif\n    return STATUS_SUCCESS;", 1), ""},
		{"behind a byte order mark", strings.Replace(before, define, "\ufeff"+define, 1), ""},
		{"in a header", strings.Replace(before, define, "#include \"out.h\"\n", 1) + "-- out.h --\n" + define, ""},
		{"by a comment that goes on", strings.Replace(before, define, "#define POOL_NX_OPTOUT 1 /* no\n*/\n", 1), ""},
	} {
		a := unpack(t, tt.before)
		run(t, AutoSelect)
		want := tt.after
		if want == "" {
			want = tt.before
		}
		if got := pack(t, a); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, want)
		}
	}
}

// A condition on the opt-in may select another request, which is executable on purpose: none is worse for that. Nor are two requests of
// one macro taken for each other.
func TestNoRequestIsWorse(t *testing.T) {
	for _, body := range []string{
		"#ifdef NonPagedPool\n    Use(ExAllocatePoolWithTag(NonPagedPoolExecute, 1, 'xErD'));\n#else\n    Use(ExAllocatePoolWithTag(PagedPool, 1, 'xErD'));\n#endif\n",
		"#ifdef NonPagedPool\n    Use(ExAllocatePoolWithTag(PagedPool, 1, 'xErD'));\n#endif\n",
		"    BOTH(PagedPool, NonPagedPool);\n    BOTH(NonPagedPoolExecute, PagedPool);\n",
	} {
		a := unpack(t, projectOf("", "#include <ntddk.h>\n#define BOTH(a, b) Use(ExAllocatePoolWithTag(a, 1, 'xErD')), Use(ExAllocatePoolWithTag(b, 1, 'xErD'))\n"+
			"int DriverEntry(void)\n{\n"+body+"    Use(ExAllocatePoolWithTag(NonPagedPool, 2, 'xErD'));\n    return 0;\n}\n"))
		said := reported(run(t, OptIn))
		if got := pack(t, a); !strings.Contains(got, "{\n    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n"+body) || strings.Contains(said, "please report") {
			t.Errorf("said\n%sgot\n%s", said, got)
		}
	}
}

// A change after which a request gets executable memory is held back, however its line moves.
func TestWorseIsRefused(t *testing.T) {
	at := func(line int, value string) driver.Site {
		d := nx.DDIs()[slices.IndexFunc(nx.DDIs(), func(d nx.DDI) bool { return d.Name == "ExAllocatePoolWithTag" })]
		return driver.Site{DDI: d, Place: driver.Place{Path: "drv.c", Line: line}, Moment: driver.After,
			Value: driver.Value{Terms: []driver.Term{{Tokens: []driver.Token{{Name: value}}}}}}
	}
	for name, tt := range map[string]struct {
		old, new      string
		before, after []driver.Site
		refused       bool
	}{
		"the same line":           {"a\nb\n", "a\nb\n", []driver.Site{at(2, "PagedPool")}, []driver.Site{at(2, "NonPagedPoolExecute")}, true},
		"a moved line":            {"a\nb\nc\n", "x\na\ny\nb\nc\n", []driver.Site{at(2, "PagedPool")}, []driver.Site{at(4, "NonPagedPoolExecute")}, true},
		"a changed line":          {"a\nb\nc\n", "a\nx\nB\nc\n", []driver.Site{at(2, "PagedPool")}, []driver.Site{at(3, "NonPagedPoolExecute")}, true},
		"behind a line taken out": {"x\na\nb", "a\nb", []driver.Site{at(3, "PagedPool")}, []driver.Site{at(2, "NonPagedPoolExecute")}, true},
		"another line":            {"a\nb\n", "a\nb\n", []driver.Site{at(1, "PagedPool")}, []driver.Site{at(2, "NonPagedPoolExecute")}, false},
		"one of two":              {"a\n", "b\n", []driver.Site{at(1, "PagedPool"), at(1, "NonPagedPoolExecute")}, []driver.Site{at(1, "NonPagedPoolExecute"), at(1, "NonPagedPoolExecute")}, true},
		"the other of two":        {"a\n", "b\n", []driver.Site{at(1, "PagedPool"), at(1, "NonPagedPoolExecute")}, []driver.Site{at(1, "NonPagedPoolExecute"), at(1, "PagedPool")}, false},
	} {
		r := &Result{}
		r.Changes = []edit.Change{{Path: "drv.c", Old: []byte(tt.old), New: []byte(tt.new)}}
		r.Before, r.After = []driver.Image{{Sites: tt.before}}, []driver.Image{{Sites: tt.after}}
		if err := r.worse(); (err != nil) != tt.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A static library gets what the images that link it decide: its constants change where all of those are opted in.
func TestRawNXInALibrary(t *testing.T) {
	opted := strings.ReplaceAll(example("NX0013").After, "(NonPagedPool,", "(NonPagedPoolNx,")
	not := strings.NewReplacer("POOL_NX_OPTIN=1", "DRV", "    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n", "").Replace(opted)
	for before, after := range map[string]string{opted: example("NX0013").After, not: not} {
		a := unpack(t, before)
		run(t, AutoSelect)
		if got := pack(t, a); got != after {
			t.Errorf("got\n%s\nwant\n%s", got, after)
		}
	}
}

// A comparison is changed only where that is asked for, and where both of its sides are written where they stand.
func TestComparisons(t *testing.T) {
	for _, text := range []string{
		"int F(POOL_TYPE t) { return «->(»t«-> & 1)» == 0; }",
		"int F(POOL_TYPE t) { return «->(»t«-> & 1)» != «NonPagedPoolExecute->0»; }",
		"int F(POOL_TYPE t) { return 0 == «->(»t«-> & 1)»; }",
		"struct S { POOL_TYPE t; };\nint F(struct S *s) { return «->(»s->t«-> & 1)» == «NonPagedPoolExecute->0»; }",
		"#define OLD NonPagedPoolExecute\nint F(POOL_TYPE t) { return t == OLD; }",
		"#define IS(t) (t == NonPagedPoolExecute)\nint F(POOL_TYPE t) { return IS(t); }",
		"int F(POOL_TYPE t) { return t == NonPagedPool; }",
		"int F(POOL_TYPE t) { return t == NonPagedPoolExecute || t == NonPagedPoolNx; }",
	} {
		const entry = "\nvoid DriverEntry(void) { ExInitializeDriverRuntime(DrvRtPoolNxOptIn); }\n"
		text = strings.ReplaceAll(text, "s->t", "s=>t") // no change
		before, after := changed(text)
		of := func(text string) string {
			return projectOf("POOL_NX_OPTIN=1;", "#include <ntddk.h>\n"+strings.ReplaceAll(text, "s=>t", "s->t")+entry)
		}
		a := unpack(t, of(before))
		if run(t, AutoSelect); pack(t, a) != of(before) {
			t.Errorf("%s: changed without --unsafe", text)
		}
		o := options()
		o.Unsafe = true
		runWith(t, AutoSelect, o)
		if got := pack(t, a); got != of(after) {
			t.Errorf("got\n%s\nwant\n%s", got, of(after))
		}
		if again := runWith(t, AutoSelect, o); len(again.Changes) > 0 {
			t.Errorf("%s: a second port changes %s", text, edit.Diff(again.Changes))
		}
	}
}

// Some bits of a pool type, compared with NonPagedPool, are never equal under an opt-in: the comparison is made to mean what it
// did.
func TestMaskedComparisons(t *testing.T) {
	for _, text := range []string{
		"int F(POOL_TYPE t) { return (t & 1) == «NonPagedPool->0»; }",
		"#define BASE_POOL_TYPE_MASK 1\nint F(struct S *s) { return («NonPagedPool->0» != (s=>t & BASE_POOL_TYPE_MASK)); }",
		"int F(POOL_TYPE t) { return (t & 4) == «NonPagedPoolCacheAligned->4»; }",
		"int F(POOL_TYPE t) { return (t & 1) == PagedPool; }",
		"int F(POOL_TYPE t) { return (t & 0x201) == NonPagedPool; }",
		"int F(POOL_TYPE t, int m) { return (t & m) == NonPagedPool; }",
		"int F(POOL_TYPE t) { return (t | 1) == NonPagedPool; }",
		"int F(POOL_TYPE t, int m) { return ((t & m) | 1) == NonPagedPool; }",
		"#define POOL NonPagedPool\nint F(POOL_TYPE t) { return (t & 1) == POOL; }",
	} {
		before, after := changed(strings.ReplaceAll(text, "=>", "⇒"))
		of := func(text, definitions, call string) string {
			return projectOf(definitions, "#include <ntddk.h>\n"+strings.ReplaceAll(text, "⇒", "->")+
				"\nint DriverEntry(void)\n{\n"+call+"    return ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD') ? 0 : 1;\n}\n")
		}
		a := unpack(t, of(before, "", ""))
		run(t, AutoSelect)
		if got, want := pack(t, a), of(after, "POOL_NX_OPTIN=1;", "    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n"); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if again := run(t, AutoSelect); len(again.Changes) > 0 {
			t.Errorf("%s: a second port changes %s", text, edit.Diff(again.Changes))
		}
	}
}

// A page protection loses execution only where that is asked for, the pages are the driver's own, and nothing is seen to be
// executed in them.
func TestPageProtections(t *testing.T) {
	for _, text := range []string{
		"PVOID F(void) { return MmAllocateContiguousNodeMemory(1, a, b, c, «PAGE_EXECUTE_READWRITE->PAGE_READWRITE», 0); }",
		"PVOID F(void) { return MmMapIoSpaceEx(a, 1, «PAGE_EXECUTE_READ->PAGE_READONLY» | PAGE_NOCACHE); }",
		"#define RX «PAGE_EXECUTE->PAGE_READONLY»\nPVOID F(void) { return MmMapIoSpaceEx(a, 1, RX); }",
		"PVOID F(void) { return MmMapIoSpaceEx(a, 1, PAGE_READWRITE); }",
		"PVOID F(void) { return MmMapIoSpaceEx(a, 1, 0x40); }",
		"void F(PMDL m) { MmProtectMdlSystemAddress(m, PAGE_EXECUTE_READ); }",
		"#define RX PAGE_EXECUTE_READ\nvoid F(PMDL m) { MmProtectMdlSystemAddress(m, RX); MmMapIoSpaceEx(a, 1, RX); }",
		"void F(void) { ZwAllocateVirtualMemory(p, &a, 0, &n, MEM_COMMIT, PAGE_EXECUTE_READWRITE); }",
		jitOf("MmAllocateContiguousNodeMemory(1, a, b, c, PAGE_EXECUTE_READWRITE, 0)"),
	} {
		before, after := changed(text + "\n")
		a := unpack(t, explicitly("drv.c", before))
		for _, goal := range []Goal{OptIn, Explicit} {
			if r := run(t, goal); len(r.Changes) > 0 || len(r.Left) > 0 {
				t.Errorf("%s to %s, without --unsafe: changed %s, left %v", text, goal, edit.Diff(r.Changes), r.Left)
			}
		}
		o := options()
		o.Unsafe = true
		runWith(t, OptIn, o)
		if got, want := pack(t, a), explicitly("drv.c", after); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if again := runWith(t, Explicit, o); len(again.Changes) > 0 {
			t.Errorf("%s: a second port changes %s", text, edit.Diff(again.Changes))
		}
	}
}

// Half an opt-in on which nothing hangs is harmless, and stays so; where it is not known what hangs on it, the call is made.
func TestHarmlessHalves(t *testing.T) {
	const call, paged = "    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n", "    return ExAllocatePoolWithTag(PagedPool, 1, 'xErD') ? 0 : 1;\n"
	const unknown, static = "    return ExAllocatePoolWithTag(Type(), 1, 'xErD') ? 0 : 1;\n", "    return ExAllocatePoolWithTag(t, 1, 'xErD') ? 0 : 1;\n"
	export := strings.NewReplacer("NonPagedPool", "PagedPool").Replace(example("C30033").Before)
	of := func(definitions, body string) string {
		return projectOf(definitions, "#include <ntddk.h>\nPOOL_TYPE Type(void);\nint DriverEntry(void)\n{\n"+body+"}\n")
	}
	for _, tt := range []struct{ name, before, after string }{
		{"the macro", of("POOL_NX_OPTIN=1;", paged), of("POOL_NX_OPTIN=1;", paged)},
		{"the call", of("", call+paged), of("", call+paged)},
		{"the macro, of an export driver", export, export},
		{"the macro, with a type that is not known", of("POOL_NX_OPTIN=1;", unknown), of("POOL_NX_OPTIN=1;", call+unknown)},
		{"the macro, with more than the call to do", of("POOL_NX_OPTIN=1;", "    static POOL_TYPE t = NonPagedPool;\n"+static), of("POOL_NX_OPTIN=1;", "    static POOL_TYPE t = NonPagedPool;\n\n"+call+static)},
	} {
		a := unpack(t, tt.before)
		run(t, AutoSelect)
		if got := pack(t, a); got != tt.after {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.after)
		}
	}
}

// A definition that comes too late is not moved into a comment.
func TestMacroBehindACommentedInclude(t *testing.T) {
	const text = "/* the\n   kit */ #include <ntddk.h>\n#define POOL_NX_OPTIN 1\nint DriverEntry(void)\n{\n    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n    return ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD') ? 0 : 1;\n}\n"
	a := unpack(t, projectOf("", text))
	if run(t, OptIn); pack(t, a) != projectOf("POOL_NX_OPTIN=1;", text) {
		t.Errorf("got\n%s", pack(t, a))
	}
}

// A macro that a file defines as something else makes the compiler warn, once a build defines it, too.
func TestRedefinition(t *testing.T) {
	const text = "DRIVER\nint DriverEntry(void)\n{\n    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n    return ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD') ? 0 : 1;\n}\n"
	for _, tt := range []struct{ head, more, want string }{
		{"#include <ntddk.h>\n#include <x.h>\n#if 1\n#define POOL_NX_OPTIN\n#endif", "", "drv.c:4:9: POOL_NX_OPTIN is defined as something else than 1"},
		{"#include \"own.h\"", "-- own.h --\n#include <ntddk.h>\n#if 1\n#define POOL_NX_OPTIN 2\n#endif\n", "own.h:3:9: POOL_NX_OPTIN is defined as something else"},
		{"#include <ntddk.h>\n#if 1\n#define POOL_NX_OPTIN 1 // yes\n#endif", "", ""},
		{"#include <ntddk.h>\n#if 1\n#undef POOL_NX_OPTIN\n#define POOL_NX_OPTIN 2\n#endif", "", ""},
		{"#include <ntddk.h>\n#ifndef POOL_NX_OPTIN\n#define POOL_NX_OPTIN\n#endif", "", ""},
	} {
		unpack(t, projectOf("", strings.Replace(text, "DRIVER", tt.head, 1))+tt.more)
		_, err := Run([]string{"."}, OptIn, options())
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.head, err, tt.want)
		}
	}
}

// A declaration that reads what the call sets is split, so that it can wait for it; where nothing is to wait, the call is not moved.
func TestCallBeforeADeclaration(t *testing.T) {
	const call, use = "    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n", "    return ExAllocatePoolWithTag(t, 1, 'xErD') ? 0 : 1;\n"
	of := func(body string) string {
		return projectOf("POOL_NX_OPTIN=1;", "#include <ntddk.h>\nint DriverEntry(void)\n{\n    int n = 0;\n"+body+"}\n")
	}
	const reads, split = "    POOL_TYPE t = NonPagedPool;\n", "    POOL_TYPE t;\n\n" + call + "    t = NonPagedPool;\n"
	const static = "    static POOL_TYPE t = NonPagedPool;\n"
	for before, after := range map[string]string{
		reads + use:                        split + use,
		reads + call + use:                 split + use,
		static + call + use:                static + call + use,
		static + "\n" + call + use:         static + "\n" + call + use,
		static + "    n++;\n" + call + use: static + "\n" + call + "    n++;\n" + use,
	} {
		a := unpack(t, of(before))
		run(t, AutoSelect)
		if got, want := pack(t, a), of(after); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if again := run(t, AutoSelect); len(again.Changes) > 0 {
			t.Errorf("a second port changes %s", edit.Diff(again.Changes))
		}
	}
}

// NX pool that is asked for below Windows 8 and stays so has its reason.
func TestNXStaysForAReason(t *testing.T) {
	const entry = "int DriverEntry(void)\n{\n    return 0;\n}\n"
	const named = "void F(void) { ExAllocatePool(NonPagedPoolNx, 1); }\n"
	newer, _, _ := strings.Cut(strings.NewReplacer("-- drv.vcxproj --", "-- new.vcxproj --", "Windows7", "Windows10").Replace(projectOf("", "")), "-- drv.c --")
	for name, tt := range map[string]struct{ other, text, why string }{
		"no entry routine": {"", named, "it can't be opted in: no DriverEntry or DllInitialize was found for the call"},
		"a number":         {"", strings.Replace(named, "NonPagedPoolNx", "512", 1) + entry, "it can't be changed: it is asked for by no name that POOL_NX_OPTIN redefines"},
		"compared": {"", "#define POOL NonPagedPoolNx\nvoid F(void) { ExAllocatePool(POOL, 1); }\nint G(POOL_TYPE t) { return t == POOL; }\n" + entry,
			"it can't be changed: more than this request hangs on NonPagedPoolNx"},
		"a driver for Windows 10": {newer, named + entry, "it can't be changed: POOL_NX_OPTIN is not at work everywhere that this NonPagedPoolNx serves"},
	} {
		unpack(t, tt.other+projectOf("", "#include <ntddk.h>\n"+tt.text))
		r := run(t, OptIn)
		if len(r.Left) != 1 || !strings.HasSuffix(r.Left[0].Message, "; "+tt.why) {
			t.Errorf("%s: left %v", name, r.Left)
		}
	}
}
