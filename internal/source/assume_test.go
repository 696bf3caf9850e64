package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// What hangs on a name that a header may define which is not there says so; what does not, does not.
func TestAssumed(t *testing.T) {
	const kit = "#include <ntddk.h>\n"
	const call = "void f(void) { ExAllocatePool(NonPagedPool, 1); }\n"
	for _, tt := range []struct{ name, text, want string }{
		{"taken because it is undefined", kit + "#ifndef _KIT_THING\n" + call + "#endif\n", "_KIT_THING 2"},
		{"the other branch", kit + "#if NTDDI_VERSION >= 5\n#else\n" + call + "#endif\n", "NTDDI_VERSION 2"},
		{"through a macro", kit + "#ifdef _KIT_THING\n#else\n#define POOL NonPagedPool\n#endif\nvoid f(void) { ExAllocatePool(POOL, 1); }\n", "_KIT_THING 2"},
		{"in a header", kit + "#ifndef _KIT_THING\n#include \"h.h\"\n#endif\n", "_KIT_THING 2"},
		{"behind the branch", kit + "#ifdef _KIT_THING\n#endif\n" + call, ""},
		{"decided without it", kit + "#if 1 || _KIT_THING\n" + call + "#endif\n", ""},
		{"before any header", "#ifndef _KIT_THING\n" + call + "#endif\n" + kit, ""},
		{"a guard", kit + "#ifndef _GUARD_H\n#define _GUARD_H\n" + call + "#endif\n", ""},
		{"a name of the driver", kit + "#ifndef MY_OPTION\n" + call + "#endif\n", ""},
		{"a name of the driver, whose header is missing", kit + "#include \"options.h\"\n#ifndef MY_OPTION\n" + call + "#endif\n", "MY_OPTION 3"},
		{"a name of tracing's header", kit + "#include \"trace.tmh\"\n#ifndef MY_OPTION\n" + call + "#endif\n", ""},
		{"another compiler", kit + "#ifndef __GNUC__\n" + call + "#endif\n", ""},
		{"defined", kit + "#define _KIT_THING\n#ifdef _KIT_THING\n" + call + "#endif\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := readFiles(t, map[string]string{"f.c": tt.text, "h.h": call}).Images[0]
			if len(m.Sites) != 1 {
				t.Fatalf("%d sites", len(m.Sites))
			}
			got := ""
			for _, s := range m.Sites[0].Value.Steps {
				if name, ok := strings.CutPrefix(s.Says, "assumed: "); ok {
					got += fmt.Sprintf("%s %d", strings.Fields(name)[0], s.Line)
				}
			}
			if got != tt.want {
				t.Errorf("assumed %q, want %q", got, tt.want)
			}
			fact := slices.ContainsFunc(m.Facts, func(f driver.Fact) bool { return f.Kind == driver.Assumption })
			if tt.want != "" && !fact {
				t.Error("no fact says it")
			}
		})
	}
}

// A driver's macro by the name of a DDI is expanded: the request that is really made counts, once, where it is written.
func TestDDIsThatAreMacros(t *testing.T) {
	for _, tt := range []struct{ define, want string }{
		{"#define ExAllocatePool(a, b) ExAllocatePoolWithTag(a, b, 'x')", "ExAllocatePoolWithTag NonPagedPool"},
		{"#define ExAllocatePool(a, b) ExAllocatePool(PagedPool, (b) + 8)", "ExAllocatePool PagedPool"},
		{"#define ExAllocatePool(a, b) Mine(b)", ""},
		{"#define ExAllocatePool(a, b)", ""},
	} {
		r := readFiles(t, map[string]string{"f.c": "#include <ntddk.h>\n" + tt.define + "\nvoid f(void) { ExAllocatePool(NonPagedPool, 1); }\n"})
		var got []string
		for _, s := range r.Images[0].Sites {
			got = append(got, s.DDI.Name+" "+s.Value.Terms[0].String())
			if s.Place.Line != 3 {
				t.Errorf("%s: the request stands on line %d", tt.define, s.Place.Line)
			}
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("%s: %s, want %s", tt.define, s, tt.want)
		}
		for _, p := range r.Declarations {
			if p.Line == 3 && tt.want != "" {
				t.Errorf("%s: the request counts as a declaration, too", tt.define)
			}
		}
		for _, s := range r.Dormant {
			if s.Place.Line == 3 {
				t.Errorf("%s: its use counts as %s", tt.define, s.State)
			}
		}
	}
}

// What one build must assume, another knows: a function that both read from the same tokens tells each its own.
func TestAssumedInOneBuild(t *testing.T) {
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	text := "#include <ntddk.h>\n#include \"missing.h\"\n#if FOO\n#else\nvoid f(void) { ExAllocatePool(PagedPool, 1); }\n#endif\n"
	var builds []*project.Build
	for _, defines := range [][]project.Define{nil, {{Name: "FOO", Value: "0"}}} {
		o := &project.Options{Processor: nx.X64, Language: project.C, Defines: defines}
		builds = append(builds, &project.Build{Build: driver.Build{ID: fmt.Sprint(len(builds))}, Units: []*project.Unit{{Path: "f.c", Options: o}}})
	}
	for i, m := range Read(tr.With(map[string][]byte{"f.c": []byte(text)}), builds, Options{DDIs: nx.DDIs()}).Images {
		if len(m.Sites) != 1 || len(m.Sites[0].Value.Steps) != 1-i {
			t.Errorf("build %d: %+v", i, m.Sites)
		}
	}
}
