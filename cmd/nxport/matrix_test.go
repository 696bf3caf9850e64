package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/image"
	"github.com/nxport/nxport/nx"
)

// wanted is one request of a driver, as a reader of its source tells it.
type wanted struct {
	tag, ddi, constants string // what its deciding argument names; "0" where that is all
	at                  string // file and function of the call, as scan has it
	decides             string // the file that names the constants, whose mechanism counts
	times               int    // how often loading comes there; 0 where Wine never does
}

// example is a driver of ours. Files are told apart by their base names.
type example struct {
	name, project string
	executes      string // the file whose memory is executed, which port opts out with either opt-in
	other         string // one to be opted out by hand
	requests      []wanted
	// built says of functions with requests where an image has the calls, if elsewhere: in the operators new that they use.
	built map[string]string
}

const (
	withTag   = "ExAllocatePoolWithTag"
	lookaside = "ExInitializeNPagedLookasideList"
	mdl       = "MmGetSystemAddressForMdlSafe"
	mapping   = "MmMapLockedPagesSpecifyCache"
)

// The lists are hand-written, from the source alone. RingLog's history is mapped only where there are pages for it, and Wine
// has none; its output only for a client.
var examples = []example{
	{name: "ringlog", project: "ringlog.vcxproj", other: "ring.c", requests: []wanted{
		{"RgCt", withTag, "NonPagedPool", "ring.c RingAllocate", "driver.c", 1},
		{"RgCf", withTag, "PagedPool", "driver.c RingLogCapacity", "driver.c", 1},
		{"RgRg", withTag, "NonPagedPool", "ring.c RingOpen", "ring.c", 1},
		{"RgRc", lookaside, "0", "ring.c RingOpen", "ring.c", 1},
		{"RgGr", withTag, "NonPagedPool", "driver.c RingLogGreet", "driver.c", 1},
		{"", mdl, "NormalPagePriority", "ring.c RingAppend", "ring.c", 1},
		{"", mdl, "NormalPagePriority", "driver.c RingLogRead", "driver.c", 0},
		{"", mapping, "NormalPagePriority", "ring.c RingOpenHistory", "ring.c", 0},
	}},
	{name: "gauge", project: "gauge.vcxproj", other: "recorder.cpp", requests: []wanted{
		{"GaCs", withTag, "NonPagedPool", "driver.cpp GaugeStart", "driver.cpp", 1},
		{"GaRc", withTag, "NonPagedPool", "driver.cpp GaugeStart", "driver.cpp", 1},
		{"GaTe", withTag, "NonPagedPool", "driver.cpp GaugeTest", "driver.cpp", 1},
		{"GaSt", withTag, "PagedPool", "driver.cpp GaugeInterval", "driver.cpp", 1},
		{"GaCl", lookaside, "0", "driver.cpp ClientList", "driver.cpp", 1},
		{"GaGg", withTag, "NonPagedPool", "gauges.cpp new", "gauges.cpp", 3},
		{"GaSe", withTag, "NonPagedPoolCacheAligned", "gauges.cpp new", "gauges.cpp", 3},
		{"GaCp", "ExAllocatePoolWithQuotaTag", "NonPagedPool | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE", "recorder.cpp Read", "recorder.cpp", 1},
		{"", mdl, "HighPagePriority", "recorder.cpp Read", "recorder.cpp", 1},
	}, built: map[string]string{"driver.cpp GaugeStart": "memory.cpp", "driver.cpp GaugeTest": "memory.cpp", "driver.cpp GaugeInterval": "memory.cpp"}},
	{name: "sieve", project: "sieve.sln", executes: "compile.c", other: "rules.cpp", requests: []wanted{
		{"SvSt", withTag, "NonPagedPool", "memory.c SieveAllocate", "driver.c", 1},
		{"SvRu", withTag, "NonPagedPool", "memory.c SieveAllocate", "rules.cpp", 1},
		{"SvPa", withTag, "PagedPool", "memory.c SieveAllocate", "parse.c", 1},
		{"SvPr", withTag, "NonPagedPool", "parse.c SieveParse", "parse.c", 1},
		{"SvCa", lookaside, "0", "driver.c SieveStart", "driver.c", 1},
		{"SvTb", withTag, "NonPagedPoolCacheAligned", "rules.cpp SieveOpenRules", "rules.cpp", 1},
		{"SvCo", withTag, "NonPagedPool", "compile.c SieveCompile", "compile.c", 1},
	}},
}

// mode is one way to build a driver.
type mode struct {
	name        string
	mechanism   nx.Mechanism // of the files that are not opted out
	initialised bool
	port        string // the goal of nxport port; "" where the source stays as it is
	define      string // for all files, on the command lines of make and scan
	other       bool   // the example's other file is opted out
}

var modes = []mode{
	{name: "none", mechanism: nx.None},
	{name: "optin", mechanism: nx.OptIn, initialised: true, port: "optin"},
	{name: "optin without call", mechanism: nx.OptIn, define: "POOL_NX_OPTIN=1"},
	{name: "auto", mechanism: nx.OptInAuto, port: "optin-auto", define: "POOL_NX_OPTIN_AUTO=1"},
	{name: "optin, one file out", mechanism: nx.OptIn, initialised: true, port: "optin", other: true},
}

var matrixWindows = []nx.Version{nx.Windows7, nx.Windows8, nx.Windows81, nx.Windows10}

// TestMatrix builds each of the examples in each mode with each compiler, and loads it as each Windows: what scan says of the
// source, what is read of the binary alone, what Wine sees it ask for, and what package nx says of the hand-written list are the same.
func TestMatrix(t *testing.T) {
	if testing.Short() {
		t.Skip("builds drivers and runs Wine")
	}
	start := time.Now()
	var table matrixTable
	t.Run("of", func(t *testing.T) {
		for _, e := range examples {
			for _, m := range modes {
				for _, compiler := range []string{"gcc", "clang"} {
					row := table.add(e.name, m.name, compiler)
					t.Run(e.name+"/"+m.name+"/"+compiler, func(t *testing.T) {
						t.Parallel()
						row.fill(t, e, m, compiler)
					})
				}
			}
		}
	})
	t.Logf("\n%s\nin %.0f s", table.text(), time.Since(start).Seconds())
}

// matrixRow is one image: a cell for each Windows, and how long it took.
type matrixRow struct {
	title              string
	cells              []string
	known, built       int // how many calls of the image are known, and how many there are
	port, build, trace time.Duration
}

// fill makes the image and judges it.
func (r *matrixRow) fill(t *testing.T, e example, m mode, compiler string) {
	for i := range r.cells {
		r.cells[i] = "FAILED" // until it is known better
	}
	dir := filepath.Join(t.TempDir(), e.name)
	if err := os.CopyFS(dir, os.DirFS("../../examples/"+e.name)); err != nil {
		t.Fatal(err)
	}
	var windows []string
	for _, w := range matrixWindows {
		windows = append(windows, w.String())
	}
	versions := "--windows=" + strings.Join(windows, ",")
	clock := time.Now()
	lap := func() (d time.Duration) { d, clock = time.Since(clock), time.Now(); return d }

	m.apply(t, e, dir)
	scanned := sites(t, nxport(t, clean, slices.Concat([]string{"scan", "--fail-on=never", "--format=json", versions}, m.scanArgs(), []string{dir})...))
	r.port = lap()
	sys := buildExample(t, dir, m, compiler)
	r.build = lap()
	observed := nxport(t, clean, slices.Concat([]string{"trace", "--format=json", versions, "--source=" + filepath.Join(dir, e.project)}, m.scanArgs(), []string{sys})...)
	traced := sites(t, observed)
	r.trace = lap()
	built := readImage(t, sys)
	for _, s := range built {
		if r.built++; s.Value.Unknown == "" {
			r.known++
		}
	}

	for i, w := range matrixWindows {
		t.Run(w.String(), func(t *testing.T) {
			e.holdScan(t, m, w, scanned)
			e.holdImage(t, m, w, built)
			e.holdTrace(t, m, w, traced)
			e.holdVerdicts(t, w, observed)
			if !t.Failed() {
				r.cells[i] = e.cell(m, w)
			}
		})
	}
}

// apply brings a copy of the example into the mode, as its author would.
func (m mode) apply(t *testing.T, e example, dir string) {
	switch m.port {
	case "optin":
		nxport(t, clean, "port", "--write", "--to=optin", dir)
	case "optin-auto": // refused of what may run on Windows 7
		for _, project := range files(t, dir, ".vcxproj") {
			rewrite(t, project, func(text string) string {
				return strings.ReplaceAll(text, "<TargetVersion>Windows7<", "<TargetVersion>Windows8<")
			})
		}
		nxport(t, clean, "port", "--write", "--to=optin-auto", filepath.Join(dir, e.project))
	}
	if m.other {
		for _, source := range files(t, dir, e.other) {
			rewrite(t, source, func(text string) string { return "#define POOL_NX_OPTOUT 1\n" + text })
		}
	}
}

func (m mode) scanArgs() []string {
	if m.define == "" {
		return nil
	}
	return []string{"--define=" + m.define}
}

// buildExample returns the image.
func buildExample(t *testing.T, dir string, m mode, compiler string) string {
	t.Helper()
	args := []string{"-s", "-C", dir, "OUT=out", "NXPOOL_H=nxpool.h", "TOOLCHAIN=" + compiler}
	if m.define != "" {
		args = append(args, "DEFINES=-D"+m.define)
	}
	if err := os.WriteFile(filepath.Join(dir, "nxpool.h"), nxport(t, clean, "header"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("make", args...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("make %v: %v, and says\n%s", args, err, out) // warnings, too
	}
	return filepath.Join(dir, "out", filepath.Base(dir)+".sys")
}

// in is the mechanism of a file.
func (m mode) in(e example, file string) nx.Mechanism {
	if m.port != "" && file == e.executes || m.other && file == e.other {
		return nx.OptedOut
	}
	return m.mechanism
}

// value is what a request asks for, by package nx.
func (q wanted) value(e example, m mode, w nx.Version) uint32 {
	run := nx.Run{Mechanism: m.in(e, q.decides), Initialised: m.initialised, Windows: w}
	value := uint32(0)
	for name := range strings.SplitSeq(q.constants, " | ") {
		if v, ok := run.Token(name); ok {
			value |= v
		} else if name != "0" {
			panic("no constant: " + name)
		}
	}
	return routine(q.ddi).Effective(run, value)
}

func routine(name string) nx.DDI {
	table := nx.DDIs()
	return table[slices.IndexFunc(table, func(d nx.DDI) bool { return d.Name == name })]
}

// holdScan holds what scan says against the list: at each place all values of the list and no others, in all builds.
func (e example) holdScan(t *testing.T, m mode, w nx.Version, scanned []siteRecord) {
	want, got := map[string]map[uint32]bool{}, map[string]map[uint32]bool{}
	note := func(to map[string]map[uint32]bool, key string, value uint32) {
		if to[key] == nil {
			to[key] = map[uint32]bool{}
		}
		to[key][value] = true
	}
	for _, q := range e.requests {
		note(want, q.at+" "+q.ddi, q.value(e, m, w))
	}
	for _, s := range scanned {
		for _, on := range s.On {
			if on.Windows != w.String() {
				continue
			}
			for _, v := range on.Values {
				note(got, filepath.Base(s.Path)+" "+s.Function+" "+s.DDI, v)
			}
		}
	}
	same(t, "scan", got, want)
}

// readImage gives the requests of a built driver.
func readImage(t *testing.T, sys string) []driver.Site {
	data, err := os.ReadFile(sys)
	if err != nil {
		t.Fatal(err)
	}
	m, err := image.Parse(sys, data)
	if err != nil {
		t.Fatal(err)
	}
	return m.Driver(nx.DDIs(), func(path string) string { return path }).Sites
}

// holdImage holds what the built driver says by itself against the list, as holdScan does. By the lines of the image a request stands
// in the driver's own function, not in the kit's inline ones.
func (e example) holdImage(t *testing.T, m mode, w nx.Version, built []driver.Site) {
	want, got := map[string]map[uint32]bool{}, map[string]map[uint32]bool{}
	note := func(to map[string]map[uint32]bool, key string, value uint32) {
		if to[key] == nil {
			to[key] = map[uint32]bool{}
		}
		to[key][value] = true
	}
	for _, q := range e.requests {
		note(want, cmp.Or(e.built[q.at], q.at)+" "+cmp.Or(routine(q.ddi).Over, q.ddi), q.value(e, m, w))
	}
	files := slices.Collect(maps.Values(e.built))
	for _, s := range built {
		f, _ := driver.Own(s.Spot.Frames)
		at := filepath.Base(f.Path)
		if !slices.Contains(files, at) {
			at += " " + strings.TrimPrefix(f.Function, "operator ")
		}
		key := at + " " + s.DDI.Name
		if s.Value.Unknown != "" {
			t.Errorf("image: %s is not known: %s", key, s.Value.Unknown)
		}
		for _, v := range s.On(w).Values {
			note(got, key, v)
		}
	}
	same(t, "image", got, want)
}

// holdTrace holds what Wine saw against the list: each request as often as it is made, and no others.
func (e example) holdTrace(t *testing.T, m mode, w nx.Version, traced []siteRecord) {
	want, got := map[string]int{}, map[string]int{}
	for _, q := range e.requests {
		if q.times == 0 {
			continue
		}
		seen := q.ddi
		if seen == mdl {
			seen = mapping // the kit's macro comes down to it
		}
		want[fmt.Sprintf("%q %s %#x", q.tag, seen, q.value(e, m, w))] += q.times
	}
	for _, s := range traced {
		if s.Windows == w.String() && s.Value != nil {
			got[fmt.Sprintf("%q %s %#x", s.Tag, s.DDI, *s.Value)]++
		}
	}
	same(t, "trace", got, want)
}

// holdVerdicts holds what trace itself says of the prediction beside what it saw: by the lines of the image, each request of the list
// is found again, and those that Wine never comes to are not reached.
func (e example) holdVerdicts(t *testing.T, w nx.Version, observed []byte) {
	want, got := map[string]string{}, map[string]string{}
	for _, q := range e.requests {
		verdict := "agree"
		if q.times == 0 {
			verdict = "not reached"
		}
		want[q.at+" "+q.ddi] = verdict
	}
	for d := json.NewDecoder(bytes.NewReader(observed)); d.More(); {
		var c struct{ Type, Against, Windows, Verdict, Why, DDI, Path, Function string }
		if err := d.Decode(&c); err != nil {
			t.Fatal(err)
		}
		if c.Type != "comparison" || c.Against != "source" || c.Windows != w.String() {
			continue
		}
		key := filepath.Base(c.Path) + " " + c.Function + " " + c.DDI
		if old := got[key]; old == "" || old == "agree" {
			got[key] = strings.TrimSuffix(c.Verdict+": "+c.Why, ": ")
		}
	}
	same(t, "the comparison", got, want)
}

// same names what is only on one side, or differs.
func same[V any](t *testing.T, witness string, got, want map[string]V) {
	t.Helper()
	keys := maps.Clone(got)
	maps.Copy(keys, want)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		g, seen := got[key]
		v, known := want[key]
		switch {
		case !known:
			t.Errorf("%s has %s: %v, which nothing should ask for", witness, key, g)
		case !seen:
			t.Errorf("%s lacks %s: %v", witness, key, v)
		case fmt.Sprint(g) != fmt.Sprint(v):
			t.Errorf("%s has %s: %v, want %v", witness, key, g, v)
		}
	}
}

// cell counts the requests by what they get, as "5x 1p".
func (e example) cell(m mode, w nx.Version) string {
	count := map[string]int{}
	for _, q := range e.requests {
		value := q.value(e, m, w)
		switch d := routine(q.ddi); {
		case d.Kind == nx.PoolType && value&1 != 0:
			count["p"]++
		case d.Executable(w, value) == nx.Yes:
			count["x"]++
		case d.Executable(w, value) == nx.Undefined:
			count["u"]++
		default:
			count["n"]++
		}
	}
	var parts []string
	for _, kind := range []string{"x", "n", "u", "p"} {
		if count[kind] > 0 {
			parts = append(parts, strconv.Itoa(count[kind])+kind)
		}
	}
	return strings.Join(parts, " ")
}

// matrixTable is what the test prints.
type matrixTable struct {
	rows []*matrixRow
}

func (m *matrixTable) add(driver, mode, compiler string) *matrixRow {
	r := &matrixRow{title: fmt.Sprintf("%-7s  %-19s  %-5s", driver, mode, compiler), cells: make([]string, len(matrixWindows))}
	m.rows = append(m.rows, r)
	return r
}

func (m *matrixTable) text() string {
	var b strings.Builder
	b.WriteString("requests: x executable, n no-execute, u no-execute where Windows knows none, p paged; image: calls known/found\n")
	fmt.Fprintf(&b, "%35s", "")
	for _, w := range matrixWindows {
		fmt.Fprintf(&b, "  %-11s", w.Name())
	}
	b.WriteString("  image  port+scan  build  trace\n")
	for _, r := range m.rows {
		if r.cells[0] == "" { // not run, by -run
			continue
		}
		b.WriteString(r.title)
		for _, c := range r.cells {
			fmt.Fprintf(&b, "  %-11s", c)
		}
		fmt.Fprintf(&b, "  %2d/%-2d  %7.1f s %4.1f s %4.0f s\n", r.known, r.built, r.port.Seconds(), r.build.Seconds(), r.trace.Seconds())
	}
	return b.String()
}

// siteRecord is what the test reads of a line of JSON, of a scan or of a trace.
type siteRecord struct {
	Type, Path, Function, DDI, Windows, Tag string
	Value                                   *uint32
	On                                      []struct {
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

// nxport runs the program in this process and returns what it prints.
func nxport(t *testing.T, status int, args ...string) []byte {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if got := run(args, &stdout, &stderr); got != status {
		t.Fatalf("nxport %v: status %d, want %d\n%s", args, got, status, stderr.String())
	}
	return stdout.Bytes()
}

// files are those below dir whose name ends so; there must be one.
func files(t *testing.T, dir, end string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, end) {
			found = append(found, path)
		}
		return err
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("no file ends in %s below %s: %v", end, dir, err)
	}
	return found
}

func rewrite(t *testing.T, path string, change func(string) string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := change(string(data))
	if text == string(data) {
		t.Fatalf("%s: there was nothing to change", path)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
