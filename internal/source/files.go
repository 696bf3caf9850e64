package source

import (
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

// get looks a header up in a directory: nil where it is not there, an error where it is and can't be read.
func (fs *files) get(dir, name string) (*file, error) {
	p, ok := fs.tree.Find(fs.tree.Join(dir, name))
	if !ok {
		return nil, nil
	}
	f, err := fs.load(p)
	if err != nil && len(fs.tree.List(p)) > 0 { // a directory of that name
		err = nil
	}
	return f, err
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
	if err != nil {
		return nil, err
	}
	return readText(p, path.Dir(p), data)
}
