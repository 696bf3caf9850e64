package rule

import (
	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var unsafeArgument = Rule{
	ID:       "C30030",
	Name:     "executable-memory-requested",
	Official: "__WARNING_BANNED_MEM_ALLOCATION_UNSAFE",
	Level:    Warning,
	Doc: Doc{
		What: `An argument of the call asks for executable memory: NonPagedPool, NonPagedPoolExecute or a literal 0 as the pool
type, lookaside Flags without POOL_NX_ALLOCATION, a mapping Priority without MdlMappingNoExecute. It is judged for
Windows 8 and later only: before, there is no other nonpaged memory.`,
		Why: `Code that an attacker writes into executable pool can be run. Drivers must ask for no-execute memory to be
compatible with memory integrity (HVCI), and Driver Verifier stops the system with bug check 0xC4, parameter 1
0x2000 (pool) or 0x2002 (mapping).`,
		Fix: `Opt the driver in: POOL_NX_OPTIN for one binary that serves Windows 7 and later, POOL_NX_OPTIN_AUTO for a
binary that never runs below Windows 8. The token NonPagedPool, the lookaside list and the mapping are then redefined by
the kit's header. The fix is safe as long as nothing executes the memory: it is
marked as unsafe where NX0016 sees that something does. A request that names NonPagedPoolExecute or a
literal keeps what it asks for; of a page protection it is offered, as unsafe, to take execution out of it. Memory of user mode is a note, as it is none of the kernel; so is what only an old kit would leave executable.`,
		Before: vcxproj("DRV=1;%(PreprocessorDefinitions)", "drv.c") + `-- drv.c --
#include <ntddk.h>

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PVOID Buffer;

    Buffer = ExAllocatePoolWithTag(NonPagedPool, 4096, 'xErD');
    return Buffer ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}
`,
		After: vcxproj("DRV=1;POOL_NX_OPTIN=1;%(PreprocessorDefinitions)", "drv.c") + `-- drv.c --
#include <ntddk.h>

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PVOID Buffer;

    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);

    Buffer = ExAllocatePoolWithTag(NonPagedPool, 4096, 'xErD');
    return Buffer ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}
`,
	},
	check: checkUnsafeArgument,
	mend:  explicitly,
}

func checkUnsafeArgument(m *driver.Image, goal nx.Mechanism) []Finding {
	fix, why := optIn(m, goal)
	found := requests(m, "C30030")
	for i := range found {
		f := &found[i]
		s := f.Site.InTime()
		if !fixable(m.Build, s, goal) {
			f.Kept = !hasToken(s, driver.Token.Redefined)
			continue
		}
		if f.Fix = fix; fix == nil {
			f.Message += "; it can't be opted in: " + why
		}
	}
	return found
}
