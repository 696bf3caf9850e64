package rule

import (
	"fmt"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/nx"
)

var callTooLate = Rule{
	ID:    "NX0003",
	Name:  "call-after-request",
	Level: Warning,
	Doc: Doc{
		What: `A request for memory runs before ExInitializeDriverRuntime(DrvRtPoolNxOptIn) does. Where it also runs afterwards,
and on the way to it from the entry routine stands a condition, it is a note.`,
		Why: `Until the call, NonPagedPool stands for a variable that still holds its initial value, NonPagedPoolExecute:
what was asked for by then is executable on every Windows, for as long as it lives.`,
		Fix: `Move the call in front of the first request, as the first statement of the entry routine. The fix is safe: the
call depends on nothing.`,
		Before: vcxproj("POOL_NX_OPTIN=1", "drv.c", "log.c") + `-- drv.c --
#include <ntddk.h>
NTSTATUS LogStart(VOID);

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    Status = LogStart();
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    return Status;
}
-- log.c --
#include <ntddk.h>

NTSTATUS LogStart(VOID)
{
    return ExAllocatePoolWithTag(NonPagedPool, 4096, 'goLD') ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`,
		After: vcxproj("POOL_NX_OPTIN=1", "drv.c", "log.c") + `-- drv.c --
#include <ntddk.h>
NTSTATUS LogStart(VOID);

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);

    Status = LogStart();
    return Status;
}
-- log.c --
#include <ntddk.h>

NTSTATUS LogStart(VOID)
{
    return ExAllocatePoolWithTag(NonPagedPool, 4096, 'goLD') ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`,
	},
	check: checkCallTooLate,
}

func checkCallTooLate(m *driver.Image, _ nx.Mechanism) []Finding {
	if m.Build.Initialised != driver.InitLate && m.Build.Initialised != driver.InitYes {
		return nil
	}
	fix, where := moveCall(m)
	var found []Finding
	for i, s := range m.Sites {
		if !s.TooEarly() {
			continue
		}
		f := Finding{
			Message: fmt.Sprintf("%s runs before the opt-in call (%s) and gets executable memory", s.DDI.Name, where),
			Place:   s.Place, Site: &m.Sites[i], Fix: fix,
		}
		if s.Perhaps() {
			f.Level = Note
			f.Message = fmt.Sprintf("%s may run before the opt-in call (%s), on a way that hangs on a condition, and then gets executable memory", s.DDI.Name, where)
		}
		found = append(found, f)
	}
	return found
}

// moveCall takes the call away where it stands on a line of its own, and puts it at the start of the entry routine.
// One that can't be taken away stays: making the call twice is harmless.
func moveCall(m *driver.Image) (*Fix, driver.Place) {
	fix := &Fix{Title: "move ExInitializeDriverRuntime to the start of the entry routine", Safe: true, Edits: insertCall(m, optedIn)}
	var where driver.Place
	for _, f := range m.Facts {
		if f.Kind != driver.OptInCall || !f.Effective {
			continue
		}
		where = f.Place
		if slices.ContainsFunc(fix.Edits, func(e edit.Edit) bool { return startsAt(f.Span, e) }) {
			return nil, where
		}
		if !f.Span.Inline && f.Span.End > 0 {
			fix.Edits = append(fix.Edits, edit.Edit{Path: f.Span.Path, Start: f.Span.Start, End: f.Span.End})
		}
	}
	if len(fix.Edits) == 0 {
		return nil, where
	}
	return fix, where
}

// startsAt says whether a call stands where it would be put, behind an empty line at most: what is too early then is no matter of
// its place.
func startsAt(call driver.Span, put edit.Edit) bool {
	return call.Path == put.Path && call.Start >= put.End && call.Start <= put.End+len("\r\n\r\n")
}
