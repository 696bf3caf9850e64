package source

import (
	"sort"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// text notes how the call is written whose name is at i, whose parenthesis follows the token at last and is closed at end. Only
// the calls of routines that have a replacement are ever written anew.
func (f *function) text(c *call, body []token, i, last, end int, args [][]token) {
	if c.ddi == nil || c.ddi.Replacement == "" || c.ddi.Kind != nx.PoolType {
		return
	}
	name := body[i]
	if name.flags&joined != 0 || name.file == nil || name.file.virtual || name.file.wide != nil {
		return
	}
	t := driver.Call{Name: name.place()}
	closed := end < len(body) && inOnePiece(name, body[last+1], body[end])
	if closed {
		t.End = int(body[end].off)
	}
	for n, arg := range args {
		from, to, ok := extent(name, arg)
		ok = ok && closed && inOnePiece(name, from, body[end])
		decides := n+1 == c.ddi.Argument
		switch {
		case ok && decides:
			t.Start, t.Stop = int(from.off), int(to.off)+len(to.text)
		case ok && n == len(args)-1:
			t.End = int(to.off) + len(to.text)
		}
		if n < len(c.args) && decides {
			t.Constant = ofConstants(c.args[n].expr)
		} else if n < len(c.args) {
			t.Nothing = t.Nothing || isZero(c.args[n].expr)
		}
	}
	if f.texts == nil {
		f.texts = map[int]driver.Call{}
	}
	f.texts[i] = t
}

// inOnePiece says whether three tokens stand in this order in one file, or in the body of one macro, and no directive among them.
func inOnePiece(a, b, c token) bool {
	f := a.file
	if b.exp != a.exp || c.exp != a.exp || b.file != f || c.file != f || b.off <= a.off || c.off <= b.off || (b.flags|c.flags)&joined != 0 {
		return false
	}
	at := func(i int) int32 { return f.tokens[f.directives[i].at].off }
	i := sort.Search(len(f.directives), func(i int) bool { return at(i) > a.off })
	return i == len(f.directives) || at(i) > c.off
}

// ofConstants says whether an expression is made of constants alone.
func ofConstants(e *expr) bool {
	all := e != nil
	if all {
		e.leaves(func(leaf *expr) { all = all && leaf.kind == constantExpr })
	}
	return all
}

// isZero says whether an expression is a plain 0.
func isZero(e *expr) bool {
	return e != nil && e.kind == constantExpr && len(e.term.Tokens) == 0 && e.term.Bits == 0
}
