package source

import (
	"bytes"
	"fmt"
	"path"
	"sync"

	"github.com/nxport/nxport/internal/tree"
)

// files lexes every file once, whatever number of units includes it.
type files struct {
	tree *tree.Tree
	mu   sync.Mutex
	open map[string]*lexed
}

type lexed struct {
	once sync.Once
	file *file
	err  error
}

// get looks a header up in a directory. A file that is there and can't be read counts as missing.
func (fs *files) get(dir, name string) (*file, bool) {
	p, ok := fs.tree.Find(fs.tree.Join(dir, name))
	if !ok {
		return nil, false
	}
	f, err := fs.load(p)
	return f, err == nil
}

func (fs *files) load(p string) (*file, error) {
	fs.mu.Lock()
	l := fs.open[p]
	if l == nil {
		l = &lexed{}
		fs.open[p] = l
	}
	fs.mu.Unlock()
	l.once.Do(func() { l.file, l.err = fs.read(p) })
	return l.file, l.err
}

func (fs *files) read(p string) (*file, error) {
	data, err := fs.tree.Read(p)
	switch {
	case err != nil:
		return nil, err
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return nil, fmt.Errorf("%s: UTF-16 text is not read yet: save it as UTF-8", p)
	case tree.IsBinary(data):
		return nil, fmt.Errorf("%s: offset %d: a NUL byte: this is no source text", p, bytes.IndexByte(data, 0))
	}
	return newFile(p, path.Dir(p), data), nil
}
