package source

import (
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// value is an expression before linking: the terms it can have, each with the parameters it still depends on.
type value struct {
	terms   []term
	unknown string // why the terms may not be all, "" if they are
}

// term is an OR of constants and at most one parameter of the enclosing function.
type term struct {
	driver.Term
	param int // index, -1 for none
}

// maxTerms bounds a set of values; beyond it the rest is unknown.
const maxTerms = 64

func unknown(why string) value { return value{unknown: why} }

func constant(t driver.Term) value { return value{terms: []term{{t, -1}}} }

// join is the union of two sets.
func (v value) join(w value) value {
	out := value{terms: slices.Clone(v.terms), unknown: v.unknown}
	for _, t := range w.terms {
		if !slices.ContainsFunc(out.terms, t.equal) {
			out.terms = append(out.terms, t)
		}
	}
	if out.unknown == "" {
		out.unknown = w.unknown
	}
	if len(out.terms) > maxTerms {
		return unknown("more values than are followed")
	}
	return out
}

func (t term) equal(u term) bool {
	return t.param == u.param && t.Bits == u.Bits && slices.Equal(t.Tokens, u.Tokens)
}

// or combines every value of v with every value of w.
func (v value) or(w value) value {
	if v.unknown != "" {
		return unknown(v.unknown)
	}
	if w.unknown != "" {
		return unknown(w.unknown)
	}
	var out value
	for _, a := range v.terms {
		for _, b := range w.terms {
			if a.param >= 0 && b.param >= 0 {
				return unknown("combines two parameters")
			}
			t := term{driver.Term{Tokens: slices.Concat(a.Tokens, b.Tokens), Bits: a.Bits | b.Bits}, max(a.param, b.param)}
			out = out.join(value{terms: []term{t}})
		}
	}
	return out
}

// evaluator reads the expression of an argument.
type evaluator struct {
	toks      []token
	i         int
	in        *function
	changed   map[string]bool // parameters that the function writes to
	mechanism nx.Mechanism
}

// evaluate gives the values an argument can have, as far as it is built from constants of the kit, numbers, casts,
// OR, the conditional operator and parameters.
func evaluate(toks []token, in *function, changed map[string]bool, m nx.Mechanism) value {
	e := &evaluator{toks: toks, in: in, changed: changed, mechanism: m}
	v := e.conditional(0)
	if e.i < len(e.toks) && v.unknown == "" {
		return unknown("the expression " + text(toks))
	}
	return v
}

func (e *evaluator) peek() token {
	if e.i < len(e.toks) {
		return e.toks[e.i]
	}
	return token{kind: eof}
}

// conditional reads a ? b : c. The condition is not judged: both sides are possible.
func (e *evaluator) conditional(depth int) value {
	if depth > maxNesting {
		e.i = len(e.toks)
		return unknown("nested too deeply")
	}
	if q := e.question(); q >= 0 {
		e.i = q + 1
		yes := e.conditional(depth + 1)
		if !e.peek().is(":") {
			return unknown("the expression " + text(e.toks))
		}
		e.i++
		return yes.join(e.conditional(depth + 1))
	}
	v := e.primary(depth)
	for {
		switch op := e.peek(); {
		case op.is("|"):
			e.i++
			v = v.or(e.primary(depth))
		case op.is("+"): // how cache-aligned and session forms are built
			e.i++
			w := e.primary(depth)
			if v.overlaps(w) {
				return unknown("the expression " + text(e.toks))
			}
			v = v.or(w)
		default:
			return v
		}
	}
}

// overlaps says whether a sum may carry, so that it is no OR.
func (v value) overlaps(w value) bool { return v.mask()&w.mask() != 0 }

// mask is the union of all bits that the terms can have; all bits where a parameter is among them.
func (v value) mask() (bits uint32) {
	for _, t := range v.terms {
		if t.param >= 0 {
			return ^uint32(0)
		}
		bits |= t.Bits
		for _, tok := range t.Tokens {
			for _, m := range []nx.Mechanism{nx.None, nx.OptInAuto} {
				b, _ := nx.Run{Mechanism: m}.Token(tok.Name)
				bits |= b
			}
		}
	}
	return bits
}

// question finds the '?' that belongs to the expression at e.i, -1 if it has none.
func (e *evaluator) question() int {
	depth := 0
	for i := e.i; i < len(e.toks); i++ {
		switch t := e.toks[i]; {
		case t.is("(") || t.is("["):
			depth++
		case t.is(")") || t.is("]"):
			if depth--; depth < 0 {
				return -1
			}
		case t.is(":") && depth == 0:
			return -1
		case t.is("?") && depth == 0:
			return i
		}
	}
	return -1
}

func (e *evaluator) primary(depth int) value {
	t := e.peek()
	e.i++
	switch {
	case t.is("("):
		return e.parens(depth)
	case t.kind == number:
		if n, ok := parseInteger(t.text); ok && n <= 1<<32-1 {
			return constant(driver.Term{Bits: uint32(n)})
		}
	case t.kind == ident:
		return e.name(t)
	}
	e.i = len(e.toks)
	return unknown("the expression " + text(e.toks))
}

// parens reads a cast, which changes nothing here, or an expression in parentheses.
func (e *evaluator) parens(depth int) value {
	if depth > maxNesting {
		e.i = len(e.toks)
		return unknown("nested too deeply")
	}
	end := closing(e.toks, e.i-1)
	if end+1 < len(e.toks) && isType(e.toks[e.i:end]) {
		if next := e.toks[end+1]; next.kind == ident || next.kind == number || next.is("(") {
			e.i = end + 1
			return e.primary(depth + 1)
		}
	}
	v := e.conditional(depth + 1)
	if !e.peek().is(")") {
		e.i = len(e.toks)
		return unknown("the expression " + text(e.toks))
	}
	e.i++
	return v
}

// isType says whether the tokens can be the type of a cast: names only, none of which is a constant.
func isType(toks []token) bool {
	return len(toks) > 0 && !slices.ContainsFunc(toks, func(t token) bool {
		return t.kind != ident && !t.is("*") && !t.is("::") || nx.IsToken(t.text)
	})
}

func (e *evaluator) name(t token) value {
	next := e.peek()
	switch {
	case next.is("("):
		e.i = len(e.toks)
		return unknown("what " + t.text + "() returns")
	case next.is(".") || next.is("->") || next.is("["):
		e.i = len(e.toks)
		return unknown("what " + text(e.toks) + " holds")
	}
	if e.changed[t.text] {
		return unknown("what " + t.text + " holds: " + e.in.name + " changes its parameter")
	}
	if i := slices.Index(e.in.params, t.text); i >= 0 {
		return value{terms: []term{{param: i}}}
	}
	if !nx.IsToken(t.text) {
		return unknown("what " + t.text + " holds")
	}
	return constant(e.token(t))
}

// token keeps a constant's name. In a file that is opted in, a NonPagedPool that the kit's macro did not give (it was
// undefined, or stands before the header) is the plain enumerator.
func (e *evaluator) token(t token) driver.Term {
	optedIn := e.mechanism == nx.OptIn || e.mechanism == nx.OptInAuto
	if optedIn && t.flags&kitName == 0 {
		switch t.text {
		case "NonPagedPool":
			return driver.Term{Tokens: []driver.Token{{Name: "NonPagedPoolExecute", In: e.mechanism}}}
		case "NonPagedPoolCacheAligned":
			return driver.Term{Tokens: []driver.Token{{Name: "NonPagedPoolExecute", In: e.mechanism}}, Bits: 4}
		}
	}
	return driver.Term{Tokens: []driver.Token{{Name: t.text, In: e.mechanism}}}
}

// closing gives the index of the bracket that closes the one at i, or the end of the list.
func closing(toks []token, i int) int {
	depth := 0
	for ; i < len(toks); i++ {
		switch t := toks[i]; {
		case t.kind != punct:
		case t.text == "(" || t.text == "[" || t.text == "{":
			depth++
		case t.text == ")" || t.text == "]" || t.text == "}":
			if depth--; depth <= 0 {
				return i
			}
		}
	}
	return i
}

// text gives tokens as one line, cut where it gets long.
func text(toks []token) string {
	var b strings.Builder
	for i, t := range toks {
		if i > 0 && t.flags&spaced != 0 {
			b.WriteByte(' ')
		}
		if b.Len()+len(t.text) > 100 {
			b.WriteString("...")
			break
		}
		b.WriteString(t.text)
	}
	return b.String()
}
