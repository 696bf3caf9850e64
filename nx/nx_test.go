package nx

import (
	"fmt"
	"strings"
	"testing"
)

// The tests restate the page on the semantics of the mechanisms, table by table: values are those of the kit's
// headers, never those of our own output.

func TestPoolTypeValues(t *testing.T) {
	for name, want := range map[string]uint32{
		"NonPagedPool": 0, "NonPagedPoolExecute": 0, "PagedPool": 1, "NonPagedPoolMustSucceed": 2,
		"NonPagedPoolCacheAligned": 4, "PagedPoolCacheAligned": 5, "NonPagedPoolCacheAlignedMustS": 6,
		"NonPagedPoolSession": 32, "PagedPoolSession": 33, "NonPagedPoolMustSucceedSession": 34,
		"NonPagedPoolCacheAlignedSession": 36, "PagedPoolCacheAlignedSession": 37, "NonPagedPoolCacheAlignedMustSSession": 38,
		"NonPagedPoolNx": 512, "NonPagedPoolNxCacheAligned": 516, "NonPagedPoolSessionNx": 544,
		"POOL_QUOTA_FAIL_INSTEAD_OF_RAISE": 8, "POOL_RAISE_IF_ALLOCATION_FAILURE": 16, "POOL_COLD_ALLOCATION": 256,
		"POOL_NX_ALLOCATION": 512, "POOL_ZERO_ALLOCATION": 1024,
		"POOL_FLAG_USE_QUOTA": 1, "POOL_FLAG_UNINITIALIZED": 2, "POOL_FLAG_SESSION": 4, "POOL_FLAG_CACHE_ALIGNED": 8,
		"POOL_FLAG_RAISE_ON_FAILURE": 0x20, "POOL_FLAG_NON_PAGED": 0x40, "POOL_FLAG_NON_PAGED_EXECUTE": 0x80,
		"POOL_FLAG_PAGED": 0x100, "MdlMappingNoExecute": 0x40000000, "NormalPagePriority": 16,
		"MmNonCached": 0, "MmCached": 1, "MmFrameBufferCached": 2, "MmWriteCombined": 2,
		"PAGE_READWRITE": 4, "PAGE_EXECUTE": 0x10, "PAGE_EXECUTE_READ": 0x20, "PAGE_EXECUTE_READWRITE": 0x40,
		"PAGE_EXECUTE_WRITECOPY": 0x80, "PAGE_NOCACHE": 0x200, "KernelMode": 0, "UserMode": 1,
		"VpNonPagedPool": 0, "VpPagedPool": 1, "VpNonPagedPoolCacheAligned": 4, "VpPagedPoolCacheAligned": 5,
	} {
		got, ok := Run{Windows: Windows10}.Token(name)
		if !ok || got != want || !IsToken(name) {
			t.Errorf("%s = %d, %v, want %d", name, got, ok, want)
		}
	}
	if _, ok := (Run{}).Token("SomethingElse"); ok || IsToken("SomethingElse") {
		t.Error("SomethingElse is taken for a constant of the kit")
	}
}

func TestMechanismOfAFile(t *testing.T) {
	for _, tt := range []struct {
		says string
		file File
		want Mechanism
		ok   bool // compiles
	}{
		{"neither macro", File{Processor: X64}, None, true},
		{"POOL_NX_OPTIN", File{OptIn: true, Processor: X64}, OptIn, true},
		{"POOL_NX_OPTIN_AUTO", File{OptInAuto: true, Processor: X86}, OptInAuto, true},
		{"POOL_NX_OPTOUT wins over OPTIN", File{OptIn: true, OptOut: true, Processor: X64}, OptedOut, true},
		{"POOL_NX_OPTOUT wins over AUTO", File{OptInAuto: true, OptOut: true, Processor: X64}, OptedOut, true},
		{"POOL_NX_OPTOUT alone has nothing to opt out of", File{OptOut: true, Processor: X64}, None, true},
		{"AUTO wins over OPTIN, but does not compile on x64", File{OptIn: true, OptInAuto: true, Processor: X64}, OptInAuto, false},
		{"nor on x86", File{OptIn: true, OptInAuto: true, Processor: X86}, OptInAuto, false},
		{"on ARM64 it does", File{OptIn: true, OptInAuto: true, Processor: ARM64}, OptInAuto, true},
		{"ARM64 turns OPTIN into AUTO", File{OptIn: true, Processor: ARM64}, OptInAuto, true},
		{"ARM64 defines AUTO by itself", File{Processor: ARM64}, OptInAuto, true},
		{"so does ARM", File{Processor: ARM}, OptInAuto, true},
		{"not where _NTOS_ is defined", File{Processor: ARM64, NTOS: true}, None, true},
		{"an opt-out holds on ARM64 too", File{OptOut: true, Processor: ARM64}, OptedOut, true},
	} {
		if got := tt.file.Mechanism(); got != tt.want {
			t.Errorf("%s: mechanism %s, want %s", tt.says, got, tt.want)
		}
		if got := tt.file.Compiles(); got != tt.ok {
			t.Errorf("%s: compiles %v, want %v", tt.says, got, tt.ok)
		}
	}
}

// TestNonPagedPool is the heart of it: what the token gives, by mechanism, call and Windows.
func TestNonPagedPool(t *testing.T) {
	windows := []Version{WindowsXP, WindowsServer2003, WindowsVista, Windows7, Windows8, Windows81, Windows10}
	for _, tt := range []struct {
		mechanism   Mechanism
		initialised bool
		want        string // on each of windows
	}{
		{None, false, "0 0 0 0 0 0 0"},
		{None, true, "0 0 0 0 0 0 0"}, // a call without the macro does nothing
		{OptIn, false, "0 0 0 0 0 0 0"},
		{OptIn, true, "0 0 0 0 512 512 512"},
		{OptInAuto, false, "512 512 512 512 512 512 512"},
		{OptInAuto, true, "512 512 512 512 512 512 512"},
		{OptedOut, true, "0 0 0 0 0 0 0"},
	} {
		var got []string
		for _, w := range windows {
			r := Run{tt.mechanism, tt.initialised, w}
			v, _ := r.Token("NonPagedPool")
			got = append(got, fmt.Sprint(v))
			if aligned, _ := r.Token("NonPagedPoolCacheAligned"); aligned != v+4 {
				t.Errorf("%+v: NonPagedPoolCacheAligned is %d, want 4 more than NonPagedPool's %d", r, aligned, v)
			}
			for _, name := range []string{"NonPagedPoolExecute", "NonPagedPoolMustSucceed", "NonPagedPoolSession", "NonPagedPoolBase"} {
				if v, _ := r.Token(name); v != tokens[name] {
					t.Errorf("%+v: %s is %d: no mechanism redefines it", r, name, v)
				}
			}
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s, initialised %v: %s, want %s", tt.mechanism, tt.initialised, s, tt.want)
		}
	}
}

func TestWhichCallOptsIn(t *testing.T) {
	for _, tt := range []struct {
		mechanism Mechanism
		argument  uint32
		want      bool
	}{
		{OptIn, 1, true}, {OptIn, 3, true}, {OptIn, 0, false}, {OptIn, 2, false},
		{None, 1, false}, {OptInAuto, 1, false}, {OptedOut, 1, false},
	} {
		if got := tt.mechanism.OptsIn(tt.argument); got != tt.want {
			t.Errorf("ExInitializeDriverRuntime(%d) in a file with %s: %v, want %v", tt.argument, tt.mechanism, got, tt.want)
		}
	}
}

func ddi(t *testing.T, name string) DDI {
	t.Helper()
	for _, d := range DDIs() {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("no DDI %s", name)
	return DDI{}
}

func TestRemappedRoutines(t *testing.T) {
	on10 := Run{OptIn, true, Windows10}
	on7 := Run{OptIn, true, Windows7}
	for _, tt := range []struct {
		ddi   string
		run   Run
		value uint32
		want  uint32
	}{
		{"ExInitializeNPagedLookasideList", on10, 0, 0x200},
		{"ExInitializeNPagedLookasideList", on10, 16, 0x210},
		{"ExInitializeNPagedLookasideList", on7, 0, 0},
		{"ExInitializeNPagedLookasideList", Run{OptInAuto, false, Windows7}, 0, 0x200},
		{"ExInitializeNPagedLookasideList", Run{None, false, Windows10}, 0, 0},
		{"MmMapLockedPagesSpecifyCache", on10, 16, 0x40000010},
		{"MmMapLockedPagesSpecifyCache", on7, 16, 16},
		{"MmGetSystemAddressForMdlSafe", on10, 16, 0x40000010},
		{"MmGetSystemAddressForMdlSafe", Run{OptInAuto, false, Windows8}, 32, 0x40000020},
		{"MmGetSystemAddressForMdlSafe", Run{OptedOut, true, Windows10}, 16, 16},
		{"ExAllocatePoolWithTag", on10, 0, 0}, // only the token is redefined, a literal 0 stays
		{"ExAllocatePoolWithTag", on10, 512, 512},
		{"ExInitializeLookasideListEx", on10, 0, 0},
		{"MmGetSystemAddressForMdl", on10, 0, 0},
	} {
		if got := ddi(t, tt.ddi).Effective(tt.run, tt.value); got != tt.want {
			t.Errorf("%s(%#x) with %+v gets %#x, want %#x", tt.ddi, tt.value, tt.run, got, tt.want)
		}
	}
}

func TestVersions(t *testing.T) {
	for _, bad := range []string{"", "6", "6.1.2.3", "six.one", "6.-1", "99999999999.0"} {
		if v, err := ParseVersion(bad); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", bad)) {
			t.Errorf("ParseVersion(%q) = %v, %v: want an error that names it", bad, v, err)
		}
	}
	for _, s := range []string{"5.1", "6.1", "10.0", "10.0.19041"} {
		if v, err := ParseVersion(s); err != nil || v.String() != s {
			t.Errorf("ParseVersion(%q) = %v, %v", s, v, err)
		}
	}
	order := []Version{WindowsXP, WindowsServer2003, WindowsVista, Windows7, Windows8, Windows81, Windows10, {10, 0, 19041}}
	for i, v := range order {
		for j, w := range order {
			if v.Before(w) != (i < j) {
				t.Errorf("%s before %s: %v", v, w, v.Before(w))
			}
		}
		if v.HasNX() != (i >= 4) {
			t.Errorf("%s has NX pool: %v", v, v.HasNX())
		}
	}
}
