package project

import (
	"strconv"
)

// Functions of GNU make: the manual, chapter 8. Those of words and of files are in files of their own.

// function is one of make's. do gets its arguments expanded, raw as they are written.
type makeFunction struct {
	arguments int
	do        func(g *gnuMake, a []text) text
	raw       func(g *gnuMake, rest, reference text) text
}

// gnuFunctions are those of the manual's chapter 8.
func gnuFunctions() map[string]makeFunction {
	table := map[string]makeFunction{
		"subst":      {arguments: 3, do: (*gnuMake).subst},
		"patsubst":   {arguments: 3, do: (*gnuMake).patsubst},
		"strip":      {arguments: 1, do: func(_ *gnuMake, a []text) text { return joinWords(words(a[0])) }},
		"findstring": {arguments: 2, do: (*gnuMake).findstring},
		"filter":     {arguments: 2, do: func(g *gnuMake, a []text) text { return g.filter(a, true) }},
		"filter-out": {arguments: 2, do: func(g *gnuMake, a []text) text { return g.filter(a, false) }},
		"sort":       {arguments: 1, do: (*gnuMake).sort},
		"word":       {arguments: 2, do: func(_ *gnuMake, a []text) text { return wordList(a[0], a[0], a[1]) }},
		"wordlist":   {arguments: 3, do: func(_ *gnuMake, a []text) text { return wordList(a[0], a[1], a[2]) }},
		"words":      {arguments: 1, do: func(_ *gnuMake, a []text) text { return plain(strconv.Itoa(len(words(a[0])))) }},
		"firstword":  {arguments: 1, do: func(_ *gnuMake, a []text) text { return wordList(plain("1"), plain("1"), a[0]) }},
		"lastword":   {arguments: 1, do: (*gnuMake).lastword},
		"addsuffix":  {arguments: 2, do: func(g *gnuMake, a []text) text { return g.affixed(nil, a[1], a[0]) }},
		"addprefix":  {arguments: 2, do: func(g *gnuMake, a []text) text { return g.affixed(a[0], a[1], nil) }},
		"join":       {arguments: 2, do: (*gnuMake).pairWords},
		"wildcard":   {raw: (*gnuMake).wildcard},
		"abspath":    {arguments: 1, do: (*gnuMake).abspath},
		"realpath":   {arguments: 1, do: (*gnuMake).abspath},
		"if":         {raw: (*gnuMake).ifFunction},
		"or":         {raw: (*gnuMake).orFunction},
		"and":        {raw: (*gnuMake).andFunction},
		"foreach":    {raw: (*gnuMake).foreach},
		"call":       {raw: (*gnuMake).call},
		"eval":       {arguments: 1, do: (*gnuMake).eval},
		"shell":      {raw: (*gnuMake).shell},
		"value":      {arguments: 1, do: (*gnuMake).valueOf},
		"origin":     {arguments: 1, do: (*gnuMake).origin},
		"flavor":     {arguments: 1, do: (*gnuMake).flavor},
		"info":       {arguments: 1, do: func(*gnuMake, []text) text { return nil }},
		"warning":    {arguments: 1, do: func(*gnuMake, []text) text { return nil }},
		"error":      {raw: (*gnuMake).failure},
	}
	for name, change := range wordFunctions {
		table[name] = makeFunction{arguments: 1, do: func(g *gnuMake, a []text) text {
			return g.mapWords(a[0], func(w text) text { return plain(change(w.String())) })
		}}
	}
	return table
}

// ifFunction takes an unknown condition for true: it is most often a path that a command prints, which is not empty.
func (g *gnuMake) ifFunction(rest, reference text) text {
	list := arguments(rest, 3)
	condition := g.expand(list[0].trim())
	if condition.unknown() {
		g.note(reference.place(), "the condition of %s is unknown; it is read as true", shortened(reference))
	}
	switch {
	case len(condition) > 0 && len(list) > 1:
		return g.expand(list[1])
	case len(condition) == 0 && len(list) > 2:
		return g.expand(list[2])
	}
	return nil
}

// orFunction stops at the first argument that is not empty; the others are not expanded (manual, "Functions for
// Conditionals").
func (g *gnuMake) orFunction(rest, _ text) text {
	for _, a := range arguments(rest, 0) {
		if v := g.expand(a.trim()); len(v) > 0 {
			return v
		}
	}
	return nil
}

// andFunction gives the last argument, if none is empty.
func (g *gnuMake) andFunction(rest, _ text) text {
	var v text
	for _, a := range arguments(rest, 0) {
		if v = g.expand(a.trim()); len(v) == 0 {
			return nil
		}
	}
	return v
}

// foreach expands its text once for each word.
func (g *gnuMake) foreach(rest, reference text) text {
	list := arguments(rest, 3)
	if len(list) < 3 {
		return unknownText(reference, "it has too few arguments")
	}
	name := g.expand(list[0]).trim().String()
	var parts []text
	for _, w := range words(g.expand(list[1])) {
		if !g.spend(0) {
			return nil
		}
		parts = append(parts, g.within(map[string]*variable{name: {value: w, simple: true, origin: "automatic"}}, list[2]))
	}
	return g.bound(joinWords(parts))
}

// call expands a variable with its arguments as $(1), $(2) and so on; a function of make may stand in its place
// (manual, "The call Function").
func (g *gnuMake) call(rest, reference text) text {
	scope := map[string]*variable{}
	var name string
	for i, a := range arguments(rest, 0) {
		v := g.expand(a)
		if i == 0 {
			v = v.trim()
			name = v.String()
		}
		scope[strconv.Itoa(i)] = &variable{value: v, simple: true, origin: "automatic"}
	}
	for i := len(scope); g.lookup(strconv.Itoa(i)) != nil; i++ { // those of a call around it are none of this one
		scope[strconv.Itoa(i)] = &variable{simple: true, origin: "automatic"}
	}
	if f, ok := g.functions[name]; ok && f.do != nil { // $(call FUNCTION,...)
		var list []text
		for i := 1; i <= f.arguments; i++ {
			var a text
			if v := scope[strconv.Itoa(i)]; v != nil {
				a = v.value
			}
			list = append(list, a)
		}
		return f.do(g, list).from(reference)
	}
	v := g.lookup(name)
	if v == nil {
		return nil
	}
	return g.within(scope, v.value).from(reference)
}

// maxEvals bounds the texts that a make file gives make to read.
const maxEvals = 10_000

// eval reads its text as lines of a make file, which may declare rules and variables. It expands to nothing.
func (g *gnuMake) eval(a []text) text {
	if g.evals >= maxEvals {
		g.note(a[0].place(), "more than %d $(eval ...); the rest is left out", maxEvals)
		return nil
	}
	g.evals++
	if err := g.run(a[0]); err != nil && err != errWork {
		g.note(a[0].place(), "$(eval ...) can't be read: %v", err)
	}
	return nil
}

// valueOf is $(value NAME): the variable as written.
func (g *gnuMake) valueOf(a []text) text {
	if v := g.lookup(a[0].trim().String()); v != nil {
		return v.value
	}
	return nil
}

// origin says where a variable was set; files test it for default or undefined to allow another compiler.
func (g *gnuMake) origin(a []text) text {
	if v := g.lookup(a[0].trim().String()); v != nil {
		return plain(v.origin)
	}
	return plain("undefined")
}

// flavor says by which kind of assignment a variable was set.
func (g *gnuMake) flavor(a []text) text {
	switch v := g.lookup(a[0].trim().String()); {
	case v == nil:
		return plain("undefined")
	case v.simple:
		return plain("simple")
	}
	return plain("recursive")
}

// failure is $(error ...). It is read on, since it most often asks for a tool or variable that the machine here needs
// not have.
func (g *gnuMake) failure(rest, reference text) text {
	g.note(reference.place(), "make stops here with an error: %s; what follows is read all the same", shortened(g.expand(rest)))
	return nil
}
