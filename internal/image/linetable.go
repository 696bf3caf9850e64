package image

import (
	"cmp"
	"slices"
)

// lineTable is that of a unit. The library's reader makes room for as many files as a table claims to have, and joins the names of
// directories and files as often as the table likes; this one keeps where they are.
type lineTable struct {
	dirs  [][]byte
	files []lineFile
	rows  []row
}

type lineFile struct {
	name []byte
	dir  uint64
}

// row is the line of a range of code.
type row struct {
	low, high  uint64
	file, line uint32
}

// at finds the row of an address. A table is made of sequences that stand in any order, as those of C++ functions which the linker keeps
// one of do.
func (t *lineTable) at(pc uint64) (row, bool) {
	i, found := slices.BinarySearchFunc(t.rows, pc, func(r row, pc uint64) int { return cmp.Compare(r.low, pc) })
	if !found {
		i--
	}
	const back = 16 // sequences that overlap
	for n := 0; i >= 0 && n < back; i, n = i-1, n+1 {
		if r := t.rows[i]; r.low <= pc && pc < r.high {
			return r, true
		}
	}
	return row{}, false
}

// lineProgram is the machine that makes the rows (DWARF 5, 6.2).
type lineProgram struct {
	d       *debugData
	t       *lineTable
	c       cursor
	version int
	wide    bool
	least   uint64 // bytes of an instruction
	base    int64  // of the special opcodes
	span    uint64
	first   uint64 // of them
	lengths []byte // how many operands the opcodes in front of that have

	address    uint64
	file, line uint32
	last       row // not ended yet
	open       bool
}

// readLines reads the table at an offset. It ends where that is damaged.
func (d *debugData) readLines(t *lineTable, at int64) error {
	section := d.sections["line"]
	if at < 0 || at > int64(len(section)) {
		return errDamaged
	}
	p := lineProgram{d: d, t: t, c: cursor{b: section[at:]}}
	length, wide := p.c.length()
	p.c.b, p.wide = p.c.bytes(length), wide
	err := p.header()
	if err == nil {
		err = p.run()
	}
	slices.SortStableFunc(t.rows, func(a, b row) int { return cmp.Compare(a.low, b.low) })
	return err
}

func (p *lineProgram) header() error {
	c := &p.c
	if p.version = int(c.number(2)); p.version < 2 || p.version > 5 {
		return errDamaged
	}
	if p.version == 5 {
		c.number(2) // the widths of an address and of a segment
	}
	head := c.number(map[bool]int{false: 4, true: 8}[p.wide])
	names := cursor{b: c.bytes(head)}
	p.least = names.number(1)
	if p.version >= 4 {
		names.number(1) // operations of an instruction
	}
	names.number(1)
	p.base, p.span, p.first = int64(int8(names.number(1))), names.number(1), names.number(1)
	if p.span == 0 || p.first == 0 || c.bad {
		return errDamaged
	}
	p.lengths = names.bytes(p.first - 1)
	if p.version == 5 {
		return p.names5(&names)
	}
	return p.names4(&names)
}

// names4 reads the directories and files of versions up to 4: the first directory is the compiler's, and no file is the first.
func (p *lineProgram) names4(c *cursor) error {
	p.t.dirs, p.t.files = [][]byte{nil}, []lineFile{{}}
	for dir := c.text(); len(dir) > 0; dir = c.text() {
		if !p.d.spend(1) {
			return errTooMuch
		}
		p.t.dirs = append(p.t.dirs, limited(dir))
	}
	for name := c.text(); len(name) > 0; name = c.text() {
		if !p.d.spend(1) {
			return errTooMuch
		}
		p.t.files = append(p.t.files, lineFile{limited(name), c.uleb()})
		c.uleb() // when it was changed
		c.uleb() // its size
	}
	return nil
}

// names5 reads those of version 5, which says what it tells of each.
func (p *lineProgram) names5(c *cursor) error {
	dirs, err := p.entries(c)
	for _, f := range dirs {
		p.t.dirs = append(p.t.dirs, f.name)
	}
	if err == nil {
		p.t.files, err = p.entries(c)
	}
	return err
}

func (p *lineProgram) entries(c *cursor) (list []lineFile, err error) {
	const path, directory = 1, 2
	format := make([][2]uint64, c.number(1))
	for i := range format {
		format[i] = [2]uint64{c.uleb(), c.uleb()}
	}
	for n := c.uleb(); n > 0 && !c.bad && len(format) > 0; n-- {
		f := lineFile{}
		for _, part := range format {
			name, number, ok := p.field(c, part[1])
			switch {
			case !p.d.spend(1 + len(name)/16):
				return nil, errTooMuch
			case !ok:
				return nil, errDamaged
			case part[0] == path:
				f.name = name
			case part[0] == directory:
				f.dir = number
			}
		}
		list = append(list, f)
	}
	return list, nil
}

// field reads what one form says: a text or a number.
func (p *lineProgram) field(c *cursor, form uint64) (text []byte, n uint64, ok bool) {
	offset := map[bool]int{false: 4, true: 8}[p.wide]
	switch form {
	case 0x08: // string
		text = limited(c.text())
	case 0x0e: // strp
		text = textAt(p.d.sections["str"], c.number(offset))
	case 0x1f: // line_strp
		text = textAt(p.d.sections["line_str"], c.number(offset))
	case 0x0b: // data1
		n = c.number(1)
	case 0x05: // data2
		n = c.number(2)
	case 0x06: // data4
		n = c.number(4)
	case 0x07: // data8
		n = c.number(8)
	case 0x1e: // data16
		c.bytes(16)
	case 0x0f: // udata
		n = c.uleb()
	case 0x09: // block
		c.bytes(c.uleb())
	default:
		return nil, 0, false
	}
	return text, n, !c.bad
}

func textAt(section []byte, at uint64) []byte {
	if at > uint64(len(section)) {
		return nil
	}
	c := cursor{b: section[at:]}
	return limited(c.text())
}

func limited(name []byte) []byte { return name[:min(len(name), maxName)] }

// run makes the rows.
func (p *lineProgram) run() error {
	p.reset()
	for len(p.c.b) > 0 && !p.c.bad {
		if !p.d.spend(1) {
			return errTooMuch
		}
		op := p.c.number(1)
		if op >= p.first {
			op -= p.first
			p.address += op / p.span * p.least
			p.line += uint32(p.base + int64(op%p.span))
			p.emit()
			continue
		}
		p.standard(op)
	}
	return nil
}

func (p *lineProgram) reset() {
	p.address, p.file, p.line, p.open = 0, 1, 1, false
}

// emit begins a row, and ends the one before.
func (p *lineProgram) emit() {
	if p.open && p.last.low < p.address {
		p.last.high = p.address
		p.t.rows = append(p.t.rows, p.last)
	}
	p.last, p.open = row{low: p.address, file: p.file, line: p.line}, true
}

func (p *lineProgram) standard(op uint64) {
	c := &p.c
	switch op {
	case 0:
		p.extended()
	case 1: // copy
		p.emit()
	case 2: // advance_pc
		p.address += c.uleb() * p.least
	case 3: // advance_line
		p.line += uint32(c.sleb())
	case 4: // set_file
		p.file = uint32(c.uleb())
	case 8: // const_add_pc
		p.address += (255 - p.first) / p.span * p.least
	case 9: // fixed_advance_pc
		p.address += c.number(2)
	default:
		if op-1 < uint64(len(p.lengths)) {
			for range p.lengths[op-1] {
				c.uleb()
			}
		}
	}
}

func (p *lineProgram) extended() {
	const endSequence, setAddress = 1, 2
	length := p.c.uleb()
	operands := cursor{b: p.c.bytes(length)}
	switch operands.number(1) {
	case endSequence:
		p.emit()
		p.reset()
	case setAddress:
		p.address = operands.number(min(len(operands.b), 8))
	}
}
