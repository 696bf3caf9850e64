package edit

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// FuzzApply cuts edits out of its second argument, three bytes and a text up to the next 0 each, and holds Apply and Diff
// against a second way to get the same: from the back to the front, and the diff applied line by line, both ways.
func FuzzApply(f *testing.F) {
	f.Add([]byte("a\r\nb\nc\n"), []byte("\x03\x00\x00new\r\n\x00\x05\x01\x00x"))
	f.Add([]byte("\xef\xbb\xbfa\n\tb"), []byte("\x06\x00\x00\tnew"))
	f.Add([]byte("\xe4\nb\n\n\n\n\n\n\n\nc"), []byte("\x00\x01\x00\xfc\x00\x0b\x01\x00\x00\x0c\x00\x00\n"))
	f.Add([]byte("ab"), []byte("\x01\x00\x00x\x00\x01\x00\x00y\x00\x01\x00\x00x"))
	f.Add([]byte(""), []byte("\x00\x00\x00a"))
	f.Add([]byte("a"), []byte("\x00\x01\x00"))
	f.Add([]byte("a\n"), []byte("\x01\x01\x00"))
	f.Fuzz(func(t *testing.T, old, data []byte) {
		edits := cut(data)
		changes, err := Apply(func(string) ([]byte, error) { return slices.Clone(old), nil }, edits)
		if err != nil || len(changes) == 0 {
			return
		}
		c := changes[0]
		if want := backwards(old, edits); !bytes.Equal(c.New, want) || !bytes.Equal(c.Old, old) {
			t.Fatalf("%q with %v: got %q, want %q", old, edits, c.New, want)
		}
		diff := Diff(changes)
		if got, err := patch(c.Old, diff, '-', '+'); err != nil || !bytes.Equal(got, c.New) {
			t.Errorf("%q to %q: the diff gives %q, %v\n%s", c.Old, c.New, got, err, diff)
		}
		if got, err := patch(c.New, diff, '+', '-'); err != nil || !bytes.Equal(got, c.Old) {
			t.Errorf("%q to %q: undone, the diff gives %q, %v\n%s", c.Old, c.New, got, err, diff)
		}
	})
}

func cut(data []byte) []Edit {
	var edits []Edit
	for len(data) >= 3 {
		text, rest, _ := bytes.Cut(data[3:], []byte{0})
		start := int(data[0]) + int(data[2])<<8
		edits = append(edits, Edit{"f.c", start, start + int(data[1]), string(text)})
		data = rest
	}
	return edits
}

func backwards(old []byte, edits []Edit) []byte {
	var list []Edit
	for _, e := range edits {
		if !slices.Contains(list, e) {
			list = append(list, e)
		}
	}
	slices.SortStableFunc(list, func(a, b Edit) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	for _, e := range slices.Backward(list) {
		old = slices.Concat(old[:e.Start], []byte(e.New), old[e.End:])
	}
	return old
}

// patch applies a unified diff of one file as strictly as can be: minus is the mark of the lines that go, plus of those
// that come.
func patch(old []byte, diff string, minus, plus byte) ([]byte, error) {
	lines := strings.SplitAfter(string(old), "\n")
	var out []string
	at := 0
	list := strings.SplitAfter(diff, "\n")
	for i, l := range list[2:] {
		if l == "" || l[0] == '\\' {
			continue
		}
		if l[0] == '@' {
			words := strings.Fields(l)
			from := first(words[slices.IndexFunc(words, func(w string) bool { return w[0] == minus })][1:])
			if from < at || from > len(lines) {
				return nil, fmt.Errorf("hunk %q after line %d", l, at)
			}
			out = append(out, lines[at:from]...)
			at = from
			continue
		}
		text := l[1:]
		if i+3 < len(list) && strings.HasPrefix(list[i+3], `\ No newline`) {
			text = strings.TrimSuffix(text, "\n")
		}
		if l[0] == minus || l[0] == ' ' {
			if at >= len(lines) || lines[at] != text {
				return nil, fmt.Errorf("line %d is not %q", at+1, text)
			}
			at++
		}
		if l[0] == plus || l[0] == ' ' {
			out = append(out, text)
		}
	}
	return []byte(strings.Join(append(out, lines[at:]...), "")), nil
}

// first gives the index of the first line of a hunk's range.
func first(s string) int {
	line, n := 0, 1
	fmt.Sscanf(s, "%d,%d", &line, &n)
	if n == 0 { // a range of no lines names the one before it
		return line
	}
	return line - 1
}
