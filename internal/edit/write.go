package edit

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A write goes through these steps, and each is on disk before the next begins:
//
//  1. the journal names the files, with a hash of what they hold and of what they are to hold
//  2. beside each file stand its new text and its old one, and the journal says "staged"
//  3. each new text is renamed over its file
//  4. the journal says "done"
//  5. the old texts are removed, and last the journal
//
// Whoever finds a journal that says "staged" and not "done" puts the old texts back, and notes "restored": so does a step that
// fails, and so does Recover after a write that was killed. A new text that is still there tells that its file was not replaced.
// A file that is to be made has no old text: instead of the hash of one its line has zeros, and it is put back by its removal.
// A write in several directories has a journal in each, with one token: none says "done" before all files of all are replaced.

// Write replaces all files, or none; each must lie in one of the roots, and keeps its mode. A file that no longer holds
// c.Old stops the whole, and one that is to be made and is there already. Of a file with several names (hard links) only the one that was named changes.
func Write(roots []string, changes []Change) error {
	return writeBy(roots, changes, func() error { return nil })
}

// writeBy calls step before each thing that is changed on disk, and takes its error for that of the change.
func writeBy(roots []string, changes []Change, step func() error) error {
	all, err := transactions(roots, changes, step)
	defer func() {
		for _, t := range all {
			t.close()
		}
	}()
	if err != nil {
		return fmt.Errorf("nothing was written: %w", err)
	}
	for _, phase := range []func(*transaction) error{
		(*transaction).check, (*transaction).open, (*transaction).stage, (*transaction).replace,
	} {
		for _, t := range all {
			if err := phase(t); err != nil {
				return fmt.Errorf("nothing was written: %w", errors.Join(err, undo(all)))
			}
		}
	}
	for i, t := range all {
		if err := t.mark(done); err != nil && i == 0 { // the first journal says for all that all is written
			return fmt.Errorf("nothing was written: %w", errors.Join(err, undo(all)))
		}
	}
	for _, t := range slices.Backward(all) { // the first tells of the others as long as there is one
		t.clean() // what can't be removed now is removed by the next run
	}
	return nil
}

// transactions groups the changes by root. Of roots that hold one another the outermost counts.
func transactions(roots []string, changes []Change, step func() error) ([]*transaction, error) {
	var all []*transaction
	of := map[string]*transaction{}
	token := rand.Text()[:8] // of all, by which Recover tells that they belong together
	for _, c := range changes {
		if bytes.Equal(c.Old, c.New) {
			continue
		}
		dir, name, err := locate(roots, c.Path)
		if err != nil {
			return all, err
		}
		t := of[dir]
		if t == nil {
			if t, err = newTransaction(dir, step); err != nil {
				return all, err
			}
			t.token = token
			of[dir] = t
			all = append(all, t)
		}
		e := entry{path: name, new: sha256.Sum256(c.New)}
		if !c.Creates() {
			e.old = sha256.Sum256(c.Old)
		}
		t.files = append(t.files, e)
		t.texts = append(t.texts, c.New)
	}
	return all, nil
}

func locate(roots []string, path string) (dir, name string, err error) {
	abs, err := filepath.Abs(filepath.FromSlash(path))
	if err != nil {
		return "", "", err
	}
	shortest := 0
	for _, root := range roots {
		top, err := filepath.Abs(filepath.FromSlash(root))
		if err != nil {
			return "", "", err
		}
		if rel, err := filepath.Rel(top, abs); err == nil && filepath.IsLocal(rel) && (dir == "" || len(top) < shortest) {
			dir, name, shortest = root, filepath.ToSlash(rel), len(top)
		}
	}
	if dir == "" {
		return "", "", fmt.Errorf("%s: lies outside of what was named", path)
	}
	return dir, name, nil
}

// transaction is the write of the files below one directory. All goes through root: a symbolic link that leads out of
// the directory is an error.
type transaction struct {
	dir     string
	root    *os.Root
	journal *journal // nil until it is open
	token   string   // makes the names of what is staged
	files   []entry
	texts   [][]byte // the new ones, of files
	// What the journal says.
	staged, done, restored bool
	step                   func() error
}

type entry struct {
	path     string // with slashes, relative to the directory
	old, new [sha256.Size]byte
}

// made says whether the file was not there before.
func (e entry) made() bool { return e.old == [sha256.Size]byte{} }

func newTransaction(dir string, step func() error) (*transaction, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &transaction{dir: dir, root: root, step: step}, nil
}

func (t *transaction) close() {
	if t.journal != nil {
		t.journal.Close()
	}
	t.root.Close()
}

// beside names a file next to the i-th: "new" or "old" of it.
func (t *transaction) beside(i int, what string) string {
	return filepath.ToSlash(filepath.Join(filepath.Dir(t.files[i].path), fmt.Sprintf(".nxport-%s-%d.%s", t.token, i, what)))
}

// at names a file in an error.
func (t *transaction) at(name string, err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		err = pe.Err
	case errors.As(err, &le):
		err = le.Err
	}
	return fmt.Errorf("%s: %w", filepath.ToSlash(filepath.Join(t.dir, filepath.FromSlash(name))), err)
}

// check finds what would stop the write before anything is made.
func (t *transaction) check() error {
	for _, f := range t.files {
		info, err := t.root.Lstat(f.path)
		switch {
		case f.made(): // unchanged looks whether it is there
		case err != nil:
			return t.at(f.path, err)
		case info.Mode()&fs.ModeSymlink != 0:
			return t.at(f.path, errors.New("a symbolic link is not written through"))
		case info.Mode().Perm()&0o200 == 0:
			return t.at(f.path, fmt.Errorf("%w: the file is read-only", fs.ErrPermission))
		}
		if err := t.unchanged(f); err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) unchanged(f entry) error {
	if f.made() {
		if _, err := t.root.Lstat(f.path); !errors.Is(err, fs.ErrNotExist) {
			return t.at(f.path, cmp.Or(err, errors.New("made since the tree was read: run the port again")))
		}
		return nil
	}
	now, err := t.sum(f.path)
	if err == nil && now != f.old {
		err = errors.New("changed since it was read: run the port again")
	}
	if err != nil {
		return t.at(f.path, err)
	}
	return nil
}

// sum hashes a regular file.
func (t *transaction) sum(name string) (sum [sha256.Size]byte, err error) {
	if info, err := t.root.Lstat(name); err != nil {
		return sum, err
	} else if !info.Mode().IsRegular() { // reading another may never end
		return sum, errors.New("no regular file")
	}
	f, err := t.root.Open(name)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return [sha256.Size]byte(h.Sum(nil)), err
}

func (t *transaction) stage() error {
	for i, f := range t.files {
		if f.made() {
			if err := t.create(t.beside(i, "new"), t.texts[i], 0o644); err != nil {
				return err
			}
			continue
		}
		info, err := t.root.Lstat(f.path)
		if err != nil {
			return t.at(f.path, err)
		}
		if err := t.create(t.beside(i, "new"), t.texts[i], info.Mode().Perm()); err != nil {
			return err
		}
		if err := t.keep(i, info.Mode().Perm()); err != nil {
			return err
		}
	}
	t.sync()
	if err := t.mark(staged); err != nil {
		return err
	}
	t.staged = true
	return nil
}

// keep gives the old text a second name, by which it can be put back with all that belongs to it; a file system
// without hard links gets a copy.
func (t *transaction) keep(i int, mode fs.FileMode) error {
	if err := t.step(); err != nil {
		return t.at(t.files[i].path, err)
	}
	if t.root.Link(t.files[i].path, t.beside(i, "old")) == nil {
		return nil
	}
	text, err := t.root.ReadFile(t.files[i].path)
	if err != nil {
		return t.at(t.files[i].path, err)
	}
	return t.create(t.beside(i, "old"), text, mode)
}

func (t *transaction) create(name string, text []byte, mode fs.FileMode) error {
	if err := t.step(); err != nil {
		return t.at(name, err)
	}
	f, err := t.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrPermission) {
		return t.at(filepath.Dir(name), fmt.Errorf("no file can be made in this directory: %w", fs.ErrPermission))
	}
	if err != nil {
		return t.at(name, err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return t.at(name, err)
	}
	return nil
}

func (t *transaction) replace() error {
	for i, f := range t.files {
		if err := t.unchanged(f); err != nil {
			return err
		}
		if err := t.rename(t.beside(i, "new"), f.path); err != nil {
			return err
		}
	}
	t.sync()
	return nil
}

func (t *transaction) rename(from, to string) error {
	err := t.step()
	if err == nil {
		err = t.root.Rename(from, to)
	}
	if err != nil {
		return t.at(to, err)
	}
	return nil
}

// undo puts back what all transactions replaced.
func undo(all []*transaction) error {
	var errs []error
	for _, t := range all {
		if t.journal == nil {
			continue // it has made nothing yet
		}
		if _, err := t.putBack(); err != nil {
			errs = append(errs, fmt.Errorf("but files could not be put back: %w", err))
			continue
		}
		t.clean()
	}
	return errors.Join(errs...)
}

// putBack gives the files that were replaced their old text again, and names them. Where one was changed since, it touches
// none.
func (t *transaction) putBack() ([]string, error) {
	if !t.staged {
		return nil, nil
	}
	var back []int
	var errs []error
	for i, f := range t.files {
		if _, err := t.root.Lstat(t.beside(i, "new")); err == nil {
			continue // it was not replaced
		}
		now, err := t.sum(f.path)
		if f.made() {
			switch {
			case errors.Is(err, fs.ErrNotExist): // it is removed again
			case err == nil && now == f.new:
				back = append(back, i)
			default:
				errs = append(errs, t.at(f.path, fmt.Errorf("changed since the port that made it was interrupted: "+
					"settle that, then remove %s", filepath.Join(t.dir, Journal))))
			}
			continue
		}
		kept, kerr := t.sum(t.beside(i, "old"))
		switch {
		case err == nil && now == f.old:
		case err == nil && now == f.new && kerr == nil && kept == f.old:
			back = append(back, i)
		default:
			errs = append(errs, t.at(f.path, fmt.Errorf("changed since a port of it was interrupted; what it held before is in %s "+
				"beside it: settle that, then remove %s", filepath.Base(t.beside(i, "old")), filepath.Join(t.dir, Journal))))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	var names []string
	for _, i := range back {
		if t.files[i].made() {
			if err := t.remove(t.files[i].path); err != nil {
				return nil, err
			}
			names = append(names, t.files[i].path)
			continue
		}
		if err := t.rename(t.beside(i, "old"), t.files[i].path); err != nil {
			return nil, err
		}
		names = append(names, t.files[i].path)
	}
	t.sync()
	return names, t.mark(restored)
}

// sync has the names in the directories written to disk. Not every system can; then they are written when it likes.
func (t *transaction) sync() {
	dirs := []string{"."}
	for _, f := range t.files {
		dirs = append(dirs, filepath.Dir(f.path))
	}
	slices.Sort(dirs)
	for _, dir := range slices.Compact(dirs) {
		if d, err := t.root.Open(dir); err == nil {
			d.Sync()
			d.Close()
		}
	}
}

// clean removes what was staged, and last the journal.
func (t *transaction) clean() error {
	for i := range t.files {
		for _, what := range []string{"new", "old"} {
			if err := t.remove(t.beside(i, what)); err != nil {
				return err
			}
		}
	}
	err := t.remove(Journal)
	if err != nil { // Windows removes no file that is open; the next to lock it would do what is done here
		t.journal.Close()
		err = t.remove(Journal)
	}
	return err
}

func (t *transaction) remove(name string) error {
	err := t.step()
	if err == nil {
		err = t.root.Remove(name)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return t.at(name, err)
	}
	return nil
}

// short gives a few of the names.
func short(names []string) string {
	if len(names) > 5 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:5], ", "), len(names)-5)
	}
	return strings.Join(names, ", ")
}
