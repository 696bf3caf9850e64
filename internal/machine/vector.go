package machine

import "slices"

// vectors is where a state keeps what vector registers hold, as if they stood on the stack: compilers copy structures through them.
const vectors = -1

const (
	vectorBytes = 16 // of a vector, as far as it is followed
	firstKept   = 6  // of x64 by a call; and all behind it
	wholePart   = 8  // at most, of what a vector is kept in
	leastPart   = 4
	maxVectors  = 32
)

func vectorPlace(r Reg) place { return place{vectors, int64(r) * vectorBytes} }

// copyVector applies a step that writes a vector, or writes one to memory.
func (s *State) copyVector(p *Step, at uint32) {
	var parts []slot
	if p.Op == Move {
		parts = s.partsOf(p.A, at)
	}
	switch {
	case p.Dst.Kind == Memory:
		s.storeParts(p.Dst, parts, at)
	case p.Dst.Reg == NoReg:
		s.loseVectors()
	default:
		to := vectorPlace(p.Dst.Reg)
		s.cutOut(to, vectorBytes)
		for _, x := range parts {
			s.put(place{to.base, to.off + x.off}, x.width, x.value)
		}
		if p.Op == Move && p.A.Width <= wholePart { // the rest is emptied
			s.put(place{to.base, to.off + wholePart}, wholePart, s.slab.number(0, wholePart, at))
		}
	}
}

// spoilVectors forgets those that a call may change.
func (s *State) spoilVectors() {
	if s.env.Word == 8 && s.env.Stack == stackX86 {
		s.cutOut(vectorPlace(0), firstKept*vectorBytes)
	} else {
		s.loseVectors()
	}
}

func (s *State) loseVectors() { s.cutOut(place{vectors, 0}, maxVectors*vectorBytes) }

// partsOf gives what is known of what a vector is made of, or is: parts of four or eight bytes, by where in it they begin.
func (s *State) partsOf(o Operand, at uint32) (parts []slot) {
	var from place
	switch o.Kind {
	case Vector:
		from = vectorPlace(o.Reg)
	case Memory:
		target := s.address(o, at)
		if len(target) != 1 || target[0].Kind != Frame {
			return s.partsAt(target, o, at)
		}
		from = place{target[0].Off, target[0].N}
	default:
		return []slot{{width: o.Width, value: s.read(o, o.Width, at)}}
	}
	for off := int64(0); off < int64(o.Width); {
		p := place{from.base, from.off + off}
		i, found := s.find(p)
		switch rest := int64(o.Width) - off; {
		case found && (s.slots[i].width == leastPart || s.slots[i].width == wholePart) && int64(s.slots[i].width) <= rest:
			parts = append(parts, slot{place{0, off}, s.slots[i].width, s.slots[i].value})
			off += int64(s.slots[i].width)
			continue
		case o.Kind == Memory && off%wholePart == 0 && rest >= wholePart && !s.overlapped(p, wholePart):
			parts = append(parts, slot{place{0, off}, wholePart, s.fresh(p, at)})
			off += wholePart
			continue
		}
		off += leastPart
	}
	return parts
}

// partsAt is partsOf for memory that is not on the stack.
func (s *State) partsAt(target Value, o Operand, at uint32) (parts []slot) {
	n, ok := target.Number()
	for off := uint8(0); ok && o.Width >= wholePart && off < o.Width; off += wholePart {
		part := Operand{Kind: Memory, Reg: NoReg, Index: NoReg, Imm: int64(n) + int64(off), Width: wholePart}
		parts = append(parts, slot{place{0, int64(off)}, wholePart, s.load(part, wholePart, at)})
	}
	return parts
}

// storeParts writes a vector to memory.
func (s *State) storeParts(o Operand, parts []slot, at uint32) {
	targets := s.address(o, at)
	for _, x := range parts {
		for _, a := range x.value {
			if a.Kind == Frame && !onStack(targets) {
				s.take(place{a.Off, a.N})
			}
		}
	}
	s.write(o, s.slab.opaque(NotFollowed, at), at)
	if len(targets) != 1 || targets[0].Kind != Frame {
		return
	}
	to := place{targets[0].Off, targets[0].N}
	s.cutOut(to, int64(o.Width))
	for off := int64(0); off < int64(o.Width); {
		x := slot{place{0, off}, leastPart, nil}
		if len(parts) > 0 && parts[0].off == off {
			x, parts = parts[0], parts[1:]
		} else if !s.early {
			x.value = s.slab.opaque(NotFollowed, at)
		}
		if x.value != nil {
			s.put(place{to.base, to.off + off}, x.width, x.value)
		}
		off += int64(x.width)
	}
}

// holdsPart says whether a part of a vector is something.
func (s *State) holdsPart(o Operand, is func(Value) bool) bool {
	from, to := s.overlapping(vectorPlace(o.Reg), vectorBytes)
	for _, x := range s.slots[from:to] {
		if is(x.value) {
			return true
		}
	}
	return false
}

// pairs is where a state keeps the upper halves of what was read from two parts of the stack at once, by the instruction that reads them.
const pairs = -2

// isPair says whether the stack holds two things of four bytes.
func (s *State) isPair(p place) bool {
	i, found := s.find(p)
	upper := place{p.base, p.off + leastPart}
	return found && s.slots[i].width == leastPart && i+1 < len(s.slots) && s.slots[i+1].place == upper && s.slots[i+1].width == leastPart
}

// loadPair reads two things of four bytes at once, and keeps the upper for when it is shifted down.
func (s *State) loadPair(p place, at uint32) Value {
	i, _ := s.find(p)
	low, high := s.slots[i].value, s.slots[i+1].value
	if a, one := low.Number(); one {
		if b, one := high.Number(); one {
			return s.slab.number(int64(a|b<<32), wholePart, at)
		}
	}
	pair := Atom{Kind: Opaque, Why: NotFollowed, Off: pairs, At: at}
	is := func(v Value) bool { return len(v) == 1 && v[0] == pair }
	if slices.ContainsFunc(s.regs, is) || slices.ContainsFunc(s.slots, func(x slot) bool { return is(x.value) }) {
		return s.slab.opaque(NotFollowed, at) // that of the time before is still about
	}
	s.put(place{pairs, int64(at)}, leastPart, high)
	return s.slab.one(pair)
}

// upper gives the upper half of what loadPair read, where it is shifted down.
func (s *State) upper(a Atom, by Operand) (Value, bool) {
	i, found := s.find(place{pairs, int64(a.At)})
	if a.Kind != Opaque || a.Why != NotFollowed || by.Kind != Immediate || by.Imm != 32 || !found {
		return nil, false
	}
	return s.slots[i].value, true
}
