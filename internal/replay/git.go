package replay

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// maxFile is the size of the largest file that is checked out: build files and sources are smaller.
const maxFile = 8 << 20

// gitDir finds the repository owner/name: dir itself, or what stands in it as owner/name, owner+name or name. A repository is
// a git directory, or holds one as .git or repo.
func gitDir(dir, repo string) (string, error) {
	owner, name, _ := strings.Cut(repo, "/")
	for _, in := range []string{".", owner + "/" + name, owner + "+" + name, name} {
		for _, below := range []string{".", ".git", "repo", "repo/.git"} {
			p := filepath.Join(dir, filepath.FromSlash(in), filepath.FromSlash(below))
			if isGit(p) {
				return filepath.Abs(p)
			}
		}
	}
	return "", fmt.Errorf("%s: it is no git directory, and holds none as %s, %s+%s or %s", dir, repo, owner, name, name)
}

func isGit(dir string) bool {
	for _, name := range []string{"HEAD", "objects"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// git prepares a command that runs no hook and asks no server for what a partial clone lacks.
func git(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command("git", append([]string{"--git-dir", dir, "-c", "core.hooksPath=/dev/null"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none", "GIT_OPTIONAL_LOCKS=0")
	return cmd
}

// output runs a command; what it says on standard error becomes the error.
func output(cmd *exec.Cmd) ([]byte, error) {
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("%s: %s", strings.Join(cmd.Args, " "), bytes.TrimSpace(exit.Stderr))
	}
	return out, err
}

// blob is a file of a commit.
type blob struct{ id, path string }

// blobs lists the regular files of a commit. Links and submodules are no part of what is read.
func blobs(dir, commit string) ([]blob, error) {
	out, err := output(git(dir, "ls-tree", "-r", "-z", "--full-tree", commit, "--"))
	if err != nil {
		return nil, err
	}
	var list []blob
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		head, name, _ := strings.Cut(entry, "\t") // "100644 blob ID"
		f := strings.Fields(head)
		if len(f) == 3 && strings.HasPrefix(f[0], "100") && wanted(name) {
			list = append(list, blob{f[2], name})
		}
	}
	return list, nil
}

// media are the endings of what is neither source nor build file.
var media = strings.Fields(".png .jpg .jpeg .gif .bmp .ico .zip .7z .gz .xz .cab .exe .dll .sys .lib .pdb .obj .pdf .doc .docx .wav .mp4 .ttf")

func wanted(name string) bool {
	ending := strings.ToLower(path.Ext(name))
	return !slices.Contains(media, ending)
}

// checkout writes the files of a commit into a new directory, byte for byte as they are committed, and names those that
// the repository does not hold.
func checkout(dir, commit, into string) (missing []string, err error) {
	list, err := blobs(dir, commit)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(into, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(into) // a hostile tree may hold names with ".."
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var ids bytes.Buffer
	for _, b := range list {
		fmt.Fprintln(&ids, b.id)
	}
	cmd := git(dir, "cat-file", "--batch")
	cmd.Stdin = &ids
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	missing, err = extract(bufio.NewReader(out), list, root)
	if err != nil {
		cmd.Process.Kill()
	}
	return missing, errors.Join(err, cmd.Wait())
}

// extract reads what git cat-file --batch answers: "ID blob SIZE", the content and a newline; or "ID missing".
func extract(r *bufio.Reader, list []blob, root *os.Root) (missing []string, err error) {
	for _, b := range list {
		head, err := r.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("%s: git cat-file broke off: %w", b.path, err)
		}
		f := strings.Fields(head)
		if len(f) != 3 {
			missing = append(missing, b.path)
			continue
		}
		size, err := strconv.ParseInt(f[2], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: git cat-file said %q", b.path, head)
		}
		if size > maxFile {
			missing = append(missing, b.path)
			if _, err := io.CopyN(io.Discard, r, size+1); err != nil {
				return nil, err
			}
			continue
		}
		data := make([]byte, size+1)
		if _, err := io.ReadFull(r, data); err != nil {
			return nil, err
		}
		if err := place(root, b.path, data[:size]); err != nil {
			return nil, err
		}
	}
	return missing, nil
}

func place(root *os.Root, name string, data []byte) error {
	name = filepath.FromSlash(name)
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return root.WriteFile(name, data, 0o644)
}
