package project

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/nxport/nxport/internal/tree"
)

// What the evaluation of one build file shares: parsed files, paths that were looked up, and the budget that bounds
// all its work.

// documents are the project files that one Load has parsed, each once for all projects that read it.
type documents struct {
	parsed map[string]document
	paths  *paths
	named  []*solution // that the user named
	// kitBuilds are what kitBuildOf gave for imports: the same stand in every project.
	kitBuilds map[string]int
}

// document is a parsed file, or the reason why it could not be.
type document struct {
	root *element
	err  error
}

// newDocuments begins with nothing parsed.
func newDocuments() *documents {
	return &documents{parsed: map[string]document{}, kitBuilds: map[string]int{}, paths: &paths{located: map[[2]string]location{},
		found: map[string]finding{}, directories: map[string]string{}, walks: map[string][]string{},
		solutions: map[string]*solution{}, solutionPaths: map[string]string{}, aboves: map[[2]string]finding{}}}
}

// reader reads the files of one build file's evaluations, each once, and bounds what they cost together.
type reader struct {
	tree *tree.Tree
	*documents
	reads  map[string]bool
	broken map[string]error // imports that can't be read
	budget int

	lastFiles []*file // that an evaluation has read, and what it needed
	lastNeeds needs
}

// maxWork bounds the evaluation of one build file in all its configurations: bytes expanded and elements visited.
// Real projects need well below a million; a hostile one could double a property without end.
const maxWork = 64 << 20

// newReader is for a kind of build file whose files are read for one build file only.
func newReader(t *tree.Tree) *reader { return readerOf(t, newDocuments()) }

// readerOf shares parsed files with the other build files of one Load; the budget is its own.
func readerOf(t *tree.Tree, d *documents) *reader {
	return &reader{tree: t, documents: d, reads: map[string]bool{}, broken: map[string]error{}, budget: maxWork}
}

// errWork is what is said of a build file whose budget is spent: half of an answer would be a guess.
var errWork = errors.New("the evaluation takes too much work")

// spend pays for work and says whether there is budget left.
//
// Every caller must stop, or give an unknown value, where it says no.
func (r *reader) spend(n int) bool {
	r.budget -= n + 1
	return r.budget > 0
}

// xml gives the root element of a project file.
func (r *reader) xml(p string) (*element, error) {
	d, ok := r.parsed[p]
	if !ok {
		d = r.parse(p)
		r.parsed[p] = d
	}
	r.reads[p] = true
	if d.err != nil {
		r.broken[p] = d.err
	}
	return d.root, d.err
}

// parse reads a project or a property sheet; both have the root element Project.
func (r *reader) parse(p string) document {
	data, err := r.tree.Read(p)
	if err != nil {
		return document{err: err}
	}
	root, err := parseXML(p, data)
	if err == nil && root.name != "Project" {
		err = fmt.Errorf("line 1: the root element is <%s>, not <Project>", root.name)
	}
	if err == nil {
		root.file.mentions = mentionsOf(root, "", false, nil)
	}
	return document{root, err}
}

// paths remembers what paths of build files lead to: the configurations of a project ask for the same.
type paths struct {
	located     map[[2]string]location
	found       map[string]finding
	directories map[string]string   // of files, absolute
	walks       map[string][]string // files below the directories where wildcards begin
	solutions   map[string]*solution
	// solutionPaths are those of the solutions that projects are built by, by the project's.
	solutionPaths map[string]string
	aboves        map[[2]string]finding // directories that hold a file, from a directory upwards
}

// location is a path as written, and in lower case as a key.
type location struct{ path, key string }

// finding is the spelling on disk; ok is false where nothing is there.
type finding struct {
	path string
	ok   bool
}

// locate resolves a name in a build file against a directory.
//
// A name may hold %XX escapes and any case, which projects mix for one file; the key is the same for all spellings.
func (p *paths) locate(t *tree.Tree, dir, name string) location {
	key := [2]string{dir, name}
	l, ok := p.located[key]
	if !ok {
		l.path = t.Join(dir, unescape(name))
		l.key = strings.ToLower(l.path)
		p.located[key] = l
	}
	return l
}

// find looks a file or directory up without regard to case.
func (p *paths) find(t *tree.Tree, name string) (string, bool) {
	f, ok := p.found[name]
	if !ok {
		f.path, f.ok = t.Find(name)
		p.found[name] = f
	}
	return f.path, f.ok
}

// directory gives the absolute directory of a file, as MSBuild has it.
func (p *paths) directory(file string) string {
	dir, ok := p.directories[file]
	if !ok {
		dir = absoluteDirectory(file)
		p.directories[file] = dir
	}
	return dir
}

// absoluteDirectory gives the absolute directory of a file.
func absoluteDirectory(file string) string { return path.Dir(absolutePath(file)) }

// absolutePath gives an absolute path with slashes, as CMake and make under MSYS write it.
func absolutePath(p string) string {
	abs, err := filepath.Abs(filepath.FromSlash(p))
	if err != nil {
		return p
	}
	return filepath.ToSlash(abs)
}
