package machine

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// environment makes the surroundings of code that is all there is, at 0x1000.
func environment(processor byte, code []byte) *Env {
	env := [3]func() Env{X64, X86, ARM64}[processor%3]()
	const start, base = 0x1000, 0x10000
	env.Base, env.Budget = base, 1<<18
	env.Code = func(at uint32) []byte {
		if at < start || at-start >= uint32(len(code)) {
			return nil
		}
		return code[at-start:]
	}
	env.Inside = func(routine, to uint32) bool { return env.Code(to) != nil }
	env.Constant = func(address uint64, width uint8) (uint64, bool) {
		b := env.Code(uint32(address - base))
		return 0, (address-base)>>32 == 0 && len(b) >= int(width)
	}
	env.Pops = func(in *Inst, target Value) (int, bool) { return Pops(&env, in.Target) }
	return &env
}

// FuzzRoutine follows any code of any processor, and asks for all that can be asked for.
func FuzzRoutine(f *testing.F) {
	// xor ecx, ecx; jne; mov ecx, 200h; call; loop
	f.Add(byte(0), []byte{0x31, 0xc9, 0x75, 0x05, 0xb9, 0, 2, 0, 0, 0xe8, 0, 0, 0, 0, 0x75, 0xf0, 0xc3})
	// push ebp; mov ebp, esp; and esp, -8; push 0; call; mov [ebp-4], eax; jmp [eax*4+11000h]
	f.Add(byte(1), []byte{0x55, 0x89, 0xe5, 0x83, 0xe4, 0xf8, 0x6a, 0, 0xe8, 0, 0, 0, 0, 0x89, 0x45, 0xfc, 0xff, 0x24, 0x85, 0, 0x10, 1, 0})
	// rep stosd; enter; pusha; popa; leave; ret 8
	f.Add(byte(1), []byte{0xf3, 0xab, 0xc8, 8, 0, 0, 0x60, 0x61, 0xc9, 0xc2, 8, 0})
	// stp x29, x30, [sp, #-32]!; cbz w0; bl; csel w0, w1, w2, eq; br x8
	f.Add(byte(2), []byte{0xfd, 0x7b, 0xbe, 0xa9, 0x40, 0, 0, 0x34, 1, 0, 0, 0x94, 0x20, 0, 0x82, 0x1a, 0, 1, 0x1f, 0xd6})
	f.Fuzz(func(t *testing.T, processor byte, code []byte) {
		env := environment(processor, code)
		r := Read(env, 0x1000)
		read := func(s *State, in *Inst) {
			for n := 1; n < 10; n++ {
				s.Argument(n, in.Flow != Call, in.At)
			}
			s.Target(in)
			s.Gives(0x11000)
		}
		r.Calls(read)
		r.Returns(read)
		r.Stores(func(in *Inst, address uint64, width uint8, v Value) {
			if len(v) == 0 || len(v) > MaxAtoms+1 {
				t.Errorf("%#x stores %d values", in.At, len(v))
			}
		})
		insts := r.Outlines()
		for i := range min(len(insts), 64) {
			at := insts[i].At
			r.NearCalls(at, func(s *State, in *Inst) bool { read(s, in); return false })
			r.Value(at, nil, func(s *State) Value { return s.Argument(1, false, at) })
			r.Reach(at, func(*Outline) bool { return false })
		}
		if !slices.IsSortedFunc(insts, func(a, b Outline) int { return int(a.At) - int(b.At) }) || len(insts) > maxInsts {
			t.Error("the instructions are out of order, or too many")
		}
		if env.Budget < -maxInsts {
			t.Errorf("%d instructions more than are allowed", -env.Budget)
		}
	})
}

// What is read of an instruction's flow alone is what the whole instruction has.
func TestFlowAlone(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	differs := 0
	for name, decode := range map[string]Decoder{"x64": decodeX64, "x86": decodeIA32, "ARM64": decodeARM64} {
		flows := map[Flow]int{}
		for range 150000 {
			code := make([]byte, 15+random.IntN(2)) // with and without room for the longest
			binary.LittleEndian.PutUint64(code, random.Uint64())
			binary.LittleEndian.PutUint64(code[7:], random.Uint64())
			copy(code, [...]string{"\x0f", "\x66", "\x48", "\x66\x48\x0f", "\x0f\x85", "\xe8", "\xe9", "\xeb", "\xc3", "", "", ""}[random.IntN(12)])
			var whole, alone Inst
			ok := decode(code, 0x1000, 0x140000000, false, &whole)
			if decode(code, 0x1000, 0x140000000, true, &alone) != ok {
				t.Fatalf("%s % x: one of them is no instruction", name, code)
			}
			if !ok {
				continue
			}
			flows[whole.Flow]++
			if whole.Outline != alone.Outline || whole.Pops != alone.Pops {
				if differs++; differs < 10 {
					t.Errorf("%s % x: %+v, want %+v", name, code, alone, whole)
				}
			}
		}
		for _, f := range []Flow{Next, Call, Jump, Branch, Return, Stop} {
			if flows[f] == 0 {
				t.Errorf("%s: none has flow %d", name, f)
			}
		}
	}
}
