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
		{"", "_WIN32_WINNT=0x0A00", "10.0", "_WIN32_WINNT"},
		{"", "_WIN32_WINNT=0x0A00;WINVER=0x0602", "6.2", "WINVER"},
	} {
		write(t, "-- a.c --\n")
		put(t, "p.vcxproj", strings.Replace(projectText("Debug|x64", definitions("", c.defines)+"<ItemGroup><ClCompile Include=\"a.c\"/></ItemGroup>"),
			"</ConfigurationType>", "</ConfigurationType><TargetVersion>"+c.target+"</TargetVersion>", 1))
		b := load(t, LoadOptions{}).Builds[0]
		equal(t, c.target+" "+c.defines, b.Minimum.String()+" "+b.MinimumSource, c.minimum+" "+c.source)
	}
}
