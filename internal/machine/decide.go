package machine

import "slices"

// decide says whether a condition can hold, and whether it can fail, by what the flags are known to be.
func (s *State) decide(c Cond) (yes, no bool) { return s.flags.decide(c) }

func (f *flags) decide(c Cond) (yes, no bool) {
	if !f.tells(c) {
		return true, true
	}
	if f.op == Select {
		yes = said(c, f.nzcv)
		return yes, !yes
	}
	for _, a := range f.av {
		for _, b := range f.bv {
			if f.op == Add {
				b = Atom{}
			}
			holds, known := f.holds(c, a, b)
			yes, no = yes || holds || !known, no || !holds || !known
		}
	}
	return yes, no
}

// tells says whether the flags can tell a condition at all: of the result of an addition or a shift, only whether it is nothing, and
// its sign.
func (f *flags) tells(c Cond) bool {
	switch f.op {
	case Test: // what is left of a carry differs between processors
		return c != Perhaps && (c < Below || c > Above) && len(f.av) > 0 && len(f.bv) > 0
	case Compare:
		return c != Perhaps && len(f.av) > 0 && len(f.bv) > 0
	case Select:
		return c != Perhaps
	case Add:
		return c == Equal || c == NotEqual || c == Negative || c == NotNegative
	}
	return false
}

// said evaluates a condition on flags as ARM64 writes them: negative, zero, carry, overflow.
func said(c Cond, nzcv uint8) bool {
	n, z, carry, v := nzcv&8 != 0, nzcv&4 != 0, nzcv&2 != 0, nzcv&1 != 0
	switch c {
	case Equal:
		return z
	case NotEqual:
		return !z
	case Less:
		return n != v
	case GreaterEqual:
		return n == v
	case LessEqual:
		return z || n != v
	case Greater:
		return !z && n == v
	case Below:
		return !carry
	case AboveEqual:
		return carry
	case BelowEqual:
		return !carry || z
	case Above:
		return carry && !z
	case Negative:
		return n
	}
	return !n
}

// holds evaluates a condition on a - b, or on a & b; known is false where an operand is no number.
func (f *flags) holds(c Cond, a, b Atom) (holds, known bool) {
	if a.Kind != Number || b.Kind != Number || a.Low|b.Low != 0 {
		return false, false
	}
	w := f.width()
	x, y := a.N, b.N
	if f.op == Test {
		x, y = x&y, 0
	}
	ux, uy := uint64(cut(x, w)), uint64(cut(y, w))
	x, y = extend(x, w), extend(y, w)
	switch c {
	case Equal:
		return ux == uy, true
	case NotEqual:
		return ux != uy, true
	case Less:
		return x < y, true
	case GreaterEqual:
		return x >= y, true
	case LessEqual:
		return x <= y, true
	case Greater:
		return x > y, true
	case Below:
		return ux < uy, true
	case AboveEqual:
		return ux >= uy, true
	case BelowEqual:
		return ux <= uy, true
	case Above:
		return ux > uy, true
	case Negative:
		return extend(x-y, w) < 0, true
	case NotNegative:
		return extend(x-y, w) >= 0, true
	}
	return false, false
}

func (f *flags) width() uint8 {
	if f.a.Width != 0 {
		return f.a.Width
	}
	return f.size
}

// opposite is the condition that holds where the other does not.
var opposite = [...]Cond{
	Perhaps: Perhaps, Equal: NotEqual, NotEqual: Equal, Less: GreaterEqual, GreaterEqual: Less, LessEqual: Greater, Greater: LessEqual,
	Below: AboveEqual, AboveEqual: Below, BelowEqual: Above, Above: BelowEqual, Negative: NotNegative, NotNegative: Negative,
}

// assume narrows the state to where a condition holds on the flags, which a branch tells; false where it can't.
func (s *State) assume(f flags, c Cond, at uint32) bool {
	if !s.narrowTo(f, c, at) {
		return false
	}
	if c == Equal && f.rest.Kind == Register && f.rest.Width >= 4 {
		s.regs[f.rest.Reg] = s.slab.number(0, f.rest.Width, at)
	}
	return true
}

func (s *State) narrowTo(f flags, c Cond, at uint32) bool {
	yes, _ := f.decide(c)
	if !yes {
		return false
	}
	if !f.tells(c) {
		return true
	}
	b, one := f.bv.Number()
	if f.op == Add || f.op == Test && shared(f.av, f.bv) {
		b, one = 0, true
	} else if f.op == Test {
		return true
	}
	if !one {
		return true
	}
	g := f
	if g.op = Compare; f.op == Add {
		g.op = Add
	}
	kept := slices.Clone(f.av)
	kept = slices.DeleteFunc(kept, func(a Atom) bool {
		holds, known := g.holds(c, a, Atom{N: int64(b)})
		return known && !holds
	})
	if len(kept) == 0 {
		return false
	}
	if c == Equal && !kept.isNumbers() && f.width() >= 4 {
		kept = s.slab.number(int64(b), f.width(), at)
	}
	s.replace(f, kept)
	return true
}

// replace puts a narrowed value wherever the compared one is: where it was compared, and where that copy of it has gone.
func (s *State) replace(f flags, v Value) {
	old := f.av
	if len(old) == len(v) && slices.EqualFunc(old, v, Atom.same) {
		return
	}
	for r := range s.regs {
		if shared(s.regs[r], old) {
			s.regs[r] = v
		}
	}
	for i := range s.slots {
		if shared(s.slots[i].value, old) {
			s.own()
			s.slots[i].value = v
		}
	}
	switch {
	case f.a.Kind == Register && f.a.Width >= 4 && shared(f.av, s.regs[f.a.Reg]):
		s.regs[f.a.Reg] = v
	case f.a.Kind == Memory && f.a.Width >= 4:
		for _, a := range s.address(f.a, v[0].At) {
			if a.Kind == Frame {
				s.put(place{a.Off, a.N}, f.a.Width, v)
			}
		}
	}
}
