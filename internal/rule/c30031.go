package rule

import (
	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var callNotShown = Rule{
	ID:       "C30031",
	Name:     "request-hangs-on-unproved-call",
	Official: "__WARNING_BANNED_MEM_ALLOCATION_MAYBE_SAFE",
	Level:    Note,
	Doc: Doc{
		What: `A request is no-execute only if the opt-in call runs before it, and the call was not found on every way from the
entry routines: see C30035, which stands at the call. Microsoft's checker says this of every driver whose call stands one helper
below DriverEntry; here the helper is followed, and a call that surely runs first is no finding.`,
		Why: `Until the call, NonPagedPool stands for a variable that holds NonPagedPoolExecute.`,
		Fix: `Make the call in the entry routine itself, as its first statement; making it twice is harmless. The fix is that of
C30035.`,
		Before: hiddenCall(""),
		After:  hiddenCall("    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n"),
	},
	check: checkCallNotShown,
	built: optInNotShown,
}

func checkCallNotShown(m *driver.Image, _ nx.Mechanism) []Finding {
	if m.Build.Initialised != driver.InitUnknown || m.Build.Library {
		return nil
	}
	var found []Finding
	for i := range m.Sites {
		if s := &m.Sites[i]; s.TooEarly() {
			found = append(found, Finding{
				Message: s.DDI.Name + " gets no-execute memory only if the opt-in call runs before it, which is not shown",
				Place:   s.Place, Site: s,
			})
		}
	}
	return found
}
