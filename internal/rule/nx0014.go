package rule

import (
	"fmt"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var ddiAboveMinimum = Rule{
	ID:    "NX0014",
	Name:  "ddi-above-minimum",
	Level: Warning,
	Doc: Doc{
		What: `A routine is called that the lowest Windows of the driver does not have, and no condition on the version of Windows
stands around the call. Where the driver starts at Windows 10 and nothing says at which release, or nothing says where it starts,
it is a note. It is said once for a routine and a build; a static library is judged by
the lowest of the drivers that link it.`,
		Why: `A driver imports what it calls by name: Windows does not load one of whose imports it has no export, whether the call
runs or not.`,
		Fix: `Raise the minimum Windows, ask MmGetSystemRoutineAddress for the routine, or use the older one. Between ExAllocatePool2
and ExAllocatePoolWithTag the ...Zero and ...Uninitialized forms with POOL_ZERO_DOWN_LEVEL_SUPPORT serve every Windows. There is
no automatic fix.`,
		Before: vcxproj("POOL_NX_OPTIN=1", "drv.c") + aboveSource("ExAllocatePool2(POOL_FLAG_PAGED, Size, 'xErD')"),
		After:  vcxproj("POOL_NX_OPTIN=1", "drv.c") + aboveSource("ExAllocatePoolZero(PagedPool, Size, 'xErD')"),
	},
	checkAll: checkAboveMinimum,
	built:    importTooNew,
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

func checkAboveMinimum(images []driver.Image) []Finding {
	users := usersOf(images)
	var found []Finding
	for i := range images {
		m := &images[i]
		for _, f := range aboveMinimum(m, startsAs(m, users)) {
			f.Builds = []string{m.Build.ID}
			found = append(found, f)
		}
	}
	return found
}

// startsAs gives the build by whose minimum an image is judged: a library by the lowest that links it.
func startsAs(m *driver.Image, users map[string][]driver.Build) driver.Build {
	lowest := m.Build
	for i, u := range users[m.Build.ID] {
		if i == 0 || u.Minimum.Before(lowest.Minimum) {
			lowest = u
		}
	}
	return lowest
}

// usersOf gives the builds that link each library, by its ID.
func usersOf(images []driver.Image) map[string][]driver.Build {
	users := map[string][]driver.Build{}
	for _, m := range images {
		for _, id := range m.Build.Links {
			users[id] = append(users[id], m.Build)
		}
	}
	return users
}

// aboveMinimum judges the calls in an image by the minimum of a build: its own, or that of one that links it.
func aboveMinimum(m *driver.Image, b driver.Build) []Finding {
	seen := map[string]bool{}
	var found []Finding
	for i := range m.Sites {
		s := &m.Sites[i]
		if s.Guard != nil || seen[s.DDI.Name] || !isImported(s.DDI) || !b.Minimum.Before(s.DDI.Since) {
			continue
		}
		seen[s.DDI.Name] = true
		f := Finding{Place: s.Place, Site: s}
		f.Message = fmt.Sprintf("%s came with %s, and ", s.DDI.Name, s.DDI.Since.Name())
		who := "this driver"
		if b.ID != m.Build.ID {
			who = b.Project + ", which links this library,"
		}
		switch {
		case b.MinimumSource == "default":
			f.Level = Note
			f.Message += "no build file says where " + who + " starts"
		case b.Minimum == nx.Windows10:
			f.Level = Note
			f.Message += "nothing says at which release of Windows 10 " + who + " starts"
		default:
			f.Message += who + " starts at " + b.Minimum.Name()
		}
		found = append(found, f)
	}
	return found
}
