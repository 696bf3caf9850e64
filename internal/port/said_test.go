package port

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nxport/nxport/internal/report"
)

// said is all that is said of a port, written or not.
func said(r *Result, written bool) string {
	var b strings.Builder
	report.Risks(&b, &r.Ported)
	report.Port(&b, &r.Ported, written)
	return b.String()
}

// twice gives a project once more, of another file, in a directory of its own.
func twice(text, other string) string {
	second := strings.NewReplacer("-- drv.vcxproj --", "-- q/drv.vcxproj --", "-- drv.c --", "-- q/drv.c --").Replace(projectOf("", other))
	return strings.ReplaceAll(projectOf("", text)+second, "Windows7", "Windows10")
}

// What is said of many requests alike is said once, builds in which nothing changes are only named, and the lines are those of the
// files as they are: before the call came in until it is written.
func TestSaidOnce(t *testing.T) {
	const text = "#include <ntddk.h>\n#include \"pool.h\"\nint DriverEntry(PHYSICAL_ADDRESS a)\n{\n    Use(ExAllocatePool(NonPagedPool, 1));\n" +
		"    ExFreePool(ExAllocatePool(NonPagedPool, 2));\n    MmMapIoSpace(a, 1, MmNonCached);\n    MmMapIoSpace(a, 2, MmNonCached);\n    return 0;\n}\n"
	const header = "-- pool.h --\ninline int Test(void) { return ExAllocatePool(NonPagedPool, 3) == NULL; }\n"
	unpack(t, twice(text, "#include <ntddk.h>\nint DriverEntry(void)\n{\n    return ExAllocatePool(PagedPool, 1) != 0;\n}\n")+header)
	r, err := Run([]string{"."}, OptIn, options())
	if err != nil {
		t.Fatal(err)
	}
	want := `not judged: 1 of 3 requests that the port makes no-execute: their memory goes where it is not followed, and may be executed there: drv.c:5
mechanism POOL_NX_OPTIN: asked for
would change drv.c
would change drv.vcxproj
drv.vcxproj (Release|x64):
  3 requests: executable -> not executable on Windows 10
  2 requests: executable on Windows 10
    ExAllocatePool: 0 -> 512 (not executable) on Windows 10:
      drv.c:5, 6
      pool.h:1
requests get what they got in q/drv.vcxproj (Release|x64)
no sign was found that the driver executes memory of these requests, as a JIT or a trampoline does; that proves nothing: such a request must ask for NonPagedPoolExecute
left: C30029: MmMapIoSpace gives executable memory, whatever its arguments are: use MmMapIoSpaceEx:
  drv.c:7:5, 8:5
next: nxport explain C30029
`
	if diff := cmp.Diff(want, said(r, false)); diff != "" {
		t.Error(diff)
	}
	want = strings.NewReplacer("would change", "changed", "      drv.c:5, 6", "      drv.c:6, 7", "  drv.c:7:5, 8:5", "  drv.c:8:5, 9:5").Replace(want)
	if diff := cmp.Diff(want, said(r, true)); diff != "" {
		t.Error("written: " + diff)
	}
}

// Where only names change, no mechanism is said to be taken, nor that pool becomes no-execute.
func TestSaidOfNames(t *testing.T) {
	unpack(t, forWindows("10.0.19041", "drv.c", "PVOID F(void) { return ExAllocatePool2(PagedPool, 1, 'xErD'); }\n"))
	got := said(run(t, AutoSelect), true)
	if !strings.HasPrefix(got, "no opt-in is added or moved: what changes is what requests name\nchanged drv.c\n") || strings.Contains(got, "mechanism") || strings.Contains(got, "no sign") {
		t.Error(got)
	}

	// A call that is only moved is an opt-in's.
	unpack(t, projectOf("POOL_NX_OPTIN=1;", "#include <ntddk.h>\nint Test(int n)\n{\n    return n && ExAllocatePool(NonPagedPool, 1);\n}\nint DriverEntry(int n)\n{\n"+
		"    if (n)\n        n = Test(n);\n    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n    return Test(n);\n}\n"))
	r := run(t, AutoSelect)
	if got := said(r, true); r.Before[0].Build.Initialised != r.After[0].Build.Initialised || len(r.Changes) != 1 || !strings.Contains(got, "mechanism POOL_NX_OPTIN: drv.vcxproj (Release|x64) uses it already") {
		t.Error(got)
	}
}

// A place is left once, even where the same file has no other routine to call in a build for an older Windows.
func TestLeftOnce(t *testing.T) {
	const text = "#include <ntddk.h>\nvoid Map(PHYSICAL_ADDRESS a) { MmMapIoSpace(a, 1, MmNonCached); }\n"
	old := strings.NewReplacer("-- drv.vcxproj --", "-- old.vcxproj --").Replace(projectOf("", text))
	old, _, _ = strings.Cut(old, "-- drv.c --")
	unpack(t, strings.ReplaceAll(projectOf("", text), "Windows7", "Windows10")+old)
	got := said(run(t, OptIn), true)
	if strings.Count(got, "drv.c:2:32") != 1 || !strings.Contains(got, "left: drv.c:2:32: C30029: ") {
		t.Error(got)
	}
}
