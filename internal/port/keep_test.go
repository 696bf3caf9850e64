package port

import (
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/internal/report"
)

// jit is code that executes memory which it requests as it is told.
const jit = "typedef int (*CODE)(void);\nint Run(void)\n{\n    PVOID p = %;\n    return ((CODE)p)();\n}\n"

func jitOf(request string) string { return strings.Replace(jit, "%", request, 1) }

// besides gives a driver of two files, all but one of them, drv.c; properties are those of the other in the build file.
func besides(file, properties string) string {
	item := "    <ClCompile Include=\"jit.c\">" + properties + "</ClCompile>\n"
	p, _, _ := strings.Cut(projectOf("", ""), "-- drv.c --")
	return strings.Replace(p, "    <ClCompile Include=", item+"    <ClCompile Include=", 1) + "-- jit.c --\n" + file
}

const (
	ordinaryBefore = "-- drv.c --\n#include <ntddk.h>\nint DriverEntry(void)\n{\n    return ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD') ? 0 : 1;\n}\n"
	ordinaryAfter  = "-- drv.c --\n#include <ntddk.h>\nint DriverEntry(void)\n{\n    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n    return ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD') ? 0 : 1;\n}\n"
)

// Memory that is executed stays executable: by an opt-out of its file where that changes nothing else, else by the name of
// executable pool; else it is left. In the texts, what stands in «» is what -> is made of.
func TestExecutedMemoryIsKept(t *testing.T) {
	const optOut = "«->#define POOL_NX_OPTOUT 1\n»"
	const alloc = "ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD')"
	const named = "ExAllocatePoolWithTag(«NonPagedPool->NonPagedPoolExecute», 1, 'xErD')"
	for _, tt := range []struct{ name, file, properties, why string }{
		{"alone in its file", optOut + "#include <ntddk.h>\n" + jitOf(alloc), "", ""},
		{"a header before the kit's", "#include \"own.h\"\n" + optOut + "#include <ntddk.h>\n" + jitOf(alloc) + "-- own.h --\n#define OWN 1\n", "", ""},
		{"a header that brings the kit", "// JIT\n" + optOut + "#include \"own.h\"\n" + jitOf(alloc) + "-- own.h --\n#include <ntddk.h>\n", "", ""},
		{"indented", "#ifndef DRV\n«->  #define POOL_NX_OPTOUT 1\n»  #include <ntddk.h>\n#endif\n" + jitOf(alloc), "", ""},
		{"in one of two branches", "#ifdef BAR\n#include <ntifs.h>\n#else\n#include <ntddk.h>\n#endif\n" + jitOf(named), "", ""},
		{"in the other one", "#ifndef BAR\n#include <ntifs.h>\n#else\n#include <ntddk.h>\n#endif\n" + jitOf(named), "", ""},
		{"behind two branches", "#ifdef BAR\n#define A 1\n#else\n#define A 2\n#endif\n" + optOut + "#include <ntddk.h>\n#ifdef BAR\n#else\n#endif\n" + jitOf(alloc), "", ""},
		{"with CRLF", strings.ReplaceAll(optOut+"#include <ntddk.h>\n"+jitOf(alloc), "\n", "\r\n"), "", ""},
		{"with a BOM", "\ufeff" + optOut + "#include <ntddk.h>\n" + jitOf(alloc), "", ""},
		{"by an alias of the file", optOut + "#include <ntddk.h>\n#define POOL NonPagedPool\n" + jitOf("ExAllocatePoolWithTag(POOL, 1, 'xErD')"), "", ""},
		{"a lookaside list beside it", "#include <ntddk.h>\nvoid L(PNPAGED_LOOKASIDE_LIST l) { ExInitializeNPagedLookasideList(l, NULL, NULL, 0, 8, 'xErD', 0); }\n" + jitOf(named), "", ""},
		{"a request beside it", "#include <ntddk.h>\nPVOID G(void) { return " + alloc + "; }\n" + jitOf(named), "", ""},
		{"paged pool beside it", optOut + "#include <ntddk.h>\nPVOID G(void) { return ExAllocatePoolWithTag(PagedPool, 1, 'xErD'); }\n" + jitOf(alloc), "", ""},
		{"a comparison beside it", "#include <ntddk.h>\nint G(POOL_TYPE t) { return t == NonPagedPool; }\n" + jitOf(named), "", ""},
		{"a precompiled header", "#include \"pch.h\"\n" + jitOf(named) + "-- pch.h --\n#include <ntddk.h>\n",
			"<PrecompiledHeader>Use</PrecompiledHeader><PrecompiledHeaderFile>pch.h</PrecompiledHeaderFile>", ""},
		{"a forced header", jitOf(named) + "-- pch.h --\n#include <ntddk.h>\n", "<ForcedIncludeFiles>pch.h</ForcedIncludeFiles>", ""},
		{"behind a comment", "/*\n */ #include <ntddk.h>\n" + jitOf(named), "", ""},
		{"aligned", "#include <ntddk.h>\nPVOID G(void) { return " + alloc + "; }\n" + jitOf("ExAllocatePoolWithTag(«NonPagedPoolCacheAligned->NonPagedPoolBaseCacheAligned», 1, 'xErD')"), "", ""},
		{"with a flag", "#include <ntddk.h>\nPVOID G(void) { return " + alloc + "; }\n" + jitOf("ExAllocatePoolWithTag(«NonPagedPool->NonPagedPoolExecute» | POOL_COLD_ALLOCATION, 1, 'xErD')"), "", ""},
		{"by the type of a header's function", "#include \"own.h\"\n" + jitOf(named) + "-- own.h --\n#include <ntddk.h>\n__inline PVOID G(void) { return " + alloc + "; }\n", "", ""},
		{"a constant for others, too", "#include <ntddk.h>\n#define POOL NonPagedPool\nPVOID G(void) { return ExAllocatePoolWithTag(POOL, 1, 'xErD'); }\n" + jitOf("ExAllocatePoolWithTag(POOL, 1, 'xErD')"), "", "hangs on it, too, whose memory is not seen to be executed (jit.c:3:"},
		{"a constant that is compared, too", "#include <ntddk.h>\n#define POOL NonPagedPool\nint G(POOL_TYPE t) { return t == POOL; }\n" + jitOf("ExAllocatePoolWithTag(POOL, 1, 'xErD')"), "", "NonPagedPool stands in a comparison, too (jit.c:3:"},
		{"pasted in part", "#include <ntddk.h>\n#define CAT(a, b) a##b\nPVOID G(void) { return " + alloc + "; }\n" + jitOf("ExAllocatePoolWithTag(g ? NonPagedPool : CAT(NonPagedPool, CacheAligned), 1, 'xErD')"), "", "written at no place"},
		{"compared on the way", "#include <ntddk.h>\nstatic PVOID W(POOL_TYPE t) { if (t == NonPagedPool) G(); return ExAllocatePoolWithTag(t, 1, 'xErD'); }\n" + jitOf("W(NonPagedPool)"), "", "is compared with a pool type on the way (jit.c:6:"},
		{"from several places", "#include <ntddk.h>\nPVOID G(void) { return " + alloc + "; }\nstatic PVOID W(POOL_TYPE t) { return ExAllocatePoolWithTag(t, 1, 'xErD'); }\nPVOID H(void) { return W(NonPagedPool); }\n" + jitOf("W(NonPagedPool)"), "", "at several places"},
		{"pasted", "#include <ntddk.h>\n#define CAT(a, b) a##b\nPVOID G(void) { return " + alloc + "; }\n" + jitOf("ExAllocatePoolWithTag(CAT(NonPaged, Pool), 1, 'xErD')"), "", "written at no place"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, after := changed(tt.file)
			a := unpack(t, besides(before, tt.properties)+ordinaryBefore)
			r := run(t, OptIn)
			want := strings.Replace(besides(after, tt.properties)+ordinaryAfter, "%(Pre", "POOL_NX_OPTIN=1;%(Pre", 1)
			if got := pack(t, a); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if tt.why == "" && (len(r.Left) > 0 || len(r.Kept) != 1) {
				t.Errorf("left %v, kept %v", r.Left, r.Kept)
			}
			if tt.why != "" && (len(r.Left) != 1 || r.Left[0].Rule.ID != executed || !strings.Contains(r.Executed[0].Message, tt.why)) {
				t.Errorf("left %v, executed %v", r.Left, r.Executed)
			}
			if again := run(t, OptIn); len(again.Changes) > 0 {
				t.Errorf("a second port changes %s", edit.Diff(again.Changes))
			}
		})
	}
}

// A file is not opted out where that would have no effect, or another one than meant.
func TestExecutedMemoryIsNotOptedOut(t *testing.T) {
	project := func(item string) string {
		p, _, _ := strings.Cut(projectOf("", ""), "-- drv.c --")
		return strings.Replace(p, "    <ClCompile Include=", item+"    <ClCompile Include=", 1)
	}
	const alloc, item = "ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD')", "    <ClCompile Include=\"jit.c\" />\n"
	named := jitOf("ExAllocatePoolWithTag(«NonPagedPool->NonPagedPoolExecute», 1, 'xErD')")
	other := strings.NewReplacer("drv.vcxproj", "b.vcxproj", "%(Pre", "B;%(Pre")
	for _, tt := range []struct{ name, text string }{
		{"the file of the entry routine", project(item) + "-- jit.c --\n#include <ntddk.h>\nPVOID G(void) { return " + alloc + "; }\n" +
			"-- drv.c --\n#include <ntddk.h>\n" + named + "int DriverEntry(void)\n{\n«->    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n»    return 0;\n}\n"},
		{"nothing else to opt in", project(item) + "-- jit.c --\n#include <ntddk.h>\n" + named + "-- drv.c --\n#include <ntddk.h>\nint DriverEntry(void) { return 0; }\n"},
		{"a type from another file", project(item+"    <ClCompile Include=\"w.c\" />\n") + "-- jit.c --\n#include <ntddk.h>\n" +
			jitOf("W(«NonPagedPool->NonPagedPoolExecute»)") + "-- w.c --\n#include <ntddk.h>\nPVOID W(POOL_TYPE t) { return ExAllocatePoolWithTag(t, 1, 'xErD'); }\n" + ordinaryBefore},
		{"another include in another build", other.Replace(project(item)) + project(item) + "-- jit.c --\n#ifdef B\n#include <ntddk.h>\n#else\n#include <wdm.h>\n#endif\n" + named + ordinaryBefore},
	} {
		before, after := changed(tt.text)
		a := unpack(t, before)
		r := run(t, OptIn)
		got := strings.NewReplacer("POOL_NX_OPTIN=1;", "", "{\n    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n    return Ex", "{\n    return Ex").Replace(pack(t, a))
		if got != after || len(r.Left) > 0 {
			t.Errorf("%s: left %v, got\n%s\nwant\n%s", tt.name, r.Left, got, after)
		}
	}
}

// A file that a project of user mode compiles, too, can't name NonPagedPoolExecute; one in UTF-16 is not edited.
func TestExecutedMemoryInAFileThatStays(t *testing.T) {
	const file = "#include <ntddk.h>\nPVOID G(void) { return ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD'); }\n"
	user, _, _ := strings.Cut(strings.Replace(projectOf("", ""), ">Driver<", ">Application<", 1), "-- drv.c --")
	shared := strings.NewReplacer("drv.vcxproj", "user.vcxproj", "drv.c", "jit.c").Replace(user)
	wide := "\xff\xfe"
	for _, c := range "#include <ntddk.h>\n" + jitOf("ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD')") {
		wide += string(c) + "\x00"
	}
	for name, tt := range map[string]struct{ text, file, why string }{
		"shared": {shared + besides(file+jitOf("ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD')"), "") + ordinaryBefore, "jit.c", "a project of user mode compiles it, too"},
		"UTF-16": {besides(wide+"\n\x00\n", "") + ordinaryBefore, "jit.c", "written at no place"},
	} {
		unpack(t, tt.text)
		r := run(t, OptIn)
		if strings.Contains(edit.Diff(r.Changes), tt.file) || len(r.Executed) != 1 || !strings.Contains(r.Executed[0].Message, tt.why) || len(r.Left) != 1 {
			t.Errorf("%s: executed %v, left %v, changes\n%s", name, r.Executed, r.Left, edit.Diff(r.Changes))
		}
	}
}

// Where nothing else is to be opted in, neither is the driver.
func TestOnlyExecutedMemory(t *testing.T) {
	before, after := changed("#include <ntddk.h>\n" + jitOf("ExAllocatePoolWithTag(«NonPagedPool->NonPagedPoolExecute», 1, 'xErD')") +
		"int DriverEntry(void) { return Run(); }\n")
	for _, goal := range []Goal{OptIn, Explicit, OptInAuto} {
		ten := strings.NewReplacer("Windows7", "Windows10")
		a := unpack(t, ten.Replace(projectOf("", before)))
		r := run(t, goal)
		if got, want := pack(t, a), ten.Replace(projectOf("", after)); got != want || len(r.Left) > 0 {
			t.Errorf("%s: left %v, got\n%s\nwant\n%s", goal, r.Left, got, want)
		}
	}
}

// A file that an old kit compiles can't name NonPagedPoolExecute, but can be opted out.
func TestExecutedMemoryWithAnOldKit(t *testing.T) {
	sources := func(file string) string {
		return "-- sources --\nTARGETNAME=drv\nTARGETTYPE=DRIVER\nSOURCES=drv.c jit.c\n-- jit.c --\n" + file
	}
	const alloc = "ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD')"
	unpack(t, sources("#include <ntddk.h>\n"+jitOf(alloc))+ordinaryBefore)
	if r := run(t, OptIn); !strings.Contains(edit.Diff(r.Changes), "+#define POOL_NX_OPTOUT 1\n") {
		t.Errorf("%s", edit.Diff(r.Changes))
	}
	a := unpack(t, sources("#include <ntddk.h>\nPVOID G(void) { return "+alloc+"; }\n"+jitOf(alloc))+ordinaryBefore)
	r := run(t, OptIn)
	if strings.Contains(pack(t, a), "NonPagedPoolExecute") || len(r.Left) != 1 || !strings.Contains(r.Left[0].Message, "it can't be kept") &&
		!strings.Contains(r.Left[0].Message, "no-execute memory") {
		t.Errorf("left %v\n%s", r.Left, pack(t, a))
	}
	const why = "a kit that compiles it does not know NonPagedPoolExecute"
	if !strings.Contains(r.Executed[0].Message, why) {
		t.Errorf("%s", r.Executed[0].Message)
	}
	unpack(t, sources("#include \"own.h\"\nPVOID G(void) { return "+alloc+"; }\n"+jitOf("ExAllocatePoolWithTag(POOL, 1, 'xErD')"))+"-- own.h --\n#include <ntddk.h>\n#define POOL NonPagedPool\n"+ordinaryBefore)
	if r := run(t, OptIn); len(r.Executed) != 1 || !strings.Contains(r.Executed[0].Message, why) {
		t.Errorf("in a header: %v", r.Executed)
	}
}

// What seems to be executed is said before anything is written, with the signs; so is what can't be judged.
func TestRisksAreNamed(t *testing.T) {
	unpack(t, besides("#include <ntddk.h>\n"+jitOf("ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD')"), "")+
		strings.Replace(ordinaryBefore, "int DriverEntry", "PVOID g;\nPVOID M(PMDL m) { return MmGetSystemAddressForMdlSafe(m, NormalPagePriority); }\nvoid S(void) { g = ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD'); Send(g); }\nint DriverEntry", 1))
	r, err := Run([]string{"."}, OptIn, options())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	report.Risks(&b, &r.Ported)
	for _, want := range []string{
		"executed: jit.c:5:15: memory of ExAllocatePoolWithTag seems to be executed: ",
		"\n  jit.c:6: Run: the memory at p is called",
		"\n  fix: opt the file out with POOL_NX_OPTOUT, to keep the memory executable\n",
		"not judged: 1 of 2 requests that the port makes no-execute: their memory goes where it is not followed, and may be executed there: drv.c:4\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

// What can't be kept makes the opt-in unsafe. It is judged, so that it is not among what could not be.
func TestOptInThatHarms(t *testing.T) {
	const pool = "#include <ntddk.h>\n#define POOL NonPagedPool\nvoid G(void) { Keep(ExAllocatePoolWithTag(POOL, 1, 'xErD')); }\n"
	unpack(t, besides(pool+strings.Replace(jitOf("ExAllocatePoolWithTag(POOL, 1, 'xErD')"), "return", "g = p;\n    return", 1), "")+ordinaryBefore)
	for _, f := range findings(t, "C30030") {
		if f.Fix == nil || f.Fix.Safe {
			t.Errorf("%s: fix %+v", f.Place, f.Fix)
		}
	}
	r := run(t, OptIn)
	var b strings.Builder
	report.Risks(&b, &r.Ported)
	if _, judged, _ := strings.Cut(b.String(), "not judged: "); judged == "" || strings.Contains(judged, "jit.c:7") {
		t.Errorf("printed\n%s", b.String())
	}
}

// Where some executed memory can't be kept, the rest is all the same, and what opts nothing in is made.
func TestKeptBesideHarm(t *testing.T) {
	const get = "void Two(int n)\n{\n    POOL_TYPE t = NonPagedPool;\n    PFN p = (PFN)ExAllocatePoolWithTag(t, n, 'xErD');\n    g = ExAllocatePoolWithTag(t, n, 'xErD');\n    p();\n}\n"
	text := strings.Replace(besides("#include <ntddk.h>\nPVOID g;\n"+jitOf("ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD')")+get, ""), "Windows7", "Windows8", 1)
	for goal, want := range map[Goal]string{OptIn: "POOL_NX_OPTIN=1", OptInAuto: "POOL_NX_OPTIN_AUTO=1", Explicit: "NonPagedPoolNx", Pool2: "NonPagedPoolNx"} {
		a := unpack(t, text+ordinaryBefore)
		r := run(t, goal)
		if got := pack(t, a); !strings.Contains(got, "(NonPagedPoolExecute, 1,") || !strings.Contains(got, want) || len(r.Left) == 0 {
			t.Errorf("%s: left %v, got\n%s", goal, r.Left, got)
		}
	}
}

// On ARM64 what seems to be executed is no-execute memory already: it is not made executable, and so is left for x64, too.
func TestExecutedMemoryOnARM64(t *testing.T) {
	const item = "    <ProjectConfiguration Include=\"Release|x64\" />\n"
	arm := strings.NewReplacer("Windows7", "Windows10", item, item+strings.Replace(item, "x64", "ARM64", 1))
	for _, text := range []string{"#include <ntddk.h>\n", "#include <ntddk.h>\nPVOID G(void) { return ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD'); }\n"} {
		unpack(t, arm.Replace(besides(text+jitOf("ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD')"), "")+ordinaryBefore))
		r := run(t, OptIn)
		if strings.Contains(edit.Diff(r.Changes), "jit.c") || len(r.Left) != 1 ||
			!strings.Contains(r.Executed[0].Message, "it is no-execute memory already in drv.vcxproj|Release|ARM64") {
			t.Errorf("executed %v, left %v, changes\n%s", r.Executed, r.Left, edit.Diff(r.Changes))
		}
	}
}

// A mapping has no name of executable memory: what is said of pool is not said of it.
func TestExecutedMapping(t *testing.T) {
	unpack(t, projectOf("", "#include <ntddk.h>\ntypedef ULONG (*CODE)(void);\nULONG DriverEntry(PMDL m)\n{\n    PVOID p = MmGetSystemAddressForMdlSafe(m, NormalPagePriority);\n    return ((CODE)p)();\n}\n"))
	r := run(t, OptIn)
	if len(r.Executed) != 1 || strings.Contains(r.Executed[0].Message, "name NonPagedPoolExecute") || !strings.Contains(r.Executed[0].Message, "system; opt the file out by POOL_NX_OPTOUT") {
		t.Errorf("executed %v", r.Executed)
	}
}
