package report

import (
	"path"
	"regexp"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nxport/nxport/internal/rule"
)

// exampleFile is one file of a rule's example: the change that mends it, or, where nothing changes, its text.
type exampleFile struct {
	name, text string
	changed    bool
	part       bool // not all of the file is shown
}

func (f exampleFile) title() string {
	if f.part {
		return f.name + ", in part:"
	}
	return f.name + ":"
}

// example takes Before and After of a rule apart. A file that only one of them has is empty in the other.
func example(d rule.Doc) []exampleFile {
	before, after := txtar.Parse([]byte(d.Before)).Files, txtar.Parse([]byte(d.After)).Files
	texts := map[string][2]string{}
	var names []string
	for i, files := range [][]txtar.File{before, after} {
		for _, f := range files {
			if _, ok := texts[f.Name]; !ok {
				names = append(names, f.Name)
			}
			both := texts[f.Name]
			both[i] = string(f.Data)
			texts[f.Name] = both
		}
	}
	var list []exampleFile
	for _, name := range names {
		x := exampleFile{name: name, text: texts[name][0]}
		switch now := texts[name][1]; {
		case now != x.text:
			x.text, x.changed = difference(x.text, now, context(name, x.text)), true
		case path.Ext(name) == ".vcxproj":
			x.text, x.part = structure.ReplaceAllString(x.text, ""), true
		}
		list = append(list, x)
	}
	return list
}

// structure are the lines of a project file that only hold others together: and what indents the others.
var structure = regexp.MustCompile(`(?m)^ *</?[A-Za-z]+( Label="[^"]*")?>\n|^ +`)

// diff gives the text in the form of a diff also where nothing changes.
func (f exampleFile) diff() string {
	if f.changed {
		return f.text
	}
	return " " + strings.ReplaceAll(strings.TrimSuffix(f.text, "\n"), "\n", "\n ") + "\n"
}

// context is how much of a file is shown around a change: of a source file all, of a build file a little.
func context(name, text string) int {
	switch path.Ext(name) {
	case ".c", ".cpp", ".h":
		return len(text)
	}
	return udiff.DefaultContextLines
}

// difference is a diff without the lines that say where it applies; dots stand for what is left out.
func difference(before, after string, context int) string {
	diff, err := udiff.ToUnifiedDiff("", "", before, udiff.Lines(before, after), context)
	if err != nil {
		return after
	}
	var b strings.Builder
	next := 1 // line of before
	for _, h := range diff.Hunks {
		if h.FromLine > next {
			b.WriteString(" ...\n")
		}
		next = h.FromLine
		for _, line := range h.Lines {
			b.WriteString(sign[line.Kind] + line.Content)
			if line.Kind != udiff.Insert {
				next++
			}
		}
	}
	if next <= strings.Count(before, "\n") {
		b.WriteString(" ...\n")
	}
	return b.String()
}

var sign = map[udiff.OpKind]string{udiff.Delete: "-", udiff.Insert: "+", udiff.Equal: " "}
