package driver

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestRuleID(t *testing.T) {
	for word, want := range map[string]string{
		"30030": "C30030", "C30030": "C30030", "c30030": "C30030", "28751": "C28751", "30036": "", "6001": "", "": "", "C": "", "30030U": "",
		"__WARNING_BANNED_MEM_ALLOCATION_UNSAFE": "C30030", "BANNED_MEM_ALLOCATION_MAYBE_UNSAFE": "C30034",
		"__WARNING_BANNED_MEM_ALLOCATION_MAYBE_UNSAFE_DRIVER_LOADED": "C30033", "__WARNING_BANNED_API_USAGE": "",
		"__WARNING_30030": "C30030", "NX0001": "NX0001", "nx0017": "NX0017", "NX001": "", "NX00001": "", "NX000A": "", "NX": "",
	} {
		if got := RuleID(word); got != want {
			t.Errorf("%s is %q, want %q", word, got, want)
		}
	}
}

func TestParseIgnore(t *testing.T) {
	for comment, want := range map[string]string{
		" nxport:ignore NX0001":                           "NX0001|",
		"// nxport:ignore NX0001, C30030 since it is so ": "NX0001 C30030|since it is so",
		"/* nxport:ignore NX0001: since\n it is so */":    "NX0001|since it is so",
		"// nxport:ignore: 30030; NX0001 -- so":           "30030 NX0001|so",
		"// nxport:ignore 30030. NX0001 comes next":       "30030 NX0001|comes next",
		"// nxport:ignore BANNED_MEM_ALLOCATION_UNSAFE":   "BANNED_MEM_ALLOCATION_UNSAFE|",
		"// nxport:ignore this and NX0001":                "this|and NX0001",
		"// nxport:ignore ":                               "|",
		"// nxport:ignore - so":                           "|so",
	} {
		rules, reason := ParseIgnore(comment)
		if got := strings.Join(rules, " ") + "|" + reason; got != want || !IsIgnore([]byte(comment)) {
			t.Errorf("%q: %q, want %q", comment, got, want)
		}
	}
	for _, other := range []string{"", "// n", "// nxport", "// nxport:ignored NX0001", "// see nxport:ignore NX0001", "// NXPORT:IGNORE NX0001"} {
		if IsIgnore([]byte(other)) {
			t.Errorf("%q counts as a suppression", other)
		}
	}
}

func TestJoinLines(t *testing.T) {
	got := JoinLines([]Lines{{"b", 5, 6}, {"a", 7, 9}, {"b", 1, 3}, {"a", 1, 5}, {"a", 2, 3}, {"b", 4, 4}, {"a", 9, 12}})
	if want := []Lines{{"a", 1, 5}, {"a", 7, 12}, {"b", 1, 6}}; !slices.Equal(got, want) {
		t.Error(fmt.Sprint(got), want)
	}
}
