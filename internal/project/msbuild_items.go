package project

import (
	"path"
	"slices"
	"strings"
)

// Items of MSBuild: the last pass, in which metadata exist. Specification: "MSBuild items" and "MSBuild well-known
// item metadata" on learn.microsoft.com.

// metadata is what an item or its type's definition says, by name in lower case, and the elements
// PreprocessorDefinitions that say it. Items that say nothing of their own share that of their type.
type metadata struct {
	values map[string]text
	layers []*layer
}

// clone is made before a change, since items without metadata of their own share that of their type.
func (m *metadata) clone() *metadata {
	c := &metadata{values: make(map[string]text, len(m.values)+2), layers: slices.Clip(m.layers)}
	for name, value := range m.values {
		c.values[name] = value
	}
	return c
}

// get gives a value without the white space around it.
func (m *metadata) get(name string) string {
	return strings.Trim(m.values[name].String(), white)
}

// item is one of an item list.
type item struct {
	include  text
	path     string // in the form of the tree
	key      string // path in lower case, for comparisons
	own      bool   // its metadata is its own, not its type's
	metadata *metadata
	wild     string // what ** stood for, with a separator behind
}

// builtin are the metadata that every item has, from its name.
var builtin = map[string]bool{
	"identity": true, "filename": true, "extension": true, "fullpath": true, "rootdir": true, "directory": true,
	"relativedir": true, "recursivedir": true, "definingprojectfullpath": true, "definingprojectdirectory": true,
	"definingprojectname": true, "definingprojectextension": true, "modifiedtime": true, "createdtime": true, "accessedtime": true,
}

// wellKnown gives one of the metadata that every item has.
func (e *evaluation) wellKnown(it *item, name string) text {
	if name == "identity" {
		return it.include
	}
	p := unescape(it.include.String())
	full, root := "", ""
	if name == "fullpath" || name == "rootdir" || name == "directory" {
		full = caller{e, nil}.absolute(p)
		root = full[:strings.IndexByte(full, '/')+1]
	}
	switch name {
	case "filename":
		return plain(withoutExtension(fileName(p)))
	case "extension":
		return plain(path.Ext(fileName(p)))
	case "fullpath":
		return plain(full)
	case "rootdir":
		return plain(root)
	case "directory":
		return plain(strings.TrimSuffix(full[len(root):], fileName(full)))
	case "relativedir":
		return plain(strings.TrimSuffix(p, fileName(p)))
	case "recursivedir":
		return plain(it.wild)
	}
	return unknownText(plain("%("+name+")"), "it depends on the disk")
}

// itemsReference is @(type), @(type, 'separator') or @(type->'transform', 'separator').
type itemsReference struct {
	itemType  string // in lower case
	transform *template
	separator *template
}

// parseItems reads the inside of @(...).
func (r *reader) parseItems(s string) (*itemsReference, string) {
	end := 0
	for end < len(s) && (isWord(s[end]) || s[end] == '-' && !strings.HasPrefix(s[end:], "->")) {
		end++
	}
	ref := &itemsReference{itemType: strings.ToLower(s[:end])}
	rest := strings.TrimLeft(s[end:], white)
	if ref.itemType == "" {
		return nil, "it names no items"
	}
	if arrow, ok := strings.CutPrefix(rest, "->"); ok {
		quoted := strings.TrimLeft(arrow, white)
		close := -1
		if strings.HasPrefix(quoted, "'") {
			close = strings.IndexByte(quoted[1:], '\'')
		}
		if close < 0 {
			return nil, "functions of items are not evaluated"
		}
		ref.transform = r.compile(plain(quoted[1 : close+1]))
		rest = strings.TrimLeft(quoted[close+2:], white)
	}
	if separator, ok := strings.CutPrefix(rest, ","); ok {
		separator = strings.Trim(separator, white)
		if n := len(separator); n < 2 || separator[0] != '\'' || separator[n-1] != '\'' {
			return nil, "its separator is not quoted"
		}
		ref.separator, rest = r.compile(plain(separator[1:len(separator)-1])), ""
	}
	if strings.Trim(rest, white) != "" {
		return nil, "it is no list of items"
	}
	return ref, ""
}

// listed gives the names of items, joined. In a property, which is evaluated before all items, the reference stays as
// it is: what uses the property sees the items.
func (e *evaluation) listed(r *reference, in scope) text {
	if !e.inItems {
		return r.at
	}
	separator := plain(";")
	if r.items.separator != nil {
		separator = e.expand(r.items.separator, in)
	}
	var out text
	for i, it := range e.transformed(r.items, in) {
		if i > 0 {
			out = append(out, separator...)
		}
		if out = append(out, it.include...); !e.spend(it.include.len()) {
			return nil
		}
	}
	return out.from(r.at)
}

// transformed gives the items of a list by the names that a transform makes of them, each with its metadata. Names that
// come out empty are left out, as MSBuild does.
func (e *evaluation) transformed(r *itemsReference, in scope) []*item {
	list := e.items[r.itemType]
	if r.transform == nil {
		return list
	}
	var out []*item
	for _, it := range list {
		named := *it
		named.include = e.expand(r.transform, scope{in.element, r.itemType, it.metadata, it}).from(it.include)
		if named.include.len() > 0 && e.spend(named.include.len()) {
			out = append(out, &named)
		}
	}
	return out
}

// selected are the items that an attribute names.
type selected struct {
	items    []*item
	keys     map[string]bool // of their paths
	patterns []string        // wildcards, as keys of paths
}

// has goes by path, without regard to case.
func (s *selected) has(it *item) bool {
	return s.keys[it.key] || slices.ContainsFunc(s.patterns, func(p string) bool { return matches(p, it.key) })
}

// names evaluates an attribute that lists items: names, wildcards and other lists. Wildcards become the files there are
// if found is set; else they stay patterns, for comparisons.
func (e *evaluation) names(el *element, attribute string, found bool) *selected {
	a := el.find(attribute)
	if a == nil || a.value == "" {
		return nil
	}
	out := &selected{keys: map[string]bool{}}
	in := scope{element: el}
	for _, piece := range e.pieces(e.template(el, a)) {
		if e.list(out, attribute, piece, in) {
			continue
		}
		for _, name := range e.expand(piece, in).split(';') {
			if !strings.HasPrefix(name.String(), "@(") || !e.list(out, attribute, e.compile(name), in) {
				e.name(out, el, attribute, name, found)
			}
		}
	}
	return out
}

// list adds the items of a list, if a template is nothing but a reference to one.
func (e *evaluation) list(out *selected, attribute string, c *template, in scope) bool {
	r := c.whole()
	if r == nil || r.items == nil || r.items.separator != nil {
		return false
	}
	for _, it := range e.transformed(r.items, in) {
		if it.include.unknown() {
			e.name(out, in.element, attribute, it.include, false) // which says so
			continue
		}
		copied := *it
		e.locate(&copied)
		out.add(e, &copied)
	}
	return true
}

// pieces cuts an attribute at the semicolons around references to items, so that these can be told from names.
func (e *evaluation) pieces(c *template) []*template {
	if !slices.ContainsFunc(c.parts, func(f fragment) bool { return f.ref != nil && f.ref.items != nil }) {
		return []*template{c}
	}
	var list []*template
	current := &template{}
	flush := func() {
		if len(current.parts) > 0 {
			list = append(list, current)
		}
		current = &template{}
	}
	for _, f := range c.parts {
		if f.ref != nil {
			current.parts = append(current.parts, f)
			continue
		}
		s := f.literal.String()
		for {
			i := strings.IndexByte(s, ';')
			if i < 0 {
				break
			}
			current.literal(f.literal.slice(0, i))
			flush()
			f.literal, s = f.literal.slice(i+1, i+1+len(s)), s[i+1:]
		}
		current.literal(f.literal)
	}
	flush()
	return list
}

// literal adds text that holds no reference.
func (c *template) literal(t text) {
	if t = t.trim(); t.len() > 0 {
		c.parts = append(c.parts, fragment{literal: t})
	}
}

// whole gives the reference that a template is nothing but.
func (c *template) whole() *reference {
	if len(c.parts) == 1 {
		return c.parts[0].ref
	}
	return nil
}

// add keeps an item, once for Remove and Update, and pays for it.
func (s *selected) add(e *evaluation, it *item) {
	if e.spend(len(it.path)) {
		s.items = append(s.items, it)
		s.keys[it.key] = true
	}
}

// name adds what one name of a list stands for.
func (e *evaluation) name(out *selected, el *element, attribute string, name text, found bool) {
	pattern := ""
	if strings.ContainsAny(name.String(), "*?") {
		pattern = e.path(path.Dir(e.project), name.String())
	}
	switch {
	case name.unknown():
		e.note(el.place(), "%s %q can't be evaluated (%s); it is left out", attribute, name, name.why())
	case !isWild(name.String(), pattern):
		it := &item{include: name}
		e.locate(it)
		out.add(e, it)
	default:
		if !found {
			out.patterns = append(out.patterns, strings.ToLower(pattern))
			return
		}
		files, why := e.glob(pattern)
		if why != "" {
			e.note(el.place(), "%s %q is left out: %s", attribute, name, why)
		}
		for _, p := range files {
			it := e.globbed(name, pattern, p)
			out.add(e, it)
		}
	}
}

// locate finds where an item's name leads.
func (e *evaluation) locate(it *item) {
	if !e.spend(pathWork * it.include.len()) {
		return
	}
	l := e.paths.locate(e.tree, path.Dir(e.project), it.include.String())
	it.path, it.key = l.path, l.key
}

// pathWork is what a byte of a path costs, in the terms of maxWork.
const pathWork = 8

// path resolves a name of a build file against a directory.
func (e *evaluation) path(dir, name string) string { return e.paths.locate(e.tree, dir, name).path }

// reserved attributes of items; any other is metadata, which MSBuild 15 and later take so.
var reservedAttributes = map[string]bool{
	"Include": true, "Exclude": true, "Remove": true, "Update": true, "Condition": true, "Label": true,
	"KeepDuplicates": true, "KeepMetadata": true, "RemoveMetadata": true, "MatchOnMetadata": true,
	"MatchOnMetadataOptions": true, "xmlns": true,
}

// itemElement evaluates one element of an item group: it includes, removes or updates items.
func (e *evaluation) itemElement(el *element) {
	kind := el.key
	if included := e.names(el, "Include", true); included != nil {
		if kind == "clcompile" && len(included.items) == 0 && strings.HasPrefix(el.attribute("Include"), "@(") {
			e.hollow = el
		}
		excluded := e.names(el, "Exclude", false)
		for _, it := range included.items {
			if excluded == nil || !excluded.has(it) {
				e.include(el, kind, it)
			}
		}
	}
	if removed := e.names(el, "Remove", false); removed != nil && e.spend(len(e.items[kind])*(1+len(removed.patterns))) {
		e.items[kind] = slices.DeleteFunc(e.items[kind], removed.has)
	}
	if updated := e.names(el, "Update", false); updated != nil && e.spend(len(e.items[kind])*(1+len(updated.patterns))) {
		for _, it := range e.items[kind] {
			if updated.has(it) {
				e.describe(it, el)
			}
		}
	}
}

// include adds an item. One that comes from another list brings its metadata, which counts more than what is defined
// for the items of this one.
func (e *evaluation) include(el *element, kind string, it *item) {
	from := it.metadata
	it.metadata, it.own = e.definitions[kind], false
	if it.metadata == nil {
		it.metadata = &metadata{}
	}
	if deferred := e.deferred[kind]; from != nil || len(deferred) > 0 {
		e.ownMetadata(it)
		for _, name := range deferred {
			it.metadata.values[name] = e.expand(e.compile(it.metadata.values[name]), scope{el, kind, it.metadata, it})
		}
		if from != nil {
			for name, value := range from.values {
				it.metadata.values[name] = value
			}
			if _, says := from.values["preprocessordefinitions"]; says {
				it.metadata.layers = slices.Clip(from.layers)
			}
		}
	}
	if e.spend(itemWork) {
		e.items[kind] = append(e.items[kind], it)
		e.describe(it, el)
	}
}

// itemWork is what one item costs, in the terms of maxWork.
const itemWork = 50

// kitItems are those that the kit makes: ClSourceFiles of the property SOURCES, which a project that Nmake2MsBuild made of a
// SOURCES file still has, with the white space between the names and what is no C or C++.
func (e *evaluation) kitItems() {
	for _, name := range fields(e.properties["sources"]) {
		if _, ok := languageOf(name.String()); ok && e.spend(itemWork) {
			it := &item{include: name}
			e.locate(it)
			e.items["clsourcefiles"] = append(e.items["clsourcefiles"], it)
		}
	}
}

// ownMetadata gives an item metadata that can be changed for it alone.
func (e *evaluation) ownMetadata(it *item) {
	if !it.own {
		e.spend(len(it.metadata.values) + len(it.metadata.layers))
		it.metadata, it.own = it.metadata.clone(), true
	}
}

// describe gives an item the metadata that stand in an element.
func (e *evaluation) describe(it *item, el *element) {
	for i := range el.attributes {
		if a := &el.attributes[i]; !reservedAttributes[a.name] {
			if name := strings.ToLower(a.name); e.needed.metadata[name] {
				e.ownMetadata(it)
				it.metadata.values[name] = e.expand(e.template(el, a), scope{el, el.key, it.metadata, it})
			}
		}
	}
	if len(el.children) > 0 {
		e.set(el, it)
	}
}

// set reads the metadata below an element of an item.
func (e *evaluation) set(parent *element, it *item) {
	for _, el := range parent.children {
		if !e.needed.metadata[el.key] {
			continue
		}
		in := scope{el, parent.key, it.metadata, it}
		if !e.holds(el, in) {
			continue
		}
		e.ownMetadata(it)
		in.metadata = it.metadata
		e.assign(el, in)
	}
}

// assign gives metadata the value that an element says.
func (e *evaluation) assign(el *element, in scope) {
	in.metadata.values[el.key] = e.expand(e.contentOf(el), in)
	if el.key == "preprocessordefinitions" {
		in.metadata.layers = append(in.metadata.layers, definitionsLayer(el))
	}
}
