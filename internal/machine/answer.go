package machine

// Answer follows a routine with what a call passes it, as far as that is numbers, for what it returns; false where that is not one
// number.
func Answer(env *Env, start uint32, s *State, in *Inst) (Value, bool) {
	r := &Routine{Start: start, env: env, Whole: true, given: s, by: in}
	r.read()
	if len(r.outlines) > maxAnswer {
		return nil, false
	}
	r.solve()
	var v Value
	r.Returns(func(s *State, in *Inst) {
		if v == nil {
			v = s.Returned()
		} else {
			v = r.slab.join(v, s.Returned(), in.At)
		}
	})
	if _, one := v.Number(); !one || !r.Whole {
		return nil, false
	}
	return v, true
}

const (
	maxAnswer = 200 // instructions
	maxGiven  = 8   // arguments on the stack
)

// give puts the numbers that a call passes into the state on entry.
func (r *Routine) give(s *State) {
	if r.given == nil {
		return
	}
	at := r.by.At
	for _, reg := range r.env.arguments() {
		if r.given.regs[reg].isNumbers() {
			s.regs[reg] = r.given.regs[reg]
		}
	}
	if r.env.Word != 4 {
		return
	}
	for off := int64(0); off < maxGiven*4; off += 4 {
		if v := r.given.OnStack(off, at); len(v) == 1 && v[0].Kind == Number {
			s.put(place{0, off + 4}, 4, v)
		}
	}
}

// Returns is the register of what a routine returns.
func (e *Env) Returns() Reg { return e.result }
