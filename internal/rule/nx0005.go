package rule

import (
	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
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
		Fix: `Define the macro in the build file, for every file of the driver, or in front of the first include of the kit. The fix
moves the line there, where that include stands in the same file and under the same conditions.`,
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
	sets:  true,
}

func checkMacroAfterHeader(m *driver.Image, _ nx.Mechanism) []Finding {
	var found []Finding
	for _, f := range factsOf(m, driver.MacroTooLate) {
		if f.Says != nx.OptedOut.Macro() {
			found = append(found, Finding{
				Message: f.Says + " has no effect here: wdm.h asks for it earlier, where it is included", Place: f.Place, Fix: moveUp(m, f),
			})
		}
	}
	return found
}

// moveUp moves the line of a definition in front of the include of the kit's header, nil where it can't be.
func moveUp(m *driver.Image, late driver.Fact) *Fix {
	for _, f := range factsOf(m, driver.KitInclude) {
		if f.Unit != late.Unit || len(late.Written) == 0 {
			continue
		}
		line, to := late.Written[0], f.Place.Offset-f.Place.Column+1
		return &Fix{Title: "move " + late.Says + " in front of the include", Safe: true, Edits: []edit.Edit{
			{Path: f.Place.Path, Start: to, End: to, New: line.Text},
			{Path: line.At.Path, Start: line.At.Offset, End: line.End},
		}}
	}
	return nil
}
