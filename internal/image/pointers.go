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
	seen  []passed
}

// pointerCall is a call through a pointer, in a routine.
type pointerCall struct {
	in *machine.Routine
	at uint32
	// jump is set where a jump takes the call's place.
	jump bool
}

// passed is an argument of a routine that is the pointer.
type passed struct {
	start uint32
	entry machine.Atom
}

// maxPassed is how many routines a pointer is followed through.
const maxPassed = 16

// callsByPointer gives the calls through a routine's address, which code takes there; false where there may be others.
func (f *follower) callsByPointer(start uint32, takers []reference) ([]pointerCall, bool) {
	p := &pointerCalls{f: f}
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
	uses, escapes := r.Uses(is)
	if escapes || len(uses) == 0 {
		return false
	}
	for _, u := range uses {
		if u.Target {
			p.calls = append(p.calls, pointerCall{r, u.Inst.At, u.Inst.Flow != machine.Call})
			continue
		}
		if slices.ContainsFunc(u.To, is) {
			continue // it is passed on to itself
		}
		if _, known := u.To.Number(); !known {
			return false
		}
		if name, start := p.f.callee(u.To, nil); name != "" || start == 0 || !p.pass(start, u.Entry) {
			return false // Windows gets it, or nobody knows who
		}
	}
	return true
}

func (p *pointerCalls) pass(start uint32, entry machine.Atom) bool {
	key := passed{start, entry}
	if slices.Contains(p.seen, key) {
		return true
	}
	if len(p.seen) == maxPassed {
		return false
	}
	p.seen = append(p.seen, key)
	return p.follow(p.f.routine(start), func(a machine.Atom) bool { return a.Kind == entry.Kind && a.N == entry.N && a.Plain() && a.Low == 0 })
}
