package image

import (
	"slices"

	"github.com/nxport/nxport/internal/machine"
	"github.com/nxport/nxport/nx"
)

// seen is what a value was followed through. To ask all of it again on each Windows takes long, and most of it can't be another there.
// Where there is none, nothing is noted: of a follower for one version of Windows, and of a driver that can't learn the version.
type seen struct {
	asked     []asked
	routines  []*machine.Routine // other than those of what was asked
	variables []machine.Atom
	more      bool // there is something else
	shared    bool // anything followed reads the page that Windows shares with all
}

// asked is a value before an instruction of a routine.
type asked struct {
	*machine.Routine
	at  uint32
	get func(*machine.State) machine.Value
	got machine.Value
	ok  bool
}

// begin forgets what was followed for another value.
func (s *seen) begin() {
	if s != nil {
		*s = seen{asked: s.asked[:0], routines: s.routines[:0], variables: s.variables[:0], shared: s.shared}
	}
}

func (s *seen) value(a asked, closely bool) {
	if s != nil {
		s.asked, s.more = append(s.asked, a), s.more || closely
	}
}

func (s *seen) through(list ...*machine.Routine) {
	if s != nil {
		s.routines = append(s.routines, list...)
	}
}

func (s *seen) variable(a machine.Atom) {
	if s != nil {
		s.variables = append(s.variables, a)
	}
}

func (s *seen) page() {
	if s != nil {
		s.shared = true
	}
}

// sameSince says whether surely nothing that was seen is something else on an older version of Windows than on the last.
func (f *follower) sameSince(older nx.Version) bool {
	f.learn()
	if f.seen.more || f.seen.shared || f.learns.anywhere || slices.ContainsFunc(f.seen.routines, f.isLearning) {
		return false
	}
	then, now := f.under(older), f.under(newest)
	return !slices.ContainsFunc(f.seen.asked, func(a asked) bool {
		return f.isLearning(a.Routine) && (!a.sameFor(then) || !a.sameFor(now))
	}) && !slices.ContainsFunc(f.seen.variables, func(a machine.Atom) bool {
		return !(&query{f: then}).variable(a).same((&query{f: now}).variable(a))
	})
}

// sameFor says whether a follower for one version of Windows gets what was got for all.
func (a asked) sameFor(g *follower) bool {
	got, ok := g.value(g.routine(a.Start), a.at, a.get)
	return ok == a.ok && got.Equal(a.got)
}

// learning is where the version of Windows is learnt: by calls of routines of Windows that tell it, and of those in the image that call
// such.
type learning struct {
	at       []uint32
	anywhere bool // what learns it may be called through a pointer that data holds
	known    bool
}

func (f *follower) isLearning(r *machine.Routine) bool {
	return slices.ContainsFunc(f.learns.at, r.Holds)
}

// learn finds where the version is learnt.
func (f *follower) learn() {
	if f.learns.known {
		return
	}
	f.learns.known = true
	slots := f.slotsOf(tellers...)
	for rva := range f.holding {
		slots = append(slots, rva)
	}
	for _, u := range f.using(slots) {
		f.learns.at = append(f.learns.at, u.at)
	}
	for start := range f.tellingRoutines() {
		for _, ref := range slices.Concat(f.callersOf(start), f.takers(start)) {
			f.learns.at = append(f.learns.at, ref.at)
		}
		_, held := f.pointerTo(start)
		f.learns.anywhere = f.learns.anywhere || held
	}
}
