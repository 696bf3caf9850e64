package project

import (
	"strings"
)

// $(shell): no program is ever run. What a few commands print, by which real make files find their own directory or
// the system, is known without running them.

// shell runs nothing. What a few commands print is known, as under MSYS; the rest is unknown.
func (g *gnuMake) shell(rest, reference text) text {
	command := g.expand(rest)
	if !command.unknown() {
		if out, ok := printed(g.dir, command.String()); ok {
			as := out
			if strings.Contains(out, "/") {
				as = "the absolute path"
			}
			g.note(reference.place(), "%s is not run; it is read as %s", shortened(reference), as)
			return plain(out).from(reference)
		}
	}
	return unknownText(reference, "it is not run")
}

// printed gives what cd, mkdir, pwd and uname print.
func printed(dir, command string) (string, bool) {
	out := ""
	for _, part := range strings.FieldsFunc(command, func(r rune) bool { return r == '&' || r == ';' }) {
		list := strings.Fields(strings.ReplaceAll(part, "2>/dev/null", ""))
		switch {
		case len(list) == 0 || len(list) == 3 && list[0] == "mkdir" && list[1] == "-p":
		case len(list) == 2 && list[0] == "cd":
			dir = absolute(dir, strings.Trim(list[1], `"'`))
		case list[0] == "pwd" && len(list) == 1, list[0] == "pwd" && len(list) == 2 && list[1] == "-W":
			out = absolute(dir, ".")
		case list[0] == "uname" && len(list) == 1, list[0] == "uname" && len(list) == 2 && list[1] == "-s":
			out = "MINGW32_NT-10.0"
		default:
			return "", false
		}
	}
	return out, out != ""
}
