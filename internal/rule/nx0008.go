package rule

import (
	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var optOutDisablesCall = Rule{
	ID:    "NX0008",
	Name:  "opt-out-disables-call",
	Level: Warning,
	Doc: Doc{
		What: `The driver's only call of ExInitializeDriverRuntime(DrvRtPoolNxOptIn) stands in a file that opts out by
POOL_NX_OPTOUT.`,
		Why: `In such a file the call is empty. The variables of the whole image are never set, and every NonPagedPool in the other
files stays executable, on every Windows.`,
		Fix: `Move what needs executable memory into a file of its own, and opt that out; or name NonPagedPoolExecute there. There
is no automatic fix.`,
		Before: vcxproj("POOL_NX_OPTIN=1", "drv.c", "buffer.c") + optedOutEntry("#define POOL_NX_OPTOUT 1\n"),
		After:  vcxproj("POOL_NX_OPTIN=1", "drv.c", "buffer.c") + optedOutEntry(""),
	},
	check: checkOptOutDisablesCall,
}

func optedOutEntry(optOut string) string {
	return `-- drv.c --
` + optOut + `#include <ntddk.h>

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    return STATUS_SUCCESS;
}
-- buffer.c --
#include <ntddk.h>

PVOID Get(SIZE_T Size)
{
    return ExAllocatePoolWithTag(NonPagedPool, Size, 'xErD');
}
`
}

// optedOutCall gives the call that an opt-out makes empty in an image that is never opted in, nil where there is none.
func optedOutCall(m *driver.Image) *driver.Fact {
	if m.Build.Initialised != driver.InitNo {
		return nil
	}
	for _, f := range factsOf(m, driver.OptInCall) {
		if f.Mechanism == nx.OptedOut {
			return &f
		}
	}
	return nil
}

func checkOptOutDisablesCall(m *driver.Image, _ nx.Mechanism) []Finding {
	call := optedOutCall(m)
	if call == nil {
		return nil
	}
	n, unknown := tooEarly(m), unknownPool(m)
	f := Finding{Message: "the opt-in call is empty, since this file opts out: " + stay(n, unknown), Place: call.Place}
	if n == 0 {
		f.Level = Note
	}
	return []Finding{f}
}
