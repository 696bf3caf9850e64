package main

import (
	"os"
	"path/filepath"
	"testing"
)

// What the README shows of the trace is what it prints of the ported driver.
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
	nxport(t, clean, "port", "--write", dir)
	buildExample(t, dir, mode{}, "gcc")
	t.Chdir(filepath.Dir(dir))
	table := nxport(t, clean, "trace", filepath.Join("ringlog", "out", "ringlog.sys"))
	t.Chdir(home)
	shows(t, "nxport trace ringlog/after/ringlog.sys", table)
}
