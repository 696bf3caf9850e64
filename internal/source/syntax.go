package source

import (
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// expr is an expression as it is written, before linking.
type expr struct {
	kind exprKind
	off  int32  // of a constant, where it is written in its file
	file *file  // nil where it can't be replaced there
	name string // of a variable, field or operator; of what is not followed, why; of a constant with a file, how it is written
	of   string // the struct of a field, the class in front of ::
	term driver.Term
	call *call
	args []*expr
	via  string // of a field of a struct that was not seen: the names that would lead to it, with spaces between
}

type exprKind uint8

const (
	notFollowed exprKind = iota
	constantExpr
	nameExpr
	fieldExpr
	callExpr
	either   // one of its operands; its name is not "" where the version of Windows selects
	operator // of C, by its name
)

func opaque(why string) *expr { return &expr{kind: notFollowed, name: why} }

func number32(n uint32) *expr { return &expr{kind: constantExpr, term: driver.Term{Bits: n}} }

// leafKey tells the leaves of expressions apart, which all uses in a unit share.
type leafKey struct {
	text string
	kit  bool
}

// evaluator reads the expression of an argument.
type evaluator struct {
	*parser
	f     *function
	toks  []token
	i     int
	calls int // around this one
}

// value reads an expression and keeps how it is written.
func (p *parser) value(f *function, toks []token) value {
	return value{text: text(toks), expr: p.expression(f, toks)}
}

// expression reads tokens as one expression.
func (p *parser) expression(f *function, toks []token) *expr {
	if len(toks) == 1 && (f == nil || f.class == "") {
		if leaf := p.leaf(toks[0]); leaf != nil {
			return leaf
		}
	}
	e := &evaluator{parser: p, f: f, toks: toks}
	return e.all()
}

func (e *evaluator) all() *expr {
	v := e.conditional(0)
	if e.i < len(e.toks) && v.kind != notFollowed {
		return e.whole()
	}
	return v
}

// leaf gives the expression of one token, nil where it needs the token's surroundings.
func (p *parser) leaf(t token) *expr {
	if known := p.enums[t.text]; known != nil && t.kind == ident {
		p.hangs = true // perhaps
		return known   // not kept: it may be another in what follows
	}
	key := leafKey{t.text, t.flags&kitName != 0}
	if known := p.leaves[key]; known != nil {
		p.hangs = p.hangs || len(known.term.Tokens) > 0
		return known.at(t)
	}
	var e *expr
	switch {
	case t.kind == number:
		n, ok := parseInteger(t.text)
		if !ok || n > 1<<32-1 {
			return nil
		}
		e = number32(uint32(n))
	case t.kind != ident:
		return nil
	case nx.IsToken(t.text):
		p.hangs = true
		e = &expr{kind: constantExpr, term: p.token(t)}
	case t.is("true") || t.is("TRUE"):
		e = number32(1)
	case t.is("false") || t.is("FALSE") || t.is("NULL") || t.is("nullptr"):
		e = number32(0)
	default:
		e = &expr{kind: nameExpr, name: t.text}
	}
	p.leaves[key] = e
	return e.at(t)
}

// token keeps a constant's name. In a file that is opted in, a NonPagedPool that the kit's macro did not give (it was
// undefined, or stands before the header) is the plain enumerator.
func (p *parser) token(t token) driver.Term {
	name := driver.Token{Name: t.text, In: p.mechanism}
	if t.flags&kitName == 0 && (p.mechanism == nx.OptIn || p.mechanism == nx.OptInAuto) {
		switch t.text {
		case "NonPagedPool":
			name.Name = "NonPagedPoolExecute"
		case "NonPagedPoolCacheAligned":
			name.Name = "NonPagedPoolExecute"
			return driver.Term{Tokens: []driver.Token{name}, Bits: 4}
		}
	}
	return driver.Term{Tokens: []driver.Token{name}}
}

func (e *evaluator) whole() *expr {
	e.i = len(e.toks)
	return opaque("the expression " + text(e.toks))
}

func (e *evaluator) peek() token {
	if e.i < len(e.toks) {
		return e.toks[e.i]
	}
	return token{kind: eof}
}

// conditional reads a ? b : c. The condition is not judged: both sides are possible. Of an assignment, the right side is
// the value.
func (e *evaluator) conditional(depth int) *expr {
	if depth > maxNesting {
		e.i = len(e.toks)
		return opaque("nested too deeply")
	}
	if q := e.question(); q >= 0 {
		selects := ""
		if asksVersion(e.toks[e.i:q]) >= 0 {
			if selects = "version"; e.f != nil {
				e.f.versioned = true
			}
		}
		e.i = q + 1
		yes := e.conditional(depth + 1)
		if !e.peek().is(":") {
			return e.whole()
		}
		e.i++
		return &expr{kind: either, name: selects, args: []*expr{yes, e.conditional(depth + 1)}}
	}
	v := e.binary(depth, 0)
	if e.peek().is("=") {
		e.i++
		return e.conditional(depth + 1)
	}
	return v
}

// precedence of the operators with two operands.
var precedence = map[string]int{
	"||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, ">": 7, "<=": 7, ">=": 7, "<<": 8, ">>": 8,
	"+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}

// binary reads operators that bind at least as strongly as least.
func (e *evaluator) binary(depth, least int) *expr {
	v := e.primary(depth)
	for {
		op := e.peek()
		level := precedence[op.text]
		if op.kind != punct || level == 0 || level < least {
			return v
		}
		e.i++
		w := e.binary(depth, level+1)
		v = &expr{kind: operator, name: op.text, args: []*expr{v, w}}
		if op.text != "|" {
			v.of = text(e.toks)
		}
	}
}

// question finds the '?' that belongs to the expression at e.i, -1 if it has none.
func (e *evaluator) question() int {
	depth := 0
	for i := e.i; i < len(e.toks); i++ {
		t := e.toks[i]
		if t.kind != punct {
			continue
		}
		switch t.text {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			if depth--; depth < 0 {
				return -1
			}
		case ":", ",":
			if depth == 0 {
				return -1
			}
		case "?":
			if depth == 0 {
				return i
			}
		}
	}
	return -1
}

func (e *evaluator) primary(depth int) *expr {
	t := e.peek()
	e.i++
	switch {
	case depth > maxNesting:
		e.i = len(e.toks)
		return opaque("nested too deeply")
	case t.is("("):
		return e.parens(depth)
	case t.is("{"):
		return e.braced(depth)
	case t.is("~"):
		return &expr{kind: operator, name: "~", args: []*expr{e.primary(depth + 1)}}
	case t.is("-"), t.is("!"):
		return &expr{kind: operator, name: t.text, of: text(e.toks), args: []*expr{e.primary(depth + 1)}}
	case t.is("+"):
		return e.primary(depth + 1)
	case t.kind == number, t.kind == char:
		if leaf := e.leaf(t); leaf != nil {
			return leaf
		}
	case t.is("&"):
		return e.addressOf()
	case t.is("*") && e.peek().kind == ident:
		return e.notKnown("what a pointer, " + text(e.toks) + ", points to")
	case t.is("*") && e.peek().is("("):
		v := opaque("the expression " + text(e.toks))
		e.primary(depth + 1)
		return v
	case t.is("::"):
		return e.primary(depth + 1)
	case t.kind == ident:
		return e.name(t, depth)
	}
	return e.whole()
}

// addressOf reads &x[i], of which x is kept: an address in the same memory.
func (e *evaluator) addressOf() *expr {
	first := e.i
	v := e.whole()
	if n := len(e.toks); first < n && e.toks[n-1].is("]") {
		if open := opening(e.toks, n-1); open > first {
			inner := &evaluator{parser: e.parser, f: e.f, toks: e.toks[first:open], calls: e.calls}
			v.args = []*expr{inner.all()}
		}
	}
	return v
}

// notKnown gives up on the whole of the tokens.
func (e *evaluator) notKnown(why string) *expr {
	e.i = len(e.toks)
	return opaque(why)
}

// parens reads a cast, which changes nothing here, or an expression in parentheses.
func (e *evaluator) parens(depth int) *expr {
	end := closing(e.toks, e.i-1)
	if end+1 < len(e.toks) && isType(e.toks[e.i:end]) {
		if next := e.toks[end+1]; next.kind == ident || next.kind == number || next.is("(") || next.is("~") || next.is("{") {
			if next.is("(") && !e.isCast(e.toks[e.i:end]) { // (f)(x)
				return e.notKnown("what " + text(e.toks) + " returns")
			}
			e.i = end + 1
			return e.primary(depth + 1)
		}
	}
	if e.peek().is("{") { // a statement expression
		return e.notKnown("the statements " + text(e.toks))
	}
	v := e.conditional(depth + 1)
	for e.peek().is(",") { // the last one is the value
		e.i++
		v = e.conditional(depth + 1)
	}
	if !e.peek().is(")") {
		return e.whole()
	}
	e.i++
	if next := e.peek(); next.is("->") || next.is(".") || next.is("[") || next.is("(") {
		return e.chain(e.i - 1)
	}
	return v
}

// isCast says whether a name in parentheses in front of another parenthesis is a type, and not a function.
func (e *evaluator) isCast(toks []token) bool {
	return len(toks) > 1 || e.f == nil || e.f.param(toks[0].text) < 0
}

// braced reads { x }, which is x.
func (e *evaluator) braced(depth int) *expr {
	if e.peek().is("}") {
		e.i++
		return number32(0)
	}
	v := e.conditional(depth + 1)
	if !e.peek().is("}") {
		return e.whole()
	}
	e.i++
	return v
}

// isType says whether the tokens can be the type of a cast: names only, none of which is a constant.
func isType(toks []token) bool {
	return len(toks) > 0 && !slices.ContainsFunc(toks, func(t token) bool {
		return t.kind != ident && !t.is("*") && !t.is("::") && !t.is("&") || nx.IsToken(t.text)
	})
}

// name reads what begins with a name.
func (e *evaluator) name(t token, depth int) *expr {
	next := e.peek()
	switch {
	case t.is("sizeof") || t.is("alignof") || t.is("__alignof"):
		v := opaque("the size " + text(e.toks))
		if e.i = min(closing(e.toks, e.i)+1, len(e.toks)); !next.is("(") {
			e.i = len(e.toks)
		}
		return v
	case strings.HasSuffix(t.text, "_cast") && next.is("<"):
		if end := templateEnd(e.toks, e.i); end > 0 && end+1 < len(e.toks) && e.toks[end+1].is("(") {
			e.i = end + 1
			return e.primary(depth + 1)
		}
	case next.is("::") && e.i+1 < len(e.toks) && e.toks[e.i+1].kind == ident:
		return e.qualified(t, depth)
	case next.is("<") && next.flags&spaced == 0 && e.cxx:
		if end := templateEnd(e.toks, e.i); end > 0 && end+1 < len(e.toks) && e.toks[end+1].is("(") {
			return e.called(e.i-1, end)
		}
	case next.is("("), next.is("{") && e.cxx:
		if casts[t.text] || e.enums[t.text] == nil && e.aliases[t.text] != "" {
			return e.primary(depth + 1)
		}
		if next.is("(") {
			return e.called(e.i-1, e.i-1)
		}
	case next.is(".") || next.is("->"):
		return e.chain(e.i - 1)
	case next.is("["):
		end := closing(e.toks, e.i)
		if end+1 < len(e.toks) && (e.toks[end+1].is(".") || e.toks[end+1].is("->") || e.toks[end+1].is("[")) {
			return e.chain(end)
		}
		e.i = end + 1
		return e.element(t)
	case next.is("++") || next.is("--") || t.is("new") || t.is("throw"):
		return e.whole()
	}
	if v := e.memberOf(t.text); v != nil {
		return v
	}
	if leaf := e.leaf(t); leaf != nil {
		return leaf
	}
	return e.whole()
}

// element reads a[i], for which all elements are one.
func (e *evaluator) element(t token) *expr {
	if v := e.memberOf(t.text); v != nil {
		return &expr{kind: fieldExpr, name: v.name + "[]", of: v.of}
	}
	return &expr{kind: nameExpr, name: t.text + "[]"}
}

// memberOf gives the field that a name alone stands for in a method, nil where it is none.
func (e *evaluator) memberOf(name string) *expr {
	if e.f == nil || e.f.class == "" || e.f.param(name) >= 0 {
		return nil
	}
	if _, local := e.f.locals[name]; local {
		return nil
	}
	if of, _ := e.field(e.f.class, name); of != "" {
		return &expr{kind: fieldExpr, name: name, of: of}
	}
	return nil
}

// casts are types that are written like functions.
var casts = map[string]bool{
	"POOL_TYPE": true, "POOL_FLAGS": true, "ULONG": true, "ULONG64": true, "UINT32": true, "UINT64": true, "int": true,
	"unsigned": true, "long": true, "MM_PAGE_PRIORITY": true, "uint32_t": true, "uint64_t": true, "DWORD": true, "UINT": true,
}

// qualified reads A::b, A::f() and the like.
func (e *evaluator) qualified(t token, depth int) *expr {
	first := e.i - 1
	for e.peek().is("::") && e.i+1 < len(e.toks) && e.toks[e.i+1].kind == ident {
		t = e.toks[e.i+1]
		e.i += 2
	}
	switch of := qualifier(e.toks, e.i-2); {
	case e.peek().is("("):
		return e.called(e.i-1, e.i-1)
	case e.enums[of+"::"+t.text] != nil:
		e.hangs = true // perhaps
		return e.enums[of+"::"+t.text]
	case e.peek().is("[") || e.peek().is(".") || e.peek().is("->"):
		return e.notKnown("what " + text(e.toks[first:]) + " holds")
	case e.leaf(t) != nil:
		return e.leaf(t)
	}
	return e.whole()
}

// chain reads x->y.z behind the token at last.
func (e *evaluator) chain(last int) *expr {
	first := e.i - 1
	i := last
	for i+2 < len(e.toks) && (e.toks[i+1].is(".") || e.toks[i+1].is("->")) && e.toks[i+2].kind == ident {
		i += 2
		for i+1 < len(e.toks) && e.toks[i+1].is("[") && i+1 < len(e.toks) {
			end := closing(e.toks, i+1)
			if end+2 < len(e.toks) && (e.toks[end+1].is(".") || e.toks[end+1].is("->")) {
				i = end - 0
				continue
			}
			break
		}
		if e.toks[min(i, len(e.toks)-1)].is("]") {
			continue
		}
	}
	if i+1 < len(e.toks) && e.toks[i+1].is("(") {
		return e.called(i, i)
	}
	if i == last || e.toks[i].kind != ident || i+1 < len(e.toks) && e.toks[i+1].is("[") {
		return e.notKnown("what " + text(e.toks[max(first, 0):]) + " holds")
	}
	typ, _ := e.typeBefore(e.f, e.toks, i-2, 0)
	of, _ := e.field(typ, e.toks[i].text)
	field := &expr{kind: fieldExpr, name: e.toks[i].text, of: of}
	if of == "" {
		field.via = strings.Join(e.leading(e.toks[max(first, 0):i]), " ")
	}
	e.i = i + 1
	return field
}

// leading gives the names that tell what struct an expression is: its fields, and the type of what it begins with.
func (e *evaluator) leading(toks []token) []string {
	var names []string
	for i, t := range toks {
		switch {
		case t.kind != ident:
		case i > 0 && (toks[i-1].is(".") || toks[i-1].is("->")):
			names = append(names, t.text)
		default:
			names = append(names, e.writtenType(e.f, t.text))
		}
	}
	return names
}

// called reads a call whose name is at i and whose parenthesis follows the token at last.
func (e *evaluator) called(i, last int) *expr {
	end := closing(e.toks, last+1)
	e.i = end + 1
	if len(e.toks) > maxArguments || e.calls >= maxFrames {
		return opaque("what " + e.toks[i].text + "() returns, in calls inside calls")
	}
	c := &call{at: e.toks[i], callee: e.toks[i].text, ddi: e.known.ddis[e.toks[i].text]}
	if i > 0 {
		switch before := e.toks[i-1]; {
		case before.is(".") || before.is("->"):
			c.method = true
			c.of, _ = e.typeBefore(e.f, e.toks, i-2, 0)
		case before.is("::"):
			c.of = qualifier(e.toks, i-1)
		}
	}
	args := split(e.toks[last+2 : min(end, len(e.toks))])
	c.args = slices.Grow(c.args, len(args))
	for _, arg := range args {
		inner := &evaluator{parser: e.parser, f: e.f, toks: arg, calls: e.calls + 1}
		c.args = append(c.args, value{expr: inner.all(), text: text(arg)})
	}
	return &expr{kind: callExpr, name: c.callee, call: c}
}

// compound gives what an operator like |= makes of what a variable holds.
func (p *parser) compound(op string, to target, v value) *expr {
	old := &expr{kind: nameExpr, name: to.name}
	if to.field {
		old = &expr{kind: fieldExpr, name: to.name, of: to.of}
	}
	op = strings.TrimSuffix(op, "=")
	return &expr{kind: operator, name: op, args: []*expr{old, v.expr}, of: to.name + " " + op + "= " + v.text}
}

// enumerators gives the names of an enumeration their values.
func (p *parser) enumerators(head, toks []token) {
	name := ""
	for i, t := range head {
		if t.is(":") {
			break
		}
		if t.kind == ident && i > 0 && !qualifiers[t.text] {
			name = t.text
		}
	}
	scoped := slices.ContainsFunc(head, func(t token) bool { return t.is("class") || t.is("struct") })
	last := number32(^uint32(0))
	for _, part := range split(toks) {
		if len(part) == 0 || part[0].kind != ident {
			continue
		}
		p.needsConstant(nil, part, driver.ConstantNeeded, "the value of an enumerator")
		v := &expr{kind: operator, name: "++", args: []*expr{last, number32(1)}}
		if len(part) > 2 && part[1].is("=") {
			v = p.expression(nil, part[2:])
		}
		if s, ok := fold(v); ok && v.kind != constantExpr {
			v = &expr{kind: constantExpr, term: s}
		}
		last = v
		if name != "" {
			p.enums[name+"::"+part[0].text] = v
		}
		if !scoped && !nx.IsToken(part[0].text) {
			p.enums[part[0].text] = v
		}
	}
}

// initial adds what a declaration gives a variable: one value, or one for each field of a struct.
func (p *parser) initial(list []write, d declarator, f *function, at token) []write {
	if d.init == nil {
		return list
	}
	if d.called && len(d.init) == 0 {
		return list
	}
	to := target{name: d.name}
	if d.array {
		to.name += "[]"
	}
	braces := len(d.init) > 0 && d.init[0].is("{")
	if !braces || p.tag(d.typ) == "" && !d.array && len(split(inside(d.init))) == 1 && !designates(d.init) {
		if p.unasked(f, to) {
			return list
		}
		return append(list, write{target: to, value: p.value(f, d.init), at: at})
	}
	before := len(list)
	list = p.filled(list, to, p.tag(d.typ), d.array, inside(d.init), f, 0)
	for i := range list[before:] {
		list[before+i].base = d.name
		if list[before+i].at.file == nil {
			list[before+i].at = at
		}
	}
	return list
}

func designates(toks []token) bool { return len(toks) > 1 && (toks[1].is(".") || toks[1].is("[")) }

func inside(toks []token) []token {
	if len(toks) < 2 {
		return nil
	}
	return toks[1:min(len(toks), max(1, closing(toks, 0)))]
}

// maxInitialisers bounds what is kept of one table.
const maxInitialisers = 4000

// filled reads the parts of an initialiser in braces. The fields that it does not name are 0.
func (p *parser) filled(list []write, to target, typ string, array bool, toks []token, f *function, depth int) []write {
	if depth > 8 || len(list) > maxInitialisers {
		return list
	}
	r := p.records[typ]
	given := map[string]bool{}
	next := 0
	for _, part := range split(toks) {
		if len(part) == 0 {
			continue
		}
		if array {
			if part[0].is("[") {
				if i := slices.IndexFunc(part, func(t token) bool { return t.is("=") }); i > 0 {
					part = part[i+1:]
				}
			}
			list = p.part(list, to, typ, part, f, depth)
			continue
		}
		field := member{}
		switch {
		case len(part) > 3 && part[0].is(".") && part[2].is("="):
			field.name = part[1].text
			_, field.typ = p.field(typ, field.name)
			if r != nil {
				next = slices.IndexFunc(r.fields, func(m member) bool { return m.name == field.name }) + 1
			}
			part = part[3:]
		case r != nil && next < len(r.fields):
			field = r.fields[next]
			next++
		default:
			continue
		}
		of, _ := p.field(typ, field.name)
		given[field.name] = true
		list = p.part(list, target{name: field.name, of: of, field: true}, field.typ, part, f, depth)
	}
	if r != nil && !array {
		for _, m := range r.fields {
			if to := (target{name: m.name, of: r.name, field: true}); !given[m.name] && !p.unasked(f, to) {
				list = append(list, write{target: to, value: value{expr: number32(0), text: "0"}, clear: true})
			}
		}
	}
	return list
}

// part reads one value of an initialiser.
func (p *parser) part(list []write, to target, typ string, toks []token, f *function, depth int) []write {
	if len(toks) > 0 && toks[0].is("{") {
		if typ != "" {
			return p.filled(list, to, typ, false, inside(toks), f, depth+1)
		}
		if strings.HasSuffix(to.name, "[]") || len(split(inside(toks))) > 1 {
			return p.filled(list, to, "", true, inside(toks), f, depth+1)
		}
	}
	if len(toks) == 0 || toks[0].kind == str || p.unasked(f, to) {
		return list
	}
	return append(list, write{target: to, value: p.value(f, toks), at: toks[0]})
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
	if len(toks) == 1 && len(toks[0].text) <= 100 {
		return toks[0].text
	}
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

func upper(s string) string { return strings.ToUpper(s) }
