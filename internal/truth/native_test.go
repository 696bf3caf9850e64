// Package truth holds scan against what drivers do when they run. Self-written and generated drivers are compiled natively
// with a kit that records (testdata/kit) and entered as Windows 7, 8 and 10 would; scan reads the same text. For each request
// and each Windows, the values that scan gives must be those that were seen.
package truth

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/project"
)

// program is a driver: files, and which of them are compiled how.
type program struct {
	name    string            // its directory; a C identifier
	files   map[string]string // path, the directory included, -> text
	units   []unit
	choices int // how many ways the driver asks the kernel for: it is run with every combination
	// unknowable names functions whose parameters no reader of the source can know: they are called by pointers.
	unknowable []string
}

type unit struct {
	path     string
	language project.Language
	defines  []string // NAME=VALUE
	library  bool     // of the static library that is linked into the driver
}

// request is a request for memory by where it stands.
type request struct {
	path string
	line int
	ddi  string
}

func (r request) String() string { return fmt.Sprintf("%s:%d %s", r.path, r.line, r.ddi) }

// answers are the values of each request on each Windows.
type answers map[request]map[string][]uint32

func (a answers) add(r request, windows string, value uint32) {
	if a[r] == nil {
		a[r] = map[string][]uint32{}
	}
	if i, found := slices.BinarySearch(a[r][windows], value); !found {
		a[r][windows] = slices.Insert(a[r][windows], i, value)
	}
}

// versions are the Windows that drivers are run as.
var versions = []string{"6.1", "6.2", "10.0"}

// run compiles the programs into one executable and gives what each of them was seen to ask for. Their external names must
// differ, but for that of the entry routine. Flags are the compiler's.
func run(t *testing.T, programs []program, flags ...string) map[string]answers {
	t.Helper()
	dir := t.TempDir()
	objects := compileUnits(t, dir, programs, flags...)
	write(t, filepath.Join(dir, "drivers.c"), driverTable(programs))
	kernel := filepath.Join(kitDir(t), "kernel.c")
	command(t, dir, "clang-19", append([]string{"-w", "-O0", "-fuse-ld=lld", "-o", "all", kernel, "drivers.c"}, objects...)...)
	return parseLog(t, command(t, dir, "./all", versions...))
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// command runs a program and gives what it prints.
func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, _ := outputs(t, dir, name, args...)
	return out
}

func outputs(t *testing.T, dir, name string, args ...string) (string, string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, stderr.String())
	}
	return stdout.String(), stderr.String()
}

// compileUnits compiles the first units of all programs as one file, then the second ones, and so on: a compiler takes
// longer to start than to compile a driver. Units of one program never meet in a file.
func compileUnits(t *testing.T, dir string, programs []program, flags ...string) (objects []string) {
	t.Helper()
	texts := together(t, dir, programs)
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		write(t, filepath.Join(dir, name), texts[name])
		args := append([]string{"-w", "-O0", "-c", "-o", name + ".o", "-I" + kitDir(t), "-ferror-limit=5", name}, flags...)
		if strings.HasSuffix(name, "pp") {
			args = append(args, "-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics")
		}
		command(t, dir, "clang-19", args...)
		objects = append(objects, name+".o")
	}
	return objects
}

// together writes the files of all programs, and gives the texts that compile their units.
func together(t *testing.T, dir string, programs []program) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, p := range programs {
		for name, text := range p.files {
			write(t, filepath.Join(dir, filepath.FromSlash(name)), text)
		}
		for i, u := range p.units {
			name := fmt.Sprintf("units%d.c", i)
			if u.language == project.CXX {
				name += "pp"
			}
			texts[name] += included(p, u)
		}
	}
	return texts
}

func kitDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("testdata/kit")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// included is the text that compiles one unit among others.
func included(p program, u unit) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#define DriverEntry %s_DriverEntry\n", p.name)
	for _, d := range u.defines {
		name, value, _ := strings.Cut(d, "=")
		fmt.Fprintf(&b, "#define %s %s\n", name, value)
	}
	fmt.Fprintf(&b, "#include \"%s\"\n#undef DriverEntry\n#include <reset.h>\n", u.path)
	for _, d := range u.defines {
		name, _, _ := strings.Cut(d, "=")
		fmt.Fprintf(&b, "#undef %s\n", name)
	}
	return b.String()
}

// driverTable is the file that tells kernel.c of the drivers.
func driverTable(programs []program) string {
	var b strings.Builder
	b.WriteString("struct Object;\ntypedef struct { const char *name; int (*entry)(struct Object *, void *); int choices; } Driver;\n")
	for _, p := range programs {
		fmt.Fprintf(&b, "int %s_DriverEntry(struct Object *, void *);\n", p.name)
	}
	b.WriteString("const Driver drivers[] = {\n")
	for _, p := range programs {
		fmt.Fprintf(&b, "    { \"%s\", %s_DriverEntry, %d },\n", p.name, p.name, p.choices)
	}
	b.WriteString("    { 0 }\n};\n")
	return b.String()
}

// parseLog reads what kernel.c prints. Programs are told apart by the directory of their files.
func parseLog(t *testing.T, log string) map[string]answers {
	t.Helper()
	all := map[string]answers{}
	for line := range strings.Lines(log) {
		fields := strings.Fields(line)
		if len(fields) != 4 {
			t.Fatalf("the kernel says: %s", line)
		}
		file, number, _ := strings.Cut(fields[1], ":")
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("the kernel says: %s", line)
		}
		value, err := strconv.ParseUint(fields[3], 16, 32)
		if err != nil {
			t.Fatalf("the kernel says: %s", line)
		}
		r := request{path.Clean(file), n, fields[2]}
		name, _, _ := strings.Cut(r.path, "/")
		if all[name] == nil {
			all[name] = answers{}
		}
		all[name].add(r, fields[0], uint32(value))
	}
	return all
}
