package project

import (
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// The state of an evaluation of CMake: variables and their scopes, directories, targets. Specification:
// cmake-language(7), "Variables". The commands themselves are in the files cmake_command.go and those it names.

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

// cmakeVariable is what one scope says of a name: a value, or that it was unset there.
type cmakeVariable struct {
	value text
	unset bool
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

// note goes to the directory rather than to a target: a condition may stand before all targets that it decides on.
func (c *cmake) note(fr *frame, at driver.Place, format string, arguments ...any) {
	if !fr.quiet {
		fr.dir.notes = addNote(fr.dir.notes, at, format, arguments...)
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

// set changes this scope alone; functions and directories have scopes of their own.
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

// deeper enters a call, and refuses where they are nested too deep. Who gets true must count depth down again.
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
