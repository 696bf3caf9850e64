package rule

import (
	"fmt"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var pointerEscapes = Rule{
	ID:    "NX0017",
	Name:  "pool-pointer-escapes",
	Level: Note,
	Doc: Doc{
		What: `The driver writes machine code to memory, and it could not be found which request the memory comes from. The
requests for executable pool whose address is returned, stored or passed on are named with it: it may be one of them.`,
		Why: `After an opt-in these requests give no-execute memory. If one of them holds the code, and it is executed, the system
stops: bug check 0xFC, ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY. A driver that writes no such code gets no such note.`,
		Fix: `Find out where the code is written to. If it is memory of one of the requests, do what NX0016 says; if it is not, as
where a driver changes code that is in place, nothing is to be done.`,
		Before: vcxprojFor("Windows10", "DRV=1", "drv.c") + `-- drv.c --
#include <ntddk.h>

static PVOID Pages;

VOID WriteReturn(PUCHAR At)
{
    At[0] = 0x33; // xor eax, eax
    At[1] = 0xC0;
    At[2] = 0xC3; // ret
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    Pages = ExAllocatePoolWithTag(NonPagedPool, 4096, 'segP');
    return Start(Pages, WriteReturn);
}
`,
		After: vcxprojFor("Windows10", "DRV=1", "drv.c") + `-- drv.c --
#include <ntddk.h>

static PVOID Pages;

ULONG Return(VOID)
{
    return 0;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    Pages = ExAllocatePoolWithTag(NonPagedPoolNx, 4096, 'segP');
    return Start(Pages, Return);
}
`,
	},
	check: checkPointerEscapes,
}

// maxEscaping bounds the requests that are named.
const maxEscaping = 20

// checkPointerEscapes gives one note for the image: nearly every driver stores the address of pool somewhere, so that alone
// says nothing.
func checkPointerEscapes(m *driver.Image, _ nx.Mechanism) []Finding {
	f := Finding{}
	for _, x := range m.Facts {
		if x.Kind == driver.CodeWritten {
			f.Steps = append(f.Steps, driver.Step{Place: x.Place, Says: x.Says})
		}
	}
	if len(f.Steps) == 0 {
		return nil
	}
	f.Place = f.Steps[0].Place
	requests := 0
	for _, s := range m.Sites {
		if !s.Escapes || len(s.Executed) > 0 || s.DDI.Kind != nx.PoolType && s.DDI.Kind != nx.PoolFlags || !executable(m.Build, s) {
			continue
		}
		if requests++; requests <= maxEscaping {
			f.Steps = append(f.Steps, driver.Step{Place: s.Place, Says: s.DDI.Name + " gives executable memory, whose address goes where it is not followed"})
		}
	}
	if requests == 0 {
		return nil
	}
	f.Message = fmt.Sprintf("machine code is written to memory that may come from %s for executable memory: "+
		"if it is executed there, an opt-in breaks the driver", oneOf(requests))
	return []Finding{f}
}

func oneOf(requests int) string {
	if requests == 1 {
		return "a request"
	}
	return fmt.Sprintf("one of %d requests", requests)
}
