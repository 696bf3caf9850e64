package project

import (
	"slices"
	"strings"
)

// Macros of nmake: "Macros and NMAKE" of its reference. Names are in lower case here: the environment, which has no
// case on Windows, gives many of them.

// assign sets a macro. Its value is expanded when it is used; only a reference to itself is to the value so far.
func (m *makefile) assign(s statement) {
	m.macros[s.name] = m.withoutSelf(s)
	if s.name == "c_defines" {
		m.layers = append(m.layers, m.layer(s))
	}
}

// withoutSelf replaces a macro's references to itself in its new value.
func (m *makefile) withoutSelf(s statement) text {
	value := s.value.String()
	if !m.spend(len(value) + len(s.value)) {
		return nil
	}
	var out text
	c := cursor{text: s.value}
	for at := 0; at < len(value); {
		start, end, name, _ := nextMacro(value, at)
		out = append(out, c.slice(at, start)...)
		reference := c.slice(start, end)
		switch at = end; {
		case strings.ToLower(name) != s.name:
			out = append(out, reference...)
		case strings.Contains(value[start:end], ":"):
			out = append(out, m.expand(reference)...)
		default:
			out = append(out, m.macros[s.name].from(reference)...)
		}
	}
	return m.bound(out)
}

// bound pays for a value and drops one that is too long.
func (r *reader) bound(t text) text {
	if n := t.len(); !r.spend(n+len(t)) || n > maxText {
		r.budget = min(r.budget, 0)
		return nil
	}
	return t
}

// layer gives the layer of an assignment to C_DEFINES, always the same one.
func (m *makefile) layer(s statement) *layer {
	key := layerKey{s.file, s.at}
	if m.known[key] == nil {
		sp := spot{start: s.assign, end: s.assign, before: "-D", separator: " -D"}
		if last := len(s.value) - 1; last >= 0 {
			sp.start = s.value[last].at + len(s.value[last].text)
			sp.end, sp.before = sp.start, " -D"
		}
		inherits := strings.Contains(strings.ToLower(s.value.String()), "$(c_defines)")
		m.known[key] = &layer{file: s.file, at: s.at, inherits: inherits, spot: sp}
	}
	return m.known[key]
}

// maxExpansion bounds how deep macros and functions may be nested.
const maxExpansion = 200

// expand replaces the references to macros. One that is not defined is empty, as for nmake; one of the kit's is unknown.
func (m *makefile) expand(t text) text {
	s := t.String()
	if strings.IndexByte(s, '$') < 0 {
		return t
	}
	if !m.spend(len(s) + len(t)) {
		return nil
	}
	var out text
	c := cursor{text: t}
	for at := 0; at < len(s); {
		start, end, name, change := nextMacro(s, at)
		out = append(out, c.slice(at, start)...)
		if at = end; start == end {
			break
		}
		reference := c.slice(start, end)
		if name == "$" {
			out = append(out, reference.slice(1, 2)...)
			continue
		}
		out = append(out, m.reference(strings.ToLower(name), change, reference)...)
	}
	return m.bound(out)
}

// nextMacro finds the next reference from an index: $(NAME), $(NAME:from=to), $X, $** or $$, whose name is "$". It
// starts at the text's end where there is none.
func nextMacro(s string, from int) (start, end int, name, change string) {
	for at := from; at+1 < len(s); at++ {
		switch {
		case s[at] != '$':
		case s[at+1] == '(':
			i := strings.IndexByte(s[at:], ')')
			if i < 0 {
				return len(s), len(s), "", ""
			}
			name, change, _ = strings.Cut(s[at+2:at+i], ":")
			return at, at + i + 1, name, change
		case strings.HasPrefix(s[at+1:], "**"):
			return at, at + 3, "**", ""
		default:
			return at, at + 2, s[at+1 : at+2], ""
		}
	}
	return len(s), len(s), "", ""
}

// buildMacros are those that build.exe or its rules set, and those that a SOURCES file extends whether they are set or not;
// the directories of the kit end in _PATH.
var buildMacros = map[string]bool{
	"o": true, "build_allow_compiler_warnings": true, "c_defines": true, "user_c_flags": true, "includes": true,
	"sources": true, "targetlibs": true, "linker_flags": true, "rcoptions": true, "ntprofileinput": true, "ntdebug": true,
	"ntdebugtype": true, "nttargetfiles": true, "ntdir": true, "_objdir": true, "_obj_dir": true, "386_stdcall": true,
	"wdm_inc_path": true, "windir": true, "makedir": true, "_ntdrive": true, "_ntroot": true, "_ntbindir": true, "build_product": true,
}

// reference gives what a reference stands for.
func (m *makefile) reference(name, change string, t text) text {
	if v, ok := m.automatic[name]; ok {
		return v
	}
	v, ok := m.macros[name]
	switch {
	case ok && (slices.Contains(m.active, name) || len(m.active) >= maxExpansion):
		m.note(t.place(), "%s refers to itself, or is nested too deep", t)
		return unknownText(t, "it refers to itself, or is nested too deep")
	case !ok && (kitMacros[name] || !isName(name)):
		return unknownText(t, "the kit sets it")
	case !ok:
		if !slices.Contains(m.unset, name) && len(m.unset) < maxExpansion {
			m.unset = append(m.unset, name)
		}
		if isSources(m.project) && !m.quiet && !buildMacros[name] && !strings.HasSuffix(name, "_path") {
			m.note(t.place(), "nothing in the tree sets %s; it is read as empty", t)
		}
		return nil
	}
	m.active = append(m.active, name)
	v = m.expand(v)
	m.active = m.active[:len(m.active)-1]
	if from, to, ok := strings.Cut(change, "="); ok && from != "" && m.spend(v.len()*(1+len(to))) {
		v = v.replace(from, plain(to))
	}
	return v.from(t)
}

// cursor cuts a text from left to right, in time in proportion to the text.
type cursor struct {
	text   text
	passed int // bytes before the first span
}

// slice gives the bytes [from, to); neither may be less than in the call before.
func (c *cursor) slice(from, to int) text {
	for len(c.text) > 0 && c.passed+len(c.text[0].text) <= from {
		c.passed += len(c.text[0].text)
		c.text = c.text[1:]
	}
	n, end := 0, c.passed
	for n < len(c.text) && end < to {
		end += len(c.text[n].text)
		n++
	}
	return c.text[:n].slice(from-c.passed, to-c.passed)
}

// replace gives the text with all of one string replaced by another.
func (t text) replace(from string, to text) text {
	s := t.String()
	var out text
	c := cursor{text: t}
	for at := 0; ; {
		i := strings.Index(s[at:], from)
		if i < 0 {
			return append(out, c.slice(at, len(s))...)
		}
		out = append(append(out, c.slice(at, at+i)...), to...)
		at += i + len(from)
	}
}
