package project

import (
	"path"
	"strings"

	"github.com/nxport/nxport/internal/tree"
)

// Paths in a compilation database are those of the machine that built. Where that was another one, or another
// directory, the files are found by the longest end of a path that is in the tree; what was learned of one path is
// tried first for the next.

// isKitDirectory says whether an include directory is one of a driver kit's.
func isKitDirectory(dir string) bool {
	s := strings.TrimRight(strings.ToLower(strings.ReplaceAll(dir, `\`, "/")), "/")
	return strings.HasSuffix(s, "/km") || strings.HasSuffix(s, "/km/crt") || strings.HasSuffix(s, "/ddk") ||
		strings.Contains(s, "/wdf/kmdf/")
}

// joinForeign gives a path of the machine that a database was made on.
func joinForeign(dir, p string) string {
	p, dir = strings.ReplaceAll(p, `\`, "/"), strings.ReplaceAll(dir, `\`, "/")
	if isAbsolute(p) || strings.HasPrefix(p, "//") {
		return path.Clean(p)
	}
	return path.Join(dir, p)
}

// pathFinder finds paths of another machine in the tree.
type pathFinder struct {
	tree  *tree.Tree
	bases []string // the database's directory and those above it, in the tree
	known []movedDirectory
	found map[string]string // "" for what is not there
}

// movedDirectory is a directory of the other machine, and what it is here.
type movedDirectory struct{ there, here string }

// newPathFinder searches from the directory of the database.
func newPathFinder(t *tree.Tree, dir string) *pathFinder {
	f := &pathFinder{tree: t, found: map[string]string{}}
	for t.Within(dir) && len(f.bases) < maxSuffixes {
		f.bases = append(f.bases, dir)
		above := t.Join(dir, "..")
		if above == dir {
			break
		}
		dir = above
	}
	return f
}

// file finds a file: as it is, below a directory that is known by another file, or by the longest end of its path that
// is in the tree.
func (f *pathFinder) file(p string) (string, bool) {
	if was, ok := f.found[p]; ok {
		return was, was != ""
	}
	q := f.look(p)
	f.found[p] = q
	return q, q != ""
}

// look finds a path of the machine that built in the tree here: as it is, moved as others were, or by its longest end
// that is there.
func (f *pathFinder) look(p string) string {
	if q, ok := f.here(p); ok {
		return f.readable(q)
	}
	if !isAbsolute(p) {
		return ""
	}
	if q, moved := f.moved(p); moved {
		return f.readable(q)
	}
	parts := strings.Split(strings.Trim(p, "/"), "/")
	for i := max(1, len(parts)-maxSuffixes); i < len(parts); i++ {
		end := strings.Join(parts[i:], "/")
		for _, base := range f.bases {
			if q, ok := f.tree.Find(f.tree.Join(base, end)); ok && f.readable(q) != "" {
				f.known = append(f.known, movedDirectory{strings.TrimSuffix(p, end), base})
				return q
			}
		}
	}
	return ""
}

// readable gives the spelling on disk of a file that can be read, "" where there is none.
func (f *pathFinder) readable(p string) string {
	if _, err := f.tree.Read(p); err != nil || !f.tree.Within(p) {
		return ""
	}
	return p
}

// here finds a path that is one of this machine; one without a directory is the database's.
func (f *pathFinder) here(p string) (string, bool) {
	if isForeign(p) || len(f.bases) == 0 {
		return "", false
	}
	q := f.tree.Join(f.bases[0], p)
	if !f.tree.Within(q) {
		return "", false
	}
	return f.tree.Find(q)
}

// moved finds a path below a directory that is known; moved is false where none is.
func (f *pathFinder) moved(p string) (string, bool) {
	for _, m := range f.known {
		if rest, ok := strings.CutPrefix(p, m.there); ok {
			if q, ok := f.tree.Find(f.tree.Join(m.here, rest)); ok {
				return q, true
			}
			return "", true
		}
	}
	return "", false
}

// directory finds an include directory. One of another machine is found only by files beside it; else it is the kit's.
func (f *pathFinder) directory(p string) (string, bool) {
	if q, ok := f.here(p); ok {
		return q, true
	}
	if q, _ := f.moved(p + "/"); q != "" {
		return strings.TrimSuffix(q, "/"), true
	}
	if isForeign(p) || !isAbsolute(p) {
		return "", false
	}
	p = f.tree.Clean(p)
	_, ok := f.tree.Find(p)
	return p, ok
}
