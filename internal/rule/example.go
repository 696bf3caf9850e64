package rule

import "strings"

// vcxproj is the build file of an example: a driver that starts at Windows 7, with these definitions and source files.
func vcxproj(definitions string, files ...string) string {
	return vcxprojFor("Windows7", definitions, files...)
}

func vcxprojFor(target, definitions string, files ...string) string {
	return vcxprojWith("", target, definitions, files...)
}

// vcxprojWith has more of a project's elements.
func vcxprojWith(more, target, definitions string, files ...string) string {
	return `-- drv.vcxproj --
<Project>
  <ItemGroup Label="ProjectConfigurations">
    <ProjectConfiguration Include="Release|x64" />
  </ItemGroup>
  <PropertyGroup>
    <ConfigurationType>Driver</ConfigurationType>
    <TargetVersion>` + target + `</TargetVersion>
  </PropertyGroup>
  <ItemDefinitionGroup>
    <ClCompile>
      <PreprocessorDefinitions>` + definitions + `</PreprocessorDefinitions>
    </ClCompile>
` + more + `  </ItemDefinitionGroup>
  <ItemGroup>
    <ClCompile Include="` + strings.Join(files, `" />
    <ClCompile Include="`) + `" />
  </ItemGroup>
</Project>
`
}
