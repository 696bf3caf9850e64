package rule

import (
	"fmt"

	"github.com/nxport/nxport/internal/driver"
)

var differsFromSource = Rule{
	ID:    "NX0021",
	Name:  "image-differs-from-source",
	Level: Warning,
	Doc: Doc{
		What: `A built driver that was named together with its source asks for something else there than the source does: another pool
type, other flags, another protection, on a Windows that is judged.`,
		Why: `Then the driver was not built from that source, in that configuration: it is stale, was built with other definitions,
or its object files were. What was found in the source, or mended there, is not what runs. If it is the same source, nxport reads one
of the two wrongly: please report that.`,
		Fix: `Build the driver anew, all of it, and compare again. Name its configuration with --config.`,
	},
}

// Differences gives a finding for each call in a built driver that disagrees with its source.
func Differences(m *driver.Image, matches []driver.Match) []Finding {
	var found []Finding
	for _, match := range matches {
		if match.Verdict != driver.Disagree {
			continue
		}
		p := match.Source[0]
		for _, b := range match.Built {
			f := Finding{Message: fmt.Sprintf("%s passes something else than its source at %s: %s", b.DDI.Name, line(p.Place), match.Why), Place: b.Place, Site: b}
			found = append(found, of(m, &differsFromSource, f))
		}
	}
	return found
}

func line(p driver.Place) string { return fmt.Sprintf("%s:%d", p.Path, p.Line) }
