package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

// ending is three lines that answer what is executable where, why, and what mends it.
func (c *console) ending(r *Scan, in *builds, t totals, v View) {
	if len(r.Images) == 0 {
		return
	}
	c.raw("\n", plain)
	for _, line := range [][2]string{{"Where:", t.where(in, v)}, {"Why:  ", t.why(r)}, {"Next: ", todo(r, v)}} {
		c.raw(line[0], bold)
		c.raw(" "+printable(line[1])+"\n", plain)
	}
}

// totals count positions: a request that several builds compile is one.
type totals struct {
	requests, executable, unknown int
	files                         map[string]int // executable ones by build file
}

func count(r *Scan) totals {
	t := totals{files: map[string]int{}}
	unknown, executable := map[position]bool{}, map[position]bool{}
	type located struct {
		position
		file string
	}
	counted := map[located]bool{}
	for _, m := range r.Images {
		file := buildFile(m.Build.ID)
		for _, s := range m.Sites {
			p := position{s.Place, s.Spelled}
			unknown[p] = unknown[p] || s.CurrentState() == driver.Unknown
			if in := (located{p, file}); isExecutable(s) && !counted[in] {
				counted[in], executable[p] = true, true
				t.files[file]++
			}
		}
	}
	t.requests, t.executable = len(unknown), len(executable)
	for _, is := range unknown {
		if is {
			t.unknown++
		}
	}
	return t
}

// where names the build files with the most executable requests, three or as many as the terminal has room for.
func (t totals) where(in *builds, v View) string {
	all := fmt.Sprintf("%s in %s", plural(t.requests, "request"), plural(len(in.images), "build"))
	if t.executable == 0 {
		return "none of " + all + " is executable on Windows 10"
	}
	files := make([]string, 0, len(t.files))
	for file := range t.files {
		files = append(files, file)
	}
	slices.SortFunc(files, func(a, b string) int { return cmp.Or(t.files[b]-t.files[a], strings.Compare(a, b)) })
	line := fmt.Sprintf("%d of %s executable on Windows 10", t.executable, all)
	for n := min(3, len(files)); n > 0; n-- {
		if names := line + ": " + t.name(files, n); v.Width == 0 || len("Where: ")+wide(names) <= v.Width {
			return names
		}
	}
	return line + ": " + plural(len(files), "build file") // which stand above
}

// name names the first n build files with their numbers of requests.
func (t totals) name(files []string, n int) string {
	if len(files) == 1 {
		return files[0]
	}
	var names []string
	for _, file := range files[:n] {
		names = append(names, fmt.Sprintf("%s (%d)", file, t.files[file]))
	}
	if rest := len(files) - n; rest > 0 {
		names = append(names, fmt.Sprintf("%d more", rest))
	}
	return strings.Join(names, ", ")
}

// why counts the findings by their cause, remarks last.
func (t totals) why(r *Scan) string {
	var causes, remarks []string
	counts := map[string]int{}
	for _, f := range r.Findings {
		text := cause(f)
		if counts[text]++; counts[text] > 1 {
			continue
		}
		if f.Level == rule.Note && !f.NoAlternative {
			remarks = append(remarks, text)
		} else {
			causes = append(causes, text)
		}
	}
	more := func(a, b string) int { return counts[b] - counts[a] }
	slices.SortStableFunc(causes, more)
	slices.SortStableFunc(remarks, more)
	if len(causes) == 0 {
		causes = append(causes, t.without(r))
	}
	for i, text := range slices.Concat(causes, remarks) {
		if n := counts[text]; n > 0 {
			text = fmt.Sprintf("%d %s", n, text)
		}
		if i < len(causes) {
			causes[i] = text
		} else {
			remarks[i-len(causes)] = text
		}
	}
	return strings.Join(slices.Concat(causes, remarks), "; ")
}

// without says why no finding fails.
func (t totals) without(r *Scan) string {
	newest := nx.Version{}
	for _, m := range r.Images {
		for _, w := range m.Build.Windows {
			if newest.Before(w) {
				newest = w
			}
		}
	}
	switch {
	case t.executable == 0 && t.unknown > 0:
		return "nothing that is known asks for executable memory"
	case t.executable == 0:
		return "nothing asks for executable memory"
	case len(r.Suppressed) > 0:
		return fmt.Sprintf("suppressed in the source (%d)", len(r.Suppressed))
	case newest.Before(nx.Windows10):
		return "no finding: judged up to " + newest.Name() + " only"
	}
	return "no finding against it: it is meant so, or nothing else can be called"
}

// cause is a finding in few words: by what its file lacks, else by its rule.
func cause(f rule.Finding) string {
	text := strings.ReplaceAll(f.Rule.Name, "-", " ")
	switch {
	case f.NoAlternative:
		text = "no alternative at the minimum Windows"
	case f.Kept && f.Rule.Official != "": // what is executed is kept for that
		text = "the source itself asks for it"
	case f.Site != nil && f.Fix != nil && len(f.Fix.Defines) > 0:
		text = mechanism[f.Site.Mechanism]
	}
	return text + " (" + f.Rule.ID + ")"
}

// todo is the command that mends what can be mended, or the one that tells of the rest.
func todo(r *Scan, v View) string {
	fixes, rest := 0, ""
	for _, f := range r.Findings {
		switch {
		case f.Fix != nil:
			fixes++
		case f.NeedsHeader:
			rest = v.Port + " --kit mingw"
		case rest == "" && level(f) > rule.Note:
			rest = "nxport explain " + f.Rule.ID
		}
	}
	switch n := len(r.Findings); {
	case fixes > 0 && rest != "":
		return fmt.Sprintf("%s  (%d of %s; --write makes the change), then %s", v.Port, fixes, plural(n, "finding"), rest)
	case fixes > 0:
		return fmt.Sprintf("%s  (%d of %s; --write makes the change)", v.Port, fixes, plural(n, "finding"))
	case rest != "":
		return rest
	}
	return "nothing has to be done"
}
