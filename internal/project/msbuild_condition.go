package project

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// truth is the value of a condition. An unknown one is never taken for false without a note.
type truth int

const (
	no truth = iota
	yes
	unknown
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (a truth) not() truth {
	switch a {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

func (a truth) and(b truth) truth {
	switch {
	case a == no || b == no:
		return no
	case a == yes && b == yes:
		return yes
	}
	return unknown
}

func (a truth) or(b truth) truth { return a.not().and(b.not()).not() }

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

func isWord(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}

func (c *conditionReader) or() (*node, error) { return c.chain("or", c.and) }

func (c *conditionReader) and() (*node, error) { return c.chain("and", c.not) }

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

func (c *conditionReader) parenthesised() (*node, error) {
	c.accept("(")
	n, err := c.or()
	if err == nil && !c.accept(")") {
		err = errors.New("a parenthesis is not closed")
	}
	return &node{operator: "(", operands: []*node{n}}, err
}

func (c *conditionReader) call(function string) (*node, error) {
	c.accept("(")
	argument, err := c.operand()
	if err == nil && !c.accept(")") {
		err = fmt.Errorf("%s( is not closed", function)
	}
	return &node{operator: strings.ToLower(function), operands: []*node{argument}}, err
}

// judge evaluates a condition once.
type judge struct {
	*evaluation
	in  scope
	why string // of the first unknown part
}

// eval gives the value of a condition and, where that is unknown, why. An empty condition is true.
func (c *condition) eval(e *evaluation, in scope) (truth, string) {
	switch {
	case c.why != "":
		return unknown, c.why
	case c.root == nil:
		return yes, ""
	}
	j := &judge{evaluation: e, in: in}
	if v := j.truth(c.root); v != unknown {
		return v, ""
	}
	return unknown, j.why
}

// truth evaluates a node. The right operand of "and" and "or" counts only if the left one leaves the matter open.
func (j *judge) truth(n *node) truth {
	switch n.operator {
	case "":
		return j.boolean(n)
	case "(":
		return j.truth(n.operands[0])
	case "!":
		return j.truth(n.operands[0]).not()
	case "and", "or":
		v := j.truth(n.operands[0])
		for _, operand := range n.operands[1:] {
			switch {
			case n.operator == "and" && v != no:
				v = v.and(j.truth(operand))
			case n.operator == "or" && v != yes:
				v = v.or(j.truth(operand))
			}
		}
		return v
	case "==", "!=", "<", ">", "<=", ">=":
		return j.relate(n.operands[0], n.operator, n.operands[1])
	}
	return j.call(n)
}

// operand gives the text of a node that is one. An unknown one keeps the reason.
func (j *judge) operand(n *node) (s string, ok bool) {
	if n.text.parts == nil {
		return n.text.text.String(), true
	}
	if s, ok = j.known(n.text); ok {
		return s, true
	}
	t := j.expand(n.text, j.in)
	if t.unknown() {
		j.dunno(fmt.Sprintf("%q: %s", n.text.text, t.why()))
		return "", false
	}
	return t.String(), true
}

func (j *judge) call(n *node) truth {
	argument := n.operands[0]
	if argument.operator != "" {
		return j.dunno(n.operator + "() of no text")
	}
	s, ok := j.operand(argument)
	switch {
	case !ok:
		return unknown
	case n.operator == "exists":
		dir := path.Dir(j.project)
		if el := j.in.element; el != nil && (el.key == "import" || el.key == "importgroup") {
			dir = path.Dir(el.file.path) // only there MSBuild looks beside the file that says so
		}
		return truthOf(j.exists(dir, s))
	case n.operator == "hastrailingslash":
		return truthOf(strings.HasSuffix(s, "/") || strings.HasSuffix(s, `\`))
	}
	return j.dunno("function " + n.operator + " is not known")
}

// dunno gives unknown and keeps the first reason.
func (j *judge) dunno(why string) truth {
	if j.why == "" {
		j.why = why
	}
	return unknown
}

// boolean gives an operand that stands for itself: true, on, yes, !false and the like.
func (j *judge) boolean(n *node) truth {
	s, ok := j.operand(n)
	if !ok {
		return unknown
	}
	v, ok := boolean(s)
	if !ok {
		return j.dunno(fmt.Sprintf("%q is neither true nor false", s))
	}
	return truthOf(v)
}

// question is what a condition asked of a property that had no value.
type question struct {
	reference, value string
	at               driver.Place
}

// unset keeps a property without a value that is compared with one: it may be meant for the command line, as in
// "msbuild /p:Flavor=win7", and what hangs on it is then in no build that is read.
func (j *judge) unset(n *node, value string) {
	parts := n.text.parts
	if len(parts) != 1 || parts[0].ref == nil || parts[0].ref.sigil != '$' || parts[0].ref.call != nil {
		return
	}
	name := parts[0].ref.name
	if j.in.element == nil {
		return
	}
	_, kit := kitProperties[name]
	if _, asked := j.asked[name]; !asked && !kit && j.properties[name] == nil && !strings.HasPrefix(name, "solution") {
		j.asked[name] = question{parts[0].ref.at.String(), value, j.in.element.place()}
	}
}

// relate compares as MSBuild does: as numbers if both are, then as booleans, then as text without regard to case.
func (j *judge) relate(x *node, relation string, y *node) truth {
	if x.operator != "" || y.operator != "" {
		return j.relateTruth(j.truth(x), relation, j.truth(y))
	}
	a, okA := j.operand(x)
	b, okB := j.operand(y)
	if !okA || !okB {
		return unknown // operand has kept the reason
	}
	if a == "" && b != "" {
		j.unset(x, b)
	}
	order, ordered := compareNumbers(a, b)
	switch relation {
	case "==", "!=":
		equal := ordered && order == 0 || !ordered && equalText(a, b)
		return truthOf(equal == (relation == "=="))
	}
	if !ordered {
		order, ordered = compareVersions(a, b)
	}
	if !ordered {
		return j.dunno(fmt.Sprintf("%q %s %q compares no numbers", a, relation, b))
	}
	return truthOf(holdsFor(order, relation))
}

func holdsFor(order int, relation string) bool {
	switch relation {
	case "<":
		return order < 0
	case ">":
		return order > 0
	case "<=":
		return order <= 0
	}
	return order >= 0
}

func (j *judge) relateTruth(a truth, relation string, b truth) truth {
	switch {
	case a == unknown || b == unknown:
		return unknown
	case relation == "==":
		return truthOf(a == b)
	case relation == "!=":
		return truthOf(a != b)
	}
	return j.dunno("true and false have no order")
}

func boolean(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "true", "on", "yes", "!false", "!off", "!no":
		return true, true
	case "false", "off", "no", "!true", "!on", "!yes":
		return false, true
	}
	return false, false
}

func equalText(a, b string) bool {
	x, okX := boolean(a)
	y, okY := boolean(b)
	return okX && okY && x == y || strings.EqualFold(a, b)
}

func compareNumbers(a, b string) (order int, ok bool) {
	x, okX := number(a)
	y, okY := number(b)
	switch {
	case !okX || !okY:
		return 0, false
	case x < y:
		return -1, true
	case x > y:
		return 1, true
	}
	return 0, true
}

// number reads a decimal or a 0x number.
func number(s string) (float64, bool) {
	if len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') {
		n, err := strconv.ParseUint(s[2:], 16, 32)
		return float64(n), err == nil
	}
	if s == "" || strings.Trim(s, "+-.0123456789") != "" { // nor "inf", "1e9", "1_0", which ParseFloat takes
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

func compareVersions(a, b string) (order int, ok bool) {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(x), len(y)) {
		p, q := "0", "0"
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		if order, ok = compareNumbers(p, q); !ok || order != 0 {
			return order, ok
		}
	}
	return 0, true
}
