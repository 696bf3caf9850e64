package rule

import (
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var callOutsideEntry = Rule{
	ID:       "C30035",
	Name:     "call-not-on-every-way-in",
	Official: "__WARNING_BANNED_MEM_ALLOCATION_MAYBE_BAD_CALL_SITE",
	Level:    Warning,
	Doc: Doc{
		What: `ExInitializeDriverRuntime(DrvRtPoolNxOptIn) is called, but not surely on every way from the routines by which Windows
enters the image: nothing calls the function that makes it, it is called through a pointer, it hangs on a condition, or one of
DriverEntry and DllInitialize does without. Microsoft's checker names every call outside of an entry routine; one in a helper
that the entry routine surely calls is no finding here.`,
		Why: `Where the call does not run, every NonPagedPool of the image is executable.`,
		Fix: `Make the call in the entry routine itself, as its first statement. The fix is safe: the call depends on nothing, and
making it twice is harmless.`,
		Before: hiddenCall(""),
		After:  hiddenCall("    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n"),
	},
	check: checkCallOutsideEntry,
	sets:  true,
}

// hiddenCall is a driver whose opt-in call is made through a table, and in DriverEntry, if that is given.
func hiddenCall(entry string) string {
	return vcxproj("POOL_NX_OPTIN=1", "drv.c") + `-- drv.c --
#include <ntddk.h>

static VOID Prepare(VOID)
{
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
}

static VOID (*const Steps[])(VOID) = { Prepare };

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
` + entry + `    Steps[0]();
    return ExAllocatePoolWithTag(NonPagedPool, 4096, 'xErD') ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`
}

func checkCallOutsideEntry(m *driver.Image, _ nx.Mechanism) []Finding {
	if m.Build.Initialised != driver.InitUnknown || m.Build.Library {
		return nil
	}
	var fix *Fix
	if edits := insertCall(m, optedIn); len(edits) > 0 {
		fix = &Fix{Title: "call ExInitializeDriverRuntime(DrvRtPoolNxOptIn) in the entry routine", Safe: true, Edits: edits}
	}
	var found []Finding
	for _, f := range factsOf(m, driver.OptInCall) {
		if f.Effective {
			found = append(found, Finding{
				Message: "the opt-in call in " + f.Function + " was not found on every way from " + strings.Join(m.Build.Entries, " and "),
				Place:   f.Place, Fix: fix,
			})
		}
	}
	return found
}
