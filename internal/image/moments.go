package image

import (
	"maps"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/machine"
)

// moments tells what runs before a variable is set, and what after. It looks up from an instruction to the routines that lead there, as
// the follower's Windows has them: for a variable of the opt-in that is Windows 10, as the store hangs on the version.
type moments struct {
	f      *follower
	stores map[uint32]bool // instructions that set it; false of calls that may set it
	sets   map[uint32]sets // by routine
	before map[uint32]bool // routines that may be entered before
	after  map[uint32]bool
	upTo   map[uint32]machine.Reached   // by routine: what runs before it is set
	from   map[uint32][]machine.Reached // and behind each instruction that sets it
	never  bool                         // the entry routine may return without having set it
	hidden bool                         // what sets it may be called through a pointer
}

// sets says whether a routine sets the variable.
type sets struct{ may, must bool }

func (f *follower) momentsOf(v *variable) *moments {
	m := &moments{
		f: f, stores: map[uint32]bool{}, sets: map[uint32]sets{}, before: map[uint32]bool{}, after: map[uint32]bool{},
		upTo: map[uint32]machine.Reached{}, from: map[uint32][]machine.Reached{},
	}
	var queue []uint32
	for _, s := range v.stores {
		at, routine, surely := s.at, s.routine, true
		if s.through != nil { // a routine may be called with other objects, too: then it is the call that sets this one
			at, routine, surely = s.through.call, s.through.caller, v.surely(s.through, f.routine(s.routine))
		}
		m.stores[at] = m.stores[at] || surely
		m.sets[routine] = sets{may: true}
		queue = append(queue, routine)
	}
	m.setters(queue)
	for start := range m.sets {
		m.hidden = m.hidden || start != m.f.Entry && m.f.addressTaken(start)
	}
	entry, ok := m.f.startOf(m.f.Entry)
	m.never = !ok || !m.sets[entry.Start].must
	return m
}

// maxSetters is how many routines are looked at on the way up from what sets the variable.
const maxSetters = 64

// setters finds the routines that set the variable: what holds a store, and what calls such a one.
func (m *moments) setters(queue []uint32) {
	for n := 0; n < len(queue) && n < maxSetters; n++ {
		r := m.f.routine(queue[n])
		m.sets[r.Start] = sets{true, always(r, m.surely)}
		m.eachCaller(r.Start, func(caller *machine.Routine, at uint32) {
			if !m.sets[caller.Start].may {
				m.sets[caller.Start] = sets{may: true}
				queue = append(queue, caller.Start)
			}
		})
	}
}

// eachCaller visits the calls of a routine, and the jumps to it.
func (m *moments) eachCaller(start uint32, visit func(caller *machine.Routine, at uint32)) {
	for _, c := range m.f.callersOf(start) {
		caller, ok := m.f.startOf(c.at)
		if !ok {
			continue
		}
		if in, ok := caller.Inst(c.at); ok && in.Known && in.Target == start {
			visit(caller, c.at)
		}
	}
}

// always says whether no way through a routine misses the instructions that set something.
func always(r *machine.Routine, set func(*machine.Outline) bool) bool {
	missed := false
	r.Reach(r.Start, set).Each(func(in *machine.Outline) {
		missed = missed || r.Ends(in) && !set(in)
	})
	return !missed
}

// surely says whether the variable is set once an instruction has run.
func (m *moments) surely(in *machine.Outline) bool {
	return m.stores[in.At] || in.Known && in.Flow != machine.Branch && m.sets[in.Target].must
}

// of gives the moments at which an instruction may run; after, where no way is known that leads there.
func (m *moments) of(at uint32) driver.Moment {
	r, ok := m.f.startOf(at)
	if !ok {
		return driver.After
	}
	moment := driver.Moment(0)
	if m.isBefore(r, at) {
		moment |= driver.Before
	}
	if moment == 0 || m.hidden || m.isAfter(r, at) {
		moment |= driver.After
	}
	if m.f.exhausted() {
		moment = driver.Before | driver.After
	}
	return moment
}

// starts says whether what a variable starts with may still be there at an instruction.
func (m *moments) starts(at uint32) bool {
	r, ok := m.f.startOf(at)
	return !ok || m.isBefore(r, at) || m.f.exhausted()
}

// isBefore says whether an instruction may run before the variable is set: the entry routine does, up to there, and what it calls.
func (m *moments) isBefore(r *machine.Routine, at uint32) bool {
	entered, known := m.before[r.Start]
	if !known {
		m.before[r.Start] = false // while it is looked at: a routine that calls itself adds nothing
		entered = m.f.exhausted() || r.Start == m.f.Entry || m.never && m.calledByWindows(r)
		m.eachCaller(r.Start, func(caller *machine.Routine, at uint32) {
			entered = entered || m.isBefore(caller, at)
		})
		note(m.before, r.Start, entered)
	}
	if !entered {
		return false
	}
	reached, known := m.upTo[r.Start]
	if !known {
		reached = r.Reach(r.Start, m.surely)
		m.upTo[r.Start] = reached
	}
	return reached.Has(at)
}

// note keeps what is found of a routine. Where it is entered, those that were not, as far as is known, may be from it: they called each
// other.
func note(known map[uint32]bool, start uint32, entered bool) {
	if entered {
		maps.DeleteFunc(known, func(_ uint32, entered bool) bool { return !entered })
	}
	known[start] = entered
}

// isAfter says whether an instruction may run after the variable is set: behind that, or in what Windows calls later.
func (m *moments) isAfter(r *machine.Routine, at uint32) bool {
	entered, known := m.after[r.Start]
	if !known {
		m.after[r.Start] = false
		entered = m.calledByWindows(r)
		m.eachCaller(r.Start, func(caller *machine.Routine, at uint32) {
			entered = entered || m.isAfter(caller, at)
		})
		note(m.after, r.Start, entered)
	}
	return entered || m.sets[r.Start].may && m.behind(r, at)
}

// calledByWindows says whether a routine is entered by Windows later, as far as that is known: its address is taken, or nothing calls it.
func (m *moments) calledByWindows(r *machine.Routine) bool {
	if r.Start == m.f.Entry {
		return false
	}
	called := false
	m.eachCaller(r.Start, func(*machine.Routine, uint32) { called = true })
	return !called || m.f.exported(r.Start) || m.f.addressTaken(r.Start)
}

// behind says whether an instruction may run behind one of the same routine that sets the variable.
func (m *moments) behind(r *machine.Routine, at uint32) bool {
	list, known := m.from[r.Start]
	insts := r.Outlines()
	for i := 0; !known && i < len(insts); i++ {
		in := &insts[i]
		if _, may := m.stores[in.At]; may || in.Known && m.sets[in.Target].may {
			list = append(list, r.Reach(in.At+uint32(in.Len), func(*machine.Outline) bool { return false }))
		}
	}
	m.from[r.Start] = list
	return slices.ContainsFunc(list, func(x machine.Reached) bool { return x.Has(at) })
}
