package machine

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"
)

// TestX86Oracle holds random bytes behind every opcode against another decoder: how long the instruction is, which general registers it
// writes and how much of them, where a branch goes.
func TestX86Oracle(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 86))
	lengths, written, branches := 0, 0, 0
	for range 300_000 {
		mode := 32 + 32*random.IntN(2)
		code := randomX86(random, mode)
		other, err := x86asm.Decode(code, mode)
		if err != nil || other.Op == 0 || skipped(other, code) {
			continue
		}
		in := Inst{}
		if !decodeX86(code, 0x1000, 0x140000000, mode == 64, false, &in) || int(in.Len) != other.Len {
			t.Fatalf("%d bits: % x %s has %d bytes, not %d", mode, code, other, other.Len, in.Len)
		}
		lengths++
		if writes, known := effects[other.Op]; known {
			written++
			if got, want := writtenX86(&in), oracleWritesX86(other, writes, mode); !slices.Equal(got, want) {
				t.Fatalf("%d bits: % x %s writes %v, not %v", mode, code[:other.Len], other, want, got)
			}
		}
		if n, ok := generalX86(other.Args[0]); ok && effects[other.Op] == "1" {
			r := other.Args[0].(x86asm.Reg)
			got, want := widthX86(&in, n), bytesX86(r)
			// or, and, xor of a second byte with an immediate is lowered to one of the whole register, whose other bytes it leaves alone
			if second := r >= x86asm.AH && r <= x86asm.BH; second && got == uint8(mode/8) {
				want = got
			}
			if got != want && got != 0 {
				t.Fatalf("%d bits: % x %s writes %d bytes, not %d", mode, code[:other.Len], other, want, got)
			}
		}
		if to, ok := other.Args[0].(x86asm.Rel); ok {
			branches++
			if want := 0x1000 + uint32(other.Len) + uint32(to); !in.Known || in.Target != want {
				t.Fatalf("%d bits: % x %s goes to %#x, not %#x", mode, code[:other.Len], other, want, in.Target)
			}
		}
	}
	if lengths < 150_000 || written < 80_000 || branches < 5000 {
		t.Errorf("only %d lengths, %d writes, %d branches are compared", lengths, written, branches)
	}
}

// randomX86 gives bytes with an opcode of one byte or behind 0F, and some prefixes.
func randomX86(random *rand.Rand, mode int) []byte {
	var code []byte
	if random.IntN(8) == 0 {
		code = append(code, 0x66)
	}
	if random.IntN(16) == 0 {
		code = append(code, []byte{0xf2, 0xf3}[random.IntN(2)])
	}
	if mode == 64 && random.IntN(2) == 0 {
		code = append(code, 0x40|byte(random.IntN(16)))
	}
	if random.IntN(3) == 0 {
		code = append(code, 0x0f)
	}
	for len(code) < 16 {
		code = append(code, byte(random.Uint32()))
	}
	return code
}

// skipped says whether the other decoder is known not to read an instruction as processors do, or takes a prefix for one.
func skipped(inst x86asm.Inst, code []byte) bool {
	prefixes := 0
	for prefixes < len(inst.Prefix) && inst.Prefix[prefixes] != 0 {
		prefixes++
	}
	tests := inst.Op == x86asm.XBEGIN || strings.Contains(inst.String(), " TR") // of transactions, and of registers that only a 386 had
	return tests || inst.Len <= prefixes || slices.Contains(code[:inst.Len], 0xc4) || slices.Contains(code[:inst.Len], 0xc5) || slices.Contains(code[:inst.Len], 0x62)
}

// effects say which operands an instruction writes, by their numbers, and which registers besides: a, c, d, s, S and D stand for ax, cx,
// dx, sp, si and di; r for cx, where the instruction is repeated.
var effects = map[x86asm.Op]string{
	x86asm.ADD: "1", x86asm.OR: "1", x86asm.ADC: "1", x86asm.SBB: "1", x86asm.AND: "1", x86asm.SUB: "1", x86asm.XOR: "1", x86asm.CMP: "",
	x86asm.TEST: "", x86asm.MOV: "1", x86asm.LEA: "1", x86asm.INC: "1", x86asm.DEC: "1", x86asm.NOT: "1", x86asm.NEG: "1",
	x86asm.MOVZX: "1", x86asm.MOVSX: "1", x86asm.MOVSXD: "1", x86asm.PUSH: "s", x86asm.POP: "1s", x86asm.XCHG: "12", x86asm.XADD: "12",
	x86asm.SHL: "1", x86asm.SHR: "1", x86asm.SAR: "1", x86asm.ROL: "1", x86asm.ROR: "1", x86asm.RCL: "1", x86asm.RCR: "1", x86asm.SHLD: "1",
	x86asm.SHRD: "1", x86asm.BSF: "1", x86asm.BSR: "1", x86asm.BSWAP: "1", x86asm.BT: "", x86asm.BTS: "1", x86asm.BTR: "1", x86asm.BTC: "1",
	x86asm.SETE: "1", x86asm.SETNE: "1", x86asm.SETA: "1", x86asm.SETB: "1", x86asm.SETL: "1", x86asm.SETG: "1", x86asm.SETS: "1", x86asm.SETP: "1",
	x86asm.CMOVE: "1", x86asm.CMOVNE: "1", x86asm.CMOVA: "1", x86asm.CMOVB: "1", x86asm.CMOVL: "1", x86asm.CMOVG: "1", x86asm.CMOVS: "1",
	x86asm.CDQ: "d", x86asm.CWD: "d", x86asm.CQO: "d", x86asm.CBW: "a", x86asm.CWDE: "a", x86asm.CDQE: "a", x86asm.NOP: "", x86asm.JMP: "",
	x86asm.JE: "", x86asm.JNE: "", x86asm.JA: "", x86asm.JB: "", x86asm.JL: "", x86asm.JG: "", x86asm.JECXZ: "", x86asm.JRCXZ: "", x86asm.LOOP: "c",
	x86asm.LODSB: "aS", x86asm.LODSD: "aS", x86asm.STOSB: "D", x86asm.STOSD: "D", x86asm.MOVSB: "SD", x86asm.MOVSD: "SD", x86asm.SCASB: "D",
	x86asm.CMPSB: "SD", x86asm.CPUID: "acd3", x86asm.RDTSC: "ad", x86asm.RDMSR: "ad", x86asm.MUL: "ad", x86asm.DIV: "ad", x86asm.IDIV: "ad",
	x86asm.LAHF: "a", x86asm.XLATB: "a", x86asm.LEAVE: "s5", x86asm.CMPXCHG: "1a", x86asm.MOVD: "1", x86asm.MOVQ: "1", x86asm.POPCNT: "1",
	x86asm.CLI: "", x86asm.STI: "", x86asm.CLD: "", x86asm.HLT: "", x86asm.WRMSR: "", x86asm.OUT: "", x86asm.IN: "a", x86asm.MOVNTI: "1",
	x86asm.CVTTSD2SI: "1", x86asm.CVTSD2SI: "1", x86asm.PMOVMSKB: "1", x86asm.MOVMSKPS: "1", x86asm.PEXTRW: "1", x86asm.ADDPS: "1", x86asm.FLD: "",
}

// writtenX86 gives the numbers of the general registers that an instruction writes.
func writtenX86(in *Inst) []int {
	var list []int
	for _, s := range in.Steps {
		if s.Dst.Kind == Register && s.Dst.Reg < temporaryX86 {
			list = append(list, int(s.Dst.Reg))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// widthX86 gives how many bytes of a register an instruction writes; 0 where that is something unknown, which spoils all of it.
func widthX86(in *Inst, r int) (width uint8) {
	for _, s := range in.Steps {
		if s.Dst.Kind == Register && int(s.Dst.Reg) == r && s.Op != Other {
			width = max(width, s.Dst.Width)
		}
	}
	return width
}

// bytesX86 gives the width of a register; of a second byte with the one below it.
func bytesX86(r x86asm.Reg) uint8 {
	switch {
	case r >= x86asm.AH && r <= x86asm.BH:
		return 2
	case r <= x86asm.R15B:
		return 1
	case r <= x86asm.R15W:
		return 2
	case r <= x86asm.R15L:
		return 4
	}
	return 8
}

func oracleWritesX86(inst x86asm.Inst, writes string, mode int) []int {
	var list []int
	if inst.Op == x86asm.MOVSD && inst.Opcode>>24 != 0xa5 {
		return nil // of vectors
	}
	for _, w := range writes {
		if i := strings.IndexRune("acd3s5SD", w); i >= 0 {
			list = append(list, i)
			continue
		}
		if n, ok := generalX86(inst.Args[w-'1']); ok {
			list = append(list, n)
		}
	}
	byteSized := (inst.Op == x86asm.MUL || inst.Op == x86asm.DIV || inst.Op == x86asm.IDIV) && inst.Opcode>>24 == 0xf6
	if byteSized {
		list = []int{0}
	}
	if repeats := strings.ContainsAny(writes, "SD"); repeats && slices.ContainsFunc(inst.Prefix[:], func(p x86asm.Prefix) bool { return p&0xff == 0xf2 || p&0xff == 0xf3 }) {
		list = append(list, 1)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// generalX86 gives the number of a general register. The second bytes are of ax, cx, dx and bx.
func generalX86(a x86asm.Arg) (int, bool) {
	r, ok := a.(x86asm.Reg)
	switch {
	case !ok:
	case r >= x86asm.AL && r <= x86asm.BL:
		return int(r - x86asm.AL), true
	case r >= x86asm.AH && r <= x86asm.BH:
		return int(r - x86asm.AH), true
	case r >= x86asm.SPB && r <= x86asm.DIB:
		return int(r-x86asm.SPB) + 4, true
	case r >= x86asm.R8B && r <= x86asm.R15B:
		return int(r-x86asm.R8B) + 8, true
	case r >= x86asm.AX && r <= x86asm.R15W:
		return int(r - x86asm.AX), true
	case r >= x86asm.EAX && r <= x86asm.R15L:
		return int(r - x86asm.EAX), true
	case r >= x86asm.RAX && r <= x86asm.R15:
		return int(r - x86asm.RAX), true
	}
	return 0, false
}
