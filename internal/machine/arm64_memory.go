package machine

// memory lowers loads and stores.
func (d arm64) memory() {
	switch d.bits(28, 2) {
	case 0b11:
		d.single()
	case 0b10:
		d.pair()
	case 0b01:
		switch {
		case !d.bit(24):
			d.literal()
		case d.is(0x00200C00, 0), d.is(0x04200C00, 0x04000800): // ldapur, stlur
			d.transfer(at(d.field(5), d.signed(12, 9), d.singleWidth()))
		default:
			d.tags()
		}
	case 0b00:
		if d.bit(26) {
			d.structure()
		} else {
			d.exclusive()
		}
	}
}

// singleWidth gives the width of what a load or store of one register moves.
func (d arm64) singleWidth() uint8 {
	if d.bit(26) && d.bit(23) {
		return 16
	}
	return 1 << d.bits(30, 2)
}

// single lowers loads and stores of one register.
func (d arm64) single() {
	rn, w := d.field(5), d.singleWidth()
	if d.bit(24) {
		d.transfer(at(rn, int64(d.bits(10, 12))*int64(w), w))
		return
	}
	n := d.signed(12, 9)
	switch d.bits(21, 1)<<2 | d.bits(10, 2) {
	case 0b000, 0b010:
		d.transfer(at(rn, n, w))
	case 0b001:
		d.transfer(at(rn, 0, w))
		d.writeBack(n)
	case 0b011:
		d.transfer(at(rn, n, w))
		d.writeBack(n)
	case 0b110:
		if d.is(1<<26|1<<22, 1<<26|1<<22) {
			d.other(vector(d.field(0), vectorBytes))
		} else {
			d.transfer(d.indexed(w))
		}
	case 0b100:
		d.atomic(at(rn, 0, w))
	default: // ldraa, ldrab
		d.other(written(d.field(0), 8))
		if d.bit(11) {
			d.other(reg(rn, 8))
		}
	}
}

// transfer lowers the move between the register and the memory of a load or store.
func (d arm64) transfer(m Operand) {
	rt, opc := d.field(0), d.bits(22, 2)
	switch {
	case d.bit(26):
		d.transferVector(rt, m, opc&1 != 0)
	case opc == 0b00:
		d.move(m, read(rt, m.Width))
	case opc == 0b01:
		d.move(written(rt, max(4, m.Width)), m)
	case m.Width == 8: // prefetch
	case opc == 0b10:
		m.Signed = true
		d.move(written(rt, 8), m)
	case opc == 0b11:
		m.Signed = true
		d.move(written(rt, 4), m)
	}
}

// transferVector lowers the move between a vector, or the lowest bytes of it, and memory.
func (d arm64) transferVector(r Reg, m Operand, load bool) {
	switch followed := m.Width >= 8; {
	case followed && load:
		d.move(vector(r, m.Width), m)
	case followed:
		d.move(m, vector(r, m.Width))
	case load:
		d.other(vector(r, vectorBytes))
	default:
		d.other(m)
	}
}

// writeBack moves the register that the address is in, as indexing before or after the access does.
func (d arm64) writeBack(n int64) {
	rn := reg(d.field(5), 8)
	if n < 0 {
		d.do(Sub, rn, rn, imm(-n, 8))
	} else {
		d.do(Add, rn, rn, imm(n, 8))
	}
}

// indexed gives the memory at a register and another one, extended and scaled.
func (d arm64) indexed(w uint8) Operand {
	m, rm, scale := at(d.field(5), 0, w), d.field(16), uint8(1)
	if rm == stackARM {
		return m
	}
	if d.bit(12) {
		scale = w
	}
	t := reg(temporaryARM, 8)
	if option := d.bits(13, 3); option&1 == 0 { // half of the register
		index := reg(rm, 4)
		index.Signed = option&0b100 != 0
		d.move(t, index)
		rm = temporaryARM
	}
	if scale == 16 {
		d.do(Shl, t, reg(rm, 8), imm(4, 1))
		rm, scale = temporaryARM, 1
	}
	m.Index, m.Scale = rm, scale
	return m
}

// pair lowers loads and stores of two registers.
func (d arm64) pair() {
	w := uint8(4) << (d.bits(30, 2) >> 1)
	n := d.signed(15, 7)
	switch {
	case d.bit(26):
		w = 4 << d.bits(30, 2)
		n *= int64(w)
	case d.is(0xC0400000, 0x40000000): // stgp
		w = 8
		n *= 16
	default:
		n *= int64(w)
	}
	mode := d.bits(23, 2)
	m := at(d.field(5), n, w)
	if mode == 0b01 {
		m.Imm = 0
	}
	d.transferPair(m)
	if mode&1 != 0 {
		d.writeBack(n)
	}
}

func (d arm64) transferPair(m Operand) {
	first, second, upper := d.field(0), d.field(10), m
	upper.Imm += int64(m.Width)
	switch {
	case d.bit(26):
		d.transferVector(first, m, d.bit(22))
		d.transferVector(second, upper, d.bit(22))
	case d.bit(22):
		w := m.Width
		if d.bits(30, 2) == 0b01 { // ldpsw
			m.Signed, upper.Signed, w = true, true, 8
		}
		if first == m.Reg { // else the address of the second would be lost
			first, second, m, upper = second, first, upper, m
		}
		d.move(written(first, w), m)
		d.move(written(second, w), upper)
	default:
		d.move(m, read(first, m.Width))
		d.move(upper, read(second, m.Width))
	}
}

// literal lowers loads from an address relative to the instruction.
func (d arm64) literal() {
	rt, m := d.field(0), at(NoReg, int64(d.va)+d.signed(5, 19)*4, 4)
	if d.bit(26) {
		m.Width <<= d.bits(30, 2) & 3
		d.transferVector(rt, m, true)
		return
	}
	switch d.bits(30, 2) {
	case 0b00:
		d.move(written(rt, 4), m)
	case 0b01:
		m.Width = 8
		d.move(written(rt, 8), m)
	case 0b10:
		m.Signed = true
		d.move(written(rt, 8), m)
	}
}

// exclusive lowers loads and stores that are exclusive or ordered, and compare and swap.
func (d arm64) exclusive() {
	rt, rt2, rs := d.field(0), d.field(10), d.field(16)
	w := uint8(1) << d.bits(30, 2)
	m := at(d.field(5), 0, w)
	switch pair, load := d.bit(21), d.bit(22); {
	case d.bit(23) && pair: // cas
		d.other(m)
		d.other(written(rs, max(4, w)))
	case pair && !d.bit(31): // casp
		w = 4 << d.bits(30, 1)
		m.Width = 2 * w
		d.other(m)
		d.other(written(rs, w))
		d.other(written(rs|1, w))
	case pair && load: // ldxp
		d.other(written(rt, w))
		d.other(written(rt2, w))
	case load:
		d.move(written(rt, max(4, w)), m)
	case d.bit(23): // stlr
		d.move(m, read(rt, w))
	default: // stxr, stxp
		if pair {
			m.Width *= 2
		}
		d.other(m)
		d.other(written(rs, 4))
	}
}

// atomic lowers operations on memory that give what was there before.
func (d arm64) atomic(m Operand) {
	rt := d.field(0)
	switch {
	case d.bit(26):
		d.other(m)
		d.other(vector(rt, vectorBytes))
	case d.is(0x00E0FC00, 0x00A0C000): // ldapr
		d.move(written(rt, max(4, m.Width)), m)
	case d.is(0x0000FC00, 0x0000D000): // ld64b
		for r := range Reg(8) {
			d.other(written(min(rt+r, stackARM), 8))
		}
	case d.bit(15) && d.bits(12, 3) != 0: // st64b and its kin, and those that check what they write
		m.Width = 64
		d.other(m)
		d.other(written(rt, 8))
		d.other(written(d.field(16), 8))
		d.unknownFlags()
	default:
		d.other(m)
		d.other(written(rt, max(4, m.Width)))
	}
}

// tags lowers what writes tags of memory or copies memory; of what it can write, all is unknown.
func (d arm64) tags() {
	d.do(Wipe, at(d.field(5), 0, 0), Operand{}, Operand{})
	d.do(Wipe, at(d.field(0), 0, 0), Operand{}, Operand{})
	d.other(written(d.field(0), 8))
	d.other(reg(d.field(5), 8))
	d.other(written(d.field(16), 8))
	d.unknownFlags()
}

// structure lowers loads and stores of several vectors, or of an element of each.
func (d arm64) structure() {
	n := d.structureWidth()
	if !d.bit(22) {
		d.other(at(d.field(5), 0, n))
	} else {
		d.other(vector(NoReg, vectorBytes))
	}
	if !d.bit(23) {
		return
	}
	rn := reg(d.field(5), 8)
	if rm := d.field(16); rm != stackARM {
		d.do(Add, rn, rn, reg(rm, 8))
	} else {
		d.do(Add, rn, rn, imm(int64(n), 8))
	}
}

// structureWidth gives how much memory is accessed.
func (d arm64) structureWidth() uint8 {
	if !d.bit(24) {
		vectors := [16]uint8{0b0000: 4, 0b0010: 4, 0b0100: 3, 0b0110: 3, 0b0111: 1, 0b1000: 2, 0b1010: 2}[d.bits(12, 4)]
		return vectors * 8 << d.bits(30, 1)
	}
	elements := uint8(d.bits(13, 1)<<1|d.bits(21, 1)) + 1
	switch scale := d.bits(14, 2); {
	case scale == 0b11:
		return elements << d.bits(10, 2)
	case scale == 0b10 && d.bit(10):
		return elements * 8
	default:
		return elements << scale
	}
}
