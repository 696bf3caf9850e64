package port

import (
	"strings"
	"testing"
)

// On ARM and ARM64 the kit's header opts in: no define is made for their sake, and they are no reason for a line more.
func TestBesideARM(t *testing.T) {
	const one = "    <ProjectConfiguration Include=\"Release|x64\" />\n"
	const list = "<PreprocessorDefinitions>%(PreprocessorDefinitions)</PreprocessorDefinitions>"
	arm := strings.ReplaceAll(one, "x64", "ARM64") + strings.ReplaceAll(one, "x64", "ARM")
	driver := projectOf("", "#include <ntddk.h>\nint DriverEntry(void)\n{\n    return ExAllocatePool(NonPagedPool, 1) != 0;\n}\n")
	for _, goal := range []Goal{OptIn, OptInAuto} {
		driver := strings.Replace(driver, "Windows7", "Windows10", 1)
		a := unpack(t, strings.Replace(driver, one, one+arm, 1))
		run(t, goal)
		want := strings.Replace(list, ">%", ">"+goals[goal].Mechanism.Macro()+"=1;%", 1)
		if got := pack(t, a); strings.Count(got, want) != 1 || strings.Contains(got, "Condition") {
			t.Errorf("%s: got\n%s", goal, got)
		}
		if again := run(t, goal); len(again.Changes)+len(again.Left) > 0 {
			t.Errorf("%s: again %v", goal, again.Changes)
		}
		unpack(t, strings.Replace(driver, one, arm, 1))
		if r := run(t, goal); len(r.Changes) > 0 {
			t.Errorf("%s, for ARM alone: %v", goal, r.Changes)
		}
	}
}

// What auto-select takes, and what it says decided, in two lines.
func TestChoose(t *testing.T) {
	const request = "#include <ntddk.h>\nint DriverEntry(void)\n{\n    return ExAllocatePool(NonPagedPool, 1) != 0;\n}\n"
	const call = "#include <ntddk.h>\nint DriverEntry(void)\n{\n    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n    return ExAllocatePool(NonPagedPool, 1) != 0;\n}\n"
	// of gives a driver in a directory of its own, for a target or "" for one that nothing says.
	of := func(dir, target, defines, text string) string {
		tree := strings.ReplaceAll(projectOf(defines, text), "-- drv", "-- "+dir+"/drv")
		if target == "" {
			return strings.Replace(tree, "<TargetVersion>Windows7</TargetVersion>", "", 1)
		}
		return strings.Replace(tree, "Windows7", target, 1)
	}
	const low = "POOL_NX_OPTIN_AUTO, which needs no call, asks for NX pool on every Windows, and those before Windows 8 have none"
	const arm = "<ProjectConfiguration Include=\"Release|x64\" />"
	for _, tt := range []struct{ name, tree, mechanism, why, not string }{
		{"Windows 7", of("a", "Windows7", "", request), "optin", "a/drv.vcxproj (Release|x64) starts at Windows 7 (TargetVersion)", low},
		{"nothing is said", of("a", "", "", request), "optin", "nothing says where a/drv.vcxproj (Release|x64) starts, so that it may be Windows 7", low},
		{"Windows 10", of("a", "Windows10", "", request), "optin-auto", "it needs no call, and no build starts before Windows 8: a/drv.vcxproj (Release|x64) starts at Windows 10 (TargetVersion)",
			"POOL_NX_OPTIN would serve Windows 7, too, but needs a call in each driver and makes a variable of NonPagedPool"},
		{"one of two", of("a", "Windows10", "", request) + of("b", "Windows7", "", request), "optin", "b/drv.vcxproj (Release|x64) starts at Windows 7 (TargetVersion)", low},
		{"one of two says nothing", of("a", "Windows10", "", request) + of("b", "", "", request), "optin", "nothing says where b/drv.vcxproj (Release|x64) starts, so that it may be Windows 7", low},
		{"the call is there", of("a", "Windows10", "", call), "optin", "the call that it needs is there already (a/drv.c:4:5)", "under POOL_NX_OPTIN_AUTO that call would do nothing"},
		{"one uses it", of("a", "Windows10", "", request) + of("b", "Windows10", "POOL_NX_OPTIN=1;", call), "optin", "b/drv.vcxproj (Release|x64) uses it already, and it is right on every Windows",
			"POOL_NX_OPTIN_AUTO beside it would be a second way in one tree"},
		{"one uses the other", of("a", "Windows8", "", request) + of("b", "Windows10", "POOL_NX_OPTIN_AUTO=1;", call), "optin-auto",
			"b/drv.vcxproj (Release|x64) uses it already, and no build starts before Windows 8", "POOL_NX_OPTIN beside it would be a second way in one tree"},
		{"one uses the other, one is low", of("a", "Windows7", "", request) + of("b", "Windows10", "POOL_NX_OPTIN_AUTO=1;", request), "optin", "a/drv.vcxproj (Release|x64) starts at Windows 7 (TargetVersion)",
			"POOL_NX_OPTIN_AUTO, which b/drv.vcxproj (Release|x64) uses, asks for NX pool on every Windows, and those before Windows 8 have none"},
		{"each uses one", of("a", "Windows10", "POOL_NX_OPTIN=1;", request) + of("b", "Windows10", "POOL_NX_OPTIN_AUTO=1;", request), "optin",
			"a/drv.vcxproj (Release|x64) uses it already, and it is right on every Windows", "POOL_NX_OPTIN_AUTO beside it would be a second way in one tree"},
		{"on ARM64 the header uses it", strings.Replace(of("a", "Windows7", "POOL_NX_OPTIN=1;", call), arm, arm+strings.Replace(arm, "x64", "ARM64", 1), 1), "optin",
			"a/drv.vcxproj (Release|x64) uses it already, and it is right on every Windows", "POOL_NX_OPTIN_AUTO beside it would be a second way in one tree"},
	} {
		unpack(t, tt.tree)
		r, err := Run([]string{"."}, AutoSelect, options())
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if string(r.Goal.Mechanism) != tt.mechanism || r.Why != tt.why || r.Not != tt.not {
			t.Errorf("%s: %s, %q, %q\nwant %s, %q, %q", tt.name, r.Goal.Mechanism, r.Why, r.Not, tt.mechanism, tt.why, tt.not)
		}
		said := reported(r)
		if lines := "mechanism " + r.Goal.Mechanism.Macro() + ": " + tt.why + "\nwhy no other: " + tt.not + "\n"; len(r.Changes) > 0 && !strings.HasPrefix(said, lines) {
			t.Errorf("%s: says\n%s", tt.name, said)
		}
	}
	unpack(t, of("a", "Windows10", "", request))
	if said := reported(run(t, OptIn)); !strings.HasPrefix(said, "mechanism POOL_NX_OPTIN: asked for\nchanged ") {
		t.Errorf("says\n%s", said)
	}
}
