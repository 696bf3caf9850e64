package compiles

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/nxport/nxport/internal/edit"
)

// entry is one of clang's overlay of the file system (llvm/Support/VirtualFileSystem.h, RedirectingFileSystem), a directory or a
// file.
type entry struct {
	Name     string  `json:"name"`
	Type     string  `json:"type"`
	Contents []entry `json:"contents,omitempty"`
	External string  `json:"external-contents,omitempty"`
}

// overlays writes what clang is to see before a port and after it.
func overlays(temp, dir string, kit []string, changes []edit.Change) (two [2]string, err error) {
	files := map[string]string{} // by where clang sees it, where it is
	for _, top := range append([]string{dir}, kit...) {
		if err := list(top, files); err != nil {
			return two, err
		}
	}
	if two[0], err = overlay(temp, "before.yaml", files); err != nil {
		return two, err
	}
	for i, c := range changes {
		p, err := filepath.Abs(filepath.FromSlash(c.Path))
		if err != nil {
			return two, err
		}
		files[p] = filepath.Join(temp, fmt.Sprint("ported", i))
		if err := os.WriteFile(files[p], c.New, 0o644); err != nil {
			return two, err
		}
	}
	two[1], err = overlay(temp, "after.yaml", files)
	return two, err
}

// list adds the files below a directory.
func list(top string, files map[string]string) error {
	top, err := filepath.Abs(top)
	if err != nil {
		return err
	}
	return filepath.WalkDir(top, func(p string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && e.Name() == ".git":
			return fs.SkipDir
		case e.Type().IsRegular():
			files[p] = p
		}
		return nil
	})
}

func overlay(temp, name string, files map[string]string) (string, error) {
	dirs := map[string][]entry{}
	for _, p := range slices.Sorted(maps.Keys(files)) {
		dir := filepath.Dir(p)
		dirs[dir] = append(dirs[dir], entry{Name: filepath.Base(p), Type: "file", External: files[p]})
	}
	var roots []entry
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		roots = append(roots, entry{Name: dir, Type: "directory", Contents: dirs[dir]})
	}
	data, err := json.Marshal(map[string]any{ // JSON is YAML
		"version": 0, "case-sensitive": "false", "use-external-names": "false", "fallthrough": "true", "roots": roots,
	})
	if err != nil {
		return "", err
	}
	name = filepath.Join(temp, name)
	return name, os.WriteFile(name, data, 0o644)
}
