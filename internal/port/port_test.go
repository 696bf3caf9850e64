package port

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/internal/report"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/internal/scan"
	"github.com/nxport/nxport/nx"
)

// unpack writes an archive into a new directory and goes there.
func unpack(t *testing.T, archive string) *txtar.Archive {
	t.Helper()
	t.Chdir(t.TempDir())
	a := txtar.Parse([]byte(archive))
	for _, f := range a.Files {
		if err := os.MkdirAll(filepath.Dir(f.Name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// pack reads the files of an archive back.
func pack(t *testing.T, a *txtar.Archive) string {
	t.Helper()
	var out txtar.Archive
	for _, f := range a.Files {
		data, err := os.ReadFile(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		out.Files = append(out.Files, txtar.File{Name: f.Name, Data: data})
	}
	return string(txtar.Format(&out))
}

func options() scan.Options { return scan.Options{DDIs: nx.DDIs(), Jobs: 2} }

// run ports the working directory and writes the result.
func run(t *testing.T, goal Goal) *Result {
	t.Helper()
	return runWith(t, goal, options())
}

func runWith(t *testing.T, goal Goal, o scan.Options) *Result {
	t.Helper()
	r, err := Run([]string{"."}, goal, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Write(false); err != nil {
		t.Fatal(err)
	}
	return r
}

// example gives the documentation of a rule.
func example(id string) rule.Doc {
	return rule.All()[slices.IndexFunc(rule.All(), func(r *rule.Rule) bool { return r.ID == id })].Doc
}

// findings are those of one rule in the working directory.
func findings(t *testing.T, id string) []rule.Finding {
	t.Helper()
	r, err := scan.Run([]string{"."}, options())
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(r.Findings, func(f rule.Finding) bool { return f.Rule.ID != id })
}

// The documentation of every rule is true: Before breaks the rule, the port makes After of it where the rule has a fix, and
// After passes all, but for what it keeps executable on purpose.
func TestDocumentationOfRules(t *testing.T) {
	for _, r := range rule.All() {
		if r.OnlyBuilt() {
			continue // package rule has its examples
		}
		t.Run(r.ID, func(t *testing.T) {
			a := unpack(t, r.Doc.Before)
			found := findings(t, r.ID)
			if len(found) == 0 {
				t.Errorf("Before does not break %s", r.ID)
			}
			if slices.ContainsFunc(found, func(f rule.Finding) bool { return f.Fix != nil }) {
				o := options()
				o.Unsafe = true
				result := runWith(t, AutoSelect, o)
				if got := pack(t, a); got != strings.TrimPrefix(r.Doc.After, "\n") {
					t.Errorf("the port makes\n%s\nwant\n%s", got, r.Doc.After)
				}
				if len(result.Left) > 0 {
					t.Errorf("left: %v", result.Left)
				}
			}
			unpack(t, r.Doc.After)
			for _, other := range rule.All() {
				if slices.ContainsFunc(findings(t, other.ID), func(f rule.Finding) bool { return !f.Kept }) {
					t.Errorf("After breaks %s", other.ID)
				}
			}
		})
	}
}

// Porting twice changes nothing.
func TestPortIsIdempotent(t *testing.T) {
	for _, r := range rule.All() {
		if r.OnlyBuilt() {
			continue
		}
		unpack(t, r.Doc.Before)
		run(t, OptIn)
		if again := run(t, OptIn); len(again.Changes) > 0 {
			t.Errorf("%s: a second port changes %s", r.ID, edit.Diff(again.Changes))
		}
	}
}

func TestOptInAutoIsRefusedBelowWindows8(t *testing.T) {
	unpack(t, example("C30030").Before)
	_, err := Run([]string{"."}, OptInAuto, options())
	refused, ok := errors.AsType[*RefusedError](err)
	if !ok || !strings.Contains(refused.Reason, "goes down to Windows 7 in drv.vcxproj (Release|x64):") {
		t.Errorf("%v", err)
	}
}

// A driver that starts at Windows 10 can take the other way, which needs no call.
func TestOptInAuto(t *testing.T) {
	a := unpack(t, strings.Replace(example("C30030").Before, "Windows7", "Windows10", 1))
	run(t, OptInAuto)
	got := pack(t, a)
	if !strings.Contains(got, "DRV=1;POOL_NX_OPTIN_AUTO=1;%(Pre") || strings.Contains(got, "ExInitializeDriverRuntime") {
		t.Errorf("got\n%s", got)
	}
}

const shared = `
-- drv.vcxproj --
<Project>
  <ItemGroup Label="ProjectConfigurations">
    <ProjectConfiguration Include="Debug|x64" />
    <ProjectConfiguration Include="Release|x64" />
  </ItemGroup>
  <PropertyGroup>
    <ConfigurationType>Driver</ConfigurationType>
    <TargetVersion>Windows7</TargetVersion>
  </PropertyGroup>
  <ItemDefinitionGroup>
    <ClCompile>
      <PreprocessorDefinitions>%(PreprocessorDefinitions)</PreprocessorDefinitions>
    </ClCompile>
  </ItemDefinitionGroup>
  <ItemGroup>
    <ClCompile Include="drv.c" />
    <ClCompile Include="jit.c" />
  </ItemGroup>
</Project>
-- SOURCES --
TARGETNAME=drv
TARGETTYPE=DRIVER
C_DEFINES=$(C_DEFINES) -DDRV
SOURCES=drv.c jit.c
-- drv.c --
#include <ntddk.h>
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
	PVOID Buffer;

	Buffer = ExAllocatePoolWithTag(NonPagedPool, 4096, 'xErD');
	return STATUS_SUCCESS;
}
-- jit.c --
#include <ntddk.h>
PVOID JitCode(SIZE_T Size)
{
	return ExAllocatePoolWithTag(NonPagedPoolExecute, Size, 'tiJD');
}
`

// One entry routine shared by a new and an old kit: both halves in every build, the call once and guarded, and a
// request that names executable memory itself is left alone and named.
func TestSharedWithAnOldKit(t *testing.T) {
	a := unpack(t, shared)
	r := run(t, OptIn)
	got := pack(t, a)
	for _, want := range []string{
		"<PreprocessorDefinitions>POOL_NX_OPTIN=1;%(PreprocessorDefinitions)</PreprocessorDefinitions>",
		"C_DEFINES=$(C_DEFINES) -DDRV -DPOOL_NX_OPTIN=1\n",
		"\tPVOID Buffer;\n\n#ifdef NonPagedPool // a kit that knows POOL_NX_OPTIN redefines it\n" +
			"\tExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n#endif\n\n\tBuffer =",
	} {
		if strings.Count(got, want) != 1 {
			t.Errorf("%q does not stand once in\n%s", want, got)
		}
	}
	if len(r.Left) != 0 || len(r.Kept) != 1 || r.Kept[0].Site.Function != "JitCode" {
		t.Errorf("left %v, kept %v", r.Left, r.Kept)
	}
	for _, m := range r.After {
		if m.Build.Mechanism != nx.OptIn || m.Build.Initialised != driver.InitYes {
			t.Errorf("%s: %s, %s", m.Build.ID, m.Build.Mechanism, m.Build.Initialised)
		}
	}
	// What the old kit makes of it is no success, and that is said each time.
	for _, r := range []*Result{r, run(t, OptIn)} {
		said := reported(r)
		for _, want := range []string{
			"warning: what WDK 7.1 builds stays executable on every Windows, whatever is defined, ",
			"or port with --kit mingw, which adds nxpool.h: SOURCES (free|x86, checked|x86, free|amd64, checked|amd64)\n",
			"SOURCES (free|x86, checked|x86, free|amd64, checked|amd64), with a kit that knows the opt-in or with nxpool.h:\n",
			"drv.vcxproj (Debug|x64, Release|x64):\n",
		} {
			if strings.Count(said, want) != 1 {
				t.Errorf("%q is not said once in\n%s", want, said)
			}
		}
	}
}

// reported is what is said of a port that was written.
func reported(r *Result) string {
	var b strings.Builder
	report.Port(&b, &r.Ported, true)
	return b.String()
}

// Each kit that knows no opt-in is warned of, and none that does, nor a build that defines nothing.
func TestOldKits(t *testing.T) {
	const gnu = "-- Makefile --\ndrv.sys: drv.o\n\tx86_64-w64-mingw32-gcc -shared -nostdlib -Wl,--subsystem,native -Wl,--entry,DriverEntry -o $@ drv.o -lntoskrnl\n" +
		"drv.o: drv.c\n\tx86_64-w64-mingw32-gcc -c %s drv.c -o $@\n"
	for name, tt := range map[string]struct{ tree, want string }{
		"one":                  {strings.Replace(shared, "-- jit.c", "-- x.c", 1), "WDK 7.1"},
		"two":                  {strings.Replace(gnu, "%s", "-DPOOL_NX_OPTIN=1", 1) + shared, "WDK 7.1 mingw-w64"},
		"nothing is asked for": {strings.NewReplacer("NonPagedPool,", "PagedPool,", "NonPagedPoolExecute,", "PagedPool,").Replace(shared), ""},
		"a later kit":          {projectOf("", "#include <ntddk.h>\nint DriverEntry(void)\n{\n    return ExAllocatePool(NonPagedPool, 1) != 0;\n}\n"), ""},
	} {
		unpack(t, tt.tree)
		var got []string
		for line := range strings.Lines(reported(run(t, OptIn))) {
			if rest, ok := strings.CutPrefix(line, "warning: what "); ok {
				kit, _, _ := strings.Cut(rest, " builds")
				got = append(got, kit)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: warned of %q, want %q", name, got, tt.want)
		}
	}
}

// The call is not known in a file that never comes to wdm.h: nothing is done then, and what to do is said.
func TestEntryWithoutTheKit(t *testing.T) {
	const request = "\nPVOID Get(void) { return ExAllocatePool(NonPagedPool, 1); }\n"
	const entry = "\nint DriverEntry(void) { return Get() != 0; }\n"
	for head, refused := range map[string]bool{
		"":                      true,
		"#include <ntdef.h>":    true,
		"#include <storport.h>": true,
		"#include <stdarg.h>\n#include <StorPort.h>": true,
		"#include <wdm.h>":                           false,
		"#include <storport.h>\n#include <ndis.h>":   false,
		"#include \"drv.h\"":                         false, // it is not there, and may bring the kit
		"#include <stdarg.h>\n#include <wdf.h>":      false,
	} {
		for target, advice := range map[string]string{"Windows7": "include one there", "Windows10": "include one there, or take --to optin-auto, which needs no call"} {
			tree := strings.Replace(projectOf("", head+entry), "Windows7", target, 1)
			unpack(t, strings.Replace(tree, `<ClCompile Include="drv.c" />`, `<ClCompile Include="drv.c" /><ClCompile Include="get.c" />`, 1)+"-- get.c --\n#include <ntddk.h>"+request)
			r := run(t, OptIn)
			said := reported(r)
			if got := len(r.Changes) == 0; got != refused {
				t.Errorf("%q: changed\n%s", head, edit.Diff(r.Changes))
			}
			want := "it can't be opted in: the file of DriverEntry includes none of wdm.h, ntddk.h and ntifs.h, so that it knows no call: " + advice + "\n"
			if strings.Contains(said, want) != refused || (len(r.Left) == 0) == refused {
				t.Errorf("%q, %s: says\n%s", head, target, said)
			}
			if target != "Windows10" || !refused {
				continue
			}
			if r := run(t, OptInAuto); len(r.Changes) != 1 || len(r.Left) > 0 {
				t.Errorf("%q: optin-auto leaves %v", head, r.Left)
			}
		}
	}
	// Of several headers that are not there, one that never brings the kit does not stand for it.
	unpack(t, projectOf("", "#include <stdarg.h>\n#define POOL_NX_OPTIN 1\n#include <wdf.h>\nint DriverEntry(void)\n{\n    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n"+
		"    return ExAllocatePool(NonPagedPool, 1) != 0;\n}\n"))
	if r := run(t, OptIn); len(r.Changes)+len(r.Left) > 0 {
		t.Errorf("left %v, changed\n%s", r.Left, edit.Diff(r.Changes))
	}
}

// Where one header brings the kit to all units of two build files, one line there serves both, though the SOURCES file
// alone would take no more.
func TestOneLineInAHeaderServesAll(t *testing.T) {
	const definitions = `      <PreprocessorDefinitions>%(PreprocessorDefinitions)</PreprocessorDefinitions>`
	a := unpack(t, strings.NewReplacer("<ntddk.h>", `"drv.h"`, "  <ItemDefinitionGroup>\n    <ClCompile>\n"+definitions+"\n    </ClCompile>\n  </ItemDefinitionGroup>\n",
		group("Debug", definitions)+group("Release", definitions)).Replace(shared)+"-- drv.h --\n#define DRV_INTERNAL\n#include <ntddk.h>\n")
	r := run(t, OptIn)
	var changed []string
	for _, c := range r.Changes {
		changed = append(changed, c.Path)
	}
	if !slices.Equal(changed, []string{"drv.c", "drv.h"}) {
		t.Errorf("changed %v", changed)
	}
	if got := pack(t, a); !strings.Contains(got, "#define DRV_INTERNAL\n#define POOL_NX_OPTIN 1\n#include <ntddk.h>\n") {
		t.Errorf("got\n%s", got)
	}
	for _, m := range r.After {
		if m.Build.Mechanism != nx.OptIn || m.Build.Initialised != driver.InitYes {
			t.Errorf("%s: %s, %s", m.Build.ID, m.Build.Mechanism, m.Build.Initialised)
		}
	}
}

func group(configuration, definitions string) string {
	return "  <ItemDefinitionGroup Condition=\"'$(Configuration)'=='" + configuration + "'\">\n    <ClCompile>\n" + definitions +
		"\n    </ClCompile>\n  </ItemDefinitionGroup>\n"
}

// The call that one build needs stands in another, too, where the findings are suppressed: that one is opted in with the next
// scan, and both by one line.
func TestOneLineForWhatALaterRoundBrings(t *testing.T) {
	vcxproj, _, _ := strings.Cut(shared, "-- SOURCES --")
	vcxproj = strings.Replace(vcxproj, `    <ClCompile Include="jit.c" />`+"\n", "", 1)
	a := unpack(t, strings.Replace(vcxproj, "  <ItemDefinitionGroup>\n", group("Debug", `      <PreprocessorDefinitions>OLD=1;%(PreprocessorDefinitions)</PreprocessorDefinitions>`)+
		"  <ItemDefinitionGroup>\n", 1)+`-- drv.c --
#include <ntddk.h>
int DriverEntry(void)
{
#ifdef OLD
#pragma warning(suppress: 30030)
    Use(ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD'));
#else
    Use(ExAllocatePoolWithTag(NonPagedPool, 2, 'xErD'));
#endif
    return 0;
}
`)
	r := run(t, OptIn)
	got := pack(t, a)
	const line = "      <PreprocessorDefinitions>POOL_NX_OPTIN=1;%(PreprocessorDefinitions)</PreprocessorDefinitions>\n"
	if strings.Count(got, line) != 1 || strings.Count(got, "POOL_NX_OPTIN") != 1 || len(r.Left) > 0 {
		t.Errorf("left %v, got\n%s", r.Left, got)
	}
	for _, m := range r.After {
		if m.Build.Mechanism != nx.OptIn || m.Build.Initialised != driver.InitYes {
			t.Errorf("%s: %s, %s", m.Build.ID, m.Build.Mechanism, m.Build.Initialised)
		}
	}
}

// What stays executable because its finding is suppressed is not passed over in silence; what is mended all the same is.
func TestSuppressedIsCounted(t *testing.T) {
	for text, want := range map[string]string{
		"MmMapIoSpace(a, 1, MmNonCached)": "1 finding suppressed in the source: nxport scan --show-suppressed lists",
		"ExAllocatePool(NonPagedPool, 2)": "",
	} {
		text = "#include <ntddk.h>\nint DriverEntry(void)\n{\n#pragma warning(suppress: 30029 30030)\n    Use(" + text + ");\n    Use(ExAllocatePool(NonPagedPool, 1));\n    return 0;\n}\n"
		unpack(t, projectOf("", text))
		r := run(t, OptIn)
		var b strings.Builder
		report.Port(&b, &r.Ported, true)
		if got := strings.Contains(b.String(), "suppressed in the source"); got != (want != "") || !strings.Contains(b.String(), want) {
			t.Errorf("%s: want %q in\n%s", text, want, b.String())
		}
	}
}

// A library that is named alone is opted in, and it is said that its drivers must make the call; a build that requests nothing is
// not listed.
func TestLibraryAlone(t *testing.T) {
	library := strings.Replace(projectOf("", "#include <ntddk.h>\nvoid *Get(void) { return ExAllocatePool(NonPagedPool, 1); }\n"),
		">Driver</ConfigurationType>", ">StaticLibrary</ConfigurationType><PlatformToolset>WindowsKernelModeDriver10.0</PlatformToolset>", 1)
	for _, tt := range []struct {
		name, tree string
		says       bool
	}{
		{"alone", library, true},
		{"opted in before", strings.Replace(library, "<PreprocessorDefinitions>", "<PreprocessorDefinitions>POOL_NX_OPTIN=1;", 1), false},
		{"requests nothing", strings.Replace(library, "ExAllocatePool(NonPagedPool, 1)", "0", 1), false},
	} {
		unpack(t, tt.tree)
		r := run(t, OptIn)
		var b strings.Builder
		report.Port(&b, &r.Ported, true)
		if got := strings.Contains(b.String(), "drv.vcxproj (Release|x64): no driver that links this was named: each must call"); got != tt.says {
			t.Errorf("%s: says it: %v, want %v\n%s", tt.name, got, tt.says, b.String())
		}
		if got := strings.Contains(b.String(), "drv.vcxproj (Release|x64):\n"); got == (tt.name == "requests nothing") {
			t.Errorf("%s: lists the build: %v\n%s", tt.name, got, b.String())
		}
	}
}

// projectOf gives a driver of one file.
func projectOf(definitions, text string) string {
	return strings.Replace(strings.Replace(example("C30030").Before, "DRV=1;", definitions, 1),
		example("C30030").Before[strings.Index(example("C30030").Before, "-- drv.c --"):], "-- drv.c --\n"+text, 1)
}

// A call that is too late is moved only where nothing else hangs on it.
func TestLateCall(t *testing.T) {
	const request = "    PVOID p;\n\n    p = ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD');\n"
	const call = "ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n"
	for name, tt := range map[string]struct{ before, after string }{
		"alone":              {"    " + call, ""},
		"under an if":        {"    if (p)\n        " + call, "    if (p)\n        " + call},
		"in an else":         {"    if (p)\n        Use(p);\n    else\n        " + call, "    if (p)\n        Use(p);\n    else\n        " + call},
		"behind a directive": {"#if NTDDI_VERSION >= 0\n    Use(p);\n    " + call + "    Use(p);\n#endif\n", "#if NTDDI_VERSION >= 0\n    Use(p);\n    Use(p);\n#endif\n"},
		"beside others":      {"    Use(p); " + call, "    Use(p); " + call},
		"with a variable":    {"    if (p) {\n        ULONG f = DrvRtPoolNxOptIn;\n        ExInitializeDriverRuntime(f);\n    }\n", "    if (p) {\n        ULONG f = DrvRtPoolNxOptIn;\n        ExInitializeDriverRuntime(f);\n    }\n"},
	} {
		t.Run(name, func(t *testing.T) {
			const head, tail = "#include <ntddk.h>\nint DriverEntry(void)\n{\n", "    return 0;\n}\n"
			a := unpack(t, projectOf("POOL_NX_OPTIN=1;", head+request+tt.before+tail))
			r := run(t, OptIn)
			_, got, _ := strings.Cut(pack(t, a), "-- drv.c --\n")
			if want := head + strings.Replace(request, "\n\n", "\n\n    "+call+"\n", 1) + tt.after + tail; got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if len(r.Left) > 0 {
				t.Errorf("left %v", r.Left)
			}
		})
	}
}

// Windows may enter by two routines: both get the call; a method of the same name does not.
func TestTwoEntryRoutines(t *testing.T) {
	a := unpack(t, strings.ReplaceAll(projectOf("", `#include <ntddk.h>
extern "C" {
NTSTATUS DriverEntry(PDRIVER_OBJECT o, PUNICODE_STRING r) { return ExAllocatePool(NonPagedPool, 1) ? 0 : 1; }
NTSTATUS DllInitialize(PUNICODE_STRING r)
{
    return 0;
}
}
NTSTATUS Log::DriverEntry() { return 0; }
`), "drv.c", "drv.cpp"))
	run(t, OptIn)
	const call = "ExInitializeDriverRuntime(DrvRtPoolNxOptIn);"
	got := pack(t, a)
	for _, want := range []string{"r) { " + call + " return", "{\n    " + call + "\n    return 0;", "Log::DriverEntry() { return 0; }"} {
		if strings.Count(got, want) != 1 {
			t.Errorf("%q does not stand once in\n%s", want, got)
		}
	}
}

// Where no call can be made, that is said, and nothing is changed.
func TestNoPlaceForTheCall(t *testing.T) {
	for text, want := range map[string]string{
		"void Start(void) { ExAllocatePool(NonPagedPool, 1); }\n":                                                   "no DriverEntry or DllInitialize was found",
		"#define ENTRY NTSTATUS DriverEntry(void) { ExAllocatePool(NonPagedPool, 1); }\nENTRY\n":                    "the body of DriverEntry comes out of a macro",
		"#define POOL_NX_OPTOUT 1\n#define POOL_NX_OPTIN 1\n#include <ntddk.h>\nint DriverEntry(void) { Get(); }\n": "the file of DriverEntry opts out",
	} {
		unpack(t, projectOf("", "#include <wdmguid.h>\n"+text)+"-- other.c --\n#include <ntddk.h>\nvoid Get(void) { ExAllocatePool(NonPagedPool, 2); }\n")
		other, _ := os.ReadFile("drv.vcxproj")
		if err := os.WriteFile("drv.vcxproj", []byte(strings.Replace(string(other), `<ClCompile Include="drv.c" />`,
			`<ClCompile Include="drv.c" /><ClCompile Include="other.c" />`, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		r := run(t, OptIn)
		if len(r.Changes) > 0 || len(r.Left) == 0 || !strings.Contains(r.Left[0].Message, want) {
			t.Errorf("%s: changes %v, left %v; want %q", text, edit.Diff(r.Changes), r.Left, want)
		}
	}
}

// A file that opted out does so on purpose: it is named, and not changed.
func TestOptedOutFileIsLeftAlone(t *testing.T) {
	a := unpack(t, strings.Replace(shared, "-- jit.c --\n", "-- jit.c --\n#define POOL_NX_OPTOUT 1\n", 1))
	run(t, OptIn)
	r := run(t, OptIn)
	if len(r.Left)+len(r.Changes) > 0 || len(r.Kept) != 1 || r.Kept[0].Rule.ID != "C30032" {
		t.Errorf("left %v, kept %v, changes %v", r.Left, r.Kept, edit.Diff(r.Changes))
	}
	if !strings.Contains(pack(t, a), "-- jit.c --\n#define POOL_NX_OPTOUT 1\n#include") {
		t.Error("jit.c was changed")
	}
	for _, m := range r.After {
		if e := m.Build.Exceptions; len(e) != 1 || e[0].Path != "jit.c" || e[0].Mechanism != nx.OptedOut {
			t.Errorf("%s: exceptions %v", m.Build.ID, e)
		}
	}
}

// Nothing outside of what was named is written.
func TestNothingOutsideIsWritten(t *testing.T) {
	unpack(t, strings.NewReplacer("-- drv.vcxproj --", "-- p/drv.vcxproj --", `Include="drv.c"`, `Include="..\drv.c"`).
		Replace(example("C30030").Before))
	r, err := Run([]string{"p"}, OptIn, options())
	if err != nil || len(r.Changes) > 0 || len(r.Left) == 0 || !slices.Equal(r.Alone, []string{"drv.c: it lies outside of what was named: name a directory that holds it"}) {
		t.Errorf("%v, left %v, alone %q, changed\n%s", err, r.Left, r.Alone, edit.Diff(r.Changes))
	}
}

// What the lowest Windows has no other routine for is named, and no failure; what it has one for is left to do.
func TestNoAlternative(t *testing.T) {
	for _, tt := range []struct {
		target              string
		noAlternative, left int
	}{{"Windows7", 1, 0}, {"Windows8", 1, 0}, {"Windows10", 0, 1}} { // MmMapIoSpaceEx came with Windows 10
		unpack(t, strings.Replace(projectOf("", "#include <ntddk.h>\nvoid Map(PHYSICAL_ADDRESS a) { MmMapIoSpace(a, 1, MmNonCached); }\n"), "Windows7", tt.target, 1))
		if r := run(t, OptIn); len(r.NoAlternative) != tt.noAlternative || len(r.Left) != tt.left {
			t.Errorf("%s: no alternative %v, left %v", tt.target, r.NoAlternative, r.Left)
		}
	}
}

// What is to be opted in beside something that is already takes the same mechanism, whatever is asked for: two in one file
// do not compile.
func TestTheSameMechanism(t *testing.T) {
	auto := strings.NewReplacer("POOL_NX_OPTIN=1", "POOL_NX_OPTIN_AUTO=1", "Windows7", "Windows10", "    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n", "")
	for _, id := range []string{"NX0004", "NX0013"} { // another configuration, a library
		a := unpack(t, auto.Replace(example(id).Before))
		r := run(t, OptIn)
		if got, want := pack(t, a), auto.Replace(example(id).After); got != want || len(r.Left) > 0 {
			t.Errorf("%s: left %v, got\n%s\nwant\n%s", id, r.Left, got, want)
		}
	}
}

// A port names the requests whose memory seems to be executed; one that names executable memory itself stays as it is.
func TestExecutedMemoryIsNamed(t *testing.T) {
	for _, tt := range []struct{ name, text, says string }{
		{"opted in", example("NX0016").Before, "an opt-in makes it no-execute memory"},
		{"kept", example("NX0016").After, "memory integrity (HVCI) does not permit that"},
	} {
		unpack(t, tt.text)
		r := run(t, OptIn)
		if len(r.Executed) != 1 || !strings.Contains(r.Executed[0].Message, tt.says) || len(r.Left) > 0 {
			t.Errorf("%s: executed %+v, left %+v", tt.name, r.Executed, r.Left)
		}
		var b strings.Builder
		report.Port(&b, &r.Ported, true)
		const kept = "drv.c:7:19: ExAllocatePoolWithTag(NonPagedPoolExecute), because its memory seems to be executed: drv.c:9: "
		if text := b.String(); !strings.Contains(text, kept) || strings.Contains(text, "no sign was found") {
			t.Errorf("%s: printed\n%s", tt.name, text)
		}
	}
}

// What would not compile under POOL_NX_OPTIN is not written: where the driver starts at Windows 8 there is another way, else
// the port is refused. One that does not compile as it is stops nothing, though its line moves.
func TestConstantsAreNotBroken(t *testing.T) {
	const text = "#include <ntddk.h>\nstatic POOL_TYPE g_types[] = { NonPagedPool };\nvoid DriverEntry(void)\n{\n    ExAllocatePool(g_types[0], 1);\n    ExAllocatePool(NonPagedPool, 1);\n}\n"
	unpack(t, projectOf("", text))
	_, err := Run([]string{"."}, AutoSelect, options())
	refused, ok := errors.AsType[*RefusedError](err)
	if !ok || !strings.Contains(refused.Reason, "needs a constant: drv.c:2:32 (no rewrite: NonPagedPoolNx, which is a constant, is not known to Windows 7, where drv.vcxproj|Release|x64 runs). Assign it") {
		t.Errorf("Windows 7: %v", err)
	}
	const label = "void Use(POOL_TYPE t)\n{\n    switch (t) {\n    case NonPagedPool | 8:\n        return;\n    }\n}\n"
	const call = "    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n" // which lets POOL_NX_OPTIN be tried first
	a := unpack(t, strings.NewReplacer("Windows7", "Windows10", "{\n    Ex", "{\n"+call+"    Ex").Replace(projectOf("", text+label)))
	r := run(t, AutoSelect)
	if got := pack(t, a); !strings.Contains(got, "POOL_NX_OPTIN_AUTO=1") || !strings.Contains(got, "{ NonPagedPool }") || !strings.Contains(r.Not, "(drv.c:12:10)") {
		t.Errorf("Windows 10: %s, %s\n%s", r.Why, r.Not, got)
	}
	if _, err := Run([]string{"."}, OptIn, options()); err != nil { // nothing is left to do
		t.Errorf("again: %v", err)
	}
	unpack(t, projectOf("POOL_NX_OPTIN=1;", text+"static POOL_TYPE g_types2[] = { NonPagedPool };\n"))
	r = run(t, OptIn)
	if left := slices.IndexFunc(r.Left, func(f rule.Finding) bool { return f.Place.Line == 9 }); len(r.Changes) != 1 || left < 0 || r.Left[left].Rule.ID != constants {
		t.Errorf("already broken: %v, left %v", edit.Diff(r.Changes), r.Left)
	}
}

// A file that a project of user mode compiles, too, gets the call for the kernel alone.
func TestSharedWithUserMode(t *testing.T) {
	user := strings.NewReplacer("-- drv.vcxproj --", "-- user.vcxproj --", ">Driver<", ">DynamicLibrary</ConfigurationType><DriverType>UMDF</DriverType><ConfigurationType>DynamicLibrary<")
	const text = "#include <ntddk.h>\nvoid DriverEntry(void)\n{\n    ExAllocatePool(NonPagedPool, 1);\n}\n"
	drv := projectOf("", text)
	project, _, _ := strings.Cut(drv, "-- drv.c --")
	a := unpack(t, drv+user.Replace(project))
	run(t, OptIn)
	const want = "{\n#ifdef _KERNEL_MODE\n    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n#endif\n    ExAllocatePool(NonPagedPool, 1);\n}\n"
	got := pack(t, a)
	if !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if again := run(t, OptIn); len(again.Changes) > 0 || len(again.Left) > 0 {
		t.Errorf("again: %v, left %v", again.Changes, again.Left)
	}
	if _, after, _ := strings.Cut(got, "-- user.vcxproj --"); strings.Contains(after, "POOL_NX") {
		t.Errorf("the project of user mode was changed:\n%s", after)
	}
}
