package project

import (
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
