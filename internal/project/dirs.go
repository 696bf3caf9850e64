package project

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// dirs files are what build.exe reads in a directory that has others to build below it.

// isDirs goes by the name, which build.exe requires.
func isDirs(p string) bool { return strings.EqualFold(path.Base(p), "dirs") }

// maxDirs bounds how many dirs files one leads to.
const maxDirs = 10_000

// dirsList gives the SOURCES files that a dirs file leads to, in directories below it and those that they name again.
// What is missing is an error; the rest is given all the same.
func (l *loader) dirsList(p string) ([]string, error) {
	var list []string
	var failed []error
	seen := map[string]bool{p: true}
	for queue := []string{p}; len(queue) > 0; queue = queue[1:] {
		names, optional, err := l.dirsNamed(queue[0])
		if err != nil {
			failed = append(failed, err)
		}
		for i, dir := range append(names, optional...) {
			if !l.tree.Within(dir) {
				failed = append(failed, fmt.Errorf("%s: names %s, outside of what was named", queue[0], dir))
				continue
			}
			found := i >= len(names)
			for _, name := range []string{"dirs", "sources"} {
				file, ok := l.tree.Find(l.tree.Join(dir, name))
				if found = found || ok; !ok || seen[file] || len(seen) >= maxDirs {
					continue
				}
				seen[file] = true
				if name == "dirs" {
					queue = append(queue, file)
				} else {
					list = append(list, file)
				}
			}
			if !found {
				failed = append(failed, fmt.Errorf("%s: names %s, where there is neither a dirs nor a SOURCES file", queue[0], dir))
			}
		}
	}
	slices.Sort(list)
	return list, errors.Join(failed...)
}

// dirsNamed gives the directories that one dirs file names in any build window: DIRS, and OPTIONAL_DIRS, which need not
// be there.
func (l *loader) dirsNamed(p string) (names, optional []string, err error) {
	r := newReader(l.tree)
	texts := map[string][]statement{}
	for i := range oldPlatforms {
		for _, configuration := range []string{"free", "checked"} {
			m := &makefile{reader: r, project: p, texts: texts, known: map[layerKey]*layer{}, macros: oldEnvironment(i, configuration)}
			list, err := m.read(p)
			if err == nil {
				err = m.run(list)
			}
			if err != nil {
				return nil, nil, err
			}
			names = m.directories(names, "dirs")
			optional = m.directories(optional, "optional_dirs")
			if r.budget <= 0 {
				return nil, nil, errWork
			}
		}
	}
	return names, optional, nil
}

// directories adds those that a macro names, in braces or not.
func (m *makefile) directories(list []string, macro string) []string {
	for _, t := range fields(m.value(macro)) {
		dir := m.tree.Join(path.Dir(m.project), strings.Trim(t.String(), "{}"))
		if !t.unknown() && len(list) < maxDirs && !slices.Contains(list, dir) {
			list = append(list, dir)
		}
	}
	return list
}
