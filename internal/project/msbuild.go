package project

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/tree"
)

// reader reads the files of one build file's evaluations, each once, and bounds what they cost together.
type reader struct {
	tree   *tree.Tree
	parsed map[string]*element
	broken map[string]error // imports that can't be read
	budget int
}

// maxWork bounds the evaluation of one build file in all its configurations: bytes expanded and elements visited.
// Real projects need well below a million; a hostile one could double a property without end.
const maxWork = 64 << 20

func newReader(t *tree.Tree) *reader {
	return &reader{tree: t, parsed: map[string]*element{}, broken: map[string]error{}, budget: maxWork}
}

var errWork = errors.New("the evaluation takes too much work")

// spend pays for work and says whether there is budget left.
func (r *reader) spend(n int) bool {
	r.budget -= n + 1
	return r.budget > 0
}

func (r *reader) xml(p string) (*element, error) {
	if e, ok := r.parsed[p]; ok {
		return e, r.broken[p]
	}
	var root *element
	data, err := r.tree.Read(p)
	if err == nil {
		root, err = parseXML(p, data)
	}
	if err == nil && root.name != "Project" {
		err = fmt.Errorf("line 1: the root element is <%s>, not <Project>", root.name)
	}
	r.parsed[p] = root
	if err != nil {
		r.broken[p] = err
	}
	return root, err
}

// metadata is what an item or its type's definition says, by name in lower case.
type metadata map[string]text

// item is one source file of a project.
type item struct {
	include  text
	path     string   // include in its canonical form, for comparisons
	metadata metadata // its own and its type's
	layers   []*layer // of PreprocessorDefinitions
}

// evaluation is one configuration of a project. MSBuild evaluates in passes: properties and imports first, then
// item definitions, then items; a condition on an item sees the last value of a property wherever that stands.
type evaluation struct {
	*reader
	project    string // path
	properties map[string]text
	global     map[string]bool // properties that the file can't override
	fromKit    map[string]bool // properties that no file has set
	imported   map[string]bool // files, in the spelling on disk; each is evaluated once, as MSBuild does
	depth      int             // of imports
	kitBuild   int             // of the kit that a NuGet package brings, restored or not; 0 where none does

	definitionGroups, itemGroups []*element // in order of evaluation

	definitions map[string]metadata // by item type in lower case
	layers      []*layer            // of the PreprocessorDefinitions among them
	items       []*item             // ClCompile
	configured  []string            // what ProjectConfiguration items include

	notes []driver.Step
}

// evaluate runs the passes for a configuration; both names are empty to find which there are.
func evaluate(r *reader, project string, root *element, configuration, platform string) (*evaluation, error) {
	e := &evaluation{
		reader: r, project: project, properties: map[string]text{}, global: map[string]bool{},
		fromKit: map[string]bool{}, imported: map[string]bool{project: true},
		definitions: map[string]metadata{"clcompile": {}, "link": {}},
	}
	for name, value := range targets {
		e.properties[name] = plain(value)
	}
	for name, value := range map[string]string{"configuration": configuration, "platform": platform} {
		if value != "" {
			e.properties[name] = plain(value)
			e.global[name] = true
		}
	}
	e.walk(root)
	for _, g := range e.definitionGroups {
		e.definitionGroup(g)
	}
	for _, g := range e.itemGroups {
		e.itemGroup(g)
	}
	if e.budget <= 0 {
		return nil, errWork
	}
	return e, nil
}

func (e *evaluation) note(at driver.Place, format string, arguments ...any) {
	s := driver.Step{Place: at, Says: fmt.Sprintf(format, arguments...)}
	if !slices.Contains(e.notes, s) && len(e.notes) < maxNotes {
		e.notes = append(e.notes, s)
	}
}

// maxNotes bounds what is said about one build.
const maxNotes = 1000

// walk is the first pass: it sets properties and gathers the groups of the later ones.
func (e *evaluation) walk(parent *element) {
	for _, el := range parent.children {
		if !e.spend(0) {
			return
		}
		switch {
		case el.is("PropertyGroup"):
			e.propertyGroup(el)
		case el.is("Import"):
			e.importElement(el)
		case el.is("ImportGroup"):
			if e.holds(el, nil) {
				e.walk(el)
			}
		case el.is("Choose"):
			e.choose(el)
		case el.is("ItemDefinitionGroup"):
			e.definitionGroups = append(e.definitionGroups, el)
		case el.is("ItemGroup"):
			e.itemGroups = append(e.itemGroups, el)
		}
	}
}

// holds evaluates the condition of an element. An unknown one is noted, and the element is not read.
func (e *evaluation) holds(el *element, m metadata) bool {
	s := el.attribute("Condition")
	if s == "" {
		return true
	}
	if !e.spend(referenceWork(s)) {
		return false
	}
	expand := func(s string) text { return e.expand(plain(s), el.file, m) }
	dir := path.Dir(e.project)
	if el.is("Import") || el.is("ImportGroup") {
		dir = path.Dir(el.file.path) // only there MSBuild looks beside the file that says so
	}
	exists := func(p string) bool { return e.exists(dir, p) }
	v, why := evalCondition(s, expand, exists)
	if v == unknown {
		e.note(el.file.place(el.start), "the condition of %s is unknown (%s); it is read as false: %s", el.name, why, s)
	}
	return v == yes
}

// exists looks a file or directory up. A path that begins with a backslash is what is left of one below a property
// without a value, most often the kit's.
func (e *evaluation) exists(dir, p string) bool {
	if strings.HasPrefix(p, `\`) {
		return false
	}
	_, ok := e.tree.Find(e.tree.Join(dir, p))
	return ok
}

func (e *evaluation) propertyGroup(group *element) {
	if !e.holds(group, nil) {
		return
	}
	for _, p := range group.children {
		name := strings.ToLower(p.name)
		if e.global[name] || !e.holds(p, nil) {
			continue
		}
		e.properties[name] = e.expand(p.text(), p.file, nil)
		delete(e.fromKit, name)
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

func (e *evaluation) choose(el *element) {
	for _, branch := range el.children {
		if branch.is("Otherwise") || branch.is("When") && e.holds(branch, nil) {
			e.walk(branch)
			return
		}
	}
}

func (e *evaluation) importElement(el *element) {
	raw := el.attribute("Project")
	e.kitBuild = max(e.kitBuild, kitBuildOf(raw))
	if !e.holds(el, nil) {
		return
	}
	if isKit(raw) {
		e.importKit(strings.ToLower(raw))
		return
	}
	at := el.file.place(el.start)
	target := e.expand(plain(raw), el.file, nil)
	if target.unknown() {
		e.note(at, "the import of %q can't be evaluated; it is left out", raw)
		return
	}
	name := unescape(target.trim().String())
	if name == "" || strings.ContainsAny(name, "*?") {
		e.note(at, "the import of %q is left out: it names no single file", raw)
		return
	}
	e.importFile(e.tree.Join(path.Dir(el.file.path), name), at, true)
}

// isKit says whether an import names a file of Visual Studio or a kit.
func isKit(raw string) bool {
	return slices.ContainsFunc(kitRoots, func(root string) bool {
		return strings.HasPrefix(strings.ToLower(raw), "$("+strings.ToLower(root)+")")
	})
}

const maxImportDepth = 64

// importFile evaluates a file in place. One that should be there is missed in a note.
func (e *evaluation) importFile(p string, at driver.Place, expected bool) {
	found, ok := e.tree.Find(p)
	switch {
	case !ok && expected:
		e.note(at, "the import %s is not there", p)
		fallthrough
	case !ok || e.imported[found]:
		return
	case e.depth >= maxImportDepth:
		e.note(at, "the import %s is left out: imports are nested too deep", p)
		return
	}
	e.imported[found] = true
	root, err := e.xml(found)
	if err != nil {
		e.note(at, "the import %s can't be read: %v", found, err)
		return
	}
	if !e.tree.Within(found) {
		e.note(at, "the import %s was read, outside of what was named", found)
	}
	e.depth++
	e.walk(root)
	e.depth--
}

// importKit models what the three files of Visual Studio that every project imports do to an evaluation.
func (e *evaluation) importKit(name string) {
	switch {
	case strings.HasSuffix(name, "microsoft.cpp.default.props"):
		e.importAbove("Directory.Build.props")
	case strings.HasSuffix(name, "microsoft.cpp.props"):
		kernel := strings.HasPrefix(strings.ToLower(e.property("PlatformToolset")), "windowskernelmodedriver")
		if kernel {
			e.setFromKit("IsKernelModeToolset", "true")
		}
		if v, ok := targetVersions[strings.ToLower(e.property("TargetVersion"))]; ok {
			e.setFromKit("_NT_TARGET_VERSION", fmt.Sprintf("0x%02X%02X", v.Major, v.Minor))
		}
	case strings.HasSuffix(name, "microsoft.cpp.targets"):
		e.importAbove("Directory.Build.targets")
	}
}

// importAbove imports the nearest file of that name in the project's directory or one above it, within the tree.
func (e *evaluation) importAbove(name string) {
	for dir := path.Dir(e.project); e.tree.Within(dir); {
		if p := e.tree.Join(dir, name); e.exists(dir, name) {
			e.importFile(p, driver.Place{Path: p}, false)
			return
		}
		above := e.tree.Join(dir, "..")
		if above == dir {
			return
		}
		dir = above
	}
}

// expand replaces references in a text that stands in f: $(property), and %(metadata) where m is not nil. What can't
// be evaluated (property functions, the registry, item lists) stays as it is, marked unknown.
func (e *evaluation) expand(t text, f *file, m metadata) text {
	var out text
	for _, s := range t {
		if !e.spend(referenceWork(s.text)) {
			return nil
		}
		for at := 0; at < len(s.text); {
			start, end := nextReference(s.text, at)
			out = append(out, part(s, at, start)...)
			if start < end {
				out = append(out, e.reference(part(s, start, end), f, m)...)
			}
			at = end
		}
	}
	if n := out.len(); !e.spend(n) || n > maxText {
		e.budget = min(e.budget, 0)
		return nil
	}
	return out
}

// maxText bounds one value.
const maxText = 1 << 20

func part(s span, from, to int) text { return text{s}.slice(from, to) }

// nextReference finds the next $(...), %(...) or @(...) from an index; start and end are the text's length where
// there is none.
func nextReference(s string, from int) (start, end int) {
	for at := from; at+1 < len(s); at++ {
		if strings.IndexByte("$%@", s[at]) < 0 || s[at+1] != '(' {
			continue
		}
		if end := closing(s, at+1); end > 0 {
			return at, end + 1
		}
	}
	return len(s), len(s)
}

func (e *evaluation) reference(t text, f *file, m metadata) text {
	s := t.String()
	name := strings.ToLower(strings.Trim(s[2:len(s)-1], white))
	switch {
	case s[0] == '%' && m != nil && isName(name):
		if _, field, ok := strings.Cut(name, "."); ok {
			name = field // %(ClCompile.Name) in an element of ClCompile
		}
		return m[name].from(t)
	case s[0] == '$' && isName(name) && !strings.Contains(name, ".") && !kitUnknown[name]:
		if v, ok := e.properties[name]; ok {
			return v.from(t)
		}
		return e.reserved(name, f).from(t)
	case s[0] == '$' && kitUnknown[name] && e.properties[name] != nil:
		return e.properties[name]
	case s[0] == '%' && m == nil:
		return t
	}
	for i := range t {
		t[i].unknown = true
	}
	return t
}

func isName(s string) bool {
	for i := range len(s) {
		if !isWord(s[i]) && s[i] != '-' && s[i] != '.' {
			return false
		}
	}
	return s != ""
}

// reserved gives the properties that MSBuild and Visual Studio set from the files' names; the empty text for others.
func (e *evaluation) reserved(name string, f *file) text {
	this := f.path
	if !strings.HasPrefix(name, "msbuildthisfile") {
		this = e.project
	}
	base := path.Base(this)
	switch name {
	case "msbuildthisfiledirectory", "projectdir":
		return plain(directory(this) + `\`)
	case "msbuildprojectdirectory":
		return plain(directory(this))
	case "msbuildthisfile", "msbuildprojectfile", "projectfilename":
		return plain(base)
	case "msbuildthisfilename", "msbuildprojectname", "projectname", "targetname":
		return plain(strings.TrimSuffix(base, path.Ext(base)))
	case "msbuildthisfileextension", "msbuildprojectextension", "projectext":
		return plain(path.Ext(base))
	case "solutiondir":
		return plain(e.solution() + `\`)
	}
	return nil
}

// directory gives the absolute directory of a file, as MSBuild has it.
func directory(p string) string {
	abs, err := filepath.Abs(filepath.FromSlash(p))
	if err != nil {
		return path.Dir(p)
	}
	return filepath.ToSlash(filepath.Dir(abs))
}

// solution gives the directory above the project that a solution of the same name as itself or the project is in,
// else the project's own: which solution a project is built by is not written in it.
func (e *evaluation) solution() string {
	project := strings.TrimSuffix(path.Base(e.project), path.Ext(e.project))
	for dir := path.Dir(e.project); e.tree.Within(dir); {
		own := path.Base(filepath.ToSlash(directory(dir + "/x")))
		for _, name := range []string{project, own} {
			if e.exists(dir, name+".sln") {
				return directory(dir + "/x")
			}
		}
		above := e.tree.Join(dir, "..")
		if above == dir {
			break
		}
		dir = above
	}
	return directory(e.project)
}

// evaluated are the item types whose definitions matter.
var evaluated = []string{"ClCompile", "Link"}

// definitionGroup is the second pass.
func (e *evaluation) definitionGroup(group *element) {
	if !e.holds(group, nil) {
		return
	}
	for _, el := range group.children {
		if !slices.ContainsFunc(evaluated, el.is) {
			continue
		}
		kind := strings.ToLower(el.name)
		m := e.definitions[kind]
		if !e.holds(el, m) {
			continue
		}
		layers := e.metadata(el, m)
		if kind == "clcompile" {
			e.layers = append(e.layers, layers...)
		}
	}
}

// metadata reads the metadata below an element into m, and gives the layers among them.
func (e *evaluation) metadata(parent *element, m metadata) []*layer {
	var layers []*layer
	for _, el := range parent.children {
		if !e.holds(el, m) {
			continue
		}
		m[strings.ToLower(el.name)] = e.expand(el.text(), el.file, m)
		if el.is("PreprocessorDefinitions") {
			layers = append(layers, definitionsLayer(el))
		}
	}
	return layers
}

// itemGroup is the third pass.
func (e *evaluation) itemGroup(group *element) {
	if !e.holds(group, nil) {
		return
	}
	for _, el := range group.children {
		switch {
		case !el.is("ClCompile") && !el.is("ProjectConfiguration"):
		case !e.holds(el, e.definitions["clcompile"]):
		case el.is("ProjectConfiguration"):
			for _, name := range e.names(el, "Include") {
				e.configured = append(e.configured, name.String())
			}
		default:
			e.compile(el)
		}
	}
}

// names gives the list an attribute holds.
func (e *evaluation) names(el *element, attribute string) []text {
	raw := el.attribute(attribute)
	if raw == "" {
		return nil
	}
	var list []text
	for _, name := range e.expand(plain(raw), el.file, nil).split(';') {
		switch {
		case name.unknown():
			e.note(el.file.place(el.start), "%s %q can't be evaluated; it is left out", attribute, name)
		case strings.ContainsAny(name.String(), "*?"):
			e.note(el.file.place(el.start), "%s %q: wildcards are not expanded; it is left out", attribute, name)
		default:
			list = append(list, name)
		}
	}
	return list
}

// compile evaluates one ClCompile element: it includes, removes or updates source files.
func (e *evaluation) compile(el *element) {
	excluded := pathSet(e.names(el, "Exclude"))
	for _, name := range e.names(el, "Include") {
		if !excluded[canonical(name)] {
			it := &item{include: name, path: canonical(name), metadata: maps.Clone(e.definitions["clcompile"]), layers: slices.Clone(e.layers)}
			e.items = append(e.items, it)
			e.own(it, el)
		}
	}
	if removed := pathSet(e.names(el, "Remove")); len(removed) > 0 && e.spend(len(e.items)) {
		e.items = slices.DeleteFunc(e.items, func(it *item) bool { return removed[it.path] })
	}
	if updated := pathSet(e.names(el, "Update")); len(updated) > 0 && e.spend(len(e.items)) {
		for _, it := range e.items {
			if updated[it.path] {
				e.own(it, el)
			}
		}
	}
}

// own gives an item its own metadata.
func (e *evaluation) own(it *item, el *element) {
	if it.metadata == nil {
		it.metadata = metadata{}
	}
	name := path.Base(strings.ReplaceAll(it.include.String(), `\`, "/"))
	it.metadata["identity"] = it.include
	it.metadata["filename"] = plain(strings.TrimSuffix(name, path.Ext(name)))
	it.metadata["extension"] = plain(path.Ext(name))
	if e.spend(len(it.metadata) + len(it.layers)) {
		it.layers = append(it.layers, e.metadata(el, it.metadata)...)
	}
}

// canonical gives a name that is equal where Windows takes paths to be the same.
func canonical(name text) string {
	return strings.ToLower(path.Clean(strings.ReplaceAll(name.String(), `\`, "/")))
}

func pathSet(names []text) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[canonical(name)] = true
	}
	return set
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
	s := strings.ToLower(content.String())
	for _, reference := range inheritance {
		if i := strings.Index(s, reference); i >= 0 {
			return i, len(reference)
		}
	}
	return 0, 0
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
