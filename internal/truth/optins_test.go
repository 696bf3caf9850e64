package truth

import "github.com/nxport/nxport/internal/project"

// optInFeature writes the opt-in call.
type optInFeature struct {
	feature string
	write   func(m *maker, f *function)
}

// optIns are the ways in which a driver makes the call, by feature.
func optIns() []optInFeature {
	return []optInFeature{
		{"optin", func(m *maker, f *function) { f.line("ExInitializeDriverRuntime(DrvRtPoolNxOptIn);") }},
		{"optin-flags", func(m *maker, f *function) {
			f.line("ExInitializeDriverRuntime(%s);", pick(m, "1", "DrvRtPoolNxOptIn | 2", "0", "2", "(ULONG)DrvRtPoolNxOptIn"))
		}},
		{"optin-none", func(m *maker, f *function) {}},
		{"optin-conditional", func(m *maker, f *function) {
			if w := m.way(); w != "" {
				f.block("if ("+w+")", func() { f.line("ExInitializeDriverRuntime(DrvRtPoolNxOptIn);") })
			}
		}},
		{"optin-both-branches", func(m *maker, f *function) {
			if w := m.way(); w != "" {
				f.block("if ("+w+")", func() { f.line("ExInitializeDriverRuntime(DrvRtPoolNxOptIn);") })
				f.block("else", func() { f.line("ExInitializeDriverRuntime(DrvRtPoolNxOptIn);") })
			}
		}},
		{"optin-macro", func(m *maker, f *function) {
			name := m.fresh("INIT")
			m.header = append(m.header, "#define "+name+"() ExInitializeDriverRuntime(DrvRtPoolNxOptIn)")
			f.line("%s();", name)
		}},
		{"optin-twice", func(m *maker, f *function) {
			f.line("ExInitializeDriverRuntime(DrvRtPoolNxOptIn);")
			f.line("ExInitializeDriverRuntime(DrvRtPoolNxOptIn);")
		}},
		{"optin-do", func(m *maker, f *function) {
			f.line("do { ExInitializeDriverRuntime(DrvRtPoolNxOptIn); } while (0);")
		}},
		{"optin-helper", func(m *maker, f *function) {
			m.optInHelper(f, "void", "ExInitializeDriverRuntime(DrvRtPoolNxOptIn);", "")
		}},
		{"optin-parameter", func(m *maker, f *function) {
			m.optInHelper(f, "ULONG Flags", "ExInitializeDriverRuntime(Flags);", pick(m, "DrvRtPoolNxOptIn", "0"))
		}},
		{"optin-after-return", func(m *maker, f *function) {
			if w := m.way(); w != "" {
				m.optInHelper(f, "void", "if ("+w+") { return; } ExInitializeDriverRuntime(DrvRtPoolNxOptIn);", "")
			}
		}},
		{"optin-in-if", func(m *maker, f *function) {
			if w := m.way(); w != "" {
				f.line("if (%s && (ExInitializeDriverRuntime(DrvRtPoolNxOptIn), 1)) { ; }", w)
			}
		}},
		{"optin-ternary", func(m *maker, f *function) {
			if w := m.way(); w != "" {
				f.line("%s ? ExInitializeDriverRuntime(DrvRtPoolNxOptIn) : (void)0;", w)
			}
		}},
		{"optin-goto", func(m *maker, f *function) {
			if w := m.way(); w != "" {
				label := m.fresh("skip")
				f.line("if (%s) goto %s;", w, label)
				f.line("ExInitializeDriverRuntime(DrvRtPoolNxOptIn);")
				f.line("%s:;", label)
			}
		}},
		{"optin-break", func(m *maker, f *function) {
			if w := m.way(); w != "" {
				f.line("do { if (%s) break; ExInitializeDriverRuntime(DrvRtPoolNxOptIn); } while (0);", w)
			}
		}},
		{"optin-switch", func(m *maker, f *function) {
			if w := m.way(); w != "" {
				f.line("switch (%s) { case 0: ExInitializeDriverRuntime(DrvRtPoolNxOptIn); break; default: break; }", w)
			}
		}},
		{"optin-entry-return", func(m *maker, f *function) {
			if w := m.way(); w != "" {
				f.line("Object->MajorFunction[3] = %s;", m.later(f))
				f.line("if (%s) { return STATUS_SUCCESS; }", w)
				f.line("ExInitializeDriverRuntime(DrvRtPoolNxOptIn);")
			}
		}},
		{"optin-pointer", func(m *maker, f *function) {
			g := &function{in: f.in}
			name, p := m.fresh("Init"), m.fresh("fn")
			g.line("ExInitializeDriverRuntime(DrvRtPoolNxOptIn);")
			m.write(g, "static void "+name+"(void)")
			f.line("void (*%s)(void) = %s; %[1]s();", p, name)
		}},
		{"optin-variable", func(m *maker, f *function) {
			f.line("ULONG %s = %s; ExInitializeDriverRuntime(%[1]s);", m.fresh("flags"), pick(m, "DrvRtPoolNxOptIn", "0"))
		}},
		{"optin-loop", func(m *maker, f *function) {
			f.line("for (int i = 0; i < 1; i++) { ExInitializeDriverRuntime(DrvRtPoolNxOptIn); }")
		}},
		{"optin-in-ifdef", func(m *maker, f *function) {
			f.body = append(f.body, "#ifdef "+pick(m, "POOL_NX_OPTIN", "_NOT_DEFINED_"))
			f.line("ExInitializeDriverRuntime(DrvRtPoolNxOptIn);")
			f.body = append(f.body, "#endif")
		}},
	}
}

func (m *maker) optIn(f *function) {
	if len(m.optIns) > 0 {
		pick(m, m.optIns...).write(m, f)
	}
}

// optInHelper makes the call in a function of its own, among requests.
func (m *maker) optInHelper(f *function, parameter, call, argument string) {
	g := &function{in: m.elsewhere(f)}
	name := m.fresh("Init")
	if m.on["early"] && m.chance(30) {
		m.statement(g, 1)
	}
	m.phase++
	g.line("%s", call)
	m.phase++
	if m.chance(30) {
		m.statement(g, 1)
	}
	head := "void " + name + "(" + parameter + ")"
	m.write(g, m.declare(g.in, f.in, head)+head)
	f.line("%s(%s);", name, argument)
}

func (m *maker) cpp() bool { return m.language == project.CXX }
