package port

import (
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/edit"
)

// ported ports a driver of one file, more files behind it, compares that one, and ports it again.
func ported(t *testing.T, name, define, before, after, more string) {
	t.Helper()
	const head = "#include <ntddk.h>\nPVOID Get(int n) { return ExAllocatePoolWithTag(NonPagedPool, n, 'xErD'); }\nint DriverEntry(void)\n"
	a := unpack(t, projectOf(define, head+before)+more)
	r := run(t, OptIn)
	_, got, _ := strings.Cut(pack(t, a), "-- drv.c --\n")
	got, _, _ = strings.Cut(got, "-- ")
	if got != head+after || len(r.Left) > 0 {
		t.Errorf("%s: left %v, got\n%s\nwant\n%s", name, r.Left, got, head+after)
	}
	if again := run(t, OptIn); len(again.Changes)+len(again.Left) > 0 {
		t.Errorf("%s: a second port changes %s, left %v", name, edit.Diff(again.Changes), again.Left)
	}
}

const oldKit = "-- SOURCES --\nTARGETNAME=drv\nTARGETTYPE=DRIVER\nSOURCES=drv.c\n"

// A declaration that requests memory is split, since in C none may follow the call.
func TestSplitDeclarations(t *testing.T) {
	const call = "    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n"
	const guarded = "#ifdef NonPagedPool // a kit that knows POOL_NX_OPTIN redefines it\n" + call + "#endif\n"
	for _, tt := range []struct{ name, define, before, after, more string }{
		{"no call yet", "", "{\n    PVOID p = Get(1);\n    int n = 2;\n    PVOID q = p;\n\n    return q ? n : 1;\n}\n",
			"{\n    PVOID p;\n    int n = 2;\n    PVOID q;\n\n" + call + "    p = Get(1);\n    q = p;\n\n    return q ? n : 1;\n}\n", ""},
		{"a late call", "POOL_NX_OPTIN=1;", "{\n    PVOID p = Get(1);\n\n" + call + "    return p ? 0 : 1;\n}\n", "{\n    PVOID p;\n\n" + call + "    p = Get(1);\n\n    return p ? 0 : 1;\n}\n", ""},
		{"a pool type that is read too early", "", "{\n    POOL_TYPE t = NonPagedPool;\n    return ExAllocatePoolWithTag(t, 1, 'xErD') ? 0 : 1;\n}\n",
			"{\n    POOL_TYPE t;\n\n" + call + "    t = NonPagedPool;\n    return ExAllocatePoolWithTag(t, 1, 'xErD') ? 0 : 1;\n}\n", ""},
		{"an old kit", "", "{\n    PVOID p = Get(1);\n    return p ? 0 : 1;\n}\n", "{\n    PVOID p;\n\n" + guarded + "    p = Get(1);\n    return p ? 0 : 1;\n}\n", oldKit},
		{"an old kit on one line", "", "{ PVOID p = Get(1); return p ? 0 : 1; }\n", "{ PVOID p;\n" + strings.ReplaceAll(guarded, "    ", "") + "p = Get(1);\n return p ? 0 : 1; }\n", oldKit},
	} {
		ported(t, tt.name, tt.define, tt.before, tt.after, tt.more)
	}
}
