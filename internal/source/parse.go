package source

import (
	"hash/maphash"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/nx"
)

// summary is what is kept of a unit once its tokens are gone.
type summary struct {
	unit         *project.Unit
	mechanism    nx.Mechanism
	zeroing      bool // a call of ExInitializeDriverRuntime looks whether the system clears pool memory
	functions    []*function
	prototypes   map[string][]*function // that give default arguments
	writes       []write                // initialisers at file scope
	variables    []variable             // at file scope
	taken        []target               // whose address is taken at file scope
	bases        map[string][]string    // of classes
	hidden       map[string]hidden      // how objects of a class may be constructed unseen
	others       map[string][]string    // by what other names a class is constructed
	named        map[string]bool        // identifiers that are used at file scope other than as the name of a call
	facts        []driver.Fact
	suppressions []driver.Suppression
	codes        []string        // arrays at file scope that hold machine code
	routines     []string        // functions that are declared, of those that memory is copied from
	placement    bool            // a header of the kit declares its operator new
	asks         []string        // what is to be read to know whether a method is the kit's
	declared     []driver.Place  // where DDIs are declared, or stand for something else than a request
	problem      error           // why the unit could not be read, or not to its end
	files        []*file         // that were read
	looked       map[string]bool // the watched macros that were looked at: with these alike, the summary is the same
}

// function is a definition: what it calls, in order, and what it does to variables.
type function struct {
	name  string
	class string // of a method
	// qualifier is what stands in front of the name.
	qualifier string
	port      *nx.DDI  // the method by which a port driver calls it with an argument of its own choice
	spaces    []string // the namespaces that it stands in, from the outside
	static    bool
	params    []parameter
	dots      bool // it takes any number of arguments
	// explicit is set for a constructor that converts nothing.
	explicit bool
	outside  bool // it is defined outside of its class
	calls    []call
	writes   []write
	returns  []value
	locals   map[string]local
	taken    []target // variables and fields whose address is taken
	compared []target // and those that a pool type is compared with
	lent     []lent
	executed []execution
	makes    bool         // it returns machine code
	kept     map[int]bool // parameters that are kept, if they are pointers
	jumps    int          // where its first goto stands, 0 for none
	marks    []waymark
	// versioned is set where the version of Windows selects a value.
	versioned bool
	guards    map[int]driver.Step    // of requests and writes, by their position: the condition on the version of Windows around them
	flagged   map[int]driver.Written // arguments of requests to which a flag can be added, by the position of the request
	texts     map[int]driver.Call    // how requests are written that there is another routine for
	at        token
	member    bool               // of a class or a namespace
	initial   bool               // no function, but what initialises a global variable of C++
	insert    []insertPoint      // of an entry routine
	idle      []driver.Statement // opt-in calls in its body that are not compiled
	named     []string           // identifiers that are used other than as the name of a call
}

// parser finds functions, the calls they make and what they write. It never fails: what it does not understand it passes
// over, and the calls in it count all the same.
type parser struct {
	*summary
	toks    []token
	known   names
	under   *assumptions // what the preprocessor had to assume
	i       int
	scopes  []*scope
	leaves  map[leafKey]*expr
	enums   map[string]*expr   // enumerators, as written and behind the name of their type
	records map[string]*record // structs and classes by tag
	aliases map[string]string  // typedefs of them
	globals map[string]string  // the structs of variables at file scope
	types   map[string]string  // the names of their types
	arrays  map[string]bool    // those of them that are arrays and not const
	cxx     bool
	names   map[string]bool // of the function at hand: those that are used other than by being called
	made    []made          // the room for the calls of the function at hand
	alike   alike           // nil where each unit is read by itself
	folded  int             // up to which token the state is known
	state   digest          // of all that was declared so far
	hangs   bool            // the function at hand hangs on the unit's mechanism or on its assumptions
	giving  map[*file]*otherValues
}

// scope is a brace that was entered.
type scope struct {
	record *record // nil for a namespace or extern "C"
	member bool    // of a class or a namespace
	head   []token
}

// declarations reads up to the end. Namespaces, extern "C" and class bodies are entered, other braces passed.
func (p *parser) declarations() {
	p.cxx = p.unit.Options.Language == project.CXX
	p.names = map[string]bool{}
	p.state = p.state.add(maphash.String(digestSeed, string(p.unit.Options.Language)))
	p.prototypes, p.leaves, p.enums = map[string][]*function{}, map[leafKey]*expr{}, map[string]*expr{}
	p.records, p.aliases, p.globals, p.bases = map[string]*record{}, map[string]string{}, map[string]string{}, map[string][]string{}
	p.types, p.arrays = map[string]string{}, map[string]bool{}
	start, assigned := 0, false
	for p.i < len(p.toks) {
		switch t := p.toks[p.i]; {
		case t.is("(") || t.is("["), t.is("{") && assigned:
			p.i = closing(p.toks, p.i) + 1
			continue
		case t.is("="):
			assigned = assigned || !p.toks[max(0, p.i-1)].is("operator")
		case t.is("{") && initialisesMember(p.toks[start:p.i]):
			p.i = closing(p.toks, p.i) + 1
			continue
		case t.is("{"):
			p.brace(p.toks[start:p.i])
			start, assigned = p.i, false
			continue
		case t.is(":") && p.i-start == 1 && accesses[p.toks[start].text]:
			start = p.i + 1
		case t.is(";"):
			if open := p.oldStyle(start); open > 0 {
				p.i = open
				continue
			}
			p.statement(p.toks[start:p.i])
			start, assigned = p.i+1, false
		case t.is("}"):
			p.statement(p.toks[start:p.i])
			start, assigned = p.leave(), false
			continue
		}
		p.i++
	}
	p.statement(p.toks[min(start, len(p.toks)):])
	if p.cxx {
		p.findHidden()
		p.explicitOutside()
		p.others = p.otherNames()
	}
}

var accesses = map[string]bool{"public": true, "private": true, "protected": true}

// leave ends a scope, at its brace, and gives the index at which the next declaration begins. What follows the body of a
// struct, up to the semicolon, is named after it.
func (p *parser) leave() int {
	p.i++
	if len(p.scopes) == 0 {
		return p.i
	}
	s := p.scopes[len(p.scopes)-1]
	p.scopes = p.scopes[:len(p.scopes)-1]
	if s.record == nil {
		return p.i
	}
	end := p.i
	for end < len(p.toks) && !p.toks[end].is(";") && !p.toks[end].is("}") {
		if t := p.toks[end]; t.is("(") || t.is("[") || t.is("{") {
			end = closing(p.toks, end)
		}
		end++
	}
	end = min(end, len(p.toks))
	p.closeRecord(s, p.toks[p.i:end])
	p.i = end
	if end < len(p.toks) && p.toks[end].is(";") {
		p.i++
	}
	return p.i
}

// brace decides what an opening brace belongs to, given the tokens of the declaration before it.
func (p *parser) brace(head []token) {
	name, open := functionName(head)
	if name < 0 && entered(head) {
		p.enter(head)
		p.i++
		return
	}
	end := closing(p.toks, p.i)
	switch {
	case name >= 0:
		p.function(head, name, open, end)
	case slices.ContainsFunc(head, func(t token) bool { return t.is("=") }):
		p.initialiser(p.toks[p.i:min(end+1, len(p.toks))])
	case slices.ContainsFunc(head, func(t token) bool { return t.is("enum") }):
		p.enumerators(head, p.toks[p.i+1:min(end, len(p.toks))])
		p.mention(p.toks[p.i:min(end, len(p.toks))])
	case p.cxx && declares(head): // T x{1}
		p.statement(p.toks[p.i-len(head) : min(end+1, len(p.toks))])
	default: // not understood: its calls count all the same
		p.nameless(p.toks[p.i:min(end+1, len(p.toks))], false)
	}
	p.i = end + 1
}

// declares says whether tokens declare a variable or member.
func declares(head []token) bool {
	list := declarators(head)
	return len(list) == 1 && !list[0].called && !list[0].pointer
}

func (p *parser) enter(head []token) {
	s := &scope{head: head, member: !slices.ContainsFunc(head, func(t token) bool { return t.is("extern") })}
	if i := slices.IndexFunc(head, isRecordWord); i >= 0 {
		s.record = p.openRecord(head[i:])
	}
	p.scopes = append(p.scopes, s)
}

// initialisesMember says whether a brace stands behind the name of a member or a base, as in A() : b{1} { }.
func initialisesMember(head []token) bool {
	if n := len(head); n < 4 || head[n-1].kind != ident || !head[n-2].is(":") && !head[n-2].is(",") {
		return false
	}
	name, open := functionName(head)
	if name < 0 {
		return false
	}
	end := closing(head, open)
	return slices.ContainsFunc(head[min(end+1, len(head)):], func(t token) bool { return t.is(":") })
}

func isRecordWord(t token) bool {
	return t.kind == ident && (t.text == "struct" || t.text == "class" || t.text == "union")
}

// class gives the name of the class whose body is read, "" outside one.
func (p *parser) class() string {
	if n := len(p.scopes); n > 0 && p.scopes[n-1].record != nil {
		return p.scopes[n-1].record.name
	}
	return ""
}

// spaces gives the names of the namespaces that are open.
func (p *parser) spaces() []string {
	var list []string
	for _, s := range p.scopes {
		i := slices.IndexFunc(s.head, func(t token) bool { return t.is("namespace") })
		for i >= 0 && i+1 < len(s.head) {
			if i++; s.head[i].kind == ident {
				list = append(list, s.head[i].text)
			}
		}
	}
	return list
}

// nameless records the calls of code that belongs to no function that is known by name.
func (p *parser) nameless(toks []token, initial bool) {
	if len(toks) == 0 {
		return
	}
	f := &function{at: toks[0], initial: initial}
	p.body(f, nil, toks)
	if !initial && slices.ContainsFunc(f.calls, func(c call) bool { return c.ddi != nil }) {
		p.note(driver.Fact{Kind: driver.NotUnderstood, Place: f.at.root().place(), Says: "the braces here belong to nothing that is known: the requests in them count all the same"})
	}
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
// tokens define no function. Annotations look like calls, in front and behind: of the candidates, the last one that is
// no annotation and not in capitals counts, but none behind the colon of a constructor's initialisers.
func functionName(head []token) (name, open int) {
	name = -1
	for i := 0; i+1 < len(head); i++ {
		switch t := head[i]; {
		case t.is("operator"):
			return operatorName(head, i)
		case name >= 0 && (isRecordWord(t) || t.is("namespace")) && !slices.ContainsFunc(head, func(t token) bool { return t.is(";") }):
			name = -1 // a macro in front of a class
		case t.is("=") || t.is("enum"):
			return -1, -1
		case t.is(":") && name >= 0, t.is("->") && name >= 0:
			return name, open
		case t.is("("):
			if i+3 < len(head) && name < 0 && head[i+1].is("*") && head[i+2].kind == ident && head[i+3].is("(") {
				return i + 2, i + 3 // it returns a pointer to a function
			}
			i = closing(head, i)
		case t.kind == ident && head[i+1].is("(") && !isAnnotation(t.text) && !keywords[t.text]:
			behind := i > 0 && head[i-1].is(")") // where annotations of the function stand
			if name < 0 || !behind || strings.ToUpper(head[name].text) == head[name].text {
				name, open = i, i+1
			}
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
	"noexcept": true, "__try": true, "__finally": true, "try": true, "delete": true, "_Alignof": true, "__alignof": true,
	"__attribute": true, "void": true, "int": true, "char": true, "short": true, "long": true, "unsigned": true, "signed": true,
	"float": true, "double": true, "bool": true, "_Generic": true, "__typeof__": true, "static_cast": true,
	"reinterpret_cast": true, "const_cast": true, "dynamic_cast": true, "asm": true, "__asm": true, "__asm__": true,
	"explicit": true, "typeid": true, "requires": true, "co_return": true, "auto": true, "break": true, "continue": true,
}

// definition reads one with its name and parenthesis in head, whose body is the braces at p.i and end.
func (p *parser) definition(head []token, name, open, end int) *function {
	stop := closing(head, open)
	f := &function{name: functionLabel(head, name), at: head[name], class: p.class()}
	f.static = slices.ContainsFunc(head[:name], func(t token) bool { return t.is("static") }) && f.class == ""
	f.spaces = p.spaces()
	f.explicit = slices.ContainsFunc(head[:name], func(t token) bool { return t.is("explicit") })
	first := name
	if name > 0 && head[name-1].is("~") {
		first--
	}
	f.member = first > 0 && head[first-1].is("::") || slices.ContainsFunc(p.scopes, func(s *scope) bool { return s.member })
	if first > 1 && head[first-1].is("::") {
		f.qualifier = qualifier(head, first-1)
		f.class, f.outside = p.tag(f.qualifier), true
		if f.qualifier == head[name].text { // a constructor or destructor, whether the class was read or not
			f.class = f.qualifier
		}
	}
	p.parameters(f, head[open+1:min(stop, len(head))])
	f.port = p.passedByPort(f)
	body := p.toks[p.i:min(end+1, len(p.toks))]
	tail := head[min(stop+1, len(head)):]
	if knr := p.oldParameters(f, tail); !knr {
		p.constructor(f, tail)
	}
	p.body(f, tail, body)
	if p.known.entries[f.name] && !f.member {
		f.insert, f.idle = insertion(p.unit.Options.Language, body, p.known), notCompiled(body)
	}
	return f
}

// functionLabel is the name by which a function is found: that of operator new[] tells it from operator new, and that of a
// destructor from a constructor.
func functionLabel(head []token, name int) string {
	if name > 0 && head[name-1].is("~") {
		return "~" + head[name].text
	}
	if n := head[name].text; name+1 < len(head) && head[name+1].is("[") && (n == "new" || n == "delete") {
		return n + "[]"
	}
	return head[name].text
}

// qualifier gives the name in front of the :: at i; template arguments are passed over.
func qualifier(toks []token, i int) string {
	for i--; i > 0 && toks[i].is(">"); i-- {
		for i > 0 && !toks[i].is("<") {
			i--
		}
	}
	if i >= 0 && toks[i].kind == ident {
		return toks[i].text
	}
	return ""
}

// oldStyle says whether the declaration from start to the semicolon at p.i begins a definition in the style of K&R,
// whose parameters are declared between the parenthesis and the brace, and gives the index of that brace; 0 if not.
func (p *parser) oldStyle(start int) int {
	head := p.toks[start:p.i]
	if p.cxx || len(head) < 5 {
		return 0
	}
	name, open := functionName(head)
	if name < 0 {
		return 0
	}
	end := closing(head, open)
	names, ok := plainNames(head[open+1 : min(end, len(head))])
	declares := end+2 < len(head) && head[end+1].kind == ident && slices.ContainsFunc(head[end+2:], func(t token) bool {
		return t.kind == ident && slices.Contains(names, t.text)
	})
	if !ok || !declares {
		return 0
	}
	for i := p.i; i < min(len(p.toks), p.i+maxArguments); i++ {
		switch t := p.toks[i]; {
		case t.is("{"):
			return i
		case t.is("=") || t.is("}"):
			return 0
		case t.is("("):
			i = closing(p.toks, i)
		}
	}
	return 0
}

func plainNames(list []token) (names []string, ok bool) {
	for _, arg := range split(list) {
		if len(arg) != 1 || arg[0].kind != ident {
			return nil, false
		}
		names = append(names, arg[0].text)
	}
	return names, len(names) > 0
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
		case t.kind != punct:
		case t.text == "(" || t.text == "[" || t.text == "{":
			i = closing(toks, i)
		case t.text == "<" && i > 0 && toks[i-1].kind == ident && t.flags&spaced == 0:
			if end := templateEnd(toks, i); end > 0 && end+1 < len(toks) && (toks[end+1].is("(") || toks[end+1].is("::") || toks[end+1].is("{")) {
				i = end
			}
		case t.text == ",":
			list = append(list, toks[start:i])
			start = i + 1
		}
	}
	return append(list, toks[min(start, len(toks)):])
}
