package port

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nxport/nxport/internal/edit"
)

// matrixGoals gives each goal's macro, and the lowest Windows that it is tried with.
var matrixGoals = map[Goal]*strings.Replacer{
	OptIn:     strings.NewReplacer("@NAMED@", "POOL_NX_OPTIN=1", "@MACRO@", "POOL_NX_OPTIN", "@TARGET@", "Windows7", "@WINNT@", "0x0601", "@NTDDI@", "0x06010000"),
	OptInAuto: strings.NewReplacer("@NAMED@", "POOL_NX_OPTIN_AUTO=1", "@MACRO@", "POOL_NX_OPTIN_AUTO", "@TARGET@", "Windows8", "@WINNT@", "0x0602", "@NTDDI@", "0x06020000"),
	Explicit:  strings.NewReplacer("@NAMED@", "NONE=1", "@MACRO@", "NONE", "@TARGET@", "Windows8", "@WINNT@", "0x0602", "@NTDDI@", "0x06020000"),
}

// Every kind of build file is ported with every repair, by every goal that has to do with it: the whole tree is what the two
// files in testdata say, a second port changes nothing, nothing is left, and the diff applies and is undone to the byte.
func TestMatrix(t *testing.T) {
	builds, repairs := directories(t, "testdata/builds.txtar"), directories(t, "testdata/repairs.txtar")
	for _, b := range builds {
		for _, r := range repairs {
			parts := strings.Split(r.name, "/")
			name, goal, define := parts[0], Goal(parts[1]), parts[2]
			switch {
			case b.name == "library" && define == "never": // the library's own request needs it, whatever the driver does
				continue
			case hasOldKit(b) && strings.HasPrefix(name, "new kit, "):
				continue // such a kit knows no other name
			case hasOldKit(b) && name == "types and flags" && goal == Explicit: // such a kit knows no flags
				continue
			}
			t.Run(b.name+"/"+name+"/"+string(goal), func(t *testing.T) {
				before, after := matrixTree(b, r, goal, define)
				if goal == Explicit && hasOldKit(b) && before != after {
					checkOldKit(t, before)
					return
				}
				checkPort(t, goal, before, after)
			})
		}
	}
}

// oldKitName ends the names of build files that a kit without the opt-in may read; nxpoolName those whose files have it by nxpool.h.
const (
	oldKitName = "old kit"
	nxpoolName = "nxpool.h"
)

func hasOldKit(b directory) bool {
	return strings.HasSuffix(b.name, oldKitName) || strings.HasSuffix(b.name, nxpoolName)
}

// directory is some files of an archive, by the directory that they stand in.
type directory struct {
	name  string
	files []txtar.File
}

func directories(t *testing.T, archive string) []directory {
	t.Helper()
	a, err := txtar.ParseFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	var all []directory
	for _, f := range a.Files {
		dir, base := filepath.ToSlash(filepath.Dir(f.Name)), filepath.Base(f.Name)
		if n := len(all); n == 0 || all[n-1].name != dir {
			all = append(all, directory{name: dir})
		}
		last := &all[len(all)-1]
		last.files = append(last.files, txtar.File{Name: base, Data: f.Data})
	}
	return all
}

// matrixTree puts a build's files and a repair's together, as they are and as they are to be.
func matrixTree(b, r directory, goal Goal, define string) (before, after string) {
	var old, done txtar.Archive
	put := func(name, was, is string) {
		old.Files = append(old.Files, txtar.File{Name: name, Data: []byte(matrixGoals[goal].Replace(was))})
		done.Files = append(done.Files, txtar.File{Name: name, Data: []byte(matrixGoals[goal].Replace(is))})
	}
	call := "ExInitializeDriverRuntime(DrvRtPoolNxOptIn);"
	if strings.HasSuffix(b.name, oldKitName) {
		call = "#ifdef NonPagedPool // a kit that knows POOL_NX_OPTIN redefines it\n    " + call + "\n#endif"
	}
	include, inHeader := "#include <ntddk.h>", slices.ContainsFunc(b.files, func(f txtar.File) bool { return f.Name == "kit.h" })
	if strings.HasSuffix(b.name, nxpoolName) {
		include += "\n#include \"nxpool.h\""
	}
	late := inHeader && strings.HasPrefix(r.name, "macro too late/") // one define in that header is in time for all
	if inHeader {
		include = `#include "kit.h"`
	}
	if late {
		define = "added"
	}
	for _, f := range b.files {
		was, is := changed(string(f.Data))
		switch define {
		case "there":
			was = is
		case "never":
			is = was
		}
		put(f.Name, was, is)
	}
	for _, f := range r.files {
		was, is := changed(string(f.Data))
		if late {
			is = was
		}
		if strings.HasPrefix(call, "#") {
			is = strings.ReplaceAll(is, "    CALL", "CALL")
		}
		layout := strings.NewReplacer("CALL", call, "#include <ntddk.h>", include)
		put(f.Name, layout.Replace(was), layout.Replace(is))
	}
	return string(txtar.Format(&old)), string(txtar.Format(&done))
}

// checkOldKit checks that nothing is written that the kit does not know, and that this is said.
func checkOldKit(t *testing.T, before string) {
	t.Helper()
	a := unpack(t, before)
	r := run(t, Explicit)
	if got := pack(t, a); got != before {
		t.Errorf("got\n%s", got)
	}
	for _, f := range r.Left {
		if !strings.Contains(f.Message, "does not know NX pool") {
			t.Errorf("left: %s", f.Message)
		}
	}
	if len(r.Left) == 0 || len(r.Kept) > 0 {
		t.Errorf("left: %v, kept: %v", r.Left, r.Kept)
	}
}

func checkPort(t *testing.T, goal Goal, before, after string) {
	t.Helper()
	a := unpack(t, before)
	r := run(t, goal)
	if got := pack(t, a); got != after {
		t.Errorf("got\n%s\nwant\n%s", got, after)
	}
	if len(r.Left) > 0 {
		t.Errorf("left: %v", r.Left)
	}
	if again := run(t, goal); len(again.Changes) > 0 {
		t.Errorf("a second port changes\n%s", edit.Diff(again.Changes))
	}
	if len(r.Changes) == 0 {
		return
	}
	if err := os.WriteFile("port.diff", []byte(edit.Diff(r.Changes)), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("git", "apply", "-R", "port.diff").CombinedOutput(); err != nil {
		t.Fatalf("git apply -R: %v\n%s", err, out)
	}
	if got := pack(t, a); got != before {
		t.Errorf("undone, it is\n%s", got)
	}
}
