package project

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// SOURCES files are what build.exe of the kits before Windows 8 reads: macros and directives in the language of
// nmake. Each makes the four builds free and checked for x86 and amd64; which Windows those kits' build windows
// target is not written in the file unless it sets _NT_TARGET_VERSION.

// statement is one logical line: an assignment, or a directive (then name is that of the directive with its "!").
type statement struct {
	file   *file
	at     int // of the first byte
	name   string
	value  text
	assign int // offset after "=", or after the directive's name
}

// parseSources cuts a file into its assignments and directives. Anything else, such as rules, is left out.
func parseSources(f *file) []statement {
	var list []statement
	for at := 0; at < len(f.data); {
		line, next := logicalLine(f, at)
		if s, ok := parseStatement(f, line); ok {
			list = append(list, s)
		}
		at = next
	}
	return list
}

// logicalLine joins the line at an offset with those it continues in. Comments are dropped; a line that is nothing
// but a comment does not end a continuation.
func logicalLine(f *file, at int) (line text, next int) {
	for continued := true; continued && at < len(f.data); {
		end := len(f.data)
		if i := bytes.IndexByte(f.data[at:], '\n'); i >= 0 {
			end = at + i
		}
		s := strings.TrimSuffix(string(f.data[at:end]), "\r")
		if at == 0 && strings.HasPrefix(s, bom) {
			s, at = s[len(bom):], len(bom)
		}
		code, _, commented := strings.Cut(s, "#")
		only := commented && strings.Trim(code, white) == ""
		continued = !commented && strings.HasSuffix(code, `\`) || only && line != nil
		if !only {
			code = strings.TrimSuffix(code, `\`)
			line = append(line, span{text: code, file: f, at: at}, span{text: " "})
		}
		at = end + 1
	}
	return line, min(at, len(f.data))
}

func parseStatement(f *file, line text) (statement, bool) {
	line = line.trim()
	s := line.String()
	if s == "" {
		return statement{}, false
	}
	st := statement{file: f, at: line.place().Offset}
	if s[0] == '!' {
		rest := strings.TrimLeft(s[1:], white)
		word := rest[:indexOrEnd(rest, " ", "\t", "(", "\"", "<", "$")]
		st.name = "!" + strings.ToLower(word)
		st.value = line.slice(len(s)-len(rest)+len(word), len(s)).trim()
		return st, true
	}
	equals := strings.IndexByte(s, '=')
	name := strings.Trim(s[:max(equals, 0)], white)
	if !isName(name) {
		return statement{}, false
	}
	st.name = strings.ToLower(name)
	st.value = line.slice(equals+1, len(s)).trim()
	st.assign = line.slice(equals, equals+1).place().Offset + 1
	return st, true
}

// looksLikeSources says whether a file of that name is one of build.exe's.
func looksLikeSources(data []byte) bool {
	return len(data) <= maxXML && !tree.IsBinary(data) && slices.ContainsFunc(parseSources(newFile("", data)), func(s statement) bool {
		return slices.Contains([]string{"targettype", "targetname", "sources", "!include"}, s.name)
	})
}

// makefile is one configuration of a SOURCES file under evaluation.
type makefile struct {
	*reader
	project string
	texts   map[string][]statement // files, parsed once for all configurations
	macros  map[string]text        // by name in lower case
	layers  []*layer               // the assignments to C_DEFINES
	known   map[layerKey]*layer
	open    []string // files being read, one included by the other
	notes   []driver.Step
}

type layerKey struct {
	file *file
	at   int
}

func (m *makefile) note(at driver.Place, format string, arguments ...any) {
	s := driver.Step{Place: at, Says: fmt.Sprintf(format, arguments...)}
	if !slices.Contains(m.notes, s) && len(m.notes) < maxNotes {
		m.notes = append(m.notes, s)
	}
}

// read parses a file of statements.
func (m *makefile) read(p string) ([]statement, error) {
	if list, ok := m.texts[p]; ok {
		return list, m.broken[p]
	}
	data, err := m.tree.Read(p)
	switch {
	case err != nil:
	case bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")):
		err = errors.New("line 1: UTF-16 is not read: save the file as UTF-8")
	case tree.IsBinary(data):
		err = errors.New("line 1: binary, no text")
	case len(data) > maxXML:
		err = fmt.Errorf("line 1: %d bytes, more than the %d that are read of a build file", len(data), maxXML)
	}
	var list []statement
	if err == nil {
		list = parseSources(newFile(p, data))
	} else {
		m.broken[p] = err
	}
	m.texts[p] = list
	return list, err
}

// branch is one open !if: whether its lines are read, and whether one of its branches has been.
type branch struct {
	at          statement
	read, taken bool
}

// run evaluates statements in order.
func (m *makefile) run(list []statement) error {
	var open []branch
	for _, s := range list {
		if !m.spend(0) {
			return errWork
		}
		active := !slices.ContainsFunc(open, func(b branch) bool { return !b.read })
		if s.name[0] == '!' {
			word, value := directive(s)
			var err error
			if open, err = m.conditional(open, word, value, s); err != nil {
				return err
			}
			if active {
				m.command(word, value, s)
			}
		} else if active {
			m.assign(s)
		}
	}
	if len(open) > 0 {
		at := open[len(open)-1].at
		return fmt.Errorf("line %d: %s without !endif", at.file.line(at.at), at.name)
	}
	return nil
}

// directive gives the word of a directive; "!else if" is one word, as is "!elseif".
func directive(s statement) (string, text) {
	value := s.value.String()
	if s.name == "!else" && value != "" {
		word := strings.ToLower(value[:indexOrEnd(value, " ", "\t", "(", "\"", "$", "!")])
		if slices.Contains([]string{"if", "ifdef", "ifndef"}, word) {
			return "!else" + word, s.value.slice(len(word), len(value)).trim()
		}
	}
	return s.name, s.value
}

// conditional keeps account of !if, !else and !endif.
func (m *makefile) conditional(open []branch, word string, value text, s statement) ([]branch, error) {
	test, isElse := strings.CutPrefix(word, "!else")
	switch {
	case word == "!if" || word == "!ifdef" || word == "!ifndef":
		if len(open) >= maxDepth {
			return open, fmt.Errorf("line %d: !if nested too deep", s.file.line(s.at))
		}
		read := !slices.ContainsFunc(open, func(b branch) bool { return !b.read }) && m.test(word[1:], value, s)
		return append(open, branch{s, read, read}), nil
	case (isElse || word == "!endif") && len(open) == 0:
		return open, fmt.Errorf("line %d: %s without !if", s.file.line(s.at), word)
	case word == "!endif":
		return open[:len(open)-1], nil
	case isElse:
		b := &open[len(open)-1]
		outer := !slices.ContainsFunc(open[:len(open)-1], func(b branch) bool { return !b.read })
		b.read = outer && !b.taken && (test == "" || m.test(test, value, s))
		b.taken = b.taken || b.read
	}
	return open, nil
}

// test evaluates the condition of !if, !ifdef or !ifndef. An unknown one is noted and read as false, so that its
// !else is read.
func (m *makefile) test(word string, value text, s statement) bool {
	if word != "if" {
		_, defined := m.macros[strings.ToLower(value.String())]
		return defined == (word == "ifdef")
	}
	t := m.expand(value)
	v, why := unknown, fmt.Sprintf("%q depends on the kit", value)
	if !t.unknown() {
		v, why = evalExpression(t.String(), m.defined, func(p string) bool {
			_, ok := m.tree.Find(m.tree.Join(path.Dir(m.project), p))
			return ok
		})
	}
	if v == unknown {
		m.note(s.file.place(s.at), "the condition of !if is unknown (%s); it is read as false: %s", why, value)
	}
	return v == yes
}

func (m *makefile) defined(name string) bool {
	_, ok := m.macros[strings.ToLower(name)]
	return ok
}

// command does what the other directives say.
func (m *makefile) command(word string, value text, s statement) {
	switch word {
	case "!undef":
		delete(m.macros, strings.ToLower(value.String()))
	case "!include":
		m.include(value, s)
	}
}

const maxIncludeDepth = 16

func (m *makefile) include(value text, s statement) {
	raw := value.String()
	if strings.HasPrefix(raw, "<") || strings.Contains(strings.ToUpper(raw), "$(NTMAKEENV)") {
		return // the kit's own rules, which the tables model
	}
	at := s.file.place(s.at)
	t := m.expand(value)
	name := strings.Trim(t.String(), `" `)
	found, ok := m.tree.Find(m.tree.Join(path.Dir(s.file.path), name))
	switch {
	case t.unknown() || name == "":
		m.note(at, "the !include of %q can't be evaluated; it is left out", raw)
		return
	case !ok:
		m.note(at, "the !include %s is not there", name)
		return
	case len(m.open) >= maxIncludeDepth || found == m.project || slices.Contains(m.open, found):
		m.note(at, "the !include %s is left out: it includes itself, or is nested too deep", name)
		return
	}
	list, err := m.read(found)
	if err == nil {
		m.open = append(m.open, found)
		err = m.run(list)
		m.open = m.open[:len(m.open)-1]
	}
	if err != nil {
		m.broken[found] = err
		m.note(at, "the !include %s can't be read: %v", found, err)
	}
}

// assign sets a macro. Its value is expanded at once: a reference to itself is to the value so far.
func (m *makefile) assign(s statement) {
	m.macros[s.name] = m.expand(s.value)
	if s.name == "c_defines" {
		m.layers = append(m.layers, m.layer(s))
	}
}

// layer gives the layer of an assignment to C_DEFINES, always the same one.
func (m *makefile) layer(s statement) *layer {
	key := layerKey{s.file, s.at}
	if m.known[key] == nil {
		sp := spot{start: s.assign, end: s.assign, before: "-D", separator: " -D"}
		if last := len(s.value) - 1; last >= 0 {
			sp.start = s.value[last].at + len(s.value[last].text)
			sp.end, sp.before = sp.start, " -D"
		}
		inherits := strings.Contains(strings.ToLower(s.value.String()), "$(c_defines)")
		m.known[key] = &layer{file: s.file, at: s.at, inherits: inherits, spot: sp}
	}
	return m.known[key]
}

// expand replaces $(NAME). A macro that is not defined is empty, as for nmake; one of the kit's is unknown.
func (m *makefile) expand(t text) text {
	var out text
	for _, s := range t {
		if !m.spend(referenceWork(s.text)) {
			return nil
		}
		for at := 0; at < len(s.text); {
			start, end := nextReference(s.text, at)
			out = append(out, part(s, at, start)...)
			if start < end {
				out = append(out, m.reference(part(s, start, end))...)
			}
			at = end
		}
	}
	if n := out.len(); !m.spend(n) || n > maxText {
		m.budget = min(m.budget, 0)
		return nil
	}
	return out
}

func (m *makefile) reference(t text) text {
	s := t.String()
	if s[0] != '$' {
		return t
	}
	name := strings.ToLower(s[2 : len(s)-1])
	if v, ok := m.macros[name]; ok {
		return v.from(t)
	}
	if kitMacros[name] || !isName(name) { // the latter is $(NAME:from=to)
		t[0].unknown = true
		return t
	}
	return nil
}

// targetTypes are those of kernel-mode code.
var targetTypes = []string{"DRIVER", "EXPORT_DRIVER", "GDI_DRIVER", "MINIPORT", "HAL", "DRIVER_LIBRARY"}

// oldPlatforms are those the kits before Windows 8 build for, in their own spelling, with the macros and
// directories of each.
var oldPlatforms = []struct {
	name      string
	processor nx.Processor
	macro     string // is 1 where the others are 0
	sources   string // macro of its own source files
	directory string
}{
	{"x86", nx.X86, "386", "i386_sources", "i386"},
	{"amd64", nx.X64, "amd64", "amd64_sources", "amd64"},
}

// oldProcessors are the macros that say which processor is built for.
var oldProcessors = []string{"386", "amd64", "ia64", "arm", "alpha", "mips", "ppc"}

// oldDefines are what build.exe adds for every processor, before the file's own.
var oldDefines = []Define{
	{Name: "CONDITION_HANDLING", Value: "1"}, {Name: "NT_UP", Value: "1"}, {Name: "NT_INST", Value: "0"},
	{Name: "WIN32", Value: "100"}, {Name: "_NT1X_", Value: "100"}, {Name: "WIN32_LEAN_AND_MEAN", Value: "1"},
	{Name: "DEVL", Value: "1"},
}

// loadSourcesFile reads a SOURCES file in all configurations that are wanted.
func (l *loader) loadSourcesFile(p string) loaded {
	r := newReader(l.tree)
	texts, known := map[string][]statement{}, map[layerKey]*layer{}
	out := loaded{}
	for i := range oldPlatforms {
		for _, configuration := range []string{"free", "checked"} {
			platform := oldPlatforms[i].name
			out.configurations = append(out.configurations, configuration+"|"+platform)
			if !l.wants(configuration, platform) {
				continue
			}
			m := &makefile{reader: r, project: p, texts: texts, known: known, macros: oldEnvironment(i, configuration)}
			if err := l.sourcesBuild(m, i, configuration, &out); err != nil {
				return loaded{reads: []string{p}, unreadable: []Skipped{{Path: p, Why: strings.TrimPrefix(err.Error(), p+": ")}}}
			}
		}
	}
	for name := range texts {
		out.reads = append(out.reads, name)
	}
	slices.Sort(out.reads)
	for name, err := range r.broken {
		out.unreadable = append(out.unreadable, Skipped{Path: name, Why: strings.TrimPrefix(err.Error(), name+": ")})
	}
	return out
}

// oldEnvironment gives the macros of a build window.
func oldEnvironment(platform int, configuration string) map[string]text {
	macros := map[string]text{"freebuild": plain("1"), "ddkbuildenv": plain("fre"), "_buildtype": plain("fre")}
	if configuration == "checked" {
		macros = map[string]text{"freebuild": plain("0"), "ddkbuildenv": plain("chk"), "_buildtype": plain("chk")}
	}
	for _, name := range oldProcessors {
		macros[name] = plain("0")
	}
	p := oldPlatforms[platform]
	macros[p.macro] = plain("1")
	macros["_buildarch"] = plain(p.name)
	macros["target_directory"] = plain(p.directory)
	for name, value := range targets {
		macros[name] = plain(value)
	}
	return macros
}

func (l *loader) sourcesBuild(m *makefile, platform int, configuration string, out *loaded) error {
	list, err := m.read(m.project)
	if err == nil {
		err = m.run(list)
	}
	kind := strings.ToUpper(m.macros["targettype"].trim().String())
	if err == nil && kind == "" {
		err = errors.New("line 1: no TARGETTYPE, so what it builds is not known")
	}
	if m.budget <= 0 {
		err = errWork
	}
	if err != nil {
		return err
	}
	if !slices.Contains(targetTypes, kind) {
		out.skipped = append(out.skipped, Skipped{Path: m.project, Why: "user mode: TARGETTYPE " + kind})
		return nil
	}
	p := oldPlatforms[platform]
	b := &Build{Build: driver.Build{
		ID: m.project + "|" + configuration + "|" + p.name, Project: m.project, Configuration: configuration,
		Processor: p.processor, Kit: oldKit, Library: kind == "DRIVER_LIBRARY",
		Minimum: nx.Windows7, MinimumSource: "default",
	}}
	b.Target = m.macros["targetname"].trim().String()
	switch kind {
	case "DRIVER_LIBRARY":
	case "EXPORT_DRIVER":
		b.Entries = []string{"DriverEntry", "DllInitialize"}
	default:
		b.Entries = []string{"DriverEntry"}
	}
	target, given := m.minimum(b)
	kit := append(slices.Clone(oldDefines), toolset(p.processor, configuration == "checked", target, ntddi(target, given))...)
	l.sourcesUnits(m, b, platform, kit)
	if m.budget <= 0 {
		return errWork
	}
	b.Notes = m.notes
	l.finish(b)
	out.builds = append(out.builds, b)
	return nil
}

func (m *makefile) minimum(b *Build) (nx.Version, string) {
	given := m.macros["_nt_target_version"].trim().String()
	v, ok := parseTarget(given)
	if ok {
		b.Minimum, b.MinimumSource = v, "_NT_TARGET_VERSION"
	} else if given != "" {
		m.note(driver.Place{Path: m.project}, "_NT_TARGET_VERSION %q is not understood", given)
	}
	return v, given
}

func (l *loader) sourcesUnits(m *makefile, b *Build, platform int, kit []Define) {
	p := oldPlatforms[platform]
	f := parseFlags(slices.Concat(m.macros["c_defines"], plain(" "), m.macros["user_c_flags"]))
	for _, t := range f.unreadable {
		m.note(t.place(), "the define %q can't be read; it is left out", t)
	}
	o := Options{Processor: b.Processor, Defines: append(kit, f.defines...), Undefines: f.undefines, Forced: f.forced}
	dir := path.Dir(m.project)
	o.Includes = []string{m.tree.Join(dir, p.directory), dir}
	for _, t := range m.macros["includes"].split(';') {
		if name := t.String(); !strings.HasPrefix(name, `\`) && !t.unknown() {
			o.Includes = append(o.Includes, m.tree.Join(dir, name))
		}
	}
	for _, name := range f.includes {
		o.Includes = append(o.Includes, m.tree.Join(dir, name))
	}
	for _, name := range fields(slices.Concat(m.macros["sources"], plain(" "), m.macros[p.sources])) {
		language, ok := languageOf(name.String())
		if !ok || name.unknown() {
			continue
		}
		if !m.spend(unitWork) {
			return
		}
		found, ok := m.tree.Find(m.tree.Join(dir, name.String()))
		if !ok {
			m.note(name.place(), "%s is not there; it is left out (a file made by the build, perhaps)", name)
			continue
		}
		unit := o
		unit.Language = language
		l.add(b, found, unit, nil, m.layers)
	}
}
