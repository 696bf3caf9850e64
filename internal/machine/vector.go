package machine

import "slices"

// copied is a vector of which it is known what it holds: a constant on its way to the stack.
type copied struct {
	vector Reg
	halves [2]int64
}

// loadVector puts numbers into a vector, or anything.
func (s *State) loadVector(p *Step, at uint32) {
	is := func(c copied) bool { return c.vector == p.Dst.Reg }
	if slices.ContainsFunc(s.vectors, is) {
		s.vectors = slices.DeleteFunc(slices.Clone(s.vectors), is) // other states have it, too
	}
	if p.Op != Move || p.A.Kind != Memory {
		return
	}
	c := copied{vector: p.Dst.Reg}
	for i := range c.halves {
		half := p.A
		half.Width, half.Imm = vectorBytes/2, p.A.Imm+int64(i)*vectorBytes/2
		n, ok := s.load(half, half.Width, at).Number()
		if !ok {
			return
		}
		c.halves[i] = int64(n)
	}
	s.vectors = append(slices.Clip(s.vectors), c)
}

// storeVector puts what a vector holds on the stack, a word for a slot.
func (s *State) storeVector(p *Step, at uint32) {
	i := slices.IndexFunc(s.vectors, func(c copied) bool { return c.vector == p.A.Reg })
	to := s.address(p.Dst, at)
	if i < 0 || len(to) != 1 || to[0].Kind != Frame {
		return
	}
	for off := int64(0); off < vectorBytes; off += int64(s.env.Word) {
		n := s.vectors[i].halves[off/8] >> (off % 8 * 8)
		s.put(place{to[0].Off, to[0].N + off}, s.env.Word, s.slab.number(n, s.env.Word, at))
	}
}

// keepVectors forgets what a call may change: of x64, the upper ten are kept.
func (s *State) keepVectors() {
	const firstKept = 6
	kept := func(c copied) bool { return s.env.Word == 8 && s.env.Stack == stackX86 && c.vector >= firstKept }
	if slices.ContainsFunc(s.vectors, func(c copied) bool { return !kept(c) }) {
		s.vectors = slices.DeleteFunc(slices.Clone(s.vectors), func(c copied) bool { return !kept(c) })
	}
}

// bothHave gives the vectors that hold the same on two ways.
func bothHave(a, b []copied) []copied {
	other := func(c copied) bool { return !slices.Contains(b, c) }
	if !slices.ContainsFunc(a, other) {
		return a
	}
	return slices.DeleteFunc(slices.Clone(a), other)
}
