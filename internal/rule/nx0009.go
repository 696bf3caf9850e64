package rule

import (
	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var notAConstant = Rule{
	ID:    "NX0009",
	Name:  "not-a-constant",
	Level: Error,
	Doc: Doc{
		What: `Under POOL_NX_OPTIN, NonPagedPool is used where the language wants a constant: in a static initialiser of C, as a case
label, an enumerator, a template argument, in constexpr or static_assert. A global variable of C++ that begins with it is a warning.`,
		Why: `POOL_NX_OPTIN makes NonPagedPool a variable: such code does not compile. In C++ the global variable gets a dynamic
initialiser, which a driver without a C++ runtime never runs: it stays 0, the executable pool, and one with a runtime reads
the variable before DriverEntry has made the opt-in call.`,
		Fix: `Assign the value at run time, after the opt-in call. Or use POOL_NX_OPTIN_AUTO, under which it is a constant, if the
driver starts at Windows 8. There is no automatic fix.`,
		Before: vcxproj("POOL_NX_OPTIN=1", "drv.c") + constantSource("PoolType = NonPagedPool", ""),
		After:  vcxproj("POOL_NX_OPTIN=1", "drv.c") + constantSource("PoolType", "    PoolType = NonPagedPool;\n"),
	},
	check: checkNotAConstant,
}

func constantSource(declaration, assignment string) string {
	return `-- drv.c --
#include <ntddk.h>

static POOL_TYPE ` + declaration + `;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
` + assignment + `    return ExAllocatePoolWithTag(PoolType, 4096, 'xErD') ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`
}

func checkNotAConstant(m *driver.Image, _ nx.Mechanism) []Finding {
	var found []Finding
	for _, f := range factsOf(m, driver.ConstantNeeded) {
		if f.Mechanism == nx.OptIn {
			found = append(found, Finding{Message: f.Says + ", where POOL_NX_OPTIN makes it a variable: this does not compile", Place: f.Place})
		}
	}
	for _, f := range factsOf(m, driver.DynamicInitialiser) {
		if f.Mechanism == nx.OptIn {
			found = append(found, Finding{
				Message: f.Says + ", and runs before the opt-in call, or in a driver without a C++ runtime never: it stays 0, the executable pool",
				Place:   f.Place, Level: Warning,
			})
		}
	}
	return found
}
