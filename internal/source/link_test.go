package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/nx"
)

func TestInitialised(t *testing.T) {
	const head = "-- d.c --\n#include <ntddk.h>\n"
	const optin = "ExInitializeDriverRuntime(DrvRtPoolNxOptIn);"
	for _, tt := range []struct {
		name, text string
		macros     []string
		want       driver.Initialised
		sites      string // function=values on Windows 10, in order of place
	}{
		{"no macro", head + "void DriverEntry(void) { " + optin + " ExAllocatePool(NonPagedPool, 1); }", nil,
			driver.InitNotNeeded, "DriverEntry=[0]"},
		{"yes", head + "void DriverEntry(void) { " + optin + " ExAllocatePool(NonPagedPool, 1); }", []string{"POOL_NX_OPTIN"},
			driver.InitYes, "DriverEntry=[512]"},
		{"no", head + "void DriverEntry(void) { ExAllocatePool(NonPagedPool, 1); }", []string{"POOL_NX_OPTIN"},
			driver.InitNo, "DriverEntry=[0]"},
		{"another flag", head + "void DriverEntry(void) { ExInitializeDriverRuntime(0); ExAllocatePool(NonPagedPool, 1); }",
			[]string{"POOL_NX_OPTIN"}, driver.InitNo, "DriverEntry=[0]"},
		{"late", head + "void DriverEntry(void) { ExAllocatePool(NonPagedPool, 1); " + optin + " ExAllocatePool(NonPagedPool, 1); }",
			[]string{"POOL_NX_OPTIN"}, driver.InitLate, "DriverEntry=[0] DriverEntry=[512]"},
		{"a paged request before the call does no harm", head + "void DriverEntry(void) { ExAllocatePool(PagedPool, 1); " + optin + " }",
			[]string{"POOL_NX_OPTIN"}, driver.InitYes, "DriverEntry=[1]"},
		{"in a helper", head + `static void Init(void) { ExAllocatePool(NonPagedPool, 1); ` + optin + ` ExAllocatePool(NonPagedPool, 2); }
void DriverEntry(void) { Init(); ExAllocatePool(NonPagedPool, 3); }`, []string{"POOL_NX_OPTIN"},
			driver.InitLate, "Init=[0] Init=[512] DriverEntry=[512]"},
		{"a helper that runs before and after", head + `static void Get(void) { ExAllocatePool(NonPagedPool, 1); }
void DriverEntry(void) { Get(); ` + optin + ` Get(); }`, []string{"POOL_NX_OPTIN"}, driver.InitLate, "Get=[0 512]"},
		{"a dispatch routine runs after", head + `static void Read(void) { Get(); }
static void Get(void) { ExAllocatePool(NonPagedPool, 1); }
void DriverEntry(void) { Set(Read); ` + optin + ` }`, []string{"POOL_NX_OPTIN"}, driver.InitYes, "Get=[512]"},
		{"its address is taken and it is called before", head + `static void Read(void) { ExAllocatePool(NonPagedPool, 1); }
void DriverEntry(void) { Read(); ` + optin + ` Set(Read); }`, []string{"POOL_NX_OPTIN"}, driver.InitLate, "Read=[0 512]"},
		{"in a routine that the entry never calls", head + `static void Later(void) { ` + optin + ` }
void DriverEntry(void) { Set(Later); ExAllocatePool(NonPagedPool, 1); }`, []string{"POOL_NX_OPTIN"},
			driver.InitUnknown, "DriverEntry=[0 512]"},
		{"in a file without the macro", head + `void Init(void); void DriverEntry(void) { Init(); ExAllocatePool(NonPagedPool, 1); }
-- e.c --
#undef POOL_NX_OPTIN
#include <ntddk.h>
void Init(void) { ` + optin + ` }`, []string{"POOL_NX_OPTIN"}, driver.InitNo, "DriverEntry=[0]"},
		{"in a file that opted out", head + `void Init(void); void DriverEntry(void) { Init(); ExAllocatePool(NonPagedPool, 1); }
-- e.c --
#define POOL_NX_OPTOUT 1
#include <ntddk.h>
void Init(void) { ` + optin + ` }`, []string{"POOL_NX_OPTIN"}, driver.InitNo, "DriverEntry=[0]"},
		{"a wrapper in a file that opted out gets what the caller means", head + `void DriverEntry(void) { ` + optin + ` Get(NonPagedPool); }
-- e.c --
#define POOL_NX_OPTOUT 1
#include <ntddk.h>
void Get(POOL_TYPE t) { ExAllocatePool(t, 1); ExAllocatePool(NonPagedPool, 1); }`, []string{"POOL_NX_OPTIN"},
			driver.InitYes, "Get=[512] Get=[0]"},
		{"a method is no entry routine", "-- d.cpp --\n#include <ntddk.h>\nvoid X::DriverEntry(void) { " + optin +
			" } void DriverEntry(void) { ExAllocatePool(NonPagedPool, 1); }", []string{"POOL_NX_OPTIN"}, driver.InitUnknown, "DriverEntry=[0 512]"},
		{"made under a condition", head + "void DriverEntry(void) { if (x) { " + optin + " } ExAllocatePool(NonPagedPool, 1); }",
			[]string{"POOL_NX_OPTIN"}, driver.InitUnknown, "DriverEntry=[0 512]"},
		{"made under a condition without braces", head + "void DriverEntry(void) { for (;;) if (x) a(); else " + optin +
			" ExAllocatePool(NonPagedPool, 1); }", []string{"POOL_NX_OPTIN"}, driver.InitUnknown, "DriverEntry=[0 512]"},
		{"in a block that always runs", head + "void DriverEntry(void) { __try { do { " + optin + " } while (0); ExAllocatePool(NonPagedPool, 1); } __finally { } }",
			[]string{"POOL_NX_OPTIN"}, driver.InitYes, "DriverEntry=[512]"},
		{"a helper called under a condition", head + "static void Init(void) { " + optin + " } void DriverEntry(void) { if (x) Init(); ExAllocatePool(NonPagedPool, 1); }",
			[]string{"POOL_NX_OPTIN"}, driver.InitUnknown, "DriverEntry=[0 512]"},
		{"by way of a parameter", head + "static void Init(ULONG f) { ExInitializeDriverRuntime(f); } void DriverEntry(void) { Init(DrvRtPoolNxOptIn); ExAllocatePool(NonPagedPool, 1); }",
			[]string{"POOL_NX_OPTIN"}, driver.InitYes, "DriverEntry=[512]"},
		{"by way of a variable", head + "void DriverEntry(void) { ULONG f = DrvRtPoolNxOptIn; ExInitializeDriverRuntime(f); ExAllocatePool(NonPagedPool, 1); }",
			[]string{"POOL_NX_OPTIN"}, driver.InitYes, "DriverEntry=[512]"},
		{"an argument is evaluated before the call", head + "static void Init(PVOID p) { " + optin + " } void DriverEntry(void) { Init(ExAllocatePool(NonPagedPool, 1)); }",
			[]string{"POOL_NX_OPTIN"}, driver.InitLate, "DriverEntry=[0]"},
		{"one entry routine of two", head + "void DllInitialize(void) { ExAllocatePool(NonPagedPool, 1); } void DriverEntry(void) { " + optin + " ExAllocatePool(NonPagedPool, 2); }",
			[]string{"POOL_NX_OPTIN"}, driver.InitLate, "DllInitialize=[0] DriverEntry=[512]"},
		{"what runs later may follow on either of two entry routines", head + "static void Read(void) { ExAllocatePool(NonPagedPool, 3); }\nvoid DllInitialize(void) { } void DriverEntry(void) { " +
			optin + " Set(Read); }", []string{"POOL_NX_OPTIN"}, driver.InitUnknown, "Read=[0 512]"},
		{"a start-up routine of the driver's own", head + "void DriverEntry(void) { ExAllocatePool(NonPagedPool, 1); } void GsDriverEntry(void) { " + optin + " DriverEntry(); }",
			[]string{"POOL_NX_OPTIN"}, driver.InitYes, "DriverEntry=[512]"},
		{"an initialiser of C++ that reads the variable", "-- d.cpp --\n#include <ntddk.h>\nstatic POOL_TYPE t = NonPagedPoolCacheAligned; void DriverEntry(void) { " + optin + " ExAllocatePool(t, 1); }",
			[]string{"POOL_NX_OPTIN"}, driver.InitYes, "DriverEntry=[0 4]"},
		{"an initialiser of C++ that requests", "-- d.cpp --\n#include <ntddk.h>\nstatic void *p = ExAllocatePool(NonPagedPool, 1); void DriverEntry(void) { " + optin + " }",
			[]string{"POOL_NX_OPTIN"}, driver.InitLate, "=[0]"},
		{"who fails jumps past the call, and nothing runs later", head + "static void Read(void) { ExAllocatePool(NonPagedPool, 3); }\nint DriverEntry(void) { int s = Set(Read); if (s < 0) goto out; " +
			optin + " out: return s; }", []string{"POOL_NX_OPTIN"}, driver.InitYes, "Read=[512]"},
		{"who fails breaks off", head + "static void Read(void) { ExAllocatePool(NonPagedPool, 3); }\nint DriverEntry(void) { int s; do { s = Set(Read); if (s < 0) break; " +
			optin + " } while (0); return s; }", []string{"POOL_NX_OPTIN"}, driver.InitYes, "Read=[512]"},
		{"who succeeds jumps past the call", head + "static void Read(void) { ExAllocatePool(NonPagedPool, 3); }\nint DriverEntry(void) { Set(Read); if (x) goto out; " +
			optin + " out: return STATUS_SUCCESS; }", []string{"POOL_NX_OPTIN"}, driver.InitUnknown, "Read=[0 512]"},
		{"the last return says that it failed", head + "static void Read(void) { ExAllocatePool(NonPagedPool, 3); }\nint DriverEntry(void) { if (Set(Read)) { " +
			optin + " return STATUS_SUCCESS; } return STATUS_UNSUCCESSFUL; }", []string{"POOL_NX_OPTIN"}, driver.InitYes, "Read=[512]"},
		{"both by one helper", head + "static void Init(void) { " + optin + " } void DllInitialize(void) { Init(); ExAllocatePool(NonPagedPool, 1); } void DriverEntry(void) { Init(); ExAllocatePool(NonPagedPool, 2); }",
			[]string{"POOL_NX_OPTIN"}, driver.InitYes, "DllInitialize=[512] DriverEntry=[512]"},
		{"auto", head + "void DriverEntry(void) { ExAllocatePool(NonPagedPool, 1); }", []string{"POOL_NX_OPTIN_AUTO"},
			driver.InitNotNeeded, "DriverEntry=[512]"},
		{"recursion ends", head + `void A(POOL_TYPE t) { B(t); ExAllocatePool(t, 1); } void B(POOL_TYPE t) { A(t); }
void DriverEntry(void) { ` + optin + ` A(NonPagedPool); }`, []string{"POOL_NX_OPTIN"}, driver.InitYes, "A=[512]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := read(t, tt.text, tt.macros...)
			var sites []string
			for _, s := range m.Sites {
				sites = append(sites, fmt.Sprintf("%s=%v", s.Function, s.On(nx.Windows10).Values))
			}
			if got := strings.Join(sites, " "); m.Build.Initialised != tt.want || got != tt.sites {
				t.Errorf("initialised %s, sites %s; want %s, %s", m.Build.Initialised, got, tt.want, tt.sites)
			}
		})
	}
}

// Where the macros stand when the kit's header is included decides, not whether they are defined at all.
func TestMechanismIsDecidedAtTheHeader(t *testing.T) {
	const request = "\nvoid DriverEntry(void) { ExInitializeDriverRuntime(DrvRtPoolNxOptIn); ExAllocatePool(NonPagedPool, 1); }\n"
	for _, tt := range []struct {
		name, text string
		macros     []string
		mechanism  nx.Mechanism
		value      uint32
	}{
		{"before", "#define POOL_NX_OPTIN 1\n#include <ntddk.h>" + request, nil, nx.OptIn, 512},
		{"after", "#include <ntddk.h>\n#define POOL_NX_OPTIN 1" + request, nil, nx.None, 0},
		{"zero", "#include <wdm.h>" + request, []string{"POOL_NX_OPTIN=0"}, nx.None, 0},
		{"opt-out before", "#define POOL_NX_OPTOUT 1\n#include <ntifs.h>" + request, []string{"POOL_NX_OPTIN"}, nx.OptedOut, 0},
		{"opt-out after", "#include <ntifs.h>\n#define POOL_NX_OPTOUT 1" + request, []string{"POOL_NX_OPTIN"}, nx.OptIn, 512},
		{"opt-out between two of the kit's headers", "#include <ntddk.h>\n#define POOL_NX_OPTOUT 1\n#include <ndis.h>" + request,
			[]string{"POOL_NX_OPTIN"}, nx.OptIn, 512},
		{"opt-out of 0", "#define POOL_NX_OPTOUT 0\n#include <ntifs.h>" + request, []string{"POOL_NX_OPTIN"}, nx.OptIn, 512},
		{"the token undefined", "#include <ntddk.h>\n#undef NonPagedPool" + request, []string{"POOL_NX_OPTIN"}, nx.OptIn, 0},
		{"the token by a macro", "#include <ntddk.h>\n#define MY_POOL NonPagedPool" +
			strings.Replace(request, "NonPagedPool,", "MY_POOL,", 1), []string{"POOL_NX_OPTIN"}, nx.OptIn, 512},
		{"tested by the source", "#include <ntddk.h>\n#ifndef NonPagedPool\n#error\n#else" + request + "#endif\n",
			[]string{"POOL_NX_OPTIN"}, nx.OptIn, 512},
		{"explicit", "#include <ntddk.h>" + strings.Replace(request, "NonPagedPool,", "NonPagedPoolExecute,", 1),
			[]string{"POOL_NX_OPTIN_AUTO"}, nx.OptInAuto, 0},
		{"literal", "#include <ntddk.h>" + strings.Replace(request, "NonPagedPool,", "(POOL_TYPE)0,", 1),
			[]string{"POOL_NX_OPTIN_AUTO"}, nx.OptInAuto, 0},
		{"kit by a header that is missing", "#include \"precomp.h\"" + request, []string{"POOL_NX_OPTIN"}, nx.OptIn, 512},
		{"a missing header before the kit's", "#include <initguid.h>\n#define POOL_NX_OPTIN 1\n#include <ntddk.h>" + request, nil, nx.OptIn, 512},
		{"kit by nxpool.h", "#include \"nxpool.h\"" + request, []string{"POOL_NX_OPTIN"}, nx.OptIn, 512},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := read(t, "-- d.c --\n"+tt.text, tt.macros...)
			if len(m.Sites) != 1 {
				t.Fatalf("%d sites", len(m.Sites))
			}
			s := m.Sites[0]
			if got := s.On(nx.Windows10).Values; s.Mechanism != tt.mechanism || len(got) != 1 || got[0] != tt.value {
				t.Errorf("%s, %v; want %s, [%d]", s.Mechanism, got, tt.mechanism, tt.value)
			}
		})
	}
}

// What is not known is said, with the reason.
func TestUnknown(t *testing.T) {
	for _, tt := range []struct{ call, want string }{
		{"ExAllocatePool(Pick(), 1)", "what Pick() returns: it is not defined in this build"},
		{"ExAllocatePool(Ext->Type, 1)", "what field Type holds: nothing in this build writes it by name"},
		{"ExAllocatePool(Types[2], 1)", "what Types[] holds: it is not defined in this build"},
		{"ExAllocatePool(PoolType, 1)", "what PoolType holds: it is not defined in this build"},
		{"ExAllocatePool(NonPagedPoolNx ^ NonPagedPool, 1)", "the expression NonPagedPoolNx ^ NonPagedPool"},
		{"ExAllocatePool()", "the call has 0 arguments, argument 1 decides"},
		{"ExAllocatePool(Type, 1)", "parameter Type of F: nothing in this build calls it"},
		{"ExAllocatePool(NonPagedPool + POOL_NX_ALLOCATION, 1)", "the expression NonPagedPool + POOL_NX_ALLOCATION"},
		{"ExAllocatePool(0x100000001, 1)", "the expression 0x100000001"},
		{"ExAllocatePool(Type, 1)); Type = PagedPool; Use(1", "parameter Type of F: nothing in this build calls it"},
		{"ExAllocatePool(Type, 1)); Set(&Type", "parameter Type of F: nothing in this build calls it"},
		{"ExAllocatePool(Type, 1)); Set(F", "parameter Type of F: the function may also be called through a pointer"},
	} {
		m := read(t, "-- d.c --\n#include <ntddk.h>\nvoid F(POOL_TYPE Type) { Use("+tt.call+"); }\n")
		if len(m.Sites) != 1 || m.Sites[0].Value.Unknown != tt.want {
			t.Errorf("%s: %q, want %q", tt.call, show(m), tt.want)
		}
		if e := m.Sites[0].On(nx.Windows10).Executable; e != nx.Unknown {
			t.Errorf("%s: judged %s", tt.call, e)
		}
	}
}

// Calls are not mixed up: methods, prototypes, comments, strings, inactive code, static functions of other files.
func TestWhatIsNoRequest(t *testing.T) {
	m := read(t, `
-- a.c --
#include <ntddk.h>
PVOID ExAllocatePool(POOL_TYPE Type, SIZE_T Size);
static PVOID Get(POOL_TYPE Type) { return ExAllocatePool(Type, 1); }
#if 0
static PVOID Not(void) { return ExAllocatePool(NonPagedPool, 2); }
#endif
_IRQL_requires_max_(DISPATCH_LEVEL)
__drv_maxIRQL(DISPATCH_LEVEL)
NTSTATUS _Use_decl_annotations_
DriverEntry(PDRIVER_OBJECT Object, PUNICODE_STRING Path) _Requires_lock_not_held_(Path)
{
    // ExAllocatePool(NonPagedPool, 3)
    Print("ExAllocatePool(NonPagedPool, 4)");
    Object->ExAllocatePool(NonPagedPool, 5);
    Get(PagedPool);
}
-- b.c --
#include <ntddk.h>
static PVOID Get(POOL_TYPE Type) { return ExAllocatePool(Type, 6); }
void Dispatch(void) { Get(NonPagedPool); }
-- c.c --
#include <ntddk.h>
static PVOID Mine(POOL_TYPE Type) { return ExAllocatePool(Type, 7); }
-- d.c --
void Other(void) { Mine(NonPagedPool); }
`)
	check(t, show(m), `
a.c:3:43 Get ExAllocatePool(Type) 7=[1] 10=[1]
b.c:2:43 Get ExAllocatePool(Type) 7=[0] 10=[0]
c.c:2:44 Mine ExAllocatePool(Type) 7=[] 10=[] unknown: parameter Type of Mine: nothing in this build calls it`)
}

// A class allocates by placement new, and its methods pass the pool type on.
func TestClasses(t *testing.T) {
	check(t, show(read(t, `
-- a.cpp --
#include <ntddk.h>
void* operator new(size_t Size, POOL_TYPE Type, ULONG Tag) { return ExAllocatePoolWithTag(Type, Size, Tag); }
void* operator new(size_t Size, POOL_TYPE Type) { return ExAllocatePool(Type, Size); }
void* __cdecl operator new[] (size_t Size, ULONG a, ULONG b, ULONG c) { return ExAllocatePool(PagedPool, Size); }
bool operator==(const Log& a, const Log& b) { return ExAllocatePool(PagedPool, 1) == 0; }
void operator()() { ExAllocatePool(PagedPool, 2); }
class Log : public Base {
public:
    Log(int n) : m_n(n), m_p(nullptr) { m_p = ExAllocatePool(PagedPool, n); }
    void* Get(POOL_TYPE Type, SIZE_T Size) { return ExAllocatePoolWithTag(Type, Size, 'goL '); }
    void Start();
};
void Log::Start() { this->Get(NonPagedPool, 1); Get(PagedPool, 2); }
extern "C" NTSTATUS DriverEntry(PDRIVER_OBJECT, PUNICODE_STRING)
{
    Log* log = new (NonPagedPool, 'goL ') Log(1);
    Log* other = new (PagedPool) Log(2);
    return 0;
}
`)), `
a.cpp:4:80 new[] ExAllocatePool(PagedPool) 7=[1] 10=[1]
a.cpp:5:54 operator ExAllocatePool(PagedPool) 7=[1] 10=[1]
a.cpp:6:21 operator ExAllocatePool(PagedPool) 7=[1] 10=[1]
a.cpp:9:47 Log ExAllocatePool(PagedPool) 7=[1] 10=[1]
a.cpp:10:53 Get ExAllocatePoolWithTag(Type) 7=[0 1] 10=[0 1]
a.cpp:16:16 DriverEntry ExAllocatePoolWithTag(NonPagedPool) 7=[0] 10=[0]
a.cpp:17:18 DriverEntry ExAllocatePool(PagedPool) 7=[1] 10=[1]`)
}

// Code that is understood in part only: no request is lost.
func TestNothingIsLost(t *testing.T) {
	check(t, show(read(t, `
-- a.c --
#include <ntddk.h>
old(a, b) PVOID a; int b; { ExAllocatePool(NonPagedPool, 1); }
PVOID Table[] = { F };
-- b.cpp --
#include <ntddk.h>
PVOID Global = (ExAllocatePool(PagedPool, 2)); PVOID List[] = { 0, ExAllocatePool(PagedPool, 2) };
C::C() : m_p(ExAllocatePool(PagedPool, 3)) { }
namespace n { void DriverEntry() { ExInitializeDriverRuntime(DrvRtPoolNxOptIn); } }
void X::DriverEntry() { ExAllocatePool(NonPagedPool, 4); }
-- c.cpp --
#include "w.h"
void F() { W(NonPagedPool); }
-- d.cpp --
#include "w.h"
-- w.h --
#include <ntddk.h>
static __inline PVOID W(POOL_TYPE t) { return ExAllocatePool((POOL_TYPE)(t | 4), 5); }
`, "POOL_NX_OPTIN_AUTO")), `
a.c:2:29 old ExAllocatePool(NonPagedPool) 7=[512] 10=[512]
b.cpp:2:17  ExAllocatePool(PagedPool) 7=[1] 10=[1]
b.cpp:2:68  ExAllocatePool(PagedPool) 7=[1] 10=[1]
b.cpp:3:14 C ExAllocatePool(PagedPool) 7=[1] 10=[1]
b.cpp:5:25 DriverEntry ExAllocatePool(NonPagedPool) 7=[512] 10=[512]
w.h:2:47 W ExAllocatePool((POOL_TYPE)(t | 4)) 7=[516] 10=[516]`)
}

// What a header's functions ask for is decided by the units that use them, though others include it too.
func TestIdleCopies(t *testing.T) {
	check(t, show(read(t, `
-- a.c --
#include "w.h"
void F() { Outer(PagedPool); }
-- b.c --
#include "w.h"
PVOID Alloc(POOL_TYPE t) { return ExAllocatePool(t, 1); }
-- w.h --
#include <ntddk.h>
PVOID Alloc(POOL_TYPE t);
__inline PVOID Inner(POOL_TYPE t) { ExAllocatePool(t, 2); return Alloc(t); }
__inline PVOID Outer(POOL_TYPE t) { return Inner(t); }
__inline PVOID Loop(POOL_TYPE t) { ExAllocatePool(t, 3); return Loop(t); }
`)), `
b.c:2:35 Alloc ExAllocatePool(t) 7=[1] 10=[1]
w.h:3:37 Inner ExAllocatePool(t) 7=[1] 10=[1]
w.h:5:36 Loop ExAllocatePool(t) 7=[] 10=[] unknown: nothing outside of a recursion gives it a value`)
}

// A function that six others call six times each, eleven deep, is followed all the same.
func TestManyCallers(t *testing.T) {
	var text strings.Builder
	text.WriteString("-- a.c --\n#include <ntddk.h>\nvoid f0(POOL_TYPE t) { ExAllocatePool(t, 1); }\n")
	for i := 1; i <= 11; i++ {
		fmt.Fprintf(&text, "void f%d(POOL_TYPE t) {%s }\n", i, strings.Repeat(fmt.Sprintf(" f%d(t);", i-1), 6))
	}
	text.WriteString("void g(void) { f11(PagedPool); f11(NonPagedPool); }\n")
	m := read(t, text.String())
	if got := show(m); got != "a.c:2:24 f0 ExAllocatePool(t) 7=[0 1] 10=[0 1]\n" {
		t.Error(got)
	}
}

// The derivation names every macro and caller on the way.
func TestSteps(t *testing.T) {
	m := read(t, wrapped)
	var got []string
	for _, s := range m.Sites {
		for _, step := range s.Value.Steps {
			got = append(got, fmt.Sprintf("%s:%d %s", step.Path, step.Line, step.Says))
		}
	}
	check(t, strings.Join(got, "\n"), `
drv.h:3 DRV_NEW expands to ExAllocatePoolWithTag(NonPagedPool, n, 'wNrD')
a.c:4 DriverEntry passes NonPagedPool as Type of DrvAlloc
a.c:5 DriverEntry passes PagedPool as Type of DrvAlloc`)
	if m.Sites[0].Spelled.String() != "drv.h:3:20" {
		t.Errorf("spelled at %s, want drv.h:3:20", m.Sites[0].Spelled)
	}
}

func TestInsertion(t *testing.T) {
	for _, tt := range []struct{ name, file, body, want string }{
		{"empty body", "d.c", "{\n}\n", "{\n    CALL;\n}\n"},
		{"first statement", "d.c", "{\n\tfoo();\n}\n", "{\n\tCALL;\n\tfoo();\n}\n"},
		{"after declarations", "d.c", "{\n    ULONG a = 1, *b;\n    const UCHAR c[2] = { 1, 2 };\n\n    foo();\n}\n",
			"{\n    ULONG a = 1, *b;\n    const UCHAR c[2] = { 1, 2 };\n\n    CALL;\n\n    foo();\n}\n"},
		{"a comment behind the last one", "d.c", "{\n    PFOO a; /* is; not\n    */\n    foo();\n}\n",
			"{\n    PFOO a; CALL; /* is; not\n    */\n    foo();\n}\n"},
		{"comment at the line's end", "d.c", "{\n    PFOO a; // foo();\n    foo();\n}\n", "{\n    PFOO a; // foo();\n\n    CALL;\n    foo();\n}\n"},
		{"C++ goes first", "d.cpp", "{\n    ULONG a = 1;\n    foo();\n}\n", "{\n    CALL;\n    ULONG a = 1;\n    foo();\n}\n"},
		{"declaring macro of the kit", "d.c", "{\n    DECLARE_CONST_UNICODE_STRING(n, L\"x\");\n    foo();\n}\n",
			"{\n    DECLARE_CONST_UNICODE_STRING(n, L\"x\");\n\n    CALL;\n    foo();\n}\n"},
		{"macro that declares", "d.c", "{\n    ENTER();\n    foo();\n}\n", "{\n    ENTER();\n\n    CALL;\n    foo();\n}\n"},
		{"macro that does not", "d.c", "{\n    ULONG a;\n    PAGED_CODE();\n    ULONG b;\n}\n", "{\n    ULONG a;\n\n    CALL;\n    PAGED_CODE();\n    ULONG b;\n}\n"},
		{"declarations in an #if", "d.c", "{\n#if DBG\n    ULONG a;\n#endif\n    ULONG b;\n    foo();\n}\n",
			"{\n#if DBG\n    ULONG a;\n#endif\n    ULONG b;\n\n    CALL;\n    foo();\n}\n"},
		{"statement in an #if", "d.c", "{\n    ULONG b;\n#ifdef NTDDI\n    foo();\n#endif\n    foo();\n}\n",
			"{\n    ULONG b;\n\n    CALL;\n#ifdef NTDDI\n    foo();\n#endif\n    foo();\n}\n"},
		{"initialiser that requests", "d.c", "{\n    ULONG b;\n    PVOID   p  = ExAllocatePool(NonPagedPool, 1);\n    foo();\n}\n",
			"{\n    ULONG b;\n    PVOID   p;\n\n    CALL;\n    p = ExAllocatePool(NonPagedPool, 1);\n    foo();\n}\n"},
		{"initialisers behind one that requests", "d.c", "{\n    PVOID p = Get(n), q;\n    static PVOID s = &global;\n    UCHAR c[2] = { 1, sizeof(p) };\n    NTSTATUS a = STATUS_SUCCESS, z = (ULONG)0;\n    const CHAR *t = p;\n    ULONG d = o->Flags,\n        *e = &d;\n    foo();\n}\n",
			"{\n    PVOID p, q;\n    static PVOID s = &global;\n    UCHAR c[2] = { 1, sizeof(p) };\n    NTSTATUS a = STATUS_SUCCESS, z = (ULONG)0;\n    const CHAR *t;\n    ULONG d,\n        *e;\n\n    CALL;\n    p = Get(n);\n    t = p;\n    d = o->Flags;\n    e = &d;\n    foo();\n}\n"},
		{"initialiser that reads the pool type", "d.c", "{ POOL_TYPE t = NonPagedPool; foo(t); }\n", "{ POOL_TYPE t; CALL; t = NonPagedPool; foo(t); }\n"},
		{"over two lines", "d.c", "{\n    PVOID p = Get(\n        1);\n    foo();\n}\n", "{\n    PVOID p;\n\n    CALL;\n    p = Get(\n        1);\n    foo();\n}\n"},
		{"one that hangs on a name in capitals", "d.c", "{\n    PVOID P = Get(1);\n    PVOID Q = P, R = NULL;\n    foo();\n}\n", "{\n    PVOID P;\n    PVOID Q, R;\n\n    CALL;\n    P = Get(1);\n    Q = P;\n    R = NULL;\n    foo();\n}\n"},
		{"one that is const", "d.c", "{\n    ULONG b;\n    PVOID const p = Get(1);\n    foo();\n}\n", "{\n    ULONG b;\n\n    CALL;\n    PVOID const p = Get(1);\n    foo();\n}\n"},
		{"behind it an aggregate that hangs on it", "d.c", "{\n    PVOID p = Get(1);\n    struct s q = { p };\n    foo();\n}\n", "{\n    CALL;\n    PVOID p = Get(1);\n    struct s q = { p };\n    foo();\n}\n"},
		{"behind it one in an #if", "d.c", "{\n    PVOID p = Get(1);\n#if DBG\n    PVOID q = p;\n#endif\n    foo();\n}\n", "{\n    CALL;\n    PVOID p = Get(1);\n#if DBG\n    PVOID q = p;\n#endif\n    foo();\n}\n"},
		{"behind it a macro that does more", "d.c", "{\n    PVOID p = Get(1);\n    ENTER();\n    foo();\n}\n", "{\n    CALL;\n    PVOID p = Get(1);\n    ENTER();\n    foo();\n}\n"},
		{"behind it another meaning", "d.c", "{\n    PVOID p = Get(1);\n#define foo bar\n    PVOID q = foo();\n    x();\n}\n", "{\n    CALL;\n    PVOID p = Get(1);\n#define foo bar\n    PVOID q = foo();\n    x();\n}\n"},
		{"in C++", "d.cpp", "{\n    PVOID p = Get(1);\n    foo();\n}\n", "{\n    CALL;\n    PVOID p = Get(1);\n    foo();\n}\n"},
		{"initialiser that calls what requests", "d.c", "{\n    ULONG a = Harmless(1);\n    PVOID p = Get(1);\n    foo();\n}\n",
			"{\n    ULONG a = Harmless(1);\n    PVOID p;\n\n    CALL;\n    p = Get(1);\n    foo();\n}\n"},
		{"pointer to a function", "d.c", "{\n    NTSTATUS (*fn)(int);\n    DECLSPEC_ALIGN(8) ULONG x;\n    foo(*p);\n}\n",
			"{\n    NTSTATUS (*fn)(int);\n    DECLSPEC_ALIGN(8) ULONG x;\n\n    CALL;\n    foo(*p);\n}\n"},
		{"one line, CRLF", "d.c", "{ ULONG b; foo(); }\r\n", "{ ULONG b; CALL; foo(); }\r\n"},
		{"CRLF", "d.c", "{\r\n    ULONG b;\r\n\r\n    foo();\r\n}\r\n", "{\r\n    ULONG b;\r\n\r\n    CALL;\r\n\r\n    foo();\r\n}\r\n"},
		{"one line", "d.c", "{ ULONG b; foo(); }", "{ ULONG b; CALL; foo(); }"},
		{"assignment and multiplication are no declarations", "d.c", "{\n    a = b * c;\n}\n", "{\n    CALL;\n    a = b * c;\n}\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			head := "#include <ntddk.h>\nstatic PVOID Get(int n) { return ExAllocatePool(NonPagedPool, n); }\nstatic int Harmless(int n) { return n; }\n#define ENTER() NTSTATUS s = 0; Trace(); do {\nvoid DriverEntry(void)\n"
			m := read(t, "-- "+tt.file+" --\n"+head+tt.body)
			i := slices.IndexFunc(m.Facts, func(f driver.Fact) bool { return f.Kind == driver.Entry })
			at := m.Facts[i].Span
			line := at.Newline + at.Indent
			call := line + "CALL;"
			switch {
			case at.Inline:
				line, call = " ", " CALL;"
			case at.Apart:
				call = at.Newline + call
			}
			edits := []edit.Edit{}
			for _, moved := range m.Facts[i].Initialisers {
				edits = append(edits, edit.Edit{Path: tt.file, Start: moved.Start, End: moved.End})
				call += line + moved.Statement
			}
			changes, err := edit.Apply(func(string) ([]byte, error) { return []byte(head + tt.body), nil }, append(edits, edit.Edit{Path: tt.file, Start: at.Start, End: at.End, New: call}))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimPrefix(string(changes[0].New), head); got != tt.want {
				t.Errorf("got\n%q\nwant\n%q", got, tt.want)
			}
		})
	}
}
