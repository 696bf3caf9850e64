package image

import (
	"slices"

	"github.com/nxport/nxport/internal/machine"
)

// pointerCalls follows the address of a routine to where it is called through: a routine of the image that gets it as an argument. It is
// false where the address goes somewhere else, too.
type pointerCalls struct {
	f     *follower
	calls []pointerCall
	seen  map[passed]bool // true for what stays in sight
}

// pointerCall is a call through a pointer, in a routine.
type pointerCall struct {
	in *machine.Routine
	at uint32
	// jump is set where a jump takes the call's place.
	jump bool
	// list is set where the call is none, but hands the routine to a lookaside list of Windows, which calls it.
	list *lookaside
}

// lookaside is what Windows passes a routine first that allocates the entries of a list: the pool type with the flags of the list.
type lookaside struct {
	poolType uint32
}

// lookasides are the routines that make lists, with a routine of the driver to allocate with.
var lookasides = map[string]*lookaside{"ExInitializePagedLookasideList": {1}, "ExInitializeNPagedLookasideList": {0}}

// Their arguments, and that of the routine that is handed over.
const (
	lookasideAllocate = 2
	lookasideFlags    = 4
	allocatePoolType  = 1
)

// passed is an argument of a routine that is the pointer.
type passed struct {
	start uint32
	entry machine.Atom
}

// maxPassed is how many routines a pointer is followed through.
const maxPassed = 16

// callsByPointer gives the calls through a routine's address, which code takes there; false where there may be others.
func (f *follower) callsByPointer(start uint32, takers []reference) ([]pointerCall, bool) {
	p := &pointerCalls{f: f, seen: map[passed]bool{}}
	address := int64(f.Base) + int64(start)
	for _, ref := range takers {
		r, ok := f.startOf(ref.at)
		if !ok || !p.follow(r, func(a machine.Atom) bool { return a.Kind == machine.Number && a.N == address && a.Low == 0 }) {
			return nil, false
		}
	}
	return p.calls, len(p.calls) > 0
}

// follow looks at what a routine does with the pointer, false where it goes out of sight.
func (p *pointerCalls) follow(r *machine.Routine, is func(machine.Atom) bool) bool {
	p.f.seen.through(r)
	uses, placed, escapes := r.Uses(is)
	if escapes || len(uses) == 0 {
		return false
	}
	taken := map[uint32]bool{} // the calls of routines that are known to do something with it
	var others []machine.Use
	for _, u := range uses {
		switch {
		case u.Target:
			p.calls = append(p.calls, pointerCall{in: r, at: u.Inst.At, jump: u.Inst.Flow != machine.Call})
		case slices.ContainsFunc(u.To, is): // it is passed on to itself
		case p.passedBy(r, u):
			taken[u.Inst.At] = true
		default:
			others = append(others, u)
		}
	}
	return !slices.ContainsFunc(others, func(u machine.Use) bool { return u.Entry.Kind != machine.Slot || p.stillThere(r, u, placed, taken) })
}

// passedBy follows a pointer that a call passes; false where Windows gets it, but for a lookaside list, or nobody knows who.
func (p *pointerCalls) passedBy(r *machine.Routine, u machine.Use) bool {
	name, start := p.f.callee(u.To, nil)
	if list, allocate := lookasides[name], p.f.env.OnEntry(lookasideAllocate); list != nil && u.Inst.Flow == machine.Call {
		p.calls = append(p.calls, pointerCall{in: r, at: u.Inst.At, list: list})
		return u.Entry.Kind == allocate.Kind && u.Entry.N == allocate.N
	}
	if _, known := u.To.Number(); !known {
		return false
	}
	return name == "" && start != 0 && p.pass(start, u.Entry)
}

// stillThere says whether what was put on the stack for one call may be meant for another one, too. A routine that is called owns its
// arguments: behind the call, what is left of them is nothing that its caller put there.
func (p *pointerCalls) stillThere(r *machine.Routine, u machine.Use, placed []uint32, taken map[uint32]bool) bool {
	return len(placed) == 0 || slices.ContainsFunc(placed, func(at uint32) bool {
		return r.Reach(at, func(in *machine.Outline) bool { return taken[in.At] }).Has(u.Inst.At)
	})
}

func (p *pointerCalls) pass(start uint32, entry machine.Atom) bool {
	key := passed{start, entry}
	if stays, seen := p.seen[key]; seen {
		return stays
	}
	if len(p.seen) == maxPassed {
		return false
	}
	p.seen[key] = true
	known := len(p.calls)
	p.seen[key] = p.follow(p.f.routine(start), func(a machine.Atom) bool { return a.Kind == entry.Kind && a.N == entry.N && a.Plain() && a.Low == 0 })
	if !p.seen[key] {
		p.calls = p.calls[:known]
	}
	return p.seen[key]
}
