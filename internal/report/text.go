package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

// Text writes a scan for people: each finding with its line of source, how the value came about, what each Windows
// gets and what to do, those that say the same together; then the builds; and at the end three lines that say what is
// executable where, why, and what mends it.
func Text(w io.Writer, r *Scan, v View) error {
	c := newConsole(w, v)
	in := newBuilds(r)
	groups := alike(in, r.shown(v))
	for _, f := range r.shown(v) {
		if g := groups[in.says(f)]; g.full < g.most() {
			g.full++
			c.finding(r, in, f)
		}
	}
	for _, g := range ordered(groups) {
		c.fold(in, g.list[g.full:])
	}
	c.builds(in)
	t := count(r)
	c.others(r, t, v)
	c.ending(r, in, t, v)
	return c.Flush()
}

// Of the findings that say the same, few are shown in full, and the places of the others named; all of them where there
// are no more than enough.
const few, enough = 3, 5

// group is the findings that say the same, in order of place.
type group struct {
	list  []rule.Finding
	order int // of the first, among all findings
	full  int // how many were shown in full
}

func (g *group) most() int {
	if len(g.list) <= enough {
		return enough
	}
	return few
}

func alike(in *builds, list []rule.Finding) map[string]*group {
	groups := map[string]*group{}
	for i, f := range list {
		key := in.says(f)
		if groups[key] == nil {
			groups[key] = &group{order: i}
		}
		groups[key].list = append(groups[key].list, f)
	}
	return groups
}

// ordered gives the groups of which not all was shown, in order of their first place.
func ordered(groups map[string]*group) []*group {
	var list []*group
	for _, g := range groups {
		if g.full < len(g.list) {
			list = append(list, g)
		}
	}
	slices.SortFunc(list, func(a, b *group) int { return a.order - b.order })
	return list
}

// says is all that a finding says besides its place, its derivation and its builds.
func (in *builds) says(f rule.Finding) string {
	return strings.Join([]string{f.Rule.ID, level(f).String(), f.Message, next(f), in.gets(f), suppressed(f)}, "\x00")
}

func (c *console) finding(r *Scan, in *builds, f rule.Finding) {
	c.say("", gutterWidth, part{f.Place.String() + ":", bold}, part{heading(f), colours[level(f)]}, part{f.Rule.ID + ":", bold}, part{f.Message, plain})
	line := c.frame(r, f.Place, colours[level(f)])
	if s := f.Site; s != nil {
		if !shows(line, s) {
			c.note("passes", cyan, s.Argument)
		}
		c.steps("from", s.Value.Steps)
		if s.Value.Unknown != "" {
			c.note("not known:", cyan, s.Value.Unknown)
		}
	}
	c.steps("see", f.Steps)
	c.advice(in, f, f.Builds)
}

// shows says whether the deciding argument can be seen in the line as it is shown, or in the derivation.
func shows(line string, s *driver.Site) bool {
	return strings.Contains(line, s.Argument) || slices.ContainsFunc(s.Value.Steps, func(step driver.Step) bool {
		return strings.Contains(step.Says, s.Argument)
	})
}

// fold names the places of findings that say the same as those shown above, a line for each file.
func (c *console) fold(in *builds, list []rule.Finding) {
	f := list[0]
	c.say("", gutterWidth, part{plural(len(list), "more place") + ":", bold}, part{heading(f), colours[level(f)]}, part{f.Rule.ID + ":", bold}, part{f.Message, plain})
	c.places(list, func(f rule.Finding) driver.Place { return f.Place })
	var ids []string
	for _, f := range list {
		ids = append(ids, f.Builds...)
	}
	c.advice(in, f, ids)
}

// colours are those of the levels, in their order.
var colours = map[rule.Level]style{rule.Note: cyan, rule.Warning: yellow, rule.Error: red}

func heading(f rule.Finding) string {
	if f.Suppressed != nil {
		return "suppressed " + level(f).String()
	}
	return level(f).String()
}

// places names places, those of one file on a line: a.c:3, 17, 20.
func places[T any](list []T, of func(T) driver.Place) []string {
	var lines []string
	last := driver.Place{}
	for _, item := range list {
		p := of(item)
		switch {
		case len(lines) == 0 || p.Path != last.Path || p.Line == 0:
			line := p.Path
			if p.Line > 0 {
				line += ":" + strconv.Itoa(p.Line)
			}
			lines = append(lines, line)
		case p.Line == last.Line:
			lines[len(lines)-1] += fmt.Sprintf(", %d:%d", p.Line, p.Column)
		default:
			lines[len(lines)-1] += ", " + strconv.Itoa(p.Line)
		}
		last = p
	}
	return lines
}

func (c *console) places(list []rule.Finding, of func(rule.Finding) driver.Place) {
	for _, line := range places(list, of) {
		c.say(detail, len(detail)+2, part{line, plain})
	}
}

// detail stands before what is said below a finding.
var detail = strings.Repeat(" ", gutterWidth) + " = "

// note says one thing about a finding, under a label.
func (c *console) note(label string, s style, text string) {
	c.say(detail, len(detail)+2, part{label, s}, part{text, plain})
}

// maxSteps is how many steps of a derivation are shown with what they say; of the others, the places.
const maxSteps = 6

// steps shows a derivation or evidence.
func (c *console) steps(label string, list []driver.Step) {
	most := len(list)
	if most > maxSteps+1 {
		most = maxSteps
	}
	for _, s := range list[:most] {
		at := ""
		if s.Path != "" {
			at = lineOf(s.Place) + ": "
		}
		c.note(label, cyan, at+s.Says)
	}
	if rest := list[most:]; len(rest) > 0 {
		says := plural(len(rest), "more step")
		if rest[0].Line > 0 { // those in a built driver say their addresses themselves
			says += ": " + strings.Join(places(rest, func(s driver.Step) driver.Place { return s.Place }), "; ")
		}
		c.note(label, cyan, says)
	}
}

func lineOf(p driver.Place) string {
	if p.Line == 0 {
		return p.Path
	}
	return p.Path + ":" + strconv.Itoa(p.Line)
}

// advice is what stands below a finding or several: what each Windows gets, in which builds, and what to do.
func (c *console) advice(in *builds, f rule.Finding, ids []string) {
	if what := in.gets(f); what != "" {
		c.note("gets", cyan, what)
	}
	if len(ids) > 0 {
		c.note("in", cyan, in.names(ids))
	}
	if f.Suppressed != nil {
		c.note("suppressed", cyan, suppressed(f))
	} else {
		label, text, _ := strings.Cut(next(f), " ")
		c.note(label, green, text)
	}
	c.raw("\n", plain)
}

func suppressed(f rule.Finding) string {
	if f.Suppressed == nil {
		return ""
	}
	reason := f.Suppressed.Reason
	if reason == "" {
		reason = "no reason given"
	}
	return "by " + f.Suppressed.Place.String() + ": " + reason
}

// next says what to do about a finding.
func next(f rule.Finding) string {
	more := " (nxport explain " + f.Rule.ID + ")"
	switch {
	case f.Fix != nil && f.Fix.Safe:
		return "fix: " + f.Fix.Title
	case f.Fix != nil:
		return "fix: " + f.Fix.Title + "; not safe by itself: look at it first" + more
	case f.NoAlternative:
		return "next: nothing, at this minimum Windows" + more
	case f.Kept && f.Rule.Official != "": // what is executed is kept for that
		return "next: the source itself asks for executable memory; change that, if nothing executes it" + more
	}
	if f.Level == rule.Note {
		return "next: nxport explain " + f.Rule.ID
	}
	return "next: " + strings.TrimSuffix(sentence(f.Rule.Doc.Fix), ".") + more
}

// sentence is the first of a text, on one line.
func sentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	first, _, more := strings.Cut(text, ". ")
	if more {
		first += "."
	}
	return first
}

// gets says what a request gets on each Windows, for the first build of the finding. Versions that get the same stand
// together.
func (in *builds) gets(f rule.Finding) string {
	if f.Site == nil || len(f.Builds) == 0 {
		return ""
	}
	var out []string
	versions := map[string][]string{}
	for _, w := range in.byID[f.Builds[0]].Windows {
		o := f.Site.On(w)
		what := fmt.Sprintf("%s (%s)", values(o), judgement[o.Executable])
		if f.Site.DDI.Argument == 0 { // it passes nothing that decides
			what = judgement[o.Executable]
		}
		if versions[what] == nil {
			out = append(out, what)
		}
		versions[what] = append(versions[what], strings.TrimPrefix(w.Name(), "Windows "))
	}
	for i, what := range out {
		out[i] += " on Windows " + strings.Join(versions[what], ", ")
	}
	return strings.Join(out, "; ")
}

var judgement = map[nx.Executable]string{
	nx.Yes: "executable", nx.No: "not executable", nx.Maybe: "may be executable",
	nx.Undefined: "not known to this Windows", nx.Unknown: "unknown",
}

func values(o driver.Outcome) string {
	var parts []string
	for _, v := range o.Values {
		if v >= 1<<16 {
			parts = append(parts, fmt.Sprintf("%#x", v))
		} else {
			parts = append(parts, strconv.FormatUint(uint64(v), 10))
		}
	}
	if len(parts) == 0 {
		return "?"
	}
	return strings.Join(parts, " or ")
}
