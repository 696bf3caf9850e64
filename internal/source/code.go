package source

import (
	"cmp"
	"slices"
	"strings"
)

// Signs that memory is executed. Which request the memory comes from is found when linking (origin.go). What a macro brings
// is no sign: such text would have to be looked for in the whole tree.

// execution is one sign. Its value is an expression for the address of the memory.
type execution struct {
	value
	at   token
	says string // the rest of a sentence that begins with "the memory"
	// source is what a copy takes: a function, an array at file scope, or "f()" for what f returns. It is a sign if that is code.
	source string
	called bool // the memory itself is called; else something is written there that looks like code
}

// coding is what is known of the body at hand.
type coding struct {
	casts  map[string][]int  // where variables are assigned what stands behind a cast, until they are called
	codes  map[string]string // its variables that hold machine code, and how that begins
	stores map[string]*stores
	order  []*stores
}

// stores are the bytes that are written to one address, and what is added to it.
type stores struct {
	path []token
	at   int  // of the first, in the body
	next int  // the index behind the last
	runs bool // the pointer is moved with each
	list []stored
}

type stored struct{ index, value int }

// assignsCode looks at the = at i.
func (r *reading) assignsCode(i int) {
	if i == 0 || i+1 >= len(r.toks) {
		return
	}
	left, right := r.toks[i-1], r.toks[i+1]
	field := i > 1 && (r.toks[i-2].is(".") || r.toks[i-2].is("->"))
	if left.kind == ident && !field && left.exp == nil && right.exp == nil && (right.is("(") || right.is("reinterpret_cast") || right.is("static_cast")) {
		if r.code.casts == nil {
			r.code.casts = map[string][]int{}
		}
		r.code.casts[left.text] = append(r.code.casts[left.text], i)
	}
	if left.is("]") || left.is(")") || left.is("++") || left.kind == ident && i > 1 && (r.toks[i-2].is("*") || r.toks[i-2].is(")")) {
		r.stores(i)
	}
}

// maxCasts bounds the tokens of a byte with its casts.
const maxCasts = 20

// stores notes what the = at i writes to memory, if it is a byte of a constant value, or follows one.
func (r *reading) stores(i int) {
	right := bare(r.toks[i+1 : statementEnd(r.toks, i+1, maxCasts)])
	v := someByte
	if len(right) == 1 && right[0].kind == number && right[0].exp == nil {
		if b, ok := byteOf(right[0].text); ok {
			v = b
		}
	}
	if v == someByte && len(r.code.order) == 0 {
		return
	}
	if to, ok := r.destination(i); ok {
		if to.wide {
			v = someWord
		}
		r.store(to, v, i)
	}
}

// address is one in memory, as far as it is written: what x + 4 or &x[4] is made of.
type address struct {
	path   []token // x
	plus   string  // what is added besides a constant
	offset int
	next   bool // what is added counts up: x[i++], *x++
	wide   bool // more than a byte is written there
}

func (r *reading) store(to address, v, at int) {
	key := text(to.path) + "+" + to.plus
	s := r.code.stores[key]
	if s == nil {
		if v < 0 {
			return
		}
		if s = (&stores{path: to.path, at: at}); r.code.stores == nil {
			r.code.stores = map[string]*stores{}
		}
		r.code.stores[key] = s
		r.code.order = append(r.code.order, s)
	}
	if s.runs = s.runs || to.next; to.next || s.runs && to.offset == 0 {
		to.offset = s.next
	}
	s.next = to.offset + 1
	if len(s.list) < 10*maxOpcodes {
		s.list = append(s.list, stored{to.offset, v})
	}
}

// destination reads backwards where the = at i writes to.
func (r *reading) destination(i int) (address, bool) {
	t := r.toks[i-1]
	switch {
	case t.is("]"):
		return r.indexed(i)
	case t.is("++"):
		first := r.pathStart(i - 2)
		return address{path: r.toks[first : i-1], next: true}, first > 0 && first < i-1 && r.toks[first-1].is("*")
	case t.is(")"):
		open := opening(r.toks, i-1)
		if open < 1 {
			return address{}, false
		}
		inner := r.toks[open+1 : i-1]
		if r.toks[open-1].is("*") { // *((T)x + 4)
			wide := false
			if len(inner) > 0 && inner[0].is("(") {
				if end := closing(inner, 0); end+1 < len(inner) && isType(inner[1:end]) {
					wide = isWide(inner[1:end])
				}
			}
			to, ok := r.pointed(inner)
			to.wide = wide
			return to, ok
		}
		return r.through(open, inner)
	default:
		first := r.pathStart(i - 1)
		if first > 0 && r.toks[first-1].is("*") {
			return address{path: r.toks[first:i]}, first < i
		}
		return r.through(first, r.toks[first:i])
	}
}

// indexed reads x[4], where the = stands at i, and *(T)&x[4].
func (r *reading) indexed(i int) (address, bool) {
	open := opening(r.toks, i-1)
	if open < 1 {
		return address{}, false
	}
	if r.toks[open-1].is(")") { // ((T)x)[4]
		start := opening(r.toks, open-1)
		if start < 0 || start > 0 && r.toks[start-1].kind == ident {
			return address{}, false
		}
		to, ok := r.pointed(r.toks[start+1 : open-1])
		if !ok || to.plus != "" || to.offset != 0 {
			return to, false
		}
		return to.at(r.toks[open+1 : i-1]), true
	}
	first := r.pathStart(open - 1)
	if first >= open || first > 0 && r.toks[first-1].is("*") {
		return address{}, false
	}
	if first > 0 && r.toks[first-1].is("&") {
		return r.through(first-1, r.toks[first-1:i])
	}
	return address{path: r.toks[first:open]}.at(r.toks[open+1 : i-1]), true
}

// through reads *(T)x, where x begins at first.
func (r *reading) through(first int, x []token) (address, bool) {
	if first < 3 || !r.toks[first-1].is(")") {
		return address{}, false
	}
	open := opening(r.toks, first-1)
	if open < 1 || !r.toks[open-1].is("*") || !isType(r.toks[open+1:first-1]) {
		return address{}, false
	}
	to, ok := r.pointed(x)
	to.wide = isWide(r.toks[open+1 : first-1])
	return to, ok
}

// pathStart gives the index at which the x->y.z begins that ends at i; behind i where there is none.
func (r *reading) pathStart(i int) int {
	if i < 0 || r.toks[i].kind != ident || keywords[r.toks[i].text] {
		return i + 1
	}
	for i > 1 && (r.toks[i-1].is(".") || r.toks[i-1].is("->")) && r.toks[i-2].kind == ident {
		i -= 2
	}
	return i
}

// at is the address with what stands in brackets added.
func (a address) at(index []token) address {
	n := len(index)
	switch {
	case n > 1 && index[n-1].is("++"):
		a.plus, a.next = text(index[:n-1]), true
	case n == 1 && index[0].kind == number:
		a.offset = constant(index[0])
	case n > 2 && index[n-2].is("+") && index[n-1].kind == number:
		a.plus, a.offset = text(index[:n-2]), constant(index[n-1])
	default:
		a.plus = text(index)
	}
	return a
}

func constant(t token) int {
	n, ok := parseInteger(t.text)
	if !ok || n > 1<<20 {
		return 1 << 20
	}
	return int(n)
}

// pointed reads an expression for an address: x, x + 4, &x[4], with casts and parentheses.
func (r *reading) pointed(toks []token) (address, bool) {
	toks = bare(toks)
	plus := []token(nil)
	for i := 0; i < len(toks); i++ {
		if toks[i].is("(") || toks[i].is("[") {
			i = closing(toks, i)
		} else if toks[i].is("+") {
			toks, plus = bare(toks[:i]), toks[i+1:]
			break
		}
	}
	a := address{}
	if n := len(toks); n > 4 && toks[0].is("&") && toks[n-1].is("]") && plus == nil {
		open := opening(toks, n-1)
		if open < 2 {
			return a, false
		}
		toks, plus = toks[1:open], toks[open+1:n-1]
	}
	if a.path = toks; !plainPath(toks) {
		return a, false
	}
	if plus != nil {
		a = a.at(plus)
	}
	return a, true
}

// bare takes the casts and parentheses off an expression.
func bare(toks []token) []token {
	for len(toks) > 0 {
		switch end := closing(toks, 0); {
		case strings.HasSuffix(toks[0].text, "_cast") && len(toks) > 1 && toks[1].is("<"):
			end = templateEnd(toks, 1)
			if end < 0 || end+1 >= len(toks) || closing(toks, end+1) != len(toks)-1 {
				return toks
			}
			toks = toks[end+2 : len(toks)-1]
		case !toks[0].is("("):
			return toks
		case end == len(toks)-1:
			toks = toks[1:end]
		case end < len(toks) && isType(toks[1:end]) && !toks[end+1].is("+") && !toks[end+1].is("-") && !toks[end+1].is("["):
			toks = toks[end+1:]
		default:
			return toks
		}
	}
	return toks
}

// bytes are types of one byte, and pointers to them.
var byteTypes = map[string]bool{
	"UCHAR": true, "PUCHAR": true, "CHAR": true, "PCHAR": true, "BYTE": true, "PBYTE": true, "LPBYTE": true, "char": true,
	"UINT8": true, "PUINT8": true, "INT8": true, "uint8_t": true, "int8_t": true, "u8": true, "BOOLEAN": true,
}

func isWide(typ []token) bool {
	return !slices.ContainsFunc(typ, func(t token) bool { return byteTypes[t.text] })
}

// sequences looks at what was stored in the body.
func (r *reading) sequences() {
	for _, s := range r.code.order {
		if bytes := s.code(); bytes != "" {
			r.executes(s.path, s.at, execution{at: r.toks[s.at-1], says: "gets machine code: " + bytes})
		}
	}
}

// code gives the beginning of a run of stores that is machine code, and goes somewhere else.
func (s *stores) code() string {
	list := slices.Clone(s.list)
	slices.SortStableFunc(list, func(a, b stored) int { return cmp.Compare(a.index, b.index) })
	list = slices.CompactFunc(list, func(a, b stored) bool { return a.index == b.index })
	var run []int
	for i, b := range list {
		if i > 0 {
			switch gap := b.index - list[i-1].index; {
			case gap == 1 || list[i-1].value == someWord && gap <= 8:
			case gap == 5 || gap == 9:
				run = append(run, someWord)
			default:
				if bytes := transfer(run); bytes != "" {
					return bytes
				}
				run = run[:0]
			}
		}
		run = append(run, b.value)
	}
	return transfer(run)
}

// transfer is opcodes for a run in which control goes somewhere else.
func transfer(run []int) string {
	var g signs
	if len(run) > maxOpcodes {
		run = run[:maxOpcodes]
	}
	if !slices.ContainsFunc(run, func(v int) bool { return g.stores(v) }) {
		return ""
	}
	return opcodes(run)
}

// maxInside bounds how many structs an array is looked up in.
const maxInside = 10

// executes notes a sign: its value is what the path stands for. Of an array inside a struct that is written to, that is the
// address of the struct.
func (r *reading) executes(path []token, at int, x execution) {
	for range maxInside {
		n := len(path)
		if n < 3 || x.called || !plainPath(path) {
			break
		}
		typ, _ := r.typeBefore(r.f, path, n-3, 0)
		if !r.isArray(typ, path[n-1].text) {
			break
		}
		path = path[:n-2]
	}
	x.value = r.value(r.f, path)
	x.pos, x.loops = at, r.flow.loops()
	r.f.executed = append(r.f.executed, x)
}

// calledThrough looks at the parenthesis at i, behind another one: ((T)x)(...), (*(T)x)(...).
func (r *reading) calledThrough(i int) {
	open := opening(r.toks, i-1)
	if open < 0 || r.toks[i].exp != nil || r.toks[i-1].exp != nil || r.toks[open].exp != nil {
		return
	}
	inner := r.toks[open+1 : i-1]
	if open > 3 && r.toks[open-1].is(">") { // reinterpret_cast<T>(x)(...)
		for k := open - 2; k >= max(0, open-20); k-- {
			if r.toks[k].is("reinterpret_cast") {
				r.calls(inner, i)
			}
		}
		return
	}
	if open > 0 && (r.toks[open-1].kind == ident && !r.toks[open-1].is("return") || r.toks[open-1].is(")") || r.toks[open-1].is("]")) {
		return
	}
	star := len(inner) > 0 && inner[0].is("*")
	if star {
		inner = inner[1:]
	}
	if len(inner) < 2 {
		return
	}
	end := closing(inner, 0)
	switch {
	case inner[0].is("reinterpret_cast") && !star:
		r.calls(bare(inner), i)
	case inner[0].is("(") && end+1 < len(inner) && isFunctionType(inner[1:end], star):
		r.calls(inner[end+1:], i)
	}
}

// isFunctionType says whether a cast can be to a function or a pointer to one: to R (*)(...), or to a name that is not known.
// What a * stands in front of is no pointer to a pointer: that would call what the memory holds.
func isFunctionType(typ []token, star bool) bool {
	for i, t := range typ {
		if t.is("*") && i > 0 && i+1 < len(typ) && typ[i+1].is(")") {
			return true
		}
	}
	return isType(typ) && !(star && typ[len(typ)-1].is("*"))
}

// calls notes that what stands behind a cast is called.
func (r *reading) calls(x []token, i int) {
	r.executes(x, i, execution{at: r.toks[i], says: "is called as a function", called: true})
}

// codeCall looks at the call whose name is at i: of a variable that was assigned what stands behind a cast, or of a copy.
func (r *reading) codeCall(c *call, args [][]token, i int) {
	if i > 0 && (r.toks[i-1].is(".") || r.toks[i-1].is("->") || r.toks[i-1].is("::")) {
		return
	}
	if c.at.exp == nil {
		for _, k := range r.code.casts[c.callee] {
			x := bare(r.toks[k+1 : r.operandEnd(k+1)])
			r.executes(x, k, execution{at: c.at, says: "is called as " + c.callee, called: true})
		}
		delete(r.code.casts, c.callee) // one call is enough
	}
	if !copies[c.callee] || !copies[c.at.root().text] || len(args) != 3 {
		return
	}
	to, ok := r.pointed(args[0])
	if ok && len(r.code.order) > 0 {
		to.wide = true
		r.store(to, someWord, i)
	}
	if !ok {
		to.path = bare(args[0])
	}
	if says, source := r.copiesCode(args[1]); says != "" {
		r.executes(to.path, i, execution{at: c.at, says: says, source: source})
	}
}

// copiesCode says what a copy takes, where that may be code.
func (r *reading) copiesCode(from []token) (says, source string) {
	from = bare(from)
	if len(from) > 0 && from[0].is("&") {
		from = bare(from[1:])
	}
	if i := slices.IndexFunc(from, func(t token) bool { return t.is("+") || t.is("-") || t.is("[") }); i > 0 {
		from = bare(from[:i])
	}
	if len(from) != 1 || from[0].kind != ident || from[0].exp != nil {
		return "", ""
	}
	name := from[0].text
	if bytes := r.code.codes[name]; bytes != "" {
		return "gets machine code: a copy of " + name + ", which is " + bytes, ""
	}
	if !r.f.owns(name) {
		if !r.known.copied.has(nameOf(name)) || r.enums[name] != nil {
			return "", ""
		}
		return "gets machine code: a copy of " + name, name
	}
	for _, w := range r.f.writes[max(0, len(r.f.writes)-maxInputs):] {
		if w.name == name && !w.field && w.value.expr != nil && w.value.kind == callExpr && r.known.makers.has(nameOf(w.value.name)) {
			return "gets machine code: a copy of what " + w.value.name + "() returns", w.value.name + "()"
		}
	}
	return "", ""
}

// holdsCode notes a variable that is initialised with machine code.
func (r *reading) holdsCode(d declarator) {
	if bytes := codeIn(d.init); bytes != "" {
		if r.code.codes == nil {
			r.code.codes = map[string]string{}
		}
		r.code.codes[d.name] = bytes
	}
}

// codeIn gives how an initialiser in braces begins that is machine code.
func codeIn(init []token) string {
	if len(init) < 4 || !init[0].is("{") {
		return ""
	}
	var values []int
	var last token
	for _, t := range init {
		switch {
		case len(values) == maxOpcodes || t.kind == punct && !t.is("{") && !t.is("}") && !t.is(",") || t.kind != punct && t.kind != ident && t.kind != number:
			return opcodes(values)
		case t.kind == punct:
			continue
		case t.exp != nil:
			if root := t.root(); root.file != last.file || root.off != last.off {
				values, last = append(values, someElement), root
			}
			continue
		}
		v, ok := 0, false
		if t.kind == number {
			v, ok = byteOf(t.text)
		}
		if !ok {
			v = someElement
		}
		values = append(values, v)
	}
	return opcodes(values)
}

// escaping notes of the requests of the body whose address goes where it is not followed: it is returned, stored outside of
// the function, or passed on.
func (r *reading) escaping() {
	held := map[string][]*call{} // by the local that the result is assigned to
	for k := range r.list {
		c := &r.list[k].call
		if c.ddi == nil || c.method || c.pos >= len(r.toks) || r.toks[c.pos].off != c.at.off || r.toks[c.pos].file != c.at.file {
			continue
		}
		if name := r.holder(c.pos); name != "" {
			held[name] = append(held[name], c)
		} else {
			c.escapes = !c.dropped && !r.spent(c.pos)
		}
	}
	for i := 1; i < len(r.toks) && len(held) > 0; i++ {
		name := r.toks[i].text
		if r.toks[i].kind == ident && held[name] != nil && r.leaves(i) {
			for _, c := range held[name] {
				c.escapes = true
			}
			delete(held, name)
		}
	}
}

// spent says whether the result of the call at i is only compared, or passed to a routine that keeps nothing.
func (r *reading) spent(i int) bool {
	first, last := i, closing(r.toks[:min(len(r.toks), i+maxArguments)], i+1)
	for first > 0 && last+1 < len(r.toks) && r.toks[last].is(")") {
		before, next := r.toks[first-1], r.toks[last+1]
		switch {
		case next.is("?") || compares[next.text] || compares[before.text]:
			return true
		case before.is(")"):
			first = opening(r.toks, first-1) // a cast's
		case before.is("(") && first > 1 && controls[r.toks[first-2].text]:
			return true
		case before.is("(") && next.is(")") && (first < 2 || r.toks[first-2].kind != ident || keywords[r.toks[first-2].text]):
			first, last = first-1, last+1
		default:
			open := around(r.toks, first-1)
			return open > 0 && handles[r.toks[open-1].text]
		}
	}
	return false
}

// holder gives the local variable that what is called at i is assigned to.
func (r *reading) holder(i int) string {
	if i = r.beforeCasts(i); i < 1 || !r.toks[i].is("=") || r.toks[i-1].kind != ident {
		return ""
	}
	name := r.toks[i-1].text
	if _, local := r.f.locals[name]; !local || i > 1 && (r.toks[i-2].is(".") || r.toks[i-2].is("->") || r.toks[i-2].is("*") && i > 2 && startsAfter(r.toks[i-3])) {
		return ""
	}
	return name
}

// startsAfter says whether a statement begins behind a token.
func startsAfter(t token) bool { return t.is(";") || t.is("{") || t.is("}") || t.is(")") }

// beforeCasts gives the index of what stands in front of an expression at i and of the casts and parentheses around it.
func (r *reading) beforeCasts(i int) int {
	for i--; i > 0; i-- {
		if r.toks[i].is(")") {
			open := opening(r.toks, i)
			if open < 0 || !isType(r.toks[open+1:i]) {
				return i
			}
			i = open
		} else if !r.toks[i].is("(") || r.toks[i-1].kind == ident {
			return i
		}
	}
	return i
}

// leaves says whether the local at i is returned, assigned to something else or passed to a function that may keep it.
func (r *reading) leaves(i int) bool {
	if i+1 < len(r.toks) {
		next := r.toks[i+1]
		if next.is("->") || next.is("[") || next.is("=") || next.is("?") || compares[next.text] {
			return false
		}
	}
	switch k := r.beforeCasts(i); {
	case k < 1:
		return false
	case r.toks[k].is("return"), r.toks[k].is("="), r.toks[k].is("?"), r.toks[k].is(":"):
		return true
	case r.toks[k].is("(") || r.toks[k].is(","):
		open := around(r.toks, i)
		return open > 0 && r.toks[open-1].kind == ident && !keywords[r.toks[open-1].text] && !handles[r.toks[open-1].text]
	}
	return false
}

// around gives the index of the parenthesis that the token at i stands in, -1 for none.
func around(toks []token, i int) int {
	depth := 0
	for least := max(0, i-maxArguments); i >= least; i-- {
		switch t := toks[i]; {
		case t.is(")"):
			depth++
		case t.is("("):
			if depth--; depth < 0 {
				return i
			}
		case t.is(";") || t.is("{"):
			return -1
		}
	}
	return -1
}

// handles are routines that do no more with memory than to fill, read or free it.
var handles = map[string]bool{
	"ExFreePool": true, "ExFreePoolWithTag": true, "ExFreePool2": true, "RtlZeroMemory": true, "RtlSecureZeroMemory": true,
	"RtlFillMemory": true, "memset": true, "memcmp": true, "RtlCompareMemory": true, "RtlEqualMemory": true, "ASSERT": true, "NT_ASSERT": true,
	"RtlCopyMemory": true, "RtlMoveMemory": true, "memcpy": true, "memmove": true, "MmFreeContiguousMemory": true, "FsRtlFreePool": true,
}
