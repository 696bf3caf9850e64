package source

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
)

// signsOf gives the requests whose memory seems to be executed, and the signs: what is said at the line of each, and the machine
// code whose memory is not known.
func signsOf(m driver.Image) string {
	var b strings.Builder
	for _, s := range m.Sites {
		if len(s.Executed) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s:%d", s.Place.Path, s.Place.Line)
		for _, step := range s.Executed {
			if i := strings.Index(step.Says, ": the memory at "); i > 0 {
				fmt.Fprintf(&b, "; line %d: %s", step.Line, step.Says[i+len(": the memory at "):])
			}
		}
		b.WriteByte('\n')
	}
	for _, f := range m.Facts {
		if f.Kind == driver.CodeWritten {
			fmt.Fprintf(&b, "%s:%d unknown\n", f.Place.Path, f.Place.Line)
		}
	}
	return b.String()
}

const dc = "-- d.c --\n#include <ntddk.h>\n"

// Each case is a driver in which the memory of the request in its third line is executed, or is not.
func TestExecuted(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a cast that is called", dc + `void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16);
    ((void (*)(int))p)(1);
}`, "d.c:3; line 4: p is called as a function"},
		{"a cast to a name", dc + `void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16);
    return ((PFN)p)(1);
}`, "d.c:3; line 4: p is called as a function"},
		{"a cast, by way of *", dc + `void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16);
    (*(PFN)p)(1);
}`, "d.c:3; line 4: p is called as a function"},
		{"of an address inside", dc + `void F(void) {
    PUCHAR p = ExAllocatePool(NonPagedPool, 16);
    ((PFN)(p + sizeof(HEADER)))(1);
}`, "d.c:3; line 4: (p + sizeof(HEADER)) is called as a function"},
		{"of an element's address", dc + `void F(void) {
    PUCHAR p = ExAllocatePool(NonPagedPool, 16);
    ((PFN)&p[8])(1);
}`, "d.c:3; line 4: &p[8] is called as a function"},
		{"a variable that a cast is assigned to", dc + `void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16);
    PFN f = (PFN)p;
    f(1);
}`, "d.c:3; line 5: p is called as f"},
		{"one at file scope", dc + `static PFN g; void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16);
    g = (PFN)p;
    g(1);
}`, "d.c:3; line 5: p is called as g"},
		{"in C++", "-- d.cpp --\n#include <ntddk.h>\n" + `void F() {
    auto p = ExAllocatePool(NonPagedPool, 16);
    auto f = reinterpret_cast<PFN>(p);
    f(1);
    reinterpret_cast<PFN>(p)(2);
    (reinterpret_cast<PFN>(p))(3);
}`, "d.cpp:3; line 5: p is called as f; line 6: p is called as a function; line 7: p is called as a function"},
		{"an entry point at an offset", dc + `NTSTATUS F(PDRIVER_OBJECT d) {
    PUCHAR image = ExAllocatePoolWithTag(NonPagedPool, 4096, 'gaT ');
    PDRIVER_INITIALIZE entry = (PDRIVER_INITIALIZE)(image + *(ULONG *)(image + 40));
    return entry(d, NULL);
}`, "d.c:3; line 5: image + *(ULONG *)(image + 40) is called as entry"},

		{"a function that is copied", dc + `static void Stub(void) { } void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16);
    RtlCopyMemory(p, (PVOID)Stub, 16);
}`, "d.c:3; line 4: p gets machine code: a copy of Stub"},
		{"one in assembler", dc + `extern void Stub(void); void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16);
    memcpy((char *)p + 4, &Stub, 16);
}`, "d.c:3; line 4: p gets machine code: a copy of Stub"},
		{"one of another unit", dc + `void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16);
    memcpy(p, (PUCHAR)Stub + 2, 16);
}
-- e.c --
void Stub(void) { }`, "d.c:3; line 4: p gets machine code: a copy of Stub"},
		{"an array of instructions", dc + `static const UCHAR Jump[] = { 0x48, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xE0 }; void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16);
    RtlCopyMemory(p, Jump, sizeof(Jump));
}`, "d.c:3; line 4: p gets machine code: a copy of Jump"},
		{"one of the function", dc + `void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16);
    UCHAR jump[] = { 0xFF, 0x25, 0x00, 0x00, 0x00, 0x00 };
    RtlMoveMemory(p, jump, sizeof(jump));
}`, "d.c:3; line 5: p gets machine code: a copy of jump, which is FF 25 00 00 00 00"},
		{"what a function returns", "-- d.cpp --\n#include <ntddk.h>\n" + `Jump Make(void *to) { return { 0x90, { 0xff, 0x25, 0, 0, 0, 0 }, to }; } void F() {
    auto p = ExAllocatePool(NonPagedPool, 16);
    auto jump = Make(0);
    RtlCopyMemory(p, &jump, sizeof(jump));
}`, "d.cpp:3; line 5: p gets machine code: a copy of what Make() returns"},

		{"bytes of instructions", dc + `void F(void) {
    PUCHAR p = ExAllocatePool(NonPagedPool, 16);
    p[0] = 0xE9;
    *(PLONG)(p + 1) = Distance;
}`, "d.c:3; line 4: p gets machine code: E9 .."},
		{"in sequence", dc + `void F(void) {
    PUCHAR p = ExAllocatePool(NonPagedPool, 16);
    *p++ = 0x68; *(ULONG *)p = To; p += 4;
    *p++ = 0xC3;
}`, "d.c:3; line 4: p gets machine code: 68 .. C3"},
		{"by a counter", dc + `void F(void) {
    PUCHAR p = ExAllocatePool(NonPagedPool, 16);
    int i = 0;
    p[i++] = 0x33; p[i++] = 0xC0; p[i++] = 0xC3;
}`, "d.c:3; line 5: p gets machine code: 33 C0 C3"},
		{"with the address copied", dc + `void F(PVOID To) {
    PUCHAR p = ExAllocatePool(NonPagedPool, 16);
    p[0] = 0x48; p[1] = 0xB8; RtlCopyMemory(p + 2, &To, 8);
    p[10] = 0xFF; p[11] = 0xE0;
}`, "d.c:3; line 4: p gets machine code: 48 B8 .. FF E0"},
		{"in an array of a struct", dc + `typedef struct _STUB { ULONG Size; UCHAR Code[32]; } STUB, *PSTUB; void F(void) {
    PSTUB p = ExAllocatePool(NonPagedPool, sizeof(STUB));
    p->Code[0] = 0x90; p->Code[1] = 0xC3;
}`, "d.c:3; line 4: p gets machine code: 90 C3"},

		{"through a wrapper", dc + `PVOID New(SIZE_T n) {
    return ExAllocatePoolWithTag(NonPagedPool, n, 'gaT ');
}
void F(void) { PVOID p = New(16); ((PFN)p)(1); }
void G(void) { PVOID p = New(16); memcpy(p, "data", 4); }`, "d.c:3; line 5: p is called as a function"},
		{"a function that writes it", dc + `static void Write(PUCHAR At, PVOID To) { At[0] = 0xFF; At[1] = 0x25; *(PULONG)&At[2] = 0; } void F(void) {
    PUCHAR p = ExAllocatePool(NonPagedPool, 16);
    Write(p + 4, F);
}`, "d.c:3; line 2: At gets machine code: FF 25 .."},
		{"a field, across units", `-- h.h --
typedef struct _HOOK { LIST_ENTRY Link; PCHAR Trampoline; } HOOK, *PHOOK;
-- d.c --
#include <ntddk.h>
#include "h.h"
NTSTATUS Prepare(PHOOK Hook) { Hook->Trampoline = (PCHAR)ExAllocatePool(NonPagedPool, 64); return 0; }
-- e.c --
#include <ntddk.h>
#include "h.h"
void Run(PHOOK h) { ((PFN)h->Trampoline)(1); }`, "d.c:3; line 3: h->Trampoline is called as a function"},
		{"a variable at file scope", dc + `PVOID Code; void F(void) {
    Code = ExAllocatePool(NonPagedPool, 16);
}
-- e.c --
extern PVOID Code; void G(void) { ((PFN)Code)(1); }`, "d.c:3; line 1: Code is called as a function"},
		{"a pool manager", dc + `typedef struct _ENTRY { LIST_ENTRY Link; ULONG64 Address; } ENTRY, *PENTRY; void Fill(PENTRY e) {
    e->Address = (ULONG64)ExAllocatePool(NonPagedPool, 64);
}
ULONG64 Take(int Kind) { PENTRY e = Find(Kind); ULONG64 Address = 0; if (e) Address = e->Address; return Address; }
void F(void) { PUCHAR Jump = (PUCHAR)Take(3); Jump[0] = 0x49; Jump[1] = 0xBB; *((PSIZE_T)&Jump[2]) = 1; Jump[10] = 0x41; Jump[11] = 0x53; Jump[12] = 0xC3; }`,
			"d.c:3; line 6: Jump gets machine code: 49 BB .. 41 53 C3"},
		{"by way of a pointer to a pointer", dc + `static void Get(PVOID *p) {
    *p = ExAllocatePool(NonPagedPool, 16);
}
void F(void) { PVOID p; Get(&p); ((PFN)p)(1); }`, "d.c:3; line 5: p is called as a function"},
		{"a table of functions that has the wrapper", dc + `typedef struct _OPS { PVOID (*New)(SIZE_T); } OPS; static PVOID New(SIZE_T n) {
    return ExAllocatePool(NonPagedPool, n);
}
static OPS Ops = { .New = New };
void F(OPS *o) { PUCHAR p = o->New(16); p[0] = 0x90; p[1] = 0x90; p[2] = 0xC3; }`, "d.c:3; line 6: p gets machine code: 90 90 C3"},
		{"with the address written by another function", dc + `void F(PVOID To) {
    PUCHAR p = ExAllocatePool(NonPagedPool, 16);
    p[0] = 0x48; p[1] = 0xB8; Put(p + 2, To); p[10] = 0xFF; p[11] = 0xE0;
}`, "d.c:3; line 4: p gets machine code: 48 B8 .. FF E0"},
		{"with a distance that is copied", dc + `void F(LONG Distance) {
    PUCHAR p = ExAllocatePool(NonPagedPool, 16);
    *p = 0xE9; RtlCopyMemory(p + 1, &Distance, 4);
}`, "d.c:3; line 4: p gets machine code: E9 .."},
		{"a function that others may call", dc + `static void Write(PUCHAR At) { At[0] = 0x90; At[1] = 0xC3; } void F(void) {
    PUCHAR p = ExAllocatePool(NonPagedPool, 16);
    Write(p); Register(Write);
}`, "d.c:3; line 2: At gets machine code: 90 C3"},
		{"a struct of a header", `-- h.h --
typedef struct _STUB STUB, *PSTUB;
struct _STUB { ULONG Size; UCHAR Code[32]; };
-- d.c --
#include <ntddk.h>
#include "h.h"
void F(void) { PSTUB p = ExAllocatePool(NonPagedPool, 64); Write(p); }
-- e.c --
#include "h.h"
void Write(PSTUB At) { At->Code[0] = 0x90; At->Code[1] = 0xC3; }`, "d.c:3; line 2: At gets machine code: 90 C3"},
		{"a field of a struct of a header", `-- h.h --
typedef struct _HOOK HOOK, *PHOOK;
struct _HOOK { PUCHAR Jump; };
-- d.c --
#include <ntddk.h>
#include "h.h"
void F(PHOOK h) { h->Jump = ExAllocatePool(NonPagedPool, 64); }
-- e.c --
#include "h.h"
void Write(HOOK *h) { h->Jump[0] = 0x90; h->Jump[1] = 0xC3; }`, "d.c:3; line 2: h->Jump gets machine code: 90 C3"},
		{"a copy in another function than the request", "-- d.cpp --\n#include <ntddk.h>\n" + `Jump Make(void *to) { return { 0x90, { 0xff, 0x25, 0, 0, 0, 0 }, to }; }
void G() { F(ExAllocatePool(NonPagedPool, 16)); }
void F(UCHAR *p) {
    auto jump = Make(0);
    RtlCopyMemory(p, &jump, sizeof(jump));
}`, "d.cpp:3; line 6: p gets machine code: a copy of what Make() returns"},
		{"a call in another function than the request", "-- d.cpp --\n#include <ntddk.h>\n" + `static PVOID Code;
void G() { Code = ExAllocatePool(NonPagedPool, 16); }
void F() { reinterpret_cast<PFN>(Code)(1); }`, "d.cpp:3; line 4: Code is called as a function"},
		{"a type that is told by a cast", "-- d.cpp --\n#include <ntddk.h>\n" + `struct Stub { ULONG Size; UCHAR Code[32]; }; void F() {
    const auto p = reinterpret_cast<Stub *>(ExAllocatePool(NonPagedPool, 64));
    p->Code[0] = 0x90; p->Code[1] = 0xC3;
}`, "d.cpp:3; line 4: p gets machine code: 90 C3"},
		{"an address that a function finds", dc + `static PVOID Find(PUCHAR b) { return (PVOID)(b + *(ULONG *)(b + 4) + (sizeof(HEADER) + 1)); } void F(void) {
    PUCHAR p = ExAllocatePool(NonPagedPool, 16);
    PFN f = (PFN)Find(p); f(1);
}`, "d.c:3; line 4: Find(p) is called as f"},
		{"contiguous memory", dc + `void F(void) {
    PUCHAR p = MmAllocateContiguousMemory(16, Highest);
    p[0] = 0x90; p[1] = 0xC3;
}`, "d.c:3; line 4: p gets machine code: 90 C3"},

		{"nobody knows whose memory", dc + `void F(PUCHAR p) {
    p[0] = 0x90; p[1] = 0xC3;
}`, "d.c:3 unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) { check(t, signsOf(read(t, tt.text)), tt.want) })
	}
}

// What looks like it and is none.
func TestNotExecuted(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"a table of functions in pool", `typedef struct _OPS { void (*Run)(int); PFN Stop; } OPS, *POPS; void F(void) {
    POPS p = ExAllocatePool(NonPagedPool, sizeof(OPS));
    p->Run = G; p->Stop = (PFN)H;
    p->Run(1); (*p->Run)(2); ((PFN)p->Stop)(3);
}`},
		{"a pointer that the memory holds", `void F(void) {
    PVOID *p = ExAllocatePool(NonPagedPool, 16);
    p[0] = G;
    (*(PFN *)p)(1); ((PFN)*p)(2); ((PFN)p[0])(3);
}`},
		{"a callback in a context", `typedef struct _C { PVOID Callback; PVOID Buffer; } C, *PC; void F(PFN f) {
    PC c = ExAllocatePool(NonPagedPool, sizeof(C));
    c->Callback = (PVOID)f; c->Buffer = ExAllocatePool(NonPagedPool, 5);
    ((PFN)c->Callback)(c->Buffer);
}`},
		{"an export", `void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16); PFN f;
    f = (PFN)MmGetSystemRoutineAddress(&Name);
    f(p);
}`},
		{"data", `static const UCHAR Table[] = { 0xE8, 0x03, 0x00, 0x00, 0x10, 0x27 }; void F(PVOID From) {
    PUCHAR p = ExAllocatePool(NonPagedPool, 16);
    RtlCopyMemory(p, From, 16); RtlCopyMemory(p, Table, sizeof(Table)); RtlCopyMemory(p, &From, sizeof(From));
}`},
		{"bytes that are data", `void F(void) {
    PUCHAR p = ExAllocatePool(NonPagedPool, 16);
    p[0] = 0xE9; p[1] = 0x02; p[2] = 0xFF; p[3] = 0xD8; p[4] = 0x90; p[5] = 0xC3; p[6] = 0xCC;
}`},
		{"an image's head", `void F(void) {
    PUCHAR p = ExAllocatePool(NonPagedPool, 16);
    p[0] = 0xFF; p[1] = 0xD8; p[2] = 0xFF; p[3] = 0xE0;
}`},
		{"a command and its argument", `void F(UCHAR x) {
    PUCHAR p = ExAllocatePool(NonPagedPool, 16);
    p[0] = 0xE8; p[1] = x;
}`},
		{"one byte", `void F(void) {
    PUCHAR p = ExAllocatePool(NonPagedPool, 16);
    p[0] = 0xC3; p[0] = 0xE9; RtlFillMemory(p, 16, 0xCC);
}`},
		{"code on the stack and in the image", `static UCHAR Code[16]; void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16); UCHAR local[16];
    local[0] = 0x90; local[1] = 0xC3; Code[0] = 0x90; Code[1] = 0xC3; p = local;
}`},
		{"code that is read", `static void Stub(void) { } void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16); UCHAR copy[16];
    RtlCopyMemory(copy, Stub, 16); if (RtlCompareMemory(p, Stub, 16) == 16) Same();
}`},
		{"a variable of the name of a function", `void Data(void); void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16); UCHAR Data[4];
    RtlCopyMemory(p, Data, 4);
}`},
		{"a parameter of that name", `void Data(void); void F(PVOID Data) {
    PVOID p = ExAllocatePool(NonPagedPool, 16);
    RtlCopyMemory(p, Data, 4);
}`},
		{"what was requested before", `void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16);
    ExFreePool(p);
    p = MmGetSystemRoutineAddress(&Name);
    ((PFN)p)(1);
}`},
		{"a field of the same name", `typedef struct _A { PVOID Data; } A, *PA; typedef struct _B { PVOID Data; } B, *PB; void F(PA a, PB b) {
    a->Data = ExAllocatePool(NonPagedPool, 16);
    b->Data = G; ((PFN)b->Data)(1);
}`},
		{"a field of that name of a struct that nobody knows", `typedef struct _B { PVOID Data; } B, *PB; void F(PA a, PB b) {
    a->Data = ExAllocatePool(NonPagedPool, 16);
    ((PFN)b->Data)(1);
}`},
		{"a variable of the name of another unit's function", `static UCHAR Data[4]; void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16);
    RtlCopyMemory(p, Data, 4);
}
-- e.c --
static void Data(void) { }`},
		{"a cast that a macro makes", `#define CAST(x) (PFN)x
static PVOID Code; void G(void) { Code = ExAllocatePool(NonPagedPool, 16); }
void F(void) { PFN f = CAST(Code); f(1); }`},
		{"bytes that go nowhere", `void F(void) {
    PUCHAR p = ExAllocatePool(NonPagedPool, 16);
    p[0] = 0x48; p[1] = 0x83; p[2] = 0xEC; p[3] = 0x28;
}`},
		{"its size", `void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16);
    ((PFN)Table[Index(p)])(1); ((PFN)(Base + sizeof(*p)))(1); ((PFN)(Base - (ULONG_PTR)p))(1);
}`},
		{"a mapping by which code is changed", `void F(PMDL Mdl) {
    PUCHAR p = MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority);
    p[0] = 0xE9; *(PLONG)(p + 1) = 5;
}`},
		{"parentheses", `void F(void) {
    PVOID p = ExAllocatePool(NonPagedPool, 16);
    if ((p)) (G)(p); while ((int)p) (void)(p); sizeof((int)p);
}`},
	} {
		t.Run(tt.name, func(t *testing.T) { check(t, signsOf(read(t, dc+tt.text)), "") })
	}
}

// A list of bytes is machine code by how it begins.
func TestOpcodes(t *testing.T) {
	const w, e, b = someWord, someElement, someByte
	for _, tt := range []struct {
		values []int
		want   string
	}{
		{[]int{0xFF, 0x25, 0, 0, 0, 0, 1}, "FF 25 00 00 00 00"},
		{[]int{0x90, 0x90, 0xFF, 0x25, w}, "90 90 FF 25 .."},
		{[]int{0xFF, 0x25}, ""},
		{[]int{0xFF, 0x25, 0, 0}, ""},
		{[]int{0x48, 0xB8, 1, 2, 3, 4, 5, 6, 7, 8, 0xFF, 0xE0}, "48 B8 01 02 03 04 05 06 07 08 FF E0"},
		{[]int{0x49, 0xBB, w, 0x41, 0x53, 0xC3}, "49 BB .. 41 53 C3"},
		{[]int{0x48, 0xB8, w}, ""},
		{[]int{0xB8, 1, 2, 3, 4, 0xFF, 0xE0}, "B8 01 02 03 04 FF E0"},
		{[]int{0xE9, 0, 0, 0, 0}, "E9 00 00 00 00"},
		{[]int{0xE9, b, b, b, b}, "E9 .."},
		{[]int{0xE9, w}, "E9 .."},
		{[]int{0xE9, e}, ""},
		{[]int{0xE9, 1, 2, 3, 4}, ""},
		{[]int{0xE9, b}, ""},
		{[]int{0x68, e, 0xC3}, "68 .. C3"},
		{[]int{0x68, e, e, 0xC3}, ""},
		{[]int{0x90, 0xC3}, "90 C3"},
		{[]int{0xC3}, ""},
		{[]int{0x90, 0x90}, ""},
		{[]int{0xC3, 0xC3}, ""},
		{nil, ""},
	} {
		if got := opcodes(tt.values); got != tt.want {
			t.Errorf("%X: %q, want %q", tt.values, got, tt.want)
		}
	}
}

// Whether the address of a request's memory leaves the function is told by how it is used there.
func TestEscapes(t *testing.T) {
	for _, tt := range []struct {
		text string
		want bool
	}{
		{"return ExAllocatePool(NonPagedPool, 1);", true},
		{"G = ExAllocatePool(NonPagedPool, 1);", true},
		{"c->P = (PVOID)ExAllocatePool(NonPagedPool, 1);", true},
		{"*out = ExAllocatePool(NonPagedPool, 1);", true},
		{"Use(ExAllocatePool(NonPagedPool, 1));", true},
		{"PVOID p = ExAllocatePool(NonPagedPool, 1); return p;", true},
		{"PVOID p; p = ExAllocatePool(NonPagedPool, 1); return (PVOID)(p);", true},
		{"PUCHAR p = (PUCHAR)ExAllocatePool(NonPagedPool, 1); c->P = (PVOID)p;", true},
		{"PVOID p = ExAllocatePool(NonPagedPool, 1); Use(1, p);", true},
		{"PVOID p = ExAllocatePool(NonPagedPool, 1); ExFreePool(p);", false},
		{"PUCHAR p = ExAllocatePool(NonPagedPool, 1); if (p == NULL) return; p[0] = 1; p->x = 2; RtlZeroMemory(p, 1); ExFreePool(p);", false},
		{"PVOID p = ExAllocatePool(NonPagedPool, 1); if (!p) return 1; n = p->Size;", false},
		{"ExAllocatePool(NonPagedPool, 1);", false},
		{"return ExAllocatePool(NonPagedPool, 1) ? 0 : 1;", false},
		{"return ((PVOID)ExAllocatePool(NonPagedPool, 1)) == NULL;", false},
		{"n = NULL != ExAllocatePool(NonPagedPool, 1);", false},
		{"if (ExAllocatePool(NonPagedPool, 1)) return 1;", false},
		{"if (!ExAllocatePool(NonPagedPool, 1) || n) return 1;", false},
		{"ExFreePool(ExAllocatePool(NonPagedPool, 1));", false},
		{"ExFreePoolWithTag((PVOID)(ExAllocatePool(NonPagedPool, 1)), 'a');", false},
		{"memcpy(b, ExAllocatePool(NonPagedPool, 1), 1);", false},
		{"return (ExAllocatePool(NonPagedPool, 1));", true},
		{"Use(1, (PVOID)ExAllocatePool(NonPagedPool, 1));", true},
		{"if (Use(ExAllocatePool(NonPagedPool, 1))) return 1;", true},
		{"G = n ? ExAllocatePool(NonPagedPool, 1) : NULL;", true},
		{"PVOID p = ExAllocatePool(NonPagedPool, 1); return p ? 0 : 1;", false},
		{"PVOID p = ExAllocatePool(NonPagedPool, 1); return p != NULL;", false},
		{"PVOID p = ExAllocatePool(NonPagedPool, 1); return n ? p : NULL;", true},
		{"PVOID p = ExAllocatePool(NonPagedPool, 1); return n ? NULL : p;", true},
	} {
		m := read(t, dc+"PVOID G; PVOID F(PC c, PVOID *out) { "+tt.text+" }")
		if len(m.Sites) != 1 || m.Sites[0].Escapes != tt.want {
			t.Errorf("%s: %+v, want %v", tt.text, m.Sites, tt.want)
		}
	}
}
