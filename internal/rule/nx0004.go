package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

var macroNotEverywhere = Rule{
	ID:    "NX0004",
	Name:  "macro-not-everywhere",
	Level: Warning,
	Doc: Doc{
		What: `Some builds of a project, or some files of a build, are compiled with POOL_NX_OPTIN or POOL_NX_OPTIN_AUTO, and others
are not. Builds for ARM and ARM64 don't need the macro: there the kit's header opts in by itself. Where no request of the others
is executable, it is a note.`,
		Why: `Each configuration of a project has its own definitions, and the one that was forgotten is often the one that
ships. A file without the macro asks for executable pool in a driver that is otherwise opted in.`,
		Fix:    `Define the macro where it is missing. The fix is safe as long as nothing executes the memory.`,
		Before: twoConfigurations("DBG=1"),
		After:  twoConfigurations("POOL_NX_OPTIN=1;DBG=1"),
	},
	checkAll: checkMacroNotEverywhere,
}

func twoConfigurations(debug string) string {
	return `-- drv.vcxproj --
<Project>
  <ItemGroup Label="ProjectConfigurations">
    <ProjectConfiguration Include="Debug|x64" />
    <ProjectConfiguration Include="Release|x64" />
  </ItemGroup>
  <PropertyGroup>
    <ConfigurationType>Driver</ConfigurationType>
    <TargetVersion>Windows7</TargetVersion>
  </PropertyGroup>
  <ItemDefinitionGroup Condition="'$(Configuration)'=='Debug'">
    <ClCompile>
      <PreprocessorDefinitions>` + debug + `</PreprocessorDefinitions>
    </ClCompile>
  </ItemDefinitionGroup>
  <ItemDefinitionGroup Condition="'$(Configuration)'=='Release'">
    <ClCompile>
      <PreprocessorDefinitions>POOL_NX_OPTIN=1</PreprocessorDefinitions>
    </ClCompile>
  </ItemDefinitionGroup>
  <ItemGroup>
    <ClCompile Include="drv.c" />
  </ItemGroup>
</Project>
-- drv.c --
#include <ntddk.h>

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    return ExAllocatePoolWithTag(NonPagedPool, 4096, 'xErD') ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`
}

func checkMacroNotEverywhere(images []driver.Image) []Finding {
	var found []Finding
	opted := map[string][]*driver.Image{} // by build file
	for i := range images {
		m := &images[i]
		switch {
		case byProcessor(m.Build):
		case isOptedIn(m.Build):
			opted[m.Build.Project] = append(opted[m.Build.Project], m)
			found = append(found, filesWithout(m)...)
		default:
			found = append(found, filesWith(m)...)
		}
	}
	for i := range images {
		m := &images[i]
		if with := opted[m.Build.Project]; len(with) > 0 && m.Build.Mechanism == nx.None && m.Build.Files > 0 && !byProcessor(m.Build) {
			found = append(found, buildWithout(m, with))
		}
	}
	return found
}

func isOptedIn(b driver.Build) bool { return b.Mechanism == nx.OptIn || b.Mechanism == nx.OptInAuto }

// byProcessor says whether the kit's header opts in by itself.
func byProcessor(b driver.Build) bool { return b.Processor == nx.ARM || b.Processor == nx.ARM64 }

// buildWithout is about a build that has no macro while others of its build file have one.
func buildWithout(m *driver.Image, with []*driver.Image) Finding {
	macro := with[0].Build.Mechanism
	var names []string
	for _, o := range with {
		if _, configuration, ok := strings.Cut(o.Build.ID, "|"); ok && !slices.Contains(names, configuration) {
			names = append(names, configuration)
		}
	}
	n := 0
	for _, s := range m.Sites {
		if fixable(m.Build, s, macro) {
			n++
		}
	}
	f := Finding{
		Place: driver.Place{Path: m.Build.Project}, Builds: []string{m.Build.ID},
		Message: fmt.Sprintf("%s is defined for %s, and not here: %s", macro.Macro(), strings.Join(names, ", "), left(n)),
		Fix:     &Fix{Title: "define " + macro.Macro(), Safe: true, Defines: []Define{{macro.Macro(), "1"}}},
	}
	if n == 0 {
		f.Level, f.Fix = Note, nil
	}
	return f
}

// filesWith is about a build of which only some files have a macro, each by itself.
func filesWith(m *driver.Image) []Finding {
	for _, e := range m.Build.Exceptions {
		if e.Mechanism != nx.OptIn && e.Mechanism != nx.OptInAuto {
			continue
		}
		n := 0
		for _, s := range m.Sites {
			if s.Mechanism == nx.None && fixable(m.Build, s, e.Mechanism) {
				n++
			}
		}
		if n == 0 {
			return nil
		}
		macro := e.Mechanism.Macro()
		return []Finding{{
			Place: driver.Place{Path: e.Path}, Builds: []string{m.Build.ID},
			Message: fmt.Sprintf("this file is compiled with %s, and others of its driver are not: %s", macro, left(n)),
			Fix:     &Fix{Title: "define " + macro, Safe: true, Defines: []Define{{macro, "1"}}},
		}}
	}
	return nil
}

// filesWithout is about the files of a build that lack its macro and ask for executable memory.
func filesWithout(m *driver.Image) []Finding {
	var found []Finding
	for _, e := range m.Build.Exceptions {
		n := 0
		for _, s := range m.Sites {
			if s.Place.Path == e.Path && s.Mechanism == nx.None && fixable(m.Build, s, m.Build.Mechanism) {
				n++
			}
		}
		if n == 0 {
			continue
		}
		macro := m.Build.Mechanism.Macro()
		found = append(found, Finding{
			Place: driver.Place{Path: e.Path}, Builds: []string{m.Build.ID},
			Message: fmt.Sprintf("this file is compiled without %s, which others of its driver have: %s", macro, left(n)),
			Fix:     &Fix{Title: "define " + macro, Safe: true, Defines: []Define{{macro, "1"}}},
		})
	}
	return found
}
