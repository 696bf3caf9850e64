package scan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// Prediction gives the build of the one driver for a processor, with the requests of the libraries that are linked into it: what a built
// image is held against. Of several builds that say the same on those Windows it is the first; where they do not, that is an
// error, which names two.
func (r *Result) Prediction(p nx.Processor, windows []nx.Version) (driver.Image, error) {
	var found driver.Image
	said := ""
	for _, m := range r.Images {
		if m.Build.Processor != p || m.Build.Library {
			continue
		}
		m = linked(m, r.Images)
		switch says := spelled(m, windows); {
		case found.Build.ID == "":
			found, said = m, says
		case says != said:
			return found, fmt.Errorf("%s and %s predict different requests: choose one with --config", found.Build.ID, m.Build.ID)
		}
	}
	if found.Build.ID == "" {
		return found, fmt.Errorf("no build of a driver for %s", p)
	}
	return found, nil
}

// linked adds the requests of the static libraries that are linked into a build.
func linked(m driver.Image, all []driver.Image) driver.Image {
	m.Sites = slices.Clone(m.Sites)
	queue, seen := slices.Clone(m.Build.Links), map[string]bool{}
	for i := 0; i < len(queue); i++ {
		for _, library := range all {
			if library.Build.ID == queue[i] && !seen[queue[i]] {
				seen[queue[i]] = true
				m.Sites = append(m.Sites, library.Sites...)
				queue = append(queue, library.Build.Links...)
			}
		}
	}
	return m
}

// spelled is all that a build predicts, as text.
func spelled(m driver.Image, windows []nx.Version) string {
	var b strings.Builder
	for _, s := range m.Sites {
		fmt.Fprint(&b, s.Place, s.DDI.Name)
		for _, w := range windows {
			fmt.Fprint(&b, " ", s.On(w).Values)
		}
	}
	return b.String()
}
