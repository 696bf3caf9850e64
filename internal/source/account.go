package source

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// extensions of files that are looked through for the names of DDIs.
var extensions = map[string]bool{
	".c": true, ".cc": true, ".cpp": true, ".cxx": true, ".h": true, ".hh": true, ".hpp": true, ".hxx": true, ".inl": true,
	".i": true, ".ipp": true,
}

// account finds the places where the name of a DDI stands in front of a parenthesis and that no image speaks of: they
// are inactive, or in the body of a macro that nobody uses, or in a file of no build. It also finds those that declare or
// define a DDI, or a macro of its name.
func account(fs *files, known names, paths []string, summaries []*summary) (dormant []driver.Site, declarations []driver.Place) {
	seen := map[driver.Place]bool{}
	declared := map[driver.Place]bool{}
	built := map[string]bool{}
	for _, s := range summaries {
		for _, f := range s.functions {
			for _, c := range f.calls {
				if c.ddi != nil {
					seen[c.at.place()] = true
					seen[c.at.root().place()] = true // a DDI's name that is a macro of the driver
				} else if known.ddis[c.callee] != nil { // a method of that name
					declared[c.at.place()] = true
				}
			}
		}
		for _, p := range s.declared {
			declared[p] = true
		}
	}
	for _, s := range summaries {
		for _, f := range s.files {
			built[f.path] = true
		}
	}
	paths = slices.Concat(paths, slices.Collect(maps.Keys(built)))
	slices.Sort(paths)
	for _, p := range slices.Compact(paths) {
		f, err := fs.load(p)
		if err != nil || !f.lexed && !fs.asks(f, known) {
			continue // an error is said where a unit needs the file; else it is no text
		}
		fs.ready(f)
		for _, m := range mentions(f, known) {
			switch {
			case seen[m.Place]:
			case declared[m.Place] || m.definesMacro || m.declares:
				declarations = append(declarations, m.Place)
			default:
				m.State = dormantState(m, built[p])
				dormant = append(dormant, m.Site)
			}
		}
	}
	slices.SortFunc(dormant, func(a, b driver.Site) int { return a.Place.Compare(b.Place) })
	return dormant, declarations
}

func dormantState(m mention, built bool) driver.State {
	switch {
	case !built:
		return driver.Unbuilt
	case m.inMacro:
		return driver.Unexpanded
	}
	return driver.Inactive
}

// sourceFiles are those below the named paths, and those of the builds. nxpool.h is none: what it names it redefines.
func sourceFiles(t *tree.Tree, named []string, builds []*project.Build) []string {
	var list []string
	for _, b := range builds {
		for _, u := range b.Units {
			list = append(list, u.Path)
		}
	}
	for _, n := range named {
		files, err := t.Walk(n)
		if err != nil {
			continue // said by the room that reads the build files
		}
		for _, p := range files {
			if extensions[strings.ToLower(path.Ext(p))] && baseName(p) != nxpool {
				list = append(list, p)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// mention is a DDI's name in front of a parenthesis, as it is written.
type mention struct {
	driver.Site
	inMacro      bool
	definesMacro bool // it is the name of a macro that is being defined
	declares     bool // it is declared or defined, by what stands around it
}

// maxGuards is how many directives are named that one request hangs on, the innermost.
const maxGuards = 5

// mentions finds them in a file, each with the directives that it hangs on.
func mentions(f *file, known names) []mention {
	var list []mention
	var guards []driver.Step
	var macro *driver.Step
	next := f.directives
	for i, r := range f.tokens {
		if r.kind != newline && r.kind != ident && r.kind != punct {
			continue
		}
		switch t := f.token(i); {
		case t.kind == newline:
			macro = nil
		case len(next) > 0 && int(next[0].at) == i:
			line := f.list(nil, i+1, int(next[0].end))
			next = next[1:]
			guards = guard(guards, t, line)
			if len(line) > 1 && line[0].is("define") {
				macro = &driver.Step{Place: line[1].place(), Says: "in the body of the macro " + line[1].text}
			}
		case t.kind == ident && known.ddis[t.text] != nil && f.beforeParenthesis(i, macro != nil):
			m := mention{Site: driver.Site{Witness: driver.Source, Place: t.place(), DDI: *known.ddis[t.text], Mechanism: nx.None}}
			m.declares = macro == nil && declaresAt(f, i)
			m.definesMacro = macro != nil && macro.Place == t.place()
			m.Value.Steps = slices.Clone(guards[max(0, len(guards)-maxGuards):])
			if m.inMacro = macro != nil; m.inMacro {
				m.Value.Steps = append(m.Value.Steps, *macro)
			}
			list = append(list, m)
		}
	}
	return list
}

// maxBlank is how many line ends may stand between a name and the word before it.
const maxBlank = 50

// declaresAt says of a name in front of a parenthesis, in text that no unit was read of, whether it is declared there: a word
// stands before it that is none of C's, or a star, and parameters behind it.
func declaresAt(f *file, at int) bool {
	start := max(0, at-maxBlank)
	tokens, i := f.list(nil, start, min(len(f.tokens), at+maxArguments)), at-start
	open := i + 1
	for open < len(tokens)-1 && tokens[open].kind == newline {
		open++
	}
	inner := make([]token, 0, 32)
	for _, t := range tokens[open+1 : max(open+1, min(closing(tokens, open), len(tokens)))] {
		if t.kind != newline {
			inner = append(inner, t)
		}
	}
	before := i - 1
	for before >= 0 && tokens[before].kind == newline {
		before--
	}
	if before < 0 {
		return false
	}
	switch t := tokens[before]; {
	case t.is("*"):
		return looksLikeParameters(inner)
	case t.kind != ident || keywords[t.text] && !typeWords[t.text] || controlWords[t.text]:
		return false
	}
	return looksLikeParameters(inner) || onlyTypes(inner)
}

// onlyTypes says whether parameters have no names.
func onlyTypes(toks []token) bool {
	return len(toks) > 0 && !slices.ContainsFunc(split(toks), func(arg []token) bool {
		return !isType(arg) || len(arg) == 1 && arg[0].text != upper(arg[0].text)
	})
}

// beforeParenthesis says whether the token after i, of a directive on the same line, is one.
func (f *file) beforeParenthesis(i int, directive bool) bool {
	for i++; f.tokens[i].kind == newline && !directive; i++ {
	}
	return f.token(i).is("(")
}

// guard keeps the stack of conditional directives that are open.
func guard(open []driver.Step, hash token, line []token) []driver.Step {
	if len(line) == 0 {
		return open
	}
	step := driver.Step{Place: hash.place(), Says: "#" + text(line)}
	switch name := line[0].text; {
	case strings.HasPrefix(name, "if"):
		return append(open, step)
	case strings.HasPrefix(name, "el") && len(open) > 0:
		return append(open[:len(open)-1], step)
	case name == "endif" && len(open) > 0:
		return open[:len(open)-1]
	}
	return open
}
