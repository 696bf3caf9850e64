package project

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// From an evaluated .vcxproj to builds: which configurations are for the kernel, for which Windows and kit, and what
// their files are compiled with.

// loadProject reads a .vcxproj in all configurations that are wanted.
func (l *loader) loadProject(p string) loaded {
	out := loaded{reads: []string{p}, compiled: map[string][]string{}}
	if product, template := strings.CutSuffix(p, ".in"); template {
		if _, ok := l.tree.Find(product); ok {
			out.skipped = []Skipped{{Path: p, Why: "the template of " + product + ", which is there too"}}
			return out
		}
	}
	r := readerOf(l.tree, l.documents)
	root, err := r.xml(p)
	defer delete(l.documents.parsed, p) // no other project reads it, as a rule
	if err == nil {
		err = l.evaluateAll(r, p, root, &out)
	}
	if err != nil {
		return loaded{reads: out.reads, unreadable: []Skipped{{Path: p, Why: strings.TrimPrefix(err.Error(), p+": ")}}}
	}
	out.partly()
	if len(out.builds) > 0 {
		out.compiled = nil // a configuration that makes no driver shares with the others of its own project
	}
	out.reads = slices.Sorted(maps.Keys(r.reads))
	for name, err := range r.broken {
		out.unreadable = append(out.unreadable, Skipped{Path: name, Why: strings.TrimPrefix(err.Error(), name+": ")})
	}
	return out
}

// maxConfigurations bounds the configurations of one project; real ones have up to 48.
const maxConfigurations = 500

// evaluateAll evaluates the configurations that stand in a project, then those that the first evaluation finds besides,
// which come by imports.
func (l *loader) evaluateAll(r *reader, p string, root *element, out *loaded) error {
	var found map[string]bool // in lower case; what stands there may be removed again
	names := written(root)
	find := func(e *evaluation) {
		if found == nil {
			configured := e.configured()
			names, found = append(names, configured...), map[string]bool{}
			for _, name := range configured {
				found[strings.ToLower(name)] = true
			}
		}
	}
	if len(names) == 0 || len(l.options.Configs) > 0 { // else the first one that is evaluated tells
		e, err := evaluate(r, p, root, "", "", true)
		if err != nil {
			return fmt.Errorf("line 1: %w", err)
		}
		find(e)
	}
	seen := map[string]bool{}
	for i := 0; i < len(names); i++ {
		name := names[i]
		configuration, platform, ok := strings.Cut(name, "|")
		folded := strings.ToLower(name)
		if !ok || seen[folded] {
			continue
		}
		if len(seen) == maxConfigurations {
			why := fmt.Sprintf("line 1: more than %d configurations; only the first are read", maxConfigurations)
			out.unreadable = append(out.unreadable, Skipped{Path: p, Why: why})
			break
		}
		seen[folded] = true
		if !l.wants(configuration, platform) {
			out.configurations = append(out.configurations, name)
			continue
		}
		e, err := evaluate(r, p, root, configuration, platform, found == nil)
		if err != nil {
			return fmt.Errorf("line 1: %s: %w", name, err)
		}
		if find(e); !found[folded] {
			continue
		}
		out.configurations = append(out.configurations, name)
		l.configuration(e, configuration, platform, out)
		if r.budget <= 0 {
			return fmt.Errorf("line 1: %s: %w", name, errWork)
		}
	}
	if len(out.configurations) == 0 {
		return errors.New("line 1: there is no ProjectConfiguration, so nothing is built")
	}
	return nil
}

// configuration turns an evaluated configuration into a build, or into a reason to skip it.
func (l *loader) configuration(e *evaluation, configuration, platform string, out *loaded) {
	processor, ok := nx.ParseProcessor(platform)
	why := e.userMode()
	if why == "" && !ok {
		why = fmt.Sprintf("no processor is known for the platform %s", platform)
	}
	if why != "" {
		out.skip(e.project, why, configuration+"|"+platform)
		out.compiled[e.project] = append(out.compiled[e.project], e.compiled()...)
		return
	}
	b := &Build{Build: driver.Build{
		ID:      e.project + "|" + configuration + "|" + platform,
		Project: e.project, Configuration: configuration, Processor: processor,
		Library: strings.EqualFold(e.property("ConfigurationType"), "StaticLibrary"),
	}}
	b.Target = cmp.Or(e.property("TargetName"), e.property("ProjectName"), strings.TrimSuffix(path.Base(e.project), path.Ext(e.project)))
	b.Kit = kitOf(e.property("PlatformToolset"), cmp.Or(kitBuildOf(e.property("WindowsTargetPlatformVersion")), e.kitBuild))
	e.minimum(b)
	switch noEntry, _ := boolean(e.definitions["link"].get("noentrypoint")); {
	case b.Library:
	case noEntry: // a DLL for the kernel: Windows enters it where another image is linked with it
		b.Entries = []string{"DllInitialize"}
	default:
		b.Entries = entries(e.entryPoint())
	}
	l.projectUnits(e, b)
	if el := e.hollow; el != nil && len(b.Units) == 0 {
		e.note(el.place(), "it compiles no file: %s is empty here, unless the kit or a target fills it", el.attribute("Include"))
	}
	b.references = e.references(configuration + "|" + platform)
	b.linked = list(e.definitions["link"].values["additionaldependencies"])
	b.Notes = e.notes
	l.finish(b)
	out.builds = append(out.builds, b)
}

// skip keeps a configuration that makes no driver, by the reason.
func (out *loaded) skip(project, why, configuration string) {
	i := slices.IndexFunc(out.skipped, func(s Skipped) bool { return s.Why == why })
	if i < 0 {
		i = len(out.skipped)
		out.skipped = append(out.skipped, Skipped{Path: project, Why: why})
	}
	out.skipped[i].configurations = append(out.skipped[i].configurations, configuration)
}

// partly names the configurations that were skipped of a project that has others.
func (out *loaded) partly() {
	const most = 4
	for i, s := range out.skipped {
		if list := s.configurations; len(out.builds) > 0 {
			if len(list) > most {
				list = append(list[:most:most], fmt.Sprintf("%d more", len(list)-most))
			}
			out.skipped[i].Why = "in " + strings.Join(list, ", ") + ": " + s.Why
		}
	}
}

// userMode says why a configuration is no kernel-mode build, "" where it is one.
func (e *evaluation) userMode() string {
	kind, kit, toolset := e.property("ConfigurationType"), e.property("DriverType"), e.property("PlatformToolset")
	lower := strings.ToLower(toolset)
	switch {
	case strings.EqualFold(kit, "UMDF"):
		return "user mode: DriverType UMDF"
	case strings.EqualFold(kit, "Package") || strings.EqualFold(kind, "Utility"):
		return "a package or the like, which compiles nothing"
	case strings.EqualFold(kind, "Makefile"):
		return "built by commands of its own: ConfigurationType Makefile"
	case strings.HasPrefix(lower, "windowsusermodedriver") || strings.HasPrefix(lower, "windowsapplicationfordrivers"):
		return "user mode: PlatformToolset " + toolset
	case strings.EqualFold(kind, "Driver") || strings.HasPrefix(lower, "windowskernelmodedriver") || e.linksDriver():
		return ""
	case kind == "":
		return "user mode: no ConfigurationType, which means Application"
	case kit == "":
	case userToolset.MatchString(toolset):
		return "user mode: PlatformToolset " + toolset
	default: // a DriverType, and a toolset that only the kit knows
		return ""
	}
	return "user mode: ConfigurationType " + kind
}

// userToolset are those of Visual Studio itself.
var userToolset = regexp.MustCompile(`(?i)^(v[0-9]+(_xp)?|clangcl|llvm.*)$`)

// linksDriver says whether the linker is told to make a driver, as projects without the kit's toolset do.
func (e *evaluation) linksDriver() bool {
	m := e.definitions["link"]
	option := m.get("driver")
	return option != "" && !strings.EqualFold(option, "NotSet") ||
		slices.ContainsFunc(fields(m.values["additionaloptions"]), func(t text) bool {
			s := strings.ToLower(t.String())
			return s == "/driver" || strings.HasPrefix(s, "/driver:")
		})
}

// entryPoint gives the linker's entry point, which a property or an item definition may name.
func (e *evaluation) entryPoint() string {
	if s := e.definitions["link"].get("entrypointsymbol"); s != "" {
		return s
	}
	return e.property("EntryPointSymbol")
}

// minimum fills in the lowest Windows of a build, as the project says it.
func (e *evaluation) minimum(b *Build) {
	given := e.property("_NT_TARGET_VERSION")
	if _, ok := parseTarget(given); !ok && given != "" {
		e.note(driver.Place{Path: e.project}, "_NT_TARGET_VERSION %q is not understood", given)
	}
	v, given, source := e.target()
	if source == "default" && given != "" {
		e.note(driver.Place{Path: e.project}, "TargetVersion %q is not understood", given)
	}
	b.Minimum, b.MinimumSource = cmp.Or(v, nx.Windows7), source
}

// target gives the version that the kit's headers are told, zero where the project does not say, and the text and the
// property that say so.
func (e *evaluation) target() (v nx.Version, given, source string) {
	given = e.property("_NT_TARGET_VERSION")
	if v, ok := parseTarget(given); ok && !e.fromKit["_nt_target_version"] {
		return v, given, "_NT_TARGET_VERSION"
	}
	given = e.property("TargetVersion")
	if v, ok := targetVersions[strings.ToLower(given)]; ok {
		return v, given, "TargetVersion"
	}
	return nx.Version{}, given, "default"
}

// kitDefinitions put what the kit defines before what has been defined. Its property sheets come with
// Microsoft.Cpp.props, as a rule before the project's own definitions: these keep it where they write
// %(PreprocessorDefinitions), drop it where they don't, and win where they define a name behind it.
func (e *evaluation) kitDefinitions() {
	configuration, platform := e.property("Configuration"), e.property("Platform")
	processor, ok := nx.ParseProcessor(platform)
	if !ok {
		return
	}
	target, given, _ := e.target()
	var list []string
	for _, d := range toolset(processor, e.debug(configuration), target, ntddi(target, given)) {
		list = append(list, d.text())
	}
	m := e.definitions["clcompile"]
	if m == nil {
		m = &metadata{values: map[string]text{}}
		e.definitions["clcompile"] = m
	}
	own := m.values["preprocessordefinitions"]
	m.values["preprocessordefinitions"] = append(text{{text: strings.Join(list, ";") + ";", kit: true}}, own...)
}

// debug says whether the toolset defines DBG.
func (e *evaluation) debug(configuration string) bool {
	if v, ok := boolean(e.property("UseDebugLibraries")); ok {
		return v
	}
	return strings.Contains(strings.ToLower(configuration), "debug")
}

// unitWork is what one file of one build costs, in the terms of maxWork.
const unitWork = 200

// sources gives the source files of a project that its build does not leave out, each with its path on disk. Those that
// are not there are missed in a note.
func (e *evaluation) sources(use func(it *item, p string)) {
	for _, it := range e.items["clcompile"] {
		if excluded, _ := boolean(it.metadata.get("excludedfrombuild")); excluded {
			continue
		}
		if !e.spend(unitWork) {
			return
		}
		if p, ok := e.paths.find(e.tree, it.path); ok {
			use(it, p)
		} else {
			e.note(it.include.place(), "%s is not there; it is left out (a file made by the build, perhaps)", it.include)
		}
	}
}

// compiled gives the files that a configuration compiles.
func (e *evaluation) compiled() []string {
	var list []string
	e.sources(func(_ *item, p string) { list = append(list, p) })
	return list
}

// projectUnits gives the build its units. Items that share their metadata compile alike.
func (l *loader) projectUnits(e *evaluation, b *Build) {
	type alike struct {
		metadata  *metadata
		extension string
	}
	known := map[alike]*Options{}
	e.sources(func(it *item, p string) {
		key := alike{it.metadata, path.Ext(p)}
		if o := known[key]; o != nil {
			b.Units = append(b.Units, l.interner.alike(p, o))
			b.layers = append(b.layers, it.metadata.layers)
			return
		}
		o, ok := e.options(it, p)
		if !ok {
			return // a header or the like, which the compiler is given but does not compile
		}
		o.Processor = b.Processor
		l.add(b, p, o, nil, it.metadata.layers)
		known[key] = b.Units[len(b.Units)-1].Options
	})
}

// alike gives the unit of a file with options that are interned already.
func (in *interner) alike(path string, options *Options) *Unit {
	u := Unit{path, options}
	if in.units[u] == nil {
		in.units[u] = &u
	}
	return in.units[u]
}

// options reads the metadata of an item.
func (e *evaluation) options(it *item, p string) (Options, bool) {
	var f flags
	m := it.metadata.values
	for _, d := range m["preprocessordefinitions"].split(';') {
		f.define(d)
	}
	more := parseFlags(m["additionaloptions"])
	o := Options{Defines: append(f.defines, more.defines...)}
	for i := range o.Defines {
		o.Defines[i].Value = unescape(o.Defines[i].Value)
	}
	f.doubts(e.note)
	more.doubts(e.note)
	o.Undefines = append(list(m["undefinepreprocessordefinitions"]), more.undefines...)
	o.Includes = e.directories(append(append(list(m["additionalincludedirectories"]), more.includes...),
		list(e.properties["includepath"])...))
	for _, forced := range append(list(m["forcedincludefiles"]), more.forced...) {
		o.Forced = append(o.Forced, strings.ReplaceAll(forced, `\`, "/"))
	}
	if o.Precompiled = e.precompiled(it.metadata, more); o.Precompiled != "" {
		// The compiler does not look for that header again: the file that makes it, mostly beside the project, found it.
		if dir := path.Dir(e.project); !slices.Contains(o.Includes, dir) {
			o.Includes = append(o.Includes, dir)
		}
	}
	language, ok := languageOf(p)
	o.Language = language
	switch as := it.metadata.get("compileas"); {
	case more.language != "":
		o.Language, ok = more.language, true
	case strings.EqualFold(as, "CompileAsC"):
		o.Language, ok = C, true
	case strings.EqualFold(as, "CompileAsCpp"):
		o.Language, ok = CXX, true
	}
	return o, ok
}

// oldToolsets, in lower case, are those whose precompiled header is stdafx.h unless the project says another; since
// Visual Studio 2019 (v142) it is pch.h: "Precompiled header files" on learn.microsoft.com.
var oldToolsets = []string{"v90", "v100", "v110", "v120", "v140", "v141", "windowskernelmodedriver8"}

// precompiled gives the header up to which a unit is skipped, "" where it uses no precompiled one. The unit that makes
// it (Create) is compiled from its first line on.
func (e *evaluation) precompiled(m *metadata, more flags) string {
	last := ""
	for _, word := range fields(m.values["additionaloptions"]) {
		if s := word.String(); len(s) > 2 && (s[1:3] == "Yu" || s[1:3] == "Yc" || s[1:] == "Y-") {
			last = s[1:3]
		}
	}
	switch {
	case last != "":
		return strings.ReplaceAll(more.precompiled, `\`, "/")
	case !strings.EqualFold(m.get("precompiledheader"), "Use"):
		return ""
	case m.get("precompiledheaderfile") != "":
		return strings.ReplaceAll(m.get("precompiledheaderfile"), `\`, "/")
	}
	toolset := strings.ToLower(e.property("PlatformToolset"))
	if slices.ContainsFunc(oldToolsets, func(old string) bool { return strings.HasPrefix(toolset, old) }) {
		return "stdafx.h"
	}
	return "pch.h"
}

// list gives the parts of a list as the compiler is told them.
func list(t text) []string {
	var out []string
	for _, part := range t.split(';') {
		if !part.unknown() {
			out = append(out, unescape(part.String()))
		}
	}
	return out
}

// directories resolves include directories against the project's own, where the compiler runs. What is below a
// property without a value, most often the kit's, begins with a backslash and is left out.
func (e *evaluation) directories(names []string) []string {
	var out []string
	for _, name := range names {
		name = strings.Trim(name, `" `)
		if name == "" || strings.HasPrefix(name, `\`) || strings.Contains(name, "$(") {
			continue
		}
		dir := e.path(path.Dir(e.project), name)
		if found, ok := e.paths.find(e.tree, dir); ok {
			dir = found
		}
		if !slices.Contains(out, dir) {
			out = append(out, dir)
		}
	}
	return out
}
