// Package edit changes files by byte ranges, shows the change as a unified diff, and writes all of it or nothing.
package edit

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/aymanbagabas/go-udiff"
)

// Edit replaces the bytes [Start, End) of a file.
type Edit struct {
	Path       string
	Start, End int
	New        string
}

// Change is one file before and after. Old is nil, and not only empty, for a file that is to be made.
type Change struct {
	Path     string
	Old, New []byte
}

// Creates says whether the file is to be made.
func (c Change) Creates() bool { return c.Old == nil }

// Apply makes the edits, given in any order, in the files that read returns, and gives the changed files by path.
// Equal edits count once; different ones in one place stand in the order given. Overlapping ones, and ranges outside the file, are an error.
func Apply(read func(path string) ([]byte, error), edits []Edit) ([]Change, error) {
	seen := map[Edit]bool{}
	edits = slices.DeleteFunc(slices.Clone(edits), func(e Edit) bool {
		again := seen[e]
		seen[e] = true
		return again
	})
	slices.SortStableFunc(edits, func(a, b Edit) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	})
	var changes []Change
	for len(edits) > 0 {
		p := edits[0].Path
		n := 1
		for n < len(edits) && edits[n].Path == p {
			n++
		}
		old, err := read(p)
		if err != nil {
			return nil, err
		}
		if bytes.HasPrefix(old, []byte("\xff\xfe")) || bytes.HasPrefix(old, []byte("\xfe\xff")) {
			return nil, fmt.Errorf("%s: it is in UTF-16, which is read but not edited: save it as UTF-8", p)
		}
		text, err := splice(old, edits[:n])
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(old, text) {
			changes = append(changes, Change{p, old, text})
		}
		edits = edits[n:]
	}
	return changes, nil
}

func splice(old []byte, edits []Edit) ([]byte, error) {
	var text []byte
	at := 0
	for _, e := range edits {
		if e.Start < at || e.End < e.Start || e.End > len(old) {
			return nil, fmt.Errorf("%s: edit of bytes %d to %d overlaps another or lies outside the file", e.Path, e.Start, e.End)
		}
		text = append(text, old[at:e.Start]...)
		text = append(text, e.New...)
		at = e.End
	}
	return append(text, old[at:]...), nil
}

// Diff gives the changes as one unified diff that git apply accepts, files in order of path.
func Diff(changes []Change) string {
	var b strings.Builder
	for _, c := range changes {
		name := strings.TrimPrefix(c.Path, "/") // of a file outside the working directory
		from := label("a/" + name)
		if c.Creates() {
			from = "/dev/null"
		}
		b.WriteString(unified(from, label("b/"+name), string(c.Old), string(c.New)))
	}
	return b.String()
}

// label writes a name as git does: quoted where it could be taken for more than a name, and with a tab behind it where
// patch would take it up to the first blank otherwise.
func label(name string) string {
	if !strings.ContainsFunc(name, unicode.IsControl) {
		if strings.Contains(name, " ") {
			name += "\t"
		}
		return name
	}
	var b strings.Builder
	for _, c := range []byte(name) {
		switch {
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(c))
		default:
			b.WriteByte(c)
		}
	}
	return `"` + b.String() + `"`
}

// unified gives the diff of one file. The library counts the lines of the new file wrongly where a hunk holds several
// changes; git apply -R goes by them, and would look for what to undo in the wrong place.
func unified(from, to, old, text string) string {
	u, _ := udiff.ToUnifiedDiff(from, to, old, udiff.Lines(old, text), udiff.DefaultContextLines) // fails on edits that overlap only
	grown := 0
	for _, h := range u.Hunks {
		h.ToLine = h.FromLine + grown
		for _, l := range h.Lines {
			switch l.Kind {
			case udiff.Insert:
				grown++
			case udiff.Delete:
				grown--
			}
		}
	}
	return u.String()
}

// MovedLines gives for each line of a new text the one of the old text that it was. Of lines that a change replaces by more, the
// last are those that were there: what it adds to a statement stands in front of it.
func MovedLines(c Change) map[int]int {
	lines := map[int]int{}
	was, is := 1, 1
	text := string(c.Old)
	at := 0
	keep := func(end int) {
		for range lineCount(text[at:end]) {
			lines[is] = was
			was, is = was+1, is+1
		}
	}
	for _, e := range udiff.Lines(text, string(c.New)) {
		keep(e.Start)
		old, added := lineCount(text[e.Start:e.End]), lineCount(e.New)
		for k := 1; k <= min(old, added); k++ {
			lines[is+added-k] = was + old - k
		}
		was, is, at = was+old, is+added, e.End
	}
	keep(len(text))
	return lines
}

// lineCount counts lines, the last of them without an end, too.
func lineCount(s string) int {
	n := strings.Count(s, "\n")
	if s != "" && !strings.HasSuffix(s, "\n") {
		n++
	}
	return n
}
