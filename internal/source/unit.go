package source

import (
	"cmp"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/nx"
)

// summary is what is kept of a unit once its tokens are gone.
type summary struct {
	unit      *project.Unit
	mechanism nx.Mechanism
	functions []*function
	named     map[string]bool // identifiers that are used other than as the name of a call
	facts     []driver.Fact
	declared  []driver.Place  // where DDIs are declared, or stand for something else than a request
	problem   error           // why the unit could not be read, or not to its end
	files     []*file         // that were read
	looked    map[string]bool // the watched macros that were looked at: with these alike, the summary is the same
}

// function is a definition: what it calls, in order.
type function struct {
	name   string
	static bool
	params []string
	calls  []call
	at     token
	member bool          // of a class or a namespace
	insert []insertPoint // of an entry routine
}

// call is one call by name.
type call struct {
	at     token // the name
	callee string
	ddi    *nx.DDI // nil where the callee is no DDI
	// conditional is set where the statement may not run: it stands under an if, a loop or the like.
	conditional bool
	args        []value
	texts       []string // the arguments
	span        driver.Span
	steps       []driver.Step // the macros it came through
}

// parser finds functions and the calls they make. It never fails: what it does not understand it passes over.
type parser struct {
	*summary
	toks   []token
	known  names
	under  *assumptions // what the preprocessor had to assume
	i      int
	scopes []bool // of the braces that were entered: whether they are those of a class or a namespace
}

// declarations reads up to the end. Namespaces, extern "C" and class bodies are entered, other braces passed.
func (p *parser) declarations() {
	start := 0
	for p.i < len(p.toks) {
		switch t := p.toks[p.i]; {
		case t.is("(") || t.is("["):
			p.i = closing(p.toks, p.i) + 1
		case t.is("{"):
			p.brace(p.toks[start:p.i])
			start = p.i
		case t.is(";") || t.is("}"):
			p.mention(start, p.i, false)
			if t.is("}") && len(p.scopes) > 0 {
				p.scopes = p.scopes[:len(p.scopes)-1]
			}
			p.i++
			start = p.i
		default:
			p.i++
		}
	}
}

// brace decides what an opening brace belongs to, given the tokens of the declaration before it.
func (p *parser) brace(head []token) {
	name, open := functionName(head)
	if name < 0 && entered(head) {
		p.scopes = append(p.scopes, !slices.ContainsFunc(head, func(t token) bool { return t.is("extern") }))
		p.i++
		return
	}
	end := closing(p.toks, p.i)
	switch {
	case name >= 0:
		p.function(head, name, open, end)
	case slices.ContainsFunc(head, func(t token) bool { return t.is("=") }):
		p.mention(p.i, end, true)
	case slices.ContainsFunc(head, func(t token) bool { return t.is("enum") }):
		p.mention(p.i, end, false)
	default: // a definition in the style of K&R, or a brace that is not understood: its calls count all the same
		p.nameless(p.toks[p.i:min(end+1, len(p.toks))])
	}
	p.i = end + 1
}

// nameless records the calls of code that belongs to no function that is known by name.
func (p *parser) nameless(toks []token) {
	f := &function{at: toks[0]}
	p.calls(f, toks)
	p.functions = append(p.functions, f)
}

// entered says whether the declarations inside a brace are like those outside.
func entered(head []token) bool {
	for _, t := range head {
		switch t.text {
		case "=", "enum":
			return false
		case "namespace", "class", "struct", "union", "extern":
			return true
		}
	}
	return false
}

// functionName gives the indexes of the name that a definition defines and of the parenthesis behind it, -1 where the
// tokens define no function. Annotations look like calls: of the candidates, the last one that is no annotation counts,
// but none behind the colon of a constructor's initialisers.
func functionName(head []token) (name, open int) {
	name = -1
	for i := 0; i+1 < len(head); i++ {
		switch t := head[i]; {
		case t.is("operator"):
			return operatorName(head, i)
		case t.is("=") || t.is("enum"):
			return -1, -1
		case t.is(":") && name >= 0:
			return name, open
		case t.is("("):
			i = closing(head, i)
		case t.kind == ident && head[i+1].is("(") && !isAnnotation(t.text) && !keywords[t.text]:
			name, open = i, i+1
		}
	}
	return name, open
}

// operatorName is functionName for operator new, new[], == and so on: its name is the word new or delete, else operator.
func operatorName(head []token, i int) (name, open int) {
	name = i
	if i+1 < len(head) && head[i+1].kind == ident {
		name = i + 1
	}
	for open = name + 1; open < len(head); open++ {
		if head[open].is("(") && !(open+1 < len(head) && head[open+1].is(")") && open+2 < len(head) && head[open+2].is("(")) {
			return name, open
		}
	}
	return -1, -1
}

// isAnnotation knows SAL by its shape: _In_reads_(n), __drv_when(...), and compilers' own attributes.
func isAnnotation(name string) bool {
	return strings.HasPrefix(name, "_") && strings.HasSuffix(name, "_") || strings.HasPrefix(name, "__drv_") ||
		strings.HasPrefix(name, "__declspec") || strings.HasPrefix(name, "__attribute") || name == "alignas" || name == "__pragma"
}

// keywords that a parenthesis can follow and that are no calls.
var keywords = map[string]bool{
	"if": true, "while": true, "for": true, "switch": true, "return": true, "sizeof": true, "catch": true,
	"__except": true, "except": true, "alignof": true, "decltype": true, "__declspec": true, "__attribute__": true,
	"static_assert": true, "_Static_assert": true, "case": true, "throw": true, "operator": true, "defined": true,
	"__pragma": true, "_Pragma": true, "else": true, "do": true, "__leave": true, "goto": true, "typeof": true,
}

// function reads a definition with its name and parenthesis in head, whose body is the braces at p.i and end.
func (p *parser) function(head []token, name, open, end int) {
	f := &function{name: head[name].text, at: head[name], params: parameters(head[open+1 : closing(head, open)])}
	f.static = slices.ContainsFunc(head[:name], func(t token) bool { return t.is("static") })
	f.member = slices.Contains(p.scopes, true) || name > 0 && head[name-1].is("::")
	body := p.toks[p.i:min(end+1, len(p.toks))]
	tail := head[min(closing(head, open)+1, len(head)):] // a constructor's initialisers
	p.calls(f, slices.Concat(tail, body))
	if p.known.entries[f.name] && !f.member {
		f.insert = insertion(p.unit.Options.Language, body, p.known)
	}
	p.functions = append(p.functions, f)
}

// parameters gives the names of a parameter list, "" for one without.
func parameters(list []token) []string {
	var names []string
	for _, arg := range split(list) {
		name := ""
		for i, t := range arg {
			if t.is("=") || t.is("[") {
				break
			}
			if t.kind == ident && i > 0 {
				name = t.text
			}
		}
		names = append(names, name)
	}
	return names
}

// split separates the arguments of a call.
func split(toks []token) [][]token {
	if len(toks) == 0 {
		return nil
	}
	var list [][]token
	start := 0
	for i := 0; i < len(toks); i++ {
		switch t := toks[i]; {
		case t.is("(") || t.is("[") || t.is("{"):
			i = closing(toks, i)
		case t.is(","):
			list = append(list, toks[start:i])
			start = i + 1
		}
	}
	return append(list, toks[min(start, len(toks)):])
}

// calls records the calls of a body in the order in which they are made, arguments first, and the names that are used in
// another way.
func (p *parser) calls(f *function, body []token) {
	reader := bodyReader{changed: changed(body, f.params)}
	type made struct {
		call
		end int
	}
	var list []made
	for i, t := range body {
		reader.pass(body, i)
		if t.kind != ident || keywords[t.text] {
			continue
		}
		if i+1 == len(body) || !body[i+1].is("(") {
			p.named[t.text] = p.named[t.text] || !t.is("new")
			continue
		}
		if isAnnotation(t.text) {
			continue
		}
		c, end := p.call(f, body, i, reader.changed)
		c.conditional = reader.conditional()
		if i > 0 && (body[i-1].is(".") || body[i-1].is("->")) {
			c.ddi = nil // a method or a pointer, whatever its name is
		}
		list = append(list, made{c, end})
	}
	slices.SortStableFunc(list, func(a, b made) int { return cmp.Compare(a.end, b.end) })
	for _, m := range list {
		f.calls = append(f.calls, m.call)
	}
}

// bodyReader knows, while a body is read, what the statement at hand depends on.
type bodyReader struct {
	changed map[string]bool // parameters that the body writes to
	braces  []bool          // the open ones: whether what is in them may not run
	pending bool            // the statement at hand is that of an if, a loop or the like, without braces
	heads   int             // open parentheses
}

func (r *bodyReader) conditional() bool { return r.pending || slices.Contains(r.braces, true) }

// controls are the words whose statement may not run.
var controls = map[string]bool{
	"if": true, "else": true, "while": true, "for": true, "switch": true, "catch": true, "__except": true, "except": true,
}

func (r *bodyReader) pass(body []token, i int) {
	switch t := body[i]; {
	case t.is("("):
		r.heads++
	case t.is(")"):
		r.heads--
	case t.kind == ident && controls[t.text]:
		r.pending = true
	case t.is("{"):
		r.braces = append(r.braces, r.pending)
		r.pending = false
	case t.is("}"):
		r.braces = r.braces[:max(0, len(r.braces)-1)]
		r.pending = false
	case t.is(";") && r.heads <= 0:
		r.pending = false
	}
}

// changed finds the parameters that a body writes to, takes the address of, or declares anew.
func changed(body []token, params []string) map[string]bool {
	out := map[string]bool{}
	for i, t := range body {
		if t.kind == ident && i > 0 && i+1 < len(body) && slices.Contains(params, t.text) && writes(body, i) {
			out[t.text] = true
		}
	}
	return out
}

var assignments = map[string]bool{
	"=": true, "|=": true, "&=": true, "+=": true, "-=": true, "^=": true, "<<=": true, ">>=": true, "*=": true, "/=": true,
	"%=": true, "++": true, "--": true,
}

func writes(body []token, i int) bool {
	before, after := body[i-1], body[i+1]
	switch {
	case before.is(".") || before.is("->"):
		return false // a field of that name
	case assignments[after.text] && after.kind == punct, before.is("++"), before.is("--"):
		return true
	case before.is("&"): // an address, unless something stands in front of it to be AND-ed
		return i < 2 || body[i-2].kind == punct && !body[i-2].is(")") && !body[i-2].is("]")
	}
	declares := before.kind == ident && !keywords[before.text] && !nx.IsToken(before.text)
	return declares && (after.is(";") || after.is(",") || after.is("["))
}

// maxArguments bounds the tokens of one call's arguments: calls inside calls are read again for each level.
const maxArguments = 500

func (p *parser) call(f *function, body []token, i int, changed map[string]bool) (call, int) {
	t := body[i]
	whole := body
	body = body[:min(len(body), i+maxArguments)]
	end := closing(body, i+1)
	c := call{at: t, callee: t.text, ddi: p.known.ddis[t.text], steps: macroSteps(t)}
	if t.is("new") { // operator new gets the size first
		c.args, c.texts = []value{unknown("the size")}, []string{"the size"}
	}
	if !p.known.wanted(t.text) {
		return c, end
	}
	for _, arg := range split(body[i+2 : min(end, len(body))]) {
		c.args = append(c.args, evaluate(arg, f, changed, p.mechanism))
		c.texts = append(c.texts, text(arg))
		if c.ddi != nil && len(c.args) == c.ddi.Argument {
			c.steps = appendSteps(c.steps, arg)
		}
	}
	if c.ddi != nil {
		c.steps = append(c.steps, p.under.steps(body[i:min(end, len(body))])...)
	}
	if t.is("ExInitializeDriverRuntime") && t.exp == nil && end+1 < len(body) && body[end+1].is(";") {
		c.span = statementSpan(t.file, int(whole[0].off), int(t.off), int(body[end+1].off)+1)
		previous := whole[max(0, i-1)]
		if !previous.is(";") && !previous.is("{") && !previous.is("}") {
			c.span.Inline = true // the statement of an if
		}
	}
	return c, end
}

// mention records the names between two tokens of a declaration, such as the functions in an initialiser. A DDI called in
// an initialiser is a request, which C++ makes at run time; elsewhere its name is a declaration.
func (p *parser) mention(from, to int, initialiser bool) {
	for i := from; i < to && i < len(p.toks); i++ {
		switch t := p.toks[i]; {
		case t.is("="):
			initialiser = true
		case t.kind != ident:
		case i+1 == len(p.toks) || !p.toks[i+1].is("("):
			p.named[t.text] = true
		case p.known.ddis[t.text] == nil:
		case initialiser:
			p.nameless(p.toks[i:min(to, len(p.toks))])
			return
		default:
			p.declared = append(p.declared, t.place())
		}
	}
}

// appendSteps adds the macros that the tokens of an argument came through.
func appendSteps(steps []driver.Step, arg []token) []driver.Step {
	for _, t := range arg {
		for _, step := range macroSteps(t) {
			if !slices.Contains(steps, step) {
				steps = append(steps, step)
			}
		}
	}
	return steps
}

// macroSteps says through which macros a token came, the outermost first.
func macroSteps(t token) []driver.Step {
	var steps []driver.Step
	for e := t.exp; e != nil; e = e.name.exp {
		if e.macro.name.flags&kitName != 0 {
			continue
		}
		steps = append(steps, driver.Step{
			Place: e.macro.name.place(), Says: e.macro.name.text + " expands to " + text(e.macro.body),
		})
	}
	slices.Reverse(steps)
	return steps
}
