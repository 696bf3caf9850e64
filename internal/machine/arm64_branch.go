package machine

import "math"

// branch lowers branches, traps, and instructions on the system.
func (d arm64) branch() {
	switch {
	case d.is(0xFC000000, 0x94000000):
		d.call()
		d.goTo(Call, d.signed(0, 26))
	case d.is(0xFC000000, 0x14000000):
		d.goTo(Jump, d.signed(0, 26))
	case d.is(0xFF000000, 0x54000000):
		d.in.Cond = conditionsARM64[d.bits(0, 4)]
		d.goTo(Branch, d.signed(5, 19))
	case d.is(0x7E000000, 0x34000000): // cbz, cbnz
		w := d.width()
		d.in.Own, d.in.Steps = true, append(d.in.Steps, Step{Op: Compare, A: read(d.field(0), w), B: imm(0, w)})
		d.zeroOrNot()
		d.goTo(Branch, d.signed(5, 19))
	case d.is(0x7E000000, 0x36000000): // tbz, tbnz
		w := d.width()
		d.in.Own, d.in.Steps = true, append(d.in.Steps, Step{Op: Test, A: read(d.field(0), w), B: imm(1<<(d.bits(31, 1)<<5|d.bits(19, 5)), w)})
		d.zeroOrNot()
		d.goTo(Branch, d.signed(5, 14))
	case d.is(0xFE000000, 0xD6000000):
		d.branchRegister()
	case d.is(0x7E000000, 0x74000000): // compare and branch
		d.goTo(Branch, d.signed(5, 9))
	case d.is(0xFF000000, 0x55000000): // retaasppc, retabsppc
		d.in.Flow = Return
	case d.is(0xFF000000, 0xD4000000):
		d.exception()
	case d.is(0xFF000000, 0xD5000000):
		d.system()
	}
}

// call says what a call writes besides what it runs.
func (d arm64) call() { d.other(reg(linkARM, 8)) }

// goTo sets where a branch goes, in words from here. Outside of what an image can span, that is not known.
func (d arm64) goTo(flow Flow, words int64) {
	target := int64(d.in.At) + words*4
	d.in.Flow = flow
	if target >= 0 && target <= math.MaxUint32 {
		d.in.Known, d.in.Target = true, uint32(target)
	}
}

// zeroOrNot sets the condition of a branch that compares for itself.
func (d arm64) zeroOrNot() {
	d.in.Cond = Equal
	if d.bit(24) {
		d.in.Cond = NotEqual
	}
}

// branchRegister lowers branches, calls and returns to an address in a register, with authentication or without.
func (d arm64) branchRegister() {
	switch via := read(d.field(5), 8); d.bits(21, 3) {
	case 0b000:
		d.in.Flow, d.in.Via = Jump, via
	case 0b001:
		d.in.Flow, d.in.Via = Call, via
		d.call()
	default: // ret, eret, drps
		d.in.Flow = Return
	}
}

// Numbers of brk that what is behind it runs after.
const (
	assertion    = 0xF001
	debugService = 0xF002
)

// exception lowers traps, and calls of the system and of what runs below it, which keep only what a function keeps.
func (d arm64) exception() {
	switch n := d.bits(5, 16); {
	case d.bits(21, 3) == 0 && d.bits(0, 2) != 0:
		for r := range Reg(18) {
			d.other(reg(r, 8))
		}
	case d.bits(21, 3) == 1 && n == assertion:
	case d.bits(21, 3) == 1 && n == debugService:
		d.other(reg(0, 8))
	default:
		d.in.Flow = Stop
	}
}

// system lowers hints, barriers, and moves from and to system registers.
func (d arm64) system() {
	switch t := d.field(0); {
	case d.is(0xFFFFF01F, 0xD503201F):
		d.hint()
	case d.bit(22) && d.bit(21): // mrrs
		d.other(written(t, 8))
		d.other(written(t|1, 8))
	case d.bit(21): // mrs, sysl
		d.other(written(t, 8))
		if d.is(0xFFFFFFC0, 0xD53B2400) { // random numbers
			d.unknownFlags()
		}
	case d.is(0xFFFFF01F, 0xD500401F), d.is(0xFFFFFFE0, 0xD51B4200): // cfinv, axflag, xaflag; msr nzcv
		d.unknownFlags()
	case d.is(0xFFFFFF00, 0xD50B7400): // dc zva and its kin, which write zeros
		d.do(Wipe, at(t, 0, 0), Operand{}, Operand{})
	}
}

// hint lowers those hints that sign or authenticate the address in a register of their own.
func (d arm64) hint() {
	switch d.bits(5, 7) {
	case 7, 24, 25, 26, 27, 28, 29, 30, 31: // paciasp, autibsp, ...
		d.other(reg(linkARM, 8))
	case 8, 10, 12, 14: // pacia1716, ...
		d.other(reg(17, 8))
	}
}
