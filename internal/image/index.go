package image

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/nxport/nxport/nx"
)

// index tells where an image names its own addresses, and where routines may begin. Each list is made when it is first asked for, in
// memory that was that of another image.
type index struct {
	image                           *Image
	naming, calling, pointing       []reference
	spare                           []reference // to sort them
	beginning                       []uint32
	hasCode, hasPointers, hasStarts bool // naming, pointing, and beginning are made
	hasCalls                        bool // calling is sorted
}

// empty makes it ready for another image.
func (x *index) empty() {
	*x = index{naming: x.naming[:0], calling: x.calling[:0], pointing: x.pointing[:0], spare: x.spare[:0], beginning: x.beginning[:0]}
}

// size is how many bytes it has become large.
func (x *index) size() int {
	const sizeReference = 8
	return sizeReference * (cap(x.naming) + cap(x.calling) + cap(x.pointing) + cap(x.spare))
}

// maxIndexed bounds a list.
const maxIndexed = 1 << 20

// sort sorts a list by what is named; those to one address stay in their order. A digit at a time, which takes a fifth of the time of a
// comparison of each with each.
func (x *index) sort(list []reference) []reference {
	const digit = 11
	other := slices.Grow(x.spare[:0], len(list))[:len(list)]
	for shift := 0; shift < 32 && x.image.Size>>shift != 0; shift += digit {
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
	x.spare = other
	return list
}

// named gives all that code names in the image.
func (x *index) named() []reference {
	x.read()
	return x.naming
}

// calls gives all calls and jumps by distance.
func (x *index) calls() []reference {
	if x.hasCalls {
		return x.calling
	}
	x.hasCalls = true
	x.read()
	for _, s := range x.image.Sections {
		if s.Executable() && x.image.Processor == nx.ARM64 {
			x.branches(s.RVA, x.image.bytes(s))
		}
	}
	x.calling = x.sort(x.calling)
	return x.calling
}

// callersOf gives who calls an address or jumps to it, by distance.
func (x *index) callersOf(to uint32) []reference { return between(x.calls(), to, to) }

// read goes through all code for what it names, and on x86 and x64 what it calls.
func (x *index) read() {
	if x.hasCode {
		return
	}
	x.hasCode = true
	sorted := x.image.Processor == nx.X86 && x.absolute()
	for _, s := range x.image.Sections {
		switch {
		case !s.Executable():
		case x.image.Processor == nx.ARM64:
			x.words(s.RVA, x.image.bytes(s))
		default:
			x.distances(s.RVA, x.image.bytes(s))
		}
	}
	if !sorted {
		x.naming = x.sort(x.naming)
	}
}

// absolute finds the addresses themselves: what the relocations change in code, sorted; or, without relocations, any bytes that can be one.
func (x *index) absolute() (sorted bool) {
	m := x.image
	if m.relocated() {
		for _, p := range x.pointers() {
			if s := m.section(p.at); s != nil && s.Executable() {
				x.naming = append(x.naming, p)
			}
		}
		return true
	}
	for _, s := range m.Sections {
		if !s.Executable() {
			continue
		}
		code := m.bytes(s)
		for i := 1; i+4 <= len(code) && len(x.naming) < maxIndexed; i++ {
			if to := binary.LittleEndian.Uint32(code[i:]) - uint32(m.Base); to < m.Size {
				x.naming = append(x.naming, reference{to, s.RVA + uint32(i)})
			}
		}
	}
	return false
}

// pointers gives the addresses that the image holds: what the relocations change. Without relocations it has none, and the bytes of the
// data must do.
func (x *index) pointers() []reference {
	if x.hasPointers {
		return x.pointing
	}
	x.hasPointers = true
	m := x.image
	var held []byte // what is behind the last address but for where the section ends
	from := uint32(0)
	m.relocations(func(at, width uint32) {
		if uint64(at-from)+uint64(width) > uint64(len(held)) {
			held, from = m.At(at), at
		}
		if len(held) < int(width) {
			return
		}
		b := held[at-from:]
		to := uint64(binary.LittleEndian.Uint32(b))
		if width == 8 {
			to = binary.LittleEndian.Uint64(b)
		}
		if to -= m.Base; to < uint64(m.Size) {
			x.pointing = append(x.pointing, reference{uint32(to), at})
		}
	})
	x.pointing = x.sort(x.pointing)
	return x.pointing
}

// A frame is set up by push ebp; mov ebp, esp, which is spelled in two ways.
const pushEBP = 0x55

var movEBP, movEBPToo = []byte("\x8b\xec"), []byte("\x89\xe5")

// beginnings gives where routines begin: what is exported, and what looks like it: push ebp; mov ebp, esp behind padding or a return.
func (x *index) beginnings() []uint32 {
	if x.hasStarts {
		return x.beginning
	}
	x.hasStarts = true
	for _, s := range x.image.Sections {
		if !s.Executable() {
			continue
		}
		code := x.image.bytes(s)
		for i := 0; i < len(code) && len(x.beginning) < maxIndexed; i++ {
			next := bytes.IndexByte(code[i:], pushEBP)
			if next < 0 {
				break
			}
			if i += next; bytes.HasPrefix(code[i+1:], movEBP) || bytes.HasPrefix(code[i+1:], movEBPToo) {
				if at, ok := begins(code[:i]); ok {
					x.beginning = append(x.beginning, s.RVA+uint32(at))
				}
			}
		}
	}
	for exports := x.image.exportTable(); len(exports) >= 4 && len(x.beginning) < maxIndexed; exports = exports[4:] {
		rva := binary.LittleEndian.Uint32(exports)
		if s := x.image.section(rva); s != nil && s.Executable() {
			x.beginning = append(x.beginning, rva)
		}
	}
	slices.Sort(x.beginning)
	return x.beginning
}
