// Package internal holds the rooms of nxport. This test keeps their imports pointing down.
package internal

import (
	"encoding/json"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/nxport/nxport/"

// rooms stand from the bottom to the top. A room imports only from rows below its own.
var rooms = [][]string{
	{"internal/tree", "internal/edit", "internal/machine", "nx"},
	{"internal/driver", "internal/image/imagetest"},
	{"internal/project", "internal/image"},
	{"internal/source", "internal/trace", "internal/header", "internal/verify", "internal/hlk"},
	{"internal/rule"},
	{"internal/report"},
	{"internal/scan"},
	{"internal/port", "internal/truth"},
	{"internal/replay", "internal/compiles"},
	{"cmd/nxport", "cmd/replay", "cmd/compiles"},
}

// only narrows what a room may import further than its row does.
var only = map[string][]string{
	"internal/rule":    {"nx", "internal/driver", "internal/edit"},
	"internal/header":  {},
	"internal/verify":  {},
	"internal/hlk":     {"nx", "internal/tree"},
	"internal/machine": {},
	"internal/image":   {"nx", "internal/driver", "internal/machine"},
	"nx":               {},
}

func TestImportsPointDown(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		room := strings.TrimPrefix(p.ImportPath, module)
		if room == "internal" {
			continue // this test
		}
		if row(room) < 0 {
			t.Errorf("%s has no row: say in rooms where it stands", room)
			continue
		}
		seen++
		for _, imported := range p.Imports {
			checkImport(t, room, imported)
		}
	}
	if want := len(slices.Concat(rooms...)); seen != want {
		t.Errorf("%d rooms are there, %d have a row", seen, want)
	}
}

func checkImport(t *testing.T, room, imported string) {
	below, ours := strings.CutPrefix(imported, module)
	if !ours {
		if path.Base(room) != "nxport" && strings.Contains(imported, "cobra") {
			t.Errorf("%s imports %s: flags are the business of cmd/nxport", room, imported)
		}
		return
	}
	if row(below) >= row(room) {
		t.Errorf("%s imports %s, which is not below it", room, below)
	}
	if list, narrow := only[room]; narrow && !slices.Contains(list, below) {
		t.Errorf("%s imports %s; it may import %v only", room, below, list)
	}
}

func row(room string) int {
	return slices.IndexFunc(rooms, func(r []string) bool { return slices.Contains(r, room) })
}
