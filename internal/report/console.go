package report

import (
	"bufio"
	"io"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// style is how text stands out: the parameters of an ANSI sequence.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "1;31"
	green  style = "1;32"
	yellow style = "1;33"
	cyan   style = "1;36"
)

// console writes text for people: coloured and broken into lines where the view asks for it. What comes from a scanned
// tree can't make the terminal do anything.
type console struct {
	*bufio.Writer
	view View
}

func newConsole(w io.Writer, v View) *console { return &console{bufio.NewWriter(w), v} }

// raw writes text as it is.
func (c *console) raw(text string, s style) {
	if c.view.Colour && s != plain {
		text = "\x1b[" + string(s) + "m" + text + "\x1b[0m"
	}
	c.WriteString(text)
}

// part is some words of one style.
type part struct {
	text  string
	style style
}

// say writes a line of parts with a space between them, after a lead. On a terminal it is broken between words; what
// follows is indented by hang.
func (c *console) say(lead string, hang int, parts ...part) {
	c.raw(lead, dim)
	at := len(lead)
	for i, p := range parts {
		text := ""
		for j, word := range strings.Split(printable(p.text), " ") {
			n := wide(word)
			switch {
			case i == 0 && j == 0:
			case c.view.Width > 0 && at+1+n > c.view.Width && at > hang:
				text += "\n" + strings.Repeat(" ", hang)
				at = hang
			case j == 0:
				c.raw(" ", plain)
				at++
			default:
				text += " "
				at++
			}
			text += word
			at += n
		}
		c.raw(text, p.style)
	}
	c.raw("\n", plain)
}

// printable gives text as one line without what a terminal obeys.
func printable(text string) string { return strings.Map(visible, text) }

// visible replaces what moves the cursor, commands the terminal or turns the direction of writing.
func visible(c rune) rune {
	switch {
	case c == '\n', c == '\t':
		return ' '
	case c < ' ':
		return 0x2400 + c // the picture of a control character
	case unicode.IsControl(c), unicode.Is(unicode.Bidi_Control, c), c == '\u2028', c == '\u2029':
		return unicode.ReplacementChar
	}
	return c
}

// columns is how many a terminal takes for a character.
func columns(c rune) int {
	if c < 0x300 {
		return 1
	}
	if unicode.In(c, unicode.Mn, unicode.Me) {
		return 0
	}
	if k := width.LookupRune(c).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
		return 2
	}
	return 1
}

func wide(text string) (n int) {
	for _, c := range text {
		n += columns(c)
	}
	return n
}
