package source

import (
	"bytes"
	"strings"

	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// mechanismMacros are those that wdm.h asks for. It does so where it is included, so that a definition behind that place comes
// too late.
var mechanismMacros = []string{nx.OptIn.Macro(), nx.OptInAuto.Macro(), nx.OptedOut.Macro()}

func isMechanismMacro(name string) bool { return slices.Contains(mechanismMacros, name) }

// tooLate notes a definition that wdm.h did not see.
func (p *cpp) tooLate(m *macro) {
	if p.kit.seen && !p.kit.waits && !p.assumeKit && isMechanismMacro(m.name.text) {
		p.late = append(p.late, m)
	}
}

// redefines notes a definition of a macro that has another value, of which the compiler warns.
func (p *cpp) redefines(m *macro) {
	if !isMechanismMacro(m.name.text) || len(p.stack) == 0 { // what a build defines is its own business
		return
	}
	same := func(a, b token) bool { return a.text == b.text }
	if old := p.lookup(m.name.text); old != nil && !slices.EqualFunc(old.body, m.body, same) {
		p.redefined = append(p.redefined, m)
	}
}

// skipped notes the definitions in front of the include of a precompiled header: Microsoft's compiler does not read them.
func (p *cpp) skipped(main *file, start int) {
	for _, d := range main.directives {
		if int(d.at) >= start {
			return
		}
		if d.macro != nil && isMechanismMacro(d.macro.name.text) {
			p.late = append(p.late, d.macro)
		}
	}
}

// mechanismFacts say what a unit defines of the macros without effect.
func (p *cpp) mechanismFacts() []driver.Fact {
	if !p.kit.seen {
		return nil
	}
	var list []driver.Fact
	for _, m := range p.redefined {
		list = append(list, driver.Fact{Kind: driver.Redefinition, Place: m.name.place(), Says: m.name.text})
	}
	opted := p.kit.mechanism == nx.OptIn || p.kit.mechanism == nx.OptInAuto
	for _, m := range p.late {
		if optOut := m.name.text == nx.OptedOut.Macro(); optOut == opted && !m.isZero() {
			list = append(list, driver.Fact{Kind: driver.MacroTooLate, Place: m.name.place(), Says: m.name.text, Written: p.movable(m.name)})
		}
	}
	if m := p.kit.optOut; m != nil && opted {
		list = append(list, driver.Fact{Kind: driver.OptOutOff, Place: p.definedAt(m), Says: m.name.text})
	} else if m != nil && p.kit.mechanism == nx.OptedOut {
		list = append(list, driver.Fact{Kind: driver.OptOut, Place: p.definedAt(m), Says: m.name.text, Written: definitionLine(m.name)})
	}
	for _, m := range []nx.Mechanism{nx.OptIn, nx.OptInAuto} {
		if p.kit.waits && p.isOn(m.Macro()) {
			list = append(list, driver.Fact{Kind: driver.OptInUnknown, Place: p.kit.include.place(), Says: m.Macro()})
		}
	}
	if p.kit.both {
		list = append(list, driver.Fact{Kind: driver.BothOptIns, Place: p.kit.include.place()})
	}
	return list
}

// movable gives the line that defines a macro too late, if it can stand in front of the kit's include: it follows that in the
// same file, no conditional begins or ends between them, and neither line holds anything that goes on in others.
func (p *cpp) movable(name token) []driver.Written {
	f, include := name.file, p.kit.include
	if f != include.file || f.virtual || f.wide != nil || name.off < include.off {
		return nil
	}
	for _, d := range f.directives {
		if at := f.tokens[d.at].off; at > include.off && at < name.off {
			switch f.textOf(f.tokens[d.at+1]) {
			case "if", "ifdef", "ifndef", "elif", "elifdef", "elifndef", "else", "endif":
				return nil
			}
		}
	}
	if data := f.bytes(); len(bytes.TrimSpace(bytes.TrimPrefix(data[lineStart(data, int(include.off)):include.off], []byte("\ufeff")))) > 0 {
		return nil
	}
	return definitionLine(name)
}

// definitionLine gives the line that defines a macro, where it holds nothing else; nil where it can't be edited.
func definitionLine(name token) []driver.Written {
	f := name.file
	if f.virtual || f.wide != nil || int(name.off) > len(f.bytes()) {
		return nil
	}
	data := f.bytes()
	start := bytes.LastIndexByte(data[:name.off], '\n') + 1
	end := bytes.IndexByte(data[name.off:], '\n') + 1 + int(name.off)
	if end == int(name.off) || start > 1 && bytes.HasSuffix(bytes.TrimSuffix(data[:start-1], []byte("\r")), []byte("\\")) {
		return nil
	}
	line := string(data[start:end])
	if !strings.HasPrefix(strings.TrimLeft(line, " \t"), "#") || strings.Contains(line, "/*") || strings.Contains(line, "\\") {
		return nil
	}
	return []driver.Written{{At: f.place(start), End: end, Text: line}}
}

// isZero says whether a macro is defined to the number 0.
func (m *macro) isZero() bool { return len(m.body) == 1 && m.body[0].is("0") }

// definedAt is where a macro is defined; of one that the build file defines, the include of the kit's header.
func (p *cpp) definedAt(m *macro) driver.Place {
	if m.name.file.path == "" {
		return p.kit.include.place()
	}
	return m.name.place()
}
