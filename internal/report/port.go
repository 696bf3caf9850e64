package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

// Ported is a port that is ready to be written.
type Ported struct {
	Goal     rule.Goal
	Why, Not string // what decided for that one, and what against the other; Not is "" where nobody chose
	Changes  []edit.Change
	Alone    []string // files that are not to be changed, and why
	Refused  []string // why builds stay without the define
	Before   []driver.Image
	After    []driver.Image
	Executed []rule.Finding // requests whose memory seems to be executed, as they were before
	Kept     []rule.Finding // requests that the source itself keeps executable
	Left     []rule.Finding // what could not be mended
	// Suppressed are those that the source still suppresses, of any rule.
	Suppressed []rule.Finding
	// NoAlternative are requests for which the lowest Windows of their build has no other routine.
	NoAlternative []rule.Finding
}

// Risks says, before anything is written, which requests seem to have their memory executed, by what signs and what the port
// makes of that; and how many that it makes no-execute could not be judged.
func Risks(w io.Writer, r *Ported) {
	for _, f := range r.Executed {
		fmt.Fprintf(w, "executed: %s: %s\n", f.Place, f.Message)
		for i, step := range f.Steps {
			if i == maxEvidence {
				fmt.Fprintf(w, "  and %d more: nxport explain %s\n", len(f.Steps)-i, lineOf(f.Place))
				break
			}
			fmt.Fprintf(w, "  %s: %s\n", lineOf(step.Place), step.Says)
		}
		if f.Fix != nil {
			fmt.Fprintf(w, "  fix: %s\n", f.Fix.Title)
		}
	}
	escaping(w, r)
}

// maxEvidence and maxEscaping bound what is listed of the evidence, and of the requests that escape judgement.
const maxEvidence, maxEscaping = 8, 5

// escaping names requests that the port makes no-execute and whose address goes where it is not followed.
func escaping(w io.Writer, r *Ported) {
	var places []string
	changed := 0
	seen := map[driver.Place]bool{}
	for i, before := range r.Before {
		for _, p := range driver.Compare(before, r.After[i]) {
			if p.A == nil || p.B == nil || seen[p.A.Place] || !becameNX(before.Build.Windows, *p.A, *p.B) {
				continue
			}
			seen[p.A.Place] = true
			changed++
			if p.A.Escapes && len(p.A.Executed) == 0 {
				places = append(places, lineOf(p.A.Place))
			}
		}
	}
	if len(places) == 0 {
		return
	}
	count, more := len(places), ""
	if n := count - maxEscaping; n > 0 {
		places, more = places[:maxEscaping], fmt.Sprintf(" and %d more", n)
	}
	fmt.Fprintf(w, "not judged: %d of %s that the port makes no-execute: their memory goes where it is not followed, and may be executed "+
		"there: %s%s\n", count, plural(changed, "request"), strings.Join(places, ", "), more)
}

// changesPool says whether the port makes any pool no-execute.
func changesPool(r *Ported) bool {
	for i, before := range r.Before {
		for _, p := range driver.Compare(before, r.After[i]) {
			if p.A != nil && p.B != nil && becameNX(before.Build.Windows, *p.A, *p.B) {
				return true
			}
		}
	}
	return false
}

// becameNX says whether pool is no longer executable on one of the versions.
func becameNX(windows []nx.Version, a, b driver.Site) bool {
	if a.DDI.Kind != nx.PoolType && a.DDI.Kind != nx.PoolFlags {
		return false
	}
	return slices.ContainsFunc(windows, func(w nx.Version) bool {
		old := a.On(w).Executable
		return (old == nx.Yes || old == nx.Maybe) && b.On(w).Executable == nx.No
	})
}

// Port says what a port did and why: the mechanism, the files, what became of the requests, what is left.
func Port(w io.Writer, r *Ported, written bool) {
	switch {
	case len(r.Changes) == 0:
		fmt.Fprintln(w, "nothing to change")
	case r.Goal.Mechanism.Macro() != "" && !changesOptIn(r):
		fmt.Fprintln(w, "no opt-in is added or moved: what changes is what requests name")
	default:
		fmt.Fprintf(w, "mechanism %s: %s\n", aim(r.Goal), r.Why)
		if r.Not != "" {
			fmt.Fprintf(w, "why no other: %s\n", r.Not)
		}
	}
	for _, c := range r.Changes {
		verb := "would change"
		switch {
		case c.Creates() && written:
			verb = "made"
		case c.Creates():
			verb = "would make"
		case written:
			verb = "changed"
		}
		fmt.Fprintf(w, "%s %s\n", verb, c.Path)
	}
	for _, file := range r.Alone {
		fmt.Fprintf(w, "left alone: %s\n", file)
	}
	for _, why := range r.Refused {
		fmt.Fprintf(w, "refused: %s\n", why)
	}
	at := shown(r, written)
	became(w, r, at)
	if len(r.Changes) > 0 {
		cautions(w, r)
	}
	oldKits(w, r)
	for _, f := range r.Kept {
		fmt.Fprintf(w, "kept executable, as the source says: %s: %s(%s)%s\n", at(f.Place), f.Site.DDI.Name, f.Site.Argument, evidence(f.Site))
	}
	if n := len(r.Suppressed); n > 0 {
		fmt.Fprintf(w, "%s suppressed in the source: nxport scan --show-suppressed lists what and why\n", plural(n, "finding"))
	}
	remaining(w, "no alternative", without(r.NoAlternative, r.Left), at, func(f rule.Finding) string { return f.Message })
	remaining(w, "left", r.Left, at, func(f rule.Finding) string { return f.Rule.ID + ": " + f.Message })
	var more []string
	for _, f := range r.Left {
		more = append(more, "nxport explain "+f.Rule.ID)
	}
	if len(more) > 0 {
		fmt.Fprintf(w, "next: %s\n", strings.Join(distinct(more), "; "))
	}
}

// shown gives where a place of the ported tree is in the files as they are: what is not written moved no line.
func shown(r *Ported, written bool) func(driver.Place) driver.Place {
	old := map[driver.Place]driver.Place{}
	for i, before := range r.Before {
		for _, p := range driver.Compare(before, r.After[i]) {
			if p.A != nil && p.B != nil && !written {
				old[p.B.Place] = p.A.Place
			}
		}
	}
	return func(p driver.Place) driver.Place {
		if was, ok := old[p]; ok {
			return was
		}
		return p
	}
}

// changesOptIn says whether the port made of any build what it was not, or changes a line with a macro or the call.
func changesOptIn(r *Ported) bool {
	for i, before := range r.Before {
		a, b := before.Build, r.After[i].Build
		if a.Mechanism != b.Mechanism || a.Initialised != b.Initialised || !slices.Equal(a.Exceptions, b.Exceptions) {
			return true
		}
	}
	for line := range strings.Lines(edit.Diff(r.Changes)) {
		if line[0] != ' ' && (strings.Contains(line, "POOL_NX_OPT") || strings.Contains(line, "ExInitializeDriverRuntime")) {
			return true
		}
	}
	return false
}

// without leaves out what others say of the same place: a file has no alternative in one build, and one in another.
func without(list, others []rule.Finding) []rule.Finding {
	return slices.DeleteFunc(slices.Clone(list), func(f rule.Finding) bool {
		return slices.ContainsFunc(others, func(o rule.Finding) bool { return o.Place == f.Place })
	})
}

// remaining names findings, those together of which the same is said.
func remaining(w io.Writer, title string, list []rule.Finding, at func(driver.Place) driver.Place, says func(rule.Finding) string) {
	var order []string
	places := map[string][]driver.Place{}
	for _, f := range list {
		text := says(f)
		if places[text] == nil {
			order = append(order, text)
		}
		places[text] = append(places[text], at(f.Place))
	}
	for _, text := range order {
		if len(places[text]) == 1 {
			fmt.Fprintf(w, "%s: %s: %s\n", title, places[text][0], text)
			continue
		}
		fmt.Fprintf(w, "%s: %s:\n", title, text)
		for _, line := range byPath(places[text], true) {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
}

// byPath names places, a line for each file, with their columns or without.
func byPath(places []driver.Place, columns bool) (lines []string) {
	last := ""
	for _, p := range places {
		name := lineOf(p)
		if columns {
			name = p.String()
		}
		if p.Path == last && p.Line > 0 {
			lines[len(lines)-1] += ", " + strings.TrimPrefix(name, p.Path+":")
			continue
		}
		lines, last = append(lines, name), p.Path
	}
	return lines
}

// evidence is the sign that memory which is kept executable is executed, "" where there is none.
func evidence(s *driver.Site) string {
	if len(s.Executed) == 0 {
		return ""
	}
	sign := s.Executed[len(s.Executed)-1]
	return fmt.Sprintf(", because its memory seems to be executed: %s: %s", lineOf(sign.Place), sign.Says)
}

// aim names what a port makes of drivers.
func aim(g rule.Goal) string {
	if g.Allocators {
		return "none (each request names no-execute memory, by no deprecated allocator; below Windows 8 POOL_NX_OPTIN)"
	}
	return cmp.Or(g.Mechanism.Macro(), "none (each request names no-execute memory)")
}

// cautions says what a port cannot know.
func cautions(w io.Writer, r *Ported) {
	if len(r.Executed) == 0 && changesPool(r) {
		fmt.Fprintln(w, "no sign was found that the driver executes memory of these requests, as a JIT or a trampoline does; "+
			"that proves nothing: such a request must ask for NonPagedPoolExecute")
	}
	if ids := callers(r); len(ids) > 0 {
		fmt.Fprintf(w, "%s: no driver that links this was named: each must call ExInitializeDriverRuntime(DrvRtPoolNxOptIn), or its "+
			"requests stay executable\n", Builds(ids))
	}
}

// oldKits warns of each kit to whose headers an opt-in means nothing: a build that defines one there looks ported, and is not.
func oldKits(w io.Writer, r *Ported) {
	ids := map[string][]string{}
	for _, m := range r.After {
		if unknownToKit(m) {
			ids[m.Build.Kit.Name] = append(ids[m.Build.Kit.Name], m.Build.ID)
		}
	}
	for _, kit := range slices.Sorted(maps.Keys(ids)) {
		fmt.Fprintf(w, "warning: what %s builds stays executable on every Windows, whatever is defined, since its headers know no opt-in, nor do "+
			"those of any kit before Windows 8: build with a later kit, or port with --kit mingw, which adds nxpool.h: %s\n", kit, FewBuilds(ids[kit]))
	}
}

// unknownToKit says whether a build defines an opt-in that its kit's headers don't know, and not all of its files have nxpool.h.
func unknownToKit(m driver.Image) bool {
	return m.Build.Kit.NoOptIn && slices.ContainsFunc(m.Facts, func(f driver.Fact) bool {
		return f.Kind == driver.OptInUnknown || f.Kind == driver.KitInclude && !f.NXPool && m.Build.Mechanism != nx.None
	})
}

// callers gives the builds of libraries that the port opted in and of which nobody knows who makes the call.
func callers(r *Ported) (ids []string) {
	for i, m := range r.After {
		b := m.Build
		if b.Library && b.Mechanism == nx.OptIn && b.Initialised == driver.InitUnknown && r.Before[i].Build.Mechanism != nx.OptIn {
			ids = append(ids, b.ID)
		}
	}
	return ids
}

// became says, for each set of builds alike, how many requests are judged otherwise on Windows 10 than before, and what each
// got that gets something else now. Where something changes, the builds in which nothing does are only named.
func became(w io.Writer, r *Ported, at func(driver.Place) driver.Place) {
	type group struct {
		block           string
		oldKit, changed bool
	}
	var groups []group
	ids := map[group][]string{}
	for i, before := range r.Before {
		block, changed := changes(before, r.After[i], at)
		if block == "" {
			continue // it requests nothing
		}
		g := group{block, unknownToKit(r.After[i]), changed}
		if len(r.Changes) > 0 && !changed {
			g = group{}
		}
		if ids[g] == nil {
			groups = append(groups, g)
		}
		ids[g] = append(ids[g], before.Build.ID)
	}
	for _, g := range groups {
		built := ""
		if g.oldKit {
			built = ", with a kit that knows the opt-in or with nxpool.h"
		}
		if g.block != "" {
			fmt.Fprintf(w, "%s%s:\n%s", Builds(ids[g]), built, g.block)
		}
	}
	if same := ids[group{}]; len(same) > 0 {
		fmt.Fprintf(w, "requests get what they got in %s\n", FewBuilds(same))
	}
}

// changes is what is said of the requests of a build, and whether one of them gets something else than before.
func changes(before, after driver.Image, at func(driver.Place) driver.Place) (block string, changed bool) {
	became, same := map[string]int{}, map[string]int{}
	var order []string
	sites := map[string][]driver.Place{}
	for _, p := range driver.Compare(before, after) {
		if p.A == nil || p.B == nil {
			became["compiled only before or only after, as a condition on the opt-in may select it"]++
			continue
		}
		a, b := judgement[p.A.On(nx.Windows10).Executable], judgement[p.B.On(nx.Windows10).Executable]
		if a == b {
			same[a+" on Windows 10"]++
		} else {
			became[a+" -> "+b+" on Windows 10"]++
		}
		if says := change(after.Build.Windows, *p.A, *p.B); says != "" {
			says = p.B.DDI.Name + ": " + says
			if sites[says] == nil {
				order = append(order, says)
			}
			sites[says] = append(sites[says], at(p.B.Place))
		}
	}
	lines := append(counted(became), counted(same)...)
	for _, says := range order {
		if len(sites[says]) == 1 {
			lines = append(lines, fmt.Sprintf("    %s: %s\n", lineOf(sites[says][0]), says))
			continue
		}
		lines = append(lines, fmt.Sprintf("    %s:\n", says))
		for _, line := range byPath(sites[says], false) {
			lines = append(lines, fmt.Sprintf("      %s\n", line))
		}
	}
	return strings.Join(lines, ""), len(became)+len(order) > 0
}

func counted(counts map[string]int) (lines []string) {
	for _, says := range slices.Sorted(maps.Keys(counts)) {
		lines = append(lines, fmt.Sprintf("  %s: %s\n", plural(counts[says], "request"), says))
	}
	return lines
}

// change says what a request gets now where that is something else than before, the versions together that get the same.
func change(windows []nx.Version, a, b driver.Site) string {
	var order []string
	versions := map[string][]string{}
	for _, w := range windows {
		old, now := a.On(w), b.On(w)
		if slices.Equal(old.Values, now.Values) && old.Executable == now.Executable {
			continue
		}
		says := fmt.Sprintf("%s -> %s (%s)", values(old), values(now), judgement[now.Executable])
		if a.DDI.Kind != b.DDI.Kind { // the numbers mean something else
			says = fmt.Sprintf("%s -> %s (%s)", spelled(a, old), spelled(b, now), judgement[now.Executable])
		}
		if versions[says] == nil {
			order = append(order, says)
		}
		versions[says] = append(versions[says], strings.TrimPrefix(w.Name(), "Windows "))
	}
	for i, says := range order {
		order[i] += " on Windows " + strings.Join(versions[says], ", ")
	}
	return strings.Join(order, "; ")
}

// spelled writes what a request gets as C has it.
func spelled(s driver.Site, o driver.Outcome) string {
	var list []string
	for _, v := range o.Values {
		list = append(list, cmp.Or(s.DDI.Kind.Spell(v), fmt.Sprintf("%#x", v)))
	}
	return cmp.Or(strings.Join(list, " or "), "?")
}
