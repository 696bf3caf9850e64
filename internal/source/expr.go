package source

import (
	"strconv"
	"strings"
)

// condition evaluates the expression of an #if. Names that are left after expansion count as 0; what is no expression
// counts as false, and a division by zero as 0.
func condition(toks []token) bool {
	c := &calc{toks: toks}
	return c.ternary(0) != 0
}

// calc is a recursive descent over the precedence of C. depth bounds hostile nesting.
type calc struct {
	toks []token
	i    int
}

const maxNesting = 500

func (c *calc) peek() string {
	if c.i < len(c.toks) {
		return c.toks[c.i].text
	}
	return ""
}

func (c *calc) accept(text string) bool {
	if c.peek() != text {
		return false
	}
	c.i++
	return true
}

func (c *calc) ternary(depth int) int64 {
	cond := c.binary(0, depth)
	if !c.accept("?") || depth > maxNesting {
		return cond
	}
	yes := c.ternary(depth + 1)
	c.accept(":")
	no := c.ternary(depth + 1)
	if cond != 0 {
		return yes
	}
	return no
}

// levels holds the binary operators from the weakest to the strongest.
var levels = [][]string{
	{"||"}, {"&&"}, {"|"}, {"^"}, {"&"}, {"==", "!="}, {"<", ">", "<=", ">="}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"},
}

func (c *calc) binary(level, depth int) int64 {
	if level == len(levels) {
		return c.unary(depth)
	}
	left := c.binary(level+1, depth)
	for {
		op := c.peek()
		if !contains(levels[level], op) {
			return left
		}
		c.i++
		left = operate(op, left, c.binary(level+1, depth))
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func operate(op string, a, b int64) int64 {
	switch op {
	case "||":
		return truth(a != 0 || b != 0)
	case "&&":
		return truth(a != 0 && b != 0)
	case "|":
		return a | b
	case "^":
		return a ^ b
	case "&":
		return a & b
	case "==":
		return truth(a == b)
	case "!=":
		return truth(a != b)
	case "<":
		return truth(a < b)
	case ">":
		return truth(a > b)
	case "<=":
		return truth(a <= b)
	case ">=":
		return truth(a >= b)
	case "<<":
		return a << (uint64(b) & 63)
	case ">>":
		return a >> (uint64(b) & 63)
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/", "%":
		return divide(op, a, b)
	}
	return 0
}

func divide(op string, a, b int64) int64 {
	switch {
	case b == 0:
		return 0
	case op == "/":
		return a / b
	}
	return a % b
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (c *calc) unary(depth int) int64 {
	if depth > maxNesting || c.i >= len(c.toks) {
		c.i = len(c.toks)
		return 0
	}
	t := c.toks[c.i]
	c.i++
	switch {
	case t.text == "!":
		return truth(c.unary(depth+1) == 0)
	case t.text == "-":
		return -c.unary(depth + 1)
	case t.text == "~":
		return ^c.unary(depth + 1)
	case t.text == "+":
		return c.unary(depth + 1)
	case t.text == "(":
		v := c.ternary(depth + 1)
		c.accept(")")
		return v
	case t.kind == number:
		return integer(t.text)
	case t.kind == char:
		return character(t.text)
	case t.text == "true":
		return 1
	}
	if t.kind == ident && c.peek() == "(" { // a call of a macro that is not known
		c.skipGroup()
	}
	return 0
}

func (c *calc) skipGroup() {
	depth := 0
	for ; c.i < len(c.toks); c.i++ {
		switch c.toks[c.i].text {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				c.i++
				return
			}
		}
	}
}

// integer reads a number with C's prefixes and suffixes; 0 where it is none.
func integer(s string) int64 {
	v, _ := parseInteger(s)
	return int64(v)
}

func parseInteger(s string) (uint64, bool) {
	s = strings.ToLower(strings.ReplaceAll(s, "'", ""))
	s = strings.TrimSuffix(strings.TrimSuffix(s, "i64"), "i32")
	s = strings.TrimRight(s, "ul")
	if strings.HasPrefix(s, "0") && len(s) > 1 && isDigit(s[1]) {
		s = "0o" + s[1:]
	}
	v, err := strconv.ParseUint(s, 0, 64)
	return v, err == nil
}

// character gives the value of a character constant; of several characters, as MSVC packs them.
func character(s string) int64 {
	s = strings.TrimPrefix(strings.Trim(s[strings.IndexByte(s, '\''):], "'"), "L")
	if len(s) == 2 && s[0] == '\\' {
		if i := strings.IndexByte("0abfnrtv", s[1]); i >= 0 {
			return int64([]byte{0, 7, 8, 12, 10, 13, 9, 11}[i])
		}
		return int64(s[1])
	}
	var v int64
	for i := 0; i < len(s); i++ {
		v = v<<8 | int64(s[i])
	}
	return v
}
