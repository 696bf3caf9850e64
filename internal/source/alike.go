package source

import (
	"hash/maphash"
	multiply "math/bits"
	"math/rand/v2"
	"slices"

	"github.com/nxport/nxport/internal/driver"
)

// A file is read once for each way in which its options make a difference, and most of its functions come out alike all the
// same: those are read once. Two are alike where their tokens are, the tokens that declare what they use, and what is known
// of the unit.

// alike are the functions of a file that were read for one of its units, by what they were read from.
type alike map[digest][]readFunction

// readFunction is a function with the facts that its reading left in the unit: those are told of each build. under stands for
// its surroundings if it hangs on them, and is 0 if it does not.
type readFunction struct {
	*function
	facts []driver.Fact
	under digest
}

// digest stands for tokens and the like: two that are not alike have one digest with a chance of one in 2^64, which nobody
// can better, as the key is drawn anew in each process.
type digest uint64

var (
	digestKey  = rand.Uint64() | 1
	digestSeed = maphash.MakeSeed()
)

func (d digest) add(x uint64) digest {
	high, low := multiply.Mul64(uint64(d)^x^digestKey, digestKey)
	return digest(high ^ low)
}

// addTokens adds tokens, with all that can be asked of them: where they stand and the macros that they came through.
func (d digest) addTokens(toks []token) digest {
	var last *expansion
	var through digest
	for i := range toks {
		t := &toks[i]
		if t.exp != last {
			last, through = t.exp, t.exp.digest()
		}
		d = d.addToken(t, through)
	}
	return d
}

// addToken adds one. What is written out at a place has always the same text, but for punctuators that are put in.
func (d digest) addToken(t *token, through digest) digest {
	d = d.add(uint64(uint32(t.off)) | uint64(t.kind)<<32 | uint64(t.flags)<<40 | uint64(len(t.text))<<48).add(t.file.number ^ uint64(through))
	if t.exp != nil || t.flags&painted != 0 || t.kind == punct {
		d = d.add(maphash.String(digestSeed, t.text))
	}
	return d
}

func (e *expansion) digest() digest {
	d := digest(0)
	for ; e != nil; e = e.name.exp {
		d = d.addToken(&e.macro.name, 0).addToken(&e.name, 0)
	}
	return d
}

// digest stands for all that the assumptions say of a request.
func (a *assumptions) digest() digest {
	d := digest(1)
	for _, x := range a.list {
		d = d.addToken(&x.at, 0).add(x.file.number).add(uint64(x.from)<<32 | uint64(x.to)).add(maphash.String(digestSeed, x.name))
	}
	return d
}

// surroundings stand for what a function may hang on that is in no token of the unit.
func (p *parser) surroundings() digest {
	return p.under.digest().add(maphash.String(digestSeed, string(p.mechanism)))
}

// seen gives a function that was read from the same tokens for another unit, and the key to keep it by.
func (p *parser) seen(head []token, end int) (digest, *readFunction) {
	start := p.i - len(head)
	p.state = p.state.addTokens(p.toks[p.folded:start])
	p.folded = end
	key := p.state.addTokens(p.toks[start:end])
	list := p.alike[key]
	for i := range list {
		if list[i].under == 0 || list[i].under == p.surroundings() {
			return key, &list[i]
		}
	}
	return key, nil
}

// copy gives a function as another one: what is known of its calls is not known of the other's.
func (f *function) copy() *function {
	c := *f
	c.calls = slices.Clone(f.calls)
	return &c
}

// function reads a definition, or takes one that is alike.
func (p *parser) function(head []token, name, open, end int) {
	if n := len(p.scopes); n > 0 && p.scopes[n-1].record != nil {
		p.scopes[n-1].record.declares(head)
	}
	if p.alike == nil {
		p.functions = append(p.functions, p.definition(head, name, open, end))
		return
	}
	key, seen := p.seen(head, min(end+1, len(p.toks)))
	if seen == nil {
		seen = p.read(head, name, open, end)
		p.alike[key] = append(p.alike[key], *seen)
	}
	p.functions = append(p.functions, seen.function)
	for _, f := range seen.facts {
		p.note(f)
	}
}

// read reads a definition and keeps apart the facts that it tells.
func (p *parser) read(head []token, name, open, end int) *readFunction {
	facts := p.facts
	p.facts, p.hangs = nil, false
	read := &readFunction{function: p.definition(head, name, open, end)}
	if p.hangs {
		read.under = p.surroundings()
	}
	read.facts, p.facts = p.facts, facts
	return read
}
