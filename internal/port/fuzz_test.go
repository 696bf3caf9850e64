package port

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/edit"
)

// FuzzPort ports a driver of one file by each goal: there is no panic, a port is made or refused, and a second one changes nothing.
func FuzzPort(f *testing.F) {
	repairs, err := os.ReadFile("testdata/repairs.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range strings.Split(string(repairs), "\n-- ")[1:] {
		_, text, _ = strings.Cut(text, "\n")
		before, after := changed(text)
		f.Add(before, false)
		f.Add(strings.ReplaceAll(after, "CALL", "ExInitializeDriverRuntime(DrvRtPoolNxOptIn);"), true)
	}
	f.Add("#define P NonPagedPool\r\n#include <ntddk.h>\r\nextern \"C\" NTSTATUS DriverEntry() { auto p = ExAllocatePool(P, 1); if (p) return 0; }", true)
	f.Fuzz(func(t *testing.T, text string, later bool) {
		tree := projectOf("", "")
		if later {
			tree = strings.Replace(tree, "Windows7", "Windows10", 1)
		}
		for _, goal := range Goals() {
			unpack(t, tree)
			if err := os.WriteFile("drv.c", []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			fuzzed(t, Goal(goal))
		}
	})
}

func fuzzed(t *testing.T, goal Goal) {
	o := options()
	o.Unsafe = true
	r, err := Run([]string{"."}, goal, o)
	if _, ok := errors.AsType[*RefusedError](err); ok {
		return
	}
	if err != nil {
		t.Fatal(goal, err)
	}
	for _, c := range r.Changes {
		if err := os.WriteFile(c.Path, c.New, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Run([]string{"."}, goal, o)
	if err != nil || len(again.Changes) > 0 {
		t.Errorf("%s: again: %v\n%s\nafter\n%s", goal, err, edit.Diff(again.Changes), edit.Diff(r.Changes))
	}
}
