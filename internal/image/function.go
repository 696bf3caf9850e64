package image

import (
	"debug/pe"
	"encoding/binary"
	"slices"
	"sort"

	"github.com/nxport/nxport/nx"
)

// Function is a routine of the image. It can have parts that stand elsewhere, even in front of its start, with other functions
// between: whether two addresses are of one function is told by its start alone.
type Function struct {
	Start uint32
	Name  string // "" where the image has no symbols
}

// Function gives the routine that holds an address, by the image's unwind information; x86 has none, and an image may have
// lost it: then by its symbols, from one to the next.
func (m *Image) Function(rva uint32) (Function, bool) {
	start, unwound := m.unwound(rva)
	if !unwound {
		start = rva
	}
	symbols := m.Symbols()
	i := sort.Search(len(symbols), func(i int) bool { return symbols[i].RVA > start }) - 1
	switch section, ok := m.Section(rva); {
	case unwound && (i < 0 || symbols[i].RVA != start):
		return Function{Start: start}, true
	case unwound:
		return Function{start, symbols[i].Name}, true
	case !ok || i < 0 || symbols[i].RVA < section.RVA:
		return Function{}, false
	}
	return Function{symbols[i].RVA, symbols[i].Name}, true
}

// maxChain is how many parts of a function lead to the first: each names the one before.
const maxChain = 64

// part is a stretch of code that one record of the exception directory describes, of the function that starts there.
type part struct{ from, to, start uint32 }

func (p part) has(rva uint32) bool { return rva >= p.from && rva < p.to }

// unwound tells where the function of an address starts.
func (m *Image) unwound(rva uint32) (start uint32, ok bool) {
	p := m.part(rva)
	return p.start, p.has(rva)
}

// part looks up an address in the exception directory, which the linker sorts; what it gives may not have the address.
func (m *Image) part(rva uint32) part {
	width := 12 // bytes in a record
	switch m.Processor {
	case nx.X64:
	case nx.ARM64:
		width = 8
	default:
		return part{}
	}
	d := m.directory(pe.IMAGE_DIRECTORY_ENTRY_EXCEPTION)
	table := m.At(d.rva)
	table = table[:min(len(table), int(d.size))]
	n := len(table) / width
	i := sort.Search(n, func(i int) bool { return binary.LittleEndian.Uint32(table[i*width:]) > rva })
	if i == 0 {
		return part{}
	}
	record := table[(i-1)*width:][:width]
	p := part{from: binary.LittleEndian.Uint32(record), to: binary.LittleEndian.Uint32(record[4:])}
	p.start = p.from
	if m.Processor == nx.ARM64 {
		p.to = p.from + m.lengthARM64(p.to)
	} else if p.has(rva) {
		p.start = m.primary(record)
	}
	return p
}

// primary follows the parts of an x64 function to where it begins: UNW_FLAG_CHAININFO, the record of the part before stands
// behind the unwind codes.
func (m *Image) primary(record []byte) uint32 {
	const chained = 4
	for range maxChain {
		info := m.At(binary.LittleEndian.Uint32(record[8:]))
		if len(info) < 4 || info[0]>>3&chained == 0 {
			break
		}
		codes := 4 + 2*(int(info[2])+int(info[2])&1)
		if len(info) < codes+12 {
			break
		}
		record = info[codes:]
	}
	return binary.LittleEndian.Uint32(record)
}

// lengthARM64 reads the length from a packed record, or from the .xdata that it points to; in units of four bytes.
func (m *Image) lengthARM64(unwind uint32) uint32 {
	if unwind&3 != 0 {
		return unwind >> 2 & 0x7ff * 4
	}
	if x := m.At(unwind); len(x) >= 4 {
		return binary.LittleEndian.Uint32(x) & 0x3ffff * 4
	}
	return 0
}

// Symbol is a name for an address.
type Symbol struct {
	RVA  uint32
	Name string
}

// Symbols gives the names of code by address: exports, and the COFF symbols that GNU's linkers keep.
func (m *Image) Symbols() []Symbol {
	m.symbolsOnce.Do(func() {
		m.symbols = append(m.Exports(), m.coffSymbols()...)
		slices.SortStableFunc(m.symbols, func(a, b Symbol) int { return int(int64(a.RVA) - int64(b.RVA)) })
		m.symbols = slices.CompactFunc(m.symbols, func(a, b Symbol) bool { return a.RVA == b.RVA })
	})
	return m.symbols
}

func (m *Image) coffSymbols() []Symbol {
	const function = 0x20 // the type that says "function"
	strings := m.stringTable()
	if strings == nil {
		return nil
	}
	table := m.data[m.coff.PointerToSymbolTable:]
	var list []Symbol
	for i := 0; i < int(m.coff.NumberOfSymbols); i++ {
		b := table[i*sizeSymbol:][:sizeSymbol]
		section := int(int16(binary.LittleEndian.Uint16(b[12:])))
		if binary.LittleEndian.Uint16(b[14:]) == function && section > 0 && section <= len(m.Sections) {
			from := b[:8]
			if at := binary.LittleEndian.Uint32(b[4:]); binary.LittleEndian.Uint32(b) == 0 && int64(at) < int64(len(strings)) {
				from = strings[at:]
			}
			name, ok := m.name(from)
			if !ok {
				break
			}
			list = append(list, Symbol{m.Sections[section-1].RVA + binary.LittleEndian.Uint32(b[8:]), name})
		}
		i += int(b[17]) // auxiliary records
	}
	return list
}

const sizeExports = 40 // of the export directory

// exportTable gives the addresses that the image exports, four bytes each: by number, and some by name, too.
func (m *Image) exportTable() []byte {
	d := m.At(m.directory(pe.IMAGE_DIRECTORY_ENTRY_EXPORT).rva)
	if len(d) < sizeExports {
		return nil
	}
	table := m.At(binary.LittleEndian.Uint32(d[28:]))
	return table[:min(int64(len(table)), 4*int64(binary.LittleEndian.Uint32(d[20:])))]
}

// Exports gives what the image exports by name; an address within the export directory is a text that names the routine of
// another image.
func (m *Image) Exports() []Symbol {
	d := m.At(m.directory(pe.IMAGE_DIRECTORY_ENTRY_EXPORT).rva)
	if len(d) < sizeExports {
		return nil
	}
	count := binary.LittleEndian.Uint32(d[24:])
	functions, names, ordinals := m.exportTable(), m.At(binary.LittleEndian.Uint32(d[32:])), m.At(binary.LittleEndian.Uint32(d[36:]))
	n := min(int64(count), int64(len(names)/4), int64(len(ordinals)/2))
	var list []Symbol
	for i := range n {
		at := int(binary.LittleEndian.Uint16(ordinals[2*i:])) * 4
		if at+4 > len(functions) {
			continue
		}
		name, ok := m.name(m.At(binary.LittleEndian.Uint32(names[4*i:])))
		if !ok {
			break
		}
		list = append(list, Symbol{binary.LittleEndian.Uint32(functions[at:]), name})
	}
	return list
}
