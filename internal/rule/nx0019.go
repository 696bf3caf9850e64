package rule

import (
	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var callWithoutFlag = Rule{
	ID:    "NX0019",
	Name:  "call-without-flag",
	Level: Note,
	Doc: Doc{
		What: `ExInitializeDriverRuntime is called without DrvRtPoolNxOptIn, as with 0.`,
		Why: `Such a call does not opt in. It is right where it looks whether the system clears pool memory, with
POOL_ZERO_DOWN_LEVEL_SUPPORT, and says nothing about NX; but it is easily taken for an opt-in. Under POOL_NX_OPTIN, NX0001 tells
of it.`,
		Fix: `If the driver is to be opted in, pass DrvRtPoolNxOptIn too and define POOL_NX_OPTIN. Else nothing is to be done, and
there is no automatic fix.`,
		Before: runtimeCall("0"),
		After:  runtimeCall("DrvRtPoolNxOptIn"),
	},
	check: checkCallWithoutFlag,
}

func runtimeCall(argument string) string {
	return vcxproj("POOL_NX_OPTIN=1", "drv.c") + `-- drv.c --
#include <ntddk.h>

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ExInitializeDriverRuntime(` + argument + `);
    return ExAllocatePoolWithTag(NonPagedPool, 4096, 'xErD') ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`
}

func checkCallWithoutFlag(m *driver.Image, _ nx.Mechanism) []Finding {
	var found []Finding
	for _, f := range factsOf(m, driver.OtherCall) {
		says := "this call does not pass DrvRtPoolNxOptIn, and opts in to nothing"
		if f.Zeroing {
			says += ": it looks whether the system clears pool memory"
		}
		found = append(found, Finding{Message: says, Place: f.Place})
	}
	return found
}
