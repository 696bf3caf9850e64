package project

import (
	"slices"
	"strconv"
	"strings"
)

// list(). A list in CMake is a string with semicolons between its items (cmake-language(7), "Lists"), so that a value
// is cut and joined again by each command; both keep the places of what the items say.

// list runs list(WORK VARIABLE ...).
func (k *cmakeCall) list() {
	name := k.arg(1)
	items := splitList(k.variable(name))
	if !k.spend(len(items)) {
		return
	}
	work := k.arg(0)
	if do := listWork[work]; do != nil {
		if items, ok := do(k, items, k.rest(2)); ok {
			k.set(name, joinList(items))
		}
		return
	}
	if do := listQueries[work]; do != nil && len(k.args) > 2 {
		v, ok := do(k, items, k.args[2:len(k.args)-1])
		if ok && !k.variable(name).unknown() {
			k.set(k.arg(len(k.args)-1), v)
			return
		}
	}
	k.setUnknown(k.fr, k.arg(len(k.args)-1))
}

// listWork changes a list. ok is false where it stays as it is.
var listWork = map[string]func(k *cmakeCall, items, args []text) (changed []text, ok bool){
	"APPEND": func(_ *cmakeCall, items, args []text) ([]text, bool) { return append(items, args...), len(args) > 0 },
	"PREPEND": func(_ *cmakeCall, items, args []text) ([]text, bool) {
		return slices.Concat(args, items), len(args) > 0
	},
	"INSERT": func(_ *cmakeCall, items, args []text) ([]text, bool) {
		i, ok := indexIn(items, args, 1)
		if !ok || len(args) == 0 {
			return nil, false
		}
		return slices.Insert(items, i, args[1:]...), true
	},
	"REMOVE_ITEM": func(_ *cmakeCall, items, args []text) ([]text, bool) {
		gone := textSet(args)
		return slices.DeleteFunc(items, func(t text) bool { return gone[t.String()] }), true
	},
	"REMOVE_AT": func(_ *cmakeCall, items, args []text) ([]text, bool) {
		i, ok := indexIn(items, args, 0)
		if !ok {
			return nil, false
		}
		return slices.Delete(items, i, i+1), true
	},
	"REMOVE_DUPLICATES": func(_ *cmakeCall, items, _ []text) ([]text, bool) { return uniqueTexts(items), true },
	"REVERSE":           func(_ *cmakeCall, items, _ []text) ([]text, bool) { slices.Reverse(items); return items, true },
	"SORT": func(_ *cmakeCall, items, _ []text) ([]text, bool) {
		slices.SortStableFunc(items, func(a, b text) int { return strings.Compare(a.String(), b.String()) })
		return items, true
	},
	"FILTER":    (*cmakeCall).filter,
	"TRANSFORM": (*cmakeCall).transform,
	"POP_BACK":  func(k *cmakeCall, items, args []text) ([]text, bool) { return k.pop(items, args, len(items)-1) },
	"POP_FRONT": func(k *cmakeCall, items, args []text) ([]text, bool) { return k.pop(items, args, 0) },
}

// indexIn reads an index, which counts from the end where it is negative.
func indexIn(items, args []text, beyond int) (int, bool) {
	if len(args) == 0 {
		return 0, false
	}
	i, err := strconv.Atoi(args[0].String())
	if i < 0 {
		i += len(items)
	}
	return i, err == nil && i >= 0 && i < len(items)+beyond
}

// textSet makes a set for membership tests: a list of 100,000 items against another would take too long otherwise.
func textSet(list []text) map[string]bool {
	set := map[string]bool{}
	for _, t := range list {
		set[t.String()] = true
	}
	return set
}

// uniqueTexts keeps the first of equal texts.
func uniqueTexts(list []text) []text {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(t text) bool {
		s := t.String()
		was := seen[s]
		seen[s] = true
		return was
	})
}

// pop is POP_BACK and POP_FRONT. Of several output variables only the first is set.
func (k *cmakeCall) pop(items, args []text, i int) ([]text, bool) {
	if len(items) == 0 {
		return nil, false
	}
	if len(args) > 0 {
		k.set(args[0].String(), items[i])
	}
	return slices.Delete(items, i, i+1), true
}

// filter is list(FILTER name INCLUDE|EXCLUDE REGEX expression).
func (k *cmakeCall) filter(items, args []text) ([]text, bool) {
	if len(args) != 3 {
		return nil, false
	}
	re, err := cmakeRegexp(args[2].String())
	if err != nil || args[2].unknown() {
		k.say("list(FILTER): the expression %q is not understood; the list stays as it is", clip(args[2].String()))
		return nil, false
	}
	keep := args[0].String() == "INCLUDE"
	return slices.DeleteFunc(items, func(t text) bool { return re.MatchString(t.String()) != keep }), true
}

// transform is list(TRANSFORM name action), without selectors, which no real tree uses for source files or options.
func (k *cmakeCall) transform(items, args []text) ([]text, bool) {
	if len(args) == 0 {
		return nil, false
	}
	change := map[string]func(t text) text{
		"TOUPPER": func(t text) text { return recased(t, strings.ToUpper) },
		"TOLOWER": func(t text) text { return recased(t, strings.ToLower) },
		"STRIP":   text.trim,
	}[args[0].String()]
	if len(args) == 2 {
		change = map[string]func(t text) text{
			"APPEND":  func(t text) text { return slices.Concat(t, args[1]) },
			"PREPEND": func(t text) text { return slices.Concat(args[1], t) },
		}[args[0].String()]
	}
	if change == nil {
		k.say("list(TRANSFORM %s) is not evaluated; the list stays as it is", clip(args[0].String()))
		return nil, false
	}
	for i := range items {
		items[i] = change(items[i])
	}
	return items, true
}

// recased changes the case of a text, which keeps its places.
func recased(t text, change func(string) string) text {
	out := slices.Clone(t)
	for i := range out {
		if s := change(out[i].text); len(s) == len(out[i].text) && !out[i].unknown {
			out[i].text = s
		}
	}
	return out
}

// listQueries give a value for the variable that the last argument names.
var listQueries = map[string]func(k *cmakeCall, items, args []text) (text, bool){
	"LENGTH": func(_ *cmakeCall, items, _ []text) (text, bool) { return plain(strconv.Itoa(len(items))), true },
	"GET": func(_ *cmakeCall, items, args []text) (text, bool) {
		var out []text
		for i := range args {
			n, ok := indexIn(items, args[i:], 0)
			if !ok {
				return plain("NOTFOUND"), true
			}
			out = append(out, items[n])
		}
		return joinList(out), len(out) > 0
	},
	"FIND": func(_ *cmakeCall, items, args []text) (text, bool) {
		if len(args) == 0 {
			return nil, false
		}
		i := slices.IndexFunc(items, func(t text) bool { return t.String() == args[0].String() })
		return plain(strconv.Itoa(i)), true
	},
	"JOIN": func(_ *cmakeCall, items, args []text) (text, bool) {
		if len(args) == 0 {
			return nil, false
		}
		return joinTexts(items, args[0]), true
	},
	"SUBLIST": func(_ *cmakeCall, items, args []text) (text, bool) {
		from, ok := indexIn(items, args, 1)
		if !ok || len(args) < 2 {
			return nil, false
		}
		n, err := strconv.Atoi(args[1].String())
		if n < 0 || n > len(items)-from {
			n = len(items) - from
		}
		return joinList(items[from : from+n]), err == nil
	},
}

// joinList makes a list of values, as CMake keeps it.
func joinList(items []text) text { return joinTexts(items, plain(";")) }

// splitList cuts a list at its semicolons, but for those that are escaped or in square brackets. It takes time in
// proportion to the text.
//
// Specification: cmake-language(7), "Lists". A semicolon behind a backslash, or between square brackets, is part of
// an item.
func splitList(t text) []text {
	var list []text
	var item text
	nesting, escaped := 0, false
	for _, s := range t {
		from := 0
		take := func(to int) { item, from = append(item, part(s, from, to)...), to+1 }
		for i := 0; i < len(s.text) && !s.unknown; i++ {
			b := s.text[i]
			switch {
			case b == ';' && escaped:
				if n := len(item) - 1; i > from {
					take(i - 1)
					from = i
				} else if n >= 0 { // the backslash is the end of the piece before
					item[n].text = strings.TrimSuffix(item[n].text, `\`)
				}
			case b == ';' && nesting == 0:
				take(i)
				list, item = append(list, item), nil
			case b == '[':
				nesting++
			case b == ']' && nesting > 0:
				nesting--
			}
			escaped = b == '\\'
		}
		item = append(item, part(s, from, len(s.text))...)
	}
	if len(list) > 0 || item.len() > 0 {
		list = append(list, item)
	}
	return list
}
