package source

import (
	"path"
	"strings"
	"sync"

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
	for _, c := range versionConstants() {
		if p.lookup(c.name.text) == nil {
			p.macros[c.name.text] = &macro{name: c.name, body: c.body}
		}
	}
	p.lookup(armLike)
	f := nx.File{
		OptIn: p.isOn("POOL_NX_OPTIN"), OptInAuto: p.isOn("POOL_NX_OPTIN_AUTO"), OptOut: p.isOn("POOL_NX_OPTOUT"),
		Processor: p.processor, NTOS: p.lookup("_NTOS_") != nil,
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

// versions are the constants of sdkddkver.h, which wdm.h brings, that code compares NTDDI_VERSION and _WIN32_WINNT with.
const versions = `NTDDI_WIN2K 0x05000000
NTDDI_WINXP 0x05010000
NTDDI_WS03 0x05020000
NTDDI_WIN6 0x06000000
NTDDI_VISTA 0x06000000
NTDDI_LONGHORN 0x06000000
NTDDI_WIN6SP1 0x06000100
NTDDI_VISTASP1 0x06000100
NTDDI_WS08 0x06000100
NTDDI_WIN7 0x06010000
NTDDI_WIN8 0x06020000
NTDDI_WINBLUE 0x06030000
NTDDI_WINTHRESHOLD 0x0A000000
NTDDI_WIN10 0x0A000000
NTDDI_WIN10_TH2 0x0A000001
NTDDI_WIN10_RS1 0x0A000002
NTDDI_WIN10_RS2 0x0A000003
NTDDI_WIN10_RS3 0x0A000004
NTDDI_WIN10_RS4 0x0A000005
NTDDI_WIN10_RS5 0x0A000006
NTDDI_WIN10_19H1 0x0A000007
NTDDI_WIN10_VB 0x0A000008
NTDDI_WIN10_MN 0x0A000009
NTDDI_WIN10_FE 0x0A00000A
NTDDI_WIN10_CO 0x0A00000B
NTDDI_WIN10_NI 0x0A00000C
NTDDI_WIN10_CU 0x0A00000D
NTDDI_WIN11_ZN 0x0A00000E
NTDDI_WIN11_GA 0x0A00000F
NTDDI_WIN11_GE 0x0A000010
_WIN32_WINNT_NT4 0x0400
_WIN32_WINNT_WIN2K 0x0500
_WIN32_WINNT_WINXP 0x0501
_WIN32_WINNT_WS03 0x0502
_WIN32_WINNT_WIN6 0x0600
_WIN32_WINNT_VISTA 0x0600
_WIN32_WINNT_WS08 0x0600
_WIN32_WINNT_LONGHORN 0x0600
_WIN32_WINNT_WIN7 0x0601
_WIN32_WINNT_WIN8 0x0602
_WIN32_WINNT_WINBLUE 0x0603
_WIN32_WINNT_WINTHRESHOLD 0x0A00
_WIN32_WINNT_WIN10 0x0A00
`

// versionConstant is one of them.
type versionConstant struct {
	name token
	body []token
}

var versionConstants = sync.OnceValue(func() []versionConstant {
	var list []versionConstant
	for line := range strings.Lines(versions) {
		f := newText("", "", line)
		list = append(list, versionConstant{f.tokens[0], f.tokens[1:2]})
	}
	return list
})

// kitAsks names the macros that the kit's headers look at.
func kitAsks() []string {
	list := []string{"POOL_NX_OPTIN", "POOL_NX_OPTIN_AUTO", "POOL_NX_OPTOUT", "_NTOS_"}
	for _, c := range versionConstants() {
		list = append(list, c.name.text)
	}
	return list
}

// isOn says whether a mechanism's macro is defined to something else than 0; an empty definition counts as 1.
func (p *cpp) isOn(name string) bool {
	m := p.lookup(name)
	if m == nil {
		return false
	}
	return len(m.body) == 0 || condition(p.expandList(m.body))
}
