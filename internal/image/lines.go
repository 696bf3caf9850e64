package image

import (
	"debug/dwarf"
	"errors"
	"path"
	"strings"
	"sync"

	"github.com/nxport/nxport/internal/driver"
)

// debugData is the DWARF of an image, read when it is first asked for.
type debugData struct {
	once sync.Once
	data *dwarf.Data
	err  error
}

// ErrNoLines says that the image does not tell its source.
var ErrNoLines = errors.New("it has no DWARF: build it with -g (gcc, clang; lld-link /debug:dwarf); a .pdb is not read")

func (m *Image) dwarf() (*dwarf.Data, error) {
	m.debug.once.Do(func() {
		section := func(name string) []byte {
			for _, s := range m.Sections {
				if s.Name == ".debug_"+name {
					return m.bytes(s)
				}
			}
			return nil
		}
		if section("info") == nil || section("line") == nil {
			m.debug.err = ErrNoLines
			return
		}
		d, err := dwarf.New(section("abbrev"), nil, nil, section("info"), section("line"), nil, section("ranges"), section("str"))
		for _, name := range []string{"addr", "line_str", "str_offsets", "rnglists", "loclists"} {
			if err == nil && section(name) != nil {
				err = d.AddSection(".debug_"+name, section(name))
			}
		}
		m.debug.data, m.debug.err = d, err
	})
	return m.debug.data, m.debug.err
}

// Frames gives the source of the instruction at an address, the innermost frame first; paths are whole where the compiler's directory
// is known, with forward slashes. Of a return address, ask for the byte before it. It is empty where the debug data does not cover
// the address.
func (m *Image) Frames(rva uint32) ([]driver.Frame, error) {
	d, err := m.dwarf()
	if err != nil {
		return nil, err
	}
	pc := m.Base + uint64(rva)
	r := d.Reader()
	unit, err := r.SeekPC(pc)
	if err != nil {
		return nil, nilIfUnknown(err)
	}
	lines, err := d.LineReader(unit)
	if err != nil || lines == nil {
		return nil, err
	}
	line, ok := lineOf(lines, pc)
	if !ok {
		return nil, nil
	}
	w := walk{data: d, pc: pc, files: lines.Files()}
	w.dir, _ = unit.Val(dwarf.AttrCompDir).(string)
	if err := w.children(r, 0); err != nil {
		return nil, err
	}
	return w.frames(line), nil
}

// lineOf finds the row of a table that holds an address. A table is made of sequences that stand in any order, as those of C++
// functions which the linker keeps one of do: dwarf's own SeekPC wants them sorted. It ends where the table is damaged.
func lineOf(lines *dwarf.LineReader, pc uint64) (line dwarf.LineEntry, ok bool) {
	var next dwarf.LineEntry
	for line.EndSequence = true; lines.Next(&next) == nil; line = next {
		if !line.EndSequence && line.Address <= pc && pc < next.Address {
			return line, true
		}
	}
	return dwarf.LineEntry{}, false
}

func nilIfUnknown(err error) error {
	if errors.Is(err, dwarf.ErrUnknownPC) {
		return nil
	}
	return err
}

// walk goes down the entries of a unit to those that hold an address.
type walk struct {
	data  *dwarf.Data
	pc    uint64
	files []*dwarf.LineFile
	dir   string         // that the compiler worked in
	chain []*dwarf.Entry // the function, and what is inlined in it, inwards
}

const maxDepth = 200 // of blocks in blocks

// children goes through the entries up to the null one that ends them, into those that hold the address.
func (w *walk) children(r *dwarf.Reader, depth int) error {
	for {
		e, err := r.Next()
		if err != nil || e == nil || e.Tag == 0 {
			return err
		}
		holds := depth <= maxDepth && w.holds(e)
		if holds && (e.Tag == dwarf.TagSubprogram || e.Tag == dwarf.TagInlinedSubroutine) {
			w.chain = append(w.chain, e)
		}
		switch {
		case !e.Children:
		case !holds:
			r.SkipChildren()
		default:
			if err := w.children(r, depth+1); err != nil {
				return err
			}
		}
	}
}

// holds says whether an entry's code holds the address. A namespace or a class has none of its own, but may hold functions.
func (w *walk) holds(e *dwarf.Entry) bool {
	switch e.Tag {
	case dwarf.TagNamespace, dwarf.TagClassType, dwarf.TagStructType:
		return true
	case dwarf.TagSubprogram, dwarf.TagInlinedSubroutine, dwarf.TagLexDwarfBlock, dwarf.TagTryDwarfBlock, dwarf.TagCatchDwarfBlock:
	default:
		return false
	}
	ranges, err := w.data.Ranges(e)
	for _, r := range ranges {
		if err == nil && r[0] <= w.pc && w.pc < r[1] {
			return true
		}
	}
	return false
}

// frames turns the chain inside out: an inlined entry tells where it was put, which is a line of the frame around it.
func (w *walk) frames(line dwarf.LineEntry) []driver.Frame {
	at := driver.Frame{Place: driver.Place{Line: line.Line}}
	if line.File != nil {
		at.Path = w.slashed(line.File.Name)
	}
	var list []driver.Frame
	for i := len(w.chain) - 1; i >= 0; i-- {
		e := w.chain[i]
		at.Function = w.name(e)
		list = append(list, at)
		at = driver.Frame{Place: driver.Place{Path: w.file(e.Val(dwarf.AttrCallFile))}}
		if n, ok := e.Val(dwarf.AttrCallLine).(int64); ok {
			at.Line = int(n)
		}
	}
	if list == nil {
		list = append(list, at)
	}
	return list
}

func (w *walk) file(index any) string {
	if i, ok := index.(int64); ok && i >= 0 && i < int64(len(w.files)) && w.files[i] != nil {
		return w.slashed(w.files[i].Name)
	}
	return ""
}

const maxOrigins = 8 // an instance of an inlined function of a declaration

// name follows an entry to the one that has its name.
func (w *walk) name(e *dwarf.Entry) string {
	for range maxOrigins {
		if name, ok := e.Val(dwarf.AttrName).(string); ok {
			return name
		}
		origin, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)
		if !ok {
			if origin, ok = e.Val(dwarf.AttrSpecification).(dwarf.Offset); !ok {
				return ""
			}
		}
		r := w.data.Reader()
		r.Seek(origin)
		next, err := r.Next()
		if err != nil || next == nil {
			return ""
		}
		e = next
	}
	return ""
}

// slashed gives a path as a reader of this machine would write it, whole where the compiler's directory is known.
func (w *walk) slashed(name string) string {
	name = strings.ReplaceAll(name, `\`, "/")
	if dir := strings.ReplaceAll(w.dir, `\`, "/"); !path.IsAbs(name) && !strings.Contains(name, ":") {
		name = path.Join(dir, name)
	}
	return path.Clean(name)
}
