//go:build unix

package trace

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// lock marks the directory of a prefix as in use, for as long as the process lives that holds the file. The file gets its name when
// it is locked, so that nobody takes it over before.
func lock(root string) (*os.File, error) {
	f, err := locked(filepath.Join(root, "new"), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	return f, os.Rename(f.Name(), filepath.Join(root, "lock"))
}

// relock takes a directory over whose process is dead. An error says that it lives, or that the directory is none of ours.
func relock(root string) (*os.File, error) {
	return locked(filepath.Join(root, "lock"), os.O_RDWR)
}

func locked(name string, how int) (*os.File, error) {
	f, err := os.OpenFile(name, how|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || info.Sys().(*syscall.Stat_t).Uid != uint32(os.Getuid()) {
		f.Close()
		return nil, errors.Join(err, os.ErrPermission) // the temporary directory is everyone's
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
