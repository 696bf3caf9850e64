package source

import (
	"slices"

	"github.com/nxport/nxport/internal/driver"
)

// ignore is a comment that suppresses something. One that its line begins with covers the statement that follows, or the
// definition of a macro; any other its own line.
type ignore struct {
	at, end int32 // offset of the comment, and of the last byte that it covers
	rules   []string
	reason  string
}

func newIgnore(data []byte, at, end, covers int) ignore {
	x := ignore{at: int32(at), end: int32(covers)}
	x.rules, x.reason = driver.ParseIgnore(string(data[at:end]))
	return x
}

// ignore notes the comment of n bytes at hand.
func (s *skimmer) ignore(n int) {
	end := s.pos + n
	covers := s.pos
	if s.lineStart {
		text := s.data[end:min(len(s.data), end+maxStatement)]
		if s.scanned += len(text); s.scanned > maxScanned {
			text = nil
		}
		covers = end + statementLen(text, true)
	}
	s.out.ignores = append(s.out.ignores, newIgnore(s.data, s.pos, end, covers))
}

// heard are the comments of a unit's files that stand in text which is compiled.
type heard map[*file][]bool

// skip notes on the way past text that is not compiled which comments stand in it.
func (o *open) skip(from, to int32) {
	list := o.file.outline.ignores
	first, _ := slices.BinarySearchFunc(list, from, func(x ignore, off int32) int { return int(x.at - off) })
	for i := first; i < len(list) && list[i].at < to; i++ {
		o.skipped = append(o.skipped, i)
	}
}

// hear takes the comments of a file that was read.
func (p *cpp) hear(o *open) {
	if o.file.outline == nil || len(o.file.outline.ignores) == 0 {
		return
	}
	n := len(o.file.outline.ignores)
	p.count += n
	if p.heard == nil {
		p.heard = heard{}
	}
	if p.heard[o.file] == nil {
		p.heard[o.file] = make([]bool, n)
	}
	skipped := o.skipped
	for i := range n {
		if len(skipped) > 0 && skipped[0] == i {
			skipped = skipped[1:]
			continue
		}
		p.heard[o.file][i] = true
	}
}

// ignored gives the suppressions that the comments are.
func (h heard) ignored() []driver.Suppression {
	var list []driver.Suppression
	for f, yes := range h {
		for i, x := range f.outline.ignores {
			if !yes[i] {
				continue
			}
			at := f.place(int(x.at))
			list = append(list, driver.Suppression{
				Place: at, Rules: x.rules, Reason: x.reason, Comment: true,
				Covers: []driver.Lines{{Path: f.path, From: at.Line, To: max(at.Line, f.place(int(x.end)).Line)}},
			})
		}
	}
	return list
}
