package project

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// string(). What is cut out of a value keeps its place where that can be said, because a define may be edited there.

// stringCommand is string(work ...). What makes something new in every build, or needs JSON, leaves its output
// unknown.
func (k *cmakeCall) stringCommand() {
	w, ok := stringWork[k.arg(0)]
	if !ok || len(k.args) <= w.out {
		for _, out := range []int{2, len(k.args) - 1} { // UUID, TIMESTAMP, hashes, JSON, CONFIGURE
			k.unknownOutputs(output{at: out})
		}
		return
	}
	args := k.rest(1)
	if k.arg(0) == "REGEX" {
		w.out = map[string]int{"MATCH": 3, "MATCHALL": 3, "REPLACE": 4}[k.arg(1)]
	}
	size := 0
	for _, a := range args {
		size += a.len() + spanWork*len(a)
	}
	if w.out >= len(k.args) || !k.spend(size) {
		return
	}
	v, ok := w.work(k, args)
	if !ok {
		k.setUnknown(k.fr, k.arg(w.out))
		return
	}
	k.set(k.arg(w.out), v)
}

// stringWork are string(WORK ...): which argument names the variable that is set, and what it is set to. A result that
// is not ok is unknown.
var stringWork = map[string]struct {
	out  int
	work func(k *cmakeCall, args []text) (text, bool)
}{
	"TOLOWER": {2, func(_ *cmakeCall, args []text) (text, bool) { return recased(args[0], strings.ToLower), true }},
	"TOUPPER": {2, func(_ *cmakeCall, args []text) (text, bool) { return recased(args[0], strings.ToUpper), true }},
	"STRIP":   {2, func(_ *cmakeCall, args []text) (text, bool) { return args[0].trim(), true }},
	"LENGTH":  {2, func(_ *cmakeCall, args []text) (text, bool) { return plain(strconv.Itoa(args[0].len())), true }},
	"REPLACE": {3, replaced},
	"CONCAT":  {1, func(_ *cmakeCall, args []text) (text, bool) { return slices.Concat(args[1:]...), true }},
	"JOIN":    {2, func(_ *cmakeCall, args []text) (text, bool) { return joinTexts(args[2:], args[0]), true }},
	"APPEND": {1, func(k *cmakeCall, args []text) (text, bool) {
		return slices.Concat(append([]text{k.variable(args[0].String())}, args[1:]...)...), true
	}},
	"PREPEND": {1, func(k *cmakeCall, args []text) (text, bool) {
		return slices.Concat(append(slices.Clone(args[1:]), k.variable(args[0].String()))...), true
	}},
	"SUBSTRING": {4, func(_ *cmakeCall, args []text) (text, bool) {
		from, err := strconv.Atoi(args[1].String())
		n, err2 := strconv.Atoi(args[2].String())
		if err != nil || err2 != nil || from < 0 || from > args[0].len() {
			return nil, false
		}
		if n < 0 || n > args[0].len()-from {
			n = args[0].len() - from
		}
		return args[0].slice(from, from+n), true
	}},
	"FIND": {3, func(_ *cmakeCall, args []text) (text, bool) {
		s, what := args[0].String(), args[1].String()
		if len(args) > 3 && args[3].String() == "REVERSE" {
			return plain(strconv.Itoa(strings.LastIndex(s, what))), true
		}
		return plain(strconv.Itoa(strings.Index(s, what))), true
	}},
	"MAKE_C_IDENTIFIER": {2, func(_ *cmakeCall, args []text) (text, bool) {
		return recased(args[0], func(s string) string {
			b := []byte(s)
			for i := range b {
				if !isWord(b[i]) {
					b[i] = '_'
				}
			}
			return string(b)
		}), true
	}},
	"COMPARE": {4, func(k *cmakeCall, args []text) (text, bool) {
		test := cmakeBinary["STR"+args[0].String()]
		e := &cmakeCondition{cmake: k.cmake, fr: k.fr, in: k.in}
		if args[0].String() == "NOTEQUAL" {
			return plain(fmt.Sprint(e.equal(args[1], args[2]).not())), true
		}
		if test == nil {
			return nil, false
		}
		return plain(strconv.Itoa(int(test(e, args[1], args[2])))), true
	}},
	"REGEX": {4, (*cmakeCall).regex},
}

// replaced is string(REPLACE what by out input...).
func replaced(_ *cmakeCall, args []text) (text, bool) {
	what, by, in := args[0].String(), args[1], slices.Concat(args[3:]...)
	if what == "" || args[0].unknown() {
		return in, args[0].len() > 0 && !args[0].unknown()
	}
	s := in.String()
	n := strings.Count(s, what)
	if n > maxItems {
		return nil, false
	}
	if n == 0 {
		return in, true
	}
	if by.len() == 0 && n < 100 {
		var out text // what is left keeps its places
		for at := 0; ; {
			i := strings.Index(s[at:], what)
			if i < 0 {
				return append(out, in.slice(at, len(s))...), true
			}
			out = append(out, in.slice(at, at+i)...)
			at += i + len(what)
		}
	}
	if len(s)+n*by.len() > maxText {
		return nil, false
	}
	return text{{text: strings.ReplaceAll(s, what, by.String()), unknown: in.unknown() || by.unknown()}}.from(in), true
}
