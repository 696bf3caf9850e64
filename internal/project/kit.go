package project

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nxport/nxport/internal/driver"
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

// kitProperty is a property that Visual Studio, the kit or the machine sets unless a project does.
type kitProperty struct {
	from  stage  // the kit's file that sets it
	value string // may hold references
	why   string // it has no value here, and why
	// assumed is the property's name where the value is one of several, that of Visual Studio 2022: a note says so.
	assumed string
}

// Reasons for properties without a value.
const (
	ofVersion   = "it depends on the Visual Studio and kit that build"
	ofMachine   = "it is a directory of the machine"
	ofDirectory = "it is a directory of Visual Studio or the kit"
)

// absent is a directory that holds nothing: what lies below it is not there.
const absent = `\absent\`

// kitProperties are by name in lower case. Where nothing else is said, the source of a value is the reference "Common
// macros for MSBuild commands and properties" and "MSBuild reserved and well-known properties" on learn.microsoft.com.
var kitProperties = map[string]kitProperty{
	"os":                         {value: "Windows_NT"},
	"msbuildruntimetype":         {value: "Full"},
	"configurationname":          {value: "$(Configuration)"},
	"platformname":               {value: "$(Platform)"},
	"isosunixlike":               {value: "false"},
	"buildinginsidevisualstudio": {value: ""},
	"designtimebuild":            {value: ""},
	"iskernelmodetoolset":        {value: ""}, // set for the kit's own toolsets, see importKit
	"isusermodetoolset":          {value: ""},

	// UserRootDir holds what one developer has set up for all projects; a clean machine has nothing there.
	"userrootdir": {value: absent},

	// Each of these is set by one generation of Visual Studio alone, none of which has a kit for Windows 10.
	"vctargetspath10": {value: ""}, "vctargetspath11": {value: ""}, "vctargetspath12": {value: ""},

	// Of "this version or later" and "before it" one is always true, so these are those of Visual Studio 2022, which the kits
	// for Windows 11 need.
	"visualstudioversion": {value: "17.0", assumed: "VisualStudioVersion"}, "msbuildassemblyversion": {value: "17.0", assumed: "MSBuildAssemblyVersion"},
	"defaultplatformtoolset": {value: "v143", assumed: "DefaultPlatformToolset"},

	"msbuildversion": {why: ofVersion}, "msbuildfileversion": {why: ofVersion}, "msbuildsemanticversion": {why: ofVersion},
	"msbuildtoolsversion": {value: "Current"},
	"vctoolsversion":      {why: ofVersion}, "vcprojectversion": {from: atDefaults, why: ofVersion},
	"platformtoolsetversion": {from: atDefaults, why: ofVersion},
	"platformtoolset":        {from: atDefaults, why: ofVersion}, "latesttargetplatformversion": {why: ofVersion},
	"windowstargetplatformversion": {from: atDefaults, why: ofVersion}, "targetplatformversion": {from: atDefaults, why: ofVersion},

	"programfiles": {why: ofMachine}, "programw6432": {why: ofMachine}, "msbuildprogramfiles32": {why: ofMachine},
	"msbuildprogramfiles64": {why: ofMachine}, "systemroot": {why: ofMachine}, "windir": {why: ofMachine},
	"systemdrive": {why: ofMachine}, "localappdata": {why: ofMachine}, "appdata": {why: ofMachine}, "userprofile": {why: ofMachine},
	"temp": {why: ofMachine}, "tmp": {why: ofMachine}, "path": {why: "it reads the environment"}, "username": {why: "it reads the environment"},
	"computername": {why: "it reads the environment"}, "processor_architecture": {why: "it reads the environment"},

	"vctargetspath": {why: ofDirectory}, "vctargetspath14": {why: ofDirectory}, "msbuildextensionspath": {why: ofDirectory},
	"msbuildextensionspath32": {why: ofDirectory}, "msbuildextensionspath64": {why: ofDirectory}, "msbuildtoolspath": {why: ofDirectory},
	"msbuildbinpath": {why: ofDirectory}, "wdkcontentroot": {why: ofDirectory}, "wdkbuildfolder": {why: ofDirectory},
	"windowssdkdir": {why: ofDirectory}, "vcinstalldir": {why: ofDirectory}, "vsinstalldir": {why: ofDirectory},
	"vsinstallroot": {why: ofDirectory}, "vctoolsinstalldir": {why: ofDirectory}, "nugetpackageroot": {why: ofDirectory},
	"devenvdir": {why: ofDirectory}, "ucrtcontentroot": {why: ofDirectory}, "netfxkitsdir": {why: ofDirectory},

	// Directories of headers and libraries, of the kits since Windows 8. What is included from them is the kit's.
	"ddk_inc_path": {from: atProps, why: ofDirectory}, "ddk_lib_path": {from: atProps, why: ofDirectory},
	"sdk_inc_path": {from: atProps, why: ofDirectory}, "sdk_lib_path": {from: atProps, why: ofDirectory},
	"km_includepath": {from: atProps, why: ofDirectory}, "um_includepath": {from: atProps, why: ofDirectory},
	"kit_shared_includepath": {from: atProps, why: ofDirectory}, "kit_shared_inc_path": {from: atProps, why: ofDirectory},
	"crt_includepath": {from: atProps, why: ofDirectory}, "ucrt_includepath": {from: atProps, why: ofDirectory},
	"ifskit_inc_path": {from: atProps, why: ofDirectory}, "wdk_um_inc_path": {from: atProps, why: ofDirectory},
	"kmdf_inc_path": {from: atProps, why: ofDirectory}, "kmdf_ver_path": {from: atProps, why: ofDirectory},
	"umdf_inc_path": {from: atProps, why: ofDirectory}, "umdf_ver_path": {from: atProps, why: ofDirectory},
	"spb_inc_path": {from: atProps, why: ofDirectory}, "ucm_inc_path": {from: atProps, why: ofDirectory},
	"kit_shared_inc_path_wdk": {from: atProps, why: ofDirectory}, "includepath": {from: atProps, why: ofDirectory},
	"librarypath": {from: atProps, why: ofDirectory}, "wdk_um_lib_path": {from: atProps, why: ofDirectory},
	"kmdf_lib_path": {from: atProps, why: ofDirectory}, "windowssdk_librarypath_x64": {from: atDefaults, why: ofDirectory},
	"vc_librarypath_x64": {from: atDefaults, why: ofDirectory},
	"vc_includepath":     {from: atDefaults, why: ofDirectory}, "windowssdk_includepath": {from: atDefaults, why: ofDirectory},

	// Defaults of Microsoft.Cpp.Default.props and Microsoft.Cpp.props.
	"configurationtype": {from: atDefaults, value: "Application"},
	"usedebuglibraries": {from: atProps, value: "false"},
	"targetname":        {from: atProps, value: "$(ProjectName)"},
	"targetfilename":    {from: atProps, value: "$(TargetName)$(TargetExt)"},
	"targetdir":         {from: atProps, value: "$(OutDir)"},
	"targetpath":        {from: atProps, value: "$(OutDir)$(TargetName)$(TargetExt)"},
	"rootnamespace":     {from: atProps, value: "$(ProjectName)"},
}

// kitByPlatform are those that the file of a platform sets, Platforms\x64\Platform.default.props and its like; by
// property, then platform, both in lower case. The kit for drivers adds DDKPlatform.
var kitByPlatform = map[string]map[string]string{
	"platformshortname":    {"win32": "x86", "x64": "x64", "arm": "arm", "arm64": "arm64"},
	"platformtarget":       {"win32": "x86", "x64": "x64", "arm": "ARM", "arm64": "ARM64"},
	"platformarchitecture": {"win32": "32", "x64": "64", "arm": "ARM", "arm64": "ARM64"},
	"ddkplatform":          {"win32": "x86", "x64": "x64", "arm": "arm", "arm64": "arm64"},
	"outdir": {"win32": `$(SolutionDir)$(Configuration)\`, "x64": `$(SolutionDir)$(Platform)\$(Configuration)\`,
		"arm": `$(SolutionDir)$(Platform)\$(Configuration)\`, "arm64": `$(SolutionDir)$(Platform)\$(Configuration)\`},
	"intdir": {"win32": `$(Configuration)\`, "x64": `$(Platform)\$(Configuration)\`,
		"arm": `$(Platform)\$(Configuration)\`, "arm64": `$(Platform)\$(Configuration)\`},
}

// extensions are the values of TargetExt, by ConfigurationType in lower case.
var extensions = map[string]string{"driver": ".sys", "staticlibrary": ".lib", "dynamiclibrary": ".dll", "application": ".exe", "": ".exe"}

// kitProperty gives the value of a property that no file of the project sets; the empty text where it has none.
func (e *evaluation) kitProperty(name string) text {
	if value, ok := targets[name]; ok {
		return plain(value)
	}
	p, ok := kitProperties[name]
	if byPlatform := kitByPlatform[name]; byPlatform != nil && e.stage >= atDefaults {
		p, ok = kitProperty{value: byPlatform[strings.ToLower(e.property("Platform"))]}, true
	}
	if name == "targetext" {
		p, ok = kitProperty{from: atProps, value: extensions[strings.ToLower(e.property("ConfigurationType"))]}, true
	}
	if p.assumed != "" {
		e.note(driver.Place{}, "nothing sets the property %s; it is read as %s, for Visual Studio 2022", p.assumed, p.value)
	}
	switch {
	case !ok || e.stage < p.from:
		return nil
	case p.why != "":
		return unknownText(plain("$("+name+")"), p.why)
	case strings.Contains(p.value, "$("):
		return e.expand(e.compile(plain(p.value)), scope{})
	}
	return plain(p.value)
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
	if v.Major > 10 { // a slip, as 0xA0000004 for 0x0A000004
		return nx.Version{}, false
	}
	if !v.Before(nx.Windows10) {
		v.Build = releases[n&0xFFFF]
	}
	return v, true
}

// kitDefines are those that tell the processor. Where the toolset's stand among the project's is for the build file to
// say; see kitDefinitions.
var kitDefines = map[nx.Processor][]Define{
	nx.X86:   {{Name: "_X86_", Value: "1"}, {Name: "i386", Value: "1"}, {Name: "STD_CALL", Value: "1"}},
	nx.X64:   {{Name: "_WIN64", Value: "1"}, {Name: "_AMD64_", Value: "1"}, {Name: "AMD64", Value: "1"}},
	nx.ARM:   {{Name: "_ARM_", Value: "1"}, {Name: "ARM", Value: "1"}, {Name: "STD_CALL", Value: "1"}},
	nx.ARM64: {{Name: "_ARM64_", Value: "1"}, {Name: "ARM64", Value: "1"}, {Name: "_WIN64", Value: "1"}, {Name: "STD_CALL", Value: "1"}},
}

// toolset gives the kit's defines for a processor. The zero version stands for an unknown one and defines none of
// the version macros: versionMacros adds what the headers make of that.
func toolset(p nx.Processor, debug bool, target nx.Version, ntddi uint64) []Define {
	list := slices.Clone(kitDefines[p])
	if target != (nx.Version{}) {
		winver := fmt.Sprintf("0x%02X%02X", target.Major, target.Minor)
		list = append(list, Define{Name: "_WIN32_WINNT", Value: winver}, Define{Name: "WINVER", Value: winver},
			Define{Name: "NTDDI_VERSION", Value: fmt.Sprintf("0x%08X", ntddi)})
	}
	list = append(list, Define{Name: "WINNT", Value: "1"})
	if debug {
		list = append(list, Define{Name: "DBG", Value: "1"}, Define{Name: "DEPRECATE_DDK_FUNCTIONS", Value: "1"})
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
