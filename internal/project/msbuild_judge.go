package project

import (
	"fmt"
	"path"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// Conditions of MSBuild: the evaluation. MSBuild knows true, false and errors; here a third value stands for what
// hangs on the machine or the command line, and a note names the condition.

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

// call answers Exists and HasTrailingSlash. A relative path counts from the project, but in an import from the file
// that says so.
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
	if a == "" && b != "" && relation != "!=" { // "unequal" holds, and what hangs on it is in
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

// relateTruth compares two truths, which can be equal or not but have no order.
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

// equalText compares as == does: booleans by their value (true == on), other text without regard to case.
func equalText(a, b string) bool {
	x, okX := boolean(a)
	y, okY := boolean(b)
	return okX && okY && x == y || strings.EqualFold(a, b)
}
