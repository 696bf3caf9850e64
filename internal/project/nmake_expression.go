package project

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Expressions of !IF: "Expressions in makefile preprocessing" of the NMAKE reference. Numbers and strings have
// relations of their own; a mix of the two is an error.

// expression evaluates what stands after !if in a SOURCES file, macros expanded already:
//
//	or      = and { "||" and }
//	and     = compare { "&&" compare }
//	compare = operand [ ( "==" | "!=" | "<" | ">" | "<=" | ">=" ) operand ]
//	operand = "!" operand | "(" or ")" | number | "string" | "defined" "(" name ")" | "exist" "(" path ")"
type expression struct {
	text    string
	at      int
	depth   int
	defined func(name string) bool
	exists  func(path string) bool
}

// value is a number or a string.
type value struct {
	number   int64
	text     string
	isString bool
}

// truth takes every number but 0 for true.
func (v value) truth() truth { return truthOf(v.number != 0) }

// numberOf gives 1 for true and 0 for false; conditions are numbers in nmake.
func numberOf(t truth) value { return value{number: int64(t)} }

// evalExpression gives the value of an expression and, where that is unknown, why.
func evalExpression(s string, defined, exists func(string) bool) (truth, string) {
	if len(s) > maxCondition {
		return unknown, "the expression is too long"
	}
	e := &expression{text: s, defined: defined, exists: exists}
	v, err := e.or()
	if e.skip(); err == nil && e.at < len(s) {
		err = fmt.Errorf("unexpected %q", s[e.at:])
	}
	if err == nil && v.isString {
		err = fmt.Errorf("%q is no number", v.text)
	}
	if err != nil {
		return unknown, err.Error()
	}
	return v.truth(), ""
}

// skip passes over white space.
func (e *expression) skip() {
	for e.at < len(e.text) && strings.IndexByte(white, e.text[e.at]) >= 0 {
		e.at++
	}
}

func (e *expression) accept(symbol string) bool {
	e.skip()
	rest := e.text[e.at:]
	if len(rest) < len(symbol) || !strings.EqualFold(rest[:len(symbol)], symbol) {
		return false
	}
	e.at += len(symbol)
	return true
}

// or is || of nmake; both sides are evaluated.
func (e *expression) or() (value, error) {
	v, err := e.and()
	for err == nil && e.accept("||") {
		var w value
		w, err = e.and()
		v = numberOf(v.truth().or(w.truth()))
	}
	return v, err
}

// and is && of nmake.
func (e *expression) and() (value, error) {
	v, err := e.compare()
	for err == nil && e.accept("&&") {
		var w value
		w, err = e.compare()
		v = numberOf(v.truth().and(w.truth()))
	}
	return v, err
}

// compare reads one relation, or an operand alone.
func (e *expression) compare() (value, error) {
	v, err := e.operand()
	for _, relation := range relations {
		if err == nil && e.accept(relation) {
			var w value
			if w, err = e.operand(); err == nil {
				return relate(v, relation, w)
			}
		}
	}
	return v, err
}

// relate compares two numbers or two strings. Of strings nmake knows == and != only.
func relate(v value, relation string, w value) (value, error) {
	if v.isString != w.isString {
		return value{}, errors.New("a string is compared with a number")
	}
	order := 0
	switch {
	case v.isString:
		order = strings.Compare(v.text, w.text)
	case v.number < w.number:
		order = -1
	case v.number > w.number:
		order = 1
	}
	holds := map[string]bool{"==": order == 0, "!=": order != 0, "<": order < 0, ">": order > 0, "<=": order <= 0, ">=": order >= 0}
	return numberOf(truthOf(holds[relation])), nil
}

// operand reads a number, a string, a test or an expression in parentheses.
func (e *expression) operand() (value, error) {
	e.depth++
	defer func() { e.depth-- }()
	if e.depth > maxConditionDepth {
		return value{}, errors.New("the expression is nested too deep")
	}
	e.skip()
	rest := e.text[e.at:]
	switch {
	case rest == "":
		return value{}, errors.New("the expression ends too early")
	case e.accept("!"):
		v, err := e.operand()
		return numberOf(v.truth().not()), err
	case e.accept("("):
		v, err := e.or()
		if err == nil && !e.accept(")") {
			err = errors.New("a parenthesis is not closed")
		}
		return v, err
	case rest[0] == '"':
		return e.quoted()
	}
	return e.word()
}

// quoted reads a string; the quotes are no part of it.
func (e *expression) quoted() (value, error) {
	end := strings.IndexByte(e.text[e.at+1:], '"')
	if end < 0 {
		return value{}, fmt.Errorf("%s is not closed", e.text[e.at:])
	}
	v := value{text: e.text[e.at+1 : e.at+1+end], isString: true}
	e.at += end + 2
	return v, nil
}

// word reads DEFINED(name), EXIST(path), or a number.
func (e *expression) word() (value, error) {
	from := e.at
	for e.at < len(e.text) && isWord(e.text[e.at]) {
		e.at++
	}
	word := e.text[from:e.at]
	calls := map[string]func(string) bool{"defined": e.defined, "exist": e.exists}
	if call := calls[strings.ToLower(word)]; call != nil && e.accept("(") {
		end := strings.IndexByte(e.text[e.at:], ')')
		if end < 0 {
			return value{}, fmt.Errorf("%s( is not closed", word)
		}
		argument := strings.Trim(e.text[e.at:e.at+end], `" `)
		e.at += end + 1
		return numberOf(truthOf(call(argument))), nil
	}
	n, err := strconv.ParseInt(word, 0, 64)
	if err != nil {
		return value{}, fmt.Errorf("%q is no number", e.text[from:])
	}
	return value{number: n}, nil
}
