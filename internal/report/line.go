package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

// Asked is a line of a file that is to be explained. Column is 0 where the line as a whole is asked for.
type Asked struct {
	Path         string
	Line, Column int
	Compiling    []string // IDs of the builds that compile the file as a unit
	Read         string   // what was scanned
}

func (a Asked) has(p driver.Place) bool { return p.Path == a.Path && p.Line == a.Line }

// Line explains what stands on one line: the requests with how each value comes about and what each Windows gets, for each
// set of builds that get the same answer; the facts; the findings; and the requests elsewhere that hang on the line.
func Line(w io.Writer, r *Scan, a Asked) error {
	e := explanation{console: newConsole(w, View{}), scan: r, asked: a}
	e.requests()
	e.facts()
	e.declarations()
	e.suppressions()
	e.elsewhere()
	e.findings()
	if !e.said {
		e.nothing()
	}
	fmt.Fprintf(e, "Read: %s (%s).\n", a.Read, plural(len(r.Images), "build"))
	return e.Flush()
}

type explanation struct {
	*console
	scan  *Scan
	asked Asked
	said  bool
}

// block begins what is said of a place: a title, then the line of source unless the block before had it.
func (e *explanation) block(p driver.Place, title string) {
	e.said = true
	fmt.Fprintf(e, "%s: %s\n", p, title)
	e.frame(e.scan, p, plain)
}

// answer is one request as builds see it that answer alike.
type answer struct {
	driver.Site
	value  []string // how its value comes about
	gets   []string // what the opt-ins and each Windows make of that
	builds []string
	// executable says whether a Windows that has NX pool gives it executable memory.
	executable bool
}

// maxBlocks is how much of each sort is shown: a hostile line has millions of requests.
const maxBlocks = 20

// enough says whether n blocks of a sort are; where there are more, that is said.
func (e *explanation) enough(n int, sort string) bool {
	if n == maxBlocks {
		fmt.Fprintf(e, "More %s on this line are not shown.\n\n", sort)
	}
	return n >= maxBlocks
}

// requests explains those on the line: those at the column if it is that of some, else all.
func (e *explanation) requests() {
	list := e.answers()
	for n := 0; len(list) > 0 && !e.enough(n, "requests"); n++ {
		first := list[0]
		same := func(x answer) bool {
			return x.Place == first.Place && x.Spelled == first.Spelled && x.DDI.Name == first.DDI.Name
		}
		end := slices.IndexFunc(list, func(x answer) bool { return !same(x) })
		if end < 0 {
			end = len(list)
		}
		e.request(list[:end])
		list = list[end:]
	}
}

func (e *explanation) answers() []answer {
	var list []answer
	at := map[string]int{}
	add := func(s driver.Site, m driver.Image) {
		if !e.asked.has(s.Place) {
			return
		}
		x := answer{Site: s, value: derivation(s), gets: slices.Concat(optInOf(s, m), outcomes(s, m.Build)), executable: getsExecutable(s, m.Build)}
		key := fmt.Sprintf("%v %v %s %s %q %q %q", s.Place, s.Spelled, s.DDI.Name, s.State, s.Argument, x.value, x.gets)
		i, ok := at[key]
		if !ok {
			i, at[key] = len(list), len(list)
			list = append(list, x)
		}
		list[i].builds = with(list[i].builds, m.Build.ID)
	}
	for _, m := range e.scan.Images {
		for _, s := range m.Sites {
			add(s, m)
		}
	}
	for _, s := range e.scan.Dormant {
		add(s, driver.Image{})
	}
	order := map[string]int{} // what comes about alike stands together
	for i, x := range list {
		if key := fmt.Sprintf("%q", x.value); order[key] == 0 {
			order[key] = i + 1
		}
	}
	slices.SortStableFunc(list, func(a, b answer) int {
		return cmp.Or(a.Place.Compare(b.Place), a.Spelled.Compare(b.Spelled), cmp.Compare(a.DDI.Name, b.DDI.Name),
			cmp.Compare(order[fmt.Sprintf("%q", a.value)], order[fmt.Sprintf("%q", b.value)]))
	})
	elsewhere := func(x answer) bool { return x.Place.Column != e.asked.Column }
	if at := slices.DeleteFunc(slices.Clone(list), elsewhere); len(at) > 0 {
		return at
	}
	return list
}

// with adds a build to those before it. A site that no build has has none.
func with(ids []string, id string) []string {
	if id == "" || len(ids) > 0 && ids[len(ids)-1] == id {
		return ids
	}
	return append(ids, id)
}

func getsExecutable(s driver.Site, b driver.Build) bool {
	return slices.ContainsFunc(b.Windows, func(w nx.Version) bool {
		j := s.On(w).Executable
		return w.HasNX() && (j == nx.Yes || j == nx.Maybe)
	})
}

// optInCalls are the calls that set the image's variables.
func optInCalls(m driver.Image) []driver.Place {
	var list []driver.Place
	for _, f := range m.Facts {
		if f.Kind == driver.OptInCall && f.Effective {
			list = append(list, f.Place)
		}
	}
	return list
}

// request explains one, by the builds that answer alike, and says which builds leave it out.
func (e *explanation) request(list []answer) {
	x := list[0]
	title := x.DDI.Name
	if x.Function != "" {
		title += " in " + x.Function
	}
	e.block(x.Place, title)
	written := x.Argument
	if slices.ContainsFunc(list, func(y answer) bool { return y.Argument != written }) {
		written = "" // macros make it differ: each answer says its own
	}
	fmt.Fprintf(e, "  %s\n", labelled(decides(x.DDI), written))
	in := map[string]bool{}
	executable := false
	for i, x := range list {
		fmt.Fprintf(e, "\n%s\n", e.where(x))
		if written == "" && x.Argument != "" {
			fmt.Fprintf(e, "    %s\n", labelled(fmt.Sprintf("argument %d", x.DDI.Argument), x.Argument))
		}
		value := x.value
		if i > 0 && len(value) > 1 && slices.Equal(value, list[i-1].value) {
			value = []string{"as above: " + value[len(value)-1]}
		}
		for _, line := range slices.Concat(value, x.gets) {
			fmt.Fprintf(e, "    %s\n", line)
		}
		for _, id := range x.builds {
			in[id] = true
		}
		executable = executable || x.executable
	}
	out := slices.DeleteFunc(slices.Clone(e.asked.Compiling), func(id string) bool { return in[id] })
	if len(in) > 0 && len(out) > 0 {
		fmt.Fprintf(e, "\n%s\n    it is not there: a directive or a macro leaves it out\n", allBuilds(out))
	}
	if c, ok := nx.CheckOf(x.DDI.Kind); ok && executable {
		fmt.Fprintf(e, "\n  Driver Verifier's bug check for it: 0x%X/%#x (nxport explain %#[2]x)\n", nx.VerifierBugCheck, c.Code)
	}
	fmt.Fprintln(e)
}

// labelled puts a text behind what it is, if there is one.
func labelled(label, text string) string {
	if text == "" {
		return label
	}
	return label + ": " + text
}

// where names the builds of an answer, each of them.
func (e *explanation) where(x answer) string {
	if len(x.builds) == 0 {
		return "  " + nowhere[x.State]
	}
	return e.in(x.builds)
}

func (e *explanation) in(ids []string) string {
	if n := len(e.scan.Images); len(ids) == n && n > 1 {
		return fmt.Sprintf("  in all %d builds", n)
	}
	return allBuilds(ids)
}

// allBuilds names builds, the configurations by project and none left out.
func allBuilds(ids []string) string {
	var projects []string
	configurations := map[string][]string{}
	for _, id := range ids {
		project, configuration, _ := strings.Cut(id, "|")
		if configurations[project] == nil {
			projects = append(projects, project)
		}
		configurations[project] = append(configurations[project], strings.ReplaceAll(configuration, " ", "\x00"))
	}
	for i, project := range projects {
		text := "in " + project
		if list := configurations[project]; list[0] != "" {
			text += " (" + strings.Join(list, ", ") + ")"
		}
		projects[i] = strings.ReplaceAll(wrap(text, 100, "  "), "\x00", " ") // a configuration is not broken
	}
	return strings.Join(projects, "\n")
}

var nowhere = map[driver.State]string{
	driver.Inactive:   "in no build: the directives leave it out everywhere",
	driver.Unexpanded: "in no build: the macro it stands in is used nowhere",
	driver.Unbuilt:    "in no build: no build that was read compiles this file",
}

// telling is what is said of a fact, and by which builds.
type telling struct {
	driver.Fact
	says   string
	builds []string
}

// facts says what else stands on the line.
func (e *explanation) facts() {
	list := e.tellings()
	for n := 0; len(list) > 0 && !e.enough(n, "facts"); n++ {
		first := list[0]
		e.block(first.Place, string(first.Kind))
		for len(list) > 0 && list[0].Place == first.Place && list[0].Kind == first.Kind {
			fmt.Fprintf(e, "%s\n    %s\n", e.in(list[0].builds), list[0].says)
			list = list[1:]
		}
		fmt.Fprintln(e)
	}
}

func (e *explanation) tellings() []telling {
	var list []telling
	at := map[string]int{}
	for _, m := range e.scan.Images {
		for _, f := range m.Facts {
			if !e.asked.has(f.Place) {
				continue
			}
			says := factSays(f, m)
			key := fmt.Sprint(f.Place, f.Kind, says)
			i, ok := at[key]
			if !ok {
				i, at[key] = len(list), len(list)
				list = append(list, telling{f, says, nil})
			}
			list[i].builds = with(list[i].builds, m.Build.ID)
		}
	}
	slices.SortStableFunc(list, func(a, b telling) int { return cmp.Or(a.Place.Compare(b.Place), cmp.Compare(a.Kind, b.Kind)) })
	return list
}

// declarations says that a DDI's name is declared or defined on the line.
func (e *explanation) declarations() {
	n := 0
	for _, p := range e.scan.Declarations {
		if !e.asked.has(p) {
			continue
		}
		if e.enough(n, "declarations") {
			return
		}
		n++
		e.block(p, "a declaration or definition, no request")
		fmt.Fprintln(e)
	}
}

// suppressions says what is silenced on the line, and where.
func (e *explanation) suppressions() {
	said := map[string]bool{}
	for _, m := range e.scan.Images {
		for _, s := range m.Suppressions {
			title := "suppresses " + strings.Join(s.Rules, ", ")
			if s.Reason != "" {
				title += ": " + s.Reason
			}
			key := s.Place.String() + title
			if !e.asked.has(s.Place) || said[key] {
				continue
			}
			said[key] = true
			e.block(s.Place, title)
			for _, l := range s.Covers {
				fmt.Fprintf(e, "  covers %s:%d to %d\n", l.Path, l.From, l.To)
			}
			fmt.Fprintln(e)
		}
	}
}

func factSays(f driver.Fact, m driver.Image) string {
	switch f.Kind {
	case driver.Entry:
		return f.Function + ", by which Windows enters the driver; the file is compiled " + by(f.Mechanism)
	case driver.KitInclude:
		says := "wdm.h is first reached here, which decides on the opt-in: the file is compiled " + by(f.Mechanism)
		if f.Waits {
			says += "; this kit's headers know none, and nxpool.h does not follow"
		}
		return says
	case driver.OptInUnknown:
		return f.Says + " has no effect: this kit's headers know no opt-in, and nxpool.h does not follow"
	case driver.OptInCall:
		return callSays(f, m)
	}
	says := []string{cmp.Or(f.Says, string(f.Kind))}
	if f.Function != "" {
		says = append(says, "in "+f.Function)
	}
	return strings.Join(says, ", ")
}

func by(m nx.Mechanism) string {
	if m == nx.None {
		return "without an opt-in"
	}
	return "with " + m.Macro()
}

// callSays says whether an opt-in call has an effect, and why not.
func callSays(f driver.Fact, m driver.Image) string {
	switch {
	case f.Effective && m.Build.Initialised == driver.InitLate:
		return "sets the variables on Windows 8 and later, but requests run before it"
	case f.Effective && m.Build.Initialised == driver.InitUnknown:
		return "sets the variables on Windows 8 and later; not found on every way from the entry routine"
	case f.Effective:
		return "sets the variables to NX on Windows 8 and later"
	case f.Mechanism == nx.None:
		return "does nothing: the file is compiled without POOL_NX_OPTIN"
	case f.Mechanism == nx.OptInAuto:
		return "does nothing and is not needed: the file is compiled with POOL_NX_OPTIN_AUTO"
	case f.Mechanism == nx.OptedOut:
		return "does nothing: the file is compiled with POOL_NX_OPTOUT"
	}
	return "may do nothing: its argument is not known"
}

// maxElsewhere is how many requests are named that hang on one thing on a line.
const maxElsewhere = 10

// hanging is a request that comes by another line: by a macro, a wrapper's call, or what is written to a variable.
type hanging struct {
	on      driver.Place
	says    string
	request driver.Place
	ddi     string
}

// ways gives what the requests of all builds hang on, by place.
func (e *explanation) ways() []hanging {
	var list []hanging
	seen := map[hanging]bool{}
	for _, m := range e.scan.Images {
		for _, s := range m.Sites {
			steps := s.Value.Steps
			if p := s.Spelled; p.Path != "" && !slices.ContainsFunc(steps, func(x driver.Step) bool { return x.Path == p.Path && x.Line == p.Line }) {
				steps = append(slices.Clone(steps), driver.Step{Place: p, Says: s.DDI.Name + " is spelled here"})
			}
			for _, step := range steps {
				if h := (hanging{step.Place, step.Says, s.Place, s.DDI.Name}); !seen[h] {
					seen[h] = true
					list = append(list, h)
				}
			}
		}
	}
	slices.SortFunc(list, func(a, b hanging) int {
		return cmp.Or(a.on.Compare(b.on), cmp.Compare(a.says, b.says), a.request.Compare(b.request), cmp.Compare(a.ddi, b.ddi))
	})
	return list
}

// elsewhere names the requests on other lines that hang on this one.
func (e *explanation) elsewhere() {
	list := slices.DeleteFunc(e.ways(), func(h hanging) bool { return !e.asked.has(h.on) || e.asked.has(h.request) })
	for blocks := 0; len(list) > 0 && !e.enough(blocks, "ways to requests"); blocks++ {
		first := list[0]
		n := 0
		for n < len(list) && list[n].on == first.on && list[n].says == first.says {
			n++
		}
		e.block(first.on, first.says)
		come := "come"
		if n == 1 {
			come = "comes"
		}
		fmt.Fprintf(e, "  %s %s about by it:\n", plural(n, "request"), come)
		for _, h := range list[:min(n, maxElsewhere)] {
			fmt.Fprintf(e, "    %s: %s\n", h.request, h.ddi)
		}
		if n > maxElsewhere {
			fmt.Fprintf(e, "    %d more\n", n-maxElsewhere)
		}
		fmt.Fprintln(e)
		list = list[n:]
	}
}

// findings names those on the line, those that are suppressed too.
func (e *explanation) findings() {
	n := 0
	for _, f := range slices.Concat(e.scan.Findings, e.scan.Suppressed) {
		if !e.asked.has(f.Place) {
			continue
		}
		if e.enough(n, "findings") {
			return
		}
		n++
		e.finding(f)
	}
}

func (e *explanation) finding(f rule.Finding) {
	e.said = true
	fmt.Fprintf(e, "%s %s: %s\n", f.Level, f.Rule.ID, f.Message)
	for _, s := range f.Steps {
		fmt.Fprintf(e, "  %s\n", at(s))
	}
	fmt.Fprintln(e, e.in(f.Builds))
	if s := f.Suppressed; s != nil {
		fmt.Fprintf(e, "  suppressed at %s", s.Place)
		if s.Reason != "" {
			fmt.Fprintf(e, ": %s", s.Reason)
		}
		fmt.Fprintln(e)
	}
	if f.Fix != nil {
		fmt.Fprintf(e, "  fix: %s\n", f.Fix.Title)
	}
	fmt.Fprintf(e, "  more: nxport explain %s\n\n", f.Rule.ID)
}

// maxNearest is how many lines of the file are named where nothing stands on the one that was asked for.
const maxNearest = 5

// nothing says that nothing stands on the line, and what is nearest in the file.
func (e *explanation) nothing() {
	a := e.asked
	fmt.Fprintf(e, "No request for memory stands at %s:%d, and none comes about by that line.\n", a.Path, a.Line)
	near := e.nearest()
	switch {
	case len(near) > 0:
		fmt.Fprintln(e, "The nearest in this file:")
	case len(a.Compiling) == 0:
		fmt.Fprintln(e, "The file holds none, and no build that was read compiles it by itself.")
	default:
		fmt.Fprintln(e, "The file holds none.")
	}
	for _, x := range near {
		fmt.Fprintf(e, "  %s: %s\n", x.Place, x.Says)
	}
	fmt.Fprintln(e)
}

// nearest gives the requests of the file, and what others hang on, that stand nearest to the line.
func (e *explanation) nearest() []driver.Step {
	var list []driver.Step
	for _, h := range e.ways() {
		list = append(list, driver.Step{Place: h.on, Says: h.says})
	}
	for _, m := range e.scan.Images {
		for _, s := range m.Sites {
			list = append(list, driver.Step{Place: s.Place, Says: s.DDI.Name})
		}
	}
	for _, s := range e.scan.Dormant {
		list = append(list, driver.Step{Place: s.Place, Says: s.DDI.Name + ", " + string(s.State)})
	}
	list = slices.DeleteFunc(list, func(x driver.Step) bool { return x.Path != e.asked.Path })
	distance := func(x driver.Step) int { return max(x.Line-e.asked.Line, e.asked.Line-x.Line) }
	slices.SortStableFunc(list, func(x, y driver.Step) int { return cmp.Or(distance(x)-distance(y), x.Place.Compare(y.Place)) })
	list = slices.CompactFunc(list, func(x, y driver.Step) bool { return x.Place == y.Place })
	list = list[:min(len(list), maxNearest)]
	slices.SortFunc(list, func(x, y driver.Step) int { return x.Place.Compare(y.Place) })
	return list
}
