package header

import (
	"debug/pe"
	"encoding/binary"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An object of an image: who compiles it, as which language.
type object struct{ compiler, language string }

const (
	gcc      = "gcc"
	clangGNU = "clang for mingw"
	clangMS  = "clang for MSVC"
)

// TestOnePair builds images of C and C++ files and a static library, by several compilers and linkers, and reads from each what its
// files take for the variables: all of them the same two, which hold what Windows 7 needs.
func TestOnePair(t *testing.T) {
	needCompilers(t)
	c, cxx := "c", "c++"
	for _, tt := range []struct {
		name, linker, processor string
		library                 object
		objects                 []object
	}{
		{"gcc", "gcc", "x86_64", object{gcc, c}, []object{{gcc, c}, {gcc, cxx}}},
		{"gcc, C++ first", "gcc", "x86_64", object{gcc, cxx}, []object{{gcc, cxx}, {gcc, c}}},
		{"gcc and clang", "gcc", "x86_64", object{clangGNU, c}, []object{{gcc, c}, {clangGNU, cxx}}},
		{"gcc and clang, lld", "ld.lld-19", "x86_64", object{gcc, cxx}, []object{{clangGNU, c}, {gcc, c}, {clangGNU, cxx}}},
		{"MSVC x64", "lld-link-19", "x86_64", object{clangMS, c}, []object{{clangMS, cxx}, {clangMS, c}}},
		{"MSVC x86", "lld-link-19", "i686", object{clangMS, cxx}, []object{{clangMS, c}, {clangMS, cxx}}},
		{"mingw x86", "ld.lld-19", "i686", object{clangGNU, c}, []object{{clangGNU, c}, {clangGNU, cxx}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			files := []string{pairOf(t, dir, tt.processor, "Entry", tt.objects[0], "-DCALLS")}
			for i, o := range tt.objects[1:] {
				files = append(files, pairOf(t, dir, tt.processor, "Part"+string(rune('A'+i)), o))
			}
			files = append(files, kernel(t, dir, tt.processor, tt.objects[0].compiler == clangMS))
			library := filepath.Join(dir, "part.lib")
			output(t, "lld-link-19", "/lib", "/out:"+library, pairOf(t, dir, tt.processor, "Next", tt.library))
			image := filepath.Join(dir, "d.sys")
			link(t, tt.linker, tt.processor, image, append(files, library))
			checkPair(t, image, len(tt.objects)+1)
		})
	}
}

// pairOf compiles testdata/pair.c with POOL_NX_OPTIN.
func pairOf(t *testing.T, dir, processor, routine string, o object, args ...string) string {
	t.Helper()
	out := filepath.Join(dir, routine+".obj")
	args = append(args, "-O1", "-x", o.language, "-c", "-Itestdata", "-I.", "-DPOOL_NX_OPTIN=1", "-DROUTINE="+routine, "-DNAME="+routine+"Pair", "-o", out)
	args = append(append([]string{}, strict...), args...)
	output(t, compilerOf(o.compiler), append(append(args, targetOf(processor, o.compiler)...), "testdata/pair.c")...)
	return out
}

// kernel is what the image would import.
func kernel(t *testing.T, dir, processor string, ms bool) string {
	t.Helper()
	src := write(t, dir, "kernel.c", "#include \"kit.h\"\nNTSTATUS RtlGetVersion(struct _OSVERSIONINFOW *);\nNTSTATUS RtlGetVersion(struct _OSVERSIONINFOW *v) { (void)v; return -1; }\n")
	compiler := clangGNU
	if ms {
		compiler = clangMS
	}
	out := filepath.Join(dir, "kernel.obj")
	output(t, "clang-19", append([]string{"-c", "-Itestdata", "-o", out, src}, targetOf(processor, compiler)...)...)
	return out
}

func compilerOf(name string) string {
	if name == gcc {
		return "x86_64-w64-mingw32-gcc"
	}
	return "clang-19"
}

func targetOf(processor, compiler string) []string {
	switch compiler {
	case gcc:
		return nil
	case clangGNU:
		return []string{"--target=" + processor + "-pc-windows-gnu", "-fms-extensions"}
	}
	return []string{"--target=" + processor + "-pc-windows-msvc", "-Wno-language-extension-token"}
}

func link(t *testing.T, linker, processor, image string, files []string) {
	t.Helper()
	switch linker {
	case "gcc":
		output(t, "x86_64-w64-mingw32-gcc", append([]string{"-shared", "-nostdlib", "-Wl,--subsystem,native,--entry,Entry", "-o", image}, files...)...)
	case "lld-link-19":
		output(t, linker, append([]string{"/driver", "/subsystem:native", "/entry:Entry", "/nodefaultlib", "/out:" + image}, files...)...)
	default:
		emulation, entry := "i386pep", "Entry"
		if processor == "i686" {
			emulation, entry = "i386pe", "_Entry"
		}
		output(t, linker, append([]string{"-m", emulation, "--subsystem", "native", "--entry", entry, "-o", image}, files...)...)
	}
}

// checkPair reads the addresses that the files of an image have left in .nxpair.
func checkPair(t *testing.T, image string, files int) {
	t.Helper()
	f, err := pe.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size, base := 4, uint64(0)
	switch h := f.OptionalHeader.(type) {
	case *pe.OptionalHeader32:
		base = uint64(h.ImageBase)
	case *pe.OptionalHeader64:
		size, base = 8, h.ImageBase
	}
	var pairs [][2]uint64
	for s := sectionOf(t, f, ".nxpair"); len(s) >= 2*size; s = s[2*size:] {
		if p := [2]uint64{pointer(s, size), pointer(s[size:], size)}; p != [2]uint64{} { // padding
			pairs = append(pairs, p)
		}
	}
	if len(pairs) != files {
		t.Fatalf("%d files left their variables, want %d: %x", len(pairs), files, pairs)
	}
	for _, p := range pairs {
		if p != pairs[0] || p[0] == p[1] {
			t.Fatalf("the files do not mean the same two variables: %x", pairs)
		}
		for _, address := range p {
			if value := word(f, uint32(address-base)); value != 0 {
				t.Errorf("the variable at %x starts as %#x", address, value)
			}
		}
	}
}

func pointer(b []byte, size int) uint64 {
	if size == 4 {
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

func sectionOf(t *testing.T, f *pe.File, name string) []byte {
	t.Helper()
	s := f.Section(name)
	if s == nil {
		t.Fatalf("the image has no section %s", name)
	}
	data, err := s.Data()
	if err != nil {
		t.Fatal(err)
	}
	return data[:min(len(data), int(s.VirtualSize))]
}

// word reads four bytes of the image as it is loaded, where what no file holds is 0; an address outside of it gives all ones.
func word(f *pe.File, rva uint32) uint32 {
	for _, s := range f.Sections {
		if rva < s.VirtualAddress || rva >= s.VirtualAddress+s.VirtualSize {
			continue
		}
		data, _ := s.Data()
		if at := int(rva - s.VirtualAddress); at+4 <= len(data) {
			return binary.LittleEndian.Uint32(data[at:])
		}
		return 0
	}
	return 1<<32 - 1
}

// TestARMHasNoVariables holds that an image for ARM64, where nothing is decided at run time, links without them.
func TestARMHasNoVariables(t *testing.T) {
	needCompilers(t)
	dir := t.TempDir()
	var files []string
	for _, language := range []string{"c", "c++"} {
		out := filepath.Join(dir, strings.ReplaceAll(language, "+", "x")+".obj")
		routine := map[string]string{"c": "DriverEntry", "c++": "Other"}[language]
		output(t, "clang-19", append(append([]string{}, strict...), "--target=aarch64-pc-windows-msvc", "-Wno-language-extension-token", "-x", language, "-c",
			"-Itestdata", "-I.", "-DPOOL_NX_OPTIN=1", "-DCALL=1", "-DROUTINE="+routine, "-o", out, "testdata/requests.c")...)
		symbols := symbolsOf(t, out)
		unwanted := func(name string) bool { return strings.HasPrefix(name, "ExDefault") || name == "RtlGetVersion" }
		if !slices.Contains(symbols, routine) || slices.ContainsFunc(symbols, unwanted) {
			t.Errorf("%s for ARM64 has %v", language, symbols)
		}
		files = append(files, out)
	}
	link(t, "lld-link-19", "aarch64", filepath.Join(dir, "d.sys"), append(files, "/force:unresolved"))
}

// symbolsOf gives the symbols of an object file.
func symbolsOf(t *testing.T, object string) []string {
	t.Helper()
	f, err := pe.Open(object)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var names []string
	for _, s := range f.Symbols {
		names = append(names, s.Name)
	}
	return names
}
