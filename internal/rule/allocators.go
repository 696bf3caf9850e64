package rule

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/nx"
)

// The goal that replaces the deprecated allocators. One text may be compiled by many builds: the lowest Windows of all decides what
// there is to call.

// successor is what can be called instead of a deprecated allocator.
type successor struct {
	inline string // an inline function of the kit for every Windows, which does and takes the same
	quota  bool   // it charges a quota, and raises an exception where there is no memory
	tag    string // where the old routine takes none: that which the system gives such memory ("None" in pooltag.txt)
}

var successors = map[string]successor{
	"ExAllocatePool":                {inline: "ExAllocatePoolUninitialized", tag: "'enoN'"},
	"ExAllocatePoolWithTag":         {inline: "ExAllocatePoolUninitialized"},
	"ExAllocatePoolWithQuota":       {inline: "ExAllocatePoolQuotaUninitialized", quota: true, tag: "'enoN'"},
	"ExAllocatePoolWithQuotaTag":    {inline: "ExAllocatePoolQuotaUninitialized", quota: true},
	"ExAllocatePoolWithTagPriority": {inline: "ExAllocatePoolPriorityUninitialized"},
}

// version2004 is the first Windows with ExAllocatePool2, and the first whose kit has the inline functions.
var version2004 = nx.Version{Major: 10, Build: 19041}

// rewriting is what is known of the text of one call.
type rewriting struct {
	call   driver.Call
	ddi    nx.DDI
	lowest nx.Version // of all builds that compile it
	flags  string     // that ask ExAllocatePool2 for the same
	// held says why it stays, unflagged why it can't become one of ExAllocatePool2.
	held, unflagged string
	executed        bool
	byKit           bool // held by what the kit of some build lacks
}

func calledAt(s *driver.Site) text {
	at := s.Call.Name
	return text{at.Path, at.Offset, at.Offset}
}

// callsOf gathers the calls of deprecated allocators from all images.
func callsOf(images []driver.Image) map[text]*rewriting {
	calls, users := map[text]*rewriting{}, usersOf(images)
	for i := range images {
		m := &images[i]
		lacks, minimum := lacksForms(m), startsAs(&images[i], users).Minimum
		for j := range m.Sites {
			s := &m.Sites[j]
			if _, old := successors[s.DDI.Name]; !old || s.Call.Name.Path == "" {
				continue
			}
			flags, why := flagsOf(s)
			r := calls[calledAt(s)]
			if r == nil {
				r = &rewriting{call: s.Call, ddi: s.DDI, lowest: minimum, flags: flags}
				calls[calledAt(s)] = r
			}
			if minimum.Before(r.lowest) {
				r.lowest = minimum
			}
			r.unflagged = cmp.Or(r.unflagged, why)
			if r.flags != flags {
				r.unflagged = cmp.Or(r.unflagged, "it asks for another pool elsewhere")
			}
			if s.Call.Start != r.call.Start || s.Call.Stop != r.call.Stop || s.Call.End != r.call.End {
				r.held = cmp.Or(r.held, "its arguments are others in another build")
			}
			r.executed = r.executed || len(s.Executed) > 0
			r.byKit = r.byKit || r.held == "" && lacks != ""
			r.held = cmp.Or(r.held, lacks, holds(m, s))
		}
	}
	return calls
}

// BeforePool2 gives the builds with calls that ExAllocatePool2 would take the place of, if they did not start too early.
func BeforePool2(images []driver.Image) []string {
	users := usersOf(images)
	var ids []string
	for i := range images {
		m := &images[i]
		old := func(s driver.Site) bool {
			return successors[s.DDI.Name].inline != "" && s.DDI.Replacement == "ExAllocatePool2"
		}
		if startsAs(m, users).Minimum.Before(version2004) && slices.ContainsFunc(m.Sites, old) {
			ids = append(ids, m.Build.ID)
		}
	}
	return ids
}

// holds says why a call must stay as it is, "" where it need not.
func holds(m *driver.Image, s *driver.Site) string {
	switch {
	case len(s.Executed) > 0:
		return fmt.Sprintf("its memory seems to be executed (%s)", s.Executed[0].Place)
	case s.Call.Shared:
		return "a project of user mode compiles " + s.Call.Name.Path + ", too"
	case s.DDI.Name == "ExAllocatePool":
		return retagged(m)
	}
	return ""
}

// retagged says which of the kit's headers makes a macro of ExAllocatePool, with a tag of its own; "" for none.
func retagged(m *driver.Image) string {
	for _, f := range factsOf(m, driver.MissingHeader) {
		name := strings.ToLower(path.Base(strings.ReplaceAll(f.Says, `\`, "/")))
		if name == "classpnp.h" || name == "smcnt.h" {
			return fmt.Sprintf("%s gives it another tag (%s)", name, f.Place)
		}
	}
	return ""
}

// lacksForms says why the kit of a build does not have the new routines, or may not have them; "" where it has.
func lacksForms(m *driver.Image) string {
	k := m.Build.Kit
	switch {
	case k.Made == nx.Windows10: // one of those since, and none is named
	case k.Made != (nx.Version{}) && k.Made.Before(version2004):
		return k.Name + " has nothing to replace it with"
	case k.Made == (nx.Version{}) && m.Build.Minimum.Before(version2004) && !usesForms(m):
		return "nothing says that it is built with a kit from 10.0.19041 on"
	}
	return ""
}

// usesForms says whether a build calls one of the new routines already.
func usesForms(m *driver.Image) bool {
	for _, s := range m.Sites {
		if s.DDI.Name == "ExAllocatePool2" || s.DDI.Name == "ExAllocatePool3" ||
			strings.HasPrefix(s.DDI.Name, "ExAllocatePool") && (strings.HasSuffix(s.DDI.Name, "Zero") || strings.HasSuffix(s.DDI.Name, "Uninitialized")) {
			return true
		}
	}
	return false
}

// Bits of a POOL_TYPE, beside nx.PoolNXAllocation.
const (
	pagedBit   = 1
	alignedBit = 4
	noRaiseBit = 8  // POOL_QUOTA_FAIL_INSTEAD_OF_RAISE
	raiseBit   = 16 // POOL_RAISE_IF_ALLOCATION_FAILURE
	sessionBit = 32
	zeroBit    = 1024 // POOL_ZERO_ALLOCATION
)

// flagsOf gives the POOL_FLAGS by which ExAllocatePool2 does what a request does, in no-execute memory where that does not name
// executable memory; else the reason why there are none.
func flagsOf(s *driver.Site) (flags, why string) {
	switch {
	case s.Call.Nothing:
		return "", "it passes 0 for the size or the tag, which ExAllocatePool2 does not take"
	case s.Value.Unknown != "":
		return "", "it is not known what pool it asks for: " + s.Value.Unknown
	case s.Call.End == 0:
		return "", "its arguments are not all written behind its name, or a directive stands among them"
	case s.Call.Start == 0 || !s.Call.Constant:
		return "", "what pool it asks for is not written in the call itself"
	case len(s.Value.Terms) != 1:
		return "", "it asks for one pool or another"
	}
	for _, tok := range s.Value.Terms[0].Tokens {
		if nx.TypeOf(tok.Name) != nx.PoolTypes {
			return "", tok.Name + " is no POOL_TYPE"
		}
	}
	quota := successors[s.DDI.Name].quota
	bits, executable := poolTypeOf(s.Value.Terms[0])
	raises := bits&raiseBit != 0
	said := uint32(pagedBit | nx.PoolNXAllocation | alignedBit | sessionBit | zeroBit | raiseBit)
	if quota {
		if raises = bits&noRaiseBit == 0; !raises {
			said = said&^raiseBit | noRaiseBit
		}
	}
	if rest := bits &^ said; rest != 0 {
		return "", "no POOL_FLAGS stand for " + strings.TrimPrefix(cmp.Or(nx.PoolType.Spell(rest), fmt.Sprint(rest)), "NonPagedPoolExecute | ")
	}
	var list []string
	for _, f := range []struct {
		set  bool
		name string
	}{
		{bits&pagedBit != 0, "POOL_FLAG_PAGED"},
		{bits&pagedBit == 0 && !executable, "POOL_FLAG_NON_PAGED"},
		{bits&pagedBit == 0 && executable, "POOL_FLAG_NON_PAGED_EXECUTE"},
		{bits&alignedBit != 0, "POOL_FLAG_CACHE_ALIGNED"},
		{bits&sessionBit != 0, "POOL_FLAG_SESSION"},
		{quota, "POOL_FLAG_USE_QUOTA"},
		{raises, "POOL_FLAG_RAISE_ON_FAILURE"},
		{bits&zeroBit == 0, "POOL_FLAG_UNINITIALIZED"},
	} {
		if f.set {
			list = append(list, f.name)
		}
	}
	return strings.Join(list, " | "), ""
}

// poolTypeOf gives the bits of a value, and whether it names executable memory, or stands in a file that opts out.
func poolTypeOf(t driver.Term) (bits uint32, executable bool) {
	bits = t.Bits
	for _, tok := range t.Tokens {
		value, _ := nx.Run{Windows: nx.Windows10}.Token(tok.Name)
		bits |= value
		executable = executable || tok.Name == "NonPagedPoolExecute" || strings.HasPrefix(tok.Name, "NonPagedPoolBase") ||
			tok.Redefined() && tok.In == nx.OptedOut
	}
	return bits, executable && bits&nx.PoolNXAllocation == 0
}

// becomes names the routine that is to be called instead. A priority goes on to be an argument: ExAllocatePool3 takes it in a
// structure, which would have to be declared.
func (r *rewriting) becomes() string {
	if r.lowest.Before(version2004) || r.ddi.Replacement != "ExAllocatePool2" {
		return successors[r.ddi.Name].inline
	}
	return r.ddi.Replacement
}

// fix rewrites the call, or says why it stays.
func (r *rewriting) fix() (*Fix, string) {
	name, tag := r.becomes(), successors[r.ddi.Name].tag
	flags, why := "", r.held
	if name == r.ddi.Replacement {
		flags, why = r.flags, cmp.Or(why, r.unflagged)
	}
	if tag != "" && r.call.End == 0 {
		why = cmp.Or(why, "its arguments are not written behind its name, so that the tag has no place")
	}
	if why != "" {
		return nil, why
	}
	at := r.call.Name
	put := func(start, end int, text string) edit.Edit {
		return edit.Edit{Path: at.Path, Start: start, End: end, New: text}
	}
	f := &Fix{Title: "call " + name, Safe: true, Edits: []edit.Edit{put(at.Offset, at.Offset+len(r.ddi.Name), name)}}
	if flags != "" {
		f.Edits = append(f.Edits, put(r.call.Start, r.call.Stop, flags))
	}
	if tag != "" {
		f.Edits = append(f.Edits, put(r.call.End, r.call.End, ", "+tag))
	}
	return f, ""
}

// replaces gives the fix of a request that makes it one of ExAllocatePool2, nil where it has none.
func (all *texts) replaces(s *driver.Site) *Fix {
	r := all.calls[calledAt(s)]
	if r == nil || r.becomes() != r.ddi.Replacement {
		return nil
	}
	fix, _ := r.fix()
	return fix
}

// replace gives requests of deprecated allocators their fixes, or says why they have none. All are findings then: the inline functions
// of the kit serve every Windows.
func replace(all *texts, m *driver.Image, _ nx.Mechanism, found []Finding) []Finding {
	if all.calls == nil {
		return found
	}
	found = nil
	one, others := -1, 0 // of those that a kit holds, one tells of all
	for i := range m.Sites {
		s := &m.Sites[i]
		if _, old := successors[s.DDI.Name]; !old {
			continue
		}
		f := Finding{Message: s.DDI.Name + " is deprecated", Place: s.Place, Site: s, Level: Warning}
		why := "its name is not written at a place where it could be changed"
		if r := all.calls[calledAt(s)]; r != nil {
			f.Fix, why = r.fix()
			if r.executed {
				f.Level = Note // NX0016 tells of it
			}
			if r.byKit && one >= 0 {
				found[one].Level = Warning
				found[one].Steps = append(found[one].Steps, driver.Step{Place: f.Place, Says: "here, too"})
				others++
				continue
			}
			if r.byKit {
				one = len(found)
			}
		}
		if f.Fix == nil {
			f.Message += "; it can't be replaced: " + why
		}
		found = append(found, f)
	}
	if others > 0 {
		found[one].Message += "; nor can " + count(others, "other")
	}
	return found
}
