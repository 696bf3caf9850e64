package project

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// Functions of GNU make for text, 8.2 of its manual: a value is words with white space between. A word that is not
// known passes through all of them as it is.

// words splits at white space. What is unknown is one word, or part of one.
func words(t text) []text {
	var list []text
	var word text
	end := func() {
		if len(word) > 0 {
			list = append(list, word)
		}
		word = nil
	}
	for _, s := range t {
		if s.unknown {
			word = append(word, s)
			continue
		}
		for from := 0; from < len(s.text); {
			n := strings.IndexAny(s.text[from:], white)
			if n < 0 {
				n = len(s.text) - from
			}
			word = append(word, text{s}.slice(from, from+n)...)
			if from += n; from < len(s.text) {
				end()
				from++
			}
		}
	}
	end()
	return list
}

// joinWords is the opposite of words.
func joinWords(list []text) text { return joinTexts(list, plain(" ")) }

// wordFunctions give a word for a word.
var wordFunctions = map[string]func(w string) string{
	"dir": func(w string) string {
		if i := strings.LastIndexAny(w, `/\`); i >= 0 {
			return w[:i+1]
		}
		return "./"
	},
	"notdir":   func(w string) string { return w[strings.LastIndexAny(w, `/\`)+1:] },
	"suffix":   path.Ext,
	"basename": func(w string) string { return strings.TrimSuffix(w, path.Ext(w)) },
}

// mapWords changes each word. One that is unknown stays as it is; one that becomes empty is left out.
func (g *gnuMake) mapWords(t text, change func(w text) text) text {
	var list []text
	for _, w := range words(t) {
		if !g.spend(w.len()) {
			return nil
		}
		if !w.unknown() {
			w = change(w).from(w)
		}
		if w.len() > 0 {
			list = append(list, w)
		}
	}
	return joinWords(list)
}

// subst replaces text anywhere, not only whole words.
func (g *gnuMake) subst(a []text) text {
	from, count := a[0].String(), 1
	if from != "" {
		count += strings.Count(a[2].String(), from)
	}
	if from == "" || !g.spend(count*(a[1].len()+len(a[1]))) {
		return a[2]
	}
	return a[2].replace(from, a[1])
}

// patsubst replaces whole words that match.
func (g *gnuMake) patsubst(a []text) text {
	from := a[0].trim().String()
	return g.mapWords(a[2], func(w text) text { return substituted(w, from, a[1].trim()) })
}

// substituted changes a word that matches a pattern.
func substituted(w text, from string, to text) text {
	stem, ok := matched(from, w.String())
	if !ok {
		return w
	}
	i := strings.IndexByte(to.String(), '%')
	if i < 0 || !strings.Contains(from, "%") {
		return to
	}
	at := strings.IndexByte(from, '%')
	return slices.Concat(to.slice(0, i), w.slice(at, at+len(stem)), to.slice(i+1, to.len()))
}

// matched gives what "%" in a pattern stands for.
func matched(pattern, s string) (stem string, ok bool) {
	before, after, wild := strings.Cut(pattern, "%")
	if !wild {
		return "", pattern == s
	}
	if len(s) < len(before)+len(after) || !strings.HasPrefix(s, before) || !strings.HasSuffix(s, after) {
		return "", false
	}
	return s[len(before) : len(s)-len(after)], true
}

// findstring gives what is looked for or nothing; where the text is unknown in part, so is the answer.
func (g *gnuMake) findstring(a []text) text {
	switch {
	case strings.Contains(a[1].String(), a[0].String()):
		return a[0]
	case a[1].unknown():
		return unknownText(a[1], a[1].why())
	}
	return nil
}

// filter keeps the words that match a pattern, or those that do not. A word that is unknown is kept.
func (g *gnuMake) filter(a []text, keep bool) text {
	patterns, exact := []string{}, map[string]bool{}
	for _, p := range words(a[0]) {
		if s := p.String(); strings.Contains(s, "%") {
			patterns = append(patterns, s)
		} else {
			exact[s] = true
		}
	}
	return g.mapWords(a[1], func(w text) text {
		g.spend(len(patterns))
		is := exact[w.String()] || slices.ContainsFunc(patterns, func(p string) bool {
			_, ok := matched(p, w.String())
			return ok
		})
		if is == keep {
			return w
		}
		return nil
	})
}

// sort drops duplicates, which is what many files call it for.
func (g *gnuMake) sort(a []text) text {
	list := words(a[0])
	slices.SortStableFunc(list, func(x, y text) int { return strings.Compare(x.String(), y.String()) })
	return joinWords(slices.CompactFunc(list, func(x, y text) bool { return x.String() == y.String() }))
}

// wordList gives the words from one number to another, from 1.
func wordList(from, to, t text) text {
	i, err1 := strconv.Atoi(from.trim().String())
	j, err2 := strconv.Atoi(to.trim().String())
	list := words(t)
	if err1 != nil || err2 != nil || i < 1 || i > len(list) || j < i {
		return nil
	}
	return joinWords(list[i-1 : min(j, len(list))])
}

// lastword gives nothing for nothing.
func (g *gnuMake) lastword(a []text) text {
	list := words(a[0])
	return joinWords(list[max(0, len(list)-1):])
}

// affixed puts a text before and after each word.
func (g *gnuMake) affixed(before, list, after text) text {
	return g.mapWords(list, func(w text) text {
		g.spend(before.len() + after.len())
		return slices.Concat(before, w, after)
	})
}

// pairWords is $(join ...): the first word with the first, and so on; the longer list goes on alone.
func (g *gnuMake) pairWords(a []text) text {
	x, y := words(a[0]), words(a[1])
	var list []text
	for i := range max(len(x), len(y)) {
		var w text
		if i < len(x) {
			w = append(w, x[i]...)
		}
		if i < len(y) {
			w = append(w, y[i]...)
		}
		list = append(list, w)
	}
	return joinWords(list)
}
