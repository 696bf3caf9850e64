// Package imagetest makes small built drivers for tests.
package imagetest

import (
	"encoding/binary"

	"github.com/nxport/nxport/nx"
)

// Where things are in the drivers that Build makes, in memory and in the file. An optional header has its directories behind
// OptionalAt + 92, or 108 for 64 bits, and is followed by the headers of two sections.
const (
	CodeAt     = 0x1000 // .text
	DataAt     = 0x2000 // .rdata
	CodeInFile = 0x400
	DataInFile = 0x600
	OptionalAt = 0x98
	Base       = 0x10000 // where it would like to be loaded
	SectionLen = 0x200

	ReadAndRun   = 0x60000020 // what .text allows
	ReadOnly     = 0x40000040 // what .rdata does
	AlsoWritable = 0x80000000
	Discardable  = 0x02000000
)

var machines = map[nx.Processor]uint16{nx.X64: 0x8664, nx.X86: 0x14c, nx.ARM64: 0xaa64, nx.ARM: 0x1c4}

// SectionsAt is where in the file the headers of the sections are.
func SectionsAt(p nx.Processor) int {
	_, directories := widths(p)
	return OptionalAt + directories + 4 + 8*16
}

// widths are the width of a pointer and where in the optional header the number of directories is.
func widths(p nx.Processor) (pointer, directories int) {
	if p == nx.X86 || p == nx.ARM {
		return 4, 92
	}
	return 8, 108
}

// Build makes a driver for Windows 7 and later with that code, which its entry routine begins, and an import table for routines of the
// kernel, two at most: their slots are the first of .rdata.
func Build(p nx.Processor, code []byte, imports ...string) []byte {
	b := make([]byte, DataInFile+SectionLen)
	put16, put := binary.LittleEndian.PutUint16, binary.LittleEndian.PutUint32
	pointer, directories := widths(p)
	copy(b, "MZ")
	put(b[0x3c:], 0x80)
	copy(b[0x80:], "PE\x00\x00")
	coff, o := b[0x84:], b[OptionalAt:]
	put16(coff, machines[p])
	put16(coff[2:], 2)
	put16(coff[16:], uint16(directories+4+8*16))
	put16(o, map[int]uint16{4: 0x10b, 8: 0x20b}[pointer])
	put(o[16:], CodeAt)
	put(o[map[int]int{4: 28, 8: 24}[pointer]:], Base)
	put(o[32:], 0x1000) // alignment of sections
	put(o[48:], 1<<16|6)
	put(o[56:], 0x3000)
	put16(o[68:], 1) // native
	put(o[directories:], 16)
	put(o[directories+4+8:], DataAt+0x80)
	for i, s := range []struct {
		name                     string
		rva, offset, permissions uint32
	}{{".text", CodeAt, CodeInFile, ReadAndRun}, {".rdata", DataAt, DataInFile, ReadOnly}} {
		at := b[SectionsAt(p)+40*i:]
		copy(at, s.name)
		for j, v := range []uint32{SectionLen, s.rva, SectionLen, s.offset} {
			put(at[8+4*j:], v)
		}
		put(at[36:], s.permissions)
	}
	copy(b[CodeInFile:DataInFile], code)
	data := b[DataInFile:]
	for i, name := range imports {
		at := 0x100 + 0x40*i
		copy(data[at+2:], name)
		put(data[pointer*i:], uint32(DataAt+at))
		put(data[0x40+pointer*i:], uint32(DataAt+at))
	}
	for i, v := range []uint32{DataAt + 0x40, 0, 0, DataAt + 0x180, DataAt} {
		put(data[0x80+4*i:], v)
	}
	copy(data[0x180:], "ntoskrnl.exe")
	return b
}
