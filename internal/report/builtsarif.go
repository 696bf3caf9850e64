package report

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/rule"
)

// SARIFAbove writes nothing: DriversSARIF has the run of the source, too, as there is one log.
func SARIFAbove(io.Writer, *Scan, View) error { return nil }

// DriversSARIF writes the findings of built drivers as one run of SARIF 2.1.0, behind that of the source. The run is not held: its
// results are written as they come, in the place that an empty one has for them, and what could not be read at the end.
func DriversSARIF(w io.Writer, d Drivers, v View) error {
	rules := slices.Concat(rule.All(), rule.OfChecks())
	run := emptyRun(rules, v)
	run.Invocations = []sarifInvocation{}
	runs := []sarifRun{run}
	if d.Source != nil {
		runs = append([]sarifRun{d.Source.run(v)}, run)
	}
	frame, err := marshal(sarifLog{sarifSchema, "2.1.0", runs})
	if err != nil {
		return err
	}
	at := bytes.LastIndex(frame, []byte(`"invocations":[]`))
	results := bytes.LastIndex(frame, []byte(`"results":[]`))
	b := bufio.NewWriter(w)
	b.Write(frame[:at])
	b.Write(bytes.TrimPrefix(frame[at+len(`"invocations":[]`):results], []byte(",")))
	inv, err := writeResults(b, d, indexOf(rules))
	if err != nil {
		return err
	}
	invocations, err := marshal([]sarifInvocation{inv})
	if err != nil {
		return err
	}
	b.WriteString(`,"invocations":`)
	b.Write(invocations)
	b.Write(frame[results+len(`"results":[]`):])
	b.WriteString("\n")
	return b.Flush()
}

// writeResults writes the results as they come, and gives what could not be read.
func writeResults(b *bufio.Writer, d Drivers, index map[*rule.Rule]int) (sarifInvocation, error) {
	inv := sarifInvocation{Successful: true}
	before := `"results":[` + "\n"
	for one := range d.List {
		if one.Unreadable != "" {
			inv.Successful = false
			inv.Notifications = append(inv.Notifications, notRead(one.Build.Project, one.Unreadable))
		}
		for _, result := range builtResults(one, index) {
			line, err := marshal(result)
			if err != nil {
				return inv, err
			}
			b.WriteString(before)
			b.Write(line)
			before = ",\n"
		}
		if err := b.Flush(); err != nil {
			return inv, err
		}
	}
	if before != ",\n" {
		b.WriteString(before)
	}
	b.WriteString("]")
	return inv, nil
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// builtResults are the findings of one driver. One is told from others by what it is about, and alike ones by their order.
func builtResults(d Built, index map[*rule.Rule]int) []sarifResult {
	in := newBuilds(&Scan{Images: []driver.Image{d.Image}})
	seen := map[string]int{}
	var list []sarifResult
	for _, f := range d.Findings {
		key := []string{f.Rule.ID, f.Place.Path, "", ""}
		at := sarifLocation{Physical: &sarifPhysical{Artifact: artifact(f.Place.Path)}}
		steps := f.Steps
		if f.Spot != nil {
			at.Physical.Address = &sarifAddress{f.Spot.RVA, "instruction"}
			f.Message += fmt.Sprintf(", at 0x%x of %s", f.Spot.RVA, f.Place.Path)
		}
		if s := f.Site; s != nil {
			key[2], key[3] = s.Function, s.DDI.Name
			steps = slices.Concat(s.Value.Steps, steps)
			if s.Function != "" {
				at.Logical = []sarifLogical{{s.Function, "function"}}
			}
			if own, ok := driver.Own(s.Spot.Frames); ok && own.Line > 0 {
				at.Physical = &sarifPhysical{Artifact: artifact(own.Path), Region: &sarifRegion{Line: own.Line}}
			}
		}
		print := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(key, "\x00"))))[:32]
		seen[print]++
		list = append(list, sarifResult{
			RuleID: f.Rule.ID, RuleIndex: index[f.Rule], Level: level(f).String(), Message: sarifText{Text: message(in, f)},
			Locations: []sarifLocation{at}, CodeFlows: (&Scan{}).codeFlow(steps, f), Properties: sarifResultExtra{f.Builds},
			Fingerprints: map[string]string{fingerprint: fmt.Sprintf("%s:%d", print, seen[print])},
		})
	}
	return list
}
