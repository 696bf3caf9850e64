package project

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// Limits on one evaluation. CMake itself stops at 1000 calls inside each other.
const (
	maxCMakeCalls = 100     // functions, macros, includes, directories and loops inside each other
	maxIterations = 10_000  // of one loop
	maxItems      = 100_000 // of one list
	commandWork   = 64      // what a command costs, in the terms of maxWork
	spanWork      = 40      // what each piece of a value costs
	maxNesting    = 100     // of references and generator expressions
	maxPieces     = 20_000  // of one value
)

// cmake is the evaluation of a CMakeLists.txt and the directories it adds: as it would be for the compiler of Visual
// Studio and x64, in the build type Release.
type cmake struct {
	*reader
	top       string // the build file
	scripts   map[string]script
	known     map[layerKey]*layer
	commands  map[string]func(*cmakeCall)
	functions map[string]func(*genex, []text) (text, bool) // of generator expressions
	routines  map[string]*routine                          // functions and macros
	variables map[string]text                              // those of the cache
	env       map[string]text
	global    map[string]text // properties
	opaque    []string        // what the names of variables begin with that were set by what is not run
	targets   map[string]*cmakeTarget
	order     []*cmakeTarget // in order of declaration
	links     []customLink
	added     map[string]*cmakeDir
	languages map[string]bool // those that are enabled; empty where no project() says
	once      map[string]bool // files with include_guard
	walks     map[string][]string
	depth     int
	stopped   driver.Place // where the work ran out
}

// cmakeDir is what one CMakeLists.txt says for its own targets and for those of the directories it adds.
type cmakeDir struct {
	above      *cmakeDir
	path       string
	vars       *cmakeScope
	properties map[string][]entry
	sources    map[string]map[string][]entry // of source files, by path: their properties
	targets    []*cmakeTarget
	notes      []driver.Step
	flags      map[string]text // variables that count as they are at its end
}

// cmakeScope holds variables. One that was unset hides that of the cmakeScope around it.
type cmakeScope struct {
	around *cmakeScope
	vars   map[string]cmakeVariable
}

type cmakeVariable struct {
	value text
	unset bool
}

// routine is a function or a macro.
type routine struct {
	macro      bool
	made       bool // it stands in no file, or in a module that is most often not the project's own: no edit goes there
	parameters []string
	list       []invocation
	from, to   int
	file       *file
}

// frame is where commands run.
type frame struct {
	dir       *cmakeDir
	vars      *cmakeScope
	arguments map[string]text // of the macro
	site      *invocation     // loop or call at the top of a file, in which they run
	file      *file
	made      bool // the commands stand in no file
	quiet     bool // what is not known there is not said: it depends on what is installed
}

// flow says how a list of commands ended.
type flow int

const (
	ended flow = iota
	broken
	continued
	returned
)

func (c *cmake) note(fr *frame, at driver.Place, format string, arguments ...any) {
	s := driver.Step{Place: at, Says: fmt.Sprintf(format, arguments...)}
	if d := fr.dir; !fr.quiet && len(d.notes) < maxNotes && !slices.Contains(d.notes, s) {
		d.notes = append(d.notes, s)
	}
}

// get gives the value of a variable, and whether it has one. One that something set that is not run here is unknown.
func (c *cmake) get(fr *frame, name string) (text, bool) {
	unset := false
	for s := fr.vars; s != nil && !unset; s = s.around {
		if v, ok := s.vars[name]; ok {
			if unset = v.unset; !unset {
				return v.value, true
			}
		}
	}
	switch v, ok := c.variables[name]; {
	case ok:
		return v, true
	case name == "CMAKE_CURRENT_LIST_FILE":
		return plain(absolutePath(fr.file.path)), true
	case name == "CMAKE_CURRENT_LIST_DIR":
		return plain(absolutePath(path.Dir(fr.file.path))), true
	case !unset && slices.ContainsFunc(c.opaque, func(prefix string) bool { return strings.HasPrefix(name, prefix) }):
		return text{{text: "${" + name + "}", unknown: true}}, true
	}
	return nil, false
}

// absolutePath gives a path as CMake has them all.
func absolutePath(p string) string {
	abs, err := filepath.Abs(filepath.FromSlash(p))
	if err != nil {
		return p
	}
	return filepath.ToSlash(abs)
}

func (s *cmakeScope) set(name string, v text) { s.vars[name] = cmakeVariable{value: v} }

// setUnknown marks variables that something sets which is not run.
func (c *cmake) setUnknown(fr *frame, names ...string) {
	for _, name := range names {
		fr.vars.set(name, text{{text: "${" + name + "}", unknown: true}})
	}
}

// works pays for a command, and keeps where the work ran out.
func (c *cmake) works(in *invocation) bool {
	ok := c.spend(commandWork)
	if !ok && c.stopped.Path == "" {
		c.stopped = in.file.place(in.at)
	}
	return ok
}

// run executes the commands [from, to) of a list.
func (c *cmake) run(fr *frame, list []invocation, from, to int) flow {
	for i := from; i < to; {
		in := &list[i]
		if !c.works(in) {
			return returned
		}
		how := ended
		switch in.name {
		case "if":
			i = c.branch(fr, list, i)
			continue
		case "else", "elseif": // the end of a branch that was run
			i = in.last + 1
			continue
		case "foreach", "while":
			how = c.loop(fr, list, i)
			i = in.last
		case "block":
			how = c.block(fr, list, i)
			i = in.last
		case "function", "macro":
			c.define(fr, list, i)
			i = in.last
		case "break":
			return broken
		case "continue":
			return continued
		case "return":
			return c.returns(fr, in)
		default:
			how = c.invoke(fr, in)
		}
		if how != ended {
			return how
		}
		i++
	}
	return ended
}

func (c *cmake) returns(fr *frame, in *invocation) flow {
	args := c.evaluate(fr, in)
	if len(args) > 1 && args[0].String() == "PROPAGATE" && fr.vars.around != nil {
		for _, name := range args[1:] {
			if v, ok := c.get(fr, name.String()); ok {
				fr.vars.around.set(name.String(), v)
			}
		}
	}
	return returned
}

// branch finds the branch of an if that is to be run, and gives the index of its first command.
func (c *cmake) branch(fr *frame, list []invocation, i int) int {
	for {
		in := &list[i]
		if in.name == "else" {
			return i + 1
		}
		v, why := c.condition(fr, in)
		if v == yes {
			return i + 1
		}
		if v == unknown {
			c.unknownBranch(fr, list[i+1:min(in.next, len(list))], in, why)
		}
		if i = in.next; i >= len(list) || list[i].name == "endif" || !c.spend(commandWork) {
			return i + 1
		}
	}
}

// unknownBranch notes that a branch is not run since its condition is unknown. What it would set, and nothing else
// has, is unknown then.
func (c *cmake) unknownBranch(fr *frame, body []invocation, in *invocation, why string) {
	matters := false
	for i := range body {
		b := &body[i]
		if !c.spend(1) {
			return
		}
		matters = matters || !harmless[b.name] && closers[b.name] == ""
		if (b.name == "set" || b.name == "list") && len(b.args) > 1 {
			name := b.args[0].text.text
			if b.name == "list" {
				name = b.args[len(b.args)-1].text.text
			}
			if _, ok := c.get(fr, name); !ok && !strings.Contains(name, "$") {
				c.setUnknown(fr, name)
			}
		}
	}
	if matters {
		c.note(fr, in.file.place(in.at), "the condition of %s is unknown (%s); it is read as false", in.name, why)
	}
}

func (c *cmake) deeper(fr *frame, in *invocation) bool {
	if c.depth >= maxCMakeCalls {
		c.note(fr, in.file.place(in.at), "%s is left out: calls are nested too deep, or it calls itself", in.name)
		return false
	}
	c.depth++
	return true
}

// enter gives the frame of what a command runs: targets that are declared there are changed after it.
func (fr *frame) enter(in *invocation) *frame {
	inner := *fr
	if inner.site == nil {
		inner.site = in
	}
	return &inner
}

func (c *cmake) loop(fr *frame, list []invocation, i int) flow {
	in := list[i]
	if !c.deeper(fr, &in) {
		return ended
	}
	defer func() { c.depth-- }()
	if in.last < len(list) {
		in.end = list[in.last].end
	}
	inner := fr.enter(&in)
	if in.name == "while" {
		return c.while(inner, list, i)
	}
	name, items := c.items(fr, &in)
	before, was := fr.vars.vars[name]
	how := ended
	for n, item := range items {
		if n >= maxIterations {
			c.note(fr, in.file.place(in.at), "foreach: only the first %d of %d values are read", n, len(items))
			break
		}
		if fr.vars.set(name, item); !c.works(&in) {
			return returned
		}
		if how = c.run(inner, list, i+1, min(in.last, len(list))); how == broken || how == returned {
			break
		}
	}
	delete(fr.vars.vars, name)
	if was {
		fr.vars.vars[name] = before
	}
	if how == returned {
		return how
	}
	return ended
}

func (c *cmake) while(fr *frame, list []invocation, i int) flow {
	in := &list[i]
	for n := 0; ; n++ {
		v, why := c.condition(fr, in)
		switch {
		case v == unknown:
			c.note(fr, in.file.place(in.at), "the condition of while is unknown (%s); it is read as false", why)
			return ended
		case v == no:
			return ended
		case !c.works(in):
			return returned
		case n >= maxIterations:
			c.note(fr, in.file.place(in.at), "while: read %d times, and left then", n)
			return ended
		}
		switch c.run(fr, list, i+1, min(in.last, len(list))) {
		case broken:
			return ended
		case returned:
			return returned
		}
	}
}

// block is a scope of its own for variables, unless it says SCOPE_FOR POLICIES.
func (c *cmake) block(fr *frame, list []invocation, i int) flow {
	in := list[i]
	if !c.deeper(fr, &in) {
		return ended
	}
	defer func() { c.depth-- }()
	inner := *fr
	inner.vars = &cmakeScope{around: fr.vars, vars: map[string]cmakeVariable{}}
	how := c.run(&inner, list, i+1, min(in.last, len(list)))
	args, propagate := c.evaluate(fr, &in), false
	for _, a := range args {
		if v, ok := c.get(&inner, a.String()); propagate && ok {
			fr.vars.set(a.String(), v)
		}
		propagate = propagate || a.String() == "PROPAGATE"
	}
	return how
}

// define keeps a function or a macro.
func (c *cmake) define(fr *frame, list []invocation, i int) {
	in := &list[i]
	args := c.evaluate(fr, in)
	if len(args) == 0 {
		return
	}
	r := &routine{macro: in.name == "macro", made: fr.made || fr.quiet, list: list, from: i + 1, to: min(in.last, len(list)), file: in.file}
	for _, a := range args[1:] {
		r.parameters = append(r.parameters, a.String())
	}
	c.routines[strings.ToLower(args[0].String())] = r
}

// invoke runs one command: one of the project's, else one of the table.
func (c *cmake) invoke(fr *frame, in *invocation) flow {
	if r := c.routines[in.name]; r != nil {
		c.call(fr, in, r)
		return ended
	}
	do, ok := c.commands[in.name]
	switch {
	case ok:
		do(&cmakeCall{cmake: c, fr: fr, in: in, args: c.evaluate(fr, in)})
	case !harmless[in.name]:
		c.note(fr, in.file.place(in.at), "the command %s is not known; it is left out", in.name)
	}
	return ended
}

// call runs a function, or a macro in the scope of its caller.
func (c *cmake) call(fr *frame, in *invocation, r *routine) {
	if !c.deeper(fr, in) {
		return
	}
	defer func() { c.depth-- }()
	args := c.evaluate(fr, in)
	given := map[string]text{"ARGC": plain(fmt.Sprint(len(args))), "ARGV": joinList(args)}
	for i, a := range args {
		given[fmt.Sprint("ARGV", i)] = a
	}
	for i, name := range r.parameters {
		given[name] = nil
		if i < len(args) {
			given[name] = args[i]
		}
	}
	given["ARGN"] = joinList(args[min(len(args), len(r.parameters)):])
	inner := fr.enter(in)
	inner.made = r.made
	if r.macro {
		inner.arguments = given
	} else {
		inner.arguments = nil
		inner.vars = &cmakeScope{around: fr.vars, vars: map[string]cmakeVariable{}}
		for name, v := range given {
			inner.vars.set(name, v)
		}
		inner.vars.set("CMAKE_CURRENT_FUNCTION_LIST_DIR", plain(absolutePath(path.Dir(r.file.path))))
	}
	c.run(inner, r.list, r.from, r.to)
}

// evaluate gives the arguments of a command.
func (c *cmake) evaluate(fr *frame, in *invocation) []text {
	var list []text
	for _, a := range in.args {
		t := c.value(fr, a)
		if a.quoting == unquoted {
			for _, item := range splitList(t) {
				if item.len() > 0 {
					list = append(list, item)
				}
			}
		} else {
			list = append(list, t)
		}
		if len(list) > maxItems {
			c.note(fr, in.file.place(in.at), "%s has more than %d arguments; the rest is left out", in.name, maxItems)
			break
		}
	}
	return list
}

// value gives an argument with its references replaced.
func (c *cmake) value(fr *frame, a cmakeArgument) text {
	if a.quoting == bracketed || strings.IndexByte(a.text.text, '$') < 0 && strings.IndexByte(a.text.text, '\\') < 0 {
		c.spend(len(a.text.text))
		if a.text.text == "" {
			return nil
		}
		return text{a.text}
	}
	e := &expander{cmake: c, fr: fr, from: a.text}
	t, _ := e.until(0, 0)
	if !c.affords(t) {
		c.note(fr, a.text.file.place(a.at), "the value is too long; it is not known")
		return text{{text: clip(a.text.text), file: a.text.file, at: a.text.at, fixed: true, unknown: true}}
	}
	return t
}

// affords pays for a value, and says whether it is one that is kept.
func (c *cmake) affords(t text) bool {
	n := t.len()
	return c.spend(n+spanWork*len(t)) && n <= maxText && len(t) <= maxPieces
}

// expander replaces what stands in one argument.
type expander struct {
	*cmake
	fr   *frame
	from span
	size int
}

// until replaces references and escapes from an index on: to the brace that closes a reference, where depth is not
// 0, else to the end. It gives the index after that, -1 where there is no such brace.
func (e *expander) until(at, depth int) (text, int) {
	s := e.from.text
	var out text
	from := at
	flush := func(to int) { out = append(out, part(e.from, from, to)...) }
	for at < len(s) {
		switch {
		case s[at] == '}' && depth > 0:
			flush(at)
			return out, at + 1
		case s[at] == '\\' && at+1 < len(s):
			flush(at)
			var t text
			t, at = e.escape(at)
			out, from = append(out, t...), at
		case s[at] == '$':
			if kind, open := referenceAt(s, at); open > 0 && depth < maxNesting {
				if name, next := e.until(open, depth+1); next > 0 {
					flush(at)
					out = append(out, e.reference(kind, name, at)...)
					at, from = next, next
					continue
				}
				if depth > 0 {
					return nil, -1
				}
				flush(len(s)) // there is no brace in the rest
				return out, len(s)
			}
			at++
		default:
			at++
		}
	}
	if depth > 0 {
		return nil, -1
	}
	flush(len(s))
	return out, len(s)
}

// referenceAt says which reference begins at a dollar sign, and where its name does.
func referenceAt(s string, at int) (kind string, open int) {
	for _, kind := range []string{"${", "$ENV{", "$CACHE{"} {
		if strings.HasPrefix(s[at:], kind) {
			return kind, at + len(kind)
		}
	}
	return "", 0
}

// escape gives what a backslash and the byte after it stand for. "\;" stays as it is: lists are split later.
func (e *expander) escape(at int) (text, int) {
	s := e.from.text
	switch b := s[at+1]; {
	case strings.IndexByte("ntr", b) >= 0:
		t := part(e.from, at, at+1)
		t[0].text = map[byte]string{'n': "\n", 't': "\t", 'r': "\r"}[b]
		return t, at + 2
	case b == '\n':
		return nil, at + 2
	case b == '\r' && at+2 < len(s) && s[at+2] == '\n':
		return nil, at + 3
	case b == ';' || isWord(b):
		return part(e.from, at, at+2), at + 2
	}
	return part(e.from, at+1, at+2), at + 2
}

func (e *expander) reference(kind string, name text, at int) text {
	here := text{{text: kind + clip(name.String()) + "}", file: e.from.file, at: e.from.at + at, fixed: true, unknown: true}}
	var v text
	ok := true
	switch key := name.String(); {
	case name.unknown():
		return here
	case kind == "$ENV{":
		if v, ok = e.env[key]; !ok {
			return here
		}
	case kind == "$CACHE{":
		v = e.variables[key]
	default:
		if v, ok = e.fr.arguments[key]; !ok {
			v, _ = e.get(e.fr, key)
		}
	}
	if e.size += v.len(); e.size > maxText {
		return here
	}
	e.spend(spanWork * len(v))
	return v.from(here)
}

// joinList makes a list of values, as CMake keeps it.
func joinList(items []text) text {
	var out text
	for i, item := range items {
		if i > 0 {
			out = append(out, span{text: ";"})
		}
		out = append(out, item...)
	}
	return out
}

// splitList cuts a list at its semicolons, but for those that are escaped or in square brackets. It takes time in
// proportion to the text.
func splitList(t text) []text {
	var list []text
	var item text
	nesting, escaped := 0, false
	for _, s := range t {
		from := 0
		take := func(to int) { item, from = append(item, part(s, from, to)...), to+1 }
		for i := 0; i < len(s.text) && !s.unknown; i++ {
			b := s.text[i]
			switch {
			case b == ';' && escaped:
				if n := len(item) - 1; i > from {
					take(i - 1)
					from = i
				} else if n >= 0 { // the backslash is the end of the piece before
					item[n].text = strings.TrimSuffix(item[n].text, `\`)
				}
			case b == ';' && nesting == 0:
				take(i)
				list, item = append(list, item), nil
			case b == '[':
				nesting++
			case b == ']' && nesting > 0:
				nesting--
			}
			escaped = b == '\\'
		}
		item = append(item, part(s, from, len(s.text))...)
	}
	if len(list) > 0 || item.len() > 0 {
		list = append(list, item)
	}
	return list
}
