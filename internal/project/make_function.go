package project

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// expansionWork is what one expansion costs at least, in the terms of maxWork.
const expansionWork = 50

// expand replaces the references to variables and the calls of functions. What can't be known stays as it is written,
// marked as unknown.
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

// arguments cuts at commas outside of parentheses and braces, into at most n parts; into all for 0.
func arguments(t text, n int) []text {
	s, depth, from := t.String(), 0, 0
	var list []text
	c := cursor{text: t}
	for i := range len(s) {
		switch s[i] {
		case '(', '{':
			depth++
		case ')', '}':
			depth--
		case ',':
			if depth == 0 && (n == 0 || len(list) < n-1) {
				list = append(list, c.slice(from, i))
				from = i + 1
			}
		}
	}
	return append(list, c.slice(from, len(s)))
}

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

// wordFunctions give a word for a word.
var wordFunctions = map[string]func(w string) string{
	"dir": func(w string) string {
		if i := strings.LastIndexAny(w, `/\`); i >= 0 {
			return w[:i+1]
		}
		return "./"
	},
	"notdir":   func(w string) string { return w[strings.LastIndexAny(w, `/\`)+1:] },
	"suffix":   path.Ext,
	"basename": func(w string) string { return strings.TrimSuffix(w, path.Ext(w)) },
}

// mapWords changes each word. One that is unknown stays as it is; one that becomes empty is left out.
func (g *gnuMake) mapWords(t text, change func(w text) text) text {
	var list []text
	for _, w := range words(t) {
		if !g.spend(w.len()) {
			return nil
		}
		if !w.unknown() {
			w = change(w).from(w)
		}
		if w.len() > 0 {
			list = append(list, w)
		}
	}
	return joinWords(list)
}

func (g *gnuMake) subst(a []text) text {
	from, count := a[0].String(), 1
	if from != "" {
		count += strings.Count(a[2].String(), from)
	}
	if from == "" || !g.spend(count*(a[1].len()+len(a[1]))) {
		return a[2]
	}
	return a[2].replace(from, a[1])
}

func (g *gnuMake) patsubst(a []text) text {
	from := a[0].trim().String()
	return g.mapWords(a[2], func(w text) text { return substituted(w, from, a[1].trim()) })
}

// substituted changes a word that matches a pattern.
func substituted(w text, from string, to text) text {
	stem, ok := matched(from, w.String())
	if !ok {
		return w
	}
	i := strings.IndexByte(to.String(), '%')
	if i < 0 || !strings.Contains(from, "%") {
		return to
	}
	at := strings.IndexByte(from, '%')
	return slices.Concat(to.slice(0, i), w.slice(at, at+len(stem)), to.slice(i+1, to.len()))
}

// matched gives what "%" in a pattern stands for.
func matched(pattern, s string) (stem string, ok bool) {
	before, after, wild := strings.Cut(pattern, "%")
	if !wild {
		return "", pattern == s
	}
	if len(s) < len(before)+len(after) || !strings.HasPrefix(s, before) || !strings.HasSuffix(s, after) {
		return "", false
	}
	return s[len(before) : len(s)-len(after)], true
}

func (g *gnuMake) findstring(a []text) text {
	switch {
	case strings.Contains(a[1].String(), a[0].String()):
		return a[0]
	case a[1].unknown():
		return unknownText(a[1], a[1].why())
	}
	return nil
}

// filter keeps the words that match a pattern, or those that do not. A word that is unknown is kept.
func (g *gnuMake) filter(a []text, keep bool) text {
	patterns, exact := []string{}, map[string]bool{}
	for _, p := range words(a[0]) {
		if s := p.String(); strings.Contains(s, "%") {
			patterns = append(patterns, s)
		} else {
			exact[s] = true
		}
	}
	return g.mapWords(a[1], func(w text) text {
		g.spend(len(patterns))
		is := exact[w.String()] || slices.ContainsFunc(patterns, func(p string) bool {
			_, ok := matched(p, w.String())
			return ok
		})
		if is == keep {
			return w
		}
		return nil
	})
}

func (g *gnuMake) sort(a []text) text {
	list := words(a[0])
	slices.SortStableFunc(list, func(x, y text) int { return strings.Compare(x.String(), y.String()) })
	return joinWords(slices.CompactFunc(list, func(x, y text) bool { return x.String() == y.String() }))
}

// wordList gives the words from one number to another, from 1.
func wordList(from, to, t text) text {
	i, err1 := strconv.Atoi(from.trim().String())
	j, err2 := strconv.Atoi(to.trim().String())
	list := words(t)
	if err1 != nil || err2 != nil || i < 1 || i > len(list) || j < i {
		return nil
	}
	return joinWords(list[i-1 : min(j, len(list))])
}

func (g *gnuMake) lastword(a []text) text {
	list := words(a[0])
	return joinWords(list[max(0, len(list)-1):])
}

func (g *gnuMake) affixed(before, list, after text) text {
	return g.mapWords(list, func(w text) text {
		g.spend(before.len() + after.len())
		return slices.Concat(before, w, after)
	})
}

func (g *gnuMake) pairWords(a []text) text {
	x, y := words(a[0]), words(a[1])
	var list []text
	for i := range max(len(x), len(y)) {
		var w text
		if i < len(x) {
			w = append(w, x[i]...)
		}
		if i < len(y) {
			w = append(w, y[i]...)
		}
		list = append(list, w)
	}
	return joinWords(list)
}

// wildcard gives the files of the tree that match. Outside of what was named nothing is looked up.
func (g *gnuMake) wildcard(rest, reference text) text {
	var list []text
	for _, w := range words(g.expand(rest)) {
		if w.unknown() || !g.tree.Within(g.tree.Join(g.dir, patternBase(w.String()))) {
			return unknownText(reference, "it looks outside of what was named")
		}
		for _, p := range g.glob(w.String()) {
			list = append(list, plain(p))
		}
	}
	return joinWords(list).from(reference)
}

// patternBase gives the directory of a pattern that has no wildcard itself.
func patternBase(pattern string) string {
	i := strings.IndexAny(pattern, "*?[")
	if i < 0 {
		return pattern
	}
	return path.Dir(pattern[:i] + "x")
}

// glob gives the files that match a pattern, in the pattern's spelling of the directory.
func (g *gnuMake) glob(pattern string) []string {
	pattern = strings.ReplaceAll(pattern, `\`, "/")
	base := patternBase(pattern)
	if base == pattern {
		if _, ok := g.tree.Find(g.tree.Join(g.dir, pattern)); ok {
			return []string{pattern}
		}
		return nil
	}
	dir := g.tree.Join(g.dir, base)
	if !g.tree.Within(dir) {
		return nil
	}
	rest := strings.TrimPrefix(path.Clean(pattern), strings.TrimSuffix(path.Clean(base), "/")+"/")
	var found []string
	for _, p := range g.walk(dir) {
		name := strings.TrimPrefix(p, dir+"/")
		if ok, _ := path.Match(rest, name); ok {
			found = append(found, strings.TrimSuffix(pattern, rest)+name)
		}
	}
	return found
}

// walk gives the files below a directory; it is paid for each time.
func (g *gnuMake) walk(dir string) []string {
	files, ok := g.walked[dir]
	if !ok {
		files, _ = g.tree.Walk(dir) // one that is not there holds no file
		g.walked[dir] = files
	}
	g.spend(10 * len(files))
	return files
}

func (g *gnuMake) abspath(a []text) text {
	return g.mapWords(a[0], func(w text) text { return plain(absolute(g.dir, w.String())) })
}

// absolute gives a path as make's abspath does.
func absolute(dir, name string) string {
	name = strings.ReplaceAll(name, `\`, "/")
	if !path.IsAbs(name) && !isDrive(name, 1) {
		name = path.Join(dir, name)
	}
	if path.IsAbs(name) || isDrive(name, 1) {
		return path.Clean(name)
	}
	return slashDirectory(path.Join(name, "x"))
}

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

func (g *gnuMake) orFunction(rest, _ text) text {
	for _, a := range arguments(rest, 0) {
		if v := g.expand(a.trim()); len(v) > 0 {
			return v
		}
	}
	return nil
}

func (g *gnuMake) andFunction(rest, _ text) text {
	var v text
	for _, a := range arguments(rest, 0) {
		if v = g.expand(a.trim()); len(v) == 0 {
			return nil
		}
	}
	return v
}

// within expands a text with some variables set.
func (g *gnuMake) within(scope map[string]*variable, t text) text {
	g.scopes = append(g.scopes, scope)
	v := g.expand(t)
	g.scopes = g.scopes[:len(g.scopes)-1]
	return v
}

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

func (g *gnuMake) valueOf(a []text) text {
	if v := g.lookup(a[0].trim().String()); v != nil {
		return v.value
	}
	return nil
}

func (g *gnuMake) origin(a []text) text {
	if v := g.lookup(a[0].trim().String()); v != nil {
		return plain(v.origin)
	}
	return plain("undefined")
}

func (g *gnuMake) flavor(a []text) text {
	switch v := g.lookup(a[0].trim().String()); {
	case v == nil:
		return plain("undefined")
	case v.simple:
		return plain("simple")
	}
	return plain("recursive")
}

func (g *gnuMake) failure(rest, reference text) text {
	g.note(reference.place(), "make stops here with an error: %s; what follows is read all the same", shortened(g.expand(rest)))
	return nil
}

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
