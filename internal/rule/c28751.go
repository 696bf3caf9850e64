package rule

import (
	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var deprecatedAllocator = Rule{
	ID:       "C28751",
	Name:     "deprecated-allocator",
	Official: "__WARNING_BANNED_API_USAGE_EXALLOCATEPOOL",
	Level:    Note,
	Doc: Doc{
		What: `One of the five classic pool allocators is called (ExAllocatePool, -WithTag, -WithQuota, -WithQuotaTag,
-WithTagPriority), and every Windows that the driver runs on has the routine that replaces it. Microsoft's checker says so
whatever the minimum is; before Windows 10 version 2004 (10.0.19041) there is nothing to replace them with.`,
		Why: `The classic routines leave old data in the memory that they give. ExAllocatePool2 and ExAllocatePool3 clear it, and
POOL_FLAG_NON_PAGED is no-execute.`,
		Fix: `Call ExAllocatePool2, or ExAllocatePool3 for a priority. It returns NULL where a quota allocator raises, and it
clears the memory: POOL_FLAG_RAISE_ON_FAILURE and POOL_FLAG_UNINITIALIZED keep the old behaviour. nxport port --to pool2 does
that where the pool is written in the call, and calls ExAllocatePoolUninitialized and the like where a priority is passed or
builds for an older Windows compile the call, too. Those forms do what the old routines did, and need no
POOL_ZERO_DOWN_LEVEL_SUPPORT, which is for the ...Zero forms.`,
		Before: vcxprojFor("Windows10", "NTDDI_VERSION=0x0A000008", "drv.c") + `-- drv.c --
#include <ntddk.h>

PVOID Get(SIZE_T Size)
{
    return ExAllocatePoolWithTag(PagedPool, Size, 'xErD');
}
`,
		After: vcxprojFor("Windows10", "NTDDI_VERSION=0x0A000008", "drv.c") + `-- drv.c --
#include <ntddk.h>

PVOID Get(SIZE_T Size)
{
    return ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_UNINITIALIZED, Size, 'xErD');
}
`,
	},
	check: checkDeprecatedAllocator,
	mend:  replace,
	built: importDeprecated,
}

func checkDeprecatedAllocator(m *driver.Image, _ nx.Mechanism) []Finding {
	var found []Finding
	for i := range m.Sites {
		s := &m.Sites[i]
		if _, old := successors[s.DDI.Name]; old && !m.Build.Minimum.Before(s.DDI.ReplacementSince) {
			found = append(found, Finding{
				Message: s.DDI.Name + " is deprecated: every Windows from " + m.Build.Minimum.Name() + " on has " + s.DDI.Replacement,
				Place:   s.Place, Site: s,
			})
		}
	}
	return found
}
