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

func FuzzCondition(f *testing.F) {
	for _, s := range []string{"'$(A)|$(B)'=='x|y'", "!exists('a') and (1 < 0x2 or true)", "'$([X]::Y('a'))' != ''", `"a" == "b" && defined(X) || !1`} {
		f.Add(s)
	}
	e := evaluationOf(f, map[string]string{"A": "x", "B": "y"})
	yesNo := func(s string) bool { return len(s)%2 == 0 }
	f.Fuzz(func(t *testing.T, s string) {
		defer bounded(t, time.Now())
		if v, why := e.parseCondition(s).eval(e, scope{}); (v == unknown) != (why != "") {
			t.Errorf("%q: %v with reason %q", s, v, why)
		}
		evalExpression(s, yesNo, yesNo)
	})
}
