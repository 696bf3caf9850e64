package machine

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func numbersOf(list ...int64) (v Value) {
	for _, n := range list {
		v = append(v, Atom{N: n})
	}
	return v
}

func texts(v Value) string {
	var list []string
	for _, a := range v {
		s := a.String()
		if a.Low != 0 {
			s += fmt.Sprintf(" low %d", a.Low)
		}
		list = append(list, s)
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

func TestJoin(t *testing.T) {
	var s slab
	unknown := Value{{Kind: Opaque, Why: FromMemory}}
	for _, c := range []struct {
		a, b Value
		want string
	}{
		{numbersOf(1), numbersOf(1), "0x1"},
		{numbersOf(1), numbersOf(2), "0x1, 0x2"},
		{numbersOf(1, 2), numbersOf(2, 3), "0x1, 0x2, 0x3"},
		{unknown, Value{{Kind: Opaque, Why: NotFollowed, N: fromCaller}}, "? it is read through a pointer at 0x0"},
		{numbersOf(1), unknown, "0x1, ? it is read through a pointer at 0x0"},
		{numbersOf(1, 2, 3, 4, 5, 6, 7, 8), numbersOf(8), "0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0x8"},
		{numbersOf(1, 2, 3, 4, 5, 6, 7, 8), numbersOf(9), "? it has more than 8 values at 0x40"},
		{Value{{Kind: Opaque, Why: ManyValues}}, numbersOf(9), "? it has more than 8 values at 0x0"},
		{Value{{Kind: Opaque, Why: InLoop}}, numbersOf(9), "? it changes in a loop at 0x0"},
	} {
		if got := texts(s.join(c.a, c.b, 0x40)); got != c.want {
			t.Errorf("%s or %s: got %s, want %s", texts(c.a), texts(c.b), got, c.want)
		}
	}
}

// stateOf runs instructions of x64 or x86 from an entry on.
func stateOf(t *testing.T, env Env, code string) *State {
	t.Helper()
	around(&env, []byte(code))
	env.Pops = func(in *Inst, _ Value) (int, bool) { return 8, in.Known }
	s, ok := Read(&env, 0).Before(uint32(len(code) - 1))
	if !ok {
		t.Fatalf("% x is not reached to its end", code)
	}
	return s
}

// What is left of a register, and of the stack, where a part of it is written. The code ends with ret.
func TestParts(t *testing.T) {
	const ax, cx = 0, 1
	x64, x86 := X64(), X86()
	for _, c := range []struct {
		name string
		env  Env
		code string
		get  func(s *State) Value
		want string
	}{
		{"mov rax, -1; mov al, 5", x64, "\x48\xc7\xc0\xff\xff\xff\xff" + "\xb0\x05" + "\xc3", func(s *State) Value { return s.Register(ax) }, "0x-fb"},
		{"mov rax, -1; mov ax, 5", x64, "\x48\xc7\xc0\xff\xff\xff\xff" + "\x66\xb8\x05\x00" + "\xc3", func(s *State) Value { return s.Register(ax) }, "0x-fffb"},
		{"mov rax, -1; mov eax, 5", x64, "\x48\xc7\xc0\xff\xff\xff\xff" + "\xb8\x05\x00\x00\x00" + "\xc3", func(s *State) Value { return s.Register(ax) }, "0x5"},
		{"mov al, 5: the rest is the caller's", x64, "\xb0\x05" + "\xc3", func(s *State) Value { return s.Register(ax) }, "0x5 low 1"},
		{"mov al, 5; movzx ecx, al", x64, "\xb0\x05" + "\x0f\xb6\xc8" + "\xc3", func(s *State) Value { return s.Register(cx) }, "0x5"},
		{"mov al, 5; mov ecx, eax", x64, "\xb0\x05" + "\x89\xc1" + "\xc3", func(s *State) Value { return s.Register(cx) }, "? it is computed in a way that is not followed at 0x2"},
		{"mov dword ptr [rsp+8], 0x200; mov eax, [rsp+8]", x64, "\xc7\x44\x24\x08\x00\x02\x00\x00" + "\x8b\x44\x24\x08" + "\xc3", func(s *State) Value { return s.Register(ax) }, "0x200"},
		{"mov dword ptr [rsp+8], 0x201; movzx eax, byte ptr [rsp+8]", x64, "\xc7\x44\x24\x08\x01\x02\x00\x00" + "\x0f\xb6\x44\x24\x08" + "\xc3", func(s *State) Value { return s.Register(ax) }, "0x1"},
		{"mov dword ptr [rsp+8], 0x201; mov byte ptr [rsp+9], 3; mov eax, [rsp+8]", x64,
			"\xc7\x44\x24\x08\x01\x02\x00\x00" + "\xc6\x44\x24\x09\x03" + "\x8b\x44\x24\x08" + "\xc3", func(s *State) Value { return s.Register(ax) },
			"? it is computed in a way that is not followed at 0xd"},
		{"mov dword ptr [rsp-8], 1; mov dword ptr [rsp-4], 2; mov dword ptr [rsp-8], 3; mov eax, [rsp-4]", x64,
			"\xc7\x44\x24\xf8\x01\x00\x00\x00" + "\xc7\x44\x24\xfc\x02\x00\x00\x00" + "\xc7\x44\x24\xf8\x03\x00\x00\x00" + "\x8b\x44\x24\xfc" + "\xc3",
			func(s *State) Value { return s.Register(ax) }, "0x2"},
		{"or ecx, edx; or ecx, 4; or ecx, r8d", x64, "\x09\xd1" + "\x83\xc9\x04" + "\x44\x09\xc1" + "\xc3", func(s *State) Value { return s.Register(cx) },
			"? it is computed in a way that is not followed at 0x5"},
		{"or ecx, edx; or ecx, 4", x64, "\x09\xd1" + "\x83\xc9\x04" + "\xc3", func(s *State) Value { return s.Register(cx) }, "both0x0&^0x0|0x4"},
		{"xor eax, eax; test ecx, ecx; cmove eax, edx; or eax, r8d", x64, "\x31\xc0\x85\xc9\x0f\x44\xc2" + "\x44\x09\xc0" + "\xc3",
			func(s *State) Value { return s.Register(ax) }, "both0x0, entry0x8"},
		{"or cx, dx: not all of it", x64, "\x66\x09\xd1" + "\xc3", func(s *State) Value { return s.Register(cx) }, "? it is computed in a way that is not followed at 0x0"},
		{"push 1; push 2; call, which takes 8 bytes", x86, "\x6a\x01\x6a\x02" + "\xe8\x00\x00\x00\x00" + "\xc3", func(s *State) Value { return s.Register(4) }, "frame0x0"},
		{"push ebx; push 1; push 2; call eax: what was pushed is taken, but for what is saved", x86, "\x53\x6a\x01\x6a\x02" + "\xff\xd0" + "\xc3",
			func(s *State) Value { return s.Register(4) }, "frame0x-4"},
	} {
		if got := texts(c.get(stateOf(t, c.env, c.code))); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}
