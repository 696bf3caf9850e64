package source

import (
	"bytes"
	"hash/maphash"
	"slices"
	"sort"
	"sync"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/tree"
)

// file is a source file and those of its raw tokens that are of interest: directives and declarations.
type file struct {
	path    string
	dir     string
	size    int // bytes
	number  uint64
	wide    *tree.UTF16Map
	outline *outline
	virtual bool // text of the command line, say: it has no lines
	settled bool // what is of interest in it was chosen
	lost    bool // it could not be read again

	// What is lexed of it. The tokens end with newline, eof.
	mu         sync.Mutex
	lexed      bool
	text       string // of the tokens
	odd        []string
	tokens     []raw
	directives []directive
	guard      string  // a macro that, where it is defined, leaves nothing of the file
	cut        int     // the offset where reading stopped because there are too many tokens; 0 where it did not
	lines      []int32 // offsets of the lines' beginnings

	// What it holds, in UTF-8 or in an encoding of 8 bits, is read again where it is needed a second time.
	tree *tree.Tree
	data []byte
	held bool
}

// raw is a token of a file as it is kept, which is in a third of the room.
type raw struct {
	off, at int32  // in the file, and of its text in that of the file
	size    uint16 // of its text
	kind    kind
	flags   uint8
}

// oddSize is that of a token whose text is too long, or does not stand in that of the file: at is its index in a list.
const oddSize = 1<<16 - 1

func (f *file) spell(t *raw, text string) {
	t.size, t.at = oddSize, int32(len(f.odd))
	f.odd = append(f.odd, text)
}

func (f *file) textOf(t raw) string {
	if t.size == oddSize {
		return f.odd[t.at]
	}
	return f.text[t.at : t.at+int32(t.size)]
}

// token gives that of an index.
func (f *file) token(i int) token {
	t := &f.tokens[i]
	return token{kind: t.kind, flags: t.flags, off: t.off, file: f, text: f.textOf(*t)}
}

// list adds the tokens from one index up to another to a list.
func (f *file) list(to []token, from, end int) []token {
	to = slices.Grow(to, end-from)
	for i := from; i < end; i++ {
		to = append(to, f.token(i))
	}
	return to
}

// lineEnd gives the index of the newline that ends the line of token i.
func (f *file) lineEnd(i int) int {
	for f.tokens[i].kind != newline {
		i++
	}
	return i
}

// newText gives text that stands in no file of its own, such as a macro of the command line, all of it lexed.
func newText(path, dir, text string) *file {
	f := &file{path: path, dir: dir, data: []byte(text), size: len(text), virtual: true}
	f.number = maphash.String(digestSeed, path+"\x00"+text)
	f.lexWhole()
	return f
}

// lexWhole lexes all of a file whose text is at hand.
func (f *file) lexWhole() {
	f.keep(lex(f, f.data, []stretch{{start: 0, end: len(f.data)}}, nil), f.data)
}

// keep takes over what was lexed.
func (f *file) keep(tokens []raw, data []byte) {
	f.tokens, f.lexed = slices.Clone(tokens), true
	f.findDirectives()
	if f.lines == nil && !f.virtual {
		f.lines = countLines(data)
	}
}

// bytes gives what the file holds.
func (f *file) bytes() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reread()
}

// reread gives what the file holds, nothing where it can't be read any more or is another than it was.
func (f *file) reread() []byte {
	if f.data == nil && f.tree != nil {
		data, err := f.tree.ReadOnce(f.path)
		if err != nil || len(data) != f.size {
			return nil
		}
		return data
	}
	return f.data
}

// hold keeps what the file holds at hand, or forgets it.
func (f *file) hold(yes bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = yes
	f.drop()
}

func (f *file) drop() {
	if f.tree != nil && f.wide == nil && !f.held {
		f.data = nil
	}
}

func (f *file) place(off int) driver.Place {
	if f.virtual {
		return driver.Place{Path: f.path}
	}
	line := sort.Search(len(f.lines), func(i int) bool { return int(f.lines[i]) > off })
	start := int(f.lines[line-1])
	if f.wide != nil {
		off, start = f.wide.Original(f.data, off), f.wide.Original(f.data, start)
	}
	return driver.Place{Path: f.path, Line: line, Column: off - start + 1, Offset: off}
}

// countLines gives the offsets of the beginnings of lines.
func countLines(data []byte) []int32 {
	lines := make([]int32, 1, 1+bytes.Count(data, []byte("\n")))
	for i := 0; ; {
		n := bytes.IndexByte(data[i:], '\n')
		if n < 0 {
			return lines
		}
		i += n + 1
		lines = append(lines, int32(i))
	}
}
