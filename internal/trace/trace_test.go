package trace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var both = []nx.Version{nx.Windows7, nx.Windows10}

func TestVersions(t *testing.T) {
	if name, err := wineName(nx.Version{Major: 10, Minor: 0, Build: 19041}); name != "win10" || err != nil {
		t.Errorf("10.0.19041: got %q, %v", name, err)
	}
	_, err := Run(t.Context(), "none.sys", Options{Windows: []nx.Version{nx.Windows7, nx.WindowsXP}})
	if err == nil || !strings.Contains(err.Error(), "cannot trace on Windows XP: choose from") {
		t.Errorf("5.1: got %v", err)
	}
	if _, err := Run(t.Context(), "none.sys", Options{}); err == nil || !strings.Contains(err.Error(), "no Windows version") {
		t.Errorf("none: got %v", err)
	}
}

// TestWindows runs as every version and has the driver say, by a size, which one it sees.
func TestWindows(t *testing.T) {
	needTools(t)
	sys := buildDriver(t, `
    RTL_OSVERSIONINFOW v;
    v.dwOSVersionInfoSize = sizeof(v);
    RtlGetVersion(&v);
    ExAllocatePool(PagedPool, v.dwMajorVersion * 100 + v.dwMinorVersion);
`)
	all := []nx.Version{nx.Windows10, nx.WindowsServer2003, nx.WindowsVista, nx.Windows7, nx.Windows8, nx.Windows81}
	for i, img := range run(t, sys, all).Seen {
		want := uint64(all[i].Major*100 + all[i].Minor)
		if len(img.Sites) != 1 || img.Sites[0].Seen.Size != want {
			t.Errorf("on %s: got %+v, want one request of %d bytes", all[i], img.Sites, want)
		}
	}
}

// TestDDIs holds what is seen of each routine that Wine has, and that of every other one it is said why it can't be seen.
func TestDDIs(t *testing.T) {
	needTools(t)
	r := run(t, buildDriver(t, `
    #define IMPORT(type, name) __declspec(dllimport) type NTAPI name
    IMPORT(NTSTATUS, ZwAllocateVirtualMemory)(HANDLE, PVOID *, ULONG_PTR, SIZE_T *, ULONG, ULONG);
    IMPORT(NTSTATUS, NtAllocateVirtualMemory)(HANDLE, PVOID *, ULONG_PTR, SIZE_T *, ULONG, ULONG);
    IMPORT(NTSTATUS, NtCreateSection)(HANDLE *, ULONG, PVOID, LARGE_INTEGER *, ULONG, ULONG, HANDLE);
    IMPORT(NTSTATUS, NtMapViewOfSection)(HANDLE, HANDLE, PVOID *, ULONG_PTR, SIZE_T, LARGE_INTEGER *, SIZE_T *, ULONG, ULONG, ULONG);
    IMPORT(NTSTATUS, MmProtectMdlSystemAddress)(PMDL, ULONG);
    IMPORT(NTSTATUS, NdisAllocateMemoryWithTag)(PVOID *, ULONG, ULONG);
    IMPORT(NTSTATUS, HidP_GetCollectionDescription)(PVOID, ULONG, POOL_TYPE, PVOID);
    static NPAGED_LOOKASIDE_LIST list;
    static UCHAR description[2], parsed[256];
    PHYSICAL_ADDRESS zero;
    PVOID address = NULL;
    HANDLE section;
    SIZE_T size = 4096;
    PMDL mdl;
    zero.QuadPart = 0;
    ExAllocatePool(NonPagedPool, 101);
    ExAllocatePoolWithTag(512, 102, 0x64636261);
    ExAllocatePoolWithQuota(8, 103);
    ExAllocatePoolWithQuotaTag(520, 104, 0x34333231);
    ExInitializeNPagedLookasideList(&list, NULL, NULL, 512, 105, 0x00414243, 0);
    mdl = IoAllocateMdl(&list, 106, FALSE, FALSE, NULL);
    MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE, 0x40000010);
    MmAllocateContiguousMemory(107, zero);
    MmAllocateContiguousMemorySpecifyCache(108, zero, zero, zero, MmNonCached);
    MmMapIoSpace(zero, 109, MmCached);
    MmProtectMdlSystemAddress(mdl, 0x40);
    ZwAllocateVirtualMemory((HANDLE)-1, &address, 0, &size, 0x3000, 0x40);
    address = NULL;
    NtAllocateVirtualMemory((HANDLE)-1, &address, 0, &size, 0x3000, 0x04);
    zero.QuadPart = 4096;
    ZwCreateSection(&section, 0xf001f, NULL, &zero, 0x04, 0x8000000, NULL);
    NtCreateSection(&section, 0xf001f, NULL, &zero, 0x40, 0x8000000, NULL);
    address = NULL, size = 0;
    ZwMapViewOfSection(section, (HANDLE)-1, &address, 0, 0, NULL, &size, 1, 0, 0x20);
    address = NULL, size = 0;
    NtMapViewOfSection(section, (HANDLE)-1, &address, 0, 0, NULL, &size, 1, 0, 0x04);
    NdisAllocateMemoryWithTag(&address, 110, 0x64636261);
    HidP_GetCollectionDescription(description, 0, 512, parsed);
`, "-lndis", "-lhidparse"), both[:1])
	const want = `
ExAllocatePool 0 101 
ExAllocatePoolWithTag 200 102 abcd
ExAllocatePoolWithQuota 8 103 
ExAllocatePoolWithQuotaTag 208 104 1234
ExInitializeNPagedLookasideList 200 105 CBA.
MmMapLockedPagesSpecifyCache 40000010 0 
MmAllocateContiguousMemory 0 107 
MmAllocateContiguousMemorySpecifyCache 0 108 
MmMapIoSpace 0 109 
MmProtectMdlSystemAddress 40 0 
ZwAllocateVirtualMemory 40 0 
NtAllocateVirtualMemory 4 0 
ZwCreateSection 4 0 
NtCreateSection 40 0 
ZwMapViewOfSection 20 0 
NtMapViewOfSection 4 0 
NdisAllocateMemoryWithTag 0 110 abcd
HidP_GetCollectionDescription 200 0 `
	var got strings.Builder
	seen := map[string]bool{}
	for _, s := range r.Seen[0].Sites {
		fmt.Fprintf(&got, "\n%s %x %d %s", s.DDI.Name, s.Seen.Value, s.Seen.Size, s.Seen.Tag)
		seen[s.DDI.Name] = true
	}
	if got.String() != want {
		t.Errorf("got%s\nwant%s", got.String(), want)
	}
	for _, d := range nx.DDIs() {
		if r.Gap(d) == "" && !seen[d.Name] && !seen[d.Over] {
			t.Errorf("%s counts as observable, and was not observed here", d.Name)
		}
	}
}

// TestTailCall holds that a request is seen whose return address is the kernel's: the entry routine jumps to the DDI.
func TestTailCall(t *testing.T) {
	needTools(t)
	sys := buildDriver(t, `
    typedef NTSTATUS NTAPI ROUTINE(POOL_TYPE, SIZE_T, ULONG);
    return ((ROUTINE *)ExAllocatePoolWithTag)(512, 1, 0x64636261);
`, "-O2")
	sites := run(t, sys, both[:1]).Seen[0].Sites
	if len(sites) != 1 || sites[0].Seen.Tag != "abcd" || sites[0].Seen.RVA != 0 {
		t.Errorf("got %+v, want one request without RVA", sites)
	}
}

// TestByName holds that calls of a routine are seen that the driver looks up, and what is said of those that Wine lacks.
func TestByName(t *testing.T) {
	needTools(t)
	r := run(t, buildDriver(t, `
    typedef PVOID NTAPI ROUTINE(POOL_TYPE, SIZE_T, ULONG);
    UNICODE_STRING old = RTL_CONSTANT_STRING(L"ExAllocatePoolWithTag"), recent = RTL_CONSTANT_STRING(L"ExAllocatePool2");
    ROUTINE *find = MmGetSystemRoutineAddress(&recent);
    if (find == NULL)
        find = MmGetSystemRoutineAddress(&old);
    find(512, 1, 0x64636261); /* here */
`, "-g"), both[:1])
	sites := r.Seen[0].Sites
	if len(sites) != 1 || sites[0].DDI.Name != "ExAllocatePoolWithTag" || sites[0].Seen.Value != 512 || sites[0].Seen.RVA == 0 {
		t.Errorf("got %+v", sites)
	}
	for name, want := range map[string]string{
		"ExAllocatePoolWithTag":             "",
		"ExAllocatePoolZero":                "", // comes down to the one above
		"ZwMapViewOfSection":                "",
		"ExAllocatePool2":                   "ntoskrnl.exe of Wine exports no ExAllocatePool2",
		"ExAllocatePoolWithTagPriority":     "Wine has no code for ExAllocatePoolWithTagPriority, and ends a driver that calls it",
		"ExAllocatePoolPriorityZero":        "Wine has no code for ExAllocatePoolWithTagPriority, and ends a driver that calls it",
		"IPortWavePci::NewMasterDmaChannel": "a method: Wine shows calls of exported routines only",
	} {
		if got := r.Gap(known()[name]); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// TestLines holds that each request has its lines in the source: one that was inlined, and one to which a function jumps as its
// last act, so that the return address is its caller's.
func TestLines(t *testing.T) {
	needTools(t)
	sys := buildDriver(t, "Get(5); /* caller */\n    Jump(6); /* further */", "-g", "-O2")
	r := run(t, sys, both[1:])
	text, err := os.ReadFile(filepath.Join(filepath.Dir(sys), "d.c"))
	if err != nil {
		t.Fatal(err)
	}
	at := func(mark, function string) string {
		before, _, _ := strings.Cut(string(text), "/* "+mark)
		return fmt.Sprintf("d.c:%d %s", 1+strings.Count(before, "\n"), function)
	}
	want := map[uint64][]string{
		5: {at("inner", "Get"), at("caller", "DriverEntry")}, 6: {at("jump", "Jump"), at("further", "DriverEntry")},
	}
	for _, s := range r.Seen[0].Sites {
		var got []string
		for _, f := range s.Seen.Frames {
			got = append(got, fmt.Sprintf("%s:%d %s", filepath.Base(f.Path), f.Line, f.Function))
		}
		if !slices.Equal(got, want[s.Seen.Size]) {
			t.Errorf("got %q, want %q", got, want[s.Seen.Size])
		}
	}
	for _, o := range driver.Observe(r.Binary, r.Seen[0], r.Gap) {
		if len(o.Seen) != 1 {
			t.Errorf("the call at %#x was seen %d times, want once", o.Predicted.Spot.RVA, len(o.Seen))
		}
	}
}

// TestNetwork looks, while a driver hangs, at the network of the processes in its prefix. Where the system lets nobody do without,
// as unshare finds out by itself, that is said.
func TestNetwork(t *testing.T) {
	needTools(t)
	allowed := exec.Command("unshare", "--user", "--net", "true").Run() == nil
	if allowed != canIsolate() {
		t.Fatalf("a network of one's own: unshare says %v", allowed)
	}
	if !allowed {
		if r := run(t, buildDriver(t, "ExAllocatePool(PagedPool, 1);"), both[:1]); !r.Networked {
			t.Error("the driver had a network, and that is not said")
		}
		return
	}
	ours, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	sys := buildDriver(t, "for (;;) { }")
	go func() {
		_, err := Run(context.Background(), sys, Options{Windows: both[:1], Timeout: 8 * time.Second})
		done <- err
	}()
	seen := map[string]int{}
	for running := true; running; {
		select {
		case <-done:
			running = false
		case <-time.After(100 * time.Millisecond):
			for _, process := range inPrefixes() {
				if net, err := os.Readlink(filepath.Join(process, "ns", "net")); err == nil {
					seen[net]++
				}
			}
		}
	}
	if len(seen) == 0 || seen[ours] > 0 {
		t.Errorf("networks of the prefix's processes: %v; ours is %s", seen, ours)
	}
}

// TestSecondTry holds that a program of Wine that is ended before the driver runs is started once more, and not again and again.
func TestSecondTry(t *testing.T) {
	needTools(t)
	sys := buildDriver(t, "ExAllocatePool(PagedPool, 1);")
	wine, err := exec.LookPath("wine")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		program string
		times   int // that it is ended
		fails   bool
	}{{"regedit", 1, false}, {"sc start", 1, false}, {"regedit", 2, true}} {
		dir := t.TempDir()
		write(t, dir, "wine", fmt.Sprintf("#!/bin/sh\ncase \"$*\" in *'%s'*)\n    echo >>%[2]s/count\n    [ $(wc -l <%[2]s/count) -gt %[3]d ] || exit 1;;\nesac\nexec %[4]s \"$@\"\n",
			c.program, dir, c.times, wine))
		if err := os.Chmod(filepath.Join(dir, "wine"), 0o755); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
		r, err := Run(context.Background(), sys, Options{Windows: both[:1]})
		if (err != nil) != c.fails || !c.fails && (len(r.Seen) != 1 || len(r.Seen[0].Sites) != 1) {
			t.Errorf("%s ended %d times: %v, %+v", c.program, c.times, err, r)
		}
		noLeftovers(t)
	}
}

// TestSweep holds that a trace removes what one left behind that was killed, and nothing that is in use or not ours.
func TestSweep(t *testing.T) {
	needTools(t)
	dir := func(name string) string {
		path := filepath.Join(os.TempDir(), directories+name)
		if err := os.MkdirAll(filepath.Join(path, "prefix"), 0o777); err != nil {
			t.Fatal(err)
		}
		return path
	}
	dead, live, other := dir("dead"), dir("live"), dir("other")
	write(t, dead, "lock", "")
	held, err := lock(live)
	if err != nil {
		t.Fatal(err)
	}
	left := exec.Command("sleep", "60")
	left.Env = []string{"WINEPREFIX=" + filepath.Join(dead, "prefix"), "LAST="}
	if err := left.Start(); err != nil {
		t.Fatal(err)
	}
	w, err := findWine()
	if err != nil {
		t.Fatal(err)
	}
	sweep(w)
	if err := left.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the process that was left: %v, want it killed", err)
	}
	for path, want := range map[string]bool{dead: false, live: true, other: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %v", path, err, want)
		}
	}
	held.Close()
}

// A process of the prefix that Wine's server does not know is ended, too; others are not.
func TestStragglers(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	p := &prefix{root: t.TempDir()}
	start := func(prefix string) *exec.Cmd {
		cmd := exec.Command("sleep", "60")
		cmd.Env = []string{"WINEPREFIX=" + prefix, "LAST="}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	ours, other := start(filepath.Join(p.root, "prefix")), start(filepath.Join(p.root, "prefix2"))
	p.endStragglers()
	if err := ours.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("ours: %v, want it killed", err)
	}
	if err := other.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("another's: %v, want it alive", err)
	}
	_ = other.Process.Kill()
	_ = other.Wait()
}

// TestFailures holds the message of each way in which a load can fail, and that what was seen before is not lost.
func TestFailures(t *testing.T) {
	needTools(t)
	const one = "ExAllocatePool(NonPagedPool, 1);\n"
	for _, c := range []struct{ name, body, want string }{
		{"status", one + "return STATUS_NO_MEMORY;", "entry routine returned 0xC0000017 after 1 request"},
		{"missing routine", one + "ExAllocatePoolWithTagPriority(PagedPool, 1, 0, NormalPoolPriority);",
			"ntoskrnl.exe.ExAllocatePoolWithTagPriority, for which Wine has no code, after 1 request"},
		{"crash", one + "*(volatile int *)16 = 1;", "crashed after 1 request"},
		{"no call", "", "no call of its was seen"},
		{"hang", one + "for (;;) { }", "entry routine had not returned after 15s and 1 request"},
		{"endless", "for (;;) { " + one + "}", "more than 100000 times|did not return, after [0-9]+ requests"}, // a slow Wine gives up first
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Options{Windows: both[:1], Timeout: 15 * time.Second}
			if c.name == "endless" {
				o.Timeout = time.Minute
			}
			r, err := Run(context.Background(), buildDriver(t, c.body), o)
			if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, c.want)
			}
			if r == nil {
				t.Fatal("nothing was run")
			}
			if len(r.Seen) != 1 || (len(r.Seen[0].Sites) == 0) != (c.body == "") {
				t.Errorf("what was seen before is lost: %+v", r.Seen)
			}
			noLeftovers(t)
		})
	}
}

// TestMissingLibrary loads a driver of a framework that Wine does not have.
func TestMissingLibrary(t *testing.T) {
	needTools(t)
	dir := t.TempDir()
	def := write(t, dir, "wdf.def", "LIBRARY WDFLDR.SYS\nEXPORTS\nWdfVersionBind\n")
	command(t, dir, "x86_64-w64-mingw32-dlltool", "-d", def, "-l", "libwdf.a")
	sys := buildDriver(t, "__declspec(dllimport) void WdfVersionBind(void); WdfVersionBind();", "-L"+dir, "-lwdf")
	_, err := Run(context.Background(), sys, Options{Windows: both})
	if err == nil || !strings.Contains(err.Error(), "it needs WDFLDR.SYS, which Wine does not have") {
		t.Errorf("got %v", err)
	}
	noLeftovers(t)
}

func TestCancel(t *testing.T) {
	needTools(t)
	sys := buildDriver(t, "ExAllocatePool(PagedPool, 1);")
	for _, after := range []time.Duration{0, time.Second, 8 * time.Second} {
		ctx, cancel := context.WithTimeout(context.Background(), after)
		start := time.Now()
		_, err := Run(ctx, sys, Options{Windows: []nx.Version{both[0], both[1], both[0], both[1], both[0], both[1], both[0]}})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled after %s: got %v", after, err)
		}
		if late := time.Since(start) - after; late > 30*time.Second {
			t.Errorf("cancelled after %s: came back %s later", after, late)
		}
		noLeftovers(t)
	}
}

func needTools(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs Wine and gcc for mingw-w64")
	}
	t.Setenv("TMPDIR", t.TempDir()) // so that leftovers are seen
}

// noLeftovers holds that no prefix is left, and no process that worked in one.
func noLeftovers(t *testing.T) {
	t.Helper()
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "nxport-trace-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	for _, process := range inPrefixes() {
		t.Errorf("still running: %s", process)
	}
}

// inPrefixes gives the processes that work in a prefix of this test.
func inPrefixes() []string {
	var list []string
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environments {
		if env, _ := os.ReadFile(path); strings.Contains(string(env), "WINEPREFIX="+os.TempDir()) {
			list = append(list, filepath.Dir(path))
		}
	}
	return list
}

func run(t *testing.T, sys string, windows []nx.Version) *Result {
	t.Helper()
	start := time.Now()
	r, err := Run(context.Background(), sys, Options{Windows: windows})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d versions in %s", len(windows), time.Since(start).Round(time.Millisecond))
	noLeftovers(t)
	return r
}

// buildDriver builds a driver of which body is the entry routine.
func buildDriver(t *testing.T, body string, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	src := write(t, dir, "d.c", "#include <ntddk.h>\nstatic VOID Unload(PDRIVER_OBJECT d) { (void)d; }\n"+
		"static PVOID Get(SIZE_T size)\n{\n    return ExAllocatePoolWithTag(NonPagedPool, size, 1); /* inner */\n}\n"+
		"static __attribute__((noinline)) PVOID Jump(SIZE_T size)\n{\n    return ExAllocatePoolWithTag(PagedPool, size, 2); /* jump */\n}\n"+
		"NTSTATUS DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING r)\n{\n    (void)r;\n    d->DriverUnload = Unload;\n    {\n"+
		body+"\n    }\n    return STATUS_SUCCESS;\n}\n")
	command(t, dir, "x86_64-w64-mingw32-gcc", append([]string{"-O1", "-w", "-shared", "-nostdlib", "-Wl,--subsystem,native",
		"-Wl,--entry,DriverEntry", "-isystem", "/usr/share/mingw-w64/include/ddk", "-o", "d.sys", src, "-lntoskrnl"}, args...)...)
	return filepath.Join(dir, "d.sys")
}

func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}
