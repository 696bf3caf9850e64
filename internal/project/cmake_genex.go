package project

import (
	"strconv"
	"strings"
)

// Generator expressions, which CMake evaluates after all files are read, once for each target, language and
// configuration. Specification: cmake-generator-expressions(7). They are balanced by themselves: $< opens and >
// closes.

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
//
// The condition forms $<1:...> and $<0:...> come first, since most expressions are evaluated down to them.
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

// flag writes a truth as generator expressions do, 0 or 1; they know no other.
func flag(b bool) text { return plain(strconv.Itoa(map[bool]int{true: 1}[b])) }

// compilerName is the compiler of Visual Studio: no other builds with the kit by default, and its name is what
// drivers compare with.
func compilerName(*genex) string { return "MSVC" }

// languageName is that of CMake, CXX for C++.
func (g *genex) languageName() string {
	if g.language == CXX {
		return "CXX"
	}
	return "C"
}

// configuration is the build type, which Release stands for where the project sets none.
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
