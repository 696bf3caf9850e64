package source

import "slices"

// What executes memory is rare, and stands anywhere: so the skimming looks for text that may hold a sign of it, and that text
// is read whatever it mentions. Whether it is a sign is decided where it is read (code.go); here too much is taken rather than
// too little.

// signs is the state of looking for them in the chunk at hand.
type signs struct {
	last, before byte   // the two tokens before: punctuators, 'a' for a word, '0' for a number
	groups       uint64 // a bit for each open parenthesis that may stand around a cast
	ended        bool   // the token before closes such a one
	left         name   // the word in front of the last =
	assigning    bool   // behind it stands nothing but casts
	indirect     bool   // in front of it stands what may be an address in memory
	cast         []name // what was assigned something that begins with a parenthesis
	some         uint64 // a bit for each of them
	stored       byte   // what bytes were assigned
	declared     name   // the last word in front of [ or =
	list         list
	copied       copied
}

// list are the first numbers in braces.
type list struct {
	values []int
	open   int  // braces; 0 outside of one
	of     name // what is declared with it at file scope
}

// copied is a call of a routine that copies memory.
type copied struct {
	argument int  // that is passed, counted from 1; 0 outside of a call
	depth    int  // of its parenthesis
	source   name // the last word of the second argument
	over     bool // what else stands in it says no more
}

// sourceOf is a word that a chunk copies memory from.
type sourceOf struct {
	name  name
	chunk int32
}

const (
	storedTransfer byte = 1 << iota // an instruction by itself
	storedFF                        // the first half of one
	storedOperand                   // and the second
)

// copies are the routines that copy memory, from their second argument to their first.
var copies = map[string]bool{
	"RtlCopyMemory": true, "RtlMoveMemory": true, "memcpy": true, "memmove": true, "CopyMemory": true, "MoveMemory": true,
	"RtlCopyBytes": true, "NdisMoveMemory": true,
}

var copyNames, copyBits = func() (map[name]bool, uint64) {
	names, bits := map[name]bool{}, uint64(0)
	for text := range copies {
		names[nameOf(text)] = true
		bits |= 1 << (nameOf(text) & 63)
	}
	return names, bits
}()

var castWords = map[name]bool{nameOf("reinterpret_cast"): true, nameOf("static_cast"): true}

// maxCast bounds what is kept of one chunk; one that assigns more is read.
const maxCast = 200

// punctuator passes one, before it opens or closes anything.
func (g *signs) punctuator(s *skimmer, c byte) {
	depth := len(s.open)
	if g.copied.argument > 0 {
		g.copies(s, c, depth)
	}
	if c == '{' || g.list.open > 0 {
		g.listed(s, c, depth)
	}
	ended := false
	switch c {
	case '(':
		g.opens(s, depth)
	case ')':
		ended = g.groups&(1<<((depth-1)&63)) != 0
	case '[':
		if s.last != 0 {
			g.declared = s.last
		}
	case '=':
		g.assigning = g.last != '=' && g.last != '!' && g.last != '<' && g.last != '>'
		g.indirect = g.last == ']' || g.last == ')' || g.last == '+' || g.last == 'a' && (g.before == '*' || g.before == ')')
		if g.left = s.last; s.last != 0 {
			g.declared = s.last
		}
	case '*':
	default:
		g.assigning = false
	}
	g.last, g.before, g.ended = c, g.last, ended
}

// opens passes a parenthesis: a call through what is in parentheses or was assigned, a cast that is assigned, a copy.
func (g *signs) opens(s *skimmer, depth int) {
	g.groups &^= 1 << (depth & 63)
	switch {
	case g.last == '(' || g.last == '*' && g.before == '(':
		g.groups |= 1 << ((depth - 1) & 63)
	case g.last == '>':
		g.groups |= 1 << (depth & 63)
	case g.last == '=' && g.assigning:
		g.assigns(s)
	case g.last == ')' && g.ended:
		s.cur.code = true
	case s.last == 0:
	case g.some&(1<<(s.last&63)) != 0 && slices.Contains(g.cast, s.last):
		s.cur.code = true
	case copyBits&(1<<(s.last&63)) != 0 && copyNames[s.last]:
		g.copied = copied{argument: 1, depth: depth}
	}
}

func (g *signs) assigns(s *skimmer) {
	if g.left == 0 {
		return
	}
	if len(g.cast) == maxCast {
		s.cur.code = true
		return
	}
	g.cast = append(g.cast, g.left)
	g.some |= 1 << (g.left & 63)
}

// word passes an identifier.
func (g *signs) word(s *skimmer, h name) {
	if g.last == '=' && g.assigning && castWords[h] {
		g.assigns(s)
	}
	if g.copied.argument == 2 && !g.copied.over {
		g.copied.source = h
	}
	if g.list.open > 0 {
		g.list.add(s, someElement)
	}
	g.last, g.before, g.ended = 'a', g.last, false
}

// number passes one.
func (g *signs) number(s *skimmer, text []byte) {
	if g.assigning {
		if v, ok := byteOf(string(text)); ok && g.indirect && g.stores(v) {
			s.cur.code = true
		}
		g.assigning = false
	}
	if g.list.open > 0 {
		v, ok := byteOf(string(text))
		if !ok {
			v = someElement
		}
		g.list.add(s, v)
	}
	g.last, g.before, g.ended = '0', g.last, false
}

// stores notes a byte that is written to memory, and says whether there are such that make control go somewhere else.
func (g *signs) stores(v int) bool {
	switch {
	case v == 0xE8 || v == 0xE9 || v == 0xC2 || v == 0xC3:
		g.stored |= storedTransfer
	case v == 0xFF:
		g.stored |= storedFF
	case v == 0x25 || v == 0x15 || v&^0xF == 0xD0 || v&^0xF == 0xE0:
		g.stored |= storedOperand
	}
	return g.stored&storedTransfer != 0 || g.stored == storedFF|storedOperand
}

// copies passes what stands in the arguments of a copy.
func (g *signs) copies(s *skimmer, c byte, depth int) {
	k := &g.copied
	switch {
	case depth <= k.depth || c == ')' && depth == k.depth+1:
		k.argument = 0
	case c == ',' && depth == k.depth+1:
		if k.argument++; k.argument == 3 {
			if k.source != 0 {
				s.out.copied = append(s.out.copied, sourceOf{k.source, int32(len(s.out.chunks))})
			}
			k.argument = 0
		}
	case k.argument != 2 || k.over:
	case c == '>' && g.last == '-' || c == '.' || c == '(' && g.last == 'a':
		k.source, k.over = 0, true
	case c == '+' || c == '[':
		k.over = true
	}
}

// listed passes a punctuator of numbers in braces.
func (g *signs) listed(s *skimmer, c byte, depth int) {
	l := &g.list
	switch c {
	case '{':
		if g.last != '{' && g.last != ',' { // of a body, say
			l.open = 0
		}
		if l.open++; l.open == 1 {
			l.values, l.of = l.values[:0], 0
			if depth == 0 {
				l.of = g.declared
			}
		}
	case '}':
		if l.open--; l.open == 0 {
			l.end(s)
		}
	case ',':
	default:
		l.end(s)
	}
}

func (l *list) add(s *skimmer, v int) {
	if l.values = append(l.values, v); len(l.values) == maxOpcodes {
		l.end(s)
	}
}

// end looks at what the list begins with.
func (l *list) end(s *skimmer) {
	l.open = 0
	if opcodes(l.values) == "" {
		return
	}
	s.cur.code = true
	if l.of != 0 {
		s.out.arrays = append(s.out.arrays, l.of)
	}
	if len(s.open) > 0 { // perhaps it returns them
		s.out.makers = append(s.out.makers, s.cur.defines...)
	}
}

// spreadCode learns from the files what memory may be copied from that is code.
func (in *interest) spreadCode(list []*file) {
	news := false
	for _, f := range list {
		if f.settled {
			continue
		}
		news = true
		for _, k := range f.outline.copied {
			in.sources.add(k.name)
		}
		in.copied.addAll(f.outline.arrays)
		in.makers.addAll(f.outline.makers)
		in.mentions.addAll(f.outline.makers)
	}
	if !news {
		return
	}
	for _, f := range list {
		for i := range f.outline.chunks {
			for _, n := range f.outline.chunks[i].defines {
				if in.sources.has(n) {
					in.copied.add(n)
				}
			}
		}
	}
}

// chooseCode marks the declarations that copy memory from what may be code, and says whether there are new ones.
func (in *interest) chooseCode(o *outline) (changed bool) {
	for _, k := range o.copied {
		if c := &o.chunks[k.chunk]; !c.code && in.copied.has(k.name) {
			c.code, changed = true, true
		}
	}
	return changed
}

// definesStruct says whether a declaration is one of a struct that is asked for: it mentions the field, or gives the struct
// another name.
func (in *interest) definesStruct(c *chunk) bool {
	return slices.ContainsFunc(c.defines, func(of name) bool {
		return in.structs.has(of) && (c.alias || slices.ContainsFunc(in.fields[of], func(f name) bool { return slices.Contains(c.mentions, f) }))
	})
}
