package edit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Journal is the name of the file that stands at the top of a tree while a port is written there.
const Journal = ".nxport-journal"

const (
	header     = "nxport journal 1 "
	staged     = "staged"
	done       = "done"
	restored   = "restored" // what was replaced is put back
	maxJournal = 16 << 20   // bytes; a port of 50,000 files has one of 10 MB
)

var errNoJournal = errors.New("no journal of nxport, though it has that name: remove it")

var token = regexp.MustCompile(`^[A-Z2-7]{8}$`)

// journal is locked while it is open: another port waits for its end. The system frees the lock of one that was killed.
type journal struct{ *lockedfile.File }

// openJournal locks the journal in the transaction's directory.
func (t *transaction) openJournal(flag int) error {
	f, err := lockedfile.OpenFile(filepath.Join(t.dir, Journal), os.O_RDWR|flag, 0o600)
	if err != nil {
		return t.at(Journal, err)
	}
	here, err := f.Stat()
	named, nerr := t.root.Lstat(Journal)
	if err != nil || nerr != nil || !os.SameFile(here, named) { // its port has ended meanwhile, or it is a symbolic link
		f.Close()
		return t.at(Journal, fs.ErrNotExist)
	}
	t.journal = &journal{f}
	return nil
}

// open makes the journal.
func (t *transaction) open() error {
	if err := t.step(); err != nil {
		return t.at(Journal, err)
	}
	err := t.openJournal(os.O_CREATE | os.O_EXCL)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return t.at(Journal, errors.New("another port writes here: run this one again when it has ended"))
	}
	if err != nil {
		return err
	}
	b := []byte(header + t.token + "\n")
	for _, f := range t.files {
		b = fmt.Appendf(b, "%x %x %q\n", f.old, f.new, f.path)
	}
	_, err = t.journal.Write(b)
	if err := errors.Join(err, t.journal.Sync()); err != nil {
		return t.at(Journal, err)
	}
	t.sync()
	return nil
}

// mark notes what is reached.
func (t *transaction) mark(what string) error {
	err := t.step()
	if err == nil {
		_, err = t.journal.Seek(0, io.SeekEnd)
	}
	if err == nil {
		_, err = t.journal.WriteString(what + "\n")
	}
	if err := errors.Join(err, t.journal.Sync()); err != nil {
		return t.at(Journal, err)
	}
	return nil
}

// Recover brings trees whose port was interrupted to where they were before, or, if all was written, removes what the port left
// behind. It says of each directory what it did: nothing where there is no journal. Of one port in several directories, all that are
// given are put back, or none.
func Recover(dirs []string) ([]string, error) {
	return recoverBy(dirs, func() error { return nil })
}

// recoverBy is to Recover what writeBy is to Write.
func recoverBy(dirs []string, step func() error) ([]string, error) {
	says := make([]string, len(dirs))
	all := make([]*transaction, len(dirs))
	defer func() {
		for _, t := range all {
			if t != nil {
				t.close()
			}
		}
	}()
	ended := map[string]bool{} // by token: one that says "done" tells that all was written
	for i, dir := range dirs {
		t, err := newTransaction(dir, step)
		if err != nil {
			return says, err
		}
		all[i] = t
		if err := t.load(); err != nil {
			return says, err
		}
		ended[t.token] = ended[t.token] || t.done
	}
	var order []int // those that say "done" last: they tell of the others as long as there is one
	for i, t := range all {
		switch {
		case t.journal == nil:
		case t.done:
			order = append(order, i)
		default:
			order = slices.Insert(order, 0, i)
		}
	}
	for _, i := range order {
		var err error
		if says[i], err = all[i].settle(ended[all[i].token]); err != nil {
			return says, err
		}
	}
	return says, nil
}

// load locks and reads the journal of an interrupted port, if there is one.
func (t *transaction) load() error {
	info, err := t.root.Lstat(Journal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxJournal {
		return t.at(Journal, errNoJournal)
	}
	if err := t.openJournal(0); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if err := t.read(); err != nil {
		return t.at(Journal, err)
	}
	return nil
}

// settle puts back what a port replaced that had not ended, and removes what it left behind.
func (t *transaction) settle(finished bool) (string, error) {
	var back []string
	if !finished && !t.restored {
		var err error
		if back, err = t.putBack(); err != nil {
			return "", err
		}
	}
	if err := t.clean(); err != nil {
		return "", err
	}
	switch {
	case t.restored:
		return "a port here was interrupted and put back: what it left behind is removed", nil
	case finished:
		return "a port here was interrupted when it had ended: what it left behind is removed", nil
	case len(back) == 0:
		return "a port here was interrupted before it changed a file: what it left behind is removed", nil
	}
	return fmt.Sprintf("a port here was interrupted; put back as before: %s", short(back)), nil
}

// read takes in the journal as far as it was written. All in it may be forged: a path is used by way of root alone, a file
// is put back only for one with the hash of the new text, and the names of what is removed are made here.
func (t *transaction) read() error {
	data, err := io.ReadAll(io.LimitReader(t.journal, maxJournal))
	if err != nil {
		return err
	}
	whole := string(data[:bytes.LastIndexByte(data, '\n')+1])
	if whole == "" && (strings.HasPrefix(header, string(data)) || strings.HasPrefix(string(data), header)) {
		return nil // it was interrupted right away
	}
	seen := map[string]bool{}
	for i, line := range strings.Split(strings.TrimSuffix(whole, "\n"), "\n") {
		switch {
		case i == 0:
			t.token = strings.TrimPrefix(line, header)
			if !strings.HasPrefix(line, header) || !token.MatchString(t.token) {
				return errNoJournal
			}
		case line == staged:
			t.staged = true
		case line == done:
			t.done = true
		case line == restored: // also behind a "done" that came to the disk, though that was told as an error
			t.restored, t.done = true, false
		default:
			e, ok := parseEntry(line)
			if !ok || seen[e.path] || t.staged || t.done {
				return fmt.Errorf("line %d is none of a journal of nxport: look at the files it names, then remove it", i+1)
			}
			seen[e.path] = true
			t.files = append(t.files, e)
		}
	}
	return nil
}

func parseEntry(line string) (e entry, ok bool) {
	words := strings.SplitN(line, " ", 3)
	if len(words) != 3 || len(words[0]) != 2*sha256.Size || len(words[1]) != 2*sha256.Size {
		return e, false
	}
	_, err1 := hex.Decode(e.old[:], []byte(words[0]))
	_, err2 := hex.Decode(e.new[:], []byte(words[1]))
	path, err3 := strconv.Unquote(words[2])
	e.path = path
	return e, err1 == nil && err2 == nil && err3 == nil && filepath.IsLocal(filepath.FromSlash(path))
}
