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
	count    uint64    // of files
	found    []*file   // since the last settling
	headers  sync.Map  // from lookup to header: units ask for the same ones over and over
	buffers  sync.Pool // of *[]token, for the tokens of a unit, which live no longer than its reading
	defines  sync.Map  // from *project.Options to the macros that they define
	macros   sync.Pool // of map[string]*macro, for those of a unit
	raws     sync.Pool // of *[]raw, for those of a file while it is lexed
}

type opened struct {
	once sync.Once
	file *file
	err  error
}

func newFiles(t *tree.Tree, in *interest) *files {
	return &files{
		tree: t, interest: in, open: map[string]*opened{}, buffers: sync.Pool{New: func() any { return new([]token) }},
		raws: sync.Pool{New: func() any { return new([]raw) }}, macros: sync.Pool{New: func() any { return make(map[string]*macro, 512) }},
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
	data, err := fs.tree.ReadOnce(p)
	if err != nil {
		return nil, err
	}
	f, err := readText(p, path.Dir(p), data)
	if err != nil {
		return nil, err
	}
	f.tree, f.outline = fs.tree, skim(f.data)
	fs.mu.Lock()
	fs.found = append(fs.found, f)
	fs.count++
	f.number = fs.count
	fs.mu.Unlock()
	if fs.interest.uneven != nil { // a header from outside of what is accounted for, found while a unit is read
		fs.interest.choose(f)
		for i := range f.outline.macros {
			f.outline.macros[i].on = true
		}
		f.settled = true
	}
	return f, nil
}

// ready lexes what is wanted of a file, if that was not done since it was settled: most files of a tree are never
// asked for.
func (fs *files) ready(f *file) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lexed {
		return
	}
	data := f.reread()
	if f.lost = len(data) != f.size; f.lost {
		f.keep([]raw{{kind: newline}, {kind: eof}}, nil)
		return
	}
	buffer := fs.raws.Get().(*[]raw)
	*buffer = lex(f, data, f.outline.stretches(), *buffer)
	f.keep(*buffer, data)
	f.drop()
	fs.raws.Put(buffer)
}

// forget drops what the files hold: of most of them it is not needed again.
func (fs *files) forget() {
	for _, o := range fs.open {
		if o.file != nil {
			o.file.hold(false)
		}
	}
}

// asks says whether a file may mention a DDI.
func (fs *files) asks(f *file, known names) bool {
	mentions := func(c chunk) bool {
		return slices.ContainsFunc(c.mentions, func(n name) bool { return known.hashes[n] })
	}
	return slices.ContainsFunc(f.outline.chunks, mentions) || slices.ContainsFunc(f.outline.macros, mentions) ||
		slices.ContainsFunc(f.outline.asked, func(n name) bool { return known.hashes[n] })
}

// settle chooses what is of interest in all files, and gives those of which other parts are than before.
func (fs *files) settle() map[*file]bool {
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
		if fs.interest.choose(f) || !f.settled {
			changed[f], f.settled = true, true
		}
	}
	fs.interest.revive(list, changed)
	fs.interest.settled = fs.interest.mentions.copy()
	for f := range changed {
		f.lexed = false
	}
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
