package source

import (
	"cmp"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// set is what an expression can be: its values, and the reason if they may not be all.
type set struct {
	terms   []driver.Term
	unknown string
}

// maxTerms bounds a set of values; beyond it the rest is unknown.
const maxTerms = 64

const tooMany = "more values than are followed"

func unknown(why string) set { return set{unknown: why} }

// join is the union of two sets; the first reason for not knowing stays. It never changes a.
func (s set) join(t set) set {
	out := set{slices.Clip(s.terms), cmp.Or(s.unknown, t.unknown)}
	for _, u := range t.terms {
		if !slices.ContainsFunc(out.terms, func(v driver.Term) bool { return same(v, u) }) {
			out.terms = append(out.terms, u)
		}
	}
	if len(out.terms) > maxTerms {
		return unknown(tooMany)
	}
	return out
}

func same(a, b driver.Term) bool { return a.Bits == b.Bits && slices.Equal(a.Tokens, b.Tokens) }

// combine applies an operation to every value of one set with every value of the other.
func combine(a, b set, why string, op func(a, b driver.Term) (driver.Term, bool)) set {
	out := set{unknown: cmp.Or(a.unknown, b.unknown)}
	for _, x := range a.terms {
		for _, y := range b.terms {
			t, ok := op(x, y)
			if !ok {
				out = out.join(unknown(why))
				continue
			}
			out = out.join(set{terms: []driver.Term{t}})
		}
	}
	return out
}

// orTerms is a | b. Tokens are kept by name, each once.
func orTerms(a, b driver.Term) (driver.Term, bool) {
	t := driver.Term{Bits: a.Bits | b.Bits, Tokens: a.Tokens}
	if len(b.Tokens) == 0 {
		return t, true
	}
	t.Tokens = slices.Clone(a.Tokens)
	for _, tok := range b.Tokens {
		if !slices.Contains(t.Tokens, tok) {
			t.Tokens = append(t.Tokens, tok)
		}
	}
	slices.SortFunc(t.Tokens, func(a, b driver.Token) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.In), string(b.In)), cmp.Compare(a.At, b.At))
	})
	return t, true
}

// bits gives the bits that a token always has, and those that it has under a mechanism only.
func bits(name string) (always, perhaps uint32) {
	without, _ := nx.Run{Mechanism: nx.None}.Token(name)
	auto, _ := nx.Run{Mechanism: nx.OptInAuto, Windows: nx.Windows10}.Token(name)
	opted, _ := nx.Run{Mechanism: nx.OptIn, Initialised: true, Windows: nx.Windows10}.Token(name)
	always = without & auto & opted
	return always, (without | auto | opted) &^ always
}

// possible is the union of all bits that a term can have.
func possible(t driver.Term) uint32 {
	mask := t.Bits
	for _, tok := range t.Tokens {
		always, perhaps := bits(tok.Name)
		mask |= always | perhaps
	}
	return mask
}

// plain gives the number that a term is, where no mechanism changes it.
func plain(t driver.Term) (uint32, bool) {
	n := t.Bits
	for _, tok := range t.Tokens {
		always, perhaps := bits(tok.Name)
		if n |= always; perhaps != 0 {
			return 0, false
		}
	}
	return n, true
}

// andTerms is a & b, where one of them is a plain number that takes no token apart.
func andTerms(a, b driver.Term) (driver.Term, bool) {
	mask, ok := plain(b)
	if !ok {
		if mask, ok = plain(a); !ok {
			return a, false
		}
		a = b
	}
	out := driver.Term{Bits: a.Bits & mask}
	for _, tok := range a.Tokens {
		always, perhaps := bits(tok.Name)
		switch {
		case (always|perhaps)&^mask == 0:
			out.Tokens = append(out.Tokens, tok)
		case perhaps&mask == 0:
			out.Bits |= always & mask
		case perhaps == nx.PoolNXAllocation: // of NonPagedPoolCacheAligned, without the alignment
			tok.Name = "NonPagedPool"
			out.Tokens = append(out.Tokens, tok)
		default:
			return a, false
		}
	}
	return out, true
}

func addTerms(a, b driver.Term) (driver.Term, bool) {
	if possible(a)&possible(b) == 0 { // how cache-aligned and session forms are built
		return orTerms(a, b)
	}
	x, known := plain(a)
	y, both := plain(b)
	return driver.Term{Bits: x + y}, known && both && x+y >= x
}

func xorTerms(a, b driver.Term) (driver.Term, bool) {
	if possible(a)&possible(b) == 0 {
		return orTerms(a, b)
	}
	x, known := plain(a)
	y, both := plain(b)
	return driver.Term{Bits: x ^ y}, known && both
}

// arithmetic are the operators that are followed for plain numbers only.
var arithmetic = map[string]func(a, b uint32) (uint32, bool){
	"-":  func(a, b uint32) (uint32, bool) { return a - b, true },
	"++": func(a, b uint32) (uint32, bool) { return a + b, true },
	"*":  func(a, b uint32) (uint32, bool) { n := uint64(a) * uint64(b); return uint32(n), n <= 1<<32-1 },
	"/":  func(a, b uint32) (uint32, bool) { return a / max(b, 1), b != 0 },
	"%":  func(a, b uint32) (uint32, bool) { return a % max(b, 1), b != 0 },
	"<<": func(a, b uint32) (uint32, bool) { return a << min(b, 31), b < 32 },
	">>": func(a, b uint32) (uint32, bool) { return a >> min(b, 31), b < 32 },
}

// truths are the operators whose value is 0 or 1, whatever they are applied to.
var truths = map[string]bool{
	"==": true, "!=": true, "<": true, ">": true, "<=": true, ">=": true, "&&": true, "||": true, "!": true,
}

// calculation evaluates expressions: at a moment, and given the values of the names, fields and calls in them.
type calculation struct {
	at         driver.Moment
	look       func(*expr) set
	unselected bool // without what the version of Windows selects
}

func (c calculation) value(e *expr) set {
	switch e.kind {
	case constantExpr:
		return set{terms: []driver.Term{evaluated(e.term, c.at)}}
	case notFollowed:
		return unknown(e.name)
	case either:
		if c.unselected && e.name != "" {
			return set{}
		}
		return c.value(e.args[0]).join(c.value(e.args[1]))
	case operator:
		return c.operator(e)
	}
	return c.look(e)
}

// evaluated notes of the tokens that hang on the opt-in call at which moment they are evaluated.
func evaluated(t driver.Term, at driver.Moment) driver.Term {
	if at == 0 || !slices.ContainsFunc(t.Tokens, driver.Token.HangsOnCall) {
		return t
	}
	t.Tokens = slices.Clone(t.Tokens)
	for i := range t.Tokens {
		if t.Tokens[i].HangsOnCall() {
			t.Tokens[i].At = at
		}
	}
	return t
}

// hangsOnCall says whether an expression reads what the opt-in call sets.
func (e *expr) hangsOnCall() bool {
	return slices.ContainsFunc(e.term.Tokens, driver.Token.HangsOnCall) || slices.ContainsFunc(e.args, (*expr).hangsOnCall)
}

func (c calculation) operator(e *expr) set {
	if truths[e.name] {
		return set{terms: []driver.Term{{Bits: 0}, {Bits: 1}}}
	}
	why := "the expression " + e.of
	a := c.value(e.args[0])
	if len(e.args) == 1 {
		return combine(a, set{terms: []driver.Term{{}}}, why, func(a, _ driver.Term) (driver.Term, bool) {
			n, ok := plain(a)
			if e.name == "-" {
				return driver.Term{Bits: -n}, ok
			}
			return driver.Term{Bits: ^n}, ok
		})
	}
	b := c.value(e.args[1])
	if op := termOperators[e.name]; op != nil {
		return combine(a, b, why, op)
	}
	return combine(a, b, why, func(a, b driver.Term) (driver.Term, bool) {
		x, known := plain(a)
		y, both := plain(b)
		op := arithmetic[e.name]
		if !known || !both || op == nil {
			return a, false
		}
		n, ok := op(x, y)
		return driver.Term{Bits: n}, ok
	})
}

var termOperators = map[string]func(a, b driver.Term) (driver.Term, bool){
	"|": orTerms, "&": andTerms, "+": addTerms, "^": xorTerms,
}

// fold gives the value of an expression that hangs on nothing else.
func fold(e *expr) (driver.Term, bool) {
	s := calculation{look: func(*expr) set { return unknown("a name") }}.value(e)
	if s.unknown != "" || len(s.terms) != 1 {
		return driver.Term{}, false
	}
	return s.terms[0], true
}

// leaves calls f for each name, field and call whose value an expression hangs on.
func (e *expr) leaves(f func(*expr)) {
	switch e.kind {
	case nameExpr, fieldExpr, callExpr:
		f(e)
	case either, operator:
		if !truths[e.name] {
			for _, a := range e.args {
				a.leaves(f)
			}
		}
	}
}
