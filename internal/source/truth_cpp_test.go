package source

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// spelled is a token, and where it is spelled: "file:line:column", "" where the preprocessor made it.
type spelled struct{ text, place string }

func (s spelled) String() string { return s.text + " @" + s.place }

// clangTokens are those that clang has after preprocessing a file of a directory: compatible as it does for clang-cl, which
// imitates a part of the traditional mode, or as the standard wants it.
func clangTokens(t *testing.T, dir, main string, compatible bool) []spelled {
	t.Helper()
	cmd := exec.Command("clang-19", "-nostdinc", "-undef", "-fms-extensions",
		"-D__clang__", "-Iinc", "-w", "-ferror-limit=0", "-fsyntax-only", "-Xclang", "-dump-tokens", main)
	if compatible {
		cmd.Args = append(cmd.Args, "-fms-compatibility", "-fms-compatibility-version=19.00")
	}
	if strings.HasSuffix(main, ".cc") {
		cmd.Args = append(cmd.Args, "-std=c++20")
	}
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Run(); err != nil && out.Len() == 0 {
		t.Fatal(err)
	}
	return readDump(out.String())
}

var dumped = regexp.MustCompile(`(?m)^([a-z_A-Z0-9]+) '((?s:.*?))'\t((?s:.*?))Loc=<(.*)>$`)

// readDump reads what -dump-tokens prints: identifier 'g'	 [StartOfLine]	Loc=<t.c:2:1 <Spelling=t.c:1:18>>
func readDump(dump string) []spelled {
	var list []spelled
	for _, m := range dumped.FindAllStringSubmatch(dump, -1) {
		if m[1] == "eof" {
			continue
		}
		place := m[4]
		if _, spelling, ok := strings.Cut(place, "<Spelling="); ok {
			place = strings.TrimSuffix(spelling, ">")
		}
		if strings.HasPrefix(place, "<scratch") || strings.Contains(place, "<command line>") {
			place = ""
		}
		if strings.Contains(m[3], `[UnClean='\`) { // it begins behind a splice, clang says in front of it
			place = ""
		}
		text := m[2]
		if d, ok := digraphs[text]; ok {
			text = d
		}
		list = append(list, spelled{text, strings.TrimPrefix(strings.ReplaceAll(place, "//", "/"), "./")})
	}
	return list
}

// ourTokens are ours for the same file, in the mode of Microsoft's compiler or in that of the standard.
func ourTokens(t *testing.T, files map[string][]byte, main string, traditional bool) []spelled {
	t.Helper()
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	fs := everything(tr.With(files))
	f, err := fs.load(main)
	if err != nil {
		t.Fatal(err)
	}
	o := &project.Options{Processor: nx.X64, Includes: []string{"inc"},
		Defines: []project.Define{{Name: "__clang__", Value: "1"}}}
	if strings.HasSuffix(main, ".cc") {
		o.Language = project.CXX
	}
	for _, d := range compilerMacros(o) {
		o.Undefines = append(o.Undefines, d.Name)
	}
	p := newCPP(fs, names{interest: fs.interest}, o, nil)
	p.traditional = traditional
	var list []spelled
	for _, tok := range p.run(f, o, nil) {
		at := tok.place()
		list = append(list, spelled{tok.text, fmt.Sprintf("%s:%d:%d", at.Path, at.Line, at.Column)})
	}
	if p.stopped != "" {
		t.Errorf("%s: given up: %s", main, p.stopped)
	}
	return list
}

// differ gives the first place where two lists of tokens differ, "" if they don't. Where clang made a token, places are not
// compared.
func differ(ours, clangs []spelled) string {
	for i := range max(len(ours), len(clangs)) {
		switch {
		case i >= len(ours):
			return fmt.Sprintf("token %d: clang has more, %s", i, clangs[i])
		case i >= len(clangs):
			return fmt.Sprintf("token %d: ours has more, %s", i, ours[i])
		case loose(ours[i].text) != loose(clangs[i].text), clangs[i].place != "" && ours[i].place != clangs[i].place:
			from := max(0, i-5)
			return fmt.Sprintf("token %d:\nours  %v\nclang %v", i, ours[from:min(i+3, len(ours))], clangs[from:min(i+3, len(clangs))])
		}
	}
	return ""
}

// loose leaves out the white space in a string: what # makes of an argument that came through several macros has it or not,
// and no compiler agrees with another.
func loose(text string) string {
	if !strings.HasSuffix(text, `"`) {
		return text
	}
	return strings.ReplaceAll(text, " ", "")
}

// Tokens and their places are those of clang -E, on programs that say in their first line what they are about. Those that
// are about what Microsoft's compiler does differently stand in TestTraditional.
func TestPreprocessedLikeClang(t *testing.T) {
	if testing.Short() {
		t.Skip("needs clang-19")
	}
	const dir = "testdata/cpp"
	files := map[string][]byte{}
	var mains []string
	err := filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, name)
		rel = filepath.ToSlash(rel)
		files[rel], err = os.ReadFile(name)
		if !strings.Contains(rel, "/") {
			mains = append(mains, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(mains) < 20 {
		t.Errorf("%d programs in %s, want 20", len(mains), dir)
	}
	for _, main := range mains {
		clangs := clangTokens(t, dir, main, true)
		if len(clangs) < 5 {
			t.Errorf("%s: clang has only %v", main, clangs)
		}
		modes := []bool{false, true}
		if strings.HasPrefix(main, "standard_") {
			modes = modes[:1] // what the traditional mode does with it is another thing
		}
		for _, traditional := range modes {
			if d := differ(ourTokens(t, files, main, traditional), clangs); d != "" {
				t.Errorf("%s, traditional %v: %s", main, traditional, d)
			}
		}
	}
}

// What the traditional mode of Microsoft's compiler does on purpose differently from clang, even from clang that imitates it.
func TestTraditional(t *testing.T) {
	for _, tt := range []struct{ text, want, clang, why string }{
		{"#define TWO(a, ...) #a, #__VA_ARGS__\n#define A(...) TWO(__VA_ARGS__)\nA(1, 2)", `"1, 2" ,`, `"1" , "2"`,
			`documentation of MSVC's new preprocessor, Macro arguments are "unpacked"; it adds that no empty string comes out`},
		{"#define M3(x, y, z) x + y + z\n#define M2(x, y) M3(x, y)\n#define P(x, y) {x, y}\n#define M(x, y) M2(x, P(x, y))\nM(a, b)",
			"a + { a , b } +", "a + { a + b }", "the same for a comma out of a macro in an argument"},
		{"#define TWO(a, b) a-b\n#define X(x) x\n#define A(...) X(TWO(__VA_ARGS__))\nA(1, 2)", "1 - 2", "1 - 2",
			"read for the second time, the comma separates again: what code does that works with both"},
		{"#define F(a, ...) f(a, __VA_ARGS__)\nF(1) F(1,) F(1,2)", "f ( 1 ) f ( 1 ) f ( 1 , 2 )", "f ( 1 ) f ( 1 , ) f ( 1 , 2 )",
			"Comma elision: always before empty __VA_ARGS__; clang only where the argument is missing"},
		{"#define F(a, ...) f(a, ## __VA_ARGS__)\nF(1) F(1,)", "f ( 1 ) f ( 1 )", "f ( 1 ) f ( 1 , )", "Comma elision"},
		{"#define W(x) L#x\nW(a b)", `L"a b"`, `L"a b"`, "L#val: the prefix is combined with the string"},
		{"#define T /##/ int\na T b\nc", "a c", "a c", "Macro comments: two slashes begin a comment"},
		{"#define CAT(a,b) a ## b\n#define ECHO(...) __VA_ARGS__\n#define IMPL1(p,v) one(p, v)\n#define DO(s, b) CAT(IMPL, s) ECHO((\"Hello\", b))\nDO(1, \"W\")",
			`one ( "Hello" , "W" )`, `IMPL1 ( "Hello" , "W" )`, "Rescanning replacement list for macros"},
		{"#define F(a) [a]\nF(1, 2)", "[ 1 ]", "F", "warning C4002: too many arguments are left out; clang expands nothing"},
		{"#define ADD(x) std::##x\nADD(string)", "std : : string", "std : : string",
			"Warning on invalid ##: the tokens stay two"},
	} {
		got, _ := preprocess(t, tt.text, nil)
		if strings.ReplaceAll(got, ": :", "::") != strings.ReplaceAll(tt.want, ": :", "::") {
			t.Errorf("%s:\n%s\ngot  %s\nwant %s", tt.why, tt.text, got, tt.want)
		}
		if testing.Short() {
			continue
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "main.c"), []byte(tt.text), 0o666); err != nil {
			t.Fatal(err)
		}
		var words []string
		for _, s := range clangTokens(t, dir, "main.c", true) {
			words = append(words, s.text)
		}
		if got := strings.Join(words, " "); strings.ReplaceAll(got, ": :", "::") != strings.ReplaceAll(tt.clang, ": :", "::") {
			t.Errorf("clang: %s:\n%s\ngot  %s\nwant %s", tt.why, tt.text, got, tt.clang)
		}
	}
}

// The dump's format is clang's own; a version that changes it must not make the comparison empty.
func TestReadDump(t *testing.T) {
	got := readDump("identifier 'g'\t [StartOfLine]\tLoc=<t.c:2:1 <Spelling=t.c:1:18>>\nt.c:1:1: error: no\nnumeric_constant '7'\t [LeadingSpace]\tLoc=<t.c:7:4 <Spelling=<scratch space>:3:1>>\neof ''\t\tLoc=<t.c:9:1>\n")
	if want := []spelled{{"g", "t.c:1:18"}, {"7", ""}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
