package source

import (
	"testing"

	"github.com/nxport/nxport/nx"
)

// kitValue gives what NonPagedPool, or what is asked for instead, is to the only request of a text, after an opt-in call on
// Windows 10; 0 requests give false.
func kitValue(t *testing.T, text string) (value uint32, ok bool) {
	t.Helper()
	sites := readFiles(t, map[string]string{"f.c": text}).Images[0].Sites
	if len(sites) != 1 {
		return 0, false
	}
	values := sites[0].On(nx.Windows10).Values
	if len(values) != 1 {
		t.Fatalf("%v", values)
	}
	return values[0], true
}

// What ndis.h says a driver may use follows from the versions that it is compiled for: the comment at its head, and
// ndis/version.h of the kit 10.0.22621.
func TestVersionsOfNDIS(t *testing.T) {
	for _, tt := range []struct {
		defines, condition string
		want               bool
	}{
		{"#define NDIS630_MINIPORT 1\n", "NDIS_SUPPORT_NDIS630", true},
		{"#define NDIS630_MINIPORT 1\n", "NDIS_SUPPORT_NDIS640", false},
		{"#define NDIS630_MINIPORT 1\n", "NDIS_SUPPORT_NDIS620 && NDIS_SUPPORT_NDIS61 && NDIS_SUPPORT_NDIS6", true},
		{"#define NDIS630\n", "NDIS_SUPPORT_NDIS620", true},
		{"#define NDIS60 1\n", "NDIS_SUPPORT_NDIS6", true},
		{"#define NDIS60 1\n", "NDIS_SUPPORT_NDIS61", false},
		{"#define NDIS60_MINIPORT 1\n#define NDIS680_MINIPORT 1\n", "NDIS_SUPPORT_NDIS670", true},
		{"#define NDIS51 1\n", "NDIS_SUPPORT_NDIS6", false},
		{"#define NDIS51 1\n", "defined(NDIS_SUPPORT_NDIS6)", true},
		{"#define NDIS_WRAPPER\n", "NDIS_SUPPORT_NDIS687", true},
	} {
		text := tt.defines + "#include <ndis.h>\n#undef NDIS630\n#if " + tt.condition +
			"\nvoid f(void) { ExAllocatePool(NonPagedPool, 1); }\n#endif\n"
		if _, ok := kitValue(t, text); ok != tt.want {
			t.Errorf("%s: %s is %v", tt.defines, tt.condition, ok)
		}
	}
}

// The macros by which code asks which header it has got are those of the kit 10.0.22621.
func TestMarks(t *testing.T) {
	for _, tt := range []struct {
		header string
		marks  map[string]bool
	}{
		{"wdm.h", map[string]bool{"_WDMDDK_": true, "_NTDDK_": true, "_NTIFS_": false, "_NTIFS_INCLUDED_": false, "_NDIS_": false}},
		{"ntddk.h", map[string]bool{"_WDMDDK_": true, "_NTDDK_": true, "_NTIFS_": false, "_NTIFS_INCLUDED_": false, "__FLTKERNEL__": false}},
		{"ntifs.h", map[string]bool{"_NTDDK_INCLUDED_": false, "_WDMDDK_": true, "_NTDDK_": true, "_NTIFS_": true, "_NTIFS_INCLUDED_": true}},
		{"fltKernel.h", map[string]bool{"_WDMDDK_": true, "_NTIFS_": true, "_NTIFS_INCLUDED_": true, "__FLTKERNEL__": true}},
		{"ndis.h", map[string]bool{"_NTDDK_INCLUDED_": true, "_WDMDDK_": true, "_NTDDK_": true, "_NDIS_": true, "_NTIFS_": false}},
	} {
		for name, want := range tt.marks {
			text := "#include <" + tt.header + ">\n#ifdef " + name + "\nvoid f(void) { ExAllocatePool(NonPagedPool, 1); }\n#endif\n"
			if _, ok := kitValue(t, text); ok != want {
				t.Errorf("%s: %s is defined: %v", tt.header, name, ok)
			}
		}
	}
}

// The kit's header is known by its name, however it is written: Windows ignores case, and a directory in front of it is the
// kit's. What the macro is defined as counts as in an #if; without a text, which stops the compiler, as what was meant.
func TestMechanismOfFile(t *testing.T) {
	for _, tt := range []struct {
		text string
		want nx.Mechanism
	}{
		{"#define POOL_NX_OPTIN 1\n#include <ntddk.h>\n", nx.OptIn},
		{"#define POOL_NX_OPTIN\n#include <ntddk.h>\n", nx.OptIn},
		{"#define POOL_NX_OPTIN 0\n#include <ntddk.h>\n", nx.None},
		{"#define POOL_NX_OPTIN (2 - 2)\n#include <ntddk.h>\n", nx.None},
		{"#define POOL_NX_OPTIN 1\n#define POOL_NX_OPTOUT\n#include <ntddk.h>\n", nx.OptedOut},
		{"#define POOL_NX_OPTIN 1\n#define POOL_NX_OPTOUT 0\n#include <ntddk.h>\n", nx.OptIn},
		{"#include <ntddk.h>\n#define POOL_NX_OPTIN 1\n", nx.None},
		{"#define POOL_NX_OPTIN 1\n#include <NTDDK.H>\n#undef POOL_NX_OPTIN\n#include <ntddk.h>\n", nx.OptIn},
		{"#define POOL_NX_OPTIN 1\n#include \"inc\\ntddk.h\"\n#undef POOL_NX_OPTIN\n#include <ntddk.h>\n", nx.OptIn},
		{"#define POOL_NX_OPTIN 1\n#include <../km/wdm.h>\n#undef POOL_NX_OPTIN\n#include <ntddk.h>\n", nx.OptIn},
		{"#define POOL_NX_OPTIN 1\n#include <..\\KM\\FltKernel.h>\n#undef POOL_NX_OPTIN\n#include <ntddk.h>\n", nx.OptIn},
		{"#define POOL_NX_OPTIN 1\n#include <wdf.h>\n#undef POOL_NX_OPTIN\n#include <ntddk.h>\n", nx.None},
	} {
		m := readFiles(t, map[string]string{"f.c": tt.text + "void f(void) { ExAllocatePool(NonPagedPool, 1); }\n"}).Images[0]
		if len(m.Sites) != 1 || m.Sites[0].Mechanism != tt.want {
			t.Errorf("%q: %v, want %s", tt.text, m.Sites, tt.want)
		}
	}
}

// Of functions by one name, a call means that of its own file.
func TestOwnUnitFirst(t *testing.T) {
	m := read(t, `
-- a.c --
#include <ntddk.h>
PVOID Get(POOL_TYPE t) { return ExAllocatePool(t, 2); }
void G(void) { Get(NonPagedPoolNx); }
-- b.c --
#include <ntddk.h>
static PVOID Get(POOL_TYPE t) { return ExAllocatePool(t, 1); }
void F(void) { Get(PagedPool); }
-- c.c --
#include <ntddk.h>
PVOID Get(POOL_TYPE t);
void H(void) { Get(NonPagedPoolExecute); }
`)
	check(t, show(m), `
a.c:2:33 Get ExAllocatePool(t) 7=[0 512] 10=[0 512]
b.c:2:40 Get ExAllocatePool(t) 7=[1] 10=[1]`)
}

// An OR of what is set already changes nothing.
func TestBitsThatAreSet(t *testing.T) {
	for text, want := range map[string]uint32{
		"NonPagedPoolNx | POOL_NX_ALLOCATION": 512, "PagedPool | 9 | 8": 9, "NonPagedPoolNx ^ 512": 0, "9 & ~8": 1, "(1 | 3) ^ 1": 2,
	} {
		m := readFiles(t, map[string]string{"f.c": "#include <ntddk.h>\nvoid f(void) { ExAllocatePool(" + text + ", 1); int t = " + text + "; ExAllocatePool(t, 2); }\n" +
			"#if (" + text + ") == 0\n#endif\n"}).Images[0]
		for _, s := range m.Sites {
			if o := s.On(nx.Windows10); len(o.Values) != 1 || o.Values[0] != want {
				t.Errorf("%s: %v, want %d", text, o.Values, want)
			}
		}
	}
}
