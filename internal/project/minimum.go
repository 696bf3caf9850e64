package project

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// The lowest Windows a driver is for: what the code is compiled for decides, where that is lower than what the
// project says of its target.

// versionDefines are the macros by which a project says which Windows its code is for. The kit's toolset sets them too,
// from the target version; of two, what the compiler ends up with counts.
var versionDefines = map[string]bool{"NTDDI_VERSION": true, "_WIN32_WINNT": true, "WINVER": true}

// versionNames are the constants of sdkddkver.h that stand for a version, without their prefix NTDDI_ or _WIN32_WINNT_.
var versionNames = map[string]nx.Version{
	"WINXP": nx.WindowsXP, "WS03": nx.WindowsServer2003, "LONGHORN": nx.WindowsVista, "VISTA": nx.WindowsVista,
	"WIN6": nx.WindowsVista, "WS08": nx.WindowsVista, "WIN7": nx.Windows7, "WIN8": nx.Windows8, "WINBLUE": nx.Windows81,
	"WIN10": nx.Windows10, "WINTHRESHOLD": nx.Windows10,
}

// versionMacros are those of versionDefines that nothing has defined: the kit's headers then define them, from one another
// or as the newest Windows that the kit knows (sdkddkver.h). The headers of kits that know no opt-in know no
// releases of Windows 10 either: MinGW-w64's NTDDI_VERSION is 0x0A000000.
func versionMacros(o *Options, kit driver.Kit) []Define {
	number := func(name string, shift int) uint64 { // 0 where it has no value that is known
		s, _ := o.value(name)
		n, err := strconv.ParseUint(strings.Trim(s, white), 0, 32)
		if v, ok := definedVersion(s); err != nil && ok { // NTDDI_WIN7
			n = (uint64(v.Major)<<8 | uint64(v.Minor)) << shift
		}
		return n
	}
	winnt, version := number("_WIN32_WINNT", 0), number("NTDDI_VERSION", 16)
	newest := cmp.Or(kit.Highest, nx.Windows10)
	switch {
	case winnt != 0:
	case version != 0:
		winnt = version >> 16
	default:
		winnt = uint64(newest.Major)<<8 | uint64(newest.Minor)
		if !kit.NoOptIn {
			version = ntddi(newest, "")
		}
	}
	version = cmp.Or(version, winnt<<16)
	var list []Define
	for _, d := range []Define{
		{Name: "_WIN32_WINNT", Value: fmt.Sprintf("0x%04X", winnt)}, {Name: "WINVER", Value: fmt.Sprintf("0x%04X", winnt)},
		{Name: "NTDDI_VERSION", Value: fmt.Sprintf("0x%08X", version)},
	} {
		if _, ok := o.value(d.Name); !ok && !slices.Contains(o.Undefines, d.Name) {
			list = append(list, d)
		}
	}
	return list
}

// lowerMinimum takes the lowest Windows that the project's own defines name, where that is below what its target
// version says: a driver is meant to run there, or it would not be compiled for it.
func (b *Build) lowerMinimum() {
	for _, u := range b.Units {
		for _, d := range u.Options.Defines {
			if d.Place.Path == "" || !versionDefines[d.Name] {
				continue
			}
			if last, _ := u.Options.last(d.Name); last != d {
				continue
			}
			v, ok := definedVersion(d.Value)
			if inexact := v == nx.Windows10 && b.Minimum.Major == 10; ok && !inexact { // 0x0A00 is no release
				b.offerMinimum(v, d.Name)
			}
		}
	}
}

// offerMinimum takes a version as the build's minimum where it is lower, or where nothing else was said. A plain
// Windows 10 names none of its releases: what does is more exact.
func (b *Build) offerMinimum(v nx.Version, source string) {
	exact := b.Minimum == nx.Windows10 && v.Major == 10 && v.Build > 0
	if v.Before(b.Minimum) || b.MinimumSource == "default" || exact {
		b.Minimum, b.MinimumSource = v, source
	}
}

// definedVersion reads 0x06010000, 0x0601, NTDDI_WIN7 or _WIN32_WINNT_WIN7.
func definedVersion(s string) (nx.Version, bool) {
	s = strings.Trim(s, white)
	for _, prefix := range []string{"NTDDI_", "_WIN32_WINNT_"} {
		if name, ok := strings.CutPrefix(s, prefix); ok {
			v, known := versionNames[name]
			return v, known
		}
	}
	return parseTarget(s)
}

// firstWindows are the first versions that ran on a processor, after those for x86 and x64.
var firstWindows = map[nx.Processor]nx.Version{nx.ARM: nx.Windows8, nx.ARM64: nx.Windows10}

// raiseMinimum takes no version as a minimum that there was not for the processor.
func (b *Build) raiseMinimum() {
	if first, ok := firstWindows[b.Processor]; ok && b.Minimum.Before(first) {
		b.Minimum, b.MinimumSource = first, "the first Windows for "+string(b.Processor)
	}
}
