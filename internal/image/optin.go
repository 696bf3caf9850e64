package image

import (
	"cmp"
	"debug/pe"
	"math"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/machine"
	"github.com/nxport/nxport/nx"
)

// optIn is a variable of an opt-in, and where it is set.
type optIn struct {
	place
	set     uint32 // what it holds once it is set
	store   store  // the first
	moments *moments
}

// tells says whether the driver can learn the version of Windows: only then is anything followed for each version.
func (f *follower) tells() bool {
	return slices.ContainsFunc(f.Imports, func(v Import) bool { return slices.Contains(tellers, v.Name) })
}

// anchors are the places among the representatives that are always looked at. Between two with the same answer nothing changes.
var anchors = []int{0, 4, 5, 7, len(representatives) - 1}

// byWindows gives the answer for each version of Windows, and puts those together that follow each other.
func byWindows(f *follower, ask func(f *follower) answer) answer {
	answers := make([]*answer, len(representatives))
	for i, at := range anchors {
		a := f.on(representatives[at], ask)
		if answers[at] = &a; i > 0 {
			f.between(answers, anchors[i-1], at, ask)
		}
	}
	var out answer
	open := map[uint32]int{} // the term of a value that was possible on the version before, by its bits
	for i, w := range representatives {
		if answers[i].unknown != "" {
			return *answers[i]
		}
		now := map[uint32]int{}
		for _, t := range answers[i].terms {
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

// on gives the answer for one version of Windows.
func (f *follower) on(w nx.Version, ask func(f *follower) answer) answer {
	g := f.under(w)
	a := ask(g)
	if g.exhausted() {
		a.unknown = tooMuch
	}
	return a
}

// between fills in the answers between two that are known.
func (f *follower) between(answers []*answer, low, high int, ask func(f *follower) answer) {
	switch middle := (low + high) / 2; {
	case high-low < 2:
	case answers[low].same(*answers[high]):
		for i := low + 1; i < high; i++ {
			answers[i] = answers[low]
		}
	default:
		a := f.on(representatives[middle], ask)
		answers[middle] = &a
		f.between(answers, low, middle, ask)
		f.between(answers, middle, high, ask)
	}
}

// optInVariable says whether a variable is one that an opt-in sets: nothing below Windows 8, something from there on, whatever the
// code is like that does so.
func (f *follower) optInVariable(p place) (*optIn, bool) {
	if f.general != nil {
		o := f.general.optIns[p]
		return o, o != nil
	}
	if !f.tells() {
		return nil, false
	}
	if o, known := f.optIns[p]; known {
		return o, o != nil
	}
	f.optIns[p] = nil
	v := f.variableAt(p)
	if v.unknown != "" || v.initial != 0 || !v.mayOptIn() {
		return nil, false
	}
	if !f.differs(p) {
		return nil, false
	}
	a := byWindows(f, func(f *follower) answer { return f.variableAt(p).after() })
	if set, ok := setOnWindows8(a); ok {
		f.optIns[p] = &optIn{place: p, set: set, store: v.stores[0], moments: f.under(nx.Windows10).momentsOf(v)}
	}
	return f.optIns[p], f.optIns[p] != nil
}

// after gives what a variable holds behind its stores; what it starts with, where there are none.
func (v *variable) after() answer {
	if len(v.stores) == 0 {
		return answer{terms: []driver.Term{{Bits: v.initial}}, unknown: v.unknown}
	}
	a := answer{unknown: v.unknown}
	for _, s := range v.stores {
		a.add(s.value)
	}
	return a
}

// differs says whether a variable holds something else on the last Windows than on Windows 7 once it is set.
func (f *follower) differs(p place) bool {
	return changes(f, nx.Windows7, func(f *follower) answer { return f.variableAt(p).after() })
}

// changes says whether an answer is another on the last Windows than on an older one.
func changes(f *follower, older nx.Version, ask func(f *follower) answer) bool {
	return !ask(f.under(older)).same(ask(f.under(newest)))
}

// dated gives an answer for each version of Windows where it hangs on that in another way than by a variable of the opt-in: a compiler
// that knows what such a variable holds passes the number.
func (f *follower) dated(a answer, ask func(f *follower) answer) answer {
	byVariable := func(t driver.Term) bool {
		return len(t.Tokens) > 0 || t.From != nx.Version{} || t.Below != nx.Version{}
	}
	numbers := func(f *follower) answer {
		b := ask(f)
		return answer{slices.DeleteFunc(slices.Clone(b.terms), byVariable), b.unknown}
	}
	out := answer{terms: slices.DeleteFunc(slices.Clone(a.terms), func(t driver.Term) bool { return !byVariable(t) })}
	if len(a.terms) < 2 || a.unknown != "" || len(out.terms) == len(a.terms) || !f.tells() || f.sameSince(representatives[0]) ||
		!changes(f, representatives[0], numbers) {
		return a
	}
	b := byWindows(f, numbers)
	if b.unknown != "" {
		return a
	}
	out.add(b)
	return out
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

// optInBits are what the variables of the opt-in hold once they are set.
var optInBits = map[uint32]string{nx.PoolNXAllocation: nx.PoolTypeVariable, nx.MdlMappingNoExecute: nx.MdlProtectionVariable}

// answer gives what a request gets that hangs on the variable. A compiler that sees all of a driver makes a flag of it, of which the
// bit is computed.
func (o *optIn) answer(a machine.Atom) answer {
	moment := o.moments.of(a.At)
	switch {
	case a.Mark == machine.Elsewhere:
		moment = driver.Before | driver.After
	case a.Off != 0:
		moment |= o.moments.of(uint32(a.Off))
	}
	unset, set := a.Apply(0), a.Apply(o.set)
	if token := optInBits[unset^set]; token != "" && set > unset {
		return answer{terms: []driver.Term{{Tokens: []driver.Token{{Name: token, In: nx.OptIn, At: moment}}, Bits: unset}}}
	}
	switch {
	case unset == set:
		return answer{terms: []driver.Term{{Bits: set}}}
	case moment&driver.Before != 0:
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

// findOptIns looks for variables of the opt-in in the routines that learn the version of Windows, whether or not a request uses one.
func (f *follower) findOptIns() []*optIn {
	if !f.tells() {
		return nil
	}
	for _, r := range f.routinesUsing(f.slotsOf(tellers...)) {
		if !f.maySet(r) {
			continue
		}
		r.Stores(func(in *machine.Inst, address uint64, width uint8, v machine.Value) {
			n, number := v.Number()
			if rva := address - f.Base; number && n != 0 && optInBits[uint32(n)] != "" && width == 4 && rva < uint64(f.Size) {
				f.optInVariable(place{uint32(rva), 4})
			}
		})
	}
	var list []*optIn
	for _, o := range f.optIns {
		if o != nil {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b *optIn) int { return cmp.Compare(a.rva, b.rva) })
	return list
}

// maySet says whether a routine may set a variable of the opt-in: it names what that is set to, and it stores that, or what is in a register,
// at a fixed address, or takes the address of a variable, or of its page.
func (f *follower) maySet(r *machine.Routine) bool {
	names, stores := false, false
	for in := range r.Insts() {
		for i := range in.Steps {
			p := &in.Steps[i]
			names = names || optInBits[uint32(p.A.Imm)] != "" || optInBits[uint32(p.B.Imm)] != ""
			if stores = stores || storesBit(p) || f.takesVariable(p); names && stores {
				return true
			}
		}
	}
	return false
}

// storesBit says whether a step stores what a variable of the opt-in can be set to, or what is in a register, at a fixed address.
func storesBit(p *machine.Step) bool {
	fixed := p.Dst.Kind == machine.Memory && p.Dst.Reg == machine.NoReg && p.Dst.Index == machine.NoReg
	return fixed && p.Dst.Width == 4 && (p.Op != machine.Move || p.A.Kind != machine.Immediate || optInBits[uint32(p.A.Imm)] != "")
}

// takesVariable says whether a step takes the address of what can be written.
func (f *follower) takesVariable(p *machine.Step) bool {
	if p.A.Kind != machine.Immediate && (p.Op != machine.Address || p.A.Reg != machine.NoReg) {
		return false
	}
	rva := uint64(p.A.Imm) - f.Base
	s, ok := f.Section(uint32(min(rva, math.MaxUint32)))
	return ok && s.has(pe.IMAGE_SCN_MEM_WRITE)
}

// initialised says whether the variables are set before the first request that uses one.
func initialised(list []*optIn, sites []driver.Site) driver.Initialised {
	state := driver.InitUnknown
	if len(list) > 0 {
		state = driver.InitYes
	}
	for _, s := range sites {
		for _, t := range s.Value.Terms {
			for _, tok := range t.Tokens {
				if tok.At&driver.Before != 0 {
					state = driver.InitLate
				}
			}
		}
	}
	return state
}

// facts say where the opt-in is made.
func (f *follower) facts(list []*optIn) []driver.Fact {
	var facts []driver.Fact
	for _, o := range list {
		when := ""
		if o.moments.never {
			when = ", if the entry routine comes there"
		}
		facts = append(facts, f.fact(driver.OptInCall, f.spot(o.store.at), "the variable at 0x%x is set to %s on Windows 8 and later, to nothing below%s", o.rva, spelled(o.set), when))
	}
	return facts
}
