package project

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/tree"
)

// solution is a .sln or .slnx file: projects that are built together. A configuration of the solution chooses one of
// each project, which need not have its name.
type solution struct {
	path     string
	projects []string // paths, in order
	others   []string // paths of what else it lists
	// chosen are, by project path in lower case, the project's configurations by the solution's in lower case.
	chosen map[string]map[string]string
	// configurations are the solution's, in order.
	configurations []string
}

// isSolution goes by the extension: .sln is the text format, .slnx the XML one of Visual Studio 2022 17.10.
func isSolution(p string) bool {
	return strings.EqualFold(path.Ext(p), ".sln") || strings.EqualFold(path.Ext(p), ".slnx")
}

// listSolution gives the build files of a named solution. Those that are not there are unreadable.
func listSolution(l *loader, p string) ([]string, error) {
	s, err := l.documents.solution(l.tree, p)
	if err != nil {
		return nil, err
	}
	l.documents.named = append(l.documents.named, s)
	l.skipOld(s.others)
	var list []string
	for _, project := range s.projects {
		if found, ok := l.tree.Find(project); ok {
			list = append(list, found)
		} else {
			l.unreadable(project, fmt.Errorf("not there, but listed by %s", p))
		}
	}
	return list, nil
}

// solution reads a solution, once.
func (d *documents) solution(t *tree.Tree, p string) (*solution, error) {
	if s, ok := d.paths.solutions[p]; ok {
		return s, nil
	}
	data, err := t.Read(p)
	if err != nil {
		return nil, err
	}
	s := &solution{path: p, chosen: map[string]map[string]string{}}
	if strings.EqualFold(path.Ext(p), ".slnx") {
		err = s.readXML(t, data)
	} else {
		err = s.read(t, data)
	}
	if err == nil {
		d.paths.solutions[p] = s
	}
	return s, err
}

// add lists a project. Only C++ projects matter; what else a solution holds builds no driver.
func (s *solution) add(t *tree.Tree, ref string) (key string, ok bool) {
	p := t.Join(path.Dir(s.path), ref)
	if !isProject(ref) {
		s.others = append(s.others, p)
		return "", false
	}
	key = strings.ToLower(p)
	if s.chosen[key] == nil {
		s.chosen[key] = map[string]string{}
		s.projects = append(s.projects, p)
	}
	return key, true
}

// projectLine is Project("{kind}") = "name", "path", "{guid}". Solution folders have their name for a path.
var projectLine = regexp.MustCompile(`^Project\("[^"]*"\)\s*=\s*"[^"]*"\s*,\s*"([^"]*)"\s*,\s*"([^"]*)"`)

// read reads the lines of a .sln file.
func (s *solution) read(t *tree.Tree, data []byte) error {
	f := newFile(s.path, data)
	switch {
	case tree.IsUTF16(data):
		f = fromUTF16(s.path, data)
	case tree.IsBinary(data):
		return errors.New("line 1: binary, no solution")
	case len(data) > maxBuildFile:
		return fmt.Errorf("line 1: %d bytes, more than the %d that are read of a solution", len(data), maxBuildFile)
	}
	if !bytes.Contains(f.data[:min(len(f.data), 1<<10)], []byte("Microsoft Visual Studio Solution File")) {
		return errors.New("line 1: no solution of Visual Studio")
	}
	section := ""
	guids := map[string]string{} // key of a project by its GUID
	for line := range strings.Lines(string(f.data)) {
		line = strings.Trim(line, white)
		if match := projectLine.FindStringSubmatch(line); match != nil {
			if key, ok := s.add(t, match[1]); ok {
				guids[strings.ToLower(match[2])] = key
			}
			continue
		}
		if name, ok := strings.CutPrefix(line, "GlobalSection("); ok {
			section, _, _ = strings.Cut(name, ")")
		}
		left, right, _ := strings.Cut(line, "=")
		left, right = strings.Trim(left, white), strings.Trim(right, white)
		switch {
		case section == "SolutionConfigurationPlatforms" && strings.Contains(left, "|"):
			s.configurations = append(s.configurations, left)
		case section == "ProjectConfigurationPlatforms":
			guid, rest, _ := strings.Cut(left, ".")
			if name, active := strings.CutSuffix(rest, ".ActiveCfg"); active && guids[strings.ToLower(guid)] != "" {
				s.chosen[guids[strings.ToLower(guid)]][strings.ToLower(name)] = right
			}
		}
	}
	return nil
}

// readXML reads a .slnx file.
func (s *solution) readXML(t *tree.Tree, data []byte) error {
	root, err := parseXML(s.path, data)
	if err != nil {
		return err
	}
	if root.name != "Solution" {
		return fmt.Errorf("line 1: the root element is <%s>, not <Solution>", root.name)
	}
	var types, platforms []string
	for _, group := range root.children {
		for _, el := range group.children {
			switch {
			case group.key == "configurations" && el.key == "buildtype":
				types = append(types, el.attribute("Name"))
			case group.key == "configurations" && el.key == "platform":
				platforms = append(platforms, el.attribute("Name"))
			}
		}
	}
	if len(types) == 0 {
		types = []string{"Debug", "Release"}
	}
	for _, configuration := range types[:min(len(types), maxConfigurations)] {
		for _, platform := range platforms[:min(len(platforms), maxConfigurations/len(types)+1)] {
			s.configurations = append(s.configurations, configuration+"|"+platform)
		}
	}
	s.addXML(t, root)
	return nil
}

// addXML reads the projects of an .slnx, which may stand in folders.
func (s *solution) addXML(t *tree.Tree, parent *element) {
	for _, el := range parent.children {
		switch el.key {
		case "folder":
			s.addXML(t, el)
		case "project":
			if key, ok := s.add(t, el.attribute("Path")); ok {
				s.choose(s.chosen[key], el)
			}
		}
	}
}

// choose follows the rules of a project in a .slnx file: <BuildType Solution="Debug|*" Project="Dbg"/>, and the same of
// <Platform>. The platform x86 of a solution is Win32 in a C++ project.
func (s *solution) choose(chosen map[string]string, project *element) {
	for _, name := range s.configurations {
		configuration, platform, _ := strings.Cut(name, "|")
		if strings.EqualFold(platform, "x86") {
			platform = "Win32"
		}
		for _, rule := range project.children {
			pattern := rule.attribute("Solution")
			if pattern != "" && !matchPart(strings.ToLower(pattern), strings.ToLower(name)) {
				continue
			}
			switch rule.key {
			case "buildtype":
				configuration = rule.attribute("Project")
			case "platform":
				platform = rule.attribute("Project")
			}
		}
		chosen[strings.ToLower(name)] = configuration + "|" + platform
	}
}

// chooses gives the configuration of one project that is built along with that of another, by the solution's
// configuration of the same name if that builds both so, else the first that does. It is the same where the solution
// says nothing.
func (s *solution) chooses(project, configuration, other string) string {
	mine, its := s.chosen[strings.ToLower(project)], s.chosen[strings.ToLower(other)]
	names := append([]string{configuration}, s.configurations...)
	for _, name := range names {
		name = strings.ToLower(name)
		if chosen := its[name]; chosen != "" && strings.EqualFold(mine[name], configuration) {
			return chosen
		}
	}
	return configuration
}

// solutionOf gives the solution that a project is built by: the named one that lists it, else the nearest above the
// project that does; nil where there is none.
func (e *evaluation) solutionOf(project string) *solution {
	key := strings.ToLower(project)
	for _, s := range e.named {
		if s.chosen[key] != nil {
			return s
		}
	}
	for dir := path.Dir(project); e.tree.Within(dir); {
		for _, name := range e.tree.List(dir) {
			if !isSolution(name) {
				continue
			}
			if s, err := e.solution(e.tree, e.tree.Join(dir, name)); err == nil && s.chosen[key] != nil {
				return s
			}
		}
		up := e.tree.Join(dir, "..")
		if up == dir {
			break
		}
		dir = up
	}
	return nil
}

// solutionProperty gives $(SolutionDir) and its like. Which solution a project is built by does not stand in it. Where
// none lists it, it is one beside the project and of its name, which is what Visual Studio makes of a project that is
// opened alone; MSBuild would leave the properties undefined, and what is below $(SolutionDir) would be nowhere.
func (e *evaluation) solutionProperty(name string) (string, bool) {
	if !slices.Contains([]string{"solutiondir", "solutionname", "solutionpath", "solutionfilename", "solutionext"}, name) {
		return "", false
	}
	p, ok := e.paths.solutionPaths[e.project]
	if !ok {
		p = strings.TrimSuffix(e.project, path.Ext(e.project)) + ".sln"
		if s := e.solutionOf(e.project); s != nil {
			p = s.path
		}
		e.paths.solutionPaths[e.project] = p
	}
	base := path.Base(p)
	switch name {
	case "solutiondir":
		return e.directory(p) + `\`, true
	case "solutionname":
		return withoutExtension(base), true
	case "solutionpath":
		return e.directory(p) + "/" + base, true
	case "solutionfilename":
		return base, true
	}
	return path.Ext(base), true
}
