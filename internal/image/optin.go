package image

import (
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// optIn is a variable of an opt-in, and where it is set.
type optIn struct {
	rva     uint32
	token   string
	store   store // the first
	moments *moments
}

// tells says whether the driver can learn the version of Windows: only then is anything followed for each version.
func (f *follower) tells() bool {
	return slices.ContainsFunc(f.Imports, func(v Import) bool { return slices.Contains(tellers, v.Name) })
}

// byWindows gives the answer for each version of Windows, and puts those together that follow each other.
func byWindows(f *follower, ask func(f *follower) answer) answer {
	var out answer
	open := map[uint32]int{} // the term of a value that was possible on the version before, by its bits
	for i, w := range representatives {
		a := ask(f.under(w))
		if a.unknown != "" {
			return a
		}
		now := map[uint32]int{}
		for _, t := range a.terms {
			n, known := open[t.Bits]
			if !known {
				n = len(out.terms)
				term := driver.Term{Bits: t.Bits}
				if i > 0 {
					term.From = w
				}
				out.terms = append(out.terms, term)
			}
			now[t.Bits] = n
		}
		for bits, n := range open {
			if _, still := now[bits]; !still {
				out.terms[n].Below = w
			}
		}
		open = now
	}
	return out
}

// optInVariable says whether a variable is one that an opt-in sets: nothing below Windows 8, the NX bit from there on, whatever the
// code is like that does so.
func (f *follower) optInVariable(rva uint32) (*optIn, bool) {
	if f.windows != (nx.Version{}) || !f.tells() {
		return nil, false
	}
	if o, known := f.optIns[rva]; known {
		return o, o != nil
	}
	f.optIns[rva] = nil
	v := f.variableAt(rva)
	if v.unknown != "" || v.initial != 0 || !v.mayOptIn() {
		return nil, false
	}
	a := byWindows(f, func(f *follower) answer {
		v := f.variableAt(rva)
		after := answer{unknown: v.unknown}
		for _, s := range v.stores {
			after.add(s.value)
		}
		if len(v.stores) == 0 {
			after.terms = []driver.Term{{Bits: v.initial}}
		}
		return after
	})
	for token, bit := range map[string]uint32{nx.PoolTypeVariable: nx.PoolNXAllocation, nx.MdlProtectionVariable: nx.MdlMappingNoExecute} {
		if isOptIn(a, bit) {
			f.optIns[rva] = &optIn{rva: rva, token: token, store: v.stores[0], moments: f.momentsOf(v)}
		}
	}
	return f.optIns[rva], f.optIns[rva] != nil
}

// mayOptIn says whether a variable gets an NX bit anywhere, and nothing else.
func (v *variable) mayOptIn() bool {
	bit := uint32(0)
	for _, s := range v.stores {
		for _, t := range s.value.terms {
			if len(t.Tokens) > 0 || t.Bits != 0 && t.Bits != nx.PoolNXAllocation && t.Bits != nx.MdlMappingNoExecute {
				return false
			}
			bit |= t.Bits
		}
	}
	return bit != 0
}

// isOptIn says whether the values are nothing below Windows 8, and the bit from there on.
func isOptIn(a answer, bit uint32) bool {
	if a.unknown != "" || len(a.terms) != 2 {
		return false
	}
	slices.SortFunc(a.terms, func(x, y driver.Term) int { return x.From.Compare(y.From) })
	return a.terms[0].Compare(driver.Term{Below: nx.Windows8}) == 0 && a.terms[1].Compare(driver.Term{Bits: bit, From: nx.Windows8}) == 0
}
