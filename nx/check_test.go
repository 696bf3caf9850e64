package nx

import (
	"slices"
	"strings"
	"testing"
)

// Every check is whole; those of requests and those of the image's layout differ in what the bug check's parameters are.
func TestChecks(t *testing.T) {
	var codes []uint32
	for _, c := range Checks() {
		codes = append(codes, c.Code)
		for _, text := range []string{c.Name, c.Count, c.Means, c.Find, c.Fix} {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: a part is missing", c.ID())
			}
		}
		ofRequests := len(c.Kinds) > 0
		if ofRequests != strings.HasPrefix(c.Parameters[0], "address in the driver's code") || ofRequests != (len(c.Rules) > 0) {
			t.Errorf("%s: kinds %v, parameter 2 %q, rules %v", c.ID(), c.Kinds, c.Parameters[0], c.Rules)
		}
		if (c.Code == 0) != (c.Parameters == [3]string{}) {
			t.Errorf("%s: parameters %q", c.ID(), c.Parameters)
		}
	}
	if want := []uint32{0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0}; !slices.Equal(codes, want) {
		t.Errorf("codes %#x, want %#x", codes, want)
	}
}

// Of memory by a caching type, or by a routine that nothing decides, it is not documented which check sees it.
func TestCheckOf(t *testing.T) {
	for _, k := range kinds {
		want := map[Kind]string{
			PoolType: "0x2000", PoolFlags: "0x2000", LookasideFlags: "0x2000", PageProtection: "0x2001", MdlPriority: "0x2002",
		}[k]
		c, ok := CheckOf(k)
		if ok != (want != "") || ok && c.ID() != want {
			t.Errorf("%s: %s, want %s", k, c.ID(), want)
		}
	}
}

func TestSpell(t *testing.T) {
	for _, tt := range []struct {
		kind  Kind
		value uint32
		want  string
	}{
		{PoolType, 0, "NonPagedPoolExecute"}, {PoolType, 1, "PagedPool"}, {PoolType, 4, "NonPagedPoolCacheAligned"},
		{PoolType, 512, "NonPagedPoolNx"}, {PoolType, 516, "NonPagedPoolNxCacheAligned"}, {PoolType, 544, "NonPagedPoolSessionNx"},
		{PoolType, 33, "PagedPoolSession"}, {PoolType, 16, "NonPagedPoolExecute | POOL_RAISE_IF_ALLOCATION_FAILURE"},
		{PoolType, 512 + 16, "NonPagedPoolNx | POOL_RAISE_IF_ALLOCATION_FAILURE"},
		{PoolType, 513, "PagedPool | POOL_NX_ALLOCATION"}, {PoolType, 1 + 8 + 1024, "PagedPool | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE | POOL_ZERO_ALLOCATION"},
		{PoolType, 3, ""}, {PoolType, 1 << 20, ""},
		{PoolFlags, 0x40, "POOL_FLAG_NON_PAGED"}, {PoolFlags, 0x42, "POOL_FLAG_UNINITIALIZED | POOL_FLAG_NON_PAGED"}, {PoolFlags, 0x200, ""},
		{PoolFlags, 0, ""}, {LookasideFlags, 0, ""}, {LookasideFlags, 512, "POOL_NX_ALLOCATION"},
		{MdlPriority, 0, "LowPagePriority"}, {MdlPriority, 16, "NormalPagePriority"},
		{MdlPriority, 0x40000020, "HighPagePriority | MdlMappingNoExecute"}, {MdlPriority, 48, ""},
		{PageProtection, 4, "PAGE_READWRITE"}, {PageProtection, 0x240, "PAGE_EXECUTE_READWRITE | PAGE_NOCACHE"},
		{CacheType, 0, "MmNonCached"}, {CacheType, 1, "MmCached"}, {CacheType, 2, "MmWriteCombined"}, {CacheType, 9, ""},
		{Always, 0, ""}, {PortDriver, 1, ""},
	} {
		if got := tt.kind.Spell(tt.value); got != tt.want {
			t.Errorf("%s %#x: %q, want %q", tt.kind, tt.value, got, tt.want)
		}
	}
	// What is spelled is what the names stand for.
	for k, s := range spellings {
		for _, name := range slices.Concat(s.bases, s.flags) {
			if !IsToken(name) || k.Spell(tokens[name]) == "" {
				t.Errorf("%s: %s is not known, or not spelled", k, name)
			}
		}
	}
}
