package machine

// shadowSpace is where a called routine of x64 may keep its first four arguments.
const shadowSpace = 32

// call applies what a call does to any state: registers that it may change, what it may write on the stack, what it takes off it.
func (s *State) call(in *Inst) {
	target := s.Target(in)
	told := s.env.Called != nil && s.env.Cares(s, target)
	var before *State
	if told {
		before = s.slab.borrow(s.clone())
	}
	kept, untouched := uint64(0), false
	if s.closely {
		kept, untouched = s.env.Preserves(target)
	}
	bytes, known := 0, false
	if s.env.Word == 4 {
		bytes, known = s.env.Pops(in, target)
	}
	if !untouched {
		s.spoilPassed(s.mayPass(target, known), in.At)
	}
	s.untouched = s.untouched && untouched
	switch {
	case s.env.setsUp(in):
		s.setUp(in.At)
	case s.env.Word == 4:
		s.pop(in, bytes, known)
	case s.env.Stack == stackX86:
		s.dropArguments(shadowSpace)
	}
	lost := Atom{Kind: Opaque, Why: ByCall, At: in.At}
	if in.Known {
		lost.N = behindCallee
	}
	gone := s.slab.one(lost)
	for r := range s.regs {
		if s.env.volatile&^kept>>r&1 != 0 {
			s.regs[r] = gone
		}
	}
	s.spoilVectors()
	s.flags = flags{}
	s.regs[s.env.result] = s.slab.one(Atom{Kind: Result, N: int64(in.At), At: in.At})
	if told {
		s.env.Called(before, s, in, target)
		s.slab.giveBack(before)
	}
}

// setsUp says whether an instruction calls what sets up the frame of its caller.
func (e *Env) setsUp(in *Inst) bool { return in.Known && e.SetsUp != nil && e.SetsUp(in.Target) }

// setUp is what a routine leaves that sets up its caller's frame, as those do that are called first where exceptions are handled: the frame
// pointer is where the caller of all saved it, and the stack somewhere below.
func (s *State) setUp(at uint32) {
	const arguments = 8 // of the routine, which the frame takes the place of
	if sp := s.regs[s.env.Stack]; len(sp) == 1 && sp[0].Kind == Frame {
		frame := sp[0]
		s.cutOut(place{frame.Off, frame.N - maxObject}, maxObject+arguments)
		frame.N += arguments / 2
		s.regs[s.env.Frame] = s.slab.one(frame)
	} else {
		s.regs[s.env.Frame] = s.slab.opaque(ByCall, at)
	}
	s.regs[s.env.Stack] = s.slab.one(Atom{Kind: Frame, Off: int64(at), At: at})
	s.pushed = 0
}

// Target gives what a call, or a jump, goes to: a number where it is known.
func (s *State) Target(in *Inst) Value {
	if in.Known {
		return s.slab.number(int64(s.env.Base)+int64(in.Target), s.env.Word, in.At)
	}
	return s.read(in.Via, s.env.Word, in.At)
}

// mayPass gives the registers in which a called routine may get arguments. On x86 one that is called through memory, of which it is known what
// it takes off the stack, is one of Windows, by its name, and gets all of them there.
func (s *State) mayPass(target Value, known bool) (registers uint64) {
	if known && len(target) == 1 && target[0].Kind == Content {
		return 0
	}
	return s.env.volatile
}

// spoilPassed makes unknown what a called routine may write: whatever on the stack it is given the address of.
func (s *State) spoilPassed(registers uint64, at uint32) {
	s.spoilTaken(at)
	passed := make([]place, 0, 16)
	add := func(v Value) {
		for _, a := range v {
			if a.Kind == Frame {
				passed = append(passed, place{a.Off, a.N})
			}
		}
	}
	for r := range s.regs {
		if registers>>r&1 != 0 {
			add(s.regs[r])
		}
	}
	for _, x := range s.slots {
		add(x.value)
	}
	s.env.Budget -= len(passed) * len(s.slots) / slotsOfOne
	for _, p := range passed {
		s.spoil(p, maxObject, ByCall, at)
	}
}

// pop takes a called routine's arguments off the stack. Where it is not known how many there are, they are those that were pushed since
// the last call; where that is not known either, the stack is counted anew.
func (s *State) pop(in *Inst, bytes int, known bool) {
	n := int64(bytes)
	if !known {
		n = s.pushed
	}
	s.pushed = 0
	if n < 0 {
		s.regs[s.env.Stack] = s.slab.one(Atom{Kind: Frame, Off: int64(in.At), At: in.At})
		return
	}
	sp := s.regs[s.env.Stack]
	s.regs[s.env.Stack] = s.slab.combine(Add, sp, s.slab.number(n, 4, in.At), 4, in.At)
}

// Argument gives the argument of a call, or of a jump that takes its place, counted from 1, as the processor's convention has it.
func (s *State) Argument(n int, jump bool, at uint32) Value {
	order := s.env.arguments()
	if n <= len(order) {
		return s.regs[order[n-1]]
	}
	off := int64(0)
	switch {
	case s.env.Word == 4:
		off = int64(n-1) * 4
	case s.env.Stack == stackX86: // room for the first four comes first
		off = int64(n-1) * 8
	default:
		off = int64(n-9) * 8
	}
	if jump && s.env.Stack == stackX86 {
		off += int64(s.env.Word) // the return address
	}
	return s.OnStack(off, at)
}

// arguments are the registers of the first arguments.
func (e *Env) arguments() []Reg {
	switch {
	case e.Word == 4:
		return nil
	case e.Stack == stackX86:
		return []Reg{1, 2, 8, 9}
	}
	return []Reg{0, 1, 2, 3, 4, 5, 6, 7}
}

// OnStack gives the four bytes that the stack holds at a distance from the stack pointer.
func (s *State) OnStack(off int64, at uint32) Value {
	return s.load(Operand{Kind: Memory, Reg: s.env.Stack, Index: NoReg, Imm: off, Width: 4}, 4, at)
}

// OnEntry gives what an atom of a routine that is called from here, or jumped to, stands for: an Entry or a Slot.
func (s *State) OnEntry(a Atom, jump bool, at uint32) Value {
	switch {
	case a.Kind == Entry:
		return s.regs[Reg(a.N)]
	case !jump && s.env.Stack == stackX86:
		return s.OnStack(a.N-int64(s.env.Word), at)
	}
	return s.OnStack(a.N, at)
}

// OnEntry gives what a routine finds an argument as, counted from 1.
func (e *Env) OnEntry(n int) Atom {
	order := e.arguments()
	switch {
	case n <= len(order):
		return Atom{Kind: Entry, N: int64(order[n-1])}
	case e.Stack == stackX86: // behind the return address
		return Atom{Kind: Slot, N: int64(n) * int64(e.Word)}
	}
	return Atom{Kind: Slot, N: int64(n-1-len(order)) * int64(e.Word)}
}

// Set changes what a register holds behind a call.
func (s *State) Set(r Reg, v Value) { s.regs[r] = v }

// Returned is what a called routine returns.
func (s *State) Returned() Value { return s.regs[s.env.result] }

// SetReturned says what a called routine returned.
func (s *State) SetReturned(a Atom) { s.regs[s.env.result] = s.slab.one(a) }

// Write stores a number where an address on the stack leads to; false where it does not lead there.
func (s *State) Write(address Value, off int64, n int64, width uint8) bool {
	if len(address) != 1 || address[0].Kind != Frame {
		return false
	}
	a := address[0]
	s.put(place{a.Off, a.N + off}, width, s.slab.number(n, width, a.At))
	return true
}

// Read gives what the memory holds at a distance from an address.
func (s *State) Read(address Value, off int64, width uint8, at uint32) Value {
	if len(address) != 1 || address[0].Kind != Frame {
		return s.slab.opaque(FromMemory, at)
	}
	a := address[0]
	return s.loadSlot(place{a.Off, a.N + off}, width, at)
}

// Gives says whether a call that comes now may be given an address: in a register, or on the stack.
func (s *State) Gives(address uint64) bool {
	holds := func(v Value) bool {
		for _, a := range v {
			if a.Kind == Number && uint64(a.N) == address {
				return true
			}
		}
		return false
	}
	for r := range s.regs {
		if s.env.volatile>>r&1 != 0 && holds(s.regs[r]) {
			return true
		}
	}
	for _, x := range s.slots {
		if holds(x.value) {
			return true
		}
	}
	return false
}

// Passes says whether a register can bring an argument. Between routines of one image a compiler may choose any that a call may change.
func (e *Env) Passes(r Reg) bool { return e.volatile>>r&1 != 0 }

// KeepBeyond undoes what a call made unknown of the stack, but for so many bytes from an address on: no more was written there.
func (s *State) KeepBeyond(before *State, address Value, size int64) {
	if len(address) != 1 || address[0].Kind != Frame {
		return
	}
	from := place{address[0].Off, address[0].N}
	for _, x := range before.slots {
		if _, found := s.find(x.place); !found && !x.overlaps(from, size) {
			s.put(x.place, x.width, x.value)
		}
	}
}
