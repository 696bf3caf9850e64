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
	t := s.clone()
	for i, steps := 0, in.does(); i < len(steps); i++ {
		p := &steps[i]
		if (p.Dst.Kind == Memory || p.Op == Wipe) && !t.ownStack(p.Dst, in.At) {
			return true
		}
		t.step(p, in.At)
	}
	return false
}

// ownStack says whether what is written is the routine's own stack, its arguments included.
func (s *State) ownStack(to Operand, at uint32) bool {
	return onStack(s.address(to, at))
}

// Passed gives the last call in front of an instruction, in its block, that is given the address of a place on the stack, or one not far
// below, with the state before it. The place is what an atom says that is NotWritten.
func (r *Routine) Passed(a Atom) (before *State, in *Inst, ok bool) {
	r.solve()
	i, known := r.find(a.At)
	if !known || !a.isPlace() {
		return nil, nil, false
	}
	b := &r.blocks[r.blockOf(i)]
	if b.in == nil {
		return nil, nil, false
	}
	s, p := r.entering(b), place{a.Off, a.N}
	var mark Value // is in the place as long as nothing else may have written it
	for j := b.first; j < i; j++ {
		c := &r.insts[j]
		gives := c.Flow == Call && len(s.given(p)) > 0
		if gives {
			t := s.clone()
			before, in = &t, c
		}
		if r.pass(&s, c); gives {
			mark = r.slab.opaque(ByCall, c.At)
			s.put(p, 4, mark)
		}
	}
	k, found := s.find(p)
	return before, in, found && before != nil && shared(s.slots[k].value, mark)
}

// given tells by what a call that comes now may write a place on the stack: what of it holds an address of the place, or one not far below,
// an Entry or a Slot as the called routine finds it. Of the stack, all counts.
func (s *State) given(p place) (list []Atom) {
	near := func(v Value) bool {
		return slices.ContainsFunc(v, func(a Atom) bool { return a.Kind == Frame && a.Off == p.base && a.N <= p.off && p.off < a.N+maxObject })
	}
	for reg := range s.regs {
		if s.env.volatile>>reg&1 != 0 && near(s.regs[reg]) {
			list = append(list, Atom{Kind: Entry, N: int64(reg)})
		}
	}
	pushed := int64(0)
	if s.env.Stack == stackX86 {
		pushed = int64(s.env.Word)
	}
	sp := s.regs[s.env.Stack]
	for _, x := range s.slots {
		if near(x.value) {
			a := Atom{Kind: Slot, N: x.off + pushed}
			if len(sp) == 1 && sp[0].Kind == Frame && sp[0].Off == x.base {
				a.N -= sp[0].N
			}
			list = append(list, a)
		}
	}
	return list
}

// GivenFor tells by what a call may write the place that an atom says.
func (s *State) GivenFor(a Atom) []Atom { return s.given(place{a.Off, a.N}) }

// GivenAs tells by what a call that comes now is given an address: an Entry or a Slot as the called routine finds it.
func (s *State) GivenAs(in *Inst, address uint64) (list []Atom) {
	is := func(a Atom) bool { return a.Kind == Number && uint64(a.N) == address && a.Low == 0 }
	for _, u := range s.uses(in, func(v Value) bool { return slices.ContainsFunc(v, is) }) {
		list = append(list, u.Entry)
	}
	return list
}

// handsOn says whether a call that comes now, of a routine with so many arguments, is given what one of the atoms stands for, or may find it
// by an address on the stack. Less than none is a number that is not known.
func (s *State) handsOn(in *Inst, arguments int, list []Atom) bool {
	holds := func(v Value) bool { return anyOf(v, list) }
	kept := slices.ContainsFunc(s.slots, func(x slot) bool { return holds(x.value) })
	frames := func(v Value) bool {
		return kept && slices.ContainsFunc(v, func(a Atom) bool { return a.Kind == Frame })
	}
	if arguments < 0 {
		return len(s.uses(in, holds)) > 0 || len(s.uses(in, frames)) > 0
	}
	for n := 1; n <= arguments; n++ {
		if v := s.Argument(n, in.Flow != Call, in.At); holds(v) || frames(v) {
			return true
		}
	}
	return false
}

// anyOf says whether a value can be one of some atoms, or be computed from it.
func anyOf(v Value, list []Atom) bool {
	return slices.ContainsFunc(v, func(a Atom) bool {
		return slices.ContainsFunc(list, func(b Atom) bool { return a.Kind == b.Kind && a.N == b.N })
	})
}

// Output is a write of a routine through a pointer that it gets.
type Output struct {
	Pointer Atom // an Entry or a Slot; a Number where it is an address
	Off     int64
	Width   uint8
	At      uint32
	Value   Value
}

// Outputs gives all that a routine writes besides its own stack, through pointers that it gets; false where that is not known: it hands
// on one of those in the list, or writes elsewhere. Arguments says how many a call has, less than none where that is not known.
func (r *Routine) Outputs(pointers []Atom, arguments func(s *State, in *Inst) int) (list []Output, known bool) {
	known = true
	r.eachState(func(s *State, in *Inst) bool {
		if (in.Flow == Call || r.departs(in)) && s.handsOn(in, arguments(s, in), pointers) {
			known = false
		}
		t := s.clone()
		for i, steps := 0, in.does(); i < len(steps) && known; i++ {
			p := &steps[i]
			if p.Op == Wipe {
				known = false
			} else if p.Dst.Kind == Memory && !t.ownStack(p.Dst, in.At) {
				o, ok := t.output(p, in.At)
				list, known = append(list, o), ok && !anyOf(o.Value, pointers)
			}
			t.step(p, in.At)
		}
		return known
	})
	return list, known && r.Whole
}

// output is a write through a pointer that was there on entry, false where it is another.
func (s *State) output(p *Step, at uint32) (Output, bool) {
	to := s.address(p.Dst, at)
	if len(to) != 1 {
		return Output{}, false
	}
	if to[0].Kind == Number && to[0].Low == 0 { // a variable
		return Output{to[0], 0, p.Dst.Width, at, s.stored(p, at)}, true
	}
	t, ok := to[0].through(p.Dst.Width, at)
	return Output{t.Pointer(), t.Off, p.Dst.Width, at, s.stored(p, at)}, ok
}

// Wrote says whether what a called routine writes through a pointer goes to the place that an atom stands for, by the state before the
// call: to all of its four bytes, to none of them; or known is false.
func (s *State) Wrote(a Atom, o Output, at uint32) (all, known bool) {
	if o.Pointer.Kind == Number {
		return false, true
	}
	to := s.pointerOnEntry(o.Pointer, false, at)
	if len(to) != 1 || to[0].Kind != Frame && to[0].Kind != Number {
		return false, false
	}
	if to[0].Kind == Number || to[0].Off != a.Off {
		return false, to[0].Kind == Number
	}
	d := to[0].N + o.Off - a.N
	return d == 0 && o.Width >= 4, d == 0 && o.Width >= 4 || d >= 4 || d+int64(o.Width) <= 0
}

// At gives what the place that an atom stands for held.
func (s *State) At(a Atom, at uint32) Value { return s.loadSlot(place{a.Off, a.N}, 4, at) }
