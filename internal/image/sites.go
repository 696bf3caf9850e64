package image

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/machine"
	"github.com/nxport/nxport/nx"
)

// notReached is said of a call that is found by its bytes alone.
const notReached = "the code in front of the call is not followed: no known jump leads there"

// Driver gives the image's calls of the routines in the table, and what each asks for, with their lines in the source where it tells
// them. Located makes of a path that the compiler gave the one to show.
func (m *Image) Driver(table []nx.DDI, located func(string) string) driver.Image {
	r := enter(table)
	defer r.leave()
	img := driver.Image{Build: m.build(), Facts: m.layout(), Imports: m.imported(r.rows)}
	if m.Processor == nx.ARM {
		return img
	}
	f := m.follower(r)
	sites, taken := f.sites()
	img.Sites, img.Facts = sites, append(img.Facts, taken...)
	if list := f.findOptIns(); len(list) > 0 {
		img.Build.Mechanism, img.Build.Initialised = nx.OptIn, initialised(list, img.Sites)
		img.Facts = append(img.Facts, f.facts(list)...)
	}
	for i := range img.Sites {
		s := &img.Sites[i]
		s.Spot.Frames, _ = m.Located(s.Spot.RVA, located) // without lines it is an address
	}
	if f.exhausted() {
		img.Facts = append(img.Facts, m.fact(driver.NotJudged, nil, "there is more code than is followed of one image: requests can be missing"))
	}
	return img
}

// sites follows the routines that may call one of the table's, and gives those calls by address; and where they take its address for
// something else.
func (f *follower) sites() (sites []driver.Site, taken []driver.Fact) {
	f.findWdf()
	fetching := f.fetchedInto()
	var wanted []uint32
	for _, v := range f.Imports {
		if f.rows[v.Name].Name != "" {
			wanted = append(wanted, v.Slot)
		}
	}
	wanted = append(wanted, f.slotsOf(fetchers...)...)
	for rva := range f.holding {
		wanted = append(wanted, rva)
	}
	if f.wdf != 0 {
		wanted = append(wanted, f.wdf)
	}
	sites, rest := f.nearSites(wanted)
	for _, start := range fetching {
		rest.in(start).pointed = true // what is fetched can be anywhere
	}
	for _, start := range slices.Sorted(maps.Keys(rest)) {
		r := f.routine(start)
		r.EachCall(f.isIndirect, func(s *machine.State, in *machine.Inst) {
			near := nearOf(r, s)
			for _, to := range f.indirect(r, s, in, rest[start]) { // a compiler can make one jump of those to two imports
				name, _ := f.callee(machine.Value{to}, nil)
				if d, ok := f.rows[name]; ok && !f.isLinkers(in.At, start) {
					sites = append(sites, f.site(d, in, near))
				}
			}
		})
	}
	order := func(a, b driver.Site) int {
		return cmp.Or(cmp.Compare(a.Spot.RVA, b.Spot.RVA), cmp.Compare(a.DDI.Name, b.DDI.Name))
	}
	slices.SortFunc(sites, order)
	sites = slices.CompactFunc(sites, func(a, b driver.Site) bool { return order(a, b) == 0 })
	return sites, f.taken(rest, sites)
}

// taken gives of the table's routines where the address of one is first taken, by a routine that has no call of it.
func (f *follower) taken(rest remaining, sites []driver.Site) (list []driver.Fact) {
	const sitesOfOne = 16 // that take as much time as an instruction
	said := map[string]bool{}
	called := func(u use, name string) bool {
		f.env.Budget -= len(sites) / sitesOfOne
		for i := range sites {
			if s := &sites[i]; s.DDI.Name == name && u.Holds(s.Spot.RVA) {
				return true
			}
		}
		return false
	}
	for _, start := range slices.Sorted(maps.Keys(rest)) {
		for _, u := range rest[start].uses {
			name := f.slots[u.to]
			if f.rows[name].Name == "" || said[name] || f.exhausted() || called(u, name) || !f.takes(u) {
				continue
			}
			said[name] = true
			list = append(list, f.fact(driver.AddressTaken, f.spot(u.at), "the address of %s is taken at 0x%x, and who calls it by that is not known", name, u.at))
		}
	}
	return list
}

// takes says whether an instruction that seems to name an import surely loads its address.
func (f *follower) takes(u use) bool {
	in, ok := u.Inst(u.at)
	if !ok || len(in.Steps) == 0 || in.Steps[0].Dst.Kind != machine.Register {
		return false
	}
	v, ok := f.value(u.Routine, in.At+uint32(in.Len), func(s *machine.State) machine.Value { return s.Register(in.Steps[0].Dst.Reg) })
	return ok && f.goesTo(v, u.to)
}

// sought is what a routine has of what is wanted.
type sought struct {
	uses    []use // of its address that lead to no call in their block
	pointed bool  // a pointer may lead to it; one to that of the framework's table does not count
}

// remaining are the routines that must be followed for what is wanted.
type remaining map[uint32]*sought

func (m remaining) in(start uint32) *sought {
	if m[start] == nil {
		m[start] = &sought{}
	}
	return m[start]
}

// nearSites gives the calls that are found without a look at more than the block of instructions that names the import; and the
// routines that must be followed for the others.
func (f *follower) nearSites(wanted []uint32) (sites []driver.Site, rest remaining) {
	rest = remaining{}
	uses := f.using(wanted)
	sites = make([]driver.Site, 0, len(uses))
	for _, u := range uses {
		called := false
		if u.at != 0 && f.certain(u) {
			u.NearCalls(u.at, func(s *machine.State, in *machine.Inst) bool {
				near, target := nearOf(u.Routine, s), f.target(s, in)
				if target.Early() {
					target, _ = u.Value(in.At, target, func(s *machine.State) machine.Value { return f.target(s, in) })
				}
				name, _ := f.callee(target, s)
				d, ok := f.rows[name]
				if ok && !f.isLinkers(in.At, u.Start) {
					sites = append(sites, f.site(d, in, near))
				}
				called = in.At == u.at || f.goesTo(target, u.to)
				return called
			})
		}
		if !called {
			s := rest.in(u.Start)
			s.uses, s.pointed = append(s.uses, u), s.pointed || u.to != f.wdf && f.pointsTo(u)
		}
	}
	return sites, rest
}

// isIndirect says whether a call does not go to a fixed address, but through a register or memory, or by the guard's dispatch.
func (f *follower) isIndirect(in *machine.Outline) bool {
	return !in.Known || f.Processor == nx.X64 && dispatches(f.At(in.Target))
}

// indirect gives what a call goes to, or a jump that leaves the routine; nothing of one that is surely to none of those that the routine
// names there.
func (f *follower) indirect(r *machine.Routine, near *machine.State, in *machine.Inst, has *sought) machine.Value {
	get := func(s *machine.State) machine.Value { return f.target(s, in) }
	target := get(near)
	switch {
	case f.isMember(target, r, has):
		return nil
	case target.Early():
		target, _ = r.Value(in.At, target, get)
	}
	if target.LostByCall() { // compilers keep it there over calls of what they know to leave it alone
		if s, reached := f.closely(r.Start).Before(in.At); reached {
			target = get(s)
		}
	}
	return target
}

// pointsTo says whether a pointer may lead to what an instruction names: that puts the address in a register, or what stands there where a
// pointer can be to.
func (f *follower) pointsTo(u use) bool {
	in, ok := u.Covering(u.at)
	if !ok || len(in.Steps) == 0 || in.Steps[0].Dst.Kind != machine.Register || u.Keeps(in) {
		return true
	}
	_, _, takes := f.touches(in, u.to)
	return takes
}

// isMember says whether a value is read at a distance from a pointer, in an instruction that names nothing, where no function of the
// framework's table that is wanted stands; or right where a pointer points to, if that is nothing that is wanted. What is read by the frame
// pointer is on the stack.
func (f *follower) isMember(v machine.Value, r *machine.Routine, has *sought) bool {
	names := func(u use) bool { return u.at == v[0].At }
	if len(v) != 1 || !v.Early() || v[0].Off == 0 && (v[0].Width == 0 || has.pointed) || slices.ContainsFunc(has.uses, names) {
		return false
	}
	if in, ok := r.Inst(v[0].At); !ok || in.Names(f.env.Frame) {
		return false
	}
	_, wanted := f.byIndex[int(v[0].Off)/int(f.env.Word)]
	return !wanted || f.wdf == 0
}

// target gives what a call goes to, by the guard's dispatch, too.
func (f *follower) target(s *machine.State, in *machine.Inst) machine.Value {
	const rax = 0
	target := s.Target(in)
	if n, ok := target.Number(); ok && f.Processor == nx.X64 && dispatches(f.At(uint32(n-f.Base))) {
		return s.Register(rax)
	}
	return target
}

// isLinkers says whether a jump is all of a routine, and a linker's: compilers write a prefix. That it is there does not say that anybody
// calls it.
func (f *follower) isLinkers(at, start uint32) bool {
	code := f.At(at)
	return at == start && f.Processor != nx.ARM64 && len(code) > 1 && code[0] == 0xff && code[1] == 0x25
}

// goesTo says whether a call goes to what was loaded from an address, or from the table there.
func (f *follower) goesTo(target machine.Value, address uint32) bool {
	return len(target) == 1 && (target[0].Kind == machine.Content || target[0].Kind == machine.Member) && uint64(target[0].N) == f.Base+uint64(address)
}

// certain says whether an instruction that names an import is a call, or loads a register that no call keeps, so that what is loaded
// is called at once or not at all.
func (f *follower) certain(u use) bool {
	in, ok := u.Inst(u.at)
	if !ok {
		return false
	}
	if in.Flow == machine.Call || in.Flow == machine.Jump {
		return true
	}
	return len(in.Steps) > 0 && in.Steps[0].Dst.Kind == machine.Register && f.env.Passes(in.Steps[0].Dst.Reg) && !u.Keeps(&in)
}

// near is what a block of a routine tells in front of an instruction.
type near struct {
	*machine.Routine
	state *machine.State
	known int // instructions of the routine
}

func nearOf(r *machine.Routine, s *machine.State) near { return near{r, s, len(r.Outlines())} }

// tells gives the state, nil if more has become known of the routine since: its blocks may be others now.
func (n near) tells() *machine.State {
	if n.known != len(n.Outlines()) {
		return nil
	}
	return n.state
}

// site is a call of a routine of the table, with what it asks for.
func (f *follower) site(d nx.DDI, in *machine.Inst, n near) driver.Site {
	site := driver.Site{
		Witness: driver.Binary, Place: driver.Place{Path: f.Path}, DDI: d, Mechanism: nx.None, Moment: driver.After,
		Spot: f.spot(in.At),
	}
	jump := in.Flow != machine.Call
	if !jump {
		site.Spot.Return = in.At + uint32(in.Len)
	}
	if fn, ok := f.Function(in.At); ok {
		site.Function, site.Spot.Start = fn.Name, fn.Start
	}
	if d.Argument > 0 {
		site.Value = f.passed(&query{f: f}, d, d.Argument, in, n)
	}
	if d.AccessMode > 0 {
		const userMode, mode = 1, 0xff // of a byte
		v := f.passed(&query{f: f, byte: true}, d, d.AccessMode, in, n)
		site.UserMode = v.Unknown == "" && !slices.ContainsFunc(v.Terms, func(t driver.Term) bool { return len(t.Tokens) > 0 || t.Bits&mode != userMode })
	}
	return site
}

// passed is what a call passes as an argument, counted as in C.
func (f *follower) passed(q *query, d nx.DDI, n int, in *machine.Inst, by near) driver.Value {
	r := by.Routine
	if in.At == r.Start && in.Flow == machine.Call { // where its routine begins is not known: see callAround
		return driver.Value{Unknown: notReached}
	}
	if f.Processor == nx.X86 {
		n = d.PlaceX86(n)
	}
	if d.Wdf > 0 {
		n++ // the framework's own first
	}
	get := func(s *machine.State) machine.Value { return s.Argument(n, in.Flow != machine.Call, in.At) }
	f.seen.begin()
	v, ok := f.valueNear(by.tells(), r, in.At, get)
	switch {
	case f.exhausted():
		return driver.Value{Unknown: tooMuch}
	case !ok:
		return driver.Value{Unknown: notReached}
	}
	a := f.dated(q.resolve(v, r), func(g *follower) answer {
		s := g.routine(r.Start)
		v, ok := g.value(s, in.At, get)
		if !ok {
			return answer{unknown: notReached}
		}
		return (&query{f: g, byte: q.byte}).resolve(v, s)
	})
	if f.exhausted() {
		a.unknown = tooMuch
	}
	a.terms = slices.DeleteFunc(a.terms, func(t driver.Term) bool {
		always := t
		always.From, always.Below = nx.Version{}, nx.Version{}
		return t.Compare(always) != 0 && slices.ContainsFunc(a.terms, func(u driver.Term) bool { return u.Compare(always) == 0 })
	})
	slices.SortFunc(a.terms, driver.Term.Compare)
	return driver.Value{Terms: a.terms, Unknown: a.unknown, Steps: q.steps}
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
