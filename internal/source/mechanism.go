package source

import (
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
	if p.kit.seen && !p.assumeKit && isMechanismMacro(m.name.text) {
		p.late = append(p.late, m)
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
	opted := p.kit.mechanism == nx.OptIn || p.kit.mechanism == nx.OptInAuto
	for _, m := range p.late {
		if optOut := m.name.text == nx.OptedOut.Macro(); optOut == opted && !m.isZero() {
			list = append(list, driver.Fact{Kind: driver.MacroTooLate, Place: m.name.place(), Says: m.name.text})
		}
	}
	if m := p.kit.optOut; m != nil && opted {
		list = append(list, driver.Fact{Kind: driver.OptOutOff, Place: p.definedAt(m), Says: m.name.text})
	}
	if p.kit.both {
		list = append(list, driver.Fact{Kind: driver.BothOptIns, Place: p.kit.include.place()})
	}
	return list
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
