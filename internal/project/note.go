package project

import (
	"fmt"
	"slices"

	"github.com/nxport/nxport/internal/driver"
)

// Notes: what could not be evaluated, with its place and how it was read all the same.

// maxNotes bounds what is said about one build: a hostile file could have one on each of its lines.
const maxNotes = 1000

// addNote adds what is said at a place, once: a loop, a macro or a file that is included twice would repeat it.
//
// The limit is silent: a build with 1,000 notes has been said enough about.
func addNote(notes []driver.Step, at driver.Place, format string, arguments ...any) []driver.Step {
	s := driver.Step{Place: at, Says: fmt.Sprintf(format, arguments...)}
	if len(notes) < maxNotes && !slices.Contains(notes, s) {
		notes = append(notes, s)
	}
	return notes
}
