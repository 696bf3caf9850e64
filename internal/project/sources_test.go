package project

import (
	"strings"
	"testing"
)

func TestSources(t *testing.T) {
	for _, c := range []struct {
		name, file string
		// of free|x86 and checked|amd64: the units and the defines of the first
		free, checked string
	}{
		{"simple", "SOURCES=a.c b.cpp x.rc gone.c\n", "a.c b.cpp", "a.c b.cpp"},
		{"case and spaces", "sources = B.CPP\n", "b.cpp", "b.cpp"},
		{"continued", "SOURCES = \\\n\ta.c\\\n  b.cpp \\\n\nC_DEFINES=-DA\n", "a.c b.cpp: A=1", "a.c b.cpp: A=1"},
		{"comments", "SOURCES=a.c \\\n# b.cpp \\\n   c.c # d.c\n#SOURCES=none\n### C_DEFINES=-DA\n", "a.c c.c", "a.c c.c"},
		{"defines", "SOURCES=a.c\nC_DEFINES=-DA /DB=2 -D C \"-DD=x y\" -DE=\\\"q\\\" /W4\n", `a.c: A=1 B=2 C=1 D=x y E="q"`, `a.c: A=1 B=2 C=1 D=x y E="q"`},
		{"self reference", "SOURCES=a.c\nC_DEFINES=$(C_DEFINES) -DA\nC_DEFINES=-DB $(C_DEFINES)\n", "a.c: B=1 A=1", "a.c: B=1 A=1"},
		{"set anew", "SOURCES=a.c\nC_DEFINES=-DA\nC_DEFINES=-DB\n", "a.c: B=1", "a.c: B=1"},
		{"other macros", "X=-DX=$(Y)\nMORE=b.cpp\nSOURCES=a.c $(MORE)\nC_DEFINES=$(X)\nUSER_C_FLAGS=/DU\n", "a.c b.cpp: X= U=1", "a.c b.cpp: X= U=1"},
		{"processors", "SOURCES=a.c\nI386_SOURCES=b.cpp\nAMD64_SOURCES=c.c\n", "a.c b.cpp", "a.c c.c"},
		{"if", "SOURCES=a.c\n!if $(FREEBUILD)\nC_DEFINES=-DF\n!else\nC_DEFINES=-DC\n!endif\n", "a.c: F=1", "a.c: C=1"},
		{"if else if", "SOURCES=a.c\n!IF \"$(DDKBUILDENV)\" == \"chk\" && $(AMD64)\nC_DEFINES=-DA\n!ELSE IF $(386)\nC_DEFINES=-DB\n!ELSEIF 1\nC_DEFINES=-DC\n!ELSE\nC_DEFINES=-DD\n!ENDIF\n", "a.c: B=1", "a.c: A=1"},
		{"nested", "SOURCES=a.c\n!if 0\n!if 1\nC_DEFINES=-DA\n!else\nC_DEFINES=-DB\n!endif\n!else\n!if 1\nC_DEFINES=-DC\n!endif\n!endif\n", "a.c: C=1", "a.c: C=1"},
		{"ifdef", "SOURCES=a.c\nX=1\n!ifdef X\nC_DEFINES=$(C_DEFINES) -DA\n!endif\n!ifndef Y\nC_DEFINES=$(C_DEFINES) -DB\n!endif\n!undef X\n!ifdef X\nC_DEFINES=$(C_DEFINES) -DC\n!endif\n", "a.c: A=1 B=1", "a.c: A=1 B=1"},
		{"include", "!include inc\\more.inc\nSOURCES=a.c\nC_DEFINES=$(C_DEFINES) -DB\n!include $(NTMAKEENV)\\makefile.def\n", "a.c: M=1 B=1", "a.c: M=1 B=1"},
		{"only one build's", "SOURCES=a.c\n!if $(386)\nC_DEFINES=-D_ONLY_\n!endif\n", "a.c: _ONLY_=1", "a.c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, newline := range []string{"\n", "\r\n"} {
				write(t, "-- a.c --\n-- b.cpp --\n-- c.c --\n-- d.c --\n-- inc/more.inc --\nC_DEFINES=$(C_DEFINES) -DM\n!include more.inc\n")
				put(t, "Sources", strings.ReplaceAll("TARGETNAME=x\nTARGETTYPE=DRIVER\n"+c.file, "\n", newline))
				s := load(t, LoadOptions{})
				equal(t, "builds", ids(s), "Sources|free|x86 Sources|checked|x86 Sources|free|amd64 Sources|checked|amd64")
				equal(t, "free", summary(find(t, s, "Sources|free|x86")), c.free)
				equal(t, "checked", summary(find(t, s, "Sources|checked|amd64")), c.checked)
			}
		})
	}
}

// summary gives the units of a build and the defines of the first.
func summary(b *Build) string {
	var list []string
	for _, u := range b.Units {
		list = append(list, u.Path)
	}
	s := strings.Join(list, " ")
	if d := own(b.Units[0]); d != "" {
		s += ": " + d
	}
	return s
}

func TestSourcesOptions(t *testing.T) {
	write(t, "-- drv/sys/a.c --\n-- drv/sys/sources --\n"+`TARGETTYPE=EXPORT_DRIVER
INCLUDES=$(DDK_INC_PATH); ..\inc ;\
  $(KIT)\wdm;more
C_DEFINES=/UZ /DQ \
   -DR=1
_NT_TARGET_VERSION=$(_NT_TARGET_VERSION_WINXP)
SOURCES=A.C
`)
	s := load(t, LoadOptions{Defines: []string{"LAST=1"}, Includes: []string{"user"}})
	b := find(t, s, "drv/sys/sources|checked|x86")
	o := b.Units[0].Options
	equal(t, "includes", strings.Join(o.Includes, " "), "drv/sys/i386 drv/sys drv/inc drv/sys/more user")
	equal(t, "undefines", strings.Join(o.Undefines, " "), "Z")
	equal(t, "entries", strings.Join(b.Entries, " "), "DriverEntry DllInitialize")
	equal(t, "minimum", b.Minimum.String()+" "+b.MinimumSource, "5.1 _NT_TARGET_VERSION")
	equal(t, "old kit", b.Kit.Name, "WDK 7.1")
	for name, want := range map[string]string{"_X86_": "1", "DBG": "1", "NTDDI_VERSION": "0x05010000", "LAST": "1", "AMD64": ""} {
		got, _ := o.value(name)
		equal(t, name, got, want)
	}
	if _, debug := find(t, s, "drv/sys/sources|free|x86").Units[0].Options.value("DBG"); debug {
		t.Error("DBG is defined in a free build")
	}
	if _, no := o.value("NDEBUG"); no {
		t.Error("NDEBUG is defined in a checked build")
	}
	if _, yes := find(t, s, "drv/sys/sources|free|x86").Units[0].Options.value("NDEBUG"); !yes {
		t.Error("NDEBUG is not defined in a free build")
	}
	data, _ := newTree(t, ".").Read("drv/sys/sources")
	for _, d := range o.Defines {
		if d.Place.Path != "" && !strings.HasPrefix(string(data[d.Place.Offset:]), d.Name) {
			t.Errorf("%s stands elsewhere than at %v", d.Name, d.Place)
		}
	}
	equal(t, "own", own(b.Units[0]), "Q=1 R=1")
}

func TestSourcesKinds(t *testing.T) {
	for kind, want := range map[string]string{
		"DRIVER": "DriverEntry", "driver": "DriverEntry", "GDI_DRIVER": "DriverEntry", "MINIPORT": "DriverEntry",
		"EXPORT_DRIVER": "DriverEntry DllInitialize", "DRIVER_LIBRARY": "library",
		"PROGRAM": "user mode: TARGETTYPE PROGRAM", "DYNLINK": "user mode: TARGETTYPE DYNLINK", "LIBRARY": "user mode: TARGETTYPE LIBRARY",
	} {
		write(t, "-- sources --\nTARGETTYPE = "+kind+"\n")
		s := load(t, LoadOptions{})
		got := ""
		switch {
		case len(s.Skipped) > 0:
			got = s.Skipped[0].Why
		case s.Builds[0].Library:
			got = "library"
		default:
			got = strings.Join(s.Builds[0].Entries, " ")
		}
		equal(t, kind, got, want)
		equal(t, kind, len(s.Skipped) <= 1, true)
	}
}

func TestSourcesNotes(t *testing.T) {
	write(t, "-- a.c --\n-- sources --\n"+`TARGETTYPE=DRIVER
SOURCES=a.c gone.c
!if "$(DDK_TARGET_OS)" == "Win7"
C_DEFINES=-DA
!else
C_DEFINES=-DB
!endif
!if $(UNDEFINED)
C_DEFINES=-DC
!endif
!include gone.inc
C_DEFINES=$(C_DEFINES) -D1X
`)
	b := load(t, LoadOptions{}).Builds[0]
	equal(t, "defines", own(b.Units[0]), "B=1")
	n := notes(b)
	for _, want := range []string{"sources:3:1: the condition of !if is unknown", "sources:8:1: the condition", "gone.inc is not there", "gone.c is not there", `"1X" defines no macro`, "sources:8:5: nothing in the tree sets $(UNDEFINED); it is read as empty"} {
		if !strings.Contains(n, want) {
			t.Errorf("no note on %q among\n%s", want, n)
		}
	}
	equal(t, "notes", strings.Count(n, "\n")+1, 6)
}
