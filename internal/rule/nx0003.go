package rule

import (
	"fmt"
	"slices"
	"strings"

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
	built: optInLate,
	sets:  true,
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

// moveCall takes the call away where it stands on lines of its own, and puts it at the start of the entry routine, with what belongs
// to it. One that can't be taken away stays: making the call twice is harmless.
func moveCall(m *driver.Image) (*Fix, driver.Place) {
	fix := &Fix{Title: "move ExInitializeDriverRuntime to the start of the entry routine", Safe: true}
	var where driver.Place
	var effective, calls []driver.Fact
	for _, f := range m.Facts {
		if f.Kind != driver.OptInCall || !f.Effective {
			continue
		}
		where = f.Place
		effective = append(effective, f)
		if len(f.Calls) > 0 && f.Calls[0].Text != "" {
			calls = append(calls, f)
		}
	}
	for _, f := range m.Facts {
		if f.Kind != driver.Entry || f.Span.Path == "" || !optedIn(f) {
			continue
		}
		if slices.ContainsFunc(effective, func(c driver.Fact) bool { return len(f.Initialisers) == 0 && startsAt(c, f.Span) }) {
			return nil, where
		}
		i := slices.IndexFunc(calls, func(c driver.Fact) bool { return c.Span.Path == f.Span.Path && c.Function == f.Function })
		if i < 0 && len(calls) == 1 {
			i = 0 // a helper's
		}
		if i >= 0 && !f.Span.Inline {
			fix.Edits = append(fix.Edits, placeMoved(f, calls[i].Calls[0])...)
		} else {
			fix.Edits = append(fix.Edits, callIn(f)...)
		}
	}
	for _, c := range calls {
		fix.Edits = append(fix.Edits, takeAway(c.Calls[0])...)
	}
	if len(fix.Edits) == 0 {
		return nil, where
	}
	return fix, where
}

// placeMoved puts a call at the start of its routine as it is written, and indented as what stands there.
func placeMoved(f driver.Fact, c driver.Statement) []edit.Edit {
	around := guardOf(f)
	if c.Guard != nil {
		around = ""
	}
	lines := strings.Split(strings.TrimRight(c.Text, "\r\n"), "\n")
	for i, line := range lines {
		line = strings.TrimSuffix(line, "\r")
		if rest, ok := strings.CutPrefix(line, c.Span.Indent); ok && c.Span.Indent != "" {
			line = f.Span.Indent + rest
		}
		lines[i] = line
	}
	return placeCall(f, around, lines)
}

// startsAt says whether a call stands where a new one would be put, behind an empty line at most: what is too early then is no matter
// of its place.
func startsAt(call driver.Fact, at driver.Span) bool {
	start := call.Span.Start
	if len(call.Calls) > 0 && call.Calls[0].Text != "" {
		start = call.Calls[0].Span.Start // with its comments
	}
	return call.Span.Path == at.Path && start >= at.End && start <= at.End+len("\r\n\r\n")
}
