package image

import (
	"cmp"

	"github.com/nxport/nxport/internal/machine"
	"github.com/nxport/nxport/nx"
)

// representatives are the versions of Windows that a driver is followed for: one between each two between which drivers are known to
// tell; the first stands for all before.
var representatives = []nx.Version{
	{Major: 5}, nx.WindowsXP, nx.WindowsServer2003, nx.WindowsVista, nx.Windows7, nx.Windows8, nx.Windows81,
	nx.Windows10, {Major: 10, Build: 14393}, {Major: 10, Build: 17763}, {Major: 10, Build: 19041}, {Major: 10, Build: 22000},
	{Major: 10, Build: 26100},
}

var newest = representatives[len(representatives)-1]

// builds are what versions without one begin with.
var builds = map[nx.Version]int{
	{Major: 5}: 2195, nx.WindowsXP: 2600, nx.WindowsServer2003: 3790, nx.WindowsVista: 6000, nx.Windows7: 7600, nx.Windows8: 9200, nx.Windows81: 9600,
	nx.Windows10: 10240,
}

// buildOf gives the build of a version.
func buildOf(w nx.Version) int { return cmp.Or(w.Build, builds[w]) }

// ndis are the versions of NDIS by version of Windows, as NdisGetVersion returns them.
var ndis = map[nx.Version]int64{
	{Major: 5}: 0x50000, nx.WindowsXP: 0x50001, nx.WindowsServer2003: 0x50001, nx.WindowsVista: 0x60000, nx.Windows7: 0x60014,
	nx.Windows8: 0x6001e, nx.Windows81: 0x60028,
}

const ndisWindows10 = 0x60032

// version does what the routines do that tell the version of Windows.
func (f *follower) version(name string, before, after *machine.State, in *machine.Inst) {
	if name == "RtlGetVersion" {
		const sizeLargest = 0x11c  // RTL_OSVERSIONINFOEXW
		size := int64(sizeLargest) // the first field says how long the structure is
		if n, ok := before.Read(before.Argument(1, false, in.At), 0, 4, in.At).Number(); ok && n < sizeLargest {
			size = int64(n)
		}
		after.KeepBeyond(before, before.Argument(1, false, in.At), size)
	}
	w := f.windows
	if w == (nx.Version{}) {
		return
	}
	build := int64(buildOf(w))
	arg := func(n int) machine.Value { return before.Argument(n, false, in.At) }
	returns := func(n int64) { after.SetReturned(machine.Atom{N: n, At: in.At}) }
	switch name {
	case "RtlGetVersion": // RTL_OSVERSIONINFOW: size, major, minor, build, platform
		const platform = 2
		for i, n := range []int64{int64(w.Major), int64(w.Minor), build, platform} {
			after.Write(arg(1), int64(4+4*i), n, 4)
		}
		returns(0)
	case "PsGetVersion":
		for i, n := range []int64{int64(w.Major), int64(w.Minor), build} {
			after.Write(arg(1+i), 0, n, 4)
		}
	case "NdisGetVersion":
		if n, known := ndis[w]; known {
			returns(n)
		} else {
			returns(ndisWindows10)
		}
	case "RtlIsNtDdiVersionAvailable": // NTDDI_WIN8 is 0x06020000
		if n, ok := arg(1).Number(); ok {
			ours := uint64(w.Major)<<24 | uint64(w.Minor)<<16
			returns(truth(n>>16<<16 <= ours))
		}
	case "IoIsWdmVersionAvailable": // 1.10 of Windows 2000 to 6.00 from Vista on
		major, ok := arg(1).Number()
		minor, fine := arg(2).Number()
		if ok && fine {
			returns(truth(major<<8|minor&0xff <= wdm(w)))
		}
	}
}

func wdm(w nx.Version) uint64 {
	switch {
	case !w.Before(nx.WindowsVista):
		return 0x600
	case w == nx.WindowsServer2003:
		return 0x130
	case w == nx.WindowsXP:
		return 0x120
	}
	return 0x110
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// arities are how many arguments these routines, and others that matter, take off the stack on x86.
var arities = map[string]int{
	"RtlGetVersion": 1, "PsGetVersion": 4, "NdisGetVersion": 0, "RtlIsNtDdiVersionAvailable": 1, "IoIsWdmVersionAvailable": 2,
	"MmGetSystemRoutineAddress": 1, "NdisGetRoutineAddress": 1, "FltGetRoutineAddress": 1, "RtlInitUnicodeString": 2, "RtlInitAnsiString": 2,
}

// tellers are the imports by which a driver learns the version of Windows.
var tellers = []string{"RtlGetVersion", "PsGetVersion", "NdisGetVersion", "RtlIsNtDdiVersionAvailable", "IoIsWdmVersionAvailable"}

// shared says what the page at a fixed address that Windows shares with all tells of its version (KUSER_SHARED_DATA).
func (f *follower) shared(address uint64) (uint64, bool) {
	const page64, page32, sizePage = 0xfffff78000000000, 0xffdf0000, 0x1000
	w := f.windows
	page := uint64(page64)
	if f.env.Word == 4 {
		page = page32
	}
	if w == (nx.Version{}) {
		if address-page < sizePage {
			f.seen.page()
		}
		return 0, false
	}
	switch address - page {
	case 0x26c:
		return uint64(w.Major), true
	case 0x270:
		return uint64(w.Minor), true
	case 0x260:
		return uint64(buildOf(w)), w.Major >= 10
	}
	return 0, false
}

// under gives a follower for one version of Windows.
func (f *follower) under(w nx.Version) *follower {
	if g := f.byVersion[w]; g != nil {
		return g
	}
	g := *f
	g.general, g.seen = f, nil
	g.close, g.preserved = map[uint32]*machine.Routine{}, map[uint32]preserved{}
	g.windows, g.routines, g.globals = w, map[uint32]*machine.Routine{}, map[place]*variable{}
	g.env.Called, g.env.Cares, g.env.Constant, g.env.Pops, g.env.Inside = g.called, g.cares, g.constant, g.popsOf, g.inside
	g.env.Preserves = g.preserves
	g.given = f.forVersion()
	g.env.Budget = g.given
	g.telling, g.answered = f.tellingRoutines(), map[question]machine.Value{}
	f.byVersion[w] = &g
	return &g
}

// forVersion is how much of the work that is left for all versions of Windows one more may take.
func (f *follower) forVersion() int {
	left := 2 * budget
	for _, g := range f.byVersion {
		left -= g.given - max(g.env.Budget, 0)
	}
	return max(min(budget/2, left), 0)
}

// tellingRoutines are those that learn the version of Windows themselves.
func (f *follower) tellingRoutines() map[uint32]bool {
	if f.telling == nil {
		f.telling = map[uint32]bool{}
		for _, r := range f.routinesUsing(f.slotsOf(tellers...)) {
			f.telling[r.Start] = true
		}
	}
	return f.telling
}

// answers follows a routine of the driver that learns the version of Windows, with the numbers that it is passed, for what it returns.
func (f *follower) answers(before, after *machine.State, in *machine.Inst, start uint32) {
	if f.windows == (nx.Version{}) || f.nested >= maxNested {
		return
	}
	key := question{start: start}
	for i := range key.arguments {
		if n, ok := before.Argument(i+1, false, in.At).Number(); ok {
			key.arguments[i], key.known = n, key.known|1<<i
		}
	}
	v, asked := f.answered[key]
	if !asked {
		f.nested++
		v, _ = machine.Answer(&f.env, start, before, in)
		f.nested--
		f.answered[key] = v
	}
	if v != nil {
		after.Set(f.env.Returns(), v)
	}
}

// question is a call of a routine that learns the version, with the numbers that it is passed.
type question struct {
	start     uint32
	arguments [4]uint64
	known     int
}

// maxNested is how many routines that learn the version are followed within each other.
const maxNested = 3
