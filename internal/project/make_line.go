package project

import (
	"strings"
)

// Lines of GNU make: continuation, comments (the manual, 3.1.1 and 3.1), and what separates words outside of
// references.

// lines cuts a text into lines.
type lines struct {
	source text
	s      string
	at     int
	cursor cursor
}

// linesOf begins at the first line.
func linesOf(t text) *lines { return &lines{source: t, s: t.String(), cursor: cursor{text: t}} }

// physical gives the next line, without its newline.
func (l *lines) physical() (text, bool) {
	if l.at >= len(l.s) {
		return nil, false
	}
	start, end := l.at, len(l.s)
	if i := strings.IndexByte(l.s[start:], '\n'); i >= 0 {
		end = start + i
	}
	l.at = end + 1
	if end > start && l.s[end-1] == '\r' {
		end--
	}
	return l.cursor.slice(start, end), true
}

// logical gives the next line with those it continues in, which are joined by one space.
//
// A backslash that stands behind another does not continue a line. White space around the newline becomes one space,
// as the manual says for all lines but those of recipes.
func (l *lines) logical() (text, bool) {
	var line text
	for {
		part, ok := l.physical()
		if !ok {
			return line, line != nil
		}
		s := part.String()
		continued := (len(s)-len(strings.TrimRight(s, `\`)))%2 == 1
		if line != nil {
			part = part.trim()
			s = part.String()
		}
		if !continued {
			return append(line, part...), true
		}
		line = append(append(line, part.slice(0, len(s)-1).trimRight()...), span{text: " "})
	}
}

// trimLeft keeps the places of what is left.
func (t text) trimLeft() text {
	s := t.String()
	return t.slice(len(s)-len(strings.TrimLeft(s, white)), len(s))
}

// trimRight keeps the places of what is left.
func (t text) trimRight() text { return t.slice(0, len(strings.TrimRight(t.String(), white))) }

// uncommented gives a line up to its comment, without the white space before it. "\#" is the character itself.
func uncommented(line text) text {
	s := line.String()
	var out text
	c := cursor{text: line}
	from := len(s) - len(strings.TrimLeft(s, white))
	for i := from; i < len(s); i++ {
		if s[i] != '#' {
			continue
		}
		backslashes := len(s[from:i]) - len(strings.TrimRight(s[from:i], `\`))
		if backslashes%2 == 0 {
			return append(out, c.slice(from, i)...)
		}
		out = append(out, c.slice(from, i-1)...)
		from = i
	}
	return append(out, c.slice(from, len(s))...)
}

// firstWord cuts a line after its first word.
func firstWord(t text) (word string, rest text) {
	s := t.String()
	i := indexOrEnd(s, " ", "\t", "\n", "\r")
	if name := indexOrEnd(s, "("); name < i && conditionals[s[:name]] {
		i = name // ifeq(a,b)
	}
	return s[:i], t.slice(i, len(s)).trim()
}

// cutOutside cuts a text at a byte that stands outside of references.
func cutOutside(t text, separator byte) (before, after text, found bool) {
	s, depth := t.String(), 0
	for i := range len(s) {
		switch c := s[i]; {
		case (c == '(' || c == '{') && (depth > 0 || i > 0 && s[i-1] == '$'):
			depth++
		case (c == ')' || c == '}') && depth > 0:
			depth--
		case c == separator && depth == 0:
			return t.slice(0, i).trim(), t.slice(i+1, len(s)).trim(), true
		}
	}
	return t, nil, false
}

// arguments cuts at commas outside of parentheses and braces, into at most n parts; into all for 0.
func arguments(t text, n int) []text {
	s, depth, from := t.String(), 0, 0
	var list []text
	c := cursor{text: t}
	for i := range len(s) {
		switch s[i] {
		case '(', '{':
			depth++
		case ')', '}':
			depth--
		case ',':
			if depth == 0 && (n == 0 || len(list) < n-1) {
				list = append(list, c.slice(from, i))
				from = i + 1
			}
		}
	}
	return append(list, c.slice(from, len(s)))
}
