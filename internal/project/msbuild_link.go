package project

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// References between projects: a static library that a driver references is linked into it, and opts in with it or
// not at all.

// projectReference is a project that another one is built after, and linked with if it is a static library.
type projectReference struct {
	project string // path
	at      driver.Place
	// configuration is the one of it that is built along, as "Release|x64".
	configuration string
}

// references gives the projects that a configuration links. LinkLibraryDependencies and ReferenceOutputAssembly say that
// one is built before but not linked: "Project references" of the C++ build system's documentation.
func (e *evaluation) references(configuration string) []projectReference {
	var list []projectReference
	for _, it := range e.items["projectreference"] {
		linked := true
		for _, name := range []string{"linklibrarydependencies", "referenceoutputassembly"} {
			if v, ok := boolean(it.metadata.get(name)); ok && !v {
				linked = false
			}
		}
		if !linked || !isProject(it.path) {
			continue
		}
		r := projectReference{project: it.path, at: it.include.place(), configuration: configuration}
		found, ok := e.paths.find(e.tree, it.path)
		if !ok {
			e.note(r.at, "the project %s is not there, so what it adds is not linked", it.include)
			continue
		}
		r.project = found
		if s := e.solutionOf(e.project); s != nil {
			r.configuration = s.chooses(e.project, configuration, found)
		}
		list = append(list, r)
	}
	return list
}

// link finds the builds of the static libraries that builds refer to. A referenced project that was not loaded, because
// it lies outside of what was named, is noted; one that is no kernel-mode library adds no code.
func (l *loader) link() {
	builds, kernel := map[string]*Build{}, map[string]bool{}
	for _, b := range l.set.Builds {
		builds[strings.ToLower(b.ID)] = b
		kernel[b.Project] = true
	}
	for _, b := range l.set.Builds {
		for _, r := range b.references {
			to := builds[strings.ToLower(r.project+"|"+r.configuration)]
			configuration, platform, _ := strings.Cut(r.configuration, "|")
			switch {
			case to != nil && to.Library:
				b.Links = append(b.Links, to.ID)
			case len(l.set.readers[r.project]) == 0:
				b.note(r.at, "%s is linked, but not among what was named; its code is not read", r.project)
			case to == nil && l.wants(configuration, platform) && kernel[r.project]:
				b.note(r.at, "%s is linked, but has no configuration %s", path.Base(r.project), r.configuration)
			}
		}
		b.references = nil
	}
	l.linkByName()
}

// linkByName finds the builds of the static libraries that builds name for the linker, in the same configuration: a
// library's file is called as its build's target.
func (l *loader) linkByName() {
	libraries := map[string][]*Build{}
	key := func(target string, b *Build) string {
		return strings.ToLower(target + "|" + b.Configuration + "|" + string(b.Processor))
	}
	for _, b := range l.set.Builds {
		if b.Library && b.Target != "" {
			libraries[key(b.Target, b)] = append(libraries[key(b.Target, b)], b)
		}
	}
	for _, b := range l.set.Builds {
		for _, name := range b.linked {
			made := libraries[key(strings.TrimSuffix(imageName(name), ".lib"), b)]
			if len(made) == 1 && made[0] != b && !slices.Contains(b.Links, made[0].ID) { // of several none is known to be it
				b.Links = append(b.Links, made[0].ID)
			}
		}
		b.linked = nil
	}
}

// note adds to a build that is made already.
func (b *Build) note(at driver.Place, format string, arguments ...any) {
	b.Notes = append(b.Notes, driver.Step{Place: at, Says: fmt.Sprintf(format, arguments...)})
}
