package project

import (
	"strings"
	"testing"
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
		{"32 bits by the name", "CC = i686-w64-mingw32-gcc-12\ndrv.sys: a.o\n\t$(LINK)\n", "Makefile|default|x86: a.c"},
		{"32 bits by an option", "drv.sys: a.o\n\t$(LINK) -m32\n", "Makefile|default|x86: a.c"},
		{"ARM64 by the target", "CC = clang --target=aarch64-w64-mingw32\ndrv.sys: a.o\n\t$(LINK)\n", "Makefile|default|arm64: a.c"},
		{"an entry", "x.bin: a.o\n\tgcc -Wl,-e,_DriverEntry@8 -o $@ $^\n", "Makefile|default|x64: a.c"},
		{"MSYS", "D = //\nCFLAGS = //DA=1 //D B $(D)DC\ndrv.sys: a.obj\n\t\"C:/x y/link.exe\" //driver //out:$@ $^\na.obj: a.c\n\tC:/x\\ y/cl.exe $(CFLAGS) //c //Fo$@ $<\n", "Makefile|default|x64: a.c: A=1 B=1 C=1"},
		{"itself again", "ifeq ($(V),)\nall:\n\t+@$(MAKE) -C sub -f $(CURDIR)/Makefile V=1 S=$(CURDIR)\nelse\nVPATH = $(S)\ndrv.sys: a.o c.o\n\t$(LINK)\nendif\n", "Makefile|default|x64: a.c sub/c.c"},
		{"shell commands that are known", "HERE := $(shell cd sub && pwd)\nifeq ($(findstring MINGW,$(shell uname -s)),MINGW)\ndrv.sys: $(HERE)/c.o\n\t$(LINK)\nendif\n", "Makefile|default|x64: sub/c.c"},
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
				write(t, "-- a.c --\n-- b.c --\n-- sub/c.c --\n")
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
