package project

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// solutionText gives a .sln file of projects, whose GUIDs are their numbers. Configurations are lines as
// "Debug|x64 0=Debug|x64 1=Dbg|Win32": what the solution's configuration chooses of each project.
func solutionText(projects []string, configurations ...string) string {
	var b strings.Builder
	b.WriteString(bom + "\r\nMicrosoft Visual Studio Solution File, Format Version 12.00\r\n# Visual Studio Version 17\r\n")
	b.WriteString("Project(\"{2150E333-8FDC-42A3-9474-1A3956D46DE8}\") = \"folder\", \"folder\", \"{F}\"\r\nEndProject\r\n")
	for i, p := range projects {
		fmt.Fprintf(&b, "Project(\"{8BC9CEB8-8B4A-11D0-8D11-00A0C91BC942}\") = \"p%d\", \"%s\", \"{%d}\"\r\nEndProject\r\n", i, p, i)
	}
	b.WriteString("Global\r\n\tGlobalSection(SolutionConfigurationPlatforms) = preSolution\r\n")
	for _, c := range configurations {
		name := c[:indexOrEnd(c, " 0=")]
		fmt.Fprintf(&b, "\t\t%s = %s\r\n", name, name)
	}
	b.WriteString("\tEndGlobalSection\r\n\tGlobalSection(ProjectConfigurationPlatforms) = postSolution\r\n")
	for _, c := range configurations {
		name := c[:indexOrEnd(c, " 0=")]
		for _, choice := range strings.Split(c[len(name)+1:], ", ") {
			number, chosen, _ := strings.Cut(choice, "=")
			fmt.Fprintf(&b, "\t\t{%s}.%s.ActiveCfg = %s\r\n\t\t{%s}.%s.Build.0 = %s\r\n", number, name, chosen, number, name, chosen)
		}
	}
	b.WriteString("\tEndGlobalSection\r\nEndGlobal\r\n")
	return b.String()
}

func TestSolution(t *testing.T) {
	project := projectText("Debug|x64", `<ItemGroup><ClCompile Include="a.c" /></ItemGroup>`)
	listed := []string{`drv\p.vcxproj`, `Lib\L.vcxproj`, `gone\g.vcxproj`, `app\app.csproj`, `shared\s.vcxitems`}
	for name, text := range map[string]string{
		"s.sln": solutionText(listed, "Debug|x64 0=Debug|x64"),
		"s.slnx": "<Solution><Project Path=\"drv/p.vcxproj\" /><Folder Name=\"/f/\"><Project Path=\"Lib\\L.vcxproj\"/>" +
			"<Project Path=\"gone/g.vcxproj\" /><File Path=\"readme.md\" /></Folder><Project Path=\"app/app.csproj\" /></Solution>",
	} {
		write(t, "-- drv/a.c --\n-- lib/a.c --\n-- other/a.c --\n")
		put(t, "drv/p.vcxproj", project)
		put(t, "lib/l.vcxproj", project)
		put(t, "other/o.vcxproj", project)
		put(t, name, text)
		s := load(t, LoadOptions{}, name)
		equal(t, name, ids(s), "drv/p.vcxproj|Debug|x64 lib/l.vcxproj|Debug|x64")
		if len(s.Unreadable) != 1 || s.Unreadable[0].Path != "gone/g.vcxproj" || s.Unreadable[0].Why != "not there, but listed by "+name {
			t.Errorf("%s: unreadable %v", name, s.Unreadable)
		}
	}
}

func TestSolutionBroken(t *testing.T) {
	for name, c := range map[string]struct{ file, data, why string }{
		"empty":      {"s.sln", "", "line 1: no solution"},
		"text":       {"s.sln", "hello\n", "line 1: no solution"},
		"binary":     {"s.sln", "a\x00b", "line 1: binary"},
		"xml":        {"s.slnx", "<Solution>\n<", "line 2: "},
		"other root": {"s.slnx", "<Project/>", "line 1: the root element is <Project>"},
	} {
		write(t, "-- a.c --\n")
		put(t, c.file, c.data)
		s := load(t, LoadOptions{}, c.file, "a.c")
		if len(s.Unreadable) != 1 || s.Unreadable[0].Path != c.file || !strings.HasPrefix(s.Unreadable[0].Why, c.why) {
			t.Errorf("%s: unreadable %q, want %s", name, s.Unreadable, c.why)
		}
		equal(t, name+": the rest", ids(s), "a.c")
	}
}

// TestSolutionProperties tells which solution a project sees, by a define.
func TestSolutionProperties(t *testing.T) {
	body := compiled + definitions("", "S=$(SolutionDir)|$(SolutionName)|$(SolutionFileName)|$(SolutionExt)|$(SolutionPath)")
	one := solutionText([]string{`sub\drv\p.vcxproj`}, "Debug|x64 0=Debug|x64")
	for _, c := range []struct {
		name, dir, file string
		files           map[string]string
		named           []string
	}{
		{"none", "sub/drv", "p.sln", nil, nil},
		{"nearest that lists it", "", "top.sln", map[string]string{"top.sln": one, "sub/near.sln": solutionText(nil), "sub/drv/p.sln": solutionText([]string{"q.vcxproj"})}, nil},
		{"beside it", "sub/drv", "near.slnx", map[string]string{"top.sln": one, "sub/drv/near.slnx": `<Solution><Project Path="P.vcxproj" /></Solution>`}, nil},
		{"named", "", "top.sln", map[string]string{"top.sln": one, "sub/drv/near.slnx": `<Solution><Project Path="p.vcxproj" /></Solution>`}, []string{"top.sln"}},
		{"broken", "", "top.sln", map[string]string{"top.sln": one, "sub/drv/bad.slnx": "<"}, nil},
	} {
		write(t, "-- sub/drv/a.c --\n-- sub/drv/b.c --\n")
		put(t, "sub/drv/p.vcxproj", projectText("Debug|x64", body))
		for name, text := range c.files {
			put(t, name, text)
		}
		dir, err := filepath.Abs(c.dir)
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.ToSlash(dir)
		name, extension := strings.TrimSuffix(c.file, filepath.Ext(c.file)), filepath.Ext(c.file)
		want := "S=" + strings.Join([]string{dir + `\`, name, c.file, extension, dir + "/" + c.file}, "|")
		equal(t, c.name, own(load(t, LoadOptions{}, c.named...).Builds[0].Units[0]), want)
	}
}

func linksOf(b *Build) string { return strings.Join(b.Links, " ") }

func TestLinks(t *testing.T) {
	library := func(configurations, kit string) string {
		return strings.Replace(projectText(configurations, compiled), "<ConfigurationType>Driver</ConfigurationType>",
			"<ConfigurationType>StaticLibrary</ConfigurationType>"+kit, 1)
	}
	const kernel = "<DriverType>KMDF</DriverType>"
	references := `<ItemDefinitionGroup><ProjectReference><None /></ProjectReference></ItemDefinitionGroup><ItemGroup>
<ProjectReference Include="..\lib\L.vcxproj"><Project>{1}</Project></ProjectReference>
<ProjectReference Include="..\user\u.vcxproj" />
<ProjectReference Include="..\drv2\d.vcxproj" />
<ProjectReference Include="..\quiet\q.vcxproj"><LinkLibraryDependencies>false</LinkLibraryDependencies></ProjectReference>
<ProjectReference Include="..\quiet\q.vcxproj"><ReferenceOutputAssembly> False </ReferenceOutputAssembly></ProjectReference>
<ProjectReference Include="..\never\n.vcxproj" Condition="'$(Platform)'=='ARM'" />
<ProjectReference Include="..\managed\m.csproj" />
</ItemGroup>`
	setUp := func() {
		write(t, "-- drv/a.c --\n-- drv/b.c --\n-- lib/a.c --\n-- lib/b.c --\n")
		put(t, "drv/p.vcxproj", projectText("Debug|x64 Release|x64", compiled+references))
		put(t, "lib/l.vcxproj", library("Debug|x64 Release|x64 Dbg|x64", kernel))
		put(t, "user/u.vcxproj", library("Debug|x64 Release|x64", ""))
		put(t, "quiet/q.vcxproj", library("Debug|x64 Release|x64", kernel))
		put(t, "drv2/d.vcxproj", projectText("Debug|x64 Release|x64", ""))
	}
	setUp()
	s := load(t, LoadOptions{})
	debug, release := find(t, s, "drv/p.vcxproj|Debug|x64"), find(t, s, "drv/p.vcxproj|Release|x64")
	equal(t, "same names", linksOf(debug)+" "+linksOf(release), "lib/l.vcxproj|Debug|x64 lib/l.vcxproj|Release|x64")
	equal(t, "notes", notes(debug), "")

	put(t, "all.sln", solutionText([]string{`drv\p.vcxproj`, `lib\l.vcxproj`}, "Debug|x64 0=Debug|x64, 1=Dbg|x64", "Ship|x64 0=Release|x64, 1=Debug|x64"))
	s = load(t, LoadOptions{})
	equal(t, "as the solution says", linksOf(find(t, s, "drv/p.vcxproj|Debug|x64"))+" "+linksOf(find(t, s, "drv/p.vcxproj|Release|x64")),
		"lib/l.vcxproj|Dbg|x64 lib/l.vcxproj|Debug|x64")

	setUp()
	put(t, "all.slnx", `<Solution><Configurations><BuildType Name="Debug"/><BuildType Name="Release"/><Platform Name="x64"/></Configurations>
<Project Path="drv/p.vcxproj"/><Project Path="lib/l.vcxproj"><BuildType Solution="Debug|*" Project="Dbg"/></Project></Solution>`)
	s = load(t, LoadOptions{})
	equal(t, "as the .slnx says", linksOf(find(t, s, "drv/p.vcxproj|Debug|x64"))+" "+linksOf(find(t, s, "drv/p.vcxproj|Release|x64")),
		"lib/l.vcxproj|Dbg|x64 lib/l.vcxproj|Release|x64")

	setUp()
	b := load(t, LoadOptions{}, "drv").Builds[0]
	equal(t, "outside", linksOf(b), "")
	if n := notes(b); !strings.Contains(n, "drv/p.vcxproj:17:28: lib/l.vcxproj is linked, but not among what was named") {
		t.Errorf("notes: %s", n)
	}

	setUp()
	put(t, "lib/l.vcxproj", library("Debug|x64", kernel))
	s = load(t, LoadOptions{})
	if n := notes(find(t, s, "drv/p.vcxproj|Release|x64")); n != "drv/p.vcxproj:17:28: l.vcxproj is linked, but has no configuration Release|x64" {
		t.Errorf("notes: %s", n)
	}
	s = load(t, LoadOptions{Configs: []string{"Debug|x64"}})
	equal(t, "chosen", linksOf(s.Builds[0]), "lib/l.vcxproj|Debug|x64")
}

func TestReferenceGone(t *testing.T) {
	write(t, "-- a.c --\n-- b.c --\n")
	put(t, "p.vcxproj", projectText("Debug|x64", compiled+`<ItemGroup><ProjectReference Include="gone.vcxproj" /></ItemGroup>`))
	if n := notes(load(t, LoadOptions{}).Builds[0]); !strings.Contains(n, "the project gone.vcxproj is not there") {
		t.Errorf("notes: %s", n)
	}
}

// A library that the linker is given by name is linked like one that is referred to; one of another configuration is not,
// nor one of two of the same name.
func TestLinksByName(t *testing.T) {
	write(t, "-- drv/a.c --\n-- drv/b.c --\n-- lib/a.c --\n-- lib/b.c --\n-- two/a.c --\n-- two/b.c --\n")
	library := func(target string) string {
		return strings.Replace(projectText("Debug|x64", compiled), "<ConfigurationType>Driver</ConfigurationType>",
			"<ConfigurationType>StaticLibrary</ConfigurationType><DriverType>WDM</DriverType><TargetName>"+target+"</TargetName>", 1)
	}
	put(t, "lib/l.vcxproj", library("Util"))
	put(t, "lib/m.vcxproj", library("twice"))
	put(t, "two/m.vcxproj", library("twice"))
	put(t, "drv/p.vcxproj", projectText("Debug|x64 Release|x64", "<ItemDefinitionGroup><Link><AdditionalDependencies>"+
		`..\lib\$(IntDir)\util.LIB;twice.lib;ntoskrnl.lib;%(AdditionalDependencies)</AdditionalDependencies></Link></ItemDefinitionGroup>`+compiled))
	s := load(t, LoadOptions{})
	equal(t, "debug", linksOf(find(t, s, "drv/p.vcxproj|Debug|x64")), "lib/l.vcxproj|Debug|x64")
	equal(t, "release", linksOf(find(t, s, "drv/p.vcxproj|Release|x64")), "")
}
