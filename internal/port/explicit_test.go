package port

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/edit"
)

// explicitly gives a driver for Windows 10 of one file, which is C++ where its text needs that.
func explicitly(name, text string) string {
	return strings.NewReplacer("Windows7", "Windows10", "drv.c", name).Replace(projectOf("", "#include <ntddk.h>\n"+text))
}

// Each request is told to ask for no-execute memory where that is written, once for all that hang on it, and no other text is
// changed. In the texts, what stands in «» is what -> is made of.
func TestExplicit(t *testing.T) {
	for _, tt := range []struct{ name, file, text string }{
		{"an argument", "drv.c", "PVOID F(void) { return ExAllocatePoolWithTag(«NonPagedPool->NonPagedPoolNx», 1, 'xErD'); }"},
		{"aligned", "drv.c", "PVOID F(void) { return ExAllocatePoolWithTag(«NonPagedPoolCacheAligned->NonPagedPoolNxCacheAligned», 1, 'xErD'); }"},
		{"a literal 0", "drv.c", "PVOID F(void) { return ExAllocatePoolWithTag((POOL_TYPE)«0->NonPagedPoolNx», 1, 'xErD'); }"},
		{"a macro around the call", "drv.c", "#define NEW(n) ExAllocatePoolWithTag(«NonPagedPool->NonPagedPoolNx», (n), 'xErD')\nPVOID F(void) { return NEW(1); }\nPVOID G(void) { return NEW(2); }"},
		{"an alias", "drv.c", "#define POOL «NonPagedPool->NonPagedPoolNx»\nPVOID F(void) { return ExAllocatePoolWithTag(POOL, 1, 'xErD'); }"},
		{"a wrapper's callers", "drv.c", "static PVOID W(POOL_TYPE t) { return ExAllocatePoolWithTag(t, 1, 'xErD'); }\nvoid F(void) { W(«NonPagedPool->NonPagedPoolNx»); W(PagedPool); }"},
		{"a default argument", "drv.cpp", "static PVOID W(int n, POOL_TYPE t = «NonPagedPool->NonPagedPoolNx») { return ExAllocatePoolWithTag(t, n, 'xErD'); }\nvoid F() { W(1); W(2, PagedPool); }"},
		{"a choice", "drv.c", "PVOID F(int x) { return ExAllocatePoolWithTag(x ? «NonPagedPool->NonPagedPoolNx» : PagedPool, 1, 'xErD'); }"},
		{"with flags", "drv.c", "PVOID F(void) { return ExAllocatePoolWithTag(«NonPagedPool->NonPagedPoolNx» | POOL_COLD_ALLOCATION, 1, 'xErD'); }"},
		{"a field", "drv.c", "struct S { POOL_TYPE t; };\nvoid G(struct S *s) { s->t = «NonPagedPool->NonPagedPoolNx»; }\nPVOID F(struct S *s) { return ExAllocatePoolWithTag(s->t, 1, 'xErD'); }"},
		{"a global", "drv.c", "static POOL_TYPE t = «NonPagedPool->NonPagedPoolNx»;\nPVOID F(void) { return ExAllocatePoolWithTag(t, 1, 'xErD'); }"},
		{"placement new", "drv.cpp", "void *operator new(size_t n, POOL_TYPE t, ULONG tag) { return ExAllocatePoolWithTag(t, n, tag); }\nstruct A { int a; };\nvoid F() { new («NonPagedPool->NonPagedPoolNx», 'xErD') A; new (PagedPool, 'xErD') A; }"},
		{"a choice by hand", "drv.c", "static POOL_TYPE t = «NonPagedPool->NonPagedPoolNx»;\nvoid G(void) { if (RtlIsNtDdiVersionAvailable(NTDDI_WIN8)) t = NonPagedPoolNx; }\nPVOID F(void) { G(); return ExAllocatePoolWithTag(t, 1, 'xErD'); }"},
		{"a choice by hand in the argument", "drv.c", "PVOID F(void) { return ExAllocatePoolWithTag(RtlIsNtDdiVersionAvailable(NTDDI_WIN8) ? NonPagedPoolNx : «NonPagedPool->NonPagedPoolNx», 1, 'xErD'); }"},
		{"a lookaside list", "drv.c", "void F(PNPAGED_LOOKASIDE_LIST l) { ExInitializeNPagedLookasideList(l, NULL, NULL, «0->POOL_NX_ALLOCATION», 8, 'xErD', 0); }"},
		{"a lookaside list with flags", "drv.c", "void F(PNPAGED_LOOKASIDE_LIST l) { ExInitializeNPagedLookasideList(l, NULL, NULL, POOL_RAISE_IF_ALLOCATION_FAILURE«-> | POOL_NX_ALLOCATION», 8, 'xErD', 0); }"},
		{"a chosen flag", "drv.c", "void F(PNPAGED_LOOKASIDE_LIST l, int x) { ExInitializeNPagedLookasideList(l, NULL, NULL, «->(»x ? 0 : 16«->) | POOL_NX_ALLOCATION» /* y */, 8, 'xErD', 0); }"},
		{"a list by its type", "drv.c", "void F(PLOOKASIDE_LIST_EX l) { ExInitializeLookasideListEx(l, NULL, NULL, «NonPagedPool->NonPagedPoolNx», 0, 8, 'xErD', 0); }"},
		{"a mapping", "drv.c", "PVOID F(PMDL m) { return MmGetSystemAddressForMdlSafe(m, NormalPagePriority«-> | MdlMappingNoExecute»); }"},
		{"a mapping in a macro", "drv.c", "#define MAP(m) MmGetSystemAddressForMdlSafe(m, HighPagePriority«-> | MdlMappingNoExecute»)\nPVOID F(PMDL m) { return MAP(m); }\nPVOID G(PMDL m) { return MAP(m); }"},
		{"a mapping in a wrapper", "drv.c", "static PVOID W(PMDL m, ULONG p) { return MmMapLockedPagesSpecifyCache(m, KernelMode, MmCached, NULL, 0, p«-> | MdlMappingNoExecute»); }\nvoid F(PMDL m) { W(m, NormalPagePriority); }"},
	} {
		before, after := changed(tt.text)
		t.Run(tt.name, func(t *testing.T) {
			a := unpack(t, explicitly(tt.file, before+"\n"))
			r := run(t, Explicit)
			if got, want := pack(t, a), explicitly(tt.file, after+"\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if len(r.Left) > 0 || len(r.Kept) > 0 || len(findings(t, "C30030")) > 0 {
				t.Errorf("left %v, kept %v", r.Left, r.Kept)
			}
			if again := run(t, Explicit); len(again.Changes) > 0 {
				t.Errorf("a second port changes %s", edit.Diff(again.Changes))
			}
		})
	}
}

// A text that decides something else, too, stays, and the reason is said.
func TestExplicitLeaves(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"it is executed", "#define POOL NonPagedPool\ntypedef ULONG (*CODE)(void);\nULONG F(void) { PVOID p = ExAllocatePoolWithTag(POOL, 1, 'xErD'); return ((CODE)p)(); }\n" +
			"PVOID G(void) { return ExAllocatePoolWithTag(POOL, 1, 'xErD'); }", "seems to be executed (drv.c:4:"},
		{"it is compared", "static PVOID W(POOL_TYPE t) { if (t == NonPagedPool) G(); return ExAllocatePoolWithTag(t, 1, 'xErD'); }\nvoid F(void) { W(NonPagedPool); }",
			"what holds NonPagedPool is compared with a pool type on the way (drv.c:3:"},
		{"it stands in a comparison", "#define POOL NonPagedPool\nint G(POOL_TYPE t) { return t == POOL; }\nPVOID F(void) { return ExAllocatePoolWithTag(POOL, 1, 'xErD'); }",
			"it stands in a comparison, too (drv.c:3:"},
		{"it is a case label", "#define POOL NonPagedPool\nvoid G(POOL_TYPE t) { switch (t) { case POOL: F(); } }\nPVOID F(void) { return ExAllocatePoolWithTag(POOL, 1, 'xErD'); }",
			"it stands in a comparison, too (drv.c:3:"},
		{"it is calculated with", "PVOID F(void) { return ExAllocatePoolWithTag(NonPagedPool & ~8, 1, 'xErD'); }", "NonPagedPool goes through a calculation"},
		{"it is pasted", "#define CAT(a, b) a##b\nPVOID F(void) { return ExAllocatePoolWithTag(CAT(NonPaged, Pool), 1, 'xErD'); }", "written at no place where it could be replaced"},
	} {
		unpack(t, explicitly("drv.c", tt.text+"\n"))
		r := run(t, Explicit)
		if len(r.Changes) > 0 {
			t.Errorf("%s: changed\n%s", tt.name, edit.Diff(r.Changes))
		}
		said := false
		for _, f := range r.Left {
			said = said || strings.Contains(f.Message, tt.want)
		}
		if !said {
			t.Errorf("%s: left %v; want %q", tt.name, r.Left, tt.want)
		}
	}
}

// A call that opts in to nothing is left, though a request hangs on its variable: no macro is wanted for it.
func TestExplicitBesideACall(t *testing.T) {
	const text = "int DriverEntry(void)\n{\n    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n    return ExAllocatePoolWithTag(ExDefaultNonPagedPoolType, 1, 'xErD') ? 0 : 1;\n}\n"
	unpack(t, explicitly("drv.c", text))
	if r := run(t, Explicit); len(r.Changes) > 0 || len(r.Left) != 1 || r.Left[0].Rule.ID != "NX0002" {
		t.Errorf("left %v, changed\n%s", r.Left, edit.Diff(r.Changes))
	}
}

// What names executable memory itself goes on to do so.
func TestExplicitKeeps(t *testing.T) {
	unpack(t, explicitly("drv.c", "PVOID F(void) { return ExAllocatePoolWithTag(NonPagedPoolExecute, 1, 'xErD'); }\n"))
	if r := run(t, Explicit); len(r.Changes) > 0 || len(r.Left) > 0 || len(r.Kept) != 1 {
		t.Errorf("changes %v, left %v, kept %v", r.Changes, r.Left, r.Kept)
	}
}

// Below Windows 8 there is no NX pool to ask for. A driver that does not ask for executable memory is no reason to refuse.
func TestExplicitIsRefusedBelowWindows8(t *testing.T) {
	unpack(t, example("C30030").Before)
	_, err := Run([]string{"."}, Explicit, options())
	refused, ok := errors.AsType[*RefusedError](err)
	if !ok || !strings.Contains(refused.Reason, "goes down to Windows 7 in drv.vcxproj (Release|x64):") {
		t.Errorf("%v", err)
	}
	unpack(t, strings.ReplaceAll(example("C30030").Before, "NonPagedPool", "PagedPool"))
	if r := run(t, Explicit); len(r.Changes) > 0 {
		t.Errorf("changes %v", r.Changes)
	}
}

// NX pool that Windows 7 does not know is no reason to opt in what is not to be opted in.
func TestExplicitLeavesNXBelowWindows8(t *testing.T) {
	unpack(t, example("NX0010").Before)
	if r := run(t, Explicit); len(r.Changes) > 0 || len(r.Left) != 1 {
		t.Errorf("left %v, changed\n%s", r.Left, edit.Diff(r.Changes))
	}
}

// What is opted in already stays so: a request that was forgotten gets the same mechanism.
func TestExplicitBesideAnOptIn(t *testing.T) {
	a := unpack(t, strings.ReplaceAll(example("NX0004").Before, "Windows7", "Windows10"))
	run(t, Explicit)
	if got, want := pack(t, a), strings.ReplaceAll(example("NX0004").After, "Windows7", "Windows10"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestGoalsAreListed(t *testing.T) {
	for goal := range goals {
		if !slices.Contains(Goals(), string(goal)) {
			t.Errorf("%s is not among %v", goal, Goals())
		}
	}
}

// What opts in by hand stays as it is where the choice is needed, and under a mechanism.
func TestChoiceByHandIsLeft(t *testing.T) {
	for goal, target := range map[Goal]string{AutoSelect: "Windows7", OptIn: "Windows10", Explicit: "Windows7"} {
		unpack(t, strings.Replace(example("NX0015").Before, "Windows7", target, 1))
		if r := run(t, goal); len(r.Changes) > 0 || len(r.Left) > 0 {
			t.Errorf("%s: changed %s, left %v", goal, edit.Diff(r.Changes), r.Left)
		}
	}
}
