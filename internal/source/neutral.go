package source

import (
	"bytes"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// Text with __pragma(...) or _Pragma("...") is read for what they disable, unless it can be seen at once that they leave the
// warnings of interest as they are: most of them silence one of the compiler's about a constant in a loop.

var namePragma, nameStandardPragma = nameOf("__pragma"), nameOf("_Pragma")

func isOperator(n name) bool { return n == namePragma || n == nameStandardPragma }

// otherWords stand in #pragma warning and name no warning. What else is no number may be a macro, or its parameter.
var otherWords = map[string]bool{
	"disable": true, "suppress": true, "default": true, "enable": true, "error": true, "once": true,
}

// neutral says whether the pragma operators in a text change nothing about the warnings of interest.
func neutral(text []byte) bool {
	pushed := map[string]int{}
	for {
		_, rest, found := bytes.Cut(text, []byte("ragma"))
		if !found {
			break
		}
		standard := bytes.HasSuffix(text[:len(text)-len(rest)], []byte("_Pragma"))
		text = rest
		if words, ok := operatorWords(text, standard); !ok || !neutralWords(words, pushed) {
			return false
		}
	}
	return pushed["warning"] == 0 && pushed["prefast"] == 0
}

// maxOperator is the longest operator that is looked at, in bytes; a longer one is read.
const maxOperator = 1 << 10

// operatorWords gives the words in the parentheses of an operator. The standard one is not looked at where a macro makes its
// string.
func operatorWords(b []byte, standard bool) (words []string, ok bool) {
	b = bytes.TrimLeft(b[:min(len(b), maxOperator)], " \t")
	if len(b) == 0 || b[0] != '(' || standard && !bytes.HasPrefix(bytes.TrimLeft(b[1:], " \t"), []byte(`"`)) {
		return nil, false
	}
	depth := 0
	for i := 0; i < len(b); i++ {
		start := i
		for i < len(b) && wordByte(b[i]) {
			i++
		}
		if i > start {
			words = append(words, string(b[start:i]))
		}
		switch {
		case i == len(b):
		case b[i] == '(':
			depth++
		case b[i] == ')':
			if depth--; depth == 0 {
				return words, true
			}
		}
	}
	return nil, false
}

// neutralWords says so of one operator, and counts what is pushed. A word alone may be a macro's parameter.
func neutralWords(words []string, pushed map[string]int) bool {
	if len(words) < 2 {
		return false
	}
	pragma := words[0]
	if pragma != "warning" && pragma != "prefast" {
		return true
	}
	for _, word := range words[1:] {
		switch {
		case word == "push":
			pushed[pragma]++
		case word == "pop":
			if pushed[pragma]--; pushed[pragma] < 0 {
				return false
			}
		case otherWords[word]:
		case driver.RuleID(word) != "", !isDigit(word[0]) && !strings.HasPrefix(word, "__WARNING_"):
			return false
		}
	}
	return true
}
