package rule

import (
	"fmt"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/nx"
)

var nxBelowWindows8 = Rule{
	ID:    "NX0010",
	Name:  "nx-below-windows-8",
	Level: Warning,
	Doc: Doc{
		What: `A driver that runs on Windows 7 or before asks for NX pool there: it names NonPagedPoolNx or POOL_NX_ALLOCATION, or is
compiled with POOL_NX_OPTIN_AUTO. MdlMappingNoExecute, which counts from Windows 8 on, is one note for all mappings of a
driver, and so is a driver of which nothing says where it starts. A request that stands under a condition on the version of Windows, or whose type such a condition
selects, is no finding.`,
		Why: `The allocators before Windows 8 do not know the type. What they do with it is not defined: the bit may be ignored, or
the wrong pool be taken.`,
		Fix: `Use NonPagedPool with POOL_NX_OPTIN, which asks for NX pool where there is some; or raise the minimum Windows. The fix does
the first, where nothing else hangs on the constant, and a build file says where the driver starts.`,
		Before: vcxproj("DRV", "drv.c") + nxSource("NonPagedPoolNx", ""),
		After:  vcxproj("POOL_NX_OPTIN=1;DRV", "drv.c") + nxSource("NonPagedPool", "    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n"),
	},
	check: checkNXBelowWindows8,
	mend:  lower,
	built: nxTooOld,
}

func nxSource(poolType, call string) string {
	return `-- drv.c --
#include <ntddk.h>

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
` + call + `    return ExAllocatePoolWithTag(` + poolType + `, 4096, 'xErD') ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`
}

func checkNXBelowWindows8(m *driver.Image, _ nx.Mechanism) []Finding {
	i := slices.IndexFunc(m.Build.Windows, func(w nx.Version) bool { return !w.HasNX() })
	if i < 0 {
		return nil
	}
	w := m.Build.Windows[i]
	var found, mappings []Finding
	var auto *driver.Site
	for i := range m.Sites {
		s := &m.Sites[i]
		switch {
		case s.Guard != nil || s.Own != "" || !asksUnknown(*s, w):
		case byAuto(*s):
			auto = s
		case s.DDI.Kind == nx.MdlPriority:
			mappings = append(mappings, nxRequest(s, w))
		default:
			found = append(found, nxRequest(s, w))
		}
	}
	if auto != nil {
		found = append(found, Finding{
			Message: fmt.Sprintf("POOL_NX_OPTIN_AUTO asks for NX pool on every Windows, and %s, where this driver starts, has none", w.Name()),
			Place:   driver.Place{Path: m.Build.Project},
		})
	}
	if m.Build.MinimumSource == "default" {
		return summarised(append(found, mappings...))
	}
	if len(mappings) > 0 { // one tells of all
		for _, other := range mappings[1:] {
			mappings[0].Steps = append(mappings[0].Steps, driver.Step{Place: other.Place, Says: "here, too"})
		}
		found = append(found, mappings[0])
	}
	return found
}

// asksUnknown says whether the request always asks for what that Windows does not know.
func asksUnknown(s driver.Site, w nx.Version) bool {
	for _, t := range s.Value.Terms {
		chosen := slices.ContainsFunc(s.Value.Selected, func(u driver.Term) bool { return u.Compare(t) == 0 })
		if !chosen && alone(s, t, w) == nx.Undefined {
			return true
		}
	}
	return false
}

// byAuto says whether the request would be known without POOL_NX_OPTIN_AUTO.
func byAuto(s driver.Site) bool {
	return s.DDI.Remapped && s.Mechanism == nx.OptInAuto || hasToken(s, func(t driver.Token) bool { return t.Redefined() && t.In == nx.OptInAuto })
}

func nxRequest(s *driver.Site, w nx.Version) Finding {
	f := Finding{
		Message: fmt.Sprintf("%s asks for NX pool, which %s does not know, where this driver runs", s.DDI.Name, w.Name()), Place: s.Place, Site: s,
	}
	if s.DDI.Kind == nx.MdlPriority {
		f.Level = Note
		f.Message = fmt.Sprintf("%s passes MdlMappingNoExecute, which counts from Windows 8 on, and this driver runs on %s", s.DDI.Name, w.Name())
	}
	return f
}

// summarised makes one note of the findings about a driver whose minimum Windows is not known.
func summarised(found []Finding) []Finding {
	if len(found) == 0 {
		return nil
	}
	f := found[0]
	f.Level, f.Site = Note, nil
	f.Message = "NX pool is asked for whatever the Windows is, and no build file says that this driver starts at Windows 8"
	for _, other := range found {
		f.Steps = append(f.Steps, driver.Step{Place: other.Place, Says: "NX on every Windows"})
	}
	return []Finding{f}
}

// withoutNX has what to name instead of NX pool where POOL_NX_OPTIN is defined.
var withoutNX = map[nx.Kind]map[string]string{
	nx.PoolType:       {"NonPagedPoolNx": "NonPagedPool", "NonPagedPoolNxCacheAligned": "NonPagedPoolCacheAligned"},
	nx.LookasideFlags: {"POOL_NX_ALLOCATION": "0"},
}

// lower gives requests for NX pool their fixes: POOL_NX_OPTIN, and the names that it redefines.
func lower(all *texts, m *driver.Image, _ nx.Mechanism, found []Finding) []Finding {
	for i := range found {
		s := found[i].Site
		if s == nil || found[i].Level == Note {
			continue
		}
		var edits []edit.Edit
		held, constant := "it is asked for by no name that POOL_NX_OPTIN redefines", false
		for _, w := range s.Value.Written {
			name := withoutNX[s.DDI.Kind][w.Text]
			switch {
			case name == "":
			case w.First:
				held, constant = fmt.Sprintf("it is named where a constant is needed (%s); assign it behind the opt-in call", w.At), true
			case all.beyond[textOf(w)]:
				held = "POOL_NX_OPTIN is not at work everywhere that this " + w.Text + " serves"
			case w.Use > driver.Together || len(all.kinds[textOf(w)]) != 1:
				held = "more than this request hangs on " + w.Text
			default:
				edits = append(edits, edit.Edit{Path: w.At.Path, Start: w.At.Offset, End: w.End, New: name})
			}
		}
		if constant {
			edits = nil
		}
		fix, why := &Fix{Title: "name the pool that POOL_NX_OPTIN redefines", Safe: true}, ""
		switch {
		case m.Build.Mechanism != nx.OptIn:
			fix, why = optIn(m, nx.OptIn)
		case m.Build.Initialised == driver.InitNo:
			fix.Edits = insertCall(m, optedIn)
		}
		switch {
		case fix == nil:
			found[i].Message += "; it can't be opted in: " + why
		case len(edits) == 0:
			found[i].Message += "; it can't be changed: " + held
		default:
			both := *fix
			both.Edits = slices.Concat(fix.Edits, edits)
			found[i].Fix = &both
		}
	}
	return found
}
