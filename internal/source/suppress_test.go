package source

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// silent gives the suppressions of an image, one a line: where, what, why, and what they cover.
func silent(m driver.Image) string {
	var b strings.Builder
	for _, s := range m.Suppressions {
		fmt.Fprintf(&b, "%s %s", s.Place, strings.Join(s.Rules, "+"))
		if s.Reason != "" {
			fmt.Fprintf(&b, " (%s)", s.Reason)
		}
		for _, l := range s.Covers {
			fmt.Fprintf(&b, " %s:%d-%d", l.Path, l.From, l.To)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// The lines that each form of a pragma covers, worked out by hand. The text begins in line 3 of f.c, which ends with line 20, an empty one.
func TestPragmas(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"suppress", "#pragma warning(suppress: 30030)\nGET;\nGET;", "f.c:3:1 30030 f.c:4-4"},
		{"prefast", "#pragma prefast(suppress: 30030)\nGET;", "f.c:3:1 30030 f.c:4-4"},
		{"indented and spaced", "  #  pragma  warning ( suppress : 30030 )\nGET;", "f.c:3:3 30030 f.c:4-4"},
		{"a reason", "#pragma prefast(suppress: 30030, \"it is so\")\nGET;", "f.c:3:1 30030 (it is so) f.c:4-4"},
		{"a justification", "#pragma warning(suppress: 30030, justification: \"it is so\")\nGET;", "f.c:3:1 30030 (it is so) f.c:4-4"},
		{"a comment", "#pragma warning(suppress: 30030) // it is so\nGET;", "f.c:3:1 30030 (it is so) f.c:4-4"},
		{"a block comment", "#pragma warning(suppress: 30030) /* it is so */\nGET;", "f.c:3:1 30030 (it is so) f.c:4-4"},
		{"a list with blanks", "#pragma warning(suppress: 28751 4996 30030)\nGET;", "f.c:3:1 28751+30030 f.c:4-4"},
		{"a list with commas", "#pragma warning(suppress: 28751, 30030)\nGET;", "f.c:3:1 28751+30030 f.c:4-4"},
		{"twice the same", "#pragma warning(suppress: 30030 C30030)\nGET;", "f.c:3:1 30030 f.c:4-4"},
		{"a letter in front", "#pragma prefast(suppress:C30030)\nGET;", "f.c:3:1 C30030 f.c:4-4"},
		{"a name", "#pragma prefast(suppress: __WARNING_BANNED_MEM_ALLOCATION_UNSAFE, \"x\")\nGET;",
			"f.c:3:1 __WARNING_BANNED_MEM_ALLOCATION_UNSAFE (x) f.c:4-4"},
		{"a short name", "#pragma prefast(suppress: BANNED_MEM_ALLOCATION_NOTYPE)\nGET;", "f.c:3:1 BANNED_MEM_ALLOCATION_NOTYPE f.c:4-4"},
		{"a macro of the driver", "#define LIST 4996 30030\n#pragma warning(suppress: LIST)\nGET;", "f.c:4:1 30030 f.c:5-5"},
		{"other warnings", "#pragma warning(suppress: 4996 6001 130030 300300)\nGET;\n#pragma warning(disable: 28719)\n#pragma prefast(suppress: __WARNING_BANNED_API_USAGE)", ""},
		{"a number in a reason", "#pragma prefast(suppress: 6001, \"30030\")\nGET;", ""},
		{"no rule of ours", "#pragma warning(suppress: NX0001)\nGET;", ""},
		{"another pragma", "#pragma message(suppress: 30030)\n#pragma comment(disable: 30030)\nGET;", ""},
		{"no parentheses", "#pragma warning disable: 30030\nGET;", ""},
		{"no closing parenthesis", "#pragma warning(suppress: 30030\nGET;", "f.c:3:1 30030 f.c:4-4"},
		{"nothing", "#pragma warning\n#pragma warning(\n#pragma warning()\n#pragma warning(;;:)\n#pragma warning(suppress)\n#pragma warning(suppress:)\n", ""},
		{"several at once", "#pragma warning(suppress: 30030; disable: 30029)\nGET;", "f.c:3:1 30029 f.c:3-20\nf.c:3:1 30030 f.c:4-4"},

		{"a statement of several lines", "#pragma warning(suppress: 30030)\nx = f(1,\n  GET,\n  2);\nGET;", "f.c:3:1 30030 f.c:4-6"},
		{"a condition", "#pragma warning(suppress: 30030)\nif (GET &&\n  1) {\nGET; }", "f.c:3:1 30030 f.c:4-5"},
		{"the end of a block", "#pragma warning(suppress: 30030)\n}\n{ GET;", "f.c:3:1 30030 f.c:4-4"},
		{"an argument", "f(\n#pragma warning(suppress: 30030)\n GET,\n 1);", "f.c:4:1 30030 f.c:5-6"},
		{"blank lines and comments", "#pragma warning(suppress: 30030)\n\n// a; comment\n/* b; */ GET;", "f.c:3:1 30030 f.c:4-6"},
		{"one after the other", "#pragma warning(suppress: 28751)\n#pragma warning(suppress: 30030)\nGET;", "f.c:3:1 28751 f.c:4-5\nf.c:4:1 30030 f.c:5-5"},
		{"a continued pragma", "#pragma warning(suppress: \\\n 28751 \\\n 30030)\nGET;", "f.c:3:1 28751+30030 f.c:6-6"},
		{"semicolons in text", "#pragma warning(suppress: 30030)\nx = f(\";\", ';',\n GET);", "f.c:3:1 30030 f.c:4-5"},
		{"the head of a loop", "#pragma warning(suppress: 30030)\nfor (x = 0;\n GET;\n x++) {\nGET; }", "f.c:3:1 30030 f.c:4-6"},
		{"a macro is defined in between", "#pragma warning(suppress: 30030)\n#define X 1;\nGET;", "f.c:3:1 30030 f.c:4-5"},
		{"the end of the file", "#pragma warning(suppress: 30030)", "f.c:3:1 30030 f.c:4-18"},

		{"disable", "GET;\n#pragma warning(disable: 30030)\nGET;", "f.c:4:1 30030 f.c:4-20"},
		{"disable and default", "#pragma warning(disable: 30030)\nGET;\n#pragma warning(default: 30030)\nGET;", "f.c:3:1 30030 f.c:3-5"},
		{"disable and enable", "#pragma prefast(disable: 30030)\nGET;\n#pragma prefast(enable: 30030)\nGET;", "f.c:3:1 30030 f.c:3-5"},
		{"disable and error", "#pragma warning(disable: 30030)\nGET;\n#pragma warning(error: C30030)\nGET;", "f.c:3:1 30030 f.c:3-5"},
		{"disable and a level", "#pragma warning(disable: 30030)\nGET;\n#pragma warning(3: 30030)\nGET;", "f.c:3:1 30030 f.c:3-5"},
		{"disable and once", "#pragma warning(disable: 30030)\nGET;\n#pragma warning(once: 30030)\nGET;", "f.c:3:1 30030 f.c:3-5"},
		{"enabled by name", "#pragma warning(disable: 30030)\nGET;\n#pragma prefast(enable: BANNED_MEM_ALLOCATION_UNSAFE)\nGET;", "f.c:3:1 30030 f.c:3-5"},
		{"another enabled", "#pragma warning(disable: 30030)\nGET;\n#pragma warning(default: 30029)\nGET;", "f.c:3:1 30030 f.c:3-20"},
		{"one of two enabled", "#pragma warning(disable: 28751 30030)\nGET;\n#pragma warning(default: 30030)\nGET;", "f.c:3:1 28751 f.c:3-20\nf.c:3:1 30030 f.c:3-5"},
		{"nothing to enable", "#pragma warning(default: 30030)\nGET;", ""},
		{"again", "#pragma warning(disable: 30030)\nGET;\n#pragma warning(disable: 30030)\n#pragma warning(default: 30030)", "f.c:3:1 30030 f.c:3-6\nf.c:5:1 30030 f.c:5-6"},

		{"push and pop", "#pragma warning(push)\n#pragma warning(disable: 30030)\nGET;\n#pragma warning(pop)\nGET;", "f.c:4:1 30030 f.c:4-6"},
		{"push with a level", "#pragma warning(push, 3)\n#pragma warning(disable: 30030)\nGET;\n#pragma warning(pop)\nGET;", "f.c:4:1 30030 f.c:4-6"},
		{"pushes inside each other", "#pragma warning(push)\n#pragma warning(push)\n#pragma warning(disable: 30030)\nGET;\n#pragma warning(pop)\nGET;\n#pragma warning(pop)", "f.c:5:1 30030 f.c:5-7"},
		{"pop brings back", "#pragma warning(disable: 30030)\n#pragma warning(push)\n#pragma warning(default: 30030)\nGET;\n#pragma warning(pop)\nGET;", "f.c:3:1 30030 f.c:3-5 f.c:7-20"},
		{"pop of another warning", "#pragma warning(disable: 30030)\n#pragma warning(push)\n#pragma warning(disable: 30029)\n#pragma warning(pop)\nGET;", "f.c:3:1 30030 f.c:3-20\nf.c:5:1 30029 f.c:5-6"},
		{"pop of the other stack", "#pragma warning(push)\n#pragma prefast(disable: 30030)\nGET;\n#pragma prefast(pop)\nGET;", "f.c:4:1 30030 f.c:4-20"},
		{"the stacks hold all", "#pragma warning(push)\n#pragma prefast(disable: 30030)\nGET;\n#pragma warning(pop)\nGET;", "f.c:4:1 30030 f.c:4-6"},
		{"pop of nothing", "#pragma warning(pop)\n#pragma warning(disable: 30030)\nGET;\n#pragma warning(pop)", "f.c:4:1 30030 f.c:4-20"},
		{"suppress keeps the state", "#pragma warning(disable: 30030)\n#pragma warning(suppress: 30030)\nGET;", "f.c:3:1 30030 f.c:3-20\nf.c:4:1 30030 f.c:5-5"},

		{"a branch that is compiled", "#if 1\n#pragma warning(disable: 30030)\n#endif\nGET;", "f.c:4:1 30030 f.c:4-20"},
		{"a branch that is not", "#if 0\n#pragma warning(disable: 30030)\n#endif\nGET;", ""},

		{"an operator", "__pragma(warning(suppress: 30030)) GET;\nGET;", "f.c:3:1 30030 f.c:3-3"},
		{"an operator on a line of its own", "__pragma(warning(suppress: 30030))\nGET;\nGET;", "f.c:3:1 30030 f.c:3-4"},
		{"the standard operator", "_Pragma(\"prefast(suppress: 30030, \\\"it is so\\\")\") GET;", "f.c:3:1 30030 (it is so) f.c:3-3"},
		{"a long list in an operator", "__pragma(warning(suppress: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 30030)) GET;", "f.c:3:1 30030 f.c:3-3"},
		{"a macro", "#define TAKE __pragma(warning(suppress: 30030)) GET\nx = TAKE;\nGET;\nx = 1 + TAKE;", "f.c:3:14 30030 f.c:4-4 f.c:6-6"},
		{"a macro that disables", "#define OFF __pragma(warning(push)) __pragma(warning(disable: 30030))\n#define ON __pragma(warning(pop))\nOFF\nGET;\nON\nGET;", "f.c:3:37 30030 f.c:5-7"},
		{"a macro with the number", "#define OFF(n) __pragma(warning(disable: n))\nOFF(30030)\nGET;", "f.c:3:16 30030 f.c:4-20"},
		{"a macro of a string", "#define DO(x) _Pragma(#x)\nDO(warning(disable: 30030))\nGET;", "f.c:3:15 30030 f.c:4-20"},
		{"all in one macro", "#define TAKE _Pragma(\"warning(push)\") _Pragma(\"warning(disable: 30030)\") GET _Pragma(\"warning(pop)\")\nTAKE;\nGET;\nTAKE;",
			"f.c:3:39 30030 f.c:4-4 f.c:6-6"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			get := strings.NewReplacer("GET", "ExAllocatePool(NonPagedPool, 1)").Replace
			text := "#include <ntddk.h>\nvoid DriverEntry(void) {\n" + get(tt.text) + "\n"
			text += strings.Repeat("\n", 17-strings.Count(text, "\n")) + "}\nint last;\n"
			check(t, silent(read(t, "-- f.c --\n"+text)), tt.want)
		})
	}
}

// What a header disables stays so in the file that includes it and in the headers behind. A file ends with the empty line
// behind its last newline. Text that is not of interest is no different.
func TestPragmasOfHeaders(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"disable in a header", `
-- a.h --
int a;
#pragma warning(disable: 30030)
int b;
-- b.h --
int c;
int d;
-- f.c --
#include <ntddk.h>
#include "a.h"
#include "b.h"
void DriverEntry(void) { ExAllocatePool(NonPagedPool, 1); }`, "a.h:2:1 30030 a.h:2-4 b.h:1-3 f.c:2-5"},
		{"push and pop in a header", `
-- a.h --
#pragma warning(push)
#pragma warning(disable: 30030)
int b;
#pragma warning(pop)
-- f.c --
#include <ntddk.h>
#include "a.h"
void DriverEntry(void) { ExAllocatePool(NonPagedPool, 1); }`, "a.h:2:1 30030 a.h:2-4"},
		{"headers around code", `
-- off.h --
#pragma warning(push)
#pragma warning(disable: 30030)
-- on.h --
#pragma warning(pop)
-- f.c --
#include <ntddk.h>
#include "off.h"
void DriverEntry(void) { ExAllocatePool(NonPagedPool, 1); }
#include "on.h"
int x;`, "off.h:2:1 30030 f.c:2-4 off.h:2-3 on.h:1-1"},
		{"two units", `
-- a.h --
#pragma warning(disable: 30030)
-- f.c --
#include "a.h"
void DriverEntry(void) { ExAllocatePool(NonPagedPool, 1); }
-- g.c --
int x;
#include "a.h"
int y;`, "a.h:1:1 30030 a.h:1-2 f.c:1-3 g.c:2-4"},
		{"a header that is included again", `
-- a.h --
#pragma warning(suppress: 30030)
static void get(void) { ExAllocatePool(NonPagedPool, 1); }
-- f.c --
#include "a.h"
void DriverEntry(void) { get(); }
-- g.c --
#include "a.h"`, "a.h:1:1 30030 a.h:2-2"},
		{"a macro of a header", `
-- a.h --
#define GET() __pragma(warning(suppress: 30030)) ExAllocatePool(NonPagedPool, 1)
-- idle.h --
#define LOOP __pragma(warning(push)) __pragma(warning(disable: 4127)) while (1) __pragma(warning(pop))
static void idle(void) { LOOP { break; } }
-- f.c --
#include <ntddk.h>
#include "a.h"
#include "idle.h"
void DriverEntry(void) {
    GET();
}`, "a.h:1:15 30030 f.c:5-5"},
		{"macros around functions", `
-- a.h --
#define BEGIN __pragma(warning(push)) __pragma(warning(disable: 4127))
#define END __pragma(warning(pop))
-- f.c --
#include <ntddk.h>
#include "a.h"
BEGIN
void idle(void) {}
END
#pragma warning(push)
#pragma warning(disable: 30030)
BEGIN
void idler(void) {}
END
void DriverEntry(void) { ExAllocatePool(NonPagedPool, 1); }
#pragma warning(pop)
int x;`, "f.c:7:1 30030 f.c:7-12"},
		{"a directive by a name", `
-- f.c --
#include <ntddk.h>
#define MUTE 30030
#pragma warning(disable: MUTE)
void DriverEntry(void) { ExAllocatePool(NonPagedPool, 1); }`, "f.c:3:1 30030 f.c:3-5"},
	} {
		t.Run(tt.name, func(t *testing.T) { check(t, silent(read(t, tt.text)), tt.want) })
	}
}

// What suppresses stands in the images of all that read its file, and in that of a library whether or not another links it.
func TestSuppressionsOfLibraries(t *testing.T) {
	unit := func(path string) []*project.Unit {
		return []*project.Unit{{Path: path, Options: &project.Options{Processor: nx.X64, Language: project.C}}}
	}
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	tr = tr.With(map[string][]byte{
		"lib.c": []byte("#include \"a.h\"\n#pragma warning(suppress: 30030)\nvoid Get(void) { ExAllocatePool(NonPagedPool, 1); }\n"),
		"drv.c": []byte("#include \"a.h\"\nvoid DriverEntry(void) { Get(); }\n"),
		"a.h":   []byte("// nxport:ignore NX0003\n#include <ntddk.h>\nint x;\n"),
	})
	images := Read(tr, []*project.Build{
		{Build: driver.Build{ID: "drv", Entries: []string{"DriverEntry"}, Links: []string{"lib"}}, Units: unit("drv.c")},
		{Build: driver.Build{ID: "lib", Library: true}, Units: unit("lib.c")},
	}, Options{DDIs: nx.DDIs()}).Images
	check(t, silent(images[0]), "a.h:1:1 NX0003 a.h:1-3")
	check(t, silent(images[1]), "a.h:1:1 NX0003 a.h:1-3\nlib.c:2:1 30030 lib.c:3-3")
}

// Comments that begin with nxport:ignore, worked out by hand. The text begins in line 3 of f.c.
func TestIgnore(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"behind code", "GET; // nxport:ignore C30030 why not\nGET;", "f.c:3:30 C30030 (why not) f.c:3-3"},
		{"a block behind code", "GET; /* nxport:ignore NX0003 */\nGET;", "f.c:3:30 NX0003 f.c:3-3"},
		{"in front of code", "/* nxport:ignore NX0003 */ GET;\nGET;", "f.c:3:1 NX0003 f.c:3-3"},
		{"in front of code of several lines", "/* nxport:ignore NX0003 */ f(1,\nGET);\nGET;", "f.c:3:1 NX0003 f.c:3-4"},
		{"on its own line", "  // nxport:ignore NX0003\nGET;\nGET;", "f.c:3:3 NX0003 f.c:3-4"},
		{"a block on its own line", "/* nxport:ignore NX0003\n * as it is */\nGET;\nGET;", "f.c:3:1 NX0003 (* as it is) f.c:3-5"},
		{"in front of a long statement", "// nxport:ignore NX0003\nf(1,\n GET);\nGET;", "f.c:3:1 NX0003 f.c:3-5"},
		{"several", "GET; //nxport:ignore NX0003, 30030, BANNED_MEM_ALLOCATION_NOTYPE: since it is so", "f.c:3:30 NX0003+30030+BANNED_MEM_ALLOCATION_NOTYPE (since it is so) f.c:3-3"},
		{"small letters and a dash", "GET; /// nxport:ignore nx0003 - it is so", "f.c:3:30 nx0003 (it is so) f.c:3-3"},
		{"stacked", "// nxport:ignore NX0003\n// nxport:ignore 30030\n#pragma warning(suppress: 4996)\nGET;", "f.c:3:1 NX0003 f.c:3-6\nf.c:4:1 30030 f.c:4-6"},
		{"a macro's definition", "#define TAKE GET // nxport:ignore 30030\nTAKE;", "f.c:3:42 30030 f.c:3-3"},
		{"above a macro's definition", "// nxport:ignore 30030\n#define TAKE \\\n GET\nTAKE;", "f.c:3:1 30030 f.c:3-5"},
		{"no rule", "GET; // nxport:ignore\n", "f.c:3:30  f.c:3-3"},
		{"a misspelled rule", "GET; // nxport:ignore NX003 it is so\n", "f.c:3:30 NX003 (it is so) f.c:3-3"},
		{"another word", "GET; // nxport:ignored NX0003\nGET; // see nxport:ignore NX0003\nGET; // nxport:ignore-NX0003", ""},
		{"in a string", "f(\"// nxport:ignore NX0003\", '/* nxport:ignore NX0003 */');", ""},
		{"in a comment", "/* // nxport:ignore NX0003 */", "f.c:3:1 NX0003 f.c:3-5"},
		{"in text that is compiled", "#ifndef X\nGET; // nxport:ignore NX0003\n#else\nGET; // nxport:ignore NX0002\n#endif", "f.c:4:30 NX0003 f.c:4-4"},
		{"in a branch inside of one that is not", "#if 0\n#if 1\n// nxport:ignore NX0003\n#endif\n#endif\nGET; // nxport:ignore NX0002", "f.c:8:30 NX0002 f.c:8-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			get := strings.NewReplacer("GET", "ExAllocatePool(Paged, 1234)").Replace
			text := "#include <ntddk.h>\nvoid DriverEntry(void) {\n" + get(tt.text) + "\n\n}\n"
			check(t, silent(read(t, "-- f.c --\n"+text)), strings.TrimSpace(tt.want))
		})
	}
	text := `
-- a.h --
#ifdef A
// nxport:ignore NX0001
#else
// nxport:ignore NX0002
#endif
// nxport:ignore NX0003
-- idle.h --
// nxport:ignore NX0004
-- f.c --
#include "a.h"
#define A
#include "a.h"
int x;`
	check(t, silent(read(t, text)), "a.h:2:1 NX0001 a.h:2-7\na.h:4:1 NX0002 a.h:4-7\na.h:6:1 NX0003 a.h:6-7")
}

// Reading a part of the text comes to the same suppressions as reading all of it, which read compares, whatever stands around
// the pragmas.
func TestPragmasInParts(t *testing.T) {
	lines := []string{
		"#pragma warning(push)", "#pragma warning(pop)", "#pragma prefast(push)", "#pragma prefast(pop)",
		"#pragma warning(disable: 30030)", "#pragma prefast(disable: 30029 4996)", "#pragma warning(default: 30030)",
		"#pragma warning(suppress: 30030)", "__pragma(warning(disable: 4127))", "__pragma(warning(pop))", "BEGIN", "END", "OFF(4127)",
		"OFF(30030)", "DO(warning(push))", "LOOP;", "// nxport:ignore NX0001", "int x; // nxport:ignore 30030", "#include \"g.h\"",
		"void idle(void) { LOOP; }", "SWAP", "RUN(warning(disable: 30031))", "DO2(warning(disable: 30032))",
		"void push(void) { __pragma(warning(push)) idle(); }", "void busy(void) { ExAllocatePool(NonPagedPool, 1); }", "void off(void) { OFF(30030); }",
		"#if 0", "#else", "#endif", "void end(void) { __pragma(warning(pop)) idle(); }", "int y = f(1,\n#pragma warning(disable: 30031)\n2);", "TAKE;",
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var text [2]strings.Builder
		for i := range text {
			for range r.IntN(14) {
				text[i].WriteString(lines[r.IntN(len(lines))] + "\n")
			}
		}
		read(t, `
-- g.h --
#pragma warning(disable: 30030)
-- h.h --
#define BEGIN __pragma(warning(push)) __pragma(warning(disable: 4127))
#define END __pragma(warning(pop))
#define OFF(n) __pragma(warning(disable: n))
#define DO(x) _Pragma(#x)
#define STR(x) #x
#define DO2(x) _Pragma(STR(x))
#define RUN(x) __pragma(x)
#define SWAP __pragma(warning(pop)) __pragma(warning(push))
#define LOOP __pragma(warning(push)) __pragma(warning(disable: 4127)) while (0) __pragma(warning(pop))
#define TAKE __pragma(warning(suppress: 28751)) ExAllocatePool(NonPagedPool, 1)
`+text[0].String()+`
-- f.c --
#include <ntddk.h>
#include "h.h"
`+text[1].String()+`
void DriverEntry(void) { ExAllocatePool(NonPagedPool, 1); }
#include "h.h"
`)
		if t.Failed() {
			t.Fatalf("the header has\n%s\nand the unit\n%s", text[0].String(), text[1].String())
		}
	}
}

// Whatever a file does with its pragmas and comments, reading it ends in good time.
func TestHostilePragmas(t *testing.T) {
	const many = 100_000
	var names strings.Builder
	for i := range 200 {
		fmt.Fprintf(&names, "#pragma warning(disable: 30030 30029 28751) // %d\n", i)
	}
	for name, text := range map[string]string{
		"pushes":                 strings.Repeat("#pragma warning(push)\n", many),
		"pops":                   strings.Repeat("#pragma warning(pop)\n", many),
		"disables":               strings.Repeat("#pragma warning(disable: 30030)\n", many),
		"suppresses":             strings.Repeat("#pragma warning(suppress: 30030)\n", many),
		"operators":              strings.Repeat("__pragma(warning(suppress: 30030))\n", many),
		"uses of a macro":        "#define F __pragma(warning(suppress: 30030)) x\n" + strings.Repeat("F ", many),
		"lists":                  "#pragma warning(suppress: " + strings.Repeat("30030 ", many) + ")\n",
		"specifiers":             "#pragma warning(" + strings.Repeat("disable:30030;default:30030;", many) + ")\n",
		"changes that are saved": names.String() + strings.Repeat("#pragma warning(push)\n#pragma warning(default: 30030)\n#pragma warning(pop)\n", many),
		"headers":                names.String() + strings.Repeat("#include \"e.h\"\n", many),
		"no end":                 "#pragma warning(suppress: 30030 \\\n",
		"comments":               strings.Repeat("// nxport:ignore C30030\n", many),
		"a comment":              "// nxport:ignore " + strings.Repeat("C30030 ", many),
		"comments in headers":    strings.Repeat("#include \"c.h\"\n", many),
		"an operator":            "#define F __pragma(" + strings.Repeat("(", many) + "\nF\n",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			readFiles(t, map[string]string{"f.c": "#include <ntddk.h>\n" + text, "e.h": "int x;\n",
				"c.h": "#if 0\n// nxport:ignore C30030\n#endif\n" + strings.Repeat("// nxport:ignore C30030\n", 100)})
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("%s", took)
			}
		})
	}
}
