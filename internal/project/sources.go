package project

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// SOURCES files are what build.exe of the kits before Windows 8 reads: macros and directives in the language of
// nmake. Each makes the four builds free and checked for x86 and amd64; which Windows those kits' build windows
// target is not written in the file unless it sets _NT_TARGET_VERSION.

// looksLikeSources says whether a file of that name is one of build.exe's.
func looksLikeSources(data []byte) bool {
	data = data[:min(len(data), maxBuildFile)] // one that is too large is said to be
	return !tree.IsBinary(data) && slices.ContainsFunc(parseNmake(newFile("", data)), func(s statement) bool {
		return slices.Contains([]string{"targettype", "targetname", "sources", "!include"}, s.name)
	})
}

// oldEntries are the TARGETTYPEs of kernel-mode code, with the routines by which Windows enters each.
var oldEntries = map[string][]string{
	"DRIVER": {"DriverEntry"}, "GDI_DRIVER": {"DriverEntry"}, "MINIPORT": {"DriverEntry"}, "HAL": {"DriverEntry"},
	"EXPORT_DRIVER": {"DriverEntry", "DllInitialize"}, "DRIVER_LIBRARY": nil,
}

// oldPlatforms are those the kits before Windows 8 build for, in their own spelling, with the macros and
// directories of each.
var oldPlatforms = []struct {
	name      string
	processor nx.Processor
	macro     string // is 1 where the others are 0
	sources   string // macro of its own source files
	directory string
}{
	{"x86", nx.X86, "386", "i386_sources", "i386"},
	{"amd64", nx.X64, "amd64", "amd64_sources", "amd64"},
}

// oldProcessors are the macros that say which processor is built for.
var oldProcessors = []string{"386", "amd64", "ia64", "arm", "alpha", "mips", "ppc"}

// oldDefines are what build.exe adds for every processor, before the file's own.
var oldDefines = []Define{
	{Name: "CONDITION_HANDLING", Value: "1"}, {Name: "NT_UP", Value: "1"}, {Name: "NT_INST", Value: "0"},
	{Name: "WIN32", Value: "100"}, {Name: "_NT1X_", Value: "100"}, {Name: "WIN32_LEAN_AND_MEAN", Value: "1"},
	{Name: "DEVL", Value: "1"},
}

// loadSourcesFile reads a SOURCES file in all configurations that are wanted.
func (l *loader) loadSourcesFile(p string) loaded {
	r := newReader(l.tree)
	texts, known, inner := map[string][]statement{}, map[layerKey]*layer{}, depths{}
	out := loaded{}
	for i := range oldPlatforms {
		for _, configuration := range []string{"free", "checked"} {
			platform := oldPlatforms[i].name
			out.configurations = append(out.configurations, configuration+"|"+platform)
			if !l.wants(configuration, platform) {
				continue
			}
			m := &makefile{reader: r, project: p, texts: texts, known: known, depths: inner, macros: oldEnvironment(i, configuration)}
			if err := l.sourcesBuild(m, i, configuration, &out); err != nil {
				return loaded{reads: []string{p}, unreadable: []Skipped{{Path: p, Why: strings.TrimPrefix(err.Error(), p+": ")}}}
			}
		}
	}
	for name := range texts {
		out.reads = append(out.reads, name)
	}
	slices.Sort(out.reads)
	for name, err := range r.broken {
		out.unreadable = append(out.unreadable, Skipped{Path: name, Why: strings.TrimPrefix(err.Error(), name+": ")})
	}
	return out
}

// oldEnvironment gives the macros of a build window.
func oldEnvironment(platform int, configuration string) map[string]text {
	window := map[string]string{"freebuild": "1", "ddkbuildenv": "fre", "_buildtype": "fre", "ntdebug": "ntsdnodbg"}
	if configuration == "checked" {
		window = map[string]string{"freebuild": "0", "ddkbuildenv": "chk", "_buildtype": "chk", "ntdebug": "ntsd"}
	}
	macros := map[string]text{}
	for name, value := range window {
		macros[name] = plain(value)
	}
	for _, name := range oldProcessors {
		macros[name] = plain("0")
	}
	p := oldPlatforms[platform]
	macros[p.macro] = plain("1")
	macros["_buildarch"] = plain(p.name)
	macros["target_directory"] = plain(p.directory)
	for name, value := range targets {
		macros[name] = plain(value)
	}
	return macros
}

// sourcesBuild evaluates one configuration. It is an error if the file can not be read, and a skip if it makes no
// driver.
func (l *loader) sourcesBuild(m *makefile, platform int, configuration string, out *loaded) error {
	list, err := m.read(m.project)
	if err == nil {
		err = m.run(list)
	}
	kind := strings.ToUpper(m.value("targettype").String())
	if err == nil && kind == "" {
		err = errors.New("line 1: no TARGETTYPE, so what it builds is not known")
	}
	if m.budget <= 0 {
		err = errWork
	}
	if err != nil {
		return err
	}
	p := oldPlatforms[platform]
	b := &Build{Build: driver.Build{
		ID: m.project + "|" + configuration + "|" + p.name, Project: m.project, Configuration: configuration,
		Processor: p.processor, Kit: oldKit, Library: kind == "DRIVER_LIBRARY", Entries: oldEntries[kind],
		Minimum: nx.Windows7, MinimumSource: "default",
	}}
	b.Target = m.macros["targetname"].trim().String()
	target, given := m.minimum(b)
	kit := slices.Clone(oldDefines)
	if configuration == "free" {
		kit = append(kit, Define{Name: "NDEBUG", Value: "1"})
	}
	kit = append(kit, toolset(p.processor, configuration == "checked", target, ntddi(target, given))...)
	l.sourcesUnits(m, b, platform, kit)
	if m.budget <= 0 {
		return errWork
	}
	if _, kernel := oldEntries[kind]; !kernel {
		out.skipped = append(out.skipped, Skipped{Path: m.project, Why: "user mode: TARGETTYPE " + kind})
		out.compiles(m.project, b)
		return nil
	}
	b.Notes = m.notes
	l.finish(b)
	l.libraries.note(b, m)
	out.builds = append(out.builds, b)
	return nil
}

// compiles keeps the files of a build that was skipped.
func (out *loaded) compiles(name string, b *Build) {
	if out.compiled == nil {
		out.compiled = map[string][]string{}
	}
	for _, u := range b.Units {
		out.compiled[name] = append(out.compiled[name], u.Path)
	}
}

// value gives a macro's value.
func (m *makefile) value(name string) text { return m.expand(m.macros[name]).trim() }

// minimum reads _NT_TARGET_VERSION; without one the build keeps the default minimum.
func (m *makefile) minimum(b *Build) (nx.Version, string) {
	given := m.value("_nt_target_version").String()
	v, ok := parseTarget(given)
	if ok {
		b.Minimum, b.MinimumSource = v, "_NT_TARGET_VERSION"
	} else if given != "" {
		m.note(driver.Place{Path: m.project}, "_NT_TARGET_VERSION %q is not understood", given)
	}
	return v, given
}

// sourcesUnits gives the build the files of SOURCES and of its own processor.
func (l *loader) sourcesUnits(m *makefile, b *Build, platform int, kit []Define) {
	p := oldPlatforms[platform]
	f := parseFlags(slices.Concat(m.value("c_defines"), plain(" "), m.value("user_c_flags")))
	f.doubts(m.note)
	o := Options{Processor: b.Processor, Defines: append(kit, f.defines...), Undefines: f.undefines, Forced: f.forced}
	dir := path.Dir(m.project)
	o.Includes = []string{m.tree.Join(dir, p.directory), dir}
	for _, t := range m.value("includes").split(';') {
		if name := t.String(); !strings.HasPrefix(name, `\`) && !t.unknown() {
			o.Includes = append(o.Includes, m.tree.Join(dir, name))
		}
	}
	for _, name := range f.includes {
		o.Includes = append(o.Includes, m.tree.Join(dir, name))
	}
	m.layers = m.unconditional()
	for i, name := range []string{"sources", p.sources} {
		for _, file := range fields(m.value(name)) {
			if !m.spend(unitWork + 8*len(f.defines)) {
				return
			}
			subdirectory := ""
			if i > 0 {
				subdirectory = p.directory
			}
			l.sourcesUnit(m, b, file, subdirectory, o)
		}
	}
}

// sourcesUnit adds one file. Those of one processor stand in its subdirectory.
func (l *loader) sourcesUnit(m *makefile, b *Build, name text, subdirectory string, o Options) {
	language, ok := languageOf(name.String())
	if name.unknown() {
		m.note(name.place(), "%s can't be evaluated; it is left out", name)
	}
	if !ok || name.unknown() {
		return
	}
	dir := path.Dir(m.project)
	found, ok := m.tree.Find(m.tree.Join(path.Join(dir, subdirectory), name.String()))
	if !ok {
		found, ok = m.tree.Find(m.tree.Join(dir, name.String()))
	}
	if !ok {
		m.note(name.place(), "%s is not there; it is left out (a file made by the build, perhaps)", name)
		return
	}
	if strings.Contains(strings.ReplaceAll(name.String(), `\`, "/"), "../..") {
		m.note(name.place(), "%s stands too far up: build.exe compiles no file from above the parent directory", name)
	}
	o.Language, o.Precompiled = language, m.precompiled(language)
	l.add(b, found, o, nil, m.layers)
}

// unconditional leaves out what this file adds to C_DEFINES in an !if: a line of its own serves other builds, too. In a file
// that is included, the line may be one for several projects.
func (m *makefile) unconditional() []*layer {
	return slices.DeleteFunc(slices.Clone(m.layers), func(y *layer) bool {
		return y.inherits && y.file.path == m.project && m.depths[layerKey{y.file, y.file.lineStart(y.at)}] > 0
	})
}

// precompiled gives the header up to which a unit of a language is skipped. PRECOMPILED_CXX says that it is C++ alone
// that uses it.
func (m *makefile) precompiled(language Language) string {
	header := m.value("precompiled_include")
	cxx := m.value("precompiled_cxx").String() == "1"
	if len(header) == 0 || header.unknown() || len(m.value("no_precompiled")) > 0 || cxx != (language == CXX) {
		return ""
	}
	return path.Base(strings.ReplaceAll(header.String(), `\`, "/"))
}

// libraries are the static libraries that SOURCES files build and use.
type libraries struct {
	made map[string][]*Build // by configuration, platform and name
	used map[*Build][]string // paths, as in TARGETLIBS
}

// libraryKey names a library as TARGETLIBS does, for one configuration and processor.
func libraryKey(b *Build, name string) string {
	return b.Configuration + "|" + string(b.Processor) + "|" + strings.ToLower(name)
}

// note keeps what a build makes and uses.
func (x *libraries) note(b *Build, m *makefile) {
	if x.made == nil {
		x.made, x.used = map[string][]*Build{}, map[*Build][]string{}
	}
	if b.Library {
		key := libraryKey(b, m.value("targetname").String()+".lib")
		x.made[key] = append(x.made[key], b)
	}
	for _, t := range fields(m.value("targetlibs")) {
		x.used[b] = append(x.used[b], strings.ReplaceAll(t.String(), `\`, "/"))
	}
}

// link joins builds with the libraries among them. Of several with one name, the one counts whose directory the path
// names.
func (x *libraries) link(builds []*Build) {
	for _, b := range builds {
		for _, name := range x.used[b] {
			made := x.made[libraryKey(b, path.Base(name))]
			i := 0
			if len(made) > 1 {
				i = slices.IndexFunc(made, func(library *Build) bool {
					return strings.Contains(strings.ToLower(name), "/"+strings.ToLower(path.Base(path.Dir(library.Project)))+"/")
				})
			}
			if i >= 0 && i < len(made) && made[i] != b && !slices.Contains(b.Links, made[i].ID) {
				b.Links = append(b.Links, made[i].ID)
			}
		}
	}
}
