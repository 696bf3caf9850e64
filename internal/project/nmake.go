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
)

// The language of nmake: macros that are expanded when they are used, directives with "!", and rules. SOURCES and dirs
// files are written in it, and make files for Microsoft's compiler. Specification: the NMAKE reference of Visual Studio.

// The names of statements that are neither an assignment nor a directive.
const (
	ruleLine    = ":"
	commandLine = "\t"
)

// makefile is one configuration of a file in the language of nmake under evaluation.
type makefile struct {
	*reader
	project string
	texts   map[string][]statement // files, parsed once for all configurations
	macros  map[string]text        // by name in lower case; not expanded yet
	layers  []*layer               // the assignments to C_DEFINES
	known   map[layerKey]*layer
	open    []string // files being read, one included by the other
	notes   []driver.Step

	automatic map[string]text // $@ and the like, while a command is expanded
	active    []string        // macros under expansion, one used by the other
	unset     []string        // macros that were asked for and are set nowhere
	quiet     bool            // no note on them
	rules     *rules          // nil in a SOURCES file
	depths    depths
}

// layerKey identifies a layer: the file, and the offset of the line in it.
type layerKey struct {
	file *file
	at   int
}

// note says something once about the configuration that is evaluated.
func (m *makefile) note(at driver.Place, format string, arguments ...any) {
	m.notes = addNote(m.notes, at, format, arguments...)
}

// read parses a file of statements.
func (m *makefile) read(p string) ([]statement, error) {
	if list, ok := m.texts[p]; ok {
		return list, m.broken[p]
	}
	var list []statement
	data, err := readMake(m.tree, p)
	if err == nil {
		list = parseNmake(newFile(p, data))
	} else {
		m.broken[p] = err
	}
	m.texts[p] = list
	return list, err
}

// readMake reads a make file as text.
func readMake(t *tree.Tree, p string) ([]byte, error) {
	data, err := t.Read(p)
	switch {
	case err != nil:
	case bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")):
		err = errors.New("line 1: UTF-16 is not read: save the file as UTF-8")
	case tree.IsBinary(data):
		err = errors.New("line 1: binary, no text")
	case len(data) > maxBuildFile:
		err = fmt.Errorf("line 1: %d bytes, more than the %d that are read of a build file", len(data), maxBuildFile)
	}
	return data, err
}

// branch is one open !if: whether its lines are read, and whether one of its branches has been.
type branch struct {
	at          text
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
		if m.depths != nil {
			m.depths.note(text{{file: s.file, at: s.at}}, len(open))
		}
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
			m.take(s)
		}
	}
	if len(open) > 0 {
		at := open[len(open)-1].at
		return fmt.Errorf("line %d: %s without !endif", at[0].file.line(at[0].at), at)
	}
	return nil
}

// take does what a statement says that is no directive.
func (m *makefile) take(s statement) {
	switch {
	case s.name == commandLine && m.rules != nil:
		m.rules.command(s.value)
	case s.name == ruleLine && m.rules != nil:
		m.rule(s)
	case s.name != commandLine && s.name != ruleLine:
		m.assign(s)
	}
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
		at := text{{text: word, file: s.file, at: s.at}}
		return append(open, branch{at, read, read}), nil
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
		v, why = evalExpression(t.String(), m.defined, m.exists)
	}
	if v == unknown {
		m.note(s.file.place(s.at), "the condition of !if is unknown (%s); it is read as false: %s", why, value)
	}
	return v == yes
}

// defined is true for a macro that is set to nothing: nmake, "DEFINED".
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
	case "!error":
		m.note(s.file.place(s.at), "nmake stops here with an error: %s; what follows is read all the same", m.expand(value))
	}
}

// maxIncludeDepth bounds includes inside each other, so that a chain of files that each include the next ends.
const maxIncludeDepth = 16

// include reads !INCLUDE in place. What comes from the kit or lies outside of the tree is left out, with a note.
func (m *makefile) include(value text, s statement) {
	raw := value.String()
	if strings.HasPrefix(raw, "<") || strings.Contains(strings.ToUpper(raw), "$(NTMAKEENV)") {
		return // the kit's own rules, which the tables model
	}
	at := s.file.place(s.at)
	m.unset, m.quiet = nil, true // a file that is not found names them
	t := m.expand(value)
	m.quiet = false
	name := strings.Trim(t.String(), `" `)
	found, ok := m.included(name)
	switch {
	case t.unknown() || name == "":
		m.note(at, "the !include of %q can't be evaluated; it is left out", raw)
		return
	case !ok:
		m.note(at, "the !include %s is not there%s", name, m.fromOutside())
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

// included looks for a file where nmake does: in the directory it runs in, in that of the file that includes it, and in
// those of the files that include that.
func (m *makefile) included(name string) (string, bool) {
	for _, from := range append([]string{m.project}, reversed(m.open)...) {
		if found, ok := m.tree.Find(m.tree.Join(path.Dir(from), name)); ok {
			return found, true
		}
	}
	return "", false
}

// reversed gives a list from its end.
func reversed(list []string) []string {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// fromOutside names the macros that were asked for and are set nowhere.
func (m *makefile) fromOutside() string {
	if len(m.unset) == 0 {
		return ""
	}
	return ": $(" + strings.ToUpper(strings.Join(m.unset, ") and $(")) + ") is for the environment to set"
}
