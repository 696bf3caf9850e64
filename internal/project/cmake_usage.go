package project

import (
	"slices"
	"strings"
)

// What targets are compiled with: target_compile_definitions() and its like, and the older commands for all targets
// of a directory. PRIVATE counts for the target, INTERFACE for those that link to it, PUBLIC for both.

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

// targetDefinitions is target_compile_definitions; -D before a name is dropped when it is evaluated.
func (k *cmakeCall) targetDefinitions() { k.usage("COMPILE_DEFINITIONS", nil) }

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

// addCompileDefinitions changes the directory, and with it targets that are declared before the command too.
func (k *cmakeCall) addCompileDefinitions() {
	k.extend("COMPILE_DEFINITIONS", k.args, k.definitionsLayer("COMPILE_DEFINITIONS"))
}

// removeDefinitions takes back what add_definitions added, by the text of the define.
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
