package machine

import (
	"encoding/binary"
	"slices"
)

// indirect finds where the routine's jumps through registers and tables lead, as far as the code in front of each tells. It says
// whether it takes more to know that.
func (r *Routine) indirect() (unknown bool) {
	for range maxRounds {
		more := false
		unknown, r.Whole = false, true
		for b := range r.blocks {
			if last := &r.outlines[r.blocks[b].last]; last.Flow != Jump || last.Known {
				continue
			}
			in := r.inst(r.blocks[b].last)
			if in.Via.Kind == Memory && in.Via.Reg == NoReg && in.Via.Index == NoReg {
				continue
			}
			target, ok := r.demand(b, r.blocks[b].last, nil, func(s *State) Value { return s.read(in.Via, r.env.Word, in.At) }, 0)
			if !ok {
				unknown = true
				continue
			}
			more = r.leads(target, b, false) || more
		}
		if !more {
			break
		}
		r.read()
	}
	return unknown || !r.Whole
}

// leads finds where an indirect jump leads: to what a table holds, or to some of it where the index is known.
func (r *Routine) leads(target Value, b int, handsOver bool) (more bool) {
	in := &r.outlines[r.blocks[b].last]
	known := r.tables[in.At]
	for _, a := range target {
		switch a.Kind {
		case Table:
			list := r.entries(a, r.bound(b))
			if len(list) == 0 {
				r.Whole = false
			}
			known = addNew(known, list...)
		case Number:
			if to := uint64(a.N) - r.env.Base; to>>32 == 0 && r.env.Inside(r.Start, uint32(to)) {
				known = addNew(known, uint32(to))
			}
		case Content, Member: // through an import's slot it leaves the routine
		default:
			if !handsOver || !r.pointer(a) {
				r.Whole = false
			}
		}
	}
	if len(known) == len(r.tables[in.At]) {
		return false
	}
	if r.tables == nil {
		r.tables = map[uint32][]uint32{}
	}
	r.tables[in.At] = known
	return true
}

// pointer says whether an address is one that is handed to the routine, or read from where no index chooses: that of another routine.
func (r *Routine) pointer(a Atom) bool {
	if a.Kind == Entry || a.Kind == Slot || a.Kind == Through || a.Kind == Result {
		return true
	}
	i, ok := r.find(a.At)
	if a.Kind != Opaque || a.Why != FromMemory || !ok {
		return false
	}
	in := r.inst(i)
	if in.Via.Kind == Memory {
		return in.Via.Index == NoReg
	}
	for k := range in.Steps {
		if m := &in.Steps[k].A; m.Kind == Memory && m.Index != NoReg {
			return false
		}
	}
	return true
}

func addNew(list []uint32, more ...uint32) []uint32 {
	for _, n := range more {
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

// bound finds the comparison of an index that comes before a jump through a table: how many entries it has, 0 where that is not seen.
func (r *Routine) bound(b int) int {
	for range blocksBack {
		from := r.blocks[b].from
		for _, p := range from {
			blk := &r.blocks[p]
			last := r.inst(blk.last)
			if last.Flow != Branch {
				continue
			}
			for _, e := range blk.next {
				if n := r.compared(blk, e.taken > 0, last.Cond); e.to == b && n > 0 {
					return n
				}
			}
		}
		if len(from) != 1 {
			return 0
		}
		b = from[0]
	}
	return 0
}

// compared gives how many numbers from 0 on pass the comparison in front of the end of a block, on one way; 0 where it is another
// comparison.
func (r *Routine) compared(b *block, taken bool, c Cond) int {
	if !taken {
		c = opposite[c]
	}
	s := r.setsFlags(b)
	if s == nil || s.Op != Compare || s.Cond != Perhaps || s.B.Kind != Immediate || s.B.Imm < 0 || s.B.Imm >= maxTable {
		return 0
	}
	switch c {
	case BelowEqual, LessEqual:
		return int(s.B.Imm) + 1
	case Below, Less:
		return int(s.B.Imm)
	}
	return 0
}

// setsFlags finds the step that left the flags at the end of a block; nil where that is not one alone.
func (r *Routine) setsFlags(b *block) *Step {
	for range blocksBack {
		r.lower(b)
		for i := len(b.insts) - 1; i >= 0; i-- {
			steps := b.insts[i].does()
			for j := len(steps) - 1; j >= 0; j-- {
				if s := &steps[j]; s.Op == Compare || s.Op == Test || s.Flags {
					return s
				}
			}
			if b.insts[i].Flow == Call {
				return nil
			}
		}
		if len(b.from) != 1 {
			return nil
		}
		b = &r.blocks[b.from[0]]
	}
	return nil
}

// entries reads a jump table of so many entries; where that is not known, up to the first that leads out of the routine, or to where
// code is.
func (r *Routine) entries(t Atom, bound int) []uint32 {
	if t.Set != 0 { // bytes tell which entries count
		bytes := r.env.Code(t.Set)
		most := 0
		for _, n := range bytes[:min(bound, len(bytes))] {
			most = max(most, int(n)+1)
		}
		bound = most
	}
	var list []uint32
	at := uint64(t.N) - r.env.Base
	if at>>32 != 0 {
		return nil
	}
	data := r.env.Code(uint32(at))
	for i := 0; i < maxTable && len(data) >= int(t.Width) && (bound == 0 || i < bound); i++ {
		if _, code := r.find(uint32(at) + uint32(i)*uint32(t.Width)); code && bound == 0 {
			break
		}
		to := cut(t.entry(data)<<t.Shift+t.Off, r.env.Word) - int64(r.env.Base)
		if to < 0 || to>>32 != 0 || !r.env.Inside(r.Start, uint32(to)) {
			break
		}
		list = addNew(list, uint32(to))
		data = data[t.Width:]
	}
	return list
}

// entry reads one entry. Those of four bytes in 64-bit code are distances, with a sign.
func (t Atom) entry(data []byte) int64 {
	n := int64(0)
	switch t.Width {
	case 1:
		n = int64(data[0])
	case 2:
		n = int64(binary.LittleEndian.Uint16(data))
	case 4:
		n = int64(binary.LittleEndian.Uint32(data))
	case 8:
		n = int64(binary.LittleEndian.Uint64(data))
	}
	if t.Mark == Signed {
		n = extend(n, t.Width)
	}
	return n
}
