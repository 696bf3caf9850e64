package project

import (
	"fmt"
	"strings"
)

// Conditionals of GNU make: the manual, chapter 7. They are evaluated as lines are read, before any rule.

// conditionals are read in lines that are skipped, too: they nest.
var conditionals = map[string]bool{"ifeq": true, "ifneq": true, "ifdef": true, "ifndef": true, "else": true, "endif": true}

// isRead says whether lines in open conditionals are read. What stands in one that is not read is not read either.
func isRead(open []branch) bool { return len(open) == 0 || open[len(open)-1].read }

// maxConditionals bounds how deep conditionals are nested.
const maxConditionals = 2000

// conditional keeps account of ifeq and its like, else and endif.
func (g *gnuMake) conditional(open []branch, word string, rest text) ([]branch, error) {
	outer := open
	if word == "else" && len(open) > 0 {
		outer = open[:len(open)-1]
	}
	reading := isRead(outer)
	switch {
	case word != "else" && word != "endif":
		if len(open) >= maxConditionals {
			return open, fmt.Errorf("line %d: %s nested too deep", rest.place().Line, word)
		}
		read := reading && g.test(word, rest)
		return append(open, branch{read: read, taken: read, at: append(plain(word+" "), rest...)}), nil
	case len(open) == 0:
		g.note(rest.place(), "%s without an ifeq is left out", word)
		return open, nil
	case word == "endif":
		return open[:len(open)-1], nil
	}
	b := &open[len(open)-1]
	b.read = reading && !b.taken
	if test, operand := firstWord(rest); b.read && test != "" {
		b.read = g.test(test, operand)
	}
	b.taken = b.taken || b.read
	return open, nil
}

// test evaluates a condition. A comparison with something unknown is noted, and read as of two that differ.
//
// Reading an unknown comparison as different takes the default of most files, which compare with the name of another
// system or compiler.
func (g *gnuMake) test(word string, operands text) bool {
	if word == "ifdef" || word == "ifndef" {
		v := g.lookup(g.expand(operands).trim().String())
		return (v != nil && len(v.value.trim()) > 0) == (word == "ifdef")
	}
	left, right, ok := compared(operands)
	if !ok {
		g.note(operands.place(), "%s %s can't be read; it is read as false", word, operands)
		return false
	}
	a, b := g.expand(left).trim(), g.expand(right).trim()
	if a.unknown() || b.unknown() {
		g.note(operands.place(), "the condition %s %s is unknown; what it compares is read as different", word, shortened(operands))
		return word == "ifneq"
	}
	return (a.String() == b.String()) == (word == "ifeq")
}

// compared gives the operands of ifeq: (a,b) or two in quotes.
func compared(t text) (left, right text, ok bool) {
	s := t.String()
	if strings.HasPrefix(s, "(") {
		end := strings.LastIndexByte(s, ')')
		parts := arguments(t.slice(1, max(end, 1)), 2)
		if end < 0 || len(parts) != 2 {
			return nil, nil, false
		}
		return parts[0].trim(), parts[1].trim(), true
	}
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return nil, nil, false
	}
	i := strings.IndexByte(s[1:], s[0])
	rest := t.slice(max(i, 0)+2, len(s)).trim()
	if r := rest.String(); i >= 0 && len(r) > 1 && (r[0] == '"' || r[0] == '\'') && r[len(r)-1] == r[0] {
		return t.slice(1, i+1), rest.slice(1, len(r)-1), true
	}
	return nil, nil, false
}
