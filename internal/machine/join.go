package machine

import "slices"

// joinedStack marks where two ways meet with the stack at different heights; an instruction that leaves the stack so has no mark.
const joinedStack = 1 << 40

// joined gives what holds on both ways; same says that it is what s says.
func (s *State) joined(t *State, at uint32, widen bool) (out State, same bool) {
	s.share()
	out = *s
	same = out.joinRegisters(s, t, at, widen)
	same = out.joinSlots(s, t, at, widen) && same
	for _, p := range t.taken {
		if !slices.Contains(out.taken, p) {
			out.take(p)
			same = false
		}
	}
	if s.untouched && !t.untouched {
		out.untouched, same = false, false
	}
	if out.pushed != t.pushed {
		out.pushed = -maxObject // not the same on both ways: not known
		same = same && s.pushed == out.pushed
	}
	out.flags = meet(s.flags, t.flags)
	if out.flags.op != s.flags.op {
		same = false
	}
	return out, same
}

// joinRegisters puts what registers hold on both ways into a copy of s, which gets its own where that is something else.
func (out *State) joinRegisters(s, t *State, at uint32, widen bool) (same bool) {
	same = true
	anew := Atom{Kind: Frame, Off: int64(at) | joinedStack, At: at}
	for r := range s.regs {
		if Reg(r) == s.env.Stack && s.regs[r].has(anew) {
			continue
		}
		v := s.slab.join(s.regs[r], t.regs[r], at)
		if !shared(v, s.regs[r]) {
			if same {
				out.regs, same = s.slab.copied(s.regs), false
			}
			switch {
			case Reg(r) == s.env.Stack: // from here on, counted anew
				v = s.slab.one(anew)
			case widen:
				v = s.slab.opaque(InLoop, at)
			}
			out.regs[r] = v
		}
	}
	return same
}

// joinSlots does that with the stack.
func (out *State) joinSlots(s, t *State, at uint32, widen bool) (same bool) {
	same = true
	next := 0 // in t's
	for i := range s.slots {
		x := &s.slots[i]
		for next < len(t.slots) && t.slots[next].before(x.place) {
			next++
		}
		v := s.slab.join(x.value, t.slotOr(x, next, at), at)
		if !shared(v, x.value) {
			same = false
			if widen {
				v = s.slab.opaque(InLoop, at)
			}
			out.own()
			out.slots[i].value = v
		}
	}
	for _, x := range t.slots {
		if i, found := s.find(x.place); found && s.slots[i].width == x.width {
			continue
		}
		if x.base == 0 && x.off >= 0 && !s.overlapped(x.place, int64(x.width)) {
			v := s.slab.join(s.fresh(x.place, at), x.value, at)
			out.put(x.place, x.width, v)
			same = false
		}
	}
	return same
}

// slotOr gives what another way has in place of a slot, which would be the i-th there.
func (s *State) slotOr(x *slot, i int, at uint32) Value {
	if i < len(s.slots) && s.slots[i].place == x.place && s.slots[i].width == x.width {
		return s.slots[i].value
	}
	return s.loadSlot(x.place, x.width, at)
}

// meet keeps the flags of two ways where they come from comparisons of the same. Where those are two, no other place has what one of them
// compared, whatever it has on the other way.
func meet(a, b flags) flags {
	switch {
	case a.op != b.op || a.a != b.a || a.b != b.b || a.rest != b.rest || !a.av.Equal(b.av) || !a.bv.Equal(b.bv):
		return flags{}
	case !shared(a.av, b.av) || !shared(a.bv, b.bv):
		a.av, a.bv = slices.Clone(a.av), slices.Clone(a.bv)
	}
	return a
}
