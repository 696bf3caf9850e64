package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

// jsonImage is a built driver.
type jsonImage struct {
	Type          string       `json:"type"`
	Path          string       `json:"path"`
	Arch          nx.Processor `json:"arch"`
	Linker        string       `json:"linker,omitempty"`
	Minimum       string       `json:"minimum_windows"`
	MinimumSource string       `json:"minimum_source"`
	Mechanism     nx.Mechanism `json:"mechanism"`
	Initialised   string       `json:"initialised"`
	OptIns        []jsonOptIn  `json:"opt_ins,omitempty"`
	Verdict       Verdict      `json:"verdict"`
	Reasons       []string     `json:"reasons"`
	Imports       []string     `json:"imports,omitempty"` // routines of the table
}

// jsonOptIn is where a driver opts in.
type jsonOptIn struct {
	RVA  uint32 `json:"rva,omitempty"`
	Says string `json:"says"`
}

// jsonDrivers is the summary of built drivers.
type jsonDrivers struct {
	Type     string               `json:"type"`
	Images   int                  `json:"images"`
	Verdicts map[Verdict]int      `json:"by_verdict"`
	Sites    int                  `json:"sites"`
	ByState  map[driver.State]int `json:"by_state"`
	Findings jsonLevels           `json:"findings"`
}

// DriversJSON writes each built driver as lines of JSON: itself, its requests, its findings; and at the end a summary.
func DriversJSON(w io.Writer, d Drivers, _ View) error {
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	var t Tally
	for one := range t.Count(d.List) {
		for _, line := range builtLines(one) {
			if err := e.Encode(line); err != nil {
				return err
			}
		}
		if err := b.Flush(); err != nil {
			return err
		}
	}
	if err := e.Encode(jsonDrivers{"summary", t.Drivers, t.Verdicts, t.Sites, t.States, jsonLevels{t.Levels[rule.Error], t.Levels[rule.Warning], t.Levels[rule.Note]}}); err != nil {
		return err
	}
	return b.Flush()
}

func builtLines(d Built) []any {
	b := d.Build
	if d.Unreadable != "" {
		return []any{jsonOther{Type: "unreadable", Path: b.Project, Why: d.Unreadable}}
	}
	line := jsonImage{
		Type: "image", Path: b.Project, Arch: b.Processor, Linker: b.Linker, Minimum: b.Minimum.String(), MinimumSource: b.MinimumSource,
		Mechanism: b.Mechanism, Initialised: string(b.Initialised), Verdict: d.Verdict(), Reasons: d.Reasons(),
	}
	for _, f := range d.Facts {
		if f.Kind == driver.OptInCall {
			in := jsonOptIn{Says: f.Says}
			if f.Spot != nil {
				in.RVA = f.Spot.RVA
			}
			line.OptIns = append(line.OptIns, in)
		}
	}
	if line.Reasons == nil {
		line.Reasons = []string{}
	}
	for _, i := range d.Imports {
		line.Imports = append(line.Imports, i.Name)
	}
	lines := []any{line}
	for _, s := range d.Sites {
		site := imageSiteLine(s)
		site.On = []jsonOutcome{}
		for _, w := range b.Windows {
			site.On = append(site.On, outcomeLine(s.On(w)))
		}
		lines = append(lines, site)
	}
	for _, f := range d.Findings {
		line := findingLine(f)
		if f.Spot != nil {
			line.Section, line.RVA = f.Spot.Section, f.Spot.RVA
		}
		lines = append(lines, line)
	}
	return append(lines, heldLines(d)...)
}

// DriversMSBuild writes the findings of built drivers as MSBuild writes them: where the source of a request is known, there.
func DriversMSBuild(w io.Writer, d Drivers, _ View) error {
	b := bufio.NewWriter(w)
	for one := range d.List {
		for _, f := range one.Findings {
			origin, says := one.Build.Project+" ", f.Message
			if f.Spot != nil {
				says += fmt.Sprintf(", at 0x%x", f.Spot.RVA)
				if at, ok := driver.Own(f.Spot.Frames); ok && at.Line > 0 {
					origin = fmt.Sprintf("%s(%d)", at.Path, at.Line)
					says += " of " + one.Build.Project
				}
			}
			fmt.Fprintf(b, "%s: %s %s: %s\n", printable(origin), category(f), f.Rule.ID, printable(says))
		}
		if err := b.Flush(); err != nil {
			return err
		}
	}
	return b.Flush()
}
