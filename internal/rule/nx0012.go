package rule

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/nx"
)

var comparisonChanges = Rule{
	ID:    "NX0012",
	Name:  "comparison-changes-meaning",
	Level: Warning,
	Doc: Doc{
		What: `In a file that is opted in, a pool type is compared with 0 (if (PoolType) and !PoolType do that, too) or with
NonPagedPoolExecute, and not in the same function with NX pool, too; or some of its bits with NonPagedPool.`,
		Why: `An opt-in makes NonPagedPool 512 from Windows 8 on: what was nonpaged pool is no longer equal to 0, and the code takes
the other way. A comparison with NonPagedPool itself holds, as both sides change; but not one of (PoolType & 1), which is never
512.`,
		Fix: `Compare with NonPagedPool, or, to know any nonpaged type, test (PoolType & 1) == 0. The fix does the
latter; it is unsafe, since the code may mean the executable type. Bits that are compared with NonPagedPool are compared with 0
instead, which is safe.`,
		Before: vcxprojFor("Windows10", "POOL_NX_OPTIN_AUTO=1", "drv.c") + comparisonSource("PoolType == NonPagedPoolExecute"),
		After:  vcxprojFor("Windows10", "POOL_NX_OPTIN_AUTO=1", "drv.c") + comparisonSource("(PoolType & 1) == 0"),
	},
	check: checkComparisonChanges,
}

func comparisonSource(comparison string) string {
	return `-- drv.c --
#include <ntddk.h>

BOOLEAN IsNonPaged(POOL_TYPE PoolType)
{
    return ` + comparison + `;
}
`
}

func checkComparisonChanges(m *driver.Image, _ nx.Mechanism) []Finding {
	var found []Finding
	comparisons := factsOf(m, driver.Comparison)
	knowsNX := map[[2]string]bool{} // units and functions
	for _, f := range comparisons {
		knowsNX[[2]string{f.Unit, f.Function}] = knowsNX[[2]string{f.Unit, f.Function}] || f.With != nil && slices.ContainsFunc(f.With.Tokens, isNX)
	}
	for _, f := range comparisons {
		switch {
		case f.Mechanism != nx.OptIn && f.Mechanism != nx.OptInAuto:
			continue
		case f.Masked:
			found = append(found, Finding{
				Message: f.Says + ": an opt-in makes this constant NX pool, whose bit is not among those that are compared: they are never equal",
				Place:   f.Place, Fix: compareBits(f),
			})
			continue
		case !isExecutableType(f.With), knowsNX[[2]string{f.Unit, f.Function}]:
			continue
		}
		found = append(found, Finding{
			Message: fmt.Sprintf("%s: an opt-in makes NonPagedPool another value, which is not equal to this one", f.Says), Place: f.Place, Fix: testBit(f),
		})
	}
	return found
}

// isNX says whether a token is NX pool on every Windows: what is compared with that, too, knows of it.
func isNX(t driver.Token) bool {
	bits, _ := nx.Run{Windows: nx.Windows7}.Token(t.Name)
	return bits&nx.PoolNXAllocation != 0
}

// compareBits names the bits of executable pool instead, which is what was compared before the opt-in.
func compareBits(f driver.Fact) *Fix {
	if f.Span.Path == "" {
		return nil
	}
	bits, _ := nx.Run{}.Token(f.With.Tokens[0].Name)
	return &Fix{Title: "compare with the bits themselves", Safe: true, Edits: []edit.Edit{
		{Path: f.Span.Path, Start: f.Span.Start, End: f.Span.End, New: strconv.Itoa(int(bits))},
	}}
}

// isExecutableType says whether a value is that of NonPagedPool before the opt-in, whatever its file does.
func isExecutableType(t *driver.Term) bool {
	switch {
	case t == nil || t.Bits != 0:
		return false
	case len(t.Tokens) == 0:
		return true
	}
	return len(t.Tokens) == 1 && t.Tokens[0].Name == "NonPagedPoolExecute"
}

// testBit makes a comparison ask for any nonpaged type, nil where its sides are not written where they stand.
func testBit(f driver.Fact) *Fix {
	if f.Span.Path == "" || len(f.Written) != 1 {
		return nil
	}
	with := f.Written[0]
	return &Fix{Title: "test the bit of paged pool", Edits: []edit.Edit{
		{Path: f.Span.Path, Start: f.Span.Start, End: f.Span.Start, New: "("},
		{Path: f.Span.Path, Start: f.Span.End, End: f.Span.End, New: " & 1)"},
		{Path: with.At.Path, Start: with.At.Offset, End: with.End, New: "0"},
	}}
}
