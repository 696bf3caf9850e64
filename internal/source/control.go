package source

import (
	"slices"
	"strings"
)

// waymark is a place in a body where control may go another way than on to the next token: what runs before the opt-in call,
// and what after it, hangs on them.
type waymark struct {
	kind   markKind
	at     int32  // the index of the token in front of which it stands
	before int32  // how many calls end in front of it
	label  string // of a goto, and of what it leads to
}

type markKind uint8

const (
	ifMark   markKind = iota // what follows may not run: the branch of an if, the right side of && and ||, the middle of ?:
	elseMark                 // the other branch
	endIfMark
	loopMark // here a loop comes back to
	onceMark // here a do ... while (0) begins, which never comes back
	testMark // here a loop may be left
	endLoopMark
	endDoMark // the end of a loop whose test stands there
	endOnceMark
	switchMark
	caseMark
	defaultMark
	endSwitchMark
	tryMark
	handlerMark // of exceptions: it runs after any part of the block
	finallyMark
	endTryMark
	breakMark
	continueMark
	leaveMark // __leave
	gotoMark
	labelMark
	returnMark  // the last statement of a body, and a return without a value
	successMark // a return of STATUS_SUCCESS
	failMark    // a return of any other value in the midst of a body, or a throw
)

// controlReader reads the statements of a body for their marks. It never fails: what it does not know is an expression.
type controlReader struct {
	toks  []token
	i     int
	marks []waymark
	depth int
}

func marksOf(toks []token) []waymark {
	c := &controlReader{toks: toks}
	for c.i < len(c.toks) {
		c.statement()
	}
	return c.marks
}

func (c *controlReader) peek() token {
	if c.i < len(c.toks) {
		return c.toks[c.i]
	}
	return token{kind: eof}
}

func (c *controlReader) mark(k markKind) { c.marks = append(c.marks, waymark{kind: k, at: int32(c.i)}) }

// statement passes one statement.
func (c *controlReader) statement() {
	c.depth++
	defer func() { c.depth-- }()
	switch t := c.peek(); {
	case c.depth > maxNesting, t.kind != ident && t.kind != punct:
		c.expression()
	case t.is("{"):
		c.block()
	case t.is(";"), t.is("}"), t.is(")"), t.is("]"):
		c.i++
	case t.kind == ident && c.i+1 < len(c.toks) && c.toks[c.i+1].is(":") && !t.is("default"):
		c.mark(labelMark)
		c.marks[len(c.marks)-1].label = t.text
		c.i += 2
	case t.kind != ident || !c.word(t.text):
		c.expression()
	}
}

// word passes a statement that begins with a keyword, and reports false where it begins with another word.
func (c *controlReader) word(text string) bool {
	switch text {
	case "if":
		c.choice()
	case "while":
		c.while()
	case "for":
		c.counted()
	case "do":
		c.do()
	case "switch":
		c.selection()
	case "case", "default":
		c.label(text)
	case "__try", "try":
		c.try()
	case "break", "continue", "__leave", "goto":
		c.jump(text)
	case "return", "co_return", "throw":
		c.leaving(text)
	case "else":
		c.i++
	case "struct", "class", "union", "enum", "__asm":
		return c.passBraces()
	default:
		return false
	}
	return true
}

// block passes statements between braces.
func (c *controlReader) block() {
	end := min(closing(c.toks, c.i), len(c.toks))
	for c.i++; c.i < end; {
		c.statement()
	}
	c.i = max(c.i, end+1)
}

// choice passes an if.
func (c *controlReader) choice() {
	for c.i++; c.peek().is("constexpr") || c.peek().is("consteval"); c.i++ {
	}
	c.head()
	c.mark(ifMark)
	c.statement()
	if c.peek().is("else") {
		c.mark(elseMark)
		c.i++
		c.statement()
	}
	c.mark(endIfMark)
}

// head passes what stands in the parentheses behind a keyword, and gives it.
func (c *controlReader) head() []token {
	if !c.peek().is("(") {
		return nil
	}
	start, end := c.i+1, min(closing(c.toks, c.i), len(c.toks))
	c.span(start, end)
	c.i = end + 1
	return c.toks[min(start, end):end]
}

func (c *controlReader) while() {
	c.mark(loopMark)
	c.i++
	if !holds(c.head()) {
		c.mark(testMark)
	}
	c.statement()
	c.mark(endLoopMark)
}

// holds says whether a condition is always met, as that of while (1) or of for (;;).
func holds(condition []token) bool {
	return len(condition) == 0 || len(condition) == 1 && (condition[0].is("1") || condition[0].is("TRUE") || condition[0].is("true"))
}

// counted passes a for. The third part of its head, which runs behind the body, is taken to run in front of it.
func (c *controlReader) counted() {
	if c.i++; !c.peek().is("(") {
		return
	}
	start, end := c.i+1, min(closing(c.toks, c.i), len(c.toks))
	first := min(statementEnd(c.toks, start, end-start), end)
	second := min(statementEnd(c.toks, min(first+1, end), end-first), end)
	c.span(start, first)
	c.i = min(first+1, end)
	c.mark(loopMark)
	c.span(c.i, end)
	c.i = end + 1
	runs := runsOnce(c.toks[min(start, first):first], c.toks[min(first+1, second):second])
	if first < end && !runs && !holds(c.toks[min(first+1, second):second]) || first == end {
		c.mark(testMark)
	}
	c.statement()
	if runs {
		c.mark(endDoMark)
	} else {
		c.mark(endLoopMark)
	}
}

// runsOnce says whether the body of a for surely runs: it counts up from one number to a higher one.
func runsOnce(init, condition []token) bool {
	n := len(init)
	if n < 3 || !init[n-2].is("=") || len(condition) != 3 || !condition[0].is(init[n-3].text) || !condition[1].is("<") {
		return false
	}
	from, known := parseInteger(init[n-1].text)
	to, both := parseInteger(condition[2].text)
	return known && both && from < to
}

func (c *controlReader) do() {
	begin := len(c.marks)
	c.mark(loopMark)
	c.i++
	c.statement()
	end := endDoMark
	if c.peek().is("while") {
		c.i++
		if head := c.head(); len(head) == 1 && (head[0].is("0") || head[0].is("FALSE") || head[0].is("false")) {
			end = endOnceMark
			c.marks[begin].kind = onceMark
		}
	}
	c.mark(end)
}

func (c *controlReader) selection() {
	c.i++
	c.head()
	c.mark(switchMark)
	c.statement()
	c.mark(endSwitchMark)
}

// label passes case x: or default:.
func (c *controlReader) label(text string) {
	kind := caseMark
	if text == "default" {
		kind = defaultMark
	}
	c.mark(kind)
	for c.i++; c.i < len(c.toks); c.i++ {
		t := c.toks[c.i]
		if t.is("(") {
			c.i = closing(c.toks, c.i)
		}
		if t.is(":") || t.is(";") || t.is("{") || t.is("}") {
			break
		}
	}
	if c.peek().is(":") {
		c.i++
	}
}

// try passes a block with its handlers.
func (c *controlReader) try() {
	c.mark(tryMark)
	c.i++
	c.statement()
	for {
		switch t := c.peek(); {
		case t.is("__except") || t.is("catch"):
			c.mark(handlerMark)
		case t.is("__finally"):
			c.mark(finallyMark)
		default:
			c.mark(endTryMark)
			return
		}
		c.i++
		c.head()
		c.statement()
	}
}

var jumps = map[string]markKind{"break": breakMark, "continue": continueMark, "__leave": leaveMark, "goto": gotoMark}

func (c *controlReader) jump(text string) {
	c.mark(jumps[text])
	if c.i++; text == "goto" && c.peek().kind == ident {
		c.marks[len(c.marks)-1].label = c.peek().text
		c.i++
	}
}

// leaving passes a return or a throw.
func (c *controlReader) leaving(text string) {
	start := c.i + 1
	c.i = start
	c.expression()
	end := min(c.i, len(c.toks))
	if end > start && c.toks[end-1].is(";") {
		end--
	}
	value := c.toks[min(start, end):end]
	kind := failMark
	switch {
	case text == "throw":
	case len(value) == 1 && (value[0].is("STATUS_SUCCESS") || value[0].is("0") || value[0].is("NDIS_STATUS_SUCCESS")):
		kind = successMark
	case len(value) == 0, c.i+1 >= len(c.toks) && !saysFailure(value):
		kind = returnMark
	}
	c.marks = append(c.marks, waymark{kind: kind, at: int32(end)})
}

// saysFailure says whether a value that is returned is the name of an error.
func saysFailure(value []token) bool {
	return len(value) == 1 && strings.HasPrefix(value[0].text, "STATUS_") && !value[0].is("STATUS_SUCCESS")
}

// passBraces passes a definition whose braces hold no statements, and reports false where there is none.
func (c *controlReader) passBraces() bool {
	head := c.toks[c.i:min(len(c.toks), c.i+4)]
	if !slices.ContainsFunc(head, func(t token) bool { return t.is("{") || t.is(":") }) {
		return false
	}
	for ; c.i < len(c.toks) && !c.peek().is(";") && !c.peek().is("}"); c.i++ {
		if t := c.peek(); t.is("{") || t.is("(") {
			c.i = closing(c.toks, c.i)
		}
	}
	return true
}

// expression passes all up to a semicolon. Braces behind a parenthesis belong to a macro that is not known, such as one
// that makes a loop.
func (c *controlReader) expression() {
	start, assigned := c.i, false
	for ; c.i < len(c.toks); c.i++ {
		switch t := c.peek(); {
		case t.kind != punct:
		case t.is("{") && c.i > start && c.toks[c.i-1].is(")") && !assigned && c.depth <= maxNesting:
			c.span(start, c.i)
			c.mark(loopMark)
			c.mark(testMark)
			c.block()
			c.mark(endLoopMark)
			return
		case t.is("(") || t.is("[") || t.is("{"):
			c.i = closing(c.toks, c.i)
		case t.is("="):
			assigned = true
		case t.is(";"):
			c.span(start, c.i)
			c.i++
			return
		case t.is("}"):
			c.span(start, c.i)
			return
		}
	}
	c.span(start, len(c.toks))
}

// optional is a part of an expression that may not run: it ends with the parenthesis that it stands in, or with a comma.
type optional struct {
	depth    int
	operator string
	other    bool // behind the ':' of a ?:
}

// span marks what may not run of an expression.
func (c *controlReader) span(start, end int) {
	var open []optional
	depth := 0
	for i := start; i < min(end, len(c.toks)); i++ {
		t := c.toks[i]
		if t.kind != punct {
			continue
		}
		switch t.text {
		case "(", "[":
			depth++
		case "{":
			if depth++; i > start && (c.toks[i-1].is(")") || c.toks[i-1].is("]")) { // a lambda may be called, or not
				open = c.opens(open, depth, "{", i)
			}
		case ")", "]", "}":
			open = c.ends(open, i, func(g optional) bool { return g.depth >= depth })
			depth--
		case ",", ";":
			open = c.ends(open, i, func(g optional) bool { return g.depth == depth && g.operator != "{" })
		case "&&", "||", "?":
			open = c.ends(open, i, func(g optional) bool { return g.depth == depth && weaker(t.text, g.operator) })
			open = c.opens(open, depth, t.text, i)
		case ":":
			open = c.otherwise(open, depth, i)
		}
	}
	c.ends(open, end, func(optional) bool { return true })
}

// weaker says whether an operator ends the right side of another one.
func weaker(operator, than string) bool {
	return than == "&&" || than == "||" && operator != "&&"
}

func (c *controlReader) opens(open []optional, depth int, operator string, at int) []optional {
	c.marks = append(c.marks, waymark{kind: ifMark, at: int32(at)})
	return append(open, optional{depth: depth, operator: operator})
}

// ends closes the innermost parts for which it is so.
func (c *controlReader) ends(open []optional, at int, so func(optional) bool) []optional {
	for len(open) > 0 && so(open[len(open)-1]) {
		c.marks = append(c.marks, waymark{kind: endIfMark, at: int32(at)})
		open = open[:len(open)-1]
	}
	return open
}

// otherwise passes the ':' of a ?:.
func (c *controlReader) otherwise(open []optional, depth, at int) []optional {
	mine := func(g optional) bool { return g.depth == depth && g.operator == "?" && !g.other }
	i := len(open) - 1
	for i >= 0 && open[i].depth >= depth && !mine(open[i]) { // innermost first, else a long chain takes its square
		i--
	}
	if i < 0 || !mine(open[i]) {
		return open
	}
	open = c.ends(open, at, func(g optional) bool { return !mine(g) })
	open[len(open)-1].other = true
	c.marks = append(c.marks, waymark{kind: elseMark, at: int32(at)})
	return open
}

// countMarks tells each mark how many calls end in front of it.
func countMarks(marks []waymark, calls []call) {
	n := 0
	for i := range marks {
		for n < len(calls) && calls[n].end < int(marks[i].at) {
			n++
		}
		marks[i].before = int32(n)
	}
}
