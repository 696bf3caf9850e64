package project

import (
	"bytes"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// An INF says, with the operating system decorations of its models, on which Windows a driver installs:
//
//	[Manufacturer]
//	%Contoso% = Models, NTamd64.6.1, NTamd64.10.0...16299
//
// A primitive driver, which no device needs, says it with its sections instead: [DefaultInstall.NTamd64.10.0...16299].
//
// See "Combining Platform Extensions with Operating System Versions" in Microsoft's documentation. An INX is the same
// before stampinf has put the processor in the place of $ARCH$.

// infFile is what matters of one.
type infFile struct {
	path        string
	binaries    []string // file names of the services' images, in lower case
	decorations []decoration
}

// decoration is one operating system a section of models is for.
type decoration struct {
	processor nx.Processor // "" for all
	minimum   nx.Version   // zero where it names none: then every Windows will do
}

// isINF takes INX files too, from which stampinf makes the INF: in most projects only they are there.
func isINF(p string) bool {
	ext := strings.ToLower(path.Ext(p))
	return ext == ".inf" || ext == ".inx"
}

// maxINF bounds one file; real ones have some ten kilobytes, those of printers a megabyte.
const maxINF = 4 << 20

// parseINF reads what says for which driver the file is, and for which Windows. Lines it does not understand do not matter
// to it.
func parseINF(p string, data []byte) infFile {
	f := infFile{path: p}
	if tree.IsUTF16(data) {
		data = fromUTF16(p, data).data
	}
	if len(data) > maxINF || tree.IsBinary(data) {
		return f
	}
	stringsOf := map[string]string{}
	var section string
	var primitive []decoration
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte(bom))) {
		s := withoutComment(string(line))
		if name, ok := strings.CutPrefix(s, "["); ok {
			section = strings.ToLower(strings.Trim(strings.TrimSuffix(name, "]"), white))
			primitive = append(primitive, defaultInstall(section)...)
			continue
		}
		name, value, ok := strings.Cut(s, "=")
		name, value = strings.ToLower(strings.Trim(name, white)), strings.Trim(value, white)
		switch {
		case !ok:
		case section == "manufacturer":
			f.decorations = append(f.decorations, parseDecorations(value)...)
		case strings.HasPrefix(section, "strings") && stringsOf[name] == "":
			stringsOf[name] = strings.Trim(value, `"`)
		case name == "servicebinary":
			f.binaries = append(f.binaries, value)
		}
	}
	if len(f.decorations) == 0 { // else a device's driver, which is installed by its models
		f.decorations = primitive
	}
	for i, b := range f.binaries {
		f.binaries[i] = imageName(expandStrings(b, stringsOf))
	}
	return f
}

// withoutComment drops what stands behind a semicolon that is not quoted, and white space.
func withoutComment(line string) string {
	quoted := false
	for i := range len(line) {
		switch line[i] {
		case '"':
			quoted = !quoted
		case ';':
			if !quoted {
				return strings.Trim(line[:i], white)
			}
		}
	}
	return strings.Trim(line, white)
}

// parseDecorations reads what follows the name of the models: without a decoration they are for every Windows.
func parseDecorations(value string) []decoration {
	parts := strings.Split(value, ",")
	if len(parts) == 1 {
		return []decoration{{}}
	}
	var list []decoration
	for _, s := range parts[1:] {
		if d, ok := parseDecoration(strings.Trim(s, white)); ok {
			list = append(list, d)
		}
	}
	return list
}

// defaultInstall reads the name of a section [DefaultInstall], of which [DefaultInstall.NTamd64.Services] is none.
func defaultInstall(section string) []decoration {
	name, rest, decorated := strings.Cut(section, ".")
	switch d, ok := parseDecoration(rest); {
	case name != "defaultinstall":
		return nil
	case !decorated:
		return []decoration{{}}
	case ok:
		return []decoration{d}
	}
	return nil
}

// parseDecoration reads NT[architecture][.[major][.[minor][.[product type][.[suite mask][.[build]]]]]].
func parseDecoration(s string) (decoration, bool) {
	fields := strings.Split(strings.ToLower(s), ".")
	architecture, ok := strings.CutPrefix(fields[0], "nt")
	if !ok || len(fields) > 6 {
		return decoration{}, false
	}
	var d decoration
	if architecture != "" && architecture != "$arch$" {
		if d.processor, ok = nx.ParseProcessor(architecture); !ok {
			return decoration{}, false // ia64
		}
	}
	numbers := make([]int, 6)
	for i, field := range fields[1:] {
		n, err := strconv.ParseUint(field, 0, 31)
		if err != nil && field != "" {
			return decoration{}, false
		}
		numbers[i] = int(n)
	}
	d.minimum = nx.Version{Major: numbers[0], Minor: numbers[1], Build: numbers[4]}
	return d, true
}

// expandStrings replaces %name% by the value in [Strings]; an unknown name stays as it is.
func expandStrings(s string, values map[string]string) string {
	parts := strings.Split(s, "%")
	for i := 1; i+1 < len(parts); i += 2 {
		if v, ok := values[strings.ToLower(parts[i])]; ok {
			parts[i] = v
		}
	}
	return strings.Join(parts, "")
}

// imageName gives the name of a driver without directory and extension, to be compared with Target.
func imageName(s string) string {
	return strings.ToLower(path.Base(strings.ReplaceAll(strings.Trim(s, `" `), `\`, "/")))
}

// lowest gives the lowest Windows that the file's models for a processor name, zero where they name none; every says that
// some of them are for any Windows.
func (f infFile) lowest(p nx.Processor) (low nx.Version, every bool) {
	for _, d := range f.decorations {
		switch {
		case d.processor != "" && d.processor != p:
		case d.minimum == nx.Version{}:
			every = true
		case low == nx.Version{} || d.minimum.Before(low):
			low = d.minimum
		}
	}
	return low, every
}

// lowestOf is lowest for all INFs of one driver; source is the one that names it, "" where none does.
func lowestOf(list []infFile, p nx.Processor) (low nx.Version, source string, every bool) {
	for _, f := range list {
		v, unversioned := f.lowest(p)
		every = every || unversioned
		if v != (nx.Version{}) && (source == "" || v.Before(low)) {
			low, source = v, f.path
		}
	}
	return low, source, every
}

// infs gives those of a driver: of all that name its image, the nearest by directory.
func infs(all []infFile, b *Build) []infFile {
	image := strings.ToLower(b.Target) + ".sys"
	var near []infFile
	most := -1
	for _, f := range all {
		if !slices.Contains(f.binaries, image) {
			continue
		}
		n := sharedDirectories(f.path, b.Project)
		if n > most {
			near, most = nil, n
		}
		if n == most {
			near = append(near, f)
		}
	}
	return near
}

// sharedDirectories counts the directories that two paths begin with: the nearest of several INFs belongs to a
// project.
func sharedDirectories(a, b string) int {
	x, y := strings.Split(path.Dir(a), "/"), strings.Split(path.Dir(b), "/")
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return n
}

// installed lowers the minimum of builds to the lowest Windows that the INFs of their drivers install on.
func (l *loader) installed() {
	slices.Sort(l.infs)
	var all []infFile
	for _, p := range slices.Compact(l.infs) {
		if data, err := l.tree.Read(p); err == nil { // one that can't be read says nothing, and breaks no build
			if f := parseINF(p, data); len(f.binaries) > 0 {
				all = append(all, f)
			}
		}
	}
	for _, b := range l.set.Builds {
		if b.Target == "" || b.Library {
			continue
		}
		low, source, every := lowestOf(infs(all, b), b.Processor)
		if source != "" && (!every || low.Before(b.Minimum)) { // where any Windows will do, it raises nothing
			b.offerMinimum(low, source)
		}
	}
}
