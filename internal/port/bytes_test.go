package port

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"github.com/nxport/nxport/internal/edit"
)

const mark = "\ufeff" // a byte order mark

// styles are the ways in which files of real drivers differ but for what they say. bare says whether a \n without \r may
// stand in a changed file.
var styles = []struct {
	name  string
	style func(name, text string) string
	bare  bool
}{
	{"LF", func(_, s string) string { return s }, true},
	{"CRLF", func(_, s string) string { return crlf(s) }, false},
	{"mixed", func(_, s string) string { return strings.Replace(crlf(s), "\r\n", "\n", 3) }, true},
	{"BOM, CRLF", func(_, s string) string { return mark + crlf(s) }, false},
	{"BOM in projects, no final newline", func(name, s string) string {
		if strings.HasSuffix(name, "proj") {
			s = mark + s
		}
		return strings.TrimSuffix(s, "\n")
	}, true},
	{"CRLF, no final newline", func(_, s string) string { return strings.TrimSuffix(crlf(s), "\r\n") }, false},
	{"tabs and trailing blanks", func(_, s string) string {
		return strings.ReplaceAll(strings.ReplaceAll(s, "  ", "\t"), ";\n", "; \t\n")
	}, true},
	{"UTF-8", func(name, s string) string { return comment(name, "Grüße, 運転手") + s }, true},
	{"Latin-1, CRLF", func(name, s string) string {
		latin, _ := charmap.ISO8859_1.NewEncoder().String(comment(name, "Grüße") + s)
		return crlf(latin)
	}, false},
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func comment(name, text string) string {
	switch {
	case strings.HasSuffix(name, "proj"):
		return "" // a project in another encoding says so
	case name == "SOURCES":
		return "# " + text + "\n"
	}
	return "// " + text + "\n"
}

// files reads what an archive's files hold now.
func files(t *testing.T, names []string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(data)
	}
	return all
}

func same(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: %s is\n%q\nwant\n%q", what, name, got[name], want[name])
		}
	}
}

// Whatever the style of the files: what the port adds is in that style, a second port changes nothing, and the diff is the
// change that is written, byte for byte and both ways, as git understands it.
func TestEveryStyle(t *testing.T) {
	for _, tt := range styles {
		t.Run(tt.name, func(t *testing.T) {
			var names []string
			for _, f := range unpack(t, shared).Files {
				names = append(names, f.Name)
				if err := os.WriteFile(f.Name, []byte(tt.style(f.Name, string(f.Data))), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			before := files(t, names)
			r := run(t, OptIn)
			after := files(t, names)
			if len(r.Changes) != 3 || len(r.Left) > 0 {
				t.Fatalf("left %v, changed\n%s", r.Left, edit.Diff(r.Changes))
			}
			for name, text := range after {
				if !tt.bare && strings.Count(text, "\n") != strings.Count(text, "\r\n") {
					t.Errorf("%s has other ends of lines now: %q", name, text)
				}
				kept(t, name, before[name], text)
			}
			if again := run(t, OptIn); len(again.Changes) > 0 {
				t.Errorf("a second port changes\n%s", edit.Diff(again.Changes))
			}
			if testing.Short() {
				t.Skip("the rest runs git")
			}
			applied(t, edit.Diff(r.Changes), "-R")
			same(t, "git apply -R", files(t, names), before)
			applied(t, edit.Diff(r.Changes))
			same(t, "git apply", files(t, names), after)
		})
	}
}

// kept fails where a line of the old text is not in the new one, in order. One line may have grown.
func kept(t *testing.T, name, old, text string) {
	t.Helper()
	rest := strings.SplitAfter(text, "\n")
	grown := 0
	for _, line := range strings.SplitAfter(old, "\n") {
		i := slices.Index(rest, line)
		if i < 0 {
			grown++
			continue
		}
		rest = rest[i+1:]
	}
	if grown > 1 || strings.HasPrefix(old, mark) != strings.HasPrefix(text, mark) || strings.HasSuffix(old, "\n") != strings.HasSuffix(text, "\n") {
		t.Errorf("%s lost something of\n%q\nit is\n%q", name, old, text)
	}
}

func applied(t *testing.T, diff string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"apply", "--whitespace=nowarn"}, args...)...)
	cmd.Stdin = bytes.NewReader([]byte(diff))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git apply %v: %v\n%s\n%s", args, err, out, diff)
	}
}
