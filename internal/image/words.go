package image

import "encoding/binary"

// words finds what code of ARM64 names: adrp with what adds the rest of the address, wherever that stands behind it, in which a register
// that another instruction wrote in between counts all the same. Most words are looked at by masks, without a branch that a processor could
// not foresee.
func (x *index) words(rva uint32, code []byte) {
	var page registerPages
	stack := [32]uint32{31: allBits}
	named := max(x.image.Size, firstPage) - firstPage
	for at := rva; len(code) >= 4; at, code = at+4, code[4:] {
		w := binary.LittleEndian.Uint32(code)
		k := &wordKinds[kindOfWord[w>>21]]
		d, from := w&31, w>>(k.from&31)&31
		restored := stack[from] & k.load // what an epilogue restores is still there behind it
		to := (page[from] + w>>10&k.number<<(k.shift&31)) &^ isZero(page[from])
		page[d] = page[d]&(k.keeps|restored) | to&k.sets&isZero((w^0x03e0)&k.moves)
		to &= k.names &^ restored
		if k.address {
			to = page.address(w, at)
		}
		if to-firstPage < named && len(x.naming) < maxIndexed {
			x.naming = append(x.naming, reference{to, at})
		}
	}
}

// firstPage is in front of all sections.
const firstPage = 1 << 12

// isZero gives a mask of all bits for 0, and none for what has no more than 31 bits.
func isZero(n uint32) uint32 { return uint32(int32(n-1) >> 31) }

// registerPages are the addresses that registers hold, as far as adrp and what follows it tells.
type registerPages [32]uint32

// address does what an instruction does that makes an address of its own. It gives what is named.
func (page *registerPages) address(w, at uint32) (to uint32) {
	d := w & 31
	distance := int32((w>>5&0x7ffff<<2|w>>29&3)<<11) >> 11
	switch {
	case w&0xbf000000 == 0x18000000: // ldr of a literal
		page[d] = 0
		return at + uint32(int32(w>>5&0x7ffff<<13)>>11)
	case w>>31 != 0: // adrp
		page[d] = at&^0xfff + uint32(distance)<<12
		return 0
	}
	page[d] = at + uint32(distance) // adr
	return page[d]
}

// branches finds bl, b and the conditional branches in code of ARM64.
func (x *index) branches(rva uint32, code []byte) {
	for i := 0; i+4 <= len(code) && len(x.calling) < maxIndexed; i += 4 {
		w := binary.LittleEndian.Uint32(code[i:])
		distance := int32(0) // in words
		switch {
		case isBranchARM64(w):
			distance = int32(w<<6) >> 6
		case w&0x7e000000 == 0x36000000: // tbz, tbnz
			distance = int32(w<<13) >> 18
		case w&0x7e000000 == 0x34000000, w&0xff000010 == 0x54000000: // cbz, cbnz, b.cond
			distance = int32(w<<8) >> 13
		default:
			continue
		}
		if to := rva + uint32(i) + uint32(distance)*4; to < x.image.Size {
			x.calling = append(x.calling, reference{to, rva + uint32(i)})
		}
	}
}

// bl stands in the upper six bits of a call by distance.
const bl = 0x25

// isBranchARM64 says whether a word is bl or b.
func isBranchARM64(w uint32) bool { return w&0x7c000000 == 0x14000000 }

const allBits = ^uint32(0)

// wordKind is what words of a kind do to what registers hold, by masks.
type wordKind struct {
	names   uint32 // the second register, and the number with it, name something
	sets    uint32 // and that goes to the first register
	keeps   uint32 // the first register stays as it is
	load    uint32 // it is one from memory
	moves   uint32 // bits that are those of 0x03e0 if it is a mov
	number  uint32 // bits of the number
	shift   uint8  // of the number
	from    uint8  // bit where the second register stands
	address bool   // it makes an address of its own
}

// The kinds of words; of scaled loads and stores one for each size and what is done: a store, a load, two loads with sign.
const (
	plainWord = iota
	addressWord
	moveWord
	computeWord
	loadWord
	addWord
	addShiftedWord
	scaledWord
)

var kindOfWord, wordKinds = kindsOfWords()

// kindsOfWords gives the kind of a word by its upper eleven bits, and of each what it does, with room for any byte. (Arm Architecture
// Reference Manual, C4.1.)
func kindsOfWords() (of [1 << 11]uint8, kinds [256]wordKind) {
	const load, number, second, third = 0x00400000, 0xfff, 5, 16
	kinds[plainWord] = wordKind{keeps: allBits}
	kinds[addressWord] = wordKind{keeps: allBits, address: true}
	kinds[moveWord] = wordKind{sets: allBits, moves: 0xffe0, from: third} // or another orr
	kinds[loadWord] = wordKind{load: allBits, from: second}
	kinds[addWord] = wordKind{names: allBits, sets: allBits, number: number, from: second}
	kinds[addShiftedWord] = wordKind{names: allBits, sets: allBits, number: number, from: second, shift: 12}
	for size := range uint8(4) {
		for does, k := range []wordKind{{keeps: allBits}, {load: allBits}, {}, {load: allBits}} {
			k.names, k.number, k.from, k.shift = allBits, number, second, size
			kinds[scaledWord+4*int(size)+does] = k
		}
	}
	for top := range of {
		switch w := uint32(top) << 21; {
		case w&0xbf000000 == 0x18000000, w&0x1f000000 == 0x10000000: // ldr of a literal; adr, adrp
			of[top] = addressWord
		case w&0x3f000000 == 0x39000000: // of a general register, with an offset in units of its size
			of[top] = scaledWord + uint8(w>>30)*4 + uint8(w>>22&3)
		case w&0x0a000000 == 0x08000000 && w&load != 0:
			of[top] = loadWord
		case w&0x0a000000 == 0x08000000: // a store
		case w&0x7f800000 == 0x11000000: // add
			of[top] = addWord + uint8(w>>22&1)
		case w&0xffe00000 == 0xaa000000:
			of[top] = moveWord
		case w&0x1c000000 == 0x10000000, w&0x0e000000 == 0x0a000000: // a computation puts something else there
			of[top] = computeWord
		}
	}
	return of, kinds
}
