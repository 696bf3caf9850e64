package project

import (
	"os"
	"strings"
	"testing"
	"time"
)

// Directory.Build.props is the nearest one above a project; it brings the next above by GetPathOfFileAbove.
func TestDirectoryBuild(t *testing.T) {
	const up = `<Import Project="$([MSBuild]::GetPathOfFileAbove('Directory.Build.props', '$(MSBuildThisFileDirectory)../'))" />`
	write(t, `
-- Directory.Build.props --
<Project><PropertyGroup><Root>$(MSBuildThisFileDirectory)</Root><Top>TOP</Top></PropertyGroup></Project>
-- drv/Directory.Build.props --
<Project>`+up+`<Import Project="$(Root)common/kernel.props" /></Project>
-- drv/Directory.Build.targets --
<Project><ItemDefinitionGroup><ClCompile><PreprocessorDefinitions>LAST;%(PreprocessorDefinitions)</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup></Project>
-- common/kernel.props --
<Project><ItemDefinitionGroup><ClCompile><PreprocessorDefinitions>$(Top);%(PreprocessorDefinitions)</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup></Project>
-- drv/deep/a.c --
-- drv/deep/b.c --
`)
	put(t, "drv/deep/p.vcxproj", projectText("Debug|x64", compiled+definitions("", "MID;"+inherit)))
	b := load(t, LoadOptions{}).Builds[0]
	equal(t, "defines", own(b.unitOf(t, "drv/deep/a.c")), "LAST=1 MID=1 TOP=1")
	equal(t, "notes", notes(b), "")
	// What stands above a named part is read all the same, as MSBuild does, and said.
	b = load(t, LoadOptions{}, "drv/deep/p.vcxproj").Builds[0]
	equal(t, "defines of a part", own(b.unitOf(t, "drv/deep/a.c")), "LAST=1 MID=1 TOP=1")
	equal(t, "notes of a part", strings.Count(notes(b), "outside of what was named"), 4)
}

func TestImportForms(t *testing.T) {
	sheet := func(name string) string {
		return "<Project><ItemDefinitionGroup><ClCompile><PreprocessorDefinitions>" + name + ";%(PreprocessorDefinitions)</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup></Project>\n"
	}
	for _, c := range []struct{ name, imports, want, noted string }{
		{"wildcard", `<Import Project="ext\*.props" />`, "TWO=1 ONE=1", ""},
		{"wildcard without a file", `<Import Project="ext\*.targets" /><Import Project="gone\*.props" />`, "", ""},
		{"wildcard that leads back", `<Import Project="*\..\ext\one.props" />`, "ONE=1", ""},
		{"list", `<Import Project="ext\one.props;ext\two.props" />`, "TWO=1 ONE=1", ""},
		{"of an SDK", `<Import Project="Sdk.props" Sdk="Some.Sdk" />`, "", ""},
		{"nothing", `<Import Project="$(Undefined)" />`, "", "names no file"},
		{"guarded package", `<Import Project="..\packages\x.props" Condition="Exists('..\packages\x.props')" />`, "", ""},
		{"package", `<Import Project="..\packages\x.props" />`, "", "packages/x.props is not there"},
		{"user's sheet", `<Import Project="$(UserRootDir)\x.user.props" Condition="exists('$(UserRootDir)\x.user.props')" />`, "", ""},
		{"of the clock", `<Import Project="$([System.DateTime]::Now.Year).props" />`, "", "it asks the clock"},
		{"condition on the group", `<ImportGroup Condition="'$(Platform)'=='x64'"><Import Project="ext\one.props" /></ImportGroup>`, "ONE=1", ""},
		{"condition beside the file", `<Import Project="ext\guard.props" />`, "TWO=1", ""},
		{"shared items", `<ImportGroup Label="Shared"><Import Project="shared\s.vcxitems" Label="Shared" /></ImportGroup>`, "SHARED=1", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, "-- drv/a.c --\n-- drv/b.c --\n-- drv/shared/s.c --\n-- drv/ext/one.props --\n"+sheet("ONE")+"-- drv/ext/two.props --\n"+sheet("TWO")+
				"-- drv/ext/guard.props --\n<Project><Import Project=\"two.props\" Condition=\"exists('two.props')\" /></Project>\n"+
				"-- drv/shared/s.vcxitems --\n"+strings.Replace(sheet("SHARED"), "</Project>", `<ItemGroup><ClCompile Include="$(MSBuildThisFileDirectory)s.c" /></ItemGroup></Project>`, 1))
			os.Remove("drv/ext/guard.props")
			if strings.Contains(c.imports, "guard") {
				put(t, "drv/ext/guard.props", "<Project><Import Project=\"two.props\" Condition=\"exists('two.props')\" /></Project>")
			}
			put(t, "drv/p.vcxproj", projectText("Debug|x64", compiled+c.imports))
			b := load(t, LoadOptions{}).Builds[0]
			equal(t, "defines", own(b.unitOf(t, "drv/a.c")), c.want)
			if n := notes(b); !strings.Contains(n, c.noted) || c.noted == "" && n != "" {
				t.Errorf("notes: %s", n)
			}
			if c.name == "shared items" {
				b.unitOf(t, "drv/shared/s.c")
			}
		})
	}
}

// TreatAsLocalProperty gives a global property back to the file; an SDK's files stand around a project that names it.
func TestProjectElement(t *testing.T) {
	write(t, "-- a.c --\n-- b.c --\n-- Directory.Build.props --\n<Project><PropertyGroup><First>FIRST</First></PropertyGroup></Project>\n"+
		"-- local.props --\n<Project TreatAsLocalProperty=\"Other; platform\"><PropertyGroup><Platform>mine</Platform><Configuration>mine</Configuration></PropertyGroup></Project>\n")
	put(t, "p.vcxproj", projectText("Debug|x64", compiled+`<Import Project="local.props" />`+definitions("", "$(Platform);$(Configuration)")))
	equal(t, "local", own(load(t, LoadOptions{}).Builds[0].Units[0]), "mine=1 Debug=1")
	put(t, "p.vcxproj", `<Project Sdk="Some.Sdk/1.0"><ItemGroup><ProjectConfiguration Include="Debug|x64" /></ItemGroup>
<PropertyGroup><ConfigurationType>Driver</ConfigurationType><Then>$(First)</Then></PropertyGroup>`+compiled+definitions("", "$(Then)")+"</Project>")
	equal(t, "sdk", own(load(t, LoadOptions{}).Builds[0].Units[0]), "FIRST=1")
}

// Configurations may come by an import, and be removed again.
func TestConfigurationsElsewhere(t *testing.T) {
	write(t, "-- a.c --\n-- b.c --\n-- Directory.Build.props --\n<Project><ItemGroup><ProjectConfiguration Include=\"Above|x64\" /><ProjectConfiguration Remove=\"Gone|x64\" /></ItemGroup></Project>\n")
	project := projectText("Debug|x64 Gone|x64", compiled)
	put(t, "p.vcxproj", project)
	equal(t, "both", ids(load(t, LoadOptions{})), "p.vcxproj|Debug|x64 p.vcxproj|Above|x64")
	equal(t, "chosen", ids(load(t, LoadOptions{Configs: []string{"Above|x64"}})), "p.vcxproj|Above|x64")
	put(t, "p.vcxproj", strings.NewReplacer(`<ProjectConfiguration Include="Debug|x64" />`, "", `<ProjectConfiguration Include="Gone|x64" />`, "").Replace(project))
	equal(t, "import only", ids(load(t, LoadOptions{})), "p.vcxproj|Above|x64")
}

// Cycles, by whatever way, end: a file is imported once.
func TestImportCycles(t *testing.T) {
	write(t, "-- drv/a.c --\n-- drv/b.c --\n-- drv/x.props --\n<Project><Import Project=\"loop\\x.props\" /><Import Project=\"p.vcxproj\" /><Import Project=\"X.PROPS\" /></Project>\n")
	if err := os.Symlink(".", "drv/loop"); err != nil {
		t.Skip(err)
	}
	put(t, "drv/p.vcxproj", projectText("Debug|x64", compiled+`<Import Project="x.props" /><Import Project="*.props" /><Import Project="**\*.props" />`))
	start := time.Now()
	b := load(t, LoadOptions{}).Builds[0]
	equal(t, "files", files(b), "a.c b.c")
	bounded(t, start)
}
