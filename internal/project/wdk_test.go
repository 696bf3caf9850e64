package project

import (
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

func TestKitBuild(t *testing.T) {
	for s, want := range map[string]int{
		"10.0.22621.0": 22621, "10.0.19041": 19041, "10.0": 0, "8.1": 0, "": 0, "$(LatestTargetPlatformVersion)": 0,
		`..\packages\Microsoft.Windows.WDK.x64.10.0.26100.1591\build\native\Microsoft.Windows.WDK.x64.props`: 26100,
		`packages\microsoft.windows.wdk.ARM64.10.0.28000.1\x.props`:                                          28000,
		`packages\Microsoft.Windows.SDK.CPP.10.0.26100.1\x.props`:                                            0,
	} {
		if got := kitBuildOf(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

// What a kit can't do is in its release notes: 7.1 ends with Windows 7, 8.1 dropped Vista, 10.0.22000 dropped what is before
// Windows 10, 10.0.26100 dropped 32 bits.
func TestKitLimits(t *testing.T) {
	for _, c := range []struct {
		toolset   string
		build     int
		processor nx.Processor
		minimum   nx.Version
		kit, note string
	}{
		{"WindowsKernelModeDriver10.0", 0, nx.X86, nx.Windows7, "WDK 10", ""},
		{"WindowsKernelModeDriver10.0", 19041, nx.X86, nx.Windows7, "WDK 10.0.19041", ""},
		{"WindowsKernelModeDriver10.0", 19041, nx.X86, nx.WindowsVista, "WDK 10.0.19041", "cannot target Windows Vista, which it names: its lowest is Windows 7"},
		{"windowskernelmodedriver10.0", 22000, nx.X86, nx.Windows81, "WDK 10.0.22000", "cannot target Windows 8.1, which it names: its lowest is Windows 10"},
		{"WindowsKernelModeDriver10.0", 22621, nx.X86, nx.Windows10, "WDK 10.0.22621", ""},
		{"WindowsKernelModeDriver10.0", 26100, nx.X86, nx.Windows10, "WDK 10.0.26100", "cannot build for x86: it knows x64 and ARM64 only"},
		{"WindowsKernelModeDriver10.0", 26100, nx.ARM64, nx.Windows10, "WDK 10.0.26100", ""},
		{"WindowsKernelModeDriver8.1", 0, nx.X64, nx.WindowsVista, "WDK 8.1", "cannot target Windows Vista, which it names: its lowest is Windows 7"},
		{"WindowsKernelModeDriver8.0", 0, nx.X64, nx.Windows10, "WDK 8", "cannot target Windows 10, which it names: its highest is Windows 8"},
		{"WindowsKernelModeDriver8.0", 0, nx.X64, nx.WindowsVista, "WDK 8", ""},
		{"v143", 0, nx.X64, nx.WindowsXP, "", ""},
	} {
		b := &Build{Build: driver.Build{Project: "p.vcxproj", Processor: c.processor, Minimum: c.minimum, MinimumSource: "it", Kit: kitOf(c.toolset, c.build)}}
		b.checkKit()
		equal(t, c.toolset, b.Kit.Name, c.kit)
		switch {
		case c.note == "" && len(b.Notes) > 0:
			t.Errorf("%s %d: %v", c.toolset, c.build, b.Notes)
		case c.note != "" && (len(b.Notes) != 1 || b.Notes[0].Says != c.kit+" "+c.note || b.Notes[0].Path != "p.vcxproj"):
			t.Errorf("%s %d: %v, want %s", c.toolset, c.build, b.Notes, c.note)
		}
	}
}

// A minimum that nobody named is no claim that a kit could fail; one in SOURCES is checked as any other.
func TestKitOfOldBuilds(t *testing.T) {
	sources := "TARGETTYPE=DRIVER\nTARGETNAME=x\nSOURCES=a.c\n"
	write(t, "-- a.c --\n")
	for extra, want := range map[string]string{"": "", "C_DEFINES=-DNTDDI_VERSION=0x06020000\n": "WDK 7.1 cannot target Windows 8, which NTDDI_VERSION names: its highest is Windows 7"} {
		put(t, "sources", sources+extra)
		b := load(t, LoadOptions{}).Builds[0]
		var notes []string
		for _, n := range b.Notes {
			notes = append(notes, n.Says)
		}
		equal(t, b.Kit.Name+" "+extra, strings.Join(notes, "; "), want)
	}
	b := &Build{Build: driver.Build{Minimum: nx.Windows7, MinimumSource: "default", Kit: kitOf("WindowsKernelModeDriver10.0", 22621)}}
	if b.checkKit(); len(b.Notes) > 0 {
		t.Errorf("a default minimum: %v", b.Notes)
	}
}
