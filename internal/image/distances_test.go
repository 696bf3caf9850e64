package image

import (
	"debug/pe"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/nx"
)

// What a byte at a time finds in code, the words of eight find: wherever it stands in them, at the ends of what is looked at at once and of
// the code, and where the image is so large that distances are of four bytes.
func TestDistances(t *testing.T) {
	const likely = "\x0f\xe8\xe9\x05\x0d\x3d\x80\x8f\x90\x00\x00\x00\xff\xff\xff\x01\xfe\x45"
	random := rand.New(rand.NewPCG(1, 2))
	named, called := 0, 0
	for _, p := range []nx.Processor{nx.X86, nx.X64} {
		for _, size := range []uint32{1 << 15, 1 << 24, 1 << 25, 1 << 26} {
			for _, length := range []int{0, 1, 4, 5, 6, 7, 8, 11, 12, 13, 31, stretch - 1, stretch, stretch + 5, 3*stretch + 3} {
				code := make([]byte, length)
				for i := range code {
					if code[i] = likely[random.IntN(len(likely))]; random.IntN(8) == 0 {
						code[i] = byte(random.Uint32())
					}
				}
				if length > 3*stretch { // a place at each byte
					copy(code, strings.Repeat("\xe8", stretch+100))
				}
				const at = 1 << 12
				x := index{image: &Image{Processor: p, Size: size, Sections: []Section{{RVA: at, Size: size - at, Characteristics: pe.IMAGE_SCN_MEM_EXECUTE}}}}
				x.distances(at, code)
				naming, calling := byByte(x.image, code, at)
				if !slices.Equal(x.naming, naming) || !slices.Equal(x.calling, calling) {
					t.Errorf("%s, %#x bytes in an image of %#x: got %x and %x, want %x and %x", p, length, size, x.naming, x.calling, naming, calling)
				}
				named, called = named+len(naming), called+len(calling)
			}
		}
	}
	if named < 1000 || called < 1000 {
		t.Errorf("there is little to find: %d and %d", named, called)
	}
}

// byByte finds what instructions of x86 name by a distance that stand anywhere.
func byByte(m *Image, code []byte, rva uint32) (naming, calling []reference) {
	for i, b := range code {
		j := i + 1
		jump := b == 0x0f && j < len(code) && code[j] >= 0x80 && code[j] <= 0x8f
		if jump {
			j++
		}
		if j+4 > len(code) {
			continue
		}
		to := rva + uint32(j) + 4 + binary.LittleEndian.Uint32(code[j:])
		if m.Processor == nx.X64 && b>>6 == 0 && b&7 == 5 && to < m.Size {
			naming = append(naming, reference{to, rva + uint32(i) + 1})
		}
		if (jump || b == 0xe8 || b == 0xe9) && m.section(to) != nil {
			calling = append(calling, reference{to, rva + uint32(i)})
		}
	}
	return naming, calling
}
