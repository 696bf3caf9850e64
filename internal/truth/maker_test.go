package truth

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/project"
)

// maxChoices bounds the ways through a program: it is run with every combination of them.
const maxChoices = 4

// maker writes one program: DriverEntry, an opt-in or none, and routines that Windows calls later, with requests in all of
// them. Every function is called, every branch is taken by some combination of choices, and no two branches hang on the same
// choice, so that what is seen at run is all that can be.
type maker struct {
	*rand.Rand
	program
	language project.Language
	on       map[string]bool // the features it may use
	sources  []*sourceFile
	header   []string // the lines of drv.h behind the kit's header
	names    int
	phase    int // grows where the state of the opt-in may change: functions of one phase are not called in another
	shared   []sharedWrapper
	tag      string // the type that tells its operator new
	// What may be chosen from: the tables without the features that are off.
	statements []statementFeature
	values     []valueFeature
	optIns     []optInFeature
	requests   []requestText
}

// sourceFile is a unit while it is written.
type sourceFile struct {
	name      string
	defines   []string // on the command line
	before    []string // lines in front of the kit's header
	after     []string // lines behind it
	functions []string
}

// function is a function while it is written.
type function struct {
	in     *sourceFile
	body   []string
	indent int
	result string // " VALUE" of a return before the end
}

// sharedWrapper is a function that passes its parameter to a request, and may be called again in the same phase.
type sharedWrapper struct {
	name  string
	in    *sourceFile
	phase int
}

// generate gives the program of that number. Those of a hundred are in one language, so that they compile together.
func generate(seed uint64, number int, on map[string]bool) program {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, uint64(number))), on: on, language: project.C}
	if number/batch%2 == 1 {
		m.language = project.CXX
	}
	m.name = fmt.Sprintf("P%d", number)
	m.files = map[string]string{}
	off := func(feature string) bool { return !on[feature] }
	m.statements = slices.DeleteFunc(statements(m.language), func(s statementFeature) bool { return off(s.feature) })
	m.values = slices.DeleteFunc(values(), func(v valueFeature) bool { return off(v.feature) })
	m.requests = known()
	m.optIns = slices.DeleteFunc(optIns(), func(o optInFeature) bool { return off(o.feature) })
	for i := range 1 + m.IntN(4) {
		m.sources = append(m.sources, &sourceFile{name: string(rune('a'+i)) + m.extension()})
	}
	m.mechanisms()
	m.entry()
	m.finish()
	return m.program
}

func (m *maker) extension() string {
	if m.language == project.CXX {
		return ".cpp"
	}
	return ".c"
}

// fresh gives a name that no other program has.
func (m *maker) fresh(what string) string {
	m.names++
	return fmt.Sprintf("%s_%s%d", m.name, what, m.names)
}

func (m *maker) chance(percent int) bool { return m.IntN(100) < percent }

func pick[T any](m *maker, list ...T) T { return list[m.IntN(len(list))] }

// way gives a condition of its own, or "" where the program has enough of them.
func (m *maker) way() string {
	if m.choices == maxChoices {
		return ""
	}
	m.choices++
	return fmt.Sprintf("Way(%d)", m.choices-1)
}

func (f *function) line(format string, args ...any) {
	f.body = append(f.body, strings.Repeat("    ", 1+f.indent)+fmt.Sprintf(format, args...))
}

// block writes lines between braces behind a head.
func (f *function) block(head string, inside func()) {
	f.line("%s {", head)
	f.indent++
	inside()
	f.indent--
	f.line("}")
}

// write ends a function: it stands in its file in front of those that call it.
func (m *maker) write(f *function, head string) {
	f.in.functions = append(f.in.functions, head, "{")
	f.in.functions = append(f.in.functions, f.body...)
	f.in.functions = append(f.in.functions, "}", "")
}

// elsewhere gives the file for a function that one in f.in calls: the same, or another one.
func (m *maker) elsewhere(f *function) *sourceFile {
	if m.on["files"] && m.chance(50) {
		return pick(m, m.sources...)
	}
	return f.in
}

// declare gives the storage class of a function in file that another calls, and declares it where it must be.
func (m *maker) declare(file, caller *sourceFile, head string) string {
	if file == caller && m.chance(60) {
		return "static "
	}
	m.header = append(m.header, head+";")
	return ""
}

// mechanisms decides how each file is compiled.
func (m *maker) mechanisms() {
	all := pick(m, m.enabled("none", "optin", "optin", "optin", "auto")...)
	for _, s := range m.sources {
		mechanism := all
		if m.on["mixed"] && m.chance(15) {
			mechanism = pick(m, m.enabled("none", "optin", "auto")...)
		}
		macro := map[string]string{"optin": "POOL_NX_OPTIN", "auto": "POOL_NX_OPTIN_AUTO"}[mechanism]
		switch {
		case macro == "" && m.on["zero"] && m.chance(30):
			s.defines = append(s.defines, pick(m, "POOL_NX_OPTIN=0", "POOL_NX_OPTIN_AUTO=0"))
		case macro == "":
		case m.on["defined-in-file"] && m.chance(25):
			s.before = append(s.before, "#define "+macro+" 1")
		default:
			s.defines = append(s.defines, macro+"=1")
		}
		if m.on["optout"] && m.chance(20) {
			m.optOut(s)
		}
	}
}

// optOut takes a file out of its mechanism, or looks as if it did.
func (m *maker) optOut(s *sourceFile) {
	switch m.IntN(4) {
	case 0:
		s.before = append(s.before, "#define POOL_NX_OPTOUT 1")
	case 1:
		s.defines = append(s.defines, "POOL_NX_OPTOUT=1")
	case 2:
		s.before = append(s.before, "#define POOL_NX_OPTOUT 0")
	case 3:
		s.after = append(s.after, "#define POOL_NX_OPTOUT 1")
	}
}

// enabled leaves out the features that are off.
func (m *maker) enabled(names ...string) []string {
	var list []string
	for _, name := range names {
		if m.on[name] || name == "none" {
			list = append(list, name)
		}
	}
	return list
}

// entry writes DriverEntry and what it calls.
func (m *maker) entry() {
	f := &function{in: m.sources[0], result: " STATUS_INSUFFICIENT_RESOURCES"}
	across := ""
	if m.on["across"] && m.chance(30) {
		across, _ = m.newWrapper(f, 2)
		f.line("%s(%s, 7);", across, m.constant())
	}
	kept := ""
	if m.on["kept-across"] && m.chance(30) {
		kept = m.fresh("kept")
		f.line("POOL_TYPE %s = %s;", kept, m.constant())
	}
	if m.on["early"] && m.chance(40) {
		m.some(f, 1+m.IntN(2))
	}
	m.phase++
	m.optIn(f)
	m.phase++
	if kept != "" {
		f.line("ExAllocatePool(%s, 7);", kept)
	}
	if across != "" {
		f.line("%s(%s, 7);", across, m.constant())
	}
	m.some(f, 1+m.IntN(6))
	for i := range m.IntN(3) {
		f.line("Object->MajorFunction[%d] = %s;", i, m.later(f))
	}
	f.line("return STATUS_SUCCESS;")
	head := "NTSTATUS DriverEntry(PDRIVER_OBJECT Object, PUNICODE_STRING Path)"
	if m.language == project.CXX {
		head = `extern "C" ` + head
	}
	m.write(f, head)
}

// later gives a routine that Windows calls once the driver is there.
func (m *maker) later(f *function) string {
	g := &function{in: m.elsewhere(f), result: " STATUS_INSUFFICIENT_RESOURCES"}
	name := m.fresh("Dispatch")
	m.some(g, 1+m.IntN(3))
	g.line("return STATUS_SUCCESS;")
	head := "NTSTATUS " + name + "(PDEVICE_OBJECT Device, PIRP Irp)"
	m.write(g, m.declare(g.in, f.in, head)+head)
	return name
}

func (m *maker) some(f *function, n int) {
	for range n {
		m.statement(f, 3)
	}
}

// finish puts the files together.
func (m *maker) finish() {
	const open = "#ifndef %s_DRV_H\n#define %[1]s_DRV_H\n#include <ntddk.h>\n"
	m.files[m.name+"/drv.h"] = fmt.Sprintf(open, m.name) + lines(m.header) + "#endif\n"
	for _, s := range m.sources {
		p := m.name + "/" + s.name
		m.files[p] = lines(s.before) + pick(m, "#include \"drv.h\"\n", "#include <ntifs.h>\n#include \"drv.h\"\n") +
			lines(s.after) + "\n" + lines(s.functions)
		m.units = append(m.units, unit{path: p, language: m.language, defines: s.defines})
	}
}

func lines(list []string) string {
	var b strings.Builder
	for _, l := range list {
		b.WriteString(l + "\n")
	}
	return b.String()
}
