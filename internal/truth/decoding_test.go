package truth

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/image"
	"github.com/nxport/nxport/internal/machine"
	"github.com/nxport/nxport/nx"
)

// TestDecoding holds the instructions of routines as they are followed against llvm-objdump: where they begin and end, what runs
// behind them, where they go, which register they write, and their numbers.
//
//	go test ./internal/truth -v -run Decoding -args FILE.sys...
func TestDecoding(t *testing.T) {
	if testing.Short() {
		t.Skip("needs compilers and llvm-objdump")
	}
	if files := flag.Args(); len(files) > 0 {
		for _, f := range files {
			t.Run(f, func(t *testing.T) {
				d := newDecoded(t, f)
				d.hold(t)
				t.Logf("%d instructions", d.held)
			})
		}
		return
	}
	libraries := importLibraries(t)
	on := chosen(t, true)
	for i, w := range ways() {
		t.Run(w.String(), func(t *testing.T) {
			t.Parallel()
			total := 0
			for _, n := range []int{i, i + len(ways()), i + batch, i + batch + len(ways())} { // C and C++
				p := generate(*seed, n, on)
				d := newDecoded(t, w.build(t, t.TempDir(), libraries, p))
				d.hold(t)
				total += d.held
			}
			if total < 100 {
				t.Errorf("only %d instructions", total)
			}
		})
	}
}

// decoded is an image and what llvm-objdump makes of it.
type decoded struct {
	image  *image.Image
	env    machine.Env
	lines  map[uint32]objdumped
	starts []uint32
	held   int
}

// objdumped is a line of llvm-objdump.
type objdumped struct {
	length   uint8
	mnemonic string
	operands []string
	text     string
}

var (
	instLine  = regexp.MustCompile(`^ *([0-9a-f]+): ((?:[0-9a-f]{2} ?)+|[0-9a-f]{8} ?) *\t([^\t]+)(?:\t(.*))?$`)
	startLine = regexp.MustCompile(`^([0-9a-f]+) <.*>:$`)
)

func newDecoded(t *testing.T, sys string) *decoded {
	t.Helper()
	data, err := os.ReadFile(sys)
	if err != nil {
		t.Fatal(err)
	}
	m, err := image.Parse(sys, data)
	if err != nil {
		t.Fatal(err)
	}
	d := &decoded{image: m, lines: map[uint32]objdumped{}, starts: []uint32{m.Entry}}
	d.env = map[nx.Processor]func() machine.Env{nx.X64: machine.X64, nx.X86: machine.X86, nx.ARM64: machine.ARM64}[m.Processor]()
	d.env.Base, d.env.Code, d.env.Budget = m.Base, m.At, 1<<30
	d.env.Inside = func(_, to uint32) bool { s, ok := m.Section(to); return ok && s.Executable() }
	d.env.Constant = func(uint64, uint8) (uint64, bool) { return 0, false }
	d.env.Pops = func(*machine.Inst, machine.Value) (int, bool) { return 0, false }
	rva := func(hex string) uint32 {
		n, err := strconv.ParseUint(hex, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		return uint32(n - m.Base)
	}
	prefix := uint8(0) // bytes of prefixes that stand on lines of their own
	for line := range strings.Lines(command(t, ".", "llvm-objdump-19", "-d", "-z", sys)) {
		line = strings.TrimRight(line, "\n")
		if f := startLine.FindStringSubmatch(line); f != nil {
			d.starts = append(d.starts, rva(f[1]))
		}
		if f := instLine.FindStringSubmatch(line); f != nil {
			length := uint8(len(strings.ReplaceAll(f[2], " ", "")) / 2)
			at := rva(f[1]) - uint32(prefix)
			if prefix += length; slices.Contains(prefixes, f[3]) && f[4] == "" {
				continue
			}
			length, prefix = prefix, 0
			for slices.Contains(prefixes, f[3]) {
				f[3], f[4], _ = strings.Cut(strings.TrimSpace(f[4]), "\t")
			}
			text, _, _ := strings.Cut(f[4], " # ")
			text, _, _ = strings.Cut(text, " // ")
			d.lines[at] = objdumped{length, f[3], operands(text), line}
			if to, ok := d.target(text); ok && (strings.HasPrefix(f[3], "call") || f[3] == "bl") {
				d.starts = append(d.starts, to)
			}
			if start, ok := m.Function(rva(f[1])); ok {
				d.starts = append(d.starts, start.Start)
			}
		}
	}
	slices.Sort(d.starts)
	d.starts = slices.Compact(d.starts)
	return d
}

// operands takes a list apart at the commas that are in no parentheses or brackets.
func operands(text string) []string {
	var list []string
	depth, from := 0, 0
	for i, c := range text + "," {
		switch {
		case strings.ContainsRune("([{", c):
			depth++
		case strings.ContainsRune(")]}", c):
			depth--
		case c == ',' && depth == 0:
			if s := strings.TrimSpace(text[from:i]); s != "" {
				list = append(list, s)
			}
			from = i + 1
		}
	}
	return list
}

// hold compares all routines.
func (d *decoded) hold(t *testing.T) {
	t.Helper()
	done := map[uint32]bool{}
	wrong := 0
	for _, start := range d.starts {
		for in := range machine.Read(&d.env, start).Insts() {
			if done[in.At] {
				continue
			}
			done[in.At] = true
			d.held++
			line, ok := d.lines[in.At]
			why := "no instruction begins here"
			if ok {
				why = d.differs(in, line)
			}
			if why != "" {
				if wrong++; wrong <= 20 {
					t.Errorf("%#x: %s\n%s\nflow %d %v %#x, via %+v, steps %+v", in.At, why, line.text, in.Flow, in.Known, in.Target, in.Via, in.Steps)
				}
			}
		}
	}
}

func (d *decoded) differs(in *machine.Inst, line objdumped) string {
	switch {
	case in.Len != line.length:
		return fmt.Sprintf("%d bytes, want %d", in.Len, line.length)
	case d.image.Processor == nx.ARM64:
		return d.differsARM64(in, line)
	}
	return d.differsX86(in, line)
}

// target gives where a branch goes, by its operand.
func (d *decoded) target(operand string) (uint32, bool) {
	operand, _, _ = strings.Cut(operand, " ")
	n, err := strconv.ParseUint(strings.TrimPrefix(operand, "#"), 0, 64)
	return uint32(n - d.image.Base), err == nil
}

func (d *decoded) flows(in *machine.Inst, want machine.Flow, operand string) string {
	if in.Flow != want {
		return fmt.Sprintf("flow %d, want %d", in.Flow, want)
	}
	to, known := d.target(operand)
	if known != in.Known || known && in.Target != to {
		return fmt.Sprintf("goes to %#x, %v, want %#x", in.Target, in.Known, to)
	}
	return ""
}

// prefixes are those of x86 that stand in front of an instruction, on its line or the one before.
var prefixes = []string{"lock", "rep", "repne", "notrack", "data16", "addr32", "cs", "ds", "es", "ss", "fs", "gs", "bnd", "xacquire", "xrelease"}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// differsX86 compares with AT&T's syntax: what is written comes last.
func (d *decoded) differsX86(in *machine.Inst, line objdumped) string {
	name := line.mnemonic
	switch {
	case strings.HasPrefix(name, "call"):
		return d.flows(in, machine.Call, first(line.operands))
	case strings.HasPrefix(name, "jmp"):
		return d.flows(in, machine.Jump, first(line.operands))
	case strings.HasPrefix(name, "j"), strings.HasPrefix(name, "loop"):
		return d.flows(in, machine.Branch, first(line.operands))
	case strings.HasPrefix(name, "ret"):
		return d.flows(in, machine.Return, "")
	case name == "int3", name == "ud2", name == "int", name == "hlt", strings.HasPrefix(name, "iret"), name == "ud1l":
		if in.Flow == machine.Next && name != "int" && name != "hlt" {
			return "goes on"
		}
		return ""
	case in.Flow != machine.Next:
		return "does not go on"
	}
	if why := d.numbersX86(in, line); why != "" {
		return why
	}
	return writesX86(in, name, line.operands)
}

var registersX86 = func() map[string]written86 {
	all := map[string]written86{}
	for i, r := range []string{"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"} {
		all["%r"+r] = written86{machine.Reg(i), 8}
		all["%e"+r] = written86{machine.Reg(i), 4}
		all["%"+r] = written86{machine.Reg(i), 2}
		all["%"+strings.TrimSuffix(r, "x")+"l"] = written86{machine.Reg(i), 1}
	}
	for i := 8; i < 16; i++ {
		for suffix, width := range map[string]uint8{"": 8, "d": 4, "w": 2, "b": 1} {
			all[fmt.Sprintf("%%r%d%s", i, suffix)] = written86{machine.Reg(i), width}
		}
	}
	return all
}()

type written86 struct {
	reg   machine.Reg
	width uint8
}

// readersX86 are the instructions that do not write their last operand, and those that write more than it.
var readersX86 = regexp.MustCompile(`^(scas[bwlq]|cmp[bwlq]|test[bwlq]|push.*|bt[wlq]?|nop.*|u?comis.*|out.*|prefetch.*|vu?comis.*|verr|verw|lldt|ltr|lgdt|lidt|mul[bwlq]|imul[bwlq]|div[bwlq]|idiv[bwlq]|endbr.*|invlpg|wr.*|ll?dt.*|lmsw.*|str.*|sldt.*|v?ptest)$`)

// writesX86 compares the general register that is written.
func writesX86(in *machine.Inst, name string, list []string) string {
	if len(list) == 0 || readersX86.MatchString(name) && len(list) < 3 {
		return ""
	}
	want, ok := registersX86[list[len(list)-1]]
	if !ok {
		return ""
	}
	for _, s := range in.Steps {
		if s.Dst.Kind == machine.Register && s.Dst.Reg == want.reg && s.Dst.Width >= min(want.width, 4) {
			return ""
		}
		if s.Dst.Kind == machine.Register && s.Dst.Reg == want.reg && want.width < 4 {
			return ""
		}
	}
	return fmt.Sprintf("does not write %s", list[len(list)-1])
}

var memoryX86 = regexp.MustCompile(`^\*?(?:%[a-z]s:)?(-?0x[0-9a-f]+|-?[0-9]+)?\((%\w+)?(?:,(%\w+)(?:,(\d))?)?\)$`)

// numbersX86 compares immediates, and the addresses of memory: each that a step has must be written in the text, and where there are
// steps of a kind that is followed, the other way round.
func (d *decoded) numbersX86(in *machine.Inst, line objdumped) string {
	var want []machine.Operand
	for _, o := range line.operands {
		f := memoryX86.FindStringSubmatch(o)
		if f == nil || strings.Contains(o, "s:") {
			continue
		}
		m := machine.Operand{Kind: machine.Memory, Reg: machine.NoReg, Index: machine.NoReg}
		if f[1] != "" {
			n, err := strconv.ParseInt(f[1], 0, 64)
			if err != nil {
				return err.Error()
			}
			m.Imm = n
		}
		switch r, ok := registersX86[f[2]]; {
		case f[2] == "%rip":
			m.Imm += int64(d.image.Base) + int64(in.At) + int64(in.Len)
		case ok:
			m.Reg = r.reg
		case f[2] != "":
			return ""
		}
		if r, ok := registersX86[f[3]]; ok {
			m.Index = r.reg
			if m.Scale = 1; f[4] != "" {
				m.Scale = f[4][0] - '0'
			}
		}
		want = append(want, m)
	}
	implicit := regexp.MustCompile(`^(push|pop|leave|enter|stos|movs[bwlq]$|lods|scas|cmps|rep|xlat|ins|outs)`).MatchString(line.mnemonic)
	for _, s := range in.Steps {
		for _, o := range []machine.Operand{s.Dst, s.A, s.B} {
			if o.Kind == machine.Memory && !implicit && !slices.ContainsFunc(want, func(w machine.Operand) bool { return d.sameMemory(o, w) }) {
				if len(want) == 0 && (o.Reg == machine.NoReg || strings.Contains(strings.Join(line.operands, ""), "s:")) {
					continue // an absolute address, or one in a segment
				}
				return fmt.Sprintf("memory %+v, want %+v", o, want)
			}
		}
	}
	return d.immediatesX86(in, line)
}

func (d *decoded) sameMemory(a, b machine.Operand) bool {
	distance := a.Imm == b.Imm || d.image.Processor == nx.X86 && int32(a.Imm) == int32(b.Imm)
	return a.Reg == b.Reg && a.Index == b.Index && distance && (a.Index == machine.NoReg || a.Scale == b.Scale)
}

var followedX86 = regexp.MustCompile(`^(mov|add|sub|and|or|xor|cmp|test|imul|movabs|shl|shr|sar)[bwlq]$`)

func (d *decoded) immediatesX86(in *machine.Inst, line objdumped) string {
	if !followedX86.MatchString(line.mnemonic) {
		return ""
	}
	for _, o := range line.operands {
		text, ok := strings.CutPrefix(o, "$")
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(text, 0, 64)
		if err != nil {
			u, err := strconv.ParseUint(text, 0, 64)
			if err != nil {
				return err.Error()
			}
			n = int64(u)
		}
		found, unknown := false, false
		for _, s := range in.Steps {
			unknown = unknown || s.Op == machine.Other
			for _, o := range []machine.Operand{s.A, s.B} {
				shift := 64 - 8*uint(max(1, o.Width))
				found = found || o.Kind == machine.Immediate && o.Imm<<shift == n<<shift
			}
		}
		if !found && !unknown {
			return fmt.Sprintf("%s is in no step", o)
		}
	}
	return ""
}

var (
	storesARM64  = regexp.MustCompile(`^(swp|ldadd|ldclr|ldeor|ldset|ldsmax|ldsmin|ldumax|ldumin|st|cmp|cmn|tst|ccm|prfm|msr|nop|hint|dmb|dsb|isb|svc|dc|ic|tlbi|sys|at|fcmp|fccmp|pac|aut|bti|xpac|esb|csdb|yield|wfe|wfi|sev|clrex|brb)`)
	generalARM64 = regexp.MustCompile(`^([wx])(\d+|zr)$|^w?sp$`)
)

// differsARM64 compares with ARM's syntax: what is written comes first.
func (d *decoded) differsARM64(in *machine.Inst, line objdumped) string {
	name, list := line.mnemonic, line.operands
	switch {
	case name == "bl", name == "blr":
		return d.flows(in, machine.Call, first(list))
	case name == "b", name == "br":
		return d.flows(in, machine.Jump, first(list))
	case strings.HasPrefix(name, "b."), name == "cbz", name == "cbnz", name == "tbz", name == "tbnz":
		return d.flows(in, machine.Branch, list[len(list)-1])
	case name == "ret":
		return d.flows(in, machine.Return, "")
	case name == "brk", name == "udf", name == "hlt":
		if in.Flow == machine.Next {
			return "goes on"
		}
		return ""
	case in.Flow != machine.Next:
		return "does not go on"
	case storesARM64.MatchString(name) || len(list) == 0:
		return ""
	}
	written := list[:1]
	if strings.HasPrefix(name, "ldp") || strings.HasPrefix(name, "ldnp") {
		written = list[:2]
	}
	for _, w := range written {
		if why := writesARM64(in, w); why != "" {
			return why
		}
	}
	return numberARM64(in, name, list)
}

func writesARM64(in *machine.Inst, operand string) string {
	f := generalARM64.FindStringSubmatch(operand)
	if f == nil || f[2] == "zr" {
		return ""
	}
	want := machine.Reg(31)
	if f[2] != "" {
		n, err := strconv.Atoi(f[2])
		if err != nil {
			return err.Error()
		}
		want = machine.Reg(n)
	}
	width := map[bool]uint8{true: 4, false: 8}[strings.HasPrefix(operand, "w")]
	for _, s := range in.Steps {
		if s.Dst.Kind == machine.Register && s.Dst.Reg == want && s.Dst.Width == width {
			return ""
		}
	}
	return fmt.Sprintf("does not write %s", operand)
}

// numberARM64 compares the number of a mov, an add or a sub, and the page of an adrp.
func numberARM64(in *machine.Inst, name string, list []string) string {
	if name != "mov" && name != "add" && name != "sub" || !strings.HasPrefix(list[len(list)-1], "#") {
		return ""
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(list[len(list)-1], "#"), 0, 64)
	if err != nil {
		u, err := strconv.ParseUint(strings.TrimPrefix(list[len(list)-1], "#"), 0, 64)
		if err != nil {
			return err.Error()
		}
		n = int64(u)
	}
	for _, s := range in.Steps {
		for _, o := range []machine.Operand{s.A, s.B} {
			if n == 0 || o.Kind == machine.Immediate && (o.Imm == n || o.Width == 4 && int32(o.Imm) == int32(n)) {
				return ""
			}
		}
	}
	return fmt.Sprintf("%s is in no step", list[len(list)-1])
}
