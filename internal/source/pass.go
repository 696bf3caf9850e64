package source

import "github.com/nxport/nxport/internal/driver"

// pass follows the marks and calls of one function, in the order in which they run. States only grow, so that loops and jumps
// back come to an end.
type pass struct {
	*walk
	d      *definition
	now    state
	left   state // in which the function is left
	open   []construct
	labels map[string]state // in which a goto comes to a label
	heads  map[int]state    // in which control comes to the beginning of a loop, by the mark
	passed map[string]bool  // the labels behind control
	again  bool             // a goto led back to a label in another state than it was passed in
}

// construct is a branch, loop, switch or try that control is in.
type construct struct {
	kind   markKind // that it began with
	mark   int      // its index
	in     state    // in which it was entered; of a try, all that its block went through
	out    state    // in which it is left, as far as it was followed
	back   state    // in which a loop comes back to its beginning
	closed bool     // an if has its else, a switch its default, a try its handlers
}

func newPass(w *walk, d *definition) *pass {
	return &pass{walk: w, d: d, labels: map[string]state{}, heads: map[int]state{}}
}

// maxPasses bounds how often a function is followed anew because of its gotos.
const maxPasses = 20

// whole gives the state in which a function is left that is entered in another.
func (p *pass) whole(in state) state {
	for n := 0; n == 0 || p.again && n < maxPasses; n++ {
		p.now, p.open, p.passed, p.again = in, p.open[:0], map[string]bool{}, false
		p.run()
	}
	return p.left
}

func (p *pass) run() {
	marks, calls := p.d.marks, p.d.calls
	p.record(0)
	next := 0
	for i := 0; i < len(marks); i++ {
		for ; next < int(marks[i].before); next++ {
			p.call(&calls[next])
			p.record(i + next + 1)
		}
		if back := p.mark(i); back >= 0 {
			i, next = back, int(marks[back].before)
		}
		p.record(i + next + 1)
	}
	for ; next < len(calls); next++ {
		p.call(&calls[next])
		p.record(len(marks) + next + 1)
	}
	p.left |= p.now
}

// record keeps the state behind so many marks and calls.
func (p *pass) record(events int) {
	p.when[p.d][events] |= p.now
	for i := range p.open {
		if c := &p.open[i]; c.kind == tryMark && !c.closed {
			c.in |= p.now
		}
	}
}

func (p *pass) call(c *call) {
	now := p.now.moment()
	if now == 0 {
		return
	}
	after := p.walk.call(p.d, c, now)
	if after == now {
		return
	}
	s := state(0)
	if p.now&3 != 0 {
		s |= state(after)
	}
	if p.now>>failed != 0 {
		s |= state(after) << failed
	}
	p.now = s
}

// mark does what a mark says. It gives the index of the mark behind which control goes on, -1 where that is this one.
func (p *pass) mark(i int) int {
	switch k := p.d.marks[i]; k.kind {
	case loopMark, onceMark:
		p.heads[i] |= p.now
		p.now = p.heads[i]
		p.begin(i)
	case endLoopMark, endDoMark:
		return p.endLoop(k.kind == endDoMark)
	case ifMark, switchMark, tryMark:
		p.begin(i)
		if k.kind == switchMark {
			p.now = 0
		}
	case elseMark, caseMark, defaultMark, handlerMark, finallyMark, testMark:
		p.turn(k.kind)
	case endIfMark, endOnceMark, endSwitchMark, endTryMark:
		p.end(k.kind)
	case labelMark:
		p.passed[k.label] = true
		p.now |= p.labels[k.label]
	case gotoMark:
		p.jump(k.label)
	case returnMark:
		p.leave(p.now)
	case successMark:
		p.leave(state(p.now.moment()))
	case failMark:
		p.leave(p.now.fails())
	default:
		p.breaks(k.kind)
	}
	return -1
}

func (p *pass) begin(mark int) {
	p.open = append(p.open, construct{kind: p.d.marks[mark].kind, mark: mark, in: p.now})
}

// inside gives the innermost construct of some kinds.
func (p *pass) inside(kinds ...markKind) *construct {
	for i := len(p.open) - 1; i >= 0; i-- {
		for _, k := range kinds {
			if p.open[i].kind == k && !(k == tryMark && p.open[i].closed) {
				return &p.open[i]
			}
		}
	}
	return &construct{} // a break outside of a loop, say: it leads nowhere
}

func (p *pass) pop() construct {
	n := len(p.open) - 1
	c := p.open[n]
	p.open = p.open[:n]
	return c
}

// endLoop goes back to the beginning while control comes there in a new state, and else out of the loop.
func (p *pass) endLoop(tested bool) int {
	c := &p.open[len(p.open)-1]
	if back := p.now | c.back; p.heads[c.mark]|back != p.heads[c.mark] {
		p.heads[c.mark] |= back
		p.now, c.back = p.heads[c.mark], 0
		return c.mark
	}
	if tested {
		c.out |= p.now | c.back
	}
	p.now = p.pop().out
	return -1
}

// turn goes on with another part of the construct at hand.
func (p *pass) turn(k markKind) {
	switch k {
	case testMark:
		p.open[len(p.open)-1].out |= p.now
	case elseMark:
		c := &p.open[len(p.open)-1]
		c.out, c.closed, p.now = p.now, true, c.in
	case caseMark, defaultMark:
		c := p.inside(switchMark)
		c.closed = c.closed || k == defaultMark
		p.now |= c.in
	case handlerMark:
		c := &p.open[len(p.open)-1]
		c.out, c.closed, p.now = c.out|p.now, true, c.in.fails()
	case finallyMark:
		c := &p.open[len(p.open)-1]
		p.now, c.closed = p.now|c.out, true
		c.out = 0
	}
}

// end leaves the construct at hand.
func (p *pass) end(k markKind) {
	c := p.pop()
	p.now |= c.out | c.back
	if !c.closed && (k == endIfMark || k == endSwitchMark) {
		p.now |= c.in
	}
}

// breaks leaves a loop or switch, goes on with a loop, or leaves a try.
func (p *pass) breaks(k markKind) {
	switch k {
	case breakMark:
		c := p.inside(loopMark, onceMark, switchMark)
		if c.kind == onceMark {
			p.now = p.now.fails()
		}
		c.out |= p.now
	case continueMark:
		p.inside(loopMark, onceMark).back |= p.now
	case leaveMark:
		p.inside(tryMark).out |= p.now.fails()
	}
	p.now = 0
}

// jump goes to a label. One further on is taken to lead past what a failure leaves to do.
func (p *pass) jump(label string) {
	to := p.now
	if p.passed[label] {
		p.again = p.again || p.labels[label]|to != p.labels[label]
	} else {
		to = to.fails()
	}
	p.labels[label] |= to
	p.now = 0
}

func (p *pass) leave(s state) {
	p.left |= s
	p.now = 0
}

// both is the moment of what runs before the opt-in call and after it.
const both = driver.Before | driver.After
