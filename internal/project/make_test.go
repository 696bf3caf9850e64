package project

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// outline gives the builds of a set, with the units and defines of each, and what was skipped.
func outline(s *Set) string {
	var list []string
	for _, b := range s.Builds {
		list = append(list, b.ID+": "+summary(b))
	}
	for _, x := range s.Skipped {
		list = append(list, "skipped "+x.Path+": "+x.Why)
	}
	for _, x := range s.Unreadable {
		list = append(list, "unreadable "+x.Path+": "+x.Why)
	}
	return strings.Join(list, "\n")
}

// gcc are lines that most cases begin with.
const gcc = "CC = x86_64-w64-mingw32-gcc\nLINK = $(CC) -shared -Wl,--subsystem,native -o $@ $^\n"

// What GNU make compiles for the images that it links. The expected values follow from the manual: which rule makes a
// file, and what its recipe is once expanded.
func TestMake(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"pattern rule", "CFLAGS = -DA=1\nOBJS = $(patsubst %.c,out/%.o,a.c b.c)\ndrv.sys: $(OBJS)\n\t$(LINK)\nout/%.o: %.c\n\t$(CC) $(CFLAGS) -c -o $@ $<\n",
			"Makefile|default|x64: a.c b.c: A=1"},
		{"static pattern rule", "O = a.o b.o\ndrv.sys: $(O)\n\t$(LINK)\n$(O): %.o: %.c a.h\n\t$(CC) -DA=$* -c $<\n", "Makefile|default|x64: a.c b.c: A=a"},
		{"suffix rule", "drv.sys: a.o\n\t$(LINK)\n.c.o:\n\t$(CC) -DS -c $<\n", "Makefile|default|x64: a.c: S=1"},
		{"explicit rules", "drv.sys: a.o b.o\n\t$(LINK)\na.o: a.c ; $(CC) -DA -c a.c\nb.o: b.c\n\t$(CC) -DA -DB -c b.c -o b.o\n", "Makefile|default|x64: a.c b.c: A=1"},
		{"make's own rule", "CFLAGS = -DC\nCPPFLAGS = -DP\ndrv.sys: a.o\n\t$(LINK)\n", "Makefile|default|x64: a.c: C=1 P=1"},
		{"make's own rule for C++", "CXXFLAGS = -DX\nCXX = $(CC)\ndrv.sys: x.o\n\t$(LINK)\n", "Makefile|default|x64: x.cpp: X=1"},
		{"a rule of its own before one for many", "drv.sys: a.o b.o\n\t$(LINK)\n%.o: %.c\n\t$(CC) -DMANY -c $<\na.o: a.c\n\t$(CC) -DOWN -c $<\n", "Makefile|default|x64: a.c b.c: OWN=1"},
		{"the shorter stem", "drv.sys: out/a.o\n\t$(LINK)\n%.o: %.c\n\t$(CC) -DLONG -c $<\nout/%.o: %.c\n\t$(CC) -DSHORT -c $<\n", "Makefile|default|x64: a.c: SHORT=1"},
		{"needs of a rule without a recipe", "drv.sys: a.o\n\t$(LINK)\na.o: b.h\n%.o: %.c\n\t$(CC) -DN=$(words $^) -c $<\n", "Makefile|default|x64: a.c: N=2"},
		{"setting of a target", "CFLAGS = -DALL\ndrv.sys: CFLAGS += -DDRV\ndrv.sys: a.o b.o\n\t$(LINK)\na.o: override CFLAGS := $(CFLAGS) -DA\n%.o: %.c\n\t$(CC) $(CFLAGS) -c $<\n",
			"Makefile|default|x64: a.c b.c: ALL=1 A=1"},
		{"setting of a goal above", "all: FLAGS = -DALL\nall: drv.sys\ndrv.sys: a.o\n\t$(LINK)\n%.o: %.c\n\t$(CC) $(FLAGS) -c $<\n", "Makefile|default|x64: a.c: ALL=1"},
		{"VPATH", "VPATH = none:sub\ndrv.sys: c.o\n\t$(LINK)\n%.o: %.c\n\t$(CC) -DF=$< -c $<\n", "Makefile|default|x64: sub/c.c: F=sub/c.c"},
		{"vpath", "vpath %.c sub\ndrv.sys: c.o\n\t$(LINK)\n", "Makefile|default|x64: sub/c.c"},
		{"wildcard", "drv.sys: $(patsubst %.c,%.o,$(wildcard *.c sub/*.c))\n\t$(LINK)\n", "Makefile|default|x64: a.c b.c sub/c.c"},
		{"a library of the same file", "drv.sys: a.o libx.a\n\t$(CC) -Wl,--subsystem,native -o $@ a.o -L. -lx\nlibx.a: b.o\n\tar rcs $@ $^\n", "Makefile|default|x64: a.c b.c"},
		{"objects joined first", "drv.sys: all.o\n\t$(LINK)\nall.o: a.o b.o\n\tld -r -o $@ $^\n", "Makefile|default|x64: a.c b.c"},
		{"a library alone", "lib.a: a.o\n\tar rcs $@ $^\nCFLAGS = -D_KERNEL_MODE\n", "Makefile|default|x64: a.c: _KERNEL_MODE=1"},
		{"compiled and linked at once", "drv.sys: a.c b.c\n\t$(CC) -DA -Wl,--subsystem,native -o $@ $^\n", "Makefile|default|x64: a.c b.c: A=1"},
		{"all in one recipe", "all:\n\t$(CC) -DA -c a.c\n\t$(CC) -DB -c b.c -o out/b.o\n\tld --subsystem native -o drv.sys a.o out/b.o\n", "Makefile|default|x64: a.c b.c: A=1"},
		{"in another directory", "drv.sys: a.o\n\t$(LINK)\na.o:\n\tcd sub && $(CC) -DA -I. -c c.c\n", "Makefile|default|x64: sub/c.c: A=1"},
		{"quotes", "drv.sys: a.o\n\t$(LINK)\na.o: a.c\n\t@ccache $(CC) '-DA=x y' -DB=\\\"s\\\" \"-DC='c'\" -c $< && strip -DX a.o; echo -DZ\n", `Makefile|default|x64: a.c: A=x y B="s" C='c'`},
		{"two images", "all: one.sys two.sys\none.sys: a.o\n\t$(LINK)\ntwo.sys: b.o\n\t$(LINK)\n", "Makefile|default:one|x64: a.c\nMakefile|default:two|x64: b.c"},
		{"two images of a name", "all: r/drv.sys d/drv.sys\nr/drv.sys: a.o\n\t$(LINK)\nd/drv.sys: b.o\n\t$(LINK)\n", "Makefile|default:r/drv|x64: a.c\nMakefile|default:d/drv|x64: b.c"},
		{"one image for two processors", "all: i686/drv.sys x86_64/drv.sys\n%/drv.sys: %/a.o\n\t$*-w64-mingw32-ld --subsystem native -o $@ $^\n%/a.o: a.c\n\t$*-w64-mingw32-gcc -c $<\n",
			"Makefile|default|x86: a.c\nMakefile|default|x64: a.c"},
		{"32 bits by the name", "CC = i686-w64-mingw32-gcc-12\ndrv.sys: a.o\n\t$(LINK)\n", "Makefile|default|x86: a.c"},
		{"32 bits by an option", "drv.sys: a.o\n\t$(LINK) -m32\n", "Makefile|default|x86: a.c"},
		{"the linker's options apart", "x.bin: a.o\n\tgcc -Wl,--subsystem -Wl,native -o $@ $^\n", "Makefile|default|x64: a.c"},
		{"a compiler that is not known", "CC := $(shell which gcc)\nD := $(shell x)\nx.bin: a.o b.o\n\t$(LINK)\nb.o: b.c\n\t$(D) -DB -c $<\na.o: a.c\n\t$(D)clang -DA -c $<\n", "Makefile|default|x64: a.c b.c: A=1"},
		{"ARM64 by the target", "CC = clang --target=aarch64-w64-mingw32\ndrv.sys: a.o\n\t$(LINK)\n", "Makefile|default|arm64: a.c"},
		{"an entry", "x.bin: a.o\n\tgcc -Wl,-e,_DriverEntry@8 -o $@ $^\n", "Makefile|default|x64: a.c"},
		{"an entry for x86, where nothing else says it", "drv.sys: a.c\n\tgcc -Wl,--subsystem,native -Wl,-e,_DriverEntry@8 -o $@ a.c\n", "Makefile|default|x86: a.c"},
		{"MSYS", "D = //\nCFLAGS = //DA=1 //D B $(D)DC\ndrv.sys: a.obj\n\t\"C:/x y/link.exe\" //driver //out:$@ $^\na.obj: a.c\n\tC:/x\\ y/cl.exe $(CFLAGS) //c //Fo$@ $<\n", "Makefile|default|x64: a.c: A=1 B=1 C=1"},
		{"itself again", "ifeq ($(V),)\nall:\n\t+@$(MAKE) -C sub -f $(CURDIR)/Makefile V=1 S=$(CURDIR)\nelse\nVPATH = $(S)\ndrv.sys: a.o c.o\n\t$(LINK)\nendif\n", "Makefile|default|x64: a.c sub/c.c"},
		{"shell commands that are known", "HERE := $(shell mkdir -p sub 2>/dev/null; cd sub && pwd -W)\nifeq ($(findstring MINGW,$(shell uname -s)),MINGW)\ndrv.sys: $(HERE)/c.o\n\t$(LINK)\nendif\n", "Makefile|default|x64: sub/c.c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, newline := range []string{"\n", "\r\n"} {
				write(t, "-- a.c --\n-- b.c --\n-- b.h --\n-- a.h --\n-- x.cpp --\n-- sub/c.c --\n")
				put(t, "Makefile", strings.ReplaceAll(gcc+c.file, "\n", newline))
				equal(t, "outline", outline(load(t, LoadOptions{})), c.want)
			}
		})
	}
}

// What nmake compiles. The expected values follow from the NMAKE reference.
func TestNmake(t *testing.T) {
	const link = "drv.sys: a.obj b.obj\n\tlink /driver /out:$@ $**\n"
	for _, c := range []struct{ name, file, want string }{
		{"its own rule", "!if 1\nCFLAGS=/DA\n!endif\n" + link, "drv.mak|default|x64: a.c b.c: A=1"},
		{"inference rule", link + ".c.obj:\n    $(CC) /DR /c $<\n", "drv.mak|default|x64: a.c b.c: R=1"},
		{"batch rule with directories", "drv.sys: out\\c.obj\n link /subsystem:native,6.01 /out:drv.sys out\\c.obj\n{sub}.c{out}.obj::\n cl /DB /c /Foout\\ $<\n", "drv.mak|default|x64: sub/c.c: B=1"},
		{"files for arguments", "drv.sys: a.obj b.obj\n\tlink @<<drv.rsp\n/driver /out:$@\n$**\n<<KEEP\na.obj: a.c\n\tcl @<<\n/DA=$(X) /c a.c\n<<\nX=1\n", "drv.mak|default|x64: a.c b.c: A=1"},
		{"response file of the tree", "drv.sys: a.obj\n\tlink /driver @link.rsp /out:$@\na.obj: a.c\n\tcl @flags.rsp /c a.c\n", "drv.mak|default|x64: a.c: FLAG=1"},
		{"response file in between", "drv.sys: a.obj\n\tlink /driver @<<x @<<y /out:$@\n a.obj\n<<\n b.obj\n<<NOKEEP\n", "drv.mak|default|x64: a.c b.c"},
		{"macros as they are in the end", "F=/DA=$(X)\n" + link + ".c.obj:\n\tcl $(F) /c $<\nX=2\n", "drv.mak|default|x64: a.c b.c: A=2"},
		{"conditional commands", "drv.sys: a.obj\n!if \"$(DEBUG)\"==\"\"\n\tlink /driver $** /out:$@\n!else\n\techo\n!endif\n", "drv.mak|default|x64: a.c"},
		{"names of files", "drv.sys: a.obj\n\tlink /driver $** /out:$(@R).sys\na.obj: a.c\n\tcl /DB=$(@B) /DR=$* /DF=$(@F) /c $(@B).c\n", "drv.mak|default|x64: a.c: B=a R=a F=a.obj"},
		{"a caret and a comment", "F=/DA # /DB\n" + link + ".c.obj:\n\tcl $(F) /DH=^#1 /c $<\n", "drv.mak|default|x64: a.c b.c: A=1 H=^#1"},
		{"x86", "CFLAGS=/D_X86_\n" + link, "drv.mak|default|x86: a.c b.c: _X86_=1"},
		{"machine", "drv.sys: a.obj\n\tlink /driver /machine:ARM64 $** /out:$@\n", "drv.mak|default|arm64: a.c"},
		{"at once", "all:\n\t@cl /DA a.c b.c /link /driver /entry:DriverEntry /out:drv.sys\n", "drv.mak|default|x64: a.c b.c: A=1"},
		{"kernel mode by the compiler", "x.bin: a.obj\n\tlink $** /out:$@\nCFLAGS=/kernel\n", "drv.mak|default|x64: a.c"},
		{"precompiled and forced", link + "CFLAGS=/Yupch.h /FIforced.h /Isub\n", "drv.mak|default|x64: a.c b.c"},
		{"user mode", "x.exe: a.obj\n\tlink $** /out:$@\n# .sys\n", "skipped drv.mak: user mode: links no kernel image"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, newline := range []string{"\n", "\r\n"} {
				write(t, "-- a.c --\n-- b.c --\n-- sub/c.c --\n-- link.rsp --\na.obj\n-- flags.rsp --\n/DFLAG\n")
				put(t, "drv.mak", strings.ReplaceAll(c.file, "\n", newline))
				equal(t, "outline", outline(load(t, LoadOptions{})), c.want)
			}
		})
	}
}

func TestMakeThatBuildsNothing(t *testing.T) {
	const driver = "-- a.c --\n-- b.c --\n"
	for _, c := range []struct{ name, file, want string }{
		{"no rule for C", "# the driver's manual\ndoc.ps: doc.txt\n\tps doc.txt\n", ".: a.c b.c"},
		{"a kernel module of Linux", "obj-m := driver.o\nall:\n\t$(MAKE) -C /lib/modules/x/build M=$(PWD) modules\n", ".: a.c b.c"},
		{"user mode", "# no driver\nCC = gcc\nx.exe: a.o\n\t$(CC) -o $@ $^\n", "skipped Makefile: user mode: links no kernel image"},
		{"files unknown", "drv.sys: $(shell ls)\n\tgcc -Wl,--subsystem,native -o $@ $^\n",
			".: a.c b.c\nskipped Makefile: its files come from $(shell ...), which is not run"},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, driver+"-- Makefile --\n"+c.file)
			equal(t, "outline", outline(load(t, LoadOptions{})), c.want)
		})
	}
}

func TestMakeOptions(t *testing.T) {
	write(t, "-- src/a.c --\n-- src/b.cpp --\n-- Makefile --\n"+`
LIBS = -lntoskrnl -Llib
src.sys: src/a.o src/b.o
	x86_64-w64-mingw32-ld -shared --subsystem native --entry=_FxDriverEntry@8 -o $@ $^ $(LIBS)
%.o: %.c
	x86_64-w64-mingw32-gcc -D_WIN32_WINNT=0x0602 -UQ -Isrc/inc -isystem ddk -include pre.h -MF x.d -c $< -o $@
%.o: %.cpp
	x86_64-w64-mingw32-g++ -x c++ -I src/inc -c $< -o $@
`)
	b := find(t, load(t, LoadOptions{Includes: []string{"user"}}), "Makefile|default|x64")
	equal(t, "units", summary(b), "src/a.c src/b.cpp: _WIN32_WINNT=0x0602")
	o := b.unitOf(t, "src/a.c").Options
	equal(t, "includes", strings.Join(o.Includes, " "), "src/inc ddk user")
	equal(t, "forced", strings.Join(o.Forced, " "), "pre.h")
	equal(t, "undefines", strings.Join(o.Undefines, " "), "Q _MSC_VER _KERNEL_MODE")
	equal(t, "language", b.unitOf(t, "src/b.cpp").Options.Language, CXX)
	equal(t, "entries", strings.Join(b.Entries, " "), "DriverEntry DllInitialize")
	equal(t, "minimum", b.Minimum.String()+" "+b.MinimumSource, "6.2 _WIN32_WINNT")
	equal(t, "notes", notes(b), "")
	for name, want := range map[string]string{"__GNUC__": "12", "__MINGW64__": "1", "_AMD64_": "1", "DEPRECATE_DDK_FUNCTIONS": ""} {
		got, _ := o.value(name)
		equal(t, name, got, want)
	}
}

// A build with Microsoft's compiler has the kit's defines only if it uses a kit.
func TestMakeKit(t *testing.T) {
	for flags, want := range map[string]string{"": "", "/I$(WDK)\\inc\\km": "1", "/I\"C:\\Program Files\\Windows Kits\\10\\Include\"": "1"} {
		write(t, "-- a.c --\n")
		put(t, "drv.mak", "WDK=c:\\WinDDK\nCFLAGS=/D_X86_ /Yupch.h "+flags+"\ndrv.sys: a.obj\n\tlink /driver $** /out:$@\n")
		o := load(t, LoadOptions{}).Builds[0].Units[0].Options
		got, _ := o.value("i386")
		equal(t, flags, got, want)
		_, gnu := o.value("__GNUC__")
		equal(t, "gnu", gnu, false)
		equal(t, "precompiled", o.Precompiled, "pch.h")
	}
}

func TestMakeNotes(t *testing.T) {
	write(t, "-- a.c --\n-- Makefile --\n"+gcc+`drv.sys: a.o gone.o nobody.o
	$(LINK)
a.o: a.c
	$(CC) -DA $(shell pkg-config x) -D1X -I$(shell kit)/inc -DR=$(R) $(if $(shell x),-DIF,-DNOT) -c $<
gone.o: gone.c
	$(CC) -c $<
ifeq ($(shell date),today)
X = 1
endif
R = $(R)
include gone.mk
include $(shell ls)
include ../outside.mk
$(error no)
this is no rule
`)
	put(t, "../outside.mk", "")
	b := load(t, LoadOptions{}).Builds[0]
	equal(t, "defines", own(b.Units[0]), "A=1 IF=1")
	for _, want := range []string{"the condition of $(if $(shell x),-DIF,-DNOT) is unknown; it is read as true", "$(shell pkg-config x) can't be evaluated; it is left out", `"1X" defines no macro`,
		"-I$(shell kit)/inc can't be evaluated", "gone.c is not there", "no rule says how nobody.o is made",
		"Makefile:9:6: the condition ifeq ($(shell date),today) is unknown; what it compares is read as different",
		"$(R) refers to itself", "the include gone.mk is not there", "the include of $(shell ls) can't be evaluated",
		"outside.mk is left out: it lies outside of what was named", "make stops here with an error: no",
		`"this is no rule" is neither an assignment nor a rule`} {
		if !strings.Contains(notes(b), want) {
			t.Errorf("no note %q among\n%s", want, notes(b))
		}
	}
}

// In which of the languages a file is read.
func TestMakeLanguageOf(t *testing.T) {
	for _, c := range []struct {
		name, file string
		nmake      bool
	}{
		{"makefile", "!include <win32.mak>\nA:=1\n", true},
		{"makefile", "  ! if 1\n", false}, // "!" stands in the first column
		{"makefile", "A := 1\n", false},
		{"x.mak", "A = 1\n", true},
		{"x.mak", "include x\n", false},
		{"makefile", "a.obj: a.c\n\tcl $**\n", true},
		{"makefile", ".c.obj:\n\tcl $<\n", true},
		{"NMakefile", "", true},
		{"makefile", "", false},
	} {
		equal(t, c.name+": "+c.file, isNmake(c.name, []byte(c.file)), c.nmake)
	}
}

func TestMakeNames(t *testing.T) {
	for name, want := range map[string]bool{"a/Makefile": true, "GNUmakefile": true, "x.MK": true, "drv.mak": true, "makefile.msvc": true,
		"Makefile.in": false, "makefile.inc": false, "makefile.def": false, "make.c": false} {
		equal(t, name, isMake(name), want)
	}
	equal(t, "a driver", looksLikeMake([]byte("all: X.SYS\n")), true)
	equal(t, "else", looksLikeMake([]byte("all: x.exe\n")), false)
	equal(t, "binary", looksLikeMake([]byte("x.sys\x00")), false)
}

// A file that others include is part of their builds, and makes none of its own.
func TestMakeIncluded(t *testing.T) {
	write(t, "-- drv/a.c --\n-- drv/Makefile --\n# the driver\nCC = gcc\ninclude ../rules/drv.mk\n-- rules/drv.mk --\n"+
		"drv.sys: a.o\n\t$(CC) -Wl,--subsystem,native -o $@ $^\n-- rules/common.mk --\n# driver\n")
	equal(t, "outline", outline(load(t, LoadOptions{})), "drv/Makefile|default|x64: drv/a.c")
}

func TestMakeConfigs(t *testing.T) {
	write(t, "-- a.c --\n-- Makefile --\none.sys: a.o\n\tld -o $@ $^\ntwo.sys: a.o\n\tld -o $@ $^\n")
	equal(t, "one", ids(load(t, LoadOptions{Configs: []string{"Default:two|x64"}})), "Makefile|default:two|x64")
	equal(t, "none", outline(load(t, LoadOptions{Configs: []string{"default:one|x64"}}, "Makefile")), "Makefile|default:one|x64: a.c")
}

func TestMakeLibraryAlone(t *testing.T) {
	write(t, "-- a.c --\n-- Makefile --\nCFLAGS = -D_KERNEL_MODE\nlib.a: a.o\n\tar rcs $@ $^\n")
	b := load(t, LoadOptions{}, "Makefile").Builds[0]
	equal(t, "library", b.Library, true)
	equal(t, "entries", len(b.Entries), 0)
	equal(t, "kernel mode", len(b.Units[0].Options.Undefines), 1)
}

func TestMakeShares(t *testing.T) {
	write(t, "-- a.c --\n-- b.c --\n-- drv/drv.mk --\ndrv.sys: ../a.o\n\tld -o $@ $^\n-- Makefile --\n# no driver\nx.exe: a.o b.o\n\tgcc -o $@ $^\n")
	s := load(t, LoadOptions{})
	equal(t, "outline", outline(s), "drv/drv.mk|default|x64: a.c\nskipped Makefile: user mode: links no kernel image")
	equal(t, "shares", strings.Join(s.Skipped[0].Shares, " "), "a.c")
}

func TestPlaceInMake(t *testing.T) {
	const rules = "drv.sys: a.o b.o\n\t$(LINK)\n"
	for _, c := range []struct{ name, file, want string }{
		{"assignment", "CFLAGS = -O2 -DA # flags\n" + rules, "CFLAGS = -O2 -DA -DPOOL_NX_OPTIN=1 # flags"},
		{"the one with defines", "CFLAGS = -O2\nDEFS = \\\n\t-DA \\\n\t-DB\nCFLAGS += $(DEFS)\n" + rules, "-DB -DPOOL_NX_OPTIN=1"},
		{"without defines", "CFLAGS := -O2\n" + rules, "CFLAGS := -O2 -DPOOL_NX_OPTIN=1"},
		{"recipe", rules + "%.o: %.c\n\t$(CC) -Wall -c $< -o $@\n", "$(CC) -Wall -c -DPOOL_NX_OPTIN=1 $< -o $@"},
		{"two recipes", "drv.sys: a.o b.o\n\t$(LINK)\na.o: a.c\n\t$(CC) -DA -c a.c\nb.o: b.c\n\t$(CC) -DB -c b.c\n", "$(CC) -DA -DPOOL_NX_OPTIN=1 -c a.c\n$(CC) -DB -DPOOL_NX_OPTIN=1 -c b.c"},
		{"target's own", rules + "drv.sys: CFLAGS = -DA\n", "drv.sys: CFLAGS = -DA -DPOOL_NX_OPTIN=1"},
		{"not what serves others", "CFLAGS = -DALL\nx.exe: x.o\n\t$(CC) $^\ndrv.sys: CFLAGS += -DA\n" + rules, "drv.sys: CFLAGS += -DA -DPOOL_NX_OPTIN=1"},
		{"a conditional's", "ifdef NO\nCFLAGS = -DA\nelse\nCFLAGS = -DB\nendif\n" + rules, "CFLAGS = -DB -DPOOL_NX_OPTIN=1"},
		{"an argument that follows", rules + "%.o: %.c\n\tgcc $< -c -o $@\n", "gcc $< -c -DPOOL_NX_OPTIN=1 -o $@"},
		{"a path that follows", "DDK = /usr/include/ddk\nCFLAGS = -O1 -isystem $(DDK) -I $(DDK) -Isub\n" + rules,
			"CFLAGS = -O1 -isystem $(DDK) -I $(DDK) -Isub -DPOOL_NX_OPTIN=1"},
		{"MSYS", "drv.sys: a.obj b.obj\n\tlink //driver $^ //out:$@\n%.obj: %.c\n\tcl //DA //c $<\n", "cl //DA //DPOOL_NX_OPTIN=1 //c $<"},
		{"Microsoft's compiler", "drv.sys: a.obj b.obj\n\tlink /driver $^ /out:$@\n%.obj: %.c\n\tcl /DA /c $<\n", "cl /DA /DPOOL_NX_OPTIN=1 /c $<"},
		{"outside of conditionals", "ifdef CC\nCFLAGS = -DA\nendif\nCFLAGS += -DB\n$(CC)X = -DC\nCFLAGS += $($(CC)X)\n" + rules, "CFLAGS += -DB -DPOOL_NX_OPTIN=1"},
		{"outside of a computed name", "$(NO)CFLAGS = -DA\nCFLAGS += -DB\n" + rules, "CFLAGS += -DB -DPOOL_NX_OPTIN=1"},
		{"define", "define FLAGS\n-DA\nendef\nCFLAGS = $(FLAGS)\n" + rules, "-DA -DPOOL_NX_OPTIN=1"},
		{"included", "include flags.mk\n" + rules, "CFLAGS = -DINCLUDED -DPOOL_NX_OPTIN=1"},
		{"no option at all", "drv.sys: a.c b.c\n\t$(E) gcc $^\nE =\n", "Makefile|default|x64: no place for POOL_NX_OPTIN=1: nothing there sets its defines; " +
			"a make file has no line that reaches every command: add the define to what the compiler is called with"},
		{"undefined later", "CFLAGS = -DA\nCPPFLAGS = -UPOOL_NX_OPTIN\n" + rules,
			"Makefile|default|x64: a.c would still lack POOL_NX_OPTIN=1: it is undefined, or defined otherwise, on the compiler's command line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, "-- a.c --\n-- b.c --\n-- x.c --\n-- flags.mk --\nCFLAGS = -DINCLUDED\n")
			put(t, "Makefile", gcc+c.file)
			s := load(t, LoadOptions{}, "Makefile")
			equal(t, "placed", placed(t, s, "Makefile"), c.want)
		})
	}
}

// A define for one of two images must not reach the other.
func TestPlaceInMakeOfTwo(t *testing.T) {
	const two = "CFLAGS = -DALL\none.sys: a.o\n\tld -o $@ $^\ntwo.sys: b.o\n\tld -o $@ $^\n"
	write(t, "-- a.c --\n-- b.c --\n-- Makefile --\n"+two)
	s := load(t, LoadOptions{})
	equal(t, "both", placed(t, s, "Makefile"), "CFLAGS = -DALL -DPOOL_NX_OPTIN=1")
	if got := placed(t, s, ":one|"); !strings.Contains(got, "it serves Makefile|default:two|x64 too") {
		t.Error(got)
	}
	put(t, "Makefile", two+"one.sys: CFLAGS += -DONE\n")
	equal(t, "one", placed(t, load(t, LoadOptions{}), ":one|"), "one.sys: CFLAGS += -DONE -DPOOL_NX_OPTIN=1")
}

func TestPlaceInNmake(t *testing.T) {
	const link = "drv.sys: a.obj b.obj\n\tlink /driver /out:$@ $**\n"
	for _, c := range []struct{ name, file, want string }{
		{"assignment", "CFLAGS=/W4 /DA\n" + link, "CFLAGS=/W4 /DA /DPOOL_NX_OPTIN=1"},
		{"response file", "drv.sys: a.obj b.obj\n\tlink /driver /out:$@ $**\n.c.obj:\n\tcl @<<\n/DA\n/c $<\n<<\n", "/DA /DPOOL_NX_OPTIN=1"},
		{"outside of conditionals", "!if 1\nCFLAGS=/DA\n!endif\nCFLAGS=$(CFLAGS) /DB\n" + link, "CFLAGS=$(CFLAGS) /DB /DPOOL_NX_OPTIN=1"},
		{"rule", link + ".c.obj:\n\tcl -c $<\n", "cl -c -DPOOL_NX_OPTIN=1 $<"},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, "-- a.c --\n-- b.c --\n")
			put(t, "drv.mak", strings.ReplaceAll(c.file, "\n", "\r\n"))
			equal(t, "placed", placed(t, load(t, LoadOptions{}), "drv.mak"), c.want)
		})
	}
}

// placed gives the lines that change where the opt-in is wanted in some builds, or the error.
func placed(t *testing.T, s *Set, patterns ...string) string {
	t.Helper()
	tr := newTree(t, ".")
	edits, err := place(tr, wantAll(s, patterns...), nil)
	if err != nil {
		return err.Error()
	}
	lines, after := applied(t, tr, edits)
	checkAfter(t, after, patterns...)
	return lines
}

// Hostile make files are read in part, or named, and none takes long.
func TestMakeHostile(t *testing.T) {
	const build = "drv.sys: a.o\n\tld -o $@ $^\na.o: a.c\n\tgcc -DA $(X) -c $<\n"
	const whole, named = "Makefile|default|x64: a.c: A=1", "unreadable Makefile: the evaluation takes too much work"
	double := "A0 := xxxxxxxxxx\n"
	for i := range 40 {
		double += fmt.Sprintf("A%d = $(A%d)$(A%d)\n", i+1, i, i)
	}
	for _, c := range []struct{ name, file, want string }{
		{"itself", "X = $(X)\n", whole},
		{"each other", "X = $(Y)\nY = $(X)\n", whole},
		{"itself by call", "X = $(call X,$(1)x)\n", whole},
		{"doubled", double + "X = $(A40)\n", named},
		{"doubled by call", "f = $(call f,$(1)$(1))$(call f,$(1))\nX = $(call f,xx)\n", named},
		{"nested foreach", "L = $(foreach a,1 2 3 4 5 6 7 8 9,$(foreach b,1 2 3 4 5 6 7 8 9,$(1)))\nX := $(call L,$(call L,$(call L,$(call L,$(call L,x)))))\n", named},
		{"eval of itself", "define E\n$(eval $(value E))\nendef\n$(eval $(value E))\n", whole},
		{"many evals", "$(foreach a," + strings.Repeat("1 ", 30_000) + ",$(eval Y = $(a)))\n", whole},
		{"included by itself", "include Makefile\ninclude loop.mk\ninclude link/loop.mk\n", whole},
		{"deep conditionals", strings.Repeat("ifeq (,)\n", 1000) + "Y = 1\n" + strings.Repeat("else\nendif\n", 1000), whole},
		{"too deep", strings.Repeat("ifeq (,)\n", 3000) + strings.Repeat("endif\n", 3000), whole + "\nunreadable Makefile: line 2005: ifeq nested too deep"},
		{"never closed", "ifdef CC\n", whole + "\nunreadable Makefile: line 5: ifdef CC without endif"},
		{"define never closed", "define X\nx\n", whole},
		{"endif alone", "endif\nelse\n", whole},
		{"deep parentheses", "X = " + strings.Repeat("$(", 5000) + strings.Repeat(")", 5000) + "\n", whole},
		{"parentheses not closed", "X = " + strings.Repeat("$(call ", 5000) + "\n", whole},
		{"long line", "Y = " + strings.Repeat("x ", 1<<20) + "\n", whole},
		{"long line, expanded", "Y := " + strings.Repeat("$(CC) ", 1<<19) + "\n", named},
		{"many lines", "Y =" + strings.Repeat(" x \\\n", 1<<17) + "\n", whole},
		{"many comments in a line", "Y = " + strings.Repeat("\\#\\\n", 1<<17) + "\n", whole},
		{"a stair of needs", "T = " + strings.Repeat("a", 5000) + "\n" + strings.Repeat("t ", 5000) + ": " + strings.Repeat("n ", 5000) + "\n", named},
		{"too large", strings.Repeat("#\n", maxBuildFile), "unreadable Makefile: line 1: 16777271 bytes, more than the 8388608 that are read of a build file"},
		{"UTF-16", "\xff\xfe", "unreadable Makefile: line 1: UTF-16 is not read: save the file as UTF-8"},
		{"no text", "\x00", "unreadable Makefile: line 1: binary, no text"},
		{"byte order mark", bom, whole},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer bounded(t, time.Now())
			write(t, "-- a.c --\n-- loop.mk --\ninclude loop.mk\n")
			if err := os.Symlink(".", "link"); err != nil {
				t.Log(err) // Windows may refuse; the case is then without it
			}
			data := build + c.file
			if strings.HasPrefix(c.file, "\xff") || c.file == bom {
				data = c.file + build
			}
			put(t, "Makefile", data)
			equal(t, "outline", outline(load(t, LoadOptions{}, "Makefile")), c.want)
		})
	}
}
