package project

import (
	"fmt"
	"slices"

	"github.com/nxport/nxport/internal/driver"
)

func addNote(notes []driver.Step, at driver.Place, format string, arguments ...any) []driver.Step {
	s := driver.Step{Place: at, Says: fmt.Sprintf(format, arguments...)}
	if len(notes) < maxNotes && !slices.Contains(notes, s) {
		notes = append(notes, s)
	}
	return notes
}
