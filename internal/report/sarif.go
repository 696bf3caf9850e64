package report

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/rule"
)

// What of SARIF 2.1.0 is written. Names and meaning are those of the standard.

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool                   `json:"tool"`
	Invocations []sarifInvocation           `json:"invocations"`
	Bases       map[string]sarifDescription `json:"originalUriBaseIds"`
	ColumnKind  string                      `json:"columnKind"`
	Results     []sarifResult               `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	FullName       string      `json:"fullName"`
	Version        string      `json:"version,omitempty"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID            string         `json:"id"`
	Name          string         `json:"name"`
	Short         sarifText      `json:"shortDescription"`
	Full          sarifText      `json:"fullDescription"`
	Help          sarifText      `json:"help"`
	Configuration sarifLevel     `json:"defaultConfiguration"`
	Properties    sarifRuleExtra `json:"properties"`
}

type sarifText struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifDescription struct {
	Description sarifText `json:"description"`
}

type sarifLevel struct {
	Level string `json:"level"`
}

type sarifRuleExtra struct {
	Tags     []string `json:"tags"`
	Official string   `json:"official,omitempty"` // Microsoft's name of the check
}

type sarifInvocation struct {
	Successful    bool                `json:"executionSuccessful"`
	Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations,omitempty"`
}

type sarifResult struct {
	RuleID       string              `json:"ruleId"`
	RuleIndex    int                 `json:"ruleIndex"`
	Level        string              `json:"level"`
	Message      sarifText           `json:"message"`
	Locations    []sarifLocation     `json:"locations"`
	CodeFlows    []sarifCodeFlow     `json:"codeFlows,omitempty"`
	Fingerprints map[string]string   `json:"partialFingerprints"`
	Suppressions *[]sarifSuppression `json:"suppressions,omitempty"`
	Properties   sarifResultExtra    `json:"properties"`
}

type sarifResultExtra struct {
	Builds []string `json:"builds"`
}

type sarifLocation struct {
	Physical *sarifPhysical `json:"physicalLocation,omitempty"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	Message  *sarifText     `json:"message,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
	Address  *sarifAddress `json:"address,omitempty"`
}

// sarifAddress is one in a built driver, relative to where that is loaded.
type sarifAddress struct {
	Relative uint32 `json:"relativeAddress"`
	Kind     string `json:"kind"`
}

type sarifArtifact struct {
	URI  string `json:"uri"`
	Base string `json:"uriBaseId,omitempty"`
}

type sarifRegion struct {
	Line      int `json:"startLine"`
	Column    int `json:"startColumn,omitempty"`
	EndColumn int `json:"endColumn,omitempty"`
}

type sarifLogical struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}

type sarifCodeFlow struct {
	ThreadFlows []sarifThreadFlow `json:"threadFlows"`
}

type sarifThreadFlow struct {
	Locations []sarifFlowLocation `json:"locations"`
}

type sarifFlowLocation struct {
	Location sarifLocation `json:"location"`
}

type sarifSuppression struct {
	Kind          string         `json:"kind"`
	Justification string         `json:"justification,omitempty"`
	Location      *sarifLocation `json:"location,omitempty"`
}

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	homepage    = "https://github.com/nxport/nxport"
	// root is the base of relative paths, under the name that services use for the checkout.
	root = "%SRCROOT%"
	// fingerprint names how identities are made: another way needs another name.
	fingerprint = "nxport/v1"
)

// SARIF writes a scan as one run of SARIF 2.1.0.
func SARIF(w io.Writer, r *Scan, v View) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(sarifLog{sarifSchema, "2.1.0", []sarifRun{r.run(v)}})
}

func (r *Scan) run(v View) sarifRun {
	run := emptyRun(rule.All(), v)
	run.Invocations = []sarifInvocation{r.invocation()}
	index := indexOf(rule.All())
	in := newBuilds(r)
	list := r.shown(v)
	prints := r.fingerprints(list)
	for i, f := range list {
		result := r.result(in, f, v)
		result.RuleIndex = index[f.Rule]
		result.Fingerprints = map[string]string{fingerprint: prints[i]}
		run.Results = append(run.Results, result)
	}
	return run
}

// emptyRun is one without results, and with these rules.
func emptyRun(rules []*rule.Rule, v View) sarifRun {
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "nxport", FullName: "nxport: drivers to no-execute pool", Version: numeric(v.Version), InformationURI: homepage}},
		Bases:      map[string]sarifDescription{root: {sarifText{Text: "The directory in which nxport was run."}}},
		ColumnKind: "utf16CodeUnits",
		Results:    []sarifResult{},
	}
	for _, rl := range rules {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, ruleOf(rl))
	}
	return run
}

func indexOf(rules []*rule.Rule) map[*rule.Rule]int {
	index := map[*rule.Rule]int{}
	for i, rl := range rules {
		index[rl] = i
	}
	return index
}

// numeric is a version as the standard's users compare it, without the v of Go; "" where it is none.
func numeric(version string) string {
	version = strings.TrimPrefix(version, "v")
	if version == "" || version[0] < '0' || version[0] > '9' {
		return ""
	}
	return version
}

func ruleOf(r *rule.Rule) sarifRule {
	return sarifRule{
		ID: r.ID, Name: r.Name,
		Short: sarifText{Text: sentence(r.Doc.What)}, Full: sarifText{Text: flat(r.Doc.What)},
		Help:          sarifText{help(r), markdown(r)},
		Configuration: sarifLevel{r.Level.String()},
		Properties:    sarifRuleExtra{[]string{"security", "windows-driver"}, r.Official},
	}
}

func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

func help(r *rule.Rule) string {
	return fmt.Sprintf("%s\n\n%s\n\n%s", flat(r.Doc.What), flat(r.Doc.Why), flat(r.Doc.Fix))
}

func markdown(r *rule.Rule) string {
	var b strings.Builder
	for _, s := range []struct{ title, text string }{{"What it finds", r.Doc.What}, {"Why it matters", r.Doc.Why}, {"How to mend it", r.Doc.Fix}} {
		fmt.Fprintf(&b, "## %s\n\n%s\n\n", s.title, escapeMarkdown(flat(s.text)))
	}
	for _, s := range []struct{ title, text string }{{"Before", r.Doc.Before}, {"After", r.Doc.After}} {
		if s.text == "" {
			continue
		}
		fmt.Fprintf(&b, "## %s\n\n```\n%s\n```\n\n", s.title, strings.TrimSpace(s.text))
	}
	return strings.TrimSpace(b.String()) + "\n"
}

// escapeMarkdown keeps names such as PAGE_EXECUTE_READ and <wdm.h> as they are.
func escapeMarkdown(text string) string {
	return strings.NewReplacer(`\`, `\\`, `_`, `\_`, `*`, `\*`, `<`, `\<`, "`", "\\`", `[`, `\[`).Replace(text)
}

// invocation says whether all could be read, and what not.
func (r *Scan) invocation() sarifInvocation {
	inv := sarifInvocation{Successful: len(r.Unreadable) == 0}
	for _, s := range r.Unreadable {
		inv.Notifications = append(inv.Notifications, notRead(s.Path, s.Why))
	}
	for _, n := range r.Notes {
		note := sarifNotification{Level: "note", Message: sarifText{Text: n.Says}}
		if n.Path != "" {
			note.Locations = []sarifLocation{{Physical: r.physical(n.Place)}}
		}
		inv.Notifications = append(inv.Notifications, note)
	}
	return inv
}

func notRead(path, why string) sarifNotification {
	at := sarifLocation{Physical: &sarifPhysical{Artifact: artifact(path)}}
	return sarifNotification{"error", sarifText{Text: "Not read: " + why}, []sarifLocation{at}}
}

func (r *Scan) result(in *builds, f rule.Finding, v View) sarifResult {
	at := sarifLocation{Physical: r.physical(f.Place)}
	var steps []driver.Step
	if f.Site != nil {
		steps = append(steps, f.Site.Value.Steps...)
		if f.Site.Function != "" {
			at.Logical = []sarifLogical{{f.Site.Function, "function"}}
		}
	}
	result := sarifResult{
		RuleID: f.Rule.ID, Level: level(f).String(), Message: sarifText{Text: message(in, f)},
		Locations: []sarifLocation{at}, CodeFlows: r.codeFlow(append(steps, f.Steps...), f),
		Properties: sarifResultExtra{f.Builds},
	}
	if f.Builds == nil {
		result.Properties.Builds = []string{}
	}
	if v.Suppressed { // then of every result: none, or which
		result.Suppressions = &[]sarifSuppression{}
	}
	if s := f.Suppressed; s != nil {
		result.Suppressions = &[]sarifSuppression{{"inSource", s.Reason, &sarifLocation{Physical: r.physical(s.Place)}}}
	}
	return result
}

func message(in *builds, f rule.Finding) string {
	text := strings.TrimSuffix(f.Message, ".") + "."
	if what := in.gets(f); what != "" {
		text += " It gets " + what + "."
	}
	if f.Site != nil && f.Site.Value.Unknown != "" {
		text += " Not known: " + f.Site.Value.Unknown + "."
	}
	if len(f.Builds) > 0 {
		text += " In " + in.names(f.Builds) + "."
	}
	_, todo, _ := strings.Cut(next(f), " ")
	return text + " To do: " + todo + "."
}

// codeFlow leads from where a value comes from, or from the evidence, to the finding.
func (r *Scan) codeFlow(steps []driver.Step, f rule.Finding) []sarifCodeFlow {
	if len(steps) == 0 {
		return nil
	}
	var flow sarifThreadFlow
	for _, s := range append(steps, driver.Step{Place: f.Place, Says: f.Message}) {
		at := sarifLocation{Message: &sarifText{Text: s.Says}}
		if s.Path != "" {
			at.Physical = r.physical(s.Place)
		}
		flow.Locations = append(flow.Locations, sarifFlowLocation{at})
	}
	return []sarifCodeFlow{{[]sarifThreadFlow{flow}}}
}

// physical is a place with the word that begins there. Columns count units of UTF-16.
func (r *Scan) physical(p driver.Place) *sarifPhysical {
	at := &sarifPhysical{Artifact: artifact(p.Path)}
	if p.Line == 0 {
		return at
	}
	at.Region = &sarifRegion{Line: p.Line}
	if s, ok := r.spot(p); ok && s.column() > 0 {
		at.Region.Column = s.column()
		at.Region.EndColumn = at.Region.Column + units(s.word())
	}
	return at
}

// artifact gives a path as a URI, relative to where nxport was run if it lies below.
func artifact(p string) sarifArtifact {
	drive := len(p) > 2 && p[1:3] == ":/"
	switch {
	case strings.HasPrefix(p, "//"):
		return sarifArtifact{URI: "file:" + (&url.URL{Path: p}).EscapedPath()}
	case path.IsAbs(p):
		return sarifArtifact{URI: "file://" + (&url.URL{Path: p}).EscapedPath()}
	case drive:
		return sarifArtifact{URI: "file:///" + (&url.URL{Path: p}).EscapedPath()}
	}
	return sarifArtifact{(&url.URL{Path: p}).String(), root}
}

// fingerprints give each finding an identity that stays when lines are put in above it or its function moves: it is made
// of what the finding is about and the text of its line; alike ones are counted in order.
func (r *Scan) fingerprints(list []rule.Finding) []string {
	var prints []string
	seen := map[string]int{}
	for _, f := range list {
		key := []string{f.Rule.ID, f.Place.Path, "", "", ""}
		if f.Site != nil {
			copy(key[2:], []string{f.Site.Function, f.Site.DDI.Name, f.Site.Argument})
		}
		if s, ok := r.spot(f.Place); ok {
			key = append(key, flat(s.before+s.after))
		}
		sum := sha256.Sum256([]byte(strings.Join(key, "\x00")))
		print := fmt.Sprintf("%x", sum[:16])
		seen[print]++
		prints = append(prints, fmt.Sprintf("%s:%d", print, seen[print]))
	}
	return prints
}
