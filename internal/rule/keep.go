package rule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/nx"
)

// Memory that seems to be executed stays executable when its driver is opted in: its file is opted out as a whole where an
// opt-in would change nothing else in it, else its request names executable pool by the constant that no opt-in redefines.

// keeping is what is known of all images together, since they share files.
type keeping struct {
	goals map[string]nx.Mechanism // by build
	opts  map[string]bool         // builds that are opted in, or will be for the sake of other requests
	files map[string]*kept
	held  map[text]string // why a constant can't be replaced by one of executable memory
	// noName says why executable pool has no name of its own in some file, "" where it has one in all.
	noName string
}

// kept is what decides whether a file can be opted out. Only units are among them.
type kept struct {
	include driver.Span // of its own by which it comes to the kit
	builds  []string
	held    string // why it can't be opted out, "" where it can
	noName  string // as above, of this file
}

// executablePool has, for each constant that an opt-in redefines, the one of the same value that none does.
var executablePool = map[string]string{"NonPagedPool": "NonPagedPoolExecute", "NonPagedPoolCacheAligned": "NonPagedPoolBaseCacheAligned"}

func keepingOf(images []driver.Image, goals []nx.Mechanism) *keeping {
	k := &keeping{map[string]nx.Mechanism{}, map[string]bool{}, map[string]*kept{}, map[text]string{}, ""}
	if !slices.ContainsFunc(images, func(m driver.Image) bool {
		return slices.ContainsFunc(m.Sites, func(s driver.Site) bool { return len(s.Executed) > 0 })
	}) {
		return k
	}
	for i := range images {
		m := &images[i]
		k.goals[m.Build.ID] = goals[i]
		k.opts[m.Build.ID] = isOptedIn(m.Build) || slices.ContainsFunc(m.Sites, func(s driver.Site) bool {
			return len(s.Executed) == 0 && fixable(m.Build, s, goals[i])
		})
		for _, f := range factsOf(m, driver.KitInclude) {
			k.enter(m.Build, f)
		}
	}
	for i := range images {
		k.facts(&images[i])
		k.sites(&images[i])
	}
	return k
}

// enter notes that a build compiles a unit.
func (k *keeping) enter(b driver.Build, f driver.Fact) {
	u := k.files[f.Unit]
	if u == nil {
		u = &kept{include: f.Span}
		k.files[f.Unit] = u
	}
	u.builds = append(u.builds, b.ID)
	switch {
	case f.Span.Path == "":
		u.hold("it comes to the kit by a precompiled or a forced header, which no define of its own stands in front of")
	case f.Span != u.include:
		u.hold("its builds come to the kit by different includes")
	}
	switch {
	case f.OldKit:
		u.noName = "a kit that compiles it does not know NonPagedPoolExecute"
	case f.Shared:
		u.noName = "a project of user mode compiles it, too"
	}
	k.noName = cmp.Or(k.noName, u.noName)
}

func (u *kept) hold(why string) { u.held = cmp.Or(u.held, why) }

func (k *keeping) facts(m *driver.Image) {
	for _, f := range m.Facts {
		for _, w := range f.Written {
			k.held[textOf(w)] = fmt.Sprintf("%s stands in a comparison, too (%s)", w.Text, f.Place)
		}
		u := k.files[f.Unit]
		if u == nil {
			continue
		}
		switch f.Kind {
		case driver.Entry, driver.OptInCall, driver.OtherCall:
			u.hold("the opt-in call has no effect in a file that opts out")
		case driver.Comparison, driver.ConstantNeeded, driver.DynamicInitialiser:
			u.hold(fmt.Sprintf("a pool type is used otherwise in it (%s)", f.Place))
		case driver.MacroTooLate, driver.OptOutOff:
			u.hold(fmt.Sprintf("what it defines of the mechanisms has no effect (%s)", f.Place))
		}
	}
}

// sites notes what hangs on a file, or on a constant, and is to be opted in, as it is not executed; or is so already, as on ARM64.
func (k *keeping) sites(m *driver.Image) {
	for i := range m.Sites {
		s := &m.Sites[i]
		why := ""
		switch {
		case !s.DDI.Remapped && !hasToken(*s, driver.Token.Redefined):
			continue
		case len(s.Executed) == 0 || s.UserMode:
			why = fmt.Sprintf("%s hangs on it, too, whose memory is not seen to be executed (%s)", s.DDI.Name, s.Place)
		case !executable(m.Build, *s):
			why = fmt.Sprintf("it is no-execute memory already in %s", m.Build.ID)
		default:
			continue
		}
		for _, w := range s.Value.Written {
			k.held[textOf(w)] = why
		}
		for _, p := range cameBy(s) {
			if u := k.files[p]; u != nil {
				u.hold(why)
			} else if p == s.Place.Path { // any unit may include it
				for _, u := range k.files {
					u.hold(why)
				}
			}
		}
	}
}

// cameBy gives the files that a request, and what decides it, stands in.
func cameBy(s *driver.Site) []string {
	paths := []string{s.Place.Path}
	for _, w := range s.Value.Written {
		paths = append(paths, w.At.Path)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// keepExecuted gives the findings about memory that is executed the fix that keeps it so, or says why there is none.
func keepExecuted(all *texts, m *driver.Image, _ nx.Mechanism, found []Finding) []Finding {
	for i := range found {
		f := &found[i]
		if !all.keep.changes(m.Build, f.Site) {
			continue
		}
		fix, why := all.keep.fix(f.Site)
		if f.Fix = fix; fix == nil {
			f.Message += "; it can't be kept executable by itself: " + why
		}
	}
	return found
}

// of gives the fix of a request that goes on to be executable by it, nil of others.
func (k *keeping) of(b driver.Build, s *driver.Site) *Fix {
	if !k.changes(b, s) {
		return nil
	}
	fix, _ := k.fix(s)
	return fix
}

// changes says whether executable memory that is executed is no longer executable once its build is opted in. Without an
// opt-in, its request is told by name to go on, so that a later one breaks nothing.
func (k *keeping) changes(b driver.Build, s *driver.Site) bool {
	if len(s.Executed) == 0 || s.UserMode {
		return false
	}
	if goal := k.goals[b.ID]; goal != nx.None {
		return fixable(b, *s, goal)
	}
	return fixable(b, *s, nx.OptIn)
}

// fix opts out the file of a request, or names executable memory in it.
func (k *keeping) fix(s *driver.Site) (*Fix, string) {
	if fix := k.optOut(s); fix != nil {
		return fix, ""
	}
	return k.name(s)
}

// optOut puts the define in front of the kit's header, where all builds of the file are opted in, and nothing else hangs on it.
func (k *keeping) optOut(s *driver.Site) *Fix {
	u := k.files[s.Place.Path]
	if u == nil || u.held != "" || slices.ContainsFunc(u.builds, func(id string) bool { return !k.opts[id] || k.goals[id] == nx.None }) {
		return nil
	}
	for _, p := range cameBy(s) {
		if p != s.Place.Path && k.files[p] != nil {
			return nil
		}
	}
	at := u.include
	return &Fix{Title: "opt the file out with POOL_NX_OPTOUT, to keep the memory executable", Safe: true, Edits: []edit.Edit{
		{Path: at.Path, Start: at.Start, End: at.End, New: at.Indent + "#define " + nx.OptedOut.Macro() + " 1" + at.Newline},
	}}
}

// name replaces the constants that decide a request. Of several at different places it is not known which one the memory that
// is executed comes by.
func (k *keeping) name(s *driver.Site) (*Fix, string) {
	f := &Fix{Safe: true}
	var names []string
	var first driver.Place
	for _, w := range s.Value.Written {
		name := executablePool[w.Text]
		if name == "" {
			continue
		}
		noName := k.noName
		if u := k.files[w.At.Path]; u != nil {
			noName = u.noName
		}
		why := cmp.Or(k.held[textOf(w)], noName)
		switch {
		case why != "":
			return nil, why
		case w.Use == driver.Compared:
			return nil, fmt.Sprintf("what holds %s is compared with a pool type on the way (%s)", w.Text, w.At)
		case len(names) > 0 && (w.At.Path != first.Path || w.At.Line != first.Line):
			return nil, fmt.Sprintf("its pool type is given at several places, of which it is not known which one it comes by (%s, %s)", first, w.At)
		}
		first = w.At
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		f.Edits = append(f.Edits, edit.Edit{Path: w.At.Path, Start: w.At.Offset, End: w.End, New: name})
	}
	if len(names) == 0 || hasToken(*s, func(t driver.Token) bool {
		return executablePool[t.Name] != "" && !slices.Contains(names, executablePool[t.Name])
	}) {
		return nil, "what asks for it is written at no place where it could be replaced"
	}
	f.Title = "name " + strings.Join(names, " and ") + ", to keep the memory executable"
	return f, ""
}
