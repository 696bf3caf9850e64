package machine

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// TestARM64Oracle holds random words against another decoder: which general registers are written, and with what width; the
// numbers; where branches go.
func TestARM64Oracle(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 64))
	var in Inst
	decoded, numbers := 0, 0
	for range 500_000 {
		word := random.Uint32()
		known := decodeWord(word, &in)
		other, err := arm64asm.Decode(binary.LittleEndian.AppendUint32(nil, word))
		if err != nil || unpredictable(other) {
			continue
		}
		decoded++
		if got, want := generalRegisters(&in), oracleWrites(other); !known || !slices.Equal(got, want) {
			t.Fatalf("%08x %s writes %s, not %s: %s", word, other, want, got, textARM64(&in))
		}
		for _, n := range oracleNumbers(other) {
			numbers++
			if !strings.Contains(textARM64(&in)+" ", n) {
				t.Fatalf("%08x %s: no %q in %s", word, other, n, textARM64(&in))
			}
		}
	}
	if decoded < 100_000 || numbers < 60_000 {
		t.Errorf("only %d words are decoded by the other decoder, with %d numbers", decoded, numbers)
	}
}

// generalRegisters gives the general registers that an instruction writes, by their numbers, with the widths.
func generalRegisters(in *Inst) []string {
	var list []string
	for r := range temporaryARM {
		width := uint8(0)
		for _, s := range in.Steps {
			if s.Dst.Kind == Register && s.Dst.Reg == r {
				width = max(width, s.Dst.Width)
			}
		}
		if width > 0 {
			list = append(list, regText(r, width))
		}
	}
	return list
}

// general gives the number and the width of a general register.
func general(arg arm64asm.Arg) (r Reg, width uint8, ok bool) {
	a, plain := arg.(arm64asm.Reg)
	if sp, is := arg.(arm64asm.RegSP); is {
		a = arm64asm.Reg(sp)
	} else if !plain || a == arm64asm.WZR || a == arm64asm.XZR {
		return 0, 0, false
	}
	switch {
	case a <= arm64asm.WSP:
		return Reg(a - arm64asm.W0), 4, true
	case a <= arm64asm.SP:
		return Reg(a - arm64asm.X0), 8, true
	}
	return 0, 0, false
}

func memoryOf(inst arm64asm.Inst) (m arm64asm.MemImmediate, ok bool) {
	for _, a := range inst.Args {
		if m, ok := a.(arm64asm.MemImmediate); ok {
			return m, true
		}
	}
	return m, false
}

// unpredictable says whether the manual leaves open what becomes of a register that is loaded, or stored, and moved.
func unpredictable(inst arm64asm.Inst) bool {
	m, ok := memoryOf(inst)
	if !ok || m.Mode == arm64asm.AddrOffset {
		return false
	}
	base, _, _ := general(m.Base)
	return slices.ContainsFunc(inst.Args[:2], func(a arm64asm.Arg) bool {
		r, _, ok := general(a)
		return ok && r == base
	})
}

// writesNone are the instructions whose first operand is a source, without the size in their names.
var writesNone = []string{"STR", "STUR", "STTR", "STP", "STNP", "STLR", "CMP", "CMN", "TST", "CCMP", "CCMN", "CBZ", "CBNZ", "TBZ",
	"TBNZ", "BR", "BLR", "RET", "MSR"}

// oracleWrites gives what generalRegisters must.
func oracleWrites(inst arm64asm.Inst) []string {
	op := inst.Op.String()
	written := slices.Clone(inst.Args[:1])
	switch {
	case slices.Contains(writesNone, op), strings.HasPrefix(op, "ST") && slices.Contains(writesNone, strings.TrimRight(op, "BH")):
		written = nil
	case slices.Contains([]string{"LDP", "LDPSW", "LDNP", "LDXP", "LDAXP"}, op):
		written = slices.Clone(inst.Args[:2])
	case op == "BL":
		written = []arm64asm.Arg{arm64asm.X30}
	case op == "SVC":
		for r := range arm64asm.Reg(18) {
			written = append(written, arm64asm.X0+r)
		}
	}
	if op == "BLR" {
		written = append(written, arm64asm.X30)
	}
	if m, ok := memoryOf(inst); ok && m.Mode != arm64asm.AddrOffset {
		written = append(written, m.Base)
	}
	widths := [32]uint8{}
	for _, a := range written {
		if r, width, ok := general(a); ok {
			widths[r] = width
		}
	}
	var list []string
	for r, width := range widths {
		if width > 0 {
			list = append(list, regText(Reg(r), width))
		}
	}
	return list
}

// oracleNumbers gives parts that textARM64, with a space at its end, must have.
func oracleNumbers(inst arm64asm.Inst) []string {
	var list []string
	_, width, first := general(inst.Args[0])
	for _, a := range inst.Args {
		switch a := a.(type) {
		case arm64asm.PCRel:
			list = append(list, relative(inst.Op, int64(a), first))
		case arm64asm.Imm64:
			if n := constant(a.Imm, width); first && n != constant(math.MaxUint64, width) { // reserved
				list = append(list, fmt.Sprintf(" %#x ", uint64(n.Imm)))
			}
		case arm64asm.ImmShift:
			if first {
				list = append(list, immediate(inst.Op, a.String(), width))
			}
		case arm64asm.MemImmediate:
			_, offset, _ := strings.Cut(a.String(), "#")
			n, _ := strconv.ParseInt(strings.TrimRight(offset, "]!"), 0, 32)
			if n != 0 && a.Mode != arm64asm.AddrPostIndex && first {
				list = append(list, fmt.Sprintf("%+#x]", n))
			}
			if n != 0 && a.Mode != arm64asm.AddrOffset {
				list = append(list, fmt.Sprintf(" %s %#x ", map[bool]string{true: "sub", false: "add"}[n < 0], max(n, -n)))
			}
		}
	}
	return list
}

// relative gives the text of an address relative to the instruction.
func relative(op arm64asm.Op, n int64, first bool) string {
	address := op == arm64asm.ADR || op == arm64asm.ADRP
	load := op == arm64asm.LDR || op == arm64asm.LDRSW || op == arm64asm.PRFM
	switch {
	case !first && (address || load):
		return ""
	case address:
		return fmt.Sprintf("= %#x ", 0x140001000+n)
	case load:
		return fmt.Sprintf(" [%#x]", 0x140001000+n)
	case n < -0x1000:
		return " "
	}
	return fmt.Sprintf(" %#x ", 0x1000+n)
}

// immediate gives the text of an immediate that may be shifted. To add is to compare with what is negated.
func immediate(op arm64asm.Op, text string, width uint8) string {
	var n uint64
	var shift uint
	fmt.Sscanf(text, "#%v, LSL #%d", &n, &shift)
	n <<= shift
	switch {
	case n == 0:
		return ""
	case op == arm64asm.CMN, op == arm64asm.ADDS:
		return fmt.Sprintf(" compare %#x", uint64(constant(-n, width).Imm))
	}
	return fmt.Sprintf(" %#x ", n)
}
