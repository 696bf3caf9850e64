package project

import "slices"

// FindWDK.cmake, a module that drivers in CMake copy into their tree: its commands are modelled, since it looks for a
// kit on the machine.

// kitOptions are those of FindWDK's commands (github.com/SergiusTheBest/FindWDK) that take a value.
var kitOptions = []string{"KMDF", "WINVER", "NTDDI_VERSION"}

// What FindWDK gives every target. The defines that only tell the processor are the toolset's, see kitDefines.
var (
	findWDKDefines = []string{"WINNT=1"}
	findWDKOptions = []string{"/kernel", "/Gz"}
	findWDKLinks   = []string{"/DRIVER", "/SUBSYSTEM:NATIVE"}
)

// defaultWINVER is FindWDK's, where WDK_WINVER is not set.
const defaultWINVER = "0x0601"

// kitArguments takes the options out of the arguments.
func (k *cmakeCall) kitArguments() (sources []text, options map[string]text) {
	options = map[string]text{}
	for i := 0; i < len(k.args); i++ {
		if s := k.arg(i); slices.Contains(kitOptions, s) && i+1 < len(k.args) {
			i++
			options[s] = k.args[i]
			continue
		}
		sources = append(sources, k.args[i])
	}
	return sources, options
}

// kitDriver models wdk_add_driver, where the tree has no module that defines it.
func (k *cmakeCall) kitDriver() {
	args, options := k.kitArguments()
	t := k.declare("EXECUTABLE", args)
	if t == nil {
		return
	}
	k.kit(t, options)
	t.driver = "wdk_add_driver"
	start := "/ENTRY:GsDriverEntry"
	if options["KMDF"] != nil {
		start = "/ENTRY:FxDriverEntry"
	}
	for _, s := range append(slices.Clone(findWDKLinks), start) {
		t.properties["LINK_OPTIONS"] = append(t.properties["LINK_OPTIONS"], entry{value: plain(s)})
	}
}

// kitLibrary is wdk_add_library of FindWDK.cmake.
func (k *cmakeCall) kitLibrary() {
	args, options := k.kitArguments()
	k.args = args
	before := len(k.order)
	k.addLibrary()
	if len(k.order) > before {
		t := k.order[before]
		t.driver = "wdk_add_library"
		k.kit(t, options)
	}
}

// kit gives a target what the module gives it.
func (k *cmakeCall) kit(t *cmakeTarget, options map[string]text) {
	for _, s := range findWDKOptions {
		t.add("COMPILE_OPTIONS", entry{value: plain(s)})
	}
	for _, s := range findWDKDefines {
		t.add("COMPILE_DEFINITIONS", entry{value: plain(s)})
	}
	for _, o := range []struct{ option, define, otherwise string }{
		{"WINVER", "_WIN32_WINNT", defaultWINVER}, {"NTDDI_VERSION", "NTDDI_VERSION", ""},
	} {
		v := options[o.option]
		if global, ok := k.get(k.fr, "WDK_"+o.option); v == nil && ok && !global.unknown() {
			v = global
		}
		if v.len() == 0 {
			v = plain(o.otherwise)
		}
		if v.len() > 0 {
			t.add("COMPILE_DEFINITIONS", entry{value: slices.Concat(plain(o.define+"="), v)})
		}
	}
	// Projects add to the module's list.
	if v, ok := k.get(k.fr, "WDK_COMPILE_DEFINITIONS"); ok && !v.unknown() {
		t.add("COMPILE_DEFINITIONS", entry{value: v})
	}
}

// cmakeVariables are what CMake and Visual Studio's compiler for x64 set.
var cmakeVariables = map[string]string{
	"WIN32": "1", "MSVC": "1", "MSVC_VERSION": "1940", "MSVC_TOOLSET_VERSION": "143", "CMAKE_SYSTEM_NAME": "Windows",
	"CMAKE_HOST_SYSTEM_NAME": "Windows", "CMAKE_HOST_WIN32": "1", "CMAKE_SYSTEM_PROCESSOR": "AMD64",
	"CMAKE_HOST_SYSTEM_PROCESSOR": "AMD64", "CMAKE_SYSTEM_VERSION": "10.0.26100", "CMAKE_SYSTEM": "Windows-10.0.26100",
	"CMAKE_C_COMPILER_ID": "MSVC", "CMAKE_CXX_COMPILER_ID": "MSVC", "CMAKE_C_COMPILER_VERSION": "19.40",
	"CMAKE_CXX_COMPILER_VERSION": "19.40", "CMAKE_C_COMPILER": "cl.exe", "CMAKE_CXX_COMPILER": "cl.exe",
	"CMAKE_C_COMPILER_ARCHITECTURE_ID": "x64", "CMAKE_CXX_COMPILER_ARCHITECTURE_ID": "x64", "MSVC_C_ARCHITECTURE_ID": "x64",
	"MSVC_CXX_ARCHITECTURE_ID": "x64", "CMAKE_C_COMPILER_FRONTEND_VARIANT": "MSVC", "CMAKE_CXX_COMPILER_FRONTEND_VARIANT": "MSVC",
	"CMAKE_C_COMPILER_LOADED": "1", "CMAKE_CXX_COMPILER_LOADED": "1", "CMAKE_SIZEOF_VOID_P": "8", "CMAKE_VERSION": "3.31.0",
	"CMAKE_MAJOR_VERSION": "3", "CMAKE_MINOR_VERSION": "31", "CMAKE_PATCH_VERSION": "0", "CMAKE_GENERATOR": "Ninja",
	"CMAKE_BUILD_TYPE": "Release", "CMAKE_VS_PLATFORM_NAME": "x64", "CMAKE_FILES_DIRECTORY": "/CMakeFiles",
	"CMAKE_CFG_INTDIR": ".", "CMAKE_COMMAND": "cmake", "CMAKE_CURRENT_LIST_LINE": "1",
	"CMAKE_EXECUTABLE_SUFFIX_C": ".exe", "CMAKE_STATIC_LIBRARY_SUFFIX": ".lib", "CMAKE_SHARED_LIBRARY_SUFFIX": ".dll",
	// The options that CMake begins with for that compiler.
	"CMAKE_C_FLAGS": "/DWIN32 /D_WINDOWS", "CMAKE_CXX_FLAGS": "/DWIN32 /D_WINDOWS /EHsc",
	"CMAKE_C_FLAGS_RELEASE": "/MD /O2 /Ob2 /DNDEBUG", "CMAKE_CXX_FLAGS_RELEASE": "/MD /O2 /Ob2 /DNDEBUG",
	"CMAKE_C_FLAGS_DEBUG": "/MDd /Zi /Ob0 /Od /RTC1", "CMAKE_CXX_FLAGS_DEBUG": "/MDd /Zi /Ob0 /Od /RTC1",
	"CMAKE_C_FLAGS_RELWITHDEBINFO": "/MD /Zi /O2 /Ob1 /DNDEBUG", "CMAKE_CXX_FLAGS_RELWITHDEBINFO": "/MD /Zi /O2 /Ob1 /DNDEBUG",
	"CMAKE_C_FLAGS_MINSIZEREL": "/MD /O1 /Ob1 /DNDEBUG", "CMAKE_CXX_FLAGS_MINSIZEREL": "/MD /O1 /Ob1 /DNDEBUG",
	"CMAKE_EXE_LINKER_FLAGS": "/machine:x64", "CMAKE_SHARED_LINKER_FLAGS": "/machine:x64", "CMAKE_MODULE_LINKER_FLAGS": "/machine:x64",
}
