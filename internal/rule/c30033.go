package rule

import (
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var exportDriverWithoutCall = Rule{
	ID:       "C30033",
	Name:     "export-driver-without-call",
	Official: "__WARNING_BANNED_MEM_ALLOCATION_MAYBE_UNSAFE_DRIVER_LOADED",
	Level:    Warning,
	Doc: Doc{
		What: `An export driver, which other drivers load as a library, is compiled with POOL_NX_OPTIN and does not call
ExInitializeDriverRuntime(DrvRtPoolNxOptIn) itself.`,
		Why: `Microsoft's page on this warning says that a call in the driver that loads it is enough. It is not: the header
defines the variables that the call sets once per image, and the export driver is an image of its own. Its NonPagedPool stays
NonPagedPoolExecute.`,
		Fix: `Make the call in DllInitialize, which Windows calls when the export driver is loaded. The fix is safe as long as
nothing executes the memory. Where it is known that nothing hangs on the call, there is none.`,
		Before: exportDriver(""),
		After:  exportDriver("    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n\n"),
	},
	check: checkExportDriver,
	sets:  true,
}

func exportDriver(call string) string {
	const link = "    <Link>\n      <NoEntryPoint>true</NoEntryPoint>\n    </Link>\n"
	return vcxprojWith(link, "Windows7", "POOL_NX_OPTIN=1", "drv.c") + `-- drv.c --
#include <ntddk.h>

NTSTATUS DllInitialize(PUNICODE_STRING RegistryPath)
{
    PVOID Buffer;

` + call + `    Buffer = ExAllocatePoolWithTag(NonPagedPool, 4096, 'xErD');
    return Buffer ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`
}

// isExportDriver says whether Windows enters the image by DllInitialize alone.
func isExportDriver(m *driver.Image) bool {
	entries := factsOf(m, driver.Entry)
	other := func(f driver.Fact) bool { return f.Function != "DllInitialize" }
	return len(entries) > 0 && !slices.ContainsFunc(entries, other) || slices.Equal(m.Build.Entries, []string{"DllInitialize"})
}

func checkExportDriver(m *driver.Image, _ nx.Mechanism) []Finding {
	if m.Build.Initialised != driver.InitNo || !isExportDriver(m) {
		return nil
	}
	n, unknown := tooEarly(m), unknownPool(m)
	f := Finding{
		Message: "this export driver does not call ExInitializeDriverRuntime(DrvRtPoolNxOptIn), and a call in its users sets nothing here: " + stay(n, unknown),
		Place:   entryPlace(m),
	}
	if n == 0 {
		f.Level = Note
	}
	if edits := insertCall(m, optedIn); len(edits) > 0 && n+unknown > 0 {
		f.Fix = &Fix{Title: "call ExInitializeDriverRuntime(DrvRtPoolNxOptIn) in DllInitialize", Safe: true, Edits: edits}
	}
	return []Finding{f}
}
