package project

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Regular expressions of CMake, translated to those of Go, which match in linear time: no expression can take the
// process down. Specification: cmake-commands(7), string, "Regex Specification".

// regex is string(REGEX MATCH|MATCHALL|REPLACE expression ...).
func (k *cmakeCall) regex(args []text) (text, bool) {
	re, err := cmakeRegexp(args[1].String())
	if err != nil || args[1].unknown() {
		return nil, false
	}
	if args[0].String() == "REPLACE" {
		return regexReplaced(re, args[2].String(), slices.Concat(args[4:]...))
	}
	in := slices.Concat(args[3:]...)
	if in.unknown() {
		return nil, false
	}
	if args[0].String() == "MATCHALL" {
		var out []text
		for _, at := range re.FindAllStringIndex(in.String(), 1000) {
			out = append(out, in.slice(at[0], at[1]))
		}
		return joinList(out), true
	}
	at := re.FindStringSubmatchIndex(in.String())
	if at == nil {
		return nil, true
	}
	k.matched(k.fr, in, at)
	return in.slice(at[0], at[1]), true
}

// regexReplaced puts the matched groups \0 to \9 into the replacement. The parts of the input that stay keep their
// places.
func regexReplaced(re *regexp.Regexp, by string, in text) (text, bool) {
	s := in.String()
	matches := re.FindAllStringSubmatchIndex(s, 1000)
	if len(matches) == 0 {
		return in, true
	}
	if in.unknown() {
		return nil, false
	}
	var out text
	at := 0
	for _, m := range matches {
		out = append(out, in.slice(at, m[0])...)
		for i := 0; i < len(by); i++ {
			if by[i] != '\\' || i+1 == len(by) {
				out = append(out, span{text: by[i : i+1]})
				continue
			}
			i++
			if n := int(by[i] - '0'); n <= 9 && 2*n+1 < len(m) && m[2*n] >= 0 {
				out = append(out, in.slice(m[2*n], m[2*n+1])...)
			} else if n > 9 {
				out = append(out, span{text: by[i : i+1]})
			}
		}
		at = m[1]
	}
	return append(out, in.slice(at, len(s))...).from(in), true
}

// matched sets CMAKE_MATCH_<n> after a match.
func (c *cmake) matched(fr *frame, in text, at []int) {
	for n := 0; 2*n+1 < len(at) && n < 10; n++ {
		fr.vars.set(fmt.Sprint("CMAKE_MATCH_", n), in.slice(max(at[2*n], 0), max(at[2*n+1], 0)))
	}
	fr.vars.set("CMAKE_MATCH_COUNT", plain(strconv.Itoa(len(at)/2-1)))
}

// cmakeRegexp translates an expression of CMake, which knows no {n} and no classes such as \d.
func cmakeRegexp(s string) (*regexp.Regexp, error) {
	const most = 1000
	if len(s) > most {
		return nil, fmt.Errorf("an expression of %d bytes", len(s))
	}
	var b strings.Builder
	class := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteString(regexp.QuoteMeta(s[i : i+1]))
		case class && c == '[' || !class && (c == '{' || c == '}'):
			b.WriteString(`\` + string(c))
		case !class && c == '[':
			class = true
			b.WriteByte(c)
			if rest := s[i+1:]; strings.HasPrefix(rest, "^]") || strings.HasPrefix(rest, "]") {
				n := strings.IndexByte(rest, ']')
				b.WriteString(rest[:n] + `\]`)
				i += n + 1
			}
		case class && c == ']':
			class = false
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return regexp.Compile(b.String())
}
