package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

// TextAbove is Text for source that built drivers follow.
func TextAbove(w io.Writer, r *Scan, v View) error {
	err := Text(w, r, v)
	fmt.Fprintln(w)
	return err
}

// DriversText writes built drivers for people: of one that was named alone all that is known, of several a row each, as they come, and
// how many there are of each verdict.
func DriversText(w io.Writer, d Drivers, v View) error {
	c := newConsole(w, v)
	width := c.columnOf(d.Paths)
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

// columnOf is how wide the column of the paths is: no more than a third of a terminal.
func (c *console) columnOf(paths []string) int {
	width := 0
	for _, p := range paths {
		width = max(width, wide(printable(p)))
	}
	if most := c.view.Width / 3; most > 0 {
		width = min(width, most)
	}
	return width
}

// row says of one driver what came of it, and the first reason; on a terminal on one line.
func (c *console) row(b Built, width int) {
	path := cutFront(printable(b.Build.Project), width)
	verdict := b.Verdict()
	reason := printable(append(b.Reasons(), b.nothing())[0])
	if w := c.view.Width; w > 0 {
		reason = cutBack(reason, w-width-len(Differs)-len("    ")-1)
	}
	c.raw(path+strings.Repeat(" ", max(0, width-wide(path))), bold)
	c.raw(fmt.Sprintf("  %-*s", len(Differs), verdict), colourOf[verdict])
	c.raw("  "+reason+"\n", plain)
	switch {
	case b.NotHeld != "":
		c.say("    ", 4, part{"not held against the source:", red}, part{b.NotHeld, plain})
	case b.Held:
		c.say("    ", 4, part{"beside " + b.Source + ":", plain}, part{heldCounts(b.Matches), plain})
		for _, m := range b.Matches {
			if m.Verdict == driver.Disagree {
				c.match(m, "      ")
			}
		}
	}
}

// cutFront leaves the end of a text, as much as there is room for; cutBack the beginning.
func cutFront(text string, width int) string {
	for wide(text) > width {
		_, n := utf8.DecodeRuneInString(strings.TrimPrefix(text, "…"))
		text = "…" + strings.TrimPrefix(text, "…")[n:]
	}
	return text
}

func cutBack(text string, width int) string {
	for wide(text) > width && text != "…" && text != "" {
		text = strings.TrimSuffix(text, "…")
		_, n := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-n] + "…"
	}
	return text
}

// nothing says what there is of a driver, where nothing else is to say.
func (d Built) nothing() string {
	n := len(d.Sites)
	switch {
	case n == 0:
		return "no request for memory"
	case !slices.ContainsFunc(d.Build.Windows, nx.Version.HasNX):
		return plural(n, "request") + ", judged for no Windows that has no-execute pool"
	case n == 1:
		return "1 request, not executable from Windows 8 on"
	}
	return fmt.Sprintf("%d requests, none of them executable from Windows 8 on", n)
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
		f, n := g.list[g.full], len(g.list)-g.full
		c.say("", gutterWidth, part{plural(n, "more place") + ":", bold}, part{heading(f), colours[level(f)]}, part{f.Rule.ID + ":", bold}, part{f.Message, plain})
	}
	if len(ordered(groups)) > 0 {
		c.raw("\n", plain)
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
	for _, f := range b.Facts {
		if f.Kind == driver.OptInCall {
			c.say("  ", 4, part{"opt-in" + address(f.Spot) + ":", bold}, part{f.Says, plain})
		}
	}
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
	at := "the image:"
	if f.Spot != nil {
		at = fmt.Sprintf("0x%x:", f.Spot.RVA)
	}
	c.say("", gutterWidth, part{at, bold}, part{heading(f), colours[level(f)]}, part{f.Rule.ID + ":", bold}, part{f.Message, plain})
	if f.Site != nil {
		c.note("at", cyan, whereBuilt(*f.Site))
		c.steps("from", within(f.Place.Path, f.Site.Value.Steps))
		if f.Site.Value.Unknown != "" {
			c.note("not known:", cyan, f.Site.Value.Unknown)
		}
	}
	c.steps("see", f.Steps)
	c.advice(in, f, nil)
}

// within leaves the path out of steps that are in the image itself, which say their addresses.
func within(path string, steps []driver.Step) []driver.Step {
	list := slices.Clone(steps)
	for i, s := range list {
		if s.Path == path && s.Line == 0 {
			list[i].Path = ""
		}
	}
	return list
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
	return strings.Join(parts, ", ")
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
	c.imports(b)
	if len(b.Sites) == 0 {
		return
	}
	var order []string
	groups := map[string][]driver.Site{}
	for _, s := range b.Sites {
		says := in.gets(rule.Finding{Site: &s, Builds: []string{b.Build.ID}})
		if s.UserMode || s.DDI.UserMemory {
			says += ", for user mode"
		}
		if hasTokens(s.Value) {
			says = termsOf(s.Value) + ": " + says
		}
		switch {
		case s.Value.Unknown != "" && len(s.Value.Terms) > 0:
			says += "; or not known: " + s.Value.Unknown
		case s.Value.Unknown != "":
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

// imports names the routines that give memory, and of which no call was found.
func (c *console) imports(b Built) {
	if names := b.uncalled(); len(names) > 0 {
		c.say("", gutterWidth, part{"Imported, and no call found:", bold}, part{strings.Join(names, ", "), plain})
		c.raw("\n", plain)
	}
}

// hasTokens says whether the value is that of a variable of the opt-in, or more than numbers otherwise.
func hasTokens(v driver.Value) bool {
	return slices.ContainsFunc(v.Terms, func(t driver.Term) bool { return len(t.Tokens) > 0 })
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
	case b.Verdict() == Differs:
		return "nxport explain " + differsID
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
