package source

import (
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// versionWords are what the names in a condition have in them that asks for the version of Windows, or for what came of such a
// question.
var versionWords = []string{"version", "windows", "win7", "win8", "win10", "ntddi", "nx", "osver"}

// versionGuards finds the requests that stand under an if whose condition asks for the version of Windows: what is not known
// below that version may well be requested there.
func (f *function) versionGuards(toks []token) {
	var at []int
	for _, c := range f.calls {
		if c.ddi != nil {
			at = append(at, c.pos)
		}
	}
	slices.Sort(at)
	var open []driver.Step
	marks := f.marks
	for _, pos := range at {
		for ; len(marks) > 0 && int(marks[0].at) <= pos; marks = marks[1:] {
			open = guardedBy(open, marks[0], toks)
		}
		if i := slices.IndexFunc(open, func(s driver.Step) bool { return s.Says != "" }); i >= 0 {
			if f.guards == nil {
				f.guards = map[int]driver.Step{}
			}
			f.guards[pos] = open[i]
		}
	}
}

// guardedBy keeps the conditions that are open; those that do not ask for a version say nothing.
func guardedBy(open []driver.Step, m waymark, toks []token) []driver.Step {
	switch m.kind {
	case ifMark:
		return append(open, versionCondition(toks[:m.at]))
	case endIfMark:
		return open[:max(0, len(open)-1)]
	}
	return open
}

// versionCondition gives the condition of an if that ends in front of its statement.
func versionCondition(toks []token) (step driver.Step) {
	end := len(toks) - 1
	if end < 0 || !toks[end].is(")") {
		return step
	}
	start := max(opening(toks, end), end-maxArguments, 0)
	for _, t := range toks[start:end] {
		if t.kind != ident {
			continue
		}
		name := strings.ToLower(t.text)
		for _, word := range versionWords {
			if strings.Contains(name, word) {
				return driver.Step{Place: t.root().place(), Says: "only under if " + text(toks[start:])}
			}
		}
	}
	return step
}
