package machine

import "encoding/binary"

// What stands behind an opcode of the maps, in a byte: whether there is a ModRM byte, and how long an immediate is. Of opcodes that take a
// longer look, as mayFlow says or as more than their map tells, it is 0.
const (
	isPlain  = 0x80
	hasModRM = 0x40
	sizes    = 0x3f
	sizeZ    = 0x10 // 4 bytes, or 2 with an operand size prefix
	sizeV    = 0x20 // or 8 with REX.W
)

type lengths [256]byte

var oneLengths, twoLengths = lengthsOf(mapOne, oneByte), lengthsOf(mapTwo, twoBytes)

func lengthsOf(table int, layout string) (list lengths) {
	for op := range list {
		x := x86{table: table, opcode: byte(op)}
		switch kind := layout[op]; {
		case x.mayFlow(), table == mapOne && (op == 0x0f || op == 0x62 || op == 0xc4 || op == 0xc5), table == mapTwo && (op == 0x38 || op == 0x3a):
		case kind == '.':
			list[op] = isPlain
		case kind == 'm':
			list[op] = isPlain | hasModRM
		case kind == 'b':
			list[op] = isPlain | 1
		case kind == 'B':
			list[op] = isPlain | hasModRM | 1
		case kind == 'w':
			list[op] = isPlain | 2
		case kind == 'z':
			list[op] = isPlain | sizeZ
		case kind == 'Z':
			list[op] = isPlain | hasModRM | sizeZ
		case kind == 'v':
			list[op] = isPlain | sizeV
		}
	}
	return list
}

// jumps is the outline of a call or jump by a distance, or a return, without a prefix; false of all others.
func (o *Outline) jumps(code []byte) bool {
	if len(code) <= maxLength {
		return false
	}
	short, near := int32(int8(code[1])), int32(binary.LittleEndian.Uint32(code[1:]))
	switch op := code[0]; {
	case op == 0x0f && code[1]&0xf0 == 0x80:
		o.goTo(Branch, 6, int32(binary.LittleEndian.Uint32(code[2:])))
	case op&0xf0 == 0x70:
		o.goTo(Branch, 2, short)
	case op == 0xe8:
		o.goTo(Call, 5, near)
	case op == 0xe9:
		o.goTo(Jump, 5, near)
	case op == 0xeb:
		o.goTo(Jump, 2, short)
	case op == 0xc3:
		o.Flow, o.Len = Return, 1
	default:
		return false
	}
	return true
}

func (o *Outline) goTo(flow Flow, length uint8, distance int32) {
	o.Flow, o.Len, o.Known, o.Target = flow, length, true, o.At+uint32(length)+uint32(distance)
}

// plain is the outline of an instruction behind which the next one runs; false of one that takes a longer look.
func (o *Outline) plain(code []byte, long bool) bool {
	if len(code) <= maxLength {
		return false
	}
	i, narrow, wide := 0, false, false
	if code[0] == 0x66 {
		i, narrow = 1, true
	}
	if long && code[i]&0xf0 == 0x40 {
		wide = code[i]&8 != 0
		i++
	}
	l := oneLengths[code[i]]
	if code[i] == 0x0f {
		i++
		l = twoLengths[code[i]]
	}
	if l == 0 {
		return false
	}
	i++
	if l&hasModRM != 0 {
		i += modRMLength(code[i], code[i+1])
	}
	switch l & sizes {
	case sizeZ:
		i += 4
		if narrow && !wide {
			i -= 2
		}
	case sizeV:
		switch {
		case wide:
			i += 8
		case narrow:
			i += 2
		default:
			i += 4
		}
	default:
		i += int(l & sizes)
	}
	o.Len = uint8(i)
	return true
}

// modRMLength gives the length of a ModRM byte with a SIB byte and a displacement.
func modRMLength(modRM, sib byte) int {
	base, n := modRM&7, 1
	if modRM>>6 == 3 {
		return n
	}
	if base == 4 {
		base = sib & 7
		n++
	}
	switch {
	case modRM>>6 == 1:
		n++
	case modRM>>6 == 2, base == 5:
		n += 4
	}
	return n
}
