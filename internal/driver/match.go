package driver

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/nx"
)

// Verdicts of a request in the source beside what a built image has, besides Agree and Disagree.
const (
	OnlySource Verdict = "only in the source" // dead code, or of another build
	OnlyBuilt  Verdict = "only in the image"  // of a library that was not scanned, or put in by the compiler
	NotKnown   Verdict = "not known"          // of one of them is not known what it asks for
)

// Match is what the source and a built image have of one request: one line can become several calls, and several lines one call.
type Match struct {
	Source, Built []*Site
	Verdict       Verdict
	Why           string // of all verdicts but Agree and NotKnown; of Agree only where several lines became one call
}

// Hold matches the requests that were predicted from source with the calls in an image built from it: by the lines of the source,
// if the image has them, else by the routine and what it gets on those versions of Windows. Matches stand in the order of the source,
// followed by what only the image has.
func Hold(predicted, built Image, windows []nx.Version) []Match {
	h := holding{predicted: predicted.Sites, windows: windows, taken: make([]bool, len(predicted.Sites)), at: map[string]int{}}
	var rest []*Site
	for i := range built.Sites { // what agrees first: the rest is paired with what is left
		if b := &built.Sites[i]; !h.agrees(b) {
			rest = append(rest, b)
		}
	}
	for _, b := range rest {
		h.place(b)
	}
	for i := range predicted.Sites {
		if !h.taken[i] {
			h.add(nil, OnlySource, "not compiled into it, optimised away, or of another source", i)
		}
	}
	slices.SortStableFunc(h.list, func(a, b numbered) int { return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.rva(), b.rva())) })
	var list []Match
	for _, m := range h.list {
		list = append(list, m.Match)
	}
	return list
}

// holding is one call of Hold.
type holding struct {
	predicted []Site
	windows   []nx.Version
	taken     []bool // by a match
	list      []numbered
	at        map[string]int // in the list, by what was matched and how
}

// numbered is a match with its place in the order of the source.
type numbered struct {
	Match
	first int
}

func (m Match) rva() uint32 {
	if len(m.Built) == 0 {
		return 0
	}
	return m.Built[0].Spot.RVA
}

// agrees finds the prediction that a call agrees with: of several, the first that no other call was matched with.
func (h *holding) agrees(b *Site) bool {
	if b.Value.Unknown != "" {
		return false
	}
	nearest, _ := h.near(b)
	i, ok := h.best(nearest, func(i int) bool { return h.within(b, h.family(i, nearest)) })
	if ok {
		h.add(b, Agree, "", h.family(i, nearest)...)
	}
	return ok
}

// best gives the first of some predictions that fits, one that is not taken before others.
func (h *holding) best(list []int, fits func(i int) bool) (int, bool) {
	for _, taken := range []bool{false, true} {
		for _, i := range list {
			if h.taken[i] == taken && fits(i) {
				return i, true
			}
		}
	}
	return 0, false
}

// family gives those of the nearest predictions that are spelled at the same place, in a function that gets the argument: one call there
// is made for all of them.
func (h *holding) family(i int, nearest []int) []int {
	p := &h.predicted[i]
	if p.Spelled.Path == "" {
		return []int{i}
	}
	return slices.DeleteFunc(slices.Clone(nearest), func(j int) bool { return h.predicted[j].Spelled != p.Spelled })
}

// place finds what a call comes from that agrees with no prediction by itself.
func (h *holding) place(b *Site) {
	nearest, around := h.near(b)
	several := h.together(b, around)
	first, _ := h.best(nearest, func(int) bool { return true })
	unknown, open := h.best(nearest, func(i int) bool { return h.predicted[i].Value.Unknown != "" })
	switch {
	case len(nearest) == 0:
		h.add(b, OnlyBuilt, h.without(b))
	case b.Value.Unknown != "" && h.taken[first] && len(b.Spot.Frames) == 0:
		h.add(b, NotKnown, "")
	case b.Value.Unknown != "":
		h.add(b, NotKnown, "", h.family(first, nearest)...)
	case several != nil:
		h.add(b, Agree, "the compiler made one call of them", several...)
	case open:
		h.add(b, NotKnown, "", h.family(unknown, nearest)...)
	case len(b.Spot.Frames) > 0 || !h.taken[first]:
		from := h.family(first, nearest)
		h.add(b, Disagree, h.differ(b, from), from...)
	default:
		h.add(b, OnlyBuilt, "nothing in the source asks for that: of a library that was not scanned, or of another source")
	}
}

func (h *holding) without(b *Site) string {
	if len(b.Spot.Frames) > 0 {
		return "no request of this routine is there in the source"
	}
	return "no request of this routine is in the source: of a library that was not scanned, or of another source"
}

// add puts a call to a match: one that says the same of the same lines, or a new one.
func (h *holding) add(b *Site, v Verdict, why string, from ...int) {
	m := numbered{Match{Verdict: v, Why: why}, len(h.predicted)}
	for _, i := range from {
		h.taken[i] = true
		m.Source = append(m.Source, &h.predicted[i])
		m.first = min(m.first, i)
	}
	if b != nil {
		m.Built = []*Site{b}
	}
	key := fmt.Sprint(v, why, from)
	if i, ok := h.at[key]; ok && len(from) > 0 {
		h.list[i].Built = append(h.list[i].Built, b)
		return
	}
	h.at[key] = len(h.list)
	h.list = append(h.list, m)
}

// near gives the predictions that a call can come from: the nearest, and all in the same function, or of the same routine.
func (h *holding) near(b *Site) (nearest, around []int) {
	best := 0
	frames := b.Spot.Frames[:min(len(b.Spot.Frames), maxFrames)]
	for i := range h.predicted {
		p := &h.predicted[i]
		if p.DDI.Name != b.DDI.Name && p.DDI.Over != b.DDI.Name {
			continue
		}
		rank := byRoutine
		if len(frames) > 0 {
			rank = max(lineRank(frames, p.Place, p.Function)+lineRank(frames, p.Spelled, ""), functionRank(frames, p), spelledRank(frames, p.Spelled))
		}
		if rank > best {
			best, nearest = rank, nil
		}
		if rank > 0 {
			around = append(around, i)
		}
		if rank == best && rank > 0 {
			nearest = append(nearest, i)
		}
	}
	return nearest, around
}

// functionRank is for lines that moved: the function is the same, in a file of that name.
func functionRank(frames []Frame, p *Site) int {
	name := p.Function[strings.LastIndex(p.Function, ":")+1:]
	if name != "" && slices.ContainsFunc(frames, func(f Frame) bool {
		return f.Function == name && strings.EqualFold(path.Base(f.Path), path.Base(p.Place.Path))
	}) {
		return byRoutine
	}
	return 0
}

// spelledRank is for the line that a compiler gives a function that ends with the call: that of its head.
func spelledRank(frames []Frame, at Place) int {
	best := 0
	for _, f := range frames {
		lines := max(f.Line-at.Line, at.Line-f.Line)
		if at.Line > 0 && f.Line > 0 && strings.EqualFold(path.Base(f.Path), path.Base(at.Path)) {
			best = max(best, byRoutine+maxSpan-lines)
		}
	}
	return best
}

// within says whether all that a call may pass is predicted, on each Windows, by some predictions that are known.
func (h *holding) within(b *Site, from []int) bool {
	if slices.ContainsFunc(from, func(i int) bool { return h.predicted[i].Value.Unknown != "" }) {
		return false
	}
	_, other := h.other(b, from)
	return !other
}

// other gives a Windows on which a call passes a value that some predictions do not have.
func (h *holding) other(b *Site, from []int) (w nx.Version, ok bool) {
	if b.DDI.Argument == 0 {
		return nx.Version{}, false
	}
	for _, w := range h.windows {
		for _, v := range b.On(w).Values {
			if !slices.ContainsFunc(from, func(i int) bool { return h.predicted[i].passes(b.DDI.Name, v, w) }) {
				return w, true
			}
		}
	}
	return nx.Version{}, false
}

// together gives the predictions that one call can be made of: each value is of one of them; nil if there are not several.
func (h *holding) together(b *Site, near []int) []int {
	var list []int
	for _, w := range h.windows {
		for _, v := range b.On(w).Values {
			i := slices.IndexFunc(near, func(i int) bool { return h.predicted[i].passes(b.DDI.Name, v, w) })
			if i < 0 {
				return nil
			}
			if !slices.Contains(list, near[i]) {
				list = append(list, near[i])
			}
		}
	}
	if len(list) < 2 {
		return nil
	}
	slices.Sort(list)
	return list
}

// differ says on which Windows what is passed is another.
func (h *holding) differ(b *Site, from []int) string {
	w, _ := h.other(b, from)
	var values []uint32
	for _, i := range from {
		values = append(values, h.predicted[i].On(w).Values...)
	}
	slices.Sort(values)
	return fmt.Sprintf("on %s the source passes %s, the image %s", w.Name(), spell(slices.Compact(values)), spell(b.On(w).Values))
}
