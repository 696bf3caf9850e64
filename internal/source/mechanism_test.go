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

// told gives the facts of some kinds, each as its line, kind and text.
func told(m driver.Image, kinds ...driver.FactKind) string {
	var got []string
	for _, f := range m.Facts {
		if slices.Contains(kinds, f.Kind) {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%d %s %s", f.Place.Line, f.Kind, f.Says)))
		}
	}
	return strings.Join(got, "; ")
}

// wdm.h asks for the macros where it is included, and for POOL_NX_OPTOUT as a number.
func TestMacrosWithoutEffect(t *testing.T) {
	for _, tt := range []struct{ text, macros, want string }{
		{"#include <ntddk.h>\n#define POOL_NX_OPTIN 1\n", "", "2 macro too late POOL_NX_OPTIN"},
		{"#define POOL_NX_OPTIN 1\n#include <ntddk.h>\n", "", ""},
		{"#include <ntddk.h>\n#define POOL_NX_OPTIN_AUTO\n", "", "2 macro too late POOL_NX_OPTIN_AUTO"},
		{"#include <ntddk.h>\n#define POOL_NX_OPTIN 0\n", "", ""},
		{"#include <ntddk.h>\n#define POOL_NX_OPTIN 1\n", "POOL_NX_OPTIN", ""},
		{"#include <ntddk.h>\n#define POOL_NX_OPTOUT 1\n", "POOL_NX_OPTIN", "2 macro too late POOL_NX_OPTOUT"},
		{"#include <ntddk.h>\n#define POOL_NX_OPTOUT 1\n", "", ""}, // nothing to opt out of
		{"#define POOL_NX_OPTOUT 0\n#include <ntddk.h>\n", "POOL_NX_OPTIN", "1 opt-out that is 0 POOL_NX_OPTOUT"},
		{"#include <wdmsec.h>\n#include <ntddk.h>\n", "POOL_NX_OPTIN_AUTO POOL_NX_OPTOUT=0", "2 opt-out that is 0 POOL_NX_OPTOUT"},
		{"#define POOL_NX_OPTOUT 0\n#include <ntddk.h>\n", "", ""},
		{"#define POOL_NX_OPTOUT 1\n#include <ntddk.h>\n", "POOL_NX_OPTIN", ""},
		{"#include <ntddk.h>\n", "POOL_NX_OPTIN POOL_NX_OPTIN_AUTO", "1 both opt-ins"},
		{"#include <ntddk.h>\n", "POOL_NX_OPTIN POOL_NX_OPTIN_AUTO=0", ""},
		{"#define POOL_NX_OPTOUT 1\n#include <ntddk.h>\n", "POOL_NX_OPTIN POOL_NX_OPTIN_AUTO", ""}, // compiles: neither is looked at
		{"#include \"gone.h\"\n#define POOL_NX_OPTIN 1\nint x;\n", "", ""},                         // gone.h, or what follows, may bring wdm.h
	} {
		m := read(t, "-- a.c --\n"+tt.text, strings.Fields(tt.macros)...)
		if got := told(m, driver.MacroTooLate, driver.OptOutOff, driver.BothOptIns); got != tt.want {
			t.Errorf("%q with %s: %s\nwant %s", tt.text, tt.macros, got, tt.want)
		}
	}
}

// Microsoft's compiler does not read what stands in front of the include of a precompiled header.
func TestMacroInFrontOfAPrecompiledHeader(t *testing.T) {
	disk, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	o := &project.Options{Processor: nx.X64, Includes: []string{"."}, Precompiled: "pch.h", Defines: []project.Define{{Name: "POOL_NX_OPTIN", Value: "1"}}}
	b := &project.Build{Units: []*project.Unit{{Path: "a.c", Options: o}}}
	tr := disk.With(map[string][]byte{"pch.h": []byte("#include <ntddk.h>\n"), "a.c": []byte("#define POOL_NX_OPTOUT 1\n#include \"pch.h\"\nint x;\n")})
	m := Read(tr, []*project.Build{b}, Options{DDIs: nx.DDIs()}).Images[0]
	if got := told(m, driver.MacroTooLate); got != "1 macro too late POOL_NX_OPTOUT" {
		t.Error(got)
	}
	if m.Build.Mechanism != nx.OptIn || len(m.Build.Exceptions) > 0 {
		t.Errorf("mechanism %s, exceptions %v", m.Build.Mechanism, m.Build.Exceptions)
	}
}

// A call with DrvRtPoolNxOptIn, which is 1, opts in; one without it says nothing about NX.
func TestCallsOfTheRuntime(t *testing.T) {
	for argument, want := range map[string]string{
		"DrvRtPoolNxOptIn": "3 opt-in call", "1": "3 opt-in call", "DrvRtPoolNxOptIn | 2": "3 opt-in call",
		"0": "3 call without DrvRtPoolNxOptIn", "2": "3 call without DrvRtPoolNxOptIn", "Flags": "3 opt-in call",
	} {
		m := read(t, "-- a.c --\n#include <ntddk.h>\nvoid DriverEntry(ULONG Flags) {\nExInitializeDriverRuntime("+argument+"); }\n", "POOL_NX_OPTIN")
		if got := told(m, driver.OptInCall, driver.OtherCall); got != want {
			t.Errorf("%s: %s, want %s", argument, got, want)
		}
	}
}

// What stands under a condition on the version of Windows may ask for what older ones do not know.
func TestVersionGuards(t *testing.T) {
	const request = "ExAllocatePool(NonPagedPoolNx, 1);"
	for body, want := range map[string]string{
		"if (IsWindows8OrGreater()) " + request:                                   "only under if (IsWindows8OrGreater())",
		"if (n && (Info.dwMajorVersion > 6)) { if (n) { " + request + " } }":      "only under if (n && (Info.dwMajorVersion > 6))",
		"if (UseNx) { g(); } else if (n) g(); else { " + request + " }":           "only under if (UseNx)",
		"if (UseNx) { g(); } " + request:                                          "",
		"if (n) { " + request + " }":                                              "",
		"if (Major > 6 || Major == 6 && Minor >= 2) { " + request + " }":          "only under if (Major > 6 || Major == 6 && Minor >= 2)",
		"if (NeedsConversion(n) || OpenWindows || MaxLynx) { " + request + " }":   "",
		"if (Irp->MinorFunction == 1) { " + request + " }":                        "",
		"while (n) { if (UseNx) return; } if (n) { if (g()) " + request + " }":    "",
		"if (h(" + strings.TrimSuffix(request, ";") + ")) { if (UseNx) return; }": "",
	} {
		m := read(t, "-- a.c --\n#include <ntddk.h>\nvoid f(int n) { "+body+" }\n")
		if len(m.Sites) != 1 {
			t.Fatalf("%s: %d sites", body, len(m.Sites))
		}
		got := ""
		if g := m.Sites[0].Guard; g != nil {
			got = g.Says
		}
		if got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// A lookaside list that is given a function of the driver's own gets its memory from there.
func TestOwnAllocateFunction(t *testing.T) {
	for argument, want := range map[string]string{"NULL": "", "0": "", "nullptr": "", "(PALLOCATE_FUNCTION)NULL": "", "((void *)0)": "", "DrvAllocate": "DrvAllocate"} {
		m := read(t, "-- a.c --\n#include <ntddk.h>\nvoid f(void) { ExInitializeNPagedLookasideList(&l, "+argument+", 0, 0, 8, 'gaT', 0); }\n")
		if len(m.Sites) != 1 || m.Sites[0].Own != want {
			t.Errorf("%s: %+v, want %q", argument, m.Sites, want)
		}
	}
}

// What a driver gets by a choice between versions of Windows is told from what it gets otherwise.
func TestSelectedByVersion(t *testing.T) {
	const head = "-- a.c --\n#include <ntddk.h>\n"
	const set = "void DriverEntry(void) { if (RtlIsNtDdiVersionAvailable(NTDDI_WIN8)) g_type = NonPagedPoolNx; }\n"
	for text, want := range map[string]string{
		"POOL_TYPE g_type = NonPagedPool;\n" + set + "void f(int paged) { ExAllocatePool(paged ? PagedPool : g_type, 1); }":                                    "NonPagedPool NonPagedPoolNx",
		"POOL_TYPE g_type;\n" + set + "void f(void) { ExAllocatePool(g_type | 16, 1); }":                                                                       "16 NonPagedPoolNx | 16",
		"POOL_TYPE g_type;\n" + set + "void a(POOL_TYPE t) { ExAllocatePool(t, 1); } void f(void) { a(g_type); a(NonPagedPool); }":                             "0 NonPagedPoolNx",
		"POOL_TYPE g_type;\n" + set + "void a(POOL_TYPE t) { ExAllocatePool(t, 1); } void f(void) { a(g_type); a(0); }":                                        "NonPagedPoolNx",
		"void f(int n) { ExAllocatePool(IsWin8(n) ? NonPagedPoolNx : NonPagedPool, 1); }":                                                                      "NonPagedPool NonPagedPoolNx",
		"void f(int n) { ExAllocatePool(n ? NonPagedPoolNx : NonPagedPool, 1); }":                                                                              "",
		"void f(void) { POOL_TYPE t = NonPagedPool; if (version.dwMajorVersion > 6) t = NonPagedPoolNx; ExAllocatePool(t, 1); }":                               "NonPagedPool NonPagedPoolNx",
		"struct s { POOL_TYPE t; }; void f(struct s *p) { p->t = 0; if (p->OsVersion > 6) { p->t = 512; } }\nvoid g(struct s *p) { ExAllocatePool(p->t, 1); }": "0 512",
	} {
		m := read(t, head+text)
		if len(m.Sites) != 1 {
			t.Fatalf("%s: %d sites", text, len(m.Sites))
		}
		var got []string
		for _, term := range m.Sites[0].Value.Selected {
			got = append(got, term.String())
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %q of %v, want %q", text, s, m.Sites[0].Value.Terms, want)
		}
	}
}

func TestMappingForUserMode(t *testing.T) {
	for argument, want := range map[string]bool{"KernelMode": false, "UserMode": true, "(KPROCESSOR_MODE)UserMode": true, "Mode": false} {
		m := read(t, "-- a.c --\n#include <ntddk.h>\nvoid f(void) { MmMapLockedPagesSpecifyCache(m, "+argument+", MmCached, 0, FALSE, NormalPagePriority); }\n")
		if len(m.Sites) != 1 || m.Sites[0].UserMode != want {
			t.Errorf("%s: %+v, want %v", argument, m.Sites, want)
		}
	}
}

// A value of a request in a header is selected by the version only if it is in every unit.
func TestSelectedInEveryUnit(t *testing.T) {
	m := read(t, "-- h.h --\n#include <ntddk.h>\nstatic void f(POOL_TYPE t) { ExAllocatePool(t, 1); }\n"+
		"-- a.c --\n#include \"h.h\"\nvoid a(void) { f(IsWin8() ? NonPagedPoolNx : NonPagedPool); }\n-- b.c --\n#include \"h.h\"\nvoid b(void) { f(NonPagedPool); }\n")
	if len(m.Sites) != 1 || len(m.Sites[0].Value.Terms) != 2 || fmt.Sprint(m.Sites[0].Value.Selected) != "[NonPagedPoolNx]" {
		t.Errorf("%+v", m.Sites)
	}
}
