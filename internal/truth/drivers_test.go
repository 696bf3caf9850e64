package truth

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/project"
	"github.com/rogpeppe/go-internal/txtar"
)

// written is a self-written driver: a txtar archive whose comment says what it shows, with lines of these kinds:
//
//	all: NAME=VALUE ...     macros of every unit's command line
//	FILE: NAME=VALUE ...    of one unit's
//	choices: N              how many ways it asks the kernel for
//	library: FILE ...       units of a static library
//	by version              some Windows makes requests that another does not
//	not yet: REASON         scan differs, and that is known
type written struct {
	program
	byVersion bool
	notYet    string
}

func readDriver(t *testing.T, name string) written {
	t.Helper()
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	w := written{program: program{name: strings.TrimSuffix(filepath.Base(name), ".txtar"), files: map[string]string{}}}
	settings := map[string][]string{}
	for line := range strings.Lines(string(archive.Comment)) {
		key, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		settings[key] = strings.Fields(rest)
	}
	_, w.byVersion = settings["by version"]
	w.notYet = strings.Join(settings["not yet"], " ")
	if list := settings["choices"]; len(list) == 1 {
		if w.choices, err = strconv.Atoi(list[0]); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range archive.Files {
		p := w.name + "/" + f.Name
		w.files[p] = string(f.Data)
		language, isUnit := map[string]project.Language{".c": project.C, ".cpp": project.CXX}[filepath.Ext(f.Name)]
		if isUnit {
			w.units = append(w.units, unit{
				path: p, language: language, library: slices.Contains(settings["library"], f.Name),
				defines: slices.Concat(settings["all"], settings[f.Name]),
			})
		}
	}
	return w
}

// TestDrivers holds that scan gives for each request of the self-written drivers exactly what it is at run.
func TestDrivers(t *testing.T) {
	if testing.Short() {
		t.Skip("what a driver gets is known by running it, which needs clang")
	}
	names, err := filepath.Glob("testdata/drivers/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no drivers", err)
	}
	for _, name := range names {
		w := readDriver(t, name)
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			seen := run(t, []program{w.program})[w.name]
			if len(seen) == 0 {
				t.Fatal("it asks for nothing")
			}
			read := scan(t, w.program)
			if w.byVersion {
				read.forget(seen)
			}
			list := differences(w.program, seen, read, true)
			switch {
			case w.notYet != "":
				t.Logf("not yet: %s\n%s", w.notYet, strings.Join(list, "\n"))
			case len(list) > 0:
				t.Error("\n" + strings.Join(list, "\n"))
			}
		})
	}
}

// forget drops what scan says of a request on a Windows that never makes it, if another does.
func (s scanned) forget(seen answers) {
	for r, on := range seen {
		for windows := range s.answers[r] {
			if on[windows] == nil {
				delete(s.answers[r], windows)
			}
		}
	}
}
