package machine

// one lowers the instructions of one byte.
func (x *x86) one() {
	op := x.opcode
	switch {
	case op < 0x40 && op&7 < 6:
		x.arithmetic(op>>3, op&7)
	case op < 0x40:
		x.segments()
	case op < 0x50: // inc, dec: x64 has prefixes here
		r := reg(Reg(op&7), x.full())
		x.step(Step{Op: [2]Op{Add, Sub}[op>>3&1], Flags: true, Dst: r, A: r, B: imm(1, 4)})
	case op < 0x58:
		x.push(reg(Reg(op&7|x.rex&1<<3), x.word()))
	case op < 0x60:
		x.pop(reg(Reg(op&7|x.rex&1<<3), x.word()))
	case op < 0x70:
		x.sixties()
	case op < 0x80:
		x.relative(Branch)
		x.in.Cond = conditions[op&15]
	case op < 0x84:
		x.arithmetic(x.middle(), 6+op&1)
	case op < 0x90:
		x.moves()
	case op < 0xa0:
		x.nineties()
	case op < 0xb0:
		x.strings()
	case op < 0xb8:
		x.step(Step{Op: Move, Dst: x.register(Reg(op&7|x.rex&1<<3), 1), A: imm(x.imm, 1)})
	case op < 0xc0:
		x.step(Step{Op: Move, Dst: x.register(Reg(op&7|x.rex&1<<3), x.full()), A: imm(x.imm, x.full())})
	case op < 0xd0:
		x.returns()
	case op < 0xe0:
		x.shiftsAndFloats()
	case op < 0xf0:
		x.jumps()
	default:
		x.last()
	}
}

// arithmetic lowers the eight operations add, or, adc, sbb, and, sub, xor, cmp in their forms: 0 to 3 with ModRM, 4 and 5 with ax and
// an immediate, 6 and 7 with ModRM and one.
func (x *x86) arithmetic(op, form byte) {
	w := x.width()
	var dst, src Operand
	switch form {
	case 0, 1:
		dst, src = x.rm(w), x.g(w)
	case 2, 3:
		dst, src = x.g(w), x.rm(w)
	case 4, 5:
		dst, src = x.register(0, w), imm(x.imm, w)
	default:
		dst, src = x.rm(w), imm(x.imm, w)
	}
	if x.second(dst) && form >= 6 && (op == 1 || op == 4 || op == 6) {
		x.inSecond(op, dst.Reg)
		return
	}
	same := dst == src && dst.Kind == Register
	switch op {
	case 2, 3:
		x.carry(op == 3, same, dst, src)
	case 4:
		x.step(Step{Op: And, Flags: true, Dst: dst, A: dst, B: src})
	case 5, 7:
		x.step(Step{Op: Compare, A: dst, B: src})
		switch {
		case op == 7:
		case same:
			x.step(Step{Op: Move, Dst: dst, A: imm(0, w)})
		default:
			x.step(Step{Op: Sub, Dst: dst, A: dst, B: src})
		}
	case 6:
		if same {
			x.step(Step{Op: Move, Dst: dst, A: imm(0, w)})
			x.step(Step{Op: Test, A: dst, B: dst})
			return
		}
		x.step(Step{Op: Xor, Flags: true, Dst: dst, A: dst, B: src})
	default:
		x.step(Step{Op: [2]Op{Add, Or}[op], Flags: true, Dst: dst, A: dst, B: src})
	}
}

// second says whether an operand is the second byte of a register.
func (x *x86) second(o Operand) bool {
	return o.Kind == NoOperand && !x.isRM && o.Width == 2 && o.Reg < 4
}

// inSecond lowers or, and, xor of the second byte of a register with an immediate: the same of the whole register, with what leaves the
// other bytes as they are. That is how a flag is OR-ed into a pool type by compilers that count bytes.
func (x *x86) inSecond(op byte, r Reg) {
	n := x.imm & 0xff << 8
	if op == 4 {
		n |= ^0xff00
	}
	x.step(Step{Op: map[byte]Op{1: Or, 4: And, 6: Xor}[op], Dst: x.whole(r), A: x.whole(r), B: imm(n, x.word())})
	x.other(true)
}

// carry lowers adc and sbb. Subtracted from itself, a register becomes all ones or nothing, as the comparison before says.
func (x *x86) carry(subtract, same bool, dst, src Operand) {
	switch {
	case subtract && same:
		x.step(Step{Op: Select, Cond: Below, Dst: dst, A: imm(-1, dst.Width), B: imm(0, dst.Width)})
		x.step(Step{Op: Other, Flags: true})
	case src.Kind == Immediate:
		t := reg(temporaryX86, dst.Width)
		x.step(Step{Op: Select, Cond: Below, Dst: t, A: imm(src.Imm+1, dst.Width), B: src})
		op := Add
		if subtract {
			op = Sub
		}
		x.step(Step{Op: op, Dst: dst, A: dst, B: t})
		x.step(Step{Op: Other, Flags: true})
	default:
		x.step(Step{Op: Other, Flags: true, Dst: dst})
	}
}

// segments lowers the push and pop of segment registers, and the decimal arithmetic of x86.
func (x *x86) segments() {
	switch {
	case x.opcode >= 0x20:
		x.other(true, x.whole(0))
	case x.opcode&1 == 0:
		x.push(Operand{Width: 2, Reg: NoReg})
	default:
		x.pop(Operand{Width: 2, Reg: NoReg})
	}
}

func (x *x86) sixties() {
	const ax, sp, si, di = 0, stackX86, 6, 7
	switch w := x.full(); x.opcode {
	case 0x60: // pusha
		x.step(Step{Op: Sub, Dst: x.whole(sp), A: x.whole(sp), B: imm(32, 4)})
		x.other(false, at(sp, 0, 32))
	case 0x61: // popa
		for r := range Reg(8) {
			if r != sp {
				x.other(false, x.whole(r))
			}
		}
		x.step(Step{Op: Add, Dst: x.whole(sp), A: x.whole(sp), B: imm(32, 4)})
	case 0x63:
		if !x.long {
			x.other(true, x.rm(2))
			return
		}
		a := x.rm(4)
		a.Signed = true
		x.step(Step{Op: Move, Dst: x.g(w), A: a})
	case 0x68, 0x6a:
		x.push(imm(x.imm, x.word()))
	case 0x69, 0x6b:
		x.step(Step{Op: Mul, Dst: x.g(w), A: x.rm(w), B: imm(x.imm, w)})
		x.other(true)
	case 0x6c, 0x6d:
		x.step(Step{Op: Wipe, Dst: at(di, 0, 1)})
		x.other(false, x.whole(di), x.repeated())
	case 0x6e, 0x6f:
		x.other(false, x.whole(si), x.repeated())
	}
}

// repeated is the counter that a repeated instruction changes.
func (x *x86) repeated() Operand {
	if x.rep == 0 {
		return Operand{}
	}
	return x.whole(1)
}

func (x *x86) moves() {
	w := x.width()
	switch x.opcode {
	case 0x84, 0x85:
		x.step(Step{Op: Test, A: x.rm(w), B: x.g(w)})
	case 0x86, 0x87:
		x.exchange(x.rm(w), x.g(w))
	case 0x88, 0x89:
		x.step(Step{Op: Move, Dst: x.rm(w), A: x.g(w)})
	case 0x8a, 0x8b:
		x.step(Step{Op: Move, Dst: x.g(w), A: x.rm(w)})
	case 0x8c:
		x.other(false, x.rm(2))
	case 0x8d:
		a := x.memory
		a.Width = x.full()
		if x.isRM && a.Kind == Memory {
			x.step(Step{Op: Address, Dst: x.g(x.full()), A: a})
		} else {
			x.other(false, x.g(x.full()))
		}
	case 0x8f:
		x.pop(x.rm(x.word()))
	}
}

func (x *x86) exchange(a, b Operand) {
	t := reg(temporaryX86, a.Width)
	x.step(Step{Op: Move, Dst: t, A: a})
	x.step(Step{Op: Move, Dst: a, A: b})
	x.step(Step{Op: Move, Dst: b, A: t})
}

func (x *x86) nineties() {
	const ax, dx = 0, 2
	w := x.full()
	switch op := x.opcode; {
	case op < 0x98:
		if r := Reg(op&7 | x.rex&1<<3); r != ax {
			x.exchange(reg(ax, w), reg(r, w))
		}
	case op == 0x98: // cbw, cwde, cdqe
		a := reg(ax, w/2)
		a.Signed = true
		x.step(Step{Op: Move, Dst: reg(ax, w), A: a})
	case op == 0x99: // cwd, cdq, cqo
		x.step(Step{Op: Sar, Dst: reg(dx, w), A: reg(ax, w), B: imm(int64(w)*8-1, 1)})
	case op == 0x9a:
		x.in.Flow = Call
	case op == 0x9c:
		x.push(Operand{Width: 8, Reg: NoReg})
	case op == 0x9d:
		x.pop(Operand{})
		x.other(true)
	case op == 0x9e:
		x.other(true)
	case op == 0x9f:
		x.other(false, x.whole(ax))
	}
}

// strings lowers the moves from and to a fixed address, test with ax, and the string instructions.
func (x *x86) strings() {
	const ax, si, di = 0, 6, 7
	w := x.width()
	fixed := Operand{Kind: Memory, Reg: NoReg, Index: NoReg, Imm: x.imm, Width: w}
	if !x.long {
		fixed.Imm = int64(uint32(x.imm))
	}
	if x.segment {
		fixed = Operand{Reg: NoReg, Width: w}
	}
	switch x.opcode {
	case 0xa0, 0xa1:
		x.step(Step{Op: Move, Dst: reg(ax, w), A: fixed})
	case 0xa2, 0xa3:
		x.step(Step{Op: Move, Dst: fixed, A: reg(ax, w)})
	case 0xa4, 0xa5:
		x.step(Step{Op: Wipe, Dst: at(di, 0, w)})
		x.other(false, x.whole(di), x.whole(si), x.repeated())
	case 0xa6, 0xa7:
		x.other(true, x.whole(di), x.whole(si), x.repeated())
	case 0xa8, 0xa9:
		x.step(Step{Op: Test, A: reg(ax, w), B: imm(x.imm, w)})
	case 0xaa, 0xab:
		x.step(Step{Op: Wipe, Dst: at(di, 0, w)})
		x.other(false, x.whole(di), x.repeated())
	case 0xac, 0xad:
		x.other(false, x.whole(ax), x.whole(si), x.repeated())
	case 0xae, 0xaf:
		x.other(true, x.whole(di), x.repeated())
	}
}

func (x *x86) returns() {
	const bp = 5
	w := x.width()
	switch x.opcode {
	case 0xc0, 0xc1:
		x.shift(imm(x.imm&63, 1))
	case 0xc2, 0xca:
		x.in.Flow, x.in.Pops = Return, uint16(x.imm)
	case 0xc3, 0xcb, 0xcf:
		x.in.Flow = Return
	case 0xc4, 0xc5: // les, lds
		x.other(false, x.g(x.full()))
	case 0xc6, 0xc7:
		x.step(Step{Op: Move, Dst: x.rm(w), A: imm(x.imm, w)})
	case 0xc8: // enter
		x.other(false, x.whole(bp), x.whole(stackX86))
	case 0xc9: // leave
		x.step(Step{Op: Move, Dst: x.whole(stackX86), A: x.whole(bp)})
		x.pop(x.whole(bp))
	case 0xcc:
		x.in.Flow = Stop
	case 0xcd:
		const fastFail = 0x29
		if x.imm == fastFail {
			x.in.Flow = Stop
		} else {
			x.other(true, x.whole(0), x.whole(1), x.whole(2))
		}
	}
}

// shift lowers the second group: rol, ror, rcl, rcr, shl, shr, shl, sar.
func (x *x86) shift(by Operand) {
	dst := x.rm(x.width())
	op := [8]Op{4: Shl, 5: Shr, 6: Shl, 7: Sar}[x.middle()]
	if op == Other || by.Kind != Immediate {
		x.step(Step{Op: Other, Flags: true, Dst: dst})
		return
	}
	x.step(Step{Op: op, Flags: true, Dst: dst, A: dst, B: by})
}

func (x *x86) shiftsAndFloats() {
	switch op := x.opcode; {
	case op < 0xd2:
		x.shift(imm(1, 1))
	case op < 0xd4:
		x.shift(reg(1, 1))
	case op < 0xd8: // aam, aad, salc, xlat
		x.other(true, x.whole(0))
	case x.isRM: // a number of the coprocessor, or all that it holds
		if m := x.middle(); op == 0xd9 && m == 6 || op == 0xdd && m == 6 {
			x.step(Step{Op: Wipe, Dst: x.rm(1)})
		} else {
			x.other(false, x.rm(10))
		}
	case op == 0xdf && x.modRM == 0xe0: // fnstsw ax
		x.other(false, x.whole(0))
	case op == 0xdb || op == 0xdf: // fcomi and the like
		x.other(true)
	}
}

func (x *x86) jumps() {
	const ax, cx = 0, 1
	switch op := x.opcode; {
	case op == 0xe3:
		x.relative(Branch)
		x.in.Cond, x.in.Own = Equal, true
		x.step(Step{Op: Compare, A: x.whole(cx), B: imm(0, x.word())})
	case op < 0xe3:
		x.other(false, x.whole(cx))
		x.relative(Branch)
	case op < 0xe6 && op > 0xe3, op == 0xec, op == 0xed:
		x.other(false, x.whole(ax))
	case op == 0xe8:
		x.relative(Call)
	case op == 0xe9, op == 0xeb:
		x.relative(Jump)
	case op == 0xea:
		x.in.Flow = Jump
	}
}

// last lowers the third, fourth and fifth group, and the flags.
func (x *x86) last() {
	w := x.width()
	switch x.opcode {
	case 0xf1:
		x.in.Flow = Stop
	case 0xf5, 0xf8, 0xf9:
		x.other(true)
	case 0xf6, 0xf7:
		x.multiply(w)
	case 0xfe, 0xff:
		x.fifth(w)
	}
}

func (x *x86) multiply(w uint8) {
	dst := x.rm(w)
	switch x.middle() {
	case 0, 1:
		x.step(Step{Op: Test, A: dst, B: imm(x.imm, w)})
	case 2:
		x.step(Step{Op: Not, Dst: dst, A: dst})
	case 3: // the flags are those of 0 - dst
		x.step(Step{Op: Compare, A: imm(0, w), B: dst})
		x.step(Step{Op: Neg, Dst: dst, A: dst})
	default:
		x.other(true, x.whole(0))
		if w > 1 {
			x.other(false, x.whole(2))
		}
	}
}

func (x *x86) fifth(w uint8) {
	switch m := x.middle(); {
	case m < 2:
		dst := x.rm(w)
		x.step(Step{Op: [2]Op{Add, Sub}[m], Flags: true, Dst: dst, A: dst, B: imm(1, w)})
	case x.opcode == 0xfe:
	case m == 2, m == 3:
		x.in.Flow, x.in.Via = Call, x.rm(x.word())
	case m == 4, m == 5:
		x.in.Flow, x.in.Via = Jump, x.rm(x.word())
	case m == 6:
		x.push(x.rm(x.word()))
	}
}
