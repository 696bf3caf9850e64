package machine

// Close reads a routine for a closer look: at what the routines that it calls leave as it was, and at what its arguments point to.
func Close(env *Env, start uint32) *Routine {
	r := Read(env, start)
	if r.solved { // with less
		r = &Routine{Start: start, env: env, Whole: true, tables: r.tables}
		r.read()
	}
	r.close = true
	return r
}

// maxKeeping is how many instructions a routine has at most that is looked at for what it keeps.
const maxKeeping = 100

// Preserves says which registers hold on each return what they held on entry, and whether all memory does that arguments may point to.
func (r *Routine) Preserves() (registers uint64, untouched bool) {
	if len(r.insts) > maxKeeping {
		return 0, false
	}
	r.solve()
	registers, untouched = ^uint64(0), true
	returns := false
	for b := range r.blocks {
		if blk := &r.blocks[b]; blk.in != nil && r.departs(&r.insts[blk.last]) {
			return 0, false
		}
	}
	r.Returns(func(s *State, _ *Inst) {
		returns, untouched = true, untouched && s.untouched
		for reg, v := range s.regs {
			if len(v) != 1 || v[0].Kind != Entry || v[0].N != int64(reg) || v[0].Low != 0 || !v[0].Plain() {
				registers &^= 1 << reg
			}
		}
	})
	if !returns || !r.Whole {
		return 0, false
	}
	return registers, untouched
}

// Of a Pointee, N is a register, or a distance on the stack with onStackBit; Off has the distances on the way, the first lowest, and
// how many there are.
const (
	onStackBit   = 1 << 40
	distanceBits = 16
	maxDistances = 3
)

// beyond gives what the memory holds that an atom points to, where that came with the arguments.
func (a Atom) beyond(width uint8, at uint32) (Atom, bool) {
	distance := int64(int32(a.Plus))
	if a.Set|a.Clear != 0 || a.Shift != 0 || a.Low != 0 || distance != int64(int16(distance)) {
		return a, false
	}
	b := Atom{Kind: Pointee, N: a.N, Width: width, At: at}
	n := int64(0)
	switch a.Kind {
	case Entry:
	case Slot:
		b.N |= onStackBit
	case Pointee:
		b.Off, n = a.Off, a.Off>>(maxDistances*distanceBits)
	default:
		return a, false
	}
	if n == maxDistances {
		return a, false
	}
	b.Off += 1<<(maxDistances*distanceBits) | distance&(1<<distanceBits-1)<<(n*distanceBits)
	return b, true
}

// Begins gives where the way of a Pointee begins: an Entry or a Slot.
func (a Atom) Begins() Atom {
	if a.N&onStackBit != 0 {
		return Atom{Kind: Slot, N: a.N &^ onStackBit}
	}
	return Atom{Kind: Entry, N: a.N}
}

// pointee gives what a Pointee of a routine that is called stands for.
func (s *State) pointee(a Atom, jump bool, at uint32) Value {
	v := Value(nil)
	switch b := a.Begins(); {
	case b.Kind == Entry:
		v = s.regs[Reg(b.N)]
	default:
		off := b.N
		if !jump && s.env.Stack == stackX86 {
			off -= int64(s.env.Word)
		}
		v = s.load(Operand{Kind: Memory, Reg: s.env.Stack, Index: NoReg, Imm: off, Width: s.env.Word}, s.env.Word, at)
	}
	n := a.Off >> (maxDistances * distanceBits)
	for i := range n {
		o := Operand{Kind: Memory, Reg: NoReg, Index: NoReg, Width: s.env.Word}
		if i == n-1 {
			o.Width = a.Width
		}
		distance := s.slab.number(int64(int16(a.Off>>(i*distanceBits))), s.env.Word, at)
		var next Value
		for _, to := range s.slab.combine(Add, v, distance, s.env.Word, at) {
			if w := s.loadAt(to, o, o.Width, at); next == nil {
				next = w
			} else {
				next = s.slab.join(next, w, at)
			}
		}
		v = next
	}
	return v
}
