package report

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	_ "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif" // its source holds the schema of SARIF 2.1.0
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

// officialSchema is the JSON schema of SARIF 2.1.0 that OASIS publishes, as a module carries it.
func officialSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "schema.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok {
			text, _ = strconv.Unquote(lit.Value)
		}
		return true
	})
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if id := doc.(map[string]any)["id"]; id != sarifSchema {
		t.Fatalf("the schema is %v, what is written says %v", id, sarifSchema)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(sarifSchema, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(sarifSchema)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// valid writes a scan as SARIF, holds it against the schema, and reads it back.
func valid(t *testing.T, schema *jsonschema.Schema, r *Scan, v View) sarifLog {
	t.Helper()
	var b bytes.Buffer
	if err := SARIF(&b, r, v); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("the schema of SARIF 2.1.0 does not accept\n%s\n%v", b.String(), err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	if len(log.Runs) != 1 {
		t.Fatalf("%d runs, want 1", len(log.Runs))
	}
	return log
}

func ruleByID(t *testing.T, id string) *rule.Rule {
	t.Helper()
	i := slices.IndexFunc(rule.All(), func(r *rule.Rule) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("no rule %s", id)
	}
	return rule.All()[i]
}

// place finds the first of some text in a file of a scan.
func place(t *testing.T, r *Scan, path, text string) driver.Place {
	t.Helper()
	data, err := r.Tree.Read(path)
	at := bytes.Index(data, []byte(text))
	if err != nil || at < 0 {
		t.Fatalf("%s has no %q: %v", path, text, err)
	}
	start := bytes.LastIndexByte(data[:at], '\n') + 1
	return driver.Place{Path: path, Line: 1 + bytes.Count(data[:at], []byte("\n")), Column: at - start + 1, Offset: at}
}

// small is a scan of two builds with a finding of each kind.
func small(t *testing.T) *Scan {
	r := scanOf(t, map[string]string{
		"dir one/a.c": "#include \"a.h\"\n/* \u00e9\U0001f600 */\tp = ALLOC(1);\nq = Never();\n",
		"a.h":         "#define ALLOC(n) ExAllocatePool(NonPagedPool, n)\n",
	})
	pool := nx.DDI{Name: "ExAllocatePool", Kind: nx.PoolType, Argument: 1}
	site := &driver.Site{
		DDI: pool, Argument: "NonPagedPool", Function: "Start", Moment: driver.After, Mechanism: nx.None,
		Value: driver.Value{
			Terms: []driver.Term{{Tokens: []driver.Token{{Name: "NonPagedPool"}}}},
			Steps: []driver.Step{{Place: place(t, r, "a.h", "ALLOC"), Says: "ALLOC expands to ExAllocatePool(NonPagedPool, n)"}},
		},
	}
	site.Place = place(t, r, "dir one/a.c", "ALLOC")
	for _, id := range []string{"d.vcxproj|Debug|x64", "d.vcxproj|Release|x64"} {
		r.Images = append(r.Images, driver.Image{
			Build: driver.Build{ID: id, Project: "d.vcxproj", Minimum: nx.Windows7, Windows: []nx.Version{nx.Windows7, nx.Windows10}, MinimumSource: "default", Mechanism: nx.None},
			Sites: []driver.Site{*site},
		})
	}
	both := []string{"d.vcxproj|Debug|x64", "d.vcxproj|Release|x64"}
	fix := &rule.Fix{Title: "opt in", Safe: true, Defines: []rule.Define{{Name: "POOL_NX_OPTIN", Value: "1"}}}
	never := place(t, r, "dir one/a.c", "Never")
	r.Findings = []rule.Finding{
		{Rule: ruleByID(t, "NX0001"), Level: rule.Warning, Message: "it is never called", Place: driver.Place{Path: "d.vcxproj"}, Builds: both[:1]},
		{Rule: ruleByID(t, "C30030"), Level: rule.Warning, Message: "ExAllocatePool asks for executable nonpaged pool", Place: site.Place, Site: site, Builds: both, Fix: fix},
		{Rule: ruleByID(t, "NX0003"), Level: rule.Error, Message: "too late", Place: never, Builds: both, NoAlternative: true,
			Steps: []driver.Step{{Place: never, Says: "the call"}, {Says: "from nowhere"}}},
	}
	r.Suppressed = []rule.Finding{{
		Rule: ruleByID(t, "C30030"), Level: rule.Warning, Message: "Never asks", Place: never, Builds: both,
		Suppressed: &driver.Suppression{Place: place(t, r, "dir one/a.c", "p ="), Rules: []string{"30030"}, Reason: "a JIT"},
	}}
	return r
}

func TestSARIF(t *testing.T) {
	schema := officialSchema(t)
	r := small(t)
	r.Findings[0].Builds = nil
	r.Unreadable = []project.Skipped{{Path: "bad#1.vcxproj", Why: "line 3: no element"}}
	r.Notes = []driver.Step{{Place: driver.Place{Path: "d.vcxproj", Line: 3, Column: 2}, Says: "left out"}, {Says: "read as 17.0"}}
	run := valid(t, schema, r, View{Version: "v1.2.3"}).Runs[0]

	if d := run.Tool.Driver; d.Version != "1.2.3" || len(d.Rules) != len(rule.All()) || run.ColumnKind != "utf16CodeUnits" {
		t.Errorf("version %q, %d rules, columns are %q", d.Version, len(d.Rules), run.ColumnKind)
	}
	for i, rl := range rule.All() {
		d := run.Tool.Driver.Rules[i]
		if d.ID != rl.ID || d.Configuration.Level != rl.Level.String() || !strings.Contains(d.Help.Markdown, "## How to mend it") || d.Properties.Official != rl.Official {
			t.Errorf("rule %d is %+v, want %s", i, d, rl.ID)
		}
	}
	if inv := run.Invocations[0]; inv.Successful || len(inv.Notifications) != 3 || inv.Notifications[0].Level != "error" ||
		inv.Notifications[0].Locations[0].Physical.Artifact.URI != "bad%231.vcxproj" || inv.Notifications[1].Locations[0].Physical.Region.Line != 3 {
		t.Errorf("the invocation is %+v", inv)
	}
	if len(run.Results) != 3 {
		t.Fatalf("%d results, want 3: what is suppressed is not asked for", len(run.Results))
	}
	for i, f := range r.Findings {
		got := run.Results[i]
		if got.RuleID != f.Rule.ID || run.Tool.Driver.Rules[got.RuleIndex].ID != f.Rule.ID || !slices.Equal(got.Properties.Builds, f.Builds) ||
			!strings.HasPrefix(got.Message.Text, f.Message+".") || got.Suppressions != nil {
			t.Errorf("result %d is %+v, want %s", i, got, f.Rule.ID)
		}
	}
	if got := run.Results[0].Properties.Builds; got == nil {
		t.Error("no builds are null")
	}
	if at := run.Results[0].Locations[0].Physical; at.Region != nil || run.Results[0].CodeFlows != nil {
		t.Errorf("a finding without a line has the region %+v", at.Region)
	}
	// In front of ALLOC stand 14 units: the smiley takes two, the tab one; the word is 5 long.
	at := run.Results[1].Locations[0]
	if *at.Physical.Region != (sarifRegion{2, 15, 20}) || at.Physical.Artifact != (sarifArtifact{"dir%20one/a.c", root}) || at.Logical[0].Name != "Start" {
		t.Errorf("the request is at %+v %+v", at.Physical, at.Physical.Region)
	}
	flow := run.Results[1].CodeFlows[0].ThreadFlows[0].Locations
	if len(flow) != 2 || *flow[0].Location.Physical.Region != (sarifRegion{1, 9, 14}) || flow[0].Location.Message.Text != "ALLOC expands to ExAllocatePool(NonPagedPool, n)" ||
		*flow[1].Location.Physical.Region != *at.Physical.Region {
		t.Errorf("the derivation is %+v", flow)
	}
	if got := run.Results[2]; got.Level != "note" || len(got.CodeFlows[0].ThreadFlows[0].Locations) != 3 || got.CodeFlows[0].ThreadFlows[0].Locations[1].Location.Physical != nil {
		t.Errorf("without an alternative, with evidence: %+v", got)
	}
}

func TestSARIFSuppressed(t *testing.T) {
	schema := officialSchema(t)
	results := valid(t, schema, small(t), View{Suppressed: true}).Runs[0].Results
	if len(results) != 4 {
		t.Fatalf("%d results, want 4", len(results))
	}
	suppressed := 0
	for _, got := range results {
		if got.Suppressions == nil {
			t.Errorf("%s does not say whether it is suppressed, though others do", got.RuleID)
			continue
		}
		for _, s := range *got.Suppressions {
			suppressed++
			if s.Kind != "inSource" || s.Justification != "a JIT" || s.Location.Physical.Region.Line != 2 {
				t.Errorf("suppressed by %+v", s)
			}
		}
	}
	if suppressed != 1 {
		t.Errorf("%d are suppressed, want 1", suppressed)
	}
	if run := valid(t, schema, &Scan{}, View{Version: "(devel)"}).Runs[0]; len(run.Results) != 0 || run.Tool.Driver.Version != "" || !run.Invocations[0].Successful {
		t.Errorf("an empty scan gives %+v", run)
	}
}

func TestArtifact(t *testing.T) {
	for path, want := range map[string]sarifArtifact{
		"a/b.c":            {"a/b.c", root},
		"a b/100%.c":       {"a%20b/100%25.c", root},
		"a#?.c":            {"a%23%3F.c", root},
		"x:y/a.c":          {"./x:y/a.c", root}, // no scheme
		"\u00fc.c":         {"%C3%BC.c", root},
		"/kit/wdm.h":       {"file:///kit/wdm.h", ""},
		"C:/kit 10/wdm.h":  {"file:///C:/kit%2010/wdm.h", ""},
		"//server/kit/w.h": {"file://server/kit/w.h", ""},
	} {
		if got := artifact(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

// Columns count units of UTF-16 from the beginning of the line, whatever the file is encoded in.
func TestColumn(t *testing.T) {
	const line = "a\n\t\u00e9\U0001f600x"
	r := scanOf(t, map[string]string{
		"u8.c": line, "bom.c": "\ufeffx", "be.c": wideText(binary.BigEndian, line), "le.c": wideText(binary.LittleEndian, line),
		"latin.c": "\xe9\xe9x", "long.c": strings.Repeat("a", maxLine+1) + "x", "most.c": strings.Repeat("a", maxLine-1) + "x", "second.c": "a\n" + strings.Repeat("a", maxLine-1) + "x",
	})
	for _, tt := range []struct {
		path               string
		line, offset, want int
	}{
		{"u8.c", 2, 9, 5}, {"bom.c", 1, 3, 1}, {"be.c", 2, 2 + 2*6, 5}, {"le.c", 2, 2 + 2*6, 5}, {"latin.c", 1, 2, 3},
		{"long.c", 1, maxLine + 1, 0}, {"most.c", 1, maxLine - 1, maxLine}, {"second.c", 2, maxLine + 1, maxLine},
	} {
		s, ok := r.spot(driver.Place{Path: tt.path, Line: tt.line, Column: 1, Offset: tt.offset})
		if got := s.column(); !ok || got != tt.want || s.word() != "x" {
			t.Errorf("%s: column %d of %q, want %d", tt.path, got, s.word(), tt.want)
		}
	}
}

func TestPhysical(t *testing.T) {
	r := scanOf(t, map[string]string{"a.c": "p = \u00e9\u00e8_1();"})
	if got := r.physical(driver.Place{Path: "a.c", Line: 1, Column: 5, Offset: 4}); *got.Region != (sarifRegion{1, 5, 9}) {
		t.Errorf("a word of four letters is at %+v", got.Region)
	}
}

// A finding keeps its identity when lines are put in above it, its function moves or its line is indented; two that differ
// in nothing else are told apart by their order.
func TestFingerprints(t *testing.T) {
	const one, two, three = "void One(void)\n{\n  p = Alloc(0);\n}\n", "void Two(void)\n{\n  p = Alloc(0);\n  p = Alloc(0);\n}\n", "void Three(void)\n{\n  q = Alloc(0);\n}\n"
	prints := func(path, text string) []string {
		r := scanOf(t, map[string]string{path: text})
		var list []rule.Finding
		for at := 0; ; at++ {
			n := strings.Index(text[at:], "Alloc(")
			if n < 0 {
				break
			}
			at += n
			function := text[strings.LastIndex(text[:at], "void ")+5:]
			function, _, _ = strings.Cut(function, "(")
			p := driver.Place{Path: path, Line: 1 + strings.Count(text[:at], "\n"), Column: 1, Offset: at}
			list = append(list, rule.Finding{Rule: ruleByID(t, "C30030"), Place: p, Site: &driver.Site{Function: function, DDI: nx.DDI{Name: "Alloc"}, Argument: "0"}})
		}
		got := r.fingerprints(list)
		slices.Sort(got)
		return got
	}
	before := prints("a.c", one+two+three)
	if len(before) != 4 || len(slices.Compact(slices.Clone(before))) != 4 {
		t.Fatalf("four findings have the fingerprints %v", before)
	}
	for name, text := range map[string]string{
		"lines above":     "#include <ntddk.h>\n\n" + one + "\n// more\n" + two + three,
		"functions moved": three + two + one,
		"indented":        strings.ReplaceAll(one+two+three, "  p", "\t\tp"),
		"other line ends": strings.ReplaceAll(one+two+three, "\n", "\r\n"),
	} {
		if got := prints("a.c", text); !reflect.DeepEqual(got, before) {
			t.Errorf("%s: %v, want %v", name, got, before)
		}
	}
	for name, got := range map[string][]string{
		"another file":     prints("b.c", one+two+three),
		"another function": prints("a.c", strings.NewReplacer("One", "Uno", "Two", "Duo", "Three", "Tre").Replace(one+two+three)),
		"another line":     prints("a.c", strings.ReplaceAll(one+two+three, "Alloc(0)", "Alloc(0, 1)")),
	} {
		for _, p := range got {
			if slices.Contains(before, p) {
				t.Errorf("%s: %s stays", name, p)
			}
		}
	}
}
