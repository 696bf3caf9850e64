package port

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func git(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func add(t *testing.T, name, text string) {
	t.Helper()
	data, _ := os.ReadFile(name)
	if err := os.WriteFile(name, append(data, text...), 0o644); err != nil {
		t.Fatal(err)
	}
}

// What git could not give back is named and not written.
func TestWhatIsNotCommitted(t *testing.T) {
	if testing.Short() {
		t.Skip("runs git")
	}
	for name, tt := range map[string]struct {
		change func(t *testing.T)
		want   string // "" where it is written
	}{
		"clean":             {func(*testing.T) {}, ""},
		"another changed":   {func(t *testing.T) { add(t, "jit.c", "// mine\n") }, ""},
		"another untracked": {func(t *testing.T) { add(t, "new.c", "// mine\n") }, ""},
		"changed":           {func(t *testing.T) { add(t, "drv.c", "// mine\n") }, "not committed: drv.c: commit"},
		"staged":            {func(t *testing.T) { add(t, "drv.c", "// mine\n"); git(t, "add", "drv.c") }, "not committed: drv.c: commit"},
		"untracked, ignored": {func(t *testing.T) {
			git(t, "rm", "-q", "--cached", "SOURCES")
			git(t, "commit", "-qm", "2")
			add(t, ".gitignore", "SOURCES\n")
		}, "not committed: SOURCES: commit"},
		"several": {func(t *testing.T) { add(t, "drv.c", "// mine\n"); add(t, "SOURCES", "# mine\n") },
			"not committed: SOURCES, drv.c: commit"},
		"another renamed": {func(t *testing.T) { git(t, "mv", "abcdrv.c", "b.c") }, ""}, // what it was called comes without a status before it
		"renamed to": {func(t *testing.T) {
			git(t, "rm", "-q", "drv.c")
			git(t, "mv", "jit.c", "drv.c")
			add(t, "drv.c", "NTSTATUS DriverEntry(PDRIVER_OBJECT o, PUNICODE_STRING r)\n{\n\treturn ExAllocatePool(NonPagedPool, 1) ? 0 : 1;\n}\n")
		}, "not committed: drv.c: commit"},
		"renamed in the index alone": {func(t *testing.T) { git(t, "mv", "drv.c", "b.c"); os.Rename("b.c", "drv.c") }, "not committed: drv.c: commit"},
		"its line ends are converted": {func(t *testing.T) {
			git(t, "config", "core.autocrlf", "true")
			data, _ := os.ReadFile("drv.c")
			os.WriteFile("drv.c", bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")), 0o644)
		}, ""},
		"changed with the same time and size": {func(t *testing.T) {
			info, _ := os.Stat("drv.c")
			data, _ := os.ReadFile("drv.c")
			os.WriteFile("drv.c", bytes.Replace(data, []byte("4096"), []byte("4097"), 1), 0o644)
			os.Chtimes("drv.c", info.ModTime(), info.ModTime())
		}, "not committed: drv.c: commit"},
		"clean, with SHA-256": {func(t *testing.T) {
			os.RemoveAll(".git")
			git(t, "init", "-q", "--object-format=sha256")
			git(t, "add", ".")
			git(t, "commit", "-qm", "1")
		}, ""},
		"nothing is committed": {func(t *testing.T) { git(t, "update-ref", "-d", "HEAD") }, "not committed: SOURCES, drv.c, drv.vcxproj: commit"},
		"git does not answer":  {func(t *testing.T) { os.WriteFile(".git/config", []byte("[core"), 0o644) }, ". is a checkout, but git can't tell what was changed in it: "},
	} {
		t.Run(name, func(t *testing.T) {
			unpack(t, "-- abcdrv.c --\nint a;\n"+strings.Replace(shared, `<ClCompile Include="jit.c" />`, "", 1))
			git(t, "init", "-q")
			git(t, "add", ".")
			git(t, "commit", "-qm", "1")
			tt.change(t)
			r, err := Run([]string{"."}, OptIn, options())
			if err != nil || len(r.Changes) == 0 {
				t.Fatalf("no change, %v", err)
			}
			err = r.Write(false)
			refused, ok := errors.AsType[*RefusedError](err)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want == "":
				return
			case !ok || !strings.HasPrefix(refused.Reason, tt.want) && !strings.HasSuffix(refused.Reason, tt.want+" or stash first, or --force writes all the same"):
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if data, _ := os.ReadFile("drv.c"); strings.Contains(string(data), "ExInit") {
				t.Error("written all the same")
			}
			if err := r.Write(true); err != nil {
				t.Errorf("by force: %v", err)
			}
		})
	}
}

// Programs that the checkout's own configuration names are not run.
func TestNothingOfTheCheckoutIsRun(t *testing.T) {
	if testing.Short() {
		t.Skip("runs git")
	}
	unpack(t, shared)
	git(t, "init", "-q")
	git(t, "add", ".")
	git(t, "commit", "-qm", "1")
	ran, _ := filepath.Abs("ran")
	program := filepath.Join(t.TempDir(), "program")
	os.WriteFile(program, []byte("#!/bin/sh\necho \"$0 $*\" >> '"+ran+"'\ncat\n"), 0o755)
	hooks := filepath.Dir(program)
	for _, hook := range []string{"post-index-change", "reference-transaction", "fsmonitor-watchman"} {
		os.Symlink(program, filepath.Join(hooks, hook))
	}
	for _, c := range []string{"filter.x.clean", "filter.x.smudge", "filter.x.process", "core.fsmonitor", "diff.external", "core.pager", "core.sshCommand",
		"core.editor", "alias.ls-files", "core.alternateRefsCommand", "diff.x.textconv", "diff.x.command"} {
		value := program
		if strings.HasPrefix(c, "alias.") {
			value = "!" + program
		}
		git(t, "config", c, value)
	}
	git(t, "config", "core.hooksPath", hooks)
	git(t, "config", "pager.ls-files", "true")
	if err := os.WriteFile(".git/info/attributes", []byte("* filter=x diff=x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour) // so that git would look into the file
	for _, name := range []string{"drv.c", "SOURCES", "drv.vcxproj"} {
		os.Chtimes(name, later, later)
	}
	run(t, OptIn)
	if log, err := os.ReadFile(ran); err == nil {
		t.Errorf("these were run:\n%s", log)
	}
	git(t, "status")
	if _, err := os.Stat(ran); err != nil {
		t.Error("the test runs nothing, whatever the port does")
	}
}

// A checkout below the one that was named answers for its own files.
func TestWhatIsNotCommittedInACheckoutBelow(t *testing.T) {
	if testing.Short() {
		t.Skip("runs git")
	}
	unpack(t, strings.ReplaceAll(shared, "-- ", "-- sub/"))
	git(t, "init", "-q")
	git(t, "-C", "sub", "init", "-q")
	git(t, "-C", "sub", "add", ".")
	git(t, "-C", "sub", "commit", "-qm", "1")
	run(t, OptIn)
	r, err := Run([]string{"."}, OptIn, options())
	if err != nil || len(r.Changes) > 0 {
		t.Errorf("%v, %v", r.Changes, err)
	}
}

// Without git nothing is refused.
func TestWithoutGit(t *testing.T) {
	unpack(t, shared)
	if err := os.Mkdir(".git", 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", "")
	run(t, OptIn)
}

// A file that the port makes is not there to be lost; one that git holds, and that is gone, is somebody's change.
func TestWhatIsMadeIsNotCommitted(t *testing.T) {
	if testing.Short() {
		t.Skip("runs git")
	}
	for name, tt := range map[string]struct{ committed, want string }{
		"new":  {"README", ""},
		"gone": {"nxpool.h", "not committed: nxpool.h: commit"},
	} {
		unpack(t, gnuDriver("", "drv.o")+"-- drv.c --\n#include <ntddk.h>"+gnuEntry)
		add(t, tt.committed, "text\n")
		git(t, "init", "-q")
		git(t, "add", ".")
		git(t, "commit", "-qm", "1")
		os.Remove(tt.committed)
		r, err := Run([]string{"."}, OptIn, withHeader())
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Write(false); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
