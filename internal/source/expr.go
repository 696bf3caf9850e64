package source

import "strings"

// number64 is a value in a condition: 64 bits, as a signed or an unsigned number. on is a name that is no macro and without
// which the value might be another one, "" where there is none.
type number64 struct {
	bits     int64
	unsigned bool
	on       string
}

// condition evaluates the expression of an #if. Names that are left after expansion count as 0; what is no expression
// counts as false, and a division by zero as 0.
func (p *cpp) condition(line []token) number64 {
	c := &calc{p: p, toks: line}
	if !p.plain(line) {
		c.toks, c.expanded = p.expandCondition(line), true
	}
	return c.comma(0)
}

// plain says whether a condition can be evaluated as it is written: its macros are numbers.
func (p *cpp) plain(line []token) bool {
	for i := 0; i < len(line); i++ {
		t := line[i]
		if t.kind != ident {
			continue
		}
		if t.text == "defined" {
			operand, rest := cutOperand(line[i+1:])
			if len(operand) != 1 || operand[0].kind != ident {
				return false
			}
			i = len(line) - len(rest) - 1
			continue
		}
		m := p.lookup(t.text)
		if m != nil && (m.function || len(m.body) != 1 || m.body[0].kind != number) {
			return false
		}
	}
	return true
}

func (p *cpp) expandCondition(line []token) []token {
	outer := p.asking
	p.asking = true
	line = p.expandList(p.answer(line))
	p.asking = outer
	return line
}

// calc is a recursive descent over the precedence of C. depth bounds hostile nesting.
type calc struct {
	p        *cpp
	toks     []token
	expanded bool
	i        int
}

const maxNesting = 500

func (c *calc) peek() string {
	if c.i < len(c.toks) && c.toks[c.i].kind == punct {
		return c.toks[c.i].text
	}
	return ""
}

func (c *calc) accept(text string) bool {
	if c.peek() != text {
		return false
	}
	c.i++
	return true
}

func (c *calc) comma(depth int) number64 {
	v := c.ternary(depth)
	for c.accept(",") {
		v = c.ternary(depth)
	}
	return v
}

func (c *calc) ternary(depth int) number64 {
	cond := c.binary(0, depth)
	if !c.accept("?") || depth > maxNesting {
		return cond
	}
	yes := c.comma(depth + 1)
	c.accept(":")
	no := c.ternary(depth + 1)
	v := no
	if cond.bits != 0 {
		v = yes
	}
	v.unsigned = yes.unsigned || no.unsigned
	v.on = either(cond.on, v.on)
	return v
}

// strength gives the precedence of the binary operators; 0 is for what is none.
func strength(op string) int {
	switch op {
	case "||":
		return 1
	case "&&":
		return 2
	case "|":
		return 3
	case "^":
		return 4
	case "&":
		return 5
	case "==", "!=":
		return 6
	case "<", ">", "<=", ">=":
		return 7
	case "<<", ">>":
		return 8
	case "+", "-":
		return 9
	case "*", "/", "%":
		return 10
	}
	return 0
}

// binary reads operators that bind stronger than those of the level.
func (c *calc) binary(level, depth int) number64 {
	left := c.unary(depth)
	for {
		op := c.peek()
		s := strength(op)
		if s == 0 || s <= level {
			return left
		}
		c.i++
		left = operate(op, left, c.binary(s, depth))
	}
}

func operate(op string, a, b number64) number64 {
	switch op {
	case "||":
		return logical(a, b, true)
	case "&&":
		return logical(a, b, false)
	}
	v := number64{unsigned: a.unsigned || b.unsigned, on: either(a.on, b.on)}
	switch op {
	case "|":
		v.bits = a.bits | b.bits
	case "^":
		v.bits = a.bits ^ b.bits
	case "&":
		v.bits = a.bits & b.bits
	case "+":
		v.bits = a.bits + b.bits
	case "-":
		v.bits = a.bits - b.bits
	case "*":
		v.bits = a.bits * b.bits
	case "/", "%":
		v.bits = divide(op, a.bits, b.bits, v.unsigned)
	case "<<", ">>":
		v.unsigned = a.unsigned
		v.bits = shift(op == "<<", a, b)
	default:
		v.bits = truth(compare(op, a.bits, b.bits, v.unsigned))
		v.unsigned = false
	}
	return v
}

// logical is a || b for decisive true, a && b for false: an operand that decides alone leaves nothing to hang on.
func logical(a, b number64, decisive bool) number64 {
	x, y := a.bits != 0, b.bits != 0
	v := number64{bits: truth(x && y || decisive && (x || y)), on: either(a.on, b.on)}
	if x == decisive && a.on == "" || y == decisive && b.on == "" {
		v.on = ""
	}
	return v
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func compare(op string, a, b int64, unsigned bool) bool {
	less := a < b
	if unsigned {
		less = uint64(a) < uint64(b)
	}
	switch op {
	case "==":
		return a == b
	case "!=":
		return a != b
	case "<":
		return less
	case ">=":
		return !less
	case "<=":
		return less || a == b
	}
	return !less && a != b
}

func divide(op string, a, b int64, unsigned bool) int64 {
	switch {
	case b == 0:
		return 0
	case op == "/" && unsigned:
		return int64(uint64(a) / uint64(b))
	case op == "/":
		return a / b
	case unsigned:
		return int64(uint64(a) % uint64(b))
	}
	return a % b
}

// shift by 64 or more, and by a negative number, has no meaning; the results are clang's.
func shift(left bool, a, b number64) int64 {
	n := uint64(b.bits)
	if left && n > 63 {
		return 0
	}
	n = min(n, 63)
	switch {
	case left:
		return a.bits << n
	case a.unsigned:
		return int64(uint64(a.bits) >> n)
	}
	return a.bits >> n
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (c *calc) unary(depth int) number64 {
	if depth > maxNesting || c.i >= len(c.toks) {
		c.i = len(c.toks)
		return number64{}
	}
	t := c.toks[c.i]
	c.i++
	switch {
	case t.kind == number:
		return integer(t.text)
	case t.kind == char:
		return number64{bits: character(t.text)}
	case t.kind == ident:
		return c.name(t)
	case t.kind != punct:
		return number64{}
	}
	switch t.text {
	case "(":
		v := c.comma(depth + 1)
		c.accept(")")
		return v
	case "!", "-", "~", "+":
		v := c.unary(depth + 1)
		return prefixed(t.text, v)
	}
	return number64{}
}

func prefixed(op string, v number64) number64 {
	switch op {
	case "!":
		return number64{bits: truth(v.bits == 0), on: v.on}
	case "-":
		v.bits = -v.bits
	case "~":
		v.bits = ^v.bits
	}
	return v
}

// name is a macro that stands for a number, a question, or a name that is left: it counts as 0, as a call of an unknown
// macro does.
func (c *calc) name(t token) number64 {
	switch m := c.p.lookup(t.text); {
	case t.flags&asked != 0:
		return c.p.defined(t.text)
	case t.text == "defined":
		operand, rest := cutOperand(c.toks[c.i:])
		c.i = len(c.toks) - len(rest)
		if len(operand) != 1 {
			return number64{}
		}
		return c.p.defined(operand[0].text)
	case m != nil && !c.expanded:
		return integer(m.body[0].text)
	case m != nil:
		return number64{}
	case t.text == "true" && c.p.cxx:
		return number64{bits: 1}
	case t.text == "false" && c.p.cxx:
		return number64{}
	}
	if c.peek() == "(" {
		c.skipGroup()
	}
	return number64{on: t.text}
}

func (c *calc) skipGroup() {
	depth := 0
	for ; c.i < len(c.toks); c.i++ {
		switch c.peek() {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				c.i++
				return
			}
		}
	}
}

// integer reads a number with C's prefixes and suffixes; 0 where it is none.
func integer(s string) number64 {
	v, unsigned, ok := readInteger(s)
	if !ok {
		return number64{}
	}
	return number64{bits: int64(v), unsigned: unsigned}
}

func parseInteger(s string) (uint64, bool) {
	v, _, ok := readInteger(s)
	return v, ok
}

// suffixes of integers, in lower case; u makes them unsigned.
var suffixes = map[string]bool{
	"": true, "l": true, "ll": true, "z": true, "i8": true, "i16": true, "i32": true, "i64": true,
	"u": true, "ul": true, "ull": true, "uz": true, "lu": true, "llu": true, "zu": true,
	"ui8": true, "ui16": true, "ui32": true, "ui64": true,
}

// readInteger gives the value of a number and whether it is unsigned: by its suffix, or because it is too large for 63 bits.
func readInteger(s string) (v uint64, unsigned, ok bool) {
	base, i := uint64(10), 0
	if len(s) > 1 && s[0] == '0' {
		base, i = 8, 1
		switch s[1] | 0x20 {
		case 'x':
			base, i = 16, 2
		case 'b':
			base, i = 2, 2
		}
	}
	first := i
	for ; i < len(s); i++ {
		if s[i] == '\'' {
			continue
		}
		d := digit(s[i])
		if d >= base {
			break
		}
		if v > (1<<64-1-d)/base {
			return 0, false, false
		}
		v = v*base + d
	}
	if i == first && base != 8 {
		return 0, false, false
	}
	suffix := s[i:]
	if !suffixes[suffix] {
		suffix = strings.ToLower(suffix)
	}
	return v, v > 1<<63-1 || strings.Contains(suffix, "u"), suffixes[suffix]
}

func digit(c byte) uint64 {
	switch {
	case isDigit(c):
		return uint64(c - '0')
	case 'a' <= c && c <= 'f':
		return uint64(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return uint64(c-'A') + 10
	}
	return 99
}

// character gives the value of a character constant; of several characters, as MSVC packs them into an int.
func character(s string) int64 {
	open := strings.IndexByte(s, '\'')
	wide := open > 0
	s = strings.TrimSuffix(s[open+1:], "'")
	if wide {
		v := int64(0)
		for _, r := range s { // of a letter above ASCII, the code point
			v = int64(r)
			break
		}
		if len(s) > 0 && s[0] == '\\' {
			v, _ = escape(s)
		}
		return v
	}
	var v int32
	count := 0
	for len(s) > 0 {
		c, n := int64(s[0]), 1
		if s[0] == '\\' {
			c, n = escape(s)
		}
		v = v<<8 | int32(c&0xff)
		s = s[n:]
		count++
	}
	if count == 1 {
		return int64(int8(v)) // char is signed
	}
	return int64(v)
}

// escape reads the escape sequence at the start of s, and gives its length.
func escape(s string) (v int64, n int) {
	if len(s) == 1 {
		return '\\', 1
	}
	if i := strings.IndexByte("abfnrtve", s[1]); i >= 0 {
		return int64([]byte{7, 8, 12, 10, 13, 9, 11, 27}[i]), 2
	}
	base, most := uint64(8), 3
	n = 1
	if s[1] == 'x' {
		base, most, n = 16, 16, 2
	}
	first := n
	for n < len(s) && n-first < most && digit(s[n]) < base {
		v = v*int64(base) + int64(digit(s[n]))
		n++
	}
	if n == first {
		return int64(s[1]), 2
	}
	return v, n
}
