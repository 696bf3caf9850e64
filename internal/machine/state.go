package machine

import (
	"slices"
)

// State is what is known before an instruction.
type State struct {
	env   *Env
	slab  *slab
	regs  []Value
	slots []slot // sorted
	// borrowed says that another state has the same slots: they are copied before one is changed.
	borrowed bool
	// taken are addresses on the stack that may be known outside of the routine.
	taken []place
	flags flags
	// pushed is how many bytes were pushed as arguments since the last call, on x86.
	pushed int64
	// early is set in a block whose surroundings are not looked at.
	early bool
	// closely is set where routines that are called are looked into, for what they change; untouched as long as nothing has been written since
	// entry that an argument may point to.
	closely, untouched bool
	// in, there, is the routine.
	in *Routine
}

// flags are what the last comparison, or the last operation, left.
type flags struct {
	op   Op // Compare, Test, Add for any other whose result counts, Select where they are nzcv, Other for unknown
	a, b Operand
	av   Value
	bv   Value
	size uint8 // bytes, where a is gone
	// rest is a register that holds a - b of a Compare.
	rest Operand
	nzcv uint8
}

func (s *State) clone() State {
	s.share()
	c := *s
	c.regs = s.slab.copied(s.regs)
	return c
}

// share makes ready for a second state with the same slots.
func (s *State) share() { s.borrowed, s.taken = true, slices.Clip(s.taken) }

// own gives the state slots that it can change.
func (s *State) own() {
	if s.borrowed {
		s.slots, s.borrowed = s.slab.copyOf(s.slots), false
	}
}

// lose forgets all.
func (s *State) lose(at uint32) {
	gone := s.slab.opaque(TooMuch, at)
	for r := range s.regs {
		s.regs[r] = gone
	}
	s.slots, s.taken, s.flags, s.early, s.closely, s.untouched = nil, nil, flags{}, false, false, false
}

// Register gives what a register holds.
func (s *State) Register(r Reg) Value { return s.regs[r] }

// entryState is that on entry to a routine.
func entryState(env *Env, sl *slab, at uint32) State {
	s := State{env: env, slab: sl, regs: sl.registers(env.registers())}
	for r := range s.regs {
		s.regs[r] = sl.one(Atom{Kind: Entry, N: int64(r), At: at})
	}
	s.regs[env.Stack] = sl.one(Atom{Kind: Frame, At: at})
	s.regs[env.registers()-1] = sl.opaque(NotFollowed, at)
	return s
}

// run applies the steps of an instruction.
func (s *State) run(in *Inst) {
	steps := in.does()
	for i := range steps {
		s.step(&steps[i], in.At)
	}
	s.ran(in)
}

// ran applies what an instruction does besides its steps, once they are applied.
func (s *State) ran(in *Inst) {
	if s.env.Word == 4 {
		s.countPushes(in)
	}
}

// countPushes counts what an instruction pushes. A register that holds what it held on entry is saved, and is no argument; what else
// moves the stack ends the count.
func (s *State) countPushes(in *Inst) {
	n := len(in.Steps)
	if n == 0 || in.Flow != Next {
		return
	}
	moved := slices.ContainsFunc(in.Steps, func(p Step) bool { return p.Dst.Kind == Register && p.Dst.Reg == s.env.Stack })
	if !moved {
		return
	}
	last := in.Steps[n-1]
	if last.Dst.Kind != Memory || last.Dst.Reg != s.env.Stack || last.A.Kind != Register || last.A.Reg != temporaryX86 {
		s.pushed = 0
		return
	}
	v := s.regs[temporaryX86]
	if saved := len(v) == 1 && v[0].Kind == Entry && s.env.volatile>>uint(v[0].N)&1 == 0; !saved {
		s.pushed += int64(last.Dst.Width)
	}
}

func (s *State) step(p *Step, at uint32) {
	switch p.Op {
	case Compare, Test:
		if p.Cond != Perhaps && !s.reaches(p) {
			return
		}
		s.flags = flags{op: p.Op, a: p.A, b: p.B, av: s.read(p.A, p.A.Width, at), bv: s.read(p.B, p.A.Width, at), size: p.A.Width}
		if p.A == p.B {
			s.flags.bv = s.flags.av
		}
		return
	case Wipe:
		s.wipe(p.Dst, at)
		return
	}
	if p.Dst.Kind == Vector || p.A.Kind == Vector && p.Dst.Kind == Memory {
		s.copyVector(p, at)
		return
	}
	var v Value
	w := p.Dst.Width
	switch p.Op {
	case Other:
		v = s.slab.opaque(NotFollowed, at)
	case Move:
		v = s.read(p.A, w, at)
	case Address:
		v = s.narrow(s.address(p.A, at), Operand{Width: w}, w, at)
	case Not, Neg:
		v = s.unary(p, at)
	case Select:
		v = s.choose(p, at)
	default:
		v = s.binary(p, at)
	}
	if p.Flags {
		s.flags = s.result(p, v)
	}
	if p.Dst.Kind == Register && p.Dst.Reg == s.env.Stack && len(v) == 1 && (v[0].Kind == Opaque || v[0].Kind == Through) && !s.early {
		v = s.slab.one(Atom{Kind: Frame, Off: int64(at), At: at}) // moved by what is not known, as behind __chkstk: counted anew
	}
	isRest := p.Op == Sub && s.flags.op == Compare && s.flags.a == p.A && s.flags.b == p.B && p.Dst.Kind == Register
	s.write(p.Dst, v, at)
	if isRest {
		s.flags.rest = p.Dst
	}
	if p.Flags && p.Op != Other {
		s.flags.a = p.Dst // written before, the comparison with 0 is of what it holds now
	}
}

// reaches says whether a comparison on a condition is made: else the flags are what it says, or nothing is known of them.
func (s *State) reaches(p *Step) bool {
	yes, no := s.decide(p.Cond)
	switch {
	case yes && no:
		s.flags = flags{}
	case no:
		s.flags = flags{op: Select, nzcv: uint8(p.Dst.Imm)}
	}
	return yes && !no
}

// result is what flags the result of an operation leaves.
func (s *State) result(p *Step, v Value) flags {
	switch p.Op {
	case Other:
		return flags{}
	case And, Or, Xor:
		return flags{op: Test, av: v, bv: v, size: p.Dst.Width}
	}
	return flags{op: Add, av: v, bv: v, size: p.Dst.Width}
}

// binary computes A op B. Where both are the same operand, they have the same value, whichever that is.
func (s *State) binary(p *Step, at uint32) Value {
	w := p.Dst.Width
	a := s.read(p.A, w, at)
	if p.Op == Shr && len(a) == 1 && a[0].Off == pairs {
		if v, ok := s.upper(a[0], p.B); ok {
			return v
		}
	}
	if p.A == p.B {
		return s.slab.each(a, at, func(x Atom) Atom { return compute(p.Op, x, x, w, at) })
	}
	return s.slab.combine(p.Op, a, s.read(p.B, w, at), w, at)
}

func (s *State) unary(p *Step, at uint32) Value {
	return s.slab.each(s.read(p.A, p.Dst.Width, at), at, func(a Atom) Atom {
		if a.Kind != Number || a.Low != 0 {
			return unknown(a, a, at)
		}
		n := ^a.N
		if p.Op == Neg {
			n = -a.N
		}
		return Atom{N: cut(n, p.Dst.Width), At: at}
	})
}

// choose gives what a Select gives: one of the two where the flags decide, else both.
func (s *State) choose(p *Step, at uint32) Value {
	yes, no := s.decide(p.Cond)
	if yes && no && s.early && (s.flags.op == Other || s.flags.av.Early() || s.flags.bv.Early()) {
		return s.elsewhere(at)
	}
	a, b := s.read(p.A, p.Dst.Width, at), s.read(p.B, p.Dst.Width, at)
	switch {
	case yes && !no:
		return a
	case no && !yes:
		return b
	}
	return s.slab.join(a, b, at)
}

// read gives what an operand holds, for a destination of that width.
func (s *State) read(o Operand, width uint8, at uint32) Value {
	switch o.Kind {
	case Immediate:
		return s.slab.number(o.Imm, width, at)
	case Register:
		return s.narrow(s.regs[o.Reg], o, width, at)
	case Memory:
		return s.load(o, width, at)
	case Vector:
		return s.loadSlot(vectorPlace(o.Reg), min(o.Width, wholePart), at)
	}
	return s.slab.opaque(NotFollowed, at)
}

// narrow gives the lowest bytes of a value, extended to a width.
func (s *State) narrow(v Value, o Operand, width uint8, at uint32) Value {
	if len(v) == 1 && v[0].plain(o, width, s.env.Word) || s.allPlain(v, o, width) {
		return v
	}
	return s.slab.each(v, at, func(a Atom) Atom { return a.narrowed(o, width, at) })
}

func (s *State) allPlain(v Value, o Operand, width uint8) bool {
	for _, a := range v {
		if !a.plain(o, width, s.env.Word) {
			return false
		}
	}
	return true
}

// plain says whether an atom is the same when the operand's bytes of it are read.
func (a Atom) plain(o Operand, width, word uint8) bool {
	switch {
	case a.Kind == Opaque:
		return o.Width >= 4 || a == a.lost()
	case a.Low != 0:
		return false
	case o.Width >= word:
		return true
	case a.Kind == Number:
		return cut(a.N, o.Width) == a.N && (!o.Signed || extend(a.N, o.Width) == a.N)
	}
	return o.Width == 4 && a.masked() && !o.Signed
}

func (a Atom) narrowed(o Operand, width uint8, at uint32) Atom {
	switch {
	case a.Kind == Opaque && o.Width < 4:
		return a.lost()
	case a.Kind == Opaque:
		return a
	case a.Low != 0 && o.Width > a.Low:
		return Atom{Kind: Opaque, Why: NotFollowed, At: at}
	case a.Kind == Number:
		n := cut(a.N, o.Width)
		if o.Signed {
			n = cut(extend(n, o.Width), width)
		}
		return Atom{N: n, At: a.At}
	case a.masked() && (o.Width >= 4 || !o.Signed):
		a.Low = 0
		if o.Width < 4 {
			return withNumber(And, a, 1<<(8*o.Width)-1, 4, at)
		}
		return a
	case a.Kind == Table:
		return a
	}
	return Atom{Kind: Opaque, Why: NotFollowed, At: at}
}

// address gives the address that a memory operand means.
func (s *State) address(o Operand, at uint32) Value {
	w := s.env.Word
	v := s.slab.number(o.Imm, w, at)
	if o.Reg != NoReg {
		base := s.regs[o.Reg]
		if o.Imm == 0 && o.Index == NoReg {
			return base
		}
		v = s.slab.combine(Add, base, v, w, at)
	}
	if o.Index != NoReg && o.Index == o.Reg { // both have the same value, whichever that is
		factor := s.slab.number(int64(max(o.Scale, 1))+1, w, at)
		return s.slab.combine(Add, s.slab.combine(Mul, s.regs[o.Reg], factor, w, at), s.slab.number(o.Imm, w, at), w, at)
	}
	if o.Index != NoReg {
		index := s.regs[o.Index]
		if o.Scale > 1 {
			index = s.slab.combine(Mul, index, s.slab.number(int64(o.Scale), w, at), w, at)
		}
		v = s.slab.combine(Add, v, index, w, at)
	}
	return v
}

// load reads memory.
func (s *State) load(o Operand, width uint8, at uint32) Value {
	if t, ok := s.table(o, at); ok {
		return t
	}
	var out Value
	for _, a := range s.address(o, at) {
		v := s.loadAt(a, o, width, at)
		if out == nil {
			out = v
		} else {
			out = s.slab.join(out, v, at)
		}
	}
	return out
}

func (s *State) loadAt(a Atom, o Operand, width uint8, at uint32) Value {
	switch {
	case a.Kind == Frame && o.Width == wholePart && s.isPair(place{a.Off, a.N}):
		return s.loadPair(place{a.Off, a.N}, at)
	case a.Kind == Frame:
		return s.narrow(s.loadSlot(place{a.Off, a.N}, o.Width, at), o, width, at)
	case a.Kind == Number && a.Low == 0:
		if n, constant := s.env.Constant(uint64(a.N), o.Width); constant {
			return s.narrow(s.slab.number(int64(n), o.Width, at), o, width, at)
		}
		v := s.slab.one(Atom{Kind: Content, N: a.N, Width: o.Width, At: at})
		if o.Width < 4 {
			return s.narrow(v, o, width, at)
		}
		return v
	case a.pointsAt(s.env.Word):
		return s.slab.one(Atom{Kind: Member, N: a.N, Off: int64(int32(a.Plus)), Width: o.Width, At: at})
	case a.Kind == Opaque && a.Why == Earlier:
		a.Off, a.Width, a.At = o.Imm, o.Width, at // the last that was read on the way
		return s.slab.one(a)
	}
	lost := Atom{Kind: Opaque, Why: FromMemory, At: at}
	if t, ok := a.through(o.Width, at); ok && (s.untouched || !s.closely) {
		if s.closely {
			t.Mark = Untouched
		}
		return s.narrow(s.slab.one(t), o, width, at)
	} else if ok {
		lost.N = fromCaller
	} else if a.Kind == Opaque && (a.N == fromCaller || a.N == behindCallee) {
		lost.N = a.N
	}
	return s.slab.one(lost)
}

// table recognises the load of an entry of a table: at a fixed address, the index unknown. That of a pointer that memory holds, at a
// distance, is a member of what it points to.
func (s *State) table(o Operand, at uint32) (Value, bool) {
	base := uint64(0)
	if o.Reg != NoReg {
		v := s.regs[o.Reg]
		if o.Index == NoReg {
			if t, ok := s.member(v, o, at); ok || s.env.Word != 4 {
				return t, ok
			}
			return s.indexed(v, o, at)
		}
		n, ok := v.Number()
		if !ok {
			return nil, false
		}
		base = n
	}
	if o.Index == NoReg {
		return nil, false
	}
	if s.regs[o.Index].isNumbers() {
		return nil, false
	}
	t := Atom{Kind: Table, N: cut(int64(base)+o.Imm, s.env.Word), Width: o.Width, At: at}
	if o.Signed || o.Width == 4 && s.env.Word == 8 {
		t.Mark = Signed
	}
	if i := s.regs[o.Index]; len(i) == 1 && i[0].Kind == Table && i[0].Width == 1 && i[0].Off == 0 {
		t.Set = uint32(i[0].N - int64(s.env.Base)) // one table chooses among the entries of another
	}
	return s.slab.one(t), true
}

// indexed is a table on x86 that is addressed by its index and a fixed distance: bytes that tell which entry of another table counts.
func (s *State) indexed(v Value, o Operand, at uint32) (Value, bool) {
	_, inImage := s.env.Constant(uint64(uint32(o.Imm)), 1)
	if !inImage || o.Width > 2 || len(v) != 1 || v[0].Kind != Opaque && v[0].Kind != Result && v[0].Kind != Slot && v[0].Kind != Through {
		return nil, false
	}
	return s.slab.one(Atom{Kind: Table, N: int64(uint32(o.Imm)), Width: o.Width, At: at}), true
}

func (s *State) member(v Value, o Operand, at uint32) (Value, bool) {
	if len(v) != 1 || !v[0].pointsAt(s.env.Word) {
		return nil, false
	}
	return s.slab.one(Atom{Kind: Member, N: v[0].N, Off: o.Imm + int64(int32(v[0].Plus)), Width: o.Width, At: at}), true
}

// pointsAt says whether an atom is a pointer that memory holds, or so many bytes behind that.
func (a Atom) pointsAt(word uint8) bool {
	a.Plus = 0
	return a.Kind == Content && a.Width == word && a.Plain()
}

// write stores a value in a register or in memory.
func (s *State) write(o Operand, v Value, at uint32) {
	switch o.Kind {
	case Register:
		s.forget(o)
		if o.Width < 4 && o.Width < s.env.Word {
			v = s.merged(s.regs[o.Reg], v, o.Width, at)
		}
		s.regs[o.Reg] = v
	case Memory:
		s.forget(o)
		s.store(o, v, at)
	}
}

// forget unties the flags from a place that gets another content.
func (s *State) forget(o Operand) {
	for _, f := range []*Operand{&s.flags.a, &s.flags.b, &s.flags.rest} {
		if f.Kind == o.Kind && (f.Kind == Memory || f.Reg == o.Reg) || f.Kind == Memory && o.Kind == Register && (f.Reg == o.Reg || f.Index == o.Reg) {
			*f = Operand{}
		}
	}
}

// merged puts the lowest bytes into a register whose others stay.
func (s *State) merged(old, v Value, width uint8, at uint32) Value {
	if old.isNumbers() && v.isNumbers() {
		mask := cut(-1, width)
		high := s.slab.combine(And, old, s.slab.number(^mask, 8, at), 8, at)
		low := s.slab.combine(And, v, s.slab.number(mask, 8, at), 8, at)
		return s.slab.combine(Or, high, low, 8, at)
	}
	return s.slab.each(v, at, func(a Atom) Atom {
		if a.Kind == Number || a.masked() {
			a.Low = width
			return a
		}
		return unknown(a, a, at)
	})
}

// store writes memory: a slot where the address is one on the stack; else nothing that is followed, unless the address can
// be one on the stack.
func (s *State) store(o Operand, v Value, at uint32) {
	targets := s.address(o, at)
	numbers := v.isNumbers() // else an address may be kept
	for _, a := range v {
		if a.Kind == Frame && !onStack(targets) {
			s.take(place{a.Off, a.N})
		}
	}
	for _, a := range targets {
		s.untouched = s.untouched && (a.Kind == Frame || a.Kind == Number && numbers)
		switch {
		case a.Kind == Frame && len(targets) == 1:
			s.put(place{a.Off, a.N}, o.Width, v)
		case a.Kind == Frame: // one of several places
			s.spoil(place{a.Off, a.N}, int64(o.Width), NotFollowed, at)
		case a.Kind == Opaque && a.Why == Earlier && o.Reg == s.env.Frame: // it may be on the stack
			s.own()
			for i := range s.slots {
				s.slots[i].value = s.slab.one(a)
			}
		case a.Kind == Opaque, a.Kind == Through:
			s.spoilTaken(at)
		}
	}
}
