package project

import (
	"strings"
	"testing"
)

// The lowest Windows that a project's own defines name counts, whatever the target version is.
func TestMinimumOfDefines(t *testing.T) {
	for _, c := range []struct{ target, defines, minimum, source string }{
		{"Windows10", "NTDDI_VERSION=0x06010000;_WIN32_WINNT=0x0601", "6.1", "NTDDI_VERSION"},
		{"Windows10", "WINVER=0x0600;NTDDI_VERSION=NTDDI_WIN7", "6.0", "WINVER"},
		{"Windows10", "_WIN32_WINNT=_WIN32_WINNT_WIN8", "6.2", "_WIN32_WINNT"},
		{"Windows7", "NTDDI_VERSION=0x0A000000", "6.1", "TargetVersion"},
		{"Windows10", "NTDDI_VERSION=NTDDI_SOMETHING;WINVER;OTHER=0x0501", "10.0", "TargetVersion"},
		{"Windows10", "NTDDI_VERSION=0x0A000008;_WIN32_WINNT=0x0A00", "10.0.19041", "NTDDI_VERSION"},
		{"Windows10", "NTDDI_VERSION=0x0A000008;WINVER=0x0602", "6.2", "WINVER"},
		{"Windows7", "NTDDI_VERSION=0x0A000008", "6.1", "TargetVersion"},
		{"", "_WIN32_WINNT=0x0A00", "10.0", "_WIN32_WINNT"},
		{"", "_WIN32_WINNT=0x0A00;NTDDI_VERSION=0x0A000008", "10.0.19041", "NTDDI_VERSION"},
		{"", "_WIN32_WINNT=0x0A00;WINVER=0x0602", "6.2", "WINVER"},
	} {
		write(t, "-- a.c --\n")
		put(t, "p.vcxproj", strings.Replace(projectText("Debug|x64", definitions("", c.defines)+"<ItemGroup><ClCompile Include=\"a.c\"/></ItemGroup>"),
			"</ConfigurationType>", "</ConfigurationType><TargetVersion>"+c.target+"</TargetVersion>", 1))
		b := load(t, LoadOptions{}).Builds[0]
		equal(t, c.target+" "+c.defines, b.Minimum.String()+" "+b.MinimumSource, c.minimum+" "+c.source)
	}
}

// What the kit defines stands where the project inherits, as build logs show; of two of a name the compiler takes the later,
// and that alone says what the code is for.
func TestKitOrder(t *testing.T) {
	sheet := "<Project><ItemDefinitionGroup><ClCompile><PreprocessorDefinitions>NTDDI_VERSION=0x06010000</PreprocessorDefinitions>" +
		"</ClCompile></ItemDefinitionGroup></Project>"
	const unit, before = "<ItemGroup><ClCompile Include=\"a.c\"/></ItemGroup>", "  <Import Project=\"$(VCTargetsPath)\\Microsoft.Cpp.Default.props\" />\n"
	for _, c := range []struct{ name, before, body, want string }{
		{"nothing", "", unit, "0x0A000010 0x0A00 1 10.0 TargetVersion"},
		{"before it inherits", "", definitions("", "NTDDI_VERSION=0x06010000;"+inherit) + unit, "0x0A000010 0x0A00 1 10.0 TargetVersion"},
		{"after it inherits", "", definitions("", inherit+";NTDDI_VERSION=0x06010000") + unit, "0x06010000 0x0A00 1 6.1 NTDDI_VERSION"},
		{"it does not inherit", "", definitions("", "NTDDI_VERSION=0x06010000") + unit, "0x06010000 0x0601  6.1 NTDDI_VERSION"},
		{"an older definition", "", definitions("", "X=1;"+inherit) + definitions("", inherit+";WINVER=0x0602;_WIN32_WINNT=0x0602") + unit,
			"0x0A000010 0x0602 1 6.2 WINVER"},
		{"before the kit", "<Import Project=\"s.props\"/>" + before, definitions("", "X=1;"+inherit) + unit, "0x06010000 0x0A00 1 6.1 NTDDI_VERSION"},
		{"before the kit, dropped", "<Import Project=\"s.props\"/>" + before, definitions("", "X=1") + unit, "0x0A000010 0x0A00  10.0 TargetVersion"},
		{"the kit's again", "", definitions("", "NTDDI_VERSION=0x06010000;"+inherit) + "<Import Project=\"$(VCTargetsPath)\\Microsoft.Cpp.props\" />" + unit,
			"0x0A000010 0x0A00 1 10.0 TargetVersion"},
		{"joined to a name", "", definitions("", inherit+"A=1") + unit, "0x0A000010 0x0A00 1 10.0 TargetVersion"},
		{"of one file, inherited", "", "<ItemGroup><ClCompile Include=\"a.c\"><PreprocessorDefinitions>" + inherit + ";NTDDI_VERSION=0x06020000" +
			"</PreprocessorDefinitions></ClCompile></ItemGroup>", "0x06020000 0x0A00 1 6.2 NTDDI_VERSION"},
		{"of one file", "", "<ItemGroup><ClCompile Include=\"a.c\"><PreprocessorDefinitions>A=1</PreprocessorDefinitions></ClCompile></ItemGroup>",
			"0x0A000010 0x0A00  10.0 TargetVersion"},
		{"on the command line", "", "<ItemDefinitionGroup><ClCompile><AdditionalOptions>/DNTDDI_VERSION=0x06010000 %(AdditionalOptions)</AdditionalOptions>" +
			"</ClCompile></ItemDefinitionGroup>" + unit, "0x06010000 0x0A00 1 6.1 NTDDI_VERSION"},
		{"undefined", "", "<ItemDefinitionGroup><ClCompile><UndefinePreprocessorDefinitions>NTDDI_VERSION;_AMD64_</UndefinePreprocessorDefinitions>" +
			"</ClCompile></ItemDefinitionGroup>" + definitions("", inherit+";NTDDI_VERSION=0x06010000") + unit, " 0x0A00  10.0 TargetVersion"},
	} {
		write(t, "-- a.c --\n-- s.props --\n"+sheet)
		text := strings.Replace(projectText("Debug|x64", c.body), "</ConfigurationType>", "</ConfigurationType><TargetVersion>Windows10</TargetVersion>", 1)
		if c.before != "" {
			text = strings.Replace(text, before, c.before, 1)
		}
		put(t, "p.vcxproj", text)
		b := load(t, LoadOptions{}).Builds[0]
		var got []string
		for _, name := range []string{"NTDDI_VERSION", "_WIN32_WINNT", "_AMD64_"} {
			v, _ := b.Units[0].Options.value(name)
			got = append(got, v)
		}
		equal(t, c.name, strings.Join(got, " ")+" "+b.Minimum.String()+" "+b.MinimumSource, c.want)
		if own := own(b.Units[0]); strings.Contains(own, "_AMD64_") {
			t.Errorf("%s: the kit's count as the project's: %s", c.name, own)
		}
	}
}

// What nothing defines the kit's headers do: sdkddkver.h makes the macros of one another, or of the newest Windows it knows,
// which is 7 for the kit that reads SOURCES.
func TestVersionMacros(t *testing.T) {
	sources := func(defines string) string {
		return "TARGETNAME=d\nTARGETTYPE=DRIVER\nSOURCES=a.c\nC_DEFINES=" + defines + "\n"
	}
	for _, c := range []struct{ name, file, text, want string }{
		{"nothing", "sources", sources(""), "0x0601 0x0601 0x06010000"},
		{"_WIN32_WINNT", "sources", sources("-D_WIN32_WINNT=0x0501"), "0x0501 0x0501 0x05010000"},
		{"a name", "sources", sources("-D_WIN32_WINNT=_WIN32_WINNT_VISTA"), "_WIN32_WINNT_VISTA 0x0600 0x06000000"},
		{"NTDDI_VERSION", "sources", sources("-DNTDDI_VERSION=0x06000100"), "0x0600 0x0600 0x06000100"},
		{"WINVER", "sources", sources("-DWINVER=0x0500"), "0x0601 0x0500 0x06010000"},
		{"MinGW", "Makefile", "drv.sys: a.c\n\tgcc -Wl,--subsystem,native -o $@ a.c\n", "0x0A00 0x0A00 0x0A000000"},
	} {
		write(t, "-- a.c --\n")
		put(t, c.file, c.text)
		b := load(t, LoadOptions{}).Builds[0]
		var got []string
		for _, name := range []string{"_WIN32_WINNT", "WINVER", "NTDDI_VERSION"} {
			v, _ := b.Units[0].Options.value(name)
			got = append(got, v)
		}
		equal(t, c.name, strings.Join(got, " "), c.want)
	}
}

// No processor runs a Windows that there was not for it.
func TestFirstWindows(t *testing.T) {
	write(t, "-- a.c --\n")
	put(t, "p.vcxproj", strings.Replace(projectText("Debug|Win32 Debug|ARM Debug|ARM64", "<ItemGroup><ClCompile Include=\"a.c\"/></ItemGroup>"),
		"</ConfigurationType>", "</ConfigurationType><TargetVersion>Windows7</TargetVersion>", 1))
	var got []string
	for _, b := range load(t, LoadOptions{}).Builds {
		got = append(got, b.Minimum.String())
	}
	equal(t, "minima", strings.Join(got, " "), "6.1 6.2 10.0")
}
