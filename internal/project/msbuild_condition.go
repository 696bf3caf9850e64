package project

import (
	"errors"
	"fmt"
	"strings"
)

// Conditions of MSBuild: the reader. They are read once and evaluated for each configuration. Specification: "MSBuild
// conditions" on learn.microsoft.com.

// Limits on one condition.
const (
	maxCondition      = 64 << 10 // bytes
	maxConditionDepth = 100      // of parentheses and negations
)

// condition is a Condition attribute, read once for all evaluations, in the grammar of MSBuild:
//
//	or      = and { "or" and }
//	and     = not { "and" not }
//	not     = "!" not | compare
//	compare = operand [ ( "==" | "!=" | "<" | ">" | "<=" | ">=" ) operand ]
//	operand = "(" or ")" | quoted | bare | name "(" or ")"
type condition struct {
	text string
	root *node
	why  string // it can't be read
}

// node is a part of a condition: an operator with its operands, the call of a function, or a text.
type node struct {
	operator string // "or", "and", "!", a relation, the name of a function, "" for a text
	operands []*node
	text     *template
}

// conditionReader reads the text of a condition.
type conditionReader struct {
	*reader
	text  string
	at    int
	depth int
}

// parseCondition reads a condition, once for all configurations. One that can not be read keeps the reason.
func (r *reader) parseCondition(s string) *condition {
	c := &condition{text: s}
	if strings.Trim(s, white) == "" {
		return c
	}
	if len(s) > maxCondition || !r.spend(referenceWork(s)) {
		c.why = "the condition is too long"
		return c
	}
	p := &conditionReader{reader: r, text: s}
	root, err := p.or()
	if p.skip(); err == nil && p.at < len(s) {
		err = fmt.Errorf("unexpected %q", s[p.at:])
	}
	if err != nil {
		c.why = err.Error()
	}
	c.root = root
	return c
}

// skip passes over white space.
func (c *conditionReader) skip() {
	for c.at < len(c.text) && strings.IndexByte(white, c.text[c.at]) >= 0 {
		c.at++
	}
}

// accept takes a symbol, or a word without regard to case, if it stands next.
func (c *conditionReader) accept(symbol string) bool {
	c.skip()
	rest := c.text[c.at:]
	if len(rest) < len(symbol) || !strings.EqualFold(rest[:len(symbol)], symbol) {
		return false
	}
	if isWord(symbol[0]) && len(rest) > len(symbol) && isWord(rest[len(symbol)]) {
		return false
	}
	c.at += len(symbol)
	return true
}

// isWord says whether a byte may stand in the name of a property, function or keyword.
func isWord(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}

// or binds weaker than and: MSBuild conditions, "Conditions".
func (c *conditionReader) or() (*node, error) { return c.chain("or", c.and) }

// and binds stronger than or.
func (c *conditionReader) and() (*node, error) { return c.chain("and", c.not) }

// chain reads operands between the same operator, from the left.
func (c *conditionReader) chain(operator string, next func() (*node, error)) (*node, error) {
	first, err := next()
	if err != nil || !c.accept(operator) {
		return first, err
	}
	n := &node{operator: operator, operands: []*node{first}}
	for {
		operand, err := next()
		if err != nil {
			return nil, err
		}
		if n.operands = append(n.operands, operand); !c.accept(operator) {
			return n, nil
		}
	}
}

// not may be repeated; how often is bounded, like parentheses.
func (c *conditionReader) not() (*node, error) {
	c.depth++
	defer func() { c.depth-- }()
	if c.depth > maxConditionDepth {
		return nil, errors.New("the condition is nested too deep")
	}
	if c.skip(); !strings.HasPrefix(c.text[c.at:], "!=") && c.accept("!") {
		operand, err := c.not()
		return &node{operator: "!", operands: []*node{operand}}, err
	}
	return c.compare()
}

// relations holds the longer operators first, as they begin with the shorter ones.
var relations = []string{"==", "!=", "<=", ">=", "<", ">"}

// compare reads one comparison, or an operand alone, which must be a boolean then.
func (c *conditionReader) compare() (*node, error) {
	a, err := c.operand()
	if err != nil {
		return nil, err
	}
	for _, relation := range relations {
		if c.accept(relation) {
			b, err := c.operand()
			return &node{operator: relation, operands: []*node{a, b}}, err
		}
	}
	return a, nil
}

// operand reads a text in quotes or none, a call, or a condition in parentheses.
//
// A text without quotes may be a number, a boolean, a property or an item list. MSBuild wants quotes around all else.
func (c *conditionReader) operand() (*node, error) {
	c.skip()
	if c.at == len(c.text) {
		return nil, errors.New("the condition ends too early")
	}
	switch b := c.text[c.at]; {
	case b == '(':
		return c.parenthesised()
	case b == '\'':
		return c.quoted()
	case (b == '$' || b == '%' || b == '@') && strings.HasPrefix(c.text[c.at+1:], "("):
		end := closing(c.text, c.at+1)
		if end < 0 {
			return nil, fmt.Errorf("%q is not closed", c.text[c.at:])
		}
		from := c.at
		c.at = end + 1
		return c.template(from, c.at), nil
	}
	from := c.at
	for c.at < len(c.text) && (isWord(c.text[c.at]) || strings.IndexByte("+-.", c.text[c.at]) >= 0) {
		c.at++
	}
	if from == c.at {
		return nil, fmt.Errorf("unexpected %q", c.text[c.at:])
	}
	word := c.text[from:c.at]
	if c.skip(); strings.HasPrefix(c.text[c.at:], "(") {
		return c.call(word)
	}
	return &node{text: &template{text: plain(word)}}, nil
}

// template compiles the text between two offsets.
func (c *conditionReader) template(from, to int) *node {
	return &node{text: c.compile(plain(c.text[from:to]))}
}

// quoted takes '...'. A quote inside $(...) belongs to the argument of a function there.
func (c *conditionReader) quoted() (*node, error) {
	from := c.at + 1
	for at := from; at < len(c.text); at++ {
		switch {
		case c.text[at] == '\'':
			c.at = at + 1
			return c.template(from, at), nil
		case strings.HasPrefix(c.text[at:], "$(") || strings.HasPrefix(c.text[at:], "@("):
			if end := closing(c.text, at+1); end > 0 {
				at = end
			}
		}
	}
	return nil, fmt.Errorf("%q is not closed", c.text[c.at:])
}

// parenthesised reads a condition in parentheses.
func (c *conditionReader) parenthesised() (*node, error) {
	c.accept("(")
	n, err := c.or()
	if err == nil && !c.accept(")") {
		err = errors.New("a parenthesis is not closed")
	}
	return &node{operator: "(", operands: []*node{n}}, err
}

// call reads Exists(...) or HasTrailingSlash(...), the functions that conditions have besides those of properties.
func (c *conditionReader) call(function string) (*node, error) {
	c.accept("(")
	argument, err := c.operand()
	if err == nil && !c.accept(")") {
		err = fmt.Errorf("%s( is not closed", function)
	}
	return &node{operator: strings.ToLower(function), operands: []*node{argument}}, err
}
