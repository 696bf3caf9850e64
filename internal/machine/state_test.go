package machine

import "testing"

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
		c.env.Code = func(at uint32) []byte { return []byte(c.code)[min(int(at), len(c.code)):] }
		c.env.Inside = func(_, to uint32) bool { return int(to) < len(c.code) }
		c.env.Constant = func(uint64, uint8) (uint64, bool) { return 0, false }
		c.env.Budget = 1000
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
