package project

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nxport/nxport/nx"
)

const two = "Debug|x64 Release|Win32"

// TestDefines tells the passes, conditions and inheritance by the defines that a.c ends with.
func TestDefines(t *testing.T) {
	const items = "  <ItemGroup>\n    <ClCompile Include=\"a.c\" />\n  </ItemGroup>\n"
	group := func(body string) string {
		return "  <ItemDefinitionGroup>\n    <ClCompile>\n" + body + "\n    </ClCompile>\n  </ItemDefinitionGroup>\n"
	}
	for _, c := range []struct {
		name, body, debug, release string
	}{
		{"none", items, "", ""},
		{"values", items + group(`<PreprocessorDefinitions> A ; B=2;C= ;;D#4;E="x y" </PreprocessorDefinitions>`),
			`A=1 B=2 C= D=4 E="x y"`, `A=1 B=2 C= D=4 E="x y"`},
		{"inherits in order", items + group("<PreprocessorDefinitions>A;%(PreprocessorDefinitions)</PreprocessorDefinitions>") +
			group("<PreprocessorDefinitions>%(preprocessordefinitions);B;%(ClCompile.PreprocessorDefinitions)</PreprocessorDefinitions>"),
			"A=1 B=1 A=1", "A=1 B=1 A=1"},
		{"does not inherit", items + group("<PreprocessorDefinitions>A</PreprocessorDefinitions>") +
			group("<PreprocessorDefinitions>B</PreprocessorDefinitions>"), "B=1", "B=1"},
		{"conditions on group, item type and element", items +
			`<ItemDefinitionGroup Condition="'$(Configuration)|$(Platform)'=='Debug|x64'"><ClCompile><PreprocessorDefinitions>A;%(PreprocessorDefinitions)</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup>` +
			`<ItemDefinitionGroup><ClCompile Condition="'$(Platform)'!='x64'"><PreprocessorDefinitions>B;%(PreprocessorDefinitions)</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup>` +
			group(`<PreprocessorDefinitions Condition="'$(Configuration)'=='Release'">C;%(PreprocessorDefinitions)</PreprocessorDefinitions>`),
			"A=1", "C=1 B=1"},
		{"other tools do not count", items +
			`<ItemDefinitionGroup><ResourceCompile><PreprocessorDefinitions>A</PreprocessorDefinitions></ResourceCompile><Midl><PreprocessorDefinitions>B</PreprocessorDefinitions></Midl></ItemDefinitionGroup>`,
			"", ""},
		{"properties before definitions", items + group("<PreprocessorDefinitions>$(Late)</PreprocessorDefinitions>") +
			"<PropertyGroup><Late>A;B=$(Platform)</Late></PropertyGroup>", "A=1 B=x64", "A=1 B=Win32"},
		{"properties in order", items + "<PropertyGroup><P>A</P><Q>$(P)</Q><P>B;$(P)</P></PropertyGroup>" +
			group("<PreprocessorDefinitions>$(P);Q=$(q)</PreprocessorDefinitions>"), "B=1 A=1 Q=A", "B=1 A=1 Q=A"},
		{"condition of a definition sees the last property", items +
			`<ItemDefinitionGroup Condition="'$(P)'=='2'"><ClCompile><PreprocessorDefinitions>A</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup>` +
			"<PropertyGroup><P>1</P></PropertyGroup><PropertyGroup><P>2</P></PropertyGroup>", "A=1", "A=1"},
		{"condition of a property sees those before", items +
			`<PropertyGroup><P Condition="'$(Q)'==''">A</P><Q>x</Q><P Condition="'$(Q)'==''">B</P></PropertyGroup>` +
			group("<PreprocessorDefinitions>$(P)</PreprocessorDefinitions>"), "A=1", "A=1"},
		{"configuration and platform are global", items +
			"<PropertyGroup><Configuration>Other</Configuration><PLATFORM>Other</PLATFORM></PropertyGroup>" +
			group("<PreprocessorDefinitions>$(Configuration);$(Platform)</PreprocessorDefinitions>"), "Debug=1 x64=1", "Release=1 Win32=1"},
		{"choose", items + `<Choose><When Condition="'$(Platform)'=='x64'"><PropertyGroup><P>A</P></PropertyGroup></When>` +
			`<When Condition="true"><PropertyGroup><P>B</P></PropertyGroup></When><Otherwise><PropertyGroup><P>C</P></PropertyGroup></Otherwise></Choose>` +
			`<Choose><When Condition="false" /><Otherwise><PropertyGroup><R>O</R></PropertyGroup></Otherwise></Choose>` +
			group("<PreprocessorDefinitions>$(P);$(R)</PreprocessorDefinitions>"), "A=1 O=1", "B=1 O=1"},
		{"definitions before items", "  <ItemGroup><ClCompile Include=\"a.c\"><PreprocessorDefinitions>F;%(PreprocessorDefinitions)</PreprocessorDefinitions></ClCompile></ItemGroup>\n" +
			group("<PreprocessorDefinitions>A</PreprocessorDefinitions>"), "F=1 A=1", "F=1 A=1"},
		{"per file", `<ItemGroup><ClCompile Include="a.c"><PreprocessorDefinitions Condition="'$(Platform)'=='x64'">F</PreprocessorDefinitions></ClCompile></ItemGroup>` +
			group("<PreprocessorDefinitions>A</PreprocessorDefinitions>"), "F=1", "A=1"},
		{"update", `<ItemGroup><ClCompile Include="a.c" /><ClCompile Update="A.C"><PreprocessorDefinitions>F=%(Filename)%(Extension)</PreprocessorDefinitions></ClCompile></ItemGroup>`,
			"F=a.c", "F=a.c"},
		{"additional options", items + group(`<PreprocessorDefinitions>P</PreprocessorDefinitions><AdditionalOptions>/W4 /DA -D B=2 /D"C=x y" "/DD" /DE=\"q\" /Dif2 %(AdditionalOptions)</AdditionalOptions>`),
			`P=1 A=1 B=2 C=x y D=1 E="q" if2=1`, `P=1 A=1 B=2 C=x y D=1 E="q" if2=1`},
		{"escapes", items + group("<PreprocessorDefinitions>A=%3B%20x;B=&lt;&#x61;&gt;<!-- C; -->;<![CDATA[D=&]]></PreprocessorDefinitions>"),
			"A=; x B=<a> D=&", "A=; x B=<a> D=&"},
		{"target is for the build only", items + "<Target Name=\"x\"><PropertyGroup><P>A</P></PropertyGroup><ItemGroup><ClCompile Include=\"b.c\" /></ItemGroup></Target>" +
			group("<PreprocessorDefinitions>$(P);%(PreprocessorDefinitions)</PreprocessorDefinitions>"), "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, "-- a.c --\n-- b.c --\n")
			put(t, "p.vcxproj", projectText(two, c.body))
			s := load(t, LoadOptions{})
			debug, release := find(t, s, "p.vcxproj|Debug|x64"), find(t, s, "p.vcxproj|Release|Win32")
			equal(t, "files", debug.Files, 1)
			equal(t, "debug", own(debug.unitOf(t, "a.c")), c.debug)
			equal(t, "release", own(release.unitOf(t, "a.c")), c.release)
			equal(t, "notes", notes(debug)+notes(release), "")
		})
	}
}

func TestPlaces(t *testing.T) {
	write(t, "-- drv/a.c --\n-- drv/p.props --\n<Project>\n <PropertyGroup>\n  <More>X=1;\n   Y</More>\n </PropertyGroup>\n</Project>\n")
	put(t, "drv/p.vcxproj", "\ufeff"+strings.ReplaceAll(projectText("Debug|x64", `  <Import Project="p.props" />
  <ItemDefinitionGroup>
    <ClCompile>
      <PreprocessorDefinitions>é;&#65;=1; B=2;$(More)</PreprocessorDefinitions>
      <AdditionalOptions>/W4 /DZ "-D Q=1"</AdditionalOptions>
    </ClCompile>
  </ItemDefinitionGroup>
  <ItemGroup>
    <ClCompile Include="a.c" />
  </ItemGroup>
`), "\n", "\r\n"))
	s := load(t, LoadOptions{Defines: []string{"USER=1"}})
	tr := newTree(t, ".")
	for _, d := range find(t, s, "drv/p.vcxproj|Debug|x64").Units[0].Options.Defines {
		if d.Place.Path == "" {
			continue
		}
		data, err := tr.Read(d.Place.Path)
		if err != nil {
			t.Fatal(err)
		}
		rest := string(data[d.Place.Offset:])
		if !strings.HasPrefix(rest, d.Name) && !strings.HasPrefix(rest, "&#65;") {
			t.Errorf("%s stands at %v, where there is %.20q", d.Name, d.Place, rest)
		}
		lines := strings.Split(string(data[:d.Place.Offset]), "\n")
		equal(t, d.Name+"'s line", d.Place.Line, len(lines))
		equal(t, d.Name+"'s column", d.Place.Column, len(lines[len(lines)-1])+1)
		wantPath := "drv/p.vcxproj"
		if d.Name == "X" || d.Name == "Y" {
			wantPath = "drv/p.props"
		}
		equal(t, d.Name+"'s file", d.Place.Path, wantPath)
	}
	equal(t, "defines", own(s.Builds[0].Units[0]), "é=1 A=1 B=2 X=1 Y=1 Z=1 Q=1")
}

func TestOptionsOfUnits(t *testing.T) {
	write(t, "-- drv/a.c --\n-- drv/b.cpp --\n-- drv/sub/c.C --\n-- drv/d.cc --\n-- drv/x.h --\n-- drv/inc/y.h --\n-- inc2/y.h --\n")
	put(t, "drv/p.vcxproj", projectText("Debug|x64", `
  <ItemDefinitionGroup><ClCompile>
    <AdditionalIncludeDirectories>INC;..\inc2;$(DDK_INC_PATH);$(SomeKit)\inc;"inc";%(AdditionalIncludeDirectories)</AdditionalIncludeDirectories>
    <UndefinePreprocessorDefinitions>U1;U2</UndefinePreprocessorDefinitions>
    <ForcedIncludeFiles>sub\force.h;%(ForcedIncludeFiles)</ForcedIncludeFiles>
    <AdditionalOptions>/U U3 /I more /FI"last.h"</AdditionalOptions>
  </ClCompile></ItemDefinitionGroup>
  <ItemGroup>
    <ClCompile Include="B.CPP;a.c" />
    <ClCompile Include="sub\C.c"><CompileAs>CompileAsCpp</CompileAs></ClCompile>
    <ClCompile Include="d.cc"><AdditionalOptions>/TC</AdditionalOptions></ClCompile>
    <ClCompile Include="x.h" />
    <ClCompile Include="gone.c" />
    <ClCompile Include="a.c" />
    <ClCompile Include="excluded.c"><ExcludedFromBuild Condition="'$(Configuration)'=='Debug'">true</ExcludedFromBuild></ClCompile>
    <ClInclude Include="x.h" />
    <None Include="other.c" />
    <ClCompile Include="removed.c" />
    <ClCompile Remove="REMOVED.C" />
    <ClCompile Include="b.cpp;sub\c.c" Exclude="b.cpp;sub\c.c" />
  </ItemGroup>
`))
	b := find(t, load(t, LoadOptions{}), "drv/p.vcxproj|Debug|x64")
	var got []string
	for _, u := range b.Units {
		got = append(got, u.Path+":"+string(u.Options.Language))
	}
	equal(t, "units", strings.Join(got, " "), "drv/a.c:c drv/b.cpp:c++ drv/d.cc:c drv/sub/c.C:c++")
	o := b.unitOf(t, "drv/a.c").Options
	equal(t, "includes", strings.Join(o.Includes, " "), "drv/inc inc2 drv/more")
	equal(t, "undefines", strings.Join(o.Undefines, " "), "U1 U2 U3")
	equal(t, "forced", strings.Join(o.Forced, " "), "sub/force.h last.h")
	if _, ok := o.value("U1"); ok {
		t.Error("U1 is undefined, but has a value")
	}
	if n := notes(b); !strings.Contains(n, "gone.c is not there") || strings.Count(n, "\n") != 0 {
		t.Errorf("notes: %s", n)
	}
}

func TestImports(t *testing.T) {
	write(t, `
-- Directory.Build.props --
<Project><PropertyGroup><Above>ABOVE</Above></PropertyGroup></Project>
-- drv/a.c --
-- drv/props/one.props --
<Project>
  <Import Project="two.props" />
  <Import Project="..\gone.props" Condition="exists('..\gone.props')" />
  <Import Project="two.props" Condition="Exists('two.props')" />
  <Import Project="three.props" Condition="Exists('three.props')" />
  <PropertyGroup><One>ONE;$(Two);THIS=$(MSBuildThisFileName);EXISTS=$(E)</One></PropertyGroup>
  <PropertyGroup><E Condition="exists('props\two.props')">project</E></PropertyGroup>
  <ItemDefinitionGroup><ClCompile><PreprocessorDefinitions>SHEET;E=$(E);%(PreprocessorDefinitions)</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup>
</Project>
-- drv/props/two.props --
<Project>
  <Import Project="one.props" />
  <PropertyGroup><Two>$(Two)TWO</Two></PropertyGroup>
</Project>
-- drv/props/three.props --
<Project><PropertyGroup><Two>$(Two);THREE</Two></PropertyGroup></Project>
-- drv/shared/shared.vcxitems --
<Project><ItemGroup><ClCompile Include="$(MSBuildThisFileDirectory)s.c" /></ItemGroup></Project>
-- drv/shared/s.c --
-- drv/broken.props --
<Project><PropertyGroup>
`)
	put(t, "drv/p.vcxproj", projectText("Debug|x64", `  <Import Project="$(MSBuildProjectDirectory)\props\ONE.props" />
  <ImportGroup Condition="false"><Import Project="never.props" /></ImportGroup>
  <ImportGroup Label="PropertySheets">
    <Import Project="$(UserRootDir)\Microsoft.Cpp.$(Platform).user.props" Condition="exists('$(UserRootDir)\Microsoft.Cpp.$(Platform).user.props')" />
    <Import Project="missing.props" />
    <Import Project="broken.props" />
    <Import Project="$([System.IO.Path]::GetFullPath('x.props'))" />
    <Import Project="all\*.props" />
    <Import Project="shared\shared.vcxitems" Label="Shared" />
  </ImportGroup>
  <ItemDefinitionGroup><ClCompile><PreprocessorDefinitions>$(Above);$(One);%(PreprocessorDefinitions)</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup>
  <ItemGroup><ClCompile Include="a.c" /></ItemGroup>
`))
	s := load(t, LoadOptions{})
	b := find(t, s, "drv/p.vcxproj|Debug|x64")
	equal(t, "defines", own(b.unitOf(t, "drv/a.c")), "ABOVE=1 ONE=1 TWO=1 THREE=1 THIS=one EXISTS= SHEET=1 E=project")
	b.unitOf(t, "drv/shared/s.c")
	n := notes(b)
	for _, want := range []string{"drv/missing.props is not there", "drv/broken.props can't be read: line 1", "drv/x.props is not there"} {
		if !strings.Contains(n, want) {
			t.Errorf("no note on %q among\n%s", want, n)
		}
	}
	equal(t, "notes", strings.Count(n, "\n")+1, 3)
	if len(s.Unreadable) != 1 || s.Unreadable[0].Path != "drv/broken.props" || !strings.HasPrefix(s.Unreadable[0].Why, "line 1: ") {
		t.Errorf("unreadable: %v", s.Unreadable)
	}
}

// An import outside of what was named is read, which a note says.
func TestImportOutside(t *testing.T) {
	write(t, "-- out.props --\n<Project><PropertyGroup><P>OUT</P></PropertyGroup></Project>\n-- drv/a.c --\n")
	put(t, "drv/p.vcxproj", projectText("Debug|x64", `  <Import Project="..\out.props" />
  <ItemDefinitionGroup><ClCompile><PreprocessorDefinitions>$(P)</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup>
  <ItemGroup><ClCompile Include="a.c" /></ItemGroup>
`))
	b := load(t, LoadOptions{}, "drv").Builds[0]
	equal(t, "defines", own(b.Units[0]), "OUT=1")
	if !strings.Contains(notes(b), "outside of what was named") {
		t.Errorf("notes: %s", notes(b))
	}
}

func TestUnknownIsNoted(t *testing.T) {
	write(t, "-- a.c --\n")
	put(t, "p.vcxproj", projectText("Debug|x64", `  <PropertyGroup><Year>$([System.DateTime]::Now.Year)</Year><V>$(Year)</V></PropertyGroup>
  <ItemDefinitionGroup Condition="'$(V)'=='2020'">
    <ClCompile><PreprocessorDefinitions>A;%(PreprocessorDefinitions)</PreprocessorDefinitions></ClCompile>
  </ItemDefinitionGroup>
  <ItemDefinitionGroup><ClCompile><PreprocessorDefinitions>Y=$(Year);B;no-name;%(PreprocessorDefinitions)</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup>
  <ItemDefinitionGroup Condition="'$(Platform)'=='ARM' and '$(V)'=='2020'"><ClCompile /></ItemDefinitionGroup>
  <ItemGroup><ClCompile Include="a.c" /><ClCompile Include="*.c" /></ItemGroup>
`))
	b := load(t, LoadOptions{}).Builds[0]
	equal(t, "defines", own(b.Units[0]), "Y=$([System.DateTime]::Now.Year) B=1")
	n := notes(b)
	for _, want := range []string{"p.vcxproj:12:3: the condition of ItemDefinitionGroup is unknown", "it asks the clock", "the value of the define Y can't be evaluated", `"no-name" defines no macro`} {
		if !strings.Contains(n, want) {
			t.Errorf("no note on %q among\n%s", want, n)
		}
	}
	equal(t, "notes", strings.Count(n, "\n")+1, 3)
}

func TestKinds(t *testing.T) {
	for _, c := range []struct {
		properties, skipped string
		library             bool
		entries             string
	}{
		{"<ConfigurationType>Driver</ConfigurationType>", "", false, "DriverEntry DllInitialize"},
		{"<ConfigurationType>Driver</ConfigurationType><DriverType>WDM</DriverType><EntryPointSymbol>MyEntry@8</EntryPointSymbol>", "", false, "MyEntry DllInitialize"},
		{"<ConfigurationType>Driver</ConfigurationType></PropertyGroup><ItemDefinitionGroup><Link><EntryPointSymbol>GsDriverEntry@8</EntryPointSymbol></Link></ItemDefinitionGroup><PropertyGroup>", "", false, "DriverEntry DllInitialize"},
		{"<ConfigurationType>DynamicLibrary</ConfigurationType><DriverType>ExportDriver</DriverType>", "", false, "DriverEntry DllInitialize"},
		{"<ConfigurationType>DynamicLibrary</ConfigurationType><PlatformToolset>WindowsKernelModeDriver10.0</PlatformToolset>", "", false, "DriverEntry DllInitialize"},
		{"<ConfigurationType>StaticLibrary</ConfigurationType><PlatformToolset>WindowsKernelModeDriver8.1</PlatformToolset>", "", true, ""},
		{"<ConfigurationType>StaticLibrary</ConfigurationType><DriverType>KMDF</DriverType>", "", true, ""},
		{"<ConfigurationType>Application</ConfigurationType></PropertyGroup><ItemDefinitionGroup><Link><Driver>WDM</Driver></Link></ItemDefinitionGroup><PropertyGroup>", "", false, "DriverEntry DllInitialize"},
		{"<ConfigurationType>DynamicLibrary</ConfigurationType></PropertyGroup><ItemDefinitionGroup><Link><AdditionalOptions>/opt:ref /DRIVER</AdditionalOptions></Link></ItemDefinitionGroup><PropertyGroup>", "", false, "DriverEntry DllInitialize"},
		{"<ConfigurationType>Application</ConfigurationType>", "user mode: ConfigurationType Application", false, ""},
		{"<ConfigurationType>StaticLibrary</ConfigurationType>", "user mode: ConfigurationType StaticLibrary", false, ""},
		{"<ConfigurationType>DynamicLibrary</ConfigurationType><DriverType>UMDF</DriverType><PlatformToolset>WindowsUserModeDriver10.0</PlatformToolset>", "user mode: DriverType UMDF", false, ""},
		{"<ConfigurationType>Application</ConfigurationType><PlatformToolset>WindowsApplicationForDrivers10.0</PlatformToolset>", "user mode: PlatformToolset WindowsApplicationForDrivers10.0", false, ""},
		{"<ConfigurationType>Utility</ConfigurationType><DriverType>Package</DriverType><PlatformToolset>WindowsKernelModeDriver10.0</PlatformToolset>", "a package or the like, which compiles nothing", false, ""},
		{"<ConfigurationType>Makefile</ConfigurationType>", "built by commands of its own: ConfigurationType Makefile", false, ""},
		{"", "user mode: no ConfigurationType, which means Application", false, ""},
	} {
		write(t, "-- p.vcxproj --\n<Project><ItemGroup><ProjectConfiguration Include=\"Debug|x64\"/><ProjectConfiguration Include=\"Release|x64\"/></ItemGroup><PropertyGroup>"+c.properties+"</PropertyGroup></Project>")
		s := load(t, LoadOptions{})
		if c.skipped != "" {
			if len(s.Builds) > 0 || len(s.Skipped) != 1 || s.Skipped[0].Path != "p.vcxproj" || s.Skipped[0].Why != c.skipped {
				t.Errorf("%s: builds %s, skipped %q", c.properties, ids(s), s.Skipped)
			}
			continue
		}
		b := find(t, s, "p.vcxproj|Release|x64")
		equal(t, c.properties+": library", b.Library, c.library)
		equal(t, c.properties+": entries", strings.Join(b.Entries, " "), c.entries)
		equal(t, c.properties+": old kit", b.Kit.NoOptIn, false)
	}
}

func TestMinimum(t *testing.T) {
	for _, c := range []struct {
		properties, minimum, source, ntddi string
	}{
		{"", "6.1", "default", "0x0A000010"},
		{"<TargetVersion>Vista</TargetVersion>", "6.0", "TargetVersion", "0x06000000"},
		{"<TargetVersion>Windows7</TargetVersion>", "6.1", "TargetVersion", "0x06010000"},
		{"<TargetVersion>Windows8</TargetVersion>", "6.2", "TargetVersion", "0x06020000"},
		{"<TargetVersion> WindowsV6.3 </TargetVersion>", "6.3", "TargetVersion", "0x06030000"},
		{"<TargetVersion>Windows10</TargetVersion>", "10.0", "TargetVersion", "0x0A000010"},
		{"<TargetVersion>Windows99</TargetVersion>", "6.1", "default", "0x0A000010"},
		{"<TargetVersion>Windows10</TargetVersion><_NT_TARGET_VERSION>0x601</_NT_TARGET_VERSION>", "6.1", "_NT_TARGET_VERSION", "0x06010000"},
		{"<TargetVersion>Windows10</TargetVersion><_NT_TARGET_VERSION>0xA000006</_NT_TARGET_VERSION>", "10.0.17763", "_NT_TARGET_VERSION", "0x0A000006"},
		{"<_NT_TARGET_VERSION>0x0A00</_NT_TARGET_VERSION>", "10.0", "_NT_TARGET_VERSION", "0x0A000010"},
		{"<_NT_TARGET_VERSION>$(_NT_TARGET_VERSION_WIN8)</_NT_TARGET_VERSION>", "6.2", "_NT_TARGET_VERSION", "0x06020000"},
		{"<_NT_TARGET_VERSION>seven</_NT_TARGET_VERSION>", "6.1", "default", "0x0A000010"},
	} {
		write(t, "-- a.c --\n")
		put(t, "p.vcxproj", strings.Replace(projectText("Debug|x64", "<ItemGroup><ClCompile Include=\"a.c\"/></ItemGroup>"),
			"</ConfigurationType>", "</ConfigurationType>"+c.properties, 1))
		b := load(t, LoadOptions{}).Builds[0]
		value, _ := b.Units[0].Options.value("NTDDI_VERSION")
		equal(t, c.properties, b.Minimum.String()+" "+b.MinimumSource+" "+value, c.minimum+" "+c.source+" "+c.ntddi)
		noted := strings.Contains(notes(b), "is not understood")
		equal(t, c.properties+": noted", noted, strings.Contains(c.properties, "99") || strings.Contains(c.properties, "seven"))
	}
}

func TestToolset(t *testing.T) {
	write(t, "-- a.c --\n")
	put(t, "p.vcxproj", projectText("Debug|Win32 Debug|x64 Debug|ARM Release|ARM64 Debug|Itanium", `
  <PropertyGroup><UseDebugLibraries Condition="'$(Platform)'=='ARM'">false</UseDebugLibraries></PropertyGroup>
  <ItemDefinitionGroup><ClCompile><PreprocessorDefinitions>WINNT=0;V=1;%(PreprocessorDefinitions)</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup>
  <ItemGroup><ClCompile Include="a.c" /></ItemGroup>`))
	s := load(t, LoadOptions{Defines: []string{"LAST", "V=2"}})
	for id, want := range map[string]string{
		"Debug|Win32":   "x86 _X86_ i386 STD_CALL DBG",
		"Debug|x64":     "x64 _WIN64 _AMD64_ AMD64 DBG",
		"Debug|ARM":     "arm _ARM_ ARM STD_CALL",
		"Release|ARM64": "arm64 _ARM64_ ARM64 _WIN64 STD_CALL",
	} {
		b := find(t, s, "p.vcxproj|"+id)
		got := string(b.Units[0].Options.Processor)
		equal(t, id, b.Processor, b.Units[0].Options.Processor)
		for _, d := range b.Units[0].Options.Defines {
			if strings.Contains(" _X86_ i386 STD_CALL _WIN64 _AMD64_ AMD64 _ARM_ ARM _ARM64_ ARM64 DBG ", " "+d.Name+" ") {
				got += " " + d.Name
			}
		}
		equal(t, id, got, want)
		n := len(b.Units[0].Options.Defines)
		winnt, _ := b.Units[0].Options.value("WINNT")
		equal(t, id+": the kit's come where the project inherits", winnt, "1")
		equal(t, id+": user's defines", b.Units[0].Options.Defines[n-1].text(), "V=2")
	}
	equal(t, "builds", len(s.Builds), 4)
	if len(s.Skipped) != 1 || !strings.Contains(s.Skipped[0].Why, "Itanium") {
		t.Errorf("skipped: %v", s.Skipped)
	}
}

func TestParseTarget(t *testing.T) {
	for s, want := range map[string]nx.Version{
		"0x501": nx.WindowsXP, "0x0502": nx.WindowsServer2003, "0x0600": nx.WindowsVista, " 0x0601 ": nx.Windows7,
		"0x06030000": nx.Windows81, "0xA00": nx.Windows10, "0x0A000008": {Major: 10, Build: 19041}, "0xA000000": nx.Windows10,
	} {
		if got, ok := parseTarget(s); !ok || got != want {
			t.Errorf("%q: got %v %v, want %v", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "6.1", "0x1", "0x1234567890", "-1", "0xA0000004"} {
		if v, ok := parseTarget(s); ok {
			t.Errorf("%q: got %v", s, v)
		}
	}
}

// TestKitProperties tells what Visual Studio and the kit set, at the stage where they do, by a define: from "Common
// macros for MSBuild commands and properties".
func TestKitProperties(t *testing.T) {
	for _, c := range []struct{ value, win32, x64, arm64 string }{
		{"$(OS)", "Windows_NT", "Windows_NT", "Windows_NT"},
		{"$(ConfigurationName)-$(PlatformName)", "Debug-Win32", "Debug-x64", "Debug-ARM64"},
		{"$(PlatformShortName)-$(PlatformTarget)-$(PlatformArchitecture)", "x86-x86-32", "x64-x64-64", "arm64-ARM64-ARM64"},
		{"$(DDKPlatform)", "x86", "x64", "arm64"},
		{"$(IntDir)", `Debug\`, `x64\Debug\`, `ARM64\Debug\`},
		{"$(ProjectName)-$(TargetName)-$(TargetExt)-$(TargetFileName)", "p-p-.sys-p.sys", "p-p-.sys-p.sys", "p-p-.sys-p.sys"},
		{"$(RootNamespace)", "p", "p", "p"},
		{"$(MSBuildProjectName)$(MSBuildProjectExtension)$(MSBuildProjectFile)$(MSBuildThisFile)", "p.vcxprojp.vcxprojp.vcxproj", "p.vcxprojp.vcxprojp.vcxproj", "p.vcxprojp.vcxprojp.vcxproj"},
		{"$(Early)-$(EarlyTarget)", "-", "-", "-"},
		{"$(_NT_TARGET_VERSION_WIN7)", "0x0601", "0x0601", "0x0601"},
		{"$(NobodySetsThis)", "", "", ""},
	} {
		write(t, "-- a.c --\n-- b.c --\n")
		put(t, "p.vcxproj", strings.Replace(projectText("Debug|Win32 Debug|x64 Debug|ARM64", compiled+definitions("", "V="+c.value)),
			"  <Import ", "<PropertyGroup><Early>$(PlatformShortName)</Early><EarlyTarget>$(TargetName)</EarlyTarget></PropertyGroup>  <Import ", 1))
		s := load(t, LoadOptions{})
		for i, want := range []string{c.win32, c.x64, c.arm64} {
			equal(t, c.value, own(s.Builds[i].Units[0]), "V="+want)
			equal(t, c.value+": notes", notes(s.Builds[i]), "")
		}
	}
}

// A property that depends on what is installed has no value: what is compared with it is noted.
func TestKitUnknown(t *testing.T) {
	for _, name := range []string{"MSBuildVersion", "PlatformToolset", "VCToolsVersion",
		"WindowsTargetPlatformVersion", "ProgramFiles", "WindowsSdkDir", "DDK_INC_PATH", "LatestTargetPlatformVersion"} {
		write(t, "-- a.c --\n-- b.c --\n")
		put(t, "p.vcxproj", projectText("Debug|x64", compiled+
			"<PropertyGroup Condition=\"'$("+name+")'=='x'\"><P>P</P></PropertyGroup><PropertyGroup><"+name+">x</"+name+"></PropertyGroup>"+
			"<ItemDefinitionGroup Condition=\"'$("+name+")'=='x'\"><ClCompile><AdditionalIncludeDirectories>$("+name+"2)\\a;$(KM_IncludePath);$(WDKContentRoot)\\b;c</AdditionalIncludeDirectories></ClCompile></ItemDefinitionGroup>"))
		b := load(t, LoadOptions{}).Builds[0]
		equal(t, name+": notes", strings.Count(notes(b), "is unknown"), 1)
		equal(t, name+": set by the project, and the kit's directories", strings.Join(b.Units[0].Options.Includes, " "), "c")
	}
}

// TestPrecompiled follows "/Yu (Use precompiled header file)" and "Precompiled header files": the header's name is
// stdafx.h up to Visual Studio 2017.
func TestPrecompiled(t *testing.T) {
	use := func(s string) string { return "<PrecompiledHeader>" + s + "</PrecompiledHeader>" }
	file := func(s string) string { return "<PrecompiledHeaderFile>" + s + "</PrecompiledHeaderFile>" }
	options := func(s string) string { return "<AdditionalOptions>" + s + "</AdditionalOptions>" }
	for _, c := range []struct{ toolset, definition, item, a, b string }{
		{"", "", "", "", ""},
		{"", use("Use"), "", "pch.h", "pch.h"},
		{"", use(" use ") + file("Inc\\My.h"), use("Create"), "", "Inc/My.h"},
		{"", use("NotUsing") + file("my.h"), use("Use"), "my.h", ""},
		{"", use("Use"), use(""), "", "pch.h"},
		{"", use("Use") + file("x.h"), file(""), "pch.h", "x.h"},
		{"WindowsKernelModeDriver10.0", use("Use"), "", "pch.h", "pch.h"},
		{"WindowsKernelModeDriver8.1", use("Use"), "", "stdafx.h", "stdafx.h"},
		{"v141", use("Use"), "", "stdafx.h", "stdafx.h"},
		{"v142", use("Use"), "", "pch.h", "pch.h"},
		{"", options("/Yupre.h"), options("/Y- %(AdditionalOptions)"), "pre.h", "pre.h"},
		{"", use("Use"), options("/W4 /Y-"), "", "pch.h"},
		{"", use("Use"), options(`-Yu"a b.h"`), "a b.h", "pch.h"},
		{"", use("Use"), options("/Ycpch.h"), "", "pch.h"},
	} {
		write(t, "-- a.c --\n-- b.c --\n")
		text := projectText("Debug|x64", "<ItemDefinitionGroup><ClCompile>"+c.definition+"</ClCompile></ItemDefinitionGroup>"+compiled+
			"<ItemGroup><ClCompile Update=\"a.c\">"+c.item+"</ClCompile></ItemGroup>")
		put(t, "p.vcxproj", strings.Replace(text, "</ConfigurationType>", "</ConfigurationType><PlatformToolset>"+c.toolset+"</PlatformToolset>", 1))
		b := load(t, LoadOptions{}).Builds[0]
		what := c.toolset + c.definition + c.item
		equal(t, what, b.unitOf(t, "a.c").Options.Precompiled, c.a)
		equal(t, what, b.unitOf(t, "b.c").Options.Precompiled, c.b)
	}
}

// What a skipped project compiles is known, so that a change to a driver's file is known to reach it.
func TestSharesOfProjects(t *testing.T) {
	write(t, "-- both.c --\n-- drv.c --\n-- app.c --\n-- off.c --\n")
	put(t, "drv.vcxproj", projectText("Debug|x64", `<ItemGroup><ClCompile Include="both.c;drv.c;off.c" /></ItemGroup>`))
	put(t, "app.vcxproj", strings.Replace(projectText("Debug|x64 Release|x64", `<ItemGroup><ClCompile Include="BOTH.c;app.c" /><ClCompile Include="off.c"><ExcludedFromBuild>true</ExcludedFromBuild></ClCompile></ItemGroup>`),
		"Driver", "Application", 1))
	put(t, "own.vcxproj", strings.Replace(projectText("Debug|x64 App|x64", `<ItemGroup><ClCompile Include="drv.c" /></ItemGroup>`),
		"<ConfigurationType>", "<ConfigurationType Condition=\"'$(Configuration)'=='Debug'\">", 1))
	s := load(t, LoadOptions{})
	if len(s.Skipped) != 2 {
		t.Fatalf("skipped: %v", s.Skipped)
	}
	equal(t, "shares", strings.Join(s.Skipped[0].Shares, " "), "both.c")
	equal(t, "shares of a project with itself", s.Skipped[1].Path+strings.Join(s.Skipped[1].Shares, " "), "own.vcxproj")
}

// A project that only lacks its names is one, unless what is made of it stands beside it.
func TestProjectTemplate(t *testing.T) {
	write(t, "-- a.c --\n-- b.c --\n")
	put(t, "p.vcxproj.in", strings.Replace(projectText("Debug|x64", compiled), "<ConfigurationType>", "<RootNamespace>@NAME@</RootNamespace><ConfigurationType>", 1))
	equal(t, "template", ids(load(t, LoadOptions{})), "p.vcxproj.in|Debug|x64")
	put(t, "p.vcxproj", projectText("Debug|x64", compiled))
	s := load(t, LoadOptions{})
	equal(t, "made", ids(s), "p.vcxproj|Debug|x64")
	equal(t, "skipped", s.Skipped[0].Path+": "+s.Skipped[0].Why, "p.vcxproj.in: the template of p.vcxproj, which is there too")
}

// What a hand check of real projects showed.
func TestRealProjects(t *testing.T) {
	const arm = "Debug|ARM64"
	kernel := func(configurations, properties, body string) string {
		return strings.Replace(projectText(configurations, body+compiled), "</ConfigurationType>",
			"</ConfigurationType><PlatformToolset>WindowsKernelModeDriver10.0</PlatformToolset>"+properties, 1)
	}
	for _, c := range []struct {
		name, text string
		show       func(b *Build) string
		want       string
	}{
		{"the target is called as the project", kernel("Debug|x64", "<ProjectName>other</ProjectName>", ""),
			func(b *Build) string { return b.Target }, "other"},
		{"the directory of ARM64", kernel(arm, "", definitions("", "A=$(Configuration)$(PlatformArchitecture)")),
			func(b *Build) string { return b.Defines["A"] }, "DebugARM64"},
		{"nothing runs on ARM64 before Windows 10", kernel(arm, "<TargetVersion>Windows7</TargetVersion>", ""),
			func(b *Build) string { return b.Minimum.String() + " " + b.MinimumSource }, "10.0 the first Windows for arm64"},
		{"one of two complementary conditions holds", kernel("Debug|x64",
			"<V Condition=\"$(MSBuildAssemblyVersion) >= '18.0'\">new</V><V Condition=\"$(MSBuildAssemblyVersion) &lt; '18.0'\">old</V>", definitions("", "A=$(V)")),
			func(b *Build) string { return b.Defines["A"] + " " + notes(b) },
			"old : nothing sets the property MSBuildAssemblyVersion; it is read as 17.0, for Visual Studio 2022"},
		{"a property that is left to the command line", kernel("Debug|x64", "<V Condition=\"'$(Flavor)'=='win7'\">7</V><V Condition=\"'$(Flavor)'!='win7'\">10</V>"+
			"<W Condition=\"'$(Late)'=='x'\"/><Late>y</Late><X Condition=\"'$(Empty)'==''\"/>", definitions("", "A=$(V)")),
			func(b *Build) string { return b.Defines["A"] + " " + notes(b) },
			`10 p.vcxproj:8:112: nothing sets $(Flavor), which a condition compares with "win7": what hangs on it is left out`},
		{"what hangs on an inequality with nothing is in", kernel("Debug|x64", "<V Condition=\"'$(Legacy)'!='true'\">new</V>", definitions("", "A=$(V)")),
			func(b *Build) string { return b.Defines["A"] + notes(b) }, "new"},
		{"no entry routine of its own", kernel("Debug|x64", "", "<ItemDefinitionGroup><Link><NoEntryPoint>true</NoEntryPoint></Link></ItemDefinitionGroup>"),
			func(b *Build) string { return strings.Join(b.Entries, " ") }, "DllInitialize"},
		{"a define whose value is not known is one", kernel("Debug|x64", "", definitions("", "A=$([System.DateTime]::Now.Year);B")),
			func(b *Build) string { return fmt.Sprint(len(b.Defines)) + " " + b.Defines["A"] }, "2 $([System.DateTime]::Now.Year)"},
	} {
		write(t, "-- a.c --\n-- b.c --\n")
		put(t, "p.vcxproj", c.text)
		equal(t, c.name, c.show(load(t, LoadOptions{}).Builds[0]), c.want)
	}
}

// A DriverType makes no driver of what is built with Visual Studio's own toolset, nor of an application.
func TestUserModeWithDriverType(t *testing.T) {
	for properties, want := range map[string]string{
		"<ConfigurationType>DynamicLibrary</ConfigurationType><PlatformToolset>v143</PlatformToolset>":                                                                    "user mode: PlatformToolset v143",
		"<ConfigurationType>StaticLibrary</ConfigurationType><PlatformToolset>$(OfTheKit)</PlatformToolset>":                                                              "",
		"<ConfigurationType>Driver</ConfigurationType><PlatformToolset>v143</PlatformToolset>":                                                                            "",
		"<ConfigurationType Condition=\"'$(Configuration)'=='Release'\">DynamicLibrary</ConfigurationType><PlatformToolset>WindowsKernelModeDriver10.0</PlatformToolset>": "",
		"<PlatformToolset>v143</PlatformToolset>": "user mode: no ConfigurationType, which means Application",
	} {
		write(t, "-- p.vcxproj --\n<Project><ItemGroup><ProjectConfiguration Include=\"Debug|x64\"/></ItemGroup><PropertyGroup><DriverType>KMDF</DriverType>"+
			properties+"</PropertyGroup></Project>")
		s := load(t, LoadOptions{})
		got := ""
		if len(s.Skipped) > 0 {
			got = s.Skipped[0].Why
		}
		equal(t, properties, got, want)
	}
}

// A project that makes a driver in some configurations says which are skipped.
func TestPartlySkipped(t *testing.T) {
	write(t, "-- a.c --\n-- b.c --\n")
	put(t, "p.vcxproj", strings.Replace(projectText("Debug|x64 Fuzz|x64 Fuzz|Win32", compiled), "<ConfigurationType>",
		"<ConfigurationType Condition=\"'$(Configuration)'=='Fuzz'\">Application</ConfigurationType><ConfigurationType Condition=\"'$(Configuration)'!='Fuzz'\">", 1))
	s := load(t, LoadOptions{})
	if len(s.Builds) != 1 || len(s.Skipped) != 1 || s.Skipped[0].Why != "in Fuzz|x64, Fuzz|Win32: user mode: ConfigurationType Application" {
		t.Errorf("builds %s, skipped %+v", ids(s), s.Skipped)
	}
}

// A precompiled header is found by the file that makes it, mostly beside the project: the sources may stand elsewhere.
func TestPrecompiledHeaderBesideTheProject(t *testing.T) {
	write(t, "-- src/a.c --\n-- drv/pre.h --\n")
	const use = "  <ItemDefinitionGroup>\n    <ClCompile>\n      <PrecompiledHeader>Use</PrecompiledHeader>\n      <PrecompiledHeaderFile>pre.h</PrecompiledHeaderFile>\n" +
		"    </ClCompile>\n  </ItemDefinitionGroup>\n"
	const item = "  <ItemGroup>\n    <ClCompile Include=\"..\\src\\a.c\" />\n  </ItemGroup>\n"
	for body, want := range map[string]string{use + item: "drv", item: ""} {
		put(t, "drv/p.vcxproj", projectText("Debug|x64", body))
		equal(t, "includes", strings.Join(load(t, LoadOptions{}).Builds[0].Units[0].Options.Includes, " "), want)
	}
}
