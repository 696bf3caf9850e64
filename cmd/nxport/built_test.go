package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/image"
)

const builtSource = `#include <ntddk.h>
static PVOID Get(SIZE_T size)
{
    return ExAllocatePoolWithTag(NonPagedPool, size, 'tseT'); // the request
}
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
    PVOID memory = Get(5); // inlined
    if (memory)
        ExFreePool(memory);
    return driver && path ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
`

// An address that Driver Verifier names, and a log of the lab kit, lead to the line of the request in a driver that gcc built.
func TestBuiltDriver(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a driver")
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("drv.c", []byte(builtSource), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("x86_64-w64-mingw32-gcc", "-O2", "-g", "-Wno-multichar", "-shared", "-nostdlib", "-isystem", "/usr/share/mingw-w64/include/ddk",
		"-Wl,--subsystem,native", "-Wl,--entry,DriverEntry", "-o", "drv.sys", "drv.c", "-lntoskrnl").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile("drv.sys")
	if err != nil {
		t.Fatal(err)
	}
	m, err := image.Parse("drv.sys", data)
	if err != nil {
		t.Fatal(err)
	}
	calls := m.Calls(func(name string) bool { return name == "ExAllocatePoolWithTag" })
	if len(calls) != 1 || calls[0].Return == 0 {
		t.Fatalf("calls %+v, want one", calls)
	}
	line := func(mark string) int { return 1 + strings.Count(builtSource[:strings.Index(builtSource, mark)], "\n") }
	rva := calls[0].Return
	where := []string{fmt.Sprintf("drv.c:%d, in Get", line("// the request")), fmt.Sprintf("inlined into drv.c:%d, in DriverEntry", line("// inlined"))}
	log := fmt.Sprintf("Module: drv.sys\r\n  Execute Pool Type Count:  1\r\nBugCheck C4, {2000, fffff80100%06x, 0, 74736554}\r\n", rva)
	if err := os.WriteFile("lab.log", []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args   []string
		status int
		want   []string
	}{
		{[]string{"scan", "drv.sys", "--at", fmt.Sprintf("%x", rva)}, clean, append(where, "DriverEntry+", "where the call at")},
		{[]string{"scan", "drv.sys", "--at", fmt.Sprintf("0x%X", rva), "--format", "json"}, clean, []string{
			`{"type":"address","witness":"image","path":"drv.sys","section":".text",`, fmt.Sprintf(`"rva":%d,`, rva),
			`"relation":"return","site":{"type":"site","witness":"image",`, `"ddi":"ExAllocatePoolWithTag","state":"unknown","kind":"pool_type","decides":1,`,
			fmt.Sprintf(`"frames":[{"path":"drv.c","line":%d,"function":"Get"}`, line("// the request")),
		}},
		{[]string{"scan", "drv.sys", "--at", fmt.Sprintf("%x", rva), "--at", "0"}, unusable, append(where, "0x0 is in no section")},
		{[]string{"explain", "--hlk", "lab.log", "drv.sys"}, clean, append(where, "Execute Pool Type Count: 1 (line 2 of the log)", "pool tag 'Test'")},
	} {
		var out bytes.Buffer
		if status := run(tt.args, &out, &out); status != tt.status {
			t.Errorf("%v: exit status %d, want %d", tt.args, status, tt.status)
		}
		for _, want := range tt.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%v: want %q in\n%s", tt.args, want, out.String())
			}
		}
	}
}
