package image

import (
	"encoding/binary"

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
	img := driver.Image{Build: m.build(), Facts: m.layout(), Imports: m.imported(rows)}
	calls := m.Calls(func(name string) bool { _, known := rows[name]; return known })
	for _, c := range calls {
		s := driver.Site{
			Witness: driver.Binary, Place: driver.Place{Path: m.Path}, DDI: rows[c.Import.Name], Mechanism: nx.None, Moment: driver.After,
			Spot: &driver.Spot{RVA: c.RVA, Return: c.Return},
		}
		s.Spot.Frames, _ = m.Located(c.RVA, located) // without lines it is an address
		if section, ok := m.Section(c.RVA); ok {
			s.Spot.Section = section.Name
		}
		if f, ok := m.Function(c.RVA); ok {
			s.Function, s.Spot.Start = f.Name, f.Start
		}
		if s.DDI.Argument != 0 {
			s.Value.Unknown = notJudged
		}
		img.Sites = append(img.Sites, s)
	}
	return img
}

// Jumps gives those of the image's sites to which the function jumps as its last act that is called right before an address. An
// address behind such a call is what the routine sees as its return address.
func (m *Image) Jumps(sites []driver.Site, returns uint32) []*driver.Site {
	to, ok := m.calledBefore(returns)
	if !ok {
		return nil
	}
	f, ok := m.Function(to)
	if !ok {
		return nil
	}
	var list []*driver.Site
	for i := range sites {
		if s := &sites[i]; s.Spot.Return == 0 && m.Within(s.Spot.RVA, f) {
			list = append(list, s)
		}
	}
	return list
}

// Within says whether an address is of a function.
func (m *Image) Within(rva uint32, f Function) bool {
	g, ok := m.Function(rva)
	return ok && g.Start == f.Start
}

// calledBefore gives what the instruction in front of an address calls, if it is a call by distance.
func (m *Image) calledBefore(rva uint32) (to uint32, ok bool) {
	const callNear, bl = 0xe8, 0x25
	switch m.Processor {
	case nx.X86, nx.X64:
		if code := m.At(rva - 5); rva >= 5 && len(code) >= 5 && code[0] == callNear {
			return rva + binary.LittleEndian.Uint32(code[1:]), true
		}
	case nx.ARM64:
		if code := m.At(rva - 4); rva >= 4 && len(code) >= 4 {
			w := binary.LittleEndian.Uint32(code)
			return rva - 4 + uint32(int32(w<<6)>>6)*4, w>>26 == bl
		}
	}
	return 0, false
}

// Located is Frames with paths to show.
func (m *Image) Located(rva uint32, located func(string) string) ([]driver.Frame, error) {
	frames, err := m.Frames(rva)
	for i := range frames {
		if frames[i].Path != "" {
			frames[i].Path = located(frames[i].Path)
		}
	}
	return frames, err
}
