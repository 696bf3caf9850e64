package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	for _, tt := range []struct {
		args   string
		status int
		stdout string
		stderr string
	}{
		{"", 2, "", "usage: compiles"},
		{"-git .", 2, "", "usage: compiles"},
		{"-to nowhere .", 2, "", "usage: compiles"},
		{"-git . -csv f .", 2, "", "usage: compiles"},
		{"-git . -csv " + none, 2, "tree ", "none: no such file"},
		{none, 1, "tree ", ""},
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
