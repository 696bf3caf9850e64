package image

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"slices"

	"github.com/nxport/nxport/nx"
)

// widths are how many bytes a relocation changes, by its type: HIGHLOW and DIR64.
var widths = [16]uint32{3: 4, 10: 8}

// relocations visits where the image holds addresses that change with the place where it is loaded. It ends where the table is
// damaged.
func (m *Image) relocations(visit func(at, width uint32)) {
	const sizeBlock = 8
	d := m.directory(pe.IMAGE_DIRECTORY_ENTRY_BASERELOC)
	table := m.At(d.rva)
	table = table[:min(len(table), int(d.size))]
	for len(table) >= sizeBlock {
		page, size := binary.LittleEndian.Uint32(table), binary.LittleEndian.Uint32(table[4:])
		if size < sizeBlock || uint64(size) > uint64(len(table)) {
			return
		}
		for entries := table[sizeBlock:size]; len(entries) >= 2; entries = entries[2:] {
			e := binary.LittleEndian.Uint16(entries)
			if width := widths[e>>12]; width > 0 {
				visit(page+uint32(e&0xfff), width)
			}
		}
		table = table[size:]
	}
}

// relocated says whether the image has relocations, which tell what in it is an address.
func (m *Image) relocated() bool { return m.directory(pe.IMAGE_DIRECTORY_ENTRY_BASERELOC).size > 0 }

// pointedTo gives the addresses of code in a range that the image holds, the highest first; apart, those in the tables of x86 by which a
// routine jumps to parts of itself. Others in code itself are the operands of instructions.
func (f *follower) pointedTo(lowest, highest uint32) (list, parts []uint32) {
	all := between(f.pointers(), lowest, highest)
	for i := len(all) - 1; i >= 0 && len(list) < maxCandidates; i-- {
		into := &list
		if f.isJumpTable(all[i].at) {
			into = &parts
		}
		if n := len(*into); n == 0 || (*into)[n-1] != all[i].to {
			*into = append(*into, all[i].to)
		}
	}
	return list, parts
}

// isJumpTable says whether an address of code is in a table of such that an instruction jumps by.
func (f *follower) isJumpTable(at uint32) bool {
	const word, maxEntries = 4, 256
	jump := func(ref reference) bool { // jmp [register * 4 + table]
		code := f.At(ref.at - min(ref.at, 3))
		return len(code) > 2 && code[0] == 0xff && code[1] == 0x24 && code[2]&0xc7 == 0x85
	}
	for range maxEntries {
		b := f.At(at)
		if s := f.section(at); f.Processor != nx.X86 || s == nil || !s.Executable() || len(b) < word {
			return false
		}
		if s := f.section(binary.LittleEndian.Uint32(b) - uint32(f.Base)); s == nil || !s.Executable() {
			return false
		}
		if slices.ContainsFunc(between(f.pointers(), at, at), jump) {
			return true
		}
		at -= min(at, word)
	}
	return false
}

// pointerTo finds where the image's data holds an address.
func (f *follower) pointerTo(rva uint32) (at uint32, ok bool) {
	if !f.relocated() {
		return f.bytesOf(rva)
	}
	for _, p := range between(f.pointers(), rva, rva) {
		if s := f.section(p.at); s != nil && !s.Executable() {
			return p.at, true
		}
	}
	return 0, false
}

// bytesOf finds an address in the data by its bytes.
func (m *Image) bytesOf(rva uint32) (at uint32, ok bool) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], m.Base+uint64(rva))
	word := 8
	if m.Processor == nx.X86 {
		word = 4
	}
	for _, s := range m.Sections {
		if s.Executable() || s.has(pe.IMAGE_SCN_MEM_DISCARDABLE) { // debugging data is full of addresses
			continue
		}
		if i := bytes.Index(m.bytes(s), b[:word]); i >= 0 {
			return s.RVA + uint32(i), true
		}
	}
	return 0, false
}
