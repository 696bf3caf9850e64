package project

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// The driver kits, and which Windows each can target: the release notes of the kits, and "Other WDK downloads" in
// Microsoft's documentation, which keeps a kit for Windows 7 to 8.1 (10.0.19041) and one for x86 and ARM (10.0.22621).

// oldKit is the last one that builds with build.exe and SOURCES.
var oldKit = driver.Kit{Name: "WDK 7.1", Lowest: nx.WindowsXP, Highest: nx.Windows7, NoOptIn: true, Made: nx.Windows7}

// gnuKit is the driver kit of MinGW-w64, as of ReactOS: its headers define the names of the pool types and nothing more.
var gnuKit = driver.Kit{Name: "mingw-w64", NoOptIn: true, Made: nx.Windows7}

// toolsetKits are those that a PlatformToolset names, by its end.
var toolsetKits = []struct {
	toolset string // in lower case
	kit     driver.Kit
}{
	{"driver8.0", driver.Kit{Name: "WDK 8", Lowest: nx.WindowsVista, Highest: nx.Windows8, Made: nx.Windows8}},
	{"driver8.1", driver.Kit{Name: "WDK 8.1", Lowest: nx.Windows7, Highest: nx.Windows81, Made: nx.Windows81}},
	{"driver10.0", driver.Kit{Name: "WDK 10", Lowest: nx.Windows7, Made: nx.Windows10}},
}

// Builds of the kits for Windows 10 and 11 from which on less can be targeted.
const (
	noWindows7 = 22000 // Windows 10 is the lowest
	no32Bit    = 26100 // x64 and ARM64 only
)

// kitOf gives the kit of a toolset. build is its number if that is known, 22621 for 10.0.22621; else 0.
func kitOf(toolset string, build int) driver.Kit {
	toolset = strings.ToLower(toolset)
	for _, k := range toolsetKits {
		if !strings.HasSuffix(toolset, k.toolset) {
			continue
		}
		if k.kit.Name == "WDK 10" && build > 0 {
			k.kit.Name = fmt.Sprintf("WDK 10.0.%d", build)
			k.kit.Made = nx.Version{Major: 10, Build: build}
			if build >= noWindows7 {
				k.kit.Lowest = nx.Windows10
			}
			k.kit.Only64 = build >= no32Bit
		}
		return k.kit
	}
	return driver.Kit{}
}

// kitBuild takes a version by itself, or the name of a package: Microsoft.Windows.WDK.x64.10.0.26100.1591.
var kitBuild = regexp.MustCompile(`(?i)(?:Microsoft\.Windows\.WDK\.[a-z0-9]+\.|^\s*)10\.0\.([0-9]+)\b`)

// kitBuildOf reads the number of a kit from a WindowsTargetPlatformVersion, or from the path of its NuGet package; 0 where
// there is none.
func kitBuildOf(s string) int {
	if !strings.Contains(s, "10.0.") { // most names; an expression takes its time
		return 0
	}
	m := kitBuild.FindStringSubmatch(s)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1]) // digits; too many of them give the largest number
	return n
}

// checkKit notes what a build asks for and its kit can't give.
func (b *Build) checkKit() {
	k := b.Kit
	var why string
	switch {
	case k.Name == "":
		return
	case b.Minimum.Before(k.Lowest):
		why = fmt.Sprintf("its lowest is %s", k.Lowest.Name())
	case k.Highest != nx.Version{} && k.Highest.Before(b.Minimum):
		why = fmt.Sprintf("its highest is %s", k.Highest.Name())
	case k.Only64 && (b.Processor == nx.X86 || b.Processor == nx.ARM):
		b.Notes = append(b.Notes, driver.Step{Place: driver.Place{Path: b.Project},
			Says: fmt.Sprintf("%s cannot build for %s: it knows x64 and ARM64 only", k.Name, b.Processor)})
		return
	default:
		return
	}
	if b.MinimumSource == "default" {
		return
	}
	b.Notes = append(b.Notes, driver.Step{Place: driver.Place{Path: b.Project},
		Says: fmt.Sprintf("%s cannot target %s, which %s names: %s", k.Name, b.Minimum.Name(), b.MinimumSource, why)})
}
