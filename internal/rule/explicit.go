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

// The goal nx.None: each request is told by itself to ask for no-execute memory, where that is written. One text may decide
// many requests, so that it is changed only where all of them may.

// texts is what decides the requests of all images.
type texts struct {
	images []driver.Image
	held   map[text]string     // why one must go on to ask for what it asks for
	kinds  map[text][]nx.Kind  // of the requests that hang on one; "" for a comparison
	calls  map[text]*rewriting // of the deprecated allocators; nil where they stay
	keep   *keeping
	// beyond are those on which something hangs for which POOL_NX_OPTIN is not, and would not be, at work.
	beyond map[text]bool
	// unlike are those that decide something else than the protection of pages of the driver's own.
	unlike map[text]bool
}

// text stands for what is written at one place.
type text struct {
	path       string
	start, end int
}

func textOf(w driver.Written) text { return text{w.At.Path, w.At.Offset, w.End} }

func textsOf(images []driver.Image, goals []nx.Mechanism) texts {
	all := texts{images: images, held: map[text]string{}, kinds: map[text][]nx.Kind{}, beyond: map[text]bool{}, unlike: map[text]bool{}}
	note := func(list []driver.Written, kind nx.Kind, why string) {
		for _, w := range list {
			t := textOf(w)
			if why != "" && all.held[t] == "" {
				all.held[t] = why
			}
			if !slices.Contains(all.kinds[t], kind) {
				all.kinds[t] = append(all.kinds[t], kind)
			}
		}
	}
	byID := map[string]*driver.Image{}
	for i := range images {
		byID[images[i].Build.ID] = &images[i]
	}
	users := usersOf(images)
	for i := range images {
		m := &images[i]
		works := worksByVariable(m, goals[i])
		if m.Build.Library {
			works = len(users[m.Build.ID]) > 0
			for _, u := range users[m.Build.ID] {
				works = works && byID[u.ID] != nil && byID[u.ID].Build.Mechanism == nx.OptIn && worksByVariable(byID[u.ID], nx.OptIn)
			}
		}
		for j := range m.Sites {
			s := &m.Sites[j]
			note(s.Value.Written, s.DDI.Kind, keeps(m.Build, s))
			for _, w := range s.Value.Written {
				all.beyond[textOf(w)] = all.beyond[textOf(w)] || !works || s.Mechanism != m.Build.Mechanism
				all.unlike[textOf(w)] = all.unlike[textOf(w)] || !ownPages(s)
			}
		}
		for _, f := range m.Facts {
			note(f.Written, "", fmt.Sprintf("it stands in a comparison, too (%s)", f.Place))
			for _, w := range f.Written {
				all.unlike[textOf(w)] = true
			}
		}
	}
	return all
}

// worksByVariable says whether the image sets the variables of POOL_NX_OPTIN, or will once it is opted in, as its requests below
// Windows 8 make it be.
func worksByVariable(m *driver.Image, goal nx.Mechanism) bool {
	switch {
	case m.Build.Mechanism == nx.OptIn:
		return m.Build.Initialised == driver.InitYes || m.Build.Initialised == driver.InitNo && len(insertCall(m, optedIn)) > 0
	case m.Build.Mechanism != nx.None || goal != nx.OptIn || !m.Build.Minimum.Before(nx.Windows8):
		return false
	}
	fix, _ := optIn(m, goal)
	return fix != nil
}

// keeps says why a request must go on to ask for what it asks for now, "" where it need not.
func keeps(b driver.Build, s *driver.Site) string {
	switch {
	case len(s.Executed) > 0:
		return fmt.Sprintf("the memory of %s seems to be executed (%s)", s.DDI.Name, s.Place)
	case s.UserMode:
		return fmt.Sprintf("it decides a mapping for user mode, too (%s)", s.Place)
	case b.Minimum.Before(nx.Windows8):
		return fmt.Sprintf("it is compiled for %s, too, which has no NX pool (%s)", b.Minimum.Name(), b.ID)
	case b.Kit.NoOptIn:
		return b.Kit.Name + " does not know NX pool"
	case !nxForms[s.DDI.Kind].by:
		return fmt.Sprintf("%s, which gets it, takes something else (%s)", s.DDI.Name, s.Place)
	}
	return ""
}

// nxForm says how an argument asks for no-execute memory: by other constants, or by a flag that is added to it.
type nxForm struct {
	by     bool
	tokens map[string]string // of executable memory, with what to ask for instead
	flag   string
	zero   string // instead of a literal 0
}

var nxForms = map[nx.Kind]nxForm{
	nx.PoolType: {by: true, zero: "NonPagedPoolNx", tokens: map[string]string{
		"NonPagedPool": "NonPagedPoolNx", "NonPagedPoolCacheAligned": "NonPagedPoolNxCacheAligned", "NonPagedPoolSession": "NonPagedPoolSessionNx",
	}},
	nx.LookasideFlags: {by: true, zero: "POOL_NX_ALLOCATION", flag: "POOL_NX_ALLOCATION"},
	nx.MdlPriority:    {by: true, zero: "LowPagePriority | MdlMappingNoExecute", flag: "MdlMappingNoExecute"},
}

// explicitly gives requests for executable memory their fixes, or says why they have none.
func explicitly(all *texts, m *driver.Image, goal nx.Mechanism, found []Finding) []Finding {
	for i := range found {
		f := &found[i]
		if fix := cmp.Or(all.keep.of(m.Build, f.Site), all.forData(f.Site)); fix != nil {
			f.Fix = fix
			continue
		}
		if fix := all.replaces(f.Site); fix != nil { // by a call that asks for no-execute memory
			f.Fix, f.Kept = fix, false
			continue
		}
		if f.Level == Note || goal != nx.None {
			continue
		}
		fix, why := all.fix(f.Site)
		f.Kept = f.Kept && nxForms[f.Site.DDI.Kind].flag == "" // a missing flag names nothing
		switch {
		case fix != nil:
			f.Fix, f.Kept = fix, false
		case !f.Kept:
			f.Message += "; it can't be changed: " + why
		}
	}
	return found
}

// fix changes what can be of the text that decides a request.
func (all texts) fix(s *driver.Site) (*Fix, string) {
	form, why := nxForms[s.DDI.Kind], ""
	f := &Fix{Safe: true}
	var names []string
	for _, w := range s.Value.Written {
		edits, name := form.replace(w)
		if name == "" {
			continue
		}
		switch {
		case w.Use == driver.Computed:
			why = fmt.Sprintf("%s goes through a calculation (%s)", w.Text, w.At)
		case w.Use == driver.Compared && form.flag == "":
			why = fmt.Sprintf("what holds %s is compared with a pool type on the way (%s)", w.Text, w.At)
		case all.held[textOf(w)] != "":
			why = all.held[textOf(w)]
		default:
			f.Edits = append(f.Edits, edits...)
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	switch {
	case len(names) > 0:
		f.Title = "ask for " + strings.Join(names, " and ")
		return f, ""
	case why == "":
		why = "what asks for it is written at no place where it could be replaced"
	}
	return nil, why
}

// replace gives the edits that make a text ask for no-execute memory, and what it then names; "" where it is no such text.
func (form nxForm) replace(w driver.Written) (edits []edit.Edit, name string) {
	swap := func(name string) ([]edit.Edit, string) {
		return []edit.Edit{{Path: w.At.Path, Start: w.At.Offset, End: w.End, New: name}}, name
	}
	insert := func(at int, what string) edit.Edit { return edit.Edit{Path: w.At.Path, Start: at, End: at, New: what} }
	switch {
	case form.tokens[w.Text] != "":
		return swap(form.tokens[w.Text])
	case isZero(w.Text):
		if form.flag == "" && w.Use == driver.Together {
			return nil, "" // another operand names the pool
		}
		return swap(form.zero)
	case form.flag == "":
		return nil, ""
	case w.Use == driver.Together:
		return []edit.Edit{insert(w.At.Offset, "("), insert(w.End, ") | "+form.flag)}, form.flag
	}
	return []edit.Edit{insert(w.End, " | "+form.flag)}, form.flag
}

// isZero says whether a text is a literal 0, as people write it.
func isZero(s string) bool {
	s = strings.TrimRight(strings.ToLower(s), "ul")
	return s != "" && strings.Trim(strings.TrimPrefix(s, "0x"), "0") == "" && s != "0x"
}
