package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/nxport/nxport/internal/rule"
)

// MSBuild writes each finding as a line that MSBuild and Visual Studio understand: origin(line,column): category code:
// text. They know the categories error and warning only: a note is shown, but counts as nothing.
func MSBuild(w io.Writer, r *Scan, v View) error {
	b := bufio.NewWriter(w)
	for _, f := range r.shown(v) {
		fmt.Fprintf(b, "%s: %s %s: %s\n", printable(r.origin(f)), category(f), f.Rule.ID, printable(f.Message))
	}
	return b.Flush()
}

// origin is where a finding stands. Visual Studio counts columns in units of UTF-16.
func (r *Scan) origin(f rule.Finding) string {
	p := f.Place
	if p.Line == 0 {
		return p.Path + " "
	}
	if s, ok := r.spot(p); ok && s.column() > 0 {
		return fmt.Sprintf("%s(%d,%d)", p.Path, p.Line, s.column())
	}
	return fmt.Sprintf("%s(%d)", p.Path, p.Line)
}

func category(f rule.Finding) string {
	if f.Suppressed != nil {
		return "suppressed"
	}
	return level(f).String()
}
