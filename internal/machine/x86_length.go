package machine

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

// plainLength gives the length of an instruction behind which the next one runs; 0 of one that takes a longer look.
func plainLength(code []byte, long bool) int {
	if len(code) <= maxLength {
		return 0
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
		return 0
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
	return i
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
