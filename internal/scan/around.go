package scan

import (
	"bytes"
	"fmt"
	"path"
	"path/filepath"

	"github.com/nxport/nxport/internal/tree"
)

// Around finds a file, counts its lines, and names the directory whose builds may compile it: the checkout that holds it, else the working
// directory if the file is below it, else the directory it is in. Less would not do: what a build file adds by way of its
// parent, and which drivers link a library, is known only where all of them are read.
func Around(file string) (found string, lines int, dir string, err error) {
	t, err := tree.New(nil)
	if err != nil {
		return "", 0, "", err
	}
	found, ok := t.Find(t.Clean(file))
	if !ok {
		return "", 0, "", fmt.Errorf("%s: no such file", file)
	}
	data, err := t.Read(found)
	if err != nil {
		return "", 0, "", err
	}
	if tree.IsUTF16(data) {
		data, _ = tree.DecodeUTF16(data)
	}
	lines = bytes.Count(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) + 1
	dir = path.Dir(found)
	if checkout, ok := t.Checkout(dir); ok {
		return found, lines, checkout, nil
	}
	if !filepath.IsAbs(filepath.FromSlash(found)) {
		dir = "."
	}
	return found, lines, dir, nil
}

// Compiling gives the IDs of the builds that compile a file as a unit of its own.
func (r *Result) Compiling(file string) []string {
	var ids []string
	for _, b := range r.Set.Builds {
		for _, u := range b.Units {
			if u.Path == file {
				ids = append(ids, b.ID)
				break
			}
		}
	}
	return ids
}
