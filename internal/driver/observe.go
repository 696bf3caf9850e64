package driver

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/nx"
)

// Spot is where a site stands in a built image.
type Spot struct {
	Section string
	RVA     uint32 // of the call
	Start   uint32 // of the function that it is in; 0 where that is not known
	Return  uint32 // of the instruction behind it; 0 of a jump, which does not come back
	Frames  []Frame
}

// Verdict is what comes of a prediction beside what was seen.
type Verdict string

// The verdicts.
const (
	Agree         Verdict = "agree"
	Disagree      Verdict = "disagree"
	NotReached    Verdict = "not reached"    // no run came there
	NotObservable Verdict = "not observable" // none could have been seen
	NotPredicted  Verdict = "not predicted"  // seen, and nothing was known that could be wrong
)

// Observation is a predicted request beside what a trace saw of it, on one Windows.
type Observation struct {
	Windows   nx.Version
	Predicted *Site   // nil where nobody had predicted it
	Seen      []*Site // none where the verdict says that it was not seen
	Verdict   Verdict
	Why       string // of all verdicts but NotReached; of Agree only where what was seen may be another request's
}

// Observe compares what was predicted of a build with what a trace of its image saw on one Windows: in the order of the
// predictions, then what nobody had predicted. Gap says why calls of a routine can't be seen, or "".
func Observe(predicted, seen Image, gap func(ddi nx.DDI) string) []Observation {
	w := seen.Build.Minimum
	matched := make([][]*Site, len(predicted.Sites))
	alike := make([]int, len(predicted.Sites))
	var rest []Observation
	for i := range seen.Sites {
		s := &seen.Sites[i]
		candidates, why := match(predicted.Sites, s, w)
		if why != "" {
			rest = append(rest, Observation{w, nil, []*Site{s}, Disagree, why})
		}
		for _, at := range candidates {
			matched[at], alike[at] = append(matched[at], s), max(alike[at], len(candidates))
		}
	}
	var list []Observation
	for i := range predicted.Sites {
		o := Observation{Windows: w, Predicted: &predicted.Sites[i], Seen: matched[i]}
		if o.Verdict, o.Why = o.judge(gap); o.Verdict == Agree && alike[i] > 1 {
			o.Why = fmt.Sprintf("one of %d requests that can't be told apart", alike[i])
		}
		list = append(list, o)
	}
	return append(list, rest...)
}

func (o Observation) judge(gap func(ddi nx.DDI) string) (Verdict, string) {
	if len(o.Seen) == 0 {
		if why := gap(o.Predicted.DDI); why != "" {
			return NotObservable, why
		}
		return NotReached, ""
	}
	unknown := ""
	for _, s := range o.Seen {
		switch wrong := differs(o.Predicted, s, o.Windows); {
		case wrong && o.Predicted.Value.Unknown == "":
			return Disagree, fmt.Sprintf("predicted %s, seen %#x", spell(o.Predicted.On(o.Windows).Values), s.Seen.Value)
		case wrong:
			unknown = "not known: " + o.Predicted.Value.Unknown
		}
	}
	if unknown != "" {
		return NotPredicted, unknown
	}
	return Agree, ""
}

// added are bits that the kit's inline functions put to a pool type on its way: POOL_RAISE_IF_ALLOCATION_FAILURE and
// POOL_ZERO_ALLOCATION.
const added = 16 | 1024

// differs says whether a value that was seen is none of those predicted.
func differs(predicted, seen *Site, w nx.Version) bool {
	return predicted.DDI.Argument != 0 && !predicted.passes(seen.DDI.Name, seen.Seen.Value, w)
}

// passes says whether a value that a routine gets is one of those predicted: by the routine itself, or by what comes down to it.
func (s *Site) passes(routine string, value uint32, w nx.Version) bool {
	return slices.ContainsFunc(s.On(w).Values, func(v uint32) bool {
		return v == value || s.DDI.Name != routine && s.DDI.Kind == nx.PoolType && v&^added == value&^added
	})
}

func spell(values []uint32) string {
	var parts []string
	for _, v := range values {
		parts = append(parts, fmt.Sprintf("%#x", v))
	}
	return cmp.Or(strings.Join(parts, " or "), "nothing")
}

// match finds the prediction of a request that was seen: by the address of the call, by its lines in the source, or, where
// the image does not tell them, by the routine alone; of several alike those that have that value, if any has. Without one it says
// why.
func match(predicted []Site, s *Site, w nx.Version) (candidates []int, why string) {
	best, routine := 0, false
	for i := range predicted {
		p := &predicted[i]
		if p.DDI.Name != s.DDI.Name && p.DDI.Over != s.DDI.Name {
			continue
		}
		routine = true
		rank := p.near(s, w)
		if rank > best {
			best, candidates = rank, nil
		}
		if rank == best && rank > 0 {
			candidates = append(candidates, i)
		}
	}
	switch {
	case candidates != nil:
		return candidates, ""
	case routine:
		return nil, "no request there was predicted"
	}
	return nil, "no request of this routine was predicted"
}

// The ranks of a match, from the weakest. That by a line is higher the further in its frame is, then the nearer the line, then
// the more the paths have in common, and then by the value.
const (
	byRoutine = 1
	byValue   = 2
	perPart   = 4
	perLine   = 128
	perFrame  = perLine * (maxSpan + 2)
	byAddress = perFrame * maxFrames * 4

	maxParts  = 30
	maxFrames = 50
	maxSpan   = 10 // lines from where a call begins to where a compiler says it is
)

// near ranks a prediction of the same routine; 0 is none. What is spelled elsewhere, in a function that gets the argument, counts by
// both places.
func (p *Site) near(s *Site, w nx.Version) int {
	value := byRoutine
	if !differs(p, s, w) {
		value = byValue
	}
	switch {
	case p.Spot != nil:
		return p.Spot.near(s.Seen, value)
	case len(s.Seen.Frames) == 0:
		return value
	}
	frames := s.Seen.Frames[:min(len(s.Seen.Frames), maxFrames)]
	if rank := lineRank(frames, p.Place, p.Function) + lineRank(frames, p.Spelled, ""); rank > 0 {
		return rank + value
	}
	return 0
}

// lineRank says how near the frames come to a place; 0 is not at all.
func lineRank(frames []Frame, at Place, function string) int {
	best := 0
	for i, f := range frames {
		if lines, ok := apart(f, at, function); ok {
			best = max(best, (maxFrames-i)*perFrame+(maxSpan-lines)*perLine+common(f.Path, at.Path)*perPart)
		}
	}
	return best
}

// near ranks a call in the image. A jump has no address that Wine tells; it may be known from the call of its function.
func (p *Spot) near(seen *Request, value int) int {
	switch {
	case p.Return == 0 && seen.Jump == p.RVA, p.Return != 0 && seen.Jump == 0 && seen.RVA == p.Return:
		return byAddress
	case p.Return == 0 && seen.Jump == 0:
		return value
	}
	return 0
}

// apart says how many lines behind a site a frame is, in the same file: some are, where the function is known to be the same.
func apart(f Frame, at Place, function string) (lines int, ok bool) {
	if at.Line == 0 || !strings.EqualFold(path.Base(f.Path), path.Base(at.Path)) {
		return 0, false
	}
	lines = f.Line - at.Line
	same := lines == 0 || function != "" && f.Function == function[strings.LastIndex(function, ":")+1:]
	return lines, same && lines >= 0 && lines <= maxSpan
}

// common counts the last elements of two paths that are the same.
func common(a, b string) int {
	n := 0
	for n < maxParts && a != "." && a != "/" && strings.EqualFold(path.Base(a), path.Base(b)) {
		a, b, n = path.Dir(a), path.Dir(b), n+1
	}
	return n
}
