package report

import (
	"path"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nxport/nxport/internal/rule"
)

// exampleFile is one file of a rule's example: the change that mends it, or, where nothing changes, its text.
type exampleFile struct {
	name, text string
	changed    bool
}

// example takes Before and After of a rule apart.
func example(d rule.Doc) []exampleFile {
	after := map[string]string{}
	for _, f := range txtar.Parse([]byte(d.After)).Files {
		after[f.Name] = string(f.Data)
	}
	var list []exampleFile
	for _, f := range txtar.Parse([]byte(d.Before)).Files {
		x := exampleFile{name: f.Name, text: string(f.Data)}
		if now := after[f.Name]; now != x.text {
			x.text, x.changed = difference(x.text, now, context(f.Name, x.text)), true
		}
		list = append(list, x)
	}
	return list
}

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
