package rule

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// aBuilt is a built driver for Windows 7 and later that is not opted in.
func aBuilt(change func(*driver.Image)) *driver.Image {
	m := &driver.Image{Build: driver.Build{
		ID: "d.sys", Project: "d.sys", Processor: nx.X64, Minimum: nx.Windows7, MinimumSource: "subsystem version 6.1",
		Windows: []nx.Version{nx.Windows7, nx.Windows8, nx.Windows10}, Mechanism: nx.None, Initialised: driver.InitUnknown,
	}}
	change(m)
	return m
}

func row(name string) nx.DDI {
	i := slices.IndexFunc(nx.DDIs(), func(d nx.DDI) bool { return d.Name == name })
	return nx.DDIs()[i]
}

// asking adds a request that passes one of these values.
func asking(m *driver.Image, rva uint32, name string, terms ...driver.Term) *driver.Site {
	m.Sites = append(m.Sites, driver.Site{
		Witness: driver.Binary, Place: driver.Place{Path: "d.sys"}, DDI: row(name), Mechanism: nx.None, Moment: driver.After,
		Value: driver.Value{Terms: terms}, Spot: &driver.Spot{Section: ".text", RVA: rva},
	})
	return &m.Sites[len(m.Sites)-1]
}

func bits(v uint32) driver.Term { return driver.Term{Bits: v} }

// variable is what a call passes that takes the pool type from the opt-in's variable, at some moment.
func variable(at driver.Moment) driver.Term {
	return driver.Term{Tokens: []driver.Token{{Name: nx.PoolTypeVariable, In: nx.OptIn, At: at}}}
}

func optedInBuilt(how driver.Initialised, at driver.Moment) *driver.Image {
	return aBuilt(func(m *driver.Image) {
		m.Build.Mechanism, m.Build.Initialised = nx.OptIn, how
		s := asking(m, 0x1000, "ExAllocatePoolWithTag", variable(at))
		s.Moment = at
	})
}

// What each rule of built drivers finds, and what it does not: in the place of the examples that rules of source have.
func TestBuilt(t *testing.T) {
	const pool, lookaside, mapping = "ExAllocatePoolWithTag", "ExInitializeNPagedLookasideList", "MmMapLockedPagesSpecifyCache"
	one := func(name string, terms ...driver.Term) *driver.Image {
		return aBuilt(func(m *driver.Image) { asking(m, 0x1000, name, terms...) })
	}
	with := func(kind driver.FactKind, spot *driver.Spot) *driver.Image {
		return aBuilt(func(m *driver.Image) {
			m.Facts = append(m.Facts, driver.Fact{Kind: kind, Place: driver.Place{Path: "d.sys"}, Says: "it is so", Spot: spot})
		})
	}
	imports := func(minimum nx.Version, windows []nx.Version, names ...string) *driver.Image {
		return aBuilt(func(m *driver.Image) {
			m.Build.Minimum, m.Build.Windows = minimum, windows
			for _, name := range names {
				m.Imports = append(m.Imports, row(name))
			}
		})
	}
	is := func(m *driver.Image, change func(*driver.Site)) *driver.Image {
		change(&m.Sites[0])
		return m
	}
	old := []nx.Version{nx.Windows7, nx.Windows10}
	at := &driver.Spot{Section: "INIT", RVA: 0x5000}
	for _, c := range []struct {
		name  string
		image *driver.Image
		want  string
	}{
		{"nothing", aBuilt(func(*driver.Image) {}), ""},
		{"executable pool", one(pool, bits(0)), "warning 0x2000 1000 ExAllocatePoolWithTag asks for executable nonpaged pool"},
		{"or paged", one(pool, bits(0), bits(1)), "warning 0x2000 1000 ExAllocatePoolWithTag may ask for executable nonpaged pool"},
		{"paged", one(pool, bits(1)), ""},
		{"by flags", one("ExAllocatePool2", bits(0x80)), "warning 0x2000 1000 ExAllocatePool2 asks for executable nonpaged pool"},
		{"by flags, not executable", one("ExAllocatePool2", bits(0x40)), ""},
		{"a lookaside list", one(lookaside, bits(0)), "warning 0x2000 1000 ExInitializeNPagedLookasideList asks for a lookaside list in executable pool"},
		{"a page protection", one("ZwAllocateVirtualMemory", bits(0x40)), "note 0x2001 1000 ZwAllocateVirtualMemory asks for executable memory, for user mode"},
		{"of the kernel", one("MmProtectMdlSystemAddress", bits(0x40)), "warning 0x2001 1000 MmProtectMdlSystemAddress asks for executable memory"},
		{"not executable", one("MmProtectMdlSystemAddress", bits(4)), ""},
		{"a mapping", one(mapping, bits(16)), "warning 0x2002 1000 MmMapLockedPagesSpecifyCache asks for an executable mapping"},
		{"a mapping for user mode", is(one(mapping, bits(16)), func(s *driver.Site) { s.UserMode = true }),
			"note 0x2002 1000 MmMapLockedPagesSpecifyCache asks for an executable mapping, for user mode"},
		{"always", one("MmMapIoSpace"), "note C30029 1000 MmMapIoSpace gives executable memory, whatever its arguments are: " +
			"before Windows 10, which brought MmMapIoSpaceEx, there is no other"},
		{"unknown", is(one(pool), func(s *driver.Site) { s.Value.Unknown = "nobody knows" }), ""},
		{"or unknown", is(one(pool, bits(0)), func(s *driver.Site) { s.Value.Unknown = "nobody knows" }),
			"warning 0x2000 1000 ExAllocatePoolWithTag may ask for executable nonpaged pool"},
		{"on Windows 7 only", one(pool, driver.Term{Below: nx.Windows8}, driver.Term{Bits: 512, From: nx.Windows8}), ""},
		{"on Windows 8 too", one(pool, driver.Term{Below: nx.Windows10}, driver.Term{Bits: 512, From: nx.Windows10}),
			"warning 0x2000 1000 ExAllocatePoolWithTag asks for executable nonpaged pool"},

		{"opted in", optedInBuilt(driver.InitYes, driver.After), ""},
		{"too late", optedInBuilt(driver.InitLate, driver.Before),
			"warning NX0003 1000 ExAllocatePoolWithTag runs before the driver opts in, and gets executable memory"},
		{"maybe too late", optedInBuilt(driver.InitLate, driver.Before|driver.After),
			"note NX0003 1000 ExAllocatePoolWithTag may run before the driver opts in, on a way that hangs on a condition, and then gets executable memory"},
		{"not shown", optedInBuilt(driver.InitUnknown, driver.Before|driver.After),
			"note C30031 1000 ExAllocatePoolWithTag gets no-execute memory only if the opt-in call runs before it, which is not shown"},
		{"never", optedInBuilt(driver.InitNo, driver.Before), "warning NX0001 it is compiled with POOL_NX_OPTIN, but nothing in it sets " +
			"ExDefaultNonPagedPoolType: 1 request stays executable on every Windows [0x1000: ExAllocatePoolWithTag]"},
		{"never, and nothing hangs on it", is(optedInBuilt(driver.InitNo, driver.Before), func(s *driver.Site) { s.Value.Terms = []driver.Term{bits(1)} }),
			"note NX0001 it is compiled with POOL_NX_OPTIN, but nothing in it sets ExDefaultNonPagedPoolType: harmless, since no request of this driver hangs on it"},
		{"without a variable", aBuilt(func(m *driver.Image) { m.Build.Initialised = driver.InitNo }), ""},
		{"opted in, maybe before one of them", optedInBuilt(driver.InitYes, driver.Before|driver.After),
			"note NX0003 1000 ExAllocatePoolWithTag may run before the driver opts in, on a way that hangs on a condition, and then gets executable memory"},
		{"opted in, and one is not", is(optedInBuilt(driver.InitYes, driver.After), func(s *driver.Site) { s.Value.Terms = []driver.Term{bits(0)} }),
			"warning 0x2000 1000 ExAllocatePoolWithTag asks for executable nonpaged pool"},

		{"NX on Windows 7", one(pool, bits(512)), "note NX0010 1 request asks for NX memory whatever the Windows is, and Windows 7, " +
			"which loads it (subsystem version 6.1), has none [0x1000: ExAllocatePoolWithTag]"},
		{"NX under a condition", is(one(pool, bits(512)), func(s *driver.Site) { s.Guard = &driver.Step{} }), ""},
		{"NX from Windows 8 on", aBuilt(func(m *driver.Image) {
			m.Build.Windows = m.Build.Windows[1:]
			asking(m, 0x1000, pool, bits(512))
		}), ""},
		{"a new import", imports(nx.Windows7, old, "ExAllocatePool2"), "note NX0014 it imports ExAllocatePool2, which came with Windows 10.0.19041, " +
			"and loads from Windows 7 on (subsystem version 6.1)"},
		{"a new import, of a release of Windows 10", imports(nx.Windows10, old, "ExAllocatePool2"), ""},
		{"no new import", imports(nx.Windows7, old, pool), ""},
		{"a deprecated one", imports(nx.Windows10, []nx.Version{{Major: 10, Build: 19041}}, pool, "MmMapIoSpace"),
			"note C28751 it imports ExAllocatePoolWithTag, which is deprecated: every Windows from Windows 10.0.19041 on has ExAllocatePool2"},
		{"one that some Windows need", imports(nx.Windows10, []nx.Version{nx.Windows10, {Major: 10, Build: 19041}}, pool), ""},

		{"a section", with(driver.WritableCode, at), "error 0x2003 5000 it is so"},
		{"a discardable one", with(driver.DiscardableCode, at), "warning NX0020 5000 it is so"},
		{"alignment", with(driver.UnalignedSection, nil), "error 0x2004 it is so"},
		{"imports in code", with(driver.ImportsInCode, at), "error 0x2005 5000 it is so"},
		{"relocations", with(driver.StraddlingRelocation, at), "note unsupported-relocations 5000 it is so"},
		{"what is not judged", with(driver.NotJudged, nil), ""},
		{"facts of source", with(driver.MacroTooLate, nil), ""},

		{"in order of addresses", aBuilt(func(m *driver.Image) {
			asking(m, 0x2000, pool, bits(0))
			asking(m, 0x1000, mapping, bits(0))
			m.Facts = with(driver.UnalignedSection, nil).Facts
		}), "error 0x2004 it is so; warning 0x2002 1000 MmMapLockedPagesSpecifyCache asks for an executable mapping; " +
			"warning 0x2000 2000 ExAllocatePoolWithTag asks for executable nonpaged pool"},
	} {
		var list []string
		for _, f := range Built(c.image) {
			text := f.Level.String() + " " + f.Rule.ID + " "
			if f.Spot != nil {
				text += fmt.Sprintf("%x ", f.Spot.RVA)
			}
			for _, s := range f.Steps {
				f.Message += " [" + s.Says + "]"
			}
			if list = append(list, text+f.Message); !slices.Equal(f.Builds, []string{"d.sys"}) || f.Place.Path != "d.sys" {
				t.Errorf("%s: of %v, at %s", c.name, f.Builds, f.Place)
			}
		}
		if got := strings.Join(list, "; "); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
		for _, w := range strings.Fields(c.want) {
			delete(untested, w)
		}
	}
	if len(untested) > 0 {
		t.Errorf("no image here breaks %v", untested)
	}
}

// untested are the rules of built drivers that no image of TestBuilt has broken yet.
var untested = func() map[string]bool {
	ids := map[string]bool{}
	for _, r := range slices.Concat(OfChecks(), All()) {
		if r.built != nil {
			ids[r.ID] = true
		}
	}
	return ids
}()

// Which rule is about the layout decides on the verdict.
func TestIsLayout(t *testing.T) {
	var list []string
	for _, r := range slices.Concat(OfChecks(), All()) {
		if r.IsLayout() {
			list = append(list, r.ID)
		}
	}
	if got := strings.Join(list, " "); got != "0x2003 0x2004 0x2005 unsupported-relocations NX0020" {
		t.Error(got)
	}
}
