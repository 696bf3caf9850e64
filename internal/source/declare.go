package source

import (
	"slices"

	"github.com/nxport/nxport/nx"
)

// declarator is one name that a declaration declares.
type declarator struct {
	name    string
	at, end int    // the indexes of the name and of the end in the declaration's tokens
	typ     string // the last word of its type, "" where that is not known
	array   bool
	called  bool    // a parenthesis follows: a function, or a variable that is constructed
	pointer bool    // to a function
	star    bool    // a pointer to something else
	ref     bool    // a reference of C++
	init    []token // behind the =, or the braces or parentheses behind the name
	assign  bool    // init stands behind a =
}

// qualifiers are words of a declaration that are no type: the rest of older SAL among them.
var qualifiers = map[string]bool{
	"const": true, "volatile": true, "static": true, "register": true, "extern": true, "inline": true, "__inline": true,
	"__forceinline": true, "IN": true, "OUT": true, "OPTIONAL": true, "CONST": true, "UNALIGNED": true, "__unaligned": true,
	"struct": true, "union": true, "enum": true, "class": true, "typename": true, "constexpr": true, "mutable": true,
	"virtual": true, "friend": true, "typedef": true, "__restrict": true, "restrict": true, "STATIC": true, "INLINE": true,
	"FORCEINLINE": true, "__cdecl": true, "__stdcall": true, "__fastcall": true, "NTAPI": true, "WINAPI": true,
	"__ptr64": true, "__ptr32": true, "consteval": true, "constinit": true, "thread_local": true, "__thread": true, "template": true,
}

// words that begin a statement that declares nothing.
var controlWords = map[string]bool{
	"if": true, "while": true, "for": true, "switch": true, "return": true, "case": true, "else": true, "do": true, "goto": true,
	"default": true, "break": true, "continue": true, "throw": true, "delete": true, "new": true, "sizeof": true, "using": true,
	"__leave": true, "__try": true, "__except": true, "__finally": true, "try": true, "catch": true, "namespace": true,
	"public": true, "private": true, "protected": true, "this": true, "operator": true, "static_assert": true, "_Static_assert": true,
	"__asm": true, "asm": true,
}

// declarators reads a declaration without its semicolon. None where the tokens are no declaration: types are not known,
// so one is known by its shape, two names that follow each other, with stars or annotations between them.
func declarators(toks []token) []declarator {
	i, typ := specifiers(toks)
	if i < 0 {
		return nil
	}
	var list []declarator
	for _, part := range split(toks[i:]) {
		d, ok := oneDeclarator(part)
		if !ok {
			break
		}
		d.at, d.end = d.at+i, i+len(part)
		i += len(part) + 1
		d.typ = typ
		list = append(list, d)
	}
	return list
}

// specifiers passes the type at the head of a declaration and gives the index of the first declarator, -1 where there is
// no type, or nothing behind it.
func specifiers(toks []token) (int, string) {
	typ, typed := "", false
	before := "" // the type in front of A::b
	for i := 0; i < len(toks); i++ {
		t := toks[i]
		switch {
		case t.is("::"):
		case t.is("~"), t.kind == str && !typed:
		case t.is("<") && typed:
			if i = templateEnd(toks, i); i < 0 {
				return -1, ""
			}
		case t.is("[") && i+1 < len(toks) && toks[i+1].is("["): // attribute of C++
			i = closing(toks, i)
		case t.kind != ident:
			if typed && (t.is("*") || t.is("&") || t.is("&&") || t.is("(")) {
				return i, typ
			}
			return -1, ""
		case controlWords[t.text] || nx.IsToken(t.text):
			return -1, ""
		case qualifiers[t.text]:
			typed = typed || t.is("static") || t.is("const") || t.is("constexpr") || t.is("CONST") || t.is("STATIC")
		case isAnnotation(t.text):
			if i+1 < len(toks) && toks[i+1].is("(") {
				i = closing(toks, i+1)
			}
		case i > 0 && toks[i-1].is("::"): // of the same name
			if before != "" && (i+1 == len(toks) || endsName(toks[i+1])) {
				return i, before
			}
			typ = t.text
		case typed && typ != "" && (i+1 == len(toks) || endsName(toks[i+1])):
			return i, typ
		case i+1 < len(toks) && toks[i+1].is("(") && typ == "" && !typeWords[t.text]:
			// A call, or a macro like DECLARE(x) in front of a declaration
			if end := closing(toks, i+1); end+2 < len(toks) && toks[end+1].kind == ident && toks[end+2].kind == ident {
				i = end
				continue
			}
			return -1, ""
		default:
			before, typ, typed = typ, t.text, true
		}
	}
	return -1, ""
}

func endsName(t token) bool {
	if t.kind != punct {
		return false
	}
	switch t.text {
	case "=", ";", ",", "[", "(", "{", ":", ")":
		return true
	}
	return false
}

// oneDeclarator reads *name[2] = init and the like.
func oneDeclarator(toks []token) (d declarator, ok bool) {
	i := 0
	for i < len(toks) && (toks[i].is("*") || toks[i].is("&") || toks[i].is("&&") || toks[i].kind == ident && qualifiers[toks[i].text]) {
		d.ref = d.ref || toks[i].is("&") || toks[i].is("&&")
		d.star = d.star || toks[i].is("*")
		i++
	}
	if i < len(toks) && toks[i].is("(") { // a pointer to a function
		return pointerDeclarator(toks, i)
	}
	if i >= len(toks) || toks[i].kind != ident || keywords[toks[i].text] {
		return d, false
	}
	d.name, d.at = toks[i].text, i
	for i++; i < len(toks) && toks[i].is("["); i++ {
		d.array = true
		i = closing(toks, i)
	}
	switch {
	case i >= len(toks) || toks[i].is(":"):
	case toks[i].is("="):
		d.init, d.assign = toks[i+1:], true
	case toks[i].is("{"):
		d.init = toks[i:]
	case toks[i].is("("):
		d.called = true
		d.init = toks[i+1 : min(closing(toks, i), len(toks))]
	case toks[i].kind == ident && isAnnotation(toks[i].text):
	default:
		return d, false
	}
	return d, true
}

func pointerDeclarator(toks []token, i int) (d declarator, ok bool) {
	end := closing(toks, i)
	for j := i + 1; j < min(end, len(toks)); j++ {
		if toks[j].is("*") && j+1 < len(toks) && toks[j+1].kind == ident {
			d.name, d.at, d.pointer = toks[j+1].text, j+1, true
		}
	}
	if !d.pointer || end+1 >= len(toks) || !toks[end+1].is("(") {
		return d, false
	}
	if end = closing(toks, end+1); end+1 < len(toks) && toks[end+1].is("=") {
		d.init, d.assign = toks[end+2:], true
	}
	return d, true
}

// templateEnd gives the index of the > that closes the < at i, -1 where it does not look like template arguments.
func templateEnd(toks []token, i int) int {
	depth := 0
	for j := i; j < min(len(toks), i+60); j++ {
		switch t := toks[j]; {
		case t.kind == ident || t.kind == number:
		case t.is("<"):
			depth++
		case t.is(">"):
			if depth--; depth == 0 {
				return j
			}
		case t.is(">>"):
			if depth -= 2; depth <= 0 {
				return j
			}
		case !t.is("::") && !t.is(",") && !t.is("*") && !t.is("&") && !t.is("(") && !t.is(")") && !t.is("|"):
			return -1
		}
	}
	return -1
}

// statement reads a declaration at file scope or in a class, without its semicolon.
func (p *parser) statement(toks []token) {
	if len(toks) == 0 {
		return
	}
	for i := range toks {
		p.templateArguments(nil, toks, i)
		p.asserted(nil, toks, i)
	}
	typedef := toks[0].is("typedef")
	list := declarators(toks)
	if n := len(p.scopes); n > 0 && p.scopes[n-1].record != nil {
		p.members(p.scopes[n-1].record, list)
		p.scopes[n-1].record.converting(toks)
		p.scopes[n-1].record.declares(toks)
		p.prototype(toks, list)
	} else if typedef {
		p.typedefs(list)
	} else {
		p.prototype(toks, list)
		p.variablesOf(toks, list)
	}
	p.mention(toks)
}

// prototype keeps the default arguments that a declaration gives to a function.
func (p *parser) prototype(toks []token, list []declarator) {
	if !p.cxx || !slices.ContainsFunc(toks, func(t token) bool { return t.is("=") }) {
		return
	}
	name, open := functionName(toks)
	if name < 0 {
		if len(list) == 0 || !list[0].called {
			return
		}
		name, open = list[0].at, list[0].at+1
	}
	f := &function{name: functionLabel(toks, name), at: toks[name], class: p.class()}
	p.parameters(f, toks[open+1:min(closing(toks, open), len(toks))])
	if slices.ContainsFunc(f.params, func(a parameter) bool { return a.given != nil }) {
		p.prototypes[f.name] = append(p.prototypes[f.name], f)
	}
}

// variablesOf records the variables that a declaration at file scope declares, and what they begin with.
func (p *parser) variablesOf(toks []token, list []declarator) {
	static := slices.ContainsFunc(toks, func(t token) bool { return t.is("static") || t.is("STATIC") })
	external := toks[0].is("extern")
	for _, d := range list {
		if d.called && (looksLikeParameters(d.init) || !p.cxx) {
			if p.known.copied.has(nameOf(d.name)) {
				p.routines = append(p.routines, d.name)
			}
			continue
		}
		if !d.assign && d.init != nil {
			p.initialiser(d.init)
		}
		p.initialisesStatic(nil, toks, d)
		p.constructs(d, toks[d.at])
		p.globals[d.name], p.types[d.name] = p.tag(d.typ), d.typ
		if d.array && !isConstant(toks[:d.at]) {
			p.arrays[d.name] = true
		}
		if d.pointer || external && d.init == nil {
			continue
		}
		if codeIn(d.init) != "" {
			p.codes = append(p.codes, d.name)
		}
		p.variables = append(p.variables, variable{name: d.name, of: p.globals[d.name], static: static, array: d.array, at: toks[d.at]})
		p.writes = p.initial(p.writes, d, nil, toks[d.at])
	}
}

// looksLikeParameters tells the parameters of a function that is declared from the arguments of a constructor.
func looksLikeParameters(toks []token) bool {
	if len(toks) == 0 || len(toks) == 1 && toks[0].is("void") {
		return true
	}
	for _, arg := range split(toks) {
		if len(arg) == 1 && (arg[0].is("...") || typeWords[arg[0].text]) {
			return true
		}
		if i, _ := specifiers(arg); i < 0 {
			return false
		}
	}
	return true
}

// mention records the names of a declaration that stand behind its =, such as the functions in an initialiser. A DDI
// called there is a request, which C++ makes at run time; elsewhere its name is a declaration.
func (p *parser) mention(toks []token) {
	for i, t := range toks {
		switch {
		case t.is("(") || t.kind != ident:
			if t.is("=") && !toks[max(0, i-1)].is("operator") {
				p.initialiser(toks[i+1:])
				return
			}
		case i+1 < len(toks) && toks[i+1].is("(") && p.known.ddis[t.text] != nil:
			if i > 0 && toks[i-1].is("(") && p.cxx { // T x(ExAllocatePool(...));
				return
			}
			p.declared = append(p.declared, t.place())
		}
	}
}

// initialiser records the names and the calls behind a = at file scope.
func (p *parser) initialiser(toks []token) {
	calls := false // in C they can't be but for requests in code that is not understood
	for i, t := range toks {
		if t.kind != ident {
			continue
		}
		if i+1 == len(toks) || !toks[i+1].is("(") {
			p.named[t.text] = true
		} else if p.known.ddis[t.text] != nil || p.cxx && !keywords[t.text] && !isAnnotation(t.text) {
			calls = true
		}
	}
	if calls {
		p.nameless(toks, p.cxx)
		return
	}
	for i, t := range toks {
		if t.is("&") {
			p.taken = p.address(p.taken, nil, toks, i)
		}
	}
}
