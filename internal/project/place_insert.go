package project

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/edit"
)

// Inserting a define by lines of its own: 254 of 471 real projects have no element PreprocessorDefinitions that one
// could be spliced into.

// insertion inserts the defines once into the build file, and splices them where that is lost again.
func (p *placer) insertion(g group, all loaded, c *cover) (candidate, error) {
	if why := p.keeps(g.project); why != "" {
		return candidate{}, fmt.Errorf("%s is not changed: %s", g.project, why)
	}
	var failed error
	for _, condition := range g.conditions(all) {
		inserted, err := kindOf(g.project).insert(p, g, condition)
		if err != nil {
			return candidate{}, err
		}
		after, err := p.with(inserted.edits)
		if err != nil {
			return candidate{}, err
		}
		needed, err := p.missing(g, all, p.load(after, g.project))
		if err != nil {
			failed = err
			continue
		}
		layers, left := c.choose(needed)
		if left != nil {
			return candidate{}, errors.New(c.reason(*left))
		}
		inserted.edits = append(inserted.edits, splices(layers, g.defines)...)
		inserted.lines += len(layers)
		return inserted, nil
	}
	return candidate{}, failed
}

// conditions are those to try for an inserted group, the shortest first: none, the platforms of which all
// configurations are wanted, and all wanted configurations. Only a project has more than the first.
func (g group) conditions(all loaded) []string {
	if !kindOf(g.project).conditional {
		return []string{""}
	}
	full := map[string]bool{}
	var wanted, platforms []string
	for _, name := range all.configurations {
		_, platform, _ := strings.Cut(name, "|")
		if g.wants(g.project + "|" + name) {
			wanted = append(wanted, fmt.Sprintf("'$(Configuration)|$(Platform)'=='%s'", name))
			if !slices.Contains(platforms, platform) {
				platforms = append(platforms, platform)
			}
		}
	}
	for _, platform := range platforms {
		full[platform] = !slices.ContainsFunc(all.configurations, func(name string) bool {
			_, other, _ := strings.Cut(name, "|")
			return other == platform && !g.wants(g.project+"|"+name)
		})
	}
	list := []string{""}
	if !slices.ContainsFunc(platforms, func(platform string) bool { return !full[platform] }) {
		var tests []string
		for _, platform := range platforms {
			tests = append(tests, fmt.Sprintf("'$(Platform)'=='%s'", platform))
		}
		list = append(list, strings.Join(tests, " or "))
	}
	return append(list, strings.Join(wanted, " or "))
}

// missing gives the pairs, in terms of the builds before, that an insertion did not serve. It is an error if the
// insertion changed a build that is not wanted and can't have it.
func (p *placer) missing(g group, before, after loaded) ([]pair, error) {
	if len(before.builds) != len(after.builds) {
		return nil, errors.New("what would be inserted changes which builds there are")
	}
	var list []pair
	for i, b := range before.builds {
		a := after.builds[i]
		if !g.wants(b.ID) {
			var but []Define
			if p.mayHave(b.ID, g.defines) {
				but = g.defines
			}
			if a.signature(but) != b.signature(but) {
				return nil, fmt.Errorf("what would be inserted changes %s too", b.ID)
			}
			continue
		}
		if len(a.Units) != len(b.Units) {
			return nil, fmt.Errorf("what would be inserted changes the files of %s", b.ID)
		}
		for j, u := range a.Units {
			if !u.has(g.defines) {
				list = append(list, pair{b, j})
			}
		}
	}
	return list, nil
}

// insertNothing is what is done to a make file.
func (p *placer) insertNothing(group, string) (candidate, error) {
	return candidate{}, errors.New("a make file has no line that reaches every command: add the define to what the compiler is called with")
}

// insertGroup puts an ItemDefinitionGroup before the first one of a project, after the property sheets.
//
// The condition is escaped as an attribute; apostrophes stay as they are, as Visual Studio writes them.
func (p *placer) insertGroup(g group, condition string) (candidate, error) {
	data, err := p.tree.Read(g.project)
	if err != nil {
		return candidate{}, err
	}
	root, err := parseXML(g.project, data)
	if err != nil {
		return candidate{}, fmt.Errorf("%s: %w", g.project, err)
	}
	f, before := root.file, insertionPoint(root)
	switch {
	case f.wide != nil:
		return candidate{}, fmt.Errorf("%s: %s", g.project, recoded)
	case before == nil:
		return candidate{}, errors.New("the project has no place for an ItemDefinitionGroup")
	}
	lines, err := groupLines(g.defines, condition)
	if err != nil {
		return candidate{}, err
	}
	indent, first := f.indent(before.start)
	if !first { // all on one line
		s := strings.ReplaceAll(strings.Join(lines, ""), "\t", "")
		return candidate{[]edit.Edit{{Path: f.path, Start: before.start, End: before.start, New: s}}, 1}, nil
	}
	unit := cmp.Or(indent, "  ")
	var s strings.Builder
	for _, line := range lines {
		s.WriteString(indent + strings.ReplaceAll(line, "\t", unit) + f.newline(before.start))
	}
	at := before.start - len(indent)
	return candidate{[]edit.Edit{{Path: f.path, Start: at, End: at, New: s.String()}}, len(lines)}, nil
}

// groupLines gives an ItemDefinitionGroup, each step of indentation as a tab.
func groupLines(defines []Define, condition string) ([]string, error) {
	attribute := ""
	if condition != "" {
		var escaped bytes.Buffer
		if err := xml.EscapeText(&escaped, []byte(condition)); err != nil {
			return nil, err
		}
		attribute = ` Condition="` + strings.ReplaceAll(escaped.String(), "&#39;", "'") + `"`
	}
	list := ""
	for _, d := range defines {
		list += d.text() + ";"
	}
	return []string{
		"<ItemDefinitionGroup" + attribute + ">",
		"\t<ClCompile>",
		"\t\t<PreprocessorDefinitions>" + list + "%(PreprocessorDefinitions)</PreprocessorDefinitions>",
		"\t</ClCompile>",
		"</ItemDefinitionGroup>",
	}, nil
}

// insertionPoint gives the element before which a group of item definitions goes: the first such group after
// Microsoft.Cpp.props, else the first element there that is neither properties nor a property sheet.
func insertionPoint(root *element) *element {
	from := 0
	for i, el := range root.children {
		if el.is("Import") && strings.HasSuffix(strings.ToLower(el.attribute("Project")), `\microsoft.cpp.props`) {
			from = i + 1
		}
	}
	rest := root.children[from:]
	if i := slices.IndexFunc(rest, func(el *element) bool { return el.is("ItemDefinitionGroup") }); i >= 0 {
		return rest[i]
	}
	for _, el := range rest {
		sheet := el.is("PropertyGroup") || el.is("ImportGroup") && el.attribute("Label") != "ExtensionTargets" ||
			el.is("Import") && !strings.HasSuffix(strings.ToLower(el.attribute("Project")), ".targets")
		if !sheet && el.attribute("Label") != "ProjectConfigurations" {
			return el
		}
	}
	return nil
}

// insertLine puts an assignment to C_DEFINES before that of SOURCES or INCLUDES, else at the end.
//
// C_DEFINES is extended, not set: what stands before it in the file counts too. At the end of the file it still
// counts, since build.exe reads the whole file before it compiles.
func (p *placer) insertLine(g group, _ string) (candidate, error) {
	data, err := p.tree.Read(g.project)
	if err != nil {
		return candidate{}, err
	}
	f := newFile(g.project, data)
	line := "C_DEFINES=$(C_DEFINES)"
	for _, d := range g.defines {
		line += " -D" + d.text()
	}
	at := lineForDefines(f)
	if at < 0 {
		at = len(f.data)
		newline := f.newline(at)
		if at > 0 && f.data[at-1] != '\n' {
			line = newline + line
		}
		return candidate{[]edit.Edit{{Path: f.path, Start: at, End: at, New: line + newline}}, 1}, nil
	}
	if at == 0 && bytes.HasPrefix(f.data, []byte(bom)) {
		at = len(bom)
	}
	return candidate{[]edit.Edit{{Path: f.path, Start: at, End: at, New: line + f.newline(at)}}, 1}, nil
}

// lineForDefines gives the start of the first line that assigns SOURCES, else INCLUDES, outside of every !if; -1 where
// there is none.
func lineForDefines(f *file) int {
	list := parseNmake(f)
	for _, name := range []string{"sources", "includes"} {
		depth := 0
		for _, s := range list {
			switch {
			case strings.HasPrefix(s.name, "!if"):
				depth++
			case s.name == "!endif":
				depth--
			case s.name == name && depth == 0:
				return f.lineStart(s.at)
			}
		}
	}
	return -1
}
