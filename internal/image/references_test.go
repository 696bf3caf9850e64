package image

import (
	"slices"
	"testing"

	"github.com/nxport/nxport/nx"
)

func TestReferencesARM64(t *testing.T) {
	const ret = 0xd65f03c0
	for _, c := range []struct {
		name string
		code []byte
		want []reference
	}{
		{"adrp x8; ldr x8, [x8]", words(0xb0000008, 0xf9400108), []reference{{codeAt + 4, dataAt}}},
		{"adrp x8; add x8, x8, #8", words(0xb0000008, 0x91002108), []reference{{codeAt + 4, dataAt + 8}}},
		{"adrp x19; mov x25, x19; ldr x8, [x25]", words(0xb0000013, 0xaa1303f9, 0xf9400328), []reference{{codeAt + 8, dataAt}}},
		{"adrp x21; ldp x21, x22, [sp, #16]; ret; ldr x8, [x21, #8]", words(0xb0000015, 0xa9415bf5, ret, 0xf94006a8),
			[]reference{{codeAt + 12, dataAt + 8}}},
		{"adrp x21; ldr x21, [sp, #16]; ret; ldr x8, [x21, #8]", words(0xb0000015, 0xf9400bf5, ret, 0xf94006a8),
			[]reference{{codeAt + 12, dataAt + 8}}},
		{"adrp x8; add x8, x0, x1; ldr x9, [x8]", words(0xb0000008, 0x8b010008, 0xf9400109), nil},
		{"adrp x8; ldr x8, [x1]; ldr x9, [x8]", words(0xb0000008, 0xf9400028, 0xf9400109), nil},
	} {
		m, err := Parse("d.sys", build(nx.ARM64, c.code))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.references(addressesOf([]uint32{dataAt, dataAt + 8})); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %x, want %x", c.name, got, c.want)
		}
	}
}
