package image

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/image/imagetest"
	"github.com/nxport/nxport/nx"
)

// Where in the images that build makes for x64 the headers are.
const optionalAt = imagetest.OptionalAt

var sectionsAt = imagetest.SectionsAt(nx.X64)

// put writes a number of 32 bits.
func put(at int, v uint32) func([]byte) []byte {
	return func(b []byte) []byte {
		binary.LittleEndian.PutUint32(b[at:], v)
		return b
	}
}

// section writes a field of a section's header: 8 its size, 12 its address, 36 what it allows.
func section(i, field int, v uint32) func([]byte) []byte {
	return put(sectionsAt+i*sizeSection+field, v)
}

// relocations puts blocks of them into .rdata.
func relocations(size uint32, words ...uint32) func([]byte) []byte {
	return func(b []byte) []byte {
		put(optionalAt+112+8*5, dataAt+0x1a0)(b)
		put(optionalAt+112+8*5+4, size)(b)
		for i, w := range words {
			put(0x600+0x1a0+4*i, w)(b)
		}
		return b
	}
}

const (
	runs      = imagetest.ReadAndRun
	writes    = imagetest.AlsoWritable
	discarded = imagetest.Discardable
)

func named(i int, name string) func([]byte) []byte {
	return func(b []byte) []byte {
		copy(b[sectionsAt+i*sizeSection:][:8], name+"\x00\x00\x00\x00\x00\x00\x00")
		return b
	}
}

func TestLayout(t *testing.T) {
	// random makes that much code, of so many bits of noise a byte.
	random := func(size, bits int) func([]byte) []byte {
		return func(b []byte) []byte {
			for _, c := range []func([]byte) []byte{section(0, 8, uint32(size)), section(0, 16, uint32(size)), section(0, 20, uint32(len(b))),
				section(0, 12, 0x4000), put(optionalAt+16, 0x4000)} {
				b = c(b)
			}
			x := uint32(1)
			for range size {
				x = x*1664525 + 1013904223
				b = append(b, byte(x>>(32-bits)))
			}
			return b
		}
	}
	type change = func([]byte) []byte
	for _, c := range []struct {
		name    string
		changes []change
		want    string
	}{
		{"as built", nil, ""},
		{"writable code", []change{section(0, 36, runs|writes)}, "not judged: packed: the entry routine is in section .text, which is writable, with 2 imports; " +
			"writable and executable section 1000: .text at 0x1000 is executable and writable"},
		{"writable data that runs", []change{section(1, 36, runs|writes), put(optionalAt+112+8, 0)},
			"writable and executable section 2000: .rdata at 0x2000 is executable and writable"},
		{"an INIT that is discarded", []change{section(0, 36, runs|writes|discarded), named(0, "INIT")},
			"writable and executable section that is discardable 1000: INIT at 0x1000 is executable, writable and discardable"},
		{"another that is discarded", []change{section(0, 36, runs|writes|discarded), named(0, "PAGE")},
			"writable and executable section 1000: PAGE at 0x1000 is executable and writable"},
		{"an INIT that stays", []change{section(1, 36, runs|writes), named(1, "INIT"), put(optionalAt+112+8, 0)},
			"writable and executable section 2000: INIT at 0x2000 is executable and writable"},
		{"alignment", []change{put(optionalAt+32, 0x80)}, "unaligned section: the section alignment is 0x80, which is no multiple of 0x1000"},
		{"two pages", []change{put(optionalAt+32, 0x2000)}, ""},
		{"a section beside a page", []change{section(1, 12, 0x2010), put(optionalAt+112+8, 0)},
			"unaligned section 2010: .rdata begins at 0x2010, which is no multiple of 0x1000"},
		{"slots in code", []change{section(1, 36, runs)},
			"import table in executable section 2000: the import address table, at 0x2000, is in section .rdata, which is executable"},
		{"the directory in code", []change{put(optionalAt+112+8*12, 0x1010)},
			"import table in executable section 1010: the import address table, at 0x1010, is in section .text, which is executable"},
		// 0xaff8 is DIR64 at the end of its page, 0xaff9 of it and the next; 0x3ffc and 0x3ffd are HIGHLOW
		{"relocations of one page", []change{relocations(12, 0x2000, 12, 0x3ffcaff8)}, ""},
		{"relocations of two pages", []change{relocations(24, 0x2000, 12, 0x3ffdaff9, 0x1000, 12, 0xafff)},
			"relocation of two pages 1fff: 3 relocations straddle two pages, the first at 0x1fff"},
		{"behind the end of the table", []change{relocations(12, 0x2000, 12, 0, 0x1000, 12, 0xafff)}, ""},
		{"one of another type", []change{relocations(12, 0x2000, 12, 0x5ffd0fff)}, ""},
		{"one page, by a block that begins beside one", []change{relocations(12, 0x2ff0, 12, 0xa008)}, ""},
		{"two pages, by a block that begins beside one", []change{relocations(12, 0x2ff0, 12, 0xa009)},
			"relocation of two pages 2ff9: the relocation at 0x2ff9 straddles two pages"},
		{"a block without size", []change{relocations(24, 0x2000, 0, 0xafff, 0x2000, 12, 0xafff)}, ""},
		{"a block that is larger than all", []change{relocations(24, 0x2000, 0xffffffff, 0xafff)}, ""},
		{"relocations that the file does not have", []change{relocations(0xffffffff, 0x2000, 12, 0xafff)},
			"relocation of two pages 2fff: the relocation at 0x2fff straddles two pages"},
		{"ARM", []change{func(b []byte) []byte {
			return build(nx.ARM, nil)
		}}, "not judged: the code of ARM (32-bit) images is not read: what its calls ask for was not judged"},
		{"cut off", []change{func(b []byte) []byte { return b[:0x7f0] }}, "not judged: damaged: the file ends within section .rdata"},
		{"overlap", []change{section(0, 8, 0x1001), put(optionalAt+112+8, 0)}, "not judged: damaged: sections .text at 0x1000 and .rdata at 0x2000 overlap"},
		{"side by side", []change{section(0, 8, 0x1000)}, ""},
		{"an empty section", []change{section(0, 8, 0x1001), section(1, 8, 0), section(1, 16, 0), put(optionalAt+112+8, 0)}, ""},
		{"overlap at the end of memory", []change{section(0, 8, 0xffffffff), section(1, 12, 0xfffff000), put(optionalAt+112+8, 0)},
			"not judged: damaged: sections .text at 0x1000 and .rdata at 0xfffff000 overlap"},
		{"an entry in data", []change{put(optionalAt+16, dataAt)}, "not judged: damaged: the entry routine, at 0x2000, is in no section that is executable"},
		{"an entry nowhere", []change{put(optionalAt+16, 0x9000)}, "not judged: damaged: the entry routine, at 0x9000, is in no section that is executable"},
		{"no entry", []change{put(optionalAt+16, 0)}, ""},
		{"imports nowhere", []change{put(optionalAt+112+8, 0x9000)}, "not judged: damaged: no import can be read"},
		{"a packer's section", []change{named(0, "UPX1")}, "not judged: packed: section UPX1 is one of UPX, whose code is there only when the driver runs"},
		{"little noise", []change{random(smallest/2, 8)}, ""},
		{"as much noise as code has", []change{random(2*smallest, 6)}, ""},
		{"noise", []change{random(2*smallest, 8)}, "not judged: packed: section .text is compressed or encrypted (8.0 bits a byte), with 2 imports"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := build(nx.X64, nil)
			for _, change := range c.changes {
				b = change(b)
			}
			m, err := Parse("d.sys", b)
			if err != nil {
				t.Fatal(err)
			}
			if got := facts(m); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func facts(m *Image) string {
	var list []string
	for _, f := range m.layout() {
		at := ""
		if f.Spot != nil {
			at = fmt.Sprintf(" %x", f.Spot.RVA)
			if s, ok := m.Section(f.Spot.RVA); ok && s.Name != f.Spot.Section {
				at += " of " + f.Spot.Section
			}
		}
		list = append(list, string(f.Kind)+at+": "+f.Says)
	}
	return strings.Join(list, "; ")
}

// A driver of noise that imports as much as a driver does is none that was packed.
func TestManyImports(t *testing.T) {
	m := &Image{Imports: make([]Import, fewImports+1), Sections: []Section{{Name: ".text", Characteristics: runs | writes}}}
	if says := m.packed(m.Sections[0]); says != "" {
		t.Error(says)
	}
}

func TestMinimum(t *testing.T) {
	for _, c := range []struct {
		processor    nx.Processor
		major, minor uint32
		want         string
	}{
		{nx.X64, 6, 1, "6.1 subsystem version 6.1"},
		{nx.X64, 10, 0, "10.0 subsystem version 10.0"},
		{nx.X64, 1, 10, "5.2 the first for x64, subsystem version 1.10"},
		{nx.X86, 5, 0, "5.1 the first for x86, subsystem version 5.0"},
		{nx.ARM64, 6, 2, "10.0 the first for arm64, subsystem version 6.2"},
		{nx.X64, 0xffff, 7, "10.0 subsystem version 65535.7, which no Windows has"},
	} {
		b := build(c.processor, nil)
		put(optionalAt+48, c.minor<<16|c.major)(b)
		b[optionalAt+2], b[optionalAt+3] = 14, 29
		m, err := Parse("d.sys", b)
		if err != nil {
			t.Fatal(err)
		}
		d := m.Driver(nil, nil).Build
		if got := d.Minimum.String() + " " + d.MinimumSource; got != c.want || d.Linker != "14.29" {
			t.Errorf("%d.%d: %s, linker %s, want %s", c.major, c.minor, got, d.Linker, c.want)
		}
	}
}

// The routines of the table that are imported are named once each, called or not.
func TestImported(t *testing.T) {
	m, err := Parse("d.sys", build(nx.X64, nil))
	if err != nil {
		t.Fatal(err)
	}
	m.Imports = append(m.Imports, m.Imports...)
	got := m.Driver([]nx.DDI{{Name: alloc}, {Name: "ExAllocatePool2"}}, nil).Imports
	if !slices.Equal(got, []nx.DDI{{Name: alloc}}) {
		t.Errorf("%v", got)
	}
	for _, c := range []struct {
		library string
		want    bool
	}{{"ntoskrnl.exe", true}, {"NTDLL.dll", false}} {
		if m.Imports = []Import{{Library: c.library}}; m.Kernel() != c.want {
			t.Errorf("%s: kernel %v", c.library, !c.want)
		}
	}
}

// A mapping is one for user mode where that is what the call passes, in a register or in the lowest byte of one.
func TestUserMode(t *testing.T) {
	const mapping = "MmMapLockedPagesSpecifyCache"
	call := []byte{0xff, 0x15, 0, 0, 0, 0} // call [0x2000]
	for _, c := range []struct {
		name string
		code []byte
		want bool
	}{
		{"mov edx, 1", []byte{0xba, 1, 0, 0, 0}, true},
		{"mov edx, 0", []byte{0xba, 0, 0, 0, 0}, false},
		{"mov dl, 1", []byte{0xb2, 1}, true},
		{"mov dl, 0", []byte{0xb2, 0}, false},
		{"nop", []byte{0x90}, false}, // the caller says
	} {
		code := slices.Concat(c.code, call, []byte{0xc3})
		binary.LittleEndian.PutUint32(code[len(c.code)+2:], uint32(dataAt-codeAt-len(c.code)-len(call)))
		m, err := Parse("d.sys", imagetest.Build(nx.X64, code, mapping))
		if err != nil {
			t.Fatal(err)
		}
		sites := m.Driver(nx.DDIs(), func(p string) string { return p }).Sites
		if len(sites) != 1 || sites[0].UserMode != c.want {
			t.Errorf("%s: %+v, want user mode %v", c.name, sites, c.want)
		}
	}
}
