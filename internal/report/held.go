package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// A built driver beside its source: what became of each request of either.

// heldOrder is that of the verdicts, what matters most first.
var heldOrder = []driver.Verdict{driver.Disagree, driver.OnlySource, driver.OnlyBuilt, driver.NotKnown, driver.Agree}

var heldColour = map[driver.Verdict]style{driver.Disagree: yellow, driver.OnlySource: cyan, driver.OnlyBuilt: cyan, driver.NotKnown: cyan, driver.Agree: green}

// differsID is the rule of what disagrees.
const differsID = "NX0021"

// held lists what became of the requests, all of them.
func (c *console) held(b Built) {
	switch {
	case !b.Held:
		return
	case b.NotHeld != "":
		c.say("", gutterWidth, part{"Not held against the source:", bold}, part{b.NotHeld, red})
		c.raw("\n", plain)
		return
	}
	c.say("", gutterWidth, part{"Beside " + b.Source + ":", bold}, part{heldCounts(b.Matches), plain})
	matches := slices.Clone(b.Matches)
	slices.SortStableFunc(matches, func(x, y driver.Match) int {
		return slices.Index(heldOrder, x.Verdict) - slices.Index(heldOrder, y.Verdict)
	})
	for _, m := range matches {
		c.match(m, "  ")
	}
	c.raw("\n", plain)
}

// match is one request of either.
func (c *console) match(m driver.Match, lead string) {
	c.say(lead, len(lead)+2, part{fmt.Sprintf("%-*s", len(driver.OnlySource), m.Verdict), heldColour[m.Verdict]}, part{" " + heldSays(m), plain})
}

func heldCounts(matches []driver.Match) string {
	counts := map[driver.Verdict]int{}
	for _, m := range matches {
		counts[m.Verdict]++
	}
	var parts []string
	for i := range heldOrder { // agreement first
		v := heldOrder[(i+len(heldOrder)-1)%len(heldOrder)]
		if n := counts[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	if parts == nil {
		return "no request in either"
	}
	return strings.Join(parts, ", ")
}

// heldSays names a request by its lines in the source and its addresses in the image.
func heldSays(m driver.Match) string {
	var parts []string
	name := ""
	for _, s := range m.Source {
		name = s.DDI.Name
		parts = append(parts, strings.TrimRight(fmt.Sprintf("%s:%d %s", s.Place.Path, s.Place.Line, s.Function), " "))
	}
	var at []string
	for _, s := range m.Built {
		at = append(at, fmt.Sprintf("0x%x", s.Spot.RVA))
		if f, ok := driver.Own(s.Spot.Frames); ok && len(m.Source) == 0 && len(at) == 1 {
			parts = append(parts, frameText(f))
		}
		if name == "" {
			name = s.DDI.Name
		}
	}
	says := name
	if len(parts) > 0 {
		says += ", " + strings.Join(parts, ", ")
	}
	if len(at) > 0 {
		says += ", at " + strings.Join(at, ", ")
	}
	if m.Why != "" && m.Verdict != driver.OnlySource {
		says += ": " + m.Why
	}
	if m.Verdict == driver.NotKnown {
		says += ": " + openReason(m)
	}
	return says
}

// openReason says of whom is not known what he asks for, and why.
func openReason(m driver.Match) string {
	for _, s := range m.Source {
		if s.Value.Unknown != "" {
			return "in the source, " + s.Value.Unknown
		}
	}
	return "in the image, " + m.Built[0].Value.Unknown
}

// jsonHeld is a request in the source beside its calls in the image.
type jsonHeld struct {
	Type    string         `json:"type"`
	Image   string         `json:"image"`
	Against driver.Witness `json:"against"`
	Build   string         `json:"build"`
	Verdict driver.Verdict `json:"verdict"`
	Why     string         `json:"why,omitempty"`
	DDI     string         `json:"ddi"`
	Source  []jsonLine     `json:"source"`
	Calls   []uint32       `json:"calls"` // addresses in the image
	On      []jsonValues   `json:"on"`
}

type jsonLine struct {
	Path     string `json:"path"`
	Line     int    `json:"line"`
	Function string `json:"function,omitempty"`
}

type jsonValues struct {
	Windows string   `json:"windows"`
	Source  []uint32 `json:"source"`
	Image   []uint32 `json:"image"`
}

func heldLines(b Built) []any {
	var lines []any
	for _, m := range b.Matches {
		line := jsonHeld{Type: "comparison", Image: b.Build.Project, Against: driver.Source, Build: b.Source, Verdict: m.Verdict, Why: m.Why,
			Source: []jsonLine{}, Calls: []uint32{}, On: []jsonValues{}}
		for _, s := range slices.Concat(m.Built, m.Source) {
			line.DDI = s.DDI.Name
		}
		for _, s := range m.Source {
			line.Source = append(line.Source, jsonLine{s.Place.Path, s.Place.Line, s.Function})
		}
		for _, s := range m.Built {
			line.Calls = append(line.Calls, s.Spot.RVA)
		}
		if m.Verdict == driver.NotKnown {
			line.Why = openReason(m)
		}
		for _, w := range b.Build.Windows {
			line.On = append(line.On, jsonValues{w.String(), all(m.Source, w), all(m.Built, w)})
		}
		lines = append(lines, line)
	}
	return lines
}

// all gives the values that several requests can have.
func all(sites []*driver.Site, w nx.Version) []uint32 {
	list := []uint32{}
	for _, s := range sites {
		list = append(list, s.On(w).Values...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
