package machine

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// linkARM is the register that a call leaves its return address in.
const linkARM Reg = 30

// arm64 decodes one instruction. Groups and fields of its word are those of the Arm Architecture Reference Manual for
// A-profile, chapter "A64 Instruction Set Encoding".
type arm64 struct {
	word uint32
	va   uint64 // of the instruction
	in   *Inst
}

// decodeARM64 is the [Decoder] of ARM64.
func decodeARM64(code []byte, at uint32, base uint64, flow bool, in *Inst) bool {
	*in = Inst{Outline: Outline{At: at, Len: 4}, Steps: in.Steps[:0]}
	if len(code) < 4 {
		return false
	}
	d := arm64{word: binary.LittleEndian.Uint32(code), va: base + uint64(at), in: in}
	group := d.bits(25, 4)
	if flow && group != 0b1010 && group != 0b1011 && group != 0b0000 {
		return group != 0b0001 && group != 0b0011
	}
	switch group {
	case 0b1000, 0b1001:
		d.immediate()
	case 0b1010, 0b1011:
		d.branch()
	case 0b0100, 0b0110, 0b1100, 0b1110:
		d.memory()
	case 0b0101, 0b1101:
		d.register()
	case 0b0111, 0b1111:
		d.vector()
	case 0b0010:
		d.scalable()
	case 0b0000:
		return d.reserved()
	default:
		return false
	}
	return true
}

// bits gives n bits of the word from bit low up.
func (d arm64) bits(low, n uint) uint32 { return d.word >> low & (1<<n - 1) }

// signed gives n bits of the word from bit low up as a number with a sign.
func (d arm64) signed(low, n uint) int64 { return int64(int32(d.word<<(32-low-n)) >> (32 - n)) }

func (d arm64) bit(n uint) bool { return d.word>>n&1 != 0 }

func (d arm64) is(mask, value uint32) bool { return d.word&mask == value }

// field gives the register whose number starts at a bit.
func (d arm64) field(low uint) Reg { return Reg(d.bits(low, 5)) }

// width gives the width of what the instruction computes.
func (d arm64) width() uint8 { return 4 << d.bits(31, 1) }

// read gives a register as a source, where 31 is the zero register.
func read(r Reg, width uint8) Operand {
	if r == stackARM {
		return imm(0, width)
	}
	return reg(r, width)
}

// written gives a register as a destination, where 31 is the zero register: what is written to that is lost.
func written(r Reg, width uint8) Operand {
	if r == stackARM {
		return Operand{}
	}
	return reg(r, width)
}

// constant gives an immediate as a register of a width has it.
func constant(n uint64, width uint8) Operand {
	if width == 4 {
		n = uint64(uint32(n))
	}
	return imm(int64(n), width)
}

// ones gives a mask of the n lowest bits.
func ones(n uint32) uint64 { return 1<<n - 1 }

// do adds a step, unless what it writes is lost.
func (d arm64) do(op Op, dst, a, b Operand) {
	if dst.Kind != NoOperand {
		s := d.step()
		s.Op, s.Dst, s.A, s.B = op, dst, a, b
	}
}

// step adds one. What it is is written in its place, as steps are too large to be handed about.
func (d arm64) step() *Step {
	n := len(d.in.Steps)
	d.in.Steps = append(d.in.Steps, Step{})
	return &d.in.Steps[n]
}

func (d arm64) move(dst, a Operand) { d.do(Move, dst, a, Operand{}) }

func (d arm64) other(dst Operand) { d.do(Other, dst, Operand{}, Operand{}) }

// flags adds the step that sets the flags: Compare, Test, or Other.
func (d arm64) flags(op Op, a, b Operand) {
	s := d.step()
	s.Op, s.Flags, s.A, s.B = op, true, a, b
}

// unknownFlags says that the flags are something unknown.
func (d arm64) unknownFlags() { d.flags(Other, Operand{}, Operand{}) }

// reserved lowers what the group for reserved encodings holds: traps, and instructions on matrices.
func (d arm64) reserved() bool {
	if d.word>>16 == 0 { // udf
		d.in.Flow = Stop
		return true
	}
	if d.bit(31) {
		d.scalable()
		return true
	}
	return false
}

// scalable lowers an instruction on scalable vectors or matrices. Drivers have none; of what it can write, all is unknown.
func (d arm64) scalable() {
	if d.is(0xFA000000, 0xE0000000) {
		d.do(Wipe, at(d.field(5), 0, 0), Operand{}, Operand{})
	}
	d.other(written(d.field(0), 8))
	d.other(vector(NoReg, vectorBytes))
	d.unknownFlags()
}

// immediate lowers data processing with an immediate.
func (d arm64) immediate() {
	w := d.width()
	switch d.bits(23, 3) {
	case 0b000, 0b001:
		d.address()
	case 0b010:
		n := int64(d.bits(10, 12)) << (12 * d.bits(22, 1))
		d.addSub(d.sum(w), reg(d.field(5), w), imm(n, w))
	case 0b011: // tagged addresses, and greater and lesser of two
		if d.bit(22) {
			d.other(written(d.field(0), w))
		} else {
			d.other(reg(d.field(0), w))
		}
	case 0b100:
		d.logicalImmediate(w)
	case 0b101:
		d.moveWide(w)
	case 0b110:
		d.bitfield(w)
	case 0b111:
		if d.is(0x60000000, 0x60000000) { // autiasppc, autibsppc
			d.other(reg(linkARM, 8))
		} else {
			d.other(written(d.field(0), w))
		}
	}
}

// address lowers adr and adrp.
func (d arm64) address() {
	n := uint64(d.signed(5, 19)<<2 | int64(d.bits(29, 2)))
	if d.bit(31) {
		n = d.va&^0xFFF + n<<12
	} else {
		n += d.va
	}
	d.move(written(d.field(0), 8), imm(int64(n), 8))
}

// sum gives the destination of an addition where 31 is sp, unless the flags are set.
func (d arm64) sum(w uint8) Operand {
	if d.bit(29) {
		return written(d.field(0), w)
	}
	return reg(d.field(0), w)
}

// addSub lowers an addition or subtraction.
func (d arm64) addSub(dst, a, b Operand) {
	op := Add
	if d.bit(30) {
		op = Sub
	}
	if d.bit(29) {
		d.sumFlags(op, a, b)
	}
	switch {
	case b.Kind == Immediate && b.Imm == 0:
		d.move(dst, a)
	case op == Sub && a.Kind == Immediate && a.Imm == 0:
		d.do(Neg, dst, b, Operand{})
	default:
		d.do(op, dst, a, b)
	}
}

// sumFlags sets the flags of a + b or a - b, before a is overwritten. To add n is to compare with -n, but for a carry where n
// is 0; what adding a register leaves can't be told by a comparison.
func (d arm64) sumFlags(op Op, a, b Operand) {
	switch {
	case op == Sub:
		d.flags(Compare, a, b)
	case b.Kind != Immediate:
		d.unknownFlags()
	case b.Imm == 0:
		d.flags(Test, a, a)
	default:
		d.flags(Compare, a, constant(uint64(-b.Imm), b.Width))
	}
}

func (d arm64) logicalImmediate(w uint8) {
	n, ok := bitmask(d.bits(22, 1), d.bits(16, 6), d.bits(10, 6), w)
	if !ok {
		d.other(reg(d.field(0), w))
		return
	}
	dst := reg(d.field(0), w)
	if d.bits(29, 2) == 0b11 {
		dst = written(d.field(0), w)
	}
	d.logical(dst, read(d.field(5), w), constant(n, w))
}

// bitmask gives the immediate of a logical instruction: a run of ones, rotated and repeated.
func bitmask(n, immr, imms uint32, w uint8) (uint64, bool) {
	element := uint32(1) << bits.Len32(n<<6|^imms&0x3F) / 2
	if element < 2 || element > uint32(w)*8 {
		return 0, false
	}
	run := imms&(element-1) + 1
	if run == element {
		return 0, false
	}
	mask, turn := ones(run), immr&(element-1)
	mask = mask>>turn | mask<<(element-turn)&ones(element)
	for ; element < 64; element *= 2 {
		mask |= mask << element
	}
	return mask, true
}

// logical lowers and, or, exclusive or, and and with flags.
func (d arm64) logical(dst, a, b Operand) {
	switch op := [...]Op{And, Or, Xor, And}[d.bits(29, 2)]; {
	case op == Or && a.Kind == Immediate && a.Imm == 0:
		d.move(dst, b)
	case d.bits(29, 2) != 0b11:
		d.do(op, dst, a, b)
	case dst.Kind == NoOperand:
		d.flags(Test, a, b)
	default:
		s := d.step()
		s.Op, s.Flags, s.Dst, s.A, s.B = op, true, dst, a, b
	}
}

func (d arm64) moveWide(w uint8) {
	dst := written(d.field(0), w)
	shift := 16 * d.bits(21, 2)
	n := uint64(d.bits(5, 16)) << shift
	switch d.bits(29, 2) {
	case 0b00: // movn
		d.move(dst, constant(^n, w))
	case 0b10: // movz
		d.move(dst, constant(n, w))
	case 0b11: // movk
		d.do(And, dst, dst, constant(^(0xFFFF<<shift), w))
		d.do(Or, dst, dst, constant(n, w))
	default:
		d.other(dst)
	}
}

// bitfield lowers sbfm, bfm and ubfm, which shifts and extensions are forms of.
func (d arm64) bitfield(w uint8) {
	size := uint32(w) * 8
	r, s := d.bits(16, 6)&(size-1), d.bits(10, 6)&(size-1)
	dst, from := written(d.field(0), w), read(d.field(5), w)
	switch d.bits(29, 2) {
	case 0b00:
		d.signedField(dst, from, r, s)
	case 0b01:
		d.insertField(dst, from, r, s)
	case 0b10:
		d.unsignedField(dst, from, r, s)
	default:
		d.other(dst)
	}
}

// extension gives the part of a register that is extended, if bits 0 to s are a part with a name.
func extension(from Operand, s uint32) (Operand, bool) {
	if from.Kind == Register && (s == 7 || s == 15 || s == 31) {
		from.Width = uint8(s/8 + 1)
		return from, true
	}
	return from, false
}

func (d arm64) signedField(dst, from Operand, r, s uint32) {
	if part, ok := extension(from, s); ok && r == 0 {
		part.Signed = true
		d.move(dst, part)
		return
	}
	size := uint32(from.Width) * 8
	left := size - 1 - s
	if left > 0 {
		t := reg(temporaryARM, from.Width)
		d.do(Shl, t, from, imm(int64(left), 1))
		from = t
	}
	d.do(Sar, dst, from, imm(int64((left+r)%size), 1))
}

func (d arm64) unsignedField(dst, from Operand, r, s uint32) {
	size := uint32(from.Width) * 8
	t := reg(temporaryARM, from.Width)
	switch part, ok := extension(from, s); {
	case s == size-1:
		d.do(Shr, dst, from, imm(int64(r), 1))
	case s+1 == r:
		d.do(Shl, dst, from, imm(int64(size-r), 1))
	case r == 0 && ok:
		d.move(dst, part)
	case r == 0:
		d.do(And, dst, from, imm(int64(ones(s+1)), from.Width))
	case s >= r:
		d.do(Shr, t, from, imm(int64(r), 1))
		d.do(And, dst, t, imm(int64(ones(s-r+1)), from.Width))
	default:
		d.do(And, t, from, imm(int64(ones(s+1)), from.Width))
		d.do(Shl, dst, t, imm(int64(size-r), 1))
	}
}

// insertField lowers bfi, bfxil and bfc, which leave the rest of the destination as it is.
func (d arm64) insertField(dst, from Operand, r, s uint32) {
	if dst.Kind == NoOperand {
		return
	}
	field := ones(s+1) << (uint32(from.Width)*8 - r)
	if s >= r {
		field = ones(s - r + 1)
	}
	t := reg(temporaryARM, from.Width)
	d.unsignedField(t, from, r, s)
	d.do(And, dst, dst, constant(^field, from.Width))
	d.do(Or, dst, dst, t)
}

// register lowers data processing between registers.
func (d arm64) register() {
	w := d.width()
	switch d.bits(21, 4) | d.bits(28, 1)<<4 {
	case 0b0_0000, 0b0_0001, 0b0_0010, 0b0_0011, 0b0_0100, 0b0_0101, 0b0_0110, 0b0_0111:
		d.logicalRegister(w)
	case 0b0_1000, 0b0_1010, 0b0_1100, 0b0_1110:
		b := d.shifted(w)
		d.addSub(written(d.field(0), w), read(d.field(5), w), b)
	case 0b0_1001, 0b0_1011, 0b0_1101, 0b0_1111:
		b := d.extended(w)
		d.addSub(d.sum(w), reg(d.field(5), w), b)
	case 0b1_0000:
		d.carry(w)
	case 0b1_0010:
		d.compareOn(w)
	case 0b1_0100:
		d.conditional(w)
	case 0b1_0110:
		d.sources(w)
	case 0b1_1000, 0b1_1001, 0b1_1101:
		d.multiply(w)
	default:
		d.other(written(d.field(0), w))
	}
}

// shifted gives the last operand of an instruction on a shifted register, computed if need be.
func (d arm64) shifted(w uint8) Operand {
	b, n := read(d.field(16), w), d.bits(10, 6)
	if n == 0 || b.Kind == Immediate {
		return b
	}
	t := reg(temporaryARM, w)
	switch d.bits(22, 2) {
	case 0b00:
		d.do(Shl, t, b, imm(int64(n), 1))
	case 0b01:
		d.do(Shr, t, b, imm(int64(n), 1))
	case 0b10:
		d.do(Sar, t, b, imm(int64(n), 1))
	case 0b11: // rotated
		d.other(t)
	}
	return t
}

// extended gives the last operand of an instruction on an extended register, computed if need be.
func (d arm64) extended(w uint8) Operand {
	option, n := d.bits(13, 3), d.bits(10, 3)
	b, t := read(d.field(16), w), reg(temporaryARM, w)
	if b.Kind == Immediate {
		return b
	}
	if part := uint8(1) << (option & 0b11); part < w {
		b.Width, b.Signed = part, option&0b100 != 0
		d.move(t, b)
		b = t
	}
	if n > 0 {
		d.do(Shl, t, b, imm(int64(n), 1))
		b = t
	}
	return b
}

func (d arm64) logicalRegister(w uint8) {
	dst, a, b := written(d.field(0), w), read(d.field(5), w), d.shifted(w)
	if d.bit(21) { // orn, of which mvn is a form, bic, eon
		if d.bits(29, 2) == 0b01 && a.Kind == Immediate {
			d.do(Not, dst, b, Operand{})
			return
		}
		t := reg(temporaryARM, w)
		d.do(Not, t, b, Operand{})
		b = t
	}
	d.logical(dst, a, b)
}

// carry lowers additions with carry, and what sets flags from parts of a register.
func (d arm64) carry(w uint8) {
	if d.bits(10, 2) == 0 {
		d.other(written(d.field(0), w))
	}
	if d.bit(29) {
		d.unknownFlags()
	}
}

// conditionsARM64 are the conditions by their encoding. The last two are always true.
var conditionsARM64 = [16]Cond{Equal, NotEqual, AboveEqual, Below, Negative, NotNegative, Perhaps, Perhaps,
	Above, BelowEqual, GreaterEqual, Less, Greater, LessEqual, Perhaps, Perhaps}

// conditional lowers csel and those that add 1 to, invert or negate what is chosen where the condition does not hold.
func (d arm64) conditional(w uint8) {
	a, b, t := read(d.field(5), w), read(d.field(16), w), reg(temporaryARM, w)
	switch form := d.bits(30, 1)<<1 | d.bits(10, 1); {
	case form == 0b00:
		t = b
	case b.Kind == Immediate:
		t = constant([...]uint64{0, 1, math.MaxUint64, 0}[form], w)
	case form == 0b01:
		d.do(Add, t, b, imm(1, w))
	case form == 0b10:
		d.do(Not, t, b, Operand{})
	case form == 0b11:
		d.do(Neg, t, b, Operand{})
	}
	if dst := written(d.field(0), w); dst.Kind != NoOperand {
		s := d.step()
		s.Op, s.Cond, s.Dst, s.A, s.B = Select, conditionsARM64[d.bits(12, 4)], dst, a, t
	}
}

// sources lowers data processing with one source, and with two.
func (d arm64) sources(w uint8) {
	dst, a, b := written(d.field(0), w), read(d.field(5), w), read(d.field(16), w)
	switch d.bits(10, 6) | d.bits(30, 1)<<6 {
	case 0b0_001000:
		d.do(Shl, dst, a, b)
	case 0b0_001001:
		d.do(Shr, dst, a, b)
	case 0b0_001010:
		d.do(Sar, dst, a, b)
	case 0b0_000100: // irg
		d.other(reg(d.field(0), w))
	case 0b0_000000: // subp, subps
		d.other(dst)
		if d.bit(29) {
			d.unknownFlags()
		}
	default:
		if d.is(0x4000E000, 0x00004000) { // crc32b to crc32cx
			dst = written(d.field(0), 4)
		}
		d.other(dst)
	}
}

// compareOn lowers ccmp, and ccmn with an immediate.
func (d arm64) compareOn(w uint8) {
	c, b := conditionsARM64[d.bits(12, 4)], read(d.field(16), w)
	immediate, negated := d.bit(11), !d.bit(30)
	if immediate {
		b = imm(int64(d.field(16)), w)
		if negated {
			b = constant(-uint64(b.Imm), w)
		}
	}
	if c == Perhaps || negated && (!immediate || b.Imm == 0) {
		d.unknownFlags()
		return
	}
	s := d.step()
	s.Op, s.Cond, s.A, s.B = Compare, c, read(d.field(5), w), b
	s.Dst.Imm = int64(d.bits(0, 4))
}

// multiply lowers madd and msub, and those whose factors are extended.
func (d arm64) multiply(w uint8) {
	a, b := read(d.field(5), w), read(d.field(16), w)
	if d.bits(21, 2) != 0 {
		a.Width, b.Width = 4, 4
		a.Signed, b.Signed = !d.bit(23), !d.bit(23)
	}
	dst, addend := written(d.field(0), w), read(d.field(10), w)
	if addend.Kind == Immediate && !d.bit(15) {
		d.do(Mul, dst, a, b)
		return
	}
	t := reg(temporaryARM, w)
	d.do(Mul, t, a, b)
	if d.bit(15) {
		d.do(Sub, dst, addend, t)
	} else {
		d.do(Add, dst, addend, t)
	}
}

// toGeneral are the instructions on vectors and floating point that write a general register or the flags.
var toGeneral = []struct {
	mask, value uint32
	wide        uint // the bit that says that the register is written in full
	flags       bool
}{
	{0x7F26FC00, 0x1E200000, 31, false}, // fcvtns to fcvtzu, by rounding
	{0x7F26FC00, 0x1E240000, 31, false}, // fcvtas, fcvtau
	{0x7F27FC00, 0x1E260000, 31, false}, // fmov, of lower and upper halves
	{0x7F3E0000, 0x1E180000, 31, false}, // fcvtzs and fcvtzu with a scale
	{0xBFE0FC00, 0x0E003C00, 30, false}, // umov
	{0xBFE0FC00, 0x0E002C00, 30, false}, // smov
	{0xFF20FC00, 0x1E202000, 0, true},   // fcmp, fcmpe
	{0xFF200C00, 0x1E200400, 0, true},   // fccmp, fccmpe
	{0xFFFFFC00, 0x1E7E0000, 31, true},  // fjcvtzs sets the flags, too
}

// vector lowers instructions on vectors and floating point: of those, a vector that is emptied is followed, and one that is copied.
func (d arm64) vector() {
	switch {
	case d.is(0xFFFFFFE0, 0x6F00E400), d.is(0xFFFFFFE0, 0x4F000400): // movi #0
		d.move(vector(d.field(0), vectorBytes), imm(0, 8))
		return
	case d.is(0xFFE0FC00, 0x4EA01C00) && d.field(5) == d.field(16): // mov
		d.move(vector(d.field(0), vectorBytes), vector(d.field(5), vectorBytes))
		return
	}
	into := vector(d.field(0), vectorBytes)
	for i := range toGeneral {
		switch g := &toGeneral[i]; {
		case !d.is(g.mask, g.value):
			continue
		case g.flags:
			d.unknownFlags()
		default:
			d.other(written(d.field(0), 4<<d.bits(g.wide, 1)))
		}
		into = Operand{}
	}
	d.other(into)
}
