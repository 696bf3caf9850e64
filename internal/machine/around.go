package machine

import "slices"

const (
	maxAround = 24 // blocks that are followed together
	maxFirst  = 4  // of them that all ways lead through, from which on that is tried: it begins anew for each
)

// around gives a value before an instruction as its block and some in front of it tell: back to one that all ways there lead through. It is
// false where they don't tell, or not one thing, or where there is a loop among them.
func (r *Routine) around(b, end int, get func(s *State) Value) (Value, bool) {
	r.arrange()
	region, ahead := []int{b}, []int(nil) // ahead are those that lead there
	for from, tried := b, 0; tried < maxFirst; {
		for _, p := range r.blocks[from].from {
			if r.place[p] >= r.place[from] {
				return nil, false
			}
			if !slices.Contains(ahead, p) {
				ahead = append(ahead, p)
			}
		}
		if len(ahead) == 0 || len(region) == maxAround {
			return nil, false
		}
		last := 0
		for i, p := range ahead {
			if r.place[p] > r.place[ahead[last]] {
				last = i
			}
		}
		from = ahead[last]
		region, ahead = append(region, from), slices.Delete(ahead, last, last+1)
		if len(ahead) == 0 {
			tried++
			if v := r.along(region, end, get); len(v) == 1 && v[0].Kind != Opaque {
				return v, true
			}
		}
	}
	return nil, false
}

// along follows some blocks, of which each leads to some in front of it alone, from the last to an instruction of the first.
func (r *Routine) along(blocks []int, end int, get func(s *State) Value) (v Value) {
	var in [maxAround]*State
	first := len(blocks) - 1
	in[first] = r.blankState(&r.blocks[blocks[first]])
	for i := first; i > 0; i-- {
		if in[i] == nil {
			continue
		}
		blk := &r.blocks[blocks[i]]
		if r.runs(blk, in[i]) {
			for _, e := range blk.next {
				if to := slices.Index(blocks[:i], e.to); to >= 0 {
					r.goes(in[i], blk, e, &in[to])
				}
			}
		}
		r.slab.giveBack(in[i])
	}
	if s := in[0]; s != nil {
		blk := &r.blocks[blocks[0]]
		r.lower(blk)
		for i := range blk.insts[:end-blk.first] {
			r.pass(s, &blk.insts[i])
		}
		v = get(s)
		r.slab.giveBack(s)
	}
	return v
}

// runs takes a state through a block; false where a call never comes back.
func (r *Routine) runs(b *block, s *State) bool {
	r.lower(b)
	for i := range b.insts {
		in := &b.insts[i]
		if in.Flow == Call && !in.Known && r.env.Ends != nil && r.env.Ends(s.Target(in)) {
			return false
		}
		r.pass(s, in)
	}
	return true
}

// goes joins the state behind a block into the one before another, if the way there is gone.
func (r *Routine) goes(s *State, b *block, e edge, in **State) {
	r.env.Budget -= len(s.slots) / slotsOfOne
	out := r.slab.borrow(s.clone())
	if e.taken != 0 && !out.branch(b.lastInst(), e.taken > 0) {
		r.slab.giveBack(out)
		return
	}
	if *in == nil {
		*in = out
		return
	}
	r.slab.joinInto(*in, out, r.outlines[r.blocks[e.to].first].At, false)
	r.slab.giveBack(out)
}
