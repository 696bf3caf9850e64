package rule

import (
	"fmt"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/nx"
)

var typeAndFlagsMixed = Rule{
	ID:    "NX0011",
	Name:  "pool-type-and-flags-mixed",
	Level: Error,
	Doc: Doc{
		What: `A POOL_TYPE is passed to ExAllocatePool2 or ExAllocatePool3, which take POOL_FLAGS, or POOL_FLAG_... to a routine that
takes a POOL_TYPE.`,
		Why: `Both are numbers, so that it compiles, but they mean something else. PagedPool is 1, as flags POOL_FLAG_USE_QUOTA alone,
which names no pool: the request fails. NonPagedPoolNx is 0x200, a reserved flag. POOL_FLAG_NON_PAGED is 0x40, as a type no-one's
pool; POOL_FLAG_PAGED is 0x100, as a type executable nonpaged pool.`,
		Fix: `Pass POOL_FLAG_PAGED or POOL_FLAG_NON_PAGED to ExAllocatePool2 and 3, and a pool type to the others. The fix replaces a
constant by the one that names the same pool on the other side, nonpaged pool by its no-execute form, where nothing else
hangs on it. NonPagedPoolExecute stays: such a request fails now, and no fix brings executable memory.`,
		Before: vcxprojFor("Windows10", "NTDDI_VERSION=0x0A000008", "drv.c") + flagsSource("PagedPool"),
		After:  vcxprojFor("Windows10", "NTDDI_VERSION=0x0A000008", "drv.c") + flagsSource("POOL_FLAG_PAGED"),
	},
	check: checkTypeAndFlagsMixed,
	mend:  unmix,
}

func flagsSource(flags string) string {
	return `-- drv.c --
#include <ntddk.h>

PVOID Get(SIZE_T Size)
{
    return ExAllocatePool2(` + flags + `, Size, 'xErD');
}
`
}

func checkTypeAndFlagsMixed(m *driver.Image, _ nx.Mechanism) []Finding {
	var found []Finding
	for i := range m.Sites {
		s := &m.Sites[i]
		if says := mixed(s); says != "" {
			found = append(found, Finding{Message: s.DDI.Name + says, Place: s.Place, Site: s})
		}
	}
	return found
}

// pools are the bits of POOL_FLAGS one of which names the pool: POOL_FLAG_NON_PAGED, _NON_PAGED_EXECUTE and _PAGED.
const pools = 0x40 | 0x80 | 0x100

// mixed says what is wrong with one of the values of a request, "" where nothing is.
func mixed(s *driver.Site) string {
	for _, t := range s.Value.Terms {
		wrong := func(of nx.Type) string {
			i := slices.IndexFunc(t.Tokens, func(tok driver.Token) bool { return nx.TypeOf(tok.Name) == of })
			if i < 0 {
				return ""
			}
			return t.Tokens[i].Name
		}
		switch s.DDI.Kind {
		case nx.PoolType:
			if name := wrong(nx.PoolFlagBits); name != "" {
				return fmt.Sprintf(" takes a POOL_TYPE, and %s is one of POOL_FLAGS", name)
			}
		case nx.PoolFlags:
			if name := wrong(nx.PoolTypes); name != "" {
				return fmt.Sprintf(" takes POOL_FLAGS, and %s is a POOL_TYPE", name)
			}
			alone := len(s.Value.Terms) == 1 && s.Value.Unknown == "" // else a pool may be added to it on each way
			if len(t.Tokens) == 0 && t.Bits&pools == 0 && alone {
				return fmt.Sprintf(" takes POOL_FLAGS, and %#x names no pool", t.Bits)
			}
		}
	}
	return ""
}

// otherSide has the constants of pool types with the flags of the same pool, and the other way round.
var otherSide = map[nx.Kind]map[string]string{
	nx.PoolFlags: {
		"PagedPool": "POOL_FLAG_PAGED", "NonPagedPool": "POOL_FLAG_NON_PAGED", "NonPagedPoolNx": "POOL_FLAG_NON_PAGED",
	},
	nx.PoolType: {
		"POOL_FLAG_PAGED": "PagedPool", "POOL_FLAG_NON_PAGED": "NonPagedPoolNx", "POOL_FLAG_NON_PAGED_EXECUTE": "NonPagedPoolExecute",
	},
}

// unmix gives findings their fixes, where only requests of one kind hang on a constant. Below Windows 8 there is no
// NonPagedPoolNx to pass.
func unmix(all *texts, m *driver.Image, _ nx.Mechanism, found []Finding) []Finding {
	for i := range found {
		f := Fix{Safe: true}
		s := found[i].Site
		for _, w := range s.Value.Written {
			name := otherSide[s.DDI.Kind][w.Text]
			if name == "" || w.Use != driver.Alone || len(all.kinds[textOf(w)]) > 1 || name == "NonPagedPoolNx" && m.Build.Minimum.Before(nx.Windows8) {
				continue
			}
			f.Title = "pass " + name
			f.Edits = append(f.Edits, edit.Edit{Path: w.At.Path, Start: w.At.Offset, End: w.End, New: name})
		}
		if len(f.Edits) > 0 {
			found[i].Fix = &f
		}
	}
	return found
}
