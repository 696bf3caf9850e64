package project

import (
	"strings"
	"testing"
	"time"
)

// The language of nmake, seen by what a SOURCES file defines. The expected values follow from the NMAKE reference:
// macros are expanded when they are used, and one that is not defined is empty.
func TestNmakeMacros(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"expanded when used", "C_DEFINES=-DA=$(X)\nX=1\nX=2\n", "A=2"},
		{"through others", "X=$(Y)\nC_DEFINES=-DA=$(X)\nY=$(Z)\nZ=3\n", "A=3"},
		{"in a condition at once", "X=1\n!if $(X)==1\nC_DEFINES=-DA\n!endif\nX=2\n", "A=1"},
		{"itself so far", "X=-DA\nX=$(X) -DB=$(Y)\nX=$(X) -DC\nY=1\nC_DEFINES=$(X)\n", "A=1 B=1 C=1"},
		{"itself, undefined so far", "C_DEFINES=-DA $(C_DEFINES)\n", "A=1"},
		{"itself, changed", "X=-DA\nX=$(X:A=B) -DC\nC_DEFINES=$(X)\n", "B=1 C=1"},
		{"substitution", "X=a.c b.c\nC_DEFINES=-DA=$(X:.c=.o)\n", "A=a.o"},
		{"substitution by nothing", "X=a_b\nC_DEFINES=-DA=$(X:_=)\n", "A=ab"},
		{"substitution of the value when used", "C_DEFINES=-DA=$(X:0=1)\nX=100\n", "A=111"},
		{"no regard to case", "Foo=1\nC_DEFINES=-DA=$(FOO)$(foo)\n", "A=11"},
		{"a dollar", "C_DEFINES=-DA=$$(X)\nX=1\n", "A=$(X)"},
		{"one letter", "X=1\nC_DEFINES=-DA=$X$X0\n", "A=110"},
		{"a caret before #", "C_DEFINES=-DA=1^#2 -DB # -DC\n", "A=1#2 B=1"},
		{"undefined again", "X=1\n!undef X\nC_DEFINES=-DA=$(X)b\n", "A=b"},
		{"quotes", "C_DEFINES=-DA=\"x y\" -DB=\\\"$(X)\\\"\nX=s\n", `A=x y B="s"`},
		{"continued", "C_DEFINES=-DA \\\n  -DB\\\n -DC\n", "A=1 B=1 C=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, "-- a.c --\n")
			put(t, "sources", "TARGETTYPE=DRIVER\nSOURCES=a.c\n"+c.file)
			equal(t, "defines", own(load(t, LoadOptions{}).Builds[0].Units[0]), c.want)
		})
	}
}

func TestNmakeConditions(t *testing.T) {
	for expression, want := range map[string]bool{
		`"$(X)"=="one"`: true, `"$(X)"!="one"`: false, `"$(NONE)"==""`: true, `("$(X)"=="two") || ("$(X)"=="one")`: true,
		`"$(X)"=="one" && "$(N)"=="1"`: false, "$(N)==2": true, "$(N)>2 || $(N)<=1": false, "!$(N)": false, "!($(N)==1) && 1": true,
		"defined(X)": true, "defined(NONE)": false, "!defined(none)": true, "DEFINED(x) && ! defined(NONE)": true,
		`exist(a.c)`: true, `exist("sub\b.c")`: true, "EXIST(c.c)": false, "0x10 == 16": true, `"a b" == "a b"`: true,
	} {
		write(t, "-- a.c --\n-- sub/b.c --\n")
		put(t, "sources", "TARGETTYPE=DRIVER\nSOURCES=a.c\nX=one\nN=2\n! IF "+expression+"\nC_DEFINES=-DYES\n! ELSE\nC_DEFINES=-DNO\n! ENDIF\n")
		b := load(t, LoadOptions{}).Builds[0]
		got := own(b.Units[0]) == "YES=1"
		equal(t, expression+" "+notes(b), got, want)
	}
}

func TestSourcesEnvironment(t *testing.T) {
	write(t, "-- a.c --\n-- amd64/low.c --\n-- i386/low.c --\n-- other.c --\n-- sources --\n"+`TARGETTYPE=DRIVER
SOURCES=a.c
AMD64_SOURCES=low.c
386_SOURCES=other.c
I386_SOURCES=low.c other.c
!if "$(NTDEBUG)"=="ntsd"
C_DEFINES=-DCHECKED_$(_BUILDARCH)
!else
C_DEFINES=-DFREE_$(_BUILDARCH)
!endif
`)
	s := load(t, LoadOptions{})
	equal(t, "free x86", summary(find(t, s, "sources|free|x86")), "a.c i386/low.c other.c: FREE_x86=1")
	equal(t, "checked amd64", summary(find(t, s, "sources|checked|amd64")), "a.c amd64/low.c: CHECKED_amd64=1")
}

func TestSourcesIncludes(t *testing.T) {
	write(t, `
-- drv/sys/a.c --
-- drv/x.c --
-- y.c --
-- drv/common/common.inc --
!include ..\shared.inc
!include own.inc
-- drv/common/own.inc --
C_DEFINES=$(C_DEFINES) -DOWN
-- drv/shared.inc --
C_DEFINES=$(C_DEFINES) -DSHARED
-- drv/sys/sources --
TARGETTYPE=DRIVER
SOURCES=a.c ..\x.c ..\..\y.c
!include ..\common\common.inc
!include $(COMMON_DIR)\gone.inc
!include $(DDK_TARGET_OS).inc
!error no such kit
`)
	b := load(t, LoadOptions{}).Builds[0]
	equal(t, "build", summary(b), "drv/sys/a.c drv/x.c y.c: SHARED=1 OWN=1")
	for _, want := range []string{`sources:4:1: the !include \gone.inc is not there: $(COMMON_DIR) is for the environment to set`,
		`sources:5:1: the !include of "$(DDK_TARGET_OS).inc" can't be evaluated`, `sources:2:20: ..\..\y.c stands too far up`, "sources:6:1: nmake stops here with an error: no such kit"} {
		if !strings.Contains(notes(b), want) {
			t.Errorf("no note %q among\n%s", want, notes(b))
		}
	}
}

func TestSourcesPrecompiled(t *testing.T) {
	for file, want := range map[string]string{
		"PRECOMPILED_INCLUDE=..\\pch.h\n":                    "pch.h|",
		"PRECOMPILED_INCLUDE=pch.h\nPRECOMPILED_CXX=1\n":     "|pch.h",
		"PRECOMPILED_INCLUDE=pch.h\nNO_PRECOMPILED=1\n":      "|",
		"C_DEFINES=-DX\n":                                    "|",
		"PRECOMPILED_INCLUDE=$(DDK_TARGET_OS)\\pch.h\nX=1\n": "|",
	} {
		write(t, "-- a.c --\n-- b.cpp --\n")
		put(t, "sources", "TARGETTYPE=DRIVER\nSOURCES=a.c b.cpp\n"+file)
		b := load(t, LoadOptions{}).Builds[0]
		equal(t, file, b.unitOf(t, "a.c").Options.Precompiled+"|"+b.unitOf(t, "b.cpp").Options.Precompiled, want)
	}
}

func TestSourcesLibraries(t *testing.T) {
	library := "TARGETTYPE=DRIVER_LIBRARY\nTARGETNAME=helper\nSOURCES=h.c\n"
	write(t, "-- drv/a.c --\n-- one/lib/h.c --\n-- two/sys/h.c --\n")
	put(t, "one/lib/sources", library)
	put(t, "drv/sources", "TARGETTYPE=DRIVER\nSOURCES=a.c\nTARGETLIBS=$(DDK_LIB_PATH)\\wdm.lib \\\n $(OBJ_PATH)\\..\\lib\\$(O)\\Helper.lib\n")
	s := load(t, LoadOptions{})
	equal(t, "links", strings.Join(find(t, s, "drv/sources|checked|amd64").Links, " "), "one/lib/sources|checked|amd64")
	put(t, "two/sys/sources", library)
	s = load(t, LoadOptions{})
	equal(t, "of two", strings.Join(find(t, s, "drv/sources|free|x86").Links, " "), "one/lib/sources|free|x86")
	equal(t, "library's", len(find(t, s, "two/sys/sources|free|x86").Links), 0)
}

func TestSourcesUserModeShares(t *testing.T) {
	write(t, "-- shared.c --\n-- app/x.c --\n-- drv/a.c --\n")
	put(t, "drv/sources", "TARGETTYPE=DRIVER\nSOURCES=a.c ..\\shared.c\n")
	put(t, "app/sources", "TARGETTYPE=DYNLINK\nSOURCES=x.c ..\\shared.c\n")
	s := load(t, LoadOptions{})
	equal(t, "skipped", len(s.Skipped), 1)
	equal(t, "why", s.Skipped[0].Why, "user mode: TARGETTYPE DYNLINK")
	equal(t, "shares", strings.Join(s.Skipped[0].Shares, " "), "shared.c")
}

func TestDirs(t *testing.T) {
	driver := "TARGETTYPE=DRIVER\nSOURCES=a.c\n"
	write(t, `
-- dirs --
DIRS=one \
  nested # missing
!if $(386)
DIRS=$(DIRS) x86only
!endif
OPTIONAL_DIRS={two} optional
-- nested/Dirs --
dirs = three ..\one ..
`)
	for _, dir := range []string{"one", "two", "nested/three", "x86only", "unnamed"} {
		put(t, dir+"/sources", driver)
		put(t, dir+"/a.c", "")
	}
	projects := func(s *Set) string {
		var list []string
		for _, b := range s.Builds {
			if strings.HasSuffix(b.ID, "|free|x86") {
				list = append(list, b.Project)
			}
		}
		return strings.Join(list, " ")
	}
	s := load(t, LoadOptions{}, "dirs")
	equal(t, "named", projects(s), "nested/three/sources one/sources two/sources x86only/sources")
	equal(t, "unreadable", len(s.Unreadable), 0)
	equal(t, "walked", projects(load(t, LoadOptions{})), "nested/three/sources one/sources two/sources unnamed/sources x86only/sources")
	put(t, "dirs", "DIRS=one gone\n")
	s = load(t, LoadOptions{}, "dirs")
	equal(t, "rest", projects(s), "one/sources")
	equal(t, "missing", outline(&Set{Unreadable: s.Unreadable}), "unreadable dirs: names gone, where there is neither a dirs nor a SOURCES file")
}

// Hostile files are named or read in part, and none takes long.
func TestSourcesHostile(t *testing.T) {
	double := "A0=xxxxxxxxxx\n"
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		double += string(c) + "1=$(" + string(c-1) + "1)$(" + string(c-1) + "1)\n"
	}
	for name, c := range map[string]struct{ file, want string }{
		"cycle":         {"X=$(Y)\nY=$(X)\nC_DEFINES=-DA -DB=$(X)\n", "A=1 B=$(X)"},
		"doubled":       {strings.Replace(double, "A1=$(@1)$(@1)", "A1=$(A0)$(A0)", 1) + "C_DEFINES=$(Z1)\n", "unreadable"},
		"deep":          {strings.Repeat("!if 1\n", 70) + strings.Repeat("!endif\n", 70), "unreadable"},
		"never closed":  {"!if 1\nC_DEFINES=-DA\n", "unreadable"},
		"long line":     {"C_DEFINES=-DA\nX=" + strings.Repeat("$(X) ", 1<<19) + "\n", "A=1"},
		"too large":     {strings.Repeat("#\n", maxBuildFile), "unreadable"},
		"includes self": {"C_DEFINES=-DA\n!include sources\n!include loop.inc\n", "A=1"},
	} {
		t.Run(name, func(t *testing.T) {
			defer bounded(t, time.Now())
			write(t, "-- a.c --\n-- loop.inc --\n!include loop.inc\n")
			put(t, "sources", "TARGETTYPE=DRIVER\nSOURCES=a.c\n"+c.file)
			s := load(t, LoadOptions{}, "sources")
			if c.want == "unreadable" {
				equal(t, "unreadable", len(s.Unreadable), 1)
				return
			}
			equal(t, "defines", own(s.Builds[0].Units[0]), c.want)
		})
	}
}
