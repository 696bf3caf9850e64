package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	table := filepath.Join(t.TempDir(), "t.csv")
	if err := os.WriteFile(table, []byte("repo,commit,parent,mechanism,nx_files\no/a,1,2,m,a.c\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() // holds no repository
	for _, tt := range []struct {
		args   string
		status int
		stdout string
		stderr string
	}{
		{"-git " + dir, 2, "", "usage: replay"},
		{"-git " + dir + " -csv " + table + " -format html", 2, "", "usage: replay"},
		{"-git " + dir + " -csv " + filepath.Join(dir, "none"), 2, "", "none: no such file"},
		{"-git " + dir + " -csv " + table, 2, "repository", "replay: o/a 1: " + dir + ": it is no git directory, and holds none as o/a, o+a or a"},
		{"-git " + dir + " -csv " + table + " -only o/b", 2, "", "has no row of o/b"},
	} {
		var stdout, stderr strings.Builder
		if got := run(strings.Fields(tt.args), &stdout, &stderr); got != tt.status {
			t.Errorf("%s: status %d, want %d", tt.args, got, tt.status)
		}
		if !strings.HasPrefix(stdout.String(), tt.stdout) || tt.stdout == "" && stdout.Len() > 0 || !strings.Contains(stderr.String(), tt.stderr) {
			t.Errorf("%s: printed %q, and %q", tt.args, stdout.String(), stderr.String())
		}
	}
}
