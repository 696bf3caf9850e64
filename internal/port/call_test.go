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
		{"beside a pointer to a function", "", "{\n    PVOID p = Get(1);\n    PVOID (*f)(int) = Get;\n    return f(1) ? 0 : 1;\n}\n",
			"{\n    PVOID p;\n    PVOID (*f)(int) = Get;\n\n" + call + "    p = Get(1);\n    return f(1) ? 0 : 1;\n}\n", ""},
		{"braces by a macro of the kit", "", "{\n    PVOID p = Get(1);\n    OBJECT_ATTRIBUTES a = RTL_INIT_OBJECT_ATTRIBUTES(p, 0);\n    return 0;\n}\n",
			"{\n" + call + "    PVOID p = Get(1);\n    OBJECT_ATTRIBUTES a = RTL_INIT_OBJECT_ATTRIBUTES(p, 0);\n    return 0;\n}\n", ""},
		{"braces by a macro", "", "#define BOTH(x) { x, x }\n{\n    PVOID p = Get(1);\n    struct both b = BOTH(p);\n    return 0;\n}\n",
			"#define BOTH(x) { x, x }\n{\n" + call + "    PVOID p = Get(1);\n    struct both b = BOTH(p);\n    return 0;\n}\n", ""},
		{"other macros", "", "#define BOTH(x) (x)\n{\n    PVOID p = Get(1);\n    PVOID r = BOTH(p);\n    CHAR *q = ADD_TO(p, 4);\n    return 0;\n}\n",
			"#define BOTH(x) (x)\n{\n    PVOID p;\n    PVOID r;\n    CHAR *q;\n\n" + call + "    p = Get(1);\n    r = BOTH(p);\n    q = ADD_TO(p, 4);\n    return 0;\n}\n", ""},
		{"an old kit", "", "{\n    PVOID p = Get(1);\n    return p ? 0 : 1;\n}\n", "{\n    PVOID p;\n\n" + guarded + "    p = Get(1);\n    return p ? 0 : 1;\n}\n", oldKit},
		{"an old kit on one line", "", "{ PVOID p = Get(1); return p ? 0 : 1; }\n", "{ PVOID p;\n" + strings.ReplaceAll(guarded, "    ", "") + "p = Get(1);\n return p ? 0 : 1; }\n", oldKit},
	} {
		ported(t, tt.name, tt.define, tt.before, tt.after, tt.more)
	}
}

// A late call is moved with the comments that belong to it, and with an #if that is only about it.
func TestLateCallWithWhatBelongsToIt(t *testing.T) {
	const call, get = "    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);", "    p = Get(1);\n"
	for _, tt := range []struct{ name, late, moved, left string }{
		{"a comment above", "    // Opt in.\n" + call + "\n", "    // Opt in.\n" + call + "\n", ""},
		{"comments of several lines", "    Use(p);\n    /* Opt\n\n       in. */\n    // Now.\n" + call + "\n", "    /* Opt\n\n       in. */\n    // Now.\n" + call + "\n", "    Use(p);\n"},
		{"one behind it", call + " // NX /* pool */\n", call + " // NX /* pool */\n", ""},
		{"one of something else", "    Use(p); // this\n    // and that\n\n" + call + "\n    Use(p);\n", call + "\n", "    Use(p); // this\n    // and that\n\n    Use(p);\n"},
		{"one in front of it", "    /* Opt\n    in */" + call + " // NX\n", call + "\n", "    /* Opt\n    in */" + call + " // NX\n"},
		{"one in front of a guard", "    /* Opt\n    in */ #if NTDDI_VERSION >= NTDDI_WIN7\n" + call + "\n#endif\n", call + "\n", "    /* Opt\n    in */ #if NTDDI_VERSION >= NTDDI_WIN7\n#endif\n"},
		{"one in front of a guard's end", "#if NTDDI_VERSION >= NTDDI_WIN7\n" + call + "\n    /* Opt\n    in */ #endif /*\n*/\n", call + "\n", "#if NTDDI_VERSION >= NTDDI_WIN7\n    /* Opt\n    in */ #endif /*\n*/\n"},
		{"behind a statement", "    Use(p); /* a\n    */\n" + call + "\n", call + "\n", "    Use(p); /* a\n    */\n"},
		{"empty lines around it", "    Use(p);\n\n    // Opt in.\n" + call + "\n\n    Use(p);\n", "    // Opt in.\n" + call + "\n", "    Use(p);\n\n    Use(p);\n"},
		{"a guard", "    // Opt in.\n#if NTDDI_VERSION >= NTDDI_WIN7 // not before\n" + call + "\n#endif // 8\n", "    // Opt in.\n#if NTDDI_VERSION >= NTDDI_WIN7 // not before\n" + call + "\n#endif // 8\n", ""},
		{"a guard of more", "#if NTDDI_VERSION >= NTDDI_WIN7\n" + call + "\n    Use(p);\n#endif\n", call + "\n", "#if NTDDI_VERSION >= NTDDI_WIN7\n    Use(p);\n#endif\n"},
		{"a guard in another", "#ifdef DRV\n#ifndef OLD\n" + call + "\n#endif\n    Use(p);\n#endif\n", call + "\n", "#ifdef DRV\n#ifndef OLD\n#endif\n    Use(p);\n#endif\n"},
		{"a guard with another branch", "#if NTDDI_VERSION >= NTDDI_WIN7\n" + call + "\n#else\n    Use(p);\n#endif\n", call + "\n", "#if NTDDI_VERSION >= NTDDI_WIN7\n#else\n    Use(p);\n#endif\n"},
		{"at the start of a block", "    {\n    " + call + "\n\n        Use(p);\n    }\n", call + "\n", "    {\n        Use(p);\n    }\n"},
		{"deeper", "    {\n        // Opt in.\n    " + call + "\n    }\n", "    // Opt in.\n" + call + "\n", "    {\n    }\n"},
	} {
		const head, tail = "{\n    PVOID p;\n\n", "    return 0;\n}\n"
		ported(t, tt.name, "DRV;POOL_NX_OPTIN=1;", head+get+tt.late+tail, head+tt.moved+"\n"+get+tt.left+tail, "")
		crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
		ported(t, tt.name+", CRLF", "DRV;POOL_NX_OPTIN=1;", crlf(head+get+tt.late+tail), crlf(head+tt.moved+"\n"+get+tt.left+tail), "")
	}
}

// seven is a build file for Windows 7 with its kit's macro, beside that for Windows 10.
func seven(define string) string {
	project, _, _ := strings.Cut(projectOf(define, ""), "-- drv.c --")
	return strings.Replace(project, "drv.vcxproj", "seven.vcxproj", 1)
}

// A call that other builds compile and this one does not is used: its guard makes way, or becomes the right one.
func TestCallUnderAGuard(t *testing.T) {
	const call = "    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n"
	const get = "    return Get(1) ? 0 : 1;\n}\n"
	const known = "#ifdef NonPagedPool // a kit that knows POOL_NX_OPTIN redefines it\n"
	for _, tt := range []struct{ name, define, before, after, more string }{
		{"alone", "EIGHT;", "{\n    // NX\n#if defined(EIGHT) && !defined(DEBUG)\n" + call + "#endif\n\n" + get, "{\n    // NX\n" + call + "\n" + get, seven("SEVEN;")},
		{"both opted in", "EIGHT;POOL_NX_OPTIN=1;", "{\n#ifdef EIGHT\n" + call + "#endif\n" + get, "{\n" + call + get, seven("POOL_NX_OPTIN=1;")},
		{"late", "EIGHT;POOL_NX_OPTIN=1;", "{\n    Get(2);\n#ifdef EIGHT\n" + call + "#endif\n" + get, "{\n" + call + "    Get(2);\n" + get, seven("POOL_NX_OPTIN=1;")},
		{"in no build", "", "{\n#ifdef EIGHT\n" + call + "#endif\n" + get, "{\n" + call + get, ""},
		{"by the opt-in itself", "", "{\n#if defined(POOL_NX_OPTIN)\n" + call + "#endif\n" + get, "{\n#if defined(POOL_NX_OPTIN)\n" + call + "#endif\n" + get, ""},
		{"an old kit", "EIGHT;", "{\n    int i = 1;\n#ifdef EIGHT\n" + call + "#endif // EIGHT\n" + get, "{\n    int i = 1;\n" + known + call + "#endif\n" + get, oldKit},
		{"with more", "EIGHT;", "{\n    int i = 1;\n\n    i++;\n#ifdef EIGHT\n    i++;\n" + call + "#endif\n" + get, "{\n    int i = 1;\n\n" + call + "\n    i++;\n#ifdef EIGHT\n    i++;\n#endif\n" + get, seven("SEVEN;")},
		{"in two branches", "EIGHT;", "{\n#ifdef EIGHT\n" + call + "#elif defined(SEVEN)\n" + call + "#else\n    Use(1);\n#endif\n" + get, "{\n#ifdef EIGHT\n" + call + "#elif defined(SEVEN)\n" + call + "#else\n    Use(1);\n#endif\n" + get, seven("SEVEN;")},
	} {
		ported(t, tt.name, tt.define, tt.before, tt.after, tt.more)
	}
}
