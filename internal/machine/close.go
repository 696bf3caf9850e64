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
