package project

import (
	"bytes"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/edit"
)

// A define in a header: where all units of the builds come to the kit by one include directive, one line before it
// serves them all, if a macro is defined there already.

// inHeader finds the one include directive by which all units of a group's builds come to the kit, if it stands in a
// header that defines something right before it, and if no other build would be changed.
//
// That is what dokan and winfsp do by hand; the header must be in the tree and be no source file.
func (p *placer) inHeader(g group, all loaded) (candidate, bool) {
	var head Head
	for _, b := range g.builds {
		for _, u := range b.Units {
			h, ok := p.heads[u]
			if !ok || head != (Head{}) && (h.Include.Path != head.Include.Path || h.Include.Offset != head.Include.Offset) {
				return candidate{}, false
			}
			head = h
		}
	}
	header := head.Include.Path
	if _, source := languageOf(header); header == "" || source || p.keeps(header) != "" || p.usedOtherwise(header, g, all) {
		return candidate{}, false
	}
	data, err := p.tree.Read(header)
	if err != nil || head.Include.Offset > len(data) {
		return candidate{}, false
	}
	f := newFile(header, data)
	if !definesBefore(f, head.Include.Offset) {
		return candidate{}, false
	}
	at := f.lineStart(head.Include.Offset)
	if at == 0 && bytes.HasPrefix(data, []byte(bom)) {
		at = len(bom)
	}
	directive := string(data[at:])
	indent := directive[:len(directive)-len(strings.TrimLeft(directive, " \t"))]
	c := candidate{lines: len(g.defines)}
	for _, d := range g.defines {
		line := indent + strings.TrimRight("#define "+d.Name+" "+d.Value, " ") + f.newline(head.Include.Offset)
		c.edits = append(c.edits, edit.Edit{Path: header, Start: at, End: at, New: line})
	}
	return c, true
}

// usedOtherwise says whether a build that does not want the defines reads the header, or may do so since it was not
// loaded.
func (p *placer) usedOtherwise(header string, g group, all loaded) bool {
	for _, b := range all.builds {
		if !p.takes(b.ID, g.defines) {
			return true
		}
	}
	for _, b := range p.set.Builds {
		if !p.takes(b.ID, g.defines) && slices.ContainsFunc(b.Units, func(u *Unit) bool {
			return p.heads[u].Include.Path == header
		}) {
			return true
		}
	}
	return false
}

// definesBefore says whether a macro is defined above an include directive, with no other include between. The
// include guard of the header is no such macro.
func definesBefore(f *file, include int) bool {
	lines := strings.Split(string(f.data[:f.lineStart(include)]), "\n")
	found := ""
	for i, line := range slices.Backward(lines) {
		word, rest := directiveOf(line)
		switch word {
		case "include":
			return found != ""
		case "define":
			if !isGuard(lines[:i], rest) {
				found = rest
			}
		}
	}
	return found != ""
}

// isGuard says whether the directive above a #define is an #ifndef of the same macro.
func isGuard(above []string, macro string) bool {
	for _, line := range slices.Backward(above) {
		if word, rest := directiveOf(line); word != "" {
			return word == "ifndef" && rest == macro
		}
	}
	return false
}

// directiveOf gives the word of a preprocessor directive and what follows it; "" for other lines.
func directiveOf(line string) (word, rest string) {
	s, ok := strings.CutPrefix(strings.TrimLeft(line, bom+white), "#")
	if !ok {
		return "", ""
	}
	s = strings.TrimLeft(s, white)
	word = s[:indexOrEnd(s, " ", "\t", "\r", "(", "<", "\"")]
	return word, strings.Trim(s[len(word):], white)
}
