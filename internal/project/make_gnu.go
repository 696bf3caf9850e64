package project

import (
	"fmt"
	"path"
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
	g.variables["CURDIR"] = &variable{value: plain(slashDirectory(path.Join(dir, "x"))), simple: true, origin: "file"}
	for name, value := range given {
		g.variables[name] = &variable{value: value, simple: true, origin: "command line"}
		g.fixed[name] = true
	}
	g.rules = newRules(r, dir, g.expandFor)
	return g
}

// slashDirectory gives the absolute directory of a file.
func slashDirectory(p string) string { return strings.ReplaceAll(absoluteDirectory(p), `\`, "/") }

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

func (g *gnuMake) lookup(name string) *variable {
	for _, scope := range slices.Backward(g.scopes) {
		if v := scope[name]; v != nil {
			return v
		}
	}
	return g.variables[name]
}

// set does what an assignment says, in a scope.
func (g *gnuMake) set(scope map[string]*variable, name, operator string, value text) {
	before := g.lookup(name)
	switch v := (&variable{value: value, origin: "file"}); {
	case operator == "?=" && before != nil:
		return
	case operator == ":=" || operator == "::=" || operator == ":::=":
		v.value, v.simple = g.expand(value), true
		scope[name] = v
	case operator == "!=":
		v.value, v.simple = unknownText(append(plain("$(shell "), append(g.expand(value), span{text: ")"})...), "it is not run"), true
		scope[name] = v
	case operator == "+=" && before != nil:
		v.simple = before.simple
		if v.simple {
			v.value = g.expand(value)
		}
		if len(before.value) > 0 {
			v.value = slices.Concat(before.value, plain(" "), v.value)
		}
		v.value = g.bound(v.value)
		scope[name] = v
	default:
		scope[name] = v
	}
}

// load reads a make file.
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

// lines cuts a text into lines.
type lines struct {
	source text
	s      string
	at     int
	cursor cursor
}

func linesOf(t text) *lines { return &lines{source: t, s: t.String(), cursor: cursor{text: t}} }

// physical gives the next line, without its newline.
func (l *lines) physical() (text, bool) {
	if l.at >= len(l.s) {
		return nil, false
	}
	start, end := l.at, len(l.s)
	if i := strings.IndexByte(l.s[start:], '\n'); i >= 0 {
		end = start + i
	}
	l.at = end + 1
	if end > start && l.s[end-1] == '\r' {
		end--
	}
	return l.cursor.slice(start, end), true
}

// logical gives the next line with those it continues in, which are joined by one space.
func (l *lines) logical() (text, bool) {
	var line text
	for {
		part, ok := l.physical()
		if !ok {
			return line, line != nil
		}
		s := part.String()
		continued := (len(s)-len(strings.TrimRight(s, `\`)))%2 == 1
		if line != nil {
			part = part.trim()
			s = part.String()
		}
		if !continued {
			return append(line, part...), true
		}
		line = append(append(line, part.slice(0, len(s)-1).trimRight()...), span{text: " "})
	}
}

func (t text) trimLeft() text {
	s := t.String()
	return t.slice(len(s)-len(strings.TrimLeft(s, white)), len(s))
}

func (t text) trimRight() text { return t.slice(0, len(strings.TrimRight(t.String(), white))) }

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

// uncommented gives a line up to its comment, without the white space before it. "\#" is the character itself.
func uncommented(line text) text {
	s := line.String()
	var out text
	c := cursor{text: line}
	from := len(s) - len(strings.TrimLeft(s, white))
	for i := from; i < len(s); i++ {
		if s[i] != '#' {
			continue
		}
		backslashes := len(s[from:i]) - len(strings.TrimRight(s[from:i], `\`))
		if backslashes%2 == 0 {
			return append(out, c.slice(from, i)...)
		}
		out = append(out, c.slice(from, i-1)...)
		from = i
	}
	return append(out, c.slice(from, len(s))...)
}

// firstWord cuts a line after its first word.
func firstWord(t text) (word string, rest text) {
	s := t.String()
	i := indexOrEnd(s, " ", "\t", "\n", "\r")
	if name := indexOrEnd(s, "("); name < i && conditionals[s[:name]] {
		i = name // ifeq(a,b)
	}
	return s[:i], t.slice(i, len(s)).trim()
}

var conditionals = map[string]bool{"ifeq": true, "ifneq": true, "ifdef": true, "ifndef": true, "else": true, "endif": true}

// isRead says whether lines in open conditionals are read. What stands in one that is not read is not read either.
func isRead(open []branch) bool { return len(open) == 0 || open[len(open)-1].read }

// maxConditionals bounds how deep conditionals are nested.
const maxConditionals = 2000

// conditional keeps account of ifeq and its like, else and endif.
func (g *gnuMake) conditional(open []branch, word string, rest text) ([]branch, error) {
	outer := open
	if word == "else" && len(open) > 0 {
		outer = open[:len(open)-1]
	}
	reading := isRead(outer)
	switch {
	case word != "else" && word != "endif":
		if len(open) >= maxConditionals {
			return open, fmt.Errorf("line %d: %s nested too deep", rest.place().Line, word)
		}
		read := reading && g.test(word, rest)
		return append(open, branch{read: read, taken: read, at: append(plain(word+" "), rest...)}), nil
	case len(open) == 0:
		g.note(rest.place(), "%s without an ifeq is left out", word)
		return open, nil
	case word == "endif":
		return open[:len(open)-1], nil
	}
	b := &open[len(open)-1]
	b.read = reading && !b.taken
	if test, operand := firstWord(rest); b.read && test != "" {
		b.read = g.test(test, operand)
	}
	b.taken = b.taken || b.read
	return open, nil
}

// test evaluates a condition. A comparison with something unknown is noted, and read as of two that differ.
func (g *gnuMake) test(word string, operands text) bool {
	if word == "ifdef" || word == "ifndef" {
		v := g.lookup(g.expand(operands).trim().String())
		return (v != nil && len(v.value.trim()) > 0) == (word == "ifdef")
	}
	left, right, ok := compared(operands)
	if !ok {
		g.note(operands.place(), "%s %s can't be read; it is read as false", word, operands)
		return false
	}
	a, b := g.expand(left).trim(), g.expand(right).trim()
	if a.unknown() || b.unknown() {
		g.note(operands.place(), "the condition %s %s is unknown; what it compares is read as different", word, shortened(operands))
		return word == "ifneq"
	}
	return (a.String() == b.String()) == (word == "ifeq")
}

// shortened gives a text for a message.
func shortened(t text) string {
	const most = 120
	s := strings.Join(strings.Fields(t.String()), " ")
	if len(s) > most {
		s = s[:most] + " ..."
	}
	return s
}

// compared gives the operands of ifeq: (a,b) or two in quotes.
func compared(t text) (left, right text, ok bool) {
	s := t.String()
	if strings.HasPrefix(s, "(") {
		end := strings.LastIndexByte(s, ')')
		parts := arguments(t.slice(1, max(end, 1)), 2)
		if end < 0 || len(parts) != 2 {
			return nil, nil, false
		}
		return parts[0].trim(), parts[1].trim(), true
	}
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return nil, nil, false
	}
	i := strings.IndexByte(s[1:], s[0])
	rest := t.slice(max(i, 0)+2, len(s)).trim()
	if r := rest.String(); i >= 0 && len(r) > 1 && (r[0] == '"' || r[0] == '\'') && r[len(r)-1] == r[0] {
		return t.slice(1, i+1), rest.slice(1, len(r)-1), true
	}
	return nil, nil, false
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

func (g *gnuMake) overriding(word string, line text) {
	a, _ := assignmentOf(line.String())
	name := g.expand(line.slice(a.name, a.end)).trim().String()
	if word == "override" {
		delete(g.fixed, name)
	}
	g.assignOrRule(line)
}

// assignment says where the parts of one stand in a line.
type assignment struct {
	name, end int // of the name
	operator  string
	value     int
}

// assignmentOf finds the operator of an assignment: before any colon that is none, and after a name of one word.
func assignmentOf(s string) (assignment, bool) {
	depth, blank := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '$' && i+1 < len(s) && (s[i+1] == '(' || s[i+1] == '{'):
			depth++
			i++
			if blank && depth == 1 {
				return assignment{}, false
			}
		case depth > 0:
			switch c {
			case '(', '{':
				depth++
			case ')', '}':
				depth--
			}
		case c == ' ' || c == '\t':
			blank = true
		default:
			for _, operator := range []string{":::=", "::=", ":=", "?=", "+=", "!=", "="} {
				if strings.HasPrefix(s[i:], operator) {
					return assignment{0, i, operator, i + len(operator)}, i > 0
				}
			}
			if blank || c == ':' {
				return assignment{}, false
			}
		}
	}
	return assignment{}, false
}

func (g *gnuMake) assignOrRule(line text) bool {
	s := line.String()
	if a, ok := assignmentOf(s); ok {
		name := g.expand(line.slice(a.name, a.end)).trim().String()
		if strings.Contains(s[:a.end], "$") { // a way to write a conditional: $(DEBUG_ONLY)CFLAGS
			g.depths.note(line, maxConditionals)
		}
		if !g.fixed[name] && name != "" {
			g.set(g.variables, name, a.operator, line.slice(a.value, len(s)).trimLeft())
			if name == "VPATH" {
				g.rules.searched(words(g.expand(g.variables[name].value)))
			}
		}
		return false
	}
	return g.rule(line)
}

// define sets a variable of several lines.
func (g *gnuMake) define(l *lines, head text) {
	operator := "="
	if a, ok := assignmentOf(head.String()); ok {
		operator = a.operator
		head = head.slice(a.name, a.end)
	}
	name := g.expand(head).trim().String()
	body := defineBody(l)
	if !g.fixed[name] {
		g.set(g.variables, name, operator, body)
	}
}

// defineBody reads up to the endef that belongs to a define.
func defineBody(l *lines) text {
	var body text
	for depth := 1; ; {
		line, ok := l.physical()
		if !ok {
			return body
		}
		switch word, _ := firstWord(line.trim()); word {
		case "define":
			depth++
		case "endef":
			if depth--; depth == 0 {
				return body
			}
		}
		if body != nil {
			body = append(body, span{text: "\n"})
		}
		body = append(body, line...)
		if body == nil {
			body = text{{}}
		}
	}
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

// cutOutside cuts a text at a byte that stands outside of references.
func cutOutside(t text, separator byte) (before, after text, found bool) {
	s, depth := t.String(), 0
	for i := range len(s) {
		switch c := s[i]; {
		case (c == '(' || c == '{') && (depth > 0 || i > 0 && s[i-1] == '$'):
			depth++
		case (c == ')' || c == '}') && depth > 0:
			depth--
		case c == separator && depth == 0:
			return t.slice(0, i).trim(), t.slice(i+1, len(s)).trim(), true
		}
	}
	return t, nil, false
}

// words splits at white space. What is unknown is one word, or part of one.
func words(t text) []text {
	var list []text
	var word text
	end := func() {
		if len(word) > 0 {
			list = append(list, word)
		}
		word = nil
	}
	for _, s := range t {
		if s.unknown {
			word = append(word, s)
			continue
		}
		for from := 0; from < len(s.text); {
			n := strings.IndexAny(s.text[from:], white)
			if n < 0 {
				n = len(s.text) - from
			}
			word = append(word, text{s}.slice(from, from+n)...)
			if from += n; from < len(s.text) {
				end()
				from++
			}
		}
	}
	end()
	return list
}

// joinWords is the opposite of words.
func joinWords(list []text) text {
	var out text
	for i, w := range list {
		if i > 0 {
			out = append(out, span{text: " "})
		}
		out = append(out, w...)
	}
	return out
}
