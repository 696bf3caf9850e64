package source

import (
	"slices"

	"github.com/nxport/nxport/internal/driver"
)

// bodyReader knows, while a body is read, what the statement at hand depends on.
type bodyReader struct {
	braces  []brace // the open ones
	pending bool    // the statement at hand is that of an if, a loop or the like, without braces
	loop    bool    // and that of a loop
	heads   int     // open parentheses
}

type brace struct {
	at   int
	loop bool // what is in it may run again
}

func (r *bodyReader) loops() bool {
	return r.loop || slices.ContainsFunc(r.braces, func(b brace) bool { return b.loop })
}

// block is the brace that a statement stands in.
func (r *bodyReader) block() int {
	if n := len(r.braces); n > 0 {
		return r.braces[n-1].at
	}
	return 0
}

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
		r.loop = r.loop || t.text == "while" || t.text == "for"
	case t.is("do"):
		r.loop = true
	case t.is("{"):
		r.braces = append(r.braces, brace{i, r.loop})
		r.pending, r.loop = false, false
	case t.is("}"):
		r.braces = r.braces[:max(0, len(r.braces)-1)]
		r.pending, r.loop = false, false
	case t.is(";") && r.heads <= 0:
		r.pending, r.loop = false, false
	}
}

var assignments = map[string]bool{
	"=": true, "|=": true, "&=": true, "+=": true, "-=": true, "^=": true, "<<=": true, ">>=": true, "*=": true, "/=": true,
	"%=": true, "++": true, "--": true,
}

// maxArguments bounds the tokens of one call's arguments: calls inside calls are read again for each level.
const maxArguments = 500

// call reads the call whose name is at i and whose parenthesis follows the token at last.
func (r *reading) call(f *function, body []token, i, last int) (call, [][]token, int) {
	t := body[i]
	whole := body
	body = body[:min(len(body), last+maxArguments)]
	c := call{at: t, callee: t.text, ddi: r.known.ddis[t.text], steps: macroSteps(t)}
	if t.is("new") && r.cxx {
		c, end := r.allocation(c, body, i)
		return c, nil, end
	}
	if class := r.tag(t.text); r.cxx && class != "" {
		c.callee = class
	}
	end := closing(body, last+1)
	if c.ddi != nil {
		r.hangs = true
		c.steps = append(c.steps, r.under.steps(body[i:min(end, len(body))])...)
	}
	args := split(body[min(last+2, len(body)):min(end, len(body))])
	if !r.known.wanted(c.callee) {
		c.args = unaskedFor(len(args))
	}
	for _, arg := range args[len(c.args):] {
		c.args = append(c.args, r.argument(f, arg, end))
		if c.ddi != nil && len(c.args) == c.ddi.Argument {
			c.steps = appendSteps(c.steps, arg)
			f.flags(c.ddi, t, arg, i)
		}
	}
	f.text(&c, body, i, last, end, args)
	r.cleared(c, args, i)
	if t.is(optInCall) && t.exp == nil && t.file.wide == nil && end+1 < len(body) && body[end+1].is(";") {
		previous := whole[max(0, i-1)]
		if previous.is(";") || previous.is("{") || previous.is("}") { // else it is the statement of an if
			written := callAt(t.file, int(whole[0].off), int(t.off), int(body[end+1].off)+1)
			c.written = &written
		}
	}
	return c, args, end
}

// unasked stands for an argument until linking asks for the calls of that name.
var unasked = value{expr: opaque("an argument that was not asked for")}

// unaskedFor gives so many of them, for all calls the same: how many there are tells overloads apart.
func unaskedFor(n int) []value {
	if n > len(fewUnasked) {
		return slices.Repeat([]value{unasked}, n)
	}
	return fewUnasked[:n:n]
}

var fewUnasked = slices.Repeat([]value{unasked}, 20)

func (r *reading) argument(f *function, arg []token, pos int) value {
	v := r.value(f, arg)
	v.pos, v.loops = pos, r.flow.loops()
	return v
}

// allocation reads new (NonPagedPool, 'tag') T(...) and the like: a call of operator new, which gets the size first.
func (r *reading) allocation(c call, body []token, i int) (call, int) {
	c.args = []value{{expr: opaque("the size"), pos: i, text: "the size"}}
	end := i
	if i+1 < len(body) && body[i+1].is("(") {
		end = closing(body, i+1)
		placed := body[i+2 : min(end, len(body))]
		if end+1 < len(body) && (body[end+1].kind == ident || body[end+1].is("(") || body[end+1].is("::")) { // else the type is in parentheses
			for _, arg := range split(placed) {
				c.args = append(c.args, r.argument(r.f, arg, i))
				c.steps = appendSteps(c.steps, arg)
			}
			c.ddi = r.placed(&c, split(placed))
		}
	}
	j := end + 1
	for j < len(body) && (body[j].kind == ident || body[j].is("::") || body[j].is("*") || body[j].is("<")) {
		if body[j].is("<") {
			if j = templateEnd(body, j); j < 0 {
				return c, end
			}
		} else if body[j].kind == ident && !qualifiers[body[j].text] {
			c.of = r.tag(body[j].text)
			r.passed[j] = true
		}
		j++
	}
	if j < len(body) && body[j].is("[") {
		c.callee = "new[]"
	} else if j < len(body) && (body[j].is("(") || body[j].is("{")) {
		r.constructedAt(j - 1)
	}
	return c, end
}

// cleared records that a call zeroes memory: RtlZeroMemory(p, n) gives every field of what p points to the value 0.
func (r *reading) cleared(c call, list [][]token, pos int) {
	if !clears[c.callee] || c.callee == "sizeof" {
		return
	}
	if len(list) == 0 || len(list[0]) == 0 {
		return
	}
	if (c.callee == "memset" || c.callee == "RtlFillMemory") && (len(list) != 3 || len(list[1]) != 1 && len(list[2]) != 1) {
		return
	}
	dest := list[0]
	if c.callee == "memset" && !list[1][0].is("0") || c.callee == "RtlFillMemory" && !list[2][0].is("0") {
		return
	}
	zero := value{expr: number32(0), text: "0", pos: pos}
	typ, base := r.typeBefore(r.f, dest, len(dest)-1, 0)
	if typ == "" {
		if dest[0].is("&") && len(dest) == 2 {
			r.f.writes = append(r.f.writes, write{target: target{name: dest[1].text}, value: zero, at: c.at, pos: pos, sure: r.outermost()})
		}
		return
	}
	for _, m := range r.records[typ].fields {
		to := target{name: m.name, of: typ, field: true}
		if r.unasked(r.f, to) {
			continue
		}
		r.f.writes = append(r.f.writes, write{
			target: to, value: zero, at: c.at, pos: pos, clear: true, base: base, block: r.flow.block(),
		})
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
