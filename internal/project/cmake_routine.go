package project

import (
	"fmt"
	"path"
	"strings"
)

// Functions and macros. A macro replaces ${argument} in the scope of its caller; a function has a scope of its own:
// cmake-commands(7), macro, "Macro vs Function".

// routine is a function or a macro.
type routine struct {
	macro      bool
	made       bool // it stands in no file, or in a module that is most often not the project's own: no edit goes there
	parameters []string
	list       []invocation
	from, to   int
	file       *file
}

// define keeps a function or a macro.
func (c *cmake) define(fr *frame, list []invocation, i int) {
	in := &list[i]
	args := c.evaluate(fr, in)
	if len(args) == 0 {
		return
	}
	r := &routine{macro: in.name == "macro", made: fr.made || fr.quiet, list: list, from: i + 1, to: min(in.last, len(list)), file: in.file}
	for _, a := range args[1:] {
		r.parameters = append(r.parameters, a.String())
	}
	c.routines[strings.ToLower(args[0].String())] = r
}

// invoke runs one command: one of the project's, else one of the table.
func (c *cmake) invoke(fr *frame, in *invocation) flow {
	if r := c.routines[in.name]; r != nil {
		c.call(fr, in, r)
		return ended
	}
	do, ok := c.commands[in.name]
	switch {
	case ok:
		do(&cmakeCall{cmake: c, fr: fr, in: in, args: c.evaluate(fr, in)})
	case !harmless[in.name]:
		c.note(fr, in.file.place(in.at), "the command %s is not known; it is left out", in.name)
	}
	return ended
}

// call runs a function, or a macro in the scope of its caller.
//
// ARGC, ARGV, ARGV0 ... and ARGN are set as cmake-commands(7), function, "Arguments" says. An unquoted argument of
// several items has become several arguments before that.
func (c *cmake) call(fr *frame, in *invocation, r *routine) {
	if !c.deeper(fr, in) {
		return
	}
	defer func() { c.depth-- }()
	args := c.evaluate(fr, in)
	given := map[string]text{"ARGC": plain(fmt.Sprint(len(args))), "ARGV": joinList(args)}
	for i, a := range args {
		given[fmt.Sprint("ARGV", i)] = a
	}
	for i, name := range r.parameters {
		given[name] = nil
		if i < len(args) {
			given[name] = args[i]
		}
	}
	given["ARGN"] = joinList(args[min(len(args), len(r.parameters)):])
	inner := fr.enter(in)
	inner.made = r.made
	if r.macro {
		inner.arguments = given
	} else {
		inner.arguments = nil
		inner.vars = &cmakeScope{around: fr.vars, vars: map[string]cmakeVariable{}}
		for name, v := range given {
			inner.vars.set(name, v)
		}
		inner.vars.set("CMAKE_CURRENT_FUNCTION_LIST_DIR", plain(absolutePath(path.Dir(r.file.path))))
	}
	c.run(inner, r.list, r.from, r.to)
}

// language is cmake_language(CALL command arguments...) or (EVAL CODE text...).
func (k *cmakeCall) language() {
	switch {
	case k.arg(0) == "CALL" && len(k.args) > 1:
		in := *k.in
		in.name = strings.ToLower(k.arg(1))
		in.args = in.args[min(2, len(in.args)):]
		if closers[in.name] == "" && k.deeper(k.fr, k.in) {
			k.invoke(k.fr, &in)
			k.depth--
		}
	case k.arg(0) == "EVAL" && len(k.args) > 2:
		code := joinTexts(k.args[2:], plain(" ")).String()
		if !k.spend(len(code)) || !k.deeper(k.fr, k.in) {
			return
		}
		sc := parseCMake(newFile(k.in.file.path, []byte(code)))
		for i := range sc.list { // no edit goes into text that is made
			sc.list[i].file, sc.list[i].at, sc.list[i].end = k.in.file, k.in.at, k.in.end
			for n := range sc.list[i].args {
				a := &sc.list[i].args[n]
				a.text.file, a.text.at, a.text.fixed = k.in.file, k.in.at, true
				a.at, a.end = k.in.at, k.in.at
			}
		}
		inner := k.fr.enter(k.in)
		inner.made = true
		k.run(inner, sc.list, 0, len(sc.list))
		k.depth--
	default:
		k.say("cmake_language(%s) is not evaluated; it is left out", clip(k.arg(0)))
	}
}
