package port

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/internal/report"
)

// forWindows gives a driver of one file for a Windows: "10.0.19041" is what ExAllocatePool2 needs, "10" any Windows 10.
func forWindows(windows, name, text string) string {
	inherited := "%(PreprocessorDefinitions)"
	release := inherited
	if windows == "10.0.19041" {
		windows, release = "10", inherited+";NTDDI_VERSION=0x0A000008"
	}
	return strings.NewReplacer("Windows7", "Windows"+windows, "drv.c", name, inherited, release,
		"<TargetVersion>", "<PlatformToolset>WindowsKernelModeDriver10.0</PlatformToolset>\n    <TargetVersion>",
	).Replace(projectOf("DRV=1;", "#include <ntddk.h>\n"+text))
}

// Each call becomes one of what every Windows has that compiles it, and goes on to do what it did, in no-execute memory. In the
// texts, what stands in «» is what -> is made of.
func TestPool2(t *testing.T) {
	const nonPaged, paged = "POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED", "POOL_FLAG_PAGED | POOL_FLAG_UNINITIALIZED"
	for _, tt := range []struct{ name, windows, file, text string }{
		{"no tag", "10.0.19041", "drv.c", "PVOID F(void) { return «ExAllocatePool->ExAllocatePool2»(«NonPagedPool->" + nonPaged + "», sizeof(int)«->, 'enoN'» ); }"},
		{"no tag", "10", "drv.c", "PVOID F(void) { return «ExAllocatePool->ExAllocatePoolUninitialized»(«NonPagedPool->NonPagedPoolNx», sizeof(int)«->, 'enoN'» ); }"},
		{"a tag", "10.0.19041", "drv.c", "PVOID F(void) { return «ExAllocatePoolWithTag->ExAllocatePool2»(«PagedPool->" + paged + "», 1, 'xErD'); }"},
		{"a tag", "10", "drv.c", "PVOID F(void) { return «ExAllocatePoolWithTag->ExAllocatePoolUninitialized»(PagedPool, 1, 'xErD'); }"},
		{"a quota", "10.0.19041", "drv.c", "PVOID F(void) { return «ExAllocatePoolWithQuota->ExAllocatePool2»(«PagedPool->" +
			"POOL_FLAG_PAGED | POOL_FLAG_USE_QUOTA | POOL_FLAG_RAISE_ON_FAILURE | POOL_FLAG_UNINITIALIZED», 1«->, 'enoN'»); }"},
		{"a quota", "10", "drv.c", "PVOID F(void) { return «ExAllocatePoolWithQuota->ExAllocatePoolQuotaUninitialized»(PagedPool, 1«->, 'enoN'»); }"},
		{"a quota that raises by a flag, too", "10.0.19041", "drv.c", "PVOID F(void) { return «ExAllocatePoolWithQuotaTag->ExAllocatePool2»(«PagedPool | POOL_RAISE_IF_ALLOCATION_FAILURE->" +
			"POOL_FLAG_PAGED | POOL_FLAG_USE_QUOTA | POOL_FLAG_RAISE_ON_FAILURE | POOL_FLAG_UNINITIALIZED», 1, 'xErD'); }"},
		{"a quota that fails", "10.0.19041", "drv.c", "PVOID F(void) { return «ExAllocatePoolWithQuotaTag->ExAllocatePool2»(«PagedPool | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE->" +
			"POOL_FLAG_PAGED | POOL_FLAG_USE_QUOTA | POOL_FLAG_UNINITIALIZED», 1, 'xErD'); }"},
		{"a quota that fails", "10", "drv.c", "PVOID F(void) { return «ExAllocatePoolWithQuotaTag->ExAllocatePoolQuotaUninitialized»(PagedPool | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE, 1, 'xErD'); }"},
		{"a priority", "10.0.19041", "drv.c", "PVOID F(void) { return «ExAllocatePoolWithTagPriority->ExAllocatePoolPriorityUninitialized»(«NonPagedPool->NonPagedPoolNx», 1, 'xErD', LowPoolPriority); }"},
		{"a priority", "10", "drv.c", "PVOID F(void) { return «ExAllocatePoolWithTagPriority->ExAllocatePoolPriorityUninitialized»(PagedPool, 1, 'xErD', LowPoolPriority); }"},
		{"aligned", "10.0.19041", "drv.c", "PVOID F(void) { return «ExAllocatePoolWithTag->ExAllocatePool2»(«PagedPoolCacheAligned->POOL_FLAG_PAGED | POOL_FLAG_CACHE_ALIGNED | POOL_FLAG_UNINITIALIZED», 1, 'xErD'); }"},
		{"of a session", "10.0.19041", "drv.c", "PVOID F(void) { return «ExAllocatePoolWithTag->ExAllocatePool2»(«NonPagedPoolSession->POOL_FLAG_NON_PAGED | POOL_FLAG_SESSION | POOL_FLAG_UNINITIALIZED», 1, 'xErD'); }"},
		{"it raises", "10.0.19041", "drv.c", "PVOID F(void) { return «ExAllocatePoolWithTag->ExAllocatePool2»(«PagedPool | POOL_RAISE_IF_ALLOCATION_FAILURE->POOL_FLAG_PAGED | POOL_FLAG_RAISE_ON_FAILURE | POOL_FLAG_UNINITIALIZED», 1, 'xErD'); }"},
		{"it is cleared", "10.0.19041", "drv.c", "PVOID F(void) { return «ExAllocatePoolWithTag->ExAllocatePool2»(«(POOL_TYPE)(NonPagedPoolNx | POOL_ZERO_ALLOCATION)->POOL_FLAG_NON_PAGED», 1, 'xErD'); }"},
		{"it is cleared behind the call", "10.0.19041", "drv.c", "void F(PVOID p) { p = «ExAllocatePoolWithTag->ExAllocatePool2»(«PagedPool->" + paged + "», 1, 'xErD'); RtlZeroMemory(p, 1); }"},
		{"executable by name, and not", "10.0.19041", "drv.c", "PVOID F(void) { return «ExAllocatePoolWithTag->ExAllocatePool2»(«NonPagedPoolExecute | POOL_NX_ALLOCATION->" + nonPaged + "», 1, 'xErD'); }"},
		{"a literal 0", "10.0.19041", "drv.c", "PVOID F(void) { return «ExAllocatePoolWithTag->ExAllocatePool2»(«(POOL_TYPE)0->" + nonPaged + "», 1, 'xErD'); }"},
		{"an alias", "10.0.19041", "drv.c", "#define POOL NonPagedPool\nPVOID F(void) { return «ExAllocatePoolWithTag->ExAllocatePool2»(«POOL->" + nonPaged + "», 1, 'xErD'); }"},
		{"a macro", "10.0.19041", "drv.c", "#define NEW(n) «ExAllocatePoolWithTag->ExAllocatePool2»(«NonPagedPool->" + nonPaged + "», (n), 'xErD')\nvoid F(PVOID p) { p = NEW(1); p = NEW(2); }"},
		{"a macro that is told the type", "10", "drv.c", "#define NEW(t, n) «ExAllocatePool->ExAllocatePoolUninitialized»(t, n«->, 'enoN'»)\nvoid F(PVOID p) { p = NEW(PagedPool, 1); p = NEW(«NonPagedPool->NonPagedPoolNx», 2); }"},
		{"another name", "10", "drv.c", "#define NEW «ExAllocatePoolWithTag->ExAllocatePoolUninitialized»\nvoid F(PVOID p) { p = NEW(PagedPool, 1, 'xErD'); p = NEW(«NonPagedPool->NonPagedPoolNx», 1, 'xErD'); }"},
		{"among a macro's arguments", "10.0.19041", "drv.c", "#define BOTH(x) x; x\nvoid F(PVOID p) { BOTH(p = «ExAllocatePoolWithTag->ExAllocatePool2»(«PagedPool->" + paged + "», 1, 'xErD')); }"},
		{"a wrapper", "10", "drv.c", "static PVOID W(POOL_TYPE t) { return «ExAllocatePoolWithTag->ExAllocatePoolUninitialized»(t, 1, 'xErD'); }\nvoid F(void) { W(«NonPagedPool->NonPagedPoolNx»); W(PagedPool); }"},
		{"an operator new", "10", "drv.cpp", "void *operator new(size_t n, POOL_TYPE t) { return «ExAllocatePoolWithTag->ExAllocatePoolUninitialized»(t, n, 'xErD'); }\nstruct A { int a; };\nvoid F() { new («NonPagedPool->NonPagedPoolNx») A; }"},
		{"an operator new that knows", "10.0.19041", "drv.cpp", "void *operator new(size_t n) { return «ExAllocatePoolWithTag->ExAllocatePool2»(«NonPagedPool->" + nonPaged + "», n, 'xErD'); }"},
		{"a header that gives another a tag", "10", "drv.c", "#include <classpnp.h>\nPVOID F(void) { return «ExAllocatePoolWithTag->ExAllocatePoolUninitialized»(PagedPool, 1, 'xErD'); }"},
		{"over lines", "10.0.19041", "drv.c", "PVOID F(void) { return «ExAllocatePool->ExAllocatePool2» ( // one\n    /* type */ «NonPagedPool->" + nonPaged + "»,\n    1«->, 'enoN'» /* size */\n    ); }"},
		{"a size and a tag that are chosen", "10.0.19041", "drv.c", "PVOID F(int n) { return «ExAllocatePoolWithTag->ExAllocatePool2»(«PagedPool->" + paged + "», n ? n : 8, n > 8 ? 'gibD' : 'xErD'); }"},
		{"a lookaside list and a mapping", "10.0.19041", "drv.c", "void F(PNPAGED_LOOKASIDE_LIST l, PMDL m) { ExInitializeNPagedLookasideList(l, NULL, NULL, «0->POOL_NX_ALLOCATION», 8, 'xErD', 0);\n" +
			"    MmGetSystemAddressForMdlSafe(m, NormalPagePriority«-> | MdlMappingNoExecute»); }"},
	} {
		before, after := changed(tt.text)
		t.Run(tt.name+" for "+tt.windows, func(t *testing.T) {
			a := unpack(t, forWindows(tt.windows, tt.file, before+"\n"))
			r := run(t, Pool2)
			if got, want := pack(t, a), forWindows(tt.windows, tt.file, after+"\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if len(r.Left) > 0 || len(r.Kept) > 0 || len(findings(t, "C30030")) > 0 || len(findings(t, "C28751")) > 0 || len(findings(t, "NX0011")) > 0 {
				t.Errorf("left %v, kept %v", r.Left, r.Kept)
			}
			if again := run(t, Pool2); len(again.Changes) > 0 {
				t.Errorf("a second port changes %s", edit.Diff(again.Changes))
			}
		})
	}
}

// Below Windows 8 the opt-in tells nonpaged pool what to be, and the inline functions take it as it is.
func TestPool2BelowWindows8(t *testing.T) {
	text := "NTSTATUS DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING r)\n{\n    %sreturn %s(NonPagedPool, 1%s) ? 0 : 1;\n}\n"
	a := unpack(t, forWindows("7", "drv.c", fmt.Sprintf(text, "", "ExAllocatePool", "")))
	r := run(t, Pool2)
	want := strings.Replace(forWindows("7", "drv.c", fmt.Sprintf(text, "ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n    ", "ExAllocatePoolUninitialized", ", 'enoN'")),
		"DRV=1;", "DRV=1;POOL_NX_OPTIN=1;", 1)
	if got := pack(t, a); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if len(r.Left) > 0 || len(findings(t, "C30030")) > 0 {
		t.Errorf("left %v", r.Left)
	}
	if again := run(t, Pool2); len(again.Changes) > 0 {
		t.Errorf("a second port changes %s", edit.Diff(again.Changes))
	}
}

// A driver that shares the file of a request with one that starts below Windows 8, or a library of such a one, is opted in, too.
func TestPool2BesideWindows7(t *testing.T) {
	text := "-- drv.c --\n#include <ntddk.h>\nNTSTATUS DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING r)\n{\n    %sreturn %s(NonPagedPool, 1, 'xErD') ? 0 : 1;\n}\n"
	project := func(name, windows string) string {
		head, _, _ := strings.Cut(forWindows(windows, "drv.c", ""), "-- drv.c --")
		return strings.Replace(head, "drv.vcxproj", name, 1)
	}
	library := strings.NewReplacer("drv.c", "lib.c", ">Driver<", ">StaticLibrary<").Replace(project("lib.vcxproj", "10"))
	const unit = "<ClCompile Include=\"drv.c\" />"
	old := strings.Replace(project("old.vcxproj", "7"), unit, unit+"<ProjectReference Include=\"lib.vcxproj\" />", 1)
	const inLibrary = "-- lib.c --\n#include <ntddk.h>\nPVOID F(void) { return ExAllocatePool%s(NonPagedPool, 1, 'xErD'); }\n"
	builds := old + project("new.vcxproj", "10") + library
	a := unpack(t, builds+fmt.Sprintf(text, "", "ExAllocatePoolWithTag")+fmt.Sprintf(inLibrary, "WithTag"))
	run(t, Pool2)
	want := strings.ReplaceAll(builds, "DRV=1;", "DRV=1;POOL_NX_OPTIN=1;") +
		fmt.Sprintf(text, "ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n    ", "ExAllocatePoolUninitialized") + fmt.Sprintf(inLibrary, "Uninitialized")
	if got := pack(t, a); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if found := findings(t, "C30030"); len(found) > 0 {
		t.Errorf("%v", found)
	}
}

// What can't become a call that does the same stays, and the reason is said.
func TestPool2Leaves(t *testing.T) {
	for _, tt := range []struct{ name, windows, text, want string }{
		{"a wrapper", "10.0.19041", "static PVOID W(POOL_TYPE t) { return ExAllocatePoolWithTag(t, 1, 'xErD'); }\nvoid F(void) { W(PagedPool); }", "what pool it asks for is not written in the call itself"},
		{"a macro's argument", "10.0.19041", "#define NEW(t) ExAllocatePoolWithTag(t, 1, 'xErD')\nPVOID F(void) { return NEW(PagedPool); }", "what pool it asks for is not written in the call itself"},
		{"a variable", "10.0.19041", "static POOL_TYPE t = PagedPool;\nPVOID F(void) { return ExAllocatePoolWithTag(t, 1, 'xErD'); }", "what pool it asks for is not written in the call itself"},
		{"unknown", "10.0.19041", "PVOID F(void) { return ExAllocatePoolWithTag(Elsewhere(), 1, 'xErD'); }", "it is not known what pool it asks for: "},
		{"a choice", "10.0.19041", "PVOID F(int x) { return ExAllocatePoolWithTag(x ? NonPagedPoolNx : PagedPool, 1, 'xErD'); }", "it asks for one pool or another"},
		{"one macro for two pools", "10.0.19041", "#define NEW ExAllocatePoolWithTag(POOL, 1, 'xErD')\n#define POOL PagedPool\nPVOID F(void) { return NEW; }\n#undef POOL\n#define POOL NonPagedPoolNx\nPVOID G(void) { return NEW; }", "it asks for another pool elsewhere"},
		{"no flag", "10.0.19041", "PVOID F(void) { return ExAllocatePoolWithTag(PagedPool | POOL_COLD_ALLOCATION, 1, 'xErD'); }", "no POOL_FLAGS stand for POOL_COLD_ALLOCATION"},
		{"no pool", "10.0.19041", "PVOID F(void) { return ExAllocatePoolWithTag(NonPagedPoolMustSucceed | POOL_NX_ALLOCATION, 1, 'xErD'); }", "no POOL_FLAGS stand for NonPagedPoolMustSucceed"},
		{"a quota that raises and does not", "10.0.19041", "PVOID F(void) { return ExAllocatePoolWithQuotaTag(PagedPool | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE | POOL_RAISE_IF_ALLOCATION_FAILURE, 1, 'xErD'); }", "no POOL_FLAGS stand for POOL_RAISE_IF_ALLOCATION_FAILURE"},
		{"no quota that fails", "10.0.19041", "PVOID F(void) { return ExAllocatePoolWithTag(PagedPool | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE, 1, 'xErD'); }", "no POOL_FLAGS stand for POOL_QUOTA_FAIL_INSTEAD_OF_RAISE"},
		{"flags for a type", "10.0.19041", "PVOID F(void) { return ExAllocatePoolWithTag(POOL_FLAG_USE_QUOTA, 1, 'xErD'); }", "POOL_FLAG_USE_QUOTA is no POOL_TYPE"},
		{"a tag of 0", "10.0.19041", "PVOID F(void) { return ExAllocatePoolWithTag(PagedPool, 1, 0); }", "it passes 0 for the size or the tag"},
		{"a size of 0", "10.0.19041", "PVOID F(void) { return ExAllocatePool(PagedPool, 0); }", "it passes 0 for the size or the tag"},
		{"a directive", "10.0.19041", "PVOID F(void) { return ExAllocatePoolWithTag(\n#if DBG\nPagedPoolCacheAligned,\n#else\nPagedPool,\n#endif\n1, 'xErD'); }", "or a directive stands among them"},
		{"a directive in front of the tag", "10", "PVOID F(void) { return ExAllocatePool(PagedPool,\n#if DBG\n8\n#else\n1\n#endif\n); }", "the tag has no place"},
		{"another name without a tag", "10", "#define NEW ExAllocatePool\nPVOID F(void) { return NEW(PagedPool, 1); }", "the tag has no place"},
		{"a header that gives a tag", "10", "#include <classpnp.h>\nPVOID F(void) { return ExAllocatePool(PagedPool, 1); }", "classpnp.h gives it another tag (drv.c:2:"},
		{"a pasted name", "10", "#define CAT(a, b) a##b\nPVOID F(void) { return CAT(ExAllocate, Pool)(PagedPool, 1); }", "its name is not written at a place where it could be changed"},
	} {
		a := unpack(t, forWindows(tt.windows, "drv.c", tt.text+"\n"))
		r := run(t, Pool2)
		if got, want := pack(t, a), forWindows(tt.windows, "drv.c", tt.text+"\n"); got != want {
			t.Errorf("%s: changed\n%s", tt.name, edit.Diff(r.Changes))
		}
		said := false
		for _, f := range r.Left {
			said = said || f.Rule.ID == "C28751" && strings.Contains(f.Message, tt.want)
		}
		if !said {
			t.Errorf("%s: left %v; want %q", tt.name, r.Left, tt.want)
		}
	}
}

// The lowest Windows of all that compile a call decides, and what else hangs on it.
func TestPool2SharedText(t *testing.T) {
	const low, high = "NTDDI_VERSION=0x0A000000", "NTDDI_VERSION=0x0A000008"
	const text = "-- drv.c --\n#include <ntddk.h>\nPVOID F(void) { return %s(%s, 1, 'xErD'); }\n"
	old, forms := fmt.Sprintf(text, "ExAllocatePoolWithTag", "NonPagedPool"), fmt.Sprintf(text, "ExAllocatePoolUninitialized", "NonPagedPoolNx")
	new := fmt.Sprintf(text, "ExAllocatePool2", "POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED")
	driver := func(name, kit, define string) string {
		one, _, _ := strings.Cut(forWindows("10", "drv.c", ""), "-- drv.c --")
		return strings.NewReplacer("-- drv.vcxproj", "-- "+name, "%(PreprocessorDefinitions)", define, "WindowsKernelModeDriver10.0", kit).Replace(one)
	}
	user := strings.ReplaceAll(strings.Replace(driver("user.vcxproj", "v143", ""), ">Driver<", ">Application<", 1), "drv.c", "drv.c")
	library := strings.Replace(driver("lib.vcxproj", "WindowsKernelModeDriver10.0", high), ">Driver<", ">StaticLibrary<", 1)
	linking := func(driver, lib string) string {
		return strings.NewReplacer("<ClCompile Include=\"drv.c\" />", "<ProjectReference Include=\""+lib+"\" />").Replace(driver)
	}
	numbered := func(build string) string {
		return strings.Replace(driver("a.vcxproj", "WindowsKernelModeDriver10.0", high), "<TargetVersion>",
			"<WindowsTargetPlatformVersion>10.0."+build+".0</WindowsTargetPlatformVersion>\n    <TargetVersion>", 1)
	}
	a, b := driver("a.vcxproj", "WindowsKernelModeDriver10.0", high), driver("b.vcxproj", "WindowsKernelModeDriver10.0", low)
	for _, tt := range []struct{ name, builds, text, want, left string }{
		{"two that start late", a + strings.Replace(a, "a.vcxproj", "c.vcxproj", 1), old, new, ""},
		{"one that starts early", a + b, old, forms, ""},
		{"a library of one that starts early", linking(b, "lib.vcxproj") + library, old, forms, ""},
		{"one of user mode", a + user, old, strings.Replace(old, "NonPagedPool", "NonPagedPoolNx", 1), "a project of user mode compiles drv.c, too"},
		{"a kit that has it", numbered("19041"), old, new, ""},
		{"a kit that has it not", numbered("17763"), old, strings.Replace(old, "NonPagedPool", "NonPagedPoolNx", 1), "WDK 10.0.17763 has nothing to replace it with"},
		{"a kit that has it, and one that has not", numbered("17763") + b, old, strings.Replace(old, "NonPagedPool", "NonPagedPoolNx", 1), "WDK 10.0.17763 has nothing to replace it with"},
		{"no kit, but a late start", driver("a.vcxproj", "", high), old, new, ""},
		{"no kit", driver("a.vcxproj", "", low), old, strings.Replace(old, "NonPagedPool", "NonPagedPoolNx", 1), "nothing says that it is built with a kit from 10.0.19041 on"},
		{"no kit, but its routines", driver("a.vcxproj", "", low), old + "PVOID G(void) { return ExAllocatePoolZero(PagedPool, 1, 'xErD'); }\n",
			forms + "PVOID G(void) { return ExAllocatePoolZero(PagedPool, 1, 'xErD'); }\n", ""},
		{"one that opts out", driver("a.vcxproj", "WindowsKernelModeDriver10.0", high+";POOL_NX_OPTIN_AUTO=1;POOL_NX_OPTOUT=1"), old,
			strings.Replace(new, "NON_PAGED", "NON_PAGED_EXECUTE", 1), ""},
		{"executable by name", a, strings.Replace(old, "NonPagedPool", "NonPagedPoolExecute", 1), strings.Replace(new, "NON_PAGED", "NON_PAGED_EXECUTE", 1), ""},
		{"one that is opted in", driver("a.vcxproj", "WindowsKernelModeDriver10.0", high+";POOL_NX_OPTIN_AUTO=1"), old, new, ""},
	} {
		archive := unpack(t, tt.builds+tt.text)
		r := run(t, Pool2)
		if got, want := pack(t, archive), tt.builds+tt.want; got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, want)
		}
		if got, want := strings.Contains(r.Not, "nothing says that the driver starts there in "), strings.Contains(tt.builds, low); got != want {
			t.Errorf("%s: %s", tt.name, r.Not)
		}
		said := tt.left == "" && len(r.Left) == 0
		for _, f := range r.Left {
			said = said || tt.left != "" && strings.Contains(f.Message, tt.left)
		}
		if !said {
			t.Errorf("%s: left %v", tt.name, r.Left)
		}
	}
}

// Text in UTF-16 is read, and not edited.
func TestPool2LeavesUTF16(t *testing.T) {
	unpack(t, forWindows("10", "drv.c", ""))
	text := []byte("\xff\xfe")
	for _, c := range "#include <ntddk.h>\nPVOID F(void) { return ExAllocatePoolWithTag(PagedPool, 1, 'xErD'); }\n" {
		text = append(text, byte(c), 0)
	}
	if err := os.WriteFile("drv.c", text, 0o644); err != nil {
		t.Fatal(err)
	}
	if r := run(t, Pool2); len(r.Changes) > 0 || len(r.Left) != 1 {
		t.Errorf("left %v, changed\n%s", r.Left, edit.Diff(r.Changes))
	}
}

// A kit that may lack the routines is told of once for a build.
func TestPool2SaysOnceOfAKit(t *testing.T) {
	text := "PVOID F(void) { return ExAllocatePool(PagedPool, 1); }\nPVOID G(void) { return ExAllocatePool(PagedPool, 2); }\nPVOID H(void) { return ExAllocatePool(PagedPool, 3); }\n"
	unpack(t, strings.Replace(forWindows("10", "drv.c", text), "WindowsKernelModeDriver10.0", "WindowsKernelModeDriver8.1", 1))
	r := run(t, Pool2)
	if len(r.Changes) > 0 || len(r.Left) != 1 || !strings.HasSuffix(r.Left[0].Message, "WDK 8.1 has nothing to replace it with; nor can 2 others") {
		t.Errorf("left %v, changed\n%s", r.Left, edit.Diff(r.Changes))
	}

	// Nor more often where a second project, which has the routines, compiles the file, too.
	first := strings.ReplaceAll(projectOf("", "#include <ntddk.h>\n"+text), "Windows7", "Windows10")
	second, _, _ := strings.Cut(strings.Replace(first, "-- drv.vcxproj --", "-- new.vcxproj --", 1), "-- drv.c --")
	second = strings.Replace(second, "    <ClCompile Include=", "    <ClCompile Include=\"new.c\" />\n    <ClCompile Include=", 1)
	unpack(t, first+second+"-- new.c --\n#include <ntddk.h>\nPVOID N(void) { return ExAllocatePoolUninitialized(PagedPool, 1, 'xErD'); }\n")
	r = run(t, Pool2)
	if len(r.Changes) > 0 || len(r.Left) != 1 || !strings.HasSuffix(r.Left[0].Message, "from 10.0.19041 on; nor can 2 others") {
		t.Errorf("two projects: left %v, changed\n%s", r.Left, edit.Diff(r.Changes))
	}
}

// What a request got and gets is named by the constants, whose numbers mean something else to ExAllocatePool2.
func TestPool2Reports(t *testing.T) {
	unpack(t, forWindows("10.0.19041", "drv.c", "PVOID F(void) { return ExAllocatePool(NonPagedPool, 1); }\n"))
	var b strings.Builder
	report.Port(&b, &run(t, Pool2).Ported, true)
	for _, want := range []string{
		"by no deprecated allocator; below Windows 8 POOL_NX_OPTIN): asked for\n",
		"drv.c:2: ExAllocatePool2: NonPagedPoolExecute -> POOL_FLAG_UNINITIALIZED | POOL_FLAG_NON_PAGED (not executable) on Windows 10.0.19041\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, &b)
		}
	}
}

// Memory that seems to be executed goes on to be executable, by name, and what stands in files of others stays as it is.
func TestPool2KeepsExecuted(t *testing.T) {
	before, after := changed("typedef ULONG (*CODE)(void);\nULONG F(void) { PVOID p = ExAllocatePoolWithTag(«NonPagedPool->NonPagedPoolExecute», 1, 'xErD'); return ((CODE)p)(); }\n")
	a := unpack(t, forWindows("10.0.19041", "drv.c", before))
	r := run(t, Pool2)
	if got, want := pack(t, a), forWindows("10.0.19041", "drv.c", after); got != want || len(r.Executed) != 1 {
		t.Errorf("executed %v, got\n%s\nwant\n%s", r.Executed, got, want)
	}
	for _, f := range r.Left {
		if f.Rule.ID == "C28751" {
			t.Errorf("left %s", f.Message)
		}
	}
	unpack(t, forWindows("10.0.19041", "vendor/drv.c", "PVOID F(void) { return ExAllocatePool(PagedPool, 1); }\n"))
	if r := run(t, Pool2); len(r.Changes) > 0 || len(r.Left) != 1 || len(r.Alone) != 1 {
		t.Errorf("left %v, alone %v, changed\n%s", r.Left, r.Alone, edit.Diff(r.Changes))
	}
}
