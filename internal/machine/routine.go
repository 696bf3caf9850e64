package machine

import (
	"encoding/binary"
	"slices"
)

// Env is what a routine's surroundings tell. Addresses are relative to the image's base where they are uint32.
type Env struct {
	decode   Decoder
	Base     uint64
	Word     uint8 // bytes in a pointer
	Stack    Reg
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
	// Called, where there is one, is told of each call, with the state behind it: it may say what has changed.
	Called func(before, after *State, in *Inst, target Value)
	// Budget is how many instructions may still be run through, in all routines.
	Budget int
}

// X64, X86 and ARM64 are the processors; what else an Env has is for the caller to set.
func X64() Env {
	const volatile = 1<<0 | 1<<1 | 1<<2 | 1<<8 | 1<<9 | 1<<10 | 1<<11
	return Env{decode: decodeX64, Word: 8, Stack: stackX86, volatile: volatile}
}

// X86 is the processor of 32 bits.
func X86() Env {
	const volatile = 1<<0 | 1<<1 | 1<<2
	return Env{decode: decodeIA32, Word: 4, Stack: stackX86, volatile: volatile}
}

// ARM64 is the processor of 64 bits.
func ARM64() Env {
	const volatile = 1<<18 - 1 | 1<<30
	return Env{decode: decodeARM64, Word: 8, Stack: stackARM, volatile: volatile}
}

// Routine is the code that is reached from an address without a call.
type Routine struct {
	Start uint32
	Insts []Inst // by address
	// Whole is false where an indirect jump leads to somewhere that is not known, or the routine is too large.
	Whole bool

	env    *Env
	slab   slab
	blocks []block
	index  map[uint32]int32 // of Insts, by address
	tables map[uint32][]uint32
	steps  []Step
}

// block is a run of instructions that is entered at the first only.
type block struct {
	first, last int // of Insts, last included
	in          *State
	visits      int
	next        []edge
}

// edge leads from the last instruction of a block to another.
type edge struct {
	to    int
	taken int8 // 1 where the branch is taken, -1 where it is not, 0 where it is none
}

// Limits of one routine.
const (
	maxInsts   = 1 << 16
	maxRounds  = 6 // of finding jump tables
	maxVisits  = 40
	widenAfter = 12
	maxTable   = 1024
)

// Follow reads the routine at an address and follows what it computes.
func Follow(env *Env, start uint32) *Routine {
	r := &Routine{Start: start, env: env, tables: map[uint32][]uint32{}}
	for range maxRounds {
		r.Whole = true
		r.read()
		r.split()
		if !r.solve() {
			break
		}
	}
	return r
}

// read decodes what can be reached.
func (r *Routine) read() {
	r.Insts, r.index = r.Insts[:0], map[uint32]int32{}
	queue := []uint32{r.Start}
	for len(queue) > 0 {
		at := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		queue = r.readRun(at, queue)
	}
	slices.SortFunc(r.Insts, func(a, b Inst) int { return int(int64(a.At) - int64(b.At)) })
	for i := range r.Insts {
		r.index[r.Insts[i].At] = int32(i)
	}
}

// readRun decodes up to the end of a run, or to what is known already.
func (r *Routine) readRun(at uint32, queue []uint32) []uint32 {
	code := r.env.Code(at)
	for {
		if _, known := r.index[at]; known {
			return queue
		}
		if len(r.Insts) >= maxInsts {
			r.Whole = false
			return queue
		}
		in := Inst{Steps: r.room()}
		if !r.env.decode(code, at, r.env.Base, &in) {
			return queue
		}
		r.steps = r.steps[:len(r.steps)+min(len(in.Steps), cap(r.steps)-len(r.steps))]
		r.index[at] = int32(len(r.Insts))
		r.Insts = append(r.Insts, in)
		queue = append(queue, r.targets(&in)...)
		switch in.Flow {
		case Jump, Return, Stop:
			return queue
		}
		at, code = at+uint32(in.Len), code[in.Len:]
	}
}

const maxSteps = 16 // of one instruction

// room gives place for the steps of an instruction.
func (r *Routine) room() []Step {
	if cap(r.steps)-len(r.steps) < maxSteps {
		r.steps = make([]Step, 0, 512)
	}
	return r.steps[len(r.steps) : len(r.steps) : len(r.steps)+maxSteps]
}

// targets are where a jump leads to within the routine.
func (r *Routine) targets(in *Inst) []uint32 {
	switch {
	case in.Flow == Branch, in.Flow == Jump && in.Known:
		if r.env.Inside(r.Start, in.Target) {
			return []uint32{in.Target}
		}
	case in.Flow == Jump:
		return r.tables[in.At]
	}
	return nil
}

// split makes the blocks.
func (r *Routine) split() {
	leads := make([]bool, len(r.Insts)+1)
	if i, ok := r.index[r.Start]; ok {
		leads[i] = true
	}
	for i := range r.Insts {
		in := &r.Insts[i]
		for _, t := range r.targets(in) {
			if j, ok := r.index[t]; ok {
				leads[j] = true
			}
		}
		if follows := i+1 < len(r.Insts) && r.Insts[i+1].At == in.At+uint32(in.Len); in.Flow != Next && in.Flow != Call || !follows {
			leads[i+1] = true
		}
	}
	r.blocks = r.blocks[:0]
	at := make([]int, len(r.Insts)) // the block that an instruction begins
	for i := range r.Insts {
		if leads[i] || i == 0 {
			at[i] = len(r.blocks)
			r.blocks = append(r.blocks, block{first: i})
		}
		r.blocks[len(r.blocks)-1].last = i
	}
	for b := range r.blocks {
		r.connect(&r.blocks[b], at)
	}
}

func (r *Routine) connect(b *block, at []int) {
	in := &r.Insts[b.last]
	taken := int8(0)
	if in.Flow == Branch {
		taken = 1
	}
	for _, t := range r.targets(in) {
		if j, ok := r.index[t]; ok {
			b.next = append(b.next, edge{at[j], taken})
		}
	}
	if in.Flow == Next || in.Flow == Call || in.Flow == Branch {
		if j, ok := r.index[in.At+uint32(in.Len)]; ok {
			b.next = append(b.next, edge{at[j], -taken})
		}
	}
}

// solve runs through the blocks until nothing changes. It says whether jump tables were found that lead to more.
func (r *Routine) solve() (more bool) {
	i, ok := r.index[r.Start]
	if !ok {
		return false
	}
	waiting := make([]bool, len(r.blocks))
	entry := r.blockOf(int(i))
	s := entryState(r.env, &r.slab, r.Start)
	r.blocks[entry].in = &s
	waiting[entry] = true
	for {
		b := slices.Index(waiting, true)
		if b < 0 {
			return more
		}
		waiting[b] = false
		if r.flow(b, waiting) {
			more = true
		}
	}
}

// blockOf finds the block of an instruction.
func (r *Routine) blockOf(inst int) int {
	i, found := slices.BinarySearchFunc(r.blocks, inst, func(b block, inst int) int { return b.first - inst })
	if !found {
		i--
	}
	return i
}

// flow runs through a block, and hands on what it leaves.
func (r *Routine) flow(b int, waiting []bool) (more bool) {
	blk := &r.blocks[b]
	blk.visits++
	r.env.Budget -= blk.last - blk.first + 1
	if r.env.Budget < 0 || blk.visits > maxVisits {
		r.Whole = false
		return false
	}
	s := blk.in.clone()
	for i := blk.first; i <= blk.last; i++ {
		r.pass(&s, &r.Insts[i])
	}
	last := &r.Insts[blk.last]
	if last.Flow == Jump && !last.Known {
		more = r.jumpTable(&s, last)
	}
	for _, e := range blk.next {
		out := s.clone()
		if e.taken != 0 && !out.branch(last, e.taken > 0) {
			continue
		}
		if r.arrive(e.to, &out) {
			waiting[e.to] = true
		}
	}
	return more
}

// pass takes a state through an instruction.
func (r *Routine) pass(s *State, in *Inst) {
	s.run(in)
	if in.Flow == Call {
		s.call(in)
	}
}

// branch narrows a state to one way of a branch, false where that is not gone.
func (s *State) branch(in *Inst, taken bool) bool {
	f := s.flags
	if on := &in.On; on.Op != Other {
		f = flags{op: on.Op, a: on.A, b: on.B, av: s.read(on.A, on.A.Width, in.At), bv: s.read(on.B, on.A.Width, in.At)}
		if on.A == on.B {
			f.bv = f.av
		}
	}
	c := in.Cond
	if !taken {
		c = opposite[c]
	}
	return s.assume(f, c)
}

// arrive joins a state into a block's.
func (r *Routine) arrive(b int, s *State) (changed bool) {
	blk := &r.blocks[b]
	if blk.in == nil {
		blk.in = s
		return true
	}
	out, same := blk.in.joined(s, r.Insts[blk.first].At, blk.visits > widenAfter)
	if same {
		return false
	}
	blk.in = &out
	return true
}

// jumpTable finds where an indirect jump leads.
func (r *Routine) jumpTable(s *State, in *Inst) (more bool) {
	target := s.read(in.Via, r.env.Word, in.At)
	if len(target) != 1 || target[0].Kind != Table {
		for _, a := range target { // through an import's slot it leaves the routine
			if a.Kind != Content && a.Kind != Member {
				r.Whole = false
			}
		}
		return false
	}
	old := len(r.tables[in.At])
	if old > 0 {
		return false
	}
	r.tables[in.At] = r.entries(target[0])
	if len(r.tables[in.At]) == 0 {
		r.Whole = false
	}
	return len(r.tables[in.At]) > 0
}

// entries reads a jump table up to the first entry that leads out of the routine.
func (r *Routine) entries(t Atom) []uint32 {
	var list []uint32
	at := uint64(t.N) - r.env.Base
	if at>>32 != 0 {
		return nil
	}
	data := r.env.Code(uint32(at))
	for i := 0; i < maxTable && len(data) >= int(t.Width); i++ {
		var n int64
		switch t.Width {
		case 1:
			n = int64(data[0])
		case 2:
			n = int64(binary.LittleEndian.Uint16(data))
		case 4:
			n = int64(binary.LittleEndian.Uint32(data))
		case 8:
			n = int64(binary.LittleEndian.Uint64(data))
		}
		if t.Signed || t.Width == 4 && r.env.Word == 8 {
			n = extend(n, t.Width)
		}
		to := cut(n<<t.Shift+t.Off, r.env.Word) - int64(r.env.Base)
		if to < 0 || to>>32 != 0 || !r.env.Inside(r.Start, uint32(to)) {
			break
		}
		if !slices.Contains(list, uint32(to)) {
			list = append(list, uint32(to))
		}
		data = data[t.Width:]
	}
	return list
}

// Before gives the state before an instruction, false where the routine does not come there.
func (r *Routine) Before(at uint32) (*State, bool) {
	i, ok := r.index[at]
	if !ok {
		return nil, false
	}
	b := &r.blocks[r.blockOf(int(i))]
	if b.in == nil {
		return nil, false
	}
	s := b.in.clone()
	for j := b.first; j < int(i); j++ {
		r.pass(&s, &r.Insts[j])
	}
	return &s, true
}

// End gives the end of the last instruction in front of an address, 0 where there is none.
func (r *Routine) End(at uint32) uint32 {
	i, found := slices.BinarySearchFunc(r.Insts, at, func(in Inst, at uint32) int { return int(int64(in.At) - int64(at)) })
	if !found && i == 0 || found {
		return 0
	}
	return r.Insts[i-1].At + uint32(r.Insts[i-1].Len)
}

// Holds says whether an instruction of the routine covers an address.
func (r *Routine) Holds(at uint32) bool {
	i, found := slices.BinarySearchFunc(r.Insts, at, func(in Inst, at uint32) int { return int(int64(in.At) - int64(at)) })
	return found || i > 0 && at < r.Insts[i-1].At+uint32(r.Insts[i-1].Len)
}

// Calls visits the calls of the routine, and the jumps that leave it, in the order of the code, each with the state before it.
func (r *Routine) Calls(visit func(s *State, in *Inst)) {
	for b := range r.blocks {
		blk := &r.blocks[b]
		if blk.in == nil || !r.leaves(blk) {
			continue
		}
		s := blk.in.clone()
		for i := blk.first; i <= blk.last; i++ {
			in := &r.Insts[i]
			if in.Flow == Call || r.departs(in) {
				visit(&s, in)
			}
			r.pass(&s, in)
		}
	}
}

// leaves says whether a block has a call, or ends by leaving the routine.
func (r *Routine) leaves(b *block) bool {
	for i := b.first; i <= b.last; i++ {
		if r.Insts[i].Flow == Call {
			return true
		}
	}
	return r.departs(&r.Insts[b.last])
}

// departs says whether a jump leaves the routine.
func (r *Routine) departs(in *Inst) bool {
	return (in.Flow == Jump || in.Flow == Branch) && len(r.targets(in)) == 0
}

// Stores visits what the routine writes to fixed addresses, in the order of the code.
func (r *Routine) Stores(visit func(in *Inst, address uint64, width uint8, v Value)) {
	for b := range r.blocks {
		blk := &r.blocks[b]
		if blk.in == nil {
			continue
		}
		s := blk.in.clone()
		for i := blk.first; i <= blk.last; i++ {
			r.storesOf(&s, &r.Insts[i], visit)
			if r.Insts[i].Flow == Call {
				s.call(&r.Insts[i])
			}
		}
	}
}

func (r *Routine) storesOf(s *State, in *Inst, visit func(in *Inst, address uint64, width uint8, v Value)) {
	for i := range in.Steps {
		p := &in.Steps[i]
		if p.Dst.Kind != Memory {
			s.step(p, in.At)
			continue
		}
		targets := s.address(p.Dst, in.At)
		var v Value
		if p.Op == Move {
			v = s.read(p.A, p.Dst.Width, in.At)
		} else {
			v = r.slab.opaque(NotFollowed, in.At)
			if p.Op == And || p.Op == Or {
				v = r.slab.combine(p.Op, s.read(p.A, p.Dst.Width, in.At), s.read(p.B, p.Dst.Width, in.At), p.Dst.Width, in.At)
			}
		}
		for _, a := range targets {
			if a.Kind == Number && a.Low == 0 {
				visit(in, uint64(a.N), p.Dst.Width, v)
			}
		}
		s.step(p, in.At)
	}
}

// Returns visits the state at each return.
func (r *Routine) Returns(visit func(s *State, in *Inst)) {
	for b := range r.blocks {
		blk := &r.blocks[b]
		if blk.in == nil || r.Insts[blk.last].Flow != Return {
			continue
		}
		s := blk.in.clone()
		for i := blk.first; i <= blk.last; i++ {
			r.pass(&s, &r.Insts[i])
		}
		visit(&s, &r.Insts[blk.last])
	}
}

// Pops says how many bytes the routine at an address takes off the stack besides the return address, by the first return that is found.
func Pops(env *Env, start uint32) (bytes int, known bool) {
	const limit = 2000
	seen := map[uint32]bool{}
	queue := []uint32{start}
	var in Inst
	for n := 0; len(queue) > 0 && n < limit; {
		at := queue[0]
		queue = queue[1:]
		for code := env.Code(at); !seen[at] && n < limit; n++ {
			seen[at] = true
			if !env.decode(code, at, env.Base, &in) {
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

// Inst gives the instruction at an address.
func (r *Routine) Inst(at uint32) (Inst, bool) {
	i, ok := r.index[at]
	if !ok {
		return Inst{}, false
	}
	return r.Insts[i], true
}
