package project

import (
	"encoding/binary"
	"fmt"
	"slices"
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
		edits, err := place(tr, []Want{{Build: b, Name: optIn, Value: "1"}}, nil)
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
	f.Add(inUTF16(projectText(two, body), binary.LittleEndian))
	f.Add(strings.Replace(projectText(two, body), "utf-8", "windows-1252", 1))
	f.Add("<Project><ItemGroup><ProjectConfiguration Include=\"a|x64\"/></ItemGroup></Project>")
	f.Add(projectText("D|x64", `<ItemGroup><X Include="*.c" M="1" /><ClCompile Include="@(X->'%(Filename)%(Extension)', ';')" Exclude="**\b?c;@(Y)">
<PreprocessorDefinitions>%(M);%(X. M);F=%(Filename)</PreprocessorDefinitions></ClCompile><ClCompile Remove="a*" /><ClCompile Update="@(ClCompile)" CompileAs="CompileAsCpp" />
<ProjectReference Include="p.vcxproj" /></ItemGroup><Import Project="*.props;$([MSBuild]::GetPathOfFileAbove('p.vcxproj'))" />`))
	f.Add(projectText("D|x64", "<PropertyGroup><P>$(Platform.Replace('x', \"y\").Split(`4`)[0].Substring(0, 1).PadLeft(5))$([System.String]::Format('{0}', $(P[0])))"+
		"$([MSBuild]::MakeRelative('a', 'b/../c'))$([System.IO.Path]::Combine(a, $(P)))$([MSBuild]::Add(1, 2))$(SolutionDir)</P></PropertyGroup>"+body))
	f.Add("")
	f.Fuzz(func(t *testing.T, data string) {
		defer bounded(t, time.Now())
		write(t, "-- a.c --\n-- b.c --\n")
		put(t, "p.vcxproj", data)
		s := load(t, LoadOptions{}, "p.vcxproj")
		if again := describe(load(t, LoadOptions{}, "p.vcxproj")); !slices.Equal(describe(s), again) {
			t.Error("two loads of the same differ")
		}
		for _, b := range s.Builds {
			placesHold(t, b, data)
		}
		tryPlace(t, s, "p.vcxproj")
	})
}

// placesHold checks that what is said to stand in a file lies in it.
func placesHold(t *testing.T, b *Build, data string) {
	for _, u := range b.Units {
		for _, d := range u.Options.Defines {
			if p := d.Place; p.Path == "p.vcxproj" && (p.Offset < 0 || p.Offset >= len(data) || p.Line < 1 || p.Column < 1) {
				t.Errorf("%s stands at %v %d of %d bytes", d.Name, p, p.Offset, len(data))
			}
		}
	}
}

func FuzzSolution(f *testing.F) {
	f.Add(solutionText([]string{`p.vcxproj`, `gone\x.vcxproj`}, "Debug|x64 0=Debug|x64, 1=Release|x64"), false)
	f.Add("<Solution><Configurations><Platform Name=\"x64\"/></Configurations><Project Path=\"p.vcxproj\"><Platform Solution=\"*|x64\" Project=\"x64\"/></Project></Solution>", true)
	f.Fuzz(func(t *testing.T, data string, isXML bool) {
		defer bounded(t, time.Now())
		write(t, "-- a.c --\n-- b.c --\n")
		put(t, "p.vcxproj", projectText("Debug|x64", compiled+`<ItemGroup><ProjectReference Include="p.vcxproj" /></ItemGroup>`))
		name := "s.sln"
		if isXML {
			name = "s.slnx"
		}
		put(t, name, data)
		load(t, LoadOptions{}, name)
		load(t, LoadOptions{}, "p.vcxproj")
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

func FuzzMake(f *testing.F) {
	f.Add("CC = x86_64-w64-mingw32-gcc\nCFLAGS += -DA $(if $(X),-DB)\ndrv.sys: $(patsubst %.c,%.o,$(wildcard *.c)) ; $(CC) -Wl,--subsystem,native -o $@ $^\n%.o: %.c\n\t$(CC) $(CFLAGS) -c $< -o $@\n")
	f.Add("define d\n$(1).o: $(1).c\n\tgcc -D_KERNEL_MODE -c $$<\nendef\n$(foreach n,a b,$(eval $(call d,$(n))))\nx.sys: a.o b.o\n\tld -o $@ $^\nx.sys: CFLAGS := -DX\n")
	f.Add("ifeq ($(shell x),a)\nelse ifdef A\nelse\nendif\ninclude makefile *.mk\nA = $(A)\nB := $(A:%.c=%.o) $(sort b a) $(word 2,a b) $(call A,$(B))\nall:: ; $(MAKE) -C b -f ../makefile V=1\n")
	f.Add("!IF defined(A) && \"$(B:x=y)\"==\"\"\nCFLAGS=$(CFLAGS) /DA^#\n!ENDIF\ndrv.sys: a.obj {src}b.obj\n  link /DRIVER @<<x.rsp\n  $** /out:$@\n<<KEEP\n.c.obj::\n  $(CC) $(CFLAGS) /c $<\n{src}.c{out}.obj:\n cl /c $(@B)\n")
	f.Add(bom + "a.sys:a.c\r\n\tcl //D\"A=1\" a.c //link //driver \\\r\n  //out:$@")
	f.Fuzz(func(t *testing.T, data string) {
		defer bounded(t, time.Now())
		write(t, "-- a.c --\n-- b.c --\n-- b/x.c --\n")
		put(t, "makefile", data)
		s := load(t, LoadOptions{}, "makefile")
		if again := load(t, LoadOptions{}, "makefile"); outline(again) != outline(s) {
			t.Errorf("%s\nthen\n%s", outline(s), outline(again))
		}
		tryPlace(t, s, "makefile")
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
			if edits, err := place(newTree(t, "."), []Want{{Build: b, Name: optIn, Value: "1"}}, nil); len(edits) > 0 {
				t.Errorf("%s was edited: %v %v", b.ID, edits, err)
			}
		}
	})
}

func FuzzCondition(f *testing.F) {
	for _, s := range []string{"'$(A)|$(B)'=='x|y'", "!exists('a') and (1 < 0x2 or true)", "'$([X]::Y('a'))' != ''", `"a" == "b" && defined(X) || !1`} {
		f.Add(s)
	}
	e := evaluationOf(f, map[string]string{"A": "x", "B": "y"})
	yesNo := func(s string) bool { return len(s)%2 == 0 }
	f.Fuzz(func(t *testing.T, s string) {
		defer bounded(t, time.Now())
		e.budget = maxWork // of one condition
		if v, why := e.parseCondition(s).eval(e, scope{}); (v == unknown) != (why != "") {
			t.Errorf("%q: %v with reason %q", s, v, why)
		}
		evalExpression(s, yesNo, yesNo)
	})
}
