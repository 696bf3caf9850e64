package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// The calls that the parser sees, the functions they stand in and their arguments are those of clang's syntax tree.
func TestCallsAreClangs(t *testing.T) {
	if testing.Short() {
		t.Skip("needs clang-19")
	}
	list, err := filepath.Glob("testdata/ast/*.c*")
	if err != nil || len(list) < 15 {
		t.Fatal(len(list), err)
	}
	for _, path := range list {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(path), func(t *testing.T) { compareCalls(t, filepath.Ext(path), text) })
	}
}

// The same on programs that a generator makes; NXPORT_SEED repeats a run.
func TestGeneratedCallsAreClangs(t *testing.T) {
	if testing.Short() {
		t.Skip("needs clang-19")
	}
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("NXPORT_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &seed); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("NXPORT_SEED=%d", seed)
	for i := range 30 {
		g := &callGenerator{r: rand.New(rand.NewPCG(seed, uint64(i))), cxx: i%2 == 1}
		ext := ".c"
		if g.cxx {
			ext = ".cpp"
		}
		if text := g.program(15); !compareCalls(t, ext, []byte(text)) {
			t.Fatalf("program %d of seed %d:\n%s", i, seed, text)
		}
	}
}

// seenCall is a call as both see it. Where a macro has part in it, the two differ in what they call an argument's text.
type seenCall struct {
	off              int
	callee, function string
	args             []string
	macro            bool
}

func (c seenCall) String() string {
	return fmt.Sprintf("%6d %s in %q (%s)", c.off, c.callee, c.function, strings.Join(c.args, " , "))
}

func (c seenCall) agrees(d seenCall) bool {
	return c.off == d.off && c.callee == d.callee && c.function == d.function && len(c.args) == len(d.args) &&
		(c.macro || d.macro || slices.Equal(c.args, d.args))
}

// compareCalls compares what both see of a text.
func compareCalls(t *testing.T, ext string, text []byte) bool {
	t.Helper()
	want, got := clangCalls(t, ext, text), parsedCalls(t, ext, text)
	missing := func(list, in []seenCall, who string) (n int) {
		for _, c := range list {
			if !slices.ContainsFunc(in, c.agrees) {
				t.Errorf("only %s: %s", who, c)
				n++
			}
		}
		return n
	}
	if len(want) == 0 {
		t.Error("clang sees no call")
	}
	return missing(got, want, "nxport")+missing(want, got, "clang ") == 0
}

// parsedCalls gives offset, name, function and, outside macros, the arguments of each call.
func parsedCalls(t *testing.T, ext string, text []byte) []seenCall {
	t.Helper()
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	u := &project.Unit{Path: "f" + ext, Options: &project.Options{Processor: nx.X64, Language: project.C}}
	if ext == ".cpp" {
		u.Options.Language = project.CXX
	}
	b := &project.Build{Units: []*project.Unit{u}}
	known := lookOutFor([]*project.Build{b}, nil)
	known.interest = newInterest(known, []*project.Build{b})
	known.takeAll()
	fs := newFiles(tr.With(map[string][]byte{u.Path: text}), known.interest)
	if _, err := fs.load(u.Path); err != nil {
		t.Fatal(err)
	}
	fs.settle()
	var list []seenCall
	for _, f := range summarise(fs, known, u, &group{}).functions {
		for _, c := range f.calls {
			if c.constructs {
				continue
			}
			args := c.args
			if c.callee == "new" || c.callee == "new[]" {
				args = args[1:] // the size
			}
			s := seenCall{int(c.at.off), strings.TrimSuffix(c.callee, "[]"), strings.TrimSuffix(f.name, "[]"), nil, c.at.exp != nil}
			for _, a := range args {
				s.args = append(s.args, squeeze(a.text))
				s.macro = s.macro || strings.HasSuffix(a.text, "...")
			}
			list = append(list, s)
		}
	}
	return list
}

func squeeze(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "\\\n", "")), "")
}

// astNode is what is used of clang's JSON.
type astNode struct {
	Kind           string    `json:"kind"`
	Name           string    `json:"name"`
	Range          astRange  `json:"range"`
	Inner          []astNode `json:"inner"`
	ReferencedDecl *astNode  `json:"referencedDecl"`
	Member         string    `json:"member"`
	IsImplicit     bool      `json:"isImplicit"`
	InitStyle      string    `json:"initStyle"`
}

type astRange struct{ Begin, End astPlace }

type astPlace struct {
	Offset       int       `json:"offset"`
	TokLen       int       `json:"tokLen"`
	SpellingLoc  *astPlace `json:"spellingLoc"`
	ExpansionLoc *astPlace `json:"expansionLoc"`
}

func (p astPlace) spelled() astPlace {
	if p.SpellingLoc != nil {
		return *p.SpellingLoc
	}
	return p
}

func clangCalls(t *testing.T, ext string, text []byte) []seenCall {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f"+ext)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"-target", "x86_64-pc-windows-msvc", "-fms-extensions", "-fms-compatibility", "-w", "-fsyntax-only", "-Xclang", "-ast-dump=json", "-fexceptions", "-fcxx-exceptions"}
	if ext == ".cpp" {
		args = append(args, "-std=c++20")
	} else {
		args = append(args, "-std=gnu11", "-Wno-implicit-int", "-Wno-implicit-function-declaration")
	}
	cmd := exec.Command("clang-19", append(args, path)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("clang-19: %v\n%s", err, stderr.Bytes())
	}
	var root astNode
	if err := json.Unmarshal(out, &root); err != nil {
		t.Fatal(err)
	}
	w := &astWalk{text: string(text)}
	w.node(&root, "")
	return w.list
}

type astWalk struct {
	text string
	list []seenCall
}

func (w *astWalk) node(n *astNode, function string) {
	switch n.Kind {
	case "FunctionDecl", "CXXMethodDecl", "CXXConstructorDecl", "CXXDestructorDecl", "CXXConversionDecl":
		if n.IsImplicit {
			return
		}
		if function == "" || n.Name != "operator()" { // a lambda belongs to the function around it
			function = functionName5b(n.Name)
		}
	case "CallExpr", "CXXMemberCallExpr":
		w.call(n, function)
	case "CXXNewExpr":
		w.allocation(n, function)
	}
	for i := range n.Inner {
		w.node(&n.Inner[i], function)
	}
}

// functionName5b is clang's name of a function as the parser gives it.
func functionName5b(name string) string {
	for _, op := range []string{"operator new", "operator delete"} {
		if strings.HasPrefix(name, op) {
			return strings.TrimPrefix(op, "operator ")
		}
	}
	switch {
	case strings.HasPrefix(name, "operator "):
		return strings.TrimPrefix(name, "operator ")
	case strings.HasPrefix(name, "operator"):
		return "operator"
	}
	name, _, _ = strings.Cut(name, "<")
	return name
}

// call records a call by name: of a function, a method or a variable.
func (w *astWalk) call(n *astNode, function string) {
	callee := &n.Inner[0]
	parens := false
	for len(callee.Inner) > 0 && (callee.Kind == "ImplicitCastExpr" || callee.Kind == "ParenExpr" || callee.Kind == "ExprWithCleanups") {
		parens = parens || callee.Kind == "ParenExpr"
		callee = &callee.Inner[0]
	}
	name := callee.Name
	switch callee.Kind {
	case "DeclRefExpr":
		name = callee.ReferencedDecl.Name
	case "MemberExpr", "UnresolvedLookupExpr":
	case "CXXDependentScopeMemberExpr", "UnresolvedMemberExpr":
		name = callee.Member
	default:
		return // what an expression points to
	}
	if parens {
		return // (f)(x)
	}
	name = strings.TrimLeft(name, "->.")
	if name, _, _ = strings.Cut(name, "<"); name == "" || strings.HasPrefix(name, "operator") {
		return
	}
	begin, end := callee.Range.Begin.spelled(), callee.Range.End.spelled()
	at := begin.Offset
	written := w.text[begin.Offset:max(begin.Offset, end.Offset+end.TokLen)]
	if i := strings.IndexByte(written, '<'); i > 0 && callee.Kind != "MemberExpr" { // template arguments
		written = written[:i]
	}
	if i := strings.LastIndex(written, name); i >= 0 {
		at += i
	}
	w.add(at, name, function, n.Inner[1:], n.Range.Begin.SpellingLoc != nil)
}

func (w *astWalk) allocation(n *astNode, function string) {
	at := n.Range.Begin.spelled().Offset
	at += strings.Index(w.text[at:], "new")
	open := strings.IndexByte(w.text[at:], '(') + at
	var placed []string
	if strings.TrimSpace(w.text[at+3:open]) == "" {
		depth := 0
		for i := open; i < len(w.text); i++ {
			if w.text[i] == '(' {
				depth++
			} else if w.text[i] == ')' {
				if depth--; depth == 0 {
					for _, arg := range strings.Split(w.text[open+1:i], ",") {
						placed = append(placed, squeeze(arg))
					}
					break
				}
			}
		}
	}
	w.list = append(w.list, seenCall{at, "new", function, placed, false})
}

// macros are those of the programs by the shape of their names.
var macros = regexp.MustCompile(`\b[A-Z]+\(|#`)

func (w *astWalk) add(at int, name, function string, inner []astNode, macro bool) {
	var args []string
	for _, a := range inner {
		if a.Kind == "CXXDefaultArgExpr" {
			continue
		}
		begin, end := a.Range.Begin, a.Range.End
		text := ""
		if macro = macro || begin.SpellingLoc != nil || end.SpellingLoc != nil; !macro {
			text = w.text[begin.Offset:max(begin.Offset, end.Offset+end.TokLen)]
			macro = macros.MatchString(text)
		}
		args = append(args, squeeze(text))
	}
	w.list = append(w.list, seenCall{at, name, function, args, macro})
}

// callGenerator makes programs of functions that call each other in every kind of statement.
type callGenerator struct {
	r   *rand.Rand
	cxx bool
	b   strings.Builder
}

func (g *callGenerator) program(functions int) string {
	g.b.WriteString("int f(int a); int g(int a, int b); int h(void); int v; struct s { int (*p)(int); int n; } *s;\n")
	g.b.WriteString("#define M(x) f((x) + 1)\n#define N(c, x) c(x, 2)\n#define O M\n")
	if g.cxx {
		g.b.WriteString("template <class T> T t(T x) { return x; }\nstruct K { int m(int a) { return f(a); } static int st(int a) { return g(a, 1); } } k;\n")
	}
	for i := range functions {
		fmt.Fprintf(&g.b, "%sint F%d(int a, int b)\n{\n", []string{"", "static ", "__inline "}[g.r.IntN(3)], i)
		for range 1 + g.r.IntN(6) {
			g.statement(3)
		}
		g.b.WriteString("    return " + g.expr(3) + ";\n}\n")
	}
	return g.b.String()
}

func (g *callGenerator) expr(depth int) string {
	if depth == 0 {
		return []string{"a", "b", "1", "v", "(char)2", "s->n", "sizeof(int)"}[g.r.IntN(7)]
	}
	x := func() string { return g.expr(depth - 1 - g.r.IntN(depth)) }
	forms := []func() string{
		func() string { return "f(" + x() + ")" },
		func() string { return "g(" + x() + ", " + x() + ")" },
		func() string { return "h()" },
		func() string { return "s->p(" + x() + ")" },
		func() string { return "M(" + x() + ")" },
		func() string { return "N(g, " + x() + ")" },
		func() string { return "O(" + x() + ")" },
		func() string { return "(" + x() + " ? " + x() + " : " + x() + ")" },
		func() string { return "(" + x() + " + " + x() + ")" },
		func() string { return "(a) & " + x() },
		func() string { return "(int)" + x() },
		func() string { return "!f (" + x() + ")" },
		func() string { return "k.m(" + x() + ")" },
		func() string { return "K::st(" + x() + ")" },
		func() string { return "t<int>(" + x() + ")" },
		func() string { return "t(" + x() + ")" },
	}
	n := len(forms)
	if !g.cxx {
		n -= 4
	}
	return forms[g.r.IntN(n)]()
}

func (g *callGenerator) statement(depth int) {
	e := func() string { return g.expr(g.r.IntN(4)) }
	kind := g.r.IntN(10)
	if depth == 0 {
		kind = g.r.IntN(4)
	}
	switch kind {
	case 0:
		g.b.WriteString("v = " + e() + ";\n")
	case 1:
		g.b.WriteString("{ int x = " + e() + ", *y = &x; v += x * *y; }\n")
	case 2:
		g.b.WriteString("f(" + e() + ");\n")
	case 3:
		g.b.WriteString("v |= " + e() + ", v = " + e() + ";\n")
	case 4:
		g.b.WriteString("if (" + e() + ") {\n")
		g.statement(depth - 1)
		g.b.WriteString("} else\n")
		g.statement(depth - 1)
	case 5:
		g.b.WriteString("while (" + e() + ")\n")
		g.statement(depth - 1)
	case 6:
		g.b.WriteString("switch (" + e() + ") { case 1: default:\n")
		g.statement(depth - 1)
		g.b.WriteString("}\n")
	case 7:
		g.b.WriteString("for (v = " + e() + "; " + e() + "; " + e() + ") {\n")
		g.statement(depth - 1)
		g.b.WriteString("}\n")
	case 8:
		g.b.WriteString("__try {\n")
		g.statement(depth - 1)
		g.b.WriteString("} __except (" + e() + ") {\n")
		g.statement(depth - 1)
		g.b.WriteString("}\n")
	case 9:
		g.b.WriteString("#if " + []string{"0", "1", "defined(M)"}[g.r.IntN(3)] + "\n")
		g.statement(depth - 1)
		g.b.WriteString("#else\n")
		g.statement(depth - 1)
		g.b.WriteString("#endif\n")
	}
}
