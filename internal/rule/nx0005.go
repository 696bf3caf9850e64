package rule

import (
	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var macroAfterHeader = Rule{
	ID:    "NX0005",
	Name:  "macro-after-header",
	Level: Warning,
	Doc: Doc{
		What: `POOL_NX_OPTIN or POOL_NX_OPTIN_AUTO is defined in a file after the kit's header was included, or in front of the include
of a precompiled header that holds it.`,
		Why: `The header asks for the macro at the place where wdm.h is included, by whatever header brings it. A later definition
changes nothing, silently; what stands in front of a precompiled header, the compiler does not even read.`,
		Fix: `Define the macro in the build file, for every file of the driver, or in front of the first include of the kit. There
is no automatic fix: the definition that is here has to go, or to match.`,
		Before: vcxproj("DRV", "drv.c") + `-- drv.c --
#include <ntddk.h>
#define POOL_NX_OPTIN 1

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    return ExAllocatePoolWithTag(NonPagedPool, 4096, 'xErD') ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`,
		After: vcxproj("DRV", "drv.c") + `-- drv.c --
#define POOL_NX_OPTIN 1
#include <ntddk.h>

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    return ExAllocatePoolWithTag(NonPagedPool, 4096, 'xErD') ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`,
	},
	check: checkMacroAfterHeader,
}

func checkMacroAfterHeader(m *driver.Image, _ nx.Mechanism) []Finding {
	var found []Finding
	for _, f := range factsOf(m, driver.MacroTooLate) {
		if f.Says != nx.OptedOut.Macro() {
			found = append(found, Finding{Message: f.Says + " has no effect here: wdm.h asks for it earlier, where it is included", Place: f.Place})
		}
	}
	return found
}
