package rule

import (
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/nx"
)

// Every rule can be explained, and found by its ID. That the examples are true is proved in package port.
func TestRulesAreDocumented(t *testing.T) {
	var ids []string
	for _, r := range All() {
		ids = append(ids, r.ID)
		texts := []string{r.Name, r.Doc.What, r.Doc.Why, r.Doc.Fix}
		if !r.OnlyBuilt() {
			texts = append(texts, r.Doc.Before, r.Doc.After)
		}
		for _, text := range texts {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: a part of its documentation is missing", r.ID)
			}
		}
		if official := strings.HasPrefix(r.ID, "C"); official != (r.Official != "") {
			t.Errorf("%s: official identifier %q", r.ID, r.Official)
		}
	}
	if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("rules stand as %v, want sorted and each once", ids)
	}
}

func TestMerge(t *testing.T) {
	at := func(line int) driver.Place { return driver.Place{Path: "a.c", Line: line, Offset: line} }
	r, s := &Rule{ID: "R"}, &Rule{ID: "S"}
	two := &driver.Site{Spelled: at(9)}
	place := func(n int) edit.Edit { return edit.Edit{Path: "a.c", Start: n, End: n} }
	fix := &Fix{Title: "fix", Safe: true, Edits: []edit.Edit{place(1)}}
	other := &Fix{Title: "fix", Safe: true, Edits: []edit.Edit{place(1), place(2)}}
	got := Merge([]Finding{
		{Rule: r, Message: "m", Place: at(2), Builds: []string{"x"}, Level: Note},
		{Rule: r, Message: "m", Place: at(1), Builds: []string{"x"}},
		{Rule: r, Message: "m", Place: at(2), Builds: []string{"y"}, Level: Warning, Fix: fix},
		{Rule: r, Message: "m", Place: at(2), Builds: []string{"y"}},
		{Rule: r, Message: "m", Place: at(2), Builds: []string{"z"}, Fix: other},
		{Rule: s, Message: "m", Place: at(2), Builds: []string{"y"}},
		{Rule: r, Message: "n", Place: at(2), Builds: []string{"y"}},
		{Rule: r, Message: "m", Place: at(2), Builds: []string{"y"}, Site: two},
	})
	if len(got) != 5 {
		t.Fatalf("%d findings, want 5: %v", len(got), got)
	}
	if m := got[1]; !slices.Equal(m.Builds, []string{"x", "y", "z"}) || m.Level != Warning || m.Fix == nil ||
		!slices.Equal(m.Fix.Edits, other.Edits) || !m.Fix.Safe || len(fix.Edits) != 1 {
		t.Errorf("merged into builds %v, level %s, fix %v", m.Builds, m.Level, m.Fix)
	}
}

// Only what Windows resolves by name when it loads a driver can keep it from loading.
func TestIsImported(t *testing.T) {
	for _, d := range nx.DDIs() {
		want, asked := map[string]bool{
			"ExAllocatePool2": true, "MmMapIoSpaceEx": true, "StorPortAllocateDmaMemory": false, "WdfDeviceAllocAndQueryPropertyEx": false,
			"IPortClsNotifications::AllocNotificationBuffer": false,
		}[d.Name]
		if asked && isImported(d) != want {
			t.Errorf("%s: %v", d.Name, !want)
		}
	}
}

// A call is replaced as a whole: where builds see other arguments of it, it stays.
func TestCallsOf(t *testing.T) {
	d := nx.DDIs()[slices.IndexFunc(nx.DDIs(), func(d nx.DDI) bool { return d.Name == "ExAllocatePool" })]
	image := func(end int) driver.Image {
		call := driver.Call{Name: driver.Place{Path: "a.c", Offset: 10}, Start: 25, Stop: 34, End: end, Constant: true}
		paged := driver.Value{Terms: []driver.Term{{Tokens: []driver.Token{{Name: "PagedPool"}}}}}
		return driver.Image{Build: driver.Build{Minimum: version2004}, Sites: []driver.Site{{DDI: d, Call: call, Value: paged}}}
	}
	for end, want := range map[int]string{40: "", 41: "its arguments are others in another build"} {
		images := []driver.Image{image(40), image(end), image(40)}
		all := texts{calls: callsOf(images)}
		fix, why := all.calls[calledAt(&images[0].Sites[0])].fix()
		if why != want || (fix == nil) != (want != "") {
			t.Errorf("%d: %q, %v", end, why, fix)
		}
	}
}
