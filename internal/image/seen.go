package image

import (
	"slices"

	"github.com/nxport/nxport/internal/machine"
	"github.com/nxport/nxport/nx"
)

// seen is what a value was followed through. To ask all of it again on each Windows takes long, and most of it can't be another there.
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

func (s *seen) begin() {
	s.asked, s.routines, s.variables, s.more = s.asked[:0], s.routines[:0], s.variables[:0], false
}

// sameOn says whether surely nothing that was seen is something else on other versions of Windows.
func (f *follower) sameOn(versions ...nx.Version) bool {
	f.learn()
	if f.seen.more || f.seen.shared || f.learns.anywhere || slices.ContainsFunc(f.seen.routines, f.isLearning) {
		return false
	}
	asked := slices.DeleteFunc(slices.Clone(f.seen.asked), func(a asked) bool { return !f.isLearning(a.Routine) })
	variables := slices.Clone(f.seen.variables)
	for _, w := range versions {
		g := f.under(w)
		for _, a := range asked {
			if got, ok := g.value(g.routine(a.Start), a.at, a.get); ok != a.ok || !got.Equal(a.got) {
				return false
			}
		}
		for _, v := range variables {
			if !(&query{f: g}).variable(v).same((&query{f: f.under(versions[0])}).variable(v)) {
				return false
			}
		}
	}
	return true
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
