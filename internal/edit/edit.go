// Package edit changes files by byte ranges, shows the change as a unified diff, and writes all of it or nothing.
package edit

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// Edit replaces the bytes [Start, End) of a file.
type Edit struct {
	Path       string
	Start, End int
	New        string
}

// Change is one file before and after.
type Change struct {
	Path     string
	Old, New []byte
}

// Apply makes the edits, given in any order, in the files that read returns, and gives the changed files by path.
// Equal edits count once. Overlapping ones, and ranges outside the file, are an error.
func Apply(read func(path string) ([]byte, error), edits []Edit) ([]Change, error) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	})
	edits = slices.Compact(edits)
	var changes []Change
	for len(edits) > 0 {
		p := edits[0].Path
		n := 1
		for n < len(edits) && edits[n].Path == p {
			n++
		}
		old, err := read(p)
		if err != nil {
			return nil, err
		}
		if bytes.HasPrefix(old, []byte("\xff\xfe")) || bytes.HasPrefix(old, []byte("\xfe\xff")) {
			return nil, fmt.Errorf("%s: it is in UTF-16, which is read but not edited: save it as UTF-8", p)
		}
		text, err := splice(old, edits[:n])
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(old, text) {
			changes = append(changes, Change{p, old, text})
		}
		edits = edits[n:]
	}
	return changes, nil
}

func splice(old []byte, edits []Edit) ([]byte, error) {
	var text []byte
	at := 0
	for _, e := range edits {
		if e.Start < at || e.End < e.Start || e.End > len(old) {
			return nil, fmt.Errorf("%s: edit of bytes %d to %d overlaps another or lies outside the file", e.Path, e.Start, e.End)
		}
		text = append(text, old[at:e.Start]...)
		text = append(text, e.New...)
		at = e.End
	}
	return append(text, old[at:]...), nil
}

// Diff gives the changes as one unified diff that git apply accepts, files in order of path.
func Diff(changes []Change) string {
	var b strings.Builder
	for _, c := range changes {
		name := strings.TrimPrefix(c.Path, "/") // of a file outside the working directory
		if strings.ContainsAny(name, " \t") {
			name += "\t" // as diff and git write it: patch takes a name up to the first white space otherwise
		}
		b.WriteString(udiff.Unified("a/"+name, "b/"+name, string(c.Old), string(c.New)))
	}
	return b.String()
}

// Write replaces all files, or none: everything that can fail for want of space or permission is done before the
// first file is replaced, and a replacement that fails then undoes those before it. Each file keeps its mode.
// A file whose content is no longer c.Old stops the whole.
func Write(changes []Change) error {
	var staged []string
	defer func() {
		for _, name := range staged {
			os.Remove(name) // those that were renamed are gone already
		}
	}()
	for _, c := range changes {
		name, err := stage(c)
		if err != nil {
			return fmt.Errorf("nothing was written: %w", err)
		}
		staged = append(staged, name)
	}
	for i, c := range changes {
		if err := os.Rename(staged[i], filepath.FromSlash(c.Path)); err != nil {
			return errors.Join(fmt.Errorf("nothing was written: %w", err), undo(changes[:i]))
		}
	}
	return nil
}

// stage writes the new text beside the file it is to replace and returns the staged file's name.
func stage(c Change) (string, error) {
	name := filepath.FromSlash(c.Path)
	info, err := os.Lstat(name)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s: no regular file (a symbolic link is not written through)", c.Path)
	}
	if info.Mode().Perm()&0o200 == 0 {
		return "", fmt.Errorf("%s: %w: the file is read-only", c.Path, fs.ErrPermission)
	}
	now, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	if !bytes.Equal(now, c.Old) {
		return "", fmt.Errorf("%s: changed since it was read: run the port again", c.Path)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".nxport-*")
	if err != nil {
		return "", err
	}
	_, werr := f.Write(c.New)
	err = errors.Join(werr, f.Chmod(info.Mode().Perm()), f.Sync(), f.Close())
	if err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

func undo(changes []Change) error {
	var errs []error
	for _, c := range changes {
		if name, err := stage(Change{c.Path, c.New, c.Old}); err != nil {
			errs = append(errs, fmt.Errorf("%s: could not be put back: %w", c.Path, err))
		} else if err := os.Rename(name, filepath.FromSlash(c.Path)); err != nil {
			errs = append(errs, fmt.Errorf("%s: could not be put back: %w", c.Path, err))
		}
	}
	return errors.Join(errs...)
}
