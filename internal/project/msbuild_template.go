package project

import (
	"slices"
	"strings"
)

// Values of MSBuild with their references, compiled once: the configurations of a project, up to 48 in real ones,
// expand the same text.

// template is a text of a project file whose references were found once, for all evaluations.
type template struct {
	text  text
	parts []fragment // nil where the text holds no reference
}

// fragment is literal text or a reference.
type fragment struct {
	literal text
	ref     *reference
}

// reference is $(property), %(metadata) or @(items), or a call of functions in one of these.
type reference struct {
	at       text // as written
	sigil    byte
	name     string // in lower case; "" for a call
	itemType string // in lower case, of %(type.name)
	call     *call
	items    *itemsReference
	why      string // it can't be read
}

// compile finds the references in a text. It pays for the search, which is quadratic for a hostile text.
func (r *reader) compile(t text) *template {
	c := &template{text: t}
	if !slices.ContainsFunc(t, func(s span) bool { return strings.Contains(s.text, "(") }) {
		r.spend(t.len())
		return c
	}
	for _, s := range t {
		if !r.spend(referenceWork(s.text)) {
			return &template{}
		}
		for at := 0; at < len(s.text); {
			start, end := nextReference(s.text, at)
			if start == end && at == 0 {
				c.parts = append(c.parts, fragment{literal: text{s}})
				break
			}
			if at < start {
				c.parts = append(c.parts, fragment{literal: part(s, at, start)})
			}
			if start < end {
				c.parts = append(c.parts, fragment{ref: r.parseReference(part(s, start, end))})
			}
			at = end
		}
	}
	for _, f := range c.parts {
		if f.ref != nil {
			return c
		}
	}
	c.parts = nil
	return c
}

// parseReference reads what stands in $(), @() or %(), nil where it is no reference but plain text.
func (r *reader) parseReference(at text) *reference {
	s := at.String()
	ref := &reference{at: at, sigil: s[0]}
	inner := strings.Trim(s[2:len(s)-1], white)
	name := strings.ToLower(inner)
	switch {
	case ref.sigil == '%':
		kind, field, qualified := strings.Cut(name, ".")
		if !qualified {
			kind, field = "", name
		}
		// White space around the dot does not count: Microsoft.Build's ItemMetadataRegex.
		ref.itemType, ref.name = strings.Trim(kind, white), strings.Trim(field, white)
		if !isName(ref.name) || !isName(ref.itemType) && qualified {
			ref.why = "it names no metadata"
		}
	case ref.sigil == '@':
		ref.items, ref.why = r.parseItems(inner)
	case isName(name) && !strings.Contains(name, "."):
		ref.name = name
	default:
		ref.call, ref.why = r.parseCall(inner)
	}
	return ref
}

// nextReference finds the next $(...), %(...) or @(...) from an index; start and end are the text's length where
// there is none.
func nextReference(s string, from int) (start, end int) {
	for at := from; at+1 < len(s); at++ {
		next := strings.IndexByte(s[at+1:], '(')
		if next < 0 {
			break
		}
		if at += next; strings.IndexByte("$%@", s[at]) < 0 {
			continue
		}
		if end := closing(s, at+1); end > 0 {
			return at, end + 1
		}
	}
	return len(s), len(s)
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

// part gives a piece of a span, with its place.
func part(s span, from, to int) text { return text{s}.slice(from, to) }

// isName says whether a text can name a property, item type or metadata.
func isName(s string) bool {
	for i := range len(s) {
		if !isWord(s[i]) && s[i] != '-' && s[i] != '.' {
			return false
		}
	}
	return s != ""
}

// scope is where a text stands, which says what %(...) means there: nothing outside of items and their definitions.
type scope struct {
	element  *element
	itemType string // in lower case
	metadata *metadata
	item     *item // nil in a definition, which leaves what hangs on the item to its items
}

// maxText bounds one value.
const maxText = 1 << 20

// expand replaces the references in a text. What can't be evaluated stays as it is, marked unknown.
func (e *evaluation) expand(c *template, in scope) text {
	if c.parts == nil {
		return c.text
	}
	var out text
	for _, f := range c.parts {
		if f.ref == nil {
			out = append(out, f.literal...)
		} else {
			out = append(out, e.value(f.ref, in)...)
		}
	}
	if n := out.len(); !e.spend(n) || n > maxText {
		e.budget = min(e.budget, 0)
		return nil
	}
	return out
}

// known gives a text that holds references to known properties only. That is what most conditions compare.
func (e *evaluation) known(c *template) (string, bool) {
	size := 0
	for _, f := range c.parts {
		t := f.literal
		if f.ref != nil {
			value, ok := e.properties[f.ref.name]
			if !ok || f.ref.sigil != '$' || value.unknown() {
				return "", false
			}
			t = value
		}
		size += t.len()
	}
	if size > maxText || !e.spend(size) {
		return "", false
	}
	var b strings.Builder
	b.Grow(size)
	for _, f := range c.parts {
		t := f.literal
		if f.ref != nil {
			t = e.properties[f.ref.name]
		}
		for _, s := range t {
			b.WriteString(s.text)
		}
	}
	return b.String(), true
}

// value gives what stands for a reference.
func (e *evaluation) value(r *reference, in scope) text {
	switch {
	case r.why != "":
		return unknownText(r.at, r.why)
	case r.sigil == '%':
		return e.metadatum(r, in)
	case r.items != nil:
		return e.listed(r, in)
	case r.call != nil:
		return e.called(r, in)
	}
	if v, ok := e.properties[r.name]; ok {
		return v.from(r.at)
	}
	return e.reserved(r.name, in.element).from(r.at)
}

// unknownText marks a reference, as written, as one that can't be evaluated.
func unknownText(at text, why string) text {
	out := text{{text: at.String(), unknown: true, why: why}}
	if len(at) > 0 {
		out[0].file, out[0].at, out[0].fixed = at[0].file, at[0].at, true
	}
	return out
}

// metadatum gives the metadata of an item or of its type's definition.
func (e *evaluation) metadatum(r *reference, in scope) text {
	switch {
	case in.metadata == nil:
		return r.at
	case r.itemType != "" && r.itemType != in.itemType:
		return nil
	case in.item == nil && builtin[r.name]:
		return r.at
	case builtin[r.name]:
		return e.wellKnown(in.item, r.name).from(r.at)
	}
	return in.metadata.values[r.name].from(r.at)
}
