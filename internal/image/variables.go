package image

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/machine"
	"github.com/nxport/nxport/nx"
)

// variable is one of the image that a request reads, with all that writes it.
type variable struct {
	initial uint32
	stores  []store
	unknown string
	moments *moments
}

// store is a write of a variable.
type store struct {
	at      uint32
	routine uint32
	value   answer
	steps   []driver.Step
	direct  bool // the instruction names the variable, and nothing else in the routine writes it
	// through is what the routine gets that points to the variable, or in front of it; nil where it has the address of its own.
	through *filling
}

const (
	fieldReach = 0x100 // a variable is a field of a structure that begins so far in front of it, at most
	maxWriters = 128   // routines that name a variable
)

// place is where a variable is, and how wide it is: four bytes, or one where a compiler made a flag of it.
type place struct {
	rva   uint32
	width uint8
}

func (f *follower) placeOf(a machine.Atom) place {
	return place{uint32(uint64(a.N) - f.Base), min(a.Width, 4)}
}

// variableAt finds what writes a variable, as this follower's Windows has it.
func (f *follower) variableAt(p place) *variable {
	rva := p.rva
	if v := f.globals[p]; v != nil {
		return v
	}
	v := &variable{}
	f.globals[p] = v
	initial, ok := f.number(rva, p.width)
	if !ok {
		v.unknown = fmt.Sprintf("0x%x is not in the image", rva)
		return v
	}
	v.initial = uint32(initial)
	if f.isSlot(rva) {
		v.unknown = fmt.Sprintf("0x%x is imported", rva)
		return v
	}
	if f.general != nil {
		f.variableUnder(v, p)
		return v
	}
	w := f.naming(rva, p.width)
	switch {
	case len(w.routines) > maxWriters:
		v.unknown = fmt.Sprintf("%d routines use the variable at 0x%x", len(w.routines), rva)
		return v
	case w.lost:
		v.unknown = fmt.Sprintf("code names the variable at 0x%x that is not followed", rva)
	case w.taken:
		v.unknown = fmt.Sprintf("the address of the variable at 0x%x is in the image's data", rva)
	}
	for _, u := range w.direct {
		if !slices.Contains(w.routines, u.Start) {
			f.storedAt(v, p, u)
		}
	}
	for _, start := range w.routines {
		f.storesTo(v, p, f.routine(start))
	}
	if len(v.stores) == 0 && v.unknown == "" {
		f.fill(v, p)
	}
	return v
}

// variableUnder follows the routines that set a variable for one version of Windows.
func (f *follower) variableUnder(v *variable, p place) {
	general := f.general.variableAt(p)
	v.unknown = general.unknown
	var done []uint32
	var filled []filling
	for _, s := range general.stores {
		switch {
		case s.direct:
			f.storedAt(v, p, use{f.routine(s.routine), s.at, p.rva})
		case s.through != nil:
			if !slices.Contains(filled, *s.through) {
				filled = append(filled, *s.through)
				f.filledBy(v, p, f.routine(s.routine), *s.through)
			}
		case !slices.Contains(done, s.routine):
			done = append(done, s.routine)
			f.storesTo(v, p, f.routine(s.routine))
		}
	}
}

func (f *follower) isSlot(rva uint32) bool { _, ok := f.slots[rva]; return ok }

// writing is who may write a variable.
type writing struct {
	direct   []use    // instructions that name it and write there
	routines []uint32 // routines that have its address, or one that it is behind, in a register
	taken    bool     // its address is in the image's data
	lost     bool     // code names it that is not followed
}

// naming finds who may write a variable.
func (f *follower) naming(rva uint32, width uint8) writing {
	window := addresses{lo: rva - min(rva, fieldReach), hi: rva + uint32(width) - 1}
	var w writing
	for _, ref := range f.references(window) {
		if f.onlyLoads(ref.at) {
			continue
		}
		r, ok := f.startOf(ref.at)
		if !ok {
			w.lost = w.lost || ref.to == rva
			continue
		}
		in, ok := r.Covering(ref.at)
		if !ok {
			continue
		}
		to, writes, names := f.touches(in, ref.to)
		switch near := rva - to; {
		case writes > 0 && (near < uint32(writes) || -near < uint32(width)):
			w.direct = append(w.direct, use{r, in.At, to})
		case writes == 0 && names && (near == 0 || r.StoresBeyond(int64(near), width)) && !slices.Contains(w.routines, r.Start):
			w.routines = append(w.routines, r.Start)
		}
	}
	slices.Sort(w.routines)
	_, w.taken = f.pointerTo(rva)
	return w
}

// touches says how many bytes of memory an instruction writes, and whether it puts an address in a register; and which address that is, where
// it says so itself: what looks like a reference can be one to a neighbour, with an immediate behind it.
func (f *follower) touches(in *machine.Inst, reference uint32) (to uint32, writes uint8, names bool) {
	to = reference
	for _, s := range in.Steps {
		o := s.A
		switch {
		case s.Dst.Kind == machine.Memory && s.Op != machine.Wipe && (s.Dst.Reg == machine.NoReg || f.Processor == nx.ARM64):
			writes, o = max(writes, s.Dst.Width, 1), s.Dst
		case s.Op == machine.Address, s.A.Kind == machine.Immediate, s.B.Kind == machine.Immediate && s.Op == machine.Add:
			names = true
		}
		if o.Kind == machine.Memory && o.Reg == machine.NoReg {
			to = uint32(uint64(o.Imm) - f.Base)
		}
	}
	return to, writes, names
}

// onlyLoads says whether the instruction of a reference surely writes nothing but a register that is not its address: mov, cmp, test, add,
// or, and, sub, xor of a register with memory. It is told by the opcode in front of the ModRM byte.
func (f *follower) onlyLoads(reference uint32) bool {
	const loads = "\x03\x0b\x23\x2b\x33\x38\x39\x3a\x3b\x63\x84\x85\x8a\x8b"
	const field, addressOnly, loadEAX = 0xc7, 0x05, 0xa1
	code := f.At(reference - min(reference, 2))
	if f.Processor == nx.ARM64 || len(code) < 2 {
		return false
	}
	const group, call, jump, push = 0xff, 2, 4, 6
	if middle := code[1] >> 3 & 7; code[0] == group && code[1]&field == addressOnly && (middle == call || middle == jump || middle == push) {
		return true
	}
	return code[1]&field == addressOnly && strings.IndexByte(loads, code[0]) >= 0 || f.Processor == nx.X86 && code[1] == loadEAX
}

// storedAt adds what an instruction writes to a variable that it names.
func (f *follower) storedAt(v *variable, p place, u use) {
	value, width, ok := u.Stored(u.at)
	if _, reached := u.Before(u.at); !ok || !reached && !f.exhausted() {
		return // flags of the opt-in that are nothing leave its variables alone
	}
	if u.to != p.rva || width < p.width {
		v.unknown = fmt.Sprintf("at 0x%x a part of the variable at 0x%x is written", u.at, p.rva)
		return
	}
	v.add(f, u.at, value, u.Routine)
	v.stores[len(v.stores)-1].direct = true
}

func (v *variable) add(f *follower, at uint32, value machine.Value, r *machine.Routine) {
	q := &query{f: f}
	s := store{at: at, routine: r.Start, value: q.resolve(value, r)}
	s.steps = q.steps
	v.stores = append(v.stores, s)
}

// storesTo adds what a routine writes to a variable.
func (f *follower) storesTo(v *variable, p place, r *machine.Routine) {
	rva, address := p.rva, f.Base+uint64(p.rva)
	r.Stores(func(in *machine.Inst, to uint64, width uint8, value machine.Value) {
		switch {
		case to == address && width >= p.width:
			v.add(f, in.At, value, r)
		case to < address+uint64(p.width) && address < to+uint64(width):
			v.unknown = fmt.Sprintf("at 0x%x a part of the variable at 0x%x is written", in.At, rva)
		}
		if n, ok := value.Number(); ok && n == address {
			v.unknown = fmt.Sprintf("at 0x%x the address of the variable at 0x%x is stored", in.At, rva)
		}
	})
	r.Calls(func(s *machine.State, in *machine.Inst) {
		if s.Gives(address) && !f.onlyReads(s, in, address) {
			v.unknown = fmt.Sprintf("at 0x%x the address of the variable at 0x%x is passed to a routine", in.At, rva)
		}
	})
}

// onlyReads says whether a routine that is called with an address surely does no more than to read there, and to tell the version.
func (f *follower) onlyReads(s *machine.State, in *machine.Inst, address uint64) bool {
	name, start := f.callee(s.Target(in), s)
	given := s.GivenAs(in, address)
	if start == 0 || len(given) == 0 {
		return slices.Contains(tellers, name)
	}
	outputs, known := f.routine(start).Outputs(given, f.arity)
	return known && !slices.ContainsFunc(outputs, func(o machine.Output) bool {
		return slices.ContainsFunc(given, func(a machine.Atom) bool { return a.Kind == o.Pointer.Kind && a.N == o.Pointer.N })
	})
}

// values gives all that the variable can be on this follower's Windows where it is read: what it starts with only if that can be before it
// is written.
func (f *follower) values(v *variable, read machine.Atom) answer {
	a := v.after()
	if a.unknown == "" && read.Mark != machine.Elsewhere && len(v.stores) > 0 {
		if v.moments == nil {
			v.moments = f.momentsOf(v)
		}
		if !v.moments.starts(read.At) && (read.Off == 0 || !v.moments.starts(uint32(read.Off))) {
			return a
		}
	}
	b := answer{terms: []driver.Term{{Bits: v.initial}}}
	b.add(a)
	return b
}

// variable gives what a variable can be: if that hangs on the version of Windows, on which; of an opt-in's, its name.
func (q *query) variable(a machine.Atom) answer {
	rva := uint32(uint64(a.N) - q.f.Base)
	q.f.seen.variable(a)
	if (uint64(a.N)-q.f.Base)>>32 != 0 {
		return answer{unknown: fmt.Sprintf("at 0x%x it is read from the fixed address 0x%x", a.At, uint64(a.N))}
	}
	if !q.enter(wayVariable, rva) {
		return answer{unknown: fmt.Sprintf("the variable at 0x%x hangs on itself", rva)}
	}
	defer q.leave()
	v := q.f.variableAt(q.f.placeOf(a))
	q.say(a.At, "it is the variable at 0x%x, which starts as %s", rva, spelled(v.initial))
	for _, s := range v.stores {
		q.say(s.at, "the variable at 0x%x is set", rva)
		for _, step := range s.steps {
			if len(q.steps) < maxSteps && !slices.Contains(q.steps, step) {
				q.steps = append(q.steps, step)
			}
		}
	}
	if o, ok := q.f.optInVariable(q.f.placeOf(a)); ok {
		return o.answer(a)
	}
	return masked(a, q.f.values(v, a))
}

// addressTaken says whether the address of a routine is anywhere but in a call: then its callers are not all known.
func (f *follower) addressTaken(start uint32) bool {
	_, inData := f.pointerTo(start)
	return inData || len(f.takers(start)) > 0
}

// takers gives where code takes the address of a routine.
func (f *follower) takers(start uint32) []reference {
	return slices.DeleteFunc(f.references(addressesOf(start)), func(ref reference) bool {
		switch f.Processor {
		case nx.X64: // else a jump or call through memory, or a constant that looks like one
			opcode := f.At(ref.at - min(ref.at, 2))
			return f.isCall(ref.at) || len(opcode) > 0 && opcode[0] != lea
		case nx.X86:
			return f.isCall(ref.at)
		}
		return false
	})
}

const lea = 0x8d

// isCall says whether the four bytes are the distance of a call or a jump.
func (f *follower) isCall(at uint32) bool {
	code := f.At(at - 1)
	return len(code) > 0 && (code[0] == 0xe8 || code[0] == 0xe9)
}

// exported says whether a routine is exported, by its name or by a number alone.
func (f *follower) exported(start uint32) bool {
	for exports := f.exportTable(); len(exports) >= 4 && start != f.Entry; exports = exports[4:] {
		if binary.LittleEndian.Uint32(exports) == start {
			return true
		}
	}
	return false
}
