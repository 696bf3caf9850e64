package image

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/image/imagetest"
	"github.com/nxport/nxport/nx"
)

const alloc = "ExAllocatePoolWithTag"

// The images that build makes have one section of code at 0x1000, which begins in the file at 0x400, and one of data at 0x2000
// with an import of two routines: their slots are 0x2000 and 0x2000 + width.
const (
	codeAt = imagetest.CodeAt
	dataAt = imagetest.DataAt
	based  = imagetest.Base
)

// build makes an image of the processor with that code.
func build(p nx.Processor, code []byte) []byte {
	return imagetest.Build(p, code, alloc, "ExFreePoolWithTag")
}

func words(list ...uint32) []byte {
	var b []byte
	for _, w := range list {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

func TestCalls(t *testing.T) {
	const free = "ExFreePoolWithTag"
	for _, c := range []struct {
		name      string
		processor nx.Processor
		code      []byte
		want      string
	}{
		{"x64 through the slot", nx.X64, []byte{0x90, 0xff, 0x15, 0xf9, 0x0f, 0, 0}, "1001-1007 " + alloc},
		{"x64 through the second slot", nx.X64, []byte{0xff, 0x15, 0x02, 0x10, 0, 0}, "1000-1006 " + free},
		{"x64 beside a slot", nx.X64, []byte{0xff, 0x15, 0xff, 0x0f, 0, 0}, ""},
		{"x64 jump as the last act", nx.X64, []byte{0x48, 0xff, 0x25, 0xf9, 0x0f, 0, 0}, "1000-0 " + alloc},
		{"x64 through a thunk", nx.X64, []byte{0xe8, 0x01, 0, 0, 0, 0xc3, 0xff, 0x25, 0xf4, 0x0f, 0, 0}, "1000-1005 " + alloc},
		{"x64 jump to a thunk", nx.X64, []byte{0xe9, 0x01, 0, 0, 0, 0xc3, 0xff, 0x25, 0xf4, 0x0f, 0, 0}, "1000-0 " + alloc},
		{"x64 unused thunks", nx.X64, []byte{0xff, 0x25, 0xfa, 0x0f, 0, 0, 0xff, 0x25, 0xfc, 0x0f, 0, 0}, ""},
		// mov rax, [slot]; mov ecx, 1; call rax
		{"x64 through a register", nx.X64, []byte{0x48, 0x8b, 0x05, 0xf9, 0x0f, 0, 0, 0xb9, 1, 0, 0, 0, 0xff, 0xd0}, "100c-100e " + alloc},
		// mov rsi, [slot]; call rsi; call rsi; jmp rsi
		{"x64 through one that is kept", nx.X64, []byte{0x48, 0x8b, 0x35, 0xf9, 0x0f, 0, 0, 0xff, 0xd6, 0xff, 0xd6, 0xff, 0xe6},
			"1007-1009 " + alloc + ", 1009-100b " + alloc + ", 100b-0 " + alloc},
		// mov rax, [slot]; call rax; call rax
		{"x64 through one that is not kept", nx.X64, []byte{0x48, 0x8b, 0x05, 0xf9, 0x0f, 0, 0, 0xff, 0xd0, 0xff, 0xd0}, "1007-1009 " + alloc},
		// mov rax, [slot]; xor eax, eax; call rax
		{"x64 through one that was written", nx.X64, []byte{0x48, 0x8b, 0x05, 0xf9, 0x0f, 0, 0, 0x31, 0xc0, 0xff, 0xd0}, ""},
		// mov r14, [slot]; ret; call r14
		{"x64 behind a return", nx.X64, []byte{0x4c, 0x8b, 0x35, 0xf9, 0x0f, 0, 0, 0xc3, 0x41, 0xff, 0xd6}, ""},
		// mov edi, [slot]; call edi
		{"x86 through a register", nx.X86, []byte{0x90, 0x8b, 0x3d, 0, 0x20, 0x01, 0, 0xff, 0xd7}, "1007-1009 " + alloc},
		// mov eax, [slot]; call eax
		{"x86 through eax", nx.X86, []byte{0x90, 0xa1, 4, 0x20, 0x01, 0, 0xff, 0xd0}, "1006-1008 " + free},
		{"x64 cut off", nx.X64, []byte{0xff}, ""},
		{"x86 through the slot", nx.X86, []byte{0xff, 0x15, 0x04, 0x20, 0x01, 0}, "1000-1006 " + free},
		{"x86 jump as the last act", nx.X86, []byte{0x5d, 0xff, 0x25, 0x04, 0x20, 0x01, 0}, "1001-0 " + free},
		{"x86 an unused thunk", nx.X86, []byte{0xc3, 0xff, 0x25, 0x04, 0x20, 0x01, 0}, ""},
		{"x86 through a thunk", nx.X86, []byte{0xe8, 0, 0, 0, 0, 0xff, 0x25, 0, 0x20, 0x01, 0}, "1000-1005 " + alloc},
		// adrp x8, #0x1000; ldr x8, [x8]; mov x0, x1; blr x8
		{"ARM64 through the slot", nx.ARM64, words(0xb0000008, 0xf9400108, 0xaa0103e0, 0xd63f0100), "100c-1010 " + alloc},
		// mov x0, x1; adrp x9, #0x1000; ldr x9, [x9, #8]; br x9
		{"ARM64 jump as the last act", nx.ARM64, words(0xaa0103e0, 0xb0000009, 0xf9400529, 0xd61f0120), "100c-0 " + free},
		// bl #8; ret; adrp x16, #0x1000; ldr x16, [x16]; br x16
		{"ARM64 through a thunk", nx.ARM64, words(0x94000002, 0xd65f03c0, 0xb0000010, 0xf9400210, 0xd61f0200), "1000-1004 " + alloc},
		// adrp x8, #0x1000; ldr x8, [x8]; blr x8; blr x8
		{"ARM64 through one that is not kept", nx.ARM64, words(0xb0000008, 0xf9400108, 0xd63f0100, 0xd63f0100), "1008-100c " + alloc},
		// adrp x19, #0x1000; ldr x8, [x19]; blr x8; ldr x8, [x19, #8]; blr x8
		{"ARM64 a page that is kept", nx.ARM64, words(0xb0000013, 0xf9400268, 0xd63f0100, 0xf9400668, 0xd63f0100), "1008-100c " + alloc + ", 1010-1014 " + free},
		{"ARM64 an unused thunk", nx.ARM64, words(0xd65f03c0, 0xb0000010, 0xf9400210, 0xd61f0200), ""},
		{"ARM64 another register", nx.ARM64, words(0xb0000008, 0xf9400108, 0xd63f0120), ""},
		{"ARM64 the register is written anew", nx.ARM64, words(0xb0000008, 0xf9400108, 0xf9401108, 0xd63f0100), ""},
		{"ARM64 behind a return", nx.ARM64, words(0xb0000008, 0xf9400108, 0xd65f03c0, 0xd63f0100), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Parse("d.sys", build(c.processor, c.code))
			if err != nil {
				t.Fatal(err)
			}
			if got := calls(m); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func calls(m *Image) string {
	var list []string
	for _, s := range sitesOf(m) {
		list = append(list, fmt.Sprintf("%x-%x %s", s.Spot.RVA, s.Spot.Return, s.DDI.Name))
	}
	return strings.Join(list, ", ")
}

// sitesOf gives the calls of all imports.
func sitesOf(m *Image) []driver.Site {
	var table []nx.DDI
	for _, v := range m.Imports {
		table = append(table, nx.DDI{Name: v.Name, Kind: nx.Always})
	}
	return m.Driver(table, func(path string) string { return path }).Sites
}

func TestParse(t *testing.T) {
	m, err := Parse("d.sys", build(nx.X64, nil))
	if err != nil {
		t.Fatal(err)
	}
	if m.Processor != nx.X64 || m.Entry != codeAt || m.Size != 0x3000 || m.Base != based || m.Subsystem != SubsystemNative {
		t.Errorf("got %+v", m)
	}
	want := []Import{{"ntoskrnl.exe", alloc, dataAt}, {"ntoskrnl.exe", "ExFreePoolWithTag", dataAt + 8}}
	if !slices.Equal(m.Imports, want) {
		t.Errorf("got %v, want %v", m.Imports, want)
	}
	if s, ok := m.Section(codeAt + 5); !ok || s.Name != ".text" || !s.Executable() {
		t.Errorf("got %+v, %v", s, ok)
	}
	if _, ok := m.Section(0x3000); ok {
		t.Error("an address behind the image is in a section")
	}
}

// A part of a function that was moved away is of that function, and what stands between is not.
func TestFunctionInParts(t *testing.T) {
	b := build(nx.X64, nil)
	put := func(at int, list ...uint32) {
		for i, v := range list {
			binary.LittleEndian.PutUint32(b[at+4*i:], v)
		}
	}
	const data, chained = 0x600, 1 | 4<<3
	put(0x98+108+4+8*3, dataAt+0x1a0, 36) // the exception directory
	put(data+0x1a0, codeAt, codeAt+0x10, dataAt+0x1d0, codeAt+0x40, codeAt+0x50, dataAt+0x1d0, codeAt+0x80, codeAt+0x90, dataAt+0x1d4)
	put(data+0x1d0, 1, chained, codeAt, codeAt+0x10, dataAt+0x1d0)
	m, err := Parse("d.sys", b)
	if err != nil {
		t.Fatal(err)
	}
	for rva, want := range map[uint32]uint32{0: codeAt, 0xf: codeAt, 0x40: codeAt + 0x40, 0x80: codeAt, 0x8f: codeAt} {
		if f, ok := m.Function(codeAt + rva); !ok || f.Start != want {
			t.Errorf("%#x: %+v, %v, want %#x", codeAt+rva, f, ok, want)
		}
	}
	for _, rva := range []uint32{0x10, 0x3f, 0x50, 0x90} {
		if f, ok := m.Function(codeAt + rva); ok {
			t.Errorf("%#x is in %+v", codeAt+rva, f)
		}
	}
	if f, _ := m.Function(codeAt + 0x80); !m.Within(codeAt+5, f) || m.Within(codeAt+0x45, f) {
		t.Error("the parts of a function are told by what stands between them")
	}
}

// Many symbols that have the same long name take no more room than the image has.
func TestManyNames(t *testing.T) {
	const count, length = 1000, 4000
	b := build(nx.X64, nil)
	binary.LittleEndian.PutUint32(b[0x84+8:], uint32(len(b)))
	binary.LittleEndian.PutUint32(b[0x84+12:], count)
	for i := range count {
		symbol := make([]byte, sizeSymbol)
		symbol[4], symbol[12], symbol[14] = 4, 1, 0x20
		binary.LittleEndian.PutUint32(symbol[8:], uint32(i))
		b = append(b, symbol...)
	}
	b = append(append(b, 0, 0, 0, 0), strings.Repeat("a", length)...)
	m, err := Parse("d.sys", b)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(m.Symbols()); n == 0 || n*length > 2*len(b) {
		t.Errorf("%d names of %d bytes are kept of an image of %d", n, length, len(b))
	}
}

func TestNoImage(t *testing.T) {
	change := func(at int, v ...byte) []byte {
		b := build(nx.X64, nil)
		copy(b[at:], v)
		return b
	}
	for _, c := range []struct {
		data []byte
		want string
	}{
		{nil, "d.sys: no PE image: want a built driver (.sys)"},
		{change(offsetLfanew, 0xff, 0xff, 0xff, 0xff), "no PE header at 0xffffffff"},
		{change(0x84, 0x00, 0x02), "built for machine 0x200: want x86, x64, ARM or ARM64"},
		{change(0x94, 0xff, 0xff), "cut off in its optional header, at 0x98"},
		{change(0x94, 10, 0), "its optional header has 10 bytes: want 72 or more, at 0x98"},
		{change(0x98, 0x07, 0x01), "its optional header begins with 0x107"},
		{change(0x98, 0x0b, 0x01), "its optional header is not that of an x64 image"},
		{change(0x86, 97, 0), "claims 97 sections"},
	} {
		if _, err := Parse("d.sys", c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

const source = `typedef unsigned long long SIZE_T;
__declspec(dllimport) void *ExAllocatePoolWithTag(int, SIZE_T, unsigned);
__declspec(dllimport) void ExFreePoolWithTag(void *, unsigned);
void *Keep[4];
static void *Get(SIZE_T size)
{
    return ExAllocatePoolWithTag(0, size, 1); /* inner */
}
__attribute__((noinline)) void Other(void)
{
    ExFreePoolWithTag(Keep[0], 1); /* free */
    Keep[1] = Keep[2];
}
int DriverEntry(void *driver, void *path)
{
    Keep[0] = Get(5); /* outer */
    Other();
    return 0;
}
`

// Compilers' images: the calls and their lines are those of the source, inlined or not.
func TestCompiled(t *testing.T) {
	if testing.Short() {
		t.Skip("needs gcc for mingw-w64, clang-19, lld-19")
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	src := write("d.c", source)
	def := write("nt.def", "LIBRARY ntoskrnl.exe\nEXPORTS\n"+alloc+"\nExFreePoolWithTag\n")
	for _, c := range []struct {
		name, target, machine string
		processor             nx.Processor
		pdata                 bool
	}{
		{"gcc", "", "", nx.X64, true},
		{"clang x64", "x86_64-pc-windows-msvc", "i386:x86-64", nx.X64, true},
		{"clang x86", "i686-pc-windows-msvc", "i386", nx.X86, false},
		{"clang ARM64", "aarch64-pc-windows-msvc", "arm64", nx.ARM64, true},
	} {
		for _, level := range []string{"-O0", "-O2"} {
			t.Run(c.name+level, func(t *testing.T) {
				out := filepath.Join(dir, strings.ReplaceAll(c.name, " ", "")+level)
				if c.target == "" {
					command(t, "x86_64-w64-mingw32-gcc", level, "-g", "-shared", "-nostdlib", "-Wl,--entry,DriverEntry", "-o", out+".sys", src, "-lntoskrnl")
				} else {
					command(t, "lld-link-19", "/def:"+def, "/machine:"+strings.Fields(c.name)[1], "/out:"+out+".lib.dll", "/implib:"+out+".lib", "/noentry", "/dll", "/force")
					command(t, "clang-19", "--target="+c.target, level, "-gdwarf", "-fno-stack-protector", "-c", "-o", out+".obj", src)
					command(t, "lld-link-19", "/subsystem:native", "/entry:DriverEntry", "/nodefaultlib", "/debug:dwarf", "/safeseh:no", "/out:"+out+".sys", out+".obj", out+".lib")
				}
				data, err := os.ReadFile(out + ".sys")
				if err != nil {
					t.Fatal(err)
				}
				m, err := Parse(out+".sys", data)
				if err != nil {
					t.Fatal(err)
				}
				checkCompiled(t, m, c.processor, c.pdata, level == "-O2")
			})
		}
	}
}

// Lines of functions that C++ wants one of, however many files have them: the linker puts them elsewhere than their rows stand.
func TestLinesOfInlineFunctions(t *testing.T) {
	if testing.Short() {
		t.Skip("needs gcc for mingw-w64")
	}
	dir := t.TempDir()
	src, sys := filepath.Join(dir, "d.cpp"), filepath.Join(dir, "d.sys")
	text := `extern "C" __declspec(dllimport) void *ExAllocatePoolWithTag(int, unsigned long long, unsigned);
struct Pool {
    static void *Get(int type) { return ExAllocatePoolWithTag(type, 1, 2); }
};
extern "C" int DriverEntry(void *driver, void *path) { return Pool::Get(1) == ExAllocatePoolWithTag(0, 1, 2); }
`
	if err := os.WriteFile(src, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	command(t, "x86_64-w64-mingw32-g++", "-O0", "-g", "-shared", "-nostdlib", "-Wl,--entry,DriverEntry", "-o", sys, src, "-lntoskrnl")
	data, err := os.ReadFile(sys)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(sys, data)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sitesOf(m) {
		if s.DDI.Name != alloc {
			continue
		}
		frames, err := m.Frames(s.Spot.RVA)
		if err != nil || len(frames) != 1 {
			t.Fatalf("%+v, %v", frames, err)
		}
		got = append(got, fmt.Sprintf("%s:%d", frames[0].Function, frames[0].Line))
	}
	slices.Sort(got)
	if want := []string{"DriverEntry:5", "Get:3"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func checkCompiled(t *testing.T, m *Image, p nx.Processor, pdata, inlined bool) {
	t.Helper()
	if m.Processor != p {
		t.Errorf("processor %s, want %s", m.Processor, p)
	}
	found := map[string]*driver.Spot{}
	for _, s := range sitesOf(m) {
		if found[s.DDI.Name] != nil || s.Spot.Return == 0 {
			t.Errorf("%+v: a second call, or no call", s)
		}
		found[s.DDI.Name] = s.Spot
	}
	want := map[string][]string{alloc: {"Get inner"}, "ExFreePoolWithTag": {"Other free"}}
	if inlined {
		want[alloc] = []string{"Get inner", "DriverEntry outer"}
	}
	for name, frames := range want {
		c := found[name]
		if c == nil {
			t.Fatalf("%s: no call", name)
		}
		got, err := m.Frames(c.Return - 1)
		if err != nil || len(got) != len(frames) {
			t.Fatalf("%s: %+v, %v, %v; want %v", name, c, got, err, frames)
		}
		for i, w := range frames {
			function, mark, _ := strings.Cut(w, " ")
			line := 1 + strings.Count(source[:strings.Index(source, "/* "+mark)], "\n")
			if got[i].Function != function || got[i].Line != line || !strings.HasSuffix(got[i].Path, "/d.c") {
				t.Errorf("%s: frame %d is %+v, want line %d of %s", name, i, got[i], line, function)
			}
		}
		f, ok := m.Function(c.RVA)
		if pdata && (!ok || f.Start > c.RVA || !m.Within(c.RVA, f) || m.Within(c.RVA-1, f) != (c.RVA > f.Start)) {
			t.Errorf("%s: function %+v, %v does not hold %#x", name, f, ok, c.RVA)
		}
	}
	if entry, ok := m.Function(m.Entry); pdata && (!ok || entry.Start != m.Entry) {
		t.Errorf("the entry routine is %+v, %v, want one at %#x", entry, ok, m.Entry)
	}
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// A routine that nothing calls, and that does not look like the beginning of one, begins where its name says.
func TestRoutineByName(t *testing.T) {
	// ret; lea esi, [esi]; push 'tset'; push 16; push 0x200; call ExAllocatePoolWithTag; ret 8
	const code = "\xc3\x8d\xb6\x00\x00\x00\x00" + "\x68test\x6a\x10\x68\x00\x02\x00\x00\xff\x15\x00\x20\x01\x00\xc2\x08\x00"
	for _, names := range [][]Symbol{nil, {{codeAt, "first"}, {codeAt + 7, "second"}}} {
		m, err := Parse("d.sys", imagetest.Parts{Processor: nx.X86, Code: []byte(code), Imports: []string{alloc}}.Image())
		if err != nil {
			t.Fatal(err)
		}
		m.symbolsOnce.Do(func() { m.symbols = names })
		sites := m.Driver(nx.DDIs(), nil).Sites
		if len(sites) != 1 {
			t.Fatalf("%d requests", len(sites))
		}
		if v := sites[0].Value; (v.Unknown == "") != (names != nil) || names != nil && (len(v.Terms) != 1 || v.Terms[0].Bits != 0x200) {
			t.Errorf("with names %v: got %+v", names, v)
		}
	}
}
