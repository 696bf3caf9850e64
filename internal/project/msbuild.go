package project

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// The first pass of MSBuild: properties and imports, in the order of the file. Specification: "How MSBuild builds
// projects", "Evaluation phase", on learn.microsoft.com. Passes for item definitions and items follow it.

// evaluation is one configuration of a project. MSBuild evaluates in passes: properties and imports first, then
// item definitions, then items; a condition on an item sees the last value of a property wherever that stands.
type evaluation struct {
	*reader
	project    string // path
	properties map[string]text
	global     map[string]bool // properties that the file can't override
	fromKit    map[string]bool // properties that no file has set
	imported   map[string]bool // files, in the spelling on disk; each is evaluated once, as MSBuild does
	stage      stage           // how far the kit's files are imported
	depth      int             // of imports
	kitBuild   int             // of the kit that a NuGet package brings, restored or not; 0 where none does

	files                        []*file    // that were read
	definitionGroups, itemGroups []*element // in order of evaluation
	beforeKit                    int        // of definitionGroups, those that stand before the kit's property sheets

	needed      needs
	definitions map[string]*metadata // by item type in lower case
	deferred    map[string][]string  // metadata of a type that hang on the item
	inItems     bool
	items       map[string][]*item // by type in lower case
	hollow      *element           // a ClCompile that names other items, of which there are none

	asked map[string]question // properties that had no value when a condition asked for one

	notes []driver.Step
}

// newEvaluation runs the first pass for a configuration; both names are empty where none is known.
func newEvaluation(r *reader, project string, root *element, configuration, platform string) *evaluation {
	e := &evaluation{
		reader: r, project: project, properties: make(map[string]text, 64), global: map[string]bool{},
		fromKit: map[string]bool{}, imported: map[string]bool{project: true},
		definitions: map[string]*metadata{"link": {values: map[string]text{}}},
		deferred:    map[string][]string{}, items: map[string][]*item{}, asked: map[string]question{},
	}
	for name, value := range map[string]string{"configuration": configuration, "platform": platform} {
		if value != "" {
			e.properties[name] = plain(value)
			e.global[name] = true
		}
	}
	e.root(root)
	return e
}

// evaluate runs the passes for a configuration. It finds which configurations there are only where that is asked for.
func evaluate(r *reader, project string, root *element, configuration, platform string, all bool) (*evaluation, error) {
	e := newEvaluation(r, project, root, configuration, platform)
	e.needed = r.needs(e.files, all)
	for i, g := range e.definitionGroups {
		if i == e.beforeKit {
			e.kitDefinitions()
		}
		e.definitionGroup(g)
	}
	if e.beforeKit == len(e.definitionGroups) {
		e.kitDefinitions()
	}
	e.inItems = true
	e.kitItems()
	for _, g := range e.itemGroups {
		e.itemGroup(g)
	}
	for _, name := range slices.Sorted(maps.Keys(e.asked)) {
		if e.properties[name] == nil {
			q := e.asked[name]
			e.note(q.at, "nothing sets %s, which a condition compares with %q: what hangs on it is left out", q.reference, q.value)
		}
	}
	if e.budget <= 0 {
		return nil, errWork
	}
	return e, nil
}

// configured gives the configurations that an evaluation has found.
func (e *evaluation) configured() []string {
	var names []string
	for _, it := range e.items["projectconfiguration"] {
		names = append(names, it.include.String())
	}
	return names
}

// written gives the configurations that stand in the project itself, without any condition.
func written(root *element) []string {
	var names []string
	for _, group := range root.children {
		if group.key != "itemgroup" || group.find("Condition") != nil {
			continue
		}
		for _, el := range group.children {
			name := el.attribute("Include")
			if el.key == "projectconfiguration" && el.find("Condition") == nil && !strings.ContainsAny(name, ";$@%*?") {
				names = append(names, name)
			}
		}
	}
	return names
}

// note says something once about the configuration that is evaluated.
func (e *evaluation) note(at driver.Place, format string, arguments ...any) {
	e.notes = addNote(e.notes, at, format, arguments...)
}

// template gives the compiled value of an attribute.
func (e *evaluation) template(el *element, a *attribute) *template {
	c, ok := el.values[a.name]
	if !ok {
		c = e.compile(el.attributeText(a))
		if el.values == nil {
			el.values = map[string]*template{}
		}
		if e.budget > 0 { // else it was not read to its end
			el.values[a.name] = c
		}
	}
	return c
}

// contentOf gives the compiled content of an element.
func (e *evaluation) contentOf(el *element) *template {
	if el.content == nil {
		c := e.compile(el.text())
		if e.budget <= 0 {
			return c // not read to its end
		}
		el.content = c
	}
	return el.content
}

// root begins a file: its root element may give back a global property to it, and may name an SDK, whose files are
// imported around it.
func (e *evaluation) root(el *element) {
	e.files = append(e.files, el.file)
	for _, name := range strings.Split(el.attribute("TreatAsLocalProperty"), ";") {
		delete(e.global, strings.ToLower(strings.Trim(name, white)))
	}
	sdk := el.attribute("Sdk")
	if sdk != "" {
		e.importKit(`sdk.props`)
	}
	e.walk(el)
	if sdk != "" {
		e.importKit(`sdk.targets`)
	}
}

// walk is the first pass: it sets properties and gathers the groups of the later ones.
func (e *evaluation) walk(parent *element) {
	for _, el := range parent.children {
		if !e.spend(0) {
			return
		}
		switch el.key {
		case "propertygroup":
			e.propertyGroup(el)
		case "import":
			e.importElement(el)
		case "importgroup":
			if e.holds(el, scope{element: el}) {
				e.walk(el)
			}
		case "choose":
			e.choose(el)
		case "itemdefinitiongroup":
			e.definitionGroups = append(e.definitionGroups, el)
		case "itemgroup":
			e.itemGroups = append(e.itemGroups, el)
		}
	}
}

// holds evaluates the condition of an element. An unknown one is noted, and the element is not read.
func (e *evaluation) holds(el *element, in scope) bool {
	if el.condition == nil {
		s := el.attribute("Condition")
		if s == "" {
			return true
		}
		if c := e.parseCondition(s); e.budget > 0 {
			el.condition = c
		}
	}
	if el.condition == nil || !e.spend(len(el.condition.text)) {
		return false
	}
	v, why := el.condition.eval(e, in)
	if v == unknown {
		e.note(el.place(), "the condition of %s is unknown (%s); it is read as false: %s", el.name, why, el.condition.text)
	}
	return v == yes
}

// exists looks a file or directory up. A path that begins with a backslash is what is left of one below a property
// without a value.
func (e *evaluation) exists(dir, p string) bool {
	if p == "" || strings.HasPrefix(p, `\`) {
		return false
	}
	_, ok := e.paths.find(e.tree, e.path(dir, p))
	return ok
}

// propertyGroup sets properties in order; each condition sees those set before it.
func (e *evaluation) propertyGroup(group *element) {
	if !e.holds(group, scope{element: group}) {
		return
	}
	for _, p := range group.children {
		in := scope{element: p}
		if e.global[p.key] || !e.spend(0) || !e.holds(p, in) {
			continue
		}
		e.properties[p.key] = e.expand(e.contentOf(p), in)
		delete(e.fromKit, p.key)
	}
}

// setFromKit sets a property that has no value yet.
func (e *evaluation) setFromKit(name, value string) {
	name = strings.ToLower(name)
	if e.properties[name].len() == 0 {
		e.properties[name] = plain(value)
		e.fromKit[name] = true
	}
}

// property gives a property's value, without the white space around it.
func (e *evaluation) property(name string) string {
	return strings.Trim(e.properties[strings.ToLower(name)].String(), white)
}

// choose takes the first When that holds, else Otherwise. One whose condition is unknown is passed over, with a note
// by holds.
func (e *evaluation) choose(el *element) {
	for _, branch := range el.children {
		if branch.is("Otherwise") || branch.is("When") && e.holds(branch, scope{element: branch}) {
			e.walk(branch)
			return
		}
	}
}

// reserved gives the properties that no file sets: those that MSBuild makes of the files' names, the solution's, and
// the kit's; the empty text for others.
func (e *evaluation) reserved(name string, el *element) text {
	this := e.project
	if strings.HasPrefix(name, "msbuildthisfile") && el != nil {
		this = el.file.path
	}
	switch name {
	case "msbuildthisfiledirectory", "projectdir":
		return plain(e.directory(this) + `\`)
	case "msbuildprojectdirectory", "msbuildstartupdirectory":
		return plain(e.directory(this))
	case "msbuildthisfile", "msbuildprojectfile", "projectfilename":
		return plain(path.Base(this))
	case "msbuildthisfilefullpath", "msbuildprojectfullpath", "projectpath":
		return plain(e.directory(this) + "/" + path.Base(this))
	case "msbuildthisfilename", "msbuildprojectname", "projectname":
		return plain(withoutExtension(path.Base(this)))
	case "msbuildthisfileextension", "msbuildprojectextension", "projectext":
		return plain(path.Ext(this))
	}
	if strings.HasPrefix(name, "solution") {
		if s, ok := e.solutionProperty(name); ok {
			return plain(s)
		}
	}
	return e.kitProperty(name)
}

// directory gives the absolute directory of a file.
func (e *evaluation) directory(p string) string { return e.paths.directory(p) }

// matters says whether a group holds items that are needed or, of definitions, such metadata: of the condition of
// another group nothing hangs.
func (e *evaluation) matters(group *element, definitions bool) bool {
	metadata := func(el *element) bool { return e.needed.metadata[el.key] }
	return slices.ContainsFunc(group.children, func(el *element) bool {
		return e.needed.items[el.key] && (!definitions || slices.ContainsFunc(el.children, metadata))
	})
}

// definitionGroup is the second pass.
func (e *evaluation) definitionGroup(group *element) {
	if !e.matters(group, true) || !e.holds(group, scope{element: group}) {
		return
	}
	for _, el := range group.children {
		if !e.needed.items[el.key] {
			continue
		}
		m := e.definitions[el.key]
		if m == nil {
			m = &metadata{values: map[string]text{}}
			e.definitions[el.key] = m
		}
		if e.holds(el, scope{el, el.key, m, nil}) {
			e.define(el, m)
		}
	}
}

// define reads the metadata that are defined for a type of items.
func (e *evaluation) define(parent *element, m *metadata) {
	for _, el := range parent.children {
		in := scope{el, parent.key, m, nil}
		if !e.needed.metadata[el.key] || !e.spend(0) || !e.holds(el, in) {
			continue
		}
		e.assign(el, in)
		names := e.deferred[parent.key]
		if strings.Contains(m.values[el.key].String(), "%(") && !slices.Contains(names, el.key) {
			e.deferred[parent.key] = append(names, el.key)
		}
	}
}

// itemGroup is the third pass.
func (e *evaluation) itemGroup(group *element) {
	if !e.matters(group, false) || !e.holds(group, scope{element: group}) {
		return
	}
	for _, el := range group.children {
		if !e.needed.items[el.key] || !e.spend(0) {
			continue
		}
		in := scope{el, el.key, e.definitions[el.key], nil}
		if e.holds(el, in) {
			e.itemElement(el)
		}
	}
}

// inheritance are the references that keep what earlier definitions say, in lower case.
var inheritance = []string{"%(preprocessordefinitions)", "%(clcompile.preprocessordefinitions)"}

// definitionsLayer gives the layer of an element PreprocessorDefinitions, always the same one.
func definitionsLayer(el *element) *layer {
	if el.layer == nil {
		content := el.text()
		at, length := inherited(content)
		el.layer = &layer{file: el.file, at: el.start, inherits: length > 0, spot: definitionsSpot(el, content, at, length)}
	}
	return el.layer
}

// inherited finds the inheritance in the content of an element.
func inherited(content text) (at, length int) {
	s := lowerASCII(content.String())
	for _, reference := range inheritance {
		if i := strings.Index(s, reference); i >= 0 {
			return i, len(reference)
		}
	}
	return 0, 0
}

// lowerASCII keeps the length, which strings.ToLower does not for all letters nor for what is no UTF-8.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// definitionsSpot says where a define goes in an element: right before the inheritance where that ends the list,
// right after it where it begins the list; else first.
func definitionsSpot(el *element, content text, at, length int) spot {
	s := content.String()
	before, after := strings.Trim(s[:at], white), strings.Trim(s[at+length:], white)
	switch {
	case len(el.children) > 0: // no list; the edit would not be understood, and the check after it says so
		return spot{start: el.body, end: el.body, after: ";"}
	case el.body > el.start && el.bodyEnd == el.body && strings.HasSuffix(string(el.file.data[el.start:el.body]), "/>"):
		tag := strings.TrimRight(string(el.file.data[el.start:el.body-len("/>")]), white)
		return spot{start: el.start + len(tag), end: el.body, before: ">", after: "</" + el.name + ">"}
	case strings.Trim(s, white) == "":
		return spot{start: el.body, end: el.body}
	case length > 0 && before == "" && strings.HasPrefix(after, ";"):
		semicolon := at + length + strings.IndexByte(s[at+length:], ';')
		p := content.slice(semicolon, semicolon+1).place().Offset + 1
		return spot{start: p, end: p, after: ";"}
	case length > 0:
		p := content.slice(at, at+1).place().Offset
		return spot{start: p, end: p, after: ";"}
	}
	p := content.trim().place().Offset
	return spot{start: p, end: p, after: ";"}
}
