package machine

import "slices"

// place is an address on the stack: a distance from the stack pointer on entry, or as an instruction left it.
type place struct{ base, off int64 }

func (p place) before(q place) bool {
	return p.base < q.base || p.base == q.base && p.off < q.off
}

// slot is a part of the stack whose content is known.
type slot struct {
	place
	width uint8
	value Value
}

const maxSlots = 512

// slotsOfOne is how many slots take as much time as an instruction.
const slotsOfOne = 8

// loadSlot gives what the stack holds.
func (s *State) loadSlot(p place, width uint8, at uint32) Value {
	i, found := s.find(p)
	if found && s.slots[i].width >= width {
		v := s.slots[i].value
		if s.slots[i].width > width {
			return s.narrow(v, Operand{Width: width}, width, at)
		}
		return v
	}
	switch from, to := s.overlapping(p, int64(width)); {
	case to == from+1:
		return s.within(&s.slots[from], p, width, at)
	case from < to:
		return s.slab.opaque(NotFollowed, at)
	}
	return s.fresh(p, at)
}

// within gives a part of a slot, where that holds numbers.
func (s *State) within(x *slot, p place, width uint8, at uint32) Value {
	below := p.off - x.off
	if !x.value.isNumbers() || below < 0 || below+int64(width) > int64(x.width) {
		return s.slab.opaque(NotFollowed, at)
	}
	return s.slab.each(x.value, at, func(a Atom) Atom {
		a.N = cut(int64(uint64(a.N)>>(8*below)), width)
		return a
	})
}

// fresh is what a place holds that nothing has written: the caller's, or nothing.
func (s *State) fresh(p place, at uint32) Value {
	if s.early && (p.base != 0 || p.off < 0 || !s.in.keepsArguments()) {
		return s.elsewhere(at)
	}
	if p.base == vectors {
		return s.slab.opaque(NotFollowed, at)
	}
	if p.base == 0 && p.off >= 0 {
		return s.slab.one(Atom{Kind: Slot, N: p.off, At: at})
	}
	return s.slab.one(Atom{Kind: Opaque, Why: NotWritten, Width: s.env.Word, N: p.off, Off: p.base, At: at})
}

// elsewhere is something from in front of the block that is in no register.
func (s *State) elsewhere(at uint32) Value {
	return s.slab.one(Atom{Kind: Opaque, Why: Earlier, N: int64(NoReg), At: at})
}

// find gives the slot at a place, or where it would be.
func (s *State) find(p place) (int, bool) {
	low, high := 0, len(s.slots)
	for low < high {
		if middle := int(uint(low+high) >> 1); s.slots[middle].before(p) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, low < len(s.slots) && s.slots[low].place == p
}

func (s *State) overlapped(p place, length int64) bool {
	from, to := s.overlapping(p, length)
	return from < to
}

// overlapping gives the slots that overlap a range. They don't overlap each other, so one at most begins in front of it.
func (s *State) overlapping(p place, length int64) (from, to int) {
	from, _ = s.find(p)
	if from > 0 && s.slots[from-1].overlaps(p, length) {
		from--
	}
	for to = from; to < len(s.slots) && s.slots[to].overlaps(p, length); {
		to++
	}
	return from, to
}

func (x slot) overlaps(p place, length int64) bool {
	return x.base == p.base && x.off < p.off+length && p.off < x.off+int64(x.width)
}

func onStack(v Value) bool {
	for _, a := range v {
		if a.Kind != Frame {
			return false
		}
	}
	return true
}

func (s *State) take(p place) {
	if !slices.Contains(s.taken, p) && len(s.taken) < maxSlots {
		s.taken = append(s.taken, p)
	}
}

// put writes a slot; what it overlaps is gone.
func (s *State) put(p place, width uint8, v Value) {
	if i, found := s.find(p); found && s.slots[i].width == width {
		s.own()
		s.slots[i].value = v
		return
	}
	s.cutOut(p, int64(width))
	if i, found := s.find(p); !found && len(s.slots) < maxSlots {
		if s.borrowed || len(s.slots) == cap(s.slots) {
			s.slots, s.borrowed = s.slab.copyOf(s.slots), false
		}
		s.slots = slices.Insert(s.slots, i, slot{p, width, v})
	}
}

// cutOut removes the slots that overlap a range; of the caller's part of the stack, what is left of them is unknown, not the
// caller's.
func (s *State) cutOut(p place, length int64) {
	if from, to := s.overlapping(p, length); from < to {
		s.own()
		s.slots = slices.Delete(s.slots, from, to)
	}
}

// maxObject is how many bytes from an address on may belong to the object there.
const maxObject = 0x400

// spoil makes a range of the stack unknown. No object of a routine reaches into what its caller keeps; of that, only an argument may be
// written, by the address of it.
func (s *State) spoil(p place, length int64, why Why, at uint32) {
	own := p.base != 0 || p.off < 0
	if !own {
		length = min(length, 2*int64(s.env.Word))
	} else if p.base == 0 {
		length = min(length, -p.off)
	}
	s.cutOut(p, length)
	for off := p.off &^ 3; !own && off < p.off+length; off += 4 {
		s.put(place{0, off}, 4, s.slab.opaque(why, at))
	}
}

// spoilTaken makes unknown what a store through an unknown pointer, or a call, can reach. In a block whose surroundings are not looked at an
// address may be known from in front of it: that is all but what was pushed since. What is addressed from a frame that is known is kept, too,
// though it can be reached: unoptimised code of x86 calls through there with addresses below in registers, and its calls would be lost.
func (s *State) spoilTaken(at uint32) {
	for i := 0; s.early && i < len(s.slots); i++ {
		if x := &s.slots[i]; x.base != vectors && x.base != 0 && x.off >= 0 {
			s.own()
			s.slots[i].value = s.elsewhere(at)
		}
	}
	s.env.Budget -= (len(s.taken) + 1) * len(s.slots) / slotsOfOne
	for _, p := range s.taken {
		s.spoil(p, maxObject, ByCall, at)
	}
}

// wipe is a store of unknown length.
func (s *State) wipe(o Operand, at uint32) {
	if o.Kind != Memory {
		return
	}
	s.forget(o)
	for _, a := range s.address(o, at) {
		s.untouched = s.untouched && (a.Kind == Frame || a.Kind == Number)
		switch a.Kind {
		case Frame:
			s.spoil(place{a.Off, a.N}, maxObject, NotFollowed, at)
		case Opaque, Through:
			s.spoilTaken(at)
		}
	}
}
