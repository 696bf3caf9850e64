package rule

import (
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/nx"
)

// The opt-in's two halves: the macro, and the call at the start of each entry routine, in the style of its file.

// optIn is the fix that opts a build in: the macro, and for nx.OptIn the call in each entry routine. Without a fix it
// gives the reason.
func optIn(m *driver.Image, goal nx.Mechanism) (*Fix, string) {
	f := &Fix{Title: "opt in with " + goal.Macro(), Safe: true, Defines: []Define{{goal.Macro(), "1"}}}
	if goal != nx.OptIn || m.Build.Library || hasCall(m) {
		return f, ""
	}
	f.Edits = insertCall(m, func(entry driver.Fact) bool { return entry.Mechanism != nx.OptedOut && reachesKit(m, entry.Unit) })
	if len(f.Edits) == 0 {
		return nil, noCall(m)
	}
	f.Title += " and ExInitializeDriverRuntime"
	return f, ""
}

// noCall says why no entry routine can take the call.
func noCall(m *driver.Image) string {
	why := "no " + strings.Join(m.Build.Entries, " or ") + " was found for the call"
	for _, f := range m.Facts {
		switch {
		case f.Kind != driver.Entry:
		case f.Mechanism == nx.OptedOut:
			why = "the file of " + f.Function + " opts out, so that a call there has no effect"
		case !reachesKit(m, f.Unit):
			why = "the file of " + f.Function + " includes none of wdm.h, ntddk.h and ntifs.h, so that it knows no call: include one there"
			if !m.Build.Minimum.Before(nx.Windows8) {
				why += ", or take --to optin-auto, which needs no call"
			}
		case f.Span.Path == "":
			why = "the body of " + f.Function + " comes out of a macro, or its file is in UTF-16 (save it as UTF-8), so that no call can be put there"
		}
	}
	return why
}

// reachesKit says whether a unit comes to wdm.h, without which the opt-ins are not known.
func reachesKit(m *driver.Image, unit string) bool {
	return slices.ContainsFunc(m.Facts, func(f driver.Fact) bool { return f.Kind == driver.KitInclude && f.Unit == unit })
}

// hasCall says whether a call is there already that counts once its file is compiled with POOL_NX_OPTIN.
func hasCall(m *driver.Image) bool {
	return slices.ContainsFunc(m.Facts, func(f driver.Fact) bool {
		return f.Kind == driver.OptInCall && f.Mechanism != nx.OptedOut || f.Kind == driver.Entry && slices.ContainsFunc(f.Calls, waits)
	})
}

// waits says whether a call that is not compiled will be, once POOL_NX_OPTIN is defined.
func waits(c driver.Statement) bool { return c.Guard != nil && c.Guard.OptIn }

// waiting are the builds, by their IDs, of whose kits the headers know no opt-in, and which do not include nxpool.h: where it would
// have to be, and of the macros that have no effect for want of it, where the kit is included.
type waiting map[string][]driver.Step

func waitingFor(images []driver.Image) waiting {
	w := waiting{}
	for _, m := range images {
		for _, f := range m.Facts {
			if f.Kind == driver.KitInclude && f.Waits && w[m.Build.ID] == nil {
				w[m.Build.ID] = []driver.Step{}
			}
			if f.Kind == driver.OptInUnknown {
				w[m.Build.ID] = append(w[m.Build.ID], driver.Step{Place: f.Place, Says: f.Says + " has no effect: " + m.Build.Kit.Name + "'s headers, included here, know no opt-in"})
			}
		}
	}
	return w
}

// holdBack takes the opt-in out of a finding's fix, if it would have no effect in any of its builds, and says why.
func (w waiting) holdBack(f *Finding) {
	if f.Fix == nil || len(f.Fix.Defines) == 0 || slices.ContainsFunc(f.Builds, func(id string) bool { return w[id] == nil }) {
		return
	}
	f.Fix, f.NeedsHeader = nil, true
	f.Message += "; its kit's headers know no opt-in: nxport port --kit mingw adds nxpool.h, which has it"
	steps := w[f.Builds[0]]
	if f.Site != nil {
		steps = slices.DeleteFunc(slices.Clone(steps), func(s driver.Step) bool { return s.Path != f.Place.Path })
	}
	f.Steps = append(f.Steps, steps[:min(len(steps), 3)]...)
}

const call = "ExInitializeDriverRuntime(DrvRtPoolNxOptIn);"

// insertCall puts the call into every entry routine of the image in whose file it has, or will have, an effect. One that stands
// there already, and that only other builds compile, is used.
func insertCall(m *driver.Image, effective func(driver.Fact) bool) []edit.Edit {
	var edits []edit.Edit
	for _, f := range m.Facts {
		if f.Kind == driver.Entry && f.Span.Path != "" && effective(f) {
			edits = append(edits, callIn(f)...)
		}
	}
	return edits
}

// callIn puts the call into an entry routine. A guard around it that holds nothing else makes way, or becomes the right one.
func callIn(f driver.Fact) []edit.Edit {
	around := guardOf(f)
	switch {
	case slices.ContainsFunc(f.Calls, waits):
		return nil
	case len(f.Calls) == 1 && f.Calls[0].Guard != nil:
		return reguard(f.Calls[0], around)
	}
	edits := placeCall(f, around, []string{f.Span.Indent + call})
	for _, c := range f.Calls {
		edits = append(edits, takeAway(c)...)
	}
	return edits
}

// reguard puts another line in the place of an #if around a call.
func reguard(c driver.Statement, around string) []edit.Edit {
	first, last := c.Guard.If, c.Guard.Endif
	edits := []edit.Edit{{Path: first.At.Path, Start: first.At.Offset, End: first.End}, {Path: last.At.Path, Start: last.At.Offset, End: last.End}}
	switch {
	case around == strings.TrimSpace(first.Text):
		return nil
	case around != "":
		edits[0].New, edits[1].New = around+c.Span.Newline, "#endif"+c.Span.Newline
	}
	return edits
}

// takeAway removes a call that stands on lines of its own.
func takeAway(c driver.Statement) []edit.Edit {
	if c.Text == "" {
		return nil
	}
	return []edit.Edit{{Path: c.Span.Path, Start: c.Span.Start, End: c.Span.End + c.Blank}}
}

// guardOf gives what stands around the call in an entry routine: where a kit from before Windows 8, or a project of user mode, may
// compile it, it is not there for all. NonPagedPool is a macro exactly in the files that the kit's header has opted in, and
// /kernel defines _KERNEL_MODE.
func guardOf(f driver.Fact) string {
	switch {
	case f.OldKit: // nor does a file of user mode have that macro
		return "#ifdef NonPagedPool // a kit that knows POOL_NX_OPTIN redefines it"
	case f.Shared:
		return "#ifdef _KERNEL_MODE"
	}
	return ""
}

// placeCall puts lines that make the call at the place of a first statement, and behind them what has to wait for it.
func placeCall(f driver.Fact, around string, lines []string) []edit.Edit {
	at := f.Span
	bare := around == "" && len(lines) == 1
	if around != "" {
		lines = slices.Concat([]string{around}, lines, []string{"#endif"})
	}
	edits := []edit.Edit{{Path: at.Path, Start: at.Start, End: at.End}}
	for _, i := range f.Initialisers { // in C, no declaration follows a statement
		lines = append(lines, at.Indent+i.Statement)
		edits = append(edits, edit.Edit{Path: i.Path, Start: i.Start, End: i.End})
	}
	switch {
	case at.Inline && bare:
		edits[0].New = " " + strings.Join(lines, " ")
	case at.Inline:
		edits[0].New = at.Newline + strings.Join(lines, at.Newline) + at.Newline
	case at.Apart:
		lines = slices.Insert(lines, 0, "")
		fallthrough
	default:
		edits[0].New = at.Newline + strings.Join(lines, at.Newline)
	}
	return edits
}

// optedIn says whether the call has an effect in the file of an entry routine as it is.
func optedIn(entry driver.Fact) bool { return entry.Mechanism == nx.OptIn }
