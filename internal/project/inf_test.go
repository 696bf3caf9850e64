package project

import (
	"strings"
	"testing"

	"github.com/nxport/nxport/nx"
)

// The grammar is NT[architecture][.[major][.[minor][.[product type][.[suite mask][.[build]]]]]].
func TestDecoration(t *testing.T) {
	for _, c := range []struct {
		text      string
		processor nx.Processor
		minimum   string
	}{
		{"NT", "", "0.0"}, {"ntx86", nx.X86, "0.0"}, {"NTamd64.6.1", nx.X64, "6.1"}, {"NT.5.1", "", "5.1"},
		{"NT$ARCH$.10.0...16299", "", "10.0.16299"}, {"NTARM64.10.0...19041", nx.ARM64, "10.0.19041"},
		{"NTamd64.10.0.1..16299", nx.X64, "10.0.16299"}, {"NTamd64.6.0.0x0000003", nx.X64, "6.0"}, {"NTarm.10", nx.ARM, "10.0"},
	} {
		d, ok := parseDecoration(c.text)
		if !ok || d.processor != c.processor || d.minimum.String() != c.minimum {
			t.Errorf("%s: %v %v, want %s %s", c.text, d, ok, c.processor, c.minimum)
		}
	}
	for _, s := range []string{"", "x", "NTia64.6.0", "NT.6.x", "NT.1.2.3.4.5.6"} {
		if d, ok := parseDecoration(s); ok {
			t.Errorf("%q: %v, want none", s, d)
		}
	}
}

// inf gives an INF of drv.sys for the decorations.
func inf(decorations string) string {
	return "; comment [Manufacturer]\n[Version]\nSignature=\"$WINDOWS NT$\"\n[manufacturer] ; who\n%Name% = Models" + decorations +
		" ; as of\n[Service]\nServiceBinary = %12%\\%Driver%.SYS ; here\n[Strings]\nName=\"A; B\"\nDRIVER = \"drv\"\n"
}

func TestMinimumOfINF(t *testing.T) {
	for _, c := range []struct{ name, target, decorations, x64, x86 string }{
		{"lower than the target", "Windows10", ",NTamd64.6.1,NTx86.6.0", "6.1 i/drv.inf", "6.0 i/drv.inf"},
		{"the lowest of several", "Windows10", ",NTamd64.10.0...16299,NTamd64.6.2", "6.2 i/drv.inf", "10.0 TargetVersion"},
		{"a release of the target", "Windows10", ",NTamd64.10.0...19041,NTamd64.10.0...16299,NTx86.10.0", "10.0.16299 i/drv.inf", "10.0 TargetVersion"},
		{"higher than the target", "Windows7", ",NT$ARCH$.10.0...16299", "6.1 TargetVersion", "6.1 TargetVersion"},
		{"a build, and no target", "", ",NT$ARCH$.10.0...16299", "10.0.16299 i/drv.inf", "10.0.16299 i/drv.inf"},
		{"one that names no version", "Windows10", ",NTamd64,NTamd64.6.1,NTx86.6.1", "6.1 i/drv.inf", "6.1 i/drv.inf"},
		{"any Windows raises no default", "", ",NT$ARCH$,NT$ARCH$.10.0...25319", "6.1 default", "6.1 default"},
		{"any Windows, and one below the default", "", ",NT$ARCH$,NT$ARCH$.6.0", "6.0 i/drv.inf", "6.0 i/drv.inf"},
		{"no decoration", "Windows10", "", "10.0 TargetVersion", "10.0 TargetVersion"},
	} {
		write(t, "-- a.c --\n")
		put(t, "i/drv.inf", inf(c.decorations))
		project := strings.Replace(projectText("Debug|x64 Debug|Win32", "<ItemGroup><ClCompile Include=\"a.c\"/></ItemGroup>"),
			"</ConfigurationType>", "</ConfigurationType><TargetVersion>"+c.target+"</TargetVersion>", 1)
		put(t, "drv.vcxproj", project)
		put(t, "other.vcxproj", project)
		for _, named := range []string{".", "drv.vcxproj"} {
			s := load(t, LoadOptions{}, named)
			for id, want := range map[string]string{"drv.vcxproj|Debug|x64": c.x64, "drv.vcxproj|Debug|Win32": c.x86} {
				b := find(t, s, id)
				equal(t, c.name+" "+named+" "+id, b.Minimum.String()+" "+b.MinimumSource, want)
			}
		}
		if b := find(t, load(t, LoadOptions{}), "other.vcxproj|Debug|x64"); strings.HasSuffix(b.MinimumSource, ".inf") {
			t.Errorf("%s: another driver's INF counts", c.name)
		}
	}
}

// A primitive driver has no models: the names of its sections say where it installs. Beside models they say nothing.
func TestMinimumOfPrimitive(t *testing.T) {
	const service = "[S]\nServiceBinary=%13%\\drv.sys\n"
	for _, c := range []struct{ name, inf, want string }{
		{"decorated", "[DefaultInstall.NTamd64.10.0...16299]\n[DefaultInstall.NTamd64.10.0...16299.Services]\n", "10.0.16299 drv.inf"},
		{"the lowest", "[DefaultInstall.NTamd64.10.0...19041] ; new\n[defaultinstall.nt.6.1]\n[DefaultInstall.NTx86.6.0]\n", "6.1 drv.inf"},
		{"undecorated too", "[DefaultInstall]\n[DefaultInstall.NTamd64.10.0...16299]\n", "10.0 TargetVersion"},
		{"without a version", "[DefaultInstall.NTamd64]\n[DefaultInstall.NTamd64.Services]\n", "10.0 TargetVersion"},
		{"uninstall", "[DefaultUninstall.NTamd64.6.1]\n[DefaultInstall.NTia64.6.0]\n", "10.0 TargetVersion"},
		{"beside models", "[DefaultInstall.NT.6.0]\n[Manufacturer]\n%M% = Models,NTamd64.10.0...16299\n", "10.0.16299 drv.inf"},
	} {
		write(t, "-- a.c --\n-- drv.inf --\n"+c.inf+service)
		put(t, "drv.vcxproj", strings.Replace(projectText("Debug|x64", "<ItemGroup><ClCompile Include=\"a.c\"/></ItemGroup>"),
			"</ConfigurationType>", "</ConfigurationType><TargetVersion>Windows10</TargetVersion>", 1))
		b := load(t, LoadOptions{}).Builds[0]
		equal(t, c.name, b.Minimum.String()+" "+b.MinimumSource, c.want)
	}
}

// Of several INFs the lowest Windows counts: one that names no release of Windows 10 is for all of them.
func TestMinimumOfSeveralINFs(t *testing.T) {
	write(t, "-- a.c --\n")
	put(t, "drv.vcxproj", strings.Replace(projectText("Debug|x64", "<ItemGroup><ClCompile Include=\"a.c\"/></ItemGroup>"),
		"</ConfigurationType>", "</ConfigurationType><TargetVersion>Windows10</TargetVersion>", 1))
	put(t, "all.inf", inf(",NTamd64.10.0"))
	put(t, "new.inf", inf(",NTamd64.10.0...19041"))
	equal(t, "both", find(t, load(t, LoadOptions{}), "drv.vcxproj|Debug|x64").Minimum.String(), "10.0")
}

// Of several INFs of one name the nearest counts; UTF-16 is what Visual Studio writes them in.
func TestNearestINF(t *testing.T) {
	project := projectText("Debug|x64", "<ItemGroup><ClCompile Include=\"a.c\"/></ItemGroup>")
	write(t, "-- far/drv.inx --\n"+inf(",NT$ARCH$.5.1")+"-- near/a.c --\n")
	put(t, "near/drv.vcxproj", project)
	for name, encode := range map[string]func(string) string{
		"little-endian": func(s string) string { return "\xff\xfe" + strings.Join(strings.Split(s, ""), "\x00") + "\x00" },
		"big-endian":    func(s string) string { return "\xfe\xff\x00" + strings.Join(strings.Split(s, ""), "\x00") },
	} {
		put(t, "near/drv.inf", encode(inf(",NTamd64.6.3")))
		b := load(t, LoadOptions{}).Builds[0]
		equal(t, name, b.Minimum.String()+" "+b.MinimumSource, "6.3 near/drv.inf")
	}
}
