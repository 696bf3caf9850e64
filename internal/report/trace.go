package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// Trace is what a trace has to show.
type Trace struct {
	Seen []driver.Image // one for each Windows
	// Binary and Source are the requests in the image and in the source beside what was seen, for each Windows; Source is nil
	// where no source was named. Build is the one that was compared, of several that are alike.
	Binary, Source [][]driver.Observation
	Build          string
}

// TraceText writes what a trace saw as a table, for each Windows, and under it what became of what was predicted.
func TraceText(w io.Writer, t Trace) error {
	b := bufio.NewWriter(w)
	for i, m := range t.Seen {
		if i > 0 {
			fmt.Fprintln(b)
		}
		verdicts := map[*driver.Site]driver.Verdict{}
		if t.Source != nil {
			for _, o := range t.Source[i] {
				for _, s := range o.Seen {
					verdicts[s] = o.Verdict
				}
			}
		}
		width := widest(m)
		for j := range m.Sites {
			fmt.Fprintln(b, requestRow(&m.Sites[j], width, verdicts, t.Source != nil))
		}
		if t.Source != nil {
			compared(b, m, t.Source[i], t.Build)
		}
	}
	if t.Source == nil {
		unreached(b, t.Binary)
	}
	return b.Flush()
}

// widest is the width of the judgements of an image.
func widest(m driver.Image) int {
	width := len(judgement[nx.No])
	for _, s := range m.Sites {
		width = max(width, len(judgement[s.On(s.Seen.Windows).Executable]))
	}
	return width
}

// requestRow is one request that was seen.
func requestRow(s *driver.Site, width int, verdicts map[*driver.Site]driver.Verdict, withVerdict bool) string {
	q, size, rva := s.Seen, "", ""
	if q.Size > 0 {
		size = plural(int(q.Size), "byte")
	}
	if q.RVA != 0 {
		rva = fmt.Sprintf("%#x", q.RVA)
	}
	line := fmt.Sprintf("%-10s  %-31s  %#-10x  %-4s  %11s  %-*s  ", q.Windows.Name(), s.DDI.Name, q.Value, q.Tag, size,
		width, judgement[s.On(q.Windows).Executable])
	if withVerdict {
		line += fmt.Sprintf("%-13s  ", verdicts[s])
	}
	return strings.TrimRight(line+fmt.Sprintf("%-7s  %s", rva, innermost(q.Frames)), " ")
}

// innermost names the innermost frame of the driver's own.
func innermost(frames []driver.Frame) string {
	f, ok := driver.Own(frames)
	if !ok {
		return ""
	}
	return strings.TrimRight(fmt.Sprintf("%s:%d %s", f.Path, f.Line, f.Function), " ")
}

// verdictOrder is that of a summary.
var verdictOrder = []driver.Verdict{driver.Agree, driver.Disagree, driver.NotPredicted, driver.NotReached, driver.NotObservable}

// compared counts the verdicts on one Windows, and names what does not just agree.
func compared(b io.Writer, m driver.Image, list []driver.Observation, build string) {
	count := map[driver.Verdict]int{}
	alike := 0
	for _, o := range list {
		count[o.Verdict]++
		if o.Verdict == driver.Agree && o.Why != "" {
			alike++
		}
	}
	var parts []string
	for _, v := range verdictOrder {
		if n := count[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
		if v == driver.Agree && alike > 0 {
			parts[0] += fmt.Sprintf(" (of which %d can't be told apart from others)", alike)
		}
	}
	if parts == nil {
		parts = append(parts, "no request in either")
	}
	fmt.Fprintf(b, "%s, scan of %s: %s\n", m.Build.Minimum.Name(), build, strings.Join(parts, ", "))
	for _, o := range list {
		if o.Verdict != driver.Agree {
			fmt.Fprintf(b, "  %s: %s\n", o.Verdict, outcomeOf(o))
		}
	}
}

// outcomeOf says of what request an observation is, and why it does not just agree.
func outcomeOf(o driver.Observation) string {
	s, at := o.Predicted, ""
	switch {
	case s == nil:
		s = o.Seen[0]
		at = innermost(s.Seen.Frames)
	case s.Spot != nil:
		at = strings.TrimRight(fmt.Sprintf("%#x %s", s.Spot.RVA, innermost(s.Spot.Frames)), " ")
	default:
		at = strings.TrimRight(fmt.Sprintf("%s:%d %s", s.Place.Path, s.Place.Line, s.Function), " ")
	}
	text := strings.TrimLeft(at+" ", " ") + s.DDI.Name
	if o.Why != "" {
		text += ": " + o.Why
	}
	return text
}

// maxUnreached is how many calls are listed that no run came to.
const maxUnreached = 20

// unreached names the calls in the image that were not seen on any Windows: of them a trace says nothing.
func unreached(b io.Writer, byWindows [][]driver.Observation) {
	seen := map[*driver.Site]bool{}
	var order []driver.Observation
	for i, list := range byWindows {
		for _, o := range list {
			if o.Predicted == nil {
				continue
			}
			if i == 0 {
				order = append(order, o)
			}
			seen[o.Predicted] = seen[o.Predicted] || len(o.Seen) > 0
		}
	}
	var lines []string
	for _, o := range order {
		if !seen[o.Predicted] {
			lines = append(lines, fmt.Sprintf("  %s: %s", o.Verdict, outcomeOf(o)))
		}
	}
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\nNot seen: %d of %s in the image\n", len(lines), plural(len(order), "call"))
	for i, line := range lines {
		if i == maxUnreached {
			fmt.Fprintf(b, "  and %d more (--format json has all)\n", len(lines)-i)
			break
		}
		fmt.Fprintln(b, line)
	}
}

// jsonRequest is a site of a trace: one request as it was seen.
type jsonRequest struct {
	Type    string         `json:"type"`
	Witness driver.Witness `json:"witness"`
	Windows string         `json:"windows"`
	DDI     string         `json:"ddi"`
	Value   uint32         `json:"value"`
	Size    uint64         `json:"size"`
	Tag     string         `json:"tag"`
	RVA     uint32         `json:"rva,omitempty"`
	Frames  []jsonFrame    `json:"frames,omitempty"` // the innermost first
}

type jsonFrame struct {
	Path     string `json:"path"`
	Line     int    `json:"line"`
	Function string `json:"function,omitempty"`
}

// jsonComparison is a predicted request, by the witness that predicted it, beside what was seen of it.
type jsonComparison struct {
	Type      string         `json:"type"`
	Against   driver.Witness `json:"against"`
	Windows   string         `json:"windows"`
	Verdict   driver.Verdict `json:"verdict"`
	Why       string         `json:"why,omitempty"`
	DDI       string         `json:"ddi"`
	Path      string         `json:"path,omitempty"`
	Line      int            `json:"line,omitempty"`
	Function  string         `json:"function,omitempty"`
	RVA       uint32         `json:"rva,omitempty"`
	Predicted []uint32       `json:"predicted,omitempty"`
	Seen      []uint32       `json:"seen"`
}

// TraceJSON writes what a trace saw, one site a line, and then the comparisons.
func TraceJSON(w io.Writer, t Trace) error {
	e := json.NewEncoder(w)
	for _, m := range t.Seen {
		for _, s := range m.Sites {
			q := s.Seen
			line := jsonRequest{"site", s.Witness, q.Windows.String(), s.DDI.Name, q.Value, q.Size, q.Tag, q.RVA, jsonFrames(q.Frames)}
			if err := e.Encode(line); err != nil {
				return err
			}
		}
	}
	for _, by := range []struct {
		witness driver.Witness
		lists   [][]driver.Observation
	}{{driver.Binary, t.Binary}, {driver.Source, t.Source}} {
		for _, list := range by.lists {
			for _, o := range list {
				if err := e.Encode(comparison(by.witness, o)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func jsonFrames(frames []driver.Frame) []jsonFrame {
	var list []jsonFrame
	for _, f := range frames {
		list = append(list, jsonFrame{f.Path, f.Line, f.Function})
	}
	return list
}

func comparison(against driver.Witness, o driver.Observation) jsonComparison {
	c := jsonComparison{Type: "comparison", Against: against, Windows: o.Windows.String(), Verdict: o.Verdict, Why: o.Why, Seen: []uint32{}}
	for _, s := range o.Seen {
		c.Seen = append(c.Seen, s.Seen.Value)
	}
	s := o.Predicted
	if s == nil {
		s = o.Seen[0]
		c.RVA = s.Seen.RVA
		if f, ok := driver.Own(s.Seen.Frames); ok {
			c.Path, c.Line, c.Function = f.Path, f.Line, f.Function
		}
	} else {
		c.Path, c.Line, c.Function, c.Predicted = s.Place.Path, s.Place.Line, s.Function, s.On(o.Windows).Values
	}
	if spot := s.Spot; spot != nil {
		c.RVA = spot.RVA
		if f, ok := driver.Own(spot.Frames); ok {
			c.Path, c.Line, c.Function = f.Path, f.Line, f.Function
		}
	}
	c.DDI = s.DDI.Name
	return c
}
