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
	r.slab.idle, r.slab.spare, r.slab.pairs = r.slab.idle[:0], r.slab.spare[:0], r.slab.pairs[:0]
	clear(r.slab.pairOf)
	for _, s := range r.slab.stores() {
		s.empty()
	}
}

// Size is how many bytes it has become large.
func (r *Room) Size() (bytes int) {
	for _, s := range r.slab.stores() {
		bytes += s.bytes()
	}
	return bytes
}

// store hands out parts of long slices, which hold what they held before.
type store[T any] struct {
	free   []T
	chunks [][]T
	used   int // of the chunks
}

const sizeChunk = 1 << 16 // bytes, at least

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
	s.free = make([]T, max(n, sizeChunk/sizeOf[T]()))
	s.chunks = append(s.chunks, s.free)
	s.used++
}

func (s *store[T]) empty() { s.free, s.used = nil, 0 }

func (s *store[T]) bytes() (n int) {
	for _, c := range s.chunks {
		n += len(c)
	}
	return n * sizeOf[T]()
}

func sizeOf[T any]() int { return int(reflect.TypeFor[T]().Size()) }

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
	pairs    []pair
	pairOf   map[pair]int // the place of each
	idle     []*State     // that were given back
	spare    [][]Value    // registers that were
	changed  []int        // blocks, by the last that was run through
}

// pair is what an atom has the bits of that is Both.
type pair struct{ a, b Atom }

// anyStore is one, whatever it is of.
type anyStore interface {
	empty()
	bytes() int
}

func (s *slab) stores() []anyStore {
	return []anyStore{&s.atoms, &s.values, &s.slots, &s.states, &s.steps, &s.insts, &s.outlines, &s.blocks, &s.edges, &s.numbers}
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
	v := s.registers(len(regs))
	copy(v, regs)
	return v
}

// registers gives room for those of a state, of which all of an image have as many.
func (s *slab) registers(n int) []Value {
	last := len(s.spare) - 1
	if last < 0 {
		return s.values.take(n)
	}
	v := s.spare[last]
	s.spare = s.spare[:last]
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

// borrow gives room for a state that is given back, its registers with it.
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

func (s *slab) giveBack(p *State) {
	s.idle, s.spare = append(s.idle, p), append(s.spare, p.regs)
	p.regs = nil
}

// place gives room for the steps of an instruction; taken says how many there are.
func (s *slab) place() []Step {
	if len(s.steps.free) < maxSteps {
		s.steps.more(maxSteps)
	}
	return s.steps.free[:0:maxSteps]
}

func (s *slab) taken(n int) { s.steps.free = s.steps.free[min(n, maxSteps):] }
