package source

import (
	"maps"
	"path"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/nxport/nxport/internal/tree"
)

// files skims and lexes every file once, whatever number of units includes it.
type files struct {
	tree     *tree.Tree
	interest *interest
	mu       sync.Mutex
	open     map[string]*opened
	found    []*file   // since the last settling
	headers  sync.Map  // from lookup to header: units ask for the same ones over and over
	buffers  sync.Pool // of *[]token, for the tokens of a unit, which live no longer than its reading
}

type opened struct {
	once sync.Once
	file *file
	err  error
}

func newFiles(t *tree.Tree, in *interest) *files {
	return &files{
		tree: t, interest: in, open: map[string]*opened{}, buffers: sync.Pool{New: func() any { return new([]token) }},
	}
}

// lookup is the question where a header of that name is in a directory.
type lookup struct{ dir, name string }

// get looks a header up in a directory: nil where it is not there, an error where it is and can't be read.
func (fs *files) get(dir, name string) (*file, error) {
	answer, ok := fs.headers.Load(lookup{dir, name})
	if !ok {
		f, err := fs.find(dir, name)
		answer, _ = fs.headers.LoadOrStore(lookup{dir, name}, header{f, err})
	}
	h := answer.(header)
	return h.file, h.err
}

// header is the answer to a lookup.
type header struct {
	file *file
	err  error
}

func (fs *files) find(dir, name string) (*file, error) {
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
	o := fs.open[p]
	if o == nil {
		o = &opened{}
		fs.open[p] = o
	}
	fs.mu.Unlock()
	o.once.Do(func() { o.file, o.err = fs.read(p) })
	return o.file, o.err
}

func (fs *files) read(p string) (*file, error) {
	data, err := fs.tree.Read(p)
	if err != nil {
		return nil, err
	}
	f, err := readText(p, path.Dir(p), data)
	if err != nil {
		return nil, err
	}
	f.outline = skim(f.data)
	fs.mu.Lock()
	fs.found = append(fs.found, f)
	fs.mu.Unlock()
	if fs.interest.uneven != nil { // a header from outside of what is accounted for, found while a unit is read
		fs.interest.choose(f)
		for i := range f.outline.macros {
			f.outline.macros[i].on = true
		}
		fs.lex(f)
	}
	return f, nil
}

// lex splits what is wanted of a file.
func (fs *files) lex(f *file) {
	buffer := fs.buffers.Get().(*[]token)
	f.tokens = lexOutline(f, buffer)
	fs.buffers.Put(buffer)
	f.macros = definitions(f.tokens)
}

// settle lexes what is of interest in all files, and gives those of which other parts are than before.
func (fs *files) settle(jobs int) map[*file]bool {
	fs.found = nil
	var list []*file
	for _, p := range slices.Sorted(maps.Keys(fs.open)) {
		if f := fs.open[p].file; f != nil {
			list = append(list, f)
		}
	}
	fs.interest.spread(list)
	changed := map[*file]bool{}
	for _, f := range list {
		if fs.interest.choose(f) || f.tokens == nil {
			changed[f] = true
		}
	}
	fs.interest.revive(list, changed)
	copy(fs.interest.settled, fs.interest.mentions)
	stale := slices.DeleteFunc(list, func(f *file) bool { return !changed[f] })
	each(jobs, stale, fs.lex)
	return changed
}

// each calls do for every one of a list, so many at a time.
func each[T any](jobs int, list []T, do func(T)) {
	var wait sync.WaitGroup
	var next atomic.Int64
	for range max(1, jobs) {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(list)); i = next.Add(1) - 1 {
				do(list[i])
			}
		})
	}
	wait.Wait()
}
