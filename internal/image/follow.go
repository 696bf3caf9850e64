package image

import (
	"debug/pe"
	"encoding/binary"
	"iter"
	"slices"
	"sort"

	"github.com/nxport/nxport/internal/machine"
	"github.com/nxport/nxport/nx"
)

// follower follows values through an image: routine by routine, as they are asked for.
type follower struct {
	*Image
	*index
	env       machine.Env
	routines  map[uint32]*machine.Routine
	slots     map[uint32]string // imports by the address of their slot
	pops      map[uint32]popped
	close     map[uint32]*machine.Routine // routines, looked at closely
	preserved map[uint32]preserved
	settingUp map[uint32]bool   // routines, whether they set up the frame of their caller
	looking   int               // routines that are looked at for what they preserve, within each other
	fetched   map[uint32]string // what the call at an address returned: the address of the routine of that name
	holding   map[uint32]string // the variable at an address holds that of the routine of that name
	wdf       uint32            // the variable that points to the framework's table of functions; 0 where there is none
	byIndex   map[int]nx.DDI    // what is in that table
	rows      map[string]nx.DDI // the table, by name
	windows   nx.Version        // that the driver runs on; zero where it can be any
	globals   map[place]*variable
	telling   map[uint32]bool // routines that learn the version of Windows
	nested    int             // how many of them are followed within each other
	answered  map[question]machine.Value
	last      part      // of the function that was asked for last
	given     int       // of the budget, to a follower for one version of Windows
	general   *follower // that of a follower for one version of Windows
	seen      *seen
	learns    learning
	optIns    map[place]*optIn // by variable; nil for one that is none
	byVersion map[nx.Version]*follower
}

type popped struct {
	bytes int
	known bool
}

// budget is how many instructions of an image are run through, over and over where there are loops.
const budget = 3 << 19

// follower makes one that uses an empty room.
func (m *Image) follower(r *room) *follower {
	f := &follower{
		Image: m, index: &r.index, routines: r.routines, slots: r.slots, byIndex: r.byIndex, rows: r.rows, pops: map[uint32]popped{},
		close: map[uint32]*machine.Routine{}, preserved: map[uint32]preserved{}, settingUp: map[uint32]bool{},
		fetched: map[uint32]string{}, holding: map[uint32]string{},
		globals: map[place]*variable{}, optIns: map[place]*optIn{}, byVersion: map[nx.Version]*follower{},
	}
	f.index.image = m
	if f.tells() {
		f.seen = &seen{}
	}
	for _, v := range m.Imports {
		f.slots[v.Slot] = v.Name
	}
	switch m.Processor {
	case nx.X64:
		f.env = machine.X64()
	case nx.X86:
		f.env = machine.X86()
	default:
		f.env = machine.ARM64()
	}
	f.env.Base, f.env.Code, f.env.Inside, f.env.Constant = m.Base, m.At, f.inside, f.constant
	f.env.Pops, f.env.Called, f.env.Cares, f.env.Budget = f.popsOf, f.called, f.cares, budget
	f.env.Preserves, f.env.Room = f.preserves, r.memory
	if m.Processor == nx.X86 {
		f.env.SetsUp = f.setsUp
	}
	if len(f.slotsOf(neverReturn...)) > 0 {
		f.env.Ends = f.ends
	}
	return f
}

// tooMuch is why nothing is known of what comes behind the budget.
const tooMuch = "the image has more code than is followed"

// exhausted says whether the budget is used up: what is known by then may not be all.
func (f *follower) exhausted() bool { return f.env.Budget < 0 }

// references is the image's, on the budget.
func (f *follower) references(wanted addresses) []reference {
	if f.exhausted() {
		return nil
	}
	found := f.index.references(wanted)
	f.env.Budget -= len(found)
	return found
}

// routine gives the routine at an address, followed.
func (f *follower) routine(start uint32) *machine.Routine {
	return f.read(f.routines, start, func(env *machine.Env, start uint32) *machine.Routine {
		if f.general != nil {
			return f.general.routine(start).Anew(env)
		}
		return machine.Read(env, start)
	})
}

// read reads a routine once.
func (f *follower) read(known map[uint32]*machine.Routine, start uint32, read func(*machine.Env, uint32) *machine.Routine) *machine.Routine {
	r := known[start]
	if r == nil {
		r = read(&f.env, start)
		known[start] = r
	}
	return r
}

// unwound is the image's, which remembers the part of the last address: most are asked for one behind another.
func (f *follower) unwound(rva uint32) (start uint32, ok bool) {
	if !f.last.has(rva) {
		f.last = f.part(rva)
	}
	return f.last.start, f.last.has(rva)
}

// inside says whether what a routine jumps to belongs to it. Without unwind information all does that is near.
func (f *follower) inside(routine, to uint32) bool {
	const near = 1 << 20
	if f.last.has(to) && f.last.has(routine) {
		return true
	}
	start, ok := f.unwound(to)
	if first, unwinds := f.unwound(routine); unwinds || ok {
		return ok && unwinds && start == first
	}
	a, ok := f.Section(routine)
	b, same := f.Section(to)
	return ok && same && a.RVA == b.RVA && max(to, routine)-min(to, routine) < near && !f.isThunk(to)
}

// constant reads what no driver writes: a section that is not writable, but for the slots of imports.
func (f *follower) constant(address uint64, width uint8) (uint64, bool) {
	rva := address - f.Base
	if rva >= uint64(f.Size) {
		return f.shared(address)
	}
	s, ok := f.Section(uint32(rva))
	if _, slot := f.slots[uint32(rva)]; !ok || slot || s.has(pe.IMAGE_SCN_MEM_WRITE) {
		return 0, false
	}
	return f.number(uint32(rva), width)
}

// number reads what the image holds at an address; what the file does not hold is zero.
func (f *follower) number(rva uint32, width uint8) (uint64, bool) {
	s, ok := f.Section(rva)
	if !ok || rva-s.RVA+uint32(width) > s.Size {
		return 0, false
	}
	var b [8]byte
	copy(b[:min(width, 8)], f.At(rva))
	return binary.LittleEndian.Uint64(b[:]), true
}

// startOf finds the routine that an instruction is in.
func (f *follower) startOf(rva uint32) (*machine.Routine, bool) {
	if start, ok := f.unwound(rva); ok {
		r := f.routine(start)
		if r.Holds(rva) {
			return r, true
		}
		return f.beyond(r, rva)
	}
	if f.exhausted() {
		return nil, false
	}
	if f.general != nil {
		if r, ok := f.general.startOf(rva); ok && f.routine(r.Start).Holds(rva) {
			return f.routine(r.Start), true
		}
	}
	for start := range f.candidates(rva) {
		if r := f.routine(start); r.Holds(rva) {
			return r, true
		}
	}
	return nil, false
}

// beyond takes what no known jump leads to, in a routine, for one of its own.
func (f *follower) beyond(r *machine.Routine, rva uint32) (*machine.Routine, bool) {
	for range maxCandidates {
		start := r.End(rva)
		code := f.At(start)
		for len(code) > 0 && (code[0] == 0xcc || code[0] == 0x90) && start < rva {
			start, code = start+1, code[1:]
		}
		if start == 0 || start > rva {
			return nil, false
		}
		next := f.routine(start)
		if next.Holds(rva) {
			return next, true
		}
		if next.End(rva) <= start {
			return nil, false
		}
		r = next
	}
	return nil, false
}

const (
	maxCandidates = 24
	maxNearest    = 4 // of a kind that are tried before the rest of the kind before
	maxParts      = 4
	maxRoutine    = 1 << 16 // bytes in front of an instruction in which its routine begins
)

// candidates are where the routine of an instruction may begin that no unwind information covers: the nearest first. What is called
// begins there, and what looks like a prologue behind the end of something else.
func (f *follower) candidates(rva uint32) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		section, ok := f.Section(rva)
		if !ok {
			return
		}
		lowest := max(section.RVA, rva-min(rva, maxRoutine))
		nearest, _ := f.entered(section, lowest, rva, maxNearest)
		nearest = nearest[:min(len(nearest), maxNearest)]
		if !each(nearest, yield) {
			return
		}
		likely, doubtful := f.entered(section, lowest, rva, maxCandidates)
		likely = likely[len(nearest):]
		pointed, parts := f.pointedTo(lowest, rva)
		nearest = pointed[:min(len(pointed), maxNearest)]
		_ = each(nearest, yield) && each(likely, yield) && each(pointed[len(nearest):], yield) &&
			each(doubtful, yield) && each(f.padded(lowest, rva), yield) && each(f.labelled(lowest, rva), yield) &&
			each(parts[:min(len(parts), maxParts)], yield) // else what is there is not found at all
	}
}

func each(list []uint32, yield func(uint32) bool) bool {
	return !slices.ContainsFunc(list, func(start uint32) bool { return !yield(start) })
}

// labelled gives what has a name in a range, the highest first: it can be a part of a routine.
func (f *follower) labelled(lowest, highest uint32) (list []uint32) {
	symbols := f.Symbols()
	i := sort.Search(len(symbols), func(i int) bool { return symbols[i].RVA > highest })
	for ; i > 0 && symbols[i-1].RVA >= lowest && len(list) < maxCandidates; i-- {
		list = append(list, symbols[i-1].RVA)
	}
	return list
}

// entered gives where calls and jumps lead in a range, the highest first, and so many at least where there are: where routines surely
// begin, as far as can be, and where that is doubtful: bytes within an instruction look like a call, and not all that a jump leads to
// begins there.
func (f *follower) entered(section Section, lowest, rva uint32, wanted int) (likely, doubtful []uint32) {
	calls := between(f.calls(), lowest, rva)
	for i := len(calls) - 1; i >= 0 && len(likely) < wanted; i-- {
		c := calls[i]
		switch jump := f.isJump(c); {
		case f.isDistance(c):
		case i+1 < len(calls) && calls[i+1].to == c.to && !f.isJump(calls[i+1]) && !f.isDistance(calls[i+1]):
		case !jump && f.ended(section, c.to):
			likely = append(likely, c.to)
		case len(doubtful) < wanted && (!jump || f.ended(section, c.to)):
			doubtful = append(doubtful, c.to)
		}
	}
	likely = append(likely, last(f.beginnings(), lowest+1, rva, wanted)...)
	if f.Entry >= lowest && f.Entry <= rva {
		likely = append(likely, f.Entry)
	}
	if lowest == section.RVA {
		likely = append(likely, lowest)
	}
	slices.Sort(likely)
	slices.Reverse(likely)
	return slices.Compact(likely), doubtful
}

// isDistance says whether what looks like a call of x86 is none: the distance in mov [ebp-24] of a number; or one of what stands behind
// it, by which code learns where it is.
func (f *follower) isDistance(c reference) bool {
	const sizeOfCall = 5
	before := f.At(c.at - min(c.at, 2))
	return f.Processor == nx.X86 && (c.to == c.at+sizeOfCall || len(before) > 1 && before[0] == 0xc7 && before[1] == 0x45)
}

// ended says whether something ends in front of an address: padding, a return, a jump, the section before.
func (f *follower) ended(section Section, at uint32) bool {
	const nop, breakpoint, ret, retN, jump, short = 0x90, 0xcc, 0xc3, 0xc2, 0xe9, 0xeb
	before := min(at-section.RVA, 6)
	code := f.At(at - before)
	if f.Processor == nx.ARM64 {
		return len(code) < 6 || endsARM64(binary.LittleEndian.Uint32(code[2:]))
	}
	if before < 6 || len(code) < 6 {
		return true
	}
	last := code[5]
	return last == nop || last == breakpoint || last == 0 || last == ret || code[3] == retN || code[1] == jump || code[4] == short || inThunk(code[:6])
}

// endsARM64 says whether nothing runs behind an instruction: padding, ret, b, br, brk.
func endsARM64(w uint32) bool {
	const nop, ret, br, brk, b = 0xd503201f, 0xd65f03c0, 0xd61f0000, 0xd4200000, 0x05
	return w == 0 || w == nop || w == ret || w&0xfffffc1f == br || w&0xffe0001f == brk || w>>26 == b
}

// inThunk says whether code ends with a jump through memory, whose address can end like padding.
func inThunk(code []byte) bool {
	n := len(code)
	return n >= 6 && code[n-6] == 0xff && code[n-5] == 0x25
}

// begins says whether a routine can begin behind some code, and where: at mov edi, edi, if that is its end.
func begins(code []byte) (at int, ok bool) {
	i := len(code)
	switch {
	case i == 0:
		return 0, false
	case isPadding(code):
		return i, true
	case i > 1 && code[i-1] == 0xff && code[i-2] == 0x8b:
		return i - 2, true
	}
	return i, code[i-1] == 0xc3 || i > 2 && code[i-3] == 0xc2
}

// isPadding says whether code ends with padding.
func isPadding(code []byte) bool {
	last := code[len(code)-1]
	return (last == 0xcc || last == 0x90) && !inThunk(code)
}

// bytesOfOne is how many bytes that are searched take as much time as an instruction.
const bytesOfOne = 32

// padded gives what stands behind padding in a range, the highest first: a loop can, too.
func (f *follower) padded(lowest, highest uint32) (list []uint32) {
	code := f.At(lowest)
	code = code[:min(len(code), int(highest-lowest)+1)]
	for i := len(code) - 1; i > 0 && len(list) < maxCandidates; i-- {
		if i%bytesOfOne == 0 {
			f.env.Budget--
		}
		if code[i] != 0xcc && code[i] != 0x90 && isPadding(code[:i]) {
			list = append(list, lowest+uint32(i))
		}
	}
	return list
}

// last gives the last of sorted addresses in a range, so many at most.
func last(list []uint32, lowest, highest uint32, wanted int) []uint32 {
	from, _ := slices.BinarySearch(list, lowest)
	to, _ := slices.BinarySearch(list, highest+1)
	return list[max(from, to-wanted):max(from, to)]
}

// callee says what a call goes to: an import, or the framework's, by name; or a routine of the image.
func (f *follower) callee(target machine.Value, s *machine.State) (name string, start uint32) {
	if len(target) != 1 {
		return "", 0
	}
	switch a := target[0]; a.Kind {
	case machine.Content:
		rva := uint32(uint64(a.N) - f.Base)
		if name := f.slots[rva]; name != "" {
			return name, 0
		}
		return f.holding[rva], 0
	case machine.Member:
		if f.wdf != 0 && uint64(a.N)-f.Base == uint64(f.wdf) {
			return f.byIndex[int(a.Off)/int(f.env.Word)].Name, 0
		}
	case machine.Result:
		return f.fetched[uint32(a.N)], 0
	case machine.Number:
		rva := uint64(a.N) - f.Base
		if rva>>32 != 0 {
			return "", 0
		}
		if name, ok := f.thunk(uint32(rva)); ok {
			return name, 0
		}
		if s != nil && dispatches(f.At(uint32(rva))) && f.Processor == nx.X64 {
			const rax = 0
			return f.callee(s.Register(rax), s)
		}
		return "", uint32(rva)
	}
	return "", 0
}

// dispatches says whether code is jmp rax: the guard's dispatch of indirect calls until the kernel puts its own in place.
func dispatches(code []byte) bool { return len(code) >= 2 && code[0] == 0xff && code[1] == 0xe0 }

// thunk gives the import that the code at an address jumps to.
func (f *follower) thunk(rva uint32) (string, bool) {
	slot, ok := f.jumpsThrough(rva)
	if !ok {
		return "", false
	}
	name, ok := f.slots[slot]
	return name, ok
}

// jumpsThrough gives the variable, or the slot of an import, that holds where the code at an address jumps to.
func (f *follower) jumpsThrough(rva uint32) (slot uint32, ok bool) {
	code := f.At(rva)
	if len(code) < 12 && f.Processor == nx.ARM64 || len(code) < 6 {
		return 0, false
	}
	switch f.Processor {
	case nx.ARM64: // adrp x16; ldr x16, [x16, #offset]; br x16
		adrp, ldr, br := binary.LittleEndian.Uint32(code), binary.LittleEndian.Uint32(code[4:]), binary.LittleEndian.Uint32(code[8:])
		n := adrp & 31
		if adrp&0x9f000000 != 0x90000000 || ldr&0xffc00000 != 0xf9400000 || ldr>>5&31 != n || ldr&31 != br>>5&31 || br&0xfffffc1f != 0xd61f0000 {
			return 0, false
		}
		slot = rva&^0xfff + uint32(int32((adrp>>5&0x7ffff<<2|adrp>>29&3)<<11)>>11)<<12 + ldr>>10&0xfff*8
	default:
		if code[0] == 0x48 && f.Processor == nx.X64 && len(code) > 6 {
			code, rva = code[1:], rva+1
		}
		if code[0] != 0xff || code[1] != 0x25 {
			return 0, false
		}
		slot = binary.LittleEndian.Uint32(code[2:])
		if f.Processor == nx.X64 {
			slot += rva + 6
		} else {
			slot -= uint32(f.Base)
		}
	}
	return slot, true
}

// thunkAt says whether a reference to a slot is that of a thunk, which others call; and where it begins.
func (f *follower) thunkAt(reference uint32) (uint32, bool) {
	before := uint32(2) // FF 25
	if f.Processor == nx.ARM64 {
		before = 4 // adrp
	}
	rva := reference - min(reference, before)
	if start, unwinds := f.unwound(rva); unwinds && start != rva && start+1 != rva {
		return 0, false // the last act of a routine; before a compiler's jump is a prefix
	}
	return rva, f.isThunk(rva) && len(f.callersOf(rva)) > 0
}

func (f *follower) isThunk(rva uint32) bool { _, ok := f.thunk(rva); return ok }

// popsOf says what a routine takes off the stack on x86: an import all its arguments, if it is known how many.
func (f *follower) popsOf(in *machine.Inst, target machine.Value) (int, bool) {
	name, start := f.callee(target, nil)
	if name != "" {
		if n, known := arities[name]; known {
			return 4 * n, true
		}
		d, known := f.rows[name]
		n := d.PlaceX86(d.Arity+1) - 1
		if d.Wdf > 0 {
			n++ // the framework's globals, in front of all others
		}
		return 4 * n, known && d.Arity > 0
	}
	if start == 0 {
		return 0, false
	}
	p, ok := f.pops[start]
	if !ok {
		p.bytes, p.known = machine.Pops(&f.env, start)
		f.pops[start] = p
	}
	return p.bytes, p.known
}
