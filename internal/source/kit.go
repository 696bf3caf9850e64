package source

import (
	"path"
	"strings"

	"github.com/nxport/nxport/nx"
)

// kitHeaders are the kit's headers that bring wdm.h, or come after it. Where the first of them is included, the
// header's redefinitions happen; the kit itself is never read. nxpool.h is what "nxport header" prints.
var kitHeaders = map[string]bool{
	"wdm.h": true, "ntddk.h": true, "ntifs.h": true, "ndis.h": true, "fltkernel.h": true, "wdf.h": true,
	"wsk.h": true, "strmini.h": true, "ks.h": true, "portcls.h": true, "dispmprt.h": true, "nxpool.h": true,
}

// kitDeclarations are macros of the kit that stand for declarations.
var kitDeclarations = map[string]bool{
	"DECLARE_CONST_UNICODE_STRING": true, "DECLARE_UNICODE_STRING_SIZE": true, "DECLARE_GLOBAL_CONST_UNICODE_STRING": true,
}

func isKitHeader(name string) bool {
	return kitHeaders[strings.ToLower(path.Base(strings.ReplaceAll(name, `\`, "/")))]
}

// kit is what wdm.h did to a unit: the mechanism, decided where its first header was included.
type kit struct {
	seen      bool
	include   token // the '#' of the directive
	mechanism nx.Mechanism
}

// includeKit does what the kit's header does at this point, given the macros as they stand.
func (p *cpp) includeKit(hash token) {
	if p.kit.seen {
		return
	}
	f := nx.File{
		OptIn: p.isOn("POOL_NX_OPTIN"), OptInAuto: p.isOn("POOL_NX_OPTIN_AUTO"), OptOut: p.isOn("POOL_NX_OPTOUT"),
		Processor: p.processor, NTOS: p.macros["_NTOS_"] != nil,
	}
	p.kit = kit{seen: true, include: hash, mechanism: f.Mechanism()}
	if p.kit.mechanism != nx.OptIn && p.kit.mechanism != nx.OptInAuto {
		return
	}
	for _, name := range []string{"NonPagedPool", "NonPagedPoolCacheAligned"} {
		body := token{kind: ident, flags: kitName, text: name, file: hash.file, off: hash.off}
		p.macros[name] = &macro{name: body, body: []token{body}}
	}
}

// isOn says whether a mechanism's macro is defined to something else than 0; an empty definition counts as 1.
func (p *cpp) isOn(name string) bool {
	m := p.macros[name]
	if m == nil {
		return false
	}
	return len(m.body) == 0 || condition(p.expandList(m.body))
}
