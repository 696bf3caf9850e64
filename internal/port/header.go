package port

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/internal/header"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/internal/scan"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

const headerName = "nxpool.h"

// addHeader gives the files of builds that may be made with a kit without opt-ins what it lacks: nxpool.h, behind the include by
// which each of them comes to the kit. The rest of the port goes by the tree as it is then.
func (r *Result) addHeader(t *tree.Tree) (map[string][]byte, error) {
	var places []driver.Span
	for i, b := range r.First.Set.Builds {
		m := r.First.Images[i]
		if hasOptIn(b) || !r.wantsHeader(m) {
			continue
		}
		for _, f := range m.Facts {
			if f.Kind != driver.KitInclude || f.NXPool {
				continue
			}
			if why := r.noPlace(f); why != "" {
				return nil, &RefusedError{why}
			}
			if !slices.Contains(places, *f.Behind) {
				places = append(places, *f.Behind)
			}
		}
	}
	if len(places) == 0 {
		return nil, nil
	}
	there, err := r.headersIn(t)
	if err != nil {
		return nil, err
	}
	overlay := map[string][]byte{}
	if len(there) == 0 {
		made := path.Join(commonDir(places), headerName)
		if why := cmp.Or(r.leaves(made), outside(t, made)); why != "" {
			return nil, &RefusedError{fmt.Sprintf("%s can't be made: %s; make one yourself (nxport header prints it) where the port may use it", made, why)}
		}
		there = []string{made}
		overlay[made] = []byte(header.Text())
	}
	changes, err := edit.Apply(t.Read, includes(places, there))
	for _, c := range changes {
		overlay[c.Path] = c.New
	}
	return overlay, err
}

// hasOptIn says whether a build's kit knows the opt-ins: projects of MSBuild came with Windows 8's.
func hasOptIn(b *project.Build) bool {
	return b.Kit.Name != "" && !b.Kit.NoOptIn || strings.EqualFold(path.Ext(b.Project), ".vcxproj")
}

// dropIdleHeader takes nxpool.h out of a port that changes nothing else and mends nothing by it.
func (r *Result) dropIdleHeader() {
	open := func(s *scan.Result) (n int) {
		for _, f := range s.Findings {
			if f.Level > rule.Note && !f.Kept && !f.NoAlternative {
				n++
			}
		}
		return n
	}
	idle := len(r.Changes) > 0 && len(r.Changes) == len(r.base) && open(r.last) > 0 && open(r.last) >= open(r.First) &&
		!slices.ContainsFunc(r.Changes, func(c edit.Change) bool { return !bytes.Equal(c.New, r.base[c.Path]) })
	if idle {
		r.Changes, r.last = nil, r.First
	}
}

// wantsHeader says whether a build is opted in already, as far as its files can say, or has something to mend.
func (r *Result) wantsHeader(m driver.Image) bool {
	return m.Build.Mechanism != nx.None ||
		slices.ContainsFunc(m.Facts, func(f driver.Fact) bool { return f.Kind == driver.OptInUnknown }) ||
		slices.ContainsFunc(r.First.Findings, func(f rule.Finding) bool {
			return f.Level > rule.Note && !f.Kept && !f.NoAlternative && slices.Contains(f.Builds, m.Build.ID)
		})
}

// noPlace says why no line can be put behind the include of the kit by which a unit comes to it, "" where one can.
func (r *Result) noPlace(f driver.Fact) string {
	if f.Behind == nil {
		return fmt.Sprintf("%s: its build file forces the kit's header onto it, or a header that is missing brings it, or the file is in UTF-16: "+
			"force %s behind the kit's, too (gcc: -include ntddk.h -include %[2]s; nxport header prints it)", f.Unit, headerName)
	}
	if why := r.leaves(f.Behind.Path); why != "" {
		return fmt.Sprintf("%s comes to the kit by %s, which is left alone: %s; include %s behind the kit's header there, or force both by "+
			"the build file (gcc: -include ntddk.h -include %[4]s)", f.Unit, f.Behind.Path, why, headerName)
	}
	return ""
}

// headersIn finds those that the named paths hold already.
func (r *Result) headersIn(t *tree.Tree) ([]string, error) {
	var there []string
	for _, named := range r.named {
		files, err := t.Walk(named)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if strings.EqualFold(path.Base(f), headerName) && !slices.Contains(there, f) {
				there = append(there, f)
			}
		}
	}
	slices.Sort(there)
	return there, nil
}

func outside(t *tree.Tree, p string) string {
	if t.Within(p) {
		return ""
	}
	return "it would lie outside of what was named"
}

// commonDir is the innermost directory that holds all places.
func commonDir(places []driver.Span) string {
	dir := path.Dir(places[0].Path)
	for _, p := range places[1:] {
		for other := path.Dir(p.Path); dir != "." && dir != "/" && other != dir && !strings.HasPrefix(other, dir+"/"); {
			dir = path.Dir(dir)
		}
	}
	return dir
}

// includes puts an include of the nearest header at each place.
func includes(places []driver.Span, headers []string) (edits []edit.Edit) {
	for _, p := range places {
		best := ""
		for _, h := range headers {
			if rel := relative(path.Dir(p.Path), h); best == "" || strings.Count(rel, "/") < strings.Count(best, "/") {
				best = rel
			}
		}
		edits = append(edits, edit.Edit{Path: p.Path, Start: p.Start, End: p.End, New: p.Newline + p.Indent + "#include \"" + best + "\""})
	}
	return edits
}

// relative is the way from a directory to a file, both as package tree names them.
func relative(dir, file string) string {
	up := ""
	for dir != "." && dir != "/" && !strings.HasPrefix(file, dir+"/") {
		dir, up = path.Dir(dir), up+"../"
	}
	if dir == "." {
		return up + file
	}
	return up + strings.TrimPrefix(strings.TrimPrefix(file, dir), "/")
}
