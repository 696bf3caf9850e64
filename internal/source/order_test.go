package source

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// What a request gets hangs on whether control comes to it before the opt-in call: B before, A after, AB perhaps both. The
// answers are those of C; OPT stands for the call, GET for a request.
func TestOrder(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"GET; OPT; GET;", "B A"},
		{"if (x) { OPT; GET; } else { GET; } GET;", "A B AB"},
		{"if (x) { OPT; } else { OPT; } GET;", "A"},
		{"if (x) OPT; else if (y) OPT; else OPT; GET;", "A"},
		{"if (x) OPT; else if (y) OPT; GET;", "AB"},
		{"if (OPT, x) { GET; } GET;", "A A"},
		{"if (x && (OPT, 1)) { GET; } GET;", "AB AB"},
		{"if ((OPT, x) && y) { GET; }", "A"},
		{"if (x || (OPT, 1)) { GET; }", "AB"},
		{"int y = x ? (OPT, 1) : (GET, 2); GET;", "B AB"},
		{"int y = x ? (OPT, 1) : (OPT, 2); GET;", "A"},
		{"int y = x || (OPT, 1) ? (GET, 1) : 0;", "AB"},
		{"int y = x && (OPT, z) ? 0 : (GET, 1);", "AB"},
		{"f(x && (OPT, 1), GET);", "AB"},
		{"while (x) { GET; OPT; } GET;", "AB AB"},
		{"while (1) { GET; OPT; break; } GET;", "B A"},
		{"for (;;) { if (x) break; OPT; } GET;", "AB"},
		{"for (;;) { OPT; if (x) break; } GET;", "A"},
		{"for (OPT; x; y) GET; GET;", "A A"},
		{"for (i = 0; i < 3; i++) { GET; OPT; } GET;", "AB A"},
		{"for (i = 0; i < n; i++) OPT; GET;", "AB"},
		{"do { GET; OPT; } while (0); GET;", "B A"},
		{"do { GET; OPT; } while (x); GET;", "AB A"},
		{"do { if (x) continue; OPT; } while (0); GET;", "AB"},
		{"do { if (x) break; OPT; } while (0); GET;", "AB"},
		{"switch (x) { case 1: OPT; break; default: OPT; } GET;", "A"},
		{"switch (x) { case 1: OPT; break; case 2: GET; } GET;", "B AB"},
		{"switch (x) { case 1: OPT; case 2: GET; break; default: GET; } GET;", "AB B AB"},
		{"switch (x) { case 1: OPT; break; case 2: OPT; } GET;", "AB"},
		{"switch (x) { case 1: { OPT; break; } default: return -1; } GET;", "A"},
		{"if (x) goto skip; OPT; skip: GET;", "AB"},
		{"goto in; out: GET; return 0; in: OPT; goto out;", "A"},
		{"again: GET; if (x) { OPT; goto again; } GET;", "AB AB"},
		{"if (x) { GET; return -1; } OPT; GET;", "B A"},
		{"__try { GET; OPT; } __except (1) { GET; } GET;", "B AB AB"},
		{"__try { if (x) __leave; OPT; } __finally { GET; } GET;", "AB AB"},
		{"ATOMIC(x) { OPT; } GET;", "AB"},
		{"auto f = [](int a) { OPT; }; GET;", "AB"},
		{"{ { OPT; } GET; } GET;", "A A"},
		{"if (x) ; else ; OPT; GET;", "A"},
		{"struct S { int a; } s = { 1 }; OPT; GET;", "A"},
		{"KeBug(x) ? OPT : OPT; GET;", "A"},
		{"void (*f)(void) = init; f(); GET;", "A"},
		{"init(); GET;", "A"},
		{"maybe(); GET;", "AB"},
		{"int y = (jumps(), 1); GET;", "AB"}, // it has no answer that could say so
		{"ExInitializeDriverRuntime(z); GET;", "AB"},
		{"if (tries() < 0) return -1; GET;", "A"}, // who looks at the answer goes on only where it succeeded
		{"tries(); GET;", "AB"},
		{"(void)tries(); GET;", "AB"},
		{"succeeds(); GET;", "AB"},
		{"if (succeeds() < 0) return -1; GET;", "AB"},
		{"POOL_TYPE t = NonPagedPool; OPT; ExAllocatePool(t, 9);", "B"},
		{"POOL_TYPE t; OPT; t = NonPagedPool; ExAllocatePool(t, 9);", "A"},
		{"POOL_TYPE t = NonPagedPool; if (x) { OPT; t = NonPagedPool; } ExAllocatePool(t, 9);", "AB"},
		{"S.type = NonPagedPool; OPT; ExAllocatePool(S.type, 9);", "B"},
		{"wrap(NonPagedPool); OPT; wrap(PagedPool);", "B1"},
		{"wrap(PagedPool); OPT; wrap(NonPagedPool);", "A1"},
		{"ExAllocatePool(kind(NonPagedPool), 9); OPT;", "B"},
		{"ExAllocatePool(own(), 9); OPT; ExAllocatePool(own(), 9);", "B A"},
		{"ExAllocatePool(late(), 9);", "A"},
		{"POOL_TYPE t = late(); ExAllocatePool(t, 9);", "A"},
		{"POOL_TYPE t = kind(NonPagedPool); OPT; ExAllocatePool(kind(NonPagedPool), 9);", "A"},
	} {
		t.Run(tt.text, func(t *testing.T) {
			text := strings.NewReplacer("OPT", "ExInitializeDriverRuntime(DrvRtPoolNxOptIn)", "GET", "ExAllocatePool(NonPagedPool, 1)").Replace(`-- d.cpp --
#include <ntddk.h>
struct state { POOL_TYPE type; } S;
static POOL_TYPE kind(POOL_TYPE t) { return t; }
static void wrap(POOL_TYPE t) { ExAllocatePool(t, 9); }
static POOL_TYPE own(void) { return NonPagedPool; }
static POOL_TYPE late(void) { OPT; return NonPagedPool; }
static void init(void) { OPT; }
static void maybe(void) { if (z) return; OPT; }
static void jumps(void) { if (z) goto out; OPT; out: ; }
static NTSTATUS tries(void) { if (z) return z; OPT; return STATUS_SUCCESS; }
static NTSTATUS succeeds(void) { if (z) return STATUS_SUCCESS; OPT; return STATUS_SUCCESS; }
extern "C" NTSTATUS DriverEntry(void) { ` + tt.text + ` return STATUS_SUCCESS; }`)
			var got []string
			for _, s := range read(t, text, "POOL_NX_OPTIN").Sites {
				if s.Function == "DriverEntry" || len(s.Value.Steps) > 0 {
					got = append(got, whenOf(s))
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%v, want %s", got, tt.want)
			}
		})
	}
}

// whenOf says by its values on Windows 10 when what a request asks for is evaluated.
func whenOf(s driver.Site) string {
	out := ""
	for _, v := range s.On(nx.Windows10).Values {
		switch v {
		case 0:
			out += "B"
		case 512:
			out = "A" + out
		default:
			out += fmt.Sprint(v)
		}
	}
	return out
}

// Constructors run where an object is declared, destructors where its block is left.
func TestObjects(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"Auto a; OPT;", "Auto=B ~Auto=A"},
		{"{ Auto a; } OPT;", "Auto=B ~Auto=B"},
		{"Auto a; { x = 1; } OPT;", "Auto=B ~Auto=A"},
		{"OPT; Auto a;", "Auto=A ~Auto=A"},
		{"{ Auto a; if (x) return -1; } OPT;", "Auto=B ~Auto=B"},
		{"Auto a; if (x) return -1; OPT;", "Auto=B ~Auto=AB"},
		{"while (x) { Auto a; break; } OPT;", "Auto=B ~Auto=B"},
		{"{ Auto a(); } Auto *p; Auto &r = *p; OPT;", "Auto=A ~Auto=A"}, // nothing constructs: it may be called later
		{"return helper(); } static NTSTATUS helper() { Auto a; OPT;", "Auto=B ~Auto=A"},
	} {
		text := strings.NewReplacer("OPT", "ExInitializeDriverRuntime(DrvRtPoolNxOptIn)").Replace(`-- auto.h --
struct Auto { Auto(); ~Auto(); int n; };
-- auto.cpp --
#include <ntddk.h>
#include "auto.h"
Auto::Auto() { ExAllocatePool(NonPagedPool, 1); }
Auto::~Auto() { ExAllocatePool(NonPagedPool, 2); }
-- d.cpp --
#include <ntddk.h>
#include "auto.h"
static NTSTATUS helper();
extern "C" NTSTATUS DriverEntry(void) { ` + tt.text + ` return STATUS_SUCCESS; }`)
		var got []string
		for _, s := range read(t, text, "POOL_NX_OPTIN").Sites {
			got = append(got, s.Function+"="+whenOf(s))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, want %s", tt.text, got, tt.want)
		}
	}
}

// A request that runs before the opt-in call and after it is told from one that does so under a condition only.
func TestSurelyBefore(t *testing.T) {
	const helper = "void *Get(void) { return ExAllocatePool(NonPagedPool, 1); }\nvoid Later(void) { Get(); }\n"
	const call = "ExInitializeDriverRuntime(DrvRtPoolNxOptIn);"
	for body, want := range map[string]string{
		"Get(); " + call:                                   "late surely",
		"Start(); " + call:                                 "late surely",
		"if (!Get()) return 1; " + call:                    "late surely",
		"do { Get(); } while (n); " + call:                 "late surely",
		"{ int k = 0; Get(); } " + call:                    "late surely",
		"__try { Get(); } __except (1) { } " + call:        "late surely",
		"if (n) Get(); " + call:                            "yes perhaps",
		"if (n) { } else { Get(); } " + call:               "yes perhaps",
		"n = n && Get(); " + call:                          "yes perhaps",
		"while (n) Get(); " + call:                         "yes perhaps",
		"switch (n) { case 1: Get(); } " + call:            "yes perhaps",
		"__try { n(); } __except (Get() != 0) { } " + call: "yes perhaps",
		"if (n) Start(); " + call:                          "yes perhaps",
		"__try { n(); } __finally { Get(); } " + call:      "late surely",
		"if (n) Get(); " + call + " Get();":                "yes perhaps",
		"Maybe(n); " + call:                                "yes perhaps",
		call + " Get();":                                   "yes surely not",
	} {
		m := read(t, "-- a.c --\n#include <ntddk.h>\n"+helper+"void Start(void) { Get(); }\nvoid Maybe(int n) { if (n) Get(); }\n"+
			"int DriverEntry(int n) { "+body+" return 0; }\n", "POOL_NX_OPTIN")
		if len(m.Sites) != 1 {
			t.Fatalf("%s: %d sites", body, len(m.Sites))
		}
		s := m.Sites[0]
		got := "surely"
		switch {
		case !s.TooEarly():
			got = "surely not"
		case s.Perhaps():
			got = "perhaps"
		}
		if got = string(m.Build.Initialised) + " " + got; got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

// The same of a request in operator new, and of one in a header.
func TestSurelyBeforeByWayOf(t *testing.T) {
	const call = " ExInitializeDriverRuntime(DrvRtPoolNxOptIn); "
	for archive, want := range map[string]bool{
		"-- a.cpp --\n#include <ntddk.h>\nvoid *operator new(size_t n, POOL_TYPE t) { return ExAllocatePool(t, n); }\n" +
			"void Get() { new (NonPagedPool) int; }\nvoid Later() { Get(); }\nextern \"C\" void DriverEntry() { Get();" + call + "}\n": false,
		"-- a.cpp --\n#include <ntddk.h>\nvoid *operator new(size_t n, POOL_TYPE t) { return ExAllocatePool(t, n); }\n" +
			"void Get() { new (NonPagedPool) int; }\nvoid Later() { Get(); }\nextern \"C\" void DriverEntry(int n) { if (n) Get();" + call + "}\n": true,
		"-- h.h --\n#include <ntddk.h>\nstatic void Get(void) { ExAllocatePool(NonPagedPool, 1); }\n-- a.c --\n#include \"h.h\"\nvoid Later(void) { Get(); }\n" +
			"-- b.c --\n#include \"h.h\"\nvoid DriverEntry(void) { Get();" + call + "}\n": false,
	} {
		m := read(t, archive, "POOL_NX_OPTIN")
		if len(m.Sites) != 1 || !m.Sites[0].TooEarly() || m.Sites[0].Perhaps() != want {
			t.Errorf("%s: %+v", archive, m.Sites)
		}
	}
}
