package machine

import (
	"iter"
	"slices"
)

// reader has room for what the reading of a routine takes, which the next one uses again.
type reader struct {
	read   []Outline
	inst   Inst   // that is read, with room for its steps
	leads  []bool // instructions that begin a block
	blocks []int32
	edges  []edge
	queue  []uint32 // where runs begin that wait
	into   []int    // how many edges lead to a block
	near   []int32  // one more than the place of an instruction, by its distance from the start of the routine; 0 where none is read
	far    map[uint32]int32
	start  uint32
	mixed  bool // the instructions are not in the order of their addresses
}

const (
	maxNear = 1 << 16
	growth  = 1 << 7
)

// place gives where the instruction at an address is in the list.
func (x *reader) place(at uint32) (int, bool) {
	n := int32(0)
	if d := at - x.start; d >= maxNear {
		n = x.far[at]
	} else if int(d) < len(x.near) {
		n = x.near[d]
	}
	return int(n) - 1, n > 0
}

func (x *reader) put(at uint32, place int) {
	d := at - x.start
	if d >= maxNear {
		if x.far == nil {
			x.far = map[uint32]int32{}
		}
		x.far[at] = int32(place) + 1
		return
	}
	if n := len(x.near); int(d) >= n {
		x.near = slices.Grow(x.near, int(d)+growth-n)[:int(d)+growth]
		clear(x.near[n:])
	}
	x.near[d] = int32(place) + 1
}

// begin makes it ready for another routine.
func (x *reader) begin(start uint32) {
	x.read, x.near, x.far, x.start, x.mixed = x.read[:0], x.near[:0], nil, start, false
}

// read finds what can be reached: where its instructions are, and which of them runs behind which, in blocks. The steps of those are
// decoded when they are asked for.
func (r *Routine) read() {
	room := r.env.room()
	x := &room.reader
	x.begin(r.Start)
	r.slab = &room.slab
	queue := append(x.queue[:0], r.Start)
	for len(queue) > 0 {
		lowest := max(0, len(queue)-maxLookedAt) // so that instructions come in order, or nearly
		for i := lowest; i < len(queue); i++ {
			if queue[i] < queue[lowest] {
				lowest = i
			}
		}
		at := queue[lowest]
		queue[lowest] = queue[len(queue)-1]
		queue = r.readRun(x, at, queue[:len(queue)-1])
	}
	x.queue = queue
	if x.mixed {
		slices.SortFunc(x.read, func(a, b Outline) int { return int(int64(a.At) - int64(b.At)) })
		for i := range x.read {
			x.put(x.read[i].At, i)
		}
	}
	r.outlines, r.wanted, r.order = r.slab.outlines.take(len(x.read)), nil, nil
	copy(r.outlines, x.read)
	r.split(x)
}

// readRun reads up to the end of a run, or to what is known already.
func (r *Routine) readRun(x *reader, at uint32, queue []uint32) []uint32 {
	code := r.env.Code(at)
	for {
		if _, known := x.place(at); known {
			return queue
		}
		r.env.Budget -= decoding
		if len(x.read) >= maxInsts || r.env.Budget < 0 {
			r.Whole = false
			return queue
		}
		if !r.env.decode(code, at, r.env.Base, true, &x.inst) {
			return queue
		}
		n := len(x.read)
		x.read = append(x.read, x.inst.Outline)
		in := &x.read[n]
		x.put(at, n)
		x.mixed = x.mixed || n > 0 && x.read[n-1].At > at
		if in.Known && (in.Flow == Branch || in.Flow == Jump) && r.env.Inside(r.Start, in.Target) {
			in.Stays = true
			if _, known := x.place(in.Target); !known {
				queue = append(queue, in.Target)
			}
		}
		if in.Flow == Jump && !in.Known {
			queue = append(queue, r.tables[in.At]...)
		}
		switch in.Flow {
		case Jump, Return, Stop:
			return queue
		}
		at, code = at+uint32(in.Len), code[in.Len:]
	}
}

const maxLookedAt = 64 // of the runs that wait to be decoded

// lower decodes the steps of a block's instructions.
func (r *Routine) lower(b *block) {
	if b.insts != nil {
		return
	}
	outlines := r.outlines[b.first : b.last+1]
	b.insts = r.slab.insts.take(len(outlines))
	code := r.env.Code(outlines[0].At)
	for i := range outlines {
		in := &b.insts[i]
		in.Steps = r.slab.place()
		r.env.decode(code, outlines[i].At, r.env.Base, false, in)
		in.Stays = outlines[i].Stays
		code = code[in.Len:]
		r.slab.taken(len(in.Steps))
		b.notes(in, r.env)
	}
}

// notes keeps what registers an instruction of the block writes.
func (b *block) notes(in *Inst, env *Env) {
	for k := range in.Steps {
		if d := &in.Steps[k].Dst; d.Kind == Register {
			b.writes |= 1 << d.Reg
		}
	}
	if in.Flow == Call {
		b.writes |= env.volatile | 1<<env.Stack
		if env.setsUp(in) {
			b.writes |= 1 << env.Frame
		}
	}
}

// Outlines gives where its instructions are, by address.
func (r *Routine) Outlines() []Outline { return r.outlines }

// Insts gives the instructions by address.
func (r *Routine) Insts() iter.Seq[*Inst] {
	return func(yield func(*Inst) bool) {
		for b := range r.blocks {
			r.lower(&r.blocks[b])
			for i := range r.blocks[b].insts {
				if !yield(&r.blocks[b].insts[i]) {
					return
				}
			}
		}
	}
}

// find gives the place of the instruction at an address.
func (r *Routine) find(at uint32) (int, bool) {
	low, high := 0, len(r.outlines)
	for low < high {
		if middle := int(uint(low+high) >> 1); r.outlines[middle].At < at {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, low < len(r.outlines) && r.outlines[low].At == at
}

// inst gives an instruction with its steps.
func (r *Routine) inst(i int) *Inst {
	b := &r.blocks[r.blockOf(i)]
	r.lower(b)
	return &b.insts[i-b.first]
}

// lastInst gives the last instruction of a block that is lowered.
func (b *block) lastInst() *Inst { return &b.insts[len(b.insts)-1] }

// eachTarget visits where a jump leads to within the routine that was read last.
func (x *reader) eachTarget(r *Routine, in *Outline, visit func(inst int)) {
	if in.Stays {
		if j, ok := x.place(in.Target); ok {
			visit(j)
		}
	}
	if in.Flow == Jump && !in.Known {
		for _, t := range r.tables[in.At] {
			if j, ok := x.place(t); ok {
				visit(j)
			}
		}
	}
}

// split makes the blocks of what was read.
func (r *Routine) split(x *reader) {
	x.leads = append(x.leads[:0], make([]bool, len(r.outlines)+1)...)
	if i, ok := x.place(r.Start); ok {
		x.leads[i] = true
	}
	count := 1
	for i := range r.outlines {
		in := &r.outlines[i]
		if in.Flow != Next && in.Flow != Call || i+1 == len(r.outlines) || r.outlines[i+1].At != in.At+uint32(in.Len) {
			x.leads[i+1] = true
			x.eachTarget(r, in, func(j int) { x.leads[j] = true })
		}
	}
	for _, is := range x.leads {
		if is {
			count++
		}
	}
	r.blocks = r.slab.blocks.take(count)[:0]
	x.blocks = append(x.blocks[:0], make([]int32, len(r.outlines))...) // the block that an instruction begins
	for i := range r.outlines {
		if x.leads[i] || i == 0 {
			x.blocks[i] = int32(len(r.blocks))
			r.blocks = append(r.blocks, block{first: i})
		}
		r.blocks[len(r.blocks)-1].last = i
	}
	r.connect(x)
}

// connect notes which blocks lead to which.
func (r *Routine) connect(x *reader) {
	x.edges, x.into = x.edges[:0], append(x.into[:0], make([]int, len(r.blocks))...)
	lead := func(to int32, taken int8) {
		x.edges = append(x.edges, edge{to: int(to), taken: taken})
		x.into[to]++
	}
	for i := range r.blocks {
		b := &r.blocks[i]
		first := len(x.edges)
		in := &r.outlines[b.last]
		taken := int8(0)
		if in.Flow == Branch {
			taken = 1
		}
		x.eachTarget(r, in, func(j int) { lead(x.blocks[j], taken) })
		if in.Flow == Next || in.Flow == Call || in.Flow == Branch {
			if j, ok := x.place(in.At + uint32(in.Len)); ok {
				lead(x.blocks[j], -taken)
			}
		}
		b.next = r.slab.edges.take(len(x.edges) - first)
		copy(b.next, x.edges[first:])
	}
	for i, n := range x.into {
		r.blocks[i].from = r.slab.numbers.take(n)[:0]
	}
	for i := range r.blocks {
		for _, e := range r.blocks[i].next {
			if to := &r.blocks[e.to]; !slices.Contains(to.from, i) {
				to.from = append(to.from, i)
			}
		}
	}
}
