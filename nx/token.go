package nx

import (
	"maps"
	"slices"
)

// Bits with a meaning of their own.
const (
	// PoolNXAllocation is the bit that makes a POOL_TYPE, or the Flags of a lookaside list, no-execute.
	PoolNXAllocation = 0x200
	// MdlMappingNoExecute is OR-ed into the Priority of an MDL mapping.
	MdlMappingNoExecute = 0x40000000
	// DrvRtPoolNxOptIn is the argument of ExInitializeDriverRuntime that opts in; any other bit does not.
	DrvRtPoolNxOptIn = 1

	paged = 1 // the bit of a POOL_TYPE, or a VP_POOL_TYPE, that is paged
)

// Type is what the kit's headers declare a constant as. Passing one where another is wanted is a mistake that the compiler
// lets pass in C: ExAllocatePool2(NonPagedPoolNx, ...) asks for nothing that exists.
type Type string

// The types, by their names in the headers; page protections, and the argument of ExInitializeDriverRuntime, are plain ULONGs.
const (
	PoolTypes       Type = "POOL_TYPE" // and what is OR-ed into it
	PoolFlagBits    Type = "POOL_FLAGS"
	PagePriorities  Type = "MM_PAGE_PRIORITY" // and what is OR-ed into it
	CachingTypes    Type = "MEMORY_CACHING_TYPE"
	PageProtections Type = "page protection"
	ProcessorModes  Type = "KPROCESSOR_MODE"
	VideoPoolTypes  Type = "VP_POOL_TYPE"
	RuntimeFlags    Type = "DRIVER_RUNTIME_INIT_FLAGS"
)

// constants are those of the kit's headers that decide a request (wdm.h; video.h). The names that a mechanism redefines
// (NonPagedPool, NonPagedPoolCacheAligned) stand here with the value they have without one.
var constants = map[Type]map[string]uint32{
	PoolTypes: {
		"NonPagedPool": 0, "NonPagedPoolExecute": 0, "NonPagedPoolBase": 0,
		"PagedPool": 1, "NonPagedPoolMustSucceed": 2, "NonPagedPoolBaseMustSucceed": 2, "DontUseThisType": 3,
		"NonPagedPoolCacheAligned": 4, "NonPagedPoolBaseCacheAligned": 4,
		"PagedPoolCacheAligned": 5, "NonPagedPoolCacheAlignedMustS": 6, "NonPagedPoolBaseCacheAlignedMustS": 6,
		"NonPagedPoolSession": 32, "PagedPoolSession": 33, "NonPagedPoolMustSucceedSession": 34,
		"DontUseThisTypeSession": 35, "NonPagedPoolCacheAlignedSession": 36, "PagedPoolCacheAlignedSession": 37,
		"NonPagedPoolCacheAlignedMustSSession": 38,
		"NonPagedPoolNx":                       512, "NonPagedPoolNxCacheAligned": 516, "NonPagedPoolSessionNx": 544,
		"POOL_QUOTA_FAIL_INSTEAD_OF_RAISE": 8, "POOL_RAISE_IF_ALLOCATION_FAILURE": 16, "POOL_COLD_ALLOCATION": 256,
		"POOL_NX_ALLOCATION": PoolNXAllocation, "POOL_ZERO_ALLOCATION": 1024,
	},
	PoolFlagBits: {
		"POOL_FLAG_USE_QUOTA": 1, "POOL_FLAG_UNINITIALIZED": 2, "POOL_FLAG_SESSION": 4, "POOL_FLAG_CACHE_ALIGNED": 8,
		"POOL_FLAG_RAISE_ON_FAILURE": 0x20, "POOL_FLAG_NON_PAGED": 0x40, "POOL_FLAG_NON_PAGED_EXECUTE": 0x80,
		"POOL_FLAG_PAGED": 0x100,
	},
	PagePriorities: {
		"LowPagePriority": 0, "NormalPagePriority": 16, "HighPagePriority": 32,
		"MdlMappingNoExecute": MdlMappingNoExecute, "MdlMappingNoWrite": 0x80000000,
		"MdlMappingWithGuardPtes": 0x20000000,
	},
	CachingTypes: {
		"MmNonCached": 0, "MmCached": 1, "MmFrameBufferCached": 2, "MmWriteCombined": 2, "MmHardwareCoherentCached": 3,
		"MmNonCachedUnordered": 4, "MmUSWCCached": 5,
	},
	PageProtections: {
		"PAGE_NOACCESS": 1, "PAGE_READONLY": 2, "PAGE_READWRITE": 4, "PAGE_WRITECOPY": 8, "PAGE_EXECUTE": 0x10,
		"PAGE_EXECUTE_READ": 0x20, "PAGE_EXECUTE_READWRITE": 0x40, "PAGE_EXECUTE_WRITECOPY": 0x80,
		"PAGE_GUARD": 0x100, "PAGE_NOCACHE": 0x200, "PAGE_WRITECOMBINE": 0x400,
	},
	ProcessorModes: {"KernelMode": 0, "UserMode": 1},
	VideoPoolTypes: {
		"VpNonPagedPool": 0, "VpPagedPool": 1, "VpNonPagedPoolCacheAligned": 4, "VpPagedPoolCacheAligned": 5,
	},
	RuntimeFlags: {"DrvRtPoolNxOptIn": DrvRtPoolNxOptIn},
}

// tokens are the values of all constants, types their types.
var tokens, types = byName(constants)

func byName(constants map[Type]map[string]uint32) (map[string]uint32, map[string]Type) {
	values, typed := map[string]uint32{}, map[string]Type{}
	for t, list := range constants {
		for name, v := range list {
			values[name], typed[name] = v, t
		}
	}
	return values, typed
}

// Tokens returns the names of all constants that Run.Token knows, sorted.
func Tokens() []string { return slices.Sorted(maps.Keys(tokens)) }

// IsToken says whether name is a constant, or a variable of the opt-in, that Run.Token knows.
func IsToken(name string) bool { return TypeOf(name) != "" }

// TypeOf gives the type of a constant, or of a variable of the opt-in, "" for any other name.
func TypeOf(name string) Type {
	switch name {
	case PoolTypeVariable:
		return PoolTypes
	case MdlProtectionVariable:
		return PagePriorities
	}
	return types[name]
}
