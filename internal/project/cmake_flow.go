package project

import (
	"strconv"
	"strings"
)

// Control flow of CMake: if, foreach, while, block, break, continue and return. Specification: cmake-commands(7) and
// cmake-language(7), "Control Structures". The lexer has found where each block ends, so that a branch that is not
// run costs nothing.

// flow says how a list of commands ended.
type flow int

const (
	ended     flow = iota // at the end of the list
	broken                // by break()
	continued             // by continue()
	returned              // by return(), or since the work ran out
)

// run executes the commands [from, to) of a list.
func (c *cmake) run(fr *frame, list []invocation, from, to int) flow {
	for i := from; i < to; {
		in := &list[i]
		if !c.works(in) {
			return returned
		}
		how := ended
		switch in.name {
		case "if":
			i = c.branch(fr, list, i)
			continue
		case "else", "elseif": // the end of a branch that was run
			i = in.last + 1
			continue
		case "foreach", "while":
			how = c.loop(fr, list, i)
			i = in.last
		case "block":
			how = c.block(fr, list, i)
			i = in.last
		case "function", "macro":
			c.define(fr, list, i)
			i = in.last
		case "break":
			return broken
		case "continue":
			return continued
		case "return":
			return c.returns(fr, in)
		default:
			how = c.invoke(fr, in)
		}
		if how != ended {
			return how
		}
		i++
	}
	return ended
}

// returns ends the file or function. PROPAGATE (CMake 3.25) sets variables in the scope around it first.
func (c *cmake) returns(fr *frame, in *invocation) flow {
	args := c.evaluate(fr, in)
	if len(args) > 1 && args[0].String() == "PROPAGATE" && fr.vars.around != nil {
		for _, name := range args[1:] {
			if v, ok := c.get(fr, name.String()); ok {
				fr.vars.around.set(name.String(), v)
			}
		}
	}
	return returned
}

// branch finds the branch of an if that is to be run, and gives the index of its first command.
func (c *cmake) branch(fr *frame, list []invocation, i int) int {
	for {
		in := &list[i]
		if in.name == "else" {
			return i + 1
		}
		v, why := c.condition(fr, in)
		if v == yes {
			return i + 1
		}
		if v == unknown {
			c.unknownBranch(fr, list[i+1:min(in.next, len(list))], in, why)
		}
		if i = in.next; i >= len(list) || list[i].name == "endif" || !c.spend(commandWork) {
			return i + 1
		}
	}
}

// unknownBranch notes that a branch is not run since its condition is unknown. What it would set, and nothing else
// has, is unknown then.
//
// A branch of messages and the like is no loss, so nothing is said of it.
func (c *cmake) unknownBranch(fr *frame, body []invocation, in *invocation, why string) {
	matters := false
	for i := range body {
		b := &body[i]
		if !c.spend(1) {
			return
		}
		matters = matters || !harmless[b.name] && closers[b.name] == ""
		if (b.name == "set" || b.name == "list") && len(b.args) > 1 {
			name := b.args[0].text.text
			if b.name == "list" {
				name = b.args[len(b.args)-1].text.text
			}
			if _, ok := c.get(fr, name); !ok && !strings.Contains(name, "$") {
				c.setUnknown(fr, name)
			}
		}
	}
	if matters {
		c.note(fr, in.file.place(in.at), "the condition of %s is unknown (%s); it is read as false", in.name, why)
	}
}

// loop runs a foreach, and hands a while on. After the loop its variable is as it was before it: cmake-policies(7),
// CMP0124.
func (c *cmake) loop(fr *frame, list []invocation, i int) flow {
	in := list[i]
	if !c.deeper(fr, &in) {
		return ended
	}
	defer func() { c.depth-- }()
	if in.last < len(list) {
		in.end = list[in.last].end
	}
	inner := fr.enter(&in)
	if in.name == "while" {
		return c.while(inner, list, i)
	}
	name, items := c.items(fr, &in)
	before, was := fr.vars.vars[name]
	how := ended
	for n, item := range items {
		if n >= maxIterations {
			c.note(fr, in.file.place(in.at), "foreach: only the first %d of %d values are read", n, len(items))
			break
		}
		if fr.vars.set(name, item); !c.works(&in) {
			return returned
		}
		if how = c.run(inner, list, i+1, min(in.last, len(list))); how == broken || how == returned {
			break
		}
	}
	delete(fr.vars.vars, name)
	if was {
		fr.vars.vars[name] = before
	}
	if how == returned {
		return how
	}
	return ended
}

// while stops at a condition that is unknown: how often the loop would run is then unknown too.
func (c *cmake) while(fr *frame, list []invocation, i int) flow {
	in := &list[i]
	for n := 0; ; n++ {
		v, why := c.condition(fr, in)
		switch {
		case v == unknown:
			c.note(fr, in.file.place(in.at), "the condition of while is unknown (%s); it is read as false", why)
			return ended
		case v == no:
			return ended
		case !c.works(in):
			return returned
		case n >= maxIterations:
			c.note(fr, in.file.place(in.at), "while: read %d times, and left then", n)
			return ended
		}
		switch c.run(fr, list, i+1, min(in.last, len(list))) {
		case broken:
			return ended
		case returned:
			return returned
		}
	}
}

// items gives the variable of a foreach, and what it is in each round.
func (c *cmake) items(fr *frame, in *invocation) (string, []text) {
	args := c.evaluate(fr, in)
	if len(args) == 0 {
		return "", nil
	}
	name, args := args[0].String(), args[1:]
	if len(args) == 0 {
		return name, nil
	}
	switch args[0].String() {
	case "RANGE":
		return name, c.countedItems(fr, in, args[1:])
	case "IN":
	default:
		return name, args
	}
	var out []text
	mode := ""
	for _, a := range args[1:] {
		switch s := a.String(); {
		case s == "LISTS" || s == "ITEMS" || s == "ZIP_LISTS":
			mode = s
		case mode == "LISTS":
			v, _ := c.get(fr, s)
			out = append(out, splitList(v)...)
		case mode == "ITEMS":
			out = append(out, a)
		}
	}
	if mode == "ZIP_LISTS" {
		c.note(fr, in.file.place(in.at), "foreach(IN ZIP_LISTS) is not evaluated; it is left out")
	}
	return name, out
}

// countedItems are those of foreach(i RANGE [start] stop [step]).
func (c *cmake) countedItems(fr *frame, in *invocation, args []text) []text {
	var n [3]int
	for i, a := range args[:min(len(args), 3)] {
		v, err := strconv.Atoi(a.String())
		if err != nil {
			c.note(fr, in.file.place(in.at), "foreach: %q is no number that is known; the loop is left out", clip(a.String()))
			return nil
		}
		n[i] = v
	}
	start, stop, step := n[0], n[1], max(n[2], 1)
	if len(args) < 2 {
		start, stop = 0, n[0]
	}
	var out []text
	for i := start; i <= stop && len(out) <= maxIterations; i += step {
		out = append(out, plain(strconv.Itoa(i)))
	}
	return out
}

// block is a scope of its own for variables, unless it says SCOPE_FOR POLICIES.
//
// Specification: cmake-commands(7), block, since CMake 3.25. Only variables get a scope here; policies do not matter.
func (c *cmake) block(fr *frame, list []invocation, i int) flow {
	in := list[i]
	if !c.deeper(fr, &in) {
		return ended
	}
	defer func() { c.depth-- }()
	inner := *fr
	inner.vars = &cmakeScope{around: fr.vars, vars: map[string]cmakeVariable{}}
	how := c.run(&inner, list, i+1, min(in.last, len(list)))
	args, propagate := c.evaluate(fr, &in), false
	for _, a := range args {
		if v, ok := c.get(&inner, a.String()); propagate && ok {
			fr.vars.set(a.String(), v)
		}
		propagate = propagate || a.String() == "PROPAGATE"
	}
	return how
}
