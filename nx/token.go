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
)

// tokens holds the constants of the kit's headers that decide a request. The names that a mechanism
// redefines (NonPagedPool, NonPagedPoolCacheAligned) stand here with the value they have without one.
var tokens = map[string]uint32{
	// POOL_TYPE
	"NonPagedPool": 0, "NonPagedPoolExecute": 0, "NonPagedPoolBase": 0,
	"PagedPool": 1, "NonPagedPoolMustSucceed": 2, "NonPagedPoolBaseMustSucceed": 2, "DontUseThisType": 3,
	"NonPagedPoolCacheAligned": 4, "NonPagedPoolBaseCacheAligned": 4,
	"PagedPoolCacheAligned": 5, "NonPagedPoolCacheAlignedMustS": 6, "NonPagedPoolBaseCacheAlignedMustS": 6,
	"NonPagedPoolSession": 32, "PagedPoolSession": 33, "NonPagedPoolMustSucceedSession": 34,
	"DontUseThisTypeSession": 35, "NonPagedPoolCacheAlignedSession": 36, "PagedPoolCacheAlignedSession": 37,
	"NonPagedPoolCacheAlignedMustSSession": 38,
	"NonPagedPoolNx":                       512, "NonPagedPoolNxCacheAligned": 516, "NonPagedPoolSessionNx": 544,
	// flags OR-ed into a POOL_TYPE
	"POOL_QUOTA_FAIL_INSTEAD_OF_RAISE": 8, "POOL_RAISE_IF_ALLOCATION_FAILURE": 16, "POOL_COLD_ALLOCATION": 256,
	"POOL_NX_ALLOCATION": PoolNXAllocation, "POOL_ZERO_ALLOCATION": 1024,
	// POOL_FLAGS
	"POOL_FLAG_USE_QUOTA": 1, "POOL_FLAG_UNINITIALIZED": 2, "POOL_FLAG_SESSION": 4, "POOL_FLAG_CACHE_ALIGNED": 8,
	"POOL_FLAG_RAISE_ON_FAILURE": 0x20, "POOL_FLAG_NON_PAGED": 0x40, "POOL_FLAG_NON_PAGED_EXECUTE": 0x80,
	"POOL_FLAG_PAGED": 0x100,
	// MM_PAGE_PRIORITY and what is OR-ed into it
	"LowPagePriority": 0, "NormalPagePriority": 16, "HighPagePriority": 32,
	"MdlMappingNoExecute": MdlMappingNoExecute, "MdlMappingNoWrite": 0x80000000,
	"MdlMappingWithGuardPtes": 0x20000000,
	// MEMORY_CACHING_TYPE
	"MmNonCached": 0, "MmCached": 1, "MmWriteCombined": 2, "MmHardwareCoherentCached": 3,
	"MmNonCachedUnordered": 4, "MmUSWCCached": 5,
	// page protections
	"PAGE_NOACCESS": 1, "PAGE_READONLY": 2, "PAGE_READWRITE": 4, "PAGE_WRITECOPY": 8, "PAGE_EXECUTE": 0x10,
	"PAGE_EXECUTE_READ": 0x20, "PAGE_EXECUTE_READWRITE": 0x40, "PAGE_EXECUTE_WRITECOPY": 0x80,
	"PAGE_GUARD": 0x100, "PAGE_NOCACHE": 0x200, "PAGE_WRITECOMBINE": 0x400,
	// ExInitializeDriverRuntime
	"DrvRtPoolNxOptIn": DrvRtPoolNxOptIn,
}

// Tokens returns the names of all constants that Run.Token knows, sorted.
func Tokens() []string { return slices.Sorted(maps.Keys(tokens)) }

// IsToken says whether name is a constant, or a variable of the opt-in, that Run.Token knows.
func IsToken(name string) bool {
	_, constant := tokens[name]
	return constant || name == PoolTypeVariable || name == MdlProtectionVariable
}
