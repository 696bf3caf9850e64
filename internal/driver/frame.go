package driver

import (
	"path"
	"strings"
	"sync"

	"github.com/nxport/nxport/nx"
)

// Frame is a place in the source of a built image. Of code that was inlined there are several: first where it is written, then
// where it was put, and so on outwards. The compiler tells no column.
type Frame struct {
	Place
	Function string
}

// kitHeaders are those that declare DDIs, and nxpool.h, in small letters: their inline functions are not what a driver's author wrote.
var kitHeaders = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{"nxpool.h": true}
	for _, d := range nx.DDIs() {
		names[strings.ToLower(d.Header)] = true
	}
	return names
})

// Own gives the innermost frame that is in no header of the kit, or the innermost of all; false where there is none.
func Own(frames []Frame) (Frame, bool) {
	for _, f := range frames {
		if !kitHeaders()[strings.ToLower(path.Base(f.Path))] {
			return f, true
		}
	}
	if len(frames) == 0 {
		return Frame{}, false
	}
	return frames[0], true
}
