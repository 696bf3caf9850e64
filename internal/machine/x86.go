package machine

import "encoding/binary"

// The opcode maps of x86, a row for sixteen opcodes, by what stands behind the opcode: m a ModRM byte, b a byte, w two, z two or
// four as the operand size says, v likewise or eight, a an address, e four and f six bytes; B, Z a ModRM byte and b, z; t, T a
// ModRM byte and b, z if it is a TEST; p is a prefix, . nothing, x no instruction.
// (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, appendix A.)
const (
	oneByte = "mmmmbz..mmmmbz.." + "mmmmbz..mmmmbz.." + "mmmmbzp.mmmmbzp." + "mmmmbzp.mmmmbzp." +
		"................" + "................" + "..mmppppzZbB...." + "bbbbbbbbbbbbbbbb" +
		"BZBBmmmmmmmmmmmm" + "..........f....." + "aaaa....bz......" + "bbbbbbbbvvvvvvvv" +
		"BBw.mmBZe.w..b.." + "mmmmbb..mmmmmmmm" + "bbbbbbbbzzfb...." + "p.pp..tT......mm"
	twoBytes = "mmmmx.....x.xm.B" + "mmmmmmmmmmmmmmmm" + "mmmmxxxxmmmmmmmm" + "........mxBxxxxx" +
		"mmmmmmmmmmmmmmmm" + "mmmmmmmmmmmmmmmm" + "mmmmmmmmmmmmmmmm" + "BBBBmmm.mmxxmmmm" +
		"zzzzzzzzzzzzzzzz" + "mmmmmmmmmmmmmmmm" + "...mBmxx...mBmmm" + "mmmmmmmmmmBmmmmm" +
		"mmBmBBBm........" + "mmmmmmmmmmmmmmmm" + "mmmmmmmmmmmmmmmm" + "mmmmmmmmmmmmmmmm"
)

// The maps that an opcode can be of.
const (
	mapOne = iota
	mapTwo // behind 0F
	map38  // behind 0F 38
	map3A  // behind 0F 3A
)

// x86 is an instruction while it is decoded.
type x86 struct {
	code    []byte
	pos     int
	at      uint32
	base    uint64
	long    bool // x64
	in      *Inst
	rex     byte // or what a VEX prefix has of one, 0 for none
	wide    bool // REX.W
	narrow  bool // 66
	address bool // 67: addresses of half the size
	rep     byte // F2 or F3
	segment bool // fs or gs
	vex     bool
	vexReg  Reg // the additional register of a VEX prefix
	opcode  byte
	table   int
	modRM   byte
	memory  Operand // where the ModRM byte means memory
	far     bool    // memory that is relative to fs or gs
	isRM    bool    // there is memory
	imm     int64
}

func decodeX64(code []byte, at uint32, base uint64, flow bool, in *Inst) bool {
	return decodeX86(code, at, base, true, flow, in)
}

func decodeIA32(code []byte, at uint32, base uint64, flow bool, in *Inst) bool {
	return decodeX86(code, at, base, false, flow, in)
}

const maxLength = 15 // of an instruction

func decodeX86(code []byte, at uint32, base uint64, long, flow bool, in *Inst) bool {
	*in = Inst{Outline: Outline{At: at}, Steps: in.Steps[:0]}
	if flow && (in.jumps(code) || in.plain(code, long)) {
		return true
	}
	x := x86{code: code[:min(len(code), maxLength)], at: at, base: base, long: long, in: in}
	if !x.prefixes() || !x.operands() {
		return false
	}
	in.Len = uint8(x.pos)
	if flow && !x.mayFlow() {
		return true
	}
	if x.memory.Reg == ripRelative {
		x.memory.Reg = NoReg
		x.memory.Imm += int64(base) + int64(at) + int64(x.pos)
	}
	switch {
	case x.vex:
		x.vector()
	case x.table == mapOne:
		x.one()
	case x.table == mapTwo:
		x.two()
	default:
		x.three()
	}
	return true
}

const ripRelative Reg = 254

// mayFlow says whether the instruction is one of those, or stands among them in the maps, behind which not always the next one runs.
func (x *x86) mayFlow() bool {
	op := x.opcode
	switch {
	case x.vex:
		return false
	case x.table == mapOne:
		return op >= 0xe0 || op >= 0xc8 && op < 0xd0 || op&0xf0 == 0x70 || op == 0xc2 || op == 0xc3 || op == 0x9a
	case x.table == mapTwo:
		return op&0xf0 == 0x80 || op == 0x0b || op == 0xb9 || op == 0xff
	}
	return false
}

// byte takes one byte of the code; 0 and false behind its end.
func (x *x86) byte() (byte, bool) {
	if x.pos >= len(x.code) {
		return 0, false
	}
	x.pos++
	return x.code[x.pos-1], true
}

// prefixes reads up to the opcode, and that.
func (x *x86) prefixes() bool {
	for {
		b, ok := x.byte()
		if !ok {
			return false
		}
		switch b {
		case 0x66:
			x.narrow = true
		case 0x67:
			x.address = true
		case 0xf2, 0xf3:
			x.rep = b
		case 0x64, 0x65:
			x.segment = true
		case 0x26, 0x2e, 0x36, 0x3e, 0xf0:
		default:
			return x.opcodeFrom(b)
		}
	}
}

func (x *x86) opcodeFrom(b byte) bool {
	ok := true
	if x.long && b&0xf0 == 0x40 {
		x.rex, x.wide = b, b&8 != 0
		if b, ok = x.byte(); !ok {
			return false
		}
	}
	if (b == 0xc4 || b == 0xc5 || b == 0x62) && x.pos < len(x.code) && (x.long || x.code[x.pos]>>6 == 3) {
		return x.vexFrom(b)
	}
	if b == 0x0f {
		x.table = mapTwo
		if b, ok = x.byte(); ok && (b == 0x38 || b == 0x3a) {
			x.table = map38 + int(b>>1&1)
			b, ok = x.byte()
		}
	}
	x.opcode = b
	return ok
}

// vexFrom reads a VEX or an EVEX prefix, whose fields of registers are inverted.
func (x *x86) vexFrom(b byte) bool {
	x.vex = true
	n := 1 // bytes in front of the opcode
	switch b {
	case 0xc4:
		n = 2
	case 0x62:
		n = 3
	}
	if x.pos+n >= len(x.code) {
		return false
	}
	p := x.code[x.pos:]
	x.pos += n
	x.table, x.rex = mapTwo, 0x40|^p[0]>>5&4
	last := p[0]
	if b != 0xc5 {
		x.rex = 0x40 | ^p[0]>>5&7
		x.table = int(p[0] & 7)
		x.wide = p[1]&0x80 != 0
		last = p[1]
	}
	if x.table < mapTwo || x.table > map3A {
		x.table = mapTwo // maps of half precision numbers, which have a ModRM byte and write no general register
	}
	x.vexReg = Reg(^last >> 3 & 15)
	x.narrow, x.rep = last&3 == 1, [4]byte{0, 0, 0xf3, 0xf2}[last&3]
	x.opcode = x.code[x.pos]
	x.pos++
	return true
}

// layout gives what stands behind the opcode.
func (x *x86) layout() byte {
	switch {
	case x.table == map38:
		return 'm'
	case x.table == map3A:
		return 'B'
	case x.table == mapTwo:
		return twoBytes[x.opcode]
	}
	return oneByte[x.opcode]
}

// operands reads the ModRM byte with what belongs to it, and the immediate.
func (x *x86) operands() bool {
	kind := x.layout()
	switch kind {
	case 'x', 'p':
		return false
	case 'm', 'B', 'Z', 't', 'T':
		if !x.readModRM() {
			return false
		}
	}
	size := 0
	z := 4
	if x.narrow && !x.wide && !(x.long && (x.table == mapTwo && x.opcode&0xf0 == 0x80 || x.opcode == 0xe8 || x.opcode == 0xe9)) {
		z = 2
	}
	switch test := x.modRM&0x30 == 0; {
	case kind == 'b', kind == 'B', kind == 't' && test:
		size = 1
	case kind == 'w':
		size = 2
	case kind == 'z', kind == 'Z', kind == 'T' && test, kind == 'v':
		size = z
		if kind == 'v' && x.wide {
			size = 8
		}
	case kind == 'a':
		size = x.addressSize()
	case kind == 'e':
		size = 3
	case kind == 'f':
		size = z + 2
	}
	return x.readImmediate(size)
}

func (x *x86) addressSize() int {
	switch {
	case x.long && !x.address:
		return 8
	case !x.long && x.address:
		return 2
	}
	return 4
}

// readImmediate reads a number, which is extended with its sign.
func (x *x86) readImmediate(size int) bool {
	if x.pos+size > len(x.code) {
		return false
	}
	b := x.code[x.pos:]
	x.pos += size
	switch size {
	case 0:
	case 1:
		x.imm = int64(int8(b[0]))
	case 2:
		x.imm = int64(int16(binary.LittleEndian.Uint16(b)))
	case 8:
		x.imm = int64(binary.LittleEndian.Uint64(b))
	case 4:
		x.imm = int64(int32(binary.LittleEndian.Uint32(b)))
	}
	return true
}

// readModRM reads the ModRM byte, the SIB byte and the displacement.
func (x *x86) readModRM() bool {
	b, ok := x.byte()
	if x.modRM = b; !ok || b>>6 == 3 {
		return ok
	}
	if x.addressSize() == 2 {
		return x.readModRM16()
	}
	x.isRM, x.far = true, x.segment
	m := Operand{Kind: Memory, Reg: Reg(b&7 | x.rex&1<<3), Index: NoReg, Scale: 1}
	size := [4]int{0, 1, 4, 0}[b>>6]
	if b&7 == 4 {
		sib, ok := x.byte()
		if !ok {
			return false
		}
		m.Reg = Reg(sib&7 | x.rex&1<<3)
		if index := Reg(sib>>3&7 | x.rex&2<<2); index != stackX86 {
			m.Index, m.Scale = index, 1<<(sib>>6)
		}
		if sib&7 == 5 && b>>6 == 0 {
			m.Reg, size = NoReg, 4
		}
	} else if b&0xc7 == 5 {
		m.Reg, size = NoReg, 4
		if x.long {
			m.Reg = ripRelative
		}
	}
	if !x.readImmediate(size) {
		return false
	}
	m.Imm, x.imm = x.imm, 0
	if !x.long && m.Reg == NoReg {
		m.Imm = int64(uint32(m.Imm)) // an address
	}
	x.memory = m
	return true
}

// readModRM16 takes an address of 16 bits for unknown.
func (x *x86) readModRM16() bool {
	x.isRM, x.far = true, true
	size := int(x.modRM >> 6)
	if x.modRM&0xc7 == 6 {
		size = 2
	}
	ok := x.readImmediate(size)
	x.imm = 0
	return ok
}

// width is that of operands: a byte for opcodes whose lowest bit is 0, else as the prefixes say.
func (x *x86) width() uint8 {
	if x.opcode&1 == 0 {
		return 1
	}
	return x.full()
}

// full is the width of operands that are no bytes.
func (x *x86) full() uint8 {
	switch {
	case x.wide:
		return 8
	case x.narrow:
		return 2
	}
	return 4
}

// word is the width of a register, and of what is pushed.
func (x *x86) word() uint8 {
	if x.long {
		return 8
	}
	return 4
}

// register gives a register by its number. Those of a byte whose number is 4 to 7 are, without REX, the second bytes of ax, cx, dx
// and bx: the operand has no kind then, which reads as unknown.
func (x *x86) register(n Reg, width uint8) Operand {
	if width == 1 && n >= 4 && n < 8 && x.rex == 0 {
		return Operand{Reg: n - 4, Width: 2}
	}
	return reg(n, width)
}

// rm gives the operand that the ModRM byte names, g the register in its middle.
func (x *x86) rm(width uint8) Operand {
	switch {
	case !x.isRM:
		return x.register(Reg(x.modRM&7|x.rex&1<<3), width)
	case x.far:
		return Operand{Reg: NoReg, Width: width}
	}
	m := x.memory
	m.Width = width
	return m
}

func (x *x86) g(width uint8) Operand { return x.register(Reg(x.modRM>>3&7|x.rex&4<<1), width) }

// middle is the field that extends the opcode.
func (x *x86) middle() byte { return x.modRM >> 3 & 7 }

func (x *x86) step(s Step) {
	switch {
	case s.Dst.Kind == NoOperand && s.Op != Compare && s.Op != Test && s.Op != Wipe:
		if s.Dst.Width == 0 || s.Dst.Reg == NoReg { // nothing, or memory of a segment
			if !s.Flags {
				return
			}
			s = Step{Op: Other, Flags: true}
			break
		}
		s = Step{Op: Other, Flags: s.Flags, Dst: reg(s.Dst.Reg, 2)} // a second byte
	case s.Op == Other && s.Dst.Kind == Register:
		s.A, s.B = Operand{}, Operand{}
	}
	x.in.Steps = append(x.in.Steps, s)
}

// other says that registers, or memory, get unknown contents.
func (x *x86) other(flags bool, list ...Operand) {
	if flags {
		x.step(Step{Op: Other, Flags: true})
	}
	for _, o := range list {
		x.step(Step{Op: Other, Dst: o})
	}
}

// whole gives a register with all its bits.
func (x *x86) whole(r Reg) Operand { return reg(r, x.word()) }

func (x *x86) push(a Operand) {
	w := x.word()
	if x.narrow && !x.wide {
		w = 2
	}
	a.Signed = true
	x.step(Step{Op: Move, Dst: reg(temporaryX86, w), A: a})
	x.step(Step{Op: Sub, Dst: x.whole(stackX86), A: x.whole(stackX86), B: imm(int64(w), w)})
	x.step(Step{Op: Move, Dst: at(stackX86, 0, w), A: reg(temporaryX86, w)})
}

func (x *x86) pop(dst Operand) {
	w := x.word()
	if x.narrow && !x.wide {
		w = 2
	}
	x.step(Step{Op: Move, Dst: reg(temporaryX86, w), A: at(stackX86, 0, w)})
	x.step(Step{Op: Add, Dst: x.whole(stackX86), A: x.whole(stackX86), B: imm(int64(w), w)})
	x.step(Step{Op: Move, Dst: dst, A: reg(temporaryX86, w)})
}

// conditions of jumps, by the lowest four bits of their opcodes: overflow and parity are not followed.
var conditions = [16]Cond{
	Perhaps, Perhaps, Below, AboveEqual, Equal, NotEqual, BelowEqual, Above, Negative, NotNegative, Perhaps, Perhaps, Less, GreaterEqual, LessEqual, Greater,
}

// relative makes of the immediate the address of a jump or call.
func (x *x86) relative(flow Flow) {
	x.in.Flow, x.in.Known = flow, true
	x.in.Target = x.at + uint32(x.pos) + uint32(x.imm)
}
