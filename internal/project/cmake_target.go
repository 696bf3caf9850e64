package project

import (
	"slices"
	"strings"
)

// Targets and the commands that declare them. A target is evaluated only when all files are read: what is said of it
// later counts, and so do generator expressions.

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

// targetCommands are those that declare targets or say what they are compiled with.
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

// addLibrary is add_library(name [kind] sources...). Without a kind, BUILD_SHARED_LIBS decides, and it is off by
// default.
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

// add keeps an entry in order: later defines of one name win.
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

// target gives a target of the project; a name with :: is of a package.
func (k *cmakeCall) target(name string) *cmakeTarget {
	t := k.targets[name]
	if t == nil && !strings.Contains(name, "::") {
		k.say("%s: there is no target %s; it is left out", k.in.name, clip(name))
	}
	return t
}

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
