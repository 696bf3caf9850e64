package project

import (
	"fmt"
	"os"
	"path"
	"strings"
	"testing"
	"time"
)

// files gives the paths of a build's units, without their directory where that is drv.
func files(b *Build) string {
	var list []string
	for _, u := range b.Units {
		list = append(list, strings.TrimPrefix(u.Path, "drv/"))
	}
	return strings.Join(list, " ")
}

// TestItems tells how items are included, excluded, removed and updated, from "MSBuild items" and "Item element".
// Of a project that was made of a SOURCES file the kit finds the files.
func TestConvertedSources(t *testing.T) {
	write(t, "-- a.c --\n-- b.c --\n-- sources.props --\n<Project><PropertyGroup><SOURCES>a.c   b.c\n a.rc</SOURCES></PropertyGroup></Project>")
	put(t, "p.vcxproj", projectText("Debug|x64", "<Import Project=\"sources.props\"/><ItemGroup><ClCompile Include=\"b.c\"/></ItemGroup>"+
		definitions("", "X=1;"+inherit)+"<ItemGroup><ClCompile Include=\"@(ClSourceFiles)\" Exclude=\"@(ClCompile)\"/></ItemGroup>"))
	b := load(t, LoadOptions{}).Builds[0]
	equal(t, "units", summary(b), "a.c b.c: X=1")
	equal(t, "notes", notes(b), "")
	put(t, "p.vcxproj", projectText("Debug|x64", "<ItemGroup><ClCompile Include=\"@(ClSourceFiles)\" Exclude=\"@(ClCompile)\"/></ItemGroup>\n"))
	b = load(t, LoadOptions{}).Builds[0]
	equal(t, "files", b.Files, 0)
	equal(t, "notes of nothing", notes(b), "p.vcxproj:11:12: it compiles no file: @(ClSourceFiles) is empty here, unless the kit or a target fills it")
}

func TestItems(t *testing.T) {
	const archive = "-- drv/a.c --\n-- drv/b.c --\n-- drv/B2.cpp --\n-- drv/sub/c.c --\n-- drv/sub/deep/D.C --\n-- drv/sub/deep/e.h --\n-- drv/.hidden/h.c --\n-- out.c --\n"
	for _, c := range []struct{ name, items, want string }{
		{"wildcard", `<ClCompile Include="*.c" />`, "a.c b.c"},
		{"wildcard in a directory", `<ClCompile Include="SUB\*.c" />`, "sub/c.c"},
		{"question mark", `<ClCompile Include="?.c;b?.cpp" />`, "B2.cpp a.c b.c"},
		{"recursive", `<ClCompile Include="**\*.c" />`, "a.c b.c sub/c.c sub/deep/D.C"},
		{"recursive below", `<ClCompile Include="sub\**\*.c" />`, "sub/c.c sub/deep/D.C"},
		{"recursive in between", `<ClCompile Include="**\deep\*.c" />`, "sub/deep/D.C"},
		{"all files", `<ClCompile Include="sub\**" />`, "sub/c.c sub/deep/D.C"},
		{"star dot star", `<ClCompile Include="sub\*.*" />`, "sub/c.c"},
		{"nothing found", `<ClCompile Include="*.none" /><ClCompile Include="gone\*.c" />`, ""},
		{"exclude by name", `<ClCompile Include="*.c" Exclude=".\B.c" />`, "a.c"},
		{"exclude by wildcard", `<ClCompile Include="**\*.c" Exclude="sub\**\*.c;b*" />`, "a.c"},
		{"exclude by another spelling", `<ClCompile Include="sub\c.c;a.c" Exclude="$(MSBuildProjectDirectory)\sub\..\SUB\C.c" />`, "a.c"},
		{"remove", `<ClCompile Include="a.c;b.c" /><ClCompile Remove="A.C" />`, "b.c"},
		{"remove by wildcard", `<ClCompile Include="a.c;b.c;sub\c.c" /><ClCompile Remove="*.c" />`, "sub/c.c"},
		{"remove a list", `<X Include="a.c" /><ClCompile Include="a.c;b.c" /><ClCompile Remove="@(X)" />`, "b.c"},
		{"another list", `<X Include="a.c" /><X Include="b.c" /><ClCompile Include="@(X)" />`, "a.c b.c"},
		{"lists of lists", `<X Include="a.c" /><Y Include="@(X);b.c" /><ClCompile Include=" @(Y) ; sub\c.c" />`, "a.c b.c sub/c.c"},
		{"only what is there already", `<ClCompile Include="@(X)" /><X Include="a.c" />`, ""},
		{"without duplicates", `<ClCompile Include="a.c" /><X Include="A.c;b.c" /><ClCompile Include="@(X)" Exclude="@(ClCompile)" />`, "a.c b.c"},
		{"transform", `<X Include="a.x;sub\c.x" /><ClCompile Include="@(X->'%(RelativeDir)%(Filename).c')" />`, "a.c sub/c.c"},
		{"transform with a separator", `<X Include="a.x;b.x" /><ClCompile Include="@(X->'%(Filename).c', ';')" />`, "a.c b.c"},
		{"list with a separator", `<X Include="sub;deep" /><ClCompile Include="@(X, '\')\D.C" />`, "sub/deep/D.C"},
		{"transform by metadata", `<X Include="x"><Src>b.c</Src></X><X Include="y" /><ClCompile Include="@(X->'%(Src)')" />`, "b.c"},
		{"full path", `<X Include="a.c" /><ClCompile Include="@(X->'%(FullPath)')" />`, "a.c"},
		{"root and directory", `<X Include="sub\c.c" /><ClCompile Include="@(X->'%(RootDir)%(Directory)%(Filename)%(Extension)')" />`, "sub/c.c"},
		{"recursive directory", `<X Include="sub\**\*.h" /><ClCompile Include="@(X->'sub\%(RecursiveDir)d.c')" />`, "sub/deep/D.C"},
		{"by a property", `<ClCompile Include="$(Later)" />`, "a.c b.c"},
		{"list in a property", `<X Include="b.c" /><ClCompile Include="$(List)" />`, "b.c"},
		{"list in a condition", `<X Include="b.c" /><ClCompile Condition="'@(X)'!=''" Include="a.c" /><ClCompile Condition="'@(Y)'!=''" Include="b.c" />`, "a.c"},
		{"escaped", `<ClCompile Include="%61.c;%2a.c" />`, "a.c"},
		{"wildcard that leads back", `<ClCompile Include="*\..\a.c" Exclude="?\..\b.c" /><ClCompile Remove="*\..\b.c" />`, "a.c"},
		{"excluded from the build", `<ClCompile Include="*.c" ExcludedFromBuild="true" /><ClCompile Include="sub\c.c" />`, "sub/c.c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, archive)
			put(t, "drv/p.vcxproj", projectText("Debug|x64", "<ItemGroup>"+c.items+"</ItemGroup>"+
				"<PropertyGroup><Later>a.c;b.c</Later><List>@(X)</List></PropertyGroup>"))
			b := load(t, LoadOptions{}).Builds[0]
			equal(t, "files", files(b), c.want)
			if c.name != "escaped" && c.want != "" { // a build of nothing says so
				equal(t, "notes", notes(b), "")
			}
		})
	}
}

// TestMetadata tells what an item ends with, by the defines of a.c and b.c.
func TestMetadata(t *testing.T) {
	definition := func(s string) string {
		return "<ItemDefinitionGroup><ClCompile>" + s + "</ClCompile></ItemDefinitionGroup>"
	}
	const d = "PreprocessorDefinitions"
	element := func(s string) string { return "<" + d + ">" + s + "</" + d + ">" }
	for _, c := range []struct{ name, body, a, b string }{
		{"of the item in a definition", definition(element("FILE=%(Filename)%(Extension);D;%(" + d + ")")), "FILE=a.c D=1", "FILE=b.c D=1"},
		{"by another name", definition("<Mine>M=%(Filename)</Mine>" + element("%(Mine);%(ClCompile.Mine);%( ClCompile . Mine )")),
			"M=a M=a M=a", "M=b M=b M=b"},
		{"of another type", definition("<Mine>M</Mine>" + element("A;%(Link.Mine);%(None)")), "A=1", "A=1"},
		{"removed again", definition(element("A")) + `<ItemGroup><ClCompile Update="a.c"><` + d + ` /></ClCompile></ItemGroup>`, "", "A=1"},
		{"as an attribute", definition(element("A")) + `<ItemGroup><ClCompile Update="a.c" ` + d + `="B;%(` + d + `)" Unknown="x" /></ItemGroup>`, "B=1 A=1", "A=1"},
		{"updated by a wildcard", definition(element("A")) + `<ItemGroup><ClCompile Update="?.c"><` + d + `>B=%(Filename)</` + d + `></ClCompile></ItemGroup>`, "B=a", "B=b"},
		{"condition on another", definition("<Mine>M</Mine>" + element("A") + `<` + d + ` Condition="'%(Mine)'=='M' and '%(ClCompile. None)'==''">B</` + d + `>`), "B=1", "B=1"},
		{"brought by a list", `<ItemGroup><X Include="a.c">` + element("X=%(Filename)") + `</X><ClCompile Remove="a.c" /><ClCompile Include="@(X)" /></ItemGroup>` + definition(element("A")),
			"X=a", "A=1"},
		{"imports keep their place", definition(element("A")) + `<Import Project="mid.props" />` + definition(element("C;%("+d+")")), "C=1 MID=1 A=1", "C=1 MID=1 A=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, "-- a.c --\n-- b.c --\n-- mid.props --\n<Project>"+definition(element("MID;%("+d+")"))+"</Project>\n")
			put(t, "p.vcxproj", projectText("Debug|x64", compiled+c.body))
			b := load(t, LoadOptions{}).Builds[0]
			equal(t, "a.c", own(b.unitOf(t, "a.c")), c.a)
			equal(t, "b.c", own(b.unitOf(t, "b.c")), c.b)
			equal(t, "notes", notes(b), "")
		})
	}
}

// What no item hangs on is not evaluated, and so leaves nothing open.
func TestNotNeededIsNotNoted(t *testing.T) {
	write(t, "-- a.c --\n-- b.c --\n")
	put(t, "p.vcxproj", projectText("Debug|x64", compiled+`
<ItemDefinitionGroup Condition="'$(VisualStudioVersion)'=='16.0'"><Link><Option>x</Option></Link></ItemDefinitionGroup>
<ItemDefinitionGroup><ClCompile><CompileAs>Default</CompileAs><WarningLevel Condition="'$(VisualStudioVersion)'=='16.0'">Level4</WarningLevel></ClCompile></ItemDefinitionGroup>
<ItemGroup Condition="'$(VisualStudioVersion)'=='16.0'"><Inf Include="*.inf" Exclude="@(Inf)" /></ItemGroup>
<ItemGroup><Inf Include="@(Inf->Frob())" /></ItemGroup>`))
	equal(t, "notes", notes(load(t, LoadOptions{}).Builds[0]), "")
}

func TestItemsUnknown(t *testing.T) {
	write(t, "-- drv/a.c --\n-- out.c --\n")
	put(t, "drv/p.vcxproj", projectText("Debug|x64", `<ItemGroup><ClCompile Include="a.c" />
<ClCompile Include="..\..\**\*.c" />
<ClCompile Include="@(ClCompile->Distinct())" />
<ClCompile Include="$([System.Guid]::NewGuid()).c" />
<ClCompile Include="@(ClCompile->'%(ModifiedTime).c')" /></ItemGroup>`))
	b := load(t, LoadOptions{}, "drv").Builds[0]
	equal(t, "files", files(b), "a.c")
	n := notes(b)
	for _, want := range []string{"outside of what was named", "functions of items are not evaluated", "another in every build", "depends on the disk"} {
		if !strings.Contains(n, want) {
			t.Errorf("no note %q among\n%s", want, n)
		}
	}
	equal(t, "notes", strings.Count(n, "\n")+1, 4)
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"a/*.c", "a/b.c", true}, {"a/*.c", "a/b/c.c", false}, {"a/**/*.c", "a/c.c", true}, {"a/**/*.c", "a/b/d/c.c", true},
		{"a/**/b/**/c.c", "a/x/b/y/b/z/c.c", true}, {"a/**/b/**/c.c", "a/x/y/c.c", false}, {"**", "a/b", true}, {"**/b", "b", true},
		{"a/**", "b/c", false}, {"?", "", false}, {"a*b*c", "axxbyyc", true}, {"a*b*c", "axxcyyb", false}, {"*.*", "a", true}, {"*", "a/b", false},
	} {
		equal(t, c.pattern+" "+c.path, matches(c.pattern, c.path), c.want)
	}
	start := time.Now()
	matches(strings.Repeat("**/", 300)+"x", strings.Repeat("a/", 3000)+"y")
	matches(strings.Repeat("*a", 300)+"x", strings.Repeat("a", 30_000)+"y")
	bounded(t, start)
}

// A directory in letters whose small ones take fewer bytes is found, and does not upset what is counted in bytes.
func TestWildcardLetters(t *testing.T) {
	write(t, "-- k/a.c --\n")
	put(t, "p.vcxproj", projectText("Debug|x64", "<ItemGroup><ClCompile Include=\"\u212a\\**\\*.c\" /></ItemGroup>"))
	equal(t, "files", files(load(t, LoadOptions{}).Builds[0]), "k/a.c")
}

// Symbolic links are not followed by a wildcard, so that none leads out of the tree or around in it.
func TestWildcardLinks(t *testing.T) {
	write(t, "-- drv/a.c --\n-- out/b.c --\n")
	for name, target := range map[string]string{"drv/loop": "..", "drv/out": "../out"} {
		if err := os.Symlink(target, name); err != nil {
			t.Skip(err)
		}
	}
	put(t, "drv/p.vcxproj", projectText("Debug|x64", `<ItemGroup><ClCompile Include="**\*.c" /></ItemGroup>`))
	equal(t, "files", files(load(t, LoadOptions{}, "drv").Builds[0]), "a.c")
}

func TestItemBombs(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	double := `<X Include="a.c" />` + strings.Repeat(`<X Include="@(X)" />`, 60) + `<ClCompile Include="@(X)" />`
	transform := `<X Include="a.c" />` + strings.Repeat(`<X Include="@(X->'%(Identity)%(Identity)')" />`, 60) + `<ClCompile Include="@(X)" />`
	wild := ""
	for i := range 2000 {
		wild += fmt.Sprintf(`<ClCompile Include="d%d\..\**\*a*a*a*a*a*.c" Exclude="**\*%d*;**\**\**\x" />`, i%50, i)
	}
	for name, items := range map[string]string{"double": double, "transform": transform, "wildcards": wild} {
		t.Run(name, func(t *testing.T) {
			write(t, "-- good/a.c --\n")
			for i := range 50 {
				for j := range 20 {
					put(t, fmt.Sprintf("bad/d%d/%s%d.c", i, strings.Repeat("a", 30), j), "")
				}
			}
			put(t, "bad/p.vcxproj", projectText("Debug|x64", "<ItemGroup>"+items+"</ItemGroup>"))
			put(t, "good/p.vcxproj", projectText("Debug|x64", "<ItemGroup><ClCompile Include=\"a.c\" /></ItemGroup>"))
			start := time.Now()
			s := load(t, LoadOptions{})
			bounded(t, start)
			find(t, s, "good/p.vcxproj|Debug|x64")
			if name != "wildcards" && (len(s.Unreadable) != 1 || path.Dir(s.Unreadable[0].Path) != "bad") {
				t.Errorf("unreadable: %v", s.Unreadable)
			}
		})
	}
}
