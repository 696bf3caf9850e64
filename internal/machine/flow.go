package machine

import (
	"iter"
	"slices"
)

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
	}
	r.flowAll()
}

// solveTo follows the routine as far as it takes to know what there is before a block: the blocks that lead there. Where a jump may lead
// anywhere, that is all of them.
func (r *Routine) solveTo(block int) {
	if r.solved || len(r.tables) > 0 || r.partly == maxPartly {
		r.solve()
		return
	}
	if r.wanted == nil {
		r.wanted = make([]bool, len(r.blocks))
	}
	if r.wanted[block] {
		return
	}
	r.partly++
	r.wanted[block] = true
	var again []int // those that lead there, and were followed without
	for queue := []int{block}; len(queue) > 0; {
		b := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, p := range r.blocks[b].from {
			switch {
			case !r.wanted[p]:
				r.wanted[p] = true
				queue = append(queue, p)
			case r.blocks[p].in != nil:
				again = append(again, p)
			}
		}
	}
	r.flowFrom(again)
}

// maxPartly is how often a routine is followed in part before all of it is.
const maxPartly = 4

// flowAll runs through all blocks until nothing changes. It says whether jump tables were found that lead to more.
func (r *Routine) flowAll() (more bool) {
	r.wanted = nil
	var again []int
	for b := range r.blocks {
		if r.blocks[b].in != nil {
			again = append(again, b)
		}
	}
	return r.flowFrom(again)
}

// flowFrom runs through some blocks, and those to which they have something new, until nothing changes; through the first in any case.
func (r *Routine) flowFrom(blocks []int) (more bool) {
	i, ok := r.find(r.Start)
	if !ok {
		return false
	}
	if entry := r.blockOf(i); r.blocks[entry].in == nil {
		s := entryState(r.env, r.slab, r.Start)
		s.closely, s.untouched = r.closely, r.closely
		r.give(&s)
		r.blocks[entry].in = r.slab.state(s)
		r.arrange()
		blocks = append(blocks, entry)
	}
	waiting := make([]bool, len(r.order)) // by place in the order
	for _, b := range blocks {
		waiting[r.place[b]] = true
	}
	for from := 0; ; {
		next := slices.Index(waiting[from:], true)
		if next < 0 {
			return more
		}
		r.env.Budget -= next / blocksOfOne
		next += from
		waiting[next], from = false, next+1
		changed, found := r.flow(r.order[next])
		for _, b := range changed {
			waiting[r.place[b]], from = true, min(from, r.place[b])
		}
		more = more || found
	}
}

// arrange gives the blocks an order in which one comes behind those that lead to it, but for loops, and the place of each.
func (r *Routine) arrange() {
	if r.order != nil {
		return
	}
	i, _ := r.find(r.Start)
	r.order, r.place = r.inOrder(r.blockOf(i))
}

func (r *Routine) inOrder(entry int) (order, place []int) {
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
	if r.env.Budget < 0 || blk.visits > maxVisits {
		r.Whole = false
		return nil, false
	}
	s := r.slab.borrow(r.entering(blk))
	defer r.slab.giveBack(s)
	if !r.runs(blk, s) {
		return nil, false
	}
	changed = r.slab.changed[:0]
	last := blk.lastInst()
	if last.Flow == Jump && !last.Known {
		more = r.leads(s.read(last.Via, r.env.Word, last.At), b, s.entered())
	}
	for i := range blk.next {
		e := &blk.next[i]
		if r.wanted != nil && !r.wanted[e.to] {
			continue
		}
		r.env.Budget -= len(s.slots) / slotsOfOne
		out := s
		if i+1 < len(blk.next) {
			out = r.slab.borrow(s.clone())
		}
		if e.taken == 0 || out.branch(last, e.taken > 0) {
			e.live = true
			if r.arrive(e.to, out) {
				changed = append(changed, e.to)
			}
		}
		if out != s {
			r.slab.giveBack(out)
		}
	}
	r.slab.changed = changed
	return changed, more
}

// entering gives the state before a block, whose steps are there from then on.
func (r *Routine) entering(b *block) State {
	r.lower(b)
	return b.in.clone()
}

// reached visits the blocks that the routine comes to, each with the state before it.
func (r *Routine) reached() iter.Seq2[*block, *State] {
	return func(yield func(*block, *State) bool) {
		r.solve()
		for b := range r.blocks {
			if blk := &r.blocks[b]; blk.in != nil {
				s := r.slab.borrow(r.entering(blk))
				more := yield(blk, s)
				if r.slab.giveBack(s); !more {
					return
				}
			}
		}
	}
}

// spend takes an instruction off the budget.
func (r *Routine) spend() bool {
	r.env.Budget--
	return r.env.Budget >= 0
}

// pass takes a state through an instruction. Where no more may be run through, nothing is known behind it.
func (r *Routine) pass(s *State, in *Inst) {
	if !r.spend() {
		s.lose(in.At)
		return
	}
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
	return s.assume(f, c, in.At)
}

// arrive joins a state into a block's.
func (r *Routine) arrive(b int, s *State) (changed bool) {
	blk := &r.blocks[b]
	if blk.in == nil {
		blk.in = r.slab.state(s.clone())
		return true
	}
	return r.slab.joinInto(blk.in, s, r.outlines[blk.first].At, blk.visits > widenAfter)
}

// joinInto changes a state into what holds on both ways. It says whether that is something else.
func (sl *slab) joinInto(into, s *State, at uint32, widen bool) (changed bool) {
	out, same := into.joined(s, at, widen)
	if same {
		return false
	}
	if &out.regs[0] != &into.regs[0] {
		sl.spare = append(sl.spare, into.regs)
	}
	*into = out
	return true
}

// entered says whether the stack pointer is what it was on entry: a jump from there takes the routine's place.
func (s *State) entered() bool {
	sp := s.regs[s.env.Stack]
	return len(sp) == 1 && sp[0].Kind == Frame && sp[0].N == 0 && sp[0].Off == 0
}
