package source

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// nxpool is what "nxport header" prints: what a kit without opt-ins lacks.
const nxpool = "nxpool.h"

// coreHeaders are wdm.h and those that every driver begins with, and nxpool.h. A copy of theirs in the tree is not read: what they
// do is known.
var coreHeaders = map[string]bool{"wdm.h": true, "ntddk.h": true, "ntifs.h": true, nxpool: true}

// kitHeaders are the other headers of the kit that include one of those, and by which of its headers, as followed through
// the kits of 10.0.22621 and of an earlier Windows 10. Where the first of them is included, the redefinitions of wdm.h
// happen. A header of the tree by such a name is read like any other.
//
// Many more are included after wdm.h and do not bring it themselves, such as wdf.h, wsk.h, ks.h, dispmprt.h, d3dkmddi.h,
// classpnp.h, hidport.h and the headers of USB; apartHeaders even stand for drivers that never see it.
var kitHeaders = map[string]string{
	"fltkernel.h":      "ntifs.h",
	"rx.h":             "ntifs.h",
	"rxprocs.h":        "rx.h",
	"ndis.h":           "ntddk.h",
	"fwpsk.h":          "ndis.h",
	"netadaptercx.h":   "ndis.h",
	"dsm.h":            "ntddk.h",
	"ntdddump.h":       "ntddk.h",
	"kusbfn.h":         "ntddk.h",
	"kusbfnclasslib.h": "kusbfn.h",
	"ufxbase.h":        "ntddk.h",
	"ufxclient.h":      "ufxbase.h",
	"nthalext.h":       "wdm.h",
	"oprghdlr.h":       "wdm.h",
	"strmini.h":        "wdm.h",
	"punknown.h":       "wdm.h",
	"unknown.h":        "wdm.h",
	"portcls.h":        "punknown.h",
	"stdunk.h":         "punknown.h",
}

// apartHeaders are those of the kit for drivers that may do without wdm.h, and what all of its headers and the C runtime's begin
// with. Where a file includes nothing else, it does not come to wdm.h.
var apartHeaders = map[string]bool{
	"storport.h": true, "miniport.h": true, "srb.h": true, "scsi.h": true, "minitape.h": true, "video.h": true,
	"ntdef.h": true, "ntstatus.h": true, "basetsd.h": true, "guiddef.h": true, "initguid.h": true, "sal.h": true, "specstrings.h": true, "stdarg.h": true,
	"stddef.h": true, "stdint.h": true, "stdio.h": true, "stdlib.h": true, "string.h": true, "limits.h": true, "intrin.h": true,
}

// kitDeclarations are macros of the kit that stand for declarations.
var kitDeclarations = map[string]bool{
	"DECLARE_CONST_UNICODE_STRING": true, "DECLARE_UNICODE_STRING_SIZE": true, "DECLARE_GLOBAL_CONST_UNICODE_STRING": true,
}

func isKitHeader(name string) bool {
	name = baseName(name)
	return coreHeaders[name] || kitHeaders[name] != ""
}

func mayBringKit(header token) bool { return !apartHeaders[baseName(header.text)] }

// baseName gives a header's name in lower case, without its directory.
func baseName(name string) string {
	return strings.ToLower(path.Base(strings.ReplaceAll(name, `\`, "/")))
}

// kit is what wdm.h did to a unit: the mechanism, decided where its first header was included; with a kit that knows no opt-in,
// where nxpool.h is.
type kit struct {
	seen      bool
	nxpool    bool
	waits     bool         // for nxpool.h: what is defined has no effect as yet
	include   token        // the '#' of the directive
	behind    *driver.Span // empty, behind that directive; nil where nothing can be put there
	front     driver.Span  // empty, in front of the include of the unit itself; no path where nothing can be put there
	mechanism nx.Mechanism
	optOut    *macro // POOL_NX_OPTOUT, where it is defined
	zeroing   bool   // the opt-in call looks whether the system clears pool memory, too
	both      bool   // both opt-ins are defined, which does not compile
}

// includeKit does what the kit's header of that name does at this point, given the macros as they stand.
func (p *cpp) includeKit(hash token, name string) {
	for header := name; header != ""; header = kitHeaders[header] {
		p.constants(header)
	}
	decides := !p.kit.seen || name == nxpool && p.kit.waits
	p.kit.nxpool = p.kit.nxpool || name == nxpool
	if !decides {
		return
	}
	if !p.kit.seen {
		p.constants("")
		p.kit.seen, p.kit.include, p.kit.front = true, hash, p.front()
		if !p.assumeKit { // which of the missing headers brings it, and whether it is the kit's end, is not known
			p.kit.behind = behind(hash)
		}
	}
	p.kit.waits = p.noOptIn && !p.kit.nxpool
	p.optIn(hash)
}

// optIn has the macros as they stand take effect.
func (p *cpp) optIn(hash token) {
	p.lookup(armLike)
	f := nx.File{
		OptIn: p.isOn("POOL_NX_OPTIN"), OptInAuto: p.isOn("POOL_NX_OPTIN_AUTO"), OptOut: p.isOn("POOL_NX_OPTOUT"),
		Processor: p.processor, NTOS: p.lookup("_NTOS_") != nil,
	}
	p.kit.mechanism, p.kit.both = f.Mechanism(), !f.Compiles()
	if p.kit.waits {
		p.kit.mechanism, p.kit.both = nx.None, false
	}
	if f.OptOut { // where nothing opts in, this gets the same as without, and goes on to once something does
		p.kit.mechanism = nx.OptedOut
	}
	p.kit.zeroing = p.lookup("POOL_ZERO_DOWN_LEVEL_SUPPORT") != nil
	p.kit.optOut = p.lookup("POOL_NX_OPTOUT")
	if p.kit.mechanism != nx.OptIn && p.kit.mechanism != nx.OptInAuto {
		return
	}
	for _, name := range []string{"NonPagedPool", "NonPagedPoolCacheAligned"} {
		body := token{kind: ident, flags: kitName, text: name, file: hash.file, off: hash.off}
		p.macros[name] = &macro{name: body, body: []token{body}}
	}
}

// behind finds the end of the line of a directive.
func behind(hash token) *driver.Span {
	f := hash.file
	if f == nil || f.virtual || f.wide != nil {
		return nil
	}
	data := f.bytes()
	i := slices.IndexFunc(f.directives, func(d directive) bool { return f.tokens[d.at].off == hash.off })
	if i < 0 {
		return nil
	}
	at := min(int(f.tokens[f.directives[i].end].off), len(data))
	s := lineOf(f, int(hash.off))
	s.Start, s.End, s.Inline = at, at, false
	switch {
	case at == len(data) && bytes.Contains(data, []byte("\r\n")): // no line ends there
		s.Newline = "\r\n"
	case at > 0 && at < len(data) && data[at-1] == '\r':
		s.Start, s.End = at-1, at-1
	}
	return &s
}

// front finds the include directive that is being carried out in the unit's own file.
func (p *cpp) front() driver.Span {
	if len(p.stack) == 0 || p.stack[0].d == 0 {
		return driver.Span{}
	}
	f := p.stack[0].file
	if f.virtual || f.wide != nil || f.inOneOfBranches(int(p.stack[0].d-1)) {
		return driver.Span{}
	}
	data := f.bytes()
	at := int(f.tokens[f.directives[p.stack[0].d-1].at].off)
	if at > len(data) {
		return driver.Span{}
	}
	indent := strings.TrimPrefix(string(data[bytes.LastIndexByte(data[:at], '\n')+1:at]), "\ufeff")
	if strings.TrimSpace(indent) != "" { // the end of a comment
		return driver.Span{}
	}
	s := driver.Span{Path: f.path, Start: at - len(indent), End: at - len(indent), Indent: indent, Newline: "\n"}
	if end := endOfLine(data, at); end < len(data) && data[end] == '\r' {
		s.Newline = "\r\n"
	}
	return s
}

// inOneOfBranches says whether a directive stands in an #if that has more than one branch: others may include the same there.
func (f *file) inOneOfBranches(i int) bool {
	for _, d := range f.directives[:i] {
		ends := int(d.next)
		if d.kind == elseDirective && ends > i || d.kind == ifDirective && ends > i && ends < len(f.directives) && f.directives[ends].kind == elseDirective {
			return true
		}
	}
	return false
}

// constants defines the macros of a header that are not defined yet.
func (p *cpp) constants(header string) {
	for _, m := range kitConstants()[header] {
		if p.known.matters(m.name.text) && p.lookup(m.name.text) == nil {
			p.macros[m.name.text] = p.settled(m)
		}
	}
}

// settled gives a constant that asks what is defined the value that it has where its header is included.
func (p *cpp) settled(m *macro) *macro {
	if len(m.body) == 0 || !m.body[0].is("defined") {
		return m
	}
	value := token{kind: number, text: "0", off: m.name.off, file: m.name.file}
	if p.condition(m.body).bits != 0 {
		value.text = "1"
	}
	return &macro{name: m.name, body: []token{value}}
}

// marks are the macros by which code asks which of the kit's headers it has got, and what fltKernel.h calls versions.
var marks = map[string]string{
	"wdm.h":   "_WDMDDK_\n_NTDDK_\nNT_INCLUDED\n",
	"ntddk.h": "_WDMDDK_\n_NTDDK_\n_NTDDK_INCLUDED_\nNT_INCLUDED\n",
	"ntifs.h": "_WDMDDK_\n_NTDDK_\n_NTIFS_\n_NTIFS_INCLUDED_\nNT_INCLUDED\n",
	"ndis.h":  "_NDIS_\n" + ndisVersions(),
	"fltkernel.h": `__FLTKERNEL__
FLT_MGR_BASELINE 1
FLT_MGR_AFTER_XPSP2 1
FLT_MGR_LONGHORN (NTDDI_VERSION >= NTDDI_VISTA)
FLT_MGR_WIN7 (NTDDI_VERSION >= NTDDI_WIN7)
FLT_MGR_WIN8 (NTDDI_VERSION >= NTDDI_WIN8)
FLT_MGR_WINBLUE (NTDDI_VERSION >= NTDDI_WINBLUE)
FLT_MGR_WINTHRESHOLD (NTDDI_VERSION >= NTDDI_WINTHRESHOLD)
`,
}

// ndisVersions are the macros of ndis.h for what a driver may use, by the versions that it says it supports: each is 1 where
// that version or a later one is among them, else 0. They stand with the latest first; NDIS60 gives NDIS_SUPPORT_NDIS6.
func ndisVersions() string {
	var b strings.Builder
	later := ""
	for _, v := range strings.Fields("687 686 685 684 683 682 681 680 670 660 651 650 640 630 620 61 60") {
		name := "NDIS_SUPPORT_NDIS" + v
		if v == "60" {
			name = "NDIS_SUPPORT_NDIS6"
		}
		fmt.Fprintf(&b, "%s defined(NDIS%s) || defined(NDIS%[2]s_MINIPORT) || %s\n", name, v, cmp.Or(later, "defined(NDIS_WRAPPER)"))
		later = name
	}
	return b.String()
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

// kitConstants are the macros of the kit's headers by name; those of all of them under "".
var kitConstants = sync.OnceValue(func() map[string][]*macro {
	constants := map[string][]*macro{}
	add := func(header, text string) {
		for line := range strings.Lines(text) {
			f := newText("", "", line)
			constants[header] = append(constants[header], newMacro(f.list(nil, 0, f.lineEnd(0))))
		}
	}
	add("", versions)
	for header, text := range marks {
		add(header, text)
	}
	return constants
})

// kitAsks names the macros that are looked at where no text asks for them: by the kit's headers, and to know the compiler.
var kitAsks = []string{
	noPlacement, "POOL_NX_OPTIN", "POOL_NX_OPTIN_AUTO", "POOL_NX_OPTOUT", "POOL_ZERO_DOWN_LEVEL_SUPPORT", "_NTOS_", "__GNUC__", "__clang__", "_MSVC_TRADITIONAL",
}

// isOn says whether a mechanism's macro is defined to something else than 0; an empty definition counts as 1.
func (p *cpp) isOn(name string) bool {
	m := p.lookup(name)
	if m == nil {
		return false
	}
	return len(m.body) == 0 || p.condition(m.body).bits != 0
}
