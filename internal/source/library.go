package source

import (
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/nx"
)

// linkAll joins the units of each build, and gives an image for each, in their order, and the names on which values hang.
// A static library is judged as part of the images that link it: its requests stand in its own image, with the values
// that those images pass.
func linkAll(builds []*project.Build, summaries map[*project.Unit]*summary) ([]driver.Image, map[string]bool) {
	l := &linking{
		summaries: summaries, byID: map[string]*project.Build{}, linked: map[*project.Build][]driver.Image{}, needs: map[string]bool{},
	}
	for _, b := range builds {
		l.byID[b.ID] = b
	}
	out := make([]driver.Image, len(builds))
	for i, b := range builds {
		if !b.Library {
			out[i] = l.whole(b)
		}
	}
	for i, b := range builds {
		if b.Library {
			out[i] = l.library(b)
		}
	}
	return out, l.needs
}

// linking is the state of linkAll.
type linking struct {
	summaries map[*project.Unit]*summary
	byID      map[string]*project.Build
	linked    map[*project.Build][]driver.Image // what the images say of the libraries in them
	needs     map[string]bool
}

func (l *linking) units(b *project.Build) []*summary {
	var list []*summary
	for _, u := range b.Units {
		list = append(list, l.summaries[u])
	}
	return list
}

// whole links an image with its libraries, and keeps what it says of those.
func (l *linking) whole(b *project.Build) driver.Image {
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
	out := m.image()
	for _, lib := range libraries {
		part := *m
		part.own = l.units(lib)
		seen := part.image()
		seen.Build.Initialised = out.Build.Initialised
		l.linked[lib] = append(l.linked[lib], seen)
	}
	l.keep(m)
	return out
}

func (l *linking) keep(m *image) {
	for name := range m.needs {
		l.needs[name] = true
	}
}

// libraries gives the libraries that are linked into a build, those that they link among them.
func (l *linking) libraries(b *project.Build, list []*project.Build) []*project.Build {
	for _, id := range b.Links {
		if lib := l.byID[id]; lib != nil && lib.Library && !slices.Contains(list, lib) {
			list = l.libraries(lib, append(list, lib))
		}
	}
	return list
}

// library gives a library's own image: what the images that link it say of it, or what it says by itself.
func (l *linking) library(b *project.Build) driver.Image {
	m := link(b, l.units(b), nil)
	linked := l.linked[b]
	if len(linked) == 0 {
		l.keep(m)
		return m.image()
	}
	out := driver.Image{Build: b.Build, Facts: linked[0].Facts}
	for _, i := range linked {
		out.Sites = append(out.Sites, i.Sites...)
	}
	out.Sites = mergeSites(out.Sites)
	m.judgeBuild(&out)
	if out.Build.Initialised != driver.InitNotNeeded {
		out.Build.Initialised = linked[0].Build.Initialised
		for _, i := range linked {
			if i.Build.Initialised != out.Build.Initialised {
				out.Build.Initialised = driver.InitUnknown
			}
		}
	}
	return out
}

// usesVariables says whether a unit's requests hang on the variables that the opt-in call sets.
func (s *summary) usesVariables() bool { return s.mechanism == nx.OptIn }
