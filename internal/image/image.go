// Package image reads built drivers: PE images for x86, x64, ARM and ARM64.
//
// An image may be made by an attacker. Every length and offset is checked before it is followed, as 64-bit numbers in which
// no sum overflows, and what has no natural end has a limit.
package image

import (
	"cmp"
	"debug/pe"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"github.com/nxport/nxport/nx"
)

// Image is a built driver. Addresses in it are RVAs: relative to where it is loaded.
type Image struct {
	Path      string
	Processor nx.Processor
	Base      uint64 // where it would like to be loaded
	Entry     uint32 // of the entry routine; 0 where there is none
	Size      uint32 // in memory
	Subsystem uint16
	// SubsystemVersion is the lowest version of Windows that loads the image, major and minor.
	SubsystemVersion [2]uint16
	Sections         []Section
	Imports          []Import

	data        []byte
	linker      [2]byte // its version
	alignment   uint32  // of sections in memory
	directories []directory
	coff        pe.FileHeader
	unnamed     int // how many bytes of names are still taken
	debug       debugData
	symbolsOnce sync.Once
	symbols     []Symbol
}

// Section is one of the image's.
type Section struct {
	Name            string
	RVA, Size       uint32 // in memory
	Characteristics uint32
	offset, length  uint32 // in the file, never beyond its end
	cut             bool   // the file ends before the section does
}

// Executable says whether code in the section runs.
func (s Section) Executable() bool { return s.Characteristics&pe.IMAGE_SCN_MEM_EXECUTE != 0 }

// Import is a routine of another image. Slot is where its address is put when the image is loaded.
type Import struct {
	Library, Name string // of one that is imported by number, the name is #number
	Slot          uint32
}

type directory struct{ rva, size uint32 }

// SubsystemNative is that of drivers.
const SubsystemNative = 1

// Limits on what an image may claim; real drivers stay far below them.
const (
	maxSections  = 96 // the loader's own
	maxLibraries = 1024
	maxImports   = 1 << 16
	maxName      = 4096
)

var processors = map[uint16]nx.Processor{
	pe.IMAGE_FILE_MACHINE_I386: nx.X86, pe.IMAGE_FILE_MACHINE_AMD64: nx.X64,
	pe.IMAGE_FILE_MACHINE_ARMNT: nx.ARM, pe.IMAGE_FILE_MACHINE_ARM64: nx.ARM64,
}

const (
	offsetLfanew    = 0x3c
	sizeCoff        = 20
	sizeDosHeader   = 0x40
	sizeSection     = 40
	magic32         = 0x10b
	magic64         = 0x20b
	maxDirectories  = 16
	directoryImport = pe.IMAGE_DIRECTORY_ENTRY_IMPORT
)

// Parse reads the headers, the sections and the imports of an image. Errors say at which offset it is not one.
func Parse(path string, data []byte) (*Image, error) {
	m := &Image{Path: path, data: data, unnamed: 2 * len(data)} // that the same names stand for many things is an attack
	if len(data) < sizeDosHeader || string(data[:2]) != "MZ" {
		return nil, fmt.Errorf("%s: no PE image: want a built driver (.sys)", path)
	}
	at := int64(binary.LittleEndian.Uint32(data[offsetLfanew:]))
	if at+4+sizeCoff > int64(len(data)) || string(data[at:at+4]) != "PE\x00\x00" {
		return nil, fmt.Errorf("%s: no PE image: no PE header at 0x%x", path, at)
	}
	head := data[at+4:]
	m.coff = pe.FileHeader{
		Machine:              binary.LittleEndian.Uint16(head),
		NumberOfSections:     binary.LittleEndian.Uint16(head[2:]),
		PointerToSymbolTable: binary.LittleEndian.Uint32(head[8:]),
		NumberOfSymbols:      binary.LittleEndian.Uint32(head[12:]),
		SizeOfOptionalHeader: binary.LittleEndian.Uint16(head[16:]),
	}
	processor, ok := processors[m.coff.Machine]
	if !ok {
		return nil, fmt.Errorf("%s: built for machine 0x%x: want x86, x64, ARM or ARM64", path, m.coff.Machine)
	}
	m.Processor = processor
	optional := head[sizeCoff:]
	if int(m.coff.SizeOfOptionalHeader) > len(optional) {
		return nil, fmt.Errorf("%s: cut off in its optional header, at 0x%x", path, at+4+sizeCoff)
	}
	table := optional[m.coff.SizeOfOptionalHeader:]
	if err := m.readOptional(optional[:m.coff.SizeOfOptionalHeader]); err != nil {
		return nil, fmt.Errorf("%s: %w, at 0x%x", path, err, at+4+sizeCoff)
	}
	if err := m.readSections(table); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	m.readImports()
	return m, nil
}

// readOptional takes what differs between the 32-bit and the 64-bit form: the base, and where the directories begin.
func (m *Image) readOptional(b []byte) error {
	const upToSubsystem = 72
	if len(b) < upToSubsystem {
		return fmt.Errorf("its optional header has %d bytes: want %d or more", len(b), upToSubsystem)
	}
	directories := 0
	switch magic := binary.LittleEndian.Uint16(b); magic {
	case magic32:
		m.Base, directories = uint64(binary.LittleEndian.Uint32(b[28:])), 92
	case magic64:
		m.Base, directories = binary.LittleEndian.Uint64(b[24:]), 108
	default:
		return fmt.Errorf("its optional header begins with 0x%x: want 0x10b or 0x20b", magic)
	}
	if is64 := directories == 108; is64 != (m.Processor == nx.X64 || m.Processor == nx.ARM64) {
		return fmt.Errorf("its optional header is not that of an %s image", m.Processor)
	}
	m.linker = [2]byte{b[2], b[3]}
	m.Entry = binary.LittleEndian.Uint32(b[16:])
	m.alignment = binary.LittleEndian.Uint32(b[32:])
	m.SubsystemVersion = [2]uint16{binary.LittleEndian.Uint16(b[48:]), binary.LittleEndian.Uint16(b[50:])}
	m.Size = binary.LittleEndian.Uint32(b[56:])
	m.Subsystem = binary.LittleEndian.Uint16(b[68:])
	if len(b) < directories+4 {
		return nil
	}
	n := min(int(binary.LittleEndian.Uint32(b[directories:])), maxDirectories, (len(b)-directories-4)/8)
	for i := range n {
		d := b[directories+4+8*i:]
		m.directories = append(m.directories, directory{binary.LittleEndian.Uint32(d), binary.LittleEndian.Uint32(d[4:])})
	}
	return nil
}

func (m *Image) readSections(table []byte) error {
	n := int(m.coff.NumberOfSections)
	if n > maxSections || n*sizeSection > len(table) {
		return fmt.Errorf("claims %d sections, which do not fit", n)
	}
	for i := range n {
		b := table[i*sizeSection:]
		s := Section{
			Name:            m.sectionName(b[:8]),
			Size:            binary.LittleEndian.Uint32(b[8:]),
			RVA:             binary.LittleEndian.Uint32(b[12:]),
			length:          binary.LittleEndian.Uint32(b[16:]),
			offset:          binary.LittleEndian.Uint32(b[20:]),
			Characteristics: binary.LittleEndian.Uint32(b[36:]),
		}
		s.cut = s.length > 0 && int64(s.offset)+int64(min(s.length, cmp.Or(s.Size, s.length))) > int64(len(m.data))
		if int64(s.offset) > int64(len(m.data)) {
			s.offset, s.length = 0, 0
		}
		s.length = uint32(min(int64(s.length), int64(len(m.data))-int64(s.offset)))
		if s.Size == 0 {
			s.Size = s.length
		}
		m.Sections = append(m.Sections, s)
	}
	return nil
}

// sectionName follows a name like /123 into the string table behind the symbols: GNU's linkers put long names there.
func (m *Image) sectionName(b []byte) string {
	name := text(b)
	var at int64
	if n, err := fmt.Sscanf(name, "/%d", &at); n != 1 || err != nil {
		return name
	}
	strings := m.stringTable()
	if at < 4 || at >= int64(len(strings)) {
		return name
	}
	return text(strings[at:])
}

const sizeSymbol = 18

func (m *Image) stringTable() []byte {
	at := int64(m.coff.PointerToSymbolTable) + int64(m.coff.NumberOfSymbols)*sizeSymbol
	if m.coff.PointerToSymbolTable == 0 || at+4 > int64(len(m.data)) {
		return nil
	}
	return m.data[at:]
}

// text gives the bytes up to a zero, at most maxName of them.
func text(b []byte) string {
	b = b[:min(len(b), maxName)]
	if i := slices.Index(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// name is text for what a table of the image names. A table can name more than an image has room for, by naming the same bytes over
// and over: then ok is false from some point on.
func (m *Image) name(b []byte) (s string, ok bool) {
	s = text(b)
	m.unnamed -= len(s)
	return s, m.unnamed >= 0
}

// Section gives the section that holds an address.
func (m *Image) Section(rva uint32) (Section, bool) {
	if s := m.section(rva); s != nil {
		return *s, true
	}
	return Section{}, false
}

func (m *Image) section(rva uint32) *Section {
	for i := range m.Sections {
		if s := &m.Sections[i]; rva >= s.RVA && rva-s.RVA < s.Size {
			return s
		}
	}
	return nil
}

// At gives the bytes of the file that stand at an address, up to the end of its section; nil where there are none.
func (m *Image) At(rva uint32) []byte {
	s := m.section(rva)
	if s == nil || rva-s.RVA >= min(s.length, s.Size) {
		return nil
	}
	return m.data[s.offset+rva-s.RVA : s.offset+min(s.length, s.Size)]
}

// bytes gives the part of a section that the file holds.
func (m *Image) bytes(s Section) []byte { return m.data[s.offset : s.offset+min(s.length, s.Size)] }

func (m *Image) directory(i int) directory {
	if i >= len(m.directories) {
		return directory{}
	}
	return m.directories[i]
}

// readImports walks the import directory. It ends where that is damaged: what comes before counts.
func (m *Image) readImports() {
	const sizeDescriptor = 20
	at := uint64(m.directory(directoryImport).rva)
	for i := 0; at != 0 && i < maxLibraries; i++ {
		d := m.At(uint32(at + uint64(i)*sizeDescriptor))
		if len(d) < sizeDescriptor {
			return
		}
		names, library, slots := binary.LittleEndian.Uint32(d), binary.LittleEndian.Uint32(d[12:]), binary.LittleEndian.Uint32(d[16:])
		if library == 0 || slots == 0 {
			return
		}
		if names == 0 {
			names = slots // bound images of old linkers have no second table
		}
		m.readLibrary(text(m.At(library)), names, slots)
	}
}

func (m *Image) readLibrary(library string, names, slots uint32) {
	width := uint32(4)
	if m.Processor == nx.X64 || m.Processor == nx.ARM64 {
		width = 8
	}
	for i := uint32(0); len(m.Imports) < maxImports; i += width {
		b := m.At(names + i)
		if len(b) < int(width) {
			return
		}
		name := uint64(binary.LittleEndian.Uint32(b))
		if width == 8 {
			name = binary.LittleEndian.Uint64(b)
		}
		if name == 0 {
			return
		}
		v := Import{Library: library, Slot: slots + i, Name: fmt.Sprintf("#%d", name&0xffff)}
		if byNumber := name>>(8*width-1) != 0; !byNumber {
			hint := m.At(uint32(name))
			if len(hint) < 3 {
				return
			}
			var ok bool
			if v.Name, ok = m.name(hint[2:]); !ok {
				return
			}
		}
		m.Imports = append(m.Imports, v)
	}
}
