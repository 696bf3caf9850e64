package hlk

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// The logs here are written by hand. Their form is that of the pages which the package's comment names: of the first, the sample
// in "Evaluate HVCI driver compatibility", with the date that the tool puts before what it logs.
const readiness = `05/03/18 10:11:12 : ====================== Step 1 Driver Compat ======================
05/03/18 10:11:12 : Driver: ring.sys
05/03/18 10:11:13 : Incompatible HVCI Kernel Driver Modules found
InCompatible HVCI Kernel Driver Modules found

Module: TestDriver1.sys
	Reason: section alignment failures:             9
Module: ring.sys
	Reason: execute pool type count:                3
`

// What verifier /query prints, as the Readiness Tool takes it apart: the module's name up to the parenthesis, then the counts.
const query = `Module: C:\drivers\Ring.sys (load: 1 / unload: 0)
    Pool Allocation Statistics: ( NonPaged / Paged )
      Current Pool Allocations: ( 2 / 1 )
    Code Integrity Statistics:
        Execute Pool Type Count:                3
        Execute Page Protection Count:          0
        Execute Page Mapping Count:             0x2
        Execute-Write Section Count:            1
        Section Alignment Failures:             0
        Unsupported Relocs Count:               0
        IAT in Executable Section Count:        0
Module: other.sys (load: 1 / unload: 1)
        Execute Pool Type Count:                7
`

// !verifier 1, and then what "!analyze -v" says of a bug check.
const debugger = "Entry     State           NonPagedPool   PagedPool   Module\n" +
	"fffffa8003b6f670 Loaded           000000a0       00000854    ring.sys\n" +
	"        Execute Pool Type Count:                1\n" +
	"DRIVER_VERIFIER_DETECTED_VIOLATION (c4)\n" +
	"Arguments:\n" +
	"Arg1: 0000000000002000, Code Integrity Issue: The caller specified an executable pool type. (Expected: NonPagedPoolNx)\n" +
	"Arg2: fffff802da2d33e8, The address in the driver's code where the error was detected.\n" +
	"Arg3: 0000000000000000, Pool Type.\n" +
	"Arg4: 00000000484d454d, Pool Tag (if provided).\n" +
	"IMAGE_NAME:  ring.sys\n" +
	"start             end                 module name\n" +
	"fffff802`da2d0000 fffff802`da300000   ring       (no symbols)\n" +
	"fffff880`01509478 fffff880`05f062f2 nsiproxy!NsippGetParameter+0x24a\n"

// say puts what a log says into one line.
func say(l Log, name string) string {
	d, stops, ok := l.Of(name)
	parts := []string{fmt.Sprint(ok)}
	for _, c := range d.Counts {
		parts = append(parts, fmt.Sprintf("%s=%d:%d", c.Check.ID(), c.N, c.Line))
	}
	for _, s := range stops {
		parts = append(parts, fmt.Sprintf("%s(%x %x %x)%s:%d", s.Check.ID(), s.Parameters[0], s.Parameters[1], s.Parameters[2], s.Driver, s.Line))
	}
	if d.Base != 0 {
		parts = append(parts, fmt.Sprintf("base %x", d.Base))
	}
	return strings.Join(parts, " ")
}

func TestParse(t *testing.T) {
	const all = "true 0x2000=3:5 0x2001=0:6 0x2002=2:7 0x2003=1:8 0x2004=0:9 unsupported-relocations=0:10 0x2005=0:11"
	const stop = "0x2000(fffff802da2d33e8 0 484d454d)"
	for _, tt := range []struct{ name, log, driver, want string }{
		{"nothing", "", "ring.sys", "false"},
		{"readiness", readiness, "ring.sys", "true 0x2000=3:9"},
		{"readiness, of another", readiness, "testdriver1.SYS", "true 0x2004=9:7"},
		{"readiness, of none", readiness, "ing.sys", "false"},
		{"named, and nothing else", "Module: ring.sys", "ring.sys", "false"},
		{"counts of nobody", "Execute Pool Type Count: 3", "ring.sys", "false"},
		{"query", query, "ring.sys", all},
		{"query, lines ended as on Windows", strings.ReplaceAll(query, "\n", "\r\n"), "ring.sys", all},
		{"query in small letters", strings.ToLower(query), "ring.sys", all},
		{"query in UTF-16", wide(query, false), "ring.sys", all},
		{"query in UTF-16, big end first", wide(query, true), "ring.sys", all},
		{"query with a mark", "\ufeff" + query, "ring.sys", all},
		{"query, the next", query, "other.sys", "true 0x2000=7:13"},
		{"in one line", "Module: a.sys Reason: execute pool type count: 2", "a.sys", "true 0x2000=2:1"},
		{"within XML", `<Msg UserText="Module: a.sys&#xD;&#xA;  Reason: execute-write section count: 2&#10;Module: b.sys" />`, "a.sys", "true 0x2003=2:1"},
		{"an attribute of XML", `<Msg UserText="Module: a.sys"/>` + "\n" + `<Msg UserText="Unsupported Relocs Count: 2"/>`, "a.sys", "true unsupported-relocations=2:2"},
		{"the most counts", "Module: a.sys\nExecute Pool Type Count: 2\nExecute Pool Type Count: 5\nExecute Pool Type Count: 1", "a.sys", "true 0x2000=5:3"},
		{"too large a number", "Module: a.sys\nExecute Pool Type Count: 99999999999999999999", "a.sys", "false"},
		{"debugger", debugger, "ring.sys", "true 0x2000=1:3 " + stop + "ring.sys:9 base fffff802da2d0000"},
		{"debugger, of another", debugger, "nsiproxy.sys", "false"},
		{"arguments begun again", "Arg1: 2000\nArg3: 0\nArg2: 1\nArg3: 0\nArg4: 0", "a.sys", "false"},
		{"no check", "BugCheck C4, {0, 1, 2, 3}", "a.sys", "false"},
		{"the next within XML", `<a>Module: a.sys&#10;Execute Pool Type Count: 1&#xa;Module: b.sys&#10;Execute Pool Type Count: 2</a>`, "b.sys", "true 0x2000=2:1"},
		{"a line of a stack", "fffff880`01509000 fffff880`05f062f2 a!Get+0x24a\nBugCheck C4, {2000, 1, 0, 4}", "a.sys", "true 0x2000(1 0 4):2"},
		{"arguments out of order", "Arg1: 2000\nArg3: 0\nArg2: 1\nArg4: 0", "a.sys", "false"},
		{"another bug check", strings.ReplaceAll(debugger, "2000,", "00f6,"), "ring.sys", "true 0x2000=1:3 base fffff802da2d0000"},
		{"event", "The bugcheck was: 0x000000c4 (0x0000000000002000, 0xfffff802da2d33e8, 0x0000000000000000, 0x00000000484d454d).", "a.sys", "true " + stop + ":1"},
		{"debugger's first line", "BugCheck C4, {2000, fffff802`da2d33e8, 0, 484d454d}", "a.sys", "true " + stop + ":1"},
		{"the same twice", "BugCheck C4, {2000, 1, 0, 4}\nBugCheck C4, {2000, 1, 0, 4}", "a.sys", "true 0x2000(1 0 4):1"},
		{"nxport's script", "a.sys is loaded at 0xfffff802da2d0000.\nBugCheck C4, {2002, fffff802da2d0010, 10, 0}", "A.sys",
			"true 0x2002(fffff802da2d0010 10 0):2 base fffff802da2d0000"},
		{"not at a page", "a.sys is loaded at 0xfffff802da2d0001.", "a.sys", "false"},
		{"long lines", strings.Repeat("x", 1<<20) + " Module: a.sys Execute Pool Type Count: 2\nModule: b.sys", "a.sys", "false"},
	} {
		if got := say(Parse([]byte(tt.log)), tt.driver); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestAddress(t *testing.T) {
	l := Parse([]byte("BugCheck C4, {2001, 10, 20, 0}\nBugCheck C4, {2003, 10, 20, 30}"))
	var got []uint64
	for _, s := range l.Stops {
		got = append(got, s.Address())
	}
	if want := []uint64{0x10, 0}; !slices.Equal(got, want) { // that of 0x2003 is the name of the image
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestLimits(t *testing.T) {
	var b strings.Builder
	for i := range maxDrivers + 10 {
		fmt.Fprintf(&b, "Module: d%d.sys\nExecute Pool Type Count: %d\nBugCheck C4, {2000, %[1]x, 0, 0}\nd%[1]d.sys is loaded at 0x%[2]x000.\n", i, i+1)
	}
	l := Parse([]byte(b.String()))
	if len(l.Drivers) != maxDrivers || len(l.Stops) != maxStops || len(l.bases) != maxDrivers {
		t.Errorf("%d drivers, %d stops, %d bases are kept", len(l.Drivers), len(l.Stops), len(l.bases))
	}
	for i, d := range l.Drivers {
		if d.Counts[0].N != uint64(i+1) {
			t.Errorf("what is said of a driver too many counts for %s: %d", d.Name, d.Counts[0].N)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, log := range []string{readiness, query, debugger, wide(query, false), "<a b=\"Module: x.sys&#10;\"/>"} {
		f.Add([]byte(log), "ring.sys")
	}
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		l := Parse(data)
		for _, d := range l.Drivers {
			if _, _, ok := l.Of(d.Name); d.Name == "" || !ok && len(d.Counts) > 0 {
				t.Errorf("%q is a driver, and not found", d.Name)
			}
		}
		l.Of(name)
	})
}

// wide encodes text as UTF-16 with a mark.
func wide(s string, bigEnd bool) string {
	var b []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + s)) {
		if bigEnd {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return string(b)
}
