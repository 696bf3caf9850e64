package project

import (
	"path"
	"strings"
)

// Rules of nmake, in the form that make_rules.go follows: "Description blocks" and "Inference rules" of its
// reference.

// rule takes a line that names targets and what they need: "a.obj b.obj : a.c", ".c.obj::" or "{src}.c{out}.obj:".
func (m *makefile) rule(s statement) {
	if !m.spend(s.value.len() + len(s.value)) {
		return
	}
	line := m.expand(s.value).trim()
	i := colon(line.String())
	if i < 0 {
		return
	}
	rest := line.slice(i+1, line.len())
	if strings.HasPrefix(rest.String(), ":") {
		rest = rest.slice(1, rest.len())
	}
	needs, inline, hasInline := cutOutside(rest.trim(), ';')
	targets := fields(line.slice(0, i))
	if from, to, ok := m.inference(targets); ok {
		m.rules.add([]text{plain(to)}, []text{plain(from)}, s.file.place(s.at))
	} else {
		m.rules.add(targets, m.needs(fields(needs)), s.file.place(s.at))
	}
	if hasInline {
		m.rules.command(inline)
	}
}

// inference reads {src}.c{out}.obj as out\%.obj: src\%.c.
func (m *makefile) inference(targets []text) (from, to string, ok bool) {
	s := joinWords(targets).String()
	if !strings.HasPrefix(s, "{") {
		if f, t, ok := suffixes(s); ok && len(targets) == 1 {
			return "%" + f, "%" + t, true
		}
		return "", "", false
	}
	source, rest, ok := strings.Cut(s[1:], "}")
	suffix, rest, ok2 := strings.Cut(rest, "{")
	if !ok || !ok2 { // {src}.c.obj
		i := strings.LastIndexByte(suffix, '.')
		if !ok || i < 1 {
			return "", "", false
		}
		return inDirectory(source) + "%" + suffix[:i], "%" + suffix[i:], true
	}
	out, extension, ok := strings.Cut(rest, "}")
	return inDirectory(source) + "%" + suffix, inDirectory(out) + "%" + extension, ok
}

// inDirectory makes of a directory what stands before a name in it: nothing for the current one, else with a slash.
func inDirectory(dir string) string {
	if dir = strings.TrimRight(dir, `/\`); dir == "" || dir == "." {
		return ""
	}
	return dir + "/"
}

// needs gives the files a target needs; {dir;dir}name is looked for in these directories.
func (m *makefile) needs(list []text) []text {
	for i, t := range list {
		dirs, name, ok := strings.Cut(strings.TrimPrefix(t.String(), "{"), "}")
		if !ok || t.unknown() {
			continue
		}
		list[i] = plain(name).from(t)
		for _, dir := range strings.Split(dirs, ";") {
			if found := inDirectory(dir) + name; m.exists(found) {
				list[i] = plain(found).from(t)
				break
			}
		}
	}
	return list
}

// exists answers for the tree alone.
func (m *makefile) exists(name string) bool {
	_, ok := m.tree.Find(m.tree.Join(path.Dir(m.project), name))
	return ok
}

// expandFor expands a command with its automatic macros.
func (m *makefile) expandFor(_ []setting, automatic map[string]text, t text) text {
	m.automatic = automatic
	t = m.expand(t)
	m.automatic = nil
	return t
}
