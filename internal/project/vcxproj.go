package project

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// loadProject reads a .vcxproj in all configurations that are wanted.
func (l *loader) loadProject(p string) loaded {
	r := newReader(l.tree)
	out := loaded{reads: []string{p}}
	root, err := r.xml(p)
	if err == nil {
		err = l.evaluateAll(r, p, root, &out)
	}
	if err != nil {
		return loaded{reads: out.reads, unreadable: []Skipped{{Path: p, Why: strings.TrimPrefix(err.Error(), p+": ")}}}
	}
	for name := range r.parsed {
		if name != p {
			out.reads = append(out.reads, name)
		}
	}
	slices.Sort(out.reads)
	for name, err := range r.broken {
		out.unreadable = append(out.unreadable, Skipped{Path: name, Why: strings.TrimPrefix(err.Error(), name+": ")})
	}
	return out
}

// maxConfigurations bounds the configurations of one project; real ones have up to 48.
const maxConfigurations = 500

func (l *loader) evaluateAll(r *reader, p string, root *element, out *loaded) error {
	names, err := evaluate(r, p, root, "", "")
	if err != nil {
		return err
	}
	var seen []string
	for _, name := range names.configured {
		configuration, platform, ok := strings.Cut(name, "|")
		folded := strings.ToLower(name)
		if !ok || slices.Contains(seen, folded) {
			continue
		}
		if seen = append(seen, folded); len(seen) > maxConfigurations {
			return fmt.Errorf("line 1: more than %d configurations", maxConfigurations)
		}
		out.configurations = append(out.configurations, name)
		if !l.wants(configuration, platform) {
			continue
		}
		e, err := evaluate(r, p, root, configuration, platform)
		if err != nil {
			return fmt.Errorf("line 1: %s: %w", name, err)
		}
		l.configuration(e, configuration, platform, out)
		if r.budget <= 0 {
			return fmt.Errorf("line 1: %s: %w", name, errWork)
		}
	}
	if len(seen) == 0 {
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
		out.skipped = append(out.skipped, Skipped{Path: e.project, Why: why})
		return
	}
	b := &Build{Build: driver.Build{
		ID:      e.project + "|" + configuration + "|" + platform,
		Project: e.project, Configuration: configuration, Processor: processor,
		Library: strings.EqualFold(e.property("ConfigurationType"), "StaticLibrary"),
	}}
	b.Target = cmp.Or(e.property("TargetName"), strings.TrimSuffix(path.Base(e.project), path.Ext(e.project)))
	b.Kit = kitOf(e.property("PlatformToolset"), cmp.Or(kitBuildOf(e.property("WindowsTargetPlatformVersion")), e.kitBuild))
	target, given := e.minimum(b)
	if !b.Library {
		b.Entries = entries(e.entryPoint())
	}
	kit := toolset(processor, e.debug(configuration), target, ntddi(target, given))
	l.projectUnits(e, b, kit)
	b.Notes = e.notes
	l.finish(b)
	out.builds = append(out.builds, b)
}

// userMode says why a configuration is no kernel-mode build, "" where it is one.
func (e *evaluation) userMode() string {
	kind, kit, toolset := e.property("ConfigurationType"), e.property("DriverType"), e.property("PlatformToolset")
	lower := strings.ToLower(toolset)
	switch {
	case strings.EqualFold(kit, "UMDF"):
		return "user mode: DriverType UMDF"
	case strings.EqualFold(kit, "Package") || strings.EqualFold(kind, "Utility"):
		return "a package, which compiles nothing"
	case strings.EqualFold(kind, "Makefile"):
		return "built by commands of its own: ConfigurationType Makefile"
	case strings.HasPrefix(lower, "windowsusermodedriver") || strings.HasPrefix(lower, "windowsapplicationfordrivers"):
		return "user mode: PlatformToolset " + toolset
	case strings.EqualFold(kind, "Driver") || kit != "" || strings.HasPrefix(lower, "windowskernelmodedriver"):
		return ""
	case e.linksDriver():
		return ""
	case kind == "":
		return "user mode: no ConfigurationType, which means Application"
	}
	return "user mode: ConfigurationType " + kind
}

// linksDriver says whether the linker is told to make a driver, as projects without the kit's toolset do.
func (e *evaluation) linksDriver() bool {
	m := e.definitions["link"]
	option := strings.Trim(m["driver"].String(), white)
	return option != "" && !strings.EqualFold(option, "NotSet") ||
		slices.ContainsFunc(fields(m["additionaloptions"]), func(t text) bool {
			s := strings.ToLower(t.String())
			return s == "/driver" || strings.HasPrefix(s, "/driver:")
		})
}

// entryPoint gives the linker's entry point, which a property or an item definition may name.
func (e *evaluation) entryPoint() string {
	if s := strings.Trim(e.definitions["link"]["entrypointsymbol"].String(), white); s != "" {
		return s
	}
	return e.property("EntryPointSymbol")
}

// minimum fills in the lowest Windows of a build. It gives the version that the kit's headers are told, zero where
// the project does not say, and the text that says so.
func (e *evaluation) minimum(b *Build) (nx.Version, string) {
	given := e.property("_NT_TARGET_VERSION")
	if given != "" && !e.fromKit["_nt_target_version"] {
		if v, ok := parseTarget(given); ok {
			b.Minimum, b.MinimumSource = v, "_NT_TARGET_VERSION"
			return v, given
		}
		e.note(driver.Place{Path: e.project}, "_NT_TARGET_VERSION %q is not understood", given)
	}
	given = e.property("TargetVersion")
	if v, ok := targetVersions[strings.ToLower(given)]; ok {
		b.Minimum, b.MinimumSource = v, "TargetVersion"
		return v, given
	}
	if given != "" {
		e.note(driver.Place{Path: e.project}, "TargetVersion %q is not understood", given)
	}
	b.Minimum, b.MinimumSource = nx.Windows7, "default"
	return nx.Version{}, ""
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

// projectUnits gives the build its units.
func (l *loader) projectUnits(e *evaluation, b *Build, kit []Define) {
	for _, it := range e.items {
		if excluded, _ := boolean(strings.Trim(it.metadata["excludedfrombuild"].String(), white)); excluded {
			continue
		}
		if !e.spend(unitWork) {
			return
		}
		name := unescape(it.include.String())
		p, ok := e.tree.Find(e.tree.Join(path.Dir(e.project), name))
		if !ok {
			e.note(it.include.place(), "%s is not there; it is left out (a file made by the build, perhaps)", name)
			continue
		}
		o, ok := e.options(it, p)
		if !ok {
			continue // a header or the like, which the compiler is given but does not compile
		}
		o.Processor = b.Processor
		l.add(b, p, o, kit, it.layers)
	}
}

// options reads the metadata of an item, but for what the kit adds.
func (e *evaluation) options(it *item, p string) (Options, bool) {
	var f flags
	m := it.metadata
	for _, d := range m["preprocessordefinitions"].split(';') {
		f.define(d)
	}
	more := parseFlags(m["additionaloptions"])
	o := Options{Defines: append(f.defines, more.defines...)}
	for i := range o.Defines {
		o.Defines[i].Value = unescape(o.Defines[i].Value)
	}
	for _, t := range append(f.unreadable, more.unreadable...) {
		e.note(t.place(), "the define %q can't be read; it is left out", t)
	}
	o.Undefines = append(list(m["undefinepreprocessordefinitions"]), more.undefines...)
	o.Includes = e.directories(append(append(list(m["additionalincludedirectories"]), more.includes...),
		list(e.properties["includepath"])...))
	for _, forced := range append(list(m["forcedincludefiles"]), more.forced...) {
		o.Forced = append(o.Forced, strings.ReplaceAll(forced, `\`, "/"))
	}
	language, ok := languageOf(p)
	o.Language = language
	switch as := strings.Trim(m["compileas"].String(), white); {
	case more.language != "":
		o.Language, ok = more.language, true
	case strings.EqualFold(as, "CompileAsC"):
		o.Language, ok = C, true
	case strings.EqualFold(as, "CompileAsCpp"):
		o.Language, ok = CXX, true
	}
	return o, ok
}

// list gives the parts of a list as the compiler is told them.
func list(t text) []string {
	var out []string
	for _, part := range t.split(';') {
		out = append(out, unescape(part.String()))
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
		dir := e.tree.Join(path.Dir(e.project), name)
		if found, ok := e.tree.Find(dir); ok {
			dir = found
		}
		if !slices.Contains(out, dir) {
			out = append(out, dir)
		}
	}
	return out
}
