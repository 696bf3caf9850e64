package image

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/nxport/nxport/internal/image/imagetest"
	"github.com/nxport/nxport/nx"
)

func TestReferencesARM64(t *testing.T) {
	const ret = 0xd65f03c0
	for _, c := range []struct {
		name string
		code []byte
		want []reference
	}{
		{"adrp x8; ldr x8, [x8]", words(0xb0000008, 0xf9400108), []reference{{dataAt, codeAt + 4}}},
		{"adrp x8; add x8, x8, #8", words(0xb0000008, 0x91002108), []reference{{dataAt + 8, codeAt + 4}}},
		{"adrp x19; mov x25, x19; ldr x8, [x25]", words(0xb0000013, 0xaa1303f9, 0xf9400328), []reference{{dataAt, codeAt + 8}}},
		{"adrp x21; ldp x21, x22, [sp, #16]; ret; ldr x8, [x21, #8]", words(0xb0000015, 0xa9415bf5, ret, 0xf94006a8),
			[]reference{{dataAt + 8, codeAt + 12}}},
		{"adrp x21; ldr x21, [sp, #16]; ret; ldr x8, [x21, #8]", words(0xb0000015, 0xf9400bf5, ret, 0xf94006a8),
			[]reference{{dataAt + 8, codeAt + 12}}},
		{"adrp x8; add x8, x0, x1; ldr x9, [x8]", words(0xb0000008, 0x8b010008, 0xf9400109), nil},
		{"adrp x8; ldr x8, [x1]; ldr x9, [x8]", words(0xb0000008, 0xf9400028, 0xf9400109), nil},
		{"adrp x8; ldrsw x8, [x1]; ldr x9, [x8]", words(0xb0000008, 0xb9800028, 0xf9400109), nil},
		{"adrp x8; orr x8, x8, x1; ldr x9, [x8]", words(0xb0000008, 0xaa010108, 0xf9400109), nil},
		{"adrp x8; str x1, [x8]; ldr x9, [x8]", words(0xb0000008, 0xf9000101, 0xf9400109), []reference{{dataAt, codeAt + 4}, {dataAt, codeAt + 8}}},
		{"adrp x8, of the page before; add x8, x8, #1, lsl #12; ldr x9, [x8]", words(0x90000008, 0x91400508, 0xf9400109),
			[]reference{{dataAt, codeAt + 4}, {dataAt, codeAt + 8}}},
		{"ldr x8 of a literal; adr x9", words(0x58008008, 0x10007fe9), []reference{{dataAt, codeAt}, {dataAt, codeAt + 4}}},
		{"add sp, sp, #2, lsl #12; ldr x9, [sp]", words(0x91400bff, 0xf94003e9), nil},
	} {
		m, err := Parse("d.sys", build(nx.ARM64, c.code))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.follower(newRoom(nil)).index.references(addressesOf(dataAt, dataAt+8)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %x, want %x", c.name, got, c.want)
		}
	}
}

// Calls and branches of ARM64: all there are, and no more.
func TestCallsARM64(t *testing.T) {
	const nop = 0xd503201f
	list := []uint32{
		0x94000004, // bl 0x1010
		0x14000003, // b 0x1010
		0x54000040, // b.eq 0x1010
		0x54000030, // bc.eq 0x1010, of newer processors than any Windows needs
		nop,
		0xb4ffffe0, // cbz x0, 0x1010
		0x3607ffc0, // tbz w0, #0, 0x1010
	}
	want := []uint32{codeAt, codeAt + 4, codeAt + 8, codeAt + 20, codeAt + 24}
	for range 100 {
		at := uint32(4 * len(list))
		want = append(want, codeAt+at)
		list = append(list, 0x94000000|(4-at/4)&0x3ffffff)
	}
	m, err := Parse("d.sys", build(nx.ARM64, words(list...)))
	if err != nil {
		t.Fatal(err)
	}
	var got []uint32
	for _, c := range m.follower(newRoom(nil)).callersOf(codeAt + 16) {
		got = append(got, c.at)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d calls, want %d: %x, want %x", len(got), len(want), got[:min(len(got), 8)], want[:8])
	}
}

// Calls, jumps and branches by distance, up to the last bytes of a section.
func TestCallsX64(t *testing.T) {
	const near, escaped = "\x90\x90\x0f\x84\xf8\xff\xff\xff", "\x0f\x10\x00\x00\x00\x00" // je to the start; movups, which is none
	for _, c := range []struct {
		name, last string
		want       []uint32
	}{
		{"call", "\xe8\xed\xff\xff\xff", []uint32{codeAt + 2, codeAt + 14}},
		{"jmp", "\xe9\xed\xff\xff\xff", []uint32{codeAt + 2, codeAt + 14}},
		{"je", "\x0f\x84\xec\xff\xff\xff", []uint32{codeAt + 2, codeAt + 14}},
		{"je, cut off", "\x0f\x84\xec\xff\xff", []uint32{codeAt + 2}},
		{"call, cut off", "\xe8\xed\xff\xff", []uint32{codeAt + 2}},
	} {
		m, err := Parse("d.sys", build(nx.X64, []byte(near+escaped+c.last)))
		if err != nil {
			t.Fatal(err)
		}
		for i := range m.Sections { // a section ends where its code does
			if s := &m.Sections[i]; s.RVA == codeAt {
				s.Size, s.length = uint32(len(near+escaped+c.last)), uint32(len(near+escaped+c.last))
			}
		}
		var got []uint32
		for _, call := range m.follower(newRoom(nil)).callersOf(codeAt) {
			got = append(got, call.at)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %x, want %x", c.name, got, c.want)
		}
	}
}

// Of a list the part is given that names a range, both ends included.
func TestBetween(t *testing.T) {
	list := []reference{{2, 1}, {4, 2}, {4, 3}, {7, 4}}
	for _, c := range []struct{ lo, hi, from, to uint32 }{{0, 1, 0, 0}, {0, 2, 0, 1}, {2, 4, 0, 3}, {3, 6, 1, 3}, {4, 4, 1, 3}, {5, ^uint32(0), 3, 4}, {8, 9, 4, 4}, {5, 4, 3, 3}} {
		if got := between(list, c.lo, c.hi); !slices.Equal(got, list[c.from:c.to]) {
			t.Errorf("%d to %d: got %v", c.lo, c.hi, got)
		}
	}
}

// The guard's check of an indirect call keeps all registers: it is a return, or code that jumps to one through a constant.
func TestDoesNothing(t *testing.T) {
	const ret, nop = 0xd65f03c0, 0xd503201f
	// adrp x16, #0; ldr x16, [x16, #16]; br x16
	thunk := func(to, there uint32) []byte {
		return words(0x90000010, 0xf9400a10, 0xd61f0200, nop, based+codeAt+to, 0, there, ret)
	}
	for _, c := range []struct {
		name      string
		processor nx.Processor
		code      []byte
		want      bool
	}{
		{"ARM64", nx.ARM64, words(ret), true},
		{"ARM64, something", nx.ARM64, words(nop, ret), false},
		{"ARM64, through a constant", nx.ARM64, thunk(24, ret), true},
		{"ARM64, through a constant to something", nx.ARM64, thunk(24, nop), false},
		{"ARM64, through a constant to nowhere", nx.ARM64, thunk(0x8000, ret), false},
		{"ARM64, an import", nx.ARM64, words(0xb0000010, 0xf9400210, 0xd61f0200), false},
		{"x64", nx.X64, []byte("\xc2\x00\x00"), true},
		{"x64, something", nx.X64, []byte("\x90\xc3\x90"), false},
		{"x64, an import", nx.X64, []byte("\xff\x25\xfa\x0f\x00\x00"), false},
	} {
		m, err := Parse("d.sys", build(c.processor, c.code))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.follower(newRoom(nil)).doesNothing(codeAt); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

// What is exported by a number alone has callers elsewhere, too, and a routine begins there.
func TestExportedByNumber(t *testing.T) {
	exports := binary.LittleEndian.AppendUint32(make([]byte, 20), 2) // so many addresses
	exports = binary.LittleEndian.AppendUint32(exports, 0)           // so many names
	exports = binary.LittleEndian.AppendUint32(exports, imagetest.ConstantsAt+40)
	exports = append(exports, make([]byte, 8)...)
	exports = binary.LittleEndian.AppendUint32(exports, codeAt+4)
	exports = binary.LittleEndian.AppendUint32(exports, codeAt+8)
	exports = binary.LittleEndian.AppendUint32(exports, codeAt+12) // one more than there are
	m, err := Parse("d.sys", imagetest.Parts{Processor: nx.X64, Code: make([]byte, 16), Constants: exports}.Image())
	if err != nil {
		t.Fatal(err)
	}
	m.directories[0] = directory{imagetest.ConstantsAt, 40}
	f := m.follower(newRoom(nil))
	for at, want := range map[uint32]bool{codeAt: false, codeAt + 4: true, codeAt + 8: true, codeAt + 12: false} {
		if f.exported(at) != want {
			t.Errorf("%#x is exported: %v", at, !want)
		}
	}
	if got, want := f.beginnings(), []uint32{codeAt + 4, codeAt + 8}; !slices.Equal(got, want) {
		t.Errorf("routines begin at %x, want %x", got, want)
	}
}

// A routine of x86 that sets up a frame begins there, in either spelling, behind what ends another, with the mov edi, edi in front of it.
func TestBeginnings(t *testing.T) {
	const frame, spelled = "\x55\x8b\xec", "\x55\x89\xe5"
	for _, c := range []struct {
		name, code string
		want       []uint32
	}{
		{"behind a return", "\x90\xc3" + frame + "\xc3" + spelled, []uint32{0x1002, 0x1006}},
		{"behind padding", "\xcc\xcc" + spelled, []uint32{0x1002}},
		{"behind mov edi, edi", "\xcc\x8b\xff" + frame, []uint32{0x1001}},
		{"behind another instruction", "\x40" + frame + "\x40" + spelled, nil},
		{"push ebp alone, and twice", "\xcc\x55\x55\xcc\x55" + "\xcc\x55\x8b", nil},
		{"right behind push ebp", "\xc3" + frame + "\xc3\x55\x8b" + "\xcc" + frame, []uint32{0x1001, 0x1008}},
	} {
		m, err := Parse("d.sys", imagetest.Parts{Processor: nx.X86, Code: []byte(c.code)}.Image())
		if err != nil {
			t.Fatal(err)
		}
		x := &index{image: m}
		if got := x.beginnings(); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %x, want %x", c.name, got, c.want)
		}
	}
}
