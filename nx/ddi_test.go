package nx

import (
	"fmt"
	"slices"
	"testing"
)

func TestExecutable(t *testing.T) {
	pool := DDI{Kind: PoolType, Argument: 1}
	protection := DDI{Kind: PageProtection, Argument: 1}
	cache := DDI{Kind: CacheType, Argument: 1}
	for _, tt := range []struct {
		ddi   DDI
		on    Version
		value uint32
		want  Executable
	}{
		{pool, Windows10, 0, Yes}, {pool, Windows7, 0, Yes}, {pool, Windows10, 1, No}, {pool, Windows10, 2, Yes},
		{pool, Windows10, 4, Yes}, {pool, Windows10, 5, No}, {pool, Windows10, 32, Yes}, {pool, Windows10, 33, No},
		{pool, Windows8, 512, No}, {pool, Windows10, 516, No}, {pool, Windows10, 544, No}, {pool, Windows10, 16, Yes},
		{pool, Windows7, 512, Undefined}, {pool, WindowsVista, 516, Undefined}, {pool, Windows7, 1, No},
		{DDI{Kind: PoolFlags}, Windows10, 0x40, No}, {DDI{Kind: PoolFlags}, Windows10, 0x80, Yes},
		{DDI{Kind: PoolFlags}, Windows10, 0x100, No},
		{DDI{Kind: LookasideFlags}, Windows10, 0, Yes}, {DDI{Kind: LookasideFlags}, Windows10, 0x200, No},
		{DDI{Kind: LookasideFlags}, Windows7, 0x200, Undefined}, {DDI{Kind: LookasideFlags}, Windows10, 1, Yes},
		{DDI{Kind: MdlPriority}, Windows10, 16, Yes}, {DDI{Kind: MdlPriority}, Windows10, 0x40000010, No},
		{DDI{Kind: MdlPriority}, Windows7, 0x40000010, Undefined}, {DDI{Kind: MdlPriority}, Windows10, 0x80000010, Yes},
		{DDI{Kind: MdlPriority}, Windows10, 0x200, Yes}, // the bit of a pool type is not that of a mapping
		// PAGE_NOACCESS, READONLY, READWRITE, WRITECOPY; then the four PAGE_EXECUTE...; then modifiers
		{protection, Windows10, 1, No}, {protection, Windows10, 2, No}, {protection, Windows10, 4, No}, {protection, Windows10, 8, No},
		{protection, Windows10, 0x10, Yes}, {protection, Windows10, 0x20, Yes}, {protection, Windows10, 0x40, Yes},
		{protection, Windows10, 0x80, Yes}, {protection, Windows10, 0x204, No}, {protection, Windows10, 0x240, Yes},
		{protection, Windows7, 0x40, Yes}, {protection, Windows7, 4, No},
		{cache, Windows10, 0, No}, {cache, Windows10, 1, Yes}, {cache, Windows10, 2, No},
		{DDI{Kind: Always}, Windows10, 0, Yes}, {DDI{Kind: PortDriver}, Windows10, 0, Unknown},
		{DDI{Kind: PortDriver}, Windows10, 1, Unknown}, // no argument to look at
		{DDI{Kind: PortDriver, Argument: 2}, Windows10, 0, Unknown}, {DDI{Kind: PortDriver, Argument: 2}, Windows10, 4, Unknown},
		{DDI{Kind: PortDriver, Argument: 2}, Windows10, 1, No}, {DDI{Kind: PortDriver, Argument: 2}, Windows7, 5, No},
	} {
		if got := tt.ddi.Executable(tt.on, tt.value); got != tt.want {
			t.Errorf("%s %#x on %s: %s, want %s", tt.ddi.Kind, tt.value, tt.on, got, tt.want)
		}
	}
}

// What arrives is not always what was passed: kits and the framework add the NX bit, too.
func TestValues(t *testing.T) {
	none7, none10 := Run{None, false, Windows7}, Run{None, false, Windows10}
	opted10 := Run{OptIn, true, Windows10}
	kit7, kit81, kit10 := Built{Windows7, Windows7}, Built{Windows81, Windows81}, Built{Version{10, 0, 22621}, Windows10}
	kit10for7 := Built{Version{10, 0, 19041}, Windows7}
	for _, tt := range []struct {
		ddi   string
		built Built
		run   Run
		value uint32
		want  []uint32
	}{
		// An inline function that asks for the version at run time, where the kit is new enough and the target Windows 8.
		{"NdisInitializeNPagedLookasideList", Built{}, none10, 0, []uint32{0, 0x200}},
		{"NdisInitializeNPagedLookasideList", Built{}, none7, 0, []uint32{0}},
		{"NdisInitializeNPagedLookasideList", Built{}, none10, 0x200, []uint32{0x200}},
		{"NdisInitializeNPagedLookasideList", Built{}, opted10, 0, []uint32{0x200}},
		{"NdisInitializeNPagedLookasideList", kit7, none10, 0, []uint32{0}},
		{"NdisInitializeNPagedLookasideList", kit7, opted10, 0, []uint32{0x200}},
		{"NdisInitializeNPagedLookasideList", Built{Windows8, Windows8}, none10, 0, []uint32{0, 0x200}},
		{"NdisInitializeNPagedLookasideList", kit81, none10, 0, []uint32{0x200}},
		{"NdisInitializeNPagedLookasideList", kit10, none10, 0, []uint32{0x200}},
		{"NdisInitializeNPagedLookasideList", kit10for7, none10, 0, []uint32{0, 0x200}},
		{"NdisInitializeNPagedLookasideList", kit10for7, none7, 0, []uint32{0}},
		// A macro that does not ask.
		{"NdisQueryMdl", Built{}, none10, 16, []uint32{16, 0x40000010}},
		{"NdisQueryMdl", Built{}, opted10, 16, []uint32{0x40000010}},
		{"NdisQueryMdl", Built{}, Run{OptedOut, true, Windows10}, 16, []uint32{16, 0x40000010}},
		{"NdisQueryMdl", kit7, none10, 16, []uint32{16}},
		{"NdisQueryMdl", kit81, none10, 16, []uint32{16, 0x40000010}}, // unknown to the table: the first that surely does is later
		{"NdisQueryMdl", kit10, none10, 16, []uint32{0x40000010}},
		{"NdisQueryMdl", kit10for7, none7, 16, []uint32{0x40000010}},
		// The other macros leave it to what they stand for.
		{"NdisQueryBufferSafe", kit10, none10, 16, []uint32{16}},
		{"NdisQueryBufferSafe", kit10, opted10, 16, []uint32{0x40000010}},
		{"NdisBufferVirtualAddressSafe", kit10, opted10, 32, []uint32{0x40000020}},
		{"NdisGetFirstBufferFromPacketSafe", kit10, opted10, 0, []uint32{0x40000000}},
		// KMDF's lists of nonpaged memory; paged ones have no such bit.
		{"WdfLookasideListCreate", Built{}, none10, 0, []uint32{0x200}},
		{"WdfLookasideListCreate", Built{}, none10, 1, []uint32{1}},
		{"WdfLookasideListCreate", kit10for7, none7, 0, []uint32{0}},
		{"WdfMemoryCreate", kit10, none10, 0, []uint32{0}},
		{"ExInitializeLookasideListEx", kit10, opted10, 0, []uint32{0}},
		{"MmGetSystemAddressForMdlSafe", kit10, Run{OptInAuto, false, Windows7}, 16, []uint32{0x40000010}},
	} {
		if got := ddi(t, tt.ddi).Values(tt.run, tt.built, tt.value); !slices.Equal(got, tt.want) {
			t.Errorf("%s(%#x), built with %+v, with %+v gets %#x, want %#x", tt.ddi, tt.value, tt.built, tt.run, got, tt.want)
		}
	}
}

func TestTakes(t *testing.T) {
	for _, tt := range []struct {
		ddi, token string
		want       bool
	}{
		{"ExAllocatePoolWithTag", "NonPagedPool", true}, {"ExAllocatePoolWithTag", "POOL_FLAG_NON_PAGED", false},
		{"ExAllocatePoolWithTag", "POOL_COLD_ALLOCATION", true}, {"ExAllocatePoolWithTag", "ExDefaultNonPagedPoolType", true},
		{"ExAllocatePool2", "PagedPool", false}, {"ExAllocatePool2", "POOL_FLAG_PAGED", true},
		{"ExInitializeNPagedLookasideList", "POOL_NX_ALLOCATION", true},
		{"MmMapLockedPagesSpecifyCache", "NormalPagePriority", true}, {"MmMapLockedPagesSpecifyCache", "MmCached", false},
		{"MmMapLockedPagesSpecifyCache", "ExDefaultMdlProtection", true},
		{"MmAllocateContiguousMemorySpecifyCache", "MmCached", true}, {"ZwCreateSection", "PAGE_EXECUTE_READ", true},
		{"VideoPortAllocatePool", "VpPagedPool", true}, {"StorPortAllocatePool", "NonPagedPool", false},
		{"MmMapIoSpace", "MmNonCached", false}, {"ExAllocatePoolWithTag", "Something", false},
	} {
		if got := ddi(t, tt.ddi).Takes(tt.token); got != tt.want {
			t.Errorf("%s takes %s: %v, want %v", tt.ddi, tt.token, got, tt.want)
		}
	}
}

func TestMethods(t *testing.T) {
	m := MethodsIn(DDIs())
	for _, tt := range []struct {
		object, name string
		arity        int
		want         string
	}{
		{"", "NewStream", 7, "[IMiniportMidi::NewStream]"},
		{"", "NewStream", 8, "[IMiniportWaveCyclic::NewStream]"},
		{"", "NewStream", 9, "[IMiniportWavePci::NewStream]"},
		{"", "NewStream", 10, "[IMiniportDMus::NewStream]"},
		{"", "NewStream", 5, "[]"}, // IMiniportWaveRT's takes no pool type
		{"IMiniportMidi", "NewStream", 8, "[]"},
		{"PMINIPORTWAVECYCLIC", "NewStream", 8, "[IMiniportWaveCyclic::NewStream]"},
		{"IPortWavePci *", "NewMasterDmaChannel", 12, "[IPortWavePci::NewMasterDmaChannel]"},
		{"", "NewMasterDmaChannel", 6, "[]"}, // IPortWaveCyclic's
		{"PDXGKRNL_INTERFACE", "DxgkCbMapMemory", 7, "[DXGKRNL_INTERFACE::DxgkCbMapMemory]"},
		{"PDMACHANNEL", "AllocateBuffer", 2, "[IDmaChannel::AllocateBuffer]"},
		{"CFifo", "AllocateBuffer", 2, "[]"},
		{"CThing", "new", 3, "[::new]"}, {"", "new", 2, "[::new]"}, {"", "new", 1, "[]"},
		{"", "ExAllocatePool", 2, "[]"},
	} {
		names := []string{}
		for _, d := range m.Find(tt.object, tt.name, tt.arity) {
			names = append(names, d.Name)
		}
		if got := fmt.Sprint(names); got != tt.want {
			t.Errorf("%s(%d arguments) of %q: %s, want %s", tt.name, tt.arity, tt.object, got, tt.want)
		}
	}
}
