package image

import (
	"encoding/binary"
	"slices"

	"github.com/nxport/nxport/nx"
)

// maxReferences is how many places in the code are looked at that name a wanted address; drivers have some hundreds.
const maxReferences = 1 << 14

// addresses are what references are looked for to.
type addresses struct {
	list   []uint32 // sorted
	lo, hi uint32
}

func addressesOf(list []uint32) addresses {
	slices.Sort(list)
	a := addresses{list: slices.Compact(list)}
	if len(a.list) > 0 {
		a.lo, a.hi = a.list[0], a.list[len(a.list)-1]
	}
	return a
}

func (a *addresses) has(rva uint32) bool {
	if rva < a.lo || rva > a.hi {
		return false
	}
	_, found := slices.BinarySearch(a.list, rva)
	return found
}

// reference is where code names an address: in the instruction that covers at.
type reference struct{ at, to uint32 }

// references finds where code names one of the addresses: an address in the instruction, whatever it does with it. Bytes
// can look like one that are none.
func (m *Image) references(wanted addresses) []reference {
	if len(wanted.list) == 0 {
		return nil
	}
	var found []reference
	m.eachCode(func(rva uint32, code []byte) {
		switch m.Processor {
		case nx.X64:
			found = m.relative(wanted, rva, code, found)
		case nx.X86:
			found = m.absolute(wanted, rva, code, found)
		case nx.ARM64:
			found = pages(wanted, rva, code, found)
		}
	})
	return found
}

// relative finds a ModRM byte that means an address relative to the next instruction, which begins behind the four bytes of the
// distance, or behind an immediate of 1, 2 or 4 bytes more.
func (m *Image) relative(wanted addresses, rva uint32, code []byte, found []reference) []reference {
	const field, ripRelative = 0xc7, 0x05
	span := wanted.hi - wanted.lo + 4
	for i := 1; i+4 <= len(code); i++ {
		if code[i-1]&field != ripRelative {
			continue
		}
		to := rva + uint32(i) + 4 + binary.LittleEndian.Uint32(code[i:])
		if to-wanted.lo+4 > span+4 {
			continue
		}
		for _, immediate := range []uint32{0, 1, 2, 4} {
			if wanted.has(to + immediate) {
				found = append(found, reference{rva + uint32(i), to + immediate})
				break
			}
		}
		if len(found) == maxReferences {
			break
		}
	}
	return found
}

// absolute finds the addresses themselves.
func (m *Image) absolute(wanted addresses, rva uint32, code []byte, found []reference) []reference {
	lo, span := wanted.lo+uint32(m.Base), wanted.hi-wanted.lo
	for i := 1; i+4 <= len(code); i++ {
		n := binary.LittleEndian.Uint32(code[i:])
		if n-lo <= span && wanted.has(n-uint32(m.Base)) {
			if found = append(found, reference{rva + uint32(i), n - uint32(m.Base)}); len(found) == maxReferences {
				break
			}
		}
	}
	return found
}

// pages finds adrp with what adds the rest of the address, wherever that stands behind it: a register that another instruction
// wrote in between counts all the same.
func pages(wanted addresses, rva uint32, code []byte, found []reference) []reference {
	var page [32]uint32
	for i := 0; i+4 <= len(code); i += 4 {
		w, at := binary.LittleEndian.Uint32(code[i:]), rva+uint32(i)
		n := w >> 5 & 31
		to := uint32(0)
		switch {
		case w&0x9f000000 == 0x90000000: // adrp
			page[w&31] = at&^0xfff + uint32(int32((w>>5&0x7ffff<<2|w>>29&3)<<11)>>11)<<12
			continue
		case w&0x9f000000 == 0x10000000: // adr
			to = at + uint32(int32((w>>5&0x7ffff<<2|w>>29&3)<<11)>>11)
			page[w&31] = to
		case w&0xbf000000 == 0x18000000: // ldr of a literal
			to = at + uint32(int32(w>>5&0x7ffff<<13)>>11)
			page[w&31] = 0
		case w&0x0a4003e0 == 0x084003e0: // a load from the stack: what an epilogue restores is still there behind it
			continue
		case w&0x3f000000 == 0x39000000: // load or store of a general register, with an offset in units of its size
			to = page[n] + w>>10&0xfff<<(w>>30)
			if load := w&0x00c00000 != 0; load {
				page[w&31] = 0
			}
		case w&0x7f800000 == 0x11000000: // add
			to = page[n] + w>>10&0xfff<<(w>>22&1*12)
			page[w&31] = to
		case w&0xffe0ffe0 == 0xaa0003e0: // mov
			page[w&31] = page[w>>16&31]
			continue
		default:
			if w&0x1c000000 == 0x10000000 || w&0x0e000000 == 0x0a000000 || w&0x0a400000 == 0x08400000 {
				page[w&31] = 0 // a computation, or a load, puts something else there
			}
			continue
		}
		if wanted.has(to) {
			if found = append(found, reference{at, to}); len(found) == maxReferences {
				break
			}
		}
	}
	return found
}

// caller is an instruction that calls, or jumps to, an address.
type caller struct {
	to, at uint32
	jump   bool
}

// maxCallers bounds the index of an image's calls.
const maxCallers = 1 << 20

// callersOf gives who calls an address or jumps to it, by distance. The index is made when it is first asked for.
func (m *Image) callersOf(to uint32) []caller {
	index := m.callIndex()
	i, _ := slices.BinarySearchFunc(index, to, func(c caller, to uint32) int { return int(int64(c.to) - int64(to)) })
	end := i
	for end < len(index) && index[end].to == to {
		end++
	}
	return index[i:end]
}

func (m *Image) callIndex() []caller {
	m.callersOnce.Do(func() {
		m.eachCode(func(rva uint32, code []byte) {
			if m.Processor == nx.ARM64 {
				m.callsByWord(rva, code)
			} else {
				m.callsByDistance(rva, code)
			}
		})
		slices.SortFunc(m.callers, func(a, b caller) int {
			if a.to != b.to {
				return int(int64(a.to) - int64(b.to))
			}
			return int(int64(a.at) - int64(b.at))
		})
	})
	return m.callers
}

// callsByDistance finds E8, E9 and 0F 80 to 8F whose target is code.
func (m *Image) callsByDistance(rva uint32, code []byte) {
	const callNear, jumpNear, escape = 0xe8, 0xe9, 0x0f
	var section Section
	for i := 0; i+5 <= len(code) && len(m.callers) < maxCallers; i++ {
		at, from := rva+uint32(i), i+1
		switch b := code[i]; {
		case b == callNear, b == jumpNear:
		case b == escape && code[i+1]&0xf0 == 0x80 && i+6 <= len(code):
			from++
		default:
			continue
		}
		to := rva + uint32(from) + 4 + binary.LittleEndian.Uint32(code[from:])
		if to-section.RVA >= section.Size {
			s, ok := m.Section(to)
			if !ok || !s.Executable() {
				continue
			}
			section = s
		}
		m.callers = append(m.callers, caller{to, at, code[i] != callNear})
	}
}

// callsByWord finds bl, b and the conditional branches of ARM64.
func (m *Image) callsByWord(rva uint32, code []byte) {
	const bl, b = 0x25, 0x05
	for i := 0; i+4 <= len(code) && len(m.callers) < maxCallers; i += 4 {
		w, at := binary.LittleEndian.Uint32(code[i:]), rva+uint32(i)
		switch {
		case w>>26 == bl, w>>26 == b:
			m.callers = append(m.callers, caller{at + uint32(int32(w<<6)>>6)*4, at, w>>26 == b})
		case w&0xff000010 == 0x54000000, w&0x7e000000 == 0x34000000:
			m.callers = append(m.callers, caller{at + uint32(int32(w<<8)>>13)*4, at, true})
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
