package project

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// A CMakeLists.txt is evaluated with those of the directories that it adds, for the compiler of Visual Studio, x64 and
// the build type Release: that is what drivers are shipped as. The directory of the build is taken to be "build" beside
// it; what is made there by the build is not known.
//
// Targets that are linked as drivers make builds, and so do the static libraries they link to. The rest is user mode.

// isCMake goes by the name alone, which CMake requires; Windows and so the walk take it without regard to case.
func isCMake(p string) bool { return strings.EqualFold(path.Base(p), "CMakeLists.txt") }

// looksLikeCMake says whether a file of that name adds anything.
func looksLikeCMake(data []byte) bool {
	return len(data) > 0 && (tree.IsBinary(data) || bytes.IndexByte(data, '(') >= 0)
}

// loadCMake reads a CMakeLists.txt and those that it adds.
func (l *loader) loadCMake(p string) loaded {
	c := newCMake(l.tree, p)
	c.directory(nil, nil, p)
	if c.added[p].flags["CMAKE_GENERATOR_PLATFORM"].unknown() {
		c.added[p].flags["CMAKE_GENERATOR_PLATFORM"] = nil
	}
	out := loaded{}
	if c.budget > 0 {
		l.cmakeBuilds(c, &out)
	}
	for name := range c.scripts {
		out.reads = append(out.reads, name)
	}
	slices.Sort(out.reads)
	if c.budget <= 0 {
		out = loaded{reads: out.reads}
		why := errWork.Error()
		if c.stopped.Path != "" {
			why = fmt.Sprintf("%v: %s", c.stopped, why)
		}
		out.unreadable = []Skipped{{Path: p, Why: why}}
	}
	for name, err := range c.broken {
		out.unreadable = append(out.unreadable, Skipped{Path: name, Why: strings.TrimPrefix(err.Error(), name+": ")})
	}
	return out
}

// newCMake starts an evaluation with what CMake itself sets before it reads the first line: cmake-variables(7),
// "Variables that Provide Information" and "Variables that Describe the System".
func newCMake(t *tree.Tree, top string) *cmake {
	c := &cmake{reader: newReader(t), top: top, commands: commandTable(), functions: genexFunctions, scripts: map[string]script{}, known: map[layerKey]*layer{},
		routines: map[string]*routine{}, variables: map[string]text{}, env: map[string]text{}, global: map[string]text{},
		targets: map[string]*cmakeTarget{}, added: map[string]*cmakeDir{}, languages: map[string]bool{}, once: map[string]bool{},
		walks: map[string][]string{}}
	c.budget /= 2 // a tree of 50 directories needs a twentieth of that
	for name, value := range cmakeVariables {
		c.variables[name] = plain(value)
	}
	here := absolutePath(path.Dir(top))
	for _, name := range []string{"CMAKE", "PROJECT"} {
		c.variables[name+"_SOURCE_DIR"] = plain(here)
		c.variables[name+"_BINARY_DIR"] = plain(here + "/build")
	}
	return c
}

// cmakeBuilds makes the builds of all drivers and of the libraries that they link to.
func (l *loader) cmakeBuilds(c *cmake, out *loaded) {
	drivers, user := c.kernelTargets()
	c.dropShared(drivers, user)
	images := 0
	for _, r := range drivers {
		if r.kind != "STATIC" {
			images++
		}
	}
	builds := map[*cmakeTarget]*Build{}
	for _, r := range drivers {
		if b := l.cmakeBuild(c, r, images == 1 && r.kind != "STATIC", out); b != nil {
			builds[r.cmakeTarget] = b
			out.builds = append(out.builds, b)
		}
	}
	for _, r := range drivers {
		for _, x := range r.links {
			if b, library := builds[r.cmakeTarget], builds[x]; b != nil && library != nil && x.kind == "STATIC" && x != r.cmakeTarget {
				b.Links = append(b.Links, library.ID)
			}
		}
	}
	l.cmakeUserMode(c, user, len(drivers), out)
}

// kernelTargets tells drivers, and the static libraries of kernel-mode code or linked to drivers, from the other
// targets. The files of object libraries belong to those that link to them.
func (c *cmake) kernelTargets() (drivers, user []*resolved) {
	var others []*resolved
	linked := map[*cmakeTarget]bool{}
	for _, t := range c.order {
		r := c.resolve(t)
		switch {
		case t.kind == "INTERFACE" || t.kind == "OBJECT":
		case r.evidence() != "":
			drivers = append(drivers, r)
			for _, x := range r.links {
				linked[x] = true
			}
		default:
			others = append(others, r)
		}
	}
	drivers = append(drivers, c.customDrivers()...)
	for _, r := range others {
		if linked[r.cmakeTarget] && r.kind == "STATIC" {
			drivers = append(drivers, r)
		} else {
			user = append(user, r)
		}
	}
	return drivers, user
}

// dropShared leaves those layers of drivers alone that serve user-mode code too.
func (c *cmake) dropShared(drivers, user []*resolved) {
	used := map[*layer]bool{}
	for _, r := range user {
		for _, u := range r.units {
			for _, y := range u.layers {
				used[y] = true
			}
		}
	}
	for _, r := range drivers {
		for i, u := range r.units {
			r.units[i].layers = slices.DeleteFunc(u.layers, func(y *layer) bool { return used[y] })
		}
	}
}

// cmakeBuild makes the build of one target, nil where the configuration is not wanted or no file is there.
func (l *loader) cmakeBuild(c *cmake, r *resolved, only bool, out *loaded) *Build {
	configuration := "default"
	if !only {
		configuration += ":" + r.name
	}
	processor := c.processor(r)
	platform := string(processor)
	out.configurations = append(out.configurations, configuration+"|"+platform)
	if len(r.units) == 0 {
		out.skipped = append(out.skipped, Skipped{Path: c.top, Why: "none of the files of " + r.name + " is there"})
	}
	if len(r.units) == 0 || !l.wants(configuration, platform) {
		return nil
	}
	b := &Build{Build: driver.Build{
		ID: c.top + "|" + configuration + "|" + platform, Project: c.top, Configuration: configuration, Processor: processor,
		Minimum: nx.Windows7, MinimumSource: "default", Library: r.kind == "STATIC",
	}}
	if !b.Library {
		b.Entries = entries(strings.TrimPrefix(r.linker.entry, "_"))
	}
	for _, u := range r.units {
		o := Options{Processor: processor, Language: u.flags.language, Defines: u.flags.defines, Undefines: u.flags.undefines,
			Includes: u.flags.includes, Forced: u.flags.forced, Precompiled: u.flags.precompiled}
		l.add(b, u.path, o, toolset(processor, false, nx.Version{}, 0), u.layers)
		b.declare(u.from)
	}
	b.Notes = c.notesFor(r)
	l.finish(b)
	return b
}

// notesFor are those of a target, of its directory and of those above.
func (c *cmake) notesFor(r *resolved) []driver.Step {
	var list []driver.Step
	for d := r.dir; d != nil; d = d.above {
		list = append(list, d.notes...)
	}
	if r.dir.path == path.Dir(c.top) && len(c.languages) == 0 {
		list = append(list, driver.Step{Place: driver.Place{Path: c.top}, Says: "it has no project(), so it may be read here without the directory that adds it"})
	}
	return append(list, r.notes...)
}

// cmakeUserMode says which targets are no drivers.
func (l *loader) cmakeUserMode(c *cmake, user []*resolved, drivers int, out *loaded) {
	var names, files []string
	for _, r := range user {
		names = append(names, r.name)
		for _, u := range r.units {
			files = append(files, u.path)
		}
	}
	if drivers == 0 && len(c.languages) == 0 && c.hasAbove() {
		return // a part of another project, which is the one to name
	}
	if len(names) == 0 && drivers > 0 {
		return
	}
	why := "user mode: no target is linked as a driver"
	if len(names) > 0 {
		const most = 5
		why += ": " + strings.Join(names[:min(len(names), most)], ", ")
		if len(names) > most {
			why += fmt.Sprintf(" and %d more", len(names)-most)
		}
	}
	if drivers > 0 {
		why = strings.Replace(why, "no target is linked as a driver", "not linked as drivers", 1)
	}
	out.skipped = append(out.skipped, Skipped{Path: c.top, Why: why})
	out.compiled = map[string][]string{c.top: files}
}

// hasAbove says whether a directory above has a CMakeLists.txt.
func (c *cmake) hasAbove() bool {
	for dir := path.Dir(c.top); ; {
		above := c.tree.Join(dir, "..")
		if above == dir || !c.tree.Within(above) {
			return false
		}
		if _, ok := c.tree.Find(c.tree.Join(above, "CMakeLists.txt")); ok {
			return true
		}
		dir = above
	}
}

// customDrivers are the drivers that a command of the project's own links: from the objects of libraries, or from
// source files.
func (c *cmake) customDrivers() []*resolved {
	var list []*resolved
	for _, link := range c.links {
		k := &cmakeCall{cmake: c, fr: link.fr, in: link.in}
		r := &resolved{cmakeTarget: &cmakeTarget{kind: "EXECUTABLE", dir: link.fr.dir, site: link.in, properties: map[string][]entry{}}}
		words := c.values(r, &genex{cmake: c, target: r.cmakeTarget, language: C}, []entry{{value: joinList(link.words[1:])}})
		f := parseArguments(words, true)
		if f.kernel == "" && !isEntry(f.entry) && !strings.EqualFold(path.Ext(f.output), ".sys") || f.output == "" {
			continue
		}
		r.name = strings.TrimSuffix(path.Base(strings.ReplaceAll(f.output, `\`, "/")), path.Ext(f.output))
		r.linker, r.driver = f, cmp.Or(f.kernel, "links "+f.output)
		r.add("SOURCES", entry{value: joinList(k.rooted(slices.DeleteFunc(f.inputs, func(t text) bool {
			_, source := languageOf(t.String())
			return !source && !strings.HasPrefix(t.String(), objectsOf)
		}), nil))})
		c.compile(r, r.cmakeTarget, 0)
		if len(r.units) > 0 && c.targets[r.name] == nil {
			list = append(list, r)
		}
	}
	return list
}

// declare keeps where a target is declared, for what is inserted after it.
func (b *Build) declare(t *cmakeTarget) {
	if t.name == "" || t.site == nil || slices.ContainsFunc(b.declared, func(d declared) bool { return d.target == t.name }) {
		return
	}
	b.declared = append(b.declared, declared{t.name, t.site})
}

// declared is a target, and the command after which it can be changed.
type declared struct {
	target string
	after  *invocation
}
