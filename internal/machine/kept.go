package machine

// keepsArguments says whether surely nothing in a routine of x86 writes what its caller passed on the stack: it is addressed through
// the frame pointer, which is set up once, and that part of the stack is neither written nor pointed to.
func (r *Routine) keepsArguments() bool {
	if r.kept == 0 {
		r.kept = -1
		if r.env.Word == 4 && r.framed() {
			r.kept = 1
		}
	}
	return r.kept > 0
}

// framed looks at all steps for what keepsArguments says.
func (r *Routine) framed() bool {
	setUp, room := 0, int64(0)
	for in := range r.Insts() {
		if r.env.Budget--; len(in.Steps) == 0 {
			continue
		}
		for k := range in.Steps {
			p := &in.Steps[k]
			if p.isFrom(r.env.Frame, r.env.Stack) {
				setUp++
			}
			if room == 0 && p.Op == Sub && p.Dst.isRegister(r.env.Stack) && setUp == 1 {
				room = p.B.Imm
			}
			if !r.leavesArguments(p, room) {
				return false
			}
		}
	}
	return setUp == 1
}

// leavesArguments says whether a step neither writes arguments nor lets anything else point to them, with so much room below the frame.
func (r *Routine) leavesArguments(p *Step, room int64) bool {
	frame, stack := r.env.Frame, r.env.Stack
	const returnAddress = 4 // above the caller's frame pointer
	switch d := &p.Dst; {
	case p.Op == Compare || p.Op == Test:
		return true
	case d.isRegister(frame) && !p.isFrom(frame, stack) && !p.isFrom(frame, temporaryX86):
		return false
	case d.Kind == Memory && d.Reg == frame && d.Imm+int64(d.Width) > returnAddress,
		d.Kind == Memory && d.Reg == stack && (d.Index != NoReg || d.Imm > 0 && d.Imm+int64(d.Width) > room):
		return false
	}
	for _, o := range []*Operand{&p.A, &p.B} {
		switch {
		case p.Op == Address && (o.Reg == frame && o.Imm >= returnAddress || o.Reg == stack && !p.Dst.isRegister(stack)):
			return false
		case o.isRegister(frame) && !p.isFrom(stack, frame) && !p.isFrom(temporaryX86, frame),
			o.isRegister(stack) && !p.isFrom(frame, stack) && !p.Dst.isRegister(stack):
			return false
		}
	}
	return true
}

// isFrom says whether a step copies one register to another.
func (p *Step) isFrom(to, from Reg) bool {
	return p.Op == Move && p.Dst.isRegister(to) && p.A.isRegister(from)
}

func (o *Operand) isRegister(r Reg) bool { return o.Kind == Register && o.Reg == r }
