package project

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestCMakeAsCMake compares units with those that CMake itself gives: the file want of each project in testdata/cmake
// was made from the database that CMake wrote for it.
func TestCMakeAsCMake(t *testing.T) {
	names, _ := filepath.Glob("testdata/cmake/*.txtar")
	if len(names) < 8 {
		t.Fatalf("%d projects", len(names))
	}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(name), func(t *testing.T) {
			write(t, string(txtar.Format(archive)))
			c := newCMake(newTree(t, "."), "CMakeLists.txt")
			c.directory(nil, nil, c.top)
			var lines []string
			for _, x := range c.order {
				for _, u := range c.resolve(x).units {
					if u.from == x { // not of an object library
						lines = append(lines, x.name+" "+cmakeLine(u))
					}
				}
			}
			slices.Sort(lines)
			want := archive.Files[len(archive.Files)-1]
			equal(t, want.Name, strings.Join(lines, "\n")+"\n", string(want.Data))
		})
	}
}

// cmakeLine gives a unit as the files want have it.
func cmakeLine(u cmakeUnit) string {
	parts := []string{u.path, string(u.flags.language)}
	for _, d := range u.flags.defines {
		parts = append(parts, "-D"+d.text())
	}
	for _, list := range []struct {
		option string
		values []string
	}{{"-U", u.flags.undefines}, {"-I", u.flags.includes}, {"-FI", u.flags.forced}} {
		for _, v := range list.values {
			v, _ = strings.CutPrefix(v, absolutePath(".")+"/")
			parts = append(parts, list.option+v)
		}
	}
	return strings.Join(parts, " ")
}

// TestCMakeKinds says which targets make builds.
func TestCMakeKinds(t *testing.T) {
	for _, c := range []struct{ name, file, builds string }{
		{"subsystem", "add_executable(d a.c)\nset_target_properties(d PROPERTIES LINK_FLAGS \"/SUBSYSTEM:NATIVE,6.01 /X\")\n", "default|x64"},
		{"gcc", "add_library(d SHARED a.c)\ntarget_link_options(d PRIVATE -nostdlib -Wl,--subsystem,native)\n", "default|x64"},
		{"gcc's entry", "add_executable(d a.c)\ntarget_link_options(d PRIVATE -Wl,--entry=_DriverEntry@8 -m32)\n", "default|x86"},
		{"linker option", "add_executable(d a.c)\ntarget_link_options(d PRIVATE LINKER:--subsystem,native)\n", "default|x64"},
		{"entry", "add_executable(d a.c)\ntarget_link_libraries(d -entry:GsDriverEntry)\n", "default|x64"},
		{"suffix", "add_executable(d a.c)\nset_property(TARGET d PROPERTY SUFFIX .SYS)\n", "default|x64"},
		{"variable for all", "set(CMAKE_EXECUTABLE_SUFFIX .sys)\nadd_executable(d a.c)\n", "default|x64"},
		{"kernel option", "add_compile_options(/kernel)\nadd_library(d STATIC a.c)\n", "default:d|x64"},
		{"kernel define", "add_executable(d a.c)\ntarget_compile_definitions(d PRIVATE _KERNEL_MODE)\n", "default|x64"},
		{"of one file only", "add_executable(d a.c b.c)\nset_source_files_properties(a.c PROPERTIES COMPILE_FLAGS /kernel)\n", ""},
		{"by usage", "add_library(k INTERFACE)\ntarget_link_options(k INTERFACE /driver)\nadd_executable(d a.c)\ntarget_link_libraries(d PRIVATE k)\n", "default|x64"},
		{"user mode", "add_executable(d a.c)\nadd_library(k STATIC b.c)\n", ""},
		{"two", "foreach(n d e)\nadd_executable(${n} a.c)\ntarget_link_options(${n} PRIVATE /DRIVER)\nendforeach()\n", "default:d|x64 default:e|x64"},
		{"platform", "set(CMAKE_GENERATOR_PLATFORM Win32)\nset(CMAKE_EXE_LINKER_FLAGS /driver)\nadd_executable(d a.c)\n", "default|x86"},
		{"machine", "set(CMAKE_EXE_LINKER_FLAGS \"/driver /machine:arm64\")\nadd_executable(d a.c)\n", "default|arm64"},
		{"alone in an if", "if(WIN32 AND NOT UNIX)\nwdk_add_driver(d a.c)\nendif()\n", "default|x64"},
		{"shared library of the kit", "wdk_add_library(d SHARED KMDF 1.15 a.c)\nwdk_add_library(k a.c)\n", "default|x64 default:k|x64"},
		{"linked by a command", "add_library(o OBJECT a.c b.c)\nadd_custom_command(OUTPUT x.sys COMMAND link ARGS /nologo /out:x.sys /driver $<TARGET_OBJECTS:o> DEPENDS o)\n", "default|x64"},
		{"all of a directory", "aux_source_directory(. S)\nwdk_add_driver(d ${S})\n", "default|x64"},
		{"no file is there", "add_executable(d none.c)\ntarget_link_options(d PRIVATE /DRIVER)\n", ""},
		{"signed by a command", "add_library(o OBJECT a.c)\nadd_custom_command(TARGET o POST_BUILD COMMAND signtool sign x.sys)\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, "-- a.c --\n-- b.c --\n")
			put(t, "CMakeLists.txt", "project(p C)\n"+c.file)
			want := c.builds
			if want != "" {
				want = "CMakeLists.txt|" + strings.ReplaceAll(want, " ", " CMakeLists.txt|")
			}
			s := load(t, LoadOptions{})
			equal(t, "builds", ids(s), want)
			for _, b := range s.Builds {
				if len(b.Units) == 0 {
					t.Errorf("%s has no units", b.ID)
				}
			}
		})
	}
}

// The objects of a library go to those that link to it by their own words, and to those that name them.
func TestCMakeObjects(t *testing.T) {
	write(t, "-- CMakeLists.txt --\nproject(p C)\nadd_library(o OBJECT o.c)\ntarget_compile_definitions(o PRIVATE OWN PUBLIC BOTH)\nadd_library(k STATIC k.c)\n"+
		"target_link_libraries(k PUBLIC o)\nadd_library(n OBJECT n.c)\nadd_executable(drv a.c $<TARGET_OBJECTS:n>)\ntarget_link_libraries(drv PRIVATE k)\n"+linkDriver+
		"-- a.c --\n-- k.c --\n-- o.c --\n-- n.c --\n")
	s := load(t, LoadOptions{})
	equal(t, "driver", cmakeSummary(find(t, s, "CMakeLists.txt|default|x64")), "a.c BOTH=1; n.c")
	equal(t, "library", cmakeSummary(find(t, s, "CMakeLists.txt|default:k|x64")), "k.c BOTH=1; o.c BOTH=1 OWN=1")
	equal(t, "skipped", len(s.Skipped), 0)
}

func TestCMakeKit(t *testing.T) {
	write(t, "-- CMakeLists.txt --\nproject(p C)\nfind_package(WDK REQUIRED)\nif(WDK_FOUND)\nset(X 1)\nendif()\n"+
		"function(f)\ncmake_parse_arguments(WDK \"\" \"KMDF\" \"\" ${ARGN})\nif(WDK_KMDF)\nadd_definitions(-DK)\nendif()\nendfunction()\nf()\n"+
		"wdk_add_driver(d KMDF 1.15 WINVER 0x0602 NTDDI_VERSION 0x06020000 a.c)\nwdk_add_library(k STATIC b.c)\ntarget_link_libraries(d k)\n"+
		"-- a.c --\n-- b.c --\n")
	s := load(t, LoadOptions{})
	d, k := find(t, s, "CMakeLists.txt|default|x64"), find(t, s, "CMakeLists.txt|default:k|x64")
	equal(t, "driver", cmakeSummary(d), "a.c NTDDI_VERSION=0x06020000 _WIN32_WINNT=0x0602")
	equal(t, "entry of the framework", d.Entries[0], "DriverEntry")
	equal(t, "minimum", d.Minimum.String()+" "+d.MinimumSource, "6.2 NTDDI_VERSION")
	equal(t, "default minimum", k.Minimum.String()+" "+k.MinimumSource, "6.1 default")
	value, _ := k.Units[0].Options.value("_WIN32_WINNT")
	equal(t, "the module's version", value, "0x0601")
	equal(t, "notes", notes(d), "CMakeLists.txt:3:1: the condition of if is unknown (${WDK_FOUND} is not known); it is read as false")
}

// A module in the tree is read, though it looks for a kit.
func TestCMakeModule(t *testing.T) {
	module := "if(DEFINED ENV{WDKContentRoot})\nfile(GLOB W \"$ENV{WDKContentRoot}/Include/*/km/ntddk.h\")\nelse()\nfile(GLOB W \"C:/Program Files*/*/km/ntddk.h\")\nendif()\n" +
		"if(W)\nlist(GET W -1 LATEST)\nendif()\ninclude(FindPackageHandleStandardArgs)\nfind_package_handle_standard_args(WDK REQUIRED_VARS LATEST)\n" +
		"if(NOT LATEST)\nreturn()\nendif()\nget_filename_component(ROOT \"${LATEST}\" DIRECTORY)\nset(WDK_WINVER 0x0601 CACHE STRING \"\")\n" +
		"function(wdk_add_driver t)\ncmake_parse_arguments(WDK \"\" \"KMDF;WINVER\" \"\" ${ARGN})\nadd_executable(${t} ${WDK_UNPARSED_ARGUMENTS})\n" +
		"set_target_properties(${t} PROPERTIES SUFFIX .sys COMPILE_DEFINITIONS \"WINNT=1;_WIN32_WINNT=${WDK_WINVER}\" COMPILE_OPTIONS \"/kernel;/FI${CMAKE_CURRENT_BINARY_DIR}/x.h\")\n" +
		"target_include_directories(${t} SYSTEM PRIVATE \"${ROOT}/km\" inc)\nif(DEFINED WDK_KMDF)\ntarget_link_options(${t} PRIVATE /ENTRY:FxDriverEntry)\nendif()\nendfunction()\n"
	write(t, "-- CMakeLists.txt --\nproject(p C)\nlist(APPEND CMAKE_MODULE_PATH \"${CMAKE_SOURCE_DIR}/cmake\")\nfind_package(WDK REQUIRED)\n"+
		"wdk_add_driver(d WINVER 0x0603 a.c)\n-- a.c --\n-- cmake/FindWdk.cmake --\n"+module)
	d := find(t, load(t, LoadOptions{}), "CMakeLists.txt|default|x64")
	equal(t, "driver", cmakeSummary(d), "a.c WINNT=1 _WIN32_WINNT=0x0603 in inc")
	equal(t, "notes", notes(d), "")
	equal(t, "forced", len(d.Units[0].Options.Forced), 0)
	edits, err := place(newTree(t, "."), []Want{{Build: d, Name: optIn, Value: "1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	added, _ := applied(t, newTree(t, "."), edits)
	equal(t, "added", added, "target_compile_definitions(d PRIVATE POOL_NX_OPTIN=1)")
}

// Directories that others add make no builds and no lines of their own.
func TestCMakeNested(t *testing.T) {
	write(t, "-- CMakeLists.txt --\nproject(p C)\nadd_subdirectory(drv)\nadd_subdirectory(app)\nif(OFF)\nadd_subdirectory(more)\nendif()\n"+
		"-- drv/CMakeLists.txt --\nadd_executable(drv a.c)\n"+linkDriver+"-- drv/a.c --\n-- app/CMakeLists.txt --\nadd_executable(app a.c)\n-- app/a.c --\n"+
		"-- more/CMakeLists.txt --\nadd_executable(more a.c)\n-- more/a.c --\n-- third/CMakeLists.txt --\nproject(third C)\nadd_library(third a.c)\n-- third/a.c --\n")
	s := load(t, LoadOptions{})
	equal(t, "builds", ids(s), "CMakeLists.txt|default|x64")
	var list []string
	for _, x := range s.Skipped {
		list = append(list, x.Path+": "+x.Why)
	}
	equal(t, "skipped", strings.Join(list, "\n"), "CMakeLists.txt: user mode: not linked as drivers: app\nthird/CMakeLists.txt: user mode: no target is linked as a driver: third")
	equal(t, "one of two that are left", fmt.Sprint(len(s.Unreadable)), "0")
}
