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
	"github.com/rogpeppe/go-internal/txtar"
)

const kitHead = "#include <ntddk.h>\n"

// values gives, for each site in order, the values on Windows 10 or the reason why they are not all known.
func values(m driver.Image) string {
	var list []string
	for _, s := range m.Sites {
		text := fmt.Sprint(s.On(nx.Windows10).Values)
		if s.Value.Unknown != "" {
			text += " " + s.Value.Unknown
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}

// What the deciding argument can be, wherever the language lets it come from. The wanted values are what the compiled
// program passes.
func TestValues(t *testing.T) {
	for _, tt := range []struct{ name, file, text, want string }{
		{"local", "c", "void F(void) { POOL_TYPE t = PagedPool; ExAllocatePool(t, 1); }", "[1]"},
		{"local, assigned later", "c", "void F(void) { POOL_TYPE t; t = PagedPool; ExAllocatePool(t, 1); }", "[1]"},
		{"local, one of two", "c", "void F(int x) { POOL_TYPE t = NonPagedPoolNx; if (x) t = PagedPool; ExAllocatePool(t, 1); }", "[1 512]"},
		{"a write that surely runs ends the one before", "c", "void F(void) { int t = 0; t = PagedPool; ExAllocatePool(t, 1); }", "[1]"},
		{"a write in a block does not", "c", "void F(void) { int t = 0; do { if (x) break; t = 1; } while (0); ExAllocatePool(t, 1); }", "[0 1]"},
		{"a goto may lead past it", "c", "void F(void) { int t = 0; if (x) goto L; t = 1; L: ExAllocatePool(t, 1); }", "[0 1]"},
		{"a goto behind it does not", "c", "void F(void) { int t = 0; t = 1; ExAllocatePool(t, 1); goto L; L:; }", "[1]"},
		{"a write after the request", "c", "void F(void) { int t = 1; ExAllocatePool(t, 1); t = 0; }", "[1]"},
		{"a write after it, in a loop", "c", "void F(void) { int t = 1; while (x) { ExAllocatePool(t, 1); t = 512; } }", "[1 512]"},
		{"flags gathered", "c", "void F(int x) { int t = PagedPool; if (x) t |= POOL_COLD_ALLOCATION; ExAllocatePool(t, 1); }", "[1 257]"},
		{"parameter and local", "c", "static void F(POOL_TYPE p) { POOL_TYPE t = p; ExAllocatePool(t, 1); } void G(void) { F(PagedPool); F(512); }", "[1 512]"},
		{"a parameter that is changed", "c", "static void F(POOL_TYPE p) { p |= 8; ExAllocatePool(p, 1); } void G(void) { F(PagedPool); }", "[9]"},
		{"recursion that adds a flag", "c", "static void F(int p) { ExAllocatePool(p, 1); F(p | 8); } void G(void) { F(1); }", "[1 9]"},
		{"static local", "c", "void F(void) { static int t; ExAllocatePool(t, 1); t = 1; }", "[0 1]"},
		{"static local with an initialiser", "c", "void F(void) { static int t = 512; ExAllocatePool(t, 1); }", "[512]"},
		{"global", "c", "POOL_TYPE Type = PagedPool; void F(void) { ExAllocatePool(Type, 1); }", "[1]"},
		{"global without initialiser", "c", "POOL_TYPE Type; void F(void) { ExAllocatePool(Type, 1); }", "[0]"},
		{"global, written", "c", "POOL_TYPE Type = PagedPool; void F(void) { ExAllocatePool(Type, 1); } void G(void) { Type = 512; }", "[1 512]"},
		{"written by the entry routine before all else", "c",
			"POOL_TYPE Type; void F(void) { ExAllocatePool(Type, 1); } void DriverEntry(void) { Type = 512; F(); }", "[512]"},
		{"written by the entry routine after a call", "c",
			"POOL_TYPE Type; void F(void) { ExAllocatePool(Type, 1); } void DriverEntry(void) { F(); Type = 512; }", "[0 512]"},
		{"a local of the same name", "c", "POOL_TYPE Type; void F(void) { POOL_TYPE Type = 1; ExAllocatePool(Type, 1); } void G(void) { Type = 512; }", "[1]"},
		{"field by pointer", "c", "typedef struct _X { int a; POOL_TYPE t; } X, *PX; void F(PX x) { ExAllocatePool(x->t, 1); } void G(PX x) { x->t = PagedPool; }", "[1]"},
		{"fields of one name in two structs", "c", "struct A { int t; }; struct B { int t; }; void F(struct A *x) { ExAllocatePool(x->t, 1); } " +
			"void G(struct A *a, struct B *b) { a->t = 1; b->t = 0; }", "[1]"},
		{"field of a field", "c", "struct A { int t; }; struct C { int t; }; struct B { struct A in; }; void F(struct B *x) { ExAllocatePool(x->in.t, 1); } " +
			"void G(struct A *a, struct C *c) { a->t = 1; c->t = 0; }", "[1]"},
		{"field, by position", "c", "struct A { int n; int t; }; static struct A a = { 7, PagedPool }; void F(void) { ExAllocatePool(a.t, 1); }", "[1]"},
		{"field, designated", "c", "struct A { int n; int t; }; static struct A a = { .t = PagedPool }; void F(void) { ExAllocatePool(a.t, 1); }", "[1]"},
		{"field, left out", "c", "struct A { int n; int t; }; static struct A a = { 7 }; void F(void) { ExAllocatePool(a.t, 1); }", "[0]"},
		{"field, table", "c", "struct A { int n; int t; }; struct A a[] = { { 0, 1 }, { 0, 512 } }; void F(int i) { ExAllocatePool(a[i].t, 1); }", "[1 512]"},
		{"field, cleared and set", "c", "struct A { int t; }; void F(struct A *a) { RtlZeroMemory(a, sizeof(*a)); a->t = 1; ExAllocatePool(a->t, 1); }", "[1]"},
		{"field, cleared, set at times", "c", "struct A { int t; }; void F(struct A *a) { RtlZeroMemory(a, sizeof(*a)); if (x) a->t = 1; ExAllocatePool(a->t, 1); }", "[0 1]"},
		{"local struct", "c", "struct A { int t; }; void F(void) { struct A a = {0}; a.t = 1; ExAllocatePool(a.t, 1); }", "[1]"},
		{"result", "c", "static POOL_TYPE P(void) { if (x) return PagedPool; return 512; } void F(void) { ExAllocatePool(P(), 1); }", "[1 512]"},
		{"result of each call", "c", "static int P(int n) { return n | 8; } void F(void) { ExAllocatePool(P(1), 1); ExAllocatePool(P(512), 1); }", "[9]; [520]"},
		{"array", "c", "static const POOL_TYPE T[] = { PagedPool, 512 }; void F(int i) { ExAllocatePool(T[i], 1); }", "[1 512]"},
		{"ternary", "c", "void F(int a) { ExAllocatePool(a ? PagedPool : a == 2 ? 512 : 513, 1); }", "[1 512 513]"},
		{"bits taken away", "c", "void F(void) { ExAllocatePool((PagedPool | 0x108) & ~8, 1); }", "[257]"},
		{"sum and exclusive or", "c", "void F(void) { ExAllocatePool(PagedPool + 32, 1); ExAllocatePool(1 ^ 513, 1); ExAllocatePool(4 + 4, 1); }", "[33]; [512]; [8]"},
		{"enumerators", "c", "enum E { A = 1, B = 511, C }; void F(void) { ExAllocatePool(A, 1); ExAllocatePool(C, 1); }", "[1]; [512]"},
		{"defines", "c", "#define D ((POOL_TYPE)(1 << 9))\nvoid F(void) { ExAllocatePool(D, 1); }", "[512]"},
		{"switch", "c", "void F(int x) { int t; switch (x) { case 1: t = 1; break; default: t = 512; } ExAllocatePool(t, 1); }", "[1 512]"},
		{"K&R", "c", "static f(n, t) int n; POOL_TYPE t; { ExAllocatePool(t, n); } void G(void) { f(1, PagedPool); }", "[1]"},
		{"default argument", "cpp", "PVOID F(int n, POOL_TYPE t = PagedPool) { return ExAllocatePool(t, n); } void G() { F(1); }", "[1]"},
		{"default argument of a prototype", "cpp", "PVOID F(int n, POOL_TYPE t = PagedPool); void G() { F(1); F(1, 512); } PVOID F(int n, POOL_TYPE t) { return ExAllocatePool(t, n); }", "[1 512]"},
		{"overloads by number", "cpp", "void F(POOL_TYPE t) { ExAllocatePool(t, 1); } void F(POOL_TYPE t, int) { ExAllocatePool(t, 2); } void G() { F(1); F(512, 2); }", "[1]; [512]"},
		{"methods by class", "cpp", "struct A { void F(int t) { ExAllocatePool(t, 1); } }; struct B { void F(int t) { ExAllocatePool(t, 2); } }; " +
			"void G(A *a, B &b) { a->F(1); b.F(512); }", "[1]; [512]"},
		{"methods outside their class", "cpp", "struct A { void F(int t); }; void A::F(int t) { ExAllocatePool(t, 1); } void F(int t) { ExAllocatePool(t, 2); } " +
			"void G(A *a) { a->F(1); F(512); }", "[1]; [512]"},
		{"functions by namespace", "cpp", "namespace a { void F(int t) { ExAllocatePool(t, 1); } } namespace b::c { void F(int t) { ExAllocatePool(t, 2); } } " +
			"void G() { a::F(1); b::c::F(512); }", "[1]; [512]"},
		{"a namespace that is not known", "cpp", "namespace a { void F(int t) { ExAllocatePool(t, 1); } } namespace b = a; void G() { a::F(1); b::F(512); }", "[1 512]"},
		{"a static method", "cpp", "struct A { static void F(int t); }; void A::F(int t) { ExAllocatePool(t, 1); } struct B { static void F(int t) { ExAllocatePool(t, 2); } }; " +
			"void G() { A::F(1); B::F(512); }", "[1]; [512]"},
		{"member", "cpp", "class A { POOL_TYPE m_t; A() : m_t(PagedPool) { } void F() { ExAllocatePool(m_t, 1); } };", "[1]"},
		{"constructor", "cpp", "class A { int m; public: A(int t) : m(t) { } void F() { ExAllocatePool(m, 1); } }; void G() { A a(PagedPool); a.F(); }", "[1]"},
		{"constructor, of all kinds", "cpp", "struct A { explicit A(int t); }; A::A(int t) { ExAllocatePool(t, 1); } typedef A T; struct B { A m; B() : m(2) { } }; struct C : A { C() : A(3) { } }; " +
			"A g(4); A h{5}; struct D { A a{6}; A b = A(7); }; void G() { A a{8}; T b(9); new A(10); new T{11}; A(12); A c = A{13}; }",
			"[2 3 4 5 6 7 8 9 10 11 12 13]"},
		{"constructor by a template", "cpp", "struct A { explicit A(int t) { ExAllocatePool(t, 1); } }; void G() { A a(1); make<A>(512); }",
			"[1] parameter t of A: a template or a cast may construct a A"},
		{"constructor by a conversion", "cpp", "struct A { A(int t) { ExAllocatePool(t, 1); } }; void F(const A& a) { } void G() { A a(1); F(512); }",
			"[1] parameter t of A: a value may be converted to a A"},
		{"constructor that converts nothing", "cpp", "struct A { explicit A(int t) { ExAllocatePool(t, 1); } }; void F(const A& a) { } void G() { A a(1); F(a); }", "[1]"},
		{"constructor, default argument", "cpp", "struct A { explicit A(int t = 512) { ExAllocatePool(t, 1); } }; void G() { A a; A b(1); }", "[1 512]"},
		{"a member that a constructor gets by reference", "cpp", "struct K { int& m; explicit K(int& t) : m(t) { } }; void F() { int t = 1; K k(t); ExAllocatePool(t, 1); }",
			"[1] what is written through t: K may keep it"},
		{"member with an initialiser", "cpp", "class A { POOL_TYPE m_t = PagedPool; void F() { ExAllocatePool(m_t, 1); } };", "[1]"},
		{"scoped enumeration", "cpp", "enum class E { A = 1 }; enum class D { A = 512 }; void F() { ExAllocatePool((POOL_TYPE)E::A, 1); ExAllocatePool(static_cast<POOL_TYPE>(D::A), 1); }", "[1]; [512]"},
		{"new of a class", "cpp", "struct A { void* operator new(size_t n, POOL_TYPE t) { return ExAllocatePool(t, n); } }; void* operator new(size_t n, POOL_TYPE t) " +
			"{ return ExAllocatePool(t, n); } void G() { new (PagedPool) A; new (NonPagedPoolNx) int; }", "[1]; [512]"},
		{"new and new[]", "cpp", "void* operator new(size_t n, POOL_TYPE t) { return ExAllocatePool(t, n); } void* operator new[](size_t n, POOL_TYPE t) " +
			"{ return ExAllocatePool((POOL_TYPE)(t | 8), n); } void G() { new (PagedPool) int[3]; new (NonPagedPoolNx) int; }", "[9]; [512]"},
		{"a condition in the operator", "cpp", "enum T { P }; void* operator new(size_t n, T t) { int f = t == P ? 1 : 512; return ExAllocatePool(f, n); } void G() { new (P) int; }", "[1 512]"},
		{"address taken", "c", "void F(void) { POOL_TYPE t = 1; Set(&t); ExAllocatePool(t, 1); }", "[1] what t holds: its address is taken in F"},
		{"AND-ed is not address taken", "c", "void F(int x) { int t = 1; x = (x) & t; ExAllocatePool(t, 1); }", "[1]"},
		{"address of a global", "c", "static int t = 1; void F(void) { ExAllocatePool(t, 1); } void G(void) { Set(&t); }", "[1] what t holds: its address is taken in G"},
		{"address of a field", "c", "struct A { int t; }; void F(struct A *a) { a->t = 1; ExAllocatePool(a->t, 1); Set(&a->t); }", "[1] what field t of A holds: its address is taken in F"},
		{"never assigned", "c", "void F(void) { int t; ExAllocatePool(t, 1); }", "[] what t holds: nothing in F gives it a value"},
		{"a pointer", "c", "void F(int *t) { ExAllocatePool(*t, 1); }", "[] what a pointer, *t, points to"},
		{"a function pointer", "c", "void F(struct S *s) { ExAllocatePool(s->Pick(1), 1); }", "[] what Pick() returns: it is called through a pointer"},
		{"only itself", "c", "static void F(int t) { F(t); ExAllocatePool(t, 1); }", "[] nothing outside of a recursion gives it a value"},
		{"a lambda", "cpp", "void F() { auto f = [](POOL_TYPE t) { ExAllocatePool(t, 1); }; f(PagedPool); }", "[] what t holds: it is the parameter of a lambda or a handler in F"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := values(read(t, "-- d."+tt.file+" --\n"+kitHead+tt.text+"\n")); got != tt.want {
				t.Errorf("%s\ngot  %s\nwant %s", tt.text, got, tt.want)
			}
		})
	}
}

// What is written by way of a pointer or a reference.
func TestWrittenThrough(t *testing.T) {
	const set = "static void Set(POOL_TYPE *p) { *p = PagedPool; } "
	for _, tt := range []struct{ name, file, text, want string }{
		{"a pointer", "c", set + "void F(void) { POOL_TYPE t; Set(&t); ExAllocatePool(t, 1); }", "[1]"},
		{"what was there before may remain", "c", "void Set(int *p) { if (x) *p = 1; else (*p) = 512; } void F(void) { int t = 513; Set(&t); ExAllocatePool(t, 1); }", "[1 512 513]"},
		{"a write in front of it does not count, nor a call behind", "c", set + "void F(void) { int t; Set(&t); t = 512; ExAllocatePool(t, 1); Set(&t); }", "[512]"},
		{"a call behind it, in a loop", "c", set + "void F(void) { int t = 512; while (x) { ExAllocatePool(t, 1); Set(&t); } }", "[1 512]"},
		{"what each call passes", "c", "static void Set(int *p, int n) { *p = n | 8; } void F(void) { int t; Set(&t, 1); ExAllocatePool(t, 1); } void G(void) { int t; Set(&t, 512); ExAllocatePool(t, 1); }", "[9]; [520]"},
		{"passed on", "c", set + "static void Pass(int *q) { if (q != NULL && !x) { Set(q); } } void F(void) { int t; Pass(&t); ExAllocatePool(t, 1); }", "[1]"},
		{"a recursion", "c", "static void A(int *p) { B(p); *p = 1; } static void B(int *p) { A(p); C(p); } static void C(int *p) { *p = 512; } " +
			"void F(void) { int t; B(&t); ExAllocatePool(t, 1); }", "[1 512]"},
		{"a pointer to const", "c", "void Show(const int *p) { Log(*p); } void F(void) { int t = 1; Show(&t); ExAllocatePool(t, 1); }", "[1]"},
		{"a field", "c", "struct A { int t; }; " + set + "void F(struct A *a) { Set(&a->t); ExAllocatePool(a->t, 1); }", "[1]"},
		{"a global", "c", "int t = 512; " + set + "void F(void) { Set(&t); } void G(void) { ExAllocatePool(t, 1); }", "[1 512]"},
		{"kept", "c", "int *g; static void Keep(int *p) { g = p; } void F(void) { int t = 1; Keep(&t); *g = 0; ExAllocatePool(t, 1); }",
			"[1] what is written through p: Keep may keep it"},
		{"stepped", "c", "static void Set(int *p) { *p++ = 5; } void F(void) { int t = 1; Set(&t); ExAllocatePool(t, 1); }", "[1] what is written through p: Set may keep it"},
		{"an element", "c", "static void Set(int *p) { p[0] = 5; } void F(void) { int t = 1; Set(&t); ExAllocatePool(t, 1); }", "[1] what is written through p: Set may keep it"},
		{"a copy", "c", "static void Set(int *p) { int *q = p; *q = 5; } void F(void) { int t = 1; Set(&t); ExAllocatePool(t, 1); }", "[1] what is written through p: Set may keep it"},
		{"by a function that is not seen", "c", "static void Set(int *p) { Unseen(p); } void F(void) { int t = 1; Set(&t); ExAllocatePool(t, 1); }", "[1] what p holds: its address is taken in Set"},
		{"increased", "c", "static void Set(int *p) { ++*p; } void F(void) { int t = 1; Set(&t); ExAllocatePool(t, 1); }", "[1] what is written through p: Set may keep it"},
		{"changed", "c", "static void Set(int *p) { *p |= 8; } void F(void) { int t = 1; Set(&t); ExAllocatePool(t, 1); }", "[1] what a pointer, *p, points to"},
		{"in parentheses", "c", "void F(void) { int t = 0; (t) = 1; ExAllocatePool(t, 1); }", "[1]"},
		{"inside of the call", "c", "void F(void) { int t = 0; ExAllocatePool((t = 1, t), 1); }", "[0 1]"},
		{"inside of the call, by a pointer", "c", set + "void F(void) { int t = 512; ExAllocatePool((Set(&t), t), 1); }", "[1 512]"},
		{"a reference", "cpp", "static void Set(POOL_TYPE& t) { t = PagedPool; } void F() { POOL_TYPE t = NonPagedPoolNx; Set(t); ExAllocatePool(t, 1); }", "[1 512]"},
		{"no reference", "cpp", "static void Set(POOL_TYPE t) { t = PagedPool; } void F() { POOL_TYPE t = NonPagedPoolNx; Set(t); ExAllocatePool(t, 1); }", "[512]"},
		{"a reference of a field", "cpp", "struct A { int t; void G() { Set(t); } void H() { ExAllocatePool(t, 1); } }; void Set(int& t) { t = PagedPool; }", "[1]"},
		{"a reference that is returned", "cpp", "int& Same(int& t) { return t; } void F() { int t = 1; Same(t) = 0; ExAllocatePool(t, 1); }", "[1] what is written through t: Same may keep it"},
		{"a reference, passed on", "cpp", "void S(int *p) { *p = 1; } void Set(int& t) { S(&t); } void F() { int t; Set(t); ExAllocatePool(t, 1); }", "[1]"},
		{"an array", "c", "int T[2] = { 1, 1 }; void F(int i) { Fill(T); ExAllocatePool(T[i], 1); }", "[1] what T[] holds: its address is taken"},
		{"the size of an array", "c", "int T[2] = { 1, 1 }; void F(int i) { ExAllocatePool(T[i % RTL_NUMBER_OF(T)], sizeof(T)); }", "[1]"},
		{"an array of constants", "c", "const int T[2] = { 1, 1 }; void F(int i) { Show(T); ExAllocatePool(T[i], 1); }", "[1]"},
		{"in a lambda", "cpp", "void F() { int t = 0; auto l = [&] { t = 512; }; t = 1; l(); ExAllocatePool(t, 1); }", "[1] what t holds: its address is taken in F"},
		{"beside a lambda", "cpp", "void F() { int t = 0; auto l = [](int n) mutable -> int { return n; }; t = 1; l(2); ExAllocatePool(t, 1); }", "[1]"},
		{"another name for it", "cpp", "void F() { int t = 1; int& r = t; r = 0; ExAllocatePool(t, 1); }", "[1] what t holds: its address is taken in F"},
		{"read by another name", "cpp", "void F() { int t = 1; const int& r = t; t = 512; ExAllocatePool(r, 1); }", "[1 512]"},
		{"default argument of a method", "cpp", "struct A { void Set(int& t, int n = 512) { t = n; } }; void F(A& a) { int t; a.Set(t); ExAllocatePool(t, 1); }", "[512]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := values(read(t, "-- d."+tt.file+" --\n"+kitHead+tt.text+"\n")); got != tt.want {
				t.Errorf("%s\ngot  %s\nwant %s", tt.text, got, tt.want)
			}
		})
	}
}

// Variables and functions of other units, and static ones of the same name.
func TestValuesAcrossUnits(t *testing.T) {
	check(t, show(read(t, `
-- a.c --
#include <ntddk.h>
POOL_TYPE Shared = PagedPool;
static POOL_TYPE Own = PagedPool;
static POOL_TYPE Pick(void) { return PagedPool; }
void A(void) { ExAllocatePool(Own, 1); ExAllocatePool(Pick(), 2); Set(512); }
-- b.c --
#include <ntddk.h>
extern POOL_TYPE Shared;
static POOL_TYPE Own = NonPagedPoolNx;
static POOL_TYPE Pick(void) { return NonPagedPoolNx; }
void Set(int t) { Own = 516; Shared = t; }
void B(void) { ExAllocatePool(Own, 3); ExAllocatePool(Pick(), 4); ExAllocatePool(Shared, 5); }
`)), `
a.c:5:16 A ExAllocatePool(Own) 7=[1] 10=[1]
a.c:5:40 A ExAllocatePool(Pick()) 7=[1] 10=[1]
b.c:6:16 B ExAllocatePool(Own) 7=[512 516] 10=[512 516]
b.c:6:40 B ExAllocatePool(Pick()) 7=[512] 10=[512]
b.c:6:67 B ExAllocatePool(Shared) 7=[1 512] 10=[1 512]`)
}

// The requests of a library get what the images that link it pass, and are judged by their opt-in calls.
func TestLibraries(t *testing.T) {
	const lib = "-- lib.c --\n#include <ntddk.h>\nPVOID Get(POOL_TYPE t) { return ExAllocatePool(t, 1); }\nPVOID Two(void) { return ExAllocatePool(NonPagedPool, 2); }\n"
	const one = "-- one.c --\n#include <ntddk.h>\nvoid DriverEntry(void) { ExInitializeDriverRuntime(DrvRtPoolNxOptIn); Get(PagedPool); Two(); }\n"
	const two = "-- two.c --\n#include <ntddk.h>\nvoid DriverEntry(void) { Two(); ExInitializeDriverRuntime(DrvRtPoolNxOptIn); Get(NonPagedPoolNx); }\n"
	for _, tt := range []struct{ name, text, want string }{
		{"one", lib + one, "one yes: ; lib yes: [1] [512]"},
		{"two", lib + one + two, "one yes: ; two late: ; lib unknown: [1 512] [0 512]"},
		{"none", lib, "lib unknown: [] parameter t of Get: nothing in this library calls it, and no image of this tree links it [0 512]"},
	} {
		if got := libraryImages(t, tt.text); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// libraryImages reads each file as a build of its own; all link lib.c.
func libraryImages(t *testing.T, archive string) string {
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string][]byte{}
	o := &project.Options{Processor: nx.X64, Language: project.C, Defines: []project.Define{{Name: "POOL_NX_OPTIN", Value: "1"}}}
	var builds []*project.Build
	for _, f := range txtar.Parse([]byte(archive)).Files {
		overlay[f.Name] = f.Data
		name := strings.TrimSuffix(f.Name, ".c")
		b := &project.Build{Build: driver.Build{ID: name, Entries: []string{"DriverEntry"}, Links: []string{"lib"}, Library: name == "lib"}}
		b.Units = []*project.Unit{{Path: f.Name, Options: o}}
		builds = append(builds, b)
	}
	slices.SortStableFunc(builds, func(a, b *project.Build) int { return strings.Compare(fmt.Sprint(a.Library), fmt.Sprint(b.Library)) })
	var out []string
	for _, m := range Read(tr.With(overlay), builds, Options{DDIs: nx.DDIs()}).Images {
		out = append(out, fmt.Sprintf("%s %s: %s", m.Build.ID, m.Build.Initialised, strings.ReplaceAll(values(m), "; ", " ")))
	}
	return strings.Join(out, "; ")
}
