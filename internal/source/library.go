package source

import (
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/nx"
)

// linking joins the units of each build. A static library is judged as part of the images that link it: its requests
// stand in its own image, with the values that those images pass.
type linking struct {
	builds    []*project.Build
	images    []driver.Image // one for each build
	summaries map[*project.Unit]*summary
	byID      map[string]*project.Build
	linked    map[*project.Build]map[*project.Build]driver.Image // what an image says of the libraries in it
}

func newLinking(builds []*project.Build, summaries map[*project.Unit]*summary) *linking {
	l := &linking{
		builds: builds, images: make([]driver.Image, len(builds)), summaries: summaries, byID: map[string]*project.Build{},
		linked: map[*project.Build]map[*project.Build]driver.Image{},
	}
	for _, b := range builds {
		l.byID[b.ID] = b
	}
	return l
}

// round links what has fresh units, and says whether linking asks for names that were of no interest before.
func (l *linking) round(fresh map[*project.Unit]bool, in *interest) (news bool) {
	stale := map[*project.Build]bool{}
	for i, b := range l.builds {
		if b.Library || l.linked[b] != nil && !l.fresh(b, fresh) {
			continue
		}
		var m *image
		l.images[i], m = l.whole(b)
		for lib := range l.linked[b] {
			stale[lib] = true
		}
		news = in.ask(m.needs, m.bodies, m.structs) || news
	}
	for i, b := range l.builds {
		if b.Library && (stale[b] || l.images[i].Build.ID == "" || l.fresh(b, fresh)) {
			m := link(b, l.units(b), nil)
			l.images[i] = l.library(b, m)
			news = in.ask(m.needs, m.bodies, m.structs) || news
		}
	}
	return news
}

// fresh says whether a unit of a build or of its libraries is.
func (l *linking) fresh(b *project.Build, units map[*project.Unit]bool) bool {
	return slices.ContainsFunc(append(l.libraries(b, nil), b), func(b *project.Build) bool {
		return slices.ContainsFunc(b.Units, func(u *project.Unit) bool { return units[u] })
	})
}

func (l *linking) units(b *project.Build) []*summary {
	var list []*summary
	for _, u := range b.Units {
		list = append(list, l.summaries[u])
	}
	return list
}

// whole links an image with its libraries, and keeps what it says of those.
func (l *linking) whole(b *project.Build) (driver.Image, *image) {
	libraries := l.libraries(b, nil)
	own := l.units(b)
	var rest []*summary
	for _, lib := range libraries {
		for _, u := range l.units(lib) {
			if !slices.Contains(own, u) && !slices.Contains(rest, u) {
				rest = append(rest, u)
			}
		}
	}
	m := link(b, own, rest)
	sites := m.sites()
	out := m.image(own, sites)
	l.linked[b] = map[*project.Build]driver.Image{}
	for _, lib := range libraries {
		l.linked[b][lib] = m.image(l.units(lib), sites)
	}
	return out, m
}

// libraries gives the libraries that are linked into a build, those that they link among them.
func (l *linking) libraries(b *project.Build, list []*project.Build) []*project.Build {
	for _, id := range b.Links {
		if lib := l.byID[id]; lib != nil && lib != b && lib.Library && !slices.Contains(list, lib) {
			list = l.libraries(lib, append(list, lib))
		}
	}
	return list
}

// library gives a library's own image: what the images that link it say of it, or what it says by itself.
func (l *linking) library(b *project.Build, m *image) driver.Image {
	alone := m.image(l.units(b), m.sites())
	out := driver.Image{Build: alone.Build, Facts: alone.Facts, Suppressions: alone.Suppressions}
	states := map[driver.Initialised]bool{}
	for _, user := range l.builds {
		if part, ok := l.linked[user][b]; ok {
			out.Sites = append(out.Sites, part.Sites...)
			states[part.Build.Initialised] = true
			out.Build.Initialised = part.Build.Initialised
		}
	}
	switch {
	case len(states) == 0:
		return alone
	case alone.Build.Initialised == driver.InitNotNeeded:
		out.Build.Initialised = driver.InitNotNeeded
	case len(states) > 1:
		out.Build.Initialised = driver.InitUnknown
	}
	out.Sites = mergeSites(out.Sites)
	return out
}

// usesVariables says whether a unit's requests hang on the variables that the opt-in call sets.
func (s *summary) usesVariables() bool { return s.mechanism == nx.OptIn }
