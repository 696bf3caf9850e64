package rule

import (
	"fmt"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

var libraryWithoutMacro = Rule{
	ID:    "NX0013",
	Name:  "library-without-macro",
	Level: Warning,
	Doc: Doc{
		What: `A static library is compiled without the macro of the driver that it is linked into, and asks for executable memory.`,
		Why: `The header opts in file by file: the call in DriverEntry sets the variables for all files of the image that were
compiled with POOL_NX_OPTIN, and those of the library were not.`,
		Fix: `Define the macro for the library too; it needs no call of its own. A driver that uses the library and is not opted in
then gets what it got before, as long as nothing in it makes the call. The fix is safe as long as nothing executes the memory.`,
		Before: libraryProjects("LIB"),
		After:  libraryProjects("POOL_NX_OPTIN=1;LIB"),
	},
	checkAll: checkLibraryWithoutMacro,
}

// libraryProjects is a library with these definitions, and a driver that links it.
func libraryProjects(definitions string) string {
	library := strings.NewReplacer("-- drv.vcxproj --", "-- lib.vcxproj --", "    <ConfigurationType>Driver</ConfigurationType>\n",
		`    <ConfigurationType>StaticLibrary</ConfigurationType>
    <DriverType>WDM</DriverType>
    <PlatformToolset>WindowsKernelModeDriver10.0</PlatformToolset>
`)
	links := strings.NewReplacer(`<ClCompile Include="drv.c" />`, `<ClCompile Include="drv.c" />
    <ProjectReference Include="lib.vcxproj" />`)
	return library.Replace(vcxproj(definitions, "lib.c")) + `-- lib.c --
#include <ntddk.h>

PVOID LibGet(SIZE_T Size)
{
    return ExAllocatePoolWithTag(NonPagedPool, Size, 'biLD');
}
` + links.Replace(vcxproj("POOL_NX_OPTIN=1", "drv.c")) + `-- drv.c --
#include <ntddk.h>
PVOID LibGet(SIZE_T Size);

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    return LibGet(4096) ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`
}

func checkLibraryWithoutMacro(images []driver.Image) []Finding {
	byID := map[string]*driver.Image{}
	for i := range images {
		byID[images[i].Build.ID] = &images[i]
	}
	var found []Finding
	for i := range images {
		b := images[i].Build
		if !isOptedIn(b) {
			continue
		}
		for _, id := range b.Links {
			if lib := byID[id]; lib != nil {
				found = append(found, libraryFinding(lib, b)...)
			}
		}
	}
	return found
}

func libraryFinding(lib *driver.Image, user driver.Build) []Finding {
	n := 0
	for _, s := range lib.Sites {
		if fixable(lib.Build, s, user.Mechanism) {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	macro := user.Mechanism.Macro()
	return []Finding{{
		Place: driver.Place{Path: lib.Build.Project}, Builds: []string{lib.Build.ID},
		Message: fmt.Sprintf("this library is linked into %s, which is opted in, and is itself compiled without %s: %s", user.Project, macro, left(n)),
		Fix:     &Fix{Title: "define " + macro, Safe: true, Defines: []Define{{macro, "1"}}},
	}}
}
