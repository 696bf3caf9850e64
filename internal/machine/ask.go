package machine

import (
	"slices"
)

// Covering gives the instruction that covers an address.
func (r *Routine) Covering(at uint32) (*Inst, bool) {
	i, ok := r.covers(at)
	if !ok {
		return nil, false
	}
	return r.inst(i), true
}

// covers gives the place of the instruction that covers an address.
func (r *Routine) covers(at uint32) (int, bool) {
	i, found := r.find(at)
	if !found {
		i--
	}
	return i, i >= 0 && at < r.outlines[i].At+uint32(r.outlines[i].Len)
}

// Before gives the state before an instruction, false where the routine does not come there.
func (r *Routine) Before(at uint32) (*State, bool) {
	i, ok := r.find(at)
	if !ok {
		return nil, false
	}
	r.solveTo(r.blockOf(i))
	if i, ok = r.find(at); !ok || r.env.Budget < 0 { // more may be known of the routine
		return nil, false
	}
	b := &r.blocks[r.blockOf(i)]
	if b.in == nil {
		return nil, false
	}
	s := r.entering(b)
	for j := range b.insts[:i-b.first] {
		r.pass(&s, &b.insts[j])
	}
	return &s, true
}

// End gives the end of the last instruction in front of an address, 0 where there is none.
func (r *Routine) End(at uint32) uint32 {
	i, found := r.find(at)
	if !found && i == 0 || found {
		return 0
	}
	return r.outlines[i-1].At + uint32(r.outlines[i-1].Len)
}

// Holds says whether an instruction of the routine covers an address.
func (r *Routine) Holds(at uint32) bool { _, ok := r.covers(at); return ok }

// Inst gives the instruction at an address.
func (r *Routine) Inst(at uint32) (Inst, bool) {
	i, ok := r.find(at)
	if !ok {
		return Inst{}, false
	}
	return *r.inst(i), true
}

// Calls visits the calls of the routine, and the jumps that leave it, in the order of the code, each with the state before it.
func (r *Routine) Calls(visit func(s *State, in *Inst)) {
	for blk, s := range r.reached() {
		if !r.leaves(blk) {
			continue
		}
		for i := range blk.insts {
			in := &blk.insts[i]
			if r.calls(&in.Outline) {
				visit(s, in)
			}
			r.pass(s, in)
		}
	}
}

// leaves says whether a block has a call, or ends by leaving the routine.
func (r *Routine) leaves(b *block) bool {
	for i := b.first; i <= b.last; i++ {
		if r.calls(&r.outlines[i]) {
			return true
		}
	}
	return false
}

// calls says whether an instruction is a call, or a jump that leaves the routine.
func (r *Routine) calls(in *Outline) bool { return in.Flow == Call || r.departs(in) }

// Ends says whether a routine may end with an instruction: it returns, or a jump leaves it.
func (r *Routine) Ends(in *Outline) bool { return in.Flow == Return || r.departs(in) }

// departs says whether a jump leaves the routine.
func (r *Routine) departs(in *Outline) bool {
	return (in.Flow == Jump || in.Flow == Branch) && !in.Stays && (in.Known || len(r.tables[in.At]) == 0)
}

// Stores visits what the routine writes to fixed addresses, in the order of the code.
func (r *Routine) Stores(visit func(in *Inst, address uint64, width uint8, v Value)) {
	for blk, s := range r.reached() {
		for i := 0; i < len(blk.insts) && r.spend(); i++ {
			in := &blk.insts[i]
			r.storesOf(s, in, visit)
			if in.Flow == Call {
				s.call(in)
			}
		}
	}
}

// StoresBeyond says whether the routine writes anywhere to some bytes at a distance from a register other than the stack pointer, or at a
// distance that an index tells.
func (r *Routine) StoresBeyond(distance int64, width uint8) bool {
	overlaps := func(d *Operand) bool { return d.Imm < distance+int64(width) && distance < d.Imm+int64(max(d.Width, 1)) }
	for in := range r.Insts() {
		for j := range in.Steps {
			if d := &in.Steps[j].Dst; d.Kind == Memory && (d.Reg != NoReg && d.Reg != r.env.Stack && overlaps(d) || d.Index != NoReg) {
				return true
			}
		}
	}
	return false
}

func (r *Routine) storesOf(s *State, in *Inst, visit func(in *Inst, address uint64, width uint8, v Value)) {
	steps := in.does()
	for i := range steps {
		p := &steps[i]
		if p.Dst.Kind != Memory {
			s.step(p, in.At)
			continue
		}
		targets := s.address(p.Dst, in.At)
		v := s.stored(p, in.At)
		for _, a := range targets {
			if a.Kind == Number && a.Low == 0 {
				visit(in, uint64(a.N), p.Dst.Width, v)
			}
		}
		s.step(p, in.At)
	}
	s.ran(in)
}

// Stored gives what an instruction writes to memory, and how many bytes; false where it writes none, or is not reached.
func (r *Routine) Stored(at uint32) (v Value, width uint8, ok bool) {
	in, known := r.Inst(at)
	if !known {
		return nil, 0, false
	}
	steps := in.does()
	i := slices.IndexFunc(steps, func(s Step) bool { return s.Dst.Kind == Memory })
	if i < 0 {
		return nil, 0, false
	}
	v, ok = r.Value(at, nil, func(s *State) Value {
		t := s.slab.borrow(s.clone())
		defer s.slab.giveBack(t)
		for j := range i {
			t.step(&steps[j], at)
		}
		return t.stored(&steps[i], at)
	})
	return v, steps[i].Dst.Width, ok
}

// stored gives what a step writes to memory.
func (s *State) stored(p *Step, at uint32) Value {
	switch p.Op {
	case Move:
		return s.read(p.A, p.Dst.Width, at)
	case And, Or:
		return s.slab.combine(p.Op, s.read(p.A, p.Dst.Width, at), s.read(p.B, p.Dst.Width, at), p.Dst.Width, at)
	}
	return s.slab.opaque(NotFollowed, at)
}

// Returns visits the state at each return.
func (r *Routine) Returns(visit func(s *State, in *Inst)) {
	for blk, s := range r.reached() {
		if blk.lastInst().Flow != Return {
			continue
		}
		for i := range blk.insts {
			r.pass(s, &blk.insts[i])
		}
		visit(s, blk.lastInst())
	}
}

// Pops says how many bytes the routine at an address takes off the stack besides the return address, by the first return that is found.
func Pops(env *Env, start uint32) (bytes int, known bool) {
	const limit = 2000
	seen := map[uint32]bool{}
	queue := []uint32{start}
	var in Inst
	for n := 0; len(queue) > 0 && n < limit && env.Budget > 0; {
		at := queue[0]
		queue = queue[1:]
		for code := env.Code(at); !seen[at] && n < limit; n++ {
			seen[at] = true
			env.Budget--
			if !env.decode(code, at, env.Base, true, &in) {
				break
			}
			if in.Flow == Return {
				return int(in.Pops), true
			}
			if (in.Flow == Branch || in.Flow == Jump) && in.Known {
				queue = append(queue, in.Target)
			}
			if in.Flow == Jump || in.Flow == Stop {
				break
			}
			at, code = at+uint32(in.Len), code[in.Len:]
		}
	}
	return 0, false
}

// Reach says which instructions can run from an address on, itself included, as long as none of those is passed at which a way ends:
// the last of each way counts as reached. Only ways count that what is known of the values leaves open.
func (r *Routine) Reach(from uint32, ends func(in *Outline) bool) Reached {
	r.solve()
	reached := Reached{r, make([]bool, len(r.outlines))}
	i, ok := r.find(from)
	if !ok {
		return reached
	}
	begun := make([]bool, len(r.blocks))
	queue := []int{i} // instructions
	for len(queue) > 0 {
		i := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		b := &r.blocks[r.blockOf(i)]
		if b.in == nil {
			continue
		}
		ended := false
		for ; i <= b.last && !ended; i++ {
			reached.bits[i] = true
			ended = ends(&r.outlines[i])
		}
		for _, e := range b.next {
			if !ended && e.live && !begun[e.to] {
				begun[e.to] = true
				queue = append(queue, r.blocks[e.to].first)
			}
		}
	}
	r.env.Budget -= len(reached.bits) / reachedOfOne
	return reached
}

// Reached are the instructions of a routine that can run.
type Reached struct {
	r    *Routine
	bits []bool
}

// Has says whether an instruction is among them.
func (x Reached) Has(at uint32) bool {
	i, ok := x.r.find(at)
	return ok && x.bits[i]
}

// Each visits them.
func (x Reached) Each(visit func(in *Outline)) {
	for i, is := range x.bits {
		if is {
			visit(&x.r.outlines[i])
		}
	}
}

// Use is a call that is given a value: as what it goes to, or as an argument.
type Use struct {
	Target bool // it is what is called
	// Entry is what the called routine finds the value as: an Entry or a Slot.
	Entry Atom
	Inst  *Inst
	To    Value // what is called
}

// Uses finds the calls that are given a value, where it is put on the stack, and says whether it goes anywhere else: into memory that is
// not the routine's own.
func (r *Routine) Uses(is func(Atom) bool) (uses []Use, placed []uint32, escapes bool) {
	holds := func(v Value) bool { return len(v) > 0 && slices.ContainsFunc(v, is) }
	for blk, s := range r.reached() {
		for i := 0; i < len(blk.insts) && r.spend(); i++ {
			in := &blk.insts[i]
			for j, steps := 0, in.does(); j < len(steps); j++ {
				p := &steps[j]
				if p.Op == Move && p.Dst.Kind == Memory && s.holding(p, in.At, holds) {
					placed = append(placed, in.At)
					escapes = escapes || !onStack(s.address(p.Dst, in.At))
				}
				s.step(p, in.At)
			}
			s.ran(in)
			if r.calls(&in.Outline) {
				uses = append(uses, s.uses(in, holds)...)
			}
			if in.Flow == Call {
				s.call(in)
				s.dropArguments(maxArguments * int64(s.env.Word))
			}
		}
	}
	return uses, placed, escapes
}

// holding says whether what a step moves is something, or a part of it.
func (s *State) holding(p *Step, at uint32, is func(Value) bool) bool {
	if p.A.Kind == Vector {
		return s.holdsPart(p.A, is)
	}
	return is(s.read(p.A, p.Dst.Width, at))
}

// dropArguments forgets what was passed on the stack: it is the called routine's.
func (s *State) dropArguments(length int64) {
	if sp := s.regs[s.env.Stack]; len(sp) == 1 && sp[0].Kind == Frame {
		s.cutOut(place{sp[0].Off, sp[0].N}, length)
	}
}

// maxArguments is how many arguments on the stack are looked at.
const maxArguments = 12

// mayPass says whether a register is looked at for an argument of a call: of x86, whose compilers pass what stays in the image in any that
// a call may change, all those.
func (e *Env) mayPass(r Reg) bool {
	return e.Passes(r) && (e.Word == 4 || slices.Contains(e.arguments(), r))
}

// uses gives what a call does with a value.
func (s *State) uses(in *Inst, holds func(Value) bool) []Use {
	var list []Use
	to := s.Target(in)
	if holds(to) {
		list = append(list, Use{Target: true, Inst: in, To: to})
	}
	for reg := range s.regs {
		if s.env.mayPass(Reg(reg)) && holds(s.regs[reg]) {
			list = append(list, Use{Entry: Atom{Kind: Entry, N: int64(reg)}, Inst: in, To: to})
		}
	}
	pushed := int64(0) // the return address
	if in.Flow == Call && s.env.Stack == stackX86 {
		pushed = int64(s.env.Word)
	}
	sp := s.regs[s.env.Stack]
	for _, x := range s.slots {
		if len(sp) != 1 || sp[0].Kind != Frame || sp[0].Off != x.base || !holds(x.value) {
			continue
		}
		if off := x.off - sp[0].N; off >= 0 && off < maxArguments*int64(s.env.Word) {
			list = append(list, Use{Entry: Atom{Kind: Slot, N: off + pushed}, Inst: in, To: to})
		}
	}
	return list
}
