package report

import (
	"encoding/json"
	"io"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

type jsonBuild struct {
	Type          string            `json:"type"`
	ID            string            `json:"id"`
	Project       string            `json:"project"`
	Configuration string            `json:"configuration"`
	Platform      nx.Processor      `json:"platform"`
	Minimum       string            `json:"minimum_windows"`
	MinimumSource string            `json:"minimum_source"`
	Mechanism     nx.Mechanism      `json:"mechanism"`
	Initialised   string            `json:"initialised"`
	Exceptions    []jsonException   `json:"exceptions"`
	Defines       map[string]string `json:"defines"`
	Files         int               `json:"files"`
	Kit           string            `json:"kit,omitempty"`
	Links         []string          `json:"links,omitempty"` // builds of static libraries that are linked in
	Notes         []jsonStep        `json:"notes,omitempty"`
}

type jsonException struct {
	Path      string       `json:"path"`
	Mechanism nx.Mechanism `json:"mechanism"`
}

type jsonSite struct {
	Type     string         `json:"type"`
	Witness  driver.Witness `json:"witness"`
	Path     string         `json:"path"`
	Line     int            `json:"line"`
	Column   int            `json:"column"`
	Offset   int            `json:"offset"`
	Function string         `json:"function,omitempty"`
	DDI      string         `json:"ddi"`
	Argument string         `json:"argument,omitempty"`
	Spelled  *jsonPlace     `json:"spelled,omitempty"`
	Builds   []string       `json:"builds"`
	State    driver.State   `json:"state"`
	Kind     nx.Kind        `json:"kind"`
	On       []jsonOutcome  `json:"on"`
	Why      []jsonStep     `json:"why"`
}

type jsonPlace struct {
	Path   string `json:"path"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Offset int    `json:"offset"`
}

type jsonOutcome struct {
	Windows    string        `json:"windows"`
	Values     []uint32      `json:"values"`
	Executable nx.Executable `json:"executable"`
}

type jsonStep struct {
	Path string `json:"path,omitempty"`
	Line int    `json:"line,omitempty"`
	Says string `json:"says"`
}

type jsonFinding struct {
	Type    string   `json:"type"`
	Rule    string   `json:"rule"`
	Name    string   `json:"name"`
	Level   string   `json:"level"`
	Message string   `json:"message"`
	Path    string   `json:"path"`
	Line    int      `json:"line"`
	Column  int      `json:"column"`
	Builds  []string `json:"builds"`
	Fix     *jsonFix `json:"fix,omitempty"`
	// What follows came later, and is left out where there is nothing to say.
	Steps         []jsonStep       `json:"steps,omitempty"` // evidence, besides the why of the site
	NoAlternative bool             `json:"no_alternative,omitempty"`
	Suppressed    *jsonSuppression `json:"suppressed,omitempty"`
	Section       string           `json:"section,omitempty"` // of a built driver
	RVA           uint32           `json:"rva,omitempty"`
}

type jsonSuppression struct {
	Path   string   `json:"path"`
	Line   int      `json:"line"`
	Rules  []string `json:"rules"`
	Reason string   `json:"reason"`
}

type jsonFix struct {
	Title string `json:"title"`
	Safe  bool   `json:"safe"`
}

type jsonOther struct {
	Type   string   `json:"type"`
	Path   string   `json:"path"`
	Why    string   `json:"why"`
	Shares []string `json:"shares,omitempty"` // files that a driver compiles too
}

type jsonSummary struct {
	Type         string               `json:"type"`
	Builds       int                  `json:"builds"`
	Sites        int                  `json:"sites"`
	ByState      map[driver.State]int `json:"by_state"`
	Declarations int                  `json:"declarations"`
	Suppressed   int                  `json:"suppressed"`
	Findings     jsonLevels           `json:"findings"`
	Seconds      float64              `json:"seconds"`
}

type jsonLevels struct {
	Error   int `json:"error"`
	Warning int `json:"warning"`
	Note    int `json:"note"`
}

// JSON writes a scan as one JSON object a line: builds, sites, findings, what was skipped or could not be read, and a
// summary.
func JSON(w io.Writer, r *Scan, v View) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	var lines []any
	for _, m := range r.Images {
		lines = append(lines, buildLine(m.Build))
	}
	sites := requests(r)
	for _, q := range sites {
		lines = append(lines, siteLine(q))
	}
	for _, f := range r.shown(v) {
		lines = append(lines, findingLine(f))
	}
	lines = append(lines, others("skipped", r.Skipped)...)
	lines = append(lines, others("unreadable", r.Unreadable)...)
	lines = append(lines, summaryLine(r, sites))
	for _, line := range lines {
		if err := e.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

func buildLine(b driver.Build) jsonBuild {
	line := jsonBuild{
		Type: "build", ID: b.ID, Project: b.Project, Configuration: b.Configuration, Platform: b.Processor,
		Minimum: b.Minimum.String(), MinimumSource: b.MinimumSource, Mechanism: b.Mechanism,
		Initialised: string(b.Initialised), Exceptions: []jsonException{}, Defines: b.Defines, Files: b.Files,
		Kit: b.Kit.Name, Links: b.Links,
	}
	if line.Defines == nil {
		line.Defines = map[string]string{}
	}
	for _, n := range b.Notes {
		line.Notes = append(line.Notes, jsonStep{n.Path, n.Line, n.Says})
	}
	for _, e := range b.Exceptions {
		line.Exceptions = append(line.Exceptions, jsonException{e.Path, e.Mechanism})
	}
	return line
}

func siteLine(q request) jsonSite {
	p := q.Place
	line := jsonSite{
		Type: "site", Witness: q.Witness, Path: p.Path, Line: p.Line, Column: p.Column, Offset: p.Offset,
		Function: q.Function, DDI: q.DDI.Name, Argument: q.Argument, Builds: q.builds, State: q.CurrentState(), Kind: q.DDI.Kind,
		On: []jsonOutcome{}, Why: []jsonStep{},
	}
	if s := q.Spelled; s.Path != "" {
		line.Spelled = &jsonPlace{s.Path, s.Line, s.Column, s.Offset}
	}
	for _, o := range q.on {
		line.On = append(line.On, outcomeLine(o))
	}
	line.Why = append(line.Why, whyLines(q.Value)...)
	return line
}

func outcomeLine(o driver.Outcome) jsonOutcome {
	values := o.Values
	if values == nil {
		values = []uint32{}
	}
	return jsonOutcome{o.Windows.String(), values, o.Executable}
}

func whyLines(v driver.Value) []jsonStep {
	var list []jsonStep
	for _, s := range v.Steps {
		list = append(list, jsonStep{s.Path, s.Line, s.Says})
	}
	if v.Unknown != "" {
		list = append(list, jsonStep{Says: "unknown: " + v.Unknown})
	}
	return list
}

func findingLine(f rule.Finding) jsonFinding {
	line := jsonFinding{
		Type: "finding", Rule: f.Rule.ID, Name: f.Rule.Name, Level: level(f).String(), Message: f.Message,
		Path: f.Place.Path, Line: f.Place.Line, Column: f.Place.Column, Builds: f.Builds,
		NoAlternative: f.NoAlternative,
	}
	for _, s := range f.Steps {
		line.Steps = append(line.Steps, jsonStep{s.Path, s.Line, s.Says})
	}
	if s := f.Suppressed; s != nil {
		line.Suppressed = &jsonSuppression{s.Place.Path, s.Place.Line, s.Rules, s.Reason}
	}
	if f.Fix != nil {
		line.Fix = &jsonFix{f.Fix.Title, f.Fix.Safe}
	}
	return line
}

func others(kind string, list []project.Skipped) []any {
	var lines []any
	for _, s := range list {
		lines = append(lines, jsonOther{kind, s.Path, s.Why, s.Shares})
	}
	return lines
}

func summaryLine(r *Scan, sites []request) jsonSummary {
	s := jsonSummary{Type: "summary", Builds: len(r.Images), ByState: map[driver.State]int{}, Declarations: len(r.Declarations), Suppressed: len(r.Suppressed), Seconds: r.Elapsed.Seconds()}
	for _, st := range positions(sites) {
		s.Sites++
		s.ByState[st]++
	}
	for _, f := range r.Findings {
		switch level(f) {
		case rule.Error:
			s.Findings.Error++
		case rule.Warning:
			s.Findings.Warning++
		default:
			s.Findings.Note++
		}
	}
	return s
}

// position is where a request stands for the reader, and where its DDI is spelled: a macro can hold several.
type position struct{ place, spelled driver.Place }

// positions gives the state of each position; one that is unknown in some builds counts as unknown.
func positions(sites []request) map[position]driver.State {
	states := map[position]driver.State{}
	for _, q := range sites {
		if p := (position{q.Place, q.Spelled}); states[p] != driver.Unknown {
			states[p] = q.CurrentState()
		}
	}
	return states
}
