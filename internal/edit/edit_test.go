package edit

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestApply(t *testing.T) {
	read := func(p string) ([]byte, error) {
		if p == "none" {
			return nil, fs.ErrNotExist
		}
		return []byte("0123456789"), nil
	}
	for _, tt := range []struct {
		name  string
		edits []Edit
		want  string // the new text of the first change; "" for an error
	}{
		{"insert", []Edit{{"a", 3, 3, "x"}}, "012x3456789"},
		{"order does not matter", []Edit{{"a", 8, 9, "y"}, {"a", 0, 2, "x"}}, "x234567y9"},
		{"equal edits count once", []Edit{{"a", 3, 3, "x"}, {"a", 3, 3, "x"}}, "012x3456789"},
		{"equal edits with another between", []Edit{{"a", 3, 3, "x"}, {"a", 3, 3, "y"}, {"a", 3, 3, "x"}}, "012xy3456789"},
		{"touching", []Edit{{"a", 0, 3, ""}, {"a", 3, 3, "x"}}, "x3456789"},
		{"overlap", []Edit{{"a", 0, 3, ""}, {"a", 2, 4, "x"}}, ""},
		{"outside", []Edit{{"a", 9, 11, ""}}, ""},
		{"backwards", []Edit{{"a", 5, 4, ""}}, ""},
		{"no such file", []Edit{{"none", 0, 0, "x"}}, ""},
	} {
		changes, err := Apply(read, tt.edits)
		switch {
		case tt.want == "" && err == nil:
			t.Errorf("%s: no error", tt.name)
		case tt.want != "" && (err != nil || len(changes) != 1 || string(changes[0].New) != tt.want):
			t.Errorf("%s: %v, %v; want %q", tt.name, changes, err, tt.want)
		}
	}
	if changes, err := Apply(read, []Edit{{"a", 0, 1, "0"}}); err != nil || len(changes) != 0 {
		t.Errorf("an edit that changes nothing: %v, %v", changes, err)
	}
}

// git accepts the diff and makes the same bytes of it: CRLF, no final newline, an 8-bit encoding.
func TestDiffIsWhatGitApplies(t *testing.T) {
	if testing.Short() {
		t.Skip("runs git")
	}
	t.Chdir(t.TempDir())
	changes := []Change{
		{"crlf.c", []byte("a\r\nb\r\nc\r\n"), []byte("a\r\nnew\r\nb\r\nc\r\n")},
		{"dir/final.c", []byte("a\nb"), []byte("a\nb new")},
		{"latin.c", []byte("\xe4\nb\n"), []byte("\xe4\nnew\nb\n")},
		{"mixed.c", []byte("a\r\nb\nc\r"), []byte("a\r\nb\nnew\nc\r")},
		{"größe.c", []byte("a\nb\n"), []byte("a\nnew\nb\n")},
		{"a \"b\".c", []byte("a\nb\n"), []byte("a\nnew\nb\n")},
		{"tab\there \"\\.c", []byte("a\nb\n"), []byte("a\nnew\nb\n")},
		{"line\n--- a/other.c", []byte("a\nb\n"), []byte("a\nnew\nb\n")},
		{"two.c", []byte("a\nb\n\n\n\n\n\n\n\n\n\nb\n\n\n\n"), []byte("A\nb\nnew\n\n\n\n\n\n\n\n\n\nnew\nb\n\n\n\n")},
		{"with a space.c", []byte("a\nb\n"), []byte("a\nnew\nb\n")},
		{"dir/made here.h", nil, []byte("a\nb\n")},
	}
	if !strings.Contains(Diff(changes), "+++ b/with a space.c\t\n") || !strings.Contains(Diff(changes), "+++ b/latin.c\n") {
		t.Error("a name with a space needs a tab behind it, for patch")
	}
	for _, c := range changes {
		if !c.Creates() {
			put(t, c.Path, string(c.Old), 0o644)
		}
	}
	for _, args := range [][]string{{"apply"}, {"apply", "-R"}} {
		cmd := exec.Command("git", args...)
		cmd.Stdin = strings.NewReader(Diff(changes))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s\n%s", args, err, out, Diff(changes))
		}
		for _, c := range changes {
			want := c.New
			if len(args) == 2 {
				want = c.Old
			}
			if c.Creates() && len(args) == 2 {
				if _, err := os.Stat(c.Path); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("git %v leaves %s: %v", args, c.Path, err)
				}
				continue
			}
			if got := text(t, c.Path); got != string(want) {
				t.Errorf("git %v: %s is %q, want %q", args, c.Path, got, want)
			}
		}
	}
}

// An edit counts bytes and holds text of 8 bits: a file in UTF-16 is refused.
func TestApplyRefusesUTF16(t *testing.T) {
	for _, mark := range []string{"\xff\xfe", "\xfe\xff"} {
		_, err := Apply(func(string) ([]byte, error) { return []byte(mark + "a\x00"), nil }, []Edit{{Path: "a.c", Start: 2, End: 2, New: "b"}})
		if err == nil || !strings.Contains(err.Error(), "a.c: it is in UTF-16") {
			t.Errorf("%v", err)
		}
	}
}
