package main

import (
	"os"
	"path/filepath"
	"testing"
)

// What the README shows of the built driver is what scan prints of it, and of the trace what that prints of the ported one.
func TestStory(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a driver and runs Wine")
	}
	home, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "ringlog")
	if err := os.CopyFS(dir, os.DirFS("../../examples/ringlog")); err != nil {
		t.Fatal(err)
	}
	sys := filepath.Join("ringlog", "out", "ringlog.sys")
	buildExample(t, dir, mode{}, "gcc")
	t.Chdir(filepath.Dir(dir))
	report := nxport(t, findings, "scan", sys)
	t.Chdir(home)
	shows(t, "nxport scan ringlog/before/ringlog.sys", report)
	if err := os.RemoveAll(filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	nxport(t, clean, "port", "--write", dir)
	buildExample(t, dir, mode{}, "gcc")
	t.Chdir(filepath.Dir(dir))
	table := nxport(t, clean, "trace", sys)
	t.Chdir(home)
	shows(t, "nxport trace ringlog/after/ringlog.sys", table)
}
