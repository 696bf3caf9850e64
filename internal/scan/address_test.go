package scan

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/hlk"
	"github.com/nxport/nxport/internal/image/imagetest"
	"github.com/nxport/nxport/internal/report"
	"github.com/nxport/nxport/nx"
)

// The images that link makes have four functions of 16 bytes from 0x1000 on, 32 for the third: First calls ExAllocatePoolWithTag,
// Second calls Third, Third jumps to MmMapLockedPagesSpecifyCache as its last act, Fourth does nothing.
var code = map[nx.Processor][]string{
	nx.X64: {
		"ff15fa0f0000 c3",     // call [0x2000]; ret
		"90 e80a000000 c3",    // nop; call Third; ret
		"9090 48ff25df0f0000", // nop; nop; jmp [0x2008]
		"", "c3",
	},
	nx.X86: {
		"ff1500200100 c3",   // call [0x12000]; ret
		"90 e80a000000 c3",  // nop; call Third; ret
		"905d ff2504200100", // nop; pop ebp; jmp [0x12004]
		"", "c3",
	},
	nx.ARM64: {
		"b0000008 f9400108 d63f0100 d65f03c0", // adrp x8; ldr x8, [x8]; blr x8; ret
		"d503201f 94000003 d65f03c0",          // nop; bl Third; ret
		"aa0103e0 b0000008 f9400508 d61f0100", // mov x0, x1; adrp x8; ldr x8, [x8, #8]; br x8
		"", "d65f03c0",
	},
}

// link makes the image. Its sections are .text at 0x1000 and .rdata at 0x2000, with these characteristics.
func link(t *testing.T, p nx.Processor, text, rdata uint32) []byte {
	t.Helper()
	put := binary.LittleEndian.PutUint32
	b := imagetest.Build(p, nil, "ExAllocatePoolWithTag", "MmMapLockedPagesSpecifyCache")
	for i, v := range []uint32{text, rdata} {
		put(b[imagetest.SectionsAt(p)+40*i+36:], v)
	}
	for i, function := range code[p] {
		copy(b[imagetest.CodeInFile+16*i:], assemble(t, p, function))
	}
	coff := b[imagetest.OptionalAt-20:]
	put(coff[8:], uint32(len(b))) // the symbols
	put(coff[12:], 4)
	for i, name := range []string{"First", "Second", "Third", "Fourth"} {
		symbol := make([]byte, 18)
		copy(symbol, name)
		put(symbol[8:], []uint32{0, 0x10, 0x20, 0x40}[i])
		symbol[12], symbol[14] = 1, 0x20
		b = append(b, symbol...)
	}
	return append(b, 4, 0, 0, 0)
}

// assemble reads hexadecimal digits: bytes, or words for ARM64.
func assemble(t *testing.T, p nx.Processor, text string) []byte {
	t.Helper()
	var b []byte
	if _, err := fmt.Sscanf(strings.ReplaceAll(text, " ", "")+"-", "%x-", &b); text != "" && err != nil {
		t.Fatal(text, err)
	}
	for i := 0; p == nx.ARM64 && i+4 <= len(b); i += 4 {
		slices.Reverse(b[i : i+4])
	}
	return b
}

const readable, runs, writes = imagetest.ReadOnly, imagetest.ReadAndRun, imagetest.AlsoWritable

func builtDriver(t *testing.T, p nx.Processor, text, rdata uint32) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "drv.sys")
	if err := os.WriteFile(path, link(t, p, text, rdata), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// say puts an address into one line: where it is, and the request it belongs to.
func say(a report.Address) string {
	text := fmt.Sprintf("%s %s+%x %s", a.Section, a.Function, a.Offset, a.Relation)
	if a.Site != nil {
		text += fmt.Sprintf(" %s %x", a.Site.DDI.Name, a.Site.Spot.RVA)
	}
	return text
}

func TestAt(t *testing.T) {
	type want map[uint64]string
	for p, table := range map[nx.Processor]want{
		nx.X64: {
			0x1006: ".text First+6 return ExAllocatePoolWithTag 1000",
			0x1000: ".text First+0 call ExAllocatePoolWithTag 1000",
			0x1003: ".text First+3 call ExAllocatePoolWithTag 1000",
			0x1008: ".text First+8 near ExAllocatePoolWithTag 1000",
			0x1016: ".text Second+6 tail MmMapLockedPagesSpecifyCache 1022",
			0x1011: ".text Second+1 none",
			0x1022: ".text Third+2 call MmMapLockedPagesSpecifyCache 1022",
			0x1030: ".text Third+10 near MmMapLockedPagesSpecifyCache 1022",
			0x1040: ".text Fourth+0 none",
			0x2080: ".rdata +0 none",
		},
		nx.X86: {
			0x1006: ".text First+6 return ExAllocatePoolWithTag 1000",
			0x1016: ".text Second+6 tail MmMapLockedPagesSpecifyCache 1022",
			0x1023: ".text Third+3 near MmMapLockedPagesSpecifyCache 1022",
			0x1040: ".text Fourth+0 none",
		},
		nx.ARM64: {
			0x100c: ".text First+c return ExAllocatePoolWithTag 1008",
			0x1008: ".text First+8 call ExAllocatePoolWithTag 1008",
			0x1004: ".text First+4 near ExAllocatePoolWithTag 1008",
			0x1018: ".text Second+8 tail MmMapLockedPagesSpecifyCache 102c",
			0x1014: ".text Second+4 none",
			0x102c: ".text Third+c call MmMapLockedPagesSpecifyCache 102c",
			0x1040: ".text Fourth+0 none",
		},
	} {
		sys := builtDriver(t, p, runs, readable)
		for rva, want := range table {
			list, err := At(sys, []uint64{rva}, nx.DDIs())
			if err != nil || len(list) != 1 || say(list[0]) != want {
				t.Errorf("%s %#x: got %v, %v, want %s", p, rva, list, err, want)
				for _, a := range list {
					t.Log(say(a))
				}
			}
		}
	}
}

func TestOutside(t *testing.T) {
	sys := builtDriver(t, nx.X64, runs, readable)
	for address, want := range map[uint64]string{
		0x3000:             "0x3000 is not in the image, which has 0x3000 bytes in memory: want an RVA",
		0x10:               "0x10 is in no section of the image",
		0xfffff801e7121006: "its RVA ends in 006: 0x1006 (ExAllocatePoolWithTag)",
		0xfffff801e7121007: "No call of a routine that gives memory returns to an RVA that ends in 007",
		0x100001006:        "its RVA ends in 006: 0x1006", // not the same in 32 bits
	} {
		list, err := At(sys, []uint64{0x1006, address}, nx.DDIs())
		if len(list) != 1 || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%#x: %d are named, %v; want one and %q", address, len(list), err, want)
		}
	}
}

func TestReadiness(t *testing.T) {
	const stop, base = "BugCheck C4, {2000, fffff801e7121006, 0, 0}\n", "drv.sys is loaded at 0xfffff801e7120000\n"
	for _, tt := range []struct {
		name, log   string
		text, rdata uint32
		want        string
	}{
		{"pool", "Module: drv.sys\nExecute Pool Type Count: 3", runs, readable, "0x2000=3 ExAllocatePoolWithTag"},
		{"mapping, by another spelling of the name", "Module: DRV.SYS\nExecute Page Mapping Count: 1", runs, readable, "0x2002=1 MmMapLockedPagesSpecifyCache"},
		{"protection", "Module: drv.sys\nExecute Page Protection Count: 1", runs, readable, "0x2001=1"},
		{"nothing failed", "Module: drv.sys\nExecute Pool Type Count: 0", runs, readable, ""},
		{"sections", "Module: drv.sys\nExecute-Write Section Count: 1", runs | writes, readable, "0x2003=1 .text at 0x1000 is executable and writable"},
		{"sections, of another file", "Module: drv.sys\nExecute-Write Section Count: 1", runs, readable | writes, "0x2003=1"},
		{"imports", "Module: drv.sys\nIAT in Executable Section Count: 1", runs, runs, "0x2005=1 the import address table, at 0x2000, is in section .rdata, which is executable"},
		{"imports, of another file", "Module: drv.sys\nIAT in Executable Section Count: 1", runs, readable, "0x2005=1"},
		{"alignment", "Module: drv.sys\nSection Alignment Failures: 1", runs, readable, "0x2004=1"},
		{"relocations", "Module: drv.sys\nUnsupported Relocs Count: 1", runs, readable, "unsupported-relocations=1"},
		{"a stop", base + stop, runs, readable, "0x2000 ExAllocatePoolWithTag at(.text First+6 return ExAllocatePoolWithTag 1000)"},
		{"a stop without the base", stop, runs, readable, "0x2000 ExAllocatePoolWithTag alike(1000)"},
		{"a stop of another kind there", strings.Replace(stop, "2000", "2002", 1), runs, readable, "0x2002 MmMapLockedPagesSpecifyCache alike()"},
		{"a stop below the base", strings.Replace(base, "e712", "e713", 1) + stop, runs, readable, "0x2000 ExAllocatePoolWithTag outside"},
		{"a stop for a section", "BugCheck C4, {2003, 1, 2, 3}", runs | writes, readable, "0x2003 .text at 0x1000 is executable and writable alike()"},
	} {
		log := filepath.Join(t.TempDir(), "x.log")
		if err := os.WriteFile(log, []byte(tt.log), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Readiness(log, builtDriver(t, nx.X64, tt.text, tt.rdata), nx.DDIs())
		if got := failures(r); err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

// failures puts what failed into one line.
func failures(r report.Readiness) string {
	var parts []string
	for _, f := range r.Failed {
		text := f.Check.ID()
		if f.Count != nil {
			text += fmt.Sprintf("=%d", f.Count.N)
		}
		parts = append(parts, text)
		for _, s := range f.Sites {
			parts = append(parts, s.DDI.Name)
		}
		parts = append(parts, f.Layout...)
		for _, s := range f.Stops {
			var alike []string
			for _, a := range s.Alike {
				alike = append(alike, fmt.Sprintf("%x", a.Spot.RVA))
			}
			switch {
			case s.Address != nil:
				parts = append(parts, "at("+say(*s.Address)+")")
			case s.Base != 0:
				parts = append(parts, "outside")
			default:
				parts = append(parts, "alike("+strings.Join(alike, " ")+")")
			}
		}
	}
	return strings.Join(parts, " ")
}

func TestReadinessErrors(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"empty.log": "", "other.log": "Module: a.sys\nExecute Pool Type Count: 0\nModule: b.sys\nModule: c.sys\nExecute Pool Type Count: 1",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sys := builtDriver(t, nx.X64, runs, readable)
	for _, tt := range []struct{ log, sys, want string }{
		{"empty.log", sys, "empty.log: says nothing of drv.sys: it counts nothing of any driver"},
		{"other.log", sys, "other.log: says nothing of drv.sys: it is about a.sys, c.sys"},
		{"none.log", sys, "none.log: no such file"},
		{"other.log", filepath.Join(dir, "other.log"), "no PE image"},
	} {
		if _, err := Readiness(filepath.Join(dir, tt.log), tt.sys, nx.DDIs()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q", err, tt.want)
		}
	}
}

func TestUnaligned(t *testing.T) {
	b := link(t, nx.X64, runs, readable)
	binary.LittleEndian.PutUint32(b[bytes.Index(b, []byte(".rdata"))+12:], 0x2020)
	dir := t.TempDir()
	sys, log := filepath.Join(dir, "drv.sys"), filepath.Join(dir, "x.log")
	for name, data := range map[string][]byte{sys: b, log: []byte("Module: drv.sys\nSection Alignment Failures: 1")} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Readiness(log, sys, nx.DDIs())
	if got, want := failures(r), "0x2004=1 .rdata begins at 0x2020, which is no multiple of 0x1000"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// An image in which any byte is another, or that ends anywhere, is asked for addresses without a panic.
func TestHostileImage(t *testing.T) {
	for p := range code {
		whole := link(t, p, runs, readable)
		for n := range whole {
			if whole[n] == 0 && n > 0x240 && n%16 != 0 {
				continue // most of the image is padding
			}
			for _, v := range []byte{0, 0x7f, 0xff} {
				b := slices.Clone(whole)
				b[n] = v
				ask(b)
			}
			ask(whole[:n])
		}
	}
}

func ask(data []byte) {
	b, err := parseBuilt("drv.sys", data, nx.DDIs(), func(p string) string { return p })
	if err != nil {
		return
	}
	for _, rva := range []uint64{0, 4, 0x1000, 0x1006, 0x1018, 0x2000, 1<<32 - 1, 1 << 32, 1<<64 - 1} {
		if _, ok := b.at(rva); !ok {
			_ = b.outside(rva)
		}
	}
	for _, c := range nx.Checks() {
		b.failure(c, hlk.Driver{}, []hlk.Stop{{Check: c, Parameters: [3]uint64{0xfffff80000001006, 0, 0}}})
	}
}
