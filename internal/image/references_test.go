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

// What is exported by a number alone has callers elsewhere, too.
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
}
