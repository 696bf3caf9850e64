package report

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/tree"
)

// maxLine bounds, in bytes, what is looked at of a line on either side of a place: a file can be one line of 64 MiB.
const maxLine = 4096

// spot is a line of text around a place, as UTF-8 and without its end.
type spot struct {
	before, after string
	begun, ended  bool // before holds the line from its beginning, after holds it to its end
}

// spot reads the line of a place; false where there is none to show.
func (r *Scan) spot(p driver.Place) (spot, bool) {
	if p.Line == 0 || p.Offset == 0 && (p.Line > 1 || p.Column > 1) || r.Tree == nil {
		return spot{}, false
	}
	data, err := r.Tree.Read(p.Path)
	wide := tree.IsUTF16(data)
	if err != nil || p.Offset > len(data) || wide && p.Offset < 2 {
		return spot{}, false
	}
	from, to := max(0, p.Offset-maxLine), min(len(data), p.Offset+maxLine)
	s := spot{begun: from == 0, ended: to == len(data)}
	before, after := data[from:p.Offset], data[p.Offset:to]
	if wide {
		mark := data[:2:2]
		before, _ = tree.DecodeUTF16(append(mark, data[max(2, from):p.Offset]...))
		after, _ = tree.DecodeUTF16(append(mark, after...))
	}
	if i := bytes.LastIndexByte(before, '\n'); i >= 0 {
		before, s.begun = before[i+1:], true
	}
	after, _, found := bytes.Cut(after, []byte("\n"))
	s.ended = s.ended || found
	if from == 0 && p.Line == 1 {
		before = bytes.TrimPrefix(before, []byte("\ufeff"))
	}
	s.before, s.after = string(before), strings.TrimSuffix(string(after), "\r")
	return s, true
}

// column is that of the place in units of UTF-16, counted from 1; 0 where the line is too long to tell.
func (s spot) column() int {
	if !s.begun {
		return 0
	}
	return 1 + units(s.before)
}

func units(text string) (n int) {
	for _, c := range text {
		n += utf16.RuneLen(c)
	}
	return n
}

// word is the identifier that begins at the place, or its first character.
func (s spot) word() string {
	end := strings.IndexFunc(s.after, func(c rune) bool { return c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	switch {
	case end > 0:
		return s.after[:end]
	case end < 0:
		return s.after
	}
	_, size := utf8.DecodeRuneInString(s.after)
	return s.after[:size]
}

// frame shows the line of a place, and marks below it the word that begins there. On a terminal a line that is too long
// is cut around the place. It gives what it shows of the line.
func (c *console) frame(r *Scan, p driver.Place, mark style) string {
	s, ok := r.spot(p)
	if !ok {
		return ""
	}
	gutter := max(gutterWidth, len(strconv.Itoa(p.Line)))
	before := expand(s.before, 0)
	word := expand(s.word(), len(before))
	rest := expand(s.after[len(s.word()):], len(before)+len(word))
	if !s.begun {
		before = append(cells("..."), before...)
	}
	if !s.ended {
		rest = append(rest, cells("...")...)
	}
	line := append(append(before[:len(before):len(before)], word...), rest...)
	from, to := window(len(line), len(before), len(before)+max(1, len(word)), c.view.Width-gutter-len(" | "))
	indent := len(before) - from
	tail := max(0, min(to, len(before)+len(word))-len(before)-1)
	c.raw(pad(gutter, strconv.Itoa(p.Line))+" | ", dim)
	text := strings.TrimRight(shortened(line, from, to), " ")
	c.raw(text+"\n", plain)
	c.raw(pad(gutter, "")+" | ", dim)
	c.raw(strings.Repeat(" ", indent)+"^"+strings.Repeat("~", tail), mark)
	c.raw("\n", plain)
	return text
}

// gutterWidth is that of the line numbers in frames; what belongs to a finding is indented as far.
const gutterWidth = 4

func pad(width int, text string) string { return strings.Repeat(" ", max(0, width-len(text))) + text }

// window chooses the part of a line of n columns that fits into room, so that the columns [start, end) are in it, with
// what stands around them; all of it where room is not above 0.
func window(n, start, end, room int) (from, to int) {
	const ends = 2 * len("...")
	if room <= 0 || n <= room || room <= 2*ends {
		return 0, n
	}
	if end <= room-ends { // the beginning of the line says most
		return 0, room
	}
	from = min(max(0, start-room/3), n-room)
	return from, from + room
}

// shortened gives the columns [from, to) of a line; "..." stands where something was cut.
func shortened(line []string, from, to int) string {
	part := append([]string(nil), line[from:to]...)
	if from > 0 {
		copy(part, cells("..."))
		if len(part) > 3 && part[3] == "" { // half of a wide character
			part[3] = " "
		}
	}
	if to < len(line) {
		copy(part[len(part)-3:], cells("..."))
	}
	return strings.Join(part, "")
}

// tabWidth is how a tab in source is shown, whatever the terminal's is: the mark below must stand where it belongs.
const tabWidth = 4

// expand gives the columns of a text that begins at a column: tabs as spaces, a wide character as itself and an empty
// one, what joins the character before together with that.
func expand(text string, at int) []string {
	var list []string
	for _, c := range text {
		switch w := columns(c); {
		case c == '\t':
			for n := tabWidth - (at+len(list))%tabWidth; n > 0; n-- {
				list = append(list, " ")
			}
		case w == 0 && len(list) > 0:
			list[len(list)-1] += string(c)
		case w > 0:
			list = append(list, string(visible(c)))
			if w == 2 {
				list = append(list, "")
			}
		}
	}
	return list
}

func cells(text string) []string { return expand(text, 0) }
