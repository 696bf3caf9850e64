package report

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// Text writes a scan for people: each finding with its line of source, how the value came about, what each Windows
// gets and what to do; then what was asked for in all, build by build.
func Text(w io.Writer, r *Scan) error {
	b := bufio.NewWriter(w)
	for _, f := range r.Findings {
		finding(b, r, f)
	}
	builds(b, r)
	summary(b, r)
	return b.Flush()
}

func finding(w io.Writer, r *Scan, f rule.Finding) {
	fmt.Fprintf(w, "%s: %s %s: %s\n", f.Place, f.Level, f.Rule.ID, f.Message)
	frame(w, r, f.Place)
	if f.Site != nil {
		for _, s := range f.Site.Value.Steps {
			fmt.Fprintf(w, "     | %s:%d: %s\n", s.Path, s.Line, s.Says)
		}
		if what := gets(r, f); len(what) > 0 {
			fmt.Fprintf(w, "     = gets %s\n", strings.Join(what, "; "))
		}
	}
	fmt.Fprintf(w, "     = in %s\n", buildsOf(r, f.Builds))
	if f.Fix != nil {
		fmt.Fprintf(w, "     = fix: %s\n", f.Fix.Title)
	}
	fmt.Fprintln(w)
}

// frame shows the line of a place, and a caret below the column.
func frame(w io.Writer, r *Scan, p driver.Place) {
	data, err := r.Tree.Read(p.Path)
	if err != nil || p.Line == 0 || p.Offset > len(data) || tree.IsUTF16(data) && p.Offset < 2 {
		return
	}
	before, after := data[:p.Offset], data[p.Offset:]
	if tree.IsUTF16(data) {
		before, _ = tree.DecodeUTF16(before)
		after, _ = tree.DecodeUTF16(append(data[:2:2], after...))
	}
	before = before[bytes.LastIndexByte(before, '\n')+1:]
	rest, _, _ := bytes.Cut(after, []byte("\n"))
	line := strings.TrimRight(string(before)+string(rest), "\r")
	pad := strings.Map(func(c rune) rune {
		if c == '\t' {
			return c
		}
		return ' '
	}, string(before))
	fmt.Fprintf(w, "%4d | %s\n     | %s^\n", p.Line, line, pad)
}

// gets says what a request gets on each Windows, for the first build of the finding. Versions that get the same stand
// together.
func gets(r *Scan, f rule.Finding) []string {
	var out []string
	versions := map[string][]string{}
	for _, m := range r.Images {
		if m.Build.ID != f.Builds[0] {
			continue
		}
		for _, w := range m.Build.Windows {
			o := f.Site.On(w)
			what := fmt.Sprintf("%s (%s)", values(o), judgement[o.Executable])
			if versions[what] == nil {
				out = append(out, what)
			}
			versions[what] = append(versions[what], strings.TrimPrefix(w.Name(), "Windows "))
		}
	}
	for i, what := range out {
		out[i] += " on Windows " + strings.Join(versions[what], ", ")
	}
	return out
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
			parts = append(parts, fmt.Sprint(v))
		}
	}
	if len(parts) == 0 {
		return "?"
	}
	return strings.Join(parts, " or ")
}

// buildsOf names builds: all of them, or the configurations by project.
func buildsOf(r *Scan, ids []string) string {
	if len(ids) == len(r.Images) && len(ids) > 1 {
		return fmt.Sprintf("all %d builds", len(ids))
	}
	return Builds(ids)
}

// Builds turns a.vcxproj|Debug|x64, a.vcxproj|Release|x64 into a.vcxproj (Debug|x64, Release|x64).
func Builds(ids []string) string {
	var projects []string
	configurations := map[string][]string{}
	for _, id := range ids {
		project, configuration, _ := strings.Cut(id, "|")
		if configurations[project] == nil {
			projects = append(projects, project)
		}
		configurations[project] = append(configurations[project], configuration)
	}
	for i, p := range projects {
		list := configurations[p]
		if len(list) > 4 {
			list = append(list[:3:3], fmt.Sprintf("%d more", len(list)-3))
		}
		if list[0] != "" {
			projects[i] += " (" + strings.Join(list, ", ") + ")"
		}
	}
	return strings.Join(projects, ", ")
}

// builds says of each build what it asks for and whether it is opted in. Builds of one build file that do the same stand
// together.
func builds(w io.Writer, r *Scan) {
	var lines []string
	ids := map[string][]string{}
	for _, m := range r.Images {
		line := fmt.Sprintf("%s, %d executable on Windows 10; %s; minimum %s (%s)",
			plural(len(m.Sites), "request"), executableOn10(m), optedIn(m.Build), m.Build.Minimum.Name(), m.Build.MinimumSource)
		for _, e := range m.Build.Exceptions {
			line += fmt.Sprintf("\n  %s: %s", e.Path, mechanism[e.Mechanism])
		}
		line = m.Build.Project + "\x00" + line
		if ids[line] == nil {
			lines = append(lines, line)
		}
		ids[line] = append(ids[line], m.Build.ID)
	}
	for _, line := range lines {
		_, says, _ := strings.Cut(line, "\x00")
		fmt.Fprintf(w, "%s: %s\n", Builds(ids[line]), says)
	}
}

func executableOn10(m driver.Image) int {
	n := 0
	for _, s := range m.Sites {
		if e := s.On(nx.Windows10).Executable; e == nx.Yes || e == nx.Maybe {
			n++
		}
	}
	return n
}

var mechanism = map[nx.Mechanism]string{
	nx.None: "not opted in", nx.OptIn: "POOL_NX_OPTIN", nx.OptInAuto: "POOL_NX_OPTIN_AUTO", nx.OptedOut: "opted out by POOL_NX_OPTOUT",
}

var initialised = map[driver.Initialised]string{
	driver.InitYes: " with its call", driver.InitNo: " without its call", driver.InitLate: " with its call after a request",
	driver.InitUnknown: ", its call not found on the way from the entry routine", driver.InitNotNeeded: "",
}

func optedIn(b driver.Build) string { return mechanism[b.Mechanism] + initialised[b.Initialised] }

// skipped names what is no driver, together where the reason is the same and the files that are shared with one.
func skipped(w io.Writer, list []project.Skipped) {
	var lines []string
	paths := map[string][]string{}
	for _, s := range list {
		line := s.Why
		if len(s.Shares) > 0 {
			line += "; it shares with a driver " + some(s.Shares)
		}
		if paths[line] == nil {
			lines = append(lines, line)
		}
		paths[line] = append(paths[line], s.Path)
	}
	for _, line := range lines {
		fmt.Fprintf(w, "skipped %s: %s\n", some(paths[line]), line)
	}
}

// some names the first of a list, and how many more there are.
func some(list []string) string {
	const most = 3
	if len(list) > most {
		list = append(list[:most:most], fmt.Sprintf("%d more", len(list)-most))
	}
	return strings.Join(list, ", ")
}

func summary(w io.Writer, r *Scan) {
	skipped(w, r.Skipped)
	for _, s := range r.Unreadable {
		fmt.Fprintf(w, "unreadable %s: %s\n", s.Path, s.Why)
	}
	if len(r.Images) == 0 {
		return
	}
	states := map[driver.State]int{}
	for _, st := range positions(requests(r)) {
		states[st]++
	}
	fmt.Fprintf(w, "%s in %s (%d not known), %s", plural(states[driver.Resolved]+states[driver.Unknown], "request"),
		plural(len(r.Images), "build"), states[driver.Unknown], plural(len(r.Findings), "finding"))
	fixes := 0
	for _, f := range r.Findings {
		if f.Fix != nil {
			fixes++
		}
	}
	if fixes > 0 {
		fmt.Fprintf(w, ", %d of which nxport port mends", fixes)
	}
	fmt.Fprintln(w, ".")
	if n := len(r.Dormant); n > 0 {
		fmt.Fprintf(w, "%s not reached: %d in code that no build compiles, %d in macros that nobody uses, %d in files of no build.\n",
			plural(n, "more request"), states[driver.Inactive], states[driver.Unexpanded], states[driver.Unbuilt])
	}
}

// TraceText writes what a trace saw as a table.
func TraceText(w io.Writer, images []driver.Image) error {
	b := bufio.NewWriter(w)
	for i, m := range images {
		if i > 0 {
			fmt.Fprintln(b)
		}
		for _, s := range m.Sites {
			q := s.Seen
			size := ""
			if q.Size > 0 {
				size = plural(int(q.Size), "byte")
			}
			fmt.Fprintf(b, "%-10s  %-31s  %#-10x  %-4s  %11s  %s\n",
				q.Windows.Name(), s.DDI.Name, q.Value, q.Tag, size, judgement[s.On(q.Windows).Executable])
		}
	}
	return b.Flush()
}
