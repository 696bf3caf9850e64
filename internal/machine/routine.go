package machine

// Env is what a routine's surroundings tell. Addresses are relative to the image's base where they are uint32.
type Env struct {
	decode   Decoder
	Base     uint64
	Word     uint8 // bytes in a pointer
	Stack    Reg
	Frame    Reg    // that compilers use to address what is on the stack
	volatile uint64 // registers that a call may change
	result   Reg
	// Code gives the bytes from an address to the end of its section, nil where there is no code.
	Code func(at uint32) []byte
	// Inside says whether a jump from a routine stays in it: else what it jumps to takes its place.
	Inside func(routine, to uint32) bool
	// Constant reads what is in the image and never changes.
	Constant func(address uint64, width uint8) (n uint64, constant bool)
	// Pops says how many bytes the routine that is called takes off the stack besides the return address (x86).
	Pops func(in *Inst, target Value) (bytes int, known bool)
	// Called, where there is one, is told of each call that it Cares for, with the state behind it: it may say what has changed. The one
	// before is no state any more once it returns.
	Called func(before, after *State, in *Inst, target Value)
	Cares  func(before *State, target Value) bool
	// Preserves says of a routine that is called which registers it leaves as they are, and whether it leaves all memory so that its arguments
	// may point to. It is asked of routines that are looked at closely.
	Preserves func(target Value) (registers uint64, untouched bool)
	// SetsUp, on x86, says of a routine that is called that it sets up the frame of its caller.
	SetsUp func(start uint32) bool
	// Ends, where there is one, says of a call whose target is not in the instruction that it never comes back.
	Ends func(target Value) bool
	// Budget is how many instructions may still be run through, in all routines.
	Budget int

	// Room is that of this Env and what is copied of it.
	Room *Room
}

// room makes one where nobody gave one.
func (e *Env) room() *Room {
	if e.Room == nil {
		e.Room = NewRoom()
	}
	return e.Room
}

// X64, X86 and ARM64 are the processors; what else an Env has is for the caller to set.
func X64() Env {
	const volatile = 1<<0 | 1<<1 | 1<<2 | 1<<8 | 1<<9 | 1<<10 | 1<<11
	return Env{decode: decodeX64, Word: 8, Stack: stackX86, Frame: 5, volatile: volatile}
}

// X86 is the processor of 32 bits.
func X86() Env {
	const volatile = 1<<0 | 1<<1 | 1<<2
	return Env{decode: decodeIA32, Word: 4, Stack: stackX86, Frame: 5, volatile: volatile}
}

// ARM64 is the processor of 64 bits.
func ARM64() Env {
	const volatile = 1<<18 - 1 | 1<<30
	return Env{decode: decodeARM64, Word: 8, Stack: stackARM, Frame: 29, volatile: volatile}
}

// registers says how many there are, with the temporary one as the last.
func (e *Env) registers() int {
	if e.Stack == stackARM {
		return int(temporaryARM) + 1
	}
	return int(temporaryX86) + 1
}

// Routine is the code that is reached from an address without a call.
type Routine struct {
	Start uint32
	// Whole is false where an indirect jump leads to somewhere that is not known, or the routine is too large.
	Whole bool

	env      *Env
	slab     *slab     // of the Env
	outlines []Outline // of its instructions, by address
	blocks   []block
	tables   map[uint32][]uint32
	solved   bool
	wanted   []bool // of each block whether it is followed; nil for all
	partly   int    // how often the routine was followed in part
	order    []int  // of the blocks
	place    []int  // of each block in it
	closely  bool
	given    *State  // what a call passes, and
	by       *Inst   // the call; nil where the routine is followed for all callers
	kept     int8    // 1 where it keeps its arguments, -1 where it may not, 0 where that was not asked yet
	early    []Value // of each register, in a block whose surroundings are not looked at
}

// block is a run of instructions that is entered at the first only.
type block struct {
	first, last int    // of the instructions, last included
	insts       []Inst // them, once they are lowered
	in          *State
	visits      int
	next        []edge
	from        []int
	writes      uint64 // registers, once it is lowered
}

// edge leads from the last instruction of a block to another.
type edge struct {
	to    int
	live  bool // what is known of the values leaves the way open
	taken int8 // 1 where the branch is taken, -1 where it is not, 0 where it is none
}

// Limits of one routine.
const (
	maxInsts   = 1 << 16
	maxRounds  = 6 // of finding jump tables
	maxVisits  = 200
	widenAfter = 20
	maxTable   = 1024

	blocksOfOne  = 64 // so many that wait for nothing take as much time as to run through an instruction
	decoding     = 3  // to decode one takes as much time, and room, as to run through so many
	reachedOfOne = 4  // so many that Reach looks at take as much as one
	blocksBack   = 4  // in which the comparison of a table's index is looked for
)

// Read reads the routine at an address. What it computes is followed when it is asked for, unless that tells how far it goes.
func Read(env *Env, start uint32) *Routine {
	r := &Routine{Start: start, env: env, Whole: true}
	r.read()
	if r.indirect() {
		r.solve()
	}
	return r
}

// Anew gives the routine with nothing followed yet, for surroundings that have the same code. Where tables tell how far it goes, it is read
// again.
func (r *Routine) Anew(env *Env) *Routine {
	if len(r.tables) > 0 || r.env.Budget < 0 {
		return Read(env, r.Start)
	}
	a := &Routine{Start: r.Start, env: env, Whole: true, slab: r.slab, outlines: r.outlines, kept: r.kept}
	a.blocks = r.slab.blocks.take(len(r.blocks))
	copy(a.blocks, r.blocks)
	for i := range a.blocks {
		b := &a.blocks[i]
		b.in, b.visits = nil, 0
		next := r.slab.edges.take(len(b.next))
		for j, e := range b.next {
			next[j] = edge{to: e.to, taken: e.taken}
		}
		b.next = next
	}
	if a.indirect() {
		a.solve()
	}
	return a
}
