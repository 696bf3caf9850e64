package rule

import (
	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var ownAllocator = Rule{
	ID:       "C30034",
	Name:     "flags-with-own-allocator",
	Official: "__WARNING_BANNED_MEM_ALLOCATION_MAYBE_UNSAFE",
	Level:    Note,
	Doc: Doc{
		What: `A lookaside list asks for executable pool, and names a function of the driver that allocates its entries.`,
		Why: `Then that function decides, and gets the pool type as an argument: what the list asks for is executable only if the
function uses it. Requests that the function makes are judged by themselves.`,
		Fix: `Pass POOL_NX_ALLOCATION, or NonPagedPoolNx to ExInitializeLookasideListEx, where the driver does not run below
Windows 8; an opt-in does it for the others. There is no automatic fix.`,
		Before: lookaside("0"),
		After:  lookaside("POOL_NX_ALLOCATION"),
	},
	check: checkOwnAllocator,
}

func lookaside(flags string) string {
	return vcxprojFor("Windows8", "DRV", "drv.c") + `-- drv.c --
#include <ntddk.h>

NPAGED_LOOKASIDE_LIST List;

VOID Prepare(PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free)
{
    ExInitializeNPagedLookasideList(&List, Allocate, Free, ` + flags + `, 64, 'xErD', 0);
}
`
}

func checkOwnAllocator(m *driver.Image, _ nx.Mechanism) []Finding {
	found := requests(m, "C30034")
	for i := range found {
		found[i].Message += ", if " + found[i].Site.Own + " takes the type that it is passed"
	}
	return found
}
