package source

import (
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// everything reads all of the text of a tree.
func everything(t *tree.Tree) *files {
	in := &interest{mentions: newNames(), bodies: newNames(), structs: newNames(), copied: newNames(), everything: true}
	in.spread(nil)
	return newFiles(t, in)
}

// newFile lexes all of a text.
func newFile(path, dir string, data []byte) *file {
	f := &file{path: path, dir: dir, data: data, size: len(data)}
	f.lexWhole()
	return f
}

// preprocess gives the tokens of a file, separated by blanks.
func preprocess(t *testing.T, text string, headers map[string]string) (string, *cpp) {
	t.Helper()
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string][]byte{"main.c": []byte(text)}
	for name, h := range headers {
		overlay[name] = []byte(h)
	}
	fs := everything(tr.With(overlay))
	main, err := fs.load("main.c")
	if err != nil {
		t.Fatal(err)
	}
	p := newCPP(fs, names{interest: fs.interest}, &project.Options{Processor: nx.X64, Language: project.C, Includes: []string{"inc"}}, nil)
	var words []string
	for _, tok := range p.run(main, &project.Options{}, nil) {
		words = append(words, tok.text)
	}
	return strings.Join(words, " "), p
}

// The expected tokens are those of the C standard's own examples (6.10.3), or of clang -E.
func TestPreprocess(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"object", "#define A B\n#define B 3\nA", "3"},
		{"self", "#define foo foo + 1\nfoo", "foo + 1"},
		{"mutual", "#define x y\n#define y x\nx y", "x y"},
		{"function without arguments stays", "#define f(x) x\nf f(1) f", "f 1 f"},
		{"arguments over lines", "#define f(a,b) a-b\nf(1,\n  (2,3))", "1 - ( 2 , 3 )"},
		{"the standard's rescanning", `#define x 3
#define f(a) f(x * (a))
#undef x
#define x 2
#define g f
#define z z[0]
#define h g(~
#define m(a) a(w)
#define w 0,1
#define t(a) a
#define p() int
#define q(x) x
#define r(x,y) x ## y
#define str(x) # x
f(y+1) + f(f(z)) % t(t(g)(0) + t)(1);
g(x+(3,4)-w) | h 5) & m
(f)^m(m);
p() i[q()] = { q(1), r(2,3), r(4,), r(,5), r(,) };
char c[2][6] = { str(hello), str() };`, `f ( 2 * ( y + 1 ) ) + f ( 2 * ( f ( 2 * ( z [ 0 ] ) ) ) ) % f ( 2 * ( 0 ) ) + t ( 1 ) ; ` +
			`f ( 2 * ( 2 + ( 3 , 4 ) - 0 , 1 ) ) | f ( 2 * ( ~ 5 ) ) & f ( 2 * ( 0 , 1 ) ) ^ m ( 0 , 1 ) ; ` +
			`int i [ ] = { 1 , 23 , 4 , 5 , } ; char c [ 2 ] [ 6 ] = { "hello" , "" } ;`},
		{"pasting before expansion", "#define A 1\n#define cat(a,b) a##b\n#define xcat(a,b) cat(a,b)\ncat(A,2) xcat(A,2)", "A2 12"},
		{"pasting what is no token", "#define Log(s) DbgPrint##s\nLog((\"a\"))", `DbgPrint ( "a" )`},
		{"variable arguments", "#define L(f,...) p(f,__VA_ARGS__)\nL(1,2,3) L(1,(2))", "p ( 1 , 2 , 3 ) p ( 1 , ( 2 ) )"},
		{"the comma before none", "#define L(f,...) p(f,##__VA_ARGS__)\nL(1) L(1,2)", "p ( 1 ) p ( 1 , 2 )"},
		{"named variable arguments", "#define L(args...) p(args)\nL(1,2)", "p ( 1 , 2 )"},
		{"stringizing", "#define s(x) #x\ns( a  \"b\\n\" 'c' )", `"a \"b\\n\" 'c'"`},
		{"splice", "#def\\\nine A one\\\n two\nA", "one two"},
		{"splice, CRLF", "#define A one\\\r\n two\r\nA\r\n", "one two"},
		{"comments", "a/* #define b */b // c\\\nd\ne", "a b e"},
		{"a comment in a directive", "#define A 1 /* two\nlines */ + 2\nA", "1 + 2"},
		{"not closed", "a \"b\nc", "a \"b c"},
		{"raw string", "R\"x(a\")\"b)x\" c", "R\"x(a\")\"b)x\" c"},
		{"ifs", "#if 0\na\n#elif 1\nb\n#elif 1\nc\n#else\nd\n#endif", "b"},
		{"nested inactive ifs", "#if 0\n#if 1\na\n#else\nb\n#endif\n#else\nc\n#endif", "c"},
		{"ifdef", "#define A\n#ifdef A\n1\n#endif\n#ifndef A\n2\n#else\n3\n#endif", "1 3"},
		{"an undefined name counts as 0", "#if FOO >= BAR && !FOO(3)\nyes\n#endif", "yes"},
		{"defined", "#define A\n#if defined A && defined(A) && !defined(B)\nyes\n#endif", "yes"},
		{"precedence", "#if 1 + 2 * 3 == 7 && (1 ? 2 : 0) == 2 && -1 < 0 && (6 / 4) == 1 && 1 << 3 == 8\nyes\n#endif", "yes"},
		{"division by zero", "#if 1 / 0\nyes\n#else\nno\n#endif", "no"},
		{"hex, suffixes, characters", "#if 0x0A000000 == 167772160UL && 'A' == 65 && 010 == 8 && 1i64\nyes\n#endif", "yes"},
		{"push and pop", "#define A 1\n#pragma push_macro(\"A\")\n#undef A\n#define A 2\nA\n#pragma pop_macro(\"A\")\nA", "2 1"},
		{"pragmas of the compiler", "a __pragma(warning(disable:4200)) b _Pragma(\"once\") c", "a b c"},
		{"directive among arguments", "#define f(a,b) a b\nf(1,\n#if 1\n2\n#else\n3\n#endif\n)", "1 2"},
		{"unbalanced", "#endif\n#else\na\n#if 1\nb", "a b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := preprocess(t, tt.text, nil); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestIncludes(t *testing.T) {
	headers := map[string]string{
		"a.h":         "#pragma once\nA\n",
		"sub/b.h":     "#include \"c.h\"\n#include <d.h>\nB\n",
		"sub/c.h":     "C\n",
		"inc/d.h":     "D\n",
		"self.h":      "S\n#include \"self.h\"\n",
		"inc/forms.h": "#define NAME <d.h>\n#include NAME\n",
	}
	got, p := preprocess(t, "#include \"a.h\"\n#include \"a.h\"\n#include \"sub\\b.h\"\n#include <forms.h>\n#include <none.h>\nend", headers)
	if want := "A C D B D end"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(p.missing) != 1 || p.missing[0].text != "none.h" || p.missing[0].place().Line != 5 {
		t.Errorf("missing headers: %v", p.missing)
	}
	if _, p := preprocess(t, "#include \"self.h\"", headers); !strings.Contains(p.stopped, "200 headers") {
		t.Errorf("a header that includes itself: stopped = %q", p.stopped)
	}
}

func TestMacroBombEnds(t *testing.T) {
	var b strings.Builder
	b.WriteString("#define m0 x x x x x x x x\n")
	for i := 1; i < 12; i++ {
		n := string(rune('a' + i))
		prev := "m0"
		if i > 1 {
			prev = "m" + string(rune('a'+i-1))
		}
		b.WriteString("#define m" + n + strings.Repeat(" "+prev, 8) + "\n")
	}
	b.WriteString("ml\n")
	if _, p := preprocess(t, b.String(), nil); !strings.Contains(p.stopped, "4 million") {
		t.Errorf("stopped = %q", p.stopped)
	}
}

// Positions are those of the file, byte for byte, through splices, CRLF, a BOM and macros.
func TestPositions(t *testing.T) {
	text := "\xef\xbb\xbfone\r\n#define M(x) in x\\\r\n body\r\n  two M(three)\r\n"
	f := newFile("f.c", ".", []byte(text))
	for _, tok := range f.list(nil, 0, len(f.tokens)) {
		if tok.kind == ident && text[tok.off:int(tok.off)+len(tok.text)] != tok.text {
			t.Errorf("%q is said to be at offset %d, where %q is", tok.text, tok.off, text[tok.off:int(tok.off)+5])
		}
	}
	if p := f.token(0).place(); p.Line != 1 || p.Column != 4 || p.Offset != 3 {
		t.Errorf("behind the BOM: %+v, want 1:4, offset 3", p)
	}
	fs := everything(nil)
	p := newCPP(fs, names{interest: fs.interest}, &project.Options{}, nil)
	var got []string
	for _, tok := range p.run(f, &project.Options{}, nil) {
		root := tok.root()
		got = append(got, tok.text+"@"+root.text+root.place().String())
	}
	want := "one@onef.c:1:4 two@twof.c:4:3 in@Mf.c:4:7 three@threef.c:4:9 body@Mf.c:4:7"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

// Forced includes come in their order, before the first line: here the macro before the kit's header.
func TestForcedIncludes(t *testing.T) {
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	fs := everything(tr.With(map[string][]byte{
		"main.c": []byte("main"), "optin.h": []byte("#define POOL_NX_OPTIN 1\nfirst\n"), "inc/last.h": []byte("last\n"),
	}))
	main, err := fs.load("main.c")
	if err != nil {
		t.Fatal(err)
	}
	p := newCPP(fs, names{interest: fs.interest}, &project.Options{Processor: nx.X64, Language: project.C, Includes: []string{"inc"}}, nil)
	var words []string
	for _, tok := range p.run(main, &project.Options{Forced: []string{"optin.h", "ntddk.h", "last.h", "none.h"}}, nil) {
		words = append(words, tok.text)
	}
	if got := strings.Join(words, " "); got != "first last main" || p.kit.mechanism != nx.OptIn || len(p.missing) != 1 {
		t.Errorf("got %s, mechanism %s, missing %v", got, p.kit.mechanism, p.missing)
	}
	if place := p.kit.include.place(); place.Path != "main.c" || place.Line != 0 {
		t.Errorf("the kit is included at %+v, want main.c without a line", place)
	}
}

// The kit's header brings the constants for versions; before it, and where the project has one of its own, they are not the
// kit's.
func TestVersionConstants(t *testing.T) {
	const unit = `#define NTDDI_VERSION 0x06010000
#define _WIN32_WINNT_WIN8 1
#if NTDDI_VERSION >= NTDDI_WIN8
before
#endif
#include <ntddk.h>
#if NTDDI_VERSION >= NTDDI_WIN8
eight
#elif (NTDDI_VERSION >= NTDDI_WIN7) && NTDDI_WIN10_RS5 == 0x0A000006
seven
#endif
_WIN32_WINNT_WIN8 _WIN32_WINNT_WIN7`
	if got, _ := preprocess(t, unit, nil); got != "before seven 1 0x0601" {
		t.Errorf("got %s", got)
	}
}

// A header may wrap the one of its name in a later directory.
func TestIncludeNext(t *testing.T) {
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	fs := everything(tr.With(map[string][]byte{
		"main.c": []byte("#include <t.h>\n#include \"t.h\"\nmain"), "a/t.h": []byte("one\n#include_next <t.h>\n"), "c/t.h": []byte("two\n#include_next <t.h>\n"),
	}))
	main, err := fs.load("main.c")
	if err != nil {
		t.Fatal(err)
	}
	o := &project.Options{Processor: nx.X64, Language: project.C, Includes: []string{"a", "b", "c"}}
	p := newCPP(fs, names{interest: fs.interest}, o, nil)
	var words []string
	for _, tok := range p.run(main, o, nil) {
		words = append(words, tok.text)
	}
	if got := strings.Join(words, " "); got != "one two one two main" || len(p.missing) != 2 {
		t.Errorf("got %s, %d headers missing; want both headers twice, and none behind the last", got, len(p.missing))
	}
}

// With a precompiled header, what stands before its include is not compiled, as Microsoft's documentation of /Yu has it.
func TestPrecompiledHeader(t *testing.T) {
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	const unit = "#if 0\n#endif\n#define POOL_NX_OPTOUT 1\nbefore\n#include <x.h>\n  #include \"Sub\\Pch.h\"\nafter\n#ifdef POOL_NX_OPTOUT\nlost\n#endif\n"
	for _, tt := range []struct {
		name, header string
		forced       []string
		want         string
	}{
		{"none", "", []string{"first.h"}, "first before x pch after lost"},
		{"used", "sub/pch.h", []string{"first.h"}, "pch after"},
		{"another spelling", `.\SUB\pch.H`, nil, "pch after"},
		{"forced", "sub/pch.h", []string{"first.h", `Sub\Pch.h`, "last.h"}, "pch last before x pch after lost"},
		{"not included", "other.h", []string{"first.h"}, "first before x pch after lost"},
	} {
		fs := everything(tr.With(map[string][]byte{"main.c": []byte(unit), "x.h": []byte("x\n"),
			"Sub/Pch.h": []byte("pch\n"), "first.h": []byte("first\n"), "last.h": []byte("last\n")}))
		main, err := fs.load("main.c")
		if err != nil {
			t.Fatal(err)
		}
		o := &project.Options{Processor: nx.X64, Language: project.C, Includes: []string{"."}, Forced: tt.forced, Precompiled: tt.header}
		var words []string
		for _, tok := range newCPP(fs, names{interest: fs.interest}, o, nil).run(main, o, nil) {
			words = append(words, tok.text)
		}
		if got := strings.Join(words, " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestTokensDoNotGrowForever(t *testing.T) {
	text := "#define P(x) x##x\n#define Q(x) P(x)\n" + strings.Repeat("Q(", 40) + "a" + strings.Repeat(")", 40)
	if _, p := preprocess(t, text, nil); !strings.Contains(p.stopped, "64 kB") {
		t.Errorf("##: stopped = %q", p.stopped)
	}
	text = "#define P(x) #x\n#define Q(x) P(x x)\n" + strings.Repeat("Q(", 40) + "a" + strings.Repeat(")", 40)
	if _, p := preprocess(t, text, nil); !strings.Contains(p.stopped, "64 kB") {
		t.Errorf("#: stopped = %q", p.stopped)
	}
}

// Hostile nesting ends in good time; how it is judged does not matter.
func TestDeepNesting(t *testing.T) {
	const n = 100_000
	for name, text := range map[string]string{
		"parentheses":   "void f(void) { ExAllocatePool(" + strings.Repeat("(", n) + "0" + strings.Repeat(")", n) + "); }",
		"calls":         "void f(void) { " + strings.Repeat("ExAllocatePool(", n) + "0" + strings.Repeat(")", n) + "; }",
		"braces":        strings.Repeat("namespace a {", n) + strings.Repeat("}", n),
		"open braces":   strings.Repeat("{", n),
		"macro calls":   "#define f(x) x x\n" + strings.Repeat("f(", n) + strings.Repeat(")", n),
		"conditions":    "#if " + strings.Repeat("(", n) + "1" + strings.Repeat(")", n) + "\n#endif",
		"question mark": "#if " + strings.Repeat("1 ? 1 : ", n) + "1\n#endif",
		"ifs":           strings.Repeat("#if 1\n", n),
		"declarations":  strings.Repeat("ExAllocatePool(0) ", n) + ";",
		"one line":      strings.Repeat("ExAllocatePool(0);", n),
	} {
		t.Run(name, func(t *testing.T) { preprocessAndParse(t, text) })
	}
}

func preprocessAndParse(t *testing.T, text string) {
	t.Helper()
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	u := &project.Unit{Path: "f.c", Options: &project.Options{Processor: nx.X64, Language: project.C}}
	b := &project.Build{Units: []*project.Unit{u}}
	Read(tr.With(map[string][]byte{"f.c": []byte(text)}), []*project.Build{b}, Options{DDIs: nx.DDIs()})
}
