package driver

import (
	"cmp"
	"slices"
	"strings"
)

// Suppression is where the source asks for silence on some rules: a pragma, or a comment.
type Suppression struct {
	Place   Place    // of the pragma or the comment
	Rules   []string // as they are written: 30030, __WARNING_BANNED_MEM_ALLOCATION_UNSAFE, NX0001
	Reason  string   // "" where none is given
	Comment bool     // it is a comment, which nothing but nxport reads
	Covers  []Lines
}

// Lines are some of a file, From and To included, both counted from 1. From 0 on they cover what is said of the file as a
// whole, too.
type Lines struct {
	Path     string
	From, To int
}

// AllOf gives all lines of a file.
func AllOf(path string) Lines { return Lines{path, 0, 1<<31 - 1} }

// Has says whether a place is among the lines.
func (l Lines) Has(p Place) bool { return l.Path == p.Path && l.From <= p.Line && p.Line <= l.To }

// JoinLines sorts lines and makes one of those that overlap or follow each other.
func JoinLines(list []Lines) []Lines {
	slices.SortFunc(list, func(a, b Lines) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.From, b.From))
	})
	var out []Lines
	for _, l := range list {
		if n := len(out) - 1; n >= 0 && out[n].Path == l.Path && l.From <= out[n].To+1 {
			out[n].To = max(out[n].To, l.To)
			continue
		}
		out = append(out, l)
	}
	return slices.Clip(out)
}

// analysis has the numbers of those warnings of Microsoft's code analysis that are rules here, too, by the names that
// <CodeAnalysis\warnings.h> gives them behind __WARNING_. Its pages, C28751 and C30029 to C30035, name them.
var analysis = map[string]string{
	"BANNED_API_USAGE_EXALLOCATEPOOL":                  "28751",
	"BANNED_MEM_ALLOCATION_NOTYPE":                     "30029",
	"BANNED_MEM_ALLOCATION_UNSAFE":                     "30030",
	"BANNED_MEM_ALLOCATION_MAYBE_SAFE":                 "30031",
	"BANNED_MEM_ALLOCATION_FORCE_UNSAFE":               "30032",
	"BANNED_MEM_ALLOCATION_MAYBE_UNSAFE_DRIVER_LOADED": "30033",
	"BANNED_MEM_ALLOCATION_MAYBE_UNSAFE":               "30034",
	"BANNED_MEM_ALLOCATION_MAYBE_BAD_CALL_SITE":        "30035",
}

var analysisNumbers = func() map[string]bool {
	set := map[string]bool{}
	for _, number := range analysis {
		set[number] = true
	}
	return set
}()

// RuleID gives the ID of the rule that a word of a suppression names, "" for a word that names none: 30030, C30030 and
// BANNED_MEM_ALLOCATION_UNSAFE with or without __WARNING_ are C30030; NX0001 is itself.
func RuleID(word string) string {
	word = strings.TrimPrefix(strings.ToUpper(word), "__WARNING_")
	if number, ok := analysis[word]; ok {
		return "C" + number
	}
	if number := strings.TrimPrefix(word, "C"); analysisNumbers[number] {
		return "C" + number
	}
	if number, ok := strings.CutPrefix(word, "NX"); ok && len(number) == 4 && strings.Trim(number, "0123456789") == "" {
		return word
	}
	return ""
}

// ignore is what a comment begins with that suppresses something.
const ignore = "nxport:ignore"

// IsIgnore says whether the text of a comment begins, behind blanks and what opens it, as one that suppresses something.
// Most do not, which their first letter tells.
func IsIgnore(comment []byte) bool {
	for len(comment) > 0 && (comment[0] == ' ' || comment[0] == '\t' || comment[0] == '*' || comment[0] == '/') {
		comment = comment[1:]
	}
	if len(comment) < len(ignore) || comment[0] != ignore[0] || string(comment[:len(ignore)]) != ignore {
		return false
	}
	return len(comment) == len(ignore) || strings.IndexByte(" \t\r\n:*", comment[len(ignore)]) >= 0
}

// ParseIgnore reads such a comment: nxport:ignore RULE... reason. The first word counts as a rule even where it
// names none, so that a misspelled one can be told.
func ParseIgnore(comment string) (rules []string, reason string) {
	_, text, _ := strings.Cut(strings.TrimSuffix(comment, "*/"), ignore)
	text = strings.TrimSpace(strings.TrimPrefix(text, ":"))
	for text != "" {
		end := strings.IndexAny(text, " \t\r\n,")
		if end < 0 {
			end = len(text)
		}
		word := strings.TrimRight(text[:end], ":;.-")
		if word == "" || len(rules) > 0 && RuleID(word) == "" {
			break
		}
		rules = append(rules, word)
		text = strings.TrimLeft(text[end:], " \t\r\n,")
	}
	return rules, strings.Join(strings.Fields(strings.TrimLeft(text, "-:")), " ")
}
