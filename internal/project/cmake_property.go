package project

import (
	"path"
	"slices"
	"strings"
)

// Properties of targets, directories, source files and the whole project: set_property() and its shorter forms.
// Specification: cmake-properties(7). All properties are kept, since one may be asked for again.

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

// setDirectoryProperties is set_directory_properties(PROPERTIES name value ...).
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

// getTargetProperty is get_target_property(variable target property).
func (k *cmakeCall) getTargetProperty() { k.getFrom(k.targets[k.arg(1)], k.arg(2)) }

// getFrom sets the variable to the value, or to <variable>-NOTFOUND, which if() takes for false.
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
