package rule

import (
	"fmt"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var memoryExecuted = Rule{
	ID:    "NX0016",
	Name:  "pool-memory-executed",
	Level: Warning,
	Doc: Doc{
		What: `Memory that the driver requests seems to be executed: its address is cast to a function and called, code is copied
into it, or the bytes of instructions are stored there. The evidence may stand in other functions than the request.`,
		Why: `No-execute memory that is executed stops the system: bug check 0xFC, ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY. So an
opt-in breaks such a driver on Windows 8 and later. Memory that asks for execution itself goes on working where memory
integrity (HVCI) is off, and not where it is on.`,
		Fix: `Best put the code into the image, in assembler, with its data in no-execute pool. Code that is made at run time can be
written to pages of MmAllocatePagesForMdlEx, mapped without execution, which MmProtectMdlSystemAddress then makes
executable and read-only. Else keep it executable on purpose, which is what the fix does, so that an opt-in changes nothing
there: it defines POOL_NX_OPTOUT as 1 in front of the kit's header, where the driver is opted in and all that this would change in
the file is executed; else it names NonPagedPoolExecute, where that constant decides no other request. Such a request is named,
and no failure of a port.`,
		Before: vcxproj("DRV=1", "drv.c") + `-- drv.c --
#include <ntddk.h>

typedef ULONG (*PROBE)(VOID);

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PUCHAR Code = ExAllocatePoolWithTag(NonPagedPool, 16, 'edoC');

    Code[0] = 0x33; // xor eax, eax
    Code[1] = 0xC0;
    Code[2] = 0xC3; // ret
    return ((PROBE)Code)();
}
`,
		After: vcxproj("DRV=1", "drv.c") + `-- drv.c --
#include <ntddk.h>

typedef ULONG (*PROBE)(VOID);

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PUCHAR Code = ExAllocatePoolWithTag(NonPagedPoolExecute, 16, 'edoC');

    Code[0] = 0x33; // xor eax, eax
    Code[1] = 0xC0;
    Code[2] = 0xC3; // ret
    return ((PROBE)Code)();
}
`,
	},
	check: checkMemoryExecuted,
	mend:  keepExecuted,
}

func checkMemoryExecuted(m *driver.Image, goal nx.Mechanism) []Finding {
	var found []Finding
	for i := range m.Sites {
		s := &m.Sites[i]
		if len(s.Executed) == 0 {
			continue
		}
		found = append(found, Finding{
			Message: fmt.Sprintf("memory of %s seems to be executed: %s", s.DDI.Name, executedMessage(m.Build, *s, goal)),
			Place:   s.Place, Site: s, Steps: s.Executed,
			Kept: executable(m.Build, *s) && !fixable(m.Build, *s, goal) && (optedOut(*s) || !hasToken(*s, driver.Token.Redefined)),
		})
	}
	return found
}

// executedMessage says what becomes of the driver, now or with an opt-in.
func executedMessage(b driver.Build, s driver.Site, goal nx.Mechanism) string {
	switch {
	case s.On(nx.Windows10).Executable == nx.Unknown:
		return "what it is given is not known; no-execute memory would stop the system"
	case !executable(b, s):
		return "it is no-execute memory on Windows 10, which stops the system unless the driver makes the pages executable itself"
	case fixable(b, s, goal):
		way := "opt the file out by POOL_NX_OPTOUT"
		if s.DDI.Kind == nx.PoolType {
			way = "name NonPagedPoolExecute here, or " + way
		}
		return "an opt-in makes it no-execute memory, which stops the system; " + way
	}
	return "memory integrity (HVCI) does not permit that"
}
