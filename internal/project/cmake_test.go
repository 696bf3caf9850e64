package project

import (
	"strings"
	"testing"
)

// linkDriver are the lines that make a target of CMake a driver.
const linkDriver = "target_link_options(drv PRIVATE /DRIVER /SUBSYSTEM:NATIVE /ENTRY:DriverEntry)\n"

// cmakeSummary gives the units of a build with their own defines, undefines and include directories. The defines that
// CMake itself begins with have no place, so they are not among them.
func cmakeSummary(b *Build) string {
	var list []string
	for _, u := range b.Units {
		s := u.Path
		if d := own(u); d != "" {
			s += " " + d
		}
		for _, name := range u.Options.Undefines {
			s += " -" + name
		}
		if len(u.Options.Includes) > 0 {
			s += " in " + strings.Join(u.Options.Includes, ",")
		}
		list = append(list, s)
	}
	return strings.Join(list, "; ")
}

func TestCMakeDriver(t *testing.T) {
	write(t, "-- CMakeLists.txt --\ncmake_minimum_required(VERSION 3.20)\nproject(p C)\n"+
		"add_definitions(-DALL=2 /Wall)\nadd_library(util STATIC util/u.c)\ntarget_compile_definitions(util PUBLIC UTIL PRIVATE OWN)\n"+
		"target_include_directories(util PUBLIC util)\nadd_executable(drv a.c gone.c a.rc)\ntarget_link_libraries(drv PRIVATE util ntoskrnl)\n"+
		"target_compile_definitions(drv PRIVATE -DA=\"x y\" $<$<CONFIG:Debug>:DBG> $<$<CONFIG:Release>:REL>)\n"+linkDriver+
		"add_executable(app app.c a.c)\n-- a.c --\n-- app.c --\n-- util/u.c --\n")
	s := load(t, LoadOptions{})
	equal(t, "builds", ids(s), "CMakeLists.txt|default|x64 CMakeLists.txt|default:util|x64")
	drv, util := find(t, s, "CMakeLists.txt|default|x64"), find(t, s, "CMakeLists.txt|default:util|x64")
	equal(t, "driver", cmakeSummary(drv), "a.c A=\"x y\" ALL=2 REL=1 UTIL=1 in util")
	equal(t, "library", cmakeSummary(util), "util/u.c ALL=2 OWN=1 UTIL=1 in util")
	equal(t, "links", strings.Join(drv.Links, " "), util.ID)
	equal(t, "is a library", util.Library && !drv.Library, true)
	equal(t, "entries", strings.Join(drv.Entries, " "), "DriverEntry DllInitialize")
	equal(t, "notes", notes(drv), "CMakeLists.txt:7:24: gone.c is not there; it is left out (a file made by the build, perhaps)")
	equal(t, "skipped", len(s.Skipped), 1)
	equal(t, "why", s.Skipped[0].Why, "user mode: not linked as drivers: app")
	equal(t, "shared", strings.Join(s.Skipped[0].Shares, " "), "a.c")
}

// TestCMakePlace says what is added for the opt-in of all builds. Each file is read again after it.
func TestCMakePlace(t *testing.T) {
	const insert = "target_compile_definitions(drv PRIVATE POOL_NX_OPTIN=1)"
	const drv = "add_executable(drv a.c)\n"
	const app = "add_executable(app app.c)\n"
	for _, c := range []struct{ name, file, want string }{
		{"into a list", drv + "target_compile_definitions(drv PRIVATE A) # why\n", "target_compile_definitions(drv PRIVATE A POOL_NX_OPTIN=1) # why"},
		{"into lines", drv + "target_compile_definitions(drv PRIVATE\n  A\n  B # why\n  )\n", "B POOL_NX_OPTIN=1 # why"},
		{"a line of its own", drv + "target_compile_definitions(drv\n  PRIVATE\n    A\n    B)\n", "B POOL_NX_OPTIN=1)"},
		{"the last of lines", drv + "target_compile_definitions(drv\n  PRIVATE\n    A\n    B\n)\n", "POOL_NX_OPTIN=1"},
		{"what is for users does not count", drv + "target_compile_definitions(drv PUBLIC A INTERFACE B)\n", "target_compile_definitions(drv PUBLIC A POOL_NX_OPTIN=1 INTERFACE B)"},
		{"only for users", drv + "target_compile_definitions(drv INTERFACE B)\n", insert},
		{"after the target", drv + "message(x)\n", insert},
		{"after a comment on its line", "add_executable(drv a.c) # the driver\n", insert},
		{"at the end of the file", "add_library(k STATIC k.c)\nadd_executable(drv a.c)", "add_executable(drv a.c)\n" + insert},
		{"add_definitions", "add_definitions(-DA /DB)\n" + drv, "add_definitions(-DA /DB -DPOOL_NX_OPTIN=1)"},
		{"add_compile_definitions", "add_compile_definitions(A)\n" + drv, "add_compile_definitions(A POOL_NX_OPTIN=1)"},
		{"of the application too", "add_definitions(-DA)\n" + drv + app, insert},
		{"property", drv + "set_target_properties(drv PROPERTIES A B COMPILE_DEFINITIONS \"A;B\" C D)\n",
			"set_target_properties(drv PROPERTIES A B COMPILE_DEFINITIONS \"A;B;POOL_NX_OPTIN=1\" C D)"},
		{"property of one value", drv + "set_target_properties(drv PROPERTIES COMPILE_DEFINITIONS A)\n",
			"set_target_properties(drv PROPERTIES COMPILE_DEFINITIONS \"A;POOL_NX_OPTIN=1\")"},
		{"set_property", drv + "set_property(TARGET drv PROPERTY COMPILE_DEFINITIONS A B)\n",
			"set_property(TARGET drv PROPERTY COMPILE_DEFINITIONS A B POOL_NX_OPTIN=1)"},
		{"indented", "if(WIN32)\n\tadd_executable(drv a.c)\nendif()\n", insert},
		{"by a function", "function(make t)\nadd_executable(${t} ${ARGN})\nendfunction()\nmake(drv a.c)\n", insert},
		{"by a function of a function", "function(make t)\nadd_executable(${t} ${ARGN})\nendfunction()\nfunction(outer)\nmake(drv a.c)\nendfunction()\nouter()\n", insert},
		{"by a loop", "foreach(t drv)\nadd_executable(${t} a.c)\nendforeach()\n", insert},
		{"by a function for all", "function(make t)\nadd_executable(${t} ${ARGN})\ntarget_compile_definitions(${t} PRIVATE A)\nendfunction()\nmake(drv a.c)\n",
			"target_compile_definitions(${t} PRIVATE A POOL_NX_OPTIN=1)"},
		{"by a function for the application too", "function(make t)\nadd_executable(${t} ${ARGN})\ntarget_compile_definitions(${t} PRIVATE A)\nendfunction()\nmake(drv a.c)\nmake(app app.c)\n", insert},
		{"library too", drv + "add_library(k STATIC k.c)\ntarget_link_libraries(drv k)\n", insert + "\ntarget_compile_definitions(k PRIVATE POOL_NX_OPTIN=1)"},
		{"objects too", drv + "add_library(k OBJECT k.c)\ntarget_link_libraries(drv PRIVATE k)\n", insert + "\ntarget_compile_definitions(k PRIVATE POOL_NX_OPTIN=1)"},
		{"inherited", "add_library(i INTERFACE)\ntarget_compile_definitions(i INTERFACE POOL_NX_OPTIN=1)\n" + drv + "target_link_libraries(drv i)\n", ""},
		{"there", drv + "target_compile_definitions(drv PRIVATE POOL_NX_OPTIN)\n", ""},
		{"of another configuration", drv + "target_compile_definitions(drv PRIVATE $<$<CONFIG:Debug>:POOL_NX_OPTIN=1>)\n",
			"target_compile_definitions(drv PRIVATE $<$<CONFIG:Debug>:POOL_NX_OPTIN=1> POOL_NX_OPTIN=1)"},
		{"of the kit's command", "wdk_add_driver(drv a.c)\n", insert},
		{"directory", "add_subdirectory(sub)\n" + drv, insert},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, newline := range []string{"\n", "\r\n"} {
				write(t, "-- a.c --\n-- app.c --\n-- k.c --\n-- sub/CMakeLists.txt --\nadd_definitions(-DSUB)\n")
				text := "project(p C)\n" + c.file + linkDriver
				if !strings.HasSuffix(c.file, "\n") { // nothing may follow
					text = "project(p C)\nset(CMAKE_EXE_LINKER_FLAGS /DRIVER)\n" + c.file
				}
				put(t, "CMakeLists.txt", bom+strings.ReplaceAll(text, "\n", newline))
				s, tr := load(t, LoadOptions{}), newTree(t, ".")
				edits, err := place(tr, wantAll(s, "default"), nil)
				if err != nil {
					t.Fatal(err)
				}
				added, after := applied(t, tr, edits)
				equal(t, "added", added, c.want)
				checkAfter(t, after, "default")
				if data, _ := after.Read("CMakeLists.txt"); strings.Count(string(data), newline) != strings.Count(string(data), "\n") {
					t.Errorf("mixed newlines: %q", data)
				}
			}
		})
	}
}

// One driver of two gets a line of its own where the list serves both.
func TestCMakePlaceOne(t *testing.T) {
	write(t, "-- CMakeLists.txt --\nproject(p C)\nadd_definitions(-DA)\nset(CMAKE_EXE_LINKER_FLAGS /DRIVER)\nadd_subdirectory(d)\nadd_executable(e a.c)\n"+
		"-- d/CMakeLists.txt --\n  add_executable(d ../a.c)\n-- a.c --\n")
	s, tr := load(t, LoadOptions{}), newTree(t, ".")
	edits, err := place(tr, wantAll(s, "default:d|"), nil)
	if err != nil {
		t.Fatal(err)
	}
	added, after := applied(t, tr, edits)
	equal(t, "added", edits[0].Path+": "+added, "d/CMakeLists.txt: target_compile_definitions(d PRIVATE POOL_NX_OPTIN=1)")
	checkAfter(t, after, "default:d|")
	data, _ := after.Read("d/CMakeLists.txt")
	equal(t, "file", string(data), "  add_executable(d ../a.c)\n  target_compile_definitions(d PRIVATE POOL_NX_OPTIN=1)\n")
}

// A line for one target goes behind the call at the top of the file: in a function it would be run for others too.
func TestCMakePlaceOutermost(t *testing.T) {
	const file = "project(p C)\nfunction(make t)\nadd_executable(${t} a.c)\nendfunction()\nfunction(outer t)\nmake(${t})\nendfunction()\nouter(app)\nouter(drv)\n"
	write(t, "-- CMakeLists.txt --\n"+file+linkDriver+"-- a.c --\n")
	s, tr := load(t, LoadOptions{}), newTree(t, ".")
	edits, err := place(tr, wantAll(s, "default"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, after := applied(t, tr, edits)
	data, _ := after.Read("CMakeLists.txt")
	equal(t, "file", string(data), file+"target_compile_definitions(drv PRIVATE POOL_NX_OPTIN=1)\n"+linkDriver)
}

// What has the define gets no second one.
func TestCMakePlaceMissing(t *testing.T) {
	write(t, "-- CMakeLists.txt --\nproject(p C)\nset(CMAKE_EXE_LINKER_FLAGS /DRIVER)\nadd_executable(d a.c)\nadd_executable(e a.c)\n"+
		"target_compile_options(e PRIVATE /DPOOL_NX_OPTIN=1)\n-- a.c --\n")
	s, tr := load(t, LoadOptions{}), newTree(t, ".")
	edits, err := place(tr, wantAll(s, "default"), nil)
	if err != nil {
		t.Fatal(err)
	}
	added, _ := applied(t, tr, edits)
	equal(t, "added", added, "target_compile_definitions(d PRIVATE POOL_NX_OPTIN=1)")
}

// A define that is undone later on the command line can't be placed, and the error says so.
func TestCMakePlaceLost(t *testing.T) {
	write(t, "-- CMakeLists.txt --\nproject(p C)\nadd_executable(drv a.c)\ntarget_compile_options(drv PRIVATE /UPOOL_NX_OPTIN)\n"+linkDriver+"-- a.c --\n")
	s := load(t, LoadOptions{})
	if edits, err := place(newTree(t, "."), wantAll(s, "default"), nil); err == nil {
		t.Errorf("no error, but %v", edits)
	}
}
