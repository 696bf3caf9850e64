package port

import (
	"fmt"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/report"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

// What auto-select takes: what the drivers use already; else POOL_NX_OPTIN_AUTO where all of them start at Windows 8, since it
// needs no call and leaves NonPagedPool a constant; else POOL_NX_OPTIN, which is right on every Windows.

// choose settles on a mechanism. It says in one line each what decided, and what speaks against the other.
func choose(goal Goal, images []driver.Image) (g rule.Goal, why, not string) {
	if g, ok := goals[goal]; ok {
		return g, "asked for", early(g, images)
	}
	auto, optIn, call := used(images, nx.OptInAuto), used(images, nx.OptIn), called(images)
	low, below8 := lowest(images)
	switch {
	case below8 && auto != "":
		return goals[OptIn], low, "POOL_NX_OPTIN_AUTO, which " + auto + " uses, asks for NX pool on every Windows, and those before Windows 8 have none"
	case auto != "" && optIn == "":
		return goals[OptInAuto], auto + " uses it already, and no build starts before Windows 8", "POOL_NX_OPTIN beside it would be a second way in one tree"
	case optIn != "":
		return goals[OptIn], optIn + " uses it already, and it is right on every Windows", "POOL_NX_OPTIN_AUTO beside it would be a second way in one tree"
	case call != "":
		return goals[OptIn], "the call that it needs is there already (" + call + ")", "under POOL_NX_OPTIN_AUTO that call would do nothing"
	case below8:
		return goals[OptIn], low, "POOL_NX_OPTIN_AUTO, which needs no call, asks for NX pool on every Windows, and those before Windows 8 have none"
	}
	return goals[OptInAuto], "it needs no call, and no build starts before Windows 8: " + low,
		"POOL_NX_OPTIN would serve Windows 7, too, but needs a call in each driver and makes a variable of NonPagedPool"
}

// used gives the first build that has a mechanism by its own doing, "" for none: on ARM and ARM64 the kit's header opts in.
func used(images []driver.Image, m nx.Mechanism) string {
	i := slices.IndexFunc(images, func(img driver.Image) bool {
		b := img.Build
		return b.Mechanism == m && b.Processor != nx.ARM && b.Processor != nx.ARM64
	})
	if i < 0 {
		return ""
	}
	return report.Builds([]string{images[i].Build.ID})
}

// called gives the place of the first call that opts in, or would with the macro; "" for none.
func called(images []driver.Image) string {
	for _, img := range images {
		for _, f := range img.Facts {
			if f.Kind == driver.OptInCall {
				return f.Place.String()
			}
		}
	}
	return ""
}

// lowest says of the build with the lowest Windows where it starts and what says so, and whether that is before Windows 8.
func lowest(images []driver.Image) (says string, below8 bool) {
	if len(images) == 0 {
		return "there is no build", true
	}
	b := slices.MinFunc(images, func(a, b driver.Image) int { return a.Build.Minimum.Compare(b.Build.Minimum) }).Build
	says = fmt.Sprintf("%s starts at %s (%s)", report.Builds([]string{b.ID}), b.Minimum.Name(), b.MinimumSource)
	if b.MinimumSource == "default" {
		says = fmt.Sprintf("nothing says where %s starts, so that it may be %s", report.Builds([]string{b.ID}), b.Minimum.Name())
	}
	return says, b.Minimum.Before(nx.Windows8)
}

// early says which builds can't be known to have ExAllocatePool2.
func early(g rule.Goal, images []driver.Image) string {
	var ids []string
	if g.Allocators {
		ids = rule.BeforePool2(images)
	}
	if len(ids) == 0 {
		return ""
	}
	says := fmt.Sprintf("ExAllocatePool2 comes with Windows 10.0.19041, and nothing says that the driver starts there in %s", report.Builds(ids[:1]))
	if len(ids) > 1 {
		says += fmt.Sprintf(" and %d more", len(ids)-1)
	}
	return says
}
