package project

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/edit"
)

// Splicing a define into what is there. Which places to take is the problem of the set cover; the greedy answer is
// short enough, and the same in every run.

// pair is a unit of a build that lacks the define, by the layers it has.
type pair struct {
	build *Build
	unit  int
}

// pairsOf gives the units of a build that lack one of the defines.
func pairsOf(b *Build, defines []Define) []pair {
	var list []pair
	for i, u := range b.Units {
		if !u.has(defines) {
			list = append(list, pair{b, i})
		}
	}
	return list
}

// effective gives the layers of a unit that count: from the last one that does not inherit.
func (x pair) effective() []*layer {
	list := x.build.layers[x.unit]
	for i, y := range slices.Backward(list) {
		if !y.inherits {
			return list[i:]
		}
	}
	return list
}

// cover chooses layers that together serve pairs.
type cover struct {
	project   string
	lastFirst bool              // as in kind
	refused   map[*layer]string // why a layer can't be used
	serves    map[*layer]map[pair]bool
}

// newCover finds the layers of all builds of a build file, and which must not be touched.
func (p *placer) newCover(g group, all loaded, pending []string) *cover {
	c := &cover{project: g.project, lastFirst: kindOf(g.project).lastFirst, refused: map[*layer]string{}, serves: map[*layer]map[pair]bool{}}
	for _, b := range all.builds {
		for i := range b.Units {
			x := pair{b, i}
			for _, y := range x.effective() {
				if c.serves[y] == nil {
					c.serves[y] = map[pair]bool{}
					c.refused[y] = p.untouchable(y, g)
				}
				c.serves[y][x] = true
				if !slices.Contains(pending, b.ID) && !p.mayHave(b.ID, g.defines) {
					c.refused[y] = cmp.Or(c.refused[y], "it serves "+b.ID+" too")
				}
			}
		}
	}
	return c
}

// untouchable says why a layer's file must not be changed for a group, "" where it may be.
//
// A file that several build files read may be changed only if all their builds want the defines.
func (p *placer) untouchable(y *layer, g group) string {
	if why := p.keeps(y.file.path); why != "" {
		return why
	}
	if y.file.wide != nil {
		return recoded
	}
	for _, reader := range p.set.readers[y.file.path] {
		if reader == g.project {
			continue
		}
		other := p.load(p.tree, reader)
		if len(other.skipped) > 0 || len(other.builds) == 0 {
			return reader + " reads it too"
		}
		for _, b := range other.builds {
			if !p.takes(b.ID, g.defines) {
				return "it serves " + b.ID + " too"
			}
		}
	}
	return ""
}

// takes says whether a build may get the defines by the way: it wants all of them, or can have them.
func (p *placer) takes(id string, defines []Define) bool {
	wanted := !slices.ContainsFunc(defines, func(d Define) bool { return !slices.Contains(p.wanted[id], d) })
	return wanted || p.mayHave(id, defines)
}

// mayHave says whether a build can have the defines and can do without.
func (p *placer) mayHave(id string, defines []Define) bool {
	return !slices.ContainsFunc(defines, func(d Define) bool { return !slices.Contains(p.may[id], d) })
}

// choose takes, again and again, the layer that serves most of what is still needed. It gives a pair that none
// serves, if there is one.
func (c *cover) choose(needed []pair) (chosen []*layer, left *pair) {
	open := map[pair]bool{}
	for _, x := range needed {
		open[x] = true
	}
	candidates := c.usable()
	for len(open) > 0 {
		var best *layer
		most := 0
		for _, y := range candidates {
			n := 0
			for x := range c.serves[y] {
				if open[x] {
					n++
				}
			}
			if n > most {
				best, most = y, n
			}
		}
		if best == nil {
			i := slices.IndexFunc(needed, func(x pair) bool { return open[x] })
			return nil, &needed[i]
		}
		chosen = append(chosen, best)
		for x := range c.serves[best] {
			delete(open, x)
		}
	}
	return chosen, nil
}

// usable gives the layers that may be changed: those of the build file itself first, in order or the last one first.
func (c *cover) usable() []*layer {
	var list []*layer
	for y, why := range c.refused {
		if why == "" {
			list = append(list, y)
		}
	}
	slices.SortFunc(list, func(a, b *layer) int {
		position := cmp.Compare(a.at, b.at)
		if c.lastFirst {
			position = -position
		}
		switch {
		case a.file.path == b.file.path:
			return position
		case a.file.path == c.project:
			return -1
		case b.file.path == c.project:
			return 1
		}
		return strings.Compare(a.file.path, b.file.path)
	})
	return list
}

// reason says why no layer serves a pair.
func (c *cover) reason(x pair) string {
	layers := x.effective()
	if len(layers) == 0 {
		return "nothing there sets its defines"
	}
	var why []string
	for _, y := range layers {
		why = append(why, fmt.Sprintf("%v sets its defines, but %s", y.file.place(y.at), c.refused[y]))
	}
	return strings.Join(why, "; ")
}

// splices gives the edits that add defines to layers.
func splices(layers []*layer, defines []Define) []edit.Edit {
	var edits []edit.Edit
	for _, y := range layers {
		var parts []string
		for _, d := range defines {
			parts = append(parts, d.text())
		}
		s := y.spot.before + strings.Join(parts, cmp.Or(y.spot.separator, ";")) + y.spot.after
		edits = append(edits, edit.Edit{Path: y.file.path, Start: y.spot.start, End: y.spot.end, New: s})
	}
	return edits
}
