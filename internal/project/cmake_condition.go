package project

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Conditions of if, elseif and while in CMake. Specification: cmake-commands(7), if, "Condition Syntax". Unlike in
// CMake an answer may be unknown, where a condition asks for the machine, for what a program prints, or for a
// package.

// cmakeCondition evaluates the arguments of if, elseif and while, in the grammar of cmake-commands(7):
//
//	or   = and { "OR" and }
//	and  = not { "AND" not }
//	not  = "NOT" not | test
//	test = "(" or ")" | unary operand | operand [ binary operand ]
type cmakeCondition struct {
	*cmake
	fr    *frame
	in    *invocation
	list  []cmakeOperand
	depth int
	why   string // of what is unknown, the first reason
}

// cmakeOperand is an argument. One without quotes may be a word of the grammar, or the name of a variable.
type cmakeOperand struct {
	text text
	bare bool
}

// condition evaluates the arguments of if, elseif or while. Where the answer is unknown, the text says why.
func (c *cmake) condition(fr *frame, in *invocation) (truth, string) {
	e := &cmakeCondition{cmake: c, fr: fr, in: in}
	for _, a := range in.args {
		t := c.value(fr, a)
		if a.quoting != unquoted {
			e.list = append(e.list, cmakeOperand{t, false})
			continue
		}
		for _, item := range splitList(t) {
			if item.len() > 0 {
				e.list = append(e.list, cmakeOperand{item, true})
			}
		}
	}
	if len(e.list) == 0 {
		return no, "" // what if(${UNSET}) comes to
	}
	v := e.or()
	if len(e.list) > 0 && e.why == "" {
		return unknown, fmt.Sprintf("%q is not understood", clip(e.list[0].text.String()))
	}
	if v == unknown {
		return unknown, e.why
	}
	return v, ""
}

// unknown gives that value, and keeps the reason.
func (e *cmakeCondition) unknown(format string, arguments ...any) truth {
	if e.why == "" {
		e.why = fmt.Sprintf(format, arguments...)
	}
	return unknown
}

// word takes the next operand if it is that word.
func (e *cmakeCondition) word(words ...string) string {
	if len(e.list) == 0 || !e.list[0].bare || e.list[0].text.unknown() {
		return ""
	}
	s := e.list[0].text.String()
	if !slices.Contains(words, s) {
		return ""
	}
	e.list = e.list[1:]
	return s
}

// or has the lowest precedence: cmake-commands(7), if, "Condition Syntax", wants parentheses, unary tests, binary
// tests, NOT, AND, OR in that order.
func (e *cmakeCondition) or() truth {
	v := e.and()
	for e.word("OR") != "" {
		v = v.or(e.and())
	}
	return v
}

// and evaluates both sides always: the operands must be read to find the end of the condition.
func (e *cmakeCondition) and() truth {
	v := e.not()
	for e.word("AND") != "" {
		v = v.and(e.not())
	}
	return v
}

// not keeps an unknown truth unknown.
func (e *cmakeCondition) not() truth {
	negated := false
	for e.word("NOT") != "" {
		negated = !negated
	}
	v := e.test()
	if negated {
		return v.not()
	}
	return v
}

// test evaluates one test: in parentheses, unary, binary, or a single constant or variable.
func (e *cmakeCondition) test() truth {
	if e.word("(") != "" {
		if e.depth++; e.depth > maxConditionDepth {
			e.list = nil
			return e.unknown("parentheses are nested too deep")
		}
		defer func() { e.depth-- }()
		v := e.or()
		if e.word(")") == "" && e.why == "" {
			return e.unknown("a parenthesis is not closed")
		}
		return v
	}
	if len(e.list) == 0 {
		return e.unknown("an operand is missing")
	}
	if test := cmakeUnary[e.list[0].name()]; test != nil && len(e.list) > 1 && !e.followed() {
		x := e.list[1]
		e.list = e.list[2:]
		return test(e, x)
	}
	x := e.list[0]
	e.list = e.list[1:]
	if len(e.list) > 0 {
		if test := cmakeBinary[e.list[0].name()]; test != nil {
			name := e.list[0].name()
			if len(e.list) < 2 {
				e.list = nil
				return e.unknown("an operand is missing after %s", name)
			}
			y := e.list[1]
			e.list = e.list[2:]
			if name == "IN_LIST" || name == "PATH_EQUAL" {
				return test(e, e.resolve(x), y.text)
			}
			return test(e, e.resolve(x), e.resolve(y))
		}
	}
	return e.constant(x)
}

// followed says whether the operand is one of a comparison, whatever it looks like.
func (e *cmakeCondition) followed() bool {
	return len(e.list) > 2 && cmakeBinary[e.list[1].name()] != nil
}

// name gives an operand as the keyword that it may be. A quoted one is none, by policy CMP0054.
func (o cmakeOperand) name() string {
	if o.bare {
		return o.text.String()
	}
	return ""
}

// resolve gives what an operand of a comparison stands for: the variable of that name, if there is one.
func (e *cmakeCondition) resolve(o cmakeOperand) text {
	if o.bare && !o.text.unknown() {
		if v, ok := e.get(e.fr, o.text.String()); ok {
			return v
		}
	}
	return o.text
}

// constant is the value of an operand alone.
func (e *cmakeCondition) constant(o cmakeOperand) truth {
	if o.text.unknown() {
		return e.unknown("%s is not known", clip(o.text.String()))
	}
	s := o.text.String()
	if v, ok := cmakeConstant(s); ok {
		return truthOf(v)
	}
	if !o.bare {
		return no
	}
	t, ok := e.get(e.fr, s)
	switch v, isConstant := cmakeConstant(t.String()); {
	case !ok:
		return no
	case t.unknown():
		return e.unknown("%s is not known", clip(t.String()))
	default:
		return truthOf(v || !isConstant)
	}
}

// cmakeConstant reads the constants for true and false; ok says whether it is one.
func cmakeConstant(s string) (value, ok bool) {
	upper := strings.ToUpper(s)
	switch upper {
	case "1", "ON", "YES", "TRUE", "Y":
		return true, true
	case "0", "OFF", "NO", "FALSE", "N", "IGNORE", "NOTFOUND", "":
		return false, true
	}
	if strings.HasSuffix(upper, "-NOTFOUND") {
		return false, true
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil && strings.IndexByte("+-.0123456789", s[0]) >= 0 {
		return n != 0, true
	}
	return false, false
}

// The tables are filled by functions since what they hold refers to them.
var cmakeUnary, cmakeBinary = unaryTests(), binaryTests()

// unaryTests are by keyword. Of those about files, only what lies in the tree can be answered.
func unaryTests() map[string]func(*cmakeCondition, cmakeOperand) truth {
	never := func(*cmakeCondition, cmakeOperand) truth { return no }
	return map[string]func(*cmakeCondition, cmakeOperand) truth{
		"EXISTS": (*cmakeCondition).exists, "IS_DIRECTORY": (*cmakeCondition).exists,
		"IS_READABLE": (*cmakeCondition).exists, "DEFINED": (*cmakeCondition).defined,
		"TARGET": (*cmakeCondition).target, "COMMAND": (*cmakeCondition).command,
		"POLICY":     func(_ *cmakeCondition, o cmakeOperand) truth { return yes }, // of a CMake that knows them all
		"IS_SYMLINK": never, "TEST": never,
		"IS_ABSOLUTE": func(e *cmakeCondition, o cmakeOperand) truth {
			return e.of(o.text, func(s string) truth { return truthOf(isAbsolute(s)) })
		},
	}
}

// of tests a text, unless it is unknown.
func (e *cmakeCondition) of(t text, test func(s string) truth) truth {
	if t.unknown() {
		return e.unknown("%s is not known", clip(t.String()))
	}
	return test(t.String())
}

// isAbsolute takes the drives of Windows too, whatever system this runs on.
func isAbsolute(s string) bool {
	return strings.HasPrefix(s, "/") || strings.HasPrefix(s, `\`) || len(s) > 1 && s[1] == ':'
}

// isForeign says whether a path has a drive, which no file of this machine has.
func isForeign(p string) bool { return len(p) > 1 && p[1] == ':' && !filepath.IsAbs(p) }

// exists looks a file up. Only what lies in the tree is known.
func (e *cmakeCondition) exists(o cmakeOperand) truth {
	return e.of(o.text, func(s string) truth {
		p := e.tree.Join(e.fr.dir.path, s)
		if isForeign(s) || !e.tree.Within(p) {
			return e.unknown("%s is not in the tree", clip(s))
		}
		_, ok := e.tree.Find(p)
		return truthOf(ok)
	})
}

// defined is true for a variable that is set to nothing. An environment variable that no file sets is unknown, since
// the machine may have it.
func (e *cmakeCondition) defined(o cmakeOperand) truth {
	return e.of(o.text, func(s string) truth {
		if name, ok := strings.CutPrefix(s, "ENV{"); ok {
			if e.env[strings.TrimSuffix(name, "}")] == nil {
				return e.unknown("$%s is not known", clip(s))
			}
			return yes
		}
		if name, ok := strings.CutPrefix(s, "CACHE{"); ok {
			_, ok = e.variables[strings.TrimSuffix(name, "}")]
			return truthOf(ok)
		}
		v, ok := e.get(e.fr, s)
		if ok && len(v) == 1 && v[0].unknown && v[0].text == "${"+s+"}" {
			return e.unknown("%s is not known", clip(s))
		}
		return truthOf(ok)
	})
}

// target says whether a target is declared. A name with :: is one that a package imports (CMP0028), and no package is
// read.
func (e *cmakeCondition) target(o cmakeOperand) truth {
	return e.of(o.text, func(s string) truth {
		if e.targets[s] == nil && strings.Contains(s, "::") {
			return e.unknown("whether there is a target %s is not known", clip(s))
		}
		return truthOf(e.targets[s] != nil)
	})
}

// command says whether there is a command, function or macro of the name.
func (e *cmakeCondition) command(o cmakeOperand) truth {
	return e.of(o.text, func(s string) truth {
		s = strings.ToLower(s)
		return truthOf(e.routines[s] != nil || e.commands[s] != nil || harmless[s])
	})
}

// binaryTests are by keyword. All orders are compared by one table: numbers, version numbers and strings have the
// same five relations.
func binaryTests() map[string]func(*cmakeCondition, text, text) truth {
	table := map[string]func(*cmakeCondition, text, text) truth{
		"MATCHES": (*cmakeCondition).matches, "IN_LIST": (*cmakeCondition).inList,
		"PATH_EQUAL":    (*cmakeCondition).equal,
		"STREQUAL":      (*cmakeCondition).equal,
		"IS_NEWER_THAN": func(e *cmakeCondition, _, _ text) truth { return e.unknown("the age of files is not looked at") },
	}
	for name, relation := range map[string]string{
		"LESS": "<", "GREATER": ">", "EQUAL": "==", "LESS_EQUAL": "<=", "GREATER_EQUAL": ">=",
	} {
		table[name] = cmakeCompared(compareCMakeNumbers, relation)
		table["VERSION_"+name] = cmakeCompared(compareDotted, relation)
		if name != "EQUAL" {
			table["STR"+name] = cmakeCompared(compareTexts, relation)
		}
	}
	return table
}

// cmakeCompared makes a test of an order and what is asked of it. Where there is no order, the test fails.
func cmakeCompared(order func(a, b string) (int, bool), relation string) func(*cmakeCondition, text, text) truth {
	return func(e *cmakeCondition, a, b text) truth {
		if a.unknown() || b.unknown() {
			return e.unknown("%s is not known", clip(unknownOf(a, b)))
		}
		n, ok := order(a.String(), b.String())
		return truthOf(ok && holdsFor(n, relation))
	}
}

// unknownOf gives the first of the texts that is unknown.
func unknownOf(list ...text) string {
	for _, t := range list {
		for _, s := range t {
			if s.unknown {
				return s.text
			}
		}
	}
	return ""
}

// equal compares byte by byte, as STREQUAL does.
func (e *cmakeCondition) equal(a, b text) truth {
	if a.unknown() || b.unknown() {
		return e.unknown("%s is not known", clip(unknownOf(a, b)))
	}
	return truthOf(a.String() == b.String())
}

// inList is true as soon as the item is found, even in a list that is known in part.
func (e *cmakeCondition) inList(a, name text) truth {
	v, _ := e.get(e.fr, name.String())
	found := slices.ContainsFunc(splitList(v), func(t text) bool { return t.String() == a.String() })
	if a.unknown() || name.unknown() || !found && v.unknown() {
		return e.unknown("%s is not known", clip(unknownOf(a, name, v)))
	}
	return truthOf(found)
}

// matches sets CMAKE_MATCH_<n> only where it is true.
func (e *cmakeCondition) matches(a, pattern text) truth {
	if a.unknown() || pattern.unknown() {
		return e.unknown("%s is not known", clip(unknownOf(a, pattern)))
	}
	re, err := cmakeRegexp(pattern.String())
	if err != nil || !e.spend(a.len()) {
		return e.unknown("the expression %q is not understood", clip(pattern.String()))
	}
	at := re.FindStringSubmatchIndex(a.String())
	if at == nil {
		return no
	}
	e.matched(e.fr, a, at)
	return yes
}
