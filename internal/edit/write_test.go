package edit

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func put(t *testing.T, name, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func text(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// names lists all files below the working directory.
func names(t *testing.T) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(".", func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			list = append(list, filepath.ToSlash(p))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

var here = []string{"."}

func change(path string) Change { return Change{path, []byte("old " + path), []byte("new " + path)} }

// What stops a write stops all of it, is named, and leaves nothing behind.
func TestWriteAllOrNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(t *testing.T)
		want  string
	}{
		"changed":       {func(t *testing.T) { put(t, "sub/b.c", "changed meanwhile", 0o644) }, "written: sub/b.c: changed since it was read"},
		"gone":          {func(t *testing.T) { os.Remove("sub/b.c") }, "written: sub/b.c: no such file"},
		"read-only":     {func(t *testing.T) { os.Chmod("sub/b.c", 0o444) }, "sub/b.c: permission denied: the file is read-only"},
		"symbolic link": {func(t *testing.T) { link(t, "sub/b.c", "real.c") }, "sub/b.c: a symbolic link is not written through"},
		"behind a link": {func(t *testing.T) { link(t, "sub", t.TempDir()) }, "sub/b.c: path escapes from parent"},
		"a directory":   {func(t *testing.T) { os.Remove("sub/b.c"); os.Mkdir("sub/b.c", 0o755) }, "sub/b.c: no regular file"},
		"a journal":     {func(t *testing.T) { put(t, Journal, "", 0o600) }, Journal + ": another port writes here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			put(t, "a.c", "old a.c", 0o755)
			put(t, "sub/b.c", "old sub/b.c", 0o644)
			tt.spoil(t)
			before := names(t)
			err := Write(here, []Change{change("a.c"), change("sub/b.c")})
			if err == nil || !strings.HasPrefix(err.Error(), "nothing was written: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if got := text(t, "a.c"); got != "old a.c" || !slices.Equal(names(t), before) {
				t.Errorf("a.c is %q, there are %v, were %v", got, names(t), before)
			}
		})
	}
}

// link puts a symbolic link in the place of a file or directory, to what holds the same.
func link(t *testing.T, name, target string) {
	t.Helper()
	if err := os.Rename(name, "moved"); err != nil {
		t.Fatal(err)
	}
	if filepath.IsAbs(target) {
		put(t, filepath.Join(target, "b.c"), "old sub/b.c", 0o644)
	}
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

func TestWrite(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "a.c", "old a.c", 0o755)
	put(t, "sub/b.c", "old sub/b.c", 0o640)
	put(t, "same.c", "same", 0o444)
	if err := os.Link("a.c", "other name of a.c"); err != nil {
		t.Fatal(err)
	}
	if err := Write(here, []Change{change("a.c"), change("sub/b.c"), {"same.c", []byte("same"), []byte("same")}}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		text string
		mode fs.FileMode
	}{"a.c": {"new a.c", 0o755}, "sub/b.c": {"new sub/b.c", 0o640}, "other name of a.c": {"old a.c", 0o755}} {
		if info, _ := os.Stat(name); text(t, name) != want.text || info.Mode().Perm() != want.mode {
			t.Errorf("%s is %q, %v", name, text(t, name), info.Mode())
		}
	}
	if got := names(t); len(got) != 4 {
		t.Errorf("left behind: %v", got)
	}
	if says, err := recovered("."); says != "" || err != nil {
		t.Errorf("after a whole write, recovery says %q, %v", says, err)
	}
}

// Each of several roots has its own journal; a file counts to the outermost one.
func TestWriteOfSeveralRoots(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"one/a.c", "one/sub/b.c", "two/c.c"} {
		put(t, name, "old "+name, 0o644)
	}
	put(t, "two/"+Journal, "", 0o600)
	list := []Change{change("one/a.c"), change("one/sub/b.c"), change("two/c.c")}
	roots := []string{"one/sub", "one", filepath.ToSlash(filepath.Join(dir, "two"))}
	if err := Write(roots, list); err == nil || text(t, "one/a.c") != "old one/a.c" {
		t.Errorf("%v, a.c is %q", err, text(t, "one/a.c"))
	}
	os.Remove("two/" + Journal)
	if err := Write(roots, append(list, change("three.c"))); err == nil || !strings.Contains(err.Error(), "three.c: lies outside") {
		t.Errorf("outside: %v", err)
	}
	if all, err := transactions(roots, list, nil); err != nil || len(all) != 2 || all[0].dir != "one" || len(all[0].files) != 2 {
		t.Errorf("%d transactions, %v", len(all), err)
	}
	if err := Write(roots, list); err != nil || text(t, "two/c.c") != "new two/c.c" || len(names(t)) != 3 {
		t.Errorf("%v, %v", err, names(t))
	}
}

// files are what the tests of interrupted writes change.
var files = []string{"a.c", "b/b.c", "b/c/c.vcxproj", "d.h"}

func tree(t *testing.T) []Change {
	t.Helper()
	var list []Change
	for _, name := range files {
		put(t, name, "old "+name, 0o644)
		list = append(list, change(name))
	}
	return list
}

// state is "old" or "new" where all files are, else what each of them is.
func state(t *testing.T) string {
	t.Helper()
	var all []string
	for _, name := range files {
		s, _, _ := strings.Cut(text(t, name), " ")
		all = append(all, s)
	}
	if whole := slices.Compact(slices.Clone(all)); len(whole) == 1 {
		return whole[0]
	}
	return strings.Join(all, ",")
}

// stopAt fails the n-th step with the error of a full disk.
func stopAt(n int) func() error {
	return func() error {
		if n--; n == -1 {
			return syscall.ENOSPC
		}
		return nil
	}
}

// Whatever step fails, all is as it was, and nothing is left behind; what fails once all is written is left to Recover.
func TestAFullDiskAtEachStep(t *testing.T) {
	for n := range stepsOf(t) {
		t.Chdir(t.TempDir())
		err := writeBy(here, tree(t), stopAt(n))
		if err == nil && state(t) == "new" {
			if _, err = recovered("."); err != nil || len(names(t)) != len(files) {
				t.Errorf("step %d: %v: left behind: %v", n, err, names(t))
			}
		} else if !errors.Is(err, syscall.ENOSPC) || state(t) != "old" || len(names(t)) != len(files) {
			t.Errorf("step %d: %v: the tree is %s, there are %v", n, err, state(t), names(t))
		}
	}
}

// stepsOf counts the steps of a write of the tree.
func stepsOf(t *testing.T) int {
	t.Helper()
	t.Chdir(t.TempDir())
	n := 0
	if err := writeBy(here, tree(t), func() error { n++; return nil }); err != nil || n < 4*len(files) {
		t.Fatalf("%v, %d steps", err, n)
	}
	return n
}

// A file that changes while others are replaced keeps what it got; the others are put back.
func TestChangedWhileItWrites(t *testing.T) {
	t.Chdir(t.TempDir())
	list := tree(t)
	err := writeBy(here, list, func() error {
		if text(t, "a.c") == "new a.c" && text(t, "b/b.c") == "old b/b.c" {
			put(t, "d.h", "mine", 0o644)
		}
		return nil
	})
	if err == nil || !strings.HasSuffix(err.Error(), "written: d.h: changed since it was read: run the port again") {
		t.Errorf("got %v", err)
	}
	if text(t, "d.h") != "mine" || state(t) != "old,old,old,mine" || len(names(t)) != len(files) {
		t.Errorf("d.h is %q, the tree %s, there are %v", text(t, "d.h"), state(t), names(t))
	}
}

// A run that comes while another writes waits for its end, and has nothing to put back.
func TestRecoverWaitsForAWrite(t *testing.T) {
	t.Chdir(t.TempDir())
	list := tree(t)
	says, errs := make(chan string, 1), make(chan error, 1)
	begun := false
	err := writeBy(here, list, func() error {
		if text(t, "a.c") == "new a.c" && !begun {
			begun = true
			go func() {
				s, err := recovered(".")
				says <- s
				errs <- err
			}()
			time.Sleep(20 * time.Millisecond) // enough for it to come to the lock; the test holds without
		}
		return nil
	})
	if s, rerr := <-says, <-errs; err != nil || rerr != nil || s != "" || state(t) != "new" || len(names(t)) != len(files) {
		t.Errorf("%v; recovery says %q, %v; the tree is %s, there are %v", err, s, rerr, state(t), names(t))
	}
}

// What changes after a recovery has put all back is no matter of it, though it was stopped while it cleaned up.
func TestChangedAfterARecovery(t *testing.T) {
	late := 0
	for n := range 20 {
		t.Chdir(t.TempDir())
		tree(t)
		begin(t, "write", 2*len(files)+4).Wait() // two files are replaced
		if n == 0 && !strings.Contains(state(t), "new,") {
			t.Fatalf("the tree is %s", state(t))
		}
		if _, err := recoverBy(here, stopAt(n)); err == nil || !strings.HasSuffix(text(t, Journal), "restored\n") {
			continue
		}
		late++
		put(t, "d.h", "mine", 0o644)
		if says, err := recovered("."); err != nil || text(t, "d.h") != "mine" || len(names(t)) != len(files) {
			t.Errorf("step %d: %s, %v; there are %v", n, says, err, names(t))
		}
	}
	if late < 3 {
		t.Errorf("only %d recoveries were stopped while they cleaned up", late)
	}
}

// Where the steps of putting back fail too, the next run does it.
func TestUndoFails(t *testing.T) {
	broken := errors.New("the disk is broken")
	for n := range stepsOf(t) {
		t.Chdir(t.TempDir())
		err := writeBy(here, tree(t), func() error {
			if n--; n < 0 {
				return broken
			}
			return nil
		})
		was := state(t)
		if err == nil && was != "new" || err != nil && !errors.Is(err, broken) {
			t.Errorf("%v: the tree is %s", err, was)
		}
		recovers(t)
	}
}

// A write in two directories that is interrupted anywhere leaves both old or both new, once both are recovered.
func TestInterruptedInTwoDirectories(t *testing.T) {
	roots := []string{"one", "two"}
	write := func(step func() error) error {
		t.Chdir(t.TempDir())
		var list []Change
		for _, name := range []string{"one/a.c", "one/b.c", "two/c.c"} {
			put(t, name, "old "+name, 0o644)
			list = append(list, change(name))
		}
		return writeBy(roots, list, step)
	}
	steps := 0
	if err := write(func() error { steps++; return nil }); err != nil || steps < 12 {
		t.Fatal(steps, err)
	}
	ended := 0
	for n := range steps * 20 {
		left, once := n/20, n%2 == 0 // a step fails, or it and all that follow
		broken := func() error {
			if left--; left == -1 || left < 0 && !once {
				return errors.New("the disk is broken")
			}
			return nil
		}
		write(broken)
		left, once = n%20/2, false // so does the recovery, in the middle
		recoverBy(roots, broken)
		if _, err := Recover(roots); err != nil {
			t.Errorf("step %d: %v", n, err)
		}
		one, two := text(t, "one/a.c")[:3], text(t, "two/c.c")[:3]
		if one != two || text(t, "one/b.c")[:3] != one || len(names(t)) != 3 {
			t.Errorf("step %d: one is %s, two is %s, there are %v", n, one, two, names(t))
		}
		if one == "new" {
			ended++
		}
	}
	if ended == 0 || ended == 20*steps {
		t.Errorf("%d of %d interrupted writes ended", ended, 20*steps)
	}
}

// recovered recovers one directory.
func recovered(dir string) (string, error) {
	says, err := Recover([]string{dir})
	return says[0], err
}

// recovers fails where the next run does not make the tree whole and clean.
func recovers(t *testing.T) {
	t.Helper()
	was := state(t)
	says, err := recovered(".")
	is := state(t)
	if err != nil || is != "old" && is != "new" || was == "new" && is == "old" && !strings.Contains(says, "put back as before: a.c, b/b.c") || len(names(t)) != len(files) {
		t.Errorf("the tree was %s, is %s; %s, %v; there are %v", was, is, says, err, names(t))
	}
	if says, err := recovered("."); says != "" || err != nil {
		t.Errorf("a second recovery says %q, %v", says, err)
	}
}

// child is what the tests run as a process of its own, and kill: it writes the tree, or recovers it.
const child = "NXPORT_TEST_CHILD"

func TestMain(m *testing.M) {
	if what, n, ok := strings.Cut(os.Getenv(child), " "); ok {
		left, _ := strconv.Atoi(n)
		step := func() error {
			if left--; left == -1 {
				self, _ := os.FindProcess(os.Getpid())
				self.Kill()
				select {}
			}
			return nil
		}
		var list []Change
		for _, name := range files {
			list = append(list, change(name))
		}
		fmt.Println("begins")
		var err error
		if what == "write" {
			err = writeBy(here, list, step)
		} else {
			_, err = recoverBy(here, step)
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// begin starts the child in the working directory and waits until it is about to work.
func begin(t *testing.T, what string, killAt int) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", child, what, killAt))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// A write that is killed before any of its steps, and a recovery that is killed too: the next run makes all old or all new.
func TestKilledAtEachStep(t *testing.T) {
	steps := stepsOf(t)
	torn := 0
	for n := range steps {
		t.Chdir(t.TempDir())
		tree(t)
		begin(t, "write", n).Wait()
		if s := state(t); s != "old" && s != "new" {
			torn++
		}
		begin(t, "recover", n%7).Wait()
		recovers(t)
	}
	if torn < len(files)-1 {
		t.Errorf("only %d of %d kills left a mixed tree to mend", torn, steps)
	}
}

// The same at any moment, which may lie within a step.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Chdir(t.TempDir())
	tree(t)
	first := begin(t, "write", -1)
	start := time.Now()
	if err := first.Wait(); err != nil || state(t) != "new" {
		t.Fatal(err)
	}
	whole := time.Since(start)
	ends := map[string]int{}
	for range 40 {
		t.Chdir(t.TempDir())
		tree(t)
		cmd := begin(t, "write", -1)
		time.Sleep(rand.N(whole))
		cmd.Process.Kill()
		cmd.Wait()
		ends[state(t)]++
		recovers(t)
	}
	t.Logf("killed within %v: %v", whole, ends)
}

// A file that is to be made is made with the others, or none is: whatever step fails, and whether or not those that follow do, too.
func TestMakesAFile(t *testing.T) {
	write := func(step func() error) error {
		t.Chdir(t.TempDir())
		put(t, "sub/a.c", "old sub/a.c", 0o644)
		return writeBy(here, []Change{change("sub/a.c"), {"sub/made.h", nil, []byte("made")}}, step)
	}
	steps := 0
	if err := write(func() error { steps++; return nil }); err != nil || text(t, "sub/made.h") != "made" || len(names(t)) != 2 {
		t.Fatalf("%v: there are %v", err, names(t))
	}
	if info, _ := os.Stat("sub/made.h"); info.Mode().Perm() != 0o644 {
		t.Errorf("its mode is %v", info.Mode())
	}
	both := map[string]int{}
	for n := range steps * 20 {
		left, once := n/20, n%2 == 0
		broken := func() error {
			if left--; left == -1 || left < 0 && !once {
				return errors.New("the disk is broken")
			}
			return nil
		}
		write(broken)
		left, once = n%20/2, false // so is the recovery, in the middle
		recoverBy(here, broken)
		says, err := recovered(".")
		is := text(t, "sub/a.c")[:3]
		want := map[string]int{"old": 1, "new": 2}[is]
		if err != nil || len(names(t)) != want {
			t.Errorf("step %d: %s, %v: sub/a.c is %s, there are %v", n, says, err, is, names(t))
		}
		both[is]++
	}
	if both["old"] == 0 || both["new"] == 0 {
		t.Errorf("ended as %v", both)
	}
}

func TestMakesNoFileThatIsThere(t *testing.T) {
	list := []Change{change("a.c"), {"made.h", nil, []byte("made")}}
	for name, appears := range map[string]int{"before": 0, "while it writes": 6} {
		t.Chdir(t.TempDir())
		put(t, "a.c", "old a.c", 0o644)
		n := 0
		err := writeBy(here, list, func() error {
			if n++; n == appears {
				put(t, "made.h", "mine", 0o644)
			}
			return nil
		})
		if appears == 0 {
			put(t, "a.c", "old a.c", 0o644)
			put(t, "made.h", "mine", 0o644)
			err = Write(here, list)
		}
		if err == nil || !strings.Contains(err.Error(), "made.h: made since the tree was read") || text(t, "made.h") != "mine" || text(t, "a.c") != "old a.c" || len(names(t)) != 2 {
			t.Errorf("%s: %v: there are %v", name, err, names(t))
		}
	}
	// One that was made, and changed before the recovery, is not removed.
	t.Chdir(t.TempDir())
	put(t, "a.c", "old a.c", 0o644)
	left := 7 // both are replaced, and that is not noted
	err := writeBy(here, list, func() error {
		if left--; left < 0 {
			return errors.New("the disk is broken")
		}
		return nil
	})
	put(t, "made.h", "mine", 0o644)
	if _, rerr := recovered("."); err == nil || rerr == nil || !strings.Contains(rerr.Error(), "made.h: changed since the port that made it was interrupted") || text(t, "made.h") != "mine" {
		t.Errorf("%v; %v; there are %v", err, rerr, names(t))
	}
}
