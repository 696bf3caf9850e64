package image

import (
	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// notJudged is what is known of the arguments of a call until they are followed.
const notJudged = "the arguments of calls in built images are not followed yet"

// Driver gives the image's calls of the routines in the table, with their lines in the source where it tells them. Located makes of
// a path that the compiler gave the one to show.
func (m *Image) Driver(table []nx.DDI, located func(string) string) driver.Image {
	rows := map[string]nx.DDI{}
	for _, d := range table {
		rows[d.Name] = d
	}
	img := driver.Image{Build: driver.Build{
		ID: m.Path, Project: m.Path, Processor: m.Processor, Mechanism: nx.None, Initialised: driver.InitUnknown,
	}}
	calls := m.Calls(func(name string) bool { _, known := rows[name]; return known })
	for _, c := range calls {
		s := driver.Site{
			Witness: driver.Binary, Place: driver.Place{Path: m.Path}, DDI: rows[c.Import.Name], Mechanism: nx.None, Moment: driver.After,
			Spot: &driver.Spot{RVA: c.RVA, Return: c.Return, Frames: m.Located(c.RVA, located)},
		}
		if section, ok := m.Section(c.RVA); ok {
			s.Spot.Section = section.Name
		}
		if f, ok := m.Function(c.RVA); ok {
			s.Function = f.Name
		}
		if s.DDI.Argument != 0 {
			s.Value.Unknown = notJudged
		}
		img.Sites = append(img.Sites, s)
	}
	return img
}

// Located gives the frames of an address, with paths to show; none where the image does not tell them.
func (m *Image) Located(rva uint32, located func(string) string) []driver.Frame {
	frames, err := m.Frames(rva)
	if err != nil {
		return nil
	}
	for i := range frames {
		if frames[i].Path != "" {
			frames[i].Path = located(frames[i].Path)
		}
	}
	return frames
}
