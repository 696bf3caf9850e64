package image

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/machine"
	"github.com/nxport/nxport/nx"
)

// Limits on how far a value is followed out of its routine.
const (
	maxCallersUp = 6   // levels of callers
	maxWay       = 8   // routines and variables on one way
	maxCallSites = 512 // of one routine
	maxSteps     = 12
)

// query is the state of following one value through the image.
type query struct {
	f     *follower
	steps []driver.Step
	// way holds what is being followed, so that it does not go round.
	way []uint64
	up  int
	// byte says that no more than the lowest eight bits of the value count.
	byte bool
}

// answer is what a value can be.
type answer struct {
	terms   []driver.Term
	unknown string
}

func (a *answer) add(b answer) {
	for _, t := range b.terms {
		if !slices.ContainsFunc(a.terms, func(u driver.Term) bool { return t.Compare(u) == 0 }) {
			a.terms = append(a.terms, t)
		}
	}
	if a.unknown == "" {
		a.unknown = b.unknown
	}
}

// or gives the bits of one or the other.
func (a answer) or(b answer) answer {
	out := answer{unknown: cmp.Or(a.unknown, b.unknown)}
	if len(a.terms)*len(b.terms) > maxOr {
		return answer{unknown: fmt.Sprintf("it has the bits of two that have %d and %d values", len(a.terms), len(b.terms))}
	}
	for _, t := range a.terms {
		for _, u := range b.terms {
			both := driver.Term{Tokens: slices.Clone(t.Tokens), Bits: t.Bits | u.Bits, From: t.From, Below: t.Below}
			for _, token := range u.Tokens {
				if !slices.Contains(both.Tokens, token) {
					both.Tokens = append(both.Tokens, token)
				}
			}
			if both.From.Before(u.From) {
				both.From = u.From
			}
			if never := (nx.Version{}); u.Below != never && (both.Below == never || u.Below.Before(both.Below)) {
				both.Below = u.Below
			}
			if (both.Below == nx.Version{}) || both.From.Before(both.Below) {
				out.add(answer{terms: []driver.Term{both}})
			}
		}
	}
	return out
}

// maxOr is how many values of two are put together.
const maxOr = 64

// same says whether two answers hold the same values.
func (a answer) same(b answer) bool {
	return a.unknown == b.unknown && len(a.terms) == len(b.terms) && !slices.ContainsFunc(a.terms, func(t driver.Term) bool {
		return !slices.ContainsFunc(b.terms, func(u driver.Term) bool { return t.Compare(u) == 0 })
	})
}

func (q *query) say(at uint32, format string, args ...any) {
	s := driver.Step{Place: driver.Place{Path: q.f.Path}, Says: fmt.Sprintf("0x%x: ", at) + fmt.Sprintf(format, args...)}
	if len(q.steps) < maxSteps && !slices.Contains(q.steps, s) {
		q.steps = append(q.steps, s)
	}
}

// resolve gives what a value of a routine can be, as numbers.
func (q *query) resolve(v machine.Value, r *machine.Routine) answer {
	var out answer
	for _, a := range v {
		out.add(q.atom(a, r))
	}
	if !r.Whole && out.unknown == "" {
		out.unknown = fmt.Sprintf("the routine at 0x%x has a jump that is not followed", r.Start)
	}
	return out
}

func (q *query) atom(a machine.Atom, r *machine.Routine) answer {
	if a.Low != 0 && !q.byte {
		return answer{unknown: fmt.Sprintf("at 0x%x only a part of the value is set", a.At)}
	}
	switch a.Kind {
	case machine.Number:
		q.say(a.At, "the value is %s", spelled(uint32(a.N)))
		return answer{terms: []driver.Term{{Bits: uint32(a.N)}}}
	case machine.Content:
		return q.variable(a)
	case machine.Through:
		if a.Mark == machine.Untouched || r.Undisturbed(a.At) {
			return masked(a, q.fromCallers(a, r))
		}
	case machine.Entry, machine.Slot:
		return masked(a, q.fromCallers(a, r))
	case machine.Both:
		one, other := r.Parts(a)
		return masked(a, q.atom(one, r).or(q.atom(other, r)))
	case machine.Result:
		return masked(a, q.fromCallee(a, r))
	case machine.Opaque:
		if b, ok := q.byCall(a, r); ok {
			return b
		}
		return answer{unknown: fmt.Sprintf("at 0x%x %s", a.At, a.Why)}
	}
	return answer{unknown: fmt.Sprintf("at 0x%x it is read through a pointer", a.At)}
}

// spelled gives small numbers as decimal, as tables of pool types do.
func spelled(n uint32) string {
	if n >= 1<<16 {
		return fmt.Sprintf("%#x", n)
	}
	return fmt.Sprint(n)
}

// masked does to an answer what the atom does to what it stands for. Of what hangs on a variable of the opt-in only other bits than
// its one can be meant.
func masked(a machine.Atom, b answer) answer {
	const variable = nx.PoolNXAllocation | nx.MdlMappingNoExecute
	out := answer{unknown: b.unknown}
	for _, t := range b.terms {
		if len(t.Tokens) > 0 && !a.Plain() && ((a.Clear|a.Plus)&variable != 0 || a.Shift != 0) {
			return answer{unknown: fmt.Sprintf("at 0x%x more is done with it than setting bits", a.At)}
		}
		t.Bits = a.Apply(t.Bits)
		out.terms = append(out.terms, t)
	}
	return out
}

// enter notes that something is followed, false where it already is, or the way is too long.
func (q *query) enter(kind int, at uint32) bool {
	key := uint64(kind)<<32 | uint64(at)
	if slices.Contains(q.way, key) || len(q.way) >= maxWay {
		return false
	}
	q.way = append(q.way, key)
	return true
}

func (q *query) leave() { q.way = q.way[:len(q.way)-1] }

const (
	wayUp = iota
	wayDown
	wayVariable
)

// fromCallers gives what the callers of a routine pass.
func (q *query) fromCallers(a machine.Atom, r *machine.Routine) answer {
	what := fmt.Sprintf("the routine at 0x%x gets it from its callers", r.Start)
	if q.up >= maxCallersUp {
		return answer{unknown: fmt.Sprintf("%s, more than %d levels up", what, maxCallersUp)}
	}
	passed := a
	if a.Kind == machine.Through {
		passed = a.Pointer()
	}
	if passed.Kind == machine.Entry && !q.f.env.Passes(machine.Reg(passed.N)) {
		return answer{unknown: fmt.Sprintf("at 0x%x it is what the caller had in a register that is no argument", a.At)}
	}
	if !q.enter(wayUp, r.Start) {
		return answer{unknown: what + ", which call each other"}
	}
	defer q.leave()
	callers := q.f.callersOf(r.Start)
	var out answer
	if len(callers) > maxCallSites {
		return answer{unknown: fmt.Sprintf("%s, of which there are %d", what, len(callers))}
	}
	q.up++
	defer func() { q.up-- }()
	for _, c := range callers {
		out.add(q.fromCaller(a, c))
	}
	at, inData := q.f.pointerTo(r.Start)
	takers := q.f.takers(r.Start)
	calls, all := q.f.callsByPointer(r.Start, takers)
	if all && !inData {
		for _, c := range calls {
			out.add(q.byPointer(a, c, r.Start))
		}
	}
	byWindows, known := q.f.fromPortCls(a, r.Start)
	switch {
	case q.f.exported(r.Start):
		out.add(answer{unknown: what + ", and it is exported"})
	case len(takers) == 0 && known:
		q.say(r.Start, "the port class driver of Windows calls it as NewStream and passes a pool type")
		out.add(byWindows)
	case len(out.terms) == 0 && out.unknown == "" && inData && len(takers) == 0 && q.installed(a, r.Start, &out):
	case len(out.terms) == 0 && out.unknown == "":
		return answer{unknown: what + ", which are not known: " + q.f.named(r.Start, at, inData, takers)}
	case inData, len(takers) > 0 && !all:
		out.add(answer{unknown: what + ", and its address is taken"})
	}
	return out
}

// byPointer gives what a routine gets that is called through a pointer, or by a lookaside list.
func (q *query) byPointer(a machine.Atom, c pointerCall, start uint32) answer {
	get := func(s *machine.State) machine.Value { return s.PassedThrough(a, c.jump, c.at) }
	says := "calls the routine at 0x%x through a pointer"
	if c.list != nil {
		if p := q.f.env.OnEntry(allocatePoolType); a.Kind != p.Kind || a.N != p.N {
			return answer{unknown: fmt.Sprintf("the routine at 0x%x gets it from a lookaside list of Windows", start)}
		}
		get = func(s *machine.State) machine.Value { return s.Argument(lookasideFlags, false, c.at) }
		says = "makes a lookaside list that allocates by the routine at 0x%x, with the flags of the list"
	}
	v, ok := q.f.value(c.in, c.at, get)
	if !ok {
		return answer{} // never reached
	}
	q.say(c.at, says, start)
	out := q.resolve(v, c.in)
	if c.list != nil {
		out = masked(machine.Atom{Set: c.list.poolType}, out)
	}
	return out
}

// named says who names a routine that nobody is known to call.
func (f *follower) named(start, at uint32, inData bool, takers []reference) string {
	switch {
	case start == f.Entry:
		return "Windows calls it, the image's entry"
	case inData:
		return fmt.Sprintf("its address is in the data at 0x%x", at)
	case len(takers) > 0:
		return fmt.Sprintf("its address is taken at 0x%x, and goes out of sight", takers[0].at)
	}
	return "nothing in the image calls or names it"
}

func (q *query) fromCaller(a machine.Atom, c reference) answer {
	r, ok := q.f.startOf(c.at)
	if !ok {
		return answer{unknown: fmt.Sprintf("code at 0x%x calls the routine at 0x%x, and is not followed", c.at, c.to)}
	}
	in, ok := r.Inst(c.at)
	if !ok || !in.Known || in.Target != c.to {
		return answer{}
	}
	jump := in.Flow != machine.Call
	v, ok := q.f.value(r, c.at, func(s *machine.State) machine.Value { return s.PassedThrough(a, jump, c.at) })
	if !ok {
		return answer{} // never reached
	}
	q.say(c.at, "%s the routine at 0x%x", map[bool]string{true: "jumps to", false: "calls"}[jump], c.to)
	return q.resolve(v, r)
}

// ofCallee gives what an atom of a called routine stands for, by the state of its caller in front of the call.
func (q *query) ofCallee(a machine.Atom, callee *machine.Routine, s *machine.State, at uint32, r *machine.Routine) answer {
	if a.Kind == machine.Entry || a.Kind == machine.Slot || a.Kind == machine.Through && callee.Undisturbed(a.At) {
		return masked(a, q.resolve(s.PassedThrough(a, false, at), r))
	}
	return q.atom(a, callee)
}

// fromCallee gives what a called routine of the image returns.
func (q *query) fromCallee(a machine.Atom, r *machine.Routine) answer {
	at := uint32(a.N)
	unknown := answer{unknown: fmt.Sprintf("at 0x%x a routine returns it", at)}
	s, ok := r.Before(at)
	in, known := r.Inst(at)
	if !ok || !known {
		return unknown
	}
	name, start := q.f.callee(s.Target(&in), s)
	if name != "" {
		return answer{unknown: fmt.Sprintf("at 0x%x %s returns it", at, name)}
	}
	if start == 0 || !q.enter(wayDown, start) {
		return unknown
	}
	defer q.leave()
	callee := q.f.routine(start)
	q.f.seen.through(r, callee)
	q.say(at, "the routine at 0x%x returns it", start)
	var out answer
	any := false
	callee.Returns(func(t *machine.State, _ *machine.Inst) {
		any = true
		for _, b := range t.Returned() {
			out.add(q.ofCallee(b, callee, s, at, r))
		}
	})
	if !any || !callee.Whole {
		out.add(unknown)
	}
	return out
}

// arity says how many arguments a call has, less than none where that is not known.
func (f *follower) arity(s *machine.State, in *machine.Inst) int {
	name, _ := f.callee(s.Target(in), s)
	if d, known := f.rows[name]; known && d.Arity > 0 && d.Wdf == 0 {
		if f.Processor == nx.X86 {
			return d.PlaceX86(d.Arity+1) - 1
		}
		return d.Arity
	}
	if n, known := arities[name]; known {
		return n
	}
	return -1
}

// byCall gives what a call of a routine of the image wrote to a place on the stack, by its address.
func (q *query) byCall(a machine.Atom, r *machine.Routine) (answer, bool) {
	before, in, ok := r.Passed(a)
	if !ok {
		return answer{}, false
	}
	_, start := q.f.callee(before.Target(in), before)
	if start == 0 || !q.enter(wayDown, start) {
		return answer{}, false
	}
	defer q.leave()
	callee := q.f.routine(start)
	q.f.seen.through(r, callee)
	outputs, known := callee.Outputs(before.GivenFor(a), q.f.arity)
	var out answer
	writes := map[uint32]bool{}
	for _, o := range outputs {
		all, sure := before.Wrote(a, o, in.At)
		known = known && sure
		for _, b := range o.Value {
			if all && known {
				out.add(q.ofCallee(b, callee, before, in.At, r))
			}
		}
		writes[o.At] = writes[o.At] || all
	}
	if !known {
		return answer{}, false
	}
	q.say(in.At, "the routine at 0x%x gets its address", start)
	if !always(callee, func(in *machine.Outline) bool { return writes[in.At] }) {
		out.add(q.resolve(before.At(a, in.At), r))
	}
	return out, len(out.terms) > 0 || out.unknown != "" // else it has no code, or never comes back
}
