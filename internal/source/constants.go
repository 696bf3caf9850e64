package source

import (
	"slices"
	"sort"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// Under POOL_NX_OPTIN, NonPagedPool stands for a variable: where the language wants a constant it does not compile, and what
// compares a pool type with a number, or with NonPagedPoolExecute, tells something else than before. Rules judge that, of the
// facts that are noted here, whatever the mechanism of the file is now.

// redefinable says whether an opt-in turns what a token names into something else.
func redefinable(t token) bool { return t.kind == ident && driver.Token{Name: t.text}.Redefined() }

// note adds a fact about the unit.
func (p *parser) note(f driver.Fact) {
	f.Unit, f.Mechanism = p.unit.Path, p.mechanism
	p.facts = append(p.facts, f)
}

// needsConstant notes that a constant is needed for what some tokens name, and gives the fact, nil where none does.
func (p *parser) needsConstant(f *function, toks []token, kind driver.FactKind, where string) *driver.Fact {
	i := slices.IndexFunc(toks, redefinable)
	if i < 0 {
		return nil
	}
	fact := driver.Fact{Kind: kind, Place: toks[i].root().place(), Function: f.label(), Says: toks[i].text + " is " + where}
	for _, t := range toks[i:] {
		if !redefinable(t) {
			continue
		}
		s := t.source()
		if s.file == nil || len(fact.Names) == maxWritten { // all of them are written anew, or none
			fact.Names = nil
			break
		}
		fact.ByMacro = fact.ByMacro || s.exp != nil
		at := s.place()
		fact.Names = append(fact.Names, driver.Written{At: at, End: at.Offset + len(s.text), Text: s.text})
	}
	p.note(fact)
	return &p.facts[len(p.facts)-1]
}

func (f *function) label() string {
	if f == nil {
		return ""
	}
	return f.name
}

// initialisesStatic notes what a variable begins with that lives as long as the image does.
func (p *parser) initialisesStatic(f *function, declaration []token, d declarator) {
	kind := driver.DynamicInitialiser
	switch constant := slices.ContainsFunc(declaration, isConstexpr); {
	case constant || !p.cxx:
		kind = driver.ConstantNeeded
	case f != nil:
		return
	}
	fact := p.needsConstant(f, d.init, kind, "in the initialiser of "+d.name)
	if fact != nil && f == nil && !slices.ContainsFunc(p.scopes, func(s *scope) bool { return s.member }) && !isConstant(declaration) {
		fact.Initialisers = p.assignable(declaration, d)
	}
}

// assignable gives the initialiser of a variable that a statement can assign instead: one value, written on one line and not by
// a macro, the only one that the file gives it, in all that compile the file.
func (p *parser) assignable(declaration []token, d declarator) []driver.Initialiser {
	name := declaration[d.at]
	switch {
	case name.file == nil || name.exp != nil || !definedPlainly(declaration, d.typ) || !p.givesOnce(name),
		!d.assign || d.array || d.ref || d.pointer || len(d.init) == 0 || d.init[0].is("{"),
		slices.ContainsFunc(declaration, isConstexpr), d.at > 0 && declaration[d.at-1].is("::"),
		d.at+1 >= len(declaration) || !declaration[d.at+1].is("="):
		return nil
	}
	last := d.init[len(d.init)-1].source()
	start, end := int(name.off)+len(name.text), int(last.off)+len(last.text)
	for _, t := range append([]token{name, declaration[d.at+1]}, d.init...) {
		if s := t.source(); s.file != name.file || s.exp != nil {
			return nil
		}
	}
	if end <= start || end > len(name.file.bytes()) {
		return nil
	}
	text := string(name.file.bytes()[start:end])
	if strings.ContainsAny(text, "\r\n\\") || strings.Contains(text, "//") || strings.Contains(text, "/*") {
		return nil
	}
	statement := name.text + " = " + strings.TrimSpace(strings.Replace(text, "=", "", 1)) + ";"
	return []driver.Initialiser{{Path: name.file.path, Start: start, End: end, Statement: statement}}
}

// definedPlainly says whether nothing stands in front of the type of a variable by which it may need its initialiser: extern, with
// which it were declared only, selectany, or a macro that is not known.
func definedPlainly(declaration []token, typ string) bool {
	i := slices.IndexFunc(declaration, func(t token) bool { return t.is(typ) })
	return i >= 0 && !slices.ContainsFunc(declaration[:i], func(t token) bool {
		return !t.is("STATIC") && (t.is("extern") || !typeWords[t.text])
	})
}

// otherValues is what a file holds of values for variables: a statement that comes at another time must not take the place of them.
type otherValues struct {
	names map[string]bool // that something is assigned to in a statement of its own, or whose address is taken
	ifs   []int32         // the offsets between which an #if is open
}

// givesOnce says whether the file of a variable gives it a value where it is declared only, and outside of any #if.
func (p *parser) givesOnce(name token) bool {
	g := p.giving[name.file]
	if g == nil {
		g = othersIn(name.file)
		if p.giving == nil {
			p.giving = map[*file]*otherValues{}
		}
		p.giving[name.file] = g
	}
	n := sort.Search(len(g.ifs), func(i int) bool { return g.ifs[i] > name.off })
	return n%2 == 0 && !g.names[name.text]
}

// beginsStatement is what stands in front of a statement; in a declaration it would be a type, a star or a comma.
var beginsStatement = map[string]bool{";": true, "{": true, "}": true, ")": true, "(": true, ":": true, "?": true, "=": true, "else": true, "do": true}

func othersIn(f *file) *otherValues {
	g := &otherValues{names: map[string]bool{}}
	previous := ";"
	for i := 0; i < len(f.tokens)-1; i++ {
		t := f.token(i)
		switch {
		case t.kind == newline:
			continue
		case t.is("#") && (i == 0 || f.tokens[i-1].kind == newline):
			i = f.lineEnd(i)
			continue
		case t.kind == ident && (previous == "&" || assignments[f.textOf(f.tokens[i+1])] && beginsStatement[previous]):
			g.names[t.text] = true
		}
		previous = t.text
	}
	depth := 0
	for _, d := range f.directives {
		was := depth
		switch {
		case d.kind == ifDirective:
			depth++
		case d.kind == endifDirective:
			depth = max(0, depth-1)
		}
		if (was == 0) != (depth == 0) {
			g.ifs = append(g.ifs, f.tokens[d.at].off)
		}
	}
	return g
}

func isConstexpr(t token) bool { return t.is("constexpr") || t.is("constinit") }

// templateArguments notes those of the template whose name is at i.
func (p *parser) templateArguments(f *function, toks []token, i int) {
	if p.cxx && i+1 < len(toks) && toks[i+1].is("<") && toks[i+1].flags&spaced == 0 {
		if end := templateEnd(toks, i+1); end > 0 {
			p.needsConstant(f, toks[i+2:end], driver.ConstantNeeded, "an argument of the template "+toks[i].text)
		}
	}
}

// asserted notes what static_assert and the like, C_ASSERT of the kit among them, have in their parentheses.
func (p *parser) asserted(f *function, toks []token, i int) {
	if t := toks[i]; (t.is("static_assert") || t.is("_Static_assert") || t.is("C_ASSERT")) && i+1 < len(toks) {
		if fact := p.needsConstant(f, toks[i+1:min(len(toks), closing(toks, i+1))], driver.ConstantNeeded, "in a "+t.text); fact != nil {
			fact.Names = nil // it says what the value is
		}
	}
}

// comparison notes that a pool type is compared by the operator at i: one side is a constant, and either that is a nonpaged
// pool type, or the other side is a variable of type POOL_TYPE.
func (r *reading) comparison(i int) {
	left, right := r.toks[operandStart(r.toks, i):i], r.toks[i+1:r.operandStop(i+1)]
	switch {
	case len(left) == 0 || len(right) == 0:
		return
	case takesBits(left) || takesBits(right):
		r.maskedComparison(i, left, right)
		r.maskedComparison(i, right, left)
		return
	case !r.poolTyped(left) && !r.poolTyped(right):
		return
	}
	for k, side := range [][]token{right, left} {
		e := r.expression(r.f, side)
		if term, ok := fold(e); ok {
			r.note(driver.Fact{
				Kind: driver.Comparison, Place: r.toks[i].root().place(), Function: r.f.name, With: &term,
				Says: text(left) + " " + r.toks[i].text + " " + text(right), Written: e.constants(), Span: comparedSpan([][]token{left, right}[k], side),
			})
			r.compares([][]token{left, right}[k], term)
			return
		}
	}
}

// truth notes that a variable of type POOL_TYPE is asked for being 0, which is what NonPagedPool is without an opt-in.
func (r *reading) truth(from, to int) {
	if to > len(r.toks) || to < len(r.toks) && (r.toks[to].is("(") || r.toks[to].is("[") || r.toks[to].is(".") || r.toks[to].is("->")) {
		return
	}
	asked := r.toks[from:to]
	i := slices.IndexFunc(asked, func(t token) bool { return t.kind == ident && !keywords[t.text] })
	if i < 0 || r.writtenType(r.f, asked[i].text) != "POOL_TYPE" || !r.isDeclared(asked[i].text) || r.f.points(asked[i].text) {
		return
	}
	r.note(driver.Fact{
		Kind: driver.Comparison, Place: asked[0].root().place(), Function: r.f.name, With: &driver.Term{}, Says: text(asked) + ", which compares with 0",
	})
	r.compares(asked[i:i+1], driver.Term{})
}

// points says whether a parameter or a local is a pointer.
func (f *function) points(name string) bool {
	if v, ok := f.locals[name]; ok {
		return v.star || v.array
	}
	i := f.param(name)
	return i >= 0 && f.params[i].star
}

// maskedComparison notes that some bits of a value, of which NX is none, are compared with a constant that an opt-in redefines.
func (r *reading) maskedComparison(i int, masked, with []token) {
	if len(with) != 1 || !redefinable(with[0]) {
		return
	}
	e := r.expression(r.f, masked)
	if e.kind != operator || e.name != "&" || len(e.args) != 2 || !slices.ContainsFunc(e.args, func(a *expr) bool {
		mask, ok := fold(a)
		return ok && len(mask.Tokens) == 0 && mask.Bits&nx.PoolNXAllocation == 0
	}) {
		return
	}
	constant := r.expression(r.f, with)
	term, _ := fold(constant)
	f := driver.Fact{
		Kind: driver.Comparison, Place: r.toks[i].root().place(), Function: r.f.name, With: &term, Masked: true,
		Says: text(masked) + " " + r.toks[i].text + " " + text(with), Written: constant.constants(),
	}
	if t := with[0].source(); t.file != nil && t.exp == nil {
		f.Span = driver.Span{Path: t.file.path, Start: int(t.off), End: int(t.off) + len(t.text)}
	}
	r.note(f)
}

// compares notes the variables and fields that are compared with a pool type that is not paged.
func (r *reading) compares(side []token, with driver.Term) {
	if possible(with)&1 != 0 {
		return
	}
	r.expression(r.f, side).leaves(func(e *expr) {
		if to := (target{name: e.name, of: e.of, field: e.kind == fieldExpr}); e.kind != callExpr && len(r.f.compared) < maxInputs && !slices.Contains(r.f.compared, to) {
			r.f.compared = append(r.f.compared, to)
		}
	})
}

// comparedSpan is where a variable or field is written that is compared with a single token, both outside of macros.
func comparedSpan(variable, with []token) driver.Span {
	first, last := variable[0], variable[len(variable)-1]
	if !plainPath(variable) || len(with) != 1 || with[0].exp != nil || first.file != last.file || first.file.wide != nil {
		return driver.Span{}
	}
	for _, t := range variable {
		if t.exp != nil || t.flags&joined != 0 {
			return driver.Span{}
		}
	}
	return driver.Span{Path: first.file.path, Start: int(first.off), End: int(last.off) + len(last.text)}
}

// label notes the case label behind the case at i: it compares, perhaps, what the switches so far are over.
func (r *reading) label(i int) {
	end := r.operandStop(i + 1)
	toks := r.toks[i+1 : end]
	if fact := r.needsConstant(r.f, toks, driver.ConstantNeeded, "a case label"); fact != nil {
		fact.Written = r.expression(r.f, toks).constants()
		if len(toks) == 1 && len(fact.Names) == 1 && !fact.ByMacro && end < len(r.toks) && r.toks[end].is(":") && r.toks[end].exp == nil {
			fact.Labels = r.labels(i)
			fact.Span = lineOf(toks[0].source().file, int(r.toks[i].off))
		}
	}
	for _, on := range r.switches[max(0, len(r.switches)-maxSwitches):] {
		if term, ok := fold(r.expression(r.f, toks)); ok && (r.poolTyped(toks) || r.poolTyped(on)) {
			r.compares(on, term)
		}
	}
}

// maxSwitch bounds the tokens of a switch whose labels are looked at.
const maxSwitch = 2000

// labels gives the values of all labels of the switch in whose block the case at i stands; nil where one is not known, or hangs
// on a directive.
func (r *reading) labels(i int) []driver.Term {
	brace, depth := i-1, 0
	for ; ; brace-- {
		if brace < 0 || i-brace > maxSwitch {
			return nil
		}
		if t := r.toks[brace]; t.is("}") {
			depth++
		} else if t.is("{") {
			if depth--; depth < 0 {
				break
			}
		}
	}
	list, known := r.cases[brace]
	if !known {
		if r.cases == nil {
			r.cases = map[int][]driver.Term{}
		}
		list = r.labelsIn(brace)
		r.cases[brace] = list
	}
	return list
}

// labelsIn gives those of the switch whose block begins at a brace.
func (r *reading) labelsIn(brace int) []driver.Term {
	over := opening(r.toks, max(0, brace-1))
	end := closing(r.toks[:min(len(r.toks), brace+maxSwitch)], brace)
	if over < 1 || !r.toks[over-1].is("switch") || end >= len(r.toks) || !r.toks[end].is("}") || r.hangsOnDirective(brace, end) {
		return nil
	}
	var list []driver.Term
	for j := brace + 1; j < end; j++ {
		switch t := r.toks[j]; {
		case t.is("switch") && r.toks[j+1].is("("): // its labels are its own
			if j = closing(r.toks, j+1) + 1; j < end {
				j = closing(r.toks, j)
			}
		case t.is("case"):
			term, ok := fold(r.expression(r.f, r.toks[j+1:r.operandStop(j+1)]))
			if !ok {
				return nil
			}
			list = append(list, term)
		}
	}
	return list
}

// hangsOnDirective says whether part of what stands between two braces may be compiled at one time and not at another.
func (r *reading) hangsOnDirective(from, to int) bool {
	first, last := r.toks[from], r.toks[to]
	if first.exp != nil || last.exp != nil || first.file != last.file {
		return true
	}
	f := first.file
	n := sort.Search(len(f.directives), func(i int) bool { return f.tokens[f.directives[i].at].off > first.off })
	return n < len(f.directives) && f.tokens[f.directives[n].at].off < last.off
}

// maxSwitches bounds how many are looked at for one label.
const maxSwitches = 20

// takesBits says whether a side of a comparison masks a value: then some of its bits are compared.
func takesBits(toks []token) bool {
	for i, t := range toks {
		if t.is("&") && i > 0 && (toks[i-1].kind != punct || toks[i-1].is(")") || toks[i-1].is("]")) {
			return true
		}
	}
	return false
}

// poolTyped says whether a side of a comparison is a nonpaged pool type, or a variable that can hold one.
func (r *reading) poolTyped(toks []token) bool {
	for i := 0; i < len(toks); i++ {
		t := toks[i]
		if t.is("(") && i > 0 && toks[i-1].kind == ident { // arguments
			i = closing(toks, i)
			continue
		}
		if r.cxx && t.is("<") && i > 0 && toks[i-1].kind == ident { // arguments of a template
			if end := templateEnd(toks, i); end > 0 {
				i = end
				continue
			}
		}
		reached := func(j int) bool { return j >= 0 && j < len(toks) && (toks[j].is(".") || toks[j].is("->")) }
		if t.kind != ident || reached(i-1) || reached(i+1) {
			continue
		}
		if nx.IsToken(t.text) && strings.HasPrefix(t.text, "NonPagedPool") || r.writtenType(r.f, t.text) == "POOL_TYPE" && r.isDeclared(t.text) {
			return true
		}
	}
	return false
}

// endsOperand are what stands around the operands of a comparison.
var endsOperand = map[string]bool{
	"&&": true, "||": true, "?": true, ":": true, ",": true, ";": true, "{": true, "}": true, "=": true, "==": true, "!=": true,
}

// operandStart gives the index at which the left side of the operator at i begins, read backwards.
func operandStart(toks []token, i int) int {
	for least := max(0, i-maxArguments); i > least; i-- {
		t := toks[i-1]
		switch {
		case t.is("return") || t.is("case"):
			return i
		case t.kind != punct:
		case t.text == ")" || t.text == "]":
			if i = opening(toks, i-1) + 1; i <= least {
				return least
			}
		case t.text == "(" || t.text == "[" || endsOperand[t.text]:
			return i
		}
	}
	return i
}

// operandStop gives the index behind the right side that begins at i.
func (r *reading) operandStop(i int) int {
	for most := min(len(r.toks), i+maxArguments); i < most; i++ {
		t := r.toks[i]
		switch {
		case t.kind != punct:
		case t.text == "(" || t.text == "[":
			i = closing(r.toks, i)
		case t.text == ")" || t.text == "]" || endsOperand[t.text]:
			return i
		}
	}
	return min(i, len(r.toks))
}
