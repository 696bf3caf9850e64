package nx

import (
	"math/bits"
	"slices"
	"strings"
)

// Kind says how the deciding argument of a DDI is to be read.
type Kind string

// The kinds of deciding arguments. Always has none, and PortDriver at most one that tells paged from nonpaged.
const (
	PoolType       Kind = "pool_type"       // a POOL_TYPE: executable when nonpaged and without bit 0x200
	PoolFlags      Kind = "pool_flags"      // POOL_FLAGS of ExAllocatePool2/3: executable with bit 0x80
	LookasideFlags Kind = "lookaside_flags" // Flags of a nonpaged lookaside list: executable without bit 0x200
	MdlPriority    Kind = "mdl_priority"    // Priority of a mapping: executable without bit 0x40000000
	PageProtection Kind = "page_protection" // PAGE_...: executable with any of 0xF0
	CacheType      Kind = "cache_type"      // MEMORY_CACHING_TYPE: executable when MmCached
	Always         Kind = "always"          // executable whatever the arguments are
	PortDriver     Kind = "port_driver"     // the port driver, the framework or the kernel decides, not the caller
)

var kinds = []Kind{PoolType, PoolFlags, LookasideFlags, MdlPriority, PageProtection, CacheType, Always, PortDriver}

// takes holds the types whose constants can be a deciding argument.
var takes = map[Kind][]Type{
	PoolType: {PoolTypes}, PoolFlags: {PoolFlagBits}, LookasideFlags: {PoolTypes}, MdlPriority: {PagePriorities},
	PageProtection: {PageProtections}, CacheType: {CachingTypes}, PortDriver: {PoolTypes, VideoPoolTypes},
}

// Adder names who adds the NX bit to what a call passes, besides an opt-in.
type Adder string

// The adders.
const (
	Nobody      Adder = ""
	Kit         Adder = "kit"          // a macro of newer kits
	KitWindows8 Adder = "kit-windows8" // an inline function of newer kits, built for Windows 8 or later and running on it
	Framework   Adder = "framework"    // the framework, for nonpaged memory, on Windows 8 or later
)

var adders = []Adder{Kit, KitWindows8, Framework}

// Built says with which kit, and for which Windows, a file is compiled.
type Built struct {
	Kit    Version // the Windows that the kit's headers are of: 6.1, 6.3, 10.0.22621; zero where that is not known
	Target Version // the lowest that the file is compiled for, its NTDDI_VERSION; or a lower one
}

// DDI is one kernel routine, kit macro or method by which a driver asks for memory or for a mapping of memory.
type DDI struct {
	// Name is that of the routine; of a method, Interface::Name; of an operator new, ::new.
	Name string
	// Argument is the position of the deciding argument, counted from 1; 0 where no argument decides.
	Argument int
	Kind     Kind
	Header   string // "" where no header of a kit declares it
	// Since is the first Windows that has the routine.
	Since Version
	// Remapped says whether the opt-ins redefine the routine itself, or what it stands for, so that it gains the NX bit
	// whatever is written at the call. Routines that take a POOL_TYPE are not: there the token NonPagedPool is redefined.
	Remapped bool
	// Replacement is the routine to use instead, "" where there is none, and ReplacementSince its first Windows.
	Replacement      string
	ReplacementSince Version
	// Arity is how many arguments it takes, 0 where the table does not say.
	Arity int
	// AccessMode is the position of the KPROCESSOR_MODE that a mapping is made for, 0 where there is none.
	AccessMode int
	// Allocate is the position of a function of the caller's own that allocates instead, 0 where there is none.
	Allocate int
	// Adder is who adds the NX bit besides an opt-in; AdderKit, where that is a kit, is the first that surely does.
	Adder    Adder
	AdderKit Version
	// UserMemory is set where the memory is always that of a process, in user mode's half of the address space.
	UserMemory bool
	// Over is the exported routine that it comes down to where a header makes it a macro or an inline function, "" for none: it
	// is what a built image calls in its place.
	Over string
	// Wide has bit N for each argument at position N that has 64 bits: on the stack of x86 it takes two places.
	Wide uint32
	// Wdf is its place in the framework's table of functions, by which a built image calls it; 0 for what is not in there.
	Wdf int
}

// PlaceX86 gives where an argument begins among the arguments on the stack of x86, counted from 1 in units of four bytes.
func (d DDI) PlaceX86(argument int) int {
	return argument + bits.OnesCount32(d.Wide&(1<<argument-1))
}

// Effective gives the value the routine gets when value is written at the call: the same, or with the bit that the
// mechanism adds where the DDI is Remapped.
func (d DDI) Effective(r Run, value uint32) uint32 {
	if d.Remapped {
		return value | r.remap(d.bit())
	}
	return value
}

// Values gives what may arrive when value is written at the call: one value, or two, without and with the NX bit, where that
// depends on a kit that is not known.
func (d DDI) Values(r Run, b Built, value uint32) []uint32 {
	value = d.Effective(r, value)
	with := value | d.bit()
	switch may, must := d.added(r, b, value); {
	case must:
		return []uint32{with}
	case may && with != value:
		return []uint32{value, with}
	}
	return []uint32{value}
}

// added says whether the Adder may add the NX bit, and whether it must.
func (d DDI) added(r Run, b Built, value uint32) (may, must bool) {
	switch d.Adder {
	case Framework:
		must = r.Windows.HasNX() && value&paged == 0
		return must, must
	case Kit:
		return d.byKit(b)
	case KitWindows8:
		may, must = d.byKit(b)
		// A target before Windows 8 is not the last word: it may be lower than the file's.
		return may && r.Windows.HasNX(), must && r.Windows.HasNX() && b.Target.HasNX()
	}
	return false, false
}

// byKit is added for the headers of a kit. Those from before Windows 8 do not know the bit.
func (d DDI) byKit(b Built) (may, must bool) {
	if b.Kit == (Version{}) {
		return true, false
	}
	return b.Kit.HasNX(), b.Kit.HasNX() && !b.Kit.Before(d.AdderKit)
}

// Guarded says whether something else than the deciding argument can make the memory no-execute.
func (d DDI) Guarded() bool { return d.Remapped || d.Adder != Nobody }

// bit is the one that makes a request no-execute, where something adds it.
func (d DDI) bit() uint32 {
	if d.Kind == MdlPriority {
		return MdlMappingNoExecute
	}
	return PoolNXAllocation
}

// Takes says whether the constant of that name is of a type that the deciding argument can have. It tells a request from
// a call of something else with the same name.
func (d DDI) Takes(token string) bool {
	return d.Argument > 0 && slices.Contains(takes[d.Kind], TypeOf(token))
}

// Method takes the name of a method apart; for a routine, which has no interface, ok is false. The interface of an operator
// new is "".
func (d DDI) Method() (iface, name string, ok bool) { return strings.Cut(d.Name, "::") }

// Executable is the judgement of one request.
type Executable string

// The judgements. Maybe is a set of values that holds both; Undefined is an NX pool type or flag on a Windows
// before 8, whose allocators do not know it.
const (
	Yes       Executable = "yes"
	No        Executable = "no"
	Maybe     Executable = "maybe"
	Undefined Executable = "undefined"
	Unknown   Executable = "unknown"
)

// Executable says whether the memory that d gives for the effective value can be executed, on that Windows.
func (d DDI) Executable(w Version, value uint32) Executable {
	switch d.Kind {
	case Always:
		return Yes
	case PortDriver:
		if d.Argument > 0 && value&paged != 0 {
			return No
		}
		return Unknown
	case PoolType:
		if value&paged != 0 {
			return No
		}
		return withoutBit(w, value, PoolNXAllocation)
	case LookasideFlags:
		return withoutBit(w, value, PoolNXAllocation)
	case MdlPriority:
		return withoutBit(w, value, MdlMappingNoExecute)
	case PoolFlags:
		return yesIf(value&0x80 != 0)
	case PageProtection:
		return yesIf(value&0xF0 != 0)
	case CacheType:
		return yesIf(value == 1)
	}
	return Unknown
}

func withoutBit(w Version, value, bit uint32) Executable {
	switch {
	case value&bit == 0:
		return Yes
	case !w.HasNX():
		return Undefined
	}
	return No
}

func yesIf(b bool) Executable {
	if b {
		return Yes
	}
	return No
}
