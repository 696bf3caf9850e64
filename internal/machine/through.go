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
	before := r.Reach(r.Start, func(in *Outline) bool { return in.At == at })
	i, ok := r.find(at)
	if !ok || !before.Has(at) {
		return false
	}
	again := r.Reach(at+uint32(r.outlines[i].Len), func(*Outline) bool { return false })
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
	for blk, s := range r.reached() {
		for i := range blk.insts {
			if !visit(s, &blk.insts[i]) {
				return
			}
			r.pass(s, &blk.insts[i])
		}
	}
}

// writesBeyondStack says whether an instruction writes anything but the routine's own stack.
func (s *State) writesBeyondStack(in *Inst) bool {
	t := s.slab.borrow(s.clone())
	defer s.slab.giveBack(t)
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
	for j := range b.insts[:i-b.first] {
		c := &b.insts[j]
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
		if (in.Flow == Call || r.departs(&in.Outline)) && s.handsOn(in, arguments(s, in), pointers) {
			known = false
		}
		t := s.slab.borrow(s.clone())
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
		s.slab.giveBack(t)
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
	return Output{t.Pointer(), int64(int16(t.Off)), p.Dst.Width, at, s.stored(p, at)}, ok && t.distances() == 1
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
