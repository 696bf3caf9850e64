package port

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
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
	tops := map[string][]edit.Change{}
	for _, c := range r.Changes {
		if top, ok := r.last.Tree.Checkout(path.Dir(c.Path)); ok {
			tops[top] = append(tops[top], c)
		}
	}
	var open []string
	for top, changes := range tops {
		ids, err := committedIDs(git, top)
		if err != nil {
			return &RefusedError{fmt.Sprintf("%s is a checkout, but git can't tell what was changed in it: %v; --force writes all the same", top, err)}
		}
		for _, c := range changes {
			name, err := within(top, c.Path)
			if c.Creates() && err == nil && ids[name] == "" {
				continue // git knows of no such file
			}
			if err != nil || !isBlob(c.Old, ids[name]) {
				open = append(open, c.Path)
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

// committedIDs gives the object of each file that is in the index as it was committed.
//
// git status would tell more, but runs what the checkout's own configuration names: filters, and a program that watches
// files. It may be anybody's checkout, so git is asked for nothing but names, and the files are compared here.
func committedIDs(git, top string) (map[string]string, error) {
	staged, err := gitIDs(git, top, "ls-files", "--stage", "-z") // "MODE ID STAGE"
	if err != nil {
		return nil, err
	}
	var exit *exec.ExitError
	if _, err := gitOutput(git, top, "rev-parse", "--quiet", "--verify", "HEAD"); errors.As(err, &exit) {
		return nil, nil // nothing was committed yet
	}
	committed, err := gitIDs(git, top, "ls-tree", "-r", "-z", "--full-tree", "HEAD") // "MODE blob ID"
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for name, f := range staged {
		if c := committed[name]; len(c) == 3 && f[1] == c[2] && f[2] == "0" {
			ids[name] = f[1]
		}
	}
	return ids, nil
}

// gitIDs gives the fields that a git command prints in front of each name.
func gitIDs(git, top string, args ...string) (map[string][]string, error) {
	out, err := gitOutput(git, top, args...)
	if err != nil {
		return nil, err
	}
	files := map[string][]string{}
	for entry := range strings.SplitSeq(out, "\x00") {
		head, name, _ := strings.Cut(entry, "\t")
		if fields := strings.Fields(head); len(fields) == 3 {
			files[name] = fields
		}
	}
	return files, nil
}

// gitOutput runs a git command that takes no lock, starts no program and asks no server.
func gitOutput(git, top string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), gitTimeout)
	defer cancel()
	args = append([]string{"--no-pager", "-C", filepath.FromSlash(top), "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"}, args...)
	cmd := exec.CommandContext(ctx, git, args...)
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none", "GIT_TERMINAL_PROMPT=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		if line, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n"); line != "" {
			err = errors.New(line)
		}
		return "", err
	}
	return string(out), nil
}

// isBlob says whether a text is that of an object of git, as it is or with the line ends that git converts. What other filters
// make of a file (an ident, another encoding) is taken for a change, and so a file is refused rather than lost; line ends alone
// that someone changed are not seen.
func isBlob(text []byte, id string) bool {
	sum := func(text []byte) string {
		h := sha1.New()
		if len(id) == 2*sha256.Size {
			h = sha256.New()
		}
		fmt.Fprintf(h, "blob %d\x00", len(text))
		h.Write(text)
		return hex.EncodeToString(h.Sum(nil))
	}
	return id != "" && (sum(text) == id || sum(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))) == id)
}
