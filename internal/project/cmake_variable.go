package project

import (
	"slices"
	"strconv"
	"strings"
)

// Commands that set variables: set(), unset(), option() and those that take arguments apart. Options have their
// default: what a user would choose on the command line stands in no file.

// setVariable is set(). A cache entry does not overwrite one that is there unless it is forced: cmake-commands(7),
// set.
func (k *cmakeCall) setVariable() {
	name := k.arg(0)
	values := k.rest(1)
	if env, ok := strings.CutPrefix(name, "ENV{"); ok {
		if len(values) > 0 {
			k.env[strings.TrimSuffix(env, "}")] = append(text{}, values[0]...)
		}
		return
	}
	switch n := len(values); {
	case len(k.args) == 0 || k.args[0].unknown():
	case n == 0:
		k.fr.vars.vars[name] = cmakeVariable{unset: true}
	case values[n-1].String() == "PARENT_SCOPE":
		if around := k.fr.vars.around; around != nil {
			around.set(name, joinList(values[:n-1]))
			if n == 1 {
				around.vars[name] = cmakeVariable{unset: true}
			}
		}
	default:
		i := slices.IndexFunc(values, func(t text) bool { return t.String() == "CACHE" })
		if i < 0 || len(values)-i < 3 {
			k.set(name, joinList(values))
			return
		}
		forced := values[n-1].String() == "FORCE" || values[i+1].String() == "INTERNAL"
		if _, ok := k.variables[name]; !ok || forced {
			k.variables[name] = joinList(values[:i])
			if forced {
				delete(k.fr.vars.vars, name)
			}
		}
	}
}

// unsetVariable hides the variable of a scope around it as well, until the scope ends.
func (k *cmakeCall) unsetVariable() {
	switch name := k.arg(0); {
	case strings.HasPrefix(name, "ENV{"):
		delete(k.env, strings.TrimSuffix(name[len("ENV{"):], "}"))
	case k.arg(1) == "CACHE":
		delete(k.variables, name)
	case k.arg(1) == "PARENT_SCOPE":
		if around := k.fr.vars.around; around != nil {
			around.vars[name] = cmakeVariable{unset: true}
		}
	default:
		k.fr.vars.vars[name] = cmakeVariable{unset: true}
	}
}

// option has the value that the file gives: what a user would choose is not known.
func (k *cmakeCall) option() {
	if _, ok := k.get(k.fr, k.arg(0)); !ok {
		k.variables[k.arg(0)] = plain("OFF")
		if len(k.args) > 2 {
			k.variables[k.arg(0)] = k.args[2]
		}
	}
}

// separateArguments is separate_arguments(variable [mode] [text]).
func (k *cmakeCall) separateArguments() {
	t := k.variable(k.arg(0))
	if len(k.args) > 2 {
		t = k.args[len(k.args)-1]
	}
	k.set(k.arg(0), joinList(fields(t)))
}

// parseArguments is cmake_parse_arguments(prefix options one_value_keywords multi_value_keywords args...), or with
// PARSE_ARGV n first, which takes the arguments from the function's.
func (k *cmakeCall) parseArguments() {
	args := k.args
	if k.arg(0) == "PARSE_ARGV" && len(args) > 5 {
		from, _ := strconv.Atoi(k.arg(1))
		args = args[2:6]
		argv := splitList(k.variable("ARGV"))
		args = append(slices.Clone(args), argv[min(max(from, 0), len(argv)):]...)
	}
	if len(args) < 4 {
		return
	}
	prefix := args[0].String() + "_"
	options, one, multi := textSet(splitList(args[1])), textSet(splitList(args[2])), textSet(splitList(args[3]))
	for name := range options {
		k.set(prefix+name, plain("FALSE"))
	}
	for _, set := range []map[string]bool{one, multi} {
		for name := range set {
			k.fr.vars.vars[prefix+name] = cmakeVariable{unset: true}
		}
	}
	got := map[string][]text{}
	keyword := ""
	for _, a := range args[4:] {
		s := a.String()
		switch {
		case options[s]:
			k.set(prefix+s, plain("TRUE"))
			keyword = ""
		case one[s] || multi[s]:
			keyword = s
		case keyword == "":
			got["UNPARSED_ARGUMENTS"] = append(got["UNPARSED_ARGUMENTS"], a)
		default:
			got[keyword] = append(got[keyword], a)
			if one[keyword] {
				keyword = ""
			}
		}
	}
	k.fr.vars.vars[prefix+"UNPARSED_ARGUMENTS"] = cmakeVariable{unset: true}
	for name, values := range got {
		k.set(prefix+name, joinList(values))
	}
}
