package project

import (
	"slices"
	"strconv"
	"strings"
)

// genex evaluates generator expressions, $<...>, for one target and language.
type genex struct {
	*cmake
	target   *cmakeTarget
	language Language
	linking  bool // what stands in $<LINK_ONLY:...> counts
	depth    int
	unknown  []text // expressions that can't be evaluated; they are left out
}

// eval replaces the expressions in a text.
func (g *genex) eval(t text) text {
	s := t.String()
	if !strings.Contains(s, "$<") {
		return t
	}
	if g.depth >= maxNesting || !g.spend(len(s)+spanWork*len(t)) {
		g.unknown = append(g.unknown, t)
		return nil
	}
	g.depth++
	defer func() { g.depth-- }()
	var out text
	for at := 0; at < len(s); {
		i := strings.Index(s[at:], "$<")
		if i < 0 {
			return append(out, t.slice(at, len(s))...)
		}
		out = append(out, t.slice(at, at+i)...)
		open := at + i + len("$<")
		end := closingAngle(s, open)
		if end < 0 {
			return append(out, t.slice(at+i, len(s))...)
		}
		out = append(out, g.expression(t.slice(open, end))...)
		at = end + 1
	}
	return out
}

// closingAngle gives the index of the > that closes an expression, -1 where there is none.
func closingAngle(s string, at int) int {
	for depth := 1; at < len(s); at++ {
		switch {
		case strings.HasPrefix(s[at:], "$<"):
			depth++
		case s[at] == '>':
			if depth--; depth == 0 {
				return at
			}
		}
	}
	return -1
}

// cutAngle cuts a text at the first separator that stands in no expression.
func cutAngle(t text, separator byte) (before, after text, found bool) {
	s := t.String()
	for depth, at := 0, 0; at < len(s); at++ {
		switch {
		case strings.HasPrefix(s[at:], "$<"):
			depth++
		case s[at] == '>' && depth > 0:
			depth--
		case s[at] == separator && depth == 0:
			return t.slice(0, at), t.slice(at+1, len(s)), true
		}
	}
	return t, nil, false
}

// expression evaluates what stands between $< and >.
func (g *genex) expression(t text) text {
	head, rest, parameters := cutAngle(t, ':')
	name := g.eval(head).String()
	switch {
	case name == "1" && parameters:
		return g.eval(rest)
	case name == "0" && parameters:
		return nil
	}
	if v, ok := genexWords[name]; ok && !parameters {
		return plain(v)
	}
	if do, ok := genexPass[name]; ok {
		if do(g) {
			return g.eval(rest)
		}
		return nil
	}
	if do := g.functions[name]; do != nil {
		var args []text
		for more := parameters; more; {
			var arg text
			arg, rest, more = cutAngle(rest, ',')
			if args = append(args, g.eval(arg)); len(args) > maxNesting {
				break
			}
		}
		if v, ok := do(g, args); ok {
			return v
		}
	}
	g.unknown = append(g.unknown, t)
	return nil
}

// genexWords are expressions without parameters.
var genexWords = map[string]string{
	"COMMA": ",", "SEMICOLON": ";", "QUOTE": `"`, "ANGLE-R": ">", "CONFIG": "Release", "CONFIGURATION": "Release",
	"PLATFORM_ID": "Windows", "C_COMPILER_ID": "MSVC", "CXX_COMPILER_ID": "MSVC", "C_COMPILER_FRONTEND_VARIANT": "MSVC",
	"CXX_COMPILER_FRONTEND_VARIANT": "MSVC",
}

// genexPass are expressions that give their content, or nothing.
var genexPass = map[string]func(*genex) bool{
	"BUILD_INTERFACE":       func(*genex) bool { return true },
	"BUILD_LOCAL_INTERFACE": func(*genex) bool { return true },
	"INSTALL_INTERFACE":     func(*genex) bool { return false },
	"LINK_ONLY":             func(g *genex) bool { return g.linking },
	"COMPILE_ONLY":          func(g *genex) bool { return !g.linking },
	"HOST_LINK":             func(*genex) bool { return true },
	"DEVICE_LINK":           func(*genex) bool { return false },
}

// anyOf makes an expression that says whether one of its arguments is a value.
func anyOf(value func(*genex) string) func(*genex, []text) (text, bool) {
	return func(g *genex, args []text) (text, bool) {
		return flag(slices.ContainsFunc(args, func(t text) bool { return strings.EqualFold(t.String(), value(g)) })), true
	}
}

func flag(b bool) text { return plain(strconv.Itoa(map[bool]int{true: 1}[b])) }

func compilerName(*genex) string { return "MSVC" }

func (g *genex) languageName() string {
	if g.language == CXX {
		return "CXX"
	}
	return "C"
}

// genexTable gives the expressions whose arguments are evaluated first.
func genexTable() map[string]func(*genex, []text) (text, bool) {
	table := map[string]func(*genex, []text) (text, bool){
		"CONFIG":                        anyOf((*genex).configuration),
		"PLATFORM_ID":                   anyOf(func(*genex) string { return "Windows" }),
		"C_COMPILER_ID":                 anyOf(compilerName),
		"CXX_COMPILER_ID":               anyOf(compilerName),
		"C_COMPILER_FRONTEND_VARIANT":   anyOf(compilerName),
		"CXX_COMPILER_FRONTEND_VARIANT": anyOf(compilerName),
		"COMPILE_LANGUAGE":              anyOf((*genex).languageName),
		"LINK_LANGUAGE":                 anyOf((*genex).languageName),
		"COMPILE_LANG_AND_ID": func(g *genex, args []text) (text, bool) {
			if len(args) < 2 || args[0].String() != g.languageName() {
				return flag(false), true
			}
			return anyOf(compilerName)(g, args[1:])
		},
		"BOOL": func(_ *genex, args []text) (text, bool) {
			t := joinTexts(args, plain(","))
			v, constant := cmakeConstant(t.String())
			return flag(v || !constant), !t.unknown()
		},
		"NOT": func(_ *genex, args []text) (text, bool) {
			return flag(len(args) == 1 && args[0].String() == "0"), len(args) == 1 && isFlag(args[0])
		},
		"AND": func(_ *genex, args []text) (text, bool) { return allFlags(args, "1") },
		"OR": func(_ *genex, args []text) (text, bool) {
			v, ok := allFlags(args, "0")
			return flag(v.String() == "0"), ok
		},
		"IF": func(_ *genex, args []text) (text, bool) {
			if len(args) != 3 || !isFlag(args[0]) {
				return nil, false
			}
			return args[1+map[string]int{"0": 1}[args[0].String()]], true
		},
		"IN_LIST": func(_ *genex, args []text) (text, bool) {
			if len(args) != 2 {
				return nil, false
			}
			return flag(textSet(splitList(args[1]))[args[0].String()]), !args[1].unknown()
		},
		"TARGET_EXISTS": func(g *genex, args []text) (text, bool) {
			return flag(len(args) == 1 && g.targets[args[0].String()] != nil), true
		},
		"TARGET_NAME_IF_EXISTS": func(g *genex, args []text) (text, bool) {
			if len(args) == 1 && g.targets[args[0].String()] != nil {
				return args[0], true
			}
			return nil, true
		},
		"TARGET_NAME":     func(_ *genex, args []text) (text, bool) { return joinTexts(args, plain(",")), true },
		"TARGET_PROPERTY": (*genex).property,
		"LOWER_CASE": func(_ *genex, args []text) (text, bool) {
			return recased(joinTexts(args, plain(",")), strings.ToLower), true
		},
		"UPPER_CASE": func(_ *genex, args []text) (text, bool) {
			return recased(joinTexts(args, plain(",")), strings.ToUpper), true
		},
		"GENEX_EVAL": func(g *genex, args []text) (text, bool) { return g.eval(joinTexts(args, plain(","))), true },
		"TARGET_GENEX_EVAL": func(g *genex, args []text) (text, bool) {
			return g.eval(joinTexts(args[min(1, len(args)):], plain(","))), true
		},
		"JOIN": func(_ *genex, args []text) (text, bool) {
			if len(args) < 2 {
				return nil, false
			}
			return joinTexts(splitList(args[0]), joinTexts(args[1:], plain(","))), true
		},
		"REMOVE_DUPLICATES": func(_ *genex, args []text) (text, bool) {
			return joinList(uniqueTexts(splitList(joinTexts(args, plain(","))))), true
		},
		"FILTER": func(_ *genex, args []text) (text, bool) {
			if len(args) != 3 {
				return nil, false
			}
			re, err := cmakeRegexp(args[2].String())
			if err != nil {
				return nil, false
			}
			keep := args[1].String() == "INCLUDE"
			return joinList(slices.DeleteFunc(splitList(args[0]), func(t text) bool {
				return re.MatchString(t.String()) != keep
			})), true
		},
		// Marked for the reader of sources: the bytes can't stand in a build file's text.
		"TARGET_OBJECTS": func(_ *genex, args []text) (text, bool) {
			return slices.Concat(plain(objectsOf), joinTexts(args, plain(","))), true
		},
	}
	for name, order := range map[string]func(a, b string) (int, bool){
		"STREQUAL": func(a, b string) (int, bool) { return strings.Compare(a, b), true },
		"EQUAL":    compareCMakeNumbers, "VERSION_EQUAL": compareDotted,
	} {
		table[name] = genexCompared(order, func(n int) bool { return n == 0 })
	}
	for name, test := range map[string]func(n int) bool{
		"LESS": func(n int) bool { return n < 0 }, "GREATER": func(n int) bool { return n > 0 },
		"LESS_EQUAL": func(n int) bool { return n <= 0 }, "GREATER_EQUAL": func(n int) bool { return n >= 0 },
	} {
		table["VERSION_"+name] = genexCompared(compareDotted, test)
	}
	return table
}

// objectsOf begins what $<TARGET_OBJECTS:...> gives.
const objectsOf = "\x00objects of "

func genexCompared(order func(a, b string) (int, bool), test func(int) bool) func(*genex, []text) (text, bool) {
	return func(_ *genex, args []text) (text, bool) {
		if len(args) != 2 || args[0].unknown() || args[1].unknown() {
			return nil, false
		}
		n, ok := order(args[0].String(), args[1].String())
		return flag(ok && test(n)), true
	}
}

func isFlag(t text) bool { return t.String() == "0" || t.String() == "1" }

// allFlags is 1 where all arguments are a value.
func allFlags(args []text, value string) (text, bool) {
	known := !slices.ContainsFunc(args, func(t text) bool { return !isFlag(t) })
	return flag(!slices.ContainsFunc(args, func(t text) bool { return t.String() != value })), known
}

func (g *genex) configuration() string { return g.buildType() }

// property is $<TARGET_PROPERTY:property> or $<TARGET_PROPERTY:target,property>.
func (g *genex) property(args []text) (text, bool) {
	t := g.target
	if len(args) == 2 {
		t = g.targets[args[0].String()]
	}
	if t == nil || len(args) == 0 {
		return nil, false
	}
	v, _ := t.property(args[len(args)-1].String())
	return g.eval(v), true
}
