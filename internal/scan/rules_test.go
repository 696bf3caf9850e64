package scan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/rule"
)

// judged scans a tree and gives its findings, each as place, rule and level.
func judged(t *testing.T, archive string) string {
	t.Helper()
	r := scanned(t, archive)
	var got []string
	for _, f := range r.Findings {
		level := f.Level.String()
		if f.NoAlternative {
			level = "no alternative"
		}
		got = append(got, fmt.Sprintf("%s:%d %s %s", f.Place.Path, f.Place.Line, f.Rule.ID, level))
	}
	slices.Sort(got)
	return strings.Join(got, "; ")
}

// buildFile is a build file; platforms are those of its one configuration.
func buildFile(target, definitions, platforms string, files ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "-- drv.vcxproj --\n<Project><ItemGroup Label=\"ProjectConfigurations\">")
	for p := range strings.FieldsSeq(platforms) {
		fmt.Fprintf(&b, "<ProjectConfiguration Include=\"Release|%s\" />", p)
	}
	fmt.Fprintf(&b, "</ItemGroup><PropertyGroup><ConfigurationType>Driver</ConfigurationType><TargetVersion>%s</TargetVersion></PropertyGroup>\n", target)
	fmt.Fprintf(&b, "<ItemDefinitionGroup><ClCompile><PreprocessorDefinitions>%s</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup><ItemGroup>", definitions)
	for _, f := range files {
		fmt.Fprintf(&b, "<ClCompile Include=\"%s\" />", f)
	}
	return b.String() + "</ItemGroup></Project>\n"
}

// What a rule finds, and what it does not, beyond its example. In each file, line 1 includes the kit's header.
func TestRules(t *testing.T) {
	const (
		call  = "void DriverEntry(void) { ExInitializeDriverRuntime(DrvRtPoolNxOptIn); }\n"
		nxp   = "void f(void) { ExAllocatePool(NonPagedPoolNx, 1); }\n"
		paged = "void f(void) { ExAllocatePool(PagedPool, 1); }\n"
		pool  = "void f(void) { ExAllocatePool(NonPagedPool, 1); }\n"
	)
	for _, tt := range []struct{ name, target, definitions, text, want string }{
		{"deprecated only where every Windows has the other", "Windows10", "", paged, ""},
		{"deprecated, but not the newer forms", "Windows10", "NTDDI_VERSION=0x0A000008", "void f(void) { ExAllocatePoolZero(PagedPool, 1, 1); }", ""},
		{"deprecated, and executable", "Windows10", "NTDDI_VERSION=0x0A000008", pool, "drv.c:2 C28751 note; drv.c:2 C30030 warning"},

		{"cached contiguous memory", "Windows8", "", "void f(void) { MmAllocateContiguousMemorySpecifyCache(1, a, b, c, MmCached); }", "drv.c:2 C30029 warning"},
		{"uncached contiguous memory", "Windows8", "", "void f(void) { MmAllocateContiguousMemorySpecifyCache(1, a, b, c, MmNonCached); }", ""},
		{"contiguous memory on Windows 7", "Windows7", "", "void f(void) { MmAllocateContiguousMemory(1, a); }", "drv.c:2 C30029 no alternative"},
		{"an old mapping has an alternative everywhere", "Windows7", "", "void f(void) { MmMapLockedPages(m, KernelMode); }", "drv.c:2 C30029 warning"},
		{"an opt-in does not change it", "Windows10", "POOL_NX_OPTIN_AUTO", "void f(void) { MmMapIoSpace(a, 1, MmNonCached); }", "drv.c:2 C30029 warning"},

		{"a mapping for user mode", "Windows7", "", "void f(void) { MmMapLockedPagesSpecifyCache(m, UserMode, MmCached, 0, 0, NormalPagePriority); }", "drv.c:2 C30030 note"},
		{"memory of a process", "Windows10", "", "void f(void) { ZwAllocateVirtualMemory(p, &a, 0, &n, MEM_COMMIT, PAGE_EXECUTE_READWRITE); }", "drv.c:2 C30030 note"},
		{"the kit is not known", "Windows10", "", "void f(void) { NdisQueryMdl(m, &p, &n, NormalPagePriority); }", "drv.c:2 C30030 note"},
		{"a protection", "Windows10", "", "void f(void) { MmProtectMdlSystemAddress(m, PAGE_EXECUTE_READWRITE); }", "drv.c:2 C30030 warning"},
		{"executable by name, opted in", "Windows10", "POOL_NX_OPTIN_AUTO", "void f(void) { ExAllocatePool(NonPagedPoolExecute, 1); }", "drv.c:2 C30030 warning"},
		{"on Windows 7 there is nothing else", "Windows7", "POOL_NX_OPTIN", call + pool, ""},

		{"an opt-out that is looked at", "Windows10", "POOL_NX_OPTIN_AUTO;POOL_NX_OPTOUT", pool, "drv.c:2 C30032 warning"},
		{"opted out, and paged", "Windows10", "POOL_NX_OPTIN_AUTO;POOL_NX_OPTOUT", paged, ""},
		{"an opt-out of nothing", "Windows10", "POOL_NX_OPTOUT", pool, "drv.c:2 C30032 warning"},
		{"an opt-out of 0", "Windows10", "POOL_NX_OPTIN_AUTO;POOL_NX_OPTOUT=0", pool, "drv.vcxproj:0 NX0007 warning"},

		{"a pool type that is asked for being 0", "Windows10", "POOL_NX_OPTIN_AUTO", "void g(POOL_TYPE t) { if (!t) f(); }\n", "drv.c:2 NX0012 warning"},
		{"the same, without an opt-in", "Windows10", "", "void g(POOL_TYPE t) { if (t) f(); }\n", ""},

		{"a list with an own allocator, opted in", "Windows10", "POOL_NX_OPTIN_AUTO", "void f(void) { ExInitializeNPagedLookasideList(&l, Mine, 0, 0, 8, 1, 0); }", ""},
		{"a list without one", "Windows10", "", "void f(void) { ExInitializeNPagedLookasideList(&l, 0, Mine, 0, 8, 1, 0); }", "drv.c:2 C30030 warning"},

		{"a call one helper down", "Windows7", "POOL_NX_OPTIN", "void Init(void) { ExInitializeDriverRuntime(DrvRtPoolNxOptIn); }\nvoid DriverEntry(void) { Init(); }\n" + pool, ""},
		{"a call that hangs on a condition", "Windows7", "POOL_NX_OPTIN", "void DriverEntry(int n) { if (n) ExInitializeDriverRuntime(DrvRtPoolNxOptIn); ExAllocatePool(NonPagedPool, 1); }\n", "drv.c:2 C30031 note; drv.c:2 C30035 warning"},
		{"a call that nothing makes", "Windows7", "POOL_NX_OPTIN", "void Init(void) { ExInitializeDriverRuntime(DrvRtPoolNxOptIn); }\nvoid DriverEntry(void) { ExAllocatePool(NonPagedPool, 1); }\n", "drv.c:2 C30035 warning; drv.c:3 C30031 note"},
		{"a request before the call", "Windows7", "POOL_NX_OPTIN", "void Get(void) { ExAllocatePool(NonPagedPool, 1); }\nvoid Later(void) { Get(); }\nvoid DriverEntry(int n) { Get(); ExInitializeDriverRuntime(DrvRtPoolNxOptIn); }\n", "drv.c:2 NX0003 warning"},
		{"a request before the call, under a condition", "Windows7", "POOL_NX_OPTIN", "void Get(void) { ExAllocatePool(NonPagedPool, 1); }\nvoid Later(void) { Get(); }\nvoid DriverEntry(int n) { if (n) Get(); ExInitializeDriverRuntime(DrvRtPoolNxOptIn); }\n", "drv.c:2 NX0003 note"},
		{"a request before the call, under a condition, and only there", "Windows7", "POOL_NX_OPTIN", "void DriverEntry(int n) { if (n) ExAllocatePool(NonPagedPool, 1); ExInitializeDriverRuntime(DrvRtPoolNxOptIn); }\n", "drv.c:2 NX0003 warning"},
		{"a call with 0", "Windows7", "POOL_NX_OPTIN", "void DriverEntry(void) { ExInitializeDriverRuntime(0); ExAllocatePool(NonPagedPool, 1); }\n", "drv.c:2 NX0001 warning; drv.c:2 NX0019 note"},
		{"a call with 0 under AUTO", "Windows10", "POOL_NX_OPTIN_AUTO", "void DriverEntry(void) { ExInitializeDriverRuntime(0); ExAllocatePool(NonPagedPool, 1); }\n", "drv.c:2 NX0019 note"},
		{"a call under AUTO", "Windows10", "POOL_NX_OPTIN_AUTO", call + pool, "drv.c:2 NX0002 note"},
		{"a call without the macro that looks for zeroing", "Windows10", "POOL_ZERO_DOWN_LEVEL_SUPPORT", call + paged, ""},
		{"a call that looks for zeroing, and opts in to nothing", "Windows10", "POOL_ZERO_DOWN_LEVEL_SUPPORT", call + pool, "drv.c:2 NX0002 warning; drv.c:3 C30030 warning"},
		{"the macro without the call, harmless", "Windows10", "POOL_NX_OPTIN", "void DriverEntry(void) {}\n" + paged, "drv.c:2 NX0001 note"},
		{"a call without the macro, harmless", "Windows10", "", call + paged, "drv.c:2 NX0002 note"},
		{"a call without the macro", "Windows10", "", call + pool, "drv.c:2 NX0002 warning; drv.c:3 C30030 warning"},

		{"a late opt-in", "Windows10", "", "#define POOL_NX_OPTIN_AUTO 1\n" + paged, "drv.c:2 NX0005 warning"},
		{"a late opt-out", "Windows10", "POOL_NX_OPTIN_AUTO", "#define POOL_NX_OPTOUT 1\n" + paged, "drv.c:2 NX0007 warning"},
		{"two opt-ins in an opted-out file", "Windows10", "POOL_NX_OPTIN;POOL_NX_OPTIN_AUTO;POOL_NX_OPTOUT", paged, ""},
		{"a constant, without the macro", "Windows7", "", "static POOL_TYPE t = NonPagedPool;\n", ""},
		{"a constant under AUTO", "Windows10", "POOL_NX_OPTIN_AUTO", "static POOL_TYPE t = NonPagedPool;\n", ""},
		{"a case label", "Windows7", "POOL_NX_OPTIN", call + "void f(POOL_TYPE t) { switch (t) { case NonPagedPool: g(); } }\n", "drv.c:3 NX0009 error"},

		{"NX under a condition", "Windows7", "", "void f(void) { if (IsWin8()) ExAllocatePool(NonPagedPoolNx, 1); }\n", ""},
		{"NX under a condition on another version", "Windows7", "", "void f(void) { if (Request->Version == 3) ExAllocatePool(NonPagedPoolNx, 1); }\n", "drv.c:2 NX0010 warning"},
		{"a list with an own allocator asks for NX", "Windows7", "", "void f(void) { ExInitializeLookasideListEx(&l, Mine, 0, NonPagedPoolNx, 0, 8, 1, 0); }\n", ""},
		{"NX by a choice", "Windows7", "", "void f(void) { ExAllocatePool(IsWin8() ? NonPagedPoolNx : NonPagedPool, 1); }\n", "drv.c:2 NX0015 note"},
		{"NX by a choice, or what is not known", "Windows7", "", "void f(int n) { POOL_TYPE t = IsWin8() ? NonPagedPoolNx : NonPagedPool; if (n) t = Other(); ExAllocatePool(t, 1); }\n", "drv.c:2 C30030 warning"},
		{"NX by a choice, and executable without", "Windows7", "", "void a(POOL_TYPE t) { ExAllocatePool(t, 1); }\nvoid f(void) { a(IsWin8() ? NonPagedPoolNx : NonPagedPool); a(NonPagedPoolExecute); }\n", "drv.c:2 C30030 warning"},
		{"executable by a choice, and NX without", "Windows8", "", "void a(POOL_TYPE t) { ExAllocatePool(t, 1); }\nvoid f(void) { a(IsWin10() ? NonPagedPool : PagedPool); a(NonPagedPoolNx); }\n", "drv.c:2 C30030 warning"},
		{"paged by a choice", "Windows7", "", "void f(void) { ExAllocatePool(IsWin8() ? PagedPool : NonPagedPool, 1); }\n", "drv.c:2 C30030 warning"},
		{"NX or not, by another choice", "Windows7", "", "void f(int n) { ExAllocatePool(n ? NonPagedPoolNx : NonPagedPool, 1); }\n", "drv.c:2 C30030 warning; drv.c:2 NX0010 warning"},
		{"NX from Windows 8 on", "Windows8", "", nxp, ""},
		{"two flags by one choice", "Windows7", "", "ULONG w, e;\nvoid DriverEntry(void) { if (OsVersion > 7) {\n w = 0x80000000;\n e = 0x40000000; } }\n" +
			"void f(void) { MmGetSystemAddressForMdlSafe(m, 16 | w | e); MmGetSystemAddressForMdlSafe(m, 16 | e); }\n", "drv.c:5 NX0015 note"},
		{"NX by its number", "Windows7", "", "void f(void) { ExAllocatePool(512, 1); }\n", "drv.c:2 NX0010 warning"},
		{"a mapping without execute", "Windows7", "", "void f(void) { MmGetSystemAddressForMdlSafe(m, NormalPagePriority | MdlMappingNoExecute); }\n", "drv.c:2 NX0010 note"},
		{"AUTO on Windows 7, once", "Windows7", "POOL_NX_OPTIN_AUTO", pool + "void g(void) { ExAllocatePool(NonPagedPool, 2); }\n", "drv.vcxproj:0 NX0010 warning"},
		{"AUTO on Windows 7, a lookaside list", "Windows7", "POOL_NX_OPTIN_AUTO", "void f(void) { ExInitializeNPagedLookasideList(&l, 0, 0, 0, 8, 1, 0); }\n", "drv.vcxproj:0 NX0010 warning"},
		{"AUTO on Windows 7, without effect", "Windows7", "POOL_NX_OPTIN_AUTO", paged, ""},

		{"a number that names no pool", "Windows10", "NTDDI_VERSION=0x0A000008", "void f(void) { ExAllocatePool2(2, 1, 1); }\n", "drv.c:2 NX0011 error"},
		{"flags that are not known", "Windows10", "NTDDI_VERSION=0x0A000008", "void f(ULONG64 n) { ExAllocatePool2(n, 1, 1); }\n", ""},
		{"flags that are put together", "Windows10", "NTDDI_VERSION=0x0A000008", "void f(int k) { ULONG64 x = 0; if (k) x |= POOL_FLAG_PAGED; else x |= POOL_FLAG_NON_PAGED; ExAllocatePool2(x, 1, 1); }\n", ""},
		{"flags that are known in part", "Windows10", "NTDDI_VERSION=0x0A000008", "void f(ULONG64 n, int k) { ULONG64 x = 2; if (k) x = n; ExAllocatePool2(x, 1, 1); }\n", ""},
		{"flags for a type", "Windows10", "", "void f(void) { ExAllocatePoolWithTag(POOL_FLAG_NON_PAGED, 1, 1); }\n", "drv.c:2 C30030 warning; drv.c:2 NX0011 error"},

		{"a comparison without an opt-in", "Windows10", "", "int f(POOL_TYPE t) { return t == NonPagedPoolExecute; }\n", ""},
		{"a comparison with 0", "Windows7", "POOL_NX_OPTIN", call + "int f(POOL_TYPE t) { return 0 != t; }\n", "drv.c:3 NX0012 warning"},
		{"a comparison with a number", "Windows7", "POOL_NX_OPTIN", call + "int f(POOL_TYPE t) { return t == 512; }\n", ""},
		{"a comparison with another type", "Windows7", "POOL_NX_OPTIN", call + "int f(POOL_TYPE t) { return t == PagedPool || t == NonPagedPool; }\n", ""},

		{"a routine of Windows 8", "Windows7", "", "void f(void) { MmAllocateContiguousNodeMemory(1, a, b, c, PAGE_READWRITE, 0); MmAllocateContiguousNodeMemory(2, a, b, c, PAGE_READWRITE, 0); }\n", "drv.c:2 NX0014 warning"},
		{"a routine under a condition", "Windows7", "", "void f(void) { if (OsVersion >= 8) MmAllocateContiguousNodeMemory(1, a, b, c, PAGE_READWRITE, 0); }\n", ""},
		{"a routine that is reached by a number", "Windows7", "", "void f(void) { StorPortAllocateDmaMemory(a, b, c, d, e, MmCached, 0, &p, &n); }\n", ""},
		{"a routine of some release", "Windows10", "", "void f(void) { ExAllocatePool2(POOL_FLAG_PAGED, 1, 1); }\n", "drv.c:2 NX0014 note"},
		{"a routine of a later release", "Windows10", "NTDDI_VERSION=0x0A000005", "void f(void) { ExAllocatePool2(POOL_FLAG_PAGED, 1, 1); }\n", "drv.c:2 NX0014 warning"},
	} {
		archive := buildFile(tt.target, tt.definitions, "x64", "drv.c") + "-- drv.c --\n#include <ntddk.h>\n" + tt.text
		if got := judged(t, archive); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

// libraryOf is a driver with that target, and a library for Windows 7 that calls a routine of Windows 8.
func libraryOf(target string) string {
	example := rule.All()[slices.IndexFunc(rule.All(), func(r *rule.Rule) bool { return r.ID == "NX0013" })].Doc.After
	lib, drv, _ := strings.Cut(example, "-- drv.vcxproj --")
	lib = strings.Replace(lib, "PVOID LibGet", "void Use(void) { MmAllocateContiguousNodeMemory(1, a, b, c, PAGE_READWRITE, 0); }\nPVOID LibGet", 1)
	return lib + "-- drv.vcxproj --" + strings.Replace(drv, "Windows7", target, 1)
}

// Rules that compare builds, or files.
func TestRulesOfSeveralBuilds(t *testing.T) {
	const entry = "-- drv.c --\n#include <ntddk.h>\nvoid DriverEntry(void) { ExInitializeDriverRuntime(DrvRtPoolNxOptIn); Get(); }\n"
	const get = "-- get.c --\n#include <ntddk.h>\nvoid Get(void) { ExAllocatePool(NonPagedPool, 1); }\n"
	x64Only := strings.Replace(buildFile("Windows10", "POOL_NX_OPTIN", "x64 OTHER", "drv.c", "get.c"), "<ClCompile><Pre", "<ClCompile Condition=\"'$(Platform)'=='x64'\"><Pre", 1)
	libraryAndUser := rule.All()[slices.IndexFunc(rule.All(), func(r *rule.Rule) bool { return r.ID == "NX0013" })].Doc.Before
	export := strings.Replace(buildFile("Windows7", "POOL_NX_OPTIN", "x64", "get.c"), "</ClCompile></Item", "</ClCompile><Link><NoEntryPoint>true</NoEntryPoint></Link></Item", 1)
	for _, tt := range []struct{ name, archive, want string }{
		{"missing for x86", strings.ReplaceAll(x64Only, "OTHER", "Win32") + entry + get, "drv.c:2 NX0002 warning; drv.vcxproj:0 NX0004 warning; get.c:2 C30030 warning"},
		{"missing for ARM64", strings.ReplaceAll(x64Only, "OTHER", "ARM64") + entry + get, ""},
		{"missing for x86, harmless", strings.ReplaceAll(x64Only, "OTHER", "Win32") + entry + strings.Replace(get, "NonPaged", "Paged", 1), "drv.c:2 NX0002 note; drv.vcxproj:0 NX0004 note"},
		{"in one file only", buildFile("Windows7", "X", "x64", "drv.c", "get.c") + strings.Replace(entry, "#include", "#define POOL_NX_OPTIN 1\n#include", 1) + get,
			"drv.c:0 NX0004 warning; get.c:2 C30030 warning"},
		{"in the one file that needs it", buildFile("Windows7", "X", "x64", "drv.c", "get.c") + strings.Replace(entry, "#include", "#define POOL_NX_OPTIN 1\n#include", 1) +
			strings.Replace(get, "NonPaged", "Paged", 1), ""},
		{"some kit for Windows 10", strings.Replace(buildFile("Windows10", "", "x64", "drv.c"), "</ConfigurationType>", "</ConfigurationType><PlatformToolset>WindowsKernelModeDriver10.0</PlatformToolset>", 1) +
			"-- drv.c --\n#include <ndis.h>\nvoid f(void) { NdisQueryMdl(m, &p, &n, NormalPagePriority); }", "drv.c:2 C30030 note"},
		{"a library makes no call of its own", strings.Replace(buildFile("Windows7", "POOL_NX_OPTIN", "x64", "get.c"), ">Driver<", ">StaticLibrary</ConfigurationType><DriverType>WDM</DriverType><ConfigurationType>StaticLibrary<", 1) + get, ""},
		{"in no build", buildFile("Windows10", "X", "x64 ARM64", "drv.c", "get.c") + entry + get, "drv.c:2 NX0002 warning; get.c:2 C30030 warning"},
		{"a build without files", strings.Replace(strings.ReplaceAll(x64Only, "OTHER", "Win32"), "<ItemGroup><ClCompile", "<ItemGroup Condition=\"'$(Platform)'=='x64'\"><ClCompile", 1) + entry + get, ""},
		{"a file that undefines it", buildFile("Windows7", "POOL_NX_OPTIN", "x64", "drv.c", "get.c", "more.c") + "-- more.c --\n#include <ntddk.h>\n" + entry + strings.Replace(get, "#include", "#undef POOL_NX_OPTIN\n#include", 1),
			"get.c:0 NX0004 warning; get.c:3 C30030 warning"},
		{"a file that undefines it, and does not need it", buildFile("Windows7", "POOL_NX_OPTIN", "x64", "drv.c", "get.c", "more.c") + "-- more.c --\n#include <ntddk.h>\n" + entry +
			strings.Replace(strings.Replace(get, "NonPaged", "Paged", 1), "#include", "#undef POOL_NX_OPTIN\n#include", 1), ""},
		{"the one call is in a file that undefines it", buildFile("Windows7", "POOL_NX_OPTIN", "x64", "drv.c", "get.c") + strings.Replace(entry, "#include", "#undef POOL_NX_OPTIN\n#include", 1) + get,
			"drv.c:3 NX0001 warning; drv.c:3 NX0002 warning"},
		{"the one call is in an opted-out file", buildFile("Windows7", "POOL_NX_OPTIN", "x64", "drv.c", "get.c") + strings.Replace(entry, "#include", "#define POOL_NX_OPTOUT 1\n#include", 1) + get,
			"drv.c:3 NX0008 warning"},
		{"one of two calls is in an opted-out file", buildFile("Windows7", "POOL_NX_OPTIN", "x64", "drv.c", "get.c") + entry +
			strings.Replace(get, "#include", "#define POOL_NX_OPTOUT 1\n#include", 1) + "void Again(void) { ExInitializeDriverRuntime(DrvRtPoolNxOptIn); }\n", "get.c:3 C30032 warning"},
		{"a global of C++", buildFile("Windows7", "POOL_NX_OPTIN", "x64", "drv.cpp") + "-- drv.cpp --\n#include <ntddk.h>\nPOOL_TYPE g = NonPagedPool;\nextern \"C\" void DriverEntry() { ExInitializeDriverRuntime(DrvRtPoolNxOptIn); }\n",
			"drv.cpp:2 NX0009 warning"},
		{"a global of C++ under AUTO", buildFile("Windows10", "POOL_NX_OPTIN_AUTO", "x64", "drv.cpp") + "-- drv.cpp --\n#include <ntddk.h>\nPOOL_TYPE g = NonPagedPool;\n", ""},
		{"an export driver", export + strings.Replace(get, "void Get", "void DllInitialize", 1), "get.c:2 C30033 warning"},
		{"an export driver without a routine to call it in", export + get, "drv.vcxproj:0 C30033 warning"},
		{"a call in a library is its user's", strings.Replace(buildFile("Windows7", "POOL_NX_OPTIN", "x64", "get.c"), ">Driver<", ">StaticLibrary</ConfigurationType><DriverType>WDM</DriverType><ConfigurationType>StaticLibrary<", 1) +
			get + "void Prepare(void) { ExInitializeDriverRuntime(DrvRtPoolNxOptIn); }\n", ""},
		{"two calls, one of them empty", buildFile("Windows7", "POOL_NX_OPTIN", "x64", "drv.c", "get.c") + "-- drv.c --\n#include <ntddk.h>\nvoid DriverEntry(int n) { if (n) ExInitializeDriverRuntime(DrvRtPoolNxOptIn); Get(); }\n" +
			"-- get.c --\n#undef POOL_NX_OPTIN\n#include <ntddk.h>\nvoid Get(void) { ExInitializeDriverRuntime(DrvRtPoolNxOptIn); }\n", "drv.c:2 C30035 warning; get.c:3 NX0002 note"},
		{"a library of a driver that starts later", libraryOf("Windows8"), ""},
		{"a library of a driver that starts earlier", libraryOf("Windows7"), "lib.c:3 NX0014 warning"},
		{"no build file says where it starts, for a routine", "-- drv.c --\n#include <ntddk.h>\nvoid f(void) { ExAllocatePool2(POOL_FLAG_PAGED, 1, 1); }\n", "drv.c:2 NX0014 note"},
		{"a library without the macro", libraryAndUser, "lib.c:5 C30030 warning; lib.vcxproj:0 NX0013 warning"},
		{"a library that needs no macro", strings.ReplaceAll(libraryAndUser, "(NonPagedPool,", "(PagedPool,"), ""},
		{"no build file says where it starts", strings.Replace(entry, "Get()", "ExAllocatePool(NonPagedPoolNx, 1)", 1) + strings.Replace(get, "NonPagedPool", "NonPagedPoolNx", 1),
			"drv.c:2 NX0002 note; drv.c:2 NX0010 note"},
	} {
		if got := judged(t, tt.archive); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

// A pragma at a call that Microsoft's checker names is not without effect; elsewhere it is.
func TestSuppressedCall(t *testing.T) {
	const helper = "#pragma warning(suppress: 30035)\nvoid Init(void) { ExInitializeDriverRuntime(DrvRtPoolNxOptIn); }\nvoid DriverEntry(void) { Init(); }\n"
	const entry = "#pragma warning(suppress: 30035)\nvoid DriverEntry(void) { ExInitializeDriverRuntime(DrvRtPoolNxOptIn); }\n"
	for text, want := range map[string]string{helper: "", entry: "drv.c:2 NX0018 note", strings.Replace(helper, "30035", "30032", 1): "drv.c:2 NX0018 note",
		"void DriverEntry(void) {\n// nxport:ignore NX0019 for zeroing\nExInitializeDriverRuntime(0); }\n": "drv.c:2 NX0001 note"} {
		if got := judged(t, buildFile("Windows7", "POOL_NX_OPTIN", "x64", "drv.c")+"-- drv.c --\n#include <ntddk.h>\n"+text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
