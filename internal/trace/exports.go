package trace

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/image"
	"github.com/nxport/nxport/nx"
)

// exports is what this Wine exports of the kernel and of the libraries that a driver imports from.
type exports struct {
	libraries []string
	stubs     map[string]bool // by routine: it has no code
}

// exports reads Wine's own images, as they stand in the prefix.
func (p *prefix) exports() exports {
	e := exports{stubs: map[string]bool{}}
	for _, library := range append([]string{"ntoskrnl.exe"}, p.driver.libraries()...) {
		if slices.Contains(e.libraries, library) {
			continue
		}
		data, err := os.ReadFile(p.c("windows", "system32", library))
		if err != nil {
			data, err = os.ReadFile(p.c("windows", "system32", "drivers", library))
		}
		if err != nil {
			continue // then the driver does not load, and that says why
		}
		if m, err := image.Parse(library, data); err == nil {
			e.libraries = append(e.libraries, library)
			for _, s := range m.Exports() {
				e.stubs[s.Name] = isStub(m, s)
			}
		}
	}
	return e
}

var libraryName = regexp.MustCompile(`^[a-z0-9_-]+\.(exe|dll|sys)$`)

// libraries are those that the driver imports from, in lower case, as Wine names its files; a name that is a path is none.
func (f *file) libraries() []string {
	var list []string
	for _, v := range f.image.Imports {
		if name := strings.ToLower(v.Library); libraryName.MatchString(name) && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// isStub tells what Wine's winebuild writes for a routine without code: it hands the name of the library and that of the routine to
// a function that ends the thread.
//
//	sub $0x28,%rsp; lea library(%rip),%rcx; lea name(%rip),%rdx; call
func isStub(m *image.Image, e image.Symbol) bool {
	code := m.At(e.RVA)
	if len(code) < 19 || !bytes.HasPrefix(code, []byte{0x48, 0x83, 0xec, 0x28, 0x48, 0x8d, 0x0d}) ||
		!bytes.HasPrefix(code[11:], []byte{0x48, 0x8d, 0x15}) || code[18] != 0xe8 {
		return false
	}
	name := m.At(e.RVA + 18 + binary.LittleEndian.Uint32(code[14:]))
	return bytes.HasPrefix(name, append([]byte(e.Name), 0))
}

// gap says why calls of a routine can't be seen, or "".
func (e exports) gap(d nx.DDI) string {
	if _, _, method := d.Method(); method && d.Over == "" {
		return "a method: Wine shows calls of exported routines only"
	}
	reason := ""
	for _, name := range []string{d.Name, d.Over} {
		stub, exported := e.stubs[name]
		switch {
		case exported && !stub:
			return ""
		case exported:
			reason = fmt.Sprintf("Wine has no code for %s, and ends a driver that calls it", name)
		case reason == "" && name != "":
			reason = fmt.Sprintf("%s of Wine exports no %s", strings.Join(e.libraries, " or "), name)
		}
	}
	return reason
}
