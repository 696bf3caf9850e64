package machine

import (
	"encoding/binary"
	"slices"
	"testing"
)

// around sets what surrounds a routine that is all the code there is.
func around(env *Env, code []byte) {
	env.Code = func(at uint32) []byte { return code[min(int(at), len(code)):] }
	env.Inside = func(_, to uint32) bool { return int(to) < len(code) }
	env.Constant = func(uint64, uint8) (uint64, bool) { return 0, false }
	env.Budget = 1000
}

// What is put on the stack is found again where the stack pointer was moved by what a call returned, as large frames are made.
func TestStackMovedByUnknown(t *testing.T) {
	const four = "\x00\x00\x00\x00"
	for _, c := range []struct {
		name     string
		env      Env
		code     string
		argument int
	}{
		// mov eax, 0x2000; call; sub rsp, rax; mov dword ptr [rsp+0x20], 7; call; ret
		{"x64", X64(), "\xb8\x00\x20\x00\x00" + "\xe8" + four + "\x48\x2b\xe0" + "\xc7\x44\x24\x20\x07\x00\x00\x00" + "\xe8" + four + "\xc3", 5},
		// mov x15, #0x200; bl; sub sp, sp, x15, lsl #4; mov w8, #7; str w8, [sp]; bl; ret
		{"ARM64", ARM64(), "\x0f\x40\x80\xd2" + "\x00\x10\x00\x94" + "\xff\x73\x2f\xcb" + "\xe8\x00\x80\x52" + "\xe8\x03\x00\xb9" + "\x00\x10\x00\x94" + "\xc0\x03\x5f\xd6", 9},
	} {
		around(&c.env, []byte(c.code))
		var got []Value
		Read(&c.env, 0).Calls(func(s *State, in *Inst) { got = append(got, s.Argument(c.argument, false, in.At)) })
		if len(got) != 2 {
			t.Fatalf("%s: %d calls", c.name, len(got))
		}
		if n, ok := got[1].Number(); !ok || n != 7 {
			t.Errorf("%s: got %v, want 7", c.name, got[1])
		}
	}
}

// A table ends where the comparison says that the flags are from, be it in a block in front of that whose branch looks at them.
func TestJumpTable(t *testing.T) {
	const (
		compare = 0x7100041f // cmp w0, #1
		test    = 0x7200003f // tst w1, #1
		zero    = 0x34000121 // cbz w1, 0x28
		nop     = 0xd503201f
		above   = 0x54000108 // b.hi 0x28
		ret     = 0xd65f03c0
	)
	for _, c := range []struct {
		name          string
		first, second uint32
		bound         int
	}{
		{"compared", nop, compare, 2},
		{"compared in the block in front", compare, zero, 2},
		{"tested in between", compare, test, 0},
	} {
		// adr x9, table; ldrsb x8, [x9, w0, uxtw]; add x8, x9, x8, lsl #2; br x8; table: 0x20, 0x24, and what is none: 0x14, 0x1c
		words := []uint32{c.first, c.second, above, 0x10000089, 0x38a04928, 0x8b080928, 0xd61f0100, 0x00fe0201, ret, ret, ret}
		var code []byte
		for _, w := range words {
			code = binary.LittleEndian.AppendUint32(code, w)
		}
		env := ARM64()
		around(&env, code)
		r := Read(&env, 0)
		want := []uint32{0x20, 0x24}
		if got := r.tables[0x18]; len(got) < 2 || !slices.Equal(got[:2], want) || c.bound == 2 && len(got) != 2 || c.bound == 0 && len(got) == 2 {
			t.Errorf("%s: leads to %x", c.name, got)
		}
	}
}

// A jump through a pointer takes the routine's place where the stack is as on entry; else it may lead to anywhere in the routine.
func TestHandsOver(t *testing.T) {
	for _, c := range []struct {
		code  string
		whole bool
	}{
		{"\xff\xe1", true}, // jmp rcx
		{"\x48\x83\xec\x28" + "\x48\x8b\x01" + "\x48\x83\xc4\x28" + "\xff\x60\x08", true}, // sub rsp, 40; mov rax, [rcx]; add rsp, 40; jmp [rax+8]
		{"\x48\x83\xec\x28" + "\x48\x8b\x01" + "\xff\x60\x08", false},                     // the same, but the stack is not put back
		{"\x48\x8b\x01" + "\x48\x8b\x00" + "\xff\xe0", true},                              // mov rax, [rcx]; mov rax, [rax]; jmp rax
		{"\x48\x8b\x04\xd1" + "\xff\xe0", false},                                          // mov rax, [rcx+rdx*8]; jmp rax
		{"\xff\x24\xd1", false},                                                           // jmp [rcx+rdx*8]
	} {
		env := X64()
		around(&env, []byte(c.code))
		if r := Read(&env, 0); r.Whole != c.whole {
			t.Errorf("% x: whole is %v", c.code, r.Whole)
		}
	}
}

// A flag that is put into the second byte of a register, or taken out of it, leaves the rest as it is.
func TestSecondByte(t *testing.T) {
	for _, c := range []struct {
		name, code string
		want       uint64
	}{
		{"or ah, 4", "\x80\xcc\x04", 0x12345e78},
		{"and ah, 0xf9", "\x80\xe4\xf9", 0x12345878},
		{"xor ah, 3", "\x80\xf4\x03", 0x12345978},
	} {
		for _, env := range []Env{X64(), X86()} {
			code := "\xb8\x78\x5a\x34\x12" + c.code + "\xc3" // mov eax, 0x12345a78; ...; ret
			around(&env, []byte(code))
			s, ok := Read(&env, 0).Before(uint32(len(code) - 1))
			if !ok {
				t.Fatalf("%s: the end is not reached", c.name)
			}
			if n, ok := s.Register(0).Number(); !ok || n != c.want {
				t.Errorf("%s: got %v, want %#x", c.name, s.Register(0), c.want)
			}
		}
	}
}

// Of what a routine of x86 with a frame is passed, a block in its middle tells as much as the whole routine, and no less.
func TestArgumentsOfFrame(t *testing.T) {
	const entry, test = "\x55\x8b\xec\x83\xec\x10", "\x85\xc0\x74\x00" // push ebp; mov ebp, esp; sub esp, 16; test eax, eax; jz to the next
	const load = "\x8b\x45\x08\xc9\xc3"                                // mov eax, [ebp+8]; leave; ret
	for _, c := range []struct{ name, code, want string }{
		{"nothing else", entry + test + load, "slot0x4"},
		{"an argument of a call", entry + test + "\xc7\x44\x24\x04\x05\x00\x00\x00" + load, "slot0x4"},                                       // mov [esp+4], 5
		{"written before", entry + "\xc7\x45\x08\x05\x00\x00\x00" + test + load, "0x5"},                                                      // mov [ebp+8], 5
		{"its address is passed", entry + "\x8d\x4d\x08\xe8\x00\x10\x00\x00" + test + load, "? a called routine may have written it at 0x9"}, // lea ecx, [ebp+8]; call
		{"written by the stack pointer", entry + "\xc7\x44\x24\x18\x05\x00\x00\x00" + test + load, "0x5"},                                    // mov [esp+24], 5
		{"pushed in front", entry + "\x6a\x05" + test + load, "slot0x4"},                                                                     // push 5
	} {
		env := X86()
		around(&env, []byte(c.code))
		env.Pops = func(*Inst, Value) (int, bool) { return 0, true }
		r := Read(&env, 0)
		v, ok := r.Value(uint32(len(c.code)-2), nil, func(s *State) Value { return s.Register(0) })
		if got := texts(v); !ok || got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		i, _ := r.find(uint32(len(c.code) - 2))
		if _, alone := r.demand(r.blockOf(i), i, nil, func(s *State) Value { return s.Register(0) }, 0); alone != (c.want == "slot0x4") {
			t.Errorf("%s: the block alone told it: %v", c.name, alone)
		}
	}
}

// A loop that counts down to nothing leaves nothing, be its flags those of the counter or of the comparison with what is taken off it.
func TestCountedDown(t *testing.T) {
	for _, c := range []struct{ name, code string }{
		{"dec ecx", "\xb9\x10\x00\x00\x00" + "\xff\xc9" + "\x75\xfc" + "\xc3"},        // mov ecx, 16; dec ecx; jnz to that; ret
		{"sub ecx, 1", "\xb9\x10\x00\x00\x00" + "\x83\xe9\x01" + "\x75\xfb" + "\xc3"}, // mov ecx, 16; sub ecx, 1; jnz to that; ret
	} {
		env := X64()
		around(&env, []byte(c.code))
		s, ok := Read(&env, 0).Before(uint32(len(c.code) - 1))
		if !ok {
			t.Fatal(c.name)
		}
		if n, one := s.Register(1).Number(); !one || n != 0 {
			t.Errorf("%s: got %s", c.name, texts(s.Register(1)))
		}
	}
}

// What one way compared and has elsewhere, too, is not what the other way has there: only what was compared on both is narrowed.
func TestTwoComparisons(t *testing.T) {
	const code = "\x85\xd2\x74\x0a" + // test edx, edx; je b
		"\x6b\xc1\x03\x89\xc3\x83\xf8\x00\xeb\x0b" + // imul eax, ecx, 3; mov ebx, eax; cmp eax, 0; jmp l
		"\x41\x6b\xc0\x03\x41\x6b\xd9\x03\x83\xf8\x00" + // b: imul eax, r8d, 3; imul ebx, r9d, 3; cmp eax, 0
		"\x75\x01\x90\xc3" // l: jne o; nop; o: ret
	env := X64()
	around(&env, []byte(code))
	s, ok := Read(&env, 0).Before(uint32(len(code) - 2))
	if !ok {
		t.Fatal("the equal way is not reached")
	}
	const ebx = 3
	if v := s.Register(ebx); len(v) != 1 || v[0].Kind != Opaque {
		t.Errorf("got %s, want something unknown", texts(v))
	}
}
