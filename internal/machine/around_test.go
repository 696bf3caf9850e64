package machine

import "testing"

// What stands on the stack is told by the blocks in front back to one that all ways lead through, where that is one thing, and else by the
// whole routine.
func TestAround(t *testing.T) {
	const (
		load  = "\x8b\x04\x24\xc3"                 // mov eax, [esp]; ret
		test  = "\x85\xc0"                         // test eax, eax
		first = "\x83\xec\x08\x8d\x3c\x24\x49\x75" // sub esp, 8; lea edi, [esp]; dec ecx; jnz
		again = "\xfd"                             // to dec ecx
		five  = "\xc7\x04\x24\x05\x00\x00\x00"     // mov [esp], 5
	)
	for _, c := range []struct {
		name, code, want string
		around           bool
	}{
		{"pushed in front of a branch", "\x6a\x05" + test + "\x74\x01\x41" + load, "0x5", true},                                                         // push 5; test; jz 1; inc ecx
		{"pushed behind a loop", first + again + five + test + "\x74\x01\x41" + load, "0x5", true},                                                      // mov [esp], 5; test; jz 1; inc ecx
		{"pushed in front of a loop", "\x6a\x05" + "\x49\x75\xfd" + load, "0x5", false},                                                                 // push 5; dec ecx; jnz
		{"pushed on two ways", test + "\x74\x04\x6a\x05\xeb\x02\x6a\x06" + load, "0x5, 0x6", false},                                                     // test; jz 4; push 5; jmp 2; push 6
		{"the same on two ways", test + "\x74\x04\x6a\x05\xeb\x02\x6a\x05" + load, "0x5", true},                                                         // test; jz 4; push 5; jmp 2; push 5
		{"a way that is not gone", "\x31\xc0" + test + "\x75\x04\x6a\x05\xeb\x02\x6a\x06" + load, "0x5", true},                                          // xor eax, eax; test; jnz 4; push 5; ...
		{"on one way only", "\x83\xec\x04" + test + "\x74\x07" + five + load, "? it is read from the stack where nothing has written it at 0xe", false}, // sub esp, 4; test; jz 7
		{"its address is in a register", first + again + five + test + "\x74\x01\x41" + "\x89\xf9\xe8\x00\x10\x00\x00" + test + "\x74\x01\x41" + load,
			"? it is read from the stack where nothing has written it at 0x21", false}, // mov ecx, edi; call; test; jz 1; inc ecx
	} {
		env := X86()
		around(&env, []byte(c.code))
		env.Pops = func(*Inst, Value) (int, bool) { return 0, true }
		r := Read(&env, 0)
		at := uint32(len(c.code) - 1)
		v, ok := r.Value(at, nil, func(s *State) Value { return s.Register(0) })
		if got := texts(v); !ok || got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		if told := !r.solved && r.partly == 0; told != c.around {
			t.Errorf("%s: the blocks around told it: %v", c.name, told)
		}
	}
}
