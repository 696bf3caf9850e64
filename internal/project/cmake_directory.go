package project

import (
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// project() and add_subdirectory(): what one CMakeLists.txt sets up for itself and for the directories below.
// Specification: cmake-commands(7); cmake-language(7), "Directories".

// project sets the names of the project, and enables its languages.
func (k *cmakeCall) project() {
	name := k.arg(0)
	here := plain(absolutePath(k.fr.dir.path))
	for _, n := range []string{"PROJECT", name} {
		k.set(n+"_SOURCE_DIR", here)
		k.set(n+"_BINARY_DIR", k.variable("CMAKE_CURRENT_BINARY_DIR"))
	}
	k.set("PROJECT_NAME", plain(name))
	if k.fr.dir.above == nil {
		k.variables["CMAKE_PROJECT_NAME"] = plain(name)
	}
	list, keyword := []string{"C", "CXX"}, ""
	if len(k.args) > 1 {
		list = nil
	}
	for i := range k.rest(1) {
		switch s := k.arg(i + 1); s {
		case "VERSION", "DESCRIPTION", "HOMEPAGE_URL", "LANGUAGES":
			keyword = s
			if s != "LANGUAGES" && list == nil {
				list = []string{}
			}
		default:
			if keyword == "VERSION" {
				k.projectVersion(name, s)
			}
			if keyword == "" || keyword == "LANGUAGES" {
				list = append(list, s)
			}
		}
	}
	if len(list) == 0 {
		list = []string{"C", "CXX"}
	}
	for _, l := range list {
		k.languages[l] = true
	}
}

// projectVersion sets <name>_VERSION and its four parts, those that are not given to nothing: cmake-commands,
// project.
func (k *cmakeCall) projectVersion(name, version string) {
	parts := strings.SplitN(version, ".", 4)
	for _, n := range []string{"PROJECT", name} {
		k.set(n+"_VERSION", plain(version))
		for i, part := range []string{"MAJOR", "MINOR", "PATCH", "TWEAK"} {
			v := ""
			if i < len(parts) {
				v = parts[i]
			}
			k.set(n+"_VERSION_"+part, plain(v))
		}
	}
}

// enableLanguage matters to source files whose language is none: CMake does not compile them.
func (k *cmakeCall) enableLanguage() {
	for _, a := range k.args {
		k.languages[a.String()] = true
	}
}

// addSubdirectory reads a directory in place, where the command stands: what is set after it does not count there.
// One that is added twice is read once.
func (k *cmakeCall) addSubdirectory() {
	name := k.arg(0)
	if len(k.args) == 0 || k.args[0].unknown() {
		k.say("the directory %q can't be evaluated; it is left out", clip(name))
		return
	}
	dir := k.tree.Join(k.fr.dir.path, name)
	p, ok := k.tree.Find(path.Join(dir, "CMakeLists.txt"))
	switch {
	case !ok || !k.isFile(p):
		k.say("the directory %s has no CMakeLists.txt", clip(name))
		return
	case k.added[p] != nil:
		k.say("the directory %s is added twice; the second time is left out", clip(name))
		return
	case !k.tree.Within(p):
		k.say("the directory %s lies outside of what was named; it is left out", clip(name))
		return
	case !k.deeper(k.fr, k.in):
		return
	}
	k.directory(k.fr.dir, k.fr.vars, p)
	k.depth--
}

// directory reads the CMakeLists.txt of a directory in a scope of its own.
func (c *cmake) directory(above *cmakeDir, vars *cmakeScope, p string) *cmakeDir {
	d := &cmakeDir{above: above, path: path.Dir(p), properties: map[string][]entry{},
		sources: map[string]map[string][]entry{}, vars: &cmakeScope{around: vars, vars: map[string]cmakeVariable{}}}
	if above != nil {
		for name, list := range above.properties {
			d.properties[name] = slices.Clone(list)
		}
	}
	c.added[p] = d
	build := absolutePath(path.Dir(c.top)) + "/build"
	if rest, ok := strings.CutPrefix(absolutePath(d.path), absolutePath(path.Dir(c.top))); ok {
		build += rest
	}
	d.vars.set("CMAKE_CURRENT_SOURCE_DIR", plain(absolutePath(d.path)))
	d.vars.set("CMAKE_CURRENT_BINARY_DIR", plain(build))
	sc := c.script(p)
	fr := &frame{dir: d, vars: d.vars, file: &file{path: p}}
	if sc.err != nil {
		c.note(fr, driver.Place{Path: p}, "it can't be read whole: %v", sc.err)
	}
	c.run(fr, sc.list, 0, len(sc.list))
	d.flags = map[string]text{}
	for _, name := range flagVariables {
		d.flags[name], _ = c.get(fr, name)
	}
	return d
}

// flagVariables are those that count as they are at the end of a directory.
var flagVariables = []string{
	"CMAKE_C_FLAGS", "CMAKE_CXX_FLAGS", "CMAKE_EXE_LINKER_FLAGS", "CMAKE_SHARED_LINKER_FLAGS", "CMAKE_MODULE_LINKER_FLAGS",
	"CMAKE_C_FLAGS_RELEASE", "CMAKE_CXX_FLAGS_RELEASE", "CMAKE_C_FLAGS_DEBUG", "CMAKE_CXX_FLAGS_DEBUG",
	"CMAKE_C_FLAGS_RELWITHDEBINFO", "CMAKE_CXX_FLAGS_RELWITHDEBINFO", "CMAKE_C_FLAGS_MINSIZEREL", "CMAKE_CXX_FLAGS_MINSIZEREL",
	"CMAKE_BUILD_TYPE", "CMAKE_GENERATOR_PLATFORM", "CMAKE_INCLUDE_CURRENT_DIR", "CMAKE_CURRENT_BINARY_DIR",
}
