// Package tree is how every room reads files: size limits, case-insensitive lookup, and an overlay of text that is
// not on disk yet. Paths use forward slashes and are relative to the working directory, or absolute outside it.
package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Limits on what is read: a hostile tree must not exhaust memory.
const (
	maxFile  = 64 << 20 // bytes of one file
	maxFiles = 500_000  // files of one walk
)

// Tree reads files. It is safe for use by several goroutines.
type Tree struct {
	roots   []string
	overlay map[string][]byte
	disk    *disk
}

// disk remembers what was read, so that a second round of a port reads nothing twice.
type disk struct {
	mu    sync.Mutex
	cwd   string
	files map[string]file
	dirs  map[string]map[string]string // directory -> lower-case name -> name as it stands
	// outside are the files that were read and lie outside of what was named.
	outside []string
	// unread are the directories that a walk could not read, and what is neither a file nor a directory.
	unread map[string]error
}

type file struct {
	data []byte
	err  error
}

// New returns a tree for the named files and directories. Each of them must exist.
func New(named []string) (*Tree, error) {
	cwd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	t := &Tree{disk: &disk{cwd: filepath.ToSlash(cwd), files: map[string]file{}, dirs: map[string]map[string]string{}, unread: map[string]error{}}}
	for _, n := range named {
		root, err := t.rootOf(n)
		if err != nil {
			return nil, err
		}
		t.roots = append(t.roots, root)
	}
	return t, nil
}

// rootOf is the directory that a port of the named path may write in: the checkout that holds it, else the directory
// itself or, of a file, the one it is in.
func (t *Tree) rootOf(named string) (string, error) {
	info, err := os.Stat(named)
	if err != nil {
		return "", shorten(named, err)
	}
	if !info.IsDir() {
		named = filepath.Dir(named)
	}
	if dir, ok := t.Checkout(named); ok {
		return dir, nil
	}
	abs, err := filepath.Abs(named)
	return t.Clean(abs), err
}

// Checkout gives the nearest directory with a .git in it, from the named directory on upwards.
func (t *Tree) Checkout(named string) (string, bool) {
	dir := filepath.FromSlash(t.absolute(t.Clean(named)))
	for {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			return t.Clean(dir), true
		}
		if dir == filepath.Dir(dir) {
			return "", false
		}
		dir = filepath.Dir(dir)
	}
}

// With returns the same tree with some files' text replaced.
func (t *Tree) With(overlay map[string][]byte) *Tree {
	return &Tree{roots: t.roots, overlay: overlay, disk: t.disk}
}

// Clean gives a path the form that all rooms use.
func (t *Tree) Clean(p string) string {
	p = path.Clean(strings.ReplaceAll(filepath.ToSlash(p), `\`, "/"))
	if p == ".." || strings.HasPrefix(p, "../") { // may lead back into the working directory
		p = path.Join(t.disk.cwd, p)
	}
	if !path.IsAbs(p) && !filepath.IsAbs(p) {
		return p
	}
	if p == t.disk.cwd {
		return "."
	}
	if rest, ok := strings.CutPrefix(p, strings.TrimSuffix(t.disk.cwd, "/")+"/"); ok {
		return rest
	}
	return p
}

// Join resolves ref, in the spelling of a build file or an include directive, against a directory.
func (t *Tree) Join(dir, ref string) string {
	ref = strings.ReplaceAll(ref, `\`, "/")
	if path.IsAbs(ref) || len(ref) > 1 && ref[1] == ':' {
		return t.Clean(ref)
	}
	return t.Clean(path.Join(dir, ref))
}

// Roots are the directories that a port may write in.
func (t *Tree) Roots() []string { return t.roots }

// Within says whether path lies in what was named, and so may be written.
func (t *Tree) Within(p string) bool {
	p = t.absolute(p)
	return slices.ContainsFunc(t.roots, func(root string) bool {
		root = t.absolute(root)
		return p == root || strings.HasPrefix(p, strings.TrimSuffix(root, "/")+"/")
	})
}

func (t *Tree) absolute(p string) string {
	if path.IsAbs(p) || filepath.IsAbs(p) {
		return p
	}
	return path.Join(t.disk.cwd, p)
}

// Read returns the bytes of a file; they must not be changed. A file that is no regular file or is larger than
// 64 MiB is an error, which names it.
func (t *Tree) Read(p string) ([]byte, error) {
	if data, ok := t.overlay[p]; ok {
		return data, nil
	}
	d := t.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	f, ok := d.files[p]
	if !ok {
		f.data, f.err = readFile(filepath.FromSlash(p), &bytes.Buffer{})
		d.files[p] = f
		if f.err == nil && !t.Within(p) {
			d.outside = append(d.outside, p)
		}
	}
	return f.data, f.err
}

// ReadOnce is Read for a file that is not asked for again: what it holds is not kept.
func (t *Tree) ReadOnce(p string) ([]byte, error) { return t.ReadInto(&bytes.Buffer{}, p) }

// ReadInto is ReadOnce with room for what the file holds, which is then valid until the buffer is used again.
func (t *Tree) ReadInto(b *bytes.Buffer, p string) ([]byte, error) {
	data, ok := t.overlay[p]
	if ok {
		return data, nil
	}
	d := t.disk
	d.mu.Lock()
	f, ok := d.files[p]
	d.mu.Unlock()
	if ok {
		return f.data, f.err
	}
	data, err := readFile(filepath.FromSlash(p), b)
	if err == nil && !t.Within(p) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if !slices.Contains(d.outside, p) {
			d.outside = append(d.outside, p)
		}
	}
	return data, err
}

// Outside gives the files read so far that lie outside of what was named, sorted: what build files import and sources
// include.
func (t *Tree) Outside() []string {
	t.disk.mu.Lock()
	defer t.disk.mu.Unlock()
	return slices.Sorted(slices.Values(t.disk.outside))
}

func readFile(name string, b *bytes.Buffer) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, shorten(name, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: no regular file", filepath.ToSlash(name))
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s: %d bytes, more than the %d that are read of one file", filepath.ToSlash(name), info.Size(), maxFile)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, shorten(name, err)
	}
	defer f.Close()
	b.Reset()
	b.Grow(int(info.Size()) + bytes.MinRead) // all of it without growing
	_, err = b.ReadFrom(io.LimitReader(f, maxFile))
	return b.Bytes(), shorten(name, err)
}

// shorten gives "path: reason" without the system call, nil for nil.
func shorten(name string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", filepath.ToSlash(name), err)
}

// IsBinary says whether data looks like no text: it has a NUL byte near its beginning and no UTF-16 byte order mark.
func IsBinary(data []byte) bool {
	if IsUTF16(data) {
		return false
	}
	return bytes.IndexByte(data[:min(len(data), 8192)], 0) >= 0
}

// Find looks a file up without regard to case, as Windows does, and returns its path as it stands on disk.
func (t *Tree) Find(p string) (string, bool) {
	if _, ok := t.overlay[p]; ok {
		return p, true
	}
	d := t.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.find(p)
}

func (d *disk) find(p string) (string, bool) {
	dir, name := path.Split(p)
	if name == "" || name == "." || name == ".." {
		return p, true
	}
	dir = path.Clean(dir)
	if _, ok := d.list(dir)[strings.ToLower(name)]; !ok && dir != "." && dir != "/" {
		found, ok := d.find(dir)
		if !ok {
			return "", false
		}
		dir = found
	}
	actual, ok := d.list(dir)[strings.ToLower(name)]
	return path.Join(dir, actual), ok
}

// list reads a directory once. Of two names that differ in case only, the one that sorts first is taken.
func (d *disk) list(dir string) map[string]string {
	if names, ok := d.dirs[dir]; ok {
		return names
	}
	names := map[string]string{}
	entries, _ := os.ReadDir(filepath.FromSlash(dir)) // a directory that is not there holds no file
	for _, e := range entries {
		if lower := strings.ToLower(e.Name()); names[lower] == "" {
			names[lower] = e.Name()
		}
	}
	d.dirs[dir] = names
	return names
}

// Holds says whether there is anything in a directory.
func (t *Tree) Holds(dir string) bool {
	for p := range t.overlay {
		if dir == "." && !path.IsAbs(p) || strings.HasPrefix(p, dir+"/") {
			return true
		}
	}
	d := t.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	found, ok := d.find(dir)
	return ok && len(d.list(found)) > 0
}

// List returns the names in a directory, sorted; of one that can't be read, none.
func (t *Tree) List(dir string) []string {
	d := t.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Values(d.list(dir)))
}

// unread keeps a directory or something else that can't be read.
func (t *Tree) unread(p string, err error) {
	t.disk.mu.Lock()
	defer t.disk.mu.Unlock()
	p = t.Clean(p)
	t.disk.unread[p] = shorten(p, err)
}

// Unread gives the directories and special files that walks so far could not read, with the errors, which name them.
func (t *Tree) Unread() map[string]error {
	t.disk.mu.Lock()
	defer t.disk.mu.Unlock()
	return maps.Clone(t.disk.unread)
}

// Walk returns the regular files below a named directory, sorted, or the named file itself. It enters no symbolic
// link and no directory whose name begins with a dot. Pipes, devices and sockets count as not read.
func (t *Tree) Walk(named string) ([]string, error) {
	var files []string
	if info, err := os.Stat(named); err == nil && info.IsDir() {
		named = strings.TrimSuffix(named, string(filepath.Separator)) + string(filepath.Separator) // follows a link
	}
	err := filepath.WalkDir(named, func(p string, e fs.DirEntry, err error) error {
		switch {
		case err != nil && p == named:
			return shorten(named, err)
		case err != nil:
			t.unread(p, err) // and goes on as if the directory were empty
			return nil
		case e.IsDir() && p != named && strings.HasPrefix(e.Name(), "."):
			return fs.SkipDir
		case e.Type().IsRegular():
			files = append(files, t.Clean(p))
		case e.Type()&(fs.ModeNamedPipe|fs.ModeDevice|fs.ModeSocket) != 0: // reading one may never end
			t.unread(p, errors.New("no regular file"))
		}
		if len(files) > maxFiles {
			return fmt.Errorf("%s: more than %d files: name a smaller directory", named, maxFiles)
		}
		return nil
	})
	slices.Sort(files)
	return files, err
}
