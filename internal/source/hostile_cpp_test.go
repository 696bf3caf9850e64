package source

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Whatever a file does, reading it ends in good time, and what stopped it is named with its line.
func TestHostileText(t *testing.T) {
	const many = 200_000
	var params, names strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&params, "p%d,", i)
		fmt.Fprintf(&names, "p%d ", i)
	}
	for _, tt := range []struct{ name, text, why string }{
		{"a header that includes itself twice", "#include \"self.h\"\n", "self.h:1: more than 200 headers"},
		{"one argument in many places", "#define F(x) " + strings.Repeat("x ", many) + "\nF(" + strings.Repeat("a ", many) + ")\n", "f.c:2: more than 4 million"},
		{"a string in many places", "#define F(x) " + strings.Repeat("#x ", many) + "\nF(" + strings.Repeat("a ", 30_000) + ")\n", "f.c:2: more than 64 MB"},
		{"names that grow", "#define F(x) " + strings.Repeat("x##", many) + "x\nF(aaaaaaaa)\n", "f.c:2: "},
		{"many parameters", "#define F(" + params.String() + "z) " + names.String() + "\nF(1)\n", ""},
		{"arguments that don't end", strings.Repeat("f(", many), ""},
		{"uses that don't end", "#define f(x) x\n" + strings.Repeat("f(", 20_000) + "\n", ""},
		{"empty macros behind a name", "#define f(x) x\n#define E\n#define G f " + strings.Repeat("E ", many) + "\nG\n", ""},
		{"comments that don't end", strings.Repeat("/*", many), ""},
		{"lines of the Macintosh", strings.Repeat("// x\r", many), ""},
		{"quotes", strings.Repeat("'\"", many), ""},
		{"headers on one line", "#if " + strings.Repeat("__has_include(<", 50_000) + "\n#endif\n", ""},
		{"conditions that are chained", "#if " + strings.Repeat("1 ? ", many) + "\n#endif\n", ""},
		{"prefixes", "#if " + strings.Repeat("- ", many) + "\n#endif\n", ""},
		{"branches that are never closed", strings.Repeat("#if X\n", many), ""},
		{"else after else", "#if 1\n" + strings.Repeat("#else\n", many), ""},
		{"pushes", strings.Repeat("#pragma push_macro(\"A\")\n", many), ""},
		{"splices", strings.Repeat("\\\n", many) + "x", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			_, p := preprocess(t, tt.text, map[string]string{"self.h": "#include \"self.h\"\n#include \"self.h\"\n"})
			if why := strings.ReplaceAll(p.stopped, "main.c", "f.c"); !strings.HasPrefix(why, tt.why) || tt.why == "" && why != "" {
				t.Errorf("stopped: %q, want %q", why, tt.why)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("%s", took)
			}
		})
	}
}

// A header that is there and can't be read is named, with the line that includes it.
func TestUnreadableHeader(t *testing.T) {
	r := readFiles(t, map[string]string{"f.c": "\n#include \"bin.h\"\nint x;\n", "bin.h": "a\x00b"})
	if len(r.Unreadable) != 1 || r.Unreadable[0].Path != "f.c" || !strings.Contains(r.Unreadable[0].Why, "line 2: includes bin.h: offset 1") {
		t.Errorf("%v", r.Unreadable)
	}
}

// A request may stand behind as many wrappers as you like. Linking asks for them one by one, and at last for all of the text.
func TestManyWrappers(t *testing.T) {
	var b strings.Builder
	b.WriteString("#include <ntddk.h>\n")
	const many = 1000
	for i := range many {
		fmt.Fprintf(&b, "void f%d(int t) { f%d(t); }\n", i, i+1)
	}
	fmt.Fprintf(&b, "void f%d(int t) { ExAllocatePool(t, 1); }\nvoid DriverEntry(void) { f0(PagedPool); }\n", many)
	start := time.Now()
	sites := readFiles(t, map[string]string{"f.c": b.String()}).Images[0].Sites
	if len(sites) != 1 || len(sites[0].Value.Terms) != 1 || sites[0].Value.Terms[0].String() != "PagedPool" || sites[0].Value.Unknown != "" {
		t.Errorf("%+v", sites)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("%s", took)
	}
}
