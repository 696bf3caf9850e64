package project

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The proof of edits: every build file that reads an edited one is loaded again, and nothing but the wanted defines
// may differ.

// verify loads every build file that reads an edited one again, and compares. A build file whose builds don't get what they
// want goes without; where it is one that wants nothing, or whatever else, all do.
func (p *placer) verify() (failed []Unplaced) {
	after, err := p.with(p.edits)
	if err != nil {
		return p.none(err)
	}
	var projects []string
	for _, e := range p.edits {
		if why := p.keeps(e.Path); why != "" {
			return p.none(fmt.Errorf("%s is not changed: %s", e.Path, why))
		}
		projects = append(projects, p.set.readers[e.Path]...)
	}
	slices.Sort(projects)
	wanting := p.projects()
	for _, project := range slices.Compact(projects) {
		err := p.compare(p.load(p.tree, project), p.load(after, project))
		switch {
		case err != nil && slices.Contains(wanting, project):
			failed = append(failed, Unplaced{project, err.Error()})
		case err != nil:
			return p.none(err)
		}
	}
	return failed
}

// projects are the build files that want something, sorted.
func (p *placer) projects() (list []string) {
	for _, b := range p.set.Builds {
		if p.wanted[b.ID] != nil {
			list = append(list, b.Project)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// none leaves all without.
func (p *placer) none(why error) (failed []Unplaced) {
	for _, project := range p.projects() {
		failed = append(failed, Unplaced{project, why.Error()})
	}
	return failed
}

// compare checks that edits gave each build what it wants and no build anything else.
func (p *placer) compare(before, after loaded) error {
	if len(after.unreadable) > len(before.unreadable) {
		return fmt.Errorf("%s: can't be read once it is edited: %s", after.unreadable[0].Path, after.unreadable[0].Why)
	}
	if len(before.builds) != len(after.builds) {
		return errors.New("the edits would change which builds there are")
	}
	for i, b := range before.builds {
		a := after.builds[i]
		but := slices.Concat(p.wanted[b.ID], p.may[b.ID])
		if a.ID != b.ID || a.signature(but) != b.signature(but) {
			return fmt.Errorf("%s: the edits would change more of it than wanted", b.ID)
		}
		for j, u := range a.Units {
			if !p.byHeader[b.ID] && !u.has(p.wanted[b.ID]) {
				return fmt.Errorf("%s: %s would still lack %s: %s", b.ID, u.Path,
					group{defines: p.wanted[b.ID]}.text(), pair{a, j}.lost())
			}
		}
	}
	return nil
}

// lost says why a define does not come to a unit.
func (x pair) lost() string {
	layers := x.effective()
	if len(layers) > 0 && !layers[0].inherits {
		return fmt.Sprintf("%v does not inherit what is defined before it", layers[0].file.place(layers[0].at))
	}
	return "it is undefined, or defined otherwise, on the compiler's command line"
}

// signature is equal for builds that compile the same, but for some defines.
//
// The places of defines do not count: an edit moves what stands behind it.
func (b *Build) signature(but []Define) string {
	var s strings.Builder
	for _, u := range b.Units {
		o := *u.Options
		o.Defines = slices.DeleteFunc(slices.Clone(o.Defines), func(d Define) bool {
			return slices.ContainsFunc(but, func(w Define) bool { return w.Name == d.Name })
		})
		fmt.Fprintf(&s, "%q %s\n", u.Path, o.key(false))
	}
	return s.String()
}
