package source

import (
	"sync"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// Each reading of a file is told, never more of them than there are, and at the end all are read.
func TestProgress(t *testing.T) {
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	o := &project.Options{Processor: nx.X64, Language: project.C}
	b := &project.Build{Build: driver.Build{Entries: []string{"DriverEntry"}}, Units: []*project.Unit{{Path: "a.c", Options: o}, {Path: "b.c", Options: o}}}
	tr = tr.With(map[string][]byte{
		"a.c": []byte("void *Get(int t) { return ExAllocatePool(t, 1); }\n"), "b.c": []byte("void DriverEntry(void) { Get(NonPagedPool); }\n"),
	})
	var mu sync.Mutex
	calls, most, of := 0, 0, 0
	Read(tr, []*project.Build{b, b}, Options{DDIs: nx.DDIs(), Jobs: 2, Progress: func(files, all, builds int) {
		mu.Lock()
		defer mu.Unlock()
		calls, most, of = calls+1, max(most, files), max(of, all)
		if files > all || files < 1 || builds != 2 {
			t.Errorf("%d of %d files for %d builds", files, all, builds)
		}
	}})
	if calls < 2 || most != of || most != calls {
		t.Errorf("told %d times, of %d files of %d", calls, most, of)
	}
}
