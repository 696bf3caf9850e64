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
	maxJournal = 16 << 20 // bytes; a port of 50,000 files has one of 10 MB
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

// Recover brings a tree whose port was interrupted to where it was before, or, if all was written, removes what the port left
// behind. It says what it did; without a journal in dir it does nothing and says nothing.
func Recover(dir string) (string, error) {
	return recoverBy(dir, func() error { return nil })
}

// recoverBy is to Recover what writeBy is to Write.
func recoverBy(dir string, step func() error) (string, error) {
	t, err := newTransaction(dir, step)
	if err != nil {
		return "", err
	}
	defer t.close()
	info, err := t.root.Lstat(Journal)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxJournal {
		return "", t.at(Journal, errNoJournal)
	}
	if err := t.openJournal(0); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	finished, err := t.read()
	if err != nil {
		return "", t.at(Journal, err)
	}
	var back []string
	if !finished {
		if back, err = t.putBack(); err != nil {
			return "", err
		}
	}
	if err := t.clean(); err != nil {
		return "", err
	}
	switch {
	case finished:
		return "a port here was interrupted when it had ended: what it left behind is removed", nil
	case len(back) == 0:
		return "a port here was interrupted before it changed a file: what it left behind is removed", nil
	}
	return fmt.Sprintf("a port here was interrupted; put back as before: %s", short(back)), nil
}

// read takes in the journal as far as it was written. All in it may be forged: a path is used by way of root alone, a file
// is put back only for one with the hash of the new text, and the names of what is removed are made here.
func (t *transaction) read() (finished bool, err error) {
	data, err := io.ReadAll(io.LimitReader(t.journal, maxJournal))
	if err != nil {
		return false, err
	}
	whole := string(data[:bytes.LastIndexByte(data, '\n')+1])
	if whole == "" && (strings.HasPrefix(header, string(data)) || strings.HasPrefix(string(data), header)) {
		return false, nil // it was interrupted right away
	}
	seen := map[string]bool{}
	for i, line := range strings.Split(strings.TrimSuffix(whole, "\n"), "\n") {
		switch {
		case i == 0:
			t.token = strings.TrimPrefix(line, header)
			if !strings.HasPrefix(line, header) || !token.MatchString(t.token) {
				return false, errNoJournal
			}
		case line == staged:
			t.staged = true
		case line == done:
			return true, nil
		default:
			e, ok := parseEntry(line)
			if !ok || seen[e.path] || t.staged {
				return false, fmt.Errorf("line %d is none of a journal of nxport: look at the files it names, then remove it", i+1)
			}
			seen[e.path] = true
			t.files = append(t.files, e)
		}
	}
	return false, nil
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
