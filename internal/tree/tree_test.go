package tree

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// inTree makes files in a directory and goes there.
func inTree(t *testing.T, files ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("text of "+name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func open(t *testing.T, named ...string) *Tree {
	t.Helper()
	tr, err := New(named)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestList(t *testing.T) {
	inTree(t, "b/x", "B2", "a.c")
	tr := open(t, ".")
	if got := strings.Join(tr.List("."), " "); got != "B2 a.c b" {
		t.Errorf("got %s", got)
	}
	if got := tr.List("none"); len(got) != 0 {
		t.Errorf("got %v of a directory that is not there", got)
	}
}

func TestFindIgnoresCase(t *testing.T) {
	inTree(t, "Src/Sys/Driver.H", "Src/a.c")
	tr := open(t, ".")
	for _, tt := range []struct{ ask, want string }{
		{"Src/Sys/Driver.H", "Src/Sys/Driver.H"}, {"src/SYS/driver.h", "Src/Sys/Driver.H"}, {"SRC/A.C", "Src/a.c"},
		{"src/none.h", ""}, {"none/a.c", ""},
	} {
		if got, ok := tr.Find(tt.ask); ok != (tt.want != "") || ok && got != tt.want {
			t.Errorf("Find(%q) = %q, %v; want %q", tt.ask, got, ok, tt.want)
		}
	}
}

func TestJoin(t *testing.T) {
	inTree(t, "a/b.c")
	tr := open(t, ".")
	cwd, _ := os.Getwd()
	if got := tr.Clean("../" + filepath.Base(cwd) + "/a"); got != "a" {
		t.Errorf("a path that leads back becomes %q, want a", got)
	}
	up := filepath.ToSlash(filepath.Dir(cwd))
	for _, tt := range []struct{ dir, ref, want string }{
		{"a", `..\inc\x.h`, "inc/x.h"}, {".", "x.h", "x.h"}, {"a/b", `.\c\\d.h`, "a/b/c/d.h"},
		{"a", `..\..\other\x.h`, up + "/other/x.h"}, {"a", "/usr/x.h", "/usr/x.h"},
		{"a", filepath.ToSlash(cwd) + "/x.h", "x.h"}, {up, filepath.Base(cwd) + "/x.h", "x.h"},
	} {
		if got := tr.Join(tt.dir, tt.ref); got != tt.want {
			t.Errorf("Join(%q, %q) = %q, want %q", tt.dir, tt.ref, got, tt.want)
		}
	}
}

func TestWithin(t *testing.T) {
	inTree(t, "a/b.c", "ab/c.c", "repo/.git/HEAD", "repo/drv/x/p.vcxproj")
	for _, tt := range []struct {
		named, path string
		want        bool
	}{
		{"a", "a/b.c", true}, {"a", "ab/c.c", false}, {".", "ab/c.c", true}, {".", "../x.c", false}, {".", "/etc/passwd", false},
		{"a/b.c", "a/other.h", true}, {"a/b.c", "ab/c.c", false},
		{"repo/drv/x/p.vcxproj", "repo/inc/y.h", true}, {"repo/drv/x/p.vcxproj", "a/b.c", false},
	} {
		if got := open(t, tt.named).Within(tt.path); got != tt.want {
			t.Errorf("tree of %s: Within(%q) = %v, want %v", tt.named, tt.path, got, tt.want)
		}
	}
	t.Chdir("repo/drv") // below the checkout's root
	if tr := open(t, "x"); !tr.Within("x/p.vcxproj") || !tr.Within("../inc/y.h") || tr.Within("../../a/b.c") {
		t.Error("from within a checkout, its files are not those that may be written")
	}
}

func TestOverlay(t *testing.T) {
	inTree(t, "a.c", "b.c")
	tr := open(t, ".").With(map[string][]byte{"a.c": []byte("new"), "c.c": []byte("third")})
	for name, want := range map[string]string{"a.c": "new", "b.c": "text of b.c", "c.c": "third"} {
		if got, err := tr.Read(name); err != nil || string(got) != want {
			t.Errorf("Read(%s) = %q, %v; want %q", name, got, err, want)
		}
		if _, ok := tr.Find(name); !ok {
			t.Errorf("%s is not found", name)
		}
	}
}

func TestErrorsNameTheFile(t *testing.T) {
	inTree(t, "a.c", "d/b.c")
	tr := open(t, ".")
	for _, name := range []string{"none.c", "d", "a.c/x"} {
		if _, err := tr.Read(name); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("Read(%s): %v", name, err)
		}
	}
	if _, err := New([]string{"none"}); err == nil || !strings.HasPrefix(err.Error(), "none: ") {
		t.Errorf("New(none): %v", err)
	}
	f, _ := os.Create("big.c")
	if err := f.Truncate(maxFile + 1); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := tr.Read("big.c"); err == nil || !strings.Contains(err.Error(), "big.c: 67108865 bytes") {
		t.Errorf("a file above the limit: %v", err)
	}
}

func TestWalk(t *testing.T) {
	inTree(t, "d/b.c", "d/a.c", "d/.git/x.c", "e/c.c", "d/.editorconfig")
	if err := os.Symlink("..", "d/loop"); err != nil {
		t.Fatal(err)
	}
	got, err := open(t, ".").Walk("d")
	if want := []string{"d/.editorconfig", "d/a.c", "d/b.c"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("Walk(d) = %v, %v; want %v", got, err, want)
	}
	if err := os.Symlink("d", "link"); err != nil {
		t.Fatal(err)
	}
	if got, err := open(t, ".").Walk("link"); err != nil || len(got) != 3 || got[1] != "link/a.c" {
		t.Errorf("Walk(link) = %v, %v", got, err)
	}
	if got, err := open(t, ".").Walk("d/a.c"); err != nil || !slices.Equal(got, []string{"d/a.c"}) {
		t.Errorf("Walk(d/a.c) = %v, %v", got, err)
	}
}

func TestIsBinary(t *testing.T) {
	for text, want := range map[string]bool{"int a;": false, "MZ\x00\x01": true, "\xff\xfei\x00": false, "": false, "\xe4": false} {
		if got := IsBinary([]byte(text)); got != want {
			t.Errorf("IsBinary(%q) = %v", text, got)
		}
	}
}
