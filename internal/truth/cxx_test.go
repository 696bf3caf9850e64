package truth

import (
	"strings"
)

// cxxStatements are those that only C++ has.
func cxxStatements() []statementFeature {
	return []statementFeature{
		{"new", func(m *maker, f *function, depth int) bool {
			if m.tag == "" { // one operator for the program, told from those of others by a type
				m.tag = m.fresh("Tag")
				head := "void *operator new(SIZE_T Size, POOL_TYPE Type, " + m.tag + " *, ULONG) noexcept"
				m.header = append(m.header, "struct "+m.tag+" { int n; };", head+";")
				g := &function{in: m.elsewhere(f)}
				g.line("return ExAllocatePoolWithTag(Type, Size, 'gaT6');")
				m.write(g, head)
			}
			f.line("new (%s, (%s *)0, 1) int;", m.value(f, depth-1), m.tag)
			return true
		}},
		{"default-argument", func(m *maker, f *function, depth int) bool {
			g := &function{in: f.in}
			name := m.fresh("Default")
			g.line("return ExAllocatePool(Type, n);")
			m.write(g, "static PVOID "+name+"(SIZE_T n, POOL_TYPE Type = "+m.constant()+")")
			f.line("%s(1);", name)
			if m.chance(50) {
				f.line("%s(1, %s);", name, m.constant())
			}
			return true
		}},
		{"overload", func(m *maker, f *function, depth int) bool {
			name := m.fresh("Over")
			for n, params := range []string{"POOL_TYPE Type", "POOL_TYPE Type, SIZE_T n"} {
				g := &function{in: f.in}
				g.line("return ExAllocatePool(Type, 3);")
				m.write(g, "static PVOID "+name+"("+params+")")
				f.line("%s(%s%s);", name, m.constant(), strings.Repeat(", 1", n))
			}
			return true
		}},
		{"class", func(m *maker, f *function, depth int) bool {
			name := m.fresh("Class")
			f.in.functions = append(f.in.functions, "class "+name+" {", "    POOL_TYPE m_type;", "public:",
				"    "+name+"(POOL_TYPE Type) : m_type(Type) {}",
				"    PVOID Get(SIZE_T n) { return ExAllocatePool(m_type, n); }",
				"    static PVOID Make(POOL_TYPE Type) { return ExAllocatePool(Type, 4); }", "};")
			object := m.fresh("o")
			f.line("%s %s(%s);", name, object, m.constant())
			f.line("%s.Get(1);", object)
			f.line("%s::Make(%s);", name, m.constant())
			return true
		}},
		{"lambda", func(m *maker, f *function, depth int) bool {
			name := m.fresh("lambda")
			f.line("auto %s = [](POOL_TYPE Type) { return ExAllocatePool(Type, 21); };", name)
			f.line("%s(%s);", name, m.constant())
			return true
		}},
		{"constructor", func(m *maker, f *function, depth int) bool {
			name := m.fresh("Auto")
			f.in.functions = append(f.in.functions, "struct "+name+" {",
				"    "+name+"() { "+m.request(f, 0)+"; }", "    ~"+name+"() { "+m.request(f, 0)+"; }", "};")
			f.block("", func() { f.line("%s object;", name) })
			return true
		}},
		{"template", func(m *maker, f *function, depth int) bool {
			name := m.fresh("Make")
			f.in.functions = append(f.in.functions, "template <class T>", "T *"+name+"(POOL_TYPE Type)", "{",
				"    return (T *)ExAllocatePool(Type, sizeof(T));", "}")
			f.line("%s<int>(%s);", name, m.value(f, depth-1))
			return true
		}},
		{"namespace", func(m *maker, f *function, depth int) bool {
			name := m.fresh("space")
			f.in.functions = append(f.in.functions, "namespace "+name+" {",
				"static PVOID Get(POOL_TYPE Type) { return ExAllocatePool(Type, 22); }", "}")
			f.line("%s::Get(%s);", name, m.value(f, depth-1))
			return true
		}},
		{"static-method", func(m *maker, f *function, depth int) bool {
			name := m.fresh("Class")
			f.in.functions = append(f.in.functions, "struct "+name+" { static PVOID Make(POOL_TYPE Type); };",
				"PVOID "+name+"::Make(POOL_TYPE Type) { return ExAllocatePool(Type, 23); }")
			f.line("%s::Make(%s);", name, m.value(f, depth-1))
			return true
		}},
		{"same-method", func(m *maker, f *function, depth int) bool {
			for range 2 {
				name := m.fresh("Class")
				f.in.functions = append(f.in.functions, "struct "+name+" { PVOID Allocate(POOL_TYPE Type) { return ExAllocatePool(Type, 24); } };")
				f.line("%s %s_o; %[2]s_o.Allocate(%[3]s);", name, name, m.constant())
			}
			return true
		}},
		{"reference", func(m *maker, f *function, depth int) bool {
			g := &function{in: f.in}
			name := m.fresh("Get")
			g.line("return ExAllocatePool(Type, 25);")
			m.write(g, "static PVOID "+name+"(const POOL_TYPE &Type)")
			f.line("%s(%s);", name, m.constant())
			return true
		}},
		{"linkage", func(m *maker, f *function, depth int) bool {
			name := m.fresh("Linked")
			f.in.functions = append(f.in.functions, `extern "C" {`, "static PVOID "+name+"(POOL_TYPE Type) { return ExAllocatePool(Type, 26); }", "}")
			f.line("%s(%s);", name, m.value(f, depth-1))
			return true
		}},
		{"raw-string", func(m *maker, f *function, depth int) bool {
			f.line(`(void)R"x(ExAllocatePool(PagedPool, 1); )" /* )x";`)
			return true
		}},
	}
}
