package replay

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/port"
	"github.com/nxport/nxport/internal/scan"
	"github.com/nxport/nxport/nx"
)

// parent is a driver from Windows 7 on that is not opted in.
const parent = `
-- drv/drv.vcxproj --
<Project>
  <ItemGroup Label="ProjectConfigurations">
    <ProjectConfiguration Include="Release|x64" />
  </ItemGroup>
  <PropertyGroup>
    <ConfigurationType>Driver</ConfigurationType>
    <TargetVersion>Windows7</TargetVersion>
  </PropertyGroup>
  <ItemDefinitionGroup>
    <ClCompile>
      <PreprocessorDefinitions>DRV=1;%(PreprocessorDefinitions)</PreprocessorDefinitions>
    </ClCompile>
  </ItemDefinitionGroup>
  <ItemGroup>
    <ClCompile Include="drv.c" />
  </ItemGroup>
</Project>
-- drv/drv.c --
#include <ntddk.h>
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PVOID p;

    p = ExAllocatePoolWithTag(NonPagedPool, 1, 'xErD');
    return STATUS_SUCCESS;
}
PVOID Get(POOL_TYPE Type)
{
    return ExAllocatePoolWithTag(Type, 2, 'xErD');
}
PVOID Map(PHYSICAL_ADDRESS a)
{
    return MmMapIoSpace(a, 1, MmNonCached);
}
-- logo.png --
not read
`

// repository makes one of two commits of what the archives hold, and gives the row for them.
func repository(t *testing.T, before, after string) (dir string, r Row) {
	t.Helper()
	dir = t.TempDir()
	work := filepath.Join(dir, "owner+drv")
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", work, "-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "core.autocrlf=false"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	commit := func(archive string) string {
		for _, f := range txtar.Parse([]byte(archive)).Files {
			name := filepath.Join(work, filepath.FromSlash(f.Name))
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, f.Data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		run("add", "-A")
		run("commit", "-q", "-m", "m")
		return run("rev-parse", "HEAD")
	}
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	run("init", "-q")
	r = Row{Repo: "owner/drv", Mechanism: "POOL_NX_OPTIN + call", Files: []string{"drv/drv.c", "drv/drv.vcxproj"}}
	r.Parent, r.Commit = commit(before), commit(after)
	return dir, r
}

func replay(t *testing.T, before, after string) Outcome {
	t.Helper()
	dir, r := repository(t, before, after)
	list, err := Run(dir, r, scan.Options{DDIs: nx.DDIs(), Jobs: 2})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 {
		t.Fatalf("%d ports, want one: auto-select takes what they took", len(list))
	}
	return list[0]
}

// optedIn is what people make of parent, with something else in the same commit.
func optedIn(before string) string {
	return strings.NewReplacer("DRV=1;", "DRV=1;POOL_NX_OPTIN=1;",
		"    p = Ex", "    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n    p = Ex",
		"return STATUS_SUCCESS", "return 0").Replace(before)
}

// Where people did what a port does, they are even; their other changes are not counted.
func TestAsGoodAsTheirs(t *testing.T) {
	o := replay(t, parent, optedIn(parent))
	if o.Failed() || len(o.Worse)+len(o.Better)+len(o.Below)+len(o.Alone)+len(o.Left)+o.Only > 0 {
		t.Errorf("%+v", o)
	}
	if o.Path != "drv" || o.Took != "optin" || o.Builds != 1 || o.Sites != 3 {
		t.Errorf("ported %q by %s: %d builds, %d sites", o.Path, o.Took, o.Builds, o.Sites)
	}
	if want := (Lines{Added: 2, Removed: 1}); o.Theirs != want {
		t.Errorf("their lines: %v, want %v", o.Theirs, want)
	}
	if want := (Lines{Added: 3, Removed: 1}); o.Ours != want { // an empty line behind the call
		t.Errorf("our lines: %v, want %v", o.Ours, want)
	}
}

// What people made not executable and the port does not is worse; it fails unless the port names it.
func TestWorseThanTheirs(t *testing.T) {
	for _, tt := range []struct {
		name     string
		from, to string
		function string
		named    bool
	}{
		{"unknown against NX", "WithTag(Type,", "WithTag(NonPagedPoolNx,", "Get", false},
		{"another DDI", "MmMapIoSpace(a, 1, MmNonCached)", "MmMapIoSpaceEx(a, 1, PAGE_READWRITE)", "Map", true},
	} {
		o := replay(t, parent, strings.Replace(optedIn(parent), tt.from, tt.to, 1))
		if len(o.Worse) != 1 || o.Worse[0].Function != tt.function || o.Worse[0].Named != tt.named || o.Worse[0].Windows != "10.0" {
			t.Errorf("%s: worse %v", tt.name, o.Worse)
		}
		if o.Failed() == tt.named || len(o.Alone) > 0 {
			t.Errorf("%s: failed %v, without match %v", tt.name, o.Failed(), o.Alone)
		}
	}
}

// People who opt in half stay behind the port.
func TestBetterThanTheirs(t *testing.T) {
	o := replay(t, parent, strings.Replace(parent, "DRV=1;", "DRV=1;POOL_NX_OPTIN=1;", 1))
	if o.Failed() || len(o.Better) != 1 || o.Better[0].Function != "DriverEntry" {
		t.Errorf("failed %v, better %v", o.Failed(), o.Better)
	}
}

// A build that people renamed is held against one for the same processor.
func TestRenamedBuild(t *testing.T) {
	o := replay(t, parent, strings.Replace(optedIn(parent), "Release|x64", "Win10|x64", 1))
	if o.Only > 0 || len(o.Better) > 0 || len(o.Alone) > 0 {
		t.Errorf("%+v", o)
	}
	if o := replay(t, parent, strings.Replace(optedIn(parent), "Release|x64", "Release|ARM64", 1)); o.Only != 1 {
		t.Errorf("of another processor: %d without counterpart, want 1", o.Only)
	}
}

// What a library that is ported alone gets is not known before a driver makes the call, which the port says.
func TestLibraryAlone(t *testing.T) {
	library := strings.Replace(parent, ">Driver</ConfigurationType>", ">StaticLibrary</ConfigurationType><PlatformToolset>WindowsKernelModeDriver10.0</PlatformToolset>", 1)
	o := replay(t, library, strings.NewReplacer("DRV=1;", "DRV=1;POOL_NX_OPTIN_AUTO=1;").Replace(library))
	if len(o.Worse) == 0 || o.Failed() || slices.ContainsFunc(o.Worse, func(d Difference) bool { return !d.Named || d.Ours != nx.Maybe }) {
		t.Errorf("failed %v, worse %v", o.Failed(), o.Worse)
	}
}

// Where people took another goal than auto-select does, that is replayed, too, from the parent as it was; files in a directory
// without a build file belong to the next one above that has one.
func TestTheirGoal(t *testing.T) {
	dir, r := repository(t, strings.Replace(parent, "Windows7", "Windows10", 1), strings.Replace(optedIn(parent), "Windows7", "Windows10", 1))
	r.Mechanism, r.Files = "POOL_NX_OPTIN", []string{"drv/inc/drv.h"}
	list, err := Run(dir, r, scan.Options{DDIs: nx.DDIs(), Jobs: 2})
	if err != nil || len(list) != 2 {
		t.Fatalf("%d ports, error %v", len(list), err)
	}
	for i, want := range []Outcome{{Took: "optin-auto", Ours: Lines{1, 1}}, {Took: "optin", Ours: Lines{3, 1}}} {
		if o := list[i]; o.Took != want.Took || o.Ours != want.Ours || o.Path != "drv" || o.Failed() {
			t.Errorf("%s: %+v", want.Took, o)
		}
	}
}

func TestNXBelowWindows8(t *testing.T) {
	nxSite := driver.Site{Moment: driver.After, DDI: nx.DDI{Name: "ExAllocatePool", Argument: 1, Kind: nx.PoolType}, Value: driver.Value{Terms: []driver.Term{{Bits: 512}}}}
	old := nxSite
	old.Value.Terms = []driver.Term{{}}
	image := func(s driver.Site) []driver.Image {
		return []driver.Image{{Build: driver.Build{ID: "b", Windows: []nx.Version{nx.Windows7, nx.Windows10}}, Sites: []driver.Site{s}}}
	}
	optedIn := old
	optedIn.Mechanism, optedIn.Value.Terms = nx.OptIn, []driver.Term{{Tokens: []driver.Token{{Name: "NonPagedPool", In: nx.OptIn}}}}
	var o Outcome
	judge(&o, image(old), image(optedIn), image(nxSite))
	if len(o.Worse)+len(o.Better)+len(o.Below) > 0 {
		t.Errorf("executable on Windows 7, as it must be: %+v", o)
	}
	o = Outcome{}
	judge(&o, image(old), image(nxSite), image(nxSite))
	if len(o.Below) != 1 || o.Below[0].Windows != "6.1" || !o.Failed() {
		t.Errorf("below: %v", o.Below)
	}
	o = Outcome{}
	judge(&o, image(nxSite), image(nxSite), image(nxSite))
	if len(o.Below) > 0 || o.TheirsBelow > 0 {
		t.Errorf("it was so before: %v, theirs %d", o.Below, o.TheirsBelow)
	}
	o = Outcome{}
	judge(&o, image(old), image(old), image(nxSite))
	if len(o.Below) > 0 || o.TheirsBelow != 1 {
		t.Errorf("theirs: below %v, theirs %d", o.Below, o.TheirsBelow)
	}
}

func TestCount(t *testing.T) {
	const diff = `diff --git a/f b/f
--- a/NonPagedPool
+++ b/NonPagedPool
@@ -1 +1,2 @@ POOL_NX_OPTIN
-a
+b
+c
@@ -9,2 +10 @@
--- NonPagedPool
-x
+y
diff --git a/g b/g
--- a/g
+++ b/g
@@ -1 +1 @@
-z
+call ExInitializeDriverRuntime
`
	if got, want := count(diff, purpose), (Lines{2, 3}); got != want {
		t.Errorf("for the purpose %v, want %v", got, want)
	}
	if got, want := count(diff, nil), (Lines{4, 4}); got != want {
		t.Errorf("all %v, want %v", got, want)
	}
}

func TestRows(t *testing.T) {
	rows, err := Rows(strings.NewReader("note,repo,commit,parent,mechanism,nx_files\n" +
		"n,o/a,1,2,explicit Nx -> POOL_NX_OPTIN header,s/x/a.c;s/y/b.c\nn,o/b,3,4,POOL_NX_OPTIN -> ExAllocatePool2,s/a.c\n" +
		"n,o/c,5,6,POOL_NX_OPTIN_AUTO in vcxproj + call,a.c;s/b.c\nn,o/d,7,8,explicit NonPagedPoolNx,st/a.c;s/b.c\nn,o/e,9,10,by hand,\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		got = append(got, fmt.Sprint(r.Repo, r.Commit, r.Parent, " ", r.goal(), " ", r.directory()))
	}
	want := []string{"o/a12 optin s", "o/b34 pool2 s", "o/c56 optin-auto .", "o/d78 explicit .", "o/e910 auto-select ."}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, bad := range []string{"", "repo,commit\n", "repo,commit,parent,mechanism,nx_files\na\n"} {
		if _, err := Rows(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

// A repository that lacks a file, as a partial clone does, is checked out without it, and without what is too large; a commit that is not there is an error.
func TestCheckout(t *testing.T) {
	dir, r := repository(t, parent+"-- drv/large.h --\n"+strings.Repeat("//\n", maxFile/3+1), optedIn(parent))
	git, err := gitDir(dir, r.Repo)
	if err != nil {
		t.Fatal(err)
	}
	list, err := blobs(git, r.Parent)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(b blob) bool { return b.path == "drv/drv.c" })
	if i < 0 || slices.ContainsFunc(list, func(b blob) bool { return b.path == "logo.png" }) {
		t.Fatalf("files: %v", list)
	}
	if err := os.Remove(filepath.Join(git, "objects", list[i].id[:2], list[i].id[2:])); err != nil {
		t.Fatal(err)
	}
	into := filepath.Join(t.TempDir(), "tree")
	missing, err := checkout(git, r.Parent, into)
	if err != nil || !slices.Equal(missing, []string{"drv/drv.c", "drv/large.h"}) {
		t.Errorf("missing %v, error %v", missing, err)
	}
	if _, err := os.Stat(filepath.Join(into, "drv", "drv.vcxproj")); err != nil {
		t.Error(err)
	}
	if _, err := checkout(git, strings.Repeat("0", 40), into+"2"); err == nil {
		t.Error("no error for a commit that is not there")
	}
	if _, err := gitDir(dir, "owner/other"); err == nil || !strings.Contains(err.Error(), "owner+other") {
		t.Errorf("a repository that is not there: %v", err)
	}
}

func TestPrint(t *testing.T) {
	o := Outcome{Repo: "owner/drv", Commit: "0123456789abcdef", Path: "drv", Goal: port.AutoSelect, Took: "optin", Builds: 2, Sites: 3,
		Worse: []Difference{{At: "a.c:1:2", DDI: "ExAllocatePool", Build: "b", Windows: "10.0", Ours: nx.Yes, Theirs: nx.No}}, Ours: Lines{1, 2}}
	var b strings.Builder
	if err := Print(&b, []Outcome{o, {Repo: "owner/other", Goal: "pool2", Refused: "because"}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"owner/drv    012345678  drv     auto: optin  2       3      1      0       0             0     +1 -2  +0 -0   behind\n",
		"\nowner/drv 012345678, auto: optin\n  worse: a.c:1:2: ExAllocatePool in no function on Windows 10.0: yes, theirs no (b)\n",
		"refused\n", "  refused: because\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if err := JSON(io.Discard, []Outcome{o}); err != nil {
		t.Error(err)
	}
}
