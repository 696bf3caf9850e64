package source

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// programs writes a small program for the preprocessor: macros of all kinds, uses that nest, conditions, headers. A plain one
// has nothing in it that the traditional mode does differently: no variable arguments, and no comma inside an argument but
// in parentheses.
type programs struct {
	*rand.Rand
	plain  bool
	macros []generated
	depth  int
}

type generated struct {
	name     string
	params   int // -1 for a macro without parentheses
	variadic bool
}

func (g *programs) name() string { return fmt.Sprintf("M%d", g.IntN(12)) }

// file gives one file of a program.
func (g *programs) file(headers []string) string {
	var b strings.Builder
	open := 0
	for range 25 + g.IntN(25) {
		switch n := g.IntN(20); {
		case n < 7:
			b.WriteString(g.define())
		case n < 8:
			fmt.Fprintf(&b, "#undef %s\n", g.name())
		case n < 9 && len(headers) > 0:
			fmt.Fprintf(&b, "#include \"%s\"\n", headers[g.IntN(len(headers))])
		case n < 11:
			open++
			fmt.Fprintf(&b, "#if %s\n", g.condition(3))
		case n < 12:
			open++
			fmt.Fprintf(&b, "#if%s %s\n", []string{"def", "ndef"}[g.IntN(2)], g.name())
		case n < 13 && open > 0:
			fmt.Fprintf(&b, "#elif %s\n", g.condition(2))
		case n < 14 && open > 0:
			b.WriteString("#else\n")
		case n < 15 && open > 0:
			open--
			b.WriteString("#endif\n")
		case n < 16:
			fmt.Fprintf(&b, "#pragma %s_macro(\"%s\")\n", []string{"push", "pop"}[g.IntN(2)], g.name())
		default:
			b.WriteString(g.tokens(1+g.IntN(6), nil) + "\n")
		}
	}
	return b.String() + strings.Repeat("#endif\n", open) + g.tokens(8, nil) + "\n"
}

// define gives a definition. What a macro of one name takes never changes, so that each use has the right count.
func (g *programs) define() string {
	i := g.IntN(12)
	for len(g.macros) <= i {
		m := generated{name: fmt.Sprintf("M%d", len(g.macros)), params: g.IntN(4) - 1}
		m.variadic = !g.plain && m.params > 0 && g.IntN(3) == 0
		g.macros = append(g.macros, m)
	}
	m := g.macros[i]
	params := []string{} // not nil: a definition has no line ends
	for i := range m.params {
		params = append(params, fmt.Sprintf("p%d", i))
	}
	head, names := "", params
	if m.params >= 0 {
		head = "(" + strings.Join(params, ", ") + ")"
		if m.variadic {
			names = append(params[:m.params-1:m.params-1], "__VA_ARGS__")
			head = "(" + strings.Join(append(params[:m.params-1:m.params-1], "..."), ", ") + ")"
		}
	}
	body := g.tokens(g.IntN(5), names)
	if g.IntN(6) == 0 {
		body = strings.ReplaceAll(body, " ", " \\\n  ")
	}
	return fmt.Sprintf("#define %s%s %s\n", m.name, head, body)
}

// tokens gives n tokens or uses of macros; params are those of the macro whose body it is for.
func (g *programs) tokens(n int, params []string) string {
	var parts []string
	for range n {
		parts = append(parts, g.token(params))
	}
	return strings.Join(parts, []string{" ", " ", "", "/**/", "  "}[g.IntN(5)][:0]+" ")
}

func (g *programs) token(params []string) string {
	switch n := g.IntN(14); {
	case n < 3 && len(params) > 0:
		return params[g.IntN(len(params))]
	case n < 4 && len(params) > 0:
		return "#" + params[g.IntN(len(params))]
	case n < 6 && len(params) > 0:
		return params[g.IntN(len(params))] + []string{"##", " ## "}[g.IntN(2)] + []string{"x", "_1", params[g.IntN(len(params))]}[g.IntN(3)]
	case n < 10 && g.depth < 2 && len(g.macros) > 0:
		return g.use(params)
	}
	return []string{"a", "b", "x1", "7", "0x1f", "+", "-", "->", ";", "\"s \\\" t\"", "'c'", "[", "]", "e1", "/* c */ d", "<<="}[g.IntN(16)]
}

// use gives the use of a macro. The name of one with parentheses never stands alone: whether a parenthesis out of another
// macro then belongs to it, and whether it may expand again, the standard leaves open (6.10.3.4); rescan.c has what it settles.
func (g *programs) use(params []string) string {
	m := g.macros[g.IntN(len(g.macros))]
	if m.params < 0 {
		return m.name
	}
	g.depth++
	defer func() { g.depth-- }()
	var args []string
	count := m.params
	if m.variadic {
		count += g.IntN(3)
	}
	for range count {
		arg := g.tokens(g.IntN(3), params)
		switch {
		case g.plain && arg == "":
			arg = "e"
		case g.IntN(6) == 0:
			arg = "(" + arg + ", " + arg + ")"
		case g.IntN(12) == 0 && params == nil:
			arg += "\n"
		}
		args = append(args, arg)
	}
	return m.name + []string{"", "", " "}[g.IntN(3)] + "(" + strings.Join(args, ",") + ")"
}

// condition gives an expression of numbers and questions.
func (g *programs) condition(depth int) string {
	if depth == 0 || g.IntN(4) == 0 {
		return []string{"0", "1", "7", "-3", "2u", "0x10", "'a'", "UNKNOWN", "defined " + g.name(), "!defined(" + g.name() + ")", "18446744073709551615u"}[g.IntN(11)]
	}
	a, b := g.condition(depth-1), g.condition(depth-1)
	if g.IntN(8) == 0 {
		return fmt.Sprintf("(%s ? %s : %s)", a, b, g.condition(depth-1))
	}
	op := []string{"||", "&&", "|", "^", "&", "==", "!=", "<", ">", "<=", ">=", "<<", ">>", "+", "-", "*"}[g.IntN(16)]
	if g.IntN(3) == 0 {
		a = "(" + a + ")"
		b = "~(" + b + ")"
	}
	return a + " " + op + " " + b
}

// TestGeneratedPreprocessing compares generated programs with clang, the plain half of them in both modes.
func TestGeneratedPreprocessing(t *testing.T) {
	if testing.Short() {
		t.Skip("needs clang-19")
	}
	const seed, count = 20261123, 500
	t.Logf("seed %d, %d programs", seed, count)
	var wait sync.WaitGroup
	next := make(chan uint64)
	var mu sync.Mutex
	total := 0
	for range runtime.NumCPU() {
		wait.Go(func() {
			for i := range next {
				n := compareGenerated(t, seed, i)
				mu.Lock()
				total += n
				mu.Unlock()
			}
		})
	}
	for i := range uint64(count) {
		next <- i
	}
	close(next)
	wait.Wait()
	if total < 20*count {
		t.Errorf("%d tokens in all: the programs are too small to say anything", total)
	}
	t.Logf("%d tokens", total)
}

// compareGenerated gives the number of tokens that one program has.
func compareGenerated(t *testing.T, seed, i uint64) int {
	g := &programs{Rand: rand.New(rand.NewPCG(seed, i)), plain: i%2 == 0}
	overlay := map[string][]byte{"one.h": []byte(g.file(nil))}
	overlay["two.h"] = []byte(g.file([]string{"one.h"}))
	overlay["main.c"] = []byte(g.file([]string{"one.h", "two.h"}))
	dir := t.TempDir()
	for name, text := range overlay {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			t.Error(err)
			return 0
		}
	}
	clangs := clangTokens(t, dir, "main.c", g.plain)
	for _, traditional := range []bool{false, true}[:1+(i+1)%2] {
		if d := differ(ourTokens(t, overlay, "main.c", traditional), clangs); d != "" {
			t.Errorf("seed %d, program %d, traditional %v: %s\n%s", seed, i, traditional, d, overlay["main.c"])
		}
	}
	return len(clangs)
}
