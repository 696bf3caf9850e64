package project

import (
	"strings"
)

// Arguments of commands: references are replaced, escapes resolved, and those that are not quoted are cut at
// semicolons. Specification: cmake-language(7), "Command Arguments". Each step is paid for, since a few lines can
// double a value without end.

// evaluate gives the arguments of a command.
//
// An unquoted argument gives one argument for each item of the list that it holds, and none where it is empty; a
// quoted or bracketed one always gives one.
func (c *cmake) evaluate(fr *frame, in *invocation) []text {
	var list []text
	for _, a := range in.args {
		t := c.value(fr, a)
		if a.quoting == unquoted {
			for _, item := range splitList(t) {
				if item.len() > 0 {
					list = append(list, item)
				}
			}
		} else {
			list = append(list, t)
		}
		if len(list) > maxItems {
			c.note(fr, in.file.place(in.at), "%s has more than %d arguments; the rest is left out", in.name, maxItems)
			break
		}
	}
	return list
}

// value gives an argument with its references replaced.
func (c *cmake) value(fr *frame, a cmakeArgument) text {
	if a.quoting == bracketed || strings.IndexByte(a.text.text, '$') < 0 && strings.IndexByte(a.text.text, '\\') < 0 {
		c.spend(len(a.text.text))
		if a.text.text == "" {
			return nil
		}
		return text{a.text}
	}
	e := &expander{cmake: c, fr: fr, from: a.text}
	t, _ := e.until(0, 0)
	if !c.affords(t) {
		c.note(fr, a.text.file.place(a.at), "the value is too long; it is not known")
		return text{{text: clip(a.text.text), file: a.text.file, at: a.text.at, fixed: true, unknown: true}}
	}
	return t
}

// affords pays for a value, and says whether it is one that is kept.
func (c *cmake) affords(t text) bool {
	n := t.len()
	return c.spend(n+spanWork*len(t)) && n <= maxText && len(t) <= maxPieces
}

// expander replaces what stands in one argument.
type expander struct {
	*cmake
	fr   *frame
	from span
	size int
}

// until replaces references and escapes from an index on: to the brace that closes a reference, where depth is not
// 0, else to the end. It gives the index after that, -1 where there is no such brace.
func (e *expander) until(at, depth int) (text, int) {
	s := e.from.text
	var out text
	from := at
	flush := func(to int) { out = append(out, part(e.from, from, to)...) }
	for at < len(s) {
		switch {
		case s[at] == '}' && depth > 0:
			flush(at)
			return out, at + 1
		case s[at] == '\\' && at+1 < len(s):
			flush(at)
			var t text
			t, at = e.escape(at)
			out, from = append(out, t...), at
		case s[at] == '$':
			if kind, open := referenceAt(s, at); open > 0 && depth < maxNesting {
				if name, next := e.until(open, depth+1); next > 0 {
					flush(at)
					out = append(out, e.reference(kind, name, at)...)
					at, from = next, next
					continue
				}
				if depth > 0 {
					return nil, -1
				}
				flush(len(s)) // there is no brace in the rest
				return out, len(s)
			}
			at++
		default:
			at++
		}
	}
	if depth > 0 {
		return nil, -1
	}
	flush(len(s))
	return out, len(s)
}

// referenceAt says which reference begins at a dollar sign, and where its name does.
func referenceAt(s string, at int) (kind string, open int) {
	for _, kind := range []string{"${", "$ENV{", "$CACHE{"} {
		if strings.HasPrefix(s[at:], kind) {
			return kind, at + len(kind)
		}
	}
	return "", 0
}

// escape gives what a backslash and the byte after it stand for. "\;" stays as it is: lists are split later.
//
// Specification: cmake-language(7), "Escape Sequences".
func (e *expander) escape(at int) (text, int) {
	s := e.from.text
	switch b := s[at+1]; {
	case strings.IndexByte("ntr", b) >= 0:
		t := part(e.from, at, at+1)
		t[0].text = map[byte]string{'n': "\n", 't': "\t", 'r': "\r"}[b]
		return t, at + 2
	case b == '\n':
		return nil, at + 2
	case b == '\r' && at+2 < len(s) && s[at+2] == '\n':
		return nil, at + 3
	case b == ';' || isWord(b):
		return part(e.from, at, at+2), at + 2
	}
	return part(e.from, at+1, at+2), at + 2
}

// reference gives what ${name}, $ENV{name} or $CACHE{name} stands for. A variable of the environment that no file
// sets is unknown; any other one is empty.
func (e *expander) reference(kind string, name text, at int) text {
	here := text{{text: kind + clip(name.String()) + "}", file: e.from.file, at: e.from.at + at, fixed: true, unknown: true}}
	var v text
	ok := true
	switch key := name.String(); {
	case name.unknown():
		return here
	case kind == "$ENV{":
		if v, ok = e.env[key]; !ok {
			return here
		}
	case kind == "$CACHE{":
		v = e.variables[key]
	default:
		if v, ok = e.fr.arguments[key]; !ok {
			v, _ = e.get(e.fr, key)
		}
	}
	if e.size += v.len(); e.size > maxText {
		return here
	}
	e.spend(spanWork * len(v))
	return v.from(here)
}
