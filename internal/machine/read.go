package machine

import "slices"

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

// read decodes what can be reached.
func (r *Routine) read() {
	r.Insts, r.index = r.Insts[:0], index{start: r.Start, near: r.index.near}
	clear(r.index.near)
	queue := []uint32{r.Start}
	for len(queue) > 0 {
		lowest := max(0, len(queue)-maxLookedAt) // so that instructions come in order, or nearly
		for i := lowest; i < len(queue); i++ {
			if queue[i] < queue[lowest] {
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
		r.env.Budget -= decoding
		if len(r.Insts) >= maxInsts || r.env.Budget < 0 {
			r.Whole = false
			return queue
		}
		in := Inst{Steps: r.room()}
		if !r.env.decode(code, at, r.env.Base, &in) {
			return queue
		}
		steps := r.env.steps
		*steps = (*steps)[:len(*steps)+min(len(in.Steps), cap(*steps)-len(*steps))]
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

const (
	maxSteps    = 16 // of one instruction
	maxLookedAt = 64 // of the runs that wait to be decoded
)

// room gives place for the steps of an instruction.
func (r *Routine) room() []Step {
	if r.env.steps == nil {
		r.env.steps = new([]Step)
	}
	steps := r.env.steps
	if cap(*steps)-len(*steps) < maxSteps {
		*steps = make([]Step, 0, 512)
	}
	return (*steps)[len(*steps) : len(*steps) : len(*steps)+maxSteps]
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
