package image

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"golang.org/x/arch/x86/x86asm"

	"github.com/nxport/nxport/nx"
)

// Call is an instruction that calls an import, or jumps to it as the last act of a function.
type Call struct {
	Import Import
	RVA    uint32 // of the instruction
	Return uint32 // of the one behind it; 0 of a jump, which does not come back
}

// maxCalls is how many calls, and jumps, and loads of a slot, are looked at; drivers have some hundreds.
const maxCalls = 1 << 16

// Calls gives the calls of the imports that are wanted by name, by address: through the import's slot, through a register that it
// was loaded into in the same run of instructions, or through a thunk that jumps there. ARM32 code is not read.
func (m *Image) Calls(wanted func(name string) bool) []Call {
	slots := map[uint32]Import{}
	for _, v := range m.Imports {
		if wanted(v.Name) {
			slots[v.Slot] = v
		}
	}
	if len(slots) == 0 {
		return nil
	}
	var list []Call
	switch m.Processor {
	case nx.X86, nx.X64:
		list = m.callsX86(slots)
	case nx.ARM64:
		list = m.callsARM64(slots)
	}
	slices.SortFunc(list, func(a, b Call) int {
		return cmp.Or(cmp.Compare(a.RVA, b.RVA), cmp.Compare(a.Import.Slot, b.Import.Slot))
	})
	return slices.CompactFunc(list, func(a, b Call) bool { return a.RVA == b.RVA }) // two loads can lead to one call
}

// callsX86 looks for FF 15 and FF 25, the call and the jump through memory, and then for E8 and E9 to such a jump.
func (m *Image) callsX86(slots map[uint32]Import) []Call {
	const (
		throughMemory = 0xff
		callMemory    = 0x15
		jumpMemory    = 0x25
		rexW          = 0x48
	)
	var calls []Call
	jumps := map[uint32]jump{}
	m.eachCode(func(rva uint32, code []byte) {
		for i := 0; len(calls)+len(jumps) < maxCalls; i++ {
			next := bytes.IndexByte(code[i:], throughMemory)
			if i += next; next < 0 || i+6 > len(code) {
				return
			}
			at := rva + uint32(i)
			slot := at + 6 + binary.LittleEndian.Uint32(code[i+2:])
			if m.Processor == nx.X86 {
				slot = binary.LittleEndian.Uint32(code[i+2:]) - uint32(m.Base)
			}
			v, ok := slots[slot]
			switch {
			case ok && code[i+1] == callMemory:
				calls = append(calls, Call{v, at, at + 6})
			case ok && code[i+1] == jumpMemory && i > 0 && code[i-1] == rexW && m.Processor == nx.X64:
				jumps[at-1] = jump{v, false} // compilers write the prefix, linkers do not
			case ok && code[i+1] == jumpMemory:
				jumps[at] = jump{v, begins(code[:i], jumps, at)}
			}
		}
	})
	return slices.Concat(calls, m.byThunk(jumps), m.byRegister(slots))
}

// jump is a jump to an import. One that stands alone is a thunk, which linkers also put into images that do not call it.
type jump struct {
	to    Import
	alone bool
}

// begins says whether code begins behind these bytes: padding, a return, a thunk.
func begins(before []byte, jumps map[uint32]jump, at uint32) bool {
	const nop, breakpoint, ret = 0x90, 0xcc, 0xc3
	if len(before) == 0 || jumps[at-6].alone {
		return true
	}
	return bytes.IndexByte([]byte{nop, breakpoint, ret}, before[len(before)-1]) >= 0
}

// byThunk finds who calls such a jump. One that nobody calls and that does not stand alone is the last act of a function.
func (m *Image) byThunk(jumps map[uint32]jump) []Call {
	const callNear, jumpNear = 0xe8, 0xe9
	var calls []Call
	thunks := map[uint32]bool{}
	m.eachCode(func(rva uint32, code []byte) {
		for i := 0; len(jumps) > 0 && len(calls) < maxCalls && i+5 <= len(code); i++ {
			if code[i] != callNear && code[i] != jumpNear {
				continue
			}
			at := rva + uint32(i)
			to := at + 5 + binary.LittleEndian.Uint32(code[i+1:])
			if j, ok := jumps[to]; ok {
				c := Call{Import: j.to, RVA: at}
				if code[i] == callNear {
					c.Return = at + 5
				}
				calls, thunks[to] = append(calls, c), true
			}
		}
	})
	for at, j := range jumps {
		if !thunks[at] && !j.alone {
			calls = append(calls, Call{Import: j.to, RVA: at})
		}
	}
	return calls
}

// byRegister looks for 8B /r and A1, the loads of a register from memory, and follows the code from those of a slot.
func (m *Image) byRegister(slots map[uint32]Import) []Call {
	const load, loadEAX, addressOnly, modRM = 0x8b, 0xa1, 0x05, 0xc7
	var calls []Call
	loads := 0
	m.eachCode(func(rva uint32, code []byte) {
		for i := 1; max(loads, len(calls)) < maxCalls && i+6 <= len(code); i++ {
			at, begin := rva+uint32(i), i
			var slot uint32
			switch {
			case code[i] == load && code[i+1]&modRM == addressOnly && m.Processor == nx.X64 && code[i-1]&0xf8 == 0x48:
				slot, begin = at+6+binary.LittleEndian.Uint32(code[i+2:]), i-1
			case code[i] == load && code[i+1]&modRM == addressOnly && m.Processor == nx.X86:
				slot = binary.LittleEndian.Uint32(code[i+2:]) - uint32(m.Base)
			case code[i] == loadEAX && m.Processor == nx.X86:
				slot = binary.LittleEndian.Uint32(code[i+1:]) - uint32(m.Base)
			default:
				continue
			}
			if v, ok := slots[slot]; ok {
				loads++
				calls = append(calls, m.follow(v, rva+uint32(begin), code[begin:])...)
			}
		}
	})
	return calls
}

// maxRun is how many instructions a loaded register is followed through.
const maxRun = 500

// follow gives the calls of a register from the instruction that loads it to the one that writes it, or ends the run.
func (m *Image) follow(v Import, at uint32, code []byte) []Call {
	mode := 64
	if m.Processor == nx.X86 {
		mode = 32
	}
	var calls []Call
	var register x86asm.Arg
	for i := range maxRun {
		in, err := x86asm.Decode(code, mode)
		if err != nil || in.Op == x86asm.RET || in.Op == x86asm.JMP && in.Args[0] != register {
			break
		}
		next := at + uint32(in.Len)
		switch {
		case i == 0:
			register = in.Args[0]
		case in.Op == x86asm.JMP:
			return append(calls, Call{Import: v, RVA: at})
		case in.Op == x86asm.CALL && in.Args[0] == register:
			calls = append(calls, Call{v, at, next})
		}
		if i > 0 && ends(in, register) {
			break
		}
		at, code = next, code[in.Len:]
	}
	return calls
}

// reads are the instructions whose first operand is only read.
var reads = []x86asm.Op{x86asm.CMP, x86asm.TEST, x86asm.PUSH, x86asm.CALL}

// volatile are the registers that a call may change.
var volatile = []x86asm.Reg{x86asm.EAX, x86asm.ECX, x86asm.EDX, x86asm.RAX, x86asm.RCX, x86asm.RDX, x86asm.R8, x86asm.R9, x86asm.R10, x86asm.R11}

// ends says whether a register may hold something else after an instruction.
func ends(in x86asm.Inst, register x86asm.Arg) bool {
	r, ok := register.(x86asm.Reg)
	switch {
	case !ok:
		return true
	case in.Op == x86asm.CALL:
		return slices.Contains(volatile, r)
	case slices.Contains(reads, in.Op):
		return false
	}
	written, ok := in.Args[0].(x86asm.Reg)
	return ok && whole(written) == whole(r)
}

// whole gives the 64-bit register that a register of 32 bits is half of. Nothing else of an address is written.
func whole(r x86asm.Reg) x86asm.Reg {
	if r >= x86asm.EAX && r <= x86asm.R15L {
		return r - x86asm.EAX + x86asm.RAX
	}
	return r
}

// callsARM64 follows adrp and ldr to a slot, in the order of the code, up to the blr or br through that register.
func (m *Image) callsARM64(slots map[uint32]Import) []Call {
	var calls []Call
	jumps := map[uint32]jump{}
	m.eachCode(func(rva uint32, code []byte) {
		var r registers
		for i := 0; len(calls)+len(jumps) < maxCalls && i+4 <= len(code); i += 4 {
			at := rva + uint32(i)
			switch v, does := r.step(at, binary.LittleEndian.Uint32(code[i:]), slots); {
			case does == calling:
				calls = append(calls, Call{v, at, at + 4})
			case does == jumping:
				// where it is a thunk, it is all of it: adrp, ldr, br
				jumps[at-8] = jump{v, i < 12 || beginsARM64(binary.LittleEndian.Uint32(code[i-12:]))}
			}
		}
	})
	return append(calls, m.byThunkARM64(jumps)...)
}

// byThunkARM64 is byThunk for bl and b.
func (m *Image) byThunkARM64(jumps map[uint32]jump) []Call {
	const bl, b = 0x25, 0x05
	var calls []Call
	thunks := map[uint32]bool{}
	m.eachCode(func(rva uint32, code []byte) {
		for i := 0; len(jumps) > 0 && len(calls) < maxCalls && i+4 <= len(code); i += 4 {
			w := binary.LittleEndian.Uint32(code[i:])
			if w>>26 != bl && w>>26 != b {
				continue
			}
			at := rva + uint32(i)
			to := at + uint32(int32(w<<6)>>6)*4
			if j, ok := jumps[to]; ok {
				c := Call{Import: j.to, RVA: at}
				if w>>26 == bl {
					c.Return = at + 4
				}
				calls, thunks[to] = append(calls, c), true
			}
		}
	})
	for at, j := range jumps {
		if !thunks[at] && !j.alone {
			calls = append(calls, Call{Import: j.to, RVA: at + 8})
		}
	}
	return calls
}

// beginsARM64 says whether code begins behind this instruction: padding, a return, a jump.
func beginsARM64(before uint32) bool {
	const nop, ret, br, brk = 0xd503201f, 0xd65f03c0, 0xd61f0000, 0xd4200000
	return before == 0 || before == nop || before == ret || before&0xfffffc1f == br || before&0xffe0001f == brk
}

// registers holds what is known of the ARM64 registers: the address of a page, or an import.
type registers struct {
	page   [32]uint32
	known  [32]bool
	holds  [32]Import
	loaded [32]bool
}

type action int

const (
	otherwise action = iota
	calling
	jumping
)

// step takes one instruction. What it writes besides is not decoded, so a register that is loaded and never used stays
// loaded; an unconditional jump ends what is known.
func (r *registers) step(at, w uint32, slots map[uint32]Import) (Import, action) {
	d, n := w&31, w>>5&31
	switch {
	case w&0x9f000000 == 0x90000000: // adrp
		offset := int32((w>>5&0x7ffff<<2|w>>29&3)<<11) >> 11
		r.page[d], r.known[d], r.loaded[d] = at&^0xfff+uint32(offset)<<12, true, false
	case w&0xffc00000 == 0xf9400000: // ldr d, [n, #offset]
		v, ok := slots[r.page[n]+w>>10&0xfff*8]
		r.holds[d], r.loaded[d], r.known[d] = v, ok && r.known[n], false
	case w&0xfffffc1f == 0xd63f0000 && r.loaded[n]: // blr n
		v := r.holds[n]
		r.called()
		return v, calling
	case w&0xfffffc1f == 0xd63f0000, w>>26 == 0x25: // blr, bl
		r.called()
	case w&0xfffffc1f == 0xd61f0000 && r.loaded[n]: // br n
		v := r.holds[n]
		*r = registers{}
		return v, jumping
	case w>>26 == 0x05, w == 0xd65f03c0: // b, ret
		*r = registers{}
	}
	return Import{}, otherwise
}

// called forgets what a call may change: x0 to x17, and the link register.
func (r *registers) called() {
	for i := range r.known {
		if i <= 17 || i == 30 {
			r.known[i], r.loaded[i] = false, false
		}
	}
}

// eachCode calls f for each section with code that the file holds, at its address.
func (m *Image) eachCode(f func(rva uint32, code []byte)) {
	for _, s := range m.Sections {
		if s.Executable() {
			f(s.RVA, m.bytes(s))
		}
	}
}
