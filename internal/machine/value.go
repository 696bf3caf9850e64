package machine

import (
	"fmt"
	"math/bits"
	"slices"
)

// Kind says what an atom stands for.
type Kind uint8

// The kinds of atoms.
const (
	Number  Kind = iota
	Frame        // an address on the stack: N bytes from the stack pointer on entry (Off 0), or as it was left by the instruction at Off
	Entry        // what the register N held on entry
	Slot         // what the stack held on entry, N bytes from the stack pointer
	Content      // what the memory at the address N holds; Off is where else than At it is read
	Member       // what the memory holds at Off bytes from the address that the memory at N holds
	Through      // what the memory holds at the end of a way that begins with the address that a register or the stack held on entry: see through
	Both         // the bits of two others, the pair N of the Room: see Parts
	Result       // what the call at N returned
	Table        // an entry of the table at N, shifted left by Shift, added to Off
	Opaque       // anything
)

// Why says why an atom is Opaque.
type Why uint8

// The reasons.
const (
	NotFollowed Why = iota // an instruction computes it in a way that is not followed
	FromMemory             // it is read through a pointer
	ManyValues             // more than MaxAtoms values
	InLoop                 // it changes in a loop
	ByCall                 // a called routine may have written it
	NotWritten             // it is read from the stack, and nothing has written it
	Earlier                // it comes from in front of the block
	TooMuch                // the image has more code than is followed
)

var whys = [...]string{
	NotFollowed: "it is computed in a way that is not followed",
	FromMemory:  "it is read through a pointer",
	ManyValues:  "it has more than 8 values",
	InLoop:      "it changes in a loop",
	ByCall:      "a called routine may have written it",
	NotWritten:  "it is read from the stack where nothing has written it",
	Earlier:     "it comes from in front of the block",
	TooMuch:     "the image has more code than is followed, so it is not known",
}

// String gives the reason as a sentence without a full stop.
func (w Why) String() string { return whys[w] }

// MaxAtoms is how many values are told apart.
const MaxAtoms = 8

// Atom is one thing that a value can be. Of Entry to Result the lower 32 bits are meant, less those in Clear
// and with those in Set, shifted left by Shift, Plus added to that, and with those in Then: see Apply.
type Atom struct {
	Kind       Kind
	Width      uint8 // bytes in memory, of Content, Member, Through and Table; of NotWritten, that it is what the stack holds at N from Off
	Low        uint8 // bytes that are known, where the others of the register are not; 0 where all are
	Shift      uint8
	Mark       Mark
	Why        Why
	Then       uint16
	Set, Clear uint32
	Plus       uint32
	At         uint32 // the instruction that it comes from, relative to the image's base
	N, Off     int64
}

// Mark is something more of an atom.
type Mark uint8

// The marks; none is 0.
const (
	Signed    Mark = iota + 1 // of a Table: its entries have a sign
	Untouched                 // of a Through: nothing was written before it is read
	Elsewhere                 // of a Content: it is read in more places than At and Off
)

// same says whether two atoms stand for the same, wherever they come from. What the memory holds can be another thing at another place.
func (a Atom) same(b Atom) bool {
	if a.Kind == Through || a.isPlace() {
		return a == b
	}
	a.At, b.At = 0, 0
	if a.Kind == Content && b.Kind == Content {
		a.Mark, b.Mark, a.Off, b.Off = 0, 0, 0, 0
	}
	if a.Kind == Opaque && b.Kind == Opaque && !b.isPlace() {
		return (a.Why == Earlier) == (b.Why == Earlier)
	}
	return a == b
}

// Apply gives the value of an atom by that of what it stands for.
func (a Atom) Apply(n uint32) uint32 { return ((n&^a.Clear|a.Set)<<a.Shift + a.Plus) | uint32(a.Then) }

// lost is something unknown as something else is computed from it: a place on the stack where nothing is known to have been written is not
// what that is.
func (a Atom) lost() Atom {
	if a.isPlace() {
		a.Width, a.N, a.Off = 0, 0, 0
	}
	return a
}

// isPlace says whether an atom is what the stack holds at a place, as far as that is known.
func (a Atom) isPlace() bool { return a.Kind == Opaque && a.Why == NotWritten && a.Width != 0 }

// Plain says whether the atom is just what it stands for.
func (a Atom) Plain() bool { return a.Set|a.Clear|a.Plus == 0 && a.Shift == 0 && a.Then == 0 }

// String is for tests and debugging.
func (a Atom) String() string {
	if a.Kind == Opaque {
		return fmt.Sprintf("? %s at 0x%x", a.Why, a.At)
	}
	name := [...]string{"", "frame", "entry", "slot", "content", "member", "through", "both", "result", "table"}[a.Kind]
	s := fmt.Sprintf("%s0x%x", name, a.N)
	if a.Off != 0 {
		s += fmt.Sprintf("+0x%x", a.Off)
	}
	if a.Clear != 0 || a.Set != 0 {
		s += fmt.Sprintf("&^0x%x|0x%x", a.Clear, a.Set)
	}
	if a.Plus != 0 {
		s += fmt.Sprintf(" plus 0x%x", a.Plus)
	}
	if a.Then != 0 {
		s += fmt.Sprintf(" then |0x%x", a.Then)
	}
	return s
}

// Value is the set of what a register or a stack slot can hold; never empty, and never changed once made.
type Value []Atom

// isNumbers says whether the value is nothing but numbers.
func (v Value) isNumbers() bool {
	for i := range v {
		if v[i].Kind != Number || v[i].Low != 0 {
			return false
		}
	}
	return len(v) > 0
}

// Number gives the value if it is one number.
func (v Value) Number() (uint64, bool) {
	if len(v) == 1 && v[0].Kind == Number && v[0].Low == 0 {
		return uint64(v[0].N), true
	}
	return 0, false
}

// Early says whether a part of the value comes from in front of the block.
func (v Value) Early() bool {
	for _, a := range v {
		if a.Kind == Opaque && a.Why == Earlier {
			return true
		}
	}
	return false
}

// What a closer look may tell, by the N of what is Opaque.
const (
	fromCaller   = 1 // it is read through a pointer that came from the caller
	behindCallee = 2 // it is lost by a call of a routine that is known, or read through a pointer that is
)

// Lost says whether a part of the value is what a closer look at the routine may tell: what a routine that it calls may have changed, or
// what is read through a pointer.
func (v Value) Lost() bool {
	for _, a := range v {
		if a.Kind == Opaque && (a.Why == ByCall || a.Why == FromMemory) && (a.N == fromCaller || a.N == behindCallee) {
			return true
		}
	}
	return false
}

// LostByCall says whether a part of the value is what a routine that is called may have changed, so that a closer look may tell it. What a
// call may have written on the stack is gone without a trace.
func (v Value) LostByCall() bool {
	return slices.ContainsFunc(v, func(a Atom) bool {
		return a.Kind == Opaque && ((a.Why == ByCall || a.Why == FromMemory) && a.N == behindCallee || a.Why == NotWritten)
	})
}

// shared says whether two values are one: not only equal, but the same copy.
func shared(a, b Value) bool { return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0] }

// Equal says whether two values stand for the same, in the same order.
func (v Value) Equal(w Value) bool { return shared(v, w) || slices.EqualFunc(v, w, Atom.same) }

func (s *slab) opaque(w Why, at uint32) Value { return s.one(Atom{Kind: Opaque, Why: w, At: at}) }

func (s *slab) number(n int64, width uint8, at uint32) Value {
	return s.one(Atom{Kind: Number, N: cut(n, width), At: at})
}

// cut keeps the lowest bytes of a number.
func cut(n int64, width uint8) int64 {
	if width >= 8 || width == 0 {
		return n
	}
	return n & (1<<(8*width) - 1)
}

// extend gives a number of that many bytes its sign.
func extend(n int64, width uint8) int64 {
	if width >= 8 || width == 0 {
		return n
	}
	shift := 64 - 8*width
	return n << shift >> shift
}

// join gives what is one or the other. The result is a where b adds nothing.
func (s *slab) join(a, b Value, at uint32) Value {
	if shared(a, b) || a.anything() {
		return a
	}
	out := a
	for _, x := range b {
		if i := out.index(x); i >= 0 {
			if both := out[i].readAlso(x); both != out[i] {
				out = append(s.atoms.take(len(out))[:0], out...)
				out[i] = both
			}
			continue
		}
		if len(out) >= MaxAtoms {
			return s.opaque(ManyValues, at)
		}
		out = s.with(out, x)
	}
	return out
}

// with gives a value and one more.
func (s *slab) with(v Value, a Atom) Value {
	w := s.atoms.take(len(v) + 1)
	copy(w, v)
	w[len(v)] = a
	return w
}

// anything says whether a value is given up on: nothing can be added to that. Else a loop would find something new for ever.
func (v Value) anything() bool {
	return len(v) == 1 && v[0].Kind == Opaque && (v[0].Why == InLoop || v[0].Why == ManyValues || v[0].Why == TooMuch)
}

func (v Value) has(a Atom) bool { return v.index(a) >= 0 }

func (v Value) index(a Atom) int {
	for i := range v {
		if b := &v[i]; a.Kind == b.Kind && (a.N == b.N || a.Kind == Opaque) && a.same(*b) {
			return i
		}
	}
	return -1
}

// readAlso notes where another atom that stands for the same variable is read: of two places both are told, of more the first two.
func (a Atom) readAlso(b Atom) Atom {
	if a.Kind != Content || a.Mark == Elsewhere {
		return a
	}
	a.Mark = b.Mark
	for _, at := range []int64{int64(b.At), b.Off} {
		switch {
		case at == 0 || at == int64(a.At) || at == a.Off:
		case a.Off == 0:
			a.Off = at
		default:
			a.Mark = Elsewhere
		}
	}
	return a
}

// put adds an atom, or notes that the same is read at another place, too. It changes the value.
func (v Value) put(a Atom) Value {
	i := v.index(a)
	if i < 0 {
		return append(v, a)
	}
	v[i] = v[i].readAlso(a)
	return v
}

// each applies f to every atom.
func (s *slab) each(v Value, at uint32, f func(Atom) Atom) Value {
	if len(v) == 1 {
		return s.one(f(v[0]))
	}
	var out Value
	for _, a := range v {
		out = out.put(f(a))
	}
	return out
}

// combine computes every atom of a with every one of b.
func (s *slab) combine(op Op, a, b Value, width uint8, at uint32) Value {
	if len(a) == 1 && len(b) == 1 && !spreads(op, a[0], b[0]) {
		return s.one(s.compute(op, a[0], b[0], width, at))
	}
	var out Value
	for _, x := range a {
		for _, y := range b {
			for _, z := range s.several(op, x, y, width, at) {
				if out = out.put(z); len(out) > MaxAtoms {
					return s.opaque(ManyValues, at)
				}
			}
		}
	}
	return out
}

// compute is the function of that name, for the bits of two that are no numbers, too.
func (s *slab) compute(op Op, a, b Atom, width uint8, at uint32) Atom {
	if both, ok := s.both(op, a, b, width, at); ok {
		return both
	}
	return compute(op, a, b, width, at)
}

// maxPairs is how many there are of one image.
const maxPairs = 1 << 10

// both gives the bits of one or the other of two that are no numbers; of what is such a pair itself it is false, as a loop would make
// more and more of them.
func (s *slab) both(op Op, a, b Atom, width uint8, at uint32) (Atom, bool) {
	if op != Or || width < 4 || !a.masked() || !b.masked() || a.Low != 0 || b.Low != 0 || a.Kind == Both || b.Kind == Both {
		return Atom{}, false
	}
	p := pair{a, b}
	n, known := s.pairOf[p]
	if !known {
		if n = len(s.pairs); n == maxPairs {
			return Atom{}, false
		}
		if s.pairOf == nil {
			s.pairOf = map[pair]int{}
		}
		s.pairOf[p], s.pairs = n, append(s.pairs, p)
	}
	return Atom{Kind: Both, N: int64(n), At: at}, true
}

// Parts gives the two whose bits an atom has that is Both.
func (r *Routine) Parts(a Atom) (one, other Atom) {
	p := r.slab.pairs[a.N]
	return p.a, p.b
}

// maxSpread is how many bits of something unknown are told apart.
const maxSpread = 2

// spreads says whether something unknown is masked so that only few values are left.
func spreads(op Op, a, b Atom) bool {
	if b.Kind == Opaque || b.Kind == Result || b.Kind == Through {
		a, b = b, a
	}
	return op == And && (a.Kind == Opaque && a.Why != Earlier || a.Kind == Result || a.Kind == Through) && b.Kind == Number && b.Low == 0 && b.N != 0 && bits.OnesCount64(uint64(b.N)) <= maxSpread
}

// several is compute, where the result can be several.
func (s *slab) several(op Op, a, b Atom, width uint8, at uint32) []Atom {
	if !spreads(op, a, b) {
		return []Atom{s.compute(op, a, b, width, at)}
	}
	mask := b.N
	if a.Kind == Number {
		mask = a.N
	}
	list := []Atom{{N: 0, At: at}}
	for sub := mask; sub != 0; sub = (sub - 1) & mask {
		list = append(list, Atom{N: sub, At: at})
	}
	return list
}

// compute gives a op b, Opaque where that is not known.
func compute(op Op, a, b Atom, width uint8, at uint32) Atom {
	switch {
	case a.Kind == Number && b.Kind == Number && a.Low == 0 && b.Low == 0:
		return arithmetic(op, a.N, b.N, width, at)
	case b.Kind == Number && b.Low == 0:
		return withNumber(op, a, b.N, width, at)
	case a.Kind == Number && a.Low == 0 && (op == Add || op == And || op == Or || op == Xor):
		return withNumber(op, b, a.N, width, at)
	case op == Sub && a.Kind == Frame && b.Kind == Frame && a.Off == b.Off:
		return Atom{N: cut(a.N-b.N, width), At: at}
	}
	return unknown(a, b, at)
}

// unknown keeps the reason of what was unknown before.
func unknown(a, b Atom, at uint32) Atom {
	switch {
	case a.Kind == Opaque && (a.Why == Earlier || b.Kind != Opaque):
		return a.lost()
	case b.Kind == Opaque:
		return b.lost()
	case a.Kind == Through || b.Kind == Through:
		return Atom{Kind: Opaque, Why: FromMemory, At: at}
	}
	return Atom{Kind: Opaque, Why: NotFollowed, At: at}
}

func arithmetic(op Op, a, b int64, width uint8, at uint32) Atom {
	n := int64(0)
	size := uint64(width) * 8
	shift := uint64(b) & 63
	if size < 64 {
		shift = uint64(b) & 31
	}
	switch op {
	case Add:
		n = a + b
	case Sub:
		n = a - b
	case And:
		n = a & b
	case Or:
		n = a | b
	case Xor:
		n = a ^ b
	case Mul:
		n = a * b
	case Shl:
		n = a << shift
	case Shr:
		n = int64(uint64(cut(a, width)) >> shift)
	case Sar:
		n = extend(a, width) >> shift
	default:
		return Atom{Kind: Opaque, Why: NotFollowed, At: at}
	}
	return Atom{N: cut(n, width), At: at}
}

// withNumber gives x op n for an x that is no number.
func withNumber(op Op, x Atom, n int64, width uint8, at uint32) Atom {
	switch {
	case op == And && cut(n, width) == 0:
		return Atom{At: at}
	case op == Or && cut(n, width) == cut(-1, width):
		return Atom{N: cut(n, width), At: at}
	case x.Low != 0:
	case n == 0 && op != Mul && op != And, cut(n, width) == cut(-1, width) && op == And && width >= 4:
		return x
	case x.Kind == Frame && (op == Add || op == Sub):
		if op == Sub {
			n = -n
		}
		x.N += extend(n, width)
		return x
	case x.Kind == Frame && op == And && extend(n, width) < 0: // the stack is aligned
		return Atom{Kind: Frame, Off: int64(at), At: at}
	case x.Kind == Table && op == Add:
		x.Off += n
		return x
	case x.Kind == Table && op == Shl && n < 8:
		x.Shift += uint8(n)
		return x
	case x.Then != 0 && op != Or:
	case x.masked() && (op == Add || op == Sub):
		if op == Sub {
			n = -n
		}
		x.Plus += uint32(n)
		return x
	case x.masked() && op == Shl && x.Plus == 0 && uint64(n) < 32:
		x.Shift += uint8(n)
		return x
	case x.masked() && op == Or && (x.Plus != 0 || x.Shift != 0 || x.Then != 0) && uint64(n)>>16 == 0:
		x.Then |= uint16(n)
		return x
	case x.Plus != 0 || x.Shift != 0 || x.Then != 0:
	case x.masked() && op == Or && uint64(n)>>32 == 0:
		x.Set, x.Clear = x.Set|uint32(n), x.Clear&^uint32(n)
		return x
	case x.masked() && op == And:
		x.Set, x.Clear = x.Set&uint32(n), x.Clear|^uint32(n)
		return x
	}
	return unknown(x, x, at)
}

// masked says whether bits of the atom can be set and cleared.
func (a Atom) masked() bool { return a.Kind >= Entry && a.Kind <= Result }
