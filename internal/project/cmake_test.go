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

func TestCMakePlace(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"into a list", "add_executable(drv a.c)\ntarget_compile_definitions(drv PRIVATE A) # why\n", "target_compile_definitions(drv PRIVATE A POOL_NX_OPTIN=1) # why"},
		{"after the target", "add_executable(drv a.c)\n", "target_compile_definitions(drv PRIVATE POOL_NX_OPTIN=1)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, "-- CMakeLists.txt --\nproject(p C)\n"+c.file+linkDriver+"-- a.c --\n")
			s, tr := load(t, LoadOptions{}), newTree(t, ".")
			edits, err := Place(tr, wantAll(s, "default"), nil)
			if err != nil {
				t.Fatal(err)
			}
			added, after := applied(t, tr, edits)
			equal(t, "added", added, c.want)
			checkAfter(t, after, "default")
		})
	}
}
