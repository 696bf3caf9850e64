package source

import (
	"strings"
)

// assignment records what the operator at i writes.
func (r *reading) assignment(i int) {
	t := r.toks[i]
	to, base, known := r.left(i - 1)
	step := t.is("++") || t.is("--")
	if step && !known {
		if i+1 < len(r.toks) && r.toks[i+1].kind == ident {
			to, known = target{name: r.toks[i+1].text}, true
		}
	}
	if !known || i == 0 || r.unasked(r.f, to) {
		return
	}
	end := r.operandEnd(i + 1)
	if r.declaredHere(i) {
		return // its declaration said so
	}
	w := write{target: to, at: r.toks[max(0, i-1)], base: base}
	switch {
	case step:
		w.value.expr = opaque("the expression " + text(r.toks[max(0, i-1):min(len(r.toks), i+2)]))
	case end-i > maxArguments:
		w.value.expr = opaque("an expression of more than 500 tokens")
	default:
		w.value = r.value(r.f, r.toks[i+1:end])
	}
	if !t.is("=") && !step {
		w.value.expr = r.compound(t.text, to, w.value)
	}
	r.place(&w, i, end)
	if strings.HasSuffix(w.name, "[]") {
		w.sure = false
	}
	r.f.writes = append(r.f.writes, w)
	if i < r.lambda && !w.field { // it runs when the lambda is called
		r.f.taken = append(r.f.taken, w.target)
	}
}

// unasked says whether nobody asked for what is written to a target: of a field or a variable at file scope, linking asks by
// its name. Such writes are not kept.
func (p *parser) unasked(f *function, to target) bool {
	name := strings.TrimSuffix(to.name, "[]")
	return (to.field || f == nil || !f.owns(name)) && !strings.HasPrefix(name, "*") && !p.known.wanted(name)
}

// operandEnd gives the index behind the right side of an assignment, which begins at i.
func (r *reading) operandEnd(i int) int {
	questions := 0
	for most := min(len(r.toks), i+maxArguments+1); i < most; i++ {
		t := r.toks[i]
		if t.kind != punct {
			continue
		}
		switch t.text {
		case "(", "[", "{":
			i = closing(r.toks, i)
		case "?":
			questions++
		case ":":
			if questions--; questions < 0 {
				return i
			}
		case ";", ",", ")", "]", "}":
			return i
		}
	}
	return min(i, len(r.toks))
}

// declaredHere says whether the = at i belongs to a declaration that was read as one.
func (r *reading) declaredHere(i int) bool {
	for k := len(r.f.writes) - 1; k >= 0 && k > len(r.f.writes)-8; k-- {
		if w := r.f.writes[k]; w.initial && w.at.off == r.toks[i-1].off && w.at.file == r.toks[i-1].file && w.name == r.toks[i-1].text && !w.field {
			return true
		}
	}
	return false
}

// left reads backwards what stands in front of an assignment.
func (r *reading) left(i int) (to target, base string, ok bool) {
	array := ""
	if i >= 0 && r.toks[i].is("]") {
		if i = opening(r.toks, i) - 1; i < 0 {
			return to, "", false
		}
		array = "[]"
	}
	if i > 0 && r.toks[i].is(")") && array == "" { // (x) = y
		if open := opening(r.toks, i); open >= 0 && r.groups(open) && (plainPath(r.toks[open+1:i]) || i == open+3 && r.toks[open+1].is("*")) {
			return r.left(i - 1)
		}
	}
	if i < 0 || r.toks[i].kind != ident || keywords[r.toks[i].text] {
		return to, "", false
	}
	name := r.toks[i].text
	if i > 0 && (r.toks[i-1].is(".") || r.toks[i-1].is("->")) {
		if i > 1 && (r.toks[i-2].is("{") || r.toks[i-2].is(",")) { // designated
			return to, "", false
		}
		typ, base := r.typeBefore(r.f, r.toks, i-2, 0)
		of, _ := r.field(typ, name)
		return target{name: name + array, of: of, field: true}, base, true
	}
	if i > 0 && r.toks[i-1].is("*") && !r.steps(i+1) { // what it points to
		known := r.f.param(name) >= 0 && array == "" && (i < 2 || !r.toks[i-2].is("*"))
		return target{name: "*" + name}, "", known
	}
	if of, _ := r.field(r.f.class, name); of != "" && !r.isDeclared(name) {
		return target{name: name + array, of: of, field: true}, "", true
	}
	return target{name: name + array}, "", true
}

// groups says whether the parenthesis at i stands around an expression, and not around arguments.
func (r *reading) groups(i int) bool {
	if i == 0 {
		return true
	}
	before := r.toks[i-1]
	return before.kind == ident && controls[before.text] || before.kind == punct && !before.is("]") && !before.is(">")
}

// steps says whether the token at i is ++ or --.
func (r *reading) steps(i int) bool {
	return i < len(r.toks) && (r.toks[i].is("++") || r.toks[i].is("--"))
}

// opening gives the index of the bracket that the one at i closes, or -1: also where it stands far away.
func opening(toks []token, i int) int {
	depth := 0
	for least := i - maxArguments; i >= max(0, least); i-- {
		switch t := toks[i]; {
		case t.kind != punct:
		case t.text == ")" || t.text == "]" || t.text == "}":
			depth++
		case t.text == "(" || t.text == "[" || t.text == "{":
			if depth--; depth <= 0 {
				return i
			}
		}
	}
	return -1
}

// typeBefore gives the struct of the expression that ends at i, and its first name.
func (p *parser) typeBefore(f *function, toks []token, i, depth int) (typ, base string) {
	if i >= 0 && toks[i].is("]") {
		i = opening(toks, i) - 1
	}
	if i < 0 || depth > maxNesting {
		return "", ""
	}
	t := toks[i]
	switch {
	case t.is(")"):
		open := opening(toks, i)
		if open < 0 || open > 0 && toks[open-1].kind == ident && !keywords[toks[open-1].text] {
			return "", "" // what a call gives
		}
		inner := toks[open+1 : i]
		for len(inner) > 1 && inner[0].is("(") { // a cast
			end := closing(inner, 0)
			if end+1 >= len(inner) {
				inner = inner[1 : len(inner)-1]
				continue
			}
			if !isType(inner[1:end]) {
				break
			}
			return p.tag(lastWord(inner[1:end])), ""
		}
		return p.typeBefore(f, inner, len(inner)-1, depth+1)
	case t.kind != ident:
		return "", ""
	case i > 0 && (toks[i-1].is(".") || toks[i-1].is("->")):
		outer, base := p.typeBefore(f, toks, i-2, depth+1)
		_, typ := p.field(outer, t.text)
		return typ, base
	}
	return p.typeOf(f, t.text), t.text
}

// typeOf gives the struct that a variable is or points to.
func (p *parser) typeOf(f *function, name string) string {
	if f != nil {
		if name == "this" {
			return p.tag(f.class)
		}
		if v, ok := f.locals[name]; ok {
			return v.of
		}
		if i := f.param(name); i >= 0 {
			return f.params[i].typ
		}
		if _, typ := p.field(f.class, name); typ != "" {
			return typ
		}
	}
	return p.globals[name]
}

func lastWord(toks []token) string {
	for i := len(toks) - 1; i >= 0; i-- {
		if toks[i].kind == ident && !qualifiers[toks[i].text] {
			return toks[i].text
		}
	}
	return ""
}

// address records what the & at i takes the address of, if it is no operator between two values. The address of memory
// that is cleared is not kept: the call that clears it says what it does.
func (p *parser) address(taken []target, f *function, toks []token, i int) []target {
	if i+1 >= len(toks) || i > 0 && isOperand(p, toks, i-1) {
		return taken
	}
	j := i + 1
	for j < len(toks) && toks[j].is("(") {
		j++
	}
	if j >= len(toks) || toks[j].kind != ident {
		return taken
	}
	if i > 1 && clears[toks[i-2].text] {
		return taken
	}
	to := target{name: toks[j].text}
	typ := p.typeOf(f, to.name)
	for j+2 < len(toks) && (toks[j+1].is(".") || toks[j+1].is("->") || toks[j+1].is("[")) {
		if toks[j+1].is("[") {
			if j = closing(toks, j+1) - 1; j+2 >= len(toks) {
				break
			}
			if !to.field {
				to.name += "[]"
			}
			j++
			if j+2 >= len(toks) || !toks[j+1].is(".") && !toks[j+1].is("->") {
				break
			}
		}
		of, inner := p.field(typ, toks[j+2].text)
		to, typ = target{name: toks[j+2].text, of: of, field: true}, inner
		j += 2
	}
	return append(taken, to)
}

// clears are the routines that fill memory with zeros.
var clears = map[string]bool{
	"RtlZeroMemory": true, "RtlSecureZeroMemory": true, "ZeroMemory": true, "NdisZeroMemory": true, "memset": true,
	"RtlFillMemory": true, "bzero": true, "sizeof": true,
}

// isOperand says whether the token at i ends a value, so that a & behind it is an operator between two.
func isOperand(p *parser, toks []token, i int) bool {
	switch t := toks[i]; t.kind {
	case ident:
		return !keywords[t.text]
	case number, char, str:
		return true
	default:
		if t.is(")") {
			open := opening(toks, i)
			return open < 0 || !isPointerCast(p, toks[open+1:i])
		}
		return t.is("]")
	}
}

func isPointerCast(p *parser, toks []token) bool {
	if len(toks) == 0 || !isType(toks) {
		return false
	}
	last := toks[len(toks)-1]
	return last.is("*") || typeWords[last.text] || p.aliases[last.text] != "" ||
		len(last.text) > 2 && (last.text[0] == 'P' || last.text[:2] == "LP") && last.text == upper(last.text)
}
