package port

import (
	"fmt"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/internal/report"
	"github.com/nxport/nxport/nx"
)

// worse holds back a change after which a request gets executable memory that did not before. Requests are told by the lines that
// the change left as they are: a condition on the opt-in may select others, of which findings tell.
func (r *Result) worse() error {
	moved := map[string]map[int]int{}
	for _, c := range r.Changes {
		moved[c.Path] = edit.MovedLines(c)
	}
	for i, before := range r.Before {
		then, now := heapsOf(before.Sites, nil), heapsOf(r.After[i].Sites, moved)
		for _, s := range before.Sites {
			if a, b := then[heapOf(s, nil)], now[heapOf(s, nil)]; a.all == b.all && b.executable > a.executable && s.On(nx.Windows10).Executable == nx.No {
				return &RefusedError{fmt.Sprintf("%s: %s would get executable memory on Windows 10 in %s, and does not now: please report this",
					s.Place, s.DDI.Name, report.Builds([]string{before.Build.ID}))}
			}
		}
	}
	return nil
}

// heap names the requests of a DDI on one line: what a macro holds of them stands at one place.
type heap struct {
	path, ddi string
	line      int
}

type heapCount struct{ all, executable int }

// heapsOf counts requests by where they stood before the change.
func heapsOf(sites []driver.Site, moved map[string]map[int]int) map[heap]heapCount {
	heaps := map[heap]heapCount{}
	for _, s := range sites {
		h := heapOf(s, moved)
		n := heaps[h]
		n.all++
		if e := s.On(nx.Windows10).Executable; e == nx.Yes || e == nx.Maybe {
			n.executable++
		}
		heaps[h] = n
	}
	return heaps
}

func heapOf(s driver.Site, moved map[string]map[int]int) heap {
	h := heap{s.Place.Path, s.DDI.Name, s.Place.Line}
	if lines := moved[s.Place.Path]; lines != nil {
		h.line = lines[s.Place.Line]
	}
	return h
}
