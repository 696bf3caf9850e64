package project

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// BenchmarkLoad loads a generated tree of the size of Microsoft's driver samples: 250 projects of 4 configurations, with
// the conditions and property sheets of real ones. Where NXPORT_BENCH_TREE names a directory, that is loaded too.
func BenchmarkLoad(b *testing.B) {
	b.Run("generated", func(b *testing.B) {
		generate(b, 250)
		benchmarkLoad(b, ".", 1000)
	})
	if dir := os.Getenv("NXPORT_BENCH_TREE"); dir != "" {
		b.Run("tree", func(b *testing.B) { benchmarkLoad(b, dir, 1) })
	}
}

func benchmarkLoad(b *testing.B, dir string, least int) {
	b.ReportAllocs()
	before := cpuSeconds()
	for b.Loop() {
		if n := len(load(b, LoadOptions{}, dir).Builds); n < least {
			b.Fatalf("%d builds, want %d", n, least)
		}
	}
	b.ReportMetric((cpuSeconds()-before)/float64(b.N), "cpu-s/op")
}

func generate(b *testing.B, projects int) {
	write(b, "-- Directory.Build.props --\n<Project><PropertyGroup><Common>COMMON=1</Common></PropertyGroup></Project>\n")
	configurations := strings.Fields("Debug|Win32 Release|Win32 Debug|x64 Release|x64")
	for i := range projects {
		var body strings.Builder
		for _, c := range configurations {
			condition := fmt.Sprintf(` Condition="'$(Configuration)|$(Platform)'=='%s'"`, c)
			fmt.Fprintf(&body, "<PropertyGroup%s Label=\"Configuration\"><TargetVersion>Windows10</TargetVersion><DriverType>KMDF</DriverType></PropertyGroup>\n", condition)
			fmt.Fprintf(&body, "<ImportGroup Label=\"PropertySheets\"%s><Import Project=\"$(UserRootDir)\\x.user.props\" Condition=\"exists('$(UserRootDir)\\x.user.props')\" /></ImportGroup>\n", condition)
			fmt.Fprintf(&body, "<ItemDefinitionGroup%s><ClCompile><PreprocessorDefinitions>$(Common);P%d;%%(PreprocessorDefinitions)</PreprocessorDefinitions>"+
				"<AdditionalIncludeDirectories>%%(AdditionalIncludeDirectories);..\\inc;.\\inc</AdditionalIncludeDirectories></ClCompile><ResourceCompile /><Midl /></ItemDefinitionGroup>\n", condition, i)
		}
		body.WriteString("<ItemGroup><Inf Exclude=\"@(Inf)\" Include=\"*.inf\" />")
		for j := range 6 {
			fmt.Fprintf(&body, "<ClCompile Include=\"f%d.c\" /><ClInclude Include=\"f%d.h\" />\n", j, j)
			put(b, fmt.Sprintf("g%d/p%d/f%d.c", i%20, i, j), "")
		}
		body.WriteString("</ItemGroup>\n")
		put(b, fmt.Sprintf("g%d/p%d/p.vcxproj", i%20, i), projectText(strings.Join(configurations, " "), body.String()))
	}
}
