package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nxport/nxport/nx"
)

// The debugging data of these tests is written by hand, after the standard (DWARF 5, 7.5 and 6.2).

// debugged makes an image with that debugging data.
func debugged(t testing.TB, sections map[string][]byte) *Image {
	m, err := Parse("d.sys", build(nx.X64, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"abbrev", "info", "line", "str", "line_str", "ranges", "rnglists", "addr"} {
		if b := sections[name]; b != nil {
			n := uint32(len(b))
			m.Sections = append(m.Sections, Section{Name: ".debug_" + name, Size: n, offset: uint32(len(m.data)), length: n})
			m.data = append(m.data, b...)
		}
	}
	return m
}

// abbrev has a unit (1), a function with what is in it (2), one that is inlined there (3), a declaration (4), a structure that says where
// what follows it is (5), and a function in several parts (6).
var abbrev = []byte{
	1, 0x11, 1, 0x03, 0x08, 0x1b, 0x08, 0x10, 0x17, 0x11, 0x01, 0x12, 0x06, 0, 0, // name, comp_dir: string; stmt_list; low_pc, high_pc
	2, 0x2e, 1, 0x03, 0x08, 0x11, 0x01, 0x12, 0x06, 0, 0, // name, low_pc, high_pc
	3, 0x1d, 0, 0x31, 0x13, 0x11, 0x01, 0x12, 0x06, 0x58, 0x0b, 0x59, 0x0b, 0, 0, // abstract_origin, low_pc, high_pc, call_file, call_line
	4, 0x2e, 0, 0x03, 0x08, 0, 0, // name
	5, 0x13, 1, 0x01, 0x13, 0, 0, // sibling
	6, 0x2e, 0, 0x03, 0x08, 0x55, 0x17, 0, 0, // name, ranges
	0,
}

// info4 is a unit of version 4: Outer from 1000h to 1020h, with Inner inlined at 1010h; Parts at 1020h and from 1030h on.
func info4() []byte {
	b := []byte{0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8}
	return lengthed(entries(b))
}

// info5 is the same in version 5, whose header is one byte longer, behind a unit that has a type, whose header is longer still.
func info5() []byte {
	typed := lengthed([]byte{0, 0, 0, 0, 5, 0, 2, 8, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 24, 0, 0, 0, 4, 'T', 0})
	return append(typed, lengthed(entries([]byte{0, 0, 0, 0, 5, 0, 1, 8, 0, 0, 0, 0}))...)
}

func entries(b []byte) []byte {
	address := func(n uint64) { b = binary.LittleEndian.AppendUint64(b, based+n) }
	number := func(n uint32) { b = binary.LittleEndian.AppendUint32(b, n) }
	b = append(b, "\x01d.c\x00/src\x00"...)
	number(0)
	address(0x1000)
	number(0x40)
	inner := uint32(len(b))
	b = append(b, "\x04Inner\x00"...)
	b = append(b, 5)
	number(uint32(len(b)) + 4 + 8)
	b = append(b, "\x04Member\x00"...) // where the structure ends
	b = append(b, "\x02Outer\x00"...)
	address(0x1000)
	number(0x20)
	b = append(b, 3)
	number(inner)
	address(0x1010)
	number(4)
	b = append(b, 1, 9, 0)
	b = append(b, "\x06Parts\x00"...)
	number(0)
	return append(b, 0)
}

func lengthed(b []byte) []byte {
	binary.LittleEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// line4 is the table of version 4: opcodes from 13 on are special, in steps of 14 lines from -3; one directory, two files.
func line4() []byte {
	names := []byte{1, 1, 1, 0xfd, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1}
	names = append(names, "inc\x00\x00d.c\x00\x00\x00\x00in.h\x00\x01\x00\x00\x00"...)
	b := []byte{0, 0, 0, 0, 4, 0}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(names)))
	return lengthed(append(append(b, names...), rows()...))
}

// line5 is that of version 5, which counts files from 0 and has the compiler's directory first.
func line5() []byte {
	names := []byte{1, 1, 1, 0xfd, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1}
	names = append(names, 1, 1, 0x08, 2)
	names = append(names, "/src\x00inc\x00"...)
	names = append(names, 2, 1, 0x08, 2, 0x0b, 3)
	names = append(names, "d.c\x00\x00d.c\x00\x00in.h\x00\x01"...)
	b := []byte{0, 0, 0, 0, 5, 0, 8, 0}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(names)))
	return lengthed(append(append(b, names...), rows()...))
}

// rows has line 5 from 1000h, 7 of the second file from 1010h, 6 of the first from 1014h, 20 from 1020h to 1040h.
func rows() []byte {
	b := []byte{0, 9, 2}
	b = binary.LittleEndian.AppendUint64(b, based+0x1000)
	b = append(b, 3, 4, 1)                                         // advance_line 4, copy
	b = append(b, 2, 0x10, 4, 2, 3, 2, 1)                          // advance_pc 10h, set_file 2, advance_line 2, copy
	b = append(b, 4, 1, 13+14*4+2)                                 // set_file 1; special: 4 bytes on, one line back
	return append(b, 2, 0x0c, 3, 20, 3, 0x7a, 1, 2, 0x20, 0, 1, 1) // advance_pc, advance_line 20 and -6, copy; advance_pc 20h, end_sequence
}

func ranges4() []byte {
	var b []byte
	for _, n := range []uint64{0x20, 0x24, 0x30, 0x38, 0, 0} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return b
}

// ranges5 has a pair of distances from the unit's beginning, and a beginning with a length.
func ranges5() []byte {
	b := []byte{4, 0x20, 0x24, 7}
	b = binary.LittleEndian.AppendUint64(b, based+0x1030)
	return append(b, 8, 0)
}

func versions() map[string]map[string][]byte {
	return map[string]map[string][]byte{
		"4": {"abbrev": abbrev, "info": info4(), "line": line4(), "ranges": ranges4()},
		"5": {"abbrev": abbrev, "info": info5(), "line": line5(), "rnglists": ranges5()},
	}
}

func framesAt(m *Image, rva uint32) string {
	frames, err := m.Frames(rva)
	if err != nil {
		return err.Error()
	}
	var list []string
	for _, f := range frames {
		list = append(list, fmt.Sprintf("%s %s:%d", f.Function, f.Path, f.Line))
	}
	return strings.Join(list, ", ")
}

func TestLines(t *testing.T) {
	for version, sections := range versions() {
		m := debugged(t, sections)
		for _, c := range []struct {
			rva  uint32
			want string
		}{
			{0x0fff, ""},
			{0x1000, "Outer /src/d.c:5"},
			{0x100f, "Outer /src/d.c:5"},
			{0x1010, "Inner /src/inc/in.h:7, Outer /src/d.c:9"},
			{0x1013, "Inner /src/inc/in.h:7, Outer /src/d.c:9"},
			{0x1014, "Outer /src/d.c:6"},
			{0x1020, "Parts /src/d.c:20"},
			{0x1024, " /src/d.c:20"},
			{0x1030, "Parts /src/d.c:20"},
			{0x1038, " /src/d.c:20"},
			{0x1040, ""},
		} {
			if got := framesAt(m, c.rva); got != c.want {
				t.Errorf("version %s: at %#x got %q, want %q", version, c.rva, got, c.want)
			}
		}
	}
}

// What claims to be more than it is, or goes round, ends, and Frames says why there are no lines.
func TestHostileLines(t *testing.T) {
	change := func(version string, section string, f func(b []byte) []byte) map[string][]byte {
		sections := versions()[version]
		sections[section] = f(sections[section])
		return sections
	}
	for _, c := range []struct {
		name     string
		sections map[string][]byte
		want     string
	}{
		{"a table of lines that claims 2^63 directories", change("5", "line", func(b []byte) []byte {
			i := strings.Index(string(b), "\x02/src") // how many there are
			b = append(b[:i:i], "\xff\xff\xff\xff\xff\xff\xff\xff\x7f/src"...)
			return lengthed(b)
		}), errDamaged.Error()},
		{"directories of which nothing is told", change("5", "line", func(b []byte) []byte {
			i := strings.Index(string(b), "\x01\x01\x08\x02/src") // what is told of each
			copy(b[i:], "\x00\xff\xff\xff/")
			return b
		}), "Inner :7, Outer :9"},
		{"a structure that follows itself", change("4", "info", func(b []byte) []byte {
			i := strings.Index(string(b), "\x05")
			for j := range b {
				if b[j] == 5 && binary.LittleEndian.Uint32(b[j+1:]) == uint32(j+1+4+8) {
					i = j
				}
			}
			binary.LittleEndian.PutUint32(b[i+1:], uint32(i))
			return b
		}), "Inner /src/inc/in.h:7, Outer /src/d.c:9"},
		{"an abbreviation with a thousand attributes", change("4", "abbrev", func(b []byte) []byte {
			return append([]byte("\x09\x2e\x00"+strings.Repeat("\x03\x0e", 1000)+"\x00\x00"), b...)
		}), errTooMuch.Error()},
		{"a hundred thousand units", change("4", "info", func(b []byte) []byte {
			return append(b, strings.Repeat("\x07\x00\x00\x00\x04\x00\x00\x00\x00\x00\x08", 100_000)...)
		}), errTooMuch.Error()},
		{"tables of abbreviations in each other", change("4", "info", func(b []byte) []byte {
			for i := range 5000 {
				b = append(b, 7, 0, 0, 0, 4, 0, byte(i), byte(i>>8), 0, 0, 8)
			}
			return b
		}), errTooMuch.Error()},
		{"ten million rows", change("4", "line", func(b []byte) []byte {
			return lengthed(append(b, strings.Repeat("\xff", 10_000_000)...))
		}), errTooMuch.Error()},
		{"ten million entries", change("4", "info", func(b []byte) []byte {
			return lengthed(append(b[:len(b)-1], strings.Repeat("\x04\x00", 5_000_000)...))
		}), errTooMuch.Error()},
		{"cut off", change("4", "info", func(b []byte) []byte { return b[:len(b)-1] }), errDamaged.Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "tables of abbreviations in each other" {
				c.sections["abbrev"] = append([]byte(strings.Repeat("\x01\x2e\x00\x03\x0e\x00\x00", 1000)), c.sections["abbrev"]...)
			}
			m := debugged(t, c.sections)
			start := time.Now()
			if got := framesAt(m, 0x1010); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			t.Log(time.Since(start))
			if m.debug.left < -maxName*maxAttributes/16 {
				t.Errorf("%d more is read than is allowed", -m.debug.left)
			}
		})
	}
	if m := debugged(t, nil); !errors.Is(m.dwarf().err, ErrNoLines) {
		t.Error(m.debug.err)
	}
}

// FuzzLines asks for the lines of images with any debugging data.
func FuzzLines(f *testing.F) {
	for version, s := range versions() {
		list := s["ranges"]
		if version == "5" {
			list = s["rnglists"]
		}
		f.Add(s["abbrev"], s["info"], s["line"], list, []byte("d.c\x00"))
	}
	f.Fuzz(func(t *testing.T, abbrev, info, line, ranges, text []byte) {
		m := debugged(t, map[string][]byte{
			"abbrev": abbrev, "info": info, "line": line, "ranges": ranges, "rnglists": ranges, "addr": ranges, "str": text, "line_str": text,
		})
		for rva := uint32(0x1000); rva < 0x1040; rva += 4 {
			_, _ = m.Frames(rva)
		}
		if m.debug.left < -maxName*maxAttributes/16 {
			t.Errorf("%d more is read than is allowed", -m.debug.left)
		}
	})
}
