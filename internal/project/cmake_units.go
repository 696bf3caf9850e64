package project

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// From a target to its units: its own properties, those of its directory, and the usage requirements of all it links
// to. Specification: cmake-buildsystem(7), "Build Specification and Usage Requirements".

// compiled is what one target's compiler and linker are told.
type resolved struct {
	*cmakeTarget
	units  []cmakeUnit
	linker flags
	links  []*cmakeTarget // in the tree, whatever way they are linked
	notes  []driver.Step
}

// cmakeUnit is one source file of a target. The target is that which compiles it: an object library, perhaps.
type cmakeUnit struct {
	path   string
	flags  flags
	from   *cmakeTarget
	layers []*layer
}

// buildType gives the build type: Release, unless the project says otherwise.
func (c *cmake) buildType() string {
	if d := c.added[c.top]; d != nil && !d.flags["CMAKE_BUILD_TYPE"].unknown() {
		return cmp.Or(d.flags["CMAKE_BUILD_TYPE"].String(), "Release")
	}
	return "Release"
}

// note says something once about one target.
func (r *resolved) note(at driver.Place, says string) {
	r.notes = addNote(r.notes, at, "%s", says)
}

// values evaluates the entries of a property, and gives the items of their lists.
func (c *cmake) values(r *resolved, g *genex, entries []entry) []text {
	var out []text
	for _, e := range entries {
		for _, item := range splitList(g.eval(e.value)) {
			if item = item.trim(); item.len() > 0 {
				out = append(out, item)
			}
		}
		if !c.spend(e.value.len()) || len(out) > maxItems {
			break
		}
	}
	for _, t := range g.unknown {
		r.note(t.place(), "the expression $<"+clip(t.String())+"> is not known; it is left out")
	}
	g.unknown = nil
	return out
}

// closure gives the targets that one links to, each before those that it brings. Only what is linked, not what is used
// for its options, includes the private links of libraries.
func (c *cmake) closure(r *resolved, t *cmakeTarget, linking bool) []*cmakeTarget {
	var list []*cmakeTarget
	seen := map[*cmakeTarget]bool{t: true}
	var visit func(entries []entry, depth int)
	visit = func(entries []entry, depth int) {
		for _, name := range c.values(r, &genex{cmake: c, target: t, language: C, linking: linking}, entries) {
			x := c.targets[name.String()]
			if x == nil || seen[x] || depth > maxNesting || !c.spend(commandWork) {
				continue
			}
			seen[x] = true
			list = append(list, x)
			visit(x.properties["INTERFACE_LINK_LIBRARIES"], depth+1)
		}
	}
	visit(t.properties["LINK_LIBRARIES"], 0)
	return list
}

// resolve finds what a target compiles, and with which options.
func (c *cmake) resolve(t *cmakeTarget) *resolved {
	r := &resolved{cmakeTarget: t}
	c.compile(r, t, 0)
	r.links = c.closure(r, t, true)
	for _, x := range r.links {
		if x.kind == "OBJECT" && directly(c, r, t, x) {
			c.compile(r, x, 1)
		}
	}
	r.linker = c.linkerFlags(r)
	return r
}

// directly says whether a target links to another by its own words: only then it takes the objects.
func directly(c *cmake, r *resolved, t, x *cmakeTarget) bool {
	return slices.ContainsFunc(c.values(r, &genex{cmake: c, target: t, language: C}, t.properties["LINK_LIBRARIES"]), func(name text) bool {
		return c.targets[name.String()] == x
	})
}

// linkerFlags reads all that the linker is told.
func (c *cmake) linkerFlags(r *resolved) flags {
	t := r.cmakeTarget
	variable := map[string]string{"EXECUTABLE": "CMAKE_EXE_LINKER_FLAGS", "SHARED": "CMAKE_SHARED_LINKER_FLAGS", "MODULE": "CMAKE_MODULE_LINKER_FLAGS"}[t.kind]
	if variable == "" {
		return flags{}
	}
	words := fields(t.dir.flags[variable])
	g := &genex{cmake: c, target: t, language: C, linking: true}
	for _, property := range []string{"LINK_FLAGS", "LINK_FLAGS_" + strings.ToUpper(c.buildType())} {
		for _, e := range t.properties[property] {
			words = append(words, fields(e.value)...)
		}
	}
	list := c.values(r, g, t.properties["LINK_OPTIONS"])
	for _, x := range r.links {
		list = append(list, c.values(r, g, x.properties["INTERFACE_LINK_OPTIONS"])...)
	}
	for _, x := range c.values(r, g, t.properties["LINK_LIBRARIES"]) { // options may stand among libraries
		if s := x.String(); strings.HasPrefix(s, "-") || strings.HasPrefix(s, "/") {
			list = append(list, x)
		}
	}
	for _, w := range list {
		if s, ok := strings.CutPrefix(w.String(), "LINKER:"); ok { // LINKER:--subsystem,native or LINKER:/driver
			w = w.slice(len("LINKER:"), w.len())
			if strings.HasPrefix(s, "--") || strings.HasPrefix(s, "-e,") {
				w = slices.Concat(plain("-Wl,"), w)
			}
		}
		words = append(words, shellWords(w)...)
	}
	return parseArguments(words, true)
}

// shellWords gives an option, or several where it begins with SHELL:.
func shellWords(w text) []text {
	if strings.HasPrefix(w.String(), "SHELL:") {
		return fields(w.slice(len("SHELL:"), w.len()))
	}
	return []text{w}
}

// compile gives a target the units of itself or of an object library.
func (c *cmake) compile(r *resolved, t *cmakeTarget, depth int) {
	users := c.closure(r, t, false)
	options := map[Language]*targetOptions{}
	g := &genex{cmake: c, target: t, language: C}
	list := c.values(r, g, t.properties["SOURCES"])
	for _, x := range users {
		list = append(list, c.values(r, g, x.properties["INTERFACE_SOURCES"])...)
	}
	for _, name := range list {
		if !c.spend(unitWork) {
			return
		}
		if s, ok := strings.CutPrefix(name.String(), objectsOf); ok {
			if x := c.targets[s]; x != nil && depth < maxCMakeCalls {
				c.compile(r, x, depth+1)
			}
			continue
		}
		c.unit(r, t, users, name, options)
	}
}

// targetOptions are those that all units of a target and a language have.
type targetOptions struct {
	defines  []text
	includes []string
	words    []text
	forced   []string
	layers   []*layer
}

// unit gives a target one source file: its own options come after those of the target, as the generators write them.
func (c *cmake) unit(r *resolved, t *cmakeTarget, users []*cmakeTarget, name text, options map[Language]*targetOptions) {
	p := c.tree.Join(t.dir.path, name.String())
	own := t.dir.sources[p]
	language, ok := languageOf(p)
	if e := own["LANGUAGE"]; len(e) > 0 {
		language, ok = map[string]Language{"C": C, "CXX": CXX}[e[len(e)-1].value.String()]
	}
	header, _ := cmakeConstant(valueOf(own["HEADER_FILE_ONLY"]))
	if !ok && !name.unknown() || header || len(c.languages) > 0 && !c.languages[(&genex{language: language}).languageName()] {
		return // what is no C, or not compiled
	}
	found, ok := c.tree.Find(p)
	if !ok || name.unknown() {
		r.note(name.place(), clip(p)+" is not there; it is left out (a file made by the build, perhaps)")
		return
	}
	if options[language] == nil {
		options[language] = c.targetOptions(r, t, users, language)
	}
	shared := options[language]
	u := cmakeUnit{path: found, from: t, layers: slices.Clone(shared.layers)}
	g := &genex{cmake: c, target: t, language: language}
	defines := slices.Concat(shared.defines, sortedDefines(c.values(r, g, own["COMPILE_DEFINITIONS"])))
	for _, e := range own["COMPILE_DEFINITIONS"] {
		if e.layer != nil {
			u.layers = append(u.layers, e.layer)
		}
	}
	words := slices.Clone(shared.words)
	for _, e := range own["COMPILE_FLAGS"] {
		words = append(words, fields(g.eval(e.value))...)
	}
	words = append(words, c.values(r, g, own["COMPILE_OPTIONS"])...)
	u.flags = c.compilerFlags(r, defines, words)
	u.flags.includes = append(c.directories(c.values(r, g, own["INCLUDE_DIRECTORIES"]), nil), append(shared.includes, c.directories(nil, u.flags.includes)...)...)
	u.flags.forced = c.forcedHeaders(u.flags.forced)
	if skip, _ := cmakeConstant(valueOf(own["SKIP_PRECOMPILE_HEADERS"])); !skip {
		u.flags.forced = append(slices.Clone(shared.forced), u.flags.forced...)
	}
	u.flags.language = cmp.Or(u.flags.language, language)
	r.units = append(r.units, u)
}

// forcedHeaders leaves out what the build makes, and the kit's header of nothing but warnings.
func (c *cmake) forcedHeaders(list []string) []string {
	return slices.DeleteFunc(list, func(s string) bool {
		return strings.HasPrefix(s, absolutePath(path.Dir(c.top))+"/build/") || s == "warning.h"
	})
}

// valueOf gives the last value of a property that holds one.
func valueOf(list []entry) string {
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1].value.String()
}

// sortedDefines gives defines in the order in which CMake writes them.
func sortedDefines(list []text) []text {
	for i, t := range list {
		if s := t.String(); strings.HasPrefix(s, "-D") || strings.HasPrefix(s, "/D") {
			list[i] = t.slice(2, len(s))
		}
	}
	list = uniqueTexts(list)
	slices.SortStableFunc(list, func(a, b text) int { return strings.Compare(a.String(), b.String()) })
	return list
}

// compilerFlags reads defines and what follows them on the command line.
func (c *cmake) compilerFlags(r *resolved, defines, words []text) flags {
	var f flags
	for _, t := range defines {
		f.define(t)
	}
	more := parseArguments(words, true)
	more.defines = append(f.defines, more.defines...)
	more.kernel = cmp.Or(f.kernel, more.kernel)
	note := func(at driver.Place, format string, arguments ...any) { r.note(at, fmt.Sprintf(format, arguments...)) }
	f.doubts(note)
	more.doubts(note)
	return more
}

// targetOptions are what all files of one language in a target share; a target of 1,000 files is evaluated once.
func (c *cmake) targetOptions(r *resolved, t *cmakeTarget, users []*cmakeTarget, language Language) *targetOptions {
	o := &targetOptions{}
	g := &genex{cmake: c, target: t, language: language}
	collect := func(property string) []entry {
		list := slices.Clone(t.properties[property])
		for _, x := range users {
			list = append(list, x.properties["INTERFACE_"+property]...)
		}
		return list
	}
	defines := append(slices.Clone(t.dir.properties["COMPILE_DEFINITIONS"]), collect("COMPILE_DEFINITIONS")...)
	o.defines = c.values(r, g, defines)
	if v := t.properties["DEFINE_SYMBOL"]; t.kind == "SHARED" || t.kind == "MODULE" {
		symbol := append(recased(plain(t.name), identifierBytes), span{text: "_EXPORTS"})
		if len(v) > 0 {
			symbol = v[len(v)-1].value
		}
		o.defines = append(o.defines, symbol)
	}
	o.defines = sortedDefines(o.defines)
	for _, e := range defines {
		if e.layer != nil && !slices.Contains(o.layers, e.layer) {
			o.layers = append(o.layers, e.layer)
		}
	}
	o.words = c.optionWords(r, g, t, collect("COMPILE_OPTIONS"))
	var first, last []entry
	for _, e := range collect("INCLUDE_DIRECTORIES") {
		if e.system {
			last = append(last, e)
		} else {
			first = append(first, e)
		}
	}
	var current []string
	if on, _ := cmakeConstant(t.dir.flags["CMAKE_INCLUDE_CURRENT_DIR"].String()); on {
		current = []string{t.dir.flags["CMAKE_CURRENT_BINARY_DIR"].String(), absolutePath(t.dir.path)}
	}
	o.includes = c.directories(append(c.values(r, g, first), c.values(r, g, last)...), current)
	if disabled, _ := cmakeConstant(valueOf(t.properties["DISABLE_PRECOMPILE_HEADERS"])); !disabled {
		o.forced = c.forced(c.values(r, g, collect("PRECOMPILE_HEADERS")))
	}
	return o
}

// identifierBytes makes a name one of C.
func identifierBytes(s string) string {
	b := []byte(s)
	for i := range b {
		if !isWord(b[i]) {
			b[i] = '_'
		}
	}
	return string(b)
}

// optionWords are the options of a target in the order of the command line.
func (c *cmake) optionWords(r *resolved, g *genex, t *cmakeTarget, options []entry) []text {
	variable := "CMAKE_" + g.languageName() + "_FLAGS"
	words := fields(t.dir.flags[variable])
	words = append(words, fields(t.dir.flags[variable+"_"+strings.ToUpper(c.buildType())])...)
	words = append(words, c.values(r, g, t.dir.properties["DEFINITIONS_FLAGS"])...)
	for _, e := range t.properties["COMPILE_FLAGS"] {
		words = append(words, fields(g.eval(e.value))...)
	}
	for _, w := range uniqueTexts(c.values(r, g, options)) {
		words = append(words, shellWords(w)...)
	}
	return words
}

// directories gives include directories as they stand in the tree, each once. What begins with what is not known, most
// often the kit's, is left out.
func (c *cmake) directories(list []text, before []string) []string {
	for _, t := range list {
		if !t.unknown() {
			before = append(before, t.String())
		}
	}
	var out []string
	for _, s := range before {
		if isForeign(s) || strings.Contains(s, "${") || strings.Contains(s, "$ENV{") {
			continue
		}
		dir := c.tree.Join(path.Dir(c.top), s)
		if found, ok := c.tree.Find(dir); ok {
			dir = found
		}
		if !slices.Contains(out, dir) {
			out = append(out, dir)
		}
	}
	return out
}

// forced gives the headers of a precompiled one, which CMake includes before the first line of every unit.
func (c *cmake) forced(list []text) []string {
	var out []string
	for _, t := range list {
		if s := strings.Trim(t.String(), `<>"`); !t.unknown() && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// evidence says what makes a target kernel-mode code, "" where nothing does.
func (r *resolved) evidence() string {
	if s := valueOf(r.properties["SUFFIX"]); strings.EqualFold(s, ".sys") {
		return "the suffix .sys"
	}
	if r.driver != "" {
		return r.driver
	}
	if isEntry(r.linker.entry) {
		return "the entry point " + r.linker.entry
	}
	all := ""
	for i, u := range r.units {
		if u.flags.kernel == "" {
			all = ""
			break
		}
		if i == 0 {
			all = u.flags.kernel
		}
	}
	return cmp.Or(r.linker.kernel, all)
}

// isEntry says whether an entry point is that of a driver.
func isEntry(name string) bool {
	name, _, _ = strings.Cut(strings.TrimPrefix(name, "_"), "@")
	return name == "DriverEntry" || wrapped[name] != ""
}

// processor is x64, unless options or the project's platform say otherwise.
func (c *cmake) processor(r *resolved) nx.Processor {
	p, _ := nx.ParseProcessor(c.added[c.top].flags["CMAKE_GENERATOR_PLATFORM"].String())
	for _, u := range r.units {
		p = cmp.Or(u.flags.processor, p)
	}
	return cmp.Or(r.linker.processor, p, nx.X64)
}
