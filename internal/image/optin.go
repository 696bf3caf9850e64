package image

import (
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/machine"
	"github.com/nxport/nxport/nx"
)

// optIn is a variable of an opt-in, and where it is set.
type optIn struct {
	rva     uint32
	set     uint32 // what it holds once it is set
	store   store  // the first
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

// optInVariable says whether a variable is one that an opt-in sets: nothing below Windows 8, something from there on, whatever the
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
	if set, ok := setOnWindows8(a); ok {
		f.optIns[rva] = &optIn{rva: rva, set: set, store: v.stores[0], moments: f.momentsOf(v)}
	}
	return f.optIns[rva], f.optIns[rva] != nil
}

// setOnWindows8 gives the value of a variable from Windows 8 on, if it is nothing below.
func setOnWindows8(a answer) (uint32, bool) {
	if a.unknown != "" || len(a.terms) != 2 {
		return 0, false
	}
	slices.SortFunc(a.terms, func(x, y driver.Term) int { return x.From.Compare(y.From) })
	set := a.terms[1].Bits
	return set, a.terms[0].Compare(driver.Term{Below: nx.Windows8}) == 0 && a.terms[1].Compare(driver.Term{Bits: set, From: nx.Windows8}) == 0
}

// bits are what the variables of the opt-in hold once they are set.
var bits = map[uint32]string{nx.PoolNXAllocation: nx.PoolTypeVariable, nx.MdlMappingNoExecute: nx.MdlProtectionVariable}

// answer gives what a request gets that hangs on the variable. A compiler that sees all of a driver makes a flag of it, of which the
// bit is computed.
func (o *optIn) answer(a machine.Atom) answer {
	moment := o.moments.of(a.At)
	unset, set := a.Apply(0), a.Apply(o.set)
	if token := bits[unset^set]; token != "" && set > unset {
		return answer{terms: []driver.Term{{Tokens: []driver.Token{{Name: token, In: nx.OptIn, At: moment}}, Bits: unset}}}
	}
	if moment&driver.Before != 0 {
		return answer{terms: []driver.Term{{Bits: unset}, {Bits: set, From: nx.Windows8}}}
	}
	return answer{terms: []driver.Term{{Bits: unset, Below: nx.Windows8}, {Bits: set, From: nx.Windows8}}}
}

// mayOptIn says whether a variable gets one value, and no other.
func (v *variable) mayOptIn() bool {
	set := uint32(0)
	for _, s := range v.stores {
		for _, t := range s.value.terms {
			if len(t.Tokens) > 0 || t.Bits != 0 && set != 0 && t.Bits != set {
				return false
			}
			set |= t.Bits
		}
	}
	return set != 0
}
