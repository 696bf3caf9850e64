package source

import (
	"fmt"
	"path"
	"strings"
)

// include opens a header, or lets the model of the kit do its work.
func (p *cpp) include(hash token, directive string, line []token) {
	if len(line) > 0 && line[0].kind == ident {
		line = p.expandList(line)
	}
	name, quoted := includeName(line)
	if name == "" || directive == "import" && isLibrary(name) {
		return
	}
	if coreHeaders[baseName(name)] {
		p.includeKit(hash, baseName(name))
		return
	}
	f, err := p.find(name, quoted)
	if directive == "include_next" {
		f, err = p.findNext(name)
	}
	switch {
	case f != nil:
		p.push(f)
		if directive == "import" {
			p.once[f] = true
		}
	case isKitHeader(name):
		p.includePlacement(name)
		p.includeKit(hash, baseName(name))
	default:
		p.includePlacement(name)
		if err != nil && p.trouble == "" {
			p.trouble = fmt.Sprintf("line %d: includes %v", hash.place().Line, err)
		}
		p.missing = append(p.missing, token{kind: str, off: hash.off, file: hash.file, text: name})
		p.assumed.missing(name, quoted)
		if p.assumeKit && mayBringKit(p.missing[len(p.missing)-1]) {
			p.includeKit(hash, "wdm.h")
		}
	}
}

// isLibrary says whether #import means a type library, out of which the compiler makes declarations.
func isLibrary(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".tlb", ".olb", ".dll", ".exe", ".ocx":
		return true
	}
	return !strings.Contains(name, ".")
}

func (p *cpp) push(f *file) {
	if p.once[f] {
		return
	}
	if len(p.stack) >= maxIncludes {
		p.giveUp("more than 200 headers inside each other: do they include themselves?")
		return
	}
	p.files.ready(f)
	if f.lost && p.trouble == "" {
		p.trouble = f.path + ": can't be read for a second time"
	}
	if f.cut > 0 && p.trouble == "" {
		p.trouble = fmt.Sprintf("%s: more than 4 million tokens: the rest of the file is not read", f.place(f.cut))
	}
	p.entered = append(p.entered, f)
	o := &open{file: f}
	if n := len(p.stack); n > 0 {
		o.under = p.assumed.header(p.stack[n-1], f)
		if f.guard != "" && p.lookup(f.guard) != nil { // nothing is left of it
			p.count += len(f.tokens)
			return
		}
	}
	o.findNext()
	p.opened(f)
	p.stack = append(p.stack, o)
}

// includeName reads "name" or <name>, which is one token where it is written out, and several where it comes from a macro.
func includeName(line []token) (name string, quoted bool) {
	if len(line) == 0 {
		return "", false
	}
	if text := line[0].text; line[0].kind == str {
		if strings.HasPrefix(text, "<") {
			return strings.TrimSpace(text[1 : len(text)-1]), false
		}
		return strings.Trim(text, `"`), true
	}
	if !line[0].is("<") {
		return "", false
	}
	var b strings.Builder
	for i, t := range line[1:] {
		if t.is(">") {
			break
		}
		if i > 0 && t.flags&spaced != 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.text)
	}
	return b.String(), false
}

// hasInclude answers __has_include.
func (p *cpp) hasInclude(operand []token) bool {
	if len(operand) > 0 && operand[0].kind == ident {
		operand = p.expandList(operand)
	}
	name, quoted := includeName(operand)
	if name == "" {
		return false
	}
	f, _ := p.find(name, quoted)
	return f != nil || isKitHeader(name)
}

// findNext searches a header in the include directories behind that of the file that is being read: a header of the same
// name wraps it.
func (p *cpp) findNext(name string) (*file, error) {
	current := p.stack[len(p.stack)-1].file
	var first *file
	passed := false
	for _, dir := range p.includes {
		f, _ := p.files.get(dir, name)
		switch {
		case f == nil:
		case f == current:
			passed, first = true, nil
		case passed:
			return f, nil
		case first == nil:
			first = f
		}
	}
	return first, nil
}

// find searches a header where Microsoft's compiler does: a quoted one in the directories of the files that are open,
// innermost first; then in the include directories. It gives nil for one that is not there, and the error of one that is
// and can't be read.
func (p *cpp) find(name string, quoted bool) (*file, error) {
	var unread error
	in := func(dir string) *file {
		f, err := p.files.get(dir, name)
		if err != nil && unread == nil {
			unread = err
		}
		return f
	}
	if quoted {
		for i := len(p.stack) - 1; i >= 0; i-- {
			if f := in(p.stack[i].file.dir); f != nil {
				return f, nil
			}
		}
	}
	for _, dir := range p.includes {
		if f := in(dir); f != nil {
			return f, nil
		}
	}
	return nil, unread
}
