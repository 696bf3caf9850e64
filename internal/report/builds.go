package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/nx"
)

// builds are those of a scan, at hand by their names.
type builds struct {
	images []driver.Image
	byID   map[string]driver.Build
	of     map[string]int // how many a build file has
}

func newBuilds(r *Scan) *builds {
	in := &builds{images: r.Images, byID: map[string]driver.Build{}, of: map[string]int{}}
	for _, m := range r.Images {
		in.byID[m.Build.ID] = m.Build
		in.of[buildFile(m.Build.ID)]++
	}
	return in
}

func buildFile(id string) string {
	file, _, _ := strings.Cut(id, "|")
	return file
}

// names gives builds as "all 8 builds" or as a short list.
func (in *builds) names(ids []string) string {
	ids = distinct(ids)
	if len(ids) == len(in.images) && len(ids) > 1 {
		return fmt.Sprintf("all %d builds", len(ids))
	}
	return strings.Join(shorten(byFile(ids, in.of), "build file"), ", ")
}

// Builds turns a.vcxproj|Debug|x64, a.vcxproj|Release|x64 into a.vcxproj (Debug|x64, Release|x64).
func Builds(ids []string) string { return strings.Join(byFile(ids, nil), ", ") }

// FewBuilds names builds as Builds does, but of more than a few build files the first alone.
func FewBuilds(ids []string) string {
	return strings.Join(shorten(byFile(ids, nil), "build file"), ", ")
}

// byFile names builds by their build file, all those of one that has more than a few as such.
func byFile(ids []string, of map[string]int) []string {
	var files []string
	configurations := map[string][]string{}
	for _, id := range ids {
		file, configuration, _ := strings.Cut(id, "|")
		if configurations[file] == nil {
			files = append(files, file)
		}
		configurations[file] = append(configurations[file], configuration)
	}
	for i, file := range files {
		list := configurations[file]
		switch {
		case list[0] == "":
		case len(list) == of[file] && len(list) > 2:
			files[i] += fmt.Sprintf(" (all %d builds)", len(list))
		case len(list) > 4:
			files[i] += fmt.Sprintf(" (%s, %d more)", strings.Join(list[:3], ", "), len(list)-3)
		default:
			files[i] += " (" + strings.Join(list, ", ") + ")"
		}
	}
	return files
}

func distinct(list []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// shorten keeps the first of a list, and says how many more there are.
func shorten(list []string, one string) []string {
	const most = 3
	if len(list) <= most {
		return list
	}
	more := fmt.Sprintf("%d more", len(list)-most)
	if one != "" {
		more = plural(len(list)-most, "more "+one)
	}
	return append(list[:most:most], more)
}

// row is what is said of one or several builds of a build file that do the same.
type row struct {
	ids   []string
	says  string
	below []string // a line for each file that differs
	quiet bool     // it asks for nothing executable, and there is nothing else to say
	state string   // whether it is opted in
}

// rows says of each build what it asks for and whether it is opted in.
func (in *builds) rows() []*row {
	var rows []*row
	at := map[string]*row{}
	for _, m := range in.images {
		b, n := m.Build, executableOn10(m)
		line := &row{state: optedIn(b), quiet: n == 0 && len(b.Exceptions) == 0 && slices.Contains(quiet, b.Initialised)}
		line.says = fmt.Sprintf("%s, %d executable on Windows 10; %s; minimum %s (%s)",
			plural(len(m.Sites), "request"), n, line.state, b.Minimum.Name(), b.MinimumSource)
		for _, e := range b.Exceptions {
			line.below = append(line.below, e.Path+": "+mechanism[e.Mechanism])
		}
		key := strings.Join(append([]string{b.Project, line.says}, line.below...), "\x00")
		if at[key] == nil {
			at[key] = line
			rows = append(rows, line)
		}
		at[key].ids = append(at[key].ids, b.ID)
	}
	return rows
}

var quiet = []driver.Initialised{driver.InitYes, driver.InitNotNeeded, ""}

// maxRows is how many rows of builds are shown; where there are more, the quiet ones are counted only, and of those
// that still are too many the rest is named.
const maxRows = 12

func (c *console) builds(in *builds) {
	rows := in.rows()
	var calm []*row
	if len(rows) > maxRows {
		calm = slices.DeleteFunc(slices.Clone(rows), func(l *row) bool { return !l.quiet })
		rows = slices.DeleteFunc(rows, func(l *row) bool { return l.quiet })
	}
	for _, l := range rows[:min(len(rows), maxRows)] {
		c.say("", gutterWidth, part{strings.Join(byFile(l.ids, nil), ", ") + ":", bold}, part{l.says, plain})
		for _, line := range l.below {
			c.say("  ", gutterWidth, part{line, plain})
		}
	}
	if len(rows) > maxRows {
		var ids []string
		for _, l := range rows[maxRows:] {
			ids = append(ids, l.ids...)
		}
		c.say("", gutterWidth, part{"of these, too, something is executable or to say:", bold}, part{strings.Join(byFile(ids, in.of), ", "), plain})
	}
	c.calm(calm)
}

// calm counts the builds of which there is nothing to say, by what they are opted in with.
func (c *console) calm(rows []*row) {
	var states []string
	counts, n := map[string]int{}, 0
	for _, l := range rows {
		if counts[l.state] == 0 {
			states = append(states, l.state)
		}
		counts[l.state] += len(l.ids)
		n += len(l.ids)
	}
	if n == 0 {
		return
	}
	slices.SortStableFunc(states, func(a, b string) int { return counts[b] - counts[a] })
	for i, s := range states {
		states[i] = fmt.Sprintf("%d %s", counts[s], s)
	}
	c.say("", gutterWidth, part{plural(n, "more build") + ":", bold}, part{"nothing executable on Windows 10 (" + strings.Join(states, ", ") + ")", plain})
}

func executableOn10(m driver.Image) int {
	n := 0
	for _, s := range m.Sites {
		if isExecutable(s) {
			n++
		}
	}
	return n
}

// isExecutable says whether a request is executable on Windows 10, or may be.
func isExecutable(s driver.Site) bool {
	e := s.On(nx.Windows10).Executable
	return e == nx.Yes || e == nx.Maybe
}

var mechanism = map[nx.Mechanism]string{
	nx.None: "not opted in", nx.OptIn: "POOL_NX_OPTIN", nx.OptInAuto: "POOL_NX_OPTIN_AUTO", nx.OptedOut: "opted out by POOL_NX_OPTOUT",
}

var initialised = map[driver.Initialised]string{
	driver.InitYes: " with its call", driver.InitNo: " without its call", driver.InitLate: " with its call after a request",
	driver.InitUnknown: ", its call not found on the way from the entry routine", driver.InitNotNeeded: "",
}

func optedIn(b driver.Build) string { return mechanism[b.Mechanism] + initialised[b.Initialised] }

// others names what was not judged: what is no driver or can't be read, what no build gets to, what is suppressed.
func (c *console) others(r *Scan, t totals, v View) {
	c.skipped(r.Skipped)
	for _, s := range r.Unreadable {
		c.say("", gutterWidth, part{"unreadable", red}, part{s.Path + ":", bold}, part{s.Why, plain})
	}
	if t.unknown > 0 {
		c.say("", gutterWidth, part{plural(t.unknown, "request") + " not known: --format json says why.", plain})
	}
	if len(r.Dormant) > 0 {
		c.say("", gutterWidth, part{plural(len(r.Dormant), "more request") + " not reached: " + strings.Join(dormant(r), ", ") + ".", plain})
	}
	if n := len(r.Suppressed); n > 0 && !v.Suppressed {
		c.say("", gutterWidth, part{plural(n, "finding") + " suppressed in the source: --show-suppressed lists what and why.", plain})
	}
}

// dormant counts the requests that no build gets to, by the reason.
func dormant(r *Scan) []string {
	states := map[driver.State]int{}
	for _, s := range r.Dormant {
		states[s.CurrentState()]++
	}
	var parts []string
	for _, p := range []struct {
		state driver.State
		where string
	}{
		{driver.Inactive, "in code that no build compiles"},
		{driver.Unexpanded, "in macros that nobody uses"},
		{driver.Unbuilt, "in files of no build"},
	} {
		if n := states[p.state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, p.where))
		}
	}
	return parts
}

// skipped names what is no driver, together where the reason is the same and the files that are shared with one.
func (c *console) skipped(list []project.Skipped) {
	var lines []string
	paths := map[string][]string{}
	for _, s := range list {
		line := s.Why
		if len(s.Shares) > 0 {
			line += "; it shares with a driver " + strings.Join(shorten(s.Shares, ""), ", ")
		}
		if paths[line] == nil {
			lines = append(lines, line)
		}
		paths[line] = append(paths[line], s.Path)
	}
	for _, line := range lines {
		c.say("", gutterWidth, part{"skipped", dim}, part{strings.Join(shorten(paths[line], ""), ", ") + ":", plain}, part{line, plain})
	}
}
