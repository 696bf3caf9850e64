package replay

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// Difference is a request that our port and the people's commit leave in a different state.
type Difference struct {
	Place    driver.Place  `json:"-"`
	At       string        `json:"at"`
	DDI      string        `json:"ddi"`
	Build    string        `json:"build"` // the first in which it is so
	Windows  string        `json:"windows"`
	Ours     nx.Executable `json:"ours"`
	Theirs   nx.Executable `json:"theirs"`
	Function string        `json:"function,omitempty"`
	Named    bool          `json:"named"` // the port says that it stays so, and why
}

func (d Difference) String() string {
	text := fmt.Sprintf("%s: %s in %s on Windows %s: %s, theirs %s (%s)", d.At, d.DDI, cmp.Or(d.Function, "no function"), d.Windows, d.Ours, d.Theirs, d.Build)
	if d.Named {
		text += "; named by the port"
	}
	return text
}

// bad says how much is to be said against a judgement, from Windows 8 on.
func bad(e nx.Executable) int {
	return slices.Index([]nx.Executable{nx.No, nx.Unknown, nx.Maybe, nx.Yes}, e)
}

// judge holds the ported images against those of the people's commit and those of before.
func judge(o *Outcome, before, ours, theirs []driver.Image) {
	sites := map[driver.Place]bool{} // each counts once, whatever the number of its builds
	for _, img := range ours {
		for _, s := range img.Sites {
			sites[s.Place] = true
		}
		if old := find(before, img.Build.ID); old != nil {
			o.Below = append(o.Below, low(img, *old)...)
		}
		human := counterpart(theirs, img.Build)
		if human == nil {
			o.Only++
			continue
		}
		for _, p := range pairs(img, *human) {
			o.high(img.Build, p)
		}
	}
	var below []Difference
	for _, img := range theirs {
		if old := find(before, img.Build.ID); old != nil {
			below = append(below, low(img, *old)...)
		}
	}
	o.TheirsBelow = len(once(below))
	o.Builds, o.Sites = len(ours), len(sites)
	for _, list := range []*[]Difference{&o.Worse, &o.Better, &o.Below, &o.Alone} {
		*list = once(*list)
	}
}

func find(images []driver.Image, id string) *driver.Image {
	if i := slices.IndexFunc(images, func(m driver.Image) bool { return m.Build.ID == id }); i >= 0 {
		return &images[i]
	}
	return nil
}

// counterpart finds a build in their commit: the same one, or one of the same project and processor under another name.
func counterpart(theirs []driver.Image, b driver.Build) *driver.Image {
	if same := find(theirs, b.ID); same != nil {
		return same
	}
	i := slices.IndexFunc(theirs, func(m driver.Image) bool {
		return m.Build.Project == b.Project && m.Build.Processor == b.Processor
	})
	if i < 0 {
		return nil
	}
	return &theirs[i]
}

// pairs matches as driver.Compare does. What is left of a function then is matched in order whatever the DDI: people
// replace one by another.
func pairs(ours, theirs driver.Image) []driver.Pair {
	var list, left []driver.Pair
	rest := map[string][]*driver.Site{}
	where := func(s *driver.Site) string { return s.Place.Path + "\x00" + s.Function }
	for _, p := range driver.Compare(ours, theirs) {
		switch {
		case p.A == nil:
			rest[where(p.B)] = append(rest[where(p.B)], p.B)
		case p.B == nil:
			left = append(left, p)
		default:
			list = append(list, p)
		}
	}
	for _, p := range left {
		if r := rest[where(p.A)]; len(r) > 0 {
			p.B, rest[where(p.A)] = r[0], r[1:]
		}
		list = append(list, p)
	}
	return list
}

// high judges from Windows 8 on: the last version on which the two differ.
func (o *Outcome) high(b driver.Build, p driver.Pair) {
	if p.B == nil {
		last := b.Windows[len(b.Windows)-1]
		o.Alone = append(o.Alone, difference(b, p.A, last, p.A.On(last).Executable, "none"))
		return
	}
	for _, w := range slices.Backward(b.Windows) {
		if w.Before(nx.Windows8) {
			return
		}
		ours, theirs := p.A.On(w).Executable, p.B.On(w).Executable
		switch d := difference(b, p.A, w, ours, theirs); {
		case bad(ours) > bad(theirs):
			o.Worse = append(o.Worse, d)
			return
		case bad(ours) < bad(theirs):
			o.Better = append(o.Better, d)
			return
		}
	}
}

// low judges before Windows 8, against what was there before.
func low(now, then driver.Image) (list []Difference) {
	for _, p := range driver.Compare(now, then) {
		if p.A == nil || p.B == nil {
			continue
		}
		for _, w := range now.Build.Windows {
			is, was := p.A.On(w).Executable, p.B.On(w).Executable
			if is == nx.Undefined && was != nx.Undefined {
				list = append(list, difference(now.Build, p.A, w, is, was))
				break
			}
		}
	}
	return list
}

func difference(b driver.Build, s *driver.Site, w nx.Version, ours, theirs nx.Executable) Difference {
	return Difference{Place: s.Place, At: s.Place.String(), DDI: s.DDI.Name, Build: b.ID, Windows: w.String(), Ours: ours, Theirs: theirs, Function: s.Function}
}

// once keeps the first difference at each place.
func once(list []Difference) []Difference {
	slices.SortStableFunc(list, func(a, b Difference) int { return a.Place.Compare(b.Place) })
	return slices.CompactFunc(list, func(a, b Difference) bool { return a.Place == b.Place })
}
