package project

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// Imports of MSBuild. A file of the tree is read; one of the kit or of Visual Studio is known by the property in its
// path, and its content is modelled in kit.go.

// importElement reads what a project imports, in place. What lies in the kit or Visual Studio is not read, but moves
// the stage on.
func (e *evaluation) importElement(el *element) {
	a := el.find("Project")
	if a != nil {
		n, ok := e.kitBuilds[a.value]
		if !ok {
			n = kitBuildOf(a.value)
			e.kitBuilds[a.value] = n
		}
		e.kitBuild = max(e.kitBuild, n)
	}
	if a == nil || !e.holds(el, scope{element: el}) {
		return
	}
	if isKit(a.value) || el.attribute("Sdk") != "" {
		e.importKit(strings.ToLower(fileName(a.value)))
		return
	}
	at := el.place()
	target := e.expand(e.template(el, a), scope{element: el})
	for _, name := range target.split(';') {
		if name.unknown() {
			e.note(at, "the import of %q can't be evaluated (%s); it is left out", a.value, name.why())
			continue
		}
		e.importName(el, name.String())
	}
	if len(target.split(';')) == 0 {
		e.note(at, "the import of %q is left out: it names no file", a.value)
	}
}

// importName imports a file, or the files that a wildcard finds, which may be none.
func (e *evaluation) importName(el *element, name string) {
	at := el.place()
	p := e.path(path.Dir(el.file.path), name)
	if !isWild(name, p) {
		e.importFile(p, at, true)
		return
	}
	files, why := e.glob(p)
	if why != "" {
		e.note(at, "the import of %q is left out: %s", name, why)
	}
	for _, p := range files {
		e.importFile(p, at, true)
	}
}

// isKit says whether an import names a file of Visual Studio or a kit.
func isKit(raw string) bool {
	return slices.ContainsFunc(kitRoots, func(root string) bool {
		return len(raw) > len(root)+2 && strings.EqualFold(raw[:len(root)+3], "$("+root+")")
	})
}

// maxImportDepth bounds imports inside each other; a file that imports itself is stopped before that, since each is
// read once.
const maxImportDepth = 64

// importFile evaluates a file in place. One that should be there is missed in a note.
func (e *evaluation) importFile(p string, at driver.Place, expected bool) {
	found, ok := e.paths.find(e.tree, p)
	switch {
	case !ok && expected:
		e.note(at, "the import %s is not there", p)
		fallthrough
	case !ok || e.imported[found]:
		return
	case e.depth >= maxImportDepth:
		e.note(at, "the import %s is left out: imports are nested too deep", p)
		return
	}
	e.imported[found] = true
	root, err := e.xml(found)
	if err != nil {
		e.note(at, "the import %s can't be read: %v", found, err)
		return
	}
	if !e.tree.Within(found) {
		e.note(at, "the import %s was read, outside of what was named", found)
	}
	e.depth++
	e.root(root)
	e.depth--
}

// stage says which of the kit's files are imported, and so which of its properties have a value.
type stage int

const (
	atStart stage = iota
	atDefaults
	atProps
)

// importKit models what the three files of Visual Studio that every project imports do to an evaluation.
func (e *evaluation) importKit(name string) {
	switch name {
	case "microsoft.cpp.default.props", "sdk.props":
		e.importAbove("Directory.Build.props")
		e.stage = max(e.stage, atDefaults)
	case "microsoft.cpp.props":
		if e.stage < atProps {
			e.stage, e.beforeKit = atProps, len(e.definitionGroups)
		}
		kernel := strings.HasPrefix(strings.ToLower(e.property("PlatformToolset")), "windowskernelmodedriver")
		if kernel {
			e.setFromKit("IsKernelModeToolset", "true")
		}
		if v, ok := targetVersions[strings.ToLower(e.property("TargetVersion"))]; ok {
			e.setFromKit("_NT_TARGET_VERSION", fmt.Sprintf("0x%02X%02X", v.Major, v.Minor))
		}
	case "microsoft.cpp.targets", "sdk.targets":
		e.importAbove("Directory.Build.targets")
	}
}

// importAbove imports the nearest file of that name in the project's directory or one above it.
func (e *evaluation) importAbove(name string) {
	if dir, ok := e.above(path.Dir(e.project), name); ok {
		p := e.path(dir, name)
		e.importFile(p, driver.Place{Path: p}, false)
	}
}

// above finds the directory, from one upwards, that holds a file of that name, as MSBuild does: up to the root of the
// disk, so that a named part of a tree is read as the whole is.
func (e *evaluation) above(dir, name string) (string, bool) {
	f := e.aboveOf(e.directory(dir+"/x"), name)
	return f.path, f.ok
}

// aboveOf is above for an absolute directory. What was found for one is kept: all projects of a tree ask.
func (e *evaluation) aboveOf(full, name string) finding {
	key := [2]string{full, name}
	f, ok := e.paths.aboves[key]
	if ok {
		return f
	}
	up := path.Dir(full)
	switch dir := e.tree.Clean(full); {
	case e.exists(dir, name):
		f = finding{dir, true}
	case len(up) < len(full) && strings.Contains(up, "/"): // "C:" is no directory to look in
		f = e.aboveOf(up, name)
	}
	e.paths.aboves[key] = f
	return f
}
