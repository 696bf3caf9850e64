package rule

import (
	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var unsafeRoutine = Rule{
	ID:       "C30029",
	Name:     "routine-gives-executable-memory",
	Official: "__WARNING_BANNED_MEM_ALLOCATION_NOTYPE",
	Level:    Warning,
	Doc: Doc{
		What: `The routine gives executable memory, and has no argument by which to ask for other memory: MmMapIoSpace,
MmMapLockedPages and what stands for it, MmAllocateContiguousMemory, and MmAllocateContiguousMemorySpecifyCache(Node) where
the memory is MmCached. Microsoft's checker names the last whatever its caching type is; only cached memory is executable.`,
		Why: `Memory that is writable and executable is not compatible with memory integrity (HVCI). For the mapping of an MDL, Driver
Verifier stops the system with bug check 0xC4, parameter 1 0x2002.`,
		Fix: `Call the routine that replaces it: MmMapIoSpaceEx (Windows 10), MmAllocateContiguousNodeMemory (Windows 8),
MmMapLockedPagesSpecifyCache or MmGetSystemAddressForMdlSafe, with a protection without EXECUTE or with MdlMappingNoExecute.
Where the driver also runs on a Windows that does not have it there is no alternative: then this is a note, and fails nothing.
A driver can ask MmGetSystemRoutineAddress for the newer routine. There is no automatic fix.`,
		Before: vcxprojFor("Windows10", "POOL_NX_OPTIN_AUTO=1", "drv.c") + `-- drv.c --
#include <ntddk.h>

PVOID MapRegisters(PHYSICAL_ADDRESS Base, SIZE_T Size)
{
    return MmMapIoSpace(Base, Size, MmNonCached);
}
`,
		After: vcxprojFor("Windows10", "POOL_NX_OPTIN_AUTO=1", "drv.c") + `-- drv.c --
#include <ntddk.h>

PVOID MapRegisters(PHYSICAL_ADDRESS Base, SIZE_T Size)
{
    return MmMapIoSpaceEx(Base, Size, PAGE_READWRITE | PAGE_NOCACHE);
}
`,
	},
	check: checkUnsafeRoutine,
	built: routineGivesExecutable,
}

func checkUnsafeRoutine(m *driver.Image, _ nx.Mechanism) []Finding {
	found := requests(m, "C30029")
	for i := range found {
		f := &found[i]
		d := f.Site.DDI
		switch {
		case d.Replacement == "":
			f.Level, f.NoAlternative = Note, true
			f.Message += ": no Windows has another"
		case m.Build.Minimum.Before(d.ReplacementSince):
			f.Level, f.NoAlternative = Note, true
			f.Message += ": before " + d.ReplacementSince.Name() + ", which brought " + d.Replacement + ", there is no other"
			if m.Build.MinimumSource == "default" {
				f.Message += ", and no build file says where this driver starts"
			}
		default:
			f.Message += ": use " + d.Replacement
		}
	}
	return found
}
