package truth

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/nx"
)

// compiler makes images for one processor.
type compiler struct {
	name      string
	processor nx.Processor
	target    string // as the compiler calls it
	dlltool   string // as the maker of import libraries does
}

var compilers = []compiler{
	{"gcc", nx.X64, "x86_64-w64-mingw32", ""},
	{"gcc", nx.X86, "i686-w64-mingw32", ""},
	{"clang", nx.X64, "x86_64-pc-windows-msvc", "i386:x86-64"},
	{"clang", nx.X86, "i686-pc-windows-msvc", "i386"},
	{"clang", nx.ARM64, "aarch64-pc-windows-msvc", "arm64"},
}

// levels are how images are optimised.
var levels = []string{"-O0", "-O1", "-O2", "-Os", "-O2 -flto"}

// way is one way to make an image.
type way struct {
	compiler
	level string
}

func (w way) String() string {
	return fmt.Sprintf("%s %s %s", w.name, w.processor, strings.ReplaceAll(w.level, "-O2 -flto", "-flto"))
}

func ways() []way {
	var list []way
	for _, c := range compilers {
		for _, level := range levels {
			list = append(list, way{c, level})
		}
	}
	return list
}

// library is the import library of the kit for images, in a directory of libraries.
func (c compiler) library(dir string) string {
	return filepath.Join(dir, fmt.Sprintf("%s-%s.lib", c.name, c.processor))
}

// importLibraries makes the import libraries of the kit for images, and gives their directory.
func importLibraries(t *testing.T) string {
	t.Helper()
	header, err := os.ReadFile("testdata/imports/wdm.h")
	if err != nil {
		t.Fatal(err)
	}
	routines := regexp.MustCompile(`(?m)^KIT_ROUTINE\((\w+), (\d+),`).FindAllStringSubmatch(string(header), -1)
	routines = append(routines, []string{"", "RtlGetVersion", "4"}, []string{"", "Way", "4"})
	dir := t.TempDir()
	for _, c := range compilers {
		def := c.library(dir) + ".def"
		text := "LIBRARY ntoskrnl.exe\nEXPORTS\nmemset\nmemcpy\nKitMdlFlags DATA\nKitMapped DATA\n"
		for _, r := range routines {
			if text += r[1]; c.processor == nx.X86 {
				text += "@" + r[2]
			}
			text += "\n"
		}
		write(t, def, text)
		if c.name == "gcc" {
			command(t, dir, c.target+"-dlltool", "-k", "-d", def, "-l", c.library(dir))
		} else {
			command(t, dir, "llvm-dlltool-19", "-k", "-m", c.dlltool, "-d", def, "-l", c.library(dir))
		}
	}
	return dir
}

// build writes a program into a directory, makes an image of it there and gives its path.
func (w way) build(t *testing.T, dir, libraries string, p program) string {
	t.Helper()
	for name, text := range p.files {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), text)
	}
	imports, err := filepath.Abs("testdata/imports")
	if err != nil {
		t.Fatal(err)
	}
	var objects []string
	for _, u := range p.units {
		args := append(strings.Fields(w.level), "-c", "-w", "-ffreestanding", "-ffunction-sections", "-I"+imports, "-I"+kitDir(t), "-o", u.path+".obj", u.path)
		for _, d := range u.defines {
			args = append(args, "-D"+d)
		}
		if u.language == project.CXX {
			args = append(args, "-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics")
		}
		if w.name == "gcc" {
			name := map[project.Language]string{project.C: "-gcc", project.CXX: "-g++"}[u.language]
			command(t, dir, w.target+name, append(args, "-g", "-mno-stack-arg-probe", "-fasynchronous-unwind-tables")...)
		} else {
			args = append(args, "--target="+w.target, "-gdwarf", "-fno-stack-protector", "-fasynchronous-unwind-tables")
			if w.processor == nx.X86 {
				args = append(args, "-mrtd") // as Microsoft's kits are used: what is called takes its arguments off the stack
			}
			command(t, dir, "clang-19", args...)
		}
		objects = append(objects, u.path+".obj")
	}
	under := map[bool]string{true: "_", false: ""}[w.processor == nx.X86] // in front of the names of C
	sys := p.name + "/" + p.name + ".sys"
	if w.name == "gcc" {
		args := append(strings.Fields(w.level), "-g", "-shared", "-nostdlib", "-Wl,--subsystem,native,--exclude-all-symbols,--gc-sections",
			"-Wl,--entry,"+under+"DriverEntry,-u,"+under+"KitBindInfo", "-o", sys)
		command(t, dir, w.target+"-gcc", slices.Concat(args, objects, []string{w.library(libraries)})...)
	} else {
		entry := map[bool]string{true: "DriverEntry@8", false: "DriverEntry"}[w.processor == nx.X86]
		folding := map[bool]string{true: "/opt:icf", false: "/opt:noicf"}[w.level == "-Os"]
		args := []string{folding, "/subsystem:native", "/entry:" + entry, "/include:" + under + "KitBindInfo", "/opt:ref", "/nodefaultlib", "/debug:dwarf", "/safeseh:no", "/opt:lldlto=2", "/out:" + sys}
		command(t, dir, "lld-link-19", slices.Concat(args, objects, []string{w.library(libraries)})...)
	}
	return filepath.Join(dir, filepath.FromSlash(sys))
}
