package scan

import (
	"os"
	"path/filepath"
	"testing"
)

// What is read for a file: the checkout, else the working directory, else the directory that the file is in.
func TestAround(t *testing.T) {
	home := t.TempDir()
	home, err := filepath.EvalSymlinks(home) // as the working directory is given
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"out/.git": "gitdir: elsewhere\n", "out/sys/a.c": "int a;\n\nint b;", "loose/sys/a.c": "int a;\n", "loose/Other/B.c": "",
		"wide/w.c": "\xff\xfea\x00\n\x00b\x00\n\x00",
	} {
		name = filepath.Join(home, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	slash := filepath.ToSlash(home)
	for _, tt := range []struct {
		cwd, file   string
		found       string
		lines       int
		dir, failed string
	}{
		{cwd: "out/sys", file: "a.c", found: "a.c", lines: 3, dir: slash + "/out"},
		{cwd: "out", file: "sys/a.c", found: "sys/a.c", lines: 3, dir: "."},
		{cwd: "loose", file: "../out/sys/a.c", found: slash + "/out/sys/a.c", lines: 3, dir: slash + "/out"},
		{cwd: "loose", file: "sys/a.c", found: "sys/a.c", lines: 1, dir: "."},
		{cwd: "loose", file: `other\b.C`, found: "Other/B.c", lines: 1, dir: "."},
		{cwd: "loose", file: "../wide/w.c", found: slash + "/wide/w.c", lines: 2, dir: slash + "/wide"},
		{cwd: "loose", file: "sys/b.c", failed: "sys/b.c: no such file"},
		{cwd: "loose", file: "sys", failed: "sys: no regular file"},
	} {
		t.Chdir(filepath.Join(home, filepath.FromSlash(tt.cwd)))
		found, lines, dir, err := Around(tt.file)
		if err != nil != (tt.failed != "") || err != nil && err.Error() != tt.failed {
			t.Errorf("%s in %s: %v, want %q", tt.file, tt.cwd, err, tt.failed)
		}
		if found != tt.found || lines != tt.lines || dir != tt.dir {
			t.Errorf("%s in %s: %s with %d lines, in %s; want %s, %d, %s", tt.file, tt.cwd, found, lines, dir, tt.found, tt.lines, tt.dir)
		}
	}
}
