package rule

import (
	"fmt"
	"slices"

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
the kit's header. The fix is safe as long as nothing executes the memory. A request that names NonPagedPoolExecute or a
literal keeps what it asks for.`,
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
}

// checkUnsafeArgument finds the requests that are executable even after an opt-in call: those that only lack the call,
// or make it too late, are the business of NX0001 and NX0003, and files that opted out do so on purpose.
func checkUnsafeArgument(m *driver.Image, goal nx.Mechanism) []Finding {
	var found []Finding
	fix, why := optIn(m, goal)
	for i := range m.Sites {
		s := m.Sites[i].InTime()
		if s.DDI.Argument == 0 || optedOut(s) || !executable(m.Build, s) {
			continue
		}
		f := Finding{Message: unsafeMessage(m.Build, s), Place: s.Place, Site: &m.Sites[i]}
		if fixable(m.Build, s, goal) {
			f.Fix = fix
			if fix == nil {
				f.Message += "; it can't be opted in: " + why
			}
		} else {
			f.Kept = !hasToken(s, driver.Token.Redefined)
		}
		found = append(found, f)
	}
	return found
}

// optedOut says whether the request stands in a file that opted out, and gets nothing from one that did not.
func optedOut(s driver.Site) bool {
	return s.Mechanism == nx.OptedOut && !hasToken(s, func(t driver.Token) bool { return t.In != nx.OptedOut })
}

func hasToken(s driver.Site, is func(driver.Token) bool) bool {
	return slices.ContainsFunc(s.Value.Terms, func(t driver.Term) bool { return slices.ContainsFunc(t.Tokens, is) })
}

var asked = map[nx.Kind]string{
	nx.PoolType: "executable nonpaged pool", nx.PoolFlags: "executable nonpaged pool",
	nx.LookasideFlags: "a lookaside list in executable pool", nx.MdlPriority: "an executable mapping",
	nx.PageProtection: "executable memory", nx.CacheType: "executable memory",
}

func unsafeMessage(b driver.Build, s driver.Site) string {
	may := "asks"
	if s.On(nx.Windows10).Executable == nx.Maybe {
		may = "may ask"
	}
	return fmt.Sprintf("%s %s for %s", s.DDI.Name, may, asked[s.DDI.Kind])
}
