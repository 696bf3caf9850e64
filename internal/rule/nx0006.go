package rule

import (
	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var bothMechanisms = Rule{
	ID:    "NX0006",
	Name:  "both-mechanisms",
	Level: Error,
	Doc: Doc{
		What: `A file is compiled with both POOL_NX_OPTIN and POOL_NX_OPTIN_AUTO, for x86 or x64.`,
		Why: `POOL_NX_OPTIN_AUTO wins for the pool types, but ExInitializeDriverRuntime then names variables that the header has not
declared: the file does not compile. On ARM and ARM64 the header itself takes POOL_NX_OPTIN away.`,
		Fix: `Keep one: POOL_NX_OPTIN for one binary that serves Windows 7 and later, POOL_NX_OPTIN_AUTO for one that starts at Windows 8.
There is no automatic fix, since only you know which.`,
		Before: vcxprojFor("Windows10", "POOL_NX_OPTIN=1;POOL_NX_OPTIN_AUTO=1", "drv.c") + bothSource,
		After:  vcxprojFor("Windows10", "POOL_NX_OPTIN_AUTO=1", "drv.c") + bothSource,
	},
	check: checkBothMechanisms,
}

const bothSource = `-- drv.c --
#include <ntddk.h>

PVOID Get(SIZE_T Size)
{
    return ExAllocatePoolWithTag(NonPagedPool, Size, 'xErD');
}
`

// checkBothMechanisms tells it once for a build, where the first file includes the kit's header.
func checkBothMechanisms(m *driver.Image, _ nx.Mechanism) []Finding {
	both := factsOf(m, driver.BothOptIns)
	if len(both) == 0 {
		return nil
	}
	return []Finding{{
		Message: "POOL_NX_OPTIN and POOL_NX_OPTIN_AUTO are both defined, which does not compile for " + string(m.Build.Processor) + ": " + count(len(both), "file"),
		Place:   both[0].Place,
	}}
}
