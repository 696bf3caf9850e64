package nx

import (
	"math/bits"
	"slices"
	"strings"
)

// spelling holds the constants that a value is written with: one of bases at most, and any of flags.
type spelling struct{ bases, flags []string }

var poolTypeSpelling = spelling{
	bases: []string{
		"NonPagedPoolExecute", "PagedPool", "NonPagedPoolMustSucceed", "NonPagedPoolCacheAligned", "PagedPoolCacheAligned",
		"NonPagedPoolCacheAlignedMustS", "NonPagedPoolSession", "PagedPoolSession", "NonPagedPoolMustSucceedSession",
		"NonPagedPoolCacheAlignedSession", "PagedPoolCacheAlignedSession", "NonPagedPoolCacheAlignedMustSSession",
		"NonPagedPoolNx", "NonPagedPoolNxCacheAligned", "NonPagedPoolSessionNx",
	},
	flags: []string{
		"POOL_QUOTA_FAIL_INSTEAD_OF_RAISE", "POOL_RAISE_IF_ALLOCATION_FAILURE", "POOL_COLD_ALLOCATION", "POOL_NX_ALLOCATION",
		"POOL_ZERO_ALLOCATION",
	},
}

var spellings = map[Kind]spelling{
	PoolType: poolTypeSpelling,
	PoolFlags: {flags: []string{
		"POOL_FLAG_USE_QUOTA", "POOL_FLAG_UNINITIALIZED", "POOL_FLAG_SESSION", "POOL_FLAG_CACHE_ALIGNED",
		"POOL_FLAG_RAISE_ON_FAILURE", "POOL_FLAG_NON_PAGED", "POOL_FLAG_NON_PAGED_EXECUTE", "POOL_FLAG_PAGED",
	}},
	LookasideFlags: {flags: []string{"POOL_NX_ALLOCATION", "POOL_RAISE_IF_ALLOCATION_FAILURE"}},
	MdlPriority: {
		bases: []string{"LowPagePriority", "NormalPagePriority", "HighPagePriority"},
		flags: []string{"MdlMappingNoExecute", "MdlMappingNoWrite", "MdlMappingWithGuardPtes"},
	},
	PageProtection: {flags: []string{
		"PAGE_NOACCESS", "PAGE_READONLY", "PAGE_READWRITE", "PAGE_WRITECOPY", "PAGE_EXECUTE", "PAGE_EXECUTE_READ",
		"PAGE_EXECUTE_READWRITE", "PAGE_EXECUTE_WRITECOPY", "PAGE_GUARD", "PAGE_NOCACHE", "PAGE_WRITECOMBINE",
	}},
	CacheType: {bases: []string{
		"MmNonCached", "MmCached", "MmWriteCombined", "MmHardwareCoherentCached", "MmNonCachedUnordered", "MmUSWCCached",
	}},
}

// Spell gives the value of a deciding argument as C has it, as "NonPagedPoolNx | POOL_COLD_ALLOCATION"; "" where the kit's
// constants don't make that value up. Names are those that mean one value only: NonPagedPoolExecute for 0, not NonPagedPool.
func (k Kind) Spell(value uint32) string {
	s := spellings[k]
	// The base that leaves fewest flags says most: 512 is NonPagedPoolNx, not NonPagedPoolExecute with a flag.
	bases := slices.Clone(s.bases)
	slices.SortStableFunc(bases, func(a, b string) int { return bits.OnesCount32(tokens[b]) - bits.OnesCount32(tokens[a]) })
	if len(bases) == 0 {
		bases = []string{""}
	}
	for _, base := range bases {
		if value&tokens[base] != tokens[base] {
			continue
		}
		if parts, ok := s.with(base, value&^tokens[base]); ok {
			return strings.Join(parts, " | ")
		}
	}
	return ""
}

// with adds the names of flags to a base.
func (s spelling) with(base string, rest uint32) (parts []string, ok bool) {
	if base != "" {
		parts = append(parts, base)
	}
	for _, name := range s.flags {
		if rest&tokens[name] != 0 {
			parts = append(parts, name)
			rest &^= tokens[name]
		}
	}
	return parts, rest == 0
}
