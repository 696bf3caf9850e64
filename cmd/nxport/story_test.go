package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What RingLog asks for while it is loaded, by pool tag; the mapping has none. Two of its requests are made by ring.c
// alone, and there the mechanism of ring.c counts; the type of RgCt is passed to ring.c by driver.c.
var ringlogSites = map[string]struct{ function, ddi string }{
	"RgCt": {"RingAllocate", "ExAllocatePoolWithTag"},
	"RgCf": {"RingLogCapacity", "ExAllocatePoolWithTag"},
	"RgRg": {"RingOpen", "ExAllocatePoolWithTag"},
	"RgRc": {"RingOpen", "ExInitializeNPagedLookasideList"},
	"RgGr": {"RingLogGreet", "ExAllocatePoolWithTag"},
	"":     {"RingAppend", "MmGetSystemAddressForMdlSafe"},
}

// column is what each request gets on one Windows. The values are those of the mechanisms' documentation: 0 is
// NonPagedPool, 512 NonPagedPoolNx, 1 PagedPool; 16 is NormalPagePriority, with 0x40000000 it is not executable.
type column map[string]uint32

var (
	executable = column{"RgCt": 0, "RgCf": 1, "RgRg": 0, "RgRc": 0, "RgGr": 0, "": 16}
	noExecute  = column{"RgCt": 512, "RgCf": 1, "RgRg": 512, "RgRc": 512, "RgGr": 512, "": 0x40000010}
	ringOut    = column{"RgCt": 512, "RgCf": 1, "RgRg": 0, "RgRc": 0, "RgGr": 512, "": 16}
)

// The story of the README, and its neighbours: what scan says of the source equals what Wine sees the binary ask for,
// and both equal the documentation.
func TestStory(t *testing.T) {
	if testing.Short() {
		t.Skip("builds drivers and runs Wine")
	}
	home, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name       string
		port       bool
		make, scan []string
		on7, on10  column
	}{
		{name: "before", on7: executable, on10: executable},
		{name: "ported", port: true, on7: executable, on10: noExecute},
		{name: "auto", make: []string{"DEFINES=-DPOOL_NX_OPTIN_AUTO=1"}, scan: []string{"-D", "POOL_NX_OPTIN_AUTO=1"},
			on7: noExecute, on10: noExecute},
		{name: "macro without call", make: []string{"DEFINES=-DPOOL_NX_OPTIN=1"}, scan: []string{"-D", "POOL_NX_OPTIN"},
			on7: executable, on10: executable},
		{name: "ring.c opted out", port: true, make: []string{"DEFINES_ring.c=-DPOOL_NX_OPTOUT=1"}, on7: executable, on10: ringOut},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "ringlog")
			if err := os.CopyFS(dir, os.DirFS("../../examples/ringlog")); err != nil {
				t.Fatal(err)
			}
			t.Chdir(dir)
			if tt.port {
				nxport(t, clean, "port", "--write", "--to", "optin", ".")
			}
			if strings.Contains(tt.name, "opted out") {
				replace(t, "ringlog.vcxproj", `<ClCompile Include="ring.c" />`,
					`<ClCompile Include="ring.c"><PreprocessorDefinitions>POOL_NX_OPTOUT=1;%(PreprocessorDefinitions)</PreprocessorDefinitions></ClCompile>`)
			}
			header := nxport(t, clean, "header")
			if err := os.WriteFile("nxpool.h", header, 0o644); err != nil {
				t.Fatal(err)
			}
			build(t, append([]string{"-s", "OUT=out", "NXPOOL_H=nxpool.h"}, tt.make...))

			scanned := sites(t, nxport(t, -1, append([]string{"scan", "--fail-on", "never", "--format", "json",
				"--config", "Release|x64", "ringlog.vcxproj"}, tt.scan...)...))
			traced := sites(t, nxport(t, clean, "trace", "--format", "json", filepath.Join("out", "ringlog.sys")))
			for windows, want := range map[string]column{"6.1": tt.on7, "10.0": tt.on10} {
				compare(t, windows, want, scanned, traced)
			}
			if tt.name == "ported" {
				t.Chdir("..")
				table := nxport(t, clean, "trace", filepath.Join("ringlog", "out", "ringlog.sys"))
				t.Chdir(home)
				shows(t, "nxport trace ringlog/after/ringlog.sys", table)
			}
		})
	}
}

// compare holds prediction and observation against the table, for each request.
func compare(t *testing.T, windows string, want column, scanned, traced []siteRecord) {
	t.Helper()
	seen := map[string]int{}
	for _, s := range traced {
		if s.Windows != windows {
			continue
		}
		seen[s.Tag]++
		if value, known := want[s.Tag]; !known || s.Value == nil || *s.Value != value {
			t.Errorf("Windows %s, %s: Wine saw %v, want %d", windows, s.Tag, s.Value, value)
		}
	}
	for tag, value := range want {
		if seen[tag] != 1 {
			t.Errorf("Windows %s: Wine saw %q %d times, want once", windows, tag, seen[tag])
		}
		if got := predicted(scanned, ringlogSites[tag].function, ringlogSites[tag].ddi, windows); len(got) != 1 || got[0] != value {
			t.Errorf("Windows %s, %s: scan says %v, want %d", windows, tag, got, value)
		}
	}
}

func predicted(scanned []siteRecord, function, ddi, windows string) []uint32 {
	var values []uint32
	for _, s := range scanned {
		if s.Function != function || s.DDI != ddi {
			continue
		}
		for _, o := range s.On {
			if o.Windows == windows {
				values = append(values, o.Values...)
			}
		}
	}
	return values
}

// siteRecord is what the test reads of a line of JSON.
type siteRecord struct {
	Type, Function, DDI, Windows, Tag string
	Value                             *uint32
	On                                []struct {
		Windows string
		Values  []uint32
	}
}

func sites(t *testing.T, lines []byte) []siteRecord {
	t.Helper()
	var list []siteRecord
	for d := json.NewDecoder(bytes.NewReader(lines)); d.More(); {
		var s siteRecord
		if err := d.Decode(&s); err != nil {
			t.Fatal(err)
		}
		if s.Type == "site" {
			list = append(list, s)
		}
	}
	return list
}

// nxport runs the program in this process and returns what it prints; a status below 0 stands for any.
func nxport(t *testing.T, status int, args ...string) []byte {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if got := run(args, &stdout, &stderr); status >= 0 && got != status {
		t.Fatalf("nxport %v: status %d, want %d\n%s", args, got, status, stderr.String())
	}
	return stdout.Bytes()
}

func build(t *testing.T, args []string) {
	t.Helper()
	if out, err := exec.Command("make", args...).CombinedOutput(); err != nil {
		t.Fatalf("make %v: %v\n%s", args, err, out)
	}
}

func replace(t *testing.T, name, old, new string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(data), old) != 1 {
		t.Fatalf("%s does not hold %q once", name, old)
	}
	if err := os.WriteFile(name, []byte(strings.Replace(string(data), old, new, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}
