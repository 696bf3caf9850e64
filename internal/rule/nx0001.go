package rule

import (
	"fmt"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var macroWithoutCall = Rule{
	ID:    "NX0001",
	Name:  "macro-without-call",
	Level: Warning,
	Doc: Doc{
		What: `Files of the driver are compiled with POOL_NX_OPTIN, but nothing calls
ExInitializeDriverRuntime(DrvRtPoolNxOptIn). Where no request of the driver hangs on it, as far as is known, it is a note.`,
		Why: `With the macro alone NonPagedPool becomes a variable that nobody sets: it stays NonPagedPoolExecute on every
Windows, and so does the mapping attribute. The driver looks ported and is not.`,
		Fix: `Make the call in DriverEntry (in an export driver also in DllInitialize), before the first request, in a file
that is itself compiled with POOL_NX_OPTIN. On Windows 7 and before it changes nothing. The fix is safe as long as
nothing executes the memory. Where it is known that nothing hangs on the call, there is none.`,
		Before: vcxproj("POOL_NX_OPTIN=1", "drv.cpp") + `-- drv.cpp --
#include <ntddk.h>

extern "C" NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    auto Buffer = ExAllocatePoolWithTag(NonPagedPool, 4096, 'xErD');
    return Buffer ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}
`,
		After: vcxproj("POOL_NX_OPTIN=1", "drv.cpp") + `-- drv.cpp --
#include <ntddk.h>

extern "C" NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    auto Buffer = ExAllocatePoolWithTag(NonPagedPool, 4096, 'xErD');
    return Buffer ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}
`,
	},
	check: checkMacroWithoutCall,
	built: optInNotCalled,
	sets:  true,
}

func checkMacroWithoutCall(m *driver.Image, _ nx.Mechanism) []Finding {
	if m.Build.Initialised != driver.InitNo || isExportDriver(m) || optedOutCall(m) != nil {
		return nil
	}
	n, unknown := tooEarly(m), unknownPool(m)
	f := Finding{
		Message: "POOL_NX_OPTIN is defined, but ExInitializeDriverRuntime(DrvRtPoolNxOptIn) is never called: " + stay(n, unknown),
		Place:   entryPlace(m),
	}
	if n == 0 {
		f.Level = Note
	}
	for _, other := range factsOf(m, driver.OtherCall) {
		f.Steps = append(f.Steps, driver.Step{Place: other.Place, Says: "this call does not pass DrvRtPoolNxOptIn"})
	}
	if edits := insertCall(m, optedIn); len(edits) > 0 && n+unknown > 0 {
		f.Fix = &Fix{Title: "call ExInitializeDriverRuntime(DrvRtPoolNxOptIn) in the entry routine", Safe: true, Edits: edits}
	}
	return []Finding{f}
}

// tooEarly counts the requests that are executable for want of the call, also where that is not all they want.
func tooEarly(m *driver.Image) int {
	n := 0
	for _, s := range m.Sites {
		e := s.On(nx.Windows10).Executable
		if s.TooEarly() || (e == nx.Yes || e == nx.Maybe) && hasToken(s, driver.Token.HangsOnCall) {
			n++
		}
	}
	return n
}

// unknownPool counts the requests of which it is not known what they get, and which an opt-in may change.
func unknownPool(m *driver.Image) int {
	n := 0
	for _, s := range m.Sites {
		if (s.DDI.Kind == nx.PoolType || s.DDI.Remapped) && s.On(nx.Windows10).Executable == nx.Unknown {
			n++
		}
	}
	return n
}

func stay(n, unknown int) string {
	switch {
	case n == 1:
		return "1 request stays executable on every Windows"
	case n > 1:
		return fmt.Sprintf("%d requests stay executable on every Windows", n)
	case unknown > 0:
		return "no request is known to hang on it, but it is not known what " + count(unknown, "request") + " may ask for"
	}
	return "harmless, since no request of this driver hangs on it"
}

// entryPlace is where a finding about the whole image stands: its entry routine, else its build file.
func entryPlace(m *driver.Image) driver.Place {
	for _, f := range m.Facts {
		if f.Kind == driver.Entry {
			return f.Place
		}
	}
	return driver.Place{Path: m.Build.Project}
}
