package machine

import "slices"

// onStack marks, in a Through, that the address was on the stack.
const heldOnStack = 1 << 40

// through is what the memory holds at an address that is what a register or the stack held on entry, or some bytes behind that.
func (a Atom) through(width uint8, at uint32) (Atom, bool) {
	t := Atom{Kind: Through, N: a.N, Off: int64(int32(a.Plus)), Width: width, At: at}
	if a.Kind == Slot {
		t.N += heldOnStack
	}
	a.Plus = 0
	return t, (a.Kind == Entry || a.Kind == Slot) && a.Plain() && a.Low == 0
}

// Pointer is the address that a Through is read from, less Off: an Entry or a Slot.
func (a Atom) Pointer() Atom {
	if a.N >= heldOnStack {
		return Atom{Kind: Slot, N: a.N - heldOnStack, At: a.At}
	}
	return Atom{Kind: Entry, N: a.N, At: a.At}
}

// PassedThrough gives what an atom of a routine that is called from here, or jumped to, stands for: as OnEntry, or a Through.
func (s *State) PassedThrough(a Atom, jump bool, at uint32) Value {
	if a.Kind != Through {
		return s.OnEntry(a, jump, at)
	}
	var out Value
	address := s.pointerOnEntry(a.Pointer(), jump, at)
	address = s.slab.combine(Add, address, s.slab.number(a.Off, s.env.Word, at), s.env.Word, at)
	for _, x := range address {
		v := s.loadAt(x, Operand{Kind: Memory, Width: a.Width}, max(a.Width, 4), at)
		if out == nil {
			out = v
		} else {
			out = s.slab.join(out, v, at)
		}
	}
	return out
}

// pointerOnEntry is OnEntry with all the bytes of a pointer.
func (s *State) pointerOnEntry(a Atom, jump bool, at uint32) Value {
	if a.Kind == Entry {
		return s.regs[Reg(a.N)]
	}
	off := a.N
	if !jump && s.env.Stack == stackX86 {
		off -= int64(s.env.Word)
	}
	w := s.env.Word
	return s.load(Operand{Kind: Memory, Reg: s.env.Stack, Index: NoReg, Imm: off, Width: w}, w, at)
}

// Undisturbed says whether nothing is called and nothing but the routine's own stack is written on any way from its start to an instruction.
func (r *Routine) Undisturbed(at uint32) bool {
	before := r.Reach(r.Start, func(in *Inst) bool { return in.At == at })
	i, ok := r.find(at)
	if !ok || !before.Has(at) {
		return false
	}
	again := r.Reach(at+uint32(r.insts[i].Len), func(*Inst) bool { return false })
	inLoop := again.Has(at)
	still := true
	r.eachState(func(s *State, in *Inst) bool {
		if in.At != at && before.Has(in.At) || inLoop && again.Has(in.At) {
			still = still && in.Flow != Call && !s.writesBeyondStack(in)
		}
		return still
	})
	return still && r.env.Budget >= 0
}

// eachState visits the instructions that are reached, each with the state before it, until one is enough.
func (r *Routine) eachState(visit func(s *State, in *Inst) bool) {
	r.solve()
	for b := range r.blocks {
		blk := &r.blocks[b]
		if blk.in == nil {
			continue
		}
		s := r.entering(blk)
		for i := blk.first; i <= blk.last; i++ {
			if !visit(&s, &r.insts[i]) {
				return
			}
			r.pass(&s, &r.insts[i])
		}
	}
}

// writesBeyondStack says whether an instruction writes anything but the routine's own stack.
func (s *State) writesBeyondStack(in *Inst) bool {
	for i, steps := 0, in.does(); i < len(steps); i++ {
		if p := &steps[i]; (p.Dst.Kind == Memory || p.Op == Wipe) && !s.onOwnStack(p, in) {
			return true
		}
	}
	return false
}

// onOwnStack says whether a step of an instruction writes the routine's own stack.
func (s *State) onOwnStack(p *Step, in *Inst) bool {
	t := s.clone()
	for steps := in.does(); len(steps) > 0 && &steps[0] != p; steps = steps[1:] {
		t.step(&steps[0], in.At)
	}
	targets := t.address(p.Dst, in.At)
	return onStack(targets) && !slices.ContainsFunc(targets, func(a Atom) bool { return a.Off == 0 && a.N >= 0 })
}
