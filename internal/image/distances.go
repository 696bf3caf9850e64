package image

import (
	"encoding/binary"
	"math/bits"

	"github.com/nxport/nxport/nx"
)

// What stands in front of a distance to the next instruction: on x64 a ModRM byte that says so; E8 and E9; or 0F with 80 to 8F.
const (
	escape   = 0x0f
	callNear = 0xe8 // E9 is a jump
)

func isRelative(b byte) bool { return b&0xc7 == 0x05 }

// distances finds what instructions of x86 name by a distance. Most bytes stand in front of none: those are sorted out first, without a
// branch that a processor could not foresee.
func (x *index) distances(rva uint32, code []byte) {
	var places [stretch]uint16
	var start, size uint32 // of the section that the last call went to
	pick := pickOf(x.image)
	for from := 0; from < len(code); from += stretch {
		for _, place := range places[:pick.places(code[from:], &places)] {
			i := from + int(place)
			at := rva + uint32(i)
			b := code[i]
			if b == escape {
				i++
			}
			if i+5 > len(code) {
				break
			}
			to := rva + uint32(i) + 5 + binary.LittleEndian.Uint32(code[i+1:])
			switch {
			case isRelative(b):
				if to < x.image.Size && len(x.naming) < maxIndexed {
					x.naming = append(x.naming, reference{to, at + 1})
				}
				continue
			case len(x.calling) == maxIndexed:
				continue
			case to-start >= size:
				s := x.image.section(to)
				if s == nil || !s.Executable() {
					continue
				}
				start, size = s.RVA, s.Size
			}
			x.calling = append(x.calling, reference{to, at})
		}
	}
}

// stretch is how many bytes of code are looked at before the places that are found in them.
const stretch = 1 << 12

// pick finds the bytes that stand in front of a distance, eight at once: of each word of code, the highest bits of its bytes tell.
type pick struct {
	modRM uint64 // there are none with a distance
	far   uint64 // distances can be far
}

// pickOf gives that for an image. In one of 16 MB or less the highest byte of a distance is 0 or FF.
func pickOf(m *Image) pick {
	var p pick
	if m.Processor == nx.X86 {
		p.modRM = everyByte * 0xff
	}
	if m.Size > 1<<24 {
		p.far = everyByte * 0xff
	}
	return p
}

// places tells where in the stretch that code begins with they are, and how many.
func (p pick) places(code []byte, places *[stretch]uint16) (n int) {
	const ahead = 12 // bytes that are looked at for those of a word
	for i := 0; i < min(len(code), stretch); i += 8 {
		b := code[i:]
		if len(b) < ahead {
			var padded [ahead]byte
			copy(padded[:], b)
			b = padded[:]
		}
		w, next, last := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[1:]), binary.LittleEndian.Uint64(b[4:])
		call := nonZero(w&(everyByte*0xfe) ^ everyByte*callNear)
		modRM := nonZero(w&(everyByte*0xc7)^everyByte*0x05) | p.modRM
		far := nonZero((last&low+everyByte^last&^low)&(everyByte*0xfe)) &^ p.far // one more than 0 or FF is 1 or 0
		jump := nonZero(w^everyByte*escape) | nonZero(next&(everyByte*0xf0)^everyByte*0x80)
		for found := ^((call&modRM | far) & jump) &^ low; ; {
			places[n] = uint16(i + bits.TrailingZeros64(found)/8)
			n += int((found | -found) >> 63)
			if found &= found - 1; found == 0 {
				break
			}
		}
	}
	return n
}

const (
	everyByte = 0x0101010101010101
	low       = everyByte * 0x7f // all bits of each byte but the highest
)

// nonZero has the highest bit of each byte of a word that is not zero; the others tell nothing.
func nonZero(w uint64) uint64 { return w&low + low | w }
