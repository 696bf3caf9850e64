package project

import (
	"path"
	"slices"
	"strings"
)

// cmakeTarget is what add_executable and add_library declare.
type cmakeTarget struct {
	name       string
	kind       string // EXECUTABLE, STATIC, SHARED, MODULE, OBJECT or INTERFACE
	dir        *cmakeDir
	site       *invocation // after which it can be changed
	properties map[string][]entry
	driver     string // what makes it one, apart from options
}

// entry is what one command adds to a property: a list, in which expressions are evaluated when all is read.
type entry struct {
	value  text
	layer  *layer // where it can be extended
	system bool   // include directories that are searched last
}

// customLink is a command line of add_custom_command or add_custom_target.
type customLink struct {
	fr    *frame
	in    *invocation
	words []text
}

func targetCommands() map[string]func(*cmakeCall) {
	return map[string]func(*cmakeCall){
		"add_executable":              func(k *cmakeCall) { k.declare("EXECUTABLE", k.args) },
		"add_library":                 (*cmakeCall).addLibrary,
		"target_sources":              (*cmakeCall).targetSources,
		"target_compile_definitions":  (*cmakeCall).targetDefinitions,
		"target_compile_options":      func(k *cmakeCall) { k.usage("COMPILE_OPTIONS", nil) },
		"target_link_options":         func(k *cmakeCall) { k.usage("LINK_OPTIONS", nil) },
		"target_include_directories":  func(k *cmakeCall) { k.usage("INCLUDE_DIRECTORIES", k.fr.dir) },
		"target_precompile_headers":   func(k *cmakeCall) { k.usage("PRECOMPILE_HEADERS", k.fr.dir) },
		"target_link_libraries":       (*cmakeCall).targetLinkLibraries,
		"link_libraries":              func(k *cmakeCall) { k.extend("LINK_LIBRARIES", k.args, nil) },
		"add_link_options":            func(k *cmakeCall) { k.extend("LINK_OPTIONS", k.args, nil) },
		"add_compile_options":         func(k *cmakeCall) { k.extend("COMPILE_OPTIONS", k.args, nil) },
		"add_definitions":             (*cmakeCall).addDefinitions,
		"remove_definitions":          (*cmakeCall).removeDefinitions,
		"add_compile_definitions":     (*cmakeCall).addCompileDefinitions,
		"include_directories":         (*cmakeCall).includeDirectories,
		"set_target_properties":       (*cmakeCall).setTargetProperties,
		"set_source_files_properties": (*cmakeCall).setSourceProperties,
		"set_directory_properties":    (*cmakeCall).setDirectoryProperties,
		"add_custom_command":          (*cmakeCall).customCommand,
		"add_custom_target":           (*cmakeCall).customCommand,
		"wdk_add_driver":              (*cmakeCall).kitDriver,
		"wdk_add_library":             (*cmakeCall).kitLibrary,
	}
}

// declare adds a target with its sources.
func (k *cmakeCall) declare(kind string, args []text) *cmakeTarget {
	if len(args) == 0 || args[0].unknown() {
		k.say("%s: the name is not known; it is left out", k.in.name)
		return nil
	}
	name := args[0].String()
	if k.targets[name] != nil {
		k.say("there are two targets %s; the second one is left out", name)
		return nil
	}
	t := &cmakeTarget{name: name, kind: kind, dir: k.fr.dir, site: k.in, properties: map[string][]entry{}}
	if k.fr.site != nil {
		t.site = k.fr.site
	}
	for _, property := range []string{"COMPILE_OPTIONS", "INCLUDE_DIRECTORIES", "LINK_OPTIONS", "LINK_LIBRARIES"} {
		t.properties[property] = slices.Clone(k.fr.dir.properties[property])
	}
	if suffix := k.variable("CMAKE_" + kind + "_SUFFIX"); kind == "EXECUTABLE" && len(suffix) > 0 {
		t.properties["SUFFIX"] = []entry{{value: suffix}}
	}
	var sources []text
	for i, a := range args[1:] {
		switch s := a.String(); {
		case i < 2 && (s == "WIN32" || s == "MACOSX_BUNDLE" || s == "EXCLUDE_FROM_ALL"):
		case s == "IMPORTED" || s == "ALIAS":
			if s == "ALIAS" && len(args) > i+2 {
				k.targets[name] = k.targets[args[i+2].String()]
			}
			return nil
		default:
			sources = append(sources, a)
		}
	}
	t.add("SOURCES", entry{value: joinList(k.rooted(sources, k.fr.dir))})
	k.targets[name] = t
	k.order = append(k.order, t)
	k.fr.dir.targets = append(k.fr.dir.targets, t)
	return t
}

func (k *cmakeCall) addLibrary() {
	if len(k.args) < 2 {
		k.declare("INTERFACE", k.args)
		return
	}
	switch kind := k.arg(1); kind {
	case "STATIC", "SHARED", "MODULE", "OBJECT", "INTERFACE", "UNKNOWN":
		k.declare(kind, slices.Concat(k.args[:1], k.args[2:]))
	default:
		kind = "STATIC"
		if v, _ := cmakeConstant(k.variable("BUILD_SHARED_LIBS").String()); v {
			kind = "SHARED"
		}
		k.declare(kind, k.args)
	}
}

func (t *cmakeTarget) add(property string, e entry) {
	if len(t.properties[property]) < maxItems {
		t.properties[property] = append(t.properties[property], e)
	}
}

// rooted gives paths with the directory that they are relative to; expressions stay as they are.
func (k *cmakeCall) rooted(list []text, dir *cmakeDir) []text {
	out := make([]text, 0, len(list))
	for _, t := range list {
		s := t.String()
		if !isAbsolute(s) && !strings.HasPrefix(s, "$<") && !strings.HasPrefix(s, "<") && !t.unknown() && dir != nil {
			t = slices.Concat(text{{text: absolutePath(dir.path) + "/"}}.from(t), t)
		}
		out = append(out, t)
	}
	return out
}

// visibility reads the words that say who a part of the arguments is for; LINK_... are older forms.
var visibility = map[string]struct{ own, users bool }{
	"PRIVATE": {true, false}, "PUBLIC": {true, true}, "INTERFACE": {false, true},
	"LINK_PRIVATE": {true, false}, "LINK_PUBLIC": {true, true}, "LINK_INTERFACE_LIBRARIES": {false, true},
}

// usage adds what a target_... command says, to the target and to what its users inherit. dir is what paths are
// relative to, nil where there are none.
func (k *cmakeCall) usage(property string, dir *cmakeDir) {
	t := k.target(k.arg(0))
	if t == nil {
		return
	}
	own, users, first, system := true, false, false, false
	var part []text
	flush := func() {
		e := entry{value: joinList(k.rooted(part, dir)), layer: k.definitionsLayer(property), system: system}
		if own && len(part) > 0 {
			t.add(property, e)
			if first {
				list := t.properties[property]
				copy(list[1:], list)
				list[0] = e
			}
		}
		if users && len(part) > 0 {
			t.add("INTERFACE_"+property, e)
		}
		part = nil
	}
	for i, a := range k.rest(1) {
		s := a.String()
		v, ok := visibility[s]
		switch {
		case ok:
			flush()
			own, users = v.own, v.users
		case s == "SYSTEM" && i < 2:
			system = true
		case (s == "BEFORE" || s == "AFTER") && i < 2:
			first = s == "BEFORE"
		case s == "REUSE_FROM" && property == "PRECOMPILE_HEADERS":
			if from := k.target(k.arg(i + 2)); from != nil {
				t.properties[property] = slices.Clone(from.properties[property])
			}
			return
		default:
			part = append(part, a)
		}
	}
	flush()
}

// target gives a target of the project; a name with :: is of a package.
func (k *cmakeCall) target(name string) *cmakeTarget {
	t := k.targets[name]
	if t == nil && !strings.Contains(name, "::") {
		k.say("%s: there is no target %s; it is left out", k.in.name, clip(name))
	}
	return t
}

// targetDefinitions is target_compile_definitions; -D before a name is dropped when it is evaluated.
func (k *cmakeCall) targetDefinitions() { k.usage("COMPILE_DEFINITIONS", nil) }

// targetSources keeps sources of a target, and those that its users compile too.
func (k *cmakeCall) targetSources() {
	t := k.target(k.arg(0))
	who := visibility["PRIVATE"]
	for i := 1; i < len(k.args) && t != nil; i++ {
		e := entry{value: joinList(k.rooted(k.args[i:i+1], k.fr.dir))}
		if v, ok := visibility[k.arg(i)]; ok {
			who = v
			continue
		}
		if k.arg(i) == "FILE_SET" { // headers
			return
		}
		if who.own {
			t.add("SOURCES", e)
		}
		if who.users {
			t.add("INTERFACE_SOURCES", e)
		}
	}
}

// targetLinkLibraries keeps direct links in LINK_LIBRARIES, and what users inherit in INTERFACE_LINK_LIBRARIES; of
// the latter $<LINK_ONLY:...> marks those that give no options.
func (k *cmakeCall) targetLinkLibraries() {
	t := k.target(k.arg(0))
	if t == nil {
		return
	}
	who := visibility["PUBLIC"]
	for i, a := range k.rest(1) {
		s := a.String()
		if v, ok := visibility[s]; ok {
			who = v
			continue
		}
		if configuration := k.arg(i); i > 0 && (configuration == "debug") || s == "debug" || s == "optimized" || s == "general" {
			continue
		}
		if who.own {
			t.add("LINK_LIBRARIES", entry{value: a})
		}
		if who.users {
			t.add("INTERFACE_LINK_LIBRARIES", entry{value: a})
		} else {
			t.add("INTERFACE_LINK_LIBRARIES", entry{value: slices.Concat(plain("$<LINK_ONLY:"), a, plain(">"))})
		}
	}
}

// extend adds to a property of the directory, which targets take over when they are declared.
func (k *cmakeCall) extend(property string, args []text, layer *layer) {
	if len(args) > 0 && len(k.fr.dir.properties[property]) < maxItems {
		k.fr.dir.properties[property] = append(k.fr.dir.properties[property], entry{value: joinList(args), layer: layer})
	}
}

// addDefinitions is add_definitions: defines count for the whole directory, other options too.
func (k *cmakeCall) addDefinitions() {
	var defines, options []text
	for _, a := range k.args {
		s := a.String()
		if strings.HasPrefix(s, "-D") || strings.HasPrefix(s, "/D") && !strings.ContainsAny(s[2:min(len(s), 3)], "Ee") {
			defines = append(defines, a.slice(2, len(s)))
		} else {
			options = append(options, a)
		}
	}
	if len(defines) > 0 {
		k.extend("COMPILE_DEFINITIONS", defines, k.definitionsLayer("add_definitions"))
	}
	k.extend("DEFINITIONS_FLAGS", options, nil)
}

func (k *cmakeCall) addCompileDefinitions() {
	k.extend("COMPILE_DEFINITIONS", k.args, k.definitionsLayer("COMPILE_DEFINITIONS"))
}

func (k *cmakeCall) removeDefinitions() {
	gone := map[string]bool{}
	for _, a := range k.args {
		gone[strings.TrimLeft(a.String(), "-/")] = true
	}
	list := k.fr.dir.properties["COMPILE_DEFINITIONS"]
	for i, e := range list {
		list[i].value = joinList(slices.DeleteFunc(splitList(e.value), func(t text) bool { return gone["D"+t.String()] }))
	}
}

// includeDirectories counts for the targets of the directory that are there, and for those to come.
func (k *cmakeCall) includeDirectories() {
	var e entry
	first, _ := cmakeConstant(k.variable("CMAKE_INCLUDE_DIRECTORIES_BEFORE").String())
	args := k.args
	for ; len(args) > 0; args = args[1:] {
		s := args[0].String()
		if s != "BEFORE" && s != "AFTER" && s != "SYSTEM" {
			break
		}
		e.system = e.system || s == "SYSTEM"
		first = s == "BEFORE" || first && s != "AFTER"
	}
	if len(args) == 0 {
		return
	}
	e.value = joinList(k.rooted(args, k.fr.dir))
	add := func(properties map[string][]entry) {
		const name = "INCLUDE_DIRECTORIES"
		if first {
			properties[name] = slices.Insert(properties[name], 0, e)
		} else {
			properties[name] = append(properties[name], e)
		}
	}
	add(k.fr.dir.properties)
	for _, t := range k.fr.dir.targets {
		add(t.properties)
	}
}

// setTargetProperties is set_target_properties(targets... PROPERTIES name value ...).
func (k *cmakeCall) setTargetProperties() {
	i := slices.IndexFunc(k.args, func(t text) bool { return t.String() == "PROPERTIES" })
	for _, name := range k.args[:max(i, 0)] {
		t := k.target(name.String())
		for n := i + 1; t != nil && n+1 < len(k.args); n += 2 {
			k.setOn(t.properties, k.arg(n), k.args[n+1:n+2], false)
		}
	}
}

// pathProperties hold paths.
var pathProperties = map[string]bool{"INCLUDE_DIRECTORIES": true, "SOURCES": true, "PRECOMPILE_HEADERS": true}

// setOn sets a property, or adds to it.
func (k *cmakeCall) setOn(properties map[string][]entry, name string, values []text, add bool) {
	var dir *cmakeDir
	if pathProperties[strings.TrimPrefix(name, "INTERFACE_")] {
		dir = k.fr.dir
	}
	var items []text
	for _, v := range values {
		items = append(items, splitList(v)...)
	}
	value := joinList(k.rooted(items, dir))
	if len(items) < 2 && dir == nil && len(values) == 1 {
		value = values[0] // flags keep their spaces and semicolons
	}
	e := entry{value: value, layer: k.propertyLayer(name)}
	if !add {
		properties[name] = nil
	}
	if value.len() > 0 && len(properties[name]) < maxItems {
		properties[name] = append(properties[name], e)
	}
}

// setProperty is set_property(scope names... [APPEND] [APPEND_STRING] PROPERTY name values...).
func (k *cmakeCall) setProperty() {
	i := slices.IndexFunc(k.args, func(t text) bool { return t.String() == "PROPERTY" })
	if i < 0 || i+1 >= len(k.args) {
		return
	}
	property, values := k.arg(i+1), k.rest(i+2)
	add, glue := false, false
	var names []text
	for _, a := range k.args[1:i] {
		switch a.String() {
		case "APPEND":
			add = true
		case "APPEND_STRING":
			add, glue = true, true
		case "DIRECTORY", "TARGET_DIRECTORY":
		default:
			names = append(names, a)
		}
	}
	for _, properties := range k.propertiesOf(k.arg(0), names) {
		if glue && len(properties[property]) > 0 {
			list := properties[property]
			last := &list[len(list)-1]
			last.value, last.layer = slices.Concat(append([]text{last.value}, values...)...), nil
			continue
		}
		k.setOn(properties, property, values, add)
	}
	if k.arg(0) == "GLOBAL" {
		k.global[property] = joinList(values)
		if add {
			k.global[property] = joinList(append(splitList(k.global[property]), values...))
		}
	}
}

// propertiesOf finds what set_property is about.
func (k *cmakeCall) propertiesOf(scope string, names []text) []map[string][]entry {
	var list []map[string][]entry
	switch scope {
	case "TARGET":
		for _, name := range names {
			if t := k.target(name.String()); t != nil {
				list = append(list, t.properties)
			}
		}
	case "SOURCE":
		for _, name := range names {
			list = append(list, k.sourceProperties(name))
		}
	case "DIRECTORY":
		for p, d := range k.added {
			if len(names) == 0 && d == k.fr.dir || len(names) > 0 && path.Dir(p) == k.tree.Join(k.fr.dir.path, names[0].String()) {
				list = append(list, d.properties)
			}
		}
	}
	return list
}

// sourceProperties gives the properties that a source file has for the targets of the directory.
func (k *cmakeCall) sourceProperties(name text) map[string][]entry {
	p := k.tree.Join(k.fr.dir.path, name.String())
	d := k.fr.dir
	if d.sources[p] == nil {
		d.sources[p] = map[string][]entry{}
	}
	return d.sources[p]
}

// setSourceProperties is set_source_files_properties(files... [DIRECTORY ...] PROPERTIES name value ...).
func (k *cmakeCall) setSourceProperties() {
	i := slices.IndexFunc(k.args, func(t text) bool { return t.String() == "PROPERTIES" })
	for _, name := range k.args[:max(i, 0)] {
		if s := name.String(); s == "DIRECTORY" || s == "TARGET_DIRECTORY" {
			k.say("set_source_files_properties: what it sets for other directories is left out")
			return
		}
		properties := k.sourceProperties(name)
		for n := i + 1; n+1 < len(k.args); n += 2 {
			k.setOn(properties, k.arg(n), k.args[n+1:n+2], false)
		}
	}
}

func (k *cmakeCall) setDirectoryProperties() {
	for n := 1; n+1 < len(k.args) && k.arg(0) == "PROPERTIES"; n += 2 {
		k.setOn(k.fr.dir.properties, k.arg(n), k.args[n+1:n+2], false)
	}
}

// getProperty is get_property(variable scope name PROPERTY property).
func (k *cmakeCall) getProperty() {
	property := k.arg(len(k.args) - 1)
	switch k.arg(1) {
	case "TARGET":
		k.getFrom(k.targets[k.arg(2)], property)
	case "GLOBAL":
		v, ok := k.global[property]
		if !ok && strings.ToUpper(property) == property { // CMake's own
			k.setUnknown(k.fr, k.arg(0))
			return
		}
		k.set(k.arg(0), v)
	case "DIRECTORY":
		var list []text
		for _, e := range k.fr.dir.properties[property] {
			list = append(list, e.value)
		}
		k.set(k.arg(0), joinList(list))
	default:
		k.setUnknown(k.fr, k.arg(0))
	}
}

func (k *cmakeCall) getTargetProperty() { k.getFrom(k.targets[k.arg(1)], k.arg(2)) }

func (k *cmakeCall) getFrom(t *cmakeTarget, property string) {
	if t == nil {
		k.setUnknown(k.fr, k.arg(0))
		return
	}
	v, ok := t.property(property)
	if !ok {
		k.set(k.arg(0), plain(k.arg(0)+"-NOTFOUND"))
		return
	}
	k.set(k.arg(0), v)
}

// property gives a property as a list, and whether it was ever set.
func (t *cmakeTarget) property(name string) (text, bool) {
	switch name {
	case "NAME", "OUTPUT_NAME":
		if t.properties[name] == nil {
			return plain(t.name), true
		}
	case "TYPE":
		if t.kind == "EXECUTABLE" {
			return plain(t.kind), true
		}
		return plain(t.kind + "_LIBRARY"), true
	case "SOURCE_DIR":
		return plain(absolutePath(t.dir.path)), true
	}
	var list []text
	for _, e := range t.properties[name] {
		list = append(list, e.value)
	}
	return joinList(list), list != nil
}

// customCommand keeps the command lines of add_custom_command and add_custom_target: one may link a driver.
func (k *cmakeCall) customCommand() {
	var words []text
	collecting := false
	flush := func() {
		if len(words) > 0 && len(k.links) < maxItems {
			k.links = append(k.links, customLink{k.fr, k.in, words})
		}
		words = nil
	}
	for _, a := range k.rest(1) {
		switch a.String() {
		case "COMMAND":
			flush()
			collecting = true
		case "DEPENDS", "WORKING_DIRECTORY", "COMMENT", "VERBATIM", "BYPRODUCTS", "MAIN_DEPENDENCY", "OUTPUT",
			"IMPLICIT_DEPENDS", "SOURCES", "ALL", "PRE_BUILD", "PRE_LINK", "POST_BUILD", "COMMAND_EXPAND_LISTS":
			collecting = false
		case "ARGS":
		default:
			if collecting {
				words = append(words, a)
			}
		}
	}
	flush()
}
