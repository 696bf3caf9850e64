package source

import (
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// What is not in the tree can't be read: the kit's headers, and those that a build generates. A condition that asks for a
// name of theirs finds it undefined, and what it decides is an assumption. It is written down where the directive is
// evaluated, as a range of the file; only for a request are those ranges looked up.

// assumption is a name that counted as undefined, and what it decided.
type assumption struct {
	name     string
	at       token // the '#' of the directive
	file     *file
	from, to int // offsets
}

// assumptions are those of a unit; number n stands at n-1.
type assumptions struct {
	list []assumption
	own  bool // a header is missing that may be of the project itself, and may define any name
}

// Bounds on what one unit writes down, and on what is said of one request.
const (
	maxAssumptions = 2000
	maxAssumed     = 3
)

// assume writes down that a condition of file o hangs on a name, if a header that was not read could define it. It gives
// the number of the assumption, 0 for none.
func (p *cpp) assume(o *open, hash token, name string) int {
	seen := p.kit.seen || len(p.missing) > 0
	if !seen || len(p.assumed.list) >= maxAssumptions || !p.assumed.own && !ofKit(name) || notOurs[name] || o.definesNext(name) {
		return 0
	}
	a := assumption{name: name, at: hash, file: o.file, from: int(hash.off), to: o.file.size}
	p.assumed.list = append(p.assumed.list, a)
	return len(p.assumed.list)
}

// definesNext says whether the directive that follows defines the name: it guards a header, or gives a default.
func (o *open) definesNext(name string) bool {
	toks := o.file.tokens
	i := o.i
	for i < o.until && toks[i].kind == newline {
		i++
	}
	if i < o.until || o.d == len(o.file.directives) {
		return false
	}
	m := o.file.directives[o.d].macro
	return m != nil && m.name.text == name
}

// end closes the ranges of branches at an offset of their file.
func (a *assumptions) end(branches []branch, off int) {
	for _, b := range branches {
		if b.under > 0 {
			a.list[b.under-1].to = off
		}
	}
}

// header gives the assumption that the include of a header in o hangs on, and with it all that the header holds.
func (a *assumptions) header(o *open, f *file) int {
	under := o.under
	for _, b := range o.branches {
		if b.under > 0 {
			under = b.under
		}
	}
	if under == 0 || len(a.list) >= maxAssumptions {
		return 0
	}
	from := a.list[under-1]
	a.list = append(a.list, assumption{name: from.name, at: from.at, file: f, to: f.size})
	return len(a.list)
}

// missing notes that a header was not found.
func (a *assumptions) missing(name string, quoted bool) {
	switch path.Ext(strings.ToLower(name)) {
	case ".tmh": // what the preprocessor of tracing (WPP) generates
	default:
		a.own = a.own || quoted && !ofKit(strings.ToLower(baseName(name)))
	}
}

// steps says what a request hangs on, given its tokens: by where they are written, and by where the macros are defined that
// they came through.
func (a *assumptions) steps(toks []token) []driver.Step {
	if a == nil || len(a.list) == 0 {
		return nil
	}
	var steps []driver.Step
	var last *expansion
	for i, t := range toks {
		if i > 0 && t.exp == last {
			continue // a request that is written out stands under what its name stands under
		}
		steps, last = a.around(steps, t), t.exp
		for e := t.exp; e != nil; e = e.name.exp {
			steps = a.around(steps, e.macro.name)
			steps = a.around(steps, e.name)
		}
	}
	return steps
}

func (a *assumptions) around(steps []driver.Step, t token) []driver.Step {
	for _, x := range a.list {
		if len(steps) >= maxAssumed {
			break
		}
		if x.file != t.file || int(t.off) < x.from || int(t.off) >= x.to {
			continue
		}
		if step := x.step(); !slices.Contains(steps, step) {
			steps = append(steps, step)
		}
	}
	return steps
}

func (x assumption) step() driver.Step {
	return driver.Step{Place: x.at.place(), Says: "assumed: " + x.name + " is not defined, a header is missing"}
}

// facts gives each name once, where it was asked for first.
func (a *assumptions) facts() []driver.Fact {
	var list []driver.Fact
	seen := map[string]bool{}
	for _, x := range a.list {
		if !seen[x.name] {
			seen[x.name] = true
			list = append(list, driver.Fact{Kind: driver.Assumption, Place: x.at.place(), Says: x.step().Says})
		}
	}
	return list
}

// ofKit says whether a name, or that of a header in lower case, looks like one of the kit's or of the compiler's.
func ofKit(name string) bool {
	for _, prefix := range kitPrefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// kitPrefixes begin the names of the kit's macros, functions and headers. An underscore is reserved for the
// compiler and its headers.
var kitPrefixes = []string{
	"_", "NT_", "NTDDI_", "WINVER", "WIN32_", "WDK_", "WDM_", "WDF_", "KMDF_", "NDIS_", "FLT_", "KS_", "PC_", "SAL_", "POOL_FLAG_",
	"POOL_NX_ALLOCATION", "POOL_ZERO_ALLOCATION", "MM_", "Mm", "Ex", "Ke", "Io", "Rtl", "Zw", "Ob", "Ps", "Se", "Cm", "Hal", "FsRtl",
	"Flt", "Ndis", "Wdf", "Cc", "Po", "STATUS_", "IO_", "IRP_", "FILE_", "KF_", "DRIVER_", "MDL_", "PAGE_", "OBJ_", "WINAPI_", "NonPaged",
	"nt", "wdm", "wdf", "ndis", "flt", "usb", "hid", "ks", "std", "wmi", "scsi", "stor", "srb", "init", "win", "d3d", "disp", "video", "bcrypt",
}

// notOurs are defined by other compilers, or by options that the build would show.
var notOurs = map[string]bool{
	"__GNUC__": true, "__clang__": true, "__MINGW32__": true, "__MINGW64__": true, "__linux__": true, "__APPLE__": true,
	"__INTEL_COMPILER": true, "__CYGWIN__": true, "__BORLANDC__": true, "__WATCOMC__": true, "__REACTOS__": true, "__cplusplus": true,
	"_DEBUG": true, "_PREFAST_": true, "_PREFIX_": true, "_MANAGED": true, "_DLL": true, "_UNICODE": true, "__OBJC__": true,
	"_X86_": true, "_AMD64_": true, "_ARM_": true, "_ARM64_": true, "_IA64_": true, "_WIN64": true, "_WIN32": true,
	"_M_IX86": true, "_M_X64": true, "_M_AMD64": true, "_M_ARM": true, "_M_ARM64": true, "_M_IA64": true, "_M_ARM64EC": true,
	"_M_HYBRID_X86_ARM64": true, "_M_ALPHA": true, "_M_PPC": true, "_M_MRX000": true, "__STDC__": true, "__x86_64__": true,
	"__i386__": true, "__aarch64__": true, "__arm__": true, "__unix__": true, "__FreeBSD__": true, "__sun": true,
}
