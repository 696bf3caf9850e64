package nx

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Kind says how the deciding argument of a DDI is to be read.
type Kind string

// The kinds of deciding arguments. Always and PortDriver have none.
const (
	PoolType       Kind = "pool_type"       // a POOL_TYPE: executable when nonpaged and without bit 0x200
	PoolFlags      Kind = "pool_flags"      // POOL_FLAGS of ExAllocatePool2/3: executable with bit 0x80
	LookasideFlags Kind = "lookaside_flags" // Flags of a nonpaged lookaside list: executable without bit 0x200
	MdlPriority    Kind = "mdl_priority"    // Priority of a mapping: executable without bit 0x40000000
	PageProtection Kind = "page_protection" // PAGE_...: executable with any of 0xF0
	CacheType      Kind = "cache_type"      // MEMORY_CACHING_TYPE: executable when MmCached
	Always         Kind = "always"          // executable whatever the arguments are
	PortDriver     Kind = "port_driver"     // the port driver decides, not the caller
)

var kinds = []Kind{PoolType, PoolFlags, LookasideFlags, MdlPriority, PageProtection, CacheType, Always, PortDriver}

// DDI is one kernel routine (or kit macro) by which a driver asks for memory or for a mapping of memory.
type DDI struct {
	Name string
	// Argument is the position of the deciding argument, counted from 1; 0 where no argument decides.
	Argument int
	Kind     Kind
	Header   string
	// Since is the first Windows that has the routine.
	Since Version
	// Remapped says whether the opt-ins redefine the routine itself, so that it gains the NX bit whatever is
	// written at the call. Routines that take a POOL_TYPE are not: there the token NonPagedPool is redefined.
	Remapped bool
	// Replacement is the routine to use instead, "" where there is none, and ReplacementSince its first Windows.
	Replacement      string
	ReplacementSince Version
}

//go:embed ddi.txt
var ddiText string

var builtin = sync.OnceValue(func() []DDI {
	t, err := ParseDDIs("ddi.txt", strings.NewReader(ddiText))
	if err != nil {
		panic(err) // the embedded table is part of the program; a test reads it
	}
	return t
})

// DDIs returns the built-in table, sorted by name.
func DDIs() []DDI { return slices.Clone(builtin()) }

// ParseDDIs reads a table in the format of ddi.txt, which documents itself. Errors name file and line.
func ParseDDIs(name string, r io.Reader) ([]DDI, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var table []DDI
	seen := map[string]int{}
	for i, line := range strings.Split(string(text), "\n") {
		line, _, _ = strings.Cut(line, "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		d, err := parseDDI(strings.Fields(line))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
		if first, dup := seen[d.Name]; dup {
			return nil, fmt.Errorf("%s:%d: %s stands already in line %d", name, i+1, d.Name, first)
		}
		seen[d.Name] = i + 1
		table = append(table, d)
	}
	slices.SortFunc(table, func(a, b DDI) int { return strings.Compare(a.Name, b.Name) })
	return table, nil
}

func parseDDI(f []string) (d DDI, err error) {
	if len(f) != 8 {
		return d, fmt.Errorf("want 8 fields (name argument kind header since remapped replacement since), found %d", len(f))
	}
	d = DDI{Name: f[0], Kind: Kind(f[2]), Header: f[3], Remapped: f[5] == "yes", Replacement: f[6]}
	if !slices.Contains(kinds, d.Kind) {
		return d, fmt.Errorf("unknown kind %q: want one of %v", f[2], kinds)
	}
	if d.Argument, err = strconv.Atoi(f[1]); err != nil || d.Argument < 0 || d.Argument > 20 {
		return d, fmt.Errorf("argument %q: want its position from 1, or 0 where no argument decides", f[1])
	}
	if (d.Argument == 0) != (d.Kind == Always || d.Kind == PortDriver) {
		return d, fmt.Errorf("kind %s does not go with argument %d", d.Kind, d.Argument)
	}
	if f[5] != "yes" && f[5] != "no" {
		return d, fmt.Errorf("remapped %q: want yes or no", f[5])
	}
	if d.Since, err = ParseVersion(f[4]); err != nil {
		return d, err
	}
	if d.Replacement == "-" {
		d.Replacement = ""
		return d, nil
	}
	d.ReplacementSince, err = ParseVersion(f[7])
	return d, err
}

// Effective gives the value the routine gets when value is written at the call: the same, or with the bit that the
// mechanism adds where the DDI is Remapped.
func (d DDI) Effective(r Run, value uint32) uint32 {
	switch {
	case d.Remapped && d.Kind == MdlPriority:
		return value | r.remap(MdlMappingNoExecute)
	case d.Remapped:
		return value | r.remap(PoolNXAllocation)
	}
	return value
}

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
		return Unknown
	case PoolType:
		if value&1 != 0 { // paged
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
