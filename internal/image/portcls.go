package image

import (
	"bytes"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/machine"
	"github.com/nxport/nxport/nx"
)

// miniport is an interface of drivers for sound by which Windows' port class driver has them make a stream. Its fourth argument, the object
// included, is the pool type.
type miniport struct {
	id        []byte // as the driver compares it, when it is asked for the interface
	newStream uint32 // where in the interface's table of routines it is
}

// miniports are those of portcls.h and dmusicks.h whose NewStream has a pool type.
var miniports = []miniport{
	{[]byte("\x27\x0a\xc9\xb4\x91\x57\xd0\x11\x86\xf9\x00\xa0\xc9\x11\xb5\x44"), 6}, // IMiniportWaveCyclic
	{[]byte("\x52\x0a\xc9\xb4\x91\x57\xd0\x11\x86\xf9\x00\xa0\xc9\x11\xb5\x44"), 6}, // IMiniportWavePci
	{[]byte("\x41\x0a\xc9\xb4\x91\x57\xd0\x11\x86\xf9\x00\xa0\xc9\x11\xb5\x44"), 7}, // IMiniportMidi
	{[]byte("\x9d\xdf\x96\xc0\x09\xfb\xd1\x11\x81\xb0\x00\x60\x08\x33\x16\xc1"), 7}, // IMiniportDMus
}

const newStreamPoolType = 4

// byPortCls is what the port class driver passes there: as it was read in those of Windows XP and Server 2003, and of Windows 10. Of those
// of Windows 8 and 8.1 it is not known.
var byPortCls = []driver.Term{{Bits: 0, Below: nx.Windows10}, {Bits: nx.PoolNXAllocation, From: nx.Windows8}}

// fromPortCls gives what Windows passes a routine that only the tables of such interfaces hold; false where it is another routine, or
// another argument.
func (f *follower) fromPortCls(a machine.Atom, start uint32) (answer, bool) {
	if p := f.env.OnEntry(newStreamPoolType); a.Kind != p.Kind || a.N != p.N || len(f.slotsOf("PcRegisterSubdevice")) == 0 {
		return answer{}, false
	}
	held := between(f.pointers(), start, start)
	for _, p := range held {
		if !slices.ContainsFunc(miniports, func(m miniport) bool { return f.isTable(p.at, m.newStream) && bytes.Contains(f.data, m.id) }) {
			return answer{}, false
		}
	}
	var out answer
	for _, t := range byPortCls {
		if f.windows == (nx.Version{}) || t.Possible(f.windows) {
			out.terms = append(out.terms, t)
		}
	}
	return out, len(held) > 0
}

// createPoolType is where a driver for sound passes the pool type to its own routines that make a miniport.
const createPoolType = 4

// installed gives what a routine gets that makes a miniport, and that only data names: from the routine that calls PcNewMiniport where it
// is passed none to make one, as those of Microsoft's samples do.
func (q *query) installed(a machine.Atom, start uint32, out *answer) (found bool) {
	if p := q.f.env.OnEntry(createPoolType); a.Kind != p.Kind || a.N != p.N {
		return false
	}
	for _, p := range between(q.f.pointers(), start, start) {
		if s := q.f.section(p.at); s == nil || s.Executable() {
			return false
		}
	}
	ports := q.f.routinesUsing(q.f.slotsOf("PcNewPort"))
	for _, r := range q.f.routinesUsing(q.f.slotsOf("PcNewMiniport")) {
		if !slices.Contains(ports, r) {
			continue
		}
		for _, at := range q.f.callsOfArguments(r) {
			v, _ := q.f.value(r, at, func(s *machine.State) machine.Value { return s.Argument(createPoolType, false, at) })
			q.say(at, "calls the routine at 0x%x, whose address is in the data, to make a miniport", start)
			out.add(q.resolve(v, r))
			found = true
		}
	}
	return found
}

// callsOfArguments gives the calls of a routine that go to what it is passed.
func (f *follower) callsOfArguments(r *machine.Routine) (list []uint32) {
	r.Calls(func(s *machine.State, in *machine.Inst) {
		target := f.target(s, in)
		if in.Flow == machine.Call && len(target) == 1 && (target[0].Kind == machine.Entry || target[0].Kind == machine.Slot) && target[0].Plain() {
			list = append(list, in.At)
		}
	})
	return list
}

// isTable says whether the address at a place is that of the n-th routine, counted from 0, of a table of routines that code names.
func (f *follower) isTable(at, n uint32) bool {
	word := uint32(f.env.Word)
	begin := at - min(at, n*word)
	for p := begin; p < at; p += word {
		to, ok := f.number(p, f.env.Word)
		if s, in := f.Section(uint32(to - f.Base)); !ok || !in || !s.Executable() {
			return false
		}
	}
	return len(f.references(addressesOf(begin))) > 0
}
