package project

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nxport/nxport/nx"
)

// A project that is too old to be read is named: as skipped in a directory, which is read as without it, and as unreadable
// where it is all that was asked for.
func TestOldProjects(t *testing.T) {
	const why = "a project of Visual Studio 2008 or before, which is not read: let a later one convert it, or name its source files"
	write(t, "-- old/See.VCPROJ --\n<VisualStudioProject/>\n-- old/a.c --\n-- both/d.vcproj --\n-- both/a.c --\n-- old.sln --\n"+
		"Microsoft Visual Studio Solution File, Format Version 10.00\nProject(\"{8BC9CEB8-8B4A-11D0-8D11-00A0C91BC942}\") = \"See\", \"old\\See.VCPROJ\", \"{1}\"\nEndProject\n")
	put(t, "both/d.vcxproj", projectText("Debug|x64", "<ItemGroup><ClCompile Include=\"a.c\"/></ItemGroup>"))
	for named, want := range map[string]string{
		".":              "both/d.vcxproj|Debug|x64 [{both/d.vcproj an older form of both/d.vcxproj, which is there too [] []} {old/See.VCPROJ " + why + " [] []}] []",
		"old":            "old [{old/See.VCPROJ " + why + " [] []}] []",
		"old.sln":        " [{old/See.VCPROJ " + why + " [] []}] []",
		"old/See.VCPROJ": " [] [{old/See.VCPROJ " + why + " [] []}]",
	} {
		s := load(t, LoadOptions{}, named)
		equal(t, named, fmt.Sprint(ids(s), " ", s.Skipped, " ", s.Unreadable), want)
	}
}

func TestWithoutBuildFile(t *testing.T) {
	const archive = "-- drv/a.c --\n-- drv/sub/b.CPP --\n-- drv/sub/c.cc --\n-- drv/d.cxx --\n-- drv/e.h --\n-- drv/.git/f.c --\n-- other/g.c --\n-- none/x.h --\n"
	for _, c := range []struct {
		named, want string
	}{
		{"drv", "drv: drv/a.c drv/d.cxx drv/sub/b.CPP drv/sub/c.cc"},
		{"drv/a.c", "drv/a.c: drv/a.c"},
		{"drv/a.c drv/d.cxx other/g.c", "drv: drv/a.c drv/d.cxx; other/g.c: other/g.c"},
		{"other drv/sub", "drv/sub: drv/sub/b.CPP drv/sub/c.cc; other: other/g.c"},
		{"none", ""},
	} {
		write(t, archive)
		s := load(t, LoadOptions{Includes: []string{"./more/"}}, strings.Fields(c.named)...)
		var got []string
		for _, b := range s.Builds {
			line := b.ID + ":"
			for _, u := range b.Units {
				line += " " + u.Path
			}
			got = append(got, line)
			equal(t, c.named, fmt.Sprint(b.Configuration, b.Processor, b.Minimum, b.MinimumSource, b.Entries, b.Library),
				fmt.Sprint("default", nx.X64, nx.Windows7, "default", []string{"DriverEntry", "DllInitialize"}, false))
		}
		equal(t, c.named, strings.Join(got, "; "), c.want)
		equal(t, c.named+": unreadable", len(s.Unreadable), 0)
	}
	write(t, archive)
	u := load(t, LoadOptions{Includes: []string{"./more/"}}, "drv").Builds[0].Units[0]
	equal(t, "includes", strings.Join(u.Options.Includes, " "), "drv more")
}

func TestOnlyBuildFilesMakeBuilds(t *testing.T) {
	write(t, "-- a.c --\n-- lone.c --\n-- app/app.vcxproj --\n<Project><ItemGroup><ProjectConfiguration Include=\"Debug|x64\"/></ItemGroup></Project>\n-- docs/sources --\nwhere this comes from\n")
	put(t, "p.vcxproj", projectText("Debug|x64", "<ItemGroup><ClCompile Include=\"a.c\"/></ItemGroup>"))
	s := load(t, LoadOptions{})
	equal(t, "builds", ids(s), "p.vcxproj|Debug|x64")
	equal(t, "files", s.Builds[0].Files, 1)
	equal(t, "skipped", len(s.Skipped), 1)
	equal(t, "unreadable", len(s.Unreadable), 0)
	// and each build file once, however often it is named
	s = load(t, LoadOptions{}, "p.vcxproj", ".", "./p.vcxproj")
	equal(t, "builds", ids(s), "p.vcxproj|Debug|x64")
}

func TestUnreadable(t *testing.T) {
	good := projectText("Debug|x64", "<ItemGroup><ClCompile Include=\"a.c\"/></ItemGroup>")
	for name, c := range map[string]struct{ file, data, why string }{
		"empty":              {"x.vcxproj", "", "line 1: the file has no element"},
		"only a declaration": {"x.vcxproj", "<?xml version=\"1.0\"?>\n", "line 1: the file has no element"},
		"truncated":          {"x.vcxproj", good[:strings.Index(good, "</PropertyGroup>")], "the file ends inside <PropertyGroup>, which line 7 opens"},
		"broken":             {"x.vcxproj", strings.Replace(good, "</ConfigurationType>", "</Other>", 1), "line 8: </Other> closes no element"},
		"cut in a tag":       {"x.vcxproj", good[:60], "line 2: no valid XML"},
		"utf-16":             {"x.vcxproj", "\xff\xfe<\x00P\x00", "line 1: no valid XML: unexpected EOF inside a tag"},
		"utf-16 be":          {"x.vcxproj", "\xfe\xff\x00<", "line 1: no valid XML"},
		"another root":       {"x.vcxproj", "<html></html>", "line 1: the root element is <html>, not <Project>"},
		"two roots":          {"x.vcxproj", "<Project/>\n<Project/>", "line 2: a second root element"},
		"nothing configured": {"x.vcxproj", "<Project/>", "there is no ProjectConfiguration"},
		"an entity":          {"x.vcxproj", "<!DOCTYPE x [<!ENTITY a \"aaaa\">]>\n<Project>&a;</Project>", "line 1: a document type is not read"},
		"unknown entity":     {"x.vcxproj", "<Project>\n&a;</Project>", "line 2: no valid XML"},
		"deep":               {"x.vcxproj", strings.Repeat("<Project>", 100), "line 1: elements nested too deep"},
		"binary":             {"x.vcxproj", "\x00\x01\x02\x03", "line 1: "},
		"work without end": {"x.vcxproj", projectText("Debug|x64", "<PropertyGroup><P>12345678</P>"+strings.Repeat("<P>$(P)$(P)</P>", 60)+
			"</PropertyGroup>"), "the evaluation takes too much work"},
		"attribute entity":   {"x.vcxproj", "<Project>\n<P a=\"&b;\"/></Project>", "line 2: no valid XML: an unknown entity"},
		"attribute unquoted": {"x.vcxproj", "<Project>\n<P a=b/></Project>", "line 2: no valid XML: the value of an attribute is not quoted"},
		"attribute bare":     {"x.vcxproj", "<Project>\n<P a/></Project>", "line 2: no valid XML: an attribute without a value"},
		"tag in attribute":   {"x.vcxproj", "<Project>\n<P a=\"<b>\"/></Project>", "line 2: no valid XML: \"<\" in an attribute"},
		"text outside":       {"x.vcxproj", "<Project/>\ntext", "line 2: no valid XML: text outside of the root element"},
		"open comment":       {"x.vcxproj", "<Project>\n<!-- </Project>", "line 2: no valid XML: <!-- is not closed"},
		"control character":  {"x.vcxproj", "<Project>\n\x01</Project>", "line 2: no valid XML: the byte 0x01"},
		"end tag with more":  {"x.vcxproj", "<Project>\n</Project x>", "line 2: no valid XML: an end tag holds more than a name"},
		"zero character":     {"x.vcxproj", "<Project>&#0;</Project>", "line 1: no valid XML: an unknown entity"},
		"too large":          {"x.vcxproj", "<Project>" + strings.Repeat(" ", maxBuildFile) + "</Project>", "line 1: 8388627 bytes, more than the 8388608"},
		"too many elements":  {"x.vcxproj", "<Project>" + strings.Repeat("<P/>", maxElements) + "</Project>", "line 1: elements nested too deep, or too many of them"},
		"functions without end": {"x.vcxproj", projectText("Debug|x64", "<PropertyGroup><P>12345678</P>"+strings.Repeat("<P>$(P)$([System.String]::Concat($(P), $(P)))</P>", 60)+
			"</PropertyGroup>"), "the evaluation takes too much work"},
		"unknown extension": {"x.txt", "text", "neither a .vcxproj, nor a SOURCES file"},
		"header":            {"x.h", "", "neither a .vcxproj, nor"},
		"binary source":     {"x.c", "\x7fELF\x00\x00", "binary, no source text"},
		"no SOURCES":        {"x/sources", "where this comes from\n", "line 1: no TARGETTYPE"},
		"empty SOURCES":     {"x/sources", "", "line 1: no TARGETTYPE"},
		"utf-16 SOURCES":    {"x/sources", "\xff\xfeT\x00", "line 1: UTF-16"},
		"binary SOURCES":    {"x/SOURCES", "T\x00\x00", "line 1: binary"},
		"no endif":          {"x/sources", "TARGETTYPE=DRIVER\n!if 1\n", "line 2: !if without !endif"},
		"no if":             {"x/sources", "TARGETTYPE=DRIVER\n\n!endif\n", "line 3: !endif without !if"},
		"endless SOURCES":   {"x/sources", "TARGETTYPE=DRIVER\nA=12345678\n" + strings.Repeat("A=$(A)$(A)\n", 60), "the evaluation takes too much work"},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, "-- good/a.c --\n")
			put(t, "good/p.vcxproj", good)
			put(t, c.file, c.data)
			s := load(t, LoadOptions{}, c.file, "good")
			if len(s.Unreadable) != 1 || s.Unreadable[0].Path != c.file || !strings.Contains(s.Unreadable[0].Why, c.why) {
				t.Errorf("unreadable: %q, want %s: %s", s.Unreadable, c.file, c.why)
			}
			equal(t, "the rest", ids(s), "good/p.vcxproj|Debug|x64")
		})
	}
}

// Of a project with too many configurations the first are read, and that is said.
func TestManyConfigurations(t *testing.T) {
	write(t, "-- a.c --\n")
	put(t, "p.vcxproj", projectText(strings.Join(numbered("C%d|x64 ", 100_000), ""), `<ItemGroup><ClCompile Include="a.c" /></ItemGroup>`))
	start := time.Now()
	s := load(t, LoadOptions{})
	bounded(t, start)
	equal(t, "builds", len(s.Builds), maxConfigurations)
	find(t, s, "p.vcxproj|C499|x64")
	if len(s.Unreadable) != 1 || s.Unreadable[0].Why != "line 1: more than 500 configurations; only the first are read" {
		t.Errorf("unreadable: %v", s.Unreadable)
	}
}

// Conditions nested too deep are unknown and noted; the rest of the project is read.
func TestDeepCondition(t *testing.T) {
	for _, deep := range []string{
		strings.Repeat("(", 1000) + "true" + strings.Repeat(")", 1000), strings.Repeat("!", 1000) + "true",
		strings.Repeat("'$(A.Replace(", 1000) + strings.Repeat(", 'x'))'", 1000),
		"'" + strings.Repeat("$(A.Replace('x', ", 1000) + "'y'" + strings.Repeat("))", 1000) + "'==''",
	} {
		write(t, "-- a.c --\n-- b.c --\n")
		put(t, "p.vcxproj", projectText("Debug|x64", compiled+"<PropertyGroup Condition=\""+deep+"\"><P>x</P></PropertyGroup>"))
		b := load(t, LoadOptions{}).Builds[0]
		equal(t, "files", b.Files, 2)
		if n := notes(b); !strings.Contains(n, "the condition of PropertyGroup is unknown") {
			t.Errorf("notes: %.300s", n)
		}
	}
}

func TestEmptySourceIsFine(t *testing.T) {
	write(t, "-- a.c --\n")
	s := load(t, LoadOptions{}, "a.c")
	equal(t, "builds", ids(s), "a.c")
	equal(t, "unreadable", len(s.Unreadable), 0)
}

func TestNamedGone(t *testing.T) {
	write(t, "-- a.c --\n")
	s, err := Load(newTree(t, "a.c"), []string{"a.c", "gone"}, LoadOptions{})
	if err != nil || len(s.Unreadable) != 1 || s.Unreadable[0].Path != "gone" || len(s.Builds) != 1 {
		t.Errorf("%v, %v", s, err)
	}
}

func TestConfigs(t *testing.T) {
	write(t, "-- a.c --\n-- old/sources --\nTARGETTYPE=DRIVER\nSOURCES=..\\a.c\n")
	put(t, "p.vcxproj", projectText("Debug|Win32 Debug|x64 debug|X64 Release|x64", ""))
	for configs, want := range map[string]string{
		"":                      "old/sources|free|x86 old/sources|checked|x86 old/sources|free|amd64 old/sources|checked|amd64 p.vcxproj|Debug|Win32 p.vcxproj|Debug|x64 p.vcxproj|Release|x64",
		"release|X64":           "p.vcxproj|Release|x64",
		"Debug|x86":             "p.vcxproj|Debug|Win32",
		"Debug|Win32,free|x64":  "old/sources|free|amd64 p.vcxproj|Debug|Win32",
		"free|amd64,Free|amd64": "old/sources|free|amd64",
	} {
		var o LoadOptions
		if configs != "" {
			o.Configs = strings.Split(configs, ",")
		}
		equal(t, configs, ids(load(t, o)), want)
	}
	for _, bad := range []LoadOptions{
		{Configs: []string{"Release"}}, {Configs: []string{"Release|x64", "Release|ARM"}}, {Configs: []string{"Rel|x64"}},
		{Defines: []string{"1A"}}, {Defines: []string{"=1"}}, {Defines: []string{""}},
	} {
		if _, err := Load(newTree(t, "."), []string{"."}, bad); err == nil {
			t.Errorf("%v: no error", bad)
		}
	}
}

func TestInterning(t *testing.T) {
	write(t, "-- a.c --\n-- b.c --\n")
	const body = `<ItemDefinitionGroup><ClCompile><PreprocessorDefinitions>A;%(PreprocessorDefinitions)</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup>
<ItemDefinitionGroup Condition="'$(Configuration)'=='Other'"><ClCompile><PreprocessorDefinitions>A</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup>
<ItemGroup><ClCompile Include="a.c;b.c"/></ItemGroup>`
	put(t, "p.vcxproj", projectText("One|x64 Two|x64 Other|x64 One|Win32", body))
	put(t, "q.vcxproj", projectText("One|x64", "<ItemGroup><ClCompile Include=\"a.c;a.c\"/></ItemGroup>"))
	put(t, "r.vcxproj", projectText("One|x64", "<ItemGroup><ClCompile Include=\"a.c\"/></ItemGroup>"))
	s := load(t, LoadOptions{})
	a := func(id string) *Unit { return find(t, s, id).Units[0] }
	if a("p.vcxproj|One|x64") != a("p.vcxproj|Two|x64") || a("q.vcxproj|One|x64") != a("r.vcxproj|One|x64") {
		t.Error("equal units are not the same")
	}
	one := find(t, s, "p.vcxproj|One|x64")
	if one.Units[0].Options != one.Units[1].Options {
		t.Error("equal options are not the same")
	}
	for _, other := range []string{"p.vcxproj|Other|x64", "p.vcxproj|One|Win32", "q.vcxproj|One|x64"} {
		if a(other) == a("p.vcxproj|One|x64") {
			t.Errorf("%s shares a unit with other options", other)
		}
	}
	equal(t, "repeated file", len(find(t, s, "q.vcxproj|One|x64").Units), 1)
}

// describe gives all of a set that is public.
func describe(s *Set) []string {
	var list []string
	for _, b := range s.Builds {
		list = append(list, fmt.Sprint(b.Build, b.Entries, b.Notes))
		for _, u := range b.Units {
			list = append(list, fmt.Sprint(u.Path, *u.Options))
		}
	}
	return append(list, fmt.Sprint(s.Skipped, s.Unreadable))
}

func TestDeterministic(t *testing.T) {
	archive := ""
	for i := range 5 {
		archive += fmt.Sprintf("-- d%d/a.c --\n-- d%d/b.c --\n-- d%d/sources --\nTARGETTYPE=DRIVER\nSOURCES=b.c a.c gone.c\n-- e%d/x.vcxproj --\n<broken\n-- e%d/y.vcxproj --\n%s",
			i, i, i, i, i, projectText("Debug|x64", "<ConfigurationType/>"))
	}
	write(t, archive)
	for i := range 5 {
		put(t, fmt.Sprintf("d%d/p.vcxproj", i), projectText("Z|x64 A|Win32", `<Import Project="no1.props"/><Import Project="no2.props"/><ItemGroup><ClCompile Include="b.c;a.c"/></ItemGroup>`))
	}
	named := []string{"d0", "d1", "d2", "d3", "d4", "e0", "e1", "e2", "e3", "e4"}
	want := describe(load(t, LoadOptions{}, named...))
	equal(t, "first builds", strings.Join(strings.Fields(ids(load(t, LoadOptions{}, named...)))[:3], " "), "d0/p.vcxproj|Z|x64 d0/p.vcxproj|A|Win32 d0/sources|free|x86")
	for range 5 {
		rand.Shuffle(len(named), func(i, j int) { named[i], named[j] = named[j], named[i] })
		if diff := cmp.Diff(want, describe(load(t, LoadOptions{}, named...))); diff != "" {
			t.Fatal(diff)
		}
	}
}

// Limits hold whatever the shape of a large file is.
func TestLargeIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const size = 300_000
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for name, data := range map[string]string{
		"entities":                 projectText("Debug|x64", definitions("", fill("a&amp;;"))+compiled),
		"semicolons":               projectText("Debug|x64", definitions("", fill("a;"))+compiled),
		"items":                    projectText("Debug|x64", "<ItemGroup>"+fill("<ClCompile Include=\"a.c\" />")+"</ItemGroup>"),
		"list of items":            projectText("Debug|x64", "<ItemGroup><ClCompile Include=\""+fill("a.c;")+"\" /></ItemGroup>"),
		"removes":                  projectText("Debug|x64", "<ItemGroup>"+fill("<ClCompile Include=\"a.c\" Remove=\"b.c\" />")+"</ItemGroup>"),
		"excludes":                 projectText("Debug|x64", "<ItemGroup><ClCompile Include=\""+fill("a.c;")+"\" Exclude=\""+fill("b.c;")+"\" /></ItemGroup>"),
		"configurations":           projectText(fill("D|x64 "), ""),
		"many":                     projectText(strings.Join(numbered("D%d|x64 ", 400), ""), "<ItemGroup>"+strings.Repeat("<ClCompile Include=\"a.c\" />", 10_000)+"</ItemGroup>"),
		"definitions":              projectText("Debug|x64", strings.Repeat(definitions("", "A;"+inherit), 10_000)+compiled),
		"references":               projectText("Debug|x64", definitions("", fill("$(a"))+compiled),
		"functions":                projectText("Debug|x64", definitions("", fill("$(A.B('"))+compiled),
		"items of items":           projectText("Debug|x64", "<ItemGroup>"+fill("<X Include=\"@(X);a\" />")+"<ClCompile Include=\"@(X)\" /></ItemGroup>"),
		"metadata":                 projectText("Debug|x64", "<ItemDefinitionGroup><ClCompile>"+fill("<A>%(A)%(A)</A>")+"<PreprocessorDefinitions>%(A)</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup>"),
		"mentions":                 projectText("Debug|x64", "<ItemDefinitionGroup><ClCompile><PreprocessorDefinitions>"+fill("%(A)")+"</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup>"),
		"imports":                  projectText("Debug|x64", fill("<Import Project=\"**\\*.x\" />")),
		"entities in an attribute": projectText("Debug|x64", "<ItemGroup><ClCompile Include=\""+fill("&amp;")+"\" /></ItemGroup>"),
		"references to projects":   projectText("Debug|x64", "<ItemGroup>"+fill("<ProjectReference Include=\"p.vcxproj\" />")+"</ItemGroup>"),
		"condition":                projectText("Debug|x64", "<PropertyGroup Condition=\""+fill("(")+"\" />"),
	} {
		t.Run(name, func(t *testing.T) {
			write(t, "-- a.c --\n-- b.c --\n")
			put(t, "p.vcxproj", data)
			start := time.Now()
			load(t, LoadOptions{})
			bounded(t, start)
			t.Log(time.Since(start))
		})
	}
	for name, data := range map[string]string{
		"continued":  "TARGETTYPE=DRIVER\nC_DEFINES=" + fill("-DA \\\n") + "\nSOURCES=a.c\n",
		"defines":    "TARGETTYPE=DRIVER\n" + fill("C_DEFINES=$(C_DEFINES) -DA\n") + "\nSOURCES=a.c\n",
		"ifs":        "TARGETTYPE=DRIVER\n" + fill("!if 1\n!endif\n") + "\nSOURCES=a.c\n",
		"references": "TARGETTYPE=DRIVER\nSOURCES=" + fill("$(a") + "\n",
	} {
		t.Run("SOURCES "+name, func(t *testing.T) {
			write(t, "-- a.c --\n")
			put(t, "sources", data)
			start := time.Now()
			load(t, LoadOptions{})
			bounded(t, start)
			t.Log(time.Since(start))
		})
	}
}

func numbered(format string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(format, i)
	}
	return list
}

// A database comes after the build files that it may have been made from, whatever they are called.
func TestDatabaseIsLast(t *testing.T) {
	write(t, "-- a.c --\n-- b.c --\n-- compile_commands.json --\n"+`[{"directory":".","file":"a.c","command":"clang-cl /kernel /c a.c"}]`+"\n")
	equal(t, "alone", ids(load(t, LoadOptions{})), "compile_commands.json|default|x64")
	put(t, "z.vcxproj", projectText("Debug|x64", compiled))
	equal(t, "beside a project", ids(load(t, LoadOptions{})), "z.vcxproj|Debug|x64")
	equal(t, "named", ids(load(t, LoadOptions{}, "compile_commands.json")), "compile_commands.json|default|x64")
}

// A build file that is too large to be read is no reason to take a directory for one without build files.
func TestTooLargeInAWalk(t *testing.T) {
	for name, text := range map[string]string{
		"sources": "TARGETNAME=d\nTARGETTYPE=DRIVER\nSOURCES=a.c\n", "Makefile": "drv.sys: a.c\n\tgcc -Wl,--subsystem,native -o $@ a.c\n",
	} {
		write(t, "-- a.c --\n")
		put(t, name, text+strings.Repeat("#", maxBuildFile))
		s := load(t, LoadOptions{})
		if len(s.Builds) != 0 || len(s.Unreadable) != 1 || s.Unreadable[0].Path != name || !strings.Contains(s.Unreadable[0].Why, "bytes, more than") {
			t.Errorf("%s: builds %s, unreadable %q", name, ids(s), s.Unreadable)
		}
	}
}
