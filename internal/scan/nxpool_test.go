package scan

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/header"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

// gnuTree is a driver that gcc builds; the file's head, its entry's first lines and the flags are each test's own.
func gnuTree(head, first, flags string) string {
	return "-- Makefile --\nCC = x86_64-w64-mingw32-gcc\ndrv.sys: drv.o\n\t$(CC) -shared -Wl,--subsystem,native -o $@ $^\ndrv.o: drv.c\n\t$(CC) " + flags + " -c drv.c\n" +
		"-- drv.c --\n" + head + "\nNTSTATUS DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)\n{\n" + first +
		"\n    return ExAllocatePoolWithTag(NonPagedPool, 1, 1) ? 0 : 1;\n}\n"
}

// With headers that know no opt-in, the macros have an effect where nxpool.h is included, and none without it.
func TestOptInByNXPool(t *testing.T) {
	const (
		both  = "#include <ntddk.h>\n#include \"nxpool.h\""
		call  = "    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);"
		optIn = "-DPOOL_NX_OPTIN=1"
	)
	onARM := func(tree string) string {
		return strings.Replace(tree, "x86_64-w64-mingw32-gcc", "clang --target=aarch64-w64-mingw32", 1)
	}
	for _, tt := range []struct {
		name, tree string
		mechanism  nx.Mechanism
		on         string // the request's values on Windows 7 and 10
		findings   string
	}{
		{"both", gnuTree(both, call, optIn), nx.OptIn, "[0] [512]", ""},
		{"nxpool.h is there", gnuTree(both, call, optIn) + "-- nxpool.h --\n" + header.Text(), nx.OptIn, "[0] [512]", ""},
		{"no call", gnuTree(both, "", optIn), nx.OptIn, "[0] [0]", "NX0001"},
		{"no macro", gnuTree(both, call, ""), nx.None, "[0] [0]", "C30030 NX0002"},
		{"auto", gnuTree(both, "", "-DPOOL_NX_OPTIN_AUTO=1 -D_WIN32_WINNT=0x0602"), nx.OptInAuto, "[] [512]", ""},
		{"opted out", gnuTree("#define POOL_NX_OPTOUT 1\n"+both, "", optIn), nx.None, "[0] [0]", "C30032"},
		{"opted out between the two", gnuTree("#include <ntddk.h>\n#define POOL_NX_OPTOUT 1\n#include \"nxpool.h\"", "", optIn), nx.None, "[0] [0]", "C30032"},
		{"opted out too late", gnuTree(both+"\n#define POOL_NX_OPTOUT 1", call, optIn), nx.OptIn, "[0] [512]", "NX0007"},
		{"opted out by 0", gnuTree("#define POOL_NX_OPTOUT 0\n"+both, call, optIn), nx.OptIn, "[0] [512]", "NX0007"},
		{"the macro between the two", gnuTree("#include <ntddk.h>\n#define POOL_NX_OPTIN 1\n#include \"nxpool.h\"", call, ""), nx.OptIn, "[0] [512]", ""},
		{"the macro too late", gnuTree(both+"\n#define POOL_NX_OPTIN 1", call, ""), nx.None, "[0] [0]", "C30030 NX0002 NX0005"},
		{"both macros", gnuTree(both, call, optIn+" -DPOOL_NX_OPTIN_AUTO=1 -D_WIN32_WINNT=0x0602"), nx.OptInAuto, "[] [512]", "NX0002 NX0006"},
		{"forced", gnuTree("", call, optIn+" -include ntddk.h -include nxpool.h"), nx.OptIn, "[0] [512]", ""},
		{"the kit forced", gnuTree("#include \"nxpool.h\"", call, optIn+" -include ntddk.h"), nx.OptIn, "[0] [512]", ""},
		{"by a header", gnuTree("#include \"drv.h\"", call, optIn) + "-- drv.h --\n" + both + "\n", nx.OptIn, "[0] [512]", ""},
		{"in a directory", gnuTree("#include <wdm.h>\n#include <inc/NXPool.h>", call, optIn), nx.OptIn, "[0] [512]", ""},
		{"twice", gnuTree(both+"\n#include \"nxpool.h\"\n#include <ndis.h>", call, optIn), nx.OptIn, "[0] [512]", ""},
		{"ARM64", onARM(gnuTree(both, "", "-D_WIN32_WINNT=0x0A00")), nx.OptInAuto, "[] [512]", ""},
		{"asked by the source", gnuTree(both, "#ifdef NonPagedPool\n"+call+"\n#endif", optIn), nx.OptIn, "[0] [512]", ""},

		{"without", gnuTree("#include <ntddk.h>", "#ifdef NonPagedPool\n"+call+"\n#endif", optIn), nx.None, "[0] [0]", "C30030"},
		{"without, auto", gnuTree("#include <ntddk.h>", "", "-DPOOL_NX_OPTIN_AUTO=1 -D_WIN32_WINNT=0x0602"), nx.None, "[] [0]", "C30030"},
		{"without, ARM64", onARM(gnuTree("#include <ntddk.h>", "", "-D_WIN32_WINNT=0x0A00")), nx.None, "[] [0]", "C30030"},
		{"without, the macro after the kit", gnuTree("#include <ntddk.h>\n#define POOL_NX_OPTIN 1", "", ""), nx.None, "[0] [0]", "C30030"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := scanned(t, tt.tree)
			if len(r.Images) != 1 || len(r.Images[0].Sites) != 1 || len(r.Dormant) > 0 {
				t.Fatalf("%d images, %d requests that no build reaches: %v %v", len(r.Images), len(r.Dormant), r.Skipped, r.Dormant)
			}
			m := r.Images[0]
			values := []nx.Version{nx.Windows7, nx.Windows10}
			on := ""
			for _, w := range values {
				on += " " + fmt.Sprint(slices.DeleteFunc(slices.Clone(m.Sites[0].On(w).Values), func(uint32) bool { return w.Before(m.Build.Minimum) }))
			}
			if m.Build.Mechanism != tt.mechanism || on != " "+tt.on {
				t.Errorf("%s,%s; want %s, %s", m.Build.Mechanism, on, tt.mechanism, tt.on)
			}
			if got := rulesOf(r); got != tt.findings {
				t.Errorf("findings %q, want %q", got, tt.findings)
			}
		})
	}
}

// What is not opted in for want of nxpool.h says so: the macro without effect, where that is, and what to do. No fix defines it again.
func TestOptInUnknownToTheKit(t *testing.T) {
	r := scanned(t, gnuTree("#include <ntddk.h>", "", "-DPOOL_NX_OPTIN=1"))
	if len(r.Findings) != 1 || r.Findings[0].Fix != nil {
		t.Fatalf("%v", r.Findings)
	}
	f := r.Findings[0]
	if want := "; its kit's headers know no opt-in: nxport port --kit mingw adds nxpool.h, which has it"; !strings.HasSuffix(f.Message, want) {
		t.Errorf("it says %q", f.Message)
	}
	want := driver.Step{Place: driver.Place{Path: "drv.c", Line: 1, Column: 1}, Says: "POOL_NX_OPTIN has no effect: mingw-w64's headers, included here, know no opt-in"}
	if len(f.Steps) != 1 || f.Steps[0] != want {
		t.Errorf("steps %v, want %v", f.Steps, want)
	}
	// Microsoft's kits know it, and a SOURCES says that it is built with one of theirs.
	r = scanned(t, "-- sources --\nTARGETNAME=drv\nTARGETTYPE=DRIVER\nSOURCES=drv.c\n"+strings.SplitAfterN(gnuTree("#include <ntddk.h>", "", ""), "-c drv.c\n", 2)[1])
	if len(r.Findings) != 1 || r.Findings[0].Fix == nil || len(r.Findings[0].Fix.Defines) != 1 {
		t.Errorf("%v", r.Findings)
	}
}

// scanned scans a tree.
func scanned(t *testing.T, archive string) *Result {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, f := range txtar.Parse([]byte(archive)).Files {
		if err := os.MkdirAll(filepath.Dir(f.Name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Run([]string{"."}, Options{DDIs: nx.DDIs(), Jobs: 2})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rulesOf names the rules of all findings above a note, sorted.
func rulesOf(r *Result) string {
	var list []string
	for _, f := range r.Findings {
		if f.Level > rule.Note || f.Rule.ID == "NX0002" || f.Rule.ID == "NX0007" {
			list = append(list, f.Rule.ID)
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}
