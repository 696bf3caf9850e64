package project

import (
	"slices"
	"strings"
)

// Assignments of GNU make: the manual, chapter 6. A value keeps its places through all expansions, so that a define
// can be added where it stands.

// assignment says where the parts of one stand in a line.
type assignment struct {
	name, end int // of the name
	operator  string
	value     int
}

// assignmentOf finds the operator of an assignment: before any colon that is none, and after a name of one word.
func assignmentOf(s string) (assignment, bool) {
	depth, blank := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '$' && i+1 < len(s) && (s[i+1] == '(' || s[i+1] == '{'):
			depth++
			i++
			if blank && depth == 1 {
				return assignment{}, false
			}
		case depth > 0:
			switch c {
			case '(', '{':
				depth++
			case ')', '}':
				depth--
			}
		case c == ' ' || c == '\t':
			blank = true
		default:
			for _, operator := range []string{":::=", "::=", ":=", "?=", "+=", "!=", "="} {
				if strings.HasPrefix(s[i:], operator) {
					return assignment{0, i, operator, i + len(operator)}, i > 0
				}
			}
			if blank || c == ':' {
				return assignment{}, false
			}
		}
	}
	return assignment{}, false
}

// assignOrRule decides by the first operator of a line. It says whether a recipe may follow.
func (g *gnuMake) assignOrRule(line text) bool {
	s := line.String()
	if a, ok := assignmentOf(s); ok {
		name := g.expand(line.slice(a.name, a.end)).trim().String()
		if strings.Contains(s[:a.end], "$") { // a way to write a conditional: $(DEBUG_ONLY)CFLAGS
			g.depths.note(line, maxConditionals)
		}
		if !g.fixed[name] && name != "" {
			g.set(g.variables, name, a.operator, line.slice(a.value, len(s)).trimLeft())
			if name == "VPATH" {
				g.rules.searched(words(g.expand(g.variables[name].value)))
			}
		}
		return false
	}
	return g.rule(line)
}

// overriding is override, export and the like before an assignment. Only override changes what is set.
func (g *gnuMake) overriding(word string, line text) {
	a, _ := assignmentOf(line.String())
	name := g.expand(line.slice(a.name, a.end)).trim().String()
	if word == "override" {
		delete(g.fixed, name)
	}
	g.assignOrRule(line)
}

// set does what an assignment says, in a scope.
//
// The operators are those of the manual, 6.5 to 6.6: "=" is expanded when used, ":=" at once, "?=" only where nothing
// is set, "+=" in the way of what is there, "!=" would run a program.
func (g *gnuMake) set(scope map[string]*variable, name, operator string, value text) {
	before := g.lookup(name)
	switch v := (&variable{value: value, origin: "file"}); {
	case operator == "?=" && before != nil:
		return
	case operator == ":=" || operator == "::=" || operator == ":::=":
		v.value, v.simple = g.expand(value), true
		scope[name] = v
	case operator == "!=":
		v.value, v.simple = unknownText(append(plain("$(shell "), append(g.expand(value), span{text: ")"})...), "it is not run"), true
		scope[name] = v
	case operator == "+=" && before != nil:
		v.simple = before.simple
		if v.simple {
			v.value = g.expand(value)
		}
		if len(before.value) > 0 {
			v.value = slices.Concat(before.value, plain(" "), v.value)
		}
		v.value = g.bound(v.value)
		scope[name] = v
	default:
		scope[name] = v
	}
}

// define sets a variable of several lines.
func (g *gnuMake) define(l *lines, head text) {
	operator := "="
	if a, ok := assignmentOf(head.String()); ok {
		operator = a.operator
		head = head.slice(a.name, a.end)
	}
	name := g.expand(head).trim().String()
	body := defineBody(l)
	if !g.fixed[name] {
		g.set(g.variables, name, operator, body)
	}
}

// defineBody reads up to the endef that belongs to a define.
func defineBody(l *lines) text {
	var body text
	for depth := 1; ; {
		line, ok := l.physical()
		if !ok {
			return body
		}
		switch word, _ := firstWord(line.trim()); word {
		case "define":
			depth++
		case "endef":
			if depth--; depth == 0 {
				return body
			}
		}
		if body != nil {
			body = append(body, span{text: "\n"})
		}
		body = append(body, line...)
		if body == nil {
			body = text{{}}
		}
	}
}
