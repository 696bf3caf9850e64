package machine

// Value gives a value before an instruction: as its own block tells, or else by following back the registers that it hangs on through
// the blocks in front, or else by following the whole routine. It is false where the routine does not come there. Near is what get gives of
// the state that the block tells, nil if that was not asked yet.
func (r *Routine) Value(at uint32, near Value, get func(s *State) Value) (Value, bool) {
	if near != nil && !near.Early() {
		return near, true
	}
	i, ok := r.find(at)
	if !ok {
		return nil, false
	}
	b := r.blockOf(i)
	if v, ok := r.demand(b, i, near, get, 0); ok {
		return v, true
	}
	if r.blocks[b].in == nil {
		if v, ok := r.around(b, i, get); ok {
			return v, true
		}
	}
	s, ok := r.Before(at)
	if !ok {
		return nil, false
	}
	return get(s), true
}

const (
	maxFilled = 6 // registers that a value hangs on
	maxBack   = 6 // registers in a row that one is computed from
)

// demand is what a block tells, up to an instruction, and the registers that it turns out to hang on: it runs through the block, and again
// with each of those known; the first time only if near, what comes of that, is nil. It is false where that takes more than registers, or has
// more than one outcome, which the whole routine tells better.
func (r *Routine) demand(b, end int, near Value, get func(s *State) Value, depth int) (Value, bool) {
	var known [registers]Value
	v := near
	r.lower(&r.blocks[b])
	for range maxFilled {
		if r.env.Budget < 0 {
			break
		}
		if v == nil {
			v = r.within(b, end, &known, get)
		}
		reg, early := v.earlyRegister()
		if !early {
			return v, true
		}
		if reg == NoReg || known[reg] != nil || depth >= maxBack {
			return nil, false
		}
		back, ok := r.onEntryTo(b, reg, depth+1)
		if !ok {
			return nil, false
		}
		known[reg], v = back, nil
	}
	return nil, false
}

// within gives a value before an instruction of a block, with what is known of registers in front of that.
func (r *Routine) within(b, end int, known *[registers]Value, get func(s *State) Value) Value {
	s := r.blankState(&r.blocks[b])
	for reg, v := range known {
		if v != nil {
			s.regs[reg] = v
		}
	}
	insts := r.blocks[b].insts[:end-r.blocks[b].first]
	for i := range insts {
		r.pass(s, &insts[i])
	}
	v := get(s)
	r.slab.giveBack(s)
	return v
}

// earlyRegister gives the register on entry to the block that a value hangs on; NoReg where it is none.
func (v Value) earlyRegister() (reg Reg, early bool) {
	for _, a := range v {
		if a.Kind == Opaque && a.Why == Earlier {
			return Reg(a.N), true
		}
	}
	return 0, false
}

// onEntryTo gives what a register holds on entry to a block, if that is one thing.
func (r *Routine) onEntryTo(b int, reg Reg, depth int) (Value, bool) {
	var found Value
	seen := make([]bool, len(r.blocks))
	queue := []int{b}
	for n := 0; n < len(queue); n++ {
		blk := &r.blocks[queue[n]]
		if r.outlines[blk.first].At == r.Start {
			found = r.slab.join(found, r.slab.one(Atom{Kind: Entry, N: int64(reg), At: r.Start}), r.Start)
		}
		for _, p := range blk.from {
			prev := &r.blocks[p]
			r.lower(prev)
			switch {
			case prev.writes>>reg&1 != 0 || r.compares(prev, reg):
				v, ok := r.leaving(p, queue[n], reg, depth)
				if !ok {
					return nil, false
				}
				found = r.slab.join(found, v, r.outlines[blk.first].At)
			case !seen[p]:
				seen[p] = true
				queue = append(queue, p)
			}
			if len(found) > 1 {
				return nil, false
			}
		}
	}
	return found, len(found) == 1 && found[0].Kind != Opaque
}

// leaving gives what a register holds at the end of a block, on the way to another. Of a way that is not gone it is nothing.
func (r *Routine) leaving(p, to int, reg Reg, depth int) (Value, bool) {
	blk := &r.blocks[p]
	last := blk.lastInst()
	return r.demand(p, blk.last, nil, func(s *State) Value {
		out := r.slab.borrow(s.clone())
		defer r.slab.giveBack(out)
		r.pass(out, last)
		if v := out.regs[reg]; v.Early() || last.Flow != Branch {
			return v
		}
		for _, e := range blk.next {
			if e.to == to && out.branch(last, e.taken > 0) {
				return out.regs[reg]
			}
		}
		return nil
	}, depth)
}

// compares says whether the branch at the end of a block hangs on a register itself.
func (r *Routine) compares(b *block, reg Reg) bool {
	last := b.lastInst()
	if last.Flow != Branch {
		return false
	}
	names := func(o Operand) bool { return o.Kind == Register && o.Reg == reg }
	if last.Own {
		return names(last.on().A)
	}
	for i := len(b.insts) - 1; i >= 0; i-- {
		steps := b.insts[i].Steps
		for j := len(steps) - 1; j >= 0; j-- {
			if s := &steps[j]; s.Op == Compare || s.Op == Test {
				return names(s.A)
			} else if s.Flags {
				return names(s.Dst)
			}
		}
	}
	return false
}
