package scan

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/hlk"
	"github.com/nxport/nxport/internal/report"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// Readiness reads a log of the lab kit and says of one driver which checks failed, and what in the driver that can be.
func Readiness(log, sys string, ddis []nx.DDI) (report.Readiness, error) {
	b, err := openBuilt(sys, ddis)
	if err != nil {
		return report.Readiness{}, err
	}
	t, err := tree.New(nil)
	if err != nil {
		return report.Readiness{}, err
	}
	data, err := t.Read(t.Clean(log))
	if err != nil {
		return report.Readiness{}, err
	}
	all := hlk.Parse(data)
	d, stops, ok := all.Of(path.Base(b.Path))
	if !ok {
		return report.Readiness{}, fmt.Errorf("%s: says nothing of %s: %s", t.Clean(log), path.Base(b.Path), others(all))
	}
	r := report.Readiness{Path: b.Path, Log: t.Clean(log), Counted: len(d.Counts)}
	for _, c := range nx.Checks() {
		if f, failed := b.failure(c, d, stops); failed {
			r.Failed = append(r.Failed, f)
		}
	}
	if slices.ContainsFunc(r.Failed, func(f report.Failure) bool { return len(f.Check.Kinds) > 0 }) {
		r.Undocumented = b.ofKinds(nx.Always, nx.CacheType)
	}
	return r, nil
}

const maxNamed = 8

// others says which drivers a log is about.
func others(l hlk.Log) string {
	var names []string
	for _, d := range l.Drivers {
		if len(d.Counts) > 0 {
			names = append(names, d.Name)
		}
	}
	switch more := len(names) - maxNamed; {
	case len(names) == 0:
		return `it counts nothing of any driver: want a log of the lab kit's readiness test, what "verifier /query" or "!verifier 1" prints, or a bug check 0xC4`
	case more > 0:
		return fmt.Sprintf("it is about %s and %d more", strings.Join(names[:maxNamed], ", "), more)
	}
	return "it is about " + strings.Join(names, ", ")
}

// failure puts together what the log and the image say of a check; false where it did not fail.
func (b *built) failure(c nx.Check, d hlk.Driver, stops []hlk.Stop) (report.Failure, bool) {
	f := report.Failure{Check: c}
	for i, n := range d.Counts {
		if n.Check.Count == c.Count && n.N > 0 {
			f.Count = &d.Counts[i]
		}
	}
	for _, s := range stops {
		if s.Check.Count == c.Count {
			f.Stops = append(f.Stops, b.stop(s, d.Base))
		}
	}
	f.Sites = b.ofKinds(c.Kinds...)
	f.Layout = b.layout(c)
	return f, f.Count != nil || len(f.Stops) > 0
}

// stop finds where in the driver a bug check is: by the driver's base, or else by the offset in the page.
func (b *built) stop(s hlk.Stop, base uint64) report.StopAt {
	at := report.StopAt{Stop: s, Base: base}
	switch address := s.Address(); {
	case address == 0:
	case base != 0:
		if a, ok := b.at(address - base); ok { // of a lower one it wraps around, far beyond any image
			at.Address = &a
		}
	default:
		at.Alike = endAlike(b.ofKinds(s.Check.Kinds...), address)
	}
	return at
}

// ofKinds gives the requests of some kinds, but for those that are known not to be executable.
func (b *built) ofKinds(kinds ...nx.Kind) []driver.Site {
	var list []driver.Site
	for _, s := range b.sites {
		if slices.Contains(kinds, s.DDI.Kind) && s.On(nx.Windows10).Executable != nx.No {
			list = append(list, s)
		}
	}
	return list
}

// layout says what a check of the image's layout finds in it.
func (b *built) layout(c nx.Check) (says []string) {
	for _, f := range b.facts {
		if f.Kind == rule.LayoutFacts(c) || c.Code == 0x2003 && f.Kind == driver.DiscardableCode {
			says = append(says, f.Says)
		}
	}
	return says
}
