package project

import (
	"fmt"
	"slices"
	"strings"
)

// The language of CMake, as cmake-language(7) has it: a file is nothing but a list of commands, even its ifs and loops
// are commands.

// invocation is one command in a CMake file.
type invocation struct {
	file    *file
	at, end int    // of the name, and after the closing parenthesis
	name    string // in lower case
	args    []cmakeArgument

	// Of a command that opens or divides a block: the index of the next branch, or of the end; and of the end.
	next, last int
}

// quoting is how an argument is written. The zero value splits at semicolons and drops what is empty.
type argumentQuoting int

const (
	unquoted argumentQuoting = iota
	quoted
	bracketed // nothing in it is replaced
)

// cmakeArgument is one argument as written, with the offsets of its bytes, quotes and brackets included.
type cmakeArgument struct {
	text    span // without quotes
	quoting argumentQuoting
	at, end int // with quotes
}

// script is a CMake file as it was read: what stands before an error is used all the same.
type script struct {
	list []invocation
	err  error // with the line
}

// parseCMake reads up to the first error and keeps what comes before it: most of a broken file still tells what is
// compiled.
func parseCMake(f *file) script {
	if err := checkText(f.data); err != nil {
		return script{err: err}
	}
	x := &cmakeLexer{file: f, s: string(f.data)}
	if strings.HasPrefix(x.s, bom) {
		x.at = len(bom)
	}
	var sc script
	for sc.err == nil {
		var in invocation
		var ok bool
		if in, ok, sc.err = x.command(); !ok || sc.err != nil {
			break
		}
		sc.list = append(sc.list, in)
	}
	if err := linkBlocks(sc.list); sc.err == nil {
		sc.err = err
	}
	return sc
}

// cmakeLexer reads one file: cmake-language(7), "Syntax".
type cmakeLexer struct {
	file *file
	s    string
	at   int
}

// errorf makes an error that begins with the line.
func (x *cmakeLexer) errorf(at int, format string, arguments ...any) error {
	return fmt.Errorf("line %d: %s", x.file.line(at), fmt.Sprintf(format, arguments...))
}

// space passes white space and comments.
func (x *cmakeLexer) space() error {
	for x.at < len(x.s) {
		switch {
		case strings.IndexByte(" \t\r\n", x.s[x.at]) >= 0:
			x.at++
		case x.s[x.at] != '#':
			return nil
		default:
			start := x.at
			x.at++
			if body, next, ok := x.bracket(); ok {
				if next < 0 {
					return x.errorf(start, "the comment #[[ is not closed")
				}
				_, x.at = body, next
				continue
			}
			x.at += indexOrEnd(x.s[x.at:], "\n")
		}
	}
	return nil
}

// bracket looks for [==[ ... ]==] at the current place. next is -1 where it is not closed.
func (x *cmakeLexer) bracket() (body span, next int, ok bool) {
	s := x.s[x.at:]
	if s == "" || s[0] != '[' {
		return span{}, 0, false
	}
	n := 1 + len(s[1:]) - len(strings.TrimLeft(s[1:], "="))
	if n >= len(s) || s[n] != '[' {
		return span{}, 0, false
	}
	closing := "]" + s[1:n] + "]"
	from := n + 1
	for _, newline := range []string{"\r\n", "\n"} { // the first one does not count
		if strings.HasPrefix(s[from:], newline) {
			from += len(newline)
			break
		}
	}
	length := strings.Index(s[from:], closing)
	if length < 0 {
		return span{}, -1, true
	}
	body = span{text: s[from : from+length], file: x.file, at: x.at + from}
	return body, x.at + from + length + len(closing), true
}

// command reads the next command; ok is false at the end.
func (x *cmakeLexer) command() (in invocation, ok bool, err error) {
	if err := x.space(); err != nil || x.at == len(x.s) {
		return in, false, err
	}
	start := x.at
	for x.at < len(x.s) && isWord(x.s[x.at]) {
		x.at++
	}
	if x.at == start {
		return in, false, x.errorf(start, "%q where a command should begin", x.s[start])
	}
	in = invocation{file: x.file, at: start, name: strings.ToLower(x.s[start:x.at])}
	if err := x.space(); err != nil {
		return in, false, err
	}
	if x.at == len(x.s) || x.s[x.at] != '(' {
		return in, false, x.errorf(start, "no ( after %s", clip(x.s[start:x.at]))
	}
	x.at++
	if in.args, err = x.arguments(); err != nil {
		return in, false, err
	}
	if x.at == len(x.s) {
		return in, false, x.errorf(start, "the ( of %s is not closed", in.name)
	}
	x.at++
	in.end = x.at
	return in, true, nil
}

// clip shortens a text for a message.
func clip(s string) string {
	const most = 80
	if s = strings.Trim(s, white); len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// arguments reads up to the parenthesis that closes a command, or to the end. Parentheses inside are arguments.
func (x *cmakeLexer) arguments() ([]cmakeArgument, error) {
	var list []cmakeArgument
	for depth := 0; ; {
		if err := x.space(); err != nil || x.at == len(x.s) {
			return list, err
		}
		a := cmakeArgument{at: x.at}
		switch c := x.s[x.at]; {
		case c == ')' && depth == 0:
			return list, nil
		case c == '(' || c == ')':
			depth += map[byte]int{'(': 1, ')': -1}[c]
			x.at++
			a.text = span{text: x.s[a.at:x.at], file: x.file, at: a.at}
		case c == '"':
			if !x.quote() {
				return list, x.errorf(a.at, "the quote is not closed")
			}
			a.quoting = quoted
			a.text = span{text: x.s[a.at+1 : x.at-1], file: x.file, at: a.at + 1}
		default:
			if body, next, ok := x.bracket(); ok {
				if next < 0 {
					return list, x.errorf(a.at, "the bracket [[ is not closed")
				}
				a.quoting, a.text, x.at = bracketed, body, next
				break
			}
			x.word()
			a.text = span{text: x.s[a.at:x.at], file: x.file, at: a.at}
		}
		a.end = x.at
		list = append(list, a)
	}
}

// quote passes a quoted argument, and says whether it is closed.
func (x *cmakeLexer) quote() bool {
	for x.at++; x.at < len(x.s); x.at++ {
		switch x.s[x.at] {
		case '\\':
			x.at++
		case '"':
			x.at++
			return true
		}
	}
	x.at = len(x.s)
	return false
}

// word passes an unquoted argument. As CMake still does, -Da="b c" and $(MAKE) are taken for one.
func (x *cmakeLexer) word() {
	for x.at < len(x.s) {
		switch c := x.s[x.at]; {
		case c == '"':
			if before := x.at; !x.quote() {
				x.at = before + 1
			}
			continue
		case c == '$' && strings.HasPrefix(x.s[x.at:], "$("):
			if n := strings.IndexAny(x.s[x.at:min(len(x.s), x.at+256)], ") \t\r\n\"#"); n > 0 && x.s[x.at+n] == ')' {
				x.at += n
			}
		case strings.IndexByte(" \t\r\n()#", c) >= 0:
			return
		case c == '\\' && x.at+1 < len(x.s):
			x.at++
		}
		x.at++
	}
}

// closers are the commands that end a block, by those that open it.
var closers = map[string]string{
	"if": "endif", "foreach": "endforeach", "while": "endwhile", "function": "endfunction", "macro": "endmacro", "block": "endblock",
}

// linkBlocks fills in where blocks go on. A block that is not closed ends with the file; the error names it.
func linkBlocks(list []invocation) error {
	var open [][]int // the branches of each open block
	var failed error
	fail := func(in invocation, format string) {
		if failed == nil {
			failed = fmt.Errorf("line %d: "+format, in.file.line(in.at), in.name)
		}
	}
	closeBlock := func(end int) {
		branches := open[len(open)-1]
		open = open[:len(open)-1]
		for i, at := range branches {
			list[at].next, list[at].last = end, end
			if i+1 < len(branches) {
				list[at].next = branches[i+1]
			}
		}
	}
	for i := range list {
		in := &list[i]
		in.next, in.last = i, i
		isElse := in.name == "else" || in.name == "elseif"
		isCloser := slices.Contains([]string{"endif", "endforeach", "endwhile", "endfunction", "endmacro", "endblock"}, in.name)
		switch {
		case closers[in.name] != "":
			open = append(open, []int{i})
		case !isElse && !isCloser:
		case len(open) == 0:
			fail(*in, "%s without the command that it goes with")
		case isElse && list[open[len(open)-1][0]].name == "if":
			open[len(open)-1] = append(open[len(open)-1], i)
		case isCloser && closers[list[open[len(open)-1][0]].name] == in.name:
			closeBlock(i)
		default:
			fail(*in, "%s goes with another command than the one before it")
		}
	}
	for len(open) > 0 {
		fail(list[open[len(open)-1][0]], "%s is not closed")
		closeBlock(len(list))
	}
	return failed
}
