package project

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nxport/nxport/internal/edit"
)

// bounded fails where reading a small file takes long: the limits on work must hold.
func bounded(t *testing.T, start time.Time) {
	if d := time.Since(start); d > time.Minute {
		t.Errorf("took %v", d)
	}
}

// tryPlace places a define in whatever was loaded: it must not panic, and what it gives must apply.
func tryPlace(t *testing.T, s *Set, named string) {
	tr := newTree(t, named)
	for _, b := range s.Builds[:min(len(s.Builds), 2)] {
		edits, err := Place(tr, []Want{{b, optIn, "1"}}, nil)
		if err != nil {
			continue
		}
		if _, err := edit.Apply(tr.Read, edits); err != nil {
			t.Error(err)
		}
	}
}

func FuzzVcxproj(f *testing.F) {
	body := definitions("Debug|x64", "A;"+inherit) + definitions("", "<!-- x -->B=&quot;;$(P)") + "  <Import Project=\"p.vcxproj\" />\n" +
		"  <Choose><When Condition=\"exists('a.c')\"><PropertyGroup><P>$(P)$(P)</P></PropertyGroup></When></Choose>\n" + compiled
	f.Add(projectText(two, body))
	f.Add(bom + strings.ReplaceAll(projectText(two, body), "\n", "\r\n"))
	f.Add("<Project><ItemGroup><ProjectConfiguration Include=\"a|x64\"/></ItemGroup></Project>")
	f.Add("")
	f.Fuzz(func(t *testing.T, data string) {
		defer bounded(t, time.Now())
		write(t, "-- a.c --\n-- b.c --\n")
		put(t, "p.vcxproj", data)
		tryPlace(t, load(t, LoadOptions{}, "p.vcxproj"), "p.vcxproj")
	})
}

func FuzzSources(f *testing.F) {
	f.Add("TARGETTYPE=DRIVER\nC_DEFINES=$(C_DEFINES) -DA \\\n -D \"B=x\" # c\n!if $(386) && !defined(X)\nSOURCES=a.c \\\n# b\n b.c\n!else\n!include sources\n!endif\n")
	f.Add("TARGETTYPE=DRIVER\r\nA=$(A)$(A)x\r\nSOURCES=$(A)\r\n!undef A")
	f.Add("!if\n!else if\n!endif\n=\n$(=\\")
	f.Fuzz(func(t *testing.T, data string) {
		defer bounded(t, time.Now())
		write(t, "-- a.c --\n-- b.c --\n")
		put(t, "sources", data)
		tryPlace(t, load(t, LoadOptions{}, "sources"), "sources")
	})
}

func FuzzCMake(f *testing.F) {
	f.Add("project(p C)\nset(L a.c;b.c)\nadd_executable(drv ${L})\ntarget_compile_definitions(drv PRIVATE A \"B=${L}\" $<$<CONFIG:Release>:C;D>)\n" + linkDriver)
	f.Add("function(f n)\ncmake_parse_arguments(P \"X\" \"Y\" \"Z\" ${ARGN})\nwdk_add_driver(${n} KMDF 1.15 WINVER 0x0601 ${P_Z})\nendfunction()\nf(drv X Z a.c)\n")
	f.Add("macro(m)\nm()\nendmacro()\nm()\nwhile(TRUE)\nlist(APPEND x ${x} y)\nendwhile()\nforeach(i RANGE 1000000000)\nendforeach()\ninclude(CMakeLists.txt)\nadd_subdirectory(.)\n")
	f.Add("if(NOT (A AND \"B\" MATCHES \"(.)[^]a]\") OR DEFINED ENV{X})\nelseif(1 VERSION_LESS 1.2)\nelse()\nendif()\n#[[ x ]]\nset(a [=[b]=] PARENT_SCOPE)\nfile(GLOB_RECURSE s *.c)\nstring(REGEX REPLACE \"(a)\" \"\\\\1\" b ${a})")
	f.Add("add_library(l OBJECT a.c)\nadd_custom_command(OUTPUT d.sys COMMAND link /driver /out:d.sys $<TARGET_OBJECTS:l>)\nset_target_properties(l PROPERTIES COMPILE_DEFINITIONS X)\nadd_definitions(-DY)\n")
	f.Fuzz(func(t *testing.T, data string) {
		defer bounded(t, time.Now())
		write(t, "-- a.c --\n-- b.c --\n-- sub/CMakeLists.txt --\nadd_definitions(-DSUB)\nadd_library(sub STATIC ../b.c)\n")
		put(t, "CMakeLists.txt", data)
		s, again := load(t, LoadOptions{}, "CMakeLists.txt"), load(t, LoadOptions{}, "CMakeLists.txt")
		same(t, s, again)
		tryPlace(t, s, "CMakeLists.txt")
	})
}

// same fails where two readings of the same files differ.
func same(t *testing.T, a, b *Set) {
	text := func(s *Set) string {
		out := fmt.Sprintf("%q %q %q", s.Skipped, s.Unreadable, s.configurations)
		for _, b := range s.Builds {
			out += fmt.Sprintf("\n%q %q %q %s", b.ID, b.Links, b.Notes, b.signature(nil))
		}
		return out
	}
	equal(t, "read again", text(b), text(a))
}

func FuzzCommands(f *testing.F) {
	f.Add(`[{"directory":"/b","file":"/s/a.c","command":"cc -D_KERNEL_MODE -DA='x y' \\"-DB\\" -c a.c"}]`)
	f.Add(`[{"directory":"C:\\b","file":"C:\\s\\b.c","command":"C:\\k\\cl.exe /kernel /DA=\\\"x\\\" @x.rsp b.c","output":"CMakeFiles/d.dir/b.obj"},{"file":5},{}]`)
	f.Add("\xef\xbb\xbf[{\"arguments\":[\"clang-cl\",\"-kernel\",\"--\",\"a.c\"],\"file\":\"a.c\"},")
	f.Add(`{"a":[[[[`)
	f.Fuzz(func(t *testing.T, data string) {
		defer bounded(t, time.Now())
		write(t, "-- a.c --\n-- s/b.c --\n-- x.rsp --\n/DR @x.rsp\n")
		put(t, "compile_commands.json", data)
		s, again := load(t, LoadOptions{}, "compile_commands.json"), load(t, LoadOptions{}, ".")
		same(t, s, load(t, LoadOptions{}, "compile_commands.json"))
		if len(again.Builds) > len(s.Builds) {
			t.Errorf("%d builds where nothing is named, %d where the file is", len(again.Builds), len(s.Builds))
		}
		for _, b := range s.Builds {
			if edits, err := Place(newTree(t, "."), []Want{{b, optIn, "1"}}, nil); len(edits) > 0 {
				t.Errorf("%s was edited: %v %v", b.ID, edits, err)
			}
		}
	})
}

func FuzzCondition(f *testing.F) {
	for _, s := range []string{"'$(A)|$(B)'=='x|y'", "!exists('a') and (1 < 0x2 or true)", "'$([X]::Y('a'))' != ''", `"a" == "b" && defined(X) || !1`} {
		f.Add(s)
	}
	expand := func(s string) text { return text{{text: s, unknown: strings.Contains(s, "$")}} }
	yesNo := func(s string) bool { return len(s)%2 == 0 }
	f.Fuzz(func(t *testing.T, s string) {
		defer bounded(t, time.Now())
		if v, why := evalCondition(s, expand, yesNo); (v == unknown) != (why != "") {
			t.Errorf("%q: %v with reason %q", s, v, why)
		}
		evalExpression(s, yesNo, yesNo)
	})
}
