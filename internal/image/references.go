package image

import (
	"encoding/binary"
	"slices"
	"sort"

	"github.com/nxport/nxport/nx"
)

// reference is where an address is named: in code, by the four bytes at at; a call or a jump by its first byte; in data, where the
// address stands.
type reference struct{ to, at uint32 }

// maxReferences is how many places in the code are looked at that name a wanted address; drivers have some hundreds.
const maxReferences = 1 << 14

// between gives those of an index that name an address of a range, both ends included.
func between(index []reference, lo, hi uint32) []reference {
	order := func(ref reference, to uint32) int { return int(int64(ref.to) - int64(to)) }
	i, _ := slices.BinarySearchFunc(index, lo, order)
	index = index[i:]
	return index[:sort.Search(len(index), func(n int) bool { return index[n].to > hi })]
}

// addresses are what references are looked for to: a list, sorted, or without one all from lo to hi.
type addresses struct {
	list   []uint32
	lo, hi uint32
}

func addressesOf(list ...uint32) addresses {
	slices.Sort(list)
	if len(list) == 0 {
		return addresses{lo: 1} // none
	}
	return addresses{slices.Compact(list), list[0], list[len(list)-1]}
}

func (a *addresses) has(rva uint32) bool {
	if rva < a.lo || rva > a.hi {
		return false
	}
	if a.list == nil {
		return true
	}
	_, found := slices.BinarySearch(a.list, rva)
	return found
}

// references finds where code names one of the addresses: an address in the instruction, whatever it does with it. Bytes
// can look like one that are none. What is relative to the next instruction is relative to what stands behind the four bytes of the
// distance, or behind an immediate of 1, 2 or 4 bytes more.
func (x *index) references(wanted addresses) []reference {
	behind := []uint32{0}
	if x.image.Processor == nx.X64 {
		behind = []uint32{0, 1, 2, 4}
	}
	var found []reference
	for _, ref := range between(x.named(), wanted.lo-min(wanted.lo, behind[len(behind)-1]), wanted.hi) {
		for _, immediate := range behind {
			if wanted.has(ref.to + immediate) {
				found = append(found, reference{ref.to + immediate, ref.at})
				break
			}
		}
	}
	slices.SortFunc(found, func(a, b reference) int { return int(int64(a.at) - int64(b.at)) })
	return found[:min(len(found), maxReferences)]
}

// isJump says of what calls has whether it is a jump.
func (m *Image) isJump(c reference) bool {
	code := m.At(c.at)
	if m.Processor == nx.ARM64 {
		return len(code) >= 4 && binary.LittleEndian.Uint32(code)>>26 != bl
	}
	return len(code) > 0 && code[0] != callNear
}
