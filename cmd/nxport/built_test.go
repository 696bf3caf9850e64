package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/image"
	"github.com/nxport/nxport/nx"
)

const builtSource = `typedef unsigned long long SIZE_T;
__declspec(dllimport) void *ExAllocatePoolWithTag(int, SIZE_T, unsigned);
__declspec(dllimport) void ExFreePoolWithTag(void *, unsigned);
static void *Get(SIZE_T size)
{
    return ExAllocatePoolWithTag(0, size, 1); // the request
}
int DriverEntry(void *driver, void *path)
{
    void *memory = Get(5); // inlined
    if (memory)
        ExFreePoolWithTag(memory, 1);
    return driver && path ? 0 : -1;
}
`

// lineOf gives the line of the source that ends with a mark.
func lineOf(mark string) int {
	return 1 + strings.Count(builtSource[:strings.Index(builtSource, "// "+mark)], "\n")
}

// An address that Driver Verifier names, and a log of the lab kit, lead to the line of the request in a driver that a compiler built.
func TestBuiltDriver(t *testing.T) {
	if testing.Short() {
		t.Skip("needs gcc for mingw-w64, clang-19, lld-19")
	}
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"drv.c": builtSource, "nt.def": "LIBRARY ntoskrnl.exe\nEXPORTS\nExAllocatePoolWithTag\nExFreePoolWithTag\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	gcc := "x86_64-w64-mingw32-gcc -O2 -g -shared -nostdlib -Wl,--subsystem,native -Wl,--entry,DriverEntry -o drv.sys drv.c -lntoskrnl"
	clang := func(target, machine string) []string {
		return []string{
			"lld-link-19 /def:nt.def /machine:" + machine + " /out:nt.dll /implib:nt.lib /noentry /dll /force",
			"clang-19 --target=" + target + "-pc-windows-msvc -O2 -gdwarf -c -o drv.obj drv.c",
			"lld-link-19 /subsystem:native /entry:DriverEntry /nodefaultlib /debug:dwarf /safeseh:no /out:drv.sys drv.obj nt.lib",
		}
	}
	for name, commands := range map[string][]string{
		"gcc, x64": {gcc}, "clang, x64": clang("x86_64", "x64"), "clang, x86": clang("i686", "x86"),
		"clang, ARM64": clang("aarch64", "arm64"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range commands {
				f := strings.Fields(c)
				if out, err := exec.Command(f[0], f[1:]...).CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", c, err, out)
				}
			}
			checkBuilt(t, returnAddress(t))
		})
	}
}

// returnAddress is what Driver Verifier would name.
func returnAddress(t *testing.T) uint32 {
	data, err := os.ReadFile("drv.sys")
	if err != nil {
		t.Fatal(err)
	}
	m, err := image.Parse("drv.sys", data)
	if err != nil {
		t.Fatal(err)
	}
	sites := m.Driver(nx.DDIs(), func(path string) string { return path }).Sites
	if len(sites) != 1 || sites[0].DDI.Name != "ExAllocatePoolWithTag" || sites[0].Spot.Return == 0 {
		t.Fatalf("requests %+v, want one", sites)
	}
	return sites[0].Spot.Return
}

func checkBuilt(t *testing.T, rva uint32) {
	where := []string{fmt.Sprintf("drv.c:%d, in Get\n", lineOf("the request")), fmt.Sprintf("inlined into drv.c:%d, in DriverEntry\n", lineOf("inlined"))}
	log := fmt.Sprintf("Module: drv.sys\r\n  Execute Pool Type Count:  1\r\nBugCheck C4, {2000, fffff80100%06x, 0, 74736554}\r\n", rva)
	if err := os.WriteFile("lab.log", []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args   []string
		status int
		want   []string
	}{
		{[]string{"scan", "drv.sys", "--at", fmt.Sprintf("%x", rva)}, clean, append(where, "DriverEntry", "where the call at")},
		{[]string{"scan", "drv.sys", "--at", fmt.Sprintf("0x%X", rva), "--format", "json"}, clean, []string{
			`{"type":"address","witness":"image","path":"drv.sys","section":".text",`, fmt.Sprintf(`"rva":%d,`, rva),
			`"relation":"return","site":{"type":"site","witness":"image",`, `"ddi":"ExAllocatePoolWithTag","state":"resolved","kind":"pool_type","decides":1,`,
			`: the value is 0"}`,
			fmt.Sprintf(`"frames":[{"path":"drv.c","line":%d,"function":"Get"}`, lineOf("the request")),
		}},
		{[]string{"scan", "drv.sys", "--at", fmt.Sprintf("%x", rva), "--at", "0"}, unusable, append(where, "0x0 is in no section")},
		{[]string{"explain", "--hlk", "lab.log", "drv.sys"}, clean, append(where[:1:1], "Execute Pool Type Count: 1 (line 2 of the log)", "pool tag 'Test'")},
	} {
		var out bytes.Buffer
		if status := run(tt.args, &out, &out); status != tt.status {
			t.Errorf("%v: exit status %d, want %d", tt.args, status, tt.status)
		}
		for _, want := range tt.want {
			if !strings.Contains(strings.ReplaceAll(out.String(), "; inlined", "\n inlined"), want) {
				t.Errorf("%v: want %q in\n%s", tt.args, want, out.String())
			}
		}
	}
}
