package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

var suppressionWithoutEffect = Rule{
	ID:    "NX0018",
	Name:  "suppression-without-effect",
	Level: Note,
	Doc: Doc{
		What: `A pragma or a comment that suppresses a rule, where no build that was read breaks it. These suppress:
  #pragma warning(suppress: 30030)               the statement that begins on the next line of code
  #pragma prefast(suppress: 28751 30030, "why")
  #pragma warning(disable: 30030)                all that follows in the translation unit, until default, enable or pop
  __pragma(warning(suppress: 30030))             the statement it stands in; _Pragma("...") likewise
  // nxport:ignore NX0003 C30030 why             its own line; the statement, or macro, behind it where it begins a line
  <!-- nxport:ignore NX0004 why -->              what is said of a build file as a whole; # in other build files
Numbers may be written as C30030, or by the names of Microsoft's checker, with or without __WARNING_. A pragma can name its
rules only. A suppression counts where a request stands, and where the macro it comes out of is defined. It silences what
it names and nothing else: suppress 30030 hides no C30032 of the same request. Yet it is not without effect then, since
the two checkers may judge one request by different rules.`,
		Why: `It hides the next fault on that line, or tells readers of one that is not there.`,
		Fix: `Take it away. Before that, see whether Microsoft's code analysis still needs a pragma: it may judge otherwise, and
reports, for instance, C30030 at ExInitializeDriverRuntime(0) in a file with POOL_NX_OPTIN_AUTO.`,
		Before: vcxprojFor("Windows10", "POOL_NX_OPTIN_AUTO=1", "drv.c") + `-- drv.c --
#include <ntddk.h>

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
#pragma warning(suppress: 30030)
    return ExAllocatePoolWithTag(NonPagedPool, 4096, 'xErD') ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`,
		After: vcxprojFor("Windows10", "POOL_NX_OPTIN_AUTO=1", "drv.c") + `-- drv.c --
#include <ntddk.h>

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    return ExAllocatePoolWithTag(NonPagedPool, 4096, 'xErD') ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`,
	},
	checkFound: checkSuppressions,
}

// checkSuppressions finds those under which no build has a finding that it names, nor, where it names a rule of
// Microsoft's, another of those. One that names what is no rule here yet is left alone.
func checkSuppressions(rules []*Rule, images []driver.Image, all []Finding) []Finding {
	byID := map[string]*Rule{}
	for _, r := range rules {
		byID[r.ID] = r
	}
	found := findingLines(all)
	var list []Finding
	at := map[driver.Place]int{}
	useful := map[driver.Place]bool{}
	for _, m := range images {
		for i := range m.Suppressions {
			s := &m.Suppressions[i]
			if useful[s.Place] = useful[s.Place] || found.under(s) || coversCall(&m, s) || !judged(s, byID); useful[s.Place] {
				continue
			}
			i, seen := at[s.Place]
			if !seen {
				i = len(list)
				at[s.Place] = i
				list = append(list, Finding{Message: withoutEffect(s, byID), Place: s.Place})
			}
			if !slices.Contains(list[i].Builds, m.Build.ID) {
				list[i].Builds = append(list[i].Builds, m.Build.ID)
			}
		}
	}
	return slices.DeleteFunc(list, func(f Finding) bool { return useful[f.Place] })
}

// coversCall says whether a suppression of C30031 or C30035 stands at an opt-in call outside of the entry routines, which
// Microsoft's checker names, whatever calls it.
func coversCall(m *driver.Image, s *driver.Suppression) bool {
	ids := ruleIDs(s)
	if !slices.Contains(ids, "C30031") && !slices.Contains(ids, "C30035") {
		return false
	}
	return slices.ContainsFunc(factsOf(m, driver.OptInCall), func(f driver.Fact) bool {
		return !slices.Contains(m.Build.Entries, f.Function) && slices.ContainsFunc(s.Covers, func(l driver.Lines) bool { return l.Has(f.Place) })
	})
}

// judged says whether all rules that are named can be broken by something.
func judged(s *driver.Suppression, byID map[string]*Rule) bool {
	return !slices.ContainsFunc(ruleIDs(s), func(id string) bool {
		return id == "NX0018" || byID[id] == nil && strings.HasPrefix(id, "C")
	})
}

// foundLines has the lines with findings of a rule in a file, sorted; those of all rules of Microsoft's under one name.
type foundLines map[foundKey][]int

type foundKey struct{ path, id string }

const official = "C"

func findingLines(all []Finding) foundLines {
	found := foundLines{}
	for i := range all {
		f := &all[i]
		for _, p := range []driver.Place{f.Place, f.spelled()} {
			key := foundKey{p.Path, f.Rule.ID}
			found[key] = append(found[key], p.Line)
			if f.Rule.Official != "" {
				key.id = official
				found[key] = append(found[key], p.Line)
			}
		}
	}
	for _, lines := range found {
		slices.Sort(lines)
	}
	return found
}

// under says whether there is a finding under a suppression.
func (found foundLines) under(s *driver.Suppression) bool {
	ids := ruleIDs(s)
	if slices.ContainsFunc(ids, func(id string) bool { return strings.HasPrefix(id, "C") }) {
		ids = append(ids, official)
	}
	for _, l := range s.Covers {
		for _, id := range ids {
			lines := found[foundKey{l.Path, id}]
			if i, _ := slices.BinarySearch(lines, l.From); i < len(lines) && lines[i] <= l.To {
				return true
			}
		}
	}
	return false
}

func withoutEffect(s *driver.Suppression, byID map[string]*Rule) string {
	if len(s.Rules) == 0 {
		return "the comment names no rule, and suppresses nothing: write nxport:ignore RULE reason"
	}
	for _, word := range s.Rules {
		if byID[driver.RuleID(word)] == nil {
			return fmt.Sprintf("there is no rule %s to suppress", word)
		}
	}
	says := fmt.Sprintf("nothing here breaks %s, which this suppresses", strings.Join(s.Rules, ", "))
	if !s.Comment {
		says += "; Microsoft's code analysis may judge it otherwise"
	}
	return says
}
