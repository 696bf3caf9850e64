package machine

// two lowers the instructions behind 0F.
func (x *x86) two() {
	op, w := x.opcode, x.full()
	switch {
	case op < 0x10:
		x.system()
	case op >= 0x20 && op < 0x22: // mov from a control register
		x.other(false, x.whole(Reg(x.modRM&7|x.rex&1<<3)))
	case op >= 0x30 && op < 0x38:
		if op == 0x31 || op == 0x32 || op == 0x33 {
			x.other(false, x.whole(0), x.whole(2))
		}
	case op >= 0x40 && op < 0x50:
		x.step(Step{Op: Select, Cond: conditions[op&15], Dst: x.g(w), A: x.rm(w), B: x.g(w)})
	case op == 0x78 && !x.narrow && x.rep == 0: // vmread
		x.other(true, x.rm(x.word()))
	case op >= 0x80 && op < 0x90:
		x.relative(Branch)
		x.in.Cond = conditions[op&15]
	case op >= 0x90 && op < 0xa0:
		x.step(Step{Op: Select, Cond: conditions[op&15], Dst: x.rm(1), A: imm(1, 1), B: imm(0, 1)})
	case op >= 0xa0 && op < 0xc0:
		x.bits()
	case op >= 0xc8 && op < 0xd0:
		x.other(false, reg(Reg(op&7|x.rex&1<<3), w))
	case op == 0xc0, op == 0xc1:
		x.other(true, x.rm(x.width()), x.g(x.width()))
	case op == 0xc7:
		x.ninth()
	case op == 0xff, op == 0xb9:
		x.in.Flow = Stop
	default:
		x.media()
	}
}

// system lowers the first row: descriptor tables, and instructions of an operating system.
func (x *x86) system() {
	const ax, cx, dx = 0, 1, 2
	switch m := x.middle(); x.opcode {
	case 0x00:
		if m < 2 {
			x.other(false, x.rm(2))
		} else {
			x.other(true)
		}
	case 0x01:
		switch {
		case x.isRM && m < 2:
			x.other(false, x.rm(10))
		case m == 4:
			x.other(false, x.rm(2))
		case !x.isRM: // vmcall, xgetbv, rdtscp and the like
			x.other(true, x.whole(ax), x.whole(cx), x.whole(dx))
		}
	case 0x02, 0x03:
		x.other(true, x.g(x.full()))
	case 0x05, 0x07:
		x.other(true, x.whole(ax), x.whole(cx), x.whole(11))
	case 0x0b:
		x.in.Flow = Stop
	}
}

// bits lowers A0 to BF: bit tests, double shifts, movzx and movsx, cmpxchg.
func (x *x86) bits() {
	const ax, bx, cx, dx = 0, 3, 1, 2
	w := x.full()
	switch x.opcode {
	case 0xa0, 0xa8:
		x.push(Operand{Width: 2, Reg: NoReg})
	case 0xa1, 0xa9:
		x.pop(Operand{Width: 2, Reg: NoReg})
	case 0xa2:
		x.other(false, x.whole(ax), x.whole(bx), x.whole(cx), x.whole(dx))
	case 0xa3:
		x.other(true)
	case 0xba:
		x.bitTest(w)
	case 0xa4, 0xa5, 0xac, 0xad, 0xab, 0xb3, 0xbb:
		x.other(true, x.rm(w))
	case 0xae:
		x.state()
	case 0xaf:
		x.step(Step{Op: Mul, Dst: x.g(w), A: x.g(w), B: x.rm(w)})
		x.other(true)
	case 0xb0, 0xb1:
		x.other(true, x.rm(x.width()), x.register(ax, x.width()))
	case 0xb2, 0xb4, 0xb5:
		x.other(false, x.g(w))
	case 0xb6, 0xb7, 0xbe, 0xbf:
		a := x.rm(1 + x.opcode&1)
		a.Signed = x.opcode >= 0xbe
		x.step(Step{Op: Move, Dst: x.g(w), A: a})
	case 0xb8, 0xbc, 0xbd:
		x.other(true, x.g(w))
	}
}

// bitTest lowers bt, bts, btr and btc with an immediate.
func (x *x86) bitTest(w uint8) {
	dst, bit := x.rm(w), int64(1)<<(x.imm&(int64(w)*8-1))
	switch x.middle() {
	case 5:
		x.step(Step{Op: Or, Dst: dst, A: dst, B: imm(bit, w)})
	case 6:
		x.step(Step{Op: And, Dst: dst, A: dst, B: imm(^bit, w)})
	case 7:
		x.step(Step{Op: Xor, Dst: dst, A: dst, B: imm(bit, w)})
	}
	x.other(true)
}

// state lowers the fifteenth group: what is saved, fences, the bases of fs and gs.
func (x *x86) state() {
	switch m := x.middle(); {
	case x.isRM && (m == 0 || m == 4 || m == 6):
		x.step(Step{Op: Wipe, Dst: x.rm(1)})
	case x.isRM && (m == 1 || m == 5): // all is restored
		x.other(false, vector(NoReg, vectorBytes))
	case x.isRM && m == 3:
		x.other(false, x.rm(4))
	case !x.isRM && x.rep == 0xf3 && m < 2:
		x.other(false, x.rm(x.full()))
	}
}

// ninth lowers cmpxchg8b and what shares its opcode.
func (x *x86) ninth() {
	const ax, dx = 0, 2
	switch m := x.middle(); {
	case m == 1:
		x.other(true, x.rm(16), x.whole(ax), x.whole(dx))
	case x.isRM: // or all vectors are restored
		x.step(Step{Op: Wipe, Dst: x.rm(1)})
		x.other(false, vector(NoReg, vectorBytes))
	default:
		x.other(true, x.rm(x.full()))
	}
}

// media lowers what works on vectors. Of those, copies are followed, and a vector that is emptied by itself.
func (x *x86) media() {
	g, m := Reg(x.modRM>>3&7|x.rex&4<<1), Reg(x.modRM&7|x.rex&1<<3)
	switch op := x.opcode; {
	case op < 0x10, op >= 0x18 && op < 0x28, op == 0x37, op == 0x77: // prefetch, nop, emms and the like
	case op == 0x11, op == 0x13, op == 0x17, op == 0x29, op == 0x2b, op == 0x7f, op == 0xd6, op == 0xe7:
		w := x.stored()
		switch ok := w >= 8 && op != 0x17 && !x.mmx() && (x.rep == 0 || op == 0x11 || op == 0x7f); {
		case ok && x.isRM:
			x.step(Step{Op: Move, Dst: x.rm(w), A: vector(g, w)})
		case x.isRM:
			x.other(false, x.rm(w))
		case ok && w == vectorBytes:
			x.step(Step{Op: Move, Dst: vector(m, w), A: vector(g, w)})
		default:
			x.other(false, vector(m, vectorBytes), vector(g, vectorBytes))
		}
	case op == 0x10 && x.rep != 0xf3 && (x.isRM || x.rep == 0), op == 0x28, op == 0x6f && (x.narrow || x.rep == 0xf3), op == 0x7e && x.rep == 0xf3:
		w, a := uint8(vectorBytes), vector(m, vectorBytes)
		if op == 0x7e || op == 0x10 && x.rep == 0xf2 {
			w, a.Width = 8, 8
		}
		if x.isRM {
			a = x.rm(w)
		}
		x.step(Step{Op: Move, Dst: vector(g, w), A: a})
	case (op == 0x57 && x.rep == 0 || op == 0xef && x.narrow) && !x.isRM && g == m:
		x.step(Step{Op: Move, Dst: vector(g, vectorBytes), A: imm(0, 8)})
	case op == 0x6e && x.narrow:
		x.step(Step{Op: Move, Dst: vector(g, x.moved()), A: x.rm(x.moved())})
	case op == 0x7e && x.narrow:
		x.step(Step{Op: Move, Dst: x.rm(x.moved()), A: vector(g, x.moved())})
	case op == 0x7e: // out of a register that floating point has, too
		x.other(false, x.rm(x.moved()))
	case op == 0xc3: // movnti
		x.step(Step{Op: Move, Dst: x.rm(x.full()), A: x.g(x.full())})
	case op == 0x2c, op == 0x2d:
		if x.rep != 0 {
			x.other(false, x.g(x.full()))
		}
	case op == 0x2e, op == 0x2f:
		x.other(true)
	case op == 0xf7: // maskmovdqu
		const di = 7
		x.step(Step{Op: Wipe, Dst: at(di, 0, vectorBytes)})
	case op == 0x50, op == 0xc5, op == 0xd7: // 66 is a part of these opcodes
		x.other(false, x.g(x.word()))
	default:
		x.other(false, vector(g, vectorBytes))
		if !x.isRM {
			x.other(false, vector(m, vectorBytes))
		}
	}
}

// moved is how much is moved between a vector and a general register.
func (x *x86) moved() uint8 {
	if x.wide {
		return 8
	}
	return 4
}

// mmx says whether a store is of a register that floating point has, too.
func (x *x86) mmx() bool {
	return (x.opcode == 0x7f || x.opcode == 0xe7) && !x.narrow && x.rep == 0 && !x.vex
}

// stored is how much of a vector goes to memory.
func (x *x86) stored() uint8 {
	switch op := x.opcode; {
	case op == 0x11 && x.rep == 0xf3:
		return 4
	case op == 0x11 && x.rep == 0xf2, op == 0x13, op == 0x17, op == 0xd6, x.mmx():
		return 8
	}
	return vectorBytes
}

// three lowers the instructions behind 0F 38 and 0F 3A.
func (x *x86) three() {
	w := x.full()
	x.other(false, vector(Reg(x.modRM>>3&7|x.rex&4<<1), vectorBytes))
	if !x.isRM {
		x.other(false, vector(Reg(x.modRM&7|x.rex&1<<3), vectorBytes))
	}
	switch op := x.opcode; {
	case x.table == map38 && (op == 0xf0 || op == 0xf1) && x.rep != 0xf2: // movbe
		if op == 0xf0 {
			x.other(false, x.g(w))
		} else {
			x.other(false, x.rm(w))
		}
	case x.table == map38 && op == 0xf1 || x.table == map38 && op == 0xf0, x.table == map38 && op == 0xf6:
		x.other(true, x.g(w))
	case x.table == map38 && op == 0x17:
		x.other(true)
	case x.table == map3A && op >= 0x14 && op <= 0x17:
		x.other(false, x.rm(8))
	case x.table == map3A && op >= 0x60 && op <= 0x63: // string comparisons
		x.other(true, x.whole(1))
	}
}

// vector lowers what has a VEX or EVEX prefix: the bit manipulation of general registers, and stores. What else it does
// to vectors is not followed.
func (x *x86) vector() {
	const most = 64
	w := x.full()
	switch op := x.opcode; {
	case x.table == map38 && op >= 0xf2 && op <= 0xf7:
		x.other(true, x.g(w), reg(x.vexReg, w))
	case x.table == map3A && op == 0xf0:
		x.other(false, x.g(w))
	case x.table == map3A && (op >= 0x14 && op <= 0x17 || op == 0x19 || op == 0x1b || op == 0x39 || op == 0x3b || op == 0x1d):
		x.other(false, x.rm(most))
	case x.table == map38 && (op == 0x2e || op == 0x2f || op == 0x8e || op >= 0x10 && op <= 0x35), x.table == mapTwo && op == 0x91:
		if x.isRM {
			x.other(false, x.rm(most))
		}
	case x.table == mapTwo && op == 0x93:
		x.other(false, x.g(8))
	case x.table == mapTwo && (op == 0x2c || op == 0x2d || op == 0x2e || op == 0x2f || op == 0x50 || op == 0xc5 || op == 0xd7 || op == 0x7e):
		x.media()
	case x.table == mapTwo:
		if x.isRM && x.stored() <= 8 || x.isRM && (op == 0x11 || op == 0x29 || op == 0x2b || op == 0x7f || op == 0xe7) {
			x.other(false, x.rm(most))
		}
	}
	x.other(false, vector(NoReg, vectorBytes))
}
