package port

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/scan"
	"github.com/nxport/nxport/internal/tree"
)

// What could not be read stops nothing but what hangs on it: the builds that compile it, and the files that it names.

// incomplete gives, by build file, why builds stay as they are of which not all could be read: what an opt-in would do there is
// not known.
func incomplete(r *scan.Result) map[string]string {
	stay := map[string]string{}
	for _, b := range r.Set.Builds {
		for _, s := range r.Unreadable {
			compiled := slices.ContainsFunc(b.Units, func(u *project.Unit) bool { return u.Path == s.Path })
			switch {
			case s.Path == b.Project:
				stay[b.Project] = b.Project + ": it could not be read to its end"
			case r.Set.Reads(b.Project, s.Path):
				stay[b.Project] = fmt.Sprintf("%s: it includes %s, which could not be read: %s", b.Project, s.Path, s.Why)
			case compiled && stay[b.Project] == "":
				stay[b.Project] = fmt.Sprintf("%s: it compiles %s, which could not be read: %s", b.Project, s.Path, s.Why)
			}
		}
	}
	return stay
}

// unread is a build file that could not be read as one.
type unread struct {
	path, dir string
	text      string // in lower case, with slashes
	none      bool   // there is no text, either
}

func unreadIn(r *scan.Result) (list []unread) {
	for _, s := range r.Set.Unreadable {
		if info, err := os.Lstat(filepath.FromSlash(s.Path)); err != nil || !info.Mode().IsRegular() {
			continue // a directory or a pipe that a walk met
		}
		data, err := r.Tree.Read(s.Path)
		text := strings.ToLower(string(bytes.ReplaceAll(data, []byte{0}, nil))) // UTF-16, too
		list = append(list, unread{s.Path, path.Dir(s.Path), strings.ReplaceAll(text, "\\", "/"), err != nil})
	}
	return list
}

// names says whether the build file may name a file: by its path, by one that begins with something to be evaluated, or by a
// wildcard. One without any text may name all that lies below it.
func (u unread) names(t *tree.Tree, p string) bool {
	if u.path == p {
		return false
	}
	name := strings.ToLower(path.Base(p))
	below := u.dir == "." && !path.IsAbs(p) || strings.HasPrefix(p, u.dir+"/")
	if below && (u.none || strings.Contains(u.text, "*"+path.Ext(name))) {
		return true
	}
	for rest := u.text; ; {
		i := strings.Index(rest, name)
		if i < 0 {
			return false
		}
		ref := rest[strings.LastIndexAny(rest[:i], " \t\r\n\"'<>;=")+1 : i+len(name)]
		if strings.Contains(ref, "$") || strings.EqualFold(t.Join(u.dir, ref), p) {
			return true
		}
		rest = rest[i+len(name):]
	}
}

// shared says, of a file that such a build file names, that it does; "" of others. What a change there would do to builds that
// nobody knows can't be told.
func (r *Result) shared(p string) string {
	for _, u := range r.unread {
		if u.names(r.First.Tree, p) {
			return u.path + " names it, too, and could not be read"
		}
	}
	return ""
}
