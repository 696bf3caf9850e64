package truth

import (
	"fmt"
)

// valueFeature writes an expression of type POOL_TYPE, for use at the end of f; "" where it can't be used here.
type valueFeature struct {
	feature string
	write   func(m *maker, f *function, depth int) string
}

// values are the ways in which a pool type comes to a request, by feature.
func values() []valueFeature {
	return []valueFeature{
		{"literal", func(m *maker, f *function, depth int) string {
			return pick(m, "(POOL_TYPE)0", "(POOL_TYPE)0x200", "((POOL_TYPE)(1))", "(POOL_TYPE)512u", "(POOL_TYPE)04")
		}},
		{"variable", func(m *maker, f *function, depth int) string { return "ExDefaultNonPagedPoolType" }},
		{"or", func(m *maker, f *function, depth int) string {
			return fmt.Sprintf("(POOL_TYPE)(%s | %s)", m.value(f, depth), m.flag())
		}},
		{"plus", func(m *maker, f *function, depth int) string {
			return fmt.Sprintf("(POOL_TYPE)(%s + %s)", pick(m, "NonPagedPool", "NonPagedPoolNx", "PagedPool"), m.flagNotNX())
		}},
		{"ternary", func(m *maker, f *function, depth int) string {
			w := m.way()
			if w == "" {
				return ""
			}
			yes, no := m.value(f, depth), m.value(f, depth)
			return fmt.Sprintf("(%s ? %s : %s)", w, yes, no)
		}},
		{"parentheses", func(m *maker, f *function, depth int) string { return "((" + m.value(f, depth) + "))" }},
		{"alias", func(m *maker, f *function, depth int) string {
			name := m.fresh("POOL")
			m.header = append(m.header, "#define "+name+" "+m.constant())
			return name
		}},
		{"alias-by-if", func(m *maker, f *function, depth int) string {
			name := m.fresh("POOL")
			m.header = append(m.header, pick(m, "#if defined(POOL_NX_OPTIN) || 0", "#ifndef NonPagedPool", "#if 3 > 2 && !POOL_NX_OPTOUT"),
				"#define "+name+" "+m.constant(), "#else", "#define "+name+" "+m.constant(), "#endif")
			return name
		}},
		{"macro-value", func(m *maker, f *function, depth int) string {
			name := m.fresh("COLD")
			m.header = append(m.header, "#define "+name+"(t) ((POOL_TYPE)((t) | POOL_COLD_ALLOCATION))")
			return name + "(" + m.value(f, depth) + ")"
		}},
		{"macro-token", func(m *maker, f *function, depth int) string {
			name := m.fresh("KIND")
			m.header = append(m.header, "#define "+name+"(k) k##Pool")
			return name + "(" + pick(m, "NonPaged", "Paged") + ")"
		}},
		{"macro-first", func(m *maker, f *function, depth int) string {
			name := m.fresh("FIRST")
			m.header = append(m.header, "#define "+name+"(t, ...) t")
			return name + "(" + m.value(f, depth) + ", " + m.constant() + ")"
		}},
		{"enumerator", func(m *maker, f *function, depth int) string {
			name := m.fresh("Enum")
			m.header = append(m.header, "enum { "+name+" = "+m.fixed()+" };")
			return "(POOL_TYPE)" + name
		}},
		{"local", func(m *maker, f *function, depth int) string {
			name, value := m.fresh("t"), m.value(f, depth)
			f.line(pick(m, "POOL_TYPE %s = %s;", "const POOL_TYPE %s = %s;", "POOL_TYPE %s; %[1]s = %[2]s;"), name, value)
			return name
		}},
		{"local-if", func(m *maker, f *function, depth int) string {
			w := m.way()
			if w == "" {
				return ""
			}
			name, first, second := m.fresh("t"), m.value(f, depth), m.constant()
			f.line(pick(m, "POOL_TYPE %s = %s; if (%[3]s) %[1]s = %[4]s;", "POOL_TYPE %s; if (%[3]s) { %[1]s = %s; } else { %[1]s = %[4]s; }"),
				name, first, w, second)
			return name
		}},
		{"local-switch", func(m *maker, f *function, depth int) string {
			w := m.way()
			if w == "" {
				return ""
			}
			name := m.fresh("t")
			f.line("POOL_TYPE %s; switch (%s) { case 0: %[1]s = %[3]s; break; default: %[1]s = %[4]s; break; }", name, w, m.constant(), m.constant())
			return name
		}},
		{"local-or", func(m *maker, f *function, depth int) string {
			w := m.way()
			if w == "" {
				return ""
			}
			name := m.fresh("t")
			f.line("ULONG %s = %s; if (%s) %[1]s |= %[4]s;", name, m.value(f, depth), w, m.flag())
			return "(POOL_TYPE)" + name
		}},
		{"local-twice", func(m *maker, f *function, depth int) string {
			name := m.fresh("t")
			f.line("POOL_TYPE %s = %s;", name, m.constant())
			f.line("ExAllocatePool(%s, 6);", name)
			f.line("%s = %s;", name, m.constant())
			return name
		}},
		{"global", func(m *maker, f *function, depth int) string {
			name := m.fresh("Global")
			m.header = append(m.header, m.external()+"POOL_TYPE "+name+";")
			f.in.functions = append(f.in.functions, "POOL_TYPE "+name+";")
			f.line("%s = %s;", name, m.value(f, depth))
			return name
		}},
		{"global-initialised", func(m *maker, f *function, depth int) string {
			name := m.fresh("Global")
			f.in.functions = append(f.in.functions, pick(m, "static ", "static const ", "const ", "")+"POOL_TYPE "+name+" = "+m.fixed()+";")
			return name
		}},
		{"global-dynamic", func(m *maker, f *function, depth int) string {
			if !m.cpp() {
				return ""
			}
			name := m.fresh("Global")
			f.in.functions = append(f.in.functions, "static POOL_TYPE "+name+" = NonPagedPool;")
			return name
		}},
		{"field", func(m *maker, f *function, depth int) string {
			name := m.fresh("Ext")
			f.in.functions = append(f.in.functions, "static struct { int Size; POOL_TYPE "+name+"_Type; } "+name+";")
			f.line("%s.%[1]s_Type = %s;", name, m.value(f, depth))
			return name + "." + name + "_Type"
		}},
		{"field-by-pointer", func(m *maker, f *function, depth int) string {
			name := m.fresh("Ext")
			m.header = append(m.header, "typedef struct _"+name+" { POOL_TYPE "+name+"_Type; } "+name+";")
			f.line("%s %[1]s_s, *%[1]s_p = &%[1]s_s; %[1]s_p->%[1]s_Type = %s;", name, m.value(f, depth))
			return name + "_p->" + name + "_Type"
		}},
		{"field-initialised", func(m *maker, f *function, depth int) string {
			name := m.fresh("Ext")
			f.in.functions = append(f.in.functions, "static struct { int Size; POOL_TYPE "+name+"_Type; } "+name+" = { 4, "+m.fixed()+" };")
			return name + "." + name + "_Type"
		}},
		{"field-passed", func(m *maker, f *function, depth int) string {
			name := m.fresh("Passed")
			f.in.functions = append(f.in.functions, "static struct "+name+"_s { int Size; POOL_TYPE "+name+"_Type; } "+name+";",
				"static "+pick(m, "", "__attribute__((noinline)) ")+"void "+name+"_Fill(struct "+name+"_s *p) { p->"+name+"_Type = "+m.constant()+"; }")
			f.line("%s_Fill(&%[1]s);", name)
			return name + "." + name + "_Type"
		}},
		{"array-written", func(m *maker, f *function, depth int) string {
			w := m.way()
			if w == "" {
				return ""
			}
			name := m.fresh("Array")
			f.in.functions = append(f.in.functions, "static POOL_TYPE "+name+"[2];")
			f.line("%s[%s] = %s;", name, w, m.constant())
			return name + "[" + w + "]"
		}},
		{"version", func(m *maker, f *function, depth int) string {
			return pick(m, "(KitAtLeast(6, 2) ? NonPagedPoolNx : NonPagedPoolExecute)", "(KitAtLeast(10, 0) ? PagedPool : NonPagedPoolExecute)",
				"(POOL_TYPE)(KitAtLeast(6, 2) << 9)")
		}},
		{"version-variable", func(m *maker, f *function, depth int) string {
			name := m.fresh("Chosen")
			f.in.functions = append(f.in.functions, "static POOL_TYPE "+name+";")
			f.line("if (KitAtLeast(6, 2)) { %s = NonPagedPoolNx; }", name)
			return name
		}},
		{"table", func(m *maker, f *function, depth int) string {
			w := m.way()
			if w == "" {
				return ""
			}
			name := m.fresh("Table")
			f.in.functions = append(f.in.functions, "static const POOL_TYPE "+name+"[2] = { "+m.fixed()+", "+m.fixed()+" };")
			return name + "[" + w + "]"
		}},
		{"return", func(m *maker, f *function, depth int) string {
			g := &function{in: m.elsewhere(f)}
			g.line("return %s;", m.value(g, depth))
			return m.returning(g, f) + "()"
		}},
		{"return-if", func(m *maker, f *function, depth int) string {
			w := m.way()
			if w == "" {
				return ""
			}
			g := &function{in: m.elsewhere(f)}
			g.line("if (%s) { return %s; }", w, m.constant())
			g.line("return %s;", m.constant())
			return m.returning(g, f) + "()"
		}},
		{"return-switch", func(m *maker, f *function, depth int) string {
			w := m.way()
			if w == "" {
				return ""
			}
			g := &function{in: m.elsewhere(f)}
			g.line("switch (%s) { case 1: return %s; default: return %s; }", w, m.constant(), m.constant())
			return m.returning(g, f) + "()"
		}},
		{"return-parameter", func(m *maker, f *function, depth int) string {
			g := &function{in: f.in}
			name := m.fresh("Same")
			g.line("return %s;", pick(m, "Type", "(POOL_TYPE)(Type | POOL_ZERO_ALLOCATION)"))
			m.write(g, "static POOL_TYPE "+name+"(POOL_TYPE Type)")
			return name + "(" + m.value(f, depth) + ")"
		}},
		{"out-parameter", func(m *maker, f *function, depth int) string {
			g := &function{in: f.in}
			name, t := m.fresh("Fill"), m.fresh("t")
			g.line("*Type = %s;", m.constant())
			m.write(g, "static void "+name+"(POOL_TYPE *Type)")
			f.line("POOL_TYPE %s; %s(&%[1]s);", t, name)
			return t
		}},
	}
}

// value gives an expression of type POOL_TYPE.
func (m *maker) value(f *function, depth int) string {
	for list := m.values; depth > 0 && m.chance(75) && len(list) > 0; {
		if s := pick(m, list...).write(m, f, depth-1); s != "" {
			return s
		}
	}
	return m.constant()
}

// constant is a name of the kit, perhaps one that an opt-in redefines.
func (m *maker) constant() string {
	return pick(m, "NonPagedPool", "NonPagedPool", "NonPagedPool", "NonPagedPoolCacheAligned", m.fixed())
}

// fixed is a constant under every mechanism.
func (m *maker) fixed() string {
	return pick(m, "PagedPool", "NonPagedPoolNx", "NonPagedPoolExecute", "NonPagedPoolNxCacheAligned", "PagedPoolCacheAligned",
		"NonPagedPoolMustSucceed", "NonPagedPoolSession", "NonPagedPoolBase")
}

func (m *maker) flag() string { return pick(m, "POOL_NX_ALLOCATION", m.flagNotNX()) }

func (m *maker) flagNotNX() string {
	return pick(m, "POOL_COLD_ALLOCATION", "POOL_ZERO_ALLOCATION", "8", "POOL_RAISE_IF_ALLOCATION_FAILURE")
}

func (m *maker) external() string {
	if m.cpp() {
		return `extern "C" `
	}
	return "extern "
}

// returning writes a function that gives a pool type to f.
func (m *maker) returning(g, f *function) string {
	name := m.fresh("Type")
	head := "POOL_TYPE " + name + "(void)"
	m.write(g, m.declare(g.in, f.in, head)+head)
	return name
}

// passed is what a wrapper makes of its parameter.
func (m *maker) passed(f *function, depth int) string {
	switch {
	case m.on["passed-or"] && m.chance(30):
		return "(POOL_TYPE)(Type | " + m.flag() + ")"
	case m.on["passed-ternary"] && m.chance(20):
		if w := m.way(); w != "" {
			return "(" + w + " ? Type : " + m.constant() + ")"
		}
	case m.on["passed-local"] && m.chance(20):
		name := m.fresh("t")
		f.line("POOL_TYPE %s = Type;", name)
		return name
	case m.on["passed-changed"] && m.chance(20):
		if w := m.way(); w != "" {
			f.line("if (%s) { Type = %s; }", w, m.constant())
		}
	}
	return "Type"
}
