package rule

import (
	"fmt"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var callWithoutMacro = Rule{
	ID:    "NX0002",
	Name:  "call-without-macro",
	Level: Warning,
	Doc: Doc{
		What: `ExInitializeDriverRuntime(DrvRtPoolNxOptIn) is called in a file that is compiled without POOL_NX_OPTIN. Where no
request of the driver is executable all the same, or the file has POOL_NX_OPTIN_AUTO, which needs no call, it is a note; none
where the call has another use, and nothing is executable.`,
		Why: `The call is a force-inline function of the kit's header, which is empty unless POOL_NX_OPTIN was defined before
wdm.h was included, but that with POOL_ZERO_DOWN_LEVEL_SUPPORT it looks whether the system clears pool memory. NonPagedPool is
still the executable pool.`,
		Fix: `Define POOL_NX_OPTIN=1 for every file of the driver, in every configuration. The fix is safe as long as nothing
executes the memory. Where no request is known to need it, there is none.`,
		Before: vcxproj("%(PreprocessorDefinitions);DRV", "drv.c") + `-- drv.c --
#include <ntddk.h>

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    return ExAllocatePoolWithTag(NonPagedPool, 4096, 'xErD') ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`,
		After: vcxproj("%(PreprocessorDefinitions);POOL_NX_OPTIN=1;DRV", "drv.c") + `-- drv.c --
#include <ntddk.h>

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    return ExAllocatePoolWithTag(NonPagedPool, 4096, 'xErD') ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`,
	},
	check: checkCallWithoutMacro,
}

func checkCallWithoutMacro(m *driver.Image, goal nx.Mechanism) []Finding {
	n, early := 0, 0
	for _, s := range m.Sites {
		if fixable(m.Build, s, goal) {
			n++
			if s.Early {
				early++
			}
		}
	}
	var found []Finding
	for _, f := range factsOf(m, driver.OptInCall) {
		switch {
		case f.Mechanism == nx.None && (n > 0 || !f.Zeroing):
			found = append(found, idleCall(f, goal, n, early))
		case f.Mechanism == nx.OptInAuto && !byProcessor(m.Build): // on ARM, POOL_NX_OPTIN becomes the other
			found = append(found, Finding{
				Message: "ExInitializeDriverRuntime opts in to nothing under POOL_NX_OPTIN_AUTO, which needs no call", Place: f.Place, Level: Note,
			})
		}
	}
	return found
}

// idleCall is about a call that opts in to nothing: so many requests stay executable, and so many of them run before it.
func idleCall(f driver.Fact, goal nx.Mechanism, n, early int) Finding {
	finding := Finding{
		Message: "ExInitializeDriverRuntime opts in to nothing in a file compiled without POOL_NX_OPTIN: " + left(n), Place: f.Place,
	}
	if goal != nx.None { // else each request is told by itself
		finding.Fix = &Fix{Title: "define " + goal.Macro(), Safe: true, Defines: []Define{{goal.Macro(), "1"}}}
	}
	if early > 0 && goal == nx.OptIn {
		finding.Message += fmt.Sprintf(", %d of them even with the macro, as the call comes later", early)
	}
	if n == 0 {
		finding.Level, finding.Fix = Note, nil
	}
	return finding
}

func left(n int) string {
	switch n {
	case 0:
		return "harmless, since no request of this driver needs it"
	case 1:
		return "1 request stays executable"
	}
	return fmt.Sprintf("%d requests stay executable", n)
}
