package scan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/image"
	"github.com/nxport/nxport/internal/report"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// At says what is at addresses of a built driver, each relative to where the driver is loaded. Those that lie outside of it are
// named in the error.
func At(sys string, addresses []uint64, ddis []nx.DDI) ([]report.Address, error) {
	b, err := openBuilt(sys, ddis)
	if err != nil {
		return nil, err
	}
	var list []report.Address
	var problems []error
	for _, rva := range addresses {
		if a, ok := b.at(rva); ok {
			list = append(list, a)
		} else {
			problems = append(problems, b.outside(rva))
		}
	}
	return list, errors.Join(problems...)
}

// built is a driver as it was linked, and its requests, by address.
type built struct {
	*image.Image
	sites   []driver.Site
	facts   []driver.Fact
	located func(string) string
}

func openBuilt(sys string, ddis []nx.DDI) (*built, error) {
	t, err := tree.New(nil)
	if err != nil {
		return nil, err
	}
	data, err := t.Read(t.Clean(sys))
	if err != nil {
		return nil, err
	}
	return parseBuilt(t.Clean(sys), data, ddis, t.Clean)
}

func parseBuilt(path string, data []byte, ddis []nx.DDI, located func(string) string) (*built, error) {
	m, err := image.Parse(path, data)
	if err != nil {
		return nil, err
	}
	d := m.Driver(ddis, located)
	return &built{m, d.Sites, d.Facts, located}, nil
}

// at names what is at an address, false where that is not in the image.
func (b *built) at(rva64 uint64) (report.Address, bool) {
	section, ok := b.Section(uint32(rva64))
	if !ok || rva64 > 1<<32-1 {
		return report.Address{}, false
	}
	a := report.Address{Path: b.Path, RVA: uint32(rva64), Section: section.Name, Relation: report.None}
	begin := uint32(0)
	if f, ok := b.Function(a.RVA); ok {
		// A part of a function that was moved away can stand before its beginning.
		a.Function, a.Offset, a.Bounded, begin = f.Name, a.RVA-min(f.Start, a.RVA), true, f.Start
	}
	// What Driver Verifier and debuggers name are return addresses, and the line of one is that of the byte before it.
	code := a.RVA
	if !a.Bounded || a.RVA != begin {
		code = max(code, 1) - 1
	}
	frames, err := b.Located(code, b.located)
	if a.Frames = frames; err != nil {
		a.NoLines = err.Error()
	}
	a.Relation, a.Site = b.request(a.RVA)
	return a, true
}

// request finds the request that an address belongs to.
func (b *built) request(rva uint32) (report.Relation, *driver.Site) {
	for i := range b.sites {
		switch s := &b.sites[i]; {
		case s.Spot.Return != 0 && s.Spot.Return == rva:
			return report.Behind, s
		case s.Spot.RVA == rva, s.Spot.RVA < rva && rva < s.Spot.Return:
			return report.In, s
		}
	}
	jumps := b.Jumps(b.sites, rva)
	if len(jumps) > 0 && !slices.ContainsFunc(jumps, func(s *driver.Site) bool { return s.DDI.Name != jumps[0].DDI.Name }) {
		return report.Tail, jumps[0]
	}
	if s := b.nearest(rva); s != nil {
		return report.Near, s
	}
	return report.None, nil
}

// nearest finds the request nearest to an address in the same function; of two as near, the one before it.
func (b *built) nearest(rva uint32) *driver.Site {
	f, ok := b.Function(rva)
	if !ok {
		return nil
	}
	var best *driver.Site
	for i := range b.sites {
		s := &b.sites[i]
		if !b.Within(s.Spot.RVA, f) {
			continue
		}
		if best == nil || distance(s.Spot.RVA, rva) < distance(best.Spot.RVA, rva) {
			best = s
		}
	}
	return best
}

func distance(a, b uint32) uint32 { return max(a, b) - min(a, b) }

const (
	pageSize    = 0x1000
	maxEndAlike = 8 // requests that are named for an address whose base is not known
)

// outside says that an address is not in the image. One that was not yet made relative to the driver's base has the offset in its
// page in common with it, as images are loaded at pages: the calls that return to such an offset are named.
func (b *built) outside(address uint64) error {
	says := fmt.Sprintf("%s: 0x%x is not in the image, which has 0x%x bytes in memory", b.Path, address, b.Size)
	if address < uint64(b.Size) {
		return fmt.Errorf("%s: 0x%x is in no section of the image: want an RVA, the address less the driver's base", b.Path, address)
	}
	var alike []string
	for _, s := range endAlike(b.sites, address) {
		alike = append(alike, fmt.Sprintf("0x%x (%s)", s.Spot.Return, s.DDI.Name))
	}
	says += ": want an RVA, the address less the driver's base"
	if len(alike) == 0 {
		return fmt.Errorf("%s. No call of a routine that gives memory returns to an RVA that ends in %03x", says, address%pageSize)
	}
	return fmt.Errorf("%s. If that is not known, its RVA ends in %03x: %s", says, address%pageSize, strings.Join(alike, ", "))
}

// endAlike gives the first requests that return to an address with that offset in its page.
func endAlike(sites []driver.Site, address uint64) []driver.Site {
	var list []driver.Site
	for _, s := range sites {
		if s.Spot.Return != 0 && uint64(s.Spot.Return)%pageSize == address%pageSize && len(list) < maxEndAlike {
			list = append(list, s)
		}
	}
	return list
}
