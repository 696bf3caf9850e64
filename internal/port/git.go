package port

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nxport/nxport/internal/edit"
)

const gitTimeout = time.Minute

// Write writes the port, all of it or nothing. Without force it refuses to change what git could not give back.
func (r *Result) Write(force bool) error {
	if !force {
		if err := r.committed(); err != nil {
			return err
		}
	}
	return edit.Write(r.last.Tree.Roots(), r.Changes)
}

// committed refuses files that lie in a checkout and are not there as they were committed. Without git none is refused.
func (r *Result) committed() error {
	git, err := exec.LookPath("git")
	if err != nil {
		return nil
	}
	tops := map[string][]string{}
	for _, c := range r.Changes {
		if top, ok := r.last.Tree.Checkout(path.Dir(c.Path)); ok {
			tops[top] = append(tops[top], c.Path)
		}
	}
	var open []string
	for top, paths := range tops {
		safe, err := unmodified(git, top)
		if err != nil {
			return &RefusedError{fmt.Sprintf("%s is a checkout, but git can't tell what was changed in it: %v; --force writes all the same", top, err)}
		}
		for _, p := range paths {
			if name, err := within(top, p); err != nil || !safe[name] {
				open = append(open, p)
			}
		}
	}
	if len(open) == 0 {
		return nil
	}
	slices.Sort(open)
	return &RefusedError{fmt.Sprintf("not committed: %s: commit or stash first, or --force writes all the same", strings.Join(open, ", "))}
}

func within(top, p string) (string, error) {
	top, err1 := filepath.Abs(filepath.FromSlash(top))
	p, err2 := filepath.Abs(filepath.FromSlash(p))
	name, err3 := filepath.Rel(top, p)
	return filepath.ToSlash(name), errors.Join(err1, err2, err3)
}

// unmodified gives the files that git tracks in a checkout and that are as they were committed.
func unmodified(git, top string) (map[string]bool, error) {
	tracked, err := gitNames(git, top, "ls-files", "-z")
	if err != nil {
		return nil, err
	}
	status, err := gitNames(git, top, "status", "--porcelain=v1", "-z", "--untracked-files=no")
	if err != nil {
		return nil, err
	}
	safe := map[string]bool{}
	for _, name := range tracked {
		safe[name] = true
	}
	for i := 0; i < len(status); i++ {
		if len(status[i]) < 4 {
			continue
		}
		delete(safe, status[i][3:])
		if strings.ContainsAny(status[i][:2], "RC") { // what it was renamed or copied from comes next
			i++
		}
	}
	return safe, nil
}

// gitNames gives the names that a git command prints. git takes no lock, and no program that watches files is started: the
// checkout may be anybody's.
func gitNames(git, top string, args ...string) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), gitTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, git, append([]string{"-C", filepath.FromSlash(top), "-c", "core.fsmonitor=false"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		if line, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n"); line != "" {
			err = errors.New(line)
		}
		return nil, err
	}
	return strings.Split(string(out), "\x00"), nil
}
