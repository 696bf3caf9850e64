package image

import (
	"bytes"
	"cmp"
	"debug/dwarf"
	"encoding/binary"
	"errors"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/nxport/nxport/internal/driver"
)

// debugData is the DWARF of an image, read when it is first asked for, and unit by unit.
type debugData struct {
	once  sync.Once
	mutex sync.Mutex // of what is read later
	data  *dwarf.Data
	err   error
	// sections are those that are read here: the library reads entries, and no more than has a bound.
	sections map[string][]byte
	units    []*unit
	spans    []span // of code, by where they begin
	left     int    // of maxWork
}

// unit is what a compiler made of one source file.
type unit struct {
	root    *dwarf.Entry
	version int
	width   int // of an address
	base    uint64
	dir     string // that the compiler worked in
	read    bool
	scopes  []scope
	lines   lineTable
}

type span struct {
	low, high uint64
	unit      *unit
}

var (
	// ErrNoLines says that the image does not tell its source.
	ErrNoLines = errors.New("it has no DWARF: build it with -g (gcc, clang; lld-link /debug:dwarf); a .pdb is not read")
	errTooMuch = errors.New("its DWARF is larger than what is read of one image: lines are left out")
	errDamaged = errors.New("its DWARF is damaged")
)

// Limits on debugging data. The largest drivers have a tenth of that.
const (
	maxWork       = 4 << 20 // entries, their attributes, rows of line tables and so on that are looked at
	maxUnits      = 1 << 16
	maxAbbrev     = 2 << 20 // bytes in tables of abbreviations
	maxAttributes = 256     // of an entry
	maxDepth      = 200     // of entries in entries
)

// spend takes so much off what may be read, false where nothing is left.
func (d *debugData) spend(n int) bool {
	d.left -= n
	return d.left >= 0
}

func (m *Image) dwarf() *debugData {
	d := &m.debug
	d.once.Do(func() {
		d.left, d.sections = maxWork, map[string][]byte{}
		for _, s := range m.Sections {
			if name, ok := strings.CutPrefix(s.Name, ".debug_"); ok && d.sections[name] == nil {
				d.sections[name] = m.bytes(s)
			}
		}
		if d.sections["info"] == nil || d.sections["line"] == nil {
			d.err = ErrNoLines
			return
		}
		if d.err = d.open(); d.err == nil {
			d.err = d.index()
		}
	})
	return d
}

// open hands the sections to the library, once it is sure that it can take them.
func (d *debugData) open() error {
	for _, name := range []string{"str", "line_str"} {
		d.sections[name] = ended(d.sections[name])
	}
	if err := d.check(); err != nil {
		return err
	}
	s := d.sections
	data, err := dwarf.New(s["abbrev"], nil, nil, s["info"], nil, nil, nil, s["str"])
	for _, name := range []string{"addr", "line_str", "str_offsets", "rnglists", "loclists"} {
		if err == nil && s[name] != nil {
			err = data.AddSection(".debug_"+name, s[name])
		}
	}
	d.data = data
	return err
}

// ended cuts what is longer than a name: an entry can name the same text as often as it has attributes.
func ended(b []byte) []byte {
	cut := b
	for from := 0; len(b)-from > maxName; {
		if end := bytes.IndexByte(b[from:from+maxName], 0); end >= 0 {
			from += end + 1
			continue
		}
		if &cut[0] == &b[0] {
			cut = slices.Clone(b)
		}
		from += maxName
		cut[from-1] = 0
	}
	return cut
}

// check goes through the headers of the units, and the tables of abbreviations that they name: the library reads all of each at once.
func (d *debugData) check() error {
	units, left, tables := 0, maxAbbrev, map[uint64]bool{}
	info := cursor{b: d.sections["info"]}
	for len(info.b) > 0 {
		length, wide := info.length()
		u := cursor{b: info.bytes(length)}
		if info.bad {
			return errDamaged
		}
		if length == 0 {
			continue
		}
		version := u.number(2)
		if version >= 5 {
			u.number(2) // the kind of the unit, and the width of addresses
		}
		table := u.number(map[bool]int{false: 4, true: 8}[wide])
		if units++; units > maxUnits {
			return errTooMuch
		}
		if tables[table] {
			continue
		}
		tables[table] = true
		if left -= abbreviations(d.sections["abbrev"], table, left); left < 0 {
			return errTooMuch
		}
	}
	return nil
}

// abbreviations gives how long a table of abbreviations is; more than the limit where it ends beyond that, or one has too many attributes.
func abbreviations(section []byte, at uint64, limit int) int {
	const implicitConst = 0x21 // the attribute's value stands in the table
	if at > uint64(len(section)) {
		return 0
	}
	c := cursor{b: section[at:]}
	whole := len(c.b)
	for c.uleb() != 0 && !c.bad {
		c.uleb()
		c.number(1)
		for n := 0; ; n++ {
			attribute, form := c.uleb(), c.uleb()
			if form == implicitConst {
				c.uleb()
			}
			if n > maxAttributes || whole-len(c.b) > limit {
				return limit + 1
			}
			if attribute == 0 && form == 0 {
				break
			}
		}
	}
	return whole - len(c.b)
}

// index notes which code is of which unit.
func (d *debugData) index() error {
	info := cursor{b: d.sections["info"]}
	r := d.data.Reader()
	for len(info.b) > 0 {
		at := len(d.sections["info"]) - len(info.b)
		length, wide := info.length()
		header := info.bytes(length)
		if len(header) == 0 {
			continue
		}
		u, size := unitOf(header, wide)
		r.Seek(dwarf.Offset(at + size))
		root, err := r.Next()
		if err != nil {
			return err
		}
		if root == nil || root.Tag != dwarf.TagCompileUnit {
			continue
		}
		if !d.spend(cost(root)) {
			return errTooMuch
		}
		u.root = root
		u.dir, _ = root.Val(dwarf.AttrCompDir).(string)
		u.base, _ = root.Val(dwarf.AttrLowpc).(uint64)
		ranges, err := d.ranges(u, root)
		if err != nil {
			return err
		}
		for _, r := range ranges {
			d.spans = append(d.spans, span{r[0], r[1], u})
		}
		d.units = append(d.units, u)
	}
	slices.SortStableFunc(d.spans, func(a, b span) int { return cmp.Compare(a.low, b.low) })
	return nil
}

// unitOf reads what the header of a unit tells, and how long it is together with the length that stands in front of it.
func unitOf(header []byte, wide bool) (u *unit, size int) {
	const skeleton, splitCompile, typed, splitType = 4, 5, 2, 6
	offset, before := 4, 4
	if wide {
		offset, before = 8, 12
	}
	c := cursor{b: header}
	u = &unit{version: int(c.number(2))}
	if u.version < 5 {
		c.bytes(uint64(offset))
		u.width = int(c.number(1))
		return u, before + 2 + offset + 1
	}
	kind := c.number(1)
	u.width = int(c.number(1))
	size = before + 4 + offset
	switch kind {
	case skeleton, splitCompile:
		size += 8
	case typed, splitType:
		size += 8 + offset
	}
	return u, size
}

// cost is how much reading an entry takes.
func cost(e *dwarf.Entry) int {
	n := 1 + len(e.Field)
	for _, f := range e.Field {
		if s, ok := f.Val.(string); ok {
			n += len(s) / 16
		}
	}
	return n
}

// Frames gives the source of the instruction at an address, the innermost frame first; paths are whole where the compiler's directory
// is known, with forward slashes. Of a return address, ask for the byte before it. It is empty where the debug data does not cover
// the address.
func (m *Image) Frames(rva uint32) ([]driver.Frame, error) {
	d := m.dwarf()
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.err != nil {
		return nil, d.err
	}
	pc := m.Base + uint64(rva)
	u := d.unitAt(pc)
	if u == nil {
		return nil, nil
	}
	if !u.read {
		u.read = true
		if err := d.readUnit(u); err != nil {
			d.err = err
			return nil, err
		}
	}
	row, ok := u.lines.at(pc)
	if !ok {
		return nil, nil
	}
	frames, err := d.frames(u, u.chain(pc), row)
	if err != nil {
		d.err = err
	}
	return frames, err
}

// unitAt finds the unit of an address. Spans overlap only in images that are damaged: then the one that begins last counts.
func (d *debugData) unitAt(pc uint64) *unit {
	i, found := slices.BinarySearchFunc(d.spans, pc, func(s span, pc uint64) int { return cmp.Compare(s.low, pc) })
	for found && i+1 < len(d.spans) && d.spans[i+1].low == pc {
		i++
	}
	if !found {
		i--
	}
	const back = 16
	for n := 0; i >= 0 && n < back; i, n = i-1, n+1 {
		if s := d.spans[i]; s.low <= pc && pc < s.high {
			return s.unit
		}
	}
	return nil
}

func (d *debugData) readUnit(u *unit) error {
	if err := d.readScopes(u); err != nil {
		return err
	}
	at, ok := u.root.Val(dwarf.AttrStmtList).(int64)
	if !ok {
		return nil
	}
	return d.readLines(&u.lines, at)
}

// frames turns the chain of scopes inside out: an inlined one tells where it was put, which is a line of the frame around it.
func (d *debugData) frames(u *unit, chain []dwarf.Offset, row row) ([]driver.Frame, error) {
	at := driver.Frame{Place: driver.Place{Path: u.file(int64(row.file)), Line: int(row.line)}}
	var list []driver.Frame
	for _, offset := range slices.Backward(chain) {
		e, err := d.entry(offset)
		if err != nil {
			return nil, err
		}
		if at.Function, err = d.name(e); err != nil {
			return nil, err
		}
		list = append(list, at)
		at = driver.Frame{}
		if i, ok := e.Val(dwarf.AttrCallFile).(int64); ok {
			at.Path = u.file(i)
		}
		if n, ok := e.Val(dwarf.AttrCallLine).(int64); ok {
			at.Line = int(n)
		}
	}
	if list == nil {
		list = append(list, at)
	}
	return list, nil
}

// entry reads the entry at an offset, which was read before or another names.
func (d *debugData) entry(offset dwarf.Offset) (*dwarf.Entry, error) {
	r := d.data.Reader()
	r.Seek(offset)
	e, err := r.Next()
	if err == nil && e == nil {
		err = errDamaged
	}
	if err == nil && !d.spend(cost(e)) {
		err = errTooMuch
	}
	return e, err
}

const maxOrigins = 8 // an instance of an inlined function of a declaration

// name follows an entry to the one that has its name; "" where none has.
func (d *debugData) name(e *dwarf.Entry) (string, error) {
	for range maxOrigins {
		if name, ok := e.Val(dwarf.AttrName).(string); ok {
			return name, nil
		}
		origin, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)
		if !ok {
			if origin, ok = e.Val(dwarf.AttrSpecification).(dwarf.Offset); !ok {
				return "", nil
			}
		}
		next, err := d.entry(origin)
		if err != nil {
			return "", err
		}
		e = next
	}
	return "", nil
}

// file gives the path of one of the unit's files as a reader of this machine would write it, whole where the compiler's directory is known.
func (u *unit) file(i int64) string {
	if i < 0 || i >= int64(len(u.lines.files)) || len(u.lines.files[i].name) == 0 {
		return ""
	}
	f := u.lines.files[i]
	name := slashed(string(f.name))
	if f.dir < uint64(len(u.lines.dirs)) {
		name = within(slashed(string(u.lines.dirs[f.dir])), name)
	}
	return path.Clean(within(slashed(u.dir), name))
}

func slashed(name string) string { return strings.ReplaceAll(name, `\`, "/") }

// within gives a path that is relative to a directory.
func within(dir, name string) string {
	if dir == "" || path.IsAbs(name) || strings.Contains(name, ":") {
		return name
	}
	return path.Join(dir, name)
}

// cursor takes numbers off bytes; behind their end it is bad, and all are 0.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) bytes(n uint64) []byte {
	if n > uint64(len(c.b)) {
		c.b, c.bad = nil, true
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) number(width int) uint64 {
	var b [8]byte
	copy(b[:], c.bytes(uint64(width)))
	return binary.LittleEndian.Uint64(b[:])
}

// length reads how long what follows is; wide is its 64-bit form.
func (c *cursor) length() (n uint64, wide bool) {
	if n = c.number(4); n == 0xffffffff {
		return c.number(8), true
	}
	return n, false
}

const maxLEB = 70 // bits: more than a number has

// uleb reads a number of seven bits a byte.
func (c *cursor) uleb() (n uint64) {
	for shift := 0; shift < maxLEB; shift += 7 {
		b := c.number(1)
		n |= b & 0x7f << shift
		if b&0x80 == 0 {
			return n
		}
	}
	c.b, c.bad = nil, true
	return 0
}

// sleb is uleb with a sign.
func (c *cursor) sleb() (n int64) {
	for shift := 0; shift < maxLEB; {
		b := c.number(1)
		n |= int64(b&0x7f) << shift
		if shift += 7; b&0x80 == 0 {
			if b&0x40 != 0 && shift < 64 {
				n |= -1 << shift
			}
			return n
		}
	}
	c.b, c.bad = nil, true
	return 0
}

// text reads up to a zero.
func (c *cursor) text() []byte {
	i := bytes.IndexByte(c.b, 0)
	if i < 0 {
		c.b, c.bad = nil, true
		return nil
	}
	b := c.b[:i]
	c.b = c.b[i+1:]
	return b
}
