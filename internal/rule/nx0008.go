package rule

import (
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/nx"
)

var optOutDisablesCall = Rule{
	ID:    "NX0008",
	Name:  "opt-out-disables-call",
	Level: Warning,
	Doc: Doc{
		What: `The driver's only call of ExInitializeDriverRuntime(DrvRtPoolNxOptIn) stands in a file that opts out by
POOL_NX_OPTOUT.`,
		Why: `In such a file the call is empty. The variables of the whole image are never set, and every NonPagedPool in the other
files stays executable, on every Windows.`,
		Fix: `Take the opt-out out of that file. What needs executable memory there goes into a file of its own, which opts out, or
names NonPagedPoolExecute. The fix takes the line out where the file itself defines it and requests nothing that hangs on it.`,
		Before: vcxproj("POOL_NX_OPTIN=1", "drv.c", "buffer.c") + optedOutEntry("#define POOL_NX_OPTOUT 1\n"),
		After:  vcxproj("POOL_NX_OPTIN=1", "drv.c", "buffer.c") + optedOutEntry(""),
	},
	check: checkOptOutDisablesCall,
	mend:  takeOutOptOut,
}

func optedOutEntry(optOut string) string {
	return `-- drv.c --
` + optOut + `#include <ntddk.h>

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    return STATUS_SUCCESS;
}
-- buffer.c --
#include <ntddk.h>

PVOID Get(SIZE_T Size)
{
    return ExAllocatePoolWithTag(NonPagedPool, Size, 'xErD');
}
`
}

// optedOutCall gives the call that an opt-out makes empty in an image that is never opted in, nil where there is none.
func optedOutCall(m *driver.Image) *driver.Fact {
	if m.Build.Initialised != driver.InitNo {
		return nil
	}
	for _, f := range factsOf(m, driver.OptInCall) {
		if f.Mechanism == nx.OptedOut {
			return &f
		}
	}
	return nil
}

func checkOptOutDisablesCall(m *driver.Image, _ nx.Mechanism) []Finding {
	call := optedOutCall(m)
	if call == nil {
		return nil
	}
	n, unknown := tooEarly(m), unknownPool(m)
	f := Finding{Message: "the opt-in call is empty, since this file opts out: " + stay(n, unknown), Place: call.Place}
	if n == 0 {
		f.Level = Note
	}
	return []Finding{f}
}

// takeOutOptOut takes the opt-out out of the file of the call, unless a request of some build hangs on it.
func takeOutOptOut(all *texts, m *driver.Image, _ nx.Mechanism, found []Finding) []Finding {
	for i := range found {
		for _, f := range factsOf(m, driver.OptOut) {
			if found[i].Level == Note || f.Place.Path != found[i].Place.Path || f.Unit != f.Place.Path || len(f.Written) == 0 || all.hangOn(f) {
				continue
			}
			line := f.Written[0]
			found[i].Fix = &Fix{Title: "take out POOL_NX_OPTOUT, which disables the call", Safe: true, Edits: []edit.Edit{
				{Path: line.At.Path, Start: line.At.Offset, End: line.End},
			}}
		}
	}
	return found
}

// hangOn says whether a build with that opt-out makes requests that are executable by one.
func (all *texts) hangOn(optOut driver.Fact) bool {
	return slices.ContainsFunc(all.images, func(m driver.Image) bool {
		return slices.ContainsFunc(factsOf(&m, driver.OptOut), func(f driver.Fact) bool { return f.Place == optOut.Place }) &&
			slices.ContainsFunc(m.Sites, func(s driver.Site) bool {
				return s.Mechanism == nx.OptedOut && s.DDI.Remapped || hasToken(s, func(t driver.Token) bool { return t.Redefined() && t.In == nx.OptedOut })
			})
	})
}
