package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

// DriversText writes built drivers for people: of one that was named alone all that is known, of several a row each, as they come, and
// how many there are of each verdict.
func DriversText(w io.Writer, d Drivers, v View) error {
	c := newConsole(w, v)
	width := 0
	for _, p := range d.Paths {
		width = max(width, wide(printable(p)))
	}
	if v.Width > 0 {
		width = min(width, v.Width/3)
	}
	var t Tally
	for b := range t.Count(d.List) {
		if d.Alone && b.Unreadable == "" {
			c.driver(b)
		} else {
			c.row(b, width)
		}
		if err := c.Flush(); err != nil {
			return err
		}
	}
	if !d.Alone {
		c.tally(t)
	}
	return c.Flush()
}

// colourOf are the colours of the verdicts; the others have none.
var colourOf = map[Verdict]style{Differs: yellow, Executable: yellow, BadLayout: yellow, NotJudged: cyan, NotKnown: cyan, Unread: red}

// row says of one driver what came of it, and the first reason.
func (c *console) row(b Built, width int) {
	path := printable(b.Build.Project)
	path += strings.Repeat(" ", max(0, width-wide(path)))
	verdict := fmt.Sprintf("%-*s", len(Executable), b.Verdict())
	reason := b.nothing()
	if list := b.Reasons(); len(list) > 0 {
		reason = list[0]
	}
	c.say("", 4, part{path, bold}, part{" ", plain}, part{verdict, colourOf[b.Verdict()]}, part{" ", plain}, part{reason, plain})
	if b.NotHeld != "" {
		c.say("    ", 4, part{"not held against the source:", red}, part{b.NotHeld, plain})
	} else if b.Held {
		c.say("    ", 4, part{"beside " + b.Source + ":", plain}, part{heldCounts(b.Matches), plain})
	}
}

// nothing says what there is of a driver, where nothing else is to say.
func (d Built) nothing() string {
	switch n := len(d.Sites); n {
	case 0:
		return "no request for memory"
	case 1:
		return "1 request, which is not executable"
	default:
		return fmt.Sprintf("%d requests, none of them executable", n)
	}
}

// notJudged is what no verdict is about.
const notJudged = "the signature, the list of blocked drivers, code that changes itself or comes into being when the driver runs"

// tally counts the verdicts.
func (c *console) tally(t Tally) {
	var parts []string
	for _, v := range Verdicts() {
		if n := t.Verdicts[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	c.raw("\n", plain)
	c.say("", gutterWidth, part{plural(t.Drivers, "driver") + ":", bold}, part{strings.Join(parts, ", "), plain})
	c.say("", gutterWidth, part{"Not judged of any:", bold}, part{notJudged + ".", plain})
	c.say("", gutterWidth, part{"Next:", bold}, part{"nxport scan DRIVER.sys says all that is known of one driver", plain})
}

// driver says all that is known of one.
func (c *console) driver(b Built) {
	c.head(b)
	c.raw("\n", plain)
	in := newBuilds(&Scan{Images: []driver.Image{b.Image}})
	groups := alike(in, b.Findings)
	for _, f := range b.Findings {
		if g := groups[in.says(f)]; g.full < g.most() {
			g.full++
			c.builtFinding(in, f)
		}
	}
	for _, g := range ordered(groups) {
		c.builtFold(in, g.list[g.full:])
	}
	c.requests(b, in)
	c.held(b)
	c.verdict(b)
}

// head says what the image is.
func (c *console) head(b Built) {
	says := []string{string(b.Build.Processor)}
	if b.Build.Linker != "" {
		says = append(says, "linker "+b.Build.Linker)
	}
	says = append(says, fmt.Sprintf("minimum %s (%s)", b.Build.Minimum.Name(), b.Build.MinimumSource))
	if in := optInBuilt(b.Build); in != "" {
		says = append(says, in)
	}
	c.say("", gutterWidth, part{b.Build.Project + ":", bold}, part{strings.Join(says, ", "), plain})
}

// optInBuilt says what is known of the opt-in of an image.
func optInBuilt(b driver.Build) string {
	opted := map[driver.Initialised]string{
		driver.InitYes: "opted in before its first request", driver.InitLate: "opted in after a request",
		driver.InitNo: "compiled with POOL_NX_OPTIN, and never opted in", driver.InitUnknown: "opted in, maybe after a request",
	}
	switch {
	case b.Processor == nx.ARM:
		return "" // its code is not read
	case b.Mechanism == nx.None:
		return "no opt-in found"
	case opted[b.Initialised] != "" && b.Mechanism == nx.OptIn:
		return opted[b.Initialised]
	}
	return mechanism[b.Mechanism]
}

// builtFinding is a finding about an image, with where it is and how the value comes about.
func (c *console) builtFinding(in *builds, f rule.Finding) {
	c.say("", gutterWidth, part{f.Place.Path + address(f.Spot) + ":", bold}, part{heading(f), colours[level(f)]}, part{f.Rule.ID + ":", bold}, part{f.Message, plain})
	if f.Site != nil {
		c.note("at", cyan, whereBuilt(*f.Site))
		c.steps("from", f.Site.Value.Steps)
		if f.Site.Value.Unknown != "" {
			c.note("not known:", cyan, f.Site.Value.Unknown)
		}
	}
	c.steps("see", f.Steps)
	c.advice(in, f, nil)
}

// builtFold names the addresses of findings that say the same as those above.
func (c *console) builtFold(in *builds, list []rule.Finding) {
	f := list[0]
	c.say("", gutterWidth, part{plural(len(list), "more place") + ":", bold}, part{heading(f), colours[level(f)]}, part{f.Rule.ID + ":", bold}, part{f.Message, plain})
	var at []string
	for _, f := range list {
		at = append(at, strings.TrimSpace(address(f.Spot)))
	}
	c.note("at", cyan, strings.Join(at, ", "))
	c.advice(in, f, nil)
}

func address(s *driver.Spot) string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf(" 0x%x", s.RVA)
}

// whereBuilt names the section, the function and the lines of a request.
func whereBuilt(s driver.Site) string {
	parts := []string{s.Spot.Section}
	if f := functionBuilt(s); f != "" {
		parts = append(parts, f)
	}
	for i, f := range s.Spot.Frames {
		says := frameText(f)
		if i > 0 {
			says = "inlined into " + says
		}
		parts = append(parts, says)
	}
	return strings.Join(parts, "; ")
}

// functionBuilt names the function of a request by its symbol, or by where it begins.
func functionBuilt(s driver.Site) string {
	start := s.Spot.Start
	switch {
	case s.Function != "" && start != 0 && start < s.Spot.RVA:
		return fmt.Sprintf("%s+0x%x", s.Function, s.Spot.RVA-start)
	case s.Function != "":
		return s.Function
	case start != 0:
		return fmt.Sprintf("in the function at 0x%x", start)
	}
	return ""
}

// requests lists all of them, those that get the same together: what is executable first, then what is not known.
func (c *console) requests(b Built, in *builds) {
	if len(b.Sites) == 0 {
		return
	}
	var order []string
	groups := map[string][]driver.Site{}
	for _, s := range b.Sites {
		says := in.gets(rule.Finding{Site: &s, Builds: []string{b.Build.ID}})
		if s.Value.Unknown != "" {
			says = "not known: " + s.Value.Unknown
		}
		if groups[says] == nil {
			order = append(order, says)
		}
		groups[says] = append(groups[says], s)
	}
	slices.SortStableFunc(order, func(x, y string) int { return rank(groups[x][0]) - rank(groups[y][0]) })
	section := 0
	for _, s := range b.Sites {
		section = max(section, wide(printable(s.Spot.Section)))
	}
	c.say("", gutterWidth, part{plural(len(b.Sites), "request") + ":", bold})
	for _, says := range order {
		c.say("  ", 4, part{says, plain})
		for _, s := range groups[says] {
			c.say("    ", 6, part{requestBuilt(s, section), plain})
		}
	}
	c.raw("\n", plain)
}

// rank puts first what matters most.
func rank(s driver.Site) int {
	switch e := s.On(nx.Windows10).Executable; {
	case e == nx.Yes || e == nx.Maybe:
		return 0
	case s.Value.Unknown != "":
		return 1
	case e == nx.Unknown:
		return 2
	}
	return 3
}

func requestBuilt(s driver.Site, section int) string {
	where := functionBuilt(s)
	if f, ok := driver.Own(s.Spot.Frames); ok {
		where = frameText(f)
	}
	name := printable(s.Spot.Section)
	name += strings.Repeat(" ", max(0, section-wide(name)))
	return strings.TrimRight(fmt.Sprintf("%s  0x%-6x  %-31s  %s", name, s.Spot.RVA, s.DDI.Name, where), " ")
}

// verdict is the end: what came of it, why, what was not judged, and what to do.
func (c *console) verdict(b Built) {
	reasons := b.Reasons()
	if len(reasons) == 0 {
		reasons = []string{b.nothing()}
	}
	c.say("", gutterWidth, part{"Verdict:   ", bold}, part{string(b.Verdict()), colourOf[b.Verdict()]})
	for i, r := range reasons {
		label := "Why:       "
		if i > 0 {
			label = "           "
		}
		c.say("", len(label)+1, part{label, bold}, part{r, plain})
	}
	c.say("", len("Not judged: "), part{"Not judged:", bold}, part{notJudged, plain})
	c.say("", len("Not judged: "), part{"Next:      ", bold}, part{nextBuilt(b), plain})
}

// nextBuilt is the command that says more of what counts most.
func nextBuilt(b Built) string {
	var worst rule.Level
	id := ""
	for _, f := range b.Findings {
		if level(f) > max(worst, rule.Note) {
			worst, id = level(f), f.Rule.ID
		}
	}
	switch {
	case id != "" && b.Held:
		return "nxport explain " + id
	case id != "":
		return "nxport explain " + id + "; where you have the source: nxport scan SOURCE " + b.Build.Project
	case b.Verdict() == NoFinding:
		return "nothing has to be done"
	case b.Held:
		return "see what the source asks for there"
	}
	return "where you have the source: nxport scan SOURCE, which tells more"
}
