package project

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// unitText gives what a unit is compiled with, but for what the toolset adds.
func unitText(u *Unit) string {
	s := u.Path + " " + string(u.Options.Language) + " " + own(u)
	for _, name := range u.Options.Undefines {
		s += " -" + name
	}
	return s + " in " + strings.Join(u.Options.Includes, ",")
}

// databaseText gives a compile_commands.json with the entries.
func databaseText(t *testing.T, entries ...map[string]any) string {
	t.Helper()
	data, err := json.MarshalIndent(entries, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

const commandFiles = "-- src/a.c --\n-- src/b.cpp --\n-- inc/a.h --\n-- src/all.rsp --\n-DR1 \"-DR2=x y\"\n@more.rsp\n-- src/more.rsp --\n-DR3\n"

func TestCommandForms(t *testing.T) {
	entry := func(dir, file, command string) map[string]any {
		return map[string]any{"directory": dir, "file": file, "command": command}
	}
	for _, c := range []struct {
		name  string
		entry map[string]any
		want  string
	}{
		{"arguments", map[string]any{"directory": "/x/drv/build", "file": "../src/a.c",
			"arguments": []string{"gcc", "-D_KERNEL_MODE", "-DA=x y", "-I", "../inc", "-U", "B", "-c", "../src/a.c"}},
			"src/a.c c _KERNEL_MODE=1 A=x y -B in inc"},
		{"shell", entry("/x/drv", "/x/drv/src/a.c", `x86_64-w64-mingw32-gcc -D_KERNEL_MODE '-DA="q"' -DB=\"q\" "-DC=\"x y\"" -DD=a\ b -Iinc -o a.o -c /x/drv/src/a.c`),
			`src/a.c c _KERNEL_MODE=1 A="q" B="q" C="x y" D=a b in inc`},
		{"Windows", entry(`C:\x\drv`, `C:\x\drv\src\b.cpp`, `"C:\Program Files\VC\bin\Hostx64\x64\cl.exe" /nologo /kernel /TP /DA=\"q\" "/DB=c:\\d\e" /DC=c:\d\ /IC:\x\drv\inc /FoCMakeFiles\d.dir\b.obj /c C:\x\drv\src\b.cpp`),
			`src/b.cpp c++ A="q" B=c:\\d\e C=c:\d\ in inc`},
		{"clang-cl on Linux", entry("/Users/x/drv", "src/a.c", `/usr/bin/clang-cl-19 /kernel /DA /I/x/drv/inc -c -- /Users/x/drv/src/a.c`),
			`src/a.c c A=1 in`},
		{"launcher", entry("/x/drv", "src/a.c", `ccache clang -D_KERNEL_MODE -x c++ -c src/a.c`), "src/a.c c++ _KERNEL_MODE=1 in"},
		{"launcher of cl", entry("/x/drv", "src/a.c", `sccache cl.exe /kernel /MT /DA /c src/a.c`), "src/a.c c A=1 in"},
		{"response file", entry("/x/drv/src", "a.c", `gcc -D_KERNEL_MODE @all.rsp -DLAST a.c`), "src/a.c c _KERNEL_MODE=1 R1=1 R2=x y R3=1 LAST=1 in"},
		{"kit's directory", entry("/x/drv/src", "a.c", `gcc -I /nowhere/include/ddk -DA a.c`), "src/a.c c A=1 in"},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, commandFiles)
			put(t, "compile_commands.json", databaseText(t, c.entry))
			b := find(t, load(t, LoadOptions{}), "compile_commands.json|default|x64")
			equal(t, "unit", strings.TrimRight(unitText(b.Units[0]), " "), c.want)
			equal(t, "notes", notes(b), "")
		})
	}
}

func TestSplitWindows(t *testing.T) { // the examples of CommandLineToArgvW
	for s, want := range map[string]string{
		`"abc" d e`: `abc|d|e`, `a\\b d"e f"g h`: `a\\b|de fg|h`, `a\\\"b c d`: `a\"b|c|d`, `a\\\\"b c" d e`: `a\\b c|d|e`,
		`a"b"" c d`: `ab" c d`, `"" x`: `|x`, "  ": "",
	} {
		equal(t, s, strings.Join(splitWindows(s), "|"), want)
	}
}

func TestSplitShell(t *testing.T) { // POSIX, 2.2 Quoting
	for s, want := range map[string]string{
		`a 'b c' "d e"`: "a|b c|d e", `a\ b '\' "\x\"\$"`: `a b|\|\x"$`, `'it'\''s'`: "it's", `"" x`: "|x", "a\\\nb": "ab",
	} {
		equal(t, s, strings.Join(splitShell(s), "|"), want)
	}
}

func TestCommandBuilds(t *testing.T) {
	gcc := func(compiler, options, file, target string) map[string]any {
		return map[string]any{"directory": "/x/b", "file": "/x/" + file, "command": compiler + " " + options + " -c /x/" + file,
			"output": "CMakeFiles/" + target + ".dir/" + file + ".o"}
	}
	const x64, x86 = "x86_64-w64-mingw32-gcc", "i686-w64-mingw32-gcc"
	write(t, "-- a.c --\nNTSTATUS DriverEntry(void);\n-- u.c --\n-- app.c --\n-- plain.c --\n")
	put(t, "build/compile_commands.json", databaseText(t,
		gcc(x64, "-D_KERNEL_MODE -DONE", "a.c", "drv"), gcc(x64, "-D_KERNEL_MODE -DTWO", "a.c", "drv"), gcc(x86, "-D_KERNEL_MODE", "a.c", "drv"),
		gcc(x64, "-D_KERNEL_MODE", "u.c", "util"), gcc(x64, "", "plain.c", "drv"), gcc(x64, "", "app.c", "app"), gcc(x64, "", "u.c", "app"), gcc(x64, "", "gone.c", "app")))
	s := load(t, LoadOptions{})
	const p = "build/compile_commands.json"
	equal(t, "builds", ids(s), p+"|default:drv|x64 "+p+"|default:drv|x86 "+p+"|default:util|x64")
	drv := find(t, s, p+"|default:drv|x64")
	equal(t, "two of a file, and one of the target", len(drv.Units), 3)
	equal(t, "libraries", drv.Library || !find(t, s, p+"|default:util|x64").Library, false)
	equal(t, "notes", notes(drv), p+":44:2: /x/gone.c is not there; it is left out")
	equal(t, "skipped", s.Skipped[0].Path+": "+strings.Join(s.Skipped[0].Shares, " "), p+": u.c")
	if why := s.Skipped[0].Why; !strings.HasPrefix(why, "user mode: no sign of kernel mode in 2 commands") {
		t.Error(why)
	}
}

// Without any sign of kernel mode, only a database that is named makes a build.
func TestCommandsWithoutSign(t *testing.T) {
	write(t, "-- a.c --\n")
	put(t, "compile_commands.json", databaseText(t, map[string]any{"directory": "/x", "file": "/x/a.c", "arguments": []string{"cc", "a.c"}}))
	equal(t, "walked", ids(load(t, LoadOptions{})), "")
	equal(t, "named", ids(load(t, LoadOptions{}, "compile_commands.json")), "compile_commands.json|default|x64")
}

// A database in the build directory of a CMakeLists.txt that is read says nothing new.
func TestCommandsBesideCMake(t *testing.T) {
	write(t, "-- CMakeLists.txt --\nproject(p C)\nadd_executable(drv a.c)\n"+linkDriver+"-- a.c --\n")
	put(t, "build/compile_commands.json", databaseText(t, map[string]any{"directory": "/x/build", "file": "/x/a.c", "arguments": []string{"cl", "/kernel", "a.c"}}))
	s := load(t, LoadOptions{})
	equal(t, "builds", ids(s), "CMakeLists.txt|default|x64")
	equal(t, "skipped", s.Skipped[0].Path+": "+s.Skipped[0].Why, "build/compile_commands.json: generated; builds of what it is generated from compile all its files")
}

// Files of another machine are found by the longest end of their path, and what lies beside one is found there only.
func TestCommandPaths(t *testing.T) {
	write(t, "-- drv/src/a.c --\n-- a.c --\n-- inc/x.h --\n-- drv/inc/x.h --\n-- b.c --\n")
	put(t, "compile_commands.json", databaseText(t,
		map[string]any{"directory": `D:\w\drv`, "file": `D:\w\drv\src\a.c`, "command": `cl /kernel /ID:\w\drv\inc /ID:\w\drv\none /ID:\kit\inc src\a.c`},
		map[string]any{"directory": `D:\w\drv`, "file": `D:\w\drv\src\b.c`, "command": `cl /kernel src\b.c`}))
	b := find(t, load(t, LoadOptions{}), "compile_commands.json|default|x64")
	equal(t, "units", unitText(b.Units[0])+" "+strings.TrimSpace(notes(b)), `drv/src/a.c c  in drv/inc compile_commands.json:7:2: D:\w\drv\src\b.c is not there; it is left out`)
	equal(t, "number", len(b.Units), 1)
}

// Files that lie elsewhere are no user-mode code, and a header that the build makes is left out.
func TestCommandsMissing(t *testing.T) {
	write(t, "-- a.c --\n")
	text := databaseText(t, map[string]any{"directory": "/x/b", "file": "/x/a.c", "arguments": []string{"cl", "/kernel", "/FI/x/b/pch.h", "/FIa.h", "a.c"}})
	put(t, "b/compile_commands.json", text)
	s := load(t, LoadOptions{})
	equal(t, "forced", strings.Join(s.Builds[0].Units[0].Options.Forced, " "), "a.h")
	equal(t, "notes", notes(s.Builds[0]), "b/compile_commands.json:2:2: /x/b/pch.h, which is included first, is not there; it is left out")
	const why = "no C or C++ file of its 1 commands is in the tree: name the directory that holds them"
	equal(t, "named", load(t, LoadOptions{}, "b/compile_commands.json").Unreadable[0].Why, why)
	equal(t, "walked", load(t, LoadOptions{}, "b").Skipped[0].Why, why)
}

func TestCommandsPlace(t *testing.T) {
	write(t, "-- a.c --\n-- d.c --\n")
	put(t, "compile_commands.json", databaseText(t, map[string]any{"directory": "/x", "file": "/x/a.c", "arguments": []string{"cc", "-D_KERNEL_MODE", "-DWINVER=0x0602", "a.c"}},
		map[string]any{"directory": "/x", "file": "/x/d.c", "arguments": []string{"cc", "-D_KERNEL_MODE", "-DWINVER=0x0602", "d.c"}}))
	s := load(t, LoadOptions{})
	equal(t, "equal options", s.Builds[0].Units[0].Options == s.Builds[0].Units[1].Options, true)
	equal(t, "minimum", s.Builds[0].MinimumSource+" "+s.Builds[0].Minimum.String(), "WINVER 6.2")
	edits, err := place(newTree(t, "."), wantAll(s, "default"), nil)
	if len(edits) > 0 || err == nil || !strings.Contains(err.Error(), "compile_commands.json: it is generated") || !strings.Contains(err.Error(), "POOL_NX_OPTIN=1") {
		t.Error(edits, err)
	}
}

func TestCommandsBadInput(t *testing.T) {
	const good = `{"directory":"/x","file":"/x/a.c","command":"cc -D_KERNEL_MODE a.c"}`
	for _, c := range []struct{ name, data, why, builds string }{
		{"no JSON", "cc a.c", "line 1: byte 0: invalid character 'c' looking for beginning of value", ""},
		{"an object", `{"a":1}`, "line 1: byte 1: no list of commands", ""},
		{"truncated", "[\n" + good + ",\n" + good[:30], "line 3: byte 102: the file ends within the list", "compile_commands.json|default|x64"},
		{"broken later", "[" + good + ",\n{x}]", "line 2: byte 72: invalid character 'x' looking for beginning of object key string", "compile_commands.json|default|x64"},
		{"without end", "[" + good, "line 1: byte 69: the file ends within the list", "compile_commands.json|default|x64"},
		{"deep", "[" + strings.Repeat("[", 20_000), "line 1: byte 10001: invalid character '[' exceeded max depth", ""},
		{"UTF-16", "\xff\xfe[\x00", "line 1: UTF-16 is not read: save the file as UTF-8", ""},
		{"binary", "[\x00", "line 1: binary, no text", ""},
		{"mark and odd entries", bom + "[5,{},{\"file\":7},{\"file\":\"a.c\"}," + good + "]", "", "compile_commands.json|default|x64"},
		{"empty", "", "line 1: byte 0: the file ends within the list", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer bounded(t, time.Now())
			write(t, "-- a.c --\n")
			put(t, "compile_commands.json", c.data)
			s := load(t, LoadOptions{})
			why := ""
			if len(s.Unreadable) > 0 {
				why = s.Unreadable[0].Why
			}
			equal(t, "why", why, c.why)
			equal(t, "builds", ids(s), c.builds)
			if len(s.Builds) > 0 {
				equal(t, "units", len(s.Builds[0].Units), 1)
			}
		})
	}
}
