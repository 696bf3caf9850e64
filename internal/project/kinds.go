package project

import (
	"path"
	"strings"
)

// The sorts of build files in one table: adding one is a row here and the files that read it.

// kind is one sort of build file.
type kind struct {
	name string // for messages
	is   func(p string) bool
	// likely tells a build file that a walk finds from something else under the same name; nil where the name is enough.
	likely func(data []byte) bool
	load   func(l *loader, p string) loaded
	// nested says that build files of the kind read others of it, in directories below; these make no builds again.
	nested bool
	// maybe says that a build file of the kind may turn out to have nothing to do with a driver, and then counts as none.
	maybe bool
	// insert adds defines to a build file by lines of their own, under a condition in its language where conditional
	// says that it takes one. It is nil where a tool makes the file, so that nothing is edited there.
	insert      func(p *placer, g group, condition string) (candidate, error)
	conditional bool
	// lastFirst says that of several places in one file the last is edited first, where a reader looks for additions.
	lastFirst bool
}

// kinds are all sorts of build files.
func kinds() []kind {
	return []kind{
		{name: "a .vcxproj", is: isProject, load: (*loader).loadProject, insert: (*placer).insertGroup, conditional: true},
		{name: "a SOURCES file", is: isSources, likely: looksLikeSources, load: (*loader).loadSourcesFile,
			insert: (*placer).insertLine, lastFirst: true},
		{name: "a make file", is: isMake, likely: looksLikeMake, load: (*loader).loadMake, nested: true, maybe: true,
			insert: (*placer).insertNothing},
		{name: "a CMakeLists.txt", is: isCMake, likely: looksLikeCMake, load: (*loader).loadCMake, nested: true,
			insert: (*placer).insertDefinitions},
		{name: "a compile_commands.json", is: isCommands, load: (*loader).loadCommands},
	}
}

// kindOf gives the kind that a file's name says, nil where that is none.
func kindOf(p string) *kind {
	for _, k := range kinds() {
		if k.is(p) {
			return &k
		}
	}
	return nil
}

// isProject takes the template of a project too, such as configure scripts and the like make one of: only names are
// filled in there.
func isProject(p string) bool {
	return strings.EqualFold(path.Ext(strings.TrimSuffix(p, ".in")), ".vcxproj")
}

// isSources goes by the name, which build.exe requires. It is a common one, so that looksLikeSources reads what a
// walk finds.
func isSources(p string) bool { return strings.EqualFold(path.Base(p), "sources") }

// container is a sort of file that lists build files: to name it is to name them.
type container struct {
	is   func(p string) bool
	list func(l *loader, p string) ([]string, error)
}

// containers are all that lists build files and is none itself.
func containers() []container {
	return []container{
		{is: isSolution, list: listSolution},
		{is: isDirs, list: (*loader).dirsList},
	}
}

// containerOf gives the sort of container that the name of a file says, nil where that is none.
func containerOf(p string) *container {
	for _, c := range containers() {
		if c.is(p) {
			return &c
		}
	}
	return nil
}
