package truth

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/nx"
)

// requestText is a call with a pool type, %s, or with flags of another kind.
type requestText struct {
	text  string
	flags []string // what can be OR-ed; nil for a pool type, empty where no argument decides
}

// requests are what drivers call.
var requests = []requestText{
	{"ExAllocatePool(%s, 10)", nil},
	{"ExAllocatePoolWithTag(%s, 10, 'gaTa')", nil},
	{"ExAllocatePoolWithQuota(%s, 10)", nil},
	{"ExAllocatePoolWithQuotaTag(%s, 10, 'gaTa')", nil},
	{"ExAllocatePoolWithTagPriority(%s, 10, 'gaTa', NormalPoolPriority)", nil},
	{"ExAllocatePoolPriorityZero(%s, 10, 'gaTa', LowPoolPriority)", nil},
	{"ExInitializeLookasideListEx(0, NULL, NULL, %s, 0, 16, 'gaTa', 0)", nil},
	{"ExAllocatePool2(%s, 10, 'gaTa')",
		[]string{"POOL_FLAG_NON_PAGED", "POOL_FLAG_NON_PAGED_EXECUTE", "POOL_FLAG_PAGED", "POOL_FLAG_UNINITIALIZED", "0x40"}},
	{"ExAllocatePool3(%s, 10, 'gaTa', NULL, 0)", []string{"POOL_FLAG_NON_PAGED", "POOL_FLAG_CACHE_ALIGNED"}},
	{"ExInitializeNPagedLookasideList(0, NULL, NULL, %s, 16, 'gaTa', 0)",
		[]string{"0", "POOL_NX_ALLOCATION", "POOL_RAISE_IF_ALLOCATION_FAILURE"}},
	{"MmMapLockedPagesSpecifyCache(0, KernelMode, MmCached, NULL, FALSE, %s)",
		[]string{"NormalPagePriority", "HighPagePriority", "MdlMappingNoExecute", "MdlMappingNoWrite", "LowPagePriority", "ExDefaultMdlProtection"}},
	{"MmGetSystemAddressForMdlSafe(0, %s)", []string{"NormalPagePriority", "MdlMappingNoExecute"}},
	{"MmMapLockedPages(0, KernelMode)", []string{}},
	{"MmGetSystemAddressForMdl(0)", []string{}},
	{"ExAllocateCacheAwareRundownProtection(%s, 'gaTa')", nil},
	{"FsRtlAllocatePool(%s, 10)", nil},
	{"FsRtlAllocatePoolWithQuotaTag(%s, 10, 'gaTa')", nil},
	{"FsRtlInitializeMcb(NULL, %s)", nil},
	{"FsRtlInitializeLargeMcb(NULL, %s)", nil},
	{"FltAllocatePoolAlignedWithTag(NULL, %s, 10, 'gaTa')", nil},
	{"FltAllocateContext(NULL, 1, 10, %s, NULL)", nil},
	{"SeSetSecurityDescriptorInfo(NULL, NULL, NULL, NULL, %s, NULL)", nil},
	{"ChangerClassAllocatePool(%s, 10)", nil},
	{"WdfMemoryCreate(NULL, %s, 'gaTa', 10, NULL, NULL)", nil},
	{"WdfRegistryQueryMemory(NULL, NULL, %s, NULL, NULL, NULL)", nil},
	{"MmAllocateContiguousMemory(10, 0)", []string{}},
	{"MmAllocateContiguousMemorySpecifyCache(10, 0, 0, 0, %s)", caches},
	{"MmAllocateContiguousNodeMemory(10, 0, 0, 0, %s, 0)", protections},
	{"MmMapIoSpace(0, 10, MmNonCached)", []string{}},
	{"MmMapIoSpaceEx(0, 10, %s)", protections},
	{"MmProtectMdlSystemAddress(NULL, %s)", protections},
	{"ZwCreateSection(NULL, 0, NULL, NULL, %s, 0, NULL)", protections},
	{"ZwMapViewOfSection(NULL, NULL, NULL, 0, 0, NULL, NULL, 0, 0, %s)", protections},
	{"ZwAllocateVirtualMemory(NULL, NULL, 0, NULL, 0, %s)", protections},
}

var (
	caches      = []string{"MmNonCached", "MmCached", "MmWriteCombined"}
	protections = []string{"PAGE_READWRITE", "PAGE_EXECUTE_READWRITE", "PAGE_READONLY", "PAGE_EXECUTE_READ"}
)

// known are the requests whose routine is in the table of DDIs.
func known() []requestText {
	return slices.DeleteFunc(slices.Clone(requests), func(r requestText) bool {
		name, _, _ := strings.Cut(r.text, "(")
		return !slices.ContainsFunc(nx.DDIs(), func(d nx.DDI) bool { return d.Name == name })
	})
}

// request is a call that asks for memory.
func (m *maker) request(f *function, depth int) string {
	r := requests[0]
	if m.on["every-ddi"] {
		r = pick(m, m.requests...)
	}
	switch {
	case r.flags == nil:
		return fmt.Sprintf(r.text, m.value(f, depth))
	case len(r.flags) == 0:
		return r.text
	}
	if r.flags[0] == caches[0] {
		return fmt.Sprintf(r.text, pick(m, caches...))
	}
	return fmt.Sprintf(r.text, m.flags(r.flags))
}

// flags ORs some flags together, one of them perhaps by a choice.
func (m *maker) flags(list []string) string {
	var parts []string
	for range 1 + m.IntN(2) {
		if s := pick(m, list...); !slices.Contains(parts, s) {
			parts = append(parts, s)
		}
	}
	if m.chance(30) {
		if w := m.way(); w != "" {
			parts = append(parts, "("+w+" ? "+pick(m, list...)+" : 0)")
		}
	}
	return strings.Join(parts, " | ")
}
