package truth

import (
	"fmt"
	"slices"
	"strings"
)

// macroStatements are requests by way of the preprocessor.
func macroStatements() []statementFeature {
	return []statementFeature{
		{"macro-wrapper", func(m *maker, f *function, depth int) bool {
			name := m.fresh("NEW")
			fixed := pick(m, "NonPagedPool", "PagedPool", "NonPagedPoolNx", "NonPagedPoolCacheAligned")
			m.header = append(m.header, fmt.Sprintf("#define %s(n) ExAllocatePoolWithTag(%s, (n), 'gaT1')", name, fixed))
			f.line("%s(16);", name)
			return true
		}},
		{"macro-parameter", func(m *maker, f *function, depth int) bool {
			name, value := m.fresh("ALLOC"), m.value(f, depth-1)
			m.header = append(m.header, fmt.Sprintf("#define %s(Type, n) ExAllocatePool%s", name,
				pick(m, "(Type, n)", "WithTag((Type), (n), 'gaT2')", "Zero((Type), n, 'gaT3')")))
			f.line("%s(%s, 16);", name, value)
			return true
		}},
		{"macro-pasted", func(m *maker, f *function, depth int) bool {
			name, value := m.fresh("PASTE"), m.value(f, depth-1)
			m.header = append(m.header, "#define "+name+"(Suffix, Type) ExAllocatePool##Suffix(Type, 16, #Suffix[0])")
			f.line("%s(%s, %s);", name, pick(m, "WithTag", "WithQuotaTag", "Uninitialized", "QuotaZero"), value)
			return true
		}},
		{"macro-variadic", func(m *maker, f *function, depth int) bool {
			name, value := m.fresh("ANY"), m.value(f, depth-1)
			m.header = append(m.header, "#define "+name+"(...) ExAllocatePoolWithTag(__VA_ARGS__)")
			f.line("%s(%s, 16, 'gaT4');", name, value)
			return true
		}},
		{"macro-statement", func(m *maker, f *function, depth int) bool {
			name, value := m.fresh("DO"), m.value(f, depth-1)
			m.header = append(m.header, "#define "+name+"(T) do { PVOID p = ExAllocatePool(T, 1); (void)p; } while (0)")
			f.line("%s(%s);", name, value)
			return true
		}},
		{"macro-over-name", func(m *maker, f *function, depth int) bool {
			f.in.after = append(f.in.after, "#undef ExAllocatePool", "#define ExAllocatePool(t, n) ExAllocatePoolWithTag(t, n, 'gaT5')")
			return false // the next requests use it
		}},
		{"ifdef", func(m *maker, f *function, depth int) bool {
			f.body = append(f.body, pick(m, "#ifdef POOL_NX_OPTIN", "#if POOL_NX_OPTIN_AUTO", "#ifdef NonPagedPool", "#if 0", "#if defined(POOL_NX_OPTOUT)"))
			f.line("%s;", m.request(f, 0))
			f.body = append(f.body, "#else")
			f.line("%s;", m.request(f, 0))
			f.body = append(f.body, "#endif")
			return true
		}},
		{"undef", func(m *maker, f *function, depth int) bool {
			f.body = append(f.body, "#pragma push_macro(\"NonPagedPool\")", "#undef NonPagedPool")
			f.line("ExAllocatePool(NonPagedPool, 16);")
			f.body = append(f.body, "#pragma pop_macro(\"NonPagedPool\")")
			f.line("ExAllocatePool(NonPagedPool, 16);")
			return true
		}},
		{"macro-self", func(m *maker, f *function, depth int) bool {
			name := m.fresh("Self")
			g := &function{in: f.in}
			g.line("return ExAllocatePool(Type, 9);")
			m.write(g, "static PVOID "+name+"(POOL_TYPE Type)")
			f.in.functions = append(f.in.functions, "#define "+name+"(t) "+name+"((POOL_TYPE)((t) | POOL_COLD_ALLOCATION))")
			f.line("%s(%s);", name, m.value(f, depth-1))
			return true
		}},
		{"macro-open", func(m *maker, f *function, depth int) bool {
			name, value := m.fresh("OPEN"), m.value(f, depth-1)
			m.header = append(m.header, "#define "+name+" "+pick(m, "ExAllocatePool(", "ExAllocatePoolWithTag", "ExAllocatePoolWithTag("))
			switch last := m.header[len(m.header)-1]; {
			case strings.HasSuffix(last, "Tag"):
				f.line("%s(%s, 16, 'gaT7');", name, value)
			case strings.HasSuffix(last, "Tag("):
				f.line("%s%s, 16, 'gaT7');", name, " "+value)
			default:
				f.line("%s%s, 16);", name, " "+value)
			}
			return true
		}},
		{"macro-list", func(m *maker, f *function, depth int) bool {
			list, get := m.fresh("LIST"), m.fresh("GET")
			m.header = append(m.header, fmt.Sprintf("#define %s(X) X(%s) X(%s)", list, m.constant(), m.constant()),
				"#define "+get+"(t) ExAllocatePool(t, 11);")
			f.line("%s(%s)", list, get)
			return true
		}},
		{"macro-file", func(m *maker, f *function, depth int) bool {
			name := m.fresh("list") + ".inc"
			m.files[m.name+"/"+name] = fmt.Sprintf("ROW(%s)\n\nROW(%s)\n", m.constant(), m.constant())
			f.body = append(f.body, "#define ROW(t) ExAllocatePool(t, 12);", "#include \""+name+"\"", "#undef ROW")
			return true
		}},
		{"macro-again", func(m *maker, f *function, depth int) bool {
			name := m.fresh("AGAIN")
			for range 2 {
				f.body = append(f.body, "#undef "+name, "#define "+name+" "+m.constant())
				f.line("ExAllocatePool(%s, 13);", name)
			}
			return true
		}},
		{"macro-spliced", func(m *maker, f *function, depth int) bool {
			name := m.fresh("LINES")
			m.header = append(m.header, "#define "+name+"(t, \\", "    n) /* of many", "    lines */ ExAllocate\\", "Pool(\\", "    (t), /* n */ n)")
			f.line("%s(%s, 14);", name, m.value(f, depth-1))
			return true
		}},
		{"macro-nested", func(m *maker, f *function, depth int) bool {
			twice, cat, cat2 := m.fresh("TWICE"), m.fresh("CAT"), m.fresh("CAT")
			m.header = append(m.header, "#define "+cat2+"(a, b) a##b", "#define "+cat+"(a, b) "+cat2+"(a, b)",
				"#define "+twice+"(f, x) f(f(x, Pool), )")
			f.line("ExAllocatePool(%s(%s, NonPaged), 15);", twice, cat)
			return true
		}},
		{"macro-braces", func(m *maker, f *function, depth int) bool {
			begin, end := m.fresh("BEGIN"), m.fresh("END")
			m.header = append(m.header, "#define "+begin+" do {", "#define "+end+" } while (0);")
			f.line("%s", begin)
			m.statement(f, depth-1)
			f.line("%s", end)
			return true
		}},
		{"macro-defines", func(m *maker, f *function, depth int) bool {
			name, define, call := m.fresh("Step"), m.fresh("DEFINE"), m.fresh("CALL")
			m.header = append(m.header, "#define "+define+"(n) static PVOID "+name+"_##n(POOL_TYPE Type)", "#define "+call+"(n) "+name+"_##n")
			g := &function{in: f.in}
			g.line("return ExAllocatePool(Type, 17);")
			m.write(g, define+"(one)")
			f.line("%s(one)(%s);", call, m.value(f, depth-1))
			return true
		}},
		{"split-function", func(m *maker, f *function, depth int) bool {
			name := m.fresh("Split")
			f.in.functions = append(f.in.functions, "#if "+pick(m, "0", "1", "defined(NonPagedPool)"), "static void "+name+"(int a) {",
				"    "+m.request(f, 0)+";", "#else", "static void "+name+"(long a)", "{", "#endif", "    "+m.request(f, 0)+";", "}", "")
			f.line("%s(1);", name)
			return true
		}},
		{"file-function", func(m *maker, f *function, depth int) bool {
			name := m.fresh("Part")
			m.files[m.name+"/"+name+".inl"] = "static PVOID " + name + "(POOL_TYPE Type)\n{\n    return ExAllocatePool(Type, 18);\n}\n"
			f.in.functions = append(f.in.functions, "#include \""+name+".inl\"")
			f.line("%s(%s);", name, m.value(f, depth-1))
			return true
		}},
		{"file-noise", func(m *maker, f *function, depth int) bool {
			name := m.fresh("Noise")
			f.in.functions = append(f.in.functions, strings.ReplaceAll(pick(m,
				`static const char *X[] = { "{", "}", ")" "(", "\"" };`,
				"static int (*X[2])(int, char (*)[3]) = { 0, 0 };",
				"typedef struct X_t { int a : 3; union { int b; void (*c)(int); } d; } X_t, *X_p;",
				"static int X(int a)\n{\n    return a ? (a == '{') : \"}\"[0] + (int)sizeof(int[2]);\n}",
				"enum X_e { X_one = 1, X_two = (X_one << 2) };",
				"static void X(void) <% int a<:1:> = <% 1 %>; %>",
				"#define X_OPEN {\nstatic void X(void) X_OPEN if (1) { } }",
				"static __inline int X(\n    int a, // )\n    int b /* { */)\n{ return a\n#if 0\n    } {\n#endif\n    + b; }",
			), "X", name))
			return false // and a statement
		}},
		{"noise", func(m *maker, f *function, depth int) bool {
			f.line("%s", pick(m, `(void)"ExAllocatePool(PagedPool, 1)";`, `(void)"/*"; (void)'"'; (void)"\"//";`,
				`/* ExAllocatePool(PagedPool, 1); " */`, `// ExAllocatePool(PagedPool, 1); /*`, `(void)'\''; (void)"{((";`,
				`{;;} ; { { } }`))
			return true
		}},
		{"if-expression", func(m *maker, f *function, depth int) bool {
			f.body = append(f.body, "#if "+m.condition(4))
			f.line("%s;", m.request(f, 0))
			f.body = append(f.body, "#elif "+m.condition(3))
			f.line("%s;", m.request(f, 0))
			f.body = append(f.body, "#else")
			f.line("%s;", m.request(f, 0))
			f.body = append(f.body, "#endif")
			return true
		}},
	}
}

// condition is an expression for #if: nothing in it divides by zero or goes beyond 64 bits.
func (m *maker) condition(depth int) string {
	if depth == 0 || m.chance(15) {
		atoms := []string{"0", "1", "2", "0x10", "010", "'a'", "100L", "UNDEFINED", "defined(POOL_NX_OPTIN)", "-1", "~0", "!1",
			"defined(NonPagedPool)", "'\\n'"}
		for feature, atom := range map[string]string{
			"if-unsigned": "7u", "if-long": "3ULL", "if-line": "__LINE__", "if-character": "'\\x41'", "if-kit": "defined _WDMDDK_",
		} {
			if m.on[feature] {
				atoms = append(atoms, atom)
			}
		}
		slices.Sort(atoms)
		return pick(m, atoms...)
	}
	a, b := m.condition(depth-1), m.condition(depth-1)
	switch op := pick(m, "+", "-", "*", "==", "!=", "<", ">", "<=", ">=", "&&", "||", "&", "|", "^", "<<", ">>", "/", "%", "?", "!", "~"); op {
	case "<<", ">>":
		return fmt.Sprintf("((%s) & 15) %s %d", a, op, m.IntN(8))
	case "/", "%":
		return fmt.Sprintf("(%s) %s (((%s) & 7) + 1)", a, op, b)
	case "?":
		return fmt.Sprintf("((%s) ? %s : %s)", a, b, m.condition(depth-1))
	case "*":
		return fmt.Sprintf("((%s) & 255) * ((%s) & 255)", a, b)
	case "!", "~":
		return op + "(" + a + ")"
	case "+", "-":
		return fmt.Sprintf("((%s) & 4095) %s ((%s) & 4095)", a, op, b)
	default:
		if m.chance(50) {
			return fmt.Sprintf("(%s) %s (%s)", a, op, b)
		}
		return fmt.Sprintf("%s %s %s", a, op, b)
	}
}
