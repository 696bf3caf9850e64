package rule

import (
	"fmt"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var aboveMinimum = Rule{
	ID:    "NX0014",
	Name:  "ddi-above-minimum",
	Level: Warning,
	Doc: Doc{
		What: `A routine is called that the lowest Windows of the driver does not have, and no condition on the version of Windows
stands around the call. Where the driver starts at Windows 10 and nothing says at which release, or nothing says where it starts,
it is a note. It is said once for a routine and a build.`,
		Why: `A driver imports what it calls by name: Windows does not load one of whose imports it has no export, whether the call
runs or not.`,
		Fix: `Raise the minimum Windows, ask MmGetSystemRoutineAddress for the routine, or use the older one. Between ExAllocatePool2
and ExAllocatePoolWithTag the ...Zero and ...Uninitialized forms with POOL_ZERO_DOWN_LEVEL_SUPPORT serve every Windows. There is
no automatic fix.`,
		Before: vcxproj("POOL_NX_OPTIN=1", "drv.c") + aboveSource("ExAllocatePool2(POOL_FLAG_PAGED, Size, 'xErD')"),
		After:  vcxproj("POOL_NX_OPTIN=1", "drv.c") + aboveSource("ExAllocatePoolZero(PagedPool, Size, 'xErD')"),
	},
	check: checkAboveMinimum,
}

func aboveSource(request string) string {
	return `-- drv.c --
#include <ntddk.h>

PVOID Get(SIZE_T Size)
{
    return ` + request + `;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    return STATUS_SUCCESS;
}
`
}

// notImported are the headers whose routines are no imports of their name: inline functions over a table, or over one routine
// with a number. What does not know the number says so when it is called.
var notImported = map[string]bool{"storport.h": true, "wdfdevice.h": true, "wdffdo.h": true, "netconfiguration.h": true}

func isImported(d nx.DDI) bool {
	_, _, method := d.Method()
	return !method && !notImported[d.Header]
}

func checkAboveMinimum(m *driver.Image, _ nx.Mechanism) []Finding {
	b := m.Build
	seen := map[string]bool{}
	var found []Finding
	for i := range m.Sites {
		s := &m.Sites[i]
		if s.Guard != nil || seen[s.DDI.Name] || !isImported(s.DDI) || !b.Minimum.Before(s.DDI.Since) {
			continue
		}
		seen[s.DDI.Name] = true
		f := Finding{
			Message: fmt.Sprintf("%s came with %s, and this driver starts at %s", s.DDI.Name, s.DDI.Since.Name(), b.Minimum.Name()), Place: s.Place, Site: s,
		}
		switch {
		case b.MinimumSource == "default":
			f.Level = Note
			f.Message = fmt.Sprintf("%s came with %s, and no build file says where this driver starts", s.DDI.Name, s.DDI.Since.Name())
		case b.Minimum == nx.Windows10:
			f.Level = Note
			f.Message = fmt.Sprintf("%s came with %s, and nothing says at which release of Windows 10 this driver starts", s.DDI.Name, s.DDI.Since.Name())
		}
		found = append(found, f)
	}
	return found
}
