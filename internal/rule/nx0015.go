package rule

import (
	"cmp"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var handRolled = Rule{
	ID:    "NX0015",
	Name:  "hand-rolled-opt-in",
	Level: Note,
	Doc: Doc{
		What: `The driver chooses between executable and NX pool, or mappings, by a condition of its own on the version of Windows.`,
		Why: `It does by hand what POOL_NX_OPTIN does. That the condition is right is not judged, and neither are requests that
run before it is evaluated; this stands in the place of a C30030 for each request that hangs on it.`,
		Fix: `If the condition is right, nothing has to be done, and a port changes nothing. Else define POOL_NX_OPTIN, call
ExInitializeDriverRuntime(DrvRtPoolNxOptIn) in DriverEntry, and request NonPagedPool. A driver that starts at Windows 8 needs no
condition: port --to explicit names no-execute memory on the other way, too.`,
		Before: vcxproj("DRV", "drv.c") + `-- drv.c --
#include <ntddk.h>

static POOL_TYPE PoolType = NonPagedPool;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    RTL_OSVERSIONINFOW Version = { sizeof(Version) };

    RtlGetVersion(&Version);
    if (Version.dwMajorVersion > 6 || (Version.dwMajorVersion == 6 && Version.dwMinorVersion >= 2))
        PoolType = (POOL_TYPE)512;

    return ExAllocatePoolWithTag(PoolType, 4096, 'xErD') ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`,
		After: vcxproj("POOL_NX_OPTIN=1", "drv.c") + `-- drv.c --
#include <ntddk.h>

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    return ExAllocatePoolWithTag(NonPagedPool, 4096, 'xErD') ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`,
	},
	check: checkHandRolled,
	mend:  nameOnAllWays,
}

// checkHandRolled tells of each place where the choice is made, as far as it takes to explain all requests that hang on one.
func checkHandRolled(m *driver.Image, _ nx.Mechanism) []Finding {
	var chosen [][]driver.Step
	for _, s := range m.Sites {
		if s = s.InTime(); byHand(m.Build, s) {
			steps := slices.DeleteFunc(slices.Clone(s.Value.Steps), func(step driver.Step) bool { return !step.Versioned })
			if len(steps) == 0 { // a ?: in the argument itself
				steps = []driver.Step{{Place: s.Place, Says: s.Argument}}
			}
			chosen = append(chosen, steps)
		}
	}
	slices.SortStableFunc(chosen, func(a, b []driver.Step) int { return cmp.Compare(len(a), len(b)) })
	var found []Finding
	at := map[driver.Place]bool{}
	for _, steps := range chosen {
		if slices.ContainsFunc(steps, func(step driver.Step) bool { return at[step.Place] }) {
			continue
		}
		at[steps[0].Place] = true
		found = append(found, Finding{Message: "this driver opts in by hand, by the version of Windows: " + steps[0].Says, Place: steps[0].Place})
	}
	return found
}

// byHand says whether a request hangs on such a choice.
func byHand(b driver.Build, s driver.Site) bool { return selectsNX(s) && executable(b, s) }

// nameOnAllWays names no-execute memory on every way, where each request is told by itself and all may change.
func nameOnAllWays(all *texts, m *driver.Image, goal nx.Mechanism, found []Finding) []Finding {
	if goal != nx.None {
		return found
	}
	var fix *Fix
	for i := range m.Sites {
		if s := m.Sites[i].InTime(); byHand(m.Build, s) {
			f, _ := all.fix(&s)
			fix = fix.with(f)
		}
	}
	for i := range found {
		found[i].Fix = fix
	}
	return found
}
