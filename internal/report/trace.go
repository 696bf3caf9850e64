package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/nxport/nxport/internal/driver"
)

// TraceText writes what a trace saw as a table.
func TraceText(w io.Writer, images []driver.Image) error {
	b := bufio.NewWriter(w)
	for i, m := range images {
		if i > 0 {
			fmt.Fprintln(b)
		}
		for _, s := range m.Sites {
			q := s.Seen
			size := ""
			if q.Size > 0 {
				size = plural(int(q.Size), "byte")
			}
			fmt.Fprintf(b, "%-10s  %-31s  %#-10x  %-4s  %11s  %s\n",
				q.Windows.Name(), s.DDI.Name, q.Value, q.Tag, size, judgement[s.On(q.Windows).Executable])
		}
	}
	return b.Flush()
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
}

// TraceJSON writes what a trace saw, one site a line.
func TraceJSON(w io.Writer, images []driver.Image) error {
	e := json.NewEncoder(w)
	for _, m := range images {
		for _, s := range m.Sites {
			q := s.Seen
			line := jsonRequest{"site", s.Witness, q.Windows.String(), s.DDI.Name, q.Value, q.Size, q.Tag, q.RVA}
			if err := e.Encode(line); err != nil {
				return err
			}
		}
	}
	return nil
}
