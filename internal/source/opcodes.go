package source

import (
	"strconv"
	"strings"
)

// What bytes make machine code is told by how they begin: a sequence of instructions that goes somewhere else, or enters a
// function. One byte alone says nothing: 0x90 and 0xE9 are data just as often.

// Values of a list of bytes that are no constants.
const (
	someByte    = -1 - iota // one byte
	someWord                // four or eight bytes
	someElement             // either
)

// maxOpcodes bounds what is looked at of a list.
const maxOpcodes = 24

// instructions are how machine code begins, behind any nops: bytes and ranges of them; "*" for an address of four or eight
// bytes, "+" for an offset of four that is no single element of a list.
const instructions = `
FF 25 *
FF 15 *
E9 +
E8 +
68 * C3
68 * C7 44 24 04
B8-BF * FF D0-D7
B8-BF * FF E0-E7
B8-BF * C3
B8-BF * C2
48-49 B8-BF * FF D0-D7
48-49 B8-BF * FF E0-E7
48-49 B8-BF * 41 FF
48-49 B8-BF * 50-57 C3
48-49 B8-BF * 41 50-57 C3
48-49 B8-BF * C3
50 48 B8-BF *
48 83 EC
48 81 EC
48 89 5C 24
48 89 4C 24
48 8B C4
4C 8B DC
4C 8B D1 B8
40 53 48
55 48 8B EC
55 48 89 E5
55 8B EC
55 89 E5
8B FF 55 8B EC
F3 0F 1E FA
FC 48 83 E4
FC E8 *
31 C0 C3
33 C0 C3
48 31 C0 C3
48 33 C0 C3
0F 01 C1-D9 C3
0F 05 C3
0F A2 C3
`

// element of a pattern.
type element struct {
	low, high int
	address   byte // '*' or '+', 0 for a byte
}

var patterns = func() [][]element {
	var list [][]element
	for line := range strings.Lines(strings.TrimSpace(instructions)) {
		var p []element
		for _, word := range strings.Fields(line) {
			if word == "*" || word == "+" {
				p = append(p, element{address: word[0]})
				continue
			}
			low, high, ranged := strings.Cut(word, "-")
			if !ranged {
				high = low
			}
			a, _ := strconv.ParseUint(low, 16, 8)
			b, _ := strconv.ParseUint(high, 16, 8)
			p = append(p, element{low: int(a), high: int(b)})
		}
		list = append(list, p)
	}
	return list
}()

// opcodes gives the bytes with which a list begins that is machine code, as "FF 25"; "" where it is none.
func opcodes(values []int) string {
	if len(values) < 2 {
		return ""
	}
	nops := 0
	for nops < len(values) && values[nops] == 0x90 {
		nops++
	}
	rest := values[nops:]
	if nops > 0 && len(rest) > 0 && (rest[0] == 0xC3 || rest[0] == 0xC2) {
		return spell(values[:nops+1])
	}
	for _, p := range patterns {
		if n := begins(rest, p); n > 0 {
			return spell(values[:nops+n])
		}
	}
	return ""
}

// begins gives how many values a pattern takes, 0 where they do not begin with it.
func begins(values []int, p []element) int {
	if len(p) == 0 {
		return 0
	}
	for _, n := range p[0].takes(values) {
		if len(p) == 1 {
			return n
		}
		if rest := begins(values[n:], p[1:]); rest > 0 {
			return n + rest
		}
	}
	return 0
}

// takes gives how many values an element may stand for.
func (e element) takes(values []int) []int {
	if len(values) == 0 {
		return nil
	}
	if e.address == 0 {
		if e.low <= values[0] && values[0] <= e.high {
			return []int{1}
		}
		return nil
	}
	if values[0] == someWord || values[0] == someElement && e.address == '*' {
		return []int{1}
	}
	var list []int
	for n := 0; n < min(8, len(values)) && e.holds(values[n]); n++ {
		if n == 3 || n == 7 && e.address == '*' {
			list = append(list, n+1)
		}
	}
	return list
}

// holds says whether a value can be one byte of an address: of an offset that is known only zero, as 0xE9 alone says little.
func (e element) holds(v int) bool { return v == someByte || v == 0 || v > 0 && e.address == '*' }

// spell writes the constants among the first bytes of code.
func spell(values []int) string {
	var words []string
	for i, v := range values {
		switch {
		case v >= 0:
			words = append(words, strings.ToUpper(strconv.FormatInt(0x100|int64(v), 16)[1:]))
		case i == 0 || values[i-1] >= 0:
			words = append(words, "..")
		}
	}
	return strings.Join(words, " ")
}

// byteOf reads a byte that is written in hexadecimal, as code is, or 0.
func byteOf(text string) (int, bool) {
	if text == "0" {
		return 0, true
	}
	if len(text) < 3 || len(text) > 6 || text[0] != '0' || text[1]|0x20 != 'x' {
		return 0, false
	}
	n, ok := parseInteger(text)
	return int(n), ok && n < 256
}
