package image

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode/utf16"

	"github.com/nxport/nxport/internal/machine"
	"github.com/nxport/nxport/nx"
)

// cares says whether a call changes more than any.
func (f *follower) cares(before *machine.State, target machine.Value) bool {
	name, start := f.callee(target, before)
	return name != "" && matters[name] || start != 0 && (f.telling[start] || f.doesNothing(start))
}

// matters are the routines of Windows that called knows.
var matters = func() map[string]bool {
	names := map[string]bool{"RtlInitUnicodeString": true, "RtlInitAnsiString": true}
	for _, name := range slices.Concat(fetchers, tellers) {
		names[name] = true
	}
	return names
}()

// called is told of each call in a routine that is followed: what some routines of Windows do matters.
func (f *follower) called(before, after *machine.State, in *machine.Inst, target machine.Value) {
	name, start := f.callee(target, before)
	switch name {
	case "":
		switch {
		case start == 0:
		case f.doesNothing(start):
			*after, *before = *before, *after // each keeps its registers to itself
		case f.telling[start]:
			f.answers(before, after, in, start)
		}
	case "RtlInitUnicodeString", "RtlInitAnsiString":
		if text, ok := before.Argument(2, false, in.At).Number(); ok {
			word := f.env.Word
			after.Write(before.Argument(1, false, in.At), int64(word), int64(text), word)
		}
		after.KeepBeyond(before, before.Argument(1, false, in.At), 2*int64(f.env.Word))
	case "MmGetSystemRoutineAddress", "NdisGetRoutineAddress":
		after.KeepBeyond(before, before.Argument(1, false, in.At), 0)
		f.fetches(in.At, f.counted(before.Argument(1, false, in.At), before, in.At))
	case "FltGetRoutineAddress":
		if text, ok := before.Argument(1, false, in.At).Number(); ok {
			f.fetches(in.At, f.ansi(text))
		}
	default:
		f.version(name, before, after, in)
	}
}

// doesNothing says whether a routine is a return alone, or jumps to one: the guard's check of an indirect call until the kernel puts
// its own in place, which keeps all registers.
func (f *follower) doesNothing(start uint32) bool {
	if slot, ok := f.jumpsThrough(start); ok {
		to, ok := f.constant(f.Base+uint64(slot), f.env.Word)
		to -= f.Base
		return ok && to>>32 == 0 && f.returns(uint32(to))
	}
	return f.returns(start)
}

// returns says whether a routine is a return alone.
func (f *follower) returns(start uint32) bool {
	const ret, retN, retARM64 = 0xc3, 0xc2, 0xd65f03c0
	code := f.At(start)
	if f.Processor == nx.ARM64 {
		return len(code) >= 4 && binary.LittleEndian.Uint32(code) == retARM64
	}
	return len(code) >= 3 && (code[0] == ret || code[0] == retN && code[1] == 0 && code[2] == 0)
}

func (f *follower) fetches(at uint32, name string) {
	if name != "" {
		f.fetched[at] = name
	}
}

const maxFetched = 64 // characters in the name of a routine

// counted reads a UNICODE_STRING, on the stack or in the image.
func (f *follower) counted(address machine.Value, s *machine.State, at uint32) string {
	word := f.env.Word
	buffer, ok := s.Read(address, int64(word), word, at).Number()
	if n, fixed := address.Number(); fixed {
		buffer, ok = f.number(uint32(n-f.Base)+uint32(word), word)
	}
	rva := buffer - f.Base
	if !ok || rva>>32 != 0 {
		return ""
	}
	var text []uint16
	for b := f.At(uint32(rva)); len(b) >= 2 && len(text) < maxFetched; b = b[2:] {
		c := binary.LittleEndian.Uint16(b)
		if c == 0 {
			break
		}
		text = append(text, c)
	}
	return string(utf16.Decode(text))
}

func (f *follower) ansi(address uint64) string {
	rva := address - f.Base
	if rva>>32 != 0 {
		return ""
	}
	b := f.At(uint32(rva))
	return text(b[:min(len(b), maxFetched)])
}

// fetchers are the imports that give the address of a routine by name.
var fetchers = []string{"MmGetSystemRoutineAddress", "NdisGetRoutineAddress", "FltGetRoutineAddress"}

// fetchedInto follows the routines that fetch others by name, and finds the variables that hold what they fetch. It gives the routines that
// fetch one of the table's: they may call it without a variable.
func (f *follower) fetchedInto() (fetching []uint32) {
	followed := map[uint32]bool{}
	for _, u := range f.using(f.slotsOf(fetchers...)) {
		if followed[u.Start] || f.fetchesOther(u) {
			continue
		}
		followed[u.Start] = true
		r := u.Routine
		r.Stores(func(in *machine.Inst, address uint64, width uint8, v machine.Value) {
			rva := address - f.Base
			if width != f.env.Word || rva>>32 != 0 {
				return
			}
			for _, a := range v {
				if a.Kind != machine.Result {
					continue
				}
				if name := f.fetched[uint32(a.N)]; f.rows[name].Name != "" {
					f.holding[uint32(rva)] = name
				}
			}
		})
		for at, name := range f.fetched {
			if _, its := r.Inst(at); its && f.rows[name].Name != "" {
				fetching = append(fetching, r.Start)
				break
			}
		}
	}
	return fetching
}

// fetchesOther says whether the block alone tells that what is fetched there is none of the table's.
func (f *follower) fetchesOther(u use) bool {
	if u.at == 0 || !f.certain(u) {
		return false
	}
	call := uint32(0)
	u.NearCalls(u.at, func(s *machine.State, in *machine.Inst) bool {
		if call != 0 { // that has been run through
			return true
		}
		if name, _ := f.callee(s.Target(in), s); slices.Contains(fetchers, name) {
			call = in.At
		}
		return false
	})
	name := f.fetched[call]
	return name != "" && f.rows[name].Name == ""
}

// slotsOf gives the slots of imports.
func (f *follower) slotsOf(names ...string) []uint32 {
	var list []uint32
	for _, v := range f.Imports {
		if slices.Contains(names, v.Name) {
			list = append(list, v.Slot)
		}
	}
	return list
}

// use is a routine, and the instruction in it that names an address, or calls a thunk that does.
type use struct {
	*machine.Routine
	at uint32
	to uint32 // the address
}

// using gives the routines that name one of the addresses, or call a thunk that jumps through it.
func (f *follower) using(slots []uint32) []use {
	var list []use
	for _, ref := range f.references(addressesOf(slots...)) {
		if rva, ok := f.thunkAt(ref.at); ok {
			for _, c := range f.callersOf(rva) {
				if r, ok := f.startOf(c.at); ok {
					list = append(list, use{r, c.at, 0})
				}
			}
			continue
		}
		if ref.to == f.wdf && f.otherFunction(ref.at) {
			continue
		}
		if r, ok := f.startOf(ref.at); ok {
			in, _ := r.Covering(ref.at)
			list = append(list, use{r, in.At, ref.to})
		} else if at, ok := f.callAround(ref.at); ok { // else a request would not be seen at all
			list = append(list, use{f.routine(at), at, ref.to})
		}
	}
	return list
}

// callAround gives the call through memory whose address stands at a place: FF 15.
func (f *follower) callAround(reference uint32) (at uint32, ok bool) {
	at = reference - min(reference, 2)
	code := f.At(at)
	return at, f.Processor != nx.ARM64 && len(code) > 1 && code[0] == 0xff && code[1] == 0x15 && f.routine(at).Holds(at)
}

// lookAhead is how far behind the load of the framework's table the load of a function out of it is looked for.
const lookAhead = 96

// otherFunction says whether code that loads the address of the framework's table goes on to load another function out of it than those
// that are wanted: through the register that it loads first.
func (f *follower) otherFunction(at uint32) bool {
	const rexW, load, rm, middle, short, long = 0x48, 0x8b, 7, 3, 1, 2
	if f.Processor == nx.ARM64 {
		return f.otherFunctionARM64(at)
	}
	before, code := f.At(at-min(at, 3)), f.At(at+4)
	if len(before) < 3 {
		return false
	}
	register := before[2] >> middle & rm
	if addsNext(code) {
		return false // which is told by a sum
	}
	for i := 1; i+6 <= min(len(code), lookAhead); i++ {
		rex := f.Processor != nx.X64 || code[i-1]&0xf8 == rexW
		if mod := code[i+1] >> 6; !rex || code[i] != load || code[i+1]&rm != register || mod != short && mod != long || register == 4 {
			continue
		}
		distance := uint32(code[i+2])
		if code[i+1]>>6 == long {
			distance = binary.LittleEndian.Uint32(code[i+2:])
		}
		_, wanted := f.byIndex[int(distance)/int(f.env.Word)]
		return !wanted
	}
	return false
}

// addsNext says whether code begins with an addition to a register, as unoptimised code has it.
func addsNext(code []byte) bool {
	const rexW, addEAX, add32, add8 = 0x48, 0x05, 0x81, 0x83
	if len(code) > 0 && code[0] == rexW {
		code = code[1:]
	}
	return len(code) > 0 && (code[0] == addEAX || code[0] == add32 || code[0] == add8)
}

func (f *follower) otherFunctionARM64(at uint32) bool {
	const ldr, mask = 0xf9400000, 0xffc00000
	code := f.At(at)
	if len(code) < 4 || binary.LittleEndian.Uint32(code)&mask != ldr {
		return false
	}
	register := binary.LittleEndian.Uint32(code) & 31
	for i := 4; i+4 <= min(len(code), lookAhead); i += 4 {
		if w := binary.LittleEndian.Uint32(code[i:]); w&mask == ldr && w>>5&31 == register {
			_, wanted := f.byIndex[int(w>>10&0xfff)]
			return !wanted
		}
	}
	return false
}

// routinesUsing is using without the instructions.
func (f *follower) routinesUsing(slots []uint32) []*machine.Routine {
	var list []*machine.Routine
	for _, u := range f.using(slots) {
		if !slices.Contains(list, u.Routine) {
			list = append(list, u.Routine)
		}
	}
	return list
}

// kmdf is the name by which a driver binds to the framework, in UTF-16.
var kmdf = []byte("K\x00m\x00d\x00f\x00L\x00i\x00b\x00r\x00a\x00r\x00y\x00\x00\x00")

// findWdf finds the variable that points to the framework's table: WDF_BIND_INFO has the address of the name behind its size,
// then three numbers of the version, how many functions there are, and the address of the variable (wdfversionbind; fxldr.h).
func (f *follower) findWdf() {
	word := uint32(f.env.Word)
	for _, s := range f.Sections {
		for from := 0; ; {
			i := bytes.Index(f.bytes(s)[from:], kmdf)
			if i < 0 {
				break
			}
			from += i + 2
			if info, ok := f.pointerTo(s.RVA + uint32(from) - 2); ok {
				if table, ok := f.number(info+word+16, f.env.Word); ok && table > f.Base && table-f.Base < uint64(f.Size) {
					f.wdf = uint32(table - f.Base)
					return
				}
			}
		}
	}
}
