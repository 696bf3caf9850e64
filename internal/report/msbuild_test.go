package report

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/rule"
)

// canonical is Microsoft's description of what MSBuild takes for an error or a warning: "Origin : Subcategory Category Code :
// Text", where the origin is a file name with "(line)" or "(line,column)" or a name alone, has no colon but that of a drive,
// and the category is error or warning.
var canonical = regexp.MustCompile(`^((?:[A-Za-z]:)?[^:(]+?)(?:\((\d+)(?:,(\d+))?\))? ?: (error|warning) ([A-Z0-9]+): (.*)$`)

func TestMSBuild(t *testing.T) {
	r := small(t)
	r.Findings = append(r.Findings, rule.Finding{Rule: ruleByID(t, "C30030"), Level: rule.Error, Message: "far: error X1: off\nand on", Place: driver.Place{Path: "C:/kit/wdm.h", Line: 7, Column: 3, Offset: 90}})
	var b strings.Builder
	if err := MSBuild(&b, r, View{Suppressed: true}); err != nil {
		t.Fatal(err)
	}
	want := `C:/kit/wdm.h(7): error C30030: far: error X1: off and on
d.vcxproj : warning NX0001: it is never called
dir one/a.c(2,15): warning C30030: ExAllocatePool asks for executable nonpaged pool
dir one/a.c(3,5): suppressed C30030: Never asks
dir one/a.c(3,5): note NX0003: too late
`
	if b.String() != want {
		t.Errorf("got\n%s, want\n%s", b.String(), want)
	}
	for line := range strings.Lines(want) {
		m := canonical.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if taken := strings.Contains(line, ": warning ") || strings.Contains(line, ": error C"); taken != (m != nil) {
			t.Errorf("MSBuild takes %q as %q", line, m)
		}
	}
}

// The keys that came later are left out where they say nothing.
func TestJSONFindings(t *testing.T) {
	r := small(t)
	for _, tt := range []struct {
		v    View
		want string
	}{
		{View{}, `NX0001 warning; C30030 warning; NX0003 note no_alternative steps`},
		{View{Suppressed: true}, `NX0001 warning; C30030 warning; C30030 warning suppressed; NX0003 note no_alternative steps`},
	} {
		var b strings.Builder
		if err := JSON(&b, r, tt.v); err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(b.String()) {
			var f map[string]any
			if err := json.Unmarshal([]byte(line), &f); err != nil {
				t.Fatal(err)
			}
			if f["type"] == "summary" && (f["suppressed"] != 1.0 || f["findings"].(map[string]any)["note"] != 1.0) {
				t.Errorf("the summary is %s", line)
			}
			if f["type"] != "finding" {
				continue
			}
			says := f["rule"].(string) + " " + f["level"].(string)
			for _, key := range []string{"no_alternative", "steps", "suppressed"} {
				if _, ok := f[key]; ok {
					says += " " + key
				}
			}
			got = append(got, says)
			if f["suppressed"] != nil && !strings.Contains(line, `"suppressed":{"path":"dir one/a.c","line":2,"rules":["30030"],"reason":"a JIT"}`) {
				t.Errorf("suppressed as %s", line)
			}
			if f["steps"] != nil && !strings.Contains(line, `"steps":[{"path":"dir one/a.c","line":3,"says":"the call"},{"says":"from nowhere"}]`) {
				t.Errorf("evidence as %s", line)
			}
		}
		if all := strings.Join(got, "; "); all != tt.want {
			t.Errorf("findings are %s, want %s", all, tt.want)
		}
	}
}
