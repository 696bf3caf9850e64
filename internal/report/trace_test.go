package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// aTrace is one of two Windows: on the second a request is another than was predicted, one was not predicted, one not reached, and
// one could not be seen.
func aTrace(t *testing.T) Trace {
	row := func(name string) nx.DDI {
		for _, d := range nx.DDIs() {
			if d.Name == name {
				return d
			}
		}
		t.Fatalf("no DDI %s", name)
		return nx.DDI{}
	}
	seen := func(w nx.Version, ddi string, value uint32, size uint64, tag string, rva uint32, frames ...driver.Frame) driver.Site {
		return driver.Site{Witness: driver.Trace, DDI: row(ddi), Moment: driver.After, Value: driver.Value{Terms: []driver.Term{{Bits: value}}},
			Seen: &driver.Request{Windows: w, Value: value, Size: size, Tag: tag, RVA: rva, Frames: frames}}
	}
	predicted := func(line int, function, ddi, token string) driver.Site {
		return driver.Site{Witness: driver.Source, Place: driver.Place{Path: "a.c", Line: line}, Function: function, DDI: row(ddi), Moment: driver.After,
			Value: driver.Value{Terms: []driver.Term{{Tokens: []driver.Token{{Name: token, In: nx.OptIn}}}}}}
	}
	frame := driver.Frame{Place: driver.Place{Path: "a.c", Line: 7}, Function: "F"}
	source := driver.Image{Build: driver.Build{ID: "a.vcxproj|Release|x64"}, Sites: []driver.Site{
		predicted(7, "F", "ExAllocatePoolWithTag", "NonPagedPool"),
		predicted(9, "G", "MmGetSystemAddressForMdlSafe", "NormalPagePriority"),
		predicted(11, "H", "ExAllocatePool2", "POOL_FLAG_PAGED"),
	}}
	binary := driver.Image{Sites: []driver.Site{
		{Witness: driver.Binary, DDI: row("ExAllocatePoolWithTag"), Spot: &driver.Spot{Section: ".text", RVA: 0x1000, Return: 0x1006, Frames: []driver.Frame{frame}}},
		{Witness: driver.Binary, DDI: row("MmMapIoSpace"), Spot: &driver.Spot{Section: ".text", RVA: 0x2000, Return: 0x2006}},
	}}
	gap := func(d nx.DDI) string {
		if d.Name == "ExAllocatePool2" {
			return "Wine exports none"
		}
		return ""
	}
	r := Trace{Build: source.Build.ID}
	for _, m := range []driver.Image{
		{Build: driver.Build{Minimum: nx.Windows7}, Sites: []driver.Site{seen(nx.Windows7, "ExAllocatePoolWithTag", 0, 12, "abcd", 0x1006, frame)}},
		{Build: driver.Build{Minimum: nx.Windows10}, Sites: []driver.Site{
			seen(nx.Windows10, "ExAllocatePoolWithTag", 0, 1, "abcd", 0x1006, frame), seen(nx.Windows10, "ExAllocatePool", 1, 0, "", 0)}},
	} {
		r.Seen = append(r.Seen, m)
		r.Source = append(r.Source, driver.Observe(source, m, gap))
		r.Binary = append(r.Binary, driver.Observe(binary, m, gap))
	}
	return r
}

func TestTraceText(t *testing.T) {
	const withSource = `
Windows 7   ExAllocatePoolWithTag            0x0         abcd     12 bytes  executable      agree          0x1006   a.c:7 F
Windows 7, scan of a.vcxproj|Release|x64: 1 agree, 1 not reached, 1 not observable
  not reached: a.c:9 G MmGetSystemAddressForMdlSafe
  not observable: a.c:11 H ExAllocatePool2: Wine exports none

Windows 10  ExAllocatePoolWithTag            0x0         abcd       1 byte  executable      disagree       0x1006   a.c:7 F
Windows 10  ExAllocatePool                   0x1                            not executable  disagree
Windows 10, scan of a.vcxproj|Release|x64: 2 disagree, 1 not reached, 1 not observable
  disagree: a.c:7 F ExAllocatePoolWithTag: predicted 0x200, seen 0x0
  not reached: a.c:9 G MmGetSystemAddressForMdlSafe
  not observable: a.c:11 H ExAllocatePool2: Wine exports none
  disagree: ExAllocatePool: no request of this routine was predicted
`
	const without = `
Windows 7   ExAllocatePoolWithTag            0x0         abcd     12 bytes  executable      0x1006   a.c:7 F

Windows 10  ExAllocatePoolWithTag            0x0         abcd       1 byte  executable      0x1006   a.c:7 F
Windows 10  ExAllocatePool                   0x1                            not executable

Not seen: 1 of 2 calls in the image
  not reached: 0x2000 MmMapIoSpace
`
	tr := aTrace(t)
	for _, want := range []string{withSource, without} {
		var b bytes.Buffer
		if err := TraceText(&b, tr); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, "\n"+b.String()); diff != "" {
			t.Error(diff)
		}
		tr.Source = nil
	}
}

// What an old Windows does not know takes more room, in all rows of that Windows.
func TestTraceTextUnknown(t *testing.T) {
	tr := Trace{Seen: aTrace(t).Seen[:1]}
	known, unknown := tr.Seen[0].Sites[0], tr.Seen[0].Sites[0]
	q := *unknown.Seen
	q.Value = 512
	unknown.Seen, unknown.Value = &q, driver.Value{Terms: []driver.Term{{Bits: 512}}}
	tr.Seen[0].Sites = []driver.Site{known, unknown}
	const want = `
Windows 7   ExAllocatePoolWithTag            0x0         abcd     12 bytes  executable                 0x1006   a.c:7 F
Windows 7   ExAllocatePoolWithTag            0x200       abcd     12 bytes  not known to this Windows  0x1006   a.c:7 F
`
	var b bytes.Buffer
	if err := TraceText(&b, tr); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, "\n"+b.String()); diff != "" {
		t.Error(diff)
	}
}

// Of what can't be told apart the summary says how many: perhaps one of them was reached, and not all.
func TestTraceTextAlike(t *testing.T) {
	tr := aTrace(t)
	first := tr.Source[0][0]
	first.Why = "one of 2 requests that can't be told apart"
	tr.Source[0] = []driver.Observation{first, first, tr.Source[0][0]}
	var b bytes.Buffer
	if err := TraceText(&b, tr); err != nil {
		t.Fatal(err)
	}
	if want := "|x64: 3 agree (of which 2 can't be told apart from others)\n"; !strings.Contains(b.String(), want) {
		t.Errorf("no %q in\n%s", want, b.String())
	}
}

func TestTraceJSON(t *testing.T) {
	var b bytes.Buffer
	if err := TraceJSON(&b, aTrace(t)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	for i, want := range map[int]string{
		0: `{"type":"site","witness":"trace","windows":"6.1","ddi":"ExAllocatePoolWithTag","value":0,"size":12,"tag":"abcd","rva":4102,` +
			`"frames":[{"path":"a.c","line":7,"function":"F"}]}`,
		2: `{"type":"site","witness":"trace","windows":"10.0","ddi":"ExAllocatePool","value":1,"size":0,"tag":""}`,
		4: `{"type":"comparison","against":"image","windows":"6.1","verdict":"not reached","ddi":"MmMapIoSpace","rva":8192,"seen":[]}`,
		8: `{"type":"comparison","against":"source","windows":"6.1","verdict":"agree","ddi":"ExAllocatePoolWithTag","path":"a.c","line":7,` +
			`"function":"F","predicted":[0],"seen":[0]}`,
		11: `{"type":"comparison","against":"source","windows":"10.0","verdict":"disagree","why":"predicted 0x200, seen 0x0",` +
			`"ddi":"ExAllocatePoolWithTag","path":"a.c","line":7,"function":"F","predicted":[512],"seen":[0]}`,
	} {
		if i >= len(lines) || lines[i] != want {
			t.Errorf("line %d\n got %s\nwant %s", i, lines[min(i, len(lines)-1)], want)
		}
	}
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
	if len(lines) != 15 {
		t.Errorf("%d lines, want 3 sites, 5 and 7 comparisons", len(lines))
	}
}
