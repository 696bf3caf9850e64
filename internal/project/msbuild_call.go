package project

import (
	"errors"
	"fmt"
	"strings"
)

// Calls in $(...): of methods of strings and of static members that MSBuild allows. Specification: "Property
// functions" on learn.microsoft.com. What asks for the machine or the clock has no value here, and says why.

// call is what stands in $(...) where that is more than a name: a property or a static member, and what is asked of it
// in turn. $(A.Split('.')[0]) has two steps.
type call struct {
	property string // in lower case; "" for a static member
	steps    []step
}

// step is one member of a string, an index, or, as the first of a static call, a static member.
type step struct {
	name      string // as in functions; "" for an index
	arguments []*template
}

// parseCall reads the inside of $(...). It gives the reason where that can't be read.
//
// The reading stops at the first thing that is no member or index; the reason becomes part of the note.
func (r *reader) parseCall(s string) (*call, string) {
	c := &call{}
	rest := s
	switch {
	case strings.HasPrefix(strings.ToLower(s), "registry:"):
		return nil, "it reads the registry"
	case strings.HasPrefix(s, "["):
		kind, member, ok := strings.Cut(s[1:], "]::")
		if !ok {
			return nil, "it is no call of a function"
		}
		name := strings.ToLower(strings.Trim(kind, white)) + "::"
		rest = r.member(c, name, member)
	default:
		end := indexOrEnd(s, ".", "[")
		c.property, rest = strings.ToLower(strings.Trim(s[:end], white)), s[end:]
		if !isName(c.property) {
			return nil, "it names no property"
		}
	}
	for rest != "" {
		switch {
		case rest[0] == '.':
			rest = r.member(c, ".", rest[1:])
		case rest[0] == '[' && strings.Contains(rest, "]"):
			end := strings.IndexByte(rest, ']')
			c.steps = append(c.steps, step{arguments: []*template{r.compile(plain(rest[1:end]))}})
			rest = rest[end+1:]
		default:
			return nil, "it is no call of a function"
		}
	}
	return c, ""
}

// member reads a name and the arguments after it, and gives what follows.
func (r *reader) member(c *call, prefix, s string) (rest string) {
	end := 0
	for end < len(s) && isWord(s[end]) {
		end++
	}
	st := step{name: prefix + strings.ToLower(s[:end])}
	rest = strings.TrimLeft(s[end:], white)
	if strings.HasPrefix(rest, "(") {
		if end := closing(rest, 0); end > 0 {
			for _, argument := range splitArguments(rest[1:end]) {
				st.arguments = append(st.arguments, r.compile(plain(argument)))
			}
			rest = rest[end+1:]
		}
	}
	c.steps = append(c.steps, st)
	return strings.TrimLeft(rest, white)
}

// splitArguments cuts a list of arguments at its commas and takes the quotes from each.
func splitArguments(s string) []string {
	if strings.Trim(s, white) == "" {
		return nil
	}
	var list []string
	quote, depth, from := byte(0), 0, 0
	add := func(to int) {
		argument := strings.Trim(s[from:to], white)
		if n := len(argument); n > 1 && strings.IndexByte("'\"`", argument[0]) >= 0 && argument[n-1] == argument[0] {
			argument = argument[1 : n-1]
		}
		list = append(list, argument)
		from = to + 1
	}
	for i := range len(s) {
		switch b := s[i]; {
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case strings.IndexByte("'\"`", b) >= 0:
			quote = b
		case b == '(':
			depth++
		case b == ')':
			depth--
		case b == ',' && depth == 0:
			add(i)
		}
	}
	add(len(s))
	return list
}

// called evaluates a call.
func (e *evaluation) called(r *reference, in scope) text {
	var value string
	if r.call.property != "" {
		t := e.value(&reference{at: r.at, sigil: '$', name: r.call.property}, in)
		if t.unknown() {
			return unknownText(r.at, t.why())
		}
		value = t.String()
	}
	value, err := e.run(r.call, value, in)
	if err != nil {
		return unknownText(r.at, err.Error())
	}
	return plain(value).from(r.at)
}

// run takes the steps of a call one after the other. Only Split gives a list, of which an index takes a part.
func (e *evaluation) run(c *call, value string, in scope) (string, error) {
	var list []string
	isList := false
	for i, s := range c.steps {
		arguments, err := e.arguments(s, in)
		switch {
		case err != nil:
			return "", err
		case s.name == "" && isList:
			value, err = indexed(list, arguments[0])
		case s.name == "":
			value, err = character(value, arguments[0])
		case isList:
			return "", errors.New("only an index is read of what Split gives")
		case s.name == ".split":
			list = splitAt(value, arguments)
		default:
			if i > 0 || c.property != "" {
				arguments = append([]string{value}, arguments...)
			}
			value, err = e.apply(s.name, arguments, in)
		}
		if err != nil {
			return "", err
		}
		isList = s.name == ".split"
	}
	if isList {
		return strings.Join(list, ";"), nil
	}
	return value, nil
}

// arguments expands those of one step. One that is unknown makes the whole call unknown.
func (e *evaluation) arguments(s step, in scope) ([]string, error) {
	var list []string
	size := 0
	for _, a := range s.arguments {
		t := e.expand(a, in)
		if t.unknown() {
			return nil, errors.New(t.why())
		}
		value := t.String()
		if size += len(value); size > maxText || !e.spend(size) {
			return nil, errTooLong
		}
		list = append(list, value)
	}
	return list, nil
}

// errTooLong ends calls that would double a value without end.
var errTooLong = errors.New("what it gives is too long")

// apply calls one function.
func (e *evaluation) apply(name string, arguments []string, in scope) (string, error) {
	f, ok := functions[name]
	if !ok {
		return "", errors.New(noFunction(name))
	}
	if len(arguments) < f.least || len(arguments) > f.most {
		return "", fmt.Errorf("%s takes another number of arguments", name)
	}
	value, err := f.call(caller{e, in.element}, arguments)
	if err == nil && (len(value) > maxText || !e.spend(len(value))) {
		err = errTooLong
	}
	return value, err
}

// noFunction says why a function has no value here.
func noFunction(name string) string {
	for _, u := range unanswered {
		if strings.HasPrefix(name, u.prefix) {
			return u.why
		}
	}
	return "the function " + strings.TrimPrefix(name, ".") + " is not known"
}

// unanswered are functions, by the beginning of their names, whose answer does not stand in the tree.
var unanswered = []struct{ prefix, why string }{
	{"system.datetime::", "it asks the clock"},
	{"system.guid::", "it is another in every build"},
	{"system.environment::", "it reads the environment"},
	{"system.io.file::", "it reads a file"},
	{"system.io.directory::", "it reads a directory"},
	{"system.runtime.interopservices.", "it depends on the machine"},
	{"system.text.regularexpressions.", "regular expressions are not evaluated"},
	{"microsoft.build.utilities.", "it depends on what is installed"},
	{"msbuild::getregistry", "it reads the registry"},
	{"msbuild::get", "it depends on what is installed"},
}
