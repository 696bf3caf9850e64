package report

import (
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/hlk"
	"github.com/nxport/nxport/nx"
)

func frame(path string, line int, function string) driver.Frame {
	return driver.Frame{Place: driver.Place{Path: path, Line: line}, Function: function}
}

func binarySite(t *testing.T, name string, rva uint32, frames ...driver.Frame) *driver.Site {
	t.Helper()
	for _, d := range nx.DDIs() {
		if d.Name == name {
			return &driver.Site{
				Witness: driver.Binary, Place: driver.Place{Path: "drv.sys"}, DDI: d, Function: "Get",
				Value: driver.Value{Unknown: "nobody looked"}, Spot: &driver.Spot{Section: ".text", RVA: rva, Frames: frames},
			}
		}
	}
	t.Fatal(name)
	return nil
}

func TestAddressText(t *testing.T) {
	const pool, mapping = "ExAllocatePoolWithTag", "MmMapLockedPagesSpecifyCache"
	a := Address{Path: "drv.sys", RVA: 0x1006, Section: ".text", Function: "Get", Offset: 6}
	for _, tt := range []struct {
		name   string
		change func(a *Address)
		want   string
	}{
		{"with its value", func(a *Address) {
			a.Relation, a.Site = In, binarySite(t, pool, 0x1000)
			a.Site.Value = driver.Value{Terms: []driver.Term{{}, {Bits: 512}}, Steps: []driver.Step{
				{Place: driver.Place{Path: "drv.sys"}, Says: "0xff0: the value is 0"}, {Place: driver.Place{Path: "lib.sys"}, Says: "0x1: elsewhere"}}}
			a.NoLines = "it has none"
		}, `drv.sys 0x1006: .text, Get+0x6
  source   not known: it has none
  request  ExAllocatePoolWithTag: the address is in the call at 0x1000
  decides  argument 1 decides (pool_type)
           0xff0: the value is 0
           lib.sys: 0x1: elsewhere
           it is 0 or 512
  next     nxport explain 0x2000
           nxport explain ExAllocatePoolWithTag
`},
		{"behind a call, inlined", func(a *Address) {
			a.Relation, a.Site = Behind, binarySite(t, pool, 0x1000)
			a.Frames = []driver.Frame{frame("a.c", 7, "New"), frame("b.c", 9, "Get")}
		}, `drv.sys 0x1006: .text, Get+0x6
  source   a.c:7, in New
  inlined into b.c:9, in Get
  request  ExAllocatePoolWithTag: the address is where the call at 0x1000 returns to
  decides  argument 1 decides (pool_type)
           it is unknown: nobody looked
  next     nxport explain a.c:7
           nxport explain 0x2000
           nxport explain ExAllocatePoolWithTag
`},
		{"near, without names", func(a *Address) {
			a.Relation, a.Site, a.Function, a.NoLines = Near, binarySite(t, mapping, 0x1010), "", "it has none"
		}, `drv.sys 0x1006: .text, 0x6 bytes into a function without a name
  source   not known: it has none
  request  MmMapLockedPagesSpecifyCache: the address is at no request, the nearest in the same function is the call at 0x1010
  decides  argument 6 decides (mdl_priority)
           it is unknown: nobody looked
  next     nxport explain 0x2002
           nxport explain MmMapLockedPagesSpecifyCache
`},
		{"behind a jump", func(a *Address) {
			a.Relation, a.Site = Tail, binarySite(t, mapping, 0x1010, frame("c.c", 3, "Map"))
			a.Frames = []driver.Frame{frame("a.c", 7, "Get")}
		}, `drv.sys 0x1006: .text, Get+0x6
  source   a.c:7, in Get
  request  MmMapLockedPagesSpecifyCache: what is called in front of the address jumps there at 0x1010, as its last act
           it is at c.c:3, in Map
  decides  argument 6 decides (mdl_priority)
           it is unknown: nobody looked
  next     nxport explain c.c:3
           nxport explain 0x2002
           nxport explain MmMapLockedPagesSpecifyCache
`},
		{"none, in data", func(a *Address) { a.Function, a.Offset, a.Section, a.Relation = "", 0, ".d\x1b[31m", None },
			`drv.sys 0x1006: .d␛[31m
  source   not known: its debug data does not cover the address
  request  none: no call of a routine that gives memory returns there, and where functions begin is not known there
  next     is it the file that ran? If so, look at what it calls there, also by a pointer, such as that of a lookaside list
`},
		{"files without lines", func(a *Address) {
			a.Relation, a.Site = Tail, binarySite(t, mapping, 0x1010, frame("c.s", 0, ""))
			a.Frames = []driver.Frame{frame("a.s", 0, "Get")}
		}, `drv.sys 0x1006: .text, Get+0x6
  source   a.s, in Get
  request  MmMapLockedPagesSpecifyCache: what is called in front of the address jumps there at 0x1010, as its last act
  decides  argument 6 decides (mdl_priority)
           it is unknown: nobody looked
  next     nxport explain 0x2002
           nxport explain MmMapLockedPagesSpecifyCache
`},
		{"none, at its beginning", func(a *Address) { a.Offset, a.Bounded, a.Relation, a.NoLines = 0, true, None, "no lines" }, `drv.sys 0x1006: .text, Get
  source   not known: no lines
  request  none: no call of a routine that gives memory is in the same function
  next     is it the file that ran? If so, look at what it calls there, also by a pointer, such as that of a lookaside list
`},
	} {
		a := a
		tt.change(&a)
		var b strings.Builder
		if err := AddressText(&b, []Address{a}); err != nil || b.String() != tt.want {
			t.Errorf("%s: %v, got\n%s\nwant\n%s", tt.name, err, b.String(), tt.want)
		}
	}
}

func checkOf(t *testing.T, code uint32) nx.Check {
	t.Helper()
	for _, c := range nx.Checks() {
		if c.Code == code {
			return c
		}
	}
	t.Fatal(code)
	return nx.Check{}
}

func TestReadinessText(t *testing.T) {
	pool, relocations := checkOf(t, 0x2000), checkOf(t, 0)
	stop := hlk.Stop{Check: pool, Parameters: [3]uint64{0xfffff80000001006, 0, 0x74736554}, Line: 4}
	site := *binarySite(t, "ExAllocatePoolWithTag", 0x1000, frame("a.c", 7, "New"), frame("b.c", 9, "Get"))
	at := Address{Path: "drv.sys", RVA: 0x1006, Section: ".text", Function: "Get", Offset: 6, Relation: None}
	for _, tt := range []struct {
		name  string
		r     Readiness
		wants []string
	}{
		{"nothing failed", Readiness{Counted: 7}, []string{"drv.sys, by x.log: nothing failed of 7 checks."}},
		{"a check", Readiness{Failed: []Failure{{Check: pool, Count: &hlk.Count{N: 3, Line: 12}, Sites: []driver.Site{site}}}}, []string{
			"drv.sys, by x.log: 1 check failed\n",
			"\nExecute Pool Type Count: 3 (line 12 of the log)\n  bug check 0xC4, parameter 1 0x2000: executable-pool-type (nxport explain 0x2000)\n",
			"\nWhat it means\n  The driver asks for pool memory of an executable type",
			"\n    0x1000    ExAllocatePoolWithTag            a.c:7, in New; inlined into b.c:9, in Get\n",
			"\nHow to mend it\n  Opt the driver in",
		}},
		{"no lines", Readiness{Failed: []Failure{{Check: pool, Sites: []driver.Site{*binarySite(t, "ExAllocatePool", 0x20)}}}},
			[]string{"\n    0x20      ExAllocatePool                   in Get\n"}},
		{"no call", Readiness{Failed: []Failure{{Check: pool}}}, []string{"\nIn drv.sys\n  no call that is known to ask for it: is it the file that was tested?"}},
		{"relocations", Readiness{Failed: []Failure{{Check: relocations, Layout: []string{"a relocation"}}}}, []string{
			"\nUnsupported Relocs Count\n  unsupported-relocations\n", "\nIn drv.sys\n  a relocation\n"}},
		{"sections", Readiness{Failed: []Failure{{Check: checkOf(t, 0x2003), Layout: []string{"section A"}}}}, []string{"\nIn drv.sys\n  section A\n"}},
		{"no section", Readiness{Failed: []Failure{{Check: checkOf(t, 0x2003)}}}, []string{"\nIn drv.sys\n  nothing of that: is it the file that was tested?\n"}},
		{"undocumented", Readiness{Failed: []Failure{{Check: pool}}, Undocumented: []driver.Site{*binarySite(t, "MmMapIoSpace", 0x30)}}, []string{
			"is not documented\n    0x30      MmMapIoSpace                     in Get\n"}},
		{"a stop, found", Readiness{Failed: []Failure{{Check: pool, Stops: []StopAt{{Stop: stop, Base: 1, Address: &at}}}}}, []string{
			"\nThe system stopped (line 4 of the log): 0xC4 (0x2000, 0xfffff80000001006, 0x0, 0x74736554), pool tag 'Test'\n  drv.sys 0x1006: .text, Get+0x6\n    source "}},
		{"a stop of another start", Readiness{Failed: []Failure{{Check: pool, Stops: []StopAt{{Stop: stop, Base: 0x1000}}}}}, []string{
			"\n  The address is outside of the driver, which was loaded at 0x1000"}},
		{"a stop without a base", Readiness{Failed: []Failure{{Check: pool, Stops: []StopAt{{Stop: stop, Alike: []driver.Site{site}}}}}}, []string{
			"By the end of the address it is one of\n    0x1000    ExAlloc"}},
		{"a stop without a base, of nothing", Readiness{Failed: []Failure{{Check: pool, Stops: []StopAt{{Stop: stop}}}}}, []string{
			"and no call in it returns to an address that ends so.\n"}},
	} {
		var b strings.Builder
		tt.r.Path, tt.r.Log = "drv.sys", "x.log"
		if err := ReadinessText(&b, tt.r, 0); err != nil {
			t.Error(err)
		}
		for _, want := range tt.wants {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: want %q in\n%s", tt.name, want, b.String())
			}
		}
	}
}
