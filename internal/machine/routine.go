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
	// Called, where there is one, is told of each call that it Cares for, with the state behind it: it may say what has changed.
	Called func(before, after *State, in *Inst, target Value)
	Cares  func(before *State, target Value) bool
	// Budget is how many instructions may still be run through, in all routines.
	Budget int
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

// Routine is the code that is reached from an address without a call.
type Routine struct {
	Start uint32
	Insts []Inst // by address
	// Whole is false where an indirect jump leads to somewhere that is not known, or the routine is too large.
	Whole bool

	env    *Env
	slab   slab
	blocks []block
	index  index
	tables map[uint32][]uint32
	steps  []Step
	solved bool
	given  *State  // what a call passes, and
	by     *Inst   // the call; nil where the routine is followed for all callers
	early  []Value // of each register, in a block whose surroundings are not looked at
}

// index finds instructions by address: near the start of the routine in a table, elsewhere in a map.
type index struct {
	start uint32
	near  []int32 // one more than the position in Insts; 0 where there is none
	far   map[uint32]int32
}

const maxNear = 1 << 16

func (x *index) put(at uint32, i int32) {
	d := at - x.start
	if d >= maxNear {
		if x.far == nil {
			x.far = map[uint32]int32{}
		}
		x.far[at] = i + 1
		return
	}
	if int(d) >= len(x.near) {
		x.near = slices.Grow(x.near, int(d)+1-len(x.near))
		clear(x.near[len(x.near):cap(x.near)])
		x.near = x.near[:cap(x.near)]
	}
	x.near[d] = i + 1
}

func (x *index) get(at uint32) (int32, bool) {
	if d := at - x.start; d < maxNear {
		if int(d) >= len(x.near) {
			return 0, false
		}
		return x.near[d] - 1, x.near[d] != 0
	}
	i, ok := x.far[at]
	return i - 1, ok
}

// block is a run of instructions that is entered at the first only.
type block struct {
	first, last int // of Insts, last included
	in          *State
	visits      int
	next        []edge
	from        []int
	writes      uint64 // registers
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
	blocksBack = 4 // in which the comparison of a table's index is looked for
)

// Read reads the routine at an address. What it computes is followed when it is asked for, unless that tells how far it goes.
func Read(env *Env, start uint32) *Routine {
	r := &Routine{Start: start, env: env, Whole: true}
	r.read()
	r.split()
	if r.indirect() {
		r.solve()
	}
	return r
}

// indirect finds where the routine's jumps through registers and tables lead, as far as the code in front of each tells. It says
// whether it takes more to know that.
func (r *Routine) indirect() (unknown bool) {
	for range maxRounds {
		more := false
		unknown, r.Whole = false, true
		for b := range r.blocks {
			in := &r.Insts[r.blocks[b].last]
			if in.Flow != Jump || in.Known || in.Via.Kind == Memory && in.Via.Reg == NoReg && in.Via.Index == NoReg {
				continue
			}
			target, ok := r.demand(b, r.blocks[b].last, func(s *State) Value { return s.read(in.Via, r.env.Word, in.At) }, 0)
			if !ok {
				unknown = true
				continue
			}
			more = r.leads(target, b, false) || more
		}
		if !more {
			break
		}
		r.read()
		r.split()
	}
	return unknown || !r.Whole
}

// solve follows what the routine computes, and whatever it finds by jump tables.
func (r *Routine) solve() {
	if r.solved {
		return
	}
	r.solved = true
	for range maxRounds {
		r.Whole = true
		if !r.flowAll() {
			return
		}
		r.read()
		r.split()
	}
	r.flowAll()
}

// read decodes what can be reached.
func (r *Routine) read() {
	r.Insts, r.index = r.Insts[:0], index{start: r.Start, near: r.index.near}
	clear(r.index.near)
	queue := []uint32{r.Start}
	for len(queue) > 0 {
		lowest := 0 // so that instructions come in order, or nearly
		for i, at := range queue {
			if at < queue[lowest] {
				lowest = i
			}
		}
		at := queue[lowest]
		queue[lowest] = queue[len(queue)-1]
		queue = r.readRun(at, queue[:len(queue)-1])
	}
	order := func(a, b Inst) int { return int(int64(a.At) - int64(b.At)) }
	if slices.IsSortedFunc(r.Insts, order) {
		return
	}
	slices.SortFunc(r.Insts, order)
	for i := range r.Insts {
		r.index.put(r.Insts[i].At, int32(i))
	}
}

// readRun decodes up to the end of a run, or to what is known already.
func (r *Routine) readRun(at uint32, queue []uint32) []uint32 {
	code := r.env.Code(at)
	for {
		if _, known := r.index.get(at); known {
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
		r.index.put(at, int32(len(r.Insts)))
		if in.Known && (in.Flow == Branch || in.Flow == Jump) && r.env.Inside(r.Start, in.Target) {
			in.Stays = true
			if _, known := r.index.get(in.Target); !known {
				queue = append(queue, in.Target)
			}
		}
		if in.Flow == Jump && !in.Known {
			queue = append(queue, r.tables[in.At]...)
		}
		r.Insts = append(r.Insts, in)
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

// eachTarget visits where a jump leads to within the routine.
func (r *Routine) eachTarget(in *Inst, visit func(inst int)) {
	if in.Stays {
		if j, ok := r.index.get(in.Target); ok {
			visit(int(j))
		}
	}
	if in.Flow == Jump && !in.Known {
		for _, t := range r.tables[in.At] {
			if j, ok := r.index.get(t); ok {
				visit(int(j))
			}
		}
	}
}

// split makes the blocks.
func (r *Routine) split() {
	leads := make([]bool, len(r.Insts)+1)
	if i, ok := r.index.get(r.Start); ok {
		leads[i] = true
	}
	for i := range r.Insts {
		in := &r.Insts[i]
		r.eachTarget(in, func(j int) { leads[j] = true })
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
	r.link()
}

func (r *Routine) connect(b *block, at []int) {
	in := &r.Insts[b.last]
	taken := int8(0)
	if in.Flow == Branch {
		taken = 1
	}
	r.eachTarget(in, func(j int) { b.next = append(b.next, edge{to: at[j], taken: taken}) })
	if in.Flow == Next || in.Flow == Call || in.Flow == Branch {
		if j, ok := r.index.get(in.At + uint32(in.Len)); ok {
			b.next = append(b.next, edge{to: at[j], taken: -taken})
		}
	}
}

// flowAll runs through the blocks until nothing changes. It says whether jump tables were found that lead to more.
func (r *Routine) flowAll() (more bool) {
	i, ok := r.index.get(r.Start)
	if !ok {
		return false
	}
	s := entryState(r.env, &r.slab, r.Start)
	r.give(&s)
	entry := r.blockOf(int(i))
	r.blocks[entry].in = &s
	order, place := r.order(entry)
	waiting := make([]bool, len(order)) // by place in the order
	waiting[place[entry]] = true
	for {
		next := slices.Index(waiting, true)
		if next < 0 {
			return more
		}
		waiting[next] = false
		changed, found := r.flow(order[next])
		for _, b := range changed {
			waiting[place[b]] = true
		}
		more = more || found
	}
}

// order gives the blocks so that one comes behind those that lead to it, but for loops, and the place of each.
func (r *Routine) order(entry int) (order, place []int) {
	place = make([]int, len(r.blocks))
	order = make([]int, 0, len(r.blocks))
	type visit struct{ block, next int }
	seen := make([]bool, len(r.blocks))
	stack := []visit{{entry, 0}}
	seen[entry] = true
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if next := r.blocks[top.block].next; top.next < len(next) {
			to := next[top.next].to
			top.next++
			if !seen[to] {
				seen[to] = true
				stack = append(stack, visit{to, 0})
			}
			continue
		}
		order = append(order, top.block)
		stack = stack[:len(stack)-1]
	}
	slices.Reverse(order)
	for i, b := range order {
		place[b] = i
	}
	return order, place
}

// blockOf finds the block of an instruction.
func (r *Routine) blockOf(inst int) int {
	i, found := slices.BinarySearchFunc(r.blocks, inst, func(b block, inst int) int { return b.first - inst })
	if !found {
		i--
	}
	return i
}

// flow runs through a block, and hands on what it leaves. It gives the blocks to which that is new.
func (r *Routine) flow(b int) (changed []int, more bool) {
	blk := &r.blocks[b]
	blk.visits++
	r.env.Budget -= blk.last - blk.first + 1
	if r.env.Budget < 0 || blk.visits > maxVisits {
		r.Whole = false
		return nil, false
	}
	s := blk.in.clone()
	for i := blk.first; i <= blk.last; i++ {
		r.pass(&s, &r.Insts[i])
	}
	last := &r.Insts[blk.last]
	if last.Flow == Jump && !last.Known {
		more = r.leads(s.read(last.Via, r.env.Word, last.At), b, s.entered())
	}
	for i := range blk.next {
		e := &blk.next[i]
		out := s
		if i+1 < len(blk.next) {
			out = s.clone()
		}
		if e.taken != 0 && !out.branch(last, e.taken > 0) {
			continue
		}
		e.live = true
		if r.arrive(e.to, &out) {
			changed = append(changed, e.to)
		}
	}
	return changed, more
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
	if in.Own {
		on := in.on()
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

// leads finds where an indirect jump leads: to what a table holds, or to some of it where the index is known.
func (r *Routine) leads(target Value, b int, handsOver bool) (more bool) {
	in := &r.Insts[r.blocks[b].last]
	known := r.tables[in.At]
	for _, a := range target {
		switch a.Kind {
		case Table:
			list := r.entries(a, r.bound(b))
			if len(list) == 0 {
				r.Whole = false
			}
			known = addNew(known, list...)
		case Number:
			if to := uint64(a.N) - r.env.Base; to>>32 == 0 && r.env.Inside(r.Start, uint32(to)) {
				known = addNew(known, uint32(to))
			}
		case Content, Member: // through an import's slot it leaves the routine
		default:
			if !handsOver || !r.pointer(a) {
				r.Whole = false
			}
		}
	}
	if len(known) == len(r.tables[in.At]) {
		return false
	}
	if r.tables == nil {
		r.tables = map[uint32][]uint32{}
	}
	r.tables[in.At] = known
	return true
}

// pointer says whether an address is one that is handed to the routine, or read from where no index chooses: that of another routine.
func (r *Routine) pointer(a Atom) bool {
	if a.Kind == Entry || a.Kind == Slot || a.Kind == Result {
		return true
	}
	i, ok := r.index.get(a.At)
	if a.Kind != Opaque || a.Why != FromMemory || !ok {
		return false
	}
	in := &r.Insts[i]
	if in.Via.Kind == Memory {
		return in.Via.Index == NoReg
	}
	for k := range in.Steps {
		if m := &in.Steps[k].A; m.Kind == Memory && m.Index != NoReg {
			return false
		}
	}
	return true
}

// entered says whether the stack pointer is what it was on entry: a jump from there takes the routine's place.
func (s *State) entered() bool {
	sp := s.regs[s.env.Stack]
	return len(sp) == 1 && sp[0].Kind == Frame && sp[0].N == 0 && sp[0].Off == 0
}

func addNew(list []uint32, more ...uint32) []uint32 {
	for _, n := range more {
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

// bound finds the comparison of an index that comes before a jump through a table: how many entries it has, 0 where that is not seen.
func (r *Routine) bound(b int) int {
	for range blocksBack {
		from := r.blocks[b].from
		for _, p := range from {
			blk := &r.blocks[p]
			last := &r.Insts[blk.last]
			if last.Flow != Branch {
				continue
			}
			for _, e := range blk.next {
				if n := r.compared(blk, e.taken > 0, last.Cond); e.to == b && n > 0 {
					return n
				}
			}
		}
		if len(from) != 1 {
			return 0
		}
		b = from[0]
	}
	return 0
}

// compared gives how many numbers from 0 on pass the comparison in front of the end of a block, on one way; 0 where it is another
// comparison.
func (r *Routine) compared(b *block, taken bool, c Cond) int {
	if !taken {
		c = opposite[c]
	}
	s := r.setsFlags(b)
	if s == nil || s.Op != Compare || s.B.Kind != Immediate || s.B.Imm < 0 || s.B.Imm >= maxTable {
		return 0
	}
	switch c {
	case BelowEqual, LessEqual:
		return int(s.B.Imm) + 1
	case Below, Less:
		return int(s.B.Imm)
	}
	return 0
}

// setsFlags finds the step that left the flags at the end of a block; nil where that is not one alone.
func (r *Routine) setsFlags(b *block) *Step {
	for range blocksBack {
		for i := b.last; i >= b.first; i-- {
			steps := r.Insts[i].does()
			for j := len(steps) - 1; j >= 0; j-- {
				if s := &steps[j]; s.Op == Compare || s.Op == Test || s.Flags {
					return s
				}
			}
			if r.Insts[i].Flow == Call {
				return nil
			}
		}
		if len(b.from) != 1 {
			return nil
		}
		b = &r.blocks[b.from[0]]
	}
	return nil
}

// entries reads a jump table of so many entries; where that is not known, up to the first that leads out of the routine, or to where
// code is.
func (r *Routine) entries(t Atom, bound int) []uint32 {
	if t.Set != 0 { // bytes tell which entries count
		bytes := r.env.Code(t.Set)
		most := 0
		for _, n := range bytes[:min(bound, len(bytes))] {
			most = max(most, int(n)+1)
		}
		bound = most
	}
	var list []uint32
	at := uint64(t.N) - r.env.Base
	if at>>32 != 0 {
		return nil
	}
	data := r.env.Code(uint32(at))
	for i := 0; i < maxTable && len(data) >= int(t.Width) && (bound == 0 || i < bound); i++ {
		if _, code := r.index.get(uint32(at) + uint32(i)*uint32(t.Width)); code && bound == 0 {
			break
		}
		to := cut(t.entry(data)<<t.Shift+t.Off, r.env.Word) - int64(r.env.Base)
		if to < 0 || to>>32 != 0 || !r.env.Inside(r.Start, uint32(to)) {
			break
		}
		list = addNew(list, uint32(to))
		data = data[t.Width:]
	}
	return list
}

// entry reads one entry. Those of four bytes in 64-bit code are distances, with a sign.
func (t Atom) entry(data []byte) int64 {
	n := int64(0)
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
	if t.Signed {
		n = extend(n, t.Width)
	}
	return n
}

// Near gives the state before an instruction as far as its own block tells: what comes from in front of that is Early.
func (r *Routine) Near(at uint32) (*State, bool) {
	i, ok := r.index.get(at)
	if !ok {
		return nil, false
	}
	b := &r.blocks[r.blockOf(int(i))]
	s := r.blankState(b)
	for j := b.first; j < int(i); j++ {
		r.pass(s, &r.Insts[j])
	}
	return s, true
}

// NearCalls visits the calls of an instruction's block, and a jump that leaves the routine, from that instruction on, with the state as far
// as the block tells.
func (r *Routine) NearCalls(at uint32, visit func(s *State, in *Inst)) {
	i, ok := r.index.get(at)
	if !ok {
		return
	}
	b := &r.blocks[r.blockOf(int(i))]
	s := r.blankState(b)
	for j := b.first; j <= b.last; j++ {
		in := &r.Insts[j]
		if j >= int(i) && (in.Flow == Call || r.departs(in)) {
			visit(s, in)
		}
		r.pass(s, in)
	}
}

// Covering gives the instruction that covers an address.
func (r *Routine) Covering(at uint32) (*Inst, bool) {
	i, found := slices.BinarySearchFunc(r.Insts, at, func(in Inst, at uint32) int { return int(int64(in.At) - int64(at)) })
	if !found {
		i--
	}
	if i < 0 || at >= r.Insts[i].At+uint32(r.Insts[i].Len) {
		return nil, false
	}
	return &r.Insts[i], true
}

// blankState is that before a block whose surroundings are not looked at.
func (r *Routine) blankState(b *block) *State {
	at := r.Insts[b.first].At
	if at == r.Start && len(b.from) == 0 {
		s := entryState(r.env, &r.slab, at)
		return &s
	}
	s := &State{env: r.env, slab: &r.slab, early: true}
	for reg := Reg(len(r.early)); reg < registers; reg++ {
		r.early = append(r.early, r.slab.one(Atom{Kind: Opaque, Why: Earlier, N: int64(reg), At: r.Start}))
	}
	copy(s.regs[:], r.early)
	s.regs[r.env.Stack] = r.slab.one(Atom{Kind: Frame, At: at})
	return s
}

// Before gives the state before an instruction, false where the routine does not come there.
func (r *Routine) Before(at uint32) (*State, bool) {
	r.solve()
	i, ok := r.index.get(at)
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
func (r *Routine) Holds(at uint32) bool { _, ok := r.Covering(at); return ok }

// Calls visits the calls of the routine, and the jumps that leave it, in the order of the code, each with the state before it.
func (r *Routine) Calls(visit func(s *State, in *Inst)) {
	r.solve()
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
	return (in.Flow == Jump || in.Flow == Branch) && !in.Stays && (in.Known || len(r.tables[in.At]) == 0)
}

// Stores visits what the routine writes to fixed addresses, in the order of the code.
func (r *Routine) Stores(visit func(in *Inst, address uint64, width uint8, v Value)) {
	r.solve()
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

// StoresBeyond says whether the routine writes anywhere at that distance from a register, or at one that an index tells.
func (r *Routine) StoresBeyond(distance int64) bool {
	for i := range r.Insts {
		for j := range r.Insts[i].Steps {
			if d := &r.Insts[i].Steps[j].Dst; d.Kind == Memory && (d.Reg != NoReg && d.Imm == distance || d.Index != NoReg) {
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
}

// Returns visits the state at each return.
func (r *Routine) Returns(visit func(s *State, in *Inst)) {
	r.solve()
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
	i, ok := r.index.get(at)
	if !ok {
		return Inst{}, false
	}
	return r.Insts[i], true
}

// Reach says which instructions can run from an address on, itself included, as long as none of those is passed at which a way ends:
// the last of each way counts as reached. Only ways count that what is known of the values leaves open.
func (r *Routine) Reach(from uint32, ends func(in *Inst) bool) Reached {
	r.solve()
	reached := Reached{r, make([]bool, len(r.Insts))}
	i, ok := r.index.get(from)
	if !ok {
		return reached
	}
	begun := make([]bool, len(r.blocks))
	queue := []int{int(i)} // instructions
	for len(queue) > 0 {
		i := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		b := &r.blocks[r.blockOf(i)]
		if b.in == nil {
			continue
		}
		ended := false
		for ; i <= b.last && !ended; i++ {
			in := &r.Insts[i]
			reached.bits[i] = true
			ended = ends(in)
		}
		for _, e := range b.next {
			if !ended && e.live && !begun[e.to] {
				begun[e.to] = true
				queue = append(queue, r.blocks[e.to].first)
			}
		}
	}
	return reached
}

// Use is a call that is given a value: as what it goes to, or as an argument.
type Use struct {
	At     uint32
	Target bool // it is what is called
	// Entry is what the called routine finds the value as: an Entry or a Slot.
	Entry Atom
	Inst  *Inst
	To    Value // what is called
}

// Uses finds the calls that are given a value, and says whether it goes anywhere else: into memory that is not the routine's own.
func (r *Routine) Uses(is func(Atom) bool) (uses []Use, escapes bool) {
	r.solve()
	holds := func(v Value) bool { return len(v) > 0 && slices.ContainsFunc(v, is) }
	for b := range r.blocks {
		blk := &r.blocks[b]
		if blk.in == nil {
			continue
		}
		s := blk.in.clone()
		for i := blk.first; i <= blk.last; i++ {
			in := &r.Insts[i]
			for j, steps := 0, in.does(); j < len(steps); j++ {
				p := &steps[j]
				if p.Op == Move && p.Dst.Kind == Memory && holds(s.read(p.A, p.Dst.Width, in.At)) && !onStack(s.address(p.Dst, in.At)) {
					escapes = true
				}
				s.step(p, in.At)
			}
			if in.Flow == Call || r.departs(in) {
				uses = append(uses, s.uses(in, holds)...)
			}
			if in.Flow == Call {
				s.call(in)
				s.dropArguments(maxArguments * int64(s.env.Word))
			}
		}
	}
	return uses, escapes
}

// dropArguments forgets what was passed on the stack: it is the called routine's.
func (s *State) dropArguments(length int64) {
	if sp := s.regs[s.env.Stack]; len(sp) == 1 && sp[0].Kind == Frame {
		s.cutOut(place{sp[0].Off, sp[0].N}, length)
	}
}

// maxArguments is how many arguments on the stack are looked at.
const maxArguments = 12

// uses gives what a call does with a value.
func (s *State) uses(in *Inst, holds func(Value) bool) []Use {
	var list []Use
	to := s.Target(in)
	if holds(to) {
		list = append(list, Use{At: in.At, Target: true, Inst: in, To: to})
	}
	for _, reg := range s.env.arguments() {
		if holds(s.regs[reg]) {
			list = append(list, Use{At: in.At, Entry: Atom{Kind: Entry, N: int64(reg)}, Inst: in, To: to})
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
			list = append(list, Use{At: in.At, Entry: Atom{Kind: Slot, N: off + pushed}, Inst: in, To: to})
		}
	}
	return list
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
	v, ok = r.Value(at, func(s *State) Value {
		t := s.clone()
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

// Reached are the instructions of a routine that can run.
type Reached struct {
	r    *Routine
	bits []bool
}

// Has says whether an instruction is among them.
func (x Reached) Has(at uint32) bool {
	i, ok := x.r.index.get(at)
	return ok && x.bits[i]
}

// Each visits them.
func (x Reached) Each(visit func(in *Inst)) {
	for i, is := range x.bits {
		if is {
			visit(&x.r.Insts[i])
		}
	}
}

// Keeps says whether what an instruction loads into a register is put somewhere else, too, before the next call.
func (r *Routine) Keeps(in *Inst) bool {
	const checked = 15 // where the guard of ARM64 gets a copy
	loaded := in.Steps[0].Dst.Reg
	i, _ := r.index.get(in.At)
	last := r.blocks[r.blockOf(int(i))].last
	for j := int(i) + 1; j <= last && r.Insts[j].Flow == Next; j++ {
		for _, s := range r.Insts[j].Steps {
			if s.Op == Move && s.A.Kind == Register && s.A.Reg == loaded && !(r.env.Stack == stackARM && s.Dst.Kind == Register && s.Dst.Reg == checked) {
				return true
			}
		}
	}
	return false
}
