package image

import (
	"fmt"
	"slices"

	"github.com/nxport/nxport/internal/machine"
)

// maxObject is how far in front of a variable an object may begin that it is a field of.
const maxObject = 1 << 12

// filling is a pointer that a call passes, as the called routine finds it, and how far behind where that points the variable is.
type filling struct {
	pointer      machine.Atom
	distance     int64
	caller, call uint32
}

// fill finds what writes a variable that nothing writes by its own address: it may be a field of the object that begins at the nearest
// address in front of it that the code takes. A routine that gets that may write the field; where it goes out of sight, anything may.
func (f *follower) fill(v *variable, p place) {
	nearest, takers := f.objectOf(p.rva)
	address, distance := int64(f.Base)+int64(nearest), int64(p.rva-nearest)
	is := func(a machine.Atom) bool { return a.Kind == machine.Number && a.N == address && a.Low == 0 }
	for _, r := range takers {
		if r.StoresBeyond(distance, p.width) || !f.filledFrom(v, p, r, is, distance, 0) {
			v.unknown = fmt.Sprintf("the variable at 0x%x may be a part of what begins at 0x%x, whose address the routine at 0x%x takes", p.rva, nearest, r.Start)
			return
		}
	}
}

// objectOf gives the nearest address in front of a variable that the code takes, with the routines that do.
func (f *follower) objectOf(rva uint32) (nearest uint32, takers []*machine.Routine) {
	section, ok := f.Section(rva)
	if !ok {
		return 0, nil
	}
	window := addresses{lo: max(section.RVA, rva-min(rva, maxObject)), hi: rva - 1}
	for _, ref := range f.references(window) {
		r, ok := f.startOf(ref.at)
		if !ok || f.onlyLoads(ref.at) {
			continue
		}
		in, ok := r.Covering(ref.at)
		if !ok {
			continue
		}
		to, writes, names := f.touches(in, ref.to)
		if writes > 0 || !names || to < nearest || to >= rva {
			continue
		}
		if to > nearest {
			nearest, takers = to, nil
		}
		if !slices.Contains(takers, r) {
			takers = append(takers, r)
		}
	}
	return nearest, takers
}

// filledFrom adds what the routines write to the variable that one of those calls that take the address; false where that is not known,
// as of what is written further down. Routines of Windows are taken to write no more than what the pointer is to.
func (f *follower) filledFrom(v *variable, p place, r *machine.Routine, is func(machine.Atom) bool, distance int64, deep int) bool {
	uses, _, escapes := r.Uses(is)
	if escapes {
		return false
	}
	for _, u := range uses {
		name, start := f.callee(u.To, nil)
		if u.Target || name != "" {
			continue
		}
		if start == 0 || deep > maxCallersUp {
			return false
		}
		entry := func(a machine.Atom) bool { return a.Kind == u.Entry.Kind && a.N == u.Entry.N && a.Plain() }
		callee, known := f.routine(start), false
		if callee.StoresBeyond(distance, p.width) {
			known = deep == 0 && f.filledBy(v, p, callee, filling{u.Entry, distance, r.Start, u.Inst.At})
		} else {
			known = f.filledFrom(v, p, callee, entry, distance, deep+1)
		}
		if !known {
			return false
		}
	}
	return true
}

// filledBy adds what a routine writes to the variable through a pointer that it gets; false where that is not known.
func (f *follower) filledBy(v *variable, p place, r *machine.Routine, by filling) bool {
	outputs, known := r.Outputs([]machine.Atom{by.pointer}, f.arity)
	if !known {
		v.unknown = fmt.Sprintf("the routine at 0x%x writes through a pointer to where the variable at 0x%x is", r.Start, p.rva)
		return false
	}
	for _, o := range outputs {
		behind := by.distance - o.Off
		switch {
		case o.Pointer.Kind != by.pointer.Kind || o.Pointer.N != by.pointer.N || behind >= int64(o.Width) || -behind >= int64(p.width):
		case behind != 0 || o.Width < p.width:
			return false
		default:
			v.add(f, o.At, o.Value, r)
			v.stores[len(v.stores)-1].through = &by
		}
	}
	return true
}

// surely says whether no way through a routine that a call leads to misses what sets the variable there.
func (v *variable) surely(by *filling, r *machine.Routine) bool {
	return always(r, func(in *machine.Outline) bool {
		return slices.ContainsFunc(v.stores, func(s store) bool { return s.at == in.At && s.through != nil && *s.through == *by })
	})
}
