package project

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nxport/nxport/nx"
)

// What the driver kits bring, as far as it decides which code is compiled: their build files are modelled by the
// tables here, never read.

// kitRoots are properties that hold directories of Visual Studio and the kits. An import below one is the kit's.
var kitRoots = []string{
	"VCTargetsPath", "VCTargetsPath10", "VCTargetsPath11", "VCTargetsPath12", "VCTargetsPath14", "UserRootDir",
	"MSBuildExtensionsPath", "MSBuildExtensionsPath32", "MSBuildExtensionsPath64", "MSBuildToolsPath",
	"MSBuildBinPath", "WDKContentRoot", "WDKBuildFolder", "WindowsSdkDir", "NuGetPackageRoot", "VCInstallDir",
}

// kitUnknown are properties, in lower case, that depend on the kit a project is built with.
var kitUnknown = map[string]bool{
	"visualstudioversion": true, "msbuildversion": true, "msbuildtoolsversion": true, "vctoolsversion": true,
	"platformtoolsetversion": true, "latesttargetplatformversion": true, "defaultplatformtoolset": true,
}

// kitMacros are what SOURCES files may ask for of the build environment, in lower case.
var kitMacros = map[string]bool{
	"ddk_target_os": true, "_nt_tools_version": true, "buildnumber": true, "basedir": true, "ntmakeenv": true,
	"_buildbranch": true, "_isvista": true, "sdk_path": true, "ddkroot": true,
}

// targets are the values of $(_NT_TARGET_VERSION_...) in both generations of kits.
var targets = map[string]string{
	"_nt_target_version_win2k": "0x0500", "_nt_target_version_winxp": "0x0501", "_nt_target_version_ws03": "0x0502",
	"_nt_target_version_wlh": "0x0600", "_nt_target_version_longhorn": "0x0600", "_nt_target_version_vista": "0x0600",
	"_nt_target_version_win7": "0x0601", "_nt_target_version_win8": "0x0602", "_nt_target_version_winblue": "0x0603",
	"_nt_target_version_win10": "0x0A00",
}

// targetVersions are the values of TargetVersion, in lower case.
var targetVersions = map[string]nx.Version{
	"windowsvista": nx.WindowsVista, "vista": nx.WindowsVista, "windows7": nx.Windows7, "win7": nx.Windows7,
	"windows8": nx.Windows8, "win8": nx.Windows8, "windowsv6.3": nx.Windows81, "windows8.1": nx.Windows81,
	"win8.1": nx.Windows81, "winblue": nx.Windows81, "windows10": nx.Windows10, "win10": nx.Windows10,
	"windows11": nx.Windows10, "universal": nx.Windows10,
}

// releases are the builds of Windows 10 and later, by the low word of NTDDI_VERSION.
var releases = map[uint64]int{
	0x01: 10586, 0x02: 14393, 0x03: 15063, 0x04: 16299, 0x05: 17134, 0x06: 17763, 0x07: 18362, 0x08: 19041,
	0x09: 19042, 0x0A: 20348, 0x0B: 22000, 0x0C: 22621, 0x0D: 25398, 0x0E: 25398, 0x10: 26100,
}

// latestNTDDI is what the newest kit defines NTDDI_VERSION as for TargetVersion Windows10.
const latestNTDDI = 0x0A000010

// parseTarget reads a _NT_TARGET_VERSION: as _WIN32_WINNT (0x601, 0x0A00) or as NTDDI_VERSION (0xA000006).
func parseTarget(s string) (nx.Version, bool) {
	n, err := strconv.ParseUint(strings.Trim(s, white), 0, 32)
	if err != nil || n < 0x400 {
		return nx.Version{}, false
	}
	if n <= 0xFFFF {
		return nx.Version{Major: int(n >> 8), Minor: int(n & 0xFF)}, true
	}
	v := nx.Version{Major: int(n >> 24), Minor: int(n >> 16 & 0xFF)}
	if !v.Before(nx.Windows10) {
		v.Build = releases[n&0xFFFF]
	}
	return v, true
}

// kitDefines are added by the toolset after those of the project.
var kitDefines = map[nx.Processor][]Define{
	nx.X86:   {{Name: "_X86_", Value: "1"}, {Name: "i386", Value: "1"}, {Name: "STD_CALL", Value: "1"}},
	nx.X64:   {{Name: "_WIN64", Value: "1"}, {Name: "_AMD64_", Value: "1"}, {Name: "AMD64", Value: "1"}},
	nx.ARM:   {{Name: "_ARM_", Value: "1"}, {Name: "ARM", Value: "1"}, {Name: "STD_CALL", Value: "1"}},
	nx.ARM64: {{Name: "_ARM64_", Value: "1"}, {Name: "ARM64", Value: "1"}, {Name: "_WIN64", Value: "1"}, {Name: "STD_CALL", Value: "1"}},
}

// toolset gives the kit's defines for a processor. The zero version stands for an unknown one and defines none of
// the version macros: what hangs on them must stay an open question.
func toolset(p nx.Processor, debug bool, target nx.Version, ntddi uint64) []Define {
	list := append([]Define{{Name: "DEPRECATE_DDK_FUNCTIONS", Value: "1"}}, kitDefines[p]...)
	if target != (nx.Version{}) {
		winver := fmt.Sprintf("0x%02X%02X", target.Major, target.Minor)
		list = append(list, Define{Name: "_WIN32_WINNT", Value: winver}, Define{Name: "WINVER", Value: winver},
			Define{Name: "NTDDI_VERSION", Value: fmt.Sprintf("0x%08X", ntddi)})
	}
	list = append(list, Define{Name: "WINNT", Value: "1"})
	if debug {
		list = append(list, Define{Name: "DBG", Value: "1"})
	}
	return list
}

// ntddi gives the NTDDI_VERSION that a kit derives from a version and, if it was given so, from the text itself.
func ntddi(v nx.Version, given string) uint64 {
	if n, err := strconv.ParseUint(strings.Trim(given, white), 0, 32); err == nil && n > 0xFFFF {
		return n
	}
	if !v.Before(nx.Windows10) {
		return latestNTDDI
	}
	return uint64(v.Major)<<24 | uint64(v.Minor)<<16
}

// wrapped are the kit's own entry points, which call the driver's.
var wrapped = map[string]string{"GsDriverEntry": "DriverEntry", "FxDriverEntry": "DriverEntry"}

// entries gives the routines by which Windows may enter an image with that EntryPointSymbol.
func entries(symbol string) []string {
	name, _, _ := strings.Cut(strings.Trim(symbol, white), "@")
	if driver := wrapped[name]; driver != "" {
		name = driver
	}
	if name == "" {
		name = "DriverEntry"
	}
	return []string{name, "DllInitialize"}
}
