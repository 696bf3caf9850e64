package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

// judged gives a built driver as a scan would, with findings by the rules.
func judged(t *testing.T, path string, change func(m *driver.Image, call func(rva uint32, name string, value driver.Value, frames ...driver.Frame) *driver.Site)) Built {
	t.Helper()
	b := Built{Image: driver.Image{Build: driver.Build{
		ID: path, Project: path, Processor: nx.X64, Linker: "14.29", Minimum: nx.Windows7, MinimumSource: "subsystem version 6.1",
		Mechanism: nx.None, Initialised: driver.InitUnknown, Windows: []nx.Version{nx.Windows7, nx.Windows8, nx.Windows10},
	}}}
	if change != nil {
		change(&b.Image, func(rva uint32, name string, value driver.Value, frames ...driver.Frame) *driver.Site {
			s := binarySite(t, name, rva, frames...)
			s.Place.Path, s.Function, s.Value, s.Moment, s.Mechanism = path, "", value, driver.After, nx.None
			b.Sites = append(b.Sites, *s)
			return &b.Sites[len(b.Sites)-1]
		})
	}
	b.Findings = rule.Built(&b.Image)
	return b
}

func passed(v uint32) driver.Value { return driver.Value{Terms: []driver.Term{{Bits: v}}} }

// aDriver asks for all sorts of memory; one line of its source became two calls.
func aDriver(t *testing.T) Built {
	return judged(t, "out/drv.sys", func(m *driver.Image, call func(uint32, string, driver.Value, ...driver.Frame) *driver.Site) {
		m.Facts = []driver.Fact{{Kind: driver.DiscardableCode, Place: driver.Place{Path: "out/drv.sys"}, Spot: &driver.Spot{Section: "INIT", RVA: 0x5000}, Says: "INIT is so"}}
		v := passed(0)
		v.Steps = []driver.Step{{Place: driver.Place{Path: "out/drv.sys"}, Says: "0xff0: the value is 0"}, {Place: driver.Place{Path: "a.c", Line: 3}, Says: "and a line"}}
		s := call(0x1000, "ExAllocatePoolWithTag", v, frame("wdm.h", 1, "Kit"), frame("a.c", 7, "New"), frame("b.c", 9, "Get"))
		s.Function, s.Spot.Start = "Get", 0xf80
		s = call(0x1100, "ExAllocatePoolWithTag", passed(1))
		s.Spot.Start = 0x10e0
		v = passed(0)
		v.Unknown = "half of it is not followed"
		call(0x1200, "ExAllocatePoolWithTag", v)
		call(0x1300, "ExAllocatePoolWithTag", driver.Value{Unknown: "it is not followed"}).Function = "Other"
		m.Imports = []nx.DDI{m.Sites[0].DDI}
	})
}

func shownText(t *testing.T, v View, alone bool, list ...Built) string {
	t.Helper()
	var b strings.Builder
	if err := DriversText(&b, drivers(alone, list...), v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func drivers(alone bool, list ...Built) Drivers {
	d := Drivers{List: slices.Values(list), Alone: alone}
	for _, b := range list {
		d.Paths = append(d.Paths, b.Build.Project)
	}
	return d
}

func TestDriverText(t *testing.T) {
	const want = `out/drv.sys: x64, linker 14.29, minimum Windows 7 (subsystem version 6.1), no opt-in found

0x1000: warning 0x2000: ExAllocatePoolWithTag asks for executable nonpaged pool
     = at .text, Get+0x80, wdm.h:1, in Kit, inlined into a.c:7, in New, inlined into b.c:9, in Get
     = from 0xff0: the value is 0
     = from a.c:3: and a line
     = gets 0 (executable) on Windows 7, 8, 10
     = next: Opt the driver in ("nxport port"), or ask for NonPagedPoolNx or by ExAllocatePool2 where the minimum Windows has them (nxport explain 0x2000)

0x1200: warning 0x2000: ExAllocatePoolWithTag may ask for executable nonpaged pool
     = at .text
     = not known: half of it is not followed
     = gets 0 (may be executable) on Windows 7, 8, 10
     = next: Opt the driver in ("nxport port"), or ask for NonPagedPoolNx or by ExAllocatePool2 where the minimum Windows has them (nxport explain 0x2000)

0x5000: warning NX0020: INIT is so
     = next: Link with Visual Studio 2013 or later, whose linker makes INIT read and executed only, or with /SECTION:INIT,ERD (nxport explain NX0020)

4 requests:
  0 (executable) on Windows 7, 8, 10
    .text  0x1000    ExAllocatePoolWithTag            a.c:7, in New
  0 (may be executable) on Windows 7, 8, 10; or not known: half of it is not followed
    .text  0x1200    ExAllocatePoolWithTag
  not known: it is not followed
    .text  0x1300    ExAllocatePoolWithTag            Other
  1 (not executable) on Windows 7, 8, 10
    .text  0x1100    ExAllocatePoolWithTag            in the function at 0x10e0

Verdict:    executable requests
Why:        2 of 4, ExAllocatePoolWithTag at 0x1000
            INIT is so
            2 of 4 requests not known: half of it is not followed
Not judged: the signature, the list of blocked drivers, code that changes itself or comes into being when the driver runs
Next:       nxport explain 0x2000; where you have the source: nxport scan SOURCE out/drv.sys
`
	if got := shownText(t, View{}, true, aDriver(t)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for i, line := range strings.Split(shownText(t, View{Width: 60}, true, aDriver(t)), "\n") {
		if wide(line) > 72 { // a word that is longer than what is left stays whole
			t.Errorf("line %d: %q", i, line)
		}
	}
}

// Which requests go by the variable of the opt-in, and where that is set, is said.
func TestDriverTextOptedIn(t *testing.T) {
	b := judged(t, "d.sys", func(m *driver.Image, call func(uint32, string, driver.Value, ...driver.Frame) *driver.Site) {
		m.Build.Mechanism, m.Build.Initialised = nx.OptIn, driver.InitYes
		m.Facts = []driver.Fact{{Kind: driver.OptInCall, Place: driver.Place{Path: "d.sys"}, Spot: &driver.Spot{Section: "INIT", RVA: 0x5010}, Says: "it sets the variable"}}
		call(0x1000, "ExAllocatePoolWithTag", driver.Value{Terms: []driver.Term{{Tokens: []driver.Token{{Name: nx.PoolTypeVariable, In: nx.OptIn}}}}})
	})
	const want = `d.sys: x64, linker 14.29, minimum Windows 7 (subsystem version 6.1), opted in before its first request
  opt-in 0x5010: it sets the variable

1 request:
  ExDefaultNonPagedPoolType: 0 (executable) on Windows 7; 512 (not executable) on Windows 8, 10
    .text  0x1000    ExAllocatePoolWithTag

Verdict:    no finding
Why:        1 request, not executable from Windows 8 on
`
	if got := shownText(t, View{}, true, b); !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := fmt.Sprint(shownJSON(t, b)[0]["opt_ins"]); got != "[map[rva:20496 says:it sets the variable]]" {
		t.Error(got)
	}
}

// What no argument decides has no value, and what is about the whole image no address.
func TestDriverTextWhole(t *testing.T) {
	text := shownText(t, View{}, true, judged(t, "d.sys", func(m *driver.Image, call func(uint32, string, driver.Value, ...driver.Frame) *driver.Site) {
		m.Facts = []driver.Fact{{Kind: driver.UnalignedSection, Place: driver.Place{Path: "d.sys"}, Says: "it is so"}}
		call(0x1000, "MmMapIoSpace", driver.Value{})
		call(0x2000, "MmMapLockedPagesSpecifyCache", passed(16)).UserMode = true
	}))
	for _, want := range []string{"\nthe image: error 0x2004: it is so\n     = next: ", "\n     = gets executable on Windows 7, 8, 10\n", "\n  executable on Windows 7, 8, 10\n    .text  0x1000 ",
		"\n  16 (executable) on Windows 7, 8, 10, for user mode\n    .text  0x2000 "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// Of an image whose code is not read, what it imports is all that is known of its requests.
func TestDriverTextImports(t *testing.T) {
	text := shownText(t, View{}, true, judged(t, "d.sys", func(m *driver.Image, call func(uint32, string, driver.Value, ...driver.Frame) *driver.Site) {
		m.Build.Processor = nx.ARM
		m.Facts = []driver.Fact{{Kind: driver.NotJudged, Place: driver.Place{Path: "d.sys"}, Says: "its code is not read"}}
		m.Imports = []nx.DDI{{Name: "One"}, {Name: "Two"}}
	}))
	const want = `d.sys: arm, linker 14.29, minimum Windows 7 (subsystem version 6.1)

Imported, and no call found: One, Two

Verdict:    not judged
Why:        its code is not read
`
	if !strings.HasPrefix(text, want) {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}

// Of many alike findings some are shown, and the others counted: all stand in the list of requests.
func TestDriverTextFolds(t *testing.T) {
	b := judged(t, "d.sys", func(m *driver.Image, call func(uint32, string, driver.Value, ...driver.Frame) *driver.Site) {
		for i := range uint32(8) {
			call(0x1000+i*16, "ExAllocatePoolWithTag", passed(0))
		}
	})
	text := shownText(t, View{}, true, b)
	for want, n := range map[string]int{"warning 0x2000:": few + 1, "\n5 more places: warning 0x2000: ExAlloc": 1, "\n    .text  0x": 8, "\nWhy:        8 of 8, ": 1} {
		if got := strings.Count(text, want); got != n {
			t.Errorf("%q stands there %d times, want %d:\n%s", want, got, n, text)
		}
	}
}

func TestDriverRows(t *testing.T) {
	bad := Built{Unreadable: "no PE image"}
	bad.Build.Project = "bad\x1b[2J.sys"
	list := []Built{aDriver(t), judged(t, "z.sys", nil), bad}
	const want = `out/drv.sys  executable requests  2 of 4, ExAllocatePoolWithTag at 0x1000
z.sys        no finding           no request for memory
bad` + "\u241b" + `[2J.sys  unreadable           no PE image

3 drivers: 1 executable requests, 1 no finding, 1 unreadable
Not judged of any: the signature, the list of blocked drivers, code that changes itself or comes into being when the driver runs.
Next: nxport scan DRIVER.sys says all that is known of one driver
`
	if got := shownText(t, View{}, false, list...); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	const narrow = `out/drv.sys  executable requests  2 of 4, ExA…
z.sys        no finding           no request …
`
	if got := shownText(t, View{Width: 47}, false, list...); !strings.HasPrefix(got, narrow) {
		t.Errorf("got\n%s\nwant\n%s", got, narrow)
	}
	if got := shownText(t, View{Width: 33}, false, list...); !strings.HasPrefix(got, "out/drv.sys  executable requests  …\n") {
		t.Errorf("in 33 columns:\n%s", got)
	}
	if got := shownText(t, View{Width: 24}, false, list...); !strings.HasPrefix(got, "…drv.sys  executable requests  …\n") {
		t.Errorf("in 24 columns:\n%s", got)
	}
	if got := cutFront("äöü/drv.sys", 9); got != "…/drv.sys" {
		t.Errorf("%q", got)
	}
	if got := shownText(t, View{}, true, bad); !strings.HasPrefix(got, "bad\u241b[2J.sys  unreadable") {
		t.Errorf("one that is alone and can't be read:\n%s", got)
	}
}

func TestVerdict(t *testing.T) {
	type caller = func(uint32, string, driver.Value, ...driver.Frame) *driver.Site
	fact := func(m *driver.Image, kind driver.FactKind) {
		m.Facts = append(m.Facts, driver.Fact{Kind: kind, Place: driver.Place{Path: "d.sys"}, Says: string(kind)})
	}
	for _, c := range []struct {
		name    string
		change  func(*driver.Image, caller)
		verdict Verdict
		reasons string
	}{
		{"nothing", nil, NoFinding, ""},
		{"paged", func(m *driver.Image, call caller) { call(1, "ExAllocatePool", passed(1)) }, NoFinding, ""},
		{"executable", func(m *driver.Image, call caller) {
			fact(m, driver.NotJudged)
			fact(m, driver.WritableCode)
			call(1, "ExAllocatePool", passed(1))
			call(2, "ExAllocatePool", passed(0))
			call(3, "ExAllocatePool", driver.Value{Unknown: "why"})
		}, Executable, "1 of 3, ExAllocatePool at 0x2; writable and executable section; not judged; 1 of 3 requests not known: why"},
		{"never opted in", func(m *driver.Image, call caller) {
			m.Build.Mechanism, m.Build.Initialised = nx.OptIn, driver.InitNo
			v := driver.Value{Terms: []driver.Term{{Tokens: []driver.Token{{Name: nx.PoolTypeVariable, In: nx.OptIn, At: driver.Before}}}}}
			call(1, "ExAllocatePool", v).Moment = driver.Before
			call(2, "ExAllocatePool", passed(0))
		}, Executable, "it is compiled with POOL_NX_OPTIN, but nothing in it sets ExDefaultNonPagedPoolType: 1 request stays executable on every Windows; " +
			"1 of 2, ExAllocatePool at 0x2"},
		{"opted in at a time that is not known", func(m *driver.Image, call caller) {
			m.Build.Mechanism, m.Build.Initialised = nx.OptIn, driver.InitUnknown
			v := driver.Value{Terms: []driver.Term{{Tokens: []driver.Token{{Name: nx.PoolTypeVariable, In: nx.OptIn, At: driver.Before | driver.After}}}}}
			call(1, "ExAllocatePool", v)
			call(2, "ExAllocatePool", v)
			call(3, "ExAllocatePool", passed(1))
		}, NotKnown, "2 of 3, ExAllocatePool gets no-execute memory only if the opt-in call runs before it, which is not shown"},
		{"an import that nothing is seen to call", func(m *driver.Image, call caller) {
			m.Imports = []nx.DDI{{Name: "Called"}, {Name: "Port", Kind: nx.PortDriver}, {Name: "Other"}}
			call(1, "ExAllocatePool", passed(1)).DDI.Name = "Called"
		}, NotKnown, "it imports Other, and no call of it is found"},
		{"an address that is taken", func(m *driver.Image, call caller) {
			fact(m, driver.AddressTaken)
			call(1, "ExAllocatePool", passed(1))
		}, NotKnown, "address taken"},
		{"layout, twice", func(m *driver.Image, call caller) {
			fact(m, driver.WritableCode)
			fact(m, driver.WritableCode)
		}, BadLayout, "writable and executable section, and 1 more"},
		{"layout", func(m *driver.Image, call caller) {
			fact(m, driver.NotJudged)
			fact(m, driver.UnalignedSection)
		}, BadLayout, "unaligned section; not judged"},
		{"relocations alone", func(m *driver.Image, call caller) { fact(m, driver.StraddlingRelocation) }, NoFinding, "relocation of two pages"},
		{"not judged", func(m *driver.Image, call caller) {
			fact(m, driver.NotJudged)
			call(3, "ExAllocatePool", driver.Value{Unknown: "why"})
		}, NotJudged, "not judged; 1 of 1 request not known: why"},
		{"for no Windows", func(m *driver.Image, call caller) {
			m.Build.Windows = nil
			call(2, "ExAllocatePool", passed(0))
		}, NotJudged, "it loads from Windows 7 on (subsystem version 6.1), which is above all that it was to be judged for"},
		{"unknown", func(m *driver.Image, call caller) { call(3, "ExAllocatePool", driver.Value{Unknown: "why"}) }, NotKnown, "1 of 1 request not known: why"},
		{"what the port driver decides", func(m *driver.Image, call caller) { call(3, "StorPortAllocatePool", driver.Value{}) }, NoFinding, ""},
		{"no alternative", func(m *driver.Image, call caller) { call(3, "MmMapIoSpace", driver.Value{}) }, NoFinding,
			"MmMapIoSpace gives executable memory, whatever its arguments are: before Windows 10, which brought MmMapIoSpaceEx, there is no other"},
	} {
		b := judged(t, "d.sys", c.change)
		if got := strings.Join(b.Reasons(), "; "); b.Verdict() != c.verdict || got != c.reasons {
			t.Errorf("%s: %s\ngot  %s\nwant %s", c.name, b.Verdict(), got, c.reasons)
		}
	}
}

// What has no alternative fails nothing, whatever the level.
func TestTally(t *testing.T) {
	var tally Tally
	for range tally.Count(slices.Values([]Built{judged(t, "d.sys", func(m *driver.Image, call func(uint32, string, driver.Value, ...driver.Frame) *driver.Site) {
		call(3, "MmMapIoSpace", driver.Value{})
	})})) {
	}
	if tally.Worst != 0 || tally.Levels[rule.Note] != 1 || tally.Drivers != 1 || tally.Sites != 1 {
		t.Errorf("%+v", tally)
	}
	s := binarySite(t, "ExAllocatePool", 0x1000)
	if s.Spot.Start = 0x1000; functionBuilt(*s) != "Get" {
		t.Error(functionBuilt(*s))
	}
}

// aHeld is a driver beside its source, of which one request disagrees.
func aHeld(t *testing.T) Built {
	b := aDriver(t)
	source := driver.Image{Build: driver.Build{ID: "drv.vcxproj|Release|x64"}}
	for _, line := range []int{7, 20, 30, 40, 50} {
		s := *binarySite(t, map[bool]string{false: "ExAllocatePoolWithTag", true: "ExAllocatePool2"}[line == 50], 0)
		s.Spot, s.Place, s.Function, s.Moment, s.Value = nil, driver.Place{Path: "a.c", Line: line, Offset: line}, "New", driver.After, passed(1)
		source.Sites = append(source.Sites, s)
	}
	b.Sites[1].Spot.Frames = []driver.Frame{frame("a.c", 20, "New")}
	b.Held, b.Source, b.Matches = true, source.Build.ID, driver.Hold(source, b.Image, b.Build.Windows)
	b.Findings = append(b.Findings, rule.Differences(&b.Image, b.Matches)...)
	rule.SortBuilt(b.Findings)
	return b
}

func TestHeldText(t *testing.T) {
	text := shownText(t, View{}, true, aHeld(t))
	for _, want := range []string{
		"\n0x1000: warning NX0021: ExAllocatePoolWithTag passes something else than its source at a.c:7: on Windows 7 the source passes 0x1, the image 0x0\n",
		"\nBeside drv.vcxproj|Release|x64: 1 agree, 1 disagree, 1 only in the source, 2 not known\n",
		"\n  disagree            ExAllocatePoolWithTag, a.c:7 New, at 0x1000: on Windows 7 the source passes 0x1, the image 0x0\n",
		"\n  only in the source  ExAllocatePool2, a.c:50 New\n",
		"\n  agree               ExAllocatePoolWithTag, a.c:20 New, at 0x1100\n",
		"\nNext:       nxport explain NX0021\n",
		"\nVerdict:    differs from source\nWhy:        ExAllocatePoolWithTag passes something else",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for want, b := range map[string]Built{
		"nxport explain 0x2000\n": aDriver(t),
		"see what the source asks for there\n": judged(t, "d.sys", func(m *driver.Image, call func(uint32, string, driver.Value, ...driver.Frame) *driver.Site) {
			call(3, "ExAllocatePool", driver.Value{Unknown: "why"})
		}),
	} {
		b.Held = true
		if text := shownText(t, View{}, true, b); !strings.HasSuffix(text, "Next:       "+want) {
			t.Errorf("got\n%s", text)
		}
	}
	row := shownText(t, View{}, false, aHeld(t))
	if want := "out/drv.sys  differs from source  ExAllocatePoolWithTag passes"; !strings.HasPrefix(row, want) ||
		!strings.Contains(row, "\n    beside drv.vcxproj|Release|x64: 1 agree, 1 disagree, 1 only in the source, 2 not known\n"+
			"      disagree            ExAllocatePoolWithTag, a.c:7 New, at 0x1000: on Windows 7 the source passes 0x1, the image 0x0\n\n1 driver: ") {
		t.Errorf("got\n%s", row)
	}
	b := judged(t, "d.sys", nil)
	b.Held, b.NotHeld = true, "two differ"
	if text := shownText(t, View{}, true, b); !strings.Contains(text, "\nNot held against the source: two differ\n") {
		t.Errorf("got\n%s", text)
	}
}

// shownJSON decodes the lines of a report.
func shownJSON(t *testing.T, list ...Built) (lines []map[string]any) {
	t.Helper()
	var b strings.Builder
	if err := DriversJSON(&b, drivers(false, list...), View{}); err != nil {
		t.Fatal(err)
	}
	for _, text := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		line := map[string]any{}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err, text)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestDriversJSON(t *testing.T) {
	bad := Built{Unreadable: "no PE image"}
	bad.Build.Project = "bad.sys"
	lines := shownJSON(t, aHeld(t), bad)
	var kinds []string
	for _, line := range lines {
		kinds = append(kinds, fmt.Sprint(line["type"]))
	}
	want := "image site site site site finding finding finding finding comparison comparison comparison comparison comparison unreadable summary"
	if got := strings.Join(kinds, " "); got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
	check := func(i int, want string) {
		t.Helper()
		text, _ := json.Marshal(lines[i])
		if got := string(text); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	lines[0]["reasons"] = len(lines[0]["reasons"].([]any))
	check(0, `{"arch":"x64","imports":["ExAllocatePoolWithTag"],"initialised":"unknown","linker":"14.29","mechanism":"none",`+
		`"minimum_source":"subsystem version 6.1","minimum_windows":"6.1","path":"out/drv.sys","reasons":4,"type":"image","verdict":"differs from source"}`)
	check(1, `{"ddi":"ExAllocatePoolWithTag","decides":1,"frames":[{"function":"Kit","line":1,"path":"wdm.h"},{"function":"New","line":7,"path":"a.c"},`+
		`{"function":"Get","line":9,"path":"b.c"}],"function":"Get","kind":"pool_type","on":[{"executable":"yes","values":[0],"windows":"6.1"},`+
		`{"executable":"yes","values":[0],"windows":"6.2"},{"executable":"yes","values":[0],"windows":"10.0"}],"path":"out/drv.sys","rva":4096,`+
		`"section":".text","start":3968,"state":"resolved","type":"site","why":[{"path":"out/drv.sys","says":"0xff0: the value is 0"},`+
		`{"line":3,"path":"a.c","says":"and a line"}],"witness":"image"}`)
	if s := lines[4]; s["state"] != "unknown" || fmt.Sprint(s["why"]) != "[map[says:unknown: it is not followed]]" {
		t.Error(s)
	}
	if f := lines[8]; f["rule"] != "NX0020" || f["rva"] != 20480.0 || f["section"] != "INIT" || f["level"] != "warning" {
		t.Error(f)
	}
	check(9, `{"against":"source","build":"drv.vcxproj|Release|x64","calls":[4096],"ddi":"ExAllocatePoolWithTag","image":"out/drv.sys",`+
		`"on":[{"image":[0],"source":[1],"windows":"6.1"},{"image":[0],"source":[1],"windows":"6.2"},{"image":[0],"source":[1],"windows":"10.0"}],`+
		`"source":[{"function":"New","line":7,"path":"a.c"}],"type":"comparison","verdict":"disagree","why":"on Windows 7 the source passes 0x1, the image 0x0"}`)
	check(14, `{"path":"bad.sys","type":"unreadable","why":"no PE image"}`)
	check(15, `{"by_state":{"resolved":2,"unknown":2},"by_verdict":{"differs from source":1,"unreadable":1},"findings":{"error":0,"note":0,"warning":4},`+
		`"images":2,"sites":4,"type":"summary"}`)
}

func TestDriversMSBuild(t *testing.T) {
	var b strings.Builder
	if err := DriversMSBuild(&b, drivers(false, aDriver(t)), View{}); err != nil {
		t.Fatal(err)
	}
	const want = `a.c(7): warning 0x2000: ExAllocatePoolWithTag asks for executable nonpaged pool, at 0x1000 of out/drv.sys
out/drv.sys : warning 0x2000: ExAllocatePoolWithTag may ask for executable nonpaged pool, at 0x1200
out/drv.sys : warning NX0020: INIT is so, at 0x5000
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Frames without lines, and requests that are alike.
func TestDriversAlike(t *testing.T) {
	b := judged(t, "d.sys", func(m *driver.Image, call func(uint32, string, driver.Value, ...driver.Frame) *driver.Site) {
		call(0x1000, "ExAllocatePool", passed(0), frame("a.s", 0, "Get"))
		call(0x1010, "ExAllocatePool", passed(0))
	})
	var msbuild, sarif strings.Builder
	if err := errors.Join(DriversMSBuild(&msbuild, drivers(false, b), View{}), DriversSARIF(&sarif, drivers(false, b), View{})); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(msbuild.String(), "d.sys : warning 0x2000: ") {
		t.Error(msbuild.String())
	}
	var log sarifLog
	if err := json.Unmarshal([]byte(sarif.String()), &log); err != nil {
		t.Fatal(err)
	}
	r := log.Runs[0].Results
	if p := r[0].Locations[0].Physical; p.Artifact.URI != "d.sys" || p.Address == nil || r[0].Fingerprints[fingerprint] == r[1].Fingerprints[fingerprint] {
		t.Errorf("%+v, %+v", r[0], r[1])
	}
	if got := all([]*driver.Site{&b.Sites[0], &b.Sites[1]}, nx.Windows10); !slices.Equal(got, []uint32{0}) {
		t.Error(got)
	}
}

// The run that is written in pieces is the one that the other reports write whole.
func TestDriversSARIF(t *testing.T) {
	bad := Built{Unreadable: "no PE image"}
	bad.Build.Project = "bad.sys"
	for _, source := range []*Scan{nil, {Unreadable: []project.Skipped{{Path: "x.vcxproj", Why: "broken"}}}} {
		var b strings.Builder
		d := drivers(false, aDriver(t))
		d.Source = source
		if err := DriversSARIF(&b, d, View{}); err != nil {
			t.Fatal(err)
		}
		var log sarifLog
		if err := json.Unmarshal([]byte(b.String()), &log); err != nil || len(log.Runs) != 1 && source == nil || len(log.Runs) != 2 && source != nil {
			t.Fatalf("%v, %d runs", err, len(log.Runs))
		}
		if last := log.Runs[len(log.Runs)-1]; len(last.Results) != 3 || !last.Invocations[0].Successful || source != nil && log.Runs[0].Invocations[0].Successful {
			t.Errorf("%+v", log.Runs)
		}
	}
	for _, list := range [][]Built{nil, {aDriver(t), bad, aDriver(t)}} {
		var b strings.Builder
		if err := DriversSARIF(&b, drivers(false, list...), View{Version: "v1.2.3"}); err != nil {
			t.Fatal(err)
		}
		var log sarifLog
		d := json.NewDecoder(strings.NewReader(b.String()))
		d.DisallowUnknownFields()
		if err := d.Decode(&log); err != nil {
			t.Fatalf("%v in\n%s", err, b.String())
		}
		run := log.Runs[0]
		if n := len(rule.All()) + len(rule.OfChecks()); len(run.Tool.Driver.Rules) != n || run.ColumnKind != "utf16CodeUnits" || log.Version != "2.1.0" {
			t.Errorf("%d rules, want %d", len(run.Tool.Driver.Rules), n)
		}
		if inv := run.Invocations; len(inv) != 1 || inv[0].Successful != (list == nil) || len(inv[0].Notifications) != len(list)/3 {
			t.Errorf("invocations: %+v", inv)
		}
		if run.Results == nil || len(run.Results) != 3*(len(list)-len(list)/3) {
			t.Fatalf("%d results", len(run.Results))
		}
		for i, r := range run.Results {
			if id := run.Tool.Driver.Rules[r.RuleIndex].ID; id != r.RuleID {
				t.Errorf("result %d is of %s, its rule %s", i, r.RuleID, id)
			}
		}
		if list == nil {
			continue
		}
		first, second := run.Results[0], run.Results[1]
		if p := first.Locations[0].Physical; p.Artifact.URI != "a.c" || p.Region == nil || p.Region.Line != 7 || p.Address != nil {
			t.Errorf("%+v", p)
		}
		if p := second.Locations[0].Physical; p.Artifact.URI != "out/drv.sys" || p.Region != nil || p.Address == nil || p.Address.Relative != 0x1200 {
			t.Errorf("%+v", p)
		}
		if !strings.HasPrefix(second.Message.Text, "ExAllocatePoolWithTag may ask for executable nonpaged pool, at 0x1200 of out/drv.sys. It gets 0 (may be") {
			t.Error(second.Message.Text)
		}
		if len(first.CodeFlows) != 1 || first.Fingerprints[fingerprint] == second.Fingerprints[fingerprint] {
			t.Errorf("%+v, %+v", first, second)
		}
	}
}
