package machine

import "slices"

// Of a Through, N is a register, or a distance on the stack with heldOnStack; Off has the distances on the way, the first lowest, and how
// many there are.
const (
	heldOnStack  = 1 << 40
	distanceBits = 16
	maxDistances = 3
)

// through is what the memory holds at an address that is what a register or the stack held on entry, or what such memory holds, or some
// bytes behind that.
func (a Atom) through(width uint8, at uint32) (Atom, bool) {
	distance, n := int64(int32(a.Plus)), int64(0)
	a.Plus = 0
	if !a.Plain() || a.Low != 0 || distance != int64(int16(distance)) {
		return a, false
	}
	t := Atom{Kind: Through, N: a.N, Width: width, At: at}
	switch a.Kind {
	case Entry:
	case Slot:
		t.N += heldOnStack
	case Through:
		t.Off, n = a.Off, a.distances()
	default:
		return a, false
	}
	t.Off += 1<<(maxDistances*distanceBits) + distance&(1<<distanceBits-1)<<(n*distanceBits)
	return t, n < maxDistances
}

// distances is how many there are on the way of a Through.
func (a Atom) distances() int64 { return a.Off >> (maxDistances * distanceBits) }

// Pointer is the address that the way of a Through begins with: an Entry or a Slot.
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
	v := s.pointerOnEntry(a.Pointer(), jump, at)
	for i := range a.distances() {
		width := s.env.Word
		if i == a.distances()-1 {
			width = a.Width
		}
		distance := s.slab.number(int64(int16(a.Off>>(i*distanceBits))), s.env.Word, at)
		var next Value
		for _, x := range s.slab.combine(Add, v, distance, s.env.Word, at) {
			w := s.loadAt(x, Operand{Kind: Memory, Reg: NoReg, Index: NoReg, Width: width}, max(width, 4), at)
			if next == nil {
				next = w
			} else {
				next = s.slab.join(next, w, at)
			}
		}
		v = next
	}
	return v
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
