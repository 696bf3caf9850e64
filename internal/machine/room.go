package machine

import "reflect"

// Room is the memory that the routines of an image are read and followed in. What was asked of them must not be used any more once it is
// [Room.Empty]: the next image gets the same.
type Room struct {
	reader reader
	slab   slab
}

// NewRoom makes one.
func NewRoom() *Room { return &Room{reader: reader{inst: Inst{Steps: make([]Step, 0, maxSteps)}}} }

// Empty makes it ready for another image.
func (r *Room) Empty() {
	s := &r.slab
	s.idle = s.idle[:0]
	s.atoms.empty()
	s.values.empty()
	s.slots.empty()
	s.states.empty()
	s.steps.empty()
	s.insts.empty()
	s.outlines.empty()
	s.blocks.empty()
	s.edges.empty()
	s.numbers.empty()
}

// Large says whether it has become larger than most images need.
func (r *Room) Large() bool {
	s := &r.slab
	chunks := len(s.atoms.chunks) + len(s.values.chunks) + len(s.slots.chunks) + len(s.states.chunks) + len(s.steps.chunks) +
		len(s.insts.chunks) + len(s.outlines.chunks) + len(s.blocks.chunks) + len(s.edges.chunks) + len(s.numbers.chunks)
	return chunks > maxChunks
}

// store hands out parts of long slices, which hold what they held before.
type store[T any] struct {
	free   []T
	chunks [][]T
	used   int // of the chunks
}

const (
	sizeChunk = 1 << 16 // bytes
	maxChunks = 1 << 7
)

func (s *store[T]) take(n int) []T {
	if len(s.free) < n {
		s.more(n)
	}
	v := s.free[:n:n]
	s.free = s.free[n:]
	return v
}

// more goes on with the next chunk that is long enough.
func (s *store[T]) more(n int) {
	for s.used < len(s.chunks) {
		s.free = s.chunks[s.used]
		if s.used++; len(s.free) >= n {
			return
		}
	}
	s.free = make([]T, max(n, sizeChunk/int(reflect.TypeFor[T]().Size())))
	s.chunks = append(s.chunks, s.free)
	s.used++
}

func (s *store[T]) empty() { s.free, s.used = nil, 0 }

// slab hands out what routines are read and followed with, without an allocation for each.
type slab struct {
	atoms    store[Atom]
	values   store[Value]
	slots    store[slot]
	states   store[State]
	steps    store[Step]
	insts    store[Inst]
	outlines store[Outline]
	blocks   store[block]
	edges    store[edge]
	numbers  store[int]
	idle     []*State // that were given back
	changed  []int    // blocks, by the last that was run through
}

const maxSteps = 16 // of one instruction

func (s *slab) one(a Atom) Value {
	if len(s.atoms.free) == 0 {
		s.atoms.more(1)
	}
	v := s.atoms.free[:1:1]
	s.atoms.free = s.atoms.free[1:]
	v[0] = a
	return v
}

// copied gives a copy of the registers of a state.
func (s *slab) copied(regs []Value) []Value {
	v := s.values.take(len(regs))
	copy(v, regs)
	return v
}

// copyOf gives a copy of the slots of a state, with room for some more.
func (s *slab) copyOf(slots []slot) []slot {
	v := s.slots.take(len(slots) + len(slots)/4 + 4)
	copy(v, slots)
	return v[:len(slots)]
}

// state gives room for one.
func (s *slab) state(t State) *State {
	p := &s.states.take(1)[0]
	*p = t
	return p
}

// borrow gives room for a state that is given back.
func (s *slab) borrow(t State) *State {
	n := len(s.idle)
	if n == 0 {
		return s.state(t)
	}
	p := s.idle[n-1]
	s.idle = s.idle[:n-1]
	*p = t
	return p
}

func (s *slab) giveBack(p *State) { s.idle = append(s.idle, p) }

// place gives room for the steps of an instruction; taken says how many there are.
func (s *slab) place() []Step {
	if len(s.steps.free) < maxSteps {
		s.steps.more(maxSteps)
	}
	return s.steps.free[:0:maxSteps]
}

func (s *slab) taken(n int) { s.steps.free = s.steps.free[min(n, maxSteps):] }
