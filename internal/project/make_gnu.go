package project

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// The language of GNU make: variables, conditionals, functions and rules. Specification: the GNU make manual. It is read
// as on Windows under MSYS, where drivers are built with such files.

// gnuMake is one make file under evaluation.
type gnuMake struct {
	*reader
	dir       string // that make runs in
	texts     map[string]*file
	variables map[string]*variable
	fixed     map[string]bool        // variables of make's command line, which no file sets
	scopes    []map[string]*variable // what is set for a target, a call or a loop, the innermost last
	rules     *rules
	open      []string // files being read, one included by the other
	active    []string // variables under expansion, one used by the other
	depth     int      // of functions and references
	evals     int
	notes     []driver.Step
	functions map[string]makeFunction
	walked    map[string][]string // directories -> files below
	depths    depths
}

// variable is one of make's. A simple one, set by :=, is expanded already.
type variable struct {
	value  text
	simple bool
	origin string
}

// note says something once about every image of the file.
func (g *gnuMake) note(at driver.Place, format string, arguments ...any) {
	g.notes = addNote(g.notes, at, format, arguments...)
}

// gnuDefaults are the variables that make or its environment on Windows set.
var gnuDefaults = map[string]string{
	"CC": "cc", "CXX": "g++", "CPP": "$(CC) -E", "AR": "ar", "ARFLAGS": "rv", "AS": "as", "LD": "ld", "RM": "rm -f",
	"MAKE": "make", "SHELL": "sh", "OS": "Windows_NT", "OUTPUT_OPTION": "-o $@", "MAKE_VERSION": "4.4",
	"COMPILE.c": "$(CC) $(CFLAGS) $(CPPFLAGS) $(TARGET_ARCH) -c", "COMPILE.cpp": "$(COMPILE.cc)",
	"COMPILE.cc": "$(CXX) $(CXXFLAGS) $(CPPFLAGS) $(TARGET_ARCH) -c",
	"LINK.o":     "$(CC) $(LDFLAGS) $(TARGET_ARCH)", "LINK.c": "$(CC) $(CFLAGS) $(CPPFLAGS) $(LDFLAGS) $(TARGET_ARCH)",
	"LINK.cc": "$(CXX) $(CXXFLAGS) $(CPPFLAGS) $(LDFLAGS) $(TARGET_ARCH)", "LINK.cpp": "$(LINK.cc)",
}

// gnuRules are make's own, which count after those of the file.
const gnuRules = `
%.o: %.c
	$(COMPILE.c) $(OUTPUT_OPTION) $<
%.o: %.cc
	$(COMPILE.cc) $(OUTPUT_OPTION) $<
%.o: %.cpp
	$(COMPILE.cpp) $(OUTPUT_OPTION) $<
%.o: %.cxx
	$(COMPILE.cc) $(OUTPUT_OPTION) $<
`

// newGNUMake gives make in a directory, with the variables of its command line.
func newGNUMake(r *reader, dir string, texts map[string]*file, given map[string]text) *gnuMake {
	g := &gnuMake{reader: r, dir: dir, texts: texts, variables: map[string]*variable{}, fixed: map[string]bool{},
		functions: gnuFunctions(), walked: map[string][]string{}, depths: depths{}}
	for name, value := range gnuDefaults {
		origin := "default"
		if name == "OS" {
			origin = "environment"
		}
		g.variables[name] = &variable{value: plain(value), origin: origin}
	}
	g.variables["CURDIR"] = &variable{value: plain(absolutePath(dir)), simple: true, origin: "file"}
	for name, value := range given {
		g.variables[name] = &variable{value: value, simple: true, origin: "command line"}
		g.fixed[name] = true
	}
	g.rules = newRules(r, dir, g.expandFor)
	return g
}

// expandFor expands a text of a rule: with the settings of its targets, the outermost first, and automatic variables.
func (g *gnuMake) expandFor(settings []setting, automatic map[string]text, t text) text {
	if !g.spend(8 * (len(settings) + len(automatic))) {
		return nil
	}
	scope := map[string]*variable{}
	g.scopes = append(g.scopes, scope)
	for _, s := range settings {
		if strings.HasSuffix(s.operator, ":=") {
			scope[s.name] = &variable{value: s.value, simple: true, origin: "file"}
		} else {
			g.set(scope, s.name, s.operator, s.value)
		}
	}
	for name, value := range automatic {
		scope[name] = &variable{value: value, simple: true, origin: "automatic"}
	}
	t = g.expand(t)
	g.scopes = g.scopes[:len(g.scopes)-1]
	return t
}

// lookup gives a variable from the innermost scope that has it, nil where none does.
func (g *gnuMake) lookup(name string) *variable {
	for _, scope := range slices.Backward(g.scopes) {
		if v := scope[name]; v != nil {
			return v
		}
	}
	return g.variables[name]
}

// load reads a make file.
//
// A byte order mark is passed over. The text of a file is kept for make files that call
// themselves again.
func (g *gnuMake) load(p string) error {
	f := g.texts[p]
	if f == nil && g.broken[p] == nil {
		data, err := readMake(g.tree, p)
		if err != nil {
			g.broken[p] = err
		}
		f = newFile(p, data)
		g.texts[p] = f
	}
	if err := g.broken[p]; err != nil {
		return err
	}
	g.set(g.variables, "MAKEFILE_LIST", "+=", plain(g.rules.relative(p)))
	g.open = append(g.open, p)
	from := len(f.data) - len(strings.TrimPrefix(string(f.data), bom))
	err := g.run(text{{text: string(f.data[from:]), file: f, at: from}})
	g.open = g.open[:len(g.open)-1]
	return err
}

// run evaluates the lines of a make file, or those that eval is given.
func (g *gnuMake) run(t text) error {
	var open []branch
	inRule := false
	for l := linesOf(t); ; {
		line, ok := l.logical()
		if !ok {
			break
		}
		s := line.String()
		if !g.spend(len(s) + len(line)) {
			return errWork
		}
		reading := isRead(open)
		g.depths.note(line, len(open))
		if inRule && strings.HasPrefix(s, "\t") {
			if reading {
				g.rules.command(line.slice(1, len(s)).trim())
			}
			continue
		}
		line = uncommented(line)
		word, rest := firstWord(line)
		if word == "" {
			continue
		}
		if conditionals[word] {
			var err error
			if open, err = g.conditional(open, word, rest); err != nil {
				return err
			}
			continue
		}
		if reading {
			inRule = g.statement(l, word, rest, line)
		} else if word == "define" {
			defineBody(l)
		}
	}
	if len(open) > 0 {
		at := open[len(open)-1].at
		return fmt.Errorf("line %d: %s without endif", at.place().Line, at)
	}
	return nil
}

// statement does what a line says, and says whether the recipe of a rule may follow.
func (g *gnuMake) statement(l *lines, word string, rest, line text) bool {
	switch word {
	case "define":
		g.define(l, rest)
	case "include", "-include", "sinclude":
		g.include(rest, word == "include")
	case "vpath":
		if list := words(g.expand(rest)); len(list) > 1 {
			g.rules.searched(list[1:])
		}
	case "undefine":
		delete(g.variables, g.expand(rest).trim().String())
	case "export", "unexport", "override", "private":
		if a, ok := assignmentOf(line.String()); ok && a.name == 0 {
			return g.assignOrRule(line) // a variable of that name
		}
		if inner, after := firstWord(rest); inner == "define" {
			g.define(l, after)
		} else if _, ok := assignmentOf(rest.String()); ok {
			g.overriding(word, rest)
		}
	default:
		return g.assignOrRule(line)
	}
	return false
}

// include reads the files that a line names.
func (g *gnuMake) include(names text, needed bool) {
	for _, name := range words(g.expand(names)) {
		at := name.from(names).place()
		if name.unknown() {
			g.note(at, "the include of %s can't be evaluated; it is left out", shortened(name))
			continue
		}
		found := g.glob(name.String())
		if len(found) == 0 && needed {
			g.note(at, "the include %s is not there", name)
		}
		for _, p := range found {
			g.includeFile(g.tree.Join(g.dir, p), at)
		}
	}
}

// includeFile reads an included file in place, but none that is being read: it would include itself without end.
func (g *gnuMake) includeFile(p string, at driver.Place) {
	switch {
	case !g.tree.Within(p):
		g.note(at, "the include %s is left out: it lies outside of what was named", p)
	case len(g.open) >= maxIncludeDepth || slices.Contains(g.open, p):
		g.note(at, "the include %s is left out: it includes itself, or is nested too deep", p)
	default:
		if err := g.load(p); err != nil {
			g.broken[p] = err
			g.note(at, "the include %s can't be read: %v", p, err)
		}
	}
}

// rule takes a line that is no assignment: targets, and what they need or what is set for them.
func (g *gnuMake) rule(line text) bool {
	s := line.String()
	i := colon(s)
	if i < 0 {
		line = g.expand(line).trim()
		s = line.String()
		if i = colon(s); i < 0 {
			if s != "" && !line.unknown() {
				g.note(line.place(), "%q is neither an assignment nor a rule; it is left out", shortened(line))
			}
			return false
		}
	}
	targets := words(g.expand(line.slice(0, i)))
	rest := line.slice(i+1, len(s))
	if strings.HasPrefix(rest.String(), ":") && !strings.HasPrefix(rest.String(), ":=") {
		rest = rest.slice(1, len(s))
	}
	rest = rest.trim()
	if name, operator, value, ok := g.targetSetting(rest); ok {
		if strings.HasSuffix(operator, ":=") { // at once, unlike what it is set to for a target otherwise
			value = g.expand(value)
		}
		g.rules.setting(targets, setting{name, operator, value})
		return false
	}
	rest, inline, hasInline := cutOutside(rest, ';')
	needs, _, _ := cutOutside(rest, '|') // what follows must be there, but is no part of the target
	first := g.expand(needs)
	if j := colon(first.String()); j >= 0 {
		g.rules.static(targets, first.slice(0, j).trim(), words(first.slice(j+1, first.len())))
	} else {
		g.rules.add(targets, words(first), line.place())
	}
	if hasInline {
		g.rules.command(inline.trim())
	}
	return true
}

// targetSetting reads what is set for targets alone: [override|export|private] NAME op value.
func (g *gnuMake) targetSetting(t text) (name, operator string, value text, ok bool) {
	for {
		word, rest := firstWord(t)
		if !slices.Contains([]string{"override", "export", "private"}, word) {
			break
		}
		t = rest
	}
	s := t.String()
	a, ok := assignmentOf(s)
	if !ok {
		return "", "", nil, false
	}
	return g.expand(t.slice(a.name, a.end)).trim().String(), a.operator, t.slice(a.value, len(s)).trim(), true
}
