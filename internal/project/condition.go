package project

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
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

// condition evaluates the text of a Condition attribute, in the grammar of MSBuild:
//
//	or      = and { "or" and }
//	and     = not { "and" not }
//	not     = "!" not | compare
//	compare = operand [ ( "==" | "!=" | "<" | ">" | "<=" | ">=" ) operand ]
//	operand = "(" or ")" | quoted | bare | name "(" or ")"
type condition struct {
	text   string
	at     int
	depth  int
	expand func(string) text
	exists func(path string) bool
	why    string // of the first unknown part
}

// operand is a text to compare, or the truth of what stood in parentheses or of a function.
type operand struct {
	text    string
	unknown bool
	truth   *truth
}

// evalCondition gives the value of a condition and, where that is unknown, why. An empty condition is true.
func evalCondition(s string, expand func(string) text, exists func(string) bool) (truth, string) {
	if strings.Trim(s, white) == "" {
		return yes, ""
	}
	if len(s) > maxCondition {
		return unknown, "the condition is too long"
	}
	c := &condition{text: s, expand: expand, exists: exists}
	v, err := c.or()
	if c.skip(); err == nil && c.at < len(s) {
		err = fmt.Errorf("unexpected %q", s[c.at:])
	}
	if err != nil {
		return unknown, err.Error()
	}
	if v != unknown {
		return v, ""
	}
	return unknown, c.why
}

func (c *condition) skip() {
	for c.at < len(c.text) && strings.IndexByte(white, c.text[c.at]) >= 0 {
		c.at++
	}
}

// accept takes a symbol, or a word without regard to case, if it stands next.
func (c *condition) accept(symbol string) bool {
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

func (c *condition) or() (truth, error) {
	v, err := c.and()
	for err == nil && c.accept("or") {
		var w truth
		w, err = c.and()
		v = v.or(w)
	}
	return v, err
}

func (c *condition) and() (truth, error) {
	v, err := c.not()
	for err == nil && c.accept("and") {
		var w truth
		w, err = c.not()
		v = v.and(w)
	}
	return v, err
}

func (c *condition) not() (truth, error) {
	c.depth++
	defer func() { c.depth-- }()
	if c.depth > maxConditionDepth {
		return unknown, errors.New("the condition is nested too deep")
	}
	if c.skip(); !strings.HasPrefix(c.text[c.at:], "!=") && c.accept("!") {
		v, err := c.not()
		return v.not(), err
	}
	return c.compare()
}

// relations holds the longer operators first, as they begin with the shorter ones.
var relations = []string{"==", "!=", "<=", ">=", "<", ">"}

func (c *condition) compare() (truth, error) {
	a, err := c.operand()
	if err != nil {
		return unknown, err
	}
	for _, relation := range relations {
		if c.accept(relation) {
			b, err := c.operand()
			if err != nil {
				return unknown, err
			}
			return c.relate(a, relation, b), nil
		}
	}
	return c.truth(a), nil
}

func (c *condition) operand() (operand, error) {
	c.skip()
	if c.at == len(c.text) {
		return operand{}, errors.New("the condition ends too early")
	}
	switch b := c.text[c.at]; {
	case b == '(':
		return c.parenthesised("")
	case b == '\'':
		return c.quoted()
	case (b == '$' || b == '%' || b == '@') && strings.HasPrefix(c.text[c.at+1:], "("):
		end := closing(c.text, c.at+1)
		if end < 0 {
			return operand{}, fmt.Errorf("%q is not closed", c.text[c.at:])
		}
		reference := c.text[c.at : end+1]
		c.at = end + 1
		return c.expanded(reference), nil
	}
	word := c.word()
	if word == "" {
		return operand{}, fmt.Errorf("unexpected %q", c.text[c.at:])
	}
	if c.skip(); strings.HasPrefix(c.text[c.at:], "(") {
		return c.parenthesised(word)
	}
	return operand{text: word}, nil
}

// word takes a bare operand: a name, a number or a version.
func (c *condition) word() string {
	from := c.at
	for c.at < len(c.text) && (isWord(c.text[c.at]) || strings.IndexByte("+-.", c.text[c.at]) >= 0) {
		c.at++
	}
	return c.text[from:c.at]
}

// quoted takes '...'. A quote inside $(...) belongs to the argument of a function there.
func (c *condition) quoted() (operand, error) {
	from := c.at + 1
	for at := from; at < len(c.text); at++ {
		switch {
		case c.text[at] == '\'':
			c.at = at + 1
			return c.expanded(c.text[from:at]), nil
		case strings.HasPrefix(c.text[at:], "$(") || strings.HasPrefix(c.text[at:], "@("):
			if end := closing(c.text, at+1); end > 0 {
				at = end
			}
		}
	}
	return operand{}, fmt.Errorf("%q is not closed", c.text[c.at:])
}

func (c *condition) expanded(s string) operand {
	t := c.expand(s)
	if t.unknown() && c.why == "" {
		c.why = fmt.Sprintf("%q can't be evaluated", s)
	}
	return operand{text: t.String(), unknown: t.unknown()}
}

// parenthesised takes (...), or the argument of a function.
func (c *condition) parenthesised(function string) (operand, error) {
	c.accept("(")
	if function == "" {
		v, err := c.or()
		if err == nil && !c.accept(")") {
			err = errors.New("a parenthesis is not closed")
		}
		return operand{truth: &v}, err
	}
	argument, err := c.operand()
	if err == nil && !c.accept(")") {
		err = fmt.Errorf("%s( is not closed", function)
	}
	if err != nil {
		return operand{}, err
	}
	v := c.call(function, argument)
	return operand{truth: &v}, nil
}

func (c *condition) call(function string, argument operand) truth {
	switch {
	case argument.unknown || argument.truth != nil:
		return c.dunno(function + "() of an unknown argument")
	case strings.EqualFold(function, "Exists"):
		return truthOf(argument.text != "" && c.exists(argument.text))
	case strings.EqualFold(function, "HasTrailingSlash"):
		return truthOf(strings.HasSuffix(argument.text, "/") || strings.HasSuffix(argument.text, `\`))
	}
	return c.dunno("function " + function + " is not known")
}

// dunno gives unknown and keeps the first reason.
func (c *condition) dunno(why string) truth {
	if c.why == "" {
		c.why = why
	}
	return unknown
}

// truth gives an operand that stands for itself: true, on, yes, !false and the like.
func (c *condition) truth(o operand) truth {
	if o.truth != nil {
		return *o.truth
	}
	v, ok := boolean(o.text)
	if o.unknown || !ok {
		return c.dunno(fmt.Sprintf("%q is neither true nor false", o.text))
	}
	return truthOf(v)
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

// relate compares as MSBuild does: as numbers if both are, then as booleans, then as text without regard to case.
func (c *condition) relate(a operand, relation string, b operand) truth {
	if a.truth != nil || b.truth != nil {
		return c.relateTruth(c.truth(a), relation, c.truth(b))
	}
	if a.unknown || b.unknown {
		return unknown // expanded has kept the reason
	}
	order, ordered := compareNumbers(a.text, b.text)
	switch relation {
	case "==", "!=":
		equal := ordered && order == 0 || !ordered && equalText(a.text, b.text)
		return truthOf(equal == (relation == "=="))
	}
	if !ordered {
		order, ordered = compareVersions(a.text, b.text)
	}
	if !ordered {
		return c.dunno(fmt.Sprintf("%q %s %q compares no numbers", a.text, relation, b.text))
	}
	switch relation {
	case "<":
		return truthOf(order < 0)
	case ">":
		return truthOf(order > 0)
	case "<=":
		return truthOf(order <= 0)
	}
	return truthOf(order >= 0)
}

func (c *condition) relateTruth(a truth, relation string, b truth) truth {
	switch {
	case a == unknown || b == unknown:
		return unknown
	case relation == "==":
		return truthOf(a == b)
	case relation == "!=":
		return truthOf(a != b)
	}
	return c.dunno("true and false have no order")
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
	if digits, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		n, err := strconv.ParseUint(digits, 16, 32)
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

// maxReference bounds one $(...); the longest in real projects, calls of functions, have some 200 bytes.
const maxReference = 1024

// referenceWork bounds what it takes to find the references in a text.
func referenceWork(s string) int { return len(s) + strings.Count(s, "(")*min(len(s), maxReference) }

// closing gives the index of the parenthesis that closes the one at open, -1 where there is none. Parentheses in
// quoted arguments do not count.
func closing(s string, open int) int {
	depth, quote := 0, byte(0)
	for i := open; i < min(len(s), open+maxReference); i++ {
		switch b := s[i]; {
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case b == '\'' || b == '"' || b == '`':
			quote = b
		case b == '(':
			depth++
		case b == ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}
