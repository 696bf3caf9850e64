package edit

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

// small mounts a file system of 64 KiB and goes there.
func small(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k")
	if errors.Is(err, syscall.EPERM) {
		t.Skip("only root can mount a small disk; TestAFullDiskAtEachStep has the same without one")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	t.Chdir(dir)
}

// A disk that is full after the first of two files.
func TestAFullDisk(t *testing.T) {
	small(t)
	old, new := bytes.Repeat([]byte("old\n"), 3000), bytes.Repeat([]byte("new\n"), 8000)
	put(t, "a.c", string(old), 0o644)
	put(t, "b.c", string(old), 0o644)
	err := Write(here, []Change{{"a.c", old, new[:len(old)]}, {"b.c", old, new}})
	if !errors.Is(err, syscall.ENOSPC) || !strings.HasPrefix(err.Error(), "nothing was written: ") {
		t.Errorf("got %v", err)
	}
	if len(names(t)) != 2 || !strings.HasPrefix(text(t, "a.c"), "old\n") {
		t.Errorf("there are %v, a.c begins with %.4q", names(t), text(t, "a.c"))
	}
}

func TestAReadOnlyDisk(t *testing.T) {
	small(t)
	put(t, "a.c", "old a.c", 0o644)
	dir, _ := os.Getwd()
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if err := Write(here, []Change{change("a.c")}); !errors.Is(err, syscall.EROFS) || text(t, "a.c") != "old a.c" {
		t.Errorf("got %v", err)
	}
}

// A directory in which no file can be made; then one where it can, and old texts that are another's and take no second name.
func TestAReadOnlyDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	list := tree(t)
	for _, dir := range []string{".", "b"} {
		os.Chmod(dir, 0o777)
	}
	os.Chmod("b/c", 0o555)
	as := func(user int) {
		if os.Getuid() != 0 {
			return // it is no root anyway
		}
		if err := syscall.Setreuid(-1, user); err != nil {
			t.Fatal(err)
		}
	}
	as(65534)
	defer as(0)
	err := Write(here, list)
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "written: b/c: no file can be made in this directory") ||
		state(t) != "old" || len(names(t)) != len(files) {
		t.Errorf("%v; the tree is %s, there are %v", err, state(t), names(t))
	}
	as(0)
	os.Chmod("b/c", 0o777)
	as(65534)
	if err := Write(here, list); err != nil || state(t) != "new" || len(names(t)) != len(files) {
		t.Errorf("%v; the tree is %s, there are %v", err, state(t), names(t))
	}
}
