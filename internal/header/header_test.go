package header

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const ddk = "/usr/share/mingw-w64/include/ddk"

// strict is what the header must survive; the kit's own headers are system headers and do not count.
var strict = []string{"-Wall", "-Wextra", "-Wpedantic", "-Wundef", "-Wshadow", "-Wredundant-decls", "-Wmissing-declarations", "-Wno-long-long", "-Werror"}

func TestText(t *testing.T) {
	if !strings.HasPrefix(Text(), "/* SPDX-License-Identifier: 0BSD */\n") {
		t.Error("the first line does not name the licence")
	}
	for i, line := range strings.Split(Text(), "\n") {
		if len(line) > 120 || strings.ContainsAny(line, "\r\t") || strings.HasSuffix(line, " ") {
			t.Errorf("nxpool.h:%d: longer than 120, or has a tab, a carriage return or a space at its end", i+1)
		}
		for _, r := range line {
			if r > 126 {
				t.Errorf("nxpool.h:%d: not ASCII: %q", i+1, r)
			}
		}
	}
}

// TestMeaning runs a driver of two files against a kernel that prints what it is asked for. The requests stand in
// testdata/requests.c; a name below stands for the values that its eight requests get.
func TestMeaning(t *testing.T) {
	needCompilers(t)
	const (
		executable = " 0 4 1 0 2 0 10 10"
		noExecute  = " 200 204 1 0 2 200 40000010 40000010"
	)
	both := func(s string) string { return s + " |" + s }
	for _, c := range []struct {
		name         string
		entry, other string // defines of the file with DriverEntry, and of the other
		v61, v62     string // wanted on 6.1 and below or where the version is not known; on 6.2 and above
	}{
		{"none", "-DCALL=1", "", both(executable), both(executable)},
		{"optin", "-DPOOL_NX_OPTIN=1 -DCALL=DrvRtPoolNxOptIn", "-DPOOL_NX_OPTIN=1", both(executable), both(noExecute)},
		{"optin without call", "-DPOOL_NX_OPTIN=1", "-DPOOL_NX_OPTIN=1", both(executable), both(executable)},
		{"optin, call with another flag", "-DPOOL_NX_OPTIN=1 -DCALL=2", "-DPOOL_NX_OPTIN=1", both(executable), both(executable)},
		{"optin, call with several flags", "-DPOOL_NX_OPTIN=1 -DCALL=3", "-DPOOL_NX_OPTIN=1", both(executable), both(noExecute)},
		{"optin, other opted out", "-DPOOL_NX_OPTIN=1 -DCALL=1", "-DPOOL_NX_OPTIN=1 -DPOOL_NX_OPTOUT=1",
			both(executable), noExecute + " |" + executable},
		{"optin, opt-out of zero opts out of nothing", "-DPOOL_NX_OPTIN=1 -DCALL=1", "-DPOOL_NX_OPTIN=1 -DPOOL_NX_OPTOUT=0",
			both(executable), both(noExecute)},
		{"optin, entry opted out: its call does nothing", "-DPOOL_NX_OPTIN=1 -DPOOL_NX_OPTOUT=1 -DCALL=1", "-DPOOL_NX_OPTIN=1",
			both(executable), both(executable)},
		{"optin, only other has the define", "-DCALL=1", "-DPOOL_NX_OPTIN=1", both(executable), both(executable)},
		{"auto", "-DPOOL_NX_OPTIN_AUTO=1 -DCALL=1", "-DPOOL_NX_OPTIN_AUTO=1", both(noExecute), both(noExecute)},
		{"auto, other opted out", "-DPOOL_NX_OPTIN_AUTO", "-DPOOL_NX_OPTIN_AUTO -DPOOL_NX_OPTOUT=1",
			noExecute + " |" + executable, noExecute + " |" + executable},
		{"both values of 0", "-DPOOL_NX_OPTIN=0 -DPOOL_NX_OPTIN_AUTO=0 -DCALL=1", "", both(executable), both(executable)},
		{"optin, auto of 0", "-DPOOL_NX_OPTIN=1 -DPOOL_NX_OPTIN_AUTO=0 -DCALL=1", "-DPOOL_NX_OPTIN=1", both(executable), both(noExecute)},
		{"optin, names that mean what an old kit has", "-DPOOL_NX_OPTIN=1 -DCALL=1 -DDOWNGRADED", "-DPOOL_NX_OPTIN=1 -DDOWNGRADED", both(executable), both(noExecute)},
		{"auto, names that mean what an old kit has", "-DPOOL_NX_OPTIN_AUTO=1 -DDOWNGRADED", "-DPOOL_NX_OPTIN_AUTO=1", both(noExecute), both(noExecute)},
		{"both, opted out", "-DPOOL_NX_OPTIN -DPOOL_NX_OPTIN_AUTO -DPOOL_NX_OPTOUT=1", "", both(executable), both(executable)},
	} {
		for _, language := range []string{"c", "c++"} {
			for _, kit := range []string{"-DKIT_MACRO", "-DKIT_INLINE", "-DKIT_OTHER", "-DKIT_OTHER -DKIT_INLINE"} {
				t.Run(c.name+"/"+language+kit, func(t *testing.T) {
					t.Parallel()
					run := buildNative(t, language, kit, c.entry, c.other)
					for version, want := range map[string]string{
						"0 0": c.v61, "5 1": c.v61, "6 1": c.v61, "6 2": c.v62, "6 3": c.v62, "10 0": c.v62,
					} {
						if got := strings.TrimRight(output(t, run, strings.Fields(version)...), "\n"); got != want {
							t.Errorf("on Windows %s\n got%s\nwant%s", version, got, want)
						}
					}
				})
			}
		}
	}
}

// TestLanguages compiles a file that makes all requests by each standard of C and C++, for each processor, as gcc, clang and
// Microsoft's compiler are called, with warnings as errors.
func TestLanguages(t *testing.T) {
	needCompilers(t)
	gnu := func(standards ...string) (args []string) {
		for _, s := range standards {
			language := "c"
			if strings.Contains(s, "++") {
				language = "c++"
			}
			args = append(args, strings.Join(strict, " ")+" -x "+language+" -std="+s)
		}
		return args
	}
	ms := func(standards ...string) (args []string) {
		for _, s := range standards {
			args = append(args, "--driver-mode=cl /W4 /WX "+s)
		}
		return args
	}
	standards := gnu("c89", "c99", "c11", "c17", "c2x", "gnu17", "c++98", "c++11", "c++14", "c++17", "c++20")
	for _, tt := range []struct {
		compiler string
		targets  []string
		styles   []string
	}{
		{"x86_64-w64-mingw32-gcc", []string{"-DGNU"}, standards},
		{"clang-19", []string{"--target=x86_64-pc-windows-gnu -fms-extensions", "--target=i686-pc-windows-gnu -fms-extensions",
			"--target=aarch64-pc-windows-gnu -fms-extensions"}, standards},
		{"clang-19", []string{"--target=x86_64-pc-windows-msvc", "--target=i686-pc-windows-msvc", "--target=aarch64-pc-windows-msvc"},
			ms("/TC", "/TC /std:c11", "/TC /std:c17 /permissive-", "/TP", "/TP /std:c++14", "/TP /std:c++17 /permissive-", "/TP /std:c++20", "/TC /Gz", "/TP /Gz /EHs-c- /GR-")},
	} {
		for _, target := range tt.targets {
			t.Run(tt.compiler+" "+target, func(t *testing.T) {
				t.Parallel()
				for i, style := range tt.styles {
					other := []string{"-DPOOL_NX_OPTIN_AUTO", "-DPOOL_NX_OPTIN=1 -DPOOL_NX_OPTOUT=1", "-DNONE"}[i%3]
					for j, define := range []string{"-DPOOL_NX_OPTIN=1", other} {
						kit := []string{"-DKIT_MACRO", "-DKIT_INLINE", "-DKIT_OTHER"}[(i+j)%3]
						args := strings.Fields(style + " " + target + " " + define + " " + kit + " -DCALL=DrvRtPoolNxOptIn -DROUTINE=DriverEntry -Itestdata -I.")
						check := "-fsyntax-only"
						if strings.Contains(style, "driver-mode") {
							check = "/Zs"
						}
						output(t, tt.compiler, append(args, check, "testdata/requests.c")...)
					}
				}
			})
		}
	}
}

// TestForced holds what a build gets that forces both headers, and what a file still decides: before a forced include nothing, by
// the command line everything.
func TestForced(t *testing.T) {
	needCompilers(t)
	dir := t.TempDir()
	plain := write(t, dir, "plain.c", "int Type = NonPagedPool;\n")
	late := write(t, dir, "late.c", "#define POOL_NX_OPTOUT 1\nint Type = NonPagedPool;\n")
	const variable, executable = "int Type = ExDefaultNonPagedPoolType;", "int Type = NonPagedPool;"
	for _, tt := range []struct{ src, define, want string }{
		{plain, "-DPOOL_NX_OPTIN=1", variable},
		{plain, "-DPOOL_NX_OPTIN=1 -DPOOL_NX_OPTOUT=1", executable},
		{late, "-DPOOL_NX_OPTIN=1", variable}, // it comes too late
	} {
		for _, style := range []string{"-E -P -include testdata/kit.h -include nxpool.h", "--driver-mode=cl /EP /FItestdata/kit.h /FInxpool.h"} {
			args := append(strings.Fields("--target=x86_64-pc-windows-msvc "+style), append(strings.Fields(tt.define), tt.src)...)
			if out := output(t, "clang-19", args...); !strings.HasSuffix(strings.TrimSpace(out), tt.want) {
				t.Errorf("%s %s %s: want at the end %q, got %q", style, tt.define, filepath.Base(tt.src), tt.want, out[max(0, len(out)-60):])
			}
		}
	}
}

// TestPrecompiled holds that a file cannot opt out of what a precompiled header has decided: to Microsoft's compiler nothing in
// front of its include is there.
func TestPrecompiled(t *testing.T) {
	needCompilers(t)
	dir := t.TempDir()
	write(t, dir, "pch.h", "#include \"kit.h\"\n#include \"nxpool.h\"\n")
	pch := filepath.Join(dir, "pch.pch")
	cl := strings.Fields("--driver-mode=cl --target=x86_64-pc-windows-msvc /c /Itestdata /I. /DPOOL_NX_OPTIN=1 /Fp" + pch)
	output(t, "clang-19", append(cl, "/Ycpch.h", "/Fo"+filepath.Join(dir, "pch.obj"), write(t, dir, "pch.c", "#include \"pch.h\"\n"))...)
	object := filepath.Join(dir, "out.obj")
	output(t, "clang-19", append(cl, "/Yupch.h", "/Fo"+object, write(t, dir, "out.c", "#define POOL_NX_OPTOUT 1\n#include \"pch.h\"\nint f(void) { return NonPagedPool; }\n"))...)
	if symbols := symbolsOf(t, object); !slices.Contains(symbols, "ExDefaultNonPagedPoolType") {
		t.Errorf("the file does not use the variable: %v", symbols)
	}
}

// TestConstant holds that OPTIN_AUTO keeps the names constant, and that ARM needs no more than either define.
func TestConstant(t *testing.T) {
	needCompilers(t)
	dir := t.TempDir()
	src := write(t, dir, "c.c", `#include "kit.h"
#include "nxpool.h"
int a[NonPagedPool == 512 && NonPagedPoolCacheAligned == 516 && NonPagedPoolSessionNx == 544 ? 1 : -1];
int f(int t) { switch (t) { case NonPagedPool: return 1; } return 0; }
`)
	for target, defines := range map[string][]string{
		"x86_64-pc-windows-msvc":  {"-DPOOL_NX_OPTIN_AUTO=1"},
		"i686-pc-windows-msvc":    {"-DPOOL_NX_OPTIN_AUTO=1"},
		"aarch64-pc-windows-msvc": {"-DPOOL_NX_OPTIN=1", "-DPOOL_NX_OPTIN_AUTO=1", "-DPOOL_NX_OPTIN_AUTO=0", "-DPOOL_NX_UNUSED"},
		"thumbv7-pc-windows-msvc": {"-DPOOL_NX_OPTIN=1"},
	} {
		for _, define := range defines {
			output(t, "clang-19", append(strict, "--target="+target, "-Wno-language-extension-token", "-fsyntax-only", "-Itestdata", "-I.", define, src)...)
		}
		mustFail(t, "", "clang-19", "--target="+target, "-fsyntax-only", "-Itestdata", "-I.", "-DPOOL_NX_OPTIN=1", "-D_NTOS_", src)
	}
}

func TestErrors(t *testing.T) {
	needCompilers(t)
	src := "testdata/requests.c"
	mustFail(t, "exclude each other", "clang-19", "-fsyntax-only", "-I.", "-DROUTINE=f",
		"-DPOOL_NX_OPTIN", "-DPOOL_NX_OPTIN_AUTO", src)
	mustFail(t, "must be included after", "clang-19", "-fsyntax-only", "-include", "nxpool.h", "-DROUTINE=f", src)
}

// TestKitThatKnows holds that after such a kit not one token of the file changes.
func TestKitThatKnows(t *testing.T) {
	needCompilers(t)
	dir := t.TempDir()
	body := "int a = NonPagedPool; void f(void) { ExInitializeNPagedLookasideList(0, 0, 0, 0, 1, 0, 0); }\n"
	with := write(t, dir, "with.c", "#include \"kit.h\"\n#include \"nxpool.h\"\n"+body)
	without := write(t, dir, "without.c", "#include \"kit.h\"\n"+body)
	optIns := []string{"-DPOOL_NX_OPTIN=1", "-DPOOL_NX_OPTIN_AUTO=1", "-DPOOL_NX_OPTIN=1 -DPOOL_NX_OPTIN_AUTO=1"}
	others := []string{"-DNONE", "-DPOOL_NX_OPTIN=0", "-DPOOL_NX_OPTIN=1 -DPOOL_NX_OPTOUT=1"}
	for target, list := range map[string][]string{
		"x86_64-pc-windows-msvc -D_AMD64_": slices.Concat(optIns, others),
		"aarch64-pc-windows-msvc":          slices.Concat(optIns, others),
		"x86_64-pc-windows-gnu -D_AMD64_":  optIns, // a mingw-w64 that has learned it: told by what it redefines
	} {
		for _, defines := range list {
			for _, language := range []string{"c", "c++"} {
				args := strings.Fields("-E -P -Itestdata -I. -DKIT_KNOWS_NX -x " + language + " " + defines + " --target=" + target)
				if a, b := output(t, "clang-19", append(args, with)...), output(t, "clang-19", append(args, without)...); a != b {
					t.Errorf("%s %s: with nxpool.h:\n%s\nwithout:\n%s", target, defines, a, b)
				}
			}
		}
	}
}

// TestMingw compiles against the headers of mingw-w64, and counts the variables of an image of two files.
func TestMingw(t *testing.T) {
	needCompilers(t)
	const driver = `
static NPAGED_LOOKASIDE_LIST list;
PVOID ROUTINE(PMDL mdl);
PVOID ROUTINE(PMDL mdl)
{
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    ExInitializeNPagedLookasideList(&list, NULL, NULL, 0, 1, 0, 0);
    ExFreePool(ExAllocatePoolWithTag(NonPagedPool, 1, 0));
    return MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
}
`
	dir := t.TempDir()
	for _, kit := range []string{"wdm.h", "ntddk.h", "ntifs.h"} {
		src := write(t, dir, strings.TrimSuffix(kit, ".h")+".c", "#include <"+kit+">\n#include \"nxpool.h\"\n"+driver)
		for _, define := range []string{"-DNONE", "-DPOOL_NX_OPTIN=1", "-DPOOL_NX_OPTIN_AUTO=1"} {
			args := append(strict, "-O1", "-c", "-I.", "-isystem", ddk, define)
			gcc := append(args, "-DROUTINE="+strings.TrimSuffix(kit, ".h"), "-o", src+".o", src)
			output(t, "x86_64-w64-mingw32-gcc", gcc...)
			clang := []string{"--target=x86_64-pc-windows-gnu", "-fms-extensions", "-isystem", "/usr/x86_64-w64-mingw32/include",
				"-Wno-pragma-pack", "-Wno-#warnings", "-o", os.DevNull}
			output(t, "clang-19", append(append(args, clang...), "-DROUTINE=f", src)...)
		}
		output(t, "x86_64-w64-mingw32-gcc", append(strict, "-c", "-I.", "-isystem", ddk, "-DPOOL_NX_OPTIN=1",
			"-DROUTINE="+strings.TrimSuffix(kit, ".h"), "-o", src+".o", src)...)
	}
	sys := filepath.Join(dir, "d.sys")
	output(t, "x86_64-w64-mingw32-gcc", "-shared", "-nostdlib", "-Wl,--entry,wdm", "-o", sys,
		filepath.Join(dir, "wdm.c.o"), filepath.Join(dir, "ntddk.c.o"), filepath.Join(dir, "ntifs.c.o"), "-lntoskrnl")
	symbols := output(t, "x86_64-w64-mingw32-nm", sys)
	for _, name := range []string{" ExDefaultNonPagedPoolType\n", " ExDefaultMdlProtection\n"} {
		if n := strings.Count(symbols, name); n != 1 {
			t.Errorf("the image has %d of%s", n, name)
		}
	}
}

// buildNative builds the driver of two files for this machine and returns the program.
func buildNative(t *testing.T, language, kit, entry, other string) string {
	t.Helper()
	dir := t.TempDir()
	object := func(name, language, src string, defines ...string) string {
		o := filepath.Join(dir, name+".o")
		args := append(strict, "-x", language, "-c", "-Itestdata", "-I.", "-o", o)
		output(t, "clang-19", append(append(append(args, strings.Fields(kit)...), defines...), src)...)
		return o
	}
	program := filepath.Join(dir, "driver")
	output(t, "clang-19", "-o", program,
		object("entry", language, "testdata/requests.c", append(strings.Fields(entry), "-DROUTINE=DriverEntry")...),
		object("other", language, "testdata/requests.c", append(strings.Fields(other), "-DROUTINE=Other")...),
		object("record", "c", "testdata/record.c", "-Wno-unused-value"))
	return program
}

func needCompilers(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs clang-19 and gcc for mingw-w64")
	}
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func mustFail(t *testing.T, message, name string, args ...string) {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), message) {
		t.Errorf("%s %s: want a failure with %q, got %v\n%s", name, strings.Join(args, " "), message, err, out)
	}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}
