package truth

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/port"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/rule"
	tree "github.com/nxport/nxport/internal/scan"
	"github.com/nxport/nxport/nx"
)

// unported is a tree as port finds it: the files of a driver, build files and all, without the name of its directory.
type unported struct {
	program
	calls  string // statements that run what the tree itself never calls
	unsafe bool
	exact  bool // scan gives exactly what is seen, not more
	// byVersion is set where some Windows makes requests that another does not.
	byVersion bool
}

// goals are what trees are ported to, the lowest Windows that they are for then, and whether other routines are called.
var goals = []struct {
	goal    port.Goal
	minimum string
	others  bool
}{{port.OptIn, "Windows7", false}, {port.OptInAuto, "Windows10", false}, {port.Explicit, "Windows10", false}, {port.Pool2, "Windows10", true}}

// ported is a driver of a tree that was ported, or is about to be, and what is known of it.
type ported struct {
	unported
	read    scanned
	named   map[request]bool // requests that port says are not mended
	whole   bool             // port says that of the driver as a whole
	minimum nx.Version
}

// portIn writes a tree and ports it there. It gives the tree's drivers as they were and as they are then.
func (u unported) portIn(t *testing.T, dir string, goal port.Goal, minimum string) (before, after []ported, err error) {
	t.Helper()
	root := filepath.Join(dir, u.name)
	for name, text := range u.files {
		write(t, filepath.Join(root, filepath.FromSlash(name)), strings.ReplaceAll(text, "Windows7<", minimum+"<"))
	}
	o := tree.Options{DDIs: nx.DDIs(), Jobs: 1, Unsafe: u.unsafe}
	r, err := port.Run([]string{root}, goal, o)
	if err != nil {
		return nil, nil, err
	}
	before = u.drivers(t, dir, r.First)
	for _, c := range r.Changes {
		write(t, c.Path, string(c.New))
	}
	s, err := tree.Run([]string{root}, o)
	if err != nil || len(s.Unreadable) > 0 {
		t.Fatalf("%s: %v, unreadable %v", u.name, err, s.Unreadable)
	}
	after = u.drivers(t, dir, s)
	for _, f := range slices.Concat(r.Kept, r.NoAlternative, r.Left, r.Suppressed) {
		for i := range after {
			after[i].whole = after[i].whole || f.Site == nil
			if f.Site != nil {
				after[i].named[at(dir, f.Place, f.Site.DDI)] = true
				after[i].named[at(dir, f.Site.Spelled, f.Site.DDI)] = true
			}
		}
	}
	return before, after, nil
}

func at(dir string, p driver.Place, d nx.DDI) request {
	return request{strings.TrimPrefix(p.Path, filepath.ToSlash(dir)+"/"), p.Line, d.Name}
}

// drivers gives each build of a driver for x64 as a program, with the libraries that it links and the files as they are on disk.
func (u unported) drivers(t *testing.T, dir string, s *tree.Result) (list []ported) {
	t.Helper()
	for i, b := range s.Set.Builds {
		if b.Library || b.Processor != nx.X64 {
			continue
		}
		p := ported{unported: u, named: map[request]bool{}, minimum: b.Minimum}
		p.files, p.units = map[string]string{}, nil
		images := []driver.Image{s.Images[i]}
		p.compiled(dir, b)
		for j, other := range s.Set.Builds {
			if slices.Contains(b.Links, other.ID) {
				images = append(images, s.Images[j])
				p.compiled(dir, other)
			}
		}
		err := filepath.WalkDir(filepath.Join(dir, u.name), func(name string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := os.ReadFile(name)
			p.files[strings.TrimPrefix(filepath.ToSlash(name), filepath.ToSlash(dir)+"/")] = string(data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if u.calls != "" {
			name := u.name + "/calls.c"
			p.files[name] = "#include <ntddk.h>\n" + u.calls
			p.units = append(p.units, unit{path: name, language: project.C})
		}
		for _, m := range images {
			for k, site := range m.Sites {
				m.Sites[k].Place.Path = at(dir, site.Place, site.DDI).path
				m.Sites[k].Spelled.Path = at(dir, site.Spelled, site.DDI).path
			}
		}
		p.read = answersOf(images)
		list = append(list, p)
	}
	return list
}

// compiled adds the units of a build.
func (p *ported) compiled(dir string, b *project.Build) {
	for _, u := range b.Units {
		c := unit{path: strings.TrimPrefix(u.Path, filepath.ToSlash(dir)+"/"), language: u.Options.Language, library: b.Library}
		for _, d := range u.Options.Defines {
			c.defines = append(c.defines, d.Name+"="+d.Value)
		}
		p.units = append(p.units, c)
	}
}

// check holds a ported driver against what it was seen to ask for: scan says so, and of the memory that it gets from its lowest
// Windows on, none is executable where there is another, nor of a type that is not known yet, but what port named.
func (p ported) check(seen answers) []string {
	if p.byVersion {
		p.read.forget(seen)
	}
	list := differences(p.program, seen, p.read, p.exact)
	for r, on := range seen {
		d := nx.DDIs()[slices.IndexFunc(nx.DDIs(), func(d nx.DDI) bool { return d.Name == r.ddi })]
		for _, v := range versions {
			w, err := nx.ParseVersion(v)
			if err != nil {
				panic(err)
			}
			bad := map[bool]nx.Executable{true: nx.Yes, false: nx.Undefined}[w.HasNX()]
			switch {
			case w.Before(p.minimum), p.named[r], p.whole, p.read.unknown[r] != "":
				continue
			case bad == nx.Undefined && d.Kind == nx.MdlPriority: // it takes no notice of the bit
				continue
			}
			if slices.ContainsFunc(on[v], func(value uint32) bool { return d.Executable(w, value) == bad }) {
				list = append(list, fmt.Sprintf("%s: it asks for %s, executable or unknown on %s, and port does not name it", r, show(on), v))
			}
		}
	}
	return list
}

// kept compares what is asked for before a port and after it but for being executable: a size, an alignment, a flag stays.
func (p ported) kept(was ported) []string {
	const executable = 0x200 | 0x40000000      // POOL_NX_ALLOCATION, MdlMappingNoExecute
	of := func(p ported) map[string][]string { // by file and routine: lines move
		all := map[string][]string{}
		for r, on := range p.read.answers {
			var values []uint32
			for _, v := range on["10.0"] {
				values = append(values, v&^executable)
			}
			slices.Sort(values)
			key := r.path + ": " + r.ddi
			all[key] = append(all[key], fmt.Sprintf("%x", slices.Compact(values)))
		}
		return all
	}
	var list []string
	then, now := of(was), of(p)
	for key, values := range then {
		slices.Sort(values)
		slices.Sort(now[key])
		if !slices.Equal(values, now[key]) {
			list = append(list, fmt.Sprintf("%s asked for %v, and asks for %v", key, values, now[key]))
		}
	}
	return list
}

// mixed counts where a C file has a declaration behind a statement, which the compilers of old kits refuse.
func mixed(t *testing.T, list []ported) (n int) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range together(t, dir, programsOf(list)) {
		write(t, filepath.Join(dir, name), text)
		if strings.HasSuffix(name, ".c") {
			args := []string{"-fsyntax-only", "-Wno-everything", "-Wdeclaration-after-statement", "-fno-caret-diagnostics", "-I" + kitDir(t), name}
			_, says := outputs(t, dir, "clang-19", args...)
			n += strings.Count(says, "[-Wdeclaration-after-statement]")
		}
	}
	return n
}

func programsOf(list []ported) (programs []program) {
	for _, p := range list {
		programs = append(programs, p.program)
	}
	return programs
}

// TestPorted holds that self-written trees, ported, are compiled, and ask for what scan says: the examples of the rules,
// the drivers of this package with their opt-in taken away, and trees with all kinds of build files.
func TestPorted(t *testing.T) {
	if testing.Short() {
		t.Skip("what a driver gets is known by running it, which needs clang")
	}
	for _, u := range slices.Concat(examples(t), stripped(t), trees(t)) {
		for _, g := range goals {
			if notRun[u.name+"/"+string(g.goal)] != "" {
				continue
			}
			t.Run(u.name+"/"+string(g.goal), func(t *testing.T) {
				t.Parallel()
				before, after, err := u.portIn(t, t.TempDir(), g.goal, g.minimum)
				if why := refused[u.name+"/"+string(g.goal)]; why != "" {
					if err == nil || !strings.Contains(err.Error(), why) {
						t.Errorf("%v, want it refused: %s", err, why)
					}
					return
				}
				if err != nil || len(after) == 0 {
					t.Fatalf("%d drivers, %v", len(after), err)
				}
				for i, p := range after {
					seen := run(t, []program{p.program})[p.name]
					if len(seen) == 0 {
						t.Error("it asks for nothing")
					}
					var list []string
					if !g.others && !u.unsafe && !u.asksForOptIn() { // what a rule replaces in its example is for it to say
						list = p.kept(before[i])
					}
					list = append(list, p.check(seen)...)
					if len(list) > 0 {
						t.Errorf("%s\n%s", strings.Join(list, "\n"), listing(p.program))
					}
					if was, is := mixed(t, before[i:i+1]), mixed(t, after[i:i+1]); is > was {
						t.Errorf("%d declarations behind a statement, %d before", is, was)
					}
				}
			})
		}
	}
}

// Refusals that are right: some drivers use pool types where the language wants a constant, or start below Windows 8 whatever
// their project says.
const (
	constantNeeded = "makes a variable of NonPagedPool"
	tooLow         = "use --to optin, or raise the minimum"
)

// refused are the trees that are rightly ported by other goals only.
var refused = map[string]string{
	"auto/optin":    constantNeeded,
	"make/explicit": tooLow, "make/optin-auto": tooLow,
	"shared/explicit": tooLow, "shared/optin-auto": tooLow,
	"sources/explicit": tooLow, "sources/optin-auto": tooLow,
}

// TestPortedGenerated does so with generated drivers: that no one opted in, and, by turns, that someone opted in half.
func TestPortedGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("what a driver gets is known by running it, which needs clang")
	}
	features := []map[string]bool{portable(t, false), portable(t, true)}
	for _, g := range goals {
		for from := 0; from < *programs/10; from += batch {
			t.Run(fmt.Sprint(g.goal, from), func(t *testing.T) {
				t.Parallel()
				var before, after []ported
				dir, held := t.TempDir(), 0
				for i := from; i < min(from+batch, *programs/10); i++ {
					u := unported{program: withProject(generate(*seed, i, features[i%2])), exact: true}
					if u.mentions("ExDefaultMdlProtection") { // which the kit declares for those that opt in
						continue
					}
					was, is, err := u.portIn(t, dir, g.goal, g.minimum)
					if err != nil && strings.Contains(err.Error(), constantNeeded) {
						held++
						continue
					}
					if err != nil || len(is) != 1 {
						t.Errorf("%s: %d drivers, %v", u.name, len(is), err)
						continue
					}
					before, after = append(before, was...), append(after, is...)
				}
				if held > batch/10 {
					t.Errorf("%d of %d are refused", held, batch)
				}
				runPorted(t, before, after, g.others)
			})
		}
	}
}

// portable are the features of drivers for a port to work on.
func portable(t *testing.T, half bool) map[string]bool {
	t.Helper()
	on := chosen(t, false)
	for _, o := range optIns() {
		on[o.feature] = on[o.feature] && half
	}
	for _, name := range []string{"auto", "mixed", "defined-in-file"} {
		on[name] = on[name] && half
	}
	on["variable"] = false    // the kit declares it for those that opt in
	on["alias-by-if"] = false // it is something else, on purpose, for those that opt in
	return on
}

// runPorted checks drivers that are compiled together.
func runPorted(t *testing.T, before, after []ported, others bool) {
	t.Helper()
	seen := run(t, programsOf(after))
	named := 0
	for i, p := range after {
		named += len(p.named)
		var list []string
		if !others && !p.asksForOptIn() {
			list = p.kept(before[i])
		}
		if list = append(list, p.check(seen[p.name])...); len(list) > 0 {
			t.Errorf("%s:\n%s", p.name, strings.Join(list, "\n"))
			if p.name == fmt.Sprintf("P%d", *only) {
				t.Log(listing(p.program))
			}
		}
	}
	if was, is := mixed(t, before), mixed(t, after); is > was {
		t.Errorf("%d declarations behind a statement, %d before", is, was)
		for i := range before {
			if was, is := mixed(t, before[i:i+1]), mixed(t, after[i:i+1]); is > was {
				t.Log(listing(before[i].program), "AFTER", listing(after[i].program))
			}
		}
	}
	t.Logf("%d drivers, %d requests named", len(after), named)
}

// examples are the trees that the rules' documentation has for what they mend.
func examples(t *testing.T) (list []unported) {
	for _, r := range rule.All() {
		if notRun[r.ID] != "" || r.OnlyBuilt() {
			continue
		}
		u := unported{program: program{name: r.ID, files: map[string]string{}}, calls: calls[r.ID], unsafe: true, exact: r.ID != "NX0015"} // whose conditions are not followed
		for _, f := range txtar.Parse([]byte(r.Doc.Before)).Files {
			u.files[f.Name] = string(f.Data)
		}
		list = append(list, u)
	}
	return list
}

// notRun are examples that can't be run.
var notRun = map[string]string{
	"C30034": "what it gets is for an allocator of its own to say",
	"NX0008": "it never calls what requests memory",
	"NX0009": "it can't be compiled, and the port does not mend that",
	"NX0012": "it requests nothing",
	"NX0014": "it never calls what requests memory",
	"NX0016": "it executes the memory that it gets",
	"NX0017": "it can't be compiled: a routine is not declared",
}

// calls are what else a driver needs of which an example shows a part.
var calls = map[string]string{
	"C28751": "PVOID Get(SIZE_T Size);\n" + entry("Get(1)"),
	"C30029": "PVOID MapRegisters(PHYSICAL_ADDRESS Base, SIZE_T Size);\n" + entry("MapRegisters(1, 2)"),
	"C30032": "PVOID Get(SIZE_T Size);\n" + entry("Get(1)"),
	"C30033": "NTSTATUS DllInitialize(PUNICODE_STRING RegistryPath);\n" + entry("DllInitialize(Path)"),
	"NX0006": "PVOID Get(SIZE_T Size);\n" + entry("Get(1)"),
	"NX0007": "PVOID Get(SIZE_T Size);\n" + entry("Get(1)"),
	"NX0011": "PVOID Get(SIZE_T Size);\n" + entry("Get(1)"),
}

func entry(call string) string {
	return "NTSTATUS DriverEntry(PDRIVER_OBJECT Object, PUNICODE_STRING Path) { " + call + "; return STATUS_SUCCESS; }\n"
}

// stripped are the written drivers without their opt-in.
func stripped(t *testing.T) (list []unported) {
	names, err := filepath.Glob("testdata/drivers/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no drivers", err)
	}
	for _, name := range names {
		w := readDriver(t, name)
		if notRun[w.name] != "" {
			continue
		}
		for i := range w.units {
			w.units[i].defines = slices.DeleteFunc(w.units[i].defines, func(d string) bool { return strings.HasPrefix(d, "POOL_NX_OPTIN") })
		}
		for name, text := range w.files {
			var b strings.Builder
			for line := range strings.Lines(text) {
				if !strings.HasPrefix(line, "#define POOL_NX_OPTIN") && !strings.HasPrefix(strings.TrimSpace(line), "ExInitializeDriverRuntime") {
					b.WriteString(line)
				}
			}
			w.files[name] = b.String()
		}
		list = append(list, unported{program: withProject(w.program), byVersion: w.byVersion, exact: w.notYet == ""})
	}
	return list
}

// trees are written with the build files that people have. Their comments are those of written drivers.
func trees(t *testing.T) (list []unported) {
	names, err := filepath.Glob("testdata/unported/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no trees", err)
	}
	for _, name := range names {
		u := unported{program: readDriver(t, name).program, exact: true}
		u.files, u.units = withoutDirectory(u.program), nil
		list = append(list, u)
	}
	return list
}

// withoutDirectory gives the files of a program by their names in its directory.
func withoutDirectory(p program) map[string]string {
	files := map[string]string{}
	for name, text := range p.files {
		files[strings.TrimPrefix(name, p.name+"/")] = text
	}
	return files
}

// withProject gives the files of a program build files, and names them without its directory.
func withProject(p program) program {
	files := withoutDirectory(p)
	var units, library strings.Builder
	for _, u := range p.units {
		b := &units
		if u.library {
			b = &library
		}
		fmt.Fprintf(b, "    <ClCompile Include=\"%s\">\n", strings.TrimPrefix(u.path, p.name+"/"))
		if len(u.defines) > 0 {
			fmt.Fprintf(b, "      <PreprocessorDefinitions>%s;%%(PreprocessorDefinitions)</PreprocessorDefinitions>\n", strings.Join(u.defines, ";"))
		}
		b.WriteString("    </ClCompile>\n")
	}
	if library.Len() > 0 {
		files["lib.vcxproj"] = fmt.Sprintf(vcxproj, "<ConfigurationType>StaticLibrary</ConfigurationType>\n    <DriverType>WDM</DriverType>\n"+
			"    <PlatformToolset>WindowsKernelModeDriver10.0</PlatformToolset>", library.String())
		units.WriteString("    <ProjectReference Include=\"lib.vcxproj\" />\n")
	}
	files["drv.vcxproj"] = fmt.Sprintf(vcxproj, "<ConfigurationType>Driver</ConfigurationType>", units.String())
	p.files = files
	return p
}

const vcxproj = `<Project>
  <ItemGroup Label="ProjectConfigurations">
    <ProjectConfiguration Include="Release|x64" />
  </ItemGroup>
  <PropertyGroup>
    %s
    <TargetVersion>Windows7</TargetVersion>
  </PropertyGroup>
  <ItemGroup>
%s  </ItemGroup>
</Project>
`

// asksForOptIn says whether a condition of the preprocessor hangs on an opt-in, which then selects other requests.
func (p program) asksForOptIn() bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(p.files)), optInCondition.MatchString)
}

var optInCondition = regexp.MustCompile(`(?m)^#(if|elif).*\b(POOL_NX_|NonPagedPool\b)`)

func (p program) mentions(name string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(p.files)), func(text string) bool { return strings.Contains(text, name) })
}
