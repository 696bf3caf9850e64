// Package machine follows values through machine code of x64, x86 and ARM64.
//
// A decoder for each processor lowers an instruction to a few steps in one small form; what it has no step for is a write of
// something unknown, never nothing. A [Routine] is the code that is reached from an address; its [State] before any of its
// instructions holds what registers and stack slots can be there. All numbers are addresses as the linker laid them out, so
// that a constant and an address look alike.
package machine

import "slices"

// Reg is a register: on x86 and x64 by its number in instructions (ax, cx, dx, bx, sp, bp, si, di, r8 to r15), on ARM64 0 to
// 30 and sp as 31. The zero register of ARM64 is the immediate 0.
type Reg uint8

// Registers with a meaning here.
const (
	temporaryX86 Reg = 16 // holds a value between the steps of one instruction
	temporaryARM Reg = 32
	registers        = 33
	NoReg        Reg = 255
	stackX86     Reg = 4
	stackARM     Reg = 31
)

// OperandKind says what an operand is.
type OperandKind uint8

// The kinds of operands.
const (
	NoOperand OperandKind = iota
	Register
	Immediate
	Memory
	Vector // a register of 16 bytes, or the lowest of it; with NoReg all of them
)

// Operand is what a step reads or writes. Of memory the address is Reg + Index*Scale + Imm; without registers, Imm is the
// address, also of what an instruction addresses relative to itself.
type Operand struct {
	Kind       OperandKind
	Reg, Index Reg   // NoReg where there is none
	Scale      uint8 // 1, 2, 4, 8
	Width      uint8 // bytes
	// Signed says that what is read is extended with its sign to the width of the destination; else it is extended with zeros.
	Signed bool
	Imm    int64
}

// Op is what a step does.
type Op uint8

// The operations. Dst is written; a destination of 4 bytes in a 64-bit register clears its upper half, a smaller one keeps the
// rest of the register.
const (
	Other   Op = iota // Dst = something unknown
	Move              // Dst = A
	Address           // Dst = the address of A, which is memory
	Add               // Dst = A + B
	Sub
	And
	Or
	Xor
	Shl
	Shr
	Sar
	Mul
	Not     // Dst = ^A
	Neg     // Dst = -A
	Select  // Dst = A if Cond holds, else B
	Compare // sets the flags by A - B
	Test    // sets the flags by A & B
	Wipe    // writes something unknown to the memory at Dst and above, of unknown length
)

// Cond is a condition on the flags.
type Cond uint8

// The conditions. Perhaps is any other: both can be.
const (
	Perhaps Cond = iota
	Equal
	NotEqual
	Less // signed
	GreaterEqual
	LessEqual
	Greater
	Below // unsigned
	AboveEqual
	BelowEqual
	Above
	Negative
	NotNegative
)

// Step is one thing an instruction does.
type Step struct {
	Op   Op
	Cond Cond // of Select; of a Compare that is made only where it holds: else the flags are the number in Dst, as ARM64 writes them
	// Flags says that the step sets the flags: by its result as if that were compared with 0; Other sets them to something unknown.
	Flags     bool
	Dst, A, B Operand
}

// Flow says what runs behind an instruction.
type Flow uint8

// The kinds of flow. Of a Call what comes back runs behind it; Stop is a trap, behind which nothing runs.
const (
	Next Flow = iota
	Call
	Jump
	Branch
	Return
	Stop
)

// Outline is where an instruction is, and what runs behind it.
type Outline struct {
	At     uint32 // its address relative to the image's base
	Target uint32
	Len    uint8 // bytes
	Flow   Flow
	Known  bool // of a Call, Jump or Branch: Target is where it goes, relative to the image's base
	// Stays says of a Branch or Jump whose Target is known that it leads to the same routine.
	Stays bool
}

// Inst is one instruction.
type Inst struct {
	Outline
	Cond Cond    // of a Branch
	Pops uint16  // of a Return, bytes that it takes off the stack besides the return address
	Via  Operand // of a Call or Jump that goes to an address out of a register or memory
	// Own says of a Branch that it compares for itself, whatever the flags are: by the last of the Steps, which does not set them.
	Own   bool
	Steps []Step
}

// on is the comparison of a Branch that compares for itself.
func (in *Inst) on() *Step { return &in.Steps[len(in.Steps)-1] }

// does are the steps that change something.
func (in *Inst) does() []Step {
	if in.Own {
		return in.Steps[:len(in.Steps)-1]
	}
	return in.Steps
}

// Names says whether an instruction reads memory at a distance from a register.
func (in *Inst) Names(r Reg) bool {
	reads := func(o Operand) bool { return o.Kind == Memory && o.Reg == r }
	return reads(in.Via) || slices.ContainsFunc(in.Steps, func(s Step) bool { return reads(s.A) || reads(s.B) })
}

// Decoder reads one instruction at an address relative to the image's base. It gives false where the bytes are none. The steps
// are appended to those in in.Steps[:0]; where no more than the flow is asked for, only the outline and what a return pops count.
type Decoder func(code []byte, at uint32, base uint64, flow bool, in *Inst) bool

func reg(r Reg, width uint8) Operand {
	return Operand{Kind: Register, Reg: r, Index: NoReg, Width: width}
}
func imm(n int64, width uint8) Operand {
	return Operand{Kind: Immediate, Reg: NoReg, Index: NoReg, Imm: n, Width: width}
}

func vector(r Reg, width uint8) Operand {
	return Operand{Kind: Vector, Reg: r, Index: NoReg, Width: width}
}

// at gives the memory at a register and a distance.
func at(base Reg, distance int64, width uint8) Operand {
	return Operand{Kind: Memory, Reg: base, Index: NoReg, Imm: distance, Width: width}
}
