package source

import (
	"slices"
	"strings"
	"unicode"

	"github.com/nxport/nxport/internal/driver"
)

// versionNames are what a name is, or has in it, that asks for the version of Windows, or holds what came of such a question;
// all in lower case. A plain "version" may be that of anything.
var versionNames = []string{
	"majorversion", "minorversion", "osversion", "os_version", "osver", "windowsversion", "winver", "getversion", "versionavailable",
	"versionsupported", "verifyversion", "ntddi", "windows7", "windows8", "windows10", "windows_7", "windows_8", "windows_10", "win7", "win8",
	"win10", "buildnumber",
}

// versionWords are such names by themselves.
var versionWords = map[string]bool{"nx": true, "major": true, "minor": true}

// versionGuards finds the requests and writes that stand under an if whose condition asks for the version of Windows: what is
// not known below that version may well be requested there.
func (f *function) versionGuards(toks []token) {
	var at []int
	for _, c := range f.calls {
		if c.ddi != nil {
			at = append(at, c.pos)
		}
	}
	for _, w := range f.writes {
		at = append(at, w.pos)
	}
	slices.Sort(at)
	var open []driver.Step
	marks := f.marks
	for _, pos := range slices.Compact(at) {
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
	for i, w := range f.writes {
		_, f.writes[i].versioned = f.guards[w.pos]
		f.versioned = f.versioned || f.writes[i].versioned
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
	if i := asksVersion(toks[start:end]); i >= 0 {
		return driver.Step{Place: toks[start+i].root().place(), Says: "only under if " + text(toks[start:])}
	}
	return step
}

// asksVersion gives the first name in a condition that asks for the version of Windows, -1 where none does.
func asksVersion(condition []token) int {
	return slices.IndexFunc(condition, func(t token) bool { return t.kind == ident && isVersionName(t.text) })
}

func isVersionName(name string) bool {
	lower := strings.ToLower(name)
	if versionWords[lower] || slices.ContainsFunc(versionNames, func(s string) bool { return strings.Contains(lower, s) }) {
		return true
	}
	return slices.Contains(wordsOf(name), "nx")
}

// wordsOf takes UseNxPool, use_nx_pool and USE_NX_POOL apart, in lower case.
func wordsOf(name string) []string {
	var b strings.Builder
	for i, r := range name {
		after := i > 0 && !unicode.IsUpper(rune(name[i-1])) || i+1 < len(name) && unicode.IsLower(rune(name[i+1]))
		if unicode.IsUpper(r) && after {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.FieldsFunc(b.String(), func(r rune) bool { return r == '_' || unicode.IsDigit(r) })
}

// selected gives those values of an expression that it has only by way of what the version of Windows selects: of a variable
// or field that is set under a condition on the version, and of a ?: with such a condition.
func (m *image) selected(in *input, all []driver.Term) []driver.Term {
	if !m.versioned {
		return nil
	}
	rest := m.unselected(in, map[*node]set{})
	return slices.DeleteFunc(slices.Clone(all), func(t driver.Term) bool {
		return slices.ContainsFunc(rest.terms, func(u driver.Term) bool { return same(t, u) })
	})
}

// unselected evaluates without them.
func (m *image) unselected(in *input, done map[*node]set) set {
	m.work++
	return calculation{at: in.at, unselected: true, look: func(e *expr) set {
		var s set
		for _, n := range in.nodes[e] {
			if slices.ContainsFunc(n.inputs, func(in input) bool { return in.step.Versioned }) {
				continue
			}
			rest, ok := done[n]
			if !ok {
				done[n] = set{}
				for i := range n.inputs {
					rest = rest.join(m.unselected(&n.inputs[i], done))
				}
				done[n] = rest
			}
			s = s.join(rest)
		}
		return s
	}}.value(in.expr)
}
