package truth

import (
	"fmt"
	"slices"

	"github.com/nxport/nxport/internal/project"
)

// statementFeature writes a statement. One that can't do its work here writes nothing and reports false; depth bounds what it
// may put inside.
type statementFeature struct {
	feature string
	write   func(m *maker, f *function, depth int) bool
}

// statements are what functions are made of, by feature.
func statements(language project.Language) []statementFeature {
	list := slices.Concat(plainStatements(), macroStatements())
	if language == project.CXX {
		list = append(list, cxxStatements()...)
	}
	return list
}

// plainStatements are those of both languages without macros.
func plainStatements() []statementFeature {
	return []statementFeature{
		{"request", func(m *maker, f *function, depth int) bool {
			f.line("%s;", m.request(f, depth))
			return true
		}},
		{"kept", func(m *maker, f *function, depth int) bool {
			f.line("PVOID %s = %s;", m.fresh("p"), m.request(f, depth))
			return true
		}},
		{"tested", func(m *maker, f *function, depth int) bool {
			if f.result == "" { // the caller could not see that what follows was left out, an opt-in call perhaps
				f.line("if (%s == NULL) { }", m.request(f, depth))
				return true
			}
			f.line("if (%s == NULL) { return%s; }", m.request(f, depth), f.result)
			return true
		}},
		{"argument", func(m *maker, f *function, depth int) bool {
			g := &function{in: f.in}
			name := m.fresh("Use")
			m.write(g, "static void "+name+"(PVOID p, int n)")
			f.line("%s(%s, 1);", name, m.request(f, depth))
			return true
		}},
		{"block", func(m *maker, f *function, depth int) bool {
			f.block("", func() { m.statement(f, depth-1) })
			return true
		}},
		{"if", func(m *maker, f *function, depth int) bool {
			w := m.way()
			if w == "" {
				return false
			}
			f.block("if ("+w+")", func() { m.statement(f, depth-1) })
			if m.chance(50) {
				f.block("else", func() { m.statement(f, depth-1) })
			}
			return true
		}},
		{"if-unbraced", func(m *maker, f *function, depth int) bool {
			w := m.way()
			if w == "" {
				return false
			}
			request := m.request(f, 0)
			f.line("if (%s)", w)
			f.line("    %s;", request)
			return true
		}},
		{"loop", func(m *maker, f *function, depth int) bool {
			i := m.fresh("i")
			head := pick(m, "for (int %s = 0; %[1]s < 2; %[1]s++)", "for (int %s = 2; %[1]s-- > 0;)")
			f.block(fmt.Sprintf(head, i), func() { m.statement(f, depth-1) })
			return true
		}},
		{"do", func(m *maker, f *function, depth int) bool {
			f.block("do", func() { m.statement(f, depth-1) })
			f.line("while (0);")
			return true
		}},
		{"switch", func(m *maker, f *function, depth int) bool {
			w := m.way()
			if w == "" {
				return false
			}
			f.block("switch ("+w+")", func() {
				for _, label := range []string{"case 0", "default"} {
					f.line("%s: {", label)
					m.statement(f, depth-1)
					f.line("break; }")
				}
			})
			return true
		}},
		{"helper", func(m *maker, f *function, depth int) bool {
			g := &function{in: m.elsewhere(f)}
			name := m.fresh("Help")
			m.statement(g, depth-1)
			head := "void " + name + "(void)"
			m.write(g, m.declare(g.in, f.in, head)+head)
			for range 1 + m.IntN(2) {
				f.line("%s();", name)
			}
			return true
		}},
		{"callback", func(m *maker, f *function, depth int) bool {
			g := &function{in: f.in}
			name, p := m.fresh("Callback"), m.fresh("fn")
			g.line("%s;", m.request(g, depth-1))
			m.write(g, "static void "+name+"(void)")
			f.line("void (*%s)(void) = %s; %[1]s();", p, name)
			return true
		}},
		{"wrapper", (*maker).wrapper},
		{"shared-wrapper", func(m *maker, f *function, depth int) bool {
			for _, w := range m.shared {
				if w.phase == m.phase && (w.in == nil || w.in == f.in) {
					value := m.value(f, depth-1)
					f.line("%s(%s, 8);", w.name, value)
					return true
				}
			}
			return false
		}},
		{"static-twins", func(m *maker, f *function, depth int) bool {
			name := m.fresh("Twin")
			for _, s := range m.sources {
				g := &function{in: s}
				g.line("return ExAllocatePool(%s, 1);", pick(m, "Type", "(POOL_TYPE)(Type | POOL_COLD_ALLOCATION)"))
				m.write(g, "static PVOID "+name+"(POOL_TYPE Type)")
				if s == f.in {
					f.line("%s(%s);", name, m.constant())
					continue
				}
				h := &function{in: s}
				h.line("%s(%s);", name, m.constant())
				other := m.fresh("Other")
				m.header = append(m.header, "void "+other+"(void);")
				m.write(h, "void "+other+"(void)")
				f.line("%s();", other)
			}
			return true
		}},
		{"header-function", func(m *maker, f *function, depth int) bool {
			name := m.fresh("Inline")
			m.header = append(m.header, "static __inline PVOID "+name+"(POOL_TYPE Type) { return ExAllocatePool(Type, 2); }")
			f.line("%s(%s);", name, m.value(f, depth-1))
			return true
		}},
		{"by-name", func(m *maker, f *function, depth int) bool {
			f.line("%s(%s, 19, 'gaT8');", pick(m, "KitByName", "KitByConstantName"), m.value(f, depth-1))
			return true
		}},
		{"pointer", func(m *maker, f *function, depth int) bool {
			g := &function{in: f.in}
			name := m.fresh("Target")
			g.line("return ExAllocatePool(Type, 5);")
			m.write(g, "static PVOID "+name+"(POOL_TYPE Type)")
			p := m.fresh("fn")
			f.line("PVOID (*%s)(POOL_TYPE) = %s;", p, name)
			f.line("%s(%s);", p, m.constant())
			m.unknowable = append(m.unknowable, name)
			return true
		}},
	}
}

func (m *maker) statement(f *function, depth int) {
	for range 20 {
		if depth > 0 && len(m.statements) > 0 && pick(m, m.statements...).write(m, f, depth) {
			return
		}
	}
	f.line("%s;", m.request(f, depth))
}

// wrapper calls a function that passes a parameter on to a request, or to another wrapper.
func (m *maker) wrapper(f *function, depth int) bool {
	name, file := m.newWrapper(f, depth)
	for range 1 + m.IntN(2) {
		f.line("%s(%s, 8);", name, m.value(f, depth-1))
	}
	m.shared = append(m.shared, sharedWrapper{name, file, m.phase})
	return true
}

// newWrapper gives the name of a wrapper that f can call, and the file that it is static in.
func (m *maker) newWrapper(f *function, depth int) (string, *sourceFile) {
	g := &function{in: m.elsewhere(f), result: " NULL"}
	name := m.fresh("Get")
	if depth > 0 && m.on["deep-wrapper"] && m.chance(40) {
		inner, _ := m.newWrapper(g, depth-1)
		g.line("return %s(%s, n);", inner, m.passed(g, depth-1))
	} else {
		g.line("return %s(%s, n);", "ExAllocatePool", m.passed(g, depth-1))
	}
	head := "PVOID " + name + "(POOL_TYPE Type, SIZE_T n)"
	class := m.declare(g.in, f.in, head)
	m.write(g, class+head)
	if class == "" {
		return name, nil
	}
	return name, g.in
}
