package rule

import (
	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var optOutWithoutEffect = Rule{
	ID:    "NX0007",
	Name:  "opt-out-without-effect",
	Level: Warning,
	Doc: Doc{
		What: `POOL_NX_OPTOUT is defined in a file that is opted in all the same: after the kit's header was included, in front of
the include of a precompiled header that holds it, or as 0.`,
		Why: `The documentation says that it must stand before the first NonPagedPool of the file. But the header decides where wdm.h
is included, and tests the macro's value: a comment in it that 0 opts out is wrong. The file gets no-execute memory, and if it
executes what it gets, the system stops.`,
		Fix: `Put "#define POOL_NX_OPTOUT 1" in front of the first include that brings wdm.h, and take the file out of the precompiled
header; or name NonPagedPoolExecute in the requests that need it. If nothing is executed, take the line away. There is no
automatic fix, since only you know.`,
		Before: vcxprojFor("Windows10", "POOL_NX_OPTIN_AUTO=1", "jit.c") + `-- jit.c --
#include <ntddk.h>
#define POOL_NX_OPTOUT 1

PVOID Get(SIZE_T Size)
{
    return ExAllocatePoolWithTag(NonPagedPool, Size, 'tiJD');
}
`,
		After: vcxprojFor("Windows10", "POOL_NX_OPTIN_AUTO=1", "jit.c") + `-- jit.c --
#include <ntddk.h>

PVOID Get(SIZE_T Size)
{
    return ExAllocatePoolWithTag(NonPagedPool, Size, 'tiJD');
}
`,
	},
	check: checkOptOutWithoutEffect,
}

func checkOptOutWithoutEffect(m *driver.Image, _ nx.Mechanism) []Finding {
	var found []Finding
	for _, f := range factsOf(m, driver.MacroTooLate) {
		if f.Says == nx.OptedOut.Macro() {
			found = append(found, Finding{
				Message: "POOL_NX_OPTOUT has no effect here: wdm.h asks for it earlier, where it is included. The file is opted in", Place: f.Place,
			})
		}
	}
	for _, f := range factsOf(m, driver.OptOutOff) {
		found = append(found, Finding{Message: "a POOL_NX_OPTOUT of 0 opts out of nothing: the file is opted in", Place: f.Place})
	}
	return found
}
