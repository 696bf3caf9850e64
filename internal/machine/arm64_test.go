package machine

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestARM64 holds instructions against what the architecture's manual says that they do.
func TestARM64(t *testing.T) {
	var in Inst
	for _, k := range knownARM64(t) {
		if !decodeWord(k.word, &in) {
			t.Errorf("%08x %s is no instruction", k.word, k.text)
		}
		if got := textARM64(&in); got != k.lowered {
			t.Errorf("%08x %s\n got %s\nwant %s", k.word, k.text, got, k.lowered)
		}
	}
}

type known struct {
	word          uint32
	text, lowered string
}

// knownARM64 reads testdata/arm64.txt.
func knownARM64(t testing.TB) (list []known) {
	file, err := os.ReadFile("testdata/arm64.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "|")
		if len(fields) != 3 {
			t.Fatalf("%q has not three fields", line)
		}
		word, err := strconv.ParseUint(strings.TrimSpace(fields[0]), 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, known{uint32(word), strings.TrimSpace(fields[1]), strings.TrimSpace(fields[2])})
	}
	return list
}

func decodeWord(word uint32, in *Inst) bool {
	return decodeARM64(binary.LittleEndian.AppendUint32(nil, word), 0x1000, 0x140000000, false, in)
}

var (
	opNames = map[Op]string{Add: "add", Sub: "sub", And: "and", Or: "or", Xor: "xor", Shl: "shl", Shr: "shr", Sar: "sar", Mul: "mul",
		Compare: "compare", Test: "test"}
	condNames = map[Cond]string{Perhaps: "perhaps", Equal: "equal", NotEqual: "not equal", Less: "less", GreaterEqual: "greater or equal",
		LessEqual: "less or equal", Greater: "greater", Below: "below", AboveEqual: "above or equal", BelowEqual: "below or equal",
		Above: "above", Negative: "negative", NotNegative: "not negative"}
	flowNames = map[Flow]string{Call: "call", Jump: "jump", Branch: "branch", Return: "return", Stop: "stop"}
)

// textARM64 gives what an instruction is lowered to as testdata/arm64.txt has it.
func textARM64(in *Inst) string {
	var parts []string
	for _, s := range in.does() {
		parts = append(parts, stepText(s))
	}
	if in.Flow == Next {
		return strings.Join(parts, "; ")
	}
	s := flowNames[in.Flow]
	if in.Known {
		s += fmt.Sprintf(" %#x", in.Target)
	}
	if in.Via.Kind != NoOperand {
		s += " " + operandText(in.Via)
	}
	if in.Flow == Branch {
		s += " if " + condNames[in.Cond]
	}
	if in.Own {
		s += fmt.Sprintf(" of %s %s %s", operandText(in.on().A), opNames[in.on().Op], operandText(in.on().B))
	}
	return strings.Join(append(parts, s), "; ")
}

func stepText(s Step) string {
	a, b := operandText(s.A), operandText(s.B)
	left := operandText(s.Dst) + " = "
	switch {
	case s.Dst.Kind == NoOperand && (s.Flags || s.Op == Compare || s.Op == Test):
		left = "flags "
	case s.Flags:
		left = operandText(s.Dst) + " =f "
	}
	switch s.Op {
	case Other:
		return left + "?"
	case Move:
		return left + a
	case Address:
		return left + "address of " + a
	case Not:
		return left + "not " + a
	case Neg:
		return left + "neg " + a
	case Select:
		return left + a + " if " + condNames[s.Cond] + " else " + b
	case Wipe:
		return "wipe " + operandText(s.Dst)
	}
	if s.Op == Compare && s.Cond != Perhaps {
		return left + a + " " + opNames[s.Op] + " " + b + " if " + condNames[s.Cond] + fmt.Sprintf(" else %04b", s.Dst.Imm)
	}
	return left + a + " " + opNames[s.Op] + " " + b
}

func operandText(o Operand) string {
	text := ""
	if o.Signed {
		text = "signed "
	}
	switch o.Kind {
	case Register:
		return text + regText(o.Reg, o.Width)
	case Immediate:
		return text + fmt.Sprintf("%#x", uint64(o.Imm))
	case Memory:
		return text + memoryText(o)
	case Vector:
		if o.Reg == NoReg {
			return "vectors"
		}
		return fmt.Sprintf("%s%d", map[uint8]string{4: "s", 8: "d", 16: "q"}[o.Width], o.Reg)
	}
	return "nothing"
}

func memoryText(o Operand) string {
	s := ""
	if o.Reg != NoReg {
		s = regText(o.Reg, 8)
	}
	if o.Index != NoReg {
		s += fmt.Sprintf("+%s*%d", regText(o.Index, 8), o.Scale)
	}
	switch {
	case s == "":
		s = fmt.Sprintf("%#x", o.Imm)
	case o.Imm != 0:
		s += fmt.Sprintf("%+#x", o.Imm)
	}
	if o.Width == 0 {
		return "[" + s + "]"
	}
	return fmt.Sprintf("[%s]%d", s, o.Width)
}

// regText names a register as assemblers do, its lowest bytes b and h.
func regText(r Reg, width uint8) string {
	switch {
	case r == temporaryARM && width == 8:
		return "t"
	case r == temporaryARM:
		return "tw"
	case r == stackARM && width == 8:
		return "sp"
	case r == stackARM:
		return "wsp"
	}
	return map[uint8]string{1: "b", 2: "h", 4: "w", 8: "x"}[width] + strconv.Itoa(int(r))
}

func TestARM64Ends(t *testing.T) {
	var in Inst
	for n := range 4 {
		if decodeARM64(make([]byte, n), 0, 0, false, &in) {
			t.Errorf("%d bytes are an instruction", n)
		}
	}
	for _, word := range []uint32{0x02000000, 0x06000000, 0x00010000} { // not allocated
		if decodeWord(word, &in) {
			t.Errorf("%08x is an instruction", word)
		}
	}
	code := binary.LittleEndian.AppendUint32(nil, 0x14000001)
	if !decodeARM64(code, 0xFFFFFFFC, 0, false, &in) || in.Known {
		t.Errorf("a jump beyond what an image can span goes to %#x", in.Target)
	}
}

func FuzzARM64(f *testing.F) {
	for _, k := range knownARM64(f) {
		f.Add(binary.LittleEndian.AppendUint32(nil, k.word), uint32(0x1000), uint64(0x140000000))
	}
	f.Fuzz(func(t *testing.T, code []byte, at uint32, base uint64) {
		var in Inst
		if !decodeARM64(code, at, base, false, &in) {
			return
		}
		if in.Len != 4 || in.At != at || len(code) < 4 {
			t.Errorf("%d bytes at %#x are %d at %#x", len(code), at, in.Len, in.At)
		}
		if in.Known && (in.Target-at)%4 != 0 {
			t.Errorf("a branch from %#x goes to %#x", at, in.Target)
		}
		for _, s := range append(in.Steps, Step{A: in.Via}) {
			for _, o := range []Operand{s.Dst, s.A, s.B} {
				checkOperand(t, o)
			}
		}
	})
}

// checkOperand tells of an operand that names no register, or one that a routine's state has no room for.
func checkOperand(t *testing.T, o Operand) {
	switch {
	case o.Kind == Register && (o.Reg >= registers || o.Index != NoReg),
		o.Kind == Immediate && (o.Reg != NoReg || o.Index != NoReg),
		o.Kind == Memory && (o.Reg >= registers && o.Reg != NoReg || o.Index >= registers && o.Index != NoReg):
		t.Errorf("%+v", o)
	case o.Kind == Memory && o.Index != NoReg && o.Scale != 1 && o.Scale != 2 && o.Scale != 4 && o.Scale != 8:
		t.Errorf("scale of %+v", o)
	case (o.Kind == Register || o.Kind == Immediate) && (o.Width > 8 || o.Width&(o.Width-1) != 0 || o.Width == 0):
		t.Errorf("width of %+v", o)
	}
}

func BenchmarkARM64(b *testing.B) {
	var code []byte
	for _, k := range knownARM64(b) {
		code = binary.LittleEndian.AppendUint32(code, k.word)
	}
	var in Inst
	decode := Decoder(decodeARM64)
	b.ReportAllocs()
	for i := 0; b.Loop(); i = (i + 4) % len(code) {
		decode(code[i:], uint32(i), 0x140000000, false, &in)
	}
}
