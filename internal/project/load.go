package project

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// Load: from named paths to builds. Each build file is loaded by itself; what ties them together (libraries, shared
// files, INFs) is found when all are there.

// LoadOptions say what to load of the named paths, and what to add to it.
type LoadOptions struct {
	// Configs are the configurations to load, as "Release|x64", without regard to case; none means all. The
	// platform may also be nx's name of it, "x86" for Win32.
	Configs  []string
	Defines  []string // NAME or NAME=VALUE, added last to every unit
	Includes []string // directories, added last to every unit
}

// loader is one call of Load.
type loader struct {
	tree     *tree.Tree
	options  LoadOptions
	defines  []Define
	includes []string
	interner *interner
	set      *Set
	compiled map[string][]string // build file that was skipped -> what it compiles
	named    map[string]bool     // build files that the user named
	infs     []string            // and INX files, beside the build files
	// documents are the project files that are parsed already.
	documents *documents

	libraries libraries
	maybe     map[string][]string // directory -> the build files found there, if all may turn out to build nothing
}

// loaded is what one build file gives.
type loaded struct {
	builds         []*Build
	skipped        []Skipped
	unreadable     []Skipped
	reads          []string // files read, itself included
	configurations []string // all it has, chosen or not
	// compiled are the files that builds which were skipped compile, by what stands in skipped.
	compiled map[string][]string
}

// Load finds the builds of the named paths: directories, build files (.vcxproj, SOURCES, make files, CMakeLists.txt,
// compile_commands.json), files that name some (.sln, .slnx, dirs), and C or C++ files.
//
// A directory is walked for build files; solutions and dirs files count only where they are named. If there are build
// files in it, they alone make builds (make files only if they turn out to compile something); else all C and C++ files
// below it make one build, "default", for x64, whose include directory is the named one. Single C and C++ files make
// such a build by directory, whose ID is the file where it is alone.
//
// Build files that compile no kernel code are skipped, those that can't be read are unreadable; the rest is loaded
// all the same. An error is returned only for options that can't be followed.
func Load(t *tree.Tree, named []string, o LoadOptions) (*Set, error) {
	l, err := newLoader(t, o)
	if err != nil {
		return nil, err
	}
	projects, sources := l.gather(named)
	l.loadAll(projects)
	l.loadSources(append(sources, l.unbuilt()...))
	l.installed()
	for _, b := range l.set.Builds {
		b.raiseMinimum()
		b.checkKit()
	}
	l.libraries.link(l.set.Builds)
	l.shares()
	l.link()
	l.set.sort()
	return l.set, l.unmatched()
}

// newLoader checks the options first: a mistake there would give wrong answers for every build.
func newLoader(t *tree.Tree, o LoadOptions) (*loader, error) {
	l := &loader{tree: t, options: o, interner: newInterner(), documents: newDocuments(),
		compiled: map[string][]string{}, named: map[string]bool{}, maybe: map[string][]string{},
		set: &Set{options: o, readers: map[string][]string{}}}
	for _, c := range o.Configs {
		if !strings.Contains(c, "|") {
			return nil, fmt.Errorf("%q is no configuration: want configuration and platform, as Release|x64", c)
		}
	}
	for _, s := range o.Defines {
		d, ok := defineOf(plain(s))
		if !ok {
			return nil, fmt.Errorf("%q is no define: want NAME or NAME=VALUE", s)
		}
		l.defines = append(l.defines, d)
	}
	for _, dir := range o.Includes {
		l.includes = append(l.includes, t.Clean(dir))
	}
	return l, nil
}

// gather sorts the named paths into build files and what else is to be compiled: single files, and directories
// without a build file.
func (l *loader) gather(named []string) (projects, sources []string) {
	for _, name := range named {
		name = l.tree.Clean(name)
		files, err := l.tree.Walk(name)
		switch {
		case err != nil:
			l.unreadable(name, err)
		case len(files) == 1 && files[0] == name:
			built, source := l.file(name)
			projects, sources = append(projects, built...), append(sources, source...)
		default:
			l.addINFs(files)
			l.skipOld(files)
			found := slices.DeleteFunc(files, func(p string) bool { return !l.isLikely(p) })
			if !slices.ContainsFunc(found, func(p string) bool { return !kindOf(p).maybe }) {
				l.maybe[name] = found
			}
			projects = append(projects, found...)
		}
	}
	for p, err := range l.tree.Unread() {
		l.unreadable(p, err)
	}
	slices.Sort(projects)
	slices.Sort(sources)
	return slices.Compact(projects), slices.Compact(sources)
}

// addINFs keeps the files that say what Windows a driver is installed on.
func (l *loader) addINFs(files []string) {
	for _, p := range files {
		if isINF(p) {
			l.infs = append(l.infs, p)
		}
	}
}

// oldProject says why a project file of Visual Studio 2008 or before is not read, "" for any other file.
func (l *loader) oldProject(p string) string {
	if !strings.EqualFold(path.Ext(p), ".vcproj") {
		return ""
	}
	if converted, ok := l.tree.Find(strings.TrimSuffix(p, path.Ext(p)) + ".vcxproj"); ok {
		return "an older form of " + converted + ", which is there too"
	}
	return "a project of Visual Studio 2008 or before, which is not read: let a later one convert it, or name its source files"
}

// skipOld names such projects: what only they compile is in no build.
func (l *loader) skipOld(files []string) {
	for _, p := range files {
		if why := l.oldProject(p); why != "" {
			l.set.Skipped = append(l.set.Skipped, Skipped{Path: p, Why: why})
		}
	}
}

// unbuilt gives the directories in which no build file builds or compiles anything that can be read.
//
// In such a directory a make file was found that has nothing to do with a driver, in a project that is built in
// another way; its sources make the default build.
func (l *loader) unbuilt() []string {
	var dirs []string
	for name, found := range l.maybe {
		broken := slices.ContainsFunc(l.set.Unreadable, func(s Skipped) bool { return slices.Contains(found, s.Path) })
		used := broken || slices.ContainsFunc(l.set.Builds, func(b *Build) bool { return slices.Contains(found, b.Project) }) ||
			slices.ContainsFunc(l.set.Skipped, func(s Skipped) bool { return slices.Contains(found, s.Path) && len(l.compiled[s.Path]) > 0 })
		if !used {
			dirs = append(dirs, name)
		}
	}
	slices.Sort(dirs)
	return dirs
}

// file says what a named file is: a build file, or one that lists some, or a source file.
func (l *loader) file(name string) (projects, sources []string) {
	if kindOf(name) != nil {
		files, _ := l.tree.Walk(path.Dir(name)) // what can't be listed holds no INF
		l.addINFs(files)
		l.named[name] = true
		return []string{name}, nil
	}
	if c := containerOf(name); c != nil {
		list, err := c.list(l, name)
		if err != nil {
			l.unreadable(name, err)
		}
		l.set.Containers = append(l.set.Containers, name)
		return list, nil
	}
	if why := l.noSource(name); why != "" {
		l.set.Unreadable = append(l.set.Unreadable, Skipped{Path: name, Why: why})
		return nil, nil
	}
	return nil, []string{name}
}

// isLikely says whether a file that a walk finds is a build file.
func (l *loader) isLikely(p string) bool {
	k := kindOf(p)
	if k == nil || k.likely == nil {
		return k != nil
	}
	data, err := l.tree.Read(p)
	return err != nil || k.likely(data)
}

// noSource says why a named file is none that can be compiled, "" where it is.
func (l *loader) noSource(name string) string {
	if why := l.oldProject(name); why != "" {
		return why
	}
	if _, ok := languageOf(name); !ok {
		var names []string
		for _, k := range kinds() {
			names = append(names, k.name)
		}
		return "neither " + strings.Join(names, ", nor ") + ", nor a C or C++ source file"
	}
	data, err := l.tree.Read(name)
	switch {
	case err != nil:
		return strings.TrimPrefix(err.Error(), name+": ")
	case tree.IsBinary(data):
		return "binary, no source text"
	}
	return ""
}

// unreadable keeps an input that could not be read, without the path twice.
func (l *loader) unreadable(name string, err error) {
	l.set.Unreadable = append(l.set.Unreadable, Skipped{Path: name, Why: strings.TrimPrefix(err.Error(), name+": ")})
}

// load reads one build file.
func (l *loader) load(p string) loaded { return kindOf(p).load(l, p) }

// loadAll loads build files. Of a kind whose files read one another, those nearest the root come first.
//
// A CMakeLists.txt that another one adds must not make builds of its own, and which one adds it is known only when
// that is read; so the order goes by depth.
// Databases come last, because they are generated from other build files.
func (l *loader) loadAll(projects []string) {
	depth := func(p string) int { return strings.Count(p, "/") }
	last := func(p string) int {
		if isCommands(p) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(projects, func(a, b string) int {
		return cmp.Or(cmp.Compare(last(a), last(b)), cmp.Compare(depth(a), depth(b)))
	})
	for _, p := range projects {
		if !kindOf(p).nested || len(l.set.readers[p]) == 0 {
			l.keep(p, l.load(p))
		}
	}
}

// keep adds what a build file gave to the set.
func (l *loader) keep(p string, from loaded) {
	l.set.Builds = append(l.set.Builds, from.builds...)
	l.set.Skipped = append(l.set.Skipped, from.skipped...)
	l.set.Unreadable = append(l.set.Unreadable, from.unreadable...)
	l.set.configurations = append(l.set.configurations, from.configurations...)
	for _, read := range from.reads {
		l.set.readers[read] = append(l.set.readers[read], p)
	}
	for name, files := range from.compiled {
		l.compiled[name] = append(l.compiled[name], files...)
	}
}

// wants says whether a configuration is among those to load.
func (l *loader) wants(configuration, platform string) bool {
	return len(l.options.Configs) == 0 || slices.ContainsFunc(l.options.Configs, func(c string) bool {
		return isConfiguration(c, configuration, platform)
	})
}

// isConfiguration compares without regard to case, as MSBuild does, and takes x86 for Win32.
func isConfiguration(pattern, configuration, platform string) bool {
	processor, _ := nx.ParseProcessor(platform)
	return strings.EqualFold(pattern, configuration+"|"+platform) ||
		strings.EqualFold(pattern, configuration+"|"+string(processor))
}

// unmatched is an error where a configuration was asked for that no build file has.
func (l *loader) unmatched() error {
	all := l.set.configurations
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) == 0 {
		return nil
	}
	for _, c := range l.options.Configs {
		if !slices.ContainsFunc(all, func(have string) bool {
			configuration, platform, _ := strings.Cut(have, "|")
			return isConfiguration(c, configuration, platform)
		}) {
			const most = 20
			shown := strings.Join(all[:min(len(all), most)], ", ")
			return fmt.Errorf("no build file has the configuration %q; there are: %s", c, shown)
		}
	}
	return nil
}

// add gives a build one unit. The kit's defines come after the project's, the user's last of all.
func (l *loader) add(b *Build, p string, o Options, kit []Define, layers []*layer) {
	own := slices.Concat(o.Defines, kit)
	o.Defines = slices.Concat(own, l.defines)
	o.Defines = slices.Concat(own, versionMacros(&o, b.Kit), l.defines)
	for _, dir := range l.includes {
		if !slices.Contains(o.Includes, dir) {
			o.Includes = append(o.Includes, dir)
		}
	}
	b.Units = append(b.Units, l.interner.unit(p, o))
	b.layers = append(b.layers, layers)
}

// finish orders a build's units, which it takes from the build file in any order, and leaves out repeated ones.
func (l *loader) finish(b *Build) {
	seen := map[*Unit]bool{}
	var order []int
	for i, u := range b.Units {
		if !seen[u] {
			order = append(order, i)
		}
		seen[u] = true
	}
	slices.SortStableFunc(order, func(i, j int) int { return strings.Compare(b.Units[i].Path, b.Units[j].Path) })
	units, layers := make([]*Unit, len(order)), make([][]*layer, len(order))
	for to, from := range order {
		units[to], layers[to] = b.Units[from], b.layers[from]
	}
	b.Units, b.layers = units, layers
	b.Files = len(units)
	b.Build.Defines = b.ownDefines()
	b.lowerMinimum()
	b.set = l.set
}

// ownDefines are those that the build file gives every unit; the kit's are not among them.
func (b *Build) ownDefines() map[string]string {
	own := map[string]string{}
	if len(b.Units) == 0 {
		return own
	}
	for _, d := range b.Units[0].Options.Defines {
		everywhere := !slices.ContainsFunc(b.Units, func(u *Unit) bool {
			value, ok := u.Options.value(d.Name)
			return !ok || value != d.Value
		})
		if d.Place.Path != "" && everywhere {
			own[d.Name] = d.Value
		}
	}
	return own
}

// shares finds the files that a driver shares with what was skipped: what is changed in them changes both.
func (l *loader) shares() {
	drivers := map[string]bool{}
	for _, b := range l.set.Builds {
		for _, u := range b.Units {
			drivers[u.Path] = true
		}
	}
	for i, s := range l.set.Skipped {
		files := slices.DeleteFunc(slices.Clone(l.compiled[s.Path]), func(p string) bool { return !drivers[p] })
		slices.Sort(files)
		l.set.Skipped[i].Shares = slices.Compact(files)
	}
}

// sort orders what has no order of its own. Builds stand in order of their files, then as these list them.
func (s *Set) sort() {
	slices.SortStableFunc(s.Builds, func(a, b *Build) int { return strings.Compare(a.Project, b.Project) })
	for _, list := range []*[]Skipped{&s.Skipped, &s.Unreadable} {
		slices.SortFunc(*list, func(a, b Skipped) int {
			return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Why, b.Why))
		})
		*list = slices.CompactFunc(*list, func(a, b Skipped) bool { return a.Path == b.Path && a.Why == b.Why })
	}
}

// loadSources makes the builds of what has no build file.
func (l *loader) loadSources(names []string) {
	groups := map[string][]string{} // by directory
	var order []string
	for _, name := range names {
		dir, files := name, []string{name}
		if _, ok := languageOf(name); ok {
			if _, err := l.tree.Read(name); err == nil { // else a directory of such a name
				dir = path.Dir(name)
			}
		}
		if dir == name {
			files, _ = l.tree.Walk(name) // it was walked before
			files = slices.DeleteFunc(files, func(p string) bool { _, ok := languageOf(p); return !ok })
		}
		if groups[dir] == nil {
			order = append(order, dir)
		}
		groups[dir] = append(groups[dir], files...)
	}
	slices.Sort(order)
	for _, dir := range order {
		if len(groups[dir]) > 0 {
			id := dir
			if len(groups[dir]) == 1 && slices.Contains(names, groups[dir][0]) {
				id = groups[dir][0]
			}
			l.set.Builds = append(l.set.Builds, l.defaultBuild(id, dir, groups[dir]))
		}
	}
}

// defaultBuild is the build of files without a build file.
func (l *loader) defaultBuild(id, dir string, files []string) *Build {
	b := &Build{
		Build: driver.Build{
			ID: id, Project: id, Configuration: "default", Processor: nx.X64,
			Minimum: nx.Windows7, MinimumSource: "default", Entries: entries(""),
		},
	}
	slices.Sort(files)
	for _, p := range slices.Compact(files) {
		language, _ := languageOf(p)
		o := Options{Processor: b.Processor, Language: language, Includes: []string{dir}}
		l.add(b, p, o, toolset(b.Processor, false, nx.Version{}, 0), nil)
	}
	l.finish(b)
	return b
}
