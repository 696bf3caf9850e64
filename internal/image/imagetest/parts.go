package imagetest

import (
	"encoding/binary"

	"github.com/nxport/nxport/nx"
)

// Where things are in the drivers that Parts make: the slots of imports first in .rdata, what is constant behind all that a linker
// puts there, and variables in a section of their own.
const (
	ConstantsAt = DataAt + 0x700
	VariablesAt = 0x3000 // .data

	lookupAt  = DataAt + 0x80
	importsAt = DataAt + 0x100
	libraryAt = DataAt + 0x140
	namesAt   = DataAt + 0x180
	unwindAt  = DataAt + 0x580
	relocsAt  = DataAt + 0x640
	endOfName = 0x40

	// MaxImports and MaxFunctions are for how many there is room, MaxCode for how many bytes of code.
	MaxImports   = 16
	MaxFunctions = 15
	MaxCode      = 0x1000

	sizeOfFile = 0x200 // what parts of it are a multiple of
)

// Parts are what a driver is made of that has more than code.
type Parts struct {
	Processor nx.Processor
	Code      []byte // at CodeAt; the entry routine begins it
	Imports   []string
	Constants []byte // at ConstantsAt
	Variables []byte // at VariablesAt, where there is a page of them
	// Functions are where those with unwind information begin, and behind them where the last ends.
	Functions []uint32
	// Pointers are where the image holds addresses, which relocations tell.
	Pointers []uint32
}

// Slot gives the address of an import's slot.
func Slot(p nx.Processor, i int) uint32 {
	pointer, _ := widths(p)
	return DataAt + uint32(i*pointer)
}

// Image puts the parts together.
func (p Parts) Image() []byte {
	b := Build(p.Processor, nil)
	code, rdata, data := padded(p.Code), p.rdata(), padded(p.Variables)
	binary.LittleEndian.PutUint16(b[OptionalAt-18:], 3)
	o := b[OptionalAt:]
	binary.LittleEndian.PutUint32(o[56:], VariablesAt+0x1000)
	_, directories := widths(p.Processor)
	for i, d := range map[int][2]uint32{1: {importsAt, 40}, 3: {unwindAt, p.sizeOfUnwind()}, 5: {relocsAt, uint32(p.sizeOfRelocs())}} {
		if d[1] == 0 {
			d[0] = 0
		}
		binary.LittleEndian.PutUint32(o[directories+4+8*i:], d[0])
		binary.LittleEndian.PutUint32(o[directories+8+8*i:], d[1])
	}
	b = b[:CodeInFile]
	for i, s := range []struct {
		name             string
		rva, permissions uint32
		bytes            []byte
	}{{".text", CodeAt, ReadAndRun, code}, {".rdata", DataAt, ReadOnly, rdata}, {".data", VariablesAt, ReadOnly | AlsoWritable, data}} {
		at := b[SectionsAt(p.Processor)+40*i:][:40]
		clear(at)
		copy(at, s.name)
		for j, v := range []uint32{0x1000, s.rva, uint32(len(s.bytes)), uint32(len(b))} {
			binary.LittleEndian.PutUint32(at[8+4*j:], v)
		}
		binary.LittleEndian.PutUint32(at[36:], s.permissions)
		b = append(b, s.bytes...)
	}
	return b
}

func padded(b []byte) []byte {
	return append(b[:len(b):len(b)], make([]byte, -len(b)&(sizeOfFile-1))...)
}

// rdata lays out the section of what is constant.
func (p Parts) rdata() []byte {
	b := make([]byte, ConstantsAt-DataAt)
	pointer, _ := widths(p.Processor)
	put := func(at int, v uint32) { binary.LittleEndian.PutUint32(b[at-DataAt:], v) }
	for i, name := range p.Imports {
		at := namesAt + endOfName*i
		copy(b[at+2-DataAt:], name)
		put(DataAt+pointer*i, uint32(at))
		put(lookupAt+pointer*i, uint32(at))
	}
	for i, v := range []uint32{lookupAt, 0, 0, libraryAt, DataAt} {
		put(importsAt+4*i, v)
	}
	copy(b[libraryAt-DataAt:], "ntoskrnl.exe")
	at := unwindAt
	for i := 1; i < len(p.Functions); i++ {
		start, end := p.Functions[i-1], p.Functions[i]
		put(at, start)
		if p.Processor == nx.ARM64 {
			put(at+4, end-start|1) // packed: a length that is a multiple of four
			at += 8
			continue
		}
		put(at+4, end)
		put(at+8, ConstantsAt-8) // zeros: no chain, no codes
		at += 12
	}
	for i, v := range p.Pointers {
		put(relocsAt+12*i, v&^0xfff)
		put(relocsAt+12*i+4, 12)
		put(relocsAt+12*i+8, v&0xfff|map[int]uint32{4: 3, 8: 10}[pointer]<<12)
	}
	return padded(append(b, p.Constants...))
}

func (p Parts) sizeOfUnwind() uint32 {
	if len(p.Functions) == 0 {
		return 0
	}
	return uint32(len(p.Functions)-1) * map[nx.Processor]uint32{nx.X64: 12, nx.ARM64: 8}[p.Processor]
}

func (p Parts) sizeOfRelocs() int { return 12 * len(p.Pointers) }
