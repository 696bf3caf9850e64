package rule

import (
	"fmt"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// officialOf names the rule of Microsoft's checker that is about a request, "" where none is. Each request is one rule's at
// most. It is judged as if the opt-in call were made in time: that it is not is the business of C30031, C30033, NX0001 and
// NX0003.
func officialOf(b driver.Build, s driver.Site) string {
	s = s.InTime()
	switch {
	case !executable(b, s):
		return ""
	case ofRoutine(&s):
		return "C30029"
	case s.Own != "":
		return "C30034"
	case optedOut(s):
		return "C30032"
	case selectsNX(s):
		return "" // NX0015 tells of it
	}
	return "C30030"
}

// ofRoutine says whether a request is executable by its routine, whatever NX pool there is, and not by a pool type or a bit of its flags.
func ofRoutine(s *driver.Site) bool { return s.DDI.Kind == nx.Always || s.DDI.Kind == nx.CacheType }

// requests gives one finding for each request that is the rule's, with its message so far.
func requests(m *driver.Image, id string) []Finding {
	var found []Finding
	for i := range m.Sites {
		s := &m.Sites[i]
		if ofRoutine(s) != (id == "C30029") || officialOf(m.Build, *s) != id {
			continue
		}
		f := Finding{Message: unsafeMessage(s.InTime()), Place: s.Place, Site: s}
		switch kit := newestKit(*s); {
		case s.UserMode:
			f.Level = Note
			f.Message += ", for user mode"
		case !executable(m.Build, kit.InTime()):
			f.Level = Note
			f.Message += ", if the kit is older than " + s.DDI.AdderKit.String() + ": newer ones add the NX bit themselves"
		}
		found = append(found, f)
	}
	return found
}

// newestKit gives the request as the headers of a kit make it that is newer than all that were looked at, where it is not
// known which kit it is, or which release of the one for Windows 10.
func newestKit(s driver.Site) driver.Site {
	if k := s.Built.Kit; s.DDI.AdderKit != (nx.Version{}) && (k == nx.Version{} || k == nx.Windows10) {
		s.Built.Kit = nx.Version{Major: 10, Build: 1 << 20}
	}
	return s
}

// optedOut says whether the request stands in a file that opted out, and gets nothing from one that did not.
func optedOut(s driver.Site) bool {
	return s.Mechanism == nx.OptedOut && !hasToken(s, func(t driver.Token) bool { return t.In != nx.OptedOut })
}

func hasToken(s driver.Site, is func(driver.Token) bool) bool {
	return slices.ContainsFunc(s.Value.Terms, func(t driver.Term) bool { return slices.ContainsFunc(t.Tokens, is) })
}

// alone judges one of the values of a request.
func alone(s driver.Site, t driver.Term, w nx.Version) nx.Executable {
	s.Value = driver.Value{Terms: []driver.Term{t}}
	return s.On(w).Executable
}

// selectsNX says whether the version of Windows selects between the request's executable value and a no-execute one.
func selectsNX(s driver.Site) bool {
	if s.Value.Unknown != "" || s.DDI.Argument == 0 {
		return false
	}
	nxToo := false
	for _, t := range s.Value.Terms {
		selected := slices.ContainsFunc(s.Value.Selected, func(u driver.Term) bool { return u.Compare(t) == 0 })
		switch executable := alone(s, t, nx.Windows10); {
		case executable != nx.No && !selected:
			return false
		case executable == nx.No && selected && alone(s, t, nx.Windows7) == nx.Undefined:
			nxToo = true
		}
	}
	return nxToo
}

var asked = map[nx.Kind]string{
	nx.PoolType: "executable nonpaged pool", nx.PoolFlags: "executable nonpaged pool",
	nx.LookasideFlags: "a lookaside list in executable pool", nx.MdlPriority: "an executable mapping",
	nx.PageProtection: "executable memory", nx.CacheType: "executable memory",
}

func unsafeMessage(s driver.Site) string {
	if s.DDI.Kind == nx.Always {
		return s.DDI.Name + " gives executable memory, whatever its arguments are"
	}
	may := "asks"
	if s.On(nx.Windows10).Executable == nx.Maybe {
		may = "may ask"
	}
	return fmt.Sprintf("%s %s for %s", s.DDI.Name, may, asked[s.DDI.Kind])
}

// factsOf gives those of one kind.
func factsOf(m *driver.Image, kind driver.FactKind) []driver.Fact {
	var list []driver.Fact
	for _, f := range m.Facts {
		if f.Kind == kind {
			list = append(list, f)
		}
	}
	return list
}

// count writes a number with what it counts.
func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
