package machine

// ReadClosely reads a routine for a closer look: at what the routines that it calls leave as it was, and at what its arguments point to.
func ReadClosely(env *Env, start uint32) *Routine {
	r := Read(env, start)
	if r.solved { // with less
		r = &Routine{Start: start, env: env, Whole: true, tables: r.tables}
		r.read()
	}
	r.closely = true
	return r
}

// maxKeeping is how many instructions a routine has at most that is looked at for what it keeps.
const maxKeeping = 100

// Preserves says which registers hold on each return what they held on entry, and whether all memory does that arguments may point to. A
// jump that takes the routine's place is one with what it leads to.
func (r *Routine) Preserves() (registers uint64, untouched bool) {
	if len(r.outlines) > maxKeeping {
		return 0, false
	}
	registers, untouched = ^uint64(0), true
	exits := 0
	for blk, s := range r.reached() {
		last := blk.lastInst()
		if !r.Ends(&last.Outline) {
			continue
		}
		for i := range blk.insts {
			r.pass(s, &blk.insts[i])
		}
		kept, same := s.preserved(last)
		registers, untouched = registers&kept, untouched && same
		exits++
	}
	if exits == 0 || !r.Whole {
		return 0, false
	}
	return registers, untouched
}

// preserved is what is preserved where the routine is left.
func (s *State) preserved(last *Inst) (registers uint64, untouched bool) {
	registers, untouched = ^uint64(0), s.untouched
	for reg, v := range s.regs {
		if len(v) != 1 || v[0].Kind != Entry || v[0].N != int64(reg) || v[0].Low != 0 || !v[0].Plain() {
			registers &^= 1 << reg
		}
	}
	if last.Flow == Return {
		return registers, untouched
	}
	if !last.Known || !s.entered() {
		return 0, false
	}
	kept, same := s.env.Preserves(s.Target(last))
	return registers & kept, untouched && same
}
