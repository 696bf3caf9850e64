package project

import (
	"slices"
	"strings"
)

// What generator expressions give, by name.

// genexFunctions are the generator expressions whose arguments are evaluated first: cmake-generator-expressions(7). The
// value is not ok where the expression can't be known. The table reaches the evaluator by its field functions, since
// its own entries evaluate expressions too.
var genexFunctions = map[string]func(*genex, []text) (text, bool){
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

	"STREQUAL":              genexCompared(compareTexts, "=="),
	"EQUAL":                 genexCompared(compareCMakeNumbers, "=="),
	"VERSION_EQUAL":         genexCompared(compareDotted, "=="),
	"VERSION_LESS":          genexCompared(compareDotted, "<"),
	"VERSION_GREATER":       genexCompared(compareDotted, ">"),
	"VERSION_LESS_EQUAL":    genexCompared(compareDotted, "<="),
	"VERSION_GREATER_EQUAL": genexCompared(compareDotted, ">="),

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

// anyOf makes an expression that says whether one of its arguments is a value.
func anyOf(value func(*genex) string) func(*genex, []text) (text, bool) {
	return func(g *genex, args []text) (text, bool) {
		return flag(slices.ContainsFunc(args, func(t text) bool { return strings.EqualFold(t.String(), value(g)) })), true
	}
}

// genexCompared makes an expression that compares two arguments. What is no number or version holds for nothing.
func genexCompared(order func(a, b string) (int, bool), relation string) func(*genex, []text) (text, bool) {
	return func(_ *genex, args []text) (text, bool) {
		if len(args) != 2 || args[0].unknown() || args[1].unknown() {
			return nil, false
		}
		n, ok := order(args[0].String(), args[1].String())
		return flag(ok && holdsFor(n, relation)), true
	}
}

// isFlag: the logical expressions take 0 and 1 alone, and are an error in CMake for anything else.
func isFlag(t text) bool { return t.String() == "0" || t.String() == "1" }

// allFlags is 1 where all arguments are a value.
func allFlags(args []text, value string) (text, bool) {
	known := !slices.ContainsFunc(args, func(t text) bool { return !isFlag(t) })
	return flag(!slices.ContainsFunc(args, func(t text) bool { return t.String() != value })), known
}

// objectsOf begins what $<TARGET_OBJECTS:...> gives.
const objectsOf = "\x00objects of "
