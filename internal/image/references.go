package image

import (
	"encoding/binary"
	"slices"

	"github.com/nxport/nxport/nx"
)

// reference is where an address is named: in code, by the four bytes at at; a call or a jump by its first byte; in data, where the
// address stands.
type reference struct{ to, at uint32 }

const (
	// maxReferences is how many places in the code are looked at that name a wanted address; drivers have some hundreds.
	maxReferences = 1 << 14
	// maxIndexed bounds an index of references.
	maxIndexed = 1 << 20
)

// byTarget sorts references by what they name; those to one address stay in their order. A digit at a time, which takes a fifth of the
// time of a comparison of each with each.
func byTarget(list []reference, size uint32) []reference {
	const digit = 11
	other := make([]reference, len(list))
	for shift := 0; shift < 32 && size>>shift != 0; shift += digit {
		var from [1<<digit + 1]int
		for i := range list {
			from[list[i].to>>shift&(1<<digit-1)+1]++
		}
		for i := range 1 << digit {
			from[i+1] += from[i]
		}
		for _, ref := range list {
			d := ref.to >> shift & (1<<digit - 1)
			other[from[d]] = ref
			from[d]++
		}
		list, other = other, list
	}
	return list
}

// between gives those of an index that name an address of a range, both ends included.
func between(index []reference, lo, hi uint32) []reference {
	order := func(ref reference, to uint32) int { return int(int64(ref.to) - int64(to)) }
	i, _ := slices.BinarySearchFunc(index, lo, order)
	end := i
	for end < len(index) && index[end].to <= hi {
		end++
	}
	return index[i:end]
}

// addresses are what references are looked for to: a list, sorted, or without one all from lo to hi.
type addresses struct {
	list   []uint32
	lo, hi uint32
}

func addressesOf(list ...uint32) addresses {
	slices.Sort(list)
	if len(list) == 0 {
		return addresses{lo: 1} // none
	}
	return addresses{slices.Compact(list), list[0], list[len(list)-1]}
}

func (a *addresses) has(rva uint32) bool {
	if rva < a.lo || rva > a.hi {
		return false
	}
	if a.list == nil {
		return true
	}
	_, found := slices.BinarySearch(a.list, rva)
	return found
}

// references finds where code names one of the addresses: an address in the instruction, whatever it does with it. Bytes
// can look like one that are none. What is relative to the next instruction is relative to what stands behind the four bytes of the
// distance, or behind an immediate of 1, 2 or 4 bytes more.
func (m *Image) references(wanted addresses) []reference {
	behind := []uint32{0}
	if m.Processor == nx.X64 {
		behind = []uint32{0, 1, 2, 4}
	}
	var found []reference
	for _, ref := range between(m.named(), wanted.lo-min(wanted.lo, behind[len(behind)-1]), wanted.hi) {
		for _, immediate := range behind {
			if wanted.has(ref.to + immediate) {
				found = append(found, reference{ref.to + immediate, ref.at})
				break
			}
		}
	}
	slices.SortFunc(found, func(a, b reference) int { return int(int64(a.at) - int64(b.at)) })
	return found[:min(len(found), maxReferences)]
}

// named gives all that code names in the image, by what is named. The index is made when it is first asked for.
func (m *Image) named() []reference {
	m.namedOnce.Do(func() {
		var found []reference
		switch m.Processor {
		case nx.X64:
			m.eachCode(func(rva uint32, code []byte) { found = relative(m.Size, rva, code, found) })
		case nx.X86:
			found = m.absolute()
		case nx.ARM64:
			m.eachCode(func(rva uint32, code []byte) { found = pages(m.Size, rva, code, found) })
		}
		m.naming = byTarget(found, m.Size)
	})
	return m.naming
}

// relative finds a ModRM byte that means an address relative to the next instruction.
func relative(size, rva uint32, code []byte, found []reference) []reference {
	const field, ripRelative = 0xc7, 0x05
	for i := 1; i+4 <= len(code) && len(found) < maxIndexed; i++ {
		if code[i-1]&field != ripRelative {
			continue
		}
		if to := rva + uint32(i) + 4 + binary.LittleEndian.Uint32(code[i:]); to < size {
			found = append(found, reference{to, rva + uint32(i)})
		}
	}
	return found
}

// absolute finds the addresses themselves: what the relocations change in code, or, without relocations, any bytes that can be one.
func (m *Image) absolute() (found []reference) {
	if m.relocated() {
		for _, p := range m.pointers() {
			if s := m.section(p.at); s != nil && s.Executable() {
				found = append(found, p)
			}
		}
		return found
	}
	m.eachCode(func(rva uint32, code []byte) {
		for i := 1; i+4 <= len(code) && len(found) < maxIndexed; i++ {
			if to := binary.LittleEndian.Uint32(code[i:]) - uint32(m.Base); to < m.Size {
				found = append(found, reference{to, rva + uint32(i)})
			}
		}
	})
	return found
}

// pages finds adrp with what adds the rest of the address, wherever that stands behind it: a register that another instruction
// wrote in between counts all the same.
func pages(size, rva uint32, code []byte, found []reference) []reference {
	var page registerPages
	for i := 0; i+4 <= len(code) && len(found) < maxIndexed; i += 4 {
		w, at := binary.LittleEndian.Uint32(code[i:]), rva+uint32(i)
		to := uint32(0)
		switch d, n := w&31, w>>5&31; {
		case w&0x0a000000 == 0x08000000: // loads and stores
			to = page.memory(w, at)
		case w&0x9f000000 == 0x90000000: // adrp
			page[d] = at&^0xfff + uint32(int32((w>>5&0x7ffff<<2|w>>29&3)<<11)>>11)<<12
		case w&0x9f000000 == 0x10000000: // adr
			to = at + uint32(int32((w>>5&0x7ffff<<2|w>>29&3)<<11)>>11)
			page[d] = to
		case w&0x7f800000 == 0x11000000: // add
			to = page[n] + w>>10&0xfff<<(w>>22&1*12)
			page[d] = to
		case w&0xffe0ffe0 == 0xaa0003e0: // mov
			page[d] = page[w>>16&31]
		case w&0x1c000000 == 0x10000000, w&0x0e000000 == 0x0a000000: // a computation puts something else there
			page[d] = 0
		}
		if to < size && to >= 1<<12 { // no section begins in front of the first page
			found = append(found, reference{to, at})
		}
	}
	return found
}

// registerPages are the addresses that registers hold, as far as adrp and what follows it tells.
type registerPages [32]uint32

// memory gives what a load or store names, if anything, and forgets what it overwrites.
func (page *registerPages) memory(w, at uint32) (to uint32) {
	const load = 0x00400000
	switch d, n := w&31, w>>5&31; {
	case w&0xbf000000 == 0x18000000: // ldr of a literal
		to = at + uint32(int32(w>>5&0x7ffff<<13)>>11)
		page[d] = 0
	case w&load != 0 && n == 31: // from the stack: what an epilogue restores is still there behind it
	case w&0x3f000000 == 0x39000000: // of a general register, with an offset in units of its size
		to = page[n] + w>>10&0xfff<<(w>>30)
		if w&0x00c00000 != 0 {
			page[d] = 0
		}
	case w&load != 0:
		page[d] = 0
	}
	return to
}

// callersOf gives who calls an address or jumps to it, by distance.
func (m *Image) callersOf(to uint32) []reference { return between(m.calls(), to, to) }

// calls gives all calls and jumps by distance, by where they lead. The index is made when it is first asked for.
func (m *Image) calls() []reference {
	m.callsOnce.Do(func() {
		var found []reference
		m.eachCode(func(rva uint32, code []byte) {
			if m.Processor == nx.ARM64 {
				found = callsByWord(m.Size, rva, code, found)
			} else {
				found = m.callsByDistance(rva, code, found)
			}
		})
		m.calling = byTarget(found, m.Size)
	})
	return m.calling
}

// isJump says of what calls has whether it is a jump.
func (m *Image) isJump(c reference) bool {
	const callNear, bl = 0xe8, 0x25
	code := m.At(c.at)
	if m.Processor == nx.ARM64 {
		return len(code) >= 4 && binary.LittleEndian.Uint32(code)>>26 != bl
	}
	return len(code) > 0 && code[0] != callNear
}

// callsByDistance finds E8, E9 and 0F 80 to 8F whose target is code.
func (m *Image) callsByDistance(rva uint32, code []byte, found []reference) []reference {
	const near, escape = 0xe8, 0x0f // E9 is a jump
	var section Section
	for i := 0; i+5 <= len(code) && len(found) < maxIndexed; i++ {
		from := i + 1
		switch b := code[i]; {
		case b&0xfe == near:
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
		found = append(found, reference{to, rva + uint32(i)})
	}
	return found
}

// callsByWord finds bl, b and the conditional branches of ARM64.
func callsByWord(size, rva uint32, code []byte, found []reference) []reference {
	const bl, b = 0x25, 0x05
	for i := 0; i+4 <= len(code) && len(found) < maxIndexed; i += 4 {
		w, at := binary.LittleEndian.Uint32(code[i:]), rva+uint32(i)
		to := uint32(0)
		switch {
		case w>>26 == bl, w>>26 == b:
			to = at + uint32(int32(w<<6)>>6)*4
		case w&0xff000010 == 0x54000000, w&0x7e000000 == 0x34000000:
			to = at + uint32(int32(w<<8)>>13)*4
		default:
			continue
		}
		if to < size {
			found = append(found, reference{to, at})
		}
	}
	return found
}

// eachCode calls f for each section with code that the file holds, at its address.
func (m *Image) eachCode(f func(rva uint32, code []byte)) {
	for _, s := range m.Sections {
		if s.Executable() {
			f(s.RVA, m.bytes(s))
		}
	}
}
