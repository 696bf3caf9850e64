package image

import (
	"debug/pe"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/image/imagetest"
	"github.com/nxport/nxport/nx"
)

// everything asks an image for all that it can be asked for.
func everything(t *testing.T, data []byte) {
	m, err := Parse("d.sys", data)
	if err != nil {
		return
	}
	m.Symbols()
	for _, rva := range []uint32{0, m.Entry, codeAt + 0x10, 0xffffffff} {
		m.Function(rva)
		_, _ = m.Frames(rva)
	}
	d := m.Driver(nx.DDIs(), func(name string) string { return name })
	for _, s := range d.Sites {
		if s.Spot == nil || len(s.Value.Terms) == 0 && s.Value.Unknown == "" && s.DDI.Argument > 0 {
			t.Fatalf("%+v says nothing", s)
		}
	}
}

// bounded asks for what asks for the most, and fails where the work goes beyond what an image gets.
func bounded(t *testing.T, m *Image) {
	f := m.follower(newRoom(nx.DDIs()))
	f.sites()
	f.findOptIns()
	const lastBlock = 1 << 16 // is run through to its end
	for _, g := range f.byVersion {
		if g.env.Budget < -lastBlock {
			t.Errorf("%d instructions more than are allowed for %s", -g.env.Budget, g.windows)
		}
	}
	if f.env.Budget < -lastBlock {
		t.Errorf("%d instructions more than are allowed", -f.env.Budget)
	}
}

// An image that ends anywhere, and one in which any byte is another, is read without a panic.
func TestHostile(t *testing.T) {
	for p, every := range map[nx.Processor]int{nx.X64: 1, nx.X86: 5, nx.ARM64: 5} {
		whole := parts(p, seeds[p][0]).Image()
		if testing.Short() {
			every = 61
		}
		for n := 0; n < len(whole); n += every {
			everything(t, whole[:n])
			for _, v := range []byte{0x7f, 0xff} {
				b := slices.Clone(whole)
				b[n] ^= v
				everything(t, b)
			}
		}
	}
}

// imports are what the drivers here can call.
var imports = []string{alloc, "MmMapLockedPagesSpecifyCache", "RtlGetVersion", "MmGetSystemRoutineAddress", "RtlInitUnicodeString", "NdisGetVersion"}

// parts makes a driver of code, with a table of jumps, a text and variables.
func parts(p nx.Processor, code []byte) imagetest.Parts {
	constants := words(codeAt, codeAt+8, codeAt+16, codeAt+24, 0x00100010, imagetest.Base+imagetest.ConstantsAt+24)
	for _, c := range "ExAllocatePoolWithTag" {
		constants = append(constants, byte(c), 0)
	}
	return imagetest.Parts{
		Processor: p, Code: code[:min(len(code), imagetest.MaxCode)], Imports: imports, Constants: constants, Variables: words(0, 0, 0x200),
		Pointers: []uint32{imagetest.ConstantsAt + 20},
	}
}

// seeds are code to begin with.
var seeds = map[nx.Processor][][]byte{
	nx.X64: {
		{
			0x48, 0x81, 0xec, 0x68, 1, 0, 0, // sub rsp, 168h
			0x48, 0x8d, 0x4c, 0x24, 0x30, // lea rcx, [rsp+30h]
			0xc7, 0x01, 0x14, 1, 0, 0, // mov dword ptr [rcx], 114h
			0xff, 0x15, 0xf8, 0x0f, 0, 0, // call RtlGetVersion
			0x85, 0xc0, 0x78, 0x18, // test eax, eax; js
			0x83, 0x7c, 0x24, 0x34, 6, 0x72, 0x11, // cmp [rsp+34h], 6; jb
			0x77, 0x07, // ja
			0x83, 0x7c, 0x24, 0x38, 2, 0x72, 8, // cmp [rsp+38h], 2; jb
			0xc7, 0x05, 0xce, 0x1f, 0, 0, 0, 2, 0, 0, // mov dword ptr [3000h], 200h
			0x8b, 0x0d, 0xc8, 0x1f, 0, 0, // mov ecx, [3000h]
			0xff, 0x15, 0xc2, 0x0f, 0, 0, // call ExAllocatePoolWithTag
			0x48, 0x81, 0xc4, 0x68, 1, 0, 0, 0xc3, // add rsp, 168h; ret
		},
		{0x31, 0xc9, 0xe8, 1, 0, 0, 0, 0xc3, 0x83, 0xc9, 0x01, 0xff, 0x25, 0xef, 0x0f, 0, 0},
	},
	nx.X86: {
		// push 'tset'; push 10h; push dword ptr [3000h]; call ExAllocatePoolWithTag; mov edi, [slot]; push 0; call edi; ret
		{0x68, 't', 'e', 's', 't', 0x6a, 0x10, 0xff, 0x35, 0, 0x30, 1, 0, 0xff, 0x15, 0, 0x20, 1, 0, 0x8b, 0x3d, 0, 0x20, 1, 0, 0x6a, 0, 0xff, 0xd7, 0xc3},
		// mov eax, [esp+4]; jmp [eax*4+2700h]
		{0x8b, 0x44, 0x24, 4, 0xff, 0x24, 0x85, 0, 0x27, 1, 0, 0x6a, 0, 0xff, 0x15, 0, 0x20, 1, 0, 0xc3},
	},
	nx.ARM64: {
		// adrp x8, 3000h; ldr w0, [x8]; adrp x9, 2000h; ldr x9, [x9]; blr x9; cbz w0, 1000h; adrp x8, 3000h; mov w9, #200h; str w9, [x8]; ret
		words(0xd0000008, 0xb9400100, 0xb0000009, 0xf9400129, 0xd63f0120, 0x34ffff60, 0xd0000008, 0x52804009, 0xb9000109, 0xd65f03c0),
		// adrp x8, 2000h; add x8, x8, #700h; ldrsw x9, [x8, x0, lsl 2]; adr x10, 1000h; add x9, x10, x9; br x9; mov w0, #1; b thunk
		words(0xb0000008, 0x911c0108, 0xb8a07909, 0x10ffffaa, 0x8b090149, 0xd61f0120, 0x52800020, 0x14000001, 0xb0000010, 0xf9400210, 0xd61f0200),
	},
}

func FuzzImage(f *testing.F) {
	for _, p := range []nx.Processor{nx.X64, nx.X86, nx.ARM64} {
		for _, code := range seeds[p] {
			f.Add(build(p, code))
			f.Add(parts(p, code).Image())
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		everything(t, data)
		if m, err := Parse("d.sys", data); err == nil && m.Processor != nx.ARM {
			bounded(t, m)
		}
	})
}

// FuzzX64, FuzzX86 and FuzzARM64 follow any code in an image that is in order. The first byte says whether there is unwind information.
func FuzzX64(f *testing.F)   { fuzzCode(f, nx.X64) }
func FuzzX86(f *testing.F)   { fuzzCode(f, nx.X86) }
func FuzzARM64(f *testing.F) { fuzzCode(f, nx.ARM64) }

func fuzzCode(f *testing.F, p nx.Processor) {
	for _, code := range seeds[p] {
		f.Add(false, code)
		f.Add(true, code)
	}
	f.Fuzz(func(t *testing.T, unwound bool, code []byte) {
		made := parts(p, code)
		if unwound {
			n := uint32(len(made.Code)) &^ 3
			made.Functions = []uint32{codeAt, codeAt + n/2&^3, codeAt + n}
		}
		data := made.Image()
		everything(t, data)
		if m, err := Parse("d.sys", data); err == nil && m.Processor != nx.ARM {
			bounded(t, m)
		}
	})
}

// Code that is made to be followed for long, or to take room, is followed as far as an image gets, and the driver is said not to be judged.
func TestMuchCode(t *testing.T) {
	const size, at = 1 << 20, 0x10000
	random := rand.New(rand.NewPCG(8, 8))
	short := func(code []byte, i int) int {
		code[i], code[i+1] = 0x75, byte(random.Uint32())
		return 2
	}
	far := func(code []byte, i int) int {
		copy(code[i:], []byte{0x0f, 0x84})
		binary.LittleEndian.PutUint32(code[i+2:], uint32(random.IntN(size/6)*6-i-6))
		return 6
	}
	caller := func(code []byte, i int) int {
		copy(code[i:], []byte{0x55, 0x8b, 0xec, 0xe8, 0, 0, 0, 0, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3, 0xcc})
		binary.LittleEndian.PutUint32(code[i+4:], uint32(random.IntN(size/16)*16-i-8))
		return 16
	}
	noise := func(code []byte, i int) int {
		code[i] = byte(random.Uint32())
		return 1
	}
	for _, p := range []nx.Processor{nx.X64, nx.X86} {
		if testing.Short() && p == nx.X86 {
			break
		}
		for name, c := range map[string]struct {
			piece func(code []byte, i int) int
			every int // a request stands
		}{"short branches": {short, 4096}, "far branches": {far, 6000}, "callers": {caller, 32}, "noise": {noise, 64}} {
			code := make([]byte, size)
			for i := 0; i+16 <= size; {
				i += c.piece(code, i)
			}
			for i := 0; i+16 <= size; i += c.every {
				copy(code[i:], []byte{0xff, 0x15})
				binary.LittleEndian.PutUint32(code[i+2:], imagetest.DataAt+map[nx.Processor]uint32{nx.X64: uint32(-at - i - 6), nx.X86: based}[p])
			}
			m, err := Parse("d.sys", parts(p, nil).Image())
			if err != nil {
				t.Fatal(err)
			}
			m.Sections = append(m.Sections, Section{Name: "CODE", RVA: at, Size: size, Characteristics: imagetest.ReadAndRun, offset: uint32(len(m.data)), length: size})
			m.directories[pe.IMAGE_DIRECTORY_ENTRY_BASERELOC] = directory{} // what names the imports is found by its bytes
			m.data, m.Size, m.Entry = append(m.data, code...), at+size, at
			said := slices.ContainsFunc(m.Driver(nx.DDIs(), nil).Facts, func(f driver.Fact) bool { return f.Kind == driver.NotJudged })
			if !said && name != "callers" {
				t.Errorf("%s %s: nothing is said", p, name)
			}
		}
	}
}
