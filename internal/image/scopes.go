package image

import (
	"debug/dwarf"
	"slices"
)

// scope is a function of a unit, one that is inlined, or a block.
type scope struct {
	ranges   [][2]uint64
	offset   dwarf.Offset
	function bool
	next     int // of the unit's scopes: the first that is not in this one
}

// chain gives the function that holds an address, and what is inlined in it, inwards.
func (u *unit) chain(pc uint64) []dwarf.Offset {
	var list []dwarf.Offset
	for i := 0; i < len(u.scopes); {
		s := &u.scopes[i]
		if !slices.ContainsFunc(s.ranges, func(r [2]uint64) bool { return r[0] <= pc && pc < r[1] }) {
			i = s.next
			continue
		}
		if i++; s.function && len(list) < maxDepth {
			list = append(list, s.offset)
		}
	}
	return list
}

// What an entry is that has no number in the scopes of its unit: one that has no code of its own, or one of which nothing counts.
const (
	none    = -1
	ignored = -2
)

// readScopes goes through the entries of a unit. A namespace or a class has no code of its own, but may hold functions.
func (d *debugData) readScopes(u *unit) error {
	if !u.root.Children {
		return nil
	}
	r := d.data.Reader()
	r.Seek(u.root.Offset)
	if _, err := r.Next(); err != nil {
		return err
	}
	for open := []int{none}; len(open) > 0; {
		e, err := r.Next()
		switch {
		case err != nil:
			return err
		case e == nil, e.Tag == dwarf.TagCompileUnit:
			return nil
		case !d.spend(cost(e)):
			return errTooMuch
		case e.Tag == 0:
			if last := open[len(open)-1]; last >= 0 {
				u.scopes[last].next = len(u.scopes)
			}
			open = open[:len(open)-1]
			continue
		}
		kind := ignored
		if open[len(open)-1] != ignored && len(open) < maxDepth {
			if kind, err = d.scope(u, e); err != nil {
				return err
			}
		}
		if !e.Children {
			continue
		}
		if sibling, ok := e.Val(dwarf.AttrSibling).(dwarf.Offset); ok && kind == ignored && sibling > e.Offset {
			r.Seek(sibling)
			continue
		}
		open = append(open, kind)
	}
	return nil
}

// scope adds an entry to the scopes of its unit if it has code, and gives what it is.
func (d *debugData) scope(u *unit, e *dwarf.Entry) (kind int, err error) {
	function := false
	switch e.Tag {
	case dwarf.TagNamespace, dwarf.TagClassType, dwarf.TagStructType:
		return none, nil
	case dwarf.TagSubprogram, dwarf.TagInlinedSubroutine:
		function = true
	case dwarf.TagLexDwarfBlock, dwarf.TagTryDwarfBlock, dwarf.TagCatchDwarfBlock:
	default:
		return ignored, nil
	}
	ranges, err := d.ranges(u, e)
	if err != nil || len(ranges) == 0 {
		return ignored, err
	}
	u.scopes = append(u.scopes, scope{ranges, e.Offset, function, len(u.scopes) + 1})
	return len(u.scopes) - 1, nil
}

// ranges gives the code of an entry: from a lowest to behind a highest address, or a list of such ranges.
func (d *debugData) ranges(u *unit, e *dwarf.Entry) ([][2]uint64, error) {
	if u.width != 4 && u.width != 8 {
		return nil, errDamaged
	}
	low, hasLow := e.Val(dwarf.AttrLowpc).(uint64)
	if at := e.Val(dwarf.AttrRanges); at != nil {
		offset, ok := at.(int64)
		if n, list := at.(uint64); list {
			offset, ok = int64(n), true
		}
		section := map[bool]string{false: "ranges", true: "rnglists"}[u.version >= 5]
		if b := d.sections[section]; ok && offset >= 0 && offset <= int64(len(b)) {
			l := rangeList{d: d, u: u, base: u.base, c: cursor{b: b[offset:]}}
			if u.version >= 5 {
				return l.list, l.five()
			}
			return l.list, l.four()
		}
	}
	if !hasLow {
		return nil, nil
	}
	switch high := e.Val(dwarf.AttrHighpc).(type) {
	case uint64:
		return [][2]uint64{{low, high}}, nil
	case int64:
		return [][2]uint64{{low, low + uint64(high)}}, nil
	}
	return nil, nil
}

// rangeList reads a list of ranges.
type rangeList struct {
	d    *debugData
	u    *unit
	base uint64
	c    cursor
	list [][2]uint64
}

func (l *rangeList) add(low, high uint64) {
	if low < high {
		l.list = append(l.list, [2]uint64{low, high})
	}
}

// four reads what versions up to 4 have: pairs of addresses.
func (l *rangeList) four() error {
	for !l.c.bad {
		if !l.d.spend(1) {
			return errTooMuch
		}
		low, high := l.address(), l.address()
		switch {
		case low == 0 && high == 0:
			return nil
		case low == 1<<(8*l.u.width)-1:
			l.base = high
		default:
			l.add(l.base+low, l.base+high)
		}
	}
	return nil
}

// five reads what version 5 has: a byte in front says what follows.
func (l *rangeList) five() error {
	for !l.c.bad {
		if !l.d.spend(1) {
			return errTooMuch
		}
		switch l.c.number(1) {
		case 0:
			return nil
		case 1: // base_addressx
			l.base = l.indexed()
		case 2: // startx_endx
			low := l.indexed()
			l.add(low, l.indexed())
		case 3: // startx_length
			low := l.indexed()
			l.add(low, low+l.c.uleb())
		case 4: // offset_pair
			low := l.base + l.c.uleb()
			l.add(low, l.base+l.c.uleb())
		case 5: // base_address
			l.base = l.address()
		case 6: // start_end
			low := l.address()
			l.add(low, l.address())
		case 7: // start_length
			low := l.address()
			l.add(low, low+l.c.uleb())
		default:
			return nil
		}
	}
	return nil
}

func (l *rangeList) address() uint64 { return l.c.number(l.u.width) }

// indexed reads the number of an address in the unit's part of .debug_addr.
func (l *rangeList) indexed() uint64 {
	base, _ := l.u.root.Val(dwarf.AttrAddrBase).(int64)
	section, at := l.d.sections["addr"], uint64(base)+l.c.uleb()*uint64(l.u.width)
	if at > uint64(len(section)) {
		return 0
	}
	c := cursor{b: section[at:]}
	return c.number(l.u.width)
}
