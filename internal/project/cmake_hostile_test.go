package project

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// What a hostile or broken file holds is said with its place, takes little time, and the rest is read all the same.
func TestCMakeBadInput(t *testing.T) {
	const driver = "add_executable(drv a.c)\n" + linkDriver
	many := func(n int, s string) string { return strings.Repeat(s, n) }
	for _, c := range []struct{ name, file, want string }{
		{"calls itself", "function(f)\nf()\nendfunction()\nf()\n" + driver, "CMakeLists.txt:3:1: f is left out: calls are nested too deep, or it calls itself"},
		{"macros in turn", "macro(m)\nn()\nendmacro()\nmacro(n)\nm()\nendmacro()\nm()\n" + driver, "calls are nested too deep"},
		{"includes itself", "include(x.cmake)\n" + driver, "x.cmake:1:1: include is left out: calls are nested too deep"},
		{"adds itself", "add_subdirectory(.)\n" + driver, "CMakeLists.txt:2:1: the directory . is added twice"},
		{"loops for ever", "while(TRUE)\nendwhile()\n" + driver, "CMakeLists.txt:2:1: while: read 10000 times, and left then"},
		{"counts to a thousand million", "foreach(i RANGE 1000000000)\nendforeach()\n" + driver, "CMakeLists.txt:2:1: foreach: only the first 10000"},
		{"doubles a list", "set(x a)\nforeach(i RANGE 60)\nlist(APPEND x ${x})\nendforeach()\n" + driver, "too long; it is not known"},
		{"doubles a string", "set(x abcdefgh)\nforeach(i RANGE 60)\nset(x \"${x}${x}\")\nendforeach()\n" + driver, "is too long; it is not known"},
		{"deep ifs", many(1000, "if(1)\n") + many(1000, "endif()\n") + driver, ""},
		{"deep parentheses", "if(" + many(1000, "(") + "1" + many(1000, ")") + ")\nset(x y)\nadd_executable(z)\nendif()\n" + driver, "the condition of if is unknown (parentheses are nested too deep); it is read as false"},
		{"deep negations", "if(" + many(1000, "NOT ") + "1)\n" + driver + "endif()\n", ""},
		{"deep references", "set(x ${" + many(1000, "${") + many(1000, "}") + "})\n" + driver, ""},
		{"deep expressions", driver + "target_compile_definitions(drv PRIVATE " + many(1000, "$<1:") + "A" + many(1000, ">") + ")\n", "it is left out"},
		{"unclosed expression", driver + "target_compile_definitions(drv PRIVATE $<1:A)\n", `"$<1:A" defines no macro; it is left out`},
		{"unknown expression", driver + "target_compile_definitions(drv PRIVATE $<NEW_ONE:A>)\n", "CMakeLists.txt:4:42: the expression $<NEW_ONE:A> is not known; it is left out"},
		{"unknown command", "do_it(x)\n" + driver, "CMakeLists.txt:2:1: the command do_it is not known; it is left out"},
		{"unknown condition", "if(NOT $ENV{X} STREQUAL a)\nadd_definitions(-DX)\nendif()\n" + driver, "CMakeLists.txt:2:1: the condition of if is unknown ($ENV{X} is not known); it is read as false"},
		{"unknown source", "execute_process(COMMAND x OUTPUT_VARIABLE S)\n" + driver + "target_sources(drv PRIVATE ${S})\n", "CMakeLists.txt:5:28: ${S} is not there"},
		{"unclosed quote", driver + "set(x \"\n)\n", "CMakeLists.txt: it can't be read whole: line 4: the quote is not closed"},
		{"unclosed bracket", driver + "set(x [==[ ]=] )\n", "line 4: the bracket [[ is not closed"},
		{"unclosed comment", driver + "#[[\n", "line 4: the comment #[[ is not closed"},
		{"unclosed parenthesis", driver + "set(x (y)\n", "line 4: the ( of set is not closed"},
		{"no command", driver + "= x\n", "line 4: '=' where a command should begin"},
		{"unclosed if", driver + "if(1)\n", "line 4: if is not closed"},
		{"else without if", driver + "else()\n", "line 4: else without the command that it goes with"},
		{"crossed", driver + "if(1)\nforeach(x)\nendif()\nendforeach()\n", "line 6: endif goes with another command than the one before it"},
		{"long line", driver + "# " + many(1<<20, "x") + "\n", ""},
		{"CRLF and byte order mark", "", ""},
		{"two of a name", driver + "add_executable(drv b.c)\n", "CMakeLists.txt:4:1: there are two targets drv; the second one is left out"},
		{"libraries in a circle", driver + "add_library(k STATIC b.c)\nadd_library(l STATIC b.c)\ntarget_link_libraries(k l)\ntarget_link_libraries(l k)\ntarget_link_libraries(drv k)\n", ""},
		{"objects in a circle", driver + "add_library(k OBJECT $<TARGET_OBJECTS:k>)\ntarget_link_libraries(drv k)\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer bounded(t, time.Now())
			write(t, "-- a.c --\n-- b.c --\n-- x.cmake --\ninclude(x.cmake)\n")
			data := "project(p C)\n" + c.file
			if c.file == "" {
				data = bom + strings.ReplaceAll("project(p C)\n#[[\n]]\nset(x [[\na]])\n"+driver+"target_compile_definitions(drv PRIVATE \\\n\"A${x}\")\n", "\n", "\r\n")
				data = strings.Replace(data, "\\\r\n", "\r\n", 1)
			}
			put(t, "CMakeLists.txt", data)
			b := find(t, load(t, LoadOptions{}), "CMakeLists.txt|default|x64")
			if b.Units[0].Path != "a.c" {
				t.Errorf("units: %s", cmakeSummary(b))
			}
			if c.file == "" {
				equal(t, "defines", own(b.Units[0]), "Aa=1")
			}
			if got := notes(b); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
				t.Errorf("notes:\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

// What can't be read at all is unreadable.
func TestCMakeUnreadable(t *testing.T) {
	for _, c := range []struct{ name, file, why string }{
		{"UTF-16", "\xff\xfep\x00(\x00", "line 1: UTF-16 is not read: save the file as UTF-8"},
		{"binary", "(\x00", "line 1: binary, no text"},
		{"large", "(" + strings.Repeat("x", maxBuildFile), fmt.Sprintf("line 1: %d bytes, more than the %d that are read of a build file", maxBuildFile+1, maxBuildFile)},
		{"work", "project(p C)\nset(x a)\nwhile(1)\nwhile(1)\nendwhile()\nendwhile()\n", "CMakeLists.txt:4:1: the evaluation takes too much work"},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer bounded(t, time.Now())
			write(t, "-- a.c --\n")
			put(t, "CMakeLists.txt", c.file)
			s := load(t, LoadOptions{}, "CMakeLists.txt")
			if len(s.Unreadable) != 1 || s.Unreadable[0].Why != c.why || len(s.Builds) > 0 {
				t.Errorf("builds %s, unreadable %q", ids(s), s.Unreadable)
			}
		})
	}
}

// A glob sees no loop of links, and nothing outside of the tree.
func TestCMakeGlob(t *testing.T) {
	write(t, "-- tree/CMakeLists.txt --\nproject(p C)\nfile(GLOB_RECURSE S src/*.[cC])\nfile(GLOB O ../other/*.c)\nfile(GLOB_RECURSE N l*/n.c)\nadd_executable(drv ${S} ${O} ${N})\n"+linkDriver+
		"-- tree/src/b.c --\n-- tree/src/a/z.c --\n-- tree/src/a/y.C --\n-- tree/src/x.h --\n-- tree/q.c --\n-- tree/lib/x/n.c --\n-- tree/more/n.c --\n-- other/o.c --\n")
	if err := os.Symlink("..", "tree/src/loop"); err != nil {
		t.Fatal(err)
	}
	b := find(t, load(t, LoadOptions{}, "tree"), "tree/CMakeLists.txt|default|x64")
	equal(t, "units", cmakeSummary(b), "tree/lib/x/n.c; tree/src/a/y.C; tree/src/a/z.c; tree/src/b.c")
	if !strings.HasPrefix(notes(b), "tree/CMakeLists.txt:3:1: file(GLOB): ../other/*.c is outside of what was named") {
		t.Error(notes(b))
	}
}
