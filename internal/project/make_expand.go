package project

import (
	"path"
	"slices"
	"strings"
)

// Expansion of references in GNU make: the manual, 6.1, 6.3 and 8.1. A reference that is not known stays in the value
// as a piece that says so: the rest of a line of flags still counts.

// expansionWork is what one expansion costs at least, in the terms of maxWork.
const expansionWork = 50

// expand replaces the references to variables and the calls of functions. What can't be known stays as it is written,
// marked as unknown.
//
// Each expansion is paid for by the length of its text and the number of scopes, so that a variable that doubles
// itself ends by the budget.
func (g *gnuMake) expand(t text) text {
	s := t.String()
	if strings.IndexByte(s, '$') < 0 {
		return t
	}
	if g.depth >= maxExpansion {
		g.note(t.place(), "%s is nested too deep", shortened(t))
		return unknownText(t, "it is nested too deep")
	}
	if !g.spend(expansionWork + len(s) + len(t) + 4*len(g.scopes)) {
		return unknownText(t, "it takes too much work")
	}
	g.depth++
	defer func() { g.depth-- }()
	var out text
	c := cursor{text: t}
	for at := 0; at < len(s); {
		i := strings.IndexByte(s[at:], '$')
		if i < 0 || at+i+1 >= len(s) {
			out = append(out, c.slice(at, len(s))...)
			break
		}
		out = append(out, c.slice(at, at+i)...)
		at += i
		end := referenceEnd(s, at)
		if end < 0 { // an error in make
			out = append(out, unknownText(c.slice(at, len(s)), "its parenthesis is not closed")...)
			break
		}
		reference := c.slice(at, end)
		at = end
		if reference[0].unknown {
			out = append(out, reference...)
			continue
		}
		out = append(out, g.reference(reference)...)
	}
	return g.bound(out)
}

// referenceEnd gives where the reference that begins with the "$" at an index ends, -1 where it does not.
//
// Only the same kind of bracket counts for the nesting, as in make: $(subst {,x,$(A)) is whole.
func referenceEnd(s string, at int) int {
	open := s[at+1]
	if open != '(' && open != '{' {
		return at + 2
	}
	shut := byte(')')
	if open == '{' {
		shut = '}'
	}
	depth := 0
	for i := at + 1; i < len(s); i++ {
		switch s[i] {
		case open:
			depth++
		case shut:
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// reference gives what $X, $(NAME), $(NAME:from=to) or $(FUNCTION ...) stands for.
func (g *gnuMake) reference(t text) text {
	s := t.String()
	if s == "$$" {
		return t.slice(1, 2)
	}
	inner := t.slice(1, len(s))
	if s[1] == '(' || s[1] == '{' {
		inner = t.slice(2, len(s)-1)
	}
	word, rest := makeCallOf(inner)
	if f, ok := g.functions[word]; ok {
		if f.raw != nil {
			return g.bound(f.raw(g, rest, t))
		}
		var list []text
		for _, a := range arguments(rest, f.arguments) {
			list = append(list, g.expand(a))
		}
		for len(list) < f.arguments {
			list = append(list, nil)
		}
		return g.bound(f.do(g, list)).from(t)
	}
	name := g.expand(inner)
	n := name.String()
	if i := strings.IndexByte(n, ':'); i > 0 && strings.IndexByte(n[i:], '=') > 0 {
		from, to, _ := strings.Cut(n[i+1:], "=")
		if !strings.Contains(from, "%") {
			from, to = "%"+from, "%"+to
		}
		return g.mapWords(g.variable(n[:i], t), func(w text) text { return substituted(w, from, plain(to)) })
	}
	return g.variable(n, t)
}

// makeCallOf cuts the name of a function from a reference's inner text; "" where it is none.
func makeCallOf(t text) (name string, rest text) {
	s := t.String()
	i := indexOrEnd(s, " ", "\t")
	if i == len(s) {
		return "", nil
	}
	from := i + len(s[i:]) - len(strings.TrimLeft(s[i:], " \t"))
	return s[:i], t.slice(from, len(s))
}

// variable gives the value of a variable, which is empty where it is set nowhere.
func (g *gnuMake) variable(name string, reference text) text {
	v := g.lookup(name)
	if v == nil {
		return g.automaticPart(name, reference)
	}
	if v.simple {
		return v.value.from(reference)
	}
	if slices.Contains(g.active, name) || len(g.active) >= maxExpansion {
		g.note(reference.place(), "$(%s) refers to itself, or is nested too deep: make stops there", name)
		return unknownText(reference, "it refers to itself, or is nested too deep")
	}
	g.active = append(g.active, name)
	value := g.expand(v.value)
	g.active = g.active[:len(g.active)-1]
	return value.from(reference)
}

// automaticPart gives the directories or the names of an automatic variable: $(@D), $(<F).
func (g *gnuMake) automaticPart(name string, reference text) text {
	if len(name) != 2 || g.lookup(name[:1]) == nil {
		return nil
	}
	list := g.variable(name[:1], reference)
	switch name[1] {
	case 'D':
		return g.mapWords(list, func(w text) text { return plain(path.Dir(w.String())) })
	case 'F':
		return g.mapWords(list, func(w text) text { return plain(path.Base(w.String())) })
	}
	return nil
}

// within expands a text with some variables set.
func (g *gnuMake) within(scope map[string]*variable, t text) text {
	g.scopes = append(g.scopes, scope)
	v := g.expand(t)
	g.scopes = g.scopes[:len(g.scopes)-1]
	return v
}
