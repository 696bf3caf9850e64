package image

import "encoding/binary"

// words finds what code of ARM64 names: adrp with what adds the rest of the address, wherever that stands behind it, in which a register
// that another instruction wrote in between counts all the same; and bl, b and the conditional branches.
func (x *index) words(rva uint32, code []byte) {
	var page [32]uint32 // the address that a register holds, as far as adrp and what follows it tells
	stack := [32]uint32{31: all}
	named := max(x.image.Size, firstPage) - firstPage
	for i := 0; i+4 <= len(code); i += 4 {
		w := binary.LittleEndian.Uint32(code[i:])
		k := &wordKinds[kindOfWord[w>>21]]
		d, n := w&31, w>>5&31
		restored := stack[n] & k.load // what an epilogue restores is still there behind it
		to := (page[n] + w>>10&0xfff<<k.shift) & k.names &^ restored
		page[d] = page[d]&(k.keeps|restored) | to&k.sets
		if k.other {
			to = x.word(w, rva+uint32(i), &page)
		}
		if to-firstPage < named && len(x.naming) < maxIndexed {
			x.naming = append(x.naming, reference{to, rva + uint32(i)})
		}
	}
}

// firstPage is in front of all sections.
const firstPage = 1 << 12

// word does that with what its upper bits alone don't tell. It gives what is named.
func (x *index) word(w, at uint32, page *[32]uint32) (to uint32) {
	call := uint32(0)
	switch d := w & 31; {
	case isBranchARM64(w):
		call = at + uint32(int32(w<<6)>>6)*4
	case w&0xff000010 == 0x54000000, w&0x7e000000 == 0x34000000: // b.cond; cbz, cbnz, tbz, tbnz
		call = at + uint32(int32(w<<8)>>13)*4
	case w&0xbf000000 == 0x18000000: // ldr of a literal
		to = at + uint32(int32(w>>5&0x7ffff<<13)>>11)
		page[d] = 0
	case w&0x9f000000 == 0x90000000: // adrp
		page[d] = at&^0xfff + uint32(int32((w>>5&0x7ffff<<2|w>>29&3)<<11)>>11)<<12
	case w&0x9f000000 == 0x10000000: // adr
		to = at + uint32(int32((w>>5&0x7ffff<<2|w>>29&3)<<11)>>11)
		page[d] = to
	case w&0xffe0ffe0 == 0xaa0003e0: // mov
		page[d] = page[w>>16&31]
	case w&0xffe00000 == 0xaa000000: // orr
		page[d] = 0
	}
	if call != 0 && call < x.image.Size && len(x.calling) < maxIndexed {
		x.calling = append(x.calling, reference{call, at})
	}
	return to
}

// isBranchARM64 says whether a word is bl or b.
func isBranchARM64(w uint32) bool { return w&0x7c000000 == 0x14000000 }

const all = ^uint32(0)

// wordKind is what words of a kind do to what registers hold, as masks, so that it takes no branch.
type wordKind struct {
	names uint32 // what the second register and the number behind it make names something
	sets  uint32 // and goes to the first
	keeps uint32 // the first register stays as it is
	load  uint32 // it is one from memory
	shift uint8  // of the number
	other bool   // see word
}

const (
	plain = iota
	otherWord
	computes
	loads
	adds // and adds1 of a number that is shifted
	adds1
	scaled        // and so on by size and what is done: a store, a load, two loads with sign
	wordKindCount = scaled + 16
)

var kindOfWord, wordKinds = kindsOfWords()

// kindsOfWords gives the kind of a word by its upper eleven bits. (Arm Architecture Reference Manual, C4.1.)
func kindsOfWords() (of [1 << 11]uint8, kinds [wordKindCount]wordKind) {
	kinds[plain] = wordKind{keeps: all}
	kinds[otherWord] = wordKind{keeps: all, other: true}
	kinds[computes] = wordKind{}
	kinds[loads] = wordKind{load: all}
	kinds[adds] = wordKind{names: all, sets: all}
	kinds[adds1] = wordKind{names: all, sets: all, shift: 12}
	for size := range uint8(4) {
		for does, k := range []wordKind{{keeps: all}, {load: all}, {}, {load: all}} {
			k.names, k.shift = all, size
			kinds[scaled+4*int(size)+does] = k
		}
	}
	for top := range of {
		const load = 0x00400000
		switch w := uint32(top) << 21; {
		case w&0xbf000000 == 0x18000000: // ldr of a literal
			of[top] = otherWord
		case w&0x3f000000 == 0x39000000: // of a general register, with an offset in units of its size
			of[top] = scaled + uint8(w>>30)*4 + uint8(w>>22&3)
		case w&0x0a000000 == 0x08000000 && w&load != 0:
			of[top] = loads
		case w&0x0a000000 == 0x08000000: // a store
		case isBranchARM64(w), w&0xff000000 == 0x54000000, w&0x7e000000 == 0x34000000, w&0x1f000000 == 0x10000000, w&0xffe00000 == 0xaa000000:
			of[top] = otherWord
		case w&0x7f800000 == 0x11000000: // add
			of[top] = adds + uint8(w>>22&1)
		case w&0x1c000000 == 0x10000000, w&0x0e000000 == 0x0a000000: // a computation puts something else there
			of[top] = computes
		}
	}
	return of, kinds
}
