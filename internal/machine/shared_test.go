package machine

import (
	"fmt"
	"slices"
	"testing"
)

// contents is what a state holds, as text.
func contents(s *State) string {
	text := ""
	for r, v := range s.regs {
		text += fmt.Sprintf("%d: %s\n", r, texts(v))
	}
	for _, x := range s.slots {
		text += fmt.Sprintf("%v %d: %s\n", x.place, x.width, texts(x.value))
	}
	return text + fmt.Sprint(s.taken)
}

// States that come from one another share what they hold, until one of them is changed: then the other stays as it was.
func TestStatesApart(t *testing.T) {
	env := X86()
	var sl slab
	made := func() State {
		s := entryState(&env, &sl, 0)
		s.early, s.in = true, &Routine{env: &env, kept: 1}
		s.put(place{0, -8}, 4, sl.number(1, 4, 0))
		s.put(place{0, 16}, 4, sl.number(2, 4, 0))
		s.take(place{0, -16})
		s.take(place{0, -20})
		s.take(place{0, -24}) // there is room for more behind it
		return s
	}
	earlier := sl.one(Atom{Kind: Opaque, Why: Earlier, N: int64(env.Frame)})
	for name, change := range map[string]func(s *State){
		"a slot is written":        func(s *State) { s.put(place{0, -8}, 4, sl.number(3, 4, 0)) },
		"a slot is added":          func(s *State) { s.put(place{0, 12}, 4, sl.number(3, 4, 0)) },
		"a slot is lost":           func(s *State) { s.cutOut(place{0, 16}, 4) },
		"an address is taken":      func(s *State) { s.take(place{0, -32}) },
		"a register is written":    func(s *State) { s.write(reg(1, 4), sl.number(3, 4, 0), 0) },
		"all of it may be written": func(s *State) { s.regs[env.Frame] = earlier; s.write(at(env.Frame, -4, 4), sl.number(3, 4, 0), 0) },
	} {
		one := made()
		before := contents(&one)
		two := one.clone()
		change(&two)
		changed := contents(&two)
		if contents(&one) != before || changed == before {
			t.Errorf("%s, in the copy: got\n%s\nwant\n%s", name, contents(&one), before)
		}
		two.take(place{0, -40})
		one.take(place{0, -44})
		if slices.Contains(two.taken, place{0, -44}) || slices.Contains(one.taken, place{0, -40}) {
			t.Errorf("%s: what is taken of one is of the other", name)
		}
		three := made()
		four := three.clone()
		if change(&three); contents(&four) != before {
			t.Errorf("%s, in the first: got\n%s\nwant\n%s", name, contents(&four), before)
		}
		five, six := made(), made()
		change(&six)
		sixth := contents(&six)
		out, same := five.joined(&six, 0x40, false)
		if same || contents(&five) != before || contents(&six) != sixth || contents(&out) == before {
			t.Errorf("%s, on one of two ways: %v\n%s\n%s\n%s", name, same, contents(&five), contents(&six), contents(&out))
		}
	}
}

// Runs that are not read in the order of their addresses.
func TestOrderOfRuns(t *testing.T) {
	const code = "\xeb\x03" + "\x31\xc0\xc3" + "\x85\xc9\x74\xf9\xc3" // jmp 5; 2: xor eax, eax; ret; 5: test ecx, ecx; je 2; ret
	env := X64()
	around(&env, []byte(code))
	r := Read(&env, 0)
	var got []uint32
	for _, in := range r.Outlines() {
		got = append(got, in.At)
	}
	if want := []uint32{0, 2, 4, 5, 7, 9}; !slices.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
	s, ok := r.Before(4)
	if !ok {
		t.Fatal("the ret behind xor is not reached")
	}
	if n, one := s.Register(0).Number(); !one || n != 0 {
		t.Errorf("got %s, want 0", texts(s.Register(0)))
	}
}

// A routine that was followed where both ways of a branch are open has one in surroundings that tell the other.
func TestAnew(t *testing.T) {
	// mov eax, [rip+0x1000]; test edx, edx; je a; b: test eax, eax; je c; a: nop; c: ret
	const code = "\x8b\x05\x00\x10\x00\x00" + "\x85\xd2\x74\x04" + "\x85\xc0\x74\x01" + "\x90\xc3"
	const b, nop, ret = 10, 14, 15
	open, decided := X64(), X64()
	around(&open, []byte(code))
	around(&decided, []byte(code))
	decided.Constant = func(uint64, uint8) (uint64, bool) { return 0, true }
	never := func(*Outline) bool { return false }
	r := Read(&open, 0)
	if reached := r.Reach(b, never); !reached.Has(nop) || !reached.Has(ret) {
		t.Fatal("one of the ways is not open")
	}
	if reached := r.Anew(&decided).Reach(b, never); reached.Has(nop) || !reached.Has(ret) {
		t.Error("the way of another value is open")
	}
	if reached := r.Reach(b, never); !reached.Has(nop) {
		t.Error("the first has changed")
	}
}

// The registers of each state that is kept are its own, and none of them is handed out again.
func TestRegistersAreKept(t *testing.T) {
	// sub rsp, 0x28; mov dword [rsp+0x20], 0; test edx, edx; jo a; mov dword [rsp+0x20], 1; a: test eax, eax; je b; xor ebx, ebx; b: ...; ret
	const code = "\x48\x83\xec\x28" + "\xc7\x44\x24\x20\x00\x00\x00\x00" + "\x85\xd2\x70\x08" + "\xc7\x44\x24\x20\x01\x00\x00\x00" +
		"\x85\xc0\x74\x02" + "\x31\xdb" + "\x48\x83\xc4\x28\xc3"
	env := X64()
	around(&env, []byte(code))
	r := Read(&env, 0)
	r.Returns(func(*State, *Inst) {})
	owners := map[*Value]int{}
	for i := range r.blocks {
		in := r.blocks[i].in
		if in == nil {
			t.Fatalf("block %d is not reached", i)
		}
		owners[&in.regs[0]]++
	}
	if len(owners) != len(r.blocks) || len(r.blocks) != 5 {
		t.Errorf("%d blocks have the registers of %d", len(r.blocks), len(owners))
	}
	if len(r.slab.spare) == 0 {
		t.Error("none were given back")
	}
	for _, spare := range r.slab.spare {
		if owners[&spare[0]]++; owners[&spare[0]] > 1 {
			t.Error("registers that are kept were given back, or some were twice")
		}
	}
}
