package rule

import (
	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var optedOutRequest = Rule{
	ID:       "C30032",
	Name:     "executable-by-opt-out",
	Official: "__WARNING_BANNED_MEM_ALLOCATION_FORCE_UNSAFE",
	Level:    Warning,
	Doc: Doc{
		What: `A request for executable memory stands in a file that POOL_NX_OPTOUT takes out of the driver's opt-in.`,
		Why: `It keeps what it had before the driver was opted in, which may well be on purpose. But it is not permitted where memory
integrity (HVCI) runs, and Driver Verifier stops the system as for any other.`,
		Fix: `If nothing in the file executes the memory, take the opt-out away. If something does, it can't run with memory
integrity; suppress this where the driver is not meant to. There is no automatic fix: a port leaves it as it is, and names it.`,
		Before: vcxprojFor("Windows10", "POOL_NX_OPTIN_AUTO=1", "jit.c") + `-- jit.c --
#define POOL_NX_OPTOUT 1
#include <ntddk.h>

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
	check: checkOptedOutRequest,
}

func checkOptedOutRequest(m *driver.Image, _ nx.Mechanism) []Finding {
	found := requests(m, "C30032")
	for i := range found {
		found[i].Message += ", since its file opts out"
		found[i].Kept = true
	}
	return found
}
