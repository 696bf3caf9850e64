package source

// pasted says which names ## can make in the body of a macro: any, or those that begin or end in a certain way.
type pasted struct {
	any    bool
	begins []name
	ends   []name
}

// pastedBy reads the definition of a macro. A string or a punctuator never becomes part of a name, as in " " ## format and in
// , ## __VA_ARGS__.
func pastedBy(definition string) *pasted {
	f := newText("", "", definition)
	line := f.list(nil, 0, f.lineEnd(0))
	out := &pasted{any: true}
	if len(line) < 2 {
		return out
	}
	m := newMacro(line[2:])
	if m == nil || !m.pastes { // a name that is cut in two by a backslash
		return out
	}
	out.any = false
	for i := 0; i < len(m.body); i++ {
		first := i
		for m.namePart(i) && i+2 < len(m.body) && m.body[i+1].is("##") && m.namePart(i+2) {
			i += 2
		}
		if i > first {
			out.note(m, first, i)
		}
	}
	return out
}

// namePart says whether a token of the body can be part of a name that ## makes.
func (m *macro) namePart(i int) bool {
	return m.body[i].kind == ident || m.body[i].kind == number
}

// note takes in the name that is made of the tokens from first to last, with ## between them.
func (p *pasted) note(m *macro, first, last int) {
	switch {
	case m.param(first) < 0 && m.body[first].kind == number:
	case m.param(first) < 0:
		p.begins = append(p.begins, nameOf(m.body[first].text))
	case m.param(last) < 0:
		p.ends = append(p.ends, nameOf(m.body[last].text))
	default:
		p.any = true
	}
}

// endings are the beginnings and the ends of names that are of interest.
type endings struct{ begins, ends *names32 }

func newEndings() endings { return endings{newNames(), newNames()} }

// learn takes in a name.
func (e endings) learn(text string) {
	h := hashBasis
	for i := range len(text) {
		h = (h ^ name(text[i])) * hashPrime
		e.begins.add(h)
		e.ends.add(nameOf(text[i:]))
	}
}

// may says whether ## can make one of the names.
func (e endings) may(p *pasted) bool {
	return p != nil && (p.any || e.begins.any(p.begins) || e.ends.any(p.ends))
}
