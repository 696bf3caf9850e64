package nx

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

func TestTableErrorsNameTheLine(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"Foo 1 pool_type", "my.txt:1: want 8 fields (name argument kind"},
		{"# heading\nFoo 1 cheese wdm.h 5.0 no - -", `my.txt:2: unknown kind "cheese"`},
		{"Foo x pool_type wdm.h 5.0 no - -", `my.txt:1: argument "x"`},
		{"Foo -1 pool_type wdm.h 5.0 no - -", `my.txt:1: argument "-1"`},
		{"Foo 21 pool_type wdm.h 5.0 no - -", `my.txt:1: argument "21"`},
		{"Foo 0 pool_type wdm.h 5.0 no - -", "my.txt:1: kind pool_type does not go with argument 0"},
		{"Foo 1 always wdm.h 5.0 no - -", "my.txt:1: kind always does not go with argument 1"},
		{"Foo 1 pool_type wdm.h new no - -", `my.txt:1: "new" is no Windows version`},
		{"Foo 1 pool_type wdm.h 5.0 no Bar new", `my.txt:1: "new" is no Windows version`},
		{"Foo 1 pool_type wdm.h 5.0 maybe - -", `my.txt:1: remapped "maybe"`},
		{"Foo 1 pool_type wdm.h 5.0 no - -\nFoo 1 pool_type wdm.h 5.0 no - -", "my.txt:2: Foo stands already in line 1"},
		{"\n\nFoo 1 pool_type wdm.h 5.0 no - - argc=1", `my.txt:3: unknown option "argc=1"`},
		{"Foo 1 pool_type wdm.h 5.0 no - - args", `my.txt:1: args ""`},
		{"Foo 1 pool_type wdm.h 5.0 no - - mode=two", `my.txt:1: mode "two"`},
		{"Foo 1 pool_type wdm.h 5.0 no - - nx=always", "my.txt:1: nx=always: want one of"},
		{"Foo 1 pool_type wdm.h 5.0 no - - nx=kit", "my.txt:1: nx=kit: want the first kit"},
		{"Foo 1 pool_type wdm.h 5.0 no - - nx=framework:6.2", "my.txt:1: nx=framework:6.2: want"},
		{"Foo 1 pool_type wdm.h 5.0 no - - nx=kit:new", `my.txt:1: "new" is no Windows version`},
		{"Foo 3 pool_type wdm.h 5.0 no - - args=2", "my.txt:1: argument 3 of 2"},
		{"Foo 1 mdl_priority wdm.h 5.0 no - - args=2 mode=3", "my.txt:1: argument 3 of 2"},
		{"Foo 1 pool_type wdm.h 5.0 no - - args=2 allocate=4", "my.txt:1: argument 4 of 2"},
		{"Foo 1 pool_type wdm.h 5.0 no - - memory=kernel", "my.txt:1: memory=kernel: want memory=user"},
		{"Foo 1 pool_type wdm.h 5.0 no - - args=3 wide=2,x", "my.txt:1: wide=2,x: want positions of arguments"},
		{"Foo 1 pool_type wdm.h 5.0 no - - args=3 wide=4", "my.txt:1: "},
		{"Foo 1 pool_type wdm.h 5.0 no - - wdf=0", "my.txt:1: wdf=0: want a place"},
		{"Foo 1 pool_type wdm.h 5.0 no - - over=", "my.txt:1: over=: want the name of another routine"},
		{"Foo 1 pool_type wdm.h 5.0 no - - over=Foo", "my.txt:1: over=Foo: want the name of another routine"},
		{"IFoo::Bar 1 pool_type wdm.h 5.0 no - -", "my.txt:1: IFoo::Bar is a method: say by args=N"},
		{"IFoo::Bar 1 pool_type a.h 5.0 no - - args=2\nIFoo::Bar 2 pool_type a.h 5.0 no - - args=2",
			"my.txt:2: IFoo::Bar stands already in line 1"},
		{"Foo 1 page_protection wdm.h 5.0 yes - -", "my.txt:1: kind page_protection has no NX bit"},
		{"Foo 0 always wdm.h 5.0 no - - nx=kit:6.3", "my.txt:1: kind always has no NX bit"},
	} {
		_, err := ParseDDIs("my.txt", strings.NewReader(tt.text))
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %q", tt.text, err, tt.want)
		}
	}
	if _, err := ParseDDIs("my.txt", iotest.ErrReader(errors.New("gone"))); err == nil || err.Error() != "my.txt: gone" {
		t.Errorf("a reader that fails: %v", err)
	}
}

func TestTableFields(t *testing.T) {
	table, err := ParseDDIs("my.txt", strings.NewReader(`
# what users wrote before there were options still holds
DrvOld 2 pool_type drv.h 5.0 no - -
IDrv::Map 3 mdl_priority drv.h 6.0 yes IDrv::Map2 6.2 mode=1 args=4 nx=kit:6.3 # and a comment
IDrv::Map 2 mdl_priority - 6.0 no - - args=2 allocate=1 memory=user
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []DDI{
		{Name: "DrvOld", Argument: 2, Kind: PoolType, Header: "drv.h", Since: Version{5, 0, 0}},
		{Name: "IDrv::Map", Argument: 3, Kind: MdlPriority, Header: "drv.h", Since: WindowsVista, Remapped: true,
			Replacement: "IDrv::Map2", ReplacementSince: Windows8, Arity: 4, AccessMode: 1, Adder: Kit, AdderKit: Windows81},
		{Name: "IDrv::Map", Argument: 2, Kind: MdlPriority, Since: WindowsVista, Arity: 2, Allocate: 1, UserMemory: true},
	}
	for i, d := range table {
		if i >= len(want) || d != want[i] {
			t.Errorf("row %d: %+v", i, d)
		}
	}
	if len(table) != len(want) {
		t.Errorf("%d rows, want %d", len(table), len(want))
	}
}

func TestPlaceX86(t *testing.T) {
	for _, c := range []struct {
		name           string
		argument, want int
	}{
		{"ExAllocatePoolWithTag", 1, 1}, {"ExAllocatePool2", 1, 1}, {"ExAllocatePool2", 4, 5}, // 4: behind the last
		{"MmMapIoSpaceEx", 3, 4}, {"MmAllocateContiguousMemorySpecifyCache", 5, 8}, {"MmAllocateContiguousMemorySpecifyCache", 2, 2},
	} {
		if got := ddi(t, c.name).PlaceX86(c.argument); got != c.want {
			t.Errorf("%s: argument %d at %d, want %d", c.name, c.argument, got, c.want)
		}
	}
}

func TestBuiltinTable(t *testing.T) {
	for _, want := range []DDI{
		{"ExAllocatePoolWithTag", 1, PoolType, "wdm.h", Version{5, 0, 0}, false, "ExAllocatePool2", Version{10, 0, 19041}, 3, 0, 0, Nobody, Version{}, false, "", 0, 0},
		{"ExInitializeNPagedLookasideList", 4, LookasideFlags, "wdm.h", Version{5, 0, 0}, true, "", Version{}, 7, 0, 2, Nobody, Version{}, false, "", 0, 0},
		{"MmMapLockedPagesSpecifyCache", 6, MdlPriority, "wdm.h", Version{5, 0, 0}, true, "", Version{}, 6, 2, 0, Nobody, Version{}, false, "", 0, 0},
		{"MmAllocateContiguousMemorySpecifyCache", 5, CacheType, "wdm.h", Version{5, 0, 0}, false,
			"MmAllocateContiguousNodeMemory", Windows8, 5, 0, 0, Nobody, Version{}, false, "", 1<<2 | 1<<3 | 1<<4, 0},
		{"MmMapIoSpace", 0, Always, "wdm.h", Version{5, 0, 0}, false, "MmMapIoSpaceEx", Windows10, 3, 0, 0, Nobody, Version{}, false, "", 1 << 1, 0},
	} {
		if got := ddi(t, want.Name); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	remapped := 0
	for _, d := range DDIs() {
		if d.Arity == 0 {
			t.Errorf("%s: the table does not say how many arguments it takes", d.Name)
		}
		if d.Replacement != "" {
			ddi(t, d.Replacement)
		}
		if d.Remapped {
			remapped++
		}
	}
	// ExInitializeNPagedLookasideList, MmMapLockedPagesSpecifyCache, and what stands for one of them: MmGetSystemAddressForMdlSafe,
	// NdisInitializeNPagedLookasideList, NdisQueryMdl, -QueryBufferSafe, -BufferVirtualAddressSafe, -GetFirstBufferFromPacketSafe.
	if remapped != 8 {
		t.Errorf("%d routines are remapped, want 8", remapped)
	}
}

// Microsoft's page "Implement memory integrity compatible code" lists DDIs that may be impacted, with MmCopyMemory, which
// gives no memory.
func TestTheTableHoldsMicrosoftsList(t *testing.T) {
	for name := range strings.FieldsSeq(`ExAllocatePool ExAllocatePoolWithQuota ExAllocatePoolWithQuotaTag ExAllocatePoolWithTag
		ExAllocatePoolWithTagPriority ExInitializeNPagedLookasideList ExInitializeLookasideListEx MmAllocateContiguousMemory
		MmAllocateContiguousMemorySpecifyCache MmAllocateContiguousMemorySpecifyCacheNode MmAllocateContiguousNodeMemory
		MmMapIoSpace MmMapLockedPages MmMapLockedPagesSpecifyCache MmProtectMdlSystemAddress ZwAllocateVirtualMemory
		ZwCreateSection ZwMapViewOfSection NtCreateSection NtMapViewOfSection ClfsCreateMarshallingArea
		NdisAllocateMemoryWithTagPriority StorPortGetDataInBufferSystemAddress StorPortGetSystemAddress
		ChangerClassAllocatePool DXGKRNL_INTERFACE::DxgkCbMapMemory VideoPortAllocatePool IMiniportDMus::NewStream
		IMiniportMidi::NewStream IMiniportWaveCyclic::NewStream IPortWavePci::NewMasterDmaChannel IMiniportWavePci::NewStream
		PcNewDmaChannel PcNewResourceList PcNewResourceSublist FltAllocatePoolAlignedWithTag FltAllocateContext
		WdfLookasideListCreate WdfMemoryCreate WdfDeviceAllocAndQueryProperty WdfDeviceAllocAndQueryPropertyEx
		WdfFdoInitAllocAndQueryProperty WdfFdoInitAllocAndQueryPropertyEx WdfIoTargetAllocAndQueryTargetProperty
		WdfRegistryQueryMemory`) {
		ddi(t, name)
	}
}

// What a macro or an inline function comes down to is a row of its own, judged in the same way, and no macro itself.
func TestOver(t *testing.T) {
	rows := map[string]DDI{}
	for _, d := range DDIs() {
		rows[d.Name] = d
	}
	for _, d := range DDIs() {
		if d.Over == "" {
			continue
		}
		over, known := rows[d.Over]
		switch {
		case !known:
			t.Errorf("%s: over=%s, which has no row", d.Name, d.Over)
		case over.Over != "":
			t.Errorf("%s: over=%s, which comes down to %s", d.Name, d.Over, over.Over)
		case over.Kind != d.Kind || (over.Argument == 0) != (d.Argument == 0):
			t.Errorf("%s: over=%s, which is judged by another argument", d.Name, d.Over)
		}
	}
	for name, want := range map[string]string{"MmGetSystemAddressForMdlSafe": "MmMapLockedPagesSpecifyCache", "ExAllocatePoolWithTag": ""} {
		if got := rows[name].Over; got != want {
			t.Errorf("%s: over %q, want %q", name, got, want)
		}
	}
}
