package edit

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"
)

func entryOf(path string) string {
	c := change(path)
	return fmt.Sprintf("%x %x %q\n", sha256.Sum256(c.Old), sha256.Sum256(c.New), path)
}

const head = header + "ABCDEFGH\n"

// A journal may be forged, cut off, or of a tree that was changed since.
func TestRecover(t *testing.T) {
	for name, tt := range map[string]struct{ journal, says, fails string }{
		"changed since":        {head + fmt.Sprintf("%x %x %q\n", sha256.Sum256([]byte("old a.c")), sha256.Sum256([]byte("new")), "a.c") + "staged\n", "", "a.c: changed since"},
		"nothing of it":        {"", "before it changed a file", ""},
		"a part of its head":   {header[:7], "before it changed a file", ""},
		"no end of its head":   {header + "ABCD", "before it changed a file", ""},
		"cut off":              {head + entryOf("a.c") + entryOf("b.c")[:99], "before it changed a file", ""},
		"staged":               {head + entryOf("a.c") + "staged\n", "put back as before: a.c", ""},
		"staged is cut off":    {head + entryOf("a.c") + "stag", "before it changed a file", ""},
		"done":                 {head + entryOf("a.c") + "staged\ndone\n", "interrupted when it had ended", ""},
		"done is cut off":      {head + entryOf("a.c") + "staged\ndon", "put back as before: a.c", ""},
		"another file":         {"int a;\n", "", Journal + ": no journal of nxport"},
		"another without \\n":  {"int a;", "", Journal + ": no journal of nxport"},
		"a later version":      {strings.Replace(head, "1", "2", 1), "", Journal + ": no journal of nxport"},
		"a token with a path":  {header + "/../ABCD\n", "", Journal + ": no journal of nxport"},
		"a path out of it":     {head + entryOf("../out.c") + "staged\n", "", "line 2 is none of a journal"},
		"an absolute path":     {head + entryOf("/out.c") + "staged\n", "", "line 2 is none of a journal"},
		"a path twice":         {head + entryOf("a.c") + entryOf("a.c") + "staged\n", "", "line 3 is none of a journal"},
		"a file behind staged": {head + entryOf("a.c") + "staged\n" + entryOf("b.c"), "", "line 4 is none of a journal"},
		"no hash":              {head + "12 34 \"a.c\"\nstaged\n", "", "line 2 is none of a journal"},
		"no path":              {head + strings.ReplaceAll(entryOf("a.c"), `"`, "") + "staged\n", "", "line 2 is none of a journal"},
		"by way of a link":     {head + entryOf("far/out.c") + "staged\n", "", "far/out.c: changed since"},
		"a pipe or directory":  {head + entryOf("dir") + "staged\n", "", "dir: changed since"},
		"another's old text":   {head + entryOf("b.c") + "staged\n", "", "b.c: changed since"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			put(t, "tree/a.c", "new a.c", 0o644)
			put(t, "tree/.nxport-ABCDEFGH-0.old", "old a.c", 0o644)
			put(t, "tree/b.c", "new b.c", 0o644)
			put(t, "tree/dir/x", "", 0o644)
			put(t, "out.c", "new ../out.c", 0o644)
			put(t, ".nxport-ABCDEFGH-0.old", "old ../out.c", 0o644)
			put(t, "elsewhere/out.c", "new far/out.c", 0o644)
			put(t, "elsewhere/.nxport-ABCDEFGH-0.old", "old far/out.c", 0o644)
			if err := os.Symlink("../elsewhere", "tree/far"); err != nil {
				t.Fatal(err)
			}
			put(t, "tree/"+Journal, tt.journal, 0o644)
			says, err := recovered("tree")
			if tt.fails == "" && (err != nil || !strings.Contains(says, tt.says)) || tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails)) {
				t.Errorf("says %q, %v; want %q, %q", says, err, tt.says, tt.fails)
			}
			want := "new a.c"
			if strings.Contains(tt.says, "put back") {
				want = "old a.c"
			}
			if text(t, "tree/a.c") != want || text(t, "tree/b.c") != "new b.c" || text(t, "out.c") != "new ../out.c" || text(t, "elsewhere/out.c") != "new far/out.c" {
				t.Errorf("a.c is %q, b.c %q, out.c %q, elsewhere/out.c %q", text(t, "tree/a.c"), text(t, "tree/b.c"), text(t, "out.c"), text(t, "elsewhere/out.c"))
			}
			if _, err := os.Lstat("tree/" + Journal); (err == nil) != (tt.fails != "") {
				t.Errorf("of the journal: %v", err)
			}
		})
	}
}

// A journal that is a link, or a directory, is none.
func TestRecoverFromNoFile(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "real", head+"staged\n", 0o644)
	if err := os.Symlink("real", Journal); err != nil {
		t.Fatal(err)
	}
	if _, err := recovered("."); err == nil || !strings.Contains(err.Error(), "no journal of nxport") || text(t, "real") != head+"staged\n" {
		t.Errorf("a link: %v", err)
	}
	os.Remove(Journal)
	os.Mkdir(Journal, 0o755)
	if _, err := recovered("."); err == nil || !strings.Contains(err.Error(), "no journal of nxport") {
		t.Errorf("a directory: %v", err)
	}
}
