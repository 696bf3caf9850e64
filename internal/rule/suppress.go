package rule

import (
	"cmp"
	"slices"

	"github.com/nxport/nxport/internal/driver"
)

// silence has what suppressions cover, by build, file and rule: lines that do not overlap, in their order.
type silence map[silenceKey][]silenced

type silenceKey struct{ build, path, id string }

type silenced struct {
	from, to int
	by       *driver.Suppression
}

func silences(images []driver.Image) silence {
	all := silence{}
	for i := range images {
		for j := range images[i].Suppressions {
			s := &images[i].Suppressions[j]
			for _, id := range ruleIDs(s) {
				for _, l := range s.Covers {
					key := silenceKey{images[i].Build.ID, l.Path, id}
					all[key] = append(all[key], silenced{l.From, l.To, s})
				}
			}
		}
	}
	for key, list := range all {
		slices.SortStableFunc(list, func(a, b silenced) int { return cmp.Compare(a.from, b.from) })
		all[key] = apart(list)
	}
	return all
}

// apart leaves out of sorted lines what those before cover.
func apart(list []silenced) []silenced {
	var out []silenced
	end := -1
	for _, x := range list {
		if x.to > end {
			x.from = max(x.from, end+1)
			end = x.to
			out = append(out, x)
		}
	}
	return out
}

// ruleIDs gives the rules that a suppression names, each once.
func ruleIDs(s *driver.Suppression) []string {
	var list []string
	for _, word := range s.Rules {
		if id := driver.RuleID(word); id != "" && !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

// of gives the suppression that covers a finding in one of its builds and names its rule, nil where there is none. A request
// that comes out of a macro is covered where the macro is used, as Microsoft's compiler has it, and where it is defined.
func (all silence) of(f Finding) *driver.Suppression {
	for _, build := range f.Builds {
		for _, p := range []driver.Place{f.Place, f.spelled()} {
			list := all[silenceKey{build, p.Path, f.Rule.ID}]
			i, found := slices.BinarySearchFunc(list, p.Line, func(x silenced, line int) int { return cmp.Compare(x.from, line) })
			if !found {
				i--
			}
			if i >= 0 && p.Line <= list[i].to {
				return list[i].by
			}
		}
	}
	return nil
}

// Split parts findings into those to report and those that the source suppresses.
func Split(all []Finding) (found, suppressed []Finding) {
	for _, f := range all {
		if f.Suppressed == nil {
			found = append(found, f)
		} else {
			suppressed = append(suppressed, f)
		}
	}
	return found, suppressed
}

// silent is 1 for a finding that is suppressed.
func (f Finding) silent() int {
	if f.Suppressed != nil {
		return 1
	}
	return 0
}
