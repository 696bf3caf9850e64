package machine

// EachCall visits those calls of the routine that are wanted, and jumps that leave it, whether or not it comes there. The state is what the
// block of the call tells: what comes from in front of that is Early; where that was read through, the atom has the distance, the width and
// the address of the instruction of the last time.
func (r *Routine) EachCall(wanted func(in *Outline) bool, visit func(near *State, in *Inst)) {
	for n := -1; n != len(r.outlines) && r.env.Budget >= 0; { // what is asked meanwhile can find more of the routine
		n = len(r.outlines)
		for b := 0; b < len(r.blocks) && n == len(r.outlines); b++ {
			r.eachCall(&r.blocks[b], wanted, visit)
		}
	}
}

func (r *Routine) eachCall(b *block, wanted func(in *Outline) bool, visit func(near *State, in *Inst)) {
	first := b.first
	for !r.calls(&r.outlines[first]) || !wanted(&r.outlines[first]) {
		if first++; first > b.last {
			return
		}
	}
	r.lower(b)
	s, insts, all := r.blankState(b), b.insts, len(r.outlines)
	for i := 0; i < len(insts) && all == len(r.outlines); i++ {
		if in := &insts[i]; b.first+i >= first && r.calls(&in.Outline) && wanted(&in.Outline) {
			visit(s, in)
		}
		r.pass(s, &insts[i])
	}
	r.slab.giveBack(s)
}

// NearCalls visits the calls of an instruction's block, and a jump that leaves the routine, from that instruction on, with the state as far
// as the block tells, until one is what was looked for.
func (r *Routine) NearCalls(at uint32, visit func(near *State, in *Inst) (found bool)) {
	i, ok := r.find(at)
	if !ok || r.env.Budget < 0 {
		return
	}
	b := &r.blocks[r.blockOf(i)]
	r.lower(b)
	s := r.blankState(b)
	for j := range b.insts {
		in := &b.insts[j]
		if b.first+j >= i && r.calls(&in.Outline) && visit(s, in) {
			break
		}
		r.pass(s, in)
	}
	r.slab.giveBack(s)
}

// alone marks a distance from the stack pointer at the beginning of a block whose surroundings are not looked at.
const alone = 1 << 41

// blankState is that before a block whose surroundings are not looked at. It is to be given back.
func (r *Routine) blankState(b *block) *State {
	at := r.outlines[b.first].At
	if at == r.Start && len(b.from) == 0 {
		return r.slab.borrow(entryState(r.env, r.slab, at))
	}
	s := r.slab.borrow(State{env: r.env, slab: r.slab, early: true, in: r})
	if r.early == nil {
		r.early = r.slab.values.take(r.env.registers())
		for reg := range r.early {
			r.early[reg] = r.slab.one(Atom{Kind: Opaque, Why: Earlier, N: int64(reg), At: r.Start})
		}
	}
	s.regs = r.slab.copied(r.early)
	s.regs[r.env.Stack] = r.slab.one(Atom{Kind: Frame, Off: int64(at) | alone, At: at})
	return s
}

// Keeps says whether what an instruction loads into a register is put somewhere else, too, before the next call.
func (r *Routine) Keeps(in *Inst) bool {
	const checked = 15 // where the guard of ARM64 gets a copy
	loaded := in.Steps[0].Dst.Reg
	i, _ := r.find(in.At)
	b := &r.blocks[r.blockOf(i)]
	for j := i + 1 - b.first; j < len(b.insts) && b.insts[j].Flow == Next; j++ {
		for _, s := range b.insts[j].Steps {
			if s.Op == Move && s.A.Kind == Register && s.A.Reg == loaded && !(r.env.Stack == stackARM && s.Dst.Kind == Register && s.Dst.Reg == checked) {
				return true
			}
		}
	}
	return false
}
