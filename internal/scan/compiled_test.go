package scan

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// A driver whose calls compilers inline, merge and move: of one request in Get there are two calls where it is inlined.
const compiledDriver = `typedef enum _POOL_TYPE { NonPagedPool, PagedPool, NonPagedPoolNx = 512 } POOL_TYPE;
__declspec(dllimport) void *__stdcall ExAllocatePoolWithTag(POOL_TYPE, unsigned, unsigned);
__declspec(dllimport) void __stdcall ExFreePoolWithTag(void *, unsigned);
__declspec(dllimport) void *__stdcall MmMapLockedPagesSpecifyCache(void *, char, int, void *, unsigned, unsigned);
void *volatile Keep[8];
static void *Get(POOL_TYPE Type, unsigned Size) { return ExAllocatePoolWithTag(Type, Size, 1); }
__attribute__((noinline)) static void *Far(POOL_TYPE Type, unsigned Size)
{
    if (Size > 4096)
        return 0;
    return ExAllocatePoolWithTag(Type, Size, 2);
}
int __stdcall DriverEntry(void *Driver, void *Path)
{
    Keep[0] = Get(NonPagedPool, 5);
    Keep[1] = Get(PagedPool, 6);
    Keep[2] = Far(NonPagedPoolNx, 7);
    Keep[3] = Far(PagedPool, Driver ? 8 : 9);
    Keep[4] = MmMapLockedPagesSpecifyCache(Path, 0, 1, 0, 0, Driver ? 16 : 0x40000010);
    ExFreePoolWithTag(Keep[0], 1);
    return 0;
}
`

const compiledProject = `<Project>
  <ItemGroup Label="ProjectConfigurations">
    <ProjectConfiguration Include="Release|x64" />
    <ProjectConfiguration Include="Release|Win32" />
    <ProjectConfiguration Include="Release|ARM64" />
  </ItemGroup>
  <PropertyGroup>
    <ConfigurationType>Driver</ConfigurationType>
    <TargetVersion>Windows7</TargetVersion>
  </PropertyGroup>
  <ItemGroup>
    <ClCompile Include="drv.c" />
  </ItemGroup>
</Project>
`

// What a compiler makes of a source agrees with it, for each processor, optimised or not, with its lines and without; and what it made
// of another does not, where that asks for something else.
func TestHeldCompiled(t *testing.T) {
	if testing.Short() {
		t.Skip("needs clang-19, lld-19, llvm-19")
	}
	names := []string{"ExAllocatePoolWithTag", "ExFreePoolWithTag", "MmMapLockedPagesSpecifyCache"}
	var plain, decorated strings.Builder
	for i, name := range names {
		fmt.Fprintln(&plain, name)
		fmt.Fprintf(&decorated, "%s@%d\n", name, []int{12, 8, 24}[i])
	}
	put(t, map[string][]byte{
		"drv.c": []byte(compiledDriver), "drv.vcxproj": []byte(compiledProject),
		"plain.def": []byte("LIBRARY ntoskrnl.exe\nEXPORTS\n" + plain.String()), "decorated.def": []byte("LIBRARY ntoskrnl.exe\nEXPORTS\n" + decorated.String()),
	})
	var images []string
	for _, c := range []struct{ processor, target, dlltool, def, entry string }{
		{"x64", "x86_64-pc-windows-msvc", "i386:x86-64", "plain.def", "DriverEntry"},
		{"x86", "i686-pc-windows-msvc", "i386", "decorated.def", "DriverEntry@8"},
		{"arm64", "aarch64-pc-windows-msvc", "arm64", "plain.def", "DriverEntry"},
	} {
		execute(t, "llvm-dlltool-19", "-k", "-m", c.dlltool, "-d", c.def, "-l", c.processor+".lib")
		for _, level := range []string{"-O0", "-O1", "-O2", "-Os"} {
			for _, lines := range []string{"-gdwarf", "-g0"} {
				sys := c.processor + level + lines + ".sys"
				execute(t, "clang-19", "--target="+c.target, level, lines, "-fno-stack-protector", "-c", "-o", "drv.obj", "drv.c")
				execute(t, "lld-link-19", "/subsystem:native", "/entry:"+c.entry, "/nodefaultlib", "/debug:dwarf", "/safeseh:no", "/out:"+sys, "drv.obj", c.processor+".lib")
				images = append(images, sys)
			}
		}
	}
	heldAll(t, images, func(sys string, verdicts map[driver.Verdict]int) bool {
		return verdicts[driver.Agree] == 3 && len(verdicts) == 1
	})
	stale := strings.NewReplacer("Driver ? 16 : 0x40000010", "0x40000010", "Far(NonPagedPoolNx", "Far(PagedPool").Replace(compiledDriver)
	if err := os.WriteFile("drv.c", []byte(stale), 0o666); err != nil {
		t.Fatal(err)
	}
	heldAll(t, images, func(sys string, verdicts map[driver.Verdict]int) bool {
		return verdicts[driver.Disagree] >= 1 && verdicts[driver.Disagree]+verdicts[driver.OnlyBuilt] == 2
	})
}

// heldAll holds images against the source that is there.
func heldAll(t *testing.T, images []string, right func(sys string, verdicts map[driver.Verdict]int) bool) {
	t.Helper()
	o := Options{DDIs: nx.DDIs(), Jobs: 2}
	r, err := Run([]string{"drv.vcxproj"}, o)
	if err != nil {
		t.Fatal(err)
	}
	n, err := Sort(images)
	if err != nil {
		t.Fatal(err)
	}
	o.Source = r
	list, err := Images(n, o)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for b := range list {
		seen++
		verdicts := map[driver.Verdict]int{}
		says := ""
		for _, m := range b.Matches {
			verdicts[m.Verdict]++
			says += fmt.Sprintf("\n%s %s", m.Verdict, m.Why)
		}
		if !right(b.Build.Project, verdicts) || b.NotHeld != "" {
			t.Errorf("%s: %s%s", b.Build.Project, b.NotHeld, says)
		}
	}
	if seen != len(images) {
		t.Errorf("%d of %d drivers", seen, len(images))
	}
}

func execute(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
